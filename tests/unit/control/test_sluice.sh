#!/bin/sh
# The program from outside: options, start, stop. Traffic on the loopback address only.

sluice=${top_builddir:-.}/sluice
port=$((20000 + $$ % 20000))
tmp=$(mktemp -d) || exit 1
pid=
trap '[ -n "$pid" ] && kill "$pid" 2>/dev/null; rm -rf "$tmp"' EXIT
passed=0
failed=0

check() { # name, then a command that must succeed
    name=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $name"
        cat "$tmp/out" "$tmp/err" 2>/dev/null
    fi
}

run() { # exit status wanted, then options
    want=$1
    shift
    "$sluice" "$@" >"$tmp/out" 2>"$tmp/err"
    [ $? -eq "$want" ]
}

says() { # file, pattern
    grep -q -- "$2" "$tmp/$1"
}

lines() { # file, number
    [ "$(wc -l <"$tmp/$1")" -eq "$2" ]
}

start() {
    "$sluice" -o http.bind=127.0.0.1 -o http.port=$port -o websockets.bind=127.0.0.1 \
        -o websockets.port=$((port + 1)) -o media.bind=127.0.0.1 -o media.port=$((port + 2)) \
        -o general.workers=1 -o general.plugins_dir="$tmp/plugins" "$@" >"$tmp/out" 2>"$tmp/err" &
    pid=$!
    for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        says err 'control ready' && return 0
        kill -0 "$pid" 2>/dev/null || return 1
        sleep 0.2
    done
    return 1
}

stop() { # signal
    kill "-$1" "$pid"
    begin=$(date +%s%N)
    wait "$pid"
    status=$?
    pid=
    [ $status -eq 0 ] && [ $(($(date +%s%N) - begin)) -lt 3000000000 ]
}

check "--version" run 0 --version
check "says its version" says out '^sluice [0-9]'
check "--help" run 0 --help
check "lists its keys" says out 'http.port (0 to 65535; 8088)'
check "--check-config" run 0 --check-config
check "--check-config of the sample" run 0 --check-config -c "${top_srcdir:-.}/conf/sluice.conf"
check "--print-config" run 0 --print-config -o http.port=4
check "prints what is in force" says out '^port = 4$'
check "an unknown option" run 1 --nonsense
check "an argument too many" run 1 nonsense
check "a wrong value" run 1 --check-config -o http.port=x
check "in one line" lines err 1
check "that names group and key" says err 'group \[http\], key "port": expects a number'
check "a missing file" run 1 -c "$tmp/none"
check "in one line" lines err 1
check "admin without a secret" run 1 -o admin.enabled=yes
check "that says so" says err 'group \[admin\], key "secret"'
check "nothing to listen on" run 1 -o http.enabled=no -o websockets.enabled=no \
    -o media.bind=127.0.0.1 -o media.port=$((port + 2)) -o general.plugins_dir="$tmp/plugins"
check "that says so" says err 'nobody could reach this server'

check "starts" start
check "a port in use" run 1 -o http.bind=127.0.0.1 -o http.port=$port -o websockets.enabled=no \
    -o media.bind=127.0.0.1 -o media.port=$((port + 12)) -o general.plugins_dir="$tmp/plugins"
check "that says which" says err "^sluice: .*$port"
check "stops at SIGTERM" stop TERM
check "starts again" start
check "stops at SIGINT" stop INT

mkdir "$tmp/plugins"
echo rubbish >"$tmp/plugins/bad.so"
check "refuses to start with a broken plugin" run 1 -o general.plugins_dir="$tmp/plugins" \
    -o media.bind=127.0.0.1 -o media.port=$((port + 2))
check "and says which" says err 'cannot load plugin: .*bad.so'

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
