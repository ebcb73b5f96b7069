
/*
 * Copyright (C) the ngx_lead authors
 *
 * A request on its connection: is sent, and its answer read, which may come
 * before all of it has been sent.
 *
 * Must not send again what a peer may have taken: only where a connection was
 * used before, and not a byte has come back, it is tried once more on a fresh
 * one.  Whoever calls what may end the request touches nothing after it.
 */


#include "ngx_lead_http_client.h"


#define NGX_LEAD_HTTP_READ  4096


static void ngx_lead_http_write_handler(ngx_event_t *wev);
static void ngx_lead_http_write(ngx_lead_http_try_t *t);
static void ngx_lead_http_sent(ngx_lead_http_try_t *t);
static void ngx_lead_http_read_handler(ngx_event_t *rev);
static void ngx_lead_http_read(ngx_lead_http_try_t *t);
static void ngx_lead_http_closed(ngx_lead_http_try_t *t, ssize_t n);
static void ngx_lead_http_answered(ngx_lead_http_try_t *t, ngx_uint_t whole);


void
ngx_lead_http_reuse(ngx_lead_http_try_t *t, ngx_connection_t *c)
{
    t->idle = c->data;
    t->peer.connection = c;
    t->reused = 1;

    t->log.connection = c->number;

    c->data = t;
    c->log = &t->log;
    c->read->log = &t->log;
    c->write->log = &t->log;
    c->pool->log = &t->log;

    /* that the peer has closed it meanwhile is nobody's fault */

    c->log_error = NGX_ERROR_INFO;

    ngx_lead_http_connected(t);
}


void
ngx_lead_http_connected(ngx_lead_http_try_t *t)
{
    ngx_connection_t  *c;

    c = t->peer.connection;

    ngx_log_debug3(NGX_LOG_DEBUG_EVENT, c->log, 0,
                   "lead http connected: %d, reused:%d, requests:%ui",
                   c->fd, t->reused, c->requests);

    if (c->write->timer_set) {
        ngx_del_timer(c->write);
    }

    c->requests++;
    c->sent = 0;
    c->read->handler = ngx_lead_http_read_handler;
    c->write->handler = ngx_lead_http_write_handler;

    t->stage = NGX_LEAD_HTTP_SENDING;
    t->log.action = "sending a request";

    ngx_lead_http_write(t);
}


static void
ngx_lead_http_write_handler(ngx_event_t *wev)
{
    ngx_connection_t     *c;
    ngx_lead_http_try_t  *t;

    c = wev->data;
    t = c->data;

    ngx_log_debug1(NGX_LOG_DEBUG_EVENT, wev->log, 0,
                   "lead http write handler, stage:%d", t->stage);

    if (t->stage != NGX_LEAD_HTTP_SENDING) {
        return;
    }

    if (wev->timedout) {
        ngx_lead_http_finish(t, NGX_LEAD_HTTP_TIMEOUT,
                             "the request could not be sent in time");
        return;
    }

    ngx_lead_http_write(t);
}


static void
ngx_lead_http_write(ngx_lead_http_try_t *t)
{
    off_t              sent;
    ngx_event_t       *wev;
    ngx_connection_t  *c;

    c = t->peer.connection;
    wev = c->write;
    sent = c->sent;

    t->out = c->send_chain(c, t->out, 0);

    if (t->out == NGX_CHAIN_ERROR) {

        /* who answers early may have closed; what he said is still there */

        t->out = NULL;
        t->broken = 1;

        ngx_lead_http_sent(t);
        return;
    }

    if (ngx_handle_write_event(wev, 0) != NGX_OK) {
        ngx_lead_http_finish(t, NGX_LEAD_HTTP_INTERNAL,
                             "the connection could not be watched");
        return;
    }

    if (t->out || c->buffered) {

        if (c->sent != sent || !wev->timer_set) {
            ngx_add_timer(wev, t->target->send_timeout);
        }

        if (c->read->ready) {
            ngx_post_event(c->read, &ngx_posted_events);
        }

        return;
    }

    ngx_lead_http_sent(t);
}


static void
ngx_lead_http_sent(ngx_lead_http_try_t *t)
{
    ngx_connection_t  *c;

    c = t->peer.connection;

    t->stage = NGX_LEAD_HTTP_READING;
    t->log.action = "reading the answer to a request";

    if (c->write->timer_set) {
        ngx_del_timer(c->write);
    }

    ngx_add_timer(c->read, t->target->read_timeout);

    ngx_lead_http_read(t);
}


static void
ngx_lead_http_read_handler(ngx_event_t *rev)
{
    ngx_connection_t     *c;
    ngx_lead_http_try_t  *t;

    c = rev->data;
    t = c->data;

    ngx_log_debug1(NGX_LOG_DEBUG_EVENT, rev->log, 0,
                   "lead http read handler, stage:%d", t->stage);

    if (c->close) {
        ngx_lead_http_finish(t, NGX_LEAD_HTTP_INTERNAL,
                             "the server was told to exit");
        return;
    }

    if (rev->timedout) {
        ngx_lead_http_finish(t, NGX_LEAD_HTTP_TIMEOUT, "no answer in time");
        return;
    }

    ngx_lead_http_read(t);
}


static void
ngx_lead_http_read(ngx_lead_http_try_t *t)
{
    u_char             buf[NGX_LEAD_HTTP_READ], *pos;
    ssize_t            n;
    ngx_int_t          rc;
    ngx_connection_t  *c;

    c = t->peer.connection;

    for ( ;; ) {

        n = c->recv(c, buf, NGX_LEAD_HTTP_READ);

        if (n == NGX_AGAIN) {

            if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
                ngx_lead_http_finish(t, NGX_LEAD_HTTP_INTERNAL,
                                     "the connection could not be watched");
            }

            return;
        }

        if (n == NGX_ERROR || n == 0) {
            ngx_lead_http_closed(t, n);
            return;
        }

        t->received = 1;

        if (c->read->timer_set) {
            ngx_add_timer(c->read, t->target->read_timeout);
        }

        pos = buf;

        rc = ngx_lead_http_parse(&t->parse, &pos, buf + n);

        if (rc == NGX_OK) {
            ngx_lead_http_answered(t, pos == buf + n);
            return;
        }

        if (rc == NGX_ERROR) {
            ngx_lead_http_finish(t, NGX_LEAD_HTTP_INVALID,
                                 "the answer is not valid HTTP");
            return;
        }
    }
}


static void
ngx_lead_http_closed(ngx_lead_http_try_t *t, ssize_t n)
{
    ngx_connection_t  *c;

    c = t->peer.connection;

    if (n == 0 && ngx_lead_http_parse_eof(&t->parse) == NGX_OK) {
        ngx_lead_http_answered(t, 0);
        return;
    }

    if (t->received) {
        ngx_lead_http_finish(t, NGX_LEAD_HTTP_CLOSED,
                             "the connection was closed within the answer");
        return;
    }

    if (t->reused) {
        ngx_log_debug0(NGX_LOG_DEBUG_EVENT, c->log, 0,
                       "lead http connection was closed before its use");

        ngx_lead_http_close(c, 0);
        t->peer.connection = NULL;

        t->reused = 0;
        t->broken = 0;

        ngx_lead_http_parse_init(&t->parse);
        ngx_lead_http_rewind(t);
        ngx_lead_http_fresh(t);
        return;
    }

#if (NGX_SSL)

    /* in TLS 1.3 a certificate of ours is refused after the handshake */

    if (n == NGX_ERROR && c->ssl
        && (SSL_get_shutdown(c->ssl->connection) & SSL_RECEIVED_SHUTDOWN))
    {
        ngx_lead_http_finish(t, NGX_LEAD_HTTP_TLS,
                             "the host has refused the TLS connection");
        return;
    }

#endif

    ngx_lead_http_finish(t, NGX_LEAD_HTTP_CLOSED,
                         "the connection was closed before the answer");
}


/* whole: and nothing came behind it */

static void
ngx_lead_http_answered(ngx_lead_http_try_t *t, ngx_uint_t whole)
{
    ngx_connection_t         *c;
    ngx_lead_http_request_t  *rq;

    rq = t->request;
    c = t->peer.connection;

    rq->status = t->parse.status;
    rq->retry_after = t->parse.retry_after;
    rq->nanswer = t->parse.nanswer;

    ngx_memcpy(rq->answer, t->parse.answer, t->parse.nanswer);

    ngx_log_debug2(NGX_LOG_DEBUG_EVENT, c->log, 0,
                   "lead http answer: %ui, close:%d",
                   rq->status, t->parse.close);

    t->peer.connection = NULL;

    if (whole && !t->parse.close && !t->broken
        && t->stage == NGX_LEAD_HTTP_READING)
    {
        ngx_lead_http_peer_put(t->idle);

    } else {
        ngx_lead_http_close(c, t->stage == NGX_LEAD_HTTP_READING
                               && !t->broken);
    }

    ngx_lead_http_finish(t, NGX_LEAD_HTTP_ANSWERED, NULL);
}
