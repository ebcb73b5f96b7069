
/*
 * Copyright (C) the ngx_lead authors
 *
 * E-mail addresses, where a vendor has no rule of his own: what a browser's
 * <input type=email> takes, with a dot in the domain, and in any script
 * behind the "@".
 *
 * Pure functions on bytes; nothing here knows a request, a dialect or a
 * configuration.  Results live in the pool given.
 */


#ifndef _NGX_LEAD_EMAIL_H_INCLUDED_
#define _NGX_LEAD_EMAIL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_LEAD_EMAIL_MAX        254    /* bytes, as sent and as matched */
#define NGX_LEAD_EMAIL_LOCAL_MAX  64     /* bytes before the "@" */
#define NGX_LEAD_EMAIL_LABEL_MAX  63     /* bytes of a domain's label */

#define NGX_LEAD_EMAIL_DOTLESS    0x01   /* a domain without a dot will do */


/*
 * Space around the address is the caller's to take off.
 *
 * NGX_OK        an address; *key is what equal ones have in common: ASCII in
 *               lower case, a domain of other scripts in its IDNA2008 form
 * NGX_DECLINED  not an address
 * NGX_ERROR     no memory
 */
ngx_int_t ngx_lead_email_check(ngx_pool_t *pool, ngx_str_t *email,
    ngx_uint_t flags, ngx_str_t *key);


#endif /* _NGX_LEAD_EMAIL_H_INCLUDED_ */
