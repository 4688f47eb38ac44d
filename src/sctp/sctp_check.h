/*
 * sctp_check.h - what an SCTP packet must look like before the library sees it.
 *
 * Spec:   RFC 9260 section 3 (common header, chunks), RFC 3758 (FORWARD-TSN), RFC 6525 (RE-CONFIG)
 * Thread: any; pure.
 *
 * Verified: the common header, every chunk's length against the packet and against what its type
 * has at least, lists inside of chunks (parameters, causes, gap blocks, streams), that INIT stands
 * alone and with no verification tag, and that only chunks come which we negotiate: no ASCONF,
 * AUTH, ECN, NR-SACK, PKTDROP or I-DATA. The checksum is the library's.
 */
#ifndef SL_SCTP_CHECK_H
#define SL_SCTP_CHECK_H

#include <stddef.h>
#include <stdint.h>

#define SL_SCTP_PACKET_MAX 4096 /* bytes of one packet that we take */

/* 0 or -EBADMSG. */
int sl_sctp_check(const uint8_t *data, size_t len);

#endif
