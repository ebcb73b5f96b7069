
/*
 * Copyright (C) the ngx_lead authors
 *
 * leadctl webhook: the endpoints as the store knows them, on and off, and a
 * test of one.
 *
 * Where an endpoint is and how it is signed for is configuration, which this
 * program does not know: it has no address and no secret to print.  A test is
 * an event like others, sent by nginx; here it is only waited for.
 */


#include "leadctl.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>


#define LEADCTL_WAIT          (20 * 1000000LL)
#define LEADCTL_POLL          50000000

/* nginx keeps a time of its own, which may be a little behind */
#define LEADCTL_BEHIND        (10 * 1000000LL)


static void leadctl_webhook_json(const leadctl_endpoint_t *endpoint);
static void leadctl_webhook_row(leadctl_table_t *table,
    const leadctl_endpoint_t *endpoint);
static int leadctl_webhook_one(leadctl_t *ctl, leadctl_endpoints_t *list);
static int leadctl_webhook_set(leadctl_t *ctl, lead_endpoint_state_t state);
static int leadctl_webhook_send(leadctl_t *ctl,
    const leadctl_endpoint_t *endpoint, int64_t wait);
static int64_t leadctl_webhook_clock(void);
static int leadctl_webhook_await(leadctl_t *ctl, uint32_t endpoint,
    uint64_t event, int64_t wait, lead_attempt_t *attempt, int *found);
static int leadctl_webhook_look(leadctl_t *ctl, uint32_t endpoint,
    uint64_t event, int64_t since, lead_attempt_t *attempt, int *found);
static void leadctl_webhook_said(leadctl_t *ctl, uint64_t event,
    const lead_attempt_t *attempt);


static const leadctl_col_t  leadctl_webhook_cols[] = {
    { "ACCOUNT", 24 },
    { "NAME", 24 },
    { "STATE", 0 },
    { "PENDING", 0 },
    { "FAILED", 0 },
    { "DELIVERED", 0 },
    { "FAILING SINCE", 0 },
    { "LAST SUCCESS", 0 },
    { "LEASE", 0 }
};

/* nobody's: RFC 2606 keeps example.com for such, and 555-01xx is for films */

static const char  leadctl_webhook_doc[] =
    "{\"first_name\":\"Test\",\"last_name\":\"Webhook\","
    "\"email\":\"webhook.test@example.com\",\"phone\":\"+12025550100\","
    "\"company\":\"Example Inc.\","
    "\"source\":{\"key\":\"leadctl\",\"name\":\"leadctl webhook test\"},"
    "\"data\":{}}";


int
leadctl_webhook_list(leadctl_t *ctl)
{
    int                  code;
    size_t               i;
    leadctl_table_t      table;
    leadctl_endpoints_t  list;

    code = leadctl_open(ctl, LEADCTL_READ);

    if (code == LEADCTL_OK) {
        code = leadctl_endpoints(ctl, NULL, &list);
    }

    if (code != LEADCTL_OK) {
        return code;
    }

    leadctl_table_init(&table, leadctl_webhook_cols, 9);

    for (i = 0; i < list.n; i++) {
        if (ctl->opts[LEADCTL_JSON_OPT]) {
            leadctl_webhook_json(&list.all[i]);

        } else {
            leadctl_webhook_row(&table, &list.all[i]);
        }
    }

    if (ctl->opts[LEADCTL_JSON_OPT] == NULL) {
        leadctl_table_print(&table);
    }

    free(list.all);

    return LEADCTL_OK;
}


static void
leadctl_webhook_json(const leadctl_endpoint_t *endpoint)
{
    leadctl_json_t          json;
    const lead_endpoint_t  *info;

    info = &endpoint->info;

    leadctl_json_init(&json, 0);
    leadctl_json_open(&json, '{');
    leadctl_json_key(&json, "account");
    leadctl_json_text(&json, endpoint->account);
    leadctl_json_key(&json, "name");
    leadctl_json_text(&json, info->name);
    leadctl_json_key(&json, "state");
    leadctl_json_text(&json, leadctl_state_text(info->state));
    leadctl_json_key(&json, "changed_at");
    leadctl_json_time(&json, info->changed);
    leadctl_json_key(&json, "pending");
    leadctl_json_plain(&json, "%" PRIu64, info->pending);
    leadctl_json_key(&json, "failed");
    leadctl_json_plain(&json, "%" PRIu64, info->failed);
    leadctl_json_key(&json, "delivered");
    leadctl_json_plain(&json, "%" PRIu64, info->delivered);
    leadctl_json_key(&json, "failing_since");
    leadctl_json_time(&json, info->failing);
    leadctl_json_key(&json, "last_success");
    leadctl_json_time(&json, info->succeeded);
    leadctl_json_key(&json, "due");
    leadctl_json_time(&json, info->due == LEAD_NEVER ? 0 : info->due);
    leadctl_json_key(&json, "lease");
    leadctl_json_plain(&json, info->lease ? "true" : "false");
    leadctl_json_close(&json, '}');
    leadctl_json_end(&json);
}


static void
leadctl_webhook_row(leadctl_table_t *table,
    const leadctl_endpoint_t *endpoint)
{
    char                    text[LEADCTL_TIME_LEN];
    size_t                  i;
    const lead_endpoint_t  *info = &endpoint->info;

    const uint64_t  counts[] = {
        info->pending, info->failed, info->delivered
    };

    const int64_t  times[] = { info->failing, info->succeeded };

    leadctl_table_text(table, endpoint->account);
    leadctl_table_text(table, info->name);
    leadctl_table_text(table, leadctl_state_text(info->state));

    for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        snprintf(text, sizeof(text), "%" PRIu64, counts[i]);
        leadctl_table_text(table, text);
    }

    for (i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        strcpy(text, "-");

        if (times[i]) {
            leadctl_time(times[i], text);
        }

        leadctl_table_text(table, text);
    }

    leadctl_table_text(table, info->lease ? "yes" : "no");
}


/* the webhook the argument names, opened for writing */

static int
leadctl_webhook_one(leadctl_t *ctl, leadctl_endpoints_t *list)
{
    int  code;

    code = leadctl_open(ctl, LEADCTL_WRITE);

    return code == LEADCTL_OK ? leadctl_endpoints(ctl, ctl->args[0], list)
                              : code;
}


int
leadctl_webhook_disable(leadctl_t *ctl)
{
    return leadctl_webhook_set(ctl, LEAD_ENDPOINT_DISABLED);
}


int
leadctl_webhook_enable(leadctl_t *ctl)
{
    return leadctl_webhook_set(ctl, LEAD_ENDPOINT_ENABLED);
}


static int
leadctl_webhook_set(leadctl_t *ctl, lead_endpoint_state_t state)
{
    int                   code;
    char                 *name;
    lead_error_t          e;
    lead_endpoint_t      *info;
    leadctl_endpoints_t   list;

    if (ctl->opts[LEADCTL_ACCOUNT_OPT] == NULL) {
        return leadctl_usage(ctl, "webhook %s needs --account NAME",
                             ctl->cmd->words[1]);
    }

    code = leadctl_webhook_one(ctl, &list);

    if (code != LEADCTL_OK) {
        return code;
    }

    info = &list.all[0].info;

    e.rc = lead_store_endpoint_set(ctl->store, info->endpoint, state, &e);

    if (e.rc == LEAD_OK) {
        e.rc = lead_store_endpoint_get(ctl->store, info->endpoint, info, &e);
    }

    if (e.rc != LEAD_OK) {
        code = leadctl_failed(&e, "changing the webhook");

    } else if (ctl->opts[LEADCTL_JSON_OPT]) {
        leadctl_webhook_json(&list.all[0]);

    } else {
        name = leadctl_show(list.all[0].name, strlen(list.all[0].name), 0);
        printf("webhook %s %s\n", name, leadctl_state_text(info->state));
        free(name);
    }

    free(list.all);

    return code;
}


int
leadctl_webhook_test(leadctl_t *ctl)
{
    int                        code;
    int64_t                    wait;
    leadctl_endpoints_t        list;
    const leadctl_endpoint_t  *endpoint;

    wait = LEADCTL_WAIT;

    if (ctl->opts[LEADCTL_ACCOUNT_OPT] == NULL) {
        return leadctl_usage(ctl, "webhook test needs --account NAME");
    }

    code = leadctl_wait_option(ctl, LEADCTL_WAIT_OPT, &wait);

    if (code == LEADCTL_OK) {
        code = leadctl_webhook_one(ctl, &list);
    }

    if (code != LEADCTL_OK) {
        return code;
    }

    endpoint = &list.all[0];

    if (endpoint->info.state != LEAD_ENDPOINT_ENABLED) {
        code = leadctl_error(LEADCTL_NO, "webhook %s is %s: nothing was "
                             "sent; leadctl webhook enable %s --account %s",
                             endpoint->name,
                             leadctl_state_text(endpoint->info.state),
                             endpoint->info.name, endpoint->account);
    } else {
        code = leadctl_webhook_send(ctl, endpoint, wait);
    }

    free(list.all);

    return code;
}


static int
leadctl_webhook_send(leadctl_t *ctl, const leadctl_endpoint_t *endpoint,
    int64_t wait)
{
    int             code, found;
    uint64_t        event;
    lead_bytes_t    doc;
    lead_error_t    e;
    lead_attempt_t  attempt;

    doc.data = (const uint8_t *) leadctl_webhook_doc;
    doc.len = sizeof(leadctl_webhook_doc) - 1;

    e.rc = lead_store_endpoint_test(ctl->store, endpoint->info.endpoint, doc,
                                    &event, &e);

    if (e.rc != LEAD_OK) {
        return leadctl_failed(&e, "writing the test");
    }

    code = leadctl_webhook_await(ctl, endpoint->info.endpoint, event, wait,
                                 &attempt, &found);

    if (code != LEADCTL_OK) {
        return code;
    }

    if (!found) {
        leadctl_webhook_said(ctl, event, NULL);
        return leadctl_error(LEADCTL_NO, "no worker has sent it: is nginx "
                             "running with this endpoint configured?  The "
                             "test (event %" PRIu64 ") stays in the outbox",
                             event);
    }

    leadctl_webhook_said(ctl, event, &attempt);

    code = attempt.outcome == LEAD_DELIVERED ? LEADCTL_OK : LEADCTL_NO;

    leadctl_attempt_free(&attempt);

    return code;
}


/* microseconds, of a clock that nobody sets */

static int64_t
leadctl_webhook_clock(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (int64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}


static int
leadctl_webhook_await(leadctl_t *ctl, uint32_t endpoint, uint64_t event,
    int64_t wait, lead_attempt_t *attempt, int *found)
{
    int              code;
    int64_t          since, until;
    struct timespec  pause;

    since = leadctl_now() - LEADCTL_BEHIND;
    until = leadctl_webhook_clock() + wait;

    for ( ;; ) {
        code = leadctl_webhook_look(ctl, endpoint, event, since, attempt,
                                    found);

        if (code != LEADCTL_OK || *found || leadctl_webhook_clock() >= until) {
            return code;
        }

        pause.tv_sec = 0;
        pause.tv_nsec = LEADCTL_POLL;

        (void) nanosleep(&pause, NULL);
    }
}


/* *attempt, if it is found, is the caller's */

static int
leadctl_webhook_look(leadctl_t *ctl, uint32_t endpoint, uint64_t event,
    int64_t since, lead_attempt_t *attempt, int *found)
{
    int                    code;
    leadctl_log_t          log;
    const lead_attempt_t  *a;

    *found = 0;

    leadctl_log_init(&log, ctl, endpoint);

    log.event = event;
    log.since = since;

    /* the first attempt is the oldest */

    for ( ;; ) {
        code = leadctl_log_peek(&log, &a);

        if (a == NULL) {
            break;
        }

        if (*found) {
            leadctl_attempt_free(attempt);
        }

        leadctl_log_take(&log, attempt);
        *found = 1;
    }

    leadctl_log_free(&log);

    if (code != LEADCTL_OK && *found) {
        leadctl_attempt_free(attempt);
    }

    return code;
}


/* attempt NULL: there was none */

static void
leadctl_webhook_said(leadctl_t *ctl, uint64_t event,
    const lead_attempt_t *attempt)
{
    char            *text;
    leadctl_json_t   json;

    if (ctl->opts[LEADCTL_JSON_OPT]) {
        leadctl_json_init(&json, 0);
        leadctl_json_open(&json, '{');
        leadctl_json_key(&json, "event");
        leadctl_json_plain(&json, "%" PRIu64, event);
        leadctl_json_key(&json, "delivered");
        leadctl_json_plain(&json, attempt
                                  && attempt->outcome == LEAD_DELIVERED
                                  ? "true" : "false");

        if (attempt) {
            leadctl_json_key(&json, "webhook_id");
            leadctl_json_id(&json, &attempt->id);
            leadctl_attempt_members(&json, attempt);
            leadctl_json_key(&json, "answer");
            leadctl_json_bytes(&json, attempt->answer);
        }

        leadctl_json_close(&json, '}');
        leadctl_json_end(&json);
        return;
    }

    if (attempt == NULL) {
        return;
    }

    printf("event %" PRIu64 ": %s", event,
           leadctl_outcome_text(attempt->outcome));

    if (attempt->status) {
        printf(", status %" PRIu32, attempt->status);
    }

    printf(", %" PRIu32 " ms\n", attempt->msec);

    if (attempt->error.len) {
        text = leadctl_show(attempt->error.data, attempt->error.len, 0);
        printf("error: %s\n", text);
        free(text);
    }

    if (attempt->answer.len) {
        text = leadctl_show(attempt->answer.data, attempt->answer.len, 0);
        printf("answer: %s\n", text);
        free(text);
    }
}
