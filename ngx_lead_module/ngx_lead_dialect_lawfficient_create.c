
/*
 * Copyright (C) the ngx_lead authors
 *
 * Lawfficient: POST /api/leads with an API key, and what all writing calls
 * share: the checks of fields and the document of a new lead.
 *
 * Everything is judged and written down in the event loop, in call->pool;
 * decide() has only to say so.  It changes nothing but the ngx_lead_law_op_t
 * that it was given.
 */


#include "ngx_lead_dialect_lawfficient.h"
#include "ngx_lead_phone.h"


static ngx_int_t ngx_lead_law_create_check(ngx_lead_law_op_t *op);
static ngx_int_t ngx_lead_law_create_data(ngx_lead_law_op_t *op,
    ngx_lead_json_t *sent);
static void ngx_lead_law_create_decide(lead_op_t *lop, const lead_t *target,
    const lead_t *second, int64_t now, uint64_t *counters,
    lead_decision_t *d);


ngx_int_t
ngx_lead_law_create(ngx_lead_call_t *call)
{
    ngx_int_t           rc;
    ngx_lead_law_op_t  *op;

    op = ngx_lead_law_op(call);
    if (op == NULL) {
        return NGX_ERROR;
    }

    if (call->source) {
        return ngx_lead_law_ingest(op);
    }

    rc = ngx_lead_law_types(call);

    if (rc == NGX_OK) {
        rc = ngx_lead_law_create_check(op);
    }

    if (rc == NGX_OK) {
        rc = ngx_lead_law_document(op);
    }

    call->op.decide = ngx_lead_law_create_decide;

    return rc;
}


/* the order of the checks is the vendor's */

static ngx_int_t
ngx_lead_law_create_check(ngx_lead_law_op_t *op)
{
    ngx_int_t         rc;
    lead_id_t         id;
    lead_bytes_t      text;
    ngx_lead_call_t  *call;
    ngx_lead_json_t  *sent;

    call = op->call;
    sent = call->json;

    (void) ngx_lead_law_member(sent, "first_name", &op->first_name);
    (void) ngx_lead_law_member(sent, "last_name", &op->last_name);
    (void) ngx_lead_law_member(sent, "email", &op->email);
    (void) ngx_lead_law_member(sent, "phone", &op->phone);
    (void) ngx_lead_law_member(sent, "source", &op->source);
    (void) ngx_lead_law_member(sent, "assignee_id", &op->assignee_id);

    rc = ngx_lead_law_check(op);
    if (rc != NGX_OK) {
        return rc;
    }

    if (op->source.len == 0) {
        return ngx_lead_law_invalid(&call->fault, "Choose a source.");
    }

    text.data = op->assignee_id.data;
    text.len = op->assignee_id.len;

    if (text.len && lead_store_id_parse(text, &id) != 0) {
        return ngx_lead_law_invalid(&call->fault,
                                    NGX_LEAD_LAW_NOT_UUID);
    }

    rc = ngx_lead_law_create_data(op, ngx_lead_json_get(sent, "data"));
    if (rc != NGX_OK) {
        return rc;
    }

    op->stage = ngx_lead_account_open_stage(call->account);

    if (op->stage == NULL) {
        return ngx_lead_call_fault(call, 409, "no_open_stage",
                                   "No open pipeline stage is configured.");
    }

    if (text.len) {
        op->assignee = ngx_lead_account_user(call->account, &op->assignee_id);

        if (op->assignee == NULL) {
            return ngx_lead_law_invalid(&call->fault,
                                        NGX_LEAD_LAW_NOT_MEMBER);
        }
    }

    return NGX_OK;
}


/* only what the firm has defined is taken */

static ngx_int_t
ngx_lead_law_create_data(ngx_lead_law_op_t *op, ngx_lead_json_t *sent)
{
    ngx_str_t             value;
    ngx_uint_t            i;
    ngx_lead_call_t      *call;
    ngx_lead_data_t      *field;
    ngx_lead_json_gen_t   gen;

    call = op->call;

    gen.pool = call->pool;
    gen.failed = 0;

    op->data = ngx_lead_json_add(&gen, NULL, NULL, NGX_LEAD_JSON_OBJECT);
    field = call->account->data.elts;

    for (i = 0; i < call->account->data.nelts; i++) {

        value = *ngx_lead_law_text(ngx_lead_json_find(sent, field[i].key.data,
                                                      field[i].key.len));
        ngx_lead_field_trim(&value);

        if (value.len == 0) {
            continue;
        }

        if (ngx_lead_law_label(&field[i], &value, 0) == NULL) {
            return ngx_lead_law_invalid_data(&call->fault, call->pool,
                                             &field[i].key);
        }

        ngx_lead_law_add(&gen, op->data, &field[i].key, &value);
    }

    return gen.failed ? NGX_ERROR : NGX_OK;
}


static void
ngx_lead_law_create_decide(lead_op_t *lop, const lead_t *target,
    const lead_t *second, int64_t now, uint64_t *counters, lead_decision_t *d)
{
    ngx_lead_law_op_t  *op = lop->data;

    op->nevents = 0;

    ngx_lead_law_event(op, NGX_LEAD_LAW_CREATED, &op->stage->key, NULL);
    ngx_lead_law_write(op, d, LEAD_INSERT, &op->doc, 0);
}


ngx_lead_law_op_t *
ngx_lead_law_op(ngx_lead_call_t *call)
{
    size_t              n;
    ngx_lead_law_op_t  *op;

    n = call->account->webhooks.nelts * NGX_LEAD_LAW_EVENTS;

    op = ngx_pcalloc(call->pool, sizeof(ngx_lead_law_op_t));
    if (op == NULL) {
        return NULL;
    }

    if (n) {
        op->endpoints = ngx_palloc(call->pool, n * sizeof(uint32_t));
        if (op->endpoints == NULL) {
            return NULL;
        }
    }

    op->call = call;
    call->op.data = op;

    return op;
}


ngx_int_t
ngx_lead_law_types(ngx_lead_call_t *call)
{
    ngx_uint_t        i;
    ngx_lead_json_t  *node;

    static const struct {
        ngx_str_t    name;
        const char  *text;
    } texts[] = {
        { ngx_string("phone"), "phone must be a string." },
        { ngx_string("email"), "email must be a string." },
        { ngx_string("assignee_id"),
          "assignee_id must be a string or null." }
    };

    if (call->json->type != NGX_LEAD_JSON_OBJECT) {
        return ngx_lead_call_fault(call, 400, "invalid_json",
                                   "The request body must be a JSON object.");
    }

    node = ngx_lead_json_get(call->json, "data");

    if (node && node->type != NGX_LEAD_JSON_OBJECT) {
        return ngx_lead_law_invalid(&call->fault, "data must be an object.");
    }

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {

        node = ngx_lead_json_find(call->json, texts[i].name.data,
                                  texts[i].name.len);

        if (node
            && node->type != NGX_LEAD_JSON_STRING
            && node->type != NGX_LEAD_JSON_NULL)
        {
            return ngx_lead_law_invalid(&call->fault, texts[i].text);
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_lead_law_check(ngx_lead_law_op_t *op)
{
    ngx_lead_fault_t  *fault;

    fault = &op->call->fault;

    if (op->first_name.len == 0 || op->last_name.len == 0) {
        return ngx_lead_law_invalid(fault,
                                    "First and last name are required.");
    }

    if (op->email.len == 0 && op->phone.len == 0) {
        return ngx_lead_law_invalid(fault, NGX_LEAD_LAW_NO_CONTACT);
    }

    return ngx_lead_law_check_contact(op);
}


ngx_int_t
ngx_lead_law_check_contact(ngx_lead_law_op_t *op)
{
    u_char           *p;
    size_t            len;
    ngx_lead_call_t  *call;

    call = op->call;

    if (op->email.len && !ngx_lead_field_email_like(&op->email)) {
        return ngx_lead_law_invalid(&call->fault,
                                    "Enter a valid email address.");
    }

    if (op->phone.len) {
        p = ngx_pnalloc(call->pool, NGX_LEAD_PHONE_MAX);
        if (p == NULL) {
            return NGX_ERROR;
        }

        /* where it cannot be one, the text is all there is */

        if (ngx_lead_phone_e164(&op->phone, call->account->region, p, &len)
            == NGX_OK)
        {
            op->phone_e164.data = p;
            op->phone_e164.len = len;
        }
    }

    return ngx_lead_field_lower(call->pool, &op->email, &op->email_key);
}


ngx_int_t
ngx_lead_law_invalid(ngx_lead_fault_t *fault, const char *text)
{
    fault->kind = NGX_LEAD_FAULT_OWN;
    fault->status = 422;

    ngx_str_set(&fault->code, "invalid_request");

    fault->text.data = (u_char *) text;
    fault->text.len = ngx_strlen(text);

    return NGX_DECLINED;
}


ngx_int_t
ngx_lead_law_invalid_data(ngx_lead_fault_t *fault, ngx_pool_t *pool,
    ngx_str_t *key)
{
    size_t   i;
    u_char  *p;

    p = ngx_pnalloc(pool, sizeof("Invalid .") - 1 + 2 * key->len);
    if (p == NULL) {
        fault->kind = NGX_LEAD_FAULT_UNAVAILABLE;
        return NGX_ERROR;
    }

    (void) ngx_lead_law_invalid(fault, "");

    fault->text.data = p;
    p = ngx_cpymem(p, "Invalid ", sizeof("Invalid ") - 1);

    for (i = 0; i < key->len; i++) {
        if (key->data[i] >= 'A' && key->data[i] <= 'Z') {
            *p++ = ' ';
        }

        *p++ = (key->data[i] == '_') ? ' ' : ngx_tolower(key->data[i]);
    }

    *p++ = '.';
    fault->text.len = p - fault->text.data;

    return NGX_DECLINED;
}


ngx_str_t *
ngx_lead_law_label(ngx_lead_data_t *field, ngx_str_t *value, ngx_uint_t fold)
{
    ngx_str_t   *label;
    ngx_uint_t   i;

    if (field->values.nelts == 0) {
        return value;
    }

    label = field->values.elts;

    for (i = 0; i < field->values.nelts; i++) {
        if (ngx_lead_field_equal(&label[i], value)) {
            return &label[i];
        }
    }

    for (i = 0; fold && i < field->values.nelts; i++) {
        if (ngx_lead_field_equal_fold(&label[i], value)) {
            return &label[i];
        }
    }

    return NULL;
}


ngx_int_t
ngx_lead_law_document(ngx_lead_law_op_t *op)
{
    ngx_uint_t            i;
    ngx_lead_call_t      *call;
    ngx_lead_json_t      *doc, *source;
    ngx_lead_json_gen_t   gen;

    static ngx_str_t  data = ngx_string("data");
    static ngx_str_t  extra = ngx_string("extra");

    struct {
        const char  *name;
        ngx_str_t   *value;
    } texts[] = {
        { "first_name", &op->first_name },
        { "last_name", &op->last_name },
        { "email", &op->email },
        { "email_key", &op->email_key },
        { "phone", &op->phone },
        { "phone_e164", &op->phone_e164 },
        { "external_id", &op->external_id }
    };

    call = op->call;

    gen.pool = call->pool;
    gen.failed = 0;

    doc = ngx_lead_json_add(&gen, NULL, NULL, NGX_LEAD_JSON_OBJECT);

    (void) ngx_lead_json_add_str(&gen, doc, "dialect", &call->dialect->name);

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (texts[i].value->len) {
            (void) ngx_lead_json_add_str(&gen, doc, texts[i].name,
                                         texts[i].value);
        }
    }

    source = ngx_lead_json_add(&gen, doc, "source", NGX_LEAD_JSON_OBJECT);

    if (call->source) {
        (void) ngx_lead_json_add_str(&gen, source, "key", &call->source->key);
    }

    (void) ngx_lead_json_add_str(&gen, source, "name", &op->source);

    ngx_lead_law_add_stage(&gen, doc, call->account, op->stage);

    if (op->assignee) {
        ngx_lead_law_add_user(&gen, doc, op->assignee);
    }

    if (op->data && op->data->n) {
        (void) ngx_lead_json_add_node(&gen, doc, &data, op->data);
    }

    if (op->extra && op->extra->n) {
        (void) ngx_lead_json_add_node(&gen, doc, &extra, op->extra);
    }

    return gen.failed ? NGX_ERROR
                      : ngx_lead_json_print(call->pool, doc, &op->doc);
}


void
ngx_lead_law_add_stage(ngx_lead_json_gen_t *gen, ngx_lead_json_t *obj,
    ngx_lead_account_t *account, ngx_lead_stage_t *stage)
{
    ngx_lead_json_t      *node;
    ngx_lead_pipeline_t  *pipeline;

    pipeline = account->pipelines.elts;

    node = ngx_lead_json_add(gen, obj, "stage", NGX_LEAD_JSON_OBJECT);

    (void) ngx_lead_json_add_str(gen, node, "pipeline", &pipeline[0].key);
    (void) ngx_lead_json_add_str(gen, node, "key", &stage->key);
    (void) ngx_lead_json_add_str(gen, node, "name", &stage->name);
}


void
ngx_lead_law_add_user(ngx_lead_json_gen_t *gen, ngx_lead_json_t *obj,
    ngx_lead_user_t *user)
{
    ngx_lead_json_t  *node;

    node = ngx_lead_json_add(gen, obj, "assignee", NGX_LEAD_JSON_OBJECT);

    (void) ngx_lead_json_add_str(gen, node, "id", &user->id);

    if (user->name.len) {
        (void) ngx_lead_json_add_str(gen, node, "name", &user->name);
    }
}


void
ngx_lead_law_event(ngx_lead_law_op_t *op, ngx_lead_law_event_e what,
    ngx_str_t *stage, ngx_str_t *data)
{
    uint32_t         *endpoints;
    ngx_str_t        *type;
    lead_event_t     *event;
    ngx_lead_call_t  *call;

    static ngx_str_t  types[] = {
        ngx_string("lead.created"),
        ngx_string("lead.updated"),
        ngx_string("lead.status_changed"),
        ngx_string("lead.assigned"),
        ngx_string("lead.archived")
    };

    call = op->call;
    type = &types[what];

    event = &op->events[op->nevents];
    endpoints = op->endpoints + op->nevents * call->account->webhooks.nelts;

    op->nevents++;

    event->type.data = type->data;
    event->type.len = type->len;
    event->data.data = data ? data->data : NULL;
    event->data.len = data ? data->len : 0;
    event->endpoints = endpoints;
    event->nendpoints = ngx_lead_call_endpoints(call, type, stage, NULL,
                                                endpoints);
}


void
ngx_lead_law_write(ngx_lead_law_op_t *op, lead_decision_t *d,
    lead_verdict_t verdict, ngx_str_t *doc, uint32_t flags)
{
    op->fault.kind = NGX_LEAD_FAULT_NONE;

    d->verdict = verdict;
    d->doc.data = doc->data;
    d->doc.len = doc->len;
    d->flags = flags;
    d->events = op->events;
    d->nevents = op->nevents;

    if (verdict == LEAD_UPDATE) {
        d->keep_matches = 1;

    } else if (op->match.value.len) {
        d->matches = &op->match;
        d->nmatches = 1;
    }
}
