/*
 * bench.h - what the programs of tests/bench have in common: CPU time of the calling thread, the
 * median of BENCH_RUNS, a table, and one line of JSON per row.
 *
 *   static uint64_t op(void *arg, size_t n) { ... n times ...; return bench_cpu_ns() - t0; }
 *
 *   bench_begin("rtp", argc, argv);
 *   bench_run("parse vp8", 1000000, op, arg);
 *   return bench_end();
 *
 * An argument names the rows that are wanted by a part of their name, for profiles. With --smoke
 * each row runs once and briefly, to see that it works. What an operation gives back is looked at
 * in either case (bench_must): a bench that measures failures measures nothing.
 */
#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BENCH_RUNS 5
#define BENCH_ROWS 32
#define BENCH_NAME 64

struct bench_row {
    char name[BENCH_NAME];
    size_t n, runs;
    double ns[BENCH_RUNS]; /* per operation, ascending */
};

static struct {
    const char *title;
    const char *only; /* NULL: all rows */
    bool smoke;
    size_t nrows;
    struct bench_row row[BENCH_ROWS];
} bench;

static inline uint64_t bench_cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

#define bench_must(what) bench_must_(what, #what, __LINE__)
static inline void bench_must_(bool ok, const char *what, int line)
{
    if (!ok) {
        fprintf(stderr, "bench %s: line %d: not so: %s\n", bench.title, line, what);
        exit(1);
    }
}

static inline void bench_begin(const char *title, int argc, char **argv)
{
    bench.title = title;
    if (argc > 1 && !strcmp(argv[1], "--smoke"))
        bench.smoke = true;
    else if (argc > 1)
        bench.only = argv[1];
    if (argc > 2 || (bench.only && bench.only[0] == '-')) {
        fprintf(stderr, "usage: %s [--smoke | PART-OF-A-NAME]\n", argv[0]);
        exit(2);
    }
}

static inline bool bench_wants(const char *name)
{
    return !bench.only || strstr(name, bench.only);
}

/* How often, of @n times when it counts. */
static inline size_t bench_times(size_t n)
{
    return !bench.smoke ? n : n > 1000 ? n / 1000 : 1;
}

static inline int bench_compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Adds a row of what was measured elsewhere: @ns per operation, of @n operations each. */
static inline void bench_add(const char *name, size_t n, const double *ns, size_t runs)
{
    struct bench_row *r = &bench.row[bench.nrows];

    if (!bench_wants(name))
        return;
    bench.nrows++;
    bench_must(bench.nrows <= BENCH_ROWS && runs >= 1 && runs <= BENCH_RUNS);
    snprintf(r->name, sizeof(r->name), "%s", name);
    r->n = n;
    r->runs = runs;
    memcpy(r->ns, ns, runs * sizeof(*ns));
    qsort(r->ns, runs, sizeof(*ns), bench_compare);
}

/* @op does @n operations and returns the nanoseconds that count. */
static inline void bench_run(const char *name, size_t n, uint64_t (*op)(void *arg, size_t n),
                             void *arg)
{
    size_t runs = bench.smoke ? 1 : BENCH_RUNS;
    double ns[BENCH_RUNS];

    if (!bench_wants(name))
        return;
    n = bench_times(n);
    if (!bench.smoke)
        (void)op(arg, n / 10 + 1); /* caches and branch predictors as in the long run */
    for (size_t i = 0; i < runs; i++)
        ns[i] = (double)op(arg, n) / (double)n;
    bench_add(name, n, ns, runs);
}

/* Prints all; what main returns. */
static inline int bench_end(void)
{
    printf("%-44s %10s %10s %10s %12s\n", bench.title, "ns", "min", "max", "operations");
    for (size_t i = 0; i < bench.nrows; i++) {
        const struct bench_row *r = &bench.row[i];

        printf("  %-42s %10.1f %10.1f %10.1f %6zu x %zu\n", r->name, r->ns[r->runs / 2], r->ns[0],
               r->ns[r->runs - 1], r->n, r->runs);
    }
    for (size_t i = 0; i < bench.nrows; i++) {
        const struct bench_row *r = &bench.row[i];

        printf("{\"bench\":\"%s\",\"case\":\"%s\",\"ns\":%.1f,\"min\":%.1f,\"max\":%.1f,"
               "\"operations\":%zu,\"runs\":%zu}\n",
               bench.title, r->name, r->ns[r->runs / 2], r->ns[0], r->ns[r->runs - 1], r->n,
               r->runs);
    }
    return 0;
}

#endif
