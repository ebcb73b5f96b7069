
/*
 * Copyright (C) the ngx_lead authors
 *
 * What leadctl reads of a lead's document: whether it is one, and the few
 * members a table shows.
 *
 * yajl parses.  It takes overlong and surrogate UTF-8 and any depth, turns a
 * lone surrogate escape into "?" and overlooks a string that begins behind
 * the object and does not end: so bytes are checked before it, depth and
 * members in its callbacks, what is behind the object after it, escapes in
 * the raw text.  A number's text is never converted.
 *
 * The document stays the caller's; cells are copies, inner points into it.
 */


#include "leadctl.h"
#include <string.h>
#include <yajl/yajl_parse.h>


/* deeper than anything the store has been given */
#define LEADCTL_LEVELS        128


typedef struct {
    yajl_handle           yajl;
    leadctl_doc_t        *doc;
    lead_bytes_t          text;
    const char           *why;
    size_t                depth;
    size_t                depth_max;
    size_t                members_max;
    size_t                members[LEADCTL_LEVELS + 1];
    leadctl_field_t       field;         /* of the member being read */
    leadctl_field_t       parent;        /* of the object at depth 2 */
    size_t                start;         /* of "document" */
    size_t                end;           /* of the whole object */
    unsigned              document:1;    /* being read */
    unsigned              inner:1;       /* we are in it */
    unsigned              number:1;      /* the member is "number" */
    unsigned              archived:1;    /* the member is "archived" */
} leadctl_parse_t;


static int leadctl_parse_null(void *ctx);
static int leadctl_parse_boolean(void *ctx, int value);
static int leadctl_parse_number(void *ctx, const char *text, size_t len);
static int leadctl_parse_string(void *ctx, const unsigned char *text,
    size_t len);
static int leadctl_parse_open_map(void *ctx);
static int leadctl_parse_open_array(void *ctx);
static int leadctl_parse_key(void *ctx, const unsigned char *text,
    size_t len);
static int leadctl_parse_close_map(void *ctx);
static int leadctl_parse_close(void *ctx);
static int leadctl_parse_open(leadctl_parse_t *parse);
static int leadctl_parse_scalar(leadctl_parse_t *parse, const void *text,
    size_t len);
static leadctl_field_t leadctl_field(leadctl_parse_t *parse,
    const unsigned char *text, size_t len);
static const char *leadctl_doc_utf8(lead_bytes_t text);
static int leadctl_hex4(const uint8_t *p, const uint8_t *last,
    uint32_t *unit);


static const yajl_callbacks  leadctl_callbacks = {
    leadctl_parse_null,
    leadctl_parse_boolean,
    NULL,
    NULL,
    leadctl_parse_number,
    leadctl_parse_string,
    leadctl_parse_open_map,
    leadctl_parse_key,
    leadctl_parse_close_map,
    leadctl_parse_open_array,
    leadctl_parse_close
};


const char *
leadctl_doc_read(leadctl_doc_t *doc, lead_bytes_t text, size_t depth,
    size_t members)
{
    yajl_status      status;
    const char      *why;
    leadctl_parse_t  parse;

    memset(doc, 0, sizeof(leadctl_doc_t));

    why = leadctl_doc_utf8(text);
    if (why) {
        return why;
    }

    memset(&parse, 0, sizeof(leadctl_parse_t));

    parse.doc = doc;
    parse.text = text;
    parse.depth_max = depth && depth < LEADCTL_LEVELS ? depth
                                                      : LEADCTL_LEVELS;
    parse.members_max = members;

    parse.yajl = yajl_alloc(&leadctl_callbacks, NULL, &parse);
    if (parse.yajl == NULL) {
        return "no memory";
    }

    status = yajl_parse(parse.yajl, text.data, text.len);

    if (status == yajl_status_ok) {
        status = yajl_complete_parse(parse.yajl);
    }

    yajl_free(parse.yajl);

    if (status == yajl_status_ok) {
        while (parse.end < text.len && leadctl_blank(text.data[parse.end])) {
            parse.end++;
        }

        if (parse.end == text.len) {
            return NULL;
        }
    }

    return parse.why ? parse.why : "not valid JSON";
}


int
leadctl_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}


static const char *
leadctl_doc_utf8(lead_bytes_t text)
{
    size_t          n;
    uint32_t        cp;
    const uint8_t  *p, *last;

    if (text.len == 0) {
        return "empty";
    }

    p = text.data;
    last = p + text.len;

    while (p < last) {
        n = leadctl_utf8(p, last, &cp);

        if (n == 0) {
            return "not valid UTF-8";
        }

        p += n;
    }

    return NULL;
}


static int
leadctl_parse_null(void *ctx)
{
    return leadctl_parse_scalar(ctx, NULL, 0);
}


static int
leadctl_parse_boolean(void *ctx, int value)
{
    leadctl_parse_t  *parse = ctx;

    if (parse->depth == 1 && parse->archived) {
        parse->doc->archived = value ? 1 : 0;
    }

    return leadctl_parse_scalar(parse, NULL, 0);
}


static int
leadctl_parse_number(void *ctx, const char *text, size_t len)
{
    leadctl_parse_t  *parse = ctx;

    if (parse->depth == 1 && parse->number) {
        parse->doc->numbered = 1;
    }

    return leadctl_parse_scalar(parse, text, len);
}


static int
leadctl_parse_string(void *ctx, const unsigned char *text, size_t len)
{
    return leadctl_parse_scalar(ctx, text, len);
}


static int
leadctl_parse_scalar(leadctl_parse_t *parse, const void *text, size_t len)
{
    leadctl_cell_t  *cell;

    if (parse->depth == 0) {
        parse->why = "not a JSON object";
        return 0;
    }

    if (parse->field == LEADCTL_NO_FIELD || parse->depth > 2) {
        return 1;
    }

    if (len > sizeof(cell->data)) {
        len = sizeof(cell->data);
    }

    cell = &parse->doc->fields[parse->field];
    cell->len = len;

    if (len) {
        memcpy(cell->data, text, len);
    }

    parse->field = LEADCTL_NO_FIELD;

    return 1;
}


static int
leadctl_parse_open(leadctl_parse_t *parse)
{
    if (parse->depth == parse->depth_max) {
        parse->why = "nested too deep";
        return 0;
    }

    parse->depth++;
    parse->members[parse->depth] = 0;

    if (parse->depth == 2) {
        parse->parent = parse->field;
    }

    parse->field = LEADCTL_NO_FIELD;

    return 1;
}


static int
leadctl_parse_open_map(void *ctx)
{
    leadctl_parse_t  *parse = ctx;

    if (parse->depth == 1 && parse->document) {
        parse->inner = 1;
        parse->start = yajl_get_bytes_consumed(parse->yajl) - 1;
    }

    return leadctl_parse_open(parse);
}


static int
leadctl_parse_open_array(void *ctx)
{
    leadctl_parse_t  *parse = ctx;

    if (parse->depth == 0) {
        parse->why = "not a JSON object";
        return 0;
    }

    return leadctl_parse_open(parse);
}


static int
leadctl_parse_key(void *ctx, const unsigned char *text, size_t len)
{
    leadctl_parse_t  *parse = ctx;

    parse->members[parse->depth]++;

    if (parse->members_max
        && parse->members[parse->depth] > parse->members_max)
    {
        parse->why = "too many members in one object";
        return 0;
    }

    parse->field = leadctl_field(parse, text, len);

    if (parse->depth == 1) {
        parse->document = (len == 8 && memcmp(text, "document", 8) == 0);
        parse->archived = (len == 8 && memcmp(text, "archived", 8) == 0);
        parse->number = (len == 6 && memcmp(text, "number", 6) == 0);
    }

    return 1;
}


static leadctl_field_t
leadctl_field(leadctl_parse_t *parse, const unsigned char *text, size_t len)
{
    size_t  i;

    static const struct {
        const char       *name;
        leadctl_field_t   parent;
        leadctl_field_t   field;
    } fields[] = {
        { "first_name", LEADCTL_NO_FIELD, LEADCTL_FIRST_NAME },
        { "last_name",  LEADCTL_NO_FIELD, LEADCTL_LAST_NAME },
        { "email",      LEADCTL_NO_FIELD, LEADCTL_EMAIL },
        { "phone",      LEADCTL_NO_FIELD, LEADCTL_PHONE },
        { "stage",      LEADCTL_NO_FIELD, LEADCTL_STAGE },
        { "source",     LEADCTL_NO_FIELD, LEADCTL_SOURCE },
        { "name",       LEADCTL_STAGE,    LEADCTL_STAGE },
        { "key",        LEADCTL_STAGE,    LEADCTL_STAGE_KEY },
        { "name",       LEADCTL_SOURCE,   LEADCTL_SOURCE },
        { "key",        LEADCTL_SOURCE,   LEADCTL_SOURCE_KEY }
    };

    if (parse->depth > 2
        || (parse->depth == 2 && parse->parent == LEADCTL_NO_FIELD))
    {
        return LEADCTL_NO_FIELD;
    }

    for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if ((parse->depth == 1 || fields[i].parent == parse->parent)
            && (parse->depth == 2
                || fields[i].parent == LEADCTL_NO_FIELD)
            && strlen(fields[i].name) == len
            && memcmp(fields[i].name, text, len) == 0)
        {
            return fields[i].field;
        }
    }

    return LEADCTL_NO_FIELD;
}


static int
leadctl_parse_close_map(void *ctx)
{
    leadctl_parse_t  *parse = ctx;

    parse->end = yajl_get_bytes_consumed(parse->yajl);

    if (parse->depth == 2 && parse->inner) {
        parse->doc->inner.data = parse->text.data + parse->start;
        parse->doc->inner.len = parse->end - parse->start;
        parse->inner = 0;
    }

    return leadctl_parse_close(parse);
}


static int
leadctl_parse_close(void *ctx)
{
    leadctl_parse_t  *parse = ctx;

    parse->depth--;
    parse->field = LEADCTL_NO_FIELD;

    return 1;
}


/* the text has been parsed: a backslash in it is an escape in a string */

const char *
leadctl_doc_escapes(lead_bytes_t text)
{
    uint32_t        unit;
    const uint8_t  *p, *last;

    p = text.data;
    last = p + text.len;

    while (p < last) {

        if (*p != '\\') {
            p++;
            continue;
        }

        if (leadctl_hex4(p, last, &unit) == 0) {
            p += 2;
            continue;
        }

        p += 6;

        if (unit == 0) {
            return "\\u0000 in a string";
        }

        if (unit < 0xd800 || unit > 0xdfff) {
            continue;
        }

        if (unit > 0xdbff
            || leadctl_hex4(p, last, &unit) == 0
            || unit < 0xdc00 || unit > 0xdfff)
        {
            return "half a surrogate pair in a string";
        }

        p += 6;
    }

    return NULL;
}


static int
leadctl_hex4(const uint8_t *p, const uint8_t *last, uint32_t *unit)
{
    size_t    i;
    uint32_t  c, value;

    if (last - p < 6 || p[0] != '\\' || p[1] != 'u') {
        return 0;
    }

    value = 0;

    for (i = 2; i < 6; i++) {
        c = p[i];

        if (c >= '0' && c <= '9') {
            c -= '0';

        } else {
            c |= 0x20;

            if (c < 'a' || c > 'f') {
                return 0;
            }

            c = c - 'a' + 10;
        }

        value = (value << 4) | c;
    }

    *unit = value;

    return 1;
}


size_t
leadctl_doc_pack(uint8_t *data, size_t len)
{
    int       quoted;
    size_t    i;
    uint8_t  *d;

    d = data;
    quoted = 0;

    for (i = 0; i < len; i++) {

        if (quoted) {
            if (data[i] == '\\' && i + 1 < len) {
                *d++ = data[i++];

            } else if (data[i] == '"') {
                quoted = 0;
            }

            *d++ = data[i];
            continue;
        }

        if (!leadctl_blank(data[i])) {
            quoted = data[i] == '"';
            *d++ = data[i];
        }
    }

    return (size_t) (d - data);
}
