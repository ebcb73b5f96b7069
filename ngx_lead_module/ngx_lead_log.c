
/*
 * Copyright (C) the ngx_lead authors
 *
 * What a log says of a request: its line without what may be a key or
 * somebody's data, for the error log and for $lead_request.
 *
 * nginx adds to each line of the error log the request line and the referrer.
 * In locations with lead_api the values of arguments are taken out there, and
 * what a path has beside the words of its API and ids; a referrer is left out
 * as a whole.  That is wanted before the location is known, as nginx itself
 * may refuse a request when it has found it: so r->log_handler is replaced
 * for every request, and asks for the location when there is a line to write.
 *
 * Must not allocate, nor keep anything of a line, but for the variable.
 */


#include "ngx_lead.h"


#define NGX_LEAD_LOG_DIGITS  9       /* of an id; phone numbers have more */
#define NGX_LEAD_LOG_NAME    32      /* of an argument; keys have more */


static ngx_int_t ngx_lead_log_post_read(ngx_http_request_t *r);
static u_char *ngx_lead_log_handler(ngx_http_request_t *r,
    ngx_http_request_t *sr, u_char *buf, size_t len);
static u_char *ngx_lead_log_redacted(ngx_http_request_t *r,
    ngx_http_request_t *sr, u_char *buf, size_t len);
static u_char *ngx_lead_log_line(ngx_http_request_t *r, u_char *p,
    u_char *last);
static u_char *ngx_lead_log_path(ngx_lead_loc_conf_t *llcf, ngx_str_t *path,
    u_char *p, u_char *last);
static ngx_uint_t ngx_lead_log_segment(ngx_lead_loc_conf_t *llcf,
    ngx_str_t *segment);
static ngx_uint_t ngx_lead_log_word(ngx_str_t *path, ngx_str_t *word);
static u_char *ngx_lead_log_args(ngx_str_t *args, u_char *p, u_char *last);
static ngx_uint_t ngx_lead_log_name(ngx_str_t *name);


ngx_int_t
ngx_lead_log_init(ngx_conf_t *cf)
{
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_POST_READ_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_lead_log_post_read;

    return NGX_OK;
}


static ngx_int_t
ngx_lead_log_post_read(ngx_http_request_t *r)
{
    ngx_lead_main_conf_t  *lmcf;

    lmcf = ngx_http_get_module_main_conf(r, ngx_lead_module);

    if (r->log_handler != ngx_lead_log_handler) {
        lmcf->log_handler = r->log_handler;
        r->log_handler = ngx_lead_log_handler;
    }

    return NGX_DECLINED;
}


static u_char *
ngx_lead_log_handler(ngx_http_request_t *r, ngx_http_request_t *sr,
    u_char *buf, size_t len)
{
    ngx_lead_loc_conf_t   *llcf;
    ngx_lead_main_conf_t  *lmcf;

    llcf = ngx_http_get_module_loc_conf(r, ngx_lead_module);

    if (llcf->dialect) {

        /* also where an error_page takes it to */

        r->log_handler = ngx_lead_log_redacted;

        return ngx_lead_log_redacted(r, sr, buf, len);
    }

    lmcf = ngx_http_get_module_main_conf(r, ngx_lead_module);

    return lmcf->log_handler(r, sr, buf, len);
}


/* nginx' own handler, shown another line */

static u_char *
ngx_lead_log_redacted(ngx_http_request_t *r, ngx_http_request_t *sr,
    u_char *buf, size_t len)
{
    u_char                *p, line[NGX_MAX_ERROR_STR];
    ngx_str_t              request_line;
    ngx_table_elt_t       *referer;
    ngx_lead_main_conf_t  *lmcf;

    lmcf = ngx_http_get_module_main_conf(r, ngx_lead_module);

    request_line = r->request_line;
    referer = r->headers_in.referer;

    p = ngx_lead_log_line(r, line, line + NGX_MAX_ERROR_STR);

    r->request_line.data = line;
    r->request_line.len = p - line;
    r->headers_in.referer = NULL;

    p = lmcf->log_handler(r, sr, buf, len);

    r->request_line = request_line;
    r->headers_in.referer = referer;

    return p;
}


ngx_int_t
ngx_lead_log_variable(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    size_t   len;
    u_char  *p;

    if (r->unparsed_uri.len == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    len = r->request_line.len + r->unparsed_uri.len + r->http_protocol.len
          + 2;

    p = ngx_pnalloc(r->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    v->data = p;
    v->len = ngx_lead_log_line(r, p, p + len) - p;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


/* of what is taken out a "-" is left: it is never longer than the line was */

static u_char *
ngx_lead_log_line(ngx_http_request_t *r, u_char *p, u_char *last)
{
    u_char               *end;
    ngx_str_t             method, path, args;
    ngx_lead_loc_conf_t  *llcf;

    llcf = ngx_http_get_module_loc_conf(r, ngx_lead_module);

    /* r->method_name is GET where an error_page has led to */

    method = r->request_line;
    end = ngx_strlchr(method.data, method.data + method.len, ' ');

    if (end) {
        method.len = end - method.data;
    }

    path = r->unparsed_uri;
    args.data = ngx_strlchr(path.data, path.data + path.len, '?');

    if (args.data) {
        args.len = path.data + path.len - args.data;
        path.len -= args.len;
    }

    p = ngx_slprintf(p, last, "%V ", &method);
    p = ngx_lead_log_path(llcf, &path, p, last);

    if (args.data) {
        p = ngx_lead_log_args(&args, p, last);
    }

    if (r->http_protocol.len) {
        p = ngx_slprintf(p, last, " %V", &r->http_protocol);
    }

    return p;
}


static u_char *
ngx_lead_log_path(ngx_lead_loc_conf_t *llcf, ngx_str_t *path, u_char *p,
    u_char *last)
{
    u_char     *q, *end;
    ngx_str_t   segment;

    if (llcf->dialect == NULL) {
        return ngx_slprintf(p, last, "%V", path);
    }

    q = path->data;
    end = q + path->len;

    while (q < end) {
        segment.data = q;

        while (q < end && *q != '/') {
            q++;
        }

        segment.len = q - segment.data;

        if (segment.len && !ngx_lead_log_segment(llcf, &segment)) {
            ngx_str_set(&segment, "-");
        }

        p = ngx_slprintf(p, last, "%V", &segment);

        if (q < end) {
            p = ngx_slprintf(p, last, "/");
            q++;
        }
    }

    return p;
}


/* a word of the API or of base=, a UUID or a number */

static ngx_uint_t
ngx_lead_log_segment(ngx_lead_loc_conf_t *llcf, ngx_str_t *segment)
{
    size_t             i;
    lead_id_t          id;
    lead_bytes_t       bytes;
    ngx_lead_route_t  *route;

    if (ngx_lead_log_word(&llcf->base, segment)) {
        return 1;
    }

    for (route = llcf->dialect->routes; route->path.len; route++) {
        if (ngx_lead_log_word(&route->path, segment)) {
            return 1;
        }
    }

    if (segment->len > NGX_LEAD_LOG_DIGITS) {
        bytes.data = segment->data;
        bytes.len = segment->len;

        return lead_store_id_parse(bytes, &id) == 0;
    }

    for (i = 0; i < segment->len; i++) {
        if (segment->data[i] < '0' || segment->data[i] > '9') {
            return 0;
        }
    }

    return 1;
}


static ngx_uint_t
ngx_lead_log_word(ngx_str_t *path, ngx_str_t *word)
{
    u_char  *p, *q, *last;

    last = path->data + path->len;

    for (p = path->data; p < last; p = q + 1) {

        q = ngx_strlchr(p, last, '/');
        if (q == NULL) {
            q = last;
        }

        if ((size_t) (q - p) == word->len
            && ngx_strncmp(p, word->data, word->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


/* "?" and "&" are kept, and names in front of "=" */

static u_char *
ngx_lead_log_args(ngx_str_t *args, u_char *p, u_char *last)
{
    u_char     *q, *end;
    ngx_str_t   name;

    q = args->data;
    end = q + args->len;

    while (q < end) {

        p = ngx_slprintf(p, last, "%c", *q++);
        name.data = q;

        while (q < end && *q != '=' && *q != '&') {
            q++;
        }

        name.len = q - name.data;

        if (q < end && *q == '=' && ngx_lead_log_name(&name)) {
            p = ngx_slprintf(p, last, "%V=", &name);
            name.len = 0;
            q++;
        }

        if (name.len || (q < end && *q != '&')) {
            p = ngx_slprintf(p, last, "-");
        }

        while (q < end && *q != '&') {
            q++;
        }
    }

    return p;
}


/* as names of fields are, also with brackets */

static ngx_uint_t
ngx_lead_log_name(ngx_str_t *name)
{
    u_char  c;
    size_t  i;

    for (i = 0; i < name->len; i++) {
        c = name->data[i];

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_') {
            continue;
        }

        if (i && ((c >= '0' && c <= '9') || c == '[' || c == ']')) {
            continue;
        }

        return 0;
    }

    return name->len <= NGX_LEAD_LOG_NAME;
}
