
/*
 * Copyright (C) the ngx_lead authors
 *
 * What becomes of attempts: a batch is settled in one transaction, which
 * removes or moves the rows of the outbox, notes how the endpoints fare, and
 * logs each attempt.  The log is read here too, newest first.  Nothing is
 * kept in memory.
 */


#include <string.h>

#include "lmdb_store.h"


/* rows looked at in each of two places for one that was moved */

#define LEAD_LMDB_SEARCH      512


typedef struct {
    lead_lmdb_txn_t        *t;

    /* the last one logged: its time, and that it was given */
    uint32_t                endpoint;
    int64_t                 time;
    int64_t                 logged;
} lead_lmdb_settle_t;


static lead_rc_t lead_lmdb_settle_attempt(lead_lmdb_settle_t *s,
    const lead_attempt_t *a);
static lead_rc_t lead_lmdb_settle_row(lead_lmdb_txn_t *t,
    const lead_attempt_t *a, lead_outbox_row_t *row, int *done);
static lead_rc_t lead_lmdb_settle_find(lead_lmdb_txn_t *t,
    const lead_attempt_t *a, lead_outbox_row_t *row);
static lead_rc_t lead_lmdb_settle_search(lead_lmdb_txn_t *t,
    const lead_attempt_t *a, int64_t due, lead_outbox_row_t *row);
static lead_rc_t lead_lmdb_settle_log(lead_lmdb_settle_t *s,
    const lead_attempt_t *a, const lead_outbox_row_t *row, int place);
static lead_rc_t lead_lmdb_settle_endpoint(lead_lmdb_txn_t *t,
    const lead_attempt_t *a, int done);
static lead_rc_t lead_lmdb_attempt_taken(lead_lmdb_txn_t *t,
    uint32_t endpoint, int64_t time, int *taken);
static lead_rc_t lead_lmdb_attempt_rows(lead_lmdb_txn_t *t, uint32_t endpoint,
    int64_t from, lead_attempt_sink_pt sink, void *ctx);


lead_rc_t
lead_lmdb_settle(lead_store_t *store, const lead_attempt_t *attempts,
    size_t n, lead_error_t *e)
{
    size_t              i;
    lead_rc_t           rc;
    lead_lmdb_settle_t  s;

    memset(&s, 0, sizeof(lead_lmdb_settle_t));

    rc = lead_lmdb_write_begin(store, &s.t, e);

    if (rc != LEAD_OK) {
        return rc;
    }

    for (i = 0; i < n && rc == LEAD_OK; i++) {
        rc = lead_lmdb_settle_attempt(&s, &attempts[i]);
    }

    return lead_lmdb_write_end(s.t, rc);
}


static lead_rc_t
lead_lmdb_settle_attempt(lead_lmdb_settle_t *s, const lead_attempt_t *a)
{
    int                done;
    lead_rc_t          rc;
    lead_outbox_row_t  row;

    done = 0;
    rc = lead_lmdb_endpoint_known(s->t, a->row.endpoint, a->row.account);

    if (rc == LEAD_NOTFOUND) {
        return lead_store_fail(s->t->e, LEAD_INVALID, 0,
                               "an attempt is of no endpoint");
    }

    if (rc == LEAD_OK) {
        rc = lead_lmdb_settle_row(s->t, a, &row, &done);
    }

    if (rc == LEAD_OK) {
        rc = lead_lmdb_settle_log(s, a, &row,
                                  done && a->outcome == LEAD_DELIVERED);
    }

    if (rc == LEAD_OK) {
        rc = lead_lmdb_settle_endpoint(s->t, a, done);
    }

    return rc;
}


/* done: the row was there, and is as the outcome says; row: it, as it was */

static lead_rc_t
lead_lmdb_settle_row(lead_lmdb_txn_t *t, const lead_attempt_t *a,
    lead_outbox_row_t *row, int *done)
{
    lead_rc_t  rc;

    *done = 0;

    rc = lead_lmdb_outbox_row(t, a->row.endpoint, a->row.due, a->row.event,
                              row);

    if (rc == LEAD_NOTFOUND && a->outcome == LEAD_DELIVERED) {
        rc = lead_lmdb_settle_find(t, a, row);
    }

    if (rc == LEAD_NOTFOUND) {
        *row = a->row;
        return LEAD_OK;
    }

    if (rc != LEAD_OK) {
        return rc;
    }

    *done = 1;

    switch (a->outcome) {

    case LEAD_DELIVERED:
        return lead_lmdb_outbox_del(t, row);

    case LEAD_RETRY:
        return lead_lmdb_outbox_move(t, row, a->retry, row->attempts + 1);

    default: /* LEAD_GIVE_UP */
        return lead_lmdb_outbox_move(t, row, LEAD_NEVER, row->attempts + 1);
    }
}


/* another process has moved the row meanwhile: it gave it up, put it off for a
 * while from now, or made it due, which is later than it was.  Where so much
 * is due that it is not among the first, it stays, and is sent once more. */

static lead_rc_t
lead_lmdb_settle_find(lead_lmdb_txn_t *t, const lead_attempt_t *a,
    lead_outbox_row_t *row)
{
    lead_rc_t  rc;

    rc = lead_lmdb_outbox_row(t, a->row.endpoint, LEAD_NEVER, a->row.event,
                              row);

    if (rc == LEAD_NOTFOUND) {
        rc = lead_lmdb_settle_search(t, a, t->store->opts.clock(), row);
    }

    if (rc == LEAD_NOTFOUND) {
        rc = lead_lmdb_settle_search(t, a, a->row.due, row);
    }

    return rc;
}


static lead_rc_t
lead_lmdb_settle_search(lead_lmdb_txn_t *t, const lead_attempt_t *a,
    int64_t due, lead_outbox_row_t *row)
{
    int        i;
    lead_rc_t  rc;

    rc = lead_lmdb_outbox_from(t, a->row.endpoint, due, 0, row);

    for (i = 1; rc == LEAD_OK && row->event != a->row.event; i++) {

        if (i == LEAD_LMDB_SEARCH) {
            return LEAD_NOTFOUND;
        }

        rc = lead_lmdb_outbox_next(t, a->row.endpoint, row);
    }

    return rc;
}


static lead_rc_t
lead_lmdb_settle_log(lead_lmdb_settle_t *s, const lead_attempt_t *a,
    const lead_outbox_row_t *row, int place)
{
    lead_rc_t              rc;
    lead_record_event_t    event;
    lead_record_attempt_t  log;

    log.attempt = *a;
    log.attempt.row.account = row->account;
    log.attempt.row.lead = row->lead;
    log.attempt.retry = a->outcome == LEAD_RETRY ? a->retry : 0;
    log.event_time = 0;
    log.place = place ? 1 : 0;

    rc = lead_lmdb_outbox_event(s->t, row, &event);

    if (rc == LEAD_OK) {
        log.event_time = event.time;

    } else if (rc != LEAD_NOTFOUND && rc != LEAD_CORRUPT) {
        return rc;
    }

    /* a batch of one time is not searched through for each of it */

    if (s->endpoint == a->row.endpoint && s->time == a->time) {
        log.attempt.time = s->logged + 1;
    }

    rc = lead_lmdb_attempt_add(s->t, &log, &s->logged);

    s->endpoint = a->row.endpoint;
    s->time = a->time;

    return rc;
}


static lead_rc_t
lead_lmdb_settle_endpoint(lead_lmdb_txn_t *t, const lead_attempt_t *a,
    int done)
{
    lead_rc_t                rc;
    lead_record_endpoint_t  *state;

    rc = lead_lmdb_endpoint_change(t, a->row.endpoint, &state);

    if (rc != LEAD_OK) {
        return rc;
    }

    if (a->outcome == LEAD_DELIVERED) {
        state->succeeded = a->time + (int64_t) a->msec * 1000;
        state->failing = 0;

        if (done) {
            state->delivered++;
        }

    } else if (state->failing == 0 && !a->unsent) {
        state->failing = a->time;
    }

    if (a->state != LEAD_ENDPOINT_ENABLED
        && state->state == LEAD_ENDPOINT_ENABLED)
    {
        state->state = a->state;
        state->changed = t->store->opts.clock();
    }

    return LEAD_OK;
}


lead_rc_t
lead_lmdb_attempt_add(lead_lmdb_txn_t *t, const lead_record_attempt_t *a,
    int64_t *time)
{
    int                    taken;
    lead_rc_t              rc;
    lead_record_attempt_t  log;

    log = *a;

    for ( ;; ) {
        rc = lead_lmdb_attempt_taken(t, a->attempt.row.endpoint,
                                     log.attempt.time, &taken);
        if (rc != LEAD_OK) {
            return rc;
        }

        if (!taken) {
            break;
        }

        log.attempt.time++;
    }

    *time = log.attempt.time;

    return lead_lmdb_attempt_put(t, &log);
}


/* by the key alone: one that cannot be read must not stop others */

static lead_rc_t
lead_lmdb_attempt_taken(lead_lmdb_txn_t *t, uint32_t endpoint, int64_t time,
    int *taken)
{
    uint8_t       buf[LEAD_RECORD_ATTEMPT_KEY];
    lead_rc_t     rc;
    lead_bytes_t  key, row;

    lead_record_attempt_key(buf, endpoint, time, 0);

    key.data = buf;
    key.len = sizeof(buf);

    rc = lead_lmdb_move(t, LEAD_LMDB_DELIVERIES, MDB_SET_RANGE, &key, &row);

    *taken = rc == LEAD_OK
             && key.len == sizeof(buf)
             && lead_record_get32(key.data) == endpoint
             && lead_record_get64(key.data + 4) == (uint64_t) time;

    return rc == LEAD_NOTFOUND ? LEAD_OK : rc;
}


lead_rc_t
lead_lmdb_attempt_put(lead_lmdb_txn_t *t, const lead_record_attempt_t *a)
{
    size_t   len;
    uint8_t  key[LEAD_RECORD_ATTEMPT_KEY], row[LEAD_RECORD_ATTEMPT_MAX];

    lead_record_attempt_key(key, a->attempt.row.endpoint, a->attempt.time,
                            a->attempt.row.event);

    len = lead_record_attempt_encode(row, a);

    return lead_lmdb_put(t, LEAD_LMDB_DELIVERIES, key, sizeof(key), row, len);
}


lead_rc_t
lead_lmdb_attempt_from(lead_lmdb_txn_t *t, uint32_t endpoint, int64_t time,
    uint64_t event, lead_record_attempt_t *a)
{
    uint8_t       buf[LEAD_RECORD_ATTEMPT_KEY];
    lead_rc_t     rc;
    lead_bytes_t  key, row;

    lead_record_attempt_key(buf, endpoint, time, event);

    key.data = buf;
    key.len = sizeof(buf);

    rc = lead_lmdb_move(t, LEAD_LMDB_DELIVERIES, MDB_SET_RANGE, &key, &row);

    if (rc != LEAD_OK) {
        return rc;
    }

    if (key.len >= sizeof(uint32_t)
        && lead_record_get32(key.data) != endpoint)
    {
        return LEAD_NOTFOUND;
    }

    return lead_record_attempt_decode(key, row, a) == 0
           ? LEAD_OK : lead_lmdb_corrupt(t, "attempt");
}


lead_rc_t
lead_lmdb_attempt_read(lead_lmdb_txn_t *t, uint32_t endpoint, int first,
    lead_record_attempt_t *a, int *unread)
{
    uint8_t        buf[LEAD_RECORD_ATTEMPT_KEY];
    lead_rc_t      rc;
    lead_bytes_t   key, row;
    MDB_cursor_op  op;

    lead_record_attempt_key(buf, endpoint, 0, 0);

    key.data = buf;
    key.len = sizeof(buf);

    for (op = first ? MDB_SET_RANGE : MDB_NEXT; /* void */ ; op = MDB_NEXT) {
        rc = lead_lmdb_move(t, LEAD_LMDB_DELIVERIES, op, &key, &row);

        if (rc != LEAD_OK) {
            return rc;
        }

        if (key.len >= sizeof(uint32_t)
            && lead_record_get32(key.data) != endpoint)
        {
            return LEAD_NOTFOUND;
        }

        if (lead_record_attempt_decode(key, row, a) == 0) {
            return LEAD_OK;
        }

        *unread = 1;
    }
}


lead_rc_t
lead_lmdb_attempts(lead_store_t *store, uint32_t endpoint, int64_t from,
    lead_attempt_sink_pt sink, void *ctx, lead_error_t *e)
{
    lead_rc_t         rc;
    lead_lmdb_txn_t  *t;

    rc = lead_lmdb_read_begin(store, 1, &t, e);

    if (rc == LEAD_OK) {
        rc = lead_lmdb_attempt_rows(t, endpoint, from, sink, ctx);
        lead_lmdb_read_end(t);
    }

    return rc;
}


static lead_rc_t
lead_lmdb_attempt_rows(lead_lmdb_txn_t *t, uint32_t endpoint, int64_t from,
    lead_attempt_sink_pt sink, void *ctx)
{
    uint8_t                start[LEAD_RECORD_ATTEMPT_KEY];
    lead_rc_t              rc;
    lead_bytes_t           key, row;
    lead_record_attempt_t  a;

    lead_record_attempt_key(start, endpoint, from < 0 ? 0 : from, 0);

    key.data = start;
    key.len = sizeof(start);

    rc = lead_lmdb_below(t, LEAD_LMDB_DELIVERIES, &key, &row);

    while (rc == LEAD_OK) {

        if (key.len >= sizeof(uint32_t)
            && lead_record_get32(key.data) != endpoint)
        {
            return LEAD_OK;
        }

        if (lead_record_attempt_decode(key, row, &a) != 0) {
            return lead_lmdb_corrupt(t, "attempt");
        }

        rc = lead_lmdb_outbox_id(t, a.attempt.row.event, a.event_time,
                                 &a.attempt.id);
        if (rc != LEAD_OK || sink(ctx, &a.attempt) != 0) {
            return rc;
        }

        rc = lead_lmdb_move(t, LEAD_LMDB_DELIVERIES, MDB_PREV, &key, &row);
    }

    return rc == LEAD_NOTFOUND ? LEAD_OK : rc;
}
