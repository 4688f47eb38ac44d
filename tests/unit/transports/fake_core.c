#include "fake_core.h"
#include "base/role.h"
#include "transports/http/http.h"
#include "transports/websocket/ws.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define GONE_MAX 4096

const struct sl_transport *fake_lasting = &sl_ws_transport;

struct job {
    struct job *next;
    struct sl_treq req;
};

static struct {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct job *first, **last;
    struct job *held;
    bool end, release;
    enum sl_tstatus status;
    int nheld, released, ngone, nconnected, bad_order, nbad, nmessages;
    sl_conn gone[GONE_MAX];
} fake = { .lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER };

static bool is_gone(sl_conn conn)
{
    for (int i = 0; i < fake.ngone && i < GONE_MAX; i++)
        if (fake.gone[i] == conn)
            return true;
    return false;
}

static void on_request(const struct sl_treq *req)
{
    struct job *j = calloc(1, sizeof(*j));

    if (!j)
        abort();
    j->req = *req;
    pthread_mutex_lock(&fake.lock);
    if (req->conn && is_gone(req->conn))
        fake.bad_order++;
    fake.nbad += req->kind == SL_TREQ_BAD_JSON;
    fake.nmessages += req->kind == SL_TREQ_MESSAGE;
    *fake.last = j;
    fake.last = &j->next;
    pthread_cond_broadcast(&fake.wake);
    pthread_mutex_unlock(&fake.lock);
}

static void on_connected(sl_conn conn, bool admin, const struct sl_tpeer *peer)
{
    pthread_mutex_lock(&fake.lock);
    /* Who broke it off at once has no address any more. */
    if (!conn || is_gone(conn) || (peer && peer->ip && strcmp(peer->ip, "127.0.0.1") != 0))
        fake.bad_order++;
    fake.nconnected++;
    pthread_mutex_unlock(&fake.lock);
}

static void on_gone(sl_conn conn)
{
    pthread_mutex_lock(&fake.lock);
    if (is_gone(conn) || !conn || fake.ngone >= fake.nconnected)
        fake.bad_order++;
    if (fake.ngone < GONE_MAX)
        fake.gone[fake.ngone] = conn;
    fake.ngone++;
    pthread_mutex_unlock(&fake.lock);
}

static void on_log(int level, const char *mod, const char *event, const char *text)
{
}

const struct sl_tcore fake_core = {
    .abi = SL_TRANSPORT_ABI,
    .size = sizeof(struct sl_tcore),
    .request = on_request,
    .gone = on_gone,
    .log = on_log,
    .connected = on_connected,
};

static void answer(const struct sl_treq *r, enum sl_tstatus status, json_t *json)
{
    (r->conn ? fake_lasting : &sl_http_transport)->answer(r->conn, r->tag, status, json);
    json_decref(json);
}

static void free_job(struct job *j)
{
    json_decref(j->req.root);
    free(j);
}

static void hold(struct job *j)
{
    pthread_mutex_lock(&fake.lock);
    j->next = fake.held;
    fake.held = j;
    fake.nheld++;
    pthread_cond_broadcast(&fake.wake);
    pthread_mutex_unlock(&fake.lock);
}

static void poll(struct job *j)
{
    struct sl_treq *r = &j->req;
    json_t *keepalive;

    if (r->session == 30) {
        hold(j);
        return;
    }
    if (r->session == 403 || r->session == 404) {
        answer(r, r->session == 403 ? SL_TSTATUS_FORBIDDEN : SL_TSTATUS_NOT_FOUND, NULL);
    } else {
        keepalive = json_pack("{s:s}", "janus", "keepalive");
        answer(r, SL_TSTATUS_OK, r->maxev > 1 ? json_pack("[o]", keepalive) : keepalive);
    }
    free_job(j);
}

static void push(const struct sl_treq *r)
{
    size_t size = (size_t)json_integer_value(json_object_get(r->root, "size"));
    int count = (int)json_integer_value(json_object_get(r->root, "count"));
    char *text = calloc(1, size + 1);

    if (!text)
        abort();
    memset(text, 'x', size);
    for (int i = 0; i < count; i++) {
        json_t *ev = json_pack("{s:i, s:s}", "n", i, "pad", text);

        fake_lasting->push(r->conn, ev);
        json_decref(ev);
    }
    free(text);
}

static void message(struct job *j)
{
    struct sl_treq *r = &j->req;
    const char *verb = json_string_value(json_object_get(r->root, "janus"));

    if (verb && !strcmp(verb, "hold")) {
        hold(j);
        return;
    }
    answer(r, SL_TSTATUS_OK,
           json_pack("{s:s, s:O, s:I, s:I, s:b, s:b, s:b}", "janus", "echo", "root", r->root,
                     "session", (json_int_t)r->session, "handle", (json_int_t)r->handle, "local",
                     r->local, "admin", r->admin, "conn", r->conn != 0));
    if (verb && !strcmp(verb, "push"))
        push(r);
    free_job(j);
}

static void run_job(struct job *j)
{
    if (j->req.kind == SL_TREQ_POLL) {
        poll(j);
    } else if (j->req.kind == SL_TREQ_BAD_JSON) {
        answer(&j->req, SL_TSTATUS_OK,
               json_pack("{s:s, s:{s:i, s:s}}", "janus", "error", "error", "code", 454, "reason",
                         "Invalid JSON"));
        free_job(j);
    } else {
        message(j);
    }
}

/* Under the lock, which is given up meanwhile. */
static void release_held(void)
{
    struct job *j = fake.held;

    fake.held = NULL;
    fake.released = fake.nheld;
    fake.nheld = 0;
    pthread_mutex_unlock(&fake.lock);
    while (j) {
        struct job *next = j->next;

        answer(&j->req, fake.status,
               fake.status == SL_TSTATUS_OK ? json_pack("{s:s}", "janus", "released") : NULL);
        free_job(j);
        j = next;
    }
    pthread_mutex_lock(&fake.lock);
    fake.release = false;
    pthread_cond_broadcast(&fake.wake);
}

static void *run(void *arg)
{
    sl_role_enter(&sl_role_control);
    pthread_mutex_lock(&fake.lock);
    while (!fake.end) {
        struct job *j = fake.first;

        if (fake.release) {
            release_held();
        } else if (j) {
            fake.first = j->next;
            if (!fake.first)
                fake.last = &fake.first;
            pthread_mutex_unlock(&fake.lock);
            run_job(j);
            pthread_mutex_lock(&fake.lock);
        } else {
            pthread_cond_wait(&fake.wake, &fake.lock);
        }
    }
    pthread_mutex_unlock(&fake.lock);
    sl_role_leave(&sl_role_control);
    return NULL;
}

void fake_start(void)
{
    fake.first = NULL;
    fake.last = &fake.first;
    fake.end = false;
    if (pthread_create(&fake.thread, NULL, run, NULL))
        abort();
}

void fake_stop(void)
{
    (void)fake_release(SL_TSTATUS_CLOSING);
    pthread_mutex_lock(&fake.lock);
    fake.end = true;
    pthread_cond_broadcast(&fake.wake);
    pthread_mutex_unlock(&fake.lock);
    pthread_join(fake.thread, NULL);
    while (fake.first) {
        struct job *j = fake.first;

        fake.first = j->next;
        answer(&j->req, SL_TSTATUS_CLOSING, NULL);
        free_job(j);
    }
}

int fake_release(enum sl_tstatus status)
{
    int n;

    pthread_mutex_lock(&fake.lock);
    fake.status = status;
    fake.release = true;
    pthread_cond_broadcast(&fake.wake);
    while (fake.release)
        pthread_cond_wait(&fake.wake, &fake.lock);
    n = fake.released;
    pthread_mutex_unlock(&fake.lock);
    return n;
}

static int get(const int *v)
{
    int n;

    pthread_mutex_lock(&fake.lock);
    n = *v;
    pthread_mutex_unlock(&fake.lock);
    return n;
}

int fake_held(void)
{
    return get(&fake.nheld);
}

int fake_gone(void)
{
    return get(&fake.ngone);
}

int fake_bad_order(void)
{
    return get(&fake.bad_order);
}

int fake_bad_json(void)
{
    return get(&fake.nbad);
}

int fake_messages(void)
{
    return get(&fake.nmessages);
}

bool fake_wait(int (*count)(void), int n)
{
    for (int i = 0; i < 6000 && count() < n; i++)
        (void)nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
    return count() >= n;
}
