
/*
 * Copyright (C) the ngx_lead authors
 *
 * TLS of the HTTP client: the handshake, and whether the certificate is the
 * one of the peer that the URL names.
 *
 * Must not let a byte of the request go before both are done.  What TLS needs
 * lies in the connection's pool.
 */


#include "ngx_lead_http_client.h"


#if (NGX_SSL)

static ngx_int_t ngx_lead_http_ssl_name(ngx_lead_http_try_t *t,
    ngx_connection_t *c);
static void ngx_lead_http_handshake_handler(ngx_connection_t *c);
static const char *ngx_lead_http_ssl_verify(ngx_lead_http_try_t *t,
    ngx_connection_t *c);
static ngx_int_t ngx_lead_http_ssl_check_ip(ngx_connection_t *c,
    struct sockaddr *sa);


void
ngx_lead_http_handshake(ngx_lead_http_try_t *t)
{
    ngx_connection_t  *c;

    c = t->peer.connection;

    t->stage = NGX_LEAD_HTTP_HANDSHAKING;
    t->log.action = "in the TLS handshake of a request";

    if (ngx_ssl_create_connection(t->target->ctx, c,
                                  NGX_SSL_BUFFER|NGX_SSL_CLIENT)
        != NGX_OK)
    {
        ngx_lead_http_finish(t, NGX_LEAD_HTTP_INTERNAL,
                             "no TLS connection could be set up");
        return;
    }

    c->sendfile = 0;

    if (ngx_lead_http_ssl_name(t, c) != NGX_OK) {
        ngx_lead_http_finish(t, NGX_LEAD_HTTP_INTERNAL,
                             "no TLS connection could be set up");
        return;
    }

    if (ngx_ssl_handshake(c) == NGX_AGAIN) {
        c->ssl->handler = ngx_lead_http_handshake_handler;
        return;
    }

    ngx_lead_http_handshake_handler(c);
}


/* names only: RFC 6066 leaves addresses out */

static ngx_int_t
ngx_lead_http_ssl_name(ngx_lead_http_try_t *t, ngx_connection_t *c)
{
#ifdef SSL_CTRL_SET_TLSEXT_HOSTNAME

    if (t->target->addr) {
        return NGX_OK;
    }

    if (SSL_set_tlsext_host_name(c->ssl->connection,
                                 (char *) t->target->host.data)
        == 0)
    {
        ngx_ssl_error(NGX_LOG_ERR, c->log, 0,
                      "SSL_set_tlsext_host_name(\"%V\") failed",
                      &t->target->host);
        return NGX_ERROR;
    }

#endif

    return NGX_OK;
}


static void
ngx_lead_http_handshake_handler(ngx_connection_t *c)
{
    const char           *error;
    ngx_lead_http_try_t  *t;

    t = c->data;

    if (!c->ssl->handshaked) {

        if (c->write->timedout) {
            ngx_lead_http_not_connected(t, NGX_LEAD_HTTP_TIMEOUT,
                                        "no TLS handshake in time");
            return;
        }

        ngx_lead_http_finish(t, NGX_LEAD_HTTP_TLS,
                             c->read->error
                             ? "the TLS handshake failed"
                             : "the connection was closed in the TLS "
                               "handshake");
        return;
    }

    if (t->target->ssl_verify) {
        error = ngx_lead_http_ssl_verify(t, c);

        if (error) {
            ngx_lead_http_finish(t, NGX_LEAD_HTTP_TLS, error);
            return;
        }
    }

    ngx_lead_http_connected(t);
}


static const char *
ngx_lead_http_ssl_verify(ngx_lead_http_try_t *t, ngx_connection_t *c)
{
    long       rc;
    ngx_int_t  match;

    rc = SSL_get_verify_result(c->ssl->connection);

    if (rc != X509_V_OK) {
        ngx_log_error(t->request->level, c->log, 0,
                      "the certificate of \"%V\" is not trusted: (%l:%s)",
                      &t->target->authority, rc,
                      X509_verify_cert_error_string(rc));

        return X509_verify_cert_error_string(rc);
    }

    if (t->target->addr) {
        match = ngx_lead_http_ssl_check_ip(c, t->target->addr->sockaddr);

    } else {
        match = ngx_ssl_check_host(c, &t->target->host);
    }

    if (match != NGX_OK) {
        ngx_log_error(t->request->level, c->log, 0,
                      "the certificate is not one of \"%V\"",
                      &t->target->host);

        return "the certificate is for another name";
    }

    return NULL;
}


static ngx_int_t
ngx_lead_http_ssl_check_ip(ngx_connection_t *c, struct sockaddr *sa)
{
    int     rc;
    X509   *cert;
    size_t  len;
    u_char *addr;

    switch (sa->sa_family) {

#if (NGX_HAVE_INET6)
    case AF_INET6:
        addr = ((struct sockaddr_in6 *) sa)->sin6_addr.s6_addr;
        len = 16;
        break;
#endif

    default: /* AF_INET */
        addr = (u_char *) &((struct sockaddr_in *) sa)->sin_addr;
        len = 4;
        break;
    }

    cert = SSL_get_peer_certificate(c->ssl->connection);
    if (cert == NULL) {
        return NGX_ERROR;
    }

    rc = X509_check_ip(cert, addr, len, 0);

    X509_free(cert);

    return (rc == 1) ? NGX_OK : NGX_DECLINED;
}

#else

void
ngx_lead_http_handshake(ngx_lead_http_try_t *t)
{
    ngx_lead_http_finish(t, NGX_LEAD_HTTP_INTERNAL, "this nginx has no TLS");
}

#endif
