
/*
 * Copyright (C) the ngx_lead authors
 *
 * Reads lead_account{} and the directives in it that are one line.  What is
 * referred to stands above what refers to it, so that every mistake is found
 * in its own line.
 *
 * Arrays move while they grow: pointers from one to another are taken again
 * when the block is closed.
 */


#include "ngx_lead_conf.h"


static char *ngx_lead_set_key_optional(ngx_conf_t *cf, ngx_str_t *value,
    void *field);
static char *ngx_lead_set_assignee(ngx_conf_t *cf, ngx_str_t *value,
    void *field);
static char *ngx_lead_set_source(ngx_conf_t *cf, ngx_str_t *value,
    void *field);
static char *ngx_lead_set_source_field(ngx_conf_t *cf, ngx_str_t *value,
    void *field);
static char *ngx_lead_set_data_key(ngx_conf_t *cf, ngx_str_t *value,
    void *field);
static char *ngx_lead_account_campaign_number(ngx_conf_t *cf,
    ngx_lead_main_conf_t *lmcf, ngx_lead_campaign_t *campaign);
static void ngx_lead_account_close(ngx_lead_account_t *account);


/* a lead's own fields, as sources send them */

static ngx_str_t  ngx_lead_core_fields[] = {
    ngx_string("firstName"),
    ngx_string("lastName"),
    ngx_string("email"),
    ngx_string("phone"),
    ngx_string("externalId"),
    ngx_null_string
};


static ngx_lead_param_t  ngx_lead_account_params[] = {
    { "name", ngx_lead_set_key, offsetof(ngx_lead_account_t, name),
      NGX_LEAD_PARAM_WORD|NGX_LEAD_PARAM_UNIQUE },
    ngx_lead_param_null
};


static ngx_lead_param_t  ngx_lead_tenant_params[] = {
    { "number", ngx_lead_set_number, offsetof(ngx_lead_account_t, tenant),
      NGX_LEAD_PARAM_WORD|NGX_LEAD_PARAM_NUMBER },
    ngx_lead_param_null
};


static ngx_lead_param_t  ngx_lead_region_params[] = {
    { "country", ngx_lead_set_country, offsetof(ngx_lead_account_t, region),
      NGX_LEAD_PARAM_WORD },
    ngx_lead_param_null
};


static ngx_lead_param_t  ngx_lead_user_params[] = {
    { "id", ngx_lead_set_uuid, offsetof(ngx_lead_user_t, id),
      NGX_LEAD_PARAM_WORD|NGX_LEAD_PARAM_UNIQUE },
    { "number", ngx_lead_set_number, offsetof(ngx_lead_user_t, number),
      NGX_LEAD_PARAM_NUMBER },
    { "email", ngx_lead_set_email, offsetof(ngx_lead_user_t, email),
      NGX_LEAD_PARAM_UNIQUE },
    { "name", ngx_lead_set_text, offsetof(ngx_lead_user_t, name), 0 },
    ngx_lead_param_null
};


static ngx_lead_param_t  ngx_lead_campaign_params[] = {
    { "name", ngx_lead_set_key, offsetof(ngx_lead_campaign_t, name),
      NGX_LEAD_PARAM_WORD|NGX_LEAD_PARAM_UNIQUE },
    { "number", ngx_lead_set_number, offsetof(ngx_lead_campaign_t, number),
      NGX_LEAD_PARAM_NUMBER },
    { "label", ngx_lead_set_text, offsetof(ngx_lead_campaign_t, label), 0 },
    { "url", ngx_lead_set_url, offsetof(ngx_lead_campaign_t, url), 0 },
    { "thanks_url", ngx_lead_set_url,
      offsetof(ngx_lead_campaign_t, thanks_url), 0 },
    { "ends", ngx_lead_set_time, offsetof(ngx_lead_campaign_t, ends), 0 },
    { "ended", ngx_lead_set_flag, offsetof(ngx_lead_campaign_t, ended),
      NGX_LEAD_PARAM_FLAG },
    { "key", ngx_lead_set_key_optional,
      offsetof(ngx_lead_campaign_t, key_optional), 0 },
    ngx_lead_param_null
};


static ngx_lead_param_t  ngx_lead_source_params[] = {
    { "key", ngx_lead_set_key, offsetof(ngx_lead_source_t, key),
      NGX_LEAD_PARAM_WORD|NGX_LEAD_PARAM_UNIQUE },
    { "id", ngx_lead_set_uuid, offsetof(ngx_lead_source_t, id),
      NGX_LEAD_PARAM_UNIQUE },
    { "number", ngx_lead_set_number, offsetof(ngx_lead_source_t, number),
      NGX_LEAD_PARAM_NUMBER },
    { "name", ngx_lead_set_text, offsetof(ngx_lead_source_t, name), 0 },
    { "external_id", ngx_lead_set_text,
      offsetof(ngx_lead_source_t, external_id), NGX_LEAD_PARAM_UNIQUE },
    { "assignee", ngx_lead_set_assignee,
      offsetof(ngx_lead_source_t, assignee), 0 },
    { "disabled", ngx_lead_set_flag, offsetof(ngx_lead_source_t, disabled),
      NGX_LEAD_PARAM_FLAG },
    ngx_lead_param_null
};


typedef struct {
    ngx_lead_source_t       *source;
    ngx_lead_source_field_t  to;
} ngx_lead_source_mapping_t;


static ngx_lead_param_t  ngx_lead_source_field_params[] = {
    { "source", ngx_lead_set_source,
      offsetof(ngx_lead_source_mapping_t, source), NGX_LEAD_PARAM_WORD },
    { "field", ngx_lead_set_source_field,
      offsetof(ngx_lead_source_mapping_t, to.field), NGX_LEAD_PARAM_WORD },
    { "path", ngx_lead_set_path,
      offsetof(ngx_lead_source_mapping_t, to.path), NGX_LEAD_PARAM_WORD },
    ngx_lead_param_null
};


static ngx_lead_param_t  ngx_lead_source_field_unique[] = {
    { "field", NULL, offsetof(ngx_lead_source_field_t, field),
      NGX_LEAD_PARAM_UNIQUE },
    ngx_lead_param_null
};


static ngx_lead_param_t  ngx_lead_data_params[] = {
    { "key", ngx_lead_set_data_key, offsetof(ngx_lead_data_t, key),
      NGX_LEAD_PARAM_WORD|NGX_LEAD_PARAM_UNIQUE },
    ngx_lead_param_null
};


static ngx_lead_param_t  ngx_lead_country_params[] = {
    { "number", ngx_lead_set_number, offsetof(ngx_lead_country_t, number),
      NGX_LEAD_PARAM_WORD|NGX_LEAD_PARAM_NUMBER },
    { "country", ngx_lead_set_country, offsetof(ngx_lead_country_t, code),
      NGX_LEAD_PARAM_WORD },
    ngx_lead_param_null
};


char *
ngx_lead_account_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_lead_main_conf_t  *lmcf = conf;

    ngx_lead_account_t    *account;

    account = ngx_lead_params_push(cf, &lmcf->accounts,
                                   sizeof(ngx_lead_account_t),
                                   ngx_lead_account_params);
    if (account == NULL) {
        return NGX_CONF_ERROR;
    }

    account->index = lmcf->accounts.nelts - 1;

    if (ngx_lead_account_parse(cf, NGX_LEAD_ACCOUNT_CONF) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    ngx_lead_account_close(account);

    return NGX_CONF_OK;
}


ngx_lead_account_t *
ngx_lead_account_current(ngx_conf_t *cf)
{
    ngx_lead_account_t    *account;
    ngx_lead_main_conf_t  *lmcf;

    lmcf = ngx_http_conf_get_module_main_conf(cf, ngx_lead_module);
    account = lmcf->accounts.elts;

    return &account[lmcf->accounts.nelts - 1];
}


char *
ngx_lead_account_parse(ngx_conf_t *cf, ngx_uint_t context)
{
    char        *rv;
    ngx_conf_t   save;

    save = *cf;
    cf->cmd_type = context;

    rv = ngx_conf_parse(cf, NULL);

    *cf = save;

    return rv;
}


static void
ngx_lead_account_close(ngx_lead_account_t *account)
{
    ngx_uint_t             i, j;
    ngx_lead_entity_t     *entity;
    ngx_lead_source_t     *source;
    ngx_lead_pipeline_t  **used;

    if (account->region[0] == '\0') {
        account->region[0] = 'U';
        account->region[1] = 'S';
    }

    source = account->sources.elts;

    for (i = 0; i < account->sources.nelts; i++) {
        if (source[i].assignee) {
            source[i].assignee = ngx_lead_account_user(account,
                                                     &source[i].assignee->id);
        }
    }

    entity = account->entities.elts;

    for (i = 0; i < account->entities.nelts; i++) {
        used = entity[i].pipelines.elts;

        for (j = 0; j < entity[i].pipelines.nelts; j++) {
            used[j] = ngx_lead_account_item(&account->pipelines,
                                       offsetof(ngx_lead_pipeline_t, key),
                                       used[j]->key.data, used[j]->key.len);
        }
    }
}


char *
ngx_lead_account_tenant(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_lead_main_conf_t  *lmcf = conf;

    ngx_lead_account_t    *account;

    account = ngx_lead_account_current(cf);

    if (account->tenant) {
        return "is duplicate";
    }

    if (ngx_lead_params(cf, ngx_lead_tenant_params, account) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    return ngx_lead_params_unique(cf, &lmcf->accounts, ngx_lead_tenant_params,
                                  account);
}


char *
ngx_lead_account_region(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_lead_account_t  *account;

    account = ngx_lead_account_current(cf);

    if (account->region[0]) {
        return "is duplicate";
    }

    return ngx_lead_params(cf, ngx_lead_region_params, account);
}


char *
ngx_lead_account_add_user(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return ngx_lead_params_push(cf, &ngx_lead_account_current(cf)->users,
                                sizeof(ngx_lead_user_t), ngx_lead_user_params)
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


char *
ngx_lead_account_add_country(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return ngx_lead_params_push(cf, &ngx_lead_account_current(cf)->countries,
                                sizeof(ngx_lead_country_t),
                                ngx_lead_country_params)
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


char *
ngx_lead_account_add_campaign(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_lead_campaign_t  *campaign;

    campaign = ngx_lead_params_push(cf,
                                    &ngx_lead_account_current(cf)->campaigns,
                                    sizeof(ngx_lead_campaign_t),
                                    ngx_lead_campaign_params);
    if (campaign == NULL) {
        return NGX_CONF_ERROR;
    }

    if (campaign->ended && campaign->ends) {
        return "has both \"ended\" and \"ends=\", give one of them";
    }

    return ngx_lead_account_campaign_number(cf, conf, campaign);
}


/* a campaign's number stands alone in a path, so no two accounts share one */

static char *
ngx_lead_account_campaign_number(ngx_conf_t *cf, ngx_lead_main_conf_t *lmcf,
    ngx_lead_campaign_t *campaign)
{
    ngx_uint_t            i, j;
    ngx_lead_account_t   *account;
    ngx_lead_campaign_t  *other;

    if (campaign->number == 0) {
        return NGX_CONF_OK;
    }

    account = lmcf->accounts.elts;

    for (i = 0; i < lmcf->accounts.nelts - 1; i++) {
        other = account[i].campaigns.elts;

        for (j = 0; j < account[i].campaigns.nelts; j++) {
            if (other[j].number == campaign->number) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "duplicate number in \"campaign %V\": "
                                   "\"campaign %V\" of \"lead_account %V\" "
                                   "has it already",
                                   &campaign->name, &other[j].name,
                                   &account[i].name);
                return NGX_CONF_ERROR;
            }
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_lead_set_key_optional(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    ngx_flag_t  *optional = field;

    if (ngx_strcmp(value->data, "optional") == 0) {
        *optional = 1;
        return NULL;
    }

    return "it can only be \"optional\"";
}


char *
ngx_lead_account_add_source(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_lead_source_t   *source;
    ngx_lead_account_t  *account;

    account = ngx_lead_account_current(cf);

    source = ngx_lead_params_push(cf, &account->sources,
                                  sizeof(ngx_lead_source_t),
                                  ngx_lead_source_params);
    if (source == NULL) {
        return NGX_CONF_ERROR;
    }

    if (source->name.len == 0) {
        source->name = source->key;
    }

    if (ngx_lead_account_id(cf, &source->id, "source", account, &source->key)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_lead_set_assignee(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    ngx_lead_user_t     **assignee = field;

    ngx_lead_account_t   *account;

    account = ngx_lead_account_current(cf);
    ngx_strlow(value->data, value->data, value->len);

    *assignee = ngx_lead_account_user(account, value);

    if (*assignee == NULL) {
        *assignee = ngx_lead_account_item(&account->users,
                                          offsetof(ngx_lead_user_t, email),
                                          value->data, value->len);
    }

    return *assignee ? NULL
                     : "no \"user\" above it has this id or e-mail address";
}


char *
ngx_lead_account_add_source_field(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_array_t                *fields;
    ngx_lead_source_field_t    *field;
    ngx_lead_source_mapping_t   mapping;

    if (ngx_lead_params(cf, ngx_lead_source_field_params, &mapping)
        != NGX_CONF_OK)
    {
        return NGX_CONF_ERROR;
    }

    fields = &mapping.source->fields;

    if (fields->elts == NULL
        && ngx_array_init(fields, cf->pool, 4,
                          sizeof(ngx_lead_source_field_t))
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    field = ngx_array_push(fields);
    if (field == NULL) {
        return NGX_CONF_ERROR;
    }

    *field = mapping.to;

    return ngx_lead_params_unique(cf, fields, ngx_lead_source_field_unique,
                                  field);
}


static char *
ngx_lead_set_source(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    ngx_lead_source_t  **source = field;

    *source = ngx_lead_account_source(ngx_lead_account_current(cf),
                                      value->data, value->len);

    return *source ? NULL : "no \"source\" above it has this key";
}


static char *
ngx_lead_set_source_field(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    ngx_str_t  *name = field;

    if (ngx_lead_param_choice(ngx_lead_core_fields, value) == NGX_ERROR
        && ngx_lead_account_data(ngx_lead_account_current(cf), value->data,
                                 value->len)
           == NULL)
    {
        return "it must be \"firstName\", \"lastName\", \"email\", "
               "\"phone\", \"externalId\" or the key of a \"data\" above it";
    }

    *name = *value;

    return NULL;
}


char *
ngx_lead_account_add_data(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t         *args;
    ngx_uint_t         i, n;
    ngx_lead_data_t   *data;
    ngx_lead_param_t   value;

    /* the key is read by the table, its values are one list */

    n = cf->args->nelts;
    cf->args->nelts = 2;

    data = ngx_lead_params_push(cf, &ngx_lead_account_current(cf)->data,
                                sizeof(ngx_lead_data_t), ngx_lead_data_params);
    cf->args->nelts = n;

    if (data == NULL) {
        return NGX_CONF_ERROR;
    }

    value.name = "value";
    value.set = ngx_lead_set_value;
    value.flags = NGX_LEAD_PARAM_WORD;

    args = cf->args->elts;

    for (i = 2; i < n; i++) {
        if (ngx_lead_param_value(cf, &value, &args[i], &args[i],
                                 &data->values)
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_lead_set_data_key(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    if (ngx_lead_param_choice(ngx_lead_core_fields, value) != NGX_ERROR) {
        return "it is a field every lead has";
    }

    return ngx_lead_set_key(cf, value, field);
}
