#!/bin/sh
# A webinar of five viewers for two seconds against the server just built, and the same against the
# bare forwarder: all packets arrive, or it fails. And idle sessions and peer
# connections, which must stay small.
set -u
dir=$top_builddir
passed=0 failed=0

try() {
    if "$dir/tests/load/load" --strict "$@" >/dev/null
    then passed=$((passed + 1)); else failed=$((failed + 1)); echo "failed: $*"; fi
}

webinar() {
    try webinar --viewers 5 --seconds 2 --settle 0.5 "$@"
}

webinar --server "$dir/sluice"
webinar --server "$dir/sluice" --profile sha1_80 --twcc
webinar --floor "$dir/tests/bench/floor/floor"
try sessions --sockets 20 --sessions 2000 --server "$dir/sluice"
try idle --peers 60 --settle 0 --server "$dir/sluice"
echo "load: $passed passed, $failed failed"
test "$failed" -eq 0
