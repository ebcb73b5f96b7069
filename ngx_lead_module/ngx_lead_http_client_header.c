
/*
 * Copyright (C) the ngx_lead authors
 *
 * The lines of an answer's header that matter to the client: what frames the
 * body, whether the connection stays, when to come again.
 *
 * Must not guess where two readers could differ about a length.  A pure
 * function on the parser's own line.
 */


#include "ngx_lead_http_client.h"


#define NGX_LEAD_HTTP_DIGITS_MAX  18         /* of Content-Length */


static ngx_int_t ngx_lead_http_parse_header(ngx_lead_http_parse_t *p,
    ngx_str_t *name, ngx_str_t *value);
static ngx_int_t ngx_lead_http_parse_length(ngx_lead_http_parse_t *p,
    ngx_str_t *value);
static ngx_int_t ngx_lead_http_parse_coding(ngx_lead_http_parse_t *p,
    ngx_str_t *value);
static void ngx_lead_http_parse_connection(ngx_lead_http_parse_t *p,
    ngx_str_t *value);
static void ngx_lead_http_parse_retry(ngx_lead_http_parse_t *p,
    ngx_str_t *value);
static ngx_uint_t ngx_lead_http_item(ngx_str_t *list, ngx_str_t *item);
static void ngx_lead_http_trim(ngx_str_t *s);
static ngx_uint_t ngx_lead_http_is(ngx_str_t *s, const char *name);
static ngx_uint_t ngx_lead_http_is_token(ngx_str_t *s);


ngx_int_t
ngx_lead_http_parse_line(ngx_lead_http_parse_t *p)
{
    size_t     i;
    ngx_str_t  name, value;

    name.data = p->line;
    name.len = 0;

    while (name.len < p->nline && p->line[name.len] != ':') {
        name.len++;
    }

    if (name.len == p->nline || !ngx_lead_http_is_token(&name)) {
        return NGX_ERROR;
    }

    value.data = p->line + name.len + 1;
    value.len = p->nline - name.len - 1;

    for (i = 0; i < value.len; i++) {
        if (value.data[i] == CR || value.data[i] == '\0') {
            return NGX_ERROR;
        }
    }

    ngx_lead_http_trim(&value);

    return ngx_lead_http_parse_header(p, &name, &value);
}


/* what is cut off could change a value's meaning */

static ngx_int_t
ngx_lead_http_parse_header(ngx_lead_http_parse_t *p, ngx_str_t *name,
    ngx_str_t *value)
{
    if (ngx_lead_http_is(name, "content-length")) {
        return p->cut ? NGX_ERROR : ngx_lead_http_parse_length(p, value);
    }

    if (ngx_lead_http_is(name, "transfer-encoding")) {
        return p->cut ? NGX_ERROR : ngx_lead_http_parse_coding(p, value);
    }

    if (ngx_lead_http_is(name, "connection")) {

        if (p->cut) {
            p->close = 1;
            return NGX_OK;
        }

        ngx_lead_http_parse_connection(p, value);

    } else if (ngx_lead_http_is(name, "retry-after") && !p->cut) {
        ngx_lead_http_parse_retry(p, value);
    }

    return NGX_OK;
}


/* the same length said twice is let pass, as RFC 9112 allows */

static ngx_int_t
ngx_lead_http_parse_length(ngx_lead_http_parse_t *p, ngx_str_t *value)
{
    off_t      length;
    size_t     i;
    ngx_str_t  item;

    if (value->len == 0) {
        return NGX_ERROR;
    }

    while (ngx_lead_http_item(value, &item)) {

        if (item.len == 0 || item.len > NGX_LEAD_HTTP_DIGITS_MAX) {
            return NGX_ERROR;
        }

        length = 0;

        for (i = 0; i < item.len; i++) {

            if (item.data[i] < '0' || item.data[i] > '9') {
                return NGX_ERROR;
            }

            length = length * 10 + (item.data[i] - '0');
        }

        if (p->length != -1 && p->length != length) {
            return NGX_ERROR;
        }

        p->length = length;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_lead_http_parse_coding(ngx_lead_http_parse_t *p, ngx_str_t *value)
{
    ngx_str_t  item;

    while (ngx_lead_http_item(value, &item)) {

        if (item.len == 0 || ngx_lead_http_is(&item, "identity")) {
            continue;
        }

        /* "chunked" is the last one, else nobody knows where the body ends */

        if (p->chunked) {
            return NGX_ERROR;
        }

        p->coded = 1;
        p->chunked = ngx_lead_http_is(&item, "chunked");
    }

    return NGX_OK;
}


static void
ngx_lead_http_parse_connection(ngx_lead_http_parse_t *p, ngx_str_t *value)
{
    ngx_str_t  item;

    while (ngx_lead_http_item(value, &item)) {

        if (ngx_lead_http_is(&item, "close")) {
            p->close = 1;

        } else if (ngx_lead_http_is(&item, "keep-alive")) {
            p->keep = 1;
        }
    }
}


/* of several the first that can be read */

static void
ngx_lead_http_parse_retry(ngx_lead_http_parse_t *p, ngx_str_t *value)
{
    size_t  i;
    time_t  t;

    if (p->retry_after != -1 || value->len == 0) {
        return;
    }

    if (value->data[0] < '0' || value->data[0] > '9') {

        t = ngx_parse_http_time(value->data, value->len);

        if (t != NGX_ERROR) {
            p->retry_after = ngx_max(t - ngx_time(), 0);
        }

        return;
    }

    t = 0;

    for (i = 0; i < value->len; i++) {

        if (value->data[i] < '0' || value->data[i] > '9') {
            return;
        }

        if (t < NGX_MAX_INT32_VALUE / 10) {
            t = t * 10 + (value->data[i] - '0');

        } else {
            t = NGX_MAX_INT32_VALUE;
        }
    }

    p->retry_after = t;
}


/* takes the next item off a list with commas, which loses its data at the
 * end */

static ngx_uint_t
ngx_lead_http_item(ngx_str_t *list, ngx_str_t *item)
{
    u_char  *comma;

    if (list->data == NULL) {
        return 0;
    }

    *item = *list;

    comma = ngx_strlchr(list->data, list->data + list->len, ',');

    if (comma) {
        item->len = comma - list->data;
        list->data = comma + 1;
        list->len -= item->len + 1;

    } else {
        ngx_str_null(list);
    }

    ngx_lead_http_trim(item);

    return 1;
}


static void
ngx_lead_http_trim(ngx_str_t *s)
{
    while (s->len && (s->data[0] == ' ' || s->data[0] == '\t')) {
        s->data++;
        s->len--;
    }

    while (s->len && (s->data[s->len - 1] == ' '
                      || s->data[s->len - 1] == '\t'))
    {
        s->len--;
    }
}


static ngx_uint_t
ngx_lead_http_is(ngx_str_t *s, const char *name)
{
    size_t  i;

    for (i = 0; i < s->len; i++) {
        if (name[i] == '\0' || ngx_tolower(s->data[i]) != (u_char) name[i]) {
            return 0;
        }
    }

    return name[i] == '\0';
}


static ngx_uint_t
ngx_lead_http_is_token(ngx_str_t *s)
{
    size_t  i;
    u_char  ch, c;

    for (i = 0; i < s->len; i++) {
        ch = s->data[i];
        c = ngx_tolower(ch);

        if ((c < 'a' || c > 'z') && (ch < '0' || ch > '9')
            && (ch == '\0' || ngx_strchr("!#$%&'*+-.^_`|~", ch) == NULL))
        {
            return 0;
        }
    }

    return s->len != 0;
}
