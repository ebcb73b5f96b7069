
/*
 * Copyright (C) the ngx_lead authors
 *
 * What must hold of any tree made of a form, whatever the bytes were: the
 * limits, names that differ, and a text that our own JSON parser takes and
 * that says the same.  And what was read can be written as either kind of
 * form, which both say the same again.
 *
 * Whatever does not hold aborts.
 */


#ifndef _FORM_FUZZ_H_INCLUDED_
#define _FORM_FUZZ_H_INCLUDED_


#include "fuzz.h"
#include "ngx_lead_form.h"


static ngx_inline void
check_node(ngx_lead_json_t *node, ngx_uint_t depth, ngx_uint_t *values)
{
    ngx_uint_t        n;
    ngx_lead_json_t  *child, *last;

    must(depth <= NGX_LEAD_FORM_MAX_DEPTH + 1);
    must(node->name.len <= NGX_LEAD_FORM_MAX_NAME);
    must(utf8_valid(&node->name));

    if (node->type == NGX_LEAD_JSON_STRING
        || node->type == NGX_LEAD_JSON_NUL_STRING)
    {
        must(node->first == NULL && node->n == 0);
        must(utf8_valid(&node->text));
        must((memchr(node->text.data, '\0', node->text.len) != NULL)
             == (node->type == NGX_LEAD_JSON_NUL_STRING));

        (*values)++;
        return;
    }

    must(node->type == NGX_LEAD_JSON_OBJECT
         || node->type == NGX_LEAD_JSON_ARRAY);
    must(depth == 0 || node->n);

    last = NULL;

    for (n = 0, child = node->first; child; n++, child = child->next) {
        check_node(child, depth + 1, values);

        if (node->type == NGX_LEAD_JSON_OBJECT) {
            must(ngx_lead_json_find(node, child->name.data, child->name.len)
                 == child);
            must(depth || child->name.len);
        }

        last = child;
    }

    must(n == node->n);
    must(last == node->last);
}


static ngx_inline ngx_str_t
print(ngx_pool_t *pool, ngx_lead_json_t *root)
{
    ngx_str_t  out;

    must(ngx_lead_json_print(pool, root, &out) == NGX_OK);

    return out;
}


static ngx_inline void
check_tree(ngx_pool_t *pool, ngx_lead_json_t *root)
{
    ngx_str_t         one, two;
    ngx_uint_t        values;
    const char       *why;
    ngx_lead_json_t  *again;

    values = 0;
    check_node(root, 0, &values);

    must(root->type == NGX_LEAD_JSON_OBJECT);
    must(values <= NGX_LEAD_FORM_MAX_FIELDS);

    one = print(pool, root);
    must(ngx_lead_json_parse(pool, &one, &again, &why) == NGX_OK);
    two = print(pool, again);
    must(same(&one, &two));
}


/* every byte escaped */

static ngx_inline u_char *
escape(u_char *p, ngx_str_t *s)
{
    size_t  i;

    for (i = 0; i < s->len; i++) {
        p += sprintf((char *) p, "%%%02x", s->data[i]);
    }

    return p;
}


static ngx_inline ngx_str_t
as_urlencoded(ngx_pool_t *pool, ngx_lead_json_t *flat)
{
    u_char           *p;
    size_t            len;
    ngx_str_t         out;
    ngx_lead_json_t  *node;

    len = 1;

    for (node = flat->first; node; node = node->next) {
        len += 3 * (node->name.len + node->text.len) + 2;
    }

    p = ngx_pnalloc(pool, len);
    must(p);

    out.data = p;

    for (node = flat->first; node; node = node->next) {
        p = escape(p, &node->name);
        *p++ = '=';
        p = escape(p, &node->text);
        *p++ = '&';
    }

    out.len = p - out.data;

    return block(pool, out.data, out.len);
}


/* whether a multipart form can have a field of this name: most control
 * characters can only stand in the other kind; and what a browser escapes
 * cannot be told from what somebody wrote so */

static ngx_inline ngx_uint_t
multipart_name(ngx_str_t *name)
{
    size_t  i;
    u_char  c;

    for (i = 0; i < name->len; i++) {
        c = name->data[i];

        if ((c < ' ' && c != '\t' && c != '\r' && c != '\n') || c == 0x7f) {
            return 0;
        }

        if (c == '%' && name->len - i > 2
            && (memcmp(&name->data[i], "%22", 3) == 0
                || memcmp(&name->data[i], "%0D", 3) == 0
                || memcmp(&name->data[i], "%0A", 3) == 0))
        {
            return 0;
        }
    }

    return 1;
}


static ngx_inline u_char *
quote(u_char *p, ngx_str_t *name)
{
    size_t  i;
    u_char  c;

    for (i = 0; i < name->len; i++) {
        c = name->data[i];

        if (c == '\r' || c == '\n') {
            p = ngx_cpymem(p, (c == '\r') ? "%0D" : "%0A", 3);
            continue;
        }

        if (c == '"' && i % 2) {
            p = ngx_cpymem(p, "%22", 3);
            continue;
        }

        if (c == '"' || c == '\\') {
            *p++ = '\\';
        }

        *p++ = c;
    }

    return p;
}


static ngx_inline ngx_uint_t
contains(ngx_str_t *text, const char *part)
{
    return memmem(text->data, text->len, part, strlen(part)) != NULL;
}


/* a boundary that is in no text; with what is around the parts */

static ngx_inline ngx_str_t
as_multipart(ngx_pool_t *pool, ngx_lead_json_t *flat, char *boundary)
{
    u_char           *p;
    size_t            len;
    ngx_str_t         out;
    ngx_uint_t        i;
    ngx_lead_json_t  *node;

    for (i = 0, node = flat->first; node; /* void */ ) {
        sprintf(boundary, "B%x", (unsigned) i);

        if (contains(&node->text, boundary)
            || contains(&node->name, boundary))
        {
            i++;
            node = flat->first;
            continue;
        }

        node = node->next;
    }

    sprintf(boundary, "B%x", (unsigned) i);

    len = 256;

    for (node = flat->first; node; node = node->next) {
        len += 128 + 3 * node->name.len + node->text.len;
    }

    p = ngx_pnalloc(pool, len);
    must(p);

    out.data = p;
    p += sprintf((char *) p, "before\r\n--%s", boundary);

    for (node = flat->first; node; node = node->next) {
        p += sprintf((char *) p, " \t\r\ncontent-DISPOSITION:form-data; "
                     "x=y;name=\"");
        p = quote(p, &node->name);
        p += sprintf((char *) p, "\"\r\nX-Other: \"\r\n\r\n");
        p = ngx_cpymem(p, node->text.data, node->text.len);
        p += sprintf((char *) p, "\r\n--%s", boundary);
    }

    p += sprintf((char *) p, "--\r\nbehind\r\n--%s\r\n", boundary);

    out.len = p - out.data;
    must(out.len <= len);

    return block(pool, out.data, out.len);
}


/* flat: a form without brackets.  As the other kind it is the same, and so
 * it is where brackets are asked for. */

static ngx_inline void
check_kinds(ngx_pool_t *pool, ngx_lead_json_t *flat)
{
    char              boundary[16], type[64];
    ngx_int_t         rc;
    ngx_str_t         one, two, url, multi, ct;
    const char       *why;
    ngx_lead_json_t  *node, *a, *b;

    url = as_urlencoded(pool, flat);

    must(ngx_lead_form_urlencoded(pool, &url, 0, &a, &why) == NGX_OK);

    one = print(pool, flat);
    two = print(pool, a);
    must(same(&one, &two));

    for (node = flat->first; node; node = node->next) {
        if (!multipart_name(&node->name)) {
            return;
        }
    }

    if (flat->n == 0) {
        return;
    }

    multi = as_multipart(pool, flat, boundary);
    ct.data = (u_char *) type;
    ct.len = sprintf(type, "Multipart/Form-Data;a=\"b;\" ; boundary=%s",
                     boundary);

    must(ngx_lead_form_multipart(pool, &ct, &multi, 0, &b, &why) == NGX_OK);

    two = print(pool, b);
    must(same(&one, &two));

    rc = ngx_lead_form_urlencoded(pool, &url, 1, &a, &why);

    must(ngx_lead_form_multipart(pool, &ct, &multi, 1, &b, &why) == rc);

    if (rc == NGX_OK) {
        one = print(pool, a);
        two = print(pool, b);
        must(same(&one, &two));
        check_tree(pool, a);
    }
}


#endif /* _FORM_FUZZ_H_INCLUDED_ */
