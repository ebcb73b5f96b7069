
/*
 * Copyright (C) the ngx_lead authors
 *
 * The format of a store: every key and every row, byte by byte, and nothing
 * else.  Pure functions on bytes: they know no engine, allocate nothing, and
 * what they decode points into the bytes that were given.  A decoder believes
 * no length before it has compared it with what is there.
 *
 * All integers are big endian, in keys (so that they sort) and in rows.
 *
 *   tree            key                              row
 *
 *   meta            "store"                          marker
 *   counters        0                                state
 *                   1, account 4                     leads of it 8
 *                   2, account 4, SHA-256 of name    value 8
 *   leads           account 4, lead 16               lead
 *   numbers         number 8                         account 4, lead 16
 *   events          account 4, lead 16, event 8      event
 *   outbox          endpoint 4, due 8, event 8       outbox row
 *   lookup          kind 1, account 4, hash, lead 16 nothing
 *   idem0..idem2    0, account 4, hash, event 8      leads 16 each, in order
 *   keys            SHA-256 of the text 32           key
 *   key_ids         id 8                             SHA-256 of the text 32
 *   accounts        account 4                        name
 *   account_names   name                             account 4
 *   endpoints       endpoint 4                       account 4, name
 *   endpoint_names  account 4, name                  endpoint 4
 *   deliveries      (nothing yet)
 *
 *   marker    magic 8, version 4, store's id 16
 *   state     version 1, newest idempotency tree 1, zero 2, next number 8,
 *             next event 8, time of the last lead's id 8, time since when
 *             the newest idempotency tree is 8
 *   lead      version 1, matches 1, zero 2, flags 4, number 8, created 8,
 *             updated 8, activity 8, matches (kind 1, SHA-256 32) each,
 *             document: the rest
 *   event     version 1, flags 1 (1: hash, 2: snapshot), length of type 1,
 *             of actor 1, of data 4, time 8, hash 32 if so, type, actor,
 *             data, snapshot (a lead without matches) if so: the rest
 *   outbox    version 1, zero 3, account 4, lead 16, attempts 4
 *   key       version 1, flags 1 (1: disabled), lengths of api, source, name
 *             and last4 1 each, zero 2, id 8, account 4, scopes 4, created 8,
 *             expires 8, api, source, name, last4
 *
 * "hash" in a key is the beginning of a SHA-256: rows of different values may
 * meet under one, so that each is verified: a look-up row on its lead, which
 * has the whole hashes, an idempotency row on the event of its key and the
 * first of its leads.  SHA-256 is over account 4, kind 1, value; the kind of
 * an idempotency scope is 0.  An event of an empty type is the store's own:
 * it only carries a hash or a beginning, and is shown to nobody.
 */


#ifndef LEAD_RECORD_H_INCLUDED
#define LEAD_RECORD_H_INCLUDED


#include "lead_store.h"


#define LEAD_RECORD_VERSION         1

#define LEAD_RECORD_MAGIC           "ngxlead\n"
#define LEAD_RECORD_MAGIC_LEN       8

/* bytes of a SHA-256 in keys; tests make it small to see hashes meet */

#ifndef LEAD_RECORD_HASH_LEN
#define LEAD_RECORD_HASH_LEN        11
#endif

#define LEAD_RECORD_SHA_LEN         32
#define LEAD_RECORD_ID_LEN          16

#define LEAD_RECORD_LEAD_KEY        (4 + LEAD_RECORD_ID_LEN)
#define LEAD_RECORD_NUMBER_KEY      8
#define LEAD_RECORD_NUMBER_LEN      LEAD_RECORD_LEAD_KEY
#define LEAD_RECORD_EVENT_KEY       (LEAD_RECORD_LEAD_KEY + 8)
#define LEAD_RECORD_OUTBOX_KEY      (4 + 8 + 8)
#define LEAD_RECORD_OUTBOX_LEN      (1 + 3 + LEAD_RECORD_LEAD_KEY + 4)
#define LEAD_RECORD_HASH_KEY        (1 + 4 + LEAD_RECORD_HASH_LEN)
#define LEAD_RECORD_LOOKUP_KEY      (LEAD_RECORD_HASH_KEY + LEAD_RECORD_ID_LEN)
#define LEAD_RECORD_IDEM_KEY        (LEAD_RECORD_HASH_KEY + 8)
#define LEAD_RECORD_COUNT_KEY       (1 + 4)
#define LEAD_RECORD_COUNTER_KEY     (1 + 4 + LEAD_RECORD_SHA_LEN)
#define LEAD_RECORD_NAME_KEY        (4 + LEAD_NAME_MAX)

#define LEAD_RECORD_MARKER_LEN      (LEAD_RECORD_MAGIC_LEN + 4 + 16)
#define LEAD_RECORD_STATE_LEN       (4 + 4 * 8)
#define LEAD_RECORD_LEAD_HEAD       40
#define LEAD_RECORD_EVENT_HEAD      16
#define LEAD_RECORD_KEY_HEAD        40
#define LEAD_RECORD_KEY_MAX         (LEAD_RECORD_KEY_HEAD + 16                \
                                     + 2 * LEAD_NAME_MAX + 4)

#define LEAD_RECORD_STATE           0     /* first bytes of a counter's key */
#define LEAD_RECORD_COUNT           1
#define LEAD_RECORD_COUNTER         2

#define LEAD_RECORD_IDEMPOTENCY     0     /* a kind no match key has */

#define LEAD_RECORD_GENERATIONS     3     /* idempotency trees */


/* a match key as a lead keeps it: bytes only, so that it may lie anywhere */

typedef struct {
    uint8_t                     kind;
    uint8_t                     sha[LEAD_RECORD_SHA_LEN];
} lead_record_match_t;


typedef struct {
    lead_t                      lead;
    size_t                      nmatches;
    const lead_record_match_t  *matches;
} lead_record_t;


typedef struct {
    uint32_t                    account;
    lead_id_t                   lead;
    uint64_t                    id;
    int64_t                     time;
    lead_bytes_t                type;
    lead_bytes_t                actor;
    lead_bytes_t                data;
    const uint8_t              *sha;        /* of a request's scope, or NULL */
    lead_bytes_t                snapshot;   /* a lead's row, or nothing */
} lead_record_event_t;


typedef struct {
    uint32_t                    version;
    uint8_t                     store[16];
} lead_record_marker_t;


typedef struct {
    uint64_t                    number;     /* the next */
    uint64_t                    event;      /* the next */
    int64_t                     last;
    int64_t                     since;
    uint8_t                     newest;
} lead_record_state_t;


/* integers; the end of what was written is returned */

uint8_t *lead_record_put32(uint8_t *p, uint32_t v);
uint8_t *lead_record_put64(uint8_t *p, uint64_t v);
uint32_t lead_record_get32(const uint8_t *p);
uint64_t lead_record_get64(const uint8_t *p);


/* keys */

void lead_record_lead_key(uint8_t *p, uint32_t account, const lead_id_t *id);
void lead_record_event_key(uint8_t *p, uint32_t account, const lead_id_t *id,
    uint64_t event);
void lead_record_outbox_key(uint8_t *p, uint32_t endpoint, int64_t due,
    uint64_t event);
void lead_record_hash_key(uint8_t *p, uint32_t account, uint8_t kind,
    const uint8_t *sha);


/* rows: decoders give 0, or -1 for a row no version of ours has written */

size_t lead_record_lead_size(size_t nmatches, size_t doc);
void lead_record_lead_encode(uint8_t *p, const lead_record_t *r);
int lead_record_lead_decode(lead_bytes_t row, uint32_t account,
    const lead_id_t *id, lead_record_t *r);

size_t lead_record_event_size(const lead_record_event_t *e);

/* all but the snapshot, whose place is returned */
uint8_t *lead_record_event_encode(uint8_t *p, const lead_record_event_t *e);
int lead_record_event_decode(lead_bytes_t key, lead_bytes_t row,
    lead_record_event_t *e);

void lead_record_outbox_encode(uint8_t *p, const lead_outbox_row_t *r);
int lead_record_outbox_decode(lead_bytes_t key, lead_bytes_t row,
    lead_outbox_row_t *r);

size_t lead_record_key_encode(uint8_t *p, const lead_key_t *key);
int lead_record_key_decode(lead_bytes_t row, lead_key_t *key);

void lead_record_marker_encode(uint8_t *p, const lead_record_marker_t *m);
int lead_record_marker_decode(lead_bytes_t row, lead_record_marker_t *m);

void lead_record_state_encode(uint8_t *p, const lead_record_state_t *s);
int lead_record_state_decode(lead_bytes_t row, lead_record_state_t *s);


/* a UUIDv7 of a time, and 8 random bytes; of different microseconds the
 * later sorts behind */
void lead_record_id(lead_id_t *id, int64_t us, const uint8_t *random);


#endif /* LEAD_RECORD_H_INCLUDED */
