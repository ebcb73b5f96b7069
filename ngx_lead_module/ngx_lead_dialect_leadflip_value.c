
/*
 * Copyright (C) the ngx_lead authors
 *
 * Leadflip: what a value of each type of field may be, how it is kept, and
 * what equal values have in common.
 *
 * Runs in the event loop for new leads and in threads for stored ones, on the
 * pool of the check: nothing here logs, or knows where it runs.
 */


#include "ngx_lead_dialect_leadflip.h"
#include "ngx_lead_email.h"
#include "ngx_lead_phone.h"
#include "ngx_lead_text.h"


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

    p = ngx_pnalloc(pool, NGX_LEAD_PHONE_MAX);
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
