
/*
 * Copyright (C) the ngx_lead authors
 *
 * What a store says of itself, in one hash: everything that can be read over
 * the seam, and for a number of Idempotency-Keys what each stands for.  Two
 * stores with one hash have the same leads, histories, outboxes, attempts,
 * counters, keys and names.
 *
 * The one that drives a store and the one that looks at what a power cut has
 * left of it share this, and operations whose decision is written down.
 */


#ifndef POWER_STATE_H_INCLUDED
#define POWER_STATE_H_INCLUDED


#include <stddef.h>
#include <stdint.h>

#include "lead_store.h"


#define POWER_KEYS       96       /* Idempotency-Keys there may be */
#define POWER_COUNTERS   4
#define POWER_MATCHES    3        /* of an operation */
#define POWER_EVENTS     3
#define POWER_DOC        20000
#define POWER_LEADS      32       /* of a batch or group */

#define POWER_START      1700000000000000LL


typedef struct {
    uint8_t            b[32];
} power_hash_t;


/* an operation with all that it points to */

typedef struct {
    lead_op_t          op;
    lead_decision_t    d;             /* if nothing was found */
    lead_decision_t    found;         /* if the target was */
    int                raise;         /* of its counter */

    char               key[32];
    char               counter[8];
    char               values[POWER_MATCHES][32];
    lead_bytes_t       counters[1];
    lead_match_t       find[POWER_MATCHES];
    lead_match_t       matches[POWER_MATCHES];
    lead_event_t       events[POWER_EVENTS];
    uint32_t           endpoints[2];

    void              *blocks;        /* of its results */
} power_op_t;


lead_bytes_t power_bytes(const char *s);

/* zeroed, but for what every operation needs; it refuses.  Of memory that was
 * zero, or has been an operation: then its results are freed */
void power_op(power_op_t *op, uint32_t account);
void power_op_done(power_op_t *op);

/* Idempotency-Key number i; its account is 1 */
void power_op_key(power_op_t *op, unsigned i);

lead_rc_t power_commit(lead_store_t *store, power_op_t *ops, size_t n,
    int group, lead_error_t *e);

/* ids, if it is not NULL, gets up to max ids of leads, *n is how many there
 * are, by account and time */
lead_rc_t power_state(lead_store_t *store, power_hash_t *hash, lead_id_t *ids,
    size_t max, size_t *n, lead_error_t *e);

/* one more lead, which is found again; LEAD_CORRUPT: it is not */
lead_rc_t power_go_on(lead_store_t *store, lead_error_t *e);

void power_hash_text(const power_hash_t *hash, char *text);


#endif /* POWER_STATE_H_INCLUDED */
