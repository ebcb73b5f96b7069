
/*
 * Copyright (C) the ngx_lead authors
 *
 * What a dialect is shown of a request beside its path, method and body:
 * the headers it asked for, and the address that links are made of.
 */


#include "ngx_lead.h"


static ngx_int_t ngx_lead_request_url(ngx_lead_ctx_t *ctx);


ngx_int_t
ngx_lead_request(ngx_lead_ctx_t *ctx)
{
    ngx_str_t        *name;
    ngx_uint_t        i;
    ngx_table_elt_t  *h;

    name = ctx->call.dialect->in;

    for (i = 0; name[i].len; i++) {
        h = ngx_lead_request_header(ctx->request, &name[i]);

        if (h) {
            ctx->call.in[i] = h->value;
        }
    }

    return ctx->call.route->links ? ngx_lead_request_url(ctx) : NGX_OK;
}


/* what links of an answer are made of; without Host it is the path alone */

static ngx_int_t
ngx_lead_request_url(ngx_lead_ctx_t *ctx)
{
    u_char              *p;
    ngx_str_t            scheme, host, path;
    ngx_http_request_t  *r;

    r = ctx->request;

    ngx_str_set(&scheme, "");
    ngx_str_set(&host, "");

    if (r->headers_in.host) {
        host = r->headers_in.host->value;
        ngx_str_set(&scheme, "http://");

#if (NGX_HTTP_SSL)
        if (r->connection->ssl) {
            ngx_str_set(&scheme, "https://");
        }
#endif
    }

    path = r->unparsed_uri;
    p = ngx_strlchr(path.data, path.data + path.len, '?');

    if (p) {
        path.len = p - path.data;
    }

    p = ngx_pnalloc(r->pool, scheme.len + host.len + path.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ctx->call.url.data = p;

    p = ngx_cpymem(p, scheme.data, scheme.len);
    p = ngx_cpymem(p, host.data, host.len);
    p = ngx_cpymem(p, path.data, path.len);

    ctx->call.url.len = p - ctx->call.url.data;

    return NGX_OK;
}


ngx_table_elt_t *
ngx_lead_request_header(ngx_http_request_t *r, ngx_str_t *name)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    for (part = &r->headers_in.headers.part; part; part = part->next) {

        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (h[i].key.len == name->len
                && ngx_strncasecmp(h[i].key.data, name->data, name->len) == 0)
            {
                return &h[i];
            }
        }
    }

    return NULL;
}
