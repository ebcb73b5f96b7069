
/*
 * Copyright (C) the ngx_lead authors
 *
 * What the unit tests of webhooks' outbox share; see store_hook.h.  Results
 * are in static memory, until the next call of the same.
 */


#include <signal.h>
#include <unistd.h>
#include <sys/wait.h>

#include "store_hook.h"


static void hook_copy(char *to, size_t size, lead_bytes_t from);
static int hook_due_sink(void *ctx, const lead_due_t *due);
static int hook_outbox_sink(void *ctx, const lead_outbox_row_t *row);
static int hook_log_sink(void *ctx, const lead_attempt_t *attempt);
static int hook_event_sink(void *ctx, const lead_event_row_t *event);


static void
hook_copy(char *to, size_t size, lead_bytes_t from)
{
    assert_true(from.len < size);
    memcpy(to, from.data, from.len);
    to[from.len] = '\0';
}


uint32_t
hook_endpoint(store_t *s, uint32_t account, const char *name)
{
    uint32_t  endpoint;

    assert_int_equal(lead_store_endpoint(s->store, account, BYTES(name),
                                         &endpoint, &s->e), LEAD_OK);

    return endpoint;
}


static int
hook_event_sink(void *ctx, const lead_event_row_t *event)
{
    lead_event_row_t  *out;

    out = ctx;
    *out = *event;

    return 1;
}


hook_event_t
hook_insert(store_t *s, const uint32_t *endpoints, size_t n)
{
    op_t              *op;
    hook_event_t       out;
    lead_event_row_t   event;

    op = op_new(s->acme, "{\"v\":1}");
    op->events[0].endpoints = endpoints;
    op->events[0].nendpoints = n;
    op_commit(s, op);
    assert_int_equal(op->op.outcome, LEAD_INSERTED);
    out.lead = op->op.leads->id;
    op_free(op);

    assert_int_equal(lead_store_events(s->store, s->acme, &out.lead,
                                       hook_event_sink, &event, &s->e),
                     LEAD_OK);
    out.event = event.id;

    return out;
}


int
hook_kept(store_t *s, const hook_event_t *event)
{
    lead_event_row_t  row;

    memset(&row, 0, sizeof(row));

    assert_int_equal(lead_store_events(s->store, s->acme, &event->lead,
                                       hook_event_sink, &row, &s->e),
                     LEAD_OK);

    if (row.id == 0) {
        return -1;
    }

    assert_int_equal(row.id, event->event);

    return row.lead != NULL;
}


void
hook_fill(store_t *s, uint32_t endpoint, size_t n)
{
    op_t    *ops[256];
    size_t   i, k;

    while (n != 0) {

        for (i = 0; i < 256 && n != 0; i++) {
            ops[i] = op_new(s->acme, "{}");
            ops[i]->d.nevents = 0;

            for (k = 0; k < LEAD_EVENTS_MAX && n != 0; k++, n--) {
                ops[i]->events[k].type = BYTES("lead.updated");
                ops[i]->events[k].endpoints = &endpoint;
                ops[i]->events[k].nendpoints = 1;
                ops[i]->d.nevents++;
            }
        }

        assert_int_equal(op_commit_many(s, ops, i), LEAD_OK);

        for (k = 0; k < i; k++) {
            assert_int_equal(ops[k]->op.outcome, LEAD_INSERTED);
            op_free(ops[k]);
        }
    }
}


lead_endpoint_t
hook_info(store_t *s, uint32_t endpoint)
{
    lead_endpoint_t  info;

    assert_int_equal(lead_store_endpoint_get(s->store, endpoint, &info,
                                             &s->e), LEAD_OK);
    assert_int_equal(info.endpoint, endpoint);

    return info;
}


void
hook_counts(store_t *s, uint32_t endpoint, uint64_t pending, uint64_t failed,
    uint64_t delivered)
{
    lead_endpoint_t  info;

    info = hook_info(s, endpoint);

    assert_int_equal(info.pending, pending);
    assert_int_equal(info.failed, failed);
    assert_int_equal(info.delivered, delivered);
}


static int
hook_due_sink(void *ctx, const lead_due_t *due)
{
    size_t       n;
    hook_due_t  *d;

    d = ctx;
    n = d->n++;

    if (n < HOOK_ROWS) {
        d->rows[n] = due->row;
        d->ids[n] = due->id;
        d->times[n] = due->event.time;
        hook_copy(d->types[n], sizeof(d->types[n]), due->event.type);
        d->docs[n][0] = '\0';

        assert_int_equal(due->event.id, due->row.event);

        if (due->event.lead != NULL) {
            hook_copy(d->docs[n], sizeof(d->docs[n]), due->event.lead->doc);
            assert_id_equal(due->event.lead->id, due->row.lead);
            assert_int_equal(due->event.lead->account, due->row.account);
        }
    }

    return d->n == d->most;
}


hook_due_t *
hook_due(store_t *s, uint32_t endpoint, const uint64_t *skip, size_t nskip,
    size_t most)
{
    static hook_due_t  due;

    due.n = 0;
    due.most = most;

    assert_int_equal(lead_store_due(s->store, endpoint, skip, nskip,
                                    hook_due_sink, &due, &due.next, &s->e),
                     LEAD_OK);
    return &due;
}


static int
hook_outbox_sink(void *ctx, const lead_outbox_row_t *row)
{
    hook_due_t  *d;

    d = ctx;

    if (d->n < HOOK_ROWS) {
        d->rows[d->n] = *row;
    }

    d->n++;

    return 0;
}


hook_due_t *
hook_outbox(store_t *s, uint32_t endpoint)
{
    static hook_due_t  due;

    due.n = 0;

    assert_int_equal(lead_store_outbox(s->store, endpoint, hook_outbox_sink,
                                       &due, &s->e), LEAD_OK);
    return &due;
}


static int
hook_log_sink(void *ctx, const lead_attempt_t *attempt)
{
    size_t       n;
    hook_log_t  *log;

    log = ctx;
    n = log->n++;

    if (n < HOOK_ROWS) {
        log->attempts[n] = *attempt;
        hook_copy(log->types[n], sizeof(log->types[n]), attempt->type);
        hook_copy(log->errors[n], sizeof(log->errors[n]), attempt->error);
        hook_copy(log->answers[n], sizeof(log->answers[n]), attempt->answer);
    }

    return log->n == log->most;
}


hook_log_t *
hook_log(store_t *s, uint32_t endpoint, int64_t from, size_t most)
{
    static hook_log_t  log;

    log.n = 0;
    log.most = most;

    assert_int_equal(lead_store_attempts(s->store, endpoint, from,
                                         hook_log_sink, &log, &s->e),
                     LEAD_OK);
    return &log;
}


lead_attempt_t
hook_attempt(const lead_outbox_row_t *row, lead_attempt_outcome_t outcome)
{
    lead_attempt_t  a;

    memset(&a, 0, sizeof(lead_attempt_t));

    a.row = *row;
    a.type = BYTES("lead.created");
    a.time = store_now;
    a.msec = 20;
    a.status = outcome == LEAD_DELIVERED ? 200 : 500;
    a.outcome = outcome;
    a.retry = outcome == LEAD_RETRY ? store_now + STORE_HOUR : 0;

    return a;
}


void
hook_settle(store_t *s, const lead_outbox_row_t *row,
    lead_attempt_outcome_t outcome)
{
    lead_rc_t       rc;
    lead_attempt_t  a;

    a = hook_attempt(row, outcome);

    rc = lead_store_settle(s->store, &a, 1, &s->e);

    if (rc != LEAD_OK) {
        fail_msg("%s: %s", lead_store_rc_text(rc), s->e.text);
    }
}


lead_outbox_row_t
hook_row(store_t *s, uint32_t endpoint, uint64_t event)
{
    size_t       i;
    hook_due_t  *due;

    due = hook_due(s, endpoint, NULL, 0, 0);

    assert_true(due->n <= HOOK_ROWS);

    for (i = 0; i < due->n; i++) {
        if (due->rows[i].event == event) {
            return due->rows[i];
        }
    }

    fail_msg("event %llu is not due", (unsigned long long) event);

    return due->rows[0];
}


void
hook_sweep(store_t *s)
{
    lead_rc_t  rc;

    rc = lead_store_sweep(s->store, &s->e);

    if (rc != LEAD_OK) {
        fail_msg("%s: %s", lead_store_rc_text(rc), s->e.text);
    }
}


void
hook_wait(pid_t pid, int killed)
{
    int  status;

    assert_int_equal(waitpid(pid, &status, 0), pid);

    if (killed) {
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGKILL);

    } else {
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
    }
}


store_t *
hook_child(store_t *s)
{
    static store_t  child;

    child = *s;

    if (lead_store_open(child.dir, &child.opts, &child.store, &child.e)
        != LEAD_OK)
    {
        _exit(1);
    }

    return &child;
}
