
/*
 * Copyright (C) the ngx_lead authors
 *
 * What a decision does beside its lead: events of the second lead, counters
 * that depend on what was found, match keys that stay.
 */


#include "store_util.h"


static uint64_t
counter(store_t *s, uint32_t account, const char *name)
{
    uint64_t  value;

    assert_int_equal(lead_store_counter(s->store, account, BYTES(name),
                                        &value, &s->e),
                     LEAD_OK);

    return value;
}


typedef struct {
    int   n;
    char  types[8][32];
    char  snapshot[64];
} history_t;


static int
history_sink(void *ctx, const lead_event_row_t *event)
{
    history_t  *h = ctx;

    assert_true(event->type.len < sizeof(h->types[0]));

    memcpy(h->types[h->n], event->type.data, event->type.len);
    h->types[h->n][event->type.len] = '\0';

    if (event->lead != NULL && h->snapshot[0] == '\0') {
        memcpy(h->snapshot, event->lead->doc.data, event->lead->doc.len);
    }

    return ++h->n == 8;
}


static history_t
history(store_t *s, const lead_id_t *id)
{
    history_t  h;

    memset(&h, 0, sizeof(h));

    assert_int_equal(lead_store_events(s->store, s->acme, id, history_sink,
                                       &h, &s->e),
                     LEAD_OK);
    return h;
}


static void
by_match(lead_find_t *find, lead_match_t *match, const char *value)
{
    match->kind = 4;
    match->value = BYTES(value);

    memset(find, 0, sizeof(*find));

    find->by = LEAD_BY_MATCH;
    find->matches = match;
    find->nmatches = 1;
}


static void
test_second(void **state)
{
    op_t          *op;
    store_t       *s;
    uint32_t       endpoint;
    lead_id_t      parent;
    history_t      h;
    lead_event_t   event;
    lead_bytes_t   raise[2];
    lead_match_t   match;
    store_lead_t   got;

    s = *state;

    assert_int_equal(lead_store_endpoint(s->store, s->acme, BYTES("crm"),
                                         &endpoint, &s->e),
                     LEAD_OK);

    parent = store_insert(s, s->acme, "{\"parent\":1}", 4, "ABC123", NULL);

    memset(&event, 0, sizeof(event));
    event.type = BYTES("lead.referral");
    event.data = BYTES("{}");
    event.endpoints = &endpoint;
    event.nendpoints = 1;

    raise[0] = BYTES("referrals");
    raise[1] = BYTES("referrals");

    op = op_new(s->acme, "{\"child\":1}");
    by_match(&op->op.second, &match, "ABC123");
    op->d.second_events = &event;
    op->d.nsecond_events = 1;
    op->d.raise = raise;
    op->d.nraise = 2;
    op_commit(s, op);

    assert_int_equal(op->op.rc, LEAD_OK);
    assert_int_equal(op->op.outcome, LEAD_INSERTED);
    assert_true(op->has_second);

    h = history(s, &parent);
    assert_int_equal(h.n, 2);
    assert_string_equal(h.types[0], "lead.referral");
    assert_string_equal(h.snapshot, "{\"parent\":1}");

    assert_true(store_get_id(s, s->acme, &parent, &got));
    assert_doc(got.lead, "{\"parent\":1}");

    assert_int_equal(history(s, &op->op.leads->id).n, 1);

    assert_int_equal(counter(s, s->acme, "referrals"), 2);
    assert_int_equal(counter(s, s->other, "referrals"), 0);
    assert_int_equal(counter(s, s->acme, "none"), 0);

    assert_int_equal(store_findings(s), 0);
    op_free(op);

    /* a repeat raises nothing, and a refusal neither */

    op = op_new(s->acme, "{}");
    op->d.verdict = LEAD_REFUSE;
    op->d.raise = raise;
    op->d.nraise = 2;
    op_commit(s, op);

    assert_int_equal(op->op.outcome, LEAD_WAS_REFUSED);
    assert_int_equal(counter(s, s->acme, "referrals"), 2);
    op_free(op);
}


static void
test_second_wrong(void **state)
{
    op_t          *op;
    int            i;
    store_t       *s;
    lead_event_t   event;
    lead_bytes_t   raise[LEAD_COUNTERS_MAX + 1];

    s = *state;

    memset(&event, 0, sizeof(event));
    event.type = BYTES("lead.referral");

    for (i = 0; i <= LEAD_COUNTERS_MAX; i++) {
        raise[i] = BYTES("n");
    }

    for (i = 0; i < 5; i++) {
        op = op_new(s->acme, "{}");

        switch (i) {

        case 0:                         /* no second lead was found */
            op->d.second_events = &event;
            op->d.nsecond_events = 1;
            break;

        case 1:
            op->d.raise = raise;
            op->d.nraise = LEAD_COUNTERS_MAX + 1;
            break;

        case 2:
            op->d.nraise = 1;
            break;

        case 3:                         /* there are none to keep */
            op->d.keep_matches = 1;
            break;

        default:
            op->d.nsecond_events = LEAD_EVENTS_MAX + 1;
            op->d.second_events = &event;
        }

        op_commit(s, op);

        assert_int_equal(op->op.rc, i == 1 || i == 4 ? LEAD_TOOBIG
                                                     : LEAD_INVALID);
        assert_int_equal(op->op.nleads, 0);
        op_free(op);
    }

    assert_int_equal(store_leads(s), 0);
    assert_int_equal(counter(s, s->acme, "n"), 0);
}


static void
test_keep_matches(void **state)
{
    op_t          *op;
    store_t       *s;
    lead_id_t      id;
    store_lead_t   got;

    s = *state;

    id = store_insert(s, s->acme, "{}", 4, "ABC123", NULL);

    op = op_new(s->acme, "{\"new\":1}");
    op_by_id(op, &id);
    op->found.keep_matches = 1;
    op_commit(s, op);

    assert_int_equal(op->op.rc, LEAD_OK);
    assert_int_equal(op->op.outcome, LEAD_UPDATED);
    assert_true(store_get_match(s, s->acme, 4, "ABC123", &got));
    assert_id_equal(got.lead.id, id);
    op_free(op);

    op = op_new(s->acme, "{\"new\":2}");
    op_by_id(op, &id);
    op_commit(s, op);

    assert_false(store_get_match(s, s->acme, 4, "ABC123", &got));
    op_free(op);

    assert_int_equal(store_findings(s), 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_second, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_second_wrong, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_keep_matches, store_setup,
                                        store_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
