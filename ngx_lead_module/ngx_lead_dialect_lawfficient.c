
/*
 * Copyright (C) the ngx_lead authors
 *
 * Lawfficient's leads API: its routes, and its words for what went wrong.
 *
 * Does no I/O and sees no request; all of this runs in the event loop, on
 * call->pool.  What writes, and so runs in threads too, is in the files
 * ngx_lead_dialect_lawfficient_*.c.
 */


#include "ngx_lead_dialect_lawfficient.h"
#include "ngx_lead_dialect_lawfficient_openapi.h"


#define NGX_LEAD_LAW_BODY_MAX      65536
#define NGX_LEAD_LAW_VERSION       "2026-07-01"
#define NGX_LEAD_LAW_VERSION_MAX   64


typedef struct {
    ngx_uint_t             status;
    ngx_str_t              code;
    ngx_str_t              text;
} ngx_lead_law_fault_t;


static ngx_int_t ngx_lead_law_openapi(ngx_lead_call_t *call);
static ngx_int_t ngx_lead_law_get(ngx_lead_call_t *call);
static ngx_int_t ngx_lead_law_created(ngx_lead_call_t *call, lead_t *leads,
    ngx_uint_t n);
static ngx_int_t ngx_lead_law_show(ngx_lead_call_t *call, lead_t *leads,
    ngx_uint_t n);

static ngx_int_t ngx_lead_law_fault(ngx_lead_call_t *call);
static ngx_uint_t ngx_lead_law_flat(ngx_lead_call_t *call);
static ngx_int_t ngx_lead_law_headers(ngx_lead_call_t *call);


static ngx_lead_route_t  ngx_lead_law_routes[] = {

    { .methods = NGX_LEAD_GET,
      .path = ngx_string("/api/openapi.json"),
      .act = NGX_LEAD_DO_ANSWER,
      .decode = ngx_lead_law_openapi },

    { .methods = NGX_LEAD_GET,
      .path = ngx_string("/api/leads"),
      .scope = LEAD_SCOPE_READ,
      .act = NGX_LEAD_DO_LIST,
      .decode = ngx_lead_law_list,
      .encode = ngx_lead_law_page },

    { .methods = NGX_LEAD_POST,
      .path = ngx_string("/api/leads"),
      .scope = LEAD_SCOPE_WRITE,
      .ingest = 1,
      .idempotent = 1,
      .body = NGX_LEAD_BODY_JSON,
      .act = NGX_LEAD_DO_COMMIT,
      .decode = ngx_lead_law_create,
      .encode = ngx_lead_law_created },

    { .methods = NGX_LEAD_GET,
      .path = ngx_string("/api/leads/{}"),
      .scope = LEAD_SCOPE_READ,
      .act = NGX_LEAD_DO_FIND,
      .decode = ngx_lead_law_get,
      .encode = ngx_lead_law_show },

    { .methods = NGX_LEAD_PATCH,
      .path = ngx_string("/api/leads/{}"),
      .scope = LEAD_SCOPE_WRITE,
      .body = NGX_LEAD_BODY_JSON,
      .act = NGX_LEAD_DO_COMMIT,
      .decode = ngx_lead_law_patch,
      .encode = ngx_lead_law_show },

    { .methods = NGX_LEAD_POST,
      .path = ngx_string("/api/leads/{}/archive"),
      .scope = LEAD_SCOPE_WRITE,
      .act = NGX_LEAD_DO_COMMIT,
      .decode = ngx_lead_law_archive,
      .encode = ngx_lead_law_show },

    { .methods = NGX_LEAD_POST,
      .path = ngx_string("/api/leads/{}/unarchive"),
      .scope = LEAD_SCOPE_WRITE,
      .act = NGX_LEAD_DO_COMMIT,
      .decode = ngx_lead_law_unarchive,
      .encode = ngx_lead_law_show },

    { .path = ngx_null_string }
};


ngx_lead_dialect_t  ngx_lead_dialect_lawfficient = {
    .name = ngx_string("lawfficient"),
    .base = ngx_string("/api"),
    .body_max = NGX_LEAD_LAW_BODY_MAX,
    .in = { ngx_string("Lawfficient-Version"), ngx_null_string },
    .places = { { NGX_LEAD_KEY_BEARER, ngx_null_string } },
    .options = 1,
    .routes = ngx_lead_law_routes,
    .fault = ngx_lead_law_fault,
    .headers = ngx_lead_law_headers,
    .notice = ngx_lead_law_notice,
    .signature = ngx_string("Lawfficient-Signature")
};


static const ngx_lead_law_fault_t  ngx_lead_law_faults[] = {

    [NGX_LEAD_FAULT_NO_ROUTE] =
    { 404, ngx_string("not_found"), ngx_string("Not found.") },

    [NGX_LEAD_FAULT_NO_KEY] =
    { 401, ngx_string("missing_key"), ngx_string("Missing API key.") },

    [NGX_LEAD_FAULT_BAD_KEY] =
    { 401, ngx_string("invalid_key"), ngx_string("Invalid API key.") },

    [NGX_LEAD_FAULT_KEY_DISABLED] =
    { 403, ngx_string("key_disabled"),
      ngx_string("This API key is disabled.") },

    [NGX_LEAD_FAULT_SOURCE_DISABLED] =
    { 403, ngx_string("key_disabled"),
      ngx_string("This source is disabled.") },

    [NGX_LEAD_FAULT_SCOPE] =
    { 403, ngx_string("insufficient_scope"),
      ngx_string("This API key is missing the required scope: leads:write.") },

    [NGX_LEAD_FAULT_RATE] =
    { 429, ngx_string("rate_limited"), ngx_string("Rate limit exceeded.") },

    [NGX_LEAD_FAULT_IDEMPOTENCY] =
    { 400, ngx_string("invalid_request"),
      ngx_string("Idempotency-Key is too long.") },

    [NGX_LEAD_FAULT_TOO_LARGE] =
    { 413, ngx_string("payload_too_large"),
      ngx_string("Payload too large.") },

    [NGX_LEAD_FAULT_BAD_REQUEST] =
    { 400, ngx_string("invalid_request"), ngx_string("Bad request.") },

    [NGX_LEAD_FAULT_BAD_JSON] =
    { 400, ngx_string("invalid_json"), ngx_string("Invalid JSON body.") },

    [NGX_LEAD_FAULT_NOT_FOUND] =
    { 404, ngx_string("not_found"), ngx_string("Lead not found.") },

    [NGX_LEAD_FAULT_UNAVAILABLE] =
    { 503, ngx_string("unavailable"),
      ngx_string("Temporarily unavailable.") },

    [NGX_LEAD_FAULT_INTERNAL] =
    { 500, ngx_string("internal_error"),
      ngx_string("An unexpected error occurred.") }
};


static ngx_int_t
ngx_lead_law_openapi(ngx_lead_call_t *call)
{
    call->status = 200;
    ngx_str_set(&call->text, NGX_LEAD_LAW_OPENAPI);

    return NGX_OK;
}


static ngx_int_t
ngx_lead_law_get(ngx_lead_call_t *call)
{
    lead_bytes_t  id;

    id.data = call->params[0].data;
    id.len = call->params[0].len;

    if (lead_store_id_parse(id, &call->find.id) != 0) {
        call->fault.kind = NGX_LEAD_FAULT_NOT_FOUND;
        return NGX_DECLINED;
    }

    call->find.by = LEAD_BY_ID;

    return NGX_OK;
}


ngx_str_t *
ngx_lead_law_text(ngx_lead_json_t *node)
{
    static ngx_str_t  empty = ngx_string("");

    return (node && node->type == NGX_LEAD_JSON_STRING && node->text.len)
           ? &node->text : &empty;
}


ngx_uint_t
ngx_lead_law_member(ngx_lead_json_t *obj, const char *name, ngx_str_t *text)
{
    ngx_lead_json_t  *node;

    node = ngx_lead_json_find(obj, (u_char *) name, ngx_strlen(name));

    if (node == NULL) {
        ngx_str_null(text);
        return 0;
    }

    *text = *ngx_lead_law_text(node);
    ngx_lead_field_trim(text);

    return 1;
}


void
ngx_lead_law_add(ngx_lead_json_gen_t *gen, ngx_lead_json_t *obj,
    ngx_str_t *name, ngx_str_t *value)
{
    ngx_lead_json_t  *node;

    node = ngx_lead_json_add_str(gen, obj, NULL, value);

    if (node) {
        node->name = *name;
    }
}


static ngx_int_t
ngx_lead_law_created(ngx_lead_call_t *call, lead_t *leads, ngx_uint_t n)
{
    ngx_int_t  rc;

    if (n && call->source) {
        return ngx_lead_law_ingested(call, leads);
    }

    rc = ngx_lead_law_show(call, leads, n);

    if (rc == NGX_OK) {
        call->status = 201;
    }

    return rc;
}


static ngx_int_t
ngx_lead_law_show(ngx_lead_call_t *call, lead_t *leads, ngx_uint_t n)
{
    ngx_lead_law_op_t    *op;
    ngx_lead_json_gen_t   gen;

    if (n == 0) {
        op = call->op.data;
        call->fault = op->fault;
        return NGX_DECLINED;
    }

    gen.pool = call->pool;
    gen.failed = 0;

    call->status = 200;
    call->root = ngx_lead_json_add(&gen, NULL, NULL, NGX_LEAD_JSON_OBJECT);

    return ngx_lead_law_add_lead(&gen, call->account, call->root, &leads[0])
           == NGX_OK ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_lead_law_fault(ngx_lead_call_t *call)
{
    ngx_str_t             code, text;
    ngx_uint_t            flat;
    ngx_lead_json_t      *error;
    ngx_lead_fault_e      kind;
    ngx_lead_json_gen_t   gen;

    kind = call->fault.kind;
    flat = ngx_lead_law_flat(call);

    if (kind == NGX_LEAD_FAULT_METHOD) {
        call->status = 405;
        return NGX_OK;
    }

    if (kind == NGX_LEAD_FAULT_OWN) {
        call->status = call->fault.status;
        code = call->fault.code;
        text = call->fault.text;

    } else {
        call->status = ngx_lead_law_faults[kind].status;
        code = ngx_lead_law_faults[kind].code;
        text = ngx_lead_law_faults[kind].text;
    }

    if (kind == NGX_LEAD_FAULT_SCOPE
        && call->route->scope == LEAD_SCOPE_READ)
    {
        ngx_str_set(&text, "This API key is missing the required scope: "
                           "leads:read.");
    }

    if (kind == NGX_LEAD_FAULT_INTERNAL && flat) {
        ngx_str_set(&text, "Could not ingest the lead.");
    }

    gen.pool = call->pool;
    gen.failed = 0;

    call->root = ngx_lead_json_add(&gen, NULL, NULL, NGX_LEAD_JSON_OBJECT);

    if (flat) {
        (void) ngx_lead_json_add_str(&gen, call->root, "error", &text);

    } else {
        error = ngx_lead_json_add(&gen, call->root, "error",
                                  NGX_LEAD_JSON_OBJECT);
        (void) ngx_lead_json_add_str(&gen, error, "code", &code);
        (void) ngx_lead_json_add_str(&gen, error, "message", &text);
    }

    return gen.failed ? NGX_ERROR : NGX_OK;
}


/* an ingestion's answers have another shape, and no version */

static ngx_uint_t
ngx_lead_law_flat(ngx_lead_call_t *call)
{
    return call->source != NULL
           || call->fault.kind == NGX_LEAD_FAULT_SOURCE_DISABLED;
}


static ngx_int_t
ngx_lead_law_headers(ngx_lead_call_t *call)
{
    ngx_lead_header_t  *h;

    if (ngx_lead_law_flat(call)) {
        return NGX_OK;
    }

    h = &call->headers[call->nheaders++];

    h->name = "Lawfficient-Version";
    h->value = call->in[0];

    if (h->value.len == 0 || h->value.len > NGX_LEAD_LAW_VERSION_MAX) {
        ngx_str_set(&h->value, NGX_LEAD_LAW_VERSION);
    }

    return NGX_OK;
}
