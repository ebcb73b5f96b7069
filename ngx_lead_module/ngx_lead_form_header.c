
/*
 * Copyright (C) the ngx_lead authors
 *
 * What forms need of MIME headers: media types, tokens, parameters and the
 * ways their values are quoted.
 *
 * Must not know a request, a configuration or a log, nor what a header is
 * for.  Everything points into the header given; only a value that has
 * something to undo is copied, to the caller's pool.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_lead_form.h"


static ngx_int_t ngx_lead_form_quoted(ngx_str_t *in, ngx_str_t *value);
static ngx_uint_t ngx_lead_form_is_token(u_char ch);


ngx_lead_form_type_e
ngx_lead_form_type(ngx_str_t *content_type)
{
    ngx_str_t  in, type, sub;

    in = *content_type;

    ngx_lead_form_space(&in);

    if (in.len == 0) {
        return NGX_LEAD_FORM_NONE;
    }

    type = ngx_lead_form_media(&in);

    ngx_lead_form_space(&in);

    if (in.len && in.data[0] != ';') {
        return NGX_LEAD_FORM_OTHER;
    }

    if (ngx_lead_form_is(&type, "application/x-www-form-urlencoded")) {
        return NGX_LEAD_FORM_URLENCODED;
    }

    if (ngx_lead_form_is(&type, "multipart/form-data")) {
        return NGX_LEAD_FORM_MULTIPART;
    }

    /* "x/json" and "x/y+json" have the last five letters in common */

    if (type.len > 5) {
        sub.data = type.data + type.len - 5;
        sub.len = 5;

        if (ngx_lead_form_is(&sub, "/json")
            || (ngx_lead_form_is(&sub, "+json")
                && memchr(type.data + 1, '/', type.len - 6)))
        {
            return NGX_LEAD_FORM_JSON;
        }
    }

    return NGX_LEAD_FORM_OTHER;
}


ngx_int_t
ngx_lead_form_boundary(ngx_str_t *content_type, ngx_str_t *boundary)
{
    size_t                 i;
    ngx_int_t              rc;
    ngx_str_t              in, found;
    ngx_lead_form_param_t  param;

    if (ngx_lead_form_type(content_type) != NGX_LEAD_FORM_MULTIPART) {
        return NGX_DECLINED;
    }

    in = *content_type;
    ngx_str_null(&found);

    ngx_lead_form_space(&in);
    (void) ngx_lead_form_media(&in);

    for ( ;; ) {
        rc = ngx_lead_form_param(&in, &param);

        if (rc == NGX_DONE) {
            break;
        }

        if (rc != NGX_OK) {
            return NGX_DECLINED;
        }

        if (!ngx_lead_form_is(&param.name, "boundary")) {
            continue;
        }

        if (found.data || param.value.len == 0
            || param.value.len > NGX_LEAD_FORM_MAX_BOUNDARY
            || param.value.data[param.value.len - 1] == ' ')
        {
            return NGX_DECLINED;
        }

        found = param.value;
    }

    if (found.data == NULL) {
        return NGX_DECLINED;
    }

    for (i = 0; i < found.len; i++) {
        if (found.data[i] < ' ' || found.data[i] > '~'
            || found.data[i] == ';' || found.data[i] == '\\')
        {
            return NGX_DECLINED;
        }
    }

    *boundary = found;

    return NGX_OK;
}


void
ngx_lead_form_space(ngx_str_t *in)
{
    while (in->len && (in->data[0] == ' ' || in->data[0] == '\t')) {
        in->data++;
        in->len--;
    }
}


ngx_str_t
ngx_lead_form_media(ngx_str_t *in)
{
    ngx_str_t  media;

    media.data = in->data;

    while (in->len && in->data[0] > ' ' && in->data[0] != ';') {
        in->data++;
        in->len--;
    }

    media.len = in->data - media.data;

    return media;
}


ngx_str_t
ngx_lead_form_token(ngx_str_t *in)
{
    ngx_str_t  token;

    token.data = in->data;

    while (in->len && ngx_lead_form_is_token(in->data[0])) {
        in->data++;
        in->len--;
    }

    token.len = in->data - token.data;

    return token;
}


ngx_int_t
ngx_lead_form_param(ngx_str_t *in, ngx_lead_form_param_t *param)
{
    u_char      ch;
    ngx_uint_t  next;

    for (next = 0; /* void */ ; next = 1) {
        ngx_lead_form_space(in);

        if (in->len == 0) {
            return NGX_DONE;
        }

        if (in->data[0] != ';') {
            break;
        }

        in->data++;
        in->len--;
    }

    param->name = ngx_lead_form_token(in);

    if (!next || param->name.len == 0 || in->len == 0
        || in->data[0] != '=')
    {
        return NGX_DECLINED;
    }

    in->data++;
    in->len--;

    if (in->len && in->data[0] == '"') {
        return ngx_lead_form_quoted(in, &param->value);
    }

    /* more than a token: boundaries with "/" or "=" are seen without quotes */

    param->value.data = in->data;
    param->value.len = 0;

    while (param->value.len < in->len) {
        ch = in->data[param->value.len];

        if (ch <= ' ' || ch > '~' || ch == ';' || ch == '"' || ch == '\\') {
            break;
        }

        param->value.len++;
    }

    in->data += param->value.len;
    in->len -= param->value.len;

    return param->value.len ? NGX_OK : NGX_DECLINED;
}


/* a backslash escapes itself and a quote; else it is part of a file's path */

static ngx_int_t
ngx_lead_form_quoted(ngx_str_t *in, ngx_str_t *value)
{
    u_char  *p, *last;

    p = in->data + 1;
    last = in->data + in->len;

    value->data = p;

    while (p < last && *p != '"') {
        if (*p == '\\' && last - p > 1 && (p[1] == '"' || p[1] == '\\')) {
            p++;
        }

        p++;
    }

    if (p == last) {
        return NGX_DECLINED;
    }

    value->len = p - value->data;

    in->data = p + 1;
    in->len = last - in->data;

    return NGX_OK;
}


ngx_int_t
ngx_lead_form_unquote(ngx_pool_t *pool, ngx_str_t *text)
{
    u_char  *p, *last, *dst;

    if (memchr(text->data, '\\', text->len) == NULL
        && memchr(text->data, '%', text->len) == NULL)
    {
        return NGX_OK;
    }

    dst = ngx_pnalloc(pool, text->len);
    if (dst == NULL) {
        return NGX_ERROR;
    }

    p = text->data;
    last = p + text->len;
    text->data = dst;

    while (p < last) {

        if (*p == '\\' && last - p > 1 && (p[1] == '"' || p[1] == '\\')) {
            *dst++ = p[1];
            p += 2;
            continue;
        }

        if (*p == '%' && last - p > 2) {

            if (p[1] == '2' && p[2] == '2') {
                *dst++ = '"';
                p += 3;
                continue;
            }

            if (p[1] == '0' && (p[2] == 'D' || p[2] == 'A')) {
                *dst++ = (p[2] == 'D') ? '\r' : '\n';
                p += 3;
                continue;
            }
        }

        *dst++ = *p++;
    }

    text->len = dst - text->data;

    return NGX_OK;
}


static ngx_uint_t
ngx_lead_form_is_token(u_char ch)
{
    if ((ch >= '0' && ch <= '9') || ((ch | 0x20) >= 'a' && (ch | 0x20) <= 'z'))
    {
        return 1;
    }

    return ch > ' ' && ch < 0x7f && ngx_strchr("!#$%&'*+-.^_`|~", ch) != NULL;
}


ngx_uint_t
ngx_lead_form_is(ngx_str_t *s, const char *text)
{
    return s->len == ngx_strlen(text) && ngx_lead_form_begins(s, text);
}


ngx_uint_t
ngx_lead_form_begins(ngx_str_t *s, const char *text)
{
    size_t  i;

    for (i = 0; text[i]; i++) {
        if (i == s->len || ngx_tolower(s->data[i]) != (u_char) text[i]) {
            return 0;
        }
    }

    return 1;
}
