
/*
 * Copyright (C) the ngx_lead authors
 *
 * Forms in: application/x-www-form-urlencoded (and query arguments, which are
 * written the same way) and multipart/form-data become the tree that a JSON
 * body would be, so that a dialect reads either alike: an object of strings,
 * and of arrays and objects where names have brackets.  Pure functions on a
 * pool and bytes; nothing here knows a request or a configuration.
 *
 * Everything lives in the pool given.  A tree may point into the input, which
 * is never changed and must live as long as the tree.
 *
 * Common to all forms
 *
 *   duplicates   the last value stands at the place of the first
 *   UTF-8        each maximal part of an invalid sequence becomes U+FFFD, as
 *                browsers decode; a byte order mark stays
 *   U+0000       makes the value NGX_LEAD_JSON_NUL_STRING
 *   empty names  are dropped, as PHP and Rack drop them
 *
 * Brackets, if asked for: name[key] is a member of the object called name,
 * name[] the next element.  A name that is not wholly of that form, such as
 * "a[", "a]", "[a]", "a[b]c" or "a[b[c]]", means itself.  A value replaces an
 * object and an object a value, the last one wins.  "[]" takes the number
 * after the greatest so far (0 to 999, no leading zeros; others are names like
 * any), so a[][b]=1&a[][c]=2 makes two elements.  An object is an array if in
 * the end its members are called 0 to n - 1 in this order; else it remains an
 * object, as if the numbers were names: PHP's arrays in JSON are the same.
 */


#ifndef _NGX_LEAD_FORM_H_INCLUDED_
#define _NGX_LEAD_FORM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_lead_json.h"


#define NGX_LEAD_FORM_MAX_FIELDS    128    /* as sent; files count */
#define NGX_LEAD_FORM_MAX_NAME      255    /* bytes, decoded, with brackets */
#define NGX_LEAD_FORM_MAX_DEPTH     8      /* pairs of brackets in a name */
#define NGX_LEAD_FORM_MAX_INDEX     999
#define NGX_LEAD_FORM_MAX_BOUNDARY  70     /* RFC 2046 */
#define NGX_LEAD_FORM_MAX_HEADERS   32     /* of one part */
#define NGX_LEAD_FORM_MAX_HEAD      16384  /* bytes of one part's headers */


typedef enum {
    NGX_LEAD_FORM_NONE = 0,                /* no Content-Type */
    NGX_LEAD_FORM_URLENCODED,
    NGX_LEAD_FORM_MULTIPART,
    NGX_LEAD_FORM_JSON,                    /* x/json and x/y+json */
    NGX_LEAD_FORM_OTHER
} ngx_lead_form_type_e;


/* by the media type alone, in any case; parameters are not looked at */
ngx_lead_form_type_e ngx_lead_form_type(ngx_str_t *content_type);


/*
 * The boundary parameter, as it stands in content_type: 1 to 70 characters of
 * visible ASCII but ";", "\" and quotes, with spaces inside if it is quoted.
 * NGX_DECLINED if it is missing, repeated or anything else.
 */
ngx_int_t ngx_lead_form_boundary(ngx_str_t *content_type,
    ngx_str_t *boundary);


/*
 * A form in one run of bytes, for a body or for the part of a URI behind "?".
 *
 * NGX_OK        *root is an object, maybe an empty one
 * NGX_DECLINED  not such a form, or beyond a limit; *why says why, a static
 *               string for the log
 * NGX_ERROR     no memory
 *
 * Decoded as WHATWG's URL standard says: "+" is a space, what is no escape
 * stays as it is, empty pairs are skipped, ";" separates nothing, and a name
 * without "=" has an empty value.
 */
ngx_int_t ngx_lead_form_urlencoded(ngx_pool_t *pool, ngx_str_t *in,
    ngx_uint_t brackets, ngx_lead_json_t **root, const char **why);


/*
 * The same of a body as RFC 7578 has it, strictly: lines end with CRLF, the
 * last boundary must be there, no header is folded or repeated.  What is
 * around the parts is ignored, and so are files: parts with a filename.
 *
 * A name is as sent, but \" and \\ are undone, as are %22, %0D and %0A: these
 * three is what browsers write.  Parts are text in UTF-8; Latin and Windows
 * charsets pass as long as the text is ASCII, others do not, nor do base64,
 * quoted-printable or a part that is multipart itself.
 */
ngx_int_t ngx_lead_form_multipart(ngx_pool_t *pool, ngx_str_t *content_type,
    ngx_str_t *in, ngx_uint_t brackets, ngx_lead_json_t **root,
    const char **why);


/*
 * Between ngx_lead_form*.c and ngx_lead_multipart.c only, from here on.
 *
 * A form under construction: count() is called for each field before anything
 * is done for it, add() with its decoded name and value, finish() once at the
 * end.  They return what the functions above do.
 */

typedef struct {
    ngx_lead_json_gen_t   gen;
    ngx_lead_json_t      *root;
    ngx_uint_t            brackets;
    ngx_uint_t            fields;
    const char           *why;
} ngx_lead_form_t;


ngx_int_t ngx_lead_form_start(ngx_lead_form_t *form, ngx_pool_t *pool,
    ngx_uint_t brackets);
ngx_int_t ngx_lead_form_count(ngx_lead_form_t *form);
ngx_int_t ngx_lead_form_add(ngx_lead_form_t *form, ngx_str_t *name,
    ngx_str_t *value);
void ngx_lead_form_finish(ngx_lead_form_t *form);


/*
 * MIME headers, taken off the input piece by piece: spaces and tabs; a token,
 * which is empty if there is none; what stands before parameters; the next
 * parameter, or NGX_DONE if there is none and NGX_DECLINED if it is
 * malformed.  unquote() undoes what is escaped in the name of a field.
 */

typedef struct {
    ngx_str_t             name;
    ngx_str_t             value;       /* as written, but without quotes */
} ngx_lead_form_param_t;


void ngx_lead_form_space(ngx_str_t *in);
ngx_str_t ngx_lead_form_token(ngx_str_t *in);
ngx_str_t ngx_lead_form_media(ngx_str_t *in);
ngx_int_t ngx_lead_form_param(ngx_str_t *in, ngx_lead_form_param_t *param);
ngx_int_t ngx_lead_form_unquote(ngx_pool_t *pool, ngx_str_t *text);

/* whether s is the text in any case, whether it begins so; text is lower */
ngx_uint_t ngx_lead_form_is(ngx_str_t *s, const char *text);
ngx_uint_t ngx_lead_form_begins(ngx_str_t *s, const char *text);


#endif /* _NGX_LEAD_FORM_H_INCLUDED_ */
