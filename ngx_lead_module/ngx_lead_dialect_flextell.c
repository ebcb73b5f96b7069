
/*
 * Copyright (C) the ngx_lead authors
 *
 * Flextell's leads API: its routes, its words for what went wrong, who may
 * come in, and a lead as it shows it.
 *
 * Does no I/O and sees no request; all of this runs in the event loop, on
 * call->pool.
 */


#include "ngx_lead_dialect_flextell.h"


#define NGX_LEAD_FLEX_BODY_MAX     1048576

#define NGX_LEAD_FLEX_REALM        "Bearer realm=\"flextell\""
#define NGX_LEAD_FLEX_BAD_TOKEN    "The bearer token is expired or malformed."
#define NGX_LEAD_FLEX_NO_SCOPE                                                \
    "The access token does not have the required scope."

#define NGX_LEAD_FLEX_STATUSES                                                \
    "Lead statuses are configured in nginx.conf and cannot be changed "       \
    "through the API."
#define NGX_LEAD_FLEX_SOURCES                                                 \
    "Lead reference sources are configured in nginx.conf and cannot be "      \
    "created through the API."
#define NGX_LEAD_FLEX_CONVERT                                                 \
    "Leads cannot be converted through the API: nginx.conf configures the "   \
    "intake of leads and no customers."


typedef struct {
    ngx_uint_t             status;
    ngx_str_t              code;
    ngx_str_t              text;
} ngx_lead_flex_fault_t;


static ngx_int_t ngx_lead_flex_authorize(ngx_lead_call_t *call);
static ngx_int_t ngx_lead_flex_get(ngx_lead_call_t *call);
static ngx_int_t ngx_lead_flex_keep_status(ngx_lead_call_t *call);
static ngx_int_t ngx_lead_flex_keep_source(ngx_lead_call_t *call);
static ngx_int_t ngx_lead_flex_keep_lead(ngx_lead_call_t *call);
static ngx_int_t ngx_lead_flex_created(ngx_lead_call_t *call, lead_t *leads,
    ngx_uint_t n);
static ngx_int_t ngx_lead_flex_show(ngx_lead_call_t *call, lead_t *leads,
    ngx_uint_t n);
static ngx_int_t ngx_lead_flex_answer(ngx_lead_call_t *call, lead_t *lead,
    const char *success);
static ngx_int_t ngx_lead_flex_fault(ngx_lead_call_t *call);
static void ngx_lead_flex_add_errors(ngx_lead_json_gen_t *gen,
    ngx_lead_json_t *root, ngx_array_t *errors);
static ngx_int_t ngx_lead_flex_headers(ngx_lead_call_t *call);
static void ngx_lead_flex_challenge(ngx_lead_call_t *call);
static ngx_int_t ngx_lead_flex_header_n(ngx_lead_call_t *call,
    const char *name, time_t n);


/* the vendor's own server has its API under /api, its documentation does
 * not say so */

#define ngx_lead_flex_routes_at(prefix)                                       \
                                                                              \
    { .methods = NGX_LEAD_GET,                                                \
      .path = ngx_string(prefix "/leads"),                                    \
      .scope = LEAD_SCOPE_READ,                                               \
      .links = 1,                                                             \
      .act = NGX_LEAD_DO_LIST,                                                \
      .decode = ngx_lead_flex_list,                                           \
      .encode = ngx_lead_flex_page },                                         \
                                                                              \
    { .methods = NGX_LEAD_POST,                                               \
      .path = ngx_string(prefix "/leads"),                                    \
      .scope = LEAD_SCOPE_WRITE,                                              \
      .idempotent = 1,                                                        \
      .resource_name = ngx_string("leads"),                                   \
      .body = NGX_LEAD_BODY_ANY,                                              \
      .act = NGX_LEAD_DO_COMMIT,                                              \
      .decode = ngx_lead_flex_create,                                         \
      .encode = ngx_lead_flex_created },                                      \
                                                                              \
    { .methods = NGX_LEAD_GET,                                                \
      .path = ngx_string(prefix "/leads/statuses"),                           \
      .scope = LEAD_SCOPE_READ,                                               \
      .links = 1,                                                             \
      .act = NGX_LEAD_DO_ANSWER,                                              \
      .decode = ngx_lead_flex_statuses },                                     \
                                                                              \
    { .methods = NGX_LEAD_PUT,                                                \
      .path = ngx_string(prefix "/leads/statuses/{}"),                        \
      .scope = LEAD_SCOPE_WRITE,                                              \
      .act = NGX_LEAD_DO_ANSWER,                                              \
      .decode = ngx_lead_flex_keep_status },                                  \
                                                                              \
    { .methods = NGX_LEAD_GET,                                                \
      .path = ngx_string(prefix "/leads/reference-sources"),                  \
      .scope = LEAD_SCOPE_READ,                                               \
      .links = 1,                                                             \
      .act = NGX_LEAD_DO_ANSWER,                                              \
      .decode = ngx_lead_flex_sources },                                      \
                                                                              \
    { .methods = NGX_LEAD_POST,                                               \
      .path = ngx_string(prefix "/leads/reference-sources"),                  \
      .scope = LEAD_SCOPE_WRITE,                                              \
      .act = NGX_LEAD_DO_ANSWER,                                              \
      .decode = ngx_lead_flex_keep_source },                                  \
                                                                              \
    { .methods = NGX_LEAD_GET,                                                \
      .path = ngx_string(prefix "/leads/{}"),                                 \
      .scope = LEAD_SCOPE_READ,                                               \
      .act = NGX_LEAD_DO_FIND,                                                \
      .decode = ngx_lead_flex_get,                                            \
      .encode = ngx_lead_flex_show },                                         \
                                                                              \
    { .methods = NGX_LEAD_POST,                                               \
      .path = ngx_string(prefix "/leads/{}/convert"),                         \
      .scope = LEAD_SCOPE_WRITE,                                              \
      .act = NGX_LEAD_DO_ANSWER,                                              \
      .decode = ngx_lead_flex_keep_lead }


static ngx_lead_route_t  ngx_lead_flex_routes[] = {
    ngx_lead_flex_routes_at("/api/v1"),
    ngx_lead_flex_routes_at("/v1"),
    { .path = ngx_null_string }
};


ngx_lead_dialect_t  ngx_lead_dialect_flextell = {
    .name = ngx_string("flextell"),
    .base = ngx_string("/api/v1"),
    .body_max = NGX_LEAD_FLEX_BODY_MAX,
    .in = { ngx_string("X-Tenant"), ngx_null_string },
    .places = { { NGX_LEAD_KEY_BEARER, ngx_null_string } },
    .brackets = 1,
    .routes = ngx_lead_flex_routes,
    .authorize = ngx_lead_flex_authorize,
    .fault = ngx_lead_flex_fault,
    .headers = ngx_lead_flex_headers
};


static const ngx_lead_flex_fault_t  ngx_lead_flex_faults[] = {

    [NGX_LEAD_FAULT_NO_ROUTE] =
    { 404, ngx_string("not_found"),
      ngx_string("The requested resource was not found.") },

    [NGX_LEAD_FAULT_METHOD] =
    { 405, ngx_string("method_not_allowed"),
      ngx_string("The method is not supported for this resource.") },

    [NGX_LEAD_FAULT_NO_KEY] =
    { 401, ngx_string("invalid_token"),
      ngx_string(NGX_LEAD_FLEX_BAD_TOKEN) },

    [NGX_LEAD_FAULT_BAD_KEY] =
    { 401, ngx_string("invalid_token"),
      ngx_string(NGX_LEAD_FLEX_BAD_TOKEN) },

    [NGX_LEAD_FAULT_KEY_DISABLED] =
    { 401, ngx_string("invalid_token"),
      ngx_string(NGX_LEAD_FLEX_BAD_TOKEN) },

    [NGX_LEAD_FAULT_SOURCE_DISABLED] =
    { 401, ngx_string("invalid_token"),
      ngx_string(NGX_LEAD_FLEX_BAD_TOKEN) },

    [NGX_LEAD_FAULT_SCOPE] =
    { 403, ngx_string("insufficient_scope"),
      ngx_string(NGX_LEAD_FLEX_NO_SCOPE) },

    [NGX_LEAD_FAULT_RATE] =
    { 429, ngx_string("rate_limit_exceeded"),
      ngx_string("Too many requests.") },

    [NGX_LEAD_FAULT_IDEMPOTENCY] =
    { 422, ngx_string("validation_error"),
      ngx_string("The 'Idempotency-Key' header must not be greater than 255 "
                 "characters.") },

    [NGX_LEAD_FAULT_TOO_LARGE] =
    { 413, ngx_string("payload_too_large"),
      ngx_string("The request body is too large.") },

    [NGX_LEAD_FAULT_BAD_REQUEST] =
    { 400, ngx_string("invalid_request"),
      ngx_string("The request is malformed.") },

    [NGX_LEAD_FAULT_BAD_JSON] =
    { 400, ngx_string("invalid_request"),
      ngx_string("The request body is not valid JSON.") },

    [NGX_LEAD_FAULT_BAD_FORM] =
    { 400, ngx_string("invalid_request"),
      ngx_string("The request body is not a valid form.") },

    [NGX_LEAD_FAULT_NOT_FOUND] =
    { 404, ngx_string("not_found"),
      ngx_string("The requested lead was not found.") },

    [NGX_LEAD_FAULT_UNAVAILABLE] =
    { 503, ngx_string("service_unavailable"),
      ngx_string("The service is temporarily unavailable.") },

    [NGX_LEAD_FAULT_INTERNAL] =
    { 500, ngx_string("server_error"),
      ngx_string("An unexpected error occurred.") }
};


/* the tenant that a client names must be the one its token belongs to; others
 * and unknown ones are told apart by nothing */

static ngx_int_t
ngx_lead_flex_authorize(ngx_lead_call_t *call)
{
    size_t      i;
    ngx_str_t   text;
    ngx_uint_t  tenant;

    text = call->in[0];
    ngx_lead_field_trim(&text);

    if (text.len == 0) {
        return ngx_lead_call_fault(call, 400, "invalid_request",
                                   "The 'X-Tenant' header is required.");
    }

    tenant = 0;

    for (i = 0; i < text.len; i++) {

        if (text.data[i] < '0' || text.data[i] > '9') {
            tenant = 0;
            break;
        }

        if (tenant < NGX_MAX_INT32_VALUE) {
            tenant = tenant * 10 + (text.data[i] - '0');
        }
    }

    if (tenant == 0) {
        return ngx_lead_call_fault(call, 400, "invalid_request",
                                   "The 'X-Tenant' header must be a number.");
    }

    if (tenant != call->account->tenant) {
        return ngx_lead_call_fault(call, 403, "forbidden",
                                   "You do not have access to this tenant.");
    }

    return NGX_OK;
}


static ngx_int_t
ngx_lead_flex_get(ngx_lead_call_t *call)
{
    ngx_int_t  number;

    number = ngx_atoi(call->params[0].data, call->params[0].len);

    if (number <= 0) {
        call->fault.kind = NGX_LEAD_FAULT_NOT_FOUND;
        return NGX_DECLINED;
    }

    call->find.by = LEAD_BY_NUMBER;
    call->find.number = number;

    return NGX_OK;
}


/* what would change the configuration is nginx.conf's */

static ngx_int_t
ngx_lead_flex_keep_status(ngx_lead_call_t *call)
{
    return ngx_lead_call_fault(call, 403, "forbidden",
                               NGX_LEAD_FLEX_STATUSES);
}


static ngx_int_t
ngx_lead_flex_keep_source(ngx_lead_call_t *call)
{
    return ngx_lead_call_fault(call, 403, "forbidden", NGX_LEAD_FLEX_SOURCES);
}


static ngx_int_t
ngx_lead_flex_keep_lead(ngx_lead_call_t *call)
{
    return ngx_lead_call_fault(call, 403, "forbidden", NGX_LEAD_FLEX_CONVERT);
}


static ngx_int_t
ngx_lead_flex_created(ngx_lead_call_t *call, lead_t *leads, ngx_uint_t n)
{
    call->status = 201;

    return n ? ngx_lead_flex_answer(call, leads, "Lead created successfully.")
             : NGX_ERROR;
}


static ngx_int_t
ngx_lead_flex_show(ngx_lead_call_t *call, lead_t *leads, ngx_uint_t n)
{
    call->status = 200;

    return n ? ngx_lead_flex_answer(call, leads,
                                    "Lead retrieved successfully.")
             : NGX_ERROR;
}


static ngx_int_t
ngx_lead_flex_answer(ngx_lead_call_t *call, lead_t *lead, const char *success)
{
    ngx_str_t            text;
    ngx_lead_json_gen_t  gen;

    gen.pool = call->pool;
    gen.failed = 0;

    text.data = (u_char *) success;
    text.len = ngx_strlen(success);

    call->root = ngx_lead_json_add(&gen, NULL, NULL, NGX_LEAD_JSON_OBJECT);
    (void) ngx_lead_json_add_str(&gen, call->root, "success", &text);

    return ngx_lead_flex_add_lead(&gen, call, call->root, "data", lead);
}


static ngx_int_t
ngx_lead_flex_fault(ngx_lead_call_t *call)
{
    ngx_str_t             code, text, header;
    ngx_lead_fault_e      kind;
    ngx_lead_json_gen_t   gen;

    kind = call->fault.kind;

    if (kind == NGX_LEAD_FAULT_OWN) {
        call->status = call->fault.status;
        code = call->fault.code;
        text = call->fault.text;

    } else {
        call->status = ngx_lead_flex_faults[kind].status;
        code = ngx_lead_flex_faults[kind].code;
        text = ngx_lead_flex_faults[kind].text;
    }

    if (kind == NGX_LEAD_FAULT_IDEMPOTENCY) {
        ngx_str_set(&header, "Idempotency-Key");

        if (ngx_lead_call_error(call, &header, &text) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    gen.pool = call->pool;
    gen.failed = 0;

    call->root = ngx_lead_json_add(&gen, NULL, NULL, NGX_LEAD_JSON_OBJECT);

    (void) ngx_lead_json_add_str(&gen, call->root, "error", &code);
    (void) ngx_lead_json_add_str(&gen, call->root, "message", &text);

    if (call->status == 422) {
        ngx_lead_flex_add_errors(&gen, call->root, call->errors);
    }

    return gen.failed ? NGX_ERROR : NGX_OK;
}


/* findings about one field come one after the other */

static void
ngx_lead_flex_add_errors(ngx_lead_json_gen_t *gen, ngx_lead_json_t *root,
    ngx_array_t *errors)
{
    ngx_uint_t               i;
    ngx_lead_json_t         *to, *list;
    ngx_lead_field_error_t  *error;

    to = ngx_lead_json_add(gen, root, "errors", NGX_LEAD_JSON_OBJECT);

    error = errors->elts;
    list = NULL;

    for (i = 0; i < errors->nelts; i++) {

        if (i == 0
            || !ngx_lead_field_equal(&error[i].path, &error[i - 1].path))
        {
            list = ngx_lead_json_add(gen, to, NULL, NGX_LEAD_JSON_ARRAY);
            if (list == NULL) {
                return;
            }

            list->name = error[i].path;
        }

        (void) ngx_lead_json_add_str(gen, list, NULL, &error[i].text);
    }
}


static ngx_int_t
ngx_lead_flex_headers(ngx_lead_call_t *call)
{
    ngx_lead_rate_t  *rate;

    ngx_lead_flex_challenge(call);

    rate = &call->rate;

    if (rate->limit == 0) {
        return NGX_OK;
    }

    if (ngx_lead_flex_header_n(call, "X-RateLimit-Limit", rate->limit)
            != NGX_OK
        || ngx_lead_flex_header_n(call, "X-RateLimit-Remaining",
                                  rate->remaining)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_lead_flex_header_n(call, "X-RateLimit-Reset",
                                  ngx_time() + rate->reset);
}


/* RFC 6750, section 3: no error is named where no token was sent */

static void
ngx_lead_flex_challenge(ngx_lead_call_t *call)
{
    ngx_str_t          *value;
    ngx_lead_header_t  *h;

    h = &call->headers[call->nheaders];
    value = &h->value;

    switch (call->fault.kind) {

    case NGX_LEAD_FAULT_NO_KEY:
        ngx_str_set(value, NGX_LEAD_FLEX_REALM);
        break;

    case NGX_LEAD_FAULT_BAD_KEY:
    case NGX_LEAD_FAULT_KEY_DISABLED:
    case NGX_LEAD_FAULT_SOURCE_DISABLED:
        ngx_str_set(value, NGX_LEAD_FLEX_REALM ", error=\"invalid_token\", "
                    "error_description=\"" NGX_LEAD_FLEX_BAD_TOKEN "\"");
        break;

    case NGX_LEAD_FAULT_SCOPE:

        if (call->route->scope == LEAD_SCOPE_READ) {
            ngx_str_set(value, NGX_LEAD_FLEX_REALM
                        ", error=\"insufficient_scope\", "
                        "error_description=\"" NGX_LEAD_FLEX_NO_SCOPE "\", "
                        "scope=\"read:leads\"");

        } else {
            ngx_str_set(value, NGX_LEAD_FLEX_REALM
                        ", error=\"insufficient_scope\", "
                        "error_description=\"" NGX_LEAD_FLEX_NO_SCOPE "\", "
                        "scope=\"write:leads\"");
        }

        break;

    default:
        return;
    }

    h->name = "WWW-Authenticate";
    call->nheaders++;
}


static ngx_int_t
ngx_lead_flex_header_n(ngx_lead_call_t *call, const char *name, time_t n)
{
    ngx_lead_header_t  *h;

    h = &call->headers[call->nheaders++];

    h->name = name;
    h->value.data = ngx_pnalloc(call->pool, NGX_TIME_T_LEN);

    if (h->value.data == NULL) {
        return NGX_ERROR;
    }

    h->value.len = ngx_sprintf(h->value.data, "%T", n) - h->value.data;

    return NGX_OK;
}
