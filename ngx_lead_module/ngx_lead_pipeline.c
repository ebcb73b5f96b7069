
/*
 * Copyright (C) the ngx_lead authors
 *
 * Reads pipeline{} of lead_account{}: stages in their order.  Keys are unique
 * in a pipeline; numbers and ids in the account, as they are used alone.
 */


#include "ngx_lead_conf.h"


static ngx_int_t ngx_lead_pipeline_stage_id(ngx_conf_t *cf,
    ngx_lead_account_t *account, ngx_lead_pipeline_t *pipeline,
    ngx_lead_stage_t *stage);


static ngx_lead_param_t  ngx_lead_pipeline_params[] = {
    { "key", ngx_lead_set_key, offsetof(ngx_lead_pipeline_t, key),
      NGX_LEAD_PARAM_WORD|NGX_LEAD_PARAM_UNIQUE },
    { "id", ngx_lead_set_uuid, offsetof(ngx_lead_pipeline_t, id),
      NGX_LEAD_PARAM_UNIQUE },
    ngx_lead_param_null
};


static ngx_lead_param_t  ngx_lead_stage_params[] = {
    { "key", ngx_lead_set_key, offsetof(ngx_lead_stage_t, key),
      NGX_LEAD_PARAM_WORD|NGX_LEAD_PARAM_UNIQUE },
    { "id", ngx_lead_set_uuid, offsetof(ngx_lead_stage_t, id), 0 },
    { "number", ngx_lead_set_number, offsetof(ngx_lead_stage_t, number), 0 },
    { "name", ngx_lead_set_text, offsetof(ngx_lead_stage_t, name), 0 },
    { "color", ngx_lead_set_color, offsetof(ngx_lead_stage_t, color), 0 },
    { "default", ngx_lead_set_flag, offsetof(ngx_lead_stage_t, is_default),
      NGX_LEAD_PARAM_FLAG },
    { "terminal", ngx_lead_set_flag, offsetof(ngx_lead_stage_t, terminal),
      NGX_LEAD_PARAM_FLAG },
    ngx_lead_param_null
};


static ngx_lead_param_t  ngx_lead_stage_unique[] = {
    { "id", NULL, offsetof(ngx_lead_stage_t, id), NGX_LEAD_PARAM_UNIQUE },
    { "number", NULL, offsetof(ngx_lead_stage_t, number),
      NGX_LEAD_PARAM_NUMBER },
    ngx_lead_param_null
};


char *
ngx_lead_pipeline_block(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_lead_account_t   *account;
    ngx_lead_pipeline_t  *pipeline;

    account = ngx_lead_account_current(cf);

    pipeline = ngx_lead_params_push(cf, &account->pipelines,
                                    sizeof(ngx_lead_pipeline_t),
                                    ngx_lead_pipeline_params);

    if (pipeline == NULL
        || ngx_lead_account_id(cf, &pipeline->id, "pipeline", account,
                               &pipeline->key)
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (ngx_lead_account_parse(cf, NGX_LEAD_PIPELINE_CONF) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (pipeline->stages.nelts == 0) {
        return "has no \"stage\"";
    }

    return NGX_CONF_OK;
}


char *
ngx_lead_pipeline_add_stage(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_uint_t            i;
    ngx_lead_stage_t     *stage, *stages;
    ngx_lead_account_t   *account;
    ngx_lead_pipeline_t  *pipelines, *pipeline;

    account = ngx_lead_account_current(cf);
    pipelines = account->pipelines.elts;
    pipeline = &pipelines[account->pipelines.nelts - 1];

    stage = ngx_lead_params_push(cf, &pipeline->stages,
                                 sizeof(ngx_lead_stage_t),
                                 ngx_lead_stage_params);

    if (stage == NULL
        || ngx_lead_pipeline_stage_id(cf, account, pipeline, stage) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (stage->name.len == 0) {
        stage->name = stage->key;
    }

    for (i = 0; i < account->pipelines.nelts; i++) {
        if (ngx_lead_params_unique(cf, &pipelines[i].stages,
                                   ngx_lead_stage_unique, stage)
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    stages = pipeline->stages.elts;

    for (i = 0; stage->is_default && i < pipeline->stages.nelts - 1; i++) {
        if (stages[i].is_default) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate \"default\" in \"stage %V\": "
                               "\"stage %V\" has it already",
                               &stage->key, &stages[i].key);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_lead_pipeline_stage_id(ngx_conf_t *cf, ngx_lead_account_t *account,
    ngx_lead_pipeline_t *pipeline, ngx_lead_stage_t *stage)
{
    u_char     buf[2 * LEAD_NAME_MAX + 1];
    ngx_str_t  path;

    path.data = buf;
    path.len = ngx_snprintf(buf, sizeof(buf), "%V/%V", &pipeline->key,
                            &stage->key)
               - buf;

    return ngx_lead_account_id(cf, &stage->id, "stage", account, &path);
}
