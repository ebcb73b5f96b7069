
/*
 * Copyright (C) the ngx_lead authors
 *
 * Lawfficient: POST /api/leads with a source's ingestion key.
 *
 * A delivery makes a lead, or updates the one that came from this source
 * under this external id; what was sent is kept as the data of its event.
 * Answers are flat.  Of an update only what has a value counts: nothing that
 * a person or an earlier delivery has set is emptied.
 */


#include "ngx_lead_dialect_lawfficient.h"


static ngx_int_t ngx_lead_law_ingest_read(ngx_lead_law_op_t *op);
static ngx_int_t ngx_lead_law_ingest_data(ngx_lead_law_op_t *op,
    ngx_lead_json_gen_t *gen);
static ngx_int_t ngx_lead_law_ingest_extra(ngx_lead_law_op_t *op,
    ngx_lead_json_gen_t *gen);
static ngx_uint_t ngx_lead_law_ingest_known(ngx_lead_call_t *call,
    ngx_str_t *name);
static ngx_lead_json_t *ngx_lead_law_ingest_find(ngx_lead_call_t *call,
    ngx_str_t *field);
static ngx_int_t ngx_lead_law_ingest_text(ngx_lead_call_t *call,
    ngx_str_t *field, ngx_str_t *text);
static ngx_int_t ngx_lead_law_ingest_match(ngx_lead_law_op_t *op);

static void ngx_lead_law_ingest_decide(lead_op_t *lop, const lead_t *target,
    const lead_t *second, int64_t now, uint64_t *counters,
    lead_decision_t *d);
static void ngx_lead_law_ingest_insert(ngx_lead_law_op_t *op,
    lead_decision_t *d);
static void ngx_lead_law_ingest_update(ngx_lead_law_op_t *op,
    const lead_t *target, lead_decision_t *d);
static ngx_int_t ngx_lead_law_ingest_merge(ngx_lead_law_edit_t *e);


/* our names of what every account has; in the order of read() */

static ngx_str_t  ngx_lead_law_ingest_names[] = {
    ngx_string("firstName"),
    ngx_string("lastName"),
    ngx_string("phone"),
    ngx_string("externalId"),
    ngx_string("email"),
    ngx_null_string
};


ngx_int_t
ngx_lead_law_ingest(ngx_lead_law_op_t *op)
{
    ngx_int_t         rc;
    ngx_lead_call_t  *call;

    call = op->call;

    if (call->json->type != NGX_LEAD_JSON_OBJECT) {
        call->fault.kind = NGX_LEAD_FAULT_BAD_JSON;
        return NGX_DECLINED;
    }

    rc = ngx_lead_law_ingest_read(op);

    if (rc == NGX_DECLINED && call->fault.kind == NGX_LEAD_FAULT_OWN) {
        call->fault.status = 400;
    }

    if (rc != NGX_OK) {
        return rc;
    }

    op->source = call->source->key;
    op->assignee = call->source->assignee;
    op->stage = ngx_lead_account_open_stage(call->account);

    if (op->stage && ngx_lead_law_document(op) != NGX_OK) {
        return NGX_ERROR;
    }

    call->op.decide = ngx_lead_law_ingest_decide;

    return ngx_lead_law_ingest_match(op);
}


static ngx_int_t
ngx_lead_law_ingest_read(ngx_lead_law_op_t *op)
{
    ngx_int_t             rc;
    ngx_uint_t            i;
    ngx_lead_json_gen_t   gen;

    ngx_str_t  *texts[] = {
        &op->first_name, &op->last_name, &op->phone, &op->external_id
    };

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        rc = ngx_lead_law_ingest_text(op->call, &ngx_lead_law_ingest_names[i],
                                      texts[i]);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    /* a number is no address, and so no reason to refuse */

    op->email = *ngx_lead_law_text(ngx_lead_law_ingest_find(op->call,
                                             &ngx_lead_law_ingest_names[i]));
    ngx_lead_field_trim(&op->email);

    rc = ngx_lead_law_check(op);
    if (rc != NGX_OK) {
        return rc;
    }

    gen.pool = op->call->pool;
    gen.failed = 0;

    rc = ngx_lead_law_ingest_data(op, &gen);

    if (rc == NGX_OK) {
        rc = ngx_lead_law_ingest_extra(op, &gen);
    }

    return rc;
}


static ngx_int_t
ngx_lead_law_ingest_data(ngx_lead_law_op_t *op, ngx_lead_json_gen_t *gen)
{
    ngx_int_t         rc;
    ngx_str_t         value, *label;
    ngx_uint_t        i;
    ngx_lead_call_t  *call;
    ngx_lead_data_t  *field;

    call = op->call;
    field = call->account->data.elts;

    op->data = ngx_lead_json_add(gen, NULL, NULL, NGX_LEAD_JSON_OBJECT);

    for (i = 0; i < call->account->data.nelts; i++) {

        rc = ngx_lead_law_ingest_text(call, &field[i].key, &value);
        if (rc != NGX_OK) {
            return rc;
        }

        if (value.len == 0) {
            continue;
        }

        label = ngx_lead_law_label(&field[i], &value, 1);

        if (label == NULL) {
            return ngx_lead_law_invalid_data(&call->fault, call->pool,
                                             &field[i].key);
        }

        ngx_lead_law_add(gen, op->data, &field[i].key, label);
    }

    return gen->failed ? NGX_ERROR : NGX_OK;
}


/* what is none of our fields is kept as it came */

static ngx_int_t
ngx_lead_law_ingest_extra(ngx_lead_law_op_t *op, ngx_lead_json_gen_t *gen)
{
    ngx_lead_call_t  *call;
    ngx_lead_json_t  *node;

    call = op->call;

    op->extra = ngx_lead_json_add(gen, NULL, NULL, NGX_LEAD_JSON_OBJECT);

    for (node = call->json->first; node; node = node->next) {

        if (ngx_lead_law_ingest_known(call, &node->name)) {
            continue;
        }

        (void) ngx_lead_json_add_node(gen, op->extra, &node->name, node);
    }

    return gen->failed ? NGX_ERROR : NGX_OK;
}


/* a member that is one of our fields as a whole */

static ngx_uint_t
ngx_lead_law_ingest_known(ngx_lead_call_t *call, ngx_str_t *name)
{
    ngx_str_t                *field, *path;
    ngx_uint_t                i;
    ngx_lead_source_field_t  *map;

    map = call->source->fields.elts;

    for (i = 0; i < call->source->fields.nelts; i++) {
        path = map[i].path.elts;

        if (map[i].path.nelts == 1 && ngx_lead_field_equal(&path[0], name)) {
            return 1;
        }
    }

    for (field = ngx_lead_law_ingest_names; field->len; field++) {
        if (ngx_lead_field_equal(field, name)) {
            break;
        }
    }

    if (field->len == 0
        && ngx_lead_account_data(call->account, name->data, name->len) == NULL)
    {
        return 0;
    }

    /* ... but not if the source calls that field otherwise */

    for (i = 0; i < call->source->fields.nelts; i++) {
        if (ngx_lead_field_equal(&map[i].field, name)) {
            return 0;
        }
    }

    return 1;
}


/* where the source has a field of ours: by its own path, or by our name */

static ngx_lead_json_t *
ngx_lead_law_ingest_find(ngx_lead_call_t *call, ngx_str_t *field)
{
    ngx_str_t                *path;
    ngx_uint_t                i, n;
    ngx_lead_json_t          *node;
    ngx_lead_source_field_t  *map;

    map = call->source->fields.elts;

    for (i = 0; i < call->source->fields.nelts; i++) {

        if (!ngx_lead_field_equal(&map[i].field, field)) {
            continue;
        }

        node = call->json;
        path = map[i].path.elts;

        for (n = 0; n < map[i].path.nelts; n++) {
            node = ngx_lead_json_find(node, path[n].data, path[n].len);
        }

        return node;
    }

    return ngx_lead_json_find(call->json, field->data, field->len);
}


/* a string or a number, trimmed; all else is as if it were not there */

static ngx_int_t
ngx_lead_law_ingest_text(ngx_lead_call_t *call, ngx_str_t *field,
    ngx_str_t *text)
{
    ngx_int_t         rc;
    ngx_lead_json_t  *node;

    node = ngx_lead_law_ingest_find(call, field);

    if (node && node->type == NGX_LEAD_JSON_NUMBER) {

        rc = ngx_lead_field_number(call->pool, &node->text, text);

        if (rc == NGX_DECLINED) {
            ngx_str_set(text, "");
            return NGX_OK;
        }

        return rc;
    }

    *text = *ngx_lead_law_text(node);
    ngx_lead_field_trim(text);

    return NGX_OK;
}


/* what can be delivered again has a name, in its source */

static ngx_int_t
ngx_lead_law_ingest_match(ngx_lead_law_op_t *op)
{
    u_char           *p;
    ngx_lead_call_t  *call;

    call = op->call;

    if (op->external_id.len == 0) {
        return NGX_OK;
    }

    p = ngx_pnalloc(call->pool, op->source.len + 1 + op->external_id.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    op->match.kind = NGX_LEAD_MATCH_EXTERNAL;
    op->match.value.data = p;

    p = ngx_cpymem(p, op->source.data, op->source.len);
    *p++ = '\0';
    p = ngx_cpymem(p, op->external_id.data, op->external_id.len);

    op->match.value.len = p - op->match.value.data;

    call->op.target.by = LEAD_BY_MATCH;
    call->op.target.matches = &op->match;
    call->op.target.nmatches = 1;

    return NGX_OK;
}


static void
ngx_lead_law_ingest_decide(lead_op_t *lop, const lead_t *target,
    const lead_t *second, int64_t now, uint64_t *counters, lead_decision_t *d)
{
    ngx_lead_law_op_t  *op = lop->data;

    if (target) {
        ngx_lead_law_ingest_update(op, target, d);

    } else {
        ngx_lead_law_ingest_insert(op, d);
    }
}


static void
ngx_lead_law_ingest_insert(ngx_lead_law_op_t *op, lead_decision_t *d)
{
    op->nevents = 0;
    op->fault.kind = NGX_LEAD_FAULT_INTERNAL;

    if (op->stage == NULL) {
        return;
    }

    op->fault.kind = NGX_LEAD_FAULT_UNAVAILABLE;

    ngx_lead_law_event(op, NGX_LEAD_LAW_CREATED, &op->stage->key,
                       &op->call->body);
    ngx_lead_law_write(op, d, LEAD_INSERT, &op->doc, 0);
}


static void
ngx_lead_law_ingest_update(ngx_lead_law_op_t *op, const lead_t *target,
    lead_decision_t *d)
{
    ngx_lead_law_edit_t  e;

    if (ngx_lead_law_open(op, target, &e) != NGX_OK
        || ngx_lead_law_ingest_merge(&e) != NGX_OK)
    {
        return;
    }

    ngx_lead_law_event(op, NGX_LEAD_LAW_UPDATED,
                       ngx_lead_law_str(ngx_lead_json_get(e.doc, "stage"),
                                        "key"),
                       &op->call->body);

    (void) ngx_lead_law_save(&e, target, d);
}


static ngx_int_t
ngx_lead_law_ingest_merge(ngx_lead_law_edit_t *e)
{
    ngx_lead_json_t    *node, *kept;
    ngx_lead_law_op_t  *op;

    static ngx_str_t  first_name = ngx_string("first_name");
    static ngx_str_t  last_name = ngx_string("last_name");
    static ngx_str_t  data = ngx_string("data");
    static ngx_str_t  extra = ngx_string("extra");

    op = e->op;

    if (op->email.len) {
        ngx_lead_law_change_email(e);
    }

    if (op->phone.len) {
        ngx_lead_law_change_phone(e);
    }

    /* names are there: without them the delivery was refused */

    ngx_lead_law_change(e, NULL, &first_name, &op->first_name);
    ngx_lead_law_change(e, NULL, &last_name, &op->last_name);

    for (node = op->data->first; node; node = node->next) {
        ngx_lead_law_change(e, &data, &node->name, &node->text);
    }

    if (op->extra->n == 0) {
        return NGX_OK;
    }

    kept = ngx_lead_json_get(e->doc, "extra");

    if (kept == NULL || kept->type != NGX_LEAD_JSON_OBJECT) {
        ngx_lead_json_set_node(&e->gen, e->doc, &extra, op->extra);
        return NGX_OK;
    }

    for (node = op->extra->first; node; node = node->next) {
        ngx_lead_json_set_node(&e->gen, kept, &node->name, node);
    }

    /* a document with more could not be read again */

    if (kept->n > NGX_LEAD_JSON_MAX_MEMBERS) {
        op->fault.kind = NGX_LEAD_FAULT_TOO_LARGE;
        return NGX_DECLINED;
    }

    return NGX_OK;
}


ngx_int_t
ngx_lead_law_ingested(ngx_lead_call_t *call, lead_t *lead)
{
    u_char               *p;
    ngx_str_t             id, text, *external_id;
    const char           *why;
    ngx_uint_t            created;
    ngx_lead_json_t      *doc;
    ngx_lead_json_gen_t   gen;

    static ngx_str_t  status[] = {
        ngx_string("updated"),
        ngx_string("created")
    };

    gen.pool = call->pool;
    gen.failed = 0;

    /* a repeat by Idempotency-Key has the answer of the create */

    created = call->op.outcome == LEAD_INSERTED
              || call->op.outcome == LEAD_REPLAYED;

    text.data = (u_char *) lead->doc.data;
    text.len = lead->doc.len;

    p = ngx_pnalloc(call->pool, LEAD_ID_TEXT_LEN + 1);

    if (p == NULL
        || ngx_lead_json_parse_doc(call->pool, &text, &doc, &why) != NGX_OK)
    {
        return NGX_ERROR;
    }

    external_id = ngx_lead_law_str(doc, "external_id");

    lead_store_id_text(&lead->id, (char *) p);
    id.data = p;
    id.len = LEAD_ID_TEXT_LEN;

    call->status = created ? 201 : 200;
    call->root = ngx_lead_json_add(&gen, NULL, NULL, NGX_LEAD_JSON_OBJECT);

    if (external_id->len) {
        (void) ngx_lead_json_add_str(&gen, call->root, "externalId",
                                     external_id);
    } else {
        (void) ngx_lead_json_add(&gen, call->root, "externalId",
                                 NGX_LEAD_JSON_NULL);
    }

    (void) ngx_lead_json_add_str(&gen, call->root, "status",
                                 &status[created]);
    (void) ngx_lead_json_add_str(&gen, call->root, "leadId", &id);

    return gen.failed ? NGX_ERROR : NGX_OK;
}
