
/*
 * Copyright (C) the ngx_lead authors
 *
 * KickoffLabs: a lead as the vendor shows it, after a sign-up, for a lookup
 * and in webhooks.  All members are always there, null where nothing is known.
 *
 * Of links that the vendor's own site would serve, those of the campaign's
 * url= and thanks_url= are made: social_url is url?kid=<social id>, the thank
 * you page thanks_url?kolid=<social id> and the opt-out
 * url?unsubscribe=<social id>, "safe" with &confirm=1 behind it; a page there
 * has to know what to do.  rank is the order of sign-ups; ranks by score are
 * not known.
 *
 * show() runs in the event loop, on call->pool.  All else must know no call:
 * it may run in a thread, and makes what it makes in the generator's pool.
 */


#include "ngx_lead_dialect_kickofflabs.h"
#include <openssl/evp.h>


#define NGX_LEAD_KOL_AVATAR        "https://www.gravatar.com/avatar/"
#define NGX_LEAD_KOL_AVATAR_ARGS   "?r=g&d=identicon&s=600"


static void ngx_lead_kol_show_counts(ngx_lead_kol_show_t *s,
    ngx_lead_kol_op_t *op);
static void ngx_lead_kol_show_ranks(ngx_lead_kol_show_t *s);
static void ngx_lead_kol_show_person(ngx_lead_kol_show_t *s);
static void ngx_lead_kol_show_urls(ngx_lead_kol_show_t *s);
static void ngx_lead_kol_show_contact(ngx_lead_kol_show_t *s);
static void ngx_lead_kol_show_rest(ngx_lead_kol_show_t *s);
static void ngx_lead_kol_show_false(ngx_lead_kol_show_t *s,
    const char *name);
static void ngx_lead_kol_show_leads(ngx_lead_kol_show_t *s,
    const char *name, int64_t direct);
static void ngx_lead_kol_show_object(ngx_lead_kol_show_t *s,
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

    s.gen.pool = call->pool;
    s.lead = &leads[0];
    s.campaign = op->campaign;

    if (ngx_lead_doc_parse(call->pool, s.lead, &s.doc) != NGX_OK) {
        return NGX_ERROR;
    }

    s.skip_urls = ngx_lead_kol_true(ngx_lead_kol_param(call, "__skip_urls"));
    s.skip_actions = ngx_lead_kol_true(ngx_lead_kol_param(call,
                                                          "__skip_actions"));

    ngx_lead_kol_show_counts(&s, op);

    if (ngx_lead_kol_show_lead(&s) != NGX_OK) {
        return NGX_ERROR;
    }

    call->status = 200;
    call->root = s.root;

    return NGX_OK;
}


/* of a repeat by Idempotency-Key decide() knows nothing: then the campaign
 * had at least as many leads as when this one came */

static void
ngx_lead_kol_show_counts(ngx_lead_kol_show_t *s, ngx_lead_kol_op_t *op)
{
    uint64_t  *values;

    if (op->lead_count) {
        s->lead_count = op->lead_count;
        s->referrals = op->referrals;

    } else {
        values = op->call->values;

        s->lead_count = values[0];
        s->referrals = ngx_lead_kol_referred(op, s->doc, values);
    }

    s->lead_count = ngx_max(s->lead_count,
                            ngx_lead_kol_int(s->doc, "subscription_number"));
    s->referrals = ngx_max(s->referrals, 0);
}


ngx_int_t
ngx_lead_kol_show_lead(ngx_lead_kol_show_t *s)
{
    if (ngx_lead_field_lower(s->gen.pool, ngx_lead_doc_str(s->doc, "email"),
                             &s->email)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    s->social = ngx_lead_doc_str(s->doc, "social_id");
    s->number = ngx_lead_kol_int(s->doc, "subscription_number");

    s->root = ngx_lead_json_add(&s->gen, NULL, NULL, NGX_LEAD_JSON_OBJECT);

    ngx_lead_kol_show_ranks(s);
    ngx_lead_kol_show_person(s);

    if (!s->skip_actions) {
        (void) ngx_lead_json_add(&s->gen, s->root, "completed_actions",
                                 NGX_LEAD_JSON_ARRAY);
    }

    ngx_lead_kol_show_urls(s);
    ngx_lead_kol_show_contact(s);
    ngx_lead_kol_show_rest(s);

    return s->gen.failed ? NGX_ERROR : NGX_OK;
}


static void
ngx_lead_kol_show_ranks(ngx_lead_kol_show_t *s)
{
    int64_t  campaign;

    campaign = s->campaign ? (int64_t) s->campaign->number
                           : ngx_lead_kol_int(ngx_lead_json_get(s->doc,
                                                                "campaign"),
                                              "number");

    ngx_lead_kol_show_int(s, s->root, "id", s->lead->number, 0);
    ngx_lead_kol_show_text(s, s->root, "social_id", s->social);
    ngx_lead_kol_show_int(s, s->root, "rank", s->number, 1);
    ngx_lead_kol_show_int(s, s->root, "counter",
                          ngx_lead_kol_int(s->doc, "counter"), 1);
    ngx_lead_kol_show_int(s, s->root, "lead_count", s->lead_count, 0);
    (void) ngx_lead_json_add_int(&s->gen, s->root, "contest_score",
                                 ngx_lead_kol_int(s->doc, "points"));
    ngx_lead_kol_show_text(s, s->root, "contest_score_rank", NULL);
    ngx_lead_kol_show_text(s, s->root, "contest_score_rank_relative_position",
                           NULL);
    ngx_lead_kol_show_int(s, s->root, "rank_relative_position",
                          s->number - 1, 0);
    ngx_lead_kol_show_int(s, s->root, "campaign_id", campaign, 1);
    ngx_lead_kol_show_int(s, s->root, "list_id", campaign, 1);
}


static void
ngx_lead_kol_show_person(ngx_lead_kol_show_t *s)
{
    ngx_str_t  text, *name;

    name = ngx_lead_doc_str(s->doc, "first_name");

    ngx_lead_kol_show_text(s, s->root, "given_name", name);
    ngx_lead_kol_show_text(s, s->root, "first_name", name);

    text = ngx_lead_kol_avatar(s);
    ngx_lead_kol_show_text(s, s->root, "avatar", &text);

    text = ngx_lead_kol_when(s);
    ngx_lead_kol_show_text(s, s->root, "when", &text);

    ngx_lead_kol_show_false(s, "enhanced");
    ngx_lead_kol_show_false(s, "anonymous");
    ngx_lead_kol_show_false(s, "verified");
    ngx_lead_kol_show_false(s, "verified_email");
    ngx_lead_kol_show_false(s, "verified_phone_number");
    ngx_lead_kol_show_false(s, "waitlisted");

    ngx_lead_kol_show_text(s, s->root, "display_name",
                           ngx_lead_kol_display_name(s, &text));
}


static void
ngx_lead_kol_show_urls(ngx_lead_kol_show_t *s)
{
    ngx_str_t   social, thanks, *redirect;

    if (s->skip_urls) {
        return;
    }

    ngx_str_set(&social, "");
    ngx_str_set(&thanks, "");

    if (s->campaign) {
        social = ngx_lead_kol_link(s, &s->campaign->url, "kid=", "");
        thanks = ngx_lead_kol_link(s, &s->campaign->thanks_url, "kolid=", "");
    }

    redirect = ngx_lead_doc_str(s->doc, "redirect_url");

    ngx_lead_kol_show_text(s, s->root, "social_url", &social);
    ngx_lead_kol_show_text(s, s->root, "redirect_url",
                           redirect->len ? redirect : &thanks);
    ngx_lead_kol_show_text(s, s->root, "thankyou_url", &thanks);
    ngx_lead_kol_show_text(s, s->root, "status_url", &thanks);
}


static void
ngx_lead_kol_show_contact(ngx_lead_kol_show_t *s)
{
    ngx_str_t         normal, safe;
    ngx_lead_json_t  *node;

    ngx_lead_kol_show_text(s, s->root, "email", &s->email);
    ngx_lead_kol_show_text(s, s->root, "phone_number",
                           ngx_lead_doc_str(s->doc, "phone_e164"));
    ngx_lead_kol_show_text(s, s->root, "family_name",
                           ngx_lead_doc_str(s->doc, "last_name"));
    ngx_lead_kol_show_object(s, "custom_fields");

    if (s->skip_urls) {
        return;
    }

    ngx_str_set(&normal, "");
    ngx_str_set(&safe, "");

    if (s->campaign) {
        normal = ngx_lead_kol_link(s, &s->campaign->url, "unsubscribe=", "");
        safe = ngx_lead_kol_link(s, &s->campaign->url, "unsubscribe=",
                                 "&confirm=1");
    }

    node = ngx_lead_json_add(&s->gen, s->root, "unsubscribe_url",
                             NGX_LEAD_JSON_OBJECT);

    ngx_lead_kol_show_text(s, node, "default", &normal);
    ngx_lead_kol_show_text(s, node, "safe", &safe);
}


static void
ngx_lead_kol_show_rest(ngx_lead_kol_show_t *s)
{
    ngx_lead_json_t  *parent;

    parent = ngx_lead_json_get(s->doc, "parent");

    ngx_lead_kol_show_text(s, s->root, "uid", ngx_lead_doc_str(s->doc, "uid"));
    ngx_lead_kol_show_int(s, s->root, "parent_id",
                          ngx_lead_kol_int(parent, "number"), 1);

    (void) ngx_lead_json_add_bool(&s->gen, s->root, "opted_out",
                                  (s->lead->flags & LEAD_FLAG_OPTED_OUT) != 0);

    ngx_lead_kol_show_object(s, "utm");
    (void) ngx_lead_json_add(&s->gen, s->root, "tags", NGX_LEAD_JSON_ARRAY);

    ngx_lead_kol_show_int(s, s->root, "referrals", s->referrals, 0);
    ngx_lead_kol_show_leads(s, "unverified_leads", s->referrals);
    ngx_lead_kol_show_leads(s, "verified_leads", -1);
    ngx_lead_kol_show_leads(s, "influence", s->referrals);
    ngx_lead_kol_show_int(s, s->root, "subscription_number", s->number, 1);
    ngx_lead_kol_show_text(s, s->root, "ip", ngx_lead_doc_str(s->doc, "ip"));
    ngx_lead_kol_show_text(s, s->root, "referrer",
                           ngx_lead_doc_str(s->doc, "referrer"));
    ngx_lead_kol_show_false(s, "fraudulent");
}


void
ngx_lead_kol_show_text(ngx_lead_kol_show_t *s, ngx_lead_json_t *obj,
    const char *name, ngx_str_t *text)
{
    if (text && text->len) {
        (void) ngx_lead_json_add_str(&s->gen, obj, name, text);

    } else {
        (void) ngx_lead_json_add(&s->gen, obj, name, NGX_LEAD_JSON_NULL);
    }
}


void
ngx_lead_kol_show_int(ngx_lead_kol_show_t *s, ngx_lead_json_t *obj,
    const char *name, int64_t value, int64_t least)
{
    if (value >= least) {
        (void) ngx_lead_json_add_int(&s->gen, obj, name, value);

    } else {
        (void) ngx_lead_json_add(&s->gen, obj, name, NGX_LEAD_JSON_NULL);
    }
}


static void
ngx_lead_kol_show_false(ngx_lead_kol_show_t *s, const char *name)
{
    (void) ngx_lead_json_add_bool(&s->gen, s->root, name, 0);
}


/* who was referred by the referred is not known, unless nobody was */

static void
ngx_lead_kol_show_leads(ngx_lead_kol_show_t *s, const char *name,
    int64_t direct)
{
    ngx_lead_json_t  *node;

    node = ngx_lead_json_add(&s->gen, s->root, name, NGX_LEAD_JSON_OBJECT);

    ngx_lead_kol_show_int(s, node, "indirect", direct ? -1 : 0, 0);
    ngx_lead_kol_show_int(s, node, "direct", direct, 0);
}


static void
ngx_lead_kol_show_object(ngx_lead_kol_show_t *s, const char *name)
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


/* url with another argument, before its fragment; "" of no url, and of a lead
 * that has no social id */

static ngx_str_t
ngx_lead_kol_link(ngx_lead_kol_show_t *s, ngx_str_t *url, const char *arg,
    const char *more)
{
    u_char     *p, *last, *end;
    ngx_str_t   link;

    ngx_str_set(&link, "");

    if (url->len == 0 || s->social->len == 0) {
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

    if (of->len == 0
        || EVP_Digest(of->data, of->len, md5, &n, EVP_md5(), NULL) != 1)
    {
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
