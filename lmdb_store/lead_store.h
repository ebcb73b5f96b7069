
/*
 * Copyright (C) the ngx_lead authors
 *
 * The seam between the lead domain and the engine that keeps leads.
 *
 * A store holds leads, their events, outbox rows, attempts of deliveries,
 * look-up rows, idempotency records, counters, API keys, accounts and webhook
 * endpoints.  Everything is said in operations of the domain, in batches, so
 * that an embedded store and a SQL engine fit alike: no cursor, no engine
 * handle and no nginx type crosses this line.
 *
 * Promises
 *
 *   - What lead_store_commit() has acknowledged is on disk, and every process
 *     that has the store open reads it from then on.
 *   - A lead, its look-up rows, its events, its outbox rows and the
 *     idempotency record of its request become visible together or not at all.
 *   - The store never wipes and never repairs by guessing: what is foreign,
 *     newer or damaged is refused.
 *
 * Rules of use
 *
 *   - Open after fork(), once per process and path; close in the process that
 *     opened.  A call in another process fails with LEAD_INVALID.
 *   - All calls are thread-safe.  lead_store_commit() and the other writing
 *     calls wait for the writer of any process, then for the disk: call them
 *     where waiting is allowed.  lead_store_get(), lead_store_events(),
 *     lead_store_counter(), lead_store_key_find() and
 *     lead_store_endpoint_get() never wait for the disk's writer and may be
 *     called in an event loop.
 *   - A sink runs inside a read transaction and sees memory that is gone when
 *     it returns: it copies what it keeps, is quick, and calls no store
 *     function.
 *   - Bytes given stay the caller's; bytes returned live as said there.
 *
 * Times are microseconds since 1970-01-01 UTC.
 */


#ifndef LEAD_STORE_H_INCLUDED
#define LEAD_STORE_H_INCLUDED


#include <stddef.h>
#include <stdint.h>


/* limits; what is beyond gives LEAD_TOOBIG for that operation alone */

#define LEAD_DOC_MAX          1048576   /* bytes of one lead's document */
#define LEAD_MATCHES_MAX      16        /* match keys of one lead */
#define LEAD_EVENTS_MAX       8         /* events of one operation */
#define LEAD_COUNTERS_MAX     4         /* counters of one operation */
#define LEAD_EVENT_TYPE_MAX   64        /* bytes of an event's type */
#define LEAD_EVENT_DATA_MAX   65536     /* bytes of an event's data */
#define LEAD_ACTOR_MAX        64        /* bytes of an operation's actor */
#define LEAD_NAME_MAX         127       /* bytes of an account's, endpoint's,
                                           source's or key's name */
#define LEAD_OPS_MAX          4096      /* operations of one commit */

#define LEAD_SIZE_DEFAULT     (16ULL << 30)   /* bytes of the map */
#define LEAD_SIZE_MIN         (1ULL << 20)

#define LEAD_TTL_DEFAULT      (24 * 3600 * 1000000LL)
#define LEAD_KEEP_DEFAULT     (7 * 24 * 3600 * 1000000LL)
#define LEAD_KEEP_FAILED_DEFAULT  (30 * 24 * 3600 * 1000000LL)


typedef enum {
    LEAD_OK = 0,
    LEAD_AGAIN,          /* a slice is used up, there is more */
    LEAD_NOTFOUND,
    LEAD_EXISTS,
    LEAD_REFUSED,        /* a group: one of its operations was refused */
    LEAD_INVALID,        /* an argument breaks a rule of this header */
    LEAD_TOOBIG,         /* beyond a limit above */
    LEAD_BUSY,           /* no reader slot is free; try again */
    LEAD_FULL,           /* the map or the disk is full */
    LEAD_IO,             /* the disk failed */
    LEAD_ACCESS,         /* no permission, or a read-only file system */
    LEAD_FOREIGN,        /* the file is no lead store */
    LEAD_VERSION,        /* the store was written by a newer version */
    LEAD_CORRUPT,        /* the store contradicts itself */
    LEAD_NOMEM
} lead_rc_t;


/* why a call failed: one line for a log, without personal data and keys;
 * errno, or 0, apart, as nginx' logs want it */

typedef struct {
    lead_rc_t             rc;
    int                   err;
    char                  text[256];
} lead_error_t;


typedef struct {
    size_t                len;
    const uint8_t        *data;
} lead_bytes_t;


typedef struct {
    uint8_t               b[16];     /* a UUIDv7, big endian */
} lead_id_t;


typedef struct lead_store_s  lead_store_t;


typedef struct {
    uint64_t              size;      /* most bytes the store may grow to;
                                        0: what it was last opened for, or
                                        LEAD_SIZE_DEFAULT if it is new */
    int64_t               ttl;       /* least age of a forgotten idempotency
                                        record; 0: LEAD_TTL_DEFAULT */
    int64_t               keep;      /* of attempts, and of what was
                                        delivered, for a replay; 0:
                                        LEAD_KEEP_DEFAULT */
    int64_t               keep_failed;  /* of rows given up, from the time of
                                           their event, and not below keep; 0:
                                           LEAD_KEEP_FAILED_DEFAULT */
    int64_t             (*clock)(void);   /* NULL: the system's */
    unsigned              create:1;       /* make it if it is not there */
    unsigned              readonly:1;
} lead_store_opts_t;


/*
 * Opens the store named by url: "lmdb:<directory>" or a directory's path.
 * The directory must exist; files are made with mode 0600 and, when made by
 * root, given to the directory's owner.
 *
 * LEAD_OK, LEAD_NOTFOUND (and !create), LEAD_ACCESS, LEAD_FOREIGN,
 * LEAD_VERSION, LEAD_INVALID (url, size), LEAD_NOMEM, LEAD_IO, LEAD_FULL
 */
lead_rc_t lead_store_open(const char *url, const lead_store_opts_t *opts,
    lead_store_t **store, lead_error_t *e);

/* no other call may be under way */
void lead_store_close(lead_store_t *store);


/* Accounts */

/* the number of an account, given once and for ever; made if it is new.
 * Writes only when it is. */
lead_rc_t lead_store_account(lead_store_t *store, lead_bytes_t name,
    uint32_t *account, lead_error_t *e);

/* name must have room for LEAD_NAME_MAX + 1; LEAD_NOTFOUND */
lead_rc_t lead_store_account_name(lead_store_t *store, uint32_t account,
    char *name, lead_error_t *e);

/* as lead_store_account(), but never makes one: LEAD_NOTFOUND */
lead_rc_t lead_store_account_find(lead_store_t *store, lead_bytes_t name,
    uint32_t *account, lead_error_t *e);


/* Leads */

#define LEAD_FLAG_ARCHIVED    0x0001
#define LEAD_FLAG_OPTED_OUT   0x0002    /* wants no more messages */

typedef struct {
    uint32_t              account;
    lead_id_t             id;
    uint64_t              number;    /* unique in the store, rising, gaps */
    int64_t               created;
    int64_t               updated;   /* of the last write of any kind */
    int64_t               activity;  /* of the last write that was one to the
                                        domain: lead_decision_t.touch */
    uint32_t              flags;     /* LEAD_FLAG_* */
    lead_bytes_t          doc;       /* JSON */
} lead_t;


/* a value by which a lead may be found again.  kind (1..255) and value are
 * the domain's; the value carries its scope (source, campaign, entity).  The
 * store keeps SHA-256 of account, kind and value, with the lead. */

typedef struct {
    uint8_t               kind;
    lead_bytes_t          value;
} lead_match_t;


typedef enum {
    LEAD_BY_NOTHING = 0,
    LEAD_BY_ID,
    LEAD_BY_NUMBER,
    LEAD_BY_MATCH        /* the first key in rank order that has a lead */
} lead_by_t;

typedef struct {
    lead_by_t             by;
    lead_id_t             id;
    uint64_t              number;
    const lead_match_t   *matches;
    size_t                nmatches;
} lead_find_t;


/* an event to append to its lead's history.  For each endpoint an outbox row
 * is written, due at once, and the event keeps the lead as it now is. */

typedef struct {
    lead_bytes_t          type;      /* "lead.created" */
    lead_bytes_t          data;      /* JSON, or nothing */
    const uint32_t       *endpoints; /* of lead_store_endpoint() */
    size_t                nendpoints;
} lead_event_t;


typedef enum {
    LEAD_REFUSE = 0,     /* nothing is written; the domain knows why */
    LEAD_KEEP,           /* nothing is written; the target is the result */
    LEAD_INSERT,
    LEAD_UPDATE          /* of the target */
} lead_verdict_t;

typedef struct {
    lead_verdict_t        verdict;
    lead_bytes_t          doc;       /* the whole new document */
    uint32_t              flags;
    unsigned              touch:1;   /* an update that counts as activity */
    unsigned              keep_matches:1;  /* an update: those it has */
    const lead_match_t   *matches;   /* all the lead has from now on */
    size_t                nmatches;
    const lead_event_t   *events;
    size_t                nevents;

    /* appended to the history of the second lead, which stays as it is */
    const lead_event_t   *second_events;
    size_t                nsecond_events;

    /* counters that rise by one, beside those of the operation: such as
     * depend on what was found; scoped by account here */
    const lead_bytes_t   *raise;
    size_t                nraise;
} lead_decision_t;


typedef struct lead_op_s  lead_op_t;

/*
 * Decides what becomes of an operation, knowing what was found (NULL: nothing
 * was).  Pure: it reads its arguments and op, writes *d (zeroed before: a
 * refusal) and op's arena, and may raise counters[i] (in the order of
 * op->counters; written back on insert and update).  It runs in the thread
 * that commits, may run again for the same operation, and then starts afresh
 * with its arena.  target and second are gone when it returns; what *d points
 * to must stay until the result is used.
 */
typedef void (*lead_decide_pt)(lead_op_t *op, const lead_t *target,
    const lead_t *second, int64_t now, uint64_t *counters,
    lead_decision_t *d);

typedef enum {
    LEAD_NONE = 0,       /* not carried out: see rc */
    LEAD_INSERTED,
    LEAD_UPDATED,
    LEAD_KEPT,
    LEAD_REPLAYED,       /* the idempotency key had its leads already: they
                            are returned as they are now; decide() not asked */
    LEAD_WAS_REFUSED
} lead_outcome_t;

struct lead_op_s {

    /* the caller's */

    uint32_t              account;
    lead_bytes_t          actor;         /* who asks, for the event: a key's
                                            id; may be empty */
    lead_bytes_t          idempotency;   /* client, dialect, route, resource
                                            and key, joined; empty: none.
                                            Scoped by account here. */
    lead_find_t           target;
    lead_find_t           second;        /* a referrer */
    const lead_bytes_t   *counters;      /* names, scoped by account here */
    size_t                ncounters;
    lead_decide_pt        decide;
    void                 *data;          /* decide()'s */

    /* memory for results; called by the store's thread.  NULL: LEAD_NOMEM
     * for this operation */
    void               *(*alloc)(void *arena, size_t size);
    void                 *arena;

    /* the store's, after a commit that returned LEAD_OK */

    lead_rc_t             rc;            /* LEAD_OK, LEAD_TOOBIG, LEAD_INVALID,
                                            LEAD_NOMEM */
    lead_outcome_t        outcome;
    lead_t               *leads;         /* the result, in the arena; doc there
                                            too, or where decide() had it */
    size_t                nleads;        /* 1; for a replayed group any number;
                                            0 when refused */
};


/*
 * Carries out n operations (1..LEAD_OPS_MAX) in order, in one durable
 * transaction.  A refused or oversized operation is left out alone.  Anything
 * but LEAD_OK means that none was carried out.
 *
 * LEAD_OK, LEAD_INVALID, LEAD_FULL, LEAD_IO, LEAD_BUSY, LEAD_CORRUPT,
 * LEAD_NOMEM
 */
lead_rc_t lead_store_commit(lead_store_t *store, lead_op_t **ops, size_t n,
    lead_error_t *e);

/*
 * The same, all or none: LEAD_REFUSED, with the outcomes up to and including
 * the first refused or oversized operation, when there is one.  The
 * idempotency key of ops[0] names every lead the group made; a replay sets
 * ops[0] to LEAD_REPLAYED with all of them and the others to LEAD_NONE.
 */
lead_rc_t lead_store_commit_group(lead_store_t *store, lead_op_t **ops,
    size_t n, lead_error_t *e);


/* Reads */

/* non-zero: no more */
typedef int (*lead_sink_pt)(void *ctx, const lead_t *lead);

/* one lead of the account, by any way of lead_find_t; LEAD_NOTFOUND also for
 * a lead of another account */
lead_rc_t lead_store_get(lead_store_t *store, uint32_t account,
    const lead_find_t *find, lead_sink_pt sink, void *ctx, lead_error_t *e);

typedef struct {
    uint32_t              account;
    lead_id_t             from;      /* exclusive; used if has_from */
    size_t                slice;     /* most leads looked at in this call */
    unsigned              has_from:1;
    unsigned              oldest:1;  /* oldest first; else newest first */
    lead_sink_pt          sink;
    void                 *ctx;
} lead_list_t;

/* LEAD_OK: the end, or the sink had enough.  LEAD_AGAIN: the slice is used
 * up, *next is the last id looked at. */
lead_rc_t lead_store_list(lead_store_t *store, const lead_list_t *list,
    lead_id_t *next, lead_error_t *e);


typedef struct {
    uint64_t              id;        /* unique in the store, rising */
    int64_t               time;
    lead_bytes_t          type;
    lead_bytes_t          actor;
    lead_bytes_t          data;
    const lead_t         *lead;      /* as it was after the event, or NULL */
} lead_event_row_t;

typedef int (*lead_event_sink_pt)(void *ctx, const lead_event_row_t *event);

/* a counter of the account; 0 if it was never raised */
lead_rc_t lead_store_counter(lead_store_t *store, uint32_t account,
    lead_bytes_t name, uint64_t *value, lead_error_t *e);

/* the events of a lead, newest first; LEAD_OK also when there are none */
lead_rc_t lead_store_events(lead_store_t *store, uint32_t account,
    const lead_id_t *id, lead_event_sink_pt sink, void *ctx, lead_error_t *e);


/* Webhook endpoints */

/* the number of an account's endpoint, by its name, which is its identity;
 * made if it is new.  Writes only when it is. */
lead_rc_t lead_store_endpoint(lead_store_t *store, uint32_t account,
    lead_bytes_t name, uint32_t *endpoint, lead_error_t *e);

/* as lead_store_endpoint(), but never makes one: LEAD_NOTFOUND */
lead_rc_t lead_store_endpoint_find(lead_store_t *store, uint32_t account,
    lead_bytes_t name, uint32_t *endpoint, lead_error_t *e);

typedef enum {
    LEAD_ENDPOINT_ENABLED = 0,
    LEAD_ENDPOINT_DISABLED,          /* by the operator */
    LEAD_ENDPOINT_GONE,              /* it answered 410 */
    LEAD_ENDPOINT_FAILING            /* it failed for too long */
} lead_endpoint_state_t;

typedef struct {
    uint32_t              endpoint;
    uint32_t              account;
    char                  name[LEAD_NAME_MAX + 1];
    lead_endpoint_state_t state;
    int64_t               changed;   /* when state was set; 0: never */
    int64_t               succeeded; /* the last attempt that did; 0: none */
    int64_t               failing;   /* the first attempt of those that have
                                        failed since; 0: the last succeeded */
    uint64_t              pending;   /* rows to be delivered */
    uint64_t              failed;    /* rows given up, kept */
    uint64_t              delivered; /* ever */
    int64_t               lease;     /* until when it is leased; 0: free, as
                                        is that of a process that is gone */
    int64_t               due;       /* of the first row; LEAD_NEVER: none */
    unsigned              mine:1;    /* the lease is this store handle's */
} lead_endpoint_t;

#define LEAD_NEVER            INT64_MAX

/* LEAD_NOTFOUND; never waits for the disk's writer */
lead_rc_t lead_store_endpoint_get(lead_store_t *store, uint32_t endpoint,
    lead_endpoint_t *info, lead_error_t *e);

typedef int (*lead_endpoint_sink_pt)(void *ctx, const lead_endpoint_t *info);

/* by number; account 0: of all */
lead_rc_t lead_store_endpoints(lead_store_t *store, uint32_t account,
    lead_endpoint_sink_pt sink, void *ctx, lead_error_t *e);

/* LEAD_NOTFOUND.  Enabling forgets since when it has failed, and makes what
 * waits for a later attempt due. */
lead_rc_t lead_store_endpoint_set(lead_store_t *store, uint32_t endpoint,
    lead_endpoint_state_t state, lead_error_t *e);


/*
 * The outbox.
 *
 * A row stands for one event to be delivered to one endpoint.  It is written
 * with its event, leaves the outbox when it is settled as delivered, and else
 * waits for its next attempt, or, given up, for the operator.
 *
 * Who delivers for an endpoint holds its lease.  A lease belongs to a store
 * handle, ends at its time, and with its process; one that reaches further
 * than LEAD_LEASE_MAX into the future (a clock was set back) counts as ended.
 * Processes of a store are of one system, and of one namespace of their ids.
 * So a row is sent by one process at a time, and one that dies is followed by
 * another.  A row may still be sent twice, by who dies before it is settled.
 */

#define LEAD_LEASE_MAX        (600 * 1000000LL)

#define LEAD_ATTEMPT_ERROR_MAX    127       /* bytes, the rest is cut off */
#define LEAD_ATTEMPT_ANSWER_MAX   256

typedef struct {
    uint32_t              endpoint;
    int64_t               due;       /* LEAD_NEVER: given up */
    uint64_t              event;
    uint32_t              account;
    lead_id_t             lead;      /* all zero: of a test */
    uint32_t              attempts;  /* made so far */
} lead_outbox_row_t;

/*
 * Takes or renews the leases of n endpoints, for span microseconds from now
 * (up to LEAD_LEASE_MAX); until[i] is set to when the lease ends, or 0: another
 * process has it, or the endpoint is not enabled.  Writes only when there is
 * one to be had.
 */
lead_rc_t lead_store_lease(lead_store_t *store, const uint32_t *endpoints,
    size_t n, int64_t span, int64_t *until, lead_error_t *e);

/* gives back those of these that are this handle's */
lead_rc_t lead_store_release(lead_store_t *store, const uint32_t *endpoints,
    size_t n, lead_error_t *e);

typedef struct {
    lead_outbox_row_t     row;
    lead_id_t             id;        /* of the event, for the world: a UUIDv7
                                        that is the same at each attempt and
                                        for each endpoint */
    lead_event_row_t      event;     /* lead: as it was; NULL: it has expired,
                                        or the event is no more */
} lead_due_t;

typedef int (*lead_due_sink_pt)(void *ctx, const lead_due_t *due);

/*
 * The rows of an endpoint that are due now, by due time, but those of the
 * nskip events in skip (ascending), which the caller has already.  *next is
 * the due time of the first one the sink did not take (non-zero: it was the
 * last it takes), LEAD_NEVER if there is none.  LEAD_CORRUPT: rows that cannot
 * be read were passed over; all others were given, and *next is set.
 */
lead_rc_t lead_store_due(lead_store_t *store, uint32_t endpoint,
    const uint64_t *skip, size_t nskip, lead_due_sink_pt sink, void *ctx,
    int64_t *next, lead_error_t *e);

typedef enum {
    LEAD_DELIVERED = 0,              /* the row leaves the outbox */
    LEAD_RETRY,                      /* it becomes due at retry */
    LEAD_GIVE_UP                     /* it is kept, due LEAD_NEVER */
} lead_attempt_outcome_t;

typedef struct {
    lead_outbox_row_t     row;       /* as it was due */
    lead_id_t             id;        /* of the event, for the world; settling
                                        does not look at it */
    lead_bytes_t          type;      /* of the event */
    int64_t               time;      /* when the attempt began */
    uint32_t              msec;      /* how long it took */
    uint32_t              status;    /* of the answer; 0: there was none */
    lead_bytes_t          error;     /* why it failed, for people */
    lead_bytes_t          answer;    /* how the answer's body begins */
    lead_attempt_outcome_t  outcome;
    int64_t               retry;
    lead_endpoint_state_t state;     /* what the endpoint becomes, if it is
                                        enabled; LEAD_ENDPOINT_ENABLED: as it
                                        is */
    unsigned              unsent:1;  /* nothing was sent, so that it says
                                        nothing of the endpoint; not kept */
} lead_attempt_t;

/*
 * Settles n attempts (1..LEAD_OPS_MAX) in one durable transaction, and logs
 * each.  A row that is no longer as it was due (another process has settled
 * it) stays as it is, unless the outcome is LEAD_DELIVERED; its attempt is
 * logged all the same.
 */
lead_rc_t lead_store_settle(lead_store_t *store,
    const lead_attempt_t *attempts, size_t n, lead_error_t *e);

typedef int (*lead_outbox_sink_pt)(void *ctx, const lead_outbox_row_t *row);

/* the rows of an endpoint (0: of all) by due time */
lead_rc_t lead_store_outbox(lead_store_t *store, uint32_t endpoint,
    lead_outbox_sink_pt sink, void *ctx, lead_error_t *e);

/* attempts of an endpoint, newest first, from a time (exclusive; LEAD_NEVER:
 * the newest) down; what they point to is gone with the sink */
typedef int (*lead_attempt_sink_pt)(void *ctx, const lead_attempt_t *attempt);

lead_rc_t lead_store_attempts(lead_store_t *store, uint32_t endpoint,
    int64_t from, lead_attempt_sink_pt sink, void *ctx, lead_error_t *e);

typedef struct {
    uint32_t              endpoint;
    uint64_t              event;     /* 0: any */
    int64_t               since;     /* of the event's time, inclusive */
    int64_t               until;     /* exclusive */
    unsigned              failed:1;  /* rows given up */
    unsigned              pending:1; /* rows that wait for a later attempt */
    unsigned              delivered:1;  /* what was delivered and has not
                                           expired: once more */
    size_t                slice;     /* most rows looked at in this call */

    int64_t               began;     /* the store's, all 0 at first: when it */
    int64_t               from;      /* began, and where to go on */
    uint64_t              from_event;
    uint32_t              from_endpoint;
    unsigned              stage;
} lead_replay_t;

/*
 * Makes rows due at once, their attempts counted from 0.  *n rises by how
 * many.  Endpoint 0, with an event, is each that has it.  What was delivered
 * since the first call, or waits already, is not doubled.  LEAD_AGAIN: the
 * slice is used up; call again with the same struct.  LEAD_NOTFOUND: there is
 * no such endpoint.
 */
lead_rc_t lead_store_replay(lead_store_t *store, lead_replay_t *replay,
    uint64_t *n, lead_error_t *e);

/* an event "webhook.test" about a lead that is not there, with this document,
 * due at once to this endpoint alone; LEAD_NOTFOUND, LEAD_TOOBIG */
lead_rc_t lead_store_endpoint_test(lead_store_t *store, uint32_t endpoint,
    lead_bytes_t doc, uint64_t *event, lead_error_t *e);


/* API keys */

#define LEAD_SCOPE_READ       0x0001     /* leads:read */
#define LEAD_SCOPE_WRITE      0x0002     /* leads:write */
#define LEAD_SCOPE_INGEST     0x0004     /* of a source's ingestion key */

#define LEAD_KEY_ID_LEN       8
#define LEAD_KEY_SECRET_LEN   32
#define LEAD_KEY_CRC_LEN      6
#define LEAD_KEY_TEXT_LEN     (sizeof("lead_") - 1 + LEAD_KEY_ID_LEN + 1      \
                               + LEAD_KEY_SECRET_LEN + LEAD_KEY_CRC_LEN)
#define LEAD_KEY_TEXT_MAX     512        /* of an imported key */

typedef struct {
    char                  id[LEAD_KEY_ID_LEN + 1];    /* public, base62 */
    uint32_t              account;
    uint32_t              scopes;                     /* LEAD_SCOPE_* */
    int64_t               created;
    int64_t               expires;                    /* 0: never */
    unsigned              disabled:1;
    char                  api[16];                    /* dialect, or "" */
    char                  source[LEAD_NAME_MAX + 1];  /* source, or "" */
    char                  name[LEAD_NAME_MAX + 1];    /* for people */
    char                  last4[5];
} lead_key_t;

/* makes a key's text, lead_<id>_<secret><crc>, and sets key->id and last4;
 * text has room for LEAD_KEY_TEXT_LEN + 1.  LEAD_IO: no randomness. */
lead_rc_t lead_store_key_make(lead_key_t *key, char *text);

/* 0: the text starts as one of ours but its checksum is wrong */
int lead_store_key_plausible(lead_bytes_t text);

/* stores a key under its text's SHA-256; created is set here, and id where it
 * is empty (an imported key).  LEAD_EXISTS: this text, or id, is there. */
lead_rc_t lead_store_key_add(lead_store_t *store, lead_key_t *key,
    lead_bytes_t text, lead_error_t *e);

/* by the text presented; LEAD_NOTFOUND.  Neither disabled nor expires is
 * judged here. */
lead_rc_t lead_store_key_find(lead_store_t *store, lead_bytes_t text,
    lead_key_t *key, lead_error_t *e);

/* by the public id; LEAD_NOTFOUND */
lead_rc_t lead_store_key_disable(lead_store_t *store, const char *id,
    int disabled, lead_error_t *e);
lead_rc_t lead_store_key_remove(lead_store_t *store, const char *id,
    lead_error_t *e);

typedef int (*lead_key_sink_pt)(void *ctx, const lead_key_t *key);

lead_rc_t lead_store_key_list(lead_store_t *store, lead_key_sink_pt sink,
    void *ctx, lead_error_t *e);


/* Care */

typedef struct {
    uint32_t              version;       /* of the format */
    uint8_t               store[16];     /* the store's own id */
    uint64_t              leads;
    uint64_t              events;
    uint64_t              outbox;        /* rows, those given up too */
    uint64_t              failed;        /* of these, given up */
    uint64_t              attempts;      /* of deliveries, kept */
    uint64_t              lookups;
    uint64_t              idempotency;   /* records, of all generations */
    uint64_t              keys;
    uint64_t              accounts;
    uint64_t              endpoints;
    uint64_t              last_number;
    uint64_t              size;          /* bytes it may grow to */
    uint64_t              used;          /* bytes of the file in use, with
                                            pages that are free again */
    uint64_t              free;          /* of these, bytes free again */
    unsigned              readers;       /* slots taken */
    unsigned              readers_max;
} lead_stat_t;

lead_rc_t lead_store_stat(lead_store_t *store, lead_stat_t *stat,
    lead_error_t *e);

/* leads of one account; 0 for an unknown one */
lead_rc_t lead_store_count(lead_store_t *store, uint32_t account,
    uint64_t *leads, lead_error_t *e);

/*
 * Maintenance, to be called every minute or so by any one process: frees the
 * reader slots of dead processes, forgets idempotency records older than the
 * ttl, whole generations at a time, and attempts, delivered leads and rows
 * given up beyond their keep, in transactions of a bounded size.  LEAD_AGAIN:
 * there is more, which need not wait for so long.
 */
lead_rc_t lead_store_sweep(lead_store_t *store, lead_error_t *e);

/* copies the store, as it is at one moment, into a directory made here, or
 * empty, for the owner of the store's.  LEAD_EXISTS; LEAD_INVALID: the store's
 * own, or none; LEAD_NOTFOUND, LEAD_FULL: of the copy; LEAD_BUSY: given up,
 * before writers find the store full for it.  What fails leaves nothing. */
#define LEAD_BACKUP_PART      "backup.part"   /* a copy that is not whole */
lead_rc_t lead_store_backup(lead_store_t *store, const char *dir,
    lead_error_t *e);

/* one finding, a line for people without personal data */
typedef void (*lead_check_pt)(void *ctx, const char *finding);

/*
 * Reads everything in one snapshot and compares: every record decodes, each
 * lead has its number, its look-up rows and its created event, every row points
 * to something, counters agree.  *findings is how many were reported.
 */
lead_rc_t lead_store_check(lead_store_t *store, lead_check_pt report,
    void *ctx, uint64_t *findings, lead_error_t *e);


/* UUID as text: 36 characters and a zero */

#define LEAD_ID_TEXT_LEN      36

void lead_store_id_text(const lead_id_t *id, char *text);

/* 0, or -1 if text is not 8-4-4-4-12 hexadecimal digits, any case */
int lead_store_id_parse(lead_bytes_t text, lead_id_t *id);


/* a result code's name, for logs: "full" */
const char *lead_store_rc_text(lead_rc_t rc);


#endif /* LEAD_STORE_H_INCLUDED */
