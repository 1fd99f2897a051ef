#!/bin/sh
# tree.sh - nothing in the tree points at somebody's machine, and every test folder's C file and
# every room's C file stands in its list.
. "$(dirname "$0")/lib.sh"

files() {
    if [ -e .git ] && command -v git >/dev/null 2>&1; then
        git ls-files -co --exclude-standard
    else
        find src tests dev -type f # a release: what was built lies beside it
    fi
}
verdict "$(
files | grep -v '^tests/lint/tree.sh$' | while read -r f; do
    [ -f "$f" ] && grep -InE '(^|[^A-Za-z0-9_.$}])/(work|root|home)/[A-Za-z]|/tmp/evs' "$f" |
        sed "s,^,$f:,; s,\$, (a path of one machine),"
done
find src tests -name '*.c' -type f | while read -r f; do
    list=$(dirname "$f")/Makefile.inc
    [ "$f" = src/main.c ] && list=src/Makefile.inc
    [ -f "$list" ] && ! grep -qF "$(basename "$f")" "$list" && echo "$f: is not in $list"
done
find tests -name 'test_*.py' -o -name '*.sh' -type f | while read -r f; do
    head -n 3 "$f" | grep -q '[A-Za-z]' || echo "$f: empty"
done)"
