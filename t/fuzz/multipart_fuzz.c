
/*
 * Copyright (C) the ngx_lead authors
 *
 * A libFuzzer entry: multipart bodies.  The input is a Content-Type up to
 * the first line feed, and the body behind it; the body is parsed again with
 * an allocation that fails, with its end cut off and with more behind it, and
 * what it says, written as forms of either kind, is read as the same.
 *
 * Must not accept what form_fuzz.h rules out.
 */


#include "form_fuzz.h"


static void
check_cut(ngx_pool_t *pool, ngx_str_t *type, ngx_str_t *in, size_t cut,
    ngx_lead_json_t *root)
{
    ngx_int_t         rc;
    ngx_str_t         part, one, two;
    const char       *why;
    ngx_lead_json_t  *again;

    part = block(pool, in->data, in->len - cut);
    rc = ngx_lead_form_multipart(pool, type, &part, 1, &again, &why);

    must(rc == NGX_OK || rc == NGX_DECLINED);

    if (rc == NGX_DECLINED) {
        return;
    }

    /* what was cut off was behind the last boundary */

    one = print(pool, root);
    two = print(pool, again);
    must(same(&one, &two));
}


/* what comes behind the end is nobody's */

static void
check_tail(ngx_pool_t *pool, ngx_str_t *type, ngx_str_t *in,
    ngx_lead_json_t *root)
{
    ngx_str_t         longer, one, two;
    const char       *why;
    ngx_lead_json_t  *again;

    longer.len = in->len + 2;
    longer.data = ngx_pnalloc(pool, longer.len + in->len);
    must(longer.data);

    ngx_memcpy(longer.data, in->data, in->len);
    ngx_memcpy(longer.data + in->len, "\r\n", 2);
    ngx_memcpy(longer.data + longer.len, in->data, in->len);
    longer.len += in->len;

    must(ngx_lead_form_multipart(pool, type, &longer, 1, &again, &why)
         == NGX_OK);

    one = print(pool, root);
    two = print(pool, again);
    must(same(&one, &two));
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t            n;
    ngx_int_t         rc;
    ngx_str_t         type, in, boundary;
    ngx_pool_t       *pool;
    const char       *why;
    const uint8_t    *body;
    ngx_lead_json_t  *root;

    body = size ? memchr(data, '\n', size) : NULL;
    if (body == NULL) {
        return 0;
    }

    pool = ngx_create_pool(4096, NULL);
    must(pool);

    n = body++ - data;
    type = block(pool, data, n);
    in = block(pool, body, size - n - 1);
    root = NULL;
    why = NULL;

    if (ngx_lead_form_boundary(&type, &boundary) == NGX_OK) {
        must(ngx_lead_form_type(&type) == NGX_LEAD_FORM_MULTIPART);
        must(boundary.len && boundary.len <= NGX_LEAD_FORM_MAX_BOUNDARY);
    }

    rc = ngx_lead_form_multipart(pool, &type, &in, 1, &root, &why);

    must(rc == NGX_OK || rc == NGX_DECLINED);
    must((rc == NGX_OK) == (root != NULL));
    must((rc == NGX_OK) == (why == NULL));
    must(ngx_memcmp(in.data, body, in.len) == 0);

    if (root) {
        check_tree(pool, root);
        check_cut(pool, &type, &in, 1 + size % in.len, root);
        check_tail(pool, &type, &in, root);

        must(ngx_lead_form_multipart(pool, &type, &in, 0, &root, &why)
             == NGX_OK);
        check_kinds(pool, root);
    }

    ngx_pool_fail_at = 1 + size % 13;

    rc = ngx_lead_form_multipart(pool, &type, &in, 1, &root, &why);

    must((rc == NGX_ERROR) == (ngx_pool_fail_at == 0));

    ngx_pool_fail_at = 0;

    ngx_destroy_pool(pool);

    return 0;
}
