
/*
 * Copyright (C) the ngx_lead authors
 *
 * Times and durations as options give them: a time ago (2h, 7d), or ISO 8601,
 * a date or a date and time.
 *
 * Pure functions on the option's text; nothing is kept.
 */


#include "leadctl.h"
#include <string.h>
#include <time.h>


#define LEADCTL_SECOND        1000000LL

/* what is longer ago than this is a slip of the finger */
#define LEADCTL_AGO_MAX       (100 * 366 * 86400ULL)


static int leadctl_time_option(leadctl_t *ctl, leadctl_opt_t opt,
    int64_t *time);
static int leadctl_span(const char *text, uint64_t max, uint64_t *seconds);
static int leadctl_iso(const char *text, int64_t *time);
static const char *leadctl_digits(const char *p, int n, int *value);
static int leadctl_iso_date(const char **p, struct tm *tm);
static int leadctl_iso_clock(const char **p, struct tm *tm, int64_t *us);
static int leadctl_iso_zone(const char *p, int64_t *offset);


int
leadctl_period(leadctl_t *ctl, int64_t *since, int64_t *until)
{
    *since = INT64_MIN;
    *until = LEAD_NEVER;

    if (leadctl_time_option(ctl, LEADCTL_SINCE_OPT, since) != LEADCTL_OK
        || leadctl_time_option(ctl, LEADCTL_UNTIL_OPT, until) != LEADCTL_OK)
    {
        return LEADCTL_USAGE;
    }

    if (*since >= *until) {
        return leadctl_usage(ctl, "--since must lie before --until");
    }

    return LEADCTL_OK;
}


/* *time stays as it is where the option is not given */

static int
leadctl_time_option(leadctl_t *ctl, leadctl_opt_t opt, int64_t *time)
{
    uint64_t     seconds;
    const char  *text;

    text = ctl->opts[opt];

    if (text == NULL) {
        return LEADCTL_OK;
    }

    if (leadctl_span(text, LEADCTL_AGO_MAX, &seconds) == 0) {
        *time = leadctl_now() - (int64_t) seconds * LEADCTL_SECOND;
        return LEADCTL_OK;
    }

    if (leadctl_iso(text, time) == 0) {
        return LEADCTL_OK;
    }

    return leadctl_usage(ctl, "%s takes a time ago (30m, 2h, 7d), a date "
                         "(2026-11-21) or a date and time "
                         "(2026-11-21T14:30:00Z); without a zone it is UTC",
                         leadctl_opt_name(opt));
}


int
leadctl_wait_option(leadctl_t *ctl, leadctl_opt_t opt, int64_t *span)
{
    uint64_t  seconds;

    if (ctl->opts[opt] == NULL) {
        return LEADCTL_OK;
    }

    if (leadctl_span(ctl->opts[opt], 3600, &seconds) != 0 || seconds == 0) {
        return leadctl_usage(ctl, "%s takes a time from 1s to 1h, such as 20s "
                             "or 2m", leadctl_opt_name(opt));
    }

    *span = (int64_t) seconds * LEADCTL_SECOND;

    return LEADCTL_OK;
}


/* to the microsecond, as leadctl_time_option() takes it */

void
leadctl_time_exact(int64_t time, char *text)
{
    size_t  len;

    leadctl_time(time, text);

    len = strlen(text);

    if (len > 4) {
        snprintf(&text[len - 4], LEADCTL_TIME_LEN - len, "%06dZ",
                 (int) (time % LEADCTL_SECOND));
    }
}


/* 0, or -1: a number with a unit behind it, of at most max seconds */

static int
leadctl_span(const char *text, uint64_t max, uint64_t *seconds)
{
    char      digits[16];
    size_t    len;
    uint64_t  unit;

    len = strspn(text, "0123456789");

    if (len == 0 || len >= sizeof(digits) || strlen(text) != len + 1) {
        return -1;
    }

    switch (text[len]) {
    case 's':
        unit = 1;
        break;
    case 'm':
        unit = 60;
        break;
    case 'h':
        unit = 3600;
        break;
    case 'd':
        unit = 86400;
        break;
    case 'w':
        unit = 7 * 86400;
        break;
    default:
        return -1;
    }

    memcpy(digits, text, len);
    digits[len] = '\0';

    if (leadctl_number(digits, max / unit, seconds) != 0) {
        return -1;
    }

    *seconds *= unit;

    return 0;
}


static int
leadctl_iso(const char *text, int64_t *time)
{
    int64_t      us, offset;
    struct tm    tm, back;
    const char  *p;

    memset(&tm, 0, sizeof(struct tm));

    us = 0;
    offset = 0;
    p = text;

    if (leadctl_iso_date(&p, &tm) != 0) {
        return -1;
    }

    if (*p == 'T' || *p == 't' || *p == ' ') {
        p++;

        if (leadctl_iso_clock(&p, &tm, &us) != 0
            || leadctl_iso_zone(p, &offset) != 0)
        {
            return -1;
        }

    } else if (*p != '\0') {
        return -1;
    }

    /* a day the month does not have would become one of the next */

    back = tm;
    *time = (int64_t) timegm(&back);

    if (back.tm_mday != tm.tm_mday || back.tm_mon != tm.tm_mon) {
        return -1;
    }

    *time = (*time - offset) * LEADCTL_SECOND + us;

    return 0;
}


/* NULL: these are not n digits */

static const char *
leadctl_digits(const char *p, int n, int *value)
{
    *value = 0;

    while (n--) {
        if (*p < '0' || *p > '9') {
            return NULL;
        }

        *value = *value * 10 + (*p++ - '0');
    }

    return p;
}


static int
leadctl_iso_date(const char **p, struct tm *tm)
{
    int          year, month;
    const char  *s;

    s = leadctl_digits(*p, 4, &year);

    if (s == NULL || *s != '-') {
        return -1;
    }

    s = leadctl_digits(s + 1, 2, &month);

    if (s == NULL || *s != '-') {
        return -1;
    }

    s = leadctl_digits(s + 1, 2, &tm->tm_mday);

    if (s == NULL || year < 1970 || month < 1 || month > 12) {
        return -1;
    }

    tm->tm_year = year - 1900;
    tm->tm_mon = month - 1;
    *p = s;

    return 0;
}


static int
leadctl_iso_clock(const char **p, struct tm *tm, int64_t *us)
{
    int          n;
    const char  *s;

    s = leadctl_digits(*p, 2, &tm->tm_hour);

    if (s == NULL || *s != ':') {
        return -1;
    }

    s = leadctl_digits(s + 1, 2, &tm->tm_min);

    if (s == NULL) {
        return -1;
    }

    if (*s == ':') {
        s = leadctl_digits(s + 1, 2, &tm->tm_sec);

        if (s == NULL) {
            return -1;
        }

        if (*s == '.') {
            s++;

            for (n = 100000; *s >= '0' && *s <= '9'; s++, n /= 10) {
                *us += (*s - '0') * n;
            }

            if (s[-1] == '.') {
                return -1;
            }
        }
    }

    *p = s;

    return tm->tm_hour <= 23 && tm->tm_min <= 59 && tm->tm_sec <= 59 ? 0 : -1;
}


/* east of Greenwich, in seconds */

static int
leadctl_iso_zone(const char *p, int64_t *offset)
{
    int   hours, minutes;
    char  sign;

    sign = *p;

    if (sign == '\0') {
        return 0;
    }

    if (sign == 'Z' || sign == 'z') {
        return p[1] == '\0' ? 0 : -1;
    }

    if (sign != '+' && sign != '-') {
        return -1;
    }

    minutes = 0;
    p = leadctl_digits(p + 1, 2, &hours);

    if (p && *p) {
        p = leadctl_digits(*p == ':' ? p + 1 : p, 2, &minutes);
    }

    if (p == NULL || *p != '\0' || hours > 23 || minutes > 59) {
        return -1;
    }

    *offset = (hours * 60 + minutes) * 60;

    if (sign == '-') {
        *offset = -*offset;
    }

    return 0;
}
