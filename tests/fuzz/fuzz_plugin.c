/*
 * fuzz_plugin.c - what clients ask of a plugin, in any order: it keeps to the contract that
 * src/mock checks (one answer to each request, descriptions that fit), ends with nothing left, and
 * touches nothing that is gone. A program for each plugin.
 *
 * The input is lines: a digit, the client; a letter, what it does; and for a request its JSON.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "fuzz.h"
#include "mock/mock_state.h"

#define CLIENTS 8
#define LINES   100

extern const struct sl_plugin sl_plugin;

static sl_hid client[CLIENTS];

/* ---- descriptions ---------------------------------------------------------------------------- */

static const struct sl_jsep_in *offer_of(char what)
{
    switch (what) {
    case 'o':
        return MOCK_OFFER("audio 0 opus", "video 1 vp8");
    case 's':
        return MOCK_OFFER("audio 0 opus red", "video 1 vp8 vp9/0 sim", "data 2");
    case 'v':
        return MOCK_OFFER("audio 0 opus rejected", "video 1 h264/42e01f recv", "data 2");
    case 'w':
        return MOCK_OFFER("audio 0 pcmu opus recv", "video 1 vp9 svc=L3T3 sendrecv", "data 2",
                          "video 3 av1");
    case 'd':
        return MOCK_OFFER("data 0");
    default:
        return NULL;
    }
}

/* The core refuses an offer whose m-lines are others than before. */
static const struct sl_jsep_in *offer_to(const struct handle *hd, char what)
{
    const struct sl_jsep_in *offer = offer_of(what);

    if (!offer || offer->nlines < hd->nlines)
        return NULL;
    for (size_t i = 0; i < hd->nlines; i++)
        if (hd->lines[i].want.kind != offer->lines[i].kind)
            return NULL;
    return hd->has_pc ? mock_update(offer, false) : offer;
}

static bool has_data(const struct handle *hd)
{
    for (size_t i = 0; i < hd->nlines; i++)
        if (hd->lines[i].want.kind == SL_KIND_DATA && !hd->lines[i].want.rejected)
            return true;
    return false;
}

/* ---- what clients do ------------------------------------------------------------------------- */

/* A new object without what would make a plugin talk to other machines; NULL: it is none. */
static json_t *request_of(const char *text, size_t len)
{
    json_t *j = json_loadb(text, len, 0, NULL);

    if (!json_is_object(j)) {
        json_decref(j);
        return NULL;
    }
    json_object_del(j, "post");
    return j;
}

static void admin(json_t *request)
{
    if (request && sl_plugin.admin)
        json_decref(sl_plugin.admin(request));
    json_decref(request);
}

static void request(sl_hid h, json_t *body, const struct sl_jsep_in *jsep)
{
    if (body)
        mock_try(h, body, jsep);
}

static void message(sl_hid h, const char *text, size_t len)
{
    json_t *j = request_of(text, len);
    char *dump = j ? json_dumps(j, 0) : NULL;

    mock_data(h, "JanusDataChannel", "", len & 1, dump ? dump : text, dump ? strlen(dump) : len);
    free(dump);
    json_decref(j);
}

static void act(sl_hid *who, char what, const char *text, size_t len)
{
    const sl_hid h = *who;
    struct handle *hd = mock_handle(h);

    switch (what) {
    case 'X':
        mock_detach(h);
        *who = 0;
        break;
    case 'T':
        mock_run((uint32_t)len * 100);
        break;
    case 'U':
        if (hd->has_pc && !hd->up)
            mock_up(h);
        break;
    case 'D':
        mock_down(h, "ICE failed");
        break;
    case 'R':
        mock_roll_back(h);
        break;
    case 'Q':
        if (sl_plugin.query)
            json_decref(sl_plugin.query(h, hd->state));
        break;
    case 'A':
        admin(request_of(text, len));
        break;
    case 'M':
        if (hd->up && has_data(hd) && sl_plugin.on_data)
            message(h, text, len);
        break;
    case 'a':
        request(h, request_of(text, len), hd->awaits_answer ? mock_answer(h) : NULL);
        break;
    default:
        request(h, request_of(text, len), offer_to(hd, what));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *p = (const char *)data, *end = p + size;

    FUZZ_CHECK(mock_start(&sl_plugin, NULL) == 0);
    memset(client, 0, sizeof(client));
    for (int i = 0; i < LINES && end - p >= 2; i++) {
        const char *nl = memchr(p, '\n', (size_t)(end - p)), *stop = nl ? nl : end;
        sl_hid *who = &client[(unsigned char)*p % CLIENTS];

        if (stop - p >= 2) {
            if (!*who)
                *who = mock_attach();
            act(who, p[1], p + 2, (size_t)(stop - p) - 2);
            mock_run(0);
        }
        p = nl ? nl + 1 : end;
    }
    mock_stop();
    return 0;
}
