
/*
 * Copyright (C) the ngx_lead authors
 *
 * Rows by key and cursors, one of a tree in a transaction.  What is read is
 * LMDB's memory and not to be kept; nothing is allocated but the cursors,
 * which end with their transaction.
 */


#include <string.h>

#include "lmdb_store.h"


static lead_rc_t lead_lmdb_cursor(lead_lmdb_txn_t *t, unsigned tree);


lead_rc_t
lead_lmdb_corrupt(lead_lmdb_txn_t *t, const char *what)
{
    return lead_store_fail(t->e, LEAD_CORRUPT, 0, "the store has a bad %s",
                           what);
}


lead_rc_t
lead_lmdb_row(lead_lmdb_txn_t *t, unsigned tree, const void *key, size_t len,
    lead_bytes_t *row)
{
    int      err;
    MDB_val  k, v;

    k.mv_data = (void *) key;
    k.mv_size = len;

    err = mdb_get(t->txn, t->store->dbi[tree], &k, &v);

    if (err == 0) {
        row->data = v.mv_data;
        row->len = v.mv_size;
        return LEAD_OK;
    }

    if (err == MDB_NOTFOUND) {
        return LEAD_NOTFOUND;
    }

    return lead_lmdb_error(t->store, err, "mdb_get() failed", t->e);
}


lead_rc_t
lead_lmdb_put(lead_lmdb_txn_t *t, unsigned tree, const void *key, size_t len,
    const void *row, size_t size)
{
    uint8_t    *p;
    lead_rc_t   rc;

    p = NULL;

    rc = lead_lmdb_reserve(t, tree, key, len, size, 0, &p);

    if (rc == LEAD_OK && p != NULL && size != 0) {
        memcpy(p, row, size);
    }

    return rc;
}


lead_rc_t
lead_lmdb_reserve(lead_lmdb_txn_t *t, unsigned tree, const void *key,
    size_t len, size_t size, int append, uint8_t **row)
{
    int        err;
    MDB_val    k, v;
    lead_rc_t  rc;

    rc = lead_lmdb_cursor(t, tree);

    if (rc != LEAD_OK) {
        return rc;
    }

    k.mv_data = (void *) key;
    k.mv_size = len;
    v.mv_data = NULL;
    v.mv_size = size;

    err = MDB_KEYEXIST;

    if (append) {
        err = mdb_cursor_put(t->cursor[tree], &k, &v,
                             MDB_RESERVE|MDB_APPEND);
    }

    if (err == MDB_KEYEXIST) {
        err = mdb_cursor_put(t->cursor[tree], &k, &v, MDB_RESERVE);
    }

    if (err != 0) {
        return lead_lmdb_error(t->store, err, "mdb_cursor_put() failed",
                               t->e);
    }

    *row = v.mv_data;

    return LEAD_OK;
}


lead_rc_t
lead_lmdb_del(lead_lmdb_txn_t *t, unsigned tree, const void *key, size_t len)
{
    int      err;
    MDB_val  k;

    /* no cursor is left where pages are merged */

    if (t->cursor[tree] != NULL) {
        mdb_cursor_close(t->cursor[tree]);
        t->cursor[tree] = NULL;
    }

    k.mv_data = (void *) key;
    k.mv_size = len;

    err = mdb_del(t->txn, t->store->dbi[tree], &k, NULL);

    if (err == 0) {
        return LEAD_OK;
    }

    if (err == MDB_NOTFOUND) {
        return LEAD_NOTFOUND;
    }

    return lead_lmdb_error(t->store, err, "mdb_del() failed", t->e);
}


static lead_rc_t
lead_lmdb_cursor(lead_lmdb_txn_t *t, unsigned tree)
{
    int  err;

    if (t->cursor[tree] != NULL) {
        return LEAD_OK;
    }

    err = mdb_cursor_open(t->txn, t->store->dbi[tree], &t->cursor[tree]);

    if (err == 0) {
        return LEAD_OK;
    }

    t->cursor[tree] = NULL;

    return lead_lmdb_error(t->store, err, "mdb_cursor_open() failed", t->e);
}


lead_rc_t
lead_lmdb_move(lead_lmdb_txn_t *t, unsigned tree, MDB_cursor_op op,
    lead_bytes_t *key, lead_bytes_t *row)
{
    int        err;
    MDB_val    k, v;
    lead_rc_t  rc;

    rc = lead_lmdb_cursor(t, tree);

    if (rc != LEAD_OK) {
        return rc;
    }

    k.mv_data = (void *) key->data;
    k.mv_size = key->len;

    err = mdb_cursor_get(t->cursor[tree], &k, &v, op);

    if (err == 0) {
        key->data = k.mv_data;
        key->len = k.mv_size;
        row->data = v.mv_data;
        row->len = v.mv_size;
        return LEAD_OK;
    }

    if (err == MDB_NOTFOUND) {
        return LEAD_NOTFOUND;
    }

    return lead_lmdb_error(t->store, err, "mdb_cursor_get() failed", t->e);
}


lead_rc_t
lead_lmdb_below(lead_lmdb_txn_t *t, unsigned tree, lead_bytes_t *key,
    lead_bytes_t *row)
{
    lead_rc_t  rc;

    rc = LEAD_NOTFOUND;

    if (key->len != 0) {
        rc = lead_lmdb_move(t, tree, MDB_SET_RANGE, key, row);
    }

    if (rc == LEAD_OK) {
        return lead_lmdb_move(t, tree, MDB_PREV, key, row);
    }

    if (rc == LEAD_NOTFOUND) {
        return lead_lmdb_move(t, tree, MDB_LAST, key, row);
    }

    return rc;
}
