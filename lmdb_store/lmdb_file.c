
/*
 * Copyright (C) the ngx_lead authors
 *
 * The two files of a store.  They are made here and not by LMDB, so that
 * neither a umask nor root as their maker keeps the owner of the directory out;
 * their names are synced with what they say; and before each write it is seen
 * that they are still the ones that are open.
 *
 * What is written to a file that has been deleted, or moved away, is lost for
 * whoever finds another one in its place.  Such a file stays open: it may come
 * back, or be saved.  The lock file has nothing to be saved, but who does not
 * have that of all others is a second writer: the store is opened again.
 *
 * Nothing is allocated here.
 */


#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "lmdb_store.h"


/* of the lock file, as LMDB makes it */
#define LEAD_LMDB_LOCK_SIZE   (192 + (LEAD_LMDB_READERS - 1) * 64)


static lead_rc_t lead_lmdb_file(lead_store_t *store, const struct stat *dir,
    const char *suffix, off_t size, lead_error_t *e);
static lead_rc_t lead_lmdb_sync_dir(lead_store_t *store, const char *path,
    lead_error_t *e);
static int lead_lmdb_is(const char *path, const lead_lmdb_inode_t *file);


lead_rc_t
lead_lmdb_files(lead_store_t *store, int create, lead_error_t *e)
{
    int          there;
    lead_rc_t    rc;
    struct stat  dir, file;

    if (stat(store->dir, &dir) == -1) {
        return lead_store_fail(e, errno == ENOENT ? LEAD_NOTFOUND
                                  : errno == EACCES ? LEAD_ACCESS
                                  : LEAD_INVALID, errno,
                               "stat(\"%.180s\") failed", store->dir);
    }

    if (!S_ISDIR(dir.st_mode)) {
        return lead_store_fail(e, LEAD_INVALID, ENOTDIR,
                               "\"%.180s\" is no directory", store->dir);
    }

    there = stat(store->path, &file) == 0;

    if (!there && errno != ENOENT) {
        return lead_store_fail(e, LEAD_ACCESS, errno,
                               "stat(\"%.180s\") failed", store->path);
    }

    if (there && !S_ISREG(file.st_mode)) {
        return lead_store_fail(e, LEAD_FOREIGN, 0,
                               "\"%.180s\" is no lead store", store->path);
    }

    /* an empty file is what a crash leaves of a creation */

    if (!create && (!there || file.st_size == 0)) {
        return lead_store_fail(e, LEAD_NOTFOUND, 0,
                               "there is no lead store in \"%.180s\"",
                               store->dir);
    }

    rc = there ? LEAD_OK : lead_lmdb_file(store, &dir, "", 0, e);

    /* who takes a reader slot in a hole of this file, on a full disk, dies */

    return rc != LEAD_OK ? rc : lead_lmdb_file(store, &dir, "-lock",
                                               LEAD_LMDB_LOCK_SIZE, e);
}


static lead_rc_t
lead_lmdb_file(lead_store_t *store, const struct stat *dir,
    const char *suffix, off_t size, lead_error_t *e)
{
    int   fd, err;
    char  path[PATH_MAX];

    err = snprintf(path, sizeof(path), "%s%s", store->path, suffix);

    if (err < 0 || (size_t) err >= sizeof(path)) {
        return lead_store_fail(e, LEAD_INVALID, ENAMETOOLONG,
                               "the path of the store is too long");
    }

    fd = open(path, O_RDWR|O_CREAT|O_EXCL|O_CLOEXEC, 0600);

    if (fd == -1) {

        if (errno == EEXIST || store->opts.readonly) {
            return LEAD_OK;
        }

        return lead_lmdb_error(store, errno, "cannot make the store", e);
    }

    err = 0;

    if (fchmod(fd, 0600) == -1
        || (geteuid() == 0 && fchown(fd, dir->st_uid, dir->st_gid) == -1))
    {
        err = errno;
        (void) unlink(path);

    } else if (size != 0) {
        (void) posix_fallocate(fd, 0, size);
    }

    (void) close(fd);

    return err == 0 ? LEAD_OK
                    : lead_lmdb_error(store, err, "cannot make the store", e);
}


/* a file without a name is lost with the power, whatever it says, and its
 * directory may be as new */

lead_rc_t
lead_lmdb_files_sync(lead_store_t *store, lead_error_t *e)
{
    lead_rc_t  rc;

    rc = lead_lmdb_sync_dir(store, ".", e);

    return rc == LEAD_OK ? lead_lmdb_sync_dir(store, "..", e) : rc;
}


static lead_rc_t
lead_lmdb_sync_dir(lead_store_t *store, const char *path, lead_error_t *e)
{
    int   fd, err;
    char  name[PATH_MAX];

    err = snprintf(name, sizeof(name), "%s/%s", store->dir, path);

    if (err < 0 || (size_t) err >= sizeof(name)) {
        return lead_store_fail(e, LEAD_INVALID, ENAMETOOLONG,
                               "the path of the store is too long");
    }

    fd = open(name, O_RDONLY|O_DIRECTORY|O_CLOEXEC);

    if (fd == -1) {

        /* a directory one may write to and not read */

        return errno == EACCES ? LEAD_OK
               : lead_lmdb_error(store, errno, "cannot sync the directory", e);
    }

    err = fsync(fd) == -1 ? errno : 0;

    (void) close(fd);

    return err == 0 ? LEAD_OK
           : lead_lmdb_error(store, err, "cannot sync the directory", e);
}


/* all zero: of what is gone already */

void
lead_lmdb_files_opened(lead_store_t *store)
{
    int          fd;
    char         path[PATH_MAX];
    struct stat  file;

    memset(&store->file, 0, sizeof(store->file));
    memset(&store->lock_file, 0, sizeof(store->lock_file));

    if (mdb_env_get_fd(store->env, &fd) == 0 && fstat(fd, &file) == 0) {
        store->file.dev = file.st_dev;
        store->file.ino = file.st_ino;
    }

    (void) snprintf(path, sizeof(path), "%s-lock", store->path);

    if (stat(path, &file) == 0) {
        store->lock_file.dev = file.st_dev;
        store->lock_file.ino = file.st_ino;
    }
}


/* LEAD_AGAIN: the store is to be opened again */

lead_rc_t
lead_lmdb_files_there(lead_store_t *store, lead_error_t *e)
{
    int   there;
    char  path[PATH_MAX];

    there = lead_lmdb_is(store->path, &store->file);

    if (there == -1) {
        return lead_store_fail(e, errno == ENOENT || errno == ENOTDIR
                                  ? LEAD_NOTFOUND : LEAD_ACCESS, errno,
                               "\"%.180s\", which is open, is not there",
                               store->path);
    }

    if (there == 0) {
        return lead_store_fail(e, LEAD_FOREIGN, 0,
                               "\"%.180s\" is another file than the one that"
                               " is open", store->path);
    }

    (void) snprintf(path, sizeof(path), "%s-lock", store->path);

    if (lead_lmdb_is(path, &store->lock_file) == 1) {
        return LEAD_OK;
    }

    __atomic_store_n(&store->broken, 1, __ATOMIC_RELEASE);

    return LEAD_AGAIN;
}


/* 1, 0: another one, -1: none can be had */

static int
lead_lmdb_is(const char *path, const lead_lmdb_inode_t *file)
{
    struct stat  st;

    if (stat(path, &st) == -1) {
        return -1;
    }

    return st.st_dev == file->dev && st.st_ino == file->ino;
}
