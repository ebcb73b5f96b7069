
/*
 * Copyright (C) the ngx_lead authors
 *
 * Countries: ISO 3166-1 numbers, codes and names, and the ids that an account
 * gives them ("country 215 TR;").
 *
 * Pure functions: they only read, also in threads.  Names are static.
 */


#ifndef _NGX_LEAD_COUNTRY_H_INCLUDED_
#define _NGX_LEAD_COUNTRY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_lead_account.h"


typedef struct {
    ngx_uint_t            id;           /* the account's, else ISO's number */
    ngx_str_t             code;         /* alpha-2 */
    ngx_str_t             name;         /* the code, if ISO has none */
} ngx_lead_country_found_t;


/* by what clients of the account call it: an id of the account's, else ISO's
 * number; found->id is the account's either way.  NGX_OK, NGX_DECLINED */
ngx_int_t ngx_lead_country_by_id(ngx_lead_account_t *account, ngx_uint_t id,
    ngx_lead_country_found_t *found);

/* by alpha-2, any case; NGX_OK, NGX_DECLINED */
ngx_int_t ngx_lead_country_by_code(ngx_lead_account_t *account,
    ngx_str_t *code, ngx_lead_country_found_t *found);


#endif /* _NGX_LEAD_COUNTRY_H_INCLUDED_ */
