
/*
 * Copyright (C) the ngx_lead authors
 *
 * lead_key_failures: who tries keys is stopped.  Counted are the unknown keys
 * that an address sent in the trailing minute, over all workers; one that
 * sent too many is refused before a key of his is looked up.
 *
 * Behind one address there may be many clients, or a proxy with all of them.
 * So a key that was good from this address within the hour is looked up in
 * any case: nobody who is at work is shut out by a neighbour.  That it was is
 * kept as a hash and a minute in one word of shared memory, read and written
 * without a lock: what is lost there is found again by the next good request.
 * Who finds another text of that hash has won that it is looked up, no more.
 * Windows are touched under the zone's mutex only.
 *
 * No key, and nothing it could be had from, is kept or logged.
 */


#include "ngx_lead.h"
#include "ngx_lead_window.h"


#define NGX_LEAD_GUARD_WINDOWS  4096
#define NGX_LEAD_GUARD_GOOD     16384
#define NGX_LEAD_GUARD_PROBES   4

/* of a word the upper bits are a hash, the lower ones a minute */

#define NGX_LEAD_GUARD_HASH     (~(uint64_t) 0xffff)
#define NGX_LEAD_GUARD_MINUTE   ((uint64_t) 0xffff)
#define NGX_LEAD_GUARD_HOUR     60


typedef struct {
    volatile uint64_t      good[NGX_LEAD_GUARD_GOOD];
    ngx_lead_window_t      windows[NGX_LEAD_GUARD_WINDOWS];
} ngx_lead_guard_shared_t;


static ngx_int_t ngx_lead_guard_init_zone(ngx_shm_zone_t *zone, void *data);
static ngx_int_t ngx_lead_guard_address(ngx_connection_t *c, u_char *address);
static uint64_t ngx_lead_guard_word(u_char *address, ngx_str_t *text);
static volatile uint64_t *ngx_lead_guard_find(ngx_lead_main_conf_t *lmcf,
    uint64_t word);
static ngx_uint_t ngx_lead_guard_count(ngx_lead_main_conf_t *lmcf,
    ngx_lead_guard_t *guard, ngx_uint_t add);
static ngx_int_t ngx_lead_guard_refuse(ngx_lead_ctx_t *ctx,
    ngx_lead_guard_t *guard, ngx_uint_t reset);


ngx_int_t
ngx_lead_guard_zone(ngx_conf_t *cf, ngx_lead_main_conf_t *lmcf)
{
    size_t  size;

    static ngx_str_t  name = ngx_string("ngx_lead_guard:" NGX_LEAD_VERSION);

    size = sizeof(ngx_lead_guard_shared_t) + 16 * ngx_pagesize;

    lmcf->guard = ngx_shared_memory_add(cf, &name, size + size / 64,
                                        &ngx_lead_module);
    if (lmcf->guard == NULL) {
        return NGX_ERROR;
    }

    lmcf->guard->init = ngx_lead_guard_init_zone;

    return NGX_OK;
}


static ngx_int_t
ngx_lead_guard_init_zone(ngx_shm_zone_t *zone, void *data)
{
    ngx_slab_pool_t  *shpool;

    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    zone->data = zone;

    if (data || zone->shm.exists) {
        return NGX_OK;
    }

    shpool->data = ngx_slab_calloc(shpool, sizeof(ngx_lead_guard_shared_t));

    return shpool->data ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_lead_guard(ngx_lead_ctx_t *ctx, ngx_str_t *text, ngx_lead_guard_t *guard)
{
    ngx_uint_t            reset;
    ngx_lead_loc_conf_t  *llcf;

    llcf = ngx_http_get_module_loc_conf(ctx->request, ngx_lead_module);

    guard->limit = llcf->key_failures;

    if (guard->limit == 0
        || ngx_lead_guard_address(ctx->request->connection, guard->address)
           != NGX_OK)
    {
        guard->limit = 0;
        return NGX_OK;
    }

    guard->word = ngx_lead_guard_word(guard->address, text);

    if (ngx_lead_guard_find(ctx->lmcf, guard->word)) {
        return NGX_OK;
    }

    reset = ngx_lead_guard_count(ctx->lmcf, guard, 0);

    return reset ? ngx_lead_guard_refuse(ctx, guard, reset) : NGX_OK;
}


/* workers may have let through the last one all at a time: so once more */

void
ngx_lead_guard_failed(ngx_lead_ctx_t *ctx, ngx_lead_guard_t *guard)
{
    ngx_uint_t  reset;

    if (guard->limit == 0) {
        return;
    }

    reset = ngx_lead_guard_count(ctx->lmcf, guard, 1);

    if (reset) {
        (void) ngx_lead_guard_refuse(ctx, guard, reset);
    }
}


void
ngx_lead_guard_passed(ngx_lead_ctx_t *ctx, ngx_lead_guard_t *guard)
{
    uint64_t                  age, oldest;
    ngx_uint_t                i;
    ngx_slab_pool_t          *shpool;
    volatile uint64_t        *good, *w;
    ngx_lead_guard_shared_t  *shared;

    if (guard->limit == 0) {
        return;
    }

    good = ngx_lead_guard_find(ctx->lmcf, guard->word);

    if (good) {

        /* mostly it is of this minute, and memory is only read */

        if (*good != guard->word) {
            *good = guard->word;
        }

        return;
    }

    shpool = (ngx_slab_pool_t *) ctx->lmcf->guard->shm.addr;
    shared = shpool->data;
    oldest = 0;

    for (i = 0; i < NGX_LEAD_GUARD_PROBES; i++) {
        w = &shared->good[((guard->word >> 32) + i) % NGX_LEAD_GUARD_GOOD];

        if (*w == 0) {
            good = w;
            break;
        }

        age = (guard->word - *w) & NGX_LEAD_GUARD_MINUTE;

        if (good == NULL || age > oldest) {
            good = w;
            oldest = age;
        }
    }

    *good = guard->word;
}


/* of IPv6 it is a network of 64 bits, which is what one client has */

static ngx_int_t
ngx_lead_guard_address(ngx_connection_t *c, u_char *address)
{
    struct sockaddr_in   *sin;
#if (NGX_HAVE_INET6)
    struct sockaddr_in6  *sin6;
#endif

    ngx_memzero(address, NGX_LEAD_WINDOW_KEY);

    switch (c->sockaddr->sa_family) {

    case AF_INET:
        sin = (struct sockaddr_in *) c->sockaddr;
        ngx_memcpy(address, &sin->sin_addr, 4);
        break;

#if (NGX_HAVE_INET6)

    case AF_INET6:
        sin6 = (struct sockaddr_in6 *) c->sockaddr;

        if (IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr)) {
            ngx_memcpy(address, &sin6->sin6_addr.s6_addr[12], 4);
            break;
        }

        ngx_memcpy(address, &sin6->sin6_addr, 8);
        address[NGX_LEAD_WINDOW_KEY - 1] = 6;

        return NGX_OK;

#endif

    default: /* AF_UNIX: everybody */
        return NGX_DECLINED;
    }

    address[NGX_LEAD_WINDOW_KEY - 1] = 4;

    return NGX_OK;
}


/* of a key from an address, and this minute */

static uint64_t
ngx_lead_guard_word(u_char *address, ngx_str_t *text)
{
    size_t    len;
    uint64_t  hash;

    len = ngx_min(text->len, LEAD_KEY_TEXT_MAX);

    hash = ngx_murmur_hash2(text->data, len)
           ^ ngx_murmur_hash2(address, NGX_LEAD_WINDOW_KEY);
    hash <<= 32;
    hash |= ngx_crc32_long(text->data, len)
            ^ ngx_crc32_long(address, NGX_LEAD_WINDOW_KEY);

    return (hash & NGX_LEAD_GUARD_HASH)
           | ((ngx_current_msec / 60000) & NGX_LEAD_GUARD_MINUTE);
}


/* where it is kept that the key was good from the address; or NULL */

static volatile uint64_t *
ngx_lead_guard_find(ngx_lead_main_conf_t *lmcf, uint64_t word)
{
    ngx_uint_t                i;
    ngx_slab_pool_t          *shpool;
    volatile uint64_t        *w;
    ngx_lead_guard_shared_t  *shared;

    shpool = (ngx_slab_pool_t *) lmcf->guard->shm.addr;
    shared = shpool->data;

    for (i = 0; i < NGX_LEAD_GUARD_PROBES; i++) {
        w = &shared->good[((word >> 32) + i) % NGX_LEAD_GUARD_GOOD];

        /* another worker's minute may be the next one */

        if (((*w ^ word) & NGX_LEAD_GUARD_HASH) == 0
            && ((word + 1 - *w) & NGX_LEAD_GUARD_MINUTE)
               <= NGX_LEAD_GUARD_HOUR)
        {
            return w;
        }
    }

    return NULL;
}


/* seconds until the address may try again, if it has tried enough; or 0, and
 * one more is counted */

static ngx_uint_t
ngx_lead_guard_count(ngx_lead_main_conf_t *lmcf, ngx_lead_guard_t *guard,
    ngx_uint_t add)
{
    ngx_uint_t                reset;
    ngx_slab_pool_t          *shpool;
    ngx_lead_window_t        *w;
    ngx_lead_guard_shared_t  *shared;

    shpool = (ngx_slab_pool_t *) lmcf->guard->shm.addr;
    shared = shpool->data;
    reset = 0;

    ngx_shmtx_lock(&shpool->mutex);

    w = ngx_lead_window_find(shared->windows, NGX_LEAD_GUARD_WINDOWS,
                             guard->address, 0);

    if (w && w->total >= guard->limit) {
        reset = ngx_lead_window_reset(w);

    } else if (add) {
        w = ngx_lead_window_get(shared->windows, NGX_LEAD_GUARD_WINDOWS,
                                guard->address, 0);
        ngx_lead_window_add(w);
    }

    ngx_shmtx_unlock(&shpool->mutex);

    return reset;
}


static ngx_int_t
ngx_lead_guard_refuse(ngx_lead_ctx_t *ctx, ngx_lead_guard_t *guard,
    ngx_uint_t reset)
{
    ngx_log_error(NGX_LOG_INFO, ctx->call.log, 0,
                  "lead: client sent more than %ui unknown keys in a minute",
                  guard->limit);

    ctx->call.rate.reset = reset;
    ctx->call.fault.kind = NGX_LEAD_FAULT_RATE;

    return NGX_DECLINED;
}
