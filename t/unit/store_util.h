
/*
 * Copyright (C) the ngx_lead authors
 *
 * What the store's unit tests share: a store in a directory of its own with a
 * clock that is set by hand, and operations whose decision is written down
 * beforehand.  Every allocation of an operation is a block of its own, of the
 * exact size, and is freed with it.
 */


#ifndef STORE_UTIL_H_INCLUDED
#define STORE_UTIL_H_INCLUDED


#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lead_store.h"


#define STORE_SIZE   (64 << 20)
#define STORE_START  1700000000000000LL
#define STORE_HOUR   3600000000LL

#define BYTES(s)     store_bytes(s)


typedef struct {
    char              dir[256];
    char              file[300];
    lead_store_opts_t  opts;
    lead_store_t     *store;
    lead_error_t      e;
    uint32_t          acme;
    uint32_t          other;
} store_t;


typedef struct op_block_s  op_block_t;

struct op_block_s {
    op_block_t       *next;
    void             *data;
};


typedef struct {
    lead_op_t         op;
    lead_decision_t   d;             /* to be taken if nothing was found */
    lead_decision_t   found;         /* ... if the target was */
    uint64_t          raise[LEAD_COUNTERS_MAX];
    int               kill;          /* inside of decide() */

    lead_match_t      find[LEAD_MATCHES_MAX + 1];
    lead_match_t      matches[LEAD_MATCHES_MAX + 1];
    lead_event_t      events[LEAD_EVENTS_MAX + 1];
    lead_bytes_t      counters[LEAD_COUNTERS_MAX + 1];

    /* what decide() saw */
    int               asked;
    int               has_target;
    int               has_second;
    lead_t            target;
    lead_t            second;
    char              target_doc[256];
    int64_t           now;
    uint64_t          before[LEAD_COUNTERS_MAX];

    int               allocs;        /* left until one fails; -1: never */
    op_block_t       *blocks;
} op_t;


extern int64_t  store_now;


int64_t store_clock(void);
lead_bytes_t store_bytes(const char *s);

int store_setup(void **state);
int store_teardown(void **state);
void store_open(store_t *s);
void store_close(store_t *s);
void store_reopen(store_t *s);
void store_remove(const char *dir);
uint64_t store_findings(store_t *s);
uint64_t store_leads(store_t *s);

/* an insert with one event, and an update of what is found */
op_t *op_new(uint32_t account, const char *doc);
void op_verdict(op_t *op, lead_verdict_t verdict);
void op_idempotency(op_t *op, const char *key);
void op_by_id(op_t *op, const lead_id_t *id);
void op_by_number(op_t *op, uint64_t number);
void op_by_match(op_t *op, uint8_t kind, const char *value);
void op_match(op_t *op, uint8_t kind, const char *value);
void op_counter(op_t *op, const char *name, uint64_t raise);
void op_free(op_t *op);

/* commits, and fails the test if that fails */
void op_commit(store_t *s, op_t *op);
lead_rc_t op_commit_many(store_t *s, op_t **ops, size_t n);
lead_rc_t op_commit_group(store_t *s, op_t **ops, size_t n);

/* commits an insert: its id */
lead_id_t store_insert(store_t *s, uint32_t account, const char *doc,
    uint8_t kind, const char *value, const char *idempotency);

/* a lead copied out; 0 if it was not found */
typedef struct {
    lead_t            lead;
    char              doc[4096];
} store_lead_t;

int store_get(store_t *s, uint32_t account, const lead_find_t *find,
    store_lead_t *out);
int store_get_id(store_t *s, uint32_t account, const lead_id_t *id,
    store_lead_t *out);
int store_get_match(store_t *s, uint32_t account, uint8_t kind,
    const char *value, store_lead_t *out);

#define assert_id_equal(x, y)  assert_memory_equal((x).b, (y).b, 16)
#define assert_doc(lead, s)                                                   \
    do {                                                                      \
        assert_int_equal((lead).doc.len, strlen(s));                          \
        assert_memory_equal((lead).doc.data, s, strlen(s));                   \
    } while (0)


#endif /* STORE_UTIL_H_INCLUDED */
