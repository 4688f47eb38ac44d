/* hello.h - what the files of the plugin share. Thread: control. */
#ifndef HELLO_H
#define HELLO_H

#include <sluice/args.h>
#include <sluice/plugin.h>

#define HELLO_LINES_MAX 16

extern const struct sl_core *hello_core;

/* One handle: a client of ours. */
struct hello {
    sl_hid h;
    /* The request `remind` that waits, if any. */
    uint64_t timer; /* 0: none does */
    struct sl_msg *asked;
    char text[SL_ARG_NAME_MAX + 1];
    unsigned int reminders;
};

void hello_fail(struct hello *c, struct sl_msg *m, int code, const char *text);
/* The request `echo`. */
void hello_echo(struct hello *c, struct sl_msg *m, const struct sl_jsep_in *jsep);
/* What a client says on a data channel. */
void hello_on_data(sl_hid h, void *state, const char *label, const char *protocol, bool binary,
                   const void *data, size_t len);

#endif
