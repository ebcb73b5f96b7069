
/*
 * Copyright (C) the ngx_lead authors
 *
 * What the configuration says of a target: its URL, taken apart and checked,
 * and the TLS context of its connections.
 *
 * Must not look up names, which is done when a request is sent, and must take
 * a host in one spelling only: what other programs might read as another
 * address (127.1, 0x7f000001, 2130706433) is refused.  All memory is of the
 * configuration's pool; the context goes with it.
 */


#include "ngx_lead_http_client.h"


#define NGX_LEAD_HTTP_HOST_MAX   253
#define NGX_LEAD_HTTP_LABEL_MAX  63
#define NGX_LEAD_HTTP_DEPTH      8           /* CA certificates of a chain */


typedef struct {
    ngx_str_t  host;                         /* with brackets */
    ngx_str_t  port;                         /* data is NULL: none */
    ngx_str_t  uri;                          /* may lack its first "/" */
} ngx_lead_http_url_t;


static char *ngx_lead_http_url_bytes(ngx_str_t *url);
static char *ngx_lead_http_url_split(ngx_lead_http_target_t *target,
    ngx_lead_http_url_t *u);
static char *ngx_lead_http_url_host(ngx_conf_t *cf,
    ngx_lead_http_target_t *target, ngx_lead_http_url_t *u);
static char *ngx_lead_http_url_name(ngx_str_t *host);
static char *ngx_lead_http_url_inet(ngx_conf_t *cf,
    ngx_lead_http_target_t *target);
static char *ngx_lead_http_url_inet6(ngx_conf_t *cf,
    ngx_lead_http_target_t *target);
static char *ngx_lead_http_url_addr(ngx_conf_t *cf,
    ngx_lead_http_target_t *target, struct sockaddr *sa, socklen_t socklen);
static ngx_uint_t ngx_lead_http_url_numeric(ngx_str_t *host);
static char *ngx_lead_http_url_texts(ngx_conf_t *cf,
    ngx_lead_http_target_t *target, ngx_lead_http_url_t *u);


char *
ngx_lead_http_target_url(ngx_conf_t *cf, ngx_lead_http_target_t *target,
    ngx_str_t *url)
{
    char                 *rv;
    ngx_lead_http_url_t   u;

    target->url.data = ngx_pnalloc(cf->pool, url->len + 1);
    if (target->url.data == NULL) {
        return NGX_CONF_ERROR;
    }

    target->url.len = url->len;
    *ngx_cpymem(target->url.data, url->data, url->len) = '\0';

    rv = ngx_lead_http_url_bytes(&target->url);

    if (rv == NULL) {
        rv = ngx_lead_http_url_split(target, &u);
    }

    if (rv == NULL) {
        rv = ngx_lead_http_url_host(cf, target, &u);
    }

    if (rv == NULL) {
        rv = ngx_lead_http_url_texts(cf, target, &u);
    }

    return rv;
}


static char *
ngx_lead_http_url_bytes(ngx_str_t *url)
{
    size_t  i;
    u_char  ch;

    if (url->len > NGX_LEAD_HTTP_URL_MAX) {
        return "it must not be longer than 2048 bytes";
    }

    for (i = 0; i < url->len; i++) {
        ch = url->data[i];

        if (ch >= 0x80) {
            return "it must be ASCII: write a host in its \"xn--\" form, and "
                   "the rest percent-encoded";
        }

        if (ch <= ' ' || ch == 0x7f) {
            return "it must have no blanks and no control characters";
        }

        if (ch == '#') {
            return "it must have no fragment";
        }

        if (ngx_strchr("\"<>\\^`{|}", ch)) {
            return "it must have none of \" < > \\ ^ ` { | }, which are "
                   "written percent-encoded";
        }
    }

    return NULL;
}


static char *
ngx_lead_http_url_split(ngx_lead_http_target_t *target,
    ngx_lead_http_url_t *u)
{
    u_char  *p, *last, *end;

    p = target->url.data;
    last = p + target->url.len;

    if (ngx_strncasecmp(p, (u_char *) "https://", 8) == 0) {
        target->ssl = 1;
        target->port = 443;
        p += 8;

    } else if (ngx_strncasecmp(p, (u_char *) "http://", 7) == 0) {
        target->ssl = 0;
        target->port = 80;
        p += 7;

    } else {
        return "it must begin with \"https://\" or \"http://\"";
    }

    for (end = p; end < last && *end != '/' && *end != '?'; end++) {
        if (*end == '@') {
            return "credentials do not belong in a URL";
        }
    }

    u->uri.data = end;
    u->uri.len = last - end;
    u->host.data = p;
    u->port.data = NULL;

    if (p < end && *p == '[') {
        p = ngx_strlchr(p, end, ']');

        if (p == NULL) {
            return "it must have a \"]\" behind the address";
        }

        p++;

    } else {
        while (p < end && *p != ':') {
            p++;
        }
    }

    u->host.len = p - u->host.data;

    if (p < end) {
        if (*p != ':') {
            return "only a port may follow the host";
        }

        u->port.data = p + 1;
        u->port.len = end - p - 1;
    }

    return NULL;
}


static char *
ngx_lead_http_url_host(ngx_conf_t *cf, ngx_lead_http_target_t *target,
    ngx_lead_http_url_t *u)
{
    ngx_int_t   port;
    ngx_str_t  *host;

    if (u->port.data) {
        port = ngx_atoi(u->port.data, u->port.len);

        if (port < 1 || port > 65535) {
            return "its port must be a number from 1 to 65535";
        }

        target->port = (in_port_t) port;
    }

    host = &target->host;

    host->len = u->host.len;
    host->data = ngx_pnalloc(cf->pool, u->host.len + 1);
    if (host->data == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_strlow(host->data, u->host.data, u->host.len);
    host->data[host->len] = '\0';

    u->host.data = host->data;
    target->addr = NULL;

    if (host->len && host->data[0] == '[') {
        return ngx_lead_http_url_inet6(cf, target);
    }

    if (ngx_lead_http_url_numeric(host)) {
        return ngx_lead_http_url_inet(cf, target);
    }

    return ngx_lead_http_url_name(host);
}


static char *
ngx_lead_http_url_name(ngx_str_t *host)
{
    size_t  i, label;
    u_char  ch;

    if (host->len == 0) {
        return "it must have a host";
    }

    if (host->len > NGX_LEAD_HTTP_HOST_MAX) {
        return "its host must not be longer than 253 bytes";
    }

    label = 0;

    for (i = 0; i < host->len; i++) {
        ch = host->data[i];

        if (ch == '.') {
            if (label == 0 || i + 1 == host->len) {
                return "its host must have no empty labels";
            }

            label = 0;
            continue;
        }

        if ((ch < 'a' || ch > 'z') && (ch < '0' || ch > '9')
            && ch != '-' && ch != '_')
        {
            return "its host must be made of letters, digits, \"-\" and "
                   "\".\", or be an address";
        }

        if (++label > NGX_LEAD_HTTP_LABEL_MAX) {
            return "its host must have no labels of more than 63 bytes";
        }
    }

    return NULL;
}


/* whether some program may take it for a number, which an address is */

static ngx_uint_t
ngx_lead_http_url_numeric(ngx_str_t *host)
{
    u_char  *p, *last;

    last = host->data + host->len;

    while (last > host->data && last[-1] == '.') {
        last--;
    }

    for (p = last; p > host->data && p[-1] != '.'; p--) { /* void */ }

    if (last - p > 1 && p[0] == '0' && p[1] == 'x') {
        p += 2;

        while (p < last && ((*p >= '0' && *p <= '9')
                            || (*p >= 'a' && *p <= 'f')))
        {
            p++;
        }

        return p == last;
    }

    if (p == last) {
        return 0;
    }

    while (p < last && *p >= '0' && *p <= '9') {
        p++;
    }

    return p == last;
}


static char *
ngx_lead_http_url_inet(ngx_conf_t *cf, ngx_lead_http_target_t *target)
{
    size_t               len;
    u_char               text[NGX_INET_ADDRSTRLEN];
    in_addr_t            addr;
    struct sockaddr_in  *sin;

    sin = ngx_pcalloc(cf->pool, sizeof(struct sockaddr_in));
    if (sin == NULL) {
        return NGX_CONF_ERROR;
    }

    addr = ngx_inet_addr(target->host.data, target->host.len);

    sin->sin_family = AF_INET;
    sin->sin_addr.s_addr = addr;

    len = ngx_inet_ntop(AF_INET, &sin->sin_addr, text, NGX_INET_ADDRSTRLEN);

    /* INADDR_NONE is an address, too, and not a public one */

    if (addr == INADDR_NONE || len != target->host.len
        || ngx_memcmp(text, target->host.data, len) != 0)
    {
        return "its address must be four numbers from 0 to 255 with \".\" "
               "between them";
    }

    return ngx_lead_http_url_addr(cf, target, (struct sockaddr *) sin,
                                  sizeof(struct sockaddr_in));
}


static char *
ngx_lead_http_url_inet6(ngx_conf_t *cf, ngx_lead_http_target_t *target)
{
#if (NGX_HAVE_INET6)
    ngx_str_t             addr;
    struct sockaddr_in6  *sin6;

    addr.data = target->host.data + 1;
    addr.len = target->host.len - 2;

    sin6 = ngx_pcalloc(cf->pool, sizeof(struct sockaddr_in6));
    if (sin6 == NULL) {
        return NGX_CONF_ERROR;
    }

    sin6->sin6_family = AF_INET6;

    if (ngx_inet6_addr(addr.data, addr.len, sin6->sin6_addr.s6_addr)
        != NGX_OK)
    {
        return "it must have an IPv6 address in the brackets";
    }

    target->host = addr;

    return ngx_lead_http_url_addr(cf, target, (struct sockaddr *) sin6,
                                  sizeof(struct sockaddr_in6));
#else
    return "this nginx has no IPv6";
#endif
}


static char *
ngx_lead_http_url_addr(ngx_conf_t *cf, ngx_lead_http_target_t *target,
    struct sockaddr *sa, socklen_t socklen)
{
    u_char      *p;
    ngx_addr_t  *addr;

    addr = ngx_palloc(cf->pool, sizeof(ngx_addr_t));
    if (addr == NULL) {
        return NGX_CONF_ERROR;
    }

    p = ngx_pnalloc(cf->pool, NGX_SOCKADDR_STRLEN);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_inet_set_port(sa, target->port);

    addr->sockaddr = sa;
    addr->socklen = socklen;
    addr->name.data = p;
    addr->name.len = ngx_sock_ntop(sa, socklen, p, NGX_SOCKADDR_STRLEN, 1);

    target->addr = addr;

    return NULL;
}


static char *
ngx_lead_http_url_texts(ngx_conf_t *cf, ngx_lead_http_target_t *target,
    ngx_lead_http_url_t *u)
{
    u_char  *p;

    p = ngx_pnalloc(cf->pool, u->host.len + sizeof(":65535") - 1
                              + sizeof("/") - 1 + u->uri.len);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    target->authority.data = p;
    p = ngx_cpymem(p, u->host.data, u->host.len);

    if (target->port != (target->ssl ? 443 : 80)) {
        p = ngx_sprintf(p, ":%ui", (ngx_uint_t) target->port);
    }

    target->authority.len = p - target->authority.data;
    target->uri.data = p;

    if (u->uri.len == 0 || u->uri.data[0] != '/') {
        *p++ = '/';
    }

    p = ngx_cpymem(p, u->uri.data, u->uri.len);
    target->uri.len = p - target->uri.data;

    return NULL;
}


#if (NGX_SSL)

ngx_int_t
ngx_lead_http_target_ssl(ngx_conf_t *cf, ngx_lead_http_target_t *target,
    ngx_str_t *trusted, ngx_str_t *certificate, ngx_str_t *key)
{
    ngx_ssl_t           *ssl;
    ngx_pool_cleanup_t  *cln;

    ssl = ngx_pcalloc(cf->pool, sizeof(ngx_ssl_t));
    if (ssl == NULL) {
        return NGX_ERROR;
    }

    ssl->log = cf->log;

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    if (ngx_ssl_create(ssl, NGX_SSL_TLSv1_2|NGX_SSL_TLSv1_3, NULL)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    cln->handler = ngx_ssl_cleanup_ctx;
    cln->data = ssl;

    if (certificate->len || key->len) {

        if (certificate->len == 0 || key->len == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "a client certificate and its key go together");
            return NGX_ERROR;
        }

        if (ngx_ssl_certificate(cf, ssl, certificate, key, NULL) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (ngx_ssl_trusted_certificate(cf, ssl, trusted, NGX_LEAD_HTTP_DEPTH)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (trusted->len == 0 && SSL_CTX_set_default_verify_paths(ssl->ctx) == 0) {
        ngx_ssl_error(NGX_LOG_EMERG, cf->log, 0,
                      "SSL_CTX_set_default_verify_paths() failed");
        return NGX_ERROR;
    }

    ERR_clear_error();

    target->ctx = ssl;

    return NGX_OK;
}

#else

ngx_int_t
ngx_lead_http_target_ssl(ngx_conf_t *cf, ngx_lead_http_target_t *target,
    ngx_str_t *trusted, ngx_str_t *certificate, ngx_str_t *key)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "this nginx has no TLS");

    return NGX_ERROR;
}

#endif
