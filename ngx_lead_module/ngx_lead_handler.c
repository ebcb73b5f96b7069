
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
 */


#include "ngx_lead.h"


static ngx_lead_ctx_t *ngx_lead_handler_ctx(ngx_http_request_t *r);
static void ngx_lead_handler_cleanup(void *data);
static ngx_int_t ngx_lead_handler_error(ngx_lead_ctx_t *ctx);
static ngx_int_t ngx_lead_handler_start(ngx_lead_ctx_t *ctx);
static void ngx_lead_handler_request(ngx_lead_ctx_t *ctx);
static ngx_table_elt_t *ngx_lead_handler_find(ngx_http_request_t *r,
    const char *name, size_t len);
static ngx_int_t ngx_lead_handler_idempotency(ngx_lead_ctx_t *ctx);
static void ngx_lead_handler_body(ngx_http_request_t *r);
static ngx_int_t ngx_lead_handler_run(ngx_lead_ctx_t *ctx);
static ngx_int_t ngx_lead_handler_act(ngx_lead_ctx_t *ctx);
static ngx_int_t ngx_lead_handler_scope(ngx_lead_call_t *call);
static ngx_int_t ngx_lead_handler_get(ngx_lead_ctx_t *ctx);
static int ngx_lead_handler_sink(void *data, const lead_t *lead);
static void ngx_lead_handler_done(ngx_http_request_t *r);
static ngx_int_t ngx_lead_handler_committed(ngx_lead_ctx_t *ctx);
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
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
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
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
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

    cln->handler = ngx_lead_handler_cleanup;
    cln->data = ctx;

    ngx_http_set_ctx(r, ctx, ngx_lead_module);

    return ctx;
}


static void
ngx_lead_handler_cleanup(void *data)
{
    ngx_lead_ctx_t  *ctx = data;

    if (ctx->call.arena) {
        ngx_destroy_pool(ctx->call.arena);
        ctx->call.arena = NULL;
    }
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

    ngx_lead_handler_request(ctx);

    if (call->route->scope) {

        if (ctx->lmcf->worker == NULL || ctx->lmcf->worker->store == NULL) {
            call->fault.kind = NGX_LEAD_FAULT_UNAVAILABLE;
            return NGX_DECLINED;
        }

        call->endpoints = ctx->lmcf->worker->endpoints;

        rc = ngx_lead_auth(ctx);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (call->route->idempotent) {
        rc = ngx_lead_handler_idempotency(ctx);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (call->route->json
        && r->headers_in.content_length_n > (off_t) call->dialect->body_max)
    {
        call->fault.kind = NGX_LEAD_FAULT_TOO_LARGE;
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static void
ngx_lead_handler_request(ngx_lead_ctx_t *ctx)
{
    ngx_str_t        *name;
    ngx_table_elt_t  *h;

    name = &ctx->call.dialect->version_header;

    if (name->len) {
        h = ngx_lead_handler_find(ctx->request, (char *) name->data,
                                  name->len);
        if (h) {
            ctx->call.version = h->value;
        }
    }
}


static ngx_table_elt_t *
ngx_lead_handler_find(ngx_http_request_t *r, const char *name, size_t len)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    for (part = &r->headers_in.headers.part; part; part = part->next) {

        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (h[i].key.len == len
                && ngx_strncasecmp(h[i].key.data, (u_char *) name, len) == 0)
            {
                return &h[i];
            }
        }
    }

    return NULL;
}


/*
 * Bare and quoted values are the same key; an empty one is none.  Without a
 * credential there is no client to whom the key could belong (D1).
 */

static ngx_int_t
ngx_lead_handler_idempotency(ngx_lead_ctx_t *ctx)
{
    size_t            n;
    u_char           *p, *last;
    ngx_table_elt_t  *h;
    ngx_lead_call_t  *call;

    call = &ctx->call;

    if (call->key.id[0] == '\0') {
        return NGX_OK;
    }

    h = ngx_lead_handler_find(ctx->request, "Idempotency-Key",
                              sizeof("Idempotency-Key") - 1);
    if (h == NULL) {
        return NGX_OK;
    }

    p = h->value.data;
    last = p + h->value.len;

    while (p < last && (*p == ' ' || *p == '\t')) {
        p++;
    }

    while (p < last && (last[-1] == ' ' || last[-1] == '\t')) {
        last--;
    }

    if (last - p >= 2 && *p == '"' && last[-1] == '"') {
        p++;
        last--;
    }

    call->idempotency.data = p;
    call->idempotency.len = last - p;

    for (n = 0; p < last; p++) {
        n += (*p & 0xc0) != 0x80;
    }

    if (n > NGX_LEAD_IDEMPOTENCY_MAX) {
        call->fault.kind = NGX_LEAD_FAULT_IDEMPOTENCY;
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static void
ngx_lead_handler_body(ngx_http_request_t *r)
{
    ngx_int_t        rc;
    ngx_lead_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_lead_module);

    rc = ngx_lead_handler_run(ctx);

    if (rc == NGX_AGAIN) {
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
    const char       *why;
    ngx_lead_call_t  *call;

    call = &ctx->call;

    if (call->route->json) {

        if (ngx_lead_body_collect(ctx->request, &call->body) != NGX_OK) {
            return ngx_lead_handler_fault(ctx, NGX_LEAD_FAULT_INTERNAL);
        }

        if (call->body.len > call->dialect->body_max) {
            return ngx_lead_handler_fault(ctx, NGX_LEAD_FAULT_TOO_LARGE);
        }

        rc = ngx_lead_json_parse(call->pool, &call->body, &call->json, &why);

        if (rc == NGX_DECLINED) {
            ngx_log_error(NGX_LOG_INFO, call->log, 0,
                          "lead: client sent invalid JSON: %s", why);

            return ngx_lead_handler_fault(ctx, NGX_LEAD_FAULT_BAD_JSON);
        }

        if (rc != NGX_OK) {
            return ngx_lead_handler_fault(ctx, NGX_LEAD_FAULT_INTERNAL);
        }
    }

    rc = call->route->decode(call);

    if (rc == NGX_OK) {
        return ngx_lead_handler_act(ctx);
    }

    if (rc == NGX_DECLINED) {
        return ngx_lead_reply(ctx);
    }

    return ngx_lead_handler_fault(ctx, NGX_LEAD_FAULT_INTERNAL);
}


static ngx_int_t
ngx_lead_handler_act(ngx_lead_ctx_t *ctx)
{
    ngx_int_t         rc;
    ngx_lead_call_t  *call;

    call = &ctx->call;
    rc = NGX_OK;

    switch (call->route->act) {

    case NGX_LEAD_DO_ANSWER:
        return ngx_lead_reply(ctx);

    case NGX_LEAD_DO_FIND:
        return ngx_lead_handler_get(ctx);

    case NGX_LEAD_DO_LIST:

        if (call->list.empty) {
            return ngx_lead_handler_encode(ctx, NULL, 0);
        }

        rc = ngx_lead_read_submit(ctx);
        break;

    case NGX_LEAD_DO_COMMIT:

        call->op.account = call->store_account;
        call->op.actor.data = (u_char *) call->key.id;
        call->op.actor.len = ngx_strlen(call->key.id);
        call->op.alloc = ngx_lead_call_alloc;
        call->op.arena = call;

        if (ngx_lead_handler_scope(call) != NGX_OK) {
            return ngx_lead_handler_fault(ctx, NGX_LEAD_FAULT_INTERNAL);
        }

        rc = ngx_lead_commit_submit(ctx);
        break;
    }

    if (rc == NGX_AGAIN) {
        return NGX_AGAIN;
    }

    return ngx_lead_handler_fault(ctx, NGX_LEAD_FAULT_UNAVAILABLE);
}


/* client, dialect, route, resource and key; the store adds the account */

static ngx_int_t
ngx_lead_handler_scope(ngx_lead_call_t *call)
{
    size_t      len;
    u_char     *p;
    ngx_str_t  *part[5], id;
    ngx_uint_t  i;

    if (call->idempotency.len == 0) {
        return NGX_OK;
    }

    id.data = (u_char *) call->key.id;
    id.len = ngx_strlen(call->key.id);

    part[0] = &id;
    part[1] = &call->dialect->name;
    part[2] = &call->route->path;
    part[3] = &call->params[0];
    part[4] = &call->idempotency;

    len = 5;

    for (i = 0; i < 5; i++) {
        len += part[i]->len;
    }

    p = ngx_pnalloc(call->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    call->op.idempotency.data = p;

    for (i = 0; i < 5; i++) {
        p = ngx_cpymem(p, part[i]->data, part[i]->len);
        *p++ = '\0';
    }

    call->op.idempotency.len = p - call->op.idempotency.data;

    return NGX_OK;
}


static ngx_int_t
ngx_lead_handler_get(ngx_lead_ctx_t *ctx)
{
    lead_t            lead;
    lead_rc_t         rc;
    lead_error_t      error;
    ngx_lead_call_t  *call;

    call = &ctx->call;
    ctx->lead = &lead;

    rc = lead_store_get(ctx->lmcf->worker->store, call->store_account,
                        &call->find, ngx_lead_handler_sink, ctx, &error);

    if (rc == LEAD_NOTFOUND) {
        return ngx_lead_handler_fault(ctx, NGX_LEAD_FAULT_NOT_FOUND);
    }

    if (rc != LEAD_OK) {
        ngx_lead_worker_complain(ctx->lmcf->worker, call->log, &error,
                                 "reading a lead");
        return ngx_lead_handler_fault(ctx, NGX_LEAD_FAULT_UNAVAILABLE);
    }

    if (lead.doc.data == NULL) {
        return ngx_lead_handler_fault(ctx, NGX_LEAD_FAULT_INTERNAL);
    }

    return ngx_lead_handler_encode(ctx, &lead, 1);
}


static int
ngx_lead_handler_sink(void *data, const lead_t *lead)
{
    u_char          *p;
    ngx_lead_ctx_t  *ctx = data;

    *ctx->lead = *lead;

    p = ngx_pnalloc(ctx->call.pool, lead->doc.len + 1);
    if (p) {
        ngx_memcpy(p, lead->doc.data, lead->doc.len);
    }

    ctx->lead->doc.data = p;

    return 1;
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

    if (ctx->call.route->act == NGX_LEAD_DO_LIST) {
        rc = ngx_lead_handler_listed(ctx);

    } else {
        rc = ngx_lead_handler_committed(ctx);
    }

    ngx_http_finalize_request(r, rc);
}


static ngx_int_t
ngx_lead_handler_committed(ngx_lead_ctx_t *ctx)
{
    lead_op_t            *op;
    ngx_lead_counters_t  *counters;

    op = &ctx->call.op;
    counters = ctx->lmcf->counters;

    if (ctx->rc != LEAD_OK) {
        return ngx_lead_handler_fault(ctx, NGX_LEAD_FAULT_UNAVAILABLE);
    }

    if (op->rc == LEAD_TOOBIG) {
        return ngx_lead_handler_fault(ctx, NGX_LEAD_FAULT_TOO_LARGE);
    }

    if (op->rc != LEAD_OK) {
        ngx_log_error(NGX_LOG_ERR, ctx->call.log, 0,
                      "lead: an operation failed: %s",
                      lead_store_rc_text(op->rc));

        return ngx_lead_handler_fault(ctx, NGX_LEAD_FAULT_INTERNAL);
    }

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

    return ngx_lead_handler_encode(ctx, op->leads, op->nleads);
}


static ngx_int_t
ngx_lead_handler_listed(ngx_lead_ctx_t *ctx)
{
    lead_t      *leads;
    ngx_uint_t   n;

    switch (ngx_lead_read_result(ctx, &leads, &n)) {

    case NGX_OK:
        return ngx_lead_handler_encode(ctx, leads, n);

    case NGX_DECLINED:
        return ngx_lead_handler_fault(ctx, NGX_LEAD_FAULT_UNAVAILABLE);

    default:
        return ngx_lead_handler_fault(ctx, NGX_LEAD_FAULT_INTERNAL);
    }
}


static ngx_int_t
ngx_lead_handler_encode(ngx_lead_ctx_t *ctx, lead_t *leads, ngx_uint_t n)
{
    ngx_lead_call_t  *call;

    call = &ctx->call;

    if (n == 1 && call->route->act != NGX_LEAD_DO_LIST) {
        lead_store_id_text(&leads[0].id, (char *) ctx->lead_id);
    }

    if (call->route->encode(call, leads, n) == NGX_ERROR) {
        return ngx_lead_handler_fault(ctx, NGX_LEAD_FAULT_INTERNAL);
    }

    return ngx_lead_reply(ctx);
}


static ngx_int_t
ngx_lead_handler_fault(ngx_lead_ctx_t *ctx, ngx_lead_fault_e kind)
{
    ctx->call.fault.kind = kind;

    return ngx_lead_reply(ctx);
}
