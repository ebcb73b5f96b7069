
/*
 * Copyright (C) the ngx_lead authors
 *
 * What a dialect is shown of a request beside its path, method and body:
 * the headers it asked for, the first of those sent twice, and the address that
 * links are made of.  It must not pass on what could be no host of a link.
 */


#include "ngx_lead.h"


static ngx_int_t ngx_lead_request_url(ngx_lead_ctx_t *ctx);
static void ngx_lead_request_host(ngx_http_request_t *r, ngx_str_t *host);


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


/*
 * What links of an answer are made of.  A host that no link can be made of is
 * left out, as if there were none: then it is the path alone.
 */

static ngx_int_t
ngx_lead_request_url(ngx_lead_ctx_t *ctx)
{
    u_char              *p;
    size_t               escape;
    ngx_str_t            scheme, host;
    ngx_http_request_t  *r;

    r = ctx->request;

    ngx_str_set(&scheme, "");

    ngx_lead_request_host(r, &host);

    if (host.len) {
        ngx_str_set(&scheme, "http://");

#if (NGX_HTTP_SSL)
        if (r->connection->ssl) {
            ngx_str_set(&scheme, "https://");
        }
#endif
    }

    escape = 2 * ngx_escape_uri(NULL, r->uri.data, r->uri.len, NGX_ESCAPE_URI);

    p = ngx_pnalloc(r->pool, scheme.len + host.len + r->uri.len + escape);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ctx->call.url.data = p;

    p = ngx_cpymem(p, scheme.data, scheme.len);
    p = ngx_cpymem(p, host.data, host.len);

    if (escape) {
        p = (u_char *) ngx_escape_uri(p, r->uri.data, r->uri.len,
                                      NGX_ESCAPE_URI);

    } else {
        p = ngx_cpymem(p, r->uri.data, r->uri.len);
    }

    ctx->call.url.len = p - ctx->call.url.data;

    return NGX_OK;
}


/* as in nginx' own redirects; a name or an address, and perhaps a port */

static void
ngx_lead_request_host(ngx_http_request_t *r, ngx_str_t *host)
{
    u_char                     c;
    size_t                     i;
    ngx_http_core_srv_conf_t  *cscf;
    ngx_http_core_loc_conf_t  *clcf;

    ngx_str_set(host, "");

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    if (clcf->server_name_in_redirect) {
        cscf = ngx_http_get_module_srv_conf(r, ngx_http_core_module);
        *host = cscf->server_name;
        return;
    }

    if (r->headers_in.host == NULL) {
        return;
    }

    *host = r->headers_in.host->value;

    for (i = 0; i < host->len; i++) {
        c = host->data[i];

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
            || (c >= '0' && c <= '9')
            || c == '.' || c == '-' || c == '_'
            || c == ':' || c == '[' || c == ']')
        {
            continue;
        }

        ngx_str_set(host, "");
        return;
    }
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
