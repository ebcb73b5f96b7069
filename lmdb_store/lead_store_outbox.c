
/*
 * Copyright (C) the ngx_lead authors
 *
 * The front of the store for webhooks: endpoints, leases, the outbox and its
 * attempts.  As lead_store.c, it checks what callers give, keeps nothing and
 * owns no memory.
 */


#include "lead_engine.h"


static lead_rc_t lead_store_attempt_check(const lead_attempt_t *a,
    lead_error_t *e);


lead_rc_t
lead_store_endpoint(lead_store_t *store, uint32_t account, lead_bytes_t name,
    uint32_t *endpoint, lead_error_t *e)
{
    lead_rc_t  rc;

    rc = lead_store_name_check(name, e);

    if (rc != LEAD_OK) {
        return rc;
    }

    return lead_lmdb_endpoint(store, account, name, 1, endpoint, e);
}


lead_rc_t
lead_store_endpoint_find(lead_store_t *store, uint32_t account,
    lead_bytes_t name, uint32_t *endpoint, lead_error_t *e)
{
    lead_rc_t  rc;

    rc = lead_store_name_check(name, e);

    if (rc != LEAD_OK) {
        return rc;
    }

    return lead_lmdb_endpoint(store, account, name, 0, endpoint, e);
}


lead_rc_t
lead_store_endpoint_get(lead_store_t *store, uint32_t endpoint,
    lead_endpoint_t *info, lead_error_t *e)
{
    return lead_lmdb_endpoint_get(store, endpoint, info, e);
}


lead_rc_t
lead_store_endpoints(lead_store_t *store, uint32_t account,
    lead_endpoint_sink_pt sink, void *ctx, lead_error_t *e)
{
    return lead_lmdb_endpoints(store, account, sink, ctx, e);
}


lead_rc_t
lead_store_endpoint_set(lead_store_t *store, uint32_t endpoint,
    lead_endpoint_state_t state, lead_error_t *e)
{
    if ((unsigned) state > LEAD_ENDPOINT_FAILING) {
        return lead_store_fail(e, LEAD_INVALID, 0, "no such state");
    }

    return lead_lmdb_endpoint_set(store, endpoint, state, e);
}


lead_rc_t
lead_store_endpoint_test(lead_store_t *store, uint32_t endpoint,
    lead_bytes_t doc, uint64_t *event, lead_error_t *e)
{
    if (lead_store_bytes_bad(doc)) {
        return lead_store_fail(e, LEAD_INVALID, 0, "a test has no document");
    }

    if (doc.len > LEAD_DOC_MAX) {
        return lead_store_fail(e, LEAD_TOOBIG, 0,
                               "a document of %zu bytes is too big", doc.len);
    }

    return lead_lmdb_endpoint_test(store, endpoint, doc, event, e);
}


lead_rc_t
lead_store_lease(lead_store_t *store, const uint32_t *endpoints, size_t n,
    int64_t span, int64_t *until, lead_error_t *e)
{
    if (span <= 0 || span > LEAD_LEASE_MAX) {
        return lead_store_fail(e, LEAD_INVALID, 0,
                               "a lease of %lld us is out of bounds",
                               (long long) span);
    }

    return lead_lmdb_lease(store, endpoints, n, span, until, e);
}


lead_rc_t
lead_store_release(lead_store_t *store, const uint32_t *endpoints, size_t n,
    lead_error_t *e)
{
    return lead_lmdb_release(store, endpoints, n, e);
}


lead_rc_t
lead_store_due(lead_store_t *store, uint32_t endpoint, const uint64_t *skip,
    size_t nskip, lead_due_sink_pt sink, void *ctx, int64_t *next,
    lead_error_t *e)
{
    size_t  i;

    for (i = 1; i < nskip; i++) {
        if (skip[i] < skip[i - 1]) {
            return lead_store_fail(e, LEAD_INVALID, 0,
                                   "events to skip are in no order");
        }
    }

    return lead_lmdb_due(store, endpoint, skip, nskip, sink, ctx, next, e);
}


lead_rc_t
lead_store_settle(lead_store_t *store, const lead_attempt_t *attempts,
    size_t n, lead_error_t *e)
{
    size_t     i;
    lead_rc_t  rc;

    if (n == 0 || n > LEAD_OPS_MAX) {
        return lead_store_fail(e, LEAD_INVALID, 0, "%zu attempts", n);
    }

    for (i = 0; i < n; i++) {
        rc = lead_store_attempt_check(&attempts[i], e);

        if (rc != LEAD_OK) {
            return rc;
        }
    }

    return lead_lmdb_settle(store, attempts, n, e);
}


static lead_rc_t
lead_store_attempt_check(const lead_attempt_t *a, lead_error_t *e)
{
    if ((unsigned) a->outcome > LEAD_GIVE_UP
        || (unsigned) a->state > LEAD_ENDPOINT_FAILING
        || a->row.due < 0
        || a->time <= 0
        || a->time == LEAD_NEVER
        || lead_store_bytes_bad(a->type)
        || lead_store_bytes_bad(a->error)
        || lead_store_bytes_bad(a->answer)
        || a->type.len > LEAD_EVENT_TYPE_MAX)
    {
        return lead_store_fail(e, LEAD_INVALID, 0,
                               "an attempt cannot be settled");
    }

    if (a->outcome == LEAD_RETRY
        && (a->retry <= 0 || a->retry == LEAD_NEVER))
    {
        return lead_store_fail(e, LEAD_INVALID, 0,
                               "an attempt is to be repeated at no time");
    }

    return LEAD_OK;
}


lead_rc_t
lead_store_outbox(lead_store_t *store, uint32_t endpoint,
    lead_outbox_sink_pt sink, void *ctx, lead_error_t *e)
{
    return lead_lmdb_outbox(store, endpoint, sink, ctx, e);
}


lead_rc_t
lead_store_attempts(lead_store_t *store, uint32_t endpoint, int64_t from,
    lead_attempt_sink_pt sink, void *ctx, lead_error_t *e)
{
    return lead_lmdb_attempts(store, endpoint, from, sink, ctx, e);
}


lead_rc_t
lead_store_replay(lead_store_t *store, lead_replay_t *replay, uint64_t *n,
    lead_error_t *e)
{
    if (replay->slice == 0) {
        return lead_store_fail(e, LEAD_INVALID, 0, "a replay without a slice");
    }

    if (replay->endpoint == 0 && replay->event == 0) {
        return lead_store_fail(e, LEAD_INVALID, 0,
                               "a replay without an endpoint and an event");
    }

    return lead_lmdb_replay(store, replay, n, e);
}
