
/*
 * Copyright (C) the ngx_lead authors
 *
 * What the store's unit tests share; see store_util.h.
 */


#include <dirent.h>
#include <signal.h>
#include <unistd.h>
#include <sys/stat.h>

#include "store_util.h"


int64_t  store_now;


static void op_decide(lead_op_t *lop, const lead_t *target,
    const lead_t *second, int64_t now, uint64_t *counters,
    lead_decision_t *d);
static void *op_alloc(void *arena, size_t size);
static int store_sink(void *ctx, const lead_t *lead);
static void store_report(void *ctx, const char *finding);


int64_t
store_clock(void)
{
    return store_now;
}


lead_bytes_t
store_bytes(const char *s)
{
    lead_bytes_t  bytes;

    bytes.data = (const uint8_t *) s;
    bytes.len = strlen(s);

    return bytes;
}


int
store_setup(void **state)
{
    store_t     *s;
    const char  *tmp;

    s = calloc(1, sizeof(store_t));
    assert_non_null(s);

    tmp = getenv("TMPDIR");

    (void) snprintf(s->dir, sizeof(s->dir), "%s/store_test.XXXXXX",
                    tmp != NULL ? tmp : "/tmp");
    assert_non_null(mkdtemp(s->dir));

    (void) snprintf(s->file, sizeof(s->file), "%s/lead.mdb", s->dir);

    s->opts.size = STORE_SIZE;
    s->opts.clock = store_clock;
    s->opts.create = 1;

    store_now = STORE_START;

    store_open(s);

    assert_int_equal(lead_store_account(s->store, BYTES("acme"), &s->acme,
                                        &s->e), LEAD_OK);
    assert_int_equal(lead_store_account(s->store, BYTES("other"), &s->other,
                                        &s->e), LEAD_OK);
    *state = s;

    return 0;
}


int
store_teardown(void **state)
{
    store_t  *s;

    s = *state;

    store_close(s);
    store_remove(s->dir);
    free(s);

    return 0;
}


void
store_open(store_t *s)
{
    lead_rc_t  rc;

    rc = lead_store_open(s->dir, &s->opts, &s->store, &s->e);

    if (rc != LEAD_OK) {
        fail_msg("%s: %s", lead_store_rc_text(rc), s->e.text);
    }
}


void
store_close(store_t *s)
{
    lead_store_close(s->store);
    s->store = NULL;
}


void
store_reopen(store_t *s)
{
    store_close(s);
    store_open(s);
}


void
store_remove(const char *dir)
{
    DIR            *d;
    char            path[512];
    struct dirent  *entry;

    d = opendir(dir);

    if (d == NULL) {
        return;
    }

    while ((entry = readdir(d)) != NULL) {
        (void) snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
        (void) unlink(path);
    }

    (void) closedir(d);
    (void) rmdir(dir);
}


static void
store_report(void *ctx, const char *finding)
{
    print_message("finding: %s\n", finding);
}


uint64_t
store_findings(store_t *s)
{
    uint64_t  n;

    assert_int_equal(lead_store_check(s->store, store_report, NULL, &n,
                                      &s->e), LEAD_OK);

    return n;
}


uint64_t
store_leads(store_t *s)
{
    lead_stat_t  stat;

    assert_int_equal(lead_store_stat(s->store, &stat, &s->e), LEAD_OK);

    return stat.leads;
}


op_t *
op_new(uint32_t account, const char *doc)
{
    op_t  *op;

    op = calloc(1, sizeof(op_t));
    assert_non_null(op);

    op->op.account = account;
    op->op.actor = BYTES("tester");
    op->op.decide = op_decide;
    op->op.data = op;
    op->op.alloc = op_alloc;
    op->op.arena = op;
    op->op.counters = op->counters;
    op->allocs = -1;

    op->events[0].type = BYTES("lead.created");

    op->d.verdict = LEAD_INSERT;
    op->d.doc = BYTES(doc);
    op->d.matches = op->matches;
    op->d.events = op->events;
    op->d.nevents = 1;

    op->found = op->d;
    op->found.verdict = LEAD_UPDATE;
    op->found.touch = 1;

    return op;
}


void
op_verdict(op_t *op, lead_verdict_t verdict)
{
    op->d.verdict = verdict;
    op->found.verdict = verdict;

    if (verdict == LEAD_KEEP) {
        op->d.nevents = 0;
        op->found.nevents = 0;
    }
}


void
op_idempotency(op_t *op, const char *key)
{
    op->op.idempotency = BYTES(key);
}


void
op_by_id(op_t *op, const lead_id_t *id)
{
    op->op.target.by = LEAD_BY_ID;
    op->op.target.id = *id;
}


void
op_by_number(op_t *op, uint64_t number)
{
    op->op.target.by = LEAD_BY_NUMBER;
    op->op.target.number = number;
}


void
op_by_match(op_t *op, uint8_t kind, const char *value)
{
    lead_match_t  *m;

    m = &op->find[op->op.target.nmatches++];

    m->kind = kind;
    m->value = BYTES(value);

    op->op.target.by = LEAD_BY_MATCH;
    op->op.target.matches = op->find;
}


void
op_match(op_t *op, uint8_t kind, const char *value)
{
    lead_match_t  *m;

    m = &op->matches[op->d.nmatches++];

    m->kind = kind;
    m->value = BYTES(value);

    op->found.nmatches = op->d.nmatches;
}


void
op_counter(op_t *op, const char *name, uint64_t raise)
{
    op->raise[op->op.ncounters] = raise;
    op->counters[op->op.ncounters++] = BYTES(name);
}


void
op_free(op_t *op)
{
    op_block_t  *b;

    while (op->blocks != NULL) {
        b = op->blocks;
        op->blocks = b->next;
        free(b->data);
        free(b);
    }

    free(op);
}


static void
op_decide(lead_op_t *lop, const lead_t *target, const lead_t *second,
    int64_t now, uint64_t *counters, lead_decision_t *d)
{
    op_t    *op;
    size_t   i, len;

    op = lop->data;

    op->asked++;
    op->now = now;
    op->has_target = target != NULL;
    op->has_second = second != NULL;

    assert_int_equal(d->verdict, LEAD_REFUSE);
    assert_null(d->doc.data);

    if (target != NULL) {
        op->target = *target;

        len = target->doc.len < 255 ? target->doc.len : 255;

        memcpy(op->target_doc, target->doc.data, len);
        op->target_doc[len] = '\0';
    }

    if (second != NULL) {
        op->second = *second;
    }

    for (i = 0; i < lop->ncounters; i++) {
        op->before[i] = counters[i];
        counters[i] += op->raise[i];
    }

    if (op->kill) {
        (void) kill(getpid(), SIGKILL);
    }

    *d = target != NULL ? op->found : op->d;
}


static void *
op_alloc(void *arena, size_t size)
{
    op_t        *op;
    op_block_t  *b;

    op = arena;

    if (op->allocs == 0) {
        return NULL;
    }

    op->allocs--;

    b = malloc(sizeof(op_block_t));
    assert_non_null(b);

    b->data = malloc(size);
    assert_non_null(b->data);

    b->next = op->blocks;
    op->blocks = b;

    return b->data;
}


void
op_commit(store_t *s, op_t *op)
{
    lead_rc_t  rc;

    rc = op_commit_many(s, &op, 1);

    if (rc != LEAD_OK) {
        fail_msg("%s: %s", lead_store_rc_text(rc), s->e.text);
    }
}


lead_rc_t
op_commit_many(store_t *s, op_t **ops, size_t n)
{
    size_t      i;
    lead_rc_t   rc;
    lead_op_t  **list;

    list = calloc(n != 0 ? n : 1, sizeof(lead_op_t *));
    assert_non_null(list);

    for (i = 0; i < n; i++) {
        list[i] = &ops[i]->op;
    }

    rc = lead_store_commit(s->store, list, n, &s->e);

    free(list);

    return rc;
}


lead_rc_t
op_commit_group(store_t *s, op_t **ops, size_t n)
{
    size_t      i;
    lead_rc_t   rc;
    lead_op_t  **list;

    list = calloc(n, sizeof(lead_op_t *));
    assert_non_null(list);

    for (i = 0; i < n; i++) {
        list[i] = &ops[i]->op;
    }

    rc = lead_store_commit_group(s->store, list, n, &s->e);

    free(list);

    return rc;
}


lead_id_t
store_insert(store_t *s, uint32_t account, const char *doc, uint8_t kind,
    const char *value, const char *idempotency)
{
    op_t       *op;
    lead_id_t   id;

    op = op_new(account, doc);

    if (value != NULL) {
        op_match(op, kind, value);
    }

    if (idempotency != NULL) {
        op_idempotency(op, idempotency);
    }

    op_commit(s, op);

    assert_int_equal(op->op.rc, LEAD_OK);
    assert_int_equal(op->op.outcome, LEAD_INSERTED);
    assert_int_equal(op->op.nleads, 1);

    id = op->op.leads->id;

    op_free(op);

    return id;
}


static int
store_sink(void *ctx, const lead_t *lead)
{
    store_lead_t  *out;

    out = ctx;

    out->lead = *lead;

    assert_true(lead->doc.len <= sizeof(out->doc));

    memcpy(out->doc, lead->doc.data, lead->doc.len);
    out->lead.doc.data = (uint8_t *) out->doc;

    return 0;
}


int
store_get(store_t *s, uint32_t account, const lead_find_t *find,
    store_lead_t *out)
{
    lead_rc_t  rc;

    rc = lead_store_get(s->store, account, find, store_sink, out, &s->e);

    if (rc == LEAD_NOTFOUND) {
        return 0;
    }

    if (rc != LEAD_OK) {
        fail_msg("%s: %s", lead_store_rc_text(rc), s->e.text);
    }

    return 1;
}


int
store_get_id(store_t *s, uint32_t account, const lead_id_t *id,
    store_lead_t *out)
{
    lead_find_t  find;

    memset(&find, 0, sizeof(lead_find_t));

    find.by = LEAD_BY_ID;
    find.id = *id;

    return store_get(s, account, &find, out);
}


int
store_get_match(store_t *s, uint32_t account, uint8_t kind,
    const char *value, store_lead_t *out)
{
    lead_find_t   find;
    lead_match_t  match;

    memset(&find, 0, sizeof(lead_find_t));

    match.kind = kind;
    match.value = BYTES(value);

    find.by = LEAD_BY_MATCH;
    find.matches = &match;
    find.nmatches = 1;

    return store_get(s, account, &find, out);
}
