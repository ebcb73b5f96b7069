
/*
 * Copyright (C) the ngx_lead authors
 *
 * A libFuzzer entry: urlencoded bodies with brackets.  The input is the
 * body; it is parsed again with all escaped that may be, and once more with
 * an allocation that fails.
 *
 * Must not accept what form_fuzz.h rules out.
 */


#include "form_fuzz.h"


static ngx_str_t
escape_more(ngx_pool_t *pool, ngx_str_t *in)
{
    u_char      *p, *s, *last;
    ngx_str_t    out;
    ngx_uint_t   name;

    p = ngx_pnalloc(pool, 3 * in->len + 1);
    must(p);

    out.data = p;
    last = in->data + in->len;
    name = 1;

    for (s = in->data; s < last; s++) {

        if (*s == '%' && last - s > 2 && isxdigit(s[1]) && isxdigit(s[2])) {
            p = ngx_cpymem(p, s, 3);
            s += 2;

        } else if (*s == '&' || (*s == '=' && name)) {
            name = (*s == '&');
            *p++ = *s;

        } else {
            p += sprintf((char *) p, "%%%02X", (*s == '+') ? ' ' : *s);
        }
    }

    out.len = p - out.data;

    return block(pool, out.data, out.len);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ngx_int_t         rc;
    ngx_str_t         in, more, one, two;
    ngx_pool_t       *pool;
    const char       *why;
    ngx_lead_json_t  *root, *again;

    pool = ngx_create_pool(4096, NULL);
    must(pool);

    in = block(pool, data, size);
    more = escape_more(pool, &in);
    root = NULL;
    why = NULL;

    rc = ngx_lead_form_urlencoded(pool, &in, 1, &root, &why);

    must(rc == NGX_OK || rc == NGX_DECLINED);
    must((rc == NGX_OK) == (root != NULL));
    must((rc == NGX_OK) == (why == NULL));
    must(size == 0 || ngx_memcmp(in.data, data, size) == 0);

    must(ngx_lead_form_urlencoded(pool, &more, 1, &again, &why) == rc);

    if (root) {
        check_tree(pool, root);

        one = print(pool, root);
        two = print(pool, again);
        must(same(&one, &two));
    }

    ngx_pool_fail_at = 1 + size % 13;

    rc = ngx_lead_form_urlencoded(pool, &in, 1, &root, &why);

    must((rc == NGX_ERROR) == (ngx_pool_fail_at == 0));

    ngx_pool_fail_at = 0;

    ngx_destroy_pool(pool);

    return 0;
}
