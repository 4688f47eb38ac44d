/*
 * plugin_check.h - finds what plugins must not do with the core: calls from other threads, ids of
 * what is over, requests without an answer or with a second one, JSON that was only lent and is
 * given away or changed.
 *
 * On in builds with SL_DEBUG, and with general.plugin_checks in all. A breach is told in one line
 * that names the plugin and the call, and ends the process: what was wrong is still on the stack.
 *
 * Thread: control, but sl_plugin_check_call.  Owner: the process.
 */
#ifndef SL_PLUGIN_CHECK_H
#define SL_PLUGIN_CHECK_H

#include "base/role.h"
#include <sluice/plugin.h>

extern bool sl_plugin_checks; /* set before plugins are loaded */

/* Begins each function of struct sl_core that is for the control thread. */
#define PLUGIN_CALL(call)                                                                          \
    do {                                                                                           \
        if (sl_plugin_checks)                                                                      \
            sl_plugin_check_call(call);                                                            \
        SL_ASSUME(control);                                                                        \
    } while (0)
void sl_plugin_check_call(const char *call);

/* The thread that calls is the plugins'. */
void sl_plugin_check_start(void) SL_ON_CONTROL;
void sl_plugin_check_stop(void) SL_ON_CONTROL;

enum sl_plugin_thing { SL_PLUGIN_HANDLE, SL_PLUGIN_MESSAGE, SL_PLUGIN_ENDPOINT, SL_PLUGIN_THINGS };

/* @package's @id is over, by its own doing or with its knowledge: it must not be named again. */
void sl_plugin_check_over(enum sl_plugin_thing thing, uint64_t id,
                          const char *package) SL_ON_CONTROL;
/* The call of now names an @id that is not there: a breach if it is known to be over. */
void sl_plugin_check_gone(enum sl_plugin_thing thing, uint64_t id) SL_ON_CONTROL;
/* The call of now is a breach by @package, without checks nothing. */
void sl_plugin_check_failed(const char *package, const char *what) SL_ON_CONTROL;
/* The same of a callback that returned. */
void sl_plugin_check_callback(const char *package, const char *callback,
                              const char *what) SL_ON_CONTROL;

/* JSON for a callback: a copy of @json, watched for some time; NULL: out of memory. The second ends
 * the callback. */
const json_t *sl_plugin_check_lend(const json_t *json, const char *package) SL_ON_CONTROL;
void sl_plugin_check_lent_back(void) SL_ON_CONTROL;
/* The call of now is given @json for good. */
void sl_plugin_check_given(const json_t *json) SL_ON_CONTROL;

#endif
