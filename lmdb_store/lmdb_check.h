
/*
 * Copyright (C) the ngx_lead authors
 *
 * What the files of the check share.
 */


#ifndef LMDB_CHECK_H_INCLUDED
#define LMDB_CHECK_H_INCLUDED


#include "lmdb_store.h"


typedef struct {
    lead_lmdb_txn_t      *t;
    lead_check_pt         report;
    void                 *ctx;
    uint64_t              findings;
    uint8_t               last[8];      /* of the highest id there may be */
    uint64_t              remembered;   /* the first event that has to have an
                                           idempotency record */
    uint32_t              number;       /* of the last name */
    int64_t               time;         /* of the last attempt, and whose */
    uint32_t              whose;
    uint32_t              account;      /* whose leads are being counted */
    uint64_t              leads;
    uint32_t              endpoint;     /* whose rows are being counted */
    uint64_t              pending;
    uint64_t              failed;
} lead_lmdb_check_t;


typedef lead_rc_t (*lead_lmdb_check_row_pt)(lead_lmdb_check_t *c,
    lead_bytes_t key, lead_bytes_t row);


/* of lead_lmdb_checks[]: a row of a tree */

lead_rc_t lead_lmdb_check_event(lead_lmdb_check_t *c, lead_bytes_t key,
    lead_bytes_t row);
lead_rc_t lead_lmdb_check_idem(lead_lmdb_check_t *c, lead_bytes_t key,
    lead_bytes_t row);
lead_rc_t lead_lmdb_check_counter(lead_lmdb_check_t *c,
    lead_bytes_t key, lead_bytes_t row);
lead_rc_t lead_lmdb_check_key(lead_lmdb_check_t *c, lead_bytes_t key,
    lead_bytes_t row);
lead_rc_t lead_lmdb_check_key_id(lead_lmdb_check_t *c,
    lead_bytes_t key, lead_bytes_t row);
lead_rc_t lead_lmdb_check_account(lead_lmdb_check_t *c,
    lead_bytes_t key, lead_bytes_t row);
lead_rc_t lead_lmdb_check_account_name(lead_lmdb_check_t *c,
    lead_bytes_t key, lead_bytes_t row);
lead_rc_t lead_lmdb_check_endpoint(lead_lmdb_check_t *c,
    lead_bytes_t key, lead_bytes_t row);
lead_rc_t lead_lmdb_check_endpoint_name(lead_lmdb_check_t *c,
    lead_bytes_t key, lead_bytes_t row);


lead_rc_t lead_lmdb_check_outbox(lead_lmdb_check_t *c,
    lead_bytes_t key, lead_bytes_t row);
lead_rc_t lead_lmdb_check_attempt(lead_lmdb_check_t *c,
    lead_bytes_t key, lead_bytes_t row);
lead_rc_t lead_lmdb_check_state(lead_lmdb_check_t *c,
    lead_bytes_t key, lead_bytes_t row);

/* the counts of the endpoint whose rows were walked last */
lead_rc_t lead_lmdb_check_tally(lead_lmdb_check_t *c);

/* which events have to have an idempotency record */
lead_rc_t lead_lmdb_check_remembered(lead_lmdb_check_t *c);

/* the pages of the file: those that are free, and how many there are */
lead_rc_t lead_lmdb_check_pages(lead_lmdb_check_t *c);

/* 0: this is JSON */
int lead_lmdb_check_json(lead_bytes_t text);

/* whether this is the lead of a test's event */
int lead_lmdb_check_test(const lead_id_t *id);

/* account has something: it is known, or a finding */
lead_rc_t lead_lmdb_check_owner(lead_lmdb_check_t *c,
    uint32_t account, const char *what);

/* reports; LEAD_OK, for the check goes on */
lead_rc_t lead_lmdb_finding(lead_lmdb_check_t *c, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));


#endif /* LMDB_CHECK_H_INCLUDED */
