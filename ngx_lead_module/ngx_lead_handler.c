
/*
 * Copyright (C) the ngx_lead authors
 *
 * The story of a request: route, authenticate, read the body, parse,
 * decode, go to the store, answer.
 *
 * A request that waits for the disk is pinned by r->main->blocked; when it
 * comes back, or its client has left, r->write_event_handler is called.  All
 * that a request needs is in r->pool, and in its call's arena, which dies
 * with it.
 *
 * NGX_ERROR, of whatever is called here, means that there is no memory, or no
 * temporary file: the client is told to come again, as of a full disk.
 */


#include "ngx_lead.h"


static ngx_lead_ctx_t *ngx_lead_handler_ctx(ngx_http_request_t *r);
static void ngx_lead_handler_cleanup(void *data);
static ngx_int_t ngx_lead_handler_error(ngx_lead_ctx_t *ctx);
static ngx_int_t ngx_lead_handler_start(ngx_lead_ctx_t *ctx);
static ngx_int_t ngx_lead_handler_admit(ngx_lead_ctx_t *ctx);
static void ngx_lead_handler_body(ngx_http_request_t *r);
static ngx_int_t ngx_lead_handler_run(ngx_lead_ctx_t *ctx);
static ngx_int_t ngx_lead_handler_act(ngx_lead_ctx_t *ctx);
static ngx_int_t ngx_lead_handler_submit(ngx_lead_ctx_t *ctx);
static void ngx_lead_handler_op(ngx_lead_call_t *call, lead_op_t *op);
static ngx_int_t ngx_lead_handler_get(ngx_lead_ctx_t *ctx);
static void ngx_lead_handler_done(ngx_http_request_t *r);
static ngx_int_t ngx_lead_handler_committed(ngx_lead_ctx_t *ctx);
static ngx_int_t ngx_lead_handler_failed(ngx_lead_ctx_t *ctx, lead_op_t *op);
static ngx_int_t ngx_lead_handler_grouped(ngx_lead_ctx_t *ctx);
static void ngx_lead_handler_count(ngx_lead_ctx_t *ctx, lead_op_t *op);
static ngx_int_t ngx_lead_handler_listed(ngx_lead_ctx_t *ctx);
static ngx_int_t ngx_lead_handler_encode(ngx_lead_ctx_t *ctx, lead_t *leads,
    ngx_uint_t n);
static ngx_int_t ngx_lead_handler_fault(ngx_lead_ctx_t *ctx,
    ngx_lead_fault_e kind);


ngx_int_t
ngx_lead_handler(ngx_http_request_t *r)
{
    ngx_int_t        rc;
    ngx_lead_ctx_t  *ctx;

    if (r != r->main) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx = ngx_lead_handler_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    if (r->internal && r->err_status) {
        return ngx_lead_handler_error(ctx);
    }

    (void) ngx_atomic_fetch_add(&ctx->lmcf->counters->requests, 1);

    rc = ngx_lead_handler_start(ctx);

    if (rc == NGX_DECLINED) {
        return ngx_lead_reply(ctx);
    }

    if (rc != NGX_OK) {
        return ngx_lead_handler_fault(ctx, NGX_LEAD_FAULT_UNAVAILABLE);
    }

    if (ctx->call.status) {
        return ngx_lead_reply(ctx);
    }

    r->request_body_in_single_buf = 1;

    rc = ngx_http_read_client_request_body(r, ngx_lead_handler_body);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    return NGX_DONE;
}


static ngx_lead_ctx_t *
ngx_lead_handler_ctx(ngx_http_request_t *r)
{
    ngx_lead_ctx_t       *ctx;
    ngx_lead_call_t      *call;
    ngx_pool_cleanup_t   *cln;
    ngx_lead_loc_conf_t  *llcf;

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_lead_ctx_t));
    if (ctx == NULL) {
        return NULL;
    }

    cln = ngx_pool_cleanup_add(r->pool, 0);
    if (cln == NULL) {
        return NULL;
    }

    llcf = ngx_http_get_module_loc_conf(r, ngx_lead_module);

    ctx->request = r;
    ctx->lmcf = ngx_http_get_module_main_conf(r, ngx_lead_module);

    call = &ctx->call;
    call->pool = r->pool;
    call->log = r->connection->log;
    call->dialect = llcf->dialect;
    call->args = r->args;
    call->address = r->connection->addr_text;
    call->accounts = &ctx->lmcf->accounts;

    cln->handler = ngx_lead_handler_cleanup;
    cln->data = ctx;

    ngx_http_set_ctx(r, ctx, ngx_lead_module);

    return ctx;
}


static void
ngx_lead_handler_cleanup(void *data)
{
    ngx_lead_ctx_t  *ctx = data;

    ngx_lead_call_release(&ctx->call);
}


/* what nginx itself found wrong comes here by error_page */

static ngx_int_t
ngx_lead_handler_error(ngx_lead_ctx_t *ctx)
{
    ngx_lead_fault_e     kind;
    ngx_http_request_t  *r;

    r = ctx->request;

    switch (r->err_status) {

    case NGX_HTTP_REQUEST_ENTITY_TOO_LARGE:
        kind = NGX_LEAD_FAULT_TOO_LARGE;
        break;

    case NGX_HTTP_TOO_MANY_REQUESTS:
        kind = NGX_LEAD_FAULT_RATE;
        break;

    case NGX_HTTP_SERVICE_UNAVAILABLE:
        kind = NGX_LEAD_FAULT_UNAVAILABLE;
        break;

    case NGX_HTTP_BAD_REQUEST:
        kind = NGX_LEAD_FAULT_BAD_REQUEST;
        break;

    default:
        kind = NGX_LEAD_FAULT_INTERNAL;
    }

    return ngx_lead_handler_fault(ctx, kind);
}


/* all that is known before the body is read */

static ngx_int_t
ngx_lead_handler_start(ngx_lead_ctx_t *ctx)
{
    ngx_int_t            rc;
    ngx_lead_call_t     *call;
    ngx_http_request_t  *r;

    r = ctx->request;
    call = &ctx->call;

    rc = ngx_lead_route(ctx);

    if (rc != NGX_OK || call->status) {
        return rc;
    }

    if (ngx_lead_request(ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    if (call->route->scope) {

        if (ctx->lmcf->worker == NULL || ctx->lmcf->worker->store == NULL) {
            call->fault.kind = NGX_LEAD_FAULT_UNAVAILABLE;
            return NGX_DECLINED;
        }

        ctx->lmcf->worker->requests++;
        call->endpoints = ctx->lmcf->worker->endpoints;
    }

    if (!ngx_lead_auth_in_body(call)) {
        rc = ngx_lead_handler_admit(ctx);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    ctx->body_max = call->route->body_max ? call->route->body_max
                                          : call->dialect->body_max;

    if (call->route->body != NGX_LEAD_BODY_NONE
        && r->headers_in.content_length_n > (off_t) ctx->body_max)
    {
        call->fault.kind = NGX_LEAD_FAULT_TOO_LARGE;
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* who may come in: before the body is read, unless the credential is there */

static ngx_int_t
ngx_lead_handler_admit(ngx_lead_ctx_t *ctx)
{
    ngx_int_t         rc;
    ngx_lead_call_t  *call;

    call = &ctx->call;
    rc = NGX_OK;

    if (call->route->resource) {
        rc = call->route->resource(call);
    }

    if (rc == NGX_OK && call->route->scope) {
        rc = ngx_lead_auth(ctx);
    }

    if (rc == NGX_OK) {
        rc = ngx_lead_rate(ctx);
    }

    if (rc == NGX_OK && call->route->idempotent) {
        rc = ngx_lead_idempotency(ctx);
    }

    return rc;
}


static void
ngx_lead_handler_body(ngx_http_request_t *r)
{
    ngx_int_t        rc;
    ngx_lead_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_lead_module);

    rc = ngx_lead_handler_run(ctx);

    if (rc == NGX_DONE) {
        r->read_event_handler = ngx_http_test_reading;
        r->write_event_handler = ngx_lead_handler_done;
        return;
    }

    ngx_http_finalize_request(r, rc);
}


static ngx_int_t
ngx_lead_handler_run(ngx_lead_ctx_t *ctx)
{
    ngx_int_t         rc;
    ngx_lead_call_t  *call;

    call = &ctx->call;
    rc = NGX_OK;

    if (call->route->body != NGX_LEAD_BODY_NONE) {

        if (ngx_lead_body_collect(ctx->request, &call->body) != NGX_OK) {
            return ngx_lead_handler_fault(ctx, NGX_LEAD_FAULT_UNAVAILABLE);
        }

        if (call->body.len > ctx->body_max) {
            return ngx_lead_handler_fault(ctx, NGX_LEAD_FAULT_TOO_LARGE);
        }

        rc = ngx_lead_body_parse(ctx);
    }

    if (rc == NGX_OK && ngx_lead_auth_in_body(call)) {
        rc = ngx_lead_handler_admit(ctx);
    }

    if (rc == NGX_OK) {
        rc = call->route->decode(call);
    }

    if (rc == NGX_OK) {
        return ngx_lead_handler_act(ctx);
    }

    if (rc == NGX_DECLINED) {
        return ngx_lead_reply(ctx);
    }

    return ngx_lead_handler_fault(ctx, NGX_LEAD_FAULT_UNAVAILABLE);
}


static ngx_int_t
ngx_lead_handler_act(ngx_lead_ctx_t *ctx)
{
    ngx_int_t         rc;
    ngx_lead_call_t  *call;

    call = &ctx->call;

    switch (call->route->act) {

    case NGX_LEAD_DO_FIND:
        return ngx_lead_handler_get(ctx);

    case NGX_LEAD_DO_LIST:

        if (call->list.empty) {
            return ngx_lead_handler_encode(ctx, NULL, 0);
        }

        rc = ngx_lead_read_submit(ctx);
        break;

    case NGX_LEAD_DO_COMMIT:
    case NGX_LEAD_DO_GROUP:
        rc = ngx_lead_handler_submit(ctx);
        break;

    default: /* NGX_LEAD_DO_ANSWER */
        return ngx_lead_reply(ctx);
    }

    /* NGX_AGAIN is also that of an answer too large for the socket */

    if (rc == NGX_AGAIN) {
        return NGX_DONE;
    }

    return ngx_lead_handler_fault(ctx, NGX_LEAD_FAULT_UNAVAILABLE);
}


static ngx_int_t
ngx_lead_handler_submit(ngx_lead_ctx_t *ctx)
{
    lead_op_t        *first;
    ngx_uint_t        i;
    ngx_lead_call_t  *call;

    call = &ctx->call;
    first = &call->op;

    if (call->route->act == NGX_LEAD_DO_GROUP) {
        first = call->ops[0];

        for (i = 0; i < call->nops; i++) {
            ngx_lead_handler_op(call, call->ops[i]);
        }

    } else {
        ngx_lead_handler_op(call, first);
    }

    if (ngx_lead_idempotency_scope(call, &first->idempotency) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_lead_commit_submit(ctx);
}


static void
ngx_lead_handler_op(ngx_lead_call_t *call, lead_op_t *op)
{
    op->account = call->store_account;
    op->actor.data = (u_char *) call->key.id;
    op->actor.len = ngx_strlen(call->key.id);
    op->alloc = ngx_lead_call_alloc;
    op->arena = call;
}


static ngx_int_t
ngx_lead_handler_get(ngx_lead_ctx_t *ctx)
{
    lead_t  lead;

    switch (ngx_lead_read_get(ctx, &lead)) {

    case NGX_OK:
        return ngx_lead_handler_encode(ctx, &lead, 1);

    case NGX_DECLINED:
        return ngx_lead_reply(ctx);

    default:
        return ngx_lead_handler_fault(ctx, NGX_LEAD_FAULT_UNAVAILABLE);
    }
}


/* back from a thread, or a stray event of the connection's */

static void
ngx_lead_handler_done(ngx_http_request_t *r)
{
    ngx_int_t        rc;
    ngx_lead_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_lead_module);

    if (!ctx->done) {
        return;
    }

    switch (ctx->call.route->act) {

    case NGX_LEAD_DO_LIST:
        rc = ngx_lead_handler_listed(ctx);
        break;

    case NGX_LEAD_DO_GROUP:
        rc = ngx_lead_handler_grouped(ctx);
        break;

    default:
        rc = ngx_lead_handler_committed(ctx);
    }

    ngx_http_finalize_request(r, rc);
}


static ngx_int_t
ngx_lead_handler_committed(ngx_lead_ctx_t *ctx)
{
    lead_op_t     *op;
    lead_error_t   error;

    op = &ctx->call.op;

    if (ctx->rc != LEAD_OK) {
        return ngx_lead_handler_fault(ctx, NGX_LEAD_FAULT_UNAVAILABLE);
    }

    if (op->rc == LEAD_TOOBIG) {
        return ngx_lead_handler_fault(ctx, NGX_LEAD_FAULT_TOO_LARGE);
    }

    if (op->rc != LEAD_OK) {
        return ngx_lead_handler_failed(ctx, op);
    }

    /* decide(), which sees counters, was not asked */

    if (op->outcome == LEAD_REPLAYED
        && ngx_lead_read_counters(ctx, &error) != LEAD_OK)
    {
        ngx_lead_worker_complain(ctx->lmcf->worker, ctx->call.log, &error,
                                 "reading counters");

        return ngx_lead_handler_fault(ctx, NGX_LEAD_FAULT_UNAVAILABLE);
    }

    ngx_lead_handler_count(ctx, op);

    return ngx_lead_handler_encode(ctx, op->leads, op->nleads);
}


/* without memory it may be better luck the next time */

static ngx_int_t
ngx_lead_handler_failed(ngx_lead_ctx_t *ctx, lead_op_t *op)
{
    ngx_log_error(NGX_LOG_ERR, ctx->call.log, 0,
                  "lead: an operation failed: %s",
                  lead_store_rc_text(op->rc));

    return ngx_lead_handler_fault(ctx, op->rc == LEAD_NOMEM
                                       ? NGX_LEAD_FAULT_UNAVAILABLE
                                       : NGX_LEAD_FAULT_INTERNAL);
}


/* the leads of all operations in order; a repeat has them all in the first */

static ngx_int_t
ngx_lead_handler_grouped(ngx_lead_ctx_t *ctx)
{
    lead_t           *leads;
    lead_op_t        *op;
    ngx_uint_t        i;
    ngx_lead_call_t  *call;

    call = &ctx->call;
    op = call->ops[0];

    if (ctx->rc == LEAD_REFUSED) {

        for (i = 0; i < call->nops; i++) {
            if (call->ops[i]->rc == LEAD_TOOBIG) {
                return ngx_lead_handler_fault(ctx, NGX_LEAD_FAULT_TOO_LARGE);
            }

            if (call->ops[i]->rc != LEAD_OK) {
                return ngx_lead_handler_failed(ctx, call->ops[i]);
            }
        }

        return ngx_lead_handler_encode(ctx, NULL, 0);
    }

    if (ctx->rc != LEAD_OK) {
        return ngx_lead_handler_fault(ctx, NGX_LEAD_FAULT_UNAVAILABLE);
    }

    if (op->outcome == LEAD_REPLAYED) {
        ngx_lead_handler_count(ctx, op);
        return ngx_lead_handler_encode(ctx, op->leads, op->nleads);
    }

    leads = ngx_palloc(call->pool, call->nops * sizeof(lead_t));
    if (leads == NULL) {
        return ngx_lead_handler_fault(ctx, NGX_LEAD_FAULT_UNAVAILABLE);
    }

    for (i = 0; i < call->nops; i++) {
        leads[i] = call->ops[i]->leads[0];
        ngx_lead_handler_count(ctx, call->ops[i]);
    }

    return ngx_lead_handler_encode(ctx, leads, call->nops);
}


static void
ngx_lead_handler_count(ngx_lead_ctx_t *ctx, lead_op_t *op)
{
    ngx_lead_counters_t  *counters;

    counters = ctx->lmcf->counters;

    switch (op->outcome) {

    case LEAD_INSERTED:
        (void) ngx_atomic_fetch_add(&counters->created, 1);
        break;

    case LEAD_UPDATED:
        (void) ngx_atomic_fetch_add(&counters->updated, 1);
        break;

    case LEAD_REPLAYED:
        (void) ngx_atomic_fetch_add(&counters->replayed, 1);
        break;

    default:
        break;
    }
}


static ngx_int_t
ngx_lead_handler_listed(ngx_lead_ctx_t *ctx)
{
    lead_t      *leads;
    ngx_uint_t   n;

    if (ngx_lead_read_result(ctx, &leads, &n) != NGX_OK) {
        return ngx_lead_handler_fault(ctx, NGX_LEAD_FAULT_UNAVAILABLE);
    }

    return ngx_lead_handler_encode(ctx, leads, n);
}


static ngx_int_t
ngx_lead_handler_encode(ngx_lead_ctx_t *ctx, lead_t *leads, ngx_uint_t n)
{
    ngx_int_t         rc;
    ngx_lead_call_t  *call;

    call = &ctx->call;

    if (n == 1 && call->route->act != NGX_LEAD_DO_LIST) {
        lead_store_id_text(&leads[0].id, (char *) ctx->lead_id);
    }

    /* a page's tree goes with its leads, as soon as the text is written */

    if (call->route->act == NGX_LEAD_DO_LIST) {
        call->pool = ngx_lead_call_arena(call);

        rc = call->pool ? call->route->encode(call, leads, n) : NGX_ERROR;

        call->pool = ctx->request->pool;

    } else {
        rc = call->route->encode(call, leads, n);
    }

    if (rc == NGX_ERROR) {
        return ngx_lead_handler_fault(ctx, NGX_LEAD_FAULT_UNAVAILABLE);
    }

    return ngx_lead_reply(ctx);
}


static ngx_int_t
ngx_lead_handler_fault(ngx_lead_ctx_t *ctx, ngx_lead_fault_e kind)
{
    ctx->call.fault.kind = kind;

    return ngx_lead_reply(ctx);
}
