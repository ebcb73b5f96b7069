
/*
 * Copyright (C) the ngx_lead authors
 *
 * Brings what came of deliveries back to the store: many attempts in one
 * transaction, in a task of the thread pool, of which there is one at a time.
 *
 * An attempt that cannot be settled is kept, and settled later: its row is not
 * read again as long as it is held in memory, and sent twice at worst.
 */


#include "ngx_lead_outbox.h"


#define NGX_LEAD_SETTLE_WAIT    20        /* ms, to gather attempts */
#define NGX_LEAD_SETTLE_SOON    512       /* attempts that need not wait */
#define NGX_LEAD_SETTLE_MAX     1024      /* attempts of a transaction */


struct ngx_lead_settle_s {
    void                  *ident[4];      /* ident[3] is an fd to the debug
                                             log */
    ngx_lead_outbox_t     *outbox;
    ngx_thread_task_t     *task;
    ngx_event_t            timer;
    ngx_queue_t            deliveries;    /* of the attempts */
    lead_attempt_t        *attempts;
    ngx_uint_t             nattempts;
    ngx_uint_t             suspects;      /* to be settled one by one */
    uint32_t              *released;      /* endpoints */
    ngx_uint_t             nreleased;
    lead_store_t          *store;
    lead_rc_t              rc;
    lead_error_t           error;
    ngx_uint_t             written;       /* the attempts are on the disk */
    unsigned               busy:1;        /* the thread's is what is above */
    unsigned               failed:1;      /* only the timer tries again */
};


static void ngx_lead_outbox_gather(ngx_event_t *ev);
static void ngx_lead_outbox_batch(ngx_lead_settle_t *t);
static void ngx_lead_outbox_write(void *data, ngx_log_t *log);
static void ngx_lead_outbox_settled(ngx_event_t *ev);
static void ngx_lead_outbox_unsettled(ngx_lead_settle_t *t, ngx_log_t *log);
static ngx_uint_t ngx_lead_outbox_blamed(ngx_lead_settle_t *t,
    ngx_log_t *log);
static void ngx_lead_outbox_keep(ngx_lead_settle_t *t);
static void ngx_lead_outbox_forget(ngx_lead_settle_t *t);


ngx_int_t
ngx_lead_outbox_settle_init(ngx_lead_outbox_t *o, ngx_cycle_t *cycle)
{
    ngx_pool_t         *pool;
    ngx_lead_settle_t  *t;

    pool = cycle->pool;

    t = ngx_pcalloc(pool, sizeof(ngx_lead_settle_t));
    if (t == NULL) {
        return NGX_ERROR;
    }

    t->task = ngx_thread_task_alloc(pool, 0);
    t->attempts = ngx_palloc(pool,
                             NGX_LEAD_SETTLE_MAX * sizeof(lead_attempt_t));
    t->released = ngx_palloc(pool, o->nsenders * sizeof(uint32_t));

    if (t->task == NULL || t->attempts == NULL || t->released == NULL) {
        return NGX_ERROR;
    }

    t->ident[3] = (void *) -1;
    t->outbox = o;

    ngx_queue_init(&t->deliveries);

    /* an exiting worker stays for what is to be settled */

    t->timer.handler = ngx_lead_outbox_gather;
    t->timer.data = t;
    t->timer.log = cycle->log;

    t->task->ctx = t;
    t->task->handler = ngx_lead_outbox_write;
    t->task->event.handler = ngx_lead_outbox_settled;
    t->task->event.data = t;
    t->task->event.log = cycle->log;

    o->settle = t;

    return NGX_OK;
}


void
ngx_lead_outbox_settle(ngx_lead_outbox_t *o)
{
    ngx_lead_settle_t  *t;

    t = o->settle;

    if (t->busy) {
        return;
    }

    if (!t->failed && (o->ndone >= NGX_LEAD_SETTLE_SOON || t->nreleased)) {
        ngx_lead_outbox_gather(&t->timer);

    } else if ((o->ndone || t->nreleased) && !t->timer.timer_set) {
        ngx_add_timer(&t->timer, NGX_LEAD_SETTLE_WAIT);
    }
}


ngx_int_t
ngx_lead_outbox_release(ngx_lead_sender_t *s)
{
    ngx_lead_settle_t  *t;

    t = s->outbox->settle;

    if (t->busy || s->outbox->fetching) {
        return NGX_AGAIN;
    }

    t->released[t->nreleased++] = s->endpoint;

    return NGX_OK;
}


static void
ngx_lead_outbox_gather(ngx_event_t *ev)
{
    ngx_lead_settle_t *t = ev->data;

    ngx_lead_outbox_t  *o;

    o = t->outbox;

    if (t->timer.timer_set) {
        ngx_del_timer(&t->timer);
    }

    if (t->busy || (o->ndone == 0 && t->nreleased == 0)) {
        return;
    }

    ngx_lead_outbox_batch(t);

    t->store = o->worker->store;
    t->busy = 1;

    if (ngx_thread_task_post(o->worker->lmcf->pool, t->task) != NGX_OK) {
        t->busy = 0;
        ngx_lead_outbox_keep(t);
        ngx_add_timer(&t->timer, NGX_LEAD_TICK);
    }
}


static void
ngx_lead_outbox_batch(ngx_lead_settle_t *t)
{
    ngx_uint_t            max;
    ngx_queue_t          *q;
    ngx_lead_outbox_t    *o;
    ngx_lead_delivery_t  *d;

    o = t->outbox;
    t->nattempts = 0;

    max = t->suspects ? 1 : NGX_LEAD_SETTLE_MAX;

    while (o->ndone && t->nattempts < max) {

        q = ngx_queue_head(&o->done);
        ngx_queue_remove(q);
        o->ndone--;

        ngx_queue_insert_tail(&t->deliveries, q);

        d = ngx_queue_data(q, ngx_lead_delivery_t, queue);
        t->attempts[t->nattempts++] = d->attempt;
    }
}


static void
ngx_lead_outbox_write(void *data, ngx_log_t *log)
{
    ngx_lead_settle_t *t = data;

    t->rc = LEAD_OK;

    if (t->nattempts) {
        t->rc = lead_store_settle(t->store, t->attempts, t->nattempts,
                                  &t->error);
    }

    t->written = (t->rc == LEAD_OK);

    if (t->rc == LEAD_OK && t->nreleased) {
        t->rc = lead_store_release(t->store, t->released, t->nreleased,
                                   &t->error);
    }
}


static void
ngx_lead_outbox_settled(ngx_event_t *ev)
{
    ngx_lead_settle_t *t = ev->data;

    ngx_uint_t          full;
    ngx_lead_outbox_t  *o;

    o = t->outbox;

    t->busy = 0;

    full = (t->written && o->ndone + t->nattempts >= NGX_LEAD_UNSETTLED);

    if (t->written) {
        ngx_lead_outbox_forget(t);

        t->nattempts = 0;
        t->suspects -= t->suspects ? 1 : 0;
    }

    if (t->rc != LEAD_OK) {
        ngx_lead_outbox_unsettled(t, ev->log);

    } else {
        t->failed = 0;
        t->nreleased = 0;

        if (o->ndone) {
            ngx_add_timer(&t->timer, o->ndone < NGX_LEAD_SETTLE_SOON
                                     ? NGX_LEAD_SETTLE_WAIT : 1);
        }
    }

    if (full) {
        ngx_lead_outbox_turn(o);
    }
}


static void
ngx_lead_outbox_unsettled(ngx_lead_settle_t *t, ngx_log_t *log)
{
    ngx_uint_t  blamed;

    ngx_lead_worker_complain(t->outbox->worker, log, &t->error,
                             "settling deliveries");

    t->failed = 1;

    blamed = ngx_lead_outbox_blamed(t, log);

    if (!blamed) {
        ngx_lead_outbox_keep(t);
    }

    /* an exiting worker tries once more, at its end */

    t->timer.cancelable = ngx_exiting ? 1 : 0;

    ngx_add_timer(&t->timer, blamed ? 1 : NGX_LEAD_TICK);
}


/* an attempt that can never be settled has been found, or is looked for */

static ngx_uint_t
ngx_lead_outbox_blamed(ngx_lead_settle_t *t, ngx_log_t *log)
{
    ngx_queue_t          *q;
    ngx_lead_delivery_t  *d;

    if (t->nattempts == 0
        || (t->rc != LEAD_INVALID && t->rc != LEAD_CORRUPT))
    {
        return 0;
    }

    if (t->nattempts > 1) {

        /* one of them is to blame: they are settled one by one */

        t->suspects = t->nattempts;
        ngx_lead_outbox_keep(t);

        return 1;
    }

    /* stays held, so that it is not sent again by this worker */

    ngx_log_error(NGX_LOG_ALERT, log, 0,
                  "lead: an attempt of event %uL cannot be settled",
                  t->attempts[0].row.event);

    q = ngx_queue_head(&t->deliveries);
    ngx_queue_remove(q);

    d = ngx_queue_data(q, ngx_lead_delivery_t, queue);
    d->sender->nstuck++;

    t->suspects -= t->suspects ? 1 : 0;

    return 1;
}


/* all of them again, later */

static void
ngx_lead_outbox_keep(ngx_lead_settle_t *t)
{
    ngx_queue_t  *q;

    while (!ngx_queue_empty(&t->deliveries)) {
        q = ngx_queue_last(&t->deliveries);
        ngx_queue_remove(q);

        ngx_queue_insert_head(&t->outbox->done, q);
        t->outbox->ndone++;
    }
}


static void
ngx_lead_outbox_forget(ngx_lead_settle_t *t)
{
    ngx_queue_t          *q;
    ngx_lead_sender_t    *s;
    ngx_lead_delivery_t  *d;

    while (!ngx_queue_empty(&t->deliveries)) {

        q = ngx_queue_head(&t->deliveries);
        ngx_queue_remove(q);

        d = ngx_queue_data(q, ngx_lead_delivery_t, queue);
        s = d->sender;

        if (d->attempt.outcome == LEAD_RETRY && d->attempt.retry < s->due) {
            s->due = d->attempt.retry;
            ngx_lead_outbox_at(s, s->due);
        }

        ngx_lead_outbox_free(d);
    }
}


/* what the last task was given is settled, though its completion never came,
 * unless it has failed; what is settled is still held */

void
ngx_lead_outbox_settle_exit(ngx_lead_outbox_t *o)
{
    ngx_uint_t          i;
    ngx_lead_settle_t  *t;

    t = o->settle;
    t->store = o->worker->store;
    t->nreleased = 0;

    if (t->busy && !t->written) {
        ngx_lead_outbox_keep(t);
    }

    t->rc = LEAD_OK;

    while (o->ndone) {
        ngx_queue_init(&t->deliveries);

        ngx_lead_outbox_batch(t);
        ngx_lead_outbox_write(t, ngx_cycle->log);

        if (t->rc != LEAD_OK && !ngx_lead_outbox_blamed(t, ngx_cycle->log)) {
            break;
        }

        t->rc = LEAD_OK;
    }

    t->nattempts = 0;

    for (i = 0; i < o->nsenders; i++) {
        if (o->senders[i].lease) {
            t->released[t->nreleased++] = o->senders[i].endpoint;
        }
    }

    if (t->rc == LEAD_OK && t->nreleased) {
        ngx_lead_outbox_write(t, ngx_cycle->log);
    }

    if (t->rc != LEAD_OK) {
        ngx_lead_worker_complain(o->worker, ngx_cycle->log, &t->error,
                                 "settling deliveries");
    }
}
