/*
 * impair - runs a command at the near end of a bad link.
 *
 *   impair COMMAND [ARGUMENT...]
 *
 * The command is in one network namespace, 10.77.0.1; 10.77.0.2 is in another, beyond the link. In
 * its environment:
 *
 *   IMPAIR_FAR       what `nsenter --net=$IMPAIR_FAR COMMAND` takes to run something there
 *   IMPAIR_CONTROL   a descriptor for lines to the link (impair_link.h), which come back answered
 *
 * Ends with the command, and as it did. 77: no namespaces can be made here, which is explained.
 */
#include "impair_link.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXIT_IMPOSSIBLE 77

static volatile pid_t child;

static void pass_on(int sig)
{
    if (child > 0)
        kill(child, sig);
}

static void run_command(const struct impair_net *net, int control, pid_t parent, char **argv)
{
    char far[64], fd[16];

    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(1);
    snprintf(far, sizeof(far), "/proc/%d/fd/%d", (int)parent, net->far.netns);
    snprintf(fd, sizeof(fd), "%d", control);
    setenv("IMPAIR_FAR", far, 1);
    setenv("IMPAIR_CONTROL", fd, 1);
    fcntl(control, F_SETFD, 0);
    execvp(argv[0], argv);
    fprintf(stderr, "impair: %s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

/* A link that comes late to its packets is another link. */
static void be_punctual(void)
{
    struct sched_param p = { .sched_priority = 1 };

    prctl(PR_SET_TIMERSLACK, 1UL);
    (void)sched_setscheduler(0, SCHED_RR, &p); /* without root: as well as it goes */
}

int main(int argc, char **argv)
{
    struct impair_link *link;
    struct impair_net net;
    pid_t self = getpid();
    int pair[2], status = 1, err;

    if (argc < 2) {
        fputs("usage: impair COMMAND [ARGUMENT...]\n", stderr);
        return 2;
    }
    err = impair_net_open(&net);
    if (err) {
        fprintf(stderr, "impair: no network namespaces with TUN devices here: %s\n",
                strerror(-err));
        return EXIT_IMPOSSIBLE;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair)) {
        perror("impair: socketpair");
        return 1;
    }
    link = impair_link_create(&net, pair[0]);
    child = link ? fork() : -1;
    if (child == 0)
        run_command(&net, pair[1], self, argv + 1);
    close(pair[1]);
    if (child < 0) {
        perror("impair");
        return 1;
    }
    signal(SIGINT, SIG_IGN); /* goes to the command, too */
    signal(SIGTERM, pass_on);
    be_punctual();
    err = impair_link_run(link); /* until nobody has the other end of the control stream */
    impair_link_destroy(link);
    if (err) {
        fprintf(stderr, "impair: %s\n", strerror(-err));
        kill(child, SIGTERM);
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
