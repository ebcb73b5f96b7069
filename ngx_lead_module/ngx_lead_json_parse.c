
/*
 * Copyright (C) the ngx_lead authors
 *
 * JSON text to tree, with yajl.  What yajl leaves open is closed in front of
 * it (ngx_lead_json_text.c) and in its callbacks (depth, members, duplicates).
 *
 * Must not know a request, a configuration or a log, nor keep anything
 * between calls.  The tree lives in the caller's pool; its names and texts
 * point into the input where that has them as they are.  yajl's own memory is
 * gone when the parse ends.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <setjmp.h>
#include <yajl/yajl_parse.h>
#include "ngx_lead_json.h"


/* members from which on an object is searched by halves: a body of many
 * large objects must not cost the square of their size */
#define NGX_LEAD_JSON_FEW     16

/* yajl takes about 450 bytes, and 2048 for each of its two buffers */
#define NGX_LEAD_JSON_HEAP    5120


typedef struct {
    ngx_lead_json_t          *node;
    ngx_lead_json_t          *member;    /* the one that awaits its value */
    ngx_lead_json_t         **sorted;    /* by length, then bytes of name */
    ngx_uint_t                nsorted;
    ngx_uint_t                room;
    ngx_uint_t                sent;
    uint64_t                  seen;      /* a bit for some names: not set,
                                            no such name so far */
} ngx_lead_json_level_t;


typedef struct {
    ngx_pool_t               *pool;
    ngx_str_t                 text;
    yajl_handle               yajl;
    ngx_lead_json_t          *root;
    size_t                    end;       /* of root in the text */
    const char               *why;
    ngx_uint_t                depth;
    ngx_uint_t                depth_max;
    ngx_uint_t                deepest;
    ngx_uint_t                room;      /* for so many nodes more */
    size_t                    used;      /* of heap, in words */
    jmp_buf                   out;
    ngx_lead_json_level_t     levels[NGX_LEAD_JSON_DOC_DEPTH];
    size_t                    heap[NGX_LEAD_JSON_HEAP / sizeof(size_t)];
} ngx_lead_json_parser_t;


static ngx_int_t ngx_lead_json_parse_to(ngx_pool_t *pool, ngx_str_t *in,
    ngx_uint_t depth, ngx_lead_json_t **root, const char **why);
static ngx_int_t ngx_lead_json_run(ngx_lead_json_parser_t *ps);
static ngx_uint_t ngx_lead_json_ended(ngx_lead_json_parser_t *ps);

static void *ngx_lead_json_alloc(ngx_lead_json_parser_t *ps, size_t size);
static void *ngx_lead_json_yajl_malloc(void *ctx, size_t size);
static void *ngx_lead_json_yajl_realloc(void *ctx, void *p, size_t size);
static void ngx_lead_json_yajl_free(void *ctx, void *p);

static int ngx_lead_json_on_null(void *ctx);
static int ngx_lead_json_on_boolean(void *ctx, int value);
static int ngx_lead_json_on_number(void *ctx, const char *p, size_t len);
static int ngx_lead_json_on_string(void *ctx, const unsigned char *p,
    size_t len);
static int ngx_lead_json_on_object(void *ctx);
static int ngx_lead_json_on_name(void *ctx, const unsigned char *p,
    size_t len);
static int ngx_lead_json_on_array(void *ctx);
static int ngx_lead_json_on_end(void *ctx);

static ngx_lead_json_t *ngx_lead_json_value(ngx_lead_json_parser_t *ps,
    ngx_lead_json_type_e type);
static ngx_lead_json_t *ngx_lead_json_node(ngx_lead_json_parser_t *ps);
static int ngx_lead_json_open(ngx_lead_json_parser_t *ps,
    ngx_lead_json_type_e type);
static void ngx_lead_json_text(ngx_lead_json_parser_t *ps, ngx_str_t *dst,
    const void *p, size_t len);
static ngx_lead_json_t *ngx_lead_json_member(ngx_lead_json_level_t *level,
    ngx_str_t *name);
static ngx_uint_t ngx_lead_json_place(ngx_lead_json_level_t *level,
    ngx_str_t *name);
static ngx_int_t ngx_lead_json_cmp(ngx_str_t *one, ngx_str_t *two);
static void ngx_lead_json_index(ngx_lead_json_parser_t *ps,
    ngx_lead_json_level_t *level);


static const yajl_callbacks  ngx_lead_json_callbacks = {
    ngx_lead_json_on_null,
    ngx_lead_json_on_boolean,
    NULL,                              /* integer */
    NULL,                              /* double */
    ngx_lead_json_on_number,
    ngx_lead_json_on_string,
    ngx_lead_json_on_object,
    ngx_lead_json_on_name,
    ngx_lead_json_on_end,
    ngx_lead_json_on_array,
    ngx_lead_json_on_end
};


ngx_int_t
ngx_lead_json_parse(ngx_pool_t *pool, ngx_str_t *in, ngx_lead_json_t **root,
    const char **why)
{
    return ngx_lead_json_parse_to(pool, in, NGX_LEAD_JSON_MAX_DEPTH, root,
                                  why);
}


ngx_int_t
ngx_lead_json_parse_doc(ngx_pool_t *pool, ngx_str_t *in,
    ngx_lead_json_t **root, const char **why)
{
    return ngx_lead_json_parse_to(pool, in, NGX_LEAD_JSON_DOC_DEPTH, root,
                                  why);
}


static ngx_int_t
ngx_lead_json_parse_to(ngx_pool_t *pool, ngx_str_t *in, ngx_uint_t depth,
    ngx_lead_json_t **root, const char **why)
{
    ngx_int_t               rc;
    ngx_lead_json_parser_t  ps;

    rc = ngx_lead_json_check(in, why);
    if (rc != NGX_OK) {
        return rc;
    }

    ps.pool = pool;
    ps.text = *in;
    ps.root = NULL;
    ps.why = NULL;
    ps.depth = 0;
    ps.depth_max = depth;
    ps.deepest = 0;

    /* a node is far larger than the "0," it may be made of */

    ps.room = (depth == NGX_LEAD_JSON_MAX_DEPTH) ? NGX_LEAD_JSON_MAX_NODES
                                                 : NGX_MAX_SIZE_T_VALUE;
    ps.used = 0;

    if (ngx_lead_json_surrogates(pool, &ps.text) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = ngx_lead_json_run(&ps);

    if (rc == NGX_OK) {
        *root = ps.root;

    } else if (rc == NGX_DECLINED) {
        *why = ps.why ? ps.why : "malformed JSON";
    }

    return rc;
}


static ngx_int_t
ngx_lead_json_run(ngx_lead_json_parser_t *ps)
{
    yajl_status        status;
    yajl_alloc_funcs   funcs;

    /* yajl does not check what its allocator returns, so this is where one
     * without memory returns to; all that was allocated goes with the pool */

    if (setjmp(ps->out)) {
        return ps->why ? NGX_DECLINED : NGX_ERROR;
    }

    funcs.malloc = ngx_lead_json_yajl_malloc;
    funcs.realloc = ngx_lead_json_yajl_realloc;
    funcs.free = ngx_lead_json_yajl_free;
    funcs.ctx = ps;

    ps->yajl = yajl_alloc(&ngx_lead_json_callbacks, &funcs, ps);

    (void) yajl_config(ps->yajl, yajl_dont_validate_strings, 1);

    status = yajl_parse(ps->yajl, ps->text.data, ps->text.len);

    if (status == yajl_status_ok) {

        if (ps->root == NULL) {
            /* a number that nothing follows */
            status = yajl_complete_parse(ps->yajl);

        } else if (ps->depth || !ngx_lead_json_ended(ps)) {
            status = yajl_status_error;
        }
    }

    yajl_free(ps->yajl);

    return (status == yajl_status_ok) ? NGX_OK : NGX_DECLINED;
}


/* yajl takes the beginning of a token behind the value for nothing, as it
 * would wait for more: {}"x  */

static ngx_uint_t
ngx_lead_json_ended(ngx_lead_json_parser_t *ps)
{
    u_char  *p, *last;

    last = ps->text.data + ps->text.len;

    for (p = ps->text.data + ps->end; p < last; p++) {
        if (*p > ' ') {
            return 0;
        }
    }

    return 1;
}


static void *
ngx_lead_json_alloc(ngx_lead_json_parser_t *ps, size_t size)
{
    void  *p;

    p = ngx_palloc(ps->pool, size);

    if (p == NULL) {
        longjmp(ps->out, 1);
    }

    return p;
}


/* one word before each block keeps its size, for realloc() */

static void *
ngx_lead_json_yajl_malloc(void *ctx, size_t size)
{
    ngx_lead_json_parser_t *ps = ctx;

    size_t  *p, n;

    n = 1 + (size + sizeof(size_t) - 1) / sizeof(size_t);

    if (n <= NGX_LEAD_JSON_HEAP / sizeof(size_t) - ps->used) {
        p = &ps->heap[ps->used];
        ps->used += n;

    } else {
        p = ngx_lead_json_alloc(ps, n * sizeof(size_t));
    }

    *p = size;

    return p + 1;
}


static void *
ngx_lead_json_yajl_realloc(void *ctx, void *p, size_t size)
{
    void    *new;
    size_t   old;

    new = ngx_lead_json_yajl_malloc(ctx, size);

    if (p) {
        old = ((size_t *) p)[-1];
        ngx_memcpy(new, p, ngx_min(old, size));
        ngx_lead_json_yajl_free(ctx, p);
    }

    return new;
}


static void
ngx_lead_json_yajl_free(void *ctx, void *p)
{
    ngx_lead_json_parser_t *ps = ctx;

    uintptr_t  offset;

    offset = (uintptr_t) p - (uintptr_t) ps->heap;

    if (p && offset >= sizeof(ps->heap)) {
        (void) ngx_pfree(ps->pool, (size_t *) p - 1);
    }
}


static int
ngx_lead_json_on_null(void *ctx)
{
    (void) ngx_lead_json_value(ctx, NGX_LEAD_JSON_NULL);

    return 1;
}


static int
ngx_lead_json_on_boolean(void *ctx, int value)
{
    (void) ngx_lead_json_value(ctx, value ? NGX_LEAD_JSON_TRUE
                                          : NGX_LEAD_JSON_FALSE);
    return 1;
}


static int
ngx_lead_json_on_number(void *ctx, const char *p, size_t len)
{
    ngx_lead_json_t  *node;

    node = ngx_lead_json_value(ctx, NGX_LEAD_JSON_NUMBER);

    ngx_lead_json_text(ctx, &node->text, p, len);

    return 1;
}


static int
ngx_lead_json_on_string(void *ctx, const unsigned char *p, size_t len)
{
    ngx_lead_json_t  *node;

    node = ngx_lead_json_value(ctx, NGX_LEAD_JSON_STRING);

    ngx_lead_json_text(ctx, &node->text, p, len);

    /* no raw U+0000 comes so far: only a decoded string can have one */

    if (node->text.data != p && memchr(node->text.data, '\0', len)) {
        node->type = NGX_LEAD_JSON_NUL_STRING;
    }

    return 1;
}


static int
ngx_lead_json_on_object(void *ctx)
{
    return ngx_lead_json_open(ctx, NGX_LEAD_JSON_OBJECT);
}


static int
ngx_lead_json_on_array(void *ctx)
{
    return ngx_lead_json_open(ctx, NGX_LEAD_JSON_ARRAY);
}


static int
ngx_lead_json_on_end(void *ctx)
{
    ngx_lead_json_parser_t *ps = ctx;

    ps->depth--;

    if (ps->depth == 0) {
        ps->end = yajl_get_bytes_consumed(ps->yajl);
    }

    return 1;
}


static int
ngx_lead_json_on_name(void *ctx, const unsigned char *p, size_t len)
{
    ngx_lead_json_parser_t *ps = ctx;

    ngx_str_t               name;
    ngx_lead_json_t        *node;
    ngx_lead_json_level_t  *level;

    level = &ps->levels[ps->depth - 1];

    if (++level->sent > NGX_LEAD_JSON_MAX_MEMBERS) {
        ps->why = "too many members in an object";
        return 0;
    }

    ngx_lead_json_text(ps, &name, p, len);

    node = ngx_lead_json_member(level, &name);

    if (node) {
        ngx_str_null(&node->text);
        node->first = NULL;
        node->last = NULL;
        node->n = 0;

    } else {
        node = ngx_lead_json_node(ps);
        node->name = name;

        ngx_lead_json_append(level->node, node);

        if (level->node->n > NGX_LEAD_JSON_FEW) {
            ngx_lead_json_index(ps, level);
        }
    }

    level->member = node;

    return 1;
}


static ngx_lead_json_t *
ngx_lead_json_value(ngx_lead_json_parser_t *ps, ngx_lead_json_type_e type)
{
    ngx_lead_json_t        *node;
    ngx_lead_json_level_t  *level;

    level = ps->depth ? &ps->levels[ps->depth - 1] : NULL;

    if (level && level->node->type == NGX_LEAD_JSON_OBJECT) {
        node = level->member;
        node->type = type;
        return node;
    }

    node = ngx_lead_json_node(ps);
    node->type = type;

    if (level) {
        ngx_lead_json_append(level->node, node);

    } else {
        ps->root = node;
        ps->end = yajl_get_bytes_consumed(ps->yajl);
    }

    return node;
}


static ngx_lead_json_t *
ngx_lead_json_node(ngx_lead_json_parser_t *ps)
{
    ngx_lead_json_t  *node;

    if (ps->room-- == 0) {
        ps->why = "too many values";
        longjmp(ps->out, 1);
    }

    node = ngx_lead_json_alloc(ps, sizeof(ngx_lead_json_t));
    ngx_memzero(node, sizeof(ngx_lead_json_t));

    return node;
}


static int
ngx_lead_json_open(ngx_lead_json_parser_t *ps, ngx_lead_json_type_e type)
{
    ngx_lead_json_t        *node;
    ngx_lead_json_level_t  *level;

    if (ps->depth == ps->depth_max) {
        ps->why = "nested too deep";
        return 0;
    }

    node = ngx_lead_json_value(ps, type);
    level = &ps->levels[ps->depth++];

    if (ps->depth > ps->deepest) {
        ps->deepest = ps->depth;
        level->sorted = NULL;
        level->room = 0;
    }

    level->node = node;
    level->nsorted = 0;
    level->sent = 0;
    level->seen = 0;

    return 1;
}


/* what is not in the text is in a buffer that yajl uses again */

static void
ngx_lead_json_text(ngx_lead_json_parser_t *ps, ngx_str_t *dst, const void *p,
    size_t len)
{
    dst->len = len;

    if ((uintptr_t) p - (uintptr_t) ps->text.data < ps->text.len) {
        dst->data = (u_char *) p;
        return;
    }

    dst->data = ngx_pnalloc(ps->pool, len);

    if (dst->data == NULL) {
        longjmp(ps->out, 1);
    }

    ngx_memcpy(dst->data, p, len);
}


static ngx_lead_json_t *
ngx_lead_json_member(ngx_lead_json_level_t *level, ngx_str_t *name)
{
    uint64_t    bit;
    ngx_uint_t  i, hash;

    if (level->nsorted) {
        i = ngx_lead_json_place(level, name);

        if (i < level->nsorted
            && ngx_lead_json_cmp(&level->sorted[i]->name, name) == 0)
        {
            return level->sorted[i];
        }

        return NULL;
    }

    hash = name->len;

    if (name->len) {
        hash += 5 * name->data[0] + 11 * name->data[name->len - 1];
    }

    bit = (uint64_t) 1 << (hash % 64);

    if (level->seen & bit) {
        return ngx_lead_json_find(level->node, name->data, name->len);
    }

    level->seen |= bit;

    return NULL;
}


/* the number of sorted members whose name is less */

static ngx_uint_t
ngx_lead_json_place(ngx_lead_json_level_t *level, ngx_str_t *name)
{
    ngx_uint_t  low, high, i;

    low = 0;
    high = level->nsorted;

    while (low < high) {
        i = (low + high) / 2;

        if (ngx_lead_json_cmp(&level->sorted[i]->name, name) < 0) {
            low = i + 1;

        } else {
            high = i;
        }
    }

    return low;
}


static ngx_int_t
ngx_lead_json_cmp(ngx_str_t *one, ngx_str_t *two)
{
    if (one->len != two->len) {
        return (one->len < two->len) ? -1 : 1;
    }

    return ngx_memcmp(one->data, two->data, one->len);
}


/* takes up the last member, at the first call for an object all of them */

static void
ngx_lead_json_index(ngx_lead_json_parser_t *ps, ngx_lead_json_level_t *level)
{
    ngx_uint_t         i, room;
    ngx_lead_json_t   *node, **sorted;

    if (level->node->n > level->room) {
        room = ngx_max(level->room * 2, 4 * NGX_LEAD_JSON_FEW);

        sorted = ngx_lead_json_alloc(ps, room * sizeof(ngx_lead_json_t *));

        if (level->nsorted) {
            ngx_memcpy(sorted, level->sorted,
                       level->nsorted * sizeof(ngx_lead_json_t *));
        }

        level->sorted = sorted;
        level->room = room;
    }

    node = level->nsorted ? level->node->last : level->node->first;

    for ( /* void */ ; node; node = node->next) {
        i = ngx_lead_json_place(level, &node->name);

        ngx_memmove(&level->sorted[i + 1], &level->sorted[i],
                    (level->nsorted - i) * sizeof(ngx_lead_json_t *));

        level->sorted[i] = node;
        level->nsorted++;
    }
}
