
/*
 * Copyright (C) the ngx_lead authors
 *
 * What must hold of any tree made of a form, whatever the bytes were: the
 * limits, names that differ, and a text that our own JSON parser takes and
 * that says the same.
 *
 * An entry returns after each input with all memory freed; whatever does not
 * hold aborts.
 */


#ifndef _FORM_FUZZ_H_INCLUDED_
#define _FORM_FUZZ_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_lead_form.h"
#include "ngx_pool.h"


#define must(cond)                                                            \
    if (!(cond)) {                                                            \
        fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);            \
        abort();                                                              \
    }


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


/* in a block of its exact size */

static ngx_inline ngx_str_t
block(ngx_pool_t *pool, const void *data, size_t len)
{
    ngx_str_t  s;

    s.len = len;
    s.data = ngx_pnalloc(pool, len);
    must(s.data);

    if (len) {
        ngx_memcpy(s.data, data, len);
    }

    return s;
}


static ngx_inline void
check_node(ngx_lead_json_t *node, ngx_uint_t depth, ngx_uint_t *values)
{
    ngx_uint_t        n;
    ngx_lead_json_t  *child, *last;

    must(depth <= NGX_LEAD_FORM_MAX_DEPTH + 1);
    must(node->name.len <= NGX_LEAD_FORM_MAX_NAME);

    if (node->type == NGX_LEAD_JSON_STRING
        || node->type == NGX_LEAD_JSON_NUL_STRING)
    {
        must(node->first == NULL && node->n == 0);
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

    must(ngx_lead_json_print(pool, root, &one) == NGX_OK);
    must(ngx_lead_json_parse(pool, &one, &again, &why) == NGX_OK);
    must(ngx_lead_json_print(pool, again, &two) == NGX_OK);
    must(one.len == two.len && ngx_memcmp(one.data, two.data, one.len) == 0);
}


#endif /* _FORM_FUZZ_H_INCLUDED_ */
