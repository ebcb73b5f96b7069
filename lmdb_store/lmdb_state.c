
/*
 * Copyright (C) the ngx_lead authors
 *
 * What rises with every write: the numbers of leads and events, the time in
 * ids, the leads of an account, the domain's counters; and the hashing both
 * sides of a transaction need.  State and lead counts are read once in a
 * write transaction, kept in it, and written once at its end.
 */


#include <string.h>

#include <openssl/rand.h>

#include "lmdb_store.h"


static lead_rc_t lead_lmdb_count_slot(lead_lmdb_txn_t *t, uint32_t account,
    lead_lmdb_count_t **slot);
static lead_rc_t lead_lmdb_count_flush(lead_lmdb_txn_t *t,
    lead_lmdb_count_t *c);
static lead_rc_t lead_lmdb_digest(lead_lmdb_txn_t *t, const uint8_t *head,
    size_t len, lead_bytes_t value, uint8_t *sha);


lead_rc_t
lead_lmdb_state(lead_lmdb_txn_t *t)
{
    uint8_t       key;
    lead_rc_t     rc;
    lead_bytes_t  row;

    if (t->has_state) {
        return LEAD_OK;
    }

    key = LEAD_RECORD_STATE;

    rc = lead_lmdb_row(t, LEAD_LMDB_COUNTERS, &key, 1, &row);

    if (rc == LEAD_NOTFOUND
        || (rc == LEAD_OK && lead_record_state_decode(row, &t->state) != 0))
    {
        return lead_lmdb_corrupt(t, "state");
    }

    if (rc == LEAD_OK) {
        t->has_state = 1;
    }

    return rc;
}


lead_rc_t
lead_lmdb_flush(lead_lmdb_txn_t *t)
{
    int         i;
    uint8_t     key, row[LEAD_RECORD_STATE_LEN];
    lead_rc_t   rc;

    for (i = 0; i < LEAD_LMDB_COUNTS; i++) {
        rc = lead_lmdb_count_flush(t, &t->counts[i]);

        if (rc != LEAD_OK) {
            return rc;
        }
    }

    rc = lead_lmdb_endpoint_flush(t);

    if (rc != LEAD_OK || !t->state_changed) {
        return rc;
    }

    key = LEAD_RECORD_STATE;

    lead_record_state_encode(row, &t->state);

    return lead_lmdb_put(t, LEAD_LMDB_COUNTERS, &key, 1, row, sizeof(row));
}


/* a step back of the clock shows in no id: they rise by a microsecond then */

lead_rc_t
lead_lmdb_new_id(lead_lmdb_txn_t *t, int64_t now, lead_id_t *id)
{
    lead_rc_t  rc;

    rc = lead_lmdb_state(t);

    if (rc != LEAD_OK) {
        return rc;
    }

    if (t->random_left < 8) {
        if (RAND_bytes(t->random, sizeof(t->random)) != 1) {
            return lead_store_fail(t->e, LEAD_IO, 0, "there is no randomness");
        }

        t->random_left = sizeof(t->random);
    }

    t->state.last = now > t->state.last ? now : t->state.last + 1;
    t->state_changed = 1;

    t->random_left -= 8;

    lead_record_id(id, t->state.last, t->random + t->random_left);

    return LEAD_OK;
}


lead_rc_t
lead_lmdb_count_add(lead_lmdb_txn_t *t, uint32_t account)
{
    lead_rc_t           rc;
    lead_lmdb_count_t  *c;

    rc = lead_lmdb_count_slot(t, account, &c);

    if (rc == LEAD_OK) {
        c->leads++;
        c->changed = 1;
    }

    return rc;
}


static lead_rc_t
lead_lmdb_count_slot(lead_lmdb_txn_t *t, uint32_t account,
    lead_lmdb_count_t **slot)
{
    uint64_t            leads;
    lead_rc_t           rc;
    lead_lmdb_count_t  *c;

    c = &t->counts[account % LEAD_LMDB_COUNTS];

    *slot = c;

    if (c->account == account) {
        return LEAD_OK;
    }

    rc = lead_lmdb_count_flush(t, c);

    if (rc != LEAD_OK) {
        return rc;
    }

    rc = lead_lmdb_count_read(t, account, &leads);

    if (rc == LEAD_OK) {
        c->account = account;
        c->leads = leads;
    }

    return rc;
}


static lead_rc_t
lead_lmdb_count_flush(lead_lmdb_txn_t *t, lead_lmdb_count_t *c)
{
    uint8_t  key[LEAD_RECORD_COUNT_KEY], row[8];

    if (!c->changed) {
        return LEAD_OK;
    }

    c->changed = 0;

    key[0] = LEAD_RECORD_COUNT;
    (void) lead_record_put32(key + 1, c->account);
    (void) lead_record_put64(row, c->leads);

    return lead_lmdb_put(t, LEAD_LMDB_COUNTERS, key, sizeof(key), row,
                         sizeof(row));
}


lead_rc_t
lead_lmdb_count_read(lead_lmdb_txn_t *t, uint32_t account, uint64_t *leads)
{
    uint8_t       key[LEAD_RECORD_COUNT_KEY];
    lead_rc_t     rc;
    lead_bytes_t  row;

    *leads = 0;

    key[0] = LEAD_RECORD_COUNT;
    (void) lead_record_put32(key + 1, account);

    rc = lead_lmdb_row(t, LEAD_LMDB_COUNTERS, key, sizeof(key), &row);

    if (rc == LEAD_NOTFOUND) {
        return LEAD_OK;
    }

    if (rc == LEAD_OK) {

        if (row.len != 8) {
            return lead_lmdb_corrupt(t, "count of leads");
        }

        *leads = lead_record_get64(row.data);
    }

    return rc;
}


lead_rc_t
lead_lmdb_counter_read(lead_lmdb_txn_t *t, uint32_t account,
    lead_bytes_t name, uint8_t *key, uint64_t *value)
{
    lead_rc_t     rc;
    lead_bytes_t  row;

    *value = 0;

    key[0] = LEAD_RECORD_COUNTER;
    (void) lead_record_put32(key + 1, account);

    rc = lead_lmdb_sha_text(t, name, key + 5);

    if (rc == LEAD_OK) {
        rc = lead_lmdb_row(t, LEAD_LMDB_COUNTERS, key,
                           LEAD_RECORD_COUNTER_KEY, &row);
    }

    if (rc == LEAD_NOTFOUND) {
        return LEAD_OK;
    }

    if (rc == LEAD_OK) {

        if (row.len != 8) {
            return lead_lmdb_corrupt(t, "counter");
        }

        *value = lead_record_get64(row.data);
    }

    return rc;
}


lead_rc_t
lead_lmdb_counter_raise(lead_lmdb_txn_t *t, uint32_t account,
    lead_bytes_t name)
{
    uint8_t    key[LEAD_RECORD_COUNTER_KEY], row[8];
    uint64_t   value;
    lead_rc_t  rc;

    rc = lead_lmdb_counter_read(t, account, name, key, &value);

    if (rc != LEAD_OK) {
        return rc;
    }

    (void) lead_record_put64(row, value + 1);

    return lead_lmdb_put(t, LEAD_LMDB_COUNTERS, key, sizeof(key), row,
                         sizeof(row));
}


lead_rc_t
lead_lmdb_counters_read(lead_lmdb_txn_t *t, const lead_op_t *op,
    lead_lmdb_counters_t *c)
{
    size_t     i;
    lead_rc_t  rc;

    c->n = op->ncounters;

    for (i = 0; i < c->n; i++) {
        rc = lead_lmdb_counter_read(t, op->account, op->counters[i],
                                    c->keys[i], &c->before[i]);
        if (rc != LEAD_OK) {
            return rc;
        }

        c->values[i] = c->before[i];
    }

    return LEAD_OK;
}


lead_rc_t
lead_lmdb_counters_write(lead_lmdb_txn_t *t, const lead_lmdb_counters_t *c)
{
    size_t     i;
    uint8_t    row[8];
    lead_rc_t  rc;

    for (i = 0; i < c->n; i++) {

        if (c->values[i] <= c->before[i]) {
            continue;
        }

        (void) lead_record_put64(row, c->values[i]);

        rc = lead_lmdb_put(t, LEAD_LMDB_COUNTERS, c->keys[i],
                           LEAD_RECORD_COUNTER_KEY, row, sizeof(row));
        if (rc != LEAD_OK) {
            return rc;
        }
    }

    return LEAD_OK;
}


lead_rc_t
lead_lmdb_sha(lead_lmdb_txn_t *t, uint32_t account, uint8_t kind,
    lead_bytes_t value, uint8_t *sha)
{
    uint8_t  head[5];

    head[4] = kind;
    (void) lead_record_put32(head, account);

    return lead_lmdb_digest(t, head, sizeof(head), value, sha);
}


lead_rc_t
lead_lmdb_sha_text(lead_lmdb_txn_t *t, lead_bytes_t text, uint8_t *sha)
{
    return lead_lmdb_digest(t, NULL, 0, text, sha);
}


/* without a type the context keeps the one it has, which saves OpenSSL 3
 * looking it up each time */

static lead_rc_t
lead_lmdb_digest(lead_lmdb_txn_t *t, const uint8_t *head, size_t len,
    lead_bytes_t value, uint8_t *sha)
{
    if (EVP_DigestInit_ex(t->md, NULL, NULL) != 1
        || (len != 0 && EVP_DigestUpdate(t->md, head, len) != 1)
        || (value.len != 0
            && EVP_DigestUpdate(t->md, value.data, value.len) != 1)
        || EVP_DigestFinal_ex(t->md, sha, NULL) != 1)
    {
        return lead_store_fail(t->e, LEAD_NOMEM, 0, "SHA-256 failed");
    }

    return LEAD_OK;
}
