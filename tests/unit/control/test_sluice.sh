#!/bin/sh
# The program from outside: options, start, stop. Traffic on the loopback address only.

sluice=${top_builddir:-.}/sluice
port=$((3000 + $$ % 400 * 16)) # below the ephemeral ports
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

launch() { # options: started, for half a minute at most, since machines may be busy
    : >"$tmp/err" # the shell in the background may truncate it too late: what it said before is no sign
    env "--${hup:-default}-signal=HUP" "$sluice" -o http.bind=127.0.0.1 -o http.port=$port \
        -o websockets.bind=127.0.0.1 \
        -o websockets.port=$((port + 1)) -o media.bind=127.0.0.1 -o media.port=$((port + 2)) \
        -o general.workers=1 -o general.plugins_dir="$tmp/plugins" "$@" >"$tmp/out" 2>"$tmp/err" &
    pid=$!
    tries=150
    while [ $tries -gt 0 ]; do
        says err 'control ready' && return 0
        kill -0 "$pid" 2>/dev/null || return 1
        sleep 0.2
        tries=$((tries - 1))
    done
    return 1
}

start() { # options: launched, somewhere else where others are at our ports
    for moves in 1 2 3 4 5 6 7 8; do
        launch "$@" && return 0
        says err 'in use' || return 1
        port=$((3000 + (port - 3000 + 16 * 37) % 6400))
    done
    return 1
}

stop() { # signal
    kill "-$1" "$pid"
    begin=$(date +%s%N)
    wait "$pid"
    status=$?
    pid=
    [ $status -eq 0 ] && [ $(($(date +%s%N) - begin)) -lt 10000000000 ]
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
check "starts a third time" start
check "stops when its terminal goes" stop HUP
hup=ignore
check "starts under nohup" start
kill -HUP $pid
check "stays when its terminal goes" stop TERM
check "and stops at the next signal" says err 'stopping signal=15'
hup=default

# Limits that only the whole program knows. An offer needs no browser: ICE may go on for ever.
ask() { # path, JSON
    curl -s -m 30 -d "$2" "http://127.0.0.1:$port/janus$1"
}

id() { # of an answer
    sed 's/.*"data": *{"id": *\([0-9]*\).*/\1/'
}

offer='v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=rtpmap:111 opus/48000/2\r\na=mid:0\r\na=rtcp-mux\r\na=setup:actpass\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\na=fingerprint:sha-256 00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF\r\n'

call() { # handle: an echo test with one audio line
    ask "/$session/$1" '{"janus":"message","transaction":"t","body":{"audio":true},"jsep":{"type":"offer","sdp":"'"$offer"'"}}'
}

only_one_peer() {
    session=$(ask "" '{"janus":"create","transaction":"t"}' | id)
    [ -n "$session" ] || return 1
    first=$(ask "/$session" '{"janus":"attach","transaction":"t","plugin":"janus.plugin.echotest"}' | id)
    second=$(ask "/$session" '{"janus":"attach","transaction":"t","plugin":"janus.plugin.echotest"}' | id)
    call "$first" >"$tmp/out"
    says out '"ack"' || return 1
    call "$second" >"$tmp/out"
    says out 'No room for another peer connection' || return 1
    ask "/$session/$first" '{"janus":"hangup","transaction":"t"}' >"$tmp/out"
    call "$second" >"$tmp/out"
    says out '"ack"'
}

mkdir "$tmp/plugins"
if command -v curl >/dev/null; then
    cp "${top_builddir:-.}"/plugins/echotest/.libs/echotest.so "$tmp/plugins/"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=test \
        -keyout "$tmp/key.pem" -out "$tmp/cert.pem" 2>/dev/null
    check "starts with limits and an administrator" start -o media.max_peers=1 \
        -o general.max_handles=2 -o http.max_body=4096 -o admin.enabled=yes -o admin.secret=s \
        -o admin.port=0 -o admin.tls_port=$((port + 3)) -o admin.tls_cert="$tmp/cert.pem" \
        -o admin.tls_key="$tmp/key.pem"
    check "media.max_peers" only_one_peer
    ask "/$session" '{"janus":"attach","transaction":"t","plugin":"janus.plugin.echotest"}' >"$tmp/out"
    check "general.max_handles" says out '"error"'
    head -c 5000 /dev/zero | tr '\0' ' ' >"$tmp/body"
    status=$(curl -s -m 30 -o "$tmp/out" -w '%{http_code}' --data-binary @"$tmp/body" \
        "http://127.0.0.1:$port/janus")
    check "http.max_body" [ "$status" = 413 ]
    curl -sk -m 30 -d '{"janus":"list_sessions","transaction":"t","admin_secret":"s"}' \
        "https://127.0.0.1:$((port + 3))/admin" >"$tmp/out"
    check "the administrator over TLS" says out "${session:-no session}"
    check "stops with a peer connection" stop TERM
    rm "$tmp/plugins/echotest.so"
else
    echo "limits of the running program are not tested: there is no curl"
fi

check "a folder of plugins that is not there" run 1 -o general.plugins_dir="$tmp/none" \
    -o media.bind=127.0.0.1 -o media.port=$((port + 2)) -o http.static_dir="$tmp/none"
check "is told, and no reason not to start" says err 'WARN plugin no plugins directory path=.*none'
check "as others are" says err 'http.static_dir'
echo rubbish >"$tmp/plugins/bad.so"
check "refuses to start with a broken plugin" run 1 -o general.plugins_dir="$tmp/plugins" \
    -o media.bind=127.0.0.1 -o media.port=$((port + 2))
check "and says which" says err 'cannot load plugin: .*bad.so'

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
