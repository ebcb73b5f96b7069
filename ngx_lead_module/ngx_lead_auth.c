
/*
 * Copyright (C) the ngx_lead authors
 *
 * Who calls: the credential out of the request, the key out of the store,
 * the account out of the configuration, and whether that key may do what the
 * route does.  No key is written to a log at any level.
 *
 * Keys are looked up in the store for each request, so that a key added,
 * disabled or removed counts at once in all workers.
 */


#include "ngx_lead.h"


static ngx_int_t ngx_lead_auth_bearer(ngx_http_request_t *r,
    ngx_str_t *text);
static ngx_int_t ngx_lead_auth_key(ngx_lead_ctx_t *ctx, ngx_str_t *text);
static ngx_int_t ngx_lead_auth_source(ngx_lead_call_t *call);
static ngx_int_t ngx_lead_auth_deny(ngx_lead_call_t *call,
    ngx_lead_fault_e kind, const char *why);


ngx_int_t
ngx_lead_auth(ngx_lead_ctx_t *ctx)
{
    ngx_str_t         text;
    ngx_lead_call_t  *call;

    call = &ctx->call;

    if (ngx_lead_auth_bearer(ctx->request, &text) != NGX_OK) {
        return ngx_lead_auth_deny(call, NGX_LEAD_FAULT_NO_KEY, "no key");
    }

    if (ngx_lead_auth_key(ctx, &text) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (call->key.source[0] != '\0') {
        return ngx_lead_auth_source(call);
    }

    if (call->key.disabled) {
        return ngx_lead_auth_deny(call, NGX_LEAD_FAULT_KEY_DISABLED,
                                  "a disabled key");
    }

    if ((call->key.scopes & call->route->scope) != call->route->scope) {
        return ngx_lead_auth_deny(call, NGX_LEAD_FAULT_SCOPE,
                                  "a key without the scope");
    }

    return NGX_OK;
}


/* "Bearer", any case, blanks, and the key up to trailing blanks */

static ngx_int_t
ngx_lead_auth_bearer(ngx_http_request_t *r, ngx_str_t *text)
{
    u_char           *p, *last;
    ngx_table_elt_t  *h;

    h = r->headers_in.authorization;

    if (h == NULL
        || h->value.len < sizeof("Bearer ") - 1
        || ngx_strncasecmp(h->value.data, (u_char *) "Bearer",
                           sizeof("Bearer") - 1)
           != 0)
    {
        return NGX_DECLINED;
    }

    p = h->value.data + sizeof("Bearer") - 1;
    last = h->value.data + h->value.len;

    if (*p != ' ' && *p != '\t') {
        return NGX_DECLINED;
    }

    while (p < last && (*p == ' ' || *p == '\t')) {
        p++;
    }

    while (p < last && (last[-1] == ' ' || last[-1] == '\t')) {
        last--;
    }

    text->data = p;
    text->len = last - p;

    return text->len ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_lead_auth_key(ngx_lead_ctx_t *ctx, ngx_str_t *text)
{
    int64_t             now;
    lead_rc_t           rc;
    lead_error_t        error;
    lead_bytes_t        bytes;
    ngx_time_t         *tp;
    ngx_lead_call_t    *call;
    ngx_lead_worker_t  *w;

    call = &ctx->call;
    w = ctx->lmcf->worker;

    bytes.data = text->data;
    bytes.len = text->len;

    if (text->len > LEAD_KEY_TEXT_MAX || !lead_store_key_plausible(bytes)) {
        rc = LEAD_NOTFOUND;

    } else {
        rc = lead_store_key_find(w->store, bytes, &call->key, &error);
    }

    if (rc == LEAD_NOTFOUND) {
        return ngx_lead_auth_deny(call, NGX_LEAD_FAULT_BAD_KEY,
                                  "an unknown key");
    }

    if (rc != LEAD_OK) {
        ngx_lead_worker_complain(w, call->log, &error, "looking up a key");
        call->fault.kind = NGX_LEAD_FAULT_UNAVAILABLE;
        return NGX_DECLINED;
    }

    if (call->key.account < w->naccounts) {
        call->account = w->by_number[call->key.account];
    }

    if (call->account == NULL) {
        return ngx_lead_auth_deny(call, NGX_LEAD_FAULT_BAD_KEY,
                                  "a key of an account not configured");
    }

    call->store_account = call->key.account;

    if (call->key.api[0] != '\0'
        && (ngx_strlen(call->key.api) != call->dialect->name.len
            || ngx_strncmp(call->key.api, call->dialect->name.data,
                           call->dialect->name.len)
               != 0))
    {
        return ngx_lead_auth_deny(call, NGX_LEAD_FAULT_BAD_KEY,
                                  "a key of another dialect");
    }

    tp = ngx_timeofday();
    now = (int64_t) tp->sec * 1000000 + (int64_t) tp->msec * 1000;

    if (call->key.expires && call->key.expires <= now) {
        return ngx_lead_auth_deny(call, NGX_LEAD_FAULT_BAD_KEY,
                                  "an expired key");
    }

    return NGX_OK;
}


/* an ingestion key: of no use but where its source may deliver */

static ngx_int_t
ngx_lead_auth_source(ngx_lead_call_t *call)
{
    ngx_lead_source_t  *source;

    source = ngx_lead_account_source(call->account,
                                     (u_char *) call->key.source,
                                     ngx_strlen(call->key.source));

    if (source == NULL || !call->route->ingest) {
        return ngx_lead_auth_deny(call, NGX_LEAD_FAULT_BAD_KEY,
                                  "an ingestion key");
    }

    call->source = source;

    if (source->disabled || call->key.disabled) {
        return ngx_lead_auth_deny(call, NGX_LEAD_FAULT_SOURCE_DISABLED,
                                  "a disabled source's key");
    }

    return NGX_OK;
}


static ngx_int_t
ngx_lead_auth_deny(ngx_lead_call_t *call, ngx_lead_fault_e kind,
    const char *why)
{
    ngx_log_error(NGX_LOG_INFO, call->log, 0,
                  "lead: client sent %s", why);

    call->fault.kind = kind;

    return NGX_DECLINED;
}
