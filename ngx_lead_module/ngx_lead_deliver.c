
/*
 * Copyright (C) the ngx_lead authors
 *
 * One attempt of one delivery: the event as its webhook's format wants it,
 * signed at the time of the attempt, sent, and what the answer means for the
 * row.  It knows nothing of the store's files and of other deliveries.
 *
 * An attempt has a pool of its own, which goes when it has ended.  Nothing of
 * a lead, of an answer or of a header is logged.
 */


#include "ngx_lead_outbox.h"
#include "ngx_lead_payload.h"


#define NGX_LEAD_GONE             410
#define NGX_LEAD_RETRY_AFTER_MAX  86400    /* s, of an answer's Retry-After */


static ngx_int_t ngx_lead_deliver_request(ngx_lead_delivery_t *d,
    ngx_lead_http_request_t *rq);
static void ngx_lead_deliver_lost(ngx_lead_delivery_t *d, const char *why);
static void ngx_lead_deliver_ended(ngx_lead_http_request_t *rq);
static void ngx_lead_deliver_judge(ngx_lead_delivery_t *d,
    ngx_lead_http_request_t *rq);
static void ngx_lead_deliver_failed(ngx_lead_delivery_t *d,
    ngx_lead_http_request_t *rq);
static ngx_msec_t ngx_lead_deliver_delay(ngx_lead_delivery_t *d,
    ngx_lead_http_request_t *rq);
static void ngx_lead_deliver_disable(ngx_lead_delivery_t *d,
    ngx_lead_http_request_t *rq);
static void ngx_lead_deliver_finish(ngx_event_t *ev);
static u_char *ngx_lead_deliver_log_error(ngx_log_t *log, u_char *buf,
    size_t len);


void
ngx_lead_deliver(ngx_lead_delivery_t *d)
{
    ngx_int_t                 rc;
    ngx_pool_t               *pool;
    ngx_lead_http_request_t  *rq;

    d->log = *ngx_cycle->log;
    d->log.handler = ngx_lead_deliver_log_error;
    d->log.data = d;
    d->log.action = NULL;
    d->log.connection = 0;

    d->attempt.row = d->row;
    d->attempt.type.data = d->type.data;
    d->attempt.type.len = d->type.len;
    d->attempt.time = ngx_lead_outbox_now();

    d->finish.handler = ngx_lead_deliver_finish;
    d->finish.data = d;
    d->finish.log = &d->log;

    if (d->expired) {
        ngx_lead_deliver_lost(d, "the lead as it was then has expired");
        return;
    }

    pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE / 4, &d->log);
    if (pool == NULL) {
        d->returned = 1;
        ngx_post_event(&d->finish, &ngx_posted_events);
        return;
    }

    rq = ngx_pcalloc(pool, sizeof(ngx_lead_http_request_t));

    if (rq) {
        rq->pool = pool;
        rc = ngx_lead_deliver_request(d, rq);

    } else {
        rc = NGX_ERROR;
    }

    if (rc == NGX_OK) {
        ngx_lead_http_send(rq);
        return;
    }

    ngx_destroy_pool(pool);

    if (rc == NGX_DECLINED) {
        ngx_lead_deliver_lost(d, "the lead's document cannot be read");
        return;
    }

    d->returned = 1;
    ngx_post_event(&d->finish, &ngx_posted_events);
}


static ngx_int_t
ngx_lead_deliver_request(ngx_lead_delivery_t *d, ngx_lead_http_request_t *rq)
{
    ngx_int_t          rc;
    ngx_lead_notice_t  notice;

    ngx_memzero(&notice, sizeof(ngx_lead_notice_t));

    notice.pool = rq->pool;
    notice.account = d->sender->account;
    notice.webhook = d->sender->webhook;
    notice.id = d->id;
    notice.time = d->time;
    notice.type = d->type;
    notice.data = d->data;
    notice.lead = &d->lead;

    rc = ngx_lead_payload(&notice, &rq->body);

    if (rc != NGX_OK) {
        return rc;
    }

    rq->log = &d->log;
    rq->level = d->sender->failing ? NGX_LOG_INFO : NGX_LOG_ERR;
    rq->peer = d->sender->peer;
    rq->done = ngx_lead_deliver_ended;
    rq->data = d;

    return ngx_lead_payload_headers(&notice, ngx_time(), &rq->body,
                                    &rq->headers);
}


/* there is nothing to be sent, and never will be */

static void
ngx_lead_deliver_lost(ngx_lead_delivery_t *d, const char *why)
{
    ngx_log_error(NGX_LOG_ERR, &d->log, 0, "lead: event %uL is given up: %s",
                  d->row.event, why);

    (void) ngx_atomic_fetch_add(
                     &d->sender->outbox->worker->lmcf->counters->given_up, 1);

    d->attempt.outcome = LEAD_GIVE_UP;
    d->attempt.unsent = 1;
    d->attempt.error.data = (u_char *) why;
    d->attempt.error.len = ngx_strlen(why);

    ngx_post_event(&d->finish, &ngx_posted_events);
}


static void
ngx_lead_deliver_ended(ngx_lead_http_request_t *rq)
{
    ngx_lead_delivery_t *d = rq->data;

    if (rq->outcome == NGX_LEAD_HTTP_INTERNAL) {
        d->returned = 1;

        if (!d->sender->paused) {
            ngx_log_error(NGX_LOG_ERR, &d->log, 0,
                          "lead: event %uL waits: %s", d->row.event,
                          rq->error);
        }

    } else {
        ngx_lead_deliver_judge(d, rq);
    }

    ngx_destroy_pool(rq->pool);

    ngx_lead_deliver_finish(&d->finish);
}


static void
ngx_lead_deliver_judge(ngx_lead_delivery_t *d, ngx_lead_http_request_t *rq)
{
    ngx_lead_counters_t  *counters;

    counters = d->sender->outbox->worker->lmcf->counters;

    (void) ngx_atomic_fetch_add(&counters->attempts, 1);

    d->attempt.msec = (uint32_t) rq->msec;
    d->attempt.status = (uint32_t) rq->status;

    if (rq->error) {
        d->attempt.error.data = (u_char *) rq->error;
        d->attempt.error.len = ngx_strlen(rq->error);
    }

    ngx_memcpy(d->answer, rq->answer, rq->nanswer);
    d->attempt.answer.data = d->answer;
    d->attempt.answer.len = rq->nanswer;

    if (rq->status < 200 || rq->status > 299) {
        ngx_lead_deliver_failed(d, rq);
        return;
    }

    (void) ngx_atomic_fetch_add(&counters->delivered, 1);

    d->attempt.outcome = LEAD_DELIVERED;

    if (d->sender->failing) {
        d->sender->failing = 0;
        ngx_log_error(NGX_LOG_NOTICE, &d->log, 0, "lead: deliveries succeed");
    }
}


static void
ngx_lead_deliver_failed(ngx_lead_delivery_t *d, ngx_lead_http_request_t *rq)
{
    ngx_uint_t             level;
    ngx_lead_counters_t   *counters;
    ngx_lead_main_conf_t  *lmcf;

    lmcf = d->sender->outbox->worker->lmcf;
    counters = lmcf->counters;

    /* the first failure is to be seen, those behind it only by who looks */

    level = d->sender->failing ? NGX_LOG_INFO : NGX_LOG_ERR;
    d->sender->failing = 1;

    if (rq->error) {
        ngx_log_error(level, &d->log, 0, "lead: attempt %uD of event %uL "
                      "failed: %s",
                      d->row.attempts + 1, d->row.event, rq->error);
    } else {
        ngx_log_error(level, &d->log, 0, "lead: attempt %uD of event %uL "
                      "failed: the answer was %ui",
                      d->row.attempts + 1, d->row.event, rq->status);
    }

    ngx_lead_deliver_disable(d, rq);

    if (d->attempt.state == LEAD_ENDPOINT_ENABLED
        && d->row.attempts + 1 >= lmcf->webhook_schedule->nelts)
    {
        ngx_log_error(NGX_LOG_ERR, &d->log, 0, "lead: event %uL is given up "
                      "after %uD attempts",
                      d->row.event, d->row.attempts + 1);

        (void) ngx_atomic_fetch_add(&counters->given_up, 1);

        d->attempt.outcome = LEAD_GIVE_UP;
        return;
    }

    (void) ngx_atomic_fetch_add(&counters->retried, 1);

    d->attempt.outcome = LEAD_RETRY;
    d->attempt.retry = ngx_lead_outbox_now()
                       + (int64_t) ngx_lead_deliver_delay(d, rq) * 1000;
}


/* the schedule's, with up to a tenth more, or the longer one asked for */

static ngx_msec_t
ngx_lead_deliver_delay(ngx_lead_delivery_t *d, ngx_lead_http_request_t *rq)
{
    ngx_uint_t    n;
    ngx_msec_t    delay, *step;
    ngx_array_t  *schedule;

    schedule = d->sender->outbox->worker->lmcf->webhook_schedule;
    step = schedule->elts;

    n = ngx_min(d->row.attempts + 1, schedule->nelts - 1);

    delay = step[n];
    delay += ngx_random() % (delay / 10 + 1);

    if (rq->retry_after > 0) {
        delay = ngx_max(delay, 1000 * (ngx_msec_t)
                               ngx_min(rq->retry_after,
                                       NGX_LEAD_RETRY_AFTER_MAX));
    }

    return delay;
}


static void
ngx_lead_deliver_disable(ngx_lead_delivery_t *d, ngx_lead_http_request_t *rq)
{
    const char            *why;
    lead_error_t           error;
    lead_endpoint_t        info;
    ngx_lead_sender_t     *s;
    ngx_lead_worker_t     *w;
    ngx_lead_main_conf_t  *lmcf;

    s = d->sender;
    w = s->outbox->worker;
    lmcf = w->lmcf;

    if (rq->status == NGX_LEAD_GONE) {
        d->attempt.state = LEAD_ENDPOINT_GONE;
        why = "it answered 410";

    } else if (lmcf->webhook_disable
               && lead_store_endpoint_get(w->store, s->endpoint, &info, &error)
                  == LEAD_OK
               && info.failing != 0
               && d->attempt.time - info.failing
                  >= (int64_t) lmcf->webhook_disable * 1000000)
    {
        d->attempt.state = LEAD_ENDPOINT_FAILING;
        why = "all attempts have failed for too long";

    } else {
        return;
    }

    if (s->disabled) {
        return;
    }

    s->disabled = 1;

    (void) ngx_atomic_fetch_add(&lmcf->counters->disabled, 1);

    ngx_log_error(NGX_LOG_ERR, &d->log, 0,
                  "lead: the endpoint is disabled: %s; what waits for it is "
                  "kept, \"leadctl webhook enable\" goes on", why);
}


static void
ngx_lead_deliver_finish(ngx_event_t *ev)
{
    ngx_lead_delivery_t *d = ev->data;

    if (d->returned) {
        d->returned = 0;
        ngx_lead_outbox_return(d);
        return;
    }

    ngx_lead_outbox_done(d);
}


static u_char *
ngx_lead_deliver_log_error(ngx_log_t *log, u_char *buf, size_t len)
{
    u_char               *p;
    ngx_lead_sender_t    *s;
    ngx_lead_delivery_t  *d;

    p = buf;
    d = log->data;
    s = d->sender;

    if (log->action) {
        p = ngx_snprintf(buf, len, " while %s", log->action);
        len -= p - buf;
    }

    return ngx_snprintf(p, len, ", webhook: \"%V\", account: \"%V\"",
                        &s->webhook->name, &s->account->name);
}
