
/*
 * Copyright (C) the ngx_lead authors
 *
 * multipart/form-data (RFC 7578, RFC 2046) to a tree, in one pass over the
 * body.  What two readers could take for two things is refused: bare line
 * ends, folded or repeated headers, a boundary with text behind it.
 *
 * Must not know a request, a configuration or a log, nor keep anything
 * between calls, nor look into files.  The tree lives in the caller's pool;
 * names and values point into the body where that has them as they are.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_lead_form.h"


typedef struct {
    u_char                *p;
    u_char                *last;
    size_t                 len;        /* of delimiter */
    u_char                 delimiter[4 + NGX_LEAD_FORM_MAX_BOUNDARY];
    ngx_lead_form_t        form;
} ngx_lead_multipart_t;


typedef struct {
    ngx_str_t              disposition;
    ngx_str_t              type;
    ngx_str_t              encoding;
    ngx_str_t              name;
    ngx_str_t              charset;
    ngx_uint_t             file;       /* unsigned  file:1; */
} ngx_lead_multipart_part_t;


static ngx_int_t ngx_lead_multipart_body(ngx_lead_multipart_t *mp);
static void ngx_lead_multipart_open(ngx_lead_multipart_t *mp,
    ngx_str_t *boundary, ngx_str_t *in);
static u_char *ngx_lead_multipart_find(ngx_lead_multipart_t *mp);
static ngx_int_t ngx_lead_multipart_after(ngx_lead_multipart_t *mp);
static ngx_int_t ngx_lead_multipart_content(ngx_lead_multipart_t *mp,
    ngx_lead_multipart_part_t *part);

static ngx_int_t ngx_lead_multipart_head(ngx_lead_multipart_t *mp,
    ngx_lead_multipart_part_t *part);
static ngx_int_t ngx_lead_multipart_line(ngx_lead_multipart_t *mp,
    ngx_str_t *line);
static ngx_int_t ngx_lead_multipart_header(ngx_lead_multipart_t *mp,
    ngx_lead_multipart_part_t *part, ngx_str_t *line);
static ngx_int_t ngx_lead_multipart_meaning(ngx_lead_multipart_t *mp,
    ngx_lead_multipart_part_t *part);
static ngx_int_t ngx_lead_multipart_disposition(ngx_lead_multipart_t *mp,
    ngx_lead_multipart_part_t *part);
static ngx_int_t ngx_lead_multipart_type(ngx_lead_multipart_t *mp,
    ngx_lead_multipart_part_t *part);
static ngx_uint_t ngx_lead_multipart_readable(ngx_str_t *charset,
    ngx_str_t *text);
static ngx_int_t ngx_lead_multipart_refuse(ngx_lead_multipart_t *mp,
    const char *why);


ngx_int_t
ngx_lead_form_multipart(ngx_pool_t *pool, ngx_str_t *content_type,
    ngx_str_t *in, ngx_uint_t brackets, ngx_lead_json_t **root,
    const char **why)
{
    ngx_int_t             rc;
    ngx_str_t             boundary;
    ngx_lead_multipart_t  mp;

    if (ngx_lead_form_boundary(content_type, &boundary) != NGX_OK) {
        *why = "no valid boundary in Content-Type";
        return NGX_DECLINED;
    }

    if (in->len == 0) {
        *why = "no boundary in a multipart body";
        return NGX_DECLINED;
    }

    rc = ngx_lead_form_start(&mp.form, pool, brackets);

    if (rc == NGX_OK) {
        ngx_lead_multipart_open(&mp, &boundary, in);
        rc = ngx_lead_multipart_body(&mp);
    }

    if (rc == NGX_OK) {
        ngx_lead_form_finish(&mp.form);
        *root = mp.form.root;

    } else if (rc == NGX_DECLINED) {
        *why = mp.form.why;
    }

    return rc;
}


static ngx_int_t
ngx_lead_multipart_body(ngx_lead_multipart_t *mp)
{
    u_char                     *p;
    ngx_int_t                   rc;
    ngx_lead_multipart_part_t   part;

    /* the first boundary needs no line before it */

    if ((size_t) (mp->last - mp->p) >= mp->len - 2
        && ngx_memcmp(mp->p, mp->delimiter + 2, mp->len - 2) == 0)
    {
        mp->p += mp->len - 2;

    } else {
        p = ngx_lead_multipart_find(mp);

        if (p == NULL) {
            return ngx_lead_multipart_refuse(mp,
                                        "no boundary in a multipart body");
        }

        mp->p = p + mp->len;
    }

    for ( ;; ) {
        rc = ngx_lead_multipart_after(mp);

        if (rc != NGX_OK) {
            return (rc == NGX_DONE) ? NGX_OK : rc;
        }

        rc = ngx_lead_form_count(&mp->form);
        if (rc != NGX_OK) {
            return rc;
        }

        ngx_memzero(&part, sizeof(ngx_lead_multipart_part_t));

        rc = ngx_lead_multipart_head(mp, &part);
        if (rc != NGX_OK) {
            return rc;
        }

        rc = ngx_lead_multipart_content(mp, &part);
        if (rc != NGX_OK) {
            return rc;
        }
    }
}


static void
ngx_lead_multipart_open(ngx_lead_multipart_t *mp, ngx_str_t *boundary,
    ngx_str_t *in)
{
    mp->p = in->data;
    mp->last = in->data + in->len;

    ngx_memcpy(mp->delimiter, "\r\n--", 4);
    ngx_memcpy(mp->delimiter + 4, boundary->data, boundary->len);

    mp->len = 4 + boundary->len;
}


/*
 * The next delimiter.  It has one CR, its first character: what was compared
 * in vain is never compared again, whatever the body.
 */

static u_char *
ngx_lead_multipart_find(ngx_lead_multipart_t *mp)
{
    u_char  *p;

    for (p = mp->p; (size_t) (mp->last - p) >= mp->len; p++) {

        p = memchr(p, '\r', mp->last - p - mp->len + 1);

        if (p == NULL) {
            return NULL;
        }

        if (ngx_memcmp(p, mp->delimiter, mp->len) == 0) {
            return p;
        }
    }

    return NULL;
}


/* NGX_OK if a part follows the boundary, NGX_DONE if it is the last */

static ngx_int_t
ngx_lead_multipart_after(ngx_lead_multipart_t *mp)
{
    ngx_uint_t  end;

    end = (mp->last - mp->p >= 2 && mp->p[0] == '-' && mp->p[1] == '-');

    if (end) {
        mp->p += 2;
    }

    while (mp->p < mp->last && (*mp->p == ' ' || *mp->p == '\t')) {
        mp->p++;
    }

    if (end && mp->p == mp->last) {
        return NGX_DONE;
    }

    if (mp->last - mp->p < 2 || mp->p[0] != '\r' || mp->p[1] != '\n') {
        return ngx_lead_multipart_refuse(mp,
                                         "no line end behind a boundary");
    }

    mp->p += 2;

    return end ? NGX_DONE : NGX_OK;
}


static ngx_int_t
ngx_lead_multipart_content(ngx_lead_multipart_t *mp,
    ngx_lead_multipart_part_t *part)
{
    u_char     *end;
    ngx_str_t   text;

    end = ngx_lead_multipart_find(mp);

    if (end == NULL) {
        return ngx_lead_multipart_refuse(mp, "part without an end");
    }

    /* the empty line may already be the delimiter's: there is no content */

    text.data = mp->p + 2;
    text.len = (end == mp->p) ? 0 : end - text.data;

    mp->p = end + mp->len;

    if (part->file) {
        return NGX_OK;
    }

    if (!ngx_lead_multipart_readable(&part->charset, &text)) {
        return ngx_lead_multipart_refuse(mp, "part in another charset");
    }

    if (ngx_lead_form_unquote(mp->form.gen.pool, &part->name)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_lead_form_add(&mp->form, &part->name, &text);
}


/* stops before the empty line */

static ngx_int_t
ngx_lead_multipart_head(ngx_lead_multipart_t *mp,
    ngx_lead_multipart_part_t *part)
{
    u_char      *start, *p;
    ngx_int_t    rc;
    ngx_str_t    line;
    ngx_uint_t   n;

    start = mp->p;

    for (n = 0; /* void */ ; n++) {
        p = mp->p;

        rc = ngx_lead_multipart_line(mp, &line);
        if (rc != NGX_OK) {
            return rc;
        }

        if (line.len == 0) {
            mp->p = p;
            return ngx_lead_multipart_meaning(mp, part);
        }

        if (n == NGX_LEAD_FORM_MAX_HEADERS) {
            return ngx_lead_multipart_refuse(mp, "too many headers of a part");
        }

        if (mp->p - start > NGX_LEAD_FORM_MAX_HEAD) {
            return ngx_lead_multipart_refuse(mp, "headers of a part too long");
        }

        rc = ngx_lead_multipart_header(mp, part, &line);
        if (rc != NGX_OK) {
            return rc;
        }
    }
}


static ngx_int_t
ngx_lead_multipart_line(ngx_lead_multipart_t *mp, ngx_str_t *line)
{
    u_char  *p;

    for (p = mp->p; p < mp->last; p++) {
        if ((*p < ' ' && *p != '\t') || *p == 0x7f) {
            break;
        }
    }

    if (mp->last - p < 2) {
        return ngx_lead_multipart_refuse(mp, "headers of a part cut off");
    }

    if (p[0] != '\r' || p[1] != '\n') {
        return ngx_lead_multipart_refuse(mp,
                                    "control character in a part's headers");
    }

    line->data = mp->p;
    line->len = p - mp->p;

    mp->p = p + 2;

    return NGX_OK;
}


static ngx_int_t
ngx_lead_multipart_header(ngx_lead_multipart_t *mp,
    ngx_lead_multipart_part_t *part, ngx_str_t *line)
{
    ngx_str_t  value, name, *header;

    value = *line;
    name = ngx_lead_form_token(&value);

    /* a boundary with a colon would pass for a header */

    if (name.len == 0 || value.len == 0 || value.data[0] != ':'
        || (line->len >= mp->len - 2
            && ngx_memcmp(line->data, mp->delimiter + 2, mp->len - 2) == 0))
    {
        return ngx_lead_multipart_refuse(mp, "malformed header of a part");
    }

    value.data++;
    value.len--;

    if (ngx_lead_form_is(&name, "content-disposition")) {
        header = &part->disposition;

    } else if (ngx_lead_form_is(&name, "content-type")) {
        header = &part->type;

    } else if (ngx_lead_form_is(&name, "content-transfer-encoding")) {
        header = &part->encoding;

    } else {
        return NGX_OK;
    }

    if (header->data) {
        return ngx_lead_multipart_refuse(mp, "repeated header of a part");
    }

    ngx_lead_form_space(&value);
    *header = value;

    return NGX_OK;
}


static ngx_int_t
ngx_lead_multipart_meaning(ngx_lead_multipart_t *mp,
    ngx_lead_multipart_part_t *part)
{
    ngx_int_t  rc;
    ngx_str_t  encoding;

    rc = ngx_lead_multipart_disposition(mp, part);
    if (rc != NGX_OK) {
        return rc;
    }

    rc = ngx_lead_multipart_type(mp, part);
    if (rc != NGX_OK) {
        return rc;
    }

    if (part->encoding.data == NULL || part->file) {
        return NGX_OK;
    }

    encoding = ngx_lead_form_token(&part->encoding);
    ngx_lead_form_space(&part->encoding);

    if (part->encoding.len == 0
        && (ngx_lead_form_is(&encoding, "8bit")
            || ngx_lead_form_is(&encoding, "7bit")
            || ngx_lead_form_is(&encoding, "binary")))
    {
        return NGX_OK;
    }

    return ngx_lead_multipart_refuse(mp, "encoded part");
}


static ngx_int_t
ngx_lead_multipart_disposition(ngx_lead_multipart_t *mp,
    ngx_lead_multipart_part_t *part)
{
    ngx_int_t              rc;
    ngx_str_t              in, type;
    ngx_lead_form_param_t  param;

    in = part->disposition;
    type = ngx_lead_form_token(&in);

    if (!ngx_lead_form_is(&type, "form-data")) {
        return ngx_lead_multipart_refuse(mp, "part that is no form-data");
    }

    for ( ;; ) {
        rc = ngx_lead_form_param(&in, &param);

        if (rc == NGX_DONE) {
            break;
        }

        if (rc != NGX_OK) {
            return ngx_lead_multipart_refuse(mp,
                                             "malformed Content-Disposition");
        }

        if (ngx_lead_form_is(&param.name, "name")) {

            if (part->name.data) {
                return ngx_lead_multipart_refuse(mp, "part with two names");
            }

            part->name = param.value;

        } else if (ngx_lead_form_is(&param.name, "filename")
                   || ngx_lead_form_is(&param.name, "filename*"))
        {
            part->file = 1;
        }
    }

    if (part->name.data == NULL) {
        return ngx_lead_multipart_refuse(mp, "part without a name");
    }

    return NGX_OK;
}


static ngx_int_t
ngx_lead_multipart_type(ngx_lead_multipart_t *mp,
    ngx_lead_multipart_part_t *part)
{
    ngx_int_t              rc;
    ngx_str_t              in;
    ngx_lead_form_param_t  param;

    if (ngx_lead_form_begins(&part->type, "multipart/")) {
        return ngx_lead_multipart_refuse(mp, "multipart in a part");
    }

    if (part->type.data == NULL || part->file) {
        return NGX_OK;
    }

    in = part->type;
    (void) ngx_lead_form_media(&in);

    for ( ;; ) {
        rc = ngx_lead_form_param(&in, &param);

        if (rc == NGX_DONE) {
            return NGX_OK;
        }

        if (rc != NGX_OK) {
            return ngx_lead_multipart_refuse(mp,
                                         "malformed Content-Type of a part");
        }

        if (ngx_lead_form_is(&param.name, "charset")) {

            if (part->charset.data) {
                return ngx_lead_multipart_refuse(mp,
                                                 "part with two charsets");
            }

            part->charset = param.value;
        }
    }
}


/* whether the text of that charset is the same bytes in UTF-8 */

static ngx_uint_t
ngx_lead_multipart_readable(ngx_str_t *charset, ngx_str_t *text)
{
    size_t  i;

    if (charset->data == NULL
        || ngx_lead_form_is(charset, "utf-8")
        || ngx_lead_form_is(charset, "utf8")
        || ngx_lead_form_is(charset, "us-ascii"))
    {
        return 1;
    }

    if (!ngx_lead_form_begins(charset, "iso-8859-")
        && !ngx_lead_form_begins(charset, "windows-125"))
    {
        return 0;
    }

    for (i = 0; i < text->len; i++) {
        if (text->data[i] >= 0x80) {
            return 0;
        }
    }

    return 1;
}


static ngx_int_t
ngx_lead_multipart_refuse(ngx_lead_multipart_t *mp, const char *why)
{
    mp->form.why = why;

    return NGX_DECLINED;
}
