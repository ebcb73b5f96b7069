
/*
 * Copyright (C) the ngx_lead authors
 *
 * A libFuzzer entry: rows of a store.  The first byte says which, the second
 * how long the key is, then come key and row.  A decoder must not read beyond
 * either; what it takes, encoded again, is the same key and row.
 */


#include "fuzz.h"
#include "lead_record.h"


typedef void (*check_pt)(ngx_pool_t *pool, lead_bytes_t key,
    lead_bytes_t row);


static void
must_be(const uint8_t *p, size_t len, lead_bytes_t want)
{
    must(len == want.len);
    must(memcmp(p, want.data, len) == 0);
}


static uint8_t *
room(ngx_pool_t *pool, size_t len)
{
    uint8_t  *p;

    p = ngx_pnalloc(pool, len);
    must(p);

    return p;
}


static void
check_lead(ngx_pool_t *pool, lead_bytes_t key, lead_bytes_t row)
{
    size_t         len;
    uint8_t       *p, k[LEAD_RECORD_LEAD_KEY];
    lead_id_t      id;
    lead_record_t  r;

    if (key.len != LEAD_RECORD_LEAD_KEY) {
        return;
    }

    memcpy(id.b, key.data + 4, LEAD_RECORD_ID_LEN);

    if (lead_record_lead_decode(row, lead_record_get32(key.data), &id, &r)
        != 0)
    {
        return;
    }

    must(r.nmatches <= LEAD_MATCHES_MAX && r.lead.doc.len <= LEAD_DOC_MAX);

    len = lead_record_lead_size(r.nmatches, r.lead.doc.len);
    p = room(pool, len);
    lead_record_lead_encode(p, &r);
    must_be(p, len, row);

    lead_record_lead_key(k, r.lead.account, &r.lead.id);
    must_be(k, sizeof(k), key);
}


static void
check_event(ngx_pool_t *pool, lead_bytes_t key, lead_bytes_t row)
{
    size_t               len;
    uint8_t             *p, *last, k[LEAD_RECORD_EVENT_KEY];
    lead_bytes_t         bare;
    lead_record_t        r;
    lead_record_event_t  e, again;

    if (lead_record_event_decode(key, row, &e) != 0) {
        return;
    }

    must(e.type.len <= LEAD_EVENT_TYPE_MAX);
    must(e.actor.len <= LEAD_ACTOR_MAX);
    must(e.data.len <= LEAD_EVENT_DATA_MAX);

    len = lead_record_event_size(&e);
    p = room(pool, len);
    last = lead_record_event_encode(p, &e);

    must((size_t) (p + len - last) == e.snapshot.len);

    if (e.snapshot.len) {
        memcpy(last, e.snapshot.data, e.snapshot.len);
        (void) lead_record_lead_decode(e.snapshot, e.account, &e.lead, &r);
    }

    must_be(p, len, row);

    lead_record_event_key(k, e.account, &e.lead, e.id);
    must_be(k, sizeof(k), key);

    /* without its snapshot it is the same event */

    p = room(pool, len - e.snapshot.len);
    bare.data = p;
    bare.len = lead_record_event_bare(p, row, &e);

    must(bare.len == len - e.snapshot.len);
    must(lead_record_event_decode(key, bare, &again) == 0);
    must(again.snapshot.len == 0);
    must(again.time == e.time && (again.sha == NULL) == (e.sha == NULL));
    must_be(again.type.data, again.type.len, e.type);
    must_be(again.actor.data, again.actor.len, e.actor);
    must_be(again.data.data, again.data.len, e.data);
}


static void
check_outbox(ngx_pool_t *pool, lead_bytes_t key, lead_bytes_t row)
{
    uint8_t            *p, k[LEAD_RECORD_OUTBOX_KEY];
    lead_outbox_row_t   r;

    if (lead_record_outbox_decode(key, row, &r) != 0) {
        return;
    }

    p = room(pool, LEAD_RECORD_OUTBOX_LEN);
    lead_record_outbox_encode(p, &r);
    must_be(p, LEAD_RECORD_OUTBOX_LEN, row);

    lead_record_outbox_key(k, r.endpoint, r.due, r.event);
    must_be(k, sizeof(k), key);
}


static void
check_endpoint(ngx_pool_t *pool, lead_bytes_t key, lead_bytes_t row)
{
    uint8_t                 *p;
    lead_record_endpoint_t   s;

    if (lead_record_endpoint_decode(row, &s) != 0) {
        return;
    }

    p = room(pool, LEAD_RECORD_ENDPOINT_LEN);
    lead_record_endpoint_encode(p, &s);
    must_be(p, LEAD_RECORD_ENDPOINT_LEN, row);
}


static void
check_attempt(ngx_pool_t *pool, lead_bytes_t key, lead_bytes_t row)
{
    uint8_t                *p, k[LEAD_RECORD_ATTEMPT_KEY];
    lead_attempt_t         *a;
    lead_record_attempt_t   r;

    if (lead_record_attempt_decode(key, row, &r) != 0) {
        return;
    }

    a = &r.attempt;

    must(a->type.len <= LEAD_EVENT_TYPE_MAX);
    must(a->error.len <= LEAD_ATTEMPT_ERROR_MAX);
    must(a->answer.len <= LEAD_ATTEMPT_ANSWER_MAX);
    must(row.len <= LEAD_RECORD_ATTEMPT_MAX);

    p = room(pool, row.len);
    must(lead_record_attempt_encode(p, &r) == row.len);
    must_be(p, row.len, row);

    lead_record_attempt_key(k, a->row.endpoint, a->time, a->row.event);
    must_be(k, sizeof(k), key);
}


static void
check_key(ngx_pool_t *pool, lead_bytes_t key, lead_bytes_t row)
{
    uint8_t     *p;
    lead_key_t   k;

    if (lead_record_key_decode(row, &k) != 0) {
        return;
    }

    must(row.len <= LEAD_RECORD_KEY_MAX);
    must(k.id[LEAD_KEY_ID_LEN] == '\0');
    must(memchr(k.api, '\0', sizeof(k.api)));
    must(memchr(k.source, '\0', sizeof(k.source)));
    must(memchr(k.name, '\0', sizeof(k.name)));
    must(memchr(k.last4, '\0', sizeof(k.last4)));

    p = room(pool, row.len);
    must(lead_record_key_encode(p, &k) == row.len);
    must_be(p, row.len, row);
}


/* a later version's may be longer */

static void
check_marker(ngx_pool_t *pool, lead_bytes_t key, lead_bytes_t row)
{
    uint8_t               *p;
    lead_record_marker_t   m;

    if (lead_record_marker_decode(row, &m) != 0) {
        return;
    }

    must(row.len >= LEAD_RECORD_MARKER_LEN);
    row.len = LEAD_RECORD_MARKER_LEN;

    p = room(pool, LEAD_RECORD_MARKER_LEN);
    lead_record_marker_encode(p, &m);
    must_be(p, LEAD_RECORD_MARKER_LEN, row);
}


static void
check_state(ngx_pool_t *pool, lead_bytes_t key, lead_bytes_t row)
{
    uint8_t              *p;
    lead_record_state_t   s;

    if (lead_record_state_decode(row, &s) != 0) {
        return;
    }

    must(s.newest < LEAD_RECORD_GENERATIONS);

    p = room(pool, LEAD_RECORD_STATE_LEN);
    lead_record_state_encode(p, &s);
    must_be(p, LEAD_RECORD_STATE_LEN, row);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ngx_str_t      k, r;
    ngx_pool_t    *pool;
    lead_bytes_t   key, row;

    static const check_pt  checks[] = {
        check_lead, check_event, check_outbox, check_endpoint,
        check_attempt, check_key, check_marker, check_state
    };

    if (size < 2) {
        return 0;
    }

    pool = ngx_create_pool(4096, NULL);
    must(pool);

    k.len = ngx_min((size_t) data[1], size - 2);

    k = block(pool, data + 2, k.len);
    r = block(pool, data + 2 + k.len, size - 2 - k.len);

    key.data = k.data;
    key.len = k.len;

    row.data = r.data;
    row.len = r.len;

    checks[data[0] % 8](pool, key, row);

    ngx_destroy_pool(pool);

    return 0;
}
