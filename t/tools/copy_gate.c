
/*
 * Copyright (C) the ngx_lead authors
 *
 * A gate in the way of a backup: preloaded into leadctl, it holds the thread
 * that writes the copy for as long as a file is there.  So "while a backup is
 * made" is a condition of a test and not a sleep.
 *
 * The directory is that of LEAD_GATE.  While it has a file "copy", a thread
 * that is about to write to a file named backup.part makes "copy.held" and
 * waits; it unlinks that file when it goes on.  The path of what is synced is
 * written down, a line each, in "synced".
 *
 * It must not change what a call does or gives back, and keeps no memory.
 */


#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>


#define GATE_FILE   "/backup.part"
#define GATE_PAUSE  1000                     /* us */


typedef ssize_t (*gate_write_pt)(int fd, const void *buf, size_t n);
typedef int (*gate_sync_pt)(int fd);


ssize_t write(int fd, const void *buf, size_t n);
int fsync(int fd);

static void gate_path(int fd, char *path);
static int gate_of_copy(int fd);
static void gate_pass(const char *dir);


/* path has room for PATH_MAX */

static void
gate_path(int fd, char *path)
{
    char     link[64];
    ssize_t  n;

    (void) snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);

    n = readlink(link, path, PATH_MAX - 1);
    path[n > 0 ? n : 0] = '\0';
}


static int
gate_of_copy(int fd)
{
    char    path[PATH_MAX];
    size_t  n, len;

    gate_path(fd, path);

    n = strlen(path);
    len = sizeof(GATE_FILE) - 1;

    return n > len && strcmp(path + n - len, GATE_FILE) == 0;
}


static void
gate_pass(const char *dir)
{
    int   fd;
    char  gate[PATH_MAX], held[PATH_MAX + 8];

    (void) snprintf(gate, sizeof(gate), "%s/copy", dir);

    if (access(gate, F_OK) != 0) {
        return;
    }

    (void) snprintf(held, sizeof(held), "%s.held", gate);

    fd = open(held, O_WRONLY|O_CREAT|O_CLOEXEC, 0600);

    if (fd != -1) {
        (void) close(fd);
    }

    while (access(gate, F_OK) == 0) {
        (void) usleep(GATE_PAUSE);
    }

    (void) unlink(held);
}


ssize_t
write(int fd, const void *buf, size_t n)
{
    int             err;
    const char     *dir;
    gate_write_pt   next;

    err = errno;
    dir = getenv("LEAD_GATE");

    if (dir && gate_of_copy(fd)) {
        gate_pass(dir);
    }

    next = (gate_write_pt) dlsym(RTLD_NEXT, "write");
    errno = err;

    return next(fd, buf, n);
}


int
fsync(int fd)
{
    int           rc, err, log;
    char          path[PATH_MAX], file[PATH_MAX];
    const char   *dir;
    gate_sync_pt  next;

    next = (gate_sync_pt) dlsym(RTLD_NEXT, "fsync");

    rc = next(fd);
    err = errno;
    dir = getenv("LEAD_GATE");

    if (rc == 0 && dir) {
        gate_path(fd, path);
        (void) snprintf(file, sizeof(file), "%s/synced", dir);

        log = open(file, O_WRONLY|O_CREAT|O_APPEND|O_CLOEXEC, 0600);

        if (log != -1) {
            (void) dprintf(log, "%s\n", path);
            (void) close(log);
        }
    }

    errno = err;

    return rc;
}
