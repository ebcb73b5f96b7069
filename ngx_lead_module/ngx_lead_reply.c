
/*
 * Copyright (C) the ngx_lead authors
 *
 * The answer on its way out: status, headers, body.  What is wrong with a
 * call becomes the dialect's words here, and nowhere else.
 *
 * A header filter marks all answers of locations with lead_api or lead_status,
 * nginx' own errors among them, as not to be taken for another type.
 */


#include "ngx_lead.h"


static ngx_int_t ngx_lead_reply_failed(ngx_lead_ctx_t *ctx);
static ngx_int_t ngx_lead_reply_fault(ngx_lead_ctx_t *ctx);
static ngx_int_t ngx_lead_reply_retry(ngx_lead_ctx_t *ctx);
static ngx_int_t ngx_lead_reply_headers(ngx_lead_ctx_t *ctx);
static ngx_int_t ngx_lead_reply_body(ngx_lead_call_t *call, ngx_buf_t **body);
static void ngx_lead_reply_count(ngx_lead_ctx_t *ctx);
static ngx_int_t ngx_lead_reply_filter(ngx_http_request_t *r);


ngx_int_t
ngx_lead_reply(ngx_lead_ctx_t *ctx)
{
    ngx_int_t            rc;
    ngx_buf_t           *b;
    ngx_chain_t          out;
    ngx_lead_call_t     *call;
    ngx_http_request_t  *r;

    r = ctx->request;
    call = &ctx->call;

    if (r->request_body == NULL) {

        /* nobody is told to go on sending what is not read; as a client may
         * then send the body or not, what follows it cannot be told from it */

        if (r->headers_in.expect) {
            r->keepalive = 0;
        }

        r->expect_tested = 1;

        rc = ngx_http_discard_request_body(r);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (call->fault.kind != NGX_LEAD_FAULT_NONE
        && ngx_lead_reply_fault(ctx) != NGX_OK)
    {
        return ngx_lead_reply_failed(ctx);
    }

    if (ngx_lead_reply_headers(ctx) != NGX_OK
        || ngx_lead_reply_body(call, &b) != NGX_OK)
    {
        return ngx_lead_reply_failed(ctx);
    }

    ngx_lead_reply_count(ctx);

    /* what was done is said, whatever a client made a condition */

    r->disable_not_modified = 1;

    r->headers_out.status = call->status;
    r->headers_out.content_length_n = b ? b->last - b->pos : 0;

    if (b) {
        ngx_str_set(&r->headers_out.content_type, "application/json");
        r->headers_out.content_type_len = r->headers_out.content_type.len;

    } else {
        r->header_only = 1;

        if (call->status == NGX_HTTP_NO_CONTENT) {
            r->headers_out.content_length_n = -1;
        }
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only || b == NULL) {
        return rc;
    }

    b->last_buf = 1;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


/* no memory for an answer: nginx' own, by error_page, may be had */

static ngx_int_t
ngx_lead_reply_failed(ngx_lead_ctx_t *ctx)
{
    ngx_http_clean_header(ctx->request);

    ctx->call.status = NGX_HTTP_SERVICE_UNAVAILABLE;
    ngx_lead_reply_count(ctx);

    return NGX_HTTP_SERVICE_UNAVAILABLE;
}


static ngx_int_t
ngx_lead_reply_fault(ngx_lead_ctx_t *ctx)
{
    ngx_lead_call_t  *call;

    call = &ctx->call;

    call->root = NULL;
    ngx_str_null(&call->text);

    if (ngx_lead_reply_retry(ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    return call->dialect->fault(call);
}


static ngx_int_t
ngx_lead_reply_retry(ngx_lead_ctx_t *ctx)
{
    u_char           *p;
    ngx_str_t         value;
    ngx_uint_t        seconds;
    ngx_lead_call_t  *call;

    call = &ctx->call;

    if (call->fault.kind != NGX_LEAD_FAULT_UNAVAILABLE
        && call->fault.kind != NGX_LEAD_FAULT_RATE)
    {
        return NGX_OK;
    }

    seconds = NGX_LEAD_RETRY_AFTER;

    if (call->fault.kind == NGX_LEAD_FAULT_RATE && call->rate.reset) {
        seconds = call->rate.reset;
    }

    p = ngx_pnalloc(call->pool, NGX_INT_T_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value.data = p;
    value.len = ngx_sprintf(p, "%ui", seconds) - p;

    return ngx_lead_reply_header(ctx->request, "Retry-After", &value);
}


ngx_int_t
ngx_lead_reply_header(ngx_http_request_t *r, const char *name,
    ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    h->key.data = (u_char *) name;
    h->key.len = ngx_strlen(name);
    h->value = *value;

    return NGX_OK;
}


static ngx_int_t
ngx_lead_reply_headers(ngx_lead_ctx_t *ctx)
{
    ngx_uint_t        i;
    ngx_lead_call_t  *call;

    call = &ctx->call;

    if (call->dialect->headers && call->dialect->headers(call) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < call->nheaders; i++) {
        if (ngx_lead_reply_header(ctx->request, call->headers[i].name,
                                  &call->headers[i].value)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_lead_reply_body(ngx_lead_call_t *call, ngx_buf_t **body)
{
    size_t      len;
    ngx_buf_t  *b;

    *body = NULL;

    len = call->root ? ngx_lead_json_len(call->root) : call->text.len;

    if (len == 0) {
        return NGX_OK;
    }

    if (call->root) {
        b = ngx_create_temp_buf(call->pool, len);
        if (b == NULL) {
            return NGX_ERROR;
        }

        b->last = ngx_lead_json_write(b->last, call->root);

        /* a client that reads slowly shall keep no more than it is sent */

        if (call->route && call->route->act == NGX_LEAD_DO_LIST) {
            call->root = NULL;
            ngx_lead_call_release(call);
        }

    } else {
        b = ngx_calloc_buf(call->pool);
        if (b == NULL) {
            return NGX_ERROR;
        }

        b->pos = call->text.data;
        b->last = call->text.data + len;
        b->memory = 1;
    }

    *body = b;

    return NGX_OK;
}


static void
ngx_lead_reply_count(ngx_lead_ctx_t *ctx)
{
    ngx_lead_counters_t  *counters;

    counters = ctx->lmcf->counters;

    if (ctx->call.status >= NGX_HTTP_INTERNAL_SERVER_ERROR) {
        (void) ngx_atomic_fetch_add(&counters->unavailable, 1);

    } else if (ctx->call.status >= NGX_HTTP_BAD_REQUEST) {
        (void) ngx_atomic_fetch_add(&counters->rejected, 1);
    }
}


/* the next filter is kept where each generation has its own */

void
ngx_lead_reply_init(ngx_lead_main_conf_t *lmcf)
{
    lmcf->header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_lead_reply_filter;
}


static ngx_int_t
ngx_lead_reply_filter(ngx_http_request_t *r)
{
    ngx_str_t              value;
    ngx_lead_loc_conf_t   *llcf;
    ngx_lead_main_conf_t  *lmcf;

    lmcf = ngx_http_get_module_main_conf(r, ngx_lead_module);
    llcf = ngx_http_get_module_loc_conf(r, ngx_lead_module);

    if (r == r->main && (llcf->dialect || llcf->status)) {
        ngx_str_set(&value, "nosniff");

        if (ngx_lead_reply_header(r, "X-Content-Type-Options", &value)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return lmcf->header_filter(r);
}
