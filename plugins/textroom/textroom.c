#include "tr_request.h"
#include <errno.h>

const struct sl_core *tr_core;

static int on_init(const struct sl_core *core)
{
    int err;

    tr_core = core;
    err = tr_rooms_init();
    if (err)
        return err;
    err = tr_conf_load();
    if (err) {
        tr_rooms_fini();
        tr_conf_free();
    }
    return err;
}

static void on_fini(void)
{
    tr_post_fini();
    tr_rooms_fini();
    tr_conf_free();
}

static int on_attach(sl_hid h, const char *opaque_id, void **state)
{
    (void)opaque_id;
    *state = tr_handle_create(h);
    return *state ? 0 : -ENOMEM;
}

static void on_detach(sl_hid h, void *state)
{
    (void)h;
    tr_handle_destroy(state);
}

static void on_message(sl_hid h, void *state, struct sl_msg *m, const json_t *body,
                       const struct sl_jsep_in *jsep)
{
    (void)h;
    tr_request_message(state, m, body, jsep);
}

static void on_media_down(sl_hid h, void *state, const char *reason)
{
    (void)h, (void)reason;
    tr_handle_reset(state);
}

static void on_data(sl_hid h, void *state, const char *label, const char *protocol, bool binary,
                    const void *data, size_t len)
{
    (void)h, (void)label, (void)protocol;
    if (!binary)
        tr_request_data(state, data, len);
}

static void on_data_writable(sl_hid h, void *state)
{
    (void)h;
    tr_send_queued(state);
}

static json_t *on_query(sl_hid h, void *state)
{
    const struct tr_handle *th = state;
    json_t *list = json_array();

    (void)h;
    for (const struct tr_member *m = th->members; m; m = m->next)
        json_array_append_new(list, json_pack("{s:o, s:s}", "room", pl_id_json(&m->room->id),
                                              "username", m->username));
    return json_pack("{s:b, s:I, s:o}", "setup", th->is_setup, "queued-bytes",
                     (json_int_t)th->queue.bytes, "rooms", list);
}

SL_PLUGIN_EXPORT = {
    .abi = SL_PLUGIN_ABI,
    .size = sizeof(struct sl_plugin),
    .package = TR_PACKAGE,
    .name = "Sluice TextRoom",
    .author = "The Sluice authors",
    .description = "Chat rooms over data channels",
    .version_string = "0.1.0",
    .version = 1,
    .init = on_init,
    .fini = on_fini,
    .attach = on_attach,
    .detach = on_detach,
    .message = on_message,
    .admin = tr_request_admin,
    .query = on_query,
    .media_down = on_media_down,
    .on_data = on_data,
    .on_data_writable = on_data_writable,
};
