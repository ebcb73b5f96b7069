
/*
 * Copyright (C) the ngx_lead authors
 *
 * Texts about people: capitals, companies, dates and URLs.
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
#include "ngx_lead_text.h"
#include "ngx_pool.h"


#define count(array)  (sizeof(array) / sizeof(array[0]))


typedef ngx_int_t (*change_pt)(ngx_pool_t *pool, ngx_str_t *in,
    ngx_str_t *out);


static ngx_pool_t  *pool;
static uint32_t     seed;


static int
setup(void **state)
{
    ngx_pool_fail_at = 0;
    seed = 12345;
    pool = ngx_create_pool(4096, NULL);

    return pool ? 0 : -1;
}


static int
teardown(void **state)
{
    ngx_destroy_pool(pool);

    return 0;
}


static ngx_uint_t
pick(ngx_uint_t n)
{
    seed = seed * 1664525 + 1013904223;

    return (seed >> 8) % n;
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
check(change_pt change, const char *text, const char *want)
{
    ngx_str_t  in, out;

    in = bytes(text, strlen(text));
    assert_int_equal(change(pool, &in, &out), NGX_OK);

    if (out.len != strlen(want) || memcmp(out.data, want, out.len) != 0) {
        fail_msg("\"%s\": got \"%.*s\", not \"%s\"", text, (int) out.len,
                 out.data, want);
    }

    assert_memory_equal(in.data, text, in.len);
}


static void
test_capitals(void **state)
{
    size_t  i;

    static const char  *pairs[][2] = {
        { "", "" },
        { "  ", "" },
        { "jane", "Jane" },
        { "  jane \t\n doe ", "Jane Doe" },
        { "jean-luc", "Jean-Luc" },
        { "o'neil", "O'Neil" },
        { "o\xe2\x80\x99neil", "O\xe2\x80\x99Neil" },
        { "McDonald", "McDonald" },
        { "mcdonald", "Mcdonald" },
        { "DeShawn", "DeShawn" },
        { "JD", "JD" },
        { "JANE", "JANE" },
        { "van der berg", "Van Der Berg" },
        { "anna--maria - x", "Anna--Maria - X" },
        { "a\xc2\xa0" "b", "A B" },

        /* the first letter, wherever it is; behind others only at once */
        { "(jane", "(Jane" },
        { "\xe2\x80\x9cjane", "\xe2\x80\x9cJane" },
        { "3rd x", "3Rd X" },
        { "a (b) c", "A (b) C" },
        { "a_b.c", "A_b.c" },

        { "\xc3\xa9mile", "\xc3\x89mile" },               /* é */
        { "\xc3\xb1o", "\xc3\x91o" },                     /* ñ */
        { "\xc3\xb8yvind", "\xc3\x98yvind" },             /* ø */
        { "\xc5\x9f\xc3\xbckr\xc3\xbc",
          "\xc5\x9e\xc3\xbckr\xc3\xbc" },                 /* ş */
        { "\xd0\xb8\xd0\xb2\xd0\xb0\xd0\xbd \xd1\x91",
          "\xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd \xd0\x81" },  /* Cyrillic */
        { "\xcf\x83\xce\xaf", "\xce\xa3\xce\xaf" },       /* Greek */
        { "\xd5\xa1\xd5\xa2", "\xd4\xb1\xd5\xa2" },       /* Armenian */
        { "\xf0\x90\x90\xa8", "\xf0\x90\x90\x80" },       /* Deseret */

        /* the length may change: ɐ Ɐ, ⱥ Ⱥ, ı I, ſ S */
        { "\xc9\x90\xc9\x90", "\xe2\xb1\xaf\xc9\x90" },
        { "\xe2\xb1\xa5", "\xc8\xba" },
        { "\xc4\xb1" "a", "Ia" },
        { "\xc5\xbf" "a", "Sa" },

        /* ǆ is ǅ there, not Ǆ; ß has no capital of one letter */
        { "\xc7\x86" "a", "\xc7\x85" "a" },
        { "\xc3\x9f" "a b", "\xc3\x9f" "a B" },

        /* without case: Georgian, Chinese, Arabic, Hebrew */
        { "\xe1\x83\x9c\xe1\x83\x98 a", "\xe1\x83\x9c\xe1\x83\x98 A" },
        { "\xe6\x9d\x8e" "a", "\xe6\x9d\x8e" "a" },
        { "\xd9\x85" "a", "\xd9\x85" "a" },
        { "\xd7\xa9" "a", "\xd7\xa9" "a" },
        { "\xf0\x9f\x98\x80jane", "\xf0\x9f\x98\x80Jane" },

        /* a longer way to write "a" is no letter */
        { "\xe0\x81\xa1 b", "\xe0\x81\xa1 B" },
        { "\xf0\x80\x81\xa1", "\xf0\x80\x81\xa1" }
    };

    for (i = 0; i < count(pairs); i++) {
        check(ngx_lead_text_capitals, pairs[i][0], pairs[i][1]);
    }
}


/* done twice it is the same; what is no UTF-8 passes */

static void
test_capitals_any(void **state)
{
    size_t      i, len;
    u_char      text[16];
    ngx_str_t   in, once, twice;
    ngx_uint_t  n;

    static const char  some[] = "ab' -\xe2\x80\x99\xc3\xa9\xc9\x90\t<>1";

    for (n = 0; n < 20000; n++) {
        len = pick(sizeof(text));

        for (i = 0; i < len; i++) {
            text[i] = pick(4) ? (u_char) some[pick(sizeof(some) - 1)]
                              : (u_char) pick(256);
        }

        in = bytes(text, len);
        assert_int_equal(ngx_lead_text_capitals(pool, &in, &once), NGX_OK);
        assert_true(once.len <= 2 * len);

        in = bytes(once.data, once.len);
        assert_int_equal(ngx_lead_text_capitals(pool, &in, &twice), NGX_OK);

        if (once.len != twice.len
            || memcmp(once.data, twice.data, once.len) != 0)
        {
            fail_msg("\"%.*s\", then \"%.*s\"", (int) once.len, once.data,
                     (int) twice.len, twice.data);
        }
    }
}


static void
test_company(void **state)
{
    size_t  i;

    static const char  *pairs[][2] = {
        { "", "" },
        { "Acme LLC", "Acme LLC" },
        { "  acme \r\n\t llc  ", "acme llc" },
        { "AT&T <b>Inc</b>", "AT&T Inc" },
        { "<script>alert(1)</script>Acme", "alert(1)Acme" },
        { "A <br> B", "A B" },
        { "A<br>B", "AB" },
        { "A < B", "A < B" },
        { "A > B", "A > B" },
        { "A > B < C", "A > B < C" },
        { "<<b>script>x", "script>x" },
        { "<scr<b>ipt>x", "ipt>x" },
        { "<>", "" },
        { "<", "<" },
        { "<<<", "<<<" },
        { "a\x01\x1f\x7f" "b", "ab" },
        { "a\tb", "a b" },
        { "\x01 a \x01", "a" },
        { "a \x01 b", "a b" },
        { "a\xc2\x85" "b\xc2\x9f", "ab" },
        { "a\xc2\xa0" "b", "a b" },
        { "a\xc2\xa9", "a\xc2\xa9" },
        { "<\x01" "b>", "" },
        { "<\nb\n>x", "x" },
        { "\xe6\xa0\xaa<i>\xe5\xbc\x8f", "\xe6\xa0\xaa\xe5\xbc\x8f" }
    };

    for (i = 0; i < count(pairs); i++) {
        check(ngx_lead_text_company, pairs[i][0], pairs[i][1]);
    }

    check(ngx_lead_text_untag, " a <b>\t c\x01 ", " a \t c\x01 ");
    check(ngx_lead_text_untag, "", "");
    check(ngx_lead_text_untag, "a < b", "a < b");
}


/* no tag remains, no control character, no space that is more than one */

static void
test_company_any(void **state)
{
    size_t      i, len;
    u_char      text[16], *open;
    ngx_str_t   in, out;
    ngx_uint_t  n;

    static const char  some[] = "<<<>>>a \t\x01/";

    for (n = 0; n < 20000; n++) {
        len = pick(sizeof(text));

        for (i = 0; i < len; i++) {
            text[i] = some[pick(sizeof(some) - 1)];
        }

        in = bytes(text, len);
        assert_int_equal(ngx_lead_text_company(pool, &in, &out), NGX_OK);
        assert_true(out.len <= len);

        open = out.len ? memchr(out.data, '<', out.len) : NULL;

        if (open && memchr(open, '>', out.data + out.len - open)) {
            fail_msg("\"%.*s\"", (int) out.len, out.data);
        }

        for (i = 0; i < out.len; i++) {
            assert_true(out.data[i] >= ' ');
            assert_false(out.data[i] == ' '
                         && (i == 0 || i == out.len - 1
                             || out.data[i + 1] == ' '));
        }
    }
}


static void
test_tags_are_quick(void **state)
{
    size_t      i;
    ngx_str_t   in, out;

    in.len = 1 << 20;
    in.data = ngx_pnalloc(pool, in.len);
    assert_non_null(in.data);
    memset(in.data, '<', in.len);

    /* were each "<" looked for a ">" anew, this would take minutes */

    for (i = 0; i < 4; i++) {
        assert_int_equal(ngx_lead_text_untag(pool, &in, &out), NGX_OK);
        assert_int_equal(out.len, in.len);
    }
}


static void
test_date(void **state)
{
    size_t     i;
    ngx_str_t  s;

    static const char  *good[] = {
        "1990-02-28", "2000-02-29", "2024-02-29", "2023-12-31", "0001-01-01",
        "9999-12-31", "2023-04-30", "2023-01-31", "1600-02-29"
    };

    static const char  *bad[] = {
        "", "2023-02-29", "1900-02-29", "2100-02-29", "2023-04-31",
        "2023-06-31", "2023-09-31", "2023-11-31", "2023-02-30", "2023-01-32",
        "2023-13-01", "2023-00-10", "2023-01-00", "0000-01-01", "02/28/2023",
        "2023-2-8", "2023-02-8", "23-02-08", "2023-02-08 ", " 2023-02-08",
        "2023-02-08T00:00:00Z", "2023/02/08", "20230208", "2023-0a-08",
        "+023-02-08", "-023-02-08", "2023--2-08", "2023-02-0\n",
        ("\xef\xbc\x92" "023-02-8")
    };

    for (i = 0; i < count(good); i++) {
        s = bytes(good[i], strlen(good[i]));

        if (!ngx_lead_text_date(&s)) {
            fail_msg("%s was not taken", good[i]);
        }
    }

    for (i = 0; i < count(bad); i++) {
        s = bytes(bad[i], strlen(bad[i]));

        if (ngx_lead_text_date(&s)) {
            fail_msg("%s was taken", bad[i]);
        }
    }
}


static void
test_url(void **state)
{
    size_t     i;
    ngx_str_t  s;

    static const char  *good[] = {
        "http://a.b", "https://example.com", "HTTPS://EXAMPLE.COM/",
        "https://example.com/a/b?c=d&e[]=f#g", "http://localhost",
        "http://localhost:8080/x", "http://my_host-1/", "http://1.2.3.4:80",
        "http://[::1]/", "http://[2001:db8::1]:80/x", "ftp://a.b/c",
        "http://user@a.b", "http://user:word%20@a.b/",
        "http://example.com.", "http://xn--bcher-kva.example",
        "http://a.xn--p1ai", "http://a.xn--p1ai./",
        ("http://b\xc3\xbc" "cher.de/\xc3\xa9?\xc3\xa9#\xc3\xa9"),
        "http://a.b/%20%C3%A9", "http://a.b?c", "http://a.b#c",
        "http://a.b/?c/d?e#f/?", "git+ssh://a.b/c", "myapp://open",
        "http://a.b/~x;y=1,2!$&'()*+"
    };

    static const char  *bad[] = {
        "", "a", "a.b", "example.com", "//a.b", "/a/b", "http:", "http:/",
        "http://", "http:///a", "http://?x", "http://#x", "http://:80",
        "http://.", "http://..", "http://a..b", "http://.a.b",
        "http://a.b..", "http:a.b",
        "mailto:a@b.co", "javascript:alert(1)", "javascript://a.b/%0aalert",
        "JavaScript://a.b", "vbscript://a.b", "1http://a.b", "://a.b",
        "ht tp://a.b", "http://a b", "http://a.b c", "http://a.b/c d",
        " http://a.b", "http://a.b ", "http://a.b\n", "http://a.b/\r\nx",
        "http://a.b/<x>", "http://a.b/\"x", "http://a.b/x\\y", "http://a.b/{",
        "http://a.b/|", "http://a.b/^", "http://a.b/`", "http://a.b/[x]",
        "http://a.b/%", "http://a.b/%2", "http://a.b/%zz", "http://a.b:",
        "http://a.b:x", "http://a.b:80x", "http://a.b/#x#y",
        "http://a.b-c", "http://a.b_c", "http://a.b-", "http://a.xn--",
        "http://a.b-c.", "http://<a>.b", "http://a@", "http://a:@b.c",
        "http://:a@b.c", "http://a@b@c.d", "http://[", "http://[]",
        "http://[::1", "http://[::g]", "http://[1.2.3.4]",
        "http://[0000:0000:0000:0000:0000:ffff:111.111.111.1110]",
        "http://a.b/\x7f", "http://a.b/\xff", "http://\xff.b", "http://a.\xc3",
        "http://a\xc2\xa0.b", "http://a.b/\xc2\xa0",
        "http://a.b/\xe0\x80\xaf", "http://a.b/\xed\xa0\x80",
        "http://\xf4\x90\x80\x80.b"
    };

    for (i = 0; i < count(good); i++) {
        s = bytes(good[i], strlen(good[i]));

        if (!ngx_lead_text_url(&s)) {
            fail_msg("%s was not taken", good[i]);
        }
    }

    for (i = 0; i < count(bad); i++) {
        s = bytes(bad[i], strlen(bad[i]));

        if (ngx_lead_text_url(&s)) {
            fail_msg("%s was taken", bad[i]);
        }
    }

    s = bytes("http://a.b/\0", 12);
    assert_false(ngx_lead_text_url(&s));

    s = bytes("http://[::1\0]", 13);
    assert_false(ngx_lead_text_url(&s));
}


/* whatever comes, nothing is read beyond it */

static void
test_url_any(void **state)
{
    size_t      i, len;
    u_char      text[24];
    ngx_str_t   in;
    ngx_uint_t  n, taken;

    static const char  some[] = "::///..aaxn--[]@?#%0\xc3\xa9";

    taken = 0;

    for (n = 0; n < 50000; n++) {
        len = 7 + pick(sizeof(text) - 7);
        memcpy(text, "http://", 7);

        for (i = pick(8); i < len; i++) {
            text[i] = some[pick(sizeof(some) - 1)];
        }

        in = bytes(text, len);
        taken += ngx_lead_text_url(&in);
    }

    assert_true(taken > 100 && taken < 40000);
}


static void
test_no_memory(void **state)
{
    ngx_str_t   in, out;
    ngx_uint_t  n;

    in = bytes("a", 1);

    for (n = 1; n <= 2; n++) {
        ngx_pool_fail_at = n;
        assert_int_equal(ngx_lead_text_capitals(pool, &in, &out), NGX_ERROR);
    }

    ngx_pool_fail_at = 1;
    assert_int_equal(ngx_lead_text_company(pool, &in, &out), NGX_ERROR);

    ngx_pool_fail_at = 1;
    assert_int_equal(ngx_lead_text_untag(pool, &in, &out), NGX_ERROR);

    ngx_pool_fail_at = 0;
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_capitals, setup, teardown),
        cmocka_unit_test_setup_teardown(test_capitals_any, setup, teardown),
        cmocka_unit_test_setup_teardown(test_company, setup, teardown),
        cmocka_unit_test_setup_teardown(test_company_any, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tags_are_quick, setup, teardown),
        cmocka_unit_test_setup_teardown(test_date, setup, teardown),
        cmocka_unit_test_setup_teardown(test_url, setup, teardown),
        cmocka_unit_test_setup_teardown(test_url_any, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
