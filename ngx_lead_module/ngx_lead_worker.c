
/*
 * Copyright (C) the ngx_lead authors
 *
 * The life of the store in a worker process: opened after fork, retried from
 * a timer while it cannot be had, swept once a minute by one worker, closed
 * on exit.
 *
 * A worker without a store answers 503 and goes on: an error returned from
 * init_process would leave nginx without workers.  The configuration phase
 * never comes here, so "nginx -t" opens nothing.
 *
 * A damaged page kills whoever follows it, and nginx starts a worker in the
 * place of a dead one at once.  So each says in shared memory that it is about
 * to open the store, and takes that back when it has; one that finds that
 * several before it have died of it waits.
 *
 * The state hangs on the main configuration of its cycle.
 */


#include "ngx_lead.h"

#include <malloc.h>


#define NGX_LEAD_RETRY  1000                 /* ms */
#define NGX_LEAD_SWEEP  60000                /* ms */
#define NGX_LEAD_SOON   5000                 /* ms: the first, also where
                                                workers do not last */
#define NGX_LEAD_MORE   1000                 /* ms: there is more to sweep */
#define NGX_LEAD_LOUD   60000                /* ms */
#define NGX_LEAD_DEATHS 5


static ngx_lead_life_t *ngx_lead_worker_life(ngx_lead_worker_t *w);
static ngx_int_t ngx_lead_worker_doomed(ngx_lead_worker_t *w);
static void ngx_lead_worker_open(ngx_lead_worker_t *w);
static lead_rc_t ngx_lead_worker_names(ngx_lead_worker_t *w,
    lead_store_t *store, lead_error_t *e);
static lead_rc_t ngx_lead_worker_account(ngx_lead_worker_t *w,
    lead_store_t *store, ngx_lead_account_t *account, lead_error_t *e);
static ngx_int_t ngx_lead_worker_number(ngx_lead_worker_t *w, uint32_t number,
    ngx_lead_account_t *account);
static void ngx_lead_worker_timer(ngx_event_t *ev);
static void ngx_lead_worker_trim(ngx_lead_worker_t *w);
static void ngx_lead_worker_sweep(void *data, ngx_log_t *log);
static void ngx_lead_worker_swept(ngx_event_t *ev);


typedef struct {
    void               *ident[4];
    ngx_lead_worker_t  *worker;
    lead_rc_t           rc;
    lead_error_t        error;
} ngx_lead_sweep_t;


ngx_int_t
ngx_lead_worker_init(ngx_cycle_t *cycle, ngx_lead_main_conf_t *lmcf)
{
    ngx_lead_sweep_t   *sweep;
    ngx_lead_worker_t  *w;

    if (lmcf->store == NULL
        || (ngx_process != NGX_PROCESS_WORKER
            && ngx_process != NGX_PROCESS_SINGLE))
    {
        return NGX_OK;
    }

    w = ngx_pcalloc(cycle->pool, sizeof(ngx_lead_worker_t));
    if (w == NULL) {
        return NGX_ERROR;
    }

    w->ident[3] = (void *) -1;
    w->lmcf = lmcf;

    w->endpoints = ngx_pcalloc(cycle->pool,
                               (lmcf->webhooks + 1) * sizeof(uint32_t));
    if (w->endpoints == NULL) {
        return NGX_ERROR;
    }

    w->numbers = ngx_pcalloc(cycle->pool,
                             (lmcf->accounts.nelts + 1) * sizeof(uint32_t));
    if (w->numbers == NULL) {
        return NGX_ERROR;
    }

    w->sweep = ngx_thread_task_alloc(cycle->pool, sizeof(ngx_lead_sweep_t));
    if (w->sweep == NULL) {
        return NGX_ERROR;
    }

    sweep = w->sweep->ctx;
    sweep->ident[3] = (void *) -1;
    sweep->worker = w;

    w->sweep->handler = ngx_lead_worker_sweep;
    w->sweep->event.handler = ngx_lead_worker_swept;
    w->sweep->event.data = sweep;
    w->sweep->event.log = cycle->log;

    if (ngx_lead_commit_init(w, cycle) != NGX_OK
        || ngx_lead_outbox_init(w, cycle) != NGX_OK)
    {
        return NGX_ERROR;
    }

    w->timer.handler = ngx_lead_worker_timer;
    w->timer.data = w;
    w->timer.log = cycle->log;
    w->timer.cancelable = 1;

    lmcf->worker = w;

    if (ngx_lead_worker_doomed(w) == NGX_OK) {
        ngx_add_timer(&w->timer, NGX_LEAD_LOUD);

    } else {
        ngx_lead_worker_open(w);
    }

    return NGX_OK;
}


static ngx_lead_life_t *
ngx_lead_worker_life(ngx_lead_worker_t *w)
{
    return &w->lmcf->counters->lives[ngx_worker % NGX_LEAD_LIVES_MAX];
}


/* a worker's number is that of the one whose place it takes, which may also be
 * an older one that is still about to end */

static ngx_int_t
ngx_lead_worker_doomed(ngx_lead_worker_t *w)
{
    ngx_pid_t         pid;
    ngx_lead_life_t  *life;

    life = ngx_lead_worker_life(w);
    pid = (ngx_pid_t) life->pid;

    if (pid == 0 || pid == ngx_pid
        || kill(pid, 0) != -1 || ngx_errno != NGX_ESRCH)
    {
        return NGX_DECLINED;
    }

    life->pid = 0;
    life->deaths++;

    if (life->deaths < NGX_LEAD_DEATHS) {
        return NGX_DECLINED;
    }

    ngx_log_error(NGX_LOG_CRIT, w->timer.log, 0,
                  "lead: %uA workers have died of opening the store in "
                  "\"%V\", one after the other: see what \"leadctl check\" "
                  "says of it; not opened for %d seconds",
                  life->deaths, &w->lmcf->store->name, NGX_LEAD_LOUD / 1000);

    return NGX_OK;
}


void
ngx_lead_worker_exit(ngx_cycle_t *cycle, ngx_lead_main_conf_t *lmcf)
{
    ngx_lead_worker_t  *w;

    w = lmcf->worker;

    if (w == NULL) {
        return;
    }

    /* the thread pools have been joined: no task is under way */

    ngx_lead_outbox_exit(w);

    lmcf->worker = NULL;

    if (w->store) {
        lead_store_close(w->store);
        w->store = NULL;
    }
}


static void
ngx_lead_worker_open(ngx_lead_worker_t *w)
{
    char               *path;
    ngx_msec_t          wait;
    lead_rc_t           rc;
    lead_error_t        error;
    lead_store_t       *store;
    ngx_lead_life_t    *life;
    lead_store_opts_t   opts;

    ngx_memzero(&opts, sizeof(lead_store_opts_t));

    opts.size = w->lmcf->size;
    opts.ttl = (int64_t) w->lmcf->idempotency_ttl * 1000000;
    opts.keep = (int64_t) w->lmcf->webhook_keep * 1000000;
    opts.keep_failed = (int64_t) w->lmcf->webhook_keep_failed * 1000000;
    opts.create = 1;

    path = (char *) w->lmcf->store->name.data;
    wait = NGX_LEAD_SOON;

    life = ngx_lead_worker_life(w);
    life->pid = (ngx_atomic_uint_t) ngx_pid;

    rc = lead_store_open(path, &opts, &store, &error);

    if (rc == LEAD_OK) {
        rc = ngx_lead_worker_names(w, store, &error);

        if (rc == LEAD_OK) {
            w->store = store;

        } else {
            lead_store_close(store);
        }
    }

    life->pid = 0;
    life->deaths = 0;

    if (rc != LEAD_OK) {
        ngx_lead_worker_complain(w, w->timer.log, &error, "opening the store");
        wait = NGX_LEAD_RETRY;
    }

    ngx_add_timer(&w->timer, wait);
}


/* the store's numbers of the accounts and endpoints configured */

static lead_rc_t
ngx_lead_worker_names(ngx_lead_worker_t *w, lead_store_t *store,
    lead_error_t *e)
{
    lead_rc_t            rc;
    ngx_uint_t           i;
    ngx_lead_account_t  *account;

    account = w->lmcf->accounts.elts;

    for (i = 0; i < w->lmcf->accounts.nelts; i++) {
        rc = ngx_lead_worker_account(w, store, &account[i], e);

        if (rc != LEAD_OK) {
            return rc;
        }
    }

    return LEAD_OK;
}


static lead_rc_t
ngx_lead_worker_account(ngx_lead_worker_t *w, lead_store_t *store,
    ngx_lead_account_t *account, lead_error_t *e)
{
    uint32_t             number;
    lead_rc_t            rc;
    ngx_uint_t           i;
    lead_bytes_t         name;
    ngx_lead_webhook_t  *hook;

    name.data = account->name.data;
    name.len = account->name.len;

    rc = lead_store_account(store, name, &number, e);

    if (rc != LEAD_OK) {
        return rc;
    }

    if (ngx_lead_worker_number(w, number, account) != NGX_OK) {
        e->rc = LEAD_NOMEM;
        e->err = 0;
        (void) ngx_sprintf((u_char *) e->text, "no memory%Z");
        return LEAD_NOMEM;
    }

    hook = account->webhooks.elts;

    for (i = 0; i < account->webhooks.nelts; i++) {

        name.data = hook[i].name.data;
        name.len = hook[i].name.len;

        rc = lead_store_endpoint(store, number, name,
                                 &w->endpoints[hook[i].index], e);

        if (rc != LEAD_OK) {
            return rc;
        }
    }

    return LEAD_OK;
}


static ngx_int_t
ngx_lead_worker_number(ngx_lead_worker_t *w, uint32_t number,
    ngx_lead_account_t *account)
{
    ngx_uint_t            n;
    ngx_lead_account_t  **table;

    if (number >= w->naccounts) {

        n = ngx_max(number + 1, w->lmcf->accounts.nelts + 1);

        table = ngx_pcalloc(ngx_cycle->pool, n * sizeof(ngx_lead_account_t *));
        if (table == NULL) {
            return NGX_ERROR;
        }

        if (w->naccounts) {
            ngx_memcpy(table, w->by_number,
                       w->naccounts * sizeof(ngx_lead_account_t *));
        }

        w->by_number = table;
        w->naccounts = n;
    }

    w->by_number[number] = account;
    w->numbers[account->index] = number;

    return NGX_OK;
}


static void
ngx_lead_worker_timer(ngx_event_t *ev)
{
    ngx_lead_worker_t  *w = ev->data;

    if (ngx_terminate || ngx_exiting) {
        return;
    }

    if (w->store == NULL) {
        ngx_lead_worker_open(w);
        return;
    }

    ngx_add_timer(ev, NGX_LEAD_SWEEP);

    ngx_lead_worker_trim(w);

    if (ngx_worker == 0 && !w->sweeping
        && ngx_thread_task_post(w->lmcf->pool, w->sweep) == NGX_OK)
    {
        w->sweeping = 1;
    }
}


/*
 * malloc gives back what is at the end of its memory alone, and one small
 * block there keeps all that a rush has needed.  So it is told to, once the
 * rush is over: not before, for 4 MB take it about a millisecond.
 */

static void
ngx_lead_worker_trim(ngx_lead_worker_t *w)
{
    if (ngx_current_msec - w->counted < NGX_LEAD_SWEEP) {
        return;
    }

    if (w->requests > w->rush) {
        w->rush = w->requests;

    } else if (w->requests < w->rush / 8) {
        w->rush = w->requests;

#ifdef __GLIBC__
        (void) malloc_trim(0);
#endif
    }

    w->requests = 0;
    w->counted = ngx_current_msec;
}


static void
ngx_lead_worker_sweep(void *data, ngx_log_t *log)
{
    ngx_lead_sweep_t  *sweep = data;

    sweep->rc = lead_store_sweep(sweep->worker->store, &sweep->error);
}


static void
ngx_lead_worker_swept(ngx_event_t *ev)
{
    ngx_lead_sweep_t  *sweep = ev->data;

    sweep->worker->sweeping = 0;

    if (sweep->rc == LEAD_AGAIN) {

        if (sweep->worker->timer.timer_set) {
            ngx_add_timer(&sweep->worker->timer, NGX_LEAD_MORE);
        }

    } else if (sweep->rc != LEAD_OK) {
        ngx_lead_worker_complain(sweep->worker, ev->log, &sweep->error,
                                 "sweeping the store");
    }
}


void
ngx_lead_worker_complain(ngx_lead_worker_t *w, ngx_log_t *log,
    lead_error_t *e, const char *what)
{
    ngx_msec_t  now;
    ngx_uint_t  level;

    /* the time of day may be set */

    now = ngx_max(ngx_current_msec, 1);
    level = NGX_LOG_ERR;

    if (w->complained == 0 || now - w->complained >= NGX_LEAD_LOUD) {
        w->complained = now;
        level = NGX_LOG_CRIT;
    }

    ngx_log_error(level, log, e->err, "lead: %s in \"%V\": %s: %s",
                  what, &w->lmcf->store->name, lead_store_rc_text(e->rc),
                  e->text);
}
