
/*
 * Copyright (C) the ngx_lead authors
 *
 * Who may write, and on what ground.
 *
 * LMDB's own lock of the writer is a robust mutex.  One that sleeps on it may
 * sleep for ever where another sleeper, just woken, is killed while a third one
 * takes the lock without having slept.  So nobody sleeps there: writers wait
 * for a lock of the kernel's, which goes with its process, and the mutex is
 * free for whom has that.
 *
 * The last write of a commit makes its pages valid.  When that fails, it may
 * be on disk all the same: LMDB takes it back in memory only, and tells no
 * other process.  Were the pages it makes valid written over before the one in
 * memory is on disk, too, a power cut would leave a damaged store.  So who
 * fails leaves a mark that outlives it, a bit of the file's mode which means
 * nothing else, and the next to write, whoever that is, settles it first.  A
 * store that was just opened is settled as well: the bit of one that was killed
 * before he set it is missing, which others who have it open do not see.  Where
 * the file is another owner's, and its mode cannot be changed, it is settled
 * before each transaction.
 *
 * Nothing is allocated here.
 */


#include <errno.h>
#include <unistd.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "lmdb_store.h"


#define LEAD_LMDB_UNSETTLED   S_ISVTX

#define LEAD_LMDB_METAS       2
#define LEAD_LMDB_META_LEN    4096      /* LMDB has no smaller pages */


static int lead_lmdb_rewrite(lead_store_t *store, int fd);


int
lead_lmdb_turn(lead_store_t *store)
{
    int  err, fd;

    (void) pthread_mutex_lock(&store->turn);

    err = mdb_env_get_fd(store->env, &fd);

    while (err == 0 && flock(fd, LOCK_EX) == -1) {
        if (errno != EINTR) {
            err = errno;
        }
    }

    if (err != 0) {
        (void) pthread_mutex_unlock(&store->turn);
    }

    return err;
}


void
lead_lmdb_turn_over(lead_store_t *store)
{
    int  fd;

    if (mdb_env_get_fd(store->env, &fd) == 0) {
        (void) flock(fd, LOCK_UN);
    }

    (void) pthread_mutex_unlock(&store->turn);
}


void
lead_lmdb_turn_failed(lead_store_t *store)
{
    int          fd;
    struct stat  st;

    store->unsettled = 1;

    (void) mdb_env_get_fd(store->env, &fd);

    /* who may not leave the mark does the work at once */

    if (fstat(fd, &st) == -1
        || fchmod(fd, (st.st_mode & 07777) | LEAD_LMDB_UNSETTLED) == -1)
    {
        (void) lead_lmdb_turn_settle(store);
    }
}


int
lead_lmdb_turn_settle(lead_store_t *store)
{
    int          err, fd;
    struct stat  st;
    MDB_envinfo  info;

    (void) mdb_env_get_fd(store->env, &fd);

    if (fstat(fd, &st) == -1) {
        return errno;
    }

    if (!store->unsettled && !(st.st_mode & LEAD_LMDB_UNSETTLED)) {
        return 0;
    }

    /* of a file that is new there is nothing on disk to be written over */

    (void) mdb_env_info(store->env, &info);

    err = info.me_last_txnid == 0 ? mdb_env_sync(store->env, 1) : 0;

    if (err == 0) {
        err = lead_lmdb_rewrite(store, fd);
    }

    if (err == 0) {
        err = mdb_env_sync(store->env, 1);
    }

    /* who could leave no mark does not rely on those of others */

    store->unsettled = err != 0
                       || fchmod(fd, st.st_mode & 07777 & ~LEAD_LMDB_UNSETTLED)
                          == -1;

    return err;
}


/* a page whose sync has failed is taken for synced from then on: it has to be
 * written again for the next one to mean anything */

static int
lead_lmdb_rewrite(lead_store_t *store, int fd)
{
    int       i;
    char      meta[LEAD_LMDB_META_LEN];
    off_t     at;
    ssize_t   n;
    MDB_stat  st;

    (void) mdb_env_stat(store->env, &st);

    for (i = 0; i < LEAD_LMDB_METAS; i++) {
        at = (off_t) i * st.ms_psize;

        n = pread(fd, meta, sizeof(meta), at);

        if (n == (ssize_t) sizeof(meta)) {
            n = pwrite(fd, meta, sizeof(meta), at);
        }

        if (n != (ssize_t) sizeof(meta)) {
            return n == -1 ? errno : EIO;
        }
    }

    return 0;
}
