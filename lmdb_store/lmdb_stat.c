
/*
 * Copyright (C) the ngx_lead authors
 *
 * Figures of the store and its regular care.  Figures are read in one
 * transaction, so that they agree with each other; nothing is allocated.
 */


#include <string.h>

#include "lmdb_store.h"


static lead_rc_t lead_lmdb_stat_trees(lead_lmdb_txn_t *t, lead_stat_t *stat);
static lead_rc_t lead_lmdb_stat_entries(lead_lmdb_txn_t *t, unsigned tree,
    uint64_t *entries);
static lead_rc_t lead_lmdb_stat_file(lead_lmdb_txn_t *t, lead_stat_t *stat);
static lead_rc_t lead_lmdb_stat_free(lead_lmdb_txn_t *t, size_t page,
    uint64_t *size);
static int lead_lmdb_stat_reader(const char *text, void *ctx);


lead_rc_t
lead_lmdb_stat(lead_store_t *store, lead_stat_t *stat, lead_error_t *e)
{
    lead_rc_t         rc;
    lead_lmdb_txn_t  *t;

    memset(stat, 0, sizeof(lead_stat_t));

    rc = lead_lmdb_read_begin(store, 1, &t, e);

    if (rc != LEAD_OK) {
        return rc;
    }

    rc = lead_lmdb_stat_trees(t, stat);

    if (rc == LEAD_OK) {
        rc = lead_lmdb_stat_file(t, stat);
    }

    if (rc == LEAD_OK) {
        rc = lead_lmdb_state(t);
    }

    if (rc == LEAD_OK) {
        stat->last_number = t->state.number - 1;
    }

    stat->version = store->marker.version;
    memcpy(stat->store, store->marker.store, sizeof(stat->store));

    lead_lmdb_read_end(t);

    return rc;
}


static lead_rc_t
lead_lmdb_stat_trees(lead_lmdb_txn_t *t, lead_stat_t *stat)
{
    size_t     i;
    uint64_t   n, replayed;
    lead_rc_t  rc;

    struct {
        unsigned   tree;
        uint64_t  *entries;
    } trees[] = {
        { LEAD_LMDB_LEADS, &stat->leads },
        { LEAD_LMDB_EVENTS, &stat->events },
        { LEAD_LMDB_OUTBOX, &stat->outbox },
        { LEAD_LMDB_DELIVERIES, &stat->attempts },
        { LEAD_LMDB_LOOKUP, &stat->lookups },
        { LEAD_LMDB_KEYS, &stat->keys },
        { LEAD_LMDB_ACCOUNTS, &stat->accounts },
        { LEAD_LMDB_ENDPOINTS, &stat->endpoints }
    };

    for (i = 0; i < sizeof(trees) / sizeof(trees[0]); i++) {
        rc = lead_lmdb_stat_entries(t, trees[i].tree, trees[i].entries);

        if (rc != LEAD_OK) {
            return rc;
        }
    }

    n = 0;

    for (i = 0; i < LEAD_RECORD_GENERATIONS; i++) {
        rc = lead_lmdb_stat_entries(t, LEAD_LMDB_IDEM + (unsigned) i, &n);

        if (rc != LEAD_OK) {
            return rc;
        }

        stat->idempotency += n;
    }

    return lead_lmdb_endpoint_sum(t, &stat->failed, &replayed);
}


static lead_rc_t
lead_lmdb_stat_entries(lead_lmdb_txn_t *t, unsigned tree, uint64_t *entries)
{
    int       err;
    MDB_stat  st;

    err = mdb_stat(t->txn, t->store->dbi[tree], &st);

    if (err != 0) {
        return lead_lmdb_error(t->store, err, "mdb_stat() failed", t->e);
    }

    *entries = st.ms_entries;

    return LEAD_OK;
}


static lead_rc_t
lead_lmdb_stat_file(lead_lmdb_txn_t *t, lead_stat_t *stat)
{
    MDB_env      *env;
    MDB_stat      st;
    unsigned      lines;
    MDB_envinfo   info;

    env = t->store->env;

    (void) mdb_env_stat(env, &st);
    (void) mdb_env_info(env, &info);

    stat->size = info.me_mapsize;
    stat->used = (uint64_t) (info.me_last_pgno + 1) * st.ms_psize;
    stat->readers_max = info.me_maxreaders;

    /* a line of heading and one for each, or one that there is none */

    lines = 0;
    (void) mdb_reader_list(env, lead_lmdb_stat_reader, &lines);
    stat->readers = lines > 1 ? lines - 1 : 0;

    return lead_lmdb_stat_free(t, st.ms_psize, &stat->free);
}


static lead_rc_t
lead_lmdb_stat_free(lead_lmdb_txn_t *t, size_t page, uint64_t *size)
{
    int          err;
    size_t       n;
    MDB_val      key, row;
    MDB_cursor  *cursor;

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

        memcpy(&n, row.mv_data, sizeof(size_t));

        *size += (uint64_t) n * page;
    }

    mdb_cursor_close(cursor);

    return err == MDB_NOTFOUND ? LEAD_OK
                               : lead_lmdb_error(t->store, err,
                                                 "mdb_cursor_get() failed",
                                                 t->e);
}


static int
lead_lmdb_stat_reader(const char *text, void *ctx)
{
    unsigned  *lines;

    lines = ctx;

    (*lines)++;

    return 0;
}


lead_rc_t
lead_lmdb_counter(lead_store_t *store, uint32_t account, lead_bytes_t name,
    uint64_t *value, lead_error_t *e)
{
    uint8_t           key[LEAD_RECORD_COUNTER_KEY];
    lead_rc_t         rc;
    lead_lmdb_txn_t  *t;

    rc = lead_lmdb_read_begin(store, 0, &t, e);

    if (rc == LEAD_OK) {
        rc = lead_lmdb_counter_read(t, account, name, key, value);
        lead_lmdb_read_end(t);
    }

    return rc;
}


lead_rc_t
lead_lmdb_count(lead_store_t *store, uint32_t account, uint64_t *leads,
    lead_error_t *e)
{
    lead_rc_t         rc;
    lead_lmdb_txn_t  *t;

    rc = lead_lmdb_read_begin(store, 1, &t, e);

    if (rc == LEAD_OK) {
        rc = lead_lmdb_count_read(t, account, leads);
        lead_lmdb_read_end(t);
    }

    return rc;
}


/* the writer's lock is asked for only when there is something to write */

lead_rc_t
lead_lmdb_sweep(lead_store_t *store, lead_error_t *e)
{
    int               due, dead;
    int64_t           now;
    lead_rc_t         rc;
    lead_lmdb_txn_t  *t;

    rc = lead_lmdb_read_begin(store, 1, &t, e);

    if (rc != LEAD_OK) {
        return rc;
    }

    (void) mdb_reader_check(store->env, &dead);

    now = store->opts.clock();

    rc = lead_lmdb_index_due(t, now, &due);

    lead_lmdb_read_end(t);

    if (rc == LEAD_OK && due) {
        rc = lead_lmdb_write_begin(store, &t, e);

        if (rc == LEAD_OK) {
            rc = lead_lmdb_write_end(t, lead_lmdb_index_forget(t, now));
        }
    }

    return rc == LEAD_OK ? lead_lmdb_expire(store, now, e) : rc;
}
