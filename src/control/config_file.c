#include "control/config_file.h"
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (4 * 1024 * 1024)

/* ---- the scan -------------------------------------------------------------------------------- */

struct scan {
    const char *path;
    int line;
    GHashTable *groups; /* name -> line */
    GHashTable *keys;   /* of the current group; NULL before the first */
    char *group;
    char *err;
    size_t cap;
};

static bool scan_fail(const struct scan *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static bool scan_fail(const struct scan *s, const char *fmt, ...)
{
    va_list ap;
    int n = snprintf(s->err, s->cap, "%s, line %d: ", s->path, s->line);

    va_start(ap, fmt);
    if (n > 0 && (size_t)n < s->cap)
        vsnprintf(s->err + n, s->cap - (size_t)n, fmt, ap);
    va_end(ap);
    return false;
}

/* True when @name is new in @seen. */
static bool scan_note(GHashTable *seen, const char *name, int line, int *first)
{
    gpointer at = g_hash_table_lookup(seen, name);

    *first = GPOINTER_TO_INT(at);
    if (at)
        return false;
    g_hash_table_insert(seen, g_strdup(name), GINT_TO_POINTER(line));
    return true;
}

static bool scan_group(struct scan *s, char *text)
{
    char *end = strchr(text, ']');
    int first;

    if (!end || end[1])
        return scan_fail(s, "a group is written as [name], alone on its line");
    *end = '\0';
    if (!scan_note(s->groups, text + 1, s->line, &first))
        return scan_fail(s, "group [%s] is there twice, first in line %d", text + 1, first);
    g_free(s->group);
    s->group = g_strdup(text + 1);
    g_hash_table_remove_all(s->keys);
    return true;
}

static bool scan_key(struct scan *s, char *text)
{
    char *eq = strchr(text, '=');
    int first;

    if (!eq)
        return scan_fail(s, "expects [group], key = value or # comment");
    if (!s->group)
        return scan_fail(s, "a key before the first [group]");
    *eq = '\0';
    g_strchomp(text);
    if (!scan_note(s->keys, text, s->line, &first))
        return scan_fail(s, "group [%s], key \"%s\" is there twice, first in line %d", s->group,
                         text, first);
    for (const char *p = strchr(eq + 1, '#'); p; p = strchr(p + 1, '#')) {
        if (p[-1] == ' ' || p[-1] == '\t')
            return scan_fail(s,
                             "group [%s], key \"%s\": a comment needs a line of its own (or write "
                             "\\s# if the value has a # behind a blank)",
                             s->group, text);
    }
    return true;
}

static bool scan_text(struct scan *s, const char *data)
{
    char **lines = g_strsplit(data, "\n", -1);
    bool ok = true;

    for (int i = 0; ok && lines[i]; i++) {
        char *text = g_strstrip(lines[i]);

        s->line = i + 1;
        if (!*text || *text == '#')
            continue;
        ok = *text == '[' ? scan_group(s, text) : scan_key(s, text);
    }
    g_strfreev(lines);
    return ok;
}

static bool scan(const char *path, const char *data, char *err, size_t cap)
{
    struct scan s = { .path = path, .err = err, .cap = cap };
    bool ok;

    s.groups = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    s.keys = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    ok = scan_text(&s, data);
    g_hash_table_destroy(s.groups);
    g_hash_table_destroy(s.keys);
    g_free(s.group);
    return ok;
}

/* ---- loading --------------------------------------------------------------------------------- */

/* A new key file with the content of @path; NULL: @err. */
static GKeyFile *keyfile_load(const char *path, bool optional, char *err, size_t cap)
{
    GKeyFile *kf;
    GError *e = NULL;
    char *data;
    gsize len;

    if (!g_file_get_contents(path, &data, &len, &e)) {
        bool missing = g_error_matches(e, G_FILE_ERROR, G_FILE_ERROR_NOENT);

        snprintf(err, cap, "cannot read %s: %s", path,
                 missing ? "there is no such file" : e->message);
        g_error_free(e);
        return missing && optional ? g_key_file_new() : NULL;
    }
    if (len > FILE_MAX || strlen(data) != len || !g_utf8_validate(data, (gssize)len, NULL)) {
        snprintf(err, cap, "%s: not a text file in UTF-8 of at most 4 MiB", path);
        g_free(data);
        return NULL;
    }
    if (!scan(path, data, err, cap)) {
        g_free(data);
        return NULL;
    }
    kf = g_key_file_new();
    if (!g_key_file_load_from_data(kf, data, len, G_KEY_FILE_KEEP_COMMENTS, &e)) {
        snprintf(err, cap, "%s: %s", path, e->message);
        g_error_free(e);
        g_key_file_free(kf);
        kf = NULL;
    }
    g_free(data);
    return kf;
}

/* A value without the blanks behind it, which GKeyFile keeps; NULL: @e. */
static char *value_read(GKeyFile *kf, const char *group, const char *key, GError **e)
{
    char *raw = g_key_file_get_value(kf, group, key, e);
    char *text = NULL;

    if (raw) {
        g_key_file_set_value(kf, group, key, g_strchomp(raw));
        text = g_key_file_get_string(kf, group, key, e);
    }
    g_free(raw);
    if (text && *e) { /* a wrong escape gives both */
        g_free(text);
        text = NULL;
    }
    return text;
}

/* One group; NULL: @err. */
static json_t *group_load(GKeyFile *kf, const char *path, const char *group, char *err, size_t cap)
{
    char **keys = g_key_file_get_keys(kf, group, NULL, NULL);
    json_t *out = json_object();

    for (int i = 0; keys && keys[i]; i++) {
        GError *e = NULL;
        char *value = value_read(kf, group, keys[i], &e);

        if (!value) {
            snprintf(err, cap,
                     "%s, group [%s], key \"%s\": expects a backslash to be written twice (%s)",
                     path, group, keys[i], e->message);
            g_error_free(e);
            json_decref(out);
            out = NULL;
            break;
        }
        json_object_set_new(out, keys[i], json_string(value));
        g_free(value);
    }
    g_strfreev(keys);
    return out;
}

json_t *sl_config_file_load(const char *path, bool optional, char *err, size_t cap)
{
    GKeyFile *kf = keyfile_load(path, optional, err, cap);
    char **groups;
    json_t *all;

    if (!kf)
        return NULL;
    all = json_object();
    groups = g_key_file_get_groups(kf, NULL);
    for (int i = 0; groups[i]; i++) {
        json_t *g = group_load(kf, path, groups[i], err, cap);

        if (!g) {
            json_decref(all);
            all = NULL;
            break;
        }
        json_object_set_new(all, groups[i], g);
    }
    g_strfreev(groups);
    g_key_file_free(kf);
    return all;
}

/* ---- saving ---------------------------------------------------------------------------------- */

static bool name_is_fine(const char *name, const char *bad)
{
    if (!*name || *name == '#' || g_ascii_isspace(*name) || g_ascii_isspace(name[strlen(name) - 1]))
        return false;
    for (const char *p = name; *p; p++) {
        if (g_ascii_iscntrl(*p) || strchr(bad, *p))
            return false;
    }
    return true;
}

/* As it stands in the file; NULL: a type that the format cannot hold. */
static char *value_write(const json_t *v)
{
    GString *out;

    if (json_is_boolean(v))
        return g_strdup(json_is_true(v) ? "true" : "false");
    if (json_is_integer(v))
        return g_strdup_printf("%" JSON_INTEGER_FORMAT, json_integer_value(v));
    if (json_is_real(v)) {
        char text[G_ASCII_DTOSTR_BUF_SIZE];

        return g_strdup(g_ascii_dtostr(text, sizeof(text), json_real_value(v)));
    }
    if (!json_is_string(v))
        return NULL;
    out = g_string_new(NULL);
    for (const char *start = json_string_value(v), *p = start; *p; p++) {
        bool edge = p == start || !p[1] || p[1] == '#';

        if (*p == '\\')
            g_string_append(out, "\\\\");
        else if (*p == '\n')
            g_string_append(out, "\\n");
        else if (*p == '\r')
            g_string_append(out, "\\r");
        else if (*p == '\t')
            g_string_append(out, "\\t");
        else if (*p == ' ' && edge)
            g_string_append(out, "\\s");
        else
            g_string_append_c(out, *p);
    }
    return g_string_free(out, FALSE);
}

static int group_set(GKeyFile *kf, const char *group, const json_t *keys)
{
    char **old = g_key_file_get_keys(kf, group, NULL, NULL);
    const char *key;
    json_t *v;

    for (int i = 0; old && old[i]; i++) {
        if (!json_object_get(keys, old[i]))
            g_key_file_remove_key(kf, group, old[i], NULL);
    }
    g_strfreev(old);
    json_object_foreach((json_t *)keys, key, v)
    {
        char *text = name_is_fine(key, "=[]") ? value_write(v) : NULL;

        if (!text)
            return -EINVAL;
        g_key_file_set_value(kf, group, key, text);
        g_free(text);
    }
    return 0;
}

static int write_all(int fd, const char *data, size_t len)
{
    while (len) {
        ssize_t n = write(fd, data, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        data += n;
        len -= (size_t)n;
    }
    return fsync(fd) ? -errno : 0;
}

/* The directory entry is durable as well. */
static int sync_dir(const char *path)
{
    char *copy = g_strdup(path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int err = 0;

    g_free(copy);
    if (fd < 0)
        return -errno;
    if (fsync(fd))
        err = -errno;
    close(fd);
    return err;
}

static int replace(const char *path, const char *data, size_t len)
{
    char *tmp = g_strdup_printf("%s.XXXXXX", path);
    int fd = mkostemp(tmp, O_CLOEXEC);
    struct stat st;
    int err;

    if (fd < 0) {
        err = -errno;
        g_free(tmp);
        return err;
    }
    err = write_all(fd, data, len);
    if (!err && !stat(path, &st) && fchmod(fd, st.st_mode & 07777))
        err = -errno;
    close(fd);
    if (!err && rename(tmp, path))
        err = -errno;
    if (err)
        unlink(tmp);
    else
        err = sync_dir(path);
    g_free(tmp);
    return err;
}

int sl_config_file_save(const char *path, const char *group, const json_t *keys)
{
    char err[256], real[PATH_MAX];
    const char *target = realpath(path, real) ? real : path; /* through a link */
    GKeyFile *kf;
    char *data;
    gsize len;
    int rc = 0;

    if (!name_is_fine(group, "[]"))
        return -EINVAL;
    kf = keyfile_load(target, true, err, sizeof(err));
    if (!kf)
        return -EBADMSG;
    if (keys)
        rc = group_set(kf, group, keys);
    else
        g_key_file_remove_group(kf, group, NULL);
    if (!rc) {
        data = g_key_file_to_data(kf, &len, NULL);
        rc = replace(target, data, len);
        g_free(data);
    }
    g_key_file_free(kf);
    return rc;
}

/* ---- for plugins ----------------------------------------------------------------------------- */

static json_t *store_load(const char *path, char *err, size_t cap)
{
    return sl_config_file_load(path, true, err, cap);
}

const struct sl_plugin_store sl_config_file_store = { store_load, sl_config_file_save };
