
/*
 * Copyright (C) the ngx_lead authors
 *
 * The request's body as one run of bytes.  A body in one buffer is not
 * copied; one in several buffers or in a temporary file is copied to r->pool.
 */


#include "ngx_lead.h"


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
