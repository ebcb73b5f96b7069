
/*
 * Copyright (C) the ngx_lead authors
 *
 * Between the files that read the configuration only: how a directive's
 * arguments are described and read, and the directives of lead_account{}.
 *
 * An argument is a row of a table: its name, its setter, its place in the
 * struct.  Duplicates, unknown ones and values that are not unique are found
 * here, once, for all directives.
 */


#ifndef _NGX_LEAD_CONF_H_INCLUDED_
#define _NGX_LEAD_CONF_H_INCLUDED_


#include "ngx_lead.h"


#define NGX_LEAD_PARAM_WORD        0x01      /* by position; else "name=" */
#define NGX_LEAD_PARAM_FLAG        0x02      /* a bare word, if there */
#define NGX_LEAD_PARAM_UNIQUE      0x04      /* ngx_str_t, among its kind */
#define NGX_LEAD_PARAM_NUMBER      0x08      /* ngx_uint_t, among its kind */
#define NGX_LEAD_PARAM_SECRET      0x10      /* in no log */
#define NGX_LEAD_PARAM_MANY        0x20      /* may be given more than once */


/*
 * Sets a field from a value, which is NUL-terminated, lives as long as the
 * configuration and may be changed in place.  Returns NULL, or what a right
 * value is, or NGX_CONF_ERROR if that has been logged.
 */
typedef char *(*ngx_lead_param_pt)(ngx_conf_t *cf, ngx_str_t *value,
    void *field);


typedef struct {
    const char            *name;
    ngx_lead_param_pt      set;
    size_t                 offset;
    ngx_uint_t             flags;
} ngx_lead_param_t;


#define ngx_lead_param_null  { NULL, NULL, 0, 0 }


/* ngx_lead_param.c */

/* all arguments of the directive, into *conf */
char *ngx_lead_params(ngx_conf_t *cf, ngx_lead_param_t *params, void *conf);

/* the same, into a new element of the array; NULL: an error was logged */
void *ngx_lead_params_push(ngx_conf_t *cf, ngx_array_t *array, size_t size,
    ngx_lead_param_t *params);

/* one value, of the argument arg */
char *ngx_lead_param_value(ngx_conf_t *cf, ngx_lead_param_t *param,
    ngx_str_t *arg, ngx_str_t *value, void *field);

/* no other item of the array has item's value of a unique parameter */
char *ngx_lead_params_unique(ngx_conf_t *cf, ngx_array_t *array,
    ngx_lead_param_t *params, void *item);

/* adds each part of the value to an array of ngx_str_t, once set() has found
 * nothing wrong with it; NULL takes any text */
char *ngx_lead_param_split(ngx_conf_t *cf, ngx_str_t *value, u_char separator,
    ngx_array_t *array, ngx_lead_param_pt set);

/* the place of the value in a list that ends with an empty string; or
 * NGX_ERROR */
ngx_int_t ngx_lead_param_choice(ngx_str_t *list, ngx_str_t *value);

/* setters; of value: adds a text to an array of ngx_str_t */
char *ngx_lead_set_text(ngx_conf_t *cf, ngx_str_t *value, void *field);
char *ngx_lead_set_value(ngx_conf_t *cf, ngx_str_t *value, void *field);
char *ngx_lead_set_key(ngx_conf_t *cf, ngx_str_t *value, void *field);
char *ngx_lead_set_number(ngx_conf_t *cf, ngx_str_t *value, void *field);
char *ngx_lead_set_flag(ngx_conf_t *cf, ngx_str_t *value, void *field);
char *ngx_lead_set_uuid(ngx_conf_t *cf, ngx_str_t *value, void *field);
char *ngx_lead_set_email(ngx_conf_t *cf, ngx_str_t *value, void *field);
char *ngx_lead_set_color(ngx_conf_t *cf, ngx_str_t *value, void *field);
char *ngx_lead_set_country(ngx_conf_t *cf, ngx_str_t *value, void *field);
char *ngx_lead_set_url(ngx_conf_t *cf, ngx_str_t *value, void *field);
char *ngx_lead_set_time(ngx_conf_t *cf, ngx_str_t *value, void *field);
char *ngx_lead_set_path(ngx_conf_t *cf, ngx_str_t *value, void *field);
char *ngx_lead_set_size(ngx_conf_t *cf, ngx_str_t *value, void *field);
char *ngx_lead_set_pool(ngx_conf_t *cf, ngx_str_t *value, void *field);


/* ngx_lead_account_block.c */
char *ngx_lead_account_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_lead_account_tenant(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_lead_account_region(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_lead_account_add_user(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_lead_account_add_campaign(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_lead_account_add_source(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_lead_account_add_source_field(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_lead_account_add_data(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_lead_account_add_country(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* the account whose block is being read */
ngx_lead_account_t *ngx_lead_account_current(ngx_conf_t *cf);

/* reads a block whose directives are of this context */
char *ngx_lead_account_parse(ngx_conf_t *cf, ngx_uint_t context);

/* ngx_lead_pipeline.c */
char *ngx_lead_pipeline_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_lead_pipeline_add_stage(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* ngx_lead_entity.c */
char *ngx_lead_entity_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_lead_entity_add_field(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_lead_entity_add_match(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_lead_entity_add_pipeline(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* ngx_lead_webhook.c */
char *ngx_lead_webhook_add(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* ngx_lead_webhook_conf.c */
char *ngx_lead_webhook_allow(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_lead_webhook_schedule(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_lead_webhook_keep(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_lead_webhook_disable(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* at the end of http{}: what was not said, and what each webhook needs */
char *ngx_lead_webhook_init(ngx_conf_t *cf, ngx_lead_main_conf_t *lmcf);

/* ngx_lead_webhook_value.c: setters */
char *ngx_lead_set_secret(ngx_conf_t *cf, ngx_str_t *value, void *field);
char *ngx_lead_set_secret_file(ngx_conf_t *cf, ngx_str_t *value, void *field);
char *ngx_lead_set_header(ngx_conf_t *cf, ngx_str_t *value, void *field);
char *ngx_lead_set_header_file(ngx_conf_t *cf, ngx_str_t *value, void *field);
char *ngx_lead_set_file(ngx_conf_t *cf, ngx_str_t *value, void *field);
char *ngx_lead_set_off(ngx_conf_t *cf, ngx_str_t *value, void *field);
char *ngx_lead_set_total(ngx_conf_t *cf, ngx_str_t *value, void *field);
char *ngx_lead_set_wait(ngx_conf_t *cf, ngx_str_t *value, void *field);
char *ngx_lead_set_concurrency(ngx_conf_t *cf, ngx_str_t *value, void *field);
char *ngx_lead_set_keepalive(ngx_conf_t *cf, ngx_str_t *value, void *field);
char *ngx_lead_set_delay(ngx_conf_t *cf, ngx_str_t *value, void *field);
char *ngx_lead_set_keep(ngx_conf_t *cf, ngx_str_t *value, void *field);
char *ngx_lead_set_disable(ngx_conf_t *cf, ngx_str_t *value, void *field);
char *ngx_lead_set_cidr(ngx_conf_t *cf, ngx_str_t *value, void *field);

/* a secret as it was given becomes the bytes to sign with; NGX_DECLINED: it is
 * too weak for its format, or malformed */
ngx_int_t ngx_lead_webhook_secret(ngx_conf_t *cf, ngx_str_t *secret);

/* ngx_lead_account.c: the element whose ngx_str_t at this offset is the key;
 * NULL */
void *ngx_lead_account_item(ngx_array_t *array, size_t offset, u_char *key,
    size_t len);

/* an id, if there is none yet, that is always the same
 * for this kind of thing, account and path */
ngx_int_t ngx_lead_account_id(ngx_conf_t *cf, ngx_str_t *id, const char *kind,
    ngx_lead_account_t *account, ngx_str_t *path);


#endif /* _NGX_LEAD_CONF_H_INCLUDED_ */
