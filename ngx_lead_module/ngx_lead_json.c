
/*
 * Copyright (C) the ngx_lead authors
 *
 * JSON trees: looking up, building, and the writing to bytes.  The parsing
 * is in ngx_lead_json_parse.c.
 *
 * Must not know a request, a configuration or a log, nor check what it is
 * told to write: texts of strings are UTF-8, those of numbers are JSON.
 * Nodes live in the pool of the caller's gen; names and texts are not copied
 * and must live as long.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_lead_json.h"


#define NGX_LEAD_JSON_BYTES   0x0101010101010101ULL
#define NGX_LEAD_JSON_HIGH    0x8080808080808080ULL

/* not zero if any of eight bytes is below n (at most 128); if any is c */

#define ngx_lead_json_below(w, n)                                             \
    (((w) - NGX_LEAD_JSON_BYTES * (n)) & ~(w) & NGX_LEAD_JSON_HIGH)

#define ngx_lead_json_has(w, c)                                               \
    ngx_lead_json_below((w) ^ (NGX_LEAD_JSON_BYTES * (c)), 1)

#define ngx_lead_json_special(w)                                              \
    ((ngx_lead_json_below(w, 0x20) | ngx_lead_json_has(w, '"')                \
      | ngx_lead_json_has(w, '\\')) != 0)


static ngx_lead_json_t *ngx_lead_json_new(ngx_lead_json_gen_t *gen,
    ngx_lead_json_t *parent, const char *name, size_t room);
static ngx_lead_json_t *ngx_lead_json_copy(ngx_lead_json_gen_t *gen,
    ngx_str_t *name, ngx_lead_json_t *node);
static ngx_int_t ngx_lead_json_unshare(ngx_lead_json_gen_t *gen,
    ngx_lead_json_t *parent);

static ngx_inline ngx_uint_t ngx_lead_json_plain(u_char *dst, u_char *p,
    size_t n);
static size_t ngx_lead_json_quoted_len(ngx_str_t *text);
static u_char *ngx_lead_json_quote(u_char *dst, ngx_str_t *text);
static u_char *ngx_lead_json_escape(u_char *dst, u_char ch);


/* by how many bytes its escape is longer than the character */

static const u_char  ngx_lead_json_extra[256] = {
    5, 5, 5, 5, 5, 5, 5, 5, 1, 1, 1, 5, 1, 1, 5, 5,
    5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5,
    ['"'] = 1, ['\\'] = 1
};


ngx_lead_json_t *
ngx_lead_json_find(ngx_lead_json_t *obj, u_char *name, size_t len)
{
    ngx_lead_json_t  *node;

    if (obj == NULL || obj->type != NGX_LEAD_JSON_OBJECT) {
        return NULL;
    }

    for (node = obj->first; node; node = node->next) {

        if (node->name.len == len
            && (len == 0
                || (node->name.data[0] == name[0]
                    && ngx_memcmp(node->name.data, name, len) == 0)))
        {
            return node;
        }
    }

    return NULL;
}


void
ngx_lead_json_append(ngx_lead_json_t *parent, ngx_lead_json_t *node)
{
    if (parent->last) {
        parent->last->next = node;

    } else {
        parent->first = node;
    }

    parent->last = node;
    parent->n++;
}


ngx_lead_json_t *
ngx_lead_json_add(ngx_lead_json_gen_t *gen, ngx_lead_json_t *parent,
    const char *name, ngx_lead_json_type_e type)
{
    ngx_lead_json_t  *node;

    node = ngx_lead_json_new(gen, parent, name, 0);

    if (node) {
        node->type = type;
    }

    return node;
}


ngx_lead_json_t *
ngx_lead_json_add_str(ngx_lead_json_gen_t *gen, ngx_lead_json_t *parent,
    const char *name, ngx_str_t *value)
{
    ngx_lead_json_t  *node;

    node = ngx_lead_json_new(gen, parent, name, 0);

    if (node) {
        node->type = NGX_LEAD_JSON_STRING;
        node->text = *value;
    }

    return node;
}


ngx_lead_json_t *
ngx_lead_json_add_int(ngx_lead_json_gen_t *gen, ngx_lead_json_t *parent,
    const char *name, int64_t value)
{
    u_char           *p, buf[NGX_INT64_LEN];
    size_t            len;
    uint64_t          n;
    ngx_lead_json_t  *node;

    n = (value < 0) ? 0 - (uint64_t) value : (uint64_t) value;
    p = buf + NGX_INT64_LEN;

    do {
        *--p = (u_char) (n % 10 + '0');
        n /= 10;
    } while (n);

    if (value < 0) {
        *--p = '-';
    }

    len = buf + NGX_INT64_LEN - p;

    node = ngx_lead_json_new(gen, parent, name, len);

    if (node) {
        node->type = NGX_LEAD_JSON_NUMBER;
        node->text.len = len;
        node->text.data = (u_char *) (node + 1);
        ngx_memcpy(node->text.data, p, len);
    }

    return node;
}


ngx_lead_json_t *
ngx_lead_json_add_bool(ngx_lead_json_gen_t *gen, ngx_lead_json_t *parent,
    const char *name, ngx_uint_t value)
{
    return ngx_lead_json_add(gen, parent, name,
                             value ? NGX_LEAD_JSON_TRUE : NGX_LEAD_JSON_FALSE);
}


ngx_lead_json_t *
ngx_lead_json_add_node(ngx_lead_json_gen_t *gen, ngx_lead_json_t *parent,
    ngx_str_t *name, ngx_lead_json_t *node)
{
    ngx_lead_json_t  *copy;

    if (node == NULL || (parent && ngx_lead_json_unshare(gen, parent)
                                   != NGX_OK))
    {
        return NULL;
    }

    copy = ngx_lead_json_copy(gen, name, node);

    if (copy && parent) {
        ngx_lead_json_append(parent, copy);
    }

    return copy;
}


void
ngx_lead_json_set_node(ngx_lead_json_gen_t *gen, ngx_lead_json_t *obj,
    ngx_str_t *name, ngx_lead_json_t *node)
{
    ngx_lead_json_t  *old, *new, *prev;

    if (gen->failed || obj == NULL) {
        return;
    }

    if (ngx_lead_json_find(obj, name->data, name->len) == NULL) {
        (void) ngx_lead_json_add_node(gen, obj, name, node);
        return;
    }

    if (ngx_lead_json_unshare(gen, obj) != NGX_OK) {
        return;
    }

    old = ngx_lead_json_find(obj, name->data, name->len);

    for (prev = NULL, new = obj->first; new != old; new = new->next) {
        prev = new;
    }

    /* the old member stays as it is for who still looks at it */

    if (node) {
        new = ngx_lead_json_copy(gen, name, node);
        if (new == NULL) {
            return;
        }

        new->next = old->next;

    } else {
        new = old->next;
        obj->n--;
    }

    if (prev) {
        prev->next = new;

    } else {
        obj->first = new;
    }

    if (obj->last == old) {
        obj->last = node ? new : prev;
    }
}


static ngx_lead_json_t *
ngx_lead_json_new(ngx_lead_json_gen_t *gen, ngx_lead_json_t *parent,
    const char *name, size_t room)
{
    ngx_lead_json_t  *node;

    if (gen->failed
        || (parent && ngx_lead_json_unshare(gen, parent) != NGX_OK))
    {
        return NULL;
    }

    node = ngx_palloc(gen->pool, sizeof(ngx_lead_json_t) + room);

    if (node == NULL) {
        gen->failed = 1;
        return NULL;
    }

    ngx_memzero(node, sizeof(ngx_lead_json_t));

    if (name) {
        node->name.len = ngx_strlen(name);
        node->name.data = (u_char *) name;
    }

    if (parent) {
        ngx_lead_json_append(parent, node);
    }

    return node;
}


static ngx_lead_json_t *
ngx_lead_json_copy(ngx_lead_json_gen_t *gen, ngx_str_t *name,
    ngx_lead_json_t *node)
{
    ngx_lead_json_t  *copy;

    if (gen->failed) {
        return NULL;
    }

    copy = ngx_palloc(gen->pool, sizeof(ngx_lead_json_t));

    if (copy == NULL) {
        gen->failed = 1;
        return NULL;
    }

    *copy = *node;
    copy->shared = (node->first != NULL);
    copy->next = NULL;

    if (name) {
        copy->name = *name;

    } else {
        ngx_str_null(&copy->name);
    }

    return copy;
}


/* gives a parent children of its own before they change */

static ngx_int_t
ngx_lead_json_unshare(ngx_lead_json_gen_t *gen, ngx_lead_json_t *parent)
{
    ngx_lead_json_t  *node, *copy, own;

    if (!parent->shared) {
        return NGX_OK;
    }

    own = *parent;
    own.shared = 0;
    own.first = NULL;
    own.last = NULL;
    own.n = 0;

    for (node = parent->first; node; node = node->next) {
        copy = ngx_lead_json_copy(gen, &node->name, node);
        if (copy == NULL) {
            return NGX_ERROR;
        }

        ngx_lead_json_append(&own, copy);
    }

    *parent = own;

    return NGX_OK;
}


size_t
ngx_lead_json_len(ngx_lead_json_t *root)
{
    size_t            len;
    ngx_lead_json_t  *node;

    switch (root->type) {

    case NGX_LEAD_JSON_NULL:
    case NGX_LEAD_JSON_TRUE:
        return sizeof("true") - 1;

    case NGX_LEAD_JSON_FALSE:
        return sizeof("false") - 1;

    case NGX_LEAD_JSON_NUMBER:
        return root->text.len;

    case NGX_LEAD_JSON_STRING:
    case NGX_LEAD_JSON_NUL_STRING:
        return ngx_lead_json_quoted_len(&root->text);

    default: /* NGX_LEAD_JSON_ARRAY, NGX_LEAD_JSON_OBJECT */
        break;
    }

    len = root->n ? root->n + 1 : 2;

    for (node = root->first; node; node = node->next) {

        if (root->type == NGX_LEAD_JSON_OBJECT) {
            len += ngx_lead_json_quoted_len(&node->name) + 1;
        }

        len += ngx_lead_json_len(node);
    }

    return len;
}


u_char *
ngx_lead_json_write(u_char *dst, ngx_lead_json_t *root)
{
    ngx_lead_json_t  *node;

    switch (root->type) {

    case NGX_LEAD_JSON_NULL:
        return ngx_cpymem(dst, "null", 4);

    case NGX_LEAD_JSON_FALSE:
        return ngx_cpymem(dst, "false", 5);

    case NGX_LEAD_JSON_TRUE:
        return ngx_cpymem(dst, "true", 4);

    case NGX_LEAD_JSON_NUMBER:
        return ngx_cpymem(dst, root->text.data, root->text.len);

    case NGX_LEAD_JSON_STRING:
    case NGX_LEAD_JSON_NUL_STRING:
        return ngx_lead_json_quote(dst, &root->text);

    default: /* NGX_LEAD_JSON_ARRAY, NGX_LEAD_JSON_OBJECT */
        break;
    }

    *dst++ = (root->type == NGX_LEAD_JSON_OBJECT) ? '{' : '[';

    for (node = root->first; node; node = node->next) {

        if (node != root->first) {
            *dst++ = ',';
        }

        if (root->type == NGX_LEAD_JSON_OBJECT) {
            dst = ngx_lead_json_quote(dst, &node->name);
            *dst++ = ':';
        }

        dst = ngx_lead_json_write(dst, node);
    }

    *dst++ = (root->type == NGX_LEAD_JSON_OBJECT) ? '}' : ']';

    return dst;
}


ngx_int_t
ngx_lead_json_print(ngx_pool_t *pool, ngx_lead_json_t *root, ngx_str_t *out)
{
    out->len = ngx_lead_json_len(root);
    out->data = ngx_pnalloc(pool, out->len);

    if (out->data == NULL) {
        return NGX_ERROR;
    }

    (void) ngx_lead_json_write(out->data, root);

    return NGX_OK;
}


/*
 * Whether a text goes out as it is, as almost all do; if dst is not NULL, it
 * is copied in the same pass.  The last word overlaps the one before: there is
 * no remainder, nor a call for the few bytes of a name.
 */

static ngx_inline ngx_uint_t
ngx_lead_json_plain(u_char *dst, u_char *p, size_t n)
{
    size_t    i;
    uint32_t  low, high;
    uint64_t  w;

    if (n >= 8) {
        i = 0;

        do {
            i = ngx_min(i, n - 8);
            ngx_memcpy(&w, p + i, 8);

            if (ngx_lead_json_special(w)) {
                return 0;
            }

            if (dst) {
                ngx_memcpy(dst + i, &w, 8);
            }

            i += 8;
        } while (i < n);

        return 1;
    }

    if (n >= 4) {
        ngx_memcpy(&low, p, 4);
        ngx_memcpy(&high, p + n - 4, 4);

        if (dst) {
            ngx_memcpy(dst, &low, 4);
            ngx_memcpy(dst + n - 4, &high, 4);
        }

        w = (uint64_t) high << 32 | low;

        return !ngx_lead_json_special(w);
    }

    for (i = 0; i < n; i++) {

        if (ngx_lead_json_extra[p[i]]) {
            return 0;
        }

        if (dst) {
            dst[i] = p[i];
        }
    }

    return 1;
}


static size_t
ngx_lead_json_quoted_len(ngx_str_t *text)
{
    size_t  i, len;

    len = text->len + 2;

    if (!ngx_lead_json_plain(NULL, text->data, text->len)) {
        for (i = 0; i < text->len; i++) {
            len += ngx_lead_json_extra[text->data[i]];
        }
    }

    return len;
}


static u_char *
ngx_lead_json_quote(u_char *dst, ngx_str_t *text)
{
    u_char  ch;
    size_t  i;

    *dst++ = '"';

    if (ngx_lead_json_plain(dst, text->data, text->len)) {
        dst += text->len;

    } else {
        for (i = 0; i < text->len; i++) {
            ch = text->data[i];

            if (ngx_lead_json_extra[ch]) {
                dst = ngx_lead_json_escape(dst, ch);

            } else {
                *dst++ = ch;
            }
        }
    }

    *dst++ = '"';

    return dst;
}


static u_char *
ngx_lead_json_escape(u_char *dst, u_char ch)
{
    static const u_char  hex[] = "0123456789abcdef";

    *dst++ = '\\';

    switch (ch) {

    case '"':
    case '\\':
        *dst++ = ch;
        return dst;

    case '\b':
        *dst++ = 'b';
        return dst;

    case '\f':
        *dst++ = 'f';
        return dst;

    case '\n':
        *dst++ = 'n';
        return dst;

    case '\r':
        *dst++ = 'r';
        return dst;

    case '\t':
        *dst++ = 't';
        return dst;
    }

    *dst++ = 'u';
    *dst++ = '0';
    *dst++ = '0';
    *dst++ = hex[ch >> 4];
    *dst++ = hex[ch & 0xf];

    return dst;
}
