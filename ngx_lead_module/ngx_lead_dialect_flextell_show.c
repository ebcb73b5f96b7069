
/*
 * Copyright (C) the ngx_lead authors
 *
 * Flextell: a lead as it shows it, and the statuses and reference sources
 * that it is shown with.
 *
 * Reads what is stored and what is configured, and changes neither; what is
 * made lives in the generator's pool.
 */


#include "ngx_lead_dialect_flextell.h"


static void ngx_lead_flex_add_texts(ngx_lead_json_gen_t *gen,
    ngx_lead_json_t *to, ngx_lead_json_t *doc);
static ngx_str_t *ngx_lead_flex_last_name(ngx_lead_json_t *doc);
static void ngx_lead_flex_add_text(ngx_lead_json_gen_t *gen,
    ngx_lead_json_t *to, const char *name, ngx_str_t *text);
static void ngx_lead_flex_add_node(ngx_lead_json_gen_t *gen,
    ngx_lead_json_t *to, const char *name, ngx_lead_json_t *node);
static void ngx_lead_flex_add_time(ngx_lead_json_gen_t *gen,
    ngx_lead_json_t *to, const char *name, int64_t time);
static void ngx_lead_flex_add_given(ngx_lead_json_gen_t *gen,
    ngx_lead_json_t *to, ngx_lead_account_t *account, ngx_lead_json_t *doc);
static ngx_uint_t ngx_lead_flex_number(ngx_lead_json_t *node);


ngx_int_t
ngx_lead_flex_add_lead(ngx_lead_json_gen_t *gen, ngx_lead_call_t *call,
    ngx_lead_json_t *parent, const char *name, const lead_t *lead)
{
    ngx_lead_json_t  *doc, *to, *country;

    static ngx_str_t  no = ngx_string("false");

    if (ngx_lead_doc_parse(gen->pool, lead, &doc) != NGX_OK) {
        return NGX_ERROR;
    }

    country = ngx_lead_json_get(doc, "country");

    to = ngx_lead_json_add(gen, parent, name, NGX_LEAD_JSON_OBJECT);

    (void) ngx_lead_json_add_int(gen, to, "id", (int64_t) lead->number);

    ngx_lead_flex_add_texts(gen, to, doc);

    ngx_lead_flex_add_node(gen, to, "country_id",
                           ngx_lead_json_get(country, "number"));

    (void) ngx_lead_json_add_str(gen, to, "is_converted", &no);
    ngx_lead_flex_add_node(gen, to, "converted_at", NULL);
    ngx_lead_flex_add_node(gen, to, "customer_id", NULL);

    ngx_lead_flex_add_node(gen, to, "marketing_attribution",
                           ngx_lead_json_get(doc, "marketing_attribution"));
    ngx_lead_flex_add_text(gen, to, "external_id",
                           ngx_lead_doc_str(doc, "external_id"));

    ngx_lead_flex_add_node(gen, to, "external_branch_id", NULL);
    ngx_lead_flex_add_node(gen, to, "external_created_at", NULL);
    ngx_lead_flex_add_node(gen, to, "last_synced_at", NULL);
    ngx_lead_flex_add_node(gen, to, "import_source_id", NULL);

    ngx_lead_flex_add_time(gen, to, "created_at", lead->created);
    ngx_lead_flex_add_time(gen, to, "updated_at", lead->updated);
    ngx_lead_flex_add_node(gen, to, "deleted_at", NULL);

    ngx_lead_flex_add_given(gen, to, call->account, doc);

    ngx_lead_flex_add_text(gen, to, "country_name",
                           ngx_lead_doc_str(country, "name"));

    return gen->failed ? NGX_ERROR : NGX_OK;
}


static void
ngx_lead_flex_add_texts(ngx_lead_json_gen_t *gen, ngx_lead_json_t *to,
    ngx_lead_json_t *doc)
{
    ngx_str_t  full;

    if (ngx_lead_flex_full_name(gen->pool, doc, &full) != NGX_OK) {
        gen->failed = 1;
        return;
    }

    ngx_lead_flex_add_text(gen, to, "first_name",
                           ngx_lead_doc_str(doc, "first_name"));
    ngx_lead_flex_add_text(gen, to, "last_name",
                           ngx_lead_flex_last_name(doc));
    ngx_lead_flex_add_text(gen, to, "full_name", &full);

    ngx_lead_flex_add_text(gen, to, "phone_number",
                           ngx_lead_doc_str(doc, "phone"));
    ngx_lead_flex_add_text(gen, to, "email", ngx_lead_doc_str(doc, "email"));
    ngx_lead_flex_add_text(gen, to, "description",
                           ngx_lead_doc_str(doc, "description"));
    ngx_lead_flex_add_text(gen, to, "message",
                           ngx_lead_doc_str(doc, "message"));
    ngx_lead_flex_add_text(gen, to, "preferred_contact",
                           ngx_lead_doc_str(doc, "preferred_contact"));
    ngx_lead_flex_add_text(gen, to, "source_page_url",
                           ngx_lead_doc_str(doc, "source_page_url"));
}


ngx_int_t
ngx_lead_flex_full_name(ngx_pool_t *pool, ngx_lead_json_t *doc,
    ngx_str_t *full)
{
    u_char     *p;
    ngx_str_t  *first, *last;

    first = ngx_lead_doc_str(doc, "first_name");
    last = ngx_lead_flex_last_name(doc);

    p = ngx_pnalloc(pool, first->len + 1 + last->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    full->data = p;
    p = ngx_cpymem(p, first->data, first->len);

    if (first->len && last->len) {
        *p++ = ' ';
    }

    p = ngx_cpymem(p, last->data, last->len);
    full->len = p - full->data;

    return NGX_OK;
}


/* a lead of another dialect may be known by less */

static ngx_str_t *
ngx_lead_flex_last_name(ngx_lead_json_t *doc)
{
    ngx_str_t  *text;

    text = ngx_lead_doc_str(doc, "last_name");

    if (text->len == 0) {
        text = ngx_lead_doc_str(doc, "display_name");
    }

    if (text->len == 0) {
        text = ngx_lead_doc_str(doc, "email");
    }

    return text;
}


static void
ngx_lead_flex_add_text(ngx_lead_json_gen_t *gen, ngx_lead_json_t *to,
    const char *name, ngx_str_t *text)
{
    if (text->len) {
        (void) ngx_lead_json_add_str(gen, to, name, text);

    } else {
        ngx_lead_flex_add_node(gen, to, name, NULL);
    }
}


/* null if there is none */

static void
ngx_lead_flex_add_node(ngx_lead_json_gen_t *gen, ngx_lead_json_t *to,
    const char *name, ngx_lead_json_t *node)
{
    ngx_str_t  text;

    if (node == NULL) {
        (void) ngx_lead_json_add(gen, to, name, NGX_LEAD_JSON_NULL);
        return;
    }

    text.data = (u_char *) name;
    text.len = ngx_strlen(name);

    (void) ngx_lead_json_add_node(gen, to, &text, node);
}


static void
ngx_lead_flex_add_time(ngx_lead_json_gen_t *gen, ngx_lead_json_t *to,
    const char *name, int64_t time)
{
    ngx_str_t  text;

    text.data = ngx_pnalloc(gen->pool, NGX_LEAD_FIELD_TIME_LEN);
    if (text.data == NULL) {
        gen->failed = 1;
        return;
    }

    (void) ngx_lead_field_time_ms(text.data, time);

    text.len = sizeof("1970-01-01T00:00:00Z") - 1;
    text.data[text.len - 1] = 'Z';

    (void) ngx_lead_json_add_str(gen, to, name, &text);
}


/* what configuration has given the lead: as it is configured now, or, where
 * it no longer is, as it was */

static void
ngx_lead_flex_add_given(ngx_lead_json_gen_t *gen, ngx_lead_json_t *to,
    ngx_lead_account_t *account, ngx_lead_json_t *doc)
{
    ngx_str_t          *key;
    ngx_lead_user_t    *user, old_user;
    ngx_lead_json_t    *node;
    ngx_lead_stage_t   *stage, old_stage;
    ngx_lead_source_t  *source, old_source;

    node = ngx_lead_json_get(doc, "stage");
    key = ngx_lead_doc_str(node, "key");
    stage = ngx_lead_account_stage(account, key);

    if (stage == NULL) {
        ngx_memzero(&old_stage, sizeof(ngx_lead_stage_t));
        old_stage.key = *key;
        old_stage.name = *ngx_lead_doc_str(node, "name");
        old_stage.number = ngx_lead_flex_number(node);
        stage = &old_stage;
    }

    (void) ngx_lead_flex_add_stage(gen, to, "status", stage);

    node = ngx_lead_json_get(doc, "source");
    key = ngx_lead_doc_str(node, "key");
    source = ngx_lead_account_source(account, key->data, key->len);

    if (source == NULL) {
        ngx_memzero(&old_source, sizeof(ngx_lead_source_t));
        old_source.name = *ngx_lead_doc_str(node, "name");
        old_source.number = ngx_lead_flex_number(node);
        source = &old_source;
    }

    ngx_lead_flex_add_source(gen, to, "reference_source", source);

    node = ngx_lead_json_get(doc, "assignee");
    user = ngx_lead_account_user(account, ngx_lead_doc_str(node, "id"));

    if (user == NULL) {
        ngx_memzero(&old_user, sizeof(ngx_lead_user_t));
        old_user.name = *ngx_lead_doc_str(node, "name");
        old_user.number = ngx_lead_flex_number(node);
        user = &old_user;
    }

    if (user->number == 0) {
        ngx_lead_flex_add_node(gen, to, "assigned_user", NULL);
        return;
    }

    node = ngx_lead_json_add(gen, to, "assigned_user", NGX_LEAD_JSON_OBJECT);
    (void) ngx_lead_json_add_int(gen, node, "id", (int64_t) user->number);
    ngx_lead_flex_add_text(gen, node, "name", &user->name);
}


static ngx_uint_t
ngx_lead_flex_number(ngx_lead_json_t *node)
{
    ngx_int_t  n;

    node = ngx_lead_json_get(node, "number");

    if (node == NULL || node->type != NGX_LEAD_JSON_NUMBER) {
        return 0;
    }

    n = ngx_atoi(node->text.data, node->text.len);

    return n > 0 ? n : 0;
}


/* what has no number is not shown to clients that know numbers only */

ngx_lead_json_t *
ngx_lead_flex_add_stage(ngx_lead_json_gen_t *gen, ngx_lead_json_t *parent,
    const char *name, ngx_lead_stage_t *stage)
{
    ngx_lead_json_t  *node;

    if (stage->number == 0) {
        ngx_lead_flex_add_node(gen, parent, name, NULL);
        return NULL;
    }

    node = ngx_lead_json_add(gen, parent, name, NGX_LEAD_JSON_OBJECT);

    (void) ngx_lead_json_add_int(gen, node, "id", (int64_t) stage->number);
    ngx_lead_flex_add_text(gen, node, "name", &stage->name);
    ngx_lead_flex_add_text(gen, node, "slug", &stage->key);
    ngx_lead_flex_add_text(gen, node, "color", &stage->color);
    (void) ngx_lead_json_add_bool(gen, node, "is_terminal", stage->terminal);

    return node;
}


void
ngx_lead_flex_add_source(ngx_lead_json_gen_t *gen, ngx_lead_json_t *parent,
    const char *name, ngx_lead_source_t *source)
{
    ngx_lead_json_t  *node;

    if (source->number == 0) {
        ngx_lead_flex_add_node(gen, parent, name, NULL);
        return;
    }

    node = ngx_lead_json_add(gen, parent, name, NGX_LEAD_JSON_OBJECT);

    (void) ngx_lead_json_add_int(gen, node, "id", (int64_t) source->number);
    ngx_lead_flex_add_text(gen, node, "name", &source->name);
    ngx_lead_flex_add_text(gen, node, "external_id", &source->external_id);
}
