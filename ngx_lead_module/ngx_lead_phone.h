
/*
 * Copyright (C) the ngx_lead authors
 *
 * Phone numbers as people write them, to E.164 ("+12065550100").
 *
 * Pure functions on bytes, any bytes; nothing here knows a request, a dialect
 * or a configuration.  They must not change what they are given, allocate or
 * ask whether a number is in use: a number is good if its length is possible
 * where it belongs.
 */


#ifndef _NGX_LEAD_PHONE_H_INCLUDED_
#define _NGX_LEAD_PHONE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* "+" and fifteen digits: the most of E.164 */
#define NGX_LEAD_PHONE_MAX     16


/* of a text: no national number and what goes before it have as many */
#define NGX_LEAD_PHONE_DIGITS  48


/* 0 to 9 each, not '0' to '9' */

typedef struct {
    u_char                *digits;
    size_t                 n;
} ngx_lead_phone_digits_t;


/* whether code, two letters, is a region of which numbers are known */
ngx_uint_t ngx_lead_phone_region(u_char code[2]);

/*
 * text as a number that somebody in region writes, to dst, which has room for
 * NGX_LEAD_PHONE_MAX bytes, and *len.  Of an unknown region only numbers in
 * international form are known.  NGX_DECLINED: it is no number, or of a length
 * that is not possible, or only within a town; dst may have been written to.
 */
ngx_int_t ngx_lead_phone_e164(ngx_str_t *text, u_char region[2], u_char *dst,
    size_t *len);


/*
 * The first step of it: the digits of text, to number->digits, which has room
 * for NGX_LEAD_PHONE_DIGITS of them, and whether a "+" goes before.
 * NGX_DECLINED: there is something that does not belong to a number.
 */
ngx_int_t ngx_lead_phone_text(ngx_str_t *text, ngx_lead_phone_digits_t *number,
    ngx_uint_t *plus);


#endif /* _NGX_LEAD_PHONE_H_INCLUDED_ */
