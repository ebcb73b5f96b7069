
/*
 * Copyright (C) the ngx_lead authors
 *
 * The check: walks every tree in one read transaction and compares each row
 * with what it points to and with what must point to it.  It reports and
 * never repairs; a finding names ids and numbers, never what a lead says.
 * Nothing is allocated.  Here are leads and what they are found by.
 */


#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lmdb_check.h"


static lead_rc_t lead_lmdb_check_trees(lead_lmdb_check_t *c);
static lead_rc_t lead_lmdb_check_tree(lead_lmdb_check_t *c, unsigned tree,
    lead_lmdb_check_row_pt check);
static lead_rc_t lead_lmdb_check_meta(lead_lmdb_check_t *c, lead_bytes_t key,
    lead_bytes_t row);
static lead_rc_t lead_lmdb_check_lead(lead_lmdb_check_t *c, lead_bytes_t key,
    lead_bytes_t row);
static lead_rc_t lead_lmdb_check_lead_number(lead_lmdb_check_t *c,
    lead_bytes_t key, const lead_record_t *r, const char *id);
static lead_rc_t lead_lmdb_check_lead_lookups(lead_lmdb_check_t *c,
    const lead_record_t *r, const char *id);
static lead_rc_t lead_lmdb_check_lead_created(lead_lmdb_check_t *c,
    lead_bytes_t lead, const lead_record_t *r, const char *id);
static lead_rc_t lead_lmdb_check_count(lead_lmdb_check_t *c);
static lead_rc_t lead_lmdb_check_number(lead_lmdb_check_t *c,
    lead_bytes_t key, lead_bytes_t row);
static lead_rc_t lead_lmdb_check_lookup(lead_lmdb_check_t *c,
    lead_bytes_t key, lead_bytes_t row);


static const struct {
    unsigned                 tree;
    lead_lmdb_check_row_pt   check;
} lead_lmdb_checks[] = {
    { LEAD_LMDB_META, lead_lmdb_check_meta },
    { LEAD_LMDB_LEADS, lead_lmdb_check_lead },
    { LEAD_LMDB_NUMBERS, lead_lmdb_check_number },
    { LEAD_LMDB_LOOKUP, lead_lmdb_check_lookup },
    { LEAD_LMDB_EVENTS, lead_lmdb_check_event },
    { LEAD_LMDB_OUTBOX, lead_lmdb_check_outbox },
    { LEAD_LMDB_DELIVERIES, lead_lmdb_check_attempt },
    { LEAD_LMDB_IDEM, lead_lmdb_check_idem },
    { LEAD_LMDB_IDEM + 1, lead_lmdb_check_idem },
    { LEAD_LMDB_IDEM + 2, lead_lmdb_check_idem },
    { LEAD_LMDB_COUNTERS, lead_lmdb_check_counter },
    { LEAD_LMDB_KEYS, lead_lmdb_check_key },
    { LEAD_LMDB_KEY_IDS, lead_lmdb_check_key_id },
    { LEAD_LMDB_ACCOUNTS, lead_lmdb_check_account },
    { LEAD_LMDB_ACCOUNT_NAMES, lead_lmdb_check_account_name },
    { LEAD_LMDB_ENDPOINTS, lead_lmdb_check_endpoint },
    { LEAD_LMDB_ENDPOINT_NAMES, lead_lmdb_check_endpoint_name }
};


lead_rc_t
lead_lmdb_check(lead_store_t *store, lead_check_pt report, void *ctx,
    uint64_t *findings, lead_error_t *e)
{
    lead_rc_t          rc;
    lead_lmdb_check_t  c;

    memset(&c, 0, sizeof(lead_lmdb_check_t));

    c.report = report;
    c.ctx = ctx;

    rc = lead_lmdb_read_begin(store, 1, &c.t, e);

    if (rc == LEAD_OK) {
        rc = lead_lmdb_check_trees(&c);
        lead_lmdb_read_end(c.t);
    }

    *findings = c.findings;

    return rc;
}


static lead_rc_t
lead_lmdb_check_trees(lead_lmdb_check_t *c)
{
    size_t          i;
    lead_id_t       id;
    lead_rc_t       rc;
    static uint8_t  highest[8] = { 0xff, 0xff, 0xff, 0xff,
                                   0xff, 0xff, 0xff, 0xff };

    rc = lead_lmdb_state(c->t);

    if (rc == LEAD_CORRUPT) {
        rc = lead_lmdb_finding(c, "there is no valid state");
        c->t->state.number = UINT64_MAX;
        c->t->state.event = UINT64_MAX;
        memcpy(c->last, highest, sizeof(highest));

    } else {
        lead_record_id(&id, c->t->state.last, highest);
        memcpy(c->last, id.b, sizeof(c->last));
    }

    if (rc == LEAD_OK) {
        rc = lead_lmdb_check_pages(c);
    }

    if (rc == LEAD_OK) {
        rc = lead_lmdb_check_remembered(c);
    }

    for (i = 0; i < sizeof(lead_lmdb_checks) / sizeof(lead_lmdb_checks[0]);
         i++)
    {
        c->number = 0;

        if (rc == LEAD_OK) {
            rc = lead_lmdb_check_tree(c, lead_lmdb_checks[i].tree,
                                      lead_lmdb_checks[i].check);
        }

        if (rc == LEAD_OK && lead_lmdb_checks[i].tree == LEAD_LMDB_LEADS) {
            rc = lead_lmdb_check_count(c);
        }

        if (rc == LEAD_OK && lead_lmdb_checks[i].tree == LEAD_LMDB_OUTBOX) {
            rc = lead_lmdb_check_tally(c);
        }
    }

    return rc;
}


static lead_rc_t
lead_lmdb_check_tree(lead_lmdb_check_t *c, unsigned tree,
    lead_lmdb_check_row_pt check)
{
    lead_rc_t     rc;
    lead_bytes_t  key, row;

    key.data = NULL;
    key.len = 0;

    rc = lead_lmdb_move(c->t, tree, MDB_FIRST, &key, &row);

    while (rc == LEAD_OK) {
        rc = check(c, key, row);

        if (rc == LEAD_OK) {
            rc = lead_lmdb_move(c->t, tree, MDB_NEXT, &key, &row);
        }
    }

    return rc == LEAD_NOTFOUND ? LEAD_OK : rc;
}


/* what the marker says was seen when the store was opened */

static lead_rc_t
lead_lmdb_check_meta(lead_lmdb_check_t *c, lead_bytes_t key, lead_bytes_t row)
{
    lead_record_marker_t  m;

    if (lead_record_marker_decode(row, &m) != 0
        || row.len != LEAD_RECORD_MARKER_LEN)
    {
        return lead_lmdb_finding(c, "there is a row beside the marker of the"
                                 " store, or it has %zu bytes", row.len);
    }

    return LEAD_OK;
}


static lead_rc_t
lead_lmdb_check_lead(lead_lmdb_check_t *c, lead_bytes_t key, lead_bytes_t row)
{
    char           text[LEAD_ID_TEXT_LEN + 1];
    uint32_t       account;
    lead_id_t      id;
    lead_rc_t      rc;
    lead_record_t  r;

    if (key.len != LEAD_RECORD_LEAD_KEY) {
        return lead_lmdb_finding(c, "a lead has a key of %zu bytes", key.len);
    }

    account = lead_record_get32(key.data);
    memcpy(id.b, key.data + 4, sizeof(id.b));
    lead_store_id_text(&id, text);

    if (account != c->account) {
        rc = lead_lmdb_check_count(c);

        if (rc != LEAD_OK) {
            return rc;
        }

        c->account = account;
        c->leads = 0;

        rc = lead_lmdb_check_owner(c, account, "leads");

        if (rc != LEAD_OK) {
            return rc;
        }
    }

    c->leads++;

    if (lead_record_lead_decode(row, account, &id, &r) != 0) {
        return lead_lmdb_finding(c, "lead %s cannot be read", text);
    }

    if (memcmp(id.b, c->last, sizeof(c->last)) > 0) {
        (void) lead_lmdb_finding(c, "lead %s has an id to come", text);
    }

    if (r.lead.created > r.lead.activity || r.lead.activity > r.lead.updated) {
        (void) lead_lmdb_finding(c, "lead %s has times that contradict each"
                                 " other", text);
    }

    if (r.lead.doc.len != 0 && lead_lmdb_check_json(r.lead.doc) != 0) {
        (void) lead_lmdb_finding(c, "lead %s has a document that is no JSON",
                                 text);
    }

    rc = lead_lmdb_check_lead_number(c, key, &r, text);

    if (rc == LEAD_OK) {
        rc = lead_lmdb_check_lead_lookups(c, &r, text);
    }

    if (rc == LEAD_OK) {
        rc = lead_lmdb_check_lead_created(c, key, &r, text);
    }

    return rc;
}


static lead_rc_t
lead_lmdb_check_lead_number(lead_lmdb_check_t *c, lead_bytes_t key,
    const lead_record_t *r, const char *id)
{
    uint8_t       number[LEAD_RECORD_NUMBER_KEY];
    lead_rc_t     rc;
    lead_bytes_t  row;

    if (r->lead.number >= c->t->state.number) {
        (void) lead_lmdb_finding(c, "lead %s has number %llu, to be given yet",
                                 id, (unsigned long long) r->lead.number);
    }

    (void) lead_record_put64(number, r->lead.number);

    rc = lead_lmdb_row(c->t, LEAD_LMDB_NUMBERS, number, sizeof(number), &row);

    if (rc == LEAD_NOTFOUND
        || (rc == LEAD_OK
            && (row.len != key.len
                || memcmp(row.data, key.data, key.len) != 0)))
    {
        return lead_lmdb_finding(c, "lead %s is not found by its number %llu",
                                 id, (unsigned long long) r->lead.number);
    }

    return rc;
}


static lead_rc_t
lead_lmdb_check_lead_lookups(lead_lmdb_check_t *c, const lead_record_t *r,
    const char *id)
{
    size_t        i;
    uint8_t       key[LEAD_RECORD_LOOKUP_KEY];
    lead_rc_t     rc;
    lead_bytes_t  row;

    memcpy(key + LEAD_RECORD_HASH_KEY, r->lead.id.b, LEAD_RECORD_ID_LEN);

    for (i = 0; i < r->nmatches; i++) {
        lead_record_hash_key(key, r->lead.account, r->matches[i].kind,
                             r->matches[i].sha);

        rc = lead_lmdb_row(c->t, LEAD_LMDB_LOOKUP, key, sizeof(key), &row);

        if (rc == LEAD_NOTFOUND) {
            rc = lead_lmdb_finding(c, "lead %s is not found by its match key"
                                   " %zu of kind %u", id, i + 1,
                                   r->matches[i].kind);
        }

        if (rc != LEAD_OK) {
            return rc;
        }
    }

    return LEAD_OK;
}


static lead_rc_t
lead_lmdb_check_lead_created(lead_lmdb_check_t *c, lead_bytes_t lead,
    const lead_record_t *r, const char *id)
{
    lead_rc_t            rc;
    lead_bytes_t         key, row;
    lead_record_event_t  event;

    key = lead;

    rc = lead_lmdb_move(c->t, LEAD_LMDB_EVENTS, MDB_SET_RANGE, &key, &row);

    if (rc != LEAD_OK && rc != LEAD_NOTFOUND) {
        return rc;
    }

    if (rc == LEAD_NOTFOUND
        || key.len < lead.len
        || memcmp(key.data, lead.data, lead.len) != 0
        || lead_record_event_decode(key, row, &event) != 0
        || event.time != r->lead.created)
    {
        return lead_lmdb_finding(c, "lead %s lacks the event of its creation",
                                 id);
    }

    return LEAD_OK;
}


static lead_rc_t
lead_lmdb_check_count(lead_lmdb_check_t *c)
{
    uint64_t   leads;
    lead_rc_t  rc;

    if (c->account == 0) {
        return LEAD_OK;
    }

    rc = lead_lmdb_count_read(c->t, c->account, &leads);

    if (rc != LEAD_CORRUPT && (rc != LEAD_OK || leads == c->leads)) {
        return rc;
    }

    return lead_lmdb_finding(c, "account %lu has %llu leads, its counter is"
                             " another", (unsigned long) c->account,
                             (unsigned long long) c->leads);
}


static lead_rc_t
lead_lmdb_check_number(lead_lmdb_check_t *c, lead_bytes_t key,
    lead_bytes_t row)
{
    uint64_t       number;
    lead_id_t      id;
    lead_rc_t      rc;
    lead_bytes_t   lead;
    lead_record_t  r;

    if (key.len != LEAD_RECORD_NUMBER_KEY || row.len != LEAD_RECORD_NUMBER_LEN)
    {
        return lead_lmdb_finding(c, "a number cannot be read");
    }

    number = lead_record_get64(key.data);
    memcpy(id.b, row.data + 4, sizeof(id.b));

    rc = lead_lmdb_row(c->t, LEAD_LMDB_LEADS, row.data, row.len, &lead);

    if (rc == LEAD_NOTFOUND
        || (rc == LEAD_OK
            && lead_record_lead_decode(lead, lead_record_get32(row.data), &id,
                                       &r) == 0
            && r.lead.number != number))
    {
        return lead_lmdb_finding(c, "number %llu is no lead's",
                                 (unsigned long long) number);
    }

    return rc;
}


static lead_rc_t
lead_lmdb_check_lookup(lead_lmdb_check_t *c, lead_bytes_t key,
    lead_bytes_t row)
{
    char           text[LEAD_ID_TEXT_LEN + 1];
    size_t         i;
    uint8_t        hash[LEAD_RECORD_HASH_KEY];
    uint32_t       account;
    lead_id_t      id;
    lead_rc_t      rc;
    lead_record_t  r;

    if (key.len != LEAD_RECORD_LOOKUP_KEY || row.len != 0) {
        return lead_lmdb_finding(c, "a look-up row cannot be read");
    }

    account = lead_record_get32(key.data + 1);
    memcpy(id.b, key.data + LEAD_RECORD_HASH_KEY, sizeof(id.b));
    lead_store_id_text(&id, text);

    rc = lead_lmdb_lead(c->t, account, &id, &r);

    if (rc == LEAD_CORRUPT) {
        return LEAD_OK;         /* found already */
    }

    if (rc == LEAD_NOTFOUND) {
        return lead_lmdb_finding(c, "a look-up row points to a lead that is"
                                 " not there: %s", text);
    }

    for (i = 0; rc == LEAD_OK && i < r.nmatches; i++) {
        lead_record_hash_key(hash, account, r.matches[i].kind,
                             r.matches[i].sha);

        if (memcmp(hash, key.data, sizeof(hash)) == 0) {
            return LEAD_OK;
        }
    }

    return rc != LEAD_OK ? rc
           : lead_lmdb_finding(c, "a look-up row points to a lead without"
                               " its match key: %s", text);
}


lead_rc_t
lead_lmdb_finding(lead_lmdb_check_t *c, const char *fmt, ...)
{
    char     text[256];
    va_list  args;

    va_start(args, fmt);
    (void) vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    c->findings++;

    if (c->report != NULL) {
        c->report(c->ctx, text);
    }

    return LEAD_OK;
}
