
/*
 * Copyright (C) the ngx_lead authors
 *
 * What leadctl prints: text made safe for a terminal, times, tables, JSON.
 *
 * A lead comes from strangers.  No byte of it may reach the terminal as a
 * control, in a table or inside a JSON string, and nothing is printed that a
 * JSON reader would refuse.  Errors of stdout are found by main() at the end.
 *
 * A table owns the cells it was given copies of; leadctl_show()'s result is
 * the caller's.
 */


#include "leadctl.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>


static size_t leadctl_columns(const char *text);
static void leadctl_json_line(leadctl_json_t *json);
static void leadctl_json_before(leadctl_json_t *json);
static void leadctl_json_safe(FILE *out, const uint8_t *p,
    const uint8_t *last, int quote);
static const uint8_t *leadctl_json_string(FILE *out, const uint8_t *p,
    const uint8_t *last);


size_t
leadctl_utf8(const uint8_t *p, const uint8_t *last, uint32_t *cp)
{
    size_t    i, len;
    uint32_t  c, least;

    c = *p;

    if (c < 0x80) {
        *cp = c;
        return 1;
    }

    if (c >= 0xc2 && c <= 0xdf) {
        len = 2;
        least = 0x80;
        c &= 0x1f;

    } else if (c >= 0xe0 && c <= 0xef) {
        len = 3;
        least = 0x800;
        c &= 0x0f;

    } else if (c >= 0xf0 && c <= 0xf4) {
        len = 4;
        least = 0x10000;
        c &= 0x07;

    } else {
        return 0;
    }

    if ((size_t) (last - p) < len) {
        return 0;
    }

    for (i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }

        c = (c << 6) | (p[i] & 0x3f);
    }

    if (c < least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
        return 0;
    }

    *cp = c;

    return len;
}


int
leadctl_unsafe(uint32_t cp)
{
    return cp < 0x20
           || (cp >= 0x7f && cp <= 0x9f)
           || cp == 0x61c
           || cp == 0x200e || cp == 0x200f
           || (cp >= 0x2028 && cp <= 0x202e)
           || (cp >= 0x2066 && cp <= 0x2069)
           || cp == 0xfeff
           || (cp >= 0xe0000 && cp <= 0xe007f);
}


char *
leadctl_show(const void *data, size_t len, size_t max)
{
    char            *text, *d, *cut;
    char             piece[16];
    size_t           n, width, cols, keep;
    uint32_t         cp;
    const uint8_t   *p, *last;

    /* "\u{e0041}" for 4 bytes, "\x1b" for one */

    text = leadctl_alloc(NULL, len + 1, 4);
    d = text;
    cut = text;
    cols = 0;
    keep = max > 3 ? max - 3 : max;

    p = data;
    last = p + len;

    while (p < last) {
        n = leadctl_utf8(p, last, &cp);

        if (n == 0 || cp < 0x80) {
            cp = *p;

            if (n && !leadctl_unsafe(cp)) {
                width = (size_t) sprintf(piece, "%c", (int) cp);
            } else {
                width = (size_t) sprintf(piece, "\\x%02x", (unsigned) cp);
            }

            n = 1;

        } else if (leadctl_unsafe(cp)) {
            width = (size_t) sprintf(piece, cp > 0xffff ? "\\u{%x}"
                                                        : "\\u%04x",
                                     (unsigned) cp);
        } else {
            memcpy(piece, p, n);
            piece[n] = '\0';
            width = 1;
        }

        if (max && cols + width > max) {
            if (max > 3) {
                strcpy(cut, "...");
            } else {
                *cut = '\0';
            }

            return text;
        }

        cols += width;
        d = stpcpy(d, piece);
        p += n;

        if (cols <= keep) {
            cut = d;
        }
    }

    *d = '\0';

    return text;
}


void
leadctl_time(int64_t time, char *text)
{
    int        us;
    time_t     sec;
    struct tm  tm;

    sec = (time_t) (time / 1000000);
    us = (int) (time % 1000000);

    if (us < 0) {
        us += 1000000;
        sec--;
    }

    if (gmtime_r(&sec, &tm) == NULL) {
        strcpy(text, "?");
        return;
    }

    snprintf(text, LEADCTL_TIME_LEN, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
             tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
             tm.tm_hour, tm.tm_min, tm.tm_sec, us / 1000);
}


int64_t
leadctl_now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_REALTIME, &ts);

    return (int64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}


void
leadctl_json_init(leadctl_json_t *json, int pretty)
{
    memset(json, 0, sizeof(leadctl_json_t));

    json->out = stdout;
    json->pretty = pretty ? 1 : 0;
}


static void
leadctl_json_line(leadctl_json_t *json)
{
    size_t  i;

    if (!json->pretty) {
        return;
    }

    putc('\n', json->out);

    for (i = 0; i < json->depth; i++) {
        fputs("  ", json->out);
    }
}


static void
leadctl_json_before(leadctl_json_t *json)
{
    if (json->member) {
        json->member = 0;
        return;
    }

    if (json->comma) {
        putc(',', json->out);
    }

    if (json->depth) {
        leadctl_json_line(json);
    }
}


void
leadctl_json_open(leadctl_json_t *json, int c)
{
    leadctl_json_before(json);
    putc(c, json->out);

    json->depth++;
    json->comma = 0;
}


void
leadctl_json_close(leadctl_json_t *json, int c)
{
    json->depth--;

    if (json->comma) {
        leadctl_json_line(json);
    }

    putc(c, json->out);
    json->comma = 1;
}


void
leadctl_json_key(leadctl_json_t *json, const char *name)
{
    leadctl_json_before(json);
    fprintf(json->out, json->pretty ? "\"%s\": " : "\"%s\":", name);
    json->member = 1;
}


void
leadctl_json_plain(leadctl_json_t *json, const char *fmt, ...)
{
    va_list  args;

    leadctl_json_before(json);

    va_start(args, fmt);
    vfprintf(json->out, fmt, args);
    va_end(args);

    json->comma = 1;
}


void
leadctl_json_time(leadctl_json_t *json, int64_t time)
{
    char  text[LEADCTL_TIME_LEN];

    if (time == 0) {
        leadctl_json_plain(json, "null");
        return;
    }

    leadctl_time(time, text);
    leadctl_json_text(json, text);
}


void
leadctl_json_text(leadctl_json_t *json, const char *text)
{
    lead_bytes_t  bytes;

    bytes.len = strlen(text);
    bytes.data = (const uint8_t *) text;

    leadctl_json_bytes(json, bytes);
}


void
leadctl_json_bytes(leadctl_json_t *json, lead_bytes_t text)
{
    leadctl_json_before(json);

    putc('"', json->out);
    leadctl_json_safe(json->out, text.data, text.data + text.len, 1);
    putc('"', json->out);

    json->comma = 1;
}


/* quote: the text is plain, not the inside of a JSON string already */

static void
leadctl_json_safe(FILE *out, const uint8_t *p, const uint8_t *last, int quote)
{
    size_t    n;
    uint32_t  cp;

    while (p < last) {
        n = leadctl_utf8(p, last, &cp);

        if (n == 0) {
            fputs("\\ufffd", out);
            p++;
            continue;
        }

        if (quote && (cp == '"' || cp == '\\')) {
            putc('\\', out);
            putc((int) cp, out);

        } else if (!leadctl_unsafe(cp)) {
            fwrite(p, 1, n, out);

        } else if (cp > 0xffff) {
            fprintf(out, "\\u%04x\\u%04x",
                    (unsigned) (0xd800 + ((cp - 0x10000) >> 10)),
                    (unsigned) (0xdc00 + ((cp - 0x10000) & 0x3ff)));
        } else {
            fprintf(out, "\\u%04x", (unsigned) cp);
        }

        p += n;
    }
}


static const uint8_t *
leadctl_json_string(FILE *out, const uint8_t *p, const uint8_t *last)
{
    const uint8_t  *start;

    start = ++p;

    while (p < last && *p != '"') {
        p += (*p == '\\' && last - p > 1) ? 2 : 1;
    }

    putc('"', out);
    leadctl_json_safe(out, start, p, 0);
    putc('"', out);

    return p < last ? p + 1 : p;
}


/* a valid JSON text, set anew at the present depth; strings and numbers keep
 * their spelling */

void
leadctl_json_value(leadctl_json_t *json, lead_bytes_t value)
{
    int             empty;
    const uint8_t  *p, *last;

    leadctl_json_before(json);

    p = value.data;
    last = p + value.len;
    empty = 0;

    while (p < last) {

        switch (*p) {

        case ' ':
        case '\t':
        case '\r':
        case '\n':
            p++;
            continue;

        case '}':
        case ']':
            json->depth--;

            if (!empty) {
                leadctl_json_line(json);
            }

            putc(*p++, json->out);
            empty = 0;
            continue;
        }

        if (empty) {
            leadctl_json_line(json);
            empty = 0;
        }

        switch (*p) {

        case '{':
        case '[':
            putc(*p++, json->out);
            json->depth++;
            empty = 1;
            break;

        case ',':
            putc(*p++, json->out);
            leadctl_json_line(json);
            break;

        case ':':
            fputs(json->pretty ? ": " : ":", json->out);
            p++;
            break;

        case '"':
            p = leadctl_json_string(json->out, p, last);
            break;

        default:
            putc(*p++, json->out);
        }
    }

    json->comma = 1;
}


void
leadctl_json_end(leadctl_json_t *json)
{
    putc('\n', json->out);

    json->comma = 0;
}


void
leadctl_table_init(leadctl_table_t *table, const leadctl_col_t *cols,
    size_t ncols)
{
    size_t  i;

    memset(table, 0, sizeof(leadctl_table_t));

    table->cols = cols;
    table->ncols = ncols;

    for (i = 0; i < ncols; i++) {
        table->widths[i] = strlen(cols[i].title);
    }
}


void
leadctl_table_add(leadctl_table_t *table, const void *data, size_t len)
{
    char    *cell;
    size_t   col, width;

    if (table->ncells == table->nalloc) {
        table->nalloc = table->nalloc ? table->nalloc * 2 : 256;
        table->cells = leadctl_alloc(table->cells, table->nalloc,
                                     sizeof(char *));
    }

    col = table->ncells % table->ncols;
    cell = leadctl_show(data, len, table->cols[col].max);
    width = leadctl_columns(cell);

    if (width > table->widths[col]) {
        table->widths[col] = width;
    }

    table->cells[table->ncells++] = cell;
}


void
leadctl_table_text(leadctl_table_t *table, const char *text)
{
    leadctl_table_add(table, text, strlen(text));
}


/* may be called again as rows come: the titles are printed once, and columns
 * only become wider */

void
leadctl_table_print(leadctl_table_t *table)
{
    size_t       i, col, pad;
    const char  *text;

    pad = 0;

    for (i = table->titled ? table->ncols : 0;
         i < table->ncells + table->ncols;
         i++)
    {
        col = i % table->ncols;
        text = i < table->ncols ? table->cols[i].title
                                : table->cells[i - table->ncols];

        if (*text) {
            printf("%*s%s", (int) pad, "", text);
            pad = 0;
        }

        pad += table->widths[col] - leadctl_columns(text) + 2;

        if (col == table->ncols - 1) {
            putchar('\n');
            pad = 0;
        }
    }

    table->titled = 1;
    leadctl_table_free(table);
}


void
leadctl_table_free(leadctl_table_t *table)
{
    size_t  i;

    for (i = 0; i < table->ncells; i++) {
        free(table->cells[i]);
    }

    free(table->cells);

    table->cells = NULL;
    table->ncells = 0;
    table->nalloc = 0;
}


static size_t
leadctl_columns(const char *text)
{
    size_t  n;

    for (n = 0; *text; text++) {
        if (((unsigned char) *text & 0xc0) != 0x80) {
            n++;
        }
    }

    return n;
}
