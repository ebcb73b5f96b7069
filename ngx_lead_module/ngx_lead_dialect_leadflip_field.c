
/*
 * Copyright (C) the ngx_lead authors
 *
 * Leadflip: names and values of fields.  Which field a key means, what a
 * value of each type may be, and how it is kept and found again.
 *
 * Runs in the event loop for new leads and in threads for stored ones, on the
 * pool of the check: nothing here logs, or knows where it runs.
 */


#include "ngx_lead_dialect_leadflip.h"
#include "ngx_lead_email.h"
#include "ngx_lead_phone.h"
#include "ngx_lead_text.h"


static u_char *ngx_lead_flip_skip(u_char *p, u_char *last);
static ngx_uint_t ngx_lead_flip_reserved(ngx_str_t *name);
static void ngx_lead_flip_map(ngx_lead_flip_op_t *op, ngx_lead_json_t *node);
static u_char *ngx_lead_flip_attribute(u_char *p, ngx_str_t *name);

static ngx_int_t ngx_lead_flip_number(ngx_lead_flip_check_t *check,
    ngx_lead_flip_value_t *v, ngx_str_t *text);
static ngx_uint_t ngx_lead_flip_decimal(ngx_str_t *text, ngx_uint_t *json);
static ngx_int_t ngx_lead_flip_date(ngx_lead_flip_check_t *check,
    ngx_lead_flip_value_t *v, ngx_str_t *text);
static ngx_int_t ngx_lead_flip_boolean(ngx_lead_flip_check_t *check,
    ngx_lead_flip_value_t *v, ngx_lead_json_t *node);
static ngx_int_t ngx_lead_flip_select(ngx_lead_flip_check_t *check,
    ngx_lead_flip_value_t *v, ngx_str_t *text);
static ngx_int_t ngx_lead_flip_address(ngx_lead_flip_check_t *check,
    ngx_lead_flip_value_t *v, ngx_lead_json_t *node);
static ngx_uint_t ngx_lead_flip_nul(ngx_lead_json_t *node);
static ngx_int_t ngx_lead_flip_plain(ngx_lead_flip_op_t *op,
    ngx_lead_flip_check_t *check, ngx_lead_flip_value_t *v, ngx_str_t *text);
static ngx_int_t ngx_lead_flip_phone(ngx_lead_flip_op_t *op, ngx_pool_t *pool,
    ngx_lead_flip_value_t *v, ngx_str_t *text);
static ngx_int_t ngx_lead_flip_keep(ngx_pool_t *pool,
    ngx_lead_flip_value_t *v, ngx_lead_json_type_e type, ngx_str_t *text);
static ngx_int_t ngx_lead_flip_bad(ngx_lead_flip_check_t *check,
    ngx_lead_flip_value_t *v, const char *text, ngx_str_t *arg);

static const char *ngx_lead_flip_shared(ngx_lead_entity_t *entity,
    ngx_lead_entity_field_t *field);
static ngx_lead_entity_field_t *ngx_lead_flip_field(
    ngx_lead_entity_t *entity, const char *name,
    ngx_lead_field_type_e type);
static void ngx_lead_flip_member(ngx_lead_json_gen_t *gen,
    ngx_lead_json_t *doc, const char *name, ngx_lead_json_t *node);


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


ngx_int_t
ngx_lead_flip_text(ngx_pool_t *pool, ngx_lead_json_t *node, ngx_str_t *text)
{
    ngx_int_t  rc;

    ngx_str_set(text, "");

    if (node == NULL || node->type == NGX_LEAD_JSON_NULL) {
        return NGX_OK;
    }

    if (node->type == NGX_LEAD_JSON_STRING) {
        *text = node->text;
        ngx_lead_field_trim(text);
        return NGX_OK;
    }

    if (node->type != NGX_LEAD_JSON_NUMBER) {
        return NGX_DECLINED;
    }

    /* digits that a double cannot hold are somebody's id: kept as written */

    rc = ngx_lead_field_number(pool, &node->text, text);

    if (rc == NGX_DECLINED) {
        *text = node->text;
        return NGX_OK;
    }

    return rc;
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
    p = ngx_cpymem(p, check->prefix.data, check->prefix.len);
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

    for (i = 0; i < n; i++) {
        if (ngx_lead_flip_same(&op->values[i].field->key, &node->name)) {
            break;
        }
    }

    for (v = &op->values[i]; i == n || v == &op->values[n]; /* void */ ) {

        for (i = 0; i < n; i++) {
            if (ngx_lead_flip_same(&op->values[i].field->label,
                                   &node->name))
            {
                break;
            }
        }

        if (i == n) {
            return;
        }

        v = &op->values[i];
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
                   && ngx_lead_flip_bad(check, v, "The % field is required.",
                                        NULL)
                      != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_lead_flip_value(ngx_lead_flip_op_t *op, ngx_lead_flip_check_t *check,
    ngx_lead_flip_value_t *v, ngx_lead_json_t *node)
{
    ngx_int_t  rc;
    ngx_str_t  text;

    if (v->field->type == NGX_LEAD_FIELD_BOOLEAN) {
        return ngx_lead_flip_boolean(check, v, node);
    }

    if (v->field->type == NGX_LEAD_FIELD_ADDRESS) {
        return ngx_lead_flip_address(check, v, node);
    }

    rc = ngx_lead_flip_text(check->pool, node, &text);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc == NGX_OK && text.len == 0) {
        return NGX_OK;
    }

    if (v->field->type == NGX_LEAD_FIELD_NUMBER) {

        if (rc == NGX_OK && node->type == NGX_LEAD_JSON_NUMBER) {
            text = node->text;
        }

        return (rc == NGX_OK)
               ? ngx_lead_flip_number(check, v, &text)
               : ngx_lead_flip_bad(check, v, "The % field must be a number.",
                                   NULL);
    }

    if (rc == NGX_DECLINED) {
        return ngx_lead_flip_bad(check, v, "The % field must be a string.",
                                 NULL);
    }

    if (v->field->type == NGX_LEAD_FIELD_DATE) {
        return ngx_lead_flip_date(check, v, &text);
    }

    if (v->field->type == NGX_LEAD_FIELD_SELECT) {
        return ngx_lead_flip_select(check, v, &text);
    }

    return ngx_lead_flip_plain(op, check, v, &text);
}


/* what is kept as a string, as it was sent */

static ngx_int_t
ngx_lead_flip_plain(ngx_lead_flip_op_t *op, ngx_lead_flip_check_t *check,
    ngx_lead_flip_value_t *v, ngx_str_t *text)
{
    ngx_int_t  rc;

    rc = NGX_OK;

    switch (v->field->type) {

    case NGX_LEAD_FIELD_EMAIL:
        rc = ngx_lead_email_check(check->pool, text, 0, &v->key);

        if (rc == NGX_DECLINED) {
            return ngx_lead_flip_bad(check, v, "The % field must be a valid "
                                               "email address.", NULL);
        }

        v->more = v->key;
        break;

    case NGX_LEAD_FIELD_PHONE:
        rc = ngx_lead_flip_phone(op, check->pool, v, text);
        break;

    case NGX_LEAD_FIELD_URL:
        if (!ngx_lead_text_url(text)) {
            return ngx_lead_flip_bad(check, v,
                                     "The % field must be a valid URL.",
                                     NULL);
        }

        v->key = *text;
        break;

    default: /* NGX_LEAD_FIELD_TEXT */

        if (v->field->match) {
            rc = ngx_lead_field_lower(check->pool, text, &v->key);
        }
    }

    return (rc == NGX_OK) ? ngx_lead_flip_keep(check->pool, v,
                                               NGX_LEAD_JSON_STRING, text)
                          : NGX_ERROR;
}


/* any text is taken for a number; those that are one are found by it */

static ngx_int_t
ngx_lead_flip_phone(ngx_lead_flip_op_t *op, ngx_pool_t *pool,
    ngx_lead_flip_value_t *v, ngx_str_t *text)
{
    u_char  *p;
    size_t   len;

    p = ngx_pnalloc(pool, NGX_LEAD_PHONE_E164_MAX);
    if (p == NULL) {
        return NGX_ERROR;
    }

    if (ngx_lead_phone_e164(text, op->call->account->region, p, &len)
        == NGX_OK)
    {
        v->more.data = p;
        v->more.len = len;
        v->key = v->more;
        return NGX_OK;
    }

    return ngx_lead_field_lower(pool, text, &v->key);
}


static ngx_int_t
ngx_lead_flip_number(ngx_lead_flip_check_t *check, ngx_lead_flip_value_t *v,
    ngx_str_t *text)
{
    char       *src;
    double      value;
    ngx_int_t   rc;
    ngx_str_t   shown;
    ngx_uint_t  json;

    src = ngx_pnalloc(check->pool, text->len + 1);
    if (src == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(src, text->data, text->len);
    src[text->len] = '\0';

    value = strtod(src, NULL);

    if (!ngx_lead_flip_decimal(text, &json) || value - value != 0) {
        return ngx_lead_flip_bad(check, v, "The % field must be a number.",
                                 NULL);
    }

    if (v->field->min.len
        && value < strtod((char *) v->field->min.data, NULL))
    {
        return ngx_lead_flip_bad(check, v, "The % field must be at least $.",
                                 &v->field->min);
    }

    if (v->field->max.len
        && value > strtod((char *) v->field->max.data, NULL))
    {
        return ngx_lead_flip_bad(check, v, "The % field must not be greater "
                                           "than $.", &v->field->max);
    }

    rc = ngx_lead_field_number(check->pool, text, &shown);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    v->key = (rc == NGX_OK) ? shown : *text;

    if (json) {
        shown = *text;

    } else if (rc == NGX_DECLINED) {
        return ngx_lead_flip_bad(check, v, "The % field must be a number.",
                                 NULL);
    }

    return ngx_lead_flip_keep(check->pool, v, NGX_LEAD_JSON_NUMBER, &shown);
}


/* as PHP takes it: "+5", ".5", "5.", "007", "1e3"; json: it is also JSON's */

static ngx_uint_t
ngx_lead_flip_decimal(ngx_str_t *text, ngx_uint_t *json)
{
    u_char      *p, *last, *start;
    size_t       whole, part;

    p = text->data;
    last = p + text->len;

    *json = !(p < last && *p == '+');

    if (p < last && (*p == '+' || *p == '-')) {
        p++;
    }

    for (start = p; p < last && *p >= '0' && *p <= '9'; p++) { /* void */ }

    whole = p - start;
    part = 0;

    if (whole == 0 || (whole > 1 && *start == '0')) {
        *json = 0;
    }

    if (p < last && *p == '.') {
        for (start = ++p; p < last && *p >= '0' && *p <= '9'; p++) {
            /* void */
        }

        part = p - start;

        if (part == 0) {
            *json = 0;
        }
    }

    if (whole + part == 0) {
        return 0;
    }

    if (p < last && (*p == 'e' || *p == 'E')) {
        p++;

        if (p < last && (*p == '+' || *p == '-')) {
            p++;
        }

        for (start = p; p < last && *p >= '0' && *p <= '9'; p++) {
            /* void */
        }

        if (p == start) {
            return 0;
        }
    }

    return p == last;
}


static ngx_int_t
ngx_lead_flip_date(ngx_lead_flip_check_t *check, ngx_lead_flip_value_t *v,
    ngx_str_t *text)
{
    ngx_str_t  *min, *max;

    if (!ngx_lead_text_date(text)) {
        return ngx_lead_flip_bad(check, v,
                                 "The % field must be a valid date.", NULL);
    }

    min = &v->field->min;
    max = &v->field->max;

    if (min->len && ngx_memcmp(text->data, min->data, text->len) < 0) {
        return ngx_lead_flip_bad(check, v, "The % field must be a date after "
                                           "or equal to $.", min);
    }

    if (max->len && ngx_memcmp(text->data, max->data, text->len) > 0) {
        return ngx_lead_flip_bad(check, v, "The % field must be a date "
                                           "before or equal to $.", max);
    }

    v->key = *text;

    return ngx_lead_flip_keep(check->pool, v, NGX_LEAD_JSON_STRING, text);
}


static ngx_int_t
ngx_lead_flip_boolean(ngx_lead_flip_check_t *check, ngx_lead_flip_value_t *v,
    ngx_lead_json_t *node)
{
    ngx_str_t   text;
    ngx_uint_t  i;

    static ngx_str_t  words[] = {
        ngx_string("true"), ngx_string("1"), ngx_string("on"),
        ngx_string("yes"),
        ngx_string("false"), ngx_string("0"), ngx_string("off"),
        ngx_string("no")
    };

    if (node->type == NGX_LEAD_JSON_NULL) {
        return NGX_OK;
    }

    if (node->type == NGX_LEAD_JSON_TRUE
        || node->type == NGX_LEAD_JSON_FALSE)
    {
        return ngx_lead_flip_keep(check->pool, v, node->type, NULL);
    }

    if (node->type == NGX_LEAD_JSON_STRING
        || node->type == NGX_LEAD_JSON_NUMBER)
    {
        text = node->text;
        ngx_lead_field_trim(&text);

        if (text.len == 0) {
            return NGX_OK;
        }

        for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
            if (ngx_lead_field_equal_fold(&words[i], &text)) {
                return ngx_lead_flip_keep(check->pool, v,
                                          i < 4 ? NGX_LEAD_JSON_TRUE
                                                : NGX_LEAD_JSON_FALSE, NULL);
            }
        }
    }

    return ngx_lead_flip_bad(check, v, "The % field must be true or false.",
                             NULL);
}


static ngx_int_t
ngx_lead_flip_select(ngx_lead_flip_check_t *check, ngx_lead_flip_value_t *v,
    ngx_str_t *text)
{
    ngx_str_t   *option;
    ngx_uint_t   i;

    option = v->field->options.elts;

    for (i = 0; i < v->field->options.nelts; i++) {
        if (ngx_lead_field_equal(&option[i], text)) {
            v->key = *text;
            return ngx_lead_flip_keep(check->pool, v, NGX_LEAD_JSON_STRING,
                                      text);
        }
    }

    return ngx_lead_flip_bad(check, v, "The selected % is invalid.", NULL);
}


/* an object, as it was sent; PHP knows no difference between {} and [] */

static ngx_int_t
ngx_lead_flip_address(ngx_lead_flip_check_t *check, ngx_lead_flip_value_t *v,
    ngx_lead_json_t *node)
{
    ngx_str_t            text;
    ngx_lead_json_gen_t  gen;

    if ((node->type == NGX_LEAD_JSON_OBJECT
         || node->type == NGX_LEAD_JSON_ARRAY) && node->n == 0)
    {
        return NGX_OK;
    }

    if (node->type != NGX_LEAD_JSON_OBJECT || ngx_lead_flip_nul(node)) {

        if (ngx_lead_flip_text(check->pool, node, &text) == NGX_OK
            && text.len == 0)
        {
            return NGX_OK;
        }

        return ngx_lead_flip_bad(check, v, "The % field must be an array.",
                                 NULL);
    }

    gen.pool = check->pool;
    gen.failed = 0;

    v->value = ngx_lead_json_add_node(&gen, NULL, NULL, node);

    return gen.failed ? NGX_ERROR : NGX_OK;
}


/* whether U+0000 is in a string anywhere */

static ngx_uint_t
ngx_lead_flip_nul(ngx_lead_json_t *node)
{
    for (node = node->first; node; node = node->next) {
        if (node->type == NGX_LEAD_JSON_NUL_STRING
            || ngx_lead_flip_nul(node))
        {
            return 1;
        }
    }

    return 0;
}


static ngx_int_t
ngx_lead_flip_keep(ngx_pool_t *pool, ngx_lead_flip_value_t *v,
    ngx_lead_json_type_e type, ngx_str_t *text)
{
    ngx_lead_json_gen_t  gen;

    gen.pool = pool;
    gen.failed = 0;

    v->value = ngx_lead_json_add(&gen, NULL, NULL, type);

    if (v->value && text) {
        v->value->text = *text;
    }

    return gen.failed ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
ngx_lead_flip_bad(ngx_lead_flip_check_t *check, ngx_lead_flip_value_t *v,
    const char *text, ngx_str_t *arg)
{
    v->bad = 1;

    return ngx_lead_flip_error(check, &v->field->key, text, arg);
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
