
/*
 * Copyright (C) the ngx_lead authors
 *
 * A libFuzzer entry: query arguments, without brackets.  The input is what
 * stands behind "?"; what was read is written again, as either kind of form,
 * and must be read as the same.
 *
 * Must not accept what form_fuzz.h rules out.
 */


#include "form_fuzz.h"


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
        check_kinds(pool, root);
    }

    ngx_destroy_pool(pool);

    return 0;
}
