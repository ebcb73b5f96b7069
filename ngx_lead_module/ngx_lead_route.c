
/*
 * Copyright (C) the ngx_lead authors
 *
 * Which route of its dialect a request is for, by path and method; and the
 * answers that need no more than that: 404, 405, OPTIONS.
 */


#include "ngx_lead.h"


typedef struct {
    ngx_uint_t   http;       /* nginx' method */
    ngx_uint_t   method;     /* ours; 0: answered by the core */
    ngx_str_t    name;       /* in Allow */
} ngx_lead_method_t;


static ngx_int_t ngx_lead_route_match(ngx_str_t *path, ngx_str_t *pattern,
    ngx_str_t *params);
static ngx_int_t ngx_lead_route_allow(ngx_lead_ctx_t *ctx, ngx_uint_t methods);


static ngx_lead_method_t  ngx_lead_methods[] = {
    { NGX_HTTP_GET, NGX_LEAD_GET, ngx_string("GET, HEAD") },
    { NGX_HTTP_HEAD, NGX_LEAD_GET, ngx_null_string },
    { NGX_HTTP_POST, NGX_LEAD_POST, ngx_string("POST") },
    { NGX_HTTP_PATCH, NGX_LEAD_PATCH, ngx_string("PATCH") },
    { NGX_HTTP_PUT, NGX_LEAD_PUT, ngx_string("PUT") },
    { NGX_HTTP_DELETE, NGX_LEAD_DELETE, ngx_string("DELETE") },
    { 0, 0, ngx_null_string }
};


/* a trailing slash is served as none; the first route that fits path and
 * method is it */

ngx_int_t
ngx_lead_route(ngx_lead_ctx_t *ctx)
{
    ngx_str_t             path, pattern;
    ngx_uint_t            methods;
    ngx_lead_call_t      *call;
    ngx_lead_route_t     *route;
    ngx_lead_method_t    *m;
    ngx_http_request_t   *r;
    ngx_lead_loc_conf_t  *llcf;

    r = ctx->request;
    call = &ctx->call;
    llcf = ngx_http_get_module_loc_conf(r, ngx_lead_module);

    for (m = ngx_lead_methods; m->http && m->http != r->method; m++) {
        /* void */
    }

    call->method = m->method;
    methods = 0;

    for (route = call->dialect->routes; route->path.len; route++) {

        path = r->uri;
        pattern = route->path;

        if (pattern.len >= call->dialect->base.len
            && ngx_strncmp(pattern.data, call->dialect->base.data,
                           call->dialect->base.len)
               == 0)
        {
            if (path.len < llcf->base.len
                || ngx_strncmp(path.data, llcf->base.data, llcf->base.len)
                   != 0)
            {
                continue;
            }

            path.data += llcf->base.len;
            path.len -= llcf->base.len;

            pattern.data += call->dialect->base.len;
            pattern.len -= call->dialect->base.len;
        }

        if (ngx_lead_route_match(&path, &pattern, call->params) != NGX_OK) {
            continue;
        }

        methods |= route->methods;

        if (route->methods & call->method) {
            call->route = route;
            return NGX_OK;
        }
    }

    if (methods == 0) {
        call->fault.kind = NGX_LEAD_FAULT_NO_ROUTE;
        return NGX_DECLINED;
    }

    return ngx_lead_route_allow(ctx, methods);
}


static ngx_int_t
ngx_lead_route_match(ngx_str_t *path, ngx_str_t *pattern, ngx_str_t *params)
{
    u_char      *p, *last, *q, *end;
    ngx_uint_t   n;

    p = path->data;
    last = p + path->len;
    q = pattern->data;
    end = q + pattern->len;
    n = 0;

    while (q < end && p < last) {

        if (*q != '{') {
            if (*q++ != *p++) {
                return NGX_DECLINED;
            }

            continue;
        }

        params[n].data = p;

        while (p < last && *p != '/') {
            p++;
        }

        params[n].len = p - params[n].data;

        if (params[n++].len == 0) {
            return NGX_DECLINED;
        }

        q += sizeof("{}") - 1;
    }

    if (p < last && *p == '/') {
        p++;
    }

    return (p == last && q == end) ? NGX_OK : NGX_DECLINED;
}


/* a path that is there, with a method it has no route for */

static ngx_int_t
ngx_lead_route_allow(ngx_lead_ctx_t *ctx, ngx_uint_t methods)
{
    u_char             *p;
    ngx_str_t           allow;
    ngx_lead_method_t  *m;

    p = ngx_pnalloc(ctx->call.pool,
                    sizeof("GET, HEAD, POST, PATCH, PUT, DELETE, OPTIONS"));
    if (p == NULL) {
        return NGX_ERROR;
    }

    allow.data = p;

    for (m = ngx_lead_methods; m->http; m++) {
        if (m->name.len && (methods & m->method)) {
            p = ngx_cpymem(p, m->name.data, m->name.len);
            p = ngx_cpymem(p, ", ", sizeof(", ") - 1);
        }
    }

    if (ctx->call.dialect->options) {
        p = ngx_cpymem(p, "OPTIONS", sizeof("OPTIONS") - 1);

    } else {
        p -= sizeof(", ") - 1;
    }

    allow.len = p - allow.data;

    ctx->call.path = ctx->request->uri;
    ctx->call.verb = ctx->request->method_name;
    ctx->call.allow = allow;

    if (ngx_lead_reply_header(ctx->request, "Allow", &allow) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ctx->call.dialect->options
        && ctx->request->method == NGX_HTTP_OPTIONS)
    {
        ctx->call.status = NGX_HTTP_NO_CONTENT;
        return NGX_OK;
    }

    ctx->call.fault.kind = NGX_LEAD_FAULT_METHOD;

    return NGX_DECLINED;
}
