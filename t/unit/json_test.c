
/*
 * Copyright (C) the ngx_lead authors
 *
 * JSON text to tree: what is taken, and as what; what is refused; the limits
 * and one beyond each.
 *
 * Needs cmocka, yajl and ngx_pool.c, no nginx, and must not time anything.
 * All memory is the pool's of the test.
 */


#include "json_test.h"


#define takes(in, out)                                                        \
    check_takes((u_char *) in, sizeof(in) - 1, (u_char *) out,                \
                sizeof(out) - 1, __LINE__)

#define refuses(in, why)                                                      \
    check_refuses((u_char *) in, sizeof(in) - 1, why, __LINE__)

#define MALFORMED  "malformed JSON"


static void
check_takes(u_char *in, size_t inlen, u_char *out, size_t outlen, int line)
{
    ngx_str_t         s, copy;
    const char       *why;
    ngx_lead_json_t  *root;

    why = "";
    s = bytes(in, inlen);

    if (ngx_lead_json_parse(pool, &s, &root, &why) != NGX_OK) {
        fail_msg("line %d: refused: %s", line, why);
    }

    if (ngx_memcmp(s.data, in, inlen) != 0) {
        fail_msg("line %d: the input was changed", line);
    }

    assert_int_equal(ngx_lead_json_print(pool, root, &copy), NGX_OK);

    if (copy.len != outlen || ngx_memcmp(copy.data, out, outlen) != 0) {
        fail_msg("line %d: got %.*s", line, (int) copy.len, copy.data);
    }
}


static void
check_refuses(u_char *in, size_t len, const char *reason, int line)
{
    ngx_int_t         rc;
    ngx_str_t         s;
    const char       *why;
    ngx_lead_json_t  *root;

    why = "";
    root = NULL;
    s = bytes(in, len);

    rc = ngx_lead_json_parse(pool, &s, &root, &why);

    if (rc != NGX_DECLINED || ngx_strcmp(why, reason) != 0 || root) {
        fail_msg("line %d: %d %s: %.*s", line, (int) rc, why, (int) len, in);
    }
}


static void
test_values(void **state)
{
    takes("null", "null");
    takes("true", "true");
    takes(" false\r\n", "false");
    takes("\"\"", "\"\"");
    takes("\t\"a\"", "\"a\"");
    takes("[]", "[]");
    takes("{}", "{}");
    takes("[ ]", "[]");
    takes(" { } ", "{}");
    takes("[1 , [ ] ,{ \"a\" : null}]", "[1,[],{\"a\":null}]");
    takes("{\"\":{\"\":1},\"b\":[true,false,null,\"x\"]}",
          "{\"\":{\"\":1},\"b\":[true,false,null,\"x\"]}");
    takes("\"\x7f\"", "\"\x7f\"");
    takes("\"/\"", "\"/\"");
}


static void
test_malformed(void **state)
{
    refuses("", "empty text");
    refuses(" ", MALFORMED);
    refuses("\n\r\t ", MALFORMED);
    refuses("1 2", MALFORMED);
    refuses("{} {}", MALFORMED);
    refuses("{}x", MALFORMED);
    refuses("[],", MALFORMED);
    refuses("[1,]", MALFORMED);
    refuses("[,1]", MALFORMED);
    refuses("[1 2]", MALFORMED);
    refuses("[1", MALFORMED);
    refuses("]", MALFORMED);
    refuses("[}", MALFORMED);
    refuses("{]", MALFORMED);
    refuses("{\"a\"}", MALFORMED);
    refuses("{\"a\":}", MALFORMED);
    refuses("{\"a\" 1}", MALFORMED);
    refuses("{\"a\":1,}", MALFORMED);
    refuses("{,\"a\":1}", MALFORMED);
    refuses("{a:1}", MALFORMED);
    refuses("{1:1}", MALFORMED);
    refuses("{'a':1}", MALFORMED);
    refuses("'a'", MALFORMED);
    refuses("\"a", MALFORMED);
    refuses("\"", MALFORMED);
    refuses("\"\\\"", MALFORMED);
    refuses("\\", MALFORMED);
    refuses("\\ufffd", MALFORMED);
    refuses("\\ud800", MALFORMED);
    refuses("tru", MALFORMED);
    refuses("truex", MALFORMED);
    refuses("True", MALFORMED);
    refuses("nul", MALFORMED);
    refuses("undefined", MALFORMED);
    refuses("1//x", MALFORMED);
    refuses("/**/1", MALFORMED);
    refuses("[1]#", MALFORMED);
    refuses("\xc2\xa0[1]", MALFORMED);

    /* the beginning of a token behind the value */

    refuses("{}\"", MALFORMED);
    refuses("{} \"x", MALFORMED);
    refuses("{}\"}", MALFORMED);
    refuses("[]\"]", MALFORMED);
    refuses("\"a\"\"", MALFORMED);
    refuses("1\"", MALFORMED);
    refuses("1 -", MALFORMED);
    refuses("{}\n1", MALFORMED);
    refuses("{}t", MALFORMED);
    refuses("true fals", MALFORMED);

    refuses("\xef\xbb\xbf{}", "byte order mark");
    refuses("\xef\xbb\xbf", "byte order mark");
    refuses("\xef\xbb", "invalid UTF-8");
    takes("\"\xef\xbb\xbf\"", "\"\xef\xbb\xbf\"");
}


static void
test_cut(void **state)
{
    size_t             i;
    static const char  doc[] = "{\"a\\u00e9\":[1.5e+10,\"x\\ud83d\\ude00\","
                               "true,null],\"b\":{\"c\":\"\xc3\xa9\"}}";

    for (i = 1; i < sizeof(doc) - 1; i++) {
        check_refuses((u_char *) doc, i,
                      (doc[i - 1] == '\xc3') ? "invalid UTF-8" : MALFORMED,
                      __LINE__);
    }

    takes(doc, "{\"a\xc3\xa9\":[1.5e+10,\"x\xf0\x9f\x98\x80\",true,null],"
               "\"b\":{\"c\":\"\xc3\xa9\"}}");
}


static void
test_numbers(void **state)
{
    takes("0", "0");
    takes("-0", "-0");
    takes("-0.0E-0", "-0.0E-0");
    takes("[1E5,1e+05,1.50,-12]", "[1E5,1e+05,1.50,-12]");
    takes("18446744073709551616 ", "18446744073709551616");
    takes("1e999999", "1e999999");
    takes("1234567890123456789012345678901234567890",
          "1234567890123456789012345678901234567890");
    takes("[-0.1234567890123456789012345678901234567890e-400]",
          "[-0.1234567890123456789012345678901234567890e-400]");
    takes("{\"n\":1234567890123456789012345678901234567890}",
          "{\"n\":1234567890123456789012345678901234567890}");

    refuses("01", MALFORMED);
    refuses("-01", MALFORMED);
    refuses("+1", MALFORMED);
    refuses(".5", MALFORMED);
    refuses("1.", MALFORMED);
    refuses("1.e5", MALFORMED);
    refuses("-", MALFORMED);
    refuses("--1", MALFORMED);
    refuses("1e", MALFORMED);
    refuses("1e+", MALFORMED);
    refuses("1e5.5", MALFORMED);
    refuses("0x10", MALFORMED);
    refuses("1_000", MALFORMED);
    refuses("NaN", MALFORMED);
    refuses("Infinity", MALFORMED);
    refuses("-Infinity", MALFORMED);
    refuses("[01]", MALFORMED);
    refuses("[1.]", MALFORMED);
    refuses("[-]", MALFORMED);
    refuses("[1e]", MALFORMED);
    refuses("[.5]", MALFORMED);
}


/* not as the code does it: decode, then judge the number */

static ngx_uint_t
is_utf8(const u_char *p, size_t len)
{
    size_t                 i, n;
    uint32_t               c;
    static const uint32_t  least[] = { 0, 0, 0x80, 0x800, 0x10000 };

    for ( /* void */ ; len; p += n, len -= n) {
        c = p[0];
        n = 1;

        if (c < 0x80) {
            continue;
        }

        for (n = 0; n < 8 && c & (0x80 >> n); n++) { /* void */ }

        if (n < 2 || n > 4 || n > len) {
            return 0;
        }

        c &= 0x7f >> n;

        for (i = 1; i < n; i++) {
            if ((p[i] & 0xc0) != 0x80) {
                return 0;
            }

            c = c << 6 | (p[i] & 0x3f);
        }

        if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000)) {
            return 0;
        }
    }

    return 1;
}


static void
test_utf8(void **state)
{
    size_t       pad;
    u_char       buf[20];
    uint32_t     i, j, k, l;
    ngx_str_t    in;
    const char  *why;

    /* all of three bytes, in a word and behind it; of four all but the last,
     * of which the edges */

    ngx_memset(buf, 'a', sizeof(buf));
    in.data = buf;

    for (i = 0x7f; i <= 0xff; i++) {
        for (j = 0x20; j <= 0xff; j++) {
            for (k = 0x20; k <= 0xff; k++) {

                buf[4] = (u_char) i;
                buf[5] = (u_char) j;
                buf[6] = (u_char) k;
                in.len = (k & 1) ? 7 : 16;

                if ((ngx_lead_json_check(&in, &why) == NGX_OK)
                    != is_utf8(buf, in.len))
                {
                    fail_msg("%02x %02x %02x", i, j, k);
                }

                for (l = 0x7f; i >= 0xf0 && l <= 0xc0; l += 0x20 + l % 2) {
                    buf[7] = (u_char) l;
                    in.len = 8 + (k & 1);

                    if ((ngx_lead_json_check(&in, &why) == NGX_OK)
                        != is_utf8(buf, in.len))
                    {
                        fail_msg("%02x %02x %02x %02x", i, j, k, l);
                    }
                }

                buf[7] = 'a';
            }
        }
    }

    /* a sequence that ends with the block, at every place in a word */

    for (pad = 0; pad < 16; pad++) {
        ngx_memset(buf, 'a', sizeof(buf));
        ngx_memcpy(buf + pad, "\xf0\x9f\x98\x80", 4);

        for (i = 0; i <= 4; i++) {
            in = bytes(buf, pad + i);

            if (in.len) {
                assert_int_equal(ngx_lead_json_check(&in, &why),
                                 (i == 0 || i == 4) ? NGX_OK : NGX_DECLINED);
            }
        }
    }

    refuses("\"\xc0\xaf\"", "invalid UTF-8");
    refuses("\"\xed\xa0\x80\"", "invalid UTF-8");
    refuses("\"\xf4\x90\x80\x80\"", "invalid UTF-8");
    takes("\"\xf4\x8f\xbf\xbf\xee\x80\x80\"",
          "\"\xf4\x8f\xbf\xbf\xee\x80\x80\"");
}


static void
test_control(void **state)
{
    u_char        buf[32];
    ngx_uint_t    ch, white, at;
    const char   *why;

    for (ch = 0; ch < 0x20; ch++) {
        white = (ch == '\t' || ch == '\n' || ch == '\r');
        why = white ? MALFORMED : "control character";

        for (at = 1; at < 20; at++) {
            ngx_memset(buf, 'a', sizeof(buf));
            buf[0] = '"';
            buf[21] = '"';
            buf[at] = (u_char) ch;
            check_refuses(buf, 22, why, (int) ch);
        }

        ngx_memcpy(buf, "[1, 2]", 6);
        buf[3] = (u_char) ch;

        if (white) {
            check_takes(buf, 6, (u_char *) "[1,2]", 5, (int) ch);

        } else {
            check_refuses(buf, 6, why, (int) ch);
        }
    }

    refuses("\0", "control character");
    refuses("{}\0", "control character");
    refuses("[1]\v", "control character");
    refuses("\f[1]", "control character");
}


static void
test_escapes(void **state)
{
    u_char            buf[6] = "[\"\\?\"]", *p;
    ngx_uint_t        ch;
    ngx_lead_json_t  *root;

    for (ch = 0x20; ch < 0x7f; ch++) {
        buf[3] = (u_char) ch;

        if (ch != 'u' && strchr("\"\\/bfnrt", (int) ch)) {
            continue;
        }

        check_refuses(buf, sizeof(buf), MALFORMED, (int) ch);
    }

    root = tree("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20AC\\uFfFd\"");
    assert_int_equal(root->type, NGX_LEAD_JSON_STRING);

    p = (u_char *) "\"\\/\b\f\n\r\tA\xc3\xa9\xe2\x82\xac\xef\xbf\xbd";
    assert_int_equal(root->text.len, ngx_strlen(p));
    assert_memory_equal(root->text.data, p, root->text.len);

    takes("{\"\\u0061\\n\":\"\\/\\u007f\"}", "{\"a\\n\":\"/\x7f\"}");

    refuses("\"\\u12G4\"", MALFORMED);
    refuses("\"\\u\"", MALFORMED);
    refuses("\"\\u123\"", MALFORMED);
    refuses("\"\\u 123\"", MALFORMED);
    refuses("\"\\U1234\"", MALFORMED);
    refuses("\"\\u{61}\"", MALFORMED);
    refuses("\"\\ud83d\\u12G4\"", MALFORMED);
    refuses("\"\\uD8zz\"", MALFORMED);
}


static void
test_surrogates(void **state)
{
    takes("\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\"");
    takes("\"\\uD800\\uDC00\\udbff\\udfff\"",
          "\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"");

#define BAD  "\xef\xbf\xbd"

    takes("\"\\ud800\"", "\"" BAD "\"");
    takes("\"\\udc00\"", "\"" BAD "\"");
    takes("\"\\uDFFF\"", "\"" BAD "\"");
    takes("\"\\ud800x\"", "\"" BAD "x\"");
    takes("\"\\ud800\\n\"", "\"" BAD "\\n\"");
    takes("\"\\ud800\\u0041\"", "\"" BAD "A\"");
    takes("\"\\ud800\\u0000\"", "\"" BAD "\\u0000\"");
    takes("\"\\ud800\\ud800\"", "\"" BAD BAD "\"");
    takes("\"\\ud800\\ud83d\\ude00\"", "\"" BAD "\xf0\x9f\x98\x80\"");
    takes("\"\\ude00\\ud83d\"", "\"" BAD BAD "\"");
    takes("\"\\udc00\\udc00\"", "\"" BAD BAD "\"");
    takes("\"\\ud83d\\ude00\\ude00\"", "\"\xf0\x9f\x98\x80" BAD "\"");
    takes("\"\\ud7ff\\ue000\"", "\"\xed\x9f\xbf\xee\x80\x80\"");
    takes("\"\\ud83d \\ude00\"", "\"" BAD " " BAD "\"");
    takes("[\"\\ud83d\",\"\\ude00\"]", "[\"" BAD "\",\"" BAD "\"]");
    takes("{\"\\ud800\":\"a\",\"b\":\"c\"}", "{\"" BAD "\":\"a\",\"b\":\"c\"}");

    /* an escaped backslash before what looks like an escape */

    takes("\"\\\\ud800\"", "\"\\\\ud800\"");
    takes("\"\\\\\\ud800\"", "\"\\\\" BAD "\"");
    takes("\"\\ud83d\\\\ude00\"", "\"" BAD "\\\\ude00\"");

    /* equal only once they are replaced */

    takes("{\"\\ud800\":1,\"\\udc00\":2}", "{\"" BAD "\":2}");
}


static void
test_nul(void **state)
{
    ngx_lead_json_t  *root, *node;

    takes("\"\\u0000\"", "\"\\u0000\"");
    takes("{\"a\\u0000b\":\"c\\u0000\"}", "{\"a\\u0000b\":\"c\\u0000\"}");

    root = tree("{\"a\\u0000b\":\"c\\u0000d\",\"a\":\"\\\\u0000\",\"x\":\"\"}");

    node = ngx_lead_json_get(root, "a\0b");
    assert_non_null(node);
    assert_int_equal(node->type, NGX_LEAD_JSON_NUL_STRING);
    assert_int_equal(node->name.len, 3);
    assert_int_equal(node->text.len, 3);
    assert_memory_equal(node->text.data, "c\0d", 3);

    node = ngx_lead_json_get(root, "a");
    assert_int_equal(node->type, NGX_LEAD_JSON_STRING);
    assert_int_equal(node->text.len, 6);

    assert_int_equal(ngx_lead_json_get(root, "x")->type,
                     NGX_LEAD_JSON_STRING);
}


static void
test_depth(void **state)
{
    u_char      buf[256], *p;
    ngx_uint_t  n, i, half;

    for (n = 31; n <= 34; n++) {
        for (half = 0; half < 2; half++) {

            p = buf;

            for (i = 0; i < n; i++) {
                if (half && i % 2) {
                    p = ngx_cpymem(p, "{\"\":", 4);
                } else {
                    *p++ = '[';
                }
            }

            if (half && i % 2 == 0) {
                *p++ = '1';
            }

            while (i--) {
                *p++ = (half && i % 2) ? '}' : ']';
            }

            if (n <= NGX_LEAD_JSON_MAX_DEPTH) {
                check_takes(buf, p - buf, buf, p - buf, (int) n);

            } else {
                check_refuses(buf, p - buf, "nested too deep", (int) n);
            }
        }
    }

    /* it is not the number of containers, nor does it stay after an end */

    takes("[[[]],[[]],[[]],[[]],[[]],[[]],[[]],[[]],[[]],[[]],[[]],[[]]]",
          "[[[]],[[]],[[]],[[]],[[]],[[]],[[]],[[]],[[]],[[]],[[]],[[]]]");
}


/* an object of n members of which same have the same name */

static u_char *
members(u_char *p, ngx_uint_t n, ngx_uint_t same)
{
    ngx_uint_t  i;

    *p++ = '{';

    for (i = 0; i < n; i++) {
        p += sprintf((char *) p, "%s\"m%d\":%d", i ? "," : "",
                     (int) ((i < same) ? 0 : i), (int) i);
    }

    *p++ = '}';

    return p;
}


static void
test_members(void **state)
{
    u_char      *p, *last;
    ngx_str_t    in;
    const char  *why;
    ngx_lead_json_t  *root;

    p = ngx_palloc(pool, 64 * 1024);

    last = members(p, NGX_LEAD_JSON_MAX_MEMBERS, 1);
    check_takes(p, last - p, p, last - p, __LINE__);

    last = members(p, NGX_LEAD_JSON_MAX_MEMBERS + 1, 1);
    check_refuses(p, last - p, "too many members in an object", __LINE__);

    /* as sent: duplicates count */

    last = members(p, NGX_LEAD_JSON_MAX_MEMBERS + 1, 1001);
    check_refuses(p, last - p, "too many members in an object", __LINE__);

    last = members(p, NGX_LEAD_JSON_MAX_MEMBERS, 1000);
    check_takes(p, last - p, (u_char *) "{\"m0\":999}", 10, __LINE__);

    /* of one object: two full ones side by side */

    *p = '[';
    last = members(p + 1, NGX_LEAD_JSON_MAX_MEMBERS, 1);
    *last++ = ',';
    last = members(last, NGX_LEAD_JSON_MAX_MEMBERS, 500);
    *last++ = ']';

    in = bytes(p, last - p);
    assert_int_equal(ngx_lead_json_parse(pool, &in, &root, &why), NGX_OK);
    assert_int_equal(root->first->n, 1000);
    assert_int_equal(root->last->n, 501);
    assert_memory_equal(root->last->first->text.data, "499", 3);

    /* an array has no such limit */

    ngx_memset(p, ',', 4001);
    p[0] = '[';
    p[4000] = ']';

    for (last = p + 1; last < p + 4000; last += 2) {
        *last = '0';
    }

    in = bytes(p, 4001);
    assert_int_equal(ngx_lead_json_parse(pool, &in, &root, &why), NGX_OK);
    assert_int_equal(root->n, 2000);
}


static void
test_duplicates(void **state)
{
    int      n, names, i, k, name, max, count, value[200], order[200];
    u_char  *in, *out, *p, *q;

    takes("{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":3,\"b\":2}");
    takes("{\"a\":{\"x\":1,\"y\":[2]},\"b\":2,\"a\":\"s\"}",
          "{\"a\":\"s\",\"b\":2}");
    takes("{\"a\":1,\"a\":{\"x\":1,\"x\":2}}", "{\"a\":{\"x\":2}}");
    takes("{\"a\":[1,2],\"a\":[]}", "{\"a\":[]}");
    takes("{\"a\":{\"b\":1},\"a\":{}}", "{\"a\":{}}");
    takes("{\"a\":{\"a\":1},\"a\":{\"a\":2,\"a\":3}}", "{\"a\":{\"a\":3}}");
    takes("{\"a\":1,\"\\u0061\":2}", "{\"a\":2}");
    takes("{\"\":1,\"\":2}", "{\"\":2}");
    takes("{\"a\":\"x\\u0000\",\"a\":\"y\"}", "{\"a\":\"y\"}");
    takes("{\"a\\u0000b\":1,\"a\\u0000c\":2}",
          "{\"a\\u0000b\":1,\"a\\u0000c\":2}");

    /* against a plain model, below and above the number that is indexed */

    in = ngx_palloc(pool, 32 * 1024);
    out = ngx_palloc(pool, 32 * 1024);

    for (n = 1; n < 400; n++) {
        names = 1 + (int) pick(200);
        max = 1 + (int) pick(900);
        count = 0;
        p = in;
        *p++ = '{';

        for (i = 0; i < max; i++) {
            name = (int) pick(names);
            p += sprintf((char *) p, "%s\"%.*s%d\":%d", i ? "," : "",
                         name % 7, "xxxxxxx", name, i);

            value[name] = i;

            for (k = 0; k < count && order[k] != name; k++) { /* void */ }

            if (k == count) {
                order[count++] = name;
            }
        }

        *p++ = '}';
        q = out;
        *q++ = '{';

        for (i = 0; i < count; i++) {
            q += sprintf((char *) q, "%s\"%.*s%d\":%d", i ? "," : "",
                         order[i] % 7, "xxxxxxx", order[i], value[order[i]]);
        }

        *q++ = '}';

        check_takes(in, p - in, out, q - out, n);
    }
}


static void
test_zero_copy(void **state)
{
    ngx_str_t           in;
    const char         *why;
    ngx_lead_json_t    *root, *node;
    static const char   doc[] = "{\"name\":\"text\",\"n\":12.5,"
                                "\"e\":\"a\\nb\",\"z\":\"\"}";

    in = bytes(doc, sizeof(doc) - 1);
    assert_int_equal(ngx_lead_json_parse(pool, &in, &root, &why), NGX_OK);

    node = root->first;
    assert_ptr_equal(node->name.data, in.data + 2);
    assert_ptr_equal(node->text.data, in.data + 9);
    assert_int_equal(node->text.len, 4);

    node = node->next;
    assert_ptr_equal(node->text.data, in.data + 19);
    assert_int_equal(node->text.len, 4);

    node = node->next;
    assert_int_equal(node->text.len, 3);
    assert_true(node->text.data < in.data
                || node->text.data >= in.data + in.len);

    node = node->next;
    assert_int_equal(node->text.len, 0);
    assert_ptr_equal(node->text.data, in.data + sizeof(doc) - 1 - 2);
    assert_null(node->next);
    assert_ptr_equal(node, root->last);
    assert_int_equal(root->n, 4);

    /* decoded texts do not share yajl's buffer */

    root = tree("[\"\\u0031\",\"\\u0032\",\"\\u0033\\u0034\"]");
    assert_string_equal(text(root), "[\"1\",\"2\",\"34\"]");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_values, setup, teardown),
        cmocka_unit_test_setup_teardown(test_malformed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(test_numbers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_utf8, setup, teardown),
        cmocka_unit_test_setup_teardown(test_control, setup, teardown),
        cmocka_unit_test_setup_teardown(test_escapes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_surrogates, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nul, setup, teardown),
        cmocka_unit_test_setup_teardown(test_depth, setup, teardown),
        cmocka_unit_test_setup_teardown(test_members, setup, teardown),
        cmocka_unit_test_setup_teardown(test_duplicates, setup, teardown),
        cmocka_unit_test_setup_teardown(test_zero_copy, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
