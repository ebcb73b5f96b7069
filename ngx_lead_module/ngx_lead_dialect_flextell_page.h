
/*
 * Copyright (C) the ngx_lead authors
 *
 * Flextell: what a list was asked for, and its pages.
 */


#ifndef _NGX_LEAD_DIALECT_FLEXTELL_PAGE_H_INCLUDED_
#define _NGX_LEAD_DIALECT_FLEXTELL_PAGE_H_INCLUDED_


#include "ngx_lead_dialect_flextell.h"


#define NGX_LEAD_FLEX_PER_PAGE      15
#define NGX_LEAD_FLEX_PER_PAGE_MAX  100
#define NGX_LEAD_FLEX_PAGE_MAX      1000000000
#define NGX_LEAD_FLEX_FILTER_POOL   4096

#define NGX_LEAD_FLEX_ASC           1
#define NGX_LEAD_FLEX_DESC          2


typedef struct {
    ngx_uint_t             page;         /* from 1 */
    ngx_uint_t             per_page;
    ngx_str_t              search;       /* "": none */
    ngx_uint_t             column;       /* of those to sort by, from 1; 0:
                                            not said */
    ngx_uint_t             order;        /* NGX_LEAD_FLEX_ASC, ...; 0: not
                                            said */

    ngx_pool_t            *pool;         /* the filter's, in a thread */
    ngx_uint_t             failed;       /* unsigned  failed:1; */
} ngx_lead_flex_query_t;


/* how an item of the configuration is read and shown */

typedef struct {
    size_t                 number;       /* offsets */
    size_t                 name;
    size_t                 key;
    void                 (*add)(ngx_lead_json_gen_t *gen,
                                ngx_lead_json_t *data, void *item);
} ngx_lead_flex_vocabulary_t;


/* ngx_lead_dialect_flextell_page.c: links and meta, as members of call->root,
 * of a page of n of total items.  NGX_OK, NGX_ERROR: no memory */
ngx_int_t ngx_lead_flex_paginate(ngx_lead_json_gen_t *gen,
    ngx_lead_call_t *call, ngx_lead_flex_query_t *q, ngx_uint_t n,
    uint64_t total);


#endif /* _NGX_LEAD_DIALECT_FLEXTELL_PAGE_H_INCLUDED_ */
