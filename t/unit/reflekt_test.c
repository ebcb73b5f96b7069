
/*
 * Copyright (C) the ngx_lead authors
 *
 * The Reflekt dialect without an nginx and without a store: a form goes in,
 * and what comes out is the answer, the document, the event with its
 * endpoints, and the counter of a campaign.
 *
 * What lives longer than a call here is in the test's pool.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include "ngx_lead_dialect.h"
#include "ngx_lead_form.h"
#include "ngx_pool.h"


#define count(array)  (sizeof(array) / sizeof(array[0]))

#define str(s, text)                                                          \
    (s)->data = (u_char *) text;                                              \
    (s)->len = strlen(text)

#define ID            "00010203-0405-0607-0809-0a0b0c0d0e0f"
#define CREATED       "200 {\"success\":true,\"message\":\"Lead created\","   \
                      "\"lead_id\":\"" ID "\"}"

#define refused(text)                                                         \
    "400 {\"success\":false,\"error\":\"" text "\"}"
#define field(name, text)                                                     \
    "400 {\"success\":false,\"error\":\"" text "\",\"field\":\"" name "\"}"
#define invalid(name)   field(name, name " is invalid")
#define too_long(name)  field(name, name " is too long")


static ngx_pool_t           *pool;
static ngx_log_t             quiet;
static ngx_lead_account_t    account;
static ngx_lead_campaign_t   campaigns[2];
static ngx_lead_webhook_t    hooks[4];
static ngx_str_t             lists[4];
static uint32_t              endpoints[4] = { 70, 71, 72, 73 };

static ngx_lead_call_t      *call;           /* the last one */
static lead_decision_t       d;              /* what it decided */
static uint64_t              counter;


static void
list(ngx_array_t *a, ngx_str_t *elts)
{
    a->elts = elts;
    a->nelts = 1;
    a->size = sizeof(ngx_str_t);
}


static int
setup(void **state)
{
    ngx_pool_fail_at = 0;
    pool = ngx_create_pool(4096, NULL);
    counter = 0;

    memset(&account, 0, sizeof(account));
    memset(campaigns, 0, sizeof(campaigns));
    memset(hooks, 0, sizeof(hooks));

    str(&campaigns[0].name, "pi_intake");
    str(&campaigns[0].label, "PI Intake 2026");
    campaigns[0].number = 4101;
    str(&campaigns[1].name, "family");

    account.region[0] = 'U';
    account.region[1] = 'S';
    account.campaigns.elts = campaigns;
    account.campaigns.nelts = count(campaigns);

    /* for all, for a campaign, for a stage, for other events */

    str(&lists[0], "pi_intake");
    str(&lists[1], "new");
    str(&lists[2], "lead.updated");

    list(&hooks[1].campaigns, &lists[0]);
    list(&hooks[2].statuses, &lists[1]);
    list(&hooks[3].events, &lists[2]);

    hooks[1].index = 1;
    hooks[2].index = 2;
    hooks[3].index = 3;

    account.webhooks.elts = hooks;
    account.webhooks.nelts = count(hooks);

    return pool ? 0 : -1;
}


static int
teardown(void **state)
{
    ngx_destroy_pool(pool);

    return 0;
}


/* decides twice, as a store may, each time from the counter that it read */

static ngx_int_t
run(ngx_str_t *form)
{
    lead_t       lead;
    uint64_t     read;
    ngx_int_t    rc;
    ngx_uint_t   i;
    const char  *why;

    rc = ngx_lead_form_urlencoded(pool, form, call->dialect->brackets,
                                  &call->json, &why);

    if (rc == NGX_OK) {
        rc = call->route->decode(call);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    assert_int_equal(call->op.target.by, LEAD_BY_NOTHING);
    assert_true(call->op.ncounters <= 1);

    read = counter;

    for (i = 0; i < 2; i++) {
        counter = read;
        memset(&d, 0, sizeof(d));
        call->op.decide(&call->op, NULL, NULL, 0,
                        call->op.ncounters ? &counter : NULL, &d);
    }

    assert_int_equal(d.verdict, LEAD_INSERT);

    memset(&lead, 0, sizeof(lead));

    for (i = 0; i < sizeof(lead.id.b); i++) {
        lead.id.b[i] = (uint8_t) i;
    }

    return call->route->encode(call, &lead, 1);
}


/* the answer as one text; fail_at is 0, or the allocation that fails */

static const char *
post(const char *form, ngx_uint_t fail_at)
{
    char       *p;
    ngx_int_t   rc;
    ngx_str_t   text, out;

    call = ngx_pcalloc(pool, sizeof(ngx_lead_call_t));
    assert_non_null(call);

    call->pool = pool;
    call->log = &quiet;
    call->dialect = &ngx_lead_dialect_reflekt;
    call->route = ngx_lead_dialect_reflekt.routes;
    call->account = &account;
    call->endpoints = endpoints;

    text.len = strlen(form);
    text.data = ngx_pnalloc(pool, text.len);
    assert_non_null(text.data);
    memcpy(text.data, form, text.len);

    ngx_pool_fail_at = fail_at;
    rc = run(&text);
    fail_at = ngx_pool_fail_at;
    ngx_pool_fail_at = 0;

    if (rc == NGX_ERROR) {
        call->fault.kind = NGX_LEAD_FAULT_INTERNAL;
    }

    if (rc != NGX_OK) {
        assert_int_not_equal(call->fault.kind, NGX_LEAD_FAULT_NONE);
        assert_int_equal(call->dialect->fault(call), NGX_OK);
    }

    assert_int_equal(ngx_lead_json_print(pool, call->root, &out), NGX_OK);

    p = ngx_pcalloc(pool, out.len + 32);
    sprintf(p, "%d %.*s", (int) call->status, (int) out.len, out.data);

    ngx_pool_fail_at = fail_at;

    return p;
}


static void
check(const char *form, const char *want)
{
    const char  *got;

    got = post(form, 0);

    if (strcmp(got, want) != 0) {
        fail_msg("%.200s: got  %s\nwant %s", form, got, want);
    }
}


static void
check_doc(const char *form, const char *want)
{
    check(form, CREATED);

    if (d.doc.len != strlen(want)
        || memcmp(d.doc.data, want, d.doc.len) != 0)
    {
        fail_msg("%s: got  %.*s\nwant %s", form, (int) d.doc.len, d.doc.data,
                 want);
    }
}


static void
test_document(void **state)
{
    check_doc("first_name=jane&last_name=o%27neil&email=+A%40B.co+"
              "&phone_number=%28206%29+555-0100&company_name=A%3Cb%3E+LLC"
              "&campaign_name=pi_intake&notes=+x%0Ay+&address=1+Main+St"
              "&birthday=1990-02-28&friendly_name=jj&api_key=secret&other=x",
              "{\"dialect\":\"reflekt\",\"first_name\":\"Jane\","
              "\"last_name\":\"O'Neil\",\"display_name\":\"jj\","
              "\"email\":\"A@B.co\",\"email_key\":\"a@b.co\","
              "\"phone\":\"(206) 555-0100\",\"phone_e164\":\"+12065550100\","
              "\"company\":\"A LLC\",\"address\":\"1 Main St\","
              "\"birthday\":\"1990-02-28\","
              "\"campaign\":{\"name\":\"pi_intake\",\"number\":4101,"
              "\"label\":\"PI Intake 2026\"},"
              "\"notes\":[{\"text\":\"x\\ny\"}]}");

    check_doc("email=a%40b.co&campaign_name=family",
              "{\"dialect\":\"reflekt\",\"email\":\"a@b.co\","
              "\"email_key\":\"a@b.co\",\"campaign\":{\"name\":\"family\"}}");

    check_doc("phone_number=2065550100",
              "{\"dialect\":\"reflekt\",\"phone\":\"2065550100\","
              "\"phone_e164\":\"+12065550100\"}");
}


/* enrolled is counted, in the counter that all dialects share */

static void
test_campaign(void **state)
{
    size_t         i;
    lead_bytes_t   name;

    static const char  *others[] = {
        "", "PI+Intake+2026", "PI_INTAKE", "pi_intake2", "pi_intak", "4101"
    };

    check("email=a%40b.co&campaign_name=+pi_intake+", CREATED);

    assert_int_equal(call->op.ncounters, 1);
    name = call->op.counters[0];
    assert_int_equal(name.len, sizeof("campaign:pi_intake:leads") - 1);
    assert_memory_equal(name.data, "campaign:pi_intake:leads", name.len);
    assert_int_equal(counter, 1);

    check("email=a%40b.co&campaign_name=pi_intake", CREATED);
    assert_int_equal(counter, 2);

    check("email=a%40b.co&campaign_name=family", CREATED);
    name = call->op.counters[0];
    assert_int_equal(name.len, sizeof("campaign:family:leads") - 1);
    assert_memory_equal(name.data, "campaign:family:leads", name.len);

    for (i = 0; i < count(others); i++) {
        char  form[128];

        sprintf(form, "email=a%%40b.co&campaign_name=%s", others[i]);
        check_doc(form, "{\"dialect\":\"reflekt\",\"email\":\"a@b.co\","
                        "\"email_key\":\"a@b.co\"}");
        assert_int_equal(call->op.ncounters, 0);
    }

    assert_int_equal(counter, 3);
}


static void
check_event(const uint32_t *want, size_t n)
{
    assert_int_equal(d.nevents, 1);
    assert_int_equal(d.events[0].type.len, sizeof("lead.created") - 1);
    assert_memory_equal(d.events[0].type.data, "lead.created",
                        d.events[0].type.len);
    assert_int_equal(d.events[0].data.len, 0);
    assert_int_equal(d.events[0].nendpoints, n);
    assert_memory_equal(d.events[0].endpoints, want, n * sizeof(uint32_t));
    assert_int_equal(d.nsecond_events, 0);
    assert_int_equal(d.nmatches, 0);
}


static void
test_event(void **state)
{
    check("email=a%40b.co", CREATED);
    check_event(endpoints, 1);

    check("email=a%40b.co&campaign_name=pi_intake", CREATED);
    check_event(endpoints, 2);

    check("email=a%40b.co&campaign_name=family", CREATED);
    check_event(endpoints, 1);

    account.webhooks.nelts = 0;
    check("email=a%40b.co&campaign_name=pi_intake", CREATED);
    check_event(endpoints, 0);
}


static void
test_order(void **state)
{
    static const char  none[] = refused("At least one of email or "
                                        "phone_number is required");

    static const char  *rows[][2] = {
        { "", none },
        { "email=&phone_number=", none },
        { "email=+&birthday=x&first_name=%00", none },
        { "email=%00", field("email", "Invalid email address") },
        { "phone_number=%00", field("phone_number", "Invalid phone number") },
        { "phone_number=x&email=x", field("email", "Invalid email address") },
        { "birthday=x&phone_number=x",
          field("phone_number", "Invalid phone number") },
        { "email=a%40b.co&first_name=%00&birthday=x", field("birthday",
          "birthday must be a valid date in YYYY-MM-DD format") },
        { "email=a%40b.co&last_name=%00&first_name=%00",
          invalid("first_name") },
        { "email=a%40b.co&company_name=%00&last_name=%00",
          invalid("last_name") },
        { "email=a%40b.co&campaign_name=%00&company_name=%00",
          invalid("company_name") },
        { "email=a%40b.co&notes=%00&campaign_name=%00",
          invalid("campaign_name") },
        { "email=a%40b.co&address=%00&notes=%00", invalid("notes") },
        { "email=a%40b.co&friendly_name=%00&address=%00",
          invalid("address") },
        { "email=a%40b.co&friendly_name=%00", invalid("friendly_name") }
    };

    size_t  i;

    for (i = 0; i < count(rows); i++) {
        check(rows[i][0], rows[i][1]);
    }
}


static void
test_lengths(void **state)
{
    char    form[64 + 10001 * 6], *p;
    size_t  i, n;

    static const struct {
        const char  *name;
        size_t       max;
        const char  *answer;
    } fields[] = {
        { "first_name", 255, too_long("first_name") },
        { "last_name", 255, too_long("last_name") },
        { "company_name", 255, too_long("company_name") },
        { "campaign_name", 255, too_long("campaign_name") },
        { "friendly_name", 255, too_long("friendly_name") },
        { "address", 1000, too_long("address") },
        { "notes", 10000, too_long("notes") }
    };

    for (i = 0; i < count(fields); i++) {
        p = form + sprintf(form, "email=a%%40b.co&%s=", fields[i].name);

        for (n = 0; n < fields[i].max; n++) {
            p += sprintf(p, "%%C3%%A9");
        }

        check(form, CREATED);

        sprintf(p, "%%C3%%A9");
        check(form, fields[i].answer);
    }
}


static void
test_faults(void **state)
{
    size_t      i;
    ngx_str_t   out;

    static const struct {
        ngx_lead_fault_e   kind;
        ngx_uint_t         status;
        const char        *body;
    } rows[] = {
        { NGX_LEAD_FAULT_NO_ROUTE, 404, "Not found\"}" },
        { NGX_LEAD_FAULT_METHOD, 405, "Method not allowed\"}" },
        { NGX_LEAD_FAULT_NO_KEY, 401, "Invalid or missing API key\"}" },
        { NGX_LEAD_FAULT_BAD_KEY, 401, "Invalid or missing API key\"}" },
        { NGX_LEAD_FAULT_KEY_DISABLED, 401,
          "Invalid or missing API key\"}" },
        { NGX_LEAD_FAULT_SOURCE_DISABLED, 401,
          "Invalid or missing API key\"}" },
        { NGX_LEAD_FAULT_SCOPE, 401, "Invalid or missing API key\"}" },
        { NGX_LEAD_FAULT_RATE, 429, "Too many requests\"}" },
        { NGX_LEAD_FAULT_IDEMPOTENCY, 400,
          "Idempotency-Key is too long\",\"field\":\"Idempotency-Key\"}" },
        { NGX_LEAD_FAULT_TOO_LARGE, 413, "Payload too large\"}" },
        { NGX_LEAD_FAULT_BAD_REQUEST, 400, "Bad request\"}" },
        { NGX_LEAD_FAULT_BAD_JSON, 400, "Bad request\"}" },
        { NGX_LEAD_FAULT_BAD_FORM, 400, "Malformed form data\"}" },
        { NGX_LEAD_FAULT_NOT_FOUND, 404, "Not found\"}" },
        { NGX_LEAD_FAULT_UNAVAILABLE, 503, "Temporarily unavailable\"}" },
        { NGX_LEAD_FAULT_INTERNAL, 500, "Internal server error\"}" }
    };

    static const char  head[] = "{\"success\":false,\"error\":\"";

    /* every kind there is has its words */

    assert_int_equal(count(rows), NGX_LEAD_FAULT_OWN - 1);

    (void) post("", 0);

    for (i = 0; i < count(rows); i++) {
        call->root = NULL;
        call->status = 0;
        call->fault.kind = rows[i].kind;

        assert_int_equal(call->dialect->fault(call), NGX_OK);
        assert_int_equal(call->status, rows[i].status);
        assert_int_equal(ngx_lead_json_print(pool, call->root, &out), NGX_OK);
        assert_int_equal(out.len, strlen(head) + strlen(rows[i].body));
        assert_memory_equal(out.data, head, strlen(head));
        assert_memory_equal(out.data + strlen(head), rows[i].body,
                            strlen(rows[i].body));
    }
}


/* whichever allocation fails, the answer is an error, and then a lead */

static void
test_no_memory(void **state)
{
    ngx_uint_t   n;
    const char  *got;

    static const char  form[] = "first_name=a&last_name=b&email=a%40%C3%BC.co"
        "&phone_number=2065550100&company_name=c&campaign_name=pi_intake"
        "&notes=d";

    for (n = 1; /* void */ ; n++) {
        got = post(form, n);

        if (ngx_pool_fail_at) {
            break;
        }

        if (strcmp(got, "500 {\"success\":false,\"error\":"
                        "\"Internal server error\"}") != 0)
        {
            fail_msg("allocation %d: %s", (int) n, got);
        }
    }

    assert_string_equal(got, CREATED);
    assert_true(n > 20);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_document, setup, teardown),
        cmocka_unit_test_setup_teardown(test_campaign, setup, teardown),
        cmocka_unit_test_setup_teardown(test_event, setup, teardown),
        cmocka_unit_test_setup_teardown(test_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lengths, setup, teardown),
        cmocka_unit_test_setup_teardown(test_faults, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
