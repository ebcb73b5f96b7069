
/*
 * Copyright (C) the ngx_lead authors
 *
 * The replay: rows that were given up, that wait, or that were delivered
 * become due at once, in slices, each a transaction.  Where to go on is in the
 * caller's struct, which changes only when the slice is on the disk.
 *
 * A delivered event is put back once: the attempt that holds its place gives
 * it up to the row.  A replay takes nothing that was delivered since it began,
 * or it would chase what it sends itself.
 */


#include <string.h>

#include "lmdb_store.h"


typedef enum {
    LEAD_REPLAY_START = 0,
    LEAD_REPLAY_FAILED,
    LEAD_REPLAY_PENDING,
    LEAD_REPLAY_DELIVERED,
    LEAD_REPLAY_NEXT,
    LEAD_REPLAY_DONE
} lead_lmdb_replay_stage_t;


typedef struct {
    lead_lmdb_txn_t        *t;
    lead_replay_t           r;
    uint64_t                n;
} lead_lmdb_replay_t;


static lead_rc_t lead_lmdb_replay_slice(lead_lmdb_replay_t *p);
static lead_rc_t lead_lmdb_replay_step(lead_lmdb_replay_t *p);
static void lead_lmdb_replay_stage(lead_lmdb_replay_t *p, int64_t from,
    uint64_t event);
static lead_rc_t lead_lmdb_replay_endpoint(lead_lmdb_replay_t *p);
static lead_rc_t lead_lmdb_replay_waiting(lead_lmdb_replay_t *p);
static lead_rc_t lead_lmdb_replay_delivered(lead_lmdb_replay_t *p);
static int lead_lmdb_replay_wanted(const lead_replay_t *r, int64_t time);


lead_rc_t
lead_lmdb_replay(lead_store_t *store, lead_replay_t *replay, uint64_t *n,
    lead_error_t *e)
{
    lead_rc_t           rc, more;
    lead_lmdb_replay_t  p;

    p.r = *replay;
    p.n = 0;

    rc = lead_lmdb_write_begin(store, &p.t, e);

    if (rc != LEAD_OK) {
        return rc;
    }

    if (p.r.began == 0) {
        p.r.began = store->opts.clock();
    }

    more = lead_lmdb_replay_slice(&p);

    rc = lead_lmdb_write_end(p.t, more == LEAD_AGAIN ? LEAD_OK : more);

    if (rc != LEAD_OK) {
        return rc;
    }

    *replay = p.r;
    *n += p.n;

    return more;
}


static lead_rc_t
lead_lmdb_replay_slice(lead_lmdb_replay_t *p)
{
    size_t     i;
    lead_rc_t  rc;

    for (i = 0; p->r.stage != LEAD_REPLAY_DONE; i++) {

        if (i == p->r.slice || i == LEAD_OPS_MAX) {
            return LEAD_AGAIN;
        }

        rc = lead_lmdb_replay_step(p);

        if (rc != LEAD_OK) {
            return rc;
        }
    }

    return LEAD_OK;
}


/* looks at one row; LEAD_NOTFOUND of a stage ends it */

static lead_rc_t
lead_lmdb_replay_step(lead_lmdb_replay_t *p)
{
    lead_rc_t  rc;

    rc = LEAD_NOTFOUND;

    switch (p->r.stage) {

    case LEAD_REPLAY_FAILED:

        if (p->r.failed) {
            rc = lead_lmdb_replay_waiting(p);
        }

        if (rc == LEAD_NOTFOUND) {
            lead_lmdb_replay_stage(p, p->r.began + 1, 0);
        }

        break;

    case LEAD_REPLAY_PENDING:

        if (p->r.pending) {
            rc = lead_lmdb_replay_waiting(p);
        }

        if (rc == LEAD_NOTFOUND) {
            lead_lmdb_replay_stage(p, 0, 0);
        }

        break;

    case LEAD_REPLAY_DELIVERED:

        if (p->r.delivered) {
            rc = lead_lmdb_replay_delivered(p);
        }

        if (rc == LEAD_NOTFOUND) {
            lead_lmdb_replay_stage(p, 0, 0);
        }

        break;

    default: /* LEAD_REPLAY_START, LEAD_REPLAY_NEXT */
        return lead_lmdb_replay_endpoint(p);
    }

    return rc == LEAD_NOTFOUND ? LEAD_OK : rc;
}


static void
lead_lmdb_replay_stage(lead_lmdb_replay_t *p, int64_t from, uint64_t event)
{
    p->r.stage++;
    p->r.from = from;
    p->r.from_event = event;
}


static lead_rc_t
lead_lmdb_replay_endpoint(lead_lmdb_replay_t *p)
{
    uint32_t   endpoint, account;
    lead_rc_t  rc;

    if (p->r.endpoint != 0 && p->r.stage == LEAD_REPLAY_NEXT) {
        p->r.stage = LEAD_REPLAY_DONE;
        return LEAD_OK;
    }

    endpoint = p->r.endpoint != 0 ? p->r.endpoint : p->r.from_endpoint + 1;

    rc = lead_lmdb_endpoint_next(p->t, &endpoint, &account);

    if (p->r.endpoint != 0
        && (rc == LEAD_NOTFOUND
            || (rc == LEAD_OK && endpoint != p->r.endpoint)))
    {
        return lead_store_fail(p->t->e, LEAD_NOTFOUND, 0, "no such endpoint");
    }

    if (rc == LEAD_NOTFOUND) {
        p->r.stage = LEAD_REPLAY_DONE;
        return LEAD_OK;
    }

    if (rc == LEAD_OK) {
        p->r.from_endpoint = endpoint;
        p->r.stage = LEAD_REPLAY_START;

        lead_lmdb_replay_stage(p, LEAD_NEVER, p->r.event);
    }

    return rc;
}


/* rows given up stand by event, so that the one that is asked for is known */

static lead_rc_t
lead_lmdb_replay_waiting(lead_lmdb_replay_t *p)
{
    int                  failed;
    lead_rc_t            rc;
    lead_outbox_row_t    row;
    lead_record_event_t  event;

    failed = p->r.stage == LEAD_REPLAY_FAILED;

    rc = lead_lmdb_outbox_from(p->t, p->r.from_endpoint, p->r.from,
                               p->r.from_event, &row);
    if (rc != LEAD_OK) {
        return rc;
    }

    if (!failed && row.due == LEAD_NEVER) {
        return LEAD_NOTFOUND;
    }

    if (p->r.event != 0 && row.event != p->r.event) {

        if (failed) {
            return LEAD_NOTFOUND;
        }

        event.time = 0;
        rc = LEAD_NOTFOUND;

    } else {
        rc = lead_lmdb_outbox_event(p->t, &row, &event);
    }

    if (rc == LEAD_OK && lead_lmdb_replay_wanted(&p->r, event.time)) {
        rc = lead_lmdb_outbox_move(p->t, &row, p->r.began, 0);
        p->n++;
    }

    if (rc != LEAD_OK && rc != LEAD_NOTFOUND) {
        return rc;
    }

    p->r.from = row.due;
    p->r.from_event = row.event + 1;

    return LEAD_OK;
}


static lead_rc_t
lead_lmdb_replay_delivered(lead_lmdb_replay_t *p)
{
    lead_rc_t                rc;
    lead_outbox_row_t        row;
    lead_record_event_t      event;
    lead_record_attempt_t    a;
    lead_record_endpoint_t  *state;

    rc = lead_lmdb_attempt_from(p->t, p->r.from_endpoint, p->r.from,
                                p->r.from_event, &a);
    if (rc != LEAD_OK) {
        return rc;
    }

    if (a.attempt.time >= p->r.began) {
        return LEAD_NOTFOUND;
    }

    p->r.from = a.attempt.time;
    p->r.from_event = a.attempt.row.event + 1;

    row = a.attempt.row;
    row.due = p->r.began;
    row.attempts = 0;

    if (!a.place
        || (p->r.event != 0 && row.event != p->r.event)
        || !lead_lmdb_replay_wanted(&p->r, a.event_time))
    {
        return LEAD_OK;
    }

    rc = lead_lmdb_outbox_event(p->t, &row, &event);

    if (rc == LEAD_NOTFOUND || (rc == LEAD_OK && event.snapshot.len == 0)) {
        return LEAD_OK;
    }

    a.place = 0;

    if (rc == LEAD_OK) {
        rc = lead_lmdb_attempt_put(p->t, &a);
    }

    if (rc == LEAD_OK) {
        rc = lead_lmdb_outbox_add(p->t, &row);
    }

    if (rc != LEAD_OK) {
        return rc;
    }

    rc = lead_lmdb_endpoint_change(p->t, row.endpoint, &state);

    if (rc == LEAD_OK) {
        state->replayed++;
        p->n++;
    }

    return rc;
}


static int
lead_lmdb_replay_wanted(const lead_replay_t *r, int64_t time)
{
    return time >= r->since && time < r->until;
}
