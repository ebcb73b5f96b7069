
/*
 * Copyright (C) the ngx_lead authors
 *
 * The request's body as one run of bytes, and by Content-Type as a tree.  A
 * body in one buffer is not copied; one in several buffers or in a temporary
 * file is copied to r->pool.
 */


#include "ngx_lead.h"
#include "ngx_lead_form.h"


static ngx_int_t ngx_lead_body_form(ngx_lead_call_t *call, ngx_str_t *type,
    const char **why);
static ngx_int_t ngx_lead_body_empty(ngx_lead_call_t *call);
static ngx_int_t ngx_lead_body_copy(ngx_http_request_t *r, ngx_buf_t *b,
    u_char **dst, u_char *last);


ngx_int_t
ngx_lead_body_collect(ngx_http_request_t *r, ngx_str_t *body)
{
    off_t         size;
    u_char       *p;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    ngx_str_null(body);

    if (r->request_body == NULL || r->request_body->bufs == NULL) {
        return NGX_OK;
    }

    cl = r->request_body->bufs;
    b = cl->buf;

    if (cl->next == NULL && ngx_buf_in_memory(b)) {
        body->data = b->pos;
        body->len = b->last - b->pos;
        return NGX_OK;
    }

    size = 0;

    for ( /* void */ ; cl; cl = cl->next) {
        size += ngx_buf_size(cl->buf);
    }

    p = ngx_pnalloc(r->pool, size + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    body->data = p;
    body->len = size;

    for (cl = r->request_body->bufs; cl; cl = cl->next) {
        if (ngx_lead_body_copy(r, cl->buf, &p, body->data + size) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_lead_body_copy(ngx_http_request_t *r, ngx_buf_t *b, u_char **dst,
    u_char *last)
{
    size_t   len;
    ssize_t  n;

    len = ngx_buf_size(b);

    if (len > (size_t) (last - *dst)) {
        ngx_log_error(NGX_LOG_ALERT, r->connection->log, 0,
                      "lead: request body is longer than its buffers");
        return NGX_ERROR;
    }

    if (!b->in_file) {

        /* a buffer without bytes may also be in no memory: the last one */

        if (len) {
            *dst = ngx_cpymem(*dst, b->pos, len);
        }

        return NGX_OK;
    }

    n = ngx_read_file(b->file, *dst, len, b->file_pos);

    if (n != (ssize_t) len) {
        ngx_log_error(NGX_LOG_CRIT, r->connection->log,
                      (n == NGX_ERROR) ? ngx_errno : 0,
                      "lead: could not read the request body from \"%V\"",
                      &b->file->name);
        return NGX_ERROR;
    }

    *dst += len;

    return NGX_OK;
}


ngx_int_t
ngx_lead_body_parse(ngx_lead_ctx_t *ctx)
{
    ngx_int_t             rc;
    ngx_str_t             type;
    const char           *why;
    ngx_table_elt_t      *h;
    ngx_lead_call_t      *call;
    ngx_lead_form_type_e  form;

    call = &ctx->call;

    ngx_str_null(&type);
    h = ctx->request->headers_in.content_type;

    if (h) {
        type = h->value;
    }

    if (call->route->body != NGX_LEAD_BODY_JSON) {

        form = ngx_lead_form_type(&type);

        if (form == NGX_LEAD_FORM_URLENCODED
            || form == NGX_LEAD_FORM_MULTIPART)
        {
            call->form = 1;

        } else if (call->body.len == 0
                   || call->route->body == NGX_LEAD_BODY_FORM)
        {
            return ngx_lead_body_empty(call);
        }
    }

    rc = call->form ? ngx_lead_body_form(call, &type, &why)
                    : ngx_lead_json_parse(call->pool, &call->body,
                                          &call->json, &why);

    if (rc == NGX_DECLINED) {
        ngx_log_error(NGX_LOG_INFO, call->log, 0,
                      "lead: client sent an invalid %s: %s",
                      call->form ? "form" : "JSON text", why);

        call->fault.kind = call->form ? NGX_LEAD_FAULT_BAD_FORM
                                      : NGX_LEAD_FAULT_BAD_JSON;
    }

    return rc;
}


static ngx_int_t
ngx_lead_body_form(ngx_lead_call_t *call, ngx_str_t *type, const char **why)
{
    if (ngx_lead_form_type(type) == NGX_LEAD_FORM_URLENCODED) {
        return ngx_lead_form_urlencoded(call->pool, &call->body,
                                        call->dialect->brackets, &call->json,
                                        why);
    }

    return ngx_lead_form_multipart(call->pool, type, &call->body,
                                   call->dialect->brackets, &call->json, why);
}


static ngx_int_t
ngx_lead_body_empty(ngx_lead_call_t *call)
{
    ngx_lead_json_gen_t  gen;

    gen.pool = call->pool;
    gen.failed = 0;

    call->json = ngx_lead_json_add(&gen, NULL, NULL, NGX_LEAD_JSON_OBJECT);

    return gen.failed ? NGX_ERROR : NGX_OK;
}
