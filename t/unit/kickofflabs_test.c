
/*
 * Copyright (C) the ngx_lead authors
 *
 * The KickoffLabs dialect where a running nginx cannot lead it: leads that
 * an operator has opted out, the moment a campaign ends, identifiers that a
 * lead was erased from, social ids by the million, what webhooks show beside
 * the answer, and memory that runs out.
 *
 * This plays the store for one operation: target, second lead and counters
 * are given by the test.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include "ngx_lead_dialect_kickofflabs.h"
#include "ngx_pool.h"


#define NOW                1782295200000000LL      /* 2026-06-24T10:00:00Z */
#define SOCIALS            2000000

#define count(array)       (sizeof(array) / sizeof(array[0]))

#define str(s, text)                                                          \
    (s)->data = (u_char *) text;                                              \
    (s)->len = strlen(text)


static ngx_pool_t           *pool;
static ngx_log_t             quiet;
static ngx_array_t           accounts;
static ngx_lead_account_t    account;
static ngx_lead_campaign_t   campaign;
static ngx_lead_call_t      *call;
static lead_decision_t       d;
static uint64_t              counters[LEAD_COUNTERS_MAX];


/* What the configuration's part of ngx_lead_account.c would need of nginx: it
 * is linked with the look-ups, and not called.  Weak: unless it is there. */

#define unused(name, args)                                                    \
    void name args;                                                           \
    __attribute__((weak)) void name args { abort(); }

unused(ngx_sha1_init, (void *ctx))
unused(ngx_sha1_update, (void *ctx, const void *data, size_t size))
unused(ngx_sha1_final, (u_char result[20], void *ctx))


__attribute__((weak)) u_char *
ngx_hex_dump(u_char *dst, u_char *src, size_t len)
{
    abort();
}


__attribute__((weak)) ngx_int_t
ngx_strncasecmp(u_char *s1, u_char *s2, size_t n)
{
    return strncasecmp((char *) s1, (char *) s2, n);
}


static int
setup(void **state)
{
    ngx_pool_fail_at = 0;
    pool = ngx_create_pool(4096, NULL);

    memset(&account, 0, sizeof(account));
    memset(&campaign, 0, sizeof(campaign));
    memset(counters, 0, sizeof(counters));

    str(&campaign.name, "spring");
    campaign.number = 135544;
    str(&campaign.url, "https://x.co/?a=1#b");

    account.region[0] = 'U';
    account.region[1] = 'S';
    account.campaigns.elts = &campaign;
    account.campaigns.nelts = 1;

    accounts.elts = &account;
    accounts.nelts = 1;

    return pool ? 0 : -1;
}


static int
teardown(void **state)
{
    ngx_destroy_pool(pool);

    return 0;
}


static ngx_int_t
decode(const char *body, ngx_uint_t key)
{
    ngx_int_t          rc;
    ngx_str_t          text;
    const char        *why;
    ngx_lead_route_t  *route;

    call = ngx_pcalloc(pool, sizeof(ngx_lead_call_t));
    if (call == NULL) {
        return NGX_ERROR;
    }

    for (route = ngx_lead_dialect_kickofflabs.routes;
         route->act != NGX_LEAD_DO_COMMIT;
         route++)
    {
        /* void */
    }

    call->pool = pool;
    call->log = &quiet;
    call->dialect = &ngx_lead_dialect_kickofflabs;
    call->route = route;
    call->accounts = &accounts;
    call->key.id[0] = key ? 'k' : '\0';
    str(&call->params[0], "135544");
    str(&call->address, "192.0.2.1");
    str(&text, body);

    rc = ngx_lead_json_parse(pool, &text, &call->json, &why);

    if (rc == NGX_OK) {
        rc = route->resource(call);
    }

    return rc == NGX_OK ? route->decode(call) : rc;
}


static void
decide(const lead_t *target, const lead_t *second, int64_t now)
{
    uint64_t  values[LEAD_COUNTERS_MAX];

    /* twice, as a store may: the second time counts */

    memcpy(values, counters, sizeof(values));
    memset(&d, 0, sizeof(d));
    call->op.decide(&call->op, target, second, now, values, &d);

    memset(&d, 0, sizeof(d));
    call->op.decide(&call->op, target, second, now, counters, &d);
}


static void
done(void)
{
    if (call && call->arena) {
        ngx_destroy_pool(call->arena);
        call->arena = NULL;
    }
}


static void
has(lead_bytes_t bytes, const char *part)
{
    char  *text;

    text = test_malloc(bytes.len + 1);
    memcpy(text, bytes.data, bytes.len);
    text[bytes.len] = '\0';

    if (strstr(text, part) == NULL) {
        print_error("%s\nhas no %s\n", text, part);
        test_free(text);
        fail();
    }

    test_free(text);
}


static lead_t
lead(const char *doc, uint32_t flags, uint8_t id)
{
    lead_t  l;

    memset(&l, 0, sizeof(lead_t));

    l.id.b[15] = id;
    l.number = id;
    l.flags = flags;
    l.created = NOW;
    l.doc.data = (const uint8_t *) doc;
    l.doc.len = strlen(doc);

    return l;
}


#define ADA                                                                   \
    "{\"email\":\"a@x.co\",\"email_key\":\"a@x.co\",\"counter\":1,"           \
    "\"social_id\":\"AAAAAA\",\"subscription_number\":1}"


static void
test_opt_out(void **state)
{
    size_t  i;
    lead_t  target;

    static const struct {
        const char  *more;
        uint32_t     flags;
    } calls[] = {
        { "", LEAD_FLAG_ARCHIVED },
        { ",\"__do_not_reset_opt_out\":1",
          LEAD_FLAG_ARCHIVED|LEAD_FLAG_OPTED_OUT },
        { ",\"__do_not_reset_opt_out\":\"yes\"",
          LEAD_FLAG_ARCHIVED|LEAD_FLAG_OPTED_OUT },
        { ",\"__do_not_reset_opt_out\":true",
          LEAD_FLAG_ARCHIVED|LEAD_FLAG_OPTED_OUT },
        { ",\"__do_not_reset_opt_out\":false", LEAD_FLAG_ARCHIVED },
        { ",\"__do_not_reset_opt_out\":\"false\"", LEAD_FLAG_ARCHIVED },
        { ",\"__do_not_reset_opt_out\":\"0\"", LEAD_FLAG_ARCHIVED },
        { ",\"__do_not_reset_opt_out\":0", LEAD_FLAG_ARCHIVED },
        { ",\"__do_not_reset_opt_out\":\"\"", LEAD_FLAG_ARCHIVED },
        { ",\"__do_not_reset_opt_out\":null", LEAD_FLAG_ARCHIVED }
    };

    target = lead(ADA, LEAD_FLAG_ARCHIVED|LEAD_FLAG_OPTED_OUT, 1);

    for (i = 0; i < count(calls); i++) {
        char  body[128];

        sprintf(body, "{\"email\":\"a@x.co\"%s}", calls[i].more);

        assert_int_equal(decode(body, 1), NGX_OK);
        decide(&target, NULL, NOW);

        assert_int_equal(d.verdict, LEAD_UPDATE);
        assert_int_equal(d.flags, calls[i].flags);
        has(d.doc, "\"counter\":2");
        assert_true(d.keep_matches);

        done();
    }
}


static void
test_shown(void **state)
{
    lead_t     target;
    ngx_str_t  text;

    target = lead(ADA, LEAD_FLAG_OPTED_OUT, 7);

    assert_int_equal(decode("{\"email\":\"a@x.co\"}", 1), NGX_OK);
    assert_int_equal(call->route->encode(call, &target, 1), NGX_OK);
    assert_int_equal(ngx_lead_json_print(pool, call->root, &text), NGX_OK);

    {
        lead_bytes_t  shown = { text.len, text.data };

        has(shown, "{\"id\":7,\"social_id\":\"AAAAAA\",\"rank\":1,");
        has(shown, "\"opted_out\":true");
        has(shown, "\"when\":\"2026-06-24T10:00:00+00:00\"");
        has(shown, "\"social_url\":\"https://x.co/?a=1&kid=AAAAAA#b\"");
        has(shown, "\"redirect_url\":null");
    }

    done();
}


/* what the vendor's webhook says of it */

static const char *
notice(const lead_t *about, const char *type, const char *data)
{
    char               *p;
    ngx_str_t           text;
    const char         *why;
    ngx_lead_json_t    *event, *root;
    ngx_lead_notice_t   n;

    memset(&n, 0, sizeof(ngx_lead_notice_t));

    n.pool = pool;
    n.account = &account;
    n.lead = about;
    str(&n.type, type);

    event = NULL;

    if (data) {
        str(&text, data);
        assert_int_equal(ngx_lead_json_parse(pool, &text, &event, &why),
                         NGX_OK);
    }

    assert_int_equal(ngx_lead_dialect_kickofflabs.notice(&n, event, &root),
                     NGX_OK);
    assert_int_equal(ngx_lead_json_print(pool, root, &text), NGX_OK);

    p = ngx_pcalloc(pool, text.len + 1);
    memcpy(p, text.data, text.len);

    return p;
}


static const char *
answer(lead_t *shown, const char *more)
{
    char       *p;
    ngx_str_t   text;

    assert_int_equal(call->route->encode(call, shown, 1), NGX_OK);
    assert_int_equal(ngx_lead_json_print(pool, call->root, &text), NGX_OK);

    /* without its last brace */

    p = ngx_pcalloc(pool, text.len + strlen(more) + 1);
    memcpy(p, text.data, text.len - 1);
    strcat(p, more);

    return p;
}


static const char *
replaced(const char *text, const char *from, const char *to)
{
    char        *p;
    const char  *at;

    at = strstr(text, from);
    assert_non_null(at);

    p = ngx_pcalloc(pool, strlen(text) + strlen(to) + 1);
    memcpy(p, text, (size_t) (at - text));
    strcat(p, to);
    strcat(p, at + strlen(from));

    return p;
}


/* a webhook shows what the answer has shown, but for counts that are not in
 * documents */

static void
test_notice(void **state)
{
    size_t       i;
    lead_t       made;
    const char  *want;

    static const struct {
        const char  *was;
        const char  *is;
    } unknown[] = {
        { "\"lead_count\":6", "\"lead_count\":null" },
        { "\"referrals\":0", "\"referrals\":null" },
        { "\"unverified_leads\":{\"indirect\":0,\"direct\":0}",
          "\"unverified_leads\":{\"indirect\":null,\"direct\":null}" },
        { "\"influence\":{\"indirect\":0,\"direct\":0}",
          "\"influence\":{\"indirect\":null,\"direct\":null}" }
    };

    str(&campaign.thanks_url, "https://x.co/thanks");
    counters[0] = 5;

    assert_int_equal(decode("{\"email\":\"Zoe@X.co\",\"points\":7,"
                            "\"first_name\":\"Zo\xc3\xab \xf0\x9f\xa6\x8a\","
                            "\"last_name\":\"\\\"L\\\"\",\"size\":[1,{}],"
                            "\"phone_number\":\"2065550100\","
                            "\"__uid\":\"u\",\"__url\":"
                            "\"https://x.co/?utm_a=b\"}", 1),
                     NGX_OK);
    decide(NULL, NULL, NOW);

    made = lead("", LEAD_FLAG_OPTED_OUT, 7);
    made.doc.len = d.doc.len;
    made.doc.data = memcpy(ngx_palloc(pool, d.doc.len), d.doc.data,
                           d.doc.len);

    assert_string_equal(notice(&made, "lead.created", NULL),
                        answer(&made, ",\"__event\":\"new_signup\"}"));

    want = answer(&made, ",\"__event\":\"repeat_signup\"}");

    for (i = 0; i < count(unknown); i++) {
        want = replaced(want, unknown[i].was, unknown[i].is);
    }

    assert_string_equal(notice(&made, "lead.updated", NULL), want);
    done();

    /* blocks of its own, whatever the event's data are */

    want = replaced(want, "\"repeat_signup\"}", "");

    assert_string_equal(
        notice(&made, "lead.scored",
               "{\"current_contest_score\":7,\"previous_contest_score\":0,"
               "\"message\":\"m\"}"),
        replaced(want, "__event\":", "__event\":\"score_change\","
                 "\"__score_change\":{\"current_contest_score\":7,"
                 "\"previous_contest_score\":0}}"));

    assert_string_equal(
        notice(&made, "lead.scored", NULL),
        replaced(want, "__event\":", "__event\":\"score_change\","
                 "\"__score_change\":{\"current_contest_score\":null,"
                 "\"previous_contest_score\":null}}"));

    assert_string_equal(
        notice(&made, "lead.referral",
               "{\"email\":\"b@x.co\",\"social_id\":\"BBBBBB\"}"),
        replaced(want, "__event\":", "__event\":\"referral\","
                 "\"__referral\":{\"email\":\"b@x.co\","
                 "\"social_id\":\"BBBBBB\",\"phone_number\":null}}"));

    assert_string_equal(
        notice(&made, "lead.referral", "[1]"),
        replaced(want, "__event\":", "__event\":\"referral\","
                 "\"__referral\":{\"email\":null,\"social_id\":null,"
                 "\"phone_number\":null}}"));

    assert_string_equal(notice(&made, "lead.archived", "{}"),
                        replaced(want, "__event\":",
                                 "__event\":\"lead.archived\"}"));

    /* what configuration no longer has is known by the document */

    account.campaigns.nelts = 0;

    want = notice(&made, "lead.archived", NULL);

    assert_non_null(strstr(want, "\"campaign_id\":135544,"
                                 "\"list_id\":135544,"));
    assert_non_null(strstr(want, "\"social_url\":null,"));
    assert_non_null(strstr(want, "\"unsubscribe_url\":{\"default\":null,"
                                 "\"safe\":null},"));
}


static void
test_end(void **state)
{
    campaign.ends = NOW / 1000000;

    assert_int_equal(decode("{\"email\":\"a@x.co\"}", 1), NGX_OK);
    decide(NULL, NULL, NOW - 1);
    assert_int_equal(d.verdict, LEAD_INSERT);
    has(d.doc, "\"ip\":\"192.0.2.1\"");
    done();

    assert_int_equal(decode("{\"email\":\"a@x.co\"}", 1), NGX_OK);
    decide(NULL, NULL, NOW);
    assert_int_equal(d.verdict, LEAD_REFUSE);
    assert_int_equal(call->route->encode(call, NULL, 0), NGX_DECLINED);
    assert_int_equal(call->fault.status, 423);
    done();

    /* who is there is still updated */

    {
        lead_t  target = lead(ADA, 0, 1);

        assert_int_equal(decode("{\"email\":\"a@x.co\"}", 1), NGX_OK);
        decide(&target, NULL, NOW + 1);
        assert_int_equal(d.verdict, LEAD_UPDATE);
        done();
    }
}


/* counters: leads, social ids, referrals by e-mail, by phone */

static void
test_counters(void **state)
{
    lead_t  target;

    counters[0] = 5;
    counters[2] = 3;                     /* of a lead that was erased */

    assert_int_equal(decode("{\"email\":\"a@x.co\"}", 1), NGX_OK);
    assert_int_equal(call->op.ncounters, 3);
    decide(NULL, NULL, NOW);

    assert_int_equal(counters[0], 6);
    assert_int_equal(counters[1], 1);
    assert_int_equal(counters[2], 3);
    assert_int_equal(d.nmatches, 2);
    has(d.doc, "\"subscription_number\":6");
    has(d.doc, "\"referrals_from\":{\"email\":3}");
    done();

    /* found by its number, with two referrals; the address had three */

    target = lead("{\"phone\":\"2065550100\",\"phone_e164\":\"+12065550100\","
                  "\"counter\":1,\"social_id\":\"AAAAAA\"}", 0, 1);
    counters[2] = 3;
    counters[3] = 2;

    assert_int_equal(decode("{\"email\":\"a@x.co\","
                            "\"phone_number\":\"2065550100\"}", 1), NGX_OK);
    decide(&target, NULL, NOW);

    assert_int_equal(d.verdict, LEAD_UPDATE);
    assert_int_equal(d.nmatches, 3);
    has(d.doc, "\"referrals_from\":{\"email\":1}");
    assert_int_equal(counters[1], 1);
    done();
}


static void
test_referrer(void **state)
{
    lead_t  parent, target;

    parent = lead("{\"email\":\"p@x.co\",\"email_key\":\"p@x.co\","
                  "\"phone_e164\":\"+12065550100\","
                  "\"social_id\":\"PPPPPP\"}", 0, 9);

    assert_int_equal(decode("{\"email\":\"a@x.co\",\"kid\":\"pppppp\"}", 1),
                     NGX_OK);
    assert_int_equal(call->op.second.by, LEAD_BY_MATCH);
    assert_int_equal(call->op.second.nmatches, 1);
    decide(NULL, &parent, NOW);

    has(d.doc, "\"parent\":{\"number\":9,\"social_id\":\"PPPPPP\"}");
    assert_int_equal(d.nraise, 3);
    assert_int_equal(d.nsecond_events, 1);
    has(d.second_events[0].type, "lead.referral");
    has(d.second_events[0].data, "{\"email\":\"a@x.co\",\"social_id\":\"");
    done();

    /* of an update the second lead is no referrer, but may own the number */

    target = lead(ADA, 0, 1);

    assert_int_equal(decode("{\"email\":\"a@x.co\",\"kid\":\"PPPPPP\","
                            "\"phone_number\":\"2065550100\"}", 1), NGX_OK);
    decide(&target, &parent, NOW);

    assert_int_equal(d.verdict, LEAD_UPDATE);
    assert_int_equal(d.nsecond_events, 0);
    assert_int_equal(d.nraise, 0);
    assert_true(d.keep_matches);
    done();
}


static int
by_value(const void *a, const void *b)
{
    return memcmp(a, b, NGX_LEAD_KOL_SOCIAL_LEN);
}


static void
test_socials(void **state)
{
    u_char    *all, *p, one[2][NGX_LEAD_KOL_SOCIAL_LEN];
    uint64_t   i;

    all = malloc(SOCIALS * NGX_LEAD_KOL_SOCIAL_LEN);
    assert_non_null(all);

    for (i = 0; i < SOCIALS; i++) {
        p = all + i * NGX_LEAD_KOL_SOCIAL_LEN;
        ngx_lead_kol_social(3, i, p);
    }

    qsort(all, SOCIALS, NGX_LEAD_KOL_SOCIAL_LEN, by_value);

    for (i = 1; i < SOCIALS; i++) {
        p = all + i * NGX_LEAD_KOL_SOCIAL_LEN;

        if (by_value(p - NGX_LEAD_KOL_SOCIAL_LEN, p) == 0) {
            fail_msg("twice: %.6s", p);
        }
    }

    free(all);

    /* it comes round at 36^6, and no account has another's order */

    ngx_lead_kol_social(3, 1, one[0]);
    ngx_lead_kol_social(3, 1 + NGX_LEAD_KOL_SOCIALS, one[1]);
    assert_memory_equal(one[0], one[1], NGX_LEAD_KOL_SOCIAL_LEN);

    ngx_lead_kol_social(4, 1, one[1]);
    assert_memory_not_equal(one[0], one[1], NGX_LEAD_KOL_SOCIAL_LEN);
}


/* each allocation fails in its turn: an error, or a refusal, never half a
 * lead */

static void
test_memory(void **state)
{
    lead_t      target, parent;
    ngx_int_t   rc;
    ngx_uint_t  i, created, updated;

    static const char  body[] =
        "{\"email\":\"a@x.co\",\"phone_number\":\"2065550100\",\"kid\":\"P\","
        "\"points\":5,\"__url\":\"https://x.co/?utm_a=1&b=2\",\"c\":[1],"
        "\"__source\":\"modal.1\",\"first_name\":\"A\"}";

    target = lead("{\"email\":\"a@x.co\",\"email_key\":\"a@x.co\","
                  "\"custom_fields\":{\"d\":1},\"utm\":{\"utm_b\":\"1\"}}",
                  0, 1);
    parent = lead("{\"social_id\":\"P\"}", 0, 2);

    created = 0;
    updated = 0;

    for (i = 1; i < 1000 && !(created && updated); i++) {

        call = NULL;
        ngx_pool_fail_at = i;
        rc = decode(body, 1);

        if (rc == NGX_OK) {
            decide((i & 1) ? &target : NULL, &parent, NOW);

            if (d.verdict == LEAD_UPDATE) {
                has(d.doc, "\"custom_fields\":{\"d\":1,\"b\":\"2\",");
                updated = ngx_pool_fail_at != 0;
            }

            if (d.verdict == LEAD_INSERT) {
                has(d.doc, "\"source\":{\"name\":\"modal\",\"id\":\"1\"}");
                created = ngx_pool_fail_at != 0;
            }

        } else {
            assert_int_equal(rc, NGX_ERROR);
        }

        ngx_pool_fail_at = 0;
        done();
    }

    assert_true(created && updated);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_opt_out, setup, teardown),
        cmocka_unit_test_setup_teardown(test_shown, setup, teardown),
        cmocka_unit_test_setup_teardown(test_notice, setup, teardown),
        cmocka_unit_test_setup_teardown(test_end, setup, teardown),
        cmocka_unit_test_setup_teardown(test_counters, setup, teardown),
        cmocka_unit_test_setup_teardown(test_referrer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_socials, setup, teardown),
        cmocka_unit_test_setup_teardown(test_memory, setup, teardown)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
