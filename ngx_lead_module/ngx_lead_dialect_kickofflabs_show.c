
/*
 * Copyright (C) the ngx_lead authors
 *
 * KickoffLabs: a lead as the vendor shows it, after a sign-up and for a
 * lookup.  All members are always there, null where nothing is known.
 *
 * Of links that the vendor's own site would serve, those of the campaign's
 * url= and thanks_url= are made: social_url is url?kid=<social id>, the thank
 * you page thanks_url?kolid=<social id> and the opt-out
 * url?unsubscribe=<social id>, "safe" with &confirm=1 behind it; a page there
 * has to know what to do.  rank is the order of sign-ups; ranks by score are
 * not known.
 *
 * Runs in the event loop, on call->pool.
 */


#include "ngx_lead_dialect_kickofflabs.h"
#include <openssl/evp.h>


#define NGX_LEAD_KOL_AVATAR        "https://www.gravatar.com/avatar/"
#define NGX_LEAD_KOL_AVATAR_ARGS   "?r=g&d=identicon&s=600"


typedef struct {
    ngx_lead_kol_op_t     *op;
    ngx_lead_json_gen_t    gen;
    const lead_t          *lead;
    ngx_lead_json_t       *doc;
    ngx_lead_json_t       *root;
    ngx_str_t              email;        /* in lower case */
    ngx_str_t             *social;
    int64_t                number;       /* of its sign-up */
    int64_t                lead_count;
    int64_t                referrals;
    unsigned               urls:1;
    unsigned               actions:1;
} ngx_lead_kol_show_t;


static void ngx_lead_kol_show_counts(ngx_lead_kol_show_t *s);
static void ngx_lead_kol_show_ranks(ngx_lead_kol_show_t *s);
static void ngx_lead_kol_show_person(ngx_lead_kol_show_t *s);
static void ngx_lead_kol_show_urls(ngx_lead_kol_show_t *s);
static void ngx_lead_kol_show_contact(ngx_lead_kol_show_t *s);
static void ngx_lead_kol_show_rest(ngx_lead_kol_show_t *s);
static void ngx_lead_kol_text_member(ngx_lead_kol_show_t *s,
    const char *name, ngx_str_t *text);
static void ngx_lead_kol_int_member(ngx_lead_kol_show_t *s, const char *name,
    int64_t value);
static void ngx_lead_kol_false_member(ngx_lead_kol_show_t *s,
    const char *name);
static void ngx_lead_kol_leads_member(ngx_lead_kol_show_t *s,
    const char *name, int64_t direct);
static void ngx_lead_kol_object_member(ngx_lead_kol_show_t *s,
    const char *name);
static ngx_str_t ngx_lead_kol_link(ngx_lead_kol_show_t *s, ngx_str_t *url,
    const char *arg, const char *more);
static ngx_str_t ngx_lead_kol_avatar(ngx_lead_kol_show_t *s);
static ngx_str_t ngx_lead_kol_when(ngx_lead_kol_show_t *s);
static ngx_str_t *ngx_lead_kol_display_name(ngx_lead_kol_show_t *s,
    ngx_str_t *local);


ngx_int_t
ngx_lead_kol_show(ngx_lead_call_t *call, lead_t *leads, ngx_uint_t n)
{
    ngx_lead_kol_op_t    *op;
    ngx_lead_kol_show_t   s;

    op = call->data;

    if (n == 0) {
        call->fault = op->fault;
        return NGX_DECLINED;
    }

    ngx_memzero(&s, sizeof(ngx_lead_kol_show_t));

    s.op = op;
    s.gen.pool = call->pool;
    s.lead = &leads[0];

    if (ngx_lead_doc_parse(call->pool, s.lead, &s.doc) != NGX_OK
        || ngx_lead_field_lower(call->pool, ngx_lead_doc_str(s.doc, "email"),
                                &s.email)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    s.social = ngx_lead_doc_str(s.doc, "social_id");
    s.number = ngx_lead_kol_int(s.doc, "subscription_number");
    s.urls = !ngx_lead_kol_true(ngx_lead_kol_param(call, "__skip_urls"));
    s.actions = !ngx_lead_kol_true(ngx_lead_kol_param(call,
                                                      "__skip_actions"));

    ngx_lead_kol_show_counts(&s);

    s.root = ngx_lead_json_add(&s.gen, NULL, NULL, NGX_LEAD_JSON_OBJECT);

    ngx_lead_kol_show_ranks(&s);
    ngx_lead_kol_show_person(&s);

    if (s.actions) {
        (void) ngx_lead_json_add(&s.gen, s.root, "completed_actions",
                                 NGX_LEAD_JSON_ARRAY);
    }

    ngx_lead_kol_show_urls(&s);
    ngx_lead_kol_show_contact(&s);
    ngx_lead_kol_show_rest(&s);

    call->status = 200;
    call->root = s.root;

    return s.gen.failed ? NGX_ERROR : NGX_OK;
}


/* of a repeat by Idempotency-Key decide() knows nothing: then the campaign
 * had at least as many leads as when this one came */

static void
ngx_lead_kol_show_counts(ngx_lead_kol_show_t *s)
{
    ngx_lead_call_t    *call;
    ngx_lead_kol_op_t  *op;

    op = s->op;
    call = op->call;

    if (op->lead_count) {
        s->lead_count = op->lead_count;
        s->referrals = op->referrals;

    } else {
        s->lead_count = call->values[0];
        s->referrals = ngx_lead_kol_referred(op, s->doc, call->values);
    }

    s->lead_count = ngx_max(s->lead_count, s->number);
    s->referrals = ngx_max(s->referrals, 0);
}


static void
ngx_lead_kol_show_ranks(ngx_lead_kol_show_t *s)
{
    ngx_lead_kol_int_member(s, "id", s->lead->number);
    ngx_lead_kol_text_member(s, "social_id", s->social);
    ngx_lead_kol_int_member(s, "rank", s->number);
    ngx_lead_kol_int_member(s, "counter", ngx_lead_kol_int(s->doc, "counter"));
    ngx_lead_kol_int_member(s, "lead_count", s->lead_count);
    ngx_lead_kol_int_member(s, "contest_score",
                            ngx_lead_kol_int(s->doc, "points"));
    ngx_lead_kol_text_member(s, "contest_score_rank", NULL);
    ngx_lead_kol_text_member(s, "contest_score_rank_relative_position", NULL);
    ngx_lead_kol_int_member(s, "rank_relative_position", s->number - 1);
    ngx_lead_kol_int_member(s, "campaign_id", s->op->campaign->number);
    ngx_lead_kol_int_member(s, "list_id", s->op->campaign->number);
}


static void
ngx_lead_kol_show_person(ngx_lead_kol_show_t *s)
{
    ngx_str_t  text, *name;

    name = ngx_lead_doc_str(s->doc, "first_name");

    ngx_lead_kol_text_member(s, "given_name", name);
    ngx_lead_kol_text_member(s, "first_name", name);

    text = ngx_lead_kol_avatar(s);
    ngx_lead_kol_text_member(s, "avatar", &text);

    text = ngx_lead_kol_when(s);
    ngx_lead_kol_text_member(s, "when", &text);

    ngx_lead_kol_false_member(s, "enhanced");
    ngx_lead_kol_false_member(s, "anonymous");
    ngx_lead_kol_false_member(s, "verified");
    ngx_lead_kol_false_member(s, "verified_email");
    ngx_lead_kol_false_member(s, "verified_phone_number");
    ngx_lead_kol_false_member(s, "waitlisted");

    ngx_lead_kol_text_member(s, "display_name",
                             ngx_lead_kol_display_name(s, &text));
}


static void
ngx_lead_kol_show_urls(ngx_lead_kol_show_t *s)
{
    ngx_str_t             social, thanks, *redirect;
    ngx_lead_campaign_t  *campaign;

    if (!s->urls) {
        return;
    }

    campaign = s->op->campaign;

    social = ngx_lead_kol_link(s, &campaign->url, "kid=", "");
    thanks = ngx_lead_kol_link(s, &campaign->thanks_url, "kolid=", "");
    redirect = ngx_lead_doc_str(s->doc, "redirect_url");

    ngx_lead_kol_text_member(s, "social_url", &social);
    ngx_lead_kol_text_member(s, "redirect_url",
                             redirect->len ? redirect : &thanks);
    ngx_lead_kol_text_member(s, "thankyou_url", &thanks);
    ngx_lead_kol_text_member(s, "status_url", &thanks);
}


static void
ngx_lead_kol_show_contact(ngx_lead_kol_show_t *s)
{
    ngx_str_t         text;
    ngx_lead_json_t  *root;

    ngx_lead_kol_text_member(s, "email", &s->email);
    ngx_lead_kol_text_member(s, "phone_number",
                             ngx_lead_doc_str(s->doc, "phone_e164"));
    ngx_lead_kol_text_member(s, "family_name",
                             ngx_lead_doc_str(s->doc, "last_name"));
    ngx_lead_kol_object_member(s, "custom_fields");

    if (!s->urls) {
        return;
    }

    root = s->root;
    s->root = ngx_lead_json_add(&s->gen, root, "unsubscribe_url",
                                NGX_LEAD_JSON_OBJECT);

    text = ngx_lead_kol_link(s, &s->op->campaign->url, "unsubscribe=", "");
    ngx_lead_kol_text_member(s, "default", &text);

    text = ngx_lead_kol_link(s, &s->op->campaign->url, "unsubscribe=",
                             "&confirm=1");
    ngx_lead_kol_text_member(s, "safe", &text);

    s->root = root;
}


static void
ngx_lead_kol_show_rest(ngx_lead_kol_show_t *s)
{
    int64_t           parent;
    ngx_lead_json_t  *node;

    ngx_lead_kol_text_member(s, "uid", ngx_lead_doc_str(s->doc, "uid"));

    parent = ngx_lead_kol_int(ngx_lead_json_get(s->doc, "parent"), "number");

    if (parent) {
        ngx_lead_kol_int_member(s, "parent_id", parent);

    } else {
        ngx_lead_kol_text_member(s, "parent_id", NULL);
    }

    (void) ngx_lead_json_add_bool(&s->gen, s->root, "opted_out",
                                  (s->lead->flags & LEAD_FLAG_OPTED_OUT) != 0);

    ngx_lead_kol_object_member(s, "utm");
    (void) ngx_lead_json_add(&s->gen, s->root, "tags", NGX_LEAD_JSON_ARRAY);

    ngx_lead_kol_int_member(s, "referrals", s->referrals);
    ngx_lead_kol_leads_member(s, "unverified_leads", s->referrals);

    node = ngx_lead_json_add(&s->gen, s->root, "verified_leads",
                             NGX_LEAD_JSON_OBJECT);
    (void) ngx_lead_json_add(&s->gen, node, "indirect", NGX_LEAD_JSON_NULL);
    (void) ngx_lead_json_add(&s->gen, node, "direct", NGX_LEAD_JSON_NULL);

    ngx_lead_kol_leads_member(s, "influence", s->referrals);
    ngx_lead_kol_int_member(s, "subscription_number", s->number);
    ngx_lead_kol_text_member(s, "ip", ngx_lead_doc_str(s->doc, "ip"));
    ngx_lead_kol_text_member(s, "referrer",
                             ngx_lead_doc_str(s->doc, "referrer"));
    ngx_lead_kol_false_member(s, "fraudulent");
}


static void
ngx_lead_kol_text_member(ngx_lead_kol_show_t *s, const char *name,
    ngx_str_t *text)
{
    if (text && text->len) {
        (void) ngx_lead_json_add_str(&s->gen, s->root, name, text);

    } else {
        (void) ngx_lead_json_add(&s->gen, s->root, name, NGX_LEAD_JSON_NULL);
    }
}


static void
ngx_lead_kol_int_member(ngx_lead_kol_show_t *s, const char *name,
    int64_t value)
{
    (void) ngx_lead_json_add_int(&s->gen, s->root, name, value);
}


static void
ngx_lead_kol_false_member(ngx_lead_kol_show_t *s, const char *name)
{
    (void) ngx_lead_json_add_bool(&s->gen, s->root, name, 0);
}


/* who was referred by the referred is not known, unless nobody was */

static void
ngx_lead_kol_leads_member(ngx_lead_kol_show_t *s, const char *name,
    int64_t direct)
{
    ngx_lead_json_t  *node;

    node = ngx_lead_json_add(&s->gen, s->root, name, NGX_LEAD_JSON_OBJECT);

    if (direct) {
        (void) ngx_lead_json_add(&s->gen, node, "indirect",
                                 NGX_LEAD_JSON_NULL);
    } else {
        (void) ngx_lead_json_add_int(&s->gen, node, "indirect", 0);
    }

    (void) ngx_lead_json_add_int(&s->gen, node, "direct", direct);
}


static void
ngx_lead_kol_object_member(ngx_lead_kol_show_t *s, const char *name)
{
    ngx_str_t         key;
    ngx_lead_json_t  *node;

    key.data = (u_char *) name;
    key.len = ngx_strlen(name);

    node = ngx_lead_json_find(s->doc, key.data, key.len);

    if (node) {
        (void) ngx_lead_json_add_node(&s->gen, s->root, &key, node);

    } else {
        (void) ngx_lead_json_add(&s->gen, s->root, name, NGX_LEAD_JSON_OBJECT);
    }
}


/* url with another argument, before its fragment; "" of no url */

static ngx_str_t
ngx_lead_kol_link(ngx_lead_kol_show_t *s, ngx_str_t *url, const char *arg,
    const char *more)
{
    u_char     *p, *last, *end;
    ngx_str_t   link;

    ngx_str_set(&link, "");

    if (url->len == 0) {
        return link;
    }

    p = ngx_pnalloc(s->gen.pool, url->len + 1 + ngx_strlen(arg)
                                 + s->social->len + ngx_strlen(more));
    if (p == NULL) {
        s->gen.failed = 1;
        return link;
    }

    last = url->data + url->len;
    end = ngx_strlchr(url->data, last, '#');

    if (end == NULL) {
        end = last;
    }

    link.data = p;

    p = ngx_cpymem(p, url->data, end - url->data);
    *p++ = ngx_strlchr(url->data, end, '?') ? '&' : '?';
    p = ngx_cpymem(p, arg, ngx_strlen(arg));
    p = ngx_cpymem(p, s->social->data, s->social->len);
    p = ngx_cpymem(p, more, ngx_strlen(more));
    p = ngx_cpymem(p, end, last - end);

    link.len = p - link.data;

    return link;
}


/* by the e-mail address, or of who has none by the phone number; nothing
 * where OpenSSL is not allowed to know MD5 */

static ngx_str_t
ngx_lead_kol_avatar(ngx_lead_kol_show_t *s)
{
    u_char       *p, md5[EVP_MAX_MD_SIZE];
    ngx_str_t     avatar, *of;
    unsigned      i, n;

    static const u_char  hex[] = "0123456789abcdef";

    ngx_str_set(&avatar, "");

    of = s->email.len ? &s->email : ngx_lead_doc_str(s->doc, "phone_e164");

    if (EVP_Digest(of->data, of->len, md5, &n, EVP_md5(), NULL) != 1) {
        return avatar;
    }

    p = ngx_pnalloc(s->gen.pool, sizeof(NGX_LEAD_KOL_AVATAR) + 2 * n
                                 + sizeof(NGX_LEAD_KOL_AVATAR_ARGS));
    if (p == NULL) {
        s->gen.failed = 1;
        return avatar;
    }

    avatar.data = p;

    p = ngx_cpymem(p, NGX_LEAD_KOL_AVATAR, sizeof(NGX_LEAD_KOL_AVATAR) - 1);

    for (i = 0; i < n; i++) {
        *p++ = hex[md5[i] >> 4];
        *p++ = hex[md5[i] & 0xf];
    }

    p = ngx_cpymem(p, NGX_LEAD_KOL_AVATAR_ARGS,
                   sizeof(NGX_LEAD_KOL_AVATAR_ARGS) - 1);

    avatar.len = p - avatar.data;

    return avatar;
}


/* when it came, to the second, with an offset */

static ngx_str_t
ngx_lead_kol_when(ngx_lead_kol_show_t *s)
{
    size_t     len;
    ngx_str_t  when;

    ngx_str_set(&when, "");

    len = sizeof("1970-01-01T00:00:00") - 1;

    when.data = ngx_pnalloc(s->gen.pool, NGX_LEAD_FIELD_TIME_LEN
                                         + sizeof("+00:00"));
    if (when.data == NULL) {
        s->gen.failed = 1;
        return when;
    }

    (void) ngx_lead_field_time_ms(when.data, s->lead->created);
    (void) ngx_cpymem(when.data + len, "+00:00", sizeof("+00:00") - 1);

    when.len = len + sizeof("+00:00") - 1;

    return when;
}


static ngx_str_t *
ngx_lead_kol_display_name(ngx_lead_kol_show_t *s, ngx_str_t *local)
{
    u_char     *at;
    ngx_str_t  *name;

    name = ngx_lead_doc_str(s->doc, "first_name");

    if (name->len) {
        return name;
    }

    at = ngx_strlchr(s->email.data, s->email.data + s->email.len, '@');

    if (at == NULL) {
        return ngx_lead_doc_str(s->doc, "phone_e164");
    }

    local->data = s->email.data;
    local->len = at - local->data;

    return local;
}
