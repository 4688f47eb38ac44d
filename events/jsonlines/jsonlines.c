/*
 * jsonlines.c - the event handler that writes each event as one line to a file or to stderr.
 *
 * conf/jsonlines.conf, group general: `path` (unset: stderr) and `events` (the core's).
 *
 * The file is opened for appending, made with mode 0600, and opened anew when its name stands for
 * another file or for none (rotation by renaming needs no signal). What cannot be written is lost
 * and counted; a line that was cut by an error ends there.
 */
#include <sluice/event.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIPE_CHUNK 4096 /* what a pipe that polls writable takes without blocking */
#define POLL_MS    50

static struct {
    const struct sl_event_core *core;
    const char *path; /* NULL: stderr */
    int fd;           /* -1: not open */
    bool may_block;   /* no regular file */
    bool torn;        /* the last line was cut */
    bool failed;      /* and that was logged */
} self;

static void complain(const char *what, int err)
{
    char text[256];

    if (self.failed)
        return;
    self.failed = true;
    (void)snprintf(text, sizeof(text), "what=\"%s\" error=\"%s\"", what, strerror(err));
    self.core->log(self.core, 0, "cannot_write", text);
}

static void file_close(void)
{
    if (self.fd >= 0 && self.path)
        close(self.fd);
    self.fd = -1;
}

/* 0 or -errno. A pipe that nobody reads is -ENXIO: its open would wait, with the server. */
static int file_open(void)
{
    struct stat st;

    self.fd = self.path
                  ? open(self.path,
                         O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600)
                  : STDERR_FILENO;
    if (self.fd < 0)
        return -errno;
    self.may_block = fstat(self.fd, &st) || !S_ISREG(st.st_mode);
    return 0;
}

/* Whether the name still stands for what is open. */
static bool is_current(void)
{
    struct stat a, b;

    if (self.fd < 0)
        return false;
    return !self.path || (!fstat(self.fd, &a) && !stat(self.path, &b) && a.st_dev == b.st_dev &&
                          a.st_ino == b.st_ino);
}

/* Until it can be written to, or patience ends. */
static bool wait_for_room(void)
{
    struct pollfd p = { .fd = self.fd, .events = POLLOUT };

    for (;;) {
        unsigned int left = self.core->patience_ms(self.core);

        if (poll(&p, 1, left < POLL_MS ? (int)left : POLL_MS) > 0)
            return true;
        if (!left)
            return false;
    }
}

/* How much of it was written. */
static size_t write_all(const char *data, size_t len)
{
    size_t done = 0;

    while (done < len) {
        size_t want = len - done;
        ssize_t n;

        if (self.may_block && !wait_for_room())
            break;
        if (self.may_block && want > PIPE_CHUNK)
            want = PIPE_CHUNK;
        n = write(self.fd, data + done, want);
        if (n > 0) {
            done += (size_t)n;
        } else if (n < 0 && errno != EINTR && errno != EAGAIN) {
            complain(self.path ? self.path : "stderr", errno);
            break;
        }
    }
    return done;
}

/* The lines as one text, with its length; NULL: out of memory. */
static char *join(const struct sl_event *events, size_t n, size_t *len)
{
    size_t size = 1;
    char *text, *p;

    for (size_t i = 0; i < n; i++)
        size += events[i].len + 1;
    text = malloc(size);
    if (!text)
        return NULL;
    p = text;
    if (self.torn)
        *p++ = '\n';
    for (size_t i = 0; i < n; i++) {
        memcpy(p, events[i].text, events[i].len);
        p += events[i].len;
        *p++ = '\n';
    }
    *len = (size_t)(p - text);
    return text;
}

/* How many of the lines end within the first @done bytes of @text. */
static size_t count_lines(const char *text, size_t done)
{
    size_t lines = 0;

    for (size_t i = self.torn; i < done; i++)
        lines += text[i] == '\n';
    return lines;
}

static size_t deliver(const struct sl_event *events, size_t n)
{
    size_t len, done, lines;
    char *text;

    if (!is_current()) {
        int err;

        file_close();
        err = file_open();
        if (err) {
            complain(self.path, -err);
            return n;
        }
        self.torn = false;
    }
    text = join(events, n, &len);
    if (!text)
        return n;
    done = write_all(text, len);
    lines = count_lines(text, done);
    if (done)
        self.torn = text[done - 1] != '\n';
    if (lines == n)
        self.failed = false;
    free(text);
    return n - lines;
}

static int init(const struct sl_event_core *core)
{
    const json_t *general = json_object_get(core->config(core), "general");
    const char *key;
    json_t *value;
    int err;

    self.core = core;
    self.path = json_string_value(json_object_get(general, "path"));
    if (self.path && !*self.path)
        self.path = NULL;
    self.fd = -1;
    self.torn = self.failed = false;
    json_object_foreach((json_t *)general, key, value)
    {
        char text[256];

        if (!strcmp(key, "path") || !strcmp(key, "events"))
            continue;
        (void)snprintf(text, sizeof(text),
                       "error=\"there is no key '%s'; it expects path, events\"", key);
        core->log(core, 0, "config", text);
        return -EINVAL;
    }
    err = file_open();
    if (err)
        complain(self.path, -err);
    return err;
}

static void fini(void)
{
    file_close();
}

SL_EVENT_HANDLER_EXPORT = {
    .abi = SL_EVENT_ABI,
    .size = sizeof(struct sl_event_handler),
    .package = "janus.eventhandler.jsonlines",
    .name = "JSON lines",
    .author = "Sluice",
    .description = "Writes each event as a line of JSON to a file or to stderr",
    .version_string = "1.0.0",
    .version = 1,
    .init = init,
    .fini = fini,
    .deliver = deliver,
};
