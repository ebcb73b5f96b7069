
/*
 * Copyright (C) the ngx_lead authors
 *
 * What every command of leadctl needs: errors that are one line and say what
 * to do, values of options, the opening of the store, the account.
 *
 * No message repeats bytes a terminal would obey.  The store that is opened
 * here is closed by main().
 */


#include "leadctl.h"
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>


static void leadctl_say(const char *fmt, va_list args);
static int leadctl_no_store(leadctl_t *ctl, const lead_error_t *e,
    leadctl_mode_t mode);


/* one line, whatever the arguments hold */

static void
leadctl_say(const char *fmt, va_list args)
{
    char  text[1024], *shown;

    vsnprintf(text, sizeof(text), fmt, args);

    shown = leadctl_show(text, strlen(text), 0);
    fprintf(stderr, "leadctl: %s\n", shown);
    free(shown);
}


int
leadctl_error(int code, const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    leadctl_say(fmt, args);
    va_end(args);

    return code;
}


void
leadctl_hint(const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    leadctl_say(fmt, args);
    va_end(args);
}


int
leadctl_usage(leadctl_t *ctl, const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    leadctl_say(fmt, args);
    va_end(args);

    fprintf(stderr, "usage: leadctl [--store PATH] [--json] %s\n",
            ctl->cmd ? ctl->cmd->usage
                     : "COMMAND (leadctl --help lists them)");

    return LEADCTL_USAGE;
}


int
leadctl_failed(const lead_error_t *e, const char *what)
{
    const char  *todo;

    switch (e->rc) {

    case LEAD_ACCESS:
        todo = geteuid() == 0 ? ""
               : "; run leadctl as the store's owner or as root";
        break;

    case LEAD_BUSY:
        todo = "; try again in a moment";
        break;

    case LEAD_FULL:
        todo = "; free disk space, or raise the store's size";
        break;

    case LEAD_VERSION:
        todo = "; use the leadctl that came with the newer module";
        break;

    case LEAD_CORRUPT:
        todo = "; the file is damaged: leadctl check says more; "
               LEADCTL_DAMAGED;
        break;

    case LEAD_FOREIGN:
        todo = "; name the right one with --store, or, if it was one, it is "
               "damaged: " LEADCTL_DAMAGED;
        break;

    default:
        todo = "";
    }

    return leadctl_error(LEADCTL_FAILED, "%s failed (%s): %s%s%s%s", what,
                         lead_store_rc_text(e->rc), e->text,
                         e->err > 0 ? ": " : "",
                         e->err > 0 ? strerror(e->err) : "", todo);
}


void *
leadctl_alloc(void *p, size_t n, size_t size)
{
    p = reallocarray(p, n ? n : 1, size);

    if (p == NULL) {
        exit(leadctl_error(LEADCTL_FAILED, "no memory"));
    }

    return p;
}


int
leadctl_size(leadctl_t *ctl, uint64_t *size)
{
    char         digits[24];
    size_t       len;
    unsigned     shift;
    const char  *text;

    *size = 0;

    text = ctl->opts[LEADCTL_SIZE_OPT];

    if (text == NULL) {
        return LEADCTL_OK;
    }

    len = strlen(text);
    shift = 0;

    if (len < sizeof(digits)) {

        switch (text[len - 1] | 0x20) {
        case 'k':
            shift = 10;
            break;
        case 'm':
            shift = 20;
            break;
        case 'g':
            shift = 30;
            break;
        }

        if (shift) {
            len--;
        }

        memcpy(digits, text, len);
        digits[len] = '\0';

        if (leadctl_number(digits, INT64_MAX >> shift, size) == 0) {
            *size <<= shift;

            if (*size >= LEAD_SIZE_MIN) {
                return LEADCTL_OK;
            }
        }
    }

    return leadctl_usage(ctl, "--size must be a number of bytes, at least "
                         "1m, such as 512m or 16g");
}


/* 0, or -1: decimal digits alone, at most max */

int
leadctl_number(const char *text, uint64_t max, uint64_t *n)
{
    uint64_t  value, digit;

    value = 0;

    if (*text == '\0') {
        return -1;
    }

    for (/* void */; *text; text++) {
        if (*text < '0' || *text > '9') {
            return -1;
        }

        digit = (uint64_t) (*text - '0');

        if (digit > max || value > (max - digit) / 10) {
            return -1;
        }

        value = value * 10 + digit;
    }

    *n = value;

    return 0;
}


/* a name on the command line: one that can be shown and that fits */

int
leadctl_name(leadctl_t *ctl, leadctl_opt_t opt)
{
    size_t          n;
    uint32_t        cp;
    const uint8_t  *p, *last;

    p = (const uint8_t *) ctl->opts[opt];

    if (p == NULL) {
        return LEADCTL_OK;
    }

    last = p + strlen(ctl->opts[opt]);

    if (last - p > LEAD_NAME_MAX) {
        return leadctl_usage(ctl, "%s may have %d bytes at most",
                             leadctl_opt_name(opt), LEAD_NAME_MAX);
    }

    while (p < last) {
        n = leadctl_utf8(p, last, &cp);

        if (n == 0 || leadctl_unsafe(cp)) {
            return leadctl_usage(ctl, "%s must be UTF-8 without control "
                                 "characters", leadctl_opt_name(opt));
        }

        p += n;
    }

    return LEADCTL_OK;
}


int
leadctl_open(leadctl_t *ctl, leadctl_mode_t mode)
{
    lead_error_t       e, other;
    lead_store_opts_t  opts;

    memset(&opts, 0, sizeof(lead_store_opts_t));
    memset(&e, 0, sizeof(lead_error_t));

    (void) leadctl_size(ctl, &opts.size);
    opts.create = mode == LEADCTL_CREATE;
    opts.readonly = mode == LEADCTL_READ;

    e.rc = lead_store_open(ctl->path, &opts, &ctl->store, &e);

    /* whether one that is short is sound, only a writer sees */

    if (e.rc == LEAD_CORRUPT && mode == LEADCTL_READ) {
        opts.readonly = 0;
        other.rc = lead_store_open(ctl->path, &opts, &ctl->store, &other);

        if (other.rc != LEAD_ACCESS) {
            e = other;
        }
    }

    if (e.rc != LEAD_OK) {
        ctl->store = NULL;
        return leadctl_no_store(ctl, &e, mode);
    }

    return LEADCTL_OK;
}


static int
leadctl_no_store(leadctl_t *ctl, const lead_error_t *e, leadctl_mode_t mode)
{
    const char   *dir;
    struct stat   st;

    dir = strncmp(ctl->path, "lmdb:", 5) == 0 ? ctl->path + 5 : ctl->path;

    if (e->rc == LEAD_NOTFOUND && stat(dir, &st) == -1 && errno == ENOENT) {
        return leadctl_error(LEADCTL_FAILED, "there is no directory %s; name "
                             "the store with --store, or make it: install "
                             "-d -o www-data -m 0700 %s (-o: the user nginx "
                             "runs as)", dir, dir);
    }

    if (e->rc == LEAD_NOTFOUND && mode != LEADCTL_CREATE) {
        return leadctl_error(LEADCTL_FAILED, "there is no lead store in %s; "
                             "name it with --store, or make it: start nginx, "
                             "or leadctl key add", dir);
    }

    return leadctl_failed(e, "opening the store");
}


/* the number of --account's account */

int
leadctl_account(leadctl_t *ctl, int make, uint32_t *account)
{
    lead_rc_t      rc;
    lead_bytes_t   name;
    lead_error_t   e;

    name.data = (const uint8_t *) ctl->opts[LEADCTL_ACCOUNT_OPT];
    name.len = strlen(ctl->opts[LEADCTL_ACCOUNT_OPT]);

    rc = lead_store_account_find(ctl->store, name, account, &e);

    if (rc == LEAD_NOTFOUND && !make) {
        return leadctl_error(LEADCTL_NO, "there is no account \"%s\" in this "
                             "store; leadctl stat lists the accounts",
                             ctl->opts[LEADCTL_ACCOUNT_OPT]);
    }

    if (rc == LEAD_NOTFOUND) {
        rc = lead_store_account(ctl->store, name, account, &e);

        if (rc == LEAD_OK) {
            leadctl_hint("account \"%s\" is new in this store; nginx needs "
                         "a lead_account block of that name",
                         ctl->opts[LEADCTL_ACCOUNT_OPT]);
        }
    }

    if (rc != LEAD_OK) {
        e.rc = rc;
        return leadctl_failed(&e, "looking up the account");
    }

    return LEADCTL_OK;
}


lead_bytes_t
leadctl_copy(lead_bytes_t bytes)
{
    uint8_t  *data;

    data = leadctl_alloc(NULL, bytes.len, 1);

    if (bytes.len) {
        memcpy(data, bytes.data, bytes.len);
    }

    bytes.data = data;

    return bytes;
}
