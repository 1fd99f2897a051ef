# lib.sh - sourced by the checks: where the tree is, which files count, C without its comments.
# A check prints "file:line: what is wrong" for each finding and exits 1, or prints nothing.
LC_ALL=C
export LC_ALL
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top" || exit 2

c_files() {
    find "${@:-src}" -name '*.[ch]' -type f | sort | while read -r found; do
        IFS= read -r first <"$found"
        case $first in '/* Generated '*) ;; *) printf '%s\n' "$found" ;; esac # a build in the tree
    done
}

# code FILE: the file with comments and the insides of strings blanked, line by line.
code() {
    awk '
    {
        out = ""
        n = length($0)
        for (i = 1; i <= n; i++) {
            c = substr($0, i, 1)
            two = substr($0, i, 2)
            if (comment) {
                if (two == "*/") { comment = 0; i++ }
            } else if (quote != "") {
                if (c == "\\") i++
                else if (c == quote) { quote = ""; out = out c }
            } else if (two == "/*") {
                comment = 1
                i++
            } else if (two == "//") {
                break
            } else {
                if (c == "\"" || c == "\047") quote = c
                out = out c
            }
        }
        quote = ""
        print out
    }' "$1"
}

# verdict FINDINGS: print them and fail when there are any.
verdict() {
    [ -z "$1" ] && exit 0
    printf '%s\n' "$1"
    exit 1
}
