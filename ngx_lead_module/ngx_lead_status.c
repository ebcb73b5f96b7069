
/*
 * Copyright (C) the ngx_lead authors
 *
 * What an operator sees: counters in shared memory, the $lead_* variables
 * for log_format, and the status page.  None shows a key or personal data.
 */


#include "ngx_lead.h"


static ngx_int_t ngx_lead_status_init_zone(ngx_shm_zone_t *zone, void *data);
static ngx_int_t ngx_lead_status_handler(ngx_http_request_t *r);
static ngx_int_t ngx_lead_status_json(ngx_http_request_t *r, ngx_str_t *out);
static void ngx_lead_status_store(ngx_lead_json_gen_t *gen,
    ngx_lead_json_t *root, ngx_lead_worker_t *w);
static void ngx_lead_status_webhooks(ngx_lead_json_gen_t *gen,
    ngx_lead_json_t *root, ngx_lead_main_conf_t *lmcf);
static int ngx_lead_status_sink(void *ctx, const lead_endpoint_t *info);
static void ngx_lead_status_endpoint(ngx_lead_json_gen_t *gen,
    ngx_lead_json_t *list, ngx_lead_worker_t *w, lead_endpoint_t *info);
static void ngx_lead_status_account(ngx_lead_json_gen_t *gen,
    ngx_lead_json_t *node, ngx_lead_worker_t *w, lead_endpoint_t *info);
static void ngx_lead_status_time(ngx_lead_json_gen_t *gen,
    ngx_lead_json_t *node, const char *name, int64_t time);
static ngx_int_t ngx_lead_status_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static void ngx_lead_status_result(ngx_lead_ctx_t *ctx, ngx_str_t *value);


typedef enum {
    NGX_LEAD_VAR_ID = 0,
    NGX_LEAD_VAR_DIALECT,
    NGX_LEAD_VAR_ACCOUNT,
    NGX_LEAD_VAR_KEY_ID,
    NGX_LEAD_VAR_RESULT,
    NGX_LEAD_VAR_STORE_TIME
} ngx_lead_variable_e;


typedef struct {
    ngx_array_t            endpoints;        /* of lead_endpoint_t */
    unsigned               failed:1;
} ngx_lead_status_list_t;


static ngx_str_t  ngx_lead_states[] = {      /* in the order of the enum */
    ngx_string("enabled"),
    ngx_string("disabled"),
    ngx_string("gone"),
    ngx_string("failing")
};


static ngx_http_variable_t  ngx_lead_variables[] = {

    { ngx_string("lead_id"), NULL, ngx_lead_status_variable,
      NGX_LEAD_VAR_ID, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("lead_dialect"), NULL, ngx_lead_status_variable,
      NGX_LEAD_VAR_DIALECT, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("lead_account"), NULL, ngx_lead_status_variable,
      NGX_LEAD_VAR_ACCOUNT, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("lead_key_id"), NULL, ngx_lead_status_variable,
      NGX_LEAD_VAR_KEY_ID, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("lead_request"), NULL, ngx_lead_log_variable,
      0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("lead_result"), NULL, ngx_lead_status_variable,
      NGX_LEAD_VAR_RESULT, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("lead_store_time"), NULL, ngx_lead_status_variable,
      NGX_LEAD_VAR_STORE_TIME, NGX_HTTP_VAR_NOCACHEABLE, 0 },

      ngx_http_null_variable
};


ngx_int_t
ngx_lead_status_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_lead_variables; v->name.len; v++) {
        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


ngx_int_t
ngx_lead_status_zone(ngx_conf_t *cf, ngx_lead_main_conf_t *lmcf)
{
    ngx_shm_zone_t  *zone;

    static ngx_str_t  name = ngx_string("ngx_lead:" NGX_LEAD_VERSION);

    zone = ngx_shared_memory_add(cf, &name, 8 * ngx_pagesize,
                                 &ngx_lead_module);
    if (zone == NULL) {
        return NGX_ERROR;
    }

    zone->init = ngx_lead_status_init_zone;
    zone->data = lmcf;

    return NGX_OK;
}


static ngx_int_t
ngx_lead_status_init_zone(ngx_shm_zone_t *zone, void *data)
{
    ngx_slab_pool_t       *shpool;
    ngx_lead_main_conf_t  *lmcf, *old;

    lmcf = zone->data;
    old = data;

    if (old) {
        lmcf->counters = old->counters;
        lmcf->wake = old->wake;
        return NGX_OK;
    }

    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    if (zone->shm.exists) {
        lmcf->counters = shpool->data;
        return NGX_OK;
    }

    lmcf->counters = ngx_slab_calloc(shpool, sizeof(ngx_lead_counters_t));
    if (lmcf->counters == NULL) {
        return NGX_ERROR;
    }

    shpool->data = lmcf->counters;

    return NGX_OK;
}


char *
ngx_lead_status(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_lead_loc_conf_t       *llcf = conf;

    ngx_str_t                 *value;
    ngx_http_core_loc_conf_t  *clcf;

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "json") != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%V\" in \"lead_status\": "
                           "only \"json\" is known", &value[1]);
        return NGX_CONF_ERROR;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->handler) {
        return "is in a location that has another handler";
    }

    clcf->handler = ngx_lead_status_handler;
    llcf->status = 1;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_lead_status_handler(ngx_http_request_t *r)
{
    ngx_int_t     rc;
    ngx_str_t     text;
    ngx_buf_t    *b;
    ngx_chain_t   out;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_lead_status_json(r, &text) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->pos = text.data;
    b->last = text.data + text.len;
    b->memory = 1;
    b->last_buf = 1;
    b->last_in_chain = 1;

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = text.len;
    ngx_str_set(&r->headers_out.content_type, "application/json");
    r->headers_out.content_type_len = r->headers_out.content_type.len;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


static ngx_int_t
ngx_lead_status_json(ngx_http_request_t *r, ngx_str_t *out)
{
    ngx_lead_json_t       *root, *node;
    ngx_lead_json_gen_t    gen;
    ngx_lead_counters_t   *n;
    ngx_lead_main_conf_t  *lmcf;

    lmcf = ngx_http_get_module_main_conf(r, ngx_lead_module);
    n = lmcf->counters;

    gen.pool = r->pool;
    gen.failed = 0;

    root = ngx_lead_json_add(&gen, NULL, NULL, NGX_LEAD_JSON_OBJECT);

    node = ngx_lead_json_add(&gen, root, "requests", NGX_LEAD_JSON_OBJECT);
    ngx_lead_json_add_int(&gen, node, "total", n->requests);
    ngx_lead_json_add_int(&gen, node, "created", n->created);
    ngx_lead_json_add_int(&gen, node, "updated", n->updated);
    ngx_lead_json_add_int(&gen, node, "replayed", n->replayed);
    ngx_lead_json_add_int(&gen, node, "rejected", n->rejected);
    ngx_lead_json_add_int(&gen, node, "unavailable", n->unavailable);

    node = ngx_lead_json_add(&gen, root, "commits", NGX_LEAD_JSON_OBJECT);
    ngx_lead_json_add_int(&gen, node, "total", n->batches);
    ngx_lead_json_add_int(&gen, node, "failed", n->commit_errors);
    ngx_lead_json_add_int(&gen, node, "microseconds", n->commit_usec);

    ngx_lead_status_store(&gen, root, lmcf->worker);
    ngx_lead_status_webhooks(&gen, root, lmcf);

    if (gen.failed) {
        return NGX_ERROR;
    }

    return ngx_lead_json_print(r->pool, root, out);
}


static void
ngx_lead_status_store(ngx_lead_json_gen_t *gen, ngx_lead_json_t *root,
    ngx_lead_worker_t *w)
{
    lead_stat_t       st;
    lead_error_t      error;
    ngx_lead_json_t  *node;

    node = ngx_lead_json_add(gen, root, "store", NGX_LEAD_JSON_OBJECT);

    if (w == NULL || w->store == NULL
        || lead_store_stat(w->store, &st, &error) != LEAD_OK)
    {
        ngx_lead_json_add_bool(gen, node, "open", 0);
        return;
    }

    ngx_lead_json_add_bool(gen, node, "open", 1);
    ngx_lead_json_add_int(gen, node, "leads", st.leads);
    ngx_lead_json_add_int(gen, node, "events", st.events);
    ngx_lead_json_add_int(gen, node, "outbox", st.outbox);
    ngx_lead_json_add_int(gen, node, "idempotency", st.idempotency);
    ngx_lead_json_add_int(gen, node, "size", st.size);
    ngx_lead_json_add_int(gen, node, "used", st.used);
    ngx_lead_json_add_int(gen, node, "free", st.free);
}


static void
ngx_lead_status_webhooks(ngx_lead_json_gen_t *gen, ngx_lead_json_t *root,
    ngx_lead_main_conf_t *lmcf)
{
    ngx_uint_t               i;
    lead_error_t             error;
    lead_endpoint_t         *info;
    ngx_lead_json_t         *node, *list;
    ngx_lead_worker_t       *w;
    ngx_lead_counters_t     *n;
    ngx_lead_status_list_t   found;

    n = lmcf->counters;

    node = ngx_lead_json_add(gen, root, "webhooks", NGX_LEAD_JSON_OBJECT);
    ngx_lead_json_add_int(gen, node, "attempts", n->attempts);
    ngx_lead_json_add_int(gen, node, "delivered", n->delivered);
    ngx_lead_json_add_int(gen, node, "failed_attempts",
                          ngx_max((int64_t) (n->attempts - n->delivered), 0));
    ngx_lead_json_add_int(gen, node, "retried", n->retried);
    ngx_lead_json_add_int(gen, node, "given_up", n->given_up);
    ngx_lead_json_add_int(gen, node, "disabled", n->disabled);

    w = lmcf->worker;
    found.failed = 0;

    if (ngx_array_init(&found.endpoints, gen->pool, 8, sizeof(lead_endpoint_t))
        != NGX_OK)
    {
        gen->failed = 1;
        return;
    }

    if (w == NULL || w->store == NULL
        || lead_store_endpoints(w->store, 0, ngx_lead_status_sink, &found,
                                &error)
           != LEAD_OK)
    {
        ngx_lead_json_add(gen, node, "endpoints", NGX_LEAD_JSON_NULL);
        return;
    }

    if (found.failed) {
        gen->failed = 1;
        return;
    }

    list = ngx_lead_json_add(gen, node, "endpoints", NGX_LEAD_JSON_ARRAY);
    info = found.endpoints.elts;

    for (i = 0; i < found.endpoints.nelts; i++) {
        ngx_lead_status_endpoint(gen, list, w, &info[i]);
    }
}


static int
ngx_lead_status_sink(void *ctx, const lead_endpoint_t *info)
{
    ngx_lead_status_list_t  *found = ctx;

    lead_endpoint_t         *endpoint;

    endpoint = ngx_array_push(&found->endpoints);
    if (endpoint == NULL) {
        found->failed = 1;
        return 1;
    }

    *endpoint = *info;

    return 0;
}


static void
ngx_lead_status_endpoint(ngx_lead_json_gen_t *gen, ngx_lead_json_t *list,
    ngx_lead_worker_t *w, lead_endpoint_t *info)
{
    int64_t           now, lag;
    ngx_str_t         name;
    ngx_lead_json_t  *node;

    now = (int64_t) ngx_time() * 1000000;
    lag = (info->due < now) ? (now - info->due) / 1000000 : 0;

    name.data = (u_char *) info->name;
    name.len = ngx_strlen(info->name);

    node = ngx_lead_json_add(gen, list, NULL, NGX_LEAD_JSON_OBJECT);

    ngx_lead_status_account(gen, node, w, info);

    ngx_lead_json_add_str(gen, node, "name", &name);
    ngx_lead_json_add_str(gen, node, "state",
                          &ngx_lead_states[info->state
                                           % (LEAD_ENDPOINT_FAILING + 1)]);
    ngx_lead_json_add_int(gen, node, "pending", info->pending);
    ngx_lead_json_add_int(gen, node, "failed", info->failed);
    ngx_lead_json_add_int(gen, node, "delivered", info->delivered);
    ngx_lead_status_time(gen, node, "failing_since", info->failing);
    ngx_lead_json_add_int(gen, node, "lag", lag);
}


/* also of what the configuration no longer has */

static void
ngx_lead_status_account(ngx_lead_json_gen_t *gen, ngx_lead_json_t *node,
    ngx_lead_worker_t *w, lead_endpoint_t *info)
{
    char                *name;
    ngx_str_t            value;
    ngx_uint_t           i, configured;
    lead_error_t         error;
    ngx_lead_account_t  *account;
    ngx_lead_webhook_t  *webhook;

    account = (info->account < w->naccounts) ? w->by_number[info->account]
                                             : NULL;
    configured = 0;

    if (account) {
        value = account->name;
        webhook = account->webhooks.elts;

        for (i = 0; i < account->webhooks.nelts; i++) {
            if (w->endpoints[webhook[i].index] == info->endpoint) {
                configured = 1;
                break;
            }
        }

    } else {
        name = ngx_pcalloc(gen->pool, LEAD_NAME_MAX + 1);
        if (name == NULL) {
            gen->failed = 1;
            return;
        }

        (void) lead_store_account_name(w->store, info->account, name, &error);

        value.data = (u_char *) name;
        value.len = ngx_strlen(name);
    }

    ngx_lead_json_add_str(gen, node, "account", &value);
    ngx_lead_json_add_bool(gen, node, "configured", configured);
}


static void
ngx_lead_status_time(ngx_lead_json_gen_t *gen, ngx_lead_json_t *node,
    const char *name, int64_t time)
{
    u_char     *p;
    ngx_tm_t    tm;
    ngx_str_t   text;

    if (time == 0) {
        ngx_lead_json_add(gen, node, name, NGX_LEAD_JSON_NULL);
        return;
    }

    p = ngx_pnalloc(gen->pool, sizeof("1970-01-01T00:00:00Z") - 1);
    if (p == NULL) {
        gen->failed = 1;
        return;
    }

    ngx_gmtime((time_t) (time / 1000000), &tm);

    text.data = p;
    text.len = ngx_sprintf(p, "%4d-%02d-%02dT%02d:%02d:%02dZ",
                           tm.ngx_tm_year, tm.ngx_tm_mon, tm.ngx_tm_mday,
                           tm.ngx_tm_hour, tm.ngx_tm_min, tm.ngx_tm_sec)
               - p;

    ngx_lead_json_add_str(gen, node, name, &text);
}


static ngx_int_t
ngx_lead_status_variable(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    u_char          *p;
    ngx_str_t        value;
    ngx_lead_ctx_t  *ctx;

    ngx_str_null(&value);

    ctx = ngx_http_get_module_ctx(r, ngx_lead_module);

    if (ctx == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    switch (data) {

    case NGX_LEAD_VAR_ID:
        value.data = ctx->lead_id;
        value.len = ngx_strlen(ctx->lead_id);
        break;

    case NGX_LEAD_VAR_DIALECT:
        value = ctx->call.dialect->name;
        break;

    case NGX_LEAD_VAR_ACCOUNT:
        if (ctx->call.account) {
            value = ctx->call.account->name;
        }

        break;

    case NGX_LEAD_VAR_KEY_ID:
        value.data = (u_char *) ctx->call.key.id;
        value.len = ngx_strlen(ctx->call.key.id);
        break;

    case NGX_LEAD_VAR_RESULT:
        ngx_lead_status_result(ctx, &value);
        break;

    case NGX_LEAD_VAR_STORE_TIME:
        if (ctx->usec == 0) {
            break;
        }

        p = ngx_pnalloc(r->pool, NGX_INT_T_LEN + sizeof(".000000"));
        if (p == NULL) {
            return NGX_ERROR;
        }

        value.data = p;
        value.len = ngx_sprintf(p, "%ui.%06ui", ctx->usec / 1000000,
                                ctx->usec % 1000000)
                    - p;
        break;
    }

    if (value.len == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->len = value.len;
    v->data = value.data;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


static void
ngx_lead_status_result(ngx_lead_ctx_t *ctx, ngx_str_t *value)
{
    lead_op_t  *op;

    if (ctx->call.fault.kind != NGX_LEAD_FAULT_NONE) {
        if (ctx->call.status >= NGX_HTTP_INTERNAL_SERVER_ERROR) {
            ngx_str_set(value, "failed");

        } else {
            ngx_str_set(value, "rejected");
        }

        return;
    }

    op = ctx->call.nops ? ctx->call.ops[0] : &ctx->call.op;

    switch (op->outcome) {

    case LEAD_INSERTED:
        ngx_str_set(value, "created");
        break;

    case LEAD_UPDATED:
        ngx_str_set(value, "updated");
        break;

    case LEAD_KEPT:
        ngx_str_set(value, "unchanged");
        break;

    case LEAD_REPLAYED:
        ngx_str_set(value, "replayed");
        break;

    default:
        ngx_str_set(value, "read");
    }
}
