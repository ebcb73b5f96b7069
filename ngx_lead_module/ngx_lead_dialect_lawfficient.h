
/*
 * Copyright (C) the ngx_lead authors
 *
 * Lawfficient: what its files share, and nobody else may include.
 *
 * A lead's document here has the members dialect, first_name, last_name,
 * email (as sent), email_key (lower case), phone (as sent), phone_e164 (where
 * it is a number), source {key, name}, stage {pipeline, key, name}, assignee
 * {id, name}, external_id, data and extra (what an ingestion sent beside our
 * fields).  What is not known is not there.
 */


#ifndef _NGX_LEAD_DIALECT_LAWFFICIENT_H_INCLUDED_
#define _NGX_LEAD_DIALECT_LAWFFICIENT_H_INCLUDED_


#include "ngx_lead_dialect.h"
#include "ngx_lead_doc.h"
#include "ngx_lead_field.h"


#define NGX_LEAD_LAW_EVENTS        3


/* texts of more than one place */

#define NGX_LEAD_LAW_NO_CONTACT    "Add a phone number or an email."
#define NGX_LEAD_LAW_NOT_UUID      "assignee_id must be a UUID."
#define NGX_LEAD_LAW_NOT_MEMBER    "assignee_id is not a member of this firm."


typedef enum {
    NGX_LEAD_LAW_CREATED = 0,
    NGX_LEAD_LAW_UPDATED,
    NGX_LEAD_LAW_STATUS_CHANGED,
    NGX_LEAD_LAW_ASSIGNED,
    NGX_LEAD_LAW_ARCHIVED
} ngx_lead_law_event_e;


/* a call that writes; the texts are trimmed.  Of a PATCH: data NULL for what
 * is not to change, and an empty text for what is to go. */

typedef struct {
    ngx_lead_call_t       *call;

    ngx_str_t              first_name;
    ngx_str_t              last_name;
    ngx_str_t              email;
    ngx_str_t              email_key;
    ngx_str_t              phone;
    ngx_str_t              phone_e164;   /* empty: it cannot be a number */
    ngx_str_t              source;
    ngx_str_t              assignee_id;
    ngx_str_t              status;
    ngx_str_t              external_id;
    ngx_lead_json_t       *data;
    ngx_lead_json_t       *extra;        /* NULL: none */

    ngx_str_t              doc;          /* of a new lead */
    ngx_lead_stage_t      *stage;        /* of a new lead */
    ngx_lead_user_t       *assignee;     /* of a new lead, or NULL */

    /* what decide() has found */

    ngx_lead_fault_t       fault;        /* why it refuses */
    lead_match_t           match;        /* no value: none */
    lead_event_t           events[NGX_LEAD_LAW_EVENTS];
    ngx_uint_t             nevents;
    uint32_t              *endpoints;    /* of all events */
} ngx_lead_law_op_t;


/* a stored lead about to be changed, in a thread */

typedef struct {
    ngx_lead_law_op_t     *op;
    ngx_lead_json_gen_t    gen;
    ngx_lead_json_t       *doc;
    ngx_lead_json_t       *fields;       /* names of what has changed */
} ngx_lead_law_edit_t;


/* the text of a string member, or "" */

#define ngx_lead_law_str(obj, literal)                                        \
    ngx_lead_law_text(ngx_lead_json_get(obj, literal))


/* ngx_lead_dialect_lawfficient.c */

/* "" if node is no string */
ngx_str_t *ngx_lead_law_text(ngx_lead_json_t *node);

/* trimmed, "" if it is no string; text->data is NULL, and 0 returned, if
 * there is no such member */
ngx_uint_t ngx_lead_law_member(ngx_lead_json_t *obj, const char *name,
    ngx_str_t *text);

/* a string as a member of obj */
void ngx_lead_law_add(ngx_lead_json_gen_t *gen, ngx_lead_json_t *obj,
    ngx_str_t *name, ngx_str_t *value);


/* ngx_lead_dialect_lawfficient_show.c */

/* the members of a lead as the vendor shows it, to the object given; NULL is
 * one that could not be made.  NGX_DECLINED: a document that is no lead's,
 * NGX_ERROR: no memory */
ngx_int_t ngx_lead_law_add_lead(ngx_lead_json_gen_t *gen,
    ngx_lead_account_t *account, ngx_lead_json_t *to, const lead_t *lead);

/* what is shown for these */
ngx_str_t *ngx_lead_law_phone(ngx_lead_json_t *doc);
ngx_str_t *ngx_lead_law_source(ngx_lead_json_t *doc);

/* the body of the vendor's webhook */
ngx_int_t ngx_lead_law_notice(ngx_lead_notice_t *n, ngx_lead_json_t *event,
    ngx_lead_json_t **root);


/* ngx_lead_dialect_lawfficient_create.c */

ngx_int_t ngx_lead_law_create(ngx_lead_call_t *call);

/* the call's op, with room for its events; NULL: no memory */
ngx_lead_law_op_t *ngx_lead_law_op(ngx_lead_call_t *call);

/* an object, and members of it of the right type; call->fault is set */
ngx_int_t ngx_lead_law_types(ngx_lead_call_t *call);

/* names and contact of a new lead; call->fault is set */
ngx_int_t ngx_lead_law_check(ngx_lead_law_op_t *op);

/* the e-mail's form, and the normal forms of both contacts */
ngx_int_t ngx_lead_law_check_contact(ngx_lead_law_op_t *op);

/* 422 and this text into fault; NGX_DECLINED */
ngx_int_t ngx_lead_law_invalid(ngx_lead_fault_t *fault, const char *text);

/* "Invalid case type.", the text being in pool; NGX_DECLINED, NGX_ERROR */
ngx_int_t ngx_lead_law_invalid_data(ngx_lead_fault_t *fault, ngx_pool_t *pool,
    ngx_str_t *key);

/* the value as the field's vocabulary spells it, NULL if it is not there;
 * fold: the case of letters is no matter */
ngx_str_t *ngx_lead_law_label(ngx_lead_data_t *field, ngx_str_t *value,
    ngx_uint_t fold);

/* the document of the lead that op makes, into op->doc; NGX_ERROR */
ngx_int_t ngx_lead_law_document(ngx_lead_law_op_t *op);

void ngx_lead_law_add_stage(ngx_lead_json_gen_t *gen, ngx_lead_json_t *obj,
    ngx_lead_account_t *account, ngx_lead_stage_t *stage);
void ngx_lead_law_add_user(ngx_lead_json_gen_t *gen, ngx_lead_json_t *obj,
    ngx_lead_user_t *user);


/* another event of op; stage: the lead's, by key; data: JSON, or NULL */
void ngx_lead_law_event(ngx_lead_law_op_t *op, ngx_lead_law_event_e what,
    ngx_str_t *stage, ngx_str_t *data);

/* fills the decision with a document, op's events and, of a new lead, its
 * match; a lead that is there keeps those it has, whosesoever they are */
void ngx_lead_law_write(ngx_lead_law_op_t *op, lead_decision_t *d,
    lead_verdict_t verdict, ngx_str_t *doc, uint32_t flags);


/* ngx_lead_dialect_lawfficient_edit.c */

ngx_int_t ngx_lead_law_patch(ngx_lead_call_t *call);
ngx_int_t ngx_lead_law_archive(ngx_lead_call_t *call);
ngx_int_t ngx_lead_law_unarchive(ngx_lead_call_t *call);

/* what follows runs in threads; NGX_DECLINED, NGX_ERROR: op->fault is set */

/* opens what is stored */
ngx_int_t ngx_lead_law_open(ngx_lead_law_op_t *op, const lead_t *target,
    ngx_lead_law_edit_t *e);

/* sets a member of the document, or of its object group, if it differs */
void ngx_lead_law_change(ngx_lead_law_edit_t *e, ngx_str_t *group,
    ngx_str_t *name, ngx_str_t *value);

/* op->email, op->phone: if they differ */
void ngx_lead_law_change_email(ngx_lead_law_edit_t *e);
void ngx_lead_law_change_phone(ngx_lead_law_edit_t *e);

/* an update by the document as it is now; op's events are set */
ngx_int_t ngx_lead_law_save(ngx_lead_law_edit_t *e, const lead_t *target,
    lead_decision_t *d);


/* ngx_lead_dialect_lawfficient_ingest.c */
ngx_int_t ngx_lead_law_ingest(ngx_lead_law_op_t *op);
ngx_int_t ngx_lead_law_ingested(ngx_lead_call_t *call, lead_t *lead);

/* ngx_lead_dialect_lawfficient_list.c */
ngx_int_t ngx_lead_law_list(ngx_lead_call_t *call);
ngx_int_t ngx_lead_law_page(ngx_lead_call_t *call, lead_t *leads,
    ngx_uint_t n);


#endif /* _NGX_LEAD_DIALECT_LAWFFICIENT_H_INCLUDED_ */
