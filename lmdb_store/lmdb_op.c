
/*
 * Copyright (C) the ngx_lead authors
 *
 * One operation: finds what it is about, lets the domain decide, and writes
 * lead, number, look-up rows, events, outbox rows and counters.
 *
 * Whatever may be wrong with one operation, its result's memory included, is
 * found before its first write, for nothing written could be taken back
 * alone.  Results are made in the operation's arena; of a target's memory,
 * which is LMDB's, what is needed after the first write is copied before.
 */


#include <string.h>

#include "lmdb_store.h"


typedef struct {
    lead_lmdb_txn_t       *t;
    lead_op_t             *op;
    int64_t                now;

    const uint8_t         *sha;             /* of the request, or NULL */
    uint64_t               event;           /* the first one written */

    lead_record_t          target;
    lead_record_t          second;
    unsigned               has_target:1;
    unsigned               has_second:1;

    lead_decision_t        d;
    lead_record_t          record;          /* as written */
    lead_t                 beside;          /* the second lead, copied */
    lead_lmdb_counters_t   counters;

    size_t                 nkeys;
    size_t                 nbefore;
    size_t                 nafter;
    lead_record_match_t    keys[LEAD_MATCHES_MAX];      /* the target's find */
    lead_record_match_t    before[LEAD_MATCHES_MAX];
    lead_record_match_t    after[LEAD_MATCHES_MAX];
} lead_lmdb_op_t;


static lead_rc_t lead_lmdb_op_find(lead_lmdb_op_t *o);
static lead_rc_t lead_lmdb_op_decide(lead_lmdb_op_t *o);
static lead_rc_t lead_lmdb_op_check(lead_lmdb_op_t *o);
static lead_rc_t lead_lmdb_op_endpoints(lead_lmdb_op_t *o,
    const lead_event_t *events, size_t n);
static lead_rc_t lead_lmdb_op_matches(lead_lmdb_op_t *o);
static const lead_record_match_t *lead_lmdb_op_known(lead_lmdb_op_t *o,
    const lead_match_t *match);
static void lead_lmdb_op_record(lead_lmdb_op_t *o);
static void lead_lmdb_op_result(lead_lmdb_op_t *o);
static lead_rc_t lead_lmdb_op_write(lead_lmdb_op_t *o);
static lead_rc_t lead_lmdb_op_lead(lead_lmdb_op_t *o);
static lead_rc_t lead_lmdb_op_events(lead_lmdb_op_t *o);
static lead_rc_t lead_lmdb_op_event(lead_lmdb_op_t *o, const lead_t *lead,
    const lead_event_t *event, const uint8_t *sha);
static lead_rc_t lead_lmdb_op_outbox(lead_lmdb_op_t *o, const lead_t *lead,
    const lead_event_t *event, uint64_t id);
static lead_rc_t lead_lmdb_op_beside(lead_lmdb_op_t *o);


lead_rc_t
lead_lmdb_op_run(lead_lmdb_txn_t *t, lead_op_t *op, const uint8_t *sha,
    uint64_t *event)
{
    lead_rc_t       rc;
    lead_lmdb_op_t  o;

    o.t = t;
    o.op = op;
    o.now = t->store->opts.clock();
    o.sha = sha;
    o.event = 0;
    o.nkeys = 0;
    o.nbefore = 0;
    o.nafter = 0;

    rc = lead_lmdb_op_find(&o);

    if (rc == LEAD_OK) {
        rc = lead_lmdb_op_decide(&o);
    }

    if (rc == LEAD_OK && op->rc == LEAD_OK && op->outcome != LEAD_WAS_REFUSED) {
        lead_lmdb_op_result(&o);
    }

    if (rc == LEAD_OK && op->nleads != 0) {
        rc = lead_lmdb_op_write(&o);
    }

    *event = o.event;

    return rc;
}


int
lead_lmdb_op_copy(lead_op_t *op, const lead_t *from, lead_t *to)
{
    uint8_t  *doc;

    doc = op->alloc(op->arena, from->doc.len != 0 ? from->doc.len : 1);

    if (doc == NULL) {
        op->rc = LEAD_NOMEM;
        return -1;
    }

    if (from->doc.len != 0) {
        memcpy(doc, from->doc.data, from->doc.len);
    }

    *to = *from;
    to->doc.data = doc;

    return 0;
}


static lead_rc_t
lead_lmdb_op_find(lead_lmdb_op_t *o)
{
    lead_rc_t             rc;
    lead_op_t            *op;
    lead_record_match_t   keys[LEAD_MATCHES_MAX];

    op = o->op;

    rc = lead_lmdb_find(o->t, op->account, &op->target, o->keys, &o->target);

    if (rc != LEAD_OK && rc != LEAD_NOTFOUND) {
        return rc;
    }

    o->has_target = rc == LEAD_OK;

    if (op->target.by == LEAD_BY_MATCH) {
        o->nkeys = op->target.nmatches;
    }

    rc = lead_lmdb_find(o->t, op->account, &op->second, keys, &o->second);

    if (rc != LEAD_OK && rc != LEAD_NOTFOUND) {
        return rc;
    }

    o->has_second = rc == LEAD_OK;

    return lead_lmdb_counters_read(o->t, op, &o->counters);
}


static lead_rc_t
lead_lmdb_op_decide(lead_lmdb_op_t *o)
{
    lead_op_t     *op;
    const lead_t  *target;

    op = o->op;
    target = o->has_target ? &o->target.lead : NULL;

    memset(&o->d, 0, sizeof(lead_decision_t));

    op->decide(op, target, o->has_second ? &o->second.lead : NULL, o->now,
               o->counters.values, &o->d);

    if (o->d.verdict == LEAD_REFUSE) {
        op->outcome = LEAD_WAS_REFUSED;
        return LEAD_OK;
    }

    op->rc = lead_store_decision_check(&o->d, target,
                                       o->has_second ? &o->second.lead
                                                     : NULL);

    if (op->rc != LEAD_OK || o->d.verdict == LEAD_KEEP) {
        return LEAD_OK;
    }

    return lead_lmdb_op_check(o);
}


static lead_rc_t
lead_lmdb_op_check(lead_lmdb_op_t *o)
{
    lead_rc_t  rc;

    rc = lead_lmdb_op_endpoints(o, o->d.events, o->d.nevents);

    if (rc == LEAD_OK) {
        rc = lead_lmdb_op_endpoints(o, o->d.second_events,
                                    o->d.nsecond_events);
    }

    if (rc != LEAD_OK || o->op->rc != LEAD_OK) {
        return rc;
    }

    if (o->d.nsecond_events != 0
        && lead_lmdb_op_copy(o->op, &o->second.lead, &o->beside) != 0)
    {
        return LEAD_OK;
    }

    rc = lead_lmdb_op_matches(o);

    if (rc == LEAD_OK) {
        lead_lmdb_op_record(o);
    }

    return rc;
}


static lead_rc_t
lead_lmdb_op_endpoints(lead_lmdb_op_t *o, const lead_event_t *events,
    size_t nevents)
{
    size_t     i, n;
    lead_rc_t  rc;

    for (i = 0; i < nevents; i++) {

        for (n = 0; n < events[i].nendpoints; n++) {
            rc = lead_lmdb_endpoint_known(o->t, events[i].endpoints[n],
                                          o->op->account);
            if (rc == LEAD_NOTFOUND) {
                o->op->rc = LEAD_INVALID;
                return LEAD_OK;
            }

            if (rc != LEAD_OK) {
                return rc;
            }
        }
    }

    return LEAD_OK;
}


/* the match keys of the lead, each once */

static lead_rc_t
lead_lmdb_op_matches(lead_lmdb_op_t *o)
{
    size_t                      i, n;
    lead_rc_t                   rc;
    lead_record_match_t        *m;
    const lead_record_match_t  *known;

    if (o->d.keep_matches) {
        o->nafter = o->target.nmatches;
        memcpy(o->after, o->target.matches,
               o->nafter * sizeof(lead_record_match_t));
        return LEAD_OK;
    }

    for (i = 0; i < o->d.nmatches; i++) {
        m = &o->after[o->nafter];

        known = lead_lmdb_op_known(o, &o->d.matches[i]);

        if (known != NULL) {
            *m = *known;

        } else {
            rc = lead_lmdb_matches(o->t, o->op->account, &o->d.matches[i], 1,
                                   m);
            if (rc != LEAD_OK) {
                return rc;
            }
        }

        for (n = 0; n < o->nafter; n++) {
            if (memcmp(&o->after[n], m, sizeof(lead_record_match_t)) == 0) {
                break;
            }
        }

        if (n == o->nafter) {
            o->nafter++;
        }
    }

    return LEAD_OK;
}


/* what was looked for is mostly what is kept: not hashed twice */

static const lead_record_match_t *
lead_lmdb_op_known(lead_lmdb_op_t *o, const lead_match_t *match)
{
    size_t               i;
    const lead_match_t  *m;

    for (i = 0; i < o->nkeys; i++) {
        m = &o->op->target.matches[i];

        if (m->kind == match->kind
            && m->value.len == match->value.len
            && (m->value.data == match->value.data
                || memcmp(m->value.data, match->value.data, m->value.len)
                   == 0))
        {
            return &o->keys[i];
        }
    }

    return NULL;
}


static void
lead_lmdb_op_record(lead_lmdb_op_t *o)
{
    lead_t  *lead;

    lead = &o->record.lead;

    if (o->d.verdict == LEAD_UPDATE) {
        *lead = o->target.lead;

        o->nbefore = o->target.nmatches;
        memcpy(o->before, o->target.matches,
               o->nbefore * sizeof(lead_record_match_t));

    } else {
        memset(lead, 0, sizeof(lead_t));

        lead->account = o->op->account;
        lead->created = o->now;
        lead->updated = o->now;
        lead->activity = o->now;
    }

    /* no time of a lead goes back with the clock */

    if (o->now > lead->updated) {
        lead->updated = o->now;
    }

    if (o->d.touch && o->now > lead->activity) {
        lead->activity = o->now;
    }

    lead->flags = o->d.flags;
    lead->doc = o->d.doc;

    o->record.nmatches = o->nafter;
    o->record.matches = o->after;
}


/* the memory of the result; that of a lead which is written is filled in when
 * its id is known */

static void
lead_lmdb_op_result(lead_lmdb_op_t *o)
{
    lead_t     *lead;
    lead_op_t  *op;

    op = o->op;

    lead = op->alloc(op->arena, sizeof(lead_t));

    if (lead == NULL) {
        op->rc = LEAD_NOMEM;
        return;
    }

    if (o->d.verdict == LEAD_KEEP
        && lead_lmdb_op_copy(op, &o->target.lead, lead) != 0)
    {
        return;
    }

    op->leads = lead;
    op->nleads = 1;
}


static lead_rc_t
lead_lmdb_op_write(lead_lmdb_op_t *o)
{
    lead_rc_t   rc;
    lead_op_t  *op;

    op = o->op;

    if (o->d.verdict == LEAD_KEEP) {
        op->outcome = LEAD_KEPT;
        o->record.lead = *op->leads;

        return o->sha == NULL ? LEAD_OK : lead_lmdb_op_events(o);
    }

    rc = lead_lmdb_op_lead(o);

    if (rc == LEAD_OK) {
        rc = lead_lmdb_index_update(o->t, op->account, &o->record.lead.id,
                                    o->before, o->nbefore, o->after,
                                    o->nafter);
    }

    if (rc == LEAD_OK) {
        rc = lead_lmdb_op_events(o);
    }

    if (rc == LEAD_OK) {
        rc = lead_lmdb_counters_write(o->t, &o->counters);
    }

    if (rc == LEAD_OK) {
        rc = lead_lmdb_op_beside(o);
    }

    *op->leads = o->record.lead;
    op->outcome = o->d.verdict == LEAD_INSERT ? LEAD_INSERTED : LEAD_UPDATED;

    return rc;
}


static lead_rc_t
lead_lmdb_op_lead(lead_lmdb_op_t *o)
{
    int               insert;
    lead_t           *lead;
    uint8_t           key[LEAD_RECORD_LEAD_KEY],
                      number[LEAD_RECORD_NUMBER_KEY], *p;
    lead_rc_t         rc;
    lead_lmdb_txn_t  *t;

    t = o->t;
    lead = &o->record.lead;
    insert = o->d.verdict == LEAD_INSERT;

    if (insert) {
        rc = lead_lmdb_new_id(t, o->now, &lead->id);

        if (rc != LEAD_OK) {
            return rc;
        }

        lead->number = t->state.number++;
    }

    lead_record_lead_key(key, lead->account, &lead->id);

    rc = lead_lmdb_reserve(t, LEAD_LMDB_LEADS, key, sizeof(key),
                           lead_record_lead_size(o->nafter, lead->doc.len),
                           insert, &p);
    if (rc != LEAD_OK) {
        return rc;
    }

    lead_record_lead_encode(p, &o->record);

    if (!insert) {
        return LEAD_OK;
    }

    (void) lead_record_put64(number, lead->number);

    rc = lead_lmdb_reserve(t, LEAD_LMDB_NUMBERS, number, sizeof(number),
                           LEAD_RECORD_NUMBER_LEN, 1, &p);
    if (rc != LEAD_OK) {
        return rc;
    }

    memcpy(p, key, LEAD_RECORD_NUMBER_LEN);

    return lead_lmdb_count_add(t, lead->account);
}


/* a beginning and a hash are kept also where the domain has no event */

static lead_rc_t
lead_lmdb_op_events(lead_lmdb_op_t *o)
{
    size_t              i;
    lead_rc_t           rc;
    const uint8_t      *sha;
    const lead_event_t  silent = { { 0, NULL }, { 0, NULL }, NULL, 0 };

    sha = o->sha;

    if (o->d.nevents == 0) {

        if (sha == NULL && o->d.verdict != LEAD_INSERT) {
            return LEAD_OK;
        }

        return lead_lmdb_op_event(o, &o->record.lead, &silent, sha);
    }

    for (i = 0; i < o->d.nevents; i++) {
        rc = lead_lmdb_op_event(o, &o->record.lead, &o->d.events[i], sha);

        if (rc != LEAD_OK) {
            return rc;
        }

        sha = NULL;
    }

    return LEAD_OK;
}


/* events of the second lead, and counters that depend on what was found */

static lead_rc_t
lead_lmdb_op_beside(lead_lmdb_op_t *o)
{
    size_t     i;
    lead_rc_t  rc;

    for (i = 0; i < o->d.nsecond_events; i++) {
        rc = lead_lmdb_op_event(o, &o->beside, &o->d.second_events[i], NULL);

        if (rc != LEAD_OK) {
            return rc;
        }
    }

    for (i = 0; i < o->d.nraise; i++) {
        rc = lead_lmdb_counter_raise(o->t, o->op->account, o->d.raise[i]);

        if (rc != LEAD_OK) {
            return rc;
        }
    }

    return LEAD_OK;
}


static lead_rc_t
lead_lmdb_op_event(lead_lmdb_op_t *o, const lead_t *lead,
    const lead_event_t *event, const uint8_t *sha)
{
    uint8_t               key[LEAD_RECORD_EVENT_KEY], *p;
    lead_rc_t             rc;
    lead_record_t         snapshot;
    lead_record_event_t   e;

    rc = lead_lmdb_state(o->t);

    if (rc != LEAD_OK) {
        return rc;
    }

    memset(&e, 0, sizeof(lead_record_event_t));

    e.id = o->t->state.event++;
    e.time = o->now;
    e.type = event->type;
    e.actor = o->op->actor;
    e.data = event->data;
    e.sha = sha;

    o->t->state_changed = 1;

    if (o->event == 0) {
        o->event = e.id;
    }

    snapshot.lead = *lead;
    snapshot.nmatches = 0;
    snapshot.matches = NULL;

    if (event->nendpoints != 0) {
        e.snapshot.len = lead_record_lead_size(0, snapshot.lead.doc.len);
    }

    lead_record_event_key(key, snapshot.lead.account, &snapshot.lead.id, e.id);

    rc = lead_lmdb_reserve(o->t, LEAD_LMDB_EVENTS, key, sizeof(key),
                           lead_record_event_size(&e),
                           lead == &o->record.lead
                           && o->d.verdict == LEAD_INSERT, &p);
    if (rc != LEAD_OK) {
        return rc;
    }

    p = lead_record_event_encode(p, &e);

    if (e.snapshot.len != 0) {
        lead_record_lead_encode(p, &snapshot);
    }

    return lead_lmdb_op_outbox(o, lead, event, e.id);
}


/* an endpoint that is named twice has one row, as it is counted */

static lead_rc_t
lead_lmdb_op_outbox(lead_lmdb_op_t *o, const lead_t *lead,
    const lead_event_t *event, uint64_t id)
{
    size_t             i, n;
    lead_rc_t          rc;
    lead_outbox_row_t  row;

    row.due = o->now;
    row.event = id;
    row.account = lead->account;
    row.lead = lead->id;
    row.attempts = 0;

    for (i = 0; i < event->nendpoints; i++) {
        row.endpoint = event->endpoints[i];

        for (n = 0; event->endpoints[n] != row.endpoint; n++) { /* void */ }

        rc = n == i ? lead_lmdb_outbox_add(o->t, &row) : LEAD_OK;

        if (rc != LEAD_OK) {
            return rc;
        }
    }

    return LEAD_OK;
}
