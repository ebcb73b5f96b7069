
/*
 * Copyright (C) the ngx_lead authors
 *
 * A request's begin and end: what is sent, the time it may take in all, and
 * that its done() is called once.
 *
 * Must not call done() from within ngx_lead_http_send().  All memory is of the
 * request's pool, and may be gone with done().
 */


#include "ngx_lead_http_client.h"


static void ngx_lead_http_start(ngx_event_t *ev);
static ngx_lead_http_try_t *ngx_lead_http_try(ngx_lead_http_request_t *rq);
static ngx_int_t ngx_lead_http_head(ngx_lead_http_try_t *t);
static void ngx_lead_http_timeout(ngx_event_t *ev);
static void ngx_lead_http_done(ngx_lead_http_request_t *rq,
    ngx_lead_http_outcome_e outcome, const char *error);


void
ngx_lead_http_send(ngx_lead_http_request_t *rq)
{
    rq->status = 0;
    rq->retry_after = -1;
    rq->error = NULL;
    rq->nanswer = 0;
    rq->current = NULL;
    rq->msec = ngx_current_msec;

    ngx_memzero(&rq->event, sizeof(ngx_event_t));

    rq->event.handler = ngx_lead_http_start;
    rq->event.data = rq;
    rq->event.log = rq->log;

    ngx_post_event(&rq->event, &ngx_posted_events);
}


static void
ngx_lead_http_start(ngx_event_t *ev)
{
    ngx_connection_t         *c;
    ngx_lead_http_try_t      *t;
    ngx_lead_http_request_t  *rq;

    rq = ev->data;

    t = ngx_lead_http_try(rq);

    if (t == NULL || ngx_lead_http_head(t) != NGX_OK) {
        ngx_lead_http_done(rq, NGX_LEAD_HTTP_INTERNAL, "no memory");
        return;
    }

    rq->current = t;

    ngx_add_timer(&t->timer, t->target->timeout);

    c = ngx_lead_http_peer_get(rq->peer);

    if (c) {
        ngx_lead_http_reuse(t, c);
        return;
    }

    ngx_lead_http_fresh(t);
}


static ngx_lead_http_try_t *
ngx_lead_http_try(ngx_lead_http_request_t *rq)
{
    ngx_lead_http_try_t  *t;

    t = ngx_pcalloc(rq->pool, sizeof(ngx_lead_http_try_t));
    if (t == NULL) {
        return NULL;
    }

    t->ident[3] = (void *) -1;
    t->request = rq;
    t->target = rq->peer->target;

    t->log = *rq->log;

    t->timer.handler = ngx_lead_http_timeout;
    t->timer.data = t;
    t->timer.log = &t->log;

    ngx_lead_http_parse_init(&t->parse);

    return t;
}


static ngx_int_t
ngx_lead_http_head(ngx_lead_http_try_t *t)
{
    size_t                    len;
    u_char                   *p;
    ngx_lead_http_target_t   *target;
    ngx_lead_http_request_t  *rq;

    rq = t->request;
    target = t->target;

    len = sizeof("POST  HTTP/1.1" CRLF) - 1 + target->uri.len
          + sizeof("Host: " CRLF) - 1 + target->authority.len
          + rq->headers.len
          + sizeof("Content-Length: " CRLF) - 1 + NGX_SIZE_T_LEN
          + sizeof("Connection: keep-alive" CRLF CRLF) - 1;

    p = ngx_pnalloc(rq->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    t->bufs[0].start = p;

    p = ngx_sprintf(p, "POST %V HTTP/1.1" CRLF "Host: %V" CRLF
                       "%VContent-Length: %uz" CRLF
                       "Connection: %s" CRLF CRLF,
                    &target->uri, &target->authority, &rq->headers,
                    rq->body.len, target->keepalive ? "keep-alive" : "close");

    t->bufs[0].end = p;

    t->bufs[1].start = rq->body.data;
    t->bufs[1].end = rq->body.data + rq->body.len;

    ngx_lead_http_rewind(t);

    return NGX_OK;
}


void
ngx_lead_http_rewind(ngx_lead_http_try_t *t)
{
    ngx_uint_t  i, n;

    n = t->request->body.len ? 2 : 1;

    for (i = 0; i < n; i++) {
        t->bufs[i].memory = 1;
        t->bufs[i].pos = t->bufs[i].start;
        t->bufs[i].last = t->bufs[i].end;
        t->bufs[i].last_buf = (i + 1 == n);

        t->links[i].buf = &t->bufs[i];
        t->links[i].next = (i + 1 == n) ? NULL : &t->links[i + 1];
    }

    t->out = t->links;
}


static void
ngx_lead_http_timeout(ngx_event_t *ev)
{
    const char           *error;
    ngx_lead_http_try_t  *t;

    t = ev->data;

    switch (t->stage) {

    case NGX_LEAD_HTTP_RESOLVING:
        error = "the host's name was not resolved in time";
        break;

    case NGX_LEAD_HTTP_CONNECTING:
        error = "no connection in time";
        break;

    case NGX_LEAD_HTTP_HANDSHAKING:
        error = "no TLS handshake in time";
        break;

    case NGX_LEAD_HTTP_SENDING:
        error = "the request could not be sent in time";
        break;

    default: /* NGX_LEAD_HTTP_READING */
        error = "no answer in time";
    }

    ngx_lead_http_finish(t, NGX_LEAD_HTTP_TIMEOUT, error);
}


void
ngx_lead_http_finish(ngx_lead_http_try_t *t, ngx_lead_http_outcome_e outcome,
    const char *error)
{
    if (t->resolve) {
        ngx_resolve_name_done(t->resolve);
        t->resolve = NULL;
    }

    if (t->peer.connection) {
        ngx_lead_http_close(t->peer.connection, 0);
        t->peer.connection = NULL;
    }

    if (t->timer.timer_set) {
        ngx_del_timer(&t->timer);
    }

    /* what went silent while it was idle is not alone in that */

    if (outcome == NGX_LEAD_HTTP_TIMEOUT && t->reused && !t->received) {
        ngx_lead_http_peer_close(t->request->peer);
    }

    ngx_lead_http_done(t->request, outcome, error);
}


static void
ngx_lead_http_done(ngx_lead_http_request_t *rq,
    ngx_lead_http_outcome_e outcome, const char *error)
{
    rq->outcome = outcome;
    rq->error = error;
    rq->msec = ngx_current_msec - rq->msec;
    rq->current = NULL;

    rq->done(rq);
}
