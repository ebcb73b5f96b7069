
/*
 * Copyright (C) the ngx_lead authors
 *
 * The record format: what is written is read again, byte by byte as it is
 * documented, and no row that is cut or changed is read beyond its end.  Rows
 * are given in heap blocks of their exact size.
 */


#include "lead_record.h"
#include "store_util.h"


typedef int (*decode_pt)(lead_bytes_t row);


static lead_bytes_t
exact(const void *data, size_t len, void **block)
{
    lead_bytes_t  bytes;

    *block = malloc(len != 0 ? len : 1);
    assert_non_null(*block);

    if (len != 0) {
        memcpy(*block, data, len);
    }

    /* of a block of one byte for none, its end */

    bytes.data = (uint8_t *) *block + (len != 0 ? 0 : 1);
    bytes.len = len;

    return bytes;
}


static uint64_t  sum;


static void
touch(lead_bytes_t bytes)
{
    size_t  i;

    for (i = 0; i < bytes.len; i++) {
        sum += bytes.data[i];
    }
}


static int
decode_lead(lead_bytes_t row)
{
    lead_id_t      id;
    lead_record_t  r;
    lead_bytes_t   matches;

    memset(&id, 0, sizeof(id));

    if (lead_record_lead_decode(row, 1, &id, &r) != 0) {
        return -1;
    }

    matches.data = (const uint8_t *) r.matches;
    matches.len = r.nmatches * sizeof(lead_record_match_t);

    touch(matches);
    touch(r.lead.doc);

    return 0;
}


static int
decode_event(lead_bytes_t row)
{
    uint8_t              buf[LEAD_RECORD_EVENT_KEY];
    lead_bytes_t         key;
    lead_record_event_t  e;

    memset(buf, 0, sizeof(buf));
    key.data = buf;
    key.len = sizeof(buf);

    if (lead_record_event_decode(key, row, &e) != 0) {
        return -1;
    }

    touch(e.type);
    touch(e.actor);
    touch(e.data);
    touch(e.snapshot);

    if (e.snapshot.len != 0) {
        return decode_lead(e.snapshot);
    }

    return 0;
}


static int
decode_outbox(lead_bytes_t row)
{
    uint8_t            buf[LEAD_RECORD_OUTBOX_KEY];
    lead_bytes_t       key;
    lead_outbox_row_t  r;

    memset(buf, 0, sizeof(buf));
    key.data = buf;
    key.len = sizeof(buf);

    return lead_record_outbox_decode(key, row, &r);
}


static int
decode_attempt(lead_bytes_t row)
{
    uint8_t                buf[LEAD_RECORD_ATTEMPT_KEY];
    lead_bytes_t           key;
    lead_record_attempt_t  a;

    memset(buf, 0, sizeof(buf));
    key.data = buf;
    key.len = sizeof(buf);

    if (lead_record_attempt_decode(key, row, &a) != 0) {
        return -1;
    }

    touch(a.attempt.type);
    touch(a.attempt.error);
    touch(a.attempt.answer);

    return 0;
}


static int
decode_endpoint(lead_bytes_t row)
{
    lead_record_endpoint_t  state;

    return lead_record_endpoint_decode(row, &state);
}


static int
decode_key(lead_bytes_t row)
{
    lead_key_t  key;

    return lead_record_key_decode(row, &key);
}


static int
decode_state(lead_bytes_t row)
{
    lead_record_state_t  state;

    return lead_record_state_decode(row, &state);
}


static int
decode_marker(lead_bytes_t row)
{
    lead_record_marker_t  marker;

    return lead_record_marker_decode(row, &marker);
}


/* every length up to shortest is refused; every change of a byte is survived */

static void
hurt(decode_pt decode, const uint8_t *row, size_t len, size_t shortest)
{
    int            bit;
    void          *block;
    size_t         i;
    lead_bytes_t   bytes;

    for (i = 0; i <= len; i++) {
        bytes = exact(row, i, &block);

        if (i < shortest) {
            assert_int_equal(decode(bytes), -1);

        } else {
            assert_int_equal(decode(bytes), 0);
        }

        free(block);
    }

    bytes = exact(row, len, &block);

    for (i = 0; i < len; i++) {
        for (bit = 0; bit < 8; bit++) {
            ((uint8_t *) block)[i] ^= (uint8_t) (1 << bit);
            (void) decode(bytes);
            ((uint8_t *) block)[i] ^= (uint8_t) (1 << bit);
        }
    }

    free(block);
}


static void
test_lead(void **state)
{
    uint8_t               row[300];
    size_t                i, len;
    lead_bytes_t          bytes;
    lead_record_t         r, got;
    lead_record_match_t   matches[2];
    static const uint8_t  head[] = {
        1, 2, 0, 0,  0, 0, 0, 1,  0, 0, 0, 0, 0, 0, 1, 0,
        0, 6, 10, 24, 24, 111, 128, 0,  0, 0, 0, 0, 0, 0, 0, 2,
        255, 255, 255, 255, 255, 255, 255, 255,  7
    };

    assert_int_equal(sizeof(lead_record_match_t), 33);

    memset(&r, 0, sizeof(r));
    memset(matches, 0xaa, sizeof(matches));
    matches[0].kind = 7;
    matches[1].kind = 255;

    r.lead.number = 256;
    r.lead.created = 0x00060a18186f8000;
    r.lead.updated = 2;
    r.lead.activity = -1;
    r.lead.flags = LEAD_FLAG_ARCHIVED;
    r.lead.doc = BYTES("{\"a\":1}");
    r.nmatches = 2;
    r.matches = matches;

    len = lead_record_lead_size(2, 7);
    assert_int_equal(len, 40 + 66 + 7);

    lead_record_lead_encode(row, &r);
    assert_memory_equal(row, head, sizeof(head));
    assert_memory_equal(row + 106, "{\"a\":1}", 7);

    bytes.data = row;
    bytes.len = len;

    for (i = 0; i < 16; i++) {
        r.lead.id.b[i] = (uint8_t) i;
    }

    assert_int_equal(lead_record_lead_decode(bytes, 5, &r.lead.id, &got), 0);
    assert_int_equal(got.lead.account, 5);
    assert_id_equal(got.lead.id, r.lead.id);
    assert_int_equal(got.lead.number, 256);
    assert_int_equal(got.lead.created, r.lead.created);
    assert_int_equal(got.lead.updated, 2);
    assert_int_equal(got.lead.activity, -1);
    assert_int_equal(got.lead.flags, LEAD_FLAG_ARCHIVED);
    assert_doc(got.lead, "{\"a\":1}");
    assert_int_equal(got.nmatches, 2);
    assert_memory_equal(got.matches, matches, 66);

    hurt(decode_lead, row, len, 106);
}


static void
test_event(void **state)
{
    int                    i;
    uint8_t                row[500], sha[32], *p, key[LEAD_RECORD_EVENT_KEY];
    size_t                 len;
    lead_bytes_t           bytes, name;
    lead_record_t          r;
    lead_record_event_t    e, got;

    memset(sha, 0x5a, sizeof(sha));
    memset(&r, 0, sizeof(r));
    r.lead.doc = BYTES("{}");

    for (i = 0; i < 4; i++) {
        memset(&e, 0, sizeof(e));
        e.account = 9;
        e.lead.b[0] = 1;
        e.id = 0x0102030405060708;
        e.time = 77;
        e.type = BYTES("lead.created");
        e.actor = BYTES("abc");
        e.data = BYTES("[true]");
        e.sha = i & 1 ? sha : NULL;
        e.snapshot.len = i & 2 ? lead_record_lead_size(0, 2) : 0;

        len = lead_record_event_size(&e);
        assert_int_equal(len, 16 + 12 + 3 + 6 + (i & 1 ? 32 : 0)
                              + (i & 2 ? 42 : 0));

        p = lead_record_event_encode(row, &e);

        if (i & 2) {
            lead_record_lead_encode(p, &r);
        }

        assert_int_equal(p - row, len - e.snapshot.len);

        lead_record_event_key(key, e.account, &e.lead, e.id);
        name.data = key;
        name.len = sizeof(key);
        bytes.data = row;
        bytes.len = len;

        assert_int_equal(lead_record_event_decode(name, bytes, &got), 0);
        assert_int_equal(got.account, 9);
        assert_id_equal(got.lead, e.lead);
        assert_int_equal(got.id, e.id);
        assert_int_equal(got.time, 77);
        assert_int_equal(got.type.len, 12);
        assert_memory_equal(got.type.data, "lead.created", 12);
        assert_int_equal(got.actor.len, 3);
        assert_memory_equal(got.actor.data, "abc", 3);
        assert_int_equal(got.data.len, 6);
        assert_memory_equal(got.data.data, "[true]", 6);
        assert_int_equal(got.snapshot.len, e.snapshot.len);
        assert_int_equal(got.sha != NULL, i & 1);

        if (i & 1) {
            assert_memory_equal(got.sha, sha, 32);
        }

        /* of a snapshot the document may be any length */

        hurt(decode_event, row, len, i & 2 ? len - 2 : len);

        /* without its snapshot it is one like others */

        {
            uint8_t  bare[500];

            bytes.len = lead_record_event_bare(bare, bytes, &got);
            bytes.data = bare;
            assert_int_equal(bytes.len, len - e.snapshot.len);
            assert_int_equal(lead_record_event_decode(name, bytes, &got), 0);
            assert_int_equal(got.snapshot.len, 0);
            assert_int_equal(got.sha != NULL, i & 1);
            assert_memory_equal(got.data.data, "[true]", 6);
            bytes.data = row;
        }

        /* a snapshot where none is said to be */

        if (!(i & 2)) {
            bytes.len = len + 1;
            assert_int_equal(lead_record_event_decode(name, bytes, &got), -1);
        }

        name.len--;
        bytes.len = len;
        assert_int_equal(lead_record_event_decode(name, bytes, &got), -1);
    }
}


static void
test_others(void **state)
{
    uint8_t                row[LEAD_RECORD_KEY_MAX + 1],
                           name[LEAD_RECORD_OUTBOX_KEY];
    size_t                 len;
    lead_key_t             key, got;
    lead_bytes_t           k, bytes;
    lead_outbox_row_t      out, back;
    lead_record_state_t    st, st_back;
    lead_record_marker_t   m, m_back;

    memset(&out, 0, sizeof(out));
    out.endpoint = 3;
    out.due = STORE_START;
    out.event = 1ULL << 40;
    out.account = 8;
    out.lead.b[15] = 9;
    out.attempts = 5;

    lead_record_outbox_key(name, out.endpoint, out.due, out.event);
    lead_record_outbox_encode(row, &out);
    k.data = name;
    k.len = sizeof(name);
    bytes.data = row;
    bytes.len = LEAD_RECORD_OUTBOX_LEN;
    memset(&back, 0, sizeof(back));
    assert_int_equal(lead_record_outbox_decode(k, bytes, &back), 0);
    assert_int_equal(back.endpoint, 3);
    assert_int_equal(back.due, STORE_START);
    assert_int_equal(back.event, 1ULL << 40);
    assert_int_equal(back.account, 8);
    assert_id_equal(back.lead, out.lead);
    assert_int_equal(back.attempts, 5);
    hurt(decode_outbox, row, LEAD_RECORD_OUTBOX_LEN, LEAD_RECORD_OUTBOX_LEN);

    memset(&key, 0, sizeof(key));
    (void) strcpy(key.id, "ABCDabcd");
    key.account = 4;
    key.scopes = 7;
    key.created = 1;
    key.expires = 2;
    key.disabled = 1;
    memset(key.api, 'a', sizeof(key.api) - 1);
    memset(key.source, 's', sizeof(key.source) - 1);
    memset(key.name, 'n', sizeof(key.name) - 1);
    (void) strcpy(key.last4, "wxyz");

    len = lead_record_key_encode(row, &key);
    assert_true(len <= LEAD_RECORD_KEY_MAX);
    bytes.len = len;
    assert_int_equal(lead_record_key_decode(bytes, &got), 0);
    assert_string_equal(got.id, key.id);
    assert_int_equal(got.account, 4);
    assert_int_equal(got.scopes, 7);
    assert_int_equal(got.created, 1);
    assert_int_equal(got.expires, 2);
    assert_int_equal(got.disabled, 1);
    assert_string_equal(got.api, key.api);
    assert_string_equal(got.source, key.source);
    assert_string_equal(got.name, key.name);
    assert_string_equal(got.last4, key.last4);
    hurt(decode_key, row, len, len);
    bytes.len = len + 1;
    assert_int_equal(lead_record_key_decode(bytes, &got), -1);

    /* a text with a zero inside is none that was ever written */

    bytes.len = len;
    row[LEAD_RECORD_KEY_HEAD + 1] = '\0';
    assert_int_equal(lead_record_key_decode(bytes, &got), -1);

    memset(&st, 0, sizeof(st));
    st.number = 1;
    st.event = 2;
    st.last = 3;
    st.since = 4;
    st.newest = 2;
    lead_record_state_encode(row, &st);
    bytes.len = LEAD_RECORD_STATE_LEN;
    memset(&st_back, 0xff, sizeof(st_back));
    assert_int_equal(lead_record_state_decode(bytes, &st_back), 0);
    assert_int_equal(st_back.number, 1);
    assert_int_equal(st_back.event, 2);
    assert_int_equal(st_back.last, 3);
    assert_int_equal(st_back.since, 4);
    assert_int_equal(st_back.newest, 2);
    hurt(decode_state, row, LEAD_RECORD_STATE_LEN, LEAD_RECORD_STATE_LEN);
    row[1] = LEAD_RECORD_GENERATIONS;
    assert_int_equal(lead_record_state_decode(bytes, &st_back), -1);

    memset(&m, 0x33, sizeof(m));
    m.version = 1;
    lead_record_marker_encode(row, &m);
    bytes.len = LEAD_RECORD_MARKER_LEN;
    assert_int_equal(lead_record_marker_decode(bytes, &m_back), 0);
    assert_int_equal(m_back.version, 1);
    assert_memory_equal(m_back.store, m.store, 16);
    hurt(decode_marker, row, LEAD_RECORD_MARKER_LEN, LEAD_RECORD_MARKER_LEN);
}


static void
test_endpoint(void **state)
{
    uint8_t                 row[LEAD_RECORD_ENDPOINT_LEN], key[5];
    lead_bytes_t            bytes;
    lead_record_endpoint_t  st, back;
    static const uint8_t    expected[] = {
        1, 2, 0, 0,  0, 0, 0, 0, 0, 0, 0, 1,  0, 0, 0, 0, 0, 0, 0, 2,
        0, 0, 0, 0, 0, 0, 0, 3,  0, 0, 0, 0, 0, 0, 0, 4,
        0, 0, 0, 0, 0, 0, 0, 5,  0, 0, 0, 0, 0, 0, 0, 6,
        0, 0, 0, 0, 0, 0, 0, 7,  0, 0, 0, 8,
        9, 9, 9, 9, 9, 9, 9, 9,  0, 0, 0, 0, 0, 0, 0, 10
    };

    memset(&st, 0, sizeof(st));
    st.state = LEAD_ENDPOINT_GONE;
    st.changed = 1;
    st.succeeded = 2;
    st.failing = 3;
    st.pending = 4;
    st.failed = 5;
    st.delivered = 6;
    st.replayed = 7;
    st.process = 8;
    memset(st.random, 9, sizeof(st.random));
    st.until = 10;

    assert_int_equal(sizeof(expected), LEAD_RECORD_ENDPOINT_LEN);
    lead_record_endpoint_encode(row, &st);
    assert_memory_equal(row, expected, sizeof(expected));

    bytes.data = row;
    bytes.len = sizeof(row);
    memset(&back, 0, sizeof(back));
    assert_int_equal(lead_record_endpoint_decode(bytes, &back), 0);
    assert_int_equal(back.state, LEAD_ENDPOINT_GONE);
    assert_int_equal(back.changed, 1);
    assert_int_equal(back.succeeded, 2);
    assert_int_equal(back.failing, 3);
    assert_int_equal(back.pending, 4);
    assert_int_equal(back.failed, 5);
    assert_int_equal(back.delivered, 6);
    assert_int_equal(back.replayed, 7);
    assert_int_equal(back.process, 8);
    assert_memory_equal(back.random, st.random, 8);
    assert_int_equal(back.until, 10);

    hurt(decode_endpoint, row, sizeof(row), sizeof(row));
    row[1] = LEAD_ENDPOINT_FAILING + 1;
    assert_int_equal(lead_record_endpoint_decode(bytes, &back), -1);

    lead_record_endpoint_key(key, 0x01020304);
    assert_memory_equal(key, "\3\1\2\3\4", 5);
}


static void
test_attempt(void **state)
{
    char                    big[400];
    size_t                  len;
    uint8_t                 row[LEAD_RECORD_ATTEMPT_MAX + 1],
                            name[LEAD_RECORD_ATTEMPT_KEY];
    lead_bytes_t            key, bytes;
    lead_record_attempt_t   a, back;
    static const uint8_t    head[] = {
        1, 1, 2, 3, 4, 2, 0, 3,  0, 0, 0, 8,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9,
        0, 0, 0, 5,  0, 0, 1, 244,  0, 0, 0, 70,
        0, 0, 0, 0, 0, 0, 0, 11,  0, 0, 0, 0, 0, 0, 0, 12,
        0, 0, 0, 0, 0, 0, 0, 13,  't', 'y', 'p', 'e', 'e', 'r',
        'a', 'n', 's'
    };

    memset(&a, 0, sizeof(a));
    a.attempt.row.endpoint = 3;
    a.attempt.row.due = 11;
    a.attempt.row.event = 1ULL << 40;
    a.attempt.row.account = 8;
    a.attempt.row.lead.b[15] = 9;
    a.attempt.row.attempts = 5;
    a.attempt.type = BYTES("type");
    a.attempt.time = STORE_START;
    a.attempt.msec = 70;
    a.attempt.status = 500;
    a.attempt.error = BYTES("er");
    a.attempt.answer = BYTES("ans");
    a.attempt.outcome = LEAD_GIVE_UP;
    a.attempt.retry = 12;
    a.attempt.state = LEAD_ENDPOINT_FAILING;
    a.event_time = 13;
    a.place = 1;

    lead_record_attempt_key(name, 3, STORE_START, 1ULL << 40);
    len = lead_record_attempt_encode(row, &a);
    assert_int_equal(len, sizeof(head));
    assert_memory_equal(row, head, sizeof(head));

    key.data = name;
    key.len = sizeof(name);
    bytes.data = row;
    bytes.len = len;
    assert_int_equal(lead_record_attempt_decode(key, bytes, &back), 0);
    assert_int_equal(back.attempt.row.endpoint, 3);
    assert_int_equal(back.attempt.row.due, 11);
    assert_int_equal(back.attempt.row.event, 1ULL << 40);
    assert_int_equal(back.attempt.row.account, 8);
    assert_id_equal(back.attempt.row.lead, a.attempt.row.lead);
    assert_int_equal(back.attempt.row.attempts, 5);
    assert_int_equal(back.attempt.time, STORE_START);
    assert_int_equal(back.attempt.msec, 70);
    assert_int_equal(back.attempt.status, 500);
    assert_int_equal(back.attempt.outcome, LEAD_GIVE_UP);
    assert_int_equal(back.attempt.retry, 12);
    assert_int_equal(back.attempt.state, LEAD_ENDPOINT_FAILING);
    assert_int_equal(back.attempt.type.len, 4);
    assert_int_equal(back.attempt.error.len, 2);
    assert_int_equal(back.attempt.answer.len, 3);
    assert_memory_equal(back.attempt.answer.data, "ans", 3);
    assert_int_equal(back.event_time, 13);
    assert_int_equal(back.place, 1);

    hurt(decode_attempt, row, len, len);
    bytes.len = len + 1;
    assert_int_equal(lead_record_attempt_decode(key, bytes, &back), -1);
    bytes.len = len;
    key.len--;
    assert_int_equal(lead_record_attempt_decode(key, bytes, &back), -1);
    key.len++;

    /* the longest */

    memset(big, 'b', sizeof(big));
    a.attempt.type.data = (const uint8_t *) big;
    a.attempt.type.len = LEAD_EVENT_TYPE_MAX;
    a.attempt.error.data = (const uint8_t *) big;
    a.attempt.error.len = sizeof(big);
    a.attempt.answer.data = (const uint8_t *) big;
    a.attempt.answer.len = sizeof(big);
    len = lead_record_attempt_encode(row, &a);
    assert_int_equal(len, LEAD_RECORD_ATTEMPT_MAX);
    hurt(decode_attempt, row, len, len);
}


/* keys sort as what they say */

static void
test_order(void **state)
{
    int                    i;
    int64_t                us;
    uint8_t                random[8], a[20], b[20];
    lead_id_t              id, last;
    const uint64_t         values[] = {
        0, 1, 255, 256, 65535, 1ULL << 31, 1ULL << 32, 1ULL << 63, UINT64_MAX
    };

    for (i = 1; i < 9; i++) {
        (void) lead_record_put64(a, values[i - 1]);
        (void) lead_record_put64(b, values[i]);
        assert_true(memcmp(a, b, 8) < 0);
        assert_int_equal(lead_record_get64(b), values[i]);
    }

    memset(&last, 0, sizeof(last));

    for (us = STORE_START; us < STORE_START + 3000; us++) {
        memset(random, us % 2 ? 0x00 : 0xff, sizeof(random));
        lead_record_id(&id, us, random);
        assert_true(memcmp(id.b, last.b, 16) > 0);
        last = id;
    }

    /* 1700000000000 ms, and 999 of 1000 us are 4091 of 4096 */

    lead_record_id(&id, STORE_START + 999, random);
    assert_memory_equal(id.b, "\x01\x8b\xcf\xe5\x68\x00\x7f\xfb", 8);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_lead),
        cmocka_unit_test(test_event),
        cmocka_unit_test(test_others),
        cmocka_unit_test(test_endpoint),
        cmocka_unit_test(test_attempt),
        cmocka_unit_test(test_order)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
