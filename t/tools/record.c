
/*
 * Copyright (C) the ngx_lead authors
 *
 * Writes down what is done to a store's file: preloaded into a program, it
 * keeps a log of each write, truncation and sync (t/power/power_log.h), from
 * which t/power/power_replay.c makes the file as a power cut may have left it.
 *
 * LEAD_RECORD is the log, LEAD_RECORD_FILE the store's file; both are absolute
 * paths without symbolic links.  Several processes may write one log.
 *
 * With LEAD_RECORD_FAIL=<kind>:<n>[+<k>][!], kind "sync", "meta" or "write",
 * the n-th sync, the n-th write that is synced by itself, or the n-th of the
 * others is carried out and reported as failed (EIO), as a disk does that
 * loses its voice and not its mind; and so are the k syncs behind it.  They are
 * counted over all processes that are forked by the first.  With "!" the mode
 * of the file cannot be changed once there is something in it, as if it were
 * another owner's.
 *
 * Else it changes nothing of what a call does or gives back.  It keeps no
 * memory, and calls the kernel itself: what it stands before may be called
 * before it is set up.
 */


#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../power/power_log.h"


int open(const char *path, int flags, ...);
int open64(const char *path, int flags, ...);
ssize_t write(int fd, const void *buf, size_t n);
ssize_t writev(int fd, const struct iovec *iov, int n);
ssize_t pwrite(int fd, const void *buf, size_t n, off_t offset);
ssize_t pwrite64(int fd, const void *buf, size_t n, off_t offset);
ssize_t pwritev(int fd, const struct iovec *iov, int n, off_t offset);
ssize_t pwritev64(int fd, const struct iovec *iov, int n, off_t offset);
int fsync(int fd);
int fdatasync(int fd);
int ftruncate(int fd, off_t size);
int ftruncate64(int fd, off_t size);
int fchmod(int fd, mode_t mode);
void lead_power_mark(const char *text);

static void record_init(void) __attribute__((constructor));
static int record_of_store(int fd);
static int record_of_dir(int fd);
static uint64_t record_line(int kind, int flags, uint64_t serial,
    int64_t offset, int64_t result, const struct iovec *iov, int n);
static ssize_t record_written(uint64_t serial, int flags, ssize_t result);
static uint64_t record_write(int fd, const struct iovec *iov, int n,
    off_t offset, int *flags);
static int record_sync(int fd, long call);
static int record_fails(const char *kind, unsigned *n);


static int                  record_log = -1;
static char                 record_file[PATH_MAX];
static size_t               record_dir;
static uint64_t             record_last;
static char                 record_fail[32];


/* of what may fail: how many there were, in all processes */

typedef struct {
    unsigned                syncs;
    unsigned                metas;
    unsigned                writes;
    unsigned                more;       /* syncs to fail */
} record_count_t;

static record_count_t      *record_count;


/* nginx empties its environment before there are workers */

static void
record_init(void)
{
    const char  *log, *file, *fail;

    log = getenv("LEAD_RECORD");
    file = getenv("LEAD_RECORD_FILE");
    fail = getenv("LEAD_RECORD_FAIL");

    if (log == NULL || file == NULL || strlen(file) >= sizeof(record_file)) {
        return;
    }

    record_count = mmap(NULL, sizeof(record_count_t), PROT_READ|PROT_WRITE,
                        MAP_SHARED|MAP_ANONYMOUS, -1, 0);

    if (record_count == MAP_FAILED) {
        abort();
    }

    if (fail != NULL && strlen(fail) < sizeof(record_fail)) {
        strcpy(record_fail, fail);
    }

    strcpy(record_file, file);
    record_dir = (size_t) (strrchr(record_file, '/') - record_file);

    record_log = (int) syscall(SYS_openat, AT_FDCWD, log,
                               O_WRONLY|O_CREAT|O_APPEND|O_CLOEXEC, 0666);
}


static int
record_of_store(int fd)
{
    char     link[64], path[PATH_MAX];
    ssize_t  n;

    if (record_log == -1) {
        return 0;
    }

    (void) snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);

    n = readlink(link, path, sizeof(path));

    return n > 0
           && (size_t) n == strlen(record_file)
           && memcmp(path, record_file, (size_t) n) == 0;
}


static int
record_of_dir(int fd)
{
    char     link[64], path[PATH_MAX];
    ssize_t  n;

    if (record_log == -1) {
        return 0;
    }

    (void) snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);

    n = readlink(link, path, sizeof(path));

    return n > 0
           && (size_t) n == record_dir
           && memcmp(path, record_file, (size_t) n) == 0;
}


/* one write of the log for a line, so that no two are mixed; a log that lacks
 * one proves nothing */

static uint64_t
record_line(int kind, int flags, uint64_t serial, int64_t offset,
    int64_t result, const struct iovec *iov, int n)
{
    int           i;
    ssize_t       size;
    power_head_t  head;
    struct iovec  out[IOV_MAX];

    memset(&head, 0, sizeof(head));

    if (serial == 0) {
        serial = __atomic_add_fetch(&record_last, 1, __ATOMIC_RELAXED);
        serial += (uint64_t) getpid() << 32;
    }

    head.magic = POWER_MAGIC;
    head.kind = (uint16_t) kind;
    head.flags = (uint16_t) flags;
    head.serial = serial;
    head.offset = offset;
    head.result = result;

    out[0].iov_base = &head;
    out[0].iov_len = sizeof(head);
    size = sizeof(head);

    for (i = 0; i < n && i < IOV_MAX - 1; i++) {
        out[i + 1] = iov[i];
        head.size += iov[i].iov_len;
        size += (ssize_t) iov[i].iov_len;
    }

    if (i != n || syscall(SYS_writev, record_log, out, n + 1) != size) {
        abort();
    }

    return serial;
}


void
lead_power_mark(const char *text)
{
    struct iovec  iov;

    iov.iov_base = (void *) text;
    iov.iov_len = strlen(text);

    if (record_log != -1) {
        (void) record_line(POWER_MARK, 0, 0, 0, 0, &iov, 1);
    }
}


/* non-zero: this is the one that is to fail */

static int
record_fails(const char *kind, unsigned *n)
{
    size_t       len;
    unsigned     fails;
    const char  *more;

    fails = __atomic_add_fetch(n, 1, __ATOMIC_RELAXED);
    len = strlen(kind);

    if (strncmp(record_fail, kind, len) != 0
        || record_fail[len] != ':'
        || (unsigned) atoi(record_fail + len + 1) != fails)
    {
        return 0;
    }

    more = strchr(record_fail, '+');

    if (more != NULL) {
        record_count->more = (unsigned) atoi(more + 1);
    }

    return 1;
}


static uint64_t
record_write(int fd, const struct iovec *iov, int n, off_t offset, int *flags)
{
    uint64_t  serial;

    *flags = fcntl(fd, F_GETFL) & O_DSYNC ? POWER_DSYNC : 0;

    serial = record_line(POWER_WRITE, *flags, 0, offset, 0, iov, n);

    if (*flags ? record_fails("meta", &record_count->metas)
               : record_fails("write", &record_count->writes))
    {
        *flags |= POWER_LIE;
    }

    return serial;
}


static ssize_t
record_written(uint64_t serial, int flags, ssize_t result)
{
    int  err;

    err = errno;

    if (flags & POWER_LIE) {
        result = -1;
        err = EIO;
    }

    (void) record_line(POWER_DONE, flags, serial, 0, result, NULL, 0);

    errno = err;

    return result;
}


int
open(const char *path, int flags, ...)
{
    int      fd, made, err;
    mode_t   mode;
    va_list  args;

    mode = 0;

    if (flags & (O_CREAT|O_TMPFILE)) {
        va_start(args, flags);
        mode = va_arg(args, mode_t);
        va_end(args);
    }

    made = record_log != -1 && (flags & O_CREAT)
           && access(path, F_OK) != 0;

    fd = (int) syscall(SYS_openat, AT_FDCWD, path, flags, mode);

    if (made && fd != -1 && record_of_store(fd)) {
        err = errno;
        (void) record_line(POWER_MAKE, 0, 0, 0, 0, NULL, 0);
        errno = err;
    }

    return fd;
}


int
open64(const char *path, int flags, ...)
{
    mode_t   mode;
    va_list  args;

    mode = 0;

    if (flags & (O_CREAT|O_TMPFILE)) {
        va_start(args, flags);
        mode = va_arg(args, mode_t);
        va_end(args);
    }

    return open(path, flags, mode);
}


ssize_t
pwrite(int fd, const void *buf, size_t n, off_t offset)
{
    int           flags;
    ssize_t       rc;
    uint64_t      serial;
    struct iovec  iov;

    if (!record_of_store(fd)) {
        return syscall(SYS_pwrite64, fd, buf, n, offset);
    }

    iov.iov_base = (void *) buf;
    iov.iov_len = n;

    serial = record_write(fd, &iov, 1, offset, &flags);
    rc = syscall(SYS_pwrite64, fd, buf, n, offset);

    return record_written(serial, flags, rc);
}


ssize_t
pwrite64(int fd, const void *buf, size_t n, off_t offset)
{
    return pwrite(fd, buf, n, offset);
}


ssize_t
pwritev(int fd, const struct iovec *iov, int n, off_t offset)
{
    int       flags;
    ssize_t   rc;
    uint64_t  serial;

    if (!record_of_store(fd)) {
        return syscall(SYS_pwritev, fd, iov, n, offset, 0);
    }

    serial = record_write(fd, iov, n, offset, &flags);
    rc = syscall(SYS_pwritev, fd, iov, n, offset, 0);

    return record_written(serial, flags, rc);
}


ssize_t
pwritev64(int fd, const struct iovec *iov, int n, off_t offset)
{
    return pwritev(fd, iov, n, offset);
}


ssize_t
writev(int fd, const struct iovec *iov, int n)
{
    int       flags;
    off_t     offset;
    ssize_t   rc;
    uint64_t  serial;

    if (!record_of_store(fd)) {
        return syscall(SYS_writev, fd, iov, n);
    }

    offset = lseek(fd, 0, SEEK_CUR);
    serial = record_write(fd, iov, n, offset, &flags);
    rc = syscall(SYS_writev, fd, iov, n);

    return record_written(serial, flags, rc);
}


ssize_t
write(int fd, const void *buf, size_t n)
{
    struct iovec  iov;

    if (!record_of_store(fd)) {
        return syscall(SYS_write, fd, buf, n);
    }

    iov.iov_base = (void *) buf;
    iov.iov_len = n;

    return writev(fd, &iov, 1);
}


static int
record_sync(int fd, long call)
{
    int       rc, dir, err, flags;
    uint64_t  serial;

    dir = record_of_dir(fd);

    if (!dir && !record_of_store(fd)) {
        return (int) syscall(call, fd);
    }

    flags = 0;

    if (!dir && record_count->more != 0) {
        record_count->more--;
        flags = POWER_LIE;

    } else if (!dir && record_fails("sync", &record_count->syncs)) {
        flags = POWER_LIE;
    }

    serial = record_line(dir ? POWER_SYNC_DIR : POWER_SYNC, 0, 0, 0, 0, NULL,
                         0);
    rc = (int) syscall(call, fd);
    err = errno;

    if (flags & POWER_LIE) {
        rc = -1;
        err = EIO;
    }

    (void) record_line(POWER_DONE, flags, serial, 0, rc, NULL, 0);

    errno = err;

    return rc;
}


int
fsync(int fd)
{
    return record_sync(fd, SYS_fsync);
}


int
fdatasync(int fd)
{
    return record_sync(fd, SYS_fdatasync);
}


int
ftruncate(int fd, off_t size)
{
    int       rc, err;
    uint64_t  serial;

    if (!record_of_store(fd)) {
        return (int) syscall(SYS_ftruncate, fd, size);
    }

    serial = record_line(POWER_TRUNCATE, 0, 0, size, 0, NULL, 0);
    rc = (int) syscall(SYS_ftruncate, fd, size);
    err = errno;

    (void) record_line(POWER_DONE, 0, serial, 0, rc, NULL, 0);

    errno = err;

    return rc;
}


int
ftruncate64(int fd, off_t size)
{
    return ftruncate(fd, size);
}


int
fchmod(int fd, mode_t mode)
{
    struct stat  st;

    if (strchr(record_fail, '!') != NULL
        && record_of_store(fd)
        && fstat(fd, &st) == 0 && st.st_size != 0)
    {
        errno = EPERM;
        return -1;
    }

    return (int) syscall(SYS_fchmod, fd, mode);
}
