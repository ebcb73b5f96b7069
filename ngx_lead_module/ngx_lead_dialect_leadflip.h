
/*
 * Copyright (C) the ngx_lead authors
 *
 * Leadflip: what its files share, and nobody else may include.
 *
 * A lead's document here has the members dialect, entity {id, slug, label},
 * fields (by internal name, only those with a value), stage and, of an entity
 * with several pipelines, stages [...]; source {name}, and where there are any
 * assignee, viewers [...], notes [...].  Fields that mean what other dialects
 * know by a name of their own are also there: email, email_key, phone,
 * phone_e164, first_name, last_name, display_name, company, birthday, address.
 */


#ifndef _NGX_LEAD_DIALECT_LEADFLIP_H_INCLUDED_
#define _NGX_LEAD_DIALECT_LEADFLIP_H_INCLUDED_


#include "ngx_lead_dialect.h"
#include "ngx_lead_doc.h"
#include "ngx_lead_field.h"


#define NGX_LEAD_FLIP_ROWS         1000      /* of one bulk create */
#define NGX_LEAD_FLIP_ITEMS        100       /* notes, viewers of one lead */
#define NGX_LEAD_FLIP_SOURCE       255       /* characters */
#define NGX_LEAD_FLIP_EVENTS       3         /* of one operation */
#define NGX_LEAD_FLIP_SHOWN        20        /* events of a lead */
#define NGX_LEAD_FLIP_READ         40        /* ... some have no name */


/* what was found wrong, of one lead after the other */

typedef struct {
    ngx_pool_t               *pool;
    ngx_array_t              *list;          /* of ngx_lead_field_error_t */
    ngx_str_t                 prefix;        /* "batch.1." */
} ngx_lead_flip_check_t;


/* a field of a call: by its place in the entity */

typedef struct {
    ngx_lead_entity_field_t  *field;
    ngx_lead_json_t          *sent;          /* NULL: it was not */
    ngx_lead_json_t          *value;         /* to be kept; NULL: empty */
    ngx_str_t                 key;           /* what equal ones share */
    ngx_str_t                 more;          /* e-mail's key, phone's E.164 */
    unsigned                  exact:1;       /* sent by its internal name */
    unsigned                  bad:1;
} ngx_lead_flip_value_t;


typedef enum {
    NGX_LEAD_FLIP_SKIP = 0,
    NGX_LEAD_FLIP_UPDATE,
    NGX_LEAD_FLIP_CREATE
} ngx_lead_flip_mode_e;


typedef enum {
    NGX_LEAD_FLIP_CREATED = 0,
    NGX_LEAD_FLIP_UPDATED,
    NGX_LEAD_FLIP_MOVED,
    NGX_LEAD_FLIP_ASSIGNED,
    NGX_LEAD_FLIP_NOTED
} ngx_lead_flip_event_e;


/* a lead to be written */

typedef struct {
    lead_op_t                 op;            /* of a bulk create */
    ngx_lead_call_t          *call;
    ngx_lead_entity_t        *entity;        /* NULL: not configured (now) */

    /* of a new lead, by decode() */

    ngx_lead_flip_value_t    *values;        /* by field of the entity */
    ngx_lead_pipeline_t     **pipelines;
    ngx_lead_stage_t        **stages;        /* by pipeline */
    ngx_uint_t                npipelines;
    ngx_lead_user_t          *assignee;      /* NULL: nobody */
    ngx_lead_user_t         **viewers;
    ngx_uint_t                nviewers;
    ngx_lead_flip_mode_e      mode;
    ngx_str_t                 source;
    ngx_str_t                 doc;

    ngx_lead_json_t          *notes;         /* an array; of a change: to be
                                                added */
    ngx_str_t                 status;        /* of a change of status */

    lead_match_t             *matches;       /* in rank order */
    ngx_uint_t                nmatches;

    /* what decide() has found */

    ngx_lead_fault_t          fault;         /* why it refuses, and ... */
    ngx_lead_flip_check_t     check;         /* ... what is wrong in detail */
    ngx_lead_json_t          *updated;       /* names of accepted fields */
    lead_event_t              events[NGX_LEAD_FLIP_EVENTS];
    ngx_uint_t                nevents;
} ngx_lead_flip_op_t;


/* a stored lead about to be changed, in a thread */

typedef struct {
    ngx_lead_flip_op_t   *op;
    ngx_lead_json_gen_t   gen;
    ngx_lead_json_t      *doc;
    ngx_lead_json_t      *changed;       /* names of fields */
    unsigned              keys:1;        /* a match key is among them */
} ngx_lead_flip_edit_t;


/* ngx_lead_dialect_leadflip.c */

/* begins the answer, 200 with a root of this type; NGX_ERROR */
ngx_int_t ngx_lead_flip_start(ngx_lead_call_t *call,
    ngx_lead_json_gen_t *gen, ngx_lead_json_type_e type);

/* "lead_id", "created_at" */
void ngx_lead_flip_add_id(ngx_lead_json_gen_t *gen, ngx_lead_json_t *obj,
    const lead_t *lead);
void ngx_lead_flip_add_time(ngx_lead_json_gen_t *gen, ngx_lead_json_t *obj,
    int64_t time);

/* the entity a stored lead is of; NULL: it is configured no more */
ngx_lead_entity_t *ngx_lead_flip_entity_of(ngx_lead_call_t *call,
    ngx_lead_json_t *doc);

/* 422 with what check has found; NGX_DECLINED */
ngx_int_t ngx_lead_flip_invalid(ngx_lead_call_t *call,
    ngx_lead_flip_check_t *check);


/* ngx_lead_dialect_leadflip_field.c: also runs in threads */

/* whether names are the same but for case, spaces, underscores, dashes */
ngx_uint_t ngx_lead_flip_same(ngx_str_t *a, ngx_str_t *b);

/* adds a finding; of text, "%" stands for the field and "$" for arg.
 * NGX_ERROR: no memory */
ngx_int_t ngx_lead_flip_error(ngx_lead_flip_check_t *check, ngx_str_t *name,
    const char *text, ngx_str_t *arg);

/* a member by its name, or else the last one of the same name; NULL */
ngx_lead_json_t *ngx_lead_flip_param(ngx_lead_json_t *obj, const char *name);

/* the fields of the entity that obj has, checked; NGX_ERROR: no memory */
ngx_int_t ngx_lead_flip_values(ngx_lead_flip_op_t *op,
    ngx_lead_flip_check_t *check, ngx_lead_json_t *obj);

/* what a new lead must have and gets if nothing was sent; NGX_ERROR */
ngx_int_t ngx_lead_flip_complete(ngx_lead_flip_op_t *op,
    ngx_lead_flip_check_t *check);

/* the field that is the lead's e-mail address; NULL */
ngx_lead_entity_field_t *ngx_lead_flip_email(ngx_lead_entity_t *entity);

/* sets or, without a value, removes a field in the document's fields, and
 * what other dialects know it by */
void ngx_lead_flip_set(ngx_lead_json_gen_t *gen, ngx_lead_json_t *doc,
    ngx_lead_entity_t *entity, ngx_lead_flip_value_t *v);

/* op->matches of op->values and, for what was not sent, of the stored fields
 * (NULL: of a new lead); NGX_ERROR */
ngx_int_t ngx_lead_flip_matches(ngx_lead_flip_op_t *op, ngx_pool_t *pool,
    ngx_lead_json_t *fields);


/* ngx_lead_dialect_leadflip_value.c: also runs in threads */

/* trimmed; "" of null and of none; a number as text.  NGX_DECLINED: another
 * type, NGX_ERROR */
ngx_int_t ngx_lead_flip_text(ngx_pool_t *pool, ngx_lead_json_t *node,
    ngx_str_t *text);

/* v->value of node; v->bad, and a finding, if it is none */
ngx_int_t ngx_lead_flip_value(ngx_lead_flip_op_t *op,
    ngx_lead_flip_check_t *check, ngx_lead_flip_value_t *v,
    ngx_lead_json_t *node);


/* ngx_lead_dialect_leadflip_intake.c */

ngx_int_t ngx_lead_flip_intake(ngx_lead_call_t *call);
ngx_int_t ngx_lead_flip_bulk(ngx_lead_call_t *call);


/* ngx_lead_dialect_leadflip_row.c: NGX_ERROR: no memory; what is wrong is a
 * finding of check.  The first ones set what op has of that name from members
 * of the object sent. */

ngx_int_t ngx_lead_flip_mode(ngx_lead_flip_op_t *op,
    ngx_lead_flip_check_t *check, ngx_lead_json_t *value);
ngx_int_t ngx_lead_flip_assignee(ngx_lead_flip_op_t *op,
    ngx_lead_flip_check_t *check, ngx_lead_json_t *sent);
ngx_int_t ngx_lead_flip_viewers(ngx_lead_flip_op_t *op,
    ngx_lead_flip_check_t *check, ngx_lead_json_t *sent);
ngx_int_t ngx_lead_flip_notes(ngx_lead_flip_op_t *op,
    ngx_lead_flip_check_t *check, ngx_lead_json_t *sent);
ngx_int_t ngx_lead_flip_statuses(ngx_lead_flip_op_t *op,
    ngx_lead_flip_check_t *check, ngx_lead_json_t *sent);

/* another of op->notes, unless it is empty; also in threads */
ngx_int_t ngx_lead_flip_note(ngx_lead_flip_op_t *op,
    ngx_lead_flip_check_t *check, ngx_lead_json_t *value, ngx_str_t *at);

/* number i of the entity's, or of the account's main one; how many there
 * are */
ngx_uint_t ngx_lead_flip_pipelines(ngx_lead_account_t *account,
    ngx_lead_entity_t *entity, ngx_uint_t i, ngx_lead_pipeline_t **pipeline);

/* by name in any case, or by UUID; NULL */
ngx_lead_stage_t *ngx_lead_flip_stage(ngx_lead_pipeline_t *pipeline,
    ngx_str_t *text);


/* ngx_lead_dialect_leadflip_show.c */

ngx_int_t ngx_lead_flip_get(ngx_lead_call_t *call);
ngx_int_t ngx_lead_flip_show(ngx_lead_call_t *call, lead_t *leads,
    ngx_uint_t n);
ngx_int_t ngx_lead_flip_entities(ngx_lead_call_t *call);


/* ngx_lead_dialect_leadflip_edit.c */

void ngx_lead_flip_create_decide(lead_op_t *lop, const lead_t *target,
    const lead_t *second, int64_t now, uint64_t *counters,
    lead_decision_t *d);

ngx_int_t ngx_lead_flip_patch(ngx_lead_call_t *call);

/* a change of the path's lead; NULL: call->fault is set, or no memory */
ngx_lead_flip_op_t *ngx_lead_flip_target(ngx_lead_call_t *call,
    lead_decide_pt decide);

/* what follows runs in threads; where it fails, op->fault is set */

ngx_int_t ngx_lead_flip_open(ngx_lead_flip_op_t *op, const lead_t *target,
    ngx_lead_flip_edit_t *e);

/* an update by the document as it is now; nothing if there is no event */
void ngx_lead_flip_save(ngx_lead_flip_edit_t *e, const lead_t *target,
    lead_decision_t *d);

/* another event of op; stage: the lead's, by key, or NULL; data: JSON, or
 * NULL; tell: webhooks too.  NGX_ERROR: no memory */
ngx_int_t ngx_lead_flip_event(ngx_lead_flip_op_t *op,
    ngx_lead_flip_event_e what, ngx_str_t *stage, ngx_str_t *data,
    ngx_uint_t tell);


/* ngx_lead_dialect_leadflip_move.c */
ngx_int_t ngx_lead_flip_move(ngx_lead_call_t *call);


#endif /* _NGX_LEAD_DIALECT_LEADFLIP_H_INCLUDED_ */
