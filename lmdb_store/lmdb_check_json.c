
/*
 * Copyright (C) the ngx_lead authors
 *
 * Whether a document is JSON still: of what the domain has written, a page
 * that was damaged leaves something else.  It knows the grammar of RFC 8259
 * and nothing else; the store never looks into a document otherwise.  Nothing
 * is allocated.
 */


#include <string.h>

#include "lmdb_check.h"


#define LEAD_LMDB_LEVELS      128       /* more than the domain takes */


typedef struct {
    const uint8_t        *p;
    const uint8_t        *last;
    size_t                depth;
    uint8_t               open[LEAD_LMDB_LEVELS];
} lead_lmdb_json_t;


static int lead_lmdb_json_next(lead_lmdb_json_t *j);
static int lead_lmdb_json_string(lead_lmdb_json_t *j);
static int lead_lmdb_json_digits(lead_lmdb_json_t *j);
static int lead_lmdb_json_number(lead_lmdb_json_t *j);
static int lead_lmdb_json_word(lead_lmdb_json_t *j, const char *word);
static int lead_lmdb_json_scalar(lead_lmdb_json_t *j);
static int lead_lmdb_json_name(lead_lmdb_json_t *j);
static int lead_lmdb_json_value(lead_lmdb_json_t *j);


/* the next byte that is no blank, or -1 */

static int
lead_lmdb_json_next(lead_lmdb_json_t *j)
{
    while (j->p < j->last
           && (*j->p == ' ' || *j->p == '\t' || *j->p == '\n'
               || *j->p == '\r'))
    {
        j->p++;
    }

    return j->p < j->last ? *j->p : -1;
}


/* a sequence of bytes beyond ASCII is looked at as a whole: UTF-8 */

static int
lead_lmdb_json_string(lead_lmdb_json_t *j)
{
    int      n;
    uint8_t  c;

    for (j->p++; j->p < j->last; /* void */ ) {
        c = *j->p++;

        if (c == '"') {
            return 0;
        }

        if (c < 0x20) {
            return -1;
        }

        if (c == '\\') {

            if (j->p == j->last || *j->p == '\0'
                || strchr("\"\\/bfnrtu", *j->p) == NULL)
            {
                return -1;
            }

            n = *j->p++ == 'u' ? 4 : 0;

            for ( /* void */ ; n != 0; n--, j->p++) {
                if (j->p == j->last || *j->p == '\0'
                    || strchr("0123456789abcdefABCDEF", *j->p) == NULL)
                {
                    return -1;
                }
            }

            continue;
        }

        n = c < 0x80 ? 0 : c < 0xc2 ? -1 : c < 0xe0 ? 1 : c < 0xf0 ? 2
            : c < 0xf5 ? 3 : -1;

        if (n == -1 || j->last - j->p < n) {
            return -1;
        }

        for ( /* void */ ; n != 0; n--) {
            if ((*j->p++ & 0xc0) != 0x80) {
                return -1;
            }
        }
    }

    return -1;
}


static int
lead_lmdb_json_digits(lead_lmdb_json_t *j)
{
    const uint8_t  *start;

    for (start = j->p;
         j->p < j->last && *j->p >= '0' && *j->p <= '9';
         j->p++)
    {
        /* void */
    }

    return j->p != start ? 0 : -1;
}


static int
lead_lmdb_json_number(lead_lmdb_json_t *j)
{
    if (*j->p == '-') {
        j->p++;
    }

    if (j->p < j->last && *j->p == '0') {
        j->p++;

    } else if (lead_lmdb_json_digits(j) != 0) {
        return -1;
    }

    if (j->p < j->last && *j->p == '.') {
        j->p++;

        if (lead_lmdb_json_digits(j) != 0) {
            return -1;
        }
    }

    if (j->p < j->last && (*j->p | 0x20) == 'e') {
        j->p++;

        if (j->p < j->last && (*j->p == '+' || *j->p == '-')) {
            j->p++;
        }

        return lead_lmdb_json_digits(j);
    }

    return 0;
}


static int
lead_lmdb_json_word(lead_lmdb_json_t *j, const char *word)
{
    size_t  len;

    len = strlen(word);

    if ((size_t) (j->last - j->p) < len || memcmp(j->p, word, len) != 0) {
        return -1;
    }

    j->p += len;

    return 0;
}


static int
lead_lmdb_json_scalar(lead_lmdb_json_t *j)
{
    switch (*j->p) {

    case '"':
        return lead_lmdb_json_string(j);

    case 't':
        return lead_lmdb_json_word(j, "true");

    case 'f':
        return lead_lmdb_json_word(j, "false");

    case 'n':
        return lead_lmdb_json_word(j, "null");

    default:
        return lead_lmdb_json_number(j);
    }
}


/* of a member, up to its value */

static int
lead_lmdb_json_name(lead_lmdb_json_t *j)
{
    if (lead_lmdb_json_next(j) != '"'
        || lead_lmdb_json_string(j) != 0
        || lead_lmdb_json_next(j) != ':')
    {
        return -1;
    }

    j->p++;

    return 0;
}


/* a scalar, or one of what may be empty that is; 1: what was begun goes on
 * with a value */

static int
lead_lmdb_json_value(lead_lmdb_json_t *j)
{
    int  c;

    c = lead_lmdb_json_next(j);

    if (c == -1) {
        return -1;
    }

    if (c != '{' && c != '[') {
        return lead_lmdb_json_scalar(j);
    }

    if (j->depth == LEAD_LMDB_LEVELS) {
        return -1;
    }

    j->p++;
    j->open[j->depth++] = (uint8_t) c;

    if (lead_lmdb_json_next(j) == c + 2) {
        return 0;
    }

    return c == '{' && lead_lmdb_json_name(j) != 0 ? -1 : 1;
}


int
lead_lmdb_check_json(lead_bytes_t text)
{
    int               rc, c, open;
    lead_lmdb_json_t  j;

    j.p = text.data;
    j.last = text.data + text.len;
    j.depth = 0;

    for ( ;; ) {
        rc = lead_lmdb_json_value(&j);

        if (rc == -1) {
            return -1;
        }

        if (rc == 1) {
            continue;
        }

        for ( ;; ) {
            c = lead_lmdb_json_next(&j);

            if (j.depth == 0) {
                return c == -1 ? 0 : -1;
            }

            open = j.open[j.depth - 1];

            if (c != open + 2) {
                break;
            }

            j.p++;
            j.depth--;
        }

        if (c != ',') {
            return -1;
        }

        j.p++;

        if (open == '{' && lead_lmdb_json_name(&j) != 0) {
            return -1;
        }
    }
}
