
/*
 * Copyright (C) the ngx_lead authors
 *
 * Leases of endpoints: who may deliver.  The owner of a lease is a process
 * and eight random bytes of its store handle, so that a number the system
 * gives to another process later is not taken for the first.  A lease is
 * looked at in a read transaction and decided again in the one that writes;
 * nothing is kept in memory.
 */


#include <errno.h>
#include <signal.h>
#include <string.h>

#include "lmdb_store.h"


static int lead_lmdb_lease_can(const lead_store_t *store,
    const lead_record_endpoint_t *state, int64_t now);
static lead_rc_t lead_lmdb_lease_look(lead_lmdb_txn_t *t,
    const uint32_t *endpoints, size_t n, int64_t *until, int *can);
static lead_rc_t lead_lmdb_lease_take(lead_lmdb_txn_t *t,
    const uint32_t *endpoints, size_t n, int64_t span, int64_t *until);
static lead_rc_t lead_lmdb_lease_held(lead_lmdb_txn_t *t,
    const uint32_t *endpoints, size_t n, int *held);
static lead_rc_t lead_lmdb_lease_give(lead_lmdb_txn_t *t,
    const uint32_t *endpoints, size_t n);


int
lead_lmdb_lease_mine(const lead_store_t *store,
    const lead_record_endpoint_t *state)
{
    return state->process == (uint32_t) store->pid
           && memcmp(state->random, store->random, sizeof(store->random))
              == 0;
}


/* this process opens a store once: another handle of its number is that of
 * one that is gone */

int
lead_lmdb_lease_free(const lead_store_t *store,
    const lead_record_endpoint_t *state, int64_t now)
{
    pid_t  pid;

    if (state->until <= now || state->until - now > LEAD_LEASE_MAX) {
        return 1;
    }

    pid = (pid_t) state->process;

    if (pid == store->pid) {
        return !lead_lmdb_lease_mine(store, state);
    }

    return pid <= 0 || (kill(pid, 0) == -1 && errno == ESRCH);
}


static int
lead_lmdb_lease_can(const lead_store_t *store,
    const lead_record_endpoint_t *state, int64_t now)
{
    return state->state == LEAD_ENDPOINT_ENABLED
           && (lead_lmdb_lease_mine(store, state)
               || lead_lmdb_lease_free(store, state, now));
}


lead_rc_t
lead_lmdb_lease(lead_store_t *store, const uint32_t *endpoints, size_t n,
    int64_t span, int64_t *until, lead_error_t *e)
{
    int               can;
    lead_rc_t         rc;
    lead_lmdb_txn_t  *t;

    rc = lead_lmdb_read_begin(store, 1, &t, e);

    if (rc != LEAD_OK) {
        return rc;
    }

    rc = lead_lmdb_lease_look(t, endpoints, n, until, &can);

    lead_lmdb_read_end(t);

    if (rc == LEAD_OK && !can) {
        return LEAD_OK;
    }

    if (rc == LEAD_OK) {
        rc = lead_lmdb_write_begin(store, &t, e);

        if (rc == LEAD_OK) {
            rc = lead_lmdb_lease_take(t, endpoints, n, span, until);
            rc = lead_lmdb_write_end(t, rc);
        }
    }

    if (rc != LEAD_OK) {
        memset(until, 0, n * sizeof(int64_t));
    }

    return rc;
}


/* until: 0, or -1 where a lease can be had; an endpoint that cannot be read
 * has none, and is an error where no other has one, either */

static lead_rc_t
lead_lmdb_lease_look(lead_lmdb_txn_t *t, const uint32_t *endpoints, size_t n,
    int64_t *until, int *can)
{
    size_t                  i;
    int64_t                 now;
    uint32_t                found, account;
    lead_rc_t               rc, corrupt;
    lead_record_endpoint_t  state;

    *can = 0;
    corrupt = LEAD_OK;
    now = t->store->opts.clock();

    memset(until, 0, n * sizeof(int64_t));

    for (i = 0; i < n; i++) {
        found = endpoints[i];

        rc = lead_lmdb_endpoint_next(t, &found, &account);

        if (rc == LEAD_NOTFOUND || (rc == LEAD_OK && found != endpoints[i])) {
            continue;
        }

        if (rc == LEAD_OK) {
            rc = lead_lmdb_endpoint_state(t, endpoints[i], &state);
        }

        if (rc == LEAD_CORRUPT) {
            corrupt = rc;
            continue;
        }

        if (rc != LEAD_OK) {
            return rc;
        }

        if (lead_lmdb_lease_can(t->store, &state, now)) {
            until[i] = -1;
            *can = 1;
        }
    }

    return *can ? LEAD_OK : corrupt;
}


static lead_rc_t
lead_lmdb_lease_take(lead_lmdb_txn_t *t, const uint32_t *endpoints, size_t n,
    int64_t span, int64_t *until)
{
    size_t                   i;
    int64_t                  now;
    lead_rc_t                rc;
    lead_store_t            *store;
    lead_record_endpoint_t   now_is, *state;

    store = t->store;
    now = store->opts.clock();

    for (i = 0; i < n; i++) {

        if (until[i] == 0) {
            continue;
        }

        until[i] = 0;

        rc = lead_lmdb_endpoint_state(t, endpoints[i], &now_is);

        if (rc != LEAD_OK) {
            return rc;
        }

        if (!lead_lmdb_lease_can(store, &now_is, now)) {
            continue;
        }

        rc = lead_lmdb_endpoint_change(t, endpoints[i], &state);

        if (rc != LEAD_OK) {
            return rc;
        }

        state->process = (uint32_t) store->pid;
        memcpy(state->random, store->random, sizeof(store->random));
        state->until = now + span;

        until[i] = state->until;
    }

    return LEAD_OK;
}


lead_rc_t
lead_lmdb_release(lead_store_t *store, const uint32_t *endpoints, size_t n,
    lead_error_t *e)
{
    int               held;
    lead_rc_t         rc;
    lead_lmdb_txn_t  *t;

    rc = lead_lmdb_read_begin(store, 1, &t, e);

    if (rc != LEAD_OK) {
        return rc;
    }

    rc = lead_lmdb_lease_held(t, endpoints, n, &held);

    lead_lmdb_read_end(t);

    if (rc != LEAD_OK || !held) {
        return rc;
    }

    rc = lead_lmdb_write_begin(store, &t, e);

    if (rc != LEAD_OK) {
        return rc;
    }

    return lead_lmdb_write_end(t, lead_lmdb_lease_give(t, endpoints, n));
}


static lead_rc_t
lead_lmdb_lease_held(lead_lmdb_txn_t *t, const uint32_t *endpoints, size_t n,
    int *held)
{
    size_t                  i;
    lead_rc_t               rc;
    lead_record_endpoint_t  state;

    *held = 0;

    for (i = 0; i < n; i++) {
        rc = lead_lmdb_endpoint_state(t, endpoints[i], &state);

        if (rc != LEAD_OK) {
            return rc;
        }

        if (lead_lmdb_lease_mine(t->store, &state)) {
            *held = 1;
        }
    }

    return LEAD_OK;
}


static lead_rc_t
lead_lmdb_lease_give(lead_lmdb_txn_t *t, const uint32_t *endpoints, size_t n)
{
    size_t                   i;
    lead_rc_t                rc;
    lead_record_endpoint_t   now_is, *state;

    for (i = 0; i < n; i++) {
        rc = lead_lmdb_endpoint_state(t, endpoints[i], &now_is);

        if (rc == LEAD_OK && lead_lmdb_lease_mine(t->store, &now_is)) {
            rc = lead_lmdb_endpoint_change(t, endpoints[i], &state);

            if (rc == LEAD_OK) {
                state->process = 0;
                memset(state->random, 0, sizeof(state->random));
                state->until = 0;
            }
        }

        if (rc != LEAD_OK) {
            return rc;
        }
    }

    return LEAD_OK;
}
