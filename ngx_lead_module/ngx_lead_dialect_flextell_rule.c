
/*
 * Copyright (C) the ngx_lead authors
 *
 * Flextell: the rules of Laravel that its fields and arguments go by, and
 * what it says of a value that breaks one.
 *
 * All of it runs in the event loop, on call->pool.  A rule adds what it finds
 * and goes on: the vendor shows all findings at once.
 */


#include "ngx_lead_dialect_flextell.h"


#define NGX_LEAD_FLEX_DIGITS       19       /* of a 64-bit integer */


static void ngx_lead_flex_trim(ngx_str_t *text);
static ngx_uint_t ngx_lead_flex_blank(u_char *p, u_char *last);
static u_char *ngx_lead_flex_words(u_char *p, ngx_str_t *path);
static ngx_int_t ngx_lead_flex_find_error(ngx_lead_call_t *call,
    ngx_str_t *path, const char *before, const char *after, ngx_uint_t n);
static ngx_int_t ngx_lead_flex_integer(ngx_pool_t *pool,
    ngx_lead_json_t *node, int64_t *value);


ngx_lead_json_t *
ngx_lead_flex_value(ngx_lead_json_t *node)
{
    if (node == NULL || node->type == NGX_LEAD_JSON_NULL) {
        return NULL;
    }

    if (node->type == NGX_LEAD_JSON_STRING
        || node->type == NGX_LEAD_JSON_NUL_STRING)
    {
        ngx_lead_flex_trim(&node->text);

        if (node->text.len == 0) {
            return NULL;
        }
    }

    return node;
}


static void
ngx_lead_flex_trim(ngx_str_t *text)
{
    u_char  *p, *last, *start;
    size_t   n;

    p = text->data;
    last = p + text->len;

    while ((n = ngx_lead_flex_blank(p, last)) != 0) {
        p += n;
    }

    while (last > p) {

        for (start = last - 1;
             start > p && (*start & 0xc0) == 0x80;
             start--)
        {
            /* void */
        }

        if (ngx_lead_flex_blank(start, last) != (size_t) (last - start)) {
            break;
        }

        last = start;
    }

    text->data = p;
    text->len = last - p;
}


/* the length of the character at p if Laravel's Str::trim() takes it off:
 * PHP's trim(), Unicode's space, and what looks like none at all */

static ngx_uint_t
ngx_lead_flex_blank(u_char *p, u_char *last)
{
    u_char      *start;
    uint32_t     c;
    ngx_uint_t   i;

    static const struct {
        uint32_t  first;
        uint32_t  last;
    } blanks[] = {
        { 0x00, 0x00 }, { 0x09, 0x0d }, { 0x20, 0x20 }, { 0x85, 0x85 },
        { 0xa0, 0xa0 }, { 0xad, 0xad }, { 0x34f, 0x34f }, { 0x61c, 0x61c },
        { 0x115f, 0x1160 }, { 0x1680, 0x1680 }, { 0x17b4, 0x17b5 },
        { 0x180e, 0x180e }, { 0x2000, 0x200f }, { 0x2028, 0x2029 },
        { 0x202f, 0x202f }, { 0x205f, 0x2065 }, { 0x206a, 0x206f },
        { 0x2800, 0x2800 }, { 0x3000, 0x3000 }, { 0x3164, 0x3164 },
        { 0xfeff, 0xfeff }, { 0xffa0, 0xffa0 }, { 0x1d159, 0x1d159 },
        { 0x1d173, 0x1d17a }, { 0xe0020, 0xe0020 }
    };

    if (p == last) {
        return 0;
    }

    start = p;
    c = (*p < 0x80) ? *p++ : ngx_utf8_decode(&p, last - p);

    for (i = 0; i < sizeof(blanks) / sizeof(blanks[0]); i++) {
        if (c >= blanks[i].first && c <= blanks[i].last) {
            return p - start;
        }
    }

    return 0;
}


ngx_int_t
ngx_lead_flex_error(ngx_lead_call_t *call, ngx_str_t *path,
    const char *before, const char *after)
{
    return ngx_lead_flex_find_error(call, path, before, after, 0);
}


ngx_int_t
ngx_lead_flex_error_n(ngx_lead_call_t *call, ngx_str_t *path,
    const char *after, ngx_uint_t n)
{
    return ngx_lead_flex_find_error(call, path, "The ", after, n);
}


/* "The last name field is required.", and of the first one also "The
 * 'last_name' field is required."; beyond a number nobody would read them */

static ngx_int_t
ngx_lead_flex_find_error(ngx_lead_call_t *call, ngx_str_t *path,
    const char *before, const char *after, ngx_uint_t n)
{
    u_char     *p;
    size_t      len;
    ngx_str_t   text;

    if (call->errors && call->errors->nelts >= NGX_LEAD_FLEX_ERRORS) {
        return NGX_OK;
    }

    len = ngx_strlen(before) + path->len + ngx_strlen(after) + NGX_INT_T_LEN
          + sizeof("''");

    text.data = ngx_pnalloc(call->pool, len);
    if (text.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(text.data, before, ngx_strlen(before));
    p = ngx_lead_flex_words(p, path);
    p = ngx_snprintf(p, text.data + len - p, after, n);
    text.len = p - text.data;

    if (ngx_lead_call_error(call, path, &text) != NGX_OK) {
        return NGX_ERROR;
    }

    if (call->errors->nelts > 1) {
        return NGX_OK;
    }

    text.data = ngx_pnalloc(call->pool, len);
    if (text.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(text.data, before, ngx_strlen(before));
    *p++ = '\'';
    p = ngx_cpymem(p, path->data, path->len);
    *p++ = '\'';
    p = ngx_snprintf(p, text.data + len - p, after, n);

    (void) ngx_lead_call_fault(call, 422, "validation_error", "");

    call->fault.text.data = text.data;
    call->fault.text.len = p - text.data;

    return NGX_OK;
}


/* an attribute in a sentence; one of an array's elements keeps its name */

static u_char *
ngx_lead_flex_words(u_char *p, ngx_str_t *path)
{
    size_t  i;

    if (ngx_strlchr(path->data, path->data + path->len, '.')) {
        return ngx_cpymem(p, path->data, path->len);
    }

    for (i = 0; i < path->len; i++) {
        *p++ = (path->data[i] == '_') ? ' ' : path->data[i];
    }

    return p;
}


ngx_int_t
ngx_lead_flex_rule_string(ngx_lead_call_t *call, ngx_str_t *path,
    ngx_lead_json_t *node)
{
    if (node->type == NGX_LEAD_JSON_STRING) {
        return NGX_OK;
    }

    return ngx_lead_flex_error(call, path, "The ",
                               " field must be a string.");
}


/* of an array the elements count, as the vendor has it */

ngx_int_t
ngx_lead_flex_rule_max(ngx_lead_call_t *call, ngx_str_t *path,
    ngx_lead_json_t *node, ngx_uint_t max)
{
    size_t  n;

    switch (node->type) {

    case NGX_LEAD_JSON_STRING:
    case NGX_LEAD_JSON_NUL_STRING:
    case NGX_LEAD_JSON_NUMBER:
        n = ngx_lead_field_points(&node->text);
        break;

    default:
        n = node->n;
    }

    if (n <= max) {
        return NGX_OK;
    }

    return ngx_lead_flex_error_n(call, path,
                                 " field must not be greater than "
                                 "%ui characters.",
                                 max);
}


ngx_int_t
ngx_lead_flex_rule_integer(ngx_lead_call_t *call, ngx_str_t *path,
    ngx_lead_json_t *node, int64_t *value)
{
    ngx_int_t  rc;

    rc = ngx_lead_flex_integer(call->pool, node, value);

    if (rc != NGX_DECLINED) {
        return rc;
    }

    *value = 0;

    return ngx_lead_flex_error(call, path, "The ",
                               " field must be an integer.");
}


/* PHP's FILTER_VALIDATE_INT of the value as a string: true is "1", and 5.0 is
 * "5"; a sign is taken, a leading zero is not */

static ngx_int_t
ngx_lead_flex_integer(ngx_pool_t *pool, ngx_lead_json_t *node, int64_t *value)
{
    size_t      i;
    ngx_int_t   rc;
    ngx_str_t   text;
    uint64_t    n, limit;
    ngx_uint_t  minus;

    if (node->type == NGX_LEAD_JSON_TRUE) {
        *value = 1;
        return NGX_OK;
    }

    if (node->type != NGX_LEAD_JSON_STRING
        && node->type != NGX_LEAD_JSON_NUMBER)
    {
        return NGX_DECLINED;
    }

    text = node->text;

    for (i = 0; node->type == NGX_LEAD_JSON_NUMBER && i < text.len; i++) {
        if (text.data[i] == '.' || (text.data[i] | 0x20) == 'e') {
            rc = ngx_lead_field_number(pool, &node->text, &text);
            if (rc != NGX_OK) {
                return rc;
            }

            break;
        }
    }

    minus = text.len && text.data[0] == '-';

    if (minus || (text.len && text.data[0] == '+')) {
        text.data++;
        text.len--;
    }

    if (text.len == 0 || text.len > NGX_LEAD_FLEX_DIGITS
        || (text.len > 1 && text.data[0] == '0'))
    {
        return NGX_DECLINED;
    }

    for (n = 0, i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            return NGX_DECLINED;
        }

        n = n * 10 + (text.data[i] - '0');
    }

    limit = (uint64_t) INT64_MAX + minus;

    if (n > limit) {
        return NGX_DECLINED;
    }

    *value = minus ? (int64_t) (0 - n) : (int64_t) n;

    return NGX_OK;
}


ngx_int_t
ngx_lead_flex_judge(ngx_lead_call_t *call)
{
    return (call->errors && call->errors->nelts) ? NGX_DECLINED : NGX_OK;
}
