
/*
 * Copyright (C) the ngx_lead authors
 *
 * The commit of a batch and of a group: one transaction, in which a request
 * that was answered before is answered again with its leads as they now are,
 * and any other is carried out and remembered.  Nothing is kept here; results
 * are made in the operations' arenas.
 */


#include <string.h>

#include "lmdb_store.h"


static lead_rc_t lead_lmdb_commit_op(lead_lmdb_txn_t *t, lead_op_t *op);
static lead_rc_t lead_lmdb_group(lead_lmdb_txn_t *t, lead_op_t **ops,
    size_t n);
static lead_rc_t lead_lmdb_remember(lead_lmdb_txn_t *t, lead_op_t **ops,
    size_t n, const uint8_t *sha, uint64_t event);
static lead_rc_t lead_lmdb_op_account(lead_lmdb_txn_t *t, lead_op_t *op);
static lead_rc_t lead_lmdb_op_replay(lead_lmdb_txn_t *t, lead_op_t *op,
    uint8_t *sha);
static lead_rc_t lead_lmdb_op_replayed(lead_lmdb_txn_t *t, lead_op_t *op,
    lead_bytes_t ids);


lead_rc_t
lead_lmdb_commit(lead_store_t *store, lead_op_t **ops, size_t n,
    lead_error_t *e)
{
    size_t            i;
    lead_rc_t         rc;
    lead_lmdb_txn_t  *t;

    rc = lead_lmdb_write_begin(store, &t, e);

    if (rc != LEAD_OK) {
        return rc;
    }

    for (i = 0; i < n && rc == LEAD_OK; i++) {
        rc = lead_lmdb_commit_op(t, ops[i]);
    }

    return lead_lmdb_write_end(t, rc);
}


static lead_rc_t
lead_lmdb_commit_op(lead_lmdb_txn_t *t, lead_op_t *op)
{
    int        remember;
    uint8_t    sha[LEAD_RECORD_SHA_LEN];
    uint64_t   event;
    lead_rc_t  rc;

    rc = lead_lmdb_op_account(t, op);

    if (rc != LEAD_OK || op->rc != LEAD_OK) {
        return rc;
    }

    rc = lead_lmdb_op_replay(t, op, sha);

    if (rc != LEAD_NOTFOUND) {
        return rc;
    }

    remember = op->idempotency.len != 0;

    rc = lead_lmdb_op_run(t, op, remember ? sha : NULL, &event);

    if (rc == LEAD_OK && op->nleads != 0 && remember) {
        rc = lead_lmdb_remember(t, &op, 1, sha, event);
    }

    return rc;
}


lead_rc_t
lead_lmdb_commit_group(lead_store_t *store, lead_op_t **ops, size_t n,
    lead_error_t *e)
{
    size_t            i;
    lead_rc_t         rc;
    lead_lmdb_txn_t  *t;

    rc = lead_lmdb_write_begin(store, &t, e);

    if (rc != LEAD_OK) {
        return rc;
    }

    rc = lead_lmdb_write_end(t, lead_lmdb_group(t, ops, n));

    if (rc != LEAD_OK) {
        for (i = 0; i < n; i++) {
            ops[i]->leads = NULL;
            ops[i]->nleads = 0;
        }
    }

    return rc;
}


static lead_rc_t
lead_lmdb_group(lead_lmdb_txn_t *t, lead_op_t **ops, size_t n)
{
    int        remember;
    size_t     i;
    uint8_t    sha[LEAD_RECORD_SHA_LEN];
    uint64_t   first, event;
    lead_rc_t  rc;

    first = 0;
    remember = ops[0]->idempotency.len != 0;

    for (i = 0; i < n; i++) {

        rc = lead_lmdb_op_account(t, ops[i]);

        if (rc == LEAD_OK && i == 0 && ops[0]->rc == LEAD_OK) {
            rc = lead_lmdb_op_replay(t, ops[0], sha);

            if (rc == LEAD_OK && ops[0]->rc == LEAD_OK) {
                return LEAD_OK;
            }

            if (rc == LEAD_NOTFOUND) {
                rc = LEAD_OK;
            }
        }

        if (rc == LEAD_OK && ops[i]->rc == LEAD_OK) {
            rc = lead_lmdb_op_run(t, ops[i], i == 0 && remember ? sha : NULL,
                                  &event);
            if (i == 0) {
                first = event;
            }
        }

        if (rc != LEAD_OK) {
            return rc;
        }

        if (ops[i]->nleads == 0) {
            return lead_store_fail(t->e, LEAD_REFUSED, 0,
                                   "operation %zu of %zu was refused",
                                   i + 1, n);
        }
    }

    return remember ? lead_lmdb_remember(t, ops, n, sha, first) : LEAD_OK;
}


static lead_rc_t
lead_lmdb_remember(lead_lmdb_txn_t *t, lead_op_t **ops, size_t n,
    const uint8_t *sha, uint64_t event)
{
    size_t      i;
    uint8_t    *ids;
    lead_rc_t   rc;

    ids = NULL;

    rc = lead_lmdb_index_remember(t, ops[0]->account, sha, event, n, &ids);

    for (i = 0; rc == LEAD_OK && i < n; i++) {
        memcpy(ids, ops[i]->leads->id.b, LEAD_RECORD_ID_LEN);
        ids += LEAD_RECORD_ID_LEN;
    }

    return rc;
}


static lead_rc_t
lead_lmdb_op_account(lead_lmdb_txn_t *t, lead_op_t *op)
{
    lead_rc_t  rc;

    if (op->rc != LEAD_OK) {
        return LEAD_OK;
    }

    rc = lead_lmdb_account_known(t, op->account);

    if (rc == LEAD_NOTFOUND) {
        op->rc = LEAD_INVALID;
        return LEAD_OK;
    }

    return rc;
}


/* LEAD_NOTFOUND: the operation is to be carried out */

static lead_rc_t
lead_lmdb_op_replay(lead_lmdb_txn_t *t, lead_op_t *op, uint8_t *sha)
{
    lead_rc_t     rc;
    lead_bytes_t  ids;

    if (op->idempotency.len == 0) {
        return LEAD_NOTFOUND;
    }

    rc = lead_lmdb_sha(t, op->account, LEAD_RECORD_IDEMPOTENCY,
                       op->idempotency, sha);

    if (rc != LEAD_OK) {
        return rc;
    }

    rc = lead_lmdb_index_replay(t, op->account, sha, &ids);

    return rc == LEAD_OK ? lead_lmdb_op_replayed(t, op, ids) : rc;
}


static lead_rc_t
lead_lmdb_op_replayed(lead_lmdb_txn_t *t, lead_op_t *op, lead_bytes_t ids)
{
    size_t          i, n;
    lead_t         *leads;
    lead_id_t       id;
    lead_rc_t       rc;
    lead_record_t   r;

    n = ids.len / LEAD_RECORD_ID_LEN;

    leads = op->alloc(op->arena, n * sizeof(lead_t));

    if (leads == NULL) {
        op->rc = LEAD_NOMEM;
        return LEAD_OK;
    }

    op->leads = leads;

    for (i = 0; i < n; i++) {
        memcpy(id.b, ids.data + i * LEAD_RECORD_ID_LEN, sizeof(id.b));

        rc = lead_lmdb_lead(t, op->account, &id, &r);

        if (rc == LEAD_NOTFOUND) {
            continue;
        }

        if (rc != LEAD_OK) {
            return rc;
        }

        if (lead_lmdb_op_copy(op, &r.lead, &leads[op->nleads]) != 0) {
            op->nleads = 0;
            return LEAD_OK;
        }

        op->nleads++;
    }

    op->outcome = LEAD_REPLAYED;

    return LEAD_OK;
}
