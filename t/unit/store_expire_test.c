
/*
 * Copyright (C) the ngx_lead authors
 *
 * What the sweep takes from the outbox: old attempts, old rows that were given
 * up, and leads as they were, but none that is still to be sent somewhere;
 * and that it writes nothing where nothing is old.
 */


#include <signal.h>
#include <unistd.h>

#include "store_hook.h"


static void
settle_now(store_t *s, uint32_t endpoint, uint64_t event,
    lead_attempt_outcome_t outcome)
{
    lead_outbox_row_t  row;

    row = hook_row(s, endpoint, event);
    hook_settle(s, &row, outcome);
}


static uint64_t
attempts(store_t *s)
{
    lead_stat_t  stat;

    assert_int_equal(lead_store_stat(s->store, &stat, &s->e), LEAD_OK);

    return stat.attempts;
}


/* a sweep that must find nothing to write, were it allowed to */

static void
sweep_idle(store_t *s)
{
    store_close(s);
    s->opts.readonly = 1;
    store_open(s);
    hook_sweep(s);
    s->opts.readonly = 0;
    store_reopen(s);
}


static uint64_t
replay(store_t *s, uint32_t endpoint)
{
    uint64_t        n;
    lead_replay_t   r;

    n = 0;
    memset(&r, 0, sizeof(r));
    r.endpoint = endpoint;
    r.delivered = 1;
    r.until = LEAD_NEVER;
    r.slice = LEAD_OPS_MAX;
    assert_int_equal(lead_store_replay(s->store, &r, &n, &s->e), LEAD_OK);

    return n;
}


/* no tree of idempotency turns in these times */

static int
setup(void **state)
{
    store_t  *s;

    assert_int_equal(store_setup(state), 0);

    s = *state;
    s->opts.ttl = 4000 * HOOK_DAY;
    s->opts.keep = 7 * HOOK_DAY;
    s->opts.keep_failed = 30 * HOOK_DAY;
    store_reopen(s);

    return 0;
}


static void
test_delivered(void **state)
{
    int             i;
    store_t        *s;
    uint32_t        crm;
    hook_event_t    e[3];

    s = *state;
    crm = hook_endpoint(s, s->acme, "crm");

    for (i = 0; i < 3; i++) {
        store_now = STORE_START + i * STORE_HOUR;
        e[i] = hook_insert(s, &crm, 1);
        settle_now(s, crm, e[i].event, LEAD_DELIVERED);
        assert_int_equal(hook_kept(s, &e[i]), 1);
    }

    store_now = STORE_START + 7 * HOOK_DAY;
    sweep_idle(s);
    assert_int_equal(attempts(s), 3);

    store_now++;
    hook_sweep(s);
    assert_int_equal(attempts(s), 2);
    assert_int_equal(hook_kept(s, &e[0]), 0);
    assert_int_equal(hook_kept(s, &e[1]), 1);
    assert_int_equal(store_findings(s), 0);
    sweep_idle(s);

    store_now += 2 * STORE_HOUR - 1;
    hook_sweep(s);
    assert_int_equal(attempts(s), 1);
    assert_int_equal(hook_kept(s, &e[1]), 0);
    assert_int_equal(hook_kept(s, &e[2]), 1);

    /* what has expired cannot be replayed, what has not can */

    assert_int_equal(replay(s, crm), 1);
    hook_counts(s, crm, 1, 0, 3);

    /* it waits again: its old attempt goes, what it is about stays */

    store_now += HOOK_DAY;
    hook_sweep(s);
    assert_int_equal(attempts(s), 0);
    assert_int_equal(hook_kept(s, &e[2]), 1);

    settle_now(s, crm, e[2].event, LEAD_DELIVERED);
    store_now += 7 * HOOK_DAY;
    sweep_idle(s);
    store_now++;
    hook_sweep(s);
    assert_int_equal(attempts(s), 0);
    assert_int_equal(hook_kept(s, &e[2]), 0);
    hook_counts(s, crm, 0, 0, 4);
    assert_int_equal(store_findings(s), 0);
    sweep_idle(s);
}


/* one endpoint has had it, another not yet */

static void
test_elsewhere(void **state)
{
    store_t         *s;
    uint32_t         e[2];
    hook_due_t      *due;
    hook_event_t     waits, fails, both;

    s = *state;
    e[0] = hook_endpoint(s, s->acme, "a");
    e[1] = hook_endpoint(s, s->acme, "b");

    waits = hook_insert(s, e, 2);
    fails = hook_insert(s, e, 2);
    both = hook_insert(s, e, 2);
    settle_now(s, e[0], waits.event, LEAD_DELIVERED);
    settle_now(s, e[0], fails.event, LEAD_DELIVERED);
    settle_now(s, e[0], both.event, LEAD_DELIVERED);
    settle_now(s, e[1], waits.event, LEAD_RETRY);
    settle_now(s, e[1], fails.event, LEAD_GIVE_UP);
    settle_now(s, e[1], both.event, LEAD_DELIVERED);
    hook_counts(s, e[0], 0, 0, 3);
    hook_counts(s, e[1], 1, 1, 1);

    store_now += 8 * HOOK_DAY;
    hook_sweep(s);
    assert_int_equal(attempts(s), 0);
    assert_int_equal(hook_kept(s, &waits), 1);
    assert_int_equal(hook_kept(s, &fails), 1);
    assert_int_equal(hook_kept(s, &both), 0);
    hook_counts(s, e[1], 1, 1, 1);
    sweep_idle(s);

    due = hook_due(s, e[1], NULL, 0, 0);
    assert_int_equal(due->n, 1);
    assert_string_equal(due->docs[0], "{\"v\":1}");

    /* delivered late, it is kept as long as any other */

    settle_now(s, e[1], waits.event, LEAD_DELIVERED);
    store_now += 7 * HOOK_DAY;
    hook_sweep(s);
    assert_int_equal(hook_kept(s, &waits), 1);
    store_now++;
    hook_sweep(s);
    assert_int_equal(hook_kept(s, &waits), 0);
    assert_int_equal(hook_kept(s, &fails), 1);

    /* what was given up is kept longer, and then no more */

    store_now = STORE_START + 30 * HOOK_DAY;
    sweep_idle(s);
    store_now++;
    hook_sweep(s);
    hook_counts(s, e[1], 0, 0, 2);
    assert_int_equal(hook_outbox(s, 0)->n, 0);
    assert_int_equal(hook_kept(s, &fails), 0);
    assert_int_equal(store_findings(s), 0);
    sweep_idle(s);
}


/* the attempt that delivered it last is the one that counts */

static void
test_last(void **state)
{
    store_t       *s;
    uint32_t       e[2];
    hook_event_t   one;

    s = *state;
    e[0] = hook_endpoint(s, s->acme, "a");
    e[1] = hook_endpoint(s, s->acme, "b");

    one = hook_insert(s, e, 2);
    settle_now(s, e[0], one.event, LEAD_DELIVERED);
    settle_now(s, e[1], one.event, LEAD_GIVE_UP);
    store_now += 5 * HOOK_DAY;
    assert_int_equal(replay(s, e[0]), 1);
    settle_now(s, e[0], one.event, LEAD_DELIVERED);

    /* the other's row is delivered too, and was given up before */

    hook_settle(s, &hook_outbox(s, e[1])->rows[0], LEAD_DELIVERED);
    hook_counts(s, e[1], 0, 0, 1);
    assert_int_equal(attempts(s), 4);

    store_now = STORE_START + 7 * HOOK_DAY + 1;
    hook_sweep(s);
    assert_int_equal(attempts(s), 2);
    assert_int_equal(hook_kept(s, &one), 1);

    /* at one endpoint it expires, and so it does for all */

    assert_int_equal(replay(s, e[0]), 1);
    store_now += HOOK_DAY;
    settle_now(s, e[0], one.event, LEAD_DELIVERED);
    store_now = STORE_START + 12 * HOOK_DAY + 1;
    hook_sweep(s);
    assert_int_equal(attempts(s), 1);
    assert_int_equal(hook_kept(s, &one), 0);
    assert_int_equal(replay(s, e[0]), 0);
    hook_counts(s, e[0], 0, 0, 3);
    assert_int_equal(store_findings(s), 0);

    store_now += 7 * HOOK_DAY;
    hook_sweep(s);
    assert_int_equal(attempts(s), 0);
    assert_int_equal(store_findings(s), 0);
}


/* given up at one, it may wait at another, and be given up there later */

static void
test_failed(void **state)
{
    store_t             *s;
    uint32_t             e[2];
    hook_event_t         one, two;
    lead_outbox_row_t    row;

    s = *state;
    e[0] = hook_endpoint(s, s->acme, "a");
    e[1] = hook_endpoint(s, s->acme, "b");

    one = hook_insert(s, e, 2);
    two = hook_insert(s, e, 2);
    settle_now(s, e[0], one.event, LEAD_GIVE_UP);
    settle_now(s, e[0], two.event, LEAD_GIVE_UP);
    settle_now(s, e[1], two.event, LEAD_GIVE_UP);
    hook_counts(s, e[0], 0, 2, 0);
    hook_counts(s, e[1], 1, 1, 0);

    store_now += 31 * HOOK_DAY;
    hook_sweep(s);
    hook_counts(s, e[0], 0, 0, 0);
    hook_counts(s, e[1], 1, 0, 0);
    assert_int_equal(hook_kept(s, &one), 1);
    assert_int_equal(hook_kept(s, &two), 0);
    assert_int_equal(store_findings(s), 0);

    row = hook_row(s, e[1], one.event);
    hook_settle(s, &row, LEAD_GIVE_UP);
    hook_sweep(s);
    hook_counts(s, e[1], 0, 0, 0);
    assert_int_equal(hook_kept(s, &one), 0);
    assert_int_equal(attempts(s), 1);
    assert_int_equal(store_findings(s), 0);
}


/* a shorter time for what was given up than for attempts is theirs */

static void
test_keep(void **state)
{
    store_t        *s;
    uint32_t        crm;
    hook_event_t    e;

    s = *state;
    s->opts.keep_failed = HOOK_DAY;
    store_reopen(s);

    crm = hook_endpoint(s, s->acme, "crm");
    e = hook_insert(s, &crm, 1);
    settle_now(s, crm, e.event, LEAD_GIVE_UP);

    store_now += 7 * HOOK_DAY;
    sweep_idle(s);
    store_now++;
    hook_sweep(s);
    hook_counts(s, crm, 0, 0, 0);
    assert_int_equal(hook_kept(s, &e), 0);
    assert_int_equal(attempts(s), 0);

    /* and these are the times without a say in it */

    s->opts.keep = 0;
    s->opts.keep_failed = 0;
    store_reopen(s);
    e = hook_insert(s, &crm, 1);
    settle_now(s, crm, e.event, LEAD_GIVE_UP);
    store_now += LEAD_KEEP_DEFAULT + 1;
    hook_sweep(s);
    assert_int_equal(attempts(s), 0);
    hook_counts(s, crm, 0, 1, 0);
    store_now += LEAD_KEEP_FAILED_DEFAULT - LEAD_KEEP_DEFAULT - 1;
    sweep_idle(s);
    store_now++;
    hook_sweep(s);
    hook_counts(s, crm, 0, 0, 0);
    assert_int_equal(store_findings(s), 0);

    s->opts.keep = -1;
    store_close(s);
    assert_int_equal(lead_store_open(s->dir, &s->opts, &s->store, &s->e),
                     LEAD_INVALID);
    s->opts.keep = 0;
    store_open(s);
}


/* a test's event goes as a whole */

static void
test_test(void **state)
{
    store_t      *s;
    uint32_t      crm;
    uint64_t      one, two;
    lead_stat_t   stat;

    s = *state;
    crm = hook_endpoint(s, s->acme, "crm");

    assert_int_equal(lead_store_endpoint_test(s->store, crm, BYTES("{}"),
                                              &one, &s->e), LEAD_OK);
    assert_int_equal(lead_store_endpoint_test(s->store, crm, BYTES("{}"),
                                              &two, &s->e), LEAD_OK);
    settle_now(s, crm, one, LEAD_RETRY);
    settle_now(s, crm, two, LEAD_GIVE_UP);
    store_now += STORE_HOUR;
    settle_now(s, crm, one, LEAD_DELIVERED);

    assert_int_equal(lead_store_stat(s->store, &stat, &s->e), LEAD_OK);
    assert_int_equal(stat.events, 2);
    assert_int_equal(stat.failed, 1);
    assert_int_equal(stat.outbox, 1);
    assert_int_equal(stat.attempts, 3);
    assert_int_equal(store_findings(s), 0);

    store_now += 7 * HOOK_DAY + 1;
    hook_sweep(s);
    assert_int_equal(lead_store_stat(s->store, &stat, &s->e), LEAD_OK);
    assert_int_equal(stat.events, 1);
    assert_int_equal(store_findings(s), 0);

    store_now += 30 * HOOK_DAY;
    hook_sweep(s);
    assert_int_equal(lead_store_stat(s->store, &stat, &s->e), LEAD_OK);
    assert_int_equal(stat.events, 0);
    assert_int_equal(stat.outbox, 0);
    assert_int_equal(stat.failed, 0);
    assert_int_equal(store_findings(s), 0);
}


/* an attempt that ends when its row and event have expired is logged, and that
 * is all */

static void
test_late(void **state)
{
    store_t             *s;
    uint32_t             crm;
    uint64_t             test;
    hook_event_t         e;
    lead_outbox_row_t    row[2];

    s = *state;
    crm = hook_endpoint(s, s->acme, "crm");

    e = hook_insert(s, &crm, 1);
    assert_int_equal(lead_store_endpoint_test(s->store, crm, BYTES("{}"),
                                              &test, &s->e), LEAD_OK);
    row[0] = hook_row(s, crm, e.event);
    row[1] = hook_row(s, crm, test);
    hook_settle(s, &row[0], LEAD_GIVE_UP);
    hook_settle(s, &row[1], LEAD_GIVE_UP);
    store_now += 31 * HOOK_DAY;
    hook_sweep(s);

    hook_settle(s, &row[0], LEAD_DELIVERED);
    hook_settle(s, &row[1], LEAD_DELIVERED);
    hook_counts(s, crm, 0, 0, 0);
    assert_int_equal(attempts(s), 2);
    assert_int_equal(hook_outbox(s, crm)->n, 0);
    assert_int_equal(store_findings(s), 0);

    store_now += 8 * HOOK_DAY;
    hook_sweep(s);
    assert_int_equal(attempts(s), 0);
}


/* more than one sweep takes */

static void
test_many(void **state)
{
    int               i, k;
    store_t          *s;
    uint32_t          e[2];
    hook_event_t      event, other;
    lead_attempt_t   *a;
    lead_outbox_row_t row;

    s = *state;
    e[0] = hook_endpoint(s, s->acme, "a");
    e[1] = hook_endpoint(s, s->acme, "b");
    event = hook_insert(s, e, 2);
    other = hook_insert(s, e, 1);
    row = hook_row(s, e[0], event.event);

    a = calloc(LEAD_OPS_MAX, sizeof(lead_attempt_t));
    assert_non_null(a);

    for (k = 0; k < 9; k++) {
        for (i = 0; i < LEAD_OPS_MAX; i++) {
            a[i] = hook_attempt(&row, LEAD_RETRY);
        }

        assert_int_equal(lead_store_settle(s->store, a, LEAD_OPS_MAX, &s->e),
                         LEAD_OK);
    }

    free(a);

    settle_now(s, e[1], event.event, LEAD_DELIVERED);
    settle_now(s, e[0], other.event, LEAD_DELIVERED);
    assert_int_equal(attempts(s), 9 * 4096 + 2);

    /* it says so */

    store_now += 8 * HOOK_DAY;
    assert_int_equal(lead_store_sweep(s->store, &s->e), LEAD_AGAIN);
    assert_in_range(attempts(s), 1, 9 * 4096 / 2);
    assert_int_equal(store_findings(s), 0);

    hook_sweep(s);
    assert_int_equal(attempts(s), 0);
    assert_int_equal(hook_kept(s, &event), 1);
    assert_int_equal(hook_kept(s, &other), 0);
    assert_int_equal(store_findings(s), 0);
    sweep_idle(s);
}


/* begins when it is told, and goes on until it is killed */

static void
sweeper(store_t *s, int ready, int told)
{
    char  c;

    s = hook_child(s);

    (void) !write(ready, "x", 1);

    if (read(told, &c, 1) != 1) {
        _exit(1);
    }

    for ( ;; ) {
        if (lead_store_sweep(s->store, &s->e) != LEAD_OK) {
            _exit(2);
        }
    }
}


/* a slice of one row: LEAD_AGAIN where there is more */

static int
replay_more(store_t *s, lead_replay_t *r)
{
    uint64_t   n;
    lead_rc_t  rc;

    n = 0;
    rc = lead_store_replay(s->store, r, &n, &s->e);

    if (rc != LEAD_OK && rc != LEAD_AGAIN) {
        fail_msg("%s: %s", lead_store_rc_text(rc), s->e.text);
    }

    return rc == LEAD_AGAIN;
}


/* two sweep, and are killed over it, what is replayed meanwhile: whatever waits
 * has its lead */

static void
test_beside(void **state)
{
    int              ready[2], told[2], i, round;
    char             c;
    pid_t            pid[2];
    size_t           k;
    store_t         *s;
    uint32_t         e[2];
    hook_due_t      *due;
    lead_replay_t    r[2];

    s = *state;
    s->opts.keep_failed = s->opts.keep;
    store_reopen(s);

    e[0] = hook_endpoint(s, s->acme, "a");
    e[1] = hook_endpoint(s, s->acme, "b");

    for (round = 0; round < 6; round++) {

        for (i = 0; i < 60; i++) {
            (void) hook_insert(s, e, 2);
        }

        store_now++;

        for (i = 0; i < 2; i++) {
            due = hook_due(s, e[i], NULL, 0, 0);
            assert_int_equal(due->n, 60);

            for (k = 0; k < 60; k++) {
                hook_settle(s, &due->rows[k],
                            i == 1 && k % 2 ? LEAD_GIVE_UP : LEAD_DELIVERED);
            }
        }

        store_now += 8 * HOOK_DAY;

        assert_int_equal(pipe(ready), 0);
        assert_int_equal(pipe(told), 0);

        for (i = 0; i < 2; i++) {
            pid[i] = fork();

            if (pid[i] == 0) {
                sweeper(s, ready[1], told[0]);
            }
        }

        (void) close(ready[1]);
        (void) close(told[0]);

        for (i = 0; i < 2; i++) {
            assert_int_equal(read(ready[0], &c, 1), 1);
        }

        for (i = 0; i < 2; i++) {
            memset(&r[i], 0, sizeof(lead_replay_t));
            r[i].endpoint = e[(i + round) % 2];
            r[i].failed = 1;
            r[i].delivered = 1;
            r[i].until = LEAD_NEVER;
            r[i].slice = 3;
        }

        assert_int_equal(write(told[1], "xx", 2), 2);

        while (replay_more(s, &r[0])) { /* void */ }
        while (replay_more(s, &r[1])) { /* void */ }

        for (i = 0; i < 2; i++) {
            assert_int_equal(kill(pid[i], SIGKILL), 0);
            hook_wait(pid[i], 1);
        }

        (void) close(ready[0]);
        (void) close(told[1]);

        hook_sweep(s);
        assert_int_equal(store_findings(s), 0);

        /* and the next round begins with nothing that waits */

        for (i = 0; i < 2; i++) {
            due = hook_due(s, e[i], NULL, 0, 0);
            assert_in_range(due->n, 0, 60);

            for (k = 0; k < due->n; k++) {
                assert_string_equal(due->docs[k], "{\"v\":1}");
                hook_settle(s, &due->rows[k], LEAD_DELIVERED);
            }

            hook_counts(s, e[i], 0, 0, hook_info(s, e[i]).delivered);
        }

        store_now += 8 * HOOK_DAY;
        hook_sweep(s);
        assert_int_equal(attempts(s), 0);
    }
}


/* a clock that is asked in a write transaction, once: there it lets the
 * children begin, and waits until each has looked through the store and waits
 * for the writer */

static struct {
    int    armed;
    int    told;
    int    ready;
    pid_t  pid[2];
} gate;


static int64_t
parent_clock(void)
{
    int    i;
    char   c, state, path[64], name[64];
    FILE  *f;

    if (!gate.armed) {
        return store_now;
    }

    gate.armed = 0;

    assert_int_equal(write(gate.told, "xx", 2), 2);

    for (i = 0; i < 2; i++) {
        assert_int_equal(read(gate.ready, &c, 1), 1);
    }

    for (i = 0; i < 2; /* void */ ) {
        (void) snprintf(path, sizeof(path), "/proc/%d/stat",
                        (int) gate.pid[i]);
        f = fopen(path, "r");
        assert_non_null(f);
        assert_int_equal(fscanf(f, "%*d %63s %c", name, &state), 2);
        (void) fclose(f);

        if (state == 'S') {
            i++;

        } else {
            (void) usleep(100);
        }
    }

    return store_now;
}


static int64_t
child_clock(void)
{
    (void) !write(gate.ready, "x", 1);

    return store_now;
}


static void
late_sweeper(store_t *s)
{
    char  c;

    s = hook_child(s);

    if (read(gate.told, &c, 1) != 1) {
        _exit(1);
    }

    if (lead_store_sweep(s->store, &s->e) != LEAD_OK) {
        _exit(2);
    }

    store_close(s);
    _exit(0);
}


/* between what a sweep has seen and what it does, something is replayed, and
 * another sweeps */

static void
test_between(void **state)
{
    int             ready[2], told[2], i, round;
    store_t        *s;
    uint32_t        e[2];
    uint64_t        n;
    hook_due_t     *due;
    hook_event_t    one, two, three;
    lead_replay_t   r;

    s = *state;
    s->opts.keep_failed = s->opts.keep;
    s->opts.clock = parent_clock;
    store_reopen(s);

    e[0] = hook_endpoint(s, s->acme, "a");
    e[1] = hook_endpoint(s, s->acme, "b");

    for (round = 0; round < 2; round++) {
        one = hook_insert(s, e, 2);
        two = hook_insert(s, e, 2);
        three = hook_insert(s, e, 2);
        settle_now(s, e[0], one.event, LEAD_DELIVERED);
        settle_now(s, e[0], two.event, LEAD_DELIVERED);
        settle_now(s, e[0], three.event, LEAD_DELIVERED);
        settle_now(s, e[1], one.event, LEAD_DELIVERED);
        settle_now(s, e[1], two.event, LEAD_GIVE_UP);
        settle_now(s, e[1], three.event, LEAD_DELIVERED);
        store_now += 8 * HOOK_DAY;
        settle_now(s, e[0], hook_insert(s, e, 1).event, LEAD_DELIVERED);

        assert_int_equal(pipe(ready), 0);
        assert_int_equal(pipe(told), 0);

        for (i = 0; i < 2; i++) {
            gate.pid[i] = fork();

            if (gate.pid[i] == 0) {
                gate.ready = ready[1];
                gate.told = told[0];
                s->opts.clock = child_clock;
                late_sweeper(s);
            }
        }

        (void) close(ready[1]);
        (void) close(told[0]);

        gate.ready = ready[0];
        gate.told = told[1];
        gate.armed = 1;

        /* what was given up, which the sweeps would take; what was delivered,
         * whose lead they would take */

        memset(&r, 0, sizeof(r));
        r.endpoint = e[round == 0 ? 1 : 0];
        r.event = round == 0 ? two.event : one.event;
        r.failed = 1;
        r.delivered = 1;
        r.until = LEAD_NEVER;
        r.slice = 100;
        n = 0;
        assert_int_equal(lead_store_replay(s->store, &r, &n, &s->e), LEAD_OK);
        assert_int_equal(n, 1);
        assert_int_equal(gate.armed, 0);

        for (i = 0; i < 2; i++) {
            hook_wait(gate.pid[i], 0);
        }

        (void) close(ready[0]);
        (void) close(told[1]);

        hook_sweep(s);
        assert_int_equal(store_findings(s), 0);
        assert_int_equal(attempts(s), 1);
        assert_int_equal(hook_kept(s, &one), round == 1);
        assert_int_equal(hook_kept(s, &two), round == 0);
        assert_int_equal(hook_kept(s, &three), 0);
        assert_int_equal(hook_outbox(s, 0)->n, 1);

        due = hook_due(s, r.endpoint, NULL, 0, 0);
        assert_int_equal(due->n, 1);
        assert_string_equal(due->docs[0], "{\"v\":1}");

        hook_settle(s, &due->rows[0], LEAD_DELIVERED);
        store_now += 8 * HOOK_DAY;
        hook_sweep(s);
        assert_int_equal(attempts(s), 0);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_delivered, setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_elsewhere, setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_last, setup, store_teardown),
        cmocka_unit_test_setup_teardown(test_failed, setup, store_teardown),
        cmocka_unit_test_setup_teardown(test_keep, setup, store_teardown),
        cmocka_unit_test_setup_teardown(test_test, setup, store_teardown),
        cmocka_unit_test_setup_teardown(test_late, setup, store_teardown),
        cmocka_unit_test_setup_teardown(test_many, setup, store_teardown),
        cmocka_unit_test_setup_teardown(test_beside, setup, store_teardown),
        cmocka_unit_test_setup_teardown(test_between, setup, store_teardown)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
