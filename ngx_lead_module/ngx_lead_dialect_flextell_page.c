
/*
 * Copyright (C) the ngx_lead authors
 *
 * Flextell: the links of a page to other pages, and what it says of itself,
 * as Laravel's paginator writes them.
 *
 * Links keep all other arguments of the query.  What is made lives in
 * call->pool.
 */


#include "ngx_lead_dialect_flextell_page.h"


#define NGX_LEAD_FLEX_SIDE    3             /* pages on each side of this one */
#define NGX_LEAD_FLEX_WINDOW  (NGX_LEAD_FLEX_SIDE + 4)


typedef struct {
    ngx_lead_json_gen_t   *gen;
    ngx_str_t              path;         /* of the list, a URL */
    ngx_str_t              args;         /* all but the page, with a "&" */
    uint64_t               page;
    uint64_t               last;
} ngx_lead_flex_pages_t;


static ngx_int_t ngx_lead_flex_args(ngx_lead_call_t *call, ngx_str_t *args);
static ngx_int_t ngx_lead_flex_escape(ngx_pool_t *pool, ngx_str_t *in,
    ngx_str_t *out);
static void ngx_lead_flex_add_url(ngx_lead_flex_pages_t *pages,
    ngx_lead_json_t *to, const char *name, uint64_t page);
static void ngx_lead_flex_add_links(ngx_lead_flex_pages_t *pages,
    ngx_lead_json_t *meta);
static void ngx_lead_flex_add_range(ngx_lead_flex_pages_t *pages,
    ngx_lead_json_t *links, uint64_t from, uint64_t to);
static void ngx_lead_flex_add_link(ngx_lead_flex_pages_t *pages,
    ngx_lead_json_t *links, const char *label, uint64_t page);


ngx_int_t
ngx_lead_flex_paginate(ngx_lead_json_gen_t *gen, ngx_lead_call_t *call,
    ngx_lead_flex_query_t *q, ngx_uint_t n, uint64_t total)
{
    uint64_t                from;
    ngx_str_t              *path;
    ngx_lead_json_t        *links, *meta;
    ngx_lead_flex_pages_t   pages;

    path = call->url.len ? &call->url : &call->route->path;

    if (ngx_lead_flex_escape(call->pool, path, &pages.path) != NGX_OK
        || ngx_lead_flex_args(call, &pages.args) != NGX_OK)
    {
        return NGX_ERROR;
    }

    pages.gen = gen;
    pages.page = q->page;
    pages.last = ngx_max((total + q->per_page - 1) / q->per_page, 1);

    links = ngx_lead_json_add(gen, call->root, "links", NGX_LEAD_JSON_OBJECT);

    ngx_lead_flex_add_url(&pages, links, "first", 1);
    ngx_lead_flex_add_url(&pages, links, "last", pages.last);
    ngx_lead_flex_add_url(&pages, links, "prev", pages.page - 1);
    ngx_lead_flex_add_url(&pages, links, "next",
                          pages.page < pages.last ? pages.page + 1 : 0);

    meta = ngx_lead_json_add(gen, call->root, "meta", NGX_LEAD_JSON_OBJECT);
    from = (pages.page - 1) * q->per_page + 1;

    (void) ngx_lead_json_add_int(gen, meta, "current_page", pages.page);

    if (n) {
        (void) ngx_lead_json_add_int(gen, meta, "from", from);

    } else {
        (void) ngx_lead_json_add(gen, meta, "from", NGX_LEAD_JSON_NULL);
    }

    (void) ngx_lead_json_add_int(gen, meta, "last_page", pages.last);
    ngx_lead_flex_add_links(&pages, meta);
    (void) ngx_lead_json_add_str(gen, meta, "path", &pages.path);
    (void) ngx_lead_json_add_int(gen, meta, "per_page", q->per_page);

    if (n) {
        (void) ngx_lead_json_add_int(gen, meta, "to", from + n - 1);

    } else {
        (void) ngx_lead_json_add(gen, meta, "to", NGX_LEAD_JSON_NULL);
    }

    (void) ngx_lead_json_add_int(gen, meta, "total", total);

    return gen->failed ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
ngx_lead_flex_args(ngx_lead_call_t *call, ngx_str_t *args)
{
    u_char     *p, *end, *last, *dst;
    size_t      len;
    ngx_str_t   rest;

    len = sizeof("page") - 1;

    rest.data = ngx_pnalloc(call->pool, call->args.len + 1);
    if (rest.data == NULL) {
        return NGX_ERROR;
    }

    dst = rest.data;
    p = call->args.data;
    last = p + call->args.len;

    for ( /* void */ ; p < last; p = end + 1) {

        end = ngx_strlchr(p, last, '&');
        if (end == NULL) {
            end = last;
        }

        if (end == p
            || ((size_t) (end - p) >= len
                && ngx_strncmp(p, "page", len) == 0
                && (p + len == end || p[len] == '=')))
        {
            continue;
        }

        dst = ngx_cpymem(dst, p, end - p);
        *dst++ = '&';
    }

    rest.len = dst - rest.data;

    return ngx_lead_flex_escape(call->pool, &rest, args);
}


/* what no URL has as it is, a JSON text may not have either */

static ngx_int_t
ngx_lead_flex_escape(ngx_pool_t *pool, ngx_str_t *in, ngx_str_t *out)
{
    u_char  *p;
    size_t   i;

    p = ngx_pnalloc(pool, 3 * in->len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    out->data = p;

    for (i = 0; i < in->len; i++) {
        if (in->data[i] <= ' ' || in->data[i] >= 0x7f) {
            p = ngx_sprintf(p, "%%%02Xd", (int) in->data[i]);

        } else {
            *p++ = in->data[i];
        }
    }

    out->len = p - out->data;

    return NGX_OK;
}


/* page 0: there is none */

static void
ngx_lead_flex_add_url(ngx_lead_flex_pages_t *pages, ngx_lead_json_t *to,
    const char *name, uint64_t page)
{
    ngx_str_t  url;

    if (page == 0) {
        (void) ngx_lead_json_add(pages->gen, to, name, NGX_LEAD_JSON_NULL);
        return;
    }

    url.data = ngx_pnalloc(pages->gen->pool,
                           pages->path.len + sizeof("?page=") - 1
                           + pages->args.len + NGX_INT64_LEN);
    if (url.data == NULL) {
        pages->gen->failed = 1;
        return;
    }

    url.len = ngx_sprintf(url.data, "%V?%Vpage=%uL", &pages->path,
                          &pages->args, page)
              - url.data;

    (void) ngx_lead_json_add_str(pages->gen, to, name, &url);
}


/* few pages are all there; of many the first, the last and those near by */

static void
ngx_lead_flex_add_links(ngx_lead_flex_pages_t *pages, ngx_lead_json_t *meta)
{
    uint64_t          page, last;
    ngx_lead_json_t  *links;

    page = pages->page;
    last = pages->last;

    links = ngx_lead_json_add(pages->gen, meta, "links", NGX_LEAD_JSON_ARRAY);

    ngx_lead_flex_add_link(pages, links, "&laquo; Previous", page - 1);

    if (last < 2 * NGX_LEAD_FLEX_WINDOW) {
        ngx_lead_flex_add_range(pages, links, 1, last);

    } else if (page <= NGX_LEAD_FLEX_WINDOW) {
        ngx_lead_flex_add_range(pages, links, 1,
                                NGX_LEAD_FLEX_WINDOW + NGX_LEAD_FLEX_SIDE);
        ngx_lead_flex_add_link(pages, links, "...", 0);
        ngx_lead_flex_add_range(pages, links, last - 1, last);

    } else if (page > last - NGX_LEAD_FLEX_WINDOW) {
        ngx_lead_flex_add_range(pages, links, 1, 2);
        ngx_lead_flex_add_link(pages, links, "...", 0);
        ngx_lead_flex_add_range(pages, links,
                                last - (NGX_LEAD_FLEX_WINDOW
                                        + NGX_LEAD_FLEX_SIDE - 1),
                                last);

    } else {
        ngx_lead_flex_add_range(pages, links, 1, 2);
        ngx_lead_flex_add_link(pages, links, "...", 0);
        ngx_lead_flex_add_range(pages, links, page - NGX_LEAD_FLEX_SIDE,
                                page + NGX_LEAD_FLEX_SIDE);
        ngx_lead_flex_add_link(pages, links, "...", 0);
        ngx_lead_flex_add_range(pages, links, last - 1, last);
    }

    ngx_lead_flex_add_link(pages, links, "Next &raquo;",
                           page < last ? page + 1 : 0);
}


static void
ngx_lead_flex_add_range(ngx_lead_flex_pages_t *pages, ngx_lead_json_t *links,
    uint64_t from, uint64_t to)
{
    for ( /* void */ ; from <= to; from++) {
        ngx_lead_flex_add_link(pages, links, NULL, from);
    }
}


/* without a label it is the page's number */

static void
ngx_lead_flex_add_link(ngx_lead_flex_pages_t *pages, ngx_lead_json_t *links,
    const char *label, uint64_t page)
{
    ngx_str_t         text;
    ngx_lead_json_t  *link;

    link = ngx_lead_json_add(pages->gen, links, NULL, NGX_LEAD_JSON_OBJECT);

    ngx_lead_flex_add_url(pages, link, "url", page);

    if (label) {
        text.data = (u_char *) label;
        text.len = ngx_strlen(label);

    } else {
        text.data = ngx_pnalloc(pages->gen->pool, NGX_INT64_LEN);
        if (text.data == NULL) {
            pages->gen->failed = 1;
            return;
        }

        text.len = ngx_sprintf(text.data, "%uL", page) - text.data;
    }

    (void) ngx_lead_json_add_str(pages->gen, link, "label", &text);
    (void) ngx_lead_json_add_bool(pages->gen, link, "active",
                                  label == NULL && page == pages->page);
}
