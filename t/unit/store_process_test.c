
/*
 * Copyright (C) the ngx_lead authors
 *
 * Several processes: they write, grow the store, die in the middle or take
 * every reader slot; and a handle is its process' own.
 */


#include <signal.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <lmdb.h>

#include "store_util.h"


static void
wait_for(pid_t pid, int killed)
{
    int  status;

    assert_int_equal(waitpid(pid, &status, 0), pid);

    if (killed) {
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGKILL);

    } else {
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
}


/* a child's own handle; what it has inherited stays where it was */

static store_t *
child_open(store_t *s, uint64_t size)
{
    static store_t  child;

    child = *s;
    child.opts.size = size;

    if (lead_store_open(child.dir, &child.opts, &child.store, &child.e)
        != LEAD_OK)
    {
        _exit(1);
    }

    return &child;
}


/* both write the counters and match keys of one account */

static void
writer(store_t *s, int n)
{
    int    i;
    op_t  *op;

    s = child_open(s, STORE_SIZE);

    for (i = 0; i < n; i++) {
        op = op_new(s->acme, "{}");
        op_counter(op, "c", 1);
        op_match(op, 1, "same");

        if (op_commit_many(s, &op, 1) != LEAD_OK
            || op->op.outcome != LEAD_INSERTED)
        {
            _exit(2);
        }

        op_free(op);
    }

    store_close(s);
    _exit(0);
}


static void
test_two_writers(void **state)
{
    int        i;
    op_t      *op;
    pid_t      pid[2];
    store_t   *s;
    uint64_t   n;

    s = *state;

    store_close(s);

    for (i = 0; i < 2; i++) {
        pid[i] = fork();

        if (pid[i] == 0) {
            writer(s, 150);
        }

        assert_true(pid[i] > 0);
    }

    wait_for(pid[0], 0);
    wait_for(pid[1], 0);

    store_open(s);

    op = op_new(s->acme, "{}");
    op_counter(op, "c", 1);
    op_commit(s, op);
    assert_int_equal(op->before[0], 300);
    assert_int_equal(op->op.leads->number, 301);
    op_free(op);

    assert_int_equal(lead_store_count(s->store, s->acme, &n, &s->e), LEAD_OK);
    assert_int_equal(n, 301);
    assert_int_equal(store_findings(s), 0);
}


/* a store that is made by two at once is made once */

static void
test_two_makers(void **state)
{
    int       i, round;
    pid_t     pid[4];
    store_t  *s;

    s = *state;

    store_close(s);

    for (round = 0; round < 5; round++) {
        store_remove(s->dir);
        assert_int_equal(mkdir(s->dir, 0700), 0);

        for (i = 0; i < 4; i++) {
            pid[i] = fork();

            if (pid[i] == 0) {
                s = child_open(s, STORE_SIZE);

                if (lead_store_account(s->store, BYTES("acme"), &s->acme,
                                       &s->e)
                    != LEAD_OK || s->acme != 1)
                {
                    _exit(2);
                }

                store_close(s);
                _exit(0);
            }
        }

        for (i = 0; i < 4; i++) {
            wait_for(pid[i], 0);
        }
    }

    store_open(s);
    assert_int_equal(store_findings(s), 0);
}


static void
test_killed_writer(void **state)
{
    int        i;
    op_t      *op;
    pid_t      pid;
    store_t   *s;

    s = *state;

    for (i = 0; i < 3; i++) {
        pid = fork();

        if (pid == 0) {
            s = child_open(s, STORE_SIZE);

            op = op_new(s->acme, "{}");
            op_commit(s, op);
            op_free(op);

            op = op_new(s->acme, "{}");
            op->kill = 1;
            op_commit(s, op);
            _exit(2);
        }

        wait_for(pid, 1);

        (void) store_insert(s, s->acme, "{}", 0, NULL, NULL);
        assert_int_equal(store_leads(s), 2 * (i + 1));
        assert_int_equal(store_findings(s), 0);
    }
}


static int
kill_sink(void *ctx, const lead_t *lead)
{
    (void) kill(getpid(), SIGKILL);

    return 0;
}


static void
test_killed_readers(void **state)
{
    int           i;
    pid_t         pid;
    store_t      *s;
    lead_id_t     id;
    lead_find_t   find;
    lead_stat_t   before, after;

    s = *state;

    id = store_insert(s, s->acme, "{}", 0, NULL, NULL);

    memset(&find, 0, sizeof(find));
    find.by = LEAD_BY_ID;
    find.id = id;

    for (i = 0; i < 3; i++) {
        pid = fork();

        if (pid == 0) {
            s = child_open(s, STORE_SIZE);
            (void) lead_store_get(s->store, s->acme, &find, kill_sink, NULL,
                                  &s->e);
            _exit(1);
        }

        wait_for(pid, 1);
    }

    assert_int_equal(lead_store_stat(s->store, &before, &s->e), LEAD_OK);
    assert_true(before.readers >= 2);
    assert_int_equal(lead_store_sweep(s->store, &s->e), LEAD_OK);
    assert_int_equal(lead_store_stat(s->store, &after, &s->e), LEAD_OK);
    assert_int_equal(after.readers, 1);
}


/* another process has taken every slot, and dies */

static void
test_readers_full(void **state)
{
    int            go[2], i;
    char           c;
    pid_t          pid;
    store_t       *s;
    MDB_txn       *txn;
    MDB_env       *env;
    lead_id_t      id;
    lead_find_t    find;
    store_lead_t   got;

    s = *state;

    id = store_insert(s, s->acme, "{}", 0, NULL, NULL);
    store_reopen(s);

    assert_int_equal(pipe(go), 0);

    pid = fork();

    if (pid == 0) {
        if (mdb_env_create(&env) != 0
            || mdb_env_set_maxreaders(env, 1024) != 0
            || mdb_env_open(env, s->file, MDB_NOSUBDIR|MDB_NOTLS, 0600) != 0)
        {
            _exit(1);
        }

        for (i = 0; i < 2000; i++) {
            if (mdb_txn_begin(env, NULL, MDB_RDONLY, &txn)
                == MDB_READERS_FULL)
            {
                (void) !write(go[1], "x", 1);
                (void) pause();
            }
        }

        _exit(2);
    }

    assert_int_equal(read(go[0], &c, 1), 1);

    memset(&find, 0, sizeof(find));
    find.by = LEAD_BY_ID;
    find.id = id;
    assert_int_equal(lead_store_get(s->store, s->acme, &find, NULL, NULL,
                                    &s->e), LEAD_BUSY);

    /* writing needs no slot */

    (void) store_insert(s, s->acme, "{}", 0, NULL, NULL);

    assert_int_equal(kill(pid, SIGKILL), 0);
    wait_for(pid, 1);

    assert_true(store_get_id(s, s->acme, &id, &got));

    (void) close(go[0]);
    (void) close(go[1]);
}


/* another process has a larger size and has used it */

static void
test_resized(void **state)
{
    int            i, n;
    pid_t          pid;
    store_t       *s;
    char           doc[2001];
    lead_id_t      id;
    store_lead_t   got;

    s = *state;

    memset(doc, 'd', 2000);
    doc[2000] = '\0';

    store_close(s);
    (void) unlink(s->file);
    s->opts.size = LEAD_SIZE_MIN;
    store_open(s);
    assert_int_equal(lead_store_account(s->store, BYTES("acme"), &s->acme,
                                        &s->e), LEAD_OK);
    id = store_insert(s, s->acme, "{}", 0, NULL, NULL);
    assert_true(store_get_id(s, s->acme, &id, &got));

    for (i = 0; i < 2; i++) {
        pid = fork();

        if (pid == 0) {
            s = child_open(s, (uint64_t) STORE_SIZE << i);

            for (n = 0; n < 1000 + i * 20000; n++) {
                op_t  *op[64];
                int    k;

                for (k = 0; k < 64; k++) {
                    op[k] = op_new(s->acme, doc);
                }

                if (op_commit_many(s, op, 64) != LEAD_OK) {
                    _exit(2);
                }

                for (k = 0; k < 64; k++) {
                    op_free(op[k]);
                }

                n += 63;
            }

            store_close(s);
            _exit(0);
        }

        wait_for(pid, 0);

        if (i == 0) {
            assert_true(store_get_id(s, s->acme, &id, &got));
        }

        (void) store_insert(s, s->acme, "{}", 0, NULL, NULL);
        assert_true(store_get_id(s, s->acme, &id, &got));
    }

    assert_true(store_leads(s) > 20000);
}


static void
test_other_process(void **state)
{
    op_t        *op;
    pid_t        pid;
    store_t     *s;
    lead_stat_t  stat;

    s = *state;

    op = op_new(s->acme, "{}");

    pid = fork();

    if (pid == 0) {
        if (op_commit_many(s, &op, 1) != LEAD_INVALID
            || lead_store_stat(s->store, &stat, &s->e) != LEAD_INVALID
            || lead_store_sweep(s->store, &s->e) != LEAD_INVALID)
        {
            _exit(1);
        }

        lead_store_close(s->store);
        _exit(0);
    }

    wait_for(pid, 0);

    assert_int_equal(op_commit_many(s, &op, 1), LEAD_OK);
    assert_int_equal(store_findings(s), 0);
    op_free(op);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_two_writers, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_two_makers, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_killed_writer, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_killed_readers, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_readers_full, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_resized, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_other_process, store_setup,
                                        store_teardown)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
