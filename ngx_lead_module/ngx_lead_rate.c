
/*
 * Copyright (C) the ngx_lead authors
 *
 * lead_rate: requests of a key in the trailing minute, over all workers.
 *
 * Those let through are counted in windows of shared memory, one for each key
 * and location; those turned away are not.  A window is touched under the
 * zone's mutex only.
 */


#include "ngx_lead.h"
#include "ngx_lead_window.h"


#define NGX_LEAD_RATE_WINDOWS   8192


static ngx_int_t ngx_lead_rate_init_zone(ngx_shm_zone_t *zone, void *data);
static ngx_lead_window_t *ngx_lead_rate_window(ngx_lead_window_t *windows,
    ngx_lead_ctx_t *ctx);


ngx_int_t
ngx_lead_rate_zone(ngx_conf_t *cf, ngx_lead_main_conf_t *lmcf)
{
    size_t  size;

    static ngx_str_t  name = ngx_string("ngx_lead_rate:" NGX_LEAD_VERSION);

    size = NGX_LEAD_RATE_WINDOWS * sizeof(ngx_lead_window_t)
           + 16 * ngx_pagesize;

    lmcf->rate = ngx_shared_memory_add(cf, &name, size + size / 64,
                                       &ngx_lead_module);
    if (lmcf->rate == NULL) {
        return NGX_ERROR;
    }

    lmcf->rate->init = ngx_lead_rate_init_zone;

    return NGX_OK;
}


static ngx_int_t
ngx_lead_rate_init_zone(ngx_shm_zone_t *zone, void *data)
{
    ngx_slab_pool_t  *shpool;

    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    zone->data = zone;

    if (data || zone->shm.exists) {
        return NGX_OK;
    }

    shpool->data = ngx_slab_calloc(shpool, NGX_LEAD_RATE_WINDOWS
                                           * sizeof(ngx_lead_window_t));

    return shpool->data ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_lead_rate(ngx_lead_ctx_t *ctx)
{
    ngx_uint_t            allowed;
    ngx_lead_rate_t      *rate;
    ngx_slab_pool_t      *shpool;
    ngx_lead_window_t    *w;
    ngx_lead_loc_conf_t  *llcf;

    llcf = ngx_http_get_module_loc_conf(ctx->request, ngx_lead_module);

    if (llcf->rate == 0 || ctx->call.key.id[0] == '\0') {
        return NGX_OK;
    }

    shpool = (ngx_slab_pool_t *) ctx->lmcf->rate->shm.addr;
    rate = &ctx->call.rate;

    ngx_shmtx_lock(&shpool->mutex);

    w = ngx_lead_rate_window(shpool->data, ctx);

    allowed = w->total < llcf->rate + llcf->burst;

    if (allowed) {
        ngx_lead_window_add(w);
    }

    rate->limit = llcf->rate;
    rate->remaining = (w->total < llcf->rate) ? llcf->rate - w->total : 0;
    rate->reset = ngx_lead_window_reset(w);

    ngx_shmtx_unlock(&shpool->mutex);

    if (allowed) {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_INFO, ctx->call.log, 0,
                  "lead: key %s sent more than %ui requests in a minute",
                  ctx->call.key.id, llcf->rate + llcf->burst);

    ctx->call.fault.kind = NGX_LEAD_FAULT_RATE;

    return NGX_DECLINED;
}


static ngx_lead_window_t *
ngx_lead_rate_window(ngx_lead_window_t *windows, ngx_lead_ctx_t *ctx)
{
    u_char                     key[NGX_LEAD_WINDOW_KEY];
    uint32_t                   place;
    ngx_http_core_loc_conf_t  *clcf;
    ngx_http_core_srv_conf_t  *cscf;

    clcf = ngx_http_get_module_loc_conf(ctx->request, ngx_http_core_module);
    cscf = ngx_http_get_module_srv_conf(ctx->request, ngx_http_core_module);

    /* locations of two servers may have one name, and servers too */

    place = ngx_murmur_hash2(clcf->name.data, clcf->name.len)
            + ngx_murmur_hash2(cscf->file_name, ngx_strlen(cscf->file_name))
            + (uint32_t) cscf->line;

    ngx_memzero(key, NGX_LEAD_WINDOW_KEY);
    ngx_memcpy(key, ctx->call.key.id, LEAD_KEY_ID_LEN);

    return ngx_lead_window_get(windows, NGX_LEAD_RATE_WINDOWS, key, place);
}
