
/*
 * Copyright (C) the ngx_lead authors
 *
 * Forms to trees: the urlencoded syntax, the brackets in names, and the text
 * that all forms share.  Multipart is in ngx_lead_multipart.c.
 *
 * Must not know a request, a configuration or a log, nor keep anything
 * between calls.  The tree lives in the caller's pool; its names and texts
 * point into the input where that has them as they are.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_lead_form.h"


#define NGX_LEAD_FORM_HIGH  0x8080808080808080ULL

/* of a name: what is before the brackets, and what is in each pair */
#define NGX_LEAD_FORM_KEYS  (1 + NGX_LEAD_FORM_MAX_DEPTH)


static ngx_int_t ngx_lead_form_pair(ngx_lead_form_t *form, u_char *p,
    size_t len);
static ngx_int_t ngx_lead_form_unescape(ngx_pool_t *pool, ngx_str_t *text);
static ngx_int_t ngx_lead_form_hex(u_char ch);

static ngx_uint_t ngx_lead_form_keys(ngx_str_t *name, ngx_str_t *keys);
static ngx_lead_json_t *ngx_lead_form_member(ngx_lead_form_t *form,
    ngx_lead_json_t *obj, ngx_str_t *name);
static ngx_int_t ngx_lead_form_next(ngx_lead_form_t *form,
    ngx_lead_json_t *obj, ngx_str_t *name);
static ngx_int_t ngx_lead_form_index(ngx_str_t *name);
static void ngx_lead_form_arrays(ngx_lead_json_t *obj);
static ngx_uint_t ngx_lead_form_is_array(ngx_lead_json_t *obj);

static ngx_int_t ngx_lead_form_utf8(ngx_pool_t *pool, ngx_str_t *text);
static size_t ngx_lead_form_replace(u_char *dst, ngx_str_t *text,
    ngx_uint_t *bad);
static size_t ngx_lead_form_sequence(u_char *p, u_char *last,
    ngx_uint_t *bad);


ngx_int_t
ngx_lead_form_urlencoded(ngx_pool_t *pool, ngx_str_t *in, ngx_uint_t brackets,
    ngx_lead_json_t **root, const char **why)
{
    u_char           *p, *amp;
    size_t            n, left;
    ngx_int_t         rc;
    ngx_lead_form_t   form;

    rc = ngx_lead_form_start(&form, pool, brackets);
    p = in->data;
    left = in->len;

    while (left && rc == NGX_OK) {
        amp = memchr(p, '&', left);
        n = amp ? (size_t) (amp - p) : left;

        if (n) {
            rc = ngx_lead_form_pair(&form, p, n);
        }

        if (amp) {
            n++;
        }

        p += n;
        left -= n;
    }

    if (rc == NGX_OK) {
        ngx_lead_form_finish(&form);
        *root = form.root;

    } else if (rc == NGX_DECLINED) {
        *why = form.why;
    }

    return rc;
}


static ngx_int_t
ngx_lead_form_pair(ngx_lead_form_t *form, u_char *p, size_t len)
{
    u_char     *eq;
    ngx_int_t   rc;
    ngx_str_t   name, value;

    rc = ngx_lead_form_count(form);
    if (rc != NGX_OK) {
        return rc;
    }

    eq = memchr(p, '=', len);

    name.data = p;
    name.len = eq ? (size_t) (eq - p) : len;

    value.data = eq ? eq + 1 : p + len;
    value.len = p + len - value.data;

    if (ngx_lead_form_unescape(form->gen.pool, &name) != NGX_OK
        || ngx_lead_form_unescape(form->gen.pool, &value) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_lead_form_add(form, &name, &value);
}


static ngx_int_t
ngx_lead_form_unescape(ngx_pool_t *pool, ngx_str_t *text)
{
    u_char     *p, *last, *dst;
    ngx_int_t   high, low;

    if (memchr(text->data, '%', text->len) == NULL
        && memchr(text->data, '+', text->len) == NULL)
    {
        return NGX_OK;
    }

    dst = ngx_pnalloc(pool, text->len);
    if (dst == NULL) {
        return NGX_ERROR;
    }

    p = text->data;
    last = p + text->len;
    text->data = dst;

    while (p < last) {

        if (*p == '%' && last - p > 2) {
            high = ngx_lead_form_hex(p[1]);
            low = ngx_lead_form_hex(p[2]);

            if (high >= 0 && low >= 0) {
                *dst++ = (u_char) (high << 4 | low);
                p += 3;
                continue;
            }
        }

        *dst++ = (*p == '+') ? ' ' : *p;
        p++;
    }

    text->len = dst - text->data;

    return NGX_OK;
}


static ngx_int_t
ngx_lead_form_hex(u_char ch)
{
    if (ch >= '0' && ch <= '9') {
        return ch - '0';
    }

    ch |= 0x20;

    return (ch >= 'a' && ch <= 'f') ? ch - 'a' + 10 : -1;
}


ngx_int_t
ngx_lead_form_start(ngx_lead_form_t *form, ngx_pool_t *pool,
    ngx_uint_t brackets)
{
    ngx_memzero(form, sizeof(ngx_lead_form_t));

    form->gen.pool = pool;
    form->brackets = brackets;
    form->root = ngx_lead_json_add(&form->gen, NULL, NULL,
                                   NGX_LEAD_JSON_OBJECT);

    return form->root ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_lead_form_count(ngx_lead_form_t *form)
{
    if (++form->fields > NGX_LEAD_FORM_MAX_FIELDS) {
        form->why = "too many fields in a form";
        return NGX_DECLINED;
    }

    return NGX_OK;
}


ngx_int_t
ngx_lead_form_add(ngx_lead_form_t *form, ngx_str_t *name, ngx_str_t *value)
{
    ngx_str_t         keys[NGX_LEAD_FORM_KEYS];
    ngx_int_t         rc;
    ngx_uint_t        i, n;
    ngx_lead_json_t  *node;

    if (ngx_lead_form_utf8(form->gen.pool, name) != NGX_OK
        || ngx_lead_form_utf8(form->gen.pool, value) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (name->len == 0) {
        return NGX_OK;
    }

    if (name->len > NGX_LEAD_FORM_MAX_NAME) {
        form->why = "name of a form's field too long";
        return NGX_DECLINED;
    }

    keys[0] = *name;
    n = form->brackets ? ngx_lead_form_keys(name, keys) : 1;

    if (n > NGX_LEAD_FORM_KEYS) {
        form->why = "too many brackets in the name of a form's field";
        return NGX_DECLINED;
    }

    node = form->root;

    for (i = 0; i < n; i++) {

        if (node->type != NGX_LEAD_JSON_OBJECT) {
            node->type = NGX_LEAD_JSON_OBJECT;
            ngx_str_null(&node->text);
        }

        if (i && keys[i].len == 0) {
            rc = ngx_lead_form_next(form, node, &keys[i]);
            if (rc != NGX_OK) {
                return rc;
            }
        }

        node = ngx_lead_form_member(form, node, &keys[i]);
        if (node == NULL) {
            return NGX_ERROR;
        }
    }

    node->type = memchr(value->data, '\0', value->len)
                 ? NGX_LEAD_JSON_NUL_STRING : NGX_LEAD_JSON_STRING;
    node->text = *value;
    node->first = NULL;
    node->last = NULL;
    node->n = 0;

    return NGX_OK;
}


void
ngx_lead_form_finish(ngx_lead_form_t *form)
{
    ngx_lead_json_t  *node;

    for (node = form->root->first; node; node = node->next) {
        ngx_lead_form_arrays(node);
    }
}


/* their number, which may be greater than there is room for */

static ngx_uint_t
ngx_lead_form_keys(ngx_str_t *name, ngx_str_t *keys)
{
    u_char      *p, *last, *key;
    ngx_uint_t   n;

    p = name->data;
    last = p + name->len;

    while (p < last && *p != '[' && *p != ']') { p++; }

    if (p == name->data) {
        return 1;
    }

    keys[0].len = p - name->data;
    n = 1;

    while (p < last && *p == '[') {

        for (key = ++p; p < last && *p != '[' && *p != ']'; p++) {
            /* void */
        }

        if (p == last || *p == '[') {
            break;
        }

        if (n < NGX_LEAD_FORM_KEYS) {
            keys[n].data = key;
            keys[n].len = p - key;
        }

        n++;
        p++;
    }

    /* a "]" too many, or text after one */

    if (p != last || last[-1] != ']') {
        keys[0] = *name;
        return 1;
    }

    return n;
}


static ngx_lead_json_t *
ngx_lead_form_member(ngx_lead_form_t *form, ngx_lead_json_t *obj,
    ngx_str_t *name)
{
    ngx_lead_json_t  *node;

    node = ngx_lead_json_find(obj, name->data, name->len);

    if (node == NULL) {
        node = ngx_lead_json_add(&form->gen, obj, NULL, NGX_LEAD_JSON_NULL);

        if (node) {
            node->name = *name;
        }
    }

    return node;
}


/* the name that "[]" stands for */

static ngx_int_t
ngx_lead_form_next(ngx_lead_form_t *form, ngx_lead_json_t *obj,
    ngx_str_t *name)
{
    u_char           *p, digits[3];
    ngx_int_t         i, next;
    ngx_lead_json_t  *node;

    next = 0;

    for (node = obj->first; node; node = node->next) {
        i = ngx_lead_form_index(&node->name);
        next = ngx_max(next, i + 1);
    }

    if (next > NGX_LEAD_FORM_MAX_INDEX) {
        form->why = "array in a form too long";
        return NGX_DECLINED;
    }

    p = digits + sizeof(digits);

    do {
        *--p = (u_char) (next % 10 + '0');
        next /= 10;
    } while (next);

    name->len = digits + sizeof(digits) - p;
    name->data = ngx_pnalloc(form->gen.pool, name->len);

    if (name->data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(name->data, p, name->len);

    return NGX_OK;
}


/* -1 if it is none */

static ngx_int_t
ngx_lead_form_index(ngx_str_t *name)
{
    size_t     i;
    ngx_int_t  n;

    if (name->len == 0 || name->len > 3
        || (name->len > 1 && name->data[0] == '0'))
    {
        return -1;
    }

    n = 0;

    for (i = 0; i < name->len; i++) {

        if (name->data[i] < '0' || name->data[i] > '9') {
            return -1;
        }

        n = n * 10 + (name->data[i] - '0');
    }

    return n;
}


static void
ngx_lead_form_arrays(ngx_lead_json_t *obj)
{
    ngx_uint_t        array;
    ngx_lead_json_t  *node;

    if (obj->type != NGX_LEAD_JSON_OBJECT) {
        return;
    }

    array = ngx_lead_form_is_array(obj);

    if (array) {
        obj->type = NGX_LEAD_JSON_ARRAY;
    }

    for (node = obj->first; node; node = node->next) {

        if (array) {
            ngx_str_null(&node->name);
        }

        ngx_lead_form_arrays(node);
    }
}


static ngx_uint_t
ngx_lead_form_is_array(ngx_lead_json_t *obj)
{
    ngx_int_t         i;
    ngx_lead_json_t  *node;

    i = 0;

    for (node = obj->first; node; node = node->next) {
        if (ngx_lead_form_index(&node->name) != i++) {
            return 0;
        }
    }

    return 1;
}


/* a text with anything to replace is copied: the input is not ours */

static ngx_int_t
ngx_lead_form_utf8(ngx_pool_t *pool, ngx_str_t *text)
{
    u_char      *p;
    size_t       len;
    ngx_uint_t   bad;

    bad = 0;
    len = ngx_lead_form_replace(NULL, text, &bad);

    if (!bad) {
        return NGX_OK;
    }

    p = ngx_pnalloc(pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_lead_form_replace(p, text, &bad);

    text->data = p;
    text->len = len;

    return NGX_OK;
}


/* writes to dst unless it is NULL, and returns the length in either case */

static size_t
ngx_lead_form_replace(u_char *dst, ngx_str_t *text, ngx_uint_t *bad)
{
    u_char      *p, *last;
    size_t       n, len;
    uint64_t     w;
    ngx_uint_t   invalid;

    len = 0;
    p = text->data;
    last = p + text->len;

    while (p < last) {
        invalid = 0;

        if (last - p >= 8) {
            ngx_memcpy(&w, p, 8);
            n = (w & NGX_LEAD_FORM_HIGH)
                ? ngx_lead_form_sequence(p, last, &invalid) : 8;

        } else {
            n = ngx_lead_form_sequence(p, last, &invalid);
        }

        if (dst) {
            dst = invalid ? ngx_cpymem(dst, "\xef\xbf\xbd", 3)
                          : ngx_cpymem(dst, p, n);
        }

        *bad |= invalid;
        len += invalid ? 3 : n;
        p += n;
    }

    return len;
}


/*
 * The length of the character at p, or, which sets *bad, of what becomes one
 * U+FFFD: the longest beginning of a character of RFC 3629, or else one byte.
 */

static size_t
ngx_lead_form_sequence(u_char *p, u_char *last, ngx_uint_t *bad)
{
    u_char  low, high;
    size_t  i, n;

    if (*p < 0x80) {
        return 1;
    }

    if (*p < 0xc2 || *p > 0xf4) {
        *bad = 1;
        return 1;
    }

    low = 0x80;
    high = 0xbf;

    switch (*p) {

    case 0xe0:              /* below these two, a shorter one would do */
        low = 0xa0;
        break;

    case 0xf0:
        low = 0x90;
        break;

    case 0xed:              /* surrogates */
        high = 0x9f;
        break;

    case 0xf4:              /* beyond U+10FFFF */
        high = 0x8f;
        break;
    }

    n = (*p < 0xe0) ? 2 : (*p < 0xf0) ? 3 : 4;

    for (i = 1; i < n; i++) {

        if (p + i == last || p[i] < low || p[i] > high) {
            *bad = 1;
            return i;
        }

        low = 0x80;
        high = 0xbf;
    }

    return n;
}
