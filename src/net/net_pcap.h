/*
 * net_pcap.h - writes packets to a capture file while they go by: pcap (Wireshark, tshark), or
 * lines for text2pcap.
 *
 * Format: pcap 2.4 with microseconds, LINKTYPE_RAW: each packet behind an IP and a UDP header, made
 *         of the addresses that are given.
 * Thread: opened by anybody; sl_pcap_put and sl_pcap_close by one thread at a time (the producer),
 *         which never waits: packets go through a bounded ring to a thread of the capture's own,
 *         which writes the file. What does not fit is dropped and counted.
 * Owner:  the producer.
 */
#ifndef SL_NET_PCAP_H
#define SL_NET_PCAP_H

#include "net/net_addr.h"

#define SL_PCAP_FILES_MAX  16   /* open at a time */
#define SL_PCAP_NAME_MAX   128  /* characters of a file name */
#define SL_PCAP_PACKET_MAX 1500 /* bytes; more of a packet is not kept */

struct sl_pcap;

struct sl_pcap_conf {
    const char *dir, *name; /* the file must not exist yet */
    bool is_text;           /* for text2pcap -D */
    uint32_t snap;          /* bytes kept of each packet; 0: all */
    uint64_t max_bytes;     /* of the file; 0: no limit. Packets beyond are dropped */
};

struct sl_pcap_packet {
    bool is_in;            /* came; else it was sent */
    struct sl_addr local;  /* without family: 127.0.0.1 or ::1 */
    struct sl_addr remote; /* without family: 192.0.2.1 */
    const uint8_t *data;
    size_t len;
};

struct sl_pcap_counts {
    uint64_t packets; /* given */
    uint64_t dropped; /* of them: the ring was full */
};

/* Letters, digits, '.', '_' and '-', no '.' in front: a file inside its folder, and none but that.
 */
bool sl_pcap_name_is_sound(const char *name);

/* 0; -EINVAL: no sound name; -EEXIST; -EAGAIN: too many are open; -ENOMEM; or what open(2) said. */
int sl_pcap_open(const struct sl_pcap_conf *conf, struct sl_pcap **out);
void sl_pcap_put(struct sl_pcap *p, const struct sl_pcap_packet *pkt);
struct sl_pcap_counts sl_pcap_counts(const struct sl_pcap *p);
/* What was put is written before the file is closed, by its thread, which frees @p. NULL is fine.
 */
void sl_pcap_close(struct sl_pcap *p);
/* Waits until all closed captures are written. */
void sl_pcap_wait(void);

#endif
