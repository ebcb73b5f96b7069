
/*
 * Copyright (C) the ngx_lead authors
 *
 * A request looks for a connection: asks for the addresses of its host and
 * connects to the first that is allowed and can be reached.
 *
 * Must not connect to an address it has not checked, nor check a name instead
 * of an address.  Addresses lie in the request's pool; a connection has one
 * of its own.
 */


#include "ngx_lead_http_client.h"


#define NGX_LEAD_HTTP_POOL  256              /* of a connection */


static void ngx_lead_http_resolve(ngx_lead_http_try_t *t);
static void ngx_lead_http_resolved(ngx_resolver_ctx_t *ctx);
static ngx_int_t ngx_lead_http_addresses(ngx_lead_http_try_t *t,
    ngx_resolver_ctx_t *ctx);
static void ngx_lead_http_next(ngx_lead_http_try_t *t);
static ngx_uint_t ngx_lead_http_allowed(ngx_lead_http_try_t *t,
    ngx_addr_t *addr);
static ngx_int_t ngx_lead_http_connect(ngx_lead_http_try_t *t,
    ngx_addr_t *addr);
static ngx_int_t ngx_lead_http_attach(ngx_lead_http_try_t *t,
    ngx_connection_t *c);
static void ngx_lead_http_connect_error(ngx_lead_http_try_t *t,
    ngx_err_t err);
static void ngx_lead_http_connect_handler(ngx_event_t *ev);
static void ngx_lead_http_test_connect(ngx_lead_http_try_t *t);


void
ngx_lead_http_fresh(ngx_lead_http_try_t *t)
{
    if (t->target->addr) {
        t->addrs = t->target->addr;
        t->naddrs = 1;

        ngx_lead_http_next(t);
        return;
    }

    ngx_lead_http_resolve(t);
}


static void
ngx_lead_http_resolve(ngx_lead_http_try_t *t)
{
    ngx_resolver_ctx_t  *ctx;

    t->stage = NGX_LEAD_HTTP_RESOLVING;
    t->log.action = "resolving the host of a request";

    ctx = t->target->resolver ? ngx_resolve_start(t->target->resolver, NULL)
                              : NGX_NO_RESOLVER;

    if (ctx == NGX_NO_RESOLVER) {
        ngx_lead_http_finish(t, NGX_LEAD_HTTP_RESOLVE,
                             "there is no resolver for names");
        return;
    }

    if (ctx == NULL) {
        ngx_lead_http_finish(t, NGX_LEAD_HTTP_INTERNAL, "no memory");
        return;
    }

    ctx->name = t->target->host;
    ctx->handler = ngx_lead_http_resolved;
    ctx->data = t;
    ctx->timeout = t->target->resolver_timeout;

    t->resolve = ctx;

    /* may call the handler, and t be gone then */

    if (ngx_resolve_name(ctx) != NGX_OK) {
        t->resolve = NULL;
        ngx_lead_http_finish(t, NGX_LEAD_HTTP_INTERNAL,
                             "the name could not be asked for");
    }
}


static void
ngx_lead_http_resolved(ngx_resolver_ctx_t *ctx)
{
    ngx_int_t             rc, state;
    ngx_lead_http_try_t  *t;

    t = ctx->data;
    state = ctx->state;
    rc = NGX_OK;

    if (state == NGX_OK) {
        rc = ngx_lead_http_addresses(t, ctx);

    } else {
        ngx_log_error(t->request->level, &t->log, 0,
                      "\"%V\" could not be resolved (%i: %s)",
                      &t->target->host, state, ngx_resolver_strerror(state));
    }

    t->resolve = NULL;
    ngx_resolve_name_done(ctx);

    if (rc != NGX_OK) {
        ngx_lead_http_finish(t, NGX_LEAD_HTTP_INTERNAL, "no memory");
        return;
    }

    switch (state) {

    case NGX_OK:
        ngx_lead_http_next(t);
        return;

    case NGX_RESOLVE_NXDOMAIN:
        ngx_lead_http_finish(t, NGX_LEAD_HTTP_RESOLVE,
                             "the host's name does not exist");
        return;

    case NGX_RESOLVE_TIMEDOUT:
        ngx_lead_http_finish(t, NGX_LEAD_HTTP_RESOLVE,
                             "the host's name was not resolved in time");
        return;

    default:
        ngx_lead_http_finish(t, NGX_LEAD_HTTP_RESOLVE,
                             "the host's name could not be resolved");
    }
}


static ngx_int_t
ngx_lead_http_addresses(ngx_lead_http_try_t *t, ngx_resolver_ctx_t *ctx)
{
    u_char           *p;
    socklen_t         socklen;
    ngx_uint_t        i;
    ngx_pool_t       *pool;
    struct sockaddr  *sa;

    pool = t->request->pool;

    t->addrs = ngx_pcalloc(pool, ctx->naddrs * sizeof(ngx_addr_t));
    if (t->addrs == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < ctx->naddrs; i++) {

        socklen = ctx->addrs[i].socklen;

        sa = ngx_palloc(pool, socklen);
        if (sa == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(sa, ctx->addrs[i].sockaddr, socklen);
        ngx_inet_set_port(sa, t->target->port);

        p = ngx_pnalloc(pool, NGX_SOCKADDR_STRLEN);
        if (p == NULL) {
            return NGX_ERROR;
        }

        t->addrs[i].sockaddr = sa;
        t->addrs[i].socklen = socklen;
        t->addrs[i].name.data = p;
        t->addrs[i].name.len = ngx_sock_ntop(sa, socklen, p,
                                             NGX_SOCKADDR_STRLEN, 1);
    }

    t->naddrs = ctx->naddrs;

    return NGX_OK;
}


static void
ngx_lead_http_next(ngx_lead_http_try_t *t)
{
    ngx_int_t    rc;
    ngx_addr_t  *addr;

    while (t->naddr < t->naddrs) {

        addr = &t->addrs[t->naddr++];

        if (!ngx_lead_http_allowed(t, addr)) {

            ngx_log_error(NGX_LOG_INFO, &t->log, 0,
                          "address %V of \"%V\" is neither public nor allowed",
                          &addr->name, &t->target->host);
            continue;
        }

        rc = ngx_lead_http_connect(t, addr);

        if (rc == NGX_DECLINED) {
            continue;
        }

        if (rc == NGX_OK) {
            ngx_lead_http_test_connect(t);

        } else if (rc == NGX_ERROR) {
            ngx_lead_http_finish(t, NGX_LEAD_HTTP_INTERNAL,
                                 "no connection could be opened here");
        }

        return;
    }

    if (t->error == NULL) {
        ngx_log_error(t->request->level, &t->log, 0,
                      "\"%V\" has no address that is public or allowed",
                      &t->target->host);

        t->outcome = NGX_LEAD_HTTP_REFUSED;
        t->error = "the host's address is neither public nor allowed";
    }

    ngx_lead_http_finish(t, t->outcome, t->error);
}


static ngx_uint_t
ngx_lead_http_allowed(ngx_lead_http_try_t *t, ngx_addr_t *addr)
{
    if (ngx_lead_http_address_public(addr->sockaddr)) {
        return 1;
    }

    return t->target->allow
           && ngx_cidr_match(addr->sockaddr, t->target->allow) == NGX_OK;
}


/* NGX_OK: made; NGX_AGAIN: under way; NGX_DECLINED: not this address */

static ngx_int_t
ngx_lead_http_connect(ngx_lead_http_try_t *t, ngx_addr_t *addr)
{
    ngx_int_t  rc;

    t->stage = NGX_LEAD_HTTP_CONNECTING;
    t->log.action = "connecting for a request";

    ngx_memzero(&t->peer, sizeof(ngx_peer_connection_t));

    t->peer.sockaddr = addr->sockaddr;
    t->peer.socklen = addr->socklen;
    t->peer.name = &addr->name;
    t->peer.get = ngx_event_get_peer;
    t->peer.log = &t->log;
    t->peer.log_error = (t->request->level == NGX_LOG_ERR)
                        ? NGX_ERROR_ERR : NGX_ERROR_INFO;

    ngx_set_socket_errno(0);

    rc = ngx_event_connect_peer(&t->peer);

    if (rc == NGX_ERROR) {

        if (ngx_socket_errno == EAFNOSUPPORT) {
            ngx_lead_http_connect_error(t, NGX_EHOSTUNREACH);
            return NGX_DECLINED;
        }

        /* a system without IPv6 may still reach the next address */

        if (addr->sockaddr->sa_family != AF_INET && t->naddr < t->naddrs) {
            return NGX_DECLINED;
        }

        return NGX_ERROR;
    }

    if (rc != NGX_OK && rc != NGX_AGAIN) {
        ngx_lead_http_connect_error(t, ngx_socket_errno);
        return NGX_DECLINED;
    }

    if (ngx_lead_http_attach(t, t->peer.connection) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_add_timer(t->peer.connection->write, t->target->connect_timeout);

    return rc;
}


static ngx_int_t
ngx_lead_http_attach(ngx_lead_http_try_t *t, ngx_connection_t *c)
{
    c->data = t;
    c->read->handler = ngx_lead_http_connect_handler;
    c->write->handler = ngx_lead_http_connect_handler;

    t->log.connection = c->number;

    c->pool = ngx_create_pool(NGX_LEAD_HTTP_POOL, &t->log);
    if (c->pool == NULL) {
        return NGX_ERROR;
    }

    t->idle = ngx_palloc(c->pool, sizeof(ngx_lead_http_idle_t));
    if (t->idle == NULL) {
        return NGX_ERROR;
    }

    t->idle->connection = c;
    t->idle->peer = t->request->peer;

    return NGX_OK;
}


static void
ngx_lead_http_connect_error(ngx_lead_http_try_t *t, ngx_err_t err)
{
    t->outcome = NGX_LEAD_HTTP_CONNECT;

    switch (err) {

    case NGX_ECONNREFUSED:
        t->error = "the connection was refused";
        break;

    case NGX_ECONNRESET:
        t->error = "the connection was reset";
        break;

    case NGX_ENETUNREACH:
    case NGX_EHOSTUNREACH:
    case NGX_ENETDOWN:
    case NGX_EHOSTDOWN:
        t->error = "the host cannot be reached";
        break;

    case NGX_ETIMEDOUT:
        t->error = "no connection in time";
        t->outcome = NGX_LEAD_HTTP_TIMEOUT;
        break;

    default:
        t->error = "no connection could be made";
    }
}


static void
ngx_lead_http_connect_handler(ngx_event_t *ev)
{
    ngx_connection_t     *c;
    ngx_lead_http_try_t  *t;

    c = ev->data;
    t = c->data;

    ngx_log_debug1(NGX_LOG_DEBUG_EVENT, ev->log, 0,
                   "lead http connect handler, write:%d", ev->write);

    if (c->close) {
        ngx_lead_http_finish(t, NGX_LEAD_HTTP_INTERNAL,
                             "the server was told to exit");
        return;
    }

    if (ev->timedout) {
        ngx_lead_http_not_connected(t, NGX_LEAD_HTTP_TIMEOUT,
                                    "no connection in time");
        return;
    }

    ngx_lead_http_test_connect(t);
}


static void
ngx_lead_http_test_connect(ngx_lead_http_try_t *t)
{
    int                err;
    socklen_t          len;
    ngx_connection_t  *c;

    c = t->peer.connection;

    err = 0;
    len = sizeof(int);

    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len) == -1) {
        err = ngx_socket_errno;
    }

    if (err) {
        ngx_log_error(t->request->level, c->log, err,
                      "connect() to %V failed", t->peer.name);

        ngx_lead_http_connect_error(t, err);
        ngx_lead_http_not_connected(t, t->outcome, t->error);
        return;
    }

    if (!c->write->ready) {
        return;
    }

    if (ngx_tcp_nodelay(c) != NGX_OK) {
        ngx_lead_http_not_connected(t, NGX_LEAD_HTTP_CONNECT,
                                    "the connection was reset");
        return;
    }

    if (t->target->ssl) {
        ngx_lead_http_handshake(t);
        return;
    }

    ngx_lead_http_connected(t);
}


void
ngx_lead_http_not_connected(ngx_lead_http_try_t *t,
    ngx_lead_http_outcome_e outcome, const char *error)
{
    ngx_lead_http_close(t->peer.connection, 0);
    t->peer.connection = NULL;

    t->outcome = outcome;
    t->error = error;

    ngx_lead_http_next(t);
}
