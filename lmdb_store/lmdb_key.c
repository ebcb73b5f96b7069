
/*
 * Copyright (C) the ngx_lead authors
 *
 * API keys: a row under the SHA-256 of the text, which is the only thing of
 * the text that is kept, and the public id beside it.  Nothing is kept in
 * memory, so that a key works, or no longer works, at once in every process.
 */


#include <string.h>

#include "lmdb_store.h"


#define LEAD_LMDB_KEY_IDS_TRIED  8

/* of a shorter imported text the last four characters would tell too much */

#define LEAD_LMDB_KEY_LAST4      16


static lead_rc_t lead_lmdb_key_insert(lead_lmdb_txn_t *t, lead_key_t *key,
    lead_bytes_t text);
static lead_rc_t lead_lmdb_key_new_id(lead_lmdb_txn_t *t, char *id);
static void lead_lmdb_key_last4(lead_key_t *key, lead_bytes_t text);
static lead_rc_t lead_lmdb_key_put(lead_lmdb_txn_t *t, const uint8_t *sha,
    const lead_key_t *key);
static lead_rc_t lead_lmdb_key_row(lead_lmdb_txn_t *t, const uint8_t *sha,
    lead_key_t *key);
static lead_rc_t lead_lmdb_key_by_id(lead_lmdb_txn_t *t, const char *id,
    uint8_t *sha, lead_key_t *key);
static lead_rc_t lead_lmdb_key_rows(lead_lmdb_txn_t *t,
    lead_key_sink_pt sink, void *ctx);


lead_rc_t
lead_lmdb_key_add(lead_store_t *store, lead_key_t *key, lead_bytes_t text,
    lead_error_t *e)
{
    lead_rc_t         rc;
    lead_key_t        added;
    lead_lmdb_txn_t  *t;

    added = *key;
    added.created = store->opts.clock();

    rc = lead_lmdb_write_begin(store, &t, e);

    if (rc == LEAD_OK) {
        rc = lead_lmdb_key_insert(t, &added, text);
        rc = lead_lmdb_write_end(t, rc);
    }

    if (rc == LEAD_OK) {
        *key = added;
    }

    return rc;
}


static lead_rc_t
lead_lmdb_key_insert(lead_lmdb_txn_t *t, lead_key_t *key, lead_bytes_t text)
{
    uint8_t       sha[LEAD_RECORD_SHA_LEN];
    lead_rc_t     rc;
    lead_bytes_t  row;

    rc = lead_lmdb_account_known(t, key->account);

    if (rc == LEAD_NOTFOUND) {
        return lead_store_fail(t->e, LEAD_INVALID, 0, "no such account");
    }

    if (rc == LEAD_OK) {
        rc = lead_lmdb_sha_text(t, text, sha);
    }

    if (rc == LEAD_OK) {
        rc = lead_lmdb_row(t, LEAD_LMDB_KEYS, sha, sizeof(sha), &row);
    }

    if (rc == LEAD_NOTFOUND) {
        rc = LEAD_OK;

        if (key->id[0] == '\0') {
            lead_lmdb_key_last4(key, text);
            rc = lead_lmdb_key_new_id(t, key->id);
        }

        if (rc == LEAD_OK) {
            rc = lead_lmdb_row(t, LEAD_LMDB_KEY_IDS, key->id, LEAD_KEY_ID_LEN,
                               &row);
        }
    }

    if (rc == LEAD_OK) {
        return lead_store_fail(t->e, LEAD_EXISTS, 0, "the key is there");
    }

    if (rc != LEAD_NOTFOUND) {
        return rc;
    }

    rc = lead_lmdb_put(t, LEAD_LMDB_KEY_IDS, key->id, LEAD_KEY_ID_LEN, sha,
                       sizeof(sha));

    return rc == LEAD_OK ? lead_lmdb_key_put(t, sha, key) : rc;
}


static lead_rc_t
lead_lmdb_key_new_id(lead_lmdb_txn_t *t, char *id)
{
    int           i;
    lead_rc_t     rc;
    lead_bytes_t  row;

    rc = LEAD_OK;

    for (i = 0; i < LEAD_LMDB_KEY_IDS_TRIED && rc == LEAD_OK; i++) {

        if (lead_store_random_text(id, LEAD_KEY_ID_LEN) != LEAD_OK) {
            return lead_store_fail(t->e, LEAD_IO, 0, "there is no randomness");
        }

        id[LEAD_KEY_ID_LEN] = '\0';

        rc = lead_lmdb_row(t, LEAD_LMDB_KEY_IDS, id, LEAD_KEY_ID_LEN, &row);
    }

    return rc == LEAD_NOTFOUND ? LEAD_OK : rc;
}


static void
lead_lmdb_key_last4(lead_key_t *key, lead_bytes_t text)
{
    size_t  i;

    key->last4[0] = '\0';

    if (text.len < LEAD_LMDB_KEY_LAST4) {
        return;
    }

    for (i = text.len - 4; i < text.len; i++) {
        if (text.data[i] <= 0x20 || text.data[i] >= 0x7f) {
            return;
        }
    }

    memcpy(key->last4, text.data + text.len - 4, 4);
    key->last4[4] = '\0';
}


static lead_rc_t
lead_lmdb_key_put(lead_lmdb_txn_t *t, const uint8_t *sha,
    const lead_key_t *key)
{
    size_t   len;
    uint8_t  row[LEAD_RECORD_KEY_MAX];

    len = lead_record_key_encode(row, key);

    return lead_lmdb_put(t, LEAD_LMDB_KEYS, sha, LEAD_RECORD_SHA_LEN, row,
                         len);
}


/* LEAD_NOTFOUND without a text */

static lead_rc_t
lead_lmdb_key_row(lead_lmdb_txn_t *t, const uint8_t *sha, lead_key_t *key)
{
    lead_rc_t     rc;
    lead_bytes_t  row;

    rc = lead_lmdb_row(t, LEAD_LMDB_KEYS, sha, LEAD_RECORD_SHA_LEN, &row);

    if (rc == LEAD_OK && lead_record_key_decode(row, key) != 0) {
        return lead_lmdb_corrupt(t, "key");
    }

    return rc;
}


lead_rc_t
lead_lmdb_key_find(lead_store_t *store, lead_bytes_t text, lead_key_t *key,
    lead_error_t *e)
{
    uint8_t           sha[LEAD_RECORD_SHA_LEN];
    lead_rc_t         rc;
    lead_lmdb_txn_t  *t;

    rc = lead_lmdb_read_begin(store, 0, &t, e);

    if (rc != LEAD_OK) {
        return rc;
    }

    rc = lead_lmdb_sha_text(t, text, sha);

    if (rc == LEAD_OK) {
        rc = lead_lmdb_key_row(t, sha, key);
    }

    if (rc == LEAD_NOTFOUND) {
        (void) lead_store_fail(e, rc, 0, "no such key");
    }

    lead_lmdb_read_end(t);

    return rc;
}


static lead_rc_t
lead_lmdb_key_by_id(lead_lmdb_txn_t *t, const char *id, uint8_t *sha,
    lead_key_t *key)
{
    lead_rc_t     rc;
    lead_bytes_t  row;

    rc = lead_lmdb_row(t, LEAD_LMDB_KEY_IDS, id, LEAD_KEY_ID_LEN, &row);

    if (rc == LEAD_NOTFOUND) {
        return lead_store_fail(t->e, rc, 0, "no such key");
    }

    if (rc != LEAD_OK) {
        return rc;
    }

    if (row.len != LEAD_RECORD_SHA_LEN) {
        return lead_lmdb_corrupt(t, "key's id");
    }

    memcpy(sha, row.data, LEAD_RECORD_SHA_LEN);

    rc = lead_lmdb_key_row(t, sha, key);

    return rc == LEAD_NOTFOUND ? lead_lmdb_corrupt(t, "key's id") : rc;
}


lead_rc_t
lead_lmdb_key_disable(lead_store_t *store, const char *id, int disabled,
    lead_error_t *e)
{
    uint8_t           sha[LEAD_RECORD_SHA_LEN];
    lead_rc_t         rc;
    lead_key_t        key;
    lead_lmdb_txn_t  *t;

    rc = lead_lmdb_write_begin(store, &t, e);

    if (rc != LEAD_OK) {
        return rc;
    }

    rc = lead_lmdb_key_by_id(t, id, sha, &key);

    if (rc == LEAD_OK) {
        key.disabled = disabled ? 1 : 0;
        rc = lead_lmdb_key_put(t, sha, &key);
    }

    return lead_lmdb_write_end(t, rc);
}


lead_rc_t
lead_lmdb_key_remove(lead_store_t *store, const char *id, lead_error_t *e)
{
    uint8_t           sha[LEAD_RECORD_SHA_LEN];
    lead_rc_t         rc;
    lead_key_t        key;
    lead_lmdb_txn_t  *t;

    rc = lead_lmdb_write_begin(store, &t, e);

    if (rc != LEAD_OK) {
        return rc;
    }

    rc = lead_lmdb_key_by_id(t, id, sha, &key);

    if (rc == LEAD_OK) {
        rc = lead_lmdb_del(t, LEAD_LMDB_KEYS, sha, sizeof(sha));
    }

    if (rc == LEAD_OK) {
        rc = lead_lmdb_del(t, LEAD_LMDB_KEY_IDS, id, LEAD_KEY_ID_LEN);
    }

    return lead_lmdb_write_end(t, rc);
}


lead_rc_t
lead_lmdb_key_list(lead_store_t *store, lead_key_sink_pt sink, void *ctx,
    lead_error_t *e)
{
    lead_rc_t         rc;
    lead_lmdb_txn_t  *t;

    rc = lead_lmdb_read_begin(store, 1, &t, e);

    if (rc == LEAD_OK) {
        rc = lead_lmdb_key_rows(t, sink, ctx);
        lead_lmdb_read_end(t);
    }

    return rc;
}


static lead_rc_t
lead_lmdb_key_rows(lead_lmdb_txn_t *t, lead_key_sink_pt sink, void *ctx)
{
    lead_rc_t     rc;
    lead_key_t    key;
    lead_bytes_t  name, row;

    name.data = NULL;
    name.len = 0;

    rc = lead_lmdb_move(t, LEAD_LMDB_KEYS, MDB_FIRST, &name, &row);

    while (rc == LEAD_OK) {

        if (lead_record_key_decode(row, &key) != 0) {
            return lead_lmdb_corrupt(t, "key");
        }

        if (sink(ctx, &key) != 0) {
            return LEAD_OK;
        }

        rc = lead_lmdb_move(t, LEAD_LMDB_KEYS, MDB_NEXT, &name, &row);
    }

    return rc == LEAD_NOTFOUND ? LEAD_OK : rc;
}
