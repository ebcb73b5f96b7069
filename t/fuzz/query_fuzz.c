
/*
 * Copyright (C) the ngx_lead authors
 *
 * A libFuzzer entry: query arguments, without brackets.  The input is what
 * stands behind "?"; what was read is written again, all of it escaped, and
 * must be read as the same.
 *
 * Must not accept what form_fuzz.h rules out.
 */


#include "form_fuzz.h"


static u_char *
escape(u_char *p, ngx_str_t *s)
{
    size_t  i;

    for (i = 0; i < s->len; i++) {
        p += sprintf((char *) p, "%%%02x", s->data[i]);
    }

    return p;
}


static void
check_again(ngx_pool_t *pool, ngx_lead_json_t *root)
{
    u_char           *p;
    size_t            len;
    ngx_str_t         in;
    const char       *why;
    ngx_lead_json_t  *again, *one, *two;

    len = 1;

    for (one = root->first; one; one = one->next) {
        len += 3 * (one->name.len + one->text.len) + 2;
    }

    in.data = ngx_pnalloc(pool, len);
    must(in.data);
    p = in.data;

    for (one = root->first; one; one = one->next) {
        p = escape(p, &one->name);
        *p++ = '=';
        p = escape(p, &one->text);
        *p++ = '&';
    }

    in.len = p - in.data;

    must(ngx_lead_form_urlencoded(pool, &in, 0, &again, &why) == NGX_OK);
    must(again->n == root->n);

    for (one = root->first, two = again->first;
         one;
         one = one->next, two = two->next)
    {
        must(one->type == two->type);
        must(one->name.len == two->name.len);
        must(ngx_memcmp(one->name.data, two->name.data, one->name.len) == 0);
        must(one->text.len == two->text.len);
        must(ngx_memcmp(one->text.data, two->text.data, one->text.len) == 0);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ngx_int_t         rc;
    ngx_str_t         in;
    ngx_pool_t       *pool;
    const char       *why;
    ngx_lead_json_t  *root;

    pool = ngx_create_pool(4096, NULL);
    must(pool);

    in = block(pool, data, size);
    root = NULL;
    why = NULL;

    rc = ngx_lead_form_urlencoded(pool, &in, 0, &root, &why);

    must(rc == NGX_OK || rc == NGX_DECLINED);
    must((rc == NGX_OK) == (root != NULL));
    must((rc == NGX_OK) == (why == NULL));
    must(size == 0 || ngx_memcmp(in.data, data, size) == 0);

    if (root) {
        check_tree(pool, root);
        check_again(pool, root);
    }

    ngx_destroy_pool(pool);

    return 0;
}
