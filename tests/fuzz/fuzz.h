/*
 * fuzz.h - what a fuzz target defines. With --enable-fuzz libFuzzer calls it, else replay_main.c
 * does, with every file of tests/fuzz/corpus/<name>/ for the program fuzz_<name>.
 */
#ifndef SL_TESTS_FUZZ_H
#define SL_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Returns 0; a property that does not hold aborts. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The check of a property: tells where, then aborts, which libFuzzer and replay_main both see. */
#define FUZZ_CHECK(what)                                                                           \
    do {                                                                                           \
        if (!(what)) {                                                                             \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #what);              \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#endif
