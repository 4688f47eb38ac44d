/*
 * replay_main.c - runs a fuzz target on the files of its corpus, for `make check`.
 *
 * Usage: fuzz_<name> [DIRECTORY...]; without arguments $top_srcdir/tests/fuzz/corpus/<name>.
 * Each file is tried in a child process, so that one that crashes does not hide the others.
 */
#include "fuzz.h"
#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define REPLAY_TIMEOUT_S 20 /* of one file */

static unsigned passed, failed;

/* The bytes in a block of exactly that size, so that sanitizers see reads beyond. */
static uint8_t *read_file(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    struct stat st;
    uint8_t *data = NULL;

    if (!f)
        return NULL;
    if (!fstat(fileno(f), &st)) {
        *size = (size_t)st.st_size;
        data = malloc(*size ? *size : 1);
        if (data && fread(data, 1, *size, f) != *size) {
            free(data);
            data = NULL;
        }
    }
    fclose(f);
    return data;
}

static bool try_file(const char *path)
{
    int status = -1;
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        size_t size = 0;
        uint8_t *data = read_file(path, &size);
        int rc;

        if (!data)
            _exit(2);
        alarm(REPLAY_TIMEOUT_S);
        rc = LLVMFuzzerTestOneInput(data, size);
        free(data);
        exit(rc ? 1 : 0); /* not _exit: leaks are looked for at exit */
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static void replay_dir(const char *dir)
{
    struct dirent **names;
    int n = scandir(dir, &names, NULL, alphasort);
    char path[PATH_MAX];

    if (n < 0) {
        fprintf(stderr, "%s: cannot be read\n", dir);
        failed++;
        return;
    }
    for (int i = 0; i < n; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", dir, names[i]->d_name);
        if (names[i]->d_name[0] == '.') {
            /* no input */
        } else if (try_file(path)) {
            passed++;
        } else {
            fprintf(stderr, "FAILED %s\n", path);
            failed++;
        }
        free(names[i]);
    }
    free(names);
}

int main(int argc, char **argv)
{
    const char *base = strrchr(argv[0], '/');
    const char *name = strstr(base ? base : argv[0], "fuzz_");
    const char *top = getenv("top_srcdir");
    char dir[PATH_MAX];

    for (int i = 1; i < argc; i++)
        replay_dir(argv[i]);
    if (argc < 2 && name) {
        (void)snprintf(dir, sizeof(dir), "%s/tests/fuzz/corpus/%s", top ? top : ".", name + 5);
        replay_dir(dir);
    }
    if (!passed && !failed) {
        fprintf(stderr, "no input found\n");
        failed++;
    }
    printf("%s: %u passed, %u failed\n", name ? name : argv[0], passed, failed);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
