
/*
 * Copyright (C) the ngx_lead authors
 *
 * API keys: made, imported, found, disabled, removed, listed; and that a
 * mistyped one is told from an unknown one.
 */


#include <unistd.h>
#include <sys/random.h>

#include "store_util.h"


/* stands in for OpenSSL's where the store calls it */

static int  no_randomness;


int RAND_bytes(unsigned char *buf, int num);


int
RAND_bytes(unsigned char *buf, int num)
{
    return !no_randomness && getrandom(buf, (size_t) num, 0) == num;
}


static lead_key_t
key_of(uint32_t account)
{
    lead_key_t  key;

    memset(&key, 0, sizeof(key));

    key.account = account;
    key.scopes = LEAD_SCOPE_READ|LEAD_SCOPE_WRITE;
    key.expires = STORE_START + STORE_HOUR;
    (void) strcpy(key.api, "lawfficient");
    (void) strcpy(key.source, "zapier");
    (void) strcpy(key.name, "Ann's");

    return key;
}


static void
test_key(void **state)
{
    char         text[LEAD_KEY_TEXT_LEN + 1];
    store_t     *s;
    lead_key_t   key, got;

    s = *state;

    key = key_of(s->acme);

    assert_int_equal(lead_store_key_make(&key, text), LEAD_OK);
    assert_int_equal(strlen(text), LEAD_KEY_TEXT_LEN);
    assert_memory_equal(text, "lead_", 5);
    assert_memory_equal(text + 5, key.id, LEAD_KEY_ID_LEN);
    assert_int_equal(text[13], '_');
    assert_string_equal(key.last4, text + LEAD_KEY_TEXT_LEN - 4);

    assert_int_equal(lead_store_key_find(s->store, BYTES(text), &got, &s->e),
                     LEAD_NOTFOUND);
    assert_int_equal(lead_store_key_add(s->store, &key, BYTES(text), &s->e),
                     LEAD_OK);
    assert_int_equal(key.created, store_now);
    assert_int_equal(lead_store_key_find(s->store, BYTES(text), &got, &s->e),
                     LEAD_OK);

    assert_string_equal(got.id, key.id);
    assert_int_equal(got.account, s->acme);
    assert_int_equal(got.scopes, LEAD_SCOPE_READ|LEAD_SCOPE_WRITE);
    assert_int_equal(got.created, store_now);
    assert_int_equal(got.expires, STORE_START + STORE_HOUR);
    assert_false(got.disabled);
    assert_string_equal(got.api, "lawfficient");
    assert_string_equal(got.source, "zapier");
    assert_string_equal(got.name, "Ann's");
    assert_string_equal(got.last4, key.last4);

    assert_int_equal(lead_store_key_disable(s->store, key.id, 1, &s->e),
                     LEAD_OK);
    assert_int_equal(lead_store_key_find(s->store, BYTES(text), &got, &s->e),
                     LEAD_OK);
    assert_true(got.disabled);
    assert_string_equal(got.name, "Ann's");
    assert_int_equal(lead_store_key_disable(s->store, key.id, 0, &s->e),
                     LEAD_OK);
    assert_int_equal(lead_store_key_find(s->store, BYTES(text), &got, &s->e),
                     LEAD_OK);
    assert_false(got.disabled);
    assert_int_equal(store_findings(s), 0);

    assert_int_equal(lead_store_key_remove(s->store, key.id, &s->e), LEAD_OK);
    assert_int_equal(lead_store_key_find(s->store, BYTES(text), &got, &s->e),
                     LEAD_NOTFOUND);
    assert_int_equal(lead_store_key_remove(s->store, key.id, &s->e),
                     LEAD_NOTFOUND);
    assert_int_equal(lead_store_key_disable(s->store, key.id, 1, &s->e),
                     LEAD_NOTFOUND);
    assert_int_equal(store_findings(s), 0);

    /* and it may come again */

    assert_int_equal(lead_store_key_add(s->store, &key, BYTES(text), &s->e),
                     LEAD_OK);
}


static void
test_exists(void **state)
{
    char         text[LEAD_KEY_TEXT_LEN + 1];
    store_t     *s;
    lead_key_t   key, again;

    s = *state;

    key = key_of(s->acme);
    assert_int_equal(lead_store_key_make(&key, text), LEAD_OK);
    assert_int_equal(lead_store_key_add(s->store, &key, BYTES(text), &s->e),
                     LEAD_OK);

    /* the text is there */

    again = key_of(s->acme);
    assert_int_equal(lead_store_key_add(s->store, &again, BYTES(text), &s->e),
                     LEAD_EXISTS);
    assert_string_equal(again.id, "");
    assert_int_equal(again.created, 0);

    /* the id is there */

    assert_int_equal(lead_store_key_add(s->store, &key, BYTES("another"),
                                        &s->e), LEAD_EXISTS);
    assert_int_equal(store_findings(s), 0);
}


static void
test_import(void **state)
{
    char          text[LEAD_KEY_TEXT_MAX + 2];
    store_t      *s;
    lead_key_t    key, got;

    s = *state;

    key = key_of(s->acme);
    assert_int_equal(lead_store_key_add(s->store, &key,
                                        BYTES("a vendor's key, 1234"),
                                        &s->e), LEAD_OK);
    assert_int_equal(strlen(key.id), LEAD_KEY_ID_LEN);
    assert_string_equal(key.last4, "1234");
    assert_int_equal(lead_store_key_find(s->store,
                                         BYTES("a vendor's key, 1234"),
                                         &got, &s->e), LEAD_OK);
    assert_string_equal(got.id, key.id);
    assert_string_equal(got.last4, "1234");

    /* a short one tells nothing */

    key = key_of(s->acme);
    assert_int_equal(lead_store_key_add(s->store, &key, BYTES("short"),
                                        &s->e), LEAD_OK);
    assert_string_equal(key.last4, "");

    key = key_of(s->acme);
    assert_int_equal(lead_store_key_add(s->store, &key,
                                        BYTES("0123456789abcdef\t"),
                                        &s->e), LEAD_OK);
    assert_string_equal(key.last4, "");

    memset(text, 't', sizeof(text));
    text[LEAD_KEY_TEXT_MAX + 1] = '\0';

    key = key_of(s->acme);
    assert_int_equal(lead_store_key_add(s->store, &key, BYTES(text), &s->e),
                     LEAD_INVALID);
    assert_int_equal(lead_store_key_find(s->store, BYTES(text), &got, &s->e),
                     LEAD_NOTFOUND);
    text[LEAD_KEY_TEXT_MAX] = '\0';
    assert_int_equal(lead_store_key_add(s->store, &key, BYTES(text), &s->e),
                     LEAD_OK);

    assert_int_equal(lead_store_key_add(s->store, &key, BYTES(""), &s->e),
                     LEAD_INVALID);
    assert_int_equal(lead_store_key_find(s->store, BYTES(""), &got, &s->e),
                     LEAD_NOTFOUND);

    key = key_of(99);
    assert_int_equal(lead_store_key_add(s->store, &key, BYTES("x"), &s->e),
                     LEAD_INVALID);

    key = key_of(s->acme);
    (void) strcpy(key.id, "12-45678");
    assert_int_equal(lead_store_key_add(s->store, &key, BYTES("x"), &s->e),
                     LEAD_INVALID);
    assert_int_equal(lead_store_key_remove(s->store, "12-45678", &s->e),
                     LEAD_NOTFOUND);
    assert_int_equal(lead_store_key_disable(s->store, "123", 1, &s->e),
                     LEAD_NOTFOUND);

    key = key_of(s->acme);
    memset(key.name, 'n', sizeof(key.name));
    assert_int_equal(lead_store_key_add(s->store, &key, BYTES("x"), &s->e),
                     LEAD_INVALID);
    key.name[sizeof(key.name) - 1] = '\0';
    memset(key.source, 's', sizeof(key.source) - 1);
    memset(key.api, 'a', sizeof(key.api) - 1);
    assert_int_equal(lead_store_key_add(s->store, &key, BYTES("x"), &s->e),
                     LEAD_OK);
    assert_int_equal(lead_store_key_find(s->store, BYTES("x"), &got, &s->e),
                     LEAD_OK);
    assert_string_equal(got.name, key.name);
    assert_int_equal(store_findings(s), 0);
}


typedef struct {
    int        n;
    int        enough;
    uint32_t   scopes;
} keys_t;


static int
key_sink(void *ctx, const lead_key_t *key)
{
    keys_t  *keys;

    keys = ctx;
    keys->n++;
    keys->scopes |= key->scopes;

    return keys->n == keys->enough;
}


static void
test_list(void **state)
{
    char         text[LEAD_KEY_TEXT_LEN + 1];
    int          i;
    keys_t       keys;
    store_t     *s;
    lead_key_t   key;

    s = *state;

    memset(&keys, 0, sizeof(keys));
    assert_int_equal(lead_store_key_list(s->store, key_sink, &keys, &s->e),
                     LEAD_OK);
    assert_int_equal(keys.n, 0);

    for (i = 0; i < 10; i++) {
        key = key_of(i % 2 ? s->acme : s->other);
        key.scopes = 1u << i;
        assert_int_equal(lead_store_key_make(&key, text), LEAD_OK);
        assert_int_equal(lead_store_key_add(s->store, &key, BYTES(text),
                                            &s->e), LEAD_OK);
    }

    assert_int_equal(lead_store_key_list(s->store, key_sink, &keys, &s->e),
                     LEAD_OK);
    assert_int_equal(keys.n, 10);
    assert_int_equal(keys.scopes, 0x3ff);

    keys.n = 0;
    keys.enough = 4;
    assert_int_equal(lead_store_key_list(s->store, key_sink, &keys, &s->e),
                     LEAD_OK);
    assert_int_equal(keys.n, 4);
}


static void
test_no_randomness(void **state)
{
    op_t        *op;
    char         text[LEAD_KEY_TEXT_LEN + 1];
    store_t     *s;
    lead_key_t   key;

    s = *state;

    key = key_of(s->acme);
    op = op_new(s->acme, "{}");

    no_randomness = 1;

    assert_int_equal(lead_store_key_make(&key, text), LEAD_IO);
    key.id[0] = '\0';
    assert_int_equal(lead_store_key_add(s->store, &key, BYTES("x"), &s->e),
                     LEAD_IO);
    assert_int_equal(op_commit_many(s, &op, 1), LEAD_IO);

    store_close(s);
    (void) unlink(s->file);
    assert_int_equal(lead_store_open(s->dir, &s->opts, &s->store, &s->e),
                     LEAD_IO);

    no_randomness = 0;

    store_open(s);
    op_free(op);
}


static void
test_plausible(void **state)
{
    char         text[LEAD_KEY_TEXT_LEN + 1], typo[LEAD_KEY_TEXT_LEN + 1];
    size_t       i;
    lead_key_t   key;

    memset(&key, 0, sizeof(key));

    assert_int_equal(lead_store_key_make(&key, text), LEAD_OK);
    assert_int_equal(lead_store_key_plausible(BYTES(text)), 1);

    /* each single character counts */

    for (i = 5; i < LEAD_KEY_TEXT_LEN; i++) {

        if (i == 13) {
            continue;
        }

        memcpy(typo, text, sizeof(typo));
        typo[i] = typo[i] == 'x' ? 'y' : 'x';
        assert_int_equal(lead_store_key_plausible(BYTES(typo)), 0);
    }

    /* what is not ours may be anybody's */

    memcpy(typo, text, sizeof(typo));
    typo[0] = 'L';
    assert_int_equal(lead_store_key_plausible(BYTES(typo)), 1);
    memcpy(typo, text, sizeof(typo));
    typo[13] = '-';
    assert_int_equal(lead_store_key_plausible(BYTES(typo)), 1);
    memcpy(typo, text, sizeof(typo));
    typo[20] = '.';
    assert_int_equal(lead_store_key_plausible(BYTES(typo)), 1);
    assert_int_equal(lead_store_key_plausible(BYTES("lead_")), 1);
    assert_int_equal(lead_store_key_plausible(BYTES("")), 1);

    /* a known one: the checksum is what it always was */

    assert_int_equal(lead_store_key_plausible(
        BYTES("lead_0123ABcd_00000000000000000000000000000000"
              "24raYp")), 1);
    assert_int_equal(lead_store_key_plausible(
        BYTES("lead_0123ABcd_00000000000000000000000000000001"
              "24raYp")), 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_key, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_exists, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_import, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_list, store_setup,
                                        store_teardown),
        cmocka_unit_test_setup_teardown(test_no_randomness, store_setup,
                                        store_teardown),
        cmocka_unit_test(test_plausible)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
