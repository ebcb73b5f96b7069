
/*
 * Copyright (C) the ngx_lead authors
 *
 * Reads.  One lead, with what its answer shows of events and counters, is read
 * in the event loop, which no writer can hold up.  A page of a list, which may
 * take long, is read on the thread pool.
 *
 * The store is walked in slices, each a task and a read transaction of its
 * own, so that neither a commit in the same pool nor the store's free pages
 * wait for a search through millions of leads; between slices the event loop
 * sees whether the client is still there.
 *
 * Memory is the call's arena, which the thread has while a slice is under
 * way; of one lead, r->pool.
 */


#include "ngx_lead.h"


#define NGX_LEAD_SLICE    2000               /* leads */
#define NGX_LEAD_PATIENCE 60000              /* ms */


typedef struct ngx_lead_read_s {
    void               *ident[4];      /* ident[3] is an fd to the debug log */
    ngx_lead_ctx_t     *ctx;
    ngx_thread_task_t   task;

    lead_store_t       *store;
    lead_list_t         list;
    lead_t             *leads;         /* room for list.limit + 1 */
    ngx_uint_t          n;
    uint64_t            passed;        /* the filter, so far */
    uint64_t            total;         /* of the account, if counted */
    lead_rc_t           rc;
    lead_error_t        error;
    unsigned            nomem:1;
    unsigned            counted:1;
} ngx_lead_read_t;


static int ngx_lead_read_copy(void *data, const lead_t *lead);
static lead_rc_t ngx_lead_read_more(ngx_lead_ctx_t *ctx, lead_error_t *error);
static int ngx_lead_read_event(void *data, const lead_event_row_t *row);
static ngx_int_t ngx_lead_read_post(ngx_lead_read_t *read);
static void ngx_lead_read_thread(void *data, ngx_log_t *log);
static lead_rc_t ngx_lead_read_count(ngx_lead_read_t *read);
static int ngx_lead_read_sink(void *data, const lead_t *lead);
static void ngx_lead_read_done(ngx_event_t *ev);


ngx_int_t
ngx_lead_read_get(ngx_lead_ctx_t *ctx, lead_t *lead)
{
    lead_rc_t         rc;
    lead_error_t      error;
    ngx_lead_call_t  *call;

    call = &ctx->call;
    ctx->lead = lead;

    rc = lead_store_get(ctx->lmcf->worker->store, call->store_account,
                        &call->find, ngx_lead_read_copy, ctx, &error);

    if (rc == LEAD_NOTFOUND) {
        call->fault.kind = NGX_LEAD_FAULT_NOT_FOUND;
        return NGX_DECLINED;
    }

    if (rc == LEAD_OK) {
        rc = ngx_lead_read_more(ctx, &error);
    }

    if (rc != LEAD_OK) {
        ngx_lead_worker_complain(ctx->lmcf->worker, call->log, &error,
                                 "reading a lead");

        call->fault.kind = NGX_LEAD_FAULT_UNAVAILABLE;
        return NGX_DECLINED;
    }

    return ctx->nomem ? NGX_ERROR : NGX_OK;
}


static int
ngx_lead_read_copy(void *data, const lead_t *lead)
{
    u_char          *p;
    ngx_lead_ctx_t  *ctx = data;

    *ctx->lead = *lead;

    p = ngx_pnalloc(ctx->call.pool, lead->doc.len + 1);
    if (p == NULL) {
        ctx->nomem = 1;
        return 1;
    }

    ngx_memcpy(p, lead->doc.data, lead->doc.len);

    ctx->lead->doc.data = p;

    return 1;
}


/* the newest events and the counters that the answer shows */

static lead_rc_t
ngx_lead_read_more(ngx_lead_ctx_t *ctx, lead_error_t *error)
{
    lead_rc_t         rc;
    lead_store_t     *store;
    ngx_lead_call_t  *call;

    call = &ctx->call;
    store = ctx->lmcf->worker->store;

    rc = ngx_lead_read_counters(ctx, error);

    if (rc != LEAD_OK) {
        return rc;
    }

    if (call->route->events == 0) {
        return LEAD_OK;
    }

    call->events = ngx_palloc(call->pool, call->route->events
                                          * sizeof(ngx_lead_event_t));
    if (call->events == NULL) {
        ctx->nomem = 1;
        return LEAD_OK;
    }

    return lead_store_events(store, call->store_account, &ctx->lead->id,
                             ngx_lead_read_event, ctx, error);
}


lead_rc_t
ngx_lead_read_counters(ngx_lead_ctx_t *ctx, lead_error_t *error)
{
    lead_rc_t         rc;
    ngx_uint_t        i;
    ngx_lead_call_t  *call;

    call = &ctx->call;

    for (i = 0; i < call->ncounters; i++) {
        rc = lead_store_counter(ctx->lmcf->worker->store, call->store_account,
                                call->counters[i], &call->values[i], error);
        if (rc != LEAD_OK) {
            return rc;
        }
    }

    return LEAD_OK;
}


static int
ngx_lead_read_event(void *data, const lead_event_row_t *row)
{
    u_char            *p;
    ngx_lead_ctx_t    *ctx = data;
    ngx_lead_call_t   *call;
    ngx_lead_event_t  *event;

    call = &ctx->call;

    p = ngx_pnalloc(call->pool, row->type.len + row->data.len + 1);
    if (p == NULL) {
        ctx->nomem = 1;
        return 1;
    }

    event = &call->events[call->nevents++];

    event->time = row->time;
    event->type.data = p;
    event->type.len = row->type.len;

    p = ngx_cpymem(p, row->type.data, row->type.len);

    event->data.data = p;
    event->data.len = row->data.len;

    if (row->data.len) {
        ngx_memcpy(p, row->data.data, row->data.len);
    }

    return call->nevents == call->route->events;
}


ngx_int_t
ngx_lead_read_submit(ngx_lead_ctx_t *ctx)
{
    ngx_lead_call_t     *call;
    ngx_lead_read_t     *read;
    ngx_http_request_t  *r;

    call = &ctx->call;
    r = ctx->request;

    read = ngx_lead_call_alloc(call, sizeof(ngx_lead_read_t));
    if (read == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(read, sizeof(ngx_lead_read_t));

    read->leads = ngx_lead_call_alloc(call, (call->list.limit + 1)
                                            * sizeof(lead_t));
    if (read->leads == NULL) {
        return NGX_ERROR;
    }

    read->ident[3] = (void *) -1;
    read->ctx = ctx;
    read->store = ctx->lmcf->worker->store;

    read->list.account = call->store_account;
    read->list.from = call->list.from;
    read->list.has_from = call->list.has_from;
    read->list.oldest = call->list.oldest;
    read->list.slice = NGX_LEAD_SLICE;
    read->list.sink = ngx_lead_read_sink;
    read->list.ctx = read;

    read->task.ctx = read;
    read->task.handler = ngx_lead_read_thread;
    read->task.event.handler = ngx_lead_read_done;
    read->task.event.data = read;
    read->task.event.log = ngx_cycle->log;

    if (ngx_lead_read_post(read) != NGX_OK) {
        return NGX_BUSY;
    }

    ctx->read = read;
    r->main->blocked++;
    r->aio = 1;

    return NGX_AGAIN;
}


static ngx_int_t
ngx_lead_read_post(ngx_lead_read_t *read)
{
    if (ngx_thread_task_post(read->ctx->lmcf->pool, &read->task) != NGX_OK) {
        return NGX_ERROR;
    }

    /* not cancelable: a worker that exits waits for it */

    ngx_add_timer(&read->task.event, NGX_LEAD_PATIENCE);

    return NGX_OK;
}


static void
ngx_lead_read_thread(void *data, ngx_log_t *log)
{
    lead_id_t         next;
    ngx_lead_list_t  *list;
    ngx_lead_read_t  *read = data;

    list = &read->ctx->call.list;

    if (list->count && list->filter == NULL && !read->counted) {

        read->rc = ngx_lead_read_count(read);

        if (read->rc != LEAD_OK || list->skip >= read->total) {
            return;
        }
    }

    read->rc = lead_store_list(read->store, &read->list, &next, &read->error);

    if (read->rc == LEAD_AGAIN) {
        read->list.from = next;
        read->list.has_from = 1;
    }
}


/* without a filter the store knows how many there are */

static lead_rc_t
ngx_lead_read_count(ngx_lead_read_t *read)
{
    read->counted = 1;

    return lead_store_count(read->store, read->list.account, &read->total,
                            &read->error);
}


static int
ngx_lead_read_sink(void *data, const lead_t *lead)
{
    u_char           *p;
    lead_t           *copy;
    ngx_lead_call_t  *call;
    ngx_lead_read_t  *read = data;

    call = &read->ctx->call;

    if (call->list.filter && !call->list.filter(call, lead)) {
        return 0;
    }

    if (++read->passed <= call->list.skip || read->n > call->list.limit) {
        return 0;
    }

    copy = &read->leads[read->n++];
    *copy = *lead;

    /* the one beyond the page only says that there is another */

    if (read->n > call->list.limit) {
        return !call->list.count || read->counted;
    }

    p = ngx_lead_call_alloc(call, lead->doc.len + 1);
    if (p == NULL) {
        read->nomem = 1;
        return 1;
    }

    ngx_memcpy(p, lead->doc.data, lead->doc.len);
    copy->doc.data = p;

    return 0;
}


static void
ngx_lead_read_done(ngx_event_t *ev)
{
    ngx_lead_ctx_t      *ctx;
    ngx_connection_t    *c;
    ngx_lead_read_t     *read = ev->data;
    ngx_http_request_t  *r;

    if (ev->timedout) {
        ngx_log_error(NGX_LOG_CRIT, ev->log, 0,
                      "lead: a read takes over %ui seconds",
                      (ngx_uint_t) NGX_LEAD_PATIENCE / 1000);
        ev->timedout = 0;
        ngx_add_timer(ev, NGX_LEAD_PATIENCE);
        return;
    }

    if (ev->timer_set) {
        ngx_del_timer(ev);
    }

    ctx = read->ctx;
    r = ctx->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    if (read->rc == LEAD_AGAIN && !read->nomem && !c->error) {

        if (ngx_lead_read_post(read) == NGX_OK) {
            return;
        }

        read->rc = LEAD_BUSY;
    }

    ctx->done = 1;

    r->main->blocked--;
    r->aio = 0;

    r->write_event_handler(r);
    ngx_http_run_posted_requests(c);
}


ngx_int_t
ngx_lead_read_result(ngx_lead_ctx_t *ctx, lead_t **leads, ngx_uint_t *n)
{
    ngx_lead_read_t  *read;

    read = ctx->read;

    if (read->nomem) {
        return NGX_ERROR;
    }

    if (read->rc != LEAD_OK) {
        if (read->rc != LEAD_BUSY && read->rc != LEAD_AGAIN) {
            ngx_lead_worker_complain(ctx->lmcf->worker, ctx->call.log,
                                     &read->error, "listing leads");
        }

        return NGX_DECLINED;
    }

    ctx->call.list.total = read->counted ? read->total : read->passed;

    if (read->n > ctx->call.list.limit) {
        ctx->call.list.more = 1;
        read->n = ctx->call.list.limit;
    }

    *leads = read->leads;
    *n = read->n;

    return NGX_OK;
}
