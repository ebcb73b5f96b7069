
/*
 * Copyright (C) the ngx_lead authors
 *
 * What lead_account{} says: the people, stages, sources and vocabularies of
 * one account.  Read-only after configuration; all memory is the cycle's.
 * Strings are UTF-8; "absent" is a zero length; number 0 means none.
 */


#ifndef _NGX_LEAD_ACCOUNT_H_INCLUDED_
#define _NGX_LEAD_ACCOUNT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef struct {
    ngx_str_t             id;           /* UUID text, lower case */
    ngx_uint_t            number;
    ngx_str_t             email;
    ngx_str_t             name;
} ngx_lead_user_t;


typedef struct {
    ngx_str_t             name;         /* internal name */
    ngx_uint_t            number;       /* unique in the configuration */
    ngx_str_t             label;
    ngx_str_t             url;
    ngx_str_t             thanks_url;
    time_t                ends;         /* 0: never */
    ngx_flag_t            ended;
    ngx_flag_t            key_optional;
} ngx_lead_campaign_t;


typedef struct {
    ngx_str_t             id;           /* UUID text; UUIDv5 if not given */
    ngx_str_t             key;
    ngx_str_t             name;
    ngx_uint_t            number;
    ngx_str_t             color;
    ngx_flag_t            is_default;
    ngx_flag_t            terminal;
} ngx_lead_stage_t;


typedef struct {
    ngx_str_t             id;
    ngx_str_t             key;
    ngx_array_t           stages;       /* of ngx_lead_stage_t, in order */
} ngx_lead_pipeline_t;


typedef struct {
    ngx_str_t             field;        /* ours */
    ngx_array_t           path;         /* of ngx_str_t: theirs, by member */
} ngx_lead_source_field_t;


typedef struct {
    ngx_str_t             id;
    ngx_str_t             key;
    ngx_uint_t            number;
    ngx_str_t             name;
    ngx_str_t             external_id;
    ngx_lead_user_t      *assignee;     /* NULL: none */
    ngx_array_t           fields;       /* of ngx_lead_source_field_t; empty:
                                           our names */
    ngx_flag_t            disabled;
} ngx_lead_source_t;


typedef struct {
    ngx_str_t             key;
    ngx_array_t           values;       /* of ngx_str_t; empty: free text */
} ngx_lead_data_t;


typedef struct {
    ngx_uint_t            number;       /* the vendor's id */
    u_char                code[2];      /* ISO 3166-1 alpha-2 */
} ngx_lead_country_t;


typedef enum {
    NGX_LEAD_FIELD_TEXT = 0,
    NGX_LEAD_FIELD_EMAIL,
    NGX_LEAD_FIELD_PHONE,
    NGX_LEAD_FIELD_NUMBER,
    NGX_LEAD_FIELD_DATE,
    NGX_LEAD_FIELD_BOOLEAN,
    NGX_LEAD_FIELD_SELECT,
    NGX_LEAD_FIELD_URL,
    NGX_LEAD_FIELD_ADDRESS
} ngx_lead_field_type_e;


typedef struct {
    ngx_str_t              key;
    ngx_str_t              label;
    ngx_lead_field_type_e  type;
    ngx_str_t              preset;      /* default= */
    ngx_array_t            options;     /* of ngx_str_t */
    ngx_str_t              min;         /* number or date, as written */
    ngx_str_t              max;
    ngx_uint_t             match;       /* rank, from 1; 0: no match key */
    ngx_flag_t             required;
} ngx_lead_entity_field_t;


typedef struct {
    ngx_str_t             id;
    ngx_str_t             slug;
    ngx_str_t             label;
    ngx_array_t           fields;       /* of ngx_lead_entity_field_t */
    ngx_array_t           pipelines;    /* of ngx_lead_pipeline_t *; empty:
                                           the account's main one */
} ngx_lead_entity_t;


typedef enum {
    NGX_LEAD_WEBHOOK_STANDARD = 0,
    NGX_LEAD_WEBHOOK_LAWFFICIENT,
    NGX_LEAD_WEBHOOK_KICKOFFLABS
} ngx_lead_webhook_format_e;


typedef struct ngx_lead_http_target_s  ngx_lead_http_target_t;


typedef struct {
    ngx_str_t             name;         /* its identity in the store */
    ngx_uint_t            index;        /* in the configuration, from 0 */
    ngx_str_t             url;
    ngx_array_t           secrets;      /* of ngx_str_t: the bytes to sign
                                           with, the newest first; two during
                                           a rotation; empty: unsigned */
    ngx_array_t           events;       /* of ngx_str_t; empty: "*" */
    ngx_array_t           campaigns;    /* of ngx_str_t; empty: all */
    ngx_array_t           statuses;     /* of ngx_str_t; empty: all */
    ngx_array_t           headers;      /* of ngx_keyval_t, of each delivery */
    ngx_lead_webhook_format_e  format;
    ngx_uint_t            concurrency;  /* deliveries at a time, per worker */
    ngx_lead_http_target_t  *target;    /* where and how to connect */
    ngx_str_t             file;         /* where it stands, for messages */
    ngx_uint_t            line;
} ngx_lead_webhook_t;


typedef struct {
    ngx_str_t             name;
    ngx_uint_t            index;        /* in the configuration, from 0 */
    ngx_uint_t            tenant;
    u_char                region[2];    /* "US" if not given */
    ngx_array_t           users;        /* of ngx_lead_user_t */
    ngx_array_t           campaigns;    /* of ngx_lead_campaign_t */
    ngx_array_t           pipelines;    /* of ngx_lead_pipeline_t */
    ngx_array_t           sources;      /* of ngx_lead_source_t */
    ngx_array_t           data;         /* of ngx_lead_data_t */
    ngx_array_t           countries;    /* of ngx_lead_country_t */
    ngx_array_t           entities;     /* of ngx_lead_entity_t */
    ngx_array_t           webhooks;     /* of ngx_lead_webhook_t */
} ngx_lead_account_t;


/* look-ups; NULL if there is none */

ngx_lead_user_t *ngx_lead_account_user(ngx_lead_account_t *account,
    ngx_str_t *id);          /* UUID text, any case */
ngx_lead_source_t *ngx_lead_account_source(ngx_lead_account_t *account,
    u_char *key, size_t len);
ngx_lead_data_t *ngx_lead_account_data(ngx_lead_account_t *account,
    u_char *key, size_t len);

/* of the main pipeline */
ngx_lead_stage_t *ngx_lead_account_stage(ngx_lead_account_t *account,
    ngx_str_t *key);
ngx_lead_stage_t *ngx_lead_account_open_stage(ngx_lead_account_t *account);


#endif /* _NGX_LEAD_ACCOUNT_H_INCLUDED_ */
