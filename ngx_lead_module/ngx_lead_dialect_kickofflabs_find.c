
/*
 * Copyright (C) the ngx_lead authors
 *
 * KickoffLabs: how a lead is found in its campaign: identifiers, match keys
 * and counters of referrals; the lookup (GET) and the adding of points.
 *
 * Runs in the event loop but for what decide() uses: match(), referrals(),
 * referred() and ident*().
 */


#include "ngx_lead_dialect_kickofflabs.h"
#include "ngx_lead_email.h"
#include "ngx_lead_phone.h"


#define NGX_LEAD_KOL_POINTED       100       /* leads at once */


static ngx_int_t ngx_lead_kol_phone_text(ngx_lead_kol_op_t *op,
    ngx_str_t *code);
static ngx_int_t ngx_lead_kol_points_leads(ngx_lead_kol_op_t *op);
static ngx_int_t ngx_lead_kol_points_emails(ngx_lead_kol_op_t *op,
    ngx_lead_json_t *emails);
static ngx_int_t ngx_lead_kol_points_op(ngx_lead_kol_op_t *op);


static const char  *ngx_lead_kol_ident_names[] = {
    "email",
    "phone",
    "social"
};


ngx_int_t
ngx_lead_kol_lookup(ngx_lead_call_t *call)
{
    ngx_int_t           rc;
    ngx_str_t          *social;
    ngx_lead_kol_op_t  *op;

    op = ngx_lead_kol_op(call);
    if (op == NULL) {
        return NGX_ERROR;
    }

    social = &op->ident[NGX_LEAD_KOL_SOCIAL];

    /* what is no address and no number has no lead */

    rc = ngx_lead_kol_read_email(op, ngx_lead_kol_param(call, "email"));

    if (rc != NGX_ERROR) {
        rc = ngx_lead_kol_read_phone(op);
    }

    if (rc != NGX_ERROR) {
        rc = ngx_lead_kol_read_social(op, social,
                                      ngx_lead_kol_param(call, "kid"));
    }

    if (rc == NGX_OK) {
        rc = ngx_lead_kol_read_social(op, social,
                                      ngx_lead_kol_param(call, "social_id"));
    }

    if (rc != NGX_OK || ngx_lead_kol_search(op, 1, NULL) != NGX_OK) {
        return NGX_ERROR;
    }

    if (op->email.len == 0 && op->phone.len == 0 && social->len == 0) {
        return ngx_lead_call_fault(call, 409, "",
                                   "Please include a lead id or email");
    }

    call->find.by = LEAD_BY_MATCH;
    call->find.matches = op->matches;
    call->find.nmatches = op->nmatches;

    ngx_lead_kol_count(op);

    return NGX_OK;
}


void
ngx_lead_kol_count(ngx_lead_kol_op_t *op)
{
    ngx_uint_t  i;

    for (i = 0; i < op->ncounters; i++) {
        op->call->counters[i] = op->counters[i];
    }

    op->call->ncounters = op->ncounters;
}


ngx_int_t
ngx_lead_kol_points(ngx_lead_call_t *call)
{
    ngx_int_t           rc;
    ngx_lead_kol_op_t  *op;

    op = ngx_lead_kol_op(call);
    if (op == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_lead_kol_integer(call->pool, ngx_lead_kol_param(call, "points"),
                              &op->points);
    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc == NGX_DECLINED) {
        return ngx_lead_call_fault(call, 409, "", "No points value found");
    }

    if (op->points > NGX_LEAD_KOL_POINTS_MAX) {
        return ngx_lead_call_fault(call, 409, "", "Max Points Exceeded");
    }

    (void) ngx_lead_kol_text(ngx_lead_kol_param(call, "message"),
                             &op->message);

    call->ops = ngx_palloc(call->pool, NGX_LEAD_KOL_POINTED
                                       * sizeof(lead_op_t *));
    if (call->ops == NULL || ngx_lead_kol_points_leads(op) != NGX_OK) {
        return NGX_ERROR;
    }

    if (call->nops) {
        return NGX_OK;
    }

    if (op->email.len) {
        call->fault.kind = NGX_LEAD_FAULT_NOT_FOUND;
        return NGX_DECLINED;
    }

    return ngx_lead_call_fault(call, 409, "",
                               "Please include a lead id or email");
}


/* an operation for each lead that is named */

static ngx_int_t
ngx_lead_kol_points_leads(ngx_lead_kol_op_t *op)
{
    ngx_int_t         rc;
    ngx_str_t        *social;
    ngx_lead_call_t  *call;
    ngx_lead_json_t  *emails;

    call = op->call;
    social = &op->ident[NGX_LEAD_KOL_SOCIAL];
    emails = ngx_lead_kol_param(call, "emails");

    if (emails && emails->type == NGX_LEAD_JSON_ARRAY) {
        return ngx_lead_kol_points_emails(op, emails);
    }

    rc = ngx_lead_kol_read_email(op, ngx_lead_kol_param(call, "email"));

    if (rc != NGX_ERROR) {
        rc = ngx_lead_kol_read_social(op, social,
                                      ngx_lead_kol_param(call, "kid"));
    }

    if (rc == NGX_OK) {
        rc = ngx_lead_kol_read_social(op, social,
                                      ngx_lead_kol_param(call, "social_id"));
    }

    return rc == NGX_OK ? ngx_lead_kol_points_op(op) : rc;
}


/* each once, and only so many: the vendor looks at no more */

static ngx_int_t
ngx_lead_kol_points_emails(ngx_lead_kol_op_t *op, ngx_lead_json_t *emails)
{
    ngx_str_t          *key;
    ngx_uint_t          i;
    ngx_lead_call_t    *call;
    ngx_lead_json_t    *node;
    ngx_lead_kol_op_t  *one;

    call = op->call;

    for (node = emails->first;
         node && call->nops < NGX_LEAD_KOL_POINTED;
         node = node->next)
    {
        if (ngx_lead_kol_read_email(op, node) == NGX_ERROR) {
            return NGX_ERROR;
        }

        key = &op->ident[NGX_LEAD_KOL_EMAIL];

        for (i = 0; key->len && i < call->nops; i++) {
            one = call->ops[i]->data;

            if (ngx_lead_field_equal(&one->ident[NGX_LEAD_KOL_EMAIL], key)) {
                break;
            }
        }

        if (key->len && i == call->nops
            && ngx_lead_kol_points_op(op) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_lead_kol_points_op(ngx_lead_kol_op_t *op)
{
    lead_op_t          *lop;
    ngx_lead_call_t    *call;
    ngx_lead_kol_op_t  *one;

    call = op->call;

    lop = ngx_pcalloc(call->pool, sizeof(lead_op_t));
    one = ngx_palloc(call->pool, sizeof(ngx_lead_kol_op_t));

    if (lop == NULL || one == NULL) {
        return NGX_ERROR;
    }

    *one = *op;

    if (ngx_lead_kol_search(one, 1, NULL) != NGX_OK) {
        return NGX_ERROR;
    }

    if (one->nmatches == 0) {
        return NGX_OK;
    }

    lop->target.by = LEAD_BY_MATCH;
    lop->target.matches = one->matches;
    lop->target.nmatches = one->nmatches;
    lop->decide = ngx_lead_kol_points_decide;
    lop->data = one;

    call->ops[call->nops++] = lop;

    return NGX_OK;
}


ngx_int_t
ngx_lead_kol_pointed(ngx_lead_call_t *call, lead_t *leads, ngx_uint_t n)
{
    ngx_uint_t            i;
    ngx_lead_kol_op_t    *op;
    ngx_lead_json_gen_t   gen;

    static ngx_str_t  text = ngx_string("Custom Points added");

    if (n == 0) {

        for (i = 0; i < call->nops; i++) {
            op = call->ops[i]->data;

            if (op->fault.kind != NGX_LEAD_FAULT_NONE) {
                call->fault = op->fault;
                break;
            }
        }

        return NGX_DECLINED;
    }

    gen.pool = call->pool;
    gen.failed = 0;

    call->status = 200;
    call->root = ngx_lead_json_add(&gen, NULL, NULL, NGX_LEAD_JSON_OBJECT);

    (void) ngx_lead_json_add_str(&gen, call->root, "message", &text);

    return gen.failed ? NGX_ERROR : NGX_OK;
}


ngx_int_t
ngx_lead_kol_read_email(ngx_lead_kol_op_t *op, ngx_lead_json_t *node)
{
    ngx_int_t  rc;

    ngx_str_null(&op->ident[NGX_LEAD_KOL_EMAIL]);

    rc = ngx_lead_kol_text(node, &op->email);

    if (rc != NGX_OK) {

        /* there is something, and it is not right */
        ngx_str_set(&op->email, "?");
        return rc;
    }

    if (op->email.len == 0) {
        return NGX_OK;
    }

    rc = ngx_lead_email_check(op->call->pool, &op->email, 0, &op->email_key);

    if (rc == NGX_OK) {
        op->ident[NGX_LEAD_KOL_EMAIL] = op->email_key;
    }

    return rc;
}


ngx_int_t
ngx_lead_kol_read_phone(ngx_lead_kol_op_t *op)
{
    size_t            len;
    ngx_int_t         rc;
    ngx_str_t         code;
    ngx_lead_call_t  *call;

    call = op->call;

    ngx_str_null(&op->ident[NGX_LEAD_KOL_PHONE]);

    if (ngx_lead_kol_text(ngx_lead_kol_param(call, "phone_number"),
                          &op->phone) != NGX_OK
        || (op->phone.len
            && ngx_lead_kol_text(ngx_lead_kol_param(call, "country_code"),
                                 &code) != NGX_OK))
    {
        ngx_str_set(&op->phone, "?");
        return NGX_DECLINED;
    }

    if (op->phone.len == 0) {
        return NGX_OK;
    }

    if (code.len && ngx_lead_kol_phone_text(op, &code) != NGX_OK) {
        return NGX_ERROR;
    }

    op->phone_e164.data = ngx_pnalloc(call->pool, NGX_LEAD_PHONE_MAX);
    if (op->phone_e164.data == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_lead_phone_e164(&op->phone, call->account->region,
                             op->phone_e164.data, &len);

    if (rc == NGX_OK) {
        op->phone_e164.len = len;
        op->ident[NGX_LEAD_KOL_PHONE] = op->phone_e164;
    }

    return rc;
}


/* a country code goes before the number as it is, and makes it one that is
 * written internationally */

static ngx_int_t
ngx_lead_kol_phone_text(ngx_lead_kol_op_t *op, ngx_str_t *code)
{
    u_char     *p;
    ngx_str_t   phone;

    phone = op->phone;

    p = ngx_pnalloc(op->call->pool, 1 + code->len + phone.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    op->phone.data = p;

    if (code->data[0] != '+') {
        *p++ = '+';
    }

    p = ngx_cpymem(p, code->data, code->len);
    p = ngx_cpymem(p, phone.data, phone.len);

    op->phone.len = p - op->phone.data;

    return NGX_OK;
}


ngx_int_t
ngx_lead_kol_read_social(ngx_lead_kol_op_t *op, ngx_str_t *social,
    ngx_lead_json_t *node)
{
    size_t      i;
    u_char     *p;
    ngx_str_t   text;

    if (social->len
        || ngx_lead_kol_text(node, &text) != NGX_OK
        || text.len == 0)
    {
        return NGX_OK;
    }

    /* mail programs and people write links in lower case */

    p = ngx_pnalloc(op->call->pool, text.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < text.len; i++) {
        p[i] = ngx_toupper(text.data[i]);
    }

    social->data = p;
    social->len = text.len;

    return NGX_OK;
}


ngx_int_t
ngx_lead_kol_match(ngx_pool_t *pool, ngx_lead_campaign_t *campaign,
    ngx_lead_kol_ident_e which, ngx_str_t *ident, lead_match_t *match)
{
    int      n;
    u_char  *p;

    p = ngx_pnalloc(pool, NGX_INT64_LEN + 2 + ident->len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    match->kind = NGX_LEAD_MATCH_EMAIL + which;
    match->value.data = p;

    n = snprintf((char *) p, NGX_INT64_LEN + 1, "%lu",
                 (unsigned long) campaign->number);
    p += n;
    *p++ = '\0';
    p = ngx_cpymem(p, ident->data, ident->len);

    match->value.len = p - match->value.data;

    return NGX_OK;
}


ngx_int_t
ngx_lead_kol_referrals(ngx_pool_t *pool, lead_match_t *match,
    lead_bytes_t *counter)
{
    u_char      *p;
    const char  *name;

    name = ngx_lead_kol_ident_names[match->kind - NGX_LEAD_MATCH_EMAIL];

    p = ngx_pnalloc(pool, sizeof("referrals::") - 1 + ngx_strlen(name)
                          + match->value.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    counter->data = p;

    p = ngx_cpymem(p, "referrals:", sizeof("referrals:") - 1);
    p = ngx_cpymem(p, name, ngx_strlen(name));
    *p++ = ':';
    p = ngx_cpymem(p, match->value.data, match->value.len);

    counter->len = p - counter->data;

    return NGX_OK;
}


ngx_int_t
ngx_lead_kol_search(ngx_lead_kol_op_t *op, ngx_uint_t social,
    const char *counter)
{
    ngx_uint_t     i;
    ngx_pool_t    *pool;
    lead_match_t  *match;

    pool = op->call->pool;

    if (ngx_lead_call_campaign_counter(pool, op->campaign, &op->counters[0])
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    op->ncounters = 1;

    if (counter) {
        op->counters[1].data = (u_char *) counter;
        op->counters[1].len = ngx_strlen(counter);
        op->ncounters = 2;
    }

    for (i = 0; i < NGX_LEAD_KOL_IDENTS; i++) {

        if (op->ident[i].len == 0 || (i == NGX_LEAD_KOL_SOCIAL && !social)) {
            continue;
        }

        match = &op->matches[op->nmatches++];
        op->slot[i] = op->ncounters;

        if (ngx_lead_kol_match(pool, op->campaign, i, &op->ident[i], match)
            != NGX_OK
            || ngx_lead_kol_referrals(pool, match,
                                      &op->counters[op->ncounters++])
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


int64_t
ngx_lead_kol_referred(ngx_lead_kol_op_t *op, ngx_lead_json_t *doc,
    uint64_t *values)
{
    ngx_uint_t        i;
    ngx_lead_json_t  *from;

    from = ngx_lead_json_get(doc, "referrals_from");

    for (i = 0; i < NGX_LEAD_KOL_IDENTS; i++) {

        if (op->slot[i]
            && ngx_lead_field_equal(&op->ident[i],
                                    ngx_lead_kol_ident(doc, i)))
        {
            return (int64_t) values[op->slot[i]]
                   - ngx_lead_kol_int(from, ngx_lead_kol_ident_names[i]);
        }
    }

    return 0;
}


ngx_str_t *
ngx_lead_kol_ident(ngx_lead_json_t *doc, ngx_uint_t which)
{
    switch (which) {

    case NGX_LEAD_KOL_EMAIL:
        return ngx_lead_doc_str(doc, "email_key");

    case NGX_LEAD_KOL_PHONE:
        return ngx_lead_doc_str(doc, "phone_e164");

    default: /* NGX_LEAD_KOL_SOCIAL */
        return ngx_lead_doc_str(doc, "social_id");
    }
}


const char *
ngx_lead_kol_ident_name(ngx_uint_t which)
{
    return ngx_lead_kol_ident_names[which];
}
