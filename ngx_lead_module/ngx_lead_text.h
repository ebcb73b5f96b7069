
/*
 * Copyright (C) the ngx_lead authors
 *
 * Texts that people write about people: names with capitals, companies
 * without markup, dates and addresses of pages.
 *
 * Pure functions on bytes, which must be UTF-8; nothing here knows a request,
 * a dialect or a configuration.  Results are copies in the pool given.
 * "Space" is that of ngx_lead_field.h.
 */


#ifndef _NGX_LEAD_TEXT_H_INCLUDED_
#define _NGX_LEAD_TEXT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Space trimmed, runs of it inside made one " ".  The first letter of the
 * text, and each letter behind a " ", "-", "'" or U+2019, gets Unicode's
 * simple title case: that is the upper case but for a few digraphs, and for
 * Georgian, whose capitals begin no word.  All other letters remain as sent.
 * NGX_ERROR: no memory
 */
ngx_int_t ngx_lead_text_capitals(ngx_pool_t *pool, ngx_str_t *in,
    ngx_str_t *out);

/* without tags and control characters (those that are space count as such);
 * then space trimmed, runs of it inside made one " ".  A tag is "<" and all
 * up to the next ">": no pair of these remains.  NGX_ERROR: no memory */
ngx_int_t ngx_lead_text_company(ngx_pool_t *pool, ngx_str_t *in,
    ngx_str_t *out);

/* only the tags taken out, replaced by nothing; NGX_ERROR: no memory */
ngx_int_t ngx_lead_text_untag(ngx_pool_t *pool, ngx_str_t *in,
    ngx_str_t *out);

/* whether text is YYYY-MM-DD, a day of the Gregorian calendar from year 1 */
ngx_uint_t ngx_lead_text_date(ngx_str_t *text);

/*
 * Whether text is an absolute URL as Laravel's rule "url" takes it: a scheme
 * (any but javascript and vbscript), "://", perhaps a user, a host, perhaps a
 * port, path, query and fragment, of their own characters, of other scripts'
 * and of escapes.
 */
ngx_uint_t ngx_lead_text_url(ngx_str_t *text);


#endif /* _NGX_LEAD_TEXT_H_INCLUDED_ */
