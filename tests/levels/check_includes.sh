#!/bin/sh
# No folder includes one of a higher level; plugins see only what is installed, transports
# level 0 beside that (ARCHITECTURE.md, "Levels"). The linker sees calls, this sees types and inline
# functions too.
# Usage: check_includes.sh SOURCE_DIR
cd "${1:-.}" || exit 1
find src plugins include -name '*.[ch]' -exec awk '
BEGIN {
    n = split("base:0 net:1 rtp:1 rtcp:1 sdp:1 bwe:1 stats:1 dtls:2 srtp:2 ice:2 sctp:2 media:3 " \
              "peer:4 relay:4 worker:5 pc:6 event:6 api:7 plugin:7 control:8", rows, " ")
    for (i = 1; i <= n; i++) {
        split(rows[i], row, ":")
        level[row[1]] = row[2] + 0
    }
}
FNR == 1 {
    split(FILENAME, at, "/")
    own = at[1] == "src" ? at[2] : at[1]
    allowed = own in level ? level[own] : own == "transports" ? 0 : -1
    files++
}
/^[ \t]*#[ \t]*include[ \t]*"[a-z0-9_]+\// {
    split($0, quoted, "\"")
    split(quoted[2], to, "/")
    if (to[1] in level && level[to[1]] > allowed) {
        printf "%s:%d: includes %s, which is above %s\n", FILENAME, FNR, quoted[2], own
        failed++
    }
}
END {
    printf "check-includes: %d passed, %d failed\n", files - failed, failed
    exit failed > 0
}' {} +
