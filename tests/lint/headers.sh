#!/bin/sh
# headers.sh - each header opens with its contract (HACKING.md, "Headers") and compiles alone.
# Run by make, which sets CC, EVS_CPPFLAGS (-I and -include of this build).
build=$(pwd)
. "$(dirname "$0")/lib.sh"

headers=$(c_files src | grep '\.h$')
opening="$(printf '%s\n' "$headers" | while read -r f; do
    awk -v f="$f" -v name="${f##*/}" '
    NR == 1 && index($0, "/* " name " - ") != 1 { print f ":1: opens with /* " name " - ..." }
    { text = text "\n" $0 }
    /\*\// { exit }
    END { if (text !~ /Threads/) print f ":1: its opening comment does not speak of Threads" }' "$f"
done)"
alone="$(if [ -n "${EVS_CPPFLAGS:-}" ]; then
    cd "$build" || exit 2
    printf '%s\n' "$headers" | while read -r f; do
        f=$top/$f
        # shellcheck disable=SC2086
        printf '#include "%s"\ntypedef int evs_not_empty;\n' "$f" |
            ${CC:-cc} -std=c11 -Wall -Wextra -Wpedantic $EVS_CPPFLAGS -fsyntax-only -x c - 2>&1 ||
            echo "$f: does not compile alone"
    done
fi)"
verdict "$opening${opening:+${alone:+
}}$alone"
