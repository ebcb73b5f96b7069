
/*
 * Copyright (C) the ngx_lead authors
 *
 * A copy of the store, as it is at one moment, while others write.
 *
 * The copy has a name of its own until it is whole and on disk, and nothing
 * that is there is ever overwritten; what is left of one that fails is removed
 * here.  It is a long read transaction: pages freed meanwhile cannot be used
 * again, so that the room writers have left is watched, and the copy given up
 * before they run out of it.  The source is only read.
 *
 * Descriptors and what the copying thread is told live on the stack of the
 * caller, which waits for the thread.
 */


#ifndef _GNU_SOURCE
#define _GNU_SOURCE                         /* renameat2(), dup3() */
#endif

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "lmdb_store.h"


#define LEAD_LMDB_WATCH       50000000      /* nanoseconds */


typedef struct {
    lead_store_t         *store;
    const char           *dir;
    int                   dirfd;
    int                   fd;
    unsigned              made:1;           /* the directory, here */
    struct stat           source;           /* the store's directory */
    size_t                snapshot;
    uint64_t              room;             /* pages writers had left */
} lead_lmdb_backup_t;


/* what the thread that copies is told, and says */

typedef struct {
    MDB_env              *env;
    int                   fd;
    int                   err;
    int                   done;
    pthread_mutex_t       mutex;
    pthread_cond_t        cond;
} lead_lmdb_copy_t;


static lead_rc_t lead_lmdb_backup_dir(lead_lmdb_backup_t *b, lead_error_t *e);
static lead_rc_t lead_lmdb_backup_other(lead_lmdb_backup_t *b,
    lead_error_t *e);
static int lead_lmdb_backup_empty(int dirfd, int *empty);
static lead_rc_t lead_lmdb_backup_file(lead_lmdb_backup_t *b,
    lead_error_t *e);
static lead_rc_t lead_lmdb_backup_fill(lead_lmdb_backup_t *b,
    lead_error_t *e);
static lead_rc_t lead_lmdb_backup_fits(lead_lmdb_backup_t *b,
    lead_lmdb_txn_t *t);
static lead_rc_t lead_lmdb_backup_room(lead_lmdb_txn_t *t, size_t snapshot,
    uint64_t *room, uint64_t *size);
static lead_rc_t lead_lmdb_backup_run(lead_lmdb_backup_t *b,
    lead_lmdb_copy_t *copy, lead_error_t *e);
static void *lead_lmdb_backup_thread(void *data);
static int lead_lmdb_backup_watch(lead_lmdb_backup_t *b,
    lead_lmdb_copy_t *copy);
static int lead_lmdb_backup_narrow(lead_lmdb_backup_t *b);
static lead_rc_t lead_lmdb_backup_finish(lead_lmdb_backup_t *b,
    lead_error_t *e);
static int lead_lmdb_backup_name(int dirfd);
static int lead_lmdb_backup_sync(int dirfd, const char *path);
static lead_rc_t lead_lmdb_backup_error(lead_lmdb_backup_t *b, int err,
    const char *what, lead_error_t *e);


lead_rc_t
lead_lmdb_backup(lead_store_t *store, const char *dir, lead_error_t *e)
{
    lead_rc_t           rc;
    lead_lmdb_backup_t  b;

    memset(&b, 0, sizeof(lead_lmdb_backup_t));

    b.store = store;
    b.dir = dir;
    b.dirfd = -1;
    b.fd = -1;

    rc = lead_lmdb_backup_dir(&b, e);

    if (rc == LEAD_OK) {
        rc = lead_lmdb_backup_file(&b, e);
    }

    if (rc == LEAD_OK) {
        rc = lead_lmdb_backup_fill(&b, e);
    }

    if (rc == LEAD_OK) {
        rc = lead_lmdb_backup_finish(&b, e);
    }

    if (b.fd != -1) {
        (void) close(b.fd);

        if (rc != LEAD_OK) {
            (void) unlinkat(b.dirfd, LEAD_BACKUP_PART, 0);
        }
    }

    if (b.dirfd != -1) {
        (void) close(b.dirfd);
    }

    if (rc != LEAD_OK && b.made) {
        (void) rmdir(dir);
    }

    return rc;
}


static lead_rc_t
lead_lmdb_backup_dir(lead_lmdb_backup_t *b, lead_error_t *e)
{
    int  err;

    if (stat(b->store->dir, &b->source) == -1) {
        return lead_store_fail(e, LEAD_IO, errno, "stat(\"%.180s\") failed",
                               b->store->dir);
    }

    b->made = mkdir(b->dir, 0700) == 0;
    err = errno;

    if (!b->made && err != EEXIST) {
        return lead_lmdb_backup_error(b, err, "cannot be made", e);
    }

    /* a umask may have kept its own maker out, unless that is root, who does
     * not follow what somebody may have put in its place */

    if (b->made && geteuid() != 0 && chmod(b->dir, 0700) == -1) {
        return lead_lmdb_backup_error(b, errno, "cannot be given its mode", e);
    }

    b->dirfd = open(b->dir, O_RDONLY|O_DIRECTORY|O_CLOEXEC
                            |(b->made ? O_NOFOLLOW : 0));

    if (b->dirfd == -1) {
        return lead_lmdb_backup_error(b, errno, "cannot be opened", e);
    }

    if (b->made && fchmod(b->dirfd, 0700) == -1) {
        return lead_lmdb_backup_error(b, errno, "cannot be given its mode", e);
    }

    if (!b->made) {
        return lead_lmdb_backup_other(b, e);
    }

    if (geteuid() == 0
        && fchown(b->dirfd, b->source.st_uid, b->source.st_gid) == -1)
    {
        return lead_lmdb_backup_error(b, errno, "cannot be given its owner",
                                      e);
    }

    return LEAD_OK;
}


/* a directory that was there */

static lead_rc_t
lead_lmdb_backup_other(lead_lmdb_backup_t *b, lead_error_t *e)
{
    int          empty;
    struct stat  st;

    if (fstat(b->dirfd, &st) == -1
        || lead_lmdb_backup_empty(b->dirfd, &empty) == -1)
    {
        return lead_lmdb_backup_error(b, errno, "cannot be read", e);
    }

    if (st.st_dev == b->source.st_dev && st.st_ino == b->source.st_ino) {
        return lead_store_fail(e, LEAD_INVALID, 0,
                               "\"%.180s\" is the store itself", b->dir);
    }

    if (!empty) {
        return lead_store_fail(e, LEAD_EXISTS, 0, "\"%.180s\" is not empty",
                               b->dir);
    }

    return LEAD_OK;
}


static int
lead_lmdb_backup_empty(int dirfd, int *empty)
{
    int             fd, err;
    DIR            *dir;
    struct dirent  *entry;

    *empty = 1;

    fd = openat(dirfd, ".", O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (fd == -1) {
        return -1;
    }

    dir = fdopendir(fd);

    if (dir == NULL) {
        (void) close(fd);
        return -1;
    }

    do {
        errno = 0;
        entry = readdir(dir);
        err = errno;

        if (entry != NULL
            && strcmp(entry->d_name, ".") != 0
            && strcmp(entry->d_name, "..") != 0)
        {
            *empty = 0;
        }

    } while (entry != NULL && *empty);

    (void) closedir(dir);
    errno = err;

    return err == 0 ? 0 : -1;
}


static lead_rc_t
lead_lmdb_backup_file(lead_lmdb_backup_t *b, lead_error_t *e)
{
    b->fd = openat(b->dirfd, LEAD_BACKUP_PART,
                   O_RDWR|O_CREAT|O_EXCL|O_CLOEXEC, 0600);

    if (b->fd == -1) {
        return lead_lmdb_backup_error(b, errno, "cannot be written", e);
    }

    if (fchmod(b->fd, 0600) == -1
        || (geteuid() == 0
            && fchown(b->fd, b->source.st_uid, b->source.st_gid) == -1))
    {
        return lead_lmdb_backup_error(b, errno, "cannot be given its owner",
                                      e);
    }

    return LEAD_OK;
}


/* the transaction held here keeps the environment, and the snapshot, in place
 * until LMDB has its own */

static lead_rc_t
lead_lmdb_backup_fill(lead_lmdb_backup_t *b, lead_error_t *e)
{
    lead_rc_t          rc;
    lead_lmdb_txn_t   *t;
    lead_lmdb_copy_t   copy;

    rc = lead_lmdb_read_begin(b->store, 1, &t, e);

    if (rc != LEAD_OK) {
        return rc;
    }

    rc = lead_lmdb_backup_fits(b, t);

    if (rc == LEAD_OK) {
        memset(&copy, 0, sizeof(lead_lmdb_copy_t));

        copy.env = b->store->env;
        copy.fd = fcntl(b->fd, F_DUPFD_CLOEXEC, 0);

        if (copy.fd == -1) {
            rc = lead_lmdb_backup_error(b, errno, "cannot be written", e);

        } else {
            rc = lead_lmdb_backup_run(b, &copy, e);
            (void) close(copy.fd);
        }
    }

    lead_lmdb_read_end(t);

    return rc;
}


/* said before anything is written: a disk that is filled up may be the
 * store's own */

static lead_rc_t
lead_lmdb_backup_fits(lead_lmdb_backup_t *b, lead_lmdb_txn_t *t)
{
    uint64_t        size, left;
    lead_rc_t       rc;
    struct statvfs  vfs;

    b->snapshot = mdb_txn_id(t->txn);

    rc = lead_lmdb_backup_room(t, b->snapshot, &b->room, &size);

    if (rc != LEAD_OK || fstatvfs(b->fd, &vfs) == -1 || vfs.f_blocks == 0) {
        return rc;
    }

    left = (uint64_t) vfs.f_bavail * vfs.f_frsize;

    if (left < size) {
        return lead_store_fail(t->e, LEAD_FULL, 0, "\"%.100s\" needs %llu "
                               "bytes, there are %llu", b->dir,
                               (unsigned long long) size,
                               (unsigned long long) left);
    }

    return LEAD_OK;
}


/* room: pages that were never used, and those free since before a snapshot,
 * which are all that writers may use while it is read; size: of what is not
 * free, in bytes */

static lead_rc_t
lead_lmdb_backup_room(lead_lmdb_txn_t *t, size_t snapshot, uint64_t *room,
    uint64_t *size)
{
    int           err;
    size_t        n, id;
    uint64_t      used;
    MDB_val       key, row;
    MDB_stat      st;
    MDB_cursor   *cursor;
    MDB_envinfo   info;

    (void) mdb_env_stat(t->store->env, &st);
    (void) mdb_env_info(t->store->env, &info);

    used = info.me_last_pgno + 1;

    *room = info.me_mapsize / st.ms_psize;
    *room = *room > used ? *room - used : 0;
    *size = 0;

    err = mdb_cursor_open(t->txn, 0, &cursor);

    if (err != 0) {
        return lead_lmdb_error(t->store, err, "mdb_cursor_open() failed",
                               t->e);
    }

    for ( ;; ) {
        err = mdb_cursor_get(cursor, &key, &row, MDB_NEXT);

        if (err != 0) {
            break;
        }

        memcpy(&id, key.mv_data, sizeof(size_t));
        memcpy(&n, row.mv_data, sizeof(size_t));

        used -= n < used ? n : used;

        if (id < snapshot) {
            *room += n;
        }
    }

    mdb_cursor_close(cursor);

    *size = used * st.ms_psize;

    return err == MDB_NOTFOUND ? LEAD_OK
                               : lead_lmdb_error(t->store, err,
                                                 "mdb_cursor_get() failed",
                                                 t->e);
}


static lead_rc_t
lead_lmdb_backup_run(lead_lmdb_backup_t *b, lead_lmdb_copy_t *copy,
    lead_error_t *e)
{
    int                 err, given_up;
    pthread_t           thread;
    pthread_condattr_t  attr;

    (void) pthread_mutex_init(&copy->mutex, NULL);
    (void) pthread_condattr_init(&attr);
    (void) pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void) pthread_cond_init(&copy->cond, &attr);
    (void) pthread_condattr_destroy(&attr);

    given_up = 0;

    err = pthread_create(&thread, NULL, lead_lmdb_backup_thread, copy);

    if (err == 0) {
        given_up = lead_lmdb_backup_watch(b, copy);

        (void) pthread_join(thread, NULL);

        err = copy->err;
    }

    (void) pthread_cond_destroy(&copy->cond);
    (void) pthread_mutex_destroy(&copy->mutex);

    if (err == 0) {
        return LEAD_OK;
    }

    if (given_up) {
        return lead_store_fail(e, LEAD_BUSY, 0, "so much was written to the "
                               "store meanwhile that half of the room it had "
                               "left is used up");
    }

    if (err > 0) {
        return lead_lmdb_backup_error(b, err, "cannot be written", e);
    }

    return lead_lmdb_error(b->store, err, "mdb_env_copyfd2() failed", e);
}


/* LMDB does not compact a file that has lost pages, which does no harm
 * otherwise: such a one is copied as it is */

static void *
lead_lmdb_backup_thread(void *data)
{
    int                err;
    lead_lmdb_copy_t  *copy = data;

    err = mdb_env_copyfd2(copy->env, copy->fd, MDB_CP_COMPACT);

    if (err == MDB_INCOMPATIBLE) {

        if (lseek(copy->fd, 0, SEEK_SET) == -1
            || ftruncate(copy->fd, 0) == -1)
        {
            err = errno;

        } else {
            err = mdb_env_copyfd2(copy->env, copy->fd, 0);
        }
    }

    (void) pthread_mutex_lock(&copy->mutex);

    copy->err = err;
    copy->done = 1;

    (void) pthread_cond_signal(&copy->cond);
    (void) pthread_mutex_unlock(&copy->mutex);

    return NULL;
}


/* Non-zero: given up.  LMDB cannot be told to stop: it is given a descriptor
 * instead that nothing can be written to. */

static int
lead_lmdb_backup_watch(lead_lmdb_backup_t *b, lead_lmdb_copy_t *copy)
{
    int              given_up;
    struct timespec  ts;

    given_up = 0;

    (void) pthread_mutex_lock(&copy->mutex);

    while (!copy->done) {

        if (given_up) {
            (void) pthread_cond_wait(&copy->cond, &copy->mutex);
            continue;
        }

        (void) clock_gettime(CLOCK_MONOTONIC, &ts);

        ts.tv_nsec += LEAD_LMDB_WATCH;

        if (ts.tv_nsec >= 1000000000) {
            ts.tv_nsec -= 1000000000;
            ts.tv_sec++;
        }

        (void) pthread_cond_timedwait(&copy->cond, &copy->mutex, &ts);

        if (copy->done) {
            break;
        }

        (void) pthread_mutex_unlock(&copy->mutex);

        given_up = lead_lmdb_backup_narrow(b)
                   && dup3(b->dirfd, copy->fd, O_CLOEXEC) != -1;

        (void) pthread_mutex_lock(&copy->mutex);
    }

    (void) pthread_mutex_unlock(&copy->mutex);

    return given_up;
}


/* what cannot be read just now is read the next time */

static int
lead_lmdb_backup_narrow(lead_lmdb_backup_t *b)
{
    uint64_t          room, size;
    lead_rc_t         rc;
    lead_error_t      e;
    lead_lmdb_txn_t  *t;

    if (lead_lmdb_read_begin(b->store, 0, &t, &e) != LEAD_OK) {
        return 0;
    }

    rc = lead_lmdb_backup_room(t, b->snapshot, &room, &size);

    lead_lmdb_read_end(t);

    return rc == LEAD_OK && room < b->room / 2;
}


static lead_rc_t
lead_lmdb_backup_finish(lead_lmdb_backup_t *b, lead_error_t *e)
{
    int  err;

    if (fsync(b->fd) == -1) {
        return lead_lmdb_backup_error(b, errno, "cannot be synced", e);
    }

    if (lead_lmdb_backup_name(b->dirfd) == -1) {
        return lead_lmdb_backup_error(b, errno, "cannot be given its name",
                                      e);
    }

    if (fsync(b->dirfd) == -1
        || (b->made && lead_lmdb_backup_sync(b->dirfd, "..") == -1))
    {
        err = errno;
        (void) unlinkat(b->dirfd, LEAD_LMDB_FILE, 0);
        return lead_lmdb_backup_error(b, err, "cannot be synced", e);
    }

    return LEAD_OK;
}


/* a file system that cannot rename without overwriting can link, or neither
 * of them and is refused */

static int
lead_lmdb_backup_name(int dirfd)
{
    if (renameat2(dirfd, LEAD_BACKUP_PART, dirfd, LEAD_LMDB_FILE,
                  RENAME_NOREPLACE) == 0)
    {
        return 0;
    }

    if (errno != EINVAL && errno != ENOSYS) {
        return -1;
    }

    if (linkat(dirfd, LEAD_BACKUP_PART, dirfd, LEAD_LMDB_FILE, 0) == -1) {
        return -1;
    }

    (void) unlinkat(dirfd, LEAD_BACKUP_PART, 0);

    return 0;
}


static int
lead_lmdb_backup_sync(int dirfd, const char *path)
{
    int  fd, rc, err;

    fd = openat(dirfd, path, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (fd == -1) {

        /* a directory one may write to and not read */

        return errno == EACCES ? 0 : -1;
    }

    rc = fsync(fd);
    err = errno;

    (void) close(fd);
    errno = err;

    return rc;
}


/* of the copy: the store itself has not failed */

static lead_rc_t
lead_lmdb_backup_error(lead_lmdb_backup_t *b, int err, const char *what,
    lead_error_t *e)
{
    lead_rc_t  rc;

    switch (err) {

    case EEXIST:
        rc = LEAD_EXISTS;
        break;

    case ENOENT:
        rc = LEAD_NOTFOUND;
        break;

    case ENOTDIR:
    case ENAMETOOLONG:
    case ELOOP:
        rc = LEAD_INVALID;
        break;

    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        rc = LEAD_FULL;
        break;

    case EACCES:
    case EPERM:
    case EROFS:
        rc = LEAD_ACCESS;
        break;

    case ENOMEM:
    case EAGAIN:
        rc = LEAD_NOMEM;
        break;

    default:
        rc = LEAD_IO;
    }

    return lead_store_fail(e, rc, err, "\"%.180s\" %s", b->dir, what);
}
