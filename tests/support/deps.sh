#!/bin/sh
# deps.sh - install what is missing, quietly. Called by ./dev; not meant to be run by hand.
#
#   deps.sh build          compiler, autotools and the libraries the program links
#   deps.sh test           the above, the test tools, the services and their Java parts
#   deps.sh opensearch     only the OpenSearch archive; elasticsearch likewise
#   deps.sh connect        a Kafka Connect JDBC sink, for ./dev bench replay
#   deps.sh fuzz           the above build packages and clang
#
# Exit 0 when everything is there, 1 with one clear line on stderr otherwise.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/eventscope

build_packages='gcc libc6-dev make autoconf automake pkg-config xz-utils
librdkafka-dev libncurses-dev libcjson-dev libinih-dev libpcre2-dev libxxhash-dev
libjq-dev libonig-dev libsqlite3-dev libpq-dev libhiredis-dev libcurl4-openssl-dev
libssl-dev'
test_packages='libcmocka-dev python3 python3-pytest python3-pexpect python3-pyte
kcat jq tmux valgrind strace openssl unzip procps sqlite3
default-jdk-headless maven postgresql postgresql-client redis-server redis-tools'

die() {
    printf 'dev: %s\n' "$*" >&2
    exit 1
}

missing() {
    for p in "$@"; do
        case $(dpkg-query -W -f '${Status}' "$p" 2>/dev/null) in
        *' ok installed') ;;
        *) printf '%s ' "$p" ;;
        esac
    done
}

apt() {
    command -v dpkg-query >/dev/null 2>&1 ||
        die 'this is not a Debian system: install by hand what README.md lists'
    # shellcheck disable=SC2086,SC2048
    want=$(missing $*)
    [ -n "$want" ] || return 0
    if [ "$(id -u)" = 0 ]; then
        as_root=
    elif command -v sudo >/dev/null 2>&1; then
        as_root=sudo
    else
        die "neither root nor sudo: ask for apt-get install $want"
    fi
    printf 'dev: installing %s\n' "$want" >&2
    log=$(mktemp)
    run="$as_root env DEBIAN_FRONTEND=noninteractive apt-get -y -q"
    # shellcheck disable=SC2086
    if ! { $run install --no-install-recommends $want || { $run update &&
        $run install --no-install-recommends $want; }; } >"$log" 2>&1 </dev/null; then
        why=$(grep -E '^E:|sudo:' "$log" | tail -n 1)
        die "apt-get could not install $want: ${why:-see $log}"
    fi
    rm -f "$log"
}

# mvn ARGS...: Maven, with one line of its reason when it fails.
maven() {
    log=$(mktemp)
    if ! mvn -q -B "$@" >"$log" 2>&1 </dev/null; then
        why=$(grep -oEm 1 'Could not transfer.*|Unknown host.*|Connection [a-z]+.*' "$log" ||
            grep -m 1 ERROR "$log")
        why=$(printf '%s' "$why" | sed 's/\x1b\[[0-9;]*m//g' | cut -c 1-250)
        die "Maven could not fetch it: ${why:-see $log}"
    fi
    rm -f "$log"
}

# Everything is fetched into a temporary neighbour and renamed: an interrupted run leaves no half.
kafka_libs() {
    version=$(sed -n 's/.*<kafka.version>\(.*\)<.*/\1/p' "$here/pom.xml")
    libs=$cache/kafka-$version
    [ -d "$libs" ] && return 0
    printf 'dev: fetching Apache Kafka %s\n' "$version" >&2
    mkdir -p "$cache"
    tmp=$(mktemp -d "$cache/tmp.XXXXXX")
    maven -f "$here/pom.xml" dependency:copy-dependencies "-DoutputDirectory=$tmp/libs"
    mv "$tmp/libs" "$libs" 2>/dev/null || [ -d "$libs" ]
    rm -rf "$tmp"
}

# search_zip NAME VERSION TITLE
search_zip() {
    zip=$cache/$1-$2.zip
    [ -f "$zip" ] && return 0
    printf 'dev: fetching %s %s\n' "$3" "$2" >&2
    mkdir -p "$cache"
    tmp=$(mktemp -d "$cache/tmp.XXXXXX")
    maven -f "$here/pom.xml" dependency:copy "-DoutputDirectory=$tmp" \
        "-Dartifact=org.$1.distribution.integ-test-zip:$1:$2:zip"
    mv "$tmp/$1"-*.zip "$zip"
    rm -rf "$tmp"
}

opensearch_zip() {
    search_zip opensearch 2.19.1 OpenSearch
}

elasticsearch_zip() {
    search_zip elasticsearch 8.15.0 Elasticsearch
}

# Without the jars that a worker has itself: two of a kind clash.
connect_libs() {
    version=$(sed -n 's/.*<connector.version>\(.*\)<.*/\1/p' "$here/connect.xml")
    libs=$cache/connect-jdbc-$version
    [ -d "$libs" ] && return 0
    printf 'dev: fetching a JDBC sink for Kafka Connect %s\n' "$version" >&2
    mkdir -p "$cache"
    tmp=$(mktemp -d "$cache/tmp.XXXXXX")
    maven -f "$here/connect.xml" dependency:copy-dependencies "-DoutputDirectory=$tmp/libs/sink"
    rm -f "$tmp"/libs/sink/jackson-* "$tmp"/libs/sink/slf4j-* "$tmp"/libs/sink/log4j-* \
        "$tmp"/libs/sink/kafka-clients-* "$tmp"/libs/sink/connect-*
    mv "$tmp/libs" "$libs" 2>/dev/null || [ -d "$libs" ]
    rm -rf "$tmp"
}

case ${1:-test} in
connect) connect_libs ;;
build) apt "$build_packages" ;;
kafka)
    apt "$build_packages $test_packages"
    kafka_libs
    ;;
test)
    apt "$build_packages $test_packages"
    kafka_libs
    opensearch_zip
    elasticsearch_zip
    ;;
opensearch) opensearch_zip ;;
elasticsearch) elasticsearch_zip ;;
fuzz) apt "$build_packages $test_packages clang" ;;
*) die "deps: unknown set '$1' (build, kafka, connect, test, fuzz)" ;;
esac
