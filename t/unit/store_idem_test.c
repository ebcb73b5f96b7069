
/*
 * Copyright (C) the ngx_lead authors
 *
 * Idempotency: what is replayed and to whom, that a record lives at least its
 * ttl and is forgotten after it.
 */


#include "store_util.h"


static op_t *
again(store_t *s, uint32_t account, const char *key)
{
    op_t  *op;

    op = op_new(account, "{\"again\":1}");
    op_idempotency(op, key);
    op_commit(s, op);

    assert_int_equal(op->op.rc, LEAD_OK);

    return op;
}


static int
replayed(store_t *s, uint32_t account, const char *key, const lead_id_t *id)
{
    int    yes;
    op_t  *op;

    op = again(s, account, key);
    yes = op->op.outcome == LEAD_REPLAYED;

    assert_int_equal(op->asked, !yes);
    assert_int_equal(op->op.nleads, 1);

    if (yes) {
        assert_id_equal(op->op.leads->id, *id);
    }

    op_free(op);

    return yes;
}


static void
test_replay(void **state)
{
    op_t       *op, *ops[2];
    store_t    *s;
    lead_id_t   id;

    s = *state;

    id = store_insert(s, s->acme, "{\"v\":1}", 1, "a", "key");

    assert_true(replayed(s, s->acme, "key", &id));
    assert_false(replayed(s, s->acme, "kez", &id));
    assert_false(replayed(s, s->other, "key", &id));

    store_reopen(s);

    assert_true(replayed(s, s->acme, "key", &id));

    /* the lead comes back as it is now */

    op = op_new(s->acme, "{\"v\":2}");
    op_by_id(op, &id);
    op_commit(s, op);
    op_free(op);

    op = again(s, s->acme, "key");
    assert_int_equal(op->op.outcome, LEAD_REPLAYED);
    assert_doc(*op->op.leads, "{\"v\":2}");
    assert_int_equal(op->op.leads->number, 1);
    op_free(op);

    /* twice in one batch */

    ops[0] = op_new(s->acme, "{}");
    ops[1] = op_new(s->acme, "{}");
    op_idempotency(ops[0], "twice");
    op_idempotency(ops[1], "twice");

    assert_int_equal(op_commit_many(s, ops, 2), LEAD_OK);
    assert_int_equal(ops[0]->op.outcome, LEAD_INSERTED);
    assert_int_equal(ops[1]->op.outcome, LEAD_REPLAYED);
    assert_int_equal(ops[1]->asked, 0);
    assert_id_equal(ops[0]->op.leads->id, ops[1]->op.leads->id);

    op_free(ops[0]);
    op_free(ops[1]);

    assert_int_equal(store_findings(s), 0);
}


/* an update and a kept lead are remembered, with and without an event; a
 * refusal is not */

static void
test_verdicts(void **state)
{
    int        i;
    op_t      *op;
    store_t   *s;
    lead_id_t  id;

    s = *state;

    id = store_insert(s, s->acme, "{}", 1, "a", NULL);

    for (i = 0; i < 5; i++) {
        static const char  *key[] = { "0", "1", "2", "3", "4" };

        op = op_new(s->acme, "{}");
        op_idempotency(op, key[i]);
        op_by_match(op, 1, "a");
        op_match(op, 1, "a");

        if (i == 1) {
            op->found.nevents = 0;

        } else if (i == 2) {
            op_verdict(op, LEAD_KEEP);

        } else if (i == 3) {
            op_verdict(op, LEAD_REFUSE);

        } else if (i == 4) {
            op->found.doc.len = LEAD_DOC_MAX + 1;
        }

        op_commit(s, op);
        op_free(op);

        assert_int_equal(replayed(s, s->acme, key[i], &id), i < 3);
    }

    assert_int_equal(store_findings(s), 0);
}


/* an insert without an event is remembered as well; no event of the store's
 * own is shown */

static int
count_event(void *ctx, const lead_event_row_t *event)
{
    assert_true(event->type.len != 0);
    (*(int *) ctx)++;

    return 0;
}


static void
test_silent(void **state)
{
    int         n;
    op_t       *op;
    store_t    *s;
    lead_id_t   id;

    s = *state;

    op = op_new(s->acme, "{}");
    op->d.nevents = 0;
    op_idempotency(op, "key");
    op_commit(s, op);
    id = op->op.leads->id;
    op_free(op);

    assert_true(replayed(s, s->acme, "key", &id));

    n = 0;
    assert_int_equal(lead_store_events(s->store, s->acme, &id, count_event,
                                       &n, &s->e), LEAD_OK);
    assert_int_equal(n, 0);

    op = op_new(s->acme, "{}");
    op->d.nevents = 0;
    op_commit(s, op);
    op_free(op);

    /* the first of several events tells whose record it is */

    op = op_new(s->acme, "{}");
    op->d.nevents = 3;
    op->events[1].type = BYTES("lead.assigned");
    op->events[2].type = BYTES("lead.seen");
    op_idempotency(op, "several");
    op_commit(s, op);
    id = op->op.leads->id;
    op_free(op);

    assert_true(replayed(s, s->acme, "several", &id));
    assert_int_equal(store_findings(s), 0);
}


static void
test_group(void **state)
{
    int         i;
    op_t       *ops[3], *op;
    store_t    *s;
    lead_id_t   id, ids[3];

    s = *state;

    id = store_insert(s, s->acme, "0", 1, "a", NULL);

    for (i = 0; i < 3; i++) {
        ops[i] = op_new(s->acme, i == 1 ? "1" : "2");
    }

    op_by_id(ops[0], &id);
    op_verdict(ops[0], LEAD_KEEP);
    op_idempotency(ops[0], "bulk");

    assert_int_equal(op_commit_group(s, ops, 3), LEAD_OK);

    for (i = 0; i < 3; i++) {
        ids[i] = ops[i]->op.leads->id;
        op_free(ops[i]);
    }

    for (i = 0; i < 3; i++) {
        ops[i] = op_new(s->acme, "3");
    }

    op_idempotency(ops[0], "bulk");

    assert_int_equal(op_commit_group(s, ops, 3), LEAD_OK);
    assert_int_equal(ops[0]->op.outcome, LEAD_REPLAYED);
    assert_int_equal(ops[0]->op.nleads, 3);
    assert_int_equal(ops[1]->op.outcome, LEAD_NONE);
    assert_int_equal(ops[2]->op.outcome, LEAD_NONE);
    assert_int_equal(ops[1]->asked, 0);

    for (i = 0; i < 3; i++) {
        assert_id_equal(ops[0]->op.leads[i].id, ids[i]);
    }

    assert_doc(ops[0]->op.leads[0], "0");
    assert_doc(ops[0]->op.leads[1], "1");
    assert_doc(ops[0]->op.leads[2], "2");

    /* no memory for the last of the documents */

    op = op_new(s->acme, "3");
    op_idempotency(op, "bulk");
    op->allocs = 3;
    op_commit(s, op);
    assert_int_equal(op->op.rc, LEAD_NOMEM);
    assert_int_equal(op->op.nleads, 0);
    assert_int_equal(op->op.outcome, LEAD_NONE);
    op_free(op);

    for (i = 0; i < 3; i++) {
        op_free(ops[i]);
    }

    /* a refused group is not remembered */

    for (i = 0; i < 2; i++) {
        ops[0] = op_new(s->acme, "{}");
        ops[1] = op_new(s->acme, "{}");
        op_idempotency(ops[0], "refused");

        if (i == 0) {
            op_verdict(ops[1], LEAD_REFUSE);
        }

        assert_int_equal(op_commit_group(s, ops, 2),
                         i == 0 ? LEAD_REFUSED : LEAD_OK);
        assert_int_equal(ops[0]->op.outcome, LEAD_INSERTED);
        op_free(ops[0]);
        op_free(ops[1]);
    }

    assert_int_equal(store_leads(s), 5);
    assert_int_equal(store_findings(s), 0);
}


/* swept each hour, a record is there at its ttl's end whenever it was made,
 * and is gone after one and a half */

static void
test_ttl(void **state)
{
    int           h;
    op_t         *op;
    store_t      *s;
    lead_id_t     id[60];
    lead_stat_t   stat;
    char          key[60][16];

    s = *state;

    for (h = 0; h < 60; h++) {
        (void) snprintf(key[h], sizeof(key[h]), "k%d", h);
        id[h] = store_insert(s, s->acme, "{}", 0, NULL, key[h]);

        store_now += STORE_HOUR;
        assert_int_equal(lead_store_sweep(s->store, &s->e), LEAD_OK);

        if (h >= 23) {
            assert_true(replayed(s, s->acme, key[h - 23], &id[h - 23]));
        }

        if (h >= 36) {
            op = op_new(s->acme, "{}");
            op_idempotency(op, key[h - 36]);
            op_verdict(op, LEAD_REFUSE);
            op_commit(s, op);
            assert_int_equal(op->op.outcome, LEAD_WAS_REFUSED);
            op_free(op);
        }
    }

    assert_int_equal(store_findings(s), 0);

    assert_int_equal(lead_store_stat(s->store, &stat, &s->e), LEAD_OK);
    assert_true(stat.idempotency >= 24);
    assert_true(stat.idempotency <= 36);
    assert_int_equal(stat.leads, 60);

    /* long asleep: nothing is forgotten but by sweeps, which take their time */

    store_now += 1000 * STORE_HOUR;
    assert_true(replayed(s, s->acme, key[59], &id[59]));

    for (h = 0; h < 40; h++) {
        store_now += STORE_HOUR;
        assert_int_equal(lead_store_sweep(s->store, &s->e), LEAD_OK);
    }

    assert_false(replayed(s, s->acme, key[59], &id[59]));
}


/* a clock that was far ahead for a while: records are still forgotten */

static void
test_clock_back(void **state)
{
    int           h;
    store_t      *s;
    lead_id_t     id;
    lead_stat_t   stat;

    s = *state;

    store_now += 100000 * STORE_HOUR;
    assert_int_equal(lead_store_sweep(s->store, &s->e), LEAD_OK);
    store_now = STORE_START;

    id = store_insert(s, s->acme, "{}", 0, NULL, "key");

    for (h = 0; h < 23; h++) {
        store_now += STORE_HOUR;
        assert_int_equal(lead_store_sweep(s->store, &s->e), LEAD_OK);
        assert_true(replayed(s, s->acme, "key", &id));
    }

    for (h = 0; h < 40; h++) {
        store_now += STORE_HOUR;
        assert_int_equal(lead_store_sweep(s->store, &s->e), LEAD_OK);
    }

    assert_int_equal(lead_store_stat(s->store, &stat, &s->e), LEAD_OK);
    assert_int_equal(stat.idempotency, 0);
    assert_int_equal(stat.leads, 1);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_replay, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_verdicts, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_silent, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_group, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_ttl, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_clock_back, store_setup,
                                        store_teardown)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
