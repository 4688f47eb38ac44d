/*
 * load_data.h - SCTP associations of the peers that have data channels.
 *
 * Thread: the loop's, but for what the SCTP thread posts (src/sctp/sctp.h). One per process.
 */
#ifndef TESTS_LOAD_DATA_H
#define TESTS_LOAD_DATA_H

#include "load_loop.h"
#include <stddef.h>

struct load_data;
struct load_peer;

int load_data_create(struct load_loop *l, struct load_data **out);
void load_data_destroy(struct load_data *d);

/* DTLS of @p is up: opens its association. 0 or -ENOMEM. */
int load_data_open(struct load_data *d, struct load_peer *p) SL_ON_WORKER;
void load_data_close(struct load_data *d, struct load_peer *p) SL_ON_WORKER;
/* What @p received inside DTLS. */
void load_data_input(struct load_data *d, const struct load_peer *p, const uint8_t *data,
                     size_t len) SL_ON_WORKER;

/* Associations that came up. */
size_t load_data_count(const struct load_data *d);

#endif
