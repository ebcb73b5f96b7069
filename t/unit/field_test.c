
/*
 * Copyright (C) the ngx_lead authors
 *
 * Texts of fields: space, case, e-mail addresses, numbers as JavaScript shows
 * them, and times.
 *
 * Needs cmocka and ngx_pool.c, no nginx; inputs stand in blocks of their
 * exact size.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include "ngx_lead_field.h"
#include "ngx_pool.h"


static ngx_pool_t  *pool;


static int
setup(void **state)
{
    ngx_pool_fail_at = 0;
    pool = ngx_create_pool(4096, NULL);

    return pool ? 0 : -1;
}


static int
teardown(void **state)
{
    ngx_destroy_pool(pool);

    return 0;
}


static ngx_str_t
bytes(const char *text)
{
    ngx_str_t  s;

    s.len = strlen(text);
    s.data = ngx_pnalloc(pool, s.len);
    assert_non_null(s.data);
    memcpy(s.data, text, s.len);

    return s;
}


static void
check_text(ngx_str_t *got, const char *want, const char *input)
{
    if (got->len != strlen(want) || memcmp(got->data, want, got->len) != 0) {
        fail_msg("\"%s\": got \"%.*s\", not \"%s\"", input, (int) got->len,
                 got->data, want);
    }
}


static void
test_trim(void **state)
{
    size_t     i;
    ngx_str_t  s;

    static const char  *pairs[][2] = {
        { "", "" },
        { "a", "a" },
        { " a ", "a" },
        { "\t\n\v\f\r a b \t\n\v\f\r", "a b" },
        { "   ", "" },
        { "\xc2\xa0" "a" "\xc2\xa0", "a" },
        { "\xe1\x9a\x80" "a" "\xe2\x80\x80", "a" },
        { "\xe2\x80\x8a" "a" "\xe2\x80\xa8", "a" },
        { "\xe2\x80\xa9" "a" "\xe2\x80\xaf", "a" },
        { "\xe2\x81\x9f" "a" "\xe3\x80\x80", "a" },
        { "\xef\xbb\xbf" "a" "\xef\xbb\xbf", "a" },
        { "\xc2\xa0\xe3\x80\x80 \xef\xbb\xbf", "" },

        /* no space: U+200B, U+180E, U+0085, U+001C, letters */
        { "\xe2\x80\x8b" "a" "\xe2\x80\x8b", "\xe2\x80\x8b" "a"
                                             "\xe2\x80\x8b" },
        { "\xe1\xa0\x8e", "\xe1\xa0\x8e" },
        { "\xc2\x85", "\xc2\x85" },
        { "\x1c", "\x1c" },
        { " Zo\xc3\xab \xe6\x9d\x8e \xf0\x9f\xa6\x8a ",
          "Zo\xc3\xab \xe6\x9d\x8e \xf0\x9f\xa6\x8a" },
        { "\xc3\xa0", "\xc3\xa0" },

        /* nor what is no UTF-8, though its bits are those of U+2000 */
        { "\xe2@@ a", "\xe2@@ a" },
        { "a \xe2\x80@", "a \xe2\x80@" },
        { "\xe2@\x80", "\xe2@\x80" }
    };

    for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        s = bytes(pairs[i][0]);
        ngx_lead_field_trim(&s);
        check_text(&s, pairs[i][1], pairs[i][0]);
    }
}


static void
test_case(void **state)
{
    ngx_str_t  s, part, lower;

    s = bytes("ADA@Example.COM\xc3\x89");
    assert_int_equal(ngx_lead_field_lower(pool, &s, &lower), NGX_OK);
    check_text(&lower, "ada@example.com\xc3\x89", "lower");

    s = bytes("");
    assert_int_equal(ngx_lead_field_lower(pool, &s, &lower), NGX_OK);
    assert_int_equal(lower.len, 0);

    ngx_pool_fail_at = 1;
    assert_int_equal(ngx_lead_field_lower(pool, &s, &lower), NGX_ERROR);

    s = bytes("Lovelace");
    part = bytes("LOVE");
    assert_true(ngx_lead_field_has(&s, &part));
    part = bytes("ace");
    assert_true(ngx_lead_field_has(&s, &part));
    part = bytes("");
    assert_true(ngx_lead_field_has(&s, &part));
    part = bytes("acea");
    assert_false(ngx_lead_field_has(&s, &part));
    part = bytes("Lovelaces");
    assert_false(ngx_lead_field_has(&s, &part));

    part = bytes("lOVELACE");
    assert_true(ngx_lead_field_equal_fold(&s, &part));
    assert_false(ngx_lead_field_equal(&s, &part));
    part = bytes("Lovelacf");
    assert_false(ngx_lead_field_equal_fold(&s, &part));
    part = bytes("Lovelace");
    assert_true(ngx_lead_field_equal(&s, &part));
    part = bytes("Love");
    assert_false(ngx_lead_field_equal(&s, &part));
    assert_false(ngx_lead_field_equal_fold(&s, &part));
}


static void
test_points(void **state)
{
    ngx_str_t  s;

    s = bytes("");
    assert_int_equal(ngx_lead_field_points(&s), 0);
    s = bytes("ab");
    assert_int_equal(ngx_lead_field_points(&s), 2);
    s = bytes("Zo\xc3\xab \xe6\x9d\x8e \xf0\x9f\xa6\x8a");
    assert_int_equal(ngx_lead_field_points(&s), 7);
}


static void
test_email(void **state)
{
    size_t     i;
    ngx_str_t  s;

    static const char  *good[] = {
        "a@b.c", "ada@example.com", "a+b@x.y.z", "a@..x", "a@b..c",
        "jos\xc3\xa9@x.com", "\"a\"@b.c", "a@b.c.", "a@.b.c",
        "a@b.\xc2\x85"
    };

    static const char  *bad[] = {
        "", "@", "a", "a@", "@b.c", "a@b", "a@.b", "a@b.", "ada@", "a.b@c",
        "a@b@c.d", "a b@c.d", "a@b.c d", "a@b\xc2\xa0.c", "a@@b.c",
        ("a@\xe3\x80\x80" "b.c"), "a@.", "a@..", "a@b.\t"
    };

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        s = bytes(good[i]);

        if (!ngx_lead_field_email_like(&s)) {
            fail_msg("\"%s\" is refused", good[i]);
        }
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        s = bytes(bad[i]);

        if (ngx_lead_field_email_like(&s)) {
            fail_msg("\"%s\" is taken", bad[i]);
        }
    }
}


static void
test_number(void **state)
{
    size_t     i;
    ngx_int_t  rc;
    ngx_str_t  s, out;

    /* as String(JSON.parse(text)) has them; NULL: refused */

    static const char  *pairs[][2] = {
        { "0", "0" }, { "-0", "0" }, { "0.0", "0" }, { "1", "1" },
        { "-5", "-5" }, { "12065550100", "12065550100" },
        { "1.0", "1" }, { "1.50", "1.5" }, { "1e3", "1000" },
        { "1E+2", "100" }, { "100e-2", "1" }, { "0.1", "0.1" },
        { "0.1e0", "0.1" }, { "-0.25", "-0.25" }, { "123.456", "123.456" },
        { "0.000001", "0.000001" }, { "0.0000012", "0.0000012" },
        { "0.0000001", "1e-7" }, { "1.5e-7", "1.5e-7" },
        { "-1.25e-10", "-1.25e-10" }, { "5e-324", "5e-324" },
        { "1e-400", "0" },
        { "0.30000000000000004", "0.30000000000000004" },
        { "9007199254740991", "9007199254740991" },
        { "-9007199254740991", "-9007199254740991" },
        { "9007199254740992", NULL }, { "-9007199254740992", NULL },
        { "9007199254740993", NULL }, { "12345678901234567890", NULL },
        { "1e21", NULL }, { "1e400", NULL }, { "-1e400", NULL },
        { "4503599627370495.5", "4503599627370495.5" }
    };

    for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        s = bytes(pairs[i][0]);
        rc = ngx_lead_field_number(pool, &s, &out);

        if (pairs[i][1] == NULL) {
            assert_int_equal(rc, NGX_DECLINED);
            continue;
        }

        assert_int_equal(rc, NGX_OK);
        check_text(&out, pairs[i][1], pairs[i][0]);
    }

    for (i = 1; i < 3; i++) {
        s = bytes("1");
        ngx_pool_fail_at = i;
        assert_int_equal(ngx_lead_field_number(pool, &s, &out), NGX_ERROR);
    }
}


static void
test_time(void **state)
{
    u_char    *p;
    size_t     i;
    int64_t    back;
    ngx_str_t  s;

    static const struct {
        int64_t      time;
        const char  *text;
    } pairs[] = {
        { 0, "1970-01-01T00:00:00.000Z" },
        { 1782295200000000LL, "2026-06-24T10:00:00.000Z" },
        { 1782295200999999LL, "2026-06-24T10:00:00.999Z" },
        { 951782399000000LL, "2000-02-28T23:59:59.000Z" },
        { 951868799001000LL, "2000-02-29T23:59:59.001Z" },
        { 951868800000000LL, "2000-03-01T00:00:00.000Z" },
        { 4107542400000000LL, "2100-03-01T00:00:00.000Z" },
        { 253402300799999999LL, "9999-12-31T23:59:59.999Z" },
        { -1, "1969-12-31T23:59:59.999Z" }
    };

    static const char  *bad[] = {
        "", "2026-06-24T10:00:00Z", "2026-06-24T10:00:00.000",
        "2026-06-24 10:00:00.000Z", "2026-13-24T10:00:00.000Z",
        "2026-00-24T10:00:00.000Z", "2026-02-30T10:00:00.000Z",
        "2026-06-00T10:00:00.000Z", "2026-06-24T24:00:00.000Z",
        "2026-06-24T10:60:00.000Z", "2026-06-24T10:00:60.000Z",
        "2026-06-24T10:00:00,000Z", "2026-06-24T10:00:00.0000",
        "202a-06-24T10:00:00.000Z", "2026-06-24T10:00:00.00-Z",
        "2100-02-29T10:00:00.000Z"
    };

    for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        s.data = ngx_pnalloc(pool, NGX_LEAD_FIELD_TIME_LEN);
        p = ngx_lead_field_time_ms(s.data, pairs[i].time);
        s.len = p - s.data;
        check_text(&s, pairs[i].text, "time");

        assert_int_equal(ngx_lead_field_time_parse(&s, &back), NGX_OK);

        /* what is below a millisecond is lost, downwards */

        assert_true(back <= pairs[i].time && back > pairs[i].time - 1000);
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        s = bytes(bad[i]);

        if (ngx_lead_field_time_parse(&s, &back) != NGX_DECLINED) {
            fail_msg("\"%s\" is taken", bad[i]);
        }
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_trim, setup, teardown),
        cmocka_unit_test_setup_teardown(test_case, setup, teardown),
        cmocka_unit_test_setup_teardown(test_points, setup, teardown),
        cmocka_unit_test_setup_teardown(test_email, setup, teardown),
        cmocka_unit_test_setup_teardown(test_number, setup, teardown),
        cmocka_unit_test_setup_teardown(test_time, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
