
/*
 * Copyright (C) the ngx_lead authors
 *
 * Members that the documents of leads have in common, whichever dialect has
 * made them: what configuration gave is kept by key and by name.
 *
 * Pure functions; they may run in threads, on a pool of theirs.  Texts are not
 * copied: those of the configuration outlive any call.
 */


#ifndef _NGX_LEAD_DOC_H_INCLUDED_
#define _NGX_LEAD_DOC_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "lead_store.h"
#include "ngx_lead_account.h"
#include "ngx_lead_json.h"


/* the text of a string, "" of any other node and of none */
ngx_str_t *ngx_lead_doc_text(ngx_lead_json_t *node);

/* ... of a member */
#define ngx_lead_doc_str(obj, literal)                                        \
    ngx_lead_doc_text(ngx_lead_json_get(obj, literal))

/* the document of a stored lead, an object that may be changed;
 * NGX_DECLINED: it is none, NGX_ERROR: no memory */
ngx_int_t ngx_lead_doc_parse(ngx_pool_t *pool, const lead_t *lead,
    ngx_lead_json_t **doc);

/* a string as a member whose name is no C string */
void ngx_lead_doc_add(ngx_lead_json_gen_t *gen, ngx_lead_json_t *obj,
    ngx_str_t *name, ngx_str_t *value);

/* {pipeline, key, name}, {id, name, number}, {text, tag, at}; of a note,
 * what is empty is not there.  parent and name are those of
 * ngx_lead_json_add(). */
ngx_lead_json_t *ngx_lead_doc_stage(ngx_lead_json_gen_t *gen,
    ngx_lead_json_t *parent, const char *name, ngx_lead_pipeline_t *pipeline,
    ngx_lead_stage_t *stage);
ngx_lead_json_t *ngx_lead_doc_user(ngx_lead_json_gen_t *gen,
    ngx_lead_json_t *parent, const char *name, ngx_lead_user_t *user);
ngx_lead_json_t *ngx_lead_doc_note(ngx_lead_json_gen_t *gen,
    ngx_lead_json_t *notes, ngx_str_t *text, ngx_str_t *tag, ngx_str_t *at);

/* {name, number, label}; what is not configured is not there */
ngx_lead_json_t *ngx_lead_doc_campaign(ngx_lead_json_gen_t *gen,
    ngx_lead_json_t *parent, const char *name, ngx_lead_campaign_t *campaign);


#endif /* _NGX_LEAD_DOC_H_INCLUDED_ */
