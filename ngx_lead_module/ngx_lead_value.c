
/*
 * Copyright (C) the ngx_lead authors
 *
 * The values of arguments: what each kind may look like.  A setter checks,
 * and writes the field its kind has in ngx_lead_conf.h; it logs nothing but
 * what fails outside of the value.  Texts stay where the argument is.
 */


#include "ngx_lead_conf.h"


#define NGX_LEAD_URL_MAX       2048
#define NGX_LEAD_EMAIL_MAX     254
#define NGX_LEAD_UUID_LEN      36
#define NGX_LEAD_NUMBER_MAX    9007199254740991LL   /* exact in any JSON */
#define NGX_LEAD_MEMBERS_MAX   32                   /* of a path */


static ngx_int_t ngx_lead_digits(u_char **p, u_char *last, size_t n,
    char before);
static ngx_int_t ngx_lead_clock(u_char **p, u_char *last, ngx_int_t *seconds);
static ngx_int_t ngx_lead_days(ngx_int_t year, ngx_int_t month, ngx_int_t day,
    ngx_int_t *days);


char *
ngx_lead_set_text(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    ngx_str_t  *text = field;

    u_char     *p, *last;
    uint32_t    c;

    if (value->len == 0) {
        return "it must not be empty";
    }

    if (value->len > LEAD_NAME_MAX) {
        return "it must not be longer than 127 bytes";
    }

    p = value->data;
    last = p + value->len;

    while (p < last) {
        c = (*p < 0x80) ? *p++ : ngx_utf8_decode(&p, last - p);

        if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
            return "it must be valid UTF-8";
        }

        if (c < 0x20 || (c >= 0x7f && c <= 0x9f)) {
            return "it must have no control characters";
        }
    }

    *text = *value;

    return NULL;
}


char *
ngx_lead_set_value(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    ngx_array_t  *array = field;

    char         *why;
    ngx_str_t    *s, text;

    why = ngx_lead_set_text(cf, value, &text);
    if (why) {
        return why;
    }

    if (array->elts == NULL
        && ngx_array_init(array, cf->pool, 4, sizeof(ngx_str_t)) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (ngx_lead_account_item(array, 0, text.data, text.len)) {
        return "the same is given twice";
    }

    s = ngx_array_push(array);
    if (s == NULL) {
        return NGX_CONF_ERROR;
    }

    *s = text;

    return NULL;
}


char *
ngx_lead_set_key(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    ngx_str_t  *key = field;

    u_char      c;
    size_t      i;

    if (value->len == 0 || value->len > LEAD_NAME_MAX) {
        return "it must have 1 to 127 characters";
    }

    for (i = 0; i < value->len; i++) {
        c = value->data[i];

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
            || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.')
        {
            continue;
        }

        return "use letters, digits, \"_\", \"-\" and \".\" only";
    }

    *key = *value;

    return NULL;
}


char *
ngx_lead_set_number(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    ngx_uint_t  *number = field;

    off_t        n;

    n = ngx_atoof(value->data, value->len);

    if (n == NGX_ERROR || n == 0 || n > NGX_LEAD_NUMBER_MAX
        || (uint64_t) n > NGX_MAX_INT_T_VALUE)
    {
        return "it must be a positive integer";
    }

    *number = (ngx_uint_t) n;

    return NULL;
}


char *
ngx_lead_set_flag(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    ngx_flag_t  *flag = field;

    *flag = 1;

    return NULL;
}


char *
ngx_lead_set_uuid(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    ngx_str_t  *id = field;

    size_t      i;
    u_char      c;

    if (value->len != NGX_LEAD_UUID_LEN) {
        goto invalid;
    }

    for (i = 0; i < value->len; i++) {
        c = ngx_tolower(value->data[i]);

        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (c != '-') {
                goto invalid;
            }

        } else if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
            goto invalid;
        }
    }

    ngx_strlow(value->data, value->data, value->len);
    *id = *value;

    return NULL;

invalid:

    return "it must be a UUID, as a1b2c3d4-0000-4000-8000-000000000000";
}


char *
ngx_lead_set_email(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    ngx_str_t  *email = field;

    u_char     *at, *last, *p;

    last = value->data + value->len;
    at = ngx_strlchr(value->data, last, '@');

    if (value->len > NGX_LEAD_EMAIL_MAX || at == NULL || at == value->data
        || at + 1 == last || ngx_strlchr(at + 1, last, '@'))
    {
        goto invalid;
    }

    for (p = value->data; p < last; p++) {
        if (*p <= ' ' || *p >= 0x7f) {
            goto invalid;
        }
    }

    ngx_strlow(value->data, value->data, value->len);
    *email = *value;

    return NULL;

invalid:

    return "it must be an e-mail address, as ann@example.com";
}


char *
ngx_lead_set_color(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    ngx_str_t  *color = field;

    if (value->len != sizeof("#rrggbb") - 1 || value->data[0] != '#'
        || ngx_hextoi(value->data + 1, value->len - 1) == NGX_ERROR)
    {
        return "it must be a color, as #94a3b8";
    }

    *color = *value;

    return NULL;
}


char *
ngx_lead_set_country(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    u_char  *code = field;

    if (value->len != 2
        || value->data[0] < 'A' || value->data[0] > 'Z'
        || value->data[1] < 'A' || value->data[1] > 'Z')
    {
        return "it must be a country code of two letters, as US";
    }

    code[0] = value->data[0];
    code[1] = value->data[1];

    return NULL;
}


char *
ngx_lead_set_url(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    ngx_str_t  *url = field;

    u_char     *p, *last;
    ngx_url_t   u;

    if (value->len > NGX_LEAD_URL_MAX) {
        return "it must not be longer than 2048 bytes";
    }

    last = value->data + value->len;

    for (p = value->data; p < last; p++) {
        if (*p <= ' ' || *p >= 0x7f) {
            return "anything but printable ASCII must be percent-encoded";
        }
    }

    ngx_memzero(&u, sizeof(ngx_url_t));

    if (ngx_strncasecmp(value->data, (u_char *) "http://", 7) == 0) {
        u.url.data = value->data + 7;
        u.default_port = 80;

    } else if (ngx_strncasecmp(value->data, (u_char *) "https://", 8) == 0) {
        u.url.data = value->data + 8;
        u.default_port = 443;

    } else {
        return "it must start with \"http://\" or \"https://\"";
    }

    for (p = u.url.data; p < last && ngx_strchr("/?#", *p) == NULL; p++) {
        if (*p == '@') {
            return "it must have no user name and password";
        }
    }

    u.url.len = p - u.url.data;
    u.no_resolve = 1;

    if (ngx_strncasecmp(u.url.data, (u_char *) "unix:", 5) == 0
        || ngx_parse_url(cf->pool, &u) != NGX_OK || u.host.len == 0)
    {
        return "it must have a valid host, and port if any";
    }

    *url = *value;

    return NULL;
}


char *
ngx_lead_set_path(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    ngx_array_t  *path = field;

    char         *why;
    u_char       *p, *last;
    ngx_str_t    *member, whole;

    why = ngx_lead_set_text(cf, value, &whole);
    if (why) {
        return why;
    }

    if (ngx_array_init(path, cf->pool, 2, sizeof(ngx_str_t)) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    p = whole.data;
    last = whole.data + whole.len;

    for ( ;; ) {
        member = ngx_array_push(path);
        if (member == NULL) {
            return NGX_CONF_ERROR;
        }

        member->data = p;
        p = ngx_strlchr(p, last, '.');
        member->len = (p ? p : last) - member->data;

        if (member->len == 0 || path->nelts > NGX_LEAD_MEMBERS_MAX) {
            return "it must be 1 to 32 names with \".\" between them, as "
                   "contact.first";
        }

        if (p == NULL) {
            return NULL;
        }

        p++;
    }
}


char *
ngx_lead_set_size(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    size_t  *size = field;

    off_t    n;

    n = ngx_parse_offset(value);

    if (n == NGX_ERROR || (uint64_t) n < LEAD_SIZE_MIN
        || (uint64_t) n > NGX_MAX_SIZE_T_VALUE)
    {
        return "it must be a size of at least 1m, as 16g";
    }

    *size = (size_t) n;

    return NULL;
}


char *
ngx_lead_set_pool(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    ngx_thread_pool_t  **pool = field;

    if (value->len == 0) {
        return "it must be the name of a \"thread_pool\"";
    }

    *pool = ngx_thread_pool_add(cf, value);

    return *pool ? NULL : NGX_CONF_ERROR;
}


char *
ngx_lead_set_time(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    time_t     *time = field;

    u_char     *p, *last, sign;
    ngx_int_t   year, month, day, days, seconds, zone;

    p = value->data;
    last = p + value->len;
    seconds = 0;
    zone = 0;

    year = ngx_lead_digits(&p, last, 4, 0);
    month = ngx_lead_digits(&p, last, 2, '-');
    day = ngx_lead_digits(&p, last, 2, '-');

    if (ngx_lead_days(year, month, day, &days) != NGX_OK) {
        goto invalid;
    }

    if (p < last) {

        if (*p++ != 'T' || ngx_lead_clock(&p, last, &seconds) != NGX_OK
            || p == last)
        {
            goto invalid;
        }

        sign = *p++;

        if (sign != 'Z'
            && ((sign != '+' && sign != '-')
                || ngx_lead_clock(&p, last, &zone) != NGX_OK))
        {
            goto invalid;
        }

        if (p != last) {
            goto invalid;
        }

        seconds -= (sign == '-') ? -zone : zone;
    }

    *time = (time_t) days * 86400 + seconds;

    return NULL;

invalid:

    return "it must be a time, as 2026-12-31T23:59:59Z, or a day, as "
           "2026-12-31";
}


static ngx_int_t
ngx_lead_digits(u_char **p, u_char *last, size_t n, char before)
{
    ngx_int_t  value;

    if (before) {
        if (*p == last || **p != (u_char) before) {
            return NGX_ERROR;
        }

        (*p)++;
    }

    if ((size_t) (last - *p) < n) {
        return NGX_ERROR;
    }

    value = ngx_atoi(*p, n);
    *p += n;

    return value;
}


/* hh:mm, or hh:mm:ss */

static ngx_int_t
ngx_lead_clock(u_char **p, u_char *last, ngx_int_t *seconds)
{
    ngx_int_t  hour, minute, second;

    hour = ngx_lead_digits(p, last, 2, 0);
    minute = ngx_lead_digits(p, last, 2, ':');
    second = 0;

    if (*p < last && **p == ':') {
        second = ngx_lead_digits(p, last, 2, ':');
    }

    if (hour < 0 || hour > 23 || minute < 0 || minute > 59
        || second < 0 || second > 59)
    {
        return NGX_ERROR;
    }

    *seconds = hour * 3600 + minute * 60 + second;

    return NGX_OK;
}


/* since 1970-01-01 */

static ngx_int_t
ngx_lead_days(ngx_int_t year, ngx_int_t month, ngx_int_t day, ngx_int_t *days)
{
    ngx_int_t         leap;
    static ngx_int_t  mdays[] = {
        31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
    };

    if (year < 1970 || month < 1 || month > 12 || day < 1) {
        return NGX_ERROR;
    }

    leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    if (day > mdays[month - 1] + (month == 2 && leap)) {
        return NGX_ERROR;
    }

    /* March first: then the day of the year needs no table (Gauss) */

    month -= 2;

    if (month <= 0) {
        month += 12;
        year--;
    }

    *days = 365 * year + year / 4 - year / 100 + year / 400
            + 367 * month / 12 - 30 + day - 1 - 719527 + 31 + 28;

    return NGX_OK;
}
