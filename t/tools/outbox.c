
/*
 * Copyright (C) the ngx_lead authors
 *
 * Does to a store, through its seam, what nginx does for webhooks, and when a
 * test says so: events for endpoints, leases, attempts that are settled.
 *
 * usage: outbox <store>
 *
 * It says "ready" once it has the store.  Commands are lines on stdin, of
 * fields with a tab between; each is answered with a line.  Times are
 * microseconds since 1970, bytes are hexadecimal.
 *
 *     endpoint <account> <name>                      its number
 *     event <account> <type> <time> <endpoint> ...   event and lead
 *     settle <endpoint> <event> <outcome> <time> <ms> <status> <retry>
 *            <state> <error> <answer>                "ok"
 *     fill <endpoint> <account> <n> <time> <outcome> <time> <retry>
 *                                                    first event and last
 *     lease <endpoint> <span>                        until when
 *     sweep <time>                                   "ok"
 *
 * Outcome and state are the numbers of lead_store.h.  fill makes n events, all
 * of one time, each with an attempt, all begun at another.  A lease is held
 * for as long as this runs.  What fails is said, and ends it.
 */


#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lead_store.h"


#define OUTBOX_FIELDS   16
#define OUTBOX_LINE     4096
#define OUTBOX_FILL     1024


typedef struct {
    lead_event_t         event;
    uint32_t             endpoints[OUTBOX_FIELDS];
    char                 doc[128];
} outbox_event_t;

typedef struct {
    uint64_t             event;
    lead_outbox_row_t    row;
    int                  found;
} outbox_find_t;

typedef union outbox_block_u  outbox_block_t;

union outbox_block_u {
    outbox_block_t      *next;
    long double          align;
};

typedef struct {
    size_t               n;
    int64_t              due;
    lead_attempt_t      *attempts;
} outbox_fill_t;


static int64_t outbox_clock(void);
static lead_bytes_t outbox_text(const char *text);
static lead_bytes_t outbox_hex(char *text);
static void outbox_check(lead_rc_t rc, const lead_error_t *e);
static uint32_t outbox_account(lead_store_t *store, const char *name);
static void outbox_endpoint(lead_store_t *store, char **field);
static void outbox_event(lead_store_t *store, char **field, int n);
static void outbox_decide(lead_op_t *op, const lead_t *target,
    const lead_t *second, int64_t now, uint64_t *counters,
    lead_decision_t *d);
static void *outbox_alloc(void *arena, size_t size);
static void outbox_free(outbox_block_t *block);
static int outbox_newest(void *ctx, const lead_event_row_t *event);
static void outbox_settle(lead_store_t *store, char **field);
static int outbox_row(void *ctx, const lead_outbox_row_t *row);
static void outbox_fill(lead_store_t *store, char **field);
static int outbox_fill_row(void *ctx, const lead_outbox_row_t *row);
static void outbox_lease(lead_store_t *store, char **field);
static int outbox_run(lead_store_t *store, char **field, int n);


static int64_t  outbox_time;                 /* 0: the system's */


static int64_t
outbox_clock(void)
{
    struct timespec  ts;

    if (outbox_time) {
        return outbox_time;
    }

    (void) clock_gettime(CLOCK_REALTIME, &ts);

    return (int64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}


static lead_bytes_t
outbox_text(const char *text)
{
    lead_bytes_t  bytes;

    bytes.data = (const uint8_t *) text;
    bytes.len = strlen(text);

    return bytes;
}


/* in place */

static lead_bytes_t
outbox_hex(char *text)
{
    char          pair[3];
    size_t        i;
    lead_bytes_t  bytes;

    bytes.data = (const uint8_t *) text;
    bytes.len = strlen(text) / 2;
    pair[2] = '\0';

    for (i = 0; i < bytes.len; i++) {
        memcpy(pair, &text[i * 2], 2);
        text[i] = (char) strtoul(pair, NULL, 16);
    }

    return bytes;
}


static void
outbox_check(lead_rc_t rc, const lead_error_t *e)
{
    if (rc != LEAD_OK) {
        fprintf(stderr, "outbox: %s: %s\n", lead_store_rc_text(rc), e->text);
        exit(1);
    }
}


static uint32_t
outbox_account(lead_store_t *store, const char *name)
{
    uint32_t      account;
    lead_error_t  e;

    outbox_check(lead_store_account(store, outbox_text(name), &account, &e),
                 &e);

    return account;
}


static void
outbox_endpoint(lead_store_t *store, char **field)
{
    uint32_t      account, endpoint;
    lead_error_t  e;

    account = outbox_account(store, field[1]);

    outbox_check(lead_store_endpoint(store, account, outbox_text(field[2]),
                                     &endpoint, &e), &e);

    printf("%" PRIu32 "\n", endpoint);
}


static void
outbox_event(lead_store_t *store, char **field, int n)
{
    int              i;
    char             id[LEAD_ID_TEXT_LEN + 1];
    uint64_t         number;
    lead_op_t        op, *ops;
    lead_error_t     e;
    outbox_block_t  *blocks;
    outbox_event_t   what;

    memset(&what, 0, sizeof(outbox_event_t));
    memset(&op, 0, sizeof(lead_op_t));

    what.event.type = outbox_text(field[2]);
    what.event.endpoints = what.endpoints;

    for (i = 4; i < n; i++) {
        what.endpoints[what.event.nendpoints++] =
            (uint32_t) strtoul(field[i], NULL, 10);
    }

    (void) snprintf(what.doc, sizeof(what.doc),
                    "{\"first_name\":\"Personal\",\"email\":\"%s@x.test\"}",
                    field[2]);

    op.account = outbox_account(store, field[1]);
    op.actor = outbox_text("test");
    op.decide = outbox_decide;
    op.data = &what;
    op.alloc = outbox_alloc;
    op.arena = &blocks;

    blocks = NULL;
    outbox_time = strtoll(field[3], NULL, 10);
    ops = &op;
    outbox_check(lead_store_commit(store, &ops, 1, &e), &e);
    outbox_time = 0;

    if (op.rc != LEAD_OK || op.nleads != 1) {
        fprintf(stderr, "outbox: no lead: %s\n", lead_store_rc_text(op.rc));
        exit(1);
    }

    outbox_check(lead_store_events(store, op.account, &op.leads[0].id,
                                   outbox_newest, &number, &e), &e);

    lead_store_id_text(&op.leads[0].id, id);
    printf("%" PRIu64 "\t%s\n", number, id);

    outbox_free(blocks);
}


static void
outbox_decide(lead_op_t *op, const lead_t *target, const lead_t *second,
    int64_t now, uint64_t *counters, lead_decision_t *d)
{
    outbox_event_t  *what = op->data;

    (void) target;
    (void) second;
    (void) now;
    (void) counters;

    d->verdict = LEAD_INSERT;
    d->doc = outbox_text(what->doc);
    d->events = &what->event;
    d->nevents = 1;
}


static void *
outbox_alloc(void *arena, size_t size)
{
    outbox_block_t  *block, **blocks = arena;

    block = malloc(sizeof(outbox_block_t) + size);

    if (block == NULL) {
        return NULL;
    }

    block->next = *blocks;
    *blocks = block;

    return block + 1;
}


static void
outbox_free(outbox_block_t *block)
{
    outbox_block_t  *next;

    for (/* void */; block; block = next) {
        next = block->next;
        free(block);
    }
}


static int
outbox_newest(void *ctx, const lead_event_row_t *event)
{
    uint64_t  *number = ctx;

    *number = event->id;

    return 1;
}


static void
outbox_settle(lead_store_t *store, char **field)
{
    lead_error_t            e;
    outbox_find_t           find;
    lead_attempt_t          a;
    static const lead_id_t  none;

    memset(&a, 0, sizeof(lead_attempt_t));
    memset(&find, 0, sizeof(outbox_find_t));

    find.event = strtoull(field[2], NULL, 10);

    outbox_check(lead_store_outbox(store,
                                   (uint32_t) strtoul(field[1], NULL, 10),
                                   outbox_row, &find, &e), &e);

    if (!find.found) {
        fprintf(stderr, "outbox: there is no such row\n");
        exit(1);
    }

    a.row = find.row;
    a.type = outbox_text(memcmp(&a.row.lead, &none, sizeof(none)) == 0
                         ? "webhook.test" : "lead.created");
    a.outcome = (lead_attempt_outcome_t) atoi(field[3]);
    a.time = strtoll(field[4], NULL, 10);
    a.msec = (uint32_t) strtoul(field[5], NULL, 10);
    a.status = (uint32_t) strtoul(field[6], NULL, 10);
    a.retry = strtoll(field[7], NULL, 10);
    a.state = (lead_endpoint_state_t) atoi(field[8]);
    a.error = outbox_hex(field[9]);
    a.answer = outbox_hex(field[10]);

    outbox_check(lead_store_settle(store, &a, 1, &e), &e);

    puts("ok");
}


static int
outbox_row(void *ctx, const lead_outbox_row_t *row)
{
    outbox_find_t  *find = ctx;

    if (row->event != find->event) {
        return 0;
    }

    find->row = *row;
    find->found = 1;

    return 1;
}


static void
outbox_fill(lead_store_t *store, char **field)
{
    size_t                  i, n;
    uint32_t                account;
    lead_error_t            e;
    outbox_fill_t           fill;
    outbox_block_t         *blocks;
    outbox_event_t          what;
    static lead_op_t        ops[OUTBOX_FILL], *pops[OUTBOX_FILL];
    static lead_attempt_t   attempts[OUTBOX_FILL];

    n = strtoul(field[3], NULL, 10);

    if (n == 0 || n > OUTBOX_FILL) {
        fprintf(stderr, "outbox: too much to fill with\n");
        exit(1);
    }

    memset(&what, 0, sizeof(outbox_event_t));
    memset(ops, 0, sizeof(ops));
    memset(attempts, 0, sizeof(attempts));

    what.event.type = outbox_text("lead.created");
    what.event.endpoints = what.endpoints;
    what.event.nendpoints = 1;
    what.endpoints[0] = (uint32_t) strtoul(field[1], NULL, 10);
    strcpy(what.doc, "{\"first_name\":\"Personal\"}");

    account = outbox_account(store, field[2]);
    blocks = NULL;

    for (i = 0; i < n; i++) {
        ops[i].account = account;
        ops[i].actor = outbox_text("test");
        ops[i].decide = outbox_decide;
        ops[i].data = &what;
        ops[i].alloc = outbox_alloc;
        ops[i].arena = &blocks;
        pops[i] = &ops[i];

        attempts[i].type = what.event.type;
        attempts[i].outcome = (lead_attempt_outcome_t) atoi(field[5]);
        attempts[i].time = strtoll(field[6], NULL, 10);
        attempts[i].retry = strtoll(field[7], NULL, 10);
        attempts[i].status = 200;
    }

    fill.n = 0;
    fill.due = strtoll(field[4], NULL, 10);
    fill.attempts = attempts;

    outbox_time = fill.due;
    outbox_check(lead_store_commit(store, pops, n, &e), &e);
    outbox_time = 0;

    outbox_check(lead_store_outbox(store, what.endpoints[0], outbox_fill_row,
                                   &fill, &e), &e);

    if (fill.n != n) {
        fprintf(stderr, "outbox: %zu rows of %zu are there\n", fill.n, n);
        exit(1);
    }

    outbox_check(lead_store_settle(store, attempts, n, &e), &e);

    printf("%" PRIu64 "\t%" PRIu64 "\n", attempts[0].row.event,
           attempts[n - 1].row.event);

    outbox_free(blocks);
}


/* those that were made just now: no others are due at that time */

static int
outbox_fill_row(void *ctx, const lead_outbox_row_t *row)
{
    outbox_fill_t  *fill = ctx;

    if (row->due == fill->due) {
        fill->attempts[fill->n++].row = *row;
    }

    return fill->n == OUTBOX_FILL;
}


static void
outbox_lease(lead_store_t *store, char **field)
{
    int64_t       until;
    uint32_t      endpoint;
    lead_error_t  e;

    endpoint = (uint32_t) strtoul(field[1], NULL, 10);

    outbox_check(lead_store_lease(store, &endpoint, 1,
                                  strtoll(field[2], NULL, 10), &until, &e),
                 &e);

    printf("%" PRId64 "\n", until);
}


static int
outbox_run(lead_store_t *store, char **field, int n)
{
    lead_rc_t     rc;
    lead_error_t  e;

    if (n == 3 && strcmp(field[0], "endpoint") == 0) {
        outbox_endpoint(store, field);

    } else if (n > 4 && strcmp(field[0], "event") == 0) {
        outbox_event(store, field, n);

    } else if (n == 11 && strcmp(field[0], "settle") == 0) {
        outbox_settle(store, field);

    } else if (n == 8 && strcmp(field[0], "fill") == 0) {
        outbox_fill(store, field);

    } else if (n == 3 && strcmp(field[0], "lease") == 0) {
        outbox_lease(store, field);

    } else if (n == 2 && strcmp(field[0], "sweep") == 0) {
        outbox_time = strtoll(field[1], NULL, 10);

        do {
            rc = lead_store_sweep(store, &e);
        } while (rc == LEAD_AGAIN);

        outbox_check(rc, &e);
        outbox_time = 0;
        puts("ok");

    } else {
        fprintf(stderr, "outbox: no such command: %s\n", field[0]);
        return 1;
    }

    return fflush(stdout);
}


int
main(int argc, char **argv)
{
    int                 n;
    char                line[OUTBOX_LINE], *p, *field[OUTBOX_FIELDS];
    lead_error_t        e;
    lead_store_t       *store;
    lead_store_opts_t   opts;

    if (argc != 2) {
        fprintf(stderr, "usage: outbox <store>\n");
        return 2;
    }

    memset(&opts, 0, sizeof(lead_store_opts_t));

    opts.create = 1;
    opts.clock = outbox_clock;

    outbox_check(lead_store_open(argv[1], &opts, &store, &e), &e);

    puts("ready");
    fflush(stdout);

    while (fgets(line, sizeof(line), stdin)) {
        line[strcspn(line, "\n")] = '\0';
        p = line;

        for (n = 0; p && n < OUTBOX_FIELDS; n++) {
            field[n] = strsep(&p, "\t");
        }

        if (outbox_run(store, field, n) != 0) {
            return 1;
        }
    }

    lead_store_close(store);

    return 0;
}
