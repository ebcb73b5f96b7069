
/*
 * Copyright (C) the ngx_lead authors
 *
 * JSON in and out: bytes -> tree, tree -> bytes.  Pure functions on a pool
 * and bytes; nothing here knows a request or a configuration.
 *
 * Everything lives in the pool given.  A parsed tree may point into the
 * input, which must live as long as the tree.
 */


#ifndef _NGX_LEAD_JSON_H_INCLUDED_
#define _NGX_LEAD_JSON_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_LEAD_JSON_MAX_DEPTH    32     /* arrays and objects, nested */
#define NGX_LEAD_JSON_MAX_MEMBERS  1000   /* of one object, as sent */
#define NGX_LEAD_JSON_MAX_NODES    262144 /* of a text, as sent */
#define NGX_LEAD_JSON_DOC_DEPTH    36     /* of a document of ours, which has
                                             what was sent inside of it */


typedef enum {
    NGX_LEAD_JSON_NULL = 0,
    NGX_LEAD_JSON_FALSE,
    NGX_LEAD_JSON_TRUE,
    NGX_LEAD_JSON_NUMBER,
    NGX_LEAD_JSON_STRING,
    NGX_LEAD_JSON_NUL_STRING,    /* a string with U+0000 in it: no contract
                                    takes it for a string */
    NGX_LEAD_JSON_ARRAY,
    NGX_LEAD_JSON_OBJECT
} ngx_lead_json_type_e;


typedef struct ngx_lead_json_s  ngx_lead_json_t;

struct ngx_lead_json_s {
    ngx_lead_json_type_e   type;
    unsigned               shared:1; /* the children are another tree's */
    ngx_str_t              name;     /* of a member, decoded */
    ngx_str_t              text;     /* string: decoded; number: as written */
    ngx_lead_json_t       *first;    /* array and object: children in order */
    ngx_lead_json_t       *last;
    ngx_lead_json_t       *next;
    ngx_uint_t             n;        /* number of children */
};


/* a tree under construction: the first failed allocation is remembered, so
 * that it is checked once, at the end */

typedef struct {
    ngx_pool_t            *pool;
    ngx_uint_t             failed;   /* unsigned  failed:1; */
} ngx_lead_json_gen_t;


/*
 * Parses one JSON text (RFC 8259) with nothing but white space around it.
 * A byte order mark, invalid UTF-8, more depth or members than allowed are
 * errors.  A lone surrogate escape becomes U+FFFD.  Of members with equal
 * names the last value stands at the place of the first.
 *
 * NGX_OK        *root is the tree
 * NGX_DECLINED  not such a text; *why says why, a static string for the log
 * NGX_ERROR     no memory
 */
ngx_int_t ngx_lead_json_parse(ngx_pool_t *pool, ngx_str_t *in,
    ngx_lead_json_t **root, const char **why);

/* the same for a lead's document, which the store keeps */
ngx_int_t ngx_lead_json_parse_doc(ngx_pool_t *pool, ngx_str_t *in,
    ngx_lead_json_t **root, const char **why);


/* a member of an object by name; NULL if absent or obj is no object */
ngx_lead_json_t *ngx_lead_json_find(ngx_lead_json_t *obj, u_char *name,
    size_t len);

#define ngx_lead_json_get(obj, literal)                                       \
    ngx_lead_json_find(obj, (u_char *) literal, sizeof(literal) - 1)


/*
 * Builders.  parent is an object (name: a string that outlives the tree) or
 * an array (name NULL), or NULL for a root.  They return the new node, or
 * NULL with gen->failed set.  Strings are not copied.
 */
ngx_lead_json_t *ngx_lead_json_add(ngx_lead_json_gen_t *gen,
    ngx_lead_json_t *parent, const char *name, ngx_lead_json_type_e type);
ngx_lead_json_t *ngx_lead_json_add_str(ngx_lead_json_gen_t *gen,
    ngx_lead_json_t *parent, const char *name, ngx_str_t *value);
ngx_lead_json_t *ngx_lead_json_add_int(ngx_lead_json_gen_t *gen,
    ngx_lead_json_t *parent, const char *name, int64_t value);
ngx_lead_json_t *ngx_lead_json_add_bool(ngx_lead_json_gen_t *gen,
    ngx_lead_json_t *parent, const char *name, ngx_uint_t value);

/* a copy of node (its children shared) under the name given: trees are
 * composed of parts of other trees; node itself is not touched, not even if
 * the copy gets or loses children later.  No node (NULL) adds nothing. */
ngx_lead_json_t *ngx_lead_json_add_node(ngx_lead_json_gen_t *gen,
    ngx_lead_json_t *parent, ngx_str_t *name, ngx_lead_json_t *node);

/* as add_node(), but replaces the member of that name if there is one; no
 * node (NULL) removes it.  It changes the children of obj only: who changes
 * those of a member first sets a copy of the member, and changes that. */
void ngx_lead_json_set_node(ngx_lead_json_gen_t *gen, ngx_lead_json_t *obj,
    ngx_str_t *name, ngx_lead_json_t *node);


/* the exact number of bytes write() makes of the tree, and the writing:
 * no white space, UTF-8 as is, escapes only where RFC 8259 asks for them */
size_t ngx_lead_json_len(ngx_lead_json_t *root);
u_char *ngx_lead_json_write(u_char *dst, ngx_lead_json_t *root);

/* both at once, into pool; NGX_ERROR if there is no memory */
ngx_int_t ngx_lead_json_print(ngx_pool_t *pool, ngx_lead_json_t *root,
    ngx_str_t *out);


/*
 * Between the files ngx_lead_json*.c only: NGX_OK if yajl may see the text,
 * else NGX_DECLINED and why; lone surrogate escapes made U+FFFD, in a copy if
 * there are any; a node linked as the last child.
 */
ngx_int_t ngx_lead_json_check(ngx_str_t *in, const char **why);
ngx_int_t ngx_lead_json_surrogates(ngx_pool_t *pool, ngx_str_t *text);
void ngx_lead_json_append(ngx_lead_json_t *parent, ngx_lead_json_t *node);


#endif /* _NGX_LEAD_JSON_H_INCLUDED_ */
