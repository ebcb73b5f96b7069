
/*
 * Copyright (C) the ngx_lead authors
 *
 * The outbox: a row for each event and endpoint, by endpoint and due time.
 * A row is written with its event, in the same transaction, and says where
 * the event is; it is moved to another due time and removed here, and nowhere
 * else, for each time the counts of its endpoint follow.  Nothing is kept in
 * memory.
 */


#include <string.h>

#include "lmdb_store.h"


static lead_rc_t lead_lmdb_outbox_put(lead_lmdb_txn_t *t,
    const lead_outbox_row_t *row);
static lead_rc_t lead_lmdb_outbox_move_to(lead_lmdb_txn_t *t,
    MDB_cursor_op op, uint32_t endpoint, lead_bytes_t *key,
    lead_outbox_row_t *row, int *unread);
static lead_rc_t lead_lmdb_outbox_rows(lead_lmdb_txn_t *t, uint32_t endpoint,
    lead_outbox_sink_pt sink, void *ctx);
static lead_rc_t lead_lmdb_due_rows(lead_lmdb_txn_t *t, uint32_t endpoint,
    const uint64_t *skip, size_t nskip, lead_due_sink_pt sink, void *ctx,
    int64_t *next);
static int lead_lmdb_due_skipped(uint64_t event, const uint64_t *skip,
    size_t n);
static lead_rc_t lead_lmdb_due_row(lead_lmdb_txn_t *t,
    const lead_outbox_row_t *row, lead_due_sink_pt sink, void *ctx,
    int *enough);
static lead_rc_t lead_lmdb_test_write(lead_lmdb_txn_t *t, uint32_t endpoint,
    lead_bytes_t doc, uint64_t *event);
static lead_rc_t lead_lmdb_test_event(lead_lmdb_txn_t *t,
    const lead_outbox_row_t *row, lead_bytes_t doc);


lead_rc_t
lead_lmdb_outbox_add(lead_lmdb_txn_t *t, const lead_outbox_row_t *row)
{
    lead_rc_t                rc;
    lead_record_endpoint_t  *state;

    rc = lead_lmdb_endpoint_change(t, row->endpoint, &state);

    if (rc != LEAD_OK) {
        return rc;
    }

    state->pending++;

    return lead_lmdb_outbox_put(t, row);
}


static lead_rc_t
lead_lmdb_outbox_put(lead_lmdb_txn_t *t, const lead_outbox_row_t *row)
{
    uint8_t    key[LEAD_RECORD_OUTBOX_KEY], *p;
    lead_rc_t  rc;

    lead_record_outbox_key(key, row->endpoint, row->due, row->event);

    rc = lead_lmdb_reserve(t, LEAD_LMDB_OUTBOX, key, sizeof(key),
                           LEAD_RECORD_OUTBOX_LEN, 1, &p);
    if (rc == LEAD_OK) {
        lead_record_outbox_encode(p, row);
    }

    return rc;
}


lead_rc_t
lead_lmdb_outbox_del(lead_lmdb_txn_t *t, const lead_outbox_row_t *row)
{
    uint8_t                  key[LEAD_RECORD_OUTBOX_KEY];
    uint64_t                *count;
    lead_rc_t                rc;
    lead_record_endpoint_t  *state;

    rc = lead_lmdb_endpoint_change(t, row->endpoint, &state);

    if (rc != LEAD_OK) {
        return rc;
    }

    lead_record_outbox_key(key, row->endpoint, row->due, row->event);

    rc = lead_lmdb_del(t, LEAD_LMDB_OUTBOX, key, sizeof(key));

    if (rc != LEAD_OK) {
        return rc;
    }

    count = row->due == LEAD_NEVER ? &state->failed : &state->pending;

    if (*count != 0) {
        (*count)--;
    }

    return LEAD_OK;
}


lead_rc_t
lead_lmdb_outbox_move(lead_lmdb_txn_t *t, const lead_outbox_row_t *row,
    int64_t due, uint32_t attempts)
{
    lead_rc_t                rc;
    lead_outbox_row_t        to;
    lead_record_endpoint_t  *state;

    to = *row;
    to.due = due;
    to.attempts = attempts;

    rc = lead_lmdb_outbox_del(t, row);

    if (rc != LEAD_OK) {
        return rc;
    }

    rc = lead_lmdb_endpoint_change(t, row->endpoint, &state);

    if (rc != LEAD_OK) {
        return rc;
    }

    if (due == LEAD_NEVER) {
        state->failed++;

    } else {
        state->pending++;
    }

    return lead_lmdb_outbox_put(t, &to);
}


lead_rc_t
lead_lmdb_outbox_row(lead_lmdb_txn_t *t, uint32_t endpoint, int64_t due,
    uint64_t event, lead_outbox_row_t *row)
{
    uint8_t       buf[LEAD_RECORD_OUTBOX_KEY];
    lead_rc_t     rc;
    lead_bytes_t  key, found;

    lead_record_outbox_key(buf, endpoint, due, event);

    key.data = buf;
    key.len = sizeof(buf);

    rc = lead_lmdb_row(t, LEAD_LMDB_OUTBOX, buf, sizeof(buf), &found);

    if (rc == LEAD_OK && lead_record_outbox_decode(key, found, row) != 0) {
        return lead_lmdb_corrupt(t, "outbox row");
    }

    return rc;
}


lead_rc_t
lead_lmdb_outbox_from(lead_lmdb_txn_t *t, uint32_t endpoint, int64_t due,
    uint64_t event, lead_outbox_row_t *row)
{
    uint8_t       buf[LEAD_RECORD_OUTBOX_KEY];
    lead_bytes_t  key;

    lead_record_outbox_key(buf, endpoint, due, event);

    key.data = buf;
    key.len = sizeof(buf);

    return lead_lmdb_outbox_move_to(t, MDB_SET_RANGE, endpoint, &key, row,
                                    NULL);
}


lead_rc_t
lead_lmdb_outbox_next(lead_lmdb_txn_t *t, uint32_t endpoint,
    lead_outbox_row_t *row)
{
    lead_bytes_t  key;

    key.data = NULL;
    key.len = 0;

    return lead_lmdb_outbox_move_to(t, MDB_NEXT, endpoint, &key, row, NULL);
}


lead_rc_t
lead_lmdb_outbox_read(lead_lmdb_txn_t *t, uint32_t endpoint, int64_t due,
    int first, lead_outbox_row_t *row, int *unread)
{
    uint8_t       buf[LEAD_RECORD_OUTBOX_KEY];
    lead_bytes_t  key;

    lead_record_outbox_key(buf, endpoint, due, 0);

    key.data = buf;
    key.len = sizeof(buf);

    return lead_lmdb_outbox_move_to(t, first ? MDB_SET_RANGE : MDB_NEXT,
                                    endpoint, &key, row, unread);
}


/* endpoint 0 is of any; what cannot be read of another does not matter, and of
 * its own is passed over where there is unread, which is set then */

static lead_rc_t
lead_lmdb_outbox_move_to(lead_lmdb_txn_t *t, MDB_cursor_op op,
    uint32_t endpoint, lead_bytes_t *key, lead_outbox_row_t *row, int *unread)
{
    lead_rc_t     rc;
    lead_bytes_t  found;

    for ( ;; ) {
        rc = lead_lmdb_move(t, LEAD_LMDB_OUTBOX, op, key, &found);

        if (rc != LEAD_OK) {
            return rc;
        }

        if (endpoint != 0
            && key->len >= sizeof(uint32_t)
            && lead_record_get32(key->data) != endpoint)
        {
            return LEAD_NOTFOUND;
        }

        if (lead_record_outbox_decode(*key, found, row) == 0) {
            return LEAD_OK;
        }

        if (unread == NULL) {
            return lead_lmdb_corrupt(t, "outbox row");
        }

        *unread = 1;
        op = MDB_NEXT;
    }
}


lead_rc_t
lead_lmdb_outbox_event(lead_lmdb_txn_t *t, const lead_outbox_row_t *row,
    lead_record_event_t *event)
{
    uint8_t       buf[LEAD_RECORD_EVENT_KEY];
    lead_rc_t     rc;
    lead_bytes_t  key, found;

    lead_record_event_key(buf, row->account, &row->lead, row->event);

    key.data = buf;
    key.len = sizeof(buf);

    rc = lead_lmdb_row(t, LEAD_LMDB_EVENTS, buf, sizeof(buf), &found);

    if (rc == LEAD_OK && lead_record_event_decode(key, found, event) != 0) {
        return lead_lmdb_corrupt(t, "event");
    }

    return rc;
}


lead_rc_t
lead_lmdb_outbox_id(lead_lmdb_txn_t *t, uint64_t event, int64_t time,
    lead_id_t *id)
{
    uint8_t       buf[sizeof(t->store->marker.store) + 8],
                  sha[LEAD_RECORD_SHA_LEN];
    lead_rc_t     rc;
    lead_bytes_t  text;

    memcpy(buf, t->store->marker.store, sizeof(t->store->marker.store));
    (void) lead_record_put64(buf + sizeof(t->store->marker.store), event);

    text.data = buf;
    text.len = sizeof(buf);

    rc = lead_lmdb_sha_text(t, text, sha);

    if (rc == LEAD_OK) {
        lead_record_id(id, time, sha);
    }

    return rc;
}


lead_rc_t
lead_lmdb_outbox(lead_store_t *store, uint32_t endpoint,
    lead_outbox_sink_pt sink, void *ctx, lead_error_t *e)
{
    lead_rc_t         rc;
    lead_lmdb_txn_t  *t;

    rc = lead_lmdb_read_begin(store, 1, &t, e);

    if (rc == LEAD_OK) {
        rc = lead_lmdb_outbox_rows(t, endpoint, sink, ctx);
        lead_lmdb_read_end(t);
    }

    return rc;
}


static lead_rc_t
lead_lmdb_outbox_rows(lead_lmdb_txn_t *t, uint32_t endpoint,
    lead_outbox_sink_pt sink, void *ctx)
{
    lead_rc_t          rc;
    lead_outbox_row_t  row;

    rc = lead_lmdb_outbox_from(t, endpoint, 0, 0, &row);

    while (rc == LEAD_OK) {

        if (sink(ctx, &row) != 0) {
            return LEAD_OK;
        }

        rc = lead_lmdb_outbox_next(t, endpoint, &row);
    }

    return rc == LEAD_NOTFOUND ? LEAD_OK : rc;
}


lead_rc_t
lead_lmdb_due(lead_store_t *store, uint32_t endpoint, const uint64_t *skip,
    size_t nskip, lead_due_sink_pt sink, void *ctx, int64_t *next,
    lead_error_t *e)
{
    lead_rc_t         rc;
    lead_lmdb_txn_t  *t;

    *next = LEAD_NEVER;

    rc = lead_lmdb_read_begin(store, 1, &t, e);

    if (rc == LEAD_OK) {
        rc = lead_lmdb_due_rows(t, endpoint, skip, nskip, sink, ctx, next);
        lead_lmdb_read_end(t);
    }

    return rc;
}


static lead_rc_t
lead_lmdb_due_rows(lead_lmdb_txn_t *t, uint32_t endpoint,
    const uint64_t *skip, size_t nskip, lead_due_sink_pt sink, void *ctx,
    int64_t *next)
{
    int                enough, unread;
    int64_t            now;
    lead_rc_t          rc;
    lead_outbox_row_t  row;

    enough = 0;
    unread = 0;
    now = t->store->opts.clock();

    rc = lead_lmdb_outbox_read(t, endpoint, 0, 1, &row, &unread);

    while (rc == LEAD_OK && row.due != LEAD_NEVER) {

        if (!lead_lmdb_due_skipped(row.event, skip, nskip)) {

            /* a row not tried yet has been due since it was written, whatever
             * has become of the clock */

            if (enough || (row.due > now && row.attempts != 0)) {
                *next = row.due;
                break;
            }

            rc = lead_lmdb_due_row(t, &row, sink, ctx, &enough);

            if (rc != LEAD_OK) {
                return rc;
            }
        }

        rc = lead_lmdb_outbox_read(t, endpoint, 0, 0, &row, &unread);
    }

    if (rc != LEAD_OK && rc != LEAD_NOTFOUND) {
        return rc;
    }

    return unread ? lead_lmdb_corrupt(t, "outbox row") : LEAD_OK;
}


static int
lead_lmdb_due_skipped(uint64_t event, const uint64_t *skip, size_t n)
{
    size_t  low, middle;

    low = 0;

    while (low < n) {
        middle = low + (n - low) / 2;

        if (skip[middle] == event) {
            return 1;
        }

        if (skip[middle] < event) {
            low = middle + 1;

        } else {
            n = middle;
        }
    }

    return 0;
}


static lead_rc_t
lead_lmdb_due_row(lead_lmdb_txn_t *t, const lead_outbox_row_t *row,
    lead_due_sink_pt sink, void *ctx, int *enough)
{
    lead_rc_t                  rc;
    lead_due_t                 due;
    lead_record_t              r;
    lead_record_event_t        event;
    static const lead_bytes_t  nothing = { 0, (const uint8_t *) "" };

    rc = lead_lmdb_outbox_event(t, row, &event);

    /* one that cannot be read must not stop the others */

    if (rc == LEAD_NOTFOUND || rc == LEAD_CORRUPT) {
        memset(&event, 0, sizeof(lead_record_event_t));
        event.type = nothing;
        event.actor = nothing;
        event.data = nothing;

    } else if (rc != LEAD_OK) {
        return rc;
    }

    due.row = *row;
    due.event.id = row->event;
    due.event.time = event.time;
    due.event.type = event.type;
    due.event.actor = event.actor;
    due.event.data = event.data;
    due.event.lead = NULL;

    if (event.snapshot.len != 0
        && lead_record_lead_decode(event.snapshot, row->account, &row->lead,
                                   &r)
           == 0)
    {
        due.event.lead = &r.lead;
    }

    rc = lead_lmdb_outbox_id(t, row->event, event.time, &due.id);

    if (rc == LEAD_OK) {
        *enough = sink(ctx, &due);
    }

    return rc;
}


lead_rc_t
lead_lmdb_endpoint_test(lead_store_t *store, uint32_t endpoint,
    lead_bytes_t doc, uint64_t *event, lead_error_t *e)
{
    lead_rc_t         rc;
    lead_lmdb_txn_t  *t;

    rc = lead_lmdb_write_begin(store, &t, e);

    if (rc != LEAD_OK) {
        return rc;
    }

    rc = lead_lmdb_test_write(t, endpoint, doc, event);

    return lead_lmdb_write_end(t, rc);
}


static lead_rc_t
lead_lmdb_test_write(lead_lmdb_txn_t *t, uint32_t endpoint, lead_bytes_t doc,
    uint64_t *event)
{
    uint32_t           found;
    lead_rc_t          rc;
    lead_outbox_row_t  row;

    memset(&row, 0, sizeof(lead_outbox_row_t));

    found = endpoint;

    rc = lead_lmdb_endpoint_next(t, &found, &row.account);

    if (rc == LEAD_NOTFOUND || (rc == LEAD_OK && found != endpoint)) {
        return lead_store_fail(t->e, LEAD_NOTFOUND, 0, "no such endpoint");
    }

    if (rc == LEAD_OK) {
        rc = lead_lmdb_state(t);
    }

    if (rc != LEAD_OK) {
        return rc;
    }

    row.endpoint = endpoint;
    row.due = t->store->opts.clock();
    row.event = t->state.event++;

    t->state_changed = 1;

    *event = row.event;

    rc = lead_lmdb_test_event(t, &row, doc);

    return rc == LEAD_OK ? lead_lmdb_outbox_add(t, &row) : rc;
}


static lead_rc_t
lead_lmdb_test_event(lead_lmdb_txn_t *t, const lead_outbox_row_t *row,
    lead_bytes_t doc)
{
    uint8_t              key[LEAD_RECORD_EVENT_KEY], *p;
    lead_rc_t            rc;
    lead_record_t        snapshot;
    lead_record_event_t  e;

    memset(&e, 0, sizeof(lead_record_event_t));
    memset(&snapshot, 0, sizeof(lead_record_t));

    e.id = row->event;
    e.time = row->due;
    e.type.data = (const uint8_t *) LEAD_LMDB_TEST;
    e.type.len = sizeof(LEAD_LMDB_TEST) - 1;
    e.snapshot.len = lead_record_lead_size(0, doc.len);

    snapshot.lead.created = row->due;
    snapshot.lead.updated = row->due;
    snapshot.lead.activity = row->due;
    snapshot.lead.doc = doc;

    lead_record_event_key(key, row->account, &row->lead, row->event);

    rc = lead_lmdb_reserve(t, LEAD_LMDB_EVENTS, key, sizeof(key),
                           lead_record_event_size(&e), 0, &p);
    if (rc == LEAD_OK) {
        lead_record_lead_encode(lead_record_event_encode(p, &e), &snapshot);
    }

    return rc;
}
