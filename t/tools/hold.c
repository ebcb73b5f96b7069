
/*
 * Copyright (C) the ngx_lead authors
 *
 * Somebody else who has the store open, and is in nobody's hands:
 *
 *     hold <store's file> <n>
 *
 * begins n read transactions, each with a reader slot of its own, prints how
 * many it has got, and keeps them until its standard input ends.  While it
 * does, no page that one of them can see is used again.
 *
 *     hold <store's file> write
 *
 * is a writer that has the lock, and writes nothing.
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lmdb.h>


int
main(int argc, char **argv)
{
    int       i, n, err;
    char      byte;
    MDB_env  *env;
    MDB_txn  *txn;

    if (argc != 3) {
        fprintf(stderr, "usage: hold <store's file> <n> | write\n");
        return 2;
    }

    n = atoi(argv[2]);

    err = mdb_env_create(&env);

    if (err == 0) {
        err = mdb_env_open(env, argv[1], MDB_NOSUBDIR|MDB_NOTLS, 0600);
    }

    if (err != 0) {
        fprintf(stderr, "hold: %s: %s\n", argv[1], mdb_strerror(err));
        return 1;
    }

    if (strcmp(argv[2], "write") == 0) {
        err = mdb_txn_begin(env, NULL, 0, &txn);
        i = err == 0;

    } else {
        for (i = 0; i < n; i++) {
            err = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn);

            if (err != 0) {
                break;
            }
        }
    }

    printf("%d\n", i);
    (void) fflush(stdout);

    while (read(STDIN_FILENO, &byte, 1) > 0) { /* void */ }

    /* as one that dies: nothing is given back */

    _exit(0);
}
