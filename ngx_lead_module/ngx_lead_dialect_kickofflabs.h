
/*
 * Copyright (C) the ngx_lead authors
 *
 * KickoffLabs: what its files share, and nobody else may include.
 *
 * A lead's document here has the members dialect, campaign {name, number,
 * label}, email (as sent), email_key, phone (as sent, its country code before
 * it), phone_e164, first_name, last_name, company (of custom fields: of these
 * names), source {name, id}, uid, ip, referrer, url, redirect_url, session,
 * request_id, user_agent, utm, custom_fields, counter, points, social_id,
 * subscription_number, parent {number, social_id} and referrals_from.  What
 * is not known is not there.
 *
 * How many leads one has referred is counted outside of its document, for a
 * sign-up writes but one lead: by each identifier of the referrer, so that
 * whoever asks by any of them can name the counter.  referrals_from {email,
 * phone, social} is where those counters stood against the lead's own number
 * when it got the identifier; 0 is not kept.
 */


#ifndef _NGX_LEAD_DIALECT_KICKOFFLABS_H_INCLUDED_
#define _NGX_LEAD_DIALECT_KICKOFFLABS_H_INCLUDED_


#include "ngx_lead_dialect.h"
#include "ngx_lead_doc.h"
#include "ngx_lead_field.h"


#define NGX_LEAD_KOL_POINTS_MAX    99999
#define NGX_LEAD_KOL_SOCIAL_LEN    6
#define NGX_LEAD_KOL_SOCIALS       2176782336ULL        /* 36^6 */

#define NGX_LEAD_KOL_NO_LEADS      "No leads found"


/* identifiers of a lead in its campaign, by rank; their match kinds are in
 * the same order */

typedef enum {
    NGX_LEAD_KOL_EMAIL = 0,
    NGX_LEAD_KOL_PHONE,
    NGX_LEAD_KOL_SOCIAL,
    NGX_LEAD_KOL_IDENTS
} ngx_lead_kol_ident_e;


typedef enum {
    NGX_LEAD_KOL_CREATED = 0,
    NGX_LEAD_KOL_UPDATED,
    NGX_LEAD_KOL_SCORED,
    NGX_LEAD_KOL_REFERRAL,
    NGX_LEAD_KOL_EVENTS
} ngx_lead_kol_event_e;


/* a call about leads of a campaign */

typedef struct {
    ngx_lead_call_t       *call;
    ngx_lead_campaign_t   *campaign;

    /* what was sent, trimmed; no length: nothing */

    ngx_str_t              email;
    ngx_str_t              email_key;
    ngx_str_t              phone;
    ngx_str_t              phone_e164;
    ngx_str_t              message;      /* of points */
    ngx_lead_json_t       *sent;         /* members of the document */
    ngx_lead_json_t       *custom;
    ngx_lead_json_t       *utm;
    ngx_str_t              ip;           /* of a new lead */
    int64_t                points;
    unsigned               scored:1;     /* there are points */
    unsigned               must_exist:1;
    unsigned               keep_opt_out:1;

    /* the lead's identifiers as far as sent, and what finds lead, owner of
     * the phone number and referrer */

    ngx_str_t              ident[NGX_LEAD_KOL_IDENTS];
    lead_match_t           matches[NGX_LEAD_KOL_IDENTS];
    ngx_uint_t             nmatches;
    lead_match_t           second[2];
    ngx_uint_t             nsecond;

    lead_bytes_t           counters[LEAD_COUNTERS_MAX];
    ngx_uint_t             ncounters;
    ngx_uint_t             slot[NGX_LEAD_KOL_IDENTS];  /* of the referrals by
                                                          ident, 0: none */

    lead_event_t           event[NGX_LEAD_KOL_EVENTS];

    /* what decide() has found */

    ngx_lead_fault_t       fault;        /* why it refuses */
    lead_match_t           after[NGX_LEAD_KOL_IDENTS];
    lead_bytes_t           raise[NGX_LEAD_KOL_IDENTS];
    lead_event_t           events[2];
    uint64_t               lead_count;   /* 0: decide() was not asked */
    int64_t                referrals;
} ngx_lead_kol_op_t;


/* a lead about to be shown.  What the store counts outside of its document
 * is the caller's to say; -1: not known */

typedef struct {
    ngx_lead_json_gen_t    gen;
    const lead_t          *lead;
    ngx_lead_json_t       *doc;
    ngx_lead_campaign_t   *campaign;     /* NULL: not configured (now) */
    int64_t                lead_count;
    int64_t                referrals;
    unsigned               skip_urls:1;
    unsigned               skip_actions:1;

    /* by show */

    ngx_lead_json_t       *root;
    ngx_str_t              email;        /* in lower case */
    ngx_str_t             *social;
    int64_t                number;       /* of its sign-up; 0: it has none */
} ngx_lead_kol_show_t;


/* a document about to be written, in a thread */

typedef struct {
    ngx_lead_kol_op_t     *op;
    ngx_lead_json_gen_t    gen;
    ngx_lead_json_t       *doc;
} ngx_lead_kol_edit_t;


/* ngx_lead_dialect_kickofflabs.c */

/* the call's op, with the campaign that resource() has found, and its events
 * addressed; NULL: no memory */
ngx_lead_kol_op_t *ngx_lead_kol_op(ngx_lead_call_t *call);

/* a parameter of the query or else of the body; NULL */
ngx_lead_json_t *ngx_lead_kol_param(ngx_lead_call_t *call, const char *name);

/* a string or a number, trimmed, "" if it is neither; NGX_DECLINED then, if
 * there is anything but null */
ngx_int_t ngx_lead_kol_text(ngx_lead_json_t *node, ngx_str_t *text);

/* true, "true", 1 or "1" */
ngx_uint_t ngx_lead_kol_true(ngx_lead_json_t *node);

/* an integer of a document, 0 if there is none */
int64_t ngx_lead_kol_int(ngx_lead_json_t *obj, const char *name);

/* an integer sent, not beyond 10^9 either way; NGX_DECLINED: none */
ngx_int_t ngx_lead_kol_integer(ngx_pool_t *pool, ngx_lead_json_t *node,
    int64_t *value);

/* the vendor's 422 about a field; returns NGX_DECLINED, or NGX_ERROR */
ngx_int_t ngx_lead_kol_invalid(ngx_lead_call_t *call, const char *field,
    const char *text, const char *message);


/* ngx_lead_dialect_kickofflabs_find.c */

ngx_int_t ngx_lead_kol_lookup(ngx_lead_call_t *call);
ngx_int_t ngx_lead_kol_points(ngx_lead_call_t *call);
ngx_int_t ngx_lead_kol_pointed(ngx_lead_call_t *call, lead_t *leads,
    ngx_uint_t n);

/* op->email, phone and their idents out of what was sent; NGX_DECLINED: not
 * such a thing, NGX_ERROR */
ngx_int_t ngx_lead_kol_read_email(ngx_lead_kol_op_t *op,
    ngx_lead_json_t *node);
ngx_int_t ngx_lead_kol_read_phone(ngx_lead_kol_op_t *op);

/* op->ident[NGX_LEAD_KOL_SOCIAL] by these parameters, the first that is
 * there; NGX_ERROR */
ngx_int_t ngx_lead_kol_read_social(ngx_lead_kol_op_t *op, ngx_str_t *social,
    ngx_lead_json_t *node);

/* a match key, and the name of the counter of its referrals, in pool;
 * NGX_ERROR */
ngx_int_t ngx_lead_kol_match(ngx_pool_t *pool, ngx_lead_campaign_t *campaign,
    ngx_lead_kol_ident_e which, ngx_str_t *ident, lead_match_t *match);
ngx_int_t ngx_lead_kol_referrals(ngx_pool_t *pool, lead_match_t *match,
    lead_bytes_t *counter);

/* op->matches of what was sent, without social ids unless asked for, and
 * op->counters: of the campaign's leads, further ones by the names given,
 * and of the referrals of each ident that is searched for; NGX_ERROR */
ngx_int_t ngx_lead_kol_search(ngx_lead_kol_op_t *op, ngx_uint_t social,
    const char *counter);

/* op->counters are to be read for encode(), where decide() is not asked */
void ngx_lead_kol_count(ngx_lead_kol_op_t *op);

/* how many the lead has referred, knowing the counters' values */
int64_t ngx_lead_kol_referred(ngx_lead_kol_op_t *op, ngx_lead_json_t *doc,
    uint64_t *values);

/* the ident of a lead's document, or "" */
ngx_str_t *ngx_lead_kol_ident(ngx_lead_json_t *doc, ngx_uint_t which);
const char *ngx_lead_kol_ident_name(ngx_uint_t which);


/* ngx_lead_dialect_kickofflabs_create.c: in the event loop */

ngx_int_t ngx_lead_kol_create(ngx_lead_call_t *call);


/* ngx_lead_dialect_kickofflabs_decide.c: in threads */

void ngx_lead_kol_decide(lead_op_t *lop, const lead_t *target,
    const lead_t *second, int64_t now, uint64_t *counters,
    lead_decision_t *d);
void ngx_lead_kol_points_decide(lead_op_t *lop, const lead_t *target,
    const lead_t *second, int64_t now, uint64_t *counters,
    lead_decision_t *d);

/* the nth social id of an account, n from 0; text has room for it */
void ngx_lead_kol_social(uint32_t account, uint64_t n, u_char *text);


/* ngx_lead_dialect_kickofflabs_show.c */

/* the answer to a sign-up, and to a lookup */
ngx_int_t ngx_lead_kol_show(ngx_lead_call_t *call, lead_t *leads,
    ngx_uint_t n);

/* the lead as s->root; NGX_ERROR: no memory */
ngx_int_t ngx_lead_kol_show_lead(ngx_lead_kol_show_t *s);

/* a member that is null for no text, and for a number below a least one */
void ngx_lead_kol_show_text(ngx_lead_kol_show_t *s, ngx_lead_json_t *obj,
    const char *name, ngx_str_t *text);
void ngx_lead_kol_show_int(ngx_lead_kol_show_t *s, ngx_lead_json_t *obj,
    const char *name, int64_t value, int64_t least);


/* ngx_lead_dialect_kickofflabs_notice.c */

/* the body of the vendor's webhook */
ngx_int_t ngx_lead_kol_notice(ngx_lead_notice_t *n, ngx_lead_json_t *event,
    ngx_lead_json_t **root);


#endif /* _NGX_LEAD_DIALECT_KICKOFFLABS_H_INCLUDED_ */
