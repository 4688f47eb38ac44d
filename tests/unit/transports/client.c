#include "client.h"
#include "../test_cmocka.h"
#include "base/bytes.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static SSL_CTX *ctx;

void client_open(struct client *c, int port, bool tls)
{
    struct sockaddr_in sin = { .sin_family = AF_INET,
                               .sin_port = htons((uint16_t)port),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct timeval tv = { .tv_sec = 30 }; /* machines may be busy */
    int one = 1;

    c->ssl = NULL;
    c->len = 0;
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(c->fd >= 0);
    assert_int_equal(connect(c->fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
    assert_int_equal(setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), 0);
    assert_int_equal(setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)), 0);
    assert_int_equal(setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)), 0);
    if (!tls)
        return;
    if (!ctx)
        ctx = SSL_CTX_new(TLS_client_method());
    assert_non_null(ctx);
    c->ssl = SSL_new(ctx);
    assert_non_null(c->ssl);
    assert_int_equal(SSL_set_fd(c->ssl, c->fd), 1);
    assert_int_equal(SSL_connect(c->ssl), 1);
}

void client_close(struct client *c)
{
    SSL_free(c->ssl);
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
    c->ssl = NULL;
}

void client_send(struct client *c, const void *data, size_t len)
{
    const char *p = data;

    while (len) {
        ssize_t n = c->ssl ? SSL_write(c->ssl, p, (int)len) : send(c->fd, p, len, MSG_NOSIGNAL);

        if (n <= 0)
            return; /* the server may end it early; what it said is still there to read */
        p += n;
        len -= (size_t)n;
    }
}

static bool fill(struct client *c)
{
    size_t room = sizeof(c->buf) - c->len;
    ssize_t n;

    errno = 0; /* the end of the stream is no error */
    n = c->ssl ? SSL_read(c->ssl, c->buf + c->len, (int)room)
               : recv(c->fd, c->buf + c->len, room, 0);

    if (n <= 0)
        return false;
    c->len += (size_t)n;
    return true;
}

static void consume(struct client *c, size_t n)
{
    memmove(c->buf, c->buf + n, c->len - n);
    c->len -= n;
}

bool client_read(struct client *c, void *data, size_t len)
{
    char *p = data;

    while (len) {
        size_t n = c->len < len ? c->len : len;

        if (!n) {
            if (!fill(c))
                return false;
            continue;
        }
        memcpy(p, c->buf, n);
        consume(c, n);
        p += n;
        len -= n;
    }
    return true;
}

bool client_is_at_end(struct client *c)
{
    do
        c->len = 0;
    while (fill(c));
    return c->ssl || (errno != EAGAIN && errno != EWOULDBLOCK);
}

void client_reply(struct client *c, struct reply *r, bool head_only)
{
    const char *text;
    char *end;

    memset(r, 0, sizeof(*r));
    while (!(end = memmem(c->buf, c->len, "\r\n\r\n", 4)))
        if (c->len >= sizeof(r->head) - 1 || !fill(c))
            return;
    memcpy(r->head, c->buf, (size_t)(end - c->buf) + 2);
    consume(c, (size_t)(end - c->buf) + 4);
    assert_int_equal(sscanf(r->head, "HTTP/1.%*d %d", &r->status), 1);
    text = reply_header(r, "Content-Length");
    r->len = text && !head_only ? strtoul(text, NULL, 10) : 0;
    r->body = calloc(1, r->len + 1);
    assert_non_null(r->body);
    assert_true(client_read(c, r->body, r->len));
}

const char *reply_header(const struct reply *r, const char *name)
{
    static char value[1024];
    size_t len = strlen(name);

    for (const char *p = strstr(r->head, "\r\n"); p && p[2]; p = strstr(p + 2, "\r\n")) {
        if (strncasecmp(p + 2, name, len) != 0 || p[2 + len] != ':')
            continue;
        p += 3 + len;
        p += strspn(p, " ");
        snprintf(value, sizeof(value), "%.*s", (int)strcspn(p, "\r"), p);
        return value;
    }
    return NULL;
}

struct reply http_ask(int port, const char *method, const char *path, const char *headers,
                      const char *body)
{
    struct client *c = calloc(1, sizeof(*c));
    struct reply r;
    char head[32768];
    int n;

    assert_non_null(c);
    n = snprintf(head, sizeof(head), "%s %s HTTP/1.1\r\nHost: localhost\r\n%s", method, path,
                 headers ? headers : "");
    assert_true(n > 0 && (size_t)n < sizeof(head));
    client_open(c, port, false);
    client_send(c, head, (size_t)n);
    if (body) {
        n = snprintf(head, sizeof(head), "Content-Length: %zu\r\n", strlen(body));
        client_send(c, head, (size_t)n);
    }
    client_send(c, "\r\n", 2);
    if (body)
        client_send(c, body, strlen(body));
    client_reply(c, &r, !strcmp(method, "HEAD"));
    client_close(c);
    free(c);
    return r;
}

void reply_free(struct reply *r)
{
    free(r->body);
    r->body = NULL;
}

#define WS_HEADERS                                                                                 \
    "Upgrade: websocket\r\nConnection: Upgrade\r\n"                                                \
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

int ws_handshake(struct client *c, const char *path, const char *headers, struct reply *r)
{
    char head[4096];
    int n = snprintf(head, sizeof(head), "GET %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", path,
                     headers ? headers : WS_HEADERS "Sec-WebSocket-Protocol: janus-protocol\r\n");

    assert_true(n > 0 && (size_t)n < sizeof(head));
    client_send(c, head, (size_t)n);
    client_reply(c, r, false);
    return r->status;
}

void ws_open(struct client *c, int port, bool tls, const char *path)
{
    struct reply r;

    client_open(c, port, tls);
    assert_int_equal(ws_handshake(c, path, NULL, &r), 101);
    assert_string_equal(reply_header(&r, "Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_string_equal(reply_header(&r, "Sec-WebSocket-Protocol"), "janus-protocol");
    reply_free(&r);
}

void ws_send(struct client *c, bool fin, int opcode, bool masked, const void *data, size_t len)
{
    static const uint8_t mask[4] = { 0x37, 0xfa, 0x21, 0x3d };
    uint8_t *frame = calloc(1, len + 14);
    struct sl_writer w = sl_writer_make(frame, len + 14);
    uint8_t bit = masked ? 0x80 : 0, *p;

    assert_non_null(frame);
    sl_write8(&w, (uint8_t)((fin ? 0x80 : 0) | opcode));
    if (len < 126) {
        sl_write8(&w, (uint8_t)(bit | len));
    } else if (len < 65536) {
        sl_write8(&w, bit | 126);
        sl_write16(&w, (uint16_t)len);
    } else {
        sl_write8(&w, bit | 127);
        sl_write64(&w, len);
    }
    if (masked)
        sl_write_bytes(&w, mask, 4);
    p = sl_write_room(&w, len);
    for (size_t i = 0; i < len; i++)
        p[i] = ((const uint8_t *)data)[i] ^ (masked ? mask[i % 4] : 0);
    client_send(c, frame, sl_writer_len(&w));
    free(frame);
}

void ws_text(struct client *c, const char *text)
{
    ws_send(c, true, 1, true, text, strlen(text));
}

int ws_recv(struct client *c, char **data, size_t *len)
{
    uint8_t head[2], ext[8];

    if (!client_read(c, head, 2))
        return -1;
    assert_false(head[1] & 0x80); /* servers do not mask */
    *len = head[1] & 0x7f;
    if (*len == 126) {
        assert_true(client_read(c, ext, 2));
        *len = sl_get16(ext);
    } else if (*len == 127) {
        assert_true(client_read(c, ext, 8));
        *len = sl_get64(ext);
    }
    *data = calloc(1, *len + 1);
    assert_non_null(*data);
    if (!client_read(c, *data, *len)) {
        free(*data);
        return -1;
    }
    return head[0] & 0x0f;
}

int ws_wait_close(struct client *c)
{
    char *data;
    size_t len;
    int op, code;

    for (;;) {
        op = ws_recv(c, &data, &len);
        if (op < 0)
            return 0;
        code = op == 8 && len >= 2 ? sl_get16(data) : 1005;
        free(data);
        if (op == 8)
            return code;
    }
}

void client_make_cert(const char *cert_path, const char *key_path)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    FILE *f;

    assert_non_null(key);
    assert_non_null(x);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), 0);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_set_pubkey(x, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                               (const unsigned char *)"localhost", -1, -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(x));
    assert_true(X509_sign(x, key, EVP_sha256()) > 0);
    f = fopen(cert_path, "we");
    assert_non_null(f);
    assert_int_equal(PEM_write_X509(f, x), 1);
    fclose(f);
    f = fopen(key_path, "we");
    assert_non_null(f);
    assert_int_equal(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(f);
    X509_free(x);
    EVP_PKEY_free(key);
}
