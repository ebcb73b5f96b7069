
/*
 * Copyright (C) the ngx_lead authors
 *
 * The check of histories and of what requests are known again by.  As
 * lmdb_check.c, it reports and never repairs, and allocates nothing.
 *
 * Records of idempotency are forgotten by the tree, the oldest first: there is
 * one for each request behind the first that is remembered.
 */


#include <string.h>

#include "lmdb_check.h"


static lead_rc_t lead_lmdb_check_forgotten(lead_lmdb_check_t *c,
    const lead_record_event_t *event);
static lead_rc_t lead_lmdb_check_trees_with(lead_lmdb_check_t *c,
    lead_bytes_t key, unsigned *trees);


lead_rc_t
lead_lmdb_check_remembered(lead_lmdb_check_t *c)
{
    uint64_t      id;
    unsigned      i;
    lead_rc_t     rc;
    lead_bytes_t  key, row;

    c->remembered = UINT64_MAX;

    for (i = 0; i < LEAD_RECORD_GENERATIONS; i++) {
        key.data = NULL;
        key.len = 0;

        rc = lead_lmdb_move(c->t, LEAD_LMDB_IDEM + i, MDB_FIRST, &key, &row);

        while (rc == LEAD_OK) {

            if (key.len == LEAD_RECORD_IDEM_KEY) {
                id = lead_record_get64(key.data + LEAD_RECORD_HASH_KEY);

                if (id < c->remembered) {
                    c->remembered = id;
                }
            }

            rc = lead_lmdb_move(c->t, LEAD_LMDB_IDEM + i, MDB_NEXT, &key,
                                &row);
        }

        if (rc != LEAD_NOTFOUND) {
            return rc;
        }
    }

    return LEAD_OK;
}


static lead_rc_t
lead_lmdb_check_forgotten(lead_lmdb_check_t *c,
    const lead_record_event_t *event)
{
    uint8_t       buf[LEAD_RECORD_IDEM_KEY];
    unsigned      trees;
    lead_rc_t     rc;
    lead_bytes_t  key;

    lead_record_hash_key(buf, event->account, LEAD_RECORD_IDEMPOTENCY,
                         event->sha);
    (void) lead_record_put64(buf + LEAD_RECORD_HASH_KEY, event->id);

    key.data = buf;
    key.len = sizeof(buf);

    rc = lead_lmdb_check_trees_with(c, key, &trees);

    if (rc == LEAD_OK && trees == 0) {
        return lead_lmdb_finding(c, "event %llu lacks its idempotency record",
                                 (unsigned long long) event->id);
    }

    return rc;
}


static lead_rc_t
lead_lmdb_check_trees_with(lead_lmdb_check_t *c, lead_bytes_t key,
    unsigned *trees)
{
    unsigned      i;
    lead_rc_t     rc;
    lead_bytes_t  row;

    *trees = 0;

    for (i = 0; i < LEAD_RECORD_GENERATIONS; i++) {
        rc = lead_lmdb_row(c->t, LEAD_LMDB_IDEM + i, key.data, key.len, &row);

        if (rc == LEAD_OK) {
            (*trees)++;

        } else if (rc != LEAD_NOTFOUND) {
            return rc;
        }
    }

    return LEAD_OK;
}


lead_rc_t
lead_lmdb_check_event(lead_lmdb_check_t *c, lead_bytes_t key, lead_bytes_t row)
{
    lead_rc_t            rc;
    lead_bytes_t         lead;
    lead_record_t        r;
    unsigned long long   id;
    lead_record_event_t  event;

    if (lead_record_event_decode(key, row, &event) != 0
        || (event.snapshot.len != 0
            && lead_record_lead_decode(event.snapshot, event.account,
                                       &event.lead, &r) != 0))
    {
        return lead_lmdb_finding(c, "an event cannot be read");
    }

    id = event.id;

    if (event.id >= c->t->state.event) {
        (void) lead_lmdb_finding(c, "event %llu is to come yet", id);
    }

    if ((event.data.len != 0 && lead_lmdb_check_json(event.data) != 0)
        || (event.snapshot.len != 0 && r.lead.doc.len != 0
            && lead_lmdb_check_json(r.lead.doc) != 0))
    {
        (void) lead_lmdb_finding(c, "event %llu has a document that is no"
                                 " JSON", id);
    }

    if (event.sha != NULL && event.id >= c->remembered) {
        rc = lead_lmdb_check_forgotten(c, &event);

        if (rc != LEAD_OK) {
            return rc;
        }
    }

    if (lead_lmdb_check_test(&event.lead)) {
        return lead_lmdb_check_owner(c, event.account, "a test's event");
    }

    rc = lead_lmdb_row(c->t, LEAD_LMDB_LEADS, key.data, LEAD_RECORD_LEAD_KEY,
                       &lead);

    if (rc == LEAD_NOTFOUND) {
        return lead_lmdb_finding(c, "event %llu is of a lead that is not"
                                 " there", id);
    }

    return rc;
}


lead_rc_t
lead_lmdb_check_idem(lead_lmdb_check_t *c, lead_bytes_t key, lead_bytes_t row)
{
    size_t               i;
    uint8_t              name[LEAD_RECORD_EVENT_KEY];
    uint8_t              hash[LEAD_RECORD_HASH_KEY];
    uint32_t             account;
    uint64_t             id;
    unsigned             trees;
    lead_id_t            lead;
    lead_rc_t            rc;
    lead_bytes_t         event, found;
    lead_record_event_t  e;

    if (key.len != LEAD_RECORD_IDEM_KEY
        || row.len == 0
        || row.len % LEAD_RECORD_ID_LEN != 0)
    {
        return lead_lmdb_finding(c, "an idempotency record cannot be read");
    }

    account = lead_record_get32(key.data + 1);
    id = lead_record_get64(key.data + LEAD_RECORD_HASH_KEY);

    rc = lead_lmdb_check_trees_with(c, key, &trees);

    if (rc != LEAD_OK) {
        return rc;
    }

    if (trees != 1) {
        (void) lead_lmdb_finding(c, "there are %u idempotency records of event"
                                 " %llu", trees, (unsigned long long) id);
    }

    for (i = row.len; i != 0; i -= LEAD_RECORD_ID_LEN) {
        memcpy(lead.b, row.data + i - LEAD_RECORD_ID_LEN, sizeof(lead.b));
        lead_record_event_key(name, account, &lead, id);

        rc = lead_lmdb_row(c->t, LEAD_LMDB_LEADS, name, LEAD_RECORD_LEAD_KEY,
                           &found);

        if (rc == LEAD_NOTFOUND) {
            rc = lead_lmdb_finding(c, "an idempotency record names a lead"
                                   " that is not there");
        }

        if (rc != LEAD_OK) {
            return rc;
        }
    }

    event.data = name;
    event.len = sizeof(name);

    rc = lead_lmdb_row(c->t, LEAD_LMDB_EVENTS, name, sizeof(name), &found);

    if (rc == LEAD_OK
        && lead_record_event_decode(event, found, &e) == 0
        && e.sha != NULL)
    {
        lead_record_hash_key(hash, account, LEAD_RECORD_IDEMPOTENCY, e.sha);

        if (memcmp(hash, key.data, sizeof(hash)) == 0) {
            return LEAD_OK;
        }
    }

    if (rc != LEAD_OK && rc != LEAD_NOTFOUND) {
        return rc;
    }

    return lead_lmdb_finding(c, "an idempotency record is not that of event"
                             " %llu", (unsigned long long) id);
}
