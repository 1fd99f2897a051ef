#!/bin/sh
# banned.sh - calls and words that only core/ may use, or nobody; who may own a mutex.
. "$(dirname "$0")/lib.sh"

# words | files that may (extended regex on the path below src/)
table='
strcpy|strcat|sprintf|vsprintf|atoi|atol|atof|strtol|strtoul|strtoll|strtok	^core/
malloc|realloc|system|rand|sleep|usleep	^core/
gets|alloca|pthread_cancel	^$
pthread_detach	^core/thread\.c$
exit|_exit|abort	^(main\.c|core/)
pthread_mutex_[a-z]+|pthread_cond_[a-z]+	^core/(queue|slot|log)\.c$
doupdate	^ui/loop\.c$
__attribute__	^core/attr\.h$
'
verdict "$(c_files src | while read -r f; do
    code "$f" | awk -v f="$f" -v table="$table" '
    BEGIN {
        n = split(table, rows, "\n")
        for (i = 1; i <= n; i++)
            if (split(rows[i], w, "\t") == 2 && substr(f, 5) !~ w[2]) words = words "|" w[1]
        words = "(^|[^A-Za-z0-9_.>])(" substr(words, 2) ") *\\("
    }
    match($0, words) {
        what = substr($0, RSTART, RLENGTH)
        gsub(/[^A-Za-z0-9_]/, "", what)
        print f ":" NR ": " what "() may not be used here"
    }'
done)"
