
/*
 * Copyright (C) the ngx_lead authors
 *
 * Bodies of webhooks byte by byte, in each format, and the headers that sign
 * them, against values that were made elsewhere: Standard Webhooks' own test
 * vector, and Python's hmac.
 *
 * The real table of dialects is linked; that a vendor's lead is the one its
 * API shows is proven where that API is tested.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include "ngx_lead_payload.h"
#include "ngx_pool.h"


#define CREATED            1782295200000000LL      /* 2026-06-24T10:00:00Z */
#define NOW                1782295205
#define ID                 "0190c9a0-1111-7222-8333-444455556666"
#define LEAD               "0190c9a0-aaaa-7bbb-8ccc-ddddeeeeffff"
#define NOBODY             "00000000-0000-0000-0000-000000000000"

#define FIXED                                                                 \
    "Content-Type: application/json\r\n"                                      \
    "User-Agent: ngx_lead/" NGX_LEAD_VERSION "\r\n"

#define MESSAGE                                                               \
    "{\"a\":\"Zo\xc3\xab \xe6\x9d\x8e \xf0\x9f\xa6\x8a\"}"

#define count(array)       (sizeof(array) / sizeof(array[0]))

#define str(s, text)                                                          \
    (s)->data = (u_char *) text;                                              \
    (s)->len = sizeof(text) - 1


static ngx_pool_t           *pool;
static ngx_lead_account_t    account;
static ngx_lead_webhook_t    hook;
static ngx_lead_campaign_t   campaign;
static ngx_lead_data_t       field;
static ngx_str_t             secrets[2];
static ngx_keyval_t          headers[8];
static lead_t                lead;
static ngx_lead_notice_t     n;


/* what other parts of dialects need of nginx: linked, and not called here.
 * Weak: unless it is there. */

#define unused(type, name, args)                                              \
    type name args;                                                           \
    __attribute__((weak)) type name args { abort(); }

unused(void, ngx_sha1_init, (void *ctx))
unused(void, ngx_sha1_update, (void *ctx, const void *data, size_t size))
unused(void, ngx_sha1_final, (u_char result[20], void *ctx))
unused(u_char *, ngx_hex_dump, (u_char *dst, u_char *src, size_t len))
unused(ngx_int_t, ngx_strncasecmp, (u_char *s1, u_char *s2, size_t len))
unused(ngx_int_t, ngx_memn2cmp, (u_char *s1, u_char *s2, size_t n1,
       size_t n2))
unused(ngx_int_t, ngx_atoi, (u_char *line, size_t len))
unused(u_char *, ngx_sprintf, (u_char *buf, const char *fmt, ...))
unused(u_char *, ngx_snprintf, (u_char *buf, size_t max, const char *fmt,
       ...))
unused(uint32_t, ngx_utf8_decode, (u_char **p, size_t len))

__attribute__((weak)) volatile ngx_time_t  *ngx_cached_time;


static lead_id_t
id(const char *text)
{
    lead_id_t     value;
    lead_bytes_t  bytes;

    bytes.data = (const uint8_t *) text;
    bytes.len = LEAD_ID_TEXT_LEN;

    assert_int_equal(lead_store_id_parse(bytes, &value), 0);

    return value;
}


static void
document(const char *text)
{
    lead.doc.data = (const uint8_t *) text;
    lead.doc.len = strlen(text);
}


static void
event(const char *type, const char *data)
{
    n.type.data = (u_char *) type;
    n.type.len = strlen(type);
    n.data.data = (u_char *) data;
    n.data.len = strlen(data);
}


static int
setup(void **state)
{
    ngx_pool_fail_at = 0;
    pool = ngx_create_pool(4096, NULL);

    memset(&account, 0, sizeof(account));
    memset(&campaign, 0, sizeof(campaign));
    memset(&field, 0, sizeof(field));
    memset(&hook, 0, sizeof(hook));
    memset(&lead, 0, sizeof(lead));
    memset(&n, 0, sizeof(n));

    str(&account.name, "acme");

    str(&campaign.name, "spring");
    campaign.number = 135544;
    str(&campaign.url, "https://x.co/");
    account.campaigns.elts = &campaign;
    account.campaigns.nelts = 1;

    str(&field.key, "city");
    account.data.elts = &field;
    account.data.nelts = 1;

    hook.secrets.elts = secrets;
    hook.headers.elts = headers;

    lead.id = id(LEAD);
    lead.number = 42;
    lead.created = CREATED;
    lead.updated = CREATED + 3000000;
    lead.activity = CREATED + 2000000;
    document("{}");

    n.pool = pool;
    n.account = &account;
    n.webhook = &hook;
    n.id = id(ID);
    n.time = CREATED + 4005999;
    n.lead = &lead;
    event("lead.created", "");

    return pool ? 0 : -1;
}


static int
teardown(void **state)
{
    ngx_destroy_pool(pool);

    return 0;
}


static const char *
text(ngx_str_t *s)
{
    char  *p;

    p = ngx_pcalloc(pool, s->len + 1);
    memcpy(p, s->data, s->len);

    return p;
}


static void
check(const char *want, int line)
{
    ngx_str_t    body;
    const char  *got;

    if (ngx_lead_payload(&n, &body) != NGX_OK) {
        fail_msg("line %d: no body", line);
    }

    got = text(&body);

    if (strlen(got) != body.len || strcmp(got, want) != 0) {
        fail_msg("line %d: got  %s\nwant %s", line, got, want);
    }
}

#define body(want)         check(want, __LINE__)


#define HEAD(type)                                                            \
    "{\"type\":\"" type "\",\"timestamp\":\"2026-06-24T10:00:04.005Z\","      \
    "\"data\":{\"id\":\"" LEAD "\",\"number\":42,\"account\":\"acme\","       \
    "\"created_at\":\"2026-06-24T10:00:00.000Z\","                            \
    "\"updated_at\":\"2026-06-24T10:00:03.000Z\","                            \
    "\"last_activity_at\":\"2026-06-24T10:00:02.000Z\","

#define PLAIN(type)        HEAD(type) "\"archived\":false,\"opted_out\":false"


static void
test_standard(void **state)
{
    body(PLAIN("lead.created") "}}");

    document("{\"dialect\": \"flextell\", \"first_name\": \"Zo\xc3\xab\","
             " \"stage\": {\"pipeline\":\"p\", \"key\":\"new\"}, \"n\": 1.50,"
             " \"notes\": [ {\"text\":\"\\u674e\\ud83e\\udd8a\\n\\u0001\"} ],"
             " \"none\": null, \"\": true }");

    body(PLAIN("lead.created") ",\"dialect\":\"flextell\","
         "\"first_name\":\"Zo\xc3\xab\","
         "\"stage\":{\"pipeline\":\"p\",\"key\":\"new\"},\"n\":1.50,"
         "\"notes\":[{\"text\":\"\xe6\x9d\x8e\xf0\x9f\xa6\x8a\\n\\u0001\"}],"
         "\"none\":null,\"\":true}}");

    document("{\"email\":\"a@x.co\"}");
    event("lead.status_changed", "{ \"from\": \"new\", \"to\": \"won\" }");

    body(PLAIN("lead.status_changed") ",\"email\":\"a@x.co\","
         "\"event\":{\"from\":\"new\",\"to\":\"won\"}}}");

    lead.flags = LEAD_FLAG_ARCHIVED;
    event("lead.archived", "");
    body(HEAD("lead.archived") "\"archived\":true,\"opted_out\":false,"
         "\"email\":\"a@x.co\"}}");

    lead.flags = LEAD_FLAG_OPTED_OUT;
    body(HEAD("lead.archived") "\"archived\":false,\"opted_out\":true,"
         "\"email\":\"a@x.co\"}}");
}


/* what a lead is by itself does not come out of its document, nor an event;
 * names that only look like those are free */

static void
test_standard_names(void **state)
{
    document("{\"id\":1,\"number\":\"x\",\"account\":\"other\","
             "\"created_at\":0,\"updated_at\":0,\"last_activity_at\":0,"
             "\"archived\":1,\"opted_out\":1,\"event\":{},"
             "\"Id\":1,\"events\":2,\"type\":3,\"data\":{\"id\":4},"
             "\"timestamp\":5}");

    body(PLAIN("lead.created") ",\"Id\":1,\"events\":2,\"type\":3,"
         "\"data\":{\"id\":4},\"timestamp\":5}}");

    event("lead.updated", "[\"email\"]");

    body(PLAIN("lead.updated") ",\"Id\":1,\"events\":2,\"type\":3,"
         "\"data\":{\"id\":4},\"timestamp\":5,\"event\":[\"email\"]}}");
}


/* an event's data that are no JSON are not there; a type is any text */

static void
test_standard_event(void **state)
{
    size_t  i;

    static const char  *bad[] = { "{", "{}{}", " ", "\xff", "{\"a\":\"\xc3\"}",
                                  "\xef\xbb\xbf{}" };

    for (i = 0; i < count(bad); i++) {
        event("lead.updated", bad[i]);
        body(PLAIN("lead.updated") "}}");
    }

    event("a\"\r\nb", "0");

    body("{\"type\":\"a\\\"\\r\\nb\"," "\"timestamp\":"
         "\"2026-06-24T10:00:04.005Z\",\"data\":{\"id\":\"" LEAD "\","
         "\"number\":42,\"account\":\"acme\","
         "\"created_at\":\"2026-06-24T10:00:00.000Z\","
         "\"updated_at\":\"2026-06-24T10:00:03.000Z\","
         "\"last_activity_at\":\"2026-06-24T10:00:02.000Z\","
         "\"archived\":false,\"opted_out\":false,\"event\":0}}");
}


static void
test_lawfficient(void **state)
{
    hook.format = NGX_LEAD_WEBHOOK_LAWFFICIENT;

    document("{\"first_name\":\"Ada\",\"last_name\":\"L\","
             "\"email\":\"A@x.co\",\"email_key\":\"a@x.co\","
             "\"source\":{\"name\":\"ads\"},\"data\":{\"city\":\"B\"},"
             "\"stage\":{\"pipeline\":\"p\",\"key\":\"new\",\"name\":\"N\"}}");
    event("lead.created", "{\"secret\":1}");

    body("{\"id\":\"" ID "\",\"type\":\"lead.created\","
         "\"created_at\":\"2026-06-24T10:00:04.005Z\","
         "\"data\":{\"id\":\"" LEAD "\",\"first_name\":\"Ada\","
         "\"last_name\":\"L\",\"email\":\"a@x.co\",\"phone\":\"\","
         "\"source\":\"ads\",\"status\":{\"key\":\"new\",\"name\":\"N\"},"
         "\"assignee_id\":null,\"archived\":false,"
         "\"created_at\":\"2026-06-24T10:00:00.000Z\","
         "\"last_activity_at\":\"2026-06-24T10:00:02.000Z\","
         "\"data\":{\"city\":\"B\"}}}");

    /* of another dialect, and an event the vendor has not */

    document("{\"dialect\":\"reflekt\",\"phone\":\"5\"}");
    event("lead.scored", "");

    body("{\"id\":\"" ID "\",\"type\":\"lead.scored\","
         "\"created_at\":\"2026-06-24T10:00:04.005Z\","
         "\"data\":{\"id\":\"" LEAD "\",\"first_name\":\"\","
         "\"last_name\":\"\",\"email\":\"\",\"phone\":\"5\","
         "\"source\":\"reflekt\",\"status\":{\"key\":\"\",\"name\":\"\"},"
         "\"assignee_id\":null,\"archived\":false,"
         "\"created_at\":\"2026-06-24T10:00:00.000Z\","
         "\"last_activity_at\":\"2026-06-24T10:00:02.000Z\","
         "\"data\":{}}}");
}


#define KOL(id, social, number, campaign, avatar, times)                      \
    "{\"id\":" id ",\"social_id\":" social ",\"rank\":" number ","            \
    "\"counter\":" times ",\"lead_count\":null,\"contest_score\":0,"          \
    "\"contest_score_rank\":null,"                                            \
    "\"contest_score_rank_relative_position\":null,"                          \
    "\"rank_relative_position\":null,\"campaign_id\":" campaign ","           \
    "\"list_id\":" campaign ",\"given_name\":null,\"first_name\":null,"       \
    "\"avatar\":" avatar ",\"when\":\"2026-06-24T10:00:00+00:00\","           \
    "\"enhanced\":false,\"anonymous\":false,\"verified\":false,"              \
    "\"verified_email\":false,\"verified_phone_number\":false,"               \
    "\"waitlisted\":false,\"display_name\":null,\"completed_actions\":[],"    \
    "\"social_url\":null,\"redirect_url\":null,\"thankyou_url\":null,"        \
    "\"status_url\":null,\"email\":null,\"phone_number\":null,"               \
    "\"family_name\":null,\"custom_fields\":{},\"unsubscribe_url\":"          \
    "{\"default\":null,\"safe\":null},\"uid\":null,\"parent_id\":null,"       \
    "\"opted_out\":false,\"utm\":{},\"tags\":[],\"referrals\":null,"          \
    "\"unverified_leads\":{\"indirect\":null,\"direct\":null},"               \
    "\"verified_leads\":{\"indirect\":null,\"direct\":null},"                 \
    "\"influence\":{\"indirect\":null,\"direct\":null},"                      \
    "\"subscription_number\":" number ",\"ip\":null,\"referrer\":null,"       \
    "\"fraudulent\":false,"


static void
test_kickofflabs(void **state)
{
    size_t     i;
    ngx_str_t  got;

    static const char  *names[][2] = {
        { "lead.created", "\"__event\":\"new_signup\"}" },
        { "lead.updated", "\"__event\":\"repeat_signup\"}" },
        { "lead.scored", "\"__event\":\"score_change\",\"__score_change\":"
          "{\"current_contest_score\":null,"
          "\"previous_contest_score\":null}}" },
        { "lead.referral", "\"__event\":\"referral\",\"__referral\":"
          "{\"email\":null,\"social_id\":null,\"phone_number\":null}}" },
        { "lead.status_changed", "\"__event\":\"lead.status_changed\"}" },
        { "lead.assigned", "\"__event\":\"lead.assigned\"}" },
        { "lead.archived", "\"__event\":\"lead.archived\"}" },
        { "lead.note_added", "\"__event\":\"lead.note_added\"}" },
        { "webhook.test", "\"__event\":\"webhook.test\"}" },
        { "lead.create", "\"__event\":\"lead.create\"}" }
    };

    hook.format = NGX_LEAD_WEBHOOK_KICKOFFLABS;

    /* a lead of which nothing is known but that it came */

    for (i = 0; i < count(names); i++) {
        char  want[2048];

        sprintf(want, "%s%s", KOL("42", "null", "null", "null", "null",
                                  "null"), names[i][1]);
        event(names[i][0], "");
        body(want);
    }

    /* in a campaign by another dialect: it has no number there */

    document("{\"dialect\":\"reflekt\",\"campaign\":{\"name\":\"spring\","
             "\"number\":1}}");
    event("lead.created", "");
    body(KOL("42", "null", "null", "135544", "null", "null")
         "\"__event\":\"new_signup\"}");

    document("{\"campaign\":{\"name\":\"gone\",\"number\":9},"
             "\"social_id\":\"ABCDEF\",\"counter\":3}");
    event("lead.updated", "");
    body(KOL("42", "\"ABCDEF\"", "null", "9", "null", "3")
         "\"__event\":\"repeat_signup\"}");

    /* a sign-up: the last one of its campaign, referrer of nobody */

    document("{\"campaign\":{\"name\":\"spring\"},\"social_id\":\"ABCDEF\","
             "\"counter\":1,\"subscription_number\":12}");
    event("lead.created", "");
    assert_int_equal(ngx_lead_payload(&n, &got), NGX_OK);

    assert_non_null(strstr(text(&got), "\"rank\":12,\"counter\":1,"
                                       "\"lead_count\":12,"));
    assert_non_null(strstr(text(&got), "\"rank_relative_position\":11,"));
    assert_non_null(strstr(text(&got), "\"social_url\":"
                                       "\"https://x.co/?kid=ABCDEF\","));
    assert_non_null(strstr(text(&got), "\"referrals\":0,\"unverified_leads\":"
                                       "{\"indirect\":0,\"direct\":0},"));
    assert_non_null(strstr(text(&got), "\"subscription_number\":12,"));
}


/* about a lead that is not there */

static void
test_test(void **state)
{
    memset(&lead.id, 0, sizeof(lead.id));
    lead.number = 0;
    document("{\"test\":true,\"first_name\":\"Test\"}");
    event("webhook.test", "");

    body("{\"type\":\"webhook.test\","
         "\"timestamp\":\"2026-06-24T10:00:04.005Z\","
         "\"data\":{\"id\":\"" NOBODY "\",\"number\":0,\"account\":\"acme\","
         "\"created_at\":\"2026-06-24T10:00:00.000Z\","
         "\"updated_at\":\"2026-06-24T10:00:03.000Z\","
         "\"last_activity_at\":\"2026-06-24T10:00:02.000Z\","
         "\"archived\":false,\"opted_out\":false,\"test\":true,"
         "\"first_name\":\"Test\"}}");

    hook.format = NGX_LEAD_WEBHOOK_LAWFFICIENT;

    body("{\"id\":\"" ID "\",\"type\":\"webhook.test\","
         "\"created_at\":\"2026-06-24T10:00:04.005Z\","
         "\"data\":{\"id\":\"" NOBODY "\",\"first_name\":\"Test\","
         "\"last_name\":\"\",\"email\":\"\",\"phone\":\"\",\"source\":\"\","
         "\"status\":{\"key\":\"\",\"name\":\"\"},\"assignee_id\":null,"
         "\"archived\":false,\"created_at\":\"2026-06-24T10:00:00.000Z\","
         "\"last_activity_at\":\"2026-06-24T10:00:02.000Z\",\"data\":{}}}");

    hook.format = NGX_LEAD_WEBHOOK_KICKOFFLABS;
    document("{}");

    body(KOL("0", "null", "null", "null", "null", "null")
         "\"__event\":\"webhook.test\"}");
}


static void
test_no_document(void **state)
{
    size_t      i;
    ngx_str_t   got;
    ngx_uint_t  format;

    static const char  *bad[] = { "", "{", "[]", "1", "\"\"", "null",
                                  "{\"a\":\"\xff\"}", "{}x" };

    for (format = NGX_LEAD_WEBHOOK_STANDARD;
         format <= NGX_LEAD_WEBHOOK_KICKOFFLABS;
         format++)
    {
        hook.format = format;
        n.lead = &lead;

        for (i = 0; i < count(bad); i++) {
            document(bad[i]);
            assert_int_equal(ngx_lead_payload(&n, &got), NGX_DECLINED);
        }

        n.lead = NULL;
        assert_int_equal(ngx_lead_payload(&n, &got), NGX_DECLINED);
    }
}


static void
check_lines(const char *want, int line)
{
    ngx_str_t    message, got;
    const char  *lines;

    str(&message, MESSAGE);

    if (ngx_lead_payload_headers(&n, NOW, &message, &got) != NGX_OK) {
        fail_msg("line %d: no headers", line);
    }

    lines = text(&got);

    if (strlen(lines) != got.len || strcmp(lines, want) != 0) {
        fail_msg("line %d: got  %s\nwant %s", line, lines, want);
    }
}

#define lines(want)        check_lines(want, __LINE__)


#define STANDARD                                                              \
    "webhook-id: " ID "\r\nwebhook-timestamp: 1782295205\r\n"

#define FIRST    "v1,FsZ2vtbvMAmtG9bHCE3Ww2LNsVSpG4dAkqs06GrkL2A="
#define SECOND   "v1,62hQVuM6EkaEQCr0NPgWd2W/HrpdeiBA6DaU+5xBAko="


static void
test_standard_lines(void **state)
{
    size_t  i;

    static u_char  first[32], second[24];

    for (i = 0; i < sizeof(first); i++) {
        first[i] = (u_char) (i + 1);
    }

    memset(second, 0xff, sizeof(second));

    secrets[0].data = first;
    secrets[0].len = sizeof(first);
    secrets[1].data = second;
    secrets[1].len = sizeof(second);

    lines(FIXED STANDARD);

    hook.secrets.nelts = 1;
    lines(FIXED STANDARD "webhook-signature: " FIRST "\r\n");

    /* while one takes the other's place */

    hook.secrets.nelts = 2;
    lines(FIXED STANDARD "webhook-signature: " FIRST " " SECOND "\r\n");
}


/* libraries/javascript/src/webhook.test.ts, "sign function works" */

static void
test_standard_vector(void **state)
{
    ngx_str_t    message_id, message, got;
    ngx_array_t  list;

    str(&message_id, "msg_p5jXN8AQM9LWM0D4loKWxJek");
    str(&message, "{\"test\": 2432232314}");

    /* whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw */

    str(&secrets[0], "\x31\xf2\x90\xf6\xbf\x06\x29\x8a\xab\x4f\x08\xd4"
                     "\x3c\x3f\x08\x2c\xf6\x48\xa3\x62\xda\x2d\xa4\xb0");
    list.elts = secrets;
    list.nelts = 1;

    assert_int_equal(ngx_lead_payload_sign(pool, &list, &message_id,
                                           1614265330, &message, &got),
                     NGX_OK);
    assert_string_equal(text(&got),
                        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}


static void
test_lawfficient_lines(void **state)
{
    hook.format = NGX_LEAD_WEBHOOK_LAWFFICIENT;

    /* the key is the secret's text, whole */

    str(&secrets[0], "whsec_newer");
    str(&secrets[1], "whsec_older");

    lines(FIXED);

    hook.secrets.nelts = 1;
    lines(FIXED "Lawfficient-Signature: t=1782295205,v1="
          "93d3c58cb62ae669b9206f15c280a7bf8748b065b83ebdc6e0a46a80dd94065c"
          "\r\n");

    hook.secrets.nelts = 2;
    lines(FIXED "Lawfficient-Signature: t=1782295205,v1="
          "93d3c58cb62ae669b9206f15c280a7bf8748b065b83ebdc6e0a46a80dd94065c"
          ",v1="
          "8426057d1a0d9ccdc7782e21068e6970a34885f33820561640387dc67b153391"
          "\r\n");
}


static void
test_kickofflabs_lines(void **state)
{
    hook.format = NGX_LEAD_WEBHOOK_KICKOFFLABS;
    str(&secrets[0], "x");

    hook.secrets.nelts = 1;
    lines(FIXED);
}


/* each header is one line, or it is not there */

static void
test_headers(void **state)
{
    hook.format = NGX_LEAD_WEBHOOK_KICKOFFLABS;

    str(&headers[0].key, "Authorization");
    str(&headers[0].value, "Bearer x\ty \"z\"; \xc3\xab: ,");
    str(&headers[1].key, "X-Empty");
    str(&headers[1].value, "");
    hook.headers.nelts = 2;

    lines(FIXED "Authorization: Bearer x\ty \"z\"; \xc3\xab: ,\r\n"
          "X-Empty: \r\n");

    str(&headers[0].value, "a\r\nX-Planted: 1");
    str(&headers[2].key, "X-A");
    str(&headers[2].value, "a\nb");
    str(&headers[3].key, "X-A\r\nX-Planted");
    str(&headers[3].value, "1");
    str(&headers[4].key, "X-A: 1\r\n\r\n");
    str(&headers[4].value, "1");
    str(&headers[5].key, "X-A");
    str(&headers[5].value, "a\0b");
    str(&headers[6].key, "");
    str(&headers[6].value, "x");
    str(&headers[7].key, "X-B");
    str(&headers[7].value, "b");
    hook.headers.nelts = 8;

    lines(FIXED "X-Empty: \r\nX-B: b\r\n");

    /* whatever an event is called, no header tells */

    event("lead.created\r\nX-Planted: 1", "");
    lines(FIXED "X-Empty: \r\nX-B: b\r\n");
}


/* each allocation fails in its turn */

static void
test_memory(void **state)
{
    ngx_int_t   rc;
    ngx_str_t   got, message;
    ngx_uint_t  i, format, failed;

    str(&message, MESSAGE);
    str(&secrets[0], "first");
    str(&secrets[1], "second");
    hook.secrets.nelts = 2;
    str(&headers[0].key, "X-A");
    str(&headers[0].value, "a");
    hook.headers.nelts = 1;

    document("{\"email\":\"a@x.co\",\"stage\":{\"key\":\"k\"},"
             "\"campaign\":{\"name\":\"spring\"},\"social_id\":\"ABCDEF\","
             "\"data\":{\"city\":\"B\"},\"custom_fields\":{\"a\":[1,{}]}}");
    event("lead.scored", "{\"current_contest_score\":1}");

    for (format = NGX_LEAD_WEBHOOK_STANDARD;
         format <= NGX_LEAD_WEBHOOK_KICKOFFLABS;
         format++)
    {
        hook.format = format;

        for (i = 1, failed = 0; /* void */ ; i++, failed++) {
            ngx_pool_fail_at = i;
            rc = ngx_lead_payload(&n, &got);

            if (rc == NGX_OK) {
                break;
            }

            assert_int_equal(rc, NGX_ERROR);
        }

        assert_true(failed > 10);
        assert_true(ngx_pool_fail_at > 0);

        for (i = 1, failed = 0; /* void */ ; i++, failed++) {
            ngx_pool_fail_at = i;
            rc = ngx_lead_payload_headers(&n, NOW, &message, &got);

            if (rc == NGX_OK) {
                break;
            }

            assert_int_equal(rc, NGX_ERROR);
        }

        assert_true(failed > 0);
        assert_true(ngx_pool_fail_at > 0);

        ngx_pool_fail_at = 0;
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_standard, setup, teardown),
        cmocka_unit_test_setup_teardown(test_standard_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_standard_event, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lawfficient, setup, teardown),
        cmocka_unit_test_setup_teardown(test_kickofflabs, setup, teardown),
        cmocka_unit_test_setup_teardown(test_test, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_document, setup, teardown),
        cmocka_unit_test_setup_teardown(test_standard_lines, setup, teardown),
        cmocka_unit_test_setup_teardown(test_standard_vector, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_lawfficient_lines, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_kickofflabs_lines, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_headers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_memory, setup, teardown)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
