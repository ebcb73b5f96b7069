
/*
 * Copyright (C) the ngx_lead authors
 *
 * Plants what a store must refuse, or live with, by LMDB itself, so that the
 * tests do not believe the store about its own format.
 *
 * usage: plant foreign <file>    a sound LMDB file that is somebody else's
 *        plant version <file>    a store, as if a newer version had written it
 *        plant format <file>     a store of a format that never was
 *        plant garbage <file>    a store whose marker is none
 *        plant leak <file>       a page more that is neither in use nor free
 *        plant free <file>       a list of free pages with one of no file
 *        plant row <file> <tree> the first row of a tree is lost
 *        plant outbox <file>     the outbox's first row, as nobody wrote it
 *        plant events <file>     there are no events any more
 *        plant states <file>     the states of endpoints, as nobody wrote them
 *
 * The file must not be in use, but for "outbox", "events" and "states".
 */


#define _GNU_SOURCE                     /* memmem() */

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lmdb.h>


#define PLANT_FILE_MAX  (16 << 20)

/* the marker is a magic of 8 bytes and a version, big endian */
#define PLANT_VERSION  8

/* of LMDB 0.9 on 64 bits: the magic and the number of the last page in each of
 * the two pages a file begins with */
#define PLANT_MAGIC    0xbeefc0de
#define PLANT_MAGIC_AT 16
#define PLANT_LAST_AT  136

/* what a counter's key begins with that is the state of an endpoint */
#define PLANT_STATE     3
#define PLANT_STATE_LEN 5


static int plant_foreign(MDB_txn *txn);
static int plant_marker(MDB_txn *txn);
static int plant_row(MDB_txn *txn);
static int plant_find(MDB_txn *txn);
static int plant_outbox(MDB_txn *txn);
static int plant_events(MDB_txn *txn);
static int plant_states(MDB_txn *txn);
static int plant_in(const char *path, unsigned flags,
    int (*plant)(MDB_txn *txn));
static int plant_leak(const char *path);
static int plant_free(const char *path);


static const char  *plant_what;         /* a kind, or a tree */
static char         plant_pages[4096];  /* of a list of free ones */
static size_t       plant_size;


static int
plant_foreign(MDB_txn *txn)
{
    int      err;
    MDB_dbi  dbi;
    MDB_val  key, value;

    err = mdb_dbi_open(txn, "sessions", MDB_CREATE, &dbi);

    if (err != 0) {
        return err;
    }

    key.mv_data = "ann";
    key.mv_size = 3;
    value.mv_data = "not yours";
    value.mv_size = 9;

    return mdb_put(txn, dbi, &key, &value, 0);
}


static int
plant_marker(MDB_txn *txn)
{
    int       err;
    char      marker[64];
    MDB_dbi   dbi;
    MDB_val   key, value;

    err = mdb_dbi_open(txn, "meta", 0, &dbi);

    if (err != 0) {
        return err;
    }

    key.mv_data = "store";
    key.mv_size = 5;

    err = mdb_get(txn, dbi, &key, &value);

    if (err != 0) {
        return err;
    }

    if (value.mv_size < PLANT_VERSION + 4 || value.mv_size > sizeof(marker)) {
        return MDB_CORRUPTED;
    }

    memcpy(marker, value.mv_data, value.mv_size);
    value.mv_data = marker;

    if (strcmp(plant_what, "version") == 0) {
        marker[PLANT_VERSION + 3]++;

    } else if (strcmp(plant_what, "format") == 0) {
        marker[PLANT_VERSION + 3] = 0;

    } else {
        memset(marker, 'x', value.mv_size);
    }

    return mdb_put(txn, dbi, &key, &value, 0);
}


static int
plant_row(MDB_txn *txn)
{
    int          err;
    MDB_dbi      dbi;
    MDB_val      key, value;
    MDB_cursor  *cursor;

    err = mdb_dbi_open(txn, plant_what, 0, &dbi);

    if (err == 0) {
        err = mdb_cursor_open(txn, dbi, &cursor);
    }

    if (err == 0) {
        err = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    }

    return err == 0 ? mdb_cursor_del(cursor, 0) : err;
}


/* the first list of pages, which is not to be changed by a transaction */

static int
plant_find(MDB_txn *txn)
{
    int          err;
    MDB_val      key, value;
    MDB_cursor  *cursor;

    err = mdb_cursor_open(txn, 0, &cursor);

    if (err == 0) {
        err = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    }

    if (err == 0) {
        plant_size = value.mv_size < sizeof(plant_pages)
                     ? value.mv_size : sizeof(plant_pages);
        memcpy(plant_pages, value.mv_data, plant_size);
    }

    return err;
}


static int
plant_outbox(MDB_txn *txn)
{
    int          err;
    MDB_dbi      dbi;
    MDB_val      key, row;
    MDB_cursor  *cursor;

    err = mdb_dbi_open(txn, "outbox", 0, &dbi);

    if (err == 0) {
        err = mdb_cursor_open(txn, dbi, &cursor);
    }

    if (err != 0) {
        return err;
    }

    err = mdb_cursor_get(cursor, &key, &row, MDB_FIRST);

    mdb_cursor_close(cursor);

    if (err != 0) {
        return err;
    }

    row.mv_data = "damaged";
    row.mv_size = 7;

    return mdb_put(txn, dbi, &key, &row, 0);
}


static int
plant_events(MDB_txn *txn)
{
    int      err;
    MDB_dbi  dbi;

    err = mdb_dbi_open(txn, "events", 0, &dbi);

    return err == 0 ? mdb_drop(txn, dbi, 0) : err;
}


static int
plant_states(MDB_txn *txn)
{
    int          err;
    char         name[PLANT_STATE_LEN];
    MDB_dbi      dbi;
    MDB_val      key, row;
    MDB_cursor  *cursor;

    err = mdb_dbi_open(txn, "counters", 0, &dbi);

    if (err == 0) {
        err = mdb_cursor_open(txn, dbi, &cursor);
    }

    name[0] = PLANT_STATE;
    key.mv_data = name;
    key.mv_size = 1;

    if (err == 0) {
        err = mdb_cursor_get(cursor, &key, &row, MDB_SET_RANGE);
    }

    while (err == 0 && *(char *) key.mv_data == PLANT_STATE) {
        memcpy(name, key.mv_data, sizeof(name));
        key.mv_data = name;

        row.mv_data = "damaged";
        row.mv_size = 7;

        err = mdb_cursor_put(cursor, &key, &row, 0);

        if (err == 0) {
            err = mdb_cursor_get(cursor, &key, &row, MDB_NEXT);
        }
    }

    return err == MDB_NOTFOUND ? 0 : err;
}


static int
plant_in(const char *path, unsigned flags, int (*plant)(MDB_txn *txn))
{
    int       err;
    MDB_env  *env;
    MDB_txn  *txn;

    err = mdb_env_create(&env);

    if (err != 0) {
        return err;
    }

    err = mdb_env_set_maxdbs(env, 32);

    if (err == 0) {
        err = mdb_env_open(env, path, MDB_NOSUBDIR, 0600);
    }

    if (err == 0) {
        err = mdb_txn_begin(env, NULL, flags, &txn);
    }

    if (err == 0) {
        err = plant(txn);

        if (err == 0) {
            err = mdb_txn_commit(txn);

        } else {
            mdb_txn_abort(txn);
        }
    }

    mdb_env_close(env);

    return err;
}


static int
plant_leak(const char *path)
{
    int          fd, i;
    off_t        at;
    uint32_t     magic;
    uint64_t     last;
    struct stat  st;

    fd = open(path, O_RDWR|O_CLOEXEC);

    if (fd == -1 || fstat(fd, &st) == -1) {
        return errno;
    }

    for (i = 0; i < 2; i++) {
        at = (off_t) i * sysconf(_SC_PAGESIZE);

        if (pread(fd, &magic, sizeof(magic), at + PLANT_MAGIC_AT)
                != sizeof(magic)
            || pread(fd, &last, sizeof(last), at + PLANT_LAST_AT)
                != sizeof(last)
            || magic != PLANT_MAGIC)
        {
            return MDB_INVALID;
        }

        last++;

        if (pwrite(fd, &last, sizeof(last), at + PLANT_LAST_AT)
            != sizeof(last))
        {
            return errno;
        }
    }

    if (ftruncate(fd, st.st_size + sysconf(_SC_PAGESIZE)) == -1) {
        return errno;
    }

    return close(fd) == 0 ? 0 : errno;
}


static int
plant_free(const char *path)
{
    int        err, fd;
    char      *file, *list;
    uint64_t   page;
    ssize_t    size;

    err = plant_in(path, MDB_RDONLY, plant_find);

    if (err != 0) {
        return err;
    }

    file = malloc(PLANT_FILE_MAX);
    fd = open(path, O_RDWR|O_CLOEXEC);

    if (file == NULL || fd == -1) {
        return errno;
    }

    size = read(fd, file, PLANT_FILE_MAX);
    page = (uint64_t) 1 << 40;

    if (size <= 0 || plant_size < 2 * sizeof(page)) {
        return MDB_NOTFOUND;
    }

    /* where it was before it may be there as well */

    for (list = file;
         (list = memmem(list, (size_t) (file + size - list), plant_pages,
                        plant_size)) != NULL;
         list++)
    {
        if (pwrite(fd, &page, sizeof(page),
                   list - file + (off_t) sizeof(page)) != sizeof(page))
        {
            return errno;
        }
    }

    free(file);

    return close(fd) == 0 ? 0 : errno;
}


int
main(int argc, char **argv)
{
    int  err;

    if (argc == 3 && strcmp(argv[1], "foreign") == 0) {
        err = plant_in(argv[2], 0, plant_foreign);

    } else if (argc == 3
               && (strcmp(argv[1], "version") == 0
                   || strcmp(argv[1], "format") == 0
                   || strcmp(argv[1], "garbage") == 0))
    {
        plant_what = argv[1];
        err = plant_in(argv[2], 0, plant_marker);

    } else if (argc == 4 && strcmp(argv[1], "row") == 0) {
        plant_what = argv[3];
        err = plant_in(argv[2], 0, plant_row);

    } else if (argc == 3 && strcmp(argv[1], "free") == 0) {
        err = plant_free(argv[2]);

    } else if (argc == 3 && strcmp(argv[1], "outbox") == 0) {
        err = plant_in(argv[2], 0, plant_outbox);

    } else if (argc == 3 && strcmp(argv[1], "events") == 0) {
        err = plant_in(argv[2], 0, plant_events);

    } else if (argc == 3 && strcmp(argv[1], "states") == 0) {
        err = plant_in(argv[2], 0, plant_states);

    } else if (argc == 3 && strcmp(argv[1], "leak") == 0) {
        err = plant_leak(argv[2]);

    } else {
        fprintf(stderr, "usage: plant foreign|version|format|garbage|leak|free"
                "|outbox|events|states <file>\n"
                "       plant row <file> <tree>\n");
        return 2;
    }

    if (err != 0) {
        fprintf(stderr, "plant: %s: %s\n", argv[2], mdb_strerror(err));
        return 1;
    }

    return 0;
}
