/*
 * config_file.h - configuration files: INI groups with comments, read and written with GKeyFile.
 *
 * GKeyFile merges duplicate groups and keys silently, keeps `a # b` as a value and has no line
 * numbers; a scan of our own refuses these first. Values may use GKeyFile's escapes (\s \n \t \r
 * \\). All errors are one sentence that begins with the file.
 *
 * Thread: control.
 */
#ifndef SL_CONTROL_CONFIG_FILE_H
#define SL_CONTROL_CONFIG_FILE_H

#include "plugin/plugin_loader.h"
#include <jansson.h>
#include <stddef.h>

/* {"group": {"key": "value", ...}, ...} in file order, new. @optional: a missing file is empty.
 * NULL: @err says why. */
json_t *sl_config_file_load(const char *path, bool optional, char *err, size_t cap);

/* Replaces one group (NULL @keys: removes it), atomically and durably; other groups and all
 * comments outside it stay. Values are strings, booleans or numbers. 0; -ENOENT: the directory does
 * not exist; -EINVAL: a name or value that the format cannot hold; -EBADMSG: the file is broken;
 * other -errno. */
int sl_config_file_save(const char *path, const char *group, const json_t *keys);

/* The same two for plugins. */
extern const struct sl_plugin_store sl_config_file_store;

#endif
