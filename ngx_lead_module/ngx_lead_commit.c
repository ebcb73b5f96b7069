
/*
 * Copyright (C) the ngx_lead authors
 *
 * Group commit: requests that wait for the disk share its flushes.
 *
 * A worker keeps a FIFO of requests and at most one batch with its thread
 * pool.  A request that arrives while nothing is under way posts one event,
 * so that all requests of the same round of the event loop go together; what
 * arrives while a batch is committed is the next batch.  So the batch sizes
 * itself by the disk, and no timer is involved.  A group of operations that
 * are carried out all or none is a batch of its own.
 *
 * A request in the queue is pinned by r->main->blocked.  When its batch is
 * done, blocked is released and r->write_event_handler is called: ours, or
 * nginx' finalizer if the client has left.  The thread touches operations
 * only, never a request, its pool or its log.
 *
 * The hold timer is not cancelable: without it a worker that exits gracefully
 * would drop the requests that wait for the disk.
 *
 * The queue's memory is the cycle's, an operation's is its request's.
 */


#include "ngx_lead.h"


#define NGX_LEAD_BATCH_OPS    1024
#define NGX_LEAD_BATCH_BYTES  4194304
#define NGX_LEAD_HOLD         60000          /* ms */


typedef struct ngx_lead_commit_s {
    void                *ident[4];     /* ident[3] is an fd to the debug log */
    ngx_lead_worker_t   *worker;

    ngx_lead_ctx_t      *first;        /* waiting */
    ngx_lead_ctx_t     **last;
    ngx_uint_t           waiting;

    ngx_event_t          flush;
    ngx_event_t          hold;
    ngx_thread_task_t   *task;

    /* the batch; while busy, the thread's */

    ngx_lead_ctx_t      *batch;
    ngx_uint_t           nrequests;
    lead_op_t           *gathered[NGX_LEAD_BATCH_OPS];
    lead_op_t          **ops;          /* gathered, or a group's */
    ngx_uint_t           nops;
    unsigned             group:1;
    lead_store_t        *store;
    lead_rc_t            rc;
    lead_error_t         error;
    ngx_uint_t           usec;
    unsigned             busy:1;
} ngx_lead_commit_t;


static void ngx_lead_commit_flush(ngx_event_t *ev);
static void ngx_lead_commit_gather(ngx_lead_commit_t *c);
static void ngx_lead_commit_thread(void *data, ngx_log_t *log);
static void ngx_lead_commit_done(ngx_event_t *ev);
static void ngx_lead_commit_answer(ngx_lead_commit_t *c);
static void ngx_lead_commit_hold(ngx_event_t *ev);


ngx_int_t
ngx_lead_commit_init(ngx_lead_worker_t *w, ngx_cycle_t *cycle)
{
    ngx_lead_commit_t  *c;

    c = ngx_pcalloc(cycle->pool, sizeof(ngx_lead_commit_t));
    if (c == NULL) {
        return NGX_ERROR;
    }

    c->task = ngx_thread_task_alloc(cycle->pool, 0);
    if (c->task == NULL) {
        return NGX_ERROR;
    }

    c->ident[3] = (void *) -1;
    c->worker = w;
    c->last = &c->first;

    c->flush.handler = ngx_lead_commit_flush;
    c->flush.data = c;
    c->flush.log = cycle->log;

    c->hold.handler = ngx_lead_commit_hold;
    c->hold.data = c;
    c->hold.log = cycle->log;

    c->task->ctx = c;
    c->task->handler = ngx_lead_commit_thread;
    c->task->event.handler = ngx_lead_commit_done;
    c->task->event.data = c;
    c->task->event.log = cycle->log;

    w->commit = c;

    return NGX_OK;
}


ngx_int_t
ngx_lead_commit_submit(ngx_lead_ctx_t *ctx)
{
    ngx_lead_commit_t   *c;
    ngx_http_request_t  *r;

    c = ctx->lmcf->worker->commit;

    if (c->waiting >= ctx->lmcf->queue) {
        ngx_log_error(NGX_LOG_ERR, ctx->call.log, 0,
                      "lead: the queue is full: %ui requests wait for the disk",
                      c->waiting);
        return NGX_BUSY;
    }

    r = ctx->request;
    r->main->blocked++;
    r->aio = 1;

    ctx->next = NULL;
    *c->last = ctx;
    c->last = &ctx->next;
    c->waiting++;

    if (!c->hold.timer_set) {
        ngx_add_timer(&c->hold, NGX_LEAD_HOLD);
    }

    if (!c->busy && !c->flush.posted) {
        ngx_post_event(&c->flush, &ngx_posted_events);
    }

    return NGX_AGAIN;
}


static void
ngx_lead_commit_flush(ngx_event_t *ev)
{
    ngx_lead_commit_t  *c = ev->data;

    if (c->busy || c->first == NULL) {
        return;
    }

    ngx_lead_commit_gather(c);

    c->store = c->worker->store;

    c->usec = 0;

    if (c->store == NULL) {
        c->rc = LEAD_IO;
        ngx_lead_commit_answer(c);
        return;
    }

    c->busy = 1;

    if (ngx_thread_task_post(c->worker->lmcf->pool, c->task) != NGX_OK) {
        c->busy = 0;
        c->rc = LEAD_BUSY;
        ngx_lead_commit_answer(c);
    }
}


static void
ngx_lead_commit_gather(ngx_lead_commit_t *c)
{
    size_t           bytes;
    ngx_lead_ctx_t  *ctx, **last;

    c->batch = c->first;
    c->nrequests = 0;
    c->ops = c->gathered;
    c->nops = 0;
    c->group = 0;

    bytes = 0;
    last = &c->batch;

    for (ctx = c->first; ctx && !c->group; ctx = ctx->next) {

        if (ctx->call.route->act == NGX_LEAD_DO_GROUP) {

            if (c->nops) {
                break;
            }

            c->ops = ctx->call.ops;
            c->nops = ctx->call.nops;
            c->group = 1;

        } else if (c->nops < NGX_LEAD_BATCH_OPS
                   && bytes <= NGX_LEAD_BATCH_BYTES)
        {
            c->gathered[c->nops++] = &ctx->call.op;
            bytes += ctx->call.body.len;

        } else {
            break;
        }

        c->nrequests++;
        last = &ctx->next;
    }

    c->first = *last;
    *last = NULL;

    if (c->first == NULL) {
        c->last = &c->first;
    }

    c->waiting -= c->nrequests;
}


static void
ngx_lead_commit_thread(void *data, ngx_log_t *log)
{
    struct timespec     start, end;
    ngx_lead_commit_t  *c = data;

    (void) clock_gettime(CLOCK_MONOTONIC, &start);

    c->rc = c->group
            ? lead_store_commit_group(c->store, c->ops, c->nops, &c->error)
            : lead_store_commit(c->store, c->ops, c->nops, &c->error);

    (void) clock_gettime(CLOCK_MONOTONIC, &end);

    c->usec = (end.tv_sec - start.tv_sec) * 1000000
              + (end.tv_nsec - start.tv_nsec) / 1000;
}


static void
ngx_lead_commit_done(ngx_event_t *ev)
{
    ngx_lead_commit_t    *c = ev->data;
    ngx_lead_counters_t  *counters;

    counters = c->worker->lmcf->counters;

    (void) ngx_atomic_fetch_add(&counters->batches, 1);
    (void) ngx_atomic_fetch_add(&counters->commit_usec, c->usec);

    if (c->rc != LEAD_OK && c->rc != LEAD_REFUSED) {
        (void) ngx_atomic_fetch_add(&counters->commit_errors, 1);
        ngx_lead_worker_complain(c->worker, ev->log, &c->error,
                                 "committing leads");
    }

    ngx_lead_commit_answer(c);
}


static void
ngx_lead_commit_answer(ngx_lead_commit_t *c)
{
    lead_rc_t            rc;
    ngx_uint_t           usec;
    ngx_lead_ctx_t      *ctx, *next;
    ngx_connection_t    *connection;
    ngx_http_request_t  *r;

    ctx = c->batch;
    rc = c->rc;
    usec = c->usec;

    c->batch = NULL;
    c->busy = 0;

    /* the disk before the answers: it is what the next ones wait for */

    if (c->first) {
        ngx_add_timer(&c->hold, NGX_LEAD_HOLD);
        ngx_lead_commit_flush(&c->flush);

    } else {
        ngx_del_timer(&c->hold);
    }

    for ( /* void */ ; ctx; ctx = next) {

        next = ctx->next;
        r = ctx->request;
        connection = r->connection;

        ctx->rc = rc;
        ctx->usec = usec;
        ctx->done = 1;

        if (rc == LEAD_OK && ctx->call.announced) {
            ngx_lead_outbox_wake(c->worker, ctx->call.account);
        }

        ngx_http_set_log_request(connection->log, r);

        r->main->blocked--;
        r->aio = 0;

        r->write_event_handler(r);
        ngx_http_run_posted_requests(connection);
    }
}


static void
ngx_lead_commit_hold(ngx_event_t *ev)
{
    ngx_lead_commit_t  *c = ev->data;

    ngx_log_error(NGX_LOG_CRIT, ev->log, 0,
                  "lead: a commit takes over %ui seconds, %ui requests wait",
                  (ngx_uint_t) NGX_LEAD_HOLD / 1000, c->waiting + c->nrequests);

    ngx_add_timer(ev, NGX_LEAD_HOLD);
}
