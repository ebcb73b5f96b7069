
/*
 * Copyright (C) the ngx_lead authors
 *
 * A libFuzzer entry: e-mail addresses.  The first byte is the flags, what
 * follows is the address.  The key of one that is taken is an address with
 * itself as its key; it has the local part and the domain that were sent: one
 * of ASCII but for the case, one of other scripts by its IDNA form, in which
 * every ASCII character of what was sent is found again, in order.
 */


#include "fuzz.h"
#include "ngx_lead_email.h"
#include <idn2.h>


#define lower(c)  (((c) >= 'A' && (c) <= 'Z') ? (c) | 0x20 : (c))


static ngx_str_t
behind(ngx_str_t *text, u_char c)
{
    u_char     *p;
    ngx_str_t   s;

    p = memchr(text->data, c, text->len);
    must(p);

    s.data = p + 1;
    s.len = text->data + text->len - s.data;

    return s;
}


/* letters, digits and inner hyphens between dots */

static void
check_domain(ngx_str_t *domain, ngx_uint_t flags)
{
    size_t      i, start;
    u_char      c;
    ngx_uint_t  dots;

    dots = 0;
    start = 0;

    for (i = 0; i <= domain->len; i++) {
        c = (i < domain->len) ? domain->data[i] : '.';

        if (c == '.') {
            must(i > start && i - start <= NGX_LEAD_EMAIL_LABEL_MAX);
            must(domain->data[start] != '-' && domain->data[i - 1] != '-');

            dots += (i < domain->len);
            start = i + 1;
            continue;
        }

        must((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-');
    }

    must(dots || (flags & NGX_LEAD_EMAIL_DOTLESS));
}


/* each label of both, one behind the other: whoever sent one in its IDNA form
 * finds it there, too */

static char *
both(ngx_pool_t *pool, const char *unicode, const char *ascii)
{
    char    *text, *p;
    size_t   n, m;

    text = ngx_pnalloc(pool, strlen(unicode) + strlen(ascii) + 1);
    must(text);

    for (p = text; *ascii; /* void */ ) {
        n = strcspn(unicode, ".");
        m = strcspn(ascii, ".");

        must((unicode[n] == '.') == (ascii[m] == '.'));

        p = (char *) ngx_cpymem(p, unicode, n);
        unicode += n + (unicode[n] == '.');

        m += (ascii[m] == '.');
        p = (char *) ngx_cpymem(p, ascii, m);
        ascii += m;
    }

    *p = '\0';

    return text;
}


/* a character of ASCII with others behind it may have become one with them */

static void
check_ascii(ngx_str_t *sent, const char *now)
{
    size_t  i;
    u_char  c;

    for (i = 0; i < sent->len; i++) {
        c = sent->data[i];

        if (c >= 0x80 || (i + 1 < sent->len && sent->data[i + 1] >= 0x80)) {
            continue;
        }

        now = strchr(now, lower(c));
        must(now);
        now++;
    }
}


/* back to Unicode and once more to its IDNA form it is the same, if it was not
 * sent in that form: that is taken as it is */

static void
check_wide(ngx_pool_t *pool, ngx_str_t *sent, ngx_str_t *key)
{
    char       *unicode, *ascii, *text;
    ngx_str_t   back;

    text = ngx_pnalloc(pool, key->len + 1);
    must(text);

    ngx_memcpy(text, key->data, key->len);
    text[key->len] = '\0';

    if (idn2_to_unicode_8z8z(text, &unicode, 0) != IDN2_OK) {
        must(memmem(sent->data, sent->len, "--", 2));
        return;
    }

    if (memmem(sent->data, sent->len, "--", 2) == NULL) {
        must(idn2_to_ascii_8z(unicode, &ascii, IDN2_NONTRANSITIONAL)
             == IDN2_OK);

        back.data = (u_char *) ascii;
        back.len = strlen(ascii);

        must(same(&back, key));

        idn2_free(ascii);
    }

    check_ascii(sent, both(pool, unicode, text));

    idn2_free(unicode);
}


static void
check_key(ngx_pool_t *pool, ngx_str_t *email, ngx_uint_t flags,
    ngx_str_t *key)
{
    size_t      i;
    ngx_str_t   sent, now, copy, again;
    ngx_uint_t  wide;

    must(email->len <= NGX_LEAD_EMAIL_MAX && key->len <= NGX_LEAD_EMAIL_MAX);

    sent = behind(email, '@');
    now = behind(key, '@');

    must(email->len - sent.len == key->len - now.len);
    must(key->len - now.len - 1 <= NGX_LEAD_EMAIL_LOCAL_MAX);

    for (i = 0; i < key->len - now.len; i++) {
        must(key->data[i] > ' ' && key->data[i] < 0x7f);
        must(key->data[i] == lower(email->data[i]));
    }

    check_domain(&now, flags);

    wide = 0;

    for (i = 0; i < sent.len; i++) {
        wide |= (sent.data[i] >= 0x80);
    }

    if (wide) {
        must(utf8_valid(&sent));
        check_wide(pool, &sent, &now);

    } else {
        must(sent.len == now.len);

        for (i = 0; i < sent.len; i++) {
            must(now.data[i] == lower(sent.data[i]));
        }
    }

    copy = block(pool, key->data, key->len);

    must(ngx_lead_email_check(pool, &copy, flags, &again) == NGX_OK);
    must(same(key, &again));
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ngx_int_t    rc;
    ngx_str_t    email, key;
    ngx_uint_t   flags;
    ngx_pool_t  *pool;

    if (size == 0) {
        return 0;
    }

    pool = ngx_create_pool(4096, NULL);
    must(pool);

    flags = *data++ & NGX_LEAD_EMAIL_DOTLESS;
    email = block(pool, data, --size);

    rc = ngx_lead_email_check(pool, &email, flags, &key);

    must(rc == NGX_OK || rc == NGX_DECLINED);
    must(size == 0 || memcmp(email.data, data, size) == 0);

    if (rc == NGX_OK) {
        check_key(pool, &email, flags, &key);
    }

    /* what is an address is one, too, where a dot is not asked for */

    if (rc == NGX_OK && !flags) {
        must(ngx_lead_email_check(pool, &email, NGX_LEAD_EMAIL_DOTLESS, &key)
             == NGX_OK);
    }

    ngx_pool_fail_at = 1;

    must(ngx_lead_email_check(pool, &email, flags, &key)
         == (rc == NGX_OK ? NGX_ERROR : NGX_DECLINED));

    ngx_pool_fail_at = 0;

    ngx_destroy_pool(pool);

    return 0;
}
