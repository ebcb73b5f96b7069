
/*
 * Copyright (C) the ngx_lead authors
 *
 * The Lawfficient dialect, call by call: what it answers, what it leaves in
 * the store, which events it makes and for whom.
 *
 * lawfficient_test.h plays nginx and the store.  What is tested here is
 * dialect alone: authentication, paths and limits are the core's.
 */


#include "lawfficient_test.h"


#define POST(body)         api(NGX_LEAD_POST, "/api/leads", body)
#define PATCH(body)        api(NGX_LEAD_PATCH, FIRST, body)
#define GET(path)          api(NGX_LEAD_GET, path, "")

#define FIRST              "/api/leads/a0a0a0a0-a0a0-a0a0-a0a0-a0a0a0a0a000"
#define NAMES              "\"first_name\":\"Ada\",\"last_name\":\"Lovelace\""
#define BASE               NAMES ",\"source\":\"partner_referral\""
#define B                  BASE ",\"email\":\"ada@example.com\""

#define invalid(text)                                                         \
    "422 {\"error\":{\"code\":\"invalid_request\",\"message\":\"" text "\"}}"
#define flat(text)         "400 {\"error\":\"" text "\"}"

#define same(got, want)    check_same(got, want, __LINE__)
#define has(got, part)     check_has(got, part, __LINE__)


static void
check_same(const char *got, const char *want, int line)
{
    if (strcmp(got, want) != 0) {
        fail_msg("line %d: got  %s\nwant %s", line, got, want);
    }
}


static void
check_has(const char *got, const char *part, int line)
{
    if (strstr(got, part) == NULL) {
        fail_msg("line %d: got  %s\nwithout %s", line, got, part);
    }
}


static void
check_doc(ngx_uint_t n, const char *want, int line)
{
    char  *p;

    assert_true(n < nleads);

    p = ngx_pcalloc(pool, leads[n].doc.len + 1);
    memcpy(p, leads[n].doc.data, leads[n].doc.len);
    check_same(p, want, line);
}

#define doc(n, want)       check_doc(n, want, __LINE__)


static void
test_create(void **state)
{
    same(POST("{" B ",\"data\":{\"caseType\":\"Family\"}}"),
         "201 {\"id\":\"a0a0a0a0-a0a0-a0a0-a0a0-a0a0a0a0a000\","
         "\"first_name\":\"Ada\",\"last_name\":\"Lovelace\","
         "\"email\":\"ada@example.com\",\"phone\":\"\","
         "\"source\":\"partner_referral\","
         "\"status\":{\"key\":\"new\",\"name\":\"New\"},"
         "\"assignee_id\":null,\"archived\":false,"
         "\"created_at\":\"2026-06-24T10:00:00.000Z\","
         "\"last_activity_at\":\"2026-06-24T10:00:00.000Z\","
         "\"data\":{\"caseType\":\"Family\"}}");

    same(events, "lead.created:78 ;");

    doc(0, "{\"dialect\":\"lawfficient\",\"first_name\":\"Ada\","
           "\"last_name\":\"Lovelace\",\"email\":\"ada@example.com\","
           "\"email_key\":\"ada@example.com\","
           "\"source\":{\"name\":\"partner_referral\"},"
           "\"stage\":{\"pipeline\":\"main\",\"key\":\"new\","
           "\"name\":\"New\"},\"data\":{\"caseType\":\"Family\"}}");

    assert_int_equal(call->op.target.by, LEAD_BY_NOTHING);

    has(POST("{" BASE ",\"email\":\" ADA@Example.COM \",\"phone\":\"\\t 1 \","
             "\"status\":\"lost\",\"id\":\"x\"}"),
        "\"email\":\"ada@example.com\",\"phone\":\"1\"");

    doc(1, "{\"dialect\":\"lawfficient\",\"first_name\":\"Ada\","
           "\"last_name\":\"Lovelace\",\"email\":\"ADA@Example.COM\","
           "\"email_key\":\"ada@example.com\",\"phone\":\"1\","
           "\"source\":{\"name\":\"partner_referral\"},"
           "\"stage\":{\"pipeline\":\"main\",\"key\":\"new\","
           "\"name\":\"New\"}}");

    has(POST("{" B ",\"assignee_id\":\"A1B2C3D4-0000-4000-8000-"
             "000000000000\"}"), "\"assignee_id\":\"" USER "\"");
    has(POST("{" B ",\"assignee_id\":null}"), "\"assignee_id\":null");
    has(POST("{" B ",\"assignee_id\":\" \"}"), "\"assignee_id\":null");

    has(POST("{\"first_name\":\"Zo\xc3\xab \xe6\x9d\x8e \xf0\x9f\xa6\x8a\","
             "\"last_name\":\"\\u00e9\\ud83e\\udd8a\",\"source\":\"s\","
             "\"phone\":\"5\",\"email\":null}"),
        "\"Zo\xc3\xab \xe6\x9d\x8e \xf0\x9f\xa6\x8a\","
        "\"last_name\":\"\xc3\xa9\xf0\x9f\xa6\x8a\",\"email\":\"\"");
}


static void
test_create_order(void **state)
{
    ngx_uint_t  i;

    /* each body is wrong in what it is told for and in all that follows */

    static const char  *bad[][2] = {
        { "\"data\":null,\"phone\":1", "data must be an object." },
        { "\"data\":[],\"phone\":1", "data must be an object." },
        { "\"data\":\"x\",\"phone\":1", "data must be an object." },
        { "\"phone\":12065550100,\"email\":1", "phone must be a string." },
        { "\"phone\":\"a\\u0000\"", "phone must be a string." },
        { "\"email\":{},\"assignee_id\":1", "email must be a string." },
        { "\"assignee_id\":1", "assignee_id must be a string or null." },
        { "\"assignee_id\":[]", "assignee_id must be a string or null." },
        { "\"email\":\"ada@\"", "First and last name are required." },
        { "\"first_name\":\"   \",\"last_name\":\"L\"",
          "First and last name are required." },
        { "\"first_name\":5,\"last_name\":\"L\"",
          "First and last name are required." },
        { "\"first_name\":\"A\",\"last_name\":null",
          "First and last name are required." },
        { "\"first_name\":\"A\",\"last_name\":\"\\u0000\"",
          "First and last name are required." },
        { NAMES, "Add a phone number or an email." },
        { NAMES ",\"email\":\"\",\"phone\":\" \"",
          "Add a phone number or an email." },
        { NAMES ",\"email\":null,\"phone\":null",
          "Add a phone number or an email." },
        { NAMES ",\"email\":\"ada@\"", "Enter a valid email address." },
        { NAMES ",\"phone\":\"1\",\"email\":\"a b@c.d\"",
          "Enter a valid email address." },
        { NAMES ",\"phone\":\"1\",\"assignee_id\":\"nope\"",
          "Choose a source." },
        { NAMES ",\"phone\":\"1\",\"source\":\"\\u3000\"",
          "Choose a source." },
        { NAMES ",\"phone\":\"1\",\"source\":7", "Choose a source." },
        { B ",\"assignee_id\":\"nope\",\"data\":{\"caseType\":\"x\"}",
          "assignee_id must be a UUID." },
        { B ",\"assignee_id\":\"b1b2c3d4-0000-4000-8000-000000000000\","
          "\"data\":{\"caseType\":\"Maritime\"}", "Invalid case type." },
        { B ",\"data\":{\"caseType\":\"family\"}", "Invalid case type." },
        { B ",\"assignee_id\":\"b1b2c3d4-0000-4000-8000-000000000000\"",
          "assignee_id is not a member of this firm." }
    };

    for (i = 0; i < count(bad); i++) {
        const char  *want;
        char         body[512], text[512];

        sprintf(body, "{%s}", bad[i][0]);
        sprintf(text, invalid("%s"), bad[i][1]);
        want = text;

        same(POST(body), want);
        assert_int_equal(nleads, 0);
    }

    same(POST("[{" B "}]"), "400 {\"error\":{\"code\":\"invalid_json\","
         "\"message\":\"The request body must be a JSON object.\"}}");
    same(POST("\"x\""), "400 {\"error\":{\"code\":\"invalid_json\","
         "\"message\":\"The request body must be a JSON object.\"}}");
    same(POST("{"), "400 {\"error\":{\"code\":\"invalid_json\","
         "\"message\":\"Invalid JSON body.\"}}");

    /* without an open stage all but membership still comes first */

    stages[1].terminal = 1;
    stages[2].terminal = 1;

    same(POST("{" B ",\"data\":{\"caseType\":\"x\"}}"),
         invalid("Invalid case type."));
    same(POST("{" B ",\"assignee_id\":\"b1b2c3d4-0000-4000-8000-"
              "000000000000\"}"),
         "409 {\"error\":{\"code\":\"no_open_stage\",\"message\":"
         "\"No open pipeline stage is configured.\"}}");
}


static void
test_data(void **state)
{
    /* what the firm does not define, and blanks, go without a word */

    has(POST("{" B ",\"data\":{\"zip\":\" 98101 \",\"city\":\"\\u00a0\","
             "\"colour\":\"red\",\"caseType\":\" Business \"}}"),
        "\"data\":{\"caseType\":\"Business\",\"zip\":\"98101\"}}");
    has(POST("{" B ",\"data\":{\"zip\":98101,\"city\":null,"
             "\"caseType\":[\"x\"]}}"), "\"data\":{}}");
    has(POST("{" B ",\"data\":{\"zip\":\"1\",\"zip\":\"2\"}}"),
        "\"data\":{\"zip\":\"2\"}}");

    str(&fields[1].key, "preferred_Language2");
    array(&fields[1].values, labels, 1, sizeof(labels[0]));
    same(POST("{" B ",\"data\":{\"preferred_Language2\":\"x\"}}"),
         invalid("Invalid preferred  language2."));

    /* a field that is no longer configured is not shown */

    account.data.nelts = 1;
    has(GET(FIRST), "\"data\":{\"caseType\":\"Business\"}}");
}


static void
test_read(void **state)
{
    static const char  *unknown =
        "404 {\"error\":{\"code\":\"not_found\","
        "\"message\":\"Lead not found.\"}}";

    POST("{" B "}");

    has(GET(FIRST), "200 {\"id\":\"a0a0a0a0-a0a0-a0a0-a0a0-a0a0a0a0a000\"");
    has(GET("/api/leads/A0A0A0A0-A0A0-A0A0-A0A0-A0A0A0A0A000"),
        "200 {\"id\":\"a0a0a0a0-a0a0-a0a0-a0a0-a0a0a0a0a000\"");
    same(GET("/api/leads/a0a0a0a0-a0a0-a0a0-a0a0-a0a0a0a0a001"), unknown);
    same(GET("/api/leads/123"), unknown);
    same(GET("/api/leads/a0a0a0a0a0a0a0a0a0a0a0a0a0a0a000"), unknown);

    /* a lead of another dialect, which had no stage, and a future phone */

    free((void *) leads[0].doc.data);
    leads[0].doc.data = (uint8_t *) strdup("{\"dialect\":\"reflekt\","
        "\"phone\":\"(206) 555-0100\",\"phone_e164\":\"+12065550100\"}");
    leads[0].doc.len = strlen((char *) leads[0].doc.data);

    has(GET(FIRST), "\"first_name\":\"\",\"last_name\":\"\",\"email\":\"\","
        "\"phone\":\"+12065550100\",\"source\":\"reflekt\","
        "\"status\":{\"key\":\"\",\"name\":\"\"},\"assignee_id\":null");
}


static void
test_patch(void **state)
{
    ngx_uint_t  i;

    static const char  *bad[][2] = {
        { "\"data\":null", "data must be an object." },
        { "\"phone\":1", "phone must be a string." },
        { "\"email\":1", "email must be a string." },
        { "\"assignee_id\":1", "assignee_id must be a string or null." },
        { "\"first_name\":\" \"", "First name can't be empty." },
        { "\"first_name\":null", "First name can't be empty." },
        { "\"last_name\":3", "Last name can't be empty." },
        { "\"email\":\"ada@\"", "Enter a valid email address." },
        { "\"source\":\"\"", "Source can't be empty." },
        { "\"assignee_id\":\"nope\"", "assignee_id must be a UUID." },
        { "\"status\":\" \"", "status can't be empty." },
        { "\"status\":null", "status can't be empty." },
        { "\"status\":1", "status can't be empty." },
        { "\"email\":null", "Add a phone number or an email." },
        { "\"email\":\"\",\"phone\":\"\"",
          "Add a phone number or an email." },
        { "\"assignee_id\":\"b1b2c3d4-0000-4000-8000-000000000000\"",
          "assignee_id is not a member of this firm." },
        { "\"status\":\"New\"", "Unknown status." },
        { "\"data\":{\"caseType\":\"family\"}", "Invalid case type." }
    };

    POST("{" B ",\"data\":{\"caseType\":\"Family\"}}");
    now += 5000000;

    for (i = 0; i < count(bad); i++) {
        char  body[512], text[512];

        sprintf(body, "{%s}", bad[i][0]);
        sprintf(text, invalid("%s"), bad[i][1]);
        same(PATCH(body), text);
    }

    same(PATCH("[]"), "400 {\"error\":{\"code\":\"invalid_json\","
         "\"message\":\"The request body must be a JSON object.\"}}");

    /* nothing new: no write, no event */

    has(PATCH("{}"), "200 {\"id\"");
    assert_int_equal(call->op.outcome, LEAD_KEPT);
    has(PATCH("{" B ",\"email\":\" ADA@example.com\",\"status\":\"new\","
              "\"assignee_id\":\"\",\"phone\":\"\",\"unknown\":1,"
              "\"data\":{\"caseType\":\"Family\",\"city\":\" \"}}"),
        "\"last_activity_at\":\"2026-06-24T10:00:00.000Z\"");
    assert_int_equal(call->op.outcome, LEAD_KEPT);

    /* all at once, three events */

    has(PATCH("{\"first_name\":\" Augusta \",\"source\":\"web\","
              "\"email\":null,\"phone\":\"206\",\"status\":\"retained\","
              "\"assignee_id\":\"" USER "\",\"data\":{\"city\":\"Rome\"}}"),
        "\"first_name\":\"Augusta\",\"last_name\":\"Lovelace\",\"email\":\"\","
        "\"phone\":\"206\",\"source\":\"web\",\"status\":{"
        "\"key\":\"retained\",\"name\":\"Retained\"},"
        "\"assignee_id\":\"" USER "\",\"archived\":false,"
        "\"created_at\":\"2026-06-24T10:00:00.000Z\","
        "\"last_activity_at\":\"2026-06-24T10:00:05.000Z\","
        "\"data\":{\"caseType\":\"Family\",\"city\":\"Rome\"}}");

    same(events, "lead.updated:78 {\"fields\":[\"email\",\"phone\","
         "\"first_name\",\"source\",\"data\"]};"
         "lead.status_changed:78 {\"from\":\"new\",\"to\":\"retained\"};"
         "lead.assigned:78 {\"from\":null,\"to\":\"" USER "\"};");

    doc(0, "{\"dialect\":\"lawfficient\",\"first_name\":\"Augusta\","
           "\"last_name\":\"Lovelace\",\"source\":{\"name\":\"web\"},"
           "\"stage\":{\"pipeline\":\"main\",\"key\":\"retained\","
           "\"name\":\"Retained\"},\"data\":{\"caseType\":\"Family\","
           "\"city\":\"Rome\"},\"phone\":\"206\",\"assignee\":{"
           "\"id\":\"" USER "\",\"name\":\"Ann Lee\"}}");

    has(PATCH("{\"assignee_id\":null}"), "\"assignee_id\":null");
    same(events, "lead.assigned:78 {\"from\":\"" USER "\",\"to\":null};");

    same(PATCH("{\"phone\":null}"),
         invalid("Add a phone number or an email."));

    same(api(NGX_LEAD_PATCH, "/api/leads/123", "{}"),
         "404 {\"error\":{\"code\":\"not_found\","
         "\"message\":\"Lead not found.\"}}");
    same(api(NGX_LEAD_PATCH,
             "/api/leads/a0a0a0a0-a0a0-a0a0-a0a0-a0a0a0a0a009", "{}"),
         "404 {\"error\":{\"code\":\"not_found\","
         "\"message\":\"Lead not found.\"}}");
}


/* what a lead has it keeps, and may be sent again, when it is configured no
 * more */

static void
test_patch_forgotten(void **state)
{
    POST("{" B ",\"assignee_id\":\"" USER "\",\"phone\":\"1\","
         "\"data\":{\"caseType\":\"Family\"}}");

    str(&stages[1].key, "fresh");
    str(&users[0].id, "a1b2c3d4-0000-4000-8000-00000000ffff");
    str(&labels[0], "Fam");

    has(PATCH("{\"assignee_id\":\"" USER "\",\"status\":\"new\","
              "\"data\":{\"caseType\":\"Family\"}}"),
        "\"status\":{\"key\":\"new\",\"name\":\"New\"},"
        "\"assignee_id\":\"" USER "\"");
    assert_int_equal(call->op.outcome, LEAD_KEPT);

    has(PATCH("{\"last_name\":\"King\"}"),
        "\"data\":{\"caseType\":\"Family\"}}");
    same(events, "lead.updated:78 {\"fields\":[\"last_name\"]};");
}


static void
test_archive(void **state)
{
    POST("{" B "}");
    now += 5000000;

    has(api(NGX_LEAD_POST, FIRST "/archive", ""), "200 {\"id\"");
    has(GET(FIRST), "\"archived\":true,"
        "\"created_at\":\"2026-06-24T10:00:00.000Z\","
        "\"last_activity_at\":\"2026-06-24T10:00:00.000Z\"");

    has(api(NGX_LEAD_POST, FIRST "/unarchive", ""), "\"archived\":false");
    same(events, "lead.updated:78 ;");

    has(api(NGX_LEAD_POST, FIRST "/unarchive", ""), "\"archived\":false");
    assert_int_equal(call->op.outcome, LEAD_KEPT);

    has(api(NGX_LEAD_POST, FIRST "/archive", ""), "\"archived\":true");
    same(events, "lead.archived:78 ;");

    has(api(NGX_LEAD_POST, FIRST "/archive", ""), "\"archived\":true");
    assert_int_equal(call->op.outcome, LEAD_KEPT);

    /* a change of another kind leaves it there */

    has(PATCH("{\"first_name\":\"A\"}"), "\"archived\":true");

    has(api(NGX_LEAD_POST, "/api/leads/x/archive", ""), "404 ");
    has(api(NGX_LEAD_POST, "/api/leads/a0a0a0a0-a0a0-a0a0-a0a0-a0a0a0a0a009"
            "/unarchive", ""), "404 ");
}


static void
test_ingest(void **state)
{
    same(ingest("{\"firstName\":\" Ada\",\"lastName\":5,"
                "\"email\":\"ADA@x.com\",\"externalId\":12,\"zip\":98101.0,"
                "\"caseType\":\"BUSINESS\",\"utm\":{\"a\":[1,2.50]},"
                "\"status\":\"lost\"}"),
         "201 {\"externalId\":\"12\",\"status\":\"created\","
         "\"leadId\":\"a0a0a0a0-a0a0-a0a0-a0a0-a0a0a0a0a000\"}");

    /* silent at the vendor's own webhook, with all that was sent */

    has(events, "lead.created:7 {\"firstName\":\" Ada\",\"lastName\":5,");

    doc(0, "{\"dialect\":\"lawfficient\",\"first_name\":\"Ada\","
           "\"last_name\":\"5\",\"email\":\"ADA@x.com\","
           "\"email_key\":\"ada@x.com\",\"external_id\":\"12\","
           "\"source\":{\"key\":\"zapier\",\"name\":\"zapier\"},"
           "\"stage\":{\"pipeline\":\"main\",\"key\":\"new\","
           "\"name\":\"New\"},\"assignee\":{\"id\":\"" USER "\","
           "\"name\":\"Ann Lee\"},\"data\":{\"caseType\":\"Business\","
           "\"zip\":\"98101\"},\"extra\":{\"utm\":{\"a\":[1,2.50]},"
           "\"status\":\"lost\"}}");

    has(GET(FIRST), "\"data\":{\"caseType\":\"Business\","
        "\"zip\":\"98101\"}}");

    /* meanwhile somebody works on it */

    has(PATCH("{\"status\":\"contacted\",\"assignee_id\":null,"
              "\"source\":\"mail\",\"data\":{\"city\":\"Rome\"}}"), "200 ");
    now += 5000000;

    same(ingest("{\"firstName\":\"Ada\",\"lastName\":\"King\",\"phone\":7,"
                "\"externalId\":\" 12 \",\"zip\":\"1\",\"utm\":null,"
                "\"new\":true,\"city\":\"\"}"),
         "200 {\"externalId\":\"12\",\"status\":\"updated\","
         "\"leadId\":\"a0a0a0a0-a0a0-a0a0-a0a0-a0a0a0a0a000\"}");

    has(events, "lead.updated:78 {\"firstName\"");

    doc(0, "{\"dialect\":\"lawfficient\",\"first_name\":\"Ada\","
           "\"last_name\":\"King\",\"email\":\"ADA@x.com\","
           "\"email_key\":\"ada@x.com\",\"external_id\":\"12\","
           "\"source\":{\"key\":\"zapier\",\"name\":\"mail\"},"
           "\"stage\":{\"pipeline\":\"main\",\"key\":\"contacted\","
           "\"name\":\"Contacted\"},\"data\":{\"caseType\":\"Business\","
           "\"zip\":\"1\",\"city\":\"Rome\"},\"extra\":{\"utm\":null,"
           "\"status\":\"lost\",\"new\":true},\"phone\":\"7\"}");

    has(GET(FIRST), "\"last_activity_at\":\"2026-06-24T10:00:05.000Z\"");

    /* the same delivery again still counts as activity */

    now += 5000000;
    has(ingest("{\"firstName\":\"Ada\",\"lastName\":\"King\",\"phone\":7,"
               "\"externalId\":\"12\"}"), "200 ");
    has(GET(FIRST), "\"last_activity_at\":\"2026-06-24T10:00:10.000Z\"");
    assert_int_equal(nleads, 1);

    /* another source, or none of an external id: another lead */

    has(deliver(&sources[1],
                "{\"firstName\":\"A\",\"lastName\":\"B\",\"phone\":\"1\","
                "\"externalId\":\"12\"}"), "\"created\"");
    has(ingest("{\"firstName\":\"A\",\"lastName\":\"B\",\"phone\":\"1\"}"),
        "201 {\"externalId\":null,\"status\":\"created\"");
    has(ingest("{\"firstName\":\"A\",\"lastName\":\"B\",\"phone\":\"1\","
               "\"externalId\":9007199254740993}"), "{\"externalId\":null");
    has(ingest("{\"firstName\":\"A\",\"lastName\":\"B\",\"phone\":\"1\","
               "\"externalId\":\"9007199254740993\"}"),
        "{\"externalId\":\"9007199254740993\",\"status\":\"created\"");
    assert_int_equal(nleads, 5);

    /* a replay answers as the create, with the lead's own id there */

    call->op.outcome = LEAD_REPLAYED;
    assert_int_equal(call->route->encode(call, &leads[0], 1), NGX_OK);
    same(answer(), "201 {\"externalId\":\"12\",\"status\":\"created\","
         "\"leadId\":\"a0a0a0a0-a0a0-a0a0-a0a0-a0a0a0a0a000\"}");
}


static void
test_ingest_refused(void **state)
{
    ngx_uint_t  i;

    static const char  *bad[][2] = {
        { "[{}]", "Invalid JSON body." },
        { "null", "Invalid JSON body." },
        { "{", "Invalid JSON body." },
        { "{\"lastName\":\"B\",\"email\":\"x\"}",
          "First and last name are required." },
        { "{\"firstName\":true,\"lastName\":\"B\"}",
          "First and last name are required." },
        { "{\"firstName\":\"A\",\"lastName\":\"B\",\"email\":5}",
          "Add a phone number or an email." },
        { "{\"firstName\":\"A\",\"lastName\":\"B\",\"email\":\"x\"}",
          "Enter a valid email address." },
        { "{\"firstName\":\"A\",\"lastName\":\"B\",\"phone\":1,"
          "\"caseType\":\"Maritime\"}", "Invalid case type." },
        { "{\"firstName\":\"A\",\"lastName\":\"B\",\"phone\":1,"
          "\"x\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]"
          "]]]]}", "Invalid JSON body." }
    };

    for (i = 0; i < count(bad); i++) {
        char  text[256];

        sprintf(text, flat("%s"), bad[i][1]);
        same(ingest(bad[i][0]), text);
    }

    assert_int_equal(nleads, 0);

    /* one level less, and the lead can be read and updated */

    has(ingest("{\"firstName\":\"A\",\"lastName\":\"B\",\"phone\":1,"
               "\"externalId\":1,"
               "\"x\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]"
               "]]]]]}"), "201 ");
    has(GET(FIRST), "200 ");
    has(ingest("{\"firstName\":\"A\",\"lastName\":\"C\",\"phone\":1,"
               "\"externalId\":1,\"y\":\"a\\u0000\"}"), "200 ");
    has(GET(FIRST), "\"last_name\":\"C\"");

    /* an update needs no open stage, a create does */

    stages[1].terminal = 1;
    stages[2].terminal = 1;

    has(ingest("{\"firstName\":\"A\",\"lastName\":\"D\",\"phone\":1,"
               "\"externalId\":1}"), "200 ");
    same(ingest("{\"firstName\":\"A\",\"lastName\":\"D\",\"phone\":1,"
                "\"externalId\":2}"),
         "500 {\"error\":\"Could not ingest the lead.\"}");
}


/* extra may not grow beyond what can be read again */

static void
test_ingest_members(void **state)
{
    char  *body, *p;
    int    i, round;

    body = malloc(65536);

    for (round = 0; round < 3; round++) {
        p = body + sprintf(body, "{\"firstName\":\"A\",\"lastName\":\"B\","
                           "\"phone\":1,\"externalId\":1");

        for (i = 0; i < (round < 2 ? 500 : 1); i++) {
            p += sprintf(p, ",\"k%d_%d\":%d", round, i, i);
        }

        strcpy(p, "}");

        same(ingest(body),
             round == 0 ? "201 {\"externalId\":\"1\",\"status\":\"created\","
                  "\"leadId\":\"a0a0a0a0-a0a0-a0a0-a0a0-a0a0a0a0a000\"}"
             : round == 1 ? "200 {\"externalId\":\"1\","
                  "\"status\":\"updated\","
                  "\"leadId\":\"a0a0a0a0-a0a0-a0a0-a0a0-a0a0a0a0a000\"}"
             : "413 {\"error\":\"Payload too large.\"}");
    }

    has(GET(FIRST), "200 ");
    free(body);
}


static void
test_ingest_mapping(void **state)
{
    ngx_lead_source_field_t  map[3];

    static ngx_str_t  first[] = { ngx_string("contact"),
                                  ngx_string("first") };
    static ngx_str_t  surname[] = { ngx_string("surname") };
    static ngx_str_t  type[] = { ngx_string("a"), ngx_string("b"),
                                 ngx_string("c") };

    str(&map[0].field, "firstName");
    array(&map[0].path, first, 2, sizeof(ngx_str_t));
    str(&map[1].field, "lastName");
    array(&map[1].path, surname, 1, sizeof(ngx_str_t));
    str(&map[2].field, "caseType");
    array(&map[2].path, type, 3, sizeof(ngx_str_t));
    array(&sources[0].fields, map, 3, sizeof(map[0]));

    has(ingest("{\"contact\":{\"first\":\"Ada\"},\"surname\":\"King\","
               "\"lastName\":\"no\",\"phone\":\"1\",\"caseType\":\"x\","
               "\"a\":{\"b\":{\"c\":\"family\"}}}"), "201 ");

    doc(0, "{\"dialect\":\"lawfficient\",\"first_name\":\"Ada\","
           "\"last_name\":\"King\",\"phone\":\"1\","
           "\"source\":{\"key\":\"zapier\",\"name\":\"zapier\"},"
           "\"stage\":{\"pipeline\":\"main\",\"key\":\"new\","
           "\"name\":\"New\"},\"assignee\":{\"id\":\"" USER "\","
           "\"name\":\"Ann Lee\"},\"data\":{\"caseType\":\"Family\"},"
           "\"extra\":{\"contact\":{\"first\":\"Ada\"},"
           "\"lastName\":\"no\",\"caseType\":\"x\","
           "\"a\":{\"b\":{\"c\":\"family\"}}}}");

    same(ingest("{\"contact\":\"Ada\",\"surname\":\"King\",\"phone\":1}"),
         flat("First and last name are required."));
}


static void
test_list(void **state)
{
    int          i;
    char         path[256], *cursor;
    const char  *got;

    for (i = 0; i < 5; i++) {
        sprintf(path, "{\"first_name\":\"N%d\",\"last_name\":\"Lovelace\","
                "\"source\":\"s %d\",\"phone\":\"206-%d\","
                "\"email\":\"n%d@X.com\"%s}", i, i % 2, i, i,
                i == 3 ? ",\"assignee_id\":\"" USER "\"" : "");
        has(POST(path), "201 ");
        now += 1000000;
    }

    api(NGX_LEAD_POST, FIRST "/archive", "");

    has(GET("/api/leads"), "\"first_name\":\"N0\"");
    has(GET("/api/leads"), "],\"next_cursor\":null}");

    strcpy(path, "/api/leads?limit=2");

    for (i = 4; i > 0; i -= 2) {
        char  first[64], second[64];

        sprintf(first, "\"first_name\":\"N%d\"", i);
        sprintf(second, "\"first_name\":\"N%d\"", i - 1);

        got = GET(path);
        has(got, first);
        has(got, second);

        cursor = strstr(got, "\"next_cursor\":\"") + 15;
        sprintf(path, "/api/leads?limit=2&cursor=%.*s",
                (int) strcspn(cursor, "\""), cursor);
        assert_int_equal(strcspn(cursor, "\""), 82);
    }

    got = GET(path);
    has(got, "200 {\"data\":[{\"id\":"
        "\"a0a0a0a0-a0a0-a0a0-a0a0-a0a0a0a0a000\"");
    has(got, "\"next_cursor\":null");

    /* a cursor that is not ours, to the last bit */

    cursor = strstr(path, "cursor=") + 7;

    for (i = 0; i < 82; i++) {
        char  was = cursor[i];

        cursor[i] = '*';
        has(GET(path), "400 {\"error\":{\"code\":\"invalid_cursor\","
            "\"message\":\"The cursor is invalid.\"}}");
        cursor[i] = was;
    }

    cursor[81] ^= 1;
    has(GET(path), "400 ");
    cursor[81] ^= 1;
    has(GET(path), "200 ");
    strcat(path, "=");
    has(GET(path), "400 ");

    has(GET("/api/leads?cursor=MjAyNg"), "400 ");
    has(GET("/api/leads?cursor="), "200 ");
}


static void
test_list_filters(void **state)
{
    ngx_uint_t  i;

    static const struct {
        const char  *query;
        const char  *found;      /* last digits of ids, newest first */
    } lists[] = {
        { "", "210" },
        { "status=new", "20" },
        { "status=contacted", "1" },
        { "status=lost", "" },
        { "status=nope", "" },
        { "status=", "210" },
        { "source=web%20site", "1" },
        { "source=web+site", "1" },
        { "source=Web+site", "" },
        { "source=zapier", "2" },
        { "assignee=" USER, "2" },
        { "assignee=A1B2C3D4-0000-4000-8000-000000000000", "2" },
        { "assignee=b1b2c3d4-0000-4000-8000-000000000000", "" },
        { "assignee=nope", "" },
        { "q=LOVE", "10" },
        { "q=grace", "2" },
        { "q=@x.COM", "2" },
        { "q=206-1", "1" },
        { "q=%20%20", "210" },
        { "q=love&status=contacted", "1" },
        { "q=zo%C3%AB", "1" },
        { "q=new", "" },
        { "limit=1", "2" },
        { "limit=01", "2" },
        { "limit=0", "210" },
        { "limit=-1", "210" },
        { "limit=x", "210" },
        { "limit=99999999999999999999999", "210" }
    };

    POST("{" B "}");
    POST("{\"first_name\":\"Zo\xc3\xab\",\"last_name\":\"Glove\","
         "\"source\":\"web site\",\"phone\":\"206-1\"}");
    ingest("{\"firstName\":\"Grace\",\"lastName\":\"H\","
           "\"email\":\"G@X.com\"}");
    api(NGX_LEAD_PATCH, "/api/leads/a0a0a0a0-a0a0-a0a0-a0a0-a0a0a0a0a001",
        "{\"status\":\"contacted\"}");

    for (i = 0; i < count(lists); i++) {
        char         path[128], found[8], *f;
        const char  *p;

        sprintf(path, "/api/leads?%s", lists[i].query);
        f = found;

        for (p = GET(path); (p = strstr(p, "{\"id\":\"")) != NULL; p++) {
            *f++ = p[7 + 35];
        }

        *f = '\0';

        if (strcmp(found, lists[i].found) != 0) {
            fail_msg("?%s: found \"%s\"", lists[i].query, found);
        }
    }

    has(GET("/api/leads?q=nobody"), "200 {\"data\":[],\"next_cursor\":null}");

    GET("/api/leads?limit=200");
    assert_int_equal(call->list.limit, 200);
    GET("/api/leads?limit=201");
    assert_int_equal(call->list.limit, 200);
    GET("/api/leads");
    assert_int_equal(call->list.limit, 50);

    /* a document that is none must not pass for "not found" */

    leads[0].doc.len--;
    has(GET("/api/leads?q=x"), "500 ");
    has(GET("/api/leads"), "500 ");
    has(GET(FIRST), "500 ");
    has(PATCH("{\"first_name\":\"x\"}"),
        "503 {\"error\":{\"code\":\"unavailable\","
        "\"message\":\"Temporarily unavailable.\"}}");
}


static void
test_faults(void **state)
{
    ngx_uint_t  i;

    static const struct {
        ngx_lead_fault_e  kind;
        const char       *text;
    } faults[] = {
        { NGX_LEAD_FAULT_NO_ROUTE, "404 not_found Not found." },
        { NGX_LEAD_FAULT_NO_KEY, "401 missing_key Missing API key." },
        { NGX_LEAD_FAULT_BAD_KEY, "401 invalid_key Invalid API key." },
        { NGX_LEAD_FAULT_KEY_DISABLED,
          "403 key_disabled This API key is disabled." },
        { NGX_LEAD_FAULT_SCOPE, "403 insufficient_scope This API key is "
          "missing the required scope: leads:write." },
        { NGX_LEAD_FAULT_RATE, "429 rate_limited Rate limit exceeded." },
        { NGX_LEAD_FAULT_IDEMPOTENCY,
          "400 invalid_request Idempotency-Key is too long." },
        { NGX_LEAD_FAULT_TOO_LARGE,
          "413 payload_too_large Payload too large." },
        { NGX_LEAD_FAULT_BAD_REQUEST, "400 invalid_request Bad request." },
        { NGX_LEAD_FAULT_BAD_JSON, "400 invalid_json Invalid JSON body." },
        { NGX_LEAD_FAULT_NOT_FOUND, "404 not_found Lead not found." },
        { NGX_LEAD_FAULT_UNAVAILABLE,
          "503 unavailable Temporarily unavailable." },
        { NGX_LEAD_FAULT_INTERNAL,
          "500 internal_error An unexpected error occurred." }
    };

    for (i = 0; i < count(faults); i++) {
        char  status[4], code[32], want[256];
        int   n;

        sscanf(faults[i].text, "%3s %31s %n", status, code, &n);

        begin(NGX_LEAD_POST, "/api/leads", NULL);
        call->fault.kind = faults[i].kind;
        assert_int_equal(call->dialect->fault(call), NGX_OK);
        sprintf(want, "%s {\"error\":{\"code\":\"%s\",\"message\":\"%s\"}}",
                status, code, faults[i].text + n);
        same(answer(), want);

        assert_int_equal(call->dialect->headers(call), NGX_OK);
        assert_int_equal(call->nheaders, 1);

        /* the same to an ingestion key: flat, and without a version */

        if (faults[i].kind == NGX_LEAD_FAULT_INTERNAL) {
            continue;
        }

        begin(NGX_LEAD_POST, "/api/leads", &sources[0]);
        call->fault.kind = faults[i].kind;
        assert_int_equal(call->dialect->fault(call), NGX_OK);
        sprintf(want, "%s {\"error\":\"%s\"}", status, faults[i].text + n);
        same(answer(), want);

        assert_int_equal(call->dialect->headers(call), NGX_OK);
        assert_int_equal(call->nheaders, 0);
    }

    begin(NGX_LEAD_GET, "/api/leads", NULL);
    call->fault.kind = NGX_LEAD_FAULT_SCOPE;
    assert_int_equal(call->dialect->fault(call), NGX_OK);
    has(answer(), "missing the required scope: leads:read.");

    begin(NGX_LEAD_POST, "/api/leads", NULL);
    call->fault.kind = NGX_LEAD_FAULT_SOURCE_DISABLED;
    assert_int_equal(call->dialect->fault(call), NGX_OK);
    same(answer(), "403 {\"error\":\"This source is disabled.\"}");

    /* before a route is known */

    begin(NGX_LEAD_POST, "/api/leads", NULL);
    call->route = NULL;
    call->account = NULL;
    call->fault.kind = NGX_LEAD_FAULT_METHOD;
    assert_int_equal(call->dialect->fault(call), NGX_OK);
    same(answer(), "405 ");
}


static void
test_version(void **state)
{
    ngx_uint_t  i;

    static const char  *versions[][2] = {
        { "", "2026-07-01" },
        { "2025-01-01", "2025-01-01" },
        { "anything", "anything" },
        { "1234567890123456789012345678901234567890123456789012345678901234",
          "1234567890123456789012345678901234567890123456789012345678901234"
        },
        { "12345678901234567890123456789012345678901234567890123456789012345",
          "2026-07-01" }
    };

    for (i = 0; i < count(versions); i++) {
        begin(NGX_LEAD_GET, "/api/leads", NULL);
        str(&call->in[0], versions[i][0]);
        assert_int_equal(call->dialect->headers(call), NGX_OK);
        assert_int_equal(call->nheaders, 1);
        same(call->headers[0].name, "Lawfficient-Version");
        assert_int_equal(call->headers[0].value.len, strlen(versions[i][1]));
        assert_memory_equal(call->headers[0].value.data, versions[i][1],
                            call->headers[0].value.len);
    }
}


static ngx_lead_json_t *
resolve(ngx_lead_json_t *root, ngx_str_t *ref)
{
    u_char  *p, *last, *end;

    p = ref->data + 2;
    last = ref->data + ref->len;

    for ( /* void */ ; p < last; p = end + 1) {
        end = ngx_strlchr(p, last, '/');
        end = end ? end : last;
        root = ngx_lead_json_find(root, p, end - p);
    }

    return root;
}


static void
references(ngx_lead_json_t *root, ngx_lead_json_t *node, ngx_uint_t *n)
{
    ngx_lead_json_t  *child;

    for (child = node->first; child; child = child->next) {

        if (child->name.len == 4 && memcmp(child->name.data, "$ref", 4) == 0) {
            assert_memory_equal(child->text.data, "#/", 2);

            if (resolve(root, &child->text) == NULL) {
                fail_msg("no %.*s", (int) child->text.len, child->text.data);
            }

            (*n)++;
        }

        references(root, child, n);
    }
}


/* the document says all that the table of routes says, and nothing else */

/* a webhook carries the lead as it is shown */

static void
check_notice(const lead_t *about, const char *shown, int line)
{
    char               *want;
    ngx_str_t           text;
    ngx_lead_json_t    *root;
    ngx_lead_notice_t   n;

    memset(&n, 0, sizeof(ngx_lead_notice_t));

    n.pool = pool;
    n.account = &account;
    n.lead = about;
    n.time = CREATED + 1234567;
    memset(n.id.b, 0xe1, sizeof(n.id.b));
    str(&n.type, "lead.updated");

    assert_int_equal(call->dialect->notice(&n, NULL, &root), NGX_OK);
    assert_int_equal(ngx_lead_json_print(pool, root, &text), NGX_OK);

    want = ngx_pcalloc(pool, strlen(shown) + 256);
    sprintf(want, "{\"id\":\"e1e1e1e1-e1e1-e1e1-e1e1-e1e1e1e1e1e1\","
                  "\"type\":\"lead.updated\","
                  "\"created_at\":\"2026-06-24T10:00:01.234Z\","
                  "\"data\":%s}", shown + sizeof("200 ") - 1);

    shown = ngx_pcalloc(pool, text.len + 1);
    memcpy((char *) shown, text.data, text.len);

    check_same(shown, want, line);
}

#define noticed(n, shown)  check_notice(&leads[n], shown, __LINE__)


static void
test_notice(void **state)
{
    char     path[] = FIRST;
    size_t   i;
    lead_t  *other;

    static const char  *others[] = {
        "{\"dialect\":\"reflekt\",\"email\":\"A@x.co\",\"phone\":\"5\","
        "\"email_key\":\"a@x.co\",\"display_name\":\"A\",\"notes\":[{}]}",
        "{\"dialect\":\"flextell\",\"first_name\":\"Zo\xc3\xab\","
        "\"source\":{\"key\":\"w\",\"name\":\"Web\"},"
        "\"assignee\":{\"id\":\"" USER "\",\"number\":11},"
        "\"stage\":{\"pipeline\":\"p\",\"key\":\"k\",\"name\":\"K\"}}",
        "{\"dialect\":\"kickofflabs\",\"custom_fields\":{\"city\":\"B\"},"
        "\"first_name\":7,\"stage\":[],\"assignee\":{\"id\":5},"
        "\"data\":\"city\"}",
        "{}"
    };

    noticed(0, POST("{" B ",\"data\":{\"caseType\":\"Family\","
                    "\"city\":\"\\\"\\\\\\u0001\xf0\x9f\xa6\x8a\"}}"));
    now += 5000000;
    noticed(0, PATCH("{\"phone\":\"206 555 0100\",\"status\":\"retained\","
                     "\"assignee_id\":\"" USER "\"}"));
    noticed(0, api(NGX_LEAD_POST, FIRST "/archive", ""));

    /* leads of other dialects, and imported ones */

    for (i = 0; i < count(others); i++) {
        other = &leads[nleads];
        memset(other, 0, sizeof(lead_t));
        memset(other->id.b, 0xa0, sizeof(other->id.b));
        other->id.b[15] = (uint8_t) nleads++;
        other->doc.len = strlen(others[i]);
        other->doc.data = bytes(others[i], other->doc.len).data;

        path[sizeof(FIRST) - 2] = (char) ('1' + i);

        noticed(i + 1, GET(path));
    }
}


static void
test_openapi(void **state)
{
    char               name[64], *p;
    size_t             len;
    ngx_str_t          text;
    ngx_uint_t         n;
    const char        *why, *got;
    ngx_lead_json_t   *root, *paths, *path, *op, *node;
    ngx_lead_route_t  *r;

    got = GET("/api/openapi.json");
    assert_memory_equal(got, "200 ", 4);
    str(&text, got + 4);
    assert_int_equal(ngx_lead_json_parse(pool, &text, &root, &why), NGX_OK);

    n = 0;
    references(root, root, &n);
    assert_true(n > 50);

    paths = ngx_lead_json_get(root, "paths");
    n = 0;

    for (path = paths->first; path; path = path->next) {
        n += path->n;
    }

    for (r = call->dialect->routes; r->path.len; r++, n--) {

        p = strstr((char *) r->path.data, "{}");
        len = p ? (size_t) (p - (char *) r->path.data) : r->path.len;
        sprintf(name, "%.*s%s%s", (int) len, r->path.data,
                p ? "{id}" : "", p ? p + 2 : "");

        path = ngx_lead_json_find(paths, (u_char *) name, strlen(name));
        op = (r->methods == NGX_LEAD_GET) ? ngx_lead_json_get(path, "get")
             : (r->methods == NGX_LEAD_POST) ? ngx_lead_json_get(path, "post")
             : ngx_lead_json_get(path, "patch");

        if (op == NULL) {
            fail_msg("%s, method %d is missing", name, (int) r->methods);
        }

        assert_int_equal(ngx_lead_json_get(op, "requestBody") != NULL,
                         r->body == NGX_LEAD_BODY_JSON);
        assert_int_equal(ngx_lead_json_get(op, "security") == NULL,
                         r->scope != 0);
    }

    assert_int_equal(n, 0);

    /* a lead has the members said there, all of them */

    node = ngx_lead_json_get(ngx_lead_json_get(root, "components"),
                             "schemas");
    node = ngx_lead_json_get(ngx_lead_json_get(node, "Lead"), "properties");
    assert_int_equal(node->n, 12);

    got = POST("{" B "}");
    str(&text, got + 4);
    assert_int_equal(ngx_lead_json_parse(pool, &text, &root, &why), NGX_OK);

    for (path = root->first; path; path = path->next, node->n--) {
        assert_non_null(ngx_lead_json_find(node, path->name.data,
                                           path->name.len));
    }

    assert_int_equal(node->n, 0);
}


/* memory that is short at any one place gives a 500 and leaves all as it was,
 * or does not matter */

static void
test_memory(void **state)
{
    ngx_uint_t   i, n, before, failed;
    const char  *got;

    static const struct {
        ngx_uint_t          method;
        const char         *path;
        ngx_lead_source_t  *source;
        const char         *body;
    } calls[] = {
        { NGX_LEAD_POST, "/api/leads", NULL,
          "{" B ",\"data\":{\"city\":\"x\"}}" },
        { NGX_LEAD_POST, "/api/leads", NULL,
          "{" B ",\"data\":{\"caseType\":\"x\"}}" },
        { NGX_LEAD_PATCH, FIRST, NULL,
          "{\"first_name\":\"x\",\"status\":\"contacted\",\"phone\":\"1\","
          "\"assignee_id\":\"" USER "\",\"data\":{\"city\":\"y\"}}" },
        { NGX_LEAD_PATCH, FIRST, NULL, "{\"data\":{\"caseType\":\"x\"}}" },
        { NGX_LEAD_POST, FIRST "/archive", NULL, "" },
        { NGX_LEAD_GET, "/api/leads?q=x&limit=1", NULL, "" },
        { NGX_LEAD_GET, FIRST, NULL, "" },
        { NGX_LEAD_POST, "/api/leads", &sources[0],
          "{\"firstName\":\"A\",\"lastName\":1,\"phone\":2.5,\"zip\":\"9\","
          "\"externalId\":\"12\",\"k\":1,\"email\":\"q@x.com\"}" }
    };

    ingest("{\"firstName\":\"Ax\",\"lastName\":\"B\",\"phone\":\"1\","
           "\"externalId\":\"12\",\"k\":{}}");
    POST("{" B ",\"data\":{\"city\":\"x\"}}");

    for (i = 0; i < count(calls); i++) {

        failed = 0;

        for (n = 1; /* void */ ; n++) {
            before = nleads;

            got = api_bytes(calls[i].method, calls[i].path, calls[i].source,
                            calls[i].body, strlen(calls[i].body), n);

            if (ngx_pool_fail_at) {
                ngx_pool_fail_at = 0;
                break;
            }

            if (memcmp(got, "500 ", 4) == 0) {
                failed++;
            }

            /* the answer may fail after the commit, as on a real server */

            if (nleads > before) {
                free((void *) leads[--nleads].doc.data);
                free((void *) matches[nleads].value.data);
                memset(&matches[nleads], 0, sizeof(lead_match_t));
            }
        }

        assert_true(failed > 0);
        assert_true(memcmp(got, "500 ", 4) != 0);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_create, setup, teardown),
        cmocka_unit_test_setup_teardown(test_create_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_data, setup, teardown),
        cmocka_unit_test_setup_teardown(test_read, setup, teardown),
        cmocka_unit_test_setup_teardown(test_patch, setup, teardown),
        cmocka_unit_test_setup_teardown(test_patch_forgotten, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_archive, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ingest, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ingest_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_ingest_members, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_ingest_mapping, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_list, setup, teardown),
        cmocka_unit_test_setup_teardown(test_list_filters, setup, teardown),
        cmocka_unit_test_setup_teardown(test_faults, setup, teardown),
        cmocka_unit_test_setup_teardown(test_version, setup, teardown),
        cmocka_unit_test_setup_teardown(test_notice, setup, teardown),
        cmocka_unit_test_setup_teardown(test_openapi, setup, teardown),
        cmocka_unit_test_setup_teardown(test_memory, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
