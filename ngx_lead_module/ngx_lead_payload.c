
/*
 * Copyright (C) the ngx_lead authors
 *
 * Bodies of webhooks and the lines that sign them.
 *
 * The format standard is made here: Standard Webhooks 1.0.0, the lead as it
 * is stored, for people of any dialect.  All other formats are the vendors',
 * and their dialects' to make; here they are only signed.
 *
 * Must do no I/O, log nothing and keep nothing: it may run in threads.  What
 * is made lives in the notice's pool.
 */


#include "ngx_lead_payload.h"
#include "ngx_lead_doc.h"
#include "ngx_lead_field.h"
#include <openssl/evp.h>
#include <openssl/hmac.h>


#define NGX_LEAD_PAYLOAD_FIXED                                                \
    "Content-Type: application/json" CRLF                                     \
    "User-Agent: ngx_lead/" NGX_LEAD_VERSION CRLF

#define NGX_LEAD_PAYLOAD_MAC_LEN   32        /* of SHA-256 */


/* dialects by format, which standard has none of */

static ngx_str_t  ngx_lead_payload_dialects[] = {   /* in the order of the */
    ngx_null_string,                                /* enum */
    ngx_string("lawfficient"),
    ngx_string("kickofflabs")
};


static ngx_lead_dialect_t *ngx_lead_payload_dialect(ngx_lead_notice_t *n);
static ngx_int_t ngx_lead_payload_event(ngx_lead_notice_t *n,
    ngx_lead_json_t **event);
static ngx_int_t ngx_lead_payload_standard(ngx_lead_notice_t *n,
    ngx_lead_json_t *event, ngx_lead_json_t **root);
static void ngx_lead_payload_add_head(ngx_lead_json_gen_t *gen,
    ngx_lead_json_t *to, ngx_lead_notice_t *n);
static void ngx_lead_payload_add_time(ngx_lead_json_gen_t *gen,
    ngx_lead_json_t *to, const char *name, int64_t time);
static ngx_uint_t ngx_lead_payload_reserved(ngx_str_t *name);

static ngx_int_t ngx_lead_payload_standard_lines(ngx_lead_notice_t *n,
    time_t now, ngx_str_t *body, ngx_str_t *lines);
static ngx_int_t ngx_lead_payload_vendor_lines(ngx_lead_notice_t *n,
    ngx_str_t *name, time_t now, ngx_str_t *body, ngx_str_t *lines);
static u_char *ngx_lead_payload_line(u_char *p, ngx_str_t *name,
    ngx_str_t *value);
static ngx_uint_t ngx_lead_payload_plain(ngx_keyval_t *header);
static ngx_int_t ngx_lead_payload_signed(ngx_pool_t *pool, ngx_str_t *id,
    time_t now, ngx_str_t *body, ngx_str_t *text);
static ngx_int_t ngx_lead_payload_mac(ngx_str_t *secret, ngx_str_t *text,
    u_char *mac);
static ngx_str_t ngx_lead_payload_seconds(u_char *buf, time_t now);


ngx_int_t
ngx_lead_payload(ngx_lead_notice_t *n, ngx_str_t *body)
{
    ngx_int_t            rc;
    ngx_lead_json_t     *event, *root;
    ngx_lead_dialect_t  *dialect;

    if (n->lead == NULL) {
        return NGX_DECLINED;
    }

    rc = ngx_lead_payload_event(n, &event);

    if (rc != NGX_OK) {
        return rc;
    }

    dialect = ngx_lead_payload_dialect(n);

    rc = dialect ? dialect->notice(n, event, &root)
                 : ngx_lead_payload_standard(n, event, &root);

    return rc == NGX_OK ? ngx_lead_json_print(n->pool, root, body) : rc;
}


static ngx_lead_dialect_t *
ngx_lead_payload_dialect(ngx_lead_notice_t *n)
{
    ngx_str_t  *name;

    name = &ngx_lead_payload_dialects[n->webhook->format];

    return name->len ? ngx_lead_dialect_find(name) : NULL;
}


/* what is no JSON is left out */

static ngx_int_t
ngx_lead_payload_event(ngx_lead_notice_t *n, ngx_lead_json_t **event)
{
    ngx_int_t    rc;
    const char  *why;

    *event = NULL;

    if (n->data.len == 0) {
        return NGX_OK;
    }

    rc = ngx_lead_json_parse_doc(n->pool, &n->data, event, &why);

    if (rc == NGX_DECLINED) {
        *event = NULL;
        return NGX_OK;
    }

    return rc;
}


static ngx_int_t
ngx_lead_payload_standard(ngx_lead_notice_t *n, ngx_lead_json_t *event,
    ngx_lead_json_t **root)
{
    ngx_int_t             rc;
    ngx_lead_json_t      *doc, *data, *node;
    ngx_lead_json_gen_t   gen;

    static ngx_str_t  name = ngx_string("event");

    rc = ngx_lead_doc_parse(n->pool, n->lead, &doc);

    if (rc != NGX_OK) {
        return rc;
    }

    gen.pool = n->pool;
    gen.failed = 0;

    *root = ngx_lead_json_add(&gen, NULL, NULL, NGX_LEAD_JSON_OBJECT);

    (void) ngx_lead_json_add_str(&gen, *root, "type", &n->type);
    ngx_lead_payload_add_time(&gen, *root, "timestamp", n->time);

    data = ngx_lead_json_add(&gen, *root, "data", NGX_LEAD_JSON_OBJECT);

    ngx_lead_payload_add_head(&gen, data, n);

    for (node = doc->first; node; node = node->next) {
        if (!ngx_lead_payload_reserved(&node->name)) {
            (void) ngx_lead_json_add_node(&gen, data, &node->name, node);
        }
    }

    if (event) {
        (void) ngx_lead_json_add_node(&gen, data, &name, event);
    }

    return gen.failed ? NGX_ERROR : NGX_OK;
}


/* what a lead is but for its document */

static void
ngx_lead_payload_add_head(ngx_lead_json_gen_t *gen, ngx_lead_json_t *to,
    ngx_lead_notice_t *n)
{
    ngx_str_t      id;
    const lead_t  *lead;

    lead = n->lead;

    id.len = LEAD_ID_TEXT_LEN;
    id.data = ngx_pnalloc(gen->pool, LEAD_ID_TEXT_LEN + 1);

    if (id.data == NULL) {
        gen->failed = 1;
        return;
    }

    lead_store_id_text(&lead->id, (char *) id.data);

    (void) ngx_lead_json_add_str(gen, to, "id", &id);
    (void) ngx_lead_json_add_int(gen, to, "number", (int64_t) lead->number);
    (void) ngx_lead_json_add_str(gen, to, "account", &n->account->name);
    ngx_lead_payload_add_time(gen, to, "created_at", lead->created);
    ngx_lead_payload_add_time(gen, to, "updated_at", lead->updated);
    ngx_lead_payload_add_time(gen, to, "last_activity_at", lead->activity);
    (void) ngx_lead_json_add_bool(gen, to, "archived",
                                  (lead->flags & LEAD_FLAG_ARCHIVED) != 0);
    (void) ngx_lead_json_add_bool(gen, to, "opted_out",
                                  (lead->flags & LEAD_FLAG_OPTED_OUT) != 0);
}


static void
ngx_lead_payload_add_time(ngx_lead_json_gen_t *gen, ngx_lead_json_t *to,
    const char *name, int64_t time)
{
    ngx_str_t  text;

    text.len = NGX_LEAD_FIELD_TIME_LEN;
    text.data = ngx_pnalloc(gen->pool, NGX_LEAD_FIELD_TIME_LEN);

    if (text.data == NULL) {
        gen->failed = 1;
        return;
    }

    (void) ngx_lead_field_time_ms(text.data, time);
    (void) ngx_lead_json_add_str(gen, to, name, &text);
}


/* no dialect's document has a member of such a name; an imported one may, and
 * does not show it */

static ngx_uint_t
ngx_lead_payload_reserved(ngx_str_t *name)
{
    ngx_uint_t  i;

    static ngx_str_t  names[] = {
        ngx_string("id"),
        ngx_string("number"),
        ngx_string("account"),
        ngx_string("created_at"),
        ngx_string("updated_at"),
        ngx_string("last_activity_at"),
        ngx_string("archived"),
        ngx_string("opted_out"),
        ngx_string("event")
    };

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (ngx_lead_field_equal(name, &names[i])) {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ngx_lead_payload_headers(ngx_lead_notice_t *n, time_t now, ngx_str_t *body,
    ngx_str_t *headers)
{
    u_char              *p;
    size_t               len;
    ngx_int_t            rc;
    ngx_str_t            lines;
    ngx_uint_t           i;
    ngx_keyval_t        *header;
    ngx_lead_dialect_t  *dialect;

    dialect = ngx_lead_payload_dialect(n);

    rc = dialect ? ngx_lead_payload_vendor_lines(n, &dialect->signature, now,
                                                 body, &lines)
                 : ngx_lead_payload_standard_lines(n, now, body, &lines);

    if (rc != NGX_OK) {
        return rc;
    }

    len = sizeof(NGX_LEAD_PAYLOAD_FIXED) - 1 + lines.len;
    header = n->webhook->headers.elts;

    for (i = 0; i < n->webhook->headers.nelts; i++) {
        len += header[i].key.len + 2 + header[i].value.len + 2;
    }

    p = ngx_pnalloc(n->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    headers->data = p;

    p = ngx_cpymem(p, NGX_LEAD_PAYLOAD_FIXED,
                   sizeof(NGX_LEAD_PAYLOAD_FIXED) - 1);
    p = ngx_cpymem(p, lines.data, lines.len);

    for (i = 0; i < n->webhook->headers.nelts; i++) {
        if (ngx_lead_payload_plain(&header[i])) {
            p = ngx_lead_payload_line(p, &header[i].key, &header[i].value);
        }
    }

    headers->len = p - headers->data;

    return NGX_OK;
}


/* the event's id is the message's: the same at each attempt */

static ngx_int_t
ngx_lead_payload_standard_lines(ngx_lead_notice_t *n, time_t now,
    ngx_str_t *body, ngx_str_t *lines)
{
    u_char     *p, text[LEAD_ID_TEXT_LEN + 1], seconds[NGX_TIME_T_LEN + 1];
    ngx_str_t   id, time, signature;

    static ngx_str_t  names[] = {
        ngx_string("webhook-id"),
        ngx_string("webhook-timestamp"),
        ngx_string("webhook-signature")
    };

    lead_store_id_text(&n->id, (char *) text);
    id.data = text;
    id.len = LEAD_ID_TEXT_LEN;

    time = ngx_lead_payload_seconds(seconds, now);

    if (ngx_lead_payload_sign(n->pool, &n->webhook->secrets, &id, now, body,
                              &signature)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    p = ngx_pnalloc(n->pool, names[0].len + names[1].len + names[2].len
                             + 3 * 4 + id.len + time.len + signature.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    lines->data = p;

    p = ngx_lead_payload_line(p, &names[0], &id);
    p = ngx_lead_payload_line(p, &names[1], &time);

    if (signature.len) {
        p = ngx_lead_payload_line(p, &names[2], &signature);
    }

    lines->len = p - lines->data;

    return NGX_OK;
}


ngx_int_t
ngx_lead_payload_sign(ngx_pool_t *pool, ngx_array_t *secrets, ngx_str_t *id,
    time_t now, ngx_str_t *body, ngx_str_t *signature)
{
    u_char      *p, mac[EVP_MAX_MD_SIZE];
    ngx_str_t    text, in, out, *secret;
    ngx_uint_t   i;

    if (ngx_lead_payload_signed(pool, id, now, body, &text) != NGX_OK) {
        return NGX_ERROR;
    }

    p = ngx_pnalloc(pool, secrets->nelts
                          * (sizeof(" v1,") - 1
                             + ngx_base64_encoded_length(
                                   NGX_LEAD_PAYLOAD_MAC_LEN))
                          + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    signature->data = p;
    secret = secrets->elts;

    in.data = mac;
    in.len = NGX_LEAD_PAYLOAD_MAC_LEN;

    for (i = 0; i < secrets->nelts; i++) {

        if (ngx_lead_payload_mac(&secret[i], &text, mac) != NGX_OK) {
            return NGX_ERROR;
        }

        if (i) {
            *p++ = ' ';
        }

        p = ngx_cpymem(p, "v1,", 3);
        out.data = p;
        ngx_encode_base64(&out, &in);
        p += out.len;
    }

    signature->len = p - signature->data;

    return NGX_OK;
}


/* the newest secret comes first; who looks at one value only, and takes the
 * last, still finds the secret it has when a newer one is added */

static ngx_int_t
ngx_lead_payload_vendor_lines(ngx_lead_notice_t *n, ngx_str_t *name,
    time_t now, ngx_str_t *body, ngx_str_t *lines)
{
    u_char      *p, mac[EVP_MAX_MD_SIZE], seconds[NGX_TIME_T_LEN + 1];
    ngx_str_t    text, time, *secret;
    ngx_uint_t   i, j, nsecrets;

    static const u_char  hex[] = "0123456789abcdef";

    nsecrets = n->webhook->secrets.nelts;

    if (name->len == 0 || nsecrets == 0) {
        ngx_str_set(lines, "");
        return NGX_OK;
    }

    time = ngx_lead_payload_seconds(seconds, now);

    p = ngx_pnalloc(n->pool, name->len + sizeof(": t=" CRLF) - 1 + time.len
                             + nsecrets * (sizeof(",v1=") - 1
                                           + 2 * NGX_LEAD_PAYLOAD_MAC_LEN));

    if (p == NULL
        || ngx_lead_payload_signed(n->pool, NULL, now, body, &text) != NGX_OK)
    {
        return NGX_ERROR;
    }

    lines->data = p;
    secret = n->webhook->secrets.elts;

    p = ngx_cpymem(p, name->data, name->len);
    p = ngx_cpymem(p, ": t=", sizeof(": t=") - 1);
    p = ngx_cpymem(p, time.data, time.len);

    for (i = 0; i < nsecrets; i++) {

        if (ngx_lead_payload_mac(&secret[i], &text, mac) != NGX_OK) {
            return NGX_ERROR;
        }

        p = ngx_cpymem(p, ",v1=", sizeof(",v1=") - 1);

        for (j = 0; j < NGX_LEAD_PAYLOAD_MAC_LEN; j++) {
            *p++ = hex[mac[j] >> 4];
            *p++ = hex[mac[j] & 0xf];
        }
    }

    p = ngx_cpymem(p, CRLF, 2);
    lines->len = p - lines->data;

    return NGX_OK;
}


static u_char *
ngx_lead_payload_line(u_char *p, ngx_str_t *name, ngx_str_t *value)
{
    p = ngx_cpymem(p, name->data, name->len);
    p = ngx_cpymem(p, ": ", 2);
    p = ngx_cpymem(p, value->data, value->len);

    return ngx_cpymem(p, CRLF, 2);
}


/* whether it makes one line: the configuration has said so before, but what
 * goes wrong there must not become a request of somebody's making */

static ngx_uint_t
ngx_lead_payload_plain(ngx_keyval_t *header)
{
    size_t  i;
    u_char  ch;

    for (i = 0; i < header->key.len; i++) {
        ch = header->key.data[i];

        if (ch <= ' ' || ch == ':' || ch >= 0x7f) {
            return 0;
        }
    }

    for (i = 0; i < header->value.len; i++) {
        ch = header->value.data[i];

        if ((ch < ' ' && ch != '\t') || ch == 0x7f) {
            return 0;
        }
    }

    return header->key.len != 0;
}


/* "<id>.<seconds>.<body>", without an id "<seconds>.<body>" */

static ngx_int_t
ngx_lead_payload_signed(ngx_pool_t *pool, ngx_str_t *id, time_t now,
    ngx_str_t *body, ngx_str_t *text)
{
    u_char     *p, seconds[NGX_TIME_T_LEN + 1];
    ngx_str_t   time;

    time = ngx_lead_payload_seconds(seconds, now);

    p = ngx_pnalloc(pool, (id ? id->len + 1 : 0) + time.len + 1 + body->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    text->data = p;

    if (id) {
        p = ngx_cpymem(p, id->data, id->len);
        *p++ = '.';
    }

    p = ngx_cpymem(p, time.data, time.len);
    *p++ = '.';
    p = ngx_cpymem(p, body->data, body->len);

    text->len = p - text->data;

    return NGX_OK;
}


static ngx_int_t
ngx_lead_payload_mac(ngx_str_t *secret, ngx_str_t *text, u_char *mac)
{
    unsigned  len;

    return HMAC(EVP_sha256(), secret->data, (int) secret->len, text->data,
                text->len, mac, &len)
           ? NGX_OK : NGX_ERROR;
}


static ngx_str_t
ngx_lead_payload_seconds(u_char *buf, time_t now)
{
    ngx_str_t  text;

    text.data = buf;
    text.len = snprintf((char *) buf, NGX_TIME_T_LEN + 1, "%lld",
                        (long long) now);

    return text;
}
