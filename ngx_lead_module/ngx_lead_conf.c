
/*
 * Copyright (C) the ngx_lead authors
 *
 * Directives of http{} and of locations, and what must hold between them.
 * lead_account{} is in ngx_lead_account_block.c, lead_webhook_* in
 * ngx_lead_webhook_conf.c.
 *
 * Nothing is opened here: of the store at most the directory is made, by
 * nginx itself.
 */


#include "ngx_lead_conf.h"


#if !(NGX_THREADS)
#error "ngx_lead_module needs an nginx configured --with-threads"
#endif


static char *ngx_lead_set_store(ngx_conf_t *cf, ngx_str_t *value,
    void *field);
static char *ngx_lead_set_dialect(ngx_conf_t *cf, ngx_str_t *value,
    void *field);
static char *ngx_lead_set_base(ngx_conf_t *cf, ngx_str_t *value, void *field);
static char *ngx_lead_set_rate(ngx_conf_t *cf, ngx_str_t *value, void *field);
static char *ngx_lead_set_failures(ngx_conf_t *cf, ngx_str_t *value,
    void *field);
static ngx_int_t ngx_lead_conf_error_pages(ngx_conf_t *cf,
    ngx_http_core_loc_conf_t *clcf);
static ngx_int_t ngx_lead_conf_error_value(ngx_conf_t *cf,
    ngx_http_complex_value_t *cv);
static ngx_int_t ngx_lead_error_uri(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);


static ngx_lead_param_t  ngx_lead_store_params[] = {
    { "path", ngx_lead_set_store, offsetof(ngx_lead_main_conf_t, store),
      NGX_LEAD_PARAM_WORD },
    { "size", ngx_lead_set_size, offsetof(ngx_lead_main_conf_t, size), 0 },
    { "pool", ngx_lead_set_pool, offsetof(ngx_lead_main_conf_t, pool), 0 },
    ngx_lead_param_null
};


static ngx_lead_param_t  ngx_lead_api_params[] = {
    { "dialect", ngx_lead_set_dialect, offsetof(ngx_lead_loc_conf_t, dialect),
      NGX_LEAD_PARAM_WORD },
    { "base", ngx_lead_set_base, offsetof(ngx_lead_loc_conf_t, base), 0 },
    ngx_lead_param_null
};


static ngx_lead_param_t  ngx_lead_rate_params[] = {
    { "rate", ngx_lead_set_rate, offsetof(ngx_lead_loc_conf_t, rate),
      NGX_LEAD_PARAM_WORD },
    { "burst", ngx_lead_set_number, offsetof(ngx_lead_loc_conf_t, burst), 0 },
    ngx_lead_param_null
};


static ngx_lead_param_t  ngx_lead_failures_params[] = {
    { "rate", ngx_lead_set_failures,
      offsetof(ngx_lead_loc_conf_t, key_failures), NGX_LEAD_PARAM_WORD },
    ngx_lead_param_null
};


/* what nginx answers by itself in a location with lead_api */

static ngx_int_t  ngx_lead_errors[] = {
    NGX_HTTP_BAD_REQUEST,
    NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
    NGX_HTTP_TOO_MANY_REQUESTS,
    NGX_HTTP_INTERNAL_SERVER_ERROR,
    NGX_HTTP_SERVICE_UNAVAILABLE,
    0
};


static ngx_str_t  ngx_lead_error_uri_name = ngx_string("lead_error_uri");


char *
ngx_lead_conf_store(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_lead_main_conf_t  *lmcf = conf;

    if (lmcf->store) {
        return "is duplicate";
    }

    if (ngx_lead_params(cf, ngx_lead_store_params, lmcf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (lmcf->pool == NULL) {
        lmcf->pool = ngx_thread_pool_add(cf, NULL);
    }

    lmcf->store_file = cf->conf_file->file.name;
    lmcf->store_line = cf->conf_file->line;

    return lmcf->pool ? NGX_CONF_OK : NGX_CONF_ERROR;
}


/* nginx makes the directory with mode 0700, for the user of the workers */

static char *
ngx_lead_set_store(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    ngx_path_t  **store = field;

    ngx_path_t   *path;

    path = ngx_pcalloc(cf->pool, sizeof(ngx_path_t));
    if (path == NULL) {
        return NGX_CONF_ERROR;
    }

    path->name = *value;

    while (path->name.len && path->name.data[path->name.len - 1] == '/') {
        path->name.data[--path->name.len] = '\0';
    }

    if (path->name.len == 0) {
        return "it must be a directory, and not the root directory";
    }

    if (ngx_conf_full_name(cf->cycle, &path->name, 0) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    path->conf_file = cf->conf_file->file.name.data;
    path->line = cf->conf_file->line;
    path->data = path;

    *store = path;

    return ngx_add_path(cf, store) == NGX_OK ? NULL : NGX_CONF_ERROR;
}


char *
ngx_lead_conf_api(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_lead_loc_conf_t       *llcf = conf;

    ngx_lead_main_conf_t      *lmcf;
    ngx_http_core_loc_conf_t  *clcf;

    if (llcf->dialect) {
        return "is duplicate, a location takes one dialect";
    }

    if (ngx_lead_params(cf, ngx_lead_api_params, llcf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (llcf->base.data == NULL) {
        llcf->base = llcf->dialect->base;
    }

    llcf->file = cf->conf_file->file.name;
    llcf->line = cf->conf_file->line;

    lmcf = ngx_http_conf_get_module_main_conf(cf, ngx_lead_module);

    if (lmcf->locations++ == 0) {
        lmcf->api_file = llcf->file;
        lmcf->api_line = llcf->line;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_lead_handler;

    return NGX_CONF_OK;
}


static char *
ngx_lead_set_dialect(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    ngx_lead_dialect_t  **dialect = field;

    *dialect = ngx_lead_dialect_find(value);

    if (*dialect) {
        return NULL;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "unknown dialect \"%V\", use one of: %V",
                       value, ngx_lead_dialect_names());

    return NGX_CONF_ERROR;
}


static char *
ngx_lead_set_base(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    ngx_str_t  *base = field;

    size_t      i;

    if (value->len == 0 || value->data[0] != '/') {
        return "it must start with \"/\"";
    }

    for (i = 0; i < value->len; i++) {
        if (value->data[i] <= ' ' || value->data[i] == 0x7f
            || value->data[i] == '?' || value->data[i] == '#')
        {
            return "it must be a path as locations have it";
        }
    }

    *base = *value;

    if (base->len == 1) {

        /* the vendor's paths stand right below the root */

        base->len = 0;
        return NULL;
    }

    if (base->data[base->len - 1] == '/') {
        return "it must not end with \"/\"";
    }

    return NULL;
}


char *
ngx_lead_conf_rate(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_lead_loc_conf_t   *llcf = conf;

    ngx_lead_main_conf_t  *lmcf;

    if (llcf->rate != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    if (ngx_lead_params(cf, ngx_lead_rate_params, llcf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    lmcf = ngx_http_conf_get_module_main_conf(cf, ngx_lead_module);

    if (lmcf->rate == NULL && ngx_lead_rate_zone(cf, lmcf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_lead_set_rate(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    ngx_uint_t  *rate = field;

    size_t       len;
    ngx_int_t    n;
    ngx_uint_t   scale;

    len = value->len;
    scale = 0;

    if (len > 3) {
        len -= 3;

        if (ngx_strcmp(value->data + len, "r/s") == 0) {
            scale = 60;

        } else if (ngx_strcmp(value->data + len, "r/m") == 0) {
            scale = 1;
        }
    }

    n = ngx_atoi(value->data, len);

    if (scale == 0 || n <= 0 || n > 1000000) {
        return "it must be a rate, as 120r/m or 2r/s";
    }

    *rate = n * scale;

    return NULL;
}


char *
ngx_lead_conf_failures(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_lead_loc_conf_t  *llcf = conf;

    if (llcf->key_failures != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    return ngx_lead_params(cf, ngx_lead_failures_params, llcf);
}


static char *
ngx_lead_set_failures(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    ngx_uint_t  *failures = field;

    if (ngx_strcmp(value->data, "off") == 0) {
        *failures = 0;
        return NULL;
    }

    return ngx_lead_set_rate(cf, value, field)
           ? "it must be a rate, as 60r/m or 1r/s, or off" : NULL;
}


char *
ngx_lead_conf_check(ngx_conf_t *cf, ngx_lead_main_conf_t *lmcf)
{
    const char  *missing;

    if (lmcf->locations == 0) {
        return NGX_CONF_OK;
    }

    if (lmcf->store == NULL) {
        missing = "lead_store /var/lib/nginx/lead;";

    } else if (lmcf->accounts.nelts == 0) {
        missing = "lead_account acme { ... }";

    } else {
        return NGX_CONF_OK;
    }

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "\"lead_api\" needs \"%s\" in http{} in %V:%ui",
                  missing, &lmcf->api_file, lmcf->api_line);

    return NGX_CONF_ERROR;
}


char *
ngx_lead_conf_merge(ngx_conf_t *cf, ngx_lead_loc_conf_t *prev,
    ngx_lead_loc_conf_t *conf)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (conf->rate == NGX_CONF_UNSET_UINT) {
        conf->burst = prev->burst;
    }

    ngx_conf_merge_uint_value(conf->rate, prev->rate, 0);
    ngx_conf_merge_uint_value(conf->key_failures, prev->key_failures, 60);

    /* if{} and limit_except{} are the location they stand in */

    if (clcf->noname) {
        conf->status = prev->status;
    }

    if (clcf->noname && conf->dialect == NULL && prev->dialect
        && clcf->handler == NULL)
    {
        conf->dialect = prev->dialect;
        conf->base = prev->base;
        conf->file = prev->file;
        conf->line = prev->line;
        clcf->handler = ngx_lead_handler;
    }

    if (conf->dialect == NULL) {
        return NGX_CONF_OK;
    }

    if (clcf->handler != ngx_lead_handler) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"lead_api\" shares its location with another "
                      "directive that answers requests, remove one of them "
                      "in %V:%ui", &conf->file, conf->line);
        return NGX_CONF_ERROR;
    }

    if (ngx_lead_conf_error_pages(cf, clcf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/*
 * An error that nginx raises itself comes back to our handler, by an internal
 * redirect to where it happened.  An error_page of the user's stays.
 */

static ngx_int_t
ngx_lead_conf_error_pages(ngx_conf_t *cf, ngx_http_core_loc_conf_t *clcf)
{
    ngx_int_t                 *error;
    ngx_uint_t                 i, n;
    ngx_array_t               *pages;
    ngx_http_err_page_t       *page;
    ngx_http_complex_value_t   cv;

    if (ngx_lead_conf_error_value(cf, &cv) != NGX_OK) {
        return NGX_ERROR;
    }

    pages = ngx_array_create(cf->pool, 8, sizeof(ngx_http_err_page_t));
    if (pages == NULL) {
        return NGX_ERROR;
    }

    n = clcf->error_pages ? clcf->error_pages->nelts : 0;

    if (n) {

        /* the array may be the parent's */

        page = ngx_array_push_n(pages, n);
        if (page == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(page, clcf->error_pages->elts,
                   n * sizeof(ngx_http_err_page_t));
    }

    for (error = ngx_lead_errors; *error; error++) {
        page = pages->elts;

        for (i = 0; i < n && page[i].status != *error; i++) { /* void */ }

        if (i < n) {
            continue;
        }

        page = ngx_array_push(pages);
        if (page == NULL) {
            return NGX_ERROR;
        }

        ngx_memzero(page, sizeof(ngx_http_err_page_t));

        page->status = *error;
        page->overwrite = -1;
        page->value = cv;
    }

    clcf->error_pages = pages;

    return NGX_OK;
}


static ngx_int_t
ngx_lead_conf_error_value(ngx_conf_t *cf, ngx_http_complex_value_t *cv)
{
    ngx_str_t                          uri;
    ngx_http_compile_complex_value_t   ccv;

    ngx_str_set(&uri, "$lead_error_uri");
    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = &uri;
    ccv.complex_value = cv;

    return ngx_http_compile_complex_value(&ccv);
}


ngx_int_t
ngx_lead_conf_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var;

    var = ngx_http_add_variable(cf, &ngx_lead_error_uri_name,
                                NGX_HTTP_VAR_NOCACHEABLE);
    if (var == NULL) {
        return NGX_ERROR;
    }

    var->get_handler = ngx_lead_error_uri;

    return NGX_OK;
}


/*
 * The request's URI and arguments, for an internal redirect to itself.  That
 * splits at the first "?", and a decoded one in the path would lead to a
 * location the client could not ask for: it becomes a "%".
 */

static ngx_int_t
ngx_lead_error_uri(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    size_t   len;
    u_char  *p, *end;

    len = r->uri.len;

    if (r->args.len) {
        len += 1 + r->args.len;
    }

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    v->data = p;
    v->len = len;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

#if (NGX_HTTP_V2)

    /* a body that is skipped must not be too large once more: only without a
     * stream nginx knows by r->discard_body */

    if (r->stream && r->err_status == NGX_HTTP_REQUEST_ENTITY_TOO_LARGE) {
        r->headers_in.content_length_n = -1;
    }

#endif

    end = ngx_cpymem(p, r->uri.data, r->uri.len);

    for ( /* void */ ; p < end; p++) {
        if (*p == '?') {
            *p = '%';
        }
    }

    if (r->args.len) {
        *end++ = '?';
        ngx_memcpy(end, r->args.data, r->args.len);
    }

    return NGX_OK;
}
