#!/bin/sh
# sizes.sh - file <= 500 lines, function <= 60 lines, line <= 100 columns, nesting <= 4.
. "$(dirname "$0")/lib.sh"

verdict "$(
{ c_files src tests; find tests -name '*.py' -o -name '*.java' -o -name '*.sh'; echo dev; } |
    sort | while read -r f; do
    awk -v f="$f" '
        { gsub(/[\200-\277]/, "") } # bytes that continue a UTF-8 character
        length($0) > 100 { print f ":" NR ": " length($0) " columns, the limit is 100" }
        END { if (NR > 500) print f ":" NR ": " NR " lines, the limit is 500" }' "$f"
done
c_files src tests | while read -r f; do
    code "$f" | awk -v f="$f" '
        !inside && /^[A-Za-z_].*\(/ && !/;[ ]*$/ {
            name = $0
            sub(/\(.*/, "", name)
            sub(/.*[ *]/, "", name)
        }
        /^\{/ { start = NR; depth = 0; inside = 1 }
        inside {
            text = $0
            starts = !literal && match(text, /=[ ]*\{/) # an initialiser: data, not nesting
            rest = substr(text, RSTART + (RSTART == 0))
            open_ended = gsub(/\{/, "", rest) > gsub(/\}/, "", rest)
            opened = gsub(/\{/, "{", text)
            closed = gsub(/\}/, "}", text)
            depth += opened
            if (depth > 5 && !literal && !starts)
                print f ":" NR ": nesting " depth - 1 " in " name "(), the limit is 4"
            depth -= closed
            if (starts && open_ended) literal = depth
            if (literal && depth < literal) literal = 0
        }
        /^\}/ {
            if (inside && NR - start - 1 > 60)
                print f ":" start ": " name "() has " NR - start - 1 " lines, the limit is 60"
            inside = 0
            literal = 0
        }'
done)"
