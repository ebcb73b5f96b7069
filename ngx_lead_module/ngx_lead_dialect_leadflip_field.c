
/*
 * Copyright (C) the ngx_lead authors
 *
 * Leadflip: fields.  Which one a key means, whether all are there that must
 * be, where they are in a lead's document, and what finds it again.
 *
 * Runs in the event loop for new leads and in threads for stored ones, on the
 * pool of the check: nothing here logs, or knows where it runs.
 */


#include "ngx_lead_dialect_leadflip.h"


static u_char *ngx_lead_flip_skip(u_char *p, u_char *last);
static ngx_uint_t ngx_lead_flip_reserved(ngx_str_t *name);
static void ngx_lead_flip_map(ngx_lead_flip_op_t *op, ngx_lead_json_t *node);
static u_char *ngx_lead_flip_attribute(u_char *p, ngx_str_t *name);

static const char *ngx_lead_flip_shared(ngx_lead_entity_t *entity,
    ngx_lead_entity_field_t *field);
static ngx_lead_entity_field_t *ngx_lead_flip_field(
    ngx_lead_entity_t *entity, const char *name,
    ngx_lead_field_type_e type);
static void ngx_lead_flip_member(ngx_lead_json_gen_t *gen,
    ngx_lead_json_t *doc, const char *name, ngx_lead_json_t *node);
static ngx_int_t ngx_lead_flip_match(ngx_lead_flip_op_t *op, ngx_pool_t *pool,
    ngx_lead_flip_value_t *v);


/* names that mean no field, whatever the entity calls its own */

static ngx_str_t  ngx_lead_flip_names[] = {
    ngx_string("entity"),
    ngx_string("lead_object"),
    ngx_string("assignee"),
    ngx_string("viewers"),
    ngx_string("note"),
    ngx_string("notes"),
    ngx_string("dedup_mode"),
    ngx_string("created_at"),
    ngx_string("updated_at"),
    ngx_string("source"),
    ngx_null_string
};


/* what other dialects call a field: the one of this name and type or, where
 * any will do, the first of the type */

static const struct {
    const char             *member;
    const char             *name;
    ngx_lead_field_type_e   type;
    ngx_uint_t              any;
} ngx_lead_flip_members[] = {
    { "email", "email", NGX_LEAD_FIELD_EMAIL, 1 },
    { "phone", "phone", NGX_LEAD_FIELD_PHONE, 1 },
    { "address", "address", NGX_LEAD_FIELD_ADDRESS, 1 },
    { "display_name", "lead_name", NGX_LEAD_FIELD_TEXT, 0 },
    { "first_name", "first_name", NGX_LEAD_FIELD_TEXT, 0 },
    { "last_name", "last_name", NGX_LEAD_FIELD_TEXT, 0 },
    { "company", "company", NGX_LEAD_FIELD_TEXT, 0 },
    { "birthday", "birthday", NGX_LEAD_FIELD_DATE, 0 }
};


static u_char *
ngx_lead_flip_skip(u_char *p, u_char *last)
{
    size_t  n;

    while (p < last) {

        if (*p == '_' || *p == '-') {
            p++;
            continue;
        }

        n = ngx_lead_field_space(p, last);

        if (n == 0) {
            break;
        }

        p += n;
    }

    return p;
}


ngx_uint_t
ngx_lead_flip_same(ngx_str_t *a, ngx_str_t *b)
{
    u_char  *p, *q, *last, *end;

    p = a->data;
    last = p + a->len;
    q = b->data;
    end = q + b->len;

    for ( ;; ) {
        p = ngx_lead_flip_skip(p, last);
        q = ngx_lead_flip_skip(q, end);

        if (p == last || q == end) {
            return p == last && q == end;
        }

        if (ngx_tolower(*p) != ngx_tolower(*q)) {
            return 0;
        }

        p++;
        q++;
    }
}


static ngx_uint_t
ngx_lead_flip_reserved(ngx_str_t *name)
{
    u_char     *colon;
    ngx_str_t  *reserved, head;

    static ngx_str_t  status = ngx_string("status");

    for (reserved = ngx_lead_flip_names; reserved->len; reserved++) {
        if (ngx_lead_flip_same(reserved, name)) {
            return 1;
        }
    }

    colon = ngx_strlchr(name->data, name->data + name->len, ':');

    if (colon == NULL) {
        return 0;
    }

    head.data = name->data;
    head.len = colon - name->data;

    return ngx_lead_flip_same(&status, &head);
}


ngx_lead_json_t *
ngx_lead_flip_param(ngx_lead_json_t *obj, const char *name)
{
    ngx_str_t         wanted;
    ngx_lead_json_t  *node, *found;

    wanted.data = (u_char *) name;
    wanted.len = ngx_strlen(name);

    found = ngx_lead_json_find(obj, wanted.data, wanted.len);

    if (found || obj->type != NGX_LEAD_JSON_OBJECT) {
        return found;
    }

    for (node = obj->first; node; node = node->next) {
        if (ngx_lead_flip_same(&node->name, &wanted)) {
            found = node;
        }
    }

    return found;
}


/* Laravel's: "leadName" and "lead_name" are "lead name" */

static u_char *
ngx_lead_flip_attribute(u_char *p, ngx_str_t *name)
{
    size_t  i;
    u_char  ch;

    for (i = 0; i < name->len; i++) {
        ch = name->data[i];

        if (i && ch >= 'A' && ch <= 'Z') {
            *p++ = ' ';
        }

        *p++ = (ch == '_') ? ' ' : ngx_tolower(ch);
    }

    return p;
}


ngx_int_t
ngx_lead_flip_error(ngx_lead_flip_check_t *check, ngx_str_t *name,
    const char *text, ngx_str_t *arg)
{
    size_t                   len;
    u_char                  *p;
    ngx_lead_field_error_t  *error;

    if (check->list == NULL) {
        check->list = ngx_array_create(check->pool, 4,
                                       sizeof(ngx_lead_field_error_t));
        if (check->list == NULL) {
            return NGX_ERROR;
        }
    }

    error = ngx_array_push(check->list);

    len = 2 * (check->prefix.len + 2 * name->len) + ngx_strlen(text)
          + (arg ? arg->len : 0);

    p = ngx_pnalloc(check->pool, len);

    if (error == NULL || p == NULL) {
        return NGX_ERROR;
    }

    error->path.data = p;

    if (check->prefix.len) {
        p = ngx_cpymem(p, check->prefix.data, check->prefix.len);
    }

    p = ngx_cpymem(p, name->data, name->len);
    error->path.len = p - error->path.data;

    error->text.data = p;

    for ( /* void */ ; *text; text++) {

        if (*text == '%' && check->prefix.len) {

            /* the names of what is in an array remain as they are */
            p = ngx_cpymem(p, error->path.data, error->path.len);

        } else if (*text == '%') {
            p = ngx_lead_flip_attribute(p, name);

        } else if (*text == '$' && arg) {
            p = ngx_cpymem(p, arg->data, arg->len);

        } else {
            *p++ = *text;
        }
    }

    error->text.len = p - error->text.data;

    return NGX_OK;
}


ngx_int_t
ngx_lead_flip_values(ngx_lead_flip_op_t *op, ngx_lead_flip_check_t *check,
    ngx_lead_json_t *obj)
{
    ngx_uint_t                i, n;
    ngx_lead_json_t          *node;
    ngx_lead_entity_field_t  *field;

    n = op->entity ? op->entity->fields.nelts : 0;

    op->values = ngx_pcalloc(check->pool,
                             (n + 1) * sizeof(ngx_lead_flip_value_t));
    if (op->values == NULL) {
        return NGX_ERROR;
    }

    field = n ? op->entity->fields.elts : NULL;

    for (i = 0; i < n; i++) {
        op->values[i].field = &field[i];
    }

    if (obj == NULL || obj->type != NGX_LEAD_JSON_OBJECT) {
        return NGX_OK;
    }

    for (node = obj->first; n && node; node = node->next) {
        if (!ngx_lead_flip_reserved(&node->name)) {
            ngx_lead_flip_map(op, node);
        }
    }

    for (i = 0; i < n; i++) {
        if (op->values[i].sent
            && ngx_lead_flip_value(op, check, &op->values[i],
                                   op->values[i].sent)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* an internal name is better than a label, and its exact spelling the best;
 * else the later of two members has the field */

static void
ngx_lead_flip_map(ngx_lead_flip_op_t *op, ngx_lead_json_t *node)
{
    ngx_uint_t              i, n;
    ngx_lead_flip_value_t  *v;

    n = op->entity->fields.nelts;
    v = NULL;

    for (i = 0; v == NULL && i < n; i++) {
        if (ngx_lead_flip_same(&op->values[i].field->key, &node->name)) {
            v = &op->values[i];
        }
    }

    for (i = 0; v == NULL && i < n; i++) {
        if (ngx_lead_flip_same(&op->values[i].field->label, &node->name)) {
            v = &op->values[i];
        }
    }

    if (v == NULL) {
        return;
    }

    if (ngx_lead_field_equal(&v->field->key, &node->name)) {
        v->exact = 1;

    } else if (v->exact) {
        return;
    }

    v->sent = node;
}


ngx_int_t
ngx_lead_flip_complete(ngx_lead_flip_op_t *op, ngx_lead_flip_check_t *check)
{
    ngx_uint_t              i;
    ngx_lead_json_t         preset;
    ngx_lead_flip_value_t  *v;

    for (i = 0; i < op->entity->fields.nelts; i++) {
        v = &op->values[i];

        if (v->value || v->bad) {
            continue;
        }

        v->sent = NULL;

        if (v->field->preset.len) {
            ngx_memzero(&preset, sizeof(ngx_lead_json_t));
            preset.type = NGX_LEAD_JSON_STRING;
            preset.text = v->field->preset;

            if (ngx_lead_flip_value(op, check, v, &preset) != NGX_OK) {
                return NGX_ERROR;
            }

        } else if (v->field->required
                   && ngx_lead_flip_error(check, &v->field->key,
                                          "The % field is required.", NULL)
                      != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_lead_entity_field_t *
ngx_lead_flip_email(ngx_lead_entity_t *entity)
{
    ngx_uint_t                i;
    ngx_str_t                 name;
    ngx_lead_entity_field_t  *field;

    ngx_str_set(&name, "email");

    field = entity->fields.elts;

    for (i = 0; i < entity->fields.nelts; i++) {
        if (ngx_lead_flip_same(&field[i].key, &name)) {
            return &field[i];
        }
    }

    for (i = 0; i < entity->fields.nelts; i++) {
        if (field[i].type == NGX_LEAD_FIELD_EMAIL) {
            return &field[i];
        }
    }

    return NULL;
}


static const char *
ngx_lead_flip_shared(ngx_lead_entity_t *entity,
    ngx_lead_entity_field_t *field)
{
    ngx_uint_t                i, n;
    ngx_lead_entity_field_t  *known;

    n = sizeof(ngx_lead_flip_members) / sizeof(ngx_lead_flip_members[0]);

    for (i = 0; i < n; i++) {

        if (ngx_lead_flip_members[i].type != field->type) {
            continue;
        }

        known = ngx_lead_flip_field(entity, ngx_lead_flip_members[i].name,
                                    field->type);

        if (known == field
            || (known == NULL && ngx_lead_flip_members[i].any
                && ngx_lead_flip_field(entity, NULL, field->type) == field))
        {
            return ngx_lead_flip_members[i].member;
        }
    }

    return NULL;
}


/* the first of this type and, unless it is NULL, name */

static ngx_lead_entity_field_t *
ngx_lead_flip_field(ngx_lead_entity_t *entity, const char *name,
    ngx_lead_field_type_e type)
{
    ngx_str_t                 wanted;
    ngx_uint_t                i;
    ngx_lead_entity_field_t  *field;

    wanted.data = (u_char *) name;
    wanted.len = name ? ngx_strlen(name) : 0;

    field = entity->fields.elts;

    for (i = 0; i < entity->fields.nelts; i++) {
        if (field[i].type == type
            && (name == NULL || ngx_lead_flip_same(&field[i].key, &wanted)))
        {
            return &field[i];
        }
    }

    return NULL;
}


void
ngx_lead_flip_set(ngx_lead_json_gen_t *gen, ngx_lead_json_t *doc,
    ngx_lead_entity_t *entity, ngx_lead_flip_value_t *v)
{
    const char       *name;
    ngx_lead_json_t  *more;

    ngx_lead_json_set_node(gen, ngx_lead_json_get(doc, "fields"),
                           &v->field->key, v->value);

    name = ngx_lead_flip_shared(entity, v->field);

    if (name == NULL) {
        return;
    }

    ngx_lead_flip_member(gen, doc, name, v->value);

    if (v->field->type != NGX_LEAD_FIELD_EMAIL
        && v->field->type != NGX_LEAD_FIELD_PHONE)
    {
        return;
    }

    more = NULL;

    if (v->value && v->more.len) {
        more = ngx_lead_json_add_str(gen, NULL, NULL, &v->more);
    }

    if (!gen->failed) {
        ngx_lead_flip_member(gen, doc,
                             v->field->type == NGX_LEAD_FIELD_EMAIL
                             ? "email_key" : "phone_e164", more);
    }
}


static void
ngx_lead_flip_member(ngx_lead_json_gen_t *gen, ngx_lead_json_t *doc,
    const char *name, ngx_lead_json_t *node)
{
    ngx_str_t  member;

    member.data = (u_char *) name;
    member.len = ngx_strlen(name);

    ngx_lead_json_set_node(gen, doc, &member, node);
}


ngx_int_t
ngx_lead_flip_matches(ngx_lead_flip_op_t *op, ngx_pool_t *pool,
    ngx_lead_json_t *fields)
{
    ngx_uint_t              i, rank;
    ngx_lead_json_t        *stored;
    ngx_lead_flip_value_t   v;
    ngx_lead_flip_check_t   check;

    ngx_memzero(&check, sizeof(ngx_lead_flip_check_t));
    check.pool = pool;

    op->nmatches = 0;
    op->matches = ngx_palloc(pool, LEAD_MATCHES_MAX * sizeof(lead_match_t));

    if (op->matches == NULL) {
        return NGX_ERROR;
    }

    for (rank = 1; rank <= LEAD_MATCHES_MAX; rank++) {

        for (i = 0; i < op->entity->fields.nelts; i++) {
            if (op->values[i].field->match == rank) {
                break;
            }
        }

        if (i == op->entity->fields.nelts) {
            break;
        }

        v = op->values[i];
        stored = v.value ? NULL : ngx_lead_json_find(fields, v.field->key.data,
                                                     v.field->key.len);

        if (stored
            && ngx_lead_flip_value(op, &check, &v, stored) != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (v.value && v.key.len
            && ngx_lead_flip_match(op, pool, &v) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* its scope is the entity and the field */

static ngx_int_t
ngx_lead_flip_match(ngx_lead_flip_op_t *op, ngx_pool_t *pool,
    ngx_lead_flip_value_t *v)
{
    u_char        *p;
    size_t         len;
    lead_match_t  *match;

    len = op->entity->slug.len + v->field->key.len + v->key.len + 2;

    p = ngx_pnalloc(pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    match = &op->matches[op->nmatches++];

    match->kind = NGX_LEAD_MATCH_ENTITY;
    match->value.data = p;
    match->value.len = len;

    p = ngx_cpymem(p, op->entity->slug.data, op->entity->slug.len);
    *p++ = '\0';
    p = ngx_cpymem(p, v->field->key.data, v->field->key.len);
    *p++ = '\0';
    ngx_memcpy(p, v->key.data, v->key.len);

    return NGX_OK;
}
