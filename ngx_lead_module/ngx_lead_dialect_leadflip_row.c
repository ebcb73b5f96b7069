
/*
 * Copyright (C) the ngx_lead authors
 *
 * Leadflip: what is said of a lead beside its fields: whom it is given to, who
 * sees it, notes, stages, and what to do with a duplicate.
 *
 * Names of people and stages are looked up in the configuration; what is not
 * there is a finding.  Notes and stages are also judged in threads.
 */


#include "ngx_lead_dialect_leadflip.h"


static ngx_uint_t ngx_lead_flip_viewer(ngx_lead_flip_op_t *op,
    ngx_str_t *text);
static ngx_lead_user_t *ngx_lead_flip_user(ngx_lead_account_t *account,
    ngx_str_t *text);
static ngx_int_t ngx_lead_flip_notes_item(ngx_lead_flip_op_t *op,
    ngx_lead_flip_check_t *check, ngx_lead_json_t *item, ngx_uint_t i);
static ngx_int_t ngx_lead_flip_status(ngx_lead_flip_op_t *op,
    ngx_lead_flip_check_t *check, ngx_lead_json_t *node, ngx_str_t *name,
    u_char *exact);


ngx_int_t
ngx_lead_flip_mode(ngx_lead_flip_op_t *op, ngx_lead_flip_check_t *check,
    ngx_lead_json_t *sent)
{
    ngx_int_t   rc;
    ngx_str_t   text;
    ngx_uint_t  i;

    static ngx_str_t  name = ngx_string("dedup_mode");

    static ngx_str_t  modes[] = {      /* in the order of the enum */
        ngx_string("skip"),
        ngx_string("update"),
        ngx_string("create")
    };

    rc = ngx_lead_flip_text(check->pool, sent, &text);

    if (rc == NGX_ERROR || (rc == NGX_OK && text.len == 0)) {
        return rc;
    }

    for (i = 0; rc == NGX_OK && i < sizeof(modes) / sizeof(modes[0]); i++) {
        if (ngx_lead_field_equal_fold(&modes[i], &text)) {
            op->mode = (ngx_lead_flip_mode_e) i;
            return NGX_OK;
        }
    }

    return ngx_lead_flip_error(check, &name, "The selected % is invalid.",
                               NULL);
}


static ngx_lead_user_t *
ngx_lead_flip_user(ngx_lead_account_t *account, ngx_str_t *text)
{
    ngx_uint_t        i;
    ngx_lead_user_t  *user;

    user = account->users.elts;

    for (i = 0; i < account->users.nelts; i++) {
        if (user[i].email.len
            && ngx_lead_field_equal_fold(&user[i].email, text))
        {
            return &user[i];
        }
    }

    return ngx_lead_account_user(account, text);
}


ngx_int_t
ngx_lead_flip_assignee(ngx_lead_flip_op_t *op, ngx_lead_flip_check_t *check,
    ngx_lead_json_t *sent)
{
    ngx_int_t  rc;
    ngx_str_t  text;

    static ngx_str_t  name = ngx_string("assignee");

    rc = ngx_lead_flip_text(check->pool,
                            ngx_lead_flip_param(sent, "assignee"), &text);

    if (rc == NGX_ERROR || (rc == NGX_OK && text.len == 0)) {
        return rc;
    }

    if (rc == NGX_OK) {
        op->assignee = ngx_lead_flip_user(op->call->account, &text);

        if (op->assignee) {
            return NGX_OK;
        }
    }

    return ngx_lead_flip_error(check, &name, "The selected % is invalid.",
                               NULL);
}


/* one, several with commas between, or an array */

ngx_int_t
ngx_lead_flip_viewers(ngx_lead_flip_op_t *op, ngx_lead_flip_check_t *check,
    ngx_lead_json_t *sent)
{
    u_char           *p, *last;
    ngx_str_t         text;
    ngx_uint_t        good;
    ngx_lead_json_t  *node;

    static ngx_str_t  name = ngx_string("viewers");

    sent = ngx_lead_flip_param(sent, "viewers");

    if (sent == NULL || sent->type == NGX_LEAD_JSON_NULL) {
        return NGX_OK;
    }

    op->viewers = ngx_palloc(check->pool, NGX_LEAD_FLIP_ITEMS
                                          * sizeof(ngx_lead_user_t *));
    if (op->viewers == NULL) {
        return NGX_ERROR;
    }

    good = 1;

    if (sent->type == NGX_LEAD_JSON_STRING) {

        last = sent->text.data + sent->text.len;

        for (p = sent->text.data; good && p <= last; p++) {

            text.data = p;

            while (p < last && *p != ',') {
                p++;
            }

            text.len = p - text.data;
            good = ngx_lead_flip_viewer(op, &text);
        }

    } else if (sent->type == NGX_LEAD_JSON_ARRAY) {

        for (node = sent->first; good && node; node = node->next) {

            if (node->type == NGX_LEAD_JSON_NULL) {
                continue;
            }

            text = node->text;
            good = node->type == NGX_LEAD_JSON_STRING
                   && ngx_lead_flip_viewer(op, &text);
        }

    } else {

        /* PHP's empty array */
        good = sent->type == NGX_LEAD_JSON_OBJECT && sent->n == 0;
    }

    return good ? NGX_OK
                : ngx_lead_flip_error(check, &name,
                                      "The selected % is invalid.", NULL);
}


static ngx_uint_t
ngx_lead_flip_viewer(ngx_lead_flip_op_t *op, ngx_str_t *text)
{
    ngx_uint_t        i;
    ngx_lead_user_t  *user;

    ngx_lead_field_trim(text);

    if (text->len == 0) {
        return 1;
    }

    user = ngx_lead_flip_user(op->call->account, text);

    if (user == NULL) {
        return 0;
    }

    for (i = 0; i < op->nviewers; i++) {
        if (op->viewers[i] == user) {
            return 1;
        }
    }

    if (op->nviewers == NGX_LEAD_FLIP_ITEMS) {
        return 0;
    }

    op->viewers[op->nviewers++] = user;

    return 1;
}


ngx_int_t
ngx_lead_flip_note(ngx_lead_flip_op_t *op, ngx_lead_flip_check_t *check,
    ngx_lead_json_t *sent, ngx_str_t *at)
{
    ngx_int_t             rc;
    ngx_str_t             text;
    ngx_lead_json_gen_t   gen;

    static ngx_str_t  name = ngx_string("note");

    rc = ngx_lead_flip_text(check->pool, sent, &text);

    if (rc == NGX_ERROR || (rc == NGX_OK && text.len == 0)) {
        return rc;
    }

    if (rc == NGX_DECLINED) {
        return ngx_lead_flip_error(check, &name,
                                   "The % field must be a string.", NULL);
    }

    gen.pool = check->pool;
    gen.failed = 0;

    (void) ngx_lead_doc_note(&gen, op->notes, &text, NULL, at);

    return gen.failed ? NGX_ERROR : NGX_OK;
}


ngx_int_t
ngx_lead_flip_notes(ngx_lead_flip_op_t *op, ngx_lead_flip_check_t *check,
    ngx_lead_json_t *sent)
{
    ngx_str_t         text;
    ngx_uint_t        i;
    const char       *why;
    ngx_lead_json_t  *node;

    static ngx_str_t  name = ngx_string("notes");

    sent = ngx_lead_flip_param(sent, "notes");
    why = NULL;

    if (sent == NULL) {
        return NGX_OK;
    }

    if (sent->type != NGX_LEAD_JSON_ARRAY) {

        if ((sent->type == NGX_LEAD_JSON_OBJECT && sent->n == 0)
            || (ngx_lead_flip_text(check->pool, sent, &text) == NGX_OK
                && text.len == 0))
        {
            return NGX_OK;
        }

        why = "The % field must be an array.";

    } else if (sent->n > NGX_LEAD_FLIP_ITEMS) {
        why = "The % field must not have more than 100 items.";
    }

    if (why) {
        return ngx_lead_flip_error(check, &name, why, NULL);
    }

    for (i = 0, node = sent->first; node; node = node->next, i++) {
        if (ngx_lead_flip_notes_item(op, check, node, i) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_lead_flip_notes_item(ngx_lead_flip_op_t *op, ngx_lead_flip_check_t *check,
    ngx_lead_json_t *item, ngx_uint_t i)
{
    u_char                buf[NGX_INT_T_LEN];
    ngx_str_t             text, tag, number;
    const char           *why;
    ngx_uint_t            object;
    ngx_lead_json_gen_t   gen;

    static ngx_str_t  name = ngx_string("notes");

    object = item->type == NGX_LEAD_JSON_OBJECT;
    ngx_str_set(&tag, "");
    why = NULL;

    if (ngx_lead_flip_text(check->pool,
                           object ? ngx_lead_flip_param(item, "text") : item,
                           &text)
        != NGX_OK)
    {
        why = object ? "The %.$.text field must be a string."
                     : "The %.$ field must be a string.";

    } else if (object && text.len == 0) {
        why = "The %.$.text field is required.";

    } else if (object
               && ngx_lead_flip_text(check->pool,
                                     ngx_lead_flip_param(item, "tag"), &tag)
                  != NGX_OK)
    {
        why = "The %.$.tag field must be a string.";
    }

    if (why) {
        number.data = buf;
        number.len = ngx_sprintf(buf, "%ui", i) - buf;

        return ngx_lead_flip_error(check, &name, why, &number);
    }

    if (text.len == 0) {
        return NGX_OK;
    }

    gen.pool = check->pool;
    gen.failed = 0;

    (void) ngx_lead_doc_note(&gen, op->notes, &text, &tag, NULL);

    return gen.failed ? NGX_ERROR : NGX_OK;
}


ngx_uint_t
ngx_lead_flip_pipelines(ngx_lead_account_t *account,
    ngx_lead_entity_t *entity, ngx_uint_t i, ngx_lead_pipeline_t **pipeline)
{
    ngx_lead_pipeline_t  **used;

    if (entity && entity->pipelines.nelts) {
        used = entity->pipelines.elts;
        *pipeline = (i < entity->pipelines.nelts) ? used[i] : NULL;

        return entity->pipelines.nelts;
    }

    *pipeline = (i == 0 && account->pipelines.nelts)
                ? account->pipelines.elts : NULL;

    return account->pipelines.nelts ? 1 : 0;
}


ngx_lead_stage_t *
ngx_lead_flip_stage(ngx_lead_pipeline_t *pipeline, ngx_str_t *text)
{
    ngx_uint_t         i;
    ngx_lead_stage_t  *stage;

    stage = pipeline->stages.elts;

    for (i = 0; i < pipeline->stages.nelts; i++) {
        if (ngx_lead_field_equal_fold(&stage[i].name, text)
            || ngx_lead_field_equal_fold(&stage[i].id, text))
        {
            return &stage[i];
        }
    }

    return NULL;
}


/* the default of each pipeline, or else its first one, unless another was
 * sent */

ngx_int_t
ngx_lead_flip_statuses(ngx_lead_flip_op_t *op, ngx_lead_flip_check_t *check,
    ngx_lead_json_t *sent)
{
    u_char               *colon, *exact;
    ngx_str_t             head, tail;
    ngx_uint_t            i, n;
    ngx_lead_json_t      *node;
    ngx_lead_stage_t     *stage;
    ngx_lead_pipeline_t  *pipeline;

    static ngx_str_t  status = ngx_string("status");

    op->npipelines = ngx_lead_flip_pipelines(op->call->account, op->entity, 0,
                                             &pipeline);

    op->stages = ngx_palloc(check->pool, (op->npipelines + 1)
                                         * sizeof(ngx_lead_stage_t *));
    op->pipelines = ngx_palloc(check->pool,
                               (op->npipelines + 1)
                               * sizeof(ngx_lead_pipeline_t *));
    exact = ngx_pcalloc(check->pool, op->npipelines + 1);

    if (op->stages == NULL || op->pipelines == NULL || exact == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < op->npipelines; i++) {
        (void) ngx_lead_flip_pipelines(op->call->account, op->entity, i,
                                       &op->pipelines[i]);

        stage = op->pipelines[i]->stages.elts;
        op->stages[i] = stage;

        for (n = 0; n < op->pipelines[i]->stages.nelts; n++) {
            if (stage[n].is_default) {
                op->stages[i] = &stage[n];
            }
        }
    }

    if (sent->type != NGX_LEAD_JSON_OBJECT) {
        return NGX_OK;
    }

    for (node = sent->first; node; node = node->next) {

        head = node->name;
        colon = ngx_strlchr(head.data, head.data + head.len, ':');

        if (colon == NULL) {
            continue;
        }

        tail.data = colon + 1;
        tail.len = head.data + head.len - tail.data;
        head.len = colon - head.data;

        if (ngx_lead_flip_same(&head, &status)
            && ngx_lead_flip_status(op, check, node, &tail, exact) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_lead_flip_status(ngx_lead_flip_op_t *op, ngx_lead_flip_check_t *check,
    ngx_lead_json_t *node, ngx_str_t *name, u_char *exact)
{
    ngx_int_t             rc;
    ngx_str_t             text, path;
    ngx_uint_t            i;
    ngx_lead_stage_t     *stage;

    rc = ngx_lead_flip_text(check->pool, node, &text);

    if (rc == NGX_ERROR || (rc == NGX_OK && text.len == 0)) {
        return rc;
    }

    path = node->name;
    stage = NULL;

    for (i = 0; i < op->npipelines; i++) {
        if (ngx_lead_flip_same(name, &op->pipelines[i]->key)
            || ngx_lead_flip_same(name, &op->pipelines[i]->id))
        {
            break;
        }
    }

    if (i < op->npipelines) {

        /* of two that mean the same, the key itself is stronger */

        if (ngx_lead_field_equal(name, &op->pipelines[i]->key)) {
            exact[i] = 1;

        } else if (exact[i]) {
            return NGX_OK;
        }

        path.data = ngx_pnalloc(check->pool, sizeof("status:") - 1
                                             + op->pipelines[i]->key.len);
        if (path.data == NULL) {
            return NGX_ERROR;
        }

        path.len = ngx_sprintf(path.data, "status:%V",
                               &op->pipelines[i]->key)
                   - path.data;

        if (rc == NGX_OK) {
            stage = ngx_lead_flip_stage(op->pipelines[i], &text);
        }
    }

    if (stage == NULL) {
        return ngx_lead_flip_error(check, &path, "The selected % is invalid.",
                                   NULL);
    }

    op->stages[i] = stage;

    return NGX_OK;
}
