
/*
 * Copyright (C) the ngx_lead authors
 *
 * Reads webhook of lead_account{}: where events go, which, how they are
 * signed, and how to connect.  Of a secret, a header's value and a URL, which
 * may have a token in it, nothing appears in a message.  What is known only
 * at the end of http{} is added by ngx_lead_webhook_conf.c.
 *
 * All memory is the configuration's.
 */


#include "ngx_lead_conf.h"
#include "ngx_lead_http_client.h"


/* what is read of a directive; the target stays, and is the webhook's */

typedef struct {
    ngx_lead_http_target_t  target;
    ngx_lead_webhook_t      webhook;
    ngx_str_t               trusted;
    ngx_str_t               certificate;
    ngx_str_t               key;
    ngx_flag_t              unverified;
} ngx_lead_webhook_args_t;


typedef struct {
    const char             *name;
    size_t                  offset;          /* in the target */
    ngx_msec_t              preset;
} ngx_lead_webhook_wait_t;


static char *ngx_lead_webhook_signing(ngx_conf_t *cf,
    ngx_lead_webhook_t *webhook);
static char *ngx_lead_webhook_times(ngx_conf_t *cf,
    ngx_lead_http_target_t *target);
static char *ngx_lead_webhook_ssl(ngx_conf_t *cf,
    ngx_lead_webhook_args_t *args);
static char *ngx_lead_webhook_push(ngx_conf_t *cf, ngx_lead_main_conf_t *lmcf,
    ngx_lead_webhook_args_t *args);
static char *ngx_lead_set_webhook_url(ngx_conf_t *cf, ngx_str_t *value,
    void *field);
static char *ngx_lead_set_events(ngx_conf_t *cf, ngx_str_t *value,
    void *field);
static char *ngx_lead_set_event(ngx_conf_t *cf, ngx_str_t *value,
    void *field);
static char *ngx_lead_set_statuses(ngx_conf_t *cf, ngx_str_t *value,
    void *field);
static char *ngx_lead_set_status(ngx_conf_t *cf, ngx_str_t *value,
    void *field);
static char *ngx_lead_set_campaigns(ngx_conf_t *cf, ngx_str_t *value,
    void *field);
static char *ngx_lead_set_campaign(ngx_conf_t *cf, ngx_str_t *value,
    void *field);
static char *ngx_lead_set_format(ngx_conf_t *cf, ngx_str_t *value,
    void *field);


static ngx_str_t  ngx_lead_events[] = {
    ngx_string("lead.created"),
    ngx_string("lead.updated"),
    ngx_string("lead.status_changed"),
    ngx_string("lead.assigned"),
    ngx_string("lead.archived"),
    ngx_string("lead.scored"),
    ngx_string("lead.referral"),
    ngx_string("lead.note_added"),
    ngx_null_string
};


static ngx_str_t  ngx_lead_formats[] = {   /* in the order of the enum */
    ngx_string("standard"),
    ngx_string("lawfficient"),
    ngx_string("kickofflabs"),
    ngx_null_string
};


#define ngx_lead_webhook_offset(member)                                       \
    offsetof(ngx_lead_webhook_args_t, member)


static ngx_lead_param_t  ngx_lead_webhook_params[] = {
    { "name", ngx_lead_set_key, ngx_lead_webhook_offset(webhook.name),
      NGX_LEAD_PARAM_WORD },
    { "URL", ngx_lead_set_webhook_url, ngx_lead_webhook_offset(target),
      NGX_LEAD_PARAM_WORD|NGX_LEAD_PARAM_SECRET },
    { "secret", ngx_lead_set_secret, ngx_lead_webhook_offset(webhook.secrets),
      NGX_LEAD_PARAM_SECRET|NGX_LEAD_PARAM_MANY },
    { "secret_file", ngx_lead_set_secret_file,
      ngx_lead_webhook_offset(webhook.secrets),
      NGX_LEAD_PARAM_SECRET|NGX_LEAD_PARAM_MANY },
    { "events", ngx_lead_set_events, ngx_lead_webhook_offset(webhook.events),
      0 },
    { "status", ngx_lead_set_statuses,
      ngx_lead_webhook_offset(webhook.statuses), 0 },
    { "campaign", ngx_lead_set_campaigns,
      ngx_lead_webhook_offset(webhook.campaigns), 0 },
    { "format", ngx_lead_set_format, ngx_lead_webhook_offset(webhook.format),
      0 },
    { "header", ngx_lead_set_header, ngx_lead_webhook_offset(webhook.headers),
      NGX_LEAD_PARAM_SECRET|NGX_LEAD_PARAM_MANY },
    { "header_file", ngx_lead_set_header_file,
      ngx_lead_webhook_offset(webhook.headers),
      NGX_LEAD_PARAM_SECRET|NGX_LEAD_PARAM_MANY },
    { "concurrency", ngx_lead_set_concurrency,
      ngx_lead_webhook_offset(webhook.concurrency), 0 },
    { "timeout", ngx_lead_set_total, ngx_lead_webhook_offset(target.timeout),
      0 },
    { "connect_timeout", ngx_lead_set_wait,
      ngx_lead_webhook_offset(target.connect_timeout), 0 },
    { "send_timeout", ngx_lead_set_wait,
      ngx_lead_webhook_offset(target.send_timeout), 0 },
    { "read_timeout", ngx_lead_set_wait,
      ngx_lead_webhook_offset(target.read_timeout), 0 },
    { "keepalive", ngx_lead_set_keepalive,
      ngx_lead_webhook_offset(target.keepalive), 0 },
    { "ssl_trusted", ngx_lead_set_file, ngx_lead_webhook_offset(trusted), 0 },
    { "ssl_verify", ngx_lead_set_off, ngx_lead_webhook_offset(unverified),
      0 },
    { "ssl_certificate", ngx_lead_set_file,
      ngx_lead_webhook_offset(certificate), 0 },
    { "ssl_certificate_key", ngx_lead_set_file, ngx_lead_webhook_offset(key),
      0 },
    ngx_lead_param_null
};


static ngx_lead_webhook_wait_t  ngx_lead_webhook_waits[] = {
    { "connect_timeout", offsetof(ngx_lead_http_target_t, connect_timeout),
      5000 },
    { "send_timeout", offsetof(ngx_lead_http_target_t, send_timeout), 5000 },
    { "read_timeout", offsetof(ngx_lead_http_target_t, read_timeout), 10000 },
    { NULL, 0, 0 }
};


char *
ngx_lead_webhook_add(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_lead_main_conf_t     *lmcf = conf;

    char                     *rv;
    ngx_lead_webhook_t       *webhook;
    ngx_lead_webhook_args_t  *args;

    args = ngx_pcalloc(cf->pool, sizeof(ngx_lead_webhook_args_t));
    if (args == NULL) {
        return NGX_CONF_ERROR;
    }

    args->target.keepalive = NGX_CONF_UNSET_UINT;
    args->target.keepalive_timeout = 60000;
    args->target.timeout = 15000;

    webhook = &args->webhook;
    webhook->concurrency = 8;

    if (ngx_lead_params(cf, ngx_lead_webhook_params, args) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    ngx_conf_init_uint_value(args->target.keepalive, webhook->concurrency);

    rv = ngx_lead_webhook_signing(cf, webhook);

    if (rv == NGX_CONF_OK) {
        rv = ngx_lead_webhook_times(cf, &args->target);
    }

    if (rv == NGX_CONF_OK) {
        rv = ngx_lead_webhook_ssl(cf, args);
    }

    if (rv == NGX_CONF_OK) {
        rv = ngx_lead_webhook_push(cf, lmcf, args);
    }

    return rv;
}


static char *
ngx_lead_webhook_signing(ngx_conf_t *cf, ngx_lead_webhook_t *webhook)
{
    ngx_int_t    rc;
    ngx_str_t   *secret;
    ngx_uint_t   i;

    if (webhook->format == NGX_LEAD_WEBHOOK_KICKOFFLABS) {
        return webhook->secrets.nelts
               ? "of \"format=kickofflabs\" is not signed and takes no secret"
               : NGX_CONF_OK;
    }

    if (webhook->secrets.nelts == 0) {
        return "needs \"secret=\" or \"secret_file=\" to sign with";
    }

    if (webhook->format != NGX_LEAD_WEBHOOK_STANDARD) {
        return NGX_CONF_OK;
    }

    secret = webhook->secrets.elts;

    for (i = 0; i < webhook->secrets.nelts; i++) {
        rc = ngx_lead_webhook_secret(cf, &secret[i]);

        if (rc == NGX_ERROR) {
            return NGX_CONF_ERROR;
        }

        if (rc == NGX_DECLINED) {
            return "needs a secret that is \"whsec_\" and 24 to 64 random "
                   "bytes in base64, as \"openssl rand -base64 32\" makes "
                   "them";
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_lead_webhook_times(ngx_conf_t *cf, ngx_lead_http_target_t *target)
{
    ngx_msec_t               *msec;
    ngx_lead_webhook_wait_t  *wait;

    for (wait = ngx_lead_webhook_waits; wait->name; wait++) {

        msec = (ngx_msec_t *) ((u_char *) target + wait->offset);

        if (*msec == 0) {
            *msec = ngx_min(wait->preset, target->timeout);
            continue;
        }

        if (*msec > target->timeout) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%s=\" must not be longer than \"timeout=\", "
                               "the time for all of a delivery, which is "
                               "%Mms", wait->name, target->timeout);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_lead_webhook_ssl(ngx_conf_t *cf, ngx_lead_webhook_args_t *args)
{
    if (!args->target.ssl) {
        return (args->trusted.len || args->certificate.len || args->key.len
                || args->unverified)
               ? "takes \"ssl_...\" parameters with a URL of https only"
               : NGX_CONF_OK;
    }

    if ((args->certificate.len == 0) != (args->key.len == 0)) {
        return "needs \"ssl_certificate=\" and \"ssl_certificate_key=\" "
               "together";
    }

    if (args->unverified && args->trusted.len) {
        return "has \"ssl_trusted=\" to verify with and \"ssl_verify=off\", "
               "remove one of them";
    }

    args->target.ssl_verify = !args->unverified;

    if (ngx_lead_http_target_ssl(cf, &args->target, &args->trusted,
                                 &args->certificate, &args->key)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (args->unverified) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "the peer of webhook \"%V\" is not verified: "
                           "whoever is on the way can read and change leads",
                           &args->webhook.name);
    }

    return NGX_CONF_OK;
}


static char *
ngx_lead_webhook_push(ngx_conf_t *cf, ngx_lead_main_conf_t *lmcf,
    ngx_lead_webhook_args_t *args)
{
    ngx_array_t         *webhooks;
    ngx_lead_webhook_t  *webhook;

    webhook = &args->webhook;
    webhooks = &ngx_lead_account_current(cf)->webhooks;

    if (webhooks->elts == NULL
        && ngx_array_init(webhooks, cf->pool, 4, sizeof(ngx_lead_webhook_t))
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (ngx_lead_account_item(webhooks, offsetof(ngx_lead_webhook_t, name),
                              webhook->name.data, webhook->name.len))
    {
        return "has the name of another one of its account, which is its "
               "identity in the store";
    }

    webhook->target = &args->target;
    webhook->url = args->target.url;
    webhook->index = lmcf->webhooks++;
    webhook->file = cf->conf_file->file.name;
    webhook->line = cf->conf_file->line;

    webhook = ngx_array_push(webhooks);
    if (webhook == NULL) {
        return NGX_CONF_ERROR;
    }

    *webhook = args->webhook;

    return NGX_CONF_OK;
}


static char *
ngx_lead_set_webhook_url(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    return ngx_lead_http_target_url(cf, field, value);
}


static char *
ngx_lead_set_events(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    if (value->len == 1 && value->data[0] == '*') {
        return NULL;
    }

    return ngx_lead_param_split(cf, value, ',', field, ngx_lead_set_event);
}


static char *
ngx_lead_set_event(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    if (ngx_lead_param_choice(ngx_lead_events, value) != NGX_ERROR) {
        return NULL;
    }

    return "use \"*\", or with \",\" between them \"lead.created\", "
           "\"lead.updated\", \"lead.status_changed\", \"lead.assigned\", "
           "\"lead.archived\", \"lead.scored\", \"lead.referral\", "
           "\"lead.note_added\"";
}


static char *
ngx_lead_set_statuses(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    return ngx_lead_param_split(cf, value, ',', field, ngx_lead_set_status);
}


static char *
ngx_lead_set_status(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    ngx_uint_t            i;
    ngx_lead_account_t   *account;
    ngx_lead_pipeline_t  *pipeline;

    account = ngx_lead_account_current(cf);
    pipeline = account->pipelines.elts;

    for (i = 0; i < account->pipelines.nelts; i++) {
        if (ngx_lead_account_item(&pipeline[i].stages,
                                  offsetof(ngx_lead_stage_t, key),
                                  value->data, value->len))
        {
            return NULL;
        }
    }

    return "use keys of \"stage\" above it, with \",\" between them";
}


static char *
ngx_lead_set_campaigns(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    return ngx_lead_param_split(cf, value, ',', field, ngx_lead_set_campaign);
}


static char *
ngx_lead_set_campaign(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    if (ngx_lead_account_item(&ngx_lead_account_current(cf)->campaigns,
                              offsetof(ngx_lead_campaign_t, name),
                              value->data, value->len))
    {
        return NULL;
    }

    return "use names of \"campaign\" above it, with \",\" between them";
}


static char *
ngx_lead_set_format(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    ngx_lead_webhook_format_e  *format = field;

    ngx_int_t                   n;

    n = ngx_lead_param_choice(ngx_lead_formats, value);

    if (n != NGX_ERROR) {
        *format = (ngx_lead_webhook_format_e) n;
        return NULL;
    }

    return "it must be \"standard\", \"lawfficient\" or \"kickofflabs\"";
}
