
/*
 * Copyright (C) the ngx_lead authors
 *
 * The module as nginx sees it: directives, configurations, the start and the
 * end of a worker.  Nothing is decided here: a directive with logic is in one
 * of the files that ngx_lead_conf.h names.  All memory is the cycle's.
 */


#include "ngx_lead_conf.h"


static char *ngx_lead_warn_retention(ngx_conf_t *cf, void *post, void *data);
static ngx_int_t ngx_lead_preconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_lead_postconfiguration(ngx_conf_t *cf);
static void *ngx_lead_create_main_conf(ngx_conf_t *cf);
static char *ngx_lead_init_main_conf(ngx_conf_t *cf, void *conf);
static void *ngx_lead_create_loc_conf(ngx_conf_t *cf);
static char *ngx_lead_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static ngx_int_t ngx_lead_init_module(ngx_cycle_t *cycle);
static ngx_int_t ngx_lead_init_process(ngx_cycle_t *cycle);
static void ngx_lead_exit_process(ngx_cycle_t *cycle);


static ngx_conf_num_bounds_t  ngx_lead_queue_bounds = {
    ngx_conf_check_num_bounds, 1, 1000000
};


static ngx_conf_num_bounds_t  ngx_lead_ttl_bounds = {
    ngx_conf_check_num_bounds, 60, 10 * 365 * 86400
};


static ngx_conf_post_t  ngx_lead_retention_post = {
    ngx_lead_warn_retention
};


static ngx_command_t  ngx_lead_commands[] = {

    { ngx_string("lead_store"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_lead_conf_store,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("lead_queue"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_lead_main_conf_t, queue),
      &ngx_lead_queue_bounds },

    { ngx_string("lead_idempotency_ttl"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_sec_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_lead_main_conf_t, idempotency_ttl),
      &ngx_lead_ttl_bounds },

    { ngx_string("lead_retention"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_sec_slot,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_lead_main_conf_t, retention),
      &ngx_lead_retention_post },

    { ngx_string("lead_webhook_allow"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_lead_webhook_allow,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("lead_webhook_schedule"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_lead_webhook_schedule,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("lead_webhook_keep"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_1MORE,
      ngx_lead_webhook_keep,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("lead_webhook_disable"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_lead_webhook_disable,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("lead_api"),
      NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_lead_conf_api,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("lead_rate"),
      NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_lead_conf_rate,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("lead_key_failures"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_lead_conf_failures,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("lead_status"),
      NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_lead_status,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("lead_account"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_BLOCK|NGX_CONF_1MORE,
      ngx_lead_account_block,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    /* inside lead_account{}, where nginx' own "include" is not known */

    { ngx_string("include"),
      NGX_LEAD_ACCOUNT_CONF|NGX_LEAD_PIPELINE_CONF|NGX_LEAD_ENTITY_CONF
                           |NGX_CONF_TAKE1,
      ngx_conf_include,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("tenant"),
      NGX_LEAD_ACCOUNT_CONF|NGX_CONF_1MORE,
      ngx_lead_account_tenant,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("region"),
      NGX_LEAD_ACCOUNT_CONF|NGX_CONF_1MORE,
      ngx_lead_account_region,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("user"),
      NGX_LEAD_ACCOUNT_CONF|NGX_CONF_1MORE,
      ngx_lead_account_add_user,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("campaign"),
      NGX_LEAD_ACCOUNT_CONF|NGX_CONF_1MORE,
      ngx_lead_account_add_campaign,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("source"),
      NGX_LEAD_ACCOUNT_CONF|NGX_CONF_1MORE,
      ngx_lead_account_add_source,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("source_field"),
      NGX_LEAD_ACCOUNT_CONF|NGX_CONF_TAKE3,
      ngx_lead_account_add_source_field,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("data"),
      NGX_LEAD_ACCOUNT_CONF|NGX_CONF_1MORE,
      ngx_lead_account_add_data,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("country"),
      NGX_LEAD_ACCOUNT_CONF|NGX_CONF_2MORE,
      ngx_lead_account_add_country,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("webhook"),
      NGX_LEAD_ACCOUNT_CONF|NGX_CONF_2MORE,
      ngx_lead_webhook_add,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("pipeline"),
      NGX_LEAD_ACCOUNT_CONF|NGX_CONF_BLOCK|NGX_CONF_1MORE,
      ngx_lead_pipeline_block,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("stage"),
      NGX_LEAD_PIPELINE_CONF|NGX_CONF_1MORE,
      ngx_lead_pipeline_add_stage,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("entity"),
      NGX_LEAD_ACCOUNT_CONF|NGX_CONF_BLOCK|NGX_CONF_1MORE,
      ngx_lead_entity_block,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("field"),
      NGX_LEAD_ENTITY_CONF|NGX_CONF_2MORE,
      ngx_lead_entity_add_field,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("match"),
      NGX_LEAD_ENTITY_CONF|NGX_CONF_1MORE,
      ngx_lead_entity_add_match,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("pipeline"),
      NGX_LEAD_ENTITY_CONF|NGX_CONF_1MORE,
      ngx_lead_entity_add_pipeline,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_lead_module_ctx = {
    ngx_lead_preconfiguration,             /* preconfiguration */
    ngx_lead_postconfiguration,            /* postconfiguration */

    ngx_lead_create_main_conf,             /* create main configuration */
    ngx_lead_init_main_conf,               /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_lead_create_loc_conf,              /* create location configuration */
    ngx_lead_merge_loc_conf                /* merge location configuration */
};


ngx_module_t  ngx_lead_module = {
    NGX_MODULE_V1,
    &ngx_lead_module_ctx,                  /* module context */
    ngx_lead_commands,                     /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_lead_init_module,                  /* init module */
    ngx_lead_init_process,                 /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_lead_exit_process,                 /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static char *
ngx_lead_warn_retention(ngx_conf_t *cf, void *post, void *data)
{
    time_t  *retention = data;

    if (*retention) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "\"lead_retention\" is not enforced in this "
                           "version, leads are kept for ever");
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_lead_preconfiguration(ngx_conf_t *cf)
{
    if (ngx_lead_conf_variables(cf) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_lead_status_variables(cf);
}


static ngx_int_t
ngx_lead_postconfiguration(ngx_conf_t *cf)
{
    ngx_lead_main_conf_t  *lmcf;

    lmcf = ngx_http_conf_get_module_main_conf(cf, ngx_lead_module);

    ngx_lead_reply_init(lmcf);

    return lmcf->locations ? ngx_lead_log_init(cf) : NGX_OK;
}


static void *
ngx_lead_create_main_conf(ngx_conf_t *cf)
{
    ngx_lead_main_conf_t  *lmcf;

    lmcf = ngx_pcalloc(cf->pool, sizeof(ngx_lead_main_conf_t));
    if (lmcf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     lmcf->store = NULL;
     *     lmcf->size = 0;
     *     lmcf->pool = NULL;
     *     lmcf->webhook_allow = NULL;
     *     lmcf->webhook_schedule = NULL;
     *     lmcf->accounts = { NULL };
     *     lmcf->webhooks = 0;
     *     lmcf->locations = 0;
     *     lmcf->rate = NULL;
     *     lmcf->guard = NULL;
     */

    lmcf->wake = -1;
    lmcf->queue = NGX_CONF_UNSET_UINT;
    lmcf->idempotency_ttl = NGX_CONF_UNSET;
    lmcf->retention = NGX_CONF_UNSET;
    lmcf->webhook_keep = NGX_CONF_UNSET;
    lmcf->webhook_keep_failed = NGX_CONF_UNSET;
    lmcf->webhook_disable = NGX_CONF_UNSET;

    return lmcf;
}


static char *
ngx_lead_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_lead_main_conf_t  *lmcf = conf;

    ngx_conf_init_uint_value(lmcf->queue, 10000);
    ngx_conf_init_value(lmcf->idempotency_ttl, LEAD_TTL_DEFAULT / 1000000);
    ngx_conf_init_value(lmcf->retention, 0);

    if (lmcf->size == 0) {
        lmcf->size = (size_t) LEAD_SIZE_DEFAULT;
    }

    if (ngx_lead_conf_check(cf, lmcf) != NGX_CONF_OK
        || ngx_lead_webhook_init(cf, lmcf) != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (ngx_lead_status_zone(cf, lmcf) != NGX_OK
        || (lmcf->locations && ngx_lead_guard_zone(cf, lmcf) != NGX_OK))
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static void *
ngx_lead_create_loc_conf(ngx_conf_t *cf)
{
    ngx_lead_loc_conf_t  *llcf;

    llcf = ngx_pcalloc(cf->pool, sizeof(ngx_lead_loc_conf_t));
    if (llcf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     llcf->dialect = NULL;
     *     llcf->base = { 0, NULL };
     *     llcf->burst = 0;
     *     llcf->status = 0;
     */

    llcf->rate = NGX_CONF_UNSET_UINT;
    llcf->key_failures = NGX_CONF_UNSET_UINT;

    return llcf;
}


static char *
ngx_lead_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_lead_loc_conf_t  *prev = parent;
    ngx_lead_loc_conf_t  *conf = child;

    return ngx_lead_conf_merge(cf, prev, conf);
}


static ngx_int_t
ngx_lead_init_module(ngx_cycle_t *cycle)
{
    ngx_lead_main_conf_t  *lmcf;

    lmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_lead_module);

    if (lmcf && lmcf->store) {
        ngx_lead_outbox_open(cycle, lmcf);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_lead_init_process(ngx_cycle_t *cycle)
{
    ngx_lead_main_conf_t  *lmcf;

    lmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_lead_module);

    if (lmcf == NULL || lmcf->store == NULL) {
        return NGX_OK;
    }

    return ngx_lead_worker_init(cycle, lmcf);
}


static void
ngx_lead_exit_process(ngx_cycle_t *cycle)
{
    ngx_lead_main_conf_t  *lmcf;

    lmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_lead_module);

    if (lmcf && lmcf->store) {
        ngx_lead_worker_exit(cycle, lmcf);
    }
}
