
/*
 * Copyright (C) the ngx_lead authors
 *
 * Transactions on the environment: begin and end with the retries LMDB leaves
 * to its user (a map another process has grown, reader slots of the dead, an
 * environment that failed), and the one translation of its errors.  A
 * transaction object is made here, kept when idle, and freed when the
 * environment is closed; a reader keeps its slot meanwhile.
 *
 * The lock of the store is never waited for in the event loop: a reader that
 * must not wait gets LEAD_BUSY instead.
 */


#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/statvfs.h>

#include "lmdb_store.h"


#define LEAD_LMDB_TRIES       3
#define LEAD_LMDB_DISK_FULL   (1024 * 1024)


static lead_rc_t lead_lmdb_lock(lead_store_t *store, int wait,
    lead_error_t *e);
static lead_rc_t lead_lmdb_lock_write(lead_store_t *store, lead_error_t *e);
static lead_rc_t lead_lmdb_renew(lead_store_t *store, int wait,
    lead_error_t *e);
static int lead_lmdb_begin(lead_lmdb_txn_t *t);
static lead_rc_t lead_lmdb_begin_failed(lead_store_t *store, int err,
    int wait, int last, lead_error_t *e);
static lead_lmdb_txn_t *lead_lmdb_txn_get(lead_store_t *store, int write);
static void lead_lmdb_txn_put(lead_lmdb_txn_t *t);
static void lead_lmdb_txn_free(lead_lmdb_txn_t *t);
static lead_rc_t lead_lmdb_txn_begin(lead_store_t *store, int write,
    int wait, lead_lmdb_txn_t **txn, lead_error_t *e);
static lead_rc_t lead_lmdb_rc(lead_store_t *store, int err);
static int lead_lmdb_disk_full(lead_store_t *store);


lead_rc_t
lead_lmdb_read_begin(lead_store_t *store, int wait, lead_lmdb_txn_t **txn,
    lead_error_t *e)
{
    return lead_lmdb_txn_begin(store, 0, wait, txn, e);
}


void
lead_lmdb_read_end(lead_lmdb_txn_t *t)
{
    int            i;
    lead_store_t  *store;

    store = t->store;

    for (i = 0; i < LEAD_LMDB_TREES; i++) {
        if (t->cursor[i] != NULL) {
            mdb_cursor_close(t->cursor[i]);
            t->cursor[i] = NULL;
        }
    }

    mdb_txn_reset(t->txn);

    lead_lmdb_txn_put(t);

    (void) pthread_rwlock_unlock(&store->lock);
}


lead_rc_t
lead_lmdb_write_begin(lead_store_t *store, lead_lmdb_txn_t **txn,
    lead_error_t *e)
{
    if (store->opts.readonly) {
        return lead_store_fail(e, LEAD_ACCESS, 0,
                               "the store is open for reading only");
    }

    return lead_lmdb_txn_begin(store, 1, 1, txn, e);
}


lead_rc_t
lead_lmdb_write_end(lead_lmdb_txn_t *t, lead_rc_t rc)
{
    int            err;
    lead_store_t  *store;

    store = t->store;

    if (rc == LEAD_OK) {
        rc = lead_lmdb_flush(t);
    }

    /* LMDB frees the cursors of a write transaction with it */

    memset(t->cursor, 0, sizeof(t->cursor));

    if (rc == LEAD_OK) {
        err = mdb_txn_commit(t->txn);

        if (err != 0) {
            rc = lead_lmdb_error(store, err, "mdb_txn_commit() failed", t->e);
        }

        /* an error of the system's: something may have been written */

        if (err > 0) {
            lead_lmdb_turn_failed(store);
        }

    } else {
        mdb_txn_abort(t->txn);
    }

    t->txn = NULL;

    lead_lmdb_turn_over(store);

    lead_lmdb_txn_put(t);

    (void) pthread_rwlock_unlock(&store->lock);

    return rc;
}


static lead_rc_t
lead_lmdb_txn_begin(lead_store_t *store, int write, int wait,
    lead_lmdb_txn_t **txn, lead_error_t *e)
{
    int               err, i;
    lead_rc_t         rc;
    lead_lmdb_txn_t  *t;

    for (i = 1; /* void */ ; i++) {

        rc = write ? lead_lmdb_lock_write(store, e)
                   : lead_lmdb_lock(store, wait, e);

        if (rc != LEAD_OK) {
            return rc;
        }

        t = lead_lmdb_txn_get(store, write);

        if (t == NULL) {
            (void) pthread_rwlock_unlock(&store->lock);
            return lead_store_fail(e, LEAD_NOMEM, ENOMEM,
                                   "cannot begin a transaction");
        }

        err = lead_lmdb_begin(t);

        if (err == 0) {
            t->e = e;
            *txn = t;
            return LEAD_OK;
        }

        lead_lmdb_txn_free(t);

        rc = lead_lmdb_begin_failed(store, err, wait, i == LEAD_LMDB_TRIES, e);

        if (rc != LEAD_OK) {
            return rc;
        }
    }
}


static int
lead_lmdb_begin(lead_lmdb_txn_t *t)
{
    int  err;

    t->has_state = 0;
    t->account = 0;
    t->endpoint = 0;

    if (t->txn != NULL) {
        return mdb_txn_renew(t->txn);
    }

    if (!t->write) {
        return mdb_txn_begin(t->store->env, NULL, MDB_RDONLY, &t->txn);
    }

    t->state_changed = 0;
    memset(t->counts, 0, sizeof(t->counts));
    memset(t->endpoints, 0, sizeof(t->endpoints));

    err = lead_lmdb_turn(t->store);

    if (err != 0) {
        return err;
    }

    err = mdb_txn_begin(t->store->env, NULL, 0, &t->txn);

    if (err != 0) {
        lead_lmdb_turn_over(t->store);
        return err;
    }

    err = lead_lmdb_turn_settle(t->store);

    if (err != 0) {
        mdb_txn_abort(t->txn);
        t->txn = NULL;
        lead_lmdb_turn_over(t->store);
    }

    return err;
}


/* gives up the lock; LEAD_OK: worth another try */

static lead_rc_t
lead_lmdb_begin_failed(lead_store_t *store, int err, int wait, int last,
    lead_error_t *e)
{
    int        dead;
    lead_rc_t  rc;

    rc = LEAD_OK;

    switch (err) {

    case MDB_READERS_FULL:
        (void) mdb_reader_check(store->env, &dead);
        break;

    case MDB_MAP_RESIZED:
    case MDB_BAD_RSLOT:
        break;

    case MDB_PANIC:
        __atomic_store_n(&store->broken, 1, __ATOMIC_RELEASE);
        break;

    default:
        last = 1;
        break;
    }

    if (last) {
        rc = lead_lmdb_error(store, err, "mdb_txn_begin() failed", e);
    }

    (void) pthread_rwlock_unlock(&store->lock);

    if (rc == LEAD_OK && err == MDB_MAP_RESIZED) {
        return lead_lmdb_renew(store, wait, e);
    }

    return rc;
}


static lead_rc_t
lead_lmdb_lock(lead_store_t *store, int wait, lead_error_t *e)
{
    lead_rc_t  rc;

    if (store->pid != getpid()) {
        return lead_store_fail(e, LEAD_INVALID, 0,
                               "the store was opened by another process");
    }

    for ( ;; ) {

        if ((wait ? pthread_rwlock_rdlock(&store->lock)
                  : pthread_rwlock_tryrdlock(&store->lock)) != 0)
        {
            return lead_store_fail(e, LEAD_BUSY, 0,
                                   "the store is being opened again");
        }

        if (!__atomic_load_n(&store->broken, __ATOMIC_ACQUIRE)) {
            return LEAD_OK;
        }

        (void) pthread_rwlock_unlock(&store->lock);

        rc = lead_lmdb_renew(store, wait, e);

        if (rc != LEAD_OK) {
            return rc;
        }
    }
}


static lead_rc_t
lead_lmdb_lock_write(lead_store_t *store, lead_error_t *e)
{
    int        i;
    lead_rc_t  rc;

    for (i = 0; i < LEAD_LMDB_TRIES; i++) {

        rc = lead_lmdb_lock(store, 1, e);

        if (rc == LEAD_OK) {
            rc = lead_lmdb_files_there(store, e);

            if (rc == LEAD_OK) {
                return LEAD_OK;
            }

            (void) pthread_rwlock_unlock(&store->lock);
        }

        if (rc != LEAD_AGAIN) {
            return rc;
        }
    }

    return lead_store_fail(e, LEAD_BUSY, 0, "the lock file of \"%.180s\" is"
                           " taken away again and again", store->path);
}


/* with nothing alive in this process: what LMDB asks for and cannot see */

static lead_rc_t
lead_lmdb_renew(lead_store_t *store, int wait, lead_error_t *e)
{
    int        err;
    lead_rc_t  rc;

    if ((wait ? pthread_rwlock_wrlock(&store->lock)
              : pthread_rwlock_trywrlock(&store->lock)) != 0)
    {
        return lead_store_fail(e, LEAD_BUSY, 0,
                               "the store waits to be opened again");
    }

    rc = LEAD_OK;

    if (!__atomic_load_n(&store->broken, __ATOMIC_ACQUIRE)) {

        lead_lmdb_idle_free(store);

        err = mdb_env_set_mapsize(store->env, 0);

        if (err != 0) {
            rc = lead_lmdb_error(store, err, "mdb_env_set_mapsize() failed",
                                 e);
            __atomic_store_n(&store->broken, 1, __ATOMIC_RELEASE);
        }

    } else {
        lead_lmdb_env_close(store);

        rc = lead_lmdb_env_open(store, 0, e);

        if (rc == LEAD_OK) {
            __atomic_store_n(&store->broken, 0, __ATOMIC_RELEASE);
        }
    }

    (void) pthread_rwlock_unlock(&store->lock);

    return rc;
}


static lead_lmdb_txn_t *
lead_lmdb_txn_get(lead_store_t *store, int write)
{
    lead_lmdb_txn_t  *t;

    (void) pthread_mutex_lock(&store->mutex);

    t = store->idle[write];

    if (t != NULL) {
        store->idle[write] = t->next;
        store->nidle[write]--;
    }

    (void) pthread_mutex_unlock(&store->mutex);

    if (t != NULL) {
        return t;
    }

    t = calloc(1, sizeof(lead_lmdb_txn_t));

    if (t == NULL) {
        return NULL;
    }

    t->store = store;
    t->write = write ? 1 : 0;
    t->md = EVP_MD_CTX_new();

    if (t->md == NULL || EVP_DigestInit_ex(t->md, EVP_sha256(), NULL) != 1) {
        lead_lmdb_txn_free(t);
        return NULL;
    }

    return t;
}


static void
lead_lmdb_txn_put(lead_lmdb_txn_t *t)
{
    int            write, kept;
    lead_store_t  *store;

    store = t->store;
    write = t->write;

    (void) pthread_mutex_lock(&store->mutex);

    kept = store->nidle[write] < LEAD_LMDB_CACHED;

    if (kept) {
        t->next = store->idle[write];
        store->idle[write] = t;
        store->nidle[write]++;
    }

    (void) pthread_mutex_unlock(&store->mutex);

    if (!kept) {
        lead_lmdb_txn_free(t);
    }
}


static void
lead_lmdb_txn_free(lead_lmdb_txn_t *t)
{
    if (t->txn != NULL) {
        mdb_txn_abort(t->txn);
    }

    EVP_MD_CTX_free(t->md);
    free(t);
}


void
lead_lmdb_idle_free(lead_store_t *store)
{
    int               i;
    lead_lmdb_txn_t  *t;

    for (i = 0; i < 2; i++) {

        while (store->idle[i] != NULL) {
            t = store->idle[i];
            store->idle[i] = t->next;
            lead_lmdb_txn_free(t);
        }

        store->nidle[i] = 0;
    }
}


lead_rc_t
lead_lmdb_error(lead_store_t *store, int err, const char *what,
    lead_error_t *e)
{
    int          dead;
    lead_rc_t    rc;
    MDB_envinfo  info;

    rc = lead_lmdb_rc(store, err);

    if (rc == LEAD_IO) {
        __atomic_store_n(&store->broken, 1, __ATOMIC_RELEASE);
    }

    if (err == MDB_MAP_FULL) {

        /* pages may be kept for a reader that is gone */

        (void) mdb_reader_check(store->env, &dead);
        (void) mdb_env_info(store->env, &info);

        return lead_store_fail(e, rc, 0, "%s: the store is full: size=%zu",
                               what, info.me_mapsize);
    }

    if (rc == LEAD_FULL) {
        return lead_store_fail(e, rc, err, "%s: the disk is full", what);
    }

    if (err > 0) {
        return lead_store_fail(e, rc, err, "%s", what);
    }

    return lead_store_fail(e, rc, 0, "%s: %s", what, mdb_strerror(err));
}


static lead_rc_t
lead_lmdb_rc(lead_store_t *store, int err)
{
    switch (err) {

    case 0:
        return LEAD_OK;

    case MDB_NOTFOUND:
        return LEAD_NOTFOUND;

    case MDB_KEYEXIST:
        return LEAD_EXISTS;

    case MDB_MAP_FULL:
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return LEAD_FULL;

    case EACCES:
    case EPERM:
    case EROFS:
        return LEAD_ACCESS;

    case ENOMEM:
    case MDB_TXN_FULL:
        return LEAD_NOMEM;

    case MDB_READERS_FULL:
    case MDB_MAP_RESIZED:
        return LEAD_BUSY;

    case MDB_PANIC:
        return LEAD_IO;

    case EIO:
        return lead_lmdb_disk_full(store) ? LEAD_FULL : LEAD_IO;

    default:
        return err > 0 ? LEAD_IO : LEAD_CORRUPT;
    }
}


/* LMDB calls a short write EIO, and a disk that is nearly full writes short */

static int
lead_lmdb_disk_full(lead_store_t *store)
{
    struct statvfs  vfs;

    return statvfs(store->dir, &vfs) == 0
           && (uint64_t) vfs.f_bavail * vfs.f_frsize < LEAD_LMDB_DISK_FULL;
}
