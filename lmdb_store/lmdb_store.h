
/*
 * Copyright (C) the ngx_lead authors
 *
 * What the files of the LMDB engine share, and only they: the store, its
 * transactions and the few functions between files.  Nothing above
 * lead_engine.h may see LMDB.
 *
 * A transaction is begun and ended in one function and lives on no stack but
 * that one's callees'.  Rows read are LMDB's memory: gone at the next write
 * of the transaction, and at its end.  Functions that take a transaction give
 * LEAD_OK or a code whose reason is in its error already.
 */


#ifndef LMDB_STORE_H_INCLUDED
#define LMDB_STORE_H_INCLUDED


#include <pthread.h>
#include <sys/types.h>

#include <lmdb.h>
#include <openssl/evp.h>

#include "lead_engine.h"
#include "lead_record.h"


#define LEAD_LMDB_FILE          "lead.mdb"
#define LEAD_LMDB_LOCK_FILE     LEAD_LMDB_FILE "-lock"

#define LEAD_LMDB_READERS       1024
#define LEAD_LMDB_CACHED        16      /* idle transactions kept, of a kind */
#define LEAD_LMDB_COUNTS        32      /* accounts counted in memory */
#define LEAD_LMDB_STATES        16      /* endpoints' states in memory */
#define LEAD_LMDB_SLICE         512     /* rows of a transaction that is one
                                           of many */
#define LEAD_LMDB_RANDOM        512
#define LEAD_LMDB_TEST          "webhook.test"


typedef enum {
    LEAD_LMDB_META = 0,
    LEAD_LMDB_COUNTERS,
    LEAD_LMDB_LEADS,
    LEAD_LMDB_NUMBERS,
    LEAD_LMDB_EVENTS,
    LEAD_LMDB_OUTBOX,
    LEAD_LMDB_DELIVERIES,
    LEAD_LMDB_LOOKUP,
    LEAD_LMDB_IDEM,                     /* the first of the generations */
    LEAD_LMDB_KEYS = LEAD_LMDB_IDEM + LEAD_RECORD_GENERATIONS,
    LEAD_LMDB_KEY_IDS,
    LEAD_LMDB_ACCOUNTS,
    LEAD_LMDB_ACCOUNT_NAMES,
    LEAD_LMDB_ENDPOINTS,
    LEAD_LMDB_ENDPOINT_NAMES,
    LEAD_LMDB_TREES
} lead_lmdb_tree_t;


typedef struct lead_lmdb_txn_s  lead_lmdb_txn_t;


/* of a file: whether a path still leads to it */

typedef struct {
    dev_t                   dev;
    ino_t                   ino;
} lead_lmdb_inode_t;


struct lead_store_s {
    char                   *dir;
    char                   *path;
    pid_t                   pid;
    lead_store_opts_t       opts;
    lead_record_marker_t    marker;
    uint8_t                 random[8];  /* of this handle, in its leases */

    /* held shared by every transaction, and alone to remap or reopen */
    pthread_rwlock_t        lock;
    MDB_env                *env;
    MDB_dbi                 dbi[LEAD_LMDB_TREES];
    lead_lmdb_inode_t       file;       /* that is open */
    lead_lmdb_inode_t       lock_file;
    int                     broken;     /* to be reopened; atomic */

    /* whose turn it is to write, among this process's threads */
    pthread_mutex_t         turn;
    int                     unsettled;  /* to be settled before anything is
                                           written; the writer's */

    pthread_mutex_t         mutex;      /* of what follows */
    lead_lmdb_txn_t        *idle[2];    /* readers, writers */
    unsigned                nidle[2];
};


typedef struct {
    uint32_t                account;    /* 0: none */
    unsigned                changed;
    uint64_t                leads;
} lead_lmdb_count_t;


typedef struct {
    uint32_t                endpoint;   /* 0: none */
    unsigned                changed;
    lead_record_endpoint_t  state;
} lead_lmdb_endpoint_t;


/* the counters of one operation */

typedef struct {
    size_t                  n;
    uint8_t                 keys[LEAD_COUNTERS_MAX][LEAD_RECORD_COUNTER_KEY];
    uint64_t                before[LEAD_COUNTERS_MAX];
    uint64_t                values[LEAD_COUNTERS_MAX];
} lead_lmdb_counters_t;


struct lead_lmdb_txn_s {
    lead_store_t           *store;
    lead_lmdb_txn_t        *next;       /* idle */
    lead_error_t           *e;
    MDB_txn                *txn;
    EVP_MD_CTX             *md;
    MDB_cursor             *cursor[LEAD_LMDB_TREES];    /* made when needed */
    unsigned                write:1;

    /* of a write transaction: what is written once, at its end */
    unsigned                has_state:1;
    unsigned                state_changed:1;
    lead_record_state_t     state;
    lead_lmdb_count_t       counts[LEAD_LMDB_COUNTS];
    lead_lmdb_endpoint_t    endpoints[LEAD_LMDB_STATES];

    uint32_t                account;    /* seen to exist */
    uint32_t                endpoint;   /* seen to exist, */
    uint32_t                endpoint_account;   /* of this account */

    size_t                  random_left;
    uint8_t                 random[LEAD_LMDB_RANDOM];
};


/* lmdb_open.c: the lock is held alone, or the store is not yet known */

lead_rc_t lead_lmdb_env_open(lead_store_t *store, int create, lead_error_t *e);
void lead_lmdb_env_close(lead_store_t *store);


/* lmdb_file.c */

/* LEAD_NOTFOUND: there are none, and they are not to be made */
lead_rc_t lead_lmdb_files(lead_store_t *store, int create, lead_error_t *e);

/* the names of files that are new */
lead_rc_t lead_lmdb_files_sync(lead_store_t *store, lead_error_t *e);

/* notes which files are open; and whether their names lead to them.
 * LEAD_AGAIN: the store is to be opened again */
void lead_lmdb_files_opened(lead_store_t *store);
lead_rc_t lead_lmdb_files_there(lead_store_t *store, lead_error_t *e);


/* lmdb_owner.c: whose rights a store is opened with, and the path of its file;
 * to be left again after LEAD_OK */

typedef struct {
    const char             *path;
    int                     dirfd;
    gid_t                   gid;
    char                    buf[64];
} lead_lmdb_owner_t;

lead_rc_t lead_lmdb_owner(lead_store_t *store, lead_lmdb_owner_t *owner,
    lead_error_t *e);
void lead_lmdb_owner_leave(lead_lmdb_owner_t *owner);


/* lmdb_length.c: LEAD_CORRUPT for a file that lacks pages in use */

lead_rc_t lead_lmdb_length(lead_store_t *store, lead_error_t *e);


/* lmdb_env.c */

/* wait: 0 gives LEAD_BUSY where another thread's work were to be awaited */
lead_rc_t lead_lmdb_read_begin(lead_store_t *store, int wait,
    lead_lmdb_txn_t **txn, lead_error_t *e);
void lead_lmdb_read_end(lead_lmdb_txn_t *t);

/* commits if rc is LEAD_OK, else aborts; what came of it is returned */
lead_rc_t lead_lmdb_write_begin(lead_store_t *store, lead_lmdb_txn_t **txn,
    lead_error_t *e);
lead_rc_t lead_lmdb_write_end(lead_lmdb_txn_t *t, lead_rc_t rc);

void lead_lmdb_idle_free(lead_store_t *store);

lead_rc_t lead_lmdb_error(lead_store_t *store, int err, const char *what,
    lead_error_t *e);


/* lmdb_turn.c: errors are LMDB's.  All but the first is for who has the
 * turn */

int lead_lmdb_turn(lead_store_t *store);
void lead_lmdb_turn_over(lead_store_t *store);

/* a commit has failed: whoever writes next, in any process, settles first */
void lead_lmdb_turn_failed(lead_store_t *store);

/* sees to it, if it has to be seen to, that what is in memory of the pages
 * which say what is valid is on disk; in a transaction, before it writes */
int lead_lmdb_turn_settle(lead_store_t *store);


/* lmdb_row.c */

lead_rc_t lead_lmdb_corrupt(lead_lmdb_txn_t *t, const char *what);

/* LEAD_NOTFOUND without a text */
lead_rc_t lead_lmdb_row(lead_lmdb_txn_t *t, unsigned tree, const void *key,
    size_t len, lead_bytes_t *row);
lead_rc_t lead_lmdb_put(lead_lmdb_txn_t *t, unsigned tree, const void *key,
    size_t len, const void *row, size_t size);
lead_rc_t lead_lmdb_del(lead_lmdb_txn_t *t, unsigned tree, const void *key,
    size_t len);

/* room for a row, to be filled at once; append: the key may be the last */
lead_rc_t lead_lmdb_reserve(lead_lmdb_txn_t *t, unsigned tree,
    const void *key, size_t len, size_t size, int append, uint8_t **row);

/* moves the tree's cursor; key is given for MDB_SET_RANGE.  LEAD_NOTFOUND
 * without a text */
lead_rc_t lead_lmdb_move(lead_lmdb_txn_t *t, unsigned tree, MDB_cursor_op op,
    lead_bytes_t *key, lead_bytes_t *row);

/* to the last key below this one, or the last of all where it has no bytes */
lead_rc_t lead_lmdb_below(lead_lmdb_txn_t *t, unsigned tree,
    lead_bytes_t *key, lead_bytes_t *row);


/* lmdb_state.c */

lead_rc_t lead_lmdb_state(lead_lmdb_txn_t *t);
lead_rc_t lead_lmdb_flush(lead_lmdb_txn_t *t);
lead_rc_t lead_lmdb_new_id(lead_lmdb_txn_t *t, int64_t now, lead_id_t *id);
lead_rc_t lead_lmdb_count_add(lead_lmdb_txn_t *t, uint32_t account);
lead_rc_t lead_lmdb_count_read(lead_lmdb_txn_t *t, uint32_t account,
    uint64_t *leads);

/* key is set, and the value, 0 if it was never raised */
lead_rc_t lead_lmdb_counter_read(lead_lmdb_txn_t *t, uint32_t account,
    lead_bytes_t name, uint8_t *key, uint64_t *value);
lead_rc_t lead_lmdb_counter_raise(lead_lmdb_txn_t *t, uint32_t account,
    lead_bytes_t name);
lead_rc_t lead_lmdb_counters_read(lead_lmdb_txn_t *t, const lead_op_t *op,
    lead_lmdb_counters_t *c);

/* those that were raised */
lead_rc_t lead_lmdb_counters_write(lead_lmdb_txn_t *t,
    const lead_lmdb_counters_t *c);

/* SHA-256 of account, kind and value */
lead_rc_t lead_lmdb_sha(lead_lmdb_txn_t *t, uint32_t account, uint8_t kind,
    lead_bytes_t value, uint8_t *sha);
lead_rc_t lead_lmdb_sha_text(lead_lmdb_txn_t *t, lead_bytes_t text,
    uint8_t *sha);


/* lmdb_name.c: LEAD_NOTFOUND without a text */

lead_rc_t lead_lmdb_account_known(lead_lmdb_txn_t *t, uint32_t account);
lead_rc_t lead_lmdb_endpoint_known(lead_lmdb_txn_t *t, uint32_t endpoint,
    uint32_t account);


/* lmdb_read.c: LEAD_NOTFOUND without a text */

lead_rc_t lead_lmdb_lead(lead_lmdb_txn_t *t, uint32_t account,
    const lead_id_t *id, lead_record_t *r);

/* keys has room for LEAD_MATCHES_MAX: those of find, if it has any */
lead_rc_t lead_lmdb_find(lead_lmdb_txn_t *t, uint32_t account,
    const lead_find_t *find, lead_record_match_t *keys, lead_record_t *r);
lead_rc_t lead_lmdb_matches(lead_lmdb_txn_t *t, uint32_t account,
    const lead_match_t *matches, size_t n, lead_record_match_t *out);


/* lmdb_index.c: all that finds a lead by a hash; LEAD_NOTFOUND without a
 * text */

/* the oldest lead of the first key that has one */
lead_rc_t lead_lmdb_index_find(lead_lmdb_txn_t *t, uint32_t account,
    const lead_record_match_t *matches, size_t n, lead_record_t *r);
lead_rc_t lead_lmdb_index_update(lead_lmdb_txn_t *t, uint32_t account,
    const lead_id_t *id, const lead_record_match_t *before, size_t nbefore,
    const lead_record_match_t *after, size_t nafter);

/* ids of the leads a request made, 16 bytes each */
lead_rc_t lead_lmdb_index_replay(lead_lmdb_txn_t *t, uint32_t account,
    const uint8_t *sha, lead_bytes_t *ids);

/* the same, to be filled in at once: n ids, of which the first has the event
 * that carries sha */
lead_rc_t lead_lmdb_index_remember(lead_lmdb_txn_t *t, uint32_t account,
    const uint8_t *sha, uint64_t event, size_t n, uint8_t **ids);

/* what sweep() does, and whether there is anything to do */
lead_rc_t lead_lmdb_index_due(lead_lmdb_txn_t *t, int64_t now, int *due);
lead_rc_t lead_lmdb_index_forget(lead_lmdb_txn_t *t, int64_t now);


/* lmdb_op.c */

/* op->nleads says whether it was carried out; sha: of its idempotency scope,
 * or NULL; *event: the first it wrote, which carries sha */
lead_rc_t lead_lmdb_op_run(lead_lmdb_txn_t *t, lead_op_t *op,
    const uint8_t *sha, uint64_t *event);

/* into the arena; or op->rc is LEAD_NOMEM, and -1 */
int lead_lmdb_op_copy(lead_op_t *op, const lead_t *from, lead_t *to);


/* lmdb_endpoint.c */

/* to be read: all zero if it has none */
lead_rc_t lead_lmdb_endpoint_state(lead_lmdb_txn_t *t, uint32_t endpoint,
    lead_record_endpoint_t *state);

/* to be changed, and written at the end of the transaction: stays until the
 * next call; asked for before the outbox is written to */
lead_rc_t lead_lmdb_endpoint_change(lead_lmdb_txn_t *t, uint32_t endpoint,
    lead_record_endpoint_t **state);
lead_rc_t lead_lmdb_endpoint_flush(lead_lmdb_txn_t *t);

/* of all endpoints */
lead_rc_t lead_lmdb_endpoint_sum(lead_lmdb_txn_t *t, uint64_t *failed,
    uint64_t *replayed);

/* the first endpoint from this one on, and its account; LEAD_NOTFOUND without
 * a text */
lead_rc_t lead_lmdb_endpoint_next(lead_lmdb_txn_t *t, uint32_t *endpoint,
    uint32_t *account);


/* lmdb_lease.c: whether a lease is free, and whether it is this handle's */

int lead_lmdb_lease_free(const lead_store_t *store,
    const lead_record_endpoint_t *state, int64_t now);
int lead_lmdb_lease_mine(const lead_store_t *store,
    const lead_record_endpoint_t *state);


/* lmdb_outbox.c: the counts of the row's endpoint follow; LEAD_NOTFOUND
 * without a text */

lead_rc_t lead_lmdb_outbox_add(lead_lmdb_txn_t *t,
    const lead_outbox_row_t *row);
lead_rc_t lead_lmdb_outbox_del(lead_lmdb_txn_t *t,
    const lead_outbox_row_t *row);
lead_rc_t lead_lmdb_outbox_move(lead_lmdb_txn_t *t,
    const lead_outbox_row_t *row, int64_t due, uint32_t attempts);

/* the row of this key */
lead_rc_t lead_lmdb_outbox_row(lead_lmdb_txn_t *t, uint32_t endpoint,
    int64_t due, uint64_t event, lead_outbox_row_t *row);

/* the endpoint's first row from this key on, which the cursor is at then, and
 * the one behind that */
lead_rc_t lead_lmdb_outbox_from(lead_lmdb_txn_t *t, uint32_t endpoint,
    int64_t due, uint64_t event, lead_outbox_row_t *row);
lead_rc_t lead_lmdb_outbox_next(lead_lmdb_txn_t *t, uint32_t endpoint,
    lead_outbox_row_t *row);

/* its first row that is due then or later, or the next one, that can be read;
 * others are passed over, and unread set */
lead_rc_t lead_lmdb_outbox_read(lead_lmdb_txn_t *t, uint32_t endpoint,
    int64_t due, int first, lead_outbox_row_t *row, int *unread);

/* of an outbox row */
lead_rc_t lead_lmdb_outbox_event(lead_lmdb_txn_t *t,
    const lead_outbox_row_t *row, lead_record_event_t *event);

/* an event's id for the world */
lead_rc_t lead_lmdb_outbox_id(lead_lmdb_txn_t *t, uint64_t event,
    int64_t time, lead_id_t *id);


/* lmdb_attempt.c */

/* under its time, or the next one that is free: *time */
lead_rc_t lead_lmdb_attempt_add(lead_lmdb_txn_t *t,
    const lead_record_attempt_t *a, int64_t *time);

/* over one that is there */
lead_rc_t lead_lmdb_attempt_put(lead_lmdb_txn_t *t,
    const lead_record_attempt_t *a);

/* the endpoint's first attempt from this key on; LEAD_NOTFOUND without a
 * text */
lead_rc_t lead_lmdb_attempt_from(lead_lmdb_txn_t *t, uint32_t endpoint,
    int64_t time, uint64_t event, lead_record_attempt_t *a);

/* the first one, or the next one, that can be read, as of rows */
lead_rc_t lead_lmdb_attempt_read(lead_lmdb_txn_t *t, uint32_t endpoint,
    int first, lead_record_attempt_t *a, int *unread);


/* lmdb_expire.c: LEAD_AGAIN where there is more */

lead_rc_t lead_lmdb_expire(lead_store_t *store, int64_t now, lead_error_t *e);


#endif /* LMDB_STORE_H_INCLUDED */
