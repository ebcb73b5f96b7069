
/*
 * Copyright (C) the ngx_lead authors
 *
 * Texts that people write about people: capitals, markup, dates and URLs.
 *
 * Must not log, know a dialect or keep state: all of it may run in threads.
 * Bytes that are no UTF-8 do no harm, they pass as they are.  Results live in
 * the pool given.
 */


#include "ngx_lead_text.h"
#include "ngx_lead_field.h"
#include "ngx_lead_case_table.h"
#include <arpa/inet.h>


#define NGX_LEAD_TEXT_IP6_MAX  45        /* bytes of such an address */

/* what may stand in a URL beside letters, digits, escapes and other scripts */

#define NGX_LEAD_TEXT_USER     "-._"
#define NGX_LEAD_TEXT_PATH     "-._~!$&'()*+,;=:@/"
#define NGX_LEAD_TEXT_QUERY    NGX_LEAD_TEXT_PATH "?[]"
#define NGX_LEAD_TEXT_ANCHOR   NGX_LEAD_TEXT_PATH "?"


static uint32_t ngx_lead_text_point(u_char *p, u_char *last, size_t *n);
static u_char *ngx_lead_text_put(u_char *dst, uint32_t c);
static uint32_t ngx_lead_text_title(uint32_t c);
static ngx_uint_t ngx_lead_text_letter(uint32_t c);
static u_char *ngx_lead_text_squeeze(u_char *dst, u_char *p, u_char *last);
static u_char *ngx_lead_text_strip(u_char *dst, u_char *p, u_char *last,
    ngx_uint_t controls);
static size_t ngx_lead_text_control(u_char *p, u_char *last);
static u_char *ngx_lead_text_scheme(u_char *p, u_char *last);
static u_char *ngx_lead_text_user(u_char *p, u_char *last);
static u_char *ngx_lead_text_host(u_char *p, u_char *last);
static u_char *ngx_lead_text_name(u_char *p, u_char *last);
static u_char *ngx_lead_text_run(u_char *p, u_char *last, const char *more);
static ngx_uint_t ngx_lead_text_is(u_char *p, u_char *last, const char *text);


ngx_int_t
ngx_lead_text_capitals(ngx_pool_t *pool, ngx_str_t *in, ngx_str_t *out)
{
    size_t       n;
    u_char      *p, *last, *dst;
    uint32_t     c;
    ngx_uint_t   first, next;

    /* a letter grows by half of itself at most, see "ɐ" */

    p = ngx_pnalloc(pool, in->len + 1);
    dst = ngx_pnalloc(pool, 2 * in->len + 1);

    if (p == NULL || dst == NULL) {
        return NGX_ERROR;
    }

    last = ngx_lead_text_squeeze(p, in->data, in->data + in->len);

    out->data = dst;
    first = 1;
    next = 0;

    for ( /* void */ ; p < last; p += n) {

        c = ngx_lead_text_point(p, last, &n);

        if ((first || next) && n && ngx_lead_text_letter(c)) {
            dst = ngx_lead_text_put(dst, ngx_lead_text_title(c));
            first = 0;

        } else {
            n = n ? n : 1;
            dst = ngx_cpymem(dst, p, n);
        }

        next = (c == ' ' || c == '-' || c == '\'' || c == 0x2019);
    }

    out->len = dst - out->data;

    return NGX_OK;
}


ngx_int_t
ngx_lead_text_company(ngx_pool_t *pool, ngx_str_t *in, ngx_str_t *out)
{
    u_char  *last;

    out->data = ngx_pnalloc(pool, in->len + 1);
    if (out->data == NULL) {
        return NGX_ERROR;
    }

    last = ngx_lead_text_strip(out->data, in->data, in->data + in->len, 1);
    last = ngx_lead_text_squeeze(out->data, out->data, last);

    out->len = last - out->data;

    return NGX_OK;
}


ngx_int_t
ngx_lead_text_untag(ngx_pool_t *pool, ngx_str_t *in, ngx_str_t *out)
{
    u_char  *last;

    out->data = ngx_pnalloc(pool, in->len + 1);
    if (out->data == NULL) {
        return NGX_ERROR;
    }

    last = ngx_lead_text_strip(out->data, in->data, in->data + in->len, 0);

    out->len = last - out->data;

    return NGX_OK;
}


ngx_uint_t
ngx_lead_text_date(ngx_str_t *text)
{
    size_t      i;
    u_char     *p;
    ngx_uint_t  year, month, day, days;

    p = text->data;

    if (text->len != sizeof("YYYY-MM-DD") - 1 || p[4] != '-' || p[7] != '-') {
        return 0;
    }

    for (i = 0; i < text->len; i++) {
        if (i != 4 && i != 7 && (p[i] < '0' || p[i] > '9')) {
            return 0;
        }
    }

    year = (p[0] - '0') * 1000 + (p[1] - '0') * 100 + (p[2] - '0') * 10
           + (p[3] - '0');
    month = (p[5] - '0') * 10 + (p[6] - '0');
    day = (p[8] - '0') * 10 + (p[9] - '0');

    if (month == 2) {
        days = (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)) ? 29
                                                                       : 28;
    } else {
        days = (month == 4 || month == 6 || month == 9 || month == 11) ? 30
                                                                       : 31;
    }

    return year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= days;
}


ngx_uint_t
ngx_lead_text_url(ngx_str_t *text)
{
    u_char  *p, *last, *port;

    p = text->data;
    last = p + text->len;

    p = ngx_lead_text_scheme(p, last);

    if (p) {
        p = ngx_lead_text_user(p, last);
        p = ngx_lead_text_host(p, last);
    }

    if (p == NULL) {
        return 0;
    }

    if (p < last && *p == ':') {
        port = ++p;

        while (p < last && *p >= '0' && *p <= '9') {
            p++;
        }

        if (p == port) {
            return 0;
        }
    }

    if (p < last && *p == '/') {
        p = ngx_lead_text_run(p, last, NGX_LEAD_TEXT_PATH);
    }

    if (p < last && *p == '?') {
        p = ngx_lead_text_run(p + 1, last, NGX_LEAD_TEXT_QUERY);
    }

    if (p < last && *p == '#') {
        p = ngx_lead_text_run(p + 1, last, NGX_LEAD_TEXT_ANCHOR);
    }

    return p == last;
}


/* the code point at p, of n bytes; n is 0 if it is none */

static uint32_t
ngx_lead_text_point(u_char *p, u_char *last, size_t *n)
{
    size_t    i, len;
    uint32_t  c;

    static const uint32_t  least[] = { 0, 0, 0x80, 0x800, 0x10000 };

    *n = 0;

    if (*p < 0x80) {
        *n = 1;
        return *p;
    }

    if (*p < 0xc2 || *p > 0xf4) {
        return 0;
    }

    len = (*p < 0xe0) ? 2 : (*p < 0xf0) ? 3 : 4;

    if ((size_t) (last - p) < len) {
        return 0;
    }

    c = *p & (0x7f >> len);

    for (i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }

        c = c << 6 | (p[i] & 0x3f);
    }

    if (c < least[len] || (c >= 0xd800 && c <= 0xdfff) || c > 0x10ffff) {
        return 0;
    }

    *n = len;

    return c;
}


static u_char *
ngx_lead_text_put(u_char *dst, uint32_t c)
{
    if (c < 0x80) {
        *dst++ = (u_char) c;

    } else if (c < 0x800) {
        *dst++ = (u_char) (0xc0 | c >> 6);
        *dst++ = (u_char) (0x80 | (c & 0x3f));

    } else if (c < 0x10000) {
        *dst++ = (u_char) (0xe0 | c >> 12);
        *dst++ = (u_char) (0x80 | (c >> 6 & 0x3f));
        *dst++ = (u_char) (0x80 | (c & 0x3f));

    } else {
        *dst++ = (u_char) (0xf0 | c >> 18);
        *dst++ = (u_char) (0x80 | (c >> 12 & 0x3f));
        *dst++ = (u_char) (0x80 | (c >> 6 & 0x3f));
        *dst++ = (u_char) (0x80 | (c & 0x3f));
    }

    return dst;
}


static uint32_t
ngx_lead_text_title(uint32_t c)
{
    ngx_uint_t                    lo, hi, mid;
    const ngx_lead_case_range_t  *range;

    lo = 0;
    hi = sizeof(ngx_lead_case_titles) / sizeof(ngx_lead_case_titles[0]);

    while (lo < hi) {
        mid = (lo + hi) / 2;
        range = &ngx_lead_case_titles[mid];

        if (c < range->first) {
            hi = mid;

        } else if (c > range->last) {
            lo = mid + 1;

        } else {
            return (c - range->first) % range->step ? c : c + range->title;
        }
    }

    return c;
}


static ngx_uint_t
ngx_lead_text_letter(uint32_t c)
{
    ngx_uint_t                  lo, hi, mid;
    const ngx_lead_case_gap_t  *gap;

    lo = 0;
    hi = sizeof(ngx_lead_case_gaps) / sizeof(ngx_lead_case_gaps[0]);

    while (lo < hi) {
        mid = (lo + hi) / 2;
        gap = &ngx_lead_case_gaps[mid];

        if (c < gap->first) {
            hi = mid;

        } else if (c > gap->last) {
            lo = mid + 1;

        } else {
            return 0;
        }
    }

    return 1;
}


/* dst may be p: never more is written than was read */

static u_char *
ngx_lead_text_squeeze(u_char *dst, u_char *p, u_char *last)
{
    size_t      n;
    u_char     *start;
    ngx_uint_t  space;

    start = dst;
    space = 0;

    while (p < last) {

        n = ngx_lead_field_space(p, last);

        if (n) {
            space = 1;
            p += n;
            continue;
        }

        if (space && dst > start) {
            *dst++ = ' ';
        }

        space = 0;
        *dst++ = *p++;
    }

    return dst;
}


static u_char *
ngx_lead_text_strip(u_char *dst, u_char *p, u_char *last, ngx_uint_t controls)
{
    size_t   n;
    u_char  *end;

    /* once a tag is not closed, none after it is */

    end = p;

    while (p < last) {

        if (*p == '<' && end) {
            end = ngx_strlchr(p, last, '>');

            if (end) {
                p = end + 1;
                continue;
            }
        }

        n = controls ? ngx_lead_text_control(p, last) : 0;

        if (n) {
            p += n;

        } else {
            *dst++ = *p++;
        }
    }

    return dst;
}


/* the length of the control character at p that is no space, or 0 */

static size_t
ngx_lead_text_control(u_char *p, u_char *last)
{
    if (*p == 0xc2 && last - p >= 2 && p[1] >= 0x80 && p[1] < 0xa0) {
        return 2;
    }

    return ((*p < 0x20 && !ngx_lead_field_space(p, last)) || *p == 0x7f) ? 1
                                                                         : 0;
}


static u_char *
ngx_lead_text_scheme(u_char *p, u_char *last)
{
    u_char  *colon, *c;

    colon = ngx_strlchr(p, last, ':');

    if (colon == NULL || last - colon < 3
        || colon[1] != '/' || colon[2] != '/'
        || ngx_lead_text_is(p, colon, "javascript")
        || ngx_lead_text_is(p, colon, "vbscript"))
    {
        return NULL;
    }

    for (c = p; c < colon; c++) {

        if ((*c | 0x20) >= 'a' && (*c | 0x20) <= 'z') {
            continue;
        }

        if (c == p
            || ((*c < '0' || *c > '9')
                && *c != '+' && *c != '-' && *c != '.'))
        {
            return NULL;
        }
    }

    return (c > p) ? colon + 3 : NULL;
}


/* name@ or name:word@; where there is none, p */

static u_char *
ngx_lead_text_user(u_char *p, u_char *last)
{
    u_char  *end, *word;

    end = ngx_lead_text_run(p, last, NGX_LEAD_TEXT_USER);

    if (end > p && end < last && *end == ':') {
        word = end + 1;
        end = ngx_lead_text_run(word, last, NGX_LEAD_TEXT_USER);

        if (end == word) {
            return p;
        }
    }

    return (end > p && end < last && *end == '@') ? end + 1 : p;
}


static u_char *
ngx_lead_text_host(u_char *p, u_char *last)
{
    u_char           *end;
    char              text[NGX_LEAD_TEXT_IP6_MAX + 1];
    struct in6_addr   addr;

    if (p == last || *p != '[') {
        return ngx_lead_text_name(p, last);
    }

    end = ngx_strlchr(++p, last, ']');

    if (end == NULL || end - p > NGX_LEAD_TEXT_IP6_MAX) {
        return NULL;
    }

    ngx_memcpy(text, p, end - p);
    text[end - p] = '\0';

    /* a zero among the bytes would end it early */

    if (ngx_strlen(text) != (size_t) (end - p)
        || inet_pton(AF_INET6, text, &addr) != 1)
    {
        return NULL;
    }

    return end + 1;
}


/* labels of letters, digits, "-" and "_"; of several the last one without
 * these two, but for the hyphens of "xn--" */

static u_char *
ngx_lead_text_name(u_char *p, u_char *last)
{
    size_t       n;
    u_char      *label;
    ngx_uint_t   dots, marks, inner;

    dots = 0;
    marks = 0;
    inner = 0;
    label = p;

    for ( /* void */ ; p < last; p += n) {

        n = 1;

        if ((*p >= '0' && *p <= '9')
            || ((*p | 0x20) >= 'a' && (*p | 0x20) <= 'z'))
        {
            continue;
        }

        if (*p == '-' || *p == '_') {
            marks = 1;
            continue;
        }

        if (*p == '.') {

            if (p == label) {
                return NULL;
            }

            inner = marks;
            dots++;
            marks = 0;
            label = p + 1;

            continue;
        }

        if (*p < 0x80 || ngx_lead_field_space(p, last)) {
            break;
        }

        (void) ngx_lead_text_point(p, last, &n);

        if (n == 0) {
            return NULL;
        }
    }

    if (p == label) {

        /* the root's dot, or nothing at all */

        if (dots == 0) {
            return NULL;
        }

        dots--;
        marks = inner;
        label--;

        while (dots && label[-1] != '.') {
            label--;
        }
    }

    if (dots && marks
        && !(p - label > 4 && ngx_lead_text_is(label, label + 4, "xn--")))
    {
        return NULL;
    }

    return p;
}


/* as far as characters of a URL go, "more" being those of this part */

static u_char *
ngx_lead_text_run(u_char *p, u_char *last, const char *more)
{
    size_t  n;

    for ( /* void */ ; p < last; p += n) {

        n = 1;

        if ((*p >= '0' && *p <= '9')
            || ((*p | 0x20) >= 'a' && (*p | 0x20) <= 'z')
            || (*p != '\0' && strchr(more, *p)))
        {
            continue;
        }

        if (*p == '%') {

            if (last - p < 3 || !isxdigit(p[1]) || !isxdigit(p[2])) {
                break;
            }

            n = 3;
            continue;
        }

        if (*p < 0x80 || ngx_lead_field_space(p, last)) {
            break;
        }

        (void) ngx_lead_text_point(p, last, &n);

        if (n == 0) {
            break;
        }
    }

    return p;
}


static ngx_uint_t
ngx_lead_text_is(u_char *p, u_char *last, const char *text)
{
    ngx_str_t  part, want;

    part.data = p;
    part.len = last - p;

    want.data = (u_char *) text;
    want.len = ngx_strlen(text);

    return ngx_lead_field_equal_fold(&part, &want);
}
