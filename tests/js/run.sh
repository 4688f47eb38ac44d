#!/bin/sh
# Tests of html/sluice.js in Node.js, with a fake server and a fake browser.
dir="${top_srcdir:-$(dirname "$0")/../..}/tests/js"

if ! command -v node >/dev/null; then
    echo "SKIP: node is not installed (Debian: nodejs)"
    exit 77
fi
exec node --test "$dir"/*.test.mjs
