
/*
 * Copyright (C) the ngx_lead authors
 *
 * E-mail addresses: what is one, and by which key equal ones are found.
 *
 * Needs cmocka, libidn2 and ngx_pool.c, no nginx; inputs stand in blocks of
 * their exact size.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include "ngx_lead_email.h"
#include "ngx_pool.h"


#define count(array)  (sizeof(array) / sizeof(array[0]))


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
bytes(const void *data, size_t len)
{
    ngx_str_t  s;

    s.len = len;
    s.data = ngx_pnalloc(pool, len);
    assert_non_null(s.data);
    memcpy(s.data, data, len);

    return s;
}


static void
check(const char *text, ngx_uint_t flags, const char *want)
{
    ngx_int_t  rc;
    ngx_str_t  in, key;

    in = bytes(text, strlen(text));
    rc = ngx_lead_email_check(pool, &in, flags, &key);

    if (want == NULL) {
        if (rc != NGX_DECLINED) {
            fail_msg("\"%s\" was taken", text);
        }

        return;
    }

    if (rc != NGX_OK) {
        fail_msg("\"%s\" was not taken", text);
    }

    if (key.len != strlen(want) || memcmp(key.data, want, key.len) != 0) {
        fail_msg("\"%s\": key \"%.*s\", not \"%s\"", text, (int) key.len,
                 key.data, want);
    }

    /* the text is kept as sent */

    assert_memory_equal(in.data, text, in.len);
}


/* n times c, then the rest */

static const char *
long_text(size_t n, int c, const char *rest)
{
    char  *p;

    p = ngx_pnalloc(pool, n + strlen(rest) + 1);
    assert_non_null(p);

    memset(p, c, n);
    strcpy(p + n, rest);

    return p;
}


static void
test_ascii(void **state)
{
    size_t  i;

    static const char  *pairs[][2] = {
        { "a@b.co", "a@b.co" },
        { "Jane.DOE@Example.COM", "jane.doe@example.com" },
        { "jane+tag@example.com", "jane+tag@example.com" },
        { "o'neil@example.com", "o'neil@example.com" },
        { "!#$%&'*+/=?^_`{|}~-@b.co", "!#$%&'*+/=?^_`{|}~-@b.co" },
        { ".a..b.@b.co", ".a..b.@b.co" },
        { "a@1.2.3.4", "a@1.2.3.4" },
        { "a@b-c.d--e.f9", "a@b-c.d--e.f9" },
        { "a@XN--BCHER-KVA.de", "a@xn--bcher-kva.de" },
        { "@b.co", NULL },
        { "a@", NULL },
        { "a", NULL },
        { "", NULL },
        { "@", NULL },
        { "not-an-email", NULL },
        { "a@b", NULL },
        { "a@b.", NULL },
        { "a@.b", NULL },
        { "a@b..co", NULL },
        { "a@-b.co", NULL },
        { "a@b-.co", NULL },
        { "a@b.-co", NULL },
        { "a@b.co-", NULL },
        { "a@b_c.co", NULL },
        { "a@b@c.co", NULL },
        { "a b@c.co", NULL },
        { "a@b c.co", NULL },
        { " a@b.co", NULL },
        { "a@b.co ", NULL },
        { "a@b.co\n", NULL },
        { "a@b.co\r\nBcc: c@d.co", NULL },
        { "\"a b\"@c.co", NULL },
        { "a(b)@c.co", NULL },
        { "a,b@c.co", NULL },
        { "a:b@c.co", NULL },
        { "a\\b@c.co", NULL },
        { "<a@b.co>", NULL },
        { "a@[1.2.3.4]", NULL },
        { "a@[::1]", NULL },
        { "a@b.co/x", NULL },
        { "a@b.co?x", NULL },
        { "a@b%2e.co", NULL },
        { "a\x7f@b.co", NULL }
    };

    for (i = 0; i < count(pairs); i++) {
        check(pairs[i][0], 0, pairs[i][1]);
    }
}


static void
test_dotless(void **state)
{
    check("a@localhost", 0, NULL);
    check("a@localhost", NGX_LEAD_EMAIL_DOTLESS, "a@localhost");
    check("a@b.co", NGX_LEAD_EMAIL_DOTLESS, "a@b.co");
    check("a@b\xc3\xbc" "cher", 0, NULL);
    check("a@b\xc3\xbc" "cher", NGX_LEAD_EMAIL_DOTLESS, "a@xn--bcher-kva");
    check("a@", NGX_LEAD_EMAIL_DOTLESS, NULL);
    check("a@.", NGX_LEAD_EMAIL_DOTLESS, NULL);
    check("a@-", NGX_LEAD_EMAIL_DOTLESS, NULL);
    check("a@b.", NGX_LEAD_EMAIL_DOTLESS, NULL);
    check("a@b_c", NGX_LEAD_EMAIL_DOTLESS, NULL);
}


static void
test_lengths(void **state)
{
    const char  *label, *domain;

    check(long_text(64, 'x', "@b.co"), 0, long_text(64, 'x', "@b.co"));
    check(long_text(65, 'x', "@b.co"), 0, NULL);

    label = long_text(63, 'y', ".co");
    check(long_text(0, 0, long_text(1, 'a', long_text(1, '@', label))), 0,
          long_text(1, 'a', long_text(1, '@', label)));

    label = long_text(64, 'y', ".co");
    check(long_text(1, 'a', long_text(1, '@', label)), 0, NULL);

    /* 254 bytes: 64 + "@" + 63 "." 63 "." 61, and one more */

    domain = long_text(63, 'y', long_text(1, '.',
             long_text(63, 'y', long_text(1, '.', long_text(61, 'y', "")))));
    assert_int_equal(strlen(domain), 189);

    check(long_text(64, 'x', long_text(1, '@', domain)), 0,
          long_text(64, 'x', long_text(1, '@', domain)));

    domain = long_text(62, 'z', domain + 61);
    assert_int_equal(strlen(domain), 190);
    check(long_text(64, 'x', long_text(1, '@', domain)), 0, NULL);

    check(long_text(100000, 'x', "@b.co"), 0, NULL);
    check(long_text(100000, '@', ""), 0, NULL);
}


/* domains of other scripts, by their IDNA form */

static void
test_idn(void **state)
{
    size_t  i;

    static const char  *pairs[][2] = {
        { "a@b\xc3\xbc" "cher.de", "a@xn--bcher-kva.de" },
        { "a@B\xc3\x9c" "CHER.DE", "a@xn--bcher-kva.de" },
        { "a@bu\xcc\x88" "cher.de", "a@xn--bcher-kva.de" },

        /* nontransitional: this is not strasse.de */
        { "a@stra\xc3\x9f" "e.de", "a@xn--strae-oqa.de" },

        /* dots of other scripts, full width letters */
        { "a@b\xc3\xbc" "cher\xe3\x80\x82" "de", "a@xn--bcher-kva.de" },
        { "a@\xef\xbd\x82\xef\xbd\x83.co", "a@bc.co" },

        /* the local part is ASCII */
        { "jos\xc3\xa9@x.com", NULL },
        { "\xe2\x80\x8b" "a@b.co", NULL },

        /* what libidn2 would map to something else than letters */
        { "a@b\xef\xbc\xa0" "c.co", NULL },        /* full width "@" */
        { "a@b\xe2\x84\x80" "c.co", NULL },        /* a/c */
        { "a@b\xef\xbc\x8f" "c.co", NULL },        /* full width "/" */
        { "a@b\xe2\x82\xa8" ".co", "a@brs.co" },   /* the rupee sign: "rs" */

        /* next to ASCII that is no letter */
        { "a@\xc3\xbc_b.co", NULL },
        { "a@\xc3\xbc b.co", NULL },
        { "a@\xc3\xbc@b.co", NULL },
        { "a@\xc3\xbc..co", NULL },
        { "a@-\xc3\xbc.co", NULL },
        { "a@\xc3\xbc-.co", NULL },
        { "a@\xc3\xbc.co.", NULL },
        { "a@\xc3\xbc.co\xe3\x80\x82", NULL },
        { "a@\xc3\xbc\xe3\x80\x82\xe3\x80\x82" "co", NULL },

        /* no white space, no emoji, no half characters */
        { "a@b\xc2\xa0" "c.co", NULL },
        { "a@\xf0\x9f\x98\x80.co", NULL },
        { "a@\xc3.co", NULL },
        { "a@\xff.co", NULL },
        { "a@\xed\xa0\x80.co", NULL }
    };

    for (i = 0; i < count(pairs); i++) {
        check(pairs[i][0], 0, pairs[i][1]);
    }

    /* a label too long only in its IDNA form */

    check("a@" "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6\xc3\xbc"
          "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb.de", 0,
          NULL);
}


static void
test_nul(void **state)
{
    ngx_str_t  in, key;

    in = bytes("a@b.co\0", 7);
    assert_int_equal(ngx_lead_email_check(pool, &in, 0, &key), NGX_DECLINED);

    in = bytes("a\0@b.co", 7);
    assert_int_equal(ngx_lead_email_check(pool, &in, 0, &key), NGX_DECLINED);

    in = bytes("a@\xc3\xbc\0.co", 8);
    assert_int_equal(ngx_lead_email_check(pool, &in, 0, &key), NGX_DECLINED);
}


/* no single byte at any place makes a key that has other bytes than these */

static void
test_bytes(void **state)
{
    char       text[] = "ab@c\xc3\xbc" "d.ef";
    char       was;
    size_t     i, n;
    ngx_uint_t c, taken;
    ngx_str_t  in, key;

    taken = 0;

    for (i = 0; i < sizeof(text) - 1; i++) {
        was = text[i];

        for (c = 0; c < 256; c++) {
            text[i] = (char) c;
            in = bytes(text, sizeof(text) - 1);

            if (ngx_lead_email_check(pool, &in, 0, &key) != NGX_OK) {
                continue;
            }

            taken++;

            for (n = 2; n < key.len; n++) {
                if (!islower(key.data[n]) && !isdigit(key.data[n])
                    && strchr("@.-", key.data[n]) == NULL)
                {
                    fail_msg("byte %d at %d", (int) c, (int) i);
                }
            }

            assert_int_equal(key.data[2], '@');
            assert_null(memchr(key.data + 3, '@', key.len - 3));
        }

        text[i] = was;
    }

    assert_true(taken > 300);
}


static void
test_no_memory(void **state)
{
    ngx_str_t  in, key;

    in = bytes("a@b.co", 6);
    ngx_pool_fail_at = 1;
    assert_int_equal(ngx_lead_email_check(pool, &in, 0, &key), NGX_ERROR);

    ngx_pool_fail_at = 0;
    in = bytes("a@\xc3\xbc.co", 7);
    ngx_pool_fail_at = 1;
    assert_int_equal(ngx_lead_email_check(pool, &in, 0, &key), NGX_ERROR);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_ascii, setup, teardown),
        cmocka_unit_test_setup_teardown(test_dotless, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lengths, setup, teardown),
        cmocka_unit_test_setup_teardown(test_idn, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nul, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
