
/*
 * Copyright (C) the ngx_lead authors
 *
 * Lawfficient: a lead as the vendor shows it, to whoever asks and in what its
 * webhooks say of an event.  A lead of another dialect lacks what that does
 * not ask for: it is "" then, and what the firm defines of data is shown.
 *
 * Must know no call: notice() may run in a thread.  What is made lives in the
 * generator's or the notice's pool.
 */


#include "ngx_lead_dialect_lawfficient.h"


static void ngx_lead_law_add_status(ngx_lead_json_gen_t *gen,
    ngx_lead_json_t *to, ngx_lead_json_t *stage);
static void ngx_lead_law_add_data(ngx_lead_json_gen_t *gen,
    ngx_lead_account_t *account, ngx_lead_json_t *to,
    ngx_lead_json_t *stored);
static void ngx_lead_law_add_id(ngx_lead_json_gen_t *gen,
    ngx_lead_json_t *to, const lead_id_t *id);
static void ngx_lead_law_add_time(ngx_lead_json_gen_t *gen,
    ngx_lead_json_t *to, const char *name, int64_t time);


ngx_int_t
ngx_lead_law_add_lead(ngx_lead_json_gen_t *gen, ngx_lead_account_t *account,
    ngx_lead_json_t *to, const lead_t *lead)
{
    ngx_int_t         rc;
    ngx_str_t        *assignee;
    ngx_lead_json_t  *doc;

    rc = ngx_lead_doc_parse(gen->pool, lead, &doc);

    if (rc != NGX_OK) {
        return rc;
    }

    ngx_lead_law_add_id(gen, to, &lead->id);
    (void) ngx_lead_json_add_str(gen, to, "first_name",
                                 ngx_lead_law_str(doc, "first_name"));
    (void) ngx_lead_json_add_str(gen, to, "last_name",
                                 ngx_lead_law_str(doc, "last_name"));
    (void) ngx_lead_json_add_str(gen, to, "email",
                                 ngx_lead_law_str(doc, "email_key"));
    (void) ngx_lead_json_add_str(gen, to, "phone", ngx_lead_law_phone(doc));
    (void) ngx_lead_json_add_str(gen, to, "source", ngx_lead_law_source(doc));
    ngx_lead_law_add_status(gen, to, ngx_lead_json_get(doc, "stage"));

    assignee = ngx_lead_law_str(ngx_lead_json_get(doc, "assignee"), "id");

    if (assignee->len) {
        (void) ngx_lead_json_add_str(gen, to, "assignee_id", assignee);

    } else {
        (void) ngx_lead_json_add(gen, to, "assignee_id", NGX_LEAD_JSON_NULL);
    }

    (void) ngx_lead_json_add_bool(gen, to, "archived",
                                  lead->flags & LEAD_FLAG_ARCHIVED);
    ngx_lead_law_add_time(gen, to, "created_at", lead->created);
    ngx_lead_law_add_time(gen, to, "last_activity_at", lead->activity);
    ngx_lead_law_add_data(gen, account, to, ngx_lead_json_get(doc, "data"));

    return gen->failed ? NGX_ERROR : NGX_OK;
}


static void
ngx_lead_law_add_status(ngx_lead_json_gen_t *gen, ngx_lead_json_t *to,
    ngx_lead_json_t *stage)
{
    ngx_lead_json_t  *status;

    status = ngx_lead_json_add(gen, to, "status", NGX_LEAD_JSON_OBJECT);

    (void) ngx_lead_json_add_str(gen, status, "key",
                                 ngx_lead_law_str(stage, "key"));
    (void) ngx_lead_json_add_str(gen, status, "name",
                                 ngx_lead_law_str(stage, "name"));
}


/* only what the firm defines is shown, in its order */

static void
ngx_lead_law_add_data(ngx_lead_json_gen_t *gen, ngx_lead_account_t *account,
    ngx_lead_json_t *to, ngx_lead_json_t *stored)
{
    ngx_str_t        *value;
    ngx_uint_t        i;
    ngx_lead_data_t  *field;
    ngx_lead_json_t  *data;

    data = ngx_lead_json_add(gen, to, "data", NGX_LEAD_JSON_OBJECT);
    field = account->data.elts;

    for (i = 0; i < account->data.nelts; i++) {
        value = ngx_lead_law_text(ngx_lead_json_find(stored,
                                                     field[i].key.data,
                                                     field[i].key.len));
        if (value->len) {
            ngx_lead_law_add(gen, data, &field[i].key, value);
        }
    }
}


static void
ngx_lead_law_add_id(ngx_lead_json_gen_t *gen, ngx_lead_json_t *to,
    const lead_id_t *id)
{
    ngx_str_t  text;

    text.len = LEAD_ID_TEXT_LEN;
    text.data = ngx_pnalloc(gen->pool, LEAD_ID_TEXT_LEN + 1);

    if (text.data == NULL) {
        gen->failed = 1;
        return;
    }

    lead_store_id_text(id, (char *) text.data);
    (void) ngx_lead_json_add_str(gen, to, "id", &text);
}


static void
ngx_lead_law_add_time(ngx_lead_json_gen_t *gen, ngx_lead_json_t *to,
    const char *name, int64_t time)
{
    ngx_str_t  text;

    text.len = NGX_LEAD_FIELD_TIME_LEN;
    text.data = ngx_pnalloc(gen->pool, NGX_LEAD_FIELD_TIME_LEN);

    if (text.data == NULL) {
        gen->failed = 1;
        return;
    }

    (void) ngx_lead_field_time_ms(text.data, time);
    (void) ngx_lead_json_add_str(gen, to, name, &text);
}


ngx_str_t *
ngx_lead_law_phone(ngx_lead_json_t *doc)
{
    ngx_str_t  *phone;

    phone = ngx_lead_law_str(doc, "phone_e164");

    return phone->len ? phone : ngx_lead_law_str(doc, "phone");
}


/* a lead of another dialect may have no source: then it came from there */

ngx_str_t *
ngx_lead_law_source(ngx_lead_json_t *doc)
{
    ngx_str_t  *source;

    source = ngx_lead_law_str(ngx_lead_json_get(doc, "source"), "name");

    return source->len ? source : ngx_lead_law_str(doc, "dialect");
}


/* what the vendor has no event for comes under our name for it */

ngx_int_t
ngx_lead_law_notice(ngx_lead_notice_t *n, ngx_lead_json_t *event,
    ngx_lead_json_t **root)
{
    ngx_lead_json_t      *data;
    ngx_lead_json_gen_t   gen;

    gen.pool = n->pool;
    gen.failed = 0;

    *root = ngx_lead_json_add(&gen, NULL, NULL, NGX_LEAD_JSON_OBJECT);

    ngx_lead_law_add_id(&gen, *root, &n->id);
    (void) ngx_lead_json_add_str(&gen, *root, "type", &n->type);
    ngx_lead_law_add_time(&gen, *root, "created_at", n->time);
    data = ngx_lead_json_add(&gen, *root, "data", NGX_LEAD_JSON_OBJECT);

    return ngx_lead_law_add_lead(&gen, n->account, data, n->lead);
}
