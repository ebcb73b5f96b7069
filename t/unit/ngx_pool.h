
/*
 * Copyright (C) the ngx_lead authors
 *
 * What a unit test sees of the pools in ngx_pool.c beyond nginx's own API.
 */


#ifndef _NGX_POOL_H_INCLUDED_
#define _NGX_POOL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* the n-th allocation from now on fails, and none after it; 0: none fails */
extern ngx_uint_t  ngx_pool_fail_at;

/* lines logged so far */
extern ngx_uint_t  ngx_pool_logged;


#endif /* _NGX_POOL_H_INCLUDED_ */
