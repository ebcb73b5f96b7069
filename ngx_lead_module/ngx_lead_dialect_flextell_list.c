
/*
 * Copyright (C) the ngx_lead authors
 *
 * Flextell: lists of leads, of statuses and of reference sources, and their
 * pages, which are Laravel's.
 *
 * The filter of leads runs in a thread, on a pool of its own that is emptied
 * for each lead and goes with the request; all else runs in the event loop.
 */


#include "ngx_lead_dialect_flextell.h"
#include "ngx_lead_dialect_flextell_page.h"


static ngx_lead_flex_query_t *ngx_lead_flex_query(ngx_lead_call_t *call,
    ngx_str_t *columns);
static ngx_int_t ngx_lead_flex_query_rules(ngx_lead_call_t *call,
    ngx_lead_json_t *args, ngx_str_t *columns, ngx_lead_flex_query_t *q);
static ngx_int_t ngx_lead_flex_query_in(ngx_lead_call_t *call,
    ngx_lead_json_t *args, ngx_str_t *name, ngx_str_t *values,
    ngx_uint_t *chosen);
static ngx_int_t ngx_lead_flex_query_per_page(ngx_lead_call_t *call,
    ngx_lead_json_t *args, ngx_lead_flex_query_t *q);
static void ngx_lead_flex_query_page(ngx_lead_call_t *call,
    ngx_lead_json_t *args, ngx_lead_flex_query_t *q);
static void ngx_lead_flex_query_cleanup(void *data);
static ngx_int_t ngx_lead_flex_filter(ngx_lead_call_t *call,
    const lead_t *lead);
static ngx_uint_t ngx_lead_flex_has_name(ngx_pool_t *pool,
    ngx_lead_json_t *doc, ngx_str_t *search);
static ngx_int_t ngx_lead_flex_vocabulary(ngx_lead_call_t *call,
    ngx_array_t *items, ngx_lead_flex_vocabulary_t *v);
static void ngx_lead_flex_sort(ngx_array_t *found,
    ngx_lead_flex_vocabulary_t *v, ngx_lead_flex_query_t *q);
static ngx_int_t ngx_lead_flex_compare(void *one, void *two,
    ngx_lead_flex_vocabulary_t *v, ngx_uint_t by_name);
static void ngx_lead_flex_add_status(ngx_lead_json_gen_t *gen,
    ngx_lead_json_t *data, void *item);
static void ngx_lead_flex_add_reference(ngx_lead_json_gen_t *gen,
    ngx_lead_json_t *data, void *item);


static ngx_lead_flex_vocabulary_t  ngx_lead_flex_status_list = {
    offsetof(ngx_lead_stage_t, number),
    offsetof(ngx_lead_stage_t, name),
    offsetof(ngx_lead_stage_t, key),
    ngx_lead_flex_add_status
};


static ngx_lead_flex_vocabulary_t  ngx_lead_flex_source_list = {
    offsetof(ngx_lead_source_t, number),
    offsetof(ngx_lead_source_t, name),
    offsetof(ngx_lead_source_t, external_id),
    ngx_lead_flex_add_reference
};


ngx_int_t
ngx_lead_flex_list(ngx_lead_call_t *call)
{
    ngx_lead_flex_query_t  *q;

    static ngx_str_t  columns[] = {
        ngx_string("id"), ngx_string("created_at"), ngx_null_string
    };

    q = ngx_lead_flex_query(call, columns);
    if (q == NULL) {
        return NGX_ERROR;
    }

    if (call->fault.kind != NGX_LEAD_FAULT_NONE) {
        return NGX_DECLINED;
    }

    call->list.data = q;
    call->list.limit = q->per_page;
    call->list.skip = (q->page - 1) * q->per_page;
    call->list.count = 1;

    /* both columns are in the order in which leads were made */

    call->list.oldest = q->order == NGX_LEAD_FLEX_ASC;

    if (q->search.len == 0) {
        return NGX_OK;
    }

    q->pool = ngx_create_pool(NGX_LEAD_FLEX_FILTER_POOL, ngx_cycle->log);
    if (q->pool == NULL) {
        return NGX_ERROR;
    }

    call->list.filter = ngx_lead_flex_filter;

    return NGX_OK;
}


/* NULL: no memory; call->fault says whether the arguments will do.  columns
 * are those to sort by, ended by an empty one. */

static ngx_lead_flex_query_t *
ngx_lead_flex_query(ngx_lead_call_t *call, ngx_str_t *columns)
{
    ngx_int_t               rc;
    ngx_lead_json_t        *args;
    ngx_pool_cleanup_t     *cln;
    ngx_lead_flex_query_t  *q;

    cln = ngx_pool_cleanup_add(call->pool, sizeof(ngx_lead_flex_query_t));
    if (cln == NULL) {
        return NULL;
    }

    q = cln->data;
    ngx_memzero(q, sizeof(ngx_lead_flex_query_t));
    q->page = 1;
    q->per_page = NGX_LEAD_FLEX_PER_PAGE;

    cln->handler = ngx_lead_flex_query_cleanup;

    rc = ngx_lead_call_query(call, &args);

    if (rc == NGX_DECLINED) {
        (void) ngx_lead_call_fault(call, 400, "invalid_request",
                                   "The query string is malformed.");
        return q;
    }

    if (rc != NGX_OK
        || ngx_lead_flex_query_rules(call, args, columns, q) != NGX_OK)
    {
        return NULL;
    }

    return q;
}


static ngx_int_t
ngx_lead_flex_query_rules(ngx_lead_call_t *call, ngx_lead_json_t *args,
    ngx_str_t *columns, ngx_lead_flex_query_t *q)
{
    ngx_uint_t        with;
    ngx_lead_json_t  *node;

    static ngx_str_t  search = ngx_string("search");
    static ngx_str_t  trashed = ngx_string("trashed");
    static ngx_str_t  sort_by = ngx_string("sort_by");
    static ngx_str_t  sort_order = ngx_string("sort_order");

    static ngx_str_t  orders[] = {
        ngx_string("asc"), ngx_string("desc"), ngx_null_string
    };

    /* nothing is ever deleted here: with what was, the list is the same */

    static ngx_str_t  booleans[] = {
        ngx_string("0"), ngx_string("1"), ngx_string("false"),
        ngx_string("true"), ngx_null_string
    };

    node = ngx_lead_flex_value(ngx_lead_json_get(args, "search"));

    if (node) {
        if (ngx_lead_flex_rule_string(call, &search, node) != NGX_OK
            || ngx_lead_flex_rule_max(call, &search, node, NGX_LEAD_FLEX_MAX)
               != NGX_OK)
        {
            return NGX_ERROR;
        }

        q->search = node->text;
    }

    if (ngx_lead_flex_query_in(call, args, &trashed, booleans, &with)
            != NGX_OK
        || ngx_lead_flex_query_in(call, args, &sort_by, columns, &q->column)
           != NGX_OK
        || ngx_lead_flex_query_in(call, args, &sort_order, orders, &q->order)
           != NGX_OK
        || ngx_lead_flex_query_per_page(call, args, q) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_lead_flex_query_page(call, args, q);

    return NGX_OK;
}


/* chosen counts from 1; 0: not sent */

static ngx_int_t
ngx_lead_flex_query_in(ngx_lead_call_t *call, ngx_lead_json_t *args,
    ngx_str_t *name, ngx_str_t *values, ngx_uint_t *chosen)
{
    ngx_uint_t        i;
    ngx_lead_json_t  *node;

    *chosen = 0;

    node = ngx_lead_flex_value(ngx_lead_json_find(args, name->data,
                                                  name->len));
    if (node == NULL) {
        return NGX_OK;
    }

    for (i = 0; values[i].len; i++) {
        if (node->type == NGX_LEAD_JSON_STRING
            && ngx_lead_field_equal(&values[i], &node->text))
        {
            *chosen = i + 1;
            return NGX_OK;
        }
    }

    return ngx_lead_flex_error(call, name, "The selected ", " is invalid.");
}


static ngx_int_t
ngx_lead_flex_query_per_page(ngx_lead_call_t *call, ngx_lead_json_t *args,
    ngx_lead_flex_query_t *q)
{
    int64_t           n;
    ngx_uint_t        found;
    ngx_lead_json_t  *node;

    static ngx_str_t  name = ngx_string("per_page");

    node = ngx_lead_flex_value(ngx_lead_json_get(args, "per_page"));

    if (node == NULL) {
        return NGX_OK;
    }

    found = call->errors ? call->errors->nelts : 0;

    if (ngx_lead_flex_rule_integer(call, &name, node, &n) != NGX_OK) {
        return NGX_ERROR;
    }

    if (call->errors && call->errors->nelts > found) {
        return NGX_OK;
    }

    if (n < 1) {
        return ngx_lead_flex_error_n(call, &name,
                                     " field must be at least %ui.", 1);
    }

    if (n > NGX_LEAD_FLEX_PER_PAGE_MAX) {
        return ngx_lead_flex_error_n(call, &name,
                                     " field must not be greater than %ui.",
                                     NGX_LEAD_FLEX_PER_PAGE_MAX);
    }

    q->per_page = n;

    return NGX_OK;
}


/* never an error: what is no page is the first one */

static void
ngx_lead_flex_query_page(ngx_lead_call_t *call, ngx_lead_json_t *args,
    ngx_lead_flex_query_t *q)
{
    ngx_int_t         n;
    ngx_lead_json_t  *node;

    node = ngx_lead_flex_value(ngx_lead_json_get(args, "page"));

    if (node == NULL || node->type != NGX_LEAD_JSON_STRING) {
        return;
    }

    n = ngx_atoi(node->text.data, node->text.len);

    if (n > 0) {
        q->page = ngx_min(n, NGX_LEAD_FLEX_PAGE_MAX);
    }
}


static void
ngx_lead_flex_query_cleanup(void *data)
{
    ngx_lead_flex_query_t  *q = data;

    if (q->pool) {
        ngx_destroy_pool(q->pool);
    }
}


static ngx_int_t
ngx_lead_flex_filter(ngx_lead_call_t *call, const lead_t *lead)
{
    ngx_lead_json_t        *doc;
    ngx_lead_flex_query_t  *q;

    q = call->list.data;

    ngx_reset_pool(q->pool);

    if (ngx_lead_doc_parse(q->pool, lead, &doc) != NGX_OK) {
        q->failed = 1;
        return 0;
    }

    return ngx_lead_field_has(ngx_lead_doc_str(doc, "email"), &q->search)
           || ngx_lead_field_has(ngx_lead_doc_str(doc, "phone"), &q->search)
           || ngx_lead_field_has(ngx_lead_doc_str(doc, "phone_e164"),
                                 &q->search)
           || ngx_lead_flex_has_name(q->pool, doc, &q->search);
}


static ngx_uint_t
ngx_lead_flex_has_name(ngx_pool_t *pool, ngx_lead_json_t *doc,
    ngx_str_t *search)
{
    ngx_str_t  full;

    return ngx_lead_flex_full_name(pool, doc, &full) == NGX_OK
           && ngx_lead_field_has(&full, search);
}


ngx_int_t
ngx_lead_flex_page(ngx_lead_call_t *call, lead_t *leads, ngx_uint_t n)
{
    ngx_uint_t              i;
    ngx_lead_json_t        *data;
    ngx_lead_json_gen_t     gen;
    ngx_lead_flex_query_t  *q;

    q = call->list.data;

    if (q->failed) {
        return NGX_ERROR;
    }

    gen.pool = call->pool;
    gen.failed = 0;

    call->root = ngx_lead_json_add(&gen, NULL, NULL, NGX_LEAD_JSON_OBJECT);
    data = ngx_lead_json_add(&gen, call->root, "data", NGX_LEAD_JSON_ARRAY);

    for (i = 0; i < n; i++) {
        if (gen.failed
            || ngx_lead_flex_add_lead(&gen, call, data, NULL, &leads[i])
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    call->status = 200;

    return ngx_lead_flex_paginate(&gen, call, q, n, call->list.total);
}


ngx_int_t
ngx_lead_flex_statuses(ngx_lead_call_t *call)
{
    ngx_lead_pipeline_t  *pipeline;

    pipeline = call->account->pipelines.elts;

    return ngx_lead_flex_vocabulary(call,
                                    call->account->pipelines.nelts
                                    ? &pipeline->stages : NULL,
                                    &ngx_lead_flex_status_list);
}


ngx_int_t
ngx_lead_flex_sources(ngx_lead_call_t *call)
{
    return ngx_lead_flex_vocabulary(call, &call->account->sources,
                                    &ngx_lead_flex_source_list);
}


/* a page of what is configured, of that which has a number */

static ngx_int_t
ngx_lead_flex_vocabulary(ngx_lead_call_t *call, ngx_array_t *items,
    ngx_lead_flex_vocabulary_t *v)
{
    u_char                 *p;
    void                  **item;
    ngx_uint_t              i, n;
    ngx_array_t             found;
    ngx_lead_json_t        *data;
    ngx_lead_json_gen_t     gen;
    ngx_lead_flex_query_t  *q;

    static ngx_str_t  columns[] = {
        ngx_string("id"), ngx_string("name"), ngx_null_string
    };

    q = ngx_lead_flex_query(call, columns);

    if (q == NULL
        || ngx_array_init(&found, call->pool, 8, sizeof(void *)) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (call->fault.kind != NGX_LEAD_FAULT_NONE) {
        return NGX_DECLINED;
    }

    for (i = 0; items && i < items->nelts; i++) {
        p = (u_char *) items->elts + i * items->size;

        if (*(ngx_uint_t *) (p + v->number) == 0
            || (!ngx_lead_field_has((ngx_str_t *) (p + v->name), &q->search)
                && !ngx_lead_field_has((ngx_str_t *) (p + v->key),
                                       &q->search)))
        {
            continue;
        }

        item = ngx_array_push(&found);
        if (item == NULL) {
            return NGX_ERROR;
        }

        *item = p;
    }

    ngx_lead_flex_sort(&found, v, q);

    gen.pool = call->pool;
    gen.failed = 0;

    call->root = ngx_lead_json_add(&gen, NULL, NULL, NGX_LEAD_JSON_OBJECT);
    data = ngx_lead_json_add(&gen, call->root, "data", NGX_LEAD_JSON_ARRAY);

    item = found.elts;
    n = 0;

    for (i = (q->page - 1) * q->per_page;
         i < found.nelts && n < q->per_page;
         i++)
    {
        v->add(&gen, data, item[i]);
        n++;
    }

    call->status = 200;

    return ngx_lead_flex_paginate(&gen, call, q, n, found.nelts);
}


/* few, and without an order asked for those of the configuration */

static void
ngx_lead_flex_sort(ngx_array_t *found, ngx_lead_flex_vocabulary_t *v,
    ngx_lead_flex_query_t *q)
{
    void        **item, *one;
    ngx_int_t     less;
    ngx_uint_t    i, j, by_name;

    if (q->column == 0 && q->order == 0) {
        return;
    }

    by_name = q->column == 2;
    less = (q->order == NGX_LEAD_FLEX_DESC) ? -1 : 1;
    item = found->elts;

    for (i = 1; i < found->nelts; i++) {
        one = item[i];

        for (j = i; j > 0; j--) {
            if (ngx_lead_flex_compare(one, item[j - 1], v, by_name) * less
                >= 0)
            {
                break;
            }

            item[j] = item[j - 1];
        }

        item[j] = one;
    }
}


static ngx_int_t
ngx_lead_flex_compare(void *one, void *two, ngx_lead_flex_vocabulary_t *v,
    ngx_uint_t by_name)
{
    ngx_str_t   *a, *b;
    ngx_uint_t   n, m;

    if (by_name) {
        a = (ngx_str_t *) ((u_char *) one + v->name);
        b = (ngx_str_t *) ((u_char *) two + v->name);

        return ngx_memn2cmp(a->data, b->data, a->len, b->len);
    }

    n = *(ngx_uint_t *) ((u_char *) one + v->number);
    m = *(ngx_uint_t *) ((u_char *) two + v->number);

    return (n > m) - (n < m);
}


static void
ngx_lead_flex_add_status(ngx_lead_json_gen_t *gen, ngx_lead_json_t *data,
    void *item)
{
    ngx_lead_json_t   *node;
    ngx_lead_stage_t  *stage = item;

    node = ngx_lead_flex_add_stage(gen, data, NULL, stage);

    (void) ngx_lead_json_add_bool(gen, node, "is_default", stage->is_default);
}


static void
ngx_lead_flex_add_reference(ngx_lead_json_gen_t *gen, ngx_lead_json_t *data,
    void *item)
{
    ngx_lead_flex_add_source(gen, data, NULL, item);
}
