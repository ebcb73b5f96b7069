
/*
 * Copyright (C) the ngx_lead authors
 *
 * KickoffLabs: what becomes of a sign-up, knowing the stored lead, and of
 * points.
 *
 * Runs in threads, maybe more than once for a call: memory is the call's
 * arena, and of the op only what it says decide() has found is written.
 *
 * A social id is a number of the account's counter, scrambled: no two leads
 * of an account have the same before 36^6 sign-ups, whoever signs up at once.
 * It is public, and no secret.
 */


#include "ngx_lead_dialect_kickofflabs.h"


#define NGX_LEAD_KOL_HALF          46656     /* 36^3 */
#define NGX_LEAD_KOL_ROUNDS        4


static void ngx_lead_kol_insert(ngx_lead_kol_op_t *op, const lead_t *second,
    int64_t now, uint64_t *counters, lead_decision_t *d);
static ngx_int_t ngx_lead_kol_parent(ngx_lead_kol_edit_t *e,
    const lead_t *second, ngx_str_t *social, lead_decision_t *d);
static ngx_int_t ngx_lead_kol_raise(ngx_lead_kol_edit_t *e,
    ngx_lead_json_t *parent, lead_decision_t *d);
static void ngx_lead_kol_update(ngx_lead_kol_op_t *op, const lead_t *target,
    const lead_t *second, uint64_t *counters, lead_decision_t *d);
static ngx_int_t ngx_lead_kol_add_contact(ngx_lead_kol_edit_t *e,
    const lead_t *target, const lead_t *second, uint64_t *counters,
    ngx_uint_t *added);
static ngx_uint_t ngx_lead_kol_has_phone(ngx_lead_kol_edit_t *e,
    const lead_t *lead);
static void ngx_lead_kol_set_ident(ngx_lead_kol_edit_t *e,
    ngx_lead_kol_ident_e which, uint64_t *counters);
static void ngx_lead_kol_set(ngx_lead_kol_edit_t *e);
static void ngx_lead_kol_merge(ngx_lead_kol_edit_t *e, const char *name,
    ngx_lead_json_t *from);
static void ngx_lead_kol_set_int(ngx_lead_kol_edit_t *e,
    ngx_lead_json_t *obj, const char *name, int64_t value);
static ngx_int_t ngx_lead_kol_score(ngx_lead_kol_edit_t *e, int64_t points,
    lead_decision_t *d);
static ngx_int_t ngx_lead_kol_begin(ngx_lead_kol_op_t *op,
    ngx_lead_kol_edit_t *e);
static ngx_int_t ngx_lead_kol_matches(ngx_lead_kol_edit_t *e,
    lead_decision_t *d);
static ngx_int_t ngx_lead_kol_print(ngx_lead_kol_edit_t *e,
    ngx_lead_json_t *root, lead_bytes_t *to);
static void ngx_lead_kol_refuse(ngx_lead_kol_op_t *op, ngx_uint_t status,
    const char *text);


void
ngx_lead_kol_decide(lead_op_t *lop, const lead_t *target,
    const lead_t *second, int64_t now, uint64_t *counters, lead_decision_t *d)
{
    ngx_lead_kol_op_t  *op = lop->data;

    op->fault.kind = NGX_LEAD_FAULT_UNAVAILABLE;

    if (target) {
        ngx_lead_kol_update(op, target, second, counters, d);

    } else if (op->must_exist) {
        ngx_lead_kol_refuse(op, 404, NGX_LEAD_KOL_NO_LEADS);

    } else if (op->campaign->ended
               || (op->campaign->ends
                   && now / 1000000 >= (int64_t) op->campaign->ends))
    {
        ngx_lead_kol_refuse(op, 423, "This campaign has ended and is no "
                                     "longer accepting new leads");

    } else {
        ngx_lead_kol_insert(op, second, now, counters, d);
    }
}


static void
ngx_lead_kol_insert(ngx_lead_kol_op_t *op, const lead_t *second, int64_t now,
    uint64_t *counters, lead_decision_t *d)
{
    ngx_str_t             text;
    ngx_uint_t            i;
    ngx_lead_json_t      *node;
    ngx_lead_campaign_t  *campaign;
    ngx_lead_kol_edit_t   e;

    static ngx_str_t  api = ngx_string("API");

    if (ngx_lead_kol_begin(op, &e) != NGX_OK) {
        return;
    }

    campaign = op->campaign;

    e.doc = ngx_lead_json_add(&e.gen, NULL, NULL, NGX_LEAD_JSON_OBJECT);

    (void) ngx_lead_json_add_str(&e.gen, e.doc, "dialect",
                                 &op->call->dialect->name);

    node = ngx_lead_json_add(&e.gen, e.doc, "campaign", NGX_LEAD_JSON_OBJECT);

    (void) ngx_lead_json_add_str(&e.gen, node, "name", &campaign->name);
    (void) ngx_lead_json_add_int(&e.gen, node, "number", campaign->number);

    if (campaign->label.len) {
        (void) ngx_lead_json_add_str(&e.gen, node, "label", &campaign->label);
    }

    op->lead_count = ++counters[0];
    op->referrals = 0;

    for (i = NGX_LEAD_KOL_EMAIL; i <= NGX_LEAD_KOL_PHONE; i++) {
        if (op->ident[i].len) {
            ngx_lead_kol_set_ident(&e, i, counters);
        }
    }

    if (ngx_lead_json_get(op->sent, "source") == NULL) {
        node = ngx_lead_json_add(&e.gen, e.doc, "source",
                                 NGX_LEAD_JSON_OBJECT);
        (void) ngx_lead_json_add_str(&e.gen, node, "name", &api);
    }

    if (op->ip.len) {
        (void) ngx_lead_json_add_str(&e.gen, e.doc, "ip", &op->ip);
    }

    ngx_lead_kol_set(&e);

    text.len = NGX_LEAD_KOL_SOCIAL_LEN;
    text.data = ngx_pnalloc(e.gen.pool, text.len);

    if (text.data == NULL) {
        return;
    }

    ngx_lead_kol_social(op->call->store_account, counters[1]++, text.data);

    ngx_lead_kol_set_int(&e, e.doc, "counter", 1);
    (void) ngx_lead_json_add_str(&e.gen, e.doc, "social_id", &text);
    (void) ngx_lead_json_add_int(&e.gen, e.doc, "subscription_number",
                                 counters[0]);

    if (op->scored) {
        ngx_lead_kol_set_int(&e, e.doc, "points", op->points);
    }

    if (second && ngx_lead_kol_parent(&e, second, &text, d) != NGX_OK) {
        return;
    }

    op->events[0] = op->event[NGX_LEAD_KOL_CREATED];

    d->events = op->events;
    d->nevents = 1;

    if (ngx_lead_kol_matches(&e, d) == NGX_OK
        && ngx_lead_kol_print(&e, e.doc, &d->doc) == NGX_OK)
    {
        d->verdict = LEAD_INSERT;
    }
}


/* who has referred the new lead hears of it, and counts it */

static ngx_int_t
ngx_lead_kol_parent(ngx_lead_kol_edit_t *e, const lead_t *second,
    ngx_str_t *social, lead_decision_t *d)
{
    lead_event_t       *event;
    ngx_lead_json_t    *parent, *node;
    ngx_lead_kol_op_t  *op;

    op = e->op;

    if (ngx_lead_doc_parse(e->gen.pool, second, &parent) != NGX_OK) {
        return NGX_ERROR;
    }

    node = ngx_lead_json_add(&e->gen, e->doc, "parent", NGX_LEAD_JSON_OBJECT);

    (void) ngx_lead_json_add_int(&e->gen, node, "number", second->number);
    (void) ngx_lead_json_add_str(&e->gen, node, "social_id",
                                 ngx_lead_doc_str(parent, "social_id"));

    event = ngx_palloc(e->gen.pool, sizeof(lead_event_t));
    node = ngx_lead_json_add(&e->gen, NULL, NULL, NGX_LEAD_JSON_OBJECT);

    if (event == NULL || node == NULL) {
        return NGX_ERROR;
    }

    if (op->email.len) {
        (void) ngx_lead_json_add_str(&e->gen, node, "email", &op->email);
    }

    (void) ngx_lead_json_add_str(&e->gen, node, "social_id", social);

    if (op->phone.len) {
        (void) ngx_lead_json_add_str(&e->gen, node, "phone_number",
                                     &op->phone_e164);
    }

    *event = op->event[NGX_LEAD_KOL_REFERRAL];

    if (ngx_lead_kol_print(e, node, &event->data) != NGX_OK) {
        return NGX_ERROR;
    }

    d->second_events = event;
    d->nsecond_events = 1;

    return ngx_lead_kol_raise(e, parent, d);
}


static ngx_int_t
ngx_lead_kol_raise(ngx_lead_kol_edit_t *e, ngx_lead_json_t *parent,
    lead_decision_t *d)
{
    ngx_str_t          *ident;
    ngx_uint_t          i;
    lead_match_t        match;
    ngx_lead_kol_op_t  *op;

    op = e->op;

    for (i = 0; i < NGX_LEAD_KOL_IDENTS; i++) {

        ident = ngx_lead_kol_ident(parent, i);

        if (ident->len == 0) {
            continue;
        }

        if (ngx_lead_kol_match(e->gen.pool, op->campaign, i, ident, &match)
            != NGX_OK
            || ngx_lead_kol_referrals(e->gen.pool, &match,
                                      &op->raise[d->nraise])
               != NGX_OK)
        {
            return NGX_ERROR;
        }

        d->nraise++;
    }

    d->raise = op->raise;

    return NGX_OK;
}


static void
ngx_lead_kol_update(ngx_lead_kol_op_t *op, const lead_t *target,
    const lead_t *second, uint64_t *counters, lead_decision_t *d)
{
    ngx_uint_t           added;
    ngx_lead_kol_edit_t  e;

    if (ngx_lead_kol_begin(op, &e) != NGX_OK
        || ngx_lead_doc_parse(e.gen.pool, target, &e.doc) != NGX_OK)
    {
        return;
    }

    op->lead_count = counters[0];
    op->referrals = ngx_lead_kol_referred(op, e.doc, counters);

    if (ngx_lead_kol_add_contact(&e, target, second, counters, &added)
        != NGX_OK)
    {
        return;
    }

    ngx_lead_kol_set(&e);
    ngx_lead_kol_set_int(&e, e.doc, "counter",
                         ngx_lead_kol_int(e.doc, "counter") + 1);

    /* a document with more could not be read again */

    if (op->custom->n > NGX_LEAD_JSON_MAX_MEMBERS
        || (ngx_lead_json_get(e.doc, "custom_fields")
            && ngx_lead_json_get(e.doc, "custom_fields")->n
               > NGX_LEAD_JSON_MAX_MEMBERS)
        || (ngx_lead_json_get(e.doc, "utm")
            && ngx_lead_json_get(e.doc, "utm")->n
               > NGX_LEAD_JSON_MAX_MEMBERS))
    {
        op->fault.kind = NGX_LEAD_FAULT_TOO_LARGE;
        return;
    }

    op->events[0] = op->event[NGX_LEAD_KOL_UPDATED];

    d->events = op->events;
    d->nevents = 1;

    if (op->scored && ngx_lead_kol_score(&e, op->points, d) != NGX_OK) {
        return;
    }

    d->flags = target->flags;

    if (!op->keep_opt_out) {
        d->flags &= ~LEAD_FLAG_OPTED_OUT;
    }

    d->touch = 1;
    d->keep_matches = !added;

    if ((!added || ngx_lead_kol_matches(&e, d) == NGX_OK)
        && ngx_lead_kol_print(&e, e.doc, &d->doc) == NGX_OK)
    {
        d->verdict = LEAD_UPDATE;
    }
}


/* what the lead lacks is added, what it has stays; a number that another lead
 * of the campaign has remains with that one */

static ngx_int_t
ngx_lead_kol_add_contact(ngx_lead_kol_edit_t *e, const lead_t *target,
    const lead_t *second, uint64_t *counters, ngx_uint_t *added)
{
    ngx_uint_t          mine;
    ngx_lead_kol_op_t  *op;

    op = e->op;
    *added = 0;

    if (op->ident[NGX_LEAD_KOL_EMAIL].len
        && ngx_lead_kol_ident(e->doc, NGX_LEAD_KOL_EMAIL)->len == 0)
    {
        ngx_lead_kol_set_ident(e, NGX_LEAD_KOL_EMAIL, counters);
        *added = 1;
    }

    if (op->ident[NGX_LEAD_KOL_PHONE].len == 0
        || ngx_lead_kol_ident(e->doc, NGX_LEAD_KOL_PHONE)->len)
    {
        return NGX_OK;
    }

    mine = 1;

    if (second
        && ngx_memcmp(second->id.b, target->id.b, sizeof(target->id.b)) != 0)
    {
        mine = !ngx_lead_kol_has_phone(e, second);
    }

    if (mine) {
        ngx_lead_kol_set_ident(e, NGX_LEAD_KOL_PHONE, counters);
        *added = 1;
    }

    return e->gen.failed ? NGX_ERROR : NGX_OK;
}


/* if in doubt, it has */

static ngx_uint_t
ngx_lead_kol_has_phone(ngx_lead_kol_edit_t *e, const lead_t *lead)
{
    ngx_lead_json_t  *doc;

    if (ngx_lead_doc_parse(e->gen.pool, lead, &doc) != NGX_OK) {
        e->gen.failed = 1;
        return 1;
    }

    return ngx_lead_field_equal(ngx_lead_kol_ident(doc, NGX_LEAD_KOL_PHONE),
                                &e->op->ident[NGX_LEAD_KOL_PHONE]);
}


/* gives the lead an e-mail address or a phone number; its counter may be one
 * of a lead that was erased */

static void
ngx_lead_kol_set_ident(ngx_lead_kol_edit_t *e, ngx_lead_kol_ident_e which,
    uint64_t *counters)
{
    int64_t             from;
    ngx_str_t          *text, *key;
    const char         *names[2];
    ngx_lead_json_t    *node;
    ngx_lead_kol_op_t  *op;

    static ngx_str_t  name = ngx_string("referrals_from");

    op = e->op;

    if (which == NGX_LEAD_KOL_EMAIL) {
        names[0] = "email";
        names[1] = "email_key";
        text = &op->email;
        key = &op->email_key;

    } else {
        names[0] = "phone";
        names[1] = "phone_e164";
        text = &op->phone;
        key = &op->phone_e164;
    }

    (void) ngx_lead_json_add_str(&e->gen, e->doc, names[0], text);
    (void) ngx_lead_json_add_str(&e->gen, e->doc, names[1], key);

    from = (int64_t) counters[op->slot[which]] - op->referrals;

    if (from == 0) {
        return;
    }

    node = ngx_lead_json_get(e->doc, "referrals_from");

    node = node ? ngx_lead_json_add_node(&e->gen, NULL, NULL, node)
                : ngx_lead_json_add(&e->gen, NULL, NULL, NGX_LEAD_JSON_OBJECT);

    ngx_lead_kol_set_int(e, node, ngx_lead_kol_ident_name(which), from);
    ngx_lead_json_set_node(&e->gen, e->doc, &name, node);
}


/* what was sent beside the contact */

static void
ngx_lead_kol_set(ngx_lead_kol_edit_t *e)
{
    ngx_lead_json_t  *node;

    for (node = e->op->sent->first; node; node = node->next) {
        ngx_lead_json_set_node(&e->gen, e->doc, &node->name,
                               node->type == NGX_LEAD_JSON_NULL ? NULL : node);
    }

    ngx_lead_kol_merge(e, "utm", e->op->utm);
    ngx_lead_kol_merge(e, "custom_fields", e->op->custom);
}


static void
ngx_lead_kol_merge(ngx_lead_kol_edit_t *e, const char *name,
    ngx_lead_json_t *from)
{
    ngx_str_t         key;
    ngx_lead_json_t  *kept, *node;

    if (from->n == 0) {
        return;
    }

    key.data = (u_char *) name;
    key.len = ngx_strlen(name);

    kept = ngx_lead_json_find(e->doc, key.data, key.len);

    if (kept == NULL || kept->type != NGX_LEAD_JSON_OBJECT) {
        ngx_lead_json_set_node(&e->gen, e->doc, &key, from);
        return;
    }

    kept = ngx_lead_json_add_node(&e->gen, NULL, NULL, kept);

    for (node = from->first; node; node = node->next) {
        ngx_lead_json_set_node(&e->gen, kept, &node->name, node);
    }

    ngx_lead_json_set_node(&e->gen, e->doc, &key, kept);
}


static void
ngx_lead_kol_set_int(ngx_lead_kol_edit_t *e, ngx_lead_json_t *obj,
    const char *name, int64_t value)
{
    ngx_str_t  key;

    key.data = (u_char *) name;
    key.len = ngx_strlen(name);

    ngx_lead_json_set_node(&e->gen, obj, &key,
                           ngx_lead_json_add_int(&e->gen, NULL, NULL, value));
}


/* another number of points is an event */

static ngx_int_t
ngx_lead_kol_score(ngx_lead_kol_edit_t *e, int64_t points, lead_decision_t *d)
{
    int64_t             before;
    ngx_str_t          *message;
    lead_event_t       *event;
    ngx_lead_json_t    *node;
    ngx_lead_kol_op_t  *op;

    op = e->op;
    before = ngx_lead_kol_int(e->doc, "points");

    ngx_lead_kol_set_int(e, e->doc, "points", points);

    if (points == before) {
        return NGX_OK;
    }

    message = &op->message;
    event = &op->events[d->nevents++];

    *event = op->event[NGX_LEAD_KOL_SCORED];
    d->events = op->events;

    node = ngx_lead_json_add(&e->gen, NULL, NULL, NGX_LEAD_JSON_OBJECT);

    (void) ngx_lead_json_add_int(&e->gen, node, "current_contest_score",
                                 points);
    (void) ngx_lead_json_add_int(&e->gen, node, "previous_contest_score",
                                 before);

    if (message->len) {
        (void) ngx_lead_json_add_str(&e->gen, node, "message", message);
    }

    return ngx_lead_kol_print(e, node, &event->data);
}


void
ngx_lead_kol_points_decide(lead_op_t *lop, const lead_t *target,
    const lead_t *second, int64_t now, uint64_t *counters, lead_decision_t *d)
{
    int64_t               points;
    ngx_lead_kol_op_t    *op = lop->data;
    ngx_lead_kol_edit_t   e;

    if (target == NULL) {
        ngx_lead_kol_refuse(op, 404, NGX_LEAD_KOL_NO_LEADS);
        return;
    }

    op->fault.kind = NGX_LEAD_FAULT_UNAVAILABLE;

    if (ngx_lead_kol_begin(op, &e) != NGX_OK
        || ngx_lead_doc_parse(e.gen.pool, target, &e.doc) != NGX_OK)
    {
        return;
    }

    points = ngx_lead_kol_int(e.doc, "points") + op->points;

    if (ngx_lead_kol_score(&e, ngx_max(points, 0), d) != NGX_OK
        || ngx_lead_kol_print(&e, e.doc, &d->doc) != NGX_OK)
    {
        return;
    }

    op->fault.kind = NGX_LEAD_FAULT_NONE;

    d->flags = target->flags;
    d->touch = d->nevents != 0;
    d->keep_matches = 1;
    d->verdict = LEAD_UPDATE;
}


static ngx_int_t
ngx_lead_kol_begin(ngx_lead_kol_op_t *op, ngx_lead_kol_edit_t *e)
{
    e->op = op;
    e->doc = NULL;
    e->gen.failed = 0;
    e->gen.pool = ngx_lead_call_arena(op->call);

    return e->gen.pool ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_lead_kol_matches(ngx_lead_kol_edit_t *e, lead_decision_t *d)
{
    ngx_str_t          *ident;
    ngx_uint_t          i;
    ngx_lead_kol_op_t  *op;

    op = e->op;

    for (i = 0; i < NGX_LEAD_KOL_IDENTS; i++) {

        ident = ngx_lead_kol_ident(e->doc, i);

        if (ident->len
            && ngx_lead_kol_match(e->gen.pool, op->campaign, i, ident,
                                  &op->after[d->nmatches++])
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    d->matches = op->after;

    return NGX_OK;
}


static ngx_int_t
ngx_lead_kol_print(ngx_lead_kol_edit_t *e, ngx_lead_json_t *root,
    lead_bytes_t *to)
{
    ngx_str_t  text;

    if (e->gen.failed
        || ngx_lead_json_print(e->gen.pool, root, &text) != NGX_OK)
    {
        return NGX_ERROR;
    }

    to->data = text.data;
    to->len = text.len;

    return NGX_OK;
}


static void
ngx_lead_kol_refuse(ngx_lead_kol_op_t *op, ngx_uint_t status,
    const char *text)
{
    op->fault.kind = NGX_LEAD_FAULT_OWN;
    op->fault.status = status;
    op->fault.text.data = (u_char *) text;
    op->fault.text.len = ngx_strlen(text);
}


/* a Feistel network of two digits to the base 36^3 is one to one */

void
ngx_lead_kol_social(uint32_t account, uint64_t n, u_char *text)
{
    uint32_t    left, right, f;
    ngx_uint_t  i;

    static const u_char  digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

    n %= NGX_LEAD_KOL_SOCIALS;

    left = (uint32_t) (n / NGX_LEAD_KOL_HALF);
    right = (uint32_t) (n % NGX_LEAD_KOL_HALF);

    for (i = 0; i < NGX_LEAD_KOL_ROUNDS; i++) {
        f = (right + 1) * 2654435761U + (account + 1) * 40503U
            + (uint32_t) i * 2246822519U;
        f ^= f >> 15;
        f *= 2246822519U;
        f ^= f >> 13;

        f = (left + f % NGX_LEAD_KOL_HALF) % NGX_LEAD_KOL_HALF;
        left = right;
        right = f;
    }

    n = (uint64_t) left * NGX_LEAD_KOL_HALF + right;

    for (i = NGX_LEAD_KOL_SOCIAL_LEN; i > 0; i--) {
        text[i - 1] = digits[n % 36];
        n /= 36;
    }
}
