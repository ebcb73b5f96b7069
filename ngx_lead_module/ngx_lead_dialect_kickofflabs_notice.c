
/*
 * Copyright (C) the ngx_lead authors
 *
 * KickoffLabs: what the vendor's webhooks say of an event: the lead as it is
 * shown, and behind that "__event" with a block of its own for a referral and
 * for another score.
 *
 * lead.created is new_signup, lead.updated repeat_signup, lead.scored
 * score_change, and lead.referral, an event of the referrer's, is referral.
 * What the vendor has no name for comes under ours.
 *
 * How many leads a campaign has, and how many a lead has referred, is counted
 * outside of documents, and must not be asked for here.  Of a new lead it is
 * known: it is the last one of its campaign, and nobody has come by it.  Of
 * all others it is null.
 *
 * May run in a thread; what is made lives in the notice's pool.
 */


#include "ngx_lead_dialect_kickofflabs.h"


typedef enum {
    NGX_LEAD_KOL_SIGN_UP = 0,
    NGX_LEAD_KOL_REPEAT,
    NGX_LEAD_KOL_SCORE_CHANGE,
    NGX_LEAD_KOL_REFERRED,
    NGX_LEAD_KOL_OTHER
} ngx_lead_kol_name_e;


static ngx_lead_kol_name_e ngx_lead_kol_notice_name(ngx_str_t *type,
    ngx_str_t *name);
static ngx_lead_campaign_t *ngx_lead_kol_notice_campaign(
    ngx_lead_account_t *account, ngx_lead_json_t *doc);
static void ngx_lead_kol_notice_score(ngx_lead_kol_show_t *s,
    ngx_lead_json_t *event);
static void ngx_lead_kol_notice_referral(ngx_lead_kol_show_t *s,
    ngx_lead_json_t *event);


ngx_int_t
ngx_lead_kol_notice(ngx_lead_notice_t *n, ngx_lead_json_t *event,
    ngx_lead_json_t **root)
{
    ngx_int_t            rc;
    ngx_str_t            name;
    ngx_lead_kol_name_e  what;
    ngx_lead_kol_show_t  s;

    ngx_memzero(&s, sizeof(ngx_lead_kol_show_t));

    s.gen.pool = n->pool;
    s.lead = n->lead;

    rc = ngx_lead_doc_parse(n->pool, n->lead, &s.doc);

    if (rc != NGX_OK) {
        return rc;
    }

    what = ngx_lead_kol_notice_name(&n->type, &name);

    s.campaign = ngx_lead_kol_notice_campaign(n->account, s.doc);
    s.lead_count = -1;
    s.referrals = -1;

    if (what == NGX_LEAD_KOL_SIGN_UP
        && ngx_lead_kol_int(s.doc, "subscription_number"))
    {
        s.lead_count = ngx_lead_kol_int(s.doc, "subscription_number");
        s.referrals = 0;
    }

    if (ngx_lead_kol_show_lead(&s) != NGX_OK) {
        return NGX_ERROR;
    }

    (void) ngx_lead_json_add_str(&s.gen, s.root, "__event", &name);

    if (what == NGX_LEAD_KOL_SCORE_CHANGE) {
        ngx_lead_kol_notice_score(&s, event);

    } else if (what == NGX_LEAD_KOL_REFERRED) {
        ngx_lead_kol_notice_referral(&s, event);
    }

    *root = s.root;

    return s.gen.failed ? NGX_ERROR : NGX_OK;
}


static ngx_lead_kol_name_e
ngx_lead_kol_notice_name(ngx_str_t *type, ngx_str_t *name)
{
    ngx_uint_t  i;

    static struct {
        ngx_str_t  type;
        ngx_str_t  name;
    } names[] = {      /* in the order of the enum */
        { ngx_string("lead.created"), ngx_string("new_signup") },
        { ngx_string("lead.updated"), ngx_string("repeat_signup") },
        { ngx_string("lead.scored"), ngx_string("score_change") },
        { ngx_string("lead.referral"), ngx_string("referral") }
    };

    for (i = 0; i < NGX_LEAD_KOL_OTHER; i++) {
        if (ngx_lead_field_equal(type, &names[i].type)) {
            *name = names[i].name;
            return i;
        }
    }

    *name = *type;

    return NGX_LEAD_KOL_OTHER;
}


/* by its name, which is its identity in the store */

static ngx_lead_campaign_t *
ngx_lead_kol_notice_campaign(ngx_lead_account_t *account,
    ngx_lead_json_t *doc)
{
    ngx_str_t            *name;
    ngx_uint_t            i;
    ngx_lead_campaign_t  *campaign;

    name = ngx_lead_doc_str(ngx_lead_json_get(doc, "campaign"), "name");
    campaign = account->campaigns.elts;

    for (i = 0; i < account->campaigns.nelts; i++) {
        if (ngx_lead_field_equal(&campaign[i].name, name)) {
            return &campaign[i];
        }
    }

    return NULL;
}


static void
ngx_lead_kol_notice_score(ngx_lead_kol_show_t *s, ngx_lead_json_t *event)
{
    ngx_uint_t        i;
    ngx_lead_json_t  *to, *node;

    static ngx_str_t  names[] = {
        ngx_string("current_contest_score"),
        ngx_string("previous_contest_score")
    };

    to = ngx_lead_json_add(&s->gen, s->root, "__score_change",
                           NGX_LEAD_JSON_OBJECT);

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        node = ngx_lead_json_find(event, names[i].data, names[i].len);

        if (node) {
            (void) ngx_lead_json_add_node(&s->gen, to, &names[i], node);

        } else {
            (void) ngx_lead_json_add(&s->gen, to, (char *) names[i].data,
                                     NGX_LEAD_JSON_NULL);
        }
    }
}


static void
ngx_lead_kol_notice_referral(ngx_lead_kol_show_t *s, ngx_lead_json_t *event)
{
    ngx_lead_json_t  *to;

    to = ngx_lead_json_add(&s->gen, s->root, "__referral",
                           NGX_LEAD_JSON_OBJECT);

    ngx_lead_kol_show_text(s, to, "email", ngx_lead_doc_str(event, "email"));
    ngx_lead_kol_show_text(s, to, "social_id",
                           ngx_lead_doc_str(event, "social_id"));
    ngx_lead_kol_show_text(s, to, "phone_number",
                           ngx_lead_doc_str(event, "phone_number"));
}
