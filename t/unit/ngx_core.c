
/*
 * Copyright (C) the ngx_lead authors
 *
 * What dialects need of nginx's core besides pools, for unit tests without
 * an nginx: base64, query unescaping, a cycle to log by.
 *
 * Written from what nginx's functions promise, not from their text, so that
 * a dialect that leans on more is found out.
 */


#include <ngx_config.h>
#include <ngx_core.h>


static const u_char  digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static ngx_cycle_t  the_cycle;

volatile ngx_cycle_t  *ngx_cycle = &the_cycle;


void
ngx_reset_pool(ngx_pool_t *pool)
{
    ngx_pool_large_t  *l, *next;

    for (l = pool->large; l; l = next) {
        next = l->next;
        free(l->alloc);
        free(l);
    }

    pool->large = NULL;
}


void
ngx_encode_base64url(ngx_str_t *dst, ngx_str_t *src)
{
    size_t    i;
    u_char   *d;
    uint32_t  bits, n;

    d = dst->data;
    bits = 0;
    n = 0;

    for (i = 0; i < src->len; i++) {
        bits = (bits << 8 | src->data[i]) & 0xffff;
        n += 8;

        for ( /* void */ ; n >= 6; n -= 6) {
            *d++ = digits[bits >> (n - 6) & 0x3f];
        }
    }

    if (n) {
        *d++ = digits[bits << (6 - n) & 0x3f];
    }

    dst->len = d - dst->data;
}


void
ngx_encode_base64(ngx_str_t *dst, ngx_str_t *src)
{
    size_t  i;

    ngx_encode_base64url(dst, src);

    for (i = 0; i < dst->len; i++) {
        if (dst->data[i] == '-') {
            dst->data[i] = '+';

        } else if (dst->data[i] == '_') {
            dst->data[i] = '/';
        }
    }

    while (dst->len % 4) {
        dst->data[dst->len++] = '=';
    }
}


/* stops at "=", and takes no notice of bits left over */

ngx_int_t
ngx_decode_base64url(ngx_str_t *dst, ngx_str_t *src)
{
    size_t         i;
    u_char        *d;
    uint32_t       bits, n;
    const u_char  *c;

    d = dst->data;
    bits = 0;
    n = 0;

    for (i = 0; i < src->len && src->data[i] != '='; i++) {

        c = memchr(digits, src->data[i], 64);
        if (c == NULL) {
            return NGX_ERROR;
        }

        bits = (bits << 6 | (uint32_t) (c - digits)) & 0xffff;
        n += 6;

        if (n >= 8) {
            n -= 8;
            *d++ = (u_char) (bits >> n);
        }
    }

    if (i % 4 == 1) {
        return NGX_ERROR;
    }

    dst->len = d - dst->data;

    return NGX_OK;
}


void
ngx_unescape_uri(u_char **dst, u_char **src, size_t size, ngx_uint_t type)
{
    char     hex[3];
    u_char  *d, *s, *last;

    d = *dst;
    s = *src;
    last = s + size;

    while (s < last) {

        if (*s == '%' && last - s > 2 && isxdigit(s[1]) && isxdigit(s[2])) {
            hex[0] = (char) s[1];
            hex[1] = (char) s[2];
            hex[2] = '\0';

            *d++ = (u_char) strtol(hex, NULL, 16);
            s += 3;

        } else {
            *d++ = *s++;
        }
    }

    *dst = d;
    *src = s;
}


ngx_array_t *
ngx_array_create(ngx_pool_t *pool, ngx_uint_t n, size_t size)
{
    ngx_array_t  *a;

    a = ngx_palloc(pool, sizeof(ngx_array_t));

    if (a == NULL) {
        return NULL;
    }

    a->pool = pool;
    a->nelts = 0;
    a->size = size;
    a->nalloc = n;
    a->elts = ngx_palloc(pool, n * size);

    return a->elts ? a : NULL;
}


void *
ngx_array_push(ngx_array_t *a)
{
    void  *elts;

    if (a->nelts == a->nalloc) {
        elts = ngx_palloc(a->pool, 2 * a->nalloc * a->size);

        if (elts == NULL) {
            return NULL;
        }

        memcpy(elts, a->elts, a->nelts * a->size);

        a->elts = elts;
        a->nalloc *= 2;
    }

    return (u_char *) a->elts + a->size * a->nelts++;
}
