
/*
 * Copyright (C) the ngx_lead authors
 *
 * The check of what leads stand on: counters, keys, accounts and endpoints.
 * As lmdb_check.c, it reports and never repairs, and allocates nothing.
 */


#include <string.h>

#include "lmdb_check.h"


static lead_rc_t lead_lmdb_check_no_leads(lead_lmdb_check_t *c,
    uint32_t account, uint64_t count);
static lead_rc_t lead_lmdb_check_numbered(lead_lmdb_check_t *c,
    lead_bytes_t key, const char *what);
static lead_rc_t lead_lmdb_check_pair(lead_lmdb_check_t *c, unsigned tree,
    lead_bytes_t key, lead_bytes_t row, const char *what);


lead_rc_t
lead_lmdb_check_counter(lead_lmdb_check_t *c, lead_bytes_t key,
    lead_bytes_t row)
{
    uint32_t   account;
    lead_rc_t  rc;

    if (key.len == 1 && key.data[0] == LEAD_RECORD_STATE) {
        return LEAD_OK;
    }

    if (key.len == LEAD_RECORD_ENDPOINT_KEY
        && key.data[0] == LEAD_RECORD_ENDPOINT)
    {
        return lead_lmdb_check_state(c, key, row);
    }

    if (row.len != 8
        || !((key.len == LEAD_RECORD_COUNT_KEY
              && key.data[0] == LEAD_RECORD_COUNT)
             || (key.len == LEAD_RECORD_COUNTER_KEY
                 && key.data[0] == LEAD_RECORD_COUNTER)))
    {
        return lead_lmdb_finding(c, "a counter cannot be read");
    }

    account = lead_record_get32(key.data + 1);

    rc = lead_lmdb_check_owner(c, account, "a counter");

    if (rc == LEAD_OK && key.data[0] == LEAD_RECORD_COUNT) {
        rc = lead_lmdb_check_no_leads(c, account, lead_record_get64(row.data));
    }

    return rc;
}


/* accounts that have leads were compared with them */

static lead_rc_t
lead_lmdb_check_no_leads(lead_lmdb_check_t *c, uint32_t account,
    uint64_t count)
{
    uint8_t       prefix[4];
    lead_rc_t     rc;
    lead_bytes_t  key, row;

    (void) lead_record_put32(prefix, account);

    key.data = prefix;
    key.len = sizeof(prefix);

    rc = lead_lmdb_move(c->t, LEAD_LMDB_LEADS, MDB_SET_RANGE, &key, &row);

    if (rc != LEAD_OK && rc != LEAD_NOTFOUND) {
        return rc;
    }

    if (count == 0
        || (rc == LEAD_OK
            && key.len >= sizeof(prefix)
            && lead_record_get32(key.data) == account))
    {
        return LEAD_OK;
    }

    return lead_lmdb_finding(c, "account %lu has no leads, its counter is"
                             " another", (unsigned long) account);
}


lead_rc_t
lead_lmdb_check_key(lead_lmdb_check_t *c, lead_bytes_t key, lead_bytes_t row)
{
    lead_rc_t     rc;
    lead_key_t    k;
    lead_bytes_t  found;

    if (key.len != LEAD_RECORD_SHA_LEN || lead_record_key_decode(row, &k) != 0)
    {
        return lead_lmdb_finding(c, "a key cannot be read");
    }

    rc = lead_lmdb_check_owner(c, k.account, "a key");

    if (rc != LEAD_OK) {
        return rc;
    }

    rc = lead_lmdb_row(c->t, LEAD_LMDB_KEY_IDS, k.id, LEAD_KEY_ID_LEN, &found);

    if (rc == LEAD_NOTFOUND
        || (rc == LEAD_OK
            && (found.len != key.len
                || memcmp(found.data, key.data, key.len) != 0)))
    {
        return lead_lmdb_finding(c, "key %s is not found by its id", k.id);
    }

    return rc;
}


lead_rc_t
lead_lmdb_check_key_id(lead_lmdb_check_t *c, lead_bytes_t key,
    lead_bytes_t row)
{
    lead_rc_t     rc;
    lead_key_t    k;
    lead_bytes_t  found;

    if (key.len != LEAD_KEY_ID_LEN || row.len != LEAD_RECORD_SHA_LEN) {
        return lead_lmdb_finding(c, "a key's id cannot be read");
    }

    rc = lead_lmdb_row(c->t, LEAD_LMDB_KEYS, row.data, row.len, &found);

    if (rc == LEAD_NOTFOUND
        || (rc == LEAD_OK
            && lead_record_key_decode(found, &k) == 0
            && memcmp(k.id, key.data, LEAD_KEY_ID_LEN) != 0))
    {
        return lead_lmdb_finding(c, "id %.*s is no key's", LEAD_KEY_ID_LEN,
                                 (const char *) key.data);
    }

    return rc;
}


lead_rc_t
lead_lmdb_check_account(lead_lmdb_check_t *c, lead_bytes_t key,
    lead_bytes_t row)
{
    lead_rc_t  rc;

    rc = lead_lmdb_check_numbered(c, key, "account");

    return rc != LEAD_OK ? rc
           : lead_lmdb_check_pair(c, LEAD_LMDB_ACCOUNT_NAMES, row, key,
                                  "an account");
}


lead_rc_t
lead_lmdb_check_account_name(lead_lmdb_check_t *c, lead_bytes_t key,
    lead_bytes_t row)
{
    return lead_lmdb_check_pair(c, LEAD_LMDB_ACCOUNTS, row, key,
                                "an account's name");
}


lead_rc_t
lead_lmdb_check_endpoint(lead_lmdb_check_t *c, lead_bytes_t key,
    lead_bytes_t row)
{
    lead_rc_t  rc;

    rc = lead_lmdb_check_numbered(c, key, "endpoint");

    return rc != LEAD_OK ? rc
           : lead_lmdb_check_pair(c, LEAD_LMDB_ENDPOINT_NAMES, row, key,
                                  "an endpoint");
}


lead_rc_t
lead_lmdb_check_endpoint_name(lead_lmdb_check_t *c, lead_bytes_t key,
    lead_bytes_t row)
{
    lead_rc_t  rc;

    rc = lead_lmdb_check_pair(c, LEAD_LMDB_ENDPOINTS, row, key,
                              "an endpoint's name");

    if (rc == LEAD_OK && key.len >= 4) {
        rc = lead_lmdb_check_owner(c, lead_record_get32(key.data),
                                   "an endpoint");
    }

    return rc;
}


/* numbers are given in turn, and for ever */

static lead_rc_t
lead_lmdb_check_numbered(lead_lmdb_check_t *c, lead_bytes_t key,
    const char *what)
{
    uint32_t  number;

    if (key.len != 4) {
        return lead_lmdb_finding(c, "an %s has a number of %zu bytes", what,
                                 key.len);
    }

    number = lead_record_get32(key.data);
    c->number++;

    if (number != c->number) {
        (void) lead_lmdb_finding(c, "%s %lu is not there, but %s %lu is", what,
                                 (unsigned long) c->number, what,
                                 (unsigned long) number);
        c->number = number;
    }

    return LEAD_OK;
}


static lead_rc_t
lead_lmdb_check_pair(lead_lmdb_check_t *c, unsigned tree, lead_bytes_t key,
    lead_bytes_t row, const char *what)
{
    lead_rc_t     rc;
    lead_bytes_t  found;

    rc = LEAD_NOTFOUND;

    if (key.len != 0 && key.len <= LEAD_RECORD_NAME_KEY) {
        rc = lead_lmdb_row(c->t, tree, key.data, key.len, &found);
    }

    if (rc == LEAD_NOTFOUND
        || (rc == LEAD_OK
            && (found.len != row.len
                || memcmp(found.data, row.data, row.len) != 0)))
    {
        return lead_lmdb_finding(c, "%s has no counterpart", what);
    }

    return rc;
}


lead_rc_t
lead_lmdb_check_owner(lead_lmdb_check_t *c, uint32_t account, const char *what)
{
    lead_rc_t  rc;

    rc = lead_lmdb_account_known(c->t, account);

    if (rc == LEAD_NOTFOUND) {
        return lead_lmdb_finding(c, "account %lu is not there, but has %s",
                                 (unsigned long) account, what);
    }

    return rc;
}
