
/*
 * Copyright (C) the ngx_lead authors
 *
 * Texts of fields: space, case, e-mail addresses, numbers and times.
 *
 * Must not log, know a dialect or keep state: all of it also runs in threads.
 * Results live in the pool or the buffer given.
 */


#include "ngx_lead_field.h"


#define NGX_LEAD_FIELD_SAFE_MAX  9007199254740991.0    /* 2^53 - 1 */
#define NGX_LEAD_FIELD_DIGITS    17          /* of a double, at most needed */
#define NGX_LEAD_FIELD_NUMBER    64          /* bytes of a number's text */

#define NGX_LEAD_FIELD_DAY_USEC  86400000000LL


static u_char *ngx_lead_field_decimal(u_char *dst, char *digits, int n,
    int point);
static int64_t ngx_lead_field_days(int64_t year, int64_t month, int64_t day);
static ngx_int_t ngx_lead_field_digits(u_char *p, size_t n);


size_t
ngx_lead_field_space(u_char *p, u_char *last)
{
    uint32_t  c;

    if (p == last) {
        return 0;
    }

    if (*p < 0x80) {
        return (*p == ' ' || (*p >= '\t' && *p <= '\r')) ? 1 : 0;
    }

    if (*p == 0xc2) {
        return (last - p >= 2 && p[1] == 0xa0) ? 2 : 0;
    }

    if ((*p & 0xf0) != 0xe0 || last - p < 3
        || (p[1] & 0xc0) != 0x80 || (p[2] & 0xc0) != 0x80)
    {
        return 0;
    }

    c = (uint32_t) (*p & 0x0f) << 12 | (p[1] & 0x3f) << 6 | (p[2] & 0x3f);

    if ((c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029
        || c == 0x202f || c == 0x205f || c == 0x1680 || c == 0x3000
        || c == 0xfeff)
    {
        return 3;
    }

    return 0;
}


void
ngx_lead_field_trim(ngx_str_t *text)
{
    u_char  *p, *last, *start;
    size_t   n;

    p = text->data;
    last = p + text->len;

    while ((n = ngx_lead_field_space(p, last)) != 0) {
        p += n;
    }

    while (last > p) {

        for (start = last - 1;
             start > p && (*start & 0xc0) == 0x80;
             start--)
        {
            /* void */
        }

        if (ngx_lead_field_space(start, last) != (size_t) (last - start)) {
            break;
        }

        last = start;
    }

    text->data = p;
    text->len = last - p;
}


ngx_int_t
ngx_lead_field_lower(ngx_pool_t *pool, ngx_str_t *text, ngx_str_t *lower)
{
    size_t  i;

    lower->len = text->len;
    lower->data = ngx_pnalloc(pool, text->len + 1);

    if (lower->data == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < text->len; i++) {
        lower->data[i] = ngx_tolower(text->data[i]);
    }

    return NGX_OK;
}


size_t
ngx_lead_field_points(ngx_str_t *text)
{
    size_t  i, n;

    n = 0;

    for (i = 0; i < text->len; i++) {
        n += (text->data[i] & 0xc0) != 0x80;
    }

    return n;
}


ngx_uint_t
ngx_lead_field_equal(ngx_str_t *a, ngx_str_t *b)
{
    return a->len == b->len
           && (a->len == 0 || ngx_memcmp(a->data, b->data, a->len) == 0);
}


ngx_uint_t
ngx_lead_field_equal_fold(ngx_str_t *a, ngx_str_t *b)
{
    size_t  i;

    if (a->len != b->len) {
        return 0;
    }

    for (i = 0; i < a->len; i++) {
        if (ngx_tolower(a->data[i]) != ngx_tolower(b->data[i])) {
            return 0;
        }
    }

    return 1;
}


ngx_uint_t
ngx_lead_field_has(ngx_str_t *text, ngx_str_t *part)
{
    size_t     i;
    ngx_str_t  at;

    if (part->len == 0) {
        return 1;
    }

    if (part->len > text->len) {
        return 0;
    }

    at.len = part->len;

    for (i = 0; i <= text->len - part->len; i++) {
        at.data = text->data + i;

        if (ngx_lead_field_equal_fold(&at, part)) {
            return 1;
        }
    }

    return 0;
}


ngx_uint_t
ngx_lead_field_email_like(ngx_str_t *text)
{
    u_char      *p, *last, *domain;
    ngx_uint_t   dot;

    domain = NULL;
    dot = 0;
    last = text->data + text->len;

    for (p = text->data; p < last; p++) {

        if (ngx_lead_field_space(p, last)) {
            return 0;
        }

        if (*p == '@') {

            if (domain || p == text->data) {
                return 0;
            }

            domain = p + 1;

        } else if (*p == '.' && domain && p > domain && p < last - 1) {
            dot = 1;
        }
    }

    return dot;
}


ngx_int_t
ngx_lead_field_number(ngx_pool_t *pool, ngx_str_t *json, ngx_str_t *text)
{
    int      n, exp;
    char    *src, buf[NGX_LEAD_FIELD_NUMBER], digits[NGX_LEAD_FIELD_NUMBER];
    double   value;
    u_char  *p;

    src = ngx_pnalloc(pool, json->len + 1);
    text->data = ngx_pnalloc(pool, NGX_LEAD_FIELD_NUMBER);

    if (src == NULL || text->data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(src, json->data, json->len);
    src[json->len] = '\0';

    value = strtod(src, NULL);

    if (value - value != 0
        || ((value > NGX_LEAD_FIELD_SAFE_MAX
             || value < -NGX_LEAD_FIELD_SAFE_MAX)))
    {
        /* doubles this large are integers */
        return NGX_DECLINED;
    }

    p = text->data;

    if (value < 0) {
        *p++ = '-';
        value = -value;
    }

    if (value == 0) {
        *p++ = '0';
        text->len = p - text->data;
        return NGX_OK;
    }

    /* the fewest digits that give the same number again: d.ddde[+-]dd */

    for (n = 1; n <= NGX_LEAD_FIELD_DIGITS; n++) {
        (void) snprintf(buf, sizeof(buf), "%.*e", n - 1, value);

        if (strtod(buf, NULL) == value) {
            break;
        }
    }

    exp = atoi(strchr(buf, 'e') + 1);

    digits[0] = buf[0];
    ngx_memcpy(digits + 1, buf + 2, (n > 1) ? n - 1 : 0);

    text->len = ngx_lead_field_decimal(p, digits, n, exp + 1) - text->data;

    return NGX_OK;
}


/* n significant digits, the point being before the digit of that index */

static u_char *
ngx_lead_field_decimal(u_char *dst, char *digits, int n, int point)
{
    if (point > -6 && point <= 0) {
        dst = ngx_cpymem(dst, "0.", 2);
        ngx_memset(dst, '0', -point);
        return ngx_cpymem(dst - point, digits, n);
    }

    if (point >= n) {
        dst = ngx_cpymem(dst, digits, n);
        ngx_memset(dst, '0', point - n);
        return dst + (point - n);
    }

    if (point > 0) {
        dst = ngx_cpymem(dst, digits, point);
        *dst++ = '.';
        return ngx_cpymem(dst, digits + point, n - point);
    }

    *dst++ = digits[0];

    if (n > 1) {
        *dst++ = '.';
        dst = ngx_cpymem(dst, digits + 1, n - 1);
    }

    return dst + snprintf((char *) dst, sizeof("e-999"), "e%d", point - 1);
}


u_char *
ngx_lead_field_time_ms(u_char *dst, int64_t time)
{
    char     buf[NGX_LEAD_FIELD_NUMBER];
    int64_t  day, rest, era, doe, yoe, doy, year, month;

    day = time / NGX_LEAD_FIELD_DAY_USEC;
    rest = time % NGX_LEAD_FIELD_DAY_USEC;

    if (rest < 0) {
        rest += NGX_LEAD_FIELD_DAY_USEC;
        day--;
    }

    /* Gregorian years that begin in March, in eras of 400 */

    day += 719468;
    era = (day >= 0 ? day : day - 146096) / 146097;
    doe = day - era * 146097;
    yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    month = (5 * doy + 2) / 153;
    day = doy - (153 * month + 2) / 5 + 1;
    month = month < 10 ? month + 3 : month - 9;
    year = yoe + era * 400 + (month <= 2);

    rest /= 1000;

    (void) snprintf(buf, sizeof(buf), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                    (int) (year % 10000), (int) month, (int) day,
                    (int) (rest / 3600000), (int) (rest / 60000 % 60),
                    (int) (rest / 1000 % 60), (int) (rest % 1000));

    return ngx_cpymem(dst, buf, NGX_LEAD_FIELD_TIME_LEN);
}


ngx_int_t
ngx_lead_field_time_parse(ngx_str_t *text, int64_t *time)
{
    u_char    *p, again[NGX_LEAD_FIELD_TIME_LEN];
    ngx_int_t  year, month, day, hour, min, sec, msec;

    if (text->len != NGX_LEAD_FIELD_TIME_LEN) {
        return NGX_DECLINED;
    }

    p = text->data;

    year = ngx_lead_field_digits(p, 4);
    month = ngx_lead_field_digits(p + 5, 2);
    day = ngx_lead_field_digits(p + 8, 2);
    hour = ngx_lead_field_digits(p + 11, 2);
    min = ngx_lead_field_digits(p + 14, 2);
    sec = ngx_lead_field_digits(p + 17, 2);
    msec = ngx_lead_field_digits(p + 20, 3);

    if ((year | month | day | hour | min | sec | msec) < 0 || month > 12) {
        return NGX_DECLINED;
    }

    *time = ngx_lead_field_days(year, month, day) * NGX_LEAD_FIELD_DAY_USEC
            + ((int64_t) hour * 3600 + min * 60 + sec) * 1000000
            + (int64_t) msec * 1000;

    /* what is no date, no time of day or of another form comes out changed */

    (void) ngx_lead_field_time_ms(again, *time);

    return ngx_memcmp(again, p, NGX_LEAD_FIELD_TIME_LEN) ? NGX_DECLINED
                                                         : NGX_OK;
}


static int64_t
ngx_lead_field_days(int64_t year, int64_t month, int64_t day)
{
    int64_t  era, yoe, doy;

    year -= month <= 2;
    era = (year >= 0 ? year : year - 399) / 400;
    yoe = year - era * 400;
    doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}


static ngx_int_t
ngx_lead_field_digits(u_char *p, size_t n)
{
    ngx_int_t  value;

    for (value = 0; n--; p++) {
        if (*p < '0' || *p > '9') {
            return -1;
        }

        value = value * 10 + (*p - '0');
    }

    return value;
}
