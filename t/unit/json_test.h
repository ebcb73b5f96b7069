
/*
 * Copyright (C) the ngx_lead authors
 *
 * What the tests of JSON share: a pool for each test, input in blocks of its
 * exact size, numbers that are the same in each run.
 */


#ifndef _JSON_TEST_H_INCLUDED_
#define _JSON_TEST_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include "ngx_lead_json.h"
#include "ngx_pool.h"


static ngx_pool_t  *pool;
static uint32_t     seed;


static ngx_inline int
setup(void **state)
{
    ngx_pool_fail_at = 0;
    seed = 12345;
    pool = ngx_create_pool(4096, NULL);

    return pool ? 0 : -1;
}


static ngx_inline int
teardown(void **state)
{
    ngx_destroy_pool(pool);

    return 0;
}


static ngx_inline ngx_uint_t
pick(ngx_uint_t n)
{
    seed = seed * 1664525 + 1013904223;

    return (seed >> 8) % n;
}


static ngx_inline ngx_str_t
bytes(const void *data, size_t len)
{
    ngx_str_t  s;

    s.len = len;
    s.data = ngx_pnalloc(pool, len);
    assert_non_null(s.data);
    ngx_memcpy(s.data, data, len);

    return s;
}


static ngx_inline ngx_lead_json_t *
tree(const char *text)
{
    ngx_str_t         in;
    const char       *why;
    ngx_lead_json_t  *root;

    in = bytes(text, ngx_strlen(text));
    why = text;

    if (ngx_lead_json_parse(pool, &in, &root, &why) != NGX_OK) {
        fail_msg("%s: %s", why, text);
    }

    return root;
}


static ngx_inline const char *
text(ngx_lead_json_t *root)
{
    u_char     *p;
    ngx_str_t   out;

    assert_int_equal(ngx_lead_json_print(pool, root, &out), NGX_OK);

    p = ngx_pcalloc(pool, out.len + 1);
    ngx_memcpy(p, out.data, out.len);

    return (const char *) p;
}


#endif /* _JSON_TEST_H_INCLUDED_ */
