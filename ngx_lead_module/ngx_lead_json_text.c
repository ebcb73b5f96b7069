
/*
 * Copyright (C) the ngx_lead authors
 *
 * What is done to a JSON text before yajl sees it, because yajl takes more
 * than RFC 8259 allows: overlong UTF-8, surrogates, \v and \f as white space.
 *
 * Must not judge the grammar: that is yajl's.  The input is never changed; a
 * text that has to be is copied to the caller's pool.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_lead_json.h"


#define NGX_LEAD_JSON_SPACES  0x2020202020202020ULL
#define NGX_LEAD_JSON_HIGH    0x8080808080808080ULL


static size_t ngx_lead_json_utf8(u_char *p, u_char *last);
static ngx_uint_t ngx_lead_json_hex4(u_char *p);


/* no control character but white space can stand raw in JSON, in a string or
 * outside: yajl would take \v and \f for white space */

ngx_int_t
ngx_lead_json_check(ngx_str_t *in, const char **why)
{
    u_char    *p, *last;
    size_t     n;
    uint64_t   w;

    if (in->len == 0) {
        *why = "empty text";
        return NGX_DECLINED;
    }

    p = in->data;
    last = p + in->len;

    if (in->len >= 3 && ngx_memcmp(p, "\xef\xbb\xbf", 3) == 0) {
        *why = "byte order mark";
        return NGX_DECLINED;
    }

    while (p < last) {

        if (last - p >= 8) {
            ngx_memcpy(&w, p, 8);

            /* none of the eight is beyond ASCII, none below a space */

            if (((w | (w - NGX_LEAD_JSON_SPACES)) & NGX_LEAD_JSON_HIGH) == 0) {
                p += 8;
                continue;
            }
        }

        n = 1;

        if (*p >= 0x80) {
            n = ngx_lead_json_utf8(p, last);

            if (n == 0) {
                *why = "invalid UTF-8";
                return NGX_DECLINED;
            }

        } else if (*p < 0x20 && *p != '\n' && *p != '\r' && *p != '\t') {
            *why = "control character";
            return NGX_DECLINED;
        }

        p += n;
    }

    return NGX_OK;
}


/* the length of a sequence beyond ASCII, 0 if it is not one of RFC 3629 */

static size_t
ngx_lead_json_utf8(u_char *p, u_char *last)
{
    u_char  low, high;
    size_t  i, n;

    low = 0x80;
    high = 0xbf;

    if (*p < 0xc2 || *p > 0xf4) {
        return 0;
    }

    switch (*p) {

    case 0xe0:              /* below these two, a shorter one would do */
        low = 0xa0;
        break;

    case 0xf0:
        low = 0x90;
        break;

    case 0xed:              /* surrogates */
        high = 0x9f;
        break;

    case 0xf4:              /* beyond U+10FFFF */
        high = 0x8f;
        break;
    }

    n = (*p < 0xe0) ? 2 : (*p < 0xf0) ? 3 : 4;

    if ((size_t) (last - p) < n || p[1] < low || p[1] > high) {
        return 0;
    }

    for (i = 2; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
    }

    return n;
}


/*
 * Makes \ufffd of each escaped surrogate without its other half, in a copy:
 * the input is not ours.  A backslash outside a string remains the error that
 * it is, and so does one before anything that is no escape.
 */

ngx_int_t
ngx_lead_json_surrogates(ngx_pool_t *pool, ngx_str_t *text)
{
    u_char      *p, *last, *copy;
    ngx_uint_t   u, copied;

    copied = 0;
    p = text->data;
    last = p + text->len;

    while (last - p >= 6) {

        p = memchr(p, '\\', last - p);

        if (p == NULL || last - p < 6) {
            break;
        }

        if (p[1] != 'u') {
            p += 2;
            continue;
        }

        u = ngx_lead_json_hex4(p + 2);

        if ((u & 0xf800) != 0xd800) {
            p += 2;
            continue;
        }

        if (u < 0xdc00 && last - p >= 12 && p[6] == '\\' && p[7] == 'u'
            && (ngx_lead_json_hex4(p + 8) & 0xfc00) == 0xdc00)
        {
            p += 12;
            continue;
        }

        if (!copied) {
            copy = ngx_pnalloc(pool, text->len);
            if (copy == NULL) {
                return NGX_ERROR;
            }

            ngx_memcpy(copy, text->data, text->len);

            p = copy + (p - text->data);
            last = copy + text->len;
            text->data = copy;
            copied = 1;
        }

        p = ngx_cpymem(p, "\\ufffd", 6);
    }

    return NGX_OK;
}


/* 0 if these are no four digits */

static ngx_uint_t
ngx_lead_json_hex4(u_char *p)
{
    u_char      ch;
    ngx_uint_t  i, n;

    n = 0;

    for (i = 0; i < 4; i++) {
        ch = p[i];

        if (ch >= '0' && ch <= '9') {
            n = n * 16 + (ch - '0');
            continue;
        }

        ch |= 0x20;

        if (ch < 'a' || ch > 'f') {
            return 0;
        }

        n = n * 16 + (ch - 'a' + 10);
    }

    return n;
}
