
/*
 * Copyright (C) the ngx_lead authors
 *
 * Sees to it that the file has every page it says it has: a map of a file
 * that lacks pages kills whoever touches one of them.  A file may be short and
 * sound, for LMDB does not write pages it allocates at the end and frees again
 * in one transaction; such a file is lengthened, and any other is left as it
 * was found and refused.  Nothing is allocated here.
 */


#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "lmdb_store.h"


static lead_rc_t lead_lmdb_lengthen(lead_store_t *store, lead_error_t *e);
static int lead_lmdb_free_pages(MDB_txn *txn, size_t from, size_t to);


lead_rc_t
lead_lmdb_length(lead_store_t *store, lead_error_t *e)
{
    int            err, fd;
    MDB_txn       *txn;
    MDB_stat       st;
    lead_rc_t      rc;
    struct stat    file;
    MDB_envinfo    info;

    (void) mdb_env_get_fd(store->env, &fd);
    (void) mdb_env_stat(store->env, &st);
    (void) mdb_env_info(store->env, &info);

    if (fstat(fd, &file) == -1) {
        return lead_lmdb_error(store, errno, "fstat() failed", e);
    }

    if ((uint64_t) file.st_size
        >= (uint64_t) (info.me_last_pgno + 1) * st.ms_psize)
    {
        return LEAD_OK;
    }

    if (store->opts.readonly) {
        return lead_store_fail(e, LEAD_CORRUPT, 0,
                               "the store is cut short: not opened read-only");
    }

    /* no other process writes meanwhile */

    err = mdb_txn_begin(store->env, NULL, 0, &txn);

    if (err != 0) {
        return lead_lmdb_error(store, err, "mdb_txn_begin() failed", e);
    }

    rc = lead_lmdb_lengthen(store, e);

    mdb_txn_abort(txn);

    return rc;
}


static lead_rc_t
lead_lmdb_lengthen(lead_store_t *store, lead_error_t *e)
{
    int            err, fd;
    size_t         pages;
    MDB_txn       *txn;
    MDB_stat       st;
    struct stat    file;
    MDB_envinfo    info;

    (void) mdb_env_get_fd(store->env, &fd);
    (void) mdb_env_stat(store->env, &st);
    (void) mdb_env_info(store->env, &info);

    pages = info.me_last_pgno + 1;

    if (fstat(fd, &file) == -1
        || ftruncate(fd, (off_t) (pages * st.ms_psize)) == -1)
    {
        return lead_lmdb_error(store, errno, "ftruncate() failed", e);
    }

    err = mdb_txn_begin(store->env, NULL, MDB_RDONLY, &txn);

    if (err == 0) {
        err = lead_lmdb_free_pages(txn, (size_t) file.st_size / st.ms_psize,
                                   pages);
        mdb_txn_abort(txn);
    }

    if (err == 0) {
        return LEAD_OK;
    }

    if (ftruncate(fd, file.st_size) == -1) {
        return lead_lmdb_error(store, errno, "ftruncate() failed", e);
    }

    return lead_store_fail(e, LEAD_CORRUPT, 0,
                           "the store is cut short: %llu of %llu pages",
                           (unsigned long long) file.st_size / st.ms_psize,
                           (unsigned long long) pages);
}


/* 0: none of the pages from..to - 1 is in use */

static int
lead_lmdb_free_pages(MDB_txn *txn, size_t from, size_t to)
{
    int          err;
    size_t       i, n, found, page;
    MDB_val      key, row;
    MDB_cursor  *cursor;

    found = 0;

    err = mdb_cursor_open(txn, 0, &cursor);

    if (err != 0) {
        return err;
    }

    for ( ;; ) {
        err = mdb_cursor_get(cursor, &key, &row, MDB_NEXT);

        if (err != 0) {
            break;
        }

        memcpy(&n, row.mv_data, sizeof(size_t));

        for (i = 1; i <= n && i < row.mv_size / sizeof(size_t); i++) {
            memcpy(&page, (uint8_t *) row.mv_data + i * sizeof(size_t),
                   sizeof(size_t));

            if (page >= from && page < to) {
                found++;
            }
        }
    }

    mdb_cursor_close(cursor);

    return err == MDB_NOTFOUND && found == to - from ? 0 : MDB_CORRUPTED;
}
