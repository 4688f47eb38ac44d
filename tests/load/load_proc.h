/*
 * load_proc.h - what processes and the machine used: /proc/PID/{stat,status,task/.../schedstat} and
 * /proc/stat.
 */
#ifndef TESTS_LOAD_PROC_H
#define TESTS_LOAD_PROC_H

#include <stdint.h>
#include <sys/types.h>

struct load_cpu {
    uint64_t threads_ns; /* the server's: exact, but without threads that ended */
    uint64_t process_ns; /* the server's: those too, in ticks of 10 ms */
    uint64_t self_ns;
    uint64_t machine_ns; /* everything but idle, of all cores */
};

void load_cpu_read(pid_t pid, struct load_cpu *out);
/* User and system time of the server from @a to @b. */
uint64_t load_cpu_server_ns(const struct load_cpu *a, const struct load_cpu *b);

/* Resident anonymous memory of a process (RssAnon: files and shared libraries left out), KiB; 0
 * when it is gone. */
uint64_t load_rss_kib(pid_t pid);

#endif
