
/*
 * Copyright (C) the ngx_lead authors
 *
 * A phone number as it is written, character by character, to its digits:
 * digits of any script, what people put between them, extensions and what
 * RFC 3966 ("tel:") puts behind.
 *
 * Stricter than libphonenumber: letters, or anything else that is neither
 * part of a number nor of an extension, make it no number.  Must not judge
 * the digits.  No memory but the stack and the caller's.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_lead_phone.h"
#include "ngx_lead_phone_table.h"


/* as libphonenumber: no number is written in more characters */
#define NGX_LEAD_PHONE_TEXT      250

#define NGX_LEAD_PHONE_END       0
#define NGX_LEAD_PHONE_BAD       0xffffffff

/* digits of an extension, by how clearly it is one */
#define NGX_LEAD_PHONE_EXT       20
#define NGX_LEAD_PHONE_EXT_DIAL  15
#define NGX_LEAD_PHONE_EXT_MARK  9


typedef struct {
    u_char                 *p;
    u_char                 *last;
    uint32_t                c;         /* the character before p, folded */
} ngx_lead_phone_text_t;


static void ngx_lead_phone_trim(ngx_str_t *text, ngx_lead_phone_text_t *t);
static ngx_int_t ngx_lead_phone_params(ngx_lead_phone_text_t *t,
    ngx_lead_phone_digits_t *number, ngx_uint_t *plus);
static ngx_int_t ngx_lead_phone_context(ngx_lead_phone_text_t *t,
    ngx_lead_phone_digits_t *number, ngx_uint_t *plus);
static ngx_int_t ngx_lead_phone_extension(ngx_lead_phone_text_t *t);
static ngx_uint_t ngx_lead_phone_label(ngx_lead_phone_text_t *t);
static ngx_uint_t ngx_lead_phone_word(ngx_lead_phone_text_t *t,
    const char *word);
static ngx_uint_t ngx_lead_phone_dob(ngx_lead_phone_text_t *t);
static ngx_uint_t ngx_lead_phone_count(ngx_lead_phone_text_t *t);
static void ngx_lead_phone_next(ngx_lead_phone_text_t *t);
static uint32_t ngx_lead_phone_utf8(ngx_lead_phone_text_t *t);
static uint32_t ngx_lead_phone_fold(uint32_t c);


ngx_int_t
ngx_lead_phone_text(ngx_str_t *text, ngx_lead_phone_digits_t *number,
    ngx_uint_t *plus)
{
    ngx_lead_phone_text_t  t;

    ngx_lead_phone_trim(text, &t);

    if (t.last - t.p > NGX_LEAD_PHONE_TEXT) {
        return NGX_DECLINED;
    }

    number->n = 0;
    *plus = 0;

    for ( ;; ) {
        ngx_lead_phone_next(&t);

        if (t.c - '0' <= 9) {

            if (number->n == NGX_LEAD_PHONE_DIGITS) {
                return NGX_DECLINED;
            }

            number->digits[number->n++] = (u_char) (t.c - '0');
            continue;
        }

        switch (t.c) {

        case ' ':
        case '-':
        case '(':
        case ')':
        case '[':
        case ']':
        case '.':
        case '/':
            break;

        case '+':
            if (*plus || number->n) {
                return NGX_DECLINED;
            }

            *plus = 1;
            break;

        case NGX_LEAD_PHONE_END:
            return NGX_OK;

        case '~':
            /* 8~10 and 0~0, with a tone to wait for, go before a code */

            if (number->n != 1 || *plus || t.p == t.last
                || !((number->digits[0] == 8 && *t.p == '1')
                     || (number->digits[0] == 0 && *t.p == '0')))
            {
                return NGX_DECLINED;
            }

            break;

        default:

            if (number->n == 0) {
                return NGX_DECLINED;
            }

            if (t.c == ';' && t.p < t.last
                && (*t.p | 0x20) >= 'a' && (*t.p | 0x20) <= 'z')
            {
                return ngx_lead_phone_params(&t, number, plus);
            }

            return ngx_lead_phone_extension(&t);
        }
    }
}


/* takes white space off both ends, and the scheme of a URI */

static void
ngx_lead_phone_trim(ngx_str_t *text, ngx_lead_phone_text_t *t)
{
    u_char  *p, *last;

    p = text->data;
    last = p + text->len;

    while (p < last && (*p == ' ' || (*p >= '\t' && *p <= '\r'))) {
        p++;
    }

    while (p < last
           && (last[-1] == ' ' || (last[-1] >= '\t' && last[-1] <= '\r')))
    {
        last--;
    }

    if (last - p > 4
        && (p[0] | 0x20) == 't' && (p[1] | 0x20) == 'e'
        && (p[2] | 0x20) == 'l' && p[3] == ':')
    {
        p += 4;
    }

    t->p = p;
    t->last = last;
}


/* RFC 3966: ;ext=12;isub=3;phone-context=+1 */

static ngx_int_t
ngx_lead_phone_params(ngx_lead_phone_text_t *t,
    ngx_lead_phone_digits_t *number, ngx_uint_t *plus)
{
    ngx_uint_t  n;

    while (t->c == ';') {

        ngx_lead_phone_next(t);

        switch (t->c) {

        case 'e':
            if (!ngx_lead_phone_word(t, "ext=")) {
                return NGX_DECLINED;
            }

            n = ngx_lead_phone_count(t);

            if (n == 0 || n > NGX_LEAD_PHONE_EXT) {
                return NGX_DECLINED;
            }

            break;

        case 'i':
            if (!ngx_lead_phone_word(t, "isub=")) {
                return NGX_DECLINED;
            }

            if (t->c == NGX_LEAD_PHONE_END) {
                return NGX_DECLINED;
            }

            while (t->c != ';' && t->c != NGX_LEAD_PHONE_END) {
                ngx_lead_phone_next(t);
            }

            break;

        case 'p':
            if (!ngx_lead_phone_word(t, "phone-context=")) {
                return NGX_DECLINED;
            }

            return ngx_lead_phone_context(t, number, plus);

        default:
            return NGX_DECLINED;
        }
    }

    return (t->c == NGX_LEAD_PHONE_END) ? NGX_OK : NGX_DECLINED;
}


/* a context is the start of the number, or a domain, which says nothing */

static ngx_int_t
ngx_lead_phone_context(ngx_lead_phone_text_t *t,
    ngx_lead_phone_digits_t *number, ngx_uint_t *plus)
{
    u_char  start[NGX_LEAD_PHONE_DIGITS];
    size_t  n;

    if (t->c != '+') {
        return NGX_OK;
    }

    if (*plus) {
        return NGX_DECLINED;
    }

    *plus = 1;
    n = 0;

    for ( ;; ) {
        ngx_lead_phone_next(t);

        if (t->c - '0' <= 9) {

            if (n == NGX_LEAD_PHONE_DIGITS - number->n) {
                return NGX_DECLINED;
            }

            start[n++] = (u_char) (t->c - '0');

        } else if (t->c == NGX_LEAD_PHONE_END || t->c == ';') {
            break;

        } else if (t->c != '-' && t->c != '.' && t->c != '(' && t->c != ')') {
            return NGX_DECLINED;
        }
    }

    ngx_memmove(number->digits + n, number->digits, number->n);
    ngx_memcpy(number->digits, start, n);
    number->n += n;

    return NGX_OK;
}


/* whether all the rest is an extension: x12, ext. 12, #12, (ext 12) ,,12 */

static ngx_int_t
ngx_lead_phone_extension(ngx_lead_phone_text_t *t)
{
    ngx_uint_t  n, max, label;

    max = 0;

    if (t->c == ';') {
        max = NGX_LEAD_PHONE_EXT_DIAL;
        ngx_lead_phone_next(t);

    } else {
        for (n = 0; t->c == ',' || t->c == ' '; ngx_lead_phone_next(t)) {
            n += (t->c == ',');
        }

        if (n) {
            max = (n > 1) ? NGX_LEAD_PHONE_EXT_DIAL : NGX_LEAD_PHONE_EXT_MARK;
        }

        label = ngx_lead_phone_label(t);

        if (label) {
            max = label;
        }
    }

    if (t->c == ':' || t->c == '.') {
        ngx_lead_phone_next(t);
    }

    while (t->c == ' ' || t->c == ',' || t->c == '-') {
        ngx_lead_phone_next(t);
    }

    n = ngx_lead_phone_count(t);

    if (n == 0 || n > max) {
        return NGX_DECLINED;
    }

    if (t->c == '#') {
        ngx_lead_phone_next(t);
    }

    while (t->c == ' ' || t->c == '.' || t->c == ')' || t->c == ']') {
        ngx_lead_phone_next(t);
    }

    return (t->c == NGX_LEAD_PHONE_END) ? NGX_OK : NGX_DECLINED;
}


/* how many digits may follow a word for "extension"; 0: it is none */

static ngx_uint_t
ngx_lead_phone_label(ngx_lead_phone_text_t *t)
{
    switch (t->c) {

    case '#':
        ngx_lead_phone_next(t);
        return NGX_LEAD_PHONE_EXT_MARK;

    case 'i':
        return ngx_lead_phone_word(t, "int") ? NGX_LEAD_PHONE_EXT_MARK : 0;

    case 'a':
        return ngx_lead_phone_word(t, "anexo") ? NGX_LEAD_PHONE_EXT : 0;

    case 0x434:
        return ngx_lead_phone_dob(t) ? NGX_LEAD_PHONE_EXT : 0;

    case 'x':
        ngx_lead_phone_next(t);

        if (t->c != 't') {
            return NGX_LEAD_PHONE_EXT_MARK;
        }

        ngx_lead_phone_next(t);
        break;

    case 'e':
        if (!ngx_lead_phone_word(t, "ext")) {
            return 0;
        }

        break;

    default:
        return 0;
    }

    /* ext, extn, extension, and with an accent, composed or not */

    if (t->c == 'e') {

        if (!ngx_lead_phone_word(t, "ensi")) {
            return 0;
        }

        if (t->c == 'o') {
            ngx_lead_phone_next(t);

            if (t->c == 0x301) {
                ngx_lead_phone_next(t);
            }

        } else if (t->c == 0xf3) {
            ngx_lead_phone_next(t);
        }
    }

    if (t->c == 'n') {
        ngx_lead_phone_next(t);
    }

    return NGX_LEAD_PHONE_EXT;
}


/* goes behind the word if it is there; else there is nothing good to come */

static ngx_uint_t
ngx_lead_phone_word(ngx_lead_phone_text_t *t, const char *word)
{
    for ( /* void */ ; *word; word++) {

        if (t->c != (u_char) *word) {
            t->c = NGX_LEAD_PHONE_BAD;
            return 0;
        }

        ngx_lead_phone_next(t);
    }

    return 1;
}


/* the Russian word, three letters */

static ngx_uint_t
ngx_lead_phone_dob(ngx_lead_phone_text_t *t)
{
    ngx_lead_phone_next(t);

    if (t->c == 0x43e) {
        ngx_lead_phone_next(t);

        if (t->c == 0x431) {
            ngx_lead_phone_next(t);
            return 1;
        }
    }

    t->c = NGX_LEAD_PHONE_BAD;

    return 0;
}


static ngx_uint_t
ngx_lead_phone_count(ngx_lead_phone_text_t *t)
{
    ngx_uint_t  n;

    for (n = 0; t->c - '0' <= 9; n++) {
        ngx_lead_phone_next(t);
    }

    return n;
}


static void
ngx_lead_phone_next(ngx_lead_phone_text_t *t)
{
    u_char  c;

    if (t->p == t->last) {
        t->c = NGX_LEAD_PHONE_END;
        return;
    }

    c = *t->p;

    if (c >= 0x80) {
        t->c = ngx_lead_phone_utf8(t);
        return;
    }

    t->p++;

    if (c >= 'A' && c <= 'Z') {
        c |= 0x20;

    } else if (c == '\t') {
        c = ' ';
    }

    t->c = c ? c : NGX_LEAD_PHONE_BAD;
}


/* a character beyond ASCII, folded; of what is no UTF-8 one byte is taken */

static uint32_t
ngx_lead_phone_utf8(ngx_lead_phone_text_t *t)
{
    u_char    *p;
    size_t     i, n;
    uint32_t   c, least;

    p = t->p++;

    if (*p >= 0xf0 && *p <= 0xf4) {
        n = 4;
        c = *p & 0x07;
        least = 0x10000;

    } else if (*p >= 0xe0 && *p < 0xf0) {
        n = 3;
        c = *p & 0x0f;
        least = 0x800;

    } else if (*p >= 0xc2 && *p < 0xe0) {
        n = 2;
        c = *p & 0x1f;
        least = 0x80;

    } else {
        return NGX_LEAD_PHONE_BAD;
    }

    if ((size_t) (t->last - p) < n) {
        return NGX_LEAD_PHONE_BAD;
    }

    for (i = 1; i < n; i++) {

        if ((p[i] & 0xc0) != 0x80) {
            return NGX_LEAD_PHONE_BAD;
        }

        c = c << 6 | (p[i] & 0x3f);
    }

    if (c < least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
        return NGX_LEAD_PHONE_BAD;
    }

    t->p = p + n;

    return ngx_lead_phone_fold(c);
}


/* to the character of ASCII that means the same in a number, if there is */

static uint32_t
ngx_lead_phone_fold(uint32_t c)
{
    ngx_uint_t  low, high, mid;

    if (c == 0xa0 || c == 0xad || c == 0x1680 || (c >= 0x2000 && c <= 0x200f)
        || (c >= 0x202a && c <= 0x202f) || (c >= 0x205f && c <= 0x2069)
        || c == 0x3000 || c == 0xfeff)
    {
        /* spaces, and what is copied with a number without being seen */
        return ' ';
    }

    if ((c >= 0x2010 && c <= 0x2015) || c == 0x2212 || c == 0x30fc
        || c == 0xfe58 || c == 0xfe63)
    {
        return '-';
    }

    if (c >= 0xff01 && c <= 0xff5e) {
        c -= 0xfee0;

        if (c == ',' || c == ':' || c == ';') {
            return NGX_LEAD_PHONE_BAD;
        }

        return (c >= 'A' && c <= 'Z') ? c | 0x20 : c;
    }

    if (c == 0xd3 || (c >= 0x410 && c <= 0x42f)) {
        return c + 0x20;
    }

    low = 0;
    high = NGX_LEAD_PHONE_ZEROS;

    while (low < high) {
        mid = (low + high) / 2;

        if (ngx_lead_phone_zeros[mid] <= c) {
            low = mid + 1;

        } else {
            high = mid;
        }
    }

    if (low && c - ngx_lead_phone_zeros[low - 1] <= 9) {
        return '0' + c - ngx_lead_phone_zeros[low - 1];
    }

    return c;
}
