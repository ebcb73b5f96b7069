
/*
 * Copyright (C) the ngx_lead authors
 *
 * The state of a store as a hash; see power_state.h.  What is read in one
 * sink and needed for the next call is kept in an array that grows; all is
 * freed when the call ends.
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "power_state.h"


typedef struct {
    EVP_MD_CTX        *md;
    lead_store_t      *store;
    lead_error_t      *e;
    lead_id_t         *ids;           /* of one account */
    size_t             n;
    size_t             size;
    lead_id_t         *all;
    size_t             nall;
    size_t             max;
} power_dump_t;


static void power_decide(lead_op_t *lop, const lead_t *target,
    const lead_t *second, int64_t now, uint64_t *counters,
    lead_decision_t *d);
static void *power_alloc(void *arena, size_t size);
static void power_add(power_dump_t *dump, const void *data, size_t len);
static void power_add_number(power_dump_t *dump, uint64_t n);
static void power_add_bytes(power_dump_t *dump, lead_bytes_t bytes);
static void power_add_lead(power_dump_t *dump, const lead_t *lead);
static int power_lead_sink(void *ctx, const lead_t *lead);
static int power_event_sink(void *ctx, const lead_event_row_t *event);
static int power_endpoint_sink(void *ctx, const lead_endpoint_t *info);
static int power_outbox_sink(void *ctx, const lead_outbox_row_t *row);
static int power_attempt_sink(void *ctx, const lead_attempt_t *a);
static int power_key_sink(void *ctx, const lead_key_t *key);
static int power_found_sink(void *ctx, const lead_t *lead);
static lead_rc_t power_dump(power_dump_t *dump);
static lead_rc_t power_dump_account(power_dump_t *dump, uint32_t account);
static lead_rc_t power_dump_counters(power_dump_t *dump, uint32_t account);
static lead_rc_t power_dump_idempotency(power_dump_t *dump);


lead_bytes_t
power_bytes(const char *s)
{
    lead_bytes_t  bytes;

    bytes.data = (const uint8_t *) s;
    bytes.len = strlen(s);

    return bytes;
}


void
power_op(power_op_t *op, uint32_t account)
{
    power_op_done(op);
    memset(op, 0, sizeof(power_op_t));

    op->op.account = account;
    op->op.actor = power_bytes("power");
    op->op.decide = power_decide;
    op->op.data = op;
    op->op.alloc = power_alloc;
    op->op.arena = op;
    op->op.counters = op->counters;
}


void
power_op_done(power_op_t *op)
{
    void  *next;

    while (op->blocks != NULL) {
        next = *(void **) op->blocks;
        free(op->blocks);
        op->blocks = next;
    }
}


void
power_op_key(power_op_t *op, unsigned i)
{
    (void) snprintf(op->key, sizeof(op->key), "key %u", i);
    op->op.idempotency = power_bytes(op->key);
}


static void
power_decide(lead_op_t *lop, const lead_t *target, const lead_t *second,
    int64_t now, uint64_t *counters, lead_decision_t *d)
{
    power_op_t  *op;

    op = lop->data;

    *d = target != NULL ? op->found : op->d;

    if (second == NULL) {
        d->second_events = NULL;
        d->nsecond_events = 0;
    }

    if (lop->ncounters != 0
        && (d->verdict == LEAD_INSERT || d->verdict == LEAD_UPDATE))
    {
        counters[0] += (uint64_t) op->raise;
    }
}


static void *
power_alloc(void *arena, size_t size)
{
    void        **block;
    power_op_t   *op;

    op = arena;
    block = malloc(2 * sizeof(void *) + size);

    if (block == NULL) {
        return NULL;
    }

    *block = op->blocks;
    op->blocks = block;

    return block + 2;
}


lead_rc_t
power_commit(lead_store_t *store, power_op_t *ops, size_t n, int group,
    lead_error_t *e)
{
    size_t      i;
    lead_op_t  *list[LEAD_OPS_MAX];

    for (i = 0; i < n; i++) {
        list[i] = &ops[i].op;
    }

    return group ? lead_store_commit_group(store, list, n, e)
                 : lead_store_commit(store, list, n, e);
}


static void
power_add(power_dump_t *dump, const void *data, size_t len)
{
    if (EVP_DigestUpdate(dump->md, data, len) != 1) {
        abort();
    }
}


static void
power_add_number(power_dump_t *dump, uint64_t n)
{
    power_add(dump, &n, sizeof(n));
}


static void
power_add_bytes(power_dump_t *dump, lead_bytes_t bytes)
{
    power_add_number(dump, bytes.len);

    if (bytes.len != 0) {
        power_add(dump, bytes.data, bytes.len);
    }
}


static void
power_add_lead(power_dump_t *dump, const lead_t *lead)
{
    power_add_number(dump, lead->account);
    power_add(dump, lead->id.b, sizeof(lead->id.b));
    power_add_number(dump, lead->number);
    power_add_number(dump, (uint64_t) lead->created);
    power_add_number(dump, (uint64_t) lead->updated);
    power_add_number(dump, (uint64_t) lead->activity);
    power_add_number(dump, lead->flags);
    power_add_bytes(dump, lead->doc);
}


static int
power_lead_sink(void *ctx, const lead_t *lead)
{
    power_dump_t  *dump;

    dump = ctx;
    power_add_lead(dump, lead);

    if (dump->n == dump->size) {
        dump->size = dump->size * 2 + 64;
        dump->ids = realloc(dump->ids, dump->size * sizeof(lead_id_t));

        if (dump->ids == NULL) {
            abort();
        }
    }

    dump->ids[dump->n++] = lead->id;

    if (dump->nall < dump->max) {
        dump->all[dump->nall] = lead->id;
    }

    dump->nall++;

    return 0;
}


static int
power_event_sink(void *ctx, const lead_event_row_t *event)
{
    power_dump_t  *dump;

    dump = ctx;

    power_add_number(dump, event->id);
    power_add_number(dump, (uint64_t) event->time);
    power_add_bytes(dump, event->type);
    power_add_bytes(dump, event->actor);
    power_add_bytes(dump, event->data);

    if (event->lead != NULL) {
        power_add_lead(dump, event->lead);
    }

    return 0;
}


/* a lease is one's own and ends with the process */

static int
power_endpoint_sink(void *ctx, const lead_endpoint_t *info)
{
    power_dump_t  *dump;

    dump = ctx;

    power_add_number(dump, info->endpoint);
    power_add_number(dump, info->account);
    power_add_bytes(dump, power_bytes(info->name));
    power_add_number(dump, info->state);
    power_add_number(dump, (uint64_t) info->changed);
    power_add_number(dump, (uint64_t) info->succeeded);
    power_add_number(dump, (uint64_t) info->failing);
    power_add_number(dump, info->pending);
    power_add_number(dump, info->failed);
    power_add_number(dump, info->delivered);
    power_add_number(dump, (uint64_t) info->due);

    return 0;
}


static int
power_outbox_sink(void *ctx, const lead_outbox_row_t *row)
{
    power_dump_t  *dump;

    dump = ctx;

    power_add_number(dump, row->endpoint);
    power_add_number(dump, (uint64_t) row->due);
    power_add_number(dump, row->event);
    power_add_number(dump, row->account);
    power_add(dump, row->lead.b, sizeof(row->lead.b));
    power_add_number(dump, row->attempts);

    return 0;
}


static int
power_attempt_sink(void *ctx, const lead_attempt_t *a)
{
    power_dump_t  *dump;

    dump = ctx;

    (void) power_outbox_sink(ctx, &a->row);
    power_add(dump, a->id.b, sizeof(a->id.b));
    power_add_bytes(dump, a->type);
    power_add_number(dump, (uint64_t) a->time);
    power_add_number(dump, a->msec);
    power_add_number(dump, a->status);
    power_add_bytes(dump, a->error);
    power_add_bytes(dump, a->answer);
    power_add_number(dump, a->outcome);
    power_add_number(dump, (uint64_t) a->retry);
    power_add_number(dump, a->state);

    return 0;
}


static int
power_key_sink(void *ctx, const lead_key_t *key)
{
    power_dump_t  *dump;

    dump = ctx;

    power_add(dump, key->id, sizeof(key->id));
    power_add_number(dump, key->account);
    power_add_number(dump, key->scopes);
    power_add_number(dump, (uint64_t) key->created);
    power_add_number(dump, (uint64_t) key->expires);
    power_add_number(dump, key->disabled);
    power_add_bytes(dump, power_bytes(key->name));

    return 0;
}


lead_rc_t
power_state(lead_store_t *store, power_hash_t *hash, lead_id_t *ids,
    size_t max, size_t *n, lead_error_t *e)
{
    unsigned      len;
    lead_rc_t     rc;
    power_dump_t  dump;

    memset(&dump, 0, sizeof(dump));
    dump.store = store;
    dump.e = e;
    dump.all = ids;
    dump.max = ids != NULL ? max : 0;
    dump.md = EVP_MD_CTX_new();

    if (dump.md == NULL
        || EVP_DigestInit_ex(dump.md, EVP_sha256(), NULL) != 1)
    {
        abort();
    }

    rc = power_dump(&dump);

    if (EVP_DigestFinal_ex(dump.md, hash->b, &len) != 1) {
        abort();
    }

    EVP_MD_CTX_free(dump.md);
    free(dump.ids);

    if (n != NULL) {
        *n = dump.nall;
    }

    return rc;
}


static lead_rc_t
power_dump(power_dump_t *dump)
{
    uint32_t     i;
    lead_rc_t    rc;
    lead_stat_t  stat;

    rc = lead_store_stat(dump->store, &stat, dump->e);

    if (rc != LEAD_OK) {
        return rc;
    }

    power_add_number(dump, stat.version);
    power_add(dump, stat.store, sizeof(stat.store));
    power_add_number(dump, stat.leads);
    power_add_number(dump, stat.events);
    power_add_number(dump, stat.outbox);
    power_add_number(dump, stat.failed);
    power_add_number(dump, stat.attempts);
    power_add_number(dump, stat.lookups);
    power_add_number(dump, stat.idempotency);
    power_add_number(dump, stat.last_number);

    for (i = 1; rc == LEAD_OK && i <= stat.accounts; i++) {
        rc = power_dump_account(dump, i);
    }

    if (rc == LEAD_OK) {
        rc = lead_store_endpoints(dump->store, 0, power_endpoint_sink, dump,
                                  dump->e);
    }

    if (rc == LEAD_OK) {
        rc = lead_store_outbox(dump->store, 0, power_outbox_sink, dump,
                               dump->e);
    }

    for (i = 1; rc == LEAD_OK && i <= stat.endpoints; i++) {
        rc = lead_store_attempts(dump->store, i, LEAD_NEVER,
                                 power_attempt_sink, dump, dump->e);
    }

    if (rc == LEAD_OK) {
        rc = lead_store_key_list(dump->store, power_key_sink, dump, dump->e);
    }

    if (rc == LEAD_OK && stat.accounts != 0) {
        rc = power_dump_idempotency(dump);
    }

    return rc;
}


static lead_rc_t
power_dump_account(power_dump_t *dump, uint32_t account)
{
    char         name[LEAD_NAME_MAX + 1];
    size_t       i;
    uint64_t     n;
    lead_id_t    next;
    lead_rc_t    rc;
    lead_list_t  list;

    rc = lead_store_account_name(dump->store, account, name, dump->e);

    if (rc != LEAD_OK) {
        return rc;
    }

    power_add_bytes(dump, power_bytes(name));

    memset(&list, 0, sizeof(list));
    list.account = account;
    list.slice = SIZE_MAX;
    list.oldest = 1;
    list.sink = power_lead_sink;
    list.ctx = dump;

    dump->n = 0;

    rc = lead_store_list(dump->store, &list, &next, dump->e);

    for (i = 0; rc == LEAD_OK && i < dump->n; i++) {
        rc = lead_store_events(dump->store, account, &dump->ids[i],
                               power_event_sink, dump, dump->e);
    }

    if (rc == LEAD_OK) {
        rc = lead_store_count(dump->store, account, &n, dump->e);
        power_add_number(dump, n);
    }

    return rc == LEAD_OK ? power_dump_counters(dump, account) : rc;
}


static lead_rc_t
power_dump_counters(power_dump_t *dump, uint32_t account)
{
    int        i;
    char       name[16];
    uint64_t   n;
    lead_rc_t  rc;

    for (i = 0; i < POWER_COUNTERS; i++) {
        (void) snprintf(name, sizeof(name), "c%d", i);

        rc = lead_store_counter(dump->store, account, power_bytes(name), &n,
                                dump->e);
        if (rc != LEAD_OK) {
            return rc;
        }

        power_add_number(dump, n);
    }

    return LEAD_OK;
}


/* each key is asked for with an operation that is refused if it is new */

static lead_rc_t
power_dump_idempotency(power_dump_t *dump)
{
    size_t       i, k;
    lead_rc_t    rc;
    power_op_t  *ops;

    ops = calloc(POWER_KEYS, sizeof(power_op_t));

    if (ops == NULL) {
        abort();
    }

    for (i = 0; i < POWER_KEYS; i++) {
        power_op(&ops[i], 1);
        power_op_key(&ops[i], (unsigned) i);
    }

    rc = power_commit(dump->store, ops, POWER_KEYS, 0, dump->e);

    for (i = 0; rc == LEAD_OK && i < POWER_KEYS; i++) {

        if (ops[i].op.rc != LEAD_OK
            || (ops[i].op.outcome != LEAD_REPLAYED
                && ops[i].op.outcome != LEAD_WAS_REFUSED))
        {
            rc = LEAD_CORRUPT;
        }

        for (k = 0; rc == LEAD_OK && k < ops[i].op.nleads; k++) {
            power_add_number(dump, i);
            power_add(dump, ops[i].op.leads[k].id.b, sizeof(lead_id_t));
        }
    }

    for (i = 0; i < POWER_KEYS; i++) {
        power_op_done(&ops[i]);
    }

    free(ops);

    return rc;
}


static int
power_found_sink(void *ctx, const lead_t *lead)
{
    uint64_t  *number;

    number = ctx;
    *number = lead->number;

    return 1;
}


lead_rc_t
power_go_on(lead_store_t *store, lead_error_t *e)
{
    uint32_t     account;
    uint64_t     number;
    lead_rc_t    rc;
    power_op_t  *op;

    rc = lead_store_account(store, power_bytes("after"), &account, e);

    if (rc != LEAD_OK) {
        return rc;
    }

    op = calloc(1, sizeof(power_op_t));

    if (op == NULL) {
        abort();
    }

    power_op(op, account);
    strcpy(op->key, "after");
    op->op.idempotency = power_bytes(op->key);

    op->find[0].kind = 1;
    op->find[0].value = power_bytes("after");
    op->events[0].type = power_bytes("lead.created");

    op->d.verdict = LEAD_INSERT;
    op->d.doc = power_bytes("{\"after\":1}");
    op->d.matches = op->find;
    op->d.nmatches = 1;
    op->d.events = op->events;
    op->d.nevents = 1;

    number = 0;
    rc = power_commit(store, op, 1, 0, e);

    if (rc == LEAD_OK && op->op.outcome == LEAD_INSERTED) {
        op->op.target.by = LEAD_BY_MATCH;
        op->op.target.matches = op->find;
        op->op.target.nmatches = 1;

        rc = lead_store_get(store, account, &op->op.target, power_found_sink,
                            &number, e);

        if (rc == LEAD_OK && number != op->op.leads->number) {
            rc = LEAD_CORRUPT;
        }

    } else if (rc == LEAD_OK) {
        rc = LEAD_CORRUPT;
    }

    power_op_done(op);
    free(op);

    return rc;
}


void
power_hash_text(const power_hash_t *hash, char *text)
{
    size_t  i;

    for (i = 0; i < sizeof(hash->b); i++) {
        (void) sprintf(text + 2 * i, "%02x", hash->b[i]);
    }
}
