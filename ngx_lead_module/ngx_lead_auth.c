
/*
 * Copyright (C) the ngx_lead authors
 *
 * Who calls: the credential out of the request, the key out of the store,
 * the account out of the configuration, and whether that key may do what the
 * route does.  No key is written to a log at any level.  Of a header sent
 * twice the first counts.
 *
 * Keys are looked up in the store for each request, so that a key added,
 * disabled or removed counts at once in all workers.  The store finds a key by
 * the SHA-256 of its text.  How long that takes can tell something about hashes
 * alone, of which no text can be had; so nothing here is compared in constant
 * time.
 */


#include "ngx_lead.h"
#include "ngx_lead_field.h"


static ngx_int_t ngx_lead_auth_find(ngx_lead_ctx_t *ctx, ngx_str_t *text);
static ngx_int_t ngx_lead_auth_place(ngx_lead_ctx_t *ctx,
    ngx_lead_place_t *place, ngx_str_t *text);
static ngx_int_t ngx_lead_auth_header(ngx_str_t *value, ngx_lead_key_e place,
    ngx_str_t *text);
static ngx_int_t ngx_lead_auth_check(ngx_lead_ctx_t *ctx, ngx_str_t *text);
static ngx_int_t ngx_lead_auth_judge(ngx_lead_call_t *call);
static ngx_int_t ngx_lead_auth_key(ngx_lead_ctx_t *ctx, ngx_str_t *text);
static ngx_int_t ngx_lead_auth_source(ngx_lead_call_t *call);
static ngx_int_t ngx_lead_auth_deny(ngx_lead_call_t *call,
    ngx_lead_fault_e kind, const char *why);


ngx_int_t
ngx_lead_auth(ngx_lead_ctx_t *ctx)
{
    ngx_int_t         rc;
    ngx_str_t         text;
    ngx_lead_call_t  *call;
    ngx_lead_guard_t  guard;

    call = &ctx->call;

    ngx_str_null(&text);

    rc = ngx_lead_auth_find(ctx, &text);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc == NGX_DECLINED) {

        if (call->anonymous) {
            call->store_account
                          = ctx->lmcf->worker->numbers[call->account->index];
            return NGX_OK;
        }

        return ngx_lead_auth_deny(call, NGX_LEAD_FAULT_NO_KEY, "no key");
    }

    if (ngx_lead_guard(ctx, &text, &guard) != NGX_OK) {
        return NGX_DECLINED;
    }

    rc = ngx_lead_auth_check(ctx, &text);

    if (rc == NGX_OK) {
        ngx_lead_guard_passed(ctx, &guard);

    } else if (call->fault.kind == NGX_LEAD_FAULT_BAD_KEY) {
        ngx_lead_guard_failed(ctx, &guard);
    }

    return rc;
}


ngx_uint_t
ngx_lead_auth_in_body(ngx_lead_call_t *call)
{
    ngx_lead_place_t  *place;

    if (call->route->body == NGX_LEAD_BODY_NONE) {
        return 0;
    }

    for (place = call->dialect->places; place->place; place++) {
        if (place->place == NGX_LEAD_KEY_FIELD) {
            return 1;
        }
    }

    return 0;
}


/* the text of the first place that has one */

static ngx_int_t
ngx_lead_auth_find(ngx_lead_ctx_t *ctx, ngx_str_t *text)
{
    ngx_int_t          rc;
    ngx_lead_place_t  *place;

    for (place = ctx->call.dialect->places; place->place; place++) {

        rc = ngx_lead_auth_place(ctx, place, text);

        if (rc == NGX_OK && text->len == 0) {
            continue;
        }

        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_lead_auth_place(ngx_lead_ctx_t *ctx, ngx_lead_place_t *place,
    ngx_str_t *text)
{
    ngx_int_t         rc;
    ngx_lead_json_t  *node, *root;
    ngx_table_elt_t  *h;

    root = ctx->call.json;

    switch (place->place) {

    case NGX_LEAD_KEY_BEARER:
    case NGX_LEAD_KEY_BARE:
        h = ctx->request->headers_in.authorization;

        return h ? ngx_lead_auth_header(&h->value, place->place, text)
                 : NGX_DECLINED;

    case NGX_LEAD_KEY_LAST:
        h = ngx_lead_request_header(ctx->request, &place->name);

        return (h && !ctx->call.form)
               ? ngx_lead_auth_header(&h->value, place->place, text)
               : NGX_DECLINED;

    case NGX_LEAD_KEY_QUERY:
        rc = ngx_lead_call_query(&ctx->call, &root);

        if (rc != NGX_OK) {
            return rc;
        }

        /* fall through */

    default: /* NGX_LEAD_KEY_FIELD */
        node = ngx_lead_json_find(root, place->name.data, place->name.len);

        /* a key with a zero in it is there, and wrong */

        if (node == NULL
            || (node->type != NGX_LEAD_JSON_STRING
                && node->type != NGX_LEAD_JSON_NUL_STRING))
        {
            return NGX_DECLINED;
        }

        *text = node->text;
        ngx_lead_field_trim(text);

        return NGX_OK;
    }
}


/* "Bearer", any case, blanks, and the key up to trailing blanks */

static ngx_int_t
ngx_lead_auth_header(ngx_str_t *value, ngx_lead_key_e place, ngx_str_t *text)
{
    u_char      *p, *last;
    size_t       len;
    ngx_uint_t   bearer;

    p = value->data;
    last = p + value->len;
    len = sizeof("Bearer") - 1;

    while (p < last && (last[-1] == ' ' || last[-1] == '\t')) {
        last--;
    }

    bearer = (size_t) (last - p) > len
             && ngx_strncasecmp(p, (u_char *) "Bearer", len) == 0
             && (p[len] == ' ' || p[len] == '\t');

    if (place == NGX_LEAD_KEY_LAST) {
        for (text->data = last; text->data > p; text->data--) {
            if (text->data[-1] == ' ' || text->data[-1] == '\t') {
                break;
            }
        }

        text->len = last - text->data;

        return NGX_OK;
    }

    if (bearer) {
        p += len;

    } else if (place == NGX_LEAD_KEY_BEARER) {
        return NGX_DECLINED;
    }

    while (p < last && (*p == ' ' || *p == '\t')) {
        p++;
    }

    text->data = p;
    text->len = last - p;

    return NGX_OK;
}


static ngx_int_t
ngx_lead_auth_check(ngx_lead_ctx_t *ctx, ngx_str_t *text)
{
    if (ngx_lead_auth_key(ctx, text) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (ctx->call.key.source[0] != '\0') {
        return ngx_lead_auth_source(&ctx->call);
    }

    return ngx_lead_auth_judge(&ctx->call);
}


static ngx_int_t
ngx_lead_auth_judge(ngx_lead_call_t *call)
{
    ngx_int_t  rc;

    if (call->key.disabled) {
        return ngx_lead_auth_deny(call, NGX_LEAD_FAULT_KEY_DISABLED,
                                  "a disabled key");
    }

    if (call->dialect->authorize) {
        rc = call->dialect->authorize(call);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    if ((call->key.scopes & call->route->scope) != call->route->scope) {
        return ngx_lead_auth_deny(call, NGX_LEAD_FAULT_SCOPE,
                                  "a key without the scope");
    }

    return NGX_OK;
}


static ngx_int_t
ngx_lead_auth_key(ngx_lead_ctx_t *ctx, ngx_str_t *text)
{
    int64_t              now;
    lead_rc_t            rc;
    lead_error_t         error;
    lead_bytes_t         bytes;
    ngx_time_t          *tp;
    ngx_lead_call_t     *call;
    ngx_lead_worker_t   *w;
    ngx_lead_account_t  *owner;

    call = &ctx->call;
    w = ctx->lmcf->worker;
    owner = call->account;

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

    call->account = NULL;

    if (call->key.account < w->naccounts) {
        call->account = w->by_number[call->key.account];
    }

    if (call->account == NULL) {
        return ngx_lead_auth_deny(call, NGX_LEAD_FAULT_BAD_KEY,
                                  "a key of an account not configured");
    }

    if (owner && owner != call->account) {
        return ngx_lead_auth_deny(call, NGX_LEAD_FAULT_BAD_KEY,
                                  "a key of another account");
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
