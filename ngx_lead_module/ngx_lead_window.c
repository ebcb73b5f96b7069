
/*
 * Copyright (C) the ngx_lead authors
 *
 * Windows of a minute, see ngx_lead_window.h.  Nothing is allocated, and no
 * lock is taken here: memory and mutex are the caller's.
 */


#include "ngx_lead_window.h"


#define NGX_LEAD_WINDOW_PROBES  8


static ngx_lead_window_t *ngx_lead_window_probe(ngx_lead_window_t *windows,
    ngx_uint_t n, u_char *key, uint32_t place, ngx_lead_window_t **idle);
static void ngx_lead_window_forget(ngx_lead_window_t *w);


ngx_lead_window_t *
ngx_lead_window_find(ngx_lead_window_t *windows, ngx_uint_t n, u_char *key,
    uint32_t place)
{
    ngx_lead_window_t  *w, *idle;

    w = ngx_lead_window_probe(windows, n, key, place, &idle);

    if (w) {
        ngx_lead_window_forget(w);
    }

    return w;
}


ngx_lead_window_t *
ngx_lead_window_get(ngx_lead_window_t *windows, ngx_uint_t n, u_char *key,
    uint32_t place)
{
    ngx_lead_window_t  *w, *idle;

    w = ngx_lead_window_probe(windows, n, key, place, &idle);

    if (w) {
        ngx_lead_window_forget(w);
        return w;
    }

    ngx_memzero(idle, sizeof(ngx_lead_window_t));
    ngx_memcpy(idle->key, key, NGX_LEAD_WINDOW_KEY);

    idle->place = place;
    idle->now = ngx_current_msec / 1000;

    return idle;
}


static ngx_lead_window_t *
ngx_lead_window_probe(ngx_lead_window_t *windows, ngx_uint_t n, u_char *key,
    uint32_t place, ngx_lead_window_t **idle)
{
    uint32_t            hash;
    ngx_uint_t          i;
    ngx_lead_window_t  *w;

    hash = place ^ ngx_murmur_hash2(key, NGX_LEAD_WINDOW_KEY);
    *idle = NULL;

    for (i = 0; i < NGX_LEAD_WINDOW_PROBES; i++) {
        w = &windows[(hash + i) % n];

        if (w->place == place
            && ngx_memcmp(w->key, key, NGX_LEAD_WINDOW_KEY) == 0)
        {
            return w;
        }

        if (*idle == NULL || w->now < (*idle)->now) {
            *idle = w;
        }
    }

    return NULL;
}


/*
 * The seconds that have left the window since it was looked at last.  Another
 * worker may have looked at its clock later: then nothing has.
 */

static void
ngx_lead_window_forget(ngx_lead_window_t *w)
{
    uint32_t    *count;
    ngx_uint_t   i;
    ngx_msec_t   now;

    now = ngx_current_msec / 1000;

    for (i = 0; i < NGX_LEAD_WINDOW_SECONDS && w->now < now; i++) {
        w->now++;
        count = &w->seconds[w->now % NGX_LEAD_WINDOW_SECONDS];
        w->total -= *count;
        *count = 0;
    }

    if (w->now < now) {
        w->now = now;
    }
}


void
ngx_lead_window_add(ngx_lead_window_t *w)
{
    w->total++;
    w->seconds[w->now % NGX_LEAD_WINDOW_SECONDS]++;
}


ngx_uint_t
ngx_lead_window_reset(ngx_lead_window_t *w)
{
    ngx_uint_t  i;

    for (i = 1; i < NGX_LEAD_WINDOW_SECONDS; i++) {
        if (w->seconds[(w->now + i) % NGX_LEAD_WINDOW_SECONDS]) {
            return i;
        }
    }

    return NGX_LEAD_WINDOW_SECONDS;
}
