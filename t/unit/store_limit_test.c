
/*
 * Copyright (C) the ngx_lead authors
 *
 * What is wrong with one operation fails it alone: limits, broken rules,
 * memory that runs out.
 */


#include "store_util.h"


/* for each limit an operation at it and one beyond */

typedef void (*limit_pt)(op_t *op, int beyond);

static uint8_t  limit_bytes[LEAD_DOC_MAX + 1];


static void
limit_doc(op_t *op, int beyond)
{
    op->d.doc.data = limit_bytes;
    op->d.doc.len = LEAD_DOC_MAX + beyond;
}


static void
limit_matches(op_t *op, int beyond)
{
    int                 i;
    static const char  *value[] = {
        "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12",
        "13", "14", "15", "16"
    };

    for (i = 0; i < LEAD_MATCHES_MAX + beyond; i++) {
        op_match(op, 1, value[i]);
    }
}


static void
limit_find(op_t *op, int beyond)
{
    int  i;

    for (i = 0; i < LEAD_MATCHES_MAX + beyond; i++) {
        op_by_match(op, 1, "nobody");
    }
}


static void
limit_events(op_t *op, int beyond)
{
    int  i;

    op->d.nevents = LEAD_EVENTS_MAX + beyond;

    for (i = 0; i < LEAD_EVENTS_MAX + beyond; i++) {
        op->events[i].type = BYTES("e");
    }
}


static void
limit_counters(op_t *op, int beyond)
{
    op->op.ncounters = LEAD_COUNTERS_MAX + beyond;
}


static void
limit_type(op_t *op, int beyond)
{
    op->events[0].type.data = limit_bytes;
    op->events[0].type.len = LEAD_EVENT_TYPE_MAX + beyond;
}


static void
limit_data(op_t *op, int beyond)
{
    op->events[0].data.data = limit_bytes;
    op->events[0].data.len = LEAD_EVENT_DATA_MAX + beyond;
}


static void
limit_actor(op_t *op, int beyond)
{
    op->op.actor.data = limit_bytes;
    op->op.actor.len = LEAD_ACTOR_MAX + beyond;
}


static void
test_limits(void **state)
{
    op_t      *ops[3];
    size_t     i;
    store_t   *s;
    limit_pt   limits[] = {
        limit_doc, limit_matches, limit_find, limit_events, limit_counters,
        limit_type, limit_data, limit_actor
    };

    s = *state;

    memset(limit_bytes, '1', sizeof(limit_bytes));

    for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        ops[0] = op_new(s->acme, "{}");
        ops[1] = op_new(s->acme, "{}");
        ops[2] = op_new(s->acme, "{}");

        limits[i](ops[0], 0);
        limits[i](ops[1], 1);

        assert_int_equal(op_commit_many(s, ops, 3), LEAD_OK);
        assert_int_equal(ops[0]->op.outcome, LEAD_INSERTED);
        assert_int_equal(ops[1]->op.rc, LEAD_TOOBIG);
        assert_int_equal(ops[2]->op.outcome, LEAD_INSERTED);

        op_free(ops[0]);
        op_free(ops[1]);
        op_free(ops[2]);
    }

    assert_int_equal(store_leads(s), 2 * i);
    assert_int_equal(store_findings(s), 0);

    assert_int_equal(op_commit_many(s, ops, 0), LEAD_INVALID);
    assert_int_equal(lead_store_commit(s->store, NULL, LEAD_OPS_MAX + 1,
                                       &s->e), LEAD_INVALID);
}


static void
test_invalid(void **state)
{
    int              i;
    op_t            *op[15];
    store_t         *s;
    uint32_t         endpoint;
    static uint32_t  none[] = { 77 };

    s = *state;

    assert_int_equal(lead_store_endpoint(s->store, s->other, BYTES("crm"),
                                         &endpoint, &s->e), LEAD_OK);

    (void) store_insert(s, s->acme, "{}", 1, "a", NULL);

    for (i = 0; i < 15; i++) {
        op[i] = op_new(s->acme, "{}");
    }

    op[0]->op.decide = NULL;
    op[1]->op.alloc = NULL;
    op_match(op[2], 0, "a");
    op_by_match(op[3], 0, "a");
    op[4]->op.target.by = (lead_by_t) 9;
    op[5]->events[0].type.len = 0;
    op[6]->events[0].endpoints = none;
    op[6]->events[0].nendpoints = 1;
    op[7]->events[0].endpoints = &endpoint;     /* of another account */
    op[7]->events[0].nendpoints = 1;
    op[8]->d.verdict = (lead_verdict_t) 9;
    op[9]->d.doc.data = NULL;
    op[10]->op.actor.data = NULL;
    op[11]->op.account = 0;
    op[12]->op.ncounters = 1;
    op[12]->counters[0].len = 1;
    op[13]->op.second.by = (lead_by_t) 9;

    /* nothing is written with a lead that is kept, so no event either */

    op_by_match(op[14], 1, "a");
    op_verdict(op[14], LEAD_KEEP);
    op[14]->found.nevents = 1;

    assert_int_equal(op_commit_many(s, op, 15), LEAD_OK);

    for (i = 0; i < 15; i++) {
        assert_int_equal(op[i]->op.rc, LEAD_INVALID);
        assert_int_equal(op[i]->op.outcome, LEAD_NONE);
        op_free(op[i]);
    }

    assert_int_equal(store_leads(s), 1);
    assert_int_equal(store_findings(s), 0);
}


/* what points into a target would be read while its page is written */

static void
decide_with_target(lead_op_t *lop, const lead_t *target,
    const lead_t *second, int64_t now, uint64_t *counters,
    lead_decision_t *d)
{
    op_t  *op;

    op = lop->data;

    *d = op->found;
    d->doc = target->doc;
    d->doc.len--;
    d->doc.data++;
}


static void
test_target_memory(void **state)
{
    op_t       *op;
    store_t    *s;
    lead_id_t   id;

    s = *state;

    id = store_insert(s, s->acme, "{\"v\":1}", 0, NULL, NULL);

    op = op_new(s->acme, "{}");
    op_by_id(op, &id);
    op->op.decide = decide_with_target;
    op_commit(s, op);

    assert_int_equal(op->op.rc, LEAD_INVALID);

    op_free(op);
}


static void
test_alloc(void **state)
{
    int        n;
    op_t      *ops[2];
    store_t   *s;

    s = *state;

    (void) store_insert(s, s->acme, "{\"v\":1}", 1, "a", "key");

    /* neither a kept nor a replayed lead needs more than two blocks */

    for (n = 0; n < 3; n++) {
        ops[0] = op_new(s->acme, "{}");
        op_by_match(ops[0], 1, "a");
        op_verdict(ops[0], LEAD_KEEP);
        op_idempotency(ops[0], "kept");
        ops[0]->allocs = n;

        ops[1] = op_new(s->acme, "{}");
        op_idempotency(ops[1], "key");
        ops[1]->allocs = n;

        assert_int_equal(op_commit_many(s, ops, 2), LEAD_OK);
        assert_int_equal(ops[0]->op.rc, n < 2 ? LEAD_NOMEM : LEAD_OK);
        assert_int_equal(ops[0]->op.outcome, n < 2 ? LEAD_NONE : LEAD_KEPT);
        assert_int_equal(ops[1]->op.rc, n < 2 ? LEAD_NOMEM : LEAD_OK);
        assert_int_equal(ops[1]->op.outcome,
                         n < 2 ? LEAD_NONE : LEAD_REPLAYED);
        assert_int_equal(ops[1]->op.nleads, n < 2 ? 0 : 1);

        op_free(ops[0]);
        op_free(ops[1]);
    }

    assert_int_equal(store_leads(s), 1);
    assert_int_equal(store_findings(s), 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_limits, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_invalid, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_target_memory, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_alloc, store_setup,
                                        store_teardown)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
