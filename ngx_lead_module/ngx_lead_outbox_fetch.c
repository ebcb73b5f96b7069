
/*
 * Copyright (C) the ngx_lead authors
 *
 * Brings rows that are due from the store to a worker's senders: takes leases
 * and reads, for all senders that want it, in one task of the thread pool, of
 * which there is one at a time.
 *
 * A row stays where it is in the store until its attempt is settled.  So a
 * reading is given the events of the rows held in memory, and passes them
 * over.
 *
 * The thread touches what its task was given, and allocates with malloc();
 * senders and queues are the event loop's.
 */


#include "ngx_lead_outbox.h"


#define NGX_LEAD_CORRUPT  60000           /* ms between two complaints */


/* what a reading does for one sender */

typedef struct {
    ngx_lead_sender_t     *sender;
    uint32_t               endpoint;
    int64_t                lease;         /* 0: none is asked for */
    uint64_t              *skip;
    ngx_uint_t             nskip;
    ngx_uint_t             room;
    size_t                 bytes;
    ngx_queue_t            rows;          /* of ngx_lead_delivery_t */
    int64_t                next;
    lead_rc_t              rc;
    unsigned               granted:1;     /* the lease */
    unsigned               looked:1;      /* for rows */
    unsigned               nomem:1;
} ngx_lead_reading_t;


struct ngx_lead_fetch_s {
    void                  *ident[4];      /* ident[3] is an fd to the debug
                                             log */
    ngx_lead_outbox_t     *outbox;
    ngx_thread_task_t     *task;
    ngx_lead_reading_t    *readings;
    ngx_uint_t             nreadings;
    uint32_t              *endpoints;     /* room for leases */
    int64_t               *until;
    lead_store_t          *store;
    lead_rc_t              rc;            /* the worst of the readings', */
    lead_error_t           error;         /* and what it says */
    ngx_msec_t             corrupt;       /* when that was said */
};


static ngx_int_t ngx_lead_outbox_prepare(ngx_lead_sender_t *s,
    ngx_lead_reading_t *r);
static int ngx_libc_cdecl ngx_lead_outbox_compare(const void *one,
    const void *two);
static void ngx_lead_outbox_read(void *data, ngx_log_t *log);
static lead_rc_t ngx_lead_outbox_lease(ngx_lead_fetch_t *f);
static lead_rc_t ngx_lead_outbox_enabled(ngx_lead_fetch_t *f,
    ngx_lead_reading_t *r);
static int ngx_lead_outbox_row(void *ctx, const lead_due_t *due);
static void ngx_lead_outbox_fetched(ngx_event_t *ev);
static void ngx_lead_outbox_unread(ngx_lead_fetch_t *f, ngx_log_t *log);
static void ngx_lead_outbox_take(ngx_lead_reading_t *r);


ngx_int_t
ngx_lead_outbox_fetch_init(ngx_lead_outbox_t *o, ngx_cycle_t *cycle)
{
    ngx_uint_t         n;
    ngx_pool_t        *pool;
    ngx_lead_fetch_t  *f;

    n = o->nsenders;
    pool = cycle->pool;

    f = ngx_pcalloc(pool, sizeof(ngx_lead_fetch_t));
    if (f == NULL) {
        return NGX_ERROR;
    }

    f->task = ngx_thread_task_alloc(pool, 0);
    f->readings = ngx_palloc(pool, n * sizeof(ngx_lead_reading_t));
    f->endpoints = ngx_palloc(pool, n * sizeof(uint32_t));
    f->until = ngx_palloc(pool, n * sizeof(int64_t));

    if (f->task == NULL || f->readings == NULL || f->endpoints == NULL
        || f->until == NULL)
    {
        return NGX_ERROR;
    }

    f->ident[3] = (void *) -1;
    f->outbox = o;

    f->task->ctx = f;
    f->task->handler = ngx_lead_outbox_read;
    f->task->event.handler = ngx_lead_outbox_fetched;
    f->task->event.data = f;
    f->task->event.log = cycle->log;

    o->fetch = f;

    return NGX_OK;
}


void
ngx_lead_outbox_fetch(ngx_lead_outbox_t *o)
{
    ngx_uint_t          i;
    ngx_lead_fetch_t   *f;
    ngx_lead_sender_t  *s;

    f = o->fetch;

    /* while a thread reads, all of it is the thread's */

    if (o->fetching || o->worker->store == NULL) {
        return;
    }

    f->store = o->worker->store;
    f->nreadings = 0;

    for (i = 0; i < o->nsenders; i++) {
        s = &o->senders[i];

        if (s->wanted
            && ngx_lead_outbox_prepare(s, &f->readings[f->nreadings])
               == NGX_OK)
        {
            s->wanted = 0;
            f->nreadings++;
        }
    }

    if (f->nreadings == 0) {
        return;
    }

    o->fetching = 1;

    if (ngx_thread_task_post(o->worker->lmcf->pool, f->task) != NGX_OK) {
        o->fetching = 0;

        for (i = 0; i < f->nreadings; i++) {
            ngx_free(f->readings[i].skip);
        }
    }
}


static ngx_int_t
ngx_lead_outbox_prepare(ngx_lead_sender_t *s, ngx_lead_reading_t *r)
{
    ngx_queue_t          *q;
    ngx_lead_delivery_t  *d;

    ngx_memzero(r, sizeof(ngx_lead_reading_t));

    s->endpoint = s->outbox->worker->endpoints[s->webhook->index];

    r->sender = s;
    r->endpoint = s->endpoint;
    r->room = NGX_LEAD_READY - ngx_min(s->nready, NGX_LEAD_READY);
    r->bytes = s->bytes;

    if (r->bytes >= NGX_LEAD_READY_BYTES) {
        r->room = 0;
    }

    ngx_queue_init(&r->rows);

    if (!ngx_lead_outbox_leased(s, ngx_lead_outbox_span(s) / 2)) {
        r->lease = ngx_lead_outbox_span(s);
    }

    r->skip = ngx_alloc((s->nheld + 1) * sizeof(uint64_t), ngx_cycle->log);
    if (r->skip == NULL) {
        return NGX_ERROR;
    }

    for (q = ngx_queue_head(&s->held);
         q != ngx_queue_sentinel(&s->held);
         q = ngx_queue_next(q))
    {
        d = ngx_queue_data(q, ngx_lead_delivery_t, held);
        r->skip[r->nskip++] = d->row.event;
    }

    ngx_qsort(r->skip, r->nskip, sizeof(uint64_t), ngx_lead_outbox_compare);

    return NGX_OK;
}


static int ngx_libc_cdecl
ngx_lead_outbox_compare(const void *one, const void *two)
{
    const uint64_t *first = one;
    const uint64_t *second = two;

    return (*first > *second) - (*first < *second);
}


static void
ngx_lead_outbox_read(void *data, ngx_log_t *log)
{
    ngx_lead_fetch_t *f = data;

    lead_rc_t            rc;
    ngx_uint_t           i;
    lead_error_t         error;
    ngx_lead_reading_t  *r;

    rc = ngx_lead_outbox_lease(f);
    f->rc = rc;

    for (i = 0; i < f->nreadings; i++) {
        r = &f->readings[i];

        if (rc != LEAD_OK) {
            r->rc = rc;

        } else if (r->rc == LEAD_OK && r->room) {
            r->rc = ngx_lead_outbox_enabled(f, r);
        }

        if (r->rc == LEAD_OK && r->room) {
            r->looked = 1;
            r->rc = lead_store_due(f->store, r->endpoint, r->skip, r->nskip,
                                   ngx_lead_outbox_row, r, &r->next, &error);

            /* damage stays and is said again, other errors may not */

            if (r->rc != LEAD_OK
                && (f->rc == LEAD_OK || f->rc == LEAD_CORRUPT))
            {
                f->rc = r->rc;
                f->error = error;
            }
        }
    }
}


static lead_rc_t
ngx_lead_outbox_lease(ngx_lead_fetch_t *f)
{
    int64_t     span;
    lead_rc_t   rc;
    ngx_uint_t  i, n;

    span = 0;
    n = 0;

    for (i = 0; i < f->nreadings; i++) {
        if (f->readings[i].lease) {
            span = ngx_max(span, f->readings[i].lease);
            f->endpoints[n++] = f->readings[i].endpoint;
        }
    }

    if (n == 0) {
        return LEAD_OK;
    }

    rc = lead_store_lease(f->store, f->endpoints, n, span, f->until,
                          &f->error);

    if (rc != LEAD_OK) {
        return rc;
    }

    n = 0;

    for (i = 0; i < f->nreadings; i++) {
        if (f->readings[i].lease) {
            f->readings[i].lease = f->until[n++];

            if (f->readings[i].lease == 0) {
                f->readings[i].rc = LEAD_NOTFOUND;

            } else {
                f->readings[i].granted = 1;
            }
        }
    }

    return LEAD_OK;
}


/* leadctl may have disabled the endpoint since the lease was taken */

static lead_rc_t
ngx_lead_outbox_enabled(ngx_lead_fetch_t *f, ngx_lead_reading_t *r)
{
    lead_error_t     error;
    lead_endpoint_t  info;

    if (lead_store_endpoint_get(f->store, r->endpoint, &info, &error)
        == LEAD_OK
        && info.state != LEAD_ENDPOINT_ENABLED)
    {
        return LEAD_NOTFOUND;
    }

    return LEAD_OK;
}


static int
ngx_lead_outbox_row(void *ctx, const lead_due_t *due)
{
    ngx_lead_reading_t *r = ctx;

    size_t                size;
    const lead_t         *lead;
    ngx_lead_delivery_t  *d;

    lead = due->event.lead;
    size = due->event.data.len + (lead ? lead->doc.len : 0);

    d = ngx_calloc(sizeof(ngx_lead_delivery_t), ngx_cycle->log);

    if (d == NULL) {
        r->nomem = 1;
        return 1;
    }

    d->text = ngx_alloc(size + 1, ngx_cycle->log);

    if (d->text == NULL) {
        ngx_free(d);
        r->nomem = 1;
        return 1;
    }

    d->sender = r->sender;
    d->row = due->row;
    d->id = due->id;
    d->time = due->event.time;
    d->size = size;

    d->type.data = d->kind;
    d->type.len = ngx_min(due->event.type.len, LEAD_EVENT_TYPE_MAX);
    ngx_memcpy(d->kind, due->event.type.data, d->type.len);

    d->data.data = d->text;
    d->data.len = due->event.data.len;
    ngx_memcpy(d->text, due->event.data.data, d->data.len);

    if (lead) {
        d->lead = *lead;
        d->lead.doc.data = ngx_cpymem(d->text + d->data.len, lead->doc.data,
                                      lead->doc.len) - lead->doc.len;

    } else {
        d->expired = 1;
    }

    ngx_queue_insert_tail(&r->rows, &d->queue);

    r->bytes += size;
    r->room--;

    return r->room == 0 || r->bytes >= NGX_LEAD_READY_BYTES;
}


static void
ngx_lead_outbox_fetched(ngx_event_t *ev)
{
    ngx_lead_fetch_t *f = ev->data;

    ngx_uint_t           i;
    ngx_lead_reading_t  *r;

    f->outbox->fetching = 0;

    for (i = 0; i < f->nreadings; i++) {
        r = &f->readings[i];

        ngx_free(r->skip);

        ngx_lead_outbox_take(r);
    }

    ngx_lead_outbox_unread(f, ev->log);

    /* what was wanted meanwhile */

    ngx_lead_outbox_fetch(f->outbox);
}


/* what is damaged stays so, and other rows are read on: now and then will do */

static void
ngx_lead_outbox_unread(ngx_lead_fetch_t *f, ngx_log_t *log)
{
    if (f->rc == LEAD_OK
        || (f->rc == LEAD_CORRUPT
            && f->corrupt
            && ngx_current_msec - f->corrupt < NGX_LEAD_CORRUPT))
    {
        return;
    }

    if (f->rc == LEAD_CORRUPT) {
        f->corrupt = ngx_max(ngx_current_msec, 1);
    }

    ngx_lead_worker_complain(f->outbox->worker, log, &f->error,
                             "reading the outbox");
}


static void
ngx_lead_outbox_take(ngx_lead_reading_t *r)
{
    ngx_queue_t          *q;
    ngx_lead_sender_t    *s;
    ngx_lead_delivery_t  *d;

    s = r->sender;

    while (!ngx_queue_empty(&r->rows)) {

        q = ngx_queue_head(&r->rows);
        ngx_queue_remove(q);

        d = ngx_queue_data(q, ngx_lead_delivery_t, queue);

        ngx_queue_insert_tail(&s->held, &d->held);
        s->nheld++;

        ngx_lead_outbox_ready(d, 0);
    }

    if (r->rc == LEAD_NOTFOUND) {
        s->lease = 0;

    } else if (r->granted) {
        s->lease = r->lease;
    }

    if (s->lease == 0 || s->disabled || ngx_exiting) {
        ngx_lead_outbox_drop(s);
        return;
    }

    /* the timer will look again, and nobody does before: a lease that is to
     * be renewed, and cannot be, would be asked for without end */

    if (r->rc != LEAD_OK && (r->rc != LEAD_CORRUPT || !r->looked)) {
        s->paused = 1;
        s->due = LEAD_NEVER;
        return;
    }

    s->due = r->nomem ? LEAD_NEVER : r->next;

    if (s->due > ngx_lead_outbox_now()) {
        ngx_lead_outbox_at(s, s->due);
    }

    ngx_lead_outbox_start(s);
}


void
ngx_lead_outbox_fetch_exit(ngx_lead_outbox_t *o)
{
    ngx_uint_t            i;
    ngx_queue_t          *q, *next;
    ngx_lead_reading_t   *r;
    ngx_lead_delivery_t  *d;

    if (!o->fetching) {
        return;
    }

    for (i = 0; i < o->fetch->nreadings; i++) {
        r = &o->fetch->readings[i];

        ngx_free(r->skip);

        for (q = ngx_queue_head(&r->rows);
             q != ngx_queue_sentinel(&r->rows);
             q = next)
        {
            next = ngx_queue_next(q);
            d = ngx_queue_data(q, ngx_lead_delivery_t, queue);

            ngx_queue_insert_tail(&r->sender->held, &d->held);
            r->sender->nheld++;
        }
    }
}
