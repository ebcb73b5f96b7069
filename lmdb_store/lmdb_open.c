
/*
 * Copyright (C) the ngx_lead authors
 *
 * Opens and closes the environment: the map, the trees, and the marker that
 * says whose the file is.  It creates, but never changes what is there: what
 * is foreign or newer is left as it was found.  The store is allocated here
 * and freed by its close.
 */


#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include <openssl/rand.h>

#include "lmdb_store.h"


#define LEAD_LMDB_MARKER      "store"
#define LEAD_LMDB_MARKER_LEN  (sizeof(LEAD_LMDB_MARKER) - 1)


static lead_store_t *lead_lmdb_alloc(const char *dir,
    const lead_store_opts_t *opts);
static void lead_lmdb_free(lead_store_t *store);
static lead_rc_t lead_lmdb_env_map(lead_store_t *store, lead_error_t *e);
static lead_rc_t lead_lmdb_env_error(lead_store_t *store, int err,
    lead_error_t *e);
static lead_rc_t lead_lmdb_trees(lead_store_t *store, int create,
    lead_error_t *e);
static lead_rc_t lead_lmdb_trees_open(lead_store_t *store, MDB_txn *txn,
    lead_error_t *e);
static lead_rc_t lead_lmdb_trees_make(lead_store_t *store, MDB_txn *txn,
    lead_error_t *e);
static lead_rc_t lead_lmdb_marker(lead_store_t *store, MDB_txn *txn,
    lead_error_t *e);
static lead_rc_t lead_lmdb_unmarked(lead_store_t *store, MDB_txn *txn,
    lead_error_t *e);


static const char  *lead_lmdb_names[] = {
    "meta",
    "counters",
    "leads",
    "numbers",
    "events",
    "outbox",
    "deliveries",
    "lookup",
    "idem0",
    "idem1",
    "idem2",
    "keys",
    "key_ids",
    "accounts",
    "account_names",
    "endpoints",
    "endpoint_names"
};

typedef char  lead_lmdb_names_are_complete[
    sizeof(lead_lmdb_names) / sizeof(lead_lmdb_names[0]) == LEAD_LMDB_TREES
    ? 1 : -1];


lead_rc_t
lead_lmdb_open(const char *dir, const lead_store_opts_t *opts,
    lead_store_t **storep, lead_error_t *e)
{
    lead_rc_t      rc;
    lead_store_t  *store;

    store = lead_lmdb_alloc(dir, opts);

    if (store == NULL) {
        return lead_store_fail(e, LEAD_NOMEM, errno, "cannot open the store");
    }

    if (RAND_bytes(store->random, sizeof(store->random)) != 1) {
        lead_lmdb_free(store);
        return lead_store_fail(e, LEAD_IO, 0, "there is no randomness");
    }

    rc = lead_lmdb_env_open(store, opts->create && !opts->readonly, e);

    if (rc != LEAD_OK) {
        lead_lmdb_free(store);
        return rc;
    }

    *storep = store;

    return LEAD_OK;
}


static lead_store_t *
lead_lmdb_alloc(const char *dir, const lead_store_opts_t *opts)
{
    size_t         len;
    lead_store_t  *store;

    store = calloc(1, sizeof(lead_store_t));

    if (store == NULL) {
        return NULL;
    }

    len = strlen(dir) + sizeof("/" LEAD_LMDB_LOCK_FILE);

    store->dir = strdup(dir);
    store->path = malloc(len);

    if (store->dir == NULL
        || store->path == NULL
        || pthread_rwlock_init(&store->lock, NULL) != 0)
    {
        free(store->dir);
        free(store->path);
        free(store);
        return NULL;
    }

    (void) pthread_mutex_init(&store->mutex, NULL);
    (void) pthread_mutex_init(&store->turn, NULL);
    (void) snprintf(store->path, len, "%s/%s", dir, LEAD_LMDB_FILE);

    store->pid = getpid();
    store->opts = *opts;

    return store;
}


static void
lead_lmdb_free(lead_store_t *store)
{
    (void) pthread_mutex_destroy(&store->turn);
    (void) pthread_mutex_destroy(&store->mutex);
    (void) pthread_rwlock_destroy(&store->lock);

    free(store->dir);
    free(store->path);
    free(store);
}


/* in another process closing would free the reader slots of the one that
 * opened: LMDB knows them by the process id it has noted */

void
lead_lmdb_close(lead_store_t *store)
{
    if (store->pid != getpid()) {
        return;
    }

    lead_lmdb_env_close(store);
    lead_lmdb_free(store);
}


lead_rc_t
lead_lmdb_env_open(lead_store_t *store, int create, lead_error_t *e)
{
    int        dead;
    lead_rc_t  rc;

    rc = lead_lmdb_files(store, create, e);

    if (rc != LEAD_OK) {
        return rc;
    }

    rc = lead_lmdb_env_map(store, e);

    if (rc != LEAD_OK) {
        return rc;
    }

    (void) mdb_reader_check(store->env, &dead);

    rc = lead_lmdb_length(store, e);

    if (rc == LEAD_OK) {
        rc = lead_lmdb_trees(store, create, e);
    }

    if (rc != LEAD_OK) {
        lead_lmdb_env_close(store);
    }

    return rc;
}


void
lead_lmdb_env_close(lead_store_t *store)
{
    lead_lmdb_idle_free(store);

    if (store->env != NULL) {
        mdb_env_close(store->env);
        store->env = NULL;
    }
}


static lead_rc_t
lead_lmdb_env_map(lead_store_t *store, lead_error_t *e)
{
    int                 err, other;
    size_t              page, size;
    unsigned            flags;
    MDB_env            *env;
    lead_rc_t           rc;
    struct stat         file;
    lead_lmdb_owner_t   owner;

    /* LMDB knows the size of what is there already */

    size = (size_t) store->opts.size;

    if (size == 0 && (stat(store->path, &file) == -1 || file.st_size == 0)) {
        size = (size_t) LEAD_SIZE_DEFAULT;
    }

    err = mdb_env_create(&env);

    if (err != 0) {
        return lead_lmdb_error(store, err, "mdb_env_create() failed", e);
    }

    rc = lead_lmdb_owner(store, &owner, e);

    if (rc != LEAD_OK) {
        mdb_env_close(env);
        return rc;
    }

    page = (size_t) sysconf(_SC_PAGESIZE);
    flags = MDB_NOSUBDIR|MDB_NOTLS;

    if (store->opts.readonly) {
        flags |= MDB_RDONLY;
    }

    if (size != 0) {
        err = mdb_env_set_mapsize(env, size / page * page);
    }

    if (err == 0) {
        err = mdb_env_set_maxdbs(env, LEAD_LMDB_TREES);
    }

    if (err == 0) {
        err = mdb_env_set_maxreaders(env, LEAD_LMDB_READERS);
    }

    if (err == 0) {
        err = mdb_env_open(env, owner.path, flags, 0600);
    }

    other = owner.path != store->path;

    lead_lmdb_owner_leave(&owner);

    if (err != 0) {
        mdb_env_close(env);

        return err != EACCES || !other
               ? lead_lmdb_env_error(store, err, e)
               : lead_store_fail(e, LEAD_ACCESS, 0, "the owner of \"%.180s\""
                                 " has no access to its files: give them to"
                                 " him with chown", store->dir);
    }

    store->env = env;
    store->unsettled = 1;

    lead_lmdb_files_opened(store);

    return LEAD_OK;
}


static lead_rc_t
lead_lmdb_env_error(lead_store_t *store, int err, lead_error_t *e)
{
    switch (err) {

    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
        return lead_store_fail(e, LEAD_FOREIGN, 0,
                               "\"%.180s\" is no lead store", store->path);

    case EINVAL:
    case ENOMEM:
        return lead_store_fail(e, err == EINVAL ? LEAD_INVALID : LEAD_NOMEM,
                               err, "cannot map the store: size=%llu may be "
                               "more than this system allows",
                               (unsigned long long) store->opts.size);

    default:
        return lead_lmdb_error(store, err, "mdb_env_open() failed", e);
    }
}


/* handles opened in a transaction that is committed, of either kind, stay */

static lead_rc_t
lead_lmdb_trees(lead_store_t *store, int create, lead_error_t *e)
{
    int         err, write;
    MDB_txn    *txn;
    lead_rc_t   rc;

    rc = LEAD_OK;

    for (write = 0; write < 2; write++) {

        err = mdb_txn_begin(store->env, NULL, write ? 0 : MDB_RDONLY, &txn);

        if (err != 0) {
            return lead_lmdb_error(store, err, "mdb_txn_begin() failed", e);
        }

        rc = lead_lmdb_trees_open(store, txn, e);

        if (rc == LEAD_NOTFOUND && write) {
            rc = lead_lmdb_trees_make(store, txn, e);
        }

        if (rc == LEAD_OK) {
            err = mdb_txn_commit(txn);

            return err == 0 ? LEAD_OK
                            : lead_lmdb_error(store, err,
                                              "mdb_txn_commit() failed", e);
        }

        mdb_txn_abort(txn);

        if (rc != LEAD_NOTFOUND || !create) {
            break;
        }
    }

    return rc;
}


static lead_rc_t
lead_lmdb_trees_open(lead_store_t *store, MDB_txn *txn, lead_error_t *e)
{
    int        i, err;
    lead_rc_t  rc;

    for (i = 0; i < LEAD_LMDB_TREES; i++) {

        err = mdb_dbi_open(txn, lead_lmdb_names[i], 0, &store->dbi[i]);

        if (i == LEAD_LMDB_META) {

            if (err == MDB_NOTFOUND || err == MDB_INCOMPATIBLE) {
                return lead_lmdb_unmarked(store, txn, e);
            }

            rc = err == 0 ? lead_lmdb_marker(store, txn, e) : LEAD_OK;

            if (rc != LEAD_OK) {
                return rc;
            }
        }

        if (err == MDB_NOTFOUND || err == MDB_INCOMPATIBLE) {
            return lead_store_fail(e, LEAD_CORRUPT, 0,
                                   "the store lacks its tree \"%s\"",
                                   lead_lmdb_names[i]);
        }

        if (err != 0) {
            return lead_lmdb_error(store, err, "mdb_dbi_open() failed", e);
        }
    }

    return LEAD_OK;
}


static lead_rc_t
lead_lmdb_marker(lead_store_t *store, MDB_txn *txn, lead_error_t *e)
{
    int                   err, known;
    MDB_val               key, row;
    lead_bytes_t          bytes;
    lead_record_marker_t  m;
    static const uint8_t  none[sizeof(m.store)];

    key.mv_data = (void *) LEAD_LMDB_MARKER;
    key.mv_size = LEAD_LMDB_MARKER_LEN;

    err = mdb_get(txn, store->dbi[LEAD_LMDB_META], &key, &row);

    if (err != 0 && err != MDB_NOTFOUND) {
        return lead_lmdb_error(store, err, "mdb_get() failed", e);
    }

    bytes.data = err == 0 ? row.mv_data : NULL;
    bytes.len = err == 0 ? row.mv_size : 0;

    if (lead_record_marker_decode(bytes, &m) != 0) {
        return lead_store_fail(e, LEAD_FOREIGN, 0,
                               "\"%.180s\" is no lead store", store->path);
    }

    if (m.version > LEAD_RECORD_VERSION) {
        return lead_store_fail(e, LEAD_VERSION, 0,
                               "the store has format %lu, this is for %d: use"
                               " the version that wrote it, or a backup",
                               (unsigned long) m.version, LEAD_RECORD_VERSION);
    }

    /* there has been no other format yet */

    if (m.version < LEAD_RECORD_VERSION) {
        return lead_store_fail(e, LEAD_CORRUPT, 0,
                               "the store has format %lu, which never was: put"
                               " a backup in its place",
                               (unsigned long) m.version);
    }

    known = memcmp(store->marker.store, none, sizeof(none)) != 0;

    if (known && memcmp(store->marker.store, m.store, sizeof(none)) != 0) {
        return lead_store_fail(e, LEAD_FOREIGN, 0,
                               "\"%.180s\" is another store than before",
                               store->path);
    }

    store->marker = m;

    return LEAD_OK;
}


static lead_rc_t
lead_lmdb_unmarked(lead_store_t *store, MDB_txn *txn, lead_error_t *e)
{
    int       err;
    MDB_dbi   dbi;
    MDB_stat  st;

    err = mdb_dbi_open(txn, NULL, 0, &dbi);

    if (err == 0) {
        err = mdb_stat(txn, dbi, &st);
    }

    if (err != 0) {
        return lead_lmdb_error(store, err, "mdb_stat() failed", e);
    }

    if (st.ms_entries != 0) {
        return lead_store_fail(e, LEAD_FOREIGN, 0,
                               "\"%.180s\" is no lead store", store->path);
    }

    return lead_store_fail(e, LEAD_NOTFOUND, 0,
                           "there is no lead store in \"%.180s\"", store->dir);
}


static lead_rc_t
lead_lmdb_trees_make(lead_store_t *store, MDB_txn *txn, lead_error_t *e)
{
    int                   i, err;
    uint8_t               name, buf[LEAD_RECORD_MARKER_LEN],
                          row[LEAD_RECORD_STATE_LEN];
    MDB_val               key, val;
    lead_record_state_t   state;
    lead_record_marker_t  m;

    for (i = 0; i < LEAD_LMDB_TREES; i++) {
        err = mdb_dbi_open(txn, lead_lmdb_names[i], MDB_CREATE,
                           &store->dbi[i]);
        if (err != 0) {
            return lead_lmdb_error(store, err, "mdb_dbi_open() failed", e);
        }
    }

    m.version = LEAD_RECORD_VERSION;

    if (RAND_bytes(m.store, sizeof(m.store)) != 1) {
        return lead_store_fail(e, LEAD_IO, 0, "there is no randomness");
    }

    key.mv_data = (void *) LEAD_LMDB_MARKER;
    key.mv_size = LEAD_LMDB_MARKER_LEN;
    val.mv_data = buf;
    val.mv_size = sizeof(buf);

    lead_record_marker_encode(buf, &m);

    err = mdb_put(txn, store->dbi[LEAD_LMDB_META], &key, &val, 0);

    if (err == 0) {
        memset(&state, 0, sizeof(lead_record_state_t));

        state.number = 1;
        state.event = 1;
        state.since = store->opts.clock();

        lead_record_state_encode(row, &state);

        name = LEAD_RECORD_STATE;

        key.mv_data = &name;
        key.mv_size = 1;
        val.mv_data = row;
        val.mv_size = sizeof(row);

        err = mdb_put(txn, store->dbi[LEAD_LMDB_COUNTERS], &key, &val, 0);
    }

    if (err != 0) {
        return lead_lmdb_error(store, err, "mdb_put() failed", e);
    }

    store->marker = m;

    /* what a creation that failed has left */

    err = lead_lmdb_turn_settle(store);

    return err == 0 ? lead_lmdb_files_sync(store, e)
           : lead_lmdb_error(store, err, "cannot sync the store", e);
}
