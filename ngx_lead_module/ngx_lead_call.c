
/*
 * Copyright (C) the ngx_lead authors
 *
 * What a dialect may ask of the core about its call.
 *
 * The call's arena is a pool of its own: r->pool belongs to the event loop,
 * which may use it while a thread has the call.
 */


#include "ngx_lead_dialect.h"
#include "ngx_lead_form.h"


#define NGX_LEAD_ARENA_SIZE  4096


static ngx_uint_t ngx_lead_list_has(ngx_array_t *list, ngx_str_t *value);


ngx_pool_t *
ngx_lead_call_arena(ngx_lead_call_t *call)
{
    if (call->arena == NULL) {
        call->arena = ngx_create_pool(NGX_LEAD_ARENA_SIZE, ngx_cycle->log);
    }

    return call->arena;
}


void *
ngx_lead_call_alloc(void *call, size_t size)
{
    ngx_pool_t  *pool;

    pool = ngx_lead_call_arena(call);

    return pool ? ngx_palloc(pool, size) : NULL;
}


void
ngx_lead_call_release(ngx_lead_call_t *call)
{
    if (call->arena) {
        ngx_destroy_pool(call->arena);
        call->arena = NULL;
    }
}


ngx_int_t
ngx_lead_call_fault(ngx_lead_call_t *call, ngx_uint_t status, const char *code,
    const char *text)
{
    call->fault.kind = NGX_LEAD_FAULT_OWN;
    call->fault.status = status;

    call->fault.code.data = (u_char *) code;
    call->fault.code.len = ngx_strlen(code);

    call->fault.text.data = (u_char *) text;
    call->fault.text.len = ngx_strlen(text);

    return NGX_DECLINED;
}


ngx_uint_t
ngx_lead_call_endpoints(ngx_lead_call_t *call, ngx_str_t *type,
    ngx_str_t *status, ngx_str_t *campaign, uint32_t *endpoints)
{
    ngx_uint_t           i, n;
    ngx_lead_webhook_t  *hook;

    static ngx_str_t  created = ngx_string("lead.created");

    n = 0;
    hook = call->account->webhooks.elts;

    for (i = 0; i < call->account->webhooks.nelts; i++) {

        if (!ngx_lead_list_has(&hook[i].events, type)
            || !ngx_lead_list_has(&hook[i].statuses, status)
            || !ngx_lead_list_has(&hook[i].campaigns, campaign))
        {
            continue;
        }

        /* the vendor's own webhooks know nothing of ingestion (D9) */

        if (hook[i].format == NGX_LEAD_WEBHOOK_LAWFFICIENT
            && call->source != NULL
            && type->len == created.len
            && ngx_strncmp(type->data, created.data, created.len) == 0)
        {
            continue;
        }

        endpoints[n++] = call->endpoints[hook[i].index];
        call->announced = 1;
    }

    return n;
}


static ngx_uint_t
ngx_lead_list_has(ngx_array_t *list, ngx_str_t *value)
{
    ngx_str_t   *v;
    ngx_uint_t   i;

    if (list->nelts == 0) {
        return 1;
    }

    if (value == NULL) {
        return 0;
    }

    v = list->elts;

    for (i = 0; i < list->nelts; i++) {
        if (v[i].len == value->len
            && ngx_strncmp(v[i].data, value->data, value->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ngx_lead_call_arg(ngx_lead_call_t *call, const char *name, ngx_str_t *value)
{
    size_t   len;
    u_char  *p, *end, *last, *eq, *src, *dst;

    len = ngx_strlen(name);
    value->data = NULL;
    value->len = 0;

    p = call->args.data;
    last = p + call->args.len;

    for ( /* void */ ; p < last; p = end + 1) {

        end = ngx_strlchr(p, last, '&');
        if (end == NULL) {
            end = last;
        }

        eq = ngx_strlchr(p, end, '=');
        if (eq == NULL) {
            eq = end;
        }

        if ((size_t) (eq - p) == len && ngx_strncmp(p, name, len) == 0) {
            value->data = (eq < end) ? eq + 1 : end;
            value->len = end - value->data;
        }
    }

    if (value->data == NULL) {
        return NGX_DECLINED;
    }

    p = ngx_pnalloc(call->pool, value->len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    end = value->data + value->len;

    for (dst = p, src = value->data; src < end; src++) {
        *dst++ = (*src == '+') ? ' ' : *src;
    }

    src = p;
    dst = p;
    ngx_unescape_uri(&dst, &src, value->len, 0);

    value->data = p;
    value->len = dst - p;

    return NGX_OK;
}


ngx_int_t
ngx_lead_call_query(ngx_lead_call_t *call, ngx_lead_json_t **root)
{
    ngx_int_t    rc;
    const char  *why;

    if (call->query == NULL) {
        rc = ngx_lead_form_urlencoded(call->pool, &call->args,
                                      call->dialect->brackets, &call->query,
                                      &why);
        if (rc == NGX_DECLINED) {
            ngx_log_error(NGX_LOG_INFO, call->log, 0,
                          "lead: client sent invalid arguments: %s", why);
        }

        if (rc != NGX_OK) {
            return rc;
        }
    }

    *root = call->query;

    return NGX_OK;
}


ngx_int_t
ngx_lead_call_error(ngx_lead_call_t *call, ngx_str_t *path, ngx_str_t *text)
{
    ngx_lead_field_error_t  *error;

    if (call->errors == NULL) {
        call->errors = ngx_array_create(call->pool, 4,
                                        sizeof(ngx_lead_field_error_t));
        if (call->errors == NULL) {
            return NGX_ERROR;
        }
    }

    error = ngx_array_push(call->errors);
    if (error == NULL) {
        return NGX_ERROR;
    }

    error->path = *path;
    error->text = *text;

    return NGX_OK;
}


ngx_lead_campaign_t *
ngx_lead_call_campaign(ngx_lead_call_t *call, ngx_uint_t number)
{
    ngx_uint_t            i, n;
    ngx_lead_account_t   *account;
    ngx_lead_campaign_t  *campaign;

    account = call->accounts->elts;

    for (i = 0; i < call->accounts->nelts; i++) {
        campaign = account[i].campaigns.elts;

        for (n = 0; n < account[i].campaigns.nelts; n++) {
            if (number && campaign[n].number == number) {
                call->account = &account[i];
                return &campaign[n];
            }
        }
    }

    return NULL;
}


ngx_int_t
ngx_lead_call_campaign_counter(ngx_pool_t *pool, ngx_lead_campaign_t *campaign,
    lead_bytes_t *counter)
{
    size_t   len;
    u_char  *p, *last;

    len = sizeof("campaign::leads") - 1 + campaign->name.len;

    p = ngx_pnalloc(pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    last = ngx_cpymem(p, "campaign:", sizeof("campaign:") - 1);
    last = ngx_cpymem(last, campaign->name.data, campaign->name.len);
    ngx_memcpy(last, ":leads", sizeof(":leads") - 1);

    counter->data = p;
    counter->len = len;

    return NGX_OK;
}
