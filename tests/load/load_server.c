#include "load_server.h"

#include "base/rand.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PORT_LOW  3000
#define PORT_HIGH 19000
#define READY_MS  5000
#define STOP_MS   3000
#define PORTS     64 /* in a row, free: workers, and what janus allocates from */

static bool is_free(int type, uint16_t port)
{
    struct sl_addr a;
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    bool ok;

    (void)sl_addr_from_ip("0.0.0.0", port, &a);
    ok = fd >= 0 && bind(fd, &a.sa, sl_addr_len(&a)) == 0;
    if (fd >= 0)
        close(fd);
    return ok;
}

/* The first of PORTS ports in a row that nobody has, below the ephemeral ones. */
static uint16_t free_ports(void)
{
    for (;;) {
        uint16_t port = (uint16_t)(PORT_LOW + sl_rand32() % (PORT_HIGH - PORT_LOW));
        bool ok = is_free(SOCK_STREAM, port);

        for (uint16_t i = 0; ok && i < PORTS; i++)
            ok = is_free(SOCK_DGRAM, (uint16_t)(port + i));
        if (ok)
            return port;
    }
}

static void sleep_ms(int ms)
{
    (void)poll(NULL, 0, ms);
}

static bool listens(const struct sl_addr *a)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && connect(fd, &a->sa, sl_addr_len(a)) == 0;

    if (fd >= 0)
        close(fd);
    return ok;
}

static void write_file(const char *dir, const char *name, const char *text)
{
    char path[PATH_MAX];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    f = fopen(path, "we");
    if (f) {
        fputs(text, f);
        fclose(f);
    }
}

/* Links a module of Debian's package, which lies in a folder of the architecture, into @dir. */
static void link_into(const char *dir, const char *name)
{
    char pattern[128], to[PATH_MAX];
    glob_t g;

    snprintf(pattern, sizeof(pattern), "/usr/lib/*/janus/*/%s", name);
    snprintf(to, sizeof(to), "%s/%s", dir, name);
    if (glob(pattern, 0, NULL, &g) == 0)
        (void)symlink(g.gl_pathv[0], to);
    globfree(&g);
}

/* Everything of Debian's package that the cases need, and nothing else. */
static void write_janus(const struct load_server_conf *conf, const char *dir, uint16_t port)
{
    char text[1024], loops[64] = "";

    if (conf->event_loops)
        snprintf(loops, sizeof(loops), " event_loops = %d", conf->event_loops);
    link_into(dir, "libjanus_videoroom.so");
    link_into(dir, "libjanus_websockets.so");
    snprintf(text, sizeof(text),
             "general: { configs_folder = \"%s\"; plugins_folder = \"%s\"; transports_folder = "
             "\"%s\"; events_folder = \"/nonexistent\"; loggers_folder = \"/nonexistent\"; "
             "debug_level = 2; session_timeout = 60;%s }\n"
             "media: { rtp_port_range = \"20000-32000\" }\n"
             "nat: { ignore_mdns = true; full_trickle = false }\n"
             "plugins: { disable = \"libjanus_websockets.so\" }\n"
             "transports: { disable = \"libjanus_videoroom.so\" }\n",
             dir, dir, dir, loops);
    write_file(dir, "janus.jcfg", text);
    snprintf(text, sizeof(text),
             "general: { json = \"compact\"; ws = true; ws_port = %u; ws_ip = \"127.0.0.1\"; wss = "
             "false }\nadmin: { admin_ws = false }\n",
             port);
    write_file(dir, "janus.transport.websockets.jcfg", text);
    write_file(dir, "janus.plugin.videoroom.jcfg", "general: { }\n");
}

struct args {
    char *v[3 * LOAD_ARGS_MAX];
    size_t n;
};

static void add(struct args *a, const char *text)
{
    if (a->n < sizeof(a->v) / sizeof(a->v[0]) - 1)
        a->v[a->n++] = strdup(text);
}

static void add_option(struct args *a, const char *key, const char *value)
{
    char text[PATH_MAX + 64];

    snprintf(text, sizeof(text), "%s=%s", key, value);
    add(a, "-o");
    add(a, text);
}

static void sluice_args(const struct load_server_conf *conf, const char *dir, uint16_t port,
                        struct args *a)
{
    char program[PATH_MAX], plugins[PATH_MAX + 64], number[16];

    snprintf(program, sizeof(program), "%s", conf->program);
    snprintf(plugins, sizeof(plugins), "%s/plugins/videoroom/.libs", dirname(program));
    snprintf(number, sizeof(number), "%u", port);
    if (access(plugins, R_OK) == 0) /* in a build tree; an installed one finds its own */
        add_option(a, "general.plugins_dir", plugins);
    add_option(a, "general.config_dir", dir);
    add_option(a, "general.log_level", "warn");
    add_option(a, "http.enabled", "no");
    add_option(a, "websockets.bind", "127.0.0.1");
    add_option(a, "websockets.port", number);
    add_option(a, "media.bind", "127.0.0.1");
    add_option(a, "media.port", number);
    for (size_t i = 0; i < conf->noptions; i++) {
        add(a, "-o");
        add(a, conf->options[i]);
    }
}

static void floor_args(const struct load_server_conf *conf, uint16_t port, struct args *a)
{
    char number[16];

    snprintf(number, sizeof(number), "%u", port);
    add(a, "--port");
    add(a, number);
    add(a, "--bind");
    add(a, "127.0.0.1");
    add(a, "--method");
    add(a, conf->method);
    add(a, "--profile");
    add(a, conf->profile);
}

static pid_t run(struct args *a, const char *log)
{
    pid_t parent = getpid(), pid = fork();

    if (pid != 0)
        return pid;
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    if (log) {
        int fd = open(log, O_WRONLY | O_CREAT, 0600);

        (void)dup2(fd, STDERR_FILENO);
        (void)dup2(fd, STDOUT_FILENO);
    } else {
        (void)dup2(STDERR_FILENO, STDOUT_FILENO); /* our results stand alone on stdout */
    }
    execv(a->v[0], a->v);
    fprintf(stderr, "load: %s: %s\n", a->v[0], strerror(errno));
    _exit(127);
}

static int wait_ready(const struct load_server_conf *conf, struct load_server *s)
{
    for (int ms = 0; ms < READY_MS; ms += 20) {
        int status;

        sleep_ms(20);
        if (waitpid(s->pid, &status, WNOHANG) == s->pid) {
            s->is_child = false;
            break;
        }
        /* Whoever registers with the floor asks until it answers. */
        if (conf->kind == LOAD_FLOOR || listens(&s->addr))
            return 0;
    }
    fprintf(stderr, "load: %s does not listen\n", conf->program);
    load_server_stop(s);
    return -ECONNREFUSED;
}

int load_server_start(const struct load_server_conf *conf, struct load_server *s)
{
    uint16_t port = free_ports();
    char log[128] = "";
    struct args a = { .n = 0 };

    memset(s, 0, sizeof(*s));
    snprintf(s->dir, sizeof(s->dir), "/tmp/sluice-load-XXXXXX");
    if (!mkdtemp(s->dir))
        return -errno;
    (void)sl_addr_from_ip("127.0.0.1", port, &s->addr);
    add(&a, conf->program);
    switch (conf->kind) {
    case LOAD_SLUICE:
        sluice_args(conf, s->dir, port, &a);
        break;
    case LOAD_JANUS:
        write_janus(conf, s->dir, port);
        add(&a, "-F");
        add(&a, s->dir);
        snprintf(log, sizeof(log), "%s/log", s->dir);
        break;
    case LOAD_FLOOR:
        floor_args(conf, port, &a);
        snprintf(log, sizeof(log), "%s/log", s->dir);
        break;
    }
    s->pid = run(&a, *log ? log : NULL);
    s->is_child = s->pid > 0;
    for (size_t i = 0; i < a.n; i++)
        free(a.v[i]);
    return s->is_child ? wait_ready(conf, s) : -EAGAIN;
}

static void remove_dir(const char *dir)
{
    DIR *d = opendir(dir);
    struct dirent *e;

    while (d && (e = readdir(d)))
        (void)unlinkat(dirfd(d), e->d_name, 0);
    if (d)
        closedir(d);
    (void)rmdir(dir);
}

void load_server_stop(struct load_server *s)
{
    if (s->is_child)
        (void)kill(s->pid, SIGTERM);
    for (int ms = 0; s->is_child && ms < STOP_MS; ms += 20) {
        s->is_child = waitpid(s->pid, NULL, WNOHANG) == 0;
        if (s->is_child)
            sleep_ms(20);
    }
    if (s->is_child) {
        (void)kill(s->pid, SIGKILL);
        (void)waitpid(s->pid, NULL, 0);
        s->is_child = false;
    }
    if (*s->dir)
        remove_dir(s->dir);
    *s->dir = '\0';
}
