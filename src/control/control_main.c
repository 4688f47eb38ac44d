/*
 * sluice - the server. See --help.
 *
 * Foreground; logs to stderr; 0 after SIGTERM, SIGINT or SIGHUP, 1 and one sentence when it cannot
 * start.
 */

#include "config.h"
#include "base/role.h"
#include "control/control.h"
#include "dtls/dtls.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OVERRIDES_MAX 256

enum action { DO_RUN, DO_CHECK_CONFIG, DO_PRINT_CONFIG, DO_SAMPLE_CONFIG, DO_VERSION, DO_HELP };

static const struct option options[] = {
    { "config", required_argument, NULL, 'c' },
    { "option", required_argument, NULL, 'o' },
    { "check-config", no_argument, NULL, DO_CHECK_CONFIG },
    { "print-config", no_argument, NULL, DO_PRINT_CONFIG },
    { "sample-config", no_argument, NULL, DO_SAMPLE_CONFIG },
    { "version", no_argument, NULL, DO_VERSION },
    { "help", no_argument, NULL, DO_HELP },
    { 0 },
};

static void print_help(void)
{
    puts("usage: sluice [-c FILE] [-o group.key=value]...\n"
         "\n"
         "A WebRTC selective forwarding unit. Runs in the foreground and logs to stderr.\n"
         "\n"
         "  -c, --config FILE       read the configuration from FILE (default: none)\n"
         "  -o, --option G.K=VALUE  override key K of group G; may be given more than once\n"
         "      --check-config      read the configuration and exit: 0 when it is good\n"
         "      --print-config      print the configuration in force and exit\n"
         "      --sample-config     print a configuration file with all keys and exit\n"
         "      --version           print the version and exit\n"
         "      --help              print this and exit\n"
         "\n"
         "Keys (what is expected; default):");
    sl_conf_print_keys(stdout);
}

static int fail(const char *text)
{
    fprintf(stderr, "sluice: %s\n", text);
    return EXIT_FAILURE;
}

static int run(const struct sl_conf *conf) SL_ON_CONTROL;
static int run(const struct sl_conf *conf)
{
    static struct sl_control c;
    char err[SL_PLUGIN_ERROR_MAX];

    if (sl_control_start(&c, conf, err, sizeof(err)))
        return fail(err);
    sl_control_run(&c);
    sl_control_stop(&c);
    return EXIT_SUCCESS;
}

static int act(enum action action, const char *path, const char *const *overrides, size_t n)
{
    struct sl_conf conf;
    char err[SL_CONF_ERROR_MAX];
    int rc = EXIT_SUCCESS;

    if (sl_conf_load(&conf, path, overrides, n, err, sizeof(err))) {
        rc = fail(err);
    } else if (action == DO_PRINT_CONFIG) {
        sl_conf_print(stdout, &conf);
    } else if (action == DO_CHECK_CONFIG) {
        puts("configuration is good");
    } else {
        sl_role_enter(&sl_role_control);
        rc = run(&conf);
        sl_role_leave(&sl_role_control);
    }
    sl_conf_fini(&conf);
    return rc;
}

int main(int argc, char **argv)
{
    const char *overrides[OVERRIDES_MAX];
    const char *path = NULL;
    enum action action = DO_RUN;
    size_t n = 0;
    int opt;

    (void)sl_dtls_init(); /* before any other use of libcrypto */
    while ((opt = getopt_long(argc, argv, "c:o:", options, NULL)) != -1) {
        if (opt == '?')
            return EXIT_FAILURE; /* getopt said why */
        if (opt == 'o' && n == OVERRIDES_MAX)
            return fail("too many options -o");
        if (opt == 'o')
            overrides[n++] = optarg;
        else if (opt == 'c')
            path = optarg;
        else
            action = (enum action)opt;
    }
    if (optind < argc)
        return fail("expects options only, see sluice --help");
    switch (action) {
    case DO_VERSION:
        puts("sluice " PACKAGE_VERSION);
        return EXIT_SUCCESS;
    case DO_HELP:
        print_help();
        return EXIT_SUCCESS;
    case DO_SAMPLE_CONFIG:
        sl_conf_print_sample(stdout);
        return EXIT_SUCCESS;
    case DO_RUN:
    case DO_CHECK_CONFIG:
    case DO_PRINT_CONFIG:
        break;
    }
    return act(action, path, overrides, n);
}
