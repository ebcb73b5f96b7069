
/*
 * Copyright (C) the ngx_lead authors
 *
 * How often something happened in the trailing minute: tables of windows in
 * shared memory.
 *
 * A table has a fixed number of windows, found by a key and a place; where
 * many meet, the one that was idle longest gives way.  A window is a ring of
 * seconds with what was counted in each, by the monotonic clock.  The caller
 * holds the mutex of the memory that the table is in.
 */


#ifndef _NGX_LEAD_WINDOW_H_INCLUDED_
#define _NGX_LEAD_WINDOW_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_LEAD_WINDOW_KEY        16        /* bytes */
#define NGX_LEAD_WINDOW_SECONDS    60


typedef struct {
    u_char                 key[NGX_LEAD_WINDOW_KEY];
    uint32_t               place;
    uint32_t               total;            /* of all seconds */
    ngx_msec_t             now;              /* the newest second */
    uint32_t               seconds[NGX_LEAD_WINDOW_SECONDS];
} ngx_lead_window_t;


/* the window of n with this key, as of now; NULL: there is none */
ngx_lead_window_t *ngx_lead_window_find(ngx_lead_window_t *windows,
    ngx_uint_t n, u_char *key, uint32_t place);

/* the same; where there is none it is made, of the one idle longest */
ngx_lead_window_t *ngx_lead_window_get(ngx_lead_window_t *windows,
    ngx_uint_t n, u_char *key, uint32_t place);

/* counts one */
void ngx_lead_window_add(ngx_lead_window_t *w);

/* seconds until the oldest of those counted leaves */
ngx_uint_t ngx_lead_window_reset(ngx_lead_window_t *w);


#endif /* _NGX_LEAD_WINDOW_H_INCLUDED_ */
