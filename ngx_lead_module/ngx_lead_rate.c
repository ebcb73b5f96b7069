
/*
 * Copyright (C) the ngx_lead authors
 *
 * lead_rate: requests of a key in the trailing minute, over all workers.
 *
 * Shared memory has a table of a fixed number of windows, found by a hash of
 * key and location; where many meet, the one that was idle longest gives way.
 * A window is a ring of seconds with the requests let through in each; those
 * turned away are not counted.  The clock is the monotonic one.  A window is
 * touched under the zone's mutex only.
 */


#include "ngx_lead.h"


#define NGX_LEAD_RATE_SECONDS   60
#define NGX_LEAD_RATE_WINDOWS   8192
#define NGX_LEAD_RATE_PROBES    8


typedef struct {
    u_char                 key[LEAD_KEY_ID_LEN];
    uint32_t               place;        /* of the location */
    uint32_t               total;        /* of all seconds */
    ngx_msec_t             now;          /* the newest second in the ring */
    uint32_t               seconds[NGX_LEAD_RATE_SECONDS];
} ngx_lead_rate_window_t;


static ngx_int_t ngx_lead_rate_init_zone(ngx_shm_zone_t *zone, void *data);
static ngx_lead_rate_window_t *ngx_lead_rate_find(
    ngx_lead_rate_window_t *windows, ngx_lead_ctx_t *ctx, ngx_msec_t now);
static void ngx_lead_rate_forget(ngx_lead_rate_window_t *w, ngx_msec_t now);
static ngx_uint_t ngx_lead_rate_reset(ngx_lead_rate_window_t *w,
    ngx_msec_t now);


ngx_int_t
ngx_lead_rate_zone(ngx_conf_t *cf, ngx_lead_main_conf_t *lmcf)
{
    size_t  size;

    static ngx_str_t  name = ngx_string("ngx_lead_rate:" NGX_LEAD_VERSION);

    size = NGX_LEAD_RATE_WINDOWS * sizeof(ngx_lead_rate_window_t)
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
                                           * sizeof(ngx_lead_rate_window_t));

    return shpool->data ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_lead_rate(ngx_lead_ctx_t *ctx)
{
    ngx_uint_t               allowed;
    ngx_msec_t               now;
    ngx_lead_rate_t         *rate;
    ngx_slab_pool_t         *shpool;
    ngx_lead_loc_conf_t     *llcf;
    ngx_lead_rate_window_t  *w;

    llcf = ngx_http_get_module_loc_conf(ctx->request, ngx_lead_module);

    if (llcf->rate == 0 || ctx->call.key.id[0] == '\0') {
        return NGX_OK;
    }

    shpool = (ngx_slab_pool_t *) ctx->lmcf->rate->shm.addr;
    rate = &ctx->call.rate;
    now = ngx_current_msec / 1000;

    ngx_shmtx_lock(&shpool->mutex);

    w = ngx_lead_rate_find(shpool->data, ctx, now);

    /* another worker may have looked at its clock later */
    now = w->now;

    allowed = w->total < llcf->rate + llcf->burst;

    if (allowed) {
        w->total++;
        w->seconds[now % NGX_LEAD_RATE_SECONDS]++;
    }

    rate->limit = llcf->rate;
    rate->remaining = (w->total < llcf->rate) ? llcf->rate - w->total : 0;
    rate->reset = ngx_lead_rate_reset(w, now);

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


static ngx_lead_rate_window_t *
ngx_lead_rate_find(ngx_lead_rate_window_t *windows, ngx_lead_ctx_t *ctx,
    ngx_msec_t now)
{
    uint32_t                   place, hash;
    ngx_uint_t                 i;
    ngx_lead_rate_window_t    *w, *idle;
    ngx_http_core_loc_conf_t  *clcf;
    ngx_http_core_srv_conf_t  *cscf;

    clcf = ngx_http_get_module_loc_conf(ctx->request, ngx_http_core_module);
    cscf = ngx_http_get_module_srv_conf(ctx->request, ngx_http_core_module);

    /* locations of two servers may have one name, and servers too */

    place = ngx_murmur_hash2(clcf->name.data, clcf->name.len)
            + ngx_murmur_hash2(cscf->file_name, ngx_strlen(cscf->file_name))
            + (uint32_t) cscf->line;
    hash = place ^ ngx_murmur_hash2((u_char *) ctx->call.key.id,
                                    LEAD_KEY_ID_LEN);
    idle = NULL;

    for (i = 0; i < NGX_LEAD_RATE_PROBES; i++) {
        w = &windows[(hash + i) % NGX_LEAD_RATE_WINDOWS];

        if (w->place == place
            && ngx_memcmp(w->key, ctx->call.key.id, LEAD_KEY_ID_LEN) == 0)
        {
            ngx_lead_rate_forget(w, now);
            return w;
        }

        if (idle == NULL || w->now < idle->now) {
            idle = w;
        }
    }

    ngx_memzero(idle, sizeof(ngx_lead_rate_window_t));
    ngx_memcpy(idle->key, ctx->call.key.id, LEAD_KEY_ID_LEN);

    idle->place = place;
    idle->now = now;

    return idle;
}


/* the seconds that have left the window since it was looked at last */

static void
ngx_lead_rate_forget(ngx_lead_rate_window_t *w, ngx_msec_t now)
{
    uint32_t    *count;
    ngx_uint_t   i;

    for (i = 0; i < NGX_LEAD_RATE_SECONDS && w->now < now; i++) {
        w->now++;
        count = &w->seconds[w->now % NGX_LEAD_RATE_SECONDS];
        w->total -= *count;
        *count = 0;
    }

    if (w->now < now) {
        w->now = now;
    }
}


static ngx_uint_t
ngx_lead_rate_reset(ngx_lead_rate_window_t *w, ngx_msec_t now)
{
    ngx_uint_t  i;

    for (i = 1; i < NGX_LEAD_RATE_SECONDS; i++) {
        if (w->seconds[(now + i) % NGX_LEAD_RATE_SECONDS]) {
            return i;
        }
    }

    return NGX_LEAD_RATE_SECONDS;
}
