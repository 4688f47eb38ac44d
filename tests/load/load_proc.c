#include "load_proc.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SLACK_NS 50000000 /* more than what ticks leave out: threads have ended */

static uint64_t threads_ns(pid_t pid)
{
    char path[64];
    struct dirent *d;
    uint64_t sum = 0;
    DIR *dir;

    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    dir = opendir(path);
    if (!dir)
        return 0;
    while ((d = readdir(dir))) {
        char file[384];
        uint64_t ns;
        FILE *f;

        if (d->d_name[0] == '.')
            continue;
        snprintf(file, sizeof(file), "%s/%s/schedstat", path, d->d_name);
        f = fopen(file, "re");
        if (!f)
            continue;
        if (fscanf(f, "%" SCNu64, &ns) == 1)
            sum += ns;
        fclose(f);
    }
    closedir(dir);
    return sum;
}

static uint64_t process_ns(pid_t pid)
{
    unsigned long long user, system;
    char path[64], line[1024], *p;
    uint64_t ns = 0;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    f = fopen(path, "re");
    if (!f)
        return 0;
    /* Fields 14 and 15; the second is the name in parentheses, and may hold spaces. */
    if (fgets(line, sizeof(line), f) && (p = strrchr(line, ')')) &&
        sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &user, &system) ==
            2)
        ns = (user + system) * (1000000000u / (uint64_t)sysconf(_SC_CLK_TCK));
    fclose(f);
    return ns;
}

static uint64_t machine_ns(void)
{
    unsigned long long t[8] = { 0 }; /* user nice system idle iowait irq softirq steal */
    FILE *f = fopen("/proc/stat", "re");
    int n;

    if (!f)
        return 0;
    n = fscanf(f, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &t[0], &t[1], &t[2], &t[3], &t[4],
               &t[5], &t[6], &t[7]);
    fclose(f);
    if (n < 7)
        return 0;
    return (t[0] + t[1] + t[2] + t[5] + t[6]) * (1000000000u / (uint64_t)sysconf(_SC_CLK_TCK));
}

void load_cpu_read(pid_t pid, struct load_cpu *out)
{
    struct timespec ts;

    out->threads_ns = threads_ns(pid);
    out->process_ns = process_ns(pid);
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    out->self_ns = (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
    out->machine_ns = machine_ns();
}

uint64_t load_cpu_server_ns(const struct load_cpu *a, const struct load_cpu *b)
{
    uint64_t whole = b->process_ns - a->process_ns;
    uint64_t exact = b->threads_ns > a->threads_ns ? b->threads_ns - a->threads_ns : 0;

    return whole > exact + SLACK_NS ? whole : exact;
}

uint64_t load_rss_kib(pid_t pid)
{
    char path[64], line[256];
    uint64_t kib = 0;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
    f = fopen(path, "re");
    if (!f)
        return 0;
    while (fgets(line, sizeof(line), f))
        if (strncmp(line, "RssAnon:", 8) == 0)
            kib = strtoull(line + 8, NULL, 10);
    fclose(f);
    return kib;
}
