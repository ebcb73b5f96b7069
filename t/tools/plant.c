
/*
 * Copyright (C) the ngx_lead authors
 *
 * Plants what a store must refuse, or live with, by LMDB itself, so that the
 * tests do not believe the store about its own format.
 *
 * usage: plant foreign <file>    a sound LMDB file that is somebody else's
 *        plant version <file>    a store, as if a newer version had written it
 *        plant leak <file>       a page more that is neither in use nor free
 *
 * The file must not be in use.
 */


#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lmdb.h>


/* the marker is a magic of 8 bytes and a version, big endian */
#define PLANT_VERSION  8

/* of LMDB 0.9 on 64 bits: the magic and the number of the last page in each of
 * the two pages a file begins with */
#define PLANT_MAGIC    0xbeefc0de
#define PLANT_MAGIC_AT 16
#define PLANT_LAST_AT  136


static int plant_foreign(MDB_txn *txn);
static int plant_version(MDB_txn *txn);
static int plant_in(const char *path, int (*plant)(MDB_txn *txn));
static int plant_leak(const char *path);


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
plant_version(MDB_txn *txn)
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
    marker[PLANT_VERSION + 3]++;
    value.mv_data = marker;

    return mdb_put(txn, dbi, &key, &value, 0);
}


static int
plant_in(const char *path, int (*plant)(MDB_txn *txn))
{
    int       err;
    MDB_env  *env;
    MDB_txn  *txn;

    err = mdb_env_create(&env);

    if (err != 0) {
        return err;
    }

    err = mdb_env_set_maxdbs(env, 4);

    if (err == 0) {
        err = mdb_env_open(env, path, MDB_NOSUBDIR, 0600);
    }

    if (err == 0) {
        err = mdb_txn_begin(env, NULL, 0, &txn);
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


int
main(int argc, char **argv)
{
    int  err;

    if (argc == 3 && strcmp(argv[1], "foreign") == 0) {
        err = plant_in(argv[2], plant_foreign);

    } else if (argc == 3 && strcmp(argv[1], "version") == 0) {
        err = plant_in(argv[2], plant_version);

    } else if (argc == 3 && strcmp(argv[1], "leak") == 0) {
        err = plant_leak(argv[2]);

    } else {
        fprintf(stderr, "usage: plant foreign|version|leak <file>\n");
        return 2;
    }

    if (err != 0) {
        fprintf(stderr, "plant: %s: %s\n", argv[2], mdb_strerror(err));
        return 1;
    }

    return 0;
}
