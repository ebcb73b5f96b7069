
/*
 * Copyright (C) the ngx_lead authors
 *
 * ngx_lead_phone_e164() on lines: "<region>\t<text>" in, the number or "-"
 * out.  In the text "\xHH" is a byte, so that all bytes can be sent.
 *
 * usage: phone < <lines>
 *        phone -t <region> <text>    nanoseconds of a call, and of a look at
 *                                    each of the text's bytes, best of many
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <time.h>

#include "ngx_lead_phone.h"


#define ROUNDS  200
#define CALLS   10000


static void line(char *s);
static size_t unescape(char *s);
static void measure(char *region, char *text);
static double now(void);


int
main(int argc, char **argv)
{
    char  s[8192];

    if (argc == 4 && strcmp(argv[1], "-t") == 0) {
        measure(argv[2], argv[3]);
        return 0;
    }

    while (fgets(s, sizeof(s), stdin)) {
        line(s);
    }

    return 0;
}


/* each text in a block of its own size: a sanitizer sees the byte beyond */

static void
line(char *s)
{
    char       *tab;
    size_t      len;
    u_char     *dst;
    ngx_str_t   text;

    s[strcspn(s, "\n")] = '\0';
    tab = strchr(s, '\t');

    if (tab == NULL) {
        fprintf(stderr, "phone: no tab in \"%s\"\n", s);
        exit(1);
    }

    text.len = unescape(tab + 1);
    text.data = malloc(text.len ? text.len : 1);
    dst = malloc(NGX_LEAD_PHONE_MAX);

    memcpy(text.data, tab + 1, text.len);

    if (ngx_lead_phone_e164(&text, (u_char *) s, dst, &len) == NGX_OK) {
        printf("%.*s\n", (int) len, dst);

    } else {
        puts("-");
    }

    free(text.data);
    free(dst);
}


static size_t
unescape(char *s)
{
    char    hex[3];
    char   *from, *to;

    to = s;

    for (from = s; *from; /* void */ ) {

        if (from[0] == '\\' && from[1] == 'x' && from[2] && from[3]) {
            hex[0] = from[2];
            hex[1] = from[3];
            hex[2] = '\0';
            *to++ = (char) strtol(hex, NULL, 16);
            from += 4;

        } else {
            *to++ = *from++;
        }
    }

    return to - s;
}


static void
measure(char *region, char *text)
{
    int                 i, round;
    u_char              dst[NGX_LEAD_PHONE_MAX];
    size_t              n, len, sum;
    double              start, t, call, look;
    ngx_str_t           s;
    volatile size_t     kept;
    u_char *volatile    data;

    s.data = (u_char *) text;
    s.len = strlen(text);
    data = s.data;
    call = look = 1e9;
    kept = 0;

    for (round = 0; round < ROUNDS; round++) {

        start = now();

        for (i = 0; i < CALLS; i++) {
            s.data = data;
            len = 0;
            (void) ngx_lead_phone_e164(&s, (u_char *) region, dst, &len);
            kept = len;
        }

        t = now() - start;
        call = t < call ? t : call;

        start = now();

        for (i = 0; i < CALLS; i++) {
            s.data = data;
            sum = 0;

            for (n = 0; n < s.len; n++) {
                sum += (s.data[n] >= '0' && s.data[n] <= '9');
            }

            kept = sum;
        }

        t = now() - start;
        look = t < look ? t : look;
    }

    (void) kept;

    printf("%.1f %.1f\n", call / CALLS * 1e9, look / CALLS * 1e9);
}


static double
now(void)
{
    struct timespec  t;

    clock_gettime(CLOCK_MONOTONIC, &t);

    return (double) t.tv_sec + (double) t.tv_nsec / 1e9;
}
