
/*
 * Copyright (C) the ngx_lead authors
 *
 * Leadflip: what becomes of a lead in the store: a new one, a duplicate, a
 * PATCH of its fields.
 *
 * Which fields a stored lead may have depends on its entity, so a change is
 * judged here, in a thread and in the call's arena.  A change that changes
 * nothing writes nothing and is no event.
 */


#include "ngx_lead_dialect_leadflip.h"


static void ngx_lead_flip_insert(ngx_lead_flip_op_t *op, const lead_t *target,
    lead_decision_t *d);
static void ngx_lead_flip_merge(ngx_lead_flip_op_t *op, const lead_t *target,
    lead_decision_t *d);
static void ngx_lead_flip_patch_decide(lead_op_t *lop, const lead_t *target,
    const lead_t *second, int64_t now, uint64_t *counters,
    lead_decision_t *d);
static ngx_int_t ngx_lead_flip_patch_check(ngx_lead_flip_edit_t *e,
    int64_t now);
static ngx_int_t ngx_lead_flip_patch_fields(ngx_lead_flip_edit_t *e,
    ngx_lead_json_t *fields);
static ngx_int_t ngx_lead_flip_accepted(ngx_lead_flip_edit_t *e,
    ngx_lead_json_t *fields);

static void ngx_lead_flip_apply(ngx_lead_flip_edit_t *e);
static ngx_uint_t ngx_lead_flip_equal(ngx_lead_json_t *a, ngx_lead_json_t *b);
static ngx_int_t ngx_lead_flip_happened(ngx_lead_flip_edit_t *e);
static ngx_int_t ngx_lead_flip_rekey(ngx_lead_flip_edit_t *e,
    lead_decision_t *d);


void
ngx_lead_flip_create_decide(lead_op_t *lop, const lead_t *target,
    const lead_t *second, int64_t now, uint64_t *counters, lead_decision_t *d)
{
    ngx_lead_flip_op_t  *op = lop->data;

    op->nevents = 0;
    op->fault.kind = NGX_LEAD_FAULT_UNAVAILABLE;

    if (target == NULL || op->mode == NGX_LEAD_FLIP_CREATE) {
        ngx_lead_flip_insert(op, target, d);

    } else if (op->mode == NGX_LEAD_FLIP_SKIP) {
        d->verdict = LEAD_KEEP;

    } else {
        ngx_lead_flip_merge(op, target, d);
    }
}


/* whom it duplicates is written down with its beginning */

static void
ngx_lead_flip_insert(ngx_lead_flip_op_t *op, const lead_t *target,
    lead_decision_t *d)
{
    u_char     *p;
    ngx_str_t   data, *stage;

    ngx_str_null(&data);

    if (target) {
        p = ngx_lead_call_alloc(op->call, sizeof("{\"duplicate_of\":\"\"}")
                                          + LEAD_ID_TEXT_LEN);
        if (p == NULL) {
            return;
        }

        data.data = p;
        p = ngx_cpymem(p, "{\"duplicate_of\":\"",
                       sizeof("{\"duplicate_of\":\"") - 1);
        lead_store_id_text(&target->id, (char *) p);
        p = ngx_cpymem(p + LEAD_ID_TEXT_LEN, "\"}", 2);
        data.len = p - data.data;
    }

    stage = op->npipelines ? &op->stages[0]->key : NULL;

    /* webhooks learn of whom it is given to by its creation */

    if (ngx_lead_flip_event(op, NGX_LEAD_FLIP_CREATED, stage, &data, 1)
        != NGX_OK
        || (op->notes->n
            && ngx_lead_flip_event(op, NGX_LEAD_FLIP_NOTED, stage, NULL, 0)
               != NGX_OK)
        || (op->assignee
            && ngx_lead_flip_event(op, NGX_LEAD_FLIP_ASSIGNED, stage, NULL, 0)
               != NGX_OK))
    {
        return;
    }

    d->verdict = LEAD_INSERT;
    d->doc.data = op->doc.data;
    d->doc.len = op->doc.len;
    d->matches = op->matches;
    d->nmatches = op->nmatches;
    d->events = op->events;
    d->nevents = op->nevents;
}


/* a duplicate takes the fields that were sent, and the notes */

static void
ngx_lead_flip_merge(ngx_lead_flip_op_t *op, const lead_t *target,
    lead_decision_t *d)
{
    ngx_uint_t              i;
    ngx_lead_flip_edit_t    e;
    ngx_lead_flip_value_t  *values;

    if (ngx_lead_flip_open(op, target, &e) != NGX_OK) {
        return;
    }

    values = op->values;
    op->values = ngx_palloc(e.gen.pool, op->entity->fields.nelts
                                        * sizeof(ngx_lead_flip_value_t));

    if (op->values) {
        for (i = 0; i < op->entity->fields.nelts; i++) {
            op->values[i] = values[i];

            if (values[i].sent == NULL) {
                op->values[i].value = NULL;
            }
        }

        ngx_lead_flip_apply(&e);
        ngx_lead_flip_save(&e, target, d);
    }

    /* it may be asked again */

    op->values = values;
}


ngx_int_t
ngx_lead_flip_patch(ngx_lead_call_t *call)
{
    ngx_lead_flip_op_t  *op;

    op = ngx_lead_flip_target(call, ngx_lead_flip_patch_decide);

    if (op == NULL) {
        return call->fault.kind ? NGX_DECLINED : NGX_ERROR;
    }

    return NGX_OK;
}


/* by the id of the path; what is no UUID is no lead */

ngx_lead_flip_op_t *
ngx_lead_flip_target(ngx_lead_call_t *call, lead_decide_pt decide)
{
    lead_bytes_t         id;
    ngx_lead_flip_op_t  *op;

    id.data = call->params[0].data;
    id.len = call->params[0].len;

    if (lead_store_id_parse(id, &call->op.target.id) != 0) {
        call->fault.kind = NGX_LEAD_FAULT_NOT_FOUND;
        return NULL;
    }

    op = ngx_pcalloc(call->pool, sizeof(ngx_lead_flip_op_t));
    if (op == NULL) {
        return NULL;
    }

    op->call = call;

    call->op.target.by = LEAD_BY_ID;
    call->op.decide = decide;
    call->op.data = op;

    return op;
}


static void
ngx_lead_flip_patch_decide(lead_op_t *lop, const lead_t *target,
    const lead_t *second, int64_t now, uint64_t *counters, lead_decision_t *d)
{
    ngx_lead_flip_op_t    *op = lop->data;
    ngx_lead_flip_edit_t   e;

    if (ngx_lead_flip_open(op, target, &e) != NGX_OK
        || ngx_lead_flip_patch_check(&e, now) != NGX_OK)
    {
        return;
    }

    if (op->check.list) {
        op->fault.kind = NGX_LEAD_FAULT_OWN;
        return;
    }

    ngx_lead_flip_apply(&e);
    ngx_lead_flip_save(&e, target, d);
}


/* NGX_OK: op->check may have something; NGX_DECLINED, NGX_ERROR: op->fault */

static ngx_int_t
ngx_lead_flip_patch_check(ngx_lead_flip_edit_t *e, int64_t now)
{
    u_char               buf[NGX_LEAD_FIELD_TIME_LEN], *p;
    ngx_str_t            text, at;
    ngx_lead_json_t     *fields, *note;
    ngx_lead_flip_op_t  *op;

    static ngx_str_t  name = ngx_string("fields");

    op = e->op;

    (void) ngx_lead_field_time_ms(buf, now);

    p = ngx_pnalloc(e->gen.pool, NGX_LEAD_FIELD_TIME_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(p, buf, NGX_LEAD_FIELD_TIME_LEN);
    at.data = p;
    at.len = NGX_LEAD_FIELD_TIME_LEN;

    fields = ngx_lead_flip_param(op->call->json, "fields");
    note = ngx_lead_flip_param(op->call->json, "note");

    if (ngx_lead_flip_note(op, &op->check, note, &at) != NGX_OK) {
        return NGX_ERROR;
    }

    if (fields && fields->type == NGX_LEAD_JSON_OBJECT && fields->n) {
        return ngx_lead_flip_patch_fields(e, fields);
    }

    if (fields
        && ((fields->type == NGX_LEAD_JSON_ARRAY && fields->n)
            || (fields->type != NGX_LEAD_JSON_ARRAY
                && fields->type != NGX_LEAD_JSON_OBJECT
                && (ngx_lead_flip_text(e->gen.pool, fields, &text) != NGX_OK
                    || text.len))))
    {
        return ngx_lead_flip_error(&op->check, &name,
                                   "The % field must be an array.", NULL);
    }

    if (op->notes->n == 0 && op->check.list == NULL) {
        return ngx_lead_flip_error(&op->check, &name, "The % field is "
                                   "required when note is not present.",
                                   NULL);
    }

    return ngx_lead_flip_values(op, &op->check, NULL);
}


static ngx_int_t
ngx_lead_flip_patch_fields(ngx_lead_flip_edit_t *e, ngx_lead_json_t *fields)
{
    ngx_uint_t              i;
    ngx_lead_flip_op_t     *op;
    ngx_lead_flip_value_t  *v;

    op = e->op;

    if (op->entity == NULL) {
        op->fault.kind = NGX_LEAD_FAULT_OWN;
        op->fault.status = 404;
        ngx_str_set(&op->fault.text, "Entity not found");
        return NGX_DECLINED;
    }

    if (ngx_lead_flip_values(op, &op->check, fields) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < op->entity->fields.nelts; i++) {
        v = &op->values[i];

        if (v->sent && v->value == NULL && !v->bad && v->field->required
            && ngx_lead_flip_error(&op->check, &v->field->key,
                                   "The % field is required.", NULL)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return ngx_lead_flip_accepted(e, fields);
}


/* what the answer names, in the order it was sent */

static ngx_int_t
ngx_lead_flip_accepted(ngx_lead_flip_edit_t *e, ngx_lead_json_t *fields)
{
    ngx_uint_t              i;
    ngx_lead_json_t        *node;
    ngx_lead_flip_op_t     *op;
    ngx_lead_flip_value_t  *v;

    op = e->op;

    for (node = fields->first; node; node = node->next) {

        for (i = 0; i < op->entity->fields.nelts; i++) {
            v = &op->values[i];

            if (v->sent == node) {
                (void) ngx_lead_json_add_str(&e->gen, op->updated, NULL,
                                             &v->field->key);
                break;
            }
        }
    }

    return e->gen.failed ? NGX_ERROR : NGX_OK;
}


ngx_int_t
ngx_lead_flip_open(ngx_lead_flip_op_t *op, const lead_t *target,
    ngx_lead_flip_edit_t *e)
{
    ngx_lead_json_t  *fields;

    op->nevents = 0;
    op->fault.kind = NGX_LEAD_FAULT_UNAVAILABLE;

    if (target == NULL) {
        op->fault.kind = NGX_LEAD_FAULT_NOT_FOUND;
        return NGX_DECLINED;
    }

    ngx_memzero(e, sizeof(ngx_lead_flip_edit_t));

    e->op = op;
    e->gen.pool = ngx_lead_call_arena(op->call);

    if (e->gen.pool == NULL
        || ngx_lead_doc_parse(e->gen.pool, target, &e->doc) != NGX_OK)
    {
        return NGX_ERROR;
    }

    fields = ngx_lead_json_get(e->doc, "fields");

    if (fields == NULL || fields->type != NGX_LEAD_JSON_OBJECT
        || ngx_lead_json_get(e->doc, "entity") == NULL)
    {
        op->fault.kind = NGX_LEAD_FAULT_NOT_FOUND;
        return NGX_DECLINED;
    }

    e->changed = ngx_lead_json_add(&e->gen, NULL, NULL, NGX_LEAD_JSON_ARRAY);

    /* of a new lead that is none, both are there */

    if (op->notes == NULL || op->updated) {
        op->entity = ngx_lead_flip_entity_of(op->call, e->doc);
        op->updated = ngx_lead_json_add(&e->gen, NULL, NULL,
                                        NGX_LEAD_JSON_ARRAY);
        op->notes = ngx_lead_json_add(&e->gen, NULL, NULL,
                                      NGX_LEAD_JSON_ARRAY);

        ngx_memzero(&op->check, sizeof(ngx_lead_flip_check_t));
        op->check.pool = e->gen.pool;
    }

    return e->gen.failed ? NGX_ERROR : NGX_OK;
}


/* op->values and op->notes into the document */

static void
ngx_lead_flip_apply(ngx_lead_flip_edit_t *e)
{
    ngx_uint_t              i;
    ngx_lead_json_t        *node, *notes;
    ngx_lead_flip_op_t     *op;
    ngx_lead_flip_value_t  *v;

    static ngx_str_t  name = ngx_string("notes");

    op = e->op;

    for (i = 0; op->entity && i < op->entity->fields.nelts; i++) {
        v = &op->values[i];

        node = ngx_lead_json_find(ngx_lead_json_get(e->doc, "fields"),
                                  v->field->key.data, v->field->key.len);

        if (v->sent == NULL || ngx_lead_flip_equal(node, v->value)) {
            continue;
        }

        ngx_lead_flip_set(&e->gen, e->doc, op->entity, v);
        (void) ngx_lead_json_add_str(&e->gen, e->changed, NULL,
                                     &v->field->key);

        if (v->field->match) {
            e->keys = 1;
        }
    }

    if (op->notes->n == 0) {
        return;
    }

    notes = ngx_lead_json_get(e->doc, "notes");

    if (notes == NULL || notes->type != NGX_LEAD_JSON_ARRAY) {
        ngx_lead_json_set_node(&e->gen, e->doc, &name, op->notes);
        return;
    }

    for (node = op->notes->first; node; node = node->next) {
        (void) ngx_lead_json_add_node(&e->gen, notes, NULL, node);
    }
}


static ngx_uint_t
ngx_lead_flip_equal(ngx_lead_json_t *a, ngx_lead_json_t *b)
{
    if (a == NULL || b == NULL) {
        return a == b;
    }

    if (a->type != b->type || a->n != b->n
        || !ngx_lead_field_equal(&a->text, &b->text))
    {
        return 0;
    }

    for (a = a->first, b = b->first; a && b; a = a->next, b = b->next) {
        if (!ngx_lead_field_equal(&a->name, &b->name)
            || !ngx_lead_flip_equal(a, b))
        {
            return 0;
        }
    }

    return 1;
}


/* the events of a change but for that of a move */

static ngx_int_t
ngx_lead_flip_happened(ngx_lead_flip_edit_t *e)
{
    ngx_str_t            data, *stage;
    ngx_lead_json_t     *root;
    ngx_lead_flip_op_t  *op;

    static ngx_str_t  fields = ngx_string("fields");

    op = e->op;
    stage = ngx_lead_doc_str(ngx_lead_json_get(e->doc, "stage"), "key");

    if (e->changed->n) {
        root = ngx_lead_json_add(&e->gen, NULL, NULL, NGX_LEAD_JSON_OBJECT);
        (void) ngx_lead_json_add_node(&e->gen, root, &fields, e->changed);

        if (e->gen.failed
            || ngx_lead_json_print(e->gen.pool, root, &data) != NGX_OK
            || ngx_lead_flip_event(op, NGX_LEAD_FLIP_UPDATED, stage, &data, 1)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (op->notes->n
        && ngx_lead_flip_event(op, NGX_LEAD_FLIP_NOTED, stage, NULL, 1)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_lead_flip_save(ngx_lead_flip_edit_t *e, const lead_t *target,
    lead_decision_t *d)
{
    ngx_str_t            doc;
    ngx_lead_flip_op_t  *op;

    op = e->op;

    if (e->gen.failed || ngx_lead_flip_happened(e) != NGX_OK) {
        return;
    }

    if (op->nevents == 0) {
        d->verdict = LEAD_KEEP;
        return;
    }

    d->keep_matches = !e->keys;

    if (e->keys && ngx_lead_flip_rekey(e, d) != NGX_OK) {
        return;
    }

    if (ngx_lead_json_print(e->gen.pool, e->doc, &doc) != NGX_OK) {
        return;
    }

    d->verdict = LEAD_UPDATE;
    d->doc.data = doc.data;
    d->doc.len = doc.len;
    d->flags = target->flags;
    d->touch = 1;
    d->events = op->events;
    d->nevents = op->nevents;
}


/* op keeps those it looks for: it may be asked again */

static ngx_int_t
ngx_lead_flip_rekey(ngx_lead_flip_edit_t *e, lead_decision_t *d)
{
    ngx_int_t            rc;
    ngx_uint_t           n;
    lead_match_t        *matches;
    ngx_lead_flip_op_t  *op;

    op = e->op;

    matches = op->matches;
    n = op->nmatches;

    rc = ngx_lead_flip_matches(op, e->gen.pool,
                               ngx_lead_json_get(e->doc, "fields"));

    d->matches = op->matches;
    d->nmatches = op->nmatches;

    op->matches = matches;
    op->nmatches = n;

    return rc;
}


ngx_int_t
ngx_lead_flip_event(ngx_lead_flip_op_t *op, ngx_lead_flip_event_e what,
    ngx_str_t *stage, ngx_str_t *data, ngx_uint_t tell)
{
    uint32_t         *endpoints;
    ngx_uint_t        n;
    lead_event_t     *event;
    ngx_lead_call_t  *call;

    static ngx_str_t  types[] = {      /* in the order of the enum */
        ngx_string("lead.created"),
        ngx_string("lead.updated"),
        ngx_string("lead.status_changed"),
        ngx_string("lead.assigned"),
        ngx_string("lead.note_added")
    };

    call = op->call;
    n = tell ? call->account->webhooks.nelts : 0;
    endpoints = NULL;

    if (n) {
        endpoints = ngx_lead_call_alloc(call, n * sizeof(uint32_t));
        if (endpoints == NULL) {
            return NGX_ERROR;
        }

        n = ngx_lead_call_endpoints(call, &types[what], stage, NULL,
                                    endpoints);
    }

    event = &op->events[op->nevents++];

    event->type.data = types[what].data;
    event->type.len = types[what].len;
    event->data.data = data ? data->data : NULL;
    event->data.len = data ? data->len : 0;
    event->endpoints = endpoints;
    event->nendpoints = n;

    return NGX_OK;
}
