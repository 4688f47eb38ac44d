/*
 * load_cases.h - the cases by name.
 */
#ifndef TESTS_LOAD_CASES_H
#define TESTS_LOAD_CASES_H

#include "load_run.h"

/* Runs the case that @o names, and prints its report. The exit status. */
int load_case_run(const struct load_opts *o) SL_ON_WORKER;

#endif
