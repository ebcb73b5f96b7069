
/*
 * Copyright (C) the ngx_lead authors
 *
 * Leadflip: what GET shows: a lead with its newest events, and the entities
 * of an account.  All of this runs in the event loop, on call->pool.
 */


#include "ngx_lead_dialect_leadflip.h"


static void ngx_lead_flip_add_events(ngx_lead_json_gen_t *gen,
    ngx_lead_call_t *call);
static ngx_int_t ngx_lead_flip_add_event(ngx_lead_json_gen_t *gen,
    ngx_lead_json_t *event, ngx_str_t *type);


ngx_int_t
ngx_lead_flip_get(ngx_lead_call_t *call)
{
    lead_bytes_t  id;

    id.data = call->params[0].data;
    id.len = call->params[0].len;

    if (lead_store_id_parse(id, &call->find.id) != 0) {
        call->fault.kind = NGX_LEAD_FAULT_NOT_FOUND;
        return NGX_DECLINED;
    }

    call->find.by = LEAD_BY_ID;

    return NGX_OK;
}


ngx_int_t
ngx_lead_flip_entities(ngx_lead_call_t *call)
{
    ngx_uint_t                i, n;
    ngx_lead_json_t          *obj, *list, *node;
    ngx_lead_entity_t        *entity;
    ngx_lead_json_gen_t       gen;
    ngx_lead_entity_field_t  *field;

    static ngx_str_t  types[] = {      /* in the order of the enum */
        ngx_string("text"),
        ngx_string("email"),
        ngx_string("phone"),
        ngx_string("number"),
        ngx_string("date"),
        ngx_string("checkbox"),
        ngx_string("select"),
        ngx_string("url"),
        ngx_string("address")
    };

    if (ngx_lead_flip_start(call, &gen, NGX_LEAD_JSON_ARRAY) != NGX_OK) {
        return NGX_ERROR;
    }

    entity = call->account->entities.elts;

    for (i = 0; i < call->account->entities.nelts; i++) {

        obj = ngx_lead_json_add(&gen, call->root, NULL, NGX_LEAD_JSON_OBJECT);

        (void) ngx_lead_json_add_str(&gen, obj, "id", &entity[i].id);
        (void) ngx_lead_json_add_str(&gen, obj, "label", &entity[i].label);

        list = ngx_lead_json_add(&gen, obj, "fields", NGX_LEAD_JSON_ARRAY);
        field = entity[i].fields.elts;

        for (n = 0; n < entity[i].fields.nelts; n++) {
            node = ngx_lead_json_add(&gen, list, NULL, NGX_LEAD_JSON_OBJECT);

            (void) ngx_lead_json_add_str(&gen, node, "key", &field[n].key);
            (void) ngx_lead_json_add_str(&gen, node, "type",
                                         &types[field[n].type]);
            (void) ngx_lead_json_add_bool(&gen, node, "required",
                                          field[n].required);
        }
    }

    return gen.failed ? NGX_ERROR : NGX_OK;
}


ngx_int_t
ngx_lead_flip_show(ngx_lead_call_t *call, lead_t *leads, ngx_uint_t n)
{
    ngx_lead_json_t      *doc, *entity, *fields, *step;
    ngx_lead_json_gen_t   gen;

    static ngx_str_t  name = ngx_string("fields");
    static ngx_str_t  status = ngx_string("status_step");

    if (ngx_lead_flip_start(call, &gen, NGX_LEAD_JSON_OBJECT) != NGX_OK
        || ngx_lead_doc_parse(call->pool, &leads[0], &doc) != NGX_OK)
    {
        return NGX_ERROR;
    }

    entity = ngx_lead_json_get(ngx_lead_json_get(doc, "entity"), "id");
    fields = ngx_lead_json_get(doc, "fields");
    step = ngx_lead_json_get(ngx_lead_json_get(doc, "stage"), "name");

    /* leads of other dialects have none */

    if (entity == NULL || fields == NULL) {
        call->fault.kind = NGX_LEAD_FAULT_NOT_FOUND;
        return NGX_DECLINED;
    }

    ngx_lead_flip_add_id(&gen, call->root, &leads[0]);

    (void) ngx_lead_json_add_str(&gen, call->root, "entity", &entity->text);

    if (step) {
        (void) ngx_lead_json_add_node(&gen, call->root, &status, step);

    } else {
        (void) ngx_lead_json_add(&gen, call->root, "status_step",
                                 NGX_LEAD_JSON_NULL);
    }

    (void) ngx_lead_json_add_node(&gen, call->root, &name, fields);

    ngx_lead_flip_add_events(&gen, call);

    return gen.failed ? NGX_ERROR : NGX_OK;
}


static void
ngx_lead_flip_add_events(ngx_lead_json_gen_t *gen, ngx_lead_call_t *call)
{
    ngx_uint_t        i;
    ngx_lead_json_t  *list, *node;

    list = ngx_lead_json_add(gen, call->root, "events", NGX_LEAD_JSON_ARRAY);

    for (i = 0; i < call->nevents && !gen->failed; i++) {

        if (list->n == NGX_LEAD_FLIP_SHOWN) {
            break;
        }

        /* what only keeps an Idempotency-Key is no event */

        if (call->events[i].type.len == 0) {
            continue;
        }

        node = ngx_lead_json_add(gen, list, NULL, NGX_LEAD_JSON_OBJECT);

        if (ngx_lead_flip_add_event(gen, node, &call->events[i].type)
            == NGX_OK)
        {
            ngx_lead_flip_add_time(gen, node, call->events[i].time);
        }
    }
}


/* what is not in the table happened by another dialect: "lead.archived" is
 * "lead_archived_event", "Lead archived" */

static ngx_int_t
ngx_lead_flip_add_event(ngx_lead_json_gen_t *gen, ngx_lead_json_t *event,
    ngx_str_t *type)
{
    size_t      i;
    u_char     *p;
    ngx_str_t   name, message;

    static const struct {
        ngx_str_t  type;
        ngx_str_t  name;
        ngx_str_t  message;
    } known[] = {
        { ngx_string("lead.created"), ngx_string("lead_created_event"),
          ngx_string("Lead created") },
        { ngx_string("lead.updated"), ngx_string("lead_update_event"),
          ngx_string("Lead fields updated") },
        { ngx_string("lead.status_changed"), ngx_string("lead_status_event"),
          ngx_string("Lead moved to new status") },
        { ngx_string("lead.assigned"), ngx_string("lead_assigned_event"),
          ngx_string("Lead assigned") },
        { ngx_string("lead.note_added"), ngx_string("lead_note_event"),
          ngx_string("Note added") }
    };

    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (type->len == known[i].type.len
            && ngx_memcmp(type->data, known[i].type.data, type->len) == 0)
        {
            name = known[i].name;
            message = known[i].message;
            goto found;
        }
    }

    p = ngx_pnalloc(gen->pool, 2 * type->len + sizeof("_event"));
    if (p == NULL) {
        gen->failed = 1;
        return NGX_ERROR;
    }

    name.data = p;

    for (i = 0; i < type->len; i++) {
        *p++ = (type->data[i] == '.') ? '_' : type->data[i];
    }

    p = ngx_cpymem(p, "_event", sizeof("_event") - 1);
    name.len = p - name.data;

    message.data = p;
    message.len = type->len;

    for (i = 0; i < type->len; i++) {
        *p++ = (type->data[i] == '.' || type->data[i] == '_')
               ? ' ' : type->data[i];
    }

    message.data[0] = ngx_toupper(message.data[0]);

found:

    (void) ngx_lead_json_add_str(gen, event, "type", &name);
    (void) ngx_lead_json_add_str(gen, event, "message", &message);

    return gen->failed ? NGX_ERROR : NGX_OK;
}
