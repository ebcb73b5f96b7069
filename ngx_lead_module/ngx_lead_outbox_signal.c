
/*
 * Copyright (C) the ngx_lead authors
 *
 * How workers tell each other that they have committed rows for an endpoint
 * which another one delivers to: an eventfd, made by the master, which all its
 * workers share, those of before and after a reload too.  It carries nothing
 * but the wake-up, and may be missed: the timer of each worker is the safety
 * net.
 */


#include "ngx_lead_outbox.h"
#include <sys/eventfd.h>


static void ngx_lead_outbox_signalled(ngx_event_t *ev);


/* in the master, which never closes it: a cycle hands it on to the next one;
 * without it the timer is all there is */

void
ngx_lead_outbox_open(ngx_cycle_t *cycle, ngx_lead_main_conf_t *lmcf)
{
    if (lmcf->webhooks == 0 || lmcf->wake != -1) {
        return;
    }

    lmcf->wake = eventfd(0, EFD_NONBLOCK|EFD_CLOEXEC);

    if (lmcf->wake == -1) {
        ngx_log_error(NGX_LOG_ERR, cycle->log, ngx_errno, "eventfd() failed");
    }
}


/* edge-triggered: each write wakes each worker, and nobody needs to read */

void
ngx_lead_outbox_listen(ngx_lead_outbox_t *o, ngx_cycle_t *cycle)
{
    ngx_connection_t  *c;

    if (o->worker->lmcf->wake == -1) {
        return;
    }

    c = ngx_get_connection(o->worker->lmcf->wake, cycle->log);
    if (c == NULL) {
        return;
    }

    c->data = o;
    c->read->log = cycle->log;
    c->write->log = cycle->log;
    c->read->handler = ngx_lead_outbox_signalled;

    if (ngx_add_event(c->read, NGX_READ_EVENT, NGX_CLEAR_EVENT) != NGX_OK) {
        ngx_free_connection(c);
        c->fd = (ngx_socket_t) -1;
        return;
    }

    o->signal = c;
}


static void
ngx_lead_outbox_signalled(ngx_event_t *ev)
{
    ngx_uint_t          i;
    ngx_connection_t   *c;
    ngx_lead_outbox_t  *o;

    c = ev->data;
    o = c->data;

    for (i = 0; i < o->nsenders; i++) {
        if (ngx_lead_outbox_leased(&o->senders[i], 0)) {
            ngx_lead_outbox_want(&o->senders[i]);
        }
    }
}


void
ngx_lead_outbox_signal(ngx_lead_outbox_t *o)
{
    uint64_t  one;

    if (o->signal) {
        one = 1;
        (void) ngx_write_fd(o->signal->fd, &one, sizeof(one));
    }
}


void
ngx_lead_outbox_deaf(ngx_lead_outbox_t *o)
{
    if (o->signal) {
        ngx_free_connection(o->signal);
        o->signal->fd = (ngx_socket_t) -1;
        o->signal = NULL;
    }
}
