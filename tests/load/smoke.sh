#!/bin/sh
# A webinar of five viewers for two seconds against the server just built, and the same against the
# bare forwarder: all packets arrive, or it fails.
set -u
dir=$top_builddir
passed=0 failed=0

try() {
    if "$dir/tests/load/load" webinar --viewers 5 --seconds 2 --settle 0.5 --strict "$@" >/dev/null
    then passed=$((passed + 1)); else failed=$((failed + 1)); echo "failed: $*"; fi
}

try --server "$dir/sluice"
try --server "$dir/sluice" --profile sha1_80 --twcc
try --floor "$dir/tests/bench/floor/floor"
echo "load: $passed passed, $failed failed"
test "$failed" -eq 0
