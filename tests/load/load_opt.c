#include "load_opt.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: load CASE [options]\n"
    "cases:\n"
    "  webinar --viewers N      one publisher, N subscribers\n"
    "  conference --peers N     N peers that publish and subscribe to all others\n"
    "  simulcast --viewers N    one publisher of three layers\n"
    "  loss --viewers N --loss PERCENT   receivers lose packets and ask for them again\n"
    "  capped --viewers N --capped K --cap-kbps R   K more receivers read no faster than R\n"
    "  churn --viewers N --rate R --stay S   R joins per second beside N who stay\n"
    "  instant --viewers N      N joins within S seconds: first key frames, requests for more\n"
    "  instant-simulcast        the same, of three layers\n"
    "    --guests               to publisher 1000 of room 4242, who is somebody else\n"
    "  joins --in-flight K      as many complete joins as possible\n"
    "  idle --peers N [--data]  memory of N subscribers without media\n"
    "  sessions --sockets K --sessions N   memory of N sessions on K WebSockets, then of handles\n"
    "against:\n"
    "  --server PATH            sluice, started here; -o group.key=value for its options\n"
    "  --janus[=PATH]           Debian's janus, started here; --event-loops N (0: its default)\n"
    "  --floor PATH             the bare forwarder; --method gso|sendmmsg|sendto\n"
    "  --url ADDRESS:PORT --pid PID   one that runs already: its WebSocket\n"
    "  --bind ADDRESS           of the peers, where it has no candidate on loopback\n"
    "options:\n"
    "  --seconds S (5)  --settle S (1)  --profile gcm|sha1_80  --spread MICROSECONDS\n"
    "  --rooms R (1)            so many of them, each with its publishers; N viewers are spread "
    "over them\n"
    "  --loudest N              the rooms forward the audio of so many speakers; all speak\n"
    "  --kbps N (1500)  --fps N (30)  --audio-bytes N (100; 0: none)  --nack  --twcc\n"
    "  --strict                 exit 1 unless packets arrived, and all of them\n";

enum opt {
    OPT_VIEWERS = 256,
    OPT_PEERS,
    OPT_CAPPED,
    OPT_SOCKETS,
    OPT_SESSIONS,
    OPT_ROOMS,
    OPT_LOUDEST,
    OPT_SECONDS,
    OPT_SETTLE,
    OPT_STAY,
    OPT_RATE,
    OPT_IN_FLIGHT,
    OPT_SPREAD,
    OPT_KBPS,
    OPT_FPS,
    OPT_AUDIO_BYTES,
    OPT_NACK,
    OPT_TWCC,
    OPT_DATA,
    OPT_LOSS,
    OPT_CAP_KBPS,
    OPT_PROFILE,
    OPT_SERVER,
    OPT_JANUS,
    OPT_EVENT_LOOPS,
    OPT_FLOOR,
    OPT_METHOD,
    OPT_URL,
    OPT_PID,
    OPT_BIND,
    OPT_GUESTS,
    OPT_STRICT,
};

static const struct option options[] = {
    { "viewers", required_argument, NULL, OPT_VIEWERS },
    { "peers", required_argument, NULL, OPT_PEERS },
    { "capped", required_argument, NULL, OPT_CAPPED },
    { "sockets", required_argument, NULL, OPT_SOCKETS },
    { "sessions", required_argument, NULL, OPT_SESSIONS },
    { "rooms", required_argument, NULL, OPT_ROOMS },
    { "loudest", required_argument, NULL, OPT_LOUDEST },
    { "seconds", required_argument, NULL, OPT_SECONDS },
    { "settle", required_argument, NULL, OPT_SETTLE },
    { "stay", required_argument, NULL, OPT_STAY },
    { "rate", required_argument, NULL, OPT_RATE },
    { "in-flight", required_argument, NULL, OPT_IN_FLIGHT },
    { "spread", required_argument, NULL, OPT_SPREAD },
    { "kbps", required_argument, NULL, OPT_KBPS },
    { "fps", required_argument, NULL, OPT_FPS },
    { "audio-bytes", required_argument, NULL, OPT_AUDIO_BYTES },
    { "nack", no_argument, NULL, OPT_NACK },
    { "twcc", no_argument, NULL, OPT_TWCC },
    { "data", no_argument, NULL, OPT_DATA },
    { "loss", required_argument, NULL, OPT_LOSS },
    { "cap-kbps", required_argument, NULL, OPT_CAP_KBPS },
    { "profile", required_argument, NULL, OPT_PROFILE },
    { "server", required_argument, NULL, OPT_SERVER },
    { "janus", optional_argument, NULL, OPT_JANUS },
    { "event-loops", required_argument, NULL, OPT_EVENT_LOOPS },
    { "floor", required_argument, NULL, OPT_FLOOR },
    { "method", required_argument, NULL, OPT_METHOD },
    { "url", required_argument, NULL, OPT_URL },
    { "pid", required_argument, NULL, OPT_PID },
    { "bind", required_argument, NULL, OPT_BIND },
    { "guests", no_argument, NULL, OPT_GUESTS },
    { "strict", no_argument, NULL, OPT_STRICT },
    { NULL, 0, NULL, 0 },
};

static bool is_number_in(const char *text, double low, double high, double *out)
{
    char *end;

    *out = strtod(text, &end);
    return end != text && !*end && *out >= low && *out <= high;
}

static bool take_count(const char *text, double low, double high, unsigned int *out)
{
    double v;

    if (!is_number_in(text, low, high, &v))
        return false;
    *out = (unsigned int)v;
    return true;
}

static bool take_profile(struct load_opts *o, const char *text)
{
    o->server.profile = text;
    o->profile = strcmp(text, "gcm") == 0       ? SL_SRTP_AEAD_AES_128_GCM
                 : strcmp(text, "sha1_80") == 0 ? SL_SRTP_AES128_CM_SHA1_80
                                                : SL_SRTP_NONE;
    return o->profile != SL_SRTP_NONE;
}

static bool take_server(struct load_opts *o, enum load_kind kind, const char *program)
{
    o->server.kind = kind;
    o->server.program = program;
    return true;
}

static bool take_sluice_option(struct load_opts *o, const char *text)
{
    if (o->server.noptions == LOAD_ARGS_MAX)
        return false;
    o->server.options[o->server.noptions++] = text;
    return true;
}

/* What there is how much of. */
static bool take_amount(struct load_opts *o, int c, const char *v)
{
    double d = 0;

    switch (c) {
    case OPT_VIEWERS:
        return take_count(v, 0, 4000, &o->viewers);
    case OPT_PEERS:
        return take_count(v, 1, 4000, &o->peers);
    case OPT_CAPPED:
        return take_count(v, 0, 1000, &o->capped);
    case OPT_SOCKETS:
        return take_count(v, 1, 4000, &o->sockets);
    case OPT_SESSIONS:
        return take_count(v, 1, 1000000, &o->sessions);
    case OPT_ROOMS:
        return take_count(v, 1, 100, &o->rooms);
    case OPT_LOUDEST:
        return take_count(v, 0, 4000, &o->loudest);
    case OPT_IN_FLIGHT:
        return take_count(v, 1, 1000, &o->in_flight);
    case OPT_SPREAD:
        return take_count(v, 0, 5000, &o->tx.spread_us);
    case OPT_KBPS:
        return take_count(v, 20, 8000, &o->tx.video_kbps);
    case OPT_FPS:
        return take_count(v, 1, 120, &o->tx.fps);
    case OPT_AUDIO_BYTES:
        return take_count(v, 0, 500, &o->tx.audio_bytes);
    case OPT_CAP_KBPS:
        return take_count(v, 1, 100000, &o->cap_kbps);
    case OPT_SECONDS:
        return is_number_in(v, 0.1, 3600, &o->seconds);
    case OPT_SETTLE:
        return is_number_in(v, 0, 600, &o->settle);
    case OPT_STAY:
        return is_number_in(v, 0.1, 600, &o->stay);
    case OPT_RATE:
        return is_number_in(v, 0.1, 10000, &o->rate);
    case OPT_LOSS:
        return is_number_in(v, 0, 90, &o->loss_percent);
    case OPT_EVENT_LOOPS:
        o->server.event_loops = is_number_in(v, 0, 64, &d) ? (int)d : -1;
        return o->server.event_loops >= 0;
    case OPT_PID:
        o->pid = is_number_in(v, 1, 1e9, &d) ? (pid_t)d : 0;
        return o->pid > 0;
    default:
        return false;
    }
}

static bool take(struct load_opts *o, int c, const char *v)
{
    switch (c) {
    case 'o':
        return take_sluice_option(o, v);
    case OPT_NACK:
        return o->nack = true;
    case OPT_TWCC:
        return o->twcc = true;
    case OPT_DATA:
        return o->data = true;
    case OPT_GUESTS:
        return o->guests = true;
    case OPT_STRICT:
        return o->is_strict = true;
    case OPT_PROFILE:
        return take_profile(o, v);
    case OPT_SERVER:
        return take_server(o, LOAD_SLUICE, v);
    case OPT_JANUS:
        return take_server(o, LOAD_JANUS, v ? v : "/usr/bin/janus");
    case OPT_FLOOR:
        return take_server(o, LOAD_FLOOR, v);
    case OPT_METHOD:
        o->server.method = v;
        return true;
    case OPT_URL:
        o->url = v;
        return true;
    case OPT_BIND:
        o->bind = v;
        return true;
    default:
        return take_amount(o, c, v);
    }
}

int load_opts_parse(struct load_opts *o, int argc, char **argv)
{
    int c;

    *o = (struct load_opts){ .viewers = 10,
                             .peers = 5,
                             .sockets = 100,
                             .sessions = 10000,
                             .rooms = 1,
                             .seconds = 5,
                             .settle = 1,
                             .stay = 2,
                             .rate = 20,
                             .in_flight = 16,
                             .tx = { 30, 1500, 100, 0 },
                             .cap_kbps = 500,
                             .server = { .method = "gso" } };
    (void)take_profile(o, "gcm");
    while ((c = getopt_long(argc, argv, "o:", options, NULL)) != -1)
        if (c == '?' || !take(o, c, optarg)) {
            fputs(usage, stderr);
            return 2;
        }
    if (optind != argc - 1 || (!o->server.program && !o->url)) {
        fputs(usage, stderr);
        return 2;
    }
    o->name = argv[optind];
    return 0;
}
