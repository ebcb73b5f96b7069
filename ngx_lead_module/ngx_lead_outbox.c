
/*
 * Copyright (C) the ngx_lead authors
 *
 * The outbox of a worker: who delivers what, and when.
 *
 * Each endpoint has a sender.  It delivers only while this worker holds the
 * endpoint's lease, so that workers of one or two generations never send the
 * same row in peace; and it has its own queue and connections, so that no
 * endpoint waits for another.
 *
 * A sender looks for rows when this worker has committed some, when another
 * worker says through an eventfd that it has, and at least once a second, by a
 * timer: so rows that wait for a retry, those of a dead process and what
 * leadctl has done are found.  No request waits for anything here.
 *
 * A worker that exits gracefully ends what is under way, starts no more and
 * gives its leases back.
 *
 * Senders are the cycle's; deliveries are malloc()ed where they are read, at
 * most NGX_LEAD_READY for each endpoint, those under way, and
 * NGX_LEAD_UNSETTLED that wait for the disk, the latter without what they sent.
 */


#include "ngx_lead_outbox.h"


#define NGX_LEAD_LEASE_SPARE    30000     /* ms beyond two timeouts */
#define NGX_LEAD_LEASE_LEAST    2000      /* ms beyond the one to come */


static ngx_int_t ngx_lead_outbox_senders(ngx_lead_outbox_t *o,
    ngx_cycle_t *cycle);
static void ngx_lead_outbox_woken(ngx_event_t *ev);
static ngx_uint_t ngx_lead_outbox_elsewhere(ngx_lead_sender_t *s);
static void ngx_lead_outbox_tick(ngx_event_t *ev);
static ngx_int_t ngx_lead_outbox_look(ngx_lead_sender_t *s, int64_t now);
static ngx_uint_t ngx_lead_outbox_enough(ngx_lead_sender_t *s);
static ngx_lead_delivery_t *ngx_lead_outbox_first(ngx_lead_sender_t *s);
static void ngx_lead_outbox_leave(ngx_lead_outbox_t *o);


ngx_int_t
ngx_lead_outbox_init(ngx_lead_worker_t *w, ngx_cycle_t *cycle)
{
    ngx_lead_outbox_t  *o;

    if (w->lmcf->webhooks == 0) {
        return NGX_OK;
    }

    o = ngx_pcalloc(cycle->pool, sizeof(ngx_lead_outbox_t));
    if (o == NULL) {
        return NGX_ERROR;
    }

    o->woken = ngx_pcalloc(cycle->pool, w->lmcf->accounts.nelts);
    if (o->woken == NULL) {
        return NGX_ERROR;
    }

    o->ident[3] = (void *) -1;
    o->worker = w;
    o->nsenders = w->lmcf->webhooks;

    /* most connections are for requests */

    o->busy_max = ngx_max(cycle->connection_n / 4, 1);

    ngx_queue_init(&o->done);

    if (ngx_lead_outbox_senders(o, cycle) != NGX_OK
        || ngx_lead_outbox_fetch_init(o, cycle) != NGX_OK
        || ngx_lead_outbox_settle_init(o, cycle) != NGX_OK)
    {
        return NGX_ERROR;
    }

    o->wake.handler = ngx_lead_outbox_woken;
    o->wake.data = o;
    o->wake.log = cycle->log;

    o->tick.handler = ngx_lead_outbox_tick;
    o->tick.data = o;
    o->tick.log = cycle->log;
    o->tick.cancelable = 1;

    ngx_lead_outbox_listen(o, cycle);

    w->outbox = o;

    /* not all workers at once */

    ngx_add_timer(&o->tick, 1 + ngx_random() % (NGX_LEAD_TICK / 4));

    return NGX_OK;
}


static ngx_int_t
ngx_lead_outbox_senders(ngx_lead_outbox_t *o, ngx_cycle_t *cycle)
{
    ngx_uint_t           i, n;
    ngx_lead_sender_t   *s;
    ngx_lead_account_t  *account;
    ngx_lead_webhook_t  *webhook;

    o->senders = ngx_pcalloc(cycle->pool,
                             o->nsenders * sizeof(ngx_lead_sender_t));
    if (o->senders == NULL) {
        return NGX_ERROR;
    }

    account = o->worker->lmcf->accounts.elts;

    for (i = 0; i < o->worker->lmcf->accounts.nelts; i++) {

        webhook = account[i].webhooks.elts;

        for (n = 0; n < account[i].webhooks.nelts; n++) {

            s = &o->senders[webhook[n].index];

            s->outbox = o;
            s->account = &account[i];
            s->webhook = &webhook[n];
            s->due = LEAD_NEVER;

            ngx_queue_init(&s->held);
            ngx_queue_init(&s->ready);

            s->peer = ngx_lead_http_peer(cycle->pool, webhook[n].target);
            if (s->peer == NULL) {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


/* this worker has committed rows of the account */

void
ngx_lead_outbox_wake(ngx_lead_worker_t *w, ngx_lead_account_t *account)
{
    ngx_lead_outbox_t  *o;

    o = w->outbox;

    o->woken[account->index] = 1;

    if (!o->wake.posted) {
        ngx_post_event(&o->wake, &ngx_posted_events);
    }
}


static void
ngx_lead_outbox_woken(ngx_event_t *ev)
{
    ngx_lead_outbox_t *o = ev->data;

    ngx_uint_t          i, elsewhere;
    ngx_lead_sender_t  *s;

    elsewhere = 0;

    for (i = 0; i < o->nsenders; i++) {
        s = &o->senders[i];

        if (!o->woken[s->account->index]) {
            continue;
        }

        if (ngx_lead_outbox_elsewhere(s)) {
            elsewhere = 1;

        } else {
            ngx_lead_outbox_want(s);
        }
    }

    ngx_memzero(o->woken, o->worker->lmcf->accounts.nelts);

    if (elsewhere) {
        ngx_lead_outbox_signal(o);
    }

    ngx_lead_outbox_fetch(o);
}


/* another process delivers for the endpoint */

static ngx_uint_t
ngx_lead_outbox_elsewhere(ngx_lead_sender_t *s)
{
    lead_error_t        error;
    lead_endpoint_t     info;
    ngx_lead_worker_t  *w;

    if (ngx_lead_outbox_leased(s, 0)) {
        return 0;
    }

    w = s->outbox->worker;

    return lead_store_endpoint_get(w->store, w->endpoints[s->webhook->index],
                                   &info, &error)
           == LEAD_OK
           && info.lease != 0 && !info.mine;
}


void
ngx_lead_outbox_want(ngx_lead_sender_t *s)
{
    if (ngx_exiting || s->disabled) {
        return;
    }

    /* there is enough for now: later */

    if (ngx_lead_outbox_enough(s) && ngx_lead_outbox_leased(s, 0)) {
        s->due = 0;
        return;
    }

    s->wanted = 1;

    if (!s->outbox->wake.posted) {
        ngx_post_event(&s->outbox->wake, &ngx_posted_events);
    }
}


static void
ngx_lead_outbox_tick(ngx_event_t *ev)
{
    ngx_lead_outbox_t *o = ev->data;

    int64_t             now;
    ngx_int_t           rc;
    ngx_uint_t          i;
    ngx_lead_sender_t  *s;

    if (ngx_terminate) {
        return;
    }

    if (ngx_exiting) {
        ngx_lead_outbox_leave(o);
        return;
    }

    ngx_add_timer(ev, NGX_LEAD_TICK);

    if (o->worker->store == NULL) {
        return;
    }

    now = ngx_lead_outbox_now();
    rc = NGX_OK;

    for (i = 0; i < o->nsenders; i++) {
        s = &o->senders[i];

        s->paused = 0;

        if (rc == NGX_OK) {
            rc = ngx_lead_outbox_look(s, now);
        }

        ngx_lead_outbox_start(s);
    }
}


/* NGX_ERROR: the store fails, and that has been logged */

static ngx_int_t
ngx_lead_outbox_look(ngx_lead_sender_t *s, int64_t now)
{
    lead_rc_t           rc;
    lead_error_t        error;
    lead_endpoint_t     info;
    ngx_lead_worker_t  *w;

    w = s->outbox->worker;
    s->endpoint = w->endpoints[s->webhook->index];

    rc = lead_store_endpoint_get(w->store, s->endpoint, &info, &error);

    if (rc == LEAD_BUSY) {
        return NGX_OK;
    }

    if (rc != LEAD_OK) {
        ngx_lead_worker_complain(w, s->outbox->tick.log, &error,
                                 "looking for deliveries");

        /* what cannot be read of one endpoint must not stop the others */

        return rc == LEAD_CORRUPT ? NGX_OK : NGX_ERROR;
    }

    if (info.state != LEAD_ENDPOINT_ENABLED) {
        s->lease = 0;
        ngx_lead_outbox_drop(s);
        return NGX_OK;
    }

    if (s->nheld == s->nstuck) {
        s->disabled = 0;
    }

    if (info.lease != 0 && !info.mine) {
        s->lease = 0;
        ngx_lead_outbox_drop(s);
        return NGX_OK;
    }

    if (info.due <= now) {
        ngx_lead_outbox_want(s);
        return NGX_OK;
    }

    s->due = info.due;
    ngx_lead_outbox_at(s, info.due);

    return NGX_OK;
}


/* a graceful exit: what is not under way is for another worker */

static void
ngx_lead_outbox_leave(ngx_lead_outbox_t *o)
{
    ngx_uint_t          i;
    ngx_lead_sender_t  *s;

    for (i = 0; i < o->nsenders; i++) {
        s = &o->senders[i];

        ngx_lead_outbox_drop(s);

        if (s->lease != 0 && s->nheld == s->nstuck
            && ngx_lead_outbox_release(s) == NGX_OK)
        {
            s->lease = 0;
        }
    }

    ngx_lead_outbox_settle(o);

    ngx_add_timer(&o->tick, NGX_LEAD_TICK / 10);
}


void
ngx_lead_outbox_start(ngx_lead_sender_t *s)
{
    ngx_lead_outbox_t  *o;

    o = s->outbox;

    /* each has its first place, whatever the others do */

    while (s->nready
           && s->nbusy < s->webhook->concurrency
           && (s->nbusy == 0 || o->nbusy < o->busy_max)
           && o->ndone < NGX_LEAD_UNSETTLED
           && !s->paused && !s->disabled && !ngx_exiting)
    {
        if (!ngx_lead_outbox_leased(s, (int64_t) 1000
                                       * (s->webhook->target->timeout
                                          + NGX_LEAD_LEASE_LEAST)))
        {
            s->wanted = 1;
            break;
        }

        s->nbusy++;
        o->nbusy++;

        ngx_lead_deliver(ngx_lead_outbox_first(s));
    }

    if (s->wanted) {
        ngx_post_event(&o->wake, &ngx_posted_events);

    } else if (s->due <= ngx_lead_outbox_now() && !ngx_lead_outbox_enough(s)) {
        ngx_lead_outbox_want(s);
    }
}


static ngx_uint_t
ngx_lead_outbox_enough(ngx_lead_sender_t *s)
{
    return s->nready > NGX_LEAD_READY / 2
           || s->bytes > NGX_LEAD_READY_BYTES / 2;
}


void
ngx_lead_outbox_ready(ngx_lead_delivery_t *d, ngx_uint_t first)
{
    ngx_lead_sender_t  *s;

    s = d->sender;

    if (first) {
        ngx_queue_insert_head(&s->ready, &d->queue);

    } else {
        ngx_queue_insert_tail(&s->ready, &d->queue);
    }

    s->nready++;
    s->bytes += d->size;
}


static ngx_lead_delivery_t *
ngx_lead_outbox_first(ngx_lead_sender_t *s)
{
    ngx_queue_t          *q;
    ngx_lead_delivery_t  *d;

    q = ngx_queue_head(&s->ready);
    ngx_queue_remove(q);

    d = ngx_queue_data(q, ngx_lead_delivery_t, queue);

    s->nready--;
    s->bytes -= d->size;

    return d;
}


/* there is room again: for who has waited for it, in turn */

void
ngx_lead_outbox_turn(ngx_lead_outbox_t *o)
{
    ngx_uint_t  i;

    for (i = 0; i < o->nsenders && o->nbusy < o->busy_max; i++) {
        o->turn = (o->turn + 1) % o->nsenders;
        ngx_lead_outbox_start(&o->senders[o->turn]);
    }
}


void
ngx_lead_outbox_done(ngx_lead_delivery_t *d)
{
    ngx_uint_t          full;
    ngx_lead_outbox_t  *o;
    ngx_lead_sender_t  *s;

    s = d->sender;
    o = s->outbox;

    full = (o->nbusy >= o->busy_max || o->ndone >= NGX_LEAD_UNSETTLED);

    s->nbusy--;
    o->nbusy--;

    /* the disk may be waited for for long */

    ngx_free(d->text);
    d->text = NULL;

    ngx_queue_insert_tail(&o->done, &d->queue);
    o->ndone++;

    if (s->disabled || s->lease == 0) {
        ngx_lead_outbox_drop(s);
    }

    ngx_lead_outbox_settle(o);

    if (full) {
        ngx_lead_outbox_turn(o);
    }

    ngx_lead_outbox_start(s);
}


void
ngx_lead_outbox_return(ngx_lead_delivery_t *d)
{
    ngx_lead_sender_t  *s;

    s = d->sender;

    s->nbusy--;
    s->outbox->nbusy--;

    ngx_lead_outbox_ready(d, 1);

    s->paused = 1;

    if (ngx_exiting || s->disabled || s->lease == 0) {
        ngx_lead_outbox_drop(s);
    }

    ngx_lead_outbox_turn(s->outbox);
}


void
ngx_lead_outbox_drop(ngx_lead_sender_t *s)
{
    while (s->nready) {
        ngx_lead_outbox_free(ngx_lead_outbox_first(s));
    }

    s->due = LEAD_NEVER;
    s->wanted = 0;
}


void
ngx_lead_outbox_free(ngx_lead_delivery_t *d)
{
    ngx_queue_remove(&d->held);
    d->sender->nheld--;

    ngx_free(d->text);
    ngx_free(d);
}


void
ngx_lead_outbox_at(ngx_lead_sender_t *s, int64_t due)
{
    int64_t             wait;
    ngx_event_t        *tick;
    ngx_msec_int_t      left;

    tick = &s->outbox->tick;
    wait = (due - ngx_lead_outbox_now()) / 1000 + 1;

    if (wait >= NGX_LEAD_TICK || !tick->timer_set || ngx_exiting) {
        return;
    }

    wait = ngx_max(wait, 1);
    left = (ngx_msec_int_t) (tick->timer.key - ngx_current_msec);

    if (wait < left) {
        ngx_del_timer(tick);
        ngx_add_timer(tick, (ngx_msec_t) wait);
    }
}


int64_t
ngx_lead_outbox_span(ngx_lead_sender_t *s)
{
    return (int64_t) 1000 * (2 * s->webhook->target->timeout
                             + NGX_LEAD_LEASE_SPARE);
}


/* a lease that reaches too far is one of before a clock was set back: the
 * store does not count it, either */

ngx_uint_t
ngx_lead_outbox_leased(ngx_lead_sender_t *s, int64_t least)
{
    int64_t  left;

    left = s->lease - ngx_lead_outbox_now();

    return left > least && left <= LEAD_LEASE_MAX;
}


int64_t
ngx_lead_outbox_now(void)
{
    ngx_time_t  *tp;

    tp = ngx_timeofday();

    return (int64_t) tp->sec * 1000000 + (int64_t) tp->msec * 1000;
}


/* the threads have been joined */

void
ngx_lead_outbox_exit(ngx_lead_worker_t *w)
{
    ngx_uint_t          i;
    ngx_queue_t        *q, *next;
    ngx_lead_outbox_t  *o;
    ngx_lead_sender_t  *s;

    o = w->outbox;

    if (o == NULL) {
        return;
    }

    ngx_lead_outbox_deaf(o);

    if (w->store) {
        ngx_lead_outbox_settle_exit(o);
    }

    ngx_lead_outbox_fetch_exit(o);

    for (i = 0; i < o->nsenders; i++) {
        s = &o->senders[i];

        for (q = ngx_queue_head(&s->held);
             q != ngx_queue_sentinel(&s->held);
             q = next)
        {
            next = ngx_queue_next(q);
            ngx_lead_outbox_free(ngx_queue_data(q, ngx_lead_delivery_t, held));
        }
    }
}
