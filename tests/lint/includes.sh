#!/bin/sh
# includes.sh - dependencies go one way. The table is the architecture: room, rooms it may include.
. "$(dirname "$0")/lib.sh"

edges='
core:   core
kafka:  core kafka
decode: core decode
stats:  core stats
filter: core filter decode
sinks:  core sinks
browse: core kafka decode filter stats sinks browse
keys:   core kafka decode filter stats sinks keys
lag:    core kafka decode filter stats sinks lag
replay: core kafka decode filter stats sinks replay
lint:   core kafka decode filter stats sinks lint keys
ui:     core kafka decode filter stats sinks browse keys lag replay lint ui
cli:    core kafka decode filter stats sinks browse keys lag replay lint cli
main:   core kafka decode filter stats sinks browse keys lag replay lint ui cli
'
# Sideways or upwards, each for a reason that HACKING.md gives: file, header.
exceptions='
sinks/kafka.c kafka/producer.h
sinks/kafka_read.c kafka/producer.h
lint/auto_commit.c lag/commits.h
'
# Libraries that one room alone may include: pattern of the header, the files that may.
libraries='
librdkafka/       ^kafka/
n?curses(w/|\.h)  ^ui/
panel\.h          ^ui/
cJSON             ^core/json\.[ch]$
ini\.h            ^core/conf\.c$
libpq-fe|sqlite3\.h|hiredis  ^sinks/
curl/             ^sinks/
(^|/)jq\.h|jv\.h  ^(filter|core)/
'

verdict "$(c_files src | while read -r f; do
    printf 'FILE %s\n' "${f#src/}"
    grep -n '^ *# *include' "$f"
done | awk -v edges="$edges" -v exceptions="$exceptions" -v libraries="$libraries" '
BEGIN {
    n = split(edges, rows, "\n")
    for (i = 1; i <= n; i++) {
        m = split(rows[i], w, /[: ]+/)
        for (j = 2; j <= m; j++) edge[w[1], w[j]] = 1
        if (w[1] != "") room[w[1]] = 1
    }
    n = split(exceptions, rows, "\n")
    for (i = 1; i <= n; i++) except[rows[i]] = 1
    n = split(libraries, rows, "\n")
    for (i = 1; i <= n; i++) if (split(rows[i], w, / +/) == 2) lib[w[1]] = w[2]
}
$1 == "FILE" {
    file = $2
    from = file ~ /\// ? substr(file, 1, index(file, "/") - 1) : "main"
    next
}
{
    line = $0
    sub(/:.*/, "", line)
    if (match($0, /"[^"]+"/)) {
        to = substr($0, RSTART + 1, RLENGTH - 2)
        there = to ~ /\// ? substr(to, 1, index(to, "/") - 1) : from
        if (to == "config.h")
            print "src/" file ":" line ": config.h comes in by -include"
        else if (!(there in room))
            print "src/" file ":" line ": \"" to "\" is in no room of the table"
        else if (!((from, there) in edge) && !((file " " to) in except))
            print "src/" file ":" line ": " from " may not include " to
    } else if (match($0, /<[^>]+>/)) {
        to = substr($0, RSTART + 1, RLENGTH - 2)
        for (p in lib)
            if (to ~ p && file !~ lib[p])
                print "src/" file ":" line ": <" to "> belongs to " lib[p]
    }
}')"
