
/*
 * Copyright (C) the ngx_lead authors
 *
 * A libFuzzer entry: names, companies, dates, URLs, numbers and times.  The
 * input is the text of each.  A normal form is its own normal form; of a text
 * in UTF-8 it is UTF-8 and says the same; other bytes do no harm.
 */


#include "fuzz.h"
#include "ngx_lead_field.h"
#include "ngx_lead_json.h"
#include "ngx_lead_text.h"
#include <time.h>


typedef ngx_int_t (*normal_pt)(ngx_pool_t *pool, ngx_str_t *in,
    ngx_str_t *out);


/* what JavaScript's String.trim() takes off */

static ngx_uint_t
is_space(uint32_t c)
{
    return (c >= 0x09 && c <= 0x0d) || c == ' ' || c == 0xa0 || c == 0x1680
           || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029
           || c == 0x202f || c == 0x205f || c == 0x3000 || c == 0xfeff;
}


static ngx_uint_t
is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0);
}


static ngx_str_t
normal(ngx_pool_t *pool, normal_pt f, ngx_str_t *text)
{
    ngx_str_t  in, out, once, twice;

    in = block(pool, text->data, text->len);

    must(f(pool, &in, &out) == NGX_OK);
    must(same(&in, text));
    must(out.len <= 2 * in.len);

    once = block(pool, out.data, out.len);

    /* of bytes that are no characters some may become one */

    if (utf8_valid(text)) {
        must(utf8_valid(&once));
        must(f(pool, &once, &twice) == NGX_OK);
        must(same(&once, &twice));
    }

    return once;
}


/* without space at the ends, and with one at a time inside; returns the number
 * of characters */

static size_t
check_squeezed(ngx_str_t *text)
{
    size_t    i, n, points;
    uint32_t  c, last;

    last = ' ';
    points = 0;

    for (i = 0; i < text->len; i += n) {
        c = utf8_point(text->data + i, text->data + text->len, &n);

        must(n);
        must(c == ' ' ? last != ' ' : !is_space(c));

        last = c;
        points++;
    }

    must(points == 0 || last != ' ');
    must(points == ngx_lead_field_points(text));

    return points;
}


/* how many characters are left of a text whose space is squeezed */

static size_t
squeezed(ngx_str_t *text)
{
    size_t      i, n, points;
    uint32_t    c;
    ngx_uint_t  space;

    points = 0;
    space = 0;

    for (i = 0; i < text->len; i += n) {
        c = utf8_point(text->data + i, text->data + text->len, &n);

        if (is_space(c)) {
            space = 1;
            continue;
        }

        points += 1 + (space && points);
        space = 0;
    }

    return points;
}


/* the bytes of a text that are part of no character */

static ngx_str_t
strays(ngx_pool_t *pool, ngx_str_t *text)
{
    size_t     i, n;
    ngx_str_t  out;

    out.len = 0;
    out.data = ngx_pnalloc(pool, text->len);
    must(out.data);

    for (i = 0; i < text->len; i += n) {
        (void) utf8_point(text->data + i, text->data + text->len, &n);

        if (n == 0) {
            n = 1;
            out.data[out.len++] = text->data[i];
        }
    }

    return out;
}


static void
check_name(ngx_pool_t *pool, ngx_str_t *text)
{
    ngx_str_t  name, before, after;

    name = normal(pool, ngx_lead_text_capitals, text);

    before = strays(pool, text);
    after = strays(pool, &name);

    must(same(&before, &after));

    if (utf8_valid(text)) {
        must(check_squeezed(&name) == squeezed(text));
    }
}


static void
check_untagged(ngx_str_t *text)
{
    u_char  *open;

    open = memchr(text->data, '<', text->len);

    must(open == NULL
         || memchr(open, '>', text->data + text->len - open) == NULL);
}


static void
check_company(ngx_pool_t *pool, ngx_str_t *text)
{
    size_t     i, n;
    uint32_t   c;
    ngx_str_t  company, plain;

    company = normal(pool, ngx_lead_text_company, text);
    plain = normal(pool, ngx_lead_text_untag, text);

    must(company.len <= text->len && plain.len <= text->len);

    check_untagged(&company);
    check_untagged(&plain);

    if (text->len == 0 || memchr(text->data, '<', text->len) == NULL) {
        must(same(&plain, text));
    }

    if (!utf8_valid(text)) {
        return;
    }

    (void) check_squeezed(&company);

    for (i = 0; i < company.len; i += n) {
        c = utf8_point(company.data + i, company.data + company.len, &n);
        must(!is_control(c));
    }
}


/* only space is taken off, whatever the other bytes are */

static void
check_spaces(u_char *p, u_char *last)
{
    size_t  n;

    for ( /* void */ ; p < last; p += n) {
        must(is_space(utf8_point(p, last, &n)) && n);
    }
}


static void
check_trim(ngx_str_t *text)
{
    size_t     n, m;
    u_char    *p, *last;
    ngx_str_t  trimmed, again;

    trimmed = *text;
    ngx_lead_field_trim(&trimmed);

    again = trimmed;
    ngx_lead_field_trim(&again);

    p = text->data;
    last = p + text->len;

    must(same(&trimmed, &again));
    must(trimmed.data >= p && trimmed.data + trimmed.len <= last);

    check_spaces(p, trimmed.data);
    check_spaces(trimmed.data + trimmed.len, last);

    if (!utf8_valid(text)) {
        return;
    }

    while (p < last && is_space(utf8_point(p, last, &n))) {
        p += n;
    }

    must(trimmed.len == 0 || trimmed.data == p);

    for (m = 0; p < last; p += n) {
        if (!is_space(utf8_point(p, last, &n))) {
            m = p + n - trimmed.data;
        }
    }

    must(trimmed.len == m);
}


static void
check_case(ngx_pool_t *pool, ngx_str_t *text)
{
    size_t     i;
    ngx_str_t  low, part;

    low = normal(pool, ngx_lead_field_lower, text);

    must(low.len == text->len);
    must(ngx_lead_field_equal_fold(&low, text));
    must(ngx_lead_field_equal(&low, text) == same(&low, text));

    for (i = 0; i < low.len; i++) {
        must(low.data[i] < 'A' || low.data[i] > 'Z');
    }

    part.data = low.data + low.len / 3;
    part.len = low.len / 2;

    part = block(pool, part.data, part.len);

    must(ngx_lead_field_has(text, &part));
    must(text->len == 0 || !ngx_lead_field_has(&part, text));

    if (ngx_lead_field_email_like(text)) {
        must(memchr(text->data, '@', text->len));
        must(memchr(text->data, '.', text->len));
    }
}


static void
check_date(ngx_pool_t *pool, ngx_str_t *text)
{
    int64_t    time;
    ngx_int_t  rc;
    ngx_str_t  whole;

    whole.len = text->len + sizeof("T00:00:00.000Z") - 1;
    whole.data = ngx_pnalloc(pool, whole.len);
    must(whole.data);

    ngx_memcpy(whole.data, text->data, text->len);
    ngx_memcpy(whole.data + text->len, "T00:00:00.000Z",
               whole.len - text->len);

    rc = ngx_lead_field_time_parse(&whole, &time);

    if (rc == NGX_OK && memcmp(text->data, "0000", 4) == 0) {
        must(!ngx_lead_text_date(text));
        return;
    }

    must(ngx_lead_text_date(text) == (rc == NGX_OK));
}


/* the first eight bytes as microseconds, against the C library */

static void
check_time(ngx_pool_t *pool, ngx_str_t *text)
{
    char        want[64];
    int64_t     us, again, ms;
    time_t      sec;
    struct tm   tm;
    ngx_str_t   out;

    if (text->len < 8) {
        return;
    }

    memcpy(&us, text->data, 8);

    out = block(pool, "########################", NGX_LEAD_FIELD_TIME_LEN);

    must(ngx_lead_field_time_ms(out.data, us) == out.data + out.len);

    ms = us / 1000 - (us % 1000 < 0);
    sec = ms / 1000 - (ms % 1000 < 0);

    if (gmtime_r(&sec, &tm) == NULL || tm.tm_year < -1900
        || tm.tm_year > 9999 - 1900)
    {
        return;
    }

    sprintf(want, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900,
            tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
            (int) (ms - (int64_t) sec * 1000));

    must(memcmp(out.data, want, out.len) == 0);
    must(ngx_lead_field_time_parse(&out, &again) == NGX_OK);
    must(again == ms * 1000);
}


static void
check_url(ngx_str_t *text)
{
    size_t  i;

    if (!ngx_lead_text_url(text)) {
        return;
    }

    must(utf8_valid(text));
    must(text->len > 3 && memmem(text->data, text->len, "://", 3));
    must(!(text->len > 11 && strncasecmp((char *) text->data, "javascript:",
                                         11) == 0));

    for (i = 0; i < text->len; i++) {
        must(text->data[i] > ' ' && text->data[i] != 0x7f
             && strchr("\"<>\\^`{|}", text->data[i]) == NULL);
    }
}


/* a JSON number as JavaScript shows it: the same number, as short as can be */

static void
check_number(ngx_pool_t *pool, ngx_str_t *text)
{
    char             *sent, *shown;
    double            value;
    ngx_int_t         rc;
    ngx_str_t         out, again;
    const char       *why;
    ngx_lead_json_t  *root;

    if (ngx_lead_json_parse(pool, text, &root, &why) != NGX_OK
        || root->type != NGX_LEAD_JSON_NUMBER)
    {
        return;
    }

    sent = ngx_pcalloc(pool, root->text.len + 1);
    must(sent);
    memcpy(sent, root->text.data, root->text.len);

    value = strtod(sent, NULL);
    rc = ngx_lead_field_number(pool, &root->text, &out);

    must((rc == NGX_OK) == (value <= 9007199254740991.0
                            && value >= -9007199254740991.0));
    must(rc == NGX_OK || rc == NGX_DECLINED);

    if (rc != NGX_OK) {
        return;
    }

    must(out.len && out.len <= 25);

    shown = ngx_pcalloc(pool, out.len + 1);
    must(shown);
    memcpy(shown, out.data, out.len);

    must(strtod(shown, NULL) == value);

    must(ngx_lead_json_parse(pool, &out, &root, &why) == NGX_OK);
    must(root->type == NGX_LEAD_JSON_NUMBER);

    must(ngx_lead_field_number(pool, &out, &again) == NGX_OK);
    must(same(&out, &again));
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ngx_str_t    text;
    ngx_pool_t  *pool;

    pool = ngx_create_pool(4096, NULL);
    must(pool);

    text = block(pool, data, size);

    check_name(pool, &text);
    check_company(pool, &text);
    check_trim(&text);
    check_case(pool, &text);
    check_date(pool, &text);
    check_time(pool, &text);
    check_url(&text);
    check_number(pool, &text);

    must(size == 0 || memcmp(text.data, data, size) == 0);

    ngx_destroy_pool(pool);

    return 0;
}
