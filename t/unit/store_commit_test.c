
/*
 * Copyright (C) the ngx_lead authors
 *
 * Commits: what becomes of each verdict, of batches and groups; ids, numbers,
 * counters and match keys.
 */


#include "store_util.h"


static void
test_insert(void **state)
{
    op_t          *op;
    store_t       *s;
    uint64_t       n;
    lead_find_t    find;
    store_lead_t   got;

    s = *state;

    op = op_new(s->acme, "{\"a\":1}");
    op->d.flags = LEAD_FLAG_ARCHIVED;
    op_match(op, 1, "ann@acme.test");
    op_commit(s, op);

    assert_int_equal(op->op.rc, LEAD_OK);
    assert_int_equal(op->op.outcome, LEAD_INSERTED);
    assert_int_equal(op->op.nleads, 1);
    assert_int_equal(op->asked, 1);
    assert_int_equal(op->now, store_now);
    assert_false(op->has_target);
    assert_int_equal(op->op.leads->account, s->acme);
    assert_int_equal(op->op.leads->number, 1);
    assert_int_equal(op->op.leads->created, store_now);
    assert_int_equal(op->op.leads->updated, store_now);
    assert_int_equal(op->op.leads->activity, store_now);
    assert_int_equal(op->op.leads->flags, LEAD_FLAG_ARCHIVED);
    assert_doc(*op->op.leads, "{\"a\":1}");

    assert_true(store_get_id(s, s->acme, &op->op.leads->id, &got));
    assert_doc(got.lead, "{\"a\":1}");
    assert_int_equal(got.lead.flags, LEAD_FLAG_ARCHIVED);
    assert_int_equal(got.lead.number, 1);
    assert_int_equal(got.lead.created, store_now);

    memset(&find, 0, sizeof(find));
    find.by = LEAD_BY_NUMBER;
    find.number = 1;
    assert_true(store_get(s, s->acme, &find, &got));
    assert_id_equal(got.lead.id, op->op.leads->id);

    assert_true(store_get_match(s, s->acme, 1, "ann@acme.test", &got));
    assert_id_equal(got.lead.id, op->op.leads->id);
    assert_false(store_get_match(s, s->acme, 2, "ann@acme.test", &got));
    assert_false(store_get_match(s, s->acme, 1, "ann@acme.tes", &got));

    assert_int_equal(lead_store_count(s->store, s->acme, &n, &s->e), LEAD_OK);
    assert_int_equal(n, 1);
    assert_int_equal(store_findings(s), 0);

    op_free(op);
}


static void
test_update(void **state)
{
    op_t          *op;
    store_t       *s;
    lead_id_t      id;
    store_lead_t   got;

    s = *state;

    id = store_insert(s, s->acme, "{\"v\":1}", 1, "a", NULL);

    store_now += 1000000;

    op = op_new(s->acme, "{\"v\":22}");
    op_by_id(op, &id);
    op_match(op, 1, "b");
    op->found.flags = 1;
    op_commit(s, op);

    assert_int_equal(op->op.outcome, LEAD_UPDATED);
    assert_true(op->has_target);
    assert_string_equal(op->target_doc, "{\"v\":1}");
    assert_id_equal(op->op.leads->id, id);
    assert_int_equal(op->op.leads->number, 1);
    assert_int_equal(op->op.leads->created, STORE_START);
    assert_int_equal(op->op.leads->updated, store_now);
    assert_int_equal(op->op.leads->activity, store_now);
    op_free(op);

    /* the match keys are those of the last write, neither more nor less */

    assert_false(store_get_match(s, s->acme, 1, "a", &got));
    assert_true(store_get_match(s, s->acme, 1, "b", &got));
    assert_doc(got.lead, "{\"v\":22}");
    assert_int_equal(got.lead.flags, 1);

    /* a write that is none to the domain */

    store_now += 1000000;

    op = op_new(s->acme, "{}");
    op_by_id(op, &id);
    op->found.touch = 0;
    op->found.nevents = 0;
    op_commit(s, op);
    op_free(op);

    assert_true(store_get_id(s, s->acme, &id, &got));
    assert_int_equal(got.lead.updated, store_now);
    assert_int_equal(got.lead.activity, store_now - 1000000);
    assert_false(store_get_match(s, s->acme, 1, "b", &got));

    /* no time of a lead goes back */

    store_now -= 3600000000;

    op = op_new(s->acme, "{}");
    op_by_id(op, &id);
    op_commit(s, op);
    op_free(op);

    assert_true(store_get_id(s, s->acme, &id, &got));
    assert_int_equal(got.lead.updated, STORE_START + 2000000);
    assert_int_equal(got.lead.activity, STORE_START + 1000000);

    assert_int_equal(store_leads(s), 1);
    assert_int_equal(store_findings(s), 0);
}


static void
test_keep_and_refuse(void **state)
{
    op_t         *keep, *refuse;
    store_t      *s;
    lead_id_t     id;
    lead_stat_t   before, after;

    s = *state;

    id = store_insert(s, s->acme, "{\"v\":1}", 1, "a", NULL);

    assert_int_equal(lead_store_stat(s->store, &before, &s->e), LEAD_OK);

    keep = op_new(s->acme, "{}");
    op_by_match(keep, 1, "a");
    op_verdict(keep, LEAD_KEEP);
    op_counter(keep, "c", 5);
    op_commit(s, keep);

    assert_int_equal(keep->op.rc, LEAD_OK);
    assert_int_equal(keep->op.outcome, LEAD_KEPT);
    assert_int_equal(keep->op.nleads, 1);
    assert_id_equal(keep->op.leads->id, id);
    assert_doc(*keep->op.leads, "{\"v\":1}");

    refuse = op_new(s->acme, "{}");
    op_verdict(refuse, LEAD_REFUSE);
    op_counter(refuse, "c", 5);
    op_idempotency(refuse, "k");
    op_commit(s, refuse);

    assert_int_equal(refuse->op.rc, LEAD_OK);
    assert_int_equal(refuse->op.outcome, LEAD_WAS_REFUSED);
    assert_int_equal(refuse->op.nleads, 0);
    assert_int_equal(refuse->before[0], 0);

    assert_int_equal(lead_store_stat(s->store, &after, &s->e), LEAD_OK);
    assert_int_equal(before.events, after.events);
    assert_int_equal(before.leads, after.leads);
    assert_int_equal(after.idempotency, 0);

    op_free(keep);
    op_free(refuse);
}


static void
test_batch(void **state)
{
    int        i;
    op_t      *ops[9];
    store_t   *s;

    s = *state;

    for (i = 0; i < 9; i++) {
        ops[i] = op_new(i % 2 ? s->acme : s->other, "{}");
    }

    /* one by one something is wrong with all but 0, 7 and 8 */

    ops[1]->d.doc.len = LEAD_DOC_MAX + 1;
    op_verdict(ops[2], LEAD_REFUSE);
    op_verdict(ops[3], LEAD_KEEP);
    op_verdict(ops[4], LEAD_UPDATE);
    ops[5]->op.account = 999;
    ops[6]->allocs = 0;

    /* and the last sees what the one before it has made */

    op_match(ops[7], 1, "a");
    ops[8]->op.account = s->acme;
    op_by_match(ops[8], 1, "a");

    assert_int_equal(op_commit_many(s, ops, 9), LEAD_OK);

    assert_int_equal(ops[0]->op.outcome, LEAD_INSERTED);
    assert_int_equal(ops[1]->op.rc, LEAD_TOOBIG);
    assert_int_equal(ops[1]->op.outcome, LEAD_NONE);
    assert_int_equal(ops[2]->op.outcome, LEAD_WAS_REFUSED);
    assert_int_equal(ops[3]->op.rc, LEAD_INVALID);
    assert_int_equal(ops[4]->op.rc, LEAD_INVALID);
    assert_int_equal(ops[5]->op.rc, LEAD_INVALID);
    assert_int_equal(ops[5]->asked, 0);
    assert_int_equal(ops[6]->op.rc, LEAD_NOMEM);
    assert_int_equal(ops[7]->op.outcome, LEAD_INSERTED);
    assert_int_equal(ops[8]->op.outcome, LEAD_UPDATED);
    assert_id_equal(ops[8]->op.leads->id, ops[7]->op.leads->id);

    for (i = 1; i < 7; i++) {
        assert_int_equal(ops[i]->op.nleads, 0);
    }

    assert_int_equal(store_leads(s), 2);
    assert_int_equal(store_findings(s), 0);

    for (i = 0; i < 9; i++) {
        op_free(ops[i]);
    }
}


static void
test_group(void **state)
{
    op_t          *ops[3];
    size_t         i, n;
    store_t       *s;
    lead_id_t      id;
    store_lead_t   got;

    s = *state;

    id = store_insert(s, s->acme, "{\"v\":1}", 1, "a", NULL);

    for (n = 0; n < 3; n++) {

        for (i = 0; i < 3; i++) {
            ops[i] = op_new(s->acme, "{}");
            op_counter(ops[i], "c", 1);
        }

        op_by_id(ops[0], &id);

        if (n == 0) {
            op_verdict(ops[1], LEAD_REFUSE);

        } else if (n == 1) {
            ops[1]->d.doc.len = LEAD_DOC_MAX + 1;

        } else {
            ops[1]->op.account = 0;
        }

        assert_int_equal(op_commit_group(s, ops, 3), LEAD_REFUSED);
        assert_int_equal(ops[0]->op.outcome, LEAD_UPDATED);
        assert_int_equal(ops[1]->op.outcome,
                         n == 0 ? LEAD_WAS_REFUSED : LEAD_NONE);
        assert_int_equal(ops[1]->op.rc, n == 0 ? LEAD_OK
                                        : n == 1 ? LEAD_TOOBIG : LEAD_INVALID);
        assert_int_equal(ops[2]->op.outcome, LEAD_NONE);
        assert_int_equal(ops[2]->asked, 0);

        for (i = 0; i < 3; i++) {
            assert_int_equal(ops[i]->op.nleads, 0);
            op_free(ops[i]);
        }

        assert_int_equal(store_leads(s), 1);
        assert_true(store_get_id(s, s->acme, &id, &got));
        assert_doc(got.lead, "{\"v\":1}");
    }

    for (i = 0; i < 3; i++) {
        ops[i] = op_new(s->acme, "{\"v\":2}");
        op_counter(ops[i], "c", 1);
    }

    op_by_id(ops[0], &id);

    assert_int_equal(op_commit_group(s, ops, 3), LEAD_OK);
    assert_int_equal(ops[0]->op.outcome, LEAD_UPDATED);
    assert_int_equal(ops[0]->before[0], 0);
    assert_int_equal(ops[2]->op.outcome, LEAD_INSERTED);
    assert_int_equal(ops[2]->before[0], 2);
    assert_int_equal(store_leads(s), 3);
    assert_int_equal(store_findings(s), 0);

    for (i = 0; i < 3; i++) {
        op_free(ops[i]);
    }
}


/* the clock stands, goes back, and the store is opened anew */

static void
test_ids(void **state)
{
    int            i;
    store_t       *s;
    uint64_t       number;
    lead_id_t      id, last;
    store_lead_t   got;

    s = *state;

    memset(last.b, 0, sizeof(last.b));
    number = 0;

    for (i = 0; i < 60; i++) {

        if (i == 20) {
            store_now -= 24 * STORE_HOUR;
        }

        if (i == 30) {
            store_reopen(s);
        }

        if (i == 40) {
            store_now = 0;
        }

        if (i == 50) {
            store_now = STORE_START + 7777;
        }

        id = store_insert(s, i % 3 ? s->acme : s->other, "{}", 0, NULL, NULL);

        assert_true(memcmp(id.b, last.b, sizeof(id.b)) > 0);
        assert_int_equal(id.b[6] & 0xf0, 0x70);
        assert_int_equal(id.b[8] & 0xc0, 0x80);

        last = id;

        assert_true(store_get_id(s, i % 3 ? s->acme : s->other, &id, &got));
        assert_int_equal(got.lead.created, store_now);
        assert_int_equal(got.lead.number, ++number);
    }

    assert_int_equal(store_findings(s), 0);
}


static void
test_counters(void **state)
{
    int       i;
    op_t     *op;
    store_t  *s;
    uint64_t  n;

    s = *state;

    for (i = 0; i < 5; i++) {
        op = op_new(s->acme, "{}");
        op_counter(op, "campaign 1", 1);
        op_counter(op, "campaign 2", i == 3 ? 10 : 0);
        op_commit(s, op);

        assert_int_equal(op->before[0], i);
        assert_int_equal(op->before[1], i > 3 ? 10 : 0);
        op_free(op);
    }

    /* the other account's are its own */

    op = op_new(s->other, "{}");
    op_counter(op, "campaign 1", 1);
    op_commit(s, op);
    assert_int_equal(op->before[0], 0);
    op_free(op);

    assert_int_equal(lead_store_count(s->store, s->acme, &n, &s->e), LEAD_OK);
    assert_int_equal(n, 5);
    assert_int_equal(lead_store_count(s->store, s->other, &n, &s->e),
                     LEAD_OK);
    assert_int_equal(n, 1);
    assert_int_equal(lead_store_count(s->store, 4711, &n, &s->e), LEAD_OK);
    assert_int_equal(n, 0);
    assert_int_equal(store_findings(s), 0);
}


/* more accounts than a transaction keeps counts of */

static void
test_many_accounts(void **state)
{
    int        i;
    op_t      *ops[200];
    char       name[32];
    store_t   *s;
    uint32_t   account[100];
    uint64_t   n;

    s = *state;

    for (i = 0; i < 100; i++) {
        (void) snprintf(name, sizeof(name), "account %d", i);
        assert_int_equal(lead_store_account(s->store, BYTES(name),
                                            &account[i], &s->e), LEAD_OK);
    }

    for (i = 0; i < 200; i++) {
        ops[i] = op_new(account[i % 100], "{}");
    }

    assert_int_equal(op_commit_many(s, ops, 200), LEAD_OK);

    for (i = 0; i < 200; i++) {
        assert_int_equal(ops[i]->op.outcome, LEAD_INSERTED);
        op_free(ops[i]);
    }

    for (i = 0; i < 100; i++) {
        assert_int_equal(lead_store_count(s->store, account[i], &n, &s->e),
                         LEAD_OK);
        assert_int_equal(n, 2);
    }

    assert_int_equal(store_findings(s), 0);
}


static void
test_matches(void **state)
{
    op_t          *op;
    store_t       *s;
    lead_id_t      a, b;
    lead_stat_t    stat;
    store_lead_t   got;

    s = *state;

    a = store_insert(s, s->acme, "1", 1, "same", NULL);
    b = store_insert(s, s->acme, "2", 1, "same", NULL);

    /* the oldest has it */

    assert_true(store_get_match(s, s->acme, 1, "same", &got));
    assert_id_equal(got.lead.id, a);

    /* rank order: the first key that has a lead */

    (void) store_insert(s, s->acme, "3", 2, "phone", NULL);

    op = op_new(s->acme, "{}");
    op_by_match(op, 1, "nobody");
    op_by_match(op, 2, "phone");
    op_by_match(op, 1, "same");
    op->op.second.by = LEAD_BY_NUMBER;
    op->op.second.number = 2;
    op_verdict(op, LEAD_REFUSE);
    op_commit(s, op);
    assert_string_equal(op->target_doc, "3");
    assert_true(op->has_second);
    assert_id_equal(op->second.id, b);
    op_free(op);

    /* it gives the key up: the next has it */

    op = op_new(s->acme, "1");
    op_by_id(op, &a);
    op_match(op, 1, "other");
    op_match(op, 1, "other");
    op_match(op, 1, "third");
    op_match(op, 2, "other");
    op_commit(s, op);
    op_free(op);

    assert_true(store_get_match(s, s->acme, 1, "same", &got));
    assert_id_equal(got.lead.id, b);
    assert_true(store_get_match(s, s->acme, 1, "other", &got));
    assert_id_equal(got.lead.id, a);
    assert_true(store_get_match(s, s->acme, 1, "third", &got));
    assert_id_equal(got.lead.id, a);

    /* one of several goes, the others stay */

    op = op_new(s->acme, "1");
    op_by_id(op, &a);
    op_match(op, 1, "third");
    op_match(op, 2, "other");
    op_commit(s, op);
    op_free(op);

    assert_false(store_get_match(s, s->acme, 1, "other", &got));
    assert_true(store_get_match(s, s->acme, 1, "third", &got));
    assert_true(store_get_match(s, s->acme, 2, "other", &got));
    assert_int_equal(store_findings(s), 0);

    op = op_new(s->acme, "1");
    op_by_id(op, &a);
    op_commit(s, op);
    op_free(op);

    assert_false(store_get_match(s, s->acme, 1, "third", &got));
    assert_int_equal(store_findings(s), 0);

    assert_int_equal(lead_store_stat(s->store, &stat, &s->e), LEAD_OK);
    assert_int_equal(stat.lookups, 2);
}


static void
test_accounts_apart(void **state)
{
    op_t          *op;
    store_t       *s;
    lead_id_t      id;
    lead_find_t    find;
    store_lead_t   got;

    s = *state;

    id = store_insert(s, s->acme, "{}", 1, "a", "key");

    memset(&find, 0, sizeof(find));
    find.by = LEAD_BY_NUMBER;
    find.number = 1;

    assert_false(store_get_id(s, s->other, &id, &got));
    assert_false(store_get(s, s->other, &find, &got));
    assert_false(store_get_match(s, s->other, 1, "a", &got));

    op = op_new(s->other, "{}");
    op_by_id(op, &id);
    op_commit(s, op);
    assert_false(op->has_target);
    op_free(op);

    op = op_new(s->other, "{}");
    op_by_number(op, 1);
    op_commit(s, op);
    assert_false(op->has_target);
    op_free(op);

    op = op_new(s->other, "{}");
    op_by_match(op, 1, "a");
    op_idempotency(op, "key");
    op_commit(s, op);
    assert_false(op->has_target);
    assert_int_equal(op->op.outcome, LEAD_INSERTED);
    op_free(op);
}


/* documents of all sizes, grown and shrunk across LMDB's overflow pages */

static void
test_sizes(void **state)
{
    int            i;
    op_t          *op;
    char          *doc;
    store_t       *s;
    lead_id_t      id;
    store_lead_t   got;
    size_t         sizes[] = { 0, 1, 1900, 2100, 4096, 100, 4000, 0, 3 };

    s = *state;

    doc = malloc(4097);
    assert_non_null(doc);
    memset(doc, '1', 4096);
    doc[4096] = '\0';

    id = store_insert(s, s->acme, "", 0, NULL, NULL);

    for (i = 0; i < 9; i++) {
        op = op_new(s->acme, doc);
        op->found.doc.len = sizes[i];
        op_by_id(op, &id);
        op_commit(s, op);
        op_free(op);

        (void) store_insert(s, s->acme, doc + 2048, 0, NULL, NULL);

        assert_true(store_get_id(s, s->acme, &id, &got));
        assert_int_equal(got.lead.doc.len, sizes[i]);
        assert_memory_equal(got.doc, doc, sizes[i]);
    }

    assert_int_equal(store_findings(s), 0);

    free(doc);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_insert, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_update, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_keep_and_refuse, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_batch, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_group, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_ids, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_counters, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_many_accounts, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_matches, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_accounts_apart, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_sizes, store_setup,
                                        store_teardown)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
