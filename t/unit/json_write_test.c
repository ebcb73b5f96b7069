
/*
 * Copyright (C) the ngx_lead authors
 *
 * JSON trees and their writing: look-up, builders, parts of one tree in
 * another, each allocation failing in its turn; what is written is read again
 * as it was, also after its bytes were changed at random.
 *
 * Needs cmocka, yajl and ngx_pool.c, no nginx, and must not time anything.
 * All memory is the pool's of the test.
 */


#include "json_test.h"


#ifndef MUTATIONS
#define MUTATIONS  150000
#endif


static ngx_str_t
str(const char *value)
{
    ngx_str_t  s;

    s.len = ngx_strlen(value);
    s.data = (u_char *) value;

    return s;
}


static void
again(void)
{
    ngx_destroy_pool(pool);
    pool = ngx_create_pool(4096, NULL);
    assert_non_null(pool);
}


static void
assert_same(ngx_lead_json_t *one, ngx_lead_json_t *two)
{
    ngx_uint_t        n;
    ngx_lead_json_t  *a, *b;

    assert_int_equal(one->type, two->type);
    assert_int_equal(one->text.len, two->text.len);

    if (one->text.len) {
        assert_memory_equal(one->text.data, two->text.data, one->text.len);
    }

    assert_int_equal(one->n, two->n);

    n = 0;
    b = two->first;

    for (a = one->first; a && b; a = a->next) {
        assert_int_equal(a->name.len, b->name.len);

        if (a->name.len) {
            assert_memory_equal(a->name.data, b->name.data, a->name.len);
        }

        assert_same(a, b);

        n++;
        assert_true((a->next == NULL) == (a == one->last));
        assert_true((b->next == NULL) == (b == two->last));
        b = b->next;
    }

    assert_null(a);
    assert_null(b);
    assert_int_equal(n, one->n);
}


static void
test_escapes(void **state)
{
    char              one[8];
    u_char            buf[24];
    ngx_str_t         s, out;
    ngx_uint_t        ch, at, i;
    const char       *expected;
    ngx_lead_json_t  *root;

    for (ch = 0; ch < 256; ch++) {

        switch (ch) {
        case '"':  expected = "\\\"";  break;
        case '\\': expected = "\\\\";  break;
        case '\b': expected = "\\b";   break;
        case '\f': expected = "\\f";   break;
        case '\n': expected = "\\n";   break;
        case '\r': expected = "\\r";   break;
        case '\t': expected = "\\t";   break;
        default:
            sprintf(one, (ch < 0x20) ? "\\u%04x" : "%c", (int) ch);
            expected = one;
        }

        for (at = 0; at < sizeof(buf); at++) {

            for (i = 0; i < sizeof(buf); i++) {
                buf[i] = (u_char) ("!#[]~\x7f\xc3\xff"[i % 8]);
            }

            buf[at] = (u_char) ch;

            ngx_lead_json_gen_t  gen = { pool, 0 };

            s = bytes(buf, sizeof(buf));
            root = ngx_lead_json_add_str(&gen, NULL, NULL, &s);

            assert_int_equal(ngx_lead_json_print(pool, root, &out), NGX_OK);

            s.len = ngx_strlen(expected);

            assert_int_equal(out.len, sizeof(buf) + 1 + s.len);
            assert_memory_equal(out.data + 1, buf, at);
            assert_memory_equal(out.data + 1 + at, expected, s.len);
            assert_memory_equal(out.data + 1 + at + s.len, buf + at + 1,
                                sizeof(buf) - at - 1);
            assert_int_equal(out.data[0], '"');
            assert_int_equal(out.data[out.len - 1], '"');
        }

        again();
    }
}


static void
test_find(void **state)
{
    ngx_lead_json_t  *root;

    root = tree("{\"a\":1,\"ab\":2,\"\":3,\"abc\":4,\"b\":[{\"c\":5}]}");

    assert_memory_equal(ngx_lead_json_get(root, "a")->text.data, "1", 1);
    assert_memory_equal(ngx_lead_json_get(root, "ab")->text.data, "2", 1);
    assert_memory_equal(ngx_lead_json_get(root, "")->text.data, "3", 1);
    assert_memory_equal(ngx_lead_json_get(root, "abc")->text.data, "4", 1);
    assert_null(ngx_lead_json_get(root, "A"));
    assert_null(ngx_lead_json_get(root, "abcd"));
    assert_null(ngx_lead_json_get(root, "c"));
    assert_null(ngx_lead_json_get(ngx_lead_json_get(root, "b"), "c"));
    assert_null(ngx_lead_json_get(ngx_lead_json_get(root, "a"), "a"));
    assert_null(ngx_lead_json_get(NULL, "a"));
    assert_null(ngx_lead_json_get(tree("{}"), ""));
}


static void
test_build(void **state)
{
    ngx_str_t             s, empty;
    ngx_lead_json_t      *root, *node;
    ngx_lead_json_gen_t   gen = { pool, 0 };

    ngx_str_null(&empty);
    s = str("Zo\xc3\xab \"Z\"");

    root = ngx_lead_json_add(&gen, NULL, NULL, NGX_LEAD_JSON_OBJECT);
    ngx_lead_json_add_str(&gen, root, "name", &s);
    ngx_lead_json_add_str(&gen, root, "", &empty);
    ngx_lead_json_add_int(&gen, root, "a\n", 0);

    node = ngx_lead_json_add(&gen, root, "ids", NGX_LEAD_JSON_ARRAY);
    ngx_lead_json_add_int(&gen, node, NULL, 10);
    ngx_lead_json_add_int(&gen, node, NULL, -7);
    ngx_lead_json_add_int(&gen, node, NULL, 1234567890123456789);
    ngx_lead_json_add_int(&gen, node, NULL, INT64_MAX);
    ngx_lead_json_add_int(&gen, node, NULL, INT64_MIN);

    ngx_lead_json_add_bool(&gen, root, "t", 1);
    ngx_lead_json_add_bool(&gen, root, "f", 0);
    ngx_lead_json_add(&gen, root, "null", NGX_LEAD_JSON_NULL);
    ngx_lead_json_add(&gen, root, "o", NGX_LEAD_JSON_OBJECT);
    ngx_lead_json_add(&gen, root, "l", NGX_LEAD_JSON_ARRAY);

    assert_int_equal(gen.failed, 0);
    assert_int_equal(root->n, 9);
    assert_int_equal(node->n, 5);
    assert_string_equal(text(root),
        "{\"name\":\"Zo\xc3\xab \\\"Z\\\"\",\"\":\"\",\"a\\n\":0,"
        "\"ids\":[10,-7,1234567890123456789,9223372036854775807,"
        "-9223372036854775808],\"t\":true,\"f\":false,\"null\":null,"
        "\"o\":{},\"l\":[]}");
}


static void
test_add_node(void **state)
{
    ngx_str_t             name;
    ngx_lead_json_t      *from, *root, *list, *copy;
    ngx_lead_json_gen_t   gen = { pool, 0 };

    name = str("new");
    from = tree("{\"a\":{\"x\":[1,2],\"y\":\"s\"},\"b\":[{}],\"c\":3}");

    root = ngx_lead_json_add(&gen, NULL, NULL, NGX_LEAD_JSON_OBJECT);
    copy = ngx_lead_json_add_node(&gen, root, &name,
                                  ngx_lead_json_get(from, "a"));
    list = ngx_lead_json_add(&gen, root, "list", NGX_LEAD_JSON_ARRAY);
    ngx_lead_json_add_node(&gen, list, NULL, ngx_lead_json_get(from, "c"));
    ngx_lead_json_add_node(&gen, list, NULL, ngx_lead_json_get(from, "b"));
    ngx_lead_json_add_node(&gen, list, NULL, ngx_lead_json_get(from, "a"));

    assert_null(ngx_lead_json_add_node(&gen, list, NULL, NULL));
    assert_int_equal(gen.failed, 0);

    assert_string_equal(text(root),
        "{\"new\":{\"x\":[1,2],\"y\":\"s\"},"
        "\"list\":[3,[{}],{\"x\":[1,2],\"y\":\"s\"}]}");

    /* a copy that grows grows alone */

    ngx_lead_json_add_int(&gen, copy, "z", 1);
    ngx_lead_json_add_int(&gen, ngx_lead_json_get(copy, "x"), NULL, 3);
    ngx_lead_json_add_bool(&gen, list->last, "w", 1);

    assert_string_equal(text(root),
        "{\"new\":{\"x\":[1,2,3],\"y\":\"s\",\"z\":1},"
        "\"list\":[3,[{}],{\"x\":[1,2],\"y\":\"s\",\"w\":true}]}");
    assert_string_equal(text(from),
        "{\"a\":{\"x\":[1,2],\"y\":\"s\"},\"b\":[{}],\"c\":3}");

    copy = ngx_lead_json_add_node(&gen, NULL, NULL, from->first);
    assert_int_equal(copy->name.len, 0);
    assert_null(copy->next);
    assert_string_equal(text(copy), text(from->first));
}


static void
test_set_node(void **state)
{
    ngx_str_t             a, b, c, d;
    ngx_lead_json_t      *root, *from, *old, *copy;
    ngx_lead_json_gen_t   gen = { pool, 0 };

    a = str("a");
    b = str("b");
    c = str("c");
    d = str("d");

    from = tree("{\"v\":[9],\"w\":\"w\"}");
    root = tree("{\"a\":1,\"b\":2,\"c\":3}");
    old = ngx_lead_json_get(root, "b");

    copy = ngx_lead_json_add_node(&gen, NULL, NULL, root);

    ngx_lead_json_set_node(&gen, copy, &b, ngx_lead_json_get(from, "v"));
    assert_string_equal(text(copy), "{\"a\":1,\"b\":[9],\"c\":3}");
    assert_string_equal(text(root), "{\"a\":1,\"b\":2,\"c\":3}");

    ngx_lead_json_set_node(&gen, copy, &d, ngx_lead_json_get(from, "w"));
    assert_string_equal(text(copy), "{\"a\":1,\"b\":[9],\"c\":3,\"d\":\"w\"}");

    ngx_lead_json_set_node(&gen, copy, &d, NULL);
    ngx_lead_json_set_node(&gen, copy, &a, NULL);
    ngx_lead_json_set_node(&gen, copy, &a, NULL);
    assert_string_equal(text(copy), "{\"b\":[9],\"c\":3}");
    assert_int_equal(copy->n, 2);

    ngx_lead_json_set_node(&gen, copy, &c, ngx_lead_json_get(from, "w"));
    ngx_lead_json_set_node(&gen, copy, &a, ngx_lead_json_get(root, "a"));
    assert_string_equal(text(copy), "{\"b\":[9],\"c\":\"w\",\"a\":1}");

    /* in place, on a tree of its own; who holds the old value keeps it */

    ngx_lead_json_set_node(&gen, root, &b, ngx_lead_json_get(from, "w"));
    assert_string_equal(text(root), "{\"a\":1,\"b\":\"w\",\"c\":3}");
    assert_string_equal(text(old), "2");

    ngx_lead_json_set_node(&gen, root, &a, NULL);
    ngx_lead_json_set_node(&gen, root, &c, NULL);
    ngx_lead_json_set_node(&gen, root, &b, NULL);
    assert_string_equal(text(root), "{}");
    assert_null(root->first);
    assert_null(root->last);

    ngx_lead_json_set_node(&gen, root, &c, ngx_lead_json_get(from, "v"));
    assert_string_equal(text(root), "{\"c\":[9]}");
    assert_string_equal(text(from), "{\"v\":[9],\"w\":\"w\"}");
    assert_int_equal(gen.failed, 0);
}


/* returns NULL or the tree, whatever allocation fails */

static ngx_lead_json_t *
build_all(ngx_lead_json_gen_t *gen, ngx_lead_json_t *from)
{
    ngx_str_t         name;
    ngx_lead_json_t  *root, *node;

    name = str("x");
    root = ngx_lead_json_add(gen, NULL, NULL, NGX_LEAD_JSON_OBJECT);
    node = ngx_lead_json_add(gen, root, "l", NGX_LEAD_JSON_ARRAY);
    ngx_lead_json_add_str(gen, node, NULL, &name);
    ngx_lead_json_add_int(gen, node, NULL, -12);
    ngx_lead_json_add_bool(gen, node, NULL, 1);

    node = ngx_lead_json_add_node(gen, root, &name, from);
    ngx_lead_json_set_node(gen, node, &name, ngx_lead_json_get(root, "l"));
    ngx_lead_json_set_node(gen, root, &name, from);
    node = ngx_lead_json_add_node(gen, root, &name, from);
    ngx_lead_json_set_node(gen, node, &name, NULL);

    if (node) {
        ngx_lead_json_add_int(gen, node, "n", 1);
    }

    return gen->failed ? NULL : root;
}


static void
test_no_memory(void **state)
{
    ngx_str_t         out;
    ngx_uint_t        n;
    ngx_lead_json_t  *root, *from;

    for (n = 1; /* void */ ; n++) {
        ngx_lead_json_gen_t  gen = { pool, 0 };

        from = tree("{\"x\":1,\"y\":{\"z\":2}}");

        ngx_pool_fail_at = n;
        root = build_all(&gen, from);

        if (ngx_pool_fail_at) {
            break;
        }

        assert_null(root);
        assert_int_equal(gen.failed, 1);
        assert_null(ngx_lead_json_add(&gen, NULL, NULL, NGX_LEAD_JSON_NULL));
        assert_string_equal(text(from), "{\"x\":1,\"y\":{\"z\":2}}");
    }

    ngx_pool_fail_at = 0;

    assert_int_equal(n, 14 + 1);
    assert_string_equal(text(root),
        "{\"l\":[\"x\",-12,true],\"x\":{\"x\":1,\"y\":{\"z\":2}},"
        "\"x\":{\"y\":{\"z\":2},\"n\":1}}");

    ngx_pool_fail_at = 1;
    assert_int_equal(ngx_lead_json_print(pool, root, &out), NGX_ERROR);
}


/* all that a parse may ask memory for: nodes, decoded names and texts, the
 * copy for surrogates, the index of members, yajl's two buffers as they grow */

static void
test_parse_no_memory(void **state)
{
    u_char           *p;
    ngx_int_t         rc;
    ngx_str_t         in, cut;
    ngx_uint_t        n, i, asked;
    const char       *why;
    ngx_lead_json_t  *root;

    in = bytes("", 0);
    in.data = ngx_palloc(pool, 64 * 1024);

    p = ngx_cpymem(in.data, "[\"\\ud800\",{", 11);

    for (i = 0; i < 80; i++) {
        p += sprintf((char *) p, "%s\"\\u0061%d\":[\"\\n\",%d]", i ? "," : "",
                     (int) i, (int) i);
    }

    p = ngx_cpymem(p, "},\"\\n", 5);
    ngx_memset(p, 'x', 20000);
    p = ngx_cpymem(p + 20000, "\"]", 2);
    in.len = p - in.data;

    cut = in;
    cut.len -= 2;

    asked = 0;

    for (n = 1; /* void */ ; n++) {
        ngx_pool_fail_at = n;
        rc = ngx_lead_json_parse(pool, &in, &root, &why);

        if (ngx_pool_fail_at) {
            break;
        }

        assert_int_equal(rc, NGX_ERROR);
        asked++;
    }

    ngx_pool_fail_at = 0;
    assert_int_equal(rc, NGX_OK);
    assert_int_equal(root->n, 3);
    assert_int_equal(root->last->text.len, 20001);
    assert_memory_equal(root->last->text.data, "\nxx", 3);

    /* 3 + 1 + 80 * 3 nodes and more: every one was reached */

    assert_true(asked > 400);

    /* without an end of the string yajl keeps all of it to the end */

    for (n = 1; /* void */ ; n++) {
        ngx_pool_fail_at = n;
        rc = ngx_lead_json_parse(pool, &cut, &root, &why);

        if (ngx_pool_fail_at) {
            break;
        }

        assert_int_equal(rc, NGX_ERROR);
    }

    ngx_pool_fail_at = 0;
    assert_int_equal(rc, NGX_DECLINED);
}


static const char  *pieces[] = {
    "", "a", "name", "\"", "\\", "\n", "\x01\x1f", "\x7f", "/", "{}[]:,",
    "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xef\xbf\xbd",
    "long enough to be looked at in words of eight bytes", "\\u0041", "\t\r"
};

static const char  *numbers[] = {
    "0", "-0", "12", "1.50", "-1e+10", "123456789012345678901234567890.5E-3"
};


static ngx_str_t
some_text(void)
{
    u_char      buf[300], *p;
    ngx_str_t   piece;
    ngx_uint_t  n;

    p = buf;

    for (n = pick(5); n; n--) {
        piece = str(pieces[pick(sizeof(pieces) / sizeof(pieces[0]))]);
        p = ngx_cpymem(p, piece.data, piece.len);

        if (pick(60) == 0) {
            *p++ = '\0';
        }
    }

    return bytes(buf, p - buf);
}


static void
some_value(ngx_lead_json_gen_t *gen, ngx_lead_json_t *parent,
    ngx_uint_t depth)
{
    ngx_str_t         name, value;
    ngx_uint_t        i, n;
    ngx_lead_json_t  *node;

    node = ngx_lead_json_add(gen, NULL, NULL,
                             pick(depth < 6 ? NGX_LEAD_JSON_OBJECT + 1
                                            : NGX_LEAD_JSON_ARRAY));
    if (node->type == NGX_LEAD_JSON_NUMBER) {
        node->text = str(numbers[pick(6)]);

    } else if (node->type == NGX_LEAD_JSON_STRING
               || node->type == NGX_LEAD_JSON_NUL_STRING)
    {
        node->text = some_text();
        node->type = memchr(node->text.data, 0, node->text.len)
                     ? NGX_LEAD_JSON_NUL_STRING : NGX_LEAD_JSON_STRING;

    } else if (node->type >= NGX_LEAD_JSON_ARRAY) {
        n = pick(10) ? pick(6) : pick(40);

        for (i = 0; i < n; i++) {
            some_value(gen, node, depth + 1);
        }
    }

    name = some_text();

    if (parent->type == NGX_LEAD_JSON_OBJECT) {
        value = name;
        ngx_lead_json_set_node(gen, parent, &value, node);

    } else {
        ngx_lead_json_add_node(gen, parent, NULL, node);
    }
}


static ngx_lead_json_t *
some_tree(void)
{
    ngx_uint_t            n;
    ngx_lead_json_t      *root;
    ngx_lead_json_gen_t   gen = { pool, 0 };

    root = ngx_lead_json_add(&gen, NULL, NULL, pick(2) ? NGX_LEAD_JSON_OBJECT
                                                       : NGX_LEAD_JSON_ARRAY);
    for (n = pick(30); n; n--) {
        some_value(&gen, root, 1);
    }

    assert_int_equal(gen.failed, 0);

    return root;
}


static void
test_round_trip(void **state)
{
    ngx_str_t         out, back;
    ngx_uint_t        n;
    const char       *why;
    ngx_lead_json_t  *root, *copy;

    for (n = 0; n < 3000; n++) {
        root = some_tree();

        assert_int_equal(ngx_lead_json_print(pool, root, &out), NGX_OK);
        assert_int_equal(ngx_lead_json_parse(pool, &out, &copy, &why), NGX_OK);
        assert_same(root, copy);

        assert_int_equal(ngx_lead_json_print(pool, copy, &back), NGX_OK);
        assert_int_equal(out.len, back.len);
        assert_memory_equal(out.data, back.data, out.len);

        again();
    }
}


static void
mutate(ngx_str_t *s)
{
    size_t                at;
    ngx_str_t             part;
    static const u_char   chars[] = "{}[]\",:\\u0dD8c-+.eE \n\v\0\x01tfn"
                                    "\xed\xf0\xa0\x80\xc0";

    at = pick(s->len);

    switch (pick(5)) {

    case 0:
        s->data[at] = (u_char) pick(256);
        break;

    case 1:
        s->data[at] = chars[pick(sizeof(chars) - 1)];
        break;

    case 2:
        s->data[at] ^= (u_char) (1 << pick(8));
        break;

    case 3:
        part = bytes(s->data + at, s->len - at);
        *s = (pick(2) && at) ? bytes(s->data, at) : part;
        break;

    default:
        ngx_memmove(s->data + pick(at + 1), s->data + at,
                    pick(s->len - at) + 1);
    }
}


static void
test_mutations(void **state)
{
    ngx_int_t         rc;
    ngx_str_t         text, in, out;
    ngx_uint_t        n, i, ok, declined;
    const char       *why;
    ngx_lead_json_t  *root, *copy;

    ok = 0;
    declined = 0;

    for (n = 0; n < MUTATIONS; /* void */ ) {
        again();

        root = some_tree();
        assert_int_equal(ngx_lead_json_print(pool, root, &text), NGX_OK);

        for (i = 0; i < 50 && text.len < 4000; i++, n++) {
            in = bytes(text.data, text.len);

            do {
                mutate(&in);
            } while (pick(3) == 0);

            rc = ngx_lead_json_parse(pool, &in, &root, &why);

            if (rc == NGX_DECLINED) {
                declined++;
                continue;
            }

            assert_int_equal(rc, NGX_OK);
            ok++;

            assert_int_equal(ngx_lead_json_print(pool, root, &out), NGX_OK);
            assert_int_equal(ngx_lead_json_parse(pool, &out, &copy, &why),
                             NGX_OK);
            assert_same(root, copy);
        }
    }

    /* both ways were gone, often */

    assert_true(ok > MUTATIONS / 10);
    assert_true(declined > MUTATIONS / 10);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_escapes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_find, setup, teardown),
        cmocka_unit_test_setup_teardown(test_build, setup, teardown),
        cmocka_unit_test_setup_teardown(test_add_node, setup, teardown),
        cmocka_unit_test_setup_teardown(test_set_node, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_parse_no_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_round_trip, setup, teardown),
        cmocka_unit_test_setup_teardown(test_mutations, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
