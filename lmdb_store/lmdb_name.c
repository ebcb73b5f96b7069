
/*
 * Copyright (C) the ngx_lead authors
 *
 * Accounts and webhook endpoints: names that get a number once and for ever.
 * A number is one more than the highest given, in the transaction that looked;
 * nothing is ever removed here, and nothing is kept in memory.
 */


#include <string.h>

#include "lmdb_store.h"


static lead_rc_t lead_lmdb_name_number(lead_lmdb_txn_t *t, unsigned tree,
    lead_bytes_t key, uint32_t *number);
static lead_rc_t lead_lmdb_name_add(lead_lmdb_txn_t *t, unsigned numbers,
    unsigned names, lead_bytes_t key, uint32_t *number);


lead_rc_t
lead_lmdb_account(lead_store_t *store, lead_bytes_t name, int create,
    uint32_t *account, lead_error_t *e)
{
    lead_rc_t         rc;
    lead_lmdb_txn_t  *t;

    rc = lead_lmdb_read_begin(store, 1, &t, e);

    if (rc != LEAD_OK) {
        return rc;
    }

    rc = lead_lmdb_name_number(t, LEAD_LMDB_ACCOUNT_NAMES, name, account);

    lead_lmdb_read_end(t);

    if (rc != LEAD_NOTFOUND) {
        return rc;
    }

    if (!create) {
        return lead_store_fail(e, LEAD_NOTFOUND, 0, "no such account");
    }

    rc = lead_lmdb_write_begin(store, &t, e);

    if (rc != LEAD_OK) {
        return rc;
    }

    rc = lead_lmdb_name_add(t, LEAD_LMDB_ACCOUNTS, LEAD_LMDB_ACCOUNT_NAMES,
                            name, account);

    return lead_lmdb_write_end(t, rc);
}


lead_rc_t
lead_lmdb_account_name(lead_store_t *store, uint32_t account, char *name,
    lead_error_t *e)
{
    uint8_t           key[4];
    lead_rc_t         rc;
    lead_bytes_t      row;
    lead_lmdb_txn_t  *t;

    rc = lead_lmdb_read_begin(store, 1, &t, e);

    if (rc != LEAD_OK) {
        return rc;
    }

    (void) lead_record_put32(key, account);

    rc = lead_lmdb_row(t, LEAD_LMDB_ACCOUNTS, key, sizeof(key), &row);

    if (rc == LEAD_NOTFOUND) {
        (void) lead_store_fail(e, rc, 0, "no such account");

    } else if (rc == LEAD_OK && row.len > LEAD_NAME_MAX) {
        rc = lead_lmdb_corrupt(t, "account");

    } else if (rc == LEAD_OK) {
        memcpy(name, row.data, row.len);
        name[row.len] = '\0';
    }

    lead_lmdb_read_end(t);

    return rc;
}


lead_rc_t
lead_lmdb_endpoint(lead_store_t *store, uint32_t account, lead_bytes_t name,
    int create, uint32_t *endpoint, lead_error_t *e)
{
    uint8_t           buf[LEAD_RECORD_NAME_KEY];
    lead_rc_t         rc;
    lead_bytes_t      key;
    lead_lmdb_txn_t  *t;

    memcpy(lead_record_put32(buf, account), name.data, name.len);

    key.data = buf;
    key.len = 4 + name.len;

    rc = lead_lmdb_read_begin(store, 1, &t, e);

    if (rc != LEAD_OK) {
        return rc;
    }

    rc = lead_lmdb_name_number(t, LEAD_LMDB_ENDPOINT_NAMES, key, endpoint);

    lead_lmdb_read_end(t);

    if (rc != LEAD_NOTFOUND) {
        return rc;
    }

    if (!create) {
        return lead_store_fail(e, LEAD_NOTFOUND, 0, "no such endpoint");
    }

    rc = lead_lmdb_write_begin(store, &t, e);

    if (rc != LEAD_OK) {
        return rc;
    }

    rc = lead_lmdb_account_known(t, account);

    if (rc == LEAD_OK) {
        rc = lead_lmdb_name_add(t, LEAD_LMDB_ENDPOINTS,
                                LEAD_LMDB_ENDPOINT_NAMES, key, endpoint);

    } else if (rc == LEAD_NOTFOUND) {
        rc = lead_store_fail(e, LEAD_INVALID, 0, "no such account");
    }

    return lead_lmdb_write_end(t, rc);
}


static lead_rc_t
lead_lmdb_name_number(lead_lmdb_txn_t *t, unsigned tree, lead_bytes_t key,
    uint32_t *number)
{
    lead_rc_t     rc;
    lead_bytes_t  row;

    rc = lead_lmdb_row(t, tree, key.data, key.len, &row);

    if (rc != LEAD_OK) {
        return rc;
    }

    if (row.len != 4) {
        return lead_lmdb_corrupt(t, "name");
    }

    *number = lead_record_get32(row.data);

    return LEAD_OK;
}


/* the row under the number is the key under the name: the name of an account,
 * account and name of an endpoint */

static lead_rc_t
lead_lmdb_name_add(lead_lmdb_txn_t *t, unsigned numbers, unsigned names,
    lead_bytes_t key, uint32_t *number)
{
    uint8_t       buf[4];
    lead_rc_t     rc;
    lead_bytes_t  last, row;

    rc = lead_lmdb_name_number(t, names, key, number);

    if (rc != LEAD_NOTFOUND) {
        return rc;
    }

    *number = 1;

    last.data = NULL;
    last.len = 0;

    rc = lead_lmdb_move(t, numbers, MDB_LAST, &last, &row);

    if (rc == LEAD_OK) {

        if (last.len != 4) {
            return lead_lmdb_corrupt(t, "number");
        }

        *number = lead_record_get32(last.data) + 1;

    } else if (rc != LEAD_NOTFOUND) {
        return rc;
    }

    (void) lead_record_put32(buf, *number);

    rc = lead_lmdb_put(t, numbers, buf, sizeof(buf), key.data, key.len);

    if (rc == LEAD_OK) {
        rc = lead_lmdb_put(t, names, key.data, key.len, buf, sizeof(buf));
    }

    return rc;
}


lead_rc_t
lead_lmdb_account_known(lead_lmdb_txn_t *t, uint32_t account)
{
    uint8_t       key[4];
    lead_rc_t     rc;
    lead_bytes_t  row;

    if (account == 0) {
        return LEAD_NOTFOUND;
    }

    if (t->account == account) {
        return LEAD_OK;
    }

    (void) lead_record_put32(key, account);

    rc = lead_lmdb_row(t, LEAD_LMDB_ACCOUNTS, key, sizeof(key), &row);

    if (rc == LEAD_OK) {
        t->account = account;
    }

    return rc;
}


lead_rc_t
lead_lmdb_endpoint_known(lead_lmdb_txn_t *t, uint32_t endpoint,
    uint32_t account)
{
    uint8_t       key[4];
    lead_rc_t     rc;
    lead_bytes_t  row;

    if (t->endpoint == endpoint
        && t->endpoint_account == account
        && endpoint != 0)
    {
        return LEAD_OK;
    }

    (void) lead_record_put32(key, endpoint);

    rc = lead_lmdb_row(t, LEAD_LMDB_ENDPOINTS, key, sizeof(key), &row);

    if (rc != LEAD_OK) {
        return rc;
    }

    if (row.len < 4) {
        return lead_lmdb_corrupt(t, "endpoint");
    }

    if (lead_record_get32(row.data) != account) {
        return LEAD_NOTFOUND;
    }

    t->endpoint = endpoint;
    t->endpoint_account = account;

    return LEAD_OK;
}
