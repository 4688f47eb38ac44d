/*
 * Draws simulated calls: capacity, estimate, what arrived, queue and chosen layer over time, as
 * SVG.
 *
 * Usage: sim_plot DIRECTORY     writes DIRECTORY/NAME.svg for each case (make plots)
 */
#include "sim_call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLES_MAX 4096
#define LEFT        60.0
#define WIDTH       900.0
#define RATE_TOP    30.0
#define RATE_H      220.0
#define QUEUE_TOP   280.0
#define QUEUE_H     80.0
#define LAYER_TOP   390.0
#define LAYER_H     90.0
#define QUEUE_MS    400.0
#define RUNGS       9 /* substream * 3 + temporal layer */

struct plot {
    const char *name, *title;
    double seconds, bps_max;
    void (*build)(struct sim_world **w);
    struct {
        double s, bps;
    } steps[6];
    struct sim_sample sample[SAMPLES_MAX];
    size_t n, ncalls;
};

static const struct sim_link_conf plain = { .bps = 1e6, .queue_us = 300 * MS, .delay_us = 50 * MS };
static const char *const colors[SIM_CALLS_MAX] = { "#1668b8", "#c2410c", "#15803d", "#7e22ce" };

static struct sim_call *add(struct sim_world *w, int videos)
{
    struct sim_call *c = sim_add_call(w, 150e3, 500e3, 1500e3);

    for (int i = 1; i < videos; i++)
        sim_add_video(c, 150e3, 500e3, 1500e3, 1);
    return c;
}

static void one(struct sim_world **w)
{
    *w = sim_create(&plain, 1);
    (void)add(*w, 1);
}

static void one_of_two_videos(struct sim_world **w)
{
    *w = sim_create(&plain, 1);
    (void)add(*w, 2);
}

static void lossy(struct sim_world **w)
{
    struct sim_link_conf conf = plain;

    conf.loss = 0.1;
    *w = sim_create(&conf, 1);
    (void)add(*w, 2);
}

static void two(struct sim_world **w)
{
    *w = sim_create(&plain, 1);
    (void)add(*w, 2);
    add(*w, 2)->begin_us += 20 * SECOND;
}

static struct plot plots[] = {
    { .name = "steps",
      .title = "A link of 2.5, 0.6, 2.5 Mbit/s; two videos",
      .seconds = 120,
      .bps_max = 3.5e6,
      .build = one_of_two_videos,
      .steps = { { 0, 2.5e6 }, { 40, 6e5 }, { 80, 2.5e6 } } },
    { .name = "variable",
      .title = "RFC 8867 section 5.1: 1, 2.5, 0.6, 1 Mbit/s; one video",
      .seconds = 120,
      .bps_max = 3.5e6,
      .build = one,
      .steps = { { 0, 1e6 }, { 40, 2.5e6 }, { 60, 6e5 }, { 80, 1e6 } } },
    { .name = "loss",
      .title = "10 % random loss, flat delay, 2.2 Mbit/s; two videos",
      .seconds = 120,
      .bps_max = 3.5e6,
      .build = lossy,
      .steps = { { 0, 2.2e6 } } },
    { .name = "shared",
      .title = "Two subscribers on 2 Mbit/s, the second from 20 s on",
      .seconds = 200,
      .bps_max = 3e6,
      .build = two,
      .steps = { { 0, 2e6 } } },
};

static void keep(void *arg, const struct sim_sample *s)
{
    struct plot *p = arg;

    if (p->n < SAMPLES_MAX)
        p->sample[p->n++] = *s;
}

static void simulate(struct plot *p)
{
    struct sim_world *w;

    p->build(&w);
    w->sample = keep;
    w->arg = p;
    for (size_t i = 0; i < sizeof(p->steps) / sizeof(p->steps[0]) && p->steps[i].bps > 0; i++) {
        sim_run(w, (uint64_t)(p->steps[i].s * 1e6));
        sim_link_set_bps(&w->link, p->steps[i].bps, w->now_us);
    }
    sim_run(w, (uint64_t)(p->seconds * 1e6));
    p->ncalls = w->ncalls;
    sim_destroy(w);
}

static double x_of(const struct plot *p, double s)
{
    return LEFT + WIDTH * s / p->seconds;
}

static double y_of(double top, double height, double v, double max)
{
    return top + height * (1 - (v > max ? max : v < 0 ? 0 : v) / max);
}

enum curve { LINK, ESTIMATE, DELIVERED, QUEUE, LAYER };

static double y_at(const struct plot *p, enum curve c, size_t call, size_t i)
{
    const struct sim_sample *s = &p->sample[i];
    double sum = 0;
    size_t n = 0;

    switch (c) {
    case LINK:
        return y_of(RATE_TOP, RATE_H, s->link, p->bps_max);
    case ESTIMATE:
        return y_of(RATE_TOP, RATE_H, s->estimate[call], p->bps_max);
    case DELIVERED: /* of half a second */
        for (; n < 5 && n <= i; n++)
            sum += p->sample[i - n].delivered[call];
        return y_of(RATE_TOP, RATE_H, sum / (double)n, p->bps_max);
    case QUEUE:
        return y_of(QUEUE_TOP, QUEUE_H, s->queue_ms, QUEUE_MS);
    case LAYER:
        return y_of(LAYER_TOP, LAYER_H, s->layer[call] + 1, RUNGS);
    }
    return 0;
}

static void draw(FILE *f, const struct plot *p, enum curve c, size_t call, const char *style)
{
    fprintf(f, "<polyline fill='none' %s points='", style);
    for (size_t i = 0; i < p->n; i += c == LINK || c == LAYER ? 1 : 2)
        fprintf(f, "%.1f,%.1f ", x_of(p, p->sample[i].s), y_at(p, c, call, i));
    fprintf(f, "'/>\n");
}

static void label(FILE *f, double x, double y, const char *anchor, const char *text)
{
    fprintf(f, "<text x='%.1f' y='%.1f' text-anchor='%s'>%s</text>\n", x, y, anchor, text);
}

static void draw_axes(FILE *f, const struct plot *p)
{
    static const char *const rungs[] = { "paused", "0", "1", "2" };
    char text[32];

    for (double bps = 0; bps <= p->bps_max; bps += 5e5) {
        double y = y_of(RATE_TOP, RATE_H, bps, p->bps_max);

        fprintf(f, "<path d='M%.1f %.1fH%.1f' stroke='#ddd'/>\n", LEFT, y, LEFT + WIDTH);
        snprintf(text, sizeof(text), "%.1f", bps / 1e6);
        label(f, LEFT - 6, y + 4, "end", text);
    }
    for (double ms = 0; ms <= QUEUE_MS; ms += 200) {
        double y = y_of(QUEUE_TOP, QUEUE_H, ms, QUEUE_MS);

        fprintf(f, "<path d='M%.1f %.1fH%.1f' stroke='#ddd'/>\n", LEFT, y, LEFT + WIDTH);
        snprintf(text, sizeof(text), "%.0f", ms);
        label(f, LEFT - 6, y + 4, "end", text);
    }
    for (int i = 0; i < 4; i++) {
        double y = y_of(LAYER_TOP, LAYER_H, 3 * i, RUNGS);

        fprintf(f, "<path d='M%.1f %.1fH%.1f' stroke='#ddd'/>\n", LEFT, y, LEFT + WIDTH);
        label(f, LEFT - 6, y + 4, "end", rungs[i]);
    }
    for (double s = 0; s <= p->seconds; s += 20) {
        snprintf(text, sizeof(text), "%.0f s", s);
        label(f, x_of(p, s), LAYER_TOP + LAYER_H + 18, "middle", text);
    }
    label(f, LEFT + 6, RATE_TOP + 14, "start",
          "Mbit/s: capacity (grey), estimate (thin), media that arrived (bold)");
    label(f, LEFT + 6, QUEUE_TOP - 4, "start", "queue of the link, ms");
    label(f, LEFT + 6, LAYER_TOP - 4, "start",
          "substream of the first video; a step between lines is a temporal layer");
}

static int write_svg(const struct plot *p, const char *dir)
{
    char path[512], style[128];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s.svg", dir, p->name);
    f = fopen(path, "w");
    if (!f) {
        perror(path);
        return 1;
    }
    fprintf(f,
            "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %.0f %.0f' "
            "font-family='sans-serif' font-size='11'>\n<rect width='100%%' height='100%%' "
            "fill='#fff'/>\n",
            LEFT + WIDTH + 20, LAYER_TOP + LAYER_H + 30);
    fprintf(f, "<text x='%.0f' y='18' font-size='14'>%s</text>\n", LEFT, p->title);
    draw_axes(f, p);
    draw(f, p, LINK, 0, "stroke='#999' stroke-width='2'");
    draw(f, p, QUEUE, 0, "stroke='#444'");
    for (size_t i = 0; i < p->ncalls; i++) {
        snprintf(style, sizeof(style), "stroke='%s' stroke-width='1'", colors[i]);
        draw(f, p, ESTIMATE, i, style);
        draw(f, p, LAYER, i, style);
        snprintf(style, sizeof(style), "stroke='%s' stroke-width='2.4' opacity='0.6'", colors[i]);
        draw(f, p, DELIVERED, i, style);
    }
    fprintf(f, "</svg>\n");
    return fclose(f) != 0;
}

int main(int argc, char **argv)
{
    int failed = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
        return 2;
    }
    for (size_t i = 0; i < sizeof(plots) / sizeof(plots[0]); i++) {
        simulate(&plots[i]);
        failed |= write_svg(&plots[i], argv[1]);
    }
    return failed;
}
