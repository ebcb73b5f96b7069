
/*
 * Copyright (C) the ngx_lead authors
 *
 * Opening: what is made and with which owner and mode, what is refused and
 * left as it was, files that are cut short, reading only.
 */


#include <time.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <lmdb.h>

#include "store_util.h"


static void
write_file(const char *path, const void *data, size_t len)
{
    FILE  *f;

    f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}


static lead_rc_t
try_open(store_t *s, const char *url, const lead_store_opts_t *opts)
{
    lead_rc_t  rc;

    memset(&s->e, 0, sizeof(s->e));

    rc = lead_store_open(url, opts, &s->store, &s->e);

    if (rc != LEAD_OK) {
        assert_null(s->store);
        assert_int_equal(s->e.rc, rc);
        assert_true(s->e.text[0] != '\0');
        assert_true(strlen(s->e.text) < sizeof(s->e.text));

    } else {
        store_close(s);
    }

    return rc;
}


/* a size is remembered with what is written */

static void
test_size(void **state)
{
    int          i;
    store_t     *s;
    lead_stat_t  st;

    static const struct {
        uint64_t  asked;
        uint64_t  got;
    } sizes[] = {
        { 128 << 20, 128 << 20 }, { 0, 128 << 20 }, { 0, 128 << 20 }
    };

    s = *state;

    for (i = 0; i < 3; i++) {
        store_close(s);

        s->opts.size = sizes[i].asked;
        s->opts.create = 0;

        store_open(s);
        (void) store_insert(s, s->acme, "{}", 0, NULL, NULL);

        assert_int_equal(lead_store_stat(s->store, &st, &s->e), LEAD_OK);
        assert_int_equal(st.size, sizes[i].got);
    }

    store_close(s);
    store_remove(s->dir);
    assert_int_equal(mkdir(s->dir, 0700), 0);

    s->opts.size = 0;
    s->opts.create = 1;

    store_open(s);
    assert_int_equal(lead_store_stat(s->store, &st, &s->e), LEAD_OK);
    assert_int_equal(st.size, LEAD_SIZE_DEFAULT);
}


static void
test_open(void **state)
{
    char                url[300], big[4097];
    store_t            *s;
    struct stat         st;
    lead_store_opts_t   opts;

    s = *state;

    store_close(s);

    (void) snprintf(url, sizeof(url), "lmdb:%s", s->dir);
    assert_int_equal(try_open(s, url, &s->opts), LEAD_OK);

    assert_int_equal(stat(s->file, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    (void) snprintf(url, sizeof(url), "%s/lead.mdb-lock", s->dir);
    assert_int_equal(stat(url, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);

    assert_int_equal(try_open(s, "postgresql://host/db", &s->opts),
                     LEAD_INVALID);
    assert_int_equal(try_open(s, "", &s->opts), LEAD_INVALID);
    assert_int_equal(try_open(s, "lmdb:", &s->opts), LEAD_INVALID);

    opts = s->opts;
    opts.size = LEAD_SIZE_MIN - 1;
    assert_int_equal(try_open(s, s->dir, &opts), LEAD_INVALID);
    assert_non_null(strstr(s->e.text, "size="));
    opts.size = UINT64_MAX;
    assert_int_not_equal(try_open(s, s->dir, &opts), LEAD_OK);
    assert_non_null(strstr(s->e.text, "size="));

    opts = s->opts;
    opts.ttl = -1;
    assert_int_equal(try_open(s, s->dir, &opts), LEAD_INVALID);

    (void) snprintf(url, sizeof(url), "%s/none", s->dir);
    assert_int_equal(try_open(s, url, &s->opts), LEAD_NOTFOUND);
    assert_int_equal(try_open(s, s->file, &s->opts), LEAD_INVALID);

    memset(big, 'd', sizeof(big));
    big[4096] = '\0';
    assert_int_equal(try_open(s, big, &s->opts), LEAD_INVALID);

    /* no opts: what there is, and nothing made */

    assert_int_equal(try_open(s, s->dir, NULL), LEAD_OK);

    (void) unlink(s->file);
    assert_int_equal(try_open(s, s->dir, NULL), LEAD_NOTFOUND);
    assert_int_equal(stat(s->file, &st), -1);

    opts = s->opts;
    opts.readonly = 1;
    assert_int_equal(try_open(s, s->dir, &opts), LEAD_NOTFOUND);
    assert_int_equal(stat(s->file, &st), -1);

    /* what a crash may leave of a creation: an empty file */

    write_file(s->file, "", 0);
    assert_int_equal(try_open(s, s->dir, NULL), LEAD_NOTFOUND);
    assert_int_equal(try_open(s, s->dir, &s->opts), LEAD_OK);

    lead_store_close(NULL);
}


/* without a clock of the caller's the system's is read */

static void
test_clock(void **state)
{
    store_t     *s;
    int64_t      before, after;
    lead_key_t   key;

    s = *state;

    store_close(s);
    s->opts.clock = NULL;
    store_open(s);

    memset(&key, 0, sizeof(key));
    key.account = s->acme;

    before = (int64_t) time(NULL) * 1000000;
    assert_int_equal(lead_store_key_add(s->store, &key, BYTES("x"), &s->e),
                     LEAD_OK);
    after = ((int64_t) time(NULL) + 1) * 1000000;

    assert_true(key.created >= before);
    assert_true(key.created <= after);
}


static void
test_umask_and_owner(void **state)
{
    char          path[300];
    mode_t        mask;
    store_t      *s;
    struct stat   dir, st;

    s = *state;

    store_close(s);

    (void) unlink(s->file);
    (void) snprintf(path, sizeof(path), "%s/lead.mdb-lock", s->dir);
    (void) unlink(path);

    if (geteuid() == 0) {
        assert_int_equal(chown(s->dir, 65534, 65534), 0);
    }

    mask = umask(0777);
    store_open(s);
    (void) umask(mask);

    assert_int_equal(stat(s->dir, &dir), 0);
    assert_int_equal(stat(s->file, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_uid, dir.st_uid);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_uid, dir.st_uid);
}


/* what is not ours stays as it was */

static void
raw_lmdb(const char *path, const char *name)
{
    MDB_txn  *txn;
    MDB_dbi   dbi;
    MDB_env  *env;
    MDB_val   key, val;

    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 4), 0);
    assert_int_equal(mdb_env_open(env, path, MDB_NOSUBDIR, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, name, MDB_CREATE, &dbi), 0);

    key.mv_data = val.mv_data = (void *) "store";
    key.mv_size = val.mv_size = 5;

    assert_int_equal(mdb_put(txn, dbi, &key, &val, 0), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);

    mdb_env_close(env);
}


static void
test_foreign(void **state)
{
    int            i;
    char           text[10000], was[10000], is[10000];
    size_t         n;
    FILE          *f;
    store_t       *s;
    const size_t   sizes[] = { 1, 152, 4095, 4096, 8192, 10000 };

    s = *state;

    store_close(s);

    memset(text, 't', sizeof(text));

    for (i = 0; i < 6; i++) {
        write_file(s->file, text, sizes[i]);
        assert_int_equal(try_open(s, s->dir, &s->opts), LEAD_FOREIGN);
        assert_int_equal(try_open(s, s->dir, NULL), LEAD_FOREIGN);

        f = fopen(s->file, "r");
        assert_non_null(f);
        assert_int_equal(fread(is, 1, sizeof(is), f), sizes[i]);
        assert_memory_equal(is, text, sizes[i]);
        assert_int_equal(fclose(f), 0);
    }

    /* LMDB's, but not ours; the last has a tree of a name of ours */

    for (i = 0; i < 3; i++) {
        (void) unlink(s->file);
        raw_lmdb(s->file, i == 0 ? NULL : i == 1 ? "x" : "meta");

        f = fopen(s->file, "r");
        assert_non_null(f);
        n = fread(was, 1, sizeof(was), f);
        assert_int_equal(fclose(f), 0);

        assert_int_equal(try_open(s, s->dir, &s->opts), LEAD_FOREIGN);

        f = fopen(s->file, "r");
        assert_non_null(f);
        assert_int_equal(fread(is, 1, sizeof(is), f), n);
        assert_memory_equal(is, was, n);
        assert_int_equal(fclose(f), 0);
    }

    (void) unlink(s->file);
    assert_int_equal(mkdir(s->file, 0700), 0);
    assert_int_equal(try_open(s, s->dir, &s->opts), LEAD_FOREIGN);
    assert_int_equal(rmdir(s->file), 0);
}


static void
raw_put(store_t *s, const char *tree, const char *key, const void *row,
    size_t len)
{
    MDB_txn  *txn;
    MDB_dbi   dbi;
    MDB_env  *env;
    MDB_val   k, v;

    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 32), 0);
    assert_int_equal(mdb_env_open(env, s->file, MDB_NOSUBDIR, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, tree, 0, &dbi), 0);

    if (row == NULL) {
        assert_int_equal(mdb_drop(txn, dbi, 1), 0);

    } else {
        k.mv_data = (void *) key;
        k.mv_size = strlen(key);
        v.mv_data = (void *) row;
        v.mv_size = len;
        assert_int_equal(mdb_put(txn, dbi, &k, &v, 0), 0);
    }

    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}


static void
test_version(void **state)
{
    char      marker[40];
    store_t  *s;

    s = *state;

    store_close(s);

    memset(marker, 0, sizeof(marker));
    memcpy(marker, "ngxlead\n\0\0\0\2", 12);

    /* also if the marker has grown by then */

    raw_put(s, "meta", "store", marker, 28);
    assert_int_equal(try_open(s, s->dir, &s->opts), LEAD_VERSION);
    raw_put(s, "meta", "store", marker, 40);
    assert_int_equal(try_open(s, s->dir, &s->opts), LEAD_VERSION);

    raw_put(s, "meta", "store", marker, 27);
    assert_int_equal(try_open(s, s->dir, &s->opts), LEAD_FOREIGN);

    marker[11] = 1;
    raw_put(s, "meta", "store", marker, 28);
    assert_int_equal(try_open(s, s->dir, &s->opts), LEAD_OK);

    raw_put(s, "events", NULL, NULL, 0);
    assert_int_equal(try_open(s, s->dir, &s->opts), LEAD_CORRUPT);
    assert_non_null(strstr(s->e.text, "events"));
}


/* a file that lacks pages is refused and does not kill; lengthened as LMDB
 * might have left it, it is taken */

static void
test_short(void **state)
{
    int                 i;
    store_t            *s;
    struct stat         st;
    lead_store_opts_t   opts;

    s = *state;

    for (i = 0; i < 100; i++) {
        (void) store_insert(s, s->acme, "{}", 0, NULL, NULL);
    }

    store_close(s);

    assert_int_equal(stat(s->file, &st), 0);
    assert_int_equal(truncate(s->file, st.st_size / 2), 0);

    opts = s->opts;
    opts.readonly = 1;

    for (i = 0; i < 2; i++) {
        assert_int_equal(try_open(s, s->dir, &s->opts), LEAD_CORRUPT);
        assert_int_equal(try_open(s, s->dir, &opts), LEAD_CORRUPT);
    }

    assert_int_equal(truncate(s->file, 8192), 0);
    assert_int_equal(try_open(s, s->dir, &s->opts), LEAD_CORRUPT);

    assert_int_equal(truncate(s->file, 4096), 0);
    assert_int_equal(try_open(s, s->dir, &s->opts), LEAD_FOREIGN);
}


/* pages at the end of the file that are in no use */

static size_t
free_at_end(store_t *s, size_t *page)
{
    size_t        i, n, end, *list;
    MDB_txn      *txn;
    MDB_env      *env;
    MDB_val       k, v;
    MDB_stat      st;
    uint8_t       is_free[4096];
    MDB_cursor   *cursor;
    MDB_envinfo   info;

    memset(is_free, 0, sizeof(is_free));

    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_open(env, s->file, MDB_NOSUBDIR, 0600), 0);
    assert_int_equal(mdb_env_info(env, &info), 0);
    assert_int_equal(mdb_env_stat(env, &st), 0);
    assert_true(info.me_last_pgno < sizeof(is_free));
    assert_int_equal(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn), 0);
    assert_int_equal(mdb_cursor_open(txn, 0, &cursor), 0);

    while (mdb_cursor_get(cursor, &k, &v, MDB_NEXT) == 0) {
        list = malloc(v.mv_size);
        assert_non_null(list);
        memcpy(list, v.mv_data, v.mv_size);

        for (i = 1; i <= list[0]; i++) {
            is_free[list[i]] = 1;
        }

        free(list);
    }

    mdb_cursor_close(cursor);
    mdb_txn_abort(txn);
    mdb_env_close(env);

    end = info.me_last_pgno;

    for (n = 0; is_free[end - n]; n++) { /* void */ }

    *page = st.ms_psize;

    return n;
}


static void
test_short_and_sound(void **state)
{
    int           i, n;
    op_t         *ops[200];
    char          value[200][LEAD_MATCHES_MAX][32];
    size_t        end, page;
    store_t      *s;
    struct stat   st;

    s = *state;

    /* look-up rows by the page, and gone again */

    for (i = 0; i < 200; i++) {
        ops[i] = op_new(s->acme, "{}");

        for (n = 0; n < LEAD_MATCHES_MAX; n++) {
            (void) snprintf(value[i][n], sizeof(value[i][n]), "%d.%d", i, n);
            op_match(ops[i], 1, value[i][n]);
        }
    }

    assert_int_equal(op_commit_many(s, ops, 200), LEAD_OK);

    for (i = 0; i < 200; i++) {
        op_free(ops[i]);
        ops[i] = op_new(s->acme, "{}");
        op_by_number(ops[i], (uint64_t) i + 1);
    }

    assert_int_equal(op_commit_many(s, ops, 200), LEAD_OK);

    /* every page is written anew, those at the end in the room before them */

    end = 0;

    for (n = 0; end == 0; n++) {
        assert_true(n < 20);
        assert_int_equal(op_commit_many(s, ops, 200), LEAD_OK);

        store_close(s);
        end = free_at_end(s, &page);
        store_open(s);
    }

    for (i = 0; i < 200; i++) {
        op_free(ops[i]);
    }

    store_close(s);

    assert_int_equal(stat(s->file, &st), 0);
    assert_int_equal(truncate(s->file, st.st_size - (off_t) (end * page)), 0);

    store_open(s);
    assert_int_equal(store_findings(s), 0);
    assert_int_equal(store_leads(s), 200);
    (void) store_insert(s, s->acme, "{}", 1, "a", NULL);
    assert_int_equal(store_findings(s), 0);
    store_close(s);

    end = free_at_end(s, &page);
    assert_int_equal(stat(s->file, &st), 0);
    assert_int_equal(truncate(s->file, st.st_size
                                       - (off_t) ((end + 1) * page)), 0);
    assert_int_equal(try_open(s, s->dir, &s->opts), LEAD_CORRUPT);
}


static void
test_readonly(void **state)
{
    op_t          *op;
    store_t       *s;
    uint32_t       n;
    lead_id_t      id;
    lead_key_t     key;
    lead_stat_t    stat;
    store_lead_t   got;

    s = *state;

    id = store_insert(s, s->acme, "{}", 0, NULL, NULL);

    store_close(s);
    s->opts.readonly = 1;
    store_open(s);

    assert_true(store_get_id(s, s->acme, &id, &got));
    assert_int_equal(lead_store_stat(s->store, &stat, &s->e), LEAD_OK);
    assert_int_equal(store_findings(s), 0);
    assert_int_equal(lead_store_account(s->store, BYTES("acme"), &n, &s->e),
                     LEAD_OK);
    assert_int_equal(lead_store_account(s->store, BYTES("new"), &n, &s->e),
                     LEAD_ACCESS);

    op = op_new(s->acme, "{}");
    assert_int_equal(op_commit_many(s, &op, 1), LEAD_ACCESS);
    assert_int_equal(op_commit_group(s, &op, 1), LEAD_ACCESS);
    op_free(op);

    memset(&key, 0, sizeof(key));
    key.account = s->acme;
    assert_int_equal(lead_store_key_add(s->store, &key, BYTES("x"), &s->e),
                     LEAD_ACCESS);
    assert_int_equal(lead_store_key_remove(s->store, "abcdefgh", &s->e),
                     LEAD_ACCESS);
    assert_int_equal(lead_store_key_disable(s->store, "abcdefgh", 1, &s->e),
                     LEAD_ACCESS);
}


static void
test_access(void **state)
{
    pid_t     pid;
    int       status;
    store_t  *s;

    s = *state;

    store_close(s);

    if (geteuid() != 0) {
        assert_int_equal(chmod(s->file, 0), 0);
        assert_int_equal(try_open(s, s->dir, &s->opts), LEAD_ACCESS);
        return;
    }

    /* root may do anything: as somebody else */

    assert_int_equal(chmod(s->dir, 0755), 0);

    pid = fork();

    if (pid == 0) {
        if (setuid(65534) != 0
            || try_open(s, s->dir, &s->opts) != LEAD_ACCESS)
        {
            _exit(1);
        }

        _exit(0);
    }

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_size, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_open, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_clock, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_umask_and_owner, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_foreign, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_version, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_short, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_short_and_sound, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_readonly, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_access, store_setup,
                                        store_teardown)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
