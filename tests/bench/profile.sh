#!/bin/bash
# profile.sh - where the CPU of a server goes: kernel send, kernel receive, crypto, ours, other.
#
#   profile.sh [-s SECONDS] [-n SYMBOLS] [-c THREAD] PID        a server that runs (10 seconds)
#   profile.sh [-n SYMBOLS] [-c THREAD] COMMAND [ARGUMENT...]   a program until it ends
#   profile.sh [-n SYMBOLS] --script FILE                       what `perf script -F ip,sym,dso` printed
#
# -c looks at the threads of one name only (sl-worker-0); -n: how many symbols per row (8).
# A sample belongs to the first row of the table below that its call chain fits; the kernel's part
# of a send includes the delivery on the loopback, which is shown apart because a network card
# does not have it. Sampling is by cpu-clock, which works in virtual machines too; it cannot look
# into stretches of the kernel that run with interrupts off, and counts them where they end.
# Needs perf (Debian: linux-perf) and the right to use it.
set -u
seconds=10 top=8 script= comms=()

fail() { echo "profile.sh: $*" >&2; exit 3; }
usage() { sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2; }

split() {
    awk -v top="$top" '
    # One sample: self = the innermost frame, chain = all symbols, dso = where self is.
    function row_of() {
        if (is_kernel) {
            if (chain ~ / (__x64_sys_|__sys_|do_sys_|__arm64_sys_)?send(m?msg|to)? /) {
                if (chain ~ / (__netif_receive_skb|__netif_receive_skb_one_core|process_backlog) /)
                    return "kernel send: delivery on loopback"
                return "kernel send"
            }
            if (chain ~ / (__x64_sys_|__sys_|do_sys_|do_|__arm64_sys_)?recv(m?msg|from)? /)
                return "kernel receive"
            if (chain ~ / (net_rx_action|__netif_receive_skb|__netif_receive_skb_one_core) /)
                return "kernel receive"
            if (chain ~ /epoll|eventfd|futex|schedule|poll_/)
                return "kernel wait and wake"
            return "kernel other"
        }
        if (dso ~ /libcrypto|libssl|libsrtp|libnss|libfreebl|libgcrypt|libgnutls|libnettle/)
            return "crypto"
        if (dso ~ /libc[.-]|\[vdso\]|ld-linux/)
            return "C library"
        if (dso ~ /\/lib[a-z0-9_+-]*[-.0-9]*\.so/ && dso !~ /sluice/)
            return "other libraries"
        return "ours"
    }
    function finish(   r) {
        if (!depth)
            return
        r = row_of(); samples++; row[r]++; sym[r SUBSEP self " (" short "]"]++
        depth = 0
    }
    NF == 0 { finish(); next }
    {
        name = $2; sub(/\+0x[0-9a-f]+$/, "", name)
        if (!depth++) {
            self = name; chain = " "; dso = $NF
            gsub(/^\(|\)$/, "", dso)
            is_kernel = dso ~ /\[kernel|\[guest\.kernel|\.ko/ || $1 ~ /^ffff/
            short = dso; sub(/.*\//, "", short); sub(/^\[/, "", short); sub(/\]$/, "", short)
        }
        chain = chain name " "
    }
    END {
        finish()
        if (!samples) { print "no samples" > "/dev/stderr"; exit 1 }
        n = split("kernel send|kernel send: delivery on loopback|kernel receive|" \
                  "kernel wait and wake|kernel other|crypto|ours|C library|other libraries", order, "|")
        printf "%-36s %8s %8s\n", "cpu", "percent", "samples"
        json = "{\"bench\":\"profile\",\"samples\":" samples
        for (i = 1; i <= n; i++) {
            r = order[i]
            printf "%-36s %7.1f%% %8d\n", r, 100 * row[r] / samples, row[r]
            json = json sprintf(",\"%s\":%.1f", r, 100 * row[r] / samples)
        }
        for (i = 1; i <= n; i++) {
            r = order[i]
            if (!row[r]) continue
            printf "\n%s\n", r
            for (k = 0; k < top; k++) {
                best = ""
                for (s in sym) {
                    split(s, part, SUBSEP)
                    if (part[1] == r && (best == "" || sym[s] > sym[best])) best = s
                }
                if (best == "") break
                split(best, part, SUBSEP); label = part[2]; sub(/\]$/, ")", label)
                printf "  %6.1f%%  %s\n", 100 * sym[best] / samples, label
                delete sym[best]
            }
        }
        print "\n" json "}"
    }'
}

while [ $# -gt 0 ]; do
    case $1 in
    -s) [ $# -ge 2 ] || usage; seconds=$2; shift 2 ;;
    -c) [ $# -ge 2 ] || usage; comms=(--comms "$2"); shift 2 ;;
    -n) [ $# -ge 2 ] || usage; top=$2; shift 2 ;;
    --script) [ $# -eq 2 ] || usage; script=$2; shift 2 ;;
    -*) usage ;;
    *) break ;;
    esac
done
if [ -n "$script" ]; then
    split <"$script"
    exit
fi
[ $# -ge 1 ] || usage

command -v perf >/dev/null || fail "perf is not installed (Debian: apt install linux-perf)"
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
perf record -q -e cpu-clock -o "$dir/try" -- true >"$dir/out" 2>&1 ||
    fail "perf may not sample here (kernel.perf_event_paranoid is $(cat \
        /proc/sys/kernel/perf_event_paranoid 2>/dev/null || echo unknown)): $(head -n 1 "$dir/out")"

record=(perf record -q -e cpu-clock -F 1999 -g -o "$dir/data")
if [ $# -eq 1 ] && [[ $1 =~ ^[0-9]+$ ]]; then
    kill -0 "$1" 2>/dev/null || fail "no process $1"
    "${record[@]}" -p "$1" -- sleep "$seconds" >&2 || fail "perf record failed"
else
    "${record[@]}" -- "$@" >&2 # a command that fails has used CPU all the same
    [ -s "$dir/data" ] || fail "perf record failed"
fi
perf script -i "$dir/data" "${comms[@]}" -F ip,sym,dso 2>/dev/null >"$dir/script"
split <"$dir/script"
