
/*
 * Copyright (C) the ngx_lead authors
 *
 * The life of the environment: full maps and failing disks, opening again, and
 * threads side by side.
 */


#include <errno.h>
#include <pthread.h>
#include <unistd.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>

#include "store_util.h"


/* a disk that fails: these stand in for libc's where LMDB calls them */

static int  fail_sync;
static int  fail_meta;
static int  fail_room;


int fdatasync(int fd);
ssize_t pwrite(int fd, const void *buf, size_t n, off_t offset);
int statvfs(const char *path, struct statvfs *vfs);


int
fdatasync(int fd)
{
    if (fail_sync) {
        errno = fail_sync;
        return -1;
    }

    return (int) syscall(SYS_fdatasync, fd);
}


ssize_t
pwrite(int fd, const void *buf, size_t n, off_t offset)
{
    int  err;

    err = __atomic_load_n(&fail_meta, __ATOMIC_ACQUIRE);

    if (err && n < 4096) {
        errno = err;
        return -1;
    }

    return syscall(SYS_pwrite64, fd, buf, n, offset);
}


int
statvfs(const char *path, struct statvfs *vfs)
{
    memset(vfs, 0, sizeof(struct statvfs));

    vfs->f_frsize = 4096;
    vfs->f_bavail = fail_room ? 255 : 1000000;

    return 0;
}


/* the map is full: what was acknowledged is there, and goes on when there is
 * room again */

static void
test_full(void **state)
{
    int            n, full;
    op_t          *op;
    char           doc[4001];
    store_t       *s;
    lead_id_t      ids[2000];
    lead_stat_t    stat;
    store_lead_t   got;

    s = *state;

    store_close(s);
    (void) unlink(s->file);
    s->opts.size = LEAD_SIZE_MIN;
    store_open(s);

    assert_int_equal(lead_store_account(s->store, BYTES("acme"), &s->acme,
                                        &s->e), LEAD_OK);

    memset(doc, '1', 4000);
    doc[4000] = '\0';

    for (n = 0, full = 0; full < 3; /* void */ ) {
        assert_true(n < 2000);

        op = op_new(s->acme, doc);

        switch (op_commit_many(s, &op, 1)) {

        case LEAD_OK:
            ids[n++] = op->op.leads->id;
            break;

        case LEAD_FULL:
            full++;
            assert_non_null(strstr(s->e.text, "size="));
            break;

        default:
            fail_msg("%s", s->e.text);
        }

        op_free(op);
    }

    assert_true(n > 50);
    assert_int_equal(store_leads(s), n);
    assert_int_equal(store_findings(s), 0);
    assert_int_equal(lead_store_stat(s->store, &stat, &s->e), LEAD_OK);
    assert_int_equal(stat.size, LEAD_SIZE_MIN);

    while (n--) {
        assert_true(store_get_id(s, s->acme, &ids[n], &got));
        assert_doc(got.lead, doc);
    }

    store_close(s);
    s->opts.size = STORE_SIZE;
    store_open(s);
    (void) store_insert(s, s->acme, doc, 0, NULL, NULL);
    assert_int_equal(store_findings(s), 0);

    /* a size below what is used is no obstacle */

    for (n = 0; n < 150; n++) {
        (void) store_insert(s, s->acme, doc, 0, NULL, NULL);
    }

    store_close(s);
    s->opts.size = LEAD_SIZE_MIN;
    store_open(s);
    assert_true(store_get_id(s, s->acme, &ids[0], &got));
}


/* the disk fails: that commit is not, the store is opened again and goes on */

static void
test_disk(void **state)
{
    int            i;
    op_t          *op;
    store_t       *s;
    lead_id_t      id;
    lead_rc_t      rc;
    store_lead_t   got;

    s = *state;

    id = store_insert(s, s->acme, "{}", 1, "a", NULL);

    for (i = 0; i < 6; i++) {
        op = op_new(s->acme, "{}");

        /* the last two: a short write, which LMDB calls EIO */

        fail_sync = i == 0 || i == 4 ? EIO : i == 1 ? ENOSPC : 0;
        fail_meta = i == 2 || i == 5 ? EIO : i == 3 ? EROFS : 0;
        fail_room = i >= 4;

        rc = op_commit_many(s, &op, 1);

        fail_sync = 0;
        fail_meta = 0;
        fail_room = 0;

        op_free(op);

        assert_int_equal(rc, i == 1 || i >= 4 ? LEAD_FULL
                             : i == 3 ? LEAD_ACCESS : LEAD_IO);
        assert_int_equal(s->e.err, i == 1 ? ENOSPC : i == 3 ? EROFS : EIO);

        /* a read first, then a write, and the other way round */

        if (i % 2 == 0) {
            assert_true(store_get_id(s, s->acme, &id, &got));
        }

        (void) store_insert(s, s->acme, "{}", 1, "a", NULL);
        assert_true(store_get_id(s, s->acme, &id, &got));
        assert_int_equal(store_leads(s), i + 2);
        assert_int_equal(store_findings(s), 0);
    }
}


/* as long as it cannot be opened again, calls fail, and then no more */

static void
test_disk_gone(void **state)
{
    op_t               *op;
    char                away[320];
    store_t            *s;
    lead_id_t           id;
    lead_find_t         find;
    lead_store_t       *stranger;
    store_lead_t        got;
    lead_store_opts_t   other;

    s = *state;

    id = store_insert(s, s->acme, "{}", 1, "a", NULL);

    op = op_new(s->acme, "{}");
    fail_sync = EIO;
    assert_int_equal(op_commit_many(s, &op, 1), LEAD_IO);
    fail_sync = 0;

    (void) snprintf(away, sizeof(away), "%s.away", s->file);
    assert_int_equal(rename(s->file, away), 0);

    assert_int_equal(op_commit_many(s, &op, 1), LEAD_NOTFOUND);

    memset(&find, 0, sizeof(find));
    find.by = LEAD_BY_ID;
    find.id = id;
    assert_int_equal(lead_store_get(s->store, s->acme, &find, NULL, NULL,
                                    &s->e), LEAD_NOTFOUND);

    /* another store is not taken for it */

    other = s->opts;
    assert_int_equal(lead_store_open(s->dir, &other, &stranger, &s->e),
                     LEAD_OK);
    lead_store_close(stranger);
    assert_int_equal(op_commit_many(s, &op, 1), LEAD_FOREIGN);

    assert_int_equal(rename(away, s->file), 0);
    assert_int_equal(op_commit_many(s, &op, 1), LEAD_OK);
    assert_true(store_get_id(s, s->acme, &id, &got));
    op_free(op);
}


/* while another thread reads the store cannot be opened again: who must not
 * wait is told so, who may waits */

typedef struct {
    store_t          *s;
    pthread_mutex_t   hold;
    int               inside;
} slow_t;


static int
slow_sink(void *ctx, const lead_t *lead)
{
    slow_t  *slow;

    slow = ctx;

    __atomic_store_n(&slow->inside, 1, __ATOMIC_RELEASE);

    (void) pthread_mutex_lock(&slow->hold);
    (void) pthread_mutex_unlock(&slow->hold);

    return 0;
}


static void *
slow_reader(void *data)
{
    slow_t        *slow;
    lead_id_t      next;
    lead_list_t    list;
    lead_error_t   e;

    slow = data;

    memset(&list, 0, sizeof(list));
    list.account = slow->s->acme;
    list.slice = 1;
    list.sink = slow_sink;
    list.ctx = slow;

    (void) lead_store_list(slow->s->store, &list, &next, &e);

    return NULL;
}


static void
test_busy(void **state)
{
    op_t          *op;
    slow_t         slow;
    store_t       *s;
    pthread_t      thread;
    lead_id_t      id;
    lead_key_t     key;
    lead_find_t    find;
    store_lead_t   got;

    s = *state;

    id = store_insert(s, s->acme, "{}", 0, NULL, NULL);

    slow.s = s;
    slow.inside = 0;
    assert_int_equal(pthread_mutex_init(&slow.hold, NULL), 0);
    assert_int_equal(pthread_mutex_lock(&slow.hold), 0);
    assert_int_equal(pthread_create(&thread, NULL, slow_reader, &slow), 0);

    while (!__atomic_load_n(&slow.inside, __ATOMIC_ACQUIRE)) {
        (void) usleep(100);
    }

    op = op_new(s->acme, "{}");
    fail_sync = EIO;
    assert_int_equal(op_commit_many(s, &op, 1), LEAD_IO);
    fail_sync = 0;

    memset(&find, 0, sizeof(find));
    find.by = LEAD_BY_ID;
    find.id = id;
    assert_int_equal(lead_store_get(s->store, s->acme, &find, NULL, NULL,
                                    &s->e), LEAD_BUSY);
    assert_int_equal(lead_store_key_find(s->store, BYTES("x"), &key, &s->e),
                     LEAD_BUSY);

    assert_int_equal(pthread_mutex_unlock(&slow.hold), 0);
    assert_int_equal(op_commit_many(s, &op, 1), LEAD_OK);
    assert_true(store_get_id(s, s->acme, &id, &got));

    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(pthread_mutex_destroy(&slow.hold), 0);
    op_free(op);
}


/* readers and writers of one process side by side, with a failing disk */

typedef struct {
    store_t     *s;
    lead_id_t    id;
    int          stop;
    int          failed;
    uint64_t     done;
} worker_t;


static int
no_sink(void *ctx, const lead_t *lead)
{
    return 0;
}


static void *
reader(void *data)
{
    worker_t      *w;
    lead_rc_t      rc;
    lead_find_t    find;
    lead_error_t   e;

    w = data;

    memset(&find, 0, sizeof(find));
    find.by = LEAD_BY_ID;
    find.id = w->id;

    while (!__atomic_load_n(&w->stop, __ATOMIC_ACQUIRE)) {
        rc = lead_store_get(w->s->store, w->s->acme, &find, no_sink, NULL,
                            &e);

        if (rc != LEAD_OK && rc != LEAD_BUSY) {
            w->failed = (int) rc;
        }

        w->done++;

        /* under valgrind, one thread runs at a time */

        (void) usleep(100);
    }

    return NULL;
}


static void *
committer(void *data)
{
    int            i;
    op_t          *op;
    lead_op_t     *list;
    worker_t      *w;
    lead_error_t   e;

    w = data;

    for (i = 0; i < 200; i++) {
        op = op_new(w->s->acme, "{}");
        list = &op->op;

        switch (lead_store_commit(w->s->store, &list, 1, &e)) {

        case LEAD_OK:
            w->done++;
            break;

        case LEAD_IO:
            break;

        default:
            w->failed = (int) e.rc;
        }

        op_free(op);
    }

    return NULL;
}


static void
test_threads(void **state)
{
    int         i;
    store_t    *s;
    worker_t    readers[2], writers[2];
    pthread_t   rt[2], wt[2];

    s = *state;

    memset(readers, 0, sizeof(readers));
    memset(writers, 0, sizeof(writers));

    readers[0].id = store_insert(s, s->acme, "{}", 0, NULL, NULL);
    readers[1].id = readers[0].id;

    for (i = 0; i < 2; i++) {
        readers[i].s = s;
        writers[i].s = s;
        assert_int_equal(pthread_create(&rt[i], NULL, reader, &readers[i]),
                         0);
        assert_int_equal(pthread_create(&wt[i], NULL, committer, &writers[i]),
                         0);
    }

    for (i = 0; i < 20; i++) {
        (void) usleep(1000);
        __atomic_store_n(&fail_meta, EIO, __ATOMIC_RELEASE);
        (void) usleep(100);
        __atomic_store_n(&fail_meta, 0, __ATOMIC_RELEASE);
    }

    for (i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(wt[i], NULL), 0);
    }

    for (i = 0; i < 2; i++) {
        __atomic_store_n(&readers[i].stop, 1, __ATOMIC_RELEASE);
        assert_int_equal(pthread_join(rt[i], NULL), 0);
        assert_int_equal(readers[i].failed, 0);
        assert_int_equal(writers[i].failed, 0);
    }

    assert_true(readers[0].done > 0);
    assert_true(store_leads(s) >= 1 + writers[0].done + writers[1].done);
    assert_int_equal(store_findings(s), 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_full, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_disk, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_disk_gone, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_busy, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_threads, store_setup,
                                        store_teardown)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
