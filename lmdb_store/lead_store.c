
/*
 * Copyright (C) the ngx_lead authors
 *
 * The front of the store: chooses the engine by URL, checks what callers
 * give, and names result codes.  It keeps nothing and owns no memory: the
 * store itself is the engine's.  Webhooks' calls are in lead_store_outbox.c.
 */


#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lead_engine.h"


static const char *lead_store_directory(const char *url);
static int64_t lead_store_clock(void);
static lead_rc_t lead_store_ops_check(lead_op_t **ops, size_t n,
    lead_error_t *e);
static lead_rc_t lead_store_op_check(const lead_op_t *op);
static lead_rc_t lead_store_find_check(const lead_find_t *find);
static lead_rc_t lead_store_matches_check(const lead_match_t *matches,
    size_t n);
static lead_rc_t lead_store_second_check(const lead_decision_t *d,
    const lead_t *target, const lead_t *second);
static lead_rc_t lead_store_event_check(const lead_event_t *event,
    const lead_t *target);
static int lead_store_bytes_of(lead_bytes_t bytes, const lead_t *target);
static lead_rc_t lead_store_key_check(const lead_key_t *key, lead_bytes_t text,
    lead_error_t *e);
static int lead_store_key_id_bad(const char *id);


lead_rc_t
lead_store_open(const char *url, const lead_store_opts_t *opts,
    lead_store_t **store, lead_error_t *e)
{
    const char         *dir;
    lead_store_opts_t   o;

    *store = NULL;

    memset(&o, 0, sizeof(lead_store_opts_t));

    if (opts != NULL) {
        o = *opts;
    }

    if (o.ttl == 0) {
        o.ttl = LEAD_TTL_DEFAULT;
    }

    if (o.keep == 0) {
        o.keep = LEAD_KEEP_DEFAULT;
    }

    if (o.keep_failed == 0) {
        o.keep_failed = LEAD_KEEP_FAILED_DEFAULT;
    }

    /* what expires last takes the lead as it was with it */

    if (o.keep_failed < o.keep) {
        o.keep_failed = o.keep;
    }

    if (o.clock == NULL) {
        o.clock = lead_store_clock;
    }

    dir = lead_store_directory(url);

    if (dir == NULL) {
        return lead_store_fail(e, LEAD_INVALID, 0,
                               "no such engine: \"%.100s\"", url);
    }

    if (*dir == '\0') {
        return lead_store_fail(e, LEAD_INVALID, 0, "no directory is given");
    }

    if (o.size != 0 && (o.size < LEAD_SIZE_MIN || o.size > SIZE_MAX)) {
        return lead_store_fail(e, LEAD_INVALID, 0,
                               "size=%llu is out of bounds",
                               (unsigned long long) o.size);
    }

    if (o.ttl < 0 || o.keep < 0) {
        return lead_store_fail(e, LEAD_INVALID, 0, "a time is negative");
    }

    return lead_lmdb_open(dir, &o, store, e);
}


/* a scheme is what stands before a colon no slash precedes */

static const char *
lead_store_directory(const char *url)
{
    size_t  len;

    len = strcspn(url, ":/");

    if (url[len] != ':') {
        return url;
    }

    if (len == 4 && memcmp(url, "lmdb", 4) == 0) {
        return url + 5;
    }

    return NULL;
}


static int64_t
lead_store_clock(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_REALTIME, &ts);

    return (int64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}


void
lead_store_close(lead_store_t *store)
{
    if (store != NULL) {
        lead_lmdb_close(store);
    }
}


lead_rc_t
lead_store_account(lead_store_t *store, lead_bytes_t name, uint32_t *account,
    lead_error_t *e)
{
    lead_rc_t  rc;

    rc = lead_store_name_check(name, e);

    if (rc != LEAD_OK) {
        return rc;
    }

    return lead_lmdb_account(store, name, 1, account, e);
}


lead_rc_t
lead_store_account_find(lead_store_t *store, lead_bytes_t name,
    uint32_t *account, lead_error_t *e)
{
    lead_rc_t  rc;

    rc = lead_store_name_check(name, e);

    if (rc != LEAD_OK) {
        return rc;
    }

    return lead_lmdb_account(store, name, 0, account, e);
}


lead_rc_t
lead_store_account_name(lead_store_t *store, uint32_t account, char *name,
    lead_error_t *e)
{
    return lead_lmdb_account_name(store, account, name, e);
}


lead_rc_t
lead_store_commit(lead_store_t *store, lead_op_t **ops, size_t n,
    lead_error_t *e)
{
    lead_rc_t  rc;

    rc = lead_store_ops_check(ops, n, e);

    if (rc != LEAD_OK) {
        return rc;
    }

    return lead_lmdb_commit(store, ops, n, e);
}


lead_rc_t
lead_store_commit_group(lead_store_t *store, lead_op_t **ops, size_t n,
    lead_error_t *e)
{
    lead_rc_t  rc;

    rc = lead_store_ops_check(ops, n, e);

    if (rc != LEAD_OK) {
        return rc;
    }

    return lead_lmdb_commit_group(store, ops, n, e);
}


static lead_rc_t
lead_store_ops_check(lead_op_t **ops, size_t n, lead_error_t *e)
{
    size_t      i;
    lead_op_t  *op;

    if (n == 0 || n > LEAD_OPS_MAX) {
        return lead_store_fail(e, LEAD_INVALID, 0, "%zu operations", n);
    }

    for (i = 0; i < n; i++) {
        op = ops[i];

        op->outcome = LEAD_NONE;
        op->leads = NULL;
        op->nleads = 0;
        op->rc = lead_store_op_check(op);
    }

    return LEAD_OK;
}


static lead_rc_t
lead_store_op_check(const lead_op_t *op)
{
    size_t     i;
    lead_rc_t  rc;

    if (op->decide == NULL
        || op->alloc == NULL
        || lead_store_bytes_bad(op->actor)
        || lead_store_bytes_bad(op->idempotency)
        || (op->ncounters != 0 && op->counters == NULL))
    {
        return LEAD_INVALID;
    }

    if (op->actor.len > LEAD_ACTOR_MAX || op->ncounters > LEAD_COUNTERS_MAX) {
        return LEAD_TOOBIG;
    }

    for (i = 0; i < op->ncounters; i++) {
        if (lead_store_bytes_bad(op->counters[i])) {
            return LEAD_INVALID;
        }
    }

    rc = lead_store_find_check(&op->target);

    return rc != LEAD_OK ? rc : lead_store_find_check(&op->second);
}


static lead_rc_t
lead_store_find_check(const lead_find_t *find)
{
    switch (find->by) {

    case LEAD_BY_NOTHING:
    case LEAD_BY_ID:
    case LEAD_BY_NUMBER:
        return LEAD_OK;

    case LEAD_BY_MATCH:
        return lead_store_matches_check(find->matches, find->nmatches);
    }

    return LEAD_INVALID;
}


static lead_rc_t
lead_store_matches_check(const lead_match_t *matches, size_t n)
{
    size_t  i;

    if (n > LEAD_MATCHES_MAX) {
        return LEAD_TOOBIG;
    }

    if (n != 0 && matches == NULL) {
        return LEAD_INVALID;
    }

    for (i = 0; i < n; i++) {
        if (matches[i].kind == 0 || lead_store_bytes_bad(matches[i].value)) {
            return LEAD_INVALID;
        }
    }

    return LEAD_OK;
}


/* what a decision says of the second lead and of counters */

static lead_rc_t
lead_store_second_check(const lead_decision_t *d, const lead_t *target,
    const lead_t *second)
{
    size_t     i;
    lead_rc_t  rc;

    if (d->nsecond_events > LEAD_EVENTS_MAX || d->nraise > LEAD_COUNTERS_MAX) {
        return LEAD_TOOBIG;
    }

    if ((d->nsecond_events != 0
         && (d->second_events == NULL || second == NULL))
        || (d->nraise != 0 && d->raise == NULL)
        || (d->keep_matches && d->verdict != LEAD_UPDATE))
    {
        return LEAD_INVALID;
    }

    for (i = 0; i < d->nsecond_events; i++) {
        rc = lead_store_event_check(&d->second_events[i], target);

        if (rc == LEAD_OK) {
            rc = lead_store_event_check(&d->second_events[i], second);
        }

        if (rc != LEAD_OK) {
            return rc;
        }
    }

    for (i = 0; i < d->nraise; i++) {
        if (lead_store_bytes_bad(d->raise[i])) {
            return LEAD_INVALID;
        }
    }

    return LEAD_OK;
}


lead_rc_t
lead_store_decision_check(const lead_decision_t *d, const lead_t *target,
    const lead_t *second)
{
    size_t     i;
    lead_rc_t  rc;

    if (d->verdict == LEAD_KEEP) {
        return target != NULL && d->nevents == 0 ? LEAD_OK : LEAD_INVALID;
    }

    if (d->verdict != LEAD_INSERT
        && (d->verdict != LEAD_UPDATE || target == NULL))
    {
        return LEAD_INVALID;
    }

    if (d->doc.len > LEAD_DOC_MAX || d->nevents > LEAD_EVENTS_MAX) {
        return LEAD_TOOBIG;
    }

    if (lead_store_bytes_bad(d->doc)
        || lead_store_bytes_of(d->doc, target)
        || (d->nevents != 0 && d->events == NULL))
    {
        return LEAD_INVALID;
    }

    for (i = 0; i < d->nevents; i++) {
        rc = lead_store_event_check(&d->events[i], target);

        if (rc != LEAD_OK) {
            return rc;
        }
    }

    rc = lead_store_second_check(d, target, second);

    if (rc != LEAD_OK || d->keep_matches) {
        return rc;
    }

    return lead_store_matches_check(d->matches, d->nmatches);
}


static lead_rc_t
lead_store_event_check(const lead_event_t *event, const lead_t *target)
{
    if (event->type.len == 0
        || lead_store_bytes_bad(event->type)
        || lead_store_bytes_bad(event->data)
        || lead_store_bytes_of(event->data, target)
        || (event->nendpoints != 0 && event->endpoints == NULL))
    {
        return LEAD_INVALID;
    }

    if (event->type.len > LEAD_EVENT_TYPE_MAX
        || event->data.len > LEAD_EVENT_DATA_MAX)
    {
        return LEAD_TOOBIG;
    }

    return LEAD_OK;
}


int
lead_store_bytes_bad(lead_bytes_t bytes)
{
    return bytes.len != 0 && bytes.data == NULL;
}


/* a target is gone when decide() returns: what still points into it would be
 * read from pages that are being written */

static int
lead_store_bytes_of(lead_bytes_t bytes, const lead_t *target)
{
    return target != NULL
           && (uintptr_t) bytes.data >= (uintptr_t) target->doc.data
           && (uintptr_t) bytes.data
              < (uintptr_t) target->doc.data + target->doc.len;
}


lead_rc_t
lead_store_name_check(lead_bytes_t name, lead_error_t *e)
{
    if (name.len == 0
        || name.len > LEAD_NAME_MAX
        || name.data == NULL
        || memchr(name.data, '\0', name.len) != NULL)
    {
        return lead_store_fail(e, LEAD_INVALID, 0,
                               "a name must have 1 to %d bytes and no zero",
                               LEAD_NAME_MAX);
    }

    return LEAD_OK;
}


lead_rc_t
lead_store_get(lead_store_t *store, uint32_t account, const lead_find_t *find,
    lead_sink_pt sink, void *ctx, lead_error_t *e)
{
    lead_rc_t  rc;

    rc = lead_store_find_check(find);

    if (rc != LEAD_OK) {
        return lead_store_fail(e, rc, 0, "no way to find a lead");
    }

    return lead_lmdb_get(store, account, find, sink, ctx, e);
}


lead_rc_t
lead_store_list(lead_store_t *store, const lead_list_t *list, lead_id_t *next,
    lead_error_t *e)
{
    if (list->slice == 0 || list->sink == NULL) {
        return lead_store_fail(e, LEAD_INVALID, 0, "a list without a %s",
                               list->slice == 0 ? "slice" : "sink");
    }

    return lead_lmdb_list(store, list, next, e);
}


lead_rc_t
lead_store_events(lead_store_t *store, uint32_t account, const lead_id_t *id,
    lead_event_sink_pt sink, void *ctx, lead_error_t *e)
{
    return lead_lmdb_events(store, account, id, sink, ctx, e);
}


lead_rc_t
lead_store_key_add(lead_store_t *store, lead_key_t *key, lead_bytes_t text,
    lead_error_t *e)
{
    lead_rc_t  rc;

    rc = lead_store_key_check(key, text, e);

    if (rc != LEAD_OK) {
        return rc;
    }

    return lead_lmdb_key_add(store, key, text, e);
}


static lead_rc_t
lead_store_key_check(const lead_key_t *key, lead_bytes_t text, lead_error_t *e)
{
    if (text.len == 0 || text.len > LEAD_KEY_TEXT_MAX || text.data == NULL) {
        return lead_store_fail(e, LEAD_INVALID, 0,
                               "a key's text must have 1 to %d bytes",
                               LEAD_KEY_TEXT_MAX);
    }

    if (key->id[0] != '\0' && lead_store_key_id_bad(key->id)) {
        return lead_store_fail(e, LEAD_INVALID, 0,
                               "a key's id must have %d letters or digits",
                               LEAD_KEY_ID_LEN);
    }

    if (memchr(key->api, '\0', sizeof(key->api)) == NULL
        || memchr(key->source, '\0', sizeof(key->source)) == NULL
        || memchr(key->name, '\0', sizeof(key->name)) == NULL
        || memchr(key->last4, '\0', sizeof(key->last4)) == NULL)
    {
        return lead_store_fail(e, LEAD_INVALID, 0, "a key's name has no end");
    }

    return LEAD_OK;
}


lead_rc_t
lead_store_key_find(lead_store_t *store, lead_bytes_t text, lead_key_t *key,
    lead_error_t *e)
{
    if (text.len == 0 || text.len > LEAD_KEY_TEXT_MAX || text.data == NULL) {
        return lead_store_fail(e, LEAD_NOTFOUND, 0, "no such key");
    }

    return lead_lmdb_key_find(store, text, key, e);
}


lead_rc_t
lead_store_key_disable(lead_store_t *store, const char *id, int disabled,
    lead_error_t *e)
{
    if (lead_store_key_id_bad(id)) {
        return lead_store_fail(e, LEAD_NOTFOUND, 0, "no such key");
    }

    return lead_lmdb_key_disable(store, id, disabled, e);
}


lead_rc_t
lead_store_key_remove(lead_store_t *store, const char *id, lead_error_t *e)
{
    if (lead_store_key_id_bad(id)) {
        return lead_store_fail(e, LEAD_NOTFOUND, 0, "no such key");
    }

    return lead_lmdb_key_remove(store, id, e);
}


lead_rc_t
lead_store_key_list(lead_store_t *store, lead_key_sink_pt sink, void *ctx,
    lead_error_t *e)
{
    return lead_lmdb_key_list(store, sink, ctx, e);
}


static int
lead_store_key_id_bad(const char *id)
{
    size_t  i;

    for (i = 0; i < LEAD_KEY_ID_LEN; i++) {
        if (!lead_store_base62(id[i])) {
            return 1;
        }
    }

    return id[i] != '\0';
}


lead_rc_t
lead_store_stat(lead_store_t *store, lead_stat_t *stat, lead_error_t *e)
{
    return lead_lmdb_stat(store, stat, e);
}


lead_rc_t
lead_store_counter(lead_store_t *store, uint32_t account, lead_bytes_t name,
    uint64_t *value, lead_error_t *e)
{
    if (lead_store_bytes_bad(name)) {
        return lead_store_fail(e, LEAD_INVALID, 0, "a counter without a name");
    }

    return lead_lmdb_counter(store, account, name, value, e);
}


lead_rc_t
lead_store_count(lead_store_t *store, uint32_t account, uint64_t *leads,
    lead_error_t *e)
{
    return lead_lmdb_count(store, account, leads, e);
}


lead_rc_t
lead_store_sweep(lead_store_t *store, lead_error_t *e)
{
    return lead_lmdb_sweep(store, e);
}


lead_rc_t
lead_store_backup(lead_store_t *store, const char *dir, lead_error_t *e)
{
    if (dir == NULL || *dir == '\0') {
        return lead_store_fail(e, LEAD_INVALID, 0, "no directory is given");
    }

    return lead_lmdb_backup(store, dir, e);
}


lead_rc_t
lead_store_check(lead_store_t *store, lead_check_pt report, void *ctx,
    uint64_t *findings, lead_error_t *e)
{
    return lead_lmdb_check(store, report, ctx, findings, e);
}


const char *
lead_store_rc_text(lead_rc_t rc)
{
    static const char  *text[] = {
        "ok", "again", "not found", "exists", "refused", "invalid", "too big",
        "busy", "full", "i/o error", "no access", "foreign", "newer version",
        "corrupt", "no memory"
    };

    if ((size_t) rc >= sizeof(text) / sizeof(text[0])) {
        return "unknown";
    }

    return text[rc];
}


lead_rc_t
lead_store_fail(lead_error_t *e, lead_rc_t rc, int err, const char *fmt, ...)
{
    va_list  args;

    if (e == NULL) {
        return rc;
    }

    e->rc = rc;
    e->err = err;

    va_start(args, fmt);
    (void) vsnprintf(e->text, sizeof(e->text), fmt, args);
    va_end(args);

    return rc;
}
