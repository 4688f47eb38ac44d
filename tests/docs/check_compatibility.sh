#!/bin/sh
# The tests that docs/compatibility.md names are there: each file, and in it each test that is named
# behind it in brackets.
cd "${top_srcdir:-$(dirname "$0")/../..}" || exit 1
awk -F'`' '
function path_of(word, short) {
    short = substr(word, 1, index(word, "/"))
    return short in at ? at[short] substr(word, length(short) + 1) : ""
}
function is_there(path, line) {
    return (getline line <path) >= 0 && close(path) == 0
}
function has(path, name, line, found) {
    while (!found && (getline line <path) > 0)
        found = index(line, name)
    close(path)
    return found
}
function complain(what) {
    printf "docs/compatibility.md:%d: %s\n", NR, what
    failed++
}
BEGIN {
    at["api/"] = "tests/unit/api/"
    at["transports/"] = "tests/unit/transports/"
    at["sdp/"] = "tests/unit/sdp/"
    at["media/"] = "tests/unit/media/"
    at["plugins/"] = "tests/unit/plugins/"
    at["sim/"] = "tests/sim/"
    at["e2e/"] = "tests/e2e/cases/"
    at["tests/"] = "tests/"
}
{
    path = ""
    for (i = 2; i <= NF; i += 2) {
        if ($i ~ /^[a-z0-9]+\/[a-z0-9_\/-]*\.[a-z]+$/ && path_of($i) != "") {
            path = path_of($i)
            inside = 0
            checked++
            if (!is_there(path))
                complain("there is no " path)
        } else if (path != "" && $i ~ /^[a-z0-9_]+$/ && ($(i - 1) == " (" || (inside && $(i - 1) == ", "))) {
            inside = 1
            checked++
            if (!has(path, $i))
                complain(path " has no " $i)
        } else {
            path = ""
        }
    }
}
END {
    printf "compatibility.md: %d passed, %d failed\n", checked - failed, failed
    exit failed > 0 || checked < 100
}' docs/compatibility.md
