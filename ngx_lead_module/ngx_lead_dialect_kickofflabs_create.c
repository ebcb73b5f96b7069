
/*
 * Copyright (C) the ngx_lead authors
 *
 * KickoffLabs: POST /v2/{campaign}, as far as it can be judged without the
 * stored lead: parameters, contact, custom fields, what finds the lead and
 * its referrer.
 *
 * Custom fields and utm_ parameters also come out of the query of __url, with
 * the least authority; so does the referrer.  All else does not: that page is
 * the visitor's, and what it says has not the authority of the key.
 *
 * Runs in the event loop, on call->pool, and must leave the rest to decide().
 */


#include "ngx_lead_dialect_kickofflabs.h"
#include "ngx_lead_form.h"
#include <arpa/inet.h>


#define NGX_LEAD_KOL_SOURCE        "API"


static ngx_int_t ngx_lead_kol_contact(ngx_lead_kol_op_t *op);
static ngx_int_t ngx_lead_kol_flags(ngx_lead_kol_op_t *op);
static ngx_int_t ngx_lead_kol_fields(ngx_lead_kol_op_t *op,
    ngx_lead_json_t **url);
static ngx_int_t ngx_lead_kol_url(ngx_lead_kol_op_t *op,
    ngx_lead_json_t **args);
static ngx_int_t ngx_lead_kol_gather(ngx_lead_kol_op_t *op,
    ngx_lead_json_gen_t *gen, ngx_lead_json_t *from);
static ngx_uint_t ngx_lead_kol_reserved(ngx_str_t *name);
static ngx_int_t ngx_lead_kol_sent(ngx_lead_kol_op_t *op);
static void ngx_lead_kol_source(ngx_lead_json_gen_t *gen,
    ngx_lead_json_t *sent, ngx_str_t *text);
static ngx_uint_t ngx_lead_kol_address(ngx_str_t *text);
static ngx_int_t ngx_lead_kol_referrer(ngx_lead_kol_op_t *op,
    ngx_lead_json_t *url);


ngx_int_t
ngx_lead_kol_create(ngx_lead_call_t *call)
{
    ngx_int_t           rc;
    ngx_lead_json_t    *url;
    ngx_lead_kol_op_t  *op;

    op = ngx_lead_kol_op(call);
    if (op == NULL) {
        return NGX_ERROR;
    }

    url = NULL;
    rc = ngx_lead_kol_contact(op);

    if (rc == NGX_OK) {
        rc = ngx_lead_kol_flags(op);
    }

    if (rc == NGX_OK) {
        rc = ngx_lead_kol_fields(op, &url);
    }

    if (rc == NGX_OK) {
        rc = ngx_lead_kol_sent(op);
    }

    if (rc == NGX_OK) {
        rc = ngx_lead_kol_referrer(op, url);
    }

    /* who must exist needs no new social id */

    if (rc == NGX_OK) {
        rc = ngx_lead_kol_search(op, op->must_exist,
                                 op->must_exist ? NULL : "socials");
    }

    call->op.target.by = LEAD_BY_MATCH;
    call->op.target.matches = op->matches;
    call->op.target.nmatches = op->nmatches;

    if (op->nsecond) {
        call->op.second.by = LEAD_BY_MATCH;
        call->op.second.matches = op->second;
        call->op.second.nmatches = op->nsecond;
    }

    ngx_lead_kol_count(op);

    call->op.counters = op->counters;
    call->op.ncounters = op->ncounters;
    call->op.decide = ngx_lead_kol_decide;
    call->op.data = op;

    return rc;
}


static ngx_int_t
ngx_lead_kol_contact(ngx_lead_kol_op_t *op)
{
    ngx_int_t         email, phone;
    ngx_lead_call_t  *call;

    call = op->call;

    email = ngx_lead_kol_read_email(op, ngx_lead_kol_param(call, "email"));
    phone = ngx_lead_kol_read_phone(op);

    if (email == NGX_ERROR || phone == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (op->email.len == 0 && op->phone.len == 0) {
        return ngx_lead_kol_invalid(call, "base",
                                    "Email or phone number is required",
                                    "Email or phone number is required");
    }

    if (email != NGX_OK) {
        return ngx_lead_kol_invalid(call, "email", "is invalid",
                                    "Email is invalid");
    }

    if (phone != NGX_OK) {
        return ngx_lead_kol_invalid(call, "phone_number", "is invalid",
                                    "Phone number is invalid");
    }

    return NGX_OK;
}


static ngx_int_t
ngx_lead_kol_flags(ngx_lead_kol_op_t *op)
{
    ngx_int_t         rc;
    ngx_str_t         text;
    ngx_lead_call_t  *call;
    ngx_lead_json_t  *node;

    static ngx_str_t  no = ngx_string("false");

    call = op->call;

    op->must_exist = ngx_lead_kol_true(ngx_lead_kol_param(call, "must_exist"))
                     ? 1 : 0;

    node = ngx_lead_kol_param(call, "__do_not_reset_opt_out");

    if (node && node->type != NGX_LEAD_JSON_FALSE) {
        rc = ngx_lead_kol_text(node, &text);

        op->keep_opt_out = rc != NGX_OK
                           || (text.len
                               && !ngx_lead_field_equal(&text, &no)
                               && !(text.len == 1 && text.data[0] == '0'));
    }

    /* points are for those who have shown a key */

    if (call->key.id[0] == '\0') {
        return NGX_OK;
    }

    rc = ngx_lead_kol_integer(call->pool, ngx_lead_kol_param(call, "points"),
                              &op->points);

    if (rc == NGX_OK) {
        op->scored = 1;

        if (op->points > NGX_LEAD_KOL_POINTS_MAX) {
            return ngx_lead_call_fault(call, 409, "", "Max Points Exceeded");
        }

        op->points = ngx_max(op->points, 0);
    }

    return rc == NGX_ERROR ? NGX_ERROR : NGX_OK;
}


/* __url's first, then the body's, then the query's: the later one wins */

static ngx_int_t
ngx_lead_kol_fields(ngx_lead_kol_op_t *op, ngx_lead_json_t **url)
{
    ngx_uint_t            i;
    ngx_lead_json_t      *from[3];
    ngx_lead_json_gen_t   gen;

    gen.pool = op->call->pool;
    gen.failed = 0;

    op->custom = ngx_lead_json_add(&gen, NULL, NULL, NGX_LEAD_JSON_OBJECT);
    op->utm = ngx_lead_json_add(&gen, NULL, NULL, NGX_LEAD_JSON_OBJECT);

    if (ngx_lead_kol_url(op, url) != NGX_OK) {
        return NGX_ERROR;
    }

    from[0] = *url;
    from[1] = op->call->json;
    from[2] = op->call->query;

    for (i = 0; i < 3; i++) {
        if (from[i] && ngx_lead_kol_gather(op, &gen, from[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return gen.failed ? NGX_ERROR : NGX_OK;
}


/* the arguments of __url; NULL if there are none that can be read */

static ngx_int_t
ngx_lead_kol_url(ngx_lead_kol_op_t *op, ngx_lead_json_t **args)
{
    u_char           *p, *last;
    ngx_int_t         rc;
    ngx_str_t         text, query;
    const char       *why;
    ngx_lead_call_t  *call;

    *args = NULL;
    call = op->call;

    if (ngx_lead_kol_text(ngx_lead_kol_param(call, "__url"), &text) != NGX_OK
        || text.len == 0)
    {
        return NGX_OK;
    }

    last = text.data + text.len;

    p = ngx_strlchr(text.data, last, '#');
    if (p) {
        last = p;
    }

    p = ngx_strlchr(text.data, last, '?');
    if (p == NULL) {
        return NGX_OK;
    }

    query.data = p + 1;
    query.len = last - query.data;

    rc = ngx_lead_form_urlencoded(call->pool, &query, call->dialect->brackets,
                                  args, &why);
    if (rc != NGX_OK) {
        *args = NULL;
    }

    return rc == NGX_ERROR ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
ngx_lead_kol_gather(ngx_lead_kol_op_t *op, ngx_lead_json_gen_t *gen,
    ngx_lead_json_t *from)
{
    ngx_str_t         name;
    ngx_lead_json_t  *node;

    for (node = from->first; node; node = node->next) {

        if (ngx_lead_field_lower(gen->pool, &node->name, &name) != NGX_OK) {
            return NGX_ERROR;
        }

        if (name.len >= 4 && ngx_strncmp(name.data, "utm_", 4) == 0) {
            ngx_lead_json_set_node(gen, op->utm, &node->name, node);

        } else if (!ngx_lead_kol_reserved(&name)) {
            ngx_lead_json_set_node(gen, op->custom, &name, node);
        }
    }

    return NGX_OK;
}


/* names, in lower case, that are no custom field's */

static ngx_uint_t
ngx_lead_kol_reserved(ngx_str_t *name)
{
    ngx_str_t  *r;

    static ngx_str_t  reserved[] = {
        ngx_string("action"),
        ngx_string("api_key"),
        ngx_string("campaign_id"),
        ngx_string("campaignid"),
        ngx_string("controller"),
        ngx_string("country_code"),
        ngx_string("email"),
        ngx_string("format"),
        ngx_string("id"),
        ngx_string("ip"),
        ngx_string("ip_address"),
        ngx_string("kid"),
        ngx_string("kolid"),
        ngx_string("landing_page_id"),
        ngx_string("list_id"),
        ngx_string("must_exist"),
        ngx_string("phone_number"),
        ngx_string("points"),
        ngx_string("redirect_url"),
        ngx_string("referrer"),
        ngx_string("social_id"),
        ngx_null_string
    };

    if (name->len == 0 || name->data[0] == '_') {
        return 1;
    }

    for (r = reserved; r->len; r++) {
        if (ngx_lead_field_equal(r, name)) {
            return 1;
        }
    }

    return 0;
}


/* members of the document that this call sets, be the lead new or not; a
 * null takes one away */

static ngx_int_t
ngx_lead_kol_sent(ngx_lead_kol_op_t *op)
{
    ngx_str_t             text;
    ngx_uint_t            i;
    ngx_lead_json_t      *node, *sent;
    ngx_lead_json_gen_t   gen;

    /* the first parameter that has a text is it */

    static const struct {
        const char  *param;
        const char  *name;
    } texts[] = {
        { "__uid", "uid" },
        { "__referrer", "referrer" },
        { "referrer", "referrer" },
        { "__ref", "referrer" },
        { "__url", "url" },
        { "redirect_url", "redirect_url" },
        { "__sid", "session" },
        { "__session_id", "session" },
        { "__rid", "request_id" },
        { "__user_agent", "user_agent" }
    };

    static const char  *names[] = { "first_name", "last_name", "company" };

    gen.pool = op->call->pool;
    gen.failed = 0;

    sent = ngx_lead_json_add(&gen, NULL, NULL, NGX_LEAD_JSON_OBJECT);

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        node = ngx_lead_json_find(op->custom, (u_char *) names[i],
                                  ngx_strlen(names[i]));

        if (node && ngx_lead_kol_text(node, &text) == NGX_OK && text.len) {
            (void) ngx_lead_json_add_str(&gen, sent, names[i], &text);

        } else if (node) {
            (void) ngx_lead_json_add(&gen, sent, names[i],
                                     NGX_LEAD_JSON_NULL);
        }
    }

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        node = ngx_lead_kol_param(op->call, texts[i].param);

        if (ngx_lead_kol_text(node, &text) == NGX_OK
            && text.len
            && ngx_lead_json_find(sent, (u_char *) texts[i].name,
                                  ngx_strlen(texts[i].name))
               == NULL)
        {
            (void) ngx_lead_json_add_str(&gen, sent, texts[i].name, &text);
        }
    }

    if (ngx_lead_kol_text(ngx_lead_kol_param(op->call, "__source"), &text)
        == NGX_OK
        && text.len)
    {
        ngx_lead_kol_source(&gen, sent, &text);
    }

    if (ngx_lead_kol_text(ngx_lead_kol_param(op->call, "ip"), &text) == NGX_OK
        && ngx_lead_kol_address(&text))
    {
        (void) ngx_lead_json_add_str(&gen, sent, "ip", &text);

    } else if (ngx_lead_kol_address(&op->call->address)) {
        op->ip = op->call->address;
    }

    op->sent = sent;

    return gen.failed ? NGX_ERROR : NGX_OK;
}


/* "modal.123" is the source modal, and of it number 123 */

static void
ngx_lead_kol_source(ngx_lead_json_gen_t *gen, ngx_lead_json_t *sent,
    ngx_str_t *text)
{
    size_t            i;
    ngx_str_t         name, id;
    ngx_lead_json_t  *source;

    for (i = text->len; i > 0; i--) {
        if (text->data[i - 1] < '0' || text->data[i - 1] > '9') {
            break;
        }
    }

    name = *text;
    ngx_str_null(&id);

    if (i > 1 && i < text->len && text->data[i - 1] == '.') {
        name.len = i - 1;
        id.data = text->data + i;
        id.len = text->len - i;
    }

    source = ngx_lead_json_add(gen, sent, "source", NGX_LEAD_JSON_OBJECT);

    (void) ngx_lead_json_add_str(gen, source, "name", &name);

    if (id.len) {
        (void) ngx_lead_json_add_str(gen, source, "id", &id);
    }
}


static ngx_uint_t
ngx_lead_kol_address(ngx_str_t *text)
{
    char     buf[INET6_ADDRSTRLEN];
    u_char   address[16];

    if (text->len == 0 || text->len >= sizeof(buf)) {
        return 0;
    }

    ngx_memcpy(buf, text->data, text->len);
    buf[text->len] = '\0';

    return ngx_strlen(buf) == text->len
           && (inet_pton(AF_INET, buf, address) == 1
               || inet_pton(AF_INET6, buf, address) == 1);
}


/*
 * social_id names the referrer, as kid does, except where the lead must exist:
 * an update is no sign-up that somebody referred, and there it is the lead's
 * own.
 *
 * The second lead of the operation is the owner of the phone number, who keeps
 * it, or else the referrer: where the number has an owner, no lead is made.
 */

static ngx_int_t
ngx_lead_kol_referrer(ngx_lead_kol_op_t *op, ngx_lead_json_t *url)
{
    ngx_str_t             referrer;
    ngx_uint_t            i;
    ngx_lead_call_t      *call;
    ngx_lead_json_t      *from[5];
    ngx_lead_kol_ident_e  which;

    call = op->call;
    ngx_str_null(&referrer);

    if (op->phone_e164.len) {
        which = NGX_LEAD_KOL_PHONE;

        if (ngx_lead_kol_match(call->pool, op->campaign, which,
                               &op->ident[which], &op->second[op->nsecond++])
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    which = NGX_LEAD_KOL_SOCIAL;

    if (op->must_exist) {
        return ngx_lead_kol_read_social(op, &op->ident[which],
                                        ngx_lead_kol_param(call, "social_id"));
    }

    from[0] = ngx_lead_kol_param(call, "kid");
    from[1] = ngx_lead_kol_param(call, "kolid");
    from[2] = ngx_lead_kol_param(call, "social_id");
    from[3] = url ? ngx_lead_json_get(url, "kid") : NULL;
    from[4] = url ? ngx_lead_json_get(url, "kolid") : NULL;

    for (i = 0; i < 5; i++) {
        if (ngx_lead_kol_read_social(op, &referrer, from[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (referrer.len == 0) {
        return NGX_OK;
    }

    return ngx_lead_kol_match(call->pool, op->campaign, which, &referrer,
                              &op->second[op->nsecond++]);
}
