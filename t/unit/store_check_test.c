
/*
 * Copyright (C) the ngx_lead authors
 *
 * The check finds what is wrong: damage of every kind is put into a sound
 * store beneath the engine, one at a time.  Reads that meet damage say so.
 */


#include <unistd.h>

#include <lmdb.h>

#include "lead_record.h"
#include "store_util.h"


typedef struct {
    MDB_env       *env;
    MDB_txn       *txn;
    lead_id_t      id;               /* of number 1, of acme */
    uint32_t       acme;
    uint32_t       endpoint;
} raw_t;


typedef void (*damage_pt)(raw_t *r, const char *name, int at);


static MDB_dbi
tree(raw_t *r, const char *name)
{
    MDB_dbi  dbi;

    assert_int_equal(mdb_dbi_open(r->txn, name, 0, &dbi), 0);

    return dbi;
}


static void
put(raw_t *r, const char *name, const void *key, size_t len, const void *row,
    size_t size)
{
    MDB_val  k, v;

    k.mv_data = (void *) key;
    k.mv_size = len;
    v.mv_data = (void *) row;
    v.mv_size = size;

    assert_int_equal(mdb_put(r->txn, tree(r, name), &k, &v, 0), 0);
}


static void
del(raw_t *r, const char *name, const void *key, size_t len)
{
    MDB_val  k;

    k.mv_data = (void *) key;
    k.mv_size = len;

    assert_int_equal(mdb_del(r->txn, tree(r, name), &k, NULL), 0);
}


/* the first row of a tree, copied */

static size_t
first(raw_t *r, const char *name, uint8_t *key, size_t *len, uint8_t *row)
{
    MDB_val      k, v;
    MDB_cursor  *cursor;

    assert_int_equal(mdb_cursor_open(r->txn, tree(r, name), &cursor), 0);
    assert_int_equal(mdb_cursor_get(cursor, &k, &v, MDB_FIRST), 0);

    memcpy(key, k.mv_data, k.mv_size);
    memcpy(row, v.mv_data, v.mv_size);
    *len = k.mv_size;

    mdb_cursor_close(cursor);

    return v.mv_size;
}


static void
del_first(raw_t *r, const char *name, int at)
{
    size_t   len;
    uint8_t  key[600], row[4096];

    (void) first(r, name, key, &len, row);
    del(r, name, key, len);
}


/* the first row under a key that is another in one byte, counted from the end
 * if negative */

static void
move_first(raw_t *r, const char *name, int at)
{
    size_t   len, size;
    uint8_t  key[600], row[4096];

    size = first(r, name, key, &len, row);
    del(r, name, key, len);
    key[at < 0 ? (int) len + at : at] ^= 0x40;
    put(r, name, key, len, row, size);
}


static void
change_first(raw_t *r, const char *name, int at)
{
    size_t   len, size;
    uint8_t  key[600], row[4096];

    size = first(r, name, key, &len, row);
    row[at < 0 ? (int) size + at : at] ^= 0x40;
    put(r, name, key, len, row, size);
}


static void
cut_first(raw_t *r, const char *name, int at)
{
    size_t   len, size;
    uint8_t  key[600], row[4096];

    size = first(r, name, key, &len, row);
    put(r, name, key, len, row, size > 8 ? 8 : size - 1);
}


static void
lookup_row(raw_t *r, const char *name, int at)
{
    size_t   len;
    uint8_t  key[600], row[4096];

    (void) first(r, "lookup", key, &len, row);
    put(r, "lookup", key, len, "x", 1);
}


static void
outbox_key(raw_t *r, const char *name, int at)
{
    put(r, "outbox", "short", 5, "x", 1);
}


static void
outbox_due(raw_t *r, const char *name, int at)
{
    size_t   len, size;
    uint8_t  key[600], row[4096];

    size = first(r, "outbox", key, &len, row);
    key[4] = 0x80;
    put(r, "outbox", key, len, row, size);
}


static void
outbox_twice(raw_t *r, const char *name, int at)
{
    size_t   len, size;
    uint8_t  key[600], row[4096];

    size = first(r, "outbox", key, &len, row);
    key[11] ^= 0x40;
    put(r, "outbox", key, len, row, size);
}


static void
outbox_given_up(raw_t *r, const char *name, int at)
{
    size_t   len, size;
    uint8_t  key[600], row[4096];

    size = first(r, "outbox", key, &len, row);
    del(r, "outbox", key, len);
    (void) lead_record_put64(key + 4, (uint64_t) LEAD_NEVER);
    put(r, "outbox", key, len, row, size);
}


static void
put_short(raw_t *r, const char *name, int at)
{
    put(r, name, "short", 5, "x", 1);
}


static void
lead_key(raw_t *r, const char *name, int at)
{
    put(r, "leads", "short", 5, "x", 1);
}


static void
count_gone(raw_t *r, const char *name, int at)
{
    uint8_t  key[5];

    key[0] = LEAD_RECORD_COUNT;
    (void) lead_record_put32(key + 1, r->acme);
    del(r, "counters", key, 5);
}


static void
count_wrong(raw_t *r, const char *name, int at)
{
    uint8_t  key[5], row[8];

    key[0] = LEAD_RECORD_COUNT;
    (void) lead_record_put32(key + 1, r->acme);
    (void) lead_record_put64(row, 3);
    put(r, "counters", key, 5, row, 8);
}


static void
count_cut(raw_t *r, const char *name, int at)
{
    uint8_t  key[5];

    key[0] = LEAD_RECORD_COUNT;
    (void) lead_record_put32(key + 1, r->acme);
    put(r, "counters", key, 5, "x", 1);
}


static void
count_of_none(raw_t *r, const char *name, int at)
{
    uint8_t  key[5], row[8];

    key[0] = LEAD_RECORD_COUNT;
    (void) lead_record_put32(key + 1, r->acme + 1);
    (void) lead_record_put64(row, 3);
    put(r, "counters", key, 5, row, 8);
}


static void
count_of_nobody(raw_t *r, const char *name, int at)
{
    uint8_t  key[5], row[8];

    key[0] = LEAD_RECORD_COUNT;
    (void) lead_record_put32(key + 1, 99);
    (void) lead_record_put64(row, 0);
    put(r, "counters", key, 5, row, 8);
}


static void
counter_kind(raw_t *r, const char *name, int at)
{
    put(r, "counters", "x", 1, "x", 1);
}


static void
state_gone(raw_t *r, const char *name, int at)
{
    del(r, "counters", "", 1);
}


static void
state_back(raw_t *r, const char *name, int at)
{
    uint8_t              zero, row[LEAD_RECORD_STATE_LEN];
    lead_record_state_t  state;

    memset(&state, 0, sizeof(state));
    state.number = 1;
    state.event = 1;
    zero = 0;

    lead_record_state_encode(row, &state);
    put(r, "counters", &zero, 1, row, sizeof(row));
}


static void
endpoint_account(raw_t *r, const char *name, int at)
{
    move_first(r, "endpoint_names", 0);
    change_first(r, "endpoints", 0);
}


static void
counts_wrong(raw_t *r, const char *name, int at)
{
    size_t                  size;
    uint8_t                 key[LEAD_RECORD_ENDPOINT_KEY],
                            row[LEAD_RECORD_ENDPOINT_LEN];
    lead_record_endpoint_t  state;

    memset(&state, 0, sizeof(state));
    state.pending = at == 1 ? 2 : 1;
    state.failed = at == 2 ? 1 : 0;
    state.state = LEAD_ENDPOINT_DISABLED;
    size = sizeof(row);

    lead_record_endpoint_key(key, at == 3 ? 99 : r->endpoint);
    lead_record_endpoint_encode(row, &state);

    if (at == 4) {
        row[0]++;
    }

    if (at == 5) {
        size--;
    }

    put(r, "counters", key, sizeof(key), row, size);
}


static void
events_gone(raw_t *r, const char *name, int at)
{
    del_first(r, "outbox", 0);
    del_first(r, "events", 0);
}


static void
meta_row(raw_t *r, const char *name, int at)
{
    put(r, "meta", "other", 5, "x", 1);
}


static void
marker_long(raw_t *r, const char *name, int at)
{
    size_t   len, size;
    uint8_t  key[600], row[4096];

    size = first(r, "meta", key, &len, row);
    row[size] = 0;
    put(r, "meta", key, len, row, size + 1);
}


/* as a sweep leaves it that has not looked at the outbox */

static void
event_bare(raw_t *r, const char *name, int at)
{
    size_t               len, size;
    uint8_t              key[600], row[4096], bare[4096];
    lead_bytes_t         k, v;
    lead_record_event_t  e;

    size = first(r, "events", key, &len, row);

    k.data = key;
    k.len = len;
    v.data = row;
    v.len = size;

    assert_int_equal(lead_record_event_decode(k, v, &e), 0);
    assert_int_not_equal(e.snapshot.len, 0);

    put(r, "events", key, len, bare, lead_record_event_bare(bare, v, &e));
}


static void
attempt_twice(raw_t *r, const char *name, int at)
{
    size_t   len, size;
    uint8_t  key[600], row[4096];

    size = first(r, "deliveries", key, &len, row);
    key[len - 1] ^= 0x40;
    put(r, "deliveries", key, len, row, size);
}


/* of the two, the one of the later event */

static void
idem_gone(raw_t *r, const char *name, int at)
{
    size_t       len;
    uint8_t      key[600], row[4096];
    uint64_t     event;
    MDB_val      k, v;
    MDB_cursor  *cursor;

    (void) first(r, "idem0", key, &len, row);
    event = lead_record_get64(key + LEAD_RECORD_HASH_KEY);

    assert_int_equal(mdb_cursor_open(r->txn, tree(r, "idem0"), &cursor), 0);
    assert_int_equal(mdb_cursor_get(cursor, &k, &v, MDB_LAST), 0);

    if (lead_record_get64((uint8_t *) k.mv_data + LEAD_RECORD_HASH_KEY)
        > event)
    {
        memcpy(key, k.mv_data, k.mv_size);
    }

    mdb_cursor_close(cursor);
    del(r, "idem0", key, len);
}


static void
idem_twice(raw_t *r, const char *name, int at)
{
    size_t   len, size;
    uint8_t  key[600], row[4096];

    size = first(r, "idem0", key, &len, row);
    put(r, "idem2", key, len, row, size);
}


/* a number of five bytes, that all agree on */

static void
number_long(raw_t *r, const char *name, int at)
{
    char  names[32];

    (void) snprintf(names, sizeof(names), "%.10s_names", name);
    put(r, at ? "endpoints" : "accounts", "\0\0\0\1x", 5, "\0\0\0\1odd", 7);
    put(r, names, "\0\0\0\1odd", 7, "\0\0\0\1x", 5);
}


static void
number_gone(raw_t *r, const char *name, int at)
{
    size_t   len, size;
    uint8_t  key[600], row[4096];
    char     names[32];

    (void) snprintf(names, sizeof(names), "%.10s_names", name);
    size = first(r, at ? "endpoints" : "accounts", key, &len, row);
    del(r, at ? "endpoints" : "accounts", key, len);
    del(r, names, row, size);
}


static void
test_of_nobody(raw_t *r, const char *name, int at)
{
    uint8_t              key[LEAD_RECORD_EVENT_KEY], row[100];
    lead_id_t            id;
    lead_record_event_t  e;

    memset(&id, 0, sizeof(id));
    memset(&e, 0, sizeof(e));

    lead_record_event_key(key, 99, &id, 1);
    (void) lead_record_event_encode(row, &e);
    put(r, "events", key, sizeof(key), row, lead_record_event_size(&e));
}


static const struct {
    const char   *name;
    damage_pt     damage;
    const char   *tree;
    int           at;
    const char   *finding;
} damages[] = {
    { "meta with a row", meta_row, NULL, 0,
      "a row beside the marker" },
    { "marker too long", marker_long, NULL, 0,
      "or it has 29 bytes" },
    { "lead's activity", change_first, "leads", 32,
      "has times that contradict each other" },
    { "lead's beginning", change_first, "leads", 17,
      "has times that contradict each other" },
    { "lead's document", change_first, "leads", -1,
      "has a document that is no JSON" },
    { "event's document", change_first, "events", -1,
      "event 1 has a document that is no JSON" },
    { "event's snapshot", event_bare, NULL, 0,
      "points to event 1, which has nothing to deliver" },
    { "attempt's time of event", change_first, "deliveries", 63,
      "an attempt has another time of event 1 than the event" },
    { "attempts of one time", attempt_twice, NULL, 0,
      "two attempts of endpoint 1 have one time" },
    { "idempotency gone", idem_gone, NULL, 0,
      "event 2 lacks its idempotency record" },
    { "idempotency twice", idem_twice, NULL, 0,
      "there are 2 idempotency records of event" },
    { "account's number long", number_long, "account", 0,
      "an account has a number of 5 bytes" },
    { "account gone, and its name", number_gone, "account", 0,
      "account 1 is not there, but account 2 is" },
    { "endpoint's number long", number_long, "endpoint", 1,
      "an endpoint has a number of 5 bytes" },
    { "endpoint gone, and its name", number_gone, "endpoint", 1,
      "endpoint 1 is not there, but endpoint 2 is" },
    { "attempt's key", put_short, "deliveries", 0,
      "an attempt cannot be read" },
    { "event's key", put_short, "events", 0,
      "an event cannot be read" },
    { "look-up's key", put_short, "lookup", 0,
      "a look-up row cannot be read" },
    { "number's key", put_short, "numbers", 0,
      "a number cannot be read" },
    { "idempotency's key", put_short, "idem1", 0,
      "an idempotency record cannot be read" },
    { "key's key", put_short, "keys", 0,
      "a key cannot be read" },
    { "id's key", put_short, "key_ids", 0,
      "a key's id cannot be read" },
    { "counter's key", put_short, "counters", 0,
      "a counter cannot be read" },
    { "key moved", move_first, "keys", 0,
      "is no key's" },
    { "id of another key", change_first, "key_ids", 0,
      "is no key's" },
    { "outbox row twice", outbox_twice, NULL, 0,
      "endpoint 1 has 2 rows to deliver and 0 given up" },
    { "outbox row of a state that has none", outbox_given_up, NULL, 0,
      "endpoint 1 has 0 rows to deliver and 1 given up" },
    { "number gone", del_first, "numbers", 0,
      "is not found by its number" },
    { "number cut", cut_first, "numbers", 0,
      "number cannot be read" },
    { "number of another", change_first, "numbers", -1,
      "is no lead's" },
    { "number moved", move_first, "numbers", -1,
      "is no lead's" },
    { "look-up gone", del_first, "lookup", 0,
      "is not found by its match key" },
    { "look-up of a kind", move_first, "lookup", 0,
      "without its match key" },
    { "look-up of no lead", move_first, "lookup", -1,
      "points to a lead that is not" },
    { "look-up with a row", lookup_row, NULL, 0,
      "look-up row cannot be read" },
    { "lead cut", cut_first, "leads", 0,
      "cannot be read" },
    { "lead's version", change_first, "leads", 0,
      "cannot be read" },
    { "lead's matches", change_first, "leads", 1,
      "cannot be read" },
    { "lead's number", change_first, "leads", 15,
      "is not found by its number" },
    { "lead's hash", change_first, "leads", 42,
      "without its match key" },
    { "lead gone", del_first, "leads", 0,
      "of a lead that is not there" },
    { "lead's account", move_first, "leads", 0,
      "is not there, but has leads" },
    { "lead to come", move_first, "leads", 5,
      "has an id to come" },
    { "lead's time", change_first, "leads", 20,
      "lacks the event of its creation" },
    { "lead's key", lead_key, NULL, 0,
      "a lead has a key of 5 bytes" },
    { "event gone", del_first, "events", 0,
      "lacks the event of its creation" },
    { "event cut", cut_first, "events", 0,
      "an event cannot be read" },
    { "event's flag", change_first, "events", 1,
      "an event cannot be read" },
    { "event's type", change_first, "events", 2,
      "an event cannot be read" },
    { "event's hash", change_first, "events", 17,
      "is not that of event" },
    { "event to come", move_first, "events", -3,
      "is to come yet" },
    { "event of no lead", move_first, "events", 19,
      "of a lead that is not there" },
    { "outbox cut", cut_first, "outbox", 0,
      "an outbox row cannot be read" },
    { "outbox's endpoint", move_first, "outbox", 1,
      "an outbox row is for endpoint" },
    { "outbox's event", move_first, "outbox", -2,
      "an outbox row points to event" },
    { "outbox's account", change_first, "outbox", 5,
      "an outbox row is for endpoint" },
    { "outbox's key", outbox_key, NULL, 0,
      "an outbox row cannot be read" },
    { "outbox gone", del_first, "outbox", 0,
      "has nothing in the outbox" },
    { "outbox's due", outbox_due, NULL, 0,
      "an outbox row cannot be read" },
    { "pending", counts_wrong, NULL, 1,
      "has 1 rows to deliver and 0 given up" },
    { "failed", counts_wrong, NULL, 2,
      "has 1 rows to deliver and 0 given up" },
    { "state of no endpoint", counts_wrong, NULL, 3,
      "endpoint 99 is not there, but has a state" },
    { "state's version", counts_wrong, NULL, 4,
      "the state of endpoint 1 cannot be read" },
    { "state cut", counts_wrong, NULL, 5,
      "the state of endpoint 1 cannot be read" },
    { "attempt cut", cut_first, "deliveries", 0,
      "an attempt cannot be read" },
    { "attempt's outcome", change_first, "deliveries", 2,
      "an attempt cannot be read" },
    { "attempt's endpoint", move_first, "deliveries", 1,
      "an attempt is for endpoint" },
    { "attempt's account", change_first, "deliveries", 9,
      "an attempt is for endpoint" },
    { "attempt's event", move_first, "deliveries", -2,
      "an attempt points to event" },
    { "attempt's event gone", events_gone, NULL, 0,
      "an attempt points to event" },
    { "test of nobody", test_of_nobody, NULL, 0,
      "but has a test's event" },
    { "idempotency cut", cut_first, "idem0", 0,
      "idempotency record cannot be read" },
    { "idempotency's hash", move_first, "idem0", 0,
      "is not that of event" },
    { "idempotency's event", move_first, "idem0", -1,
      "is not that of event" },
    { "idempotency's lead", change_first, "idem0", 15,
      "names a lead" },
    { "count gone", count_gone, NULL, 0,
      "its counter is another" },
    { "count wrong", count_wrong, NULL, 0,
      "its counter is another" },
    { "count cut", count_cut, NULL, 0,
      "a counter cannot be read" },
    { "count of no leads", count_of_none, NULL, 0,
      "has no leads" },
    { "count of nobody", count_of_nobody, NULL, 0,
      "but has a counter" },
    { "counter's kind", counter_kind, NULL, 0,
      "a counter cannot be read" },
    { "state gone", state_gone, NULL, 0,
      "there is no valid state" },
    { "state gone back", state_back, NULL, 0,
      "to be given yet" },
    { "key cut", cut_first, "keys", 0,
      "a key cannot be read" },
    { "key's id", change_first, "keys", 9,
      "is not found by its id" },
    { "key gone", del_first, "keys", 0,
      "is no key's" },
    { "key's account", change_first, "keys", 17,
      "but has a key" },
    { "id gone", del_first, "key_ids", 0,
      "is not found by its id" },
    { "id cut", cut_first, "key_ids", 0,
      "a key's id cannot be read" },
    { "account gone", del_first, "accounts", 0,
      "an account's name has no counterpart" },
    { "account's name", change_first, "accounts", 0,
      "an account has no counterpart" },
    { "name gone", del_first, "account_names", 0,
      "an account has no counterpart" },
    { "endpoint gone", del_first, "endpoints", 0,
      "an endpoint's name has no" },
    { "endpoint's name gone", del_first, "endpoint_names", 0,
      "an endpoint has no" },
    { "endpoint of nobody", endpoint_account, NULL, 0,
      "but has an endpoint" }
};


static int
first_row(void *ctx, const lead_outbox_row_t *row)
{
    *(lead_outbox_row_t *) ctx = *row;

    return 1;
}


static void
fill(store_t *s, raw_t *r)
{
    op_t            *op;
    uint32_t         endpoint;
    lead_key_t       key;
    uint32_t         second;
    lead_attempt_t   a;

    assert_int_equal(lead_store_endpoint(s->store, s->acme, BYTES("crm"),
                                         &endpoint, &s->e), LEAD_OK);
    assert_int_equal(lead_store_endpoint(s->store, s->acme, BYTES("bi"),
                                         &second, &s->e), LEAD_OK);

    op = op_new(s->acme, "{\"v\":1}");
    op_match(op, 1, "ann@acme.test");
    op_counter(op, "c", 1);
    op_idempotency(op, "key");
    op->events[0].endpoints = &endpoint;
    op->events[0].nendpoints = 1;
    op_commit(s, op);
    r->id = op->op.leads->id;
    op_free(op);

    op = op_new(s->acme, "{\"v\":2}");
    op_idempotency(op, "another key");
    op->events[0].endpoints = &second;
    op->events[0].nendpoints = 1;
    op_commit(s, op);
    op_free(op);

    memset(&a, 0, sizeof(a));
    assert_int_equal(lead_store_outbox(s->store, endpoint, first_row, &a.row,
                                       &s->e), LEAD_OK);
    a.outcome = LEAD_RETRY;
    a.time = store_now;
    a.retry = store_now + STORE_HOUR;
    assert_int_equal(lead_store_settle(s->store, &a, 1, &s->e), LEAD_OK);

    memset(&key, 0, sizeof(key));
    key.account = s->acme;
    assert_int_equal(lead_store_key_add(s->store, &key, BYTES("a key"),
                                        &s->e), LEAD_OK);
    assert_int_equal(store_findings(s), 0);

    r->acme = s->acme;
    r->endpoint = endpoint;
}


static void
raw_open(store_t *s, raw_t *r)
{
    store_close(s);

    assert_int_equal(mdb_env_create(&r->env), 0);
    assert_int_equal(mdb_env_set_maxdbs(r->env, 32), 0);
    assert_int_equal(mdb_env_open(r->env, s->file, MDB_NOSUBDIR, 0600), 0);
    assert_int_equal(mdb_txn_begin(r->env, NULL, 0, &r->txn), 0);
}


static void
raw_close(store_t *s, raw_t *r)
{
    assert_int_equal(mdb_txn_commit(r->txn), 0);
    mdb_env_close(r->env);

    store_open(s);
}


typedef struct {
    const char  *expected;
    uint64_t     n;
    int          seen;
} found_t;


static void
found(void *ctx, const char *finding)
{
    found_t  *f;

    f = ctx;
    f->n++;

    assert_null(strstr(finding, "ann@"));

    if (strstr(finding, f->expected) != NULL) {
        f->seen = 1;
    }
}


static void
test_damage(void **state)
{
    raw_t     r;
    size_t    i;
    void     *one;
    found_t   f;
    store_t  *s;
    uint64_t  n;

    for (i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {

        assert_int_equal(store_setup(&one), 0);
        s = one;

        fill(s, &r);
        raw_open(s, &r);
        damages[i].damage(&r, damages[i].tree, damages[i].at);
        raw_close(s, &r);

        memset(&f, 0, sizeof(f));
        f.expected = damages[i].finding;

        assert_int_equal(lead_store_check(s->store, found, &f, &n, &s->e),
                         LEAD_OK);

        if (n == 0 || n != f.n || !f.seen) {
            fail_msg("%s: %llu findings, %s", damages[i].name,
                     (unsigned long long) n,
                     f.seen ? "the one expected" : "but not that expected");
        }

        /* nobody has to listen */

        assert_int_equal(lead_store_check(s->store, NULL, NULL, &n, &s->e),
                         LEAD_OK);
        assert_int_equal(n, f.n);

        (void) store_teardown(&one);
    }
}


static int
no_lead(void *ctx, const lead_t *lead)
{
    return 0;
}


static int
no_event(void *ctx, const lead_event_row_t *event)
{
    return 0;
}


static int
no_row(void *ctx, const lead_outbox_row_t *row)
{
    return 0;
}


static int
unread_due(void *ctx, const lead_due_t *due)
{
    int  *unread = ctx;

    *unread += (due->event.lead == NULL);

    return 0;
}


static int
no_attempt(void *ctx, const lead_attempt_t *attempt)
{
    return 0;
}


static int
no_endpoint(void *ctx, const lead_endpoint_t *info)
{
    return 0;
}


static int
no_key(void *ctx, const lead_key_t *key)
{
    return 0;
}


/* what meets damage says so, and a batch that does writes nothing */

static void
test_reads(void **state)
{
    op_t         *ops[2];
    char          name[LEAD_NAME_MAX + 1];
    raw_t         r;
    store_t      *s;
    uint32_t      number;
    uint64_t      n;
    lead_id_t     next;
    lead_key_t    key, got;
    lead_list_t   list;
    lead_find_t   find;
    uint8_t       zero, count[5], big[200];

    s = *state;

    fill(s, &r);
    memset(&key, 0, sizeof(key));
    key.account = s->acme;
    (void) strcpy(key.id, "ABCDEFGH");
    assert_int_equal(lead_store_key_add(s->store, &key, BYTES("another key"),
                                        &s->e), LEAD_OK);

    raw_open(s, &r);
    cut_first(&r, "leads", 0);
    cut_first(&r, "events", 0);
    cut_first(&r, "outbox", 0);
    cut_first(&r, "numbers", 0);
    put(&r, "key_ids", "ABCDEFGH", 8, "x", 1);
    put(&r, "account_names", "odd", 3, "x", 1);
    memset(big, 'n', sizeof(big));
    put(&r, "accounts", "\0\0\0\1", 4, big, 200);
    count[0] = LEAD_RECORD_COUNT;
    (void) lead_record_put32(count + 1, s->acme);
    put(&r, "counters", count, 5, "x", 1);
    raw_close(s, &r);

    memset(&find, 0, sizeof(find));
    find.by = LEAD_BY_ID;
    find.id = r.id;
    assert_int_equal(lead_store_get(s->store, s->acme, &find, no_lead, NULL,
                                    &s->e), LEAD_CORRUPT);
    find.by = LEAD_BY_NUMBER;
    find.number = 1;
    assert_int_equal(lead_store_get(s->store, s->acme, &find, no_lead, NULL,
                                    &s->e), LEAD_CORRUPT);

    memset(&list, 0, sizeof(list));
    list.account = s->acme;
    list.slice = 10;
    list.sink = no_lead;
    assert_int_equal(lead_store_list(s->store, &list, &next, &s->e),
                     LEAD_CORRUPT);
    assert_int_equal(lead_store_events(s->store, s->acme, &r.id, no_event,
                                       NULL, &s->e), LEAD_CORRUPT);
    assert_int_equal(lead_store_outbox(s->store, 0, no_row, NULL, &s->e),
                     LEAD_CORRUPT);
    assert_int_equal(lead_store_key_remove(s->store, "ABCDEFGH", &s->e),
                     LEAD_CORRUPT);
    assert_int_equal(lead_store_account(s->store, BYTES("odd"), &number,
                                        &s->e), LEAD_CORRUPT);
    assert_int_equal(lead_store_account_name(s->store, 1, name, &s->e),
                     LEAD_CORRUPT);
    assert_int_equal(lead_store_count(s->store, s->acme, &n, &s->e),
                     LEAD_CORRUPT);

    ops[0] = op_new(s->other, "{}");
    ops[1] = op_new(s->acme, "{}");
    op_by_id(ops[1], &r.id);
    assert_int_equal(op_commit_many(s, ops, 2), LEAD_CORRUPT);
    op_free(ops[1]);

    ops[1] = op_new(s->acme, "{}");
    assert_int_equal(op_commit_many(s, ops, 2), LEAD_CORRUPT);
    assert_int_equal(op_commit_group(s, ops, 2), LEAD_CORRUPT);
    assert_int_equal(ops[0]->op.nleads, 0);
    op_idempotency(ops[1], "key");
    assert_int_equal(op_commit_many(s, ops, 2), LEAD_CORRUPT);
    op_free(ops[0]);
    op_free(ops[1]);

    assert_int_equal(store_leads(s), 2);

    raw_open(s, &r);
    zero = 0;
    put(&r, "counters", &zero, 1, "x", 1);
    cut_first(&r, "keys", 0);
    raw_close(s, &r);

    ops[0] = op_new(s->other, "{}");
    assert_int_equal(op_commit_many(s, ops, 1), LEAD_CORRUPT);
    op_free(ops[0]);
    assert_int_equal(lead_store_sweep(s->store, &s->e), LEAD_CORRUPT);
    assert_int_equal(lead_store_key_list(s->store, no_key, NULL, &s->e),
                     LEAD_CORRUPT);

    if (lead_store_key_find(s->store, BYTES("a key"), &got, &s->e)
        == LEAD_OK)
    {
        assert_int_equal(lead_store_key_find(s->store, BYTES("another key"),
                                             &got, &s->e), LEAD_CORRUPT);
    }
}


/* the same of webhooks */

static void
test_reads_outbox(void **state)
{
    int               unread;
    raw_t             r;
    store_t          *s;
    int64_t           next, until;
    uint64_t          n;
    lead_attempt_t    a;
    lead_replay_t     replay;
    lead_endpoint_t   info;

    s = *state;

    fill(s, &r);

    raw_open(s, &r);
    cut_first(&r, "deliveries", 0);
    cut_first(&r, "events", 0);
    raw_close(s, &r);

    memset(&a, 0, sizeof(a));
    assert_int_equal(lead_store_outbox(s->store, r.endpoint, first_row,
                                       &a.row, &s->e), LEAD_OK);
    store_now = a.row.due;

    assert_int_equal(lead_store_attempts(s->store, r.endpoint, LEAD_NEVER,
                                         no_attempt, NULL, &s->e),
                     LEAD_CORRUPT);

    /* what cannot be read stops nobody else: it is given up */

    unread = 0;
    assert_int_equal(lead_store_due(s->store, r.endpoint, NULL, 0, unread_due,
                                    &unread, &next, &s->e), LEAD_OK);
    assert_int_equal(unread, 1);

    memset(&replay, 0, sizeof(replay));
    replay.endpoint = r.endpoint;
    replay.until = LEAD_NEVER;
    replay.slice = 10;
    replay.delivered = 1;
    assert_int_equal(lead_store_replay(s->store, &replay, &n, &s->e),
                     LEAD_CORRUPT);
    assert_int_equal(replay.began, 0);

    a.time = store_now;
    a.retry = store_now;
    a.outcome = LEAD_RETRY;
    assert_int_equal(lead_store_settle(s->store, &a, 1, &s->e), LEAD_OK);
    assert_int_equal(lead_store_sweep(s->store, &s->e), LEAD_CORRUPT);

    raw_open(s, &r);
    counts_wrong(&r, NULL, 5);
    raw_close(s, &r);

    assert_int_equal(lead_store_endpoint_get(s->store, r.endpoint, &info,
                                             &s->e), LEAD_CORRUPT);
    assert_int_equal(lead_store_endpoints(s->store, 0, no_endpoint, NULL,
                                          &s->e), LEAD_CORRUPT);
    assert_int_equal(lead_store_endpoint_set(s->store, r.endpoint,
                                             LEAD_ENDPOINT_ENABLED, &s->e),
                     LEAD_CORRUPT);
    assert_int_equal(lead_store_lease(s->store, &r.endpoint, 1, 1, &until,
                                      &s->e), LEAD_CORRUPT);
    assert_int_equal(until, 0);
    assert_int_equal(lead_store_release(s->store, &r.endpoint, 1, &s->e),
                     LEAD_CORRUPT);
    assert_int_equal(lead_store_settle(s->store, &a, 1, &s->e), LEAD_CORRUPT);

    raw_open(s, &r);
    cut_first(&r, "outbox", 0);
    cut_first(&r, "endpoints", 0);
    raw_close(s, &r);

    assert_int_equal(lead_store_due(s->store, r.endpoint, NULL, 0, unread_due,
                                    &unread, &next, &s->e), LEAD_CORRUPT);
}


/* a record whose lead is gone stands for nothing */

static void
test_lead_gone(void **state)
{
    op_t     *op;
    raw_t     r;
    store_t  *s;

    s = *state;

    fill(s, &r);
    raw_open(s, &r);
    del_first(&r, "leads", 0);
    raw_close(s, &r);

    op = op_new(s->acme, "{}");
    op_idempotency(op, "key");
    op_by_match(op, 1, "ann@acme.test");
    op_commit(s, op);
    assert_int_equal(op->op.outcome, LEAD_INSERTED);
    assert_false(op->has_target);
    r.id = op->op.leads->id;
    op_free(op);

    /* and what took its place is found behind it */

    op = op_new(s->acme, "{}");
    op_idempotency(op, "key");
    op_commit(s, op);
    assert_int_equal(op->op.outcome, LEAD_REPLAYED);
    assert_id_equal(op->op.leads->id, r.id);
    op_free(op);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_damage),
        cmocka_unit_test_setup_teardown(test_reads, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_reads_outbox, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_lead_gone, store_setup,
                                        store_teardown)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
