
/*
 * Copyright (C) the ngx_lead authors
 *
 * What the files that know nginx share: configurations, the worker's state,
 * a request's context, and the few functions between them.
 */


#ifndef _NGX_LEAD_H_INCLUDED_
#define _NGX_LEAD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "lead_store.h"
#include "ngx_lead_account.h"
#include "ngx_lead_dialect.h"


#define NGX_LEAD_IDEMPOTENCY_MAX   255       /* characters of the header */
#define NGX_LEAD_RETRY_AFTER       1         /* seconds, with a 503 */
#define NGX_LEAD_LIVES_MAX         64        /* workers with a place */


/* contexts of directives inside lead_account{} and its blocks; below
 * NGX_HTTP_MAIN_CONF, so that they clash with none of nginx' own */

#define NGX_LEAD_ACCOUNT_CONF      0x00100000
#define NGX_LEAD_PIPELINE_CONF     0x00200000
#define NGX_LEAD_ENTITY_CONF       0x00400000


typedef struct ngx_lead_worker_s   ngx_lead_worker_t;
typedef struct ngx_lead_counters_s ngx_lead_counters_t;

typedef struct {
    ngx_atomic_t           pid;              /* of who opens the store, or 0 */
    ngx_atomic_t           deaths;           /* of it, one after the other */
} ngx_lead_life_t;


typedef struct {
    ngx_path_t            *store;            /* NULL: no lead_store */
    ngx_str_t              store_file;       /* where lead_store stands, for */
    ngx_uint_t             store_line;       /* messages */
    size_t                 size;             /* bytes */
    ngx_thread_pool_t     *pool;
    ngx_uint_t             queue;            /* requests */
    time_t                 idempotency_ttl;  /* seconds */
    time_t                 retention;        /* seconds, 0: for ever */
    ngx_array_t           *webhook_allow;    /* of ngx_cidr_t */
    ngx_array_t           *webhook_schedule; /* of ngx_msec_t, at least one:
                                                before each attempt */
    time_t                 webhook_keep;     /* seconds: what is delivered, */
    time_t                 webhook_keep_failed;  /* and what is given up */
    time_t                 webhook_disable;  /* seconds of failing; 0: off */

    ngx_array_t            accounts;         /* of ngx_lead_account_t */
    ngx_uint_t             webhooks;         /* of all accounts */
    ngx_fd_t               wake;             /* an eventfd of all workers, */
                                             /* handed on; or -1 */
    ngx_uint_t             locations;        /* with lead_api */
    ngx_str_t              api_file;         /* where the first of them */
    ngx_uint_t             api_line;         /* stands, for messages */

    ngx_lead_counters_t   *counters;         /* in shared memory */
    ngx_shm_zone_t        *rate;             /* NULL: no lead_rate anywhere */
    ngx_shm_zone_t        *guard;            /* NULL: no lead_api anywhere */
    ngx_http_log_handler_pt   log_handler;   /* nginx' own, and */
    ngx_http_output_header_filter_pt         /* the header filter */
                           header_filter;    /* after ours */
    ngx_lead_worker_t     *worker;           /* this process' state */
} ngx_lead_main_conf_t;


typedef struct {
    ngx_lead_dialect_t    *dialect;          /* NULL: no lead_api here */
    ngx_str_t              base;             /* base=, else dialect->base */
    ngx_str_t              file;             /* where lead_api stands, for */
    ngx_uint_t             line;             /* messages */
    ngx_uint_t             rate;             /* requests a minute; 0: off */
    ngx_uint_t             burst;
    ngx_uint_t             key_failures;     /* a minute; 0: off */
    unsigned               status:1;         /* lead_status stands here */
} ngx_lead_loc_conf_t;


/* counters in shared memory, one set for all workers of all generations;
 * only ever added to, but for gauge */

struct ngx_lead_counters_s {
    ngx_atomic_t           requests;         /* to locations with lead_api */
    ngx_atomic_t           created;
    ngx_atomic_t           updated;
    ngx_atomic_t           replayed;         /* by Idempotency-Key */
    ngx_atomic_t           rejected;         /* answers 4xx */
    ngx_atomic_t           unavailable;      /* answers 5xx */
    ngx_atomic_t           batches;          /* commits */
    ngx_atomic_t           commit_usec;      /* time spent in them */
    ngx_atomic_t           commit_errors;
    ngx_atomic_t           attempts;         /* of deliveries that ended */
    ngx_atomic_t           delivered;
    ngx_atomic_t           retried;          /* failed, to be tried again */
    ngx_atomic_t           given_up;
    ngx_atomic_t           disabled;         /* endpoints, by the module */
    ngx_lead_life_t        lives[NGX_LEAD_LIVES_MAX];  /* by ngx_worker */
};


typedef struct ngx_lead_ctx_s  ngx_lead_ctx_t;

/* a request at work; in r->pool.  The call comes first: a dialect is given
 * a pointer to it. */

struct ngx_lead_ctx_s {
    ngx_lead_call_t        call;
    ngx_http_request_t    *request;
    ngx_lead_main_conf_t  *lmcf;

    /* while a thread has it: ngx_lead_commit.c's or ngx_lead_read.c's */

    ngx_lead_ctx_t        *next;
    struct ngx_lead_read_s  *read;
    lead_rc_t              rc;               /* of the commit */
    unsigned               done:1;           /* rc and the result are set */

    /* for variables */

    u_char                 lead_id[LEAD_ID_TEXT_LEN + 1];
    ngx_uint_t             usec;             /* spent in the commit */

    size_t                 body_max;
    lead_t                *lead;             /* ngx_lead_read_get()'s, */
    unsigned               nomem:1;          /* whose copy failed */
};


/* ngx_lead_worker.c: the state of a worker process */

struct ngx_lead_worker_s {
    void                  *ident[4];         /* of the timer, to the debug log:
                                                ident[3] is an fd */
    ngx_lead_main_conf_t  *lmcf;
    lead_store_t          *store;            /* NULL: not open */
    uint32_t              *numbers;          /* by ngx_lead_account_t.index */
    ngx_lead_account_t   **by_number;        /* by the store's number */
    ngx_uint_t             naccounts;        /* of by_number */
    uint32_t              *endpoints;        /* by ngx_lead_webhook_t.index */
    ngx_event_t            timer;            /* retry of the open; sweep */
    ngx_thread_task_t     *sweep;
    struct ngx_lead_commit_s  *commit;       /* ngx_lead_commit.c's */
    struct ngx_lead_outbox_s  *outbox;       /* NULL: no webhooks */
    ngx_msec_t             complained;       /* when the last CRIT was */
    ngx_uint_t             requests;         /* in this minute */
    ngx_uint_t             rush;             /* ... and the most in one */
    ngx_msec_t             counted;          /* when this one began */
    unsigned               sweeping:1;
};


extern ngx_module_t  ngx_lead_module;


/* ngx_lead_conf.c */
char *ngx_lead_conf_store(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_lead_conf_api(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_lead_conf_rate(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_lead_conf_failures(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_lead_conf_check(ngx_conf_t *cf, ngx_lead_main_conf_t *lmcf);
char *ngx_lead_conf_merge(ngx_conf_t *cf, ngx_lead_loc_conf_t *prev,
    ngx_lead_loc_conf_t *conf);
ngx_int_t ngx_lead_conf_variables(ngx_conf_t *cf);

/* ngx_lead_account.c */
ngx_lead_account_t *ngx_lead_account_find(ngx_lead_main_conf_t *lmcf,
    u_char *name, size_t len);

/* ngx_lead_handler.c: the content handler of lead_api */
ngx_int_t ngx_lead_handler(ngx_http_request_t *r);

/* ngx_lead_log.c: keeps what is personal out of the error log, in locations
 * with lead_api; and $lead_request */
ngx_int_t ngx_lead_log_init(ngx_conf_t *cf);
ngx_int_t ngx_lead_log_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);

/* ngx_lead_request.c: call->in and, if the route has links, call->url;
 * NGX_ERROR: no memory */
ngx_int_t ngx_lead_request(ngx_lead_ctx_t *ctx);

/* the first header of the request of that name, any case; NULL */
ngx_table_elt_t *ngx_lead_request_header(ngx_http_request_t *r,
    ngx_str_t *name);

/* ngx_lead_route.c: NGX_OK: call->route is set, or call->status (OPTIONS);
 * NGX_DECLINED: call->fault is */
ngx_int_t ngx_lead_route(ngx_lead_ctx_t *ctx);

/* ngx_lead_body.c: once the body is read, *body is all of it, in r->pool or
 * in the request's own buffer.  NGX_OK, NGX_ERROR. */
ngx_int_t ngx_lead_body_collect(ngx_http_request_t *r, ngx_str_t *body);

/* ngx_lead_body.c: the body as a tree in call->json, by what the route wants
 * and Content-Type says.  NGX_OK, NGX_DECLINED: call->fault is set,
 * NGX_ERROR. */
ngx_int_t ngx_lead_body_parse(ngx_lead_ctx_t *ctx);

/* ngx_lead_rate.c: counts the request of call->key against lead_rate and sets
 * call->rate.  NGX_OK, NGX_DECLINED: call->fault is set. */
ngx_int_t ngx_lead_rate(ngx_lead_ctx_t *ctx);
ngx_int_t ngx_lead_rate_zone(ngx_conf_t *cf, ngx_lead_main_conf_t *lmcf);

/* ngx_lead_auth.c: who calls.  NGX_OK: call->key, account, source are set, or
 * none is needed; NGX_DECLINED: call->fault is. */
ngx_int_t ngx_lead_auth(ngx_lead_ctx_t *ctx);

/* whether the credential may be in the body, so that it is read before */
ngx_uint_t ngx_lead_auth_in_body(ngx_lead_call_t *call);

/* ngx_lead_guard.c: lead_key_failures, around the look-up of a key.  NGX_OK;
 * NGX_DECLINED: call->fault is set, and it is not looked up.  failed() counts
 * one that is none, and may change call->fault. */

typedef struct {
    ngx_uint_t             limit;            /* 0: is not counted */
    uint64_t               word;             /* of address and key */
    u_char                 address[16];
} ngx_lead_guard_t;

ngx_int_t ngx_lead_guard(ngx_lead_ctx_t *ctx, ngx_str_t *text,
    ngx_lead_guard_t *guard);
void ngx_lead_guard_failed(ngx_lead_ctx_t *ctx, ngx_lead_guard_t *guard);
void ngx_lead_guard_passed(ngx_lead_ctx_t *ctx, ngx_lead_guard_t *guard);
ngx_int_t ngx_lead_guard_zone(ngx_conf_t *cf, ngx_lead_main_conf_t *lmcf);

/* ngx_lead_commit.c: takes the request into the queue; later calls
 * r->write_event_handler with ctx->done set.  NGX_AGAIN, or NGX_BUSY: the
 * queue is full or the store is not there. */
ngx_int_t ngx_lead_commit_init(ngx_lead_worker_t *w, ngx_cycle_t *cycle);
ngx_int_t ngx_lead_commit_submit(ngx_lead_ctx_t *ctx);

/* ngx_lead_outbox*.c: deliver to the webhooks.  open() is the master's; wake()
 * says that rows of the account have been committed; exit() is called when no
 * thread is left and before the store is closed */
void ngx_lead_outbox_open(ngx_cycle_t *cycle, ngx_lead_main_conf_t *lmcf);
ngx_int_t ngx_lead_outbox_init(ngx_lead_worker_t *w, ngx_cycle_t *cycle);
void ngx_lead_outbox_wake(ngx_lead_worker_t *w, ngx_lead_account_t *account);
void ngx_lead_outbox_exit(ngx_lead_worker_t *w);

/* ngx_lead_idempotency.c: call->idempotency from the header.  NGX_OK,
 * NGX_DECLINED: call->fault is set. */
ngx_int_t ngx_lead_idempotency(ngx_lead_ctx_t *ctx);

/* what the store knows it by, in call->pool; NGX_ERROR: no memory */
ngx_int_t ngx_lead_idempotency_scope(ngx_lead_call_t *call,
    lead_bytes_t *scope);

/* ngx_lead_read.c: the lead of call->find, with call->events and
 * call->values.  NGX_OK, NGX_DECLINED: call->fault is set, NGX_ERROR. */
ngx_int_t ngx_lead_read_get(ngx_lead_ctx_t *ctx, lead_t *lead);

/* call->counters into call->values */
lead_rc_t ngx_lead_read_counters(ngx_lead_ctx_t *ctx, lead_error_t *error);

/* ngx_lead_read.c: a page of a list, on the thread pool, in slices; as
 * ngx_lead_commit_submit() */
ngx_int_t ngx_lead_read_submit(ngx_lead_ctx_t *ctx);
ngx_int_t ngx_lead_read_result(ngx_lead_ctx_t *ctx, lead_t **leads,
    ngx_uint_t *n);

/* ngx_lead_worker.c */
ngx_int_t ngx_lead_worker_init(ngx_cycle_t *cycle, ngx_lead_main_conf_t *lmcf);
void ngx_lead_worker_exit(ngx_cycle_t *cycle, ngx_lead_main_conf_t *lmcf);

/* a failure of the store in the log: CRIT once a minute, else ERR */
void ngx_lead_worker_complain(ngx_lead_worker_t *w, ngx_log_t *log,
    lead_error_t *e, const char *what);

/* ngx_lead_reply.c: sends call's answer, or call->fault in the dialect's
 * voice; the return value is a content handler's */
ngx_int_t ngx_lead_reply(ngx_lead_ctx_t *ctx);
ngx_int_t ngx_lead_reply_header(ngx_http_request_t *r, const char *name,
    ngx_str_t *value);
void ngx_lead_reply_init(ngx_lead_main_conf_t *lmcf);

/* ngx_lead_status.c */
char *ngx_lead_status(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
ngx_int_t ngx_lead_status_variables(ngx_conf_t *cf);
ngx_int_t ngx_lead_status_zone(ngx_conf_t *cf, ngx_lead_main_conf_t *lmcf);


#endif /* _NGX_LEAD_H_INCLUDED_ */
