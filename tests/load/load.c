/*
 * load.c - a load generator of real WebRTC peers in one thread. docs/benchmarks.md tells how to use
 * it; `load` alone lists cases and options.
 */
#include "load_cases.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

/* Three sockets for each user. */
static void allow_many_files(void)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
        r.rlim_cur = r.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &r);
    }
}

int main(int argc, char **argv)
{
    struct load_opts o;
    int status = load_opts_parse(&o, argc, argv);

    if (status)
        return status;
    allow_many_files();
    (void)signal(SIGPIPE, SIG_IGN);
    sl_role_enter(&sl_role_worker);
    if (sl_srtp_init() < 0)
        return EXIT_FAILURE;
    status = load_case_run(&o);
    sl_srtp_fini();
    sl_role_leave(&sl_role_worker);
    return status;
}
