
/*
 * Copyright (C) the ngx_lead authors
 *
 * Reads entity{} of lead_account{}: a kind of lead with fields of its own,
 * which of them find a lead again, and the pipelines it moves through.
 */


#include "ngx_lead_conf.h"


static char *ngx_lead_set_type(ngx_conf_t *cf, ngx_str_t *value, void *field);
static char *ngx_lead_set_options(ngx_conf_t *cf, ngx_str_t *value,
    void *field);
static char *ngx_lead_set_match(ngx_conf_t *cf, ngx_str_t *value,
    void *field);
static char *ngx_lead_set_pipeline(ngx_conf_t *cf, ngx_str_t *value,
    void *field);
static char *ngx_lead_entity_check(ngx_conf_t *cf,
    ngx_lead_entity_field_t *field);
static char *ngx_lead_entity_value(ngx_conf_t *cf,
    ngx_lead_entity_field_t *field, ngx_str_t *value);
static ngx_uint_t ngx_lead_entity_decimal(ngx_str_t *value);
static ngx_lead_entity_t *ngx_lead_entity_current(ngx_conf_t *cf);


typedef struct {
    ngx_lead_entity_t     *entity;
    ngx_uint_t             rank;         /* of the last field of match */
} ngx_lead_match_t;


static ngx_str_t  ngx_lead_types[] = {   /* in the order of the enum */
    ngx_string("text"),
    ngx_string("email"),
    ngx_string("phone"),
    ngx_string("number"),
    ngx_string("date"),
    ngx_string("boolean"),
    ngx_string("select"),
    ngx_string("url"),
    ngx_string("address"),
    ngx_null_string
};


static ngx_lead_param_t  ngx_lead_entity_params[] = {
    { "slug", ngx_lead_set_key, offsetof(ngx_lead_entity_t, slug),
      NGX_LEAD_PARAM_WORD|NGX_LEAD_PARAM_UNIQUE },
    { "id", ngx_lead_set_uuid, offsetof(ngx_lead_entity_t, id),
      NGX_LEAD_PARAM_UNIQUE },
    { "label", ngx_lead_set_text, offsetof(ngx_lead_entity_t, label), 0 },
    ngx_lead_param_null
};


static ngx_lead_param_t  ngx_lead_field_params[] = {
    { "key", ngx_lead_set_key, offsetof(ngx_lead_entity_field_t, key),
      NGX_LEAD_PARAM_WORD|NGX_LEAD_PARAM_UNIQUE },
    { "type", ngx_lead_set_type, offsetof(ngx_lead_entity_field_t, type),
      NGX_LEAD_PARAM_WORD },
    { "label", ngx_lead_set_text, offsetof(ngx_lead_entity_field_t, label),
      0 },
    { "default", ngx_lead_set_text,
      offsetof(ngx_lead_entity_field_t, preset), 0 },
    { "options", ngx_lead_set_options,
      offsetof(ngx_lead_entity_field_t, options), 0 },
    { "min", ngx_lead_set_text, offsetof(ngx_lead_entity_field_t, min), 0 },
    { "max", ngx_lead_set_text, offsetof(ngx_lead_entity_field_t, max), 0 },
    { "required", ngx_lead_set_flag,
      offsetof(ngx_lead_entity_field_t, required), NGX_LEAD_PARAM_FLAG },
    ngx_lead_param_null
};


static ngx_lead_param_t  ngx_lead_match_param = {
    "field", ngx_lead_set_match, 0, NGX_LEAD_PARAM_WORD
};


static ngx_lead_param_t  ngx_lead_entity_pipeline_params[] = {
    { "pipeline", ngx_lead_set_pipeline,
      offsetof(ngx_lead_entity_t, pipelines), NGX_LEAD_PARAM_WORD },
    ngx_lead_param_null
};


char *
ngx_lead_entity_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_lead_entity_t   *entity;
    ngx_lead_account_t  *account;

    account = ngx_lead_account_current(cf);

    entity = ngx_lead_params_push(cf, &account->entities,
                                  sizeof(ngx_lead_entity_t),
                                  ngx_lead_entity_params);

    if (entity == NULL
        || ngx_lead_account_id(cf, &entity->id, "entity", account,
                               &entity->slug)
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (entity->label.len == 0) {
        entity->label = entity->slug;
    }

    if (ngx_lead_account_parse(cf, NGX_LEAD_ENTITY_CONF) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (entity->fields.nelts == 0) {
        return "has no \"field\"";
    }

    return NGX_CONF_OK;
}


static ngx_lead_entity_t *
ngx_lead_entity_current(ngx_conf_t *cf)
{
    ngx_lead_entity_t   *entity;
    ngx_lead_account_t  *account;

    account = ngx_lead_account_current(cf);
    entity = account->entities.elts;

    return &entity[account->entities.nelts - 1];
}


char *
ngx_lead_entity_add_field(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_lead_entity_field_t  *field;

    field = ngx_lead_params_push(cf, &ngx_lead_entity_current(cf)->fields,
                                 sizeof(ngx_lead_entity_field_t),
                                 ngx_lead_field_params);
    if (field == NULL) {
        return NGX_CONF_ERROR;
    }

    if (field->label.len == 0) {
        field->label = field->key;
    }

    return ngx_lead_entity_check(cf, field);
}


/* what the arguments of one field say together */

static char *
ngx_lead_entity_check(ngx_conf_t *cf, ngx_lead_entity_field_t *field)
{
    char        *why;
    ngx_uint_t   i;
    ngx_str_t   *value[3];

    static const char  *names[] = { "default", "min", "max" };

    if (field->type == NGX_LEAD_FIELD_SELECT) {
        if (field->options.nelts == 0) {
            return "of type \"select\" needs \"options=a|b|c\"";
        }

    } else if (field->options.nelts) {
        return "has \"options=\", which only type \"select\" takes";
    }

    if ((field->min.len || field->max.len)
        && field->type != NGX_LEAD_FIELD_NUMBER
        && field->type != NGX_LEAD_FIELD_DATE)
    {
        return "has \"min=\" or \"max=\", which only types \"number\" and "
               "\"date\" take";
    }

    value[0] = &field->preset;
    value[1] = &field->min;
    value[2] = &field->max;

    for (i = 0; i < 3; i++) {
        if (value[i]->len == 0) {
            continue;
        }

        why = ngx_lead_entity_value(cf, field, value[i]);

        if (why) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid value \"%V\" in \"%s=\" of "
                               "\"field %V\": %s",
                               value[i], names[i], &field->key, why);
            return NGX_CONF_ERROR;
        }
    }

    if (field->min.len && field->max.len
        && (field->type == NGX_LEAD_FIELD_NUMBER
            ? strtod((char *) field->min.data, NULL)
              > strtod((char *) field->max.data, NULL)
            : ngx_strcmp(field->min.data, field->max.data) > 0))
    {
        return "has \"min=\" above \"max=\"";
    }

    return NGX_CONF_OK;
}


static char *
ngx_lead_entity_value(ngx_conf_t *cf, ngx_lead_entity_field_t *field,
    ngx_str_t *value)
{
    time_t     time;
    ngx_str_t  text;

    switch (field->type) {

    case NGX_LEAD_FIELD_NUMBER:
        return ngx_lead_entity_decimal(value)
               ? NULL : "it must be a number, as 10 or -2.5";

    case NGX_LEAD_FIELD_DATE:
        if (value->len != sizeof("2026-12-31") - 1
            || ngx_lead_set_time(cf, value, &time) != NULL)
        {
            return "it must be a day, as 2026-12-31";
        }

        return NULL;

    case NGX_LEAD_FIELD_BOOLEAN:
        if (ngx_strcmp(value->data, "true") != 0
            && ngx_strcmp(value->data, "false") != 0)
        {
            return "it must be \"true\" or \"false\"";
        }

        return NULL;

    case NGX_LEAD_FIELD_SELECT:
        return ngx_lead_account_item(&field->options, 0, value->data,
                                     value->len)
               ? NULL : "it must be one of \"options=\"";

    case NGX_LEAD_FIELD_EMAIL:
        return ngx_lead_set_email(cf, value, &text);

    case NGX_LEAD_FIELD_URL:
        return ngx_lead_set_url(cf, value, &text);

    default:
        return NULL;
    }
}


static ngx_uint_t
ngx_lead_entity_decimal(ngx_str_t *value)
{
    u_char      *p, *last;
    ngx_uint_t   digits, dot;

    p = value->data;
    last = p + value->len;
    digits = 0;
    dot = 0;

    if (p < last && *p == '-') {
        p++;
    }

    for ( /* void */ ; p < last; p++) {
        if (*p >= '0' && *p <= '9') {
            digits++;

        } else if (*p != '.' || dot++ || digits == 0 || p + 1 == last) {
            return 0;
        }
    }

    return digits;
}


static char *
ngx_lead_set_type(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    ngx_lead_field_type_e  *type = field;

    ngx_int_t               n;

    n = ngx_lead_param_choice(ngx_lead_types, value);

    if (n != NGX_ERROR) {
        *type = (ngx_lead_field_type_e) n;
        return NULL;
    }

    return "it must be \"text\", \"email\", \"phone\", \"number\", "
           "\"date\", \"boolean\", \"select\", \"url\" or \"address\"";
}


static char *
ngx_lead_set_options(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    return ngx_lead_param_split(cf, value, '|', field, NULL);
}


char *
ngx_lead_entity_add_match(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_str_t                *args;
    ngx_uint_t                i;
    ngx_lead_match_t          match;
    ngx_lead_entity_field_t  *field;

    match.entity = ngx_lead_entity_current(cf);
    match.rank = 0;

    field = match.entity->fields.elts;

    for (i = 0; i < match.entity->fields.nelts; i++) {
        match.rank = ngx_max(match.rank, field[i].match);
    }

    args = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        if (ngx_lead_param_value(cf, &ngx_lead_match_param, &args[i],
                                 &args[i], &match)
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_lead_set_match(ngx_conf_t *cf, ngx_str_t *value, void *data)
{
    ngx_lead_match_t         *match = data;

    ngx_lead_entity_field_t  *field;

    field = ngx_lead_account_item(&match->entity->fields,
                                  offsetof(ngx_lead_entity_field_t, key),
                                  value->data, value->len);
    if (field == NULL) {
        return "no \"field\" above it has this key";
    }

    if (field->match) {
        return "the same is given twice";
    }

    if (field->type == NGX_LEAD_FIELD_BOOLEAN
        || field->type == NGX_LEAD_FIELD_ADDRESS)
    {
        return "a field of this type finds no lead again";
    }

    if (match->rank == LEAD_MATCHES_MAX) {
        return "there are more than 16 of them";
    }

    field->match = ++match->rank;

    return NULL;
}


char *
ngx_lead_entity_add_pipeline(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    return ngx_lead_params(cf, ngx_lead_entity_pipeline_params,
                           ngx_lead_entity_current(cf));
}


static char *
ngx_lead_set_pipeline(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    ngx_array_t           *pipelines = field;

    ngx_uint_t             i;
    ngx_lead_pipeline_t   *pipeline, **used;

    pipeline = ngx_lead_account_item(&ngx_lead_account_current(cf)->pipelines,
                                     offsetof(ngx_lead_pipeline_t, key),
                                     value->data, value->len);
    if (pipeline == NULL) {
        return "no \"pipeline\" of the account above it has this key";
    }

    if (pipelines->elts == NULL
        && ngx_array_init(pipelines, cf->pool, 2,
                          sizeof(ngx_lead_pipeline_t *))
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    used = pipelines->elts;

    for (i = 0; i < pipelines->nelts; i++) {
        if (used[i] == pipeline) {
            return "the same is given twice";
        }
    }

    used = ngx_array_push(pipelines);
    if (used == NULL) {
        return NGX_CONF_ERROR;
    }

    *used = pipeline;

    return NULL;
}
