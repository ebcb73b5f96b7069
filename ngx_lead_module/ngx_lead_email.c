
/*
 * Copyright (C) the ngx_lead authors
 *
 * E-mail addresses: WHATWG's production with the limits of RFC 5321, and
 * libidn2 for domains that are not ASCII.
 *
 * Must not trust libidn2 with a domain that was not looked at: it lets ASCII
 * of any kind pass, and deletes or maps other characters.  So labels are
 * judged before it and after it: no address becomes another one.
 *
 * Keeps no state.  The key lives in the pool given; what libidn2 allocates is
 * freed here.
 */


#include "ngx_lead_email.h"
#include <idn2.h>


static ngx_int_t ngx_lead_email_local(ngx_str_t *local);
static ngx_int_t ngx_lead_email_domain(ngx_str_t *domain, ngx_uint_t flags,
    ngx_uint_t wide);
static ngx_int_t ngx_lead_email_ascii(ngx_str_t *domain, ngx_str_t *ascii);
static ngx_int_t ngx_lead_email_key(ngx_pool_t *pool, ngx_str_t *local,
    ngx_str_t *domain, ngx_str_t *key);


ngx_int_t
ngx_lead_email_check(ngx_pool_t *pool, ngx_str_t *email, ngx_uint_t flags,
    ngx_str_t *key)
{
    u_char     *at;
    ngx_int_t   rc;
    ngx_str_t   local, domain, ascii;

    if (email->len == 0 || email->len > NGX_LEAD_EMAIL_MAX) {
        return NGX_DECLINED;
    }

    at = ngx_strlchr(email->data, email->data + email->len, '@');
    if (at == NULL) {
        return NGX_DECLINED;
    }

    local.data = email->data;
    local.len = at - email->data;

    domain.data = at + 1;
    domain.len = email->len - local.len - 1;

    if (ngx_lead_email_local(&local) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (ngx_lead_email_domain(&domain, flags, 0) == NGX_OK) {
        return ngx_lead_email_key(pool, &local, &domain, key);
    }

    /* the dots of other scripts appear only after the mapping */

    if (ngx_lead_email_domain(&domain, NGX_LEAD_EMAIL_DOTLESS, 1) != NGX_OK) {
        return NGX_DECLINED;
    }

    rc = ngx_lead_email_ascii(&domain, &ascii);

    if (rc != NGX_OK) {
        return rc;
    }

    rc = NGX_DECLINED;

    if (local.len + 1 + ascii.len <= NGX_LEAD_EMAIL_MAX
        && ngx_lead_email_domain(&ascii, flags, 0) == NGX_OK)
    {
        rc = ngx_lead_email_key(pool, &local, &ascii, key);
    }

    idn2_free(ascii.data);

    return rc;
}


static ngx_int_t
ngx_lead_email_local(ngx_str_t *local)
{
    size_t  i;
    u_char  c;

    if (local->len == 0 || local->len > NGX_LEAD_EMAIL_LOCAL_MAX) {
        return NGX_DECLINED;
    }

    for (i = 0; i < local->len; i++) {
        c = local->data[i];

        if ((c >= 'a' && c <= 'z')
            || (c >= 'A' && c <= 'Z')
            || (c >= '0' && c <= '9')
            || (c != '\0' && ngx_strchr(".!#$%&'*+/=?^_`{|}~-", c)))
        {
            continue;
        }

        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* letters, digits and inner hyphens between dots; wide: a byte of another
 * script is a letter, and labels may be longer than their ASCII form */

static ngx_int_t
ngx_lead_email_domain(ngx_str_t *domain, ngx_uint_t flags, ngx_uint_t wide)
{
    u_char      *p, *last, *label;
    ngx_uint_t   dots;

    dots = 0;
    label = domain->data;
    last = domain->data + domain->len;

    for (p = domain->data; p <= last; p++) {

        if (p == last || *p == '.') {

            if (p == label
                || *label == '-'
                || p[-1] == '-'
                || (!wide && p - label > NGX_LEAD_EMAIL_LABEL_MAX))
            {
                return NGX_DECLINED;
            }

            dots += (p < last);
            label = p + 1;

            continue;
        }

        if ((*p >= 'a' && *p <= 'z')
            || (*p >= 'A' && *p <= 'Z')
            || (*p >= '0' && *p <= '9')
            || *p == '-'
            || (wide && *p >= 0x80))
        {
            continue;
        }

        return NGX_DECLINED;
    }

    return (dots || (flags & NGX_LEAD_EMAIL_DOTLESS)) ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_lead_email_ascii(ngx_str_t *domain, ngx_str_t *ascii)
{
    int    rc;
    char  *out;
    char   text[NGX_LEAD_EMAIL_MAX + 1];

    ngx_memcpy(text, domain->data, domain->len);
    text[domain->len] = '\0';

    rc = idn2_to_ascii_8z(text, &out, IDN2_NONTRANSITIONAL);

    if (rc == IDN2_MALLOC) {
        return NGX_ERROR;
    }

    if (rc != IDN2_OK) {
        return NGX_DECLINED;
    }

    ascii->data = (u_char *) out;
    ascii->len = ngx_strlen(out);

    return NGX_OK;
}


static ngx_int_t
ngx_lead_email_key(ngx_pool_t *pool, ngx_str_t *local, ngx_str_t *domain,
    ngx_str_t *key)
{
    size_t   i;
    u_char  *p;

    p = ngx_pnalloc(pool, local->len + 1 + domain->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    key->data = p;
    key->len = local->len + 1 + domain->len;

    p = ngx_cpymem(p, local->data, local->len);
    *p++ = '@';
    ngx_memcpy(p, domain->data, domain->len);

    for (i = 0; i < key->len; i++) {
        key->data[i] = ngx_tolower(key->data[i]);
    }

    return NGX_OK;
}
