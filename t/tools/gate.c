
/*
 * Copyright (C) the ngx_lead authors
 *
 * A gate in the way of a store's commit: preloaded into nginx, it holds a
 * thread that is about to take a step of a commit for as long as a file is
 * there, and says by another file that somebody waits.  So "while a lead is
 * committed" is a condition of a test and not a sleep.
 *
 * The directory is that of LEAD_GATE.  While it has a file "<step>", a thread
 * that comes to the step makes "<step>.held", with its process id, and waits;
 * it unlinks that file when it goes on.  The steps of a commit of LMDB, in
 * their order:
 *
 *     pages    the pages that changed are about to be written
 *     sync     they are about to be synced
 *     meta     the page that makes them valid is about to be written
 *     done     it is on disk; nobody has been told
 *
 * Only files named lead.mdb are looked at.  It must not change what a call
 * does or gives back, and keeps no memory.
 */


#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>


#define GATE_FILE   "/lead.mdb"
#define GATE_PAUSE  1000                     /* us */

/* the two pages that say which tree is valid are the file's first */
#define GATE_PAGE   4096
#define GATE_META   (2 * GATE_PAGE)


typedef ssize_t (*gate_pwrite_pt)(int fd, const void *buf, size_t n,
    off_t offset);
typedef ssize_t (*gate_writev_pt)(int fd, const struct iovec *iov, int n);
typedef int (*gate_sync_pt)(int fd);


ssize_t pwrite(int fd, const void *buf, size_t n, off_t offset);
ssize_t pwrite64(int fd, const void *buf, size_t n, off_t offset);
ssize_t writev(int fd, const struct iovec *iov, int n);
int fdatasync(int fd);

static void gate_init(void) __attribute__((constructor));
static int gate_of_store(int fd);
static void gate_pass(const char *step);


static char            gate_dir[PATH_MAX];
static gate_pwrite_pt  gate_pwrite;
static gate_writev_pt  gate_writev;
static gate_sync_pt    gate_fdatasync;


/* nginx empties its environment before there are workers */

static void
gate_init(void)
{
    const char  *dir;

    dir = getenv("LEAD_GATE");

    if (dir && strlen(dir) < sizeof(gate_dir) - 16) {
        strcpy(gate_dir, dir);
    }

    gate_pwrite = (gate_pwrite_pt) dlsym(RTLD_NEXT, "pwrite");
    gate_writev = (gate_writev_pt) dlsym(RTLD_NEXT, "writev");
    gate_fdatasync = (gate_sync_pt) dlsym(RTLD_NEXT, "fdatasync");
}


static int
gate_of_store(int fd)
{
    char     link[64], path[PATH_MAX];
    size_t   len;
    ssize_t  n;

    if (gate_dir[0] == '\0') {
        return 0;
    }

    (void) snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);

    len = sizeof(GATE_FILE) - 1;
    n = readlink(link, path, sizeof(path));

    return n > (ssize_t) len
           && memcmp(path + n - len, GATE_FILE, len) == 0;
}


static void
gate_pass(const char *step)
{
    int   fd, err;
    char  gate[PATH_MAX + 16], held[PATH_MAX + 32];

    err = errno;

    (void) snprintf(gate, sizeof(gate), "%s/%s", gate_dir, step);

    if (access(gate, F_OK) == 0) {

        (void) snprintf(held, sizeof(held), "%s.held", gate);

        fd = open(held, O_WRONLY|O_CREAT|O_CLOEXEC, 0600);

        if (fd != -1) {
            (void) dprintf(fd, "%d\n", (int) getpid());
            (void) close(fd);
        }

        while (access(gate, F_OK) == 0) {
            (void) usleep(GATE_PAUSE);
        }

        (void) unlink(held);
    }

    errno = err;
}


ssize_t
pwrite(int fd, const void *buf, size_t n, off_t offset)
{
    int      meta;
    ssize_t  rc;

    if (!gate_of_store(fd)) {
        return gate_pwrite(fd, buf, n, offset);
    }

    /* whole pages are written there only to settle what another commit left */

    meta = offset < GATE_META && n < GATE_PAGE;

    gate_pass(meta ? "meta" : "pages");

    rc = gate_pwrite(fd, buf, n, offset);

    if (meta) {
        gate_pass("done");
    }

    return rc;
}


ssize_t
pwrite64(int fd, const void *buf, size_t n, off_t offset)
{
    return pwrite(fd, buf, n, offset);
}


ssize_t
writev(int fd, const struct iovec *iov, int n)
{
    if (gate_of_store(fd)) {
        gate_pass("pages");
    }

    return gate_writev(fd, iov, n);
}


int
fdatasync(int fd)
{
    if (gate_of_store(fd)) {
        gate_pass("sync");
    }

    return gate_fdatasync(fd);
}
