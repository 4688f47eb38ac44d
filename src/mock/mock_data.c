#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "mock/mock_state.h"

static bool has_data(const struct handle *hd)
{
    for (size_t i = 0; hd->has_pc && i < hd->nlines; i++)
        if (hd->lines[i].want.kind == SL_KIND_DATA && !hd->lines[i].want.rejected)
            return true;
    return false;
}

static struct mock_data *data_add(struct handle *hd, size_t cap)
{
    struct mock_data **at, *d = calloc(1, sizeof(*d) + cap);

    mock_check(d, "out of memory");
    d->cap = cap;
    for (at = &hd->data; *at; at = &(*at)->next)
        ;
    *at = d;
    hd->ndata++;
    return d;
}

int mock_core_data_send(sl_hid h, const char *label, const char *protocol, bool binary,
                        const void *data, size_t len)
{
    struct handle *hd = mock_handle(h);
    struct mock_data *d;

    mock_on_control("data_send");
    if (!hd)
        return -ESTALE;
    if (!has_data(hd))
        return -ENOTCONN;
    if (hd->data_full) {
        hd->data_owed = true;
        return -EAGAIN;
    }
    d = data_add(hd, len + strlen(label) + strlen(protocol) + 16);
    snprintf(d->text, d->cap, "%s|%s|%s%.*s", label, protocol, binary ? "binary|" : "", (int)len,
             (const char *)data);
    return 0;
}

int mock_core_data_close(sl_hid h, const char *label)
{
    struct handle *hd = mock_handle(h);
    struct mock_data *d;

    mock_on_control("data_close");
    if (!hd)
        return -ESTALE;
    if (!has_data(hd))
        return -ENOTCONN;
    d = data_add(hd, strlen(label) + 16);
    snprintf(d->text, d->cap, "%s|closed", label);
    return 0;
}

int mock_core_data_pause(sl_hid h, bool paused)
{
    struct handle *hd = mock_handle(h);

    mock_on_control("data_pause");
    if (!hd)
        return -ESTALE;
    if (!has_data(hd))
        return -ENOTCONN;
    hd->data_paused = paused;
    return 0;
}

static void data_shift(struct handle *hd)
{
    struct mock_data *d = hd->data;

    hd->data = d->next;
    hd->ndata--;
    free(d);
}

void mock_data_clear(struct handle *hd)
{
    while (hd->data)
        data_shift(hd);
    hd->data_full = hd->data_owed = hd->data_paused = false;
}

/* ---- the tests' side ------------------------------------------------------------------------- */

static struct handle *client_of(sl_hid h)
{
    struct handle *hd = mock_handle(h);

    mock_check(hd && has_data(hd), "client %u has no data channels", (unsigned)h);
    return hd;
}

void mock_data_open(sl_hid h, const char *label, const char *protocol)
{
    if (mock.plugin->on_data_open)
        MOCK_CALLBACK(mock.plugin->on_data_open(h, client_of(h)->state, label, protocol));
}

void mock_data_close(sl_hid h, const char *label, const char *protocol)
{
    if (mock.plugin->on_data_close)
        MOCK_CALLBACK(mock.plugin->on_data_close(h, client_of(h)->state, label, protocol));
}

void mock_data(sl_hid h, const char *label, const char *protocol, bool binary, const void *data,
               size_t len)
{
    char *copy = calloc(1, len + 1);

    mock_check(copy, "out of memory");
    if (len)
        memcpy(copy, data, len);
    if (mock.plugin->on_data)
        MOCK_CALLBACK(
            mock.plugin->on_data(h, client_of(h)->state, label, protocol, binary, copy, len));
    free(copy);
}

void mock_data_full(sl_hid h, bool is_full)
{
    struct handle *hd = client_of(h);

    hd->data_full = is_full;
    if (is_full || !hd->data_owed)
        return;
    hd->data_owed = false;
    if (mock.plugin->on_data_writable)
        MOCK_CALLBACK(mock.plugin->on_data_writable(h, hd->state));
}

bool mock_data_paused(sl_hid h)
{
    return client_of(h)->data_paused;
}

void mock_expect_data(sl_hid h, const char *want)
{
    struct handle *hd = client_of(h);

    mock_check(hd->data && strcmp(hd->data->text, want) == 0, "client %u reads %s, wanted %s",
               (unsigned)h, hd->data ? hd->data->text : "nothing", want);
    data_shift(hd);
}

size_t mock_ndata(sl_hid h)
{
    return client_of(h)->ndata;
}
