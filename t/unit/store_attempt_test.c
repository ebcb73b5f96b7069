
/*
 * Copyright (C) the ngx_lead authors
 *
 * The log of attempts, and the replay of what was given up, waits, or was
 * delivered: once, however often it is asked for and in whatever slices.
 */


#include "store_hook.h"


/* a whole replay, in slices; how many rows */

static uint64_t
replay(store_t *s, lead_replay_t *r)
{
    uint64_t   n;
    lead_rc_t  rc;

    n = 0;

    do {
        rc = lead_store_replay(s->store, r, &n, &s->e);
    } while (rc == LEAD_AGAIN);

    if (rc != LEAD_OK) {
        fail_msg("%s: %s", lead_store_rc_text(rc), s->e.text);
    }

    return n;
}


static lead_replay_t
replay_new(uint32_t endpoint)
{
    lead_replay_t  r;

    memset(&r, 0, sizeof(r));

    r.endpoint = endpoint;
    r.until = LEAD_NEVER;
    r.slice = 1000;

    return r;
}


static void
deliver(store_t *s, uint32_t endpoint, uint64_t event)
{
    lead_outbox_row_t  row;

    row = hook_row(s, endpoint, event);
    hook_settle(s, &row, LEAD_DELIVERED);
}


static void
test_log(void **state)
{
    char                big[301];
    size_t              i;
    store_t            *s;
    int64_t             last;
    uint32_t            crm, bi;
    hook_log_t         *log;
    hook_due_t         *due;
    hook_event_t        e;
    lead_id_t           id;
    lead_attempt_t      a, many[20];
    lead_outbox_row_t   row;

    s = *state;
    crm = hook_endpoint(s, s->acme, "crm");
    bi = hook_endpoint(s, s->acme, "bi");

    assert_int_equal(hook_log(s, crm, LEAD_NEVER, 0)->n, 0);

    e = hook_insert(s, &crm, 1);
    due = hook_due(s, crm, NULL, 0, 0);
    row = due->rows[0];
    id = due->ids[0];

    store_now += 100;
    a = hook_attempt(&row, LEAD_RETRY);
    a.error = BYTES("connect() timed out");
    a.answer = BYTES("not\001now");
    a.status = 503;
    a.msec = 70;
    a.state = LEAD_ENDPOINT_FAILING;
    assert_int_equal(lead_store_settle(s->store, &a, 1, &s->e), LEAD_OK);

    /* everything comes back */

    log = hook_log(s, crm, LEAD_NEVER, 0);
    assert_int_equal(log->n, 1);
    assert_int_equal(log->attempts[0].row.endpoint, crm);
    assert_int_equal(log->attempts[0].row.due, row.due);
    assert_int_equal(log->attempts[0].row.event, e.event);
    assert_int_equal(log->attempts[0].row.account, s->acme);
    assert_id_equal(log->attempts[0].row.lead, e.lead);
    assert_int_equal(log->attempts[0].row.attempts, 0);
    assert_id_equal(log->attempts[0].id, id);
    assert_int_equal(log->attempts[0].time, a.time);
    assert_int_equal(log->attempts[0].msec, 70);
    assert_int_equal(log->attempts[0].status, 503);
    assert_int_equal(log->attempts[0].outcome, LEAD_RETRY);
    assert_int_equal(log->attempts[0].retry, a.retry);
    assert_int_equal(log->attempts[0].state, LEAD_ENDPOINT_FAILING);
    assert_string_equal(log->types[0], "lead.created");
    assert_string_equal(log->errors[0], "connect() timed out");
    assert_string_equal(log->answers[0], "not\001now");

    /* what is too long is cut off */

    memset(big, 'b', sizeof(big));
    big[300] = '\0';

    store_now += STORE_HOUR;
    row = hook_row(s, crm, e.event);
    a = hook_attempt(&row, LEAD_DELIVERED);
    a.error = BYTES(big);
    a.answer = BYTES(big);
    a.retry = 5;
    assert_int_equal(lead_store_settle(s->store, &a, 1, &s->e), LEAD_OK);

    log = hook_log(s, crm, LEAD_NEVER, 0);
    assert_int_equal(log->n, 2);
    assert_int_equal(log->attempts[0].row.attempts, 1);
    assert_int_equal(log->attempts[0].outcome, LEAD_DELIVERED);
    assert_int_equal(log->attempts[0].retry, 0);
    assert_id_equal(log->attempts[0].id, id);
    assert_int_equal(strlen(log->errors[0]), LEAD_ATTEMPT_ERROR_MAX);
    assert_int_equal(strlen(log->answers[0]), LEAD_ATTEMPT_ANSWER_MAX);
    assert_int_equal(log->attempts[1].status, 503);

    /* many of one time: each has its own, and pages miss none */

    (void) hook_insert(s, &bi, 1);
    row = hook_due(s, bi, NULL, 0, 0)->rows[0];

    for (i = 0; i < 20; i++) {
        many[i] = hook_attempt(&row, LEAD_RETRY);
        many[i].status = (uint32_t) i;

        if (i == 9) {
            many[i].row.endpoint = crm;
        }

        if (i > 15) {
            many[i].time -= 2;
        }
    }

    assert_int_equal(lead_store_settle(s->store, many, 20, &s->e), LEAD_OK);
    assert_int_equal(lead_store_settle(s->store, many, 1, &s->e), LEAD_OK);

    last = LEAD_NEVER;

    for (i = 0; i < 20; i++) {
        log = hook_log(s, bi, last, 1);
        assert_int_equal(log->n, 1);
        assert_true(log->attempts[0].time < last);
        last = log->attempts[0].time;
        many[log->attempts[0].status].msec++;
    }

    assert_int_equal(hook_log(s, bi, last, 1)->n, 0);
    assert_int_equal(hook_log(s, bi, 0, 1)->n, 0);
    assert_int_equal(hook_log(s, bi, -1, 1)->n, 0);

    for (i = 0; i < 20; i++) {
        assert_int_equal(many[i].msec, i == 0 ? 22 : i == 9 ? 20 : 21);
    }

    assert_int_equal(hook_log(s, crm, LEAD_NEVER, 0)->n, 3);
    assert_int_equal(hook_log(s, 99, LEAD_NEVER, 0)->n, 0);

    /* one of another endpoint takes no time away */

    store_now += 1000;

    for (i = 0; i < 3; i++) {
        many[i] = hook_attempt(&row, LEAD_RETRY);
        many[i].row.endpoint = i == 1 ? crm : bi;
    }

    assert_int_equal(lead_store_settle(s->store, many, 3, &s->e), LEAD_OK);
    assert_int_equal(hook_log(s, crm, LEAD_NEVER, 1)->attempts[0].time,
                     store_now);
    assert_int_equal(hook_log(s, bi, LEAD_NEVER, 1)->attempts[0].time,
                     store_now + 1);
    assert_int_equal(store_findings(s), 0);
}


static void
test_replay_failed(void **state)
{
    int                 i;
    store_t            *s;
    uint32_t            crm, bi;
    hook_due_t         *due;
    hook_event_t        e[6];
    lead_replay_t       r;
    lead_outbox_row_t   row;

    s = *state;
    crm = hook_endpoint(s, s->acme, "crm");
    bi = hook_endpoint(s, s->acme, "bi");

    for (i = 0; i < 6; i++) {
        store_now = STORE_START + i;
        e[i] = hook_insert(s, i == 5 ? &bi : &crm, 1);
        row = hook_row(s, i == 5 ? bi : crm, e[i].event);
        hook_settle(s, &row, i == 4 ? LEAD_RETRY : LEAD_GIVE_UP);
    }

    store_now = STORE_START + 100;
    hook_counts(s, crm, 1, 4, 0);

    /* of a time, in the smallest slices */

    r = replay_new(crm);
    r.failed = 1;
    r.since = STORE_START + 1;
    r.until = STORE_START + 3;
    r.slice = 1;
    assert_int_equal(replay(s, &r), 2);
    assert_int_equal(r.began, store_now);
    hook_counts(s, crm, 3, 2, 0);

    due = hook_due(s, crm, NULL, 0, 0);
    assert_int_equal(due->n, 2);
    assert_int_equal(due->rows[0].event, e[1].event);
    assert_int_equal(due->rows[0].due, store_now);
    assert_int_equal(due->rows[0].attempts, 0);
    assert_int_equal(due->rows[1].event, e[2].event);
    assert_string_equal(due->docs[0], "{\"v\":1}");
    assert_int_equal(store_findings(s), 0);

    /* it has been done: nothing is left to do, and no more for asking again */

    assert_int_equal(replay(s, &r), 0);
    r = replay_new(crm);
    r.failed = 1;
    r.since = STORE_START + 1;
    r.until = STORE_START + 3;
    assert_int_equal(replay(s, &r), 0);
    hook_counts(s, crm, 3, 2, 0);

    /* one event, of this endpoint, of any, and of none */

    r = replay_new(crm);
    r.failed = 1;
    r.event = e[5].event;
    assert_int_equal(replay(s, &r), 0);
    r = replay_new(crm);
    r.failed = 1;
    r.event = e[3].event;
    assert_int_equal(replay(s, &r), 1);
    hook_counts(s, crm, 4, 1, 0);

    r = replay_new(0);
    r.failed = 1;
    r.event = e[5].event;
    r.slice = 1;
    assert_int_equal(replay(s, &r), 1);
    hook_counts(s, bi, 1, 0, 0);

    /* nothing that was not asked for */

    r = replay_new(crm);
    assert_int_equal(replay(s, &r), 0);
    hook_counts(s, crm, 4, 1, 0);
    assert_int_equal(store_findings(s), 0);

    r = replay_new(99);
    r.failed = 1;
    assert_int_equal(lead_store_replay(s->store, &r, NULL, &s->e),
                     LEAD_NOTFOUND);
    r = replay_new(0);
    assert_int_equal(lead_store_replay(s->store, &r, NULL, &s->e),
                     LEAD_INVALID);
    r = replay_new(crm);
    r.slice = 0;
    assert_int_equal(lead_store_replay(s->store, &r, NULL, &s->e),
                     LEAD_INVALID);

    store_close(s);
    s->opts.readonly = 1;
    store_open(s);
    r = replay_new(crm);
    assert_int_equal(lead_store_replay(s->store, &r, NULL, &s->e),
                     LEAD_ACCESS);
    s->opts.readonly = 0;
    store_reopen(s);
}


static void
test_replay_pending(void **state)
{
    int                 i;
    store_t            *s;
    uint32_t            crm;
    hook_due_t         *due;
    hook_event_t        e[6];
    lead_replay_t       r;
    lead_outbox_row_t   row;

    s = *state;
    crm = hook_endpoint(s, s->acme, "crm");

    for (i = 0; i < 6; i++) {
        store_now = STORE_START + i;
        e[i] = hook_insert(s, &crm, 1);
        row = hook_row(s, crm, e[i].event);

        if (i < 4) {
            hook_settle(s, &row, LEAD_RETRY);

        } else if (i == 4) {
            hook_settle(s, &row, LEAD_GIVE_UP);
        }
    }

    store_now = STORE_START + 100;
    hook_counts(s, crm, 5, 1, 0);
    assert_int_equal(hook_due(s, crm, NULL, 0, 0)->n, 1);

    r = replay_new(crm);
    r.pending = 1;
    r.since = STORE_START + 1;
    r.slice = 1;
    assert_int_equal(replay(s, &r), 3);
    hook_counts(s, crm, 5, 1, 0);

    due = hook_due(s, crm, NULL, 0, 0);
    assert_int_equal(due->n, 4);
    assert_int_equal(due->rows[1].event, e[1].event);
    assert_int_equal(due->rows[1].attempts, 0);
    assert_int_equal(due->next, STORE_START + STORE_HOUR);

    r = replay_new(0);
    r.pending = 1;
    r.event = e[0].event;
    assert_int_equal(replay(s, &r), 1);
    due = hook_due(s, crm, NULL, 0, 0);
    assert_int_equal(due->n, 5);
    assert_true(due->next == LEAD_NEVER);

    r = replay_new(crm);
    r.pending = 1;
    assert_int_equal(replay(s, &r), 0);
    hook_counts(s, crm, 5, 1, 0);
    assert_int_equal(store_findings(s), 0);
}


static void
test_replay_delivered(void **state)
{
    int                 i;
    store_t            *s;
    uint32_t            crm, bi;
    uint64_t            n;
    lead_rc_t           rc;
    hook_due_t         *due;
    hook_event_t        e[6];
    lead_replay_t       r;
    lead_outbox_row_t   row, late;

    s = *state;
    crm = hook_endpoint(s, s->acme, "crm");
    bi = hook_endpoint(s, s->acme, "bi");

    for (i = 0; i < 6; i++) {
        store_now = STORE_START + i * 10;
        e[i] = hook_insert(s, i == 5 ? &bi : &crm, 1);
        row = hook_row(s, i == 5 ? bi : crm, e[i].event);
        store_now += 5;

        if (i == 0) {
            hook_settle(s, &row, LEAD_RETRY);
            store_now += STORE_HOUR;
            row = hook_row(s, crm, e[i].event);
        }

        hook_settle(s, &row, i == 4 ? LEAD_GIVE_UP : LEAD_DELIVERED);
    }

    store_now = STORE_START + 2 * STORE_HOUR;
    hook_counts(s, crm, 0, 1, 4);

    /* the time is that of the event */

    r = replay_new(crm);
    r.delivered = 1;
    r.until = STORE_START + 20;
    r.slice = 1;
    assert_int_equal(replay(s, &r), 2);
    hook_counts(s, crm, 2, 1, 4);

    due = hook_due(s, crm, NULL, 0, 0);
    assert_int_equal(due->n, 2);
    assert_int_equal(due->rows[0].event, e[0].event);
    assert_int_equal(due->rows[0].attempts, 0);
    assert_int_equal(due->rows[0].due, store_now);
    assert_id_equal(due->rows[0].lead, e[0].lead);
    assert_int_equal(due->rows[1].event, e[1].event);
    assert_string_equal(due->docs[1], "{\"v\":1}");

    /* what waits is not doubled, at whatever time it is due */

    r = replay_new(crm);
    r.delivered = 1;
    r.until = STORE_START + 20;
    assert_int_equal(replay(s, &r), 0);

    late = hook_row(s, crm, e[0].event);
    hook_settle(s, &late, LEAD_RETRY);
    store_now += 50;
    r = replay_new(crm);
    r.delivered = 1;
    r.until = STORE_START + 20;
    assert_int_equal(replay(s, &r), 0);
    hook_counts(s, crm, 2, 1, 4);

    /* delivered once more, it may be once more, but once */

    deliver(s, crm, e[1].event);
    hook_counts(s, crm, 1, 1, 5);
    store_now += 50;
    r = replay_new(crm);
    r.delivered = 1;
    r.event = e[1].event;
    assert_int_equal(replay(s, &r), 1);
    hook_counts(s, crm, 2, 1, 5);

    /* and by two who sent the same it was once */

    row = hook_row(s, crm, e[1].event);
    hook_settle(s, &row, LEAD_DELIVERED);
    hook_settle(s, &row, LEAD_DELIVERED);
    hook_counts(s, crm, 1, 1, 6);
    store_now += 50;
    r = replay_new(0);
    r.delivered = 1;
    r.event = e[1].event;
    r.slice = 1;
    assert_int_equal(replay(s, &r), 1);
    hook_counts(s, crm, 2, 1, 6);
    hook_counts(s, bi, 0, 0, 1);
    assert_int_equal(store_findings(s), 0);

    /* what is sent while it runs is not chased */

    store_now += 50;
    r = replay_new(crm);
    r.delivered = 1;
    r.slice = 2;
    n = 0;

    for (i = 0; i < 50; i++) {
        rc = lead_store_replay(s->store, &r, &n, &s->e);

        if (rc == LEAD_OK) {
            break;
        }

        assert_int_equal(rc, LEAD_AGAIN);

        store_now++;

        for (due = hook_due(s, crm, NULL, 0, 1); due->n != 0;
             due = hook_due(s, crm, NULL, 0, 1))
        {
            hook_settle(s, &due->rows[0], LEAD_DELIVERED);
        }
    }

    assert_int_equal(rc, LEAD_OK);
    assert_int_equal(n, 2);
    hook_counts(s, crm, 1, 1, 9);
    assert_int_equal(store_findings(s), 0);
}


/* everything of everybody, whose number of rows is what it was */

static void
test_replay_all(void **state)
{
    size_t          i, k;
    store_t        *s;
    uint32_t        e[3];
    uint64_t        n;
    hook_due_t     *due;
    lead_replay_t   r;

    s = *state;
    e[0] = hook_endpoint(s, s->acme, "a");
    e[1] = hook_endpoint(s, s->acme, "b");
    e[2] = hook_endpoint(s, s->acme, "c");

    for (i = 0; i < 40; i++) {
        (void) hook_insert(s, e, 3);
    }

    store_now++;

    for (k = 0; k < 3; k++) {
        due = hook_due(s, e[k], NULL, 0, 0);
        assert_int_equal(due->n, 40);

        for (i = 0; i < 40; i++) {
            hook_settle(s, &due->rows[i], (i + k) % 3);
        }
    }

    /* attempts of one time are logged a microsecond apart */

    store_now += 100;
    n = 0;

    for (k = 0; k < 3; k++) {
        r = replay_new(e[k]);
        r.failed = 1;
        r.pending = 1;
        r.delivered = 1;
        r.slice = 7;
        n += replay(s, &r);
        assert_int_equal(hook_due(s, e[k], NULL, 0, 0)->n, 40);
        assert_int_equal(hook_info(s, e[k]).pending, 40);
        assert_int_equal(hook_info(s, e[k]).failed, 0);

        r = replay_new(e[k]);
        r.failed = 1;
        r.pending = 1;
        r.delivered = 1;
        assert_int_equal(replay(s, &r), 0);
    }

    assert_int_equal(n, 120);
    assert_int_equal(hook_outbox(s, 0)->n, 120);
    assert_int_equal(store_findings(s), 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_log, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_replay_failed, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_replay_pending, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_replay_delivered, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_replay_all, store_setup,
                                        store_teardown)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
