
/*
 * Copyright (C) the ngx_lead authors
 *
 * All that finds a lead by a hash: match keys and idempotency.  Rows here are
 * hints that are verified on what they point to, so that they might as well
 * be derived from it elsewhere and later; nobody outside this file knows
 * their trees but the check.
 *
 * A look-up row has its lead in its key, and ids rise: the leads of one match
 * key stand there by age.  Idempotency rows go to the newest of a ring of
 * trees, which turns every half ttl; the tree that becomes the newest again
 * is emptied, and its rows are between one and one and a half ttl old.
 */


#include <string.h>

#include "lmdb_store.h"


static lead_rc_t lead_lmdb_index_first(lead_lmdb_txn_t *t, uint32_t account,
    const lead_record_match_t *match, lead_record_t *r);
static int lead_lmdb_index_has(const lead_record_match_t *matches, size_t n,
    const lead_record_match_t *match, size_t len);
static lead_rc_t lead_lmdb_index_generation(lead_lmdb_txn_t *t, unsigned tree,
    uint32_t account, const uint8_t *sha, lead_bytes_t *ids);
static lead_rc_t lead_lmdb_index_verify(lead_lmdb_txn_t *t, uint32_t account,
    const uint8_t *sha, lead_bytes_t key, lead_bytes_t row);


lead_rc_t
lead_lmdb_index_find(lead_lmdb_txn_t *t, uint32_t account,
    const lead_record_match_t *matches, size_t n, lead_record_t *r)
{
    size_t     i;
    lead_rc_t  rc;

    for (i = 0; i < n; i++) {
        rc = lead_lmdb_index_first(t, account, &matches[i], r);

        if (rc != LEAD_NOTFOUND) {
            return rc;
        }
    }

    return LEAD_NOTFOUND;
}


static lead_rc_t
lead_lmdb_index_first(lead_lmdb_txn_t *t, uint32_t account,
    const lead_record_match_t *match, lead_record_t *r)
{
    uint8_t       prefix[LEAD_RECORD_HASH_KEY];
    lead_id_t     id;
    lead_rc_t     rc;
    lead_bytes_t  key, row;

    lead_record_hash_key(prefix, account, match->kind, match->sha);

    key.data = prefix;
    key.len = sizeof(prefix);

    rc = lead_lmdb_move(t, LEAD_LMDB_LOOKUP, MDB_SET_RANGE, &key, &row);

    while (rc == LEAD_OK) {

        if (key.len != LEAD_RECORD_LOOKUP_KEY
            || memcmp(key.data, prefix, sizeof(prefix)) != 0)
        {
            return LEAD_NOTFOUND;
        }

        memcpy(id.b, key.data + sizeof(prefix), sizeof(id.b));

        rc = lead_lmdb_lead(t, account, &id, r);

        if (rc == LEAD_OK
            && lead_lmdb_index_has(r->matches, r->nmatches, match,
                                   LEAD_RECORD_SHA_LEN))
        {
            return LEAD_OK;
        }

        if (rc == LEAD_OK || rc == LEAD_NOTFOUND) {
            rc = lead_lmdb_move(t, LEAD_LMDB_LOOKUP, MDB_NEXT, &key, &row);
        }
    }

    return rc;
}


static int
lead_lmdb_index_has(const lead_record_match_t *matches, size_t n,
    const lead_record_match_t *match, size_t len)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        if (matches[i].kind == match->kind
            && memcmp(matches[i].sha, match->sha, len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


/* what two match keys of a lead have in common in their rows is one row */

lead_rc_t
lead_lmdb_index_update(lead_lmdb_txn_t *t, uint32_t account,
    const lead_id_t *id, const lead_record_match_t *before, size_t nbefore,
    const lead_record_match_t *after, size_t nafter)
{
    size_t     i;
    uint8_t    key[LEAD_RECORD_LOOKUP_KEY];
    lead_rc_t  rc;

    memcpy(key + LEAD_RECORD_HASH_KEY, id->b, sizeof(id->b));

    for (i = 0; i < nbefore; i++) {

        if (lead_lmdb_index_has(before, i, &before[i], LEAD_RECORD_HASH_LEN)
            || lead_lmdb_index_has(after, nafter, &before[i],
                                   LEAD_RECORD_HASH_LEN))
        {
            continue;
        }

        lead_record_hash_key(key, account, before[i].kind, before[i].sha);

        rc = lead_lmdb_del(t, LEAD_LMDB_LOOKUP, key, sizeof(key));

        if (rc != LEAD_OK && rc != LEAD_NOTFOUND) {
            return rc;
        }
    }

    for (i = 0; i < nafter; i++) {

        if (lead_lmdb_index_has(after, i, &after[i], LEAD_RECORD_HASH_LEN)
            || lead_lmdb_index_has(before, nbefore, &after[i],
                                   LEAD_RECORD_HASH_LEN))
        {
            continue;
        }

        lead_record_hash_key(key, account, after[i].kind, after[i].sha);

        rc = lead_lmdb_put(t, LEAD_LMDB_LOOKUP, key, sizeof(key), NULL, 0);

        if (rc != LEAD_OK) {
            return rc;
        }
    }

    return LEAD_OK;
}


lead_rc_t
lead_lmdb_index_replay(lead_lmdb_txn_t *t, uint32_t account,
    const uint8_t *sha, lead_bytes_t *ids)
{
    unsigned   i, tree;
    lead_rc_t  rc;

    rc = lead_lmdb_state(t);

    if (rc != LEAD_OK) {
        return rc;
    }

    for (i = LEAD_RECORD_GENERATIONS; i != 0; i--) {

        tree = LEAD_LMDB_IDEM + (t->state.newest + i) % LEAD_RECORD_GENERATIONS;

        rc = lead_lmdb_index_generation(t, tree, account, sha, ids);

        if (rc != LEAD_NOTFOUND) {
            return rc;
        }
    }

    return LEAD_NOTFOUND;
}


static lead_rc_t
lead_lmdb_index_generation(lead_lmdb_txn_t *t, unsigned tree,
    uint32_t account, const uint8_t *sha, lead_bytes_t *ids)
{
    uint8_t       prefix[LEAD_RECORD_HASH_KEY];
    lead_rc_t     rc;
    lead_bytes_t  key, row;

    lead_record_hash_key(prefix, account, LEAD_RECORD_IDEMPOTENCY, sha);

    key.data = prefix;
    key.len = sizeof(prefix);

    rc = lead_lmdb_move(t, tree, MDB_SET_RANGE, &key, &row);

    while (rc == LEAD_OK) {

        if (key.len != LEAD_RECORD_IDEM_KEY
            || memcmp(key.data, prefix, sizeof(prefix)) != 0)
        {
            return LEAD_NOTFOUND;
        }

        rc = lead_lmdb_index_verify(t, account, sha, key, row);

        if (rc == LEAD_OK) {
            *ids = row;
            return LEAD_OK;
        }

        if (rc == LEAD_NOTFOUND) {
            rc = lead_lmdb_move(t, tree, MDB_NEXT, &key, &row);
        }
    }

    return rc;
}


/* a row whose lead is gone stands for nothing */

static lead_rc_t
lead_lmdb_index_verify(lead_lmdb_txn_t *t, uint32_t account,
    const uint8_t *sha, lead_bytes_t key, lead_bytes_t row)
{
    uint8_t              buf[LEAD_RECORD_EVENT_KEY];
    lead_id_t            id;
    lead_rc_t            rc;
    lead_bytes_t         found, name;
    lead_record_event_t  event;

    if (row.len == 0 || row.len % LEAD_RECORD_ID_LEN != 0) {
        return lead_lmdb_corrupt(t, "idempotency record");
    }

    memcpy(id.b, row.data, sizeof(id.b));

    lead_record_event_key(buf, account, &id,
                          lead_record_get64(key.data + LEAD_RECORD_HASH_KEY));

    rc = lead_lmdb_row(t, LEAD_LMDB_EVENTS, buf, sizeof(buf), &found);

    if (rc != LEAD_OK) {
        return rc;
    }

    name.data = buf;
    name.len = sizeof(buf);

    if (lead_record_event_decode(name, found, &event) != 0) {
        return lead_lmdb_corrupt(t, "event");
    }

    if (event.sha == NULL || memcmp(event.sha, sha, LEAD_RECORD_SHA_LEN) != 0) {
        return LEAD_NOTFOUND;
    }

    return lead_lmdb_row(t, LEAD_LMDB_LEADS, buf, LEAD_RECORD_LEAD_KEY,
                         &found);
}


lead_rc_t
lead_lmdb_index_remember(lead_lmdb_txn_t *t, uint32_t account,
    const uint8_t *sha, uint64_t event, size_t n, uint8_t **ids)
{
    uint8_t    key[LEAD_RECORD_IDEM_KEY];
    lead_rc_t  rc;

    rc = lead_lmdb_state(t);

    if (rc != LEAD_OK) {
        return rc;
    }

    lead_record_hash_key(key, account, LEAD_RECORD_IDEMPOTENCY, sha);
    (void) lead_record_put64(key + LEAD_RECORD_HASH_KEY, event);

    return lead_lmdb_reserve(t, LEAD_LMDB_IDEM + t->state.newest, key,
                             sizeof(key), n * LEAD_RECORD_ID_LEN, 0, ids);
}


lead_rc_t
lead_lmdb_index_due(lead_lmdb_txn_t *t, int64_t now, int *due)
{
    lead_rc_t  rc;

    rc = lead_lmdb_state(t);

    if (rc == LEAD_OK) {
        *due = now < t->state.since
               || now - t->state.since >= (t->store->opts.ttl + 1) / 2;
    }

    return rc;
}


lead_rc_t
lead_lmdb_index_forget(lead_lmdb_txn_t *t, int64_t now)
{
    int        err, due;
    unsigned   next;
    lead_rc_t  rc;

    rc = lead_lmdb_index_due(t, now, &due);

    if (rc != LEAD_OK || !due) {
        return rc;
    }

    t->state_changed = 1;

    /* after a step back of the clock the time begins anew */

    if (now < t->state.since) {
        t->state.since = now;
        return LEAD_OK;
    }

    next = (t->state.newest + 1u) % LEAD_RECORD_GENERATIONS;

    err = mdb_drop(t->txn, t->store->dbi[LEAD_LMDB_IDEM + next], 0);

    if (err != 0) {
        return lead_lmdb_error(t->store, err, "mdb_drop() failed", t->e);
    }

    t->state.newest = (uint8_t) next;
    t->state.since = now;

    return LEAD_OK;
}
