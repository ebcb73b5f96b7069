
/*
 * Copyright (C) the ngx_lead authors
 *
 * The check of the outbox: rows, attempts, and the states of endpoints, whose
 * counts are compared with the rows.  As lmdb_check.c, it reports and never
 * repairs, and allocates nothing.
 */


#include <string.h>

#include "lmdb_check.h"


static lead_rc_t lead_lmdb_check_whose(lead_lmdb_check_t *c,
    const lead_outbox_row_t *row, const char *what);
static lead_rc_t lead_lmdb_check_points(lead_lmdb_check_t *c,
    const lead_outbox_row_t *row, int64_t time, const char *what);


lead_rc_t
lead_lmdb_check_outbox(lead_lmdb_check_t *c, lead_bytes_t key,
    lead_bytes_t row)
{
    uint32_t           endpoint;
    lead_rc_t          rc;
    lead_outbox_row_t  out;

    if (key.len != LEAD_RECORD_OUTBOX_KEY) {
        return lead_lmdb_finding(c, "an outbox row cannot be read");
    }

    endpoint = lead_record_get32(key.data);

    if (endpoint != c->endpoint) {
        rc = lead_lmdb_check_tally(c);

        if (rc != LEAD_OK) {
            return rc;
        }

        c->endpoint = endpoint;
        c->pending = 0;
        c->failed = 0;
    }

    if (lead_record_get64(key.data + 4) == (uint64_t) LEAD_NEVER) {
        c->failed++;

    } else {
        c->pending++;
    }

    if (lead_record_outbox_decode(key, row, &out) != 0) {
        return lead_lmdb_finding(c, "an outbox row cannot be read");
    }

    rc = lead_lmdb_check_whose(c, &out, "an outbox row");

    if (rc != LEAD_OK) {
        return rc == LEAD_NOTFOUND ? LEAD_OK : rc;
    }

    return lead_lmdb_check_points(c, &out, LEAD_NEVER, "an outbox row");
}


/* an endpoint without a state has not been counted yet */

lead_rc_t
lead_lmdb_check_tally(lead_lmdb_check_t *c)
{
    uint8_t                 key[LEAD_RECORD_ENDPOINT_KEY];
    lead_rc_t               rc;
    lead_bytes_t            row;
    lead_record_endpoint_t  state;

    if (c->endpoint == 0) {
        return LEAD_OK;
    }

    lead_record_endpoint_key(key, c->endpoint);

    rc = lead_lmdb_row(c->t, LEAD_LMDB_COUNTERS, key, sizeof(key), &row);

    if (rc == LEAD_NOTFOUND
        || (rc == LEAD_OK && lead_record_endpoint_decode(row, &state) != 0))
    {
        return LEAD_OK;
    }

    if (rc != LEAD_OK
        || (state.pending == c->pending && state.failed == c->failed))
    {
        return rc;
    }

    return lead_lmdb_finding(c, "endpoint %lu has %llu rows to deliver and"
                             " %llu given up, its counts are others",
                             (unsigned long) c->endpoint,
                             (unsigned long long) c->pending,
                             (unsigned long long) c->failed);
}


/* LEAD_NOTFOUND: it was reported */

static lead_rc_t
lead_lmdb_check_whose(lead_lmdb_check_t *c, const lead_outbox_row_t *row,
    const char *what)
{
    lead_rc_t  rc;

    rc = lead_lmdb_endpoint_known(c->t, row->endpoint, row->account);

    if (rc == LEAD_NOTFOUND) {
        (void) lead_lmdb_finding(c, "%s is for endpoint %lu, which account"
                                 " %lu has not", what,
                                 (unsigned long) row->endpoint,
                                 (unsigned long) row->account);
    }

    return rc;
}


/* time: of the event, as an attempt has it, or LEAD_NEVER: it is a row, and
 * the event has what is to be delivered */

static lead_rc_t
lead_lmdb_check_points(lead_lmdb_check_t *c, const lead_outbox_row_t *row,
    int64_t time, const char *what)
{
    uint8_t              buf[LEAD_RECORD_EVENT_KEY];
    lead_rc_t            rc;
    lead_bytes_t         key, found;
    lead_record_event_t  event;

    lead_record_event_key(buf, row->account, &row->lead, row->event);

    key.data = buf;
    key.len = sizeof(buf);

    rc = lead_lmdb_row(c->t, LEAD_LMDB_EVENTS, buf, sizeof(buf), &found);

    if (rc == LEAD_NOTFOUND) {
        return lead_lmdb_finding(c, "%s points to event %llu, which is not"
                                 " there", what,
                                 (unsigned long long) row->event);
    }

    if (rc != LEAD_OK || lead_record_event_decode(key, found, &event) != 0) {
        return rc;
    }

    if (time == LEAD_NEVER && event.snapshot.len == 0) {
        return lead_lmdb_finding(c, "%s points to event %llu, which has"
                                 " nothing to deliver", what,
                                 (unsigned long long) row->event);
    }

    if (time != LEAD_NEVER && time != 0 && time != event.time) {
        return lead_lmdb_finding(c, "%s has another time of event %llu than"
                                 " the event", what,
                                 (unsigned long long) row->event);
    }

    return LEAD_OK;
}


/* the event of a test goes before its last attempt may */

lead_rc_t
lead_lmdb_check_attempt(lead_lmdb_check_t *c, lead_bytes_t key,
    lead_bytes_t row)
{
    lead_rc_t              rc;
    lead_record_attempt_t  a;

    if (lead_record_attempt_decode(key, row, &a) != 0) {
        return lead_lmdb_finding(c, "an attempt cannot be read");
    }

    rc = lead_lmdb_check_whose(c, &a.attempt.row, "an attempt");

    if (rc != LEAD_OK) {
        return rc == LEAD_NOTFOUND ? LEAD_OK : rc;
    }

    if (a.attempt.row.endpoint == c->whose && a.attempt.time == c->time) {
        (void) lead_lmdb_finding(c, "two attempts of endpoint %lu have one"
                                 " time", (unsigned long) c->whose);
    }

    c->whose = a.attempt.row.endpoint;
    c->time = a.attempt.time;

    if (lead_lmdb_check_test(&a.attempt.row.lead)) {
        return LEAD_OK;
    }

    return lead_lmdb_check_points(c, &a.attempt.row, a.event_time,
                                  "an attempt");
}


/* endpoints that have rows were compared with them */

lead_rc_t
lead_lmdb_check_state(lead_lmdb_check_t *c, lead_bytes_t key,
    lead_bytes_t row)
{
    uint32_t                endpoint;
    lead_rc_t               rc;
    lead_bytes_t            found;
    lead_outbox_row_t       out;
    lead_record_endpoint_t  state;

    endpoint = lead_record_get32(key.data + 1);

    if (lead_record_endpoint_decode(row, &state) != 0) {
        return lead_lmdb_finding(c, "the state of endpoint %lu cannot be read",
                                 (unsigned long) endpoint);
    }

    rc = lead_lmdb_row(c->t, LEAD_LMDB_ENDPOINTS, key.data + 1, 4, &found);

    if (rc == LEAD_NOTFOUND) {
        return lead_lmdb_finding(c, "endpoint %lu is not there, but has a"
                                 " state", (unsigned long) endpoint);
    }

    if (rc != LEAD_OK || (state.pending == 0 && state.failed == 0)) {
        return rc;
    }

    rc = lead_lmdb_outbox_from(c->t, endpoint, 0, 0, &out);

    if (rc == LEAD_NOTFOUND) {
        return lead_lmdb_finding(c, "endpoint %lu has nothing in the outbox,"
                                 " its counts are others",
                                 (unsigned long) endpoint);
    }

    return rc == LEAD_CORRUPT ? LEAD_OK : rc;
}


int
lead_lmdb_check_test(const lead_id_t *id)
{
    static const lead_id_t  nobody;

    return memcmp(id->b, nobody.b, sizeof(nobody.b)) == 0;
}
