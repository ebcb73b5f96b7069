
/*
 * Copyright (C) the ngx_lead authors
 *
 * Reads of leads and their events: one by id, number or match key, a list in
 * slices, a history.  Each is one read transaction that ends before the call
 * returns; a sink is given LMDB's own memory.
 */


#include <string.h>

#include "lmdb_store.h"


static lead_rc_t lead_lmdb_number(lead_lmdb_txn_t *t, uint32_t account,
    uint64_t number, lead_record_t *r);
static lead_rc_t lead_lmdb_list_rows(lead_lmdb_txn_t *t,
    const lead_list_t *list, lead_id_t *next);
static lead_rc_t lead_lmdb_list_start(lead_lmdb_txn_t *t,
    const lead_list_t *list, lead_bytes_t *key, lead_bytes_t *row);
static lead_rc_t lead_lmdb_event_rows(lead_lmdb_txn_t *t, const uint8_t *lead,
    lead_event_sink_pt sink, void *ctx);
static lead_rc_t lead_lmdb_event_row(lead_lmdb_txn_t *t, lead_bytes_t key,
    lead_bytes_t row, lead_event_sink_pt sink, void *ctx, int *enough);


lead_rc_t
lead_lmdb_lead(lead_lmdb_txn_t *t, uint32_t account, const lead_id_t *id,
    lead_record_t *r)
{
    uint8_t       key[LEAD_RECORD_LEAD_KEY];
    lead_rc_t     rc;
    lead_bytes_t  row;

    lead_record_lead_key(key, account, id);

    rc = lead_lmdb_row(t, LEAD_LMDB_LEADS, key, sizeof(key), &row);

    if (rc == LEAD_OK
        && lead_record_lead_decode(row, account, id, r) != 0)
    {
        return lead_lmdb_corrupt(t, "lead");
    }

    return rc;
}


static lead_rc_t
lead_lmdb_number(lead_lmdb_txn_t *t, uint32_t account, uint64_t number,
    lead_record_t *r)
{
    uint8_t       key[LEAD_RECORD_NUMBER_KEY];
    lead_id_t     id;
    lead_rc_t     rc;
    lead_bytes_t  row;

    (void) lead_record_put64(key, number);

    rc = lead_lmdb_row(t, LEAD_LMDB_NUMBERS, key, sizeof(key), &row);

    if (rc != LEAD_OK) {
        return rc;
    }

    if (row.len != LEAD_RECORD_NUMBER_LEN) {
        return lead_lmdb_corrupt(t, "number");
    }

    if (lead_record_get32(row.data) != account) {
        return LEAD_NOTFOUND;
    }

    memcpy(id.b, row.data + 4, sizeof(id.b));

    return lead_lmdb_lead(t, account, &id, r);
}


lead_rc_t
lead_lmdb_matches(lead_lmdb_txn_t *t, uint32_t account,
    const lead_match_t *matches, size_t n, lead_record_match_t *out)
{
    size_t     i;
    lead_rc_t  rc;

    for (i = 0; i < n; i++) {
        out[i].kind = matches[i].kind;

        rc = lead_lmdb_sha(t, account, matches[i].kind, matches[i].value,
                           out[i].sha);
        if (rc != LEAD_OK) {
            return rc;
        }
    }

    return LEAD_OK;
}


lead_rc_t
lead_lmdb_find(lead_lmdb_txn_t *t, uint32_t account, const lead_find_t *find,
    lead_record_match_t *keys, lead_record_t *r)
{
    lead_rc_t  rc;

    switch (find->by) {

    case LEAD_BY_ID:
        return lead_lmdb_lead(t, account, &find->id, r);

    case LEAD_BY_NUMBER:
        return lead_lmdb_number(t, account, find->number, r);

    case LEAD_BY_MATCH:
        rc = lead_lmdb_matches(t, account, find->matches, find->nmatches,
                               keys);
        if (rc != LEAD_OK) {
            return rc;
        }

        return lead_lmdb_index_find(t, account, keys, find->nmatches, r);

    default: /* LEAD_BY_NOTHING */
        return LEAD_NOTFOUND;
    }
}


lead_rc_t
lead_lmdb_get(lead_store_t *store, uint32_t account, const lead_find_t *find,
    lead_sink_pt sink, void *ctx, lead_error_t *e)
{
    lead_rc_t             rc;
    lead_record_t         r;
    lead_lmdb_txn_t      *t;
    lead_record_match_t   keys[LEAD_MATCHES_MAX];

    rc = lead_lmdb_read_begin(store, 0, &t, e);

    if (rc != LEAD_OK) {
        return rc;
    }

    rc = lead_lmdb_find(t, account, find, keys, &r);

    if (rc == LEAD_OK) {
        (void) sink(ctx, &r.lead);

    } else if (rc == LEAD_NOTFOUND) {
        (void) lead_store_fail(e, rc, 0, "no such lead");
    }

    lead_lmdb_read_end(t);

    return rc;
}


lead_rc_t
lead_lmdb_list(lead_store_t *store, const lead_list_t *list, lead_id_t *next,
    lead_error_t *e)
{
    lead_rc_t         rc;
    lead_lmdb_txn_t  *t;

    rc = lead_lmdb_read_begin(store, 1, &t, e);

    if (rc == LEAD_OK) {
        rc = lead_lmdb_list_rows(t, list, next);
        lead_lmdb_read_end(t);
    }

    return rc;
}


static lead_rc_t
lead_lmdb_list_rows(lead_lmdb_txn_t *t, const lead_list_t *list,
    lead_id_t *next)
{
    size_t         i;
    lead_id_t      id;
    lead_rc_t      rc;
    lead_bytes_t   key, row;
    lead_record_t  r;

    rc = lead_lmdb_list_start(t, list, &key, &row);

    for (i = 0; rc == LEAD_OK; i++) {

        if (key.len != LEAD_RECORD_LEAD_KEY
            || lead_record_get32(key.data) != list->account)
        {
            return LEAD_OK;
        }

        if (i == list->slice) {
            return LEAD_AGAIN;
        }

        memcpy(id.b, key.data + 4, sizeof(id.b));

        if (lead_record_lead_decode(row, list->account, &id, &r) != 0) {
            return lead_lmdb_corrupt(t, "lead");
        }

        *next = id;

        if (list->sink(list->ctx, &r.lead) != 0) {
            return LEAD_OK;
        }

        rc = lead_lmdb_move(t, LEAD_LMDB_LEADS,
                            list->oldest ? MDB_NEXT : MDB_PREV, &key, &row);
    }

    return rc == LEAD_NOTFOUND ? LEAD_OK : rc;
}


/* an id of all ones is no version of UUID and thus behind every lead */

static lead_rc_t
lead_lmdb_list_start(lead_lmdb_txn_t *t, const lead_list_t *list,
    lead_bytes_t *key, lead_bytes_t *row)
{
    uint8_t    start[LEAD_RECORD_LEAD_KEY];
    lead_id_t  from;
    lead_rc_t  rc;

    if (list->has_from) {
        from = list->from;

    } else {
        memset(from.b, list->oldest ? 0x00 : 0xff, sizeof(from.b));
    }

    lead_record_lead_key(start, list->account, &from);

    key->data = start;
    key->len = sizeof(start);

    if (!list->oldest) {
        return lead_lmdb_below(t, LEAD_LMDB_LEADS, key, row);
    }

    rc = lead_lmdb_move(t, LEAD_LMDB_LEADS, MDB_SET_RANGE, key, row);

    if (rc == LEAD_OK
        && key->len == sizeof(start)
        && memcmp(key->data, start, sizeof(start)) == 0)
    {
        rc = lead_lmdb_move(t, LEAD_LMDB_LEADS, MDB_NEXT, key, row);
    }

    return rc;
}


lead_rc_t
lead_lmdb_events(lead_store_t *store, uint32_t account, const lead_id_t *id,
    lead_event_sink_pt sink, void *ctx, lead_error_t *e)
{
    uint8_t                 lead[LEAD_RECORD_LEAD_KEY];
    lead_rc_t               rc;
    lead_lmdb_txn_t        *t;
    static const lead_id_t  nobody;

    rc = lead_lmdb_read_begin(store, 0, &t, e);

    /* tests of endpoints are no history */

    if (rc == LEAD_OK && memcmp(id->b, nobody.b, sizeof(nobody.b)) == 0) {
        lead_lmdb_read_end(t);

    } else if (rc == LEAD_OK) {
        lead_record_lead_key(lead, account, id);

        rc = lead_lmdb_event_rows(t, lead, sink, ctx);

        lead_lmdb_read_end(t);
    }

    return rc;
}


static lead_rc_t
lead_lmdb_event_rows(lead_lmdb_txn_t *t, const uint8_t *lead,
    lead_event_sink_pt sink, void *ctx)
{
    int           enough;
    uint8_t       end[LEAD_RECORD_EVENT_KEY];
    lead_rc_t     rc;
    lead_bytes_t  key, row;

    memcpy(end, lead, LEAD_RECORD_LEAD_KEY);
    memset(end + LEAD_RECORD_LEAD_KEY, 0xff, 8);

    key.data = end;
    key.len = sizeof(end);

    rc = lead_lmdb_below(t, LEAD_LMDB_EVENTS, &key, &row);

    while (rc == LEAD_OK) {

        if (key.len != LEAD_RECORD_EVENT_KEY
            || memcmp(key.data, lead, LEAD_RECORD_LEAD_KEY) != 0)
        {
            return LEAD_OK;
        }

        enough = 0;

        rc = lead_lmdb_event_row(t, key, row, sink, ctx, &enough);

        if (rc != LEAD_OK || enough) {
            return rc;
        }

        rc = lead_lmdb_move(t, LEAD_LMDB_EVENTS, MDB_PREV, &key, &row);
    }

    return rc == LEAD_NOTFOUND ? LEAD_OK : rc;
}


static lead_rc_t
lead_lmdb_event_row(lead_lmdb_txn_t *t, lead_bytes_t key, lead_bytes_t row,
    lead_event_sink_pt sink, void *ctx, int *enough)
{
    lead_record_t        r;
    lead_event_row_t     out;
    lead_record_event_t  event;

    if (lead_record_event_decode(key, row, &event) != 0) {
        return lead_lmdb_corrupt(t, "event");
    }

    if (event.type.len == 0) {
        return LEAD_OK;
    }

    out.id = event.id;
    out.time = event.time;
    out.type = event.type;
    out.actor = event.actor;
    out.data = event.data;
    out.lead = NULL;

    if (event.snapshot.len != 0) {

        if (lead_record_lead_decode(event.snapshot, event.account,
                                    &event.lead, &r)
            != 0)
        {
            return lead_lmdb_corrupt(t, "event");
        }

        out.lead = &r.lead;
    }

    *enough = sink(ctx, &out);

    return LEAD_OK;
}
