
/*
 * Copyright (C) the ngx_lead authors
 *
 * Reads webhook of lead_account{}: where events go, which, and how they are
 * signed.  A secret appears in no message.  Sending is not done here.
 */


#include "ngx_lead_conf.h"


#define NGX_LEAD_SECRET_PREFIX     "whsec_"
#define NGX_LEAD_SECRET_FILE_MAX   512


static char *ngx_lead_set_webhook_url(ngx_conf_t *cf, ngx_str_t *value,
    void *field);
static char *ngx_lead_set_secret(ngx_conf_t *cf, ngx_str_t *value,
    void *field);
static char *ngx_lead_set_secret_file(ngx_conf_t *cf, ngx_str_t *value,
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
static char *ngx_lead_webhook_check(ngx_conf_t *cf,
    ngx_lead_webhook_t *webhook);
static ngx_uint_t ngx_lead_webhook_strong(ngx_conf_t *cf, ngx_str_t *secret);


static ngx_str_t  ngx_lead_events[] = {
    ngx_string("lead.created"),
    ngx_string("lead.updated"),
    ngx_string("lead.status_changed"),
    ngx_string("lead.assigned"),
    ngx_string("lead.archived"),
    ngx_string("lead.scored"),
    ngx_string("lead.referral"),
    ngx_null_string
};


static ngx_str_t  ngx_lead_formats[] = {   /* in the order of the enum */
    ngx_string("standard"),
    ngx_string("lawfficient"),
    ngx_string("kickofflabs"),
    ngx_null_string
};


static ngx_lead_param_t  ngx_lead_webhook_params[] = {
    { "name", ngx_lead_set_key, offsetof(ngx_lead_webhook_t, name),
      NGX_LEAD_PARAM_WORD|NGX_LEAD_PARAM_UNIQUE },
    { "URL", ngx_lead_set_webhook_url, offsetof(ngx_lead_webhook_t, url),
      NGX_LEAD_PARAM_WORD },
    { "secret", ngx_lead_set_secret, offsetof(ngx_lead_webhook_t, secrets),
      NGX_LEAD_PARAM_SECRET },
    { "secret_file", ngx_lead_set_secret_file,
      offsetof(ngx_lead_webhook_t, secrets), 0 },
    { "events", ngx_lead_set_events, offsetof(ngx_lead_webhook_t, events),
      0 },
    { "status", ngx_lead_set_statuses, offsetof(ngx_lead_webhook_t, statuses),
      0 },
    { "campaign", ngx_lead_set_campaigns,
      offsetof(ngx_lead_webhook_t, campaigns), 0 },
    { "format", ngx_lead_set_format, offsetof(ngx_lead_webhook_t, format),
      0 },
    ngx_lead_param_null
};


char *
ngx_lead_webhook_add(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_lead_main_conf_t  *lmcf = conf;

    ngx_lead_webhook_t    *webhook;

    webhook = ngx_lead_params_push(cf, &ngx_lead_account_current(cf)->webhooks,
                                   sizeof(ngx_lead_webhook_t),
                                   ngx_lead_webhook_params);
    if (webhook == NULL) {
        return NGX_CONF_ERROR;
    }

    if (lmcf->webhooks == 0) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "webhooks are queued, not delivered, in this "
                           "version");
    }

    webhook->index = lmcf->webhooks++;

    return ngx_lead_webhook_check(cf, webhook);
}


static char *
ngx_lead_webhook_check(ngx_conf_t *cf, ngx_lead_webhook_t *webhook)
{
    if (webhook->format == NGX_LEAD_WEBHOOK_KICKOFFLABS) {
        return webhook->secrets.nelts
               ? "of \"format=kickofflabs\" is not signed and takes no secret"
               : NGX_CONF_OK;
    }

    if (webhook->secrets.nelts == 0) {
        return "needs \"secret=\" or \"secret_file=\" to sign with";
    }

    if (webhook->format == NGX_LEAD_WEBHOOK_STANDARD
        && !ngx_lead_webhook_strong(cf, webhook->secrets.elts))
    {
        return "needs a secret that is \"whsec_\" and 24 to 64 random bytes "
               "in base64, as \"openssl rand -base64 32\" makes them";
    }

    return NGX_CONF_OK;
}


static ngx_uint_t
ngx_lead_webhook_strong(ngx_conf_t *cf, ngx_str_t *secret)
{
    size_t     prefix;
    u_char     buf[ngx_base64_decoded_length(LEAD_NAME_MAX)];
    ngx_str_t  in, out;

    prefix = sizeof(NGX_LEAD_SECRET_PREFIX) - 1;

    if (secret->len <= prefix
        || ngx_strncmp(secret->data, NGX_LEAD_SECRET_PREFIX, prefix) != 0)
    {
        return 0;
    }

    in.data = secret->data + prefix;
    in.len = secret->len - prefix;
    out.data = buf;

    return ngx_decode_base64(&out, &in) == NGX_OK
           && out.len >= 24 && out.len <= 64;
}


static char *
ngx_lead_set_webhook_url(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    if (ngx_strchr(value->data, '#')) {
        return "it must have no fragment";
    }

    return ngx_lead_set_url(cf, value, field);
}


static char *
ngx_lead_set_secret(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    ngx_array_t  *secrets = field;

    if (secrets->nelts) {
        return "the other one of \"secret=\" and \"secret_file=\" is given "
               "already";
    }

    return ngx_lead_set_value(cf, value, field);
}


static char *
ngx_lead_set_secret_file(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    u_char      buf[NGX_LEAD_SECRET_FILE_MAX];
    ssize_t     n;
    ngx_fd_t    fd;
    ngx_str_t   name, secret;

    name = *value;

    if (name.len == 0) {
        return "it must not be empty";
    }

    if (ngx_conf_full_name(cf->cycle, &name, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    fd = ngx_open_file(name.data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", &name);
        return NGX_CONF_ERROR;
    }

    n = ngx_read_fd(fd, buf, sizeof(buf));

    if (n == -1) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_read_fd_n " \"%V\" failed", &name);
    }

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_ALERT, cf, ngx_errno,
                           ngx_close_file_n " \"%V\" failed", &name);
    }

    if (n == -1) {
        return NGX_CONF_ERROR;
    }

    secret.data = buf;
    secret.len = n;

    while (secret.len && *secret.data <= ' ') {
        secret.data++;
        secret.len--;
    }

    while (secret.len && secret.data[secret.len - 1] <= ' ') {
        secret.len--;
    }

    secret.data = ngx_pstrdup(cf->pool, &secret);
    if (secret.data == NULL) {
        return NGX_CONF_ERROR;
    }

    return ngx_lead_set_secret(cf, &secret, field);
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
           "\"lead.archived\", \"lead.scored\", \"lead.referral\"";
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
