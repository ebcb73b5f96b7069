
/*
 * Copyright (C) the ngx_lead authors
 *
 * Endpoints: names, states and their counts, and the lease of one, which one
 * process has at a time, whatever becomes of processes and clocks.
 */


#include <signal.h>
#include <unistd.h>
#include <sys/mman.h>

#include <lmdb.h>

#include "lead_record.h"
#include "store_hook.h"


#define SPAN  (60 * 1000000LL)


static int64_t
lease(store_t *s, uint32_t endpoint)
{
    int64_t  until;

    until = -2;

    assert_int_equal(lead_store_lease(s->store, &endpoint, 1, SPAN, &until,
                                      &s->e), LEAD_OK);
    return until;
}


static void
release(store_t *s, uint32_t endpoint)
{
    assert_int_equal(lead_store_release(s->store, &endpoint, 1, &s->e),
                     LEAD_OK);
}


/* writes, or with NULL removes, an endpoint's state beneath the engine */

static void
raw_state(store_t *s, uint32_t endpoint, lead_record_endpoint_t *state)
{
    int       rc;
    uint8_t   key[LEAD_RECORD_ENDPOINT_KEY], row[LEAD_RECORD_ENDPOINT_LEN];
    MDB_env  *env;
    MDB_txn  *txn;
    MDB_dbi   dbi;
    MDB_val   k, v;

    store_close(s);

    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 32), 0);
    assert_int_equal(mdb_env_open(env, s->file, MDB_NOSUBDIR, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, "counters", 0, &dbi), 0);

    lead_record_endpoint_key(key, endpoint);
    k.mv_data = key;
    k.mv_size = sizeof(key);

    if (state != NULL) {
        lead_record_endpoint_encode(row, state);
        v.mv_data = row;
        v.mv_size = sizeof(row);
        rc = mdb_put(txn, dbi, &k, &v, 0);

    } else {
        rc = mdb_del(txn, dbi, &k, NULL);
    }

    assert_int_equal(rc, 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);

    store_open(s);
}


typedef struct {
    int              n;
    int              most;
    lead_endpoint_t  info[8];
} list_t;


static int
list_sink(void *ctx, const lead_endpoint_t *info)
{
    list_t  *list;

    list = ctx;
    list->info[list->n++] = *info;

    return list->n == list->most;
}


static void
test_names(void **state)
{
    list_t            list;
    store_t          *s;
    uint32_t          crm, bi, of_other, found;
    lead_endpoint_t   info;

    s = *state;

    assert_int_equal(lead_store_endpoint_find(s->store, s->acme, BYTES("crm"),
                                              &found, &s->e), LEAD_NOTFOUND);
    crm = hook_endpoint(s, s->acme, "crm");
    of_other = hook_endpoint(s, s->other, "crm");
    bi = hook_endpoint(s, s->acme, "bi");

    assert_int_equal(lead_store_endpoint_find(s->store, s->acme, BYTES("crm"),
                                              &found, &s->e), LEAD_OK);
    assert_int_equal(found, crm);
    assert_int_equal(lead_store_endpoint_find(s->store, s->other,
                                              BYTES("crm"), &found, &s->e),
                     LEAD_OK);
    assert_int_equal(found, of_other);
    assert_int_equal(lead_store_endpoint_find(s->store, s->other,
                                              BYTES("bi"), &found, &s->e),
                     LEAD_NOTFOUND);
    assert_int_equal(lead_store_endpoint_find(s->store, s->acme, BYTES(""),
                                              &found, &s->e), LEAD_INVALID);

    assert_int_equal(lead_store_endpoint_get(s->store, 99, &info, &s->e),
                     LEAD_NOTFOUND);
    assert_int_equal(lead_store_endpoint_get(s->store, 0, &info, &s->e),
                     LEAD_NOTFOUND);

    (void) hook_insert(s, &bi, 1);

    memset(&list, 0, sizeof(list));
    assert_int_equal(lead_store_endpoints(s->store, 0, list_sink, &list,
                                          &s->e), LEAD_OK);
    assert_int_equal(list.n, 3);
    assert_int_equal(list.info[0].endpoint, crm);
    assert_int_equal(list.info[0].account, s->acme);
    assert_string_equal(list.info[0].name, "crm");
    assert_int_equal(list.info[1].endpoint, of_other);
    assert_int_equal(list.info[1].account, s->other);
    assert_string_equal(list.info[2].name, "bi");
    assert_int_equal(list.info[2].pending, 1);
    assert_int_equal(list.info[2].due, store_now);

    memset(&list, 0, sizeof(list));
    assert_int_equal(lead_store_endpoints(s->store, s->acme, list_sink, &list,
                                          &s->e), LEAD_OK);
    assert_int_equal(list.n, 2);
    assert_int_equal(list.info[1].endpoint, bi);

    memset(&list, 0, sizeof(list));
    list.most = 1;
    assert_int_equal(lead_store_endpoints(s->store, 0, list_sink, &list,
                                          &s->e), LEAD_OK);
    assert_int_equal(list.n, 1);

    memset(&list, 0, sizeof(list));
    assert_int_equal(lead_store_endpoints(s->store, 99, list_sink, &list,
                                          &s->e), LEAD_OK);
    assert_int_equal(list.n, 0);
}


static void
test_lease(void **state)
{
    size_t            n;
    store_t          *s;
    int64_t           until[4];
    uint32_t          e[4];
    lead_endpoint_t   info;

    s = *state;
    e[0] = hook_endpoint(s, s->acme, "a");
    e[1] = hook_endpoint(s, s->acme, "b");
    e[2] = 99;
    e[3] = hook_endpoint(s, s->other, "c");

    assert_int_equal(lead_store_endpoint_set(s->store, e[1],
                                             LEAD_ENDPOINT_DISABLED, &s->e),
                     LEAD_OK);
    store_now += 7;

    assert_int_equal(lead_store_lease(s->store, e, 4, SPAN, until, &s->e),
                     LEAD_OK);
    assert_int_equal(until[0], store_now + SPAN);
    assert_int_equal(until[1], 0);
    assert_int_equal(until[2], 0);
    assert_int_equal(until[3], store_now + SPAN);

    info = hook_info(s, e[0]);
    assert_int_equal(info.lease, store_now + SPAN);
    assert_int_equal(info.mine, 1);
    assert_int_equal(hook_info(s, e[1]).lease, 0);
    assert_int_equal(hook_info(s, e[1]).mine, 0);

    /* renewed, also when it is over */

    store_now += 5;
    assert_int_equal(lease(s, e[0]), store_now + SPAN);
    assert_int_equal(hook_info(s, e[3]).lease, store_now + SPAN - 5);

    store_now += 2 * SPAN;
    info = hook_info(s, e[0]);
    assert_int_equal(info.lease, 0);
    assert_int_equal(info.mine, 0);
    assert_int_equal(lease(s, e[0]), store_now + SPAN);

    /* not once it is disabled; what is left of it is released */

    assert_int_equal(lead_store_endpoint_set(s->store, e[0],
                                             LEAD_ENDPOINT_FAILING, &s->e),
                     LEAD_OK);
    assert_int_equal(lease(s, e[0]), 0);
    assert_int_equal(hook_info(s, e[0]).mine, 1);

    assert_int_equal(lead_store_release(s->store, e, 4, &s->e), LEAD_OK);

    for (n = 0; n < 4; n++) {
        if (n != 2) {
            assert_int_equal(hook_info(s, e[n]).lease, 0);
            assert_int_equal(hook_info(s, e[n]).mine, 0);
        }
    }

    assert_int_equal(lease(s, 0), 0);
    assert_int_equal(lead_store_lease(s->store, e, 0, SPAN, until, &s->e),
                     LEAD_OK);
    assert_int_equal(lead_store_release(s->store, e, 0, &s->e), LEAD_OK);
    assert_int_equal(lead_store_lease(s->store, e, 1, 0, until, &s->e),
                     LEAD_INVALID);
    assert_int_equal(lead_store_lease(s->store, e, 1, LEAD_LEASE_MAX + 1,
                                      until, &s->e), LEAD_INVALID);
    assert_int_equal(lead_store_lease(s->store, &e[3], 1, LEAD_LEASE_MAX,
                                      until, &s->e), LEAD_OK);
    assert_int_equal(until[0], store_now + LEAD_LEASE_MAX);

    /* another handle of this process is that of one that is gone */

    store_reopen(s);
    assert_int_equal(hook_info(s, e[3]).lease, 0);
    release(s, e[3]);
    assert_int_equal(lease(s, e[3]), store_now + SPAN);
    assert_int_equal(hook_info(s, e[3]).mine, 1);
    assert_int_equal(store_findings(s), 0);

    /* where there is none to be had, nothing is written */

    store_close(s);
    s->opts.readonly = 1;
    store_open(s);
    assert_int_equal(lease(s, e[1]), 0);
    release(s, e[3]);
    assert_int_equal(lead_store_lease(s->store, &e[3], 1, SPAN, until, &s->e),
                     LEAD_ACCESS);
    assert_int_equal(until[0], 0);
    s->opts.readonly = 0;
    store_reopen(s);
}


/* a clock that was wrong, in either direction, keeps nobody out */

static void
test_clock(void **state)
{
    pid_t                    pid;
    store_t                 *s;
    uint32_t                 e;
    lead_record_endpoint_t   raw;

    s = *state;
    e = hook_endpoint(s, s->acme, "crm");

    pid = fork();

    if (pid == 0) {
        (void) pause();
        _exit(0);
    }

    assert_true(pid > 0);

    /* of a process that is alive */

    memset(&raw, 0, sizeof(raw));
    raw.process = (uint32_t) pid;
    raw.until = store_now + 300000000;
    raw_state(s, e, &raw);
    assert_int_equal(lease(s, e), 0);
    assert_int_equal(hook_info(s, e).lease, raw.until);
    assert_int_equal(hook_info(s, e).mine, 0);
    release(s, e);
    assert_int_equal(lease(s, e), 0);

    /* set forth */

    store_now += 299999999;
    assert_int_equal(lease(s, e), 0);
    store_now += 1;
    assert_int_equal(hook_info(s, e).lease, 0);
    assert_int_equal(lease(s, e), store_now + SPAN);

    /* set back, and its end is out of reach */

    raw_state(s, e, &raw);
    store_now = raw.until - LEAD_LEASE_MAX;
    assert_int_equal(lease(s, e), 0);
    store_now -= 1;
    assert_int_equal(hook_info(s, e).lease, 0);
    assert_int_equal(lease(s, e), store_now + SPAN);

    /* one's own is so as well, and is had again */

    store_now -= 2 * LEAD_LEASE_MAX;
    assert_int_equal(hook_info(s, e).lease, 0);
    assert_int_equal(hook_info(s, e).mine, 0);
    assert_int_equal(lease(s, e), store_now + SPAN);
    assert_int_equal(hook_info(s, e).mine, 1);

    /* no process */

    raw.process = 0;
    raw.until = store_now + SPAN;
    raw_state(s, e, &raw);
    assert_int_equal(lease(s, e), store_now + SPAN);

    raw.process = UINT32_MAX;
    raw_state(s, e, &raw);
    assert_int_equal(lease(s, e), store_now + SPAN);

    /* one that was alive */

    raw.process = (uint32_t) pid;
    raw_state(s, e, &raw);
    assert_int_equal(lease(s, e), 0);
    assert_int_equal(kill(pid, SIGKILL), 0);
    hook_wait(pid, 1);
    assert_int_equal(lease(s, e), store_now + SPAN);
    assert_int_equal(store_findings(s), 0);
}


/* takes the lease, says so, and holds it until it is told */

static void
holder(store_t *s, uint32_t endpoint, int go, int told, int back)
{
    char      c;
    int64_t   until;

    s = hook_child(s);

    if (lead_store_lease(s->store, &endpoint, 1, SPAN, &until, &s->e)
        != LEAD_OK || until == 0)
    {
        _exit(2);
    }

    (void) !write(go, "x", 1);

    if (read(told, &c, 1) != 1) {
        _exit(3);
    }

    if (back && lead_store_release(s->store, &endpoint, 1, &s->e) != LEAD_OK) {
        _exit(4);
    }

    store_close(s);
    _exit(0);
}


static void
test_two(void **state)
{
    int               go[2], told[2], how;
    char              c;
    pid_t             pid;
    store_t          *s;
    uint32_t          e;
    lead_endpoint_t   info;

    s = *state;
    e = hook_endpoint(s, s->acme, "crm");

    /* 0: gives it back; 1: ends without; 2: is killed */

    for (how = 0; how < 3; how++) {
        assert_int_equal(pipe(go), 0);
        assert_int_equal(pipe(told), 0);

        pid = fork();

        if (pid == 0) {
            holder(s, e, go[1], told[0], how == 0);
        }

        (void) close(go[1]);
        (void) close(told[0]);

        assert_int_equal(read(go[0], &c, 1), 1);

        assert_int_equal(lease(s, e), 0);
        info = hook_info(s, e);
        assert_int_equal(info.lease, store_now + SPAN);
        assert_int_equal(info.mine, 0);

        release(s, e);
        assert_int_equal(hook_info(s, e).lease, store_now + SPAN);

        if (how == 2) {
            assert_int_equal(kill(pid, SIGKILL), 0);

        } else {
            assert_int_equal(write(told[1], "x", 1), 1);
        }

        hook_wait(pid, how == 2);

        assert_int_equal(hook_info(s, e).lease, 0);
        assert_int_equal(lease(s, e), store_now + SPAN);
        assert_int_equal(hook_info(s, e).mine, 1);
        release(s, e);
        assert_int_equal(hook_info(s, e).lease, 0);

        (void) close(go[0]);
        (void) close(told[1]);
    }
}


/* many at once: never two have it, and each gets it */

static void
contender(store_t *s, uint32_t endpoint, int *holders)
{
    int      i;
    int64_t  until;

    s = hook_child(s);

    for (i = 0; i < 25; /* void */ ) {

        if (lead_store_lease(s->store, &endpoint, 1, SPAN, &until, &s->e)
            != LEAD_OK)
        {
            _exit(2);
        }

        if (until == 0) {
            (void) usleep(100);
            continue;
        }

        if (__atomic_add_fetch(holders, 1, __ATOMIC_SEQ_CST) != 1) {
            _exit(3);
        }

        (void) usleep(200);

        if (__atomic_sub_fetch(holders, 1, __ATOMIC_SEQ_CST) != 0) {
            _exit(4);
        }

        if (lead_store_release(s->store, &endpoint, 1, &s->e) != LEAD_OK) {
            _exit(5);
        }

        i++;
    }

    store_close(s);
    _exit(0);
}


static void
test_race(void **state)
{
    int        i, *holders;
    pid_t      pid[4];
    store_t   *s;
    uint32_t   e;

    s = *state;
    e = hook_endpoint(s, s->acme, "crm");

    holders = mmap(NULL, sizeof(int), PROT_READ|PROT_WRITE,
                   MAP_SHARED|MAP_ANONYMOUS, -1, 0);
    assert_true(holders != MAP_FAILED);

    for (i = 0; i < 4; i++) {
        pid[i] = fork();

        if (pid[i] == 0) {
            contender(s, e, holders);
        }
    }

    for (i = 0; i < 4; i++) {
        hook_wait(pid[i], 0);
    }

    assert_int_equal(hook_info(s, e).lease, 0);
    (void) munmap(holders, sizeof(int));
}


static void
test_set(void **state)
{
    size_t              i;
    store_t            *s;
    uint32_t            crm, bi;
    hook_due_t         *due;
    hook_event_t        first;
    lead_attempt_t      a;
    lead_endpoint_t     info;
    lead_outbox_row_t   row;

    s = *state;
    crm = hook_endpoint(s, s->acme, "crm");
    bi = hook_endpoint(s, s->acme, "bi");

    assert_int_equal(lead_store_endpoint_set(s->store, 99,
                                             LEAD_ENDPOINT_DISABLED, &s->e),
                     LEAD_NOTFOUND);
    assert_int_equal(lead_store_endpoint_set(s->store, 0,
                                             LEAD_ENDPOINT_DISABLED, &s->e),
                     LEAD_NOTFOUND);
    assert_int_equal(lead_store_endpoint_set(s->store, crm,
                                             LEAD_ENDPOINT_FAILING + 1,
                                             &s->e), LEAD_INVALID);

    first = hook_insert(s, &crm, 1);
    row = hook_row(s, crm, first.event);

    store_now += 10;
    a = hook_attempt(&row, LEAD_RETRY);
    a.state = LEAD_ENDPOINT_GONE;
    assert_int_equal(lead_store_settle(s->store, &a, 1, &s->e), LEAD_OK);
    info = hook_info(s, crm);
    assert_int_equal(info.state, LEAD_ENDPOINT_GONE);
    assert_int_equal(info.changed, store_now);
    assert_int_equal(info.failing, store_now);

    /* one that is not enabled is not made anything else by an attempt */

    store_now += 10;
    a.state = LEAD_ENDPOINT_FAILING;
    assert_int_equal(lead_store_settle(s->store, &a, 1, &s->e), LEAD_OK);
    info = hook_info(s, crm);
    assert_int_equal(info.state, LEAD_ENDPOINT_GONE);
    assert_int_equal(info.changed, store_now - 10);

    /* what waits for later becomes due, what was given up does not, nor what
     * waits elsewhere */

    hook_fill(s, crm, 1300);

    for (i = 0; i < 30; i++) {
        due = hook_due(s, crm, NULL, 0, 50);
        a = hook_attempt(&due->rows[i], LEAD_RETRY);
        a.retry = store_now + STORE_HOUR + (int64_t) (i % 3);
        assert_int_equal(lead_store_settle(s->store, &a, 1, &s->e), LEAD_OK);
    }

    due = hook_due(s, crm, NULL, 0, 1);
    hook_settle(s, &due->rows[0], LEAD_GIVE_UP);
    row = hook_row(s, bi, hook_insert(s, &bi, 1).event);
    hook_settle(s, &row, LEAD_RETRY);

    hook_counts(s, crm, 1300, 1, 0);
    due = hook_due(s, crm, NULL, 0, 0);
    assert_int_equal(due->n, 1269);

    store_now += 5;
    assert_int_equal(lead_store_endpoint_set(s->store, crm,
                                             LEAD_ENDPOINT_ENABLED, &s->e),
                     LEAD_OK);
    info = hook_info(s, crm);
    assert_int_equal(info.state, LEAD_ENDPOINT_ENABLED);
    assert_int_equal(info.changed, store_now);
    assert_int_equal(info.failing, 0);
    hook_counts(s, crm, 1300, 1, 0);

    due = hook_due(s, crm, NULL, 0, 0);
    assert_int_equal(due->n, 1300);
    assert_true(due->next == LEAD_NEVER);
    assert_int_equal(hook_due(s, bi, NULL, 0, 0)->n, 0);

    /* more than a transaction moves; attempts stay as they were counted */

    store_now -= 100;
    due = hook_due(s, crm, NULL, 0, 0);
    assert_int_equal(due->n, 1269);     /* those that were never tried */
    assert_int_equal(hook_info(s, crm).due, store_now);
    assert_int_equal(lead_store_endpoint_set(s->store, crm,
                                             LEAD_ENDPOINT_ENABLED, &s->e),
                     LEAD_OK);
    assert_int_equal(hook_info(s, crm).changed, store_now + 100);
    due = hook_due(s, crm, NULL, 0, 0);
    assert_int_equal(due->n, 1300);
    assert_int_equal(due->rows[0].event, first.event);
    assert_int_equal(due->rows[0].attempts, 1);
    hook_counts(s, crm, 1300, 1, 0);
    assert_int_equal(store_findings(s), 0);

    store_close(s);
    s->opts.readonly = 1;
    store_open(s);
    assert_int_equal(lead_store_endpoint_set(s->store, crm,
                                             LEAD_ENDPOINT_DISABLED, &s->e),
                     LEAD_ACCESS);
    s->opts.readonly = 0;
    store_reopen(s);
}


typedef struct {
    int  n;
} seen_t;


static int
seen_lead(void *ctx, const lead_t *lead)
{
    ((seen_t *) ctx)->n++;

    return 0;
}


static int
seen_event(void *ctx, const lead_event_row_t *event)
{
    ((seen_t *) ctx)->n++;

    return 0;
}


static void
test_test(void **state)
{
    char               *big;
    seen_t              seen;
    store_t            *s;
    uint32_t            crm, bi;
    uint64_t            event, n;
    lead_id_t           nobody, next;
    lead_stat_t         stat;
    hook_due_t         *due;
    lead_list_t         list;
    lead_bytes_t        doc;

    s = *state;
    crm = hook_endpoint(s, s->acme, "crm");
    bi = hook_endpoint(s, s->acme, "bi");

    assert_int_equal(lead_store_endpoint_test(s->store, crm,
                                              BYTES("{\"t\":1}"), &event,
                                              &s->e), LEAD_OK);
    hook_counts(s, crm, 1, 0, 0);
    hook_counts(s, bi, 0, 0, 0);

    memset(&nobody, 0, sizeof(nobody));

    due = hook_due(s, crm, NULL, 0, 0);
    assert_int_equal(due->n, 1);
    assert_int_equal(due->rows[0].event, event);
    assert_int_equal(due->rows[0].account, s->acme);
    assert_id_equal(due->rows[0].lead, nobody);
    assert_string_equal(due->types[0], "webhook.test");
    assert_string_equal(due->docs[0], "{\"t\":1}");
    assert_int_equal(due->times[0], store_now);

    /* it is nobody's: no list and no history has it */

    memset(&list, 0, sizeof(list));
    list.account = s->acme;
    list.slice = 10;
    list.sink = seen_lead;
    list.ctx = &seen;
    seen.n = 0;
    assert_int_equal(lead_store_list(s->store, &list, &next, &s->e), LEAD_OK);
    assert_int_equal(lead_store_events(s->store, s->acme, &nobody, seen_event,
                                       &seen, &s->e), LEAD_OK);
    assert_int_equal(seen.n, 0);
    assert_int_equal(lead_store_stat(s->store, &stat, &s->e), LEAD_OK);
    assert_int_equal(stat.leads, 0);
    assert_int_equal(stat.events, 1);
    assert_int_equal(store_findings(s), 0);

    /* the next event is another */

    assert_true(hook_insert(s, &crm, 1).event > event);

    big = malloc(LEAD_DOC_MAX + 1);
    assert_non_null(big);
    memset(big, '1', LEAD_DOC_MAX + 1);
    doc.data = (uint8_t *) big;
    doc.len = LEAD_DOC_MAX + 1;
    assert_int_equal(lead_store_endpoint_test(s->store, crm, doc, &n, &s->e),
                     LEAD_TOOBIG);
    doc.len = LEAD_DOC_MAX;
    assert_int_equal(lead_store_endpoint_test(s->store, crm, doc, &n, &s->e),
                     LEAD_OK);
    doc.data = NULL;
    assert_int_equal(lead_store_endpoint_test(s->store, crm, doc, &n, &s->e),
                     LEAD_INVALID);
    assert_int_equal(lead_store_endpoint_test(s->store, 99, BYTES("{}"), &n,
                                              &s->e), LEAD_NOTFOUND);
    assert_int_equal(lead_store_endpoint_test(s->store, 0, BYTES("{}"), &n,
                                              &s->e), LEAD_NOTFOUND);
    hook_counts(s, crm, 3, 0, 0);
    assert_int_equal(store_findings(s), 0);
    free(big);
}


/* a store of a time without states: its rows are counted when they change */

static void
test_uncounted(void **state)
{
    store_t            *s;
    uint32_t            crm, bi;
    lead_stat_t         stat;
    lead_outbox_row_t   row;

    s = *state;
    crm = hook_endpoint(s, s->acme, "crm");
    bi = hook_endpoint(s, s->acme, "bi");

    hook_fill(s, bi, 5);
    hook_fill(s, crm, 3);
    row = hook_due(s, crm, NULL, 0, 0)->rows[1];
    hook_settle(s, &row, LEAD_GIVE_UP);

    raw_state(s, crm, NULL);
    assert_int_equal(store_findings(s), 0);
    assert_int_equal(lead_store_stat(s->store, &stat, &s->e), LEAD_OK);
    assert_int_equal(hook_info(s, crm).state, LEAD_ENDPOINT_ENABLED);
    assert_int_equal(hook_due(s, crm, NULL, 0, 0)->n, 2);

    hook_fill(s, crm, 2);
    hook_counts(s, crm, 4, 1, 0);
    assert_int_equal(store_findings(s), 0);

    raw_state(s, crm, NULL);
    row = hook_due(s, crm, NULL, 0, 0)->rows[0];
    hook_settle(s, &row, LEAD_DELIVERED);
    hook_counts(s, crm, 3, 1, 1);

    raw_state(s, crm, NULL);
    assert_int_equal(lease(s, crm), store_now + SPAN);
    hook_counts(s, crm, 3, 1, 0);
    hook_counts(s, bi, 5, 0, 0);
    assert_int_equal(store_findings(s), 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_names, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_lease, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_clock, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_two, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_race, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_set, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_test, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_uncounted, store_setup,
                                        store_teardown)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
