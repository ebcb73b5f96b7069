
/*
 * Copyright (C) the ngx_lead authors
 *
 * The life of the environment: what is opened and what is refused, full maps
 * and failing disks, other processes that write, grow the store, die in the
 * middle or take every reader slot.
 */


#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <lmdb.h>

#include "store_util.h"


/* a disk that fails: these stand in for libc's where LMDB calls them */

static int  fail_sync;
static int  fail_meta;


int fdatasync(int fd);
ssize_t pwrite(int fd, const void *buf, size_t n, off_t offset);


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
    if (fail_meta && n < 4096) {
        errno = fail_meta;
        return -1;
    }

    return syscall(SYS_pwrite64, fd, buf, n, offset);
}


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
    char          value[200][LEAD_MATCHES_MAX][16];
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

        (void) snprintf(s->file, sizeof(s->file), "%.200s/sub", s->dir);
        _exit(0);
    }

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}


/* the map is full: what was acknowledged is there, and goes on when there is
 * room again */

static void
test_full(void **state)
{
    int            n, full;
    op_t          *op;
    char           doc[2001];
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

    memset(doc, 'd', 2000);
    doc[2000] = '\0';

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

    assert_true(n > 100);
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

    for (n = 0; n < 500; n++) {
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

    for (i = 0; i < 4; i++) {
        op = op_new(s->acme, "{}");

        fail_sync = i == 0 ? EIO : i == 1 ? ENOSPC : 0;
        fail_meta = i == 2 ? EIO : i == 3 ? EROFS : 0;

        rc = op_commit_many(s, &op, 1);

        fail_sync = 0;
        fail_meta = 0;

        op_free(op);

        assert_int_equal(rc, i == 1 ? LEAD_FULL
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
    op_t          *op;
    char           away[320];
    store_t       *s;
    lead_id_t      id;
    lead_find_t    find;
    store_lead_t   got;

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

    raw_lmdb(s->file, "x");
    assert_int_equal(op_commit_many(s, &op, 1), LEAD_FOREIGN);

    assert_int_equal(rename(away, s->file), 0);
    assert_int_equal(op_commit_many(s, &op, 1), LEAD_OK);
    assert_true(store_get_id(s, s->acme, &id, &got));
    op_free(op);
}


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


/* both write the counters and match keys of one account */

static void
writer(store_t *s, int n)
{
    int    i;
    op_t  *op;

    if (lead_store_open(s->dir, &s->opts, &s->store, &s->e) != LEAD_OK) {
        _exit(1);
    }

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
                if (lead_store_open(s->dir, &s->opts, &s->store, &s->e)
                    != LEAD_OK)
                {
                    _exit(1);
                }

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
            if (lead_store_open(s->dir, &s->opts, &s->store, &s->e)
                != LEAD_OK)
            {
                _exit(1);
            }

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
            if (lead_store_open(s->dir, &s->opts, &s->store, &s->e)
                == LEAD_OK)
            {
                (void) lead_store_get(s->store, s->acme, &find, kill_sink,
                                      NULL, &s->e);
            }

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
            s->opts.size = (uint64_t) STORE_SIZE << i;

            if (lead_store_open(s->dir, &s->opts, &s->store, &s->e)
                != LEAD_OK)
            {
                _exit(1);
            }

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
        cmocka_unit_test_setup_teardown(test_open, store_setup,
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
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_full, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_disk, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_disk_gone, store_setup,
                                        store_teardown),
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
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_threads, store_setup,
                                        store_teardown)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
