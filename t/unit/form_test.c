
/*
 * Copyright (C) the ngx_lead authors
 *
 * Urlencoded forms and query arguments to trees: what is taken, and as what;
 * brackets; the limits and one beyond each.  Also media types.
 *
 * Needs cmocka, yajl and ngx_pool.c, no nginx, and must not time anything.
 * All memory is the pool's of the test.
 */


#include "json_test.h"
#include "ngx_lead_form.h"


/* without brackets, with them */

#define plain(in, out)                                                        \
    check_takes((u_char *) in, sizeof(in) - 1, 0, out, __LINE__)

#define nested(in, out)                                                       \
    check_takes((u_char *) in, sizeof(in) - 1, 1, out, __LINE__)

#define same(in, out)                                                         \
    plain(in, out);                                                           \
    nested(in, out)

#define refuses(in, len, brackets, why)                                       \
    check_refuses(in, len, brackets, why, __LINE__)

#define is_type(in, type)                                                     \
    check_type((u_char *) in, sizeof(in) - 1, type, __LINE__)

#define FIELDS  "too many fields in a form"
#define NAME    "name of a form's field too long"
#define DEPTH   "too many brackets in the name of a form's field"
#define LENGTH  "array in a form too long"


static ngx_lead_json_t *
form(u_char *in, size_t len, ngx_uint_t brackets, int line)
{
    ngx_str_t         s;
    const char       *why;
    ngx_lead_json_t  *root;

    why = "";
    root = NULL;
    s = bytes(in, len);

    if (ngx_lead_form_urlencoded(pool, &s, brackets, &root, &why) != NGX_OK) {
        fail_msg("line %d: refused: %s: %.*s", line, why, (int) len, in);
    }

    if (ngx_memcmp(s.data, in, len) != 0) {
        fail_msg("line %d: the input was changed", line);
    }

    assert_int_equal(root->type, NGX_LEAD_JSON_OBJECT);

    return root;
}


static void
check_takes(u_char *in, size_t len, ngx_uint_t brackets, const char *out,
    int line)
{
    const char  *got;

    got = text(form(in, len, brackets, line));

    if (ngx_strcmp(got, out) != 0) {
        fail_msg("line %d: got %s", line, got);
    }
}


static void
check_refuses(u_char *in, size_t len, ngx_uint_t brackets, const char *reason,
    int line)
{
    ngx_int_t         rc;
    ngx_str_t         s;
    const char       *why;
    ngx_lead_json_t  *root;

    why = "";
    root = NULL;
    s = bytes(in, len);

    rc = ngx_lead_form_urlencoded(pool, &s, brackets, &root, &why);

    if (rc != NGX_DECLINED || ngx_strcmp(why, reason) != 0 || root) {
        fail_msg("line %d: %d %s: %.*s", line, (int) rc, why, (int) len, in);
    }
}


static void
test_pairs(void **state)
{
    ngx_str_t         none;
    const char       *why;
    ngx_lead_json_t  *root;

    same("", "{}");
    same("&", "{}");
    same("&&&", "{}");
    same("a=1", "{\"a\":\"1\"}");
    same("a", "{\"a\":\"\"}");
    same("a=", "{\"a\":\"\"}");
    same("a&b", "{\"a\":\"\",\"b\":\"\"}");
    same("a=1&b=2", "{\"a\":\"1\",\"b\":\"2\"}");
    same("&a=1&&b=2&", "{\"a\":\"1\",\"b\":\"2\"}");
    same("a=b=c==", "{\"a\":\"b=c==\"}");
    same("a=1;b=2", "{\"a\":\"1;b=2\"}");
    same("a b=c d", "{\"a b\":\"c d\"}");
    same("a=1\r\n", "{\"a\":\"1\\r\\n\"}");
    same("a=?x#y/z", "{\"a\":\"?x#y/z\"}");
    same("status:stage=New&_x.y-z=1",
         "{\"status:stage\":\"New\",\"_x.y-z\":\"1\"}");

    /* names that are empty */

    same("=", "{}");
    same("=1", "{}");
    same("=1&a=2&=3", "{\"a\":\"2\"}");
    same("==", "{}");

    ngx_str_null(&none);
    assert_int_equal(ngx_lead_form_urlencoded(pool, &none, 1, &root, &why),
                     NGX_OK);
    assert_string_equal(text(root), "{}");
}


static void
test_escapes(void **state)
{
    u_char      in[8], out[32];
    ngx_uint_t  i, j;

    same("a+b=c+d", "{\"a b\":\"c d\"}");
    same("+=+", "{\" \":\" \"}");
    same("a=%2B%2b", "{\"a\":\"++\"}");
    same("%61%3D%26=%3d%26", "{\"a=&\":\"=&\"}");
    same("phone=+15551234567", "{\"phone\":\" 15551234567\"}");
    same("a=%E4%BD%A0&%C3%A9=1",
         "{\"a\":\"\xe4\xbd\xa0\",\"\xc3\xa9\":\"1\"}");
    same("a=%0D%0A%7f", "{\"a\":\"\\r\\n\x7f\"}");
    same("a=%EF%BB%BFx", "{\"a\":\"\xef\xbb\xbfx\"}");

    /* what is no escape */

    same("a=%", "{\"a\":\"%\"}");
    same("a=%4", "{\"a\":\"%4\"}");
    same("a=%4&b=%", "{\"a\":\"%4\",\"b\":\"%\"}");
    same("a=%4g%g4%zz", "{\"a\":\"%4g%g4%zz\"}");
    same("a=100%+sure", "{\"a\":\"100% sure\"}");
    same("a=%%41%4%41", "{\"a\":\"%A%4A\"}");
    same("a=%+1%-1% 1%0x", "{\"a\":\"% 1%-1% 1%0x\"}");
    same("%=%", "{\"%\":\"%\"}");
    same("a=%2541", "{\"a\":\"%41\"}");

    /* all pairs of characters, ASCII as the result */

    for (i = 0; i < 128 * 128; i++) {
        in[0] = 'a';
        in[1] = '=';
        in[2] = '%';
        in[3] = i / 128;
        in[4] = i % 128;

        if (isxdigit(in[3]) && isxdigit(in[4])) {
            in[5] = '\0';
            j = strtol((char *) in + 3, NULL, 16);

            if (j >= 0x20 && j < 0x80 && j != '"' && j != '\\') {
                sprintf((char *) out, "{\"a\":\"%c\"}", (int) j);
                check_takes(in, 5, 0, (char *) out, __LINE__);
            }

        } else if (in[3] > ' ' && in[4] > ' ' && in[3] != '&' && in[4] != '&'
                   && in[3] != '"' && in[4] != '"' && in[3] != '\\'
                   && in[4] != '\\' && in[3] != '+' && in[4] != '+')
        {
            sprintf((char *) out, "{\"a\":\"%%%c%c\"}", in[3], in[4]);
            check_takes(in, 5, 0, (char *) out, __LINE__);
        }
    }
}


/* the decoder of the Encoding standard, step by step; returns the length */

static size_t
decode(u_char *dst, const u_char *p, size_t len)
{
    u_char   low, high, kept[4];
    size_t   i, seen, needed;
    u_char  *start;

    start = dst;
    low = 0x80;
    high = 0xbf;
    seen = 0;
    needed = 0;

    for (i = 0; i < len; i++) {

        if (needed == 0) {
            kept[0] = p[i];
            seen = 0;

            if (p[i] < 0x80) {
                *dst++ = p[i];

            } else if (p[i] >= 0xc2 && p[i] <= 0xdf) {
                needed = 1;

            } else if (p[i] >= 0xe0 && p[i] <= 0xef) {
                low = (p[i] == 0xe0) ? 0xa0 : low;
                high = (p[i] == 0xed) ? 0x9f : high;
                needed = 2;

            } else if (p[i] >= 0xf0 && p[i] <= 0xf4) {
                low = (p[i] == 0xf0) ? 0x90 : low;
                high = (p[i] == 0xf4) ? 0x8f : high;
                needed = 3;

            } else {
                dst = ngx_cpymem(dst, "\xef\xbf\xbd", 3);
            }

            continue;
        }

        if (p[i] < low || p[i] > high) {
            needed = 0;
            low = 0x80;
            high = 0xbf;
            dst = ngx_cpymem(dst, "\xef\xbf\xbd", 3);
            i--;
            continue;
        }

        low = 0x80;
        high = 0xbf;
        kept[++seen] = p[i];

        if (seen == needed) {
            dst = ngx_cpymem(dst, kept, seen + 1);
            needed = 0;
        }
    }

    if (needed) {
        dst = ngx_cpymem(dst, "\xef\xbf\xbd", 3);
    }

    return dst - start;
}


static void
check_utf8(u_char *p, size_t len)
{
    u_char            in[64], out[64];
    size_t            n;
    ngx_lead_json_t  *root;

    in[0] = 'a';
    in[1] = '=';
    ngx_memcpy(in + 2, p, len);

    n = decode(out, p, len);
    root = form(in, len + 2, 0, __LINE__);

    assert_int_equal(root->n, 1);
    assert_int_equal(root->first->text.len, n);
    assert_memory_equal(root->first->text.data, out, n);
}


static void
test_utf8(void **state)
{
    size_t               i, n, at;
    u_char               p[24];
    uint32_t             k;
    static const u_char  some[] = {
        'x', 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf,
        0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff
    };

    same("a=\xff", "{\"a\":\"\xef\xbf\xbd\"}");
    same("a=%FF%FE", "{\"a\":\"\xef\xbf\xbd\xef\xbf\xbd\"}");
    same("a=%C3&b=%A9", "{\"a\":\"\xef\xbf\xbd\",\"b\":\"\xef\xbf\xbd\"}");
    same("a=%F0%9F%98&b=", "{\"a\":\"\xef\xbf\xbd\",\"b\":\"\"}");
    same("a=%ED%A0%80",
         "{\"a\":\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"}");
    same("%E9t%E9=x", "{\"\xef\xbf\xbdt\xef\xbf\xbd\":\"x\"}");

    /* two names that become one */

    same("%FF=1&%FE=2", "{\"\xef\xbf\xbd\":\"2\"}");

    for (k = 0; k < 0x10000; k++) {

        if (k >> 8 != '&' && (k & 0xff) != '&' && k >> 8 != '+'
            && (k & 0xff) != '+' && k >> 8 != '%' && (k & 0xff) != '%')
        {
            p[0] = k >> 8;
            p[1] = k & 0xff;
            check_utf8(p, 2);
        }

        if (k % 4096 == 0) {
            ngx_reset_pool(pool);
        }
    }

    /* up to six bytes, alone and around the ends of words of eight */

    for (k = 0; k < 60000; k++) {
        n = 1 + pick(6);
        at = pick(12);

        ngx_memset(p, 'y', sizeof(p));

        for (i = 0; i < n; i++) {
            p[at + i] = some[pick(sizeof(some))];
        }

        check_utf8(p, at + n + pick(2) * pick(6));

        if (k % 4096 == 0) {
            ngx_reset_pool(pool);
        }
    }
}


static void
test_nul(void **state)
{
    ngx_lead_json_t  *root;

    root = form((u_char *) "a=x%00&b=x&c=y\0z&d=%00", 22, 0, __LINE__);

    assert_int_equal(root->n, 4);
    assert_int_equal(root->first->type, NGX_LEAD_JSON_NUL_STRING);
    assert_int_equal(root->first->text.len, 2);
    assert_int_equal(root->first->next->type, NGX_LEAD_JSON_STRING);
    assert_int_equal(root->first->next->next->type, NGX_LEAD_JSON_NUL_STRING);
    assert_int_equal(root->last->type, NGX_LEAD_JSON_NUL_STRING);
    assert_int_equal(root->last->text.len, 1);

    /* the last one wins here too */

    root = form((u_char *) "a=%00&a=x&b=1&b=%00", 19, 0, __LINE__);

    assert_int_equal(root->first->type, NGX_LEAD_JSON_STRING);
    assert_int_equal(root->last->type, NGX_LEAD_JSON_NUL_STRING);

    same("a%00b=1", "{\"a\\u0000b\":\"1\"}");
}


static void
test_duplicates(void **state)
{
    same("a=1&a=2", "{\"a\":\"2\"}");
    same("a=1&b=2&a=3", "{\"a\":\"3\",\"b\":\"2\"}");
    same("a=1&b=2&b&a", "{\"a\":\"\",\"b\":\"\"}");
    same("a=1&%61=2&A=3", "{\"a\":\"2\",\"A\":\"3\"}");
    same("a+b=1&a%20b=2", "{\"a b\":\"2\"}");

    plain("a[]=1&a[]=2&a[b]=3", "{\"a[]\":\"2\",\"a[b]\":\"3\"}");
}


static void
test_brackets(void **state)
{
    nested("a[]=1", "{\"a\":[\"1\"]}");
    nested("a[]", "{\"a\":[\"\"]}");
    nested("a[]=1&a[]=2", "{\"a\":[\"1\",\"2\"]}");
    nested("a%5B%5D=1&b=x&a%5b%5d=2", "{\"a\":[\"1\",\"2\"],\"b\":\"x\"}");
    nested("a[b]=1", "{\"a\":{\"b\":\"1\"}}");
    nested("a[b]=1&a[c]=2&a[b]=3", "{\"a\":{\"b\":\"3\",\"c\":\"2\"}}");
    nested("a[b][c]=1&a[b][d]=2", "{\"a\":{\"b\":{\"c\":\"1\",\"d\":\"2\"}}}");
    nested("a[b][]=1&a[b][]=2", "{\"a\":{\"b\":[\"1\",\"2\"]}}");
    nested("a[][]=1&a[][]=2", "{\"a\":[[\"1\"],[\"2\"]]}");
    nested("a[][b]=1&a[][c]=2", "{\"a\":[{\"b\":\"1\"},{\"c\":\"2\"}]}");
    nested("a[ b ]=1", "{\"a\":{\" b \":\"1\"}}");
    nested("a[b.c]=1&a[d=e=f", "{\"a\":{\"b.c\":\"1\"},\"a[d\":\"e=f\"}");
    nested("a.b[c]=1", "{\"a.b\":{\"c\":\"1\"}}");
    nested("batch[0][email]=x&batch[0][n]=1&batch[1][email]=y",
           "{\"batch\":[{\"email\":\"x\",\"n\":\"1\"},{\"email\":\"y\"}]}");
    nested("notes[0][text]=t&notes[0][tag]=u&notes[]=v",
           "{\"notes\":[{\"text\":\"t\",\"tag\":\"u\"},\"v\"]}");

    /* the key is what is decoded, U+FFFD too */

    nested("a[%FF]=1&a[%FE]=2", "{\"a\":{\"\xef\xbf\xbd\":\"2\"}}");
    nested("a[%00]=1", "{\"a\":{\"\\u0000\":\"1\"}}");
    nested("a[+]=1", "{\"a\":{\" \":\"1\"}}");
}


static void
test_literal(void **state)
{
    same("a[=1", "{\"a[\":\"1\"}");
    same("a]=1", "{\"a]\":\"1\"}");
    same("a[b=1", "{\"a[b\":\"1\"}");
    same("a[b]c=1", "{\"a[b]c\":\"1\"}");
    same("a[b]]=1", "{\"a[b]]\":\"1\"}");
    same("a[b][=1", "{\"a[b][\":\"1\"}");
    same("a[b][c=1", "{\"a[b][c\":\"1\"}");
    same("a[b]x[c]=1", "{\"a[b]x[c]\":\"1\"}");
    same("a[b[c]]=1", "{\"a[b[c]]\":\"1\"}");
    same("a[b[[c]=1", "{\"a[b[[c]\":\"1\"}");
    same("a[[b]]=1", "{\"a[[b]]\":\"1\"}");
    same("a][b]=1", "{\"a][b]\":\"1\"}");
    same("[]=1", "{\"[]\":\"1\"}");
    same("[a]=1", "{\"[a]\":\"1\"}");
    same("[=1", "{\"[\":\"1\"}");
    same("]=1", "{\"]\":\"1\"}");
    same("][=1", "{\"][\":\"1\"}");

    /* more than eight, but not well-formed */

    same("a[1][2][3][4][5][6][7][8][9]x=1",
         "{\"a[1][2][3][4][5][6][7][8][9]x\":\"1\"}");
}


static void
test_conflicts(void **state)
{
    nested("a=1&a[b]=2", "{\"a\":{\"b\":\"2\"}}");
    nested("a[b]=1&a=2", "{\"a\":\"2\"}");
    nested("a[b]=1&a=2&a[c]=3", "{\"a\":{\"c\":\"3\"}}");
    nested("a[]=1&a=2&a[]=3", "{\"a\":[\"3\"]}");
    nested("a=1&x=y&a[]=2", "{\"a\":[\"2\"],\"x\":\"y\"}");
    nested("a[b]=1&a[b][c]=2", "{\"a\":{\"b\":{\"c\":\"2\"}}}");
    nested("a[b][c]=1&a[b]=2", "{\"a\":{\"b\":\"2\"}}");
    nested("a[0]=1&a[0][]=2", "{\"a\":[[\"2\"]]}");
    nested("a=%00&a[b]=2", "{\"a\":{\"b\":\"2\"}}");
    nested("a[]=1&a[b]=2", "{\"a\":{\"0\":\"1\",\"b\":\"2\"}}");
    nested("a[b]=1&a[]=2", "{\"a\":{\"b\":\"1\",\"0\":\"2\"}}");
}


static void
test_indexes(void **state)
{
    nested("a[0]=x&a[1]=y", "{\"a\":[\"x\",\"y\"]}");
    nested("a[0]=x&a[]=y&a[2]=z", "{\"a\":[\"x\",\"y\",\"z\"]}");
    nested("a[0]=x&a[1]=y&a[0]=z", "{\"a\":[\"z\",\"y\"]}");
    nested("a[1]=x&a[0]=y", "{\"a\":{\"1\":\"x\",\"0\":\"y\"}}");
    nested("a[1]=x", "{\"a\":{\"1\":\"x\"}}");
    nested("a[0]=x&a[2]=y", "{\"a\":{\"0\":\"x\",\"2\":\"y\"}}");
    nested("a[5]=x&a[]=y&a[3]=z&a[]=w",
           "{\"a\":{\"5\":\"x\",\"6\":\"y\",\"3\":\"z\",\"7\":\"w\"}}");
    nested("a[9]=x&a[]=y&a[]=z",
           "{\"a\":{\"9\":\"x\",\"10\":\"y\",\"11\":\"z\"}}");
    nested("a[99]=x&a[]=y", "{\"a\":{\"99\":\"x\",\"100\":\"y\"}}");

    /* no numbers */

    nested("a[00]=x&a[]=y", "{\"a\":{\"00\":\"x\",\"0\":\"y\"}}");
    nested("a[01]=x", "{\"a\":{\"01\":\"x\"}}");
    nested("a[-1]=x&a[]=y", "{\"a\":{\"-1\":\"x\",\"0\":\"y\"}}");
    nested("a[1e1]=x&a[]=y", "{\"a\":{\"1e1\":\"x\",\"0\":\"y\"}}");
    nested("a[ 0]=x", "{\"a\":{\" 0\":\"x\"}}");
    nested("a[:]=x&a[/]=y&a[]=z",
           "{\"a\":{\":\":\"x\",\"/\":\"y\",\"0\":\"z\"}}");

    /* the object itself is none of ours */

    same("0=x&1=y", "{\"0\":\"x\",\"1\":\"y\"}");

    /* the greatest, and one beyond */

    nested("a[998]=x&a[]=y", "{\"a\":{\"998\":\"x\",\"999\":\"y\"}}");
    refuses((u_char *) "a[999]=x&a[]=y", 14, 1, LENGTH);
    nested("a[1000]=x&a[]=y", "{\"a\":{\"1000\":\"x\",\"0\":\"y\"}}");
    nested("a[18446744073709551615]=x&a[]=y",
           "{\"a\":{\"18446744073709551615\":\"x\",\"0\":\"y\"}}");
    nested("a[999][]=x&b[]=y", "{\"a\":{\"999\":[\"x\"]},\"b\":[\"y\"]}");
}


static void
test_array_nodes(void **state)
{
    ngx_lead_json_t  *root, *a;

    root = form((u_char *) "a[]=1&a[][b]=2&c[1]=3", 21, 1, __LINE__);

    a = root->first;
    assert_int_equal(a->type, NGX_LEAD_JSON_ARRAY);
    assert_int_equal(a->n, 2);
    assert_int_equal(a->first->name.len, 0);
    assert_null(a->first->name.data);
    assert_int_equal(a->last->type, NGX_LEAD_JSON_OBJECT);
    assert_ptr_equal(a->last, a->first->next);
    assert_null(a->last->next);
    assert_int_equal(a->last->first->name.len, 1);
    assert_int_equal(root->last->type, NGX_LEAD_JSON_OBJECT);

    assert_ptr_equal(ngx_lead_json_get(root, "c"), root->last);
    assert_non_null(ngx_lead_json_get(root->last, "1"));

    /* a value that was an object has nothing left of it */

    root = form((u_char *) "a[b]=1&a=2", 10, 1, __LINE__);

    a = root->first;
    assert_int_equal(a->type, NGX_LEAD_JSON_STRING);
    assert_int_equal(a->n, 0);
    assert_null(a->first);
    assert_null(a->last);

    root = form((u_char *) "a=1&a[b]=2", 10, 1, __LINE__);

    assert_int_equal(root->first->text.len, 0);
    assert_int_equal(root->first->n, 1);
}


static size_t
repeat(u_char *dst, ngx_uint_t n, const char *what)
{
    u_char      *p;
    ngx_uint_t   i;

    for (p = dst, i = 0; i < n; i++) {
        p = ngx_cpymem(p, what, ngx_strlen(what));
    }

    return p - dst;
}


static void
test_limits(void **state)
{
    u_char            in[4096];
    size_t            len;
    ngx_uint_t        i, max;
    ngx_lead_json_t  *root;

    /* fields, equal ones and those that are dropped too, but no empty pairs */

    max = NGX_LEAD_FORM_MAX_FIELDS;
    assert_int_equal(max, 128);

    for (i = 0, len = 0; i < max; i++) {
        len += sprintf((char *) in + len, "%sa%d=%d", i ? "&" : "", (int) i,
                       (int) i);
    }

    root = form(in, len, 0, __LINE__);
    assert_int_equal(root->n, max);
    assert_int_equal(form(in, len, 1, __LINE__)->n, max);

    refuses(in, len + repeat(in + len, 1, "&b"), 0, FIELDS);
    refuses(in, len + repeat(in + len, 1, "&b"), 1, FIELDS);
    refuses(in, len + repeat(in + len, 1, "&="), 0, FIELDS);
    assert_int_equal(form(in, len + repeat(in + len, 9, "&"), 0,
                          __LINE__)->n, max);

    len = repeat(in, max, "a=1&");
    check_takes(in, len, 1, "{\"a\":\"1\"}", __LINE__);
    refuses(in, repeat(in, max + 1, "a=1&"), 1, FIELDS);

    len = repeat(in, max, "=1&");
    check_takes(in, len, 1, "{}", __LINE__);
    refuses(in, repeat(in, max + 1, "=1&"), 1, FIELDS);

    len = repeat(in, max, "a[]=1&");
    root = form(in, len, 1, __LINE__);
    assert_int_equal(root->first->type, NGX_LEAD_JSON_ARRAY);
    assert_int_equal(root->first->n, max);

    check_takes(in, repeat(in, 1000, "&"), 1, "{}", __LINE__);

    /* bytes of a name, decoded */

    max = NGX_LEAD_FORM_MAX_NAME;
    assert_int_equal(max, 255);

    len = repeat(in, max, "n");
    root = form(in, len, 0, __LINE__);
    assert_int_equal(root->first->name.len, max);
    refuses(in, repeat(in, max + 1, "n"), 0, NAME);
    refuses(in, repeat(in, max + 1, "n"), 1, NAME);

    root = form(in, repeat(in, max, "%6e"), 0, __LINE__);
    assert_int_equal(root->first->name.len, max);
    refuses(in, repeat(in, max + 1, "%6e"), 0, NAME);

    root = form(in, repeat(in, max / 3, "\xff"), 0, __LINE__);
    assert_int_equal(root->first->name.len, max);
    refuses(in, repeat(in, max / 3 + 1, "\xff"), 0, NAME);

    len = repeat(in, max - 2, "n");
    (void) repeat(in + len, 1, "[]]");
    assert_int_equal(form(in, max, 1, __LINE__)->first->name.len, max - 2);
    refuses(in, max + 1, 1, NAME);

    /* nesting */

    len = 1 + repeat(in + 1, 8, "[b]");
    in[0] = 'a';
    check_takes(in, len, 1, "{\"a\":{\"b\":{\"b\":{\"b\":{\"b\":{\"b\":"
                "{\"b\":{\"b\":{\"b\":\"\"}}}}}}}}}", __LINE__);
    check_takes(in, 1 + repeat(in + 1, 8, "[]"), 1,
                "{\"a\":[[[[[[[[\"\"]]]]]]]]}", __LINE__);

    refuses(in, 1 + repeat(in + 1, 9, "[]"), 1, DEPTH);
    refuses(in, 1 + repeat(in + 1, 9, "[b]"), 1, DEPTH);
    refuses(in, 1 + repeat(in + 1, 80, "[b]"), 1, DEPTH);
    assert_int_equal(form(in, 1 + repeat(in + 1, 80, "[b]"), 0,
                          __LINE__)->first->name.len, 241);
}


static void
test_cut(void **state)
{
    size_t             i;
    ngx_lead_json_t   *root;
    static u_char      doc[] = "a%5B0%5D[email]=%F0%9F%98%80+x&b[]=1&&b[]=%4"
                               "&c=\xe4\xbd\xa0%00&b=%zz&=3&d";

    for (i = 0; i < sizeof(doc); i++) {
        root = form(doc, i, 0, __LINE__);
        assert_true(root->n <= 5);
        root = form(doc, i, 1, __LINE__);
        assert_true(root->n <= 4);
        root = form(doc + i, sizeof(doc) - 1 - i, 1, __LINE__);
        assert_true(root->n <= 5);
    }

    check_takes(doc, sizeof(doc) - 1, 1, "{\"a\":[{\"email\":"
                "\"\xf0\x9f\x98\x80 x\"}],\"b\":\"%zz\","
                "\"c\":\"\xe4\xbd\xa0\\u0000\",\"d\":\"\"}", __LINE__);
}


static void
test_zero_copy(void **state)
{
    ngx_str_t          in;
    const char        *why;
    ngx_lead_json_t   *root, *node;
    static const char  doc[] = "name=text&a[bc]=d&\xc3\xa9=\xc3\xa9&x=a+b&y";

    in = bytes(doc, sizeof(doc) - 1);
    assert_int_equal(ngx_lead_form_urlencoded(pool, &in, 1, &root, &why),
                     NGX_OK);

    node = root->first;
    assert_ptr_equal(node->name.data, in.data);
    assert_ptr_equal(node->text.data, in.data + 5);

    node = node->next;
    assert_ptr_equal(node->name.data, in.data + 10);
    assert_ptr_equal(node->first->name.data, in.data + 12);
    assert_ptr_equal(node->first->text.data, in.data + 16);

    node = node->next;
    assert_ptr_equal(node->name.data, in.data + 18);
    assert_ptr_equal(node->text.data, in.data + 21);

    node = node->next;
    assert_ptr_equal(node->name.data, in.data + 24);
    assert_int_equal(node->text.len, 3);
    assert_true(node->text.data < in.data
                || node->text.data >= in.data + in.len);

    node = node->next;
    assert_int_equal(node->text.len, 0);
    assert_ptr_equal(node, root->last);
}


static void
test_no_memory(void **state)
{
    ngx_int_t         rc;
    ngx_str_t         in;
    ngx_uint_t        n;
    const char       *why;
    ngx_lead_json_t  *root;

    static u_char  doc[] = "a%5B%5D=1&a[][b]=%41&c=\xff&%ff=x&d[x]=1&d=2";

    in = bytes(doc, sizeof(doc) - 1);

    for (n = 1; n < 100; n++) {
        root = NULL;
        why = NULL;
        ngx_pool_fail_at = n;

        rc = ngx_lead_form_urlencoded(pool, &in, 1, &root, &why);

        if (ngx_pool_fail_at) {
            break;
        }

        assert_int_equal(rc, NGX_ERROR);
        assert_null(root);
        assert_null(why);
    }

    /* nodes: the root, a, its two elements, b, c, %ff, d, x; texts: a[], two
     * numbers, %41, \xff, %ff and its U+FFFD */

    assert_int_equal(n, 9 + 7 + 1);

    ngx_pool_fail_at = 0;
    assert_int_equal(rc, NGX_OK);
    assert_string_equal(text(root), "{\"a\":[\"1\",{\"b\":\"A\"}],\"c\":\""
                        "\xef\xbf\xbd\",\"\xef\xbf\xbd\":\"x\",\"d\":\"2\"}");
}


/* names and values of any bytes, written in any of the ways there are */

static u_char *
encode(u_char *dst, u_char *p, size_t len)
{
    size_t                i;
    static const u_char  *hex[] = {
        (u_char *) "0123456789ABCDEF", (u_char *) "0123456789abcdef"
    };

    for (i = 0; i < len; i++) {

        if (p[i] == ' ' && pick(2)) {
            *dst++ = '+';

        } else if (pick(3) == 0 || strchr("&=%+", p[i])) {
            *dst++ = '%';
            *dst++ = hex[pick(2)][p[i] >> 4];
            *dst++ = hex[pick(2)][p[i] & 0x0f];

        } else {
            *dst++ = p[i];
        }
    }

    return dst;
}


static void
test_random(void **state)
{
    u_char            in[8192], *p, names[20][8], values[20][40];
    size_t            i, k, count, nlen[20], vlen[20];
    ngx_uint_t        n;
    ngx_lead_json_t  *root, *node;

    for (n = 0; n < 3000; n++) {
        count = pick(20);
        p = in;

        for (i = 0; i < count; i++) {
            nlen[i] = 2 + pick(6);
            vlen[i] = pick(40);

            for (k = 0; k < nlen[i]; k++) {
                names[i][k] = pick(128);
            }

            names[i][0] = (u_char) (0x20 + i);      /* all differ */

            for (k = 0; k < vlen[i]; k++) {
                values[i][k] = pick(128);
            }

            *p++ = '&';
            p = encode(p, names[i], nlen[i]);
            *p++ = '=';
            p = encode(p, values[i], vlen[i]);
        }

        root = form(in, p - in, 0, __LINE__);
        assert_int_equal(root->n, count);

        node = root->first;

        for (i = 0; i < count; i++) {
            assert_int_equal(node->name.len, nlen[i]);
            assert_memory_equal(node->name.data, names[i], nlen[i]);
            assert_int_equal(node->text.len, vlen[i]);
            assert_memory_equal(node->text.data, values[i], vlen[i]);
            assert_int_equal(node->type,
                             memchr(values[i], 0, vlen[i])
                             ? NGX_LEAD_JSON_NUL_STRING
                             : NGX_LEAD_JSON_STRING);
            node = node->next;
        }

        if (n % 64 == 0) {
            ngx_reset_pool(pool);
        }
    }
}


static void
check_type(u_char *in, size_t len, ngx_lead_form_type_e type, int line)
{
    ngx_str_t  s;

    s = bytes(in, len);

    if (ngx_lead_form_type(&s) != type) {
        fail_msg("line %d: %d", line, (int) ngx_lead_form_type(&s));
    }
}


static void
test_type(void **state)
{
    ngx_str_t  none;

    ngx_str_null(&none);
    assert_int_equal(ngx_lead_form_type(&none), NGX_LEAD_FORM_NONE);

    is_type("", NGX_LEAD_FORM_NONE);
    is_type(" \t", NGX_LEAD_FORM_NONE);

    is_type("application/x-www-form-urlencoded", NGX_LEAD_FORM_URLENCODED);
    is_type("Application/X-WWW-Form-URLEncoded; charset=UTF-8",
            NGX_LEAD_FORM_URLENCODED);
    is_type(" application/x-www-form-urlencoded \t;", NGX_LEAD_FORM_URLENCODED);
    is_type("application/x-www-form-urlencoded;x", NGX_LEAD_FORM_URLENCODED);
    is_type("application/x-www-form-urlencode", NGX_LEAD_FORM_OTHER);
    is_type("application/x-www-form-urlencodedx", NGX_LEAD_FORM_OTHER);
    is_type("application/x-www-form-urlencoded x", NGX_LEAD_FORM_OTHER);
    is_type("application/x-www-form-urlencoded,x", NGX_LEAD_FORM_OTHER);
    is_type("application/x-www-form-urlencoded\0", NGX_LEAD_FORM_OTHER);

    is_type("multipart/form-data", NGX_LEAD_FORM_MULTIPART);
    is_type("MULTIPART/FORM-DATA;boundary=x", NGX_LEAD_FORM_MULTIPART);
    is_type("multipart/mixed; boundary=x", NGX_LEAD_FORM_OTHER);
    is_type("multipart/form-data/json", NGX_LEAD_FORM_JSON);

    is_type("application/json", NGX_LEAD_FORM_JSON);
    is_type("Application/JSON;charset=utf-8", NGX_LEAD_FORM_JSON);
    is_type("text/json", NGX_LEAD_FORM_JSON);
    is_type("application/vnd.api+json; x=y", NGX_LEAD_FORM_JSON);
    is_type("application/+json", NGX_LEAD_FORM_JSON);
    is_type("application+json", NGX_LEAD_FORM_OTHER);
    is_type("/json", NGX_LEAD_FORM_OTHER);
    is_type("+json", NGX_LEAD_FORM_OTHER);
    is_type("x/+json", NGX_LEAD_FORM_JSON);
    is_type("json", NGX_LEAD_FORM_OTHER);
    is_type("application/jsonp", NGX_LEAD_FORM_OTHER);
    is_type("application/xjson", NGX_LEAD_FORM_OTHER);
    is_type("application/json, text/plain", NGX_LEAD_FORM_OTHER);

    is_type("text/plain", NGX_LEAD_FORM_OTHER);
    is_type("*", NGX_LEAD_FORM_OTHER);
    is_type(";", NGX_LEAD_FORM_OTHER);
    is_type("; application/json", NGX_LEAD_FORM_OTHER);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_pairs, setup, teardown),
        cmocka_unit_test_setup_teardown(test_escapes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_utf8, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nul, setup, teardown),
        cmocka_unit_test_setup_teardown(test_duplicates, setup, teardown),
        cmocka_unit_test_setup_teardown(test_brackets, setup, teardown),
        cmocka_unit_test_setup_teardown(test_literal, setup, teardown),
        cmocka_unit_test_setup_teardown(test_conflicts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_indexes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_array_nodes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(test_zero_copy, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_random, setup, teardown),
        cmocka_unit_test_setup_teardown(test_type, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
