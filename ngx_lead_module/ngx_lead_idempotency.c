
/*
 * Copyright (C) the ngx_lead authors
 *
 * The Idempotency-Key of a request, and the scope in which it is one (D1).
 */


#include "ngx_lead.h"


/*
 * Bare and quoted values are the same key; an empty one is none.  Without a
 * credential there is no client to whom the key could belong (D1).
 */

ngx_int_t
ngx_lead_idempotency(ngx_lead_ctx_t *ctx)
{
    size_t            n;
    u_char           *p, *last;
    ngx_table_elt_t  *h;
    ngx_lead_call_t  *call;

    static ngx_str_t  name = ngx_string("Idempotency-Key");

    call = &ctx->call;

    if (call->key.id[0] == '\0') {
        return NGX_OK;
    }

    h = ngx_lead_request_header(ctx->request, &name);

    if (h == NULL) {
        return NGX_OK;
    }

    p = h->value.data;
    last = p + h->value.len;

    while (p < last && (*p == ' ' || *p == '\t')) {
        p++;
    }

    while (p < last && (last[-1] == ' ' || last[-1] == '\t')) {
        last--;
    }

    if (last - p >= 2 && *p == '"' && last[-1] == '"') {
        p++;
        last--;
    }

    call->idempotency.data = p;
    call->idempotency.len = last - p;

    for (n = 0; p < last; p++) {
        n += (*p & 0xc0) != 0x80;
    }

    if (n > NGX_LEAD_IDEMPOTENCY_MAX) {
        call->fault.kind = NGX_LEAD_FAULT_IDEMPOTENCY;
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* client, dialect, route, resource and key; the store adds the account */

ngx_int_t
ngx_lead_idempotency_scope(ngx_lead_call_t *call, lead_bytes_t *scope)
{
    size_t      len;
    u_char     *p;
    ngx_str_t  *part[5], id;
    ngx_uint_t  i;

    if (call->idempotency.len == 0) {
        return NGX_OK;
    }

    id.data = (u_char *) call->key.id;
    id.len = ngx_strlen(call->key.id);

    part[0] = &id;
    part[1] = &call->dialect->name;
    part[2] = call->route->resource_name.len ? &call->route->resource_name
                                             : &call->route->path;
    part[3] = &call->params[0];
    part[4] = &call->idempotency;

    len = 5;

    for (i = 0; i < 5; i++) {
        len += part[i]->len;
    }

    p = ngx_pnalloc(call->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    scope->data = p;

    for (i = 0; i < 5; i++) {

        if (part[i]->len) {
            p = ngx_cpymem(p, part[i]->data, part[i]->len);
        }

        *p++ = '\0';
    }

    scope->len = p - scope->data;

    return NGX_OK;
}
