
/*
 * Copyright (C) the ngx_lead authors
 *
 * Flextell: a new lead.  All fields are judged, in the vendor's order, before
 * it says no.
 *
 * Everything is judged and written down in the event loop, in call->pool;
 * decide() has only to say so.
 */


#include "ngx_lead_dialect_flextell.h"
#include "ngx_lead_country.h"
#include "ngx_lead_email.h"
#include "ngx_lead_phone.h"
#include "ngx_lead_text.h"


typedef enum {
    NGX_LEAD_FLEX_TEXT = 0,
    NGX_LEAD_FLEX_EMAIL,
    NGX_LEAD_FLEX_URL,
    NGX_LEAD_FLEX_STATUS,
    NGX_LEAD_FLEX_SOURCE,
    NGX_LEAD_FLEX_USER,
    NGX_LEAD_FLEX_COUNTRY,
    NGX_LEAD_FLEX_TEXTS
} ngx_lead_flex_type_e;


typedef struct {
    ngx_str_t              name;
    ngx_lead_flex_type_e   type;
    ngx_uint_t             max;          /* characters; 0: any number */
    const char            *member;       /* of the document */
} ngx_lead_flex_field_t;


typedef struct {
    ngx_lead_call_t       *call;
    ngx_lead_json_gen_t    gen;
    ngx_lead_json_t       *doc;

    ngx_lead_stage_t      *stage;
    ngx_lead_source_t     *source;
    ngx_lead_user_t       *user;
    ngx_lead_country_found_t  country;   /* id 0: none */
    ngx_lead_json_t       *attribution;

    ngx_str_t              text;         /* the document, as bytes */
    lead_event_t           event;
} ngx_lead_flex_op_t;


static ngx_int_t ngx_lead_flex_check(ngx_lead_flex_op_t *op,
    ngx_lead_flex_field_t *field, ngx_lead_json_t *node);
static ngx_int_t ngx_lead_flex_check_text(ngx_lead_flex_op_t *op,
    ngx_lead_flex_field_t *field, ngx_lead_json_t *node);
static ngx_int_t ngx_lead_flex_check_id(ngx_lead_flex_op_t *op,
    ngx_lead_flex_field_t *field, ngx_lead_json_t *node);
static ngx_uint_t ngx_lead_flex_found(ngx_lead_flex_op_t *op,
    ngx_lead_flex_type_e type, int64_t id);
static void *ngx_lead_flex_numbered(ngx_array_t *array, size_t offset,
    int64_t number);
static ngx_int_t ngx_lead_flex_check_texts(ngx_lead_flex_op_t *op,
    ngx_str_t *name, ngx_lead_json_t *node);
static ngx_int_t ngx_lead_flex_texts_path(ngx_pool_t *pool, ngx_str_t *name,
    ngx_lead_json_t *item, ngx_uint_t i, ngx_str_t *path);
static void ngx_lead_flex_texts_list(ngx_lead_json_t *node);
static ngx_int_t ngx_lead_flex_document(ngx_lead_flex_op_t *op);
static ngx_int_t ngx_lead_flex_add_phone(ngx_lead_flex_op_t *op);
static void ngx_lead_flex_add_number(ngx_lead_json_gen_t *gen,
    ngx_lead_json_t *node, ngx_uint_t number);
static void ngx_lead_flex_default_stage(ngx_lead_flex_op_t *op);
static ngx_int_t ngx_lead_flex_event(ngx_lead_flex_op_t *op);
static void ngx_lead_flex_decide(lead_op_t *lop, const lead_t *target,
    const lead_t *second, int64_t now, uint64_t *counters,
    lead_decision_t *d);


static ngx_lead_flex_field_t  ngx_lead_flex_fields[] = {
    { ngx_string("last_name"), NGX_LEAD_FLEX_TEXT, NGX_LEAD_FLEX_MAX,
      "last_name" },
    { ngx_string("first_name"), NGX_LEAD_FLEX_TEXT, NGX_LEAD_FLEX_MAX,
      "first_name" },
    { ngx_string("phone_number"), NGX_LEAD_FLEX_TEXT, 50, "phone" },
    { ngx_string("email"), NGX_LEAD_FLEX_EMAIL, NGX_LEAD_FLEX_MAX, "email" },
    { ngx_string("description"), NGX_LEAD_FLEX_TEXT, 0, "description" },
    { ngx_string("message"), NGX_LEAD_FLEX_TEXT, 0, "message" },
    { ngx_string("preferred_contact"), NGX_LEAD_FLEX_TEXT, 50,
      "preferred_contact" },
    { ngx_string("source_page_url"), NGX_LEAD_FLEX_URL, 2048,
      "source_page_url" },
    { ngx_string("lead_status_id"), NGX_LEAD_FLEX_STATUS, 0, NULL },
    { ngx_string("lead_reference_source_id"), NGX_LEAD_FLEX_SOURCE, 0, NULL },
    { ngx_string("assigned_user_id"), NGX_LEAD_FLEX_USER, 0, NULL },
    { ngx_string("country_id"), NGX_LEAD_FLEX_COUNTRY, 0, NULL },
    { ngx_string("marketing_attribution"), NGX_LEAD_FLEX_TEXTS, 0, NULL },
    { ngx_null_string, 0, 0, NULL }
};


ngx_int_t
ngx_lead_flex_create(ngx_lead_call_t *call)
{
    ngx_lead_json_t        *node;
    ngx_lead_flex_op_t     *op;
    ngx_lead_flex_field_t  *field;

    if (call->json->type != NGX_LEAD_JSON_OBJECT) {
        return ngx_lead_call_fault(call, 400, "invalid_request",
                                   "The request body must be a JSON object.");
    }

    op = ngx_pcalloc(call->pool, sizeof(ngx_lead_flex_op_t));
    if (op == NULL) {
        return NGX_ERROR;
    }

    op->call = call;
    op->gen.pool = call->pool;
    op->doc = ngx_lead_json_add(&op->gen, NULL, NULL, NGX_LEAD_JSON_OBJECT);

    (void) ngx_lead_json_add_str(&op->gen, op->doc, "dialect",
                                 &call->dialect->name);

    for (field = ngx_lead_flex_fields; field->name.len; field++) {

        node = ngx_lead_json_find(call->json, field->name.data,
                                  field->name.len);

        if (ngx_lead_flex_check(op, field, ngx_lead_flex_value(node))
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (ngx_lead_flex_judge(call) != NGX_OK) {
        return NGX_DECLINED;
    }

    call->op.data = op;
    call->op.decide = ngx_lead_flex_decide;

    return ngx_lead_flex_document(op);
}


static ngx_int_t
ngx_lead_flex_check(ngx_lead_flex_op_t *op, ngx_lead_flex_field_t *field,
    ngx_lead_json_t *node)
{
    ngx_uint_t  required;

    required = field == ngx_lead_flex_fields;

    /* an empty array is as good as none, where something is required */

    if (required
        && (node == NULL
            || (node->type >= NGX_LEAD_JSON_ARRAY && node->n == 0)))
    {
        return ngx_lead_flex_error(op->call, &field->name, "The ",
                                   " field is required.");
    }

    if (node == NULL) {
        return NGX_OK;
    }

    if (field->type == NGX_LEAD_FLEX_TEXTS) {
        return ngx_lead_flex_check_texts(op, &field->name, node);
    }

    if (field->member == NULL) {
        return ngx_lead_flex_check_id(op, field, node);
    }

    return ngx_lead_flex_check_text(op, field, node);
}


static ngx_int_t
ngx_lead_flex_check_text(ngx_lead_flex_op_t *op, ngx_lead_flex_field_t *field,
    ngx_lead_json_t *node)
{
    ngx_int_t  rc;
    ngx_str_t  key;

    rc = NGX_OK;
    ngx_str_null(&key);

    switch (field->type) {

    case NGX_LEAD_FLEX_EMAIL:

        if (node->type == NGX_LEAD_JSON_STRING) {
            rc = ngx_lead_email_check(op->call->pool, &node->text,
                                      NGX_LEAD_EMAIL_DOTLESS, &key);
        }

        if (rc == NGX_DECLINED || node->type != NGX_LEAD_JSON_STRING) {
            rc = ngx_lead_flex_error(op->call, &field->name, "The ",
                                  " field must be a valid email address.");
        }

        break;

    case NGX_LEAD_FLEX_URL:

        if (node->type != NGX_LEAD_JSON_STRING
            || !ngx_lead_text_url(&node->text))
        {
            rc = ngx_lead_flex_error(op->call, &field->name, "The ",
                                     " field must be a valid URL.");
        }

        break;

    default:
        rc = ngx_lead_flex_rule_string(op->call, &field->name, node);
    }

    if (rc == NGX_OK && field->max) {
        rc = ngx_lead_flex_rule_max(op->call, &field->name, node, field->max);
    }

    (void) ngx_lead_json_add_str(&op->gen, op->doc, field->member,
                                 &node->text);

    if (key.len) {
        (void) ngx_lead_json_add_str(&op->gen, op->doc, "email_key", &key);
    }

    return rc;
}


static ngx_int_t
ngx_lead_flex_check_id(ngx_lead_flex_op_t *op, ngx_lead_flex_field_t *field,
    ngx_lead_json_t *node)
{
    int64_t     id;
    ngx_int_t   rc;
    ngx_uint_t  n;

    n = op->call->errors ? op->call->errors->nelts : 0;

    rc = ngx_lead_flex_rule_integer(op->call, &field->name, node, &id);

    if (rc != NGX_OK
        || (op->call->errors && op->call->errors->nelts > n)
        || ngx_lead_flex_found(op, field->type, id))
    {
        return rc;
    }

    return ngx_lead_flex_error(op->call, &field->name, "The selected ",
                               " is invalid.");
}


static ngx_uint_t
ngx_lead_flex_found(ngx_lead_flex_op_t *op, ngx_lead_flex_type_e type,
    int64_t id)
{
    ngx_lead_account_t   *account;
    ngx_lead_pipeline_t  *pipeline;

    account = op->call->account;

    switch (type) {

    case NGX_LEAD_FLEX_STATUS:
        pipeline = account->pipelines.elts;

        if (account->pipelines.nelts) {
            op->stage = ngx_lead_flex_numbered(&pipeline->stages,
                                offsetof(ngx_lead_stage_t, number), id);
        }

        return op->stage != NULL;

    case NGX_LEAD_FLEX_SOURCE:
        op->source = ngx_lead_flex_numbered(&account->sources,
                                offsetof(ngx_lead_source_t, number), id);

        return op->source != NULL;

    case NGX_LEAD_FLEX_USER:
        op->user = ngx_lead_flex_numbered(&account->users,
                                offsetof(ngx_lead_user_t, number), id);

        return op->user != NULL;

    default: /* NGX_LEAD_FLEX_COUNTRY */
        return id > 0
               && ngx_lead_country_by_id(account, id, &op->country) == NGX_OK;
    }
}


/* what has no number cannot be named */

static void *
ngx_lead_flex_numbered(ngx_array_t *array, size_t offset, int64_t number)
{
    u_char      *p;
    ngx_uint_t   i;

    p = array->elts;

    for (i = 0; number > 0 && i < array->nelts; i++, p += array->size) {
        if (*(ngx_uint_t *) (p + offset) == (ngx_uint_t) number) {
            return p;
        }
    }

    return NULL;
}


/* an object is one of PHP's arrays as well */

static ngx_int_t
ngx_lead_flex_check_texts(ngx_lead_flex_op_t *op, ngx_str_t *name,
    ngx_lead_json_t *node)
{
    ngx_str_t         path;
    ngx_uint_t        i;
    ngx_lead_call_t  *call;
    ngx_lead_json_t  *item;

    call = op->call;

    if (node->type < NGX_LEAD_JSON_ARRAY) {
        return ngx_lead_flex_error(call, name, "The ",
                                   " field must be an array.");
    }

    for (i = 0, item = node->first; item; i++, item = item->next) {

        if (ngx_lead_flex_value(item) && item->type == NGX_LEAD_JSON_STRING) {
            continue;
        }

        if (ngx_lead_flex_texts_path(call->pool, name, item, i, &path)
                != NGX_OK
            || ngx_lead_flex_error(call, &path, "The ",
                                   " field must be a string.")
               != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (call->errors->nelts >= NGX_LEAD_FLEX_ERRORS) {
            break;
        }
    }

    if (node->type == NGX_LEAD_JSON_OBJECT) {
        ngx_lead_flex_texts_list(node);
    }

    op->attribution = node;

    return NGX_OK;
}


static ngx_int_t
ngx_lead_flex_texts_path(ngx_pool_t *pool, ngx_str_t *name,
    ngx_lead_json_t *item, ngx_uint_t i, ngx_str_t *path)
{
    u_char  *p;

    p = ngx_pnalloc(pool, name->len + 1 + NGX_INT_T_LEN + item->name.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    path->data = p;
    p = ngx_cpymem(p, name->data, name->len);
    *p++ = '.';

    if (item->name.len) {
        p = ngx_cpymem(p, item->name.data, item->name.len);

    } else {
        p = ngx_sprintf(p, "%ui", i);
    }

    path->len = p - path->data;

    return NGX_OK;
}


/* an object whose members are called 0, 1, 2 ... is a list, as in PHP */

static void
ngx_lead_flex_texts_list(ngx_lead_json_t *node)
{
    u_char            buf[NGX_INT_T_LEN];
    ngx_str_t         index;
    ngx_uint_t        i;
    ngx_lead_json_t  *item;

    index.data = buf;

    for (i = 0, item = node->first; item; i++, item = item->next) {
        index.len = ngx_sprintf(buf, "%ui", i) - buf;

        if (!ngx_lead_field_equal(&item->name, &index)) {
            return;
        }
    }

    node->type = NGX_LEAD_JSON_ARRAY;
}


static ngx_int_t
ngx_lead_flex_document(ngx_lead_flex_op_t *op)
{
    ngx_lead_json_t      *doc, *node;
    ngx_lead_account_t   *account;
    ngx_lead_json_gen_t  *gen;

    static ngx_str_t  attribution = ngx_string("marketing_attribution");

    gen = &op->gen;
    doc = op->doc;
    account = op->call->account;

    if (ngx_lead_flex_add_phone(op) != NGX_OK) {
        return NGX_ERROR;
    }

    if (op->stage == NULL) {
        ngx_lead_flex_default_stage(op);
    }

    if (op->stage) {
        node = ngx_lead_doc_stage(gen, doc, "stage", account->pipelines.elts,
                                  op->stage);
        ngx_lead_flex_add_number(gen, node, op->stage->number);
    }

    if (op->source) {
        node = ngx_lead_json_add(gen, doc, "source", NGX_LEAD_JSON_OBJECT);

        (void) ngx_lead_json_add_str(gen, node, "key", &op->source->key);
        (void) ngx_lead_json_add_str(gen, node, "name", &op->source->name);
        ngx_lead_flex_add_number(gen, node, op->source->number);
    }

    if (op->user) {
        (void) ngx_lead_doc_user(gen, doc, "assignee", op->user);
    }

    if (op->country.id) {
        node = ngx_lead_json_add(gen, doc, "country", NGX_LEAD_JSON_OBJECT);

        (void) ngx_lead_json_add_str(gen, node, "code", &op->country.code);
        (void) ngx_lead_json_add_str(gen, node, "name", &op->country.name);
        ngx_lead_flex_add_number(gen, node, op->country.id);
    }

    if (op->attribution) {
        (void) ngx_lead_json_add_node(gen, doc, &attribution,
                                      op->attribution);
    }

    if (gen->failed
        || ngx_lead_json_print(gen->pool, doc, &op->text) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_lead_flex_event(op);
}


/* beside the number as sent the one that it means, if it means one */

static ngx_int_t
ngx_lead_flex_add_phone(ngx_lead_flex_op_t *op)
{
    ngx_str_t   phone, *sent;

    sent = ngx_lead_doc_str(op->doc, "phone");

    phone.data = ngx_pnalloc(op->call->pool, NGX_LEAD_PHONE_MAX);
    if (phone.data == NULL) {
        return NGX_ERROR;
    }

    if (sent->len
        && ngx_lead_phone_e164(sent, op->call->account->region, phone.data,
                               &phone.len)
           == NGX_OK)
    {
        (void) ngx_lead_json_add_str(&op->gen, op->doc, "phone_e164", &phone);
    }

    return NGX_OK;
}


static void
ngx_lead_flex_add_number(ngx_lead_json_gen_t *gen, ngx_lead_json_t *node,
    ngx_uint_t number)
{
    if (number) {
        (void) ngx_lead_json_add_int(gen, node, "number", (int64_t) number);
    }
}


static void
ngx_lead_flex_default_stage(ngx_lead_flex_op_t *op)
{
    ngx_uint_t            i;
    ngx_lead_stage_t     *stage;
    ngx_lead_account_t   *account;
    ngx_lead_pipeline_t  *pipeline;

    account = op->call->account;

    if (account->pipelines.nelts == 0) {
        return;
    }

    pipeline = account->pipelines.elts;
    stage = pipeline->stages.elts;

    for (i = 0; i < pipeline->stages.nelts; i++) {
        if (stage[i].is_default) {
            op->stage = &stage[i];
            return;
        }
    }
}


static ngx_int_t
ngx_lead_flex_event(ngx_lead_flex_op_t *op)
{
    uint32_t         *endpoints;
    ngx_uint_t        n;
    ngx_lead_call_t  *call;

    static ngx_str_t  type = ngx_string("lead.created");

    call = op->call;
    n = call->account->webhooks.nelts;

    endpoints = ngx_palloc(call->pool, (n + 1) * sizeof(uint32_t));
    if (endpoints == NULL) {
        return NGX_ERROR;
    }

    op->event.type.data = type.data;
    op->event.type.len = type.len;
    op->event.endpoints = endpoints;
    op->event.nendpoints = ngx_lead_call_endpoints(call, &type,
                               op->stage ? &op->stage->key : NULL, NULL,
                               endpoints);

    return NGX_OK;
}


static void
ngx_lead_flex_decide(lead_op_t *lop, const lead_t *target,
    const lead_t *second, int64_t now, uint64_t *counters, lead_decision_t *d)
{
    ngx_lead_flex_op_t  *op = lop->data;

    d->verdict = LEAD_INSERT;
    d->doc.data = op->text.data;
    d->doc.len = op->text.len;
    d->events = &op->event;
    d->nevents = 1;
}
