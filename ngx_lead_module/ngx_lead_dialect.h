
/*
 * Copyright (C) the ngx_lead authors
 *
 * A dialect: one vendor's API as a struct of routes and shapes.
 *
 * A dialect turns an API call into an operation or a query, and leads into
 * the vendor's bytes.  It does no I/O, sees no nginx request and knows no
 * other dialect.  Adding a vendor is one file, one line in
 * ngx_lead_dialect.c and one .t.
 *
 * decode(), encode() and fault() run in the event loop on call->pool.
 * decide() (see lead_store.h), filter() and what they call run in a thread:
 * there only memory from ngx_lead_call_alloc() is used, and nothing is
 * logged.  notice() runs in either, and knows no call.
 */


#ifndef _NGX_LEAD_DIALECT_H_INCLUDED_
#define _NGX_LEAD_DIALECT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "lead_store.h"
#include "ngx_lead_json.h"
#include "ngx_lead_account.h"


#define NGX_LEAD_VERSION           "0.1.0"


typedef struct ngx_lead_dialect_s  ngx_lead_dialect_t;
typedef struct ngx_lead_route_s    ngx_lead_route_t;
typedef struct ngx_lead_call_s     ngx_lead_call_t;
typedef struct ngx_lead_notice_s   ngx_lead_notice_t;


/* methods of a route */

#define NGX_LEAD_GET               0x01
#define NGX_LEAD_POST              0x02
#define NGX_LEAD_PATCH             0x04
#define NGX_LEAD_PUT               0x08
#define NGX_LEAD_DELETE            0x10


/* kinds of match keys, of all dialects: an account's leads share them */

#define NGX_LEAD_MATCH_EXTERNAL    1    /* source's key, 0, external id */
#define NGX_LEAD_MATCH_EMAIL       2    /* campaign's number, 0, address */
#define NGX_LEAD_MATCH_PHONE       3    /* campaign's number, 0, E.164 */
#define NGX_LEAD_MATCH_SOCIAL      4    /* campaign's number, 0, social id */
#define NGX_LEAD_MATCH_ENTITY      5    /* entity, 0, field, 0, value */


/* how the body of a route is read */

typedef enum {
    NGX_LEAD_BODY_NONE = 0,        /* ignored */
    NGX_LEAD_BODY_JSON,            /* JSON, whatever Content-Type says */
    NGX_LEAD_BODY_FORM,            /* a form; anything else is an empty one */
    NGX_LEAD_BODY_ANY              /* a form if Content-Type says so, else
                                      JSON; nothing is an empty object */
} ngx_lead_body_e;


/* where a credential may be.  The places of a dialect are tried in order; the
 * first one that is there and not empty is it, right or wrong. */

typedef enum {
    NGX_LEAD_KEY_NOWHERE = 0,
    NGX_LEAD_KEY_BEARER,           /* Authorization: Bearer <key> */
    NGX_LEAD_KEY_BARE,             /* Authorization: [Bearer] <key> */
    NGX_LEAD_KEY_LAST,             /* the last word of a header, which name
                                      says; of requests that are no form */
    NGX_LEAD_KEY_QUERY,            /* the argument name says */
    NGX_LEAD_KEY_FIELD             /* the member of the body name says */
} ngx_lead_key_e;


typedef struct {
    ngx_lead_key_e         place;
    ngx_str_t              name;
} ngx_lead_place_t;


/* what a route does once it is decoded */

typedef enum {
    NGX_LEAD_DO_ANSWER = 0,        /* nothing with the store */
    NGX_LEAD_DO_COMMIT,            /* call->op */
    NGX_LEAD_DO_GROUP,             /* call->ops, all or none */
    NGX_LEAD_DO_FIND,              /* call->find, in the event loop */
    NGX_LEAD_DO_LIST               /* call->list, on the thread pool */
} ngx_lead_do_e;


/*
 * What went wrong, before a dialect gives it its voice.  Those up to
 * NGX_LEAD_FAULT_INTERNAL come from the core; a dialect's own findings are
 * NGX_LEAD_FAULT_OWN with status, code and text set by it.
 */

typedef enum {
    NGX_LEAD_FAULT_NONE = 0,
    NGX_LEAD_FAULT_NO_ROUTE,       /* 404: no such path */
    NGX_LEAD_FAULT_METHOD,         /* 405: Allow is set by the core */
    NGX_LEAD_FAULT_NO_KEY,         /* no credential sent */
    NGX_LEAD_FAULT_BAD_KEY,        /* unknown, expired, of another dialect */
    NGX_LEAD_FAULT_KEY_DISABLED,
    NGX_LEAD_FAULT_SOURCE_DISABLED,
    NGX_LEAD_FAULT_SCOPE,          /* the key lacks the route's scope */
    NGX_LEAD_FAULT_RATE,           /* Retry-After is set by the core */
    NGX_LEAD_FAULT_IDEMPOTENCY,    /* Idempotency-Key over 255 characters */
    NGX_LEAD_FAULT_TOO_LARGE,      /* the body, or what a lead would become */
    NGX_LEAD_FAULT_BAD_REQUEST,    /* 400 by nginx itself */
    NGX_LEAD_FAULT_BAD_JSON,       /* the body is no JSON text */
    NGX_LEAD_FAULT_BAD_FORM,       /* the body is no such form */
    NGX_LEAD_FAULT_NOT_FOUND,      /* no such lead in this account */
    NGX_LEAD_FAULT_UNAVAILABLE,    /* store, queue, memory: with Retry-After */
    NGX_LEAD_FAULT_INTERNAL,
    NGX_LEAD_FAULT_OWN
} ngx_lead_fault_e;


typedef struct {
    const char            *name;
    ngx_str_t              value;
} ngx_lead_header_t;


typedef struct {
    ngx_lead_fault_e       kind;
    ngx_uint_t             status;   /* NGX_LEAD_FAULT_OWN */
    ngx_str_t              code;     /* NGX_LEAD_FAULT_OWN */
    ngx_str_t              text;     /* NGX_LEAD_FAULT_OWN */
} ngx_lead_fault_t;


/* one finding about a field, for dialects that show them all */

typedef struct {
    ngx_str_t              path;     /* "email", "batch.1.lead_name" */
    ngx_str_t              text;
} ngx_lead_field_error_t;


/* the trailing window of a key, after this request was counted */

typedef struct {
    ngx_uint_t             limit;        /* requests; 0: no lead_rate here */
    ngx_uint_t             remaining;
    ngx_uint_t             reset;        /* seconds until one is free again */
} ngx_lead_rate_t;


/* an event of a lead's history, copied for encode() */

typedef struct {
    int64_t                time;
    ngx_str_t              type;
    ngx_str_t              data;         /* JSON, or empty */
} ngx_lead_event_t;


#define NGX_LEAD_MAX_PARAMS        2
#define NGX_LEAD_MAX_HEADERS       4
#define NGX_LEAD_MAX_IN            4


struct ngx_lead_route_s {
    ngx_uint_t             methods;  /* NGX_LEAD_GET, ... */

    /* the vendor's full path; "{}" stands for one segment, kept in
     * call->params; a literal is tried before a "{}" by order in the table */
    ngx_str_t              path;

    uint32_t               scope;    /* LEAD_SCOPE_*, 0: no credential asked */

    /* an ingestion key may call it (its source is call->source) */
    unsigned               ingest:1;

    /* Idempotency-Key is honoured; in the scope of the path, or of a name
     * that paths of one resource share */
    unsigned               idempotent:1;
    ngx_str_t              resource_name;

    /* decode() does without a credential where resource() says so */
    unsigned               anonymous:1;

    /* its answer has links, of which call->url is the base */
    unsigned               links:1;

    ngx_lead_body_e        body;
    size_t                 body_max;     /* bytes; 0: the dialect's */

    /* of NGX_LEAD_DO_FIND: this many of the newest events are wanted in
     * call->events */
    ngx_uint_t             events;

    ngx_lead_do_e          act;

    /*
     * Before the credential is judged: what the path names, if that decides
     * who may come in.  It may set call->account, to which a key must then
     * belong, and call->anonymous, if none is needed.  NGX_OK, NGX_DECLINED,
     * NGX_ERROR; NULL: nothing to do.
     */
    ngx_int_t            (*resource)(ngx_lead_call_t *call);

    /*
     * NGX_OK: the operation or query is set.  NGX_DECLINED: call->fault is.
     * NGX_ERROR: no memory.  For NGX_LEAD_DO_ANSWER it sets call->status and
     * call->root or call->body.
     */
    ngx_int_t            (*decode)(ngx_lead_call_t *call);

    /*
     * The answer to what the store returned: n leads (of a list: a page).
     * Sets call->status and call->root.  NGX_OK, NGX_DECLINED (call->fault
     * is set: decide() refused), NGX_ERROR.
     */
    ngx_int_t            (*encode)(ngx_lead_call_t *call, lead_t *leads,
                                   ngx_uint_t n);
};


struct ngx_lead_dialect_s {
    ngx_str_t              name;         /* of lead_api */
    ngx_str_t              base;         /* what base= replaces: "/api" */
    size_t                 body_max;     /* bytes */

    /* of the request, kept in call->in; ended by an empty name */
    ngx_str_t              in[NGX_LEAD_MAX_IN + 1];

    /* ended by NGX_LEAD_KEY_NOWHERE */
    ngx_lead_place_t       places[6];

    unsigned               brackets:1;   /* names in forms and queries have
                                            them, see ngx_lead_form.h */

    unsigned               options:1;    /* OPTIONS is answered by the core;
                                            else it is a method like others */

    /* of routes, ended by an empty path */
    ngx_lead_route_t      *routes;

    /* after the key is known and enabled, before its scope is asked: what else
     * a client must show.  NGX_OK, NGX_DECLINED, NGX_ERROR; or NULL. */
    ngx_int_t            (*authorize)(ngx_lead_call_t *call);

    /*
     * Gives call->fault the vendor's voice: sets call->status, and call->root
     * or nothing for an empty body.  Cannot fail but by NGX_ERROR.
     */
    ngx_int_t            (*fault)(ngx_lead_call_t *call);

    /* headers of every answer: adds to call->headers */
    ngx_int_t            (*headers)(ngx_lead_call_t *call);

    /*
     * Of webhooks with format=<name>: what the vendor's say of an event, as
     * *root; event is the notice's data, or NULL.  NGX_OK; NGX_DECLINED: the
     * lead's document is none; NGX_ERROR: no memory.  NULL: there is no such
     * format.
     */
    ngx_int_t            (*notice)(ngx_lead_notice_t *notice,
                                   ngx_lead_json_t *event,
                                   ngx_lead_json_t **root);

    /* ... and the name of the header that signs them: t=<seconds>,v1=<hex
     * of HMAC-SHA256(secret, "<seconds>.<body>")>; empty: they are not */
    ngx_str_t              signature;
};


/* an event of a lead that a webhook is to be told of; all of it the caller's */

struct ngx_lead_notice_s {
    ngx_pool_t            *pool;
    ngx_lead_account_t    *account;
    ngx_lead_webhook_t    *webhook;
    lead_id_t              id;           /* of the event, for the world */
    int64_t                time;         /* of the event, microseconds */
    ngx_str_t              type;         /* "lead.created" */
    ngx_str_t              data;         /* JSON of the event, or empty */
    const lead_t          *lead;         /* as it was after the event */
};


/* a query of a list */

typedef struct {
    ngx_uint_t             limit;        /* of a page, from 1 */
    ngx_uint_t             skip;         /* leads of the list before the page,
                                            which are walked through */
    uint64_t               total;        /* set by the core if count: all
                                            leads of the list */
    unsigned               count:1;      /* with a filter, all of the account's
                                            leads are walked through */
    unsigned               oldest:1;     /* oldest first; else newest first */
    unsigned               has_from:1;
    unsigned               empty:1;      /* known to find nothing */
    unsigned               more:1;       /* set by the core: there is another
                                            page after leads[n - 1] */
    lead_id_t              from;         /* exclusive */

    /* in a thread; NULL: every lead.  Non-zero: it belongs to the list */
    ngx_int_t            (*filter)(ngx_lead_call_t *call,
                                   const lead_t *lead);
    void                  *data;         /* filter()'s */
} ngx_lead_list_t;


struct ngx_lead_call_s {

    /* set by the core before decode() */

    ngx_pool_t            *pool;         /* of the request: event loop only */
    ngx_log_t             *log;
    ngx_lead_dialect_t    *dialect;
    ngx_lead_route_t      *route;
    ngx_uint_t             method;       /* NGX_LEAD_GET, ... */
    ngx_lead_account_t    *account;
    ngx_lead_source_t     *source;       /* of an ingestion key, or NULL */
    lead_key_t             key;          /* id "" when none was sent */
    ngx_str_t              params[NGX_LEAD_MAX_PARAMS];
    ngx_str_t              args;         /* query string, as sent */
    ngx_str_t              path;         /* of NGX_LEAD_FAULT_METHOD: the */
    ngx_str_t              verb;         /* path and method, as sent, ... */
    ngx_str_t              allow;        /* ... and what the path has */
    ngx_str_t              url;          /* scheme, host and path, as sent */
    ngx_str_t              in[NGX_LEAD_MAX_IN];  /* of dialect->in; data NULL:
                                                    not sent */
    ngx_str_t              address;      /* the client's, as text */
    ngx_array_t           *accounts;     /* of ngx_lead_account_t: all there
                                            are, for resource() */
    ngx_str_t              idempotency;  /* Idempotency-Key, bare */
    ngx_lead_json_t       *query;        /* ngx_lead_call_query()'s */
    ngx_str_t              body;
    ngx_lead_json_t       *json;         /* the body, be it JSON or a form */
    unsigned               form:1;       /* ... which it was */
    unsigned               anonymous:1;  /* set by resource() */
    unsigned               announced:1;  /* an endpoint wants an event */
    ngx_lead_rate_t        rate;
    uint32_t               store_account;
    uint32_t              *endpoints;    /* by ngx_lead_webhook_t.index */

    /* set by decode() */

    lead_op_t              op;           /* target, decide, data, ...: account,
                                            actor, idempotency and alloc are
                                            the core's */
    lead_op_t            **ops;          /* the same for each of a group */
    ngx_uint_t             nops;
    lead_find_t            find;
    ngx_lead_list_t        list;
    void                  *data;         /* of resource() and decode(), for
                                            encode() */

    /* of NGX_LEAD_DO_FIND, and of a commit that is a repeat by
     * Idempotency-Key: counters of the account to be read for encode() */
    lead_bytes_t           counters[LEAD_COUNTERS_MAX];
    uint64_t               values[LEAD_COUNTERS_MAX];
    ngx_uint_t             ncounters;

    /* what was read for encode() */

    ngx_lead_event_t      *events;
    ngx_uint_t             nevents;

    /* the answer */

    ngx_array_t           *errors;       /* of ngx_lead_field_error_t */

    ngx_lead_fault_t       fault;
    ngx_uint_t             status;
    ngx_lead_json_t       *root;         /* printed as the body, or NULL ... */
    ngx_str_t              text;         /* ... and then this is the body */
    ngx_lead_header_t      headers[NGX_LEAD_MAX_HEADERS];
    ngx_uint_t             nheaders;

    /* the core's: memory that a thread may use while the call is with it,
     * made when first asked for */
    ngx_pool_t            *arena;
};


/* memory that lives as long as the call and may be asked for in the thread
 * that has it; NULL if there is none.  Fits lead_op_t.alloc. */
void *ngx_lead_call_alloc(void *call, size_t size);

/* call->arena, for what wants a pool; NULL if there is no memory */
ngx_pool_t *ngx_lead_call_arena(ngx_lead_call_t *call);

/* frees the arena, and with it all that was had from it */
void ngx_lead_call_release(ngx_lead_call_t *call);

/* sets call->fault to NGX_LEAD_FAULT_OWN; returns NGX_DECLINED */
ngx_int_t ngx_lead_call_fault(ngx_lead_call_t *call, ngx_uint_t status,
    const char *code, const char *text);

/* the endpoints of the account's webhooks that want the event of this type
 * about this lead; in the arena or call->pool is not used: the array given
 * has room for account->webhooks.nelts; returns how many.  status is the
 * lead's stage key, campaign its internal name; NULL where there is none. */
ngx_uint_t ngx_lead_call_endpoints(ngx_lead_call_t *call, ngx_str_t *type,
    ngx_str_t *status, ngx_str_t *campaign, uint32_t *endpoints);

/* the arguments of the query as a tree, see ngx_lead_form.h; an empty object
 * if there are none.  NGX_OK, NGX_DECLINED (beyond a limit), NGX_ERROR */
ngx_int_t ngx_lead_call_query(ngx_lead_call_t *call, ngx_lead_json_t **root);

/* adds a finding to call->errors; neither text is copied.  NGX_ERROR: no
 * memory */
ngx_int_t ngx_lead_call_error(ngx_lead_call_t *call, ngx_str_t *path,
    ngx_str_t *text);

/* the campaign of this number, of any account, which is set; or NULL */
ngx_lead_campaign_t *ngx_lead_call_campaign(ngx_lead_call_t *call,
    ngx_uint_t number);

/* the counter of the account's leads in this campaign, of all dialects that
 * enrol leads in it: "campaign:<name>:leads", its name being its identity in
 * the store, in memory of the pool.  NGX_ERROR: no memory */
ngx_int_t ngx_lead_call_campaign_counter(ngx_pool_t *pool,
    ngx_lead_campaign_t *campaign, lead_bytes_t *counter);

/* the value of an argument of the query, percent- and plus-decoded, the last
 * one of that name; NGX_OK, NGX_DECLINED (absent), NGX_ERROR */
ngx_int_t ngx_lead_call_arg(ngx_lead_call_t *call, const char *name,
    ngx_str_t *value);


/* by the name of lead_api; NULL */
ngx_lead_dialect_t *ngx_lead_dialect_find(ngx_str_t *name);

/* the names there are, "a, b, c", for a message */
ngx_str_t *ngx_lead_dialect_names(void);


extern ngx_lead_dialect_t  ngx_lead_dialect_reflekt;
extern ngx_lead_dialect_t  ngx_lead_dialect_lawfficient;
extern ngx_lead_dialect_t  ngx_lead_dialect_kickofflabs;
extern ngx_lead_dialect_t  ngx_lead_dialect_flextell;
extern ngx_lead_dialect_t  ngx_lead_dialect_leadflip;


#endif /* _NGX_LEAD_DIALECT_H_INCLUDED_ */
