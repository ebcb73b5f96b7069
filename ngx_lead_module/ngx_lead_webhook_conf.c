
/*
 * Copyright (C) the ngx_lead authors
 *
 * Directives lead_webhook_* of http{}, and what each webhook needs of http{}
 * once all of it has been read: a resolver, the networks allowed, and a
 * warning where leads would not arrive or be read on the way.
 *
 * Nothing is resolved and nobody is connected to here.  All memory is the
 * configuration's.
 */


#include "ngx_lead_conf.h"
#include "ngx_lead_http_client.h"


#define NGX_LEAD_SCHEDULE_MAX      32

#define NGX_LEAD_KEEP              (LEAD_KEEP_DEFAULT / 1000000)
#define NGX_LEAD_KEEP_FAILED       (LEAD_KEEP_FAILED_DEFAULT / 1000000)
#define NGX_LEAD_DISABLE           (5 * 86400)


static char *ngx_lead_webhook_list(ngx_conf_t *cf, ngx_array_t **array,
    size_t size, ngx_lead_param_t *param);
static ngx_int_t ngx_lead_webhook_steps(ngx_conf_t *cf,
    ngx_lead_main_conf_t *lmcf);
static ngx_resolver_t *ngx_lead_webhook_resolver(
    ngx_http_core_loc_conf_t *clcf);
static char *ngx_lead_webhook_complete(ngx_conf_t *cf,
    ngx_lead_main_conf_t *lmcf, ngx_lead_webhook_t *webhook);
static void ngx_lead_webhook_warn(ngx_conf_t *cf,
    ngx_lead_webhook_t *webhook);
static ngx_uint_t ngx_lead_webhook_local(ngx_str_t *host);
static void ngx_lead_webhook_debug(ngx_conf_t *cf,
    ngx_lead_webhook_t *webhook);
static void ngx_lead_webhook_debug_all(ngx_conf_t *cf,
    ngx_lead_main_conf_t *lmcf);


static ngx_lead_param_t  ngx_lead_allow_param = {
    "network", ngx_lead_set_cidr, 0, NGX_LEAD_PARAM_WORD
};


static ngx_lead_param_t  ngx_lead_schedule_param = {
    "time", ngx_lead_set_delay, 0, NGX_LEAD_PARAM_WORD
};


static ngx_lead_param_t  ngx_lead_keep_params[] = {
    { "time", ngx_lead_set_keep, offsetof(ngx_lead_main_conf_t, webhook_keep),
      NGX_LEAD_PARAM_WORD },
    { "failed", ngx_lead_set_keep,
      offsetof(ngx_lead_main_conf_t, webhook_keep_failed), 0 },
    ngx_lead_param_null
};


static ngx_lead_param_t  ngx_lead_disable_params[] = {
    { "time", ngx_lead_set_disable,
      offsetof(ngx_lead_main_conf_t, webhook_disable), NGX_LEAD_PARAM_WORD },
    ngx_lead_param_null
};


/* 0 5s 5m 30m 2h 5h 10h 14h 20h 24h */

static time_t  ngx_lead_schedule[] = {
    0, 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400
};


char *
ngx_lead_webhook_allow(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_lead_main_conf_t  *lmcf = conf;

    return ngx_lead_webhook_list(cf, &lmcf->webhook_allow, sizeof(ngx_cidr_t),
                                 &ngx_lead_allow_param);
}


char *
ngx_lead_webhook_schedule(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_lead_main_conf_t  *lmcf = conf;

    char        *rv;
    ngx_msec_t  *first;

    if (lmcf->webhook_schedule) {
        return "is duplicate";
    }

    if (cf->args->nelts - 1 > NGX_LEAD_SCHEDULE_MAX) {
        return "has more than 32 times";
    }

    rv = ngx_lead_webhook_list(cf, &lmcf->webhook_schedule,
                               sizeof(ngx_msec_t), &ngx_lead_schedule_param);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    first = lmcf->webhook_schedule->elts;

    return *first ? "begins with the first attempt, which is made at once: "
                    "use \"0\", and behind it when the others are"
                  : NGX_CONF_OK;
}


static char *
ngx_lead_webhook_list(ngx_conf_t *cf, ngx_array_t **array, size_t size,
    ngx_lead_param_t *param)
{
    void        *item;
    ngx_str_t   *args;
    ngx_uint_t   i;

    if (*array == NULL) {
        *array = ngx_array_create(cf->pool, 4, size);
        if (*array == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    args = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        item = ngx_array_push(*array);
        if (item == NULL) {
            return NGX_CONF_ERROR;
        }

        if (ngx_lead_param_value(cf, param, &args[i], &args[i], item)
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


char *
ngx_lead_webhook_keep(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_lead_main_conf_t  *lmcf = conf;

    if (lmcf->webhook_keep != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    return ngx_lead_params(cf, ngx_lead_keep_params, lmcf);
}


char *
ngx_lead_webhook_disable(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_lead_main_conf_t  *lmcf = conf;

    if (lmcf->webhook_disable != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    return ngx_lead_params(cf, ngx_lead_disable_params, lmcf);
}


char *
ngx_lead_webhook_init(ngx_conf_t *cf, ngx_lead_main_conf_t *lmcf)
{
    ngx_uint_t           i, n;
    ngx_lead_account_t  *account;
    ngx_lead_webhook_t  *webhook;

    ngx_conf_init_value(lmcf->webhook_keep, NGX_LEAD_KEEP);
    ngx_conf_init_value(lmcf->webhook_keep_failed, NGX_LEAD_KEEP_FAILED);
    ngx_conf_init_value(lmcf->webhook_disable, NGX_LEAD_DISABLE);

    if (lmcf->webhook_schedule == NULL
        && ngx_lead_webhook_steps(cf, lmcf) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    account = lmcf->accounts.elts;

    for (i = 0; i < lmcf->accounts.nelts; i++) {
        webhook = account[i].webhooks.elts;

        for (n = 0; n < account[i].webhooks.nelts; n++) {

            if (ngx_lead_webhook_complete(cf, lmcf, &webhook[n])
                != NGX_CONF_OK)
            {
                return NGX_CONF_ERROR;
            }

            ngx_lead_webhook_warn(cf, &webhook[n]);
            ngx_lead_webhook_debug(cf, &webhook[n]);
        }
    }

    ngx_lead_webhook_debug_all(cf, lmcf);

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_lead_webhook_steps(ngx_conf_t *cf, ngx_lead_main_conf_t *lmcf)
{
    ngx_uint_t    i, n;
    ngx_msec_t   *step;
    ngx_array_t  *steps;

    n = sizeof(ngx_lead_schedule) / sizeof(time_t);

    steps = ngx_array_create(cf->pool, n, sizeof(ngx_msec_t));
    if (steps == NULL) {
        return NGX_ERROR;
    }

    step = ngx_array_push_n(steps, n);

    for (i = 0; i < n; i++) {
        step[i] = (ngx_msec_t) ngx_lead_schedule[i] * 1000;
    }

    lmcf->webhook_schedule = steps;

    return NGX_OK;
}


static char *
ngx_lead_webhook_complete(ngx_conf_t *cf, ngx_lead_main_conf_t *lmcf,
    ngx_lead_webhook_t *webhook)
{
    ngx_lead_http_target_t    *target;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    target = webhook->target;
    target->allow = lmcf->webhook_allow;
    target->resolver = ngx_lead_webhook_resolver(clcf);
    target->resolver_timeout = clcf->resolver_timeout;

    ngx_conf_init_msec_value(target->resolver_timeout, 30000);

    if (target->addr || target->resolver) {
        return NGX_CONF_OK;
    }

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "webhook \"%V\" needs the address of \"%V\": add "
                  "\"resolver\" with a name server to http{}, as \"resolver "
                  "127.0.0.1;\" in %V:%ui",
                  &webhook->name, &target->host, &webhook->file,
                  webhook->line);

    return NGX_CONF_ERROR;
}


/* where http{} has none, nginx gives it one that resolves nothing */

static ngx_resolver_t *
ngx_lead_webhook_resolver(ngx_http_core_loc_conf_t *clcf)
{
    if (clcf->resolver == NULL || clcf->resolver->connections.nelts == 0) {
        return NULL;
    }

    return clcf->resolver;
}


/*
 * Where a name leads is known only when it is resolved: it is said to be
 * public where no other network is allowed.
 */

static void
ngx_lead_webhook_warn(ngx_conf_t *cf, ngx_lead_webhook_t *webhook)
{
    ngx_uint_t               public, allowed;
    struct sockaddr         *sa;
    ngx_lead_http_target_t  *target;

    target = webhook->target;

    if (target->addr) {
        sa = target->addr->sockaddr;
        public = ngx_lead_http_address_public(sa);
        allowed = target->allow && ngx_cidr_match(sa, target->allow) == NGX_OK;

    } else {
        public = target->allow == NULL
                 && !ngx_lead_webhook_local(&target->host);
        allowed = 1;
    }

    if (!public && !allowed) {
        ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                      "webhook \"%V\" goes to %V, which is not public: "
                      "deliveries are refused unless \"lead_webhook_allow\" "
                      "has its network in %V:%ui",
                      &webhook->name, &target->host, &webhook->file,
                      webhook->line);
    }

    if (public && !target->ssl) {
        ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                      "webhook \"%V\" sends leads unencrypted to %V, use a "
                      "URL of https in %V:%ui",
                      &webhook->name, &target->host, &webhook->file,
                      webhook->line);
    }
}


static ngx_uint_t
ngx_lead_webhook_local(ngx_str_t *host)
{
    size_t  len;

    static ngx_str_t  local = ngx_string(".localhost");

    len = local.len;

    if (host->len < len) {
        return host->len == len - 1
               && ngx_strncmp(host->data, local.data + 1, len - 1) == 0;
    }

    return ngx_strncmp(host->data + host->len - len, local.data, len) == 0;
}


static void
ngx_lead_webhook_debug(ngx_conf_t *cf, ngx_lead_webhook_t *webhook)
{
#if (NGX_DEBUG)
    ngx_lead_http_target_t  *target;

    target = webhook->target;

    ngx_log_debug5(NGX_LOG_DEBUG_HTTP, cf->log, 0,
                   "lead webhook \"%V\": format:%d secrets:%ui headers:%ui "
                   "concurrency:%ui", &webhook->name, (int) webhook->format,
                   webhook->secrets.nelts, webhook->headers.nelts,
                   webhook->concurrency);

    ngx_log_debug8(NGX_LOG_DEBUG_HTTP, cf->log, 0,
                   "lead webhook \"%V\": timeout:%M connect:%M send:%M "
                   "read:%M resolver:%M keepalive:%ui idle:%M",
                   &webhook->name, target->timeout, target->connect_timeout,
                   target->send_timeout, target->read_timeout,
                   target->resolver_timeout, target->keepalive,
                   target->keepalive_timeout);
#endif
}


static void
ngx_lead_webhook_debug_all(ngx_conf_t *cf, ngx_lead_main_conf_t *lmcf)
{
#if (NGX_DEBUG)
    u_char      *p, *last;
    ngx_uint_t   i;
    ngx_msec_t  *step;
    u_char       buf[NGX_LEAD_SCHEDULE_MAX * (NGX_INT_T_LEN + 1)];

    p = buf;
    last = buf + sizeof(buf);
    step = lmcf->webhook_schedule->elts;

    for (i = 0; i < lmcf->webhook_schedule->nelts; i++) {
        p = ngx_slprintf(p, last, "%s%M", i ? "," : "", step[i]);
    }

    ngx_log_debug6(NGX_LOG_DEBUG_HTTP, cf->log, 0,
                   "lead webhooks: %ui, schedule:%*s keep:%T failed:%T "
                   "disable:%T", lmcf->webhooks, (size_t) (p - buf), buf,
                   lmcf->webhook_keep, lmcf->webhook_keep_failed,
                   lmcf->webhook_disable);
#endif
}
