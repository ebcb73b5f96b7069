
/*
 * Copyright (C) the ngx_lead authors
 *
 * Webhook endpoints beyond their names: the state each has, with exact counts
 * of what it has in the outbox.  A write transaction reads a state once, keeps
 * it in its own memory, and writes it once, at its end; who changes rows of
 * the outbox changes the counts in the same transaction.
 */


#include <string.h>

#include "lmdb_store.h"


static lead_rc_t lead_lmdb_endpoint_put(lead_lmdb_txn_t *t,
    lead_lmdb_endpoint_t *slot);
static lead_rc_t lead_lmdb_endpoint_count(lead_lmdb_txn_t *t,
    uint32_t endpoint, lead_record_endpoint_t *state);
static lead_rc_t lead_lmdb_endpoint_row(lead_lmdb_txn_t *t,
    uint32_t endpoint, lead_record_endpoint_t *state);
static lead_rc_t lead_lmdb_endpoint_rows(lead_lmdb_txn_t *t, uint32_t account,
    lead_endpoint_sink_pt sink, void *ctx);
static lead_rc_t lead_lmdb_endpoint_info(lead_lmdb_txn_t *t,
    uint32_t endpoint, lead_bytes_t row, lead_endpoint_t *info);
static lead_rc_t lead_lmdb_endpoint_first(lead_lmdb_txn_t *t,
    uint32_t endpoint, int64_t now, int64_t *due);
static lead_rc_t lead_lmdb_endpoint_become(lead_lmdb_txn_t *t,
    uint32_t endpoint, lead_endpoint_state_t state, int64_t now);
static lead_rc_t lead_lmdb_endpoint_hurry(lead_lmdb_txn_t *t,
    uint32_t endpoint, int64_t now, lead_outbox_row_t *at);


lead_rc_t
lead_lmdb_endpoint_state(lead_lmdb_txn_t *t, uint32_t endpoint,
    lead_record_endpoint_t *state)
{
    lead_rc_t  rc;

    rc = lead_lmdb_endpoint_row(t, endpoint, state);

    return rc == LEAD_NOTFOUND ? LEAD_OK : rc;
}


static lead_rc_t
lead_lmdb_endpoint_row(lead_lmdb_txn_t *t, uint32_t endpoint,
    lead_record_endpoint_t *state)
{
    uint8_t       key[LEAD_RECORD_ENDPOINT_KEY];
    lead_rc_t     rc;
    lead_bytes_t  row;

    lead_record_endpoint_key(key, endpoint);

    rc = lead_lmdb_row(t, LEAD_LMDB_COUNTERS, key, sizeof(key), &row);

    if (rc == LEAD_NOTFOUND) {
        memset(state, 0, sizeof(lead_record_endpoint_t));

    } else if (rc == LEAD_OK && lead_record_endpoint_decode(row, state) != 0) {
        return lead_lmdb_corrupt(t, "state of an endpoint");
    }

    return rc;
}


lead_rc_t
lead_lmdb_endpoint_change(lead_lmdb_txn_t *t, uint32_t endpoint,
    lead_record_endpoint_t **state)
{
    lead_rc_t              rc;
    lead_lmdb_endpoint_t  *slot;

    slot = &t->endpoints[endpoint % LEAD_LMDB_STATES];

    *state = &slot->state;

    if (slot->endpoint == endpoint) {
        slot->changed = 1;
        return LEAD_OK;
    }

    rc = lead_lmdb_endpoint_put(t, slot);

    if (rc != LEAD_OK) {
        return rc;
    }

    slot->endpoint = 0;

    rc = lead_lmdb_endpoint_row(t, endpoint, &slot->state);

    if (rc == LEAD_NOTFOUND) {
        rc = lead_lmdb_endpoint_count(t, endpoint, &slot->state);
    }

    if (rc == LEAD_OK) {
        slot->endpoint = endpoint;
        slot->changed = 1;
    }

    return rc;
}


/* once in an endpoint's life; what is there was written before there were
 * states */

static lead_rc_t
lead_lmdb_endpoint_count(lead_lmdb_txn_t *t, uint32_t endpoint,
    lead_record_endpoint_t *state)
{
    lead_rc_t          rc;
    lead_outbox_row_t  row;

    rc = lead_lmdb_outbox_from(t, endpoint, 0, 0, &row);

    while (rc == LEAD_OK) {

        if (row.due == LEAD_NEVER) {
            state->failed++;

        } else {
            state->pending++;
        }

        rc = lead_lmdb_outbox_next(t, endpoint, &row);
    }

    return rc == LEAD_NOTFOUND ? LEAD_OK : rc;
}


lead_rc_t
lead_lmdb_endpoint_flush(lead_lmdb_txn_t *t)
{
    int        i;
    lead_rc_t  rc;

    for (i = 0; i < LEAD_LMDB_STATES; i++) {
        rc = lead_lmdb_endpoint_put(t, &t->endpoints[i]);

        if (rc != LEAD_OK) {
            return rc;
        }
    }

    return LEAD_OK;
}


static lead_rc_t
lead_lmdb_endpoint_put(lead_lmdb_txn_t *t, lead_lmdb_endpoint_t *slot)
{
    uint8_t  key[LEAD_RECORD_ENDPOINT_KEY], row[LEAD_RECORD_ENDPOINT_LEN];

    if (!slot->changed) {
        return LEAD_OK;
    }

    slot->changed = 0;

    lead_record_endpoint_key(key, slot->endpoint);
    lead_record_endpoint_encode(row, &slot->state);

    return lead_lmdb_put(t, LEAD_LMDB_COUNTERS, key, sizeof(key), row,
                         sizeof(row));
}


lead_rc_t
lead_lmdb_endpoint_sum(lead_lmdb_txn_t *t, uint64_t *failed,
    uint64_t *replayed)
{
    uint8_t                 start[LEAD_RECORD_ENDPOINT_KEY];
    lead_rc_t               rc;
    lead_bytes_t            key, row;
    lead_record_endpoint_t  state;

    *failed = 0;
    *replayed = 0;

    lead_record_endpoint_key(start, 0);

    key.data = start;
    key.len = sizeof(start);

    rc = lead_lmdb_move(t, LEAD_LMDB_COUNTERS, MDB_SET_RANGE, &key, &row);

    while (rc == LEAD_OK
           && key.len == sizeof(start)
           && key.data[0] == LEAD_RECORD_ENDPOINT)
    {
        if (lead_record_endpoint_decode(row, &state) != 0) {
            return lead_lmdb_corrupt(t, "state of an endpoint");
        }

        *failed += state.failed;
        *replayed += state.replayed;

        rc = lead_lmdb_move(t, LEAD_LMDB_COUNTERS, MDB_NEXT, &key, &row);
    }

    return rc == LEAD_NOTFOUND ? LEAD_OK : rc;
}


lead_rc_t
lead_lmdb_endpoint_next(lead_lmdb_txn_t *t, uint32_t *endpoint,
    uint32_t *account)
{
    uint8_t       start[4];
    lead_rc_t     rc;
    lead_bytes_t  key, row;

    (void) lead_record_put32(start, *endpoint);

    key.data = start;
    key.len = sizeof(start);

    rc = lead_lmdb_move(t, LEAD_LMDB_ENDPOINTS, MDB_SET_RANGE, &key, &row);

    if (rc != LEAD_OK) {
        return rc;
    }

    if (key.len != 4 || row.len < 4) {
        return lead_lmdb_corrupt(t, "endpoint");
    }

    *endpoint = lead_record_get32(key.data);
    *account = lead_record_get32(row.data);

    return LEAD_OK;
}


lead_rc_t
lead_lmdb_endpoint_get(lead_store_t *store, uint32_t endpoint,
    lead_endpoint_t *info, lead_error_t *e)
{
    uint8_t           key[4];
    lead_rc_t         rc;
    lead_bytes_t      row;
    lead_lmdb_txn_t  *t;

    rc = lead_lmdb_read_begin(store, 0, &t, e);

    if (rc != LEAD_OK) {
        return rc;
    }

    (void) lead_record_put32(key, endpoint);

    rc = lead_lmdb_row(t, LEAD_LMDB_ENDPOINTS, key, sizeof(key), &row);

    if (rc == LEAD_OK) {
        rc = lead_lmdb_endpoint_info(t, endpoint, row, info);

    } else if (rc == LEAD_NOTFOUND) {
        (void) lead_store_fail(e, rc, 0, "no such endpoint");
    }

    lead_lmdb_read_end(t);

    return rc;
}


lead_rc_t
lead_lmdb_endpoints(lead_store_t *store, uint32_t account,
    lead_endpoint_sink_pt sink, void *ctx, lead_error_t *e)
{
    lead_rc_t         rc;
    lead_lmdb_txn_t  *t;

    rc = lead_lmdb_read_begin(store, 1, &t, e);

    if (rc == LEAD_OK) {
        rc = lead_lmdb_endpoint_rows(t, account, sink, ctx);
        lead_lmdb_read_end(t);
    }

    return rc;
}


static lead_rc_t
lead_lmdb_endpoint_rows(lead_lmdb_txn_t *t, uint32_t account,
    lead_endpoint_sink_pt sink, void *ctx)
{
    lead_rc_t        rc;
    lead_bytes_t     key, row;
    lead_endpoint_t  info;

    key.data = NULL;
    key.len = 0;

    rc = lead_lmdb_move(t, LEAD_LMDB_ENDPOINTS, MDB_FIRST, &key, &row);

    while (rc == LEAD_OK) {

        if (key.len != 4 || row.len < 4) {
            return lead_lmdb_corrupt(t, "endpoint");
        }

        if (account == 0 || lead_record_get32(row.data) == account) {

            rc = lead_lmdb_endpoint_info(t, lead_record_get32(key.data), row,
                                         &info);

            if (rc != LEAD_OK || sink(ctx, &info) != 0) {
                return rc;
            }
        }

        rc = lead_lmdb_move(t, LEAD_LMDB_ENDPOINTS, MDB_NEXT, &key, &row);
    }

    return rc == LEAD_NOTFOUND ? LEAD_OK : rc;
}


static lead_rc_t
lead_lmdb_endpoint_info(lead_lmdb_txn_t *t, uint32_t endpoint,
    lead_bytes_t row, lead_endpoint_t *info)
{
    int64_t                 now;
    lead_rc_t               rc;
    lead_record_endpoint_t  state;

    if (row.len < 4 || row.len - 4 > LEAD_NAME_MAX) {
        return lead_lmdb_corrupt(t, "endpoint");
    }

    rc = lead_lmdb_endpoint_state(t, endpoint, &state);

    if (rc != LEAD_OK) {
        return rc;
    }

    now = t->store->opts.clock();

    memset(info, 0, sizeof(lead_endpoint_t));

    info->endpoint = endpoint;
    info->account = lead_record_get32(row.data);
    memcpy(info->name, row.data + 4, row.len - 4);

    info->state = state.state;
    info->changed = state.changed;
    info->succeeded = state.succeeded;
    info->failing = state.failing;
    info->pending = state.pending;
    info->failed = state.failed;
    info->delivered = state.delivered;

    if (!lead_lmdb_lease_free(t->store, &state, now)) {
        info->lease = state.until;
        info->mine = lead_lmdb_lease_mine(t->store, &state);
    }

    return lead_lmdb_endpoint_first(t, endpoint, now, &info->due);
}


static lead_rc_t
lead_lmdb_endpoint_first(lead_lmdb_txn_t *t, uint32_t endpoint, int64_t now,
    int64_t *due)
{
    int                unread;
    lead_rc_t          rc;
    lead_outbox_row_t  row;

    rc = lead_lmdb_outbox_read(t, endpoint, 0, 1, &row, &unread);

    *due = rc == LEAD_OK ? row.due : LEAD_NEVER;

    /* written before a clock was set back */

    if (rc == LEAD_OK && row.attempts == 0 && row.due > now
        && row.due != LEAD_NEVER)
    {
        *due = now;
    }

    return rc == LEAD_NOTFOUND ? LEAD_OK : rc;
}


lead_rc_t
lead_lmdb_endpoint_set(lead_store_t *store, uint32_t endpoint,
    lead_endpoint_state_t state, lead_error_t *e)
{
    int64_t             now;
    lead_rc_t           rc;
    lead_lmdb_txn_t    *t;
    lead_outbox_row_t   at;

    now = store->opts.clock();

    at.due = now + 1;
    at.event = 0;

    do {
        rc = lead_lmdb_write_begin(store, &t, e);

        if (rc != LEAD_OK) {
            return rc;
        }

        if (at.event == 0) {
            rc = lead_lmdb_endpoint_become(t, endpoint, state, now);
        }

        if (rc == LEAD_OK && state == LEAD_ENDPOINT_ENABLED) {
            rc = lead_lmdb_endpoint_hurry(t, endpoint, now, &at);
        }

        if (rc == LEAD_AGAIN) {
            rc = lead_lmdb_write_end(t, LEAD_OK);

        } else {
            return lead_lmdb_write_end(t, rc);
        }

    } while (rc == LEAD_OK);

    return rc;
}


static lead_rc_t
lead_lmdb_endpoint_become(lead_lmdb_txn_t *t, uint32_t endpoint,
    lead_endpoint_state_t state, int64_t now)
{
    lead_rc_t                rc;
    uint32_t                 found, account;
    lead_record_endpoint_t  *s;

    found = endpoint;

    rc = lead_lmdb_endpoint_next(t, &found, &account);

    if (rc == LEAD_NOTFOUND || (rc == LEAD_OK && found != endpoint)) {
        return lead_store_fail(t->e, LEAD_NOTFOUND, 0, "no such endpoint");
    }

    if (rc != LEAD_OK) {
        return rc;
    }

    rc = lead_lmdb_endpoint_change(t, endpoint, &s);

    if (rc != LEAD_OK) {
        return rc;
    }

    if (s->state != state) {
        s->state = state;
        s->changed = now;
    }

    if (state == LEAD_ENDPOINT_ENABLED) {
        s->failing = 0;
    }

    return LEAD_OK;
}


/* a slice of what waits becomes due; LEAD_AGAIN: there is more from *at on,
 * which only rises, so that what fails meanwhile ends no loop late */

static lead_rc_t
lead_lmdb_endpoint_hurry(lead_lmdb_txn_t *t, uint32_t endpoint, int64_t now,
    lead_outbox_row_t *at)
{
    int                i;
    lead_rc_t          rc;
    lead_outbox_row_t  row;

    for (i = 0; i < LEAD_LMDB_SLICE; i++) {

        rc = lead_lmdb_outbox_from(t, endpoint, at->due, at->event, &row);

        if (rc == LEAD_NOTFOUND
            || (rc == LEAD_OK && row.due == LEAD_NEVER))
        {
            return LEAD_OK;
        }

        if (rc == LEAD_OK) {
            rc = lead_lmdb_outbox_move(t, &row, now, row.attempts);
        }

        if (rc != LEAD_OK) {
            return rc;
        }

        at->due = row.due;
        at->event = row.event + 1;
    }

    return LEAD_AGAIN;
}
