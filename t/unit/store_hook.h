
/*
 * Copyright (C) the ngx_lead authors
 *
 * What the unit tests of webhooks' outbox share: endpoints, events for them,
 * attempts, and what the store says of all these, copied out.  What fails
 * here fails the test.
 */


#ifndef STORE_HOOK_H_INCLUDED
#define STORE_HOOK_H_INCLUDED


#include <sys/types.h>

#include "store_util.h"


#define HOOK_DAY      (24 * STORE_HOUR)
#define HOOK_ROWS     64


typedef struct {
    lead_id_t          lead;
    uint64_t           event;
} hook_event_t;


typedef struct {
    size_t             n;            /* given */
    size_t             most;         /* to be taken; 0: all */
    lead_outbox_row_t  rows[HOOK_ROWS];
    lead_id_t          ids[HOOK_ROWS];
    int64_t            times[HOOK_ROWS];
    char               types[HOOK_ROWS][LEAD_EVENT_TYPE_MAX + 1];
    char               docs[HOOK_ROWS][64];  /* "": without a lead */
    int64_t            next;
} hook_due_t;


typedef struct {
    size_t             n;
    size_t             most;
    lead_attempt_t     attempts[HOOK_ROWS];  /* bytes gone */
    char               types[HOOK_ROWS][LEAD_EVENT_TYPE_MAX + 1];
    char               errors[HOOK_ROWS][LEAD_ATTEMPT_ERROR_MAX + 1];
    char               answers[HOOK_ROWS][LEAD_ATTEMPT_ANSWER_MAX + 1];
} hook_log_t;


uint32_t hook_endpoint(store_t *s, uint32_t account, const char *name);

/* an insert of acme's with an event for each of these */
hook_event_t hook_insert(store_t *s, const uint32_t *endpoints, size_t n);

/* n of them for one endpoint, many in a transaction */
void hook_fill(store_t *s, uint32_t endpoint, size_t n);

lead_endpoint_t hook_info(store_t *s, uint32_t endpoint);
void hook_counts(store_t *s, uint32_t endpoint, uint64_t pending,
    uint64_t failed, uint64_t delivered);
hook_due_t *hook_due(store_t *s, uint32_t endpoint, const uint64_t *skip,
    size_t nskip, size_t most);
hook_due_t *hook_outbox(store_t *s, uint32_t endpoint);
hook_log_t *hook_log(store_t *s, uint32_t endpoint, int64_t from,
    size_t most);

/* whether the lead's event still has it as it was; -1: there is no event */
int hook_kept(store_t *s, const hook_event_t *event);

/* begins now */
lead_attempt_t hook_attempt(const lead_outbox_row_t *row,
    lead_attempt_outcome_t outcome);
void hook_settle(store_t *s, const lead_outbox_row_t *row,
    lead_attempt_outcome_t outcome);

/* the row of an event that is due now */
lead_outbox_row_t hook_row(store_t *s, uint32_t endpoint, uint64_t event);

void hook_sweep(store_t *s);

/* the end of a child: by _exit(0), or SIGKILL */
void hook_wait(pid_t pid, int killed);

/* a child's own handle */
store_t *hook_child(store_t *s);


#endif /* STORE_HOOK_H_INCLUDED */
