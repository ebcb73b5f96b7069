
/*
 * Copyright (C) the ngx_lead authors
 *
 * Reads: lists in slices and both directions, histories, the outbox, accounts
 * and endpoints; texts of ids and results.
 */


#include "store_util.h"


typedef struct {
    size_t      n;
    size_t      enough;
    lead_id_t   ids[64];
} listed_t;


static int
list_sink(void *ctx, const lead_t *lead)
{
    listed_t  *l;

    l = ctx;

    assert_true(l->n < 64);
    l->ids[l->n++] = lead->id;

    return l->n == l->enough;
}


static void
test_list(void **state)
{
    int           i, oldest;
    size_t        n, slice;
    store_t      *s;
    lead_id_t     ids[25], next;
    lead_rc_t     rc;
    listed_t      l;
    lead_list_t   list;

    s = *state;

    memset(&list, 0, sizeof(list));
    list.account = s->acme;
    list.slice = 10;
    list.sink = list_sink;
    list.ctx = &l;

    /* nothing at all, and nothing of this account among others' */

    for (i = 0; i < 2; i++) {
        for (oldest = 0; oldest < 2; oldest++) {
            memset(&l, 0, sizeof(l));
            list.oldest = oldest & 1;
            assert_int_equal(lead_store_list(s->store, &list, &next, &s->e),
                             LEAD_OK);
            assert_int_equal(l.n, 0);
        }

        (void) store_insert(s, s->other, "{}", 0, NULL, NULL);
    }

    for (i = 0; i < 25; i++) {
        store_now += 1000;
        ids[i] = store_insert(s, s->acme, "{}", 0, NULL, NULL);
        (void) store_insert(s, s->other, "{}", 0, NULL, NULL);
    }

    for (oldest = 0; oldest < 2; oldest++) {
        for (slice = 1; slice < 28; slice++) {
            memset(&l, 0, sizeof(l));
            list.oldest = oldest & 1;
            list.slice = slice;
            list.has_from = 0;
            n = 0;

            for ( ;; ) {
                rc = lead_store_list(s->store, &list, &next, &s->e);

                if (rc != LEAD_AGAIN) {
                    break;
                }

                n += slice;
                assert_int_equal(l.n, n);
                assert_id_equal(next, l.ids[n - 1]);

                list.from = next;
                list.has_from = 1;
            }

            assert_int_equal(rc, LEAD_OK);
            assert_int_equal(l.n, 25);

            for (i = 0; i < 25; i++) {
                assert_id_equal(l.ids[i], ids[oldest ? i : 24 - i]);
            }
        }
    }

    /* the sink has enough; an id that is no lead's is as good to go on from */

    memset(&l, 0, sizeof(l));
    l.enough = 2;
    list.oldest = 0;
    list.has_from = 1;
    list.from = ids[10];
    list.from.b[15] ^= 1;
    assert_int_equal(lead_store_list(s->store, &list, &next, &s->e), LEAD_OK);
    assert_int_equal(l.n, 2);
    assert_id_equal(next, l.ids[1]);
    assert_id_equal(l.ids[1], ids[memcmp(list.from.b, ids[10].b, 16) > 0
                                  ? 9 : 8]);

    list.slice = 0;
    assert_int_equal(lead_store_list(s->store, &list, &next, &s->e),
                     LEAD_INVALID);
}


typedef struct {
    int               n;
    int               enough;
    uint64_t          ids[16];
    int64_t           times[16];
    char              text[16][200];
} events_t;


static int
event_sink(void *ctx, const lead_event_row_t *e)
{
    int        n;
    events_t  *events;

    events = ctx;
    n = events->n++;

    assert_true(n < 16);

    events->ids[n] = e->id;
    events->times[n] = e->time;

    (void) snprintf(events->text[n], sizeof(events->text[n]),
                    "%.*s by %.*s: %.*s; %.*s",
                    (int) e->type.len, (const char *) e->type.data,
                    (int) e->actor.len, (const char *) e->actor.data,
                    (int) e->data.len, (const char *) e->data.data,
                    e->lead != NULL ? (int) e->lead->doc.len : 4,
                    e->lead != NULL ? (const char *) e->lead->doc.data
                    : "none");

    return events->n == events->enough;
}


typedef struct {
    int                n;
    int                enough;
    lead_outbox_row_t  rows[16];
} outbox_t;


static int
outbox_sink(void *ctx, const lead_outbox_row_t *row)
{
    outbox_t  *o;

    o = ctx;

    assert_true(o->n < 16);
    o->rows[o->n++] = *row;

    return o->n == o->enough;
}


static void
test_events(void **state)
{
    op_t         *op;
    store_t      *s;
    lead_id_t     id, before;
    events_t      events;
    outbox_t      outbox;
    uint32_t      endpoint[2], one;
    lead_stat_t   stat;

    s = *state;

    assert_int_equal(lead_store_endpoint(s->store, s->acme, BYTES("crm"),
                                         &endpoint[0], &s->e), LEAD_OK);
    assert_int_equal(lead_store_endpoint(s->store, s->acme, BYTES("bi"),
                                         &endpoint[1], &s->e), LEAD_OK);
    one = endpoint[1];

    before = store_insert(s, s->acme, "{}", 0, NULL, NULL);
    id = store_insert(s, s->acme, "1", 0, NULL, "key");
    (void) store_insert(s, s->acme, "{}", 0, NULL, NULL);

    store_now += 5;

    op = op_new(s->acme, "2");
    op_by_id(op, &id);
    op->events[0].type = BYTES("lead.updated");
    op->events[0].data = BYTES("[1]");
    op->events[0].endpoints = endpoint;
    op->events[0].nendpoints = 2;
    op->events[1].type = BYTES("lead.stage");
    op->events[1].endpoints = &one;
    op->events[1].nendpoints = 1;
    op->events[2].type = BYTES("lead.seen");
    op->found.nevents = 3;
    op_commit(s, op);
    op_free(op);

    /* a later write does not show in what went out before */

    store_now += 5;

    op = op_new(s->acme, "3");
    op_by_id(op, &id);
    op->op.actor.len = 0;
    op_commit(s, op);
    op_free(op);

    memset(&events, 0, sizeof(events));
    assert_int_equal(lead_store_events(s->store, s->acme, &id, event_sink,
                                       &events, &s->e), LEAD_OK);
    assert_int_equal(events.n, 5);
    assert_string_equal(events.text[0], "lead.created by : ; none");
    assert_string_equal(events.text[1], "lead.seen by tester: ; none");
    assert_string_equal(events.text[2], "lead.stage by tester: ; 2");
    assert_string_equal(events.text[3], "lead.updated by tester: [1]; 2");
    assert_string_equal(events.text[4], "lead.created by tester: ; none");
    assert_int_equal(events.times[0], store_now);
    assert_int_equal(events.times[4], STORE_START);
    assert_true(events.ids[0] > events.ids[1]);
    assert_true(events.ids[3] > events.ids[4]);

    memset(&events, 0, sizeof(events));
    events.enough = 2;
    assert_int_equal(lead_store_events(s->store, s->acme, &id, event_sink,
                                       &events, &s->e), LEAD_OK);
    assert_int_equal(events.n, 2);

    memset(&events, 0, sizeof(events));
    assert_int_equal(lead_store_events(s->store, s->other, &id, event_sink,
                                       &events, &s->e), LEAD_OK);
    assert_int_equal(events.n, 0);
    assert_int_equal(lead_store_events(s->store, s->acme, &before, event_sink,
                                       &events, &s->e), LEAD_OK);
    assert_int_equal(events.n, 1);

    /* the outbox: of all, of one, of none */

    memset(&outbox, 0, sizeof(outbox));
    assert_int_equal(lead_store_outbox(s->store, 0, outbox_sink, &outbox,
                                       &s->e), LEAD_OK);
    assert_int_equal(outbox.n, 3);

    memset(&outbox, 0, sizeof(outbox));
    assert_int_equal(lead_store_outbox(s->store, endpoint[1], outbox_sink,
                                       &outbox, &s->e), LEAD_OK);
    assert_int_equal(outbox.n, 2);
    assert_int_equal(outbox.rows[0].endpoint, endpoint[1]);
    assert_int_equal(outbox.rows[0].due, STORE_START + 5);
    assert_int_equal(outbox.rows[0].account, s->acme);
    assert_int_equal(outbox.rows[0].attempts, 0);
    assert_id_equal(outbox.rows[0].lead, id);
    assert_true(outbox.rows[0].event < outbox.rows[1].event);

    memset(&outbox, 0, sizeof(outbox));
    outbox.enough = 1;
    assert_int_equal(lead_store_outbox(s->store, endpoint[1], outbox_sink,
                                       &outbox, &s->e), LEAD_OK);
    assert_int_equal(outbox.n, 1);
    assert_int_equal(lead_store_outbox(s->store, 99, outbox_sink, &outbox,
                                       &s->e), LEAD_OK);
    assert_int_equal(outbox.n, 1);

    assert_int_equal(lead_store_stat(s->store, &stat, &s->e), LEAD_OK);
    assert_int_equal(stat.leads, 3);
    assert_int_equal(stat.events, 7);
    assert_int_equal(stat.outbox, 3);
    assert_int_equal(stat.idempotency, 1);
    assert_int_equal(stat.endpoints, 2);
    assert_int_equal(stat.accounts, 2);
    assert_int_equal(stat.last_number, 3);
    assert_int_equal(stat.version, 1);
    assert_int_equal(stat.size, STORE_SIZE);
    assert_true(stat.used > 0 && stat.used < stat.size);
    assert_true(stat.free < stat.used);
    assert_int_equal(stat.readers_max, 1024);
    assert_int_equal(stat.readers, 1);

    assert_int_equal(store_findings(s), 0);
}


static void
test_names(void **state)
{
    char         name[LEAD_NAME_MAX + 2], back[LEAD_NAME_MAX + 1];
    store_t     *s;
    uint32_t     a, b;

    s = *state;

    assert_true(s->acme != s->other);
    assert_true(s->acme != 0);

    store_reopen(s);

    assert_int_equal(lead_store_account(s->store, BYTES("acme"), &a, &s->e),
                     LEAD_OK);
    assert_int_equal(a, s->acme);
    assert_int_equal(lead_store_account_find(s->store, BYTES("other"), &a,
                                             &s->e), LEAD_OK);
    assert_int_equal(a, s->other);
    assert_int_equal(lead_store_account_find(s->store, BYTES("acm"), &a,
                                             &s->e), LEAD_NOTFOUND);
    assert_int_equal(lead_store_account_name(s->store, s->acme, back, &s->e),
                     LEAD_OK);
    assert_string_equal(back, "acme");
    assert_int_equal(lead_store_account_name(s->store, 99, back, &s->e),
                     LEAD_NOTFOUND);

    memset(name, 'n', sizeof(name));
    name[LEAD_NAME_MAX] = '\0';

    assert_int_equal(lead_store_account(s->store, BYTES(name), &a, &s->e),
                     LEAD_OK);
    assert_int_equal(lead_store_account_name(s->store, a, back, &s->e),
                     LEAD_OK);
    assert_string_equal(back, name);
    assert_int_equal(lead_store_endpoint(s->store, a, BYTES(name), &b,
                                         &s->e), LEAD_OK);

    name[LEAD_NAME_MAX] = 'n';
    name[LEAD_NAME_MAX + 1] = '\0';

    assert_int_equal(lead_store_account(s->store, BYTES(name), &a, &s->e),
                     LEAD_INVALID);
    assert_int_equal(lead_store_account(s->store, BYTES(""), &a, &s->e),
                     LEAD_INVALID);
    assert_int_equal(lead_store_account_find(s->store, BYTES(""), &a, &s->e),
                     LEAD_INVALID);
    assert_int_equal(lead_store_endpoint(s->store, s->acme, BYTES(""), &a,
                                         &s->e), LEAD_INVALID);

    /* an endpoint is its account's and name's */

    assert_int_equal(lead_store_endpoint(s->store, s->acme, BYTES("crm"), &a,
                                         &s->e), LEAD_OK);
    assert_int_equal(lead_store_endpoint(s->store, s->acme, BYTES("crm"), &b,
                                         &s->e), LEAD_OK);
    assert_int_equal(a, b);
    assert_int_equal(lead_store_endpoint(s->store, s->other, BYTES("crm"), &b,
                                         &s->e), LEAD_OK);
    assert_true(a != b);
    assert_int_equal(lead_store_endpoint(s->store, 99, BYTES("crm"), &b,
                                         &s->e), LEAD_INVALID);
    assert_int_equal(store_findings(s), 0);
}


static void
test_texts(void **state)
{
    int          i;
    char         text[LEAD_ID_TEXT_LEN + 1], bad[LEAD_ID_TEXT_LEN + 1];
    lead_id_t    id, back;

    for (i = 0; i < 16; i++) {
        id.b[i] = (uint8_t) (i * 17);
    }

    lead_store_id_text(&id, text);
    assert_string_equal(text, "00112233-4455-6677-8899-aabbccddeeff");
    assert_int_equal(lead_store_id_parse(BYTES(text), &back), 0);
    assert_id_equal(id, back);
    assert_int_equal(
        lead_store_id_parse(BYTES("00112233-4455-6677-8899-AABBCCDDEEFF"),
                            &back), 0);
    assert_id_equal(id, back);

    for (i = 0; i < LEAD_ID_TEXT_LEN; i++) {
        memcpy(bad, text, sizeof(bad));
        bad[i] = 'g';
        assert_int_equal(lead_store_id_parse(BYTES(bad), &back), -1);
        bad[i] = bad[i] == '-' ? '0' : '-';
        assert_int_equal(lead_store_id_parse(BYTES(bad), &back),
                         text[i] == '-' ? 0 : -1);
        bad[i] = '\0';
        assert_int_equal(lead_store_id_parse(BYTES(bad), &back), -1);
    }

    assert_string_equal(lead_store_rc_text(LEAD_OK), "ok");
    assert_string_equal(lead_store_rc_text(LEAD_FULL), "full");
    assert_string_equal(lead_store_rc_text(LEAD_NOMEM), "no memory");
    assert_string_equal(lead_store_rc_text((lead_rc_t) (LEAD_NOMEM + 1)),
                        "unknown");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_list, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_events, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_names, store_setup,
                                        store_teardown),
        cmocka_unit_test(test_texts)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
