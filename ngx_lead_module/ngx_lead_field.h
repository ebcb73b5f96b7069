
/*
 * Copyright (C) the ngx_lead authors
 *
 * Texts of fields: checks and normal forms that several dialects need.
 *
 * Pure functions on bytes, which must be UTF-8; nothing here knows a request,
 * a dialect or a configuration.  Memory is the caller's, or a pool he gives.
 * "Space" is what JavaScript's String.trim() and \s take for it.
 */


#ifndef _NGX_LEAD_FIELD_H_INCLUDED_
#define _NGX_LEAD_FIELD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_LEAD_FIELD_TIME_LEN    (sizeof("1970-01-01T00:00:00.000Z") - 1)


/* the length of the character of space at p, before last; 0: it is none */
size_t ngx_lead_field_space(u_char *p, u_char *last);

/* takes space off both ends; the bytes stay where they are */
void ngx_lead_field_trim(ngx_str_t *text);

/* a copy with ASCII letters in lower case; NGX_ERROR: no memory */
ngx_int_t ngx_lead_field_lower(ngx_pool_t *pool, ngx_str_t *text,
    ngx_str_t *lower);

/* the number of code points */
size_t ngx_lead_field_points(ngx_str_t *text);

/* whether texts are equal; _fold: but for the case of ASCII letters */
ngx_uint_t ngx_lead_field_equal(ngx_str_t *a, ngx_str_t *b);
ngx_uint_t ngx_lead_field_equal_fold(ngx_str_t *a, ngx_str_t *b);

/* whether part occurs in text, but for the case of ASCII letters */
ngx_uint_t ngx_lead_field_has(ngx_str_t *text, ngx_str_t *part);

/* whether text is like a@b.c: one "@", no space, and a dot inside of what
 * comes after the "@" */
ngx_uint_t ngx_lead_field_email_like(ngx_str_t *text);

/*
 * A JSON number as JavaScript's String() would show it.  NGX_DECLINED: it is
 * infinite there, or an integer that has lost digits (from 2^53 on).
 */
ngx_int_t ngx_lead_field_number(ngx_pool_t *pool, ngx_str_t *json,
    ngx_str_t *text);

/* microseconds since 1970 as YYYY-MM-DDTHH:MM:SS.mmmZ, truncated; dst has
 * room for NGX_LEAD_FIELD_TIME_LEN bytes, the end is returned */
u_char *ngx_lead_field_time_ms(u_char *dst, int64_t time);

/* the reverse, of exactly that form; NGX_DECLINED: not a time */
ngx_int_t ngx_lead_field_time_parse(ngx_str_t *text, int64_t *time);


#endif /* _NGX_LEAD_FIELD_H_INCLUDED_ */
