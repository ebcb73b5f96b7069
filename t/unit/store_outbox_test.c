
/*
 * Copyright (C) the ngx_lead authors
 *
 * The outbox: what is due, and what becomes of it when attempts are settled:
 * once, twice, late, by two, or by one that dies over it.
 */


#include <signal.h>
#include <unistd.h>

#include <lmdb.h>

#include "lead_record.h"
#include "store_hook.h"


static void
test_due(void **state)
{
    size_t             i;
    store_t           *s;
    uint32_t           crm, bi;
    uint64_t           skip[3], test;
    lead_id_t          id;
    hook_due_t        *due;
    hook_event_t       e[5];
    lead_outbox_row_t  row;

    s = *state;
    crm = hook_endpoint(s, s->acme, "crm");
    bi = hook_endpoint(s, s->acme, "bi");

    due = hook_due(s, crm, NULL, 0, 0);
    assert_int_equal(due->n, 0);
    assert_true(due->next == LEAD_NEVER);

    for (i = 0; i < 5; i++) {
        store_now++;
        e[i] = hook_insert(s, i == 1 ? &bi : &crm, 1);
    }

    due = hook_due(s, crm, NULL, 0, 0);
    assert_int_equal(due->n, 4);
    assert_true(due->next == LEAD_NEVER);
    assert_int_equal(due->rows[0].event, e[0].event);
    assert_int_equal(due->rows[1].event, e[2].event);
    assert_int_equal(due->rows[3].event, e[4].event);
    assert_id_equal(due->rows[1].lead, e[2].lead);
    assert_int_equal(due->rows[1].account, s->acme);
    assert_int_equal(due->rows[1].attempts, 0);
    assert_int_equal(due->rows[1].due, STORE_START + 3);
    assert_int_equal(due->times[1], STORE_START + 3);
    assert_string_equal(due->types[1], "lead.created");
    assert_string_equal(due->docs[1], "{\"v\":1}");

    /* the sink has had enough: the next is the one behind */

    due = hook_due(s, crm, NULL, 0, 2);
    assert_int_equal(due->n, 2);
    assert_int_equal(due->next, STORE_START + 4);

    due = hook_due(s, crm, NULL, 0, 4);
    assert_int_equal(due->n, 4);
    assert_true(due->next == LEAD_NEVER);

    /* what the caller has is no next one either */

    skip[0] = e[0].event;
    skip[1] = e[3].event;
    skip[2] = e[4].event;

    due = hook_due(s, crm, skip, 2, 1);
    assert_int_equal(due->n, 1);
    assert_int_equal(due->rows[0].event, e[2].event);
    assert_int_equal(due->next, STORE_START + 5);

    due = hook_due(s, crm, skip, 3, 1);
    assert_int_equal(due->n, 1);
    assert_true(due->next == LEAD_NEVER);

    skip[2] = 1;
    assert_int_equal(lead_store_due(s->store, crm, skip, 3, NULL, NULL,
                                    &due->next, &s->e), LEAD_INVALID);

    /* what is due later is the next one, what was given up is not */

    row = hook_row(s, crm, e[2].event);
    hook_settle(s, &row, LEAD_RETRY);
    row = hook_row(s, crm, e[3].event);
    hook_settle(s, &row, LEAD_GIVE_UP);

    due = hook_due(s, crm, NULL, 0, 0);
    assert_int_equal(due->n, 2);
    assert_int_equal(due->next, store_now + STORE_HOUR);

    skip[0] = e[2].event;
    due = hook_due(s, crm, skip, 1, 0);
    assert_int_equal(due->n, 2);
    assert_true(due->next == LEAD_NEVER);

    /* an event's id is the same at each attempt and for each endpoint, and
     * another's is another */

    due = hook_due(s, crm, NULL, 0, 0);
    id = due->ids[0];
    assert_int_equal(id.b[6] >> 4, 7);
    assert_int_equal(id.b[8] >> 6, 2);
    assert_memory_not_equal(id.b, due->ids[1].b, 16);

    store_now += 10;
    row = hook_row(s, crm, e[0].event);
    hook_settle(s, &row, LEAD_RETRY);
    store_now += STORE_HOUR;
    store_reopen(s);

    due = hook_due(s, crm, NULL, 0, 0);
    assert_int_equal(due->n, 3);
    assert_int_equal(due->rows[2].event, e[0].event);
    assert_int_equal(due->rows[2].attempts, 1);
    assert_id_equal(due->ids[2], id);

    skip[0] = 0;
    assert_int_equal(lead_store_endpoint_test(s->store, bi, BYTES("{}"),
                                              &test, &s->e), LEAD_OK);
    assert_int_equal(store_findings(s), 0);
}


static void
test_many(void **state)
{
    size_t       i;
    store_t     *s;
    uint32_t     crm;
    uint64_t     skip[64];
    hook_due_t  *due;

    s = *state;

    store_close(s);
    s->opts.size = 256 << 20;
    store_open(s);

    crm = hook_endpoint(s, s->acme, "crm");

    hook_fill(s, crm, 100000);
    hook_counts(s, crm, 100000, 0, 0);

    due = hook_due(s, crm, NULL, 0, 64);
    assert_int_equal(due->n, 64);

    for (i = 0; i < 64; i++) {
        skip[i] = due->rows[i].event;
    }

    due = hook_due(s, crm, skip, 64, 128);
    assert_int_equal(due->n, 128);
    assert_int_equal(due->rows[0].event, skip[63] + 1);
    assert_true(due->next <= store_now);
    assert_int_equal(store_findings(s), 0);
}


static void
test_settle(void **state)
{
    store_t            *s;
    uint32_t            crm;
    hook_due_t         *out;
    hook_event_t        e[3];
    lead_attempt_t      a[3];
    lead_endpoint_t     info;
    lead_outbox_row_t   row;

    s = *state;
    crm = hook_endpoint(s, s->acme, "crm");

    info = hook_info(s, crm);
    assert_int_equal(info.account, s->acme);
    assert_string_equal(info.name, "crm");
    assert_int_equal(info.state, LEAD_ENDPOINT_ENABLED);
    assert_int_equal(info.changed, 0);
    assert_int_equal(info.succeeded, 0);
    assert_int_equal(info.failing, 0);
    assert_int_equal(info.lease, 0);
    assert_true(info.due == LEAD_NEVER);
    hook_counts(s, crm, 0, 0, 0);

    e[0] = hook_insert(s, &crm, 1);
    e[1] = hook_insert(s, &crm, 1);
    e[2] = hook_insert(s, &crm, 1);
    hook_counts(s, crm, 3, 0, 0);
    assert_int_equal(hook_info(s, crm).due, STORE_START);

    /* events of one moment have ids of their own */

    out = hook_due(s, crm, NULL, 0, 0);
    assert_memory_not_equal(out->ids[0].b, out->ids[1].b, 16);
    assert_memory_not_equal(out->ids[1].b, out->ids[2].b, 16);

    store_now += 1000;
    row = hook_row(s, crm, e[0].event);
    a[0] = hook_attempt(&row, LEAD_DELIVERED);
    row = hook_row(s, crm, e[1].event);
    a[1] = hook_attempt(&row, LEAD_RETRY);
    row = hook_row(s, crm, e[2].event);
    a[2] = hook_attempt(&row, LEAD_GIVE_UP);
    a[2].time++;

    assert_int_equal(lead_store_settle(s->store, a, 3, &s->e), LEAD_OK);
    hook_counts(s, crm, 1, 1, 1);

    info = hook_info(s, crm);
    assert_int_equal(info.succeeded, store_now + 20000);
    assert_int_equal(info.failing, store_now);
    assert_int_equal(info.state, LEAD_ENDPOINT_ENABLED);
    assert_int_equal(info.due, store_now + STORE_HOUR);

    out = hook_outbox(s, crm);
    assert_int_equal(out->n, 2);
    assert_int_equal(out->rows[0].event, e[1].event);
    assert_int_equal(out->rows[0].attempts, 1);
    assert_int_equal(out->rows[0].due, store_now + STORE_HOUR);
    assert_id_equal(out->rows[0].lead, e[1].lead);
    assert_int_equal(out->rows[1].event, e[2].event);
    assert_int_equal(out->rows[1].attempts, 1);
    assert_true(out->rows[1].due == LEAD_NEVER);
    assert_int_equal(store_findings(s), 0);

    /* failing is since the first that failed, until one does not */

    store_now += STORE_HOUR;
    row = hook_row(s, crm, e[1].event);
    hook_settle(s, &row, LEAD_RETRY);
    assert_int_equal(hook_info(s, crm).failing, STORE_START + 1000);

    store_now += STORE_HOUR;
    row = hook_row(s, crm, e[1].event);
    assert_int_equal(row.attempts, 2);
    hook_settle(s, &row, LEAD_DELIVERED);
    assert_int_equal(hook_info(s, crm).failing, 0);
    assert_true(hook_info(s, crm).due == LEAD_NEVER);
    hook_counts(s, crm, 0, 1, 2);

    /* what was given up may be delivered yet */

    out = hook_outbox(s, crm);
    row = out->rows[0];
    hook_settle(s, &row, LEAD_DELIVERED);
    hook_counts(s, crm, 0, 0, 3);
    assert_int_equal(hook_outbox(s, crm)->n, 0);
    assert_int_equal(store_findings(s), 0);
}


/* by two who have sent the same */

static void
test_twice(void **state)
{
    store_t            *s;
    uint32_t            crm;
    hook_event_t        e[4];
    lead_outbox_row_t   row[4];
    int                 i;

    s = *state;
    crm = hook_endpoint(s, s->acme, "crm");

    for (i = 0; i < 4; i++) {
        e[i] = hook_insert(s, &crm, 1);
        row[i] = hook_row(s, crm, e[i].event);
    }

    store_now += 5;

    /* delivered twice: counted once, logged twice */

    hook_settle(s, &row[0], LEAD_DELIVERED);
    hook_settle(s, &row[0], LEAD_DELIVERED);
    hook_counts(s, crm, 3, 0, 1);
    assert_int_equal(hook_log(s, crm, LEAD_NEVER, 0)->n, 2);

    /* what comes late leaves the row as it is */

    hook_settle(s, &row[0], LEAD_RETRY);
    hook_settle(s, &row[0], LEAD_GIVE_UP);
    hook_counts(s, crm, 3, 0, 1);

    hook_settle(s, &row[1], LEAD_RETRY);
    hook_settle(s, &row[1], LEAD_GIVE_UP);
    hook_settle(s, &row[1], LEAD_RETRY);
    hook_counts(s, crm, 3, 0, 1);
    assert_int_equal(hook_outbox(s, crm)->rows[2].attempts, 1);
    assert_int_equal(hook_outbox(s, crm)->rows[2].event, e[1].event);

    /* ... but who has delivered it has */

    hook_settle(s, &row[1], LEAD_DELIVERED);
    hook_counts(s, crm, 2, 0, 2);

    hook_settle(s, &row[2], LEAD_GIVE_UP);
    hook_counts(s, crm, 1, 1, 2);
    hook_settle(s, &row[2], LEAD_DELIVERED);
    hook_counts(s, crm, 1, 0, 3);

    /* also where it became due meanwhile */

    hook_settle(s, &row[3], LEAD_RETRY);
    store_now += 2 * STORE_HOUR;
    hook_fill(s, crm, 2000);
    hook_settle(s, &row[3], LEAD_DELIVERED);
    hook_counts(s, crm, 2000, 0, 4);

    assert_int_equal(hook_log(s, crm, LEAD_NEVER, 0)->n, 12);
    assert_int_equal(store_findings(s), 0);
}


/* behind so much that it is not looked for it stays, and is sent once more;
 * what waits from now on is found */

static void
test_not_found(void **state)
{
    store_t            *s;
    uint32_t            crm;
    hook_event_t        e;
    lead_attempt_t      a;
    lead_outbox_row_t   row;

    s = *state;
    crm = hook_endpoint(s, s->acme, "crm");

    e = hook_insert(s, &crm, 1);
    row = hook_row(s, crm, e.event);
    hook_fill(s, crm, 2000);

    a = hook_attempt(&row, LEAD_RETRY);
    a.retry = store_now + 2;
    assert_int_equal(lead_store_settle(s->store, &a, 1, &s->e), LEAD_OK);

    store_now += 3;
    hook_settle(s, &row, LEAD_DELIVERED);
    hook_counts(s, crm, 2001, 0, 0);
    assert_int_equal(hook_log(s, crm, LEAD_NEVER, 0)->n, 2);

    /* put off, it is looked for from now on */

    a.row.due = a.retry;
    a.retry = store_now + STORE_HOUR;
    assert_int_equal(lead_store_settle(s->store, &a, 1, &s->e), LEAD_OK);
    hook_settle(s, &row, LEAD_DELIVERED);
    hook_counts(s, crm, 2000, 0, 1);

    /* given up, it is always found */

    e = hook_insert(s, &crm, 1);
    row = hook_due(s, crm, NULL, 0, 0)->rows[0];
    row.event = e.event;
    row.lead = e.lead;
    row.due = store_now;
    hook_settle(s, &row, LEAD_GIVE_UP);
    hook_fill(s, crm, 2000);
    hook_counts(s, crm, 4000, 1, 1);
    hook_settle(s, &row, LEAD_DELIVERED);
    hook_counts(s, crm, 4000, 0, 2);
    assert_int_equal(store_findings(s), 0);
}


/* all of a batch, or nothing */

static void
test_refused(void **state)
{
    size_t              i;
    store_t            *s;
    uint32_t            crm, bi;
    lead_attempt_t      a[3], bad;
    lead_outbox_row_t   row;

    s = *state;
    crm = hook_endpoint(s, s->acme, "crm");
    bi = hook_endpoint(s, s->other, "bi");

    row = hook_row(s, crm, hook_insert(s, &crm, 1).event);

    for (i = 0; i < 12; i++) {
        a[0] = hook_attempt(&row, LEAD_DELIVERED);
        bad = hook_attempt(&row, LEAD_RETRY);

        switch (i) {
        case 0: bad.row.endpoint = 99; break;
        case 1: bad.row.endpoint = bi; break;
        case 2: bad.row.account = s->other; break;
        case 3: bad.retry = 0; break;
        case 4: bad.retry = LEAD_NEVER; break;
        case 5: bad.time = 0; break;
        case 6: bad.row.due = -1; break;
        case 7: bad.outcome = LEAD_GIVE_UP + 1; break;
        case 8: bad.state = LEAD_ENDPOINT_FAILING + 1; break;
        case 9: bad.error.data = NULL; bad.error.len = 1; break;
        case 10: bad.type.len = LEAD_EVENT_TYPE_MAX + 1; break;
        default: bad.answer.data = NULL; bad.answer.len = 1; break;
        }

        a[1] = bad;
        assert_int_equal(lead_store_settle(s->store, a, 2, &s->e),
                         LEAD_INVALID);
        hook_counts(s, crm, 1, 0, 0);
    }

    assert_int_equal(lead_store_settle(s->store, a, 0, &s->e), LEAD_INVALID);
    assert_int_equal(lead_store_settle(s->store, a, LEAD_OPS_MAX + 1, &s->e),
                     LEAD_INVALID);
    assert_int_equal(hook_log(s, crm, LEAD_NEVER, 0)->n, 0);

    /* a store that is only read is not settled in */

    store_close(s);
    s->opts.readonly = 1;
    store_open(s);
    assert_int_equal(lead_store_settle(s->store, a, 1, &s->e), LEAD_ACCESS);
    assert_int_equal(hook_due(s, crm, NULL, 0, 0)->n, 1);
    s->opts.readonly = 0;
    store_reopen(s);
    assert_int_equal(store_findings(s), 0);
}


static int64_t
killing_clock(void)
{
    (void) kill(getpid(), SIGKILL);

    return store_now;
}


/* dies in the transaction, at the third of five */

static void
test_killed(void **state)
{
    int                 i;
    pid_t               pid;
    store_t            *s;
    uint32_t            crm;
    hook_due_t         *due;
    lead_attempt_t      a[5];

    s = *state;
    crm = hook_endpoint(s, s->acme, "crm");
    hook_fill(s, crm, 5);

    due = hook_due(s, crm, NULL, 0, 0);
    assert_int_equal(due->n, 5);

    for (i = 0; i < 5; i++) {
        a[i] = hook_attempt(&due->rows[i], LEAD_DELIVERED);
    }

    a[2].outcome = LEAD_GIVE_UP;
    a[2].state = LEAD_ENDPOINT_GONE;

    pid = fork();

    if (pid == 0) {
        s->opts.clock = killing_clock;
        s = hook_child(s);
        (void) lead_store_settle(s->store, a, 5, &s->e);
        _exit(2);
    }

    hook_wait(pid, 1);

    hook_counts(s, crm, 5, 0, 0);
    assert_int_equal(hook_log(s, crm, LEAD_NEVER, 0)->n, 0);
    assert_int_equal(hook_due(s, crm, NULL, 0, 0)->n, 5);

    assert_int_equal(lead_store_settle(s->store, a, 5, &s->e), LEAD_OK);
    hook_counts(s, crm, 0, 1, 4);
    assert_int_equal(hook_info(s, crm).state, LEAD_ENDPOINT_GONE);
    assert_int_equal(hook_info(s, crm).changed, store_now);
    assert_int_equal(store_findings(s), 0);
}


typedef struct {
    size_t             n;
    lead_outbox_row_t  rows[10];
} ten_t;


static int
ten_sink(void *ctx, const lead_due_t *due)
{
    ten_t  *ten;

    ten = ctx;
    ten->rows[ten->n++] = due->row;

    return ten->n == 10;
}


static void
settler(store_t *s, uint32_t endpoint, int fd)
{
    ten_t            ten;
    size_t           i;
    int64_t          next;
    lead_attempt_t   a[10];

    s = hook_child(s);

    for ( ;; ) {
        ten.n = 0;

        if (lead_store_due(s->store, endpoint, NULL, 0, ten_sink, &ten, &next,
                           &s->e)
            != LEAD_OK)
        {
            _exit(3);
        }

        if (ten.n != 10) {
            (void) pause();
        }

        for (i = 0; i < 10; i++) {
            a[i] = hook_attempt(&ten.rows[i], LEAD_DELIVERED);
        }

        if (lead_store_settle(s->store, a, 10, &s->e) != LEAD_OK) {
            _exit(2);
        }

        (void) !write(fd, "x", 1);
    }
}


/* killed at any moment, while another writes: batches of ten, all or none */

static void
test_killed_often(void **state)
{
    int              go[2], round;
    char             c;
    pid_t            pid;
    store_t         *s;
    uint32_t         crm;
    uint64_t         seen;
    lead_stat_t      stat;
    lead_endpoint_t  info;

    s = *state;
    crm = hook_endpoint(s, s->acme, "crm");
    seen = 0;

    for (round = 1; round <= 8; round++) {
        hook_fill(s, crm, 5000);

        assert_int_equal(pipe(go), 0);

        pid = fork();

        if (pid == 0) {
            settler(s, crm, go[1]);
        }

        (void) close(go[1]);

        /* it is at its work, and at another point of it each time */

        assert_int_equal(read(go[0], &c, 1), 1);
        hook_fill(s, crm, 10 * round);
        assert_int_equal(kill(pid, SIGKILL), 0);
        hook_wait(pid, 1);

        (void) close(go[0]);

        info = hook_info(s, crm);
        assert_int_equal(info.pending % 10, 0);
        assert_true(info.delivered > seen);
        assert_int_equal(info.pending + info.delivered,
                         5000 * round + 5 * round * (round + 1));
        seen = info.delivered;

        assert_int_equal(lead_store_stat(s->store, &stat, &s->e), LEAD_OK);
        assert_int_equal(stat.attempts, info.delivered);
        assert_int_equal(stat.outbox, info.pending);
        assert_int_equal(stat.failed, 0);
        assert_int_equal(store_findings(s), 0);
    }
}


/* beneath the engine: an event loses its snapshot, or is no more */

static void
raw_event(store_t *s, const hook_event_t *e, int gone)
{
    size_t               len;
    uint8_t              name[LEAD_RECORD_EVENT_KEY], bare[500];
    MDB_env             *env;
    MDB_txn             *txn;
    MDB_dbi              dbi;
    MDB_val              k, v;
    lead_bytes_t         key, row;
    lead_record_event_t  event;

    store_close(s);

    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 32), 0);
    assert_int_equal(mdb_env_open(env, s->file, MDB_NOSUBDIR, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, "events", 0, &dbi), 0);

    lead_record_event_key(name, s->acme, &e->lead, e->event);
    k.mv_data = name;
    k.mv_size = sizeof(name);
    assert_int_equal(mdb_get(txn, dbi, &k, &v), 0);

    key.data = name;
    key.len = sizeof(name);
    row.data = v.mv_data;
    row.len = v.mv_size;
    assert_int_equal(lead_record_event_decode(key, row, &event), 0);
    len = lead_record_event_bare(bare, row, &event);

    assert_int_equal(mdb_del(txn, dbi, &k, NULL), 0);

    if (!gone) {
        v.mv_data = bare;
        v.mv_size = len;
        assert_int_equal(mdb_put(txn, dbi, &k, &v, 0), 0);
    }

    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);

    store_open(s);
}


/* a row is given without a lead there is no more, and can be settled */

static void
test_gone(void **state)
{
    store_t       *s;
    uint32_t       crm;
    lead_id_t      id;
    hook_due_t    *due;
    hook_log_t    *log;
    hook_event_t   e[2];

    s = *state;
    crm = hook_endpoint(s, s->acme, "crm");
    e[0] = hook_insert(s, &crm, 1);
    e[1] = hook_insert(s, &crm, 1);
    id = hook_due(s, crm, NULL, 0, 0)->ids[0];

    raw_event(s, &e[0], 0);
    raw_event(s, &e[1], 1);

    due = hook_due(s, crm, NULL, 0, 0);
    assert_int_equal(due->n, 2);
    assert_string_equal(due->types[0], "lead.created");
    assert_string_equal(due->docs[0], "");
    assert_int_equal(due->times[0], store_now);
    assert_id_equal(due->ids[0], id);
    assert_int_equal(due->rows[1].event, e[1].event);
    assert_string_equal(due->types[1], "");
    assert_string_equal(due->docs[1], "");
    assert_int_equal(due->times[1], 0);

    hook_settle(s, &due->rows[0], LEAD_GIVE_UP);
    hook_settle(s, &due->rows[1], LEAD_GIVE_UP);
    hook_counts(s, crm, 0, 2, 0);

    log = hook_log(s, crm, LEAD_NEVER, 0);
    assert_int_equal(log->n, 2);
    assert_id_equal(log->attempts[1].id, id);

    /* of one that is no more the check tells, and the sweep clears it away */

    assert_int_equal(store_findings(s), 4);
    store_now += LEAD_KEEP_FAILED_DEFAULT + 1;
    hook_sweep(s);
    hook_counts(s, crm, 0, 0, 0);
    assert_int_equal(hook_outbox(s, 0)->n, 0);
    assert_int_equal(hook_log(s, crm, LEAD_NEVER, 0)->n, 0);
}


/* more endpoints than a transaction keeps in memory, in one */

static void
test_endpoints(void **state)
{
    int         i, k;
    char        name[16];
    op_t       *op[50];
    store_t    *s;
    uint32_t    endpoint[80], twice[3];

    s = *state;

    for (i = 0; i < 80; i++) {
        (void) snprintf(name, sizeof(name), "e%d", i);
        endpoint[i] = hook_endpoint(s, s->acme, name);
    }

    for (k = 0; k < 50; k++) {
        op[k] = op_new(s->acme, "{}");
        op[k]->events[0].endpoints = endpoint;
        op[k]->events[0].nendpoints = 80;
    }

    assert_int_equal(op_commit_many(s, op, 50), LEAD_OK);

    for (k = 0; k < 50; k++) {
        op_free(op[k]);
    }

    for (i = 0; i < 80; i++) {
        hook_counts(s, endpoint[i], 50, 0, 0);
    }

    /* one that is named twice has one row */

    twice[0] = endpoint[3];
    twice[1] = endpoint[4];
    twice[2] = endpoint[3];
    (void) hook_insert(s, twice, 3);
    hook_counts(s, endpoint[3], 51, 0, 0);
    hook_counts(s, endpoint[4], 51, 0, 0);
    assert_int_equal(store_findings(s), 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_due, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_many, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_settle, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_twice, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_not_found, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_refused, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_killed, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_killed_often, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_gone, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_endpoints, store_setup,
                                        store_teardown)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
