
/*
 * Copyright (C) the ngx_lead authors
 *
 * nginx's pools for unit tests, without an nginx: each allocation is a block
 * of exactly its size from malloc(), so that a sanitizer or valgrind sees any
 * byte too far, and that a chosen one can fail.
 *
 * Must not be kinder than nginx's pools: what those leave unaligned or
 * uninitialized is so here too.  All memory goes with its pool.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_pool.h"


static void *ngx_pool_alloc(ngx_pool_t *pool, size_t size, size_t offset);


ngx_uint_t  ngx_pool_fail_at;
ngx_uint_t  ngx_pool_logged;


ngx_pool_t *
ngx_create_pool(size_t size, ngx_log_t *log)
{
    ngx_pool_t  *pool;

    pool = calloc(1, sizeof(ngx_pool_t));

    if (pool) {
        pool->max = size;
        pool->current = pool;
        pool->log = log;
    }

    return pool;
}


void
ngx_destroy_pool(ngx_pool_t *pool)
{
    ngx_pool_large_t    *l, *next;
    ngx_pool_cleanup_t  *c;

    for (c = pool->cleanup; c; c = c->next) {
        if (c->handler) {
            c->handler(c->data);
        }
    }

    for (l = pool->large; l; l = next) {
        next = l->next;
        free(l->alloc);
        free(l);
    }

    free(pool);
}


void *
ngx_palloc(ngx_pool_t *pool, size_t size)
{
    return ngx_pool_alloc(pool, size, 0);
}


/* never aligned, so that a structure put there by mistake is seen */

void *
ngx_pnalloc(ngx_pool_t *pool, size_t size)
{
    return ngx_pool_alloc(pool, size, 1);
}


void *
ngx_pcalloc(ngx_pool_t *pool, size_t size)
{
    void  *p;

    p = ngx_pool_alloc(pool, size, 0);

    if (p) {
        ngx_memzero(p, size);
    }

    return p;
}


/* also frees what nginx would keep for being small */

ngx_int_t
ngx_pfree(ngx_pool_t *pool, void *p)
{
    ngx_pool_large_t  *l;

    for (l = pool->large; l; l = l->next) {

        if (l->alloc && (l->alloc == p || (u_char *) l->alloc + 1 == p)) {
            free(l->alloc);
            l->alloc = NULL;
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


ngx_pool_cleanup_t *
ngx_pool_cleanup_add(ngx_pool_t *pool, size_t size)
{
    ngx_pool_cleanup_t  *c;

    c = ngx_pool_alloc(pool, sizeof(ngx_pool_cleanup_t), 0);
    if (c == NULL) {
        return NULL;
    }

    c->data = NULL;

    if (size) {
        c->data = ngx_pool_alloc(pool, size, 0);
        if (c->data == NULL) {
            return NULL;
        }
    }

    c->handler = NULL;
    c->next = pool->cleanup;
    pool->cleanup = c;

    return c;
}


void
ngx_log_error_core(ngx_uint_t level, ngx_log_t *log, ngx_err_t err,
    const char *fmt, ...)
{
    ngx_pool_logged++;
}


static void *
ngx_pool_alloc(ngx_pool_t *pool, size_t size, size_t offset)
{
    ngx_pool_large_t  *l;

    if (ngx_pool_fail_at && --ngx_pool_fail_at == 0) {
        return NULL;
    }

    l = malloc(sizeof(ngx_pool_large_t));
    if (l == NULL) {
        return NULL;
    }

    l->alloc = malloc(size + offset);

    if (l->alloc == NULL) {
        free(l);
        return NULL;
    }

    l->next = pool->large;
    pool->large = l;

    /* what malloc() gives is often zero, a pool's memory is often not */

    ngx_memset(l->alloc, 0xa5, size + offset);

    return (u_char *) l->alloc + offset;
}
