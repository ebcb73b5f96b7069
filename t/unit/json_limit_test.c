
/*
 * Copyright (C) the ngx_lead authors
 *
 * JSON: the number of values of a text, which decides what its tree costs.
 */


#include "json_test.h"


static char *
zeros(size_t n)
{
    char   *text, *p;
    size_t  i;

    text = malloc(2 * n + 2);
    p = text;

    *p++ = '[';

    for (i = 0; i < n; i++) {
        *p++ = '0';
        *p++ = ',';
    }

    p[-1] = ']';
    *p = '\0';

    return text;
}


static void
test_nodes(void **state)
{
    int               i;
    char             *text;
    ngx_str_t         in;
    ngx_int_t         rc;
    ngx_pool_t       *pool;
    const char       *why;
    ngx_lead_json_t  *root;

    for (i = 0; i < 2; i++) {
        text = zeros(NGX_LEAD_JSON_MAX_NODES - 1 + i);
        pool = ngx_create_pool(4096, NULL);

        in.data = (u_char *) text;
        in.len = strlen(text);

        rc = ngx_lead_json_parse(pool, &in, &root, &why);

        assert_int_equal(rc, i == 0 ? NGX_OK : NGX_DECLINED);

        if (i == 0) {
            assert_int_equal(root->n, NGX_LEAD_JSON_MAX_NODES - 1);

        } else {
            assert_string_equal(why, "too many values");
        }

        /* a document of ours was let in before */

        rc = ngx_lead_json_parse_doc(pool, &in, &root, &why);
        assert_int_equal(rc, NGX_OK);

        ngx_destroy_pool(pool);
        free(text);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_nodes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
