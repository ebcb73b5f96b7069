
/*
 * Copyright (C) the ngx_lead authors
 *
 * Works on a store until told otherwise, so that what it does to the store's
 * file can be recorded: leads one by one and in batches and groups, updates,
 * repeats, referrals, keys, deliveries settled, given up and replayed, sweeps
 * that forget, and opening again.  What it does follows from a seed; the clock
 * is its own.
 *
 *     power_drive <directory> <seed> <steps> [two]
 *
 * With "two" it is two processes that have the store open, and do each second
 * step each: what one of them does after the other has failed is seen, too.
 *
 * After each step that the store has acknowledged it marks the recorder's log
 * (t/tools/record.c) with the step and the hash of all the store says of
 * itself.  A step may fail, where the recorder makes the disk fail: it is
 * marked as that, and the next one goes on.
 */


#define _GNU_SOURCE

#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "power_log.h"
#include "power_state.h"


#define DRIVE_SIZE       (16 << 20)
#define DRIVE_LEADS      4096
#define DRIVE_ROWS       64
#define DRIVE_HOUR       3600000000LL


typedef struct {
    char                *dir;
    lead_error_t         e;
    uint64_t             random;
    power_mark_pt        mark;
    unsigned             step;
    unsigned             sum;         /* of the weights of all steps */
    int64_t              now;
    unsigned             keys;        /* Idempotency-Keys used */
    uint32_t             account[2];
    uint32_t             endpoint[3]; /* the last one is the second's */
    char                 key_id[LEAD_KEY_ID_LEN + 1];

    lead_id_t            leads[DRIVE_LEADS];  /* of the first account */
    size_t               nleads;

    lead_outbox_row_t    rows[DRIVE_ROWS];
    size_t               nrows;

    power_op_t           ops[POWER_LEADS];
    char                 doc[POWER_LEADS][POWER_DOC];
} drive_t;


typedef lead_rc_t (*drive_step_pt)(drive_t *d);


static int64_t drive_clock(void);
static unsigned drive_random(drive_t *d, unsigned n);
static void drive_said(drive_t *d, const char *what, int state);
static void drive_die(drive_t *d, const char *what, lead_rc_t rc);
static lead_rc_t drive_open(drive_t *d);
static lead_rc_t drive_names(drive_t *d);
static void drive_document(drive_t *d, size_t i, size_t max);
static void drive_prepare(drive_t *d, size_t i, size_t max);
static lead_rc_t drive_commit(drive_t *d, size_t n, int group);
static lead_rc_t drive_insert(drive_t *d);
static lead_rc_t drive_batch(drive_t *d);
static lead_rc_t drive_group(drive_t *d);
static lead_rc_t drive_refused(drive_t *d);
static lead_rc_t drive_update(drive_t *d);
static lead_rc_t drive_refer(drive_t *d);
static lead_rc_t drive_key(drive_t *d);
static int drive_due_sink(void *ctx, const lead_due_t *due);
static lead_rc_t drive_settle(drive_t *d);
static lead_rc_t drive_replay(drive_t *d);
static lead_rc_t drive_endpoint(drive_t *d);
static lead_rc_t drive_lease(drive_t *d);
static lead_rc_t drive_sweep(drive_t *d);
static lead_rc_t drive_reopen(drive_t *d);
static void drive_begin(drive_t *d);
static void drive_one(drive_t *d);
static void drive_other(drive_t *d);
static void drive_pass(drive_t *d);


/* a process's own; all else is shared by the two */

static lead_store_t  *drive_store;
static drive_t       *drive_shared;
static int            drive_pair = -1;


static const struct {
    unsigned        weight;
    const char     *name;
    drive_step_pt   step;
} drive_steps[] = {
    { 14, "insert", drive_insert },
    { 6, "batch", drive_batch },
    { 4, "group", drive_group },
    { 1, "refused", drive_refused },
    { 8, "update", drive_update },
    { 3, "refer", drive_refer },
    { 2, "key", drive_key },
    { 8, "settle", drive_settle },
    { 2, "replay", drive_replay },
    { 2, "endpoint", drive_endpoint },
    { 1, "lease", drive_lease },
    { 3, "sweep", drive_sweep },
    { 1, "reopen", drive_reopen }
};

#define DRIVE_STEPS  (sizeof(drive_steps) / sizeof(drive_steps[0]))


static int64_t
drive_clock(void)
{
    return drive_shared->now;
}


static unsigned
drive_random(drive_t *d, unsigned n)
{
    d->random ^= d->random << 13;
    d->random ^= d->random >> 7;
    d->random ^= d->random << 17;

    return (unsigned) ((d->random >> 16) % n);
}


static void
drive_said(drive_t *d, const char *what, int state)
{
    int           i;
    char          hash[2 * sizeof(power_hash_t) + 1], text[256];
    lead_rc_t     rc;
    power_hash_t  h;

    hash[0] = '\0';

    if (state) {
        for (rc = LEAD_IO, i = 0; rc == LEAD_IO && i < 5; i++) {
            rc = power_state(drive_store, &h, NULL, 0, NULL, &d->e);
        }

        if (rc != LEAD_OK) {
            drive_die(d, "state", rc);
        }

        power_hash_text(&h, hash);
    }

    (void) snprintf(text, sizeof(text), "%s %u %s", what, d->step, hash);

    if (d->mark != NULL) {
        d->mark(text);
    }
}


static void
drive_die(drive_t *d, const char *what, lead_rc_t rc)
{
    fprintf(stderr, "power_drive: step %u, %s: %s: %s\n", d->step, what,
            lead_store_rc_text(rc), d->e.text);
    exit(1);
}


static lead_rc_t
drive_open(drive_t *d)
{
    lead_store_opts_t  opts;

    memset(&opts, 0, sizeof(opts));
    opts.size = DRIVE_SIZE;
    opts.ttl = 6 * DRIVE_HOUR;
    opts.keep = 12 * DRIVE_HOUR;
    opts.keep_failed = 24 * DRIVE_HOUR;
    opts.clock = drive_clock;
    opts.create = 1;

    return lead_store_open(d->dir, &opts, &drive_store, &d->e);
}


static lead_rc_t
drive_names(drive_t *d)
{
    int                 i;
    lead_rc_t           rc;
    static const char  *names[] = { "acme", "other" },
                       *hooks[] = { "crm", "erp", "bi" };

    rc = LEAD_OK;

    for (i = 0; rc == LEAD_OK && i < 2; i++) {
        rc = lead_store_account(drive_store, power_bytes(names[i]),
                                &d->account[i], &d->e);
    }

    for (i = 0; rc == LEAD_OK && i < 3; i++) {
        rc = lead_store_endpoint(drive_store, d->account[i == 2],
                                 power_bytes(hooks[i]), &d->endpoint[i],
                                 &d->e);
    }

    return rc;
}


static void
drive_document(drive_t *d, size_t i, size_t max)
{
    size_t  len, n;

    len = 20 + drive_random(d, 300);

    if (max == POWER_DOC && drive_random(d, 6) == 0) {
        len = 1000 + drive_random(d, POWER_DOC - 1001);
    }

    n = (size_t) snprintf(d->doc[i], max, "{\"step\":%u,\"text\":\"", d->step);

    while (n < len - 3 && n < max - 3) {
        d->doc[i][n++] = (char) ('a' + drive_random(d, 26));
    }

    memcpy(d->doc[i] + n, "\"}", 3);
}


/* an insert, or an update of what its match keys find */

static void
drive_prepare(drive_t *d, size_t i, size_t max)
{
    int          k, n;
    power_op_t  *op;

    op = &d->ops[i];

    power_op(op, d->account[0]);
    drive_document(d, i, max);

    n = (int) drive_random(d, POWER_MATCHES + 1);

    for (k = 0; k < n; k++) {
        (void) snprintf(op->values[k], sizeof(op->values[k]), "v%u",
                        drive_random(d, 200));
        op->matches[k].kind = (uint8_t) (k + 1);
        op->matches[k].value = power_bytes(op->values[k]);
    }

    if (n != 0 && drive_random(d, 2)) {
        op->op.target.by = LEAD_BY_MATCH;
        op->op.target.matches = op->matches;
        op->op.target.nmatches = (size_t) n;
    }

    (void) snprintf(op->counter, sizeof(op->counter), "c%u",
                    drive_random(d, POWER_COUNTERS));
    op->counters[0] = power_bytes(op->counter);
    op->op.ncounters = drive_random(d, 2);
    op->raise = 1;

    op->endpoints[0] = d->endpoint[0];
    op->endpoints[1] = d->endpoint[1];

    op->events[0].type = power_bytes("lead.created");
    op->events[0].endpoints = op->endpoints;
    op->events[0].nendpoints = drive_random(d, 3);
    op->events[1].type = power_bytes("lead.noted");
    op->events[1].data = power_bytes("{\"n\":1}");

    op->d.verdict = LEAD_INSERT;
    op->d.doc = power_bytes(d->doc[i]);
    op->d.matches = op->matches;
    op->d.nmatches = (size_t) n;
    op->d.events = op->events;
    op->d.nevents = 1 + drive_random(d, 2);

    op->found = op->d;
    op->found.verdict = LEAD_UPDATE;
    op->found.touch = 1;
}


static lead_rc_t
drive_commit(drive_t *d, size_t n, int group)
{
    size_t     i;
    lead_rc_t  rc;

    rc = power_commit(drive_store, d->ops, n, group, &d->e);

    for (i = 0; rc == LEAD_OK && i < n; i++) {

        if (d->ops[i].op.rc != LEAD_OK) {
            drive_die(d, "operation", d->ops[i].op.rc);
        }

        if (d->ops[i].op.outcome == LEAD_INSERTED
            && d->nleads < DRIVE_LEADS)
        {
            d->leads[d->nleads++] = d->ops[i].op.leads->id;
        }
    }

    return rc;
}


static lead_rc_t
drive_insert(drive_t *d)
{
    drive_prepare(d, 0, POWER_DOC);

    /* a new key, or a repeat, of what may have been forgotten */

    if (d->keys < POWER_KEYS && drive_random(d, 2)) {
        power_op_key(&d->ops[0], d->keys++);

    } else if (d->keys != 0 && drive_random(d, 4) == 0) {
        power_op_key(&d->ops[0], drive_random(d, d->keys));
    }

    return drive_commit(d, 1, 0);
}


static lead_rc_t
drive_batch(drive_t *d)
{
    size_t  i, n;

    n = 2 + drive_random(d, POWER_LEADS - 1);

    for (i = 0; i < n; i++) {
        drive_prepare(d, i, POWER_DOC);

        if (d->keys < POWER_KEYS && drive_random(d, 8) == 0) {
            power_op_key(&d->ops[i], d->keys++);
        }
    }

    return drive_commit(d, n, 0);
}


static lead_rc_t
drive_group(drive_t *d)
{
    size_t  i, n;

    n = 2 + drive_random(d, POWER_LEADS - 1);

    for (i = 0; i < n; i++) {
        drive_prepare(d, i, 256);
    }

    if (d->keys < POWER_KEYS) {
        power_op_key(&d->ops[0], d->keys++);
    }

    return drive_commit(d, n, 1);
}


/* all but the last could be carried out, and none is */

static lead_rc_t
drive_refused(drive_t *d)
{
    size_t     i;
    lead_rc_t  rc;

    for (i = 0; i < 4; i++) {
        drive_prepare(d, i, 256);
    }

    d->ops[3].d.verdict = LEAD_REFUSE;
    d->ops[3].found.verdict = LEAD_REFUSE;

    rc = power_commit(drive_store, d->ops, 4, 1, &d->e);

    if (rc == LEAD_OK) {
        drive_die(d, "a group that is refused", rc);
    }

    return rc == LEAD_REFUSED ? LEAD_OK : rc;
}


static lead_rc_t
drive_update(drive_t *d)
{
    power_op_t  *op;

    if (d->nleads == 0) {
        return drive_insert(d);
    }

    drive_prepare(d, 0, POWER_DOC);

    op = &d->ops[0];
    op->op.target.by = LEAD_BY_ID;
    op->op.target.id = d->leads[drive_random(d, (unsigned) d->nleads)];
    op->found.keep_matches = drive_random(d, 2);
    op->found.flags = drive_random(d, 2) ? LEAD_FLAG_ARCHIVED : 0;

    if (op->found.keep_matches) {
        op->found.matches = NULL;
        op->found.nmatches = 0;
    }

    op->events[0].type = power_bytes("lead.updated");

    return drive_commit(d, 1, 0);
}


static lead_rc_t
drive_refer(drive_t *d)
{
    power_op_t  *op;

    if (d->nleads == 0) {
        return drive_insert(d);
    }

    drive_prepare(d, 0, POWER_DOC);

    op = &d->ops[0];
    op->op.second.by = LEAD_BY_ID;
    op->op.second.id = d->leads[drive_random(d, (unsigned) d->nleads)];

    op->events[2].type = power_bytes("lead.referral");
    op->events[2].endpoints = op->endpoints;
    op->events[2].nendpoints = 1;

    op->d.second_events = &op->events[2];
    op->d.nsecond_events = 1;
    op->found.second_events = &op->events[2];
    op->found.nsecond_events = 1;

    return drive_commit(d, 1, 0);
}


static lead_rc_t
drive_key(drive_t *d)
{
    char        text[LEAD_KEY_TEXT_LEN + 1];
    lead_rc_t   rc;
    lead_key_t  key;

    if (d->key_id[0] != '\0' && drive_random(d, 2)) {

        if (drive_random(d, 2)) {
            return lead_store_key_disable(drive_store, d->key_id,
                                          (int) drive_random(d, 2), &d->e);
        }

        rc = lead_store_key_remove(drive_store, d->key_id, &d->e);

        if (rc == LEAD_OK) {
            d->key_id[0] = '\0';
        }

        return rc;
    }

    memset(&key, 0, sizeof(key));
    key.account = d->account[0];
    key.scopes = LEAD_SCOPE_READ|LEAD_SCOPE_WRITE;

    if (lead_store_key_make(&key, text) != LEAD_OK) {
        drive_die(d, "key", LEAD_IO);
    }

    rc = lead_store_key_add(drive_store, &key, power_bytes(text), &d->e);

    if (rc == LEAD_OK) {
        memcpy(d->key_id, key.id, sizeof(d->key_id));
    }

    return rc;
}


static int
drive_due_sink(void *ctx, const lead_due_t *due)
{
    drive_t  *d;

    d = ctx;
    d->rows[d->nrows++] = due->row;

    return d->nrows == DRIVE_ROWS;
}


static lead_rc_t
drive_settle(drive_t *d)
{
    size_t           i;
    int64_t          next;
    lead_rc_t        rc;
    lead_attempt_t   a[DRIVE_ROWS];

    d->nrows = 0;

    rc = lead_store_due(drive_store, d->endpoint[drive_random(d, 2)], NULL, 0,
                        drive_due_sink, d, &next, &d->e);

    if (rc != LEAD_OK) {
        return rc;
    }

    if (d->nrows == 0) {
        return drive_insert(d);
    }

    d->nrows = 1 + drive_random(d, (unsigned) d->nrows);
    memset(a, 0, sizeof(a));

    for (i = 0; i < d->nrows; i++) {
        a[i].row = d->rows[i];
        a[i].type = power_bytes("lead.created");
        a[i].time = d->now;
        a[i].msec = 7;
        a[i].status = 200 + 100 * drive_random(d, 4);
        a[i].answer = power_bytes("thanks");
        a[i].outcome = (lead_attempt_outcome_t) drive_random(d, 3);
        a[i].retry = d->now + DRIVE_HOUR;
    }

    return lead_store_settle(drive_store, a, d->nrows, &d->e);
}


static lead_rc_t
drive_replay(drive_t *d)
{
    uint64_t       n;
    lead_rc_t      rc;
    lead_replay_t  replay;

    memset(&replay, 0, sizeof(replay));
    replay.endpoint = d->endpoint[drive_random(d, 2)];
    replay.until = LEAD_NEVER;
    replay.failed = 1;
    replay.pending = 1;
    replay.delivered = 1;
    replay.slice = 16;

    do {
        rc = lead_store_replay(drive_store, &replay, &n, &d->e);
    } while (rc == LEAD_AGAIN);

    return rc;
}


static lead_rc_t
drive_endpoint(drive_t *d)
{
    uint32_t  endpoint;
    uint64_t  event;

    endpoint = d->endpoint[drive_random(d, 3)];

    if (drive_random(d, 2)) {
        return lead_store_endpoint_test(drive_store, endpoint,
                                        power_bytes("{\"test\":1}"), &event,
                                        &d->e);
    }

    return lead_store_endpoint_set(drive_store, endpoint,
                                   drive_random(d, 2) ? LEAD_ENDPOINT_ENABLED
                                   : LEAD_ENDPOINT_DISABLED, &d->e);
}


static lead_rc_t
drive_lease(drive_t *d)
{
    int64_t    until[3];
    lead_rc_t  rc;

    rc = lead_store_lease(drive_store, d->endpoint, 3, DRIVE_HOUR / 60, until,
                          &d->e);

    return rc == LEAD_OK && drive_random(d, 2)
           ? lead_store_release(drive_store, d->endpoint, 3, &d->e) : rc;
}


/* late enough for something to be forgotten, and for retries to be due */

static lead_rc_t
drive_sweep(drive_t *d)
{
    d->now += (1 + drive_random(d, 8)) * DRIVE_HOUR;

    return lead_store_sweep(drive_store, &d->e);
}


static lead_rc_t
drive_reopen(drive_t *d)
{
    int        i;
    lead_rc_t  rc;

    lead_store_close(drive_store);
    drive_store = NULL;

    for (rc = LEAD_IO, i = 0; rc == LEAD_IO && i < 5; i++) {
        rc = drive_open(d);
    }

    return rc;
}


/* the disk may fail from the first write on */

static void
drive_begin(drive_t *d)
{
    int        i;
    lead_rc_t  rc;

    for (rc = LEAD_IO, i = 0; rc != LEAD_OK && i < 5; i++) {

        if (drive_store == NULL) {
            rc = drive_open(d);
        }

        if (drive_store != NULL) {
            rc = drive_names(d);
        }
    }

    if (rc != LEAD_OK) {
        drive_die(d, "opening", rc);
    }
}


static void
drive_one(drive_t *d)
{
    size_t     i;
    unsigned   weight;
    lead_rc_t  rc;

    weight = drive_random(d, d->sum);

    for (i = 0; weight >= drive_steps[i].weight; i++) {
        weight -= drive_steps[i].weight;
    }

    rc = drive_steps[i].step(d);

    if (rc == LEAD_OK) {
        drive_said(d, "ack", 1);

    } else if (rc == LEAD_IO) {
        drive_said(d, "failed", 0);

    } else {
        drive_die(d, drive_steps[i].name, rc);
    }

    /* memory of this process */

    for (i = 0; i < POWER_LEADS; i++) {
        power_op_done(&d->ops[i]);
    }
}


/* makes the other process, which does a step when it gets a byte */

static void
drive_other(drive_t *d)
{
    char  byte;
    int   pair[2];

    if (socketpair(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC, 0, pair) == -1) {
        drive_die(d, "socketpair", LEAD_IO);
    }

    switch (fork()) {

    case -1:
        drive_die(d, "fork", LEAD_IO);
        break;

    case 0:
        (void) close(pair[0]);
        drive_begin(d);

        do {
            if (write(pair[1], "d", 1) != 1 || read(pair[1], &byte, 1) != 1) {
                break;
            }

            drive_one(d);

        } while (1);

        lead_store_close(drive_store);
        exit(0);

    default:
        (void) close(pair[1]);
        drive_pair = pair[0];

        if (read(drive_pair, &byte, 1) != 1) {
            exit(1);
        }
    }
}


static void
drive_pass(drive_t *d)
{
    char  byte;

    if (write(drive_pair, "s", 1) != 1 || read(drive_pair, &byte, 1) != 1) {
        exit(1);
    }
}


int
main(int argc, char **argv)
{
    int        status;
    size_t     i;
    drive_t   *d;
    unsigned   steps;

    if (argc != 4 && (argc != 5 || strcmp(argv[4], "two") != 0)) {
        fprintf(stderr, "usage: power_drive <directory> <seed> <steps>"
                " [two]\n");
        return 2;
    }

    d = mmap(NULL, sizeof(drive_t), PROT_READ|PROT_WRITE,
             MAP_SHARED|MAP_ANONYMOUS, -1, 0);

    if (d == MAP_FAILED) {
        return 1;
    }

    drive_shared = d;

    d->dir = argv[1];
    d->random = strtoull(argv[2], NULL, 10) * 2654435761u + 1;
    d->now = POWER_START;
    steps = (unsigned) strtoul(argv[3], NULL, 10);
    *(void **) &d->mark = dlsym(RTLD_DEFAULT, "lead_power_mark");

    for (i = 0; i < DRIVE_STEPS; i++) {
        d->sum += drive_steps[i].weight;
    }

    if (argc == 5) {
        (void) signal(SIGPIPE, SIG_IGN);
        drive_other(d);
    }

    drive_begin(d);
    drive_said(d, "ack", 1);

    for (d->step = 1; d->step <= steps; d->step++) {
        d->now += 1000 + drive_random(d, 1000000);

        if (argc == 5 && d->step % 2 == 0) {
            drive_pass(d);

        } else {
            drive_one(d);
        }
    }

    lead_store_close(drive_store);

    if (argc == 5) {
        (void) close(drive_pair);

        if (wait(&status) == -1 || status != 0) {
            return 1;
        }
    }

    return 0;
}
