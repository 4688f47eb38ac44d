/*
 * vr_host.h - addresses of the machines that a request names.
 *
 * A request that names hosts collects them (vr_host_add) and calls vr_hosts_need. When names have
 * to be looked up first, it runs again from its start once they are known, and then finds its room
 * and publisher anew: they may be gone meanwhile.
 */
#ifndef VR_HOST_H
#define VR_HOST_H

#include "vr_request.h"

#define VR_HOSTS_MAX 16 /* of one request */

/* Adds member `host` of @item, with its `host_family`, to @hosts (an object); @def: what stands for
 * an absent host, or NULL. 0, or -1 with the error set. */
int vr_host_add(struct vr_req *r, json_t *hosts, const json_t *item, const json_t *def);
/* Steals @hosts. 0: all are known, go on; 1: the request runs again later, return 0; -1: error. */
int vr_hosts_need(struct vr_req *r, json_t *hosts);
/* The address; NULL: there is none. */
const char *vr_host_ip(const struct vr_req *r, const json_t *item, const json_t *def);

/* The members srtp_suite and srtp_crypto of @r: 0 and @suite (0: none), or -1. */
int vr_arg_srtp(struct vr_req *r, unsigned int *suite, const char **crypto);
/* A UDP port: 0 when it is absent, or -1 with the error set. */
int vr_arg_port(struct vr_req *r, const json_t *obj, const char *name);

/* Drops the requests that wait. */
void vr_hosts_fini(void);

#endif
