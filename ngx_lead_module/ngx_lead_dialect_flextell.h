
/*
 * Copyright (C) the ngx_lead authors
 *
 * Flextell: what its files share, and nobody else may include.
 *
 * A lead's document here has the members dialect, first_name, last_name,
 * email (as sent), email_key, phone (as sent), phone_e164, description,
 * message, preferred_contact, source_page_url, stage {pipeline, key, name,
 * number}, source {key, name, number}, assignee {id, name, number}, country
 * {code, name, number} and marketing_attribution.  What is not known is not
 * there.
 */


#ifndef _NGX_LEAD_DIALECT_FLEXTELL_H_INCLUDED_
#define _NGX_LEAD_DIALECT_FLEXTELL_H_INCLUDED_


#include "ngx_lead_dialect.h"
#include "ngx_lead_doc.h"
#include "ngx_lead_field.h"


#define NGX_LEAD_FLEX_MAX          255      /* characters of most texts */
#define NGX_LEAD_FLEX_ERRORS       256      /* findings shown at once */


/* ngx_lead_dialect_flextell_show.c */

/* a lead as the vendor shows it, as the member name of parent, or as its
 * next element; NGX_ERROR: no memory, or a document that is no lead's */
ngx_int_t ngx_lead_flex_add_lead(ngx_lead_json_gen_t *gen,
    ngx_lead_call_t *call, ngx_lead_json_t *parent, const char *name,
    const lead_t *lead);

/* a stage, a source, as they show, as the member name of parent, or as its
 * next element; null, and NULL returned, for what has no number */
ngx_lead_json_t *ngx_lead_flex_add_stage(ngx_lead_json_gen_t *gen,
    ngx_lead_json_t *parent, const char *name, ngx_lead_stage_t *stage);
void ngx_lead_flex_add_source(ngx_lead_json_gen_t *gen,
    ngx_lead_json_t *parent, const char *name, ngx_lead_source_t *source);

/* first and last name, or what stands for them, in memory of the pool;
 * NGX_ERROR: no memory */
ngx_int_t ngx_lead_flex_full_name(ngx_pool_t *pool, ngx_lead_json_t *doc,
    ngx_str_t *full);


/* ngx_lead_dialect_flextell_rule.c: Laravel's rules */

/* a value as its middleware leaves it: trimmed, NULL for what is absent, null
 * or an empty text.  Changes node. */
ngx_lead_json_t *ngx_lead_flex_value(ngx_lead_json_t *node);

/* findings: each is kept in call->errors, in the vendor's words; the first
 * also makes call->fault.  NGX_OK, NGX_ERROR.  In the second form after has a
 * "%ui" for n. */
ngx_int_t ngx_lead_flex_error(ngx_lead_call_t *call, ngx_str_t *path,
    const char *before, const char *after);
ngx_int_t ngx_lead_flex_error_n(ngx_lead_call_t *call, ngx_str_t *path,
    const char *after, ngx_uint_t n);

/* rules about a value that is there.  NGX_OK: it passes, or a finding was
 * added; NGX_ERROR */
ngx_int_t ngx_lead_flex_rule_string(ngx_lead_call_t *call, ngx_str_t *path,
    ngx_lead_json_t *node);
ngx_int_t ngx_lead_flex_rule_max(ngx_lead_call_t *call, ngx_str_t *path,
    ngx_lead_json_t *node, ngx_uint_t max);

/* the same; *value is the integer, 0 if a finding was added */
ngx_int_t ngx_lead_flex_rule_integer(ngx_lead_call_t *call, ngx_str_t *path,
    ngx_lead_json_t *node, int64_t *value);

/* NGX_DECLINED with call->fault, if something was found, else NGX_OK */
ngx_int_t ngx_lead_flex_judge(ngx_lead_call_t *call);


/* ngx_lead_dialect_flextell_create.c */

ngx_int_t ngx_lead_flex_create(ngx_lead_call_t *call);


/* ngx_lead_dialect_flextell_list.c */

ngx_int_t ngx_lead_flex_list(ngx_lead_call_t *call);
ngx_int_t ngx_lead_flex_page(ngx_lead_call_t *call, lead_t *leads,
    ngx_uint_t n);
ngx_int_t ngx_lead_flex_statuses(ngx_lead_call_t *call);
ngx_int_t ngx_lead_flex_sources(ngx_lead_call_t *call);


#endif /* _NGX_LEAD_DIALECT_FLEXTELL_H_INCLUDED_ */
