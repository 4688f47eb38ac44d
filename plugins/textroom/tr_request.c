#include "tr_request.h"
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <time.h>

const struct pl_codes tr_codes = { TR_ERR_MISSING, TR_ERR_INVALID, TR_ERR_UNAUTHORIZED };

static const struct request {
    const char *name;
    tr_handler fn;
    bool data_only;
    const char *word; /* `textroom` of success over the message API */
} requests[] = {
    { "join", req_join, true, NULL },
    { "leave", req_leave, true, NULL },
    { "message", req_message, true, NULL },
    { "announcement", req_announcement, false, "success" },
    { "list", req_list, false, "success" },
    { "listparticipants", req_listparticipants, false, "success" },
    { "exists", req_exists, false, "success" },
    { "create", req_create, false, "created" },
    { "edit", req_edit, false, "edited" },
    { "destroy", req_destroy, false, "destroyed" },
    { "allowed", req_allowed, false, "success" },
    { "kick", req_kick, false, "success" },
};

/* ---- arguments ------------------------------------------------------------------------------- */

int tr_arg_room(struct tr_req *r, struct tr_room **out)
{
    struct pl_id id;

    if (tr_arg_id(r, &id) < 0)
        return -1;
    *out = tr_room_find(&id);
    return *out ? 0 : tr_fail(r, TR_ERR_NO_SUCH_ROOM, "No such room (%s)", id.s);
}

int tr_arg_room_secret(struct tr_req *r, struct tr_room **out)
{
    return tr_arg_room(r, out) < 0 ? -1 : tr_arg_secret(r, "secret", (*out)->secret);
}

int tr_arg_member(struct tr_req *r, struct tr_member **out)
{
    struct tr_room *room;

    if (tr_arg_room(r, &room) < 0)
        return -1;
    *out = tr_member_of(r->handle, room);
    return *out ? 0 : tr_fail(r, TR_ERR_NOT_IN, "Not in room %s", room->id.s);
}

int tr_arg_post(struct tr_req *r, const char *name)
{
    const struct sl_arg arg = { name, SL_ARG_STRING, SL_ARG_OPTIONAL, TR_POST_URL_MAX };
    const char *url;

    if (tr_args(r, &arg, 1) < 0)
        return -1;
    url = sl_arg_str(r->body, name, "");
    if (!*url)
        return 0;
    if (!tr_post_is_there() || (r->handle && !tr_conf.post_to))
        return tr_fail(r, TR_ERR_UNKNOWN, "posting of messages is not available");
    if (!tr_url_is_sound(url))
        return tr_fail(r, TR_ERR_INVALID, "Invalid element (%s should be a URL)", name);
    /* Beyond what was allowed there may be servers that trust us for where we are. */
    if (r->handle && (strncmp(url, tr_conf.post_to, strlen(tr_conf.post_to)) != 0 ||
                      strstr(url, "..") || strchr(url, '%')))
        return tr_fail(r, TR_ERR_UNAUTHORIZED, "Unauthorized (%s is not an allowed URL)", name);
    return 0;
}

json_t *tr_date(void)
{
    const time_t now = time(NULL);
    char text[64];
    struct tm tm;

    gmtime_r(&now, &tm);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S+0000", &tm);
    return json_string(text);
}

/* ---- the way of a request -------------------------------------------------------------------- */

/* NULL: the error is set. */
static const struct request *request_find(struct tr_req *r, const char *member)
{
    const struct sl_arg arg = { member, SL_ARG_STRING, SL_ARG_REQUIRED };
    const char *name = sl_arg_str(r->body, member, "");

    if (tr_args(r, &arg, 1) < 0)
        return NULL;
    for (size_t i = 0; i < SL_ARG_COUNT(requests); i++)
        if (strcasecmp(requests[i].name, name) == 0 && (r->over_data || !requests[i].data_only))
            return &requests[i];
    tr_fail(r, TR_ERR_REQUEST, "Unsupported request %.64s", name);
    return NULL;
}

/* The answer, a new object. */
static json_t *request_run(struct tr_req *r, const struct request *request)
{
    r->reply = json_object();
    if (request->fn(r) < 0) {
        json_decref(r->reply);
        return pl_error_json(&r->error, "textroom", "error");
    }
    json_object_set_new(r->reply, "textroom",
                        json_string(r->over_data ? "success" : request->word));
    return r->reply;
}

void tr_request_message(struct tr_handle *h, struct sl_msg *m, const json_t *body,
                        const struct sl_jsep_in *jsep)
{
    struct tr_req r = { .handle = h, .body = body, .error = TR_ERROR_INIT };
    const struct request *request;

    if (tr_setup_request(h, m, sl_arg_str(body, "request", ""), jsep))
        return;
    request = request_find(&r, "request");
    tr_core->reply(m, request ? request_run(&r, request)
                              : pl_error_json(&r.error, "textroom", "event"));
}

json_t *tr_request_admin(const json_t *body)
{
    struct tr_req r = { .body = body, .error = TR_ERROR_INIT };
    const struct request *request = request_find(&r, "request");

    return request ? request_run(&r, request) : pl_error_json(&r.error, "textroom", "event");
}

void tr_request_data(struct tr_handle *h, const char *text, size_t len)
{
    static const struct sl_arg args[] = { { "transaction", SL_ARG_STRING, SL_ARG_REQUIRED } };
    json_t *body = json_loadb(text, len, 0, NULL), *answer;
    struct tr_req r = { .handle = h, .body = body, .error = TR_ERROR_INIT, .over_data = true };
    const struct request *request;
    const char *transaction;

    if (!body)
        return; /* no answer could be matched */
    transaction = sl_arg_str(body, "transaction", NULL);
    request = TR_ARGS(&r, args) < 0 ? NULL : request_find(&r, "textroom");
    answer = request ? request_run(&r, request) : pl_error_json(&r.error, "textroom", "error");
    if (transaction)
        json_object_set_new(answer, "transaction", json_string(transaction));
    if (r.is_silent)
        json_decref(answer);
    else
        tr_send(h, answer);
    json_decref(body);
}
