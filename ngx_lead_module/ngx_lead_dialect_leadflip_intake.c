
/*
 * Copyright (C) the ngx_lead authors
 *
 * Leadflip: POST /intake and POST /leads/bulk.
 *
 * Everything is judged and written down in the event loop, in call->pool: all
 * rows before the first one goes to the store, so that one bad row keeps all
 * of them out.  What a duplicate becomes is decided in the thread.
 */


#include "ngx_lead_dialect_leadflip.h"


typedef struct {
    ngx_lead_json_t          *mode;
    ngx_lead_json_t          *note;
    ngx_str_t                 source;
} ngx_lead_flip_common_t;


static ngx_int_t ngx_lead_flip_entity(ngx_lead_call_t *call,
    ngx_lead_flip_check_t *check, ngx_lead_entity_t **entity);
static ngx_int_t ngx_lead_flip_rows(ngx_lead_call_t *call,
    ngx_lead_flip_check_t *check, ngx_lead_json_t **batch);
static ngx_int_t ngx_lead_flip_common(ngx_lead_call_t *call,
    ngx_lead_flip_check_t *check, ngx_lead_flip_common_t *common);
static ngx_int_t ngx_lead_flip_row(ngx_lead_flip_op_t *op,
    ngx_lead_flip_check_t *check, ngx_lead_json_t *sent,
    ngx_lead_flip_common_t *common);

static ngx_int_t ngx_lead_flip_document(ngx_lead_flip_op_t *op,
    lead_op_t *lop);
static void ngx_lead_flip_people(ngx_lead_flip_op_t *op,
    ngx_lead_json_gen_t *gen, ngx_lead_json_t *doc);


ngx_int_t
ngx_lead_flip_intake(ngx_lead_call_t *call)
{
    ngx_lead_entity_t       *entity;
    ngx_lead_flip_op_t      *op;
    ngx_lead_flip_check_t    check;
    ngx_lead_flip_common_t   common;

    ngx_memzero(&check, sizeof(ngx_lead_flip_check_t));
    ngx_memzero(&common, sizeof(ngx_lead_flip_common_t));

    check.pool = call->pool;
    entity = NULL;
    ngx_str_set(&common.source, "api");

    if (ngx_lead_flip_entity(call, &check, &entity) != NGX_OK) {
        return NGX_ERROR;
    }

    if (call->fault.kind || check.list) {
        return ngx_lead_flip_invalid(call, &check);
    }

    op = ngx_pcalloc(call->pool, sizeof(ngx_lead_flip_op_t));
    if (op == NULL) {
        return NGX_ERROR;
    }

    op->call = call;
    op->entity = entity;

    if (ngx_lead_flip_row(op, &check, call->json, &common) != NGX_OK) {
        return NGX_ERROR;
    }

    if (check.list) {
        return ngx_lead_flip_invalid(call, &check);
    }

    return ngx_lead_flip_document(op, &call->op);
}


ngx_int_t
ngx_lead_flip_bulk(ngx_lead_call_t *call)
{
    u_char                  *p;
    ngx_uint_t               i;
    ngx_lead_json_t         *batch, *row;
    ngx_lead_entity_t       *entity;
    ngx_lead_flip_op_t      *op;
    ngx_lead_flip_check_t    check;
    ngx_lead_flip_common_t   common;

    ngx_memzero(&check, sizeof(ngx_lead_flip_check_t));
    ngx_memzero(&common, sizeof(ngx_lead_flip_common_t));

    check.pool = call->pool;
    entity = NULL;

    if (ngx_lead_flip_entity(call, &check, &entity) != NGX_OK
        || ngx_lead_flip_rows(call, &check, &batch) != NGX_OK
        || ngx_lead_flip_common(call, &check, &common) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (call->fault.kind || check.list) {
        return ngx_lead_flip_invalid(call, &check);
    }

    op = ngx_pcalloc(call->pool, batch->n * sizeof(ngx_lead_flip_op_t));
    call->ops = ngx_palloc(call->pool, batch->n * sizeof(lead_op_t *));
    p = ngx_pnalloc(call->pool, sizeof("batch..") - 1 + NGX_INT_T_LEN);

    if (op == NULL || call->ops == NULL || p == NULL) {
        return NGX_ERROR;
    }

    check.prefix.data = p;

    for (i = 0, row = batch->first; row; row = row->next, i++) {

        op[i].call = call;
        op[i].entity = entity;
        call->ops[i] = &op[i].op;

        check.prefix.len = ngx_sprintf(p, "batch.%ui.", i) - p;

        if (ngx_lead_flip_row(&op[i], &check, row, &common) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (check.list) {
        return ngx_lead_flip_invalid(call, &check);
    }

    for (i = 0; i < batch->n; i++) {
        if (ngx_lead_flip_document(&op[i], &op[i].op) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    call->nops = batch->n;
    call->data = entity;

    return NGX_OK;
}


/* NGX_OK also if there is none: then it is a finding, or call->fault is set */

static ngx_int_t
ngx_lead_flip_entity(ngx_lead_call_t *call, ngx_lead_flip_check_t *check,
    ngx_lead_entity_t **entity)
{
    ngx_int_t           rc;
    ngx_str_t           text;
    ngx_uint_t          i;
    ngx_lead_entity_t  *e;

    static ngx_str_t  name = ngx_string("entity");

    rc = ngx_lead_flip_text(call->pool,
                            ngx_lead_flip_param(call->json, "entity"), &text);

    if (rc == NGX_OK && text.len == 0) {
        rc = ngx_lead_flip_text(call->pool,
                                ngx_lead_flip_param(call->json,
                                                    "lead_object"), &text);
    }

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc == NGX_DECLINED) {
        return ngx_lead_flip_error(check, &name,
                                   "The % field must be a string.", NULL);
    }

    if (text.len == 0) {
        return ngx_lead_flip_error(check, &name, "The % field is required.",
                                   NULL);
    }

    e = call->account->entities.elts;

    for (i = 0; i < call->account->entities.nelts; i++) {
        if (ngx_lead_field_equal_fold(&e[i].slug, &text)
            || ngx_lead_field_equal_fold(&e[i].id, &text))
        {
            *entity = &e[i];
            return NGX_OK;
        }
    }

    (void) ngx_lead_call_fault(call, 404, "", "Entity not found");

    return NGX_OK;
}


static ngx_int_t
ngx_lead_flip_rows(ngx_lead_call_t *call, ngx_lead_flip_check_t *check,
    ngx_lead_json_t **batch)
{
    ngx_str_t         text;
    const char       *why;
    ngx_lead_json_t  *node;

    static ngx_str_t  name = ngx_string("batch");

    node = ngx_lead_flip_param(call->json, "batch");
    *batch = node;

    if (node && node->type == NGX_LEAD_JSON_ARRAY && node->n) {

        if (node->n <= NGX_LEAD_FLIP_ROWS) {
            return NGX_OK;
        }

        why = "The % field must not have more than 1000 items.";

    } else if (node && node->n) {
        why = "The % field must be an array.";

    } else if (node == NULL
               || node->type == NGX_LEAD_JSON_ARRAY
               || node->type == NGX_LEAD_JSON_OBJECT
               || (ngx_lead_flip_text(call->pool, node, &text) == NGX_OK
                   && text.len == 0))
    {
        why = "The % field is required.";

    } else {
        why = "The % field must be an array.";
    }

    return ngx_lead_flip_error(check, &name, why, NULL);
}


/* what a bulk create says of all its rows */

static ngx_int_t
ngx_lead_flip_common(ngx_lead_call_t *call, ngx_lead_flip_check_t *check,
    ngx_lead_flip_common_t *common)
{
    ngx_int_t         rc;
    ngx_str_t         text;
    ngx_lead_json_t  *node;

    static ngx_str_t  note = ngx_string("note");
    static ngx_str_t  source = ngx_string("source");

    common->mode = ngx_lead_flip_param(call->json, "dedup_mode");

    node = ngx_lead_flip_param(call->json, "note");
    rc = ngx_lead_flip_text(call->pool, node, &text);

    if (rc == NGX_OK) {
        common->note = node;

    } else if (rc == NGX_ERROR
               || ngx_lead_flip_error(check, &note,
                                      "The % field must be a string.", NULL)
                  != NGX_OK)
    {
        return NGX_ERROR;
    }

    rc = ngx_lead_flip_text(call->pool,
                            ngx_lead_flip_param(call->json, "source"), &text);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc == NGX_DECLINED) {
        return ngx_lead_flip_error(check, &source,
                                   "The % field must be a string.", NULL);
    }

    if (ngx_lead_field_points(&text) > NGX_LEAD_FLIP_SOURCE) {
        return ngx_lead_flip_error(check, &source,
                                   "The % field must not be greater than 255 "
                                   "characters.", NULL);
    }

    common->source = text;

    if (text.len == 0) {
        ngx_str_set(&common->source, "api");
    }

    return NGX_OK;
}


static ngx_int_t
ngx_lead_flip_row(ngx_lead_flip_op_t *op, ngx_lead_flip_check_t *check,
    ngx_lead_json_t *sent, ngx_lead_flip_common_t *common)
{
    ngx_str_t             none, prefix;
    ngx_lead_json_t      *mode;
    ngx_lead_json_gen_t   gen;

    gen.pool = check->pool;
    gen.failed = 0;

    op->source = common->source;
    op->notes = ngx_lead_json_add(&gen, NULL, NULL, NGX_LEAD_JSON_ARRAY);

    if (op->notes == NULL) {
        return NGX_ERROR;
    }

    if (sent->type != NGX_LEAD_JSON_OBJECT && check->prefix.len) {

        /* it is the row itself that is wrong */

        prefix = check->prefix;
        check->prefix.len--;
        ngx_str_set(&none, "");

        if (ngx_lead_flip_error(check, &none, "The % field must be an array.",
                                NULL)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        check->prefix = prefix;

        return NGX_OK;
    }

    mode = ngx_lead_flip_param(sent, "dedup_mode");

    if (ngx_lead_flip_values(op, check, sent) != NGX_OK
        || ngx_lead_flip_complete(op, check) != NGX_OK
        || ngx_lead_flip_mode(op, check, mode ? mode : common->mode)
           != NGX_OK
        || ngx_lead_flip_assignee(op, check, sent) != NGX_OK
        || ngx_lead_flip_viewers(op, check, sent) != NGX_OK
        || ngx_lead_flip_statuses(op, check, sent) != NGX_OK
        || ngx_lead_flip_note(op, check, common->note, NULL) != NGX_OK
        || ngx_lead_flip_note(op, check, ngx_lead_flip_param(sent, "note"),
                              NULL)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_lead_flip_notes(op, check, sent);
}


/* the document of a lead that is no duplicate, and what would make it one */

static ngx_int_t
ngx_lead_flip_document(ngx_lead_flip_op_t *op, lead_op_t *lop)
{
    ngx_uint_t              i;
    ngx_lead_call_t        *call;
    ngx_lead_json_t        *doc, *node;
    ngx_lead_json_gen_t     gen;

    static ngx_str_t  notes = ngx_string("notes");

    call = op->call;

    gen.pool = call->pool;
    gen.failed = 0;

    doc = ngx_lead_json_add(&gen, NULL, NULL, NGX_LEAD_JSON_OBJECT);

    (void) ngx_lead_json_add_str(&gen, doc, "dialect", &call->dialect->name);

    node = ngx_lead_json_add(&gen, doc, "entity", NGX_LEAD_JSON_OBJECT);
    (void) ngx_lead_json_add_str(&gen, node, "id", &op->entity->id);
    (void) ngx_lead_json_add_str(&gen, node, "slug", &op->entity->slug);
    (void) ngx_lead_json_add_str(&gen, node, "label", &op->entity->label);

    node = ngx_lead_json_add(&gen, doc, "source", NGX_LEAD_JSON_OBJECT);
    (void) ngx_lead_json_add_str(&gen, node, "name", &op->source);

    (void) ngx_lead_json_add(&gen, doc, "fields", NGX_LEAD_JSON_OBJECT);

    if (gen.failed) {
        return NGX_ERROR;
    }

    for (i = 0; i < op->entity->fields.nelts; i++) {
        if (op->values[i].value) {
            ngx_lead_flip_set(&gen, doc, op->entity, &op->values[i]);
        }
    }

    ngx_lead_flip_people(op, &gen, doc);

    if (op->notes->n) {
        (void) ngx_lead_json_add_node(&gen, doc, &notes, op->notes);
    }

    if (gen.failed || ngx_lead_flip_matches(op, call->pool, NULL) != NGX_OK) {
        return NGX_ERROR;
    }

    lop->decide = ngx_lead_flip_create_decide;
    lop->data = op;

    if (op->nmatches) {
        lop->target.by = LEAD_BY_MATCH;
        lop->target.matches = op->matches;
        lop->target.nmatches = op->nmatches;
    }

    return ngx_lead_json_print(call->pool, doc, &op->doc);
}


static void
ngx_lead_flip_people(ngx_lead_flip_op_t *op, ngx_lead_json_gen_t *gen,
    ngx_lead_json_t *doc)
{
    ngx_uint_t        i;
    ngx_lead_json_t  *node;

    if (op->npipelines) {
        (void) ngx_lead_doc_stage(gen, doc, "stage", op->pipelines[0],
                                  op->stages[0]);
    }

    if (op->npipelines > 1) {
        node = ngx_lead_json_add(gen, doc, "stages", NGX_LEAD_JSON_ARRAY);

        for (i = 0; i < op->npipelines; i++) {
            (void) ngx_lead_doc_stage(gen, node, NULL, op->pipelines[i],
                                      op->stages[i]);
        }
    }

    if (op->assignee) {
        (void) ngx_lead_doc_user(gen, doc, "assignee", op->assignee);
    }

    if (op->nviewers) {
        node = ngx_lead_json_add(gen, doc, "viewers", NGX_LEAD_JSON_ARRAY);

        for (i = 0; i < op->nviewers; i++) {
            (void) ngx_lead_doc_user(gen, node, NULL, op->viewers[i]);
        }
    }
}
