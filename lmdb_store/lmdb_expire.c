
/*
 * Copyright (C) the ngx_lead authors
 *
 * What expires in the outbox: attempts older than keep, rows given up whose
 * event is older than keep_failed, and with the attempt or row that holds an
 * event's place the lead as the event has it, and the event itself where it
 * is a test.
 *
 * One read transaction gathers what is to go, LEAD_LMDB_DOOMED at most, and
 * looks once through the outbox for its events, which are still to be
 * delivered elsewhere; then it goes, in transactions of about a slice, what
 * holds places of one event in the same.  Between two of them there is a
 * moment for others who wait to write.  Nothing is written where nothing
 * expires.  What is gathered is allocated for the call, 48 bytes each, and
 * freed at its end.  What cannot be read stays, and keeps nothing else.
 */


#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lmdb_store.h"


#define LEAD_LMDB_DOOMED      (64 * LEAD_LMDB_SLICE)
#define LEAD_LMDB_MOMENT      1000000       /* ns */


typedef struct {
    uint64_t               event;
    int64_t                time;        /* of an attempt; LEAD_NEVER: a row */
    uint32_t               endpoint;
    uint32_t               account;
    lead_id_t              lead;
    unsigned               place:1;     /* it holds the event's */
    unsigned               busy:1;      /* ... which is waited for elsewhere */
} lead_lmdb_doomed_t;


typedef struct {
    lead_lmdb_txn_t       *t;
    int64_t                attempts;    /* what is older goes */
    int64_t                rows;
    uint64_t               replayed;
    int                    unread;      /* there is what cannot be read */
    size_t                 n;
    size_t                 size;
    lead_lmdb_doomed_t    *doomed;
    uint8_t                bare[LEAD_RECORD_EVENT_MAX];
} lead_lmdb_expire_t;


static lead_rc_t lead_lmdb_expire_all(lead_lmdb_expire_t *x,
    lead_store_t *store, lead_error_t *e);
static lead_rc_t lead_lmdb_expire_gather(lead_lmdb_expire_t *x);
static lead_rc_t lead_lmdb_expire_attempts(lead_lmdb_expire_t *x,
    uint32_t endpoint);
static lead_rc_t lead_lmdb_expire_rows(lead_lmdb_expire_t *x,
    uint32_t endpoint);
static lead_rc_t lead_lmdb_expire_add(lead_lmdb_expire_t *x,
    const lead_outbox_row_t *row, int64_t time, int place);
static int lead_lmdb_expire_compare(const void *one, const void *two);
static lead_rc_t lead_lmdb_expire_busy(lead_lmdb_expire_t *x);
static void lead_lmdb_expire_wait(lead_lmdb_expire_t *x,
    const lead_outbox_row_t *row);
static size_t lead_lmdb_expire_find(lead_lmdb_expire_t *x, uint64_t event);
static lead_rc_t lead_lmdb_expire_slice(lead_lmdb_expire_t *x, size_t *i);
static lead_rc_t lead_lmdb_expire_event(lead_lmdb_expire_t *x, size_t i,
    size_t end);
static lead_rc_t lead_lmdb_expire_one(lead_lmdb_expire_t *x,
    const lead_lmdb_doomed_t *d, int *place, int *busy);
static lead_rc_t lead_lmdb_expire_drop(lead_lmdb_expire_t *x,
    const lead_lmdb_doomed_t *d);


lead_rc_t
lead_lmdb_expire(lead_store_t *store, int64_t now, lead_error_t *e)
{
    lead_rc_t            rc;
    lead_lmdb_expire_t  *x;

    x = malloc(sizeof(lead_lmdb_expire_t));

    if (x == NULL) {
        return lead_store_fail(e, LEAD_NOMEM, errno, "cannot sweep");
    }

    x->attempts = now - store->opts.keep;
    x->rows = now - store->opts.keep_failed;
    x->unread = 0;
    x->n = 0;
    x->size = 0;
    x->doomed = NULL;

    rc = lead_lmdb_expire_all(x, store, e);

    free(x->doomed);
    free(x);

    return rc;
}


static lead_rc_t
lead_lmdb_expire_all(lead_lmdb_expire_t *x, lead_store_t *store,
    lead_error_t *e)
{
    size_t           i;
    lead_rc_t        rc;
    struct timespec  moment = { 0, LEAD_LMDB_MOMENT };

    rc = lead_lmdb_read_begin(store, 1, &x->t, e);

    if (rc != LEAD_OK) {
        return rc;
    }

    rc = lead_lmdb_expire_gather(x);

    lead_lmdb_read_end(x->t);

    for (i = 0; rc == LEAD_OK && i < x->n; /* void */ ) {

        /* who gives a lock back and takes it at once leaves none of it to
         * those who sleep on it */

        if (i != 0) {
            (void) nanosleep(&moment, NULL);
        }

        rc = lead_lmdb_write_begin(store, &x->t, e);

        if (rc == LEAD_OK) {
            rc = lead_lmdb_expire_slice(x, &i);
            rc = lead_lmdb_write_end(x->t, rc);
        }
    }

    if (rc == LEAD_OK && x->n >= LEAD_LMDB_DOOMED) {
        return LEAD_AGAIN;
    }

    if (rc == LEAD_OK && x->unread) {
        return lead_store_fail(e, LEAD_CORRUPT, 0, "there are rows of"
                               " deliveries that cannot be read, and do not"
                               " expire");
    }

    return rc;
}


static lead_rc_t
lead_lmdb_expire_gather(lead_lmdb_expire_t *x)
{
    uint32_t   endpoint, account;
    uint64_t   failed;
    lead_rc_t  rc;

    for (endpoint = 1; /* void */ ; endpoint++) {

        rc = lead_lmdb_endpoint_next(x->t, &endpoint, &account);

        if (rc == LEAD_NOTFOUND) {
            break;
        }

        if (rc == LEAD_OK) {
            rc = lead_lmdb_expire_rows(x, endpoint);
        }

        if (rc == LEAD_OK) {
            rc = lead_lmdb_expire_attempts(x, endpoint);
        }

        if (rc != LEAD_OK) {
            return rc;
        }
    }

    if (x->n == 0) {
        return LEAD_OK;
    }

    rc = lead_lmdb_endpoint_sum(x->t, &failed, &x->replayed);

    return rc == LEAD_OK ? lead_lmdb_expire_busy(x) : rc;
}


static lead_rc_t
lead_lmdb_expire_attempts(lead_lmdb_expire_t *x, uint32_t endpoint)
{
    lead_rc_t              rc;
    lead_record_attempt_t  a;

    rc = lead_lmdb_attempt_read(x->t, endpoint, 1, &a, &x->unread);

    while (rc == LEAD_OK
           && x->n < LEAD_LMDB_DOOMED
           && a.attempt.time < x->attempts)
    {
        rc = lead_lmdb_expire_add(x, &a.attempt.row, a.attempt.time, a.place);

        if (rc == LEAD_OK) {
            rc = lead_lmdb_attempt_read(x->t, endpoint, 0, &a, &x->unread);
        }
    }

    return rc == LEAD_NOTFOUND ? LEAD_OK : rc;
}


/* rows given up stand by event, and thus by age */

static lead_rc_t
lead_lmdb_expire_rows(lead_lmdb_expire_t *x, uint32_t endpoint)
{
    lead_rc_t            rc;
    lead_outbox_row_t    row;
    lead_record_event_t  event;

    rc = lead_lmdb_outbox_read(x->t, endpoint, LEAD_NEVER, 1, &row, &x->unread);

    while (rc == LEAD_OK && x->n < LEAD_LMDB_DOOMED) {

        rc = lead_lmdb_outbox_event(x->t, &row, &event);

        if (rc == LEAD_OK && event.time >= x->rows) {
            return LEAD_OK;
        }

        if (rc == LEAD_OK || rc == LEAD_NOTFOUND) {
            rc = lead_lmdb_expire_add(x, &row, LEAD_NEVER, 1);

        } else if (rc == LEAD_CORRUPT) {
            x->unread = 1;
            rc = LEAD_OK;
        }

        if (rc == LEAD_OK) {
            rc = lead_lmdb_outbox_read(x->t, endpoint, 0, 0, &row, &x->unread);
        }
    }

    return rc == LEAD_NOTFOUND ? LEAD_OK : rc;
}


static lead_rc_t
lead_lmdb_expire_add(lead_lmdb_expire_t *x, const lead_outbox_row_t *row,
    int64_t time, int place)
{
    size_t               size;
    lead_lmdb_doomed_t  *d;

    if (x->n == x->size) {
        size = x->size != 0 ? 2 * x->size : LEAD_LMDB_SLICE;

        d = realloc(x->doomed, size * sizeof(lead_lmdb_doomed_t));

        if (d == NULL) {
            return lead_store_fail(x->t->e, LEAD_NOMEM, errno,
                                   "cannot sweep");
        }

        x->doomed = d;
        x->size = size;
    }

    d = &x->doomed[x->n++];

    d->event = row->event;
    d->time = time;
    d->endpoint = row->endpoint;
    d->account = row->account;
    d->lead = row->lead;
    d->place = place ? 1 : 0;
    d->busy = 0;

    return LEAD_OK;
}


static int
lead_lmdb_expire_compare(const void *one, const void *two)
{
    const lead_lmdb_doomed_t  *a, *b;

    a = one;
    b = two;

    if (a->event != b->event) {
        return a->event < b->event ? -1 : 1;
    }

    return (int) a->place - (int) b->place;
}


static lead_rc_t
lead_lmdb_expire_busy(lead_lmdb_expire_t *x)
{
    lead_rc_t          rc;
    lead_outbox_row_t  row;

    qsort(x->doomed, x->n, sizeof(lead_lmdb_doomed_t),
          lead_lmdb_expire_compare);

    rc = lead_lmdb_outbox_read(x->t, 0, 0, 1, &row, &x->unread);

    while (rc == LEAD_OK) {
        lead_lmdb_expire_wait(x, &row);

        rc = lead_lmdb_outbox_read(x->t, 0, 0, 0, &row, &x->unread);
    }

    return rc == LEAD_NOTFOUND ? LEAD_OK : rc;
}


/* a row that is to go itself is not waited for */

static void
lead_lmdb_expire_wait(lead_lmdb_expire_t *x, const lead_outbox_row_t *row)
{
    size_t               first, i;
    lead_lmdb_doomed_t  *d;

    first = lead_lmdb_expire_find(x, row->event);

    for (i = first; i < x->n && x->doomed[i].event == row->event; i++) {
        d = &x->doomed[i];

        if (d->time == LEAD_NEVER
            && row->due == LEAD_NEVER
            && d->endpoint == row->endpoint)
        {
            return;
        }
    }

    for (i = first; i < x->n && x->doomed[i].event == row->event; i++) {
        x->doomed[i].busy = 1;
    }
}


/* the first of an event, or n */

static size_t
lead_lmdb_expire_find(lead_lmdb_expire_t *x, uint64_t event)
{
    size_t  low, high, middle;

    low = 0;
    high = x->n;

    while (low < high) {
        middle = low + (high - low) / 2;

        if (x->doomed[middle].event < event) {
            low = middle + 1;

        } else {
            high = middle;
        }
    }

    return low < x->n && x->doomed[low].event == event ? low : x->n;
}


/* what was replayed since may be waited for where it was not: the next sweep
 * looks again */

static lead_rc_t
lead_lmdb_expire_slice(lead_lmdb_expire_t *x, size_t *i)
{
    size_t     start, end;
    uint64_t   failed, replayed;
    lead_rc_t  rc;

    rc = lead_lmdb_endpoint_sum(x->t, &failed, &replayed);

    if (rc == LEAD_OK && replayed != x->replayed) {
        *i = x->n;
        return LEAD_OK;
    }

    start = *i;

    while (rc == LEAD_OK && *i < x->n && *i - start < LEAD_LMDB_SLICE) {

        end = *i + 1;

        while (x->doomed[*i].place
               && end < x->n
               && x->doomed[end].event == x->doomed[*i].event)
        {
            end++;
        }

        rc = lead_lmdb_expire_event(x, *i, end);

        *i = end;
    }

    return rc;
}


static lead_rc_t
lead_lmdb_expire_event(lead_lmdb_expire_t *x, size_t i, size_t end)
{
    int        place, busy;
    size_t     n;
    lead_rc_t  rc;

    place = 0;
    busy = x->doomed[i].busy;

    for (n = i; n < end; n++) {
        rc = lead_lmdb_expire_one(x, &x->doomed[n], &place, &busy);

        if (rc != LEAD_OK) {
            return rc;
        }
    }

    return place && !busy ? lead_lmdb_expire_drop(x, &x->doomed[i]) : LEAD_OK;
}


/* looked at once more: another may have swept, or made a row due */

static lead_rc_t
lead_lmdb_expire_one(lead_lmdb_expire_t *x, const lead_lmdb_doomed_t *d,
    int *place, int *busy)
{
    uint8_t                key[LEAD_RECORD_ATTEMPT_KEY];
    lead_rc_t              rc;
    lead_outbox_row_t      row;
    lead_record_attempt_t  a;

    if (d->time == LEAD_NEVER) {
        rc = lead_lmdb_outbox_row(x->t, d->endpoint, d->time, d->event, &row);

        if (rc == LEAD_NOTFOUND) {
            *busy = 1;
            return LEAD_OK;
        }

        *place = 1;

        return rc == LEAD_OK ? lead_lmdb_outbox_del(x->t, &row) : rc;
    }

    rc = lead_lmdb_attempt_from(x->t, d->endpoint, d->time, d->event, &a);

    if (rc == LEAD_NOTFOUND
        || (rc == LEAD_OK
            && (a.attempt.time != d->time || a.attempt.row.event != d->event)))
    {
        return LEAD_OK;
    }

    if (rc != LEAD_OK) {
        return rc;
    }

    if (a.place) {
        *place = 1;
    }

    lead_record_attempt_key(key, d->endpoint, d->time, d->event);

    return lead_lmdb_del(x->t, LEAD_LMDB_DELIVERIES, key, sizeof(key));
}


static lead_rc_t
lead_lmdb_expire_drop(lead_lmdb_expire_t *x, const lead_lmdb_doomed_t *d)
{
    size_t                  len;
    uint8_t                 buf[LEAD_RECORD_EVENT_KEY];
    lead_rc_t               rc;
    lead_bytes_t            key, row;
    lead_record_event_t     event;
    static const lead_id_t  nobody;

    lead_record_event_key(buf, d->account, &d->lead, d->event);

    key.data = buf;
    key.len = sizeof(buf);

    rc = lead_lmdb_row(x->t, LEAD_LMDB_EVENTS, buf, sizeof(buf), &row);

    if (rc != LEAD_OK) {
        return rc == LEAD_NOTFOUND ? LEAD_OK : rc;
    }

    if (lead_record_event_decode(key, row, &event) != 0) {
        x->unread = 1;
        return LEAD_OK;
    }

    if (event.time >= x->attempts) {
        return LEAD_OK;
    }

    if (memcmp(d->lead.b, nobody.b, sizeof(nobody.b)) == 0) {
        return lead_lmdb_del(x->t, LEAD_LMDB_EVENTS, buf, sizeof(buf));
    }

    if (event.snapshot.len == 0) {
        return LEAD_OK;
    }

    len = lead_record_event_bare(x->bare, row, &event);

    return lead_lmdb_put(x->t, LEAD_LMDB_EVENTS, buf, sizeof(buf), x->bare,
                         len);
}
