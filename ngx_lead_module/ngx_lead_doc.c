
/*
 * Copyright (C) the ngx_lead authors
 *
 * Members of leads' documents that dialects share.
 *
 * Must not log, know a dialect or keep state: all of it also runs in threads.
 * What is made lives in the generator's pool.
 */


#include "ngx_lead_doc.h"


ngx_str_t *
ngx_lead_doc_text(ngx_lead_json_t *node)
{
    static ngx_str_t  empty = ngx_string("");

    return (node && node->type == NGX_LEAD_JSON_STRING && node->text.len)
           ? &node->text : &empty;
}


ngx_int_t
ngx_lead_doc_parse(ngx_pool_t *pool, const lead_t *lead,
    ngx_lead_json_t **doc)
{
    ngx_int_t    rc;
    ngx_str_t    text;
    const char  *why;

    text.data = (u_char *) lead->doc.data;
    text.len = lead->doc.len;

    rc = ngx_lead_json_parse_doc(pool, &text, doc, &why);

    if (rc == NGX_OK && (*doc)->type != NGX_LEAD_JSON_OBJECT) {
        return NGX_DECLINED;
    }

    return rc;
}


void
ngx_lead_doc_add(ngx_lead_json_gen_t *gen, ngx_lead_json_t *obj,
    ngx_str_t *name, ngx_str_t *value)
{
    ngx_lead_json_t  *node;

    node = ngx_lead_json_add_str(gen, obj, NULL, value);

    if (node) {
        node->name = *name;
    }
}


ngx_lead_json_t *
ngx_lead_doc_stage(ngx_lead_json_gen_t *gen, ngx_lead_json_t *parent,
    const char *name, ngx_lead_pipeline_t *pipeline, ngx_lead_stage_t *stage)
{
    ngx_lead_json_t  *node;

    node = ngx_lead_json_add(gen, parent, name, NGX_LEAD_JSON_OBJECT);

    (void) ngx_lead_json_add_str(gen, node, "pipeline", &pipeline->key);
    (void) ngx_lead_json_add_str(gen, node, "key", &stage->key);
    (void) ngx_lead_json_add_str(gen, node, "name", &stage->name);

    return node;
}


ngx_lead_json_t *
ngx_lead_doc_user(ngx_lead_json_gen_t *gen, ngx_lead_json_t *parent,
    const char *name, ngx_lead_user_t *user)
{
    ngx_lead_json_t  *node;

    node = ngx_lead_json_add(gen, parent, name, NGX_LEAD_JSON_OBJECT);

    (void) ngx_lead_json_add_str(gen, node, "id", &user->id);

    if (user->name.len) {
        (void) ngx_lead_json_add_str(gen, node, "name", &user->name);
    }

    if (user->number) {
        (void) ngx_lead_json_add_int(gen, node, "number",
                                     (int64_t) user->number);
    }

    return node;
}


ngx_lead_json_t *
ngx_lead_doc_note(ngx_lead_json_gen_t *gen, ngx_lead_json_t *notes,
    ngx_str_t *text, ngx_str_t *tag, ngx_str_t *at)
{
    ngx_lead_json_t  *node;

    node = ngx_lead_json_add(gen, notes, NULL, NGX_LEAD_JSON_OBJECT);

    (void) ngx_lead_json_add_str(gen, node, "text", text);

    if (tag && tag->len) {
        (void) ngx_lead_json_add_str(gen, node, "tag", tag);
    }

    if (at && at->len) {
        (void) ngx_lead_json_add_str(gen, node, "at", at);
    }

    return node;
}


ngx_lead_json_t *
ngx_lead_doc_campaign(ngx_lead_json_gen_t *gen, ngx_lead_json_t *parent,
    const char *name, ngx_lead_campaign_t *campaign)
{
    ngx_lead_json_t  *node;

    node = ngx_lead_json_add(gen, parent, name, NGX_LEAD_JSON_OBJECT);

    (void) ngx_lead_json_add_str(gen, node, "name", &campaign->name);

    if (campaign->number) {
        (void) ngx_lead_json_add_int(gen, node, "number",
                                     (int64_t) campaign->number);
    }

    if (campaign->label.len) {
        (void) ngx_lead_json_add_str(gen, node, "label", &campaign->label);
    }

    return node;
}
