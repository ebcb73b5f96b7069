
/*
 * Copyright (C) the ngx_lead authors
 *
 * The check of what is below rows, as far as LMDB shows it: who writes
 * believes its list of free pages, and a page that is in that list and in use
 * is written over.  Nothing is allocated but a cursor.
 */


#include <string.h>

#include "lmdb_check.h"


#define LEAD_LMDB_FREE_DBI    0         /* LMDB's own trees */
#define LEAD_LMDB_MAIN_DBI    1
#define LEAD_LMDB_META_PAGES  2


static int lead_lmdb_check_free(const MDB_val *key, const MDB_val *row,
    size_t txn, size_t last, uint64_t *pages);
static int lead_lmdb_check_used(lead_lmdb_check_t *c, MDB_dbi dbi,
    uint64_t *pages);


lead_rc_t
lead_lmdb_check_pages(lead_lmdb_check_t *c)
{
    int           err, bad;
    unsigned      i;
    uint64_t      pages;
    MDB_val       key, row;
    MDB_cursor   *cursor;
    MDB_envinfo   info;

    /* what others have added meanwhile is more, and never less */

    (void) mdb_env_info(c->t->store->env, &info);

    bad = 0;
    pages = LEAD_LMDB_META_PAGES;

    err = mdb_cursor_open(c->t->txn, LEAD_LMDB_FREE_DBI, &cursor);

    if (err == 0) {

        while (!bad) {
            err = mdb_cursor_get(cursor, &key, &row, MDB_NEXT);

            if (err != 0) {
                break;
            }

            bad = lead_lmdb_check_free(&key, &row, mdb_txn_id(c->t->txn),
                                       info.me_last_pgno, &pages);
        }

        mdb_cursor_close(cursor);
    }

    if (bad) {
        return lead_lmdb_finding(c, "the list of free pages cannot be read");
    }

    if (err == MDB_NOTFOUND) {
        err = lead_lmdb_check_used(c, LEAD_LMDB_FREE_DBI, &pages);
    }

    if (err == 0) {
        err = lead_lmdb_check_used(c, LEAD_LMDB_MAIN_DBI, &pages);
    }

    for (i = 0; err == 0 && i < LEAD_LMDB_TREES; i++) {
        err = lead_lmdb_check_used(c, c->t->store->dbi[i], &pages);
    }

    if (err != 0) {
        return lead_lmdb_error(c->t->store, err, "reading the free pages"
                               " failed", c->t->e);
    }

    if (pages > (uint64_t) info.me_last_pgno + 1) {
        return lead_lmdb_finding(c, "there are %llu pages, and %llu are in use"
                                 " or free",
                                 (unsigned long long) info.me_last_pgno + 1,
                                 (unsigned long long) pages);
    }

    return LEAD_OK;
}


/* non-zero: these are no pages.  They stand from the highest on, as many as
 * the first number says */

static int
lead_lmdb_check_free(const MDB_val *key, const MDB_val *row, size_t txn,
    size_t last, uint64_t *pages)
{
    size_t  i, n, id, page, before;

    if (key->mv_size != sizeof(size_t) || row->mv_size < sizeof(size_t)) {
        return 1;
    }

    memcpy(&id, key->mv_data, sizeof(size_t));
    memcpy(&n, row->mv_data, sizeof(size_t));

    if (id > txn || n > row->mv_size / sizeof(size_t) - 1) {
        return 1;
    }

    before = last + 1;

    for (i = 1; i <= n; i++) {
        memcpy(&page, (uint8_t *) row->mv_data + i * sizeof(size_t),
               sizeof(size_t));

        if (page < LEAD_LMDB_META_PAGES || page >= before) {
            return 1;
        }

        before = page;
    }

    *pages += n;

    return 0;
}


static int
lead_lmdb_check_used(lead_lmdb_check_t *c, MDB_dbi dbi, uint64_t *pages)
{
    int       err;
    MDB_stat  st;

    err = mdb_stat(c->t->txn, dbi, &st);

    if (err == 0) {
        *pages += st.ms_branch_pages + st.ms_leaf_pages
                  + st.ms_overflow_pages;
    }

    return err;
}
