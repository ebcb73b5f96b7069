
/*
 * Copyright (C) the ngx_lead authors
 *
 * What all fuzz targets share: a check that aborts, blocks of exact size, so
 * that a sanitizer sees any byte too far, and a second opinion on UTF-8.
 *
 * A target is t/fuzz/<name>_fuzz.c with one libFuzzer entry; t/fuzz/<name>.dict
 * and t/fuzz/seeds/<name> are its words and its first inputs.  It returns after
 * each input with all memory freed, and keeps nothing for the next one.
 */


#ifndef _FUZZ_H_INCLUDED_
#define _FUZZ_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_pool.h"


#define must(cond)                                                            \
    if (!(cond)) {                                                            \
        fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);            \
        abort();                                                              \
    }


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


/* in a block of its exact size */

static ngx_inline ngx_str_t
block(ngx_pool_t *pool, const void *data, size_t len)
{
    ngx_str_t  s;

    s.len = len;
    s.data = ngx_pnalloc(pool, len);
    must(s.data);

    if (len) {
        ngx_memcpy(s.data, data, len);
    }

    return s;
}


static ngx_inline ngx_uint_t
same(ngx_str_t *a, ngx_str_t *b)
{
    return a->len == b->len
           && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}


/* the code point at p of n bytes, by the table of RFC 3629; n is 0 if it is
 * none */

static ngx_inline uint32_t
utf8_point(const u_char *p, const u_char *last, size_t *n)
{
    size_t    i, len;
    uint32_t  c;

    static const uint32_t  least[] = { 0, 0, 0x80, 0x800, 0x10000 };

    *n = 0;

    len = (p[0] < 0x80) ? 1
          : ((p[0] & 0xe0) == 0xc0) ? 2
          : ((p[0] & 0xf0) == 0xe0) ? 3
          : ((p[0] & 0xf8) == 0xf0) ? 4 : 0;

    if (len == 0 || (size_t) (last - p) < len) {
        return 0;
    }

    c = (len == 1) ? p[0] : p[0] & (0x7f >> len);

    for (i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }

        c = c << 6 | (p[i] & 0x3f);
    }

    if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
        return 0;
    }

    *n = len;

    return c;
}


static ngx_inline ngx_uint_t
utf8_valid(ngx_str_t *text)
{
    size_t  i, n;

    for (i = 0; i < text->len; i += n) {
        (void) utf8_point(text->data + i, text->data + text->len, &n);

        if (n == 0) {
            return 0;
        }
    }

    return 1;
}


#endif /* _FUZZ_H_INCLUDED_ */
