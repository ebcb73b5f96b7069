
/*
 * Copyright (C) the ngx_lead authors
 *
 * Lawfficient: the list of leads, its filters and its cursor.
 *
 * The filter runs in a thread, on a pool of its own that is emptied for each
 * lead and goes with the request.
 */


#include "ngx_lead_dialect_lawfficient.h"


#define NGX_LEAD_LAW_LIMIT         50
#define NGX_LEAD_LAW_LIMIT_MAX     200
#define NGX_LEAD_LAW_FILTER_POOL   4096

/* a time, "|", an id */
#define NGX_LEAD_LAW_CURSOR_LEN    (NGX_LEAD_FIELD_TIME_LEN + 1               \
                                    + LEAD_ID_TEXT_LEN)


typedef struct {
    ngx_pool_t            *pool;
    ngx_str_t              status;       /* "" of any: not asked for */
    ngx_str_t              source;
    ngx_str_t              assignee;
    ngx_str_t              q;
    ngx_uint_t             failed;       /* unsigned  failed:1; */
} ngx_lead_law_filter_t;


static ngx_int_t ngx_lead_law_arg(ngx_lead_call_t *call, const char *name,
    ngx_str_t *value);
static ngx_uint_t ngx_lead_law_limit(ngx_str_t *text);
static ngx_int_t ngx_lead_law_cursor(ngx_lead_call_t *call, ngx_str_t *text);
static ngx_int_t ngx_lead_law_next(ngx_lead_json_gen_t *gen,
    ngx_lead_json_t *page, lead_t *last);
static ngx_int_t ngx_lead_law_filters(ngx_lead_call_t *call);
static void ngx_lead_law_filter_cleanup(void *data);
static ngx_int_t ngx_lead_law_filter(ngx_lead_call_t *call,
    const lead_t *lead);
static ngx_uint_t ngx_lead_law_found(ngx_lead_json_t *doc, ngx_str_t *q);


ngx_int_t
ngx_lead_law_list(ngx_lead_call_t *call)
{
    ngx_int_t  rc;
    ngx_str_t  text;

    if (ngx_lead_law_arg(call, "limit", &text) != NGX_OK) {
        return NGX_ERROR;
    }

    call->list.limit = ngx_lead_law_limit(&text);

    if (ngx_lead_law_arg(call, "cursor", &text) != NGX_OK) {
        return NGX_ERROR;
    }

    if (text.len) {
        rc = ngx_lead_law_cursor(call, &text);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    return ngx_lead_law_filters(call);
}


static ngx_int_t
ngx_lead_law_arg(ngx_lead_call_t *call, const char *name, ngx_str_t *value)
{
    if (ngx_lead_call_arg(call, name, value) == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (value->len == 0) {
        ngx_str_set(value, "");
    }

    return NGX_OK;
}


/* never an error: what is no number from 1 is the default */

static ngx_uint_t
ngx_lead_law_limit(ngx_str_t *text)
{
    u_char      *p, *last;
    ngx_uint_t   n;

    ngx_lead_field_trim(text);

    n = 0;
    last = text->data + text->len;

    for (p = text->data; p < last && *p >= '0' && *p <= '9'; p++) {
        if (n <= NGX_LEAD_LAW_LIMIT_MAX) {
            n = n * 10 + (*p - '0');
        }
    }

    if (p < last || n == 0) {
        return NGX_LEAD_LAW_LIMIT;
    }

    return ngx_min(n, NGX_LEAD_LAW_LIMIT_MAX);
}


/* base64url of the created_at and the id of a page's last lead.  Only what
 * was made so is taken; the id is the position. */

static ngx_int_t
ngx_lead_law_cursor(ngx_lead_call_t *call, ngx_str_t *text)
{
    u_char        buf[NGX_LEAD_LAW_CURSOR_LEN + 3];
    u_char        again[ngx_base64_encoded_length(NGX_LEAD_LAW_CURSOR_LEN)];
    int64_t       created;
    ngx_str_t     plain, time, check;
    lead_bytes_t  id;

    ngx_memzero(buf, sizeof(buf));

    plain.data = buf;
    check.data = again;

    if (text->len > sizeof(again)
        || ngx_decode_base64url(&plain, text) != NGX_OK
        || plain.len != NGX_LEAD_LAW_CURSOR_LEN
        || buf[NGX_LEAD_FIELD_TIME_LEN] != '|')
    {
        goto invalid;
    }

    time.data = buf;
    time.len = NGX_LEAD_FIELD_TIME_LEN;

    id.data = buf + NGX_LEAD_FIELD_TIME_LEN + 1;
    id.len = LEAD_ID_TEXT_LEN;

    ngx_encode_base64url(&check, &plain);

    if (ngx_lead_field_time_parse(&time, &created) != NGX_OK
        || lead_store_id_parse(id, &call->list.from) != 0
        || !ngx_lead_field_equal(&check, text))
    {
        goto invalid;
    }

    call->list.has_from = 1;

    return NGX_OK;

invalid:

    return ngx_lead_call_fault(call, 400, "invalid_cursor",
                               "The cursor is invalid.");
}


static ngx_int_t
ngx_lead_law_filters(ngx_lead_call_t *call)
{
    lead_id_t               id;
    lead_bytes_t            text;
    ngx_pool_cleanup_t     *cln;
    ngx_lead_law_filter_t  *f;

    cln = ngx_pool_cleanup_add(call->pool, sizeof(ngx_lead_law_filter_t));
    if (cln == NULL) {
        return NGX_ERROR;
    }

    f = cln->data;
    ngx_memzero(f, sizeof(ngx_lead_law_filter_t));

    cln->handler = ngx_lead_law_filter_cleanup;

    call->list.data = f;

    if (ngx_lead_law_arg(call, "status", &f->status) != NGX_OK
        || ngx_lead_law_arg(call, "source", &f->source) != NGX_OK
        || ngx_lead_law_arg(call, "assignee", &f->assignee) != NGX_OK
        || ngx_lead_law_arg(call, "q", &f->q) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_lead_field_trim(&f->q);

    text.data = f->assignee.data;
    text.len = f->assignee.len;

    if ((text.len && lead_store_id_parse(text, &id) != 0)
        || (f->status.len
            && ngx_lead_account_stage(call->account, &f->status) == NULL))
    {
        call->list.empty = 1;
        return NGX_OK;
    }

    if (f->status.len || f->source.len || f->assignee.len || f->q.len) {

        f->pool = ngx_create_pool(NGX_LEAD_LAW_FILTER_POOL, ngx_cycle->log);
        if (f->pool == NULL) {
            return NGX_ERROR;
        }

        call->list.filter = ngx_lead_law_filter;
    }

    return NGX_OK;
}


static void
ngx_lead_law_filter_cleanup(void *data)
{
    ngx_lead_law_filter_t  *f = data;

    if (f->pool) {
        ngx_destroy_pool(f->pool);
    }
}


static ngx_int_t
ngx_lead_law_filter(ngx_lead_call_t *call, const lead_t *lead)
{
    ngx_str_t               text;
    const char             *why;
    ngx_lead_json_t        *doc;
    ngx_lead_law_filter_t  *f;

    f = call->list.data;

    ngx_reset_pool(f->pool);

    text.data = (u_char *) lead->doc.data;
    text.len = lead->doc.len;

    if (ngx_lead_json_parse_doc(f->pool, &text, &doc, &why) != NGX_OK) {
        f->failed = 1;
        return 0;
    }

    if (f->status.len
        && !ngx_lead_field_equal(&f->status,
                ngx_lead_law_str(ngx_lead_json_get(doc, "stage"), "key")))
    {
        return 0;
    }

    if (f->source.len
        && !ngx_lead_field_equal(&f->source, ngx_lead_law_source(doc)))
    {
        return 0;
    }

    if (f->assignee.len
        && !ngx_lead_field_equal_fold(&f->assignee,
                ngx_lead_law_str(ngx_lead_json_get(doc, "assignee"), "id")))
    {
        return 0;
    }

    return f->q.len == 0 || ngx_lead_law_found(doc, &f->q);
}


static ngx_uint_t
ngx_lead_law_found(ngx_lead_json_t *doc, ngx_str_t *q)
{
    return ngx_lead_field_has(ngx_lead_law_str(doc, "first_name"), q)
           || ngx_lead_field_has(ngx_lead_law_str(doc, "last_name"), q)
           || ngx_lead_field_has(ngx_lead_law_str(doc, "email_key"), q)
           || ngx_lead_field_has(ngx_lead_law_str(doc, "phone"), q)
           || ngx_lead_field_has(ngx_lead_law_phone(doc), q);
}


ngx_int_t
ngx_lead_law_page(ngx_lead_call_t *call, lead_t *leads, ngx_uint_t n)
{
    ngx_uint_t              i;
    ngx_lead_json_t        *data, *to;
    ngx_lead_json_gen_t     gen;
    ngx_lead_law_filter_t  *f;

    f = call->list.data;

    if (f->failed) {
        return NGX_ERROR;
    }

    gen.pool = call->pool;
    gen.failed = 0;

    call->root = ngx_lead_json_add(&gen, NULL, NULL, NGX_LEAD_JSON_OBJECT);
    data = ngx_lead_json_add(&gen, call->root, "data", NGX_LEAD_JSON_ARRAY);

    if (gen.failed) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        to = ngx_lead_json_add(&gen, data, NULL, NGX_LEAD_JSON_OBJECT);

        if (ngx_lead_law_add_lead(&gen, call->account, to, &leads[i])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    call->status = 200;

    if (n && call->list.more) {
        return ngx_lead_law_next(&gen, call->root, &leads[n - 1]);
    }

    (void) ngx_lead_json_add(&gen, call->root, "next_cursor",
                             NGX_LEAD_JSON_NULL);

    return gen.failed ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
ngx_lead_law_next(ngx_lead_json_gen_t *gen, ngx_lead_json_t *page,
    lead_t *last)
{
    u_char     *p, buf[NGX_LEAD_LAW_CURSOR_LEN + 1];
    ngx_str_t   plain, text;

    text.data = ngx_pnalloc(gen->pool,
                        ngx_base64_encoded_length(NGX_LEAD_LAW_CURSOR_LEN));
    if (text.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_lead_field_time_ms(buf, last->created);
    *p++ = '|';
    lead_store_id_text(&last->id, (char *) p);

    plain.data = buf;
    plain.len = NGX_LEAD_LAW_CURSOR_LEN;

    ngx_encode_base64url(&text, &plain);

    (void) ngx_lead_json_add_str(gen, page, "next_cursor", &text);

    return gen->failed ? NGX_ERROR : NGX_OK;
}
