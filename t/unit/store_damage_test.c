
/*
 * Copyright (C) the ngx_lead authors
 *
 * A row of webhooks' trees that cannot be read stops nothing but itself:
 * other rows of its endpoint are delivered, other endpoints are leased, and
 * other attempts are settled and expire.
 */


#include <lmdb.h>

#include "lead_record.h"
#include "store_hook.h"


/* the row under a key becomes one that no version has written */

static void
damage(store_t *s, const char *tree, const void *key, size_t len)
{
    MDB_dbi   dbi;
    MDB_env  *env;
    MDB_txn  *txn;
    MDB_val   k, v;

    store_close(s);

    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 4), 0);
    assert_int_equal(mdb_env_open(env, s->file, MDB_NOSUBDIR, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, tree, 0, &dbi), 0);

    k.mv_data = (void *) key;
    k.mv_size = len;
    assert_int_equal(mdb_get(txn, dbi, &k, &v), 0);

    v.mv_data = "damaged";
    v.mv_size = 7;
    assert_int_equal(mdb_put(txn, dbi, &k, &v, 0), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);

    store_open(s);
}


static void
damage_row(store_t *s, const lead_outbox_row_t *row)
{
    uint8_t  key[LEAD_RECORD_OUTBOX_KEY];

    lead_record_outbox_key(key, row->endpoint, row->due, row->event);
    damage(s, "outbox", key, sizeof(key));
}


static void
damage_attempt(store_t *s, const lead_attempt_t *a)
{
    uint8_t  key[LEAD_RECORD_ATTEMPT_KEY];

    lead_record_attempt_key(key, a->row.endpoint, a->time, a->row.event);
    damage(s, "deliveries", key, sizeof(key));
}


typedef struct {
    size_t     n;
    size_t     most;
    uint64_t   events[8];
} found_t;


static int
found_row(void *ctx, const lead_due_t *due)
{
    found_t  *f = ctx;

    f->events[f->n++] = due->row.event;

    return f->n == f->most;
}


/* what an endpoint has that is due, and when there is more */

static found_t
found(store_t *s, uint32_t endpoint, size_t most, lead_rc_t rc, int64_t next)
{
    found_t   f;
    int64_t   more;

    f.n = 0;
    f.most = most;

    assert_int_equal(lead_store_due(s->store, endpoint, NULL, 0, found_row,
                                    &f, &more, &s->e), rc);
    assert_int_equal(more, next);

    return f;
}


static void
test_row(void **state)
{
    int                  i;
    store_t             *s;
    found_t              f;
    uint32_t             a, b;
    hook_event_t         e[4], other;
    lead_outbox_row_t    row;

    s = *state;
    a = hook_endpoint(s, s->acme, "a");
    b = hook_endpoint(s, s->acme, "b");

    for (i = 0; i < 4; i++) {
        e[i] = hook_insert(s, &a, 1);
    }

    other = hook_insert(s, &b, 1);

    /* the first one, and one in the middle */

    row = hook_row(s, a, e[0].event);
    damage_row(s, &row);
    row.event = e[2].event;
    damage_row(s, &row);

    f = found(s, a, 0, LEAD_CORRUPT, LEAD_NEVER);
    assert_int_equal(f.n, 2);
    assert_int_equal(f.events[0], e[1].event);
    assert_int_equal(f.events[1], e[3].event);
    assert_string_equal(s->e.text, "the store has a bad outbox row");

    /* where not all are taken, it is said when there is more */

    f = found(s, a, 1, LEAD_CORRUPT, row.due);
    assert_int_equal(f.n, 1);
    assert_int_equal(hook_info(s, a).due, row.due);

    /* where there is none else, nothing is due */

    row = hook_row(s, b, other.event);
    damage_row(s, &row);
    f = found(s, b, 0, LEAD_CORRUPT, LEAD_NEVER);
    assert_int_equal(f.n, 0);
    assert_int_equal(hook_info(s, b).due, LEAD_NEVER);
}


static void
test_neighbour(void **state)
{
    store_t             *s;
    uint32_t             a, b;
    hook_event_t         one, two;
    lead_attempt_t       first;
    lead_outbox_row_t    row;

    s = *state;
    a = hook_endpoint(s, s->acme, "a");
    b = hook_endpoint(s, s->acme, "b");

    one = hook_insert(s, &a, 1);
    two = hook_insert(s, &b, 1);

    /* the oldest row and the oldest attempt of the endpoint behind this one */

    row = hook_row(s, b, two.event);
    first = hook_attempt(&row, LEAD_RETRY);
    assert_int_equal(lead_store_settle(s->store, &first, 1, &s->e), LEAD_OK);
    damage_attempt(s, &first);
    row.due = first.retry;
    damage_row(s, &row);

    row = hook_row(s, a, one.event);
    hook_settle(s, &row, LEAD_DELIVERED);
    hook_counts(s, a, 0, 0, 1);
    assert_int_equal(hook_outbox(s, a)->n, 0);
    assert_int_equal(hook_log(s, a, LEAD_NEVER, 0)->n, 1);
    assert_int_equal(hook_due(s, a, NULL, 0, 0)->n, 0);

    /* and one of its own, of the same time as the next attempt */

    two = hook_insert(s, &b, 1);
    row = first.row;
    row.due = store_now;
    row.event = two.event;
    row.lead = two.lead;
    hook_settle(s, &row, LEAD_DELIVERED);
    hook_counts(s, b, 1, 0, 1);
}


static void
test_lease(void **state)
{
    int         i;
    store_t    *s;
    int64_t     until[3];
    uint8_t     key[LEAD_RECORD_ENDPOINT_KEY];
    uint32_t    e[3];

    s = *state;
    e[0] = hook_endpoint(s, s->acme, "a");
    e[1] = hook_endpoint(s, s->acme, "b");
    e[2] = hook_endpoint(s, s->acme, "c");

    for (i = 0; i < 3; i++) {
        (void) hook_insert(s, &e[i], 1);
    }

    lead_record_endpoint_key(key, e[0]);
    damage(s, "counters", key, sizeof(key));

    assert_int_equal(lead_store_lease(s->store, e, 3, STORE_HOUR / 60, until,
                                      &s->e), LEAD_OK);
    assert_int_equal(until[0], 0);
    assert_int_equal(until[1], store_now + STORE_HOUR / 60);
    assert_int_equal(until[2], until[1]);

    assert_int_equal(lead_store_lease(s->store, e, 1, STORE_HOUR / 60, until,
                                      &s->e), LEAD_CORRUPT);
    assert_int_equal(until[0], 0);
}


/* one bad attempt in a batch: none is settled, and each of the others may be
 * alone */

static void
test_batch(void **state)
{
    int                  i;
    store_t             *s;
    uint32_t             crm;
    hook_event_t         e[3];
    lead_attempt_t       a[3];
    lead_outbox_row_t    row;

    s = *state;
    crm = hook_endpoint(s, s->acme, "crm");

    for (i = 0; i < 3; i++) {
        e[i] = hook_insert(s, &crm, 1);
    }

    for (i = 0; i < 3; i++) {
        row = hook_row(s, crm, e[i].event);
        a[i] = hook_attempt(&row, LEAD_DELIVERED);
    }

    damage_row(s, &a[1].row);

    assert_int_equal(lead_store_settle(s->store, a, 3, &s->e), LEAD_CORRUPT);
    hook_counts(s, crm, 3, 0, 0);
    assert_int_equal(lead_store_settle(s->store, &a[0], 1, &s->e), LEAD_OK);
    assert_int_equal(lead_store_settle(s->store, &a[1], 1, &s->e),
                     LEAD_CORRUPT);
    assert_int_equal(lead_store_settle(s->store, &a[2], 1, &s->e), LEAD_OK);
    hook_counts(s, crm, 1, 0, 2);
}


/* of each kind the first one is damaged; all others expire */

static void
test_expire(void **state)
{
    int                  i;
    store_t             *s;
    uint8_t              key[LEAD_RECORD_EVENT_KEY];
    uint32_t             crm;
    lead_stat_t          stat;
    hook_event_t         e[9];
    lead_attempt_t       a[9];
    lead_outbox_row_t    row;

    s = *state;
    s->opts.ttl = 4000 * HOOK_DAY;
    s->opts.keep = 7 * HOOK_DAY;
    s->opts.keep_failed = 30 * HOOK_DAY;
    store_reopen(s);

    crm = hook_endpoint(s, s->acme, "crm");

    for (i = 0; i < 9; i++) {
        store_now++;
        e[i] = hook_insert(s, &crm, 1);
    }

    /* 0: waits, 1 to 4: delivered, 5 to 8: given up */

    for (i = 1; i < 9; i++) {
        store_now++;
        row = hook_row(s, crm, e[i].event);
        a[i] = hook_attempt(&row, i < 5 ? LEAD_DELIVERED : LEAD_GIVE_UP);
        assert_int_equal(lead_store_settle(s->store, &a[i], 1, &s->e),
                         LEAD_OK);
    }

    row = hook_row(s, crm, e[0].event);
    damage_row(s, &row);
    damage_attempt(s, &a[1]);
    lead_record_event_key(key, s->acme, &e[2].lead, e[2].event);
    damage(s, "events", key, sizeof(key));

    row = a[5].row;
    row.due = LEAD_NEVER;
    damage_row(s, &row);
    lead_record_event_key(key, s->acme, &e[6].lead, e[6].event);
    damage(s, "events", key, sizeof(key));

    store_now += 31 * HOOK_DAY;
    assert_int_equal(lead_store_sweep(s->store, &s->e), LEAD_CORRUPT);

    assert_int_equal(hook_kept(s, &e[1]), 1);
    assert_int_equal(hook_kept(s, &e[3]), 0);
    assert_int_equal(hook_kept(s, &e[4]), 0);
    assert_int_equal(hook_kept(s, &e[7]), 0);
    assert_int_equal(hook_kept(s, &e[8]), 0);

    assert_int_equal(lead_store_stat(s->store, &stat, &s->e), LEAD_OK);
    assert_int_equal(stat.attempts, 1);
    assert_int_equal(stat.outbox, 3);
}


/* where nothing was sent nobody has failed */

static void
test_unsent(void **state)
{
    store_t             *s;
    uint32_t             crm;
    hook_event_t         e;
    lead_attempt_t       a;
    lead_outbox_row_t    row;

    s = *state;
    crm = hook_endpoint(s, s->acme, "crm");

    e = hook_insert(s, &crm, 1);
    row = hook_row(s, crm, e.event);
    a = hook_attempt(&row, LEAD_GIVE_UP);
    a.unsent = 1;
    assert_int_equal(lead_store_settle(s->store, &a, 1, &s->e), LEAD_OK);
    assert_int_equal(hook_info(s, crm).failing, 0);
    hook_counts(s, crm, 0, 1, 0);

    /* and since when it has failed stays as it was */

    e = hook_insert(s, &crm, 1);
    row = hook_row(s, crm, e.event);
    hook_settle(s, &row, LEAD_GIVE_UP);
    assert_int_equal(hook_info(s, crm).failing, store_now);

    store_now += STORE_HOUR;
    e = hook_insert(s, &crm, 1);
    row = hook_row(s, crm, e.event);
    a = hook_attempt(&row, LEAD_GIVE_UP);
    a.unsent = 1;
    assert_int_equal(lead_store_settle(s->store, &a, 1, &s->e), LEAD_OK);
    assert_int_equal(hook_info(s, crm).failing, store_now - STORE_HOUR);
    hook_counts(s, crm, 0, 3, 0);
    assert_int_equal(store_findings(s), 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_row, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_neighbour, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_lease, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_expire, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_batch, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_unsent, store_setup,
                                        store_teardown)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
