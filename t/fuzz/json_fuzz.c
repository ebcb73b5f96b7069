
/*
 * Copyright (C) the ngx_lead authors
 *
 * A libFuzzer entry: JSON texts.  A second reader, written from RFC 8259 and
 * ngx_lead_json.h alone, says whether the text is to be taken and how it is
 * printed; the parser must say the same.  What is printed is read again, as
 * a body and as a document; the input is parsed with allocations that fail.
 */


#include "fuzz.h"
#include "ngx_lead_json.h"


/* p is NULL once there is something wrong */

typedef struct {
    const u_char  *p;
    const u_char  *last;
    u_char        *out;
    ngx_uint_t     depth;
    ngx_uint_t     members;      /* as sent, of all objects */
    ngx_uint_t     deepest;
} reader_t;


static void read_value(reader_t *r);


static void
read_space(reader_t *r)
{
    while (r->p < r->last && memchr(" \t\r\n", *r->p, 4)) {
        r->p++;
    }
}


static ngx_uint_t
read_char(reader_t *r, u_char c)
{
    if (r->p == NULL || r->p == r->last || *r->p != c) {
        return 0;
    }

    r->p++;

    return 1;
}


static void
read_word(reader_t *r, const char *word)
{
    size_t  len;

    len = strlen(word);

    if ((size_t) (r->last - r->p) < len || memcmp(r->p, word, len) != 0) {
        r->p = NULL;
        return;
    }

    r->p += len;
    r->out = ngx_cpymem(r->out, word, len);
}


static void
read_digits(reader_t *r)
{
    if (r->p == r->last || !isdigit(*r->p)) {
        r->p = NULL;
        return;
    }

    while (r->p < r->last && isdigit(*r->p)) {
        r->p++;
    }
}


static void
read_number(reader_t *r)
{
    const u_char  *start;

    start = r->p;

    (void) read_char(r, '-');

    if (!read_char(r, '0')) {
        read_digits(r);
    }

    if (read_char(r, '.')) {
        read_digits(r);
    }

    if (read_char(r, 'e') || read_char(r, 'E')) {
        if (!read_char(r, '+')) {
            (void) read_char(r, '-');
        }

        read_digits(r);
    }

    if (r->p) {
        r->out = ngx_cpymem(r->out, start, r->p - start);
    }
}


static int
read_hex4(reader_t *r)
{
    int     c;
    char    hex[5];
    size_t  i;

    for (i = 0; i < 4; i++) {
        if (r->last - r->p < 4 || !isxdigit(r->p[i])) {
            return -1;
        }

        hex[i] = (char) r->p[i];
    }

    hex[4] = '\0';
    c = (int) strtol(hex, NULL, 16);
    r->p += 4;

    return c;
}


static uint32_t
read_escape(reader_t *r)
{
    int          c, low;
    u_char       ch;
    const char  *which;

    static const char  from[] = "\"\\/bfnrt";
    static const char  to[] = "\"\\/\b\f\n\r\t";

    if (r->p == r->last) {
        r->p = NULL;
        return 0;
    }

    ch = *r->p++;

    if (ch != 'u') {
        which = ch ? strchr(from, ch) : NULL;
        if (which) {
            return (uint32_t) to[which - from];
        }

        r->p = NULL;
        return 0;
    }

    c = read_hex4(r);

    if (c < 0) {
        r->p = NULL;
        return 0;
    }

    if (c >= 0xd800 && c <= 0xdbff && r->last - r->p >= 6
        && r->p[0] == '\\' && r->p[1] == 'u')
    {
        r->p += 2;
        low = read_hex4(r);

        if (low >= 0xdc00 && low <= 0xdfff) {
            return 0x10000 + (((uint32_t) c - 0xd800) << 10)
                   + ((uint32_t) low - 0xdc00);
        }

        r->p -= (low < 0) ? 2 : 6;
    }

    return (c >= 0xd800 && c <= 0xdfff) ? 0xfffd : (uint32_t) c;
}


static void
print_point(reader_t *r, uint32_t c)
{
    const char  *which;

    static const char  from[] = "\"\\\b\f\n\r\t";
    static const char  to[] = "\"\\bfnrt";

    which = (c && c < 0x80) ? strchr(from, (int) c) : NULL;

    if (which) {
        *r->out++ = '\\';
        *r->out++ = (u_char) to[which - from];

    } else if (c < 0x20) {
        r->out += sprintf((char *) r->out, "\\u%04x", (unsigned) c);

    } else if (c < 0x80) {
        *r->out++ = (u_char) c;

    } else if (c < 0x800) {
        *r->out++ = (u_char) (0xc0 | c >> 6);
        *r->out++ = (u_char) (0x80 | (c & 0x3f));

    } else if (c < 0x10000) {
        *r->out++ = (u_char) (0xe0 | c >> 12);
        *r->out++ = (u_char) (0x80 | (c >> 6 & 0x3f));
        *r->out++ = (u_char) (0x80 | (c & 0x3f));

    } else {
        *r->out++ = (u_char) (0xf0 | c >> 18);
        *r->out++ = (u_char) (0x80 | (c >> 12 & 0x3f));
        *r->out++ = (u_char) (0x80 | (c >> 6 & 0x3f));
        *r->out++ = (u_char) (0x80 | (c & 0x3f));
    }
}


static void
read_string(reader_t *r)
{
    size_t    n;
    uint32_t  c;

    if (!read_char(r, '"')) {
        r->p = NULL;
        return;
    }

    *r->out++ = '"';

    while (r->p && r->p < r->last && *r->p != '"') {

        if (read_char(r, '\\')) {
            c = read_escape(r);

        } else {
            c = utf8_point(r->p, r->last, &n);
            r->p = (n && c >= 0x20) ? r->p + n : NULL;
        }

        if (r->p) {
            print_point(r, c);
        }
    }

    if (!read_char(r, '"')) {
        r->p = NULL;
        return;
    }

    *r->out++ = '"';
}


static void
read_list(reader_t *r, u_char open, u_char close)
{
    ngx_uint_t  n;

    r->p++;
    *r->out++ = open;

    r->depth++;
    r->deepest = ngx_max(r->deepest, r->depth);

    read_space(r);

    for (n = 0; r->p && !read_char(r, close); n++) {

        if (n) {
            if (!read_char(r, ',')) {
                r->p = NULL;
                return;
            }

            *r->out++ = ',';
            read_space(r);
        }

        if (open == '{') {
            read_string(r);

            if (r->p) {
                read_space(r);
            }

            if (!read_char(r, ':')) {
                r->p = NULL;
                return;
            }

            *r->out++ = ':';
            r->members++;

            if (n == NGX_LEAD_JSON_MAX_MEMBERS) {
                r->p = NULL;
                return;
            }
        }

        read_value(r);

        if (r->p) {
            read_space(r);
        }
    }

    *r->out++ = close;
    r->depth--;
}


static void
read_value(reader_t *r)
{
    read_space(r);

    if (r->p == r->last || r->depth > NGX_LEAD_JSON_DOC_DEPTH) {
        r->p = NULL;
        return;
    }

    switch (*r->p) {

    case '{':
        read_list(r, '{', '}');
        return;

    case '[':
        read_list(r, '[', ']');
        return;

    case '"':
        read_string(r);
        return;

    case 'n':
        read_word(r, "null");
        return;

    case 't':
        read_word(r, "true");
        return;

    case 'f':
        read_word(r, "false");
        return;

    default:
        read_number(r);
    }
}


/* the text as it is to be printed if no name occurs twice; its depth */

static ngx_uint_t
read_text(ngx_pool_t *pool, ngx_str_t *in, ngx_str_t *out,
    ngx_uint_t *members)
{
    reader_t  r;

    memset(&r, 0, sizeof(reader_t));

    r.p = in->data;
    r.last = in->data + in->len;
    r.out = ngx_pnalloc(pool, 6 * in->len + 1);
    must(r.out);

    out->data = r.out;

    read_value(&r);

    if (r.p) {
        read_space(&r);
    }

    out->len = r.out - out->data;
    *members = r.members;

    return (r.p && r.p == r.last) ? r.deepest : NGX_MAX_UINT32_VALUE;
}


static ngx_uint_t
check_node(ngx_lead_json_t *node, ngx_uint_t depth)
{
    ngx_uint_t        n, members;
    ngx_lead_json_t  *child, *last;

    must(depth <= NGX_LEAD_JSON_MAX_DEPTH);

    if (node->type != NGX_LEAD_JSON_ARRAY
        && node->type != NGX_LEAD_JSON_OBJECT)
    {
        must(node->first == NULL && node->last == NULL && node->n == 0);
        must((node->type == NGX_LEAD_JSON_NUL_STRING)
             == (node->type >= NGX_LEAD_JSON_STRING
                 && memchr(node->text.data, '\0', node->text.len) != NULL));
        return 0;
    }

    last = NULL;
    members = 0;

    for (n = 0, child = node->first; child; n++, child = child->next) {

        if (node->type == NGX_LEAD_JSON_OBJECT) {
            must(ngx_lead_json_find(node, child->name.data, child->name.len)
                 == child);
            members++;
        }

        members += check_node(child, depth + 1);
        last = child;
    }

    must(n == node->n && last == node->last);
    must(node->type == NGX_LEAD_JSON_ARRAY || n <= NGX_LEAD_JSON_MAX_MEMBERS);

    return members;
}


static void
check_tree(ngx_pool_t *pool, ngx_lead_json_t *root, ngx_str_t *want,
    ngx_uint_t members)
{
    ngx_str_t         one, two;
    ngx_uint_t        n;
    const char       *why;
    ngx_lead_json_t  *again;

    n = check_node(root, 0);

    must(ngx_lead_json_print(pool, root, &one) == NGX_OK);
    must(one.len == ngx_lead_json_len(root));
    must(ngx_lead_json_write(one.data, root) == one.data + one.len);

    must(n <= members);
    must(n < members || same(&one, want));

    must(ngx_lead_json_parse(pool, &one, &again, &why) == NGX_OK);
    must(ngx_lead_json_print(pool, again, &two) == NGX_OK);
    must(same(&one, &two));
    must(again->type == root->type && again->n == root->n);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ngx_int_t         rc;
    ngx_str_t         in, want;
    ngx_uint_t        depth, members;
    ngx_pool_t       *pool;
    const char       *why;
    ngx_lead_json_t  *root;

    pool = ngx_create_pool(4096, NULL);
    must(pool);

    in = block(pool, data, size);
    depth = read_text(pool, &in, &want, &members);
    root = NULL;
    why = NULL;

    rc = ngx_lead_json_parse(pool, &in, &root, &why);

    must(rc == NGX_OK || rc == NGX_DECLINED);
    must((rc == NGX_OK) == (root != NULL));
    must((rc == NGX_OK) == (why == NULL));
    must(size == 0 || memcmp(in.data, data, size) == 0);
    must((rc == NGX_OK) == (depth <= NGX_LEAD_JSON_MAX_DEPTH));

    if (root) {
        check_tree(pool, root, &want, members);
    }

    rc = ngx_lead_json_parse_doc(pool, &in, &root, &why);

    must(rc == NGX_OK || rc == NGX_DECLINED);
    must((rc == NGX_OK) == (depth <= NGX_LEAD_JSON_DOC_DEPTH));

    ngx_pool_fail_at = 1 + size % 13;

    rc = ngx_lead_json_parse(pool, &in, &root, &why);

    must((rc == NGX_ERROR) == (ngx_pool_fail_at == 0));

    ngx_pool_fail_at = 0;

    ngx_destroy_pool(pool);

    return 0;
}
