
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
 *                   3, endpoint 4                    endpoint's state
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
 *   deliveries      endpoint 4, time 8, event 8      attempt
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
 *   endpoint's
 *   state     version 1, state 1, zero 2, changed 8, succeeded 8, failing 8,
 *             pending 8, failed 8, delivered 8, replayed 8, lease's owner
 *             (process 4, random 8), lease's end 8
 *   attempt   version 1, flags 1 (1: it holds the event's place), outcome 1,
 *             state 1, length of type 1, of error 1, of answer 2, account 4,
 *             lead 16, attempts 4, status 4, msec 4, due 8, retry 8, time of
 *             the event 8, type, error, answer
 *   key       version 1, flags 1 (1: disabled), lengths of api, source, name
 *             and last4 1 each, zero 2, id 8, account 4, scopes 4, created 8,
 *             expires 8, api, source, name, last4
 *
 * "hash" in a key is the beginning of a SHA-256: rows of different values may
 * meet under one, so that each is verified: a look-up row on its lead, which
 * has the whole hashes, an idempotency row on the event of its key and the
 * first of its leads.  SHA-256 is over account 4, kind 1, value; the kind of
 * an idempotency scope is 0.  An event of an empty type is the store's own:
 * it only carries a hash or a beginning, and is shown to nobody.  An event of
 * a lead whose id is all zero is a test of an endpoint, and in no history.
 *
 * An outbox row that was given up is due at the end of time, 0x7ff...f.  An
 * endpoint without a state is enabled, and has never had anything written of
 * it: what it has in the outbox is of a time without states, and not counted
 * yet.  An event that was written for an endpoint has one place there: its
 * outbox row, or, when that is delivered, the attempt that did it, until it
 * is replayed or expires.  No two attempts of an endpoint have one time.
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
#define LEAD_RECORD_ENDPOINT_KEY    (1 + 4)
#define LEAD_RECORD_ATTEMPT_KEY     (4 + 8 + 8)
#define LEAD_RECORD_NAME_KEY        (4 + LEAD_NAME_MAX)

#define LEAD_RECORD_MARKER_LEN      (LEAD_RECORD_MAGIC_LEN + 4 + 16)
#define LEAD_RECORD_STATE_LEN       (4 + 4 * 8)
#define LEAD_RECORD_LEAD_HEAD       40
#define LEAD_RECORD_EVENT_HEAD      16
#define LEAD_RECORD_EVENT_MAX       (LEAD_RECORD_EVENT_HEAD                   \
                                     + LEAD_RECORD_SHA_LEN                    \
                                     + LEAD_EVENT_TYPE_MAX + LEAD_ACTOR_MAX   \
                                     + LEAD_EVENT_DATA_MAX)   /* and snapshot */
#define LEAD_RECORD_ENDPOINT_LEN    (4 + 7 * 8 + LEAD_RECORD_OWNER_LEN + 8)
#define LEAD_RECORD_OWNER_LEN       (4 + 8)
#define LEAD_RECORD_ATTEMPT_HEAD    64
#define LEAD_RECORD_ATTEMPT_MAX     (LEAD_RECORD_ATTEMPT_HEAD                 \
                                     + LEAD_EVENT_TYPE_MAX                    \
                                     + LEAD_ATTEMPT_ERROR_MAX                 \
                                     + LEAD_ATTEMPT_ANSWER_MAX)
#define LEAD_RECORD_KEY_HEAD        40
#define LEAD_RECORD_KEY_MAX         (LEAD_RECORD_KEY_HEAD + 16                \
                                     + 2 * LEAD_NAME_MAX + 4)

#define LEAD_RECORD_STATE           0     /* first bytes of a counter's key */
#define LEAD_RECORD_COUNT           1
#define LEAD_RECORD_COUNTER         2
#define LEAD_RECORD_ENDPOINT        3

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
    lead_endpoint_state_t       state;
    int64_t                     changed;
    int64_t                     succeeded;
    int64_t                     failing;
    uint64_t                    pending;
    uint64_t                    failed;
    uint64_t                    delivered;
    uint64_t                    replayed;   /* after they were delivered */
    uint32_t                    process;    /* of the lease's owner */
    uint8_t                     random[8];
    int64_t                     until;
} lead_record_endpoint_t;


typedef struct {
    lead_attempt_t              attempt;    /* but for the event's id */
    int64_t                     event_time;
    unsigned                    place:1;    /* it holds the event's */
} lead_record_attempt_t;


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
void lead_record_endpoint_key(uint8_t *p, uint32_t endpoint);
void lead_record_attempt_key(uint8_t *p, uint32_t endpoint, int64_t time,
    uint64_t event);


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

/* the row of an event that has been decoded without its snapshot: its size */
size_t lead_record_event_bare(uint8_t *p, lead_bytes_t row,
    const lead_record_event_t *e);

void lead_record_outbox_encode(uint8_t *p, const lead_outbox_row_t *r);
int lead_record_outbox_decode(lead_bytes_t key, lead_bytes_t row,
    lead_outbox_row_t *r);

void lead_record_endpoint_encode(uint8_t *p, const lead_record_endpoint_t *s);
int lead_record_endpoint_decode(lead_bytes_t row, lead_record_endpoint_t *s);

/* error and answer are cut off where they are too long: the row's size */
size_t lead_record_attempt_encode(uint8_t *p, const lead_record_attempt_t *a);
int lead_record_attempt_decode(lead_bytes_t key, lead_bytes_t row,
    lead_record_attempt_t *a);

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
