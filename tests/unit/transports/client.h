/*
 * client.h - a blocking HTTP and WebSocket client of a few lines, plain or TLS, loopback only.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct client {
    int fd;
    SSL *ssl;
    char buf[65536]; /* read and not yet consumed */
    size_t len;
};

struct reply {
    int status;      /* 0: the connection ended without an answer */
    char head[8192]; /* status line and headers */
    char *body;      /* terminated, to be freed */
    size_t len;
};

/* Reads and writes give up after 5 seconds. */
void client_open(struct client *c, int port, bool tls);
void client_close(struct client *c);
void client_send(struct client *c, const void *data, size_t len);
/* false: end of the stream, error or time. */
bool client_read(struct client *c, void *data, size_t len);
bool client_is_at_end(struct client *c); /* waits for the end of the stream; eats what comes */

/* One answer; @head_only: of a HEAD request. */
void client_reply(struct client *c, struct reply *r, bool head_only);
/* The value of a header of @r, up to the line's end, in a static buffer; NULL: none. */
const char *reply_header(const struct reply *r, const char *name);

/* A whole exchange on its own connection. @headers: lines that end with CRLF, or NULL. */
struct reply http_ask(int port, const char *method, const char *path, const char *headers,
                      const char *body);
void reply_free(struct reply *r);

/* The handshake with the given header lines instead of the protocol's; NULL: janus-protocol. */
int ws_handshake(struct client *c, const char *path, const char *headers, struct reply *r);
void ws_open(struct client *c, int port, bool tls, const char *path); /* asserts 101 */
void ws_send(struct client *c, bool fin, int opcode, bool masked, const void *data, size_t len);
void ws_text(struct client *c, const char *text);
/* The next frame's opcode and payload (terminated, to be freed); -1: the stream ended. */
int ws_recv(struct client *c, char **data, size_t *len);
/* Reads until the close frame: its code; 0: the stream ended without one. */
int ws_wait_close(struct client *c);

/* A self-signed certificate and its key. */
void client_make_cert(const char *cert_path, const char *key_path);

#endif
