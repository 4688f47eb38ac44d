/*
 * control_info.h - members of server_info that come from the configuration and the libraries.
 * Thread: control.
 */
#ifndef SL_CONTROL_INFO_H
#define SL_CONTROL_INFO_H

#include "control/control_conf.h"
#include <jansson.h>

/* A new object. */
json_t *sl_control_info(const struct sl_conf *conf);

#endif
