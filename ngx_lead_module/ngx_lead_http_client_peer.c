
/*
 * Copyright (C) the ngx_lead authors
 *
 * Connections of a target that nobody uses at the moment.
 *
 * Must not hand out one that the peer has closed or sent something on unasked,
 * nor keep a worker from exiting: each is marked as idle, and closed when
 * nginx closes those.  A connection's memory is its own pool, which goes with
 * it.
 */


#include "ngx_lead_http_client.h"


/* as nginx' keepalive_requests and keepalive_time of upstreams: who always
 * finds a connection would never ask for the name again */

#define NGX_LEAD_HTTP_KEPT_REQUESTS  1000
#define NGX_LEAD_HTTP_KEPT_TIME      3600000


static ngx_uint_t ngx_lead_http_peer_keeps(ngx_lead_http_idle_t *idle);
static ngx_uint_t ngx_lead_http_quiet(ngx_connection_t *c);
static void ngx_lead_http_idle_handler(ngx_event_t *rev);
static void ngx_lead_http_idle_write_handler(ngx_event_t *wev);
static void ngx_lead_http_idle_close(ngx_lead_http_idle_t *idle,
    ngx_uint_t polite);


ngx_lead_http_peer_t *
ngx_lead_http_peer(ngx_pool_t *pool, ngx_lead_http_target_t *target)
{
    ngx_lead_http_peer_t  *peer;

    peer = ngx_pcalloc(pool, sizeof(ngx_lead_http_peer_t));
    if (peer == NULL) {
        return NULL;
    }

    peer->target = target;
    peer->log = pool->log;

    ngx_queue_init(&peer->idle);

    return peer;
}


void
ngx_lead_http_peer_close(ngx_lead_http_peer_t *peer)
{
    ngx_queue_t  *q, *next;

    for (q = ngx_queue_head(&peer->idle);
         q != ngx_queue_sentinel(&peer->idle);
         q = next)
    {
        next = ngx_queue_next(q);
        ngx_lead_http_idle_close(ngx_queue_data(q, ngx_lead_http_idle_t,
                                                queue), 1);
    }
}


ngx_connection_t *
ngx_lead_http_peer_get(ngx_lead_http_peer_t *peer)
{
    ngx_queue_t           *q, *next;
    ngx_connection_t      *c;
    ngx_lead_http_idle_t  *idle;

    for (q = ngx_queue_head(&peer->idle);
         q != ngx_queue_sentinel(&peer->idle);
         q = next)
    {
        next = ngx_queue_next(q);
        idle = ngx_queue_data(q, ngx_lead_http_idle_t, queue);
        c = idle->connection;

        if (!ngx_lead_http_quiet(c)) {
            ngx_lead_http_idle_close(idle, 0);
            continue;
        }

        if (ngx_current_msec - c->start_time > NGX_LEAD_HTTP_KEPT_TIME) {
            ngx_lead_http_idle_close(idle, 1);
            continue;
        }

        ngx_queue_remove(&idle->queue);
        peer->nidle--;

        c->idle = 0;
        ngx_reusable_connection(c, 0);

        if (c->read->timer_set) {
            ngx_del_timer(c->read);
        }

        return c;
    }

    return NULL;
}


void
ngx_lead_http_peer_put(ngx_lead_http_idle_t *idle)
{
    ngx_connection_t      *c;
    ngx_lead_http_peer_t  *peer;

    c = idle->connection;
    peer = idle->peer;

    if (!ngx_lead_http_peer_keeps(idle)) {
        ngx_lead_http_close(c, 1);
        return;
    }

    ngx_log_debug1(NGX_LOG_DEBUG_EVENT, c->log, 0,
                   "lead http keep connection: %d", c->fd);

#if (NGX_SSL)

    if (c->ssl) {
        ngx_ssl_free_buffer(c);
    }

#endif

    if (c->write->timer_set) {
        ngx_del_timer(c->write);
    }

    ngx_add_timer(c->read, peer->target->keepalive_timeout);

    c->read->handler = ngx_lead_http_idle_handler;
    c->write->handler = ngx_lead_http_idle_write_handler;

    c->data = idle;
    c->idle = 1;

    /* what a request needs comes first */

    ngx_reusable_connection(c, 1);

    c->log = peer->log;
    c->read->log = peer->log;
    c->write->log = peer->log;
    c->pool->log = peer->log;

    ngx_queue_insert_head(&peer->idle, &idle->queue);
    peer->nidle++;
}


static ngx_uint_t
ngx_lead_http_peer_keeps(ngx_lead_http_idle_t *idle)
{
    u_char                 byte;
    ngx_connection_t      *c;
    ngx_lead_http_peer_t  *peer;

    c = idle->connection;
    peer = idle->peer;

    if (ngx_terminate || ngx_exiting || c->close
        || peer->nidle >= peer->target->keepalive
        || c->requests >= NGX_LEAD_HTTP_KEPT_REQUESTS
        || ngx_current_msec - c->start_time > NGX_LEAD_HTTP_KEPT_TIME)
    {
        return 0;
    }

    /* neither its end nor a byte more, also not inside of TLS */

    return c->recv(c, &byte, 1) == NGX_AGAIN
           && ngx_handle_read_event(c->read, 0) == NGX_OK
           && ngx_lead_http_quiet(c);
}


static ngx_uint_t
ngx_lead_http_quiet(ngx_connection_t *c)
{
    ssize_t  n;
    u_char   byte;

    n = recv(c->fd, &byte, 1, MSG_PEEK);

    return n == -1 && ngx_socket_errno == NGX_EAGAIN;
}


static void
ngx_lead_http_idle_handler(ngx_event_t *rev)
{
    ngx_connection_t  *c = rev->data;

    ngx_log_debug0(NGX_LOG_DEBUG_EVENT, rev->log, 0,
                   "lead http idle handler");

    if (c->close || rev->timedout) {
        ngx_lead_http_idle_close(c->data, 1);
        return;
    }

    rev->ready = 0;

    if (!ngx_lead_http_quiet(c) || ngx_handle_read_event(rev, 0) != NGX_OK) {
        ngx_lead_http_idle_close(c->data, 0);
    }
}


static void
ngx_lead_http_idle_write_handler(ngx_event_t *wev)
{
    ngx_log_debug0(NGX_LOG_DEBUG_EVENT, wev->log, 0,
                   "lead http idle write handler");
}


static void
ngx_lead_http_idle_close(ngx_lead_http_idle_t *idle, ngx_uint_t polite)
{
    ngx_queue_remove(&idle->queue);
    idle->peer->nidle--;

    ngx_lead_http_close(idle->connection, polite);
}


void
ngx_lead_http_close(ngx_connection_t *c, ngx_uint_t polite)
{
    ngx_pool_t  *pool;

    ngx_log_debug2(NGX_LOG_DEBUG_EVENT, c->log, 0,
                   "lead http close connection: %d, polite:%ui",
                   c->fd, polite);

#if (NGX_SSL)

    if (c->ssl) {
        c->ssl->no_wait_shutdown = 1;

        if (!polite) {
            c->ssl->no_send_shutdown = 1;
        }

        if (ngx_ssl_shutdown(c) == NGX_AGAIN) {

            /* what cannot be said at once is not said */

            c->ssl->no_send_shutdown = 1;
            (void) ngx_ssl_shutdown(c);
        }
    }

#endif

    pool = c->pool;

    ngx_close_connection(c);

    if (pool) {
        ngx_destroy_pool(pool);
    }
}
