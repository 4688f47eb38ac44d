/*
 * test_cmocka.h - cmocka with what it wants included before it.
 */
#ifndef SL_TEST_CMOCKA_H
#define SL_TEST_CMOCKA_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define TEST_COUNT(a) (sizeof(a) / sizeof((a)[0]))

#endif
