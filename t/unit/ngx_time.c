
/*
 * Copyright (C) the ngx_lead authors
 *
 * nginx's clock and its reader of HTTP dates, for unit tests without an nginx.
 * The clock stands still where a test sets it.
 *
 * Written from what nginx's functions promise, not from their text.
 */


#define _GNU_SOURCE

#include <ngx_config.h>
#include <ngx_core.h>
#include <time.h>


static ngx_time_t  the_time = { 1700000000, 0, 0 };

volatile ngx_time_t  *ngx_cached_time = &the_time;


/* the three forms of RFC 9110, with nothing behind them */

time_t
ngx_parse_http_time(u_char *value, size_t len)
{
    char         text[64], *end;
    size_t       i;
    struct tm    tm;

    static const char  *forms[] = {
        "%a, %d %b %Y %H:%M:%S GMT",
        "%A, %d-%b-%y %H:%M:%S GMT",
        "%a %b %d %H:%M:%S %Y"
    };

    if (len >= sizeof(text)) {
        return NGX_ERROR;
    }

    memcpy(text, value, len);
    text[len] = '\0';

    for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        memset(&tm, 0, sizeof(struct tm));
        end = strptime(text, forms[i], &tm);

        if (end && *end == '\0') {
            return timegm(&tm);
        }
    }

    return NGX_ERROR;
}
