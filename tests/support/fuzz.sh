#!/bin/sh
# fuzz.sh - ./dev fuzz [PARSER] [SECONDS]: clang's libFuzzer over the targets of tests/fuzz, each
# for SECONDS (60). New inputs go to build-fuzz/corpus/PARSER, crashes to build-fuzz.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
build=$top/build-fuzz
wanted=${1:-all}
seconds=${2:-60}
sanitizers="address,undefined -fno-sanitize-recover=all"

mkdir -p "$build"
cd "$build"
if [ ! -f Makefile ]; then
    (cd "$top" && autoreconf -i >/dev/null 2>&1)
    "$top/configure" -q CC=clang CFLAGS="-g -O1 -fsanitize=fuzzer-no-link,$sanitizers" \
        LDFLAGS="-fsanitize=$sanitizers"
fi
make -s -j"$(nproc)"
libs=$(make -s print-link)
for source in "$top"/tests/fuzz/fuzz_*.c; do
    name=$(basename "$source" .c)
    name=${name#fuzz_}
    [ "$wanted" = all ] || [ "$wanted" = "$name" ] || continue
    # shellcheck disable=SC2086
    clang -std=c11 -D_GNU_SOURCE -g -O1 -fsanitize=fuzzer,$sanitizers -I"$top/src" \
        -I"$top/tests/fuzz" -include config.h "$source" "$top/tests/fuzz/string.c" $libs \
        -o "fuzz_$name"
    mkdir -p "corpus/$name"
    echo "== $name: $seconds s"
    "./fuzz_$name" -max_total_time="$seconds" -print_final_stats=1 -max_len=4096 -verbosity=0 \
        "corpus/$name" "$top/tests/fuzz/corpus/$name"
    found=$name
done
[ -n "${found:-}" ] || {
    echo "dev: no fuzz target '$wanted'" >&2
    exit 1
}
