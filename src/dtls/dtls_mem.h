/*
 * dtls_mem.h - gives back what libssl keeps for each association after its handshake.
 *
 * DTLS keeps the buffer in which handshake messages are built and read (22 KB) as long as the SSL
 * object, for retransmissions that hardly ever come; nothing in it is needed between two calls
 * (statem_dtls.c copies each message into it anew). So its pages go back to the kernel, and come
 * back as zeros when libssl writes there again. It is found by an allocator of our own for
 * libcrypto, which does nothing else than libc's, but knows the buffers (BUF_MEM) that were made
 * while an association was being served.
 *
 * Thread: any; a lock, taken for such buffers alone.
 */
#ifndef SL_DTLS_MEM_H
#define SL_DTLS_MEM_H

struct sl_dtls_cold; /* one such buffer */

/* From now on buffers that this thread makes are noted at @slot, the newest wins; NULL: no longer.
 * What was in force before. @slot must outlive the buffer, or be emptied by sl_dtls_mem_forget. */
struct sl_dtls_cold **sl_dtls_mem_watch(struct sl_dtls_cold **slot);
/* Its content is of no use any more; NULL is fine. */
void sl_dtls_mem_chill(struct sl_dtls_cold **slot);
void sl_dtls_mem_forget(struct sl_dtls_cold **slot);

#endif
