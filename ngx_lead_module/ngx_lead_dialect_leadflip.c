
/*
 * Copyright (C) the ngx_lead authors
 *
 * Leadflip's API: its routes, its words for what went wrong, and leads and
 * entities as it shows them.
 *
 * Does no I/O and sees no request; all of this runs in the event loop, on
 * call->pool.  What writes is in the files ngx_lead_dialect_leadflip_*.c.
 *
 * The vendor knows no scopes: a key without the one a route needs is answered
 * as one that is none.
 */


#include "ngx_lead_dialect_leadflip.h"


#define NGX_LEAD_FLIP_BODY_MAX     262144
#define NGX_LEAD_FLIP_BULK_MAX     4194304
#define NGX_LEAD_FLIP_TIME_LEN     (sizeof("1970-01-01T00:00:00+00:00") - 1)


static ngx_int_t ngx_lead_flip_created(ngx_lead_call_t *call, lead_t *leads,
    ngx_uint_t n);
static ngx_int_t ngx_lead_flip_listed(ngx_lead_call_t *call, lead_t *leads,
    ngx_uint_t n);
static ngx_int_t ngx_lead_flip_patched(ngx_lead_call_t *call, lead_t *leads,
    ngx_uint_t n);
static ngx_int_t ngx_lead_flip_moved(ngx_lead_call_t *call, lead_t *leads,
    ngx_uint_t n);

static ngx_int_t ngx_lead_flip_answer(ngx_lead_call_t *call,
    ngx_lead_json_gen_t *gen, lead_t *leads, ngx_uint_t n);

static ngx_int_t ngx_lead_flip_fault(ngx_lead_call_t *call);
static ngx_int_t ngx_lead_flip_fault_method(ngx_lead_call_t *call,
    ngx_str_t *text);
static ngx_int_t ngx_lead_flip_fault_errors(ngx_lead_call_t *call);


static ngx_lead_route_t  ngx_lead_flip_routes[] = {

    { .methods = NGX_LEAD_POST,
      .path = ngx_string("/api/intake"),
      .scope = LEAD_SCOPE_WRITE,
      .idempotent = 1,
      .body = NGX_LEAD_BODY_ANY,
      .act = NGX_LEAD_DO_COMMIT,
      .decode = ngx_lead_flip_intake,
      .encode = ngx_lead_flip_created },

    { .methods = NGX_LEAD_POST,
      .path = ngx_string("/api/leads/bulk"),
      .scope = LEAD_SCOPE_WRITE,
      .idempotent = 1,
      .body = NGX_LEAD_BODY_ANY,
      .body_max = NGX_LEAD_FLIP_BULK_MAX,
      .act = NGX_LEAD_DO_GROUP,
      .decode = ngx_lead_flip_bulk,
      .encode = ngx_lead_flip_listed },

    { .methods = NGX_LEAD_GET,
      .path = ngx_string("/api/leads/{}"),
      .scope = LEAD_SCOPE_READ,
      .events = NGX_LEAD_FLIP_READ,
      .act = NGX_LEAD_DO_FIND,
      .decode = ngx_lead_flip_get,
      .encode = ngx_lead_flip_show },

    { .methods = NGX_LEAD_PATCH,
      .path = ngx_string("/api/leads/{}"),
      .scope = LEAD_SCOPE_WRITE,
      .body = NGX_LEAD_BODY_ANY,
      .act = NGX_LEAD_DO_COMMIT,
      .decode = ngx_lead_flip_patch,
      .encode = ngx_lead_flip_patched },

    { .methods = NGX_LEAD_PATCH,
      .path = ngx_string("/api/leads/{}/status"),
      .scope = LEAD_SCOPE_WRITE,
      .body = NGX_LEAD_BODY_ANY,
      .act = NGX_LEAD_DO_COMMIT,
      .decode = ngx_lead_flip_move,
      .encode = ngx_lead_flip_moved },

    { .methods = NGX_LEAD_GET,
      .path = ngx_string("/api/entities"),
      .scope = LEAD_SCOPE_READ,
      .act = NGX_LEAD_DO_ANSWER,
      .decode = ngx_lead_flip_entities },

    { .methods = NGX_LEAD_GET,
      .path = ngx_string("/api/lead-objects"),
      .scope = LEAD_SCOPE_READ,
      .act = NGX_LEAD_DO_ANSWER,
      .decode = ngx_lead_flip_entities },

    { .path = ngx_null_string }
};


ngx_lead_dialect_t  ngx_lead_dialect_leadflip = {
    .name = ngx_string("leadflip"),
    .base = ngx_string("/api"),
    .body_max = NGX_LEAD_FLIP_BODY_MAX,
    .places = { { NGX_LEAD_KEY_BARE, ngx_null_string } },
    .brackets = 1,
    .routes = ngx_lead_flip_routes,
    .fault = ngx_lead_flip_fault
};


static const struct {
    ngx_uint_t  status;
    ngx_str_t   text;
} ngx_lead_flip_faults[] = {

    [NGX_LEAD_FAULT_NO_ROUTE] = { 404, ngx_string("Not found") },
    [NGX_LEAD_FAULT_METHOD] =
    { 405, ngx_string("The method is not supported for this route.") },
    [NGX_LEAD_FAULT_NO_KEY] = { 401, ngx_string("Unauthorized") },
    [NGX_LEAD_FAULT_BAD_KEY] = { 401, ngx_string("Unauthorized") },
    [NGX_LEAD_FAULT_KEY_DISABLED] = { 401, ngx_string("Unauthorized") },
    [NGX_LEAD_FAULT_SOURCE_DISABLED] = { 401, ngx_string("Unauthorized") },
    [NGX_LEAD_FAULT_SCOPE] = { 401, ngx_string("Unauthorized") },
    [NGX_LEAD_FAULT_RATE] = { 429, ngx_string("Too Many Attempts.") },
    [NGX_LEAD_FAULT_TOO_LARGE] =
    { 413, ngx_string("The POST data is too large.") },
    [NGX_LEAD_FAULT_BAD_REQUEST] = { 400, ngx_string("Bad request") },
    [NGX_LEAD_FAULT_NOT_FOUND] = { 404, ngx_string("Lead not found") },
    [NGX_LEAD_FAULT_UNAVAILABLE] = { 503, ngx_string("Service unavailable") },
    [NGX_LEAD_FAULT_INTERNAL] = { 500, ngx_string("Server error") }
};


static ngx_str_t  ngx_lead_flip_invalid_text = ngx_string("Validation error");
static ngx_str_t  ngx_lead_flip_success = ngx_string("success");


ngx_lead_entity_t *
ngx_lead_flip_entity_of(ngx_lead_call_t *call, ngx_lead_json_t *doc)
{
    ngx_str_t          *id;
    ngx_uint_t          i;
    ngx_lead_entity_t  *entity;

    id = ngx_lead_doc_str(ngx_lead_json_get(doc, "entity"), "id");
    entity = call->account->entities.elts;

    for (i = 0; i < call->account->entities.nelts; i++) {
        if (ngx_lead_field_equal(&entity[i].id, id)) {
            return &entity[i];
        }
    }

    return NULL;
}


/* a repeat by Idempotency-Key has the answer of a create */

static ngx_int_t
ngx_lead_flip_created(ngx_lead_call_t *call, lead_t *leads, ngx_uint_t n)
{
    ngx_int_t            rc;
    ngx_lead_json_gen_t  gen;

    rc = ngx_lead_flip_answer(call, &gen, leads, n);

    if (rc != NGX_OK) {
        return rc;
    }

    ngx_lead_flip_add_time(&gen, call->root, leads[0].created);

    if (call->op.outcome == LEAD_KEPT || call->op.outcome == LEAD_UPDATED) {
        (void) ngx_lead_json_add_bool(&gen, call->root, "duplicate", 1);
    }

    return gen.failed ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
ngx_lead_flip_listed(ngx_lead_call_t *call, lead_t *leads, ngx_uint_t n)
{
    ngx_uint_t                i;
    ngx_lead_json_t          *list, *obj, *doc, *node;
    ngx_lead_json_gen_t       gen;
    ngx_lead_entity_field_t  *field;

    static ngx_str_t  name = ngx_string("email");

    if (n == 0) {
        call->fault.kind = NGX_LEAD_FAULT_INTERNAL;
        return NGX_DECLINED;
    }

    if (ngx_lead_flip_start(call, &gen, NGX_LEAD_JSON_OBJECT) != NGX_OK) {
        return NGX_ERROR;
    }

    (void) ngx_lead_json_add_str(&gen, call->root, "status",
                                 &ngx_lead_flip_success);
    list = ngx_lead_json_add(&gen, call->root, "created",
                             NGX_LEAD_JSON_ARRAY);

    field = ngx_lead_flip_email(call->data);

    for (i = 0; i < n && !gen.failed; i++) {

        if (ngx_lead_doc_parse(call->pool, &leads[i], &doc) != NGX_OK) {
            return NGX_ERROR;
        }

        obj = ngx_lead_json_add(&gen, list, NULL, NGX_LEAD_JSON_OBJECT);
        ngx_lead_flip_add_id(&gen, obj, &leads[i]);

        node = field ? ngx_lead_json_find(ngx_lead_json_get(doc, "fields"),
                                          field->key.data, field->key.len)
                     : NULL;
        if (node) {
            (void) ngx_lead_json_add_node(&gen, obj, &name, node);

        } else {
            (void) ngx_lead_json_add(&gen, obj, "email", NGX_LEAD_JSON_NULL);
        }
    }

    return gen.failed ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
ngx_lead_flip_patched(ngx_lead_call_t *call, lead_t *leads, ngx_uint_t n)
{
    ngx_int_t             rc;
    ngx_lead_flip_op_t   *op;
    ngx_lead_json_gen_t   gen;

    static ngx_str_t  name = ngx_string("updated_fields");

    rc = ngx_lead_flip_answer(call, &gen, leads, n);

    if (rc != NGX_OK) {
        return rc;
    }

    op = call->op.data;
    (void) ngx_lead_json_add_node(&gen, call->root, &name, op->updated);

    return gen.failed ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
ngx_lead_flip_moved(ngx_lead_call_t *call, lead_t *leads, ngx_uint_t n)
{
    ngx_int_t             rc;
    ngx_lead_flip_op_t   *op;
    ngx_lead_json_gen_t   gen;

    rc = ngx_lead_flip_answer(call, &gen, leads, n);

    if (rc != NGX_OK) {
        return rc;
    }

    op = call->op.data;
    (void) ngx_lead_json_add_str(&gen, call->root, "new_status",
                                 &op->status);

    return gen.failed ? NGX_ERROR : NGX_OK;
}


ngx_int_t
ngx_lead_flip_start(ngx_lead_call_t *call, ngx_lead_json_gen_t *gen,
    ngx_lead_json_type_e type)
{
    gen->pool = call->pool;
    gen->failed = 0;

    call->status = 200;
    call->root = ngx_lead_json_add(gen, NULL, NULL, type);

    return gen->failed ? NGX_ERROR : NGX_OK;
}


/* how an answer about one lead that was written begins */

static ngx_int_t
ngx_lead_flip_answer(ngx_lead_call_t *call, ngx_lead_json_gen_t *gen,
    lead_t *leads, ngx_uint_t n)
{
    ngx_lead_flip_op_t  *op;

    op = call->op.data;

    if (n == 0) {

        if (op->fault.kind == NGX_LEAD_FAULT_OWN && op->check.list) {
            return ngx_lead_flip_invalid(call, &op->check);
        }

        call->fault = op->fault;

        return NGX_DECLINED;
    }

    if (ngx_lead_flip_start(call, gen, NGX_LEAD_JSON_OBJECT) != NGX_OK) {
        return NGX_ERROR;
    }

    (void) ngx_lead_json_add_str(gen, call->root, "status",
                                 &ngx_lead_flip_success);

    ngx_lead_flip_add_id(gen, call->root, &leads[0]);

    return gen->failed ? NGX_ERROR : NGX_OK;
}


void
ngx_lead_flip_add_id(ngx_lead_json_gen_t *gen, ngx_lead_json_t *obj,
    const lead_t *lead)
{
    ngx_str_t  text;

    text.len = LEAD_ID_TEXT_LEN;
    text.data = ngx_pnalloc(gen->pool, LEAD_ID_TEXT_LEN + 1);

    if (text.data == NULL) {
        gen->failed = 1;
        return;
    }

    lead_store_id_text(&lead->id, (char *) text.data);

    (void) ngx_lead_json_add_str(gen, obj, "lead_id", &text);
}


void
ngx_lead_flip_add_time(ngx_lead_json_gen_t *gen, ngx_lead_json_t *obj,
    int64_t time)
{
    size_t     len;
    u_char    *p;
    ngx_str_t  text;

    p = ngx_pnalloc(gen->pool, NGX_LEAD_FIELD_TIME_LEN
                               + NGX_LEAD_FLIP_TIME_LEN);
    if (p == NULL) {
        gen->failed = 1;
        return;
    }

    /* whole seconds, and the offset that Carbon shows for "Z" */

    (void) ngx_lead_field_time_ms(p, time);

    len = sizeof("1970-01-01T00:00:00") - 1;
    ngx_memcpy(p + len, "+00:00", sizeof("+00:00") - 1);

    text.data = p;
    text.len = NGX_LEAD_FLIP_TIME_LEN;

    (void) ngx_lead_json_add_str(gen, obj, "created_at", &text);
}


ngx_int_t
ngx_lead_flip_invalid(ngx_lead_call_t *call, ngx_lead_flip_check_t *check)
{
    /* an entity that is not there leaves nothing to be found out */

    if (call->fault.kind == NGX_LEAD_FAULT_NONE) {
        call->errors = check->list;
        (void) ngx_lead_call_fault(call, 422, "", "");
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_lead_flip_fault(ngx_lead_call_t *call)
{
    ngx_str_t             text;
    ngx_lead_fault_e      kind;
    ngx_lead_json_gen_t   gen;
    ngx_lead_flip_check_t check;

    static ngx_str_t  error = ngx_string("error");
    static ngx_str_t  body = ngx_string("body");
    static ngx_str_t  key = ngx_string("idempotency_key");

    ngx_memzero(&check, sizeof(ngx_lead_flip_check_t));
    check.pool = call->pool;

    kind = call->fault.kind;

    if ((kind == NGX_LEAD_FAULT_BAD_JSON
         && ngx_lead_flip_error(&check, &body, "The request % must be valid "
                                "JSON.", NULL)
            != NGX_OK)
        || (kind == NGX_LEAD_FAULT_BAD_FORM
            && ngx_lead_flip_error(&check, &body, "The request % must be a "
                                   "valid form.", NULL)
               != NGX_OK)
        || (kind == NGX_LEAD_FAULT_IDEMPOTENCY
            && ngx_lead_flip_error(&check, &key, "The % field must not be "
                                   "greater than 255 characters.", NULL)
               != NGX_OK))
    {
        return NGX_ERROR;
    }

    if (check.list) {
        call->errors = check.list;
    }

    if (ngx_lead_flip_start(call, &gen, NGX_LEAD_JSON_OBJECT) != NGX_OK) {
        return NGX_ERROR;
    }

    (void) ngx_lead_json_add_str(&gen, call->root, "status", &error);

    if (check.list || (kind == NGX_LEAD_FAULT_OWN
                       && call->fault.status == 422))
    {
        call->status = 422;
        (void) ngx_lead_json_add_str(&gen, call->root, "message",
                                     &ngx_lead_flip_invalid_text);

        return gen.failed ? NGX_ERROR : ngx_lead_flip_fault_errors(call);
    }

    if (kind == NGX_LEAD_FAULT_OWN) {
        call->status = call->fault.status;
        text = call->fault.text;

    } else {
        call->status = ngx_lead_flip_faults[kind].status;
        text = ngx_lead_flip_faults[kind].text;
    }

    if (kind == NGX_LEAD_FAULT_METHOD
        && ngx_lead_flip_fault_method(call, &text) != NGX_OK)
    {
        return NGX_ERROR;
    }

    (void) ngx_lead_json_add_str(&gen, call->root, "message", &text);

    return gen.failed ? NGX_ERROR : NGX_OK;
}


/* Laravel shows a path without its first slash */

static ngx_int_t
ngx_lead_flip_fault_method(ngx_lead_call_t *call, ngx_str_t *text)
{
    u_char     *p;
    size_t      i;
    ngx_str_t   path;

    path.data = call->path.data + 1;
    path.len = call->path.len - 1;

    /* bytes that may be no UTF-8 are not shown */

    for (i = 0; i < path.len; i++) {
        if (path.data[i] >= 0x80) {
            return NGX_OK;
        }
    }

    p = ngx_pnalloc(call->pool,
                    sizeof("The  method is not supported for route . "
                           "Supported methods: .") - 1
                    + call->verb.len + path.len + call->allow.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    text->data = p;
    text->len = ngx_sprintf(p, "The %V method is not supported for route %V. "
                               "Supported methods: %V.",
                            &call->verb, &path, &call->allow)
                - p;

    return NGX_OK;
}


/* findings about the same field follow each other */

static ngx_int_t
ngx_lead_flip_fault_errors(ngx_lead_call_t *call)
{
    ngx_uint_t               i;
    ngx_lead_json_t         *errors, *list;
    ngx_lead_json_gen_t      gen;
    ngx_lead_field_error_t  *error;

    gen.pool = call->pool;
    gen.failed = 0;

    errors = ngx_lead_json_add(&gen, call->root, "errors",
                               NGX_LEAD_JSON_OBJECT);
    error = call->errors->elts;
    list = NULL;

    for (i = 0; i < call->errors->nelts && !gen.failed; i++) {

        if (i == 0
            || !ngx_lead_field_equal(&error[i].path, &error[i - 1].path))
        {
            list = ngx_lead_json_add(&gen, errors, NULL, NGX_LEAD_JSON_ARRAY);

            if (list) {
                list->name = error[i].path;
            }
        }

        (void) ngx_lead_json_add_str(&gen, list, NULL, &error[i].text);
    }

    return gen.failed ? NGX_ERROR : NGX_OK;
}
