
/*
 * Copyright (C) the ngx_lead authors
 *
 * Leadflip: PATCH /leads/{id}/status.
 *
 * Which stages there are depends on the stored lead's entity, so all of it is
 * judged by decide(), in a thread and in the call's arena.  The stage that a
 * lead is in already is no change and no event.
 */


#include "ngx_lead_dialect_leadflip.h"


static void ngx_lead_flip_move_decide(lead_op_t *lop, const lead_t *target,
    const lead_t *second, int64_t now, uint64_t *counters,
    lead_decision_t *d);
static ngx_int_t ngx_lead_flip_move_find(ngx_lead_flip_edit_t *e,
    ngx_lead_pipeline_t **pipeline, ngx_lead_stage_t **stage);
static ngx_str_t *ngx_lead_flip_move_apply(ngx_lead_flip_edit_t *e,
    ngx_lead_pipeline_t *pipeline, ngx_lead_stage_t *stage);


ngx_int_t
ngx_lead_flip_move(ngx_lead_call_t *call)
{
    ngx_lead_flip_op_t  *op;

    op = ngx_lead_flip_target(call, ngx_lead_flip_move_decide);

    if (op == NULL) {
        return call->fault.kind ? NGX_DECLINED : NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_lead_flip_move_decide(lead_op_t *lop, const lead_t *target,
    const lead_t *second, int64_t now, uint64_t *counters, lead_decision_t *d)
{
    ngx_str_t             *from, data;
    ngx_lead_json_t       *root;
    ngx_lead_stage_t      *stage;
    ngx_lead_flip_op_t    *op = lop->data;
    ngx_lead_pipeline_t   *pipeline;
    ngx_lead_flip_edit_t   e;

    if (ngx_lead_flip_open(op, target, &e) != NGX_OK
        || ngx_lead_flip_move_find(&e, &pipeline, &stage) != NGX_OK)
    {
        return;
    }

    op->status = stage->name;
    from = ngx_lead_flip_move_apply(&e, pipeline, stage);

    if (ngx_lead_field_equal(from, &stage->key)) {
        d->verdict = LEAD_KEEP;
        return;
    }

    root = ngx_lead_json_add(&e.gen, NULL, NULL, NGX_LEAD_JSON_OBJECT);

    (void) ngx_lead_json_add_str(&e.gen, root, "pipeline", &pipeline->key);

    if (from->len) {
        (void) ngx_lead_json_add_str(&e.gen, root, "from", from);

    } else {
        (void) ngx_lead_json_add(&e.gen, root, "from", NGX_LEAD_JSON_NULL);
    }

    (void) ngx_lead_json_add_str(&e.gen, root, "to", &stage->key);

    if (!e.gen.failed
        && ngx_lead_json_print(e.gen.pool, root, &data) == NGX_OK
        && ngx_lead_flip_event(op, NGX_LEAD_FLIP_MOVED, &stage->key, &data, 1)
           == NGX_OK)
    {
        ngx_lead_flip_save(&e, target, d);
    }
}


static ngx_int_t
ngx_lead_flip_move_find(ngx_lead_flip_edit_t *e,
    ngx_lead_pipeline_t **pipeline, ngx_lead_stage_t **stage)
{
    ngx_int_t            rc;
    ngx_str_t            text;
    ngx_uint_t           i, n;
    const char          *why;
    ngx_lead_flip_op_t  *op;

    static ngx_str_t  name = ngx_string("status_step");

    op = e->op;
    why = "The selected % is invalid.";

    rc = ngx_lead_flip_text(e->gen.pool,
                            ngx_lead_flip_param(op->call->json, "status_step"),
                            &text);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc == NGX_OK && text.len == 0) {
        why = "The % field is required.";
        rc = NGX_DECLINED;
    }

    n = ngx_lead_flip_pipelines(op->call->account, op->entity, 0, pipeline);

    for (i = 0; rc == NGX_OK && i < n; i++) {
        (void) ngx_lead_flip_pipelines(op->call->account, op->entity, i,
                                       pipeline);

        *stage = ngx_lead_flip_stage(*pipeline, &text);

        if (*stage) {
            return NGX_OK;
        }
    }

    if (ngx_lead_flip_error(&op->check, &name, why, NULL) != NGX_OK) {
        return NGX_ERROR;
    }

    op->fault.kind = NGX_LEAD_FAULT_OWN;

    return NGX_DECLINED;
}


/* the key of the stage it was in there, or "" */

static ngx_str_t *
ngx_lead_flip_move_apply(ngx_lead_flip_edit_t *e,
    ngx_lead_pipeline_t *pipeline, ngx_lead_stage_t *stage)
{
    ngx_str_t        *from;
    ngx_lead_json_t  *node, *to, *list, *stages;

    static ngx_str_t  main = ngx_string("stage");
    static ngx_str_t  all = ngx_string("stages");

    from = ngx_lead_doc_text(NULL);

    to = ngx_lead_doc_stage(&e->gen, NULL, NULL, pipeline, stage);
    list = ngx_lead_json_add(&e->gen, NULL, NULL, NGX_LEAD_JSON_ARRAY);

    stages = ngx_lead_json_get(e->doc, "stages");
    node = stages ? stages->first : NULL;

    for ( /* void */ ; node && !e->gen.failed; node = node->next) {

        if (ngx_lead_field_equal(ngx_lead_doc_str(node, "pipeline"),
                                 &pipeline->key))
        {
            from = ngx_lead_doc_str(node, "key");

        } else {
            (void) ngx_lead_json_add_node(&e->gen, list, NULL, node);
        }
    }

    node = ngx_lead_json_get(e->doc, "stage");

    if (node == NULL
        || ngx_lead_field_equal(ngx_lead_doc_str(node, "pipeline"),
                                &pipeline->key))
    {
        from = ngx_lead_doc_str(node, "key");
        ngx_lead_json_set_node(&e->gen, e->doc, &main, to);

    } else if (stages == NULL) {

        /* this pipeline came to the entity later than the lead */

        (void) ngx_lead_json_add_node(&e->gen, list, NULL, node);
        stages = list;
    }

    if (stages) {
        (void) ngx_lead_json_add_node(&e->gen, list, NULL, to);
        ngx_lead_json_set_node(&e->gen, e->doc, &all, list);
    }

    return from;
}
