
/*
 * Copyright (C) the ngx_lead authors
 *
 * The outbox: a row for each event and endpoint, by endpoint and due time.
 * A row is written with its event, in the same transaction, and says where
 * the event is; nothing is kept in memory.
 */


#include <string.h>

#include "lmdb_store.h"


static lead_rc_t lead_lmdb_outbox_rows(lead_lmdb_txn_t *t, uint32_t endpoint,
    lead_outbox_sink_pt sink, void *ctx);


lead_rc_t
lead_lmdb_outbox_add(lead_lmdb_txn_t *t, const lead_outbox_row_t *row)
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
    uint8_t            start[4];
    lead_rc_t          rc;
    lead_bytes_t       key, row;
    lead_outbox_row_t  out;

    (void) lead_record_put32(start, endpoint);

    key.data = start;
    key.len = sizeof(start);

    rc = lead_lmdb_move(t, LEAD_LMDB_OUTBOX, MDB_SET_RANGE, &key, &row);

    while (rc == LEAD_OK) {

        if (lead_record_outbox_decode(key, row, &out) != 0) {
            return lead_lmdb_corrupt(t, "outbox row");
        }

        if ((endpoint != 0 && out.endpoint != endpoint)
            || sink(ctx, &out) != 0)
        {
            return LEAD_OK;
        }

        rc = lead_lmdb_move(t, LEAD_LMDB_OUTBOX, MDB_NEXT, &key, &row);
    }

    return rc == LEAD_NOTFOUND ? LEAD_OK : rc;
}
