
/*
 * Copyright (C) the ngx_lead authors
 *
 * Reads the arguments of a directive by a table, and says what is wrong with
 * them in nginx' words, with file and line.  Setters of values are in
 * ngx_lead_value.c and beside the directives that alone use them.
 *
 * Values are not copied: an argument lives as long as the configuration.
 */


#include "ngx_lead_conf.h"


/* nginx cuts messages off, and the end of ours is what to do */

#define NGX_LEAD_PARAM_SHOWN       160

#define ngx_lead_param_shown(text)                                            \
    ((size_t) ngx_min((text)->len, NGX_LEAD_PARAM_SHOWN))
#define ngx_lead_param_more(text)                                             \
    ((text)->len > NGX_LEAD_PARAM_SHOWN ? "..." : "")


static ngx_lead_param_t *ngx_lead_param_find(ngx_lead_param_t *params,
    ngx_uint_t word, ngx_str_t *arg);
static void ngx_lead_param_unknown(ngx_conf_t *cf, ngx_lead_param_t *params,
    ngx_uint_t n);
static ngx_uint_t ngx_lead_param_hidden(ngx_lead_param_t *params,
    ngx_uint_t n, ngx_str_t *args);
static ngx_uint_t ngx_lead_param_same(ngx_lead_param_t *param, u_char *a,
    u_char *b);


char *
ngx_lead_params(ngx_conf_t *cf, ngx_lead_param_t *params, void *conf)
{
    ngx_str_t         *args, value;
    ngx_uint_t         i, seen, bit;
    ngx_lead_param_t  *param;

    args = cf->args->elts;
    seen = 0;

    for (i = 1; i < cf->args->nelts; i++) {

        param = ngx_lead_param_find(params, i - 1, &args[i]);

        if (param == NULL) {
            ngx_lead_param_unknown(cf, params, i);
            return NGX_CONF_ERROR;
        }

        bit = (ngx_uint_t) 1 << (param - params);

        if ((seen & bit) && !(param->flags & NGX_LEAD_PARAM_MANY)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate parameter \"%s\" in \"%V\"",
                               param->name, &args[0]);
            return NGX_CONF_ERROR;
        }

        seen |= bit;
        value = args[i];

        if (!(param->flags & (NGX_LEAD_PARAM_WORD|NGX_LEAD_PARAM_FLAG))) {
            value.data += ngx_strlen(param->name) + 1;
            value.len -= ngx_strlen(param->name) + 1;
        }

        if (ngx_lead_param_value(cf, param, &args[i], &value,
                                 (u_char *) conf + param->offset)
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


void *
ngx_lead_params_push(ngx_conf_t *cf, ngx_array_t *array, size_t size,
    ngx_lead_param_t *params)
{
    void  *item;

    if (array->elts == NULL && ngx_array_init(array, cf->pool, 4, size)
        != NGX_OK)
    {
        return NULL;
    }

    item = ngx_array_push(array);
    if (item == NULL) {
        return NULL;
    }

    ngx_memzero(item, size);

    if (ngx_lead_params(cf, params, item) != NGX_CONF_OK
        || ngx_lead_params_unique(cf, array, params, item) != NGX_CONF_OK)
    {
        return NULL;
    }

    return item;
}


static ngx_lead_param_t *
ngx_lead_param_find(ngx_lead_param_t *params, ngx_uint_t word, ngx_str_t *arg)
{
    size_t             len;
    ngx_lead_param_t  *param;

    for (param = params; param->name; param++) {

        if (param->flags & NGX_LEAD_PARAM_WORD) {
            if ((ngx_uint_t) (param - params) == word) {
                return param;
            }

            continue;
        }

        len = ngx_strlen(param->name);

        if (arg->len < len || ngx_strncmp(arg->data, param->name, len) != 0) {
            continue;
        }

        if (param->flags & NGX_LEAD_PARAM_FLAG) {
            if (arg->len == len) {
                return param;
            }

        } else if (arg->len > len && arg->data[len] == '=') {
            return param;
        }
    }

    return NULL;
}


static void
ngx_lead_param_unknown(ngx_conf_t *cf, ngx_lead_param_t *params, ngx_uint_t n)
{
    u_char            *p, *last, *end;
    ngx_str_t         *args;
    ngx_lead_param_t  *param;
    u_char             list[NGX_MAX_CONF_ERRSTR / 2];

    args = cf->args->elts;
    p = list;
    last = list + sizeof(list);

    for (param = params; param->name; param++) {

        if (param->flags & NGX_LEAD_PARAM_WORD) {
            continue;
        }

        p = ngx_slprintf(p, last, "%s\"%s%s\"", p == list ? "" : ", ",
                         param->name,
                         (param->flags & NGX_LEAD_PARAM_FLAG) ? "" : "=");
    }

    if (ngx_lead_param_hidden(params, n, args)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "argument %ui of \"%V\", not shown as it may be "
                           "part of a secret, is none of %*s; quotes go "
                           "around the whole parameter, \"name=value\"",
                           n, &args[0], (size_t) (p - list), list);
        return;
    }

    end = ngx_strlchr(args[n].data, args[n].data + args[n].len, '=');

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "unknown parameter \"%*s\" in \"%V\", which takes "
                       "%*s%s",
                       end ? (size_t) (end + 1 - args[n].data) : args[n].len,
                       args[n].data, &args[0], (size_t) (p - list), list,
                       p == list ? "no other parameters" : "");
}


/* of what may hold a secret only a parameter's name is shown, and nothing if
 * it follows one, where it may be the rest of it */

static ngx_uint_t
ngx_lead_param_hidden(ngx_lead_param_t *params, ngx_uint_t n, ngx_str_t *args)
{
    u_char            *p, *last;
    ngx_lead_param_t  *param;

    for (param = params; param->name; param++) {
        if (param->flags & NGX_LEAD_PARAM_SECRET) {
            break;
        }
    }

    if (param->name == NULL) {
        return 0;
    }

    p = args[n].data;
    last = p + args[n].len;

    while (p < last && ((*p >= 'a' && *p <= 'z') || *p == '_')) {
        p++;
    }

    if (p == last || p == args[n].data || *p != '=') {
        return 1;
    }

    param = ngx_lead_param_find(params, n - 2, &args[n - 1]);

    return param && !(param->flags & NGX_LEAD_PARAM_WORD)
           && (param->flags & NGX_LEAD_PARAM_SECRET);
}


char *
ngx_lead_param_value(ngx_conf_t *cf, ngx_lead_param_t *param, ngx_str_t *arg,
    ngx_str_t *value, void *field)
{
    char  *why;

    if (value->len && value->data[0] == '"') {
        why = "quotes go around the whole parameter, \"name=value\"";

    } else {
        why = param->set(cf, value, field);
    }

    if (why == NULL) {
        return NGX_CONF_OK;
    }

    if (why == NGX_CONF_ERROR) {
        return NGX_CONF_ERROR;
    }

    if (param->flags & NGX_LEAD_PARAM_SECRET) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           (param->flags & NGX_LEAD_PARAM_WORD)
                           ? "invalid %s: %s" : "invalid value of \"%s=\": %s",
                           param->name, why);

    } else if (param->flags & NGX_LEAD_PARAM_WORD) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid %s \"%*s%s\": %s", param->name,
                           ngx_lead_param_shown(value), value->data,
                           ngx_lead_param_more(value), why);

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value \"%*s%s\" in \"%*s%s\": %s",
                           ngx_lead_param_shown(value), value->data,
                           ngx_lead_param_more(value),
                           ngx_lead_param_shown(arg), arg->data,
                           ngx_lead_param_more(arg), why);
    }

    return NGX_CONF_ERROR;
}


char *
ngx_lead_params_unique(ngx_conf_t *cf, ngx_array_t *array,
    ngx_lead_param_t *params, void *item)
{
    u_char            *other;
    ngx_str_t         *args;
    ngx_uint_t         i;
    ngx_lead_param_t  *param;

    other = array->elts;

    for (i = 0; i < array->nelts; i++, other += array->size) {

        if (other == item) {
            continue;
        }

        for (param = params; param->name; param++) {
            if (!ngx_lead_param_same(param, other, item)) {
                continue;
            }

            args = cf->args->elts;

            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate %s in \"%V %V\": another \"%V\" "
                               "has it already",
                               param->name, &args[0], &args[1], &args[0]);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static ngx_uint_t
ngx_lead_param_same(ngx_lead_param_t *param, u_char *a, u_char *b)
{
    ngx_str_t   *s, *t;
    ngx_uint_t  *n, *m;

    if (param->flags & NGX_LEAD_PARAM_UNIQUE) {
        s = (ngx_str_t *) (a + param->offset);
        t = (ngx_str_t *) (b + param->offset);

        return s->len && s->len == t->len
               && ngx_memcmp(s->data, t->data, s->len) == 0;
    }

    if (param->flags & NGX_LEAD_PARAM_NUMBER) {
        n = (ngx_uint_t *) (a + param->offset);
        m = (ngx_uint_t *) (b + param->offset);

        return *n && *n == *m;
    }

    return 0;
}


char *
ngx_lead_param_split(ngx_conf_t *cf, ngx_str_t *value, u_char separator,
    ngx_array_t *array, ngx_lead_param_pt set)
{
    char       *why;
    u_char     *p, *last;
    ngx_str_t   part, checked;

    p = value->data;
    last = value->data + value->len;

    for ( ;; ) {
        part.data = p;
        p = ngx_strlchr(p, last, separator);
        part.len = (p ? p : last) - part.data;

        why = set ? set(cf, &part, &checked) : NULL;

        if (why == NULL) {
            why = ngx_lead_set_value(cf, &part, array);
        }

        if (why || p == NULL) {
            return why;
        }

        p++;
    }
}


ngx_int_t
ngx_lead_param_choice(ngx_str_t *list, ngx_str_t *value)
{
    ngx_int_t  i;

    for (i = 0; list[i].len; i++) {
        if (list[i].len == value->len
            && ngx_strncmp(list[i].data, value->data, value->len) == 0)
        {
            return i;
        }
    }

    return NGX_ERROR;
}
