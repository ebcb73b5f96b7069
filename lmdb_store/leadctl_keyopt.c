
/*
 * Copyright (C) the ngx_lead authors
 *
 * What a new key is to be: the options of leadctl key add, and the file an
 * existing key is imported from.
 *
 * Nothing is opened but that file.  The key's text goes to the caller's
 * buffer, which the caller wipes; here no copy stays.
 */


#include "leadctl.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>


#define LEADCTL_DAY           (24 * 3600 * 1000000LL)
#define LEADCTL_DAYS_MAX      36500


static int leadctl_key_scopes(const char *text, uint32_t *scopes);
static int leadctl_key_api(const char *text, lead_key_t *key);
static int leadctl_key_expires(leadctl_t *ctl, int64_t *expires);
static int leadctl_key_date(const char *text, int64_t *time);
static int leadctl_key_plain(const char *text, size_t len);


static const char  *leadctl_apis[] = {
    "reflekt", "lawfficient", "kickofflabs", "flextell", "leadflip"
};


int
leadctl_key_options(leadctl_t *ctl, lead_key_t *key)
{
    const char  **opts;

    opts = ctl->opts;

    if (opts[LEADCTL_ACCOUNT_OPT] == NULL) {
        return leadctl_usage(ctl, "key add needs --account NAME");
    }

    if (leadctl_name(ctl, LEADCTL_SOURCE_OPT) != LEADCTL_OK
        || leadctl_name(ctl, LEADCTL_NAME_OPT) != LEADCTL_OK)
    {
        return LEADCTL_USAGE;
    }

    if (opts[LEADCTL_SOURCE_OPT]) {
        strcpy(key->source, opts[LEADCTL_SOURCE_OPT]);
        key->scopes = LEAD_SCOPE_INGEST;

        if (opts[LEADCTL_SCOPE_OPT]) {
            return leadctl_usage(ctl, "a key with --source may only ingest "
                                 "leads of that source: leave --scope out");
        }

    } else if (opts[LEADCTL_SCOPE_OPT] == NULL) {
        key->scopes = LEAD_SCOPE_READ|LEAD_SCOPE_WRITE;

    } else if (leadctl_key_scopes(opts[LEADCTL_SCOPE_OPT], &key->scopes)
               != 0)
    {
        return leadctl_usage(ctl, "--scope takes leads:read, leads:write or "
                             "leads:read,leads:write");
    }

    if (opts[LEADCTL_API_OPT]
        && leadctl_key_api(opts[LEADCTL_API_OPT], key) != 0)
    {
        return leadctl_usage(ctl, "--api takes reflekt, lawfficient, "
                             "kickofflabs, flextell or leadflip");
    }

    if (opts[LEADCTL_NAME_OPT]) {
        strcpy(key->name, opts[LEADCTL_NAME_OPT]);
    }

    return leadctl_key_expires(ctl, &key->expires);
}


static int
leadctl_key_scopes(const char *text, uint32_t *scopes)
{
    size_t  len;

    *scopes = 0;

    for ( ;; ) {
        len = strcspn(text, ",");

        if (len == 10 && memcmp(text, "leads:read", len) == 0) {
            *scopes |= LEAD_SCOPE_READ;

        } else if (len == 11 && memcmp(text, "leads:write", len) == 0) {
            *scopes |= LEAD_SCOPE_WRITE;

        } else {
            return -1;
        }

        if (text[len] == '\0') {
            return 0;
        }

        text += len + 1;
    }
}


static int
leadctl_key_api(const char *text, lead_key_t *key)
{
    size_t  i;

    for (i = 0; i < sizeof(leadctl_apis) / sizeof(leadctl_apis[0]); i++) {
        if (strcmp(leadctl_apis[i], text) == 0) {
            strcpy(key->api, leadctl_apis[i]);
            return 0;
        }
    }

    return -1;
}


static int
leadctl_key_expires(leadctl_t *ctl, int64_t *expires)
{
    char         digits[8];
    size_t       len;
    uint64_t     days;
    const char  *text;

    *expires = 0;
    text = ctl->opts[LEADCTL_EXPIRES_OPT];

    if (text == NULL || strcmp(text, "never") == 0) {
        return LEADCTL_OK;
    }

    len = strlen(text);

    if (text[len - 1] == 'd' && len <= sizeof(digits)) {
        memcpy(digits, text, len - 1);
        digits[len - 1] = '\0';

        if (leadctl_number(digits, LEADCTL_DAYS_MAX, &days) == 0 && days) {
            *expires = leadctl_now() + (int64_t) days * LEADCTL_DAY;
            return LEADCTL_OK;
        }

    } else if (leadctl_key_date(text, expires) == 0) {

        if (*expires <= leadctl_now()) {
            return leadctl_usage(ctl, "--expires must lie in the future");
        }

        return LEADCTL_OK;
    }

    return leadctl_usage(ctl, "--expires takes days from now (90d, at most "
                         "%dd), a date in UTC (2027-01-01) or never",
                         LEADCTL_DAYS_MAX);
}


/* the beginning of the day YYYY-MM-DD, UTC */

static int
leadctl_key_date(const char *text, int64_t *time)
{
    size_t     i;
    time_t     sec;
    struct tm  tm, back;

    for (i = 0; i < 10; i++) {
        if (i == 4 || i == 7) {
            if (text[i] != '-') {
                return -1;
            }

        } else if (text[i] < '0' || text[i] > '9') {
            return -1;
        }
    }

    if (text[10] != '\0') {
        return -1;
    }

    memset(&tm, 0, sizeof(struct tm));

    tm.tm_year = atoi(text) - 1900;
    tm.tm_mon = atoi(&text[5]) - 1;
    tm.tm_mday = atoi(&text[8]);
    back = tm;

    sec = timegm(&back);

    if (back.tm_year != tm.tm_year || back.tm_mon != tm.tm_mon
        || back.tm_mday != tm.tm_mday)
    {
        return -1;
    }

    *time = (int64_t) sec * 1000000;

    return 0;
}


int
leadctl_key_file(const char *file, char *text, size_t *len)
{
    int      c, err;
    char     buf[1024];
    FILE    *f;
    size_t   n;

    f = strcmp(file, "-") == 0 ? stdin : fopen(file, "r");

    if (f == NULL) {
        return leadctl_error(LEADCTL_USAGE, "--key-file %s cannot be opened: "
                             "%s", file, strerror(errno));
    }

    setvbuf(f, buf, _IOFBF, sizeof(buf));

    n = 0;
    errno = 0;

    while ((c = getc(f)) != EOF && c != '\n' && n <= LEAD_KEY_TEXT_MAX + 1) {
        if (n <= LEAD_KEY_TEXT_MAX) {
            text[n] = (char) c;
        }

        n++;
    }

    err = ferror(f) ? errno : 0;
    fclose(f);
    explicit_bzero(buf, sizeof(buf));

    if (err) {
        return leadctl_error(LEADCTL_USAGE, "--key-file %s cannot be read: "
                             "%s", file, strerror(err));
    }

    if (n && n <= LEAD_KEY_TEXT_MAX + 1 && text[n - 1] == '\r') {
        n--;
    }

    if (n > LEAD_KEY_TEXT_MAX) {
        return leadctl_error(LEADCTL_NO, "the first line of the key file is "
                             "longer than %d bytes: no key was added",
                             LEAD_KEY_TEXT_MAX);
    }

    *len = n;

    return leadctl_key_plain(text, n);
}


static int
leadctl_key_plain(const char *text, size_t len)
{
    size_t        i;
    lead_bytes_t  key;

    if (len == 0) {
        return leadctl_error(LEADCTL_NO, "the first line of the key file is "
                             "empty: no key was added");
    }

    for (i = 0; i < len; i++) {
        if (text[i] <= 0x20 || text[i] >= 0x7f) {
            return leadctl_error(LEADCTL_NO, "the first line of the key file "
                                 "has a blank, a control or a non-ASCII "
                                 "character: no key was added");
        }
    }

    key.data = (const uint8_t *) text;
    key.len = len;

    if (!lead_store_key_plausible(key)) {
        return leadctl_error(LEADCTL_NO, "the key in the key file is one of "
                             "ours with a wrong checksum (was all of it "
                             "copied?): no key was added");
    }

    return LEADCTL_OK;
}
