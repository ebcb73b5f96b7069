
/*
 * Copyright (C) the ngx_lead authors
 *
 * The format of a store, as lead_record.h describes it.  Nothing here
 * allocates, fails for a reason other than the bytes it was given, or reads
 * beyond their end.
 */


#include <string.h>

#include "lead_record.h"


#define LEAD_RECORD_EVENT_SHA       0x01
#define LEAD_RECORD_EVENT_SNAPSHOT  0x02
#define LEAD_RECORD_EVENT_FLAGS     0x03

#define LEAD_RECORD_ATTEMPT_PLACE   0x01

#define LEAD_RECORD_KEY_DISABLED    0x01


static uint8_t *lead_record_copy(uint8_t *p, const void *data, size_t len);
static int lead_record_text(lead_bytes_t *rest, size_t len, char *text,
    size_t size);


uint8_t *
lead_record_put32(uint8_t *p, uint32_t v)
{
    *p++ = (uint8_t) (v >> 24);
    *p++ = (uint8_t) (v >> 16);
    *p++ = (uint8_t) (v >> 8);
    *p++ = (uint8_t) v;

    return p;
}


uint8_t *
lead_record_put64(uint8_t *p, uint64_t v)
{
    p = lead_record_put32(p, (uint32_t) (v >> 32));

    return lead_record_put32(p, (uint32_t) v);
}


uint32_t
lead_record_get32(const uint8_t *p)
{
    return (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16
           | (uint32_t) p[2] << 8 | p[3];
}


uint64_t
lead_record_get64(const uint8_t *p)
{
    return (uint64_t) lead_record_get32(p) << 32 | lead_record_get32(p + 4);
}


static uint8_t *
lead_record_copy(uint8_t *p, const void *data, size_t len)
{
    if (len != 0) {
        memcpy(p, data, len);
    }

    return p + len;
}


void
lead_record_lead_key(uint8_t *p, uint32_t account, const lead_id_t *id)
{
    p = lead_record_put32(p, account);
    (void) lead_record_copy(p, id->b, LEAD_RECORD_ID_LEN);
}


void
lead_record_event_key(uint8_t *p, uint32_t account, const lead_id_t *id,
    uint64_t event)
{
    lead_record_lead_key(p, account, id);
    (void) lead_record_put64(p + LEAD_RECORD_LEAD_KEY, event);
}


void
lead_record_outbox_key(uint8_t *p, uint32_t endpoint, int64_t due,
    uint64_t event)
{
    p = lead_record_put32(p, endpoint);
    p = lead_record_put64(p, (uint64_t) due);
    (void) lead_record_put64(p, event);
}


void
lead_record_hash_key(uint8_t *p, uint32_t account, uint8_t kind,
    const uint8_t *sha)
{
    *p++ = kind;
    p = lead_record_put32(p, account);
    (void) lead_record_copy(p, sha, LEAD_RECORD_HASH_LEN);
}


void
lead_record_endpoint_key(uint8_t *p, uint32_t endpoint)
{
    *p++ = LEAD_RECORD_ENDPOINT;
    (void) lead_record_put32(p, endpoint);
}


void
lead_record_attempt_key(uint8_t *p, uint32_t endpoint, int64_t time,
    uint64_t event)
{
    p = lead_record_put32(p, endpoint);
    p = lead_record_put64(p, (uint64_t) time);
    (void) lead_record_put64(p, event);
}


size_t
lead_record_lead_size(size_t nmatches, size_t doc)
{
    return LEAD_RECORD_LEAD_HEAD + nmatches * sizeof(lead_record_match_t) + doc;
}


void
lead_record_lead_encode(uint8_t *p, const lead_record_t *r)
{
    *p++ = LEAD_RECORD_VERSION;
    *p++ = (uint8_t) r->nmatches;
    *p++ = 0;
    *p++ = 0;

    p = lead_record_put32(p, r->lead.flags);
    p = lead_record_put64(p, r->lead.number);
    p = lead_record_put64(p, (uint64_t) r->lead.created);
    p = lead_record_put64(p, (uint64_t) r->lead.updated);
    p = lead_record_put64(p, (uint64_t) r->lead.activity);

    p = lead_record_copy(p, r->matches,
                         r->nmatches * sizeof(lead_record_match_t));
    (void) lead_record_copy(p, r->lead.doc.data, r->lead.doc.len);
}


int
lead_record_lead_decode(lead_bytes_t row, uint32_t account,
    const lead_id_t *id, lead_record_t *r)
{
    size_t          len;
    const uint8_t  *p;

    p = row.data;

    if (row.len < LEAD_RECORD_LEAD_HEAD
        || p[0] != LEAD_RECORD_VERSION
        || p[1] > LEAD_MATCHES_MAX
        || (p[2] | p[3]) != 0)
    {
        return -1;
    }

    len = lead_record_lead_size(p[1], 0);

    if (row.len < len || row.len - len > LEAD_DOC_MAX) {
        return -1;
    }

    r->lead.account = account;
    r->lead.id = *id;
    r->lead.flags = lead_record_get32(p + 4);
    r->lead.number = lead_record_get64(p + 8);
    r->lead.created = (int64_t) lead_record_get64(p + 16);
    r->lead.updated = (int64_t) lead_record_get64(p + 24);
    r->lead.activity = (int64_t) lead_record_get64(p + 32);
    r->lead.doc.len = row.len - len;
    r->lead.doc.data = p + len;

    r->nmatches = p[1];
    r->matches = (const lead_record_match_t *) (p + LEAD_RECORD_LEAD_HEAD);

    return 0;
}


size_t
lead_record_event_size(const lead_record_event_t *e)
{
    return LEAD_RECORD_EVENT_HEAD
           + (e->sha == NULL ? 0 : LEAD_RECORD_SHA_LEN)
           + e->type.len + e->actor.len + e->data.len + e->snapshot.len;
}


uint8_t *
lead_record_event_encode(uint8_t *p, const lead_record_event_t *e)
{
    *p++ = LEAD_RECORD_VERSION;
    *p++ = (uint8_t) ((e->sha == NULL ? 0 : LEAD_RECORD_EVENT_SHA)
                      | (e->snapshot.len == 0 ? 0
                         : LEAD_RECORD_EVENT_SNAPSHOT));
    *p++ = (uint8_t) e->type.len;
    *p++ = (uint8_t) e->actor.len;

    p = lead_record_put32(p, (uint32_t) e->data.len);
    p = lead_record_put64(p, (uint64_t) e->time);

    if (e->sha != NULL) {
        p = lead_record_copy(p, e->sha, LEAD_RECORD_SHA_LEN);
    }

    p = lead_record_copy(p, e->type.data, e->type.len);
    p = lead_record_copy(p, e->actor.data, e->actor.len);

    return lead_record_copy(p, e->data.data, e->data.len);
}


int
lead_record_event_decode(lead_bytes_t key, lead_bytes_t row,
    lead_record_event_t *e)
{
    size_t          len;
    const uint8_t  *p;

    p = row.data;

    if (key.len != LEAD_RECORD_EVENT_KEY
        || row.len < LEAD_RECORD_EVENT_HEAD
        || p[0] != LEAD_RECORD_VERSION
        || (p[1] & ~LEAD_RECORD_EVENT_FLAGS) != 0
        || p[2] > LEAD_EVENT_TYPE_MAX
        || p[3] > LEAD_ACTOR_MAX
        || lead_record_get32(p + 4) > LEAD_EVENT_DATA_MAX)
    {
        return -1;
    }

    e->account = lead_record_get32(key.data);
    memcpy(e->lead.b, key.data + 4, LEAD_RECORD_ID_LEN);
    e->id = lead_record_get64(key.data + LEAD_RECORD_LEAD_KEY);

    e->time = (int64_t) lead_record_get64(p + 8);
    e->sha = NULL;
    e->type.len = p[2];
    e->actor.len = p[3];
    e->data.len = lead_record_get32(p + 4);
    e->snapshot.len = 0;

    len = LEAD_RECORD_EVENT_HEAD;

    if (p[1] & LEAD_RECORD_EVENT_SHA) {
        e->sha = p + len;
        len += LEAD_RECORD_SHA_LEN;
    }

    e->type.data = p + len;
    e->actor.data = e->type.data + e->type.len;
    e->data.data = e->actor.data + e->actor.len;
    e->snapshot.data = e->data.data + e->data.len;

    len = lead_record_event_size(e);

    if (row.len < len) {
        return -1;
    }

    e->snapshot.len = row.len - len;

    return (e->snapshot.len != 0) == !!(p[1] & LEAD_RECORD_EVENT_SNAPSHOT)
           ? 0 : -1;
}


size_t
lead_record_event_bare(uint8_t *p, lead_bytes_t row,
    const lead_record_event_t *e)
{
    size_t  len;

    len = row.len - e->snapshot.len;

    memcpy(p, row.data, len);
    p[1] &= (uint8_t) ~LEAD_RECORD_EVENT_SNAPSHOT;

    return len;
}


void
lead_record_outbox_encode(uint8_t *p, const lead_outbox_row_t *r)
{
    *p++ = LEAD_RECORD_VERSION;
    *p++ = 0;
    *p++ = 0;
    *p++ = 0;

    lead_record_lead_key(p, r->account, &r->lead);
    (void) lead_record_put32(p + LEAD_RECORD_LEAD_KEY, r->attempts);
}


int
lead_record_outbox_decode(lead_bytes_t key, lead_bytes_t row,
    lead_outbox_row_t *r)
{
    const uint8_t  *p;

    p = row.data;

    if (key.len != LEAD_RECORD_OUTBOX_KEY
        || row.len != LEAD_RECORD_OUTBOX_LEN
        || p[0] != LEAD_RECORD_VERSION
        || (p[1] | p[2] | p[3]) != 0)
    {
        return -1;
    }

    r->endpoint = lead_record_get32(key.data);
    r->due = (int64_t) lead_record_get64(key.data + 4);
    r->event = lead_record_get64(key.data + 12);

    r->account = lead_record_get32(p + 4);
    memcpy(r->lead.b, p + 8, LEAD_RECORD_ID_LEN);
    r->attempts = lead_record_get32(p + 4 + LEAD_RECORD_LEAD_KEY);

    return r->due >= 0 ? 0 : -1;
}


void
lead_record_endpoint_encode(uint8_t *p, const lead_record_endpoint_t *s)
{
    *p++ = LEAD_RECORD_VERSION;
    *p++ = (uint8_t) s->state;
    *p++ = 0;
    *p++ = 0;

    p = lead_record_put64(p, (uint64_t) s->changed);
    p = lead_record_put64(p, (uint64_t) s->succeeded);
    p = lead_record_put64(p, (uint64_t) s->failing);
    p = lead_record_put64(p, s->pending);
    p = lead_record_put64(p, s->failed);
    p = lead_record_put64(p, s->delivered);
    p = lead_record_put64(p, s->replayed);
    p = lead_record_put32(p, s->process);
    p = lead_record_copy(p, s->random, sizeof(s->random));
    (void) lead_record_put64(p, (uint64_t) s->until);
}


int
lead_record_endpoint_decode(lead_bytes_t row, lead_record_endpoint_t *s)
{
    const uint8_t  *p;

    p = row.data;

    if (row.len != LEAD_RECORD_ENDPOINT_LEN
        || p[0] != LEAD_RECORD_VERSION
        || p[1] > LEAD_ENDPOINT_FAILING
        || (p[2] | p[3]) != 0)
    {
        return -1;
    }

    s->state = (lead_endpoint_state_t) p[1];
    s->changed = (int64_t) lead_record_get64(p + 4);
    s->succeeded = (int64_t) lead_record_get64(p + 12);
    s->failing = (int64_t) lead_record_get64(p + 20);
    s->pending = lead_record_get64(p + 28);
    s->failed = lead_record_get64(p + 36);
    s->delivered = lead_record_get64(p + 44);
    s->replayed = lead_record_get64(p + 52);
    s->process = lead_record_get32(p + 60);
    memcpy(s->random, p + 64, sizeof(s->random));
    s->until = (int64_t) lead_record_get64(p + 72);

    return 0;
}


size_t
lead_record_attempt_encode(uint8_t *p, const lead_record_attempt_t *r)
{
    size_t                 error, answer;
    uint8_t               *start;
    const lead_attempt_t  *a;

    a = &r->attempt;
    start = p;

    error = a->error.len < LEAD_ATTEMPT_ERROR_MAX ? a->error.len
                                                  : LEAD_ATTEMPT_ERROR_MAX;
    answer = a->answer.len < LEAD_ATTEMPT_ANSWER_MAX ? a->answer.len
                                                     : LEAD_ATTEMPT_ANSWER_MAX;

    *p++ = LEAD_RECORD_VERSION;
    *p++ = r->place ? LEAD_RECORD_ATTEMPT_PLACE : 0;
    *p++ = (uint8_t) a->outcome;
    *p++ = (uint8_t) a->state;
    *p++ = (uint8_t) a->type.len;
    *p++ = (uint8_t) error;
    *p++ = (uint8_t) (answer >> 8);
    *p++ = (uint8_t) answer;

    lead_record_lead_key(p, a->row.account, &a->row.lead);
    p = lead_record_put32(p + LEAD_RECORD_LEAD_KEY, a->row.attempts);
    p = lead_record_put32(p, a->status);
    p = lead_record_put32(p, a->msec);
    p = lead_record_put64(p, (uint64_t) a->row.due);
    p = lead_record_put64(p, (uint64_t) a->retry);
    p = lead_record_put64(p, (uint64_t) r->event_time);

    p = lead_record_copy(p, a->type.data, a->type.len);
    p = lead_record_copy(p, a->error.data, error);
    p = lead_record_copy(p, a->answer.data, answer);

    return (size_t) (p - start);
}


int
lead_record_attempt_decode(lead_bytes_t key, lead_bytes_t row,
    lead_record_attempt_t *r)
{
    const uint8_t   *p;
    lead_attempt_t  *a;

    p = row.data;
    a = &r->attempt;

    if (key.len != LEAD_RECORD_ATTEMPT_KEY
        || row.len < LEAD_RECORD_ATTEMPT_HEAD
        || p[0] != LEAD_RECORD_VERSION
        || (p[1] & ~LEAD_RECORD_ATTEMPT_PLACE) != 0
        || p[2] > LEAD_GIVE_UP
        || p[3] > LEAD_ENDPOINT_FAILING
        || p[4] > LEAD_EVENT_TYPE_MAX
        || p[5] > LEAD_ATTEMPT_ERROR_MAX
        || (p[6] << 8 | p[7]) > LEAD_ATTEMPT_ANSWER_MAX)
    {
        return -1;
    }

    memset(r, 0, sizeof(lead_record_attempt_t));

    a->row.endpoint = lead_record_get32(key.data);
    a->time = (int64_t) lead_record_get64(key.data + 4);
    a->row.event = lead_record_get64(key.data + 12);

    r->place = p[1] & LEAD_RECORD_ATTEMPT_PLACE ? 1 : 0;
    a->outcome = (lead_attempt_outcome_t) p[2];
    a->state = (lead_endpoint_state_t) p[3];
    a->type.len = p[4];
    a->error.len = p[5];
    a->answer.len = (size_t) (p[6] << 8 | p[7]);

    a->row.account = lead_record_get32(p + 8);
    memcpy(a->row.lead.b, p + 12, LEAD_RECORD_ID_LEN);
    a->row.attempts = lead_record_get32(p + 28);
    a->status = lead_record_get32(p + 32);
    a->msec = lead_record_get32(p + 36);
    a->row.due = (int64_t) lead_record_get64(p + 40);
    a->retry = (int64_t) lead_record_get64(p + 48);
    r->event_time = (int64_t) lead_record_get64(p + 56);

    a->type.data = p + LEAD_RECORD_ATTEMPT_HEAD;
    a->error.data = a->type.data + a->type.len;
    a->answer.data = a->error.data + a->error.len;

    return a->time >= 0
           && row.len == LEAD_RECORD_ATTEMPT_HEAD + a->type.len + a->error.len
                         + a->answer.len ? 0 : -1;
}


size_t
lead_record_key_encode(uint8_t *p, const lead_key_t *key)
{
    uint8_t  *start;

    start = p;

    *p++ = LEAD_RECORD_VERSION;
    *p++ = key->disabled ? LEAD_RECORD_KEY_DISABLED : 0;
    *p++ = (uint8_t) strlen(key->api);
    *p++ = (uint8_t) strlen(key->source);
    *p++ = (uint8_t) strlen(key->name);
    *p++ = (uint8_t) strlen(key->last4);
    *p++ = 0;
    *p++ = 0;

    p = lead_record_copy(p, key->id, LEAD_KEY_ID_LEN);
    p = lead_record_put32(p, key->account);
    p = lead_record_put32(p, key->scopes);
    p = lead_record_put64(p, (uint64_t) key->created);
    p = lead_record_put64(p, (uint64_t) key->expires);

    p = lead_record_copy(p, key->api, strlen(key->api));
    p = lead_record_copy(p, key->source, strlen(key->source));
    p = lead_record_copy(p, key->name, strlen(key->name));
    p = lead_record_copy(p, key->last4, strlen(key->last4));

    return (size_t) (p - start);
}


int
lead_record_key_decode(lead_bytes_t row, lead_key_t *key)
{
    lead_bytes_t    rest;
    const uint8_t  *p;

    p = row.data;

    if (row.len < LEAD_RECORD_KEY_HEAD
        || p[0] != LEAD_RECORD_VERSION
        || (p[1] & ~LEAD_RECORD_KEY_DISABLED) != 0
        || (p[6] | p[7]) != 0)
    {
        return -1;
    }

    memset(key, 0, sizeof(lead_key_t));

    key->disabled = p[1] & LEAD_RECORD_KEY_DISABLED ? 1 : 0;
    memcpy(key->id, p + 8, LEAD_KEY_ID_LEN);
    key->account = lead_record_get32(p + 16);
    key->scopes = lead_record_get32(p + 20);
    key->created = (int64_t) lead_record_get64(p + 24);
    key->expires = (int64_t) lead_record_get64(p + 32);

    rest.data = p + LEAD_RECORD_KEY_HEAD;
    rest.len = row.len - LEAD_RECORD_KEY_HEAD;

    if (lead_record_text(&rest, p[2], key->api, sizeof(key->api)) != 0
        || lead_record_text(&rest, p[3], key->source, sizeof(key->source)) != 0
        || lead_record_text(&rest, p[4], key->name, sizeof(key->name)) != 0
        || lead_record_text(&rest, p[5], key->last4, sizeof(key->last4)) != 0
        || rest.len != 0)
    {
        return -1;
    }

    return 0;
}


static int
lead_record_text(lead_bytes_t *rest, size_t len, char *text, size_t size)
{
    if (len >= size || len > rest->len
        || memchr(rest->data, '\0', len) != NULL)
    {
        return -1;
    }

    memcpy(text, rest->data, len);
    text[len] = '\0';

    rest->data += len;
    rest->len -= len;

    return 0;
}


void
lead_record_marker_encode(uint8_t *p, const lead_record_marker_t *m)
{
    p = lead_record_copy(p, LEAD_RECORD_MAGIC, LEAD_RECORD_MAGIC_LEN);
    p = lead_record_put32(p, m->version);
    (void) lead_record_copy(p, m->store, sizeof(m->store));
}


/* a later version may have a longer marker: only what every version has is
 * looked at, or its store could not be told from a foreign one */

int
lead_record_marker_decode(lead_bytes_t row, lead_record_marker_t *m)
{
    if (row.len < LEAD_RECORD_MARKER_LEN
        || memcmp(row.data, LEAD_RECORD_MAGIC, LEAD_RECORD_MAGIC_LEN) != 0)
    {
        return -1;
    }

    m->version = lead_record_get32(row.data + LEAD_RECORD_MAGIC_LEN);
    memcpy(m->store, row.data + LEAD_RECORD_MAGIC_LEN + 4, sizeof(m->store));

    return 0;
}


void
lead_record_state_encode(uint8_t *p, const lead_record_state_t *s)
{
    *p++ = LEAD_RECORD_VERSION;
    *p++ = s->newest;
    *p++ = 0;
    *p++ = 0;

    p = lead_record_put64(p, s->number);
    p = lead_record_put64(p, s->event);
    p = lead_record_put64(p, (uint64_t) s->last);
    (void) lead_record_put64(p, (uint64_t) s->since);
}


int
lead_record_state_decode(lead_bytes_t row, lead_record_state_t *s)
{
    const uint8_t  *p;

    p = row.data;

    if (row.len != LEAD_RECORD_STATE_LEN
        || p[0] != LEAD_RECORD_VERSION
        || p[1] >= LEAD_RECORD_GENERATIONS
        || (p[2] | p[3]) != 0)
    {
        return -1;
    }

    s->newest = p[1];
    s->number = lead_record_get64(p + 4);
    s->event = lead_record_get64(p + 12);
    s->last = (int64_t) lead_record_get64(p + 20);
    s->since = (int64_t) lead_record_get64(p + 28);

    return 0;
}


/* RFC 9562, 5.7 and method 3 of 6.2: milliseconds 48, version 4, the rest of
 * the time as a fraction of 4096 in 12, variant 2, random 62 */

void
lead_record_id(lead_id_t *id, int64_t us, const uint8_t *random)
{
    uint64_t   ms;
    uint8_t   *p;
    unsigned   fraction;

    ms = (uint64_t) us / 1000;
    fraction = (unsigned) ((uint64_t) us % 1000 * 4096 / 1000);

    p = id->b;

    *p++ = (uint8_t) (ms >> 40);
    *p++ = (uint8_t) (ms >> 32);
    p = lead_record_put32(p, (uint32_t) ms);

    *p++ = (uint8_t) (0x70 | fraction >> 8);
    *p++ = (uint8_t) fraction;

    memcpy(p, random, 8);
    *p = (uint8_t) (0x80 | (*p & 0x3f));
}
