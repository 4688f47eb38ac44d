/*
 * api_dns.h - names of other machines to addresses, without stopping the control thread.
 *
 * Thread: control; each lookup has a thread of its own that ends with it (getaddrinfo blocks, and
 * cannot be told to stop). Results come through the control queue.
 * Owner: src/plugin/, for what plugins ask; the api, for what administrators ask.
 */
#ifndef SL_API_DNS_H
#define SL_API_DNS_H

#include "base/cq.h"
#include "net/net_addr.h"

#define SL_DNS_MAX 32 /* lookups at a time */

struct sl_dns;

/* @err: 0 and @ip (a text without port), or -ENOENT: no address of that family. */
typedef void (*sl_dns_fn)(void *arg, int err, const char *ip);

/* @run calls @fn when a result came; what must stand around it is the owner's. 0 or -ENOMEM. */
int sl_dns_create(struct sl_cq *cq, void (*run)(sl_dns_fn fn, void *arg, int err, const char *ip),
                  struct sl_dns **out) SL_ON_CONTROL;
/* No callback comes any more; lookups that still run end by themselves. NULL is fine. */
void sl_dns_destroy(struct sl_dns *d) SL_ON_CONTROL;

/* @family: AF_INET, AF_INET6 or AF_UNSPEC. Addresses as text are answered before it returns, with
 * @id 0. 0; -EAGAIN: too many lookups; -ENOMEM. */
int sl_dns_resolve(struct sl_dns *d, const char *host, int family, sl_dns_fn fn, void *arg,
                   uint64_t *id) SL_ON_CONTROL;
/* How the STUN server at @host and @port sees us, from @local_port (0: any): @ip of the callback is
 * an address with port; errors are those of sl_stun_ask, too. Never answered before it returns. */
int sl_dns_ask_stun(struct sl_dns *d, const char *host, uint16_t port, uint16_t local_port,
                    sl_dns_fn fn, void *arg, uint64_t *id) SL_ON_CONTROL;
/* No callback for @id any more. */
void sl_dns_cancel(struct sl_dns *d, uint64_t id) SL_ON_CONTROL;

#endif
