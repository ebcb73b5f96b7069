
/*
 * Copyright (C) the ngx_lead authors
 *
 * What the commands on deliveries and webhooks read alike: the endpoints they
 * are about, and the log of attempts.
 *
 * A log is read a few rows at a time, so that neither a pager left open nor a
 * long log holds a snapshot of a live store.
 *
 * A list of endpoints is its caller's to free; a log owns the rows it has read
 * until they are taken.
 */


#include "leadctl.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>


/* rows one read transaction looks at */
#define LEADCTL_LOG_SLICE     4096


typedef struct {
    leadctl_endpoints_t  *list;
    const char           *name;
} leadctl_pick_t;


static int leadctl_endpoint_pick(void *ctx, const lead_endpoint_t *info);
static int leadctl_log_fill(leadctl_log_t *log);
static int leadctl_log_row(void *ctx, const lead_attempt_t *attempt);


int
leadctl_endpoints(leadctl_t *ctl, const char *name, leadctl_endpoints_t *list)
{
    int                  code;
    size_t               i;
    uint32_t             account;
    lead_error_t         e;
    leadctl_pick_t       pick;
    leadctl_endpoint_t  *endpoint;

    memset(list, 0, sizeof(leadctl_endpoints_t));

    account = 0;

    if (ctl->opts[LEADCTL_ACCOUNT_OPT]) {
        code = leadctl_account(ctl, 0, &account);

        if (code != LEADCTL_OK) {
            return code;
        }
    }

    pick.list = list;
    pick.name = name;

    e.rc = lead_store_endpoints(ctl->store, account, leadctl_endpoint_pick,
                                &pick, &e);

    for (i = 0; i < list->n && e.rc == LEAD_OK; i++) {
        endpoint = &list->all[i];

        e.rc = lead_store_account_name(ctl->store, endpoint->info.account,
                                       endpoint->account, &e);

        snprintf(endpoint->name, sizeof(endpoint->name), "%s/%s",
                 endpoint->account, endpoint->info.name);
    }

    if (e.rc != LEAD_OK) {
        free(list->all);
        return leadctl_failed(&e, "listing the webhooks");
    }

    if (name && list->n == 0) {
        return leadctl_error(LEADCTL_NO, "there is no webhook \"%s\" in this "
                             "%s; leadctl webhook list shows all", name,
                             account ? "account" : "store");
    }

    return LEADCTL_OK;
}


static int
leadctl_endpoint_pick(void *ctx, const lead_endpoint_t *info)
{
    leadctl_pick_t       *pick = ctx;
    leadctl_endpoints_t  *list;

    list = pick->list;

    if (pick->name && strcmp(pick->name, info->name) != 0) {
        return 0;
    }

    if (list->n == list->nalloc) {
        list->nalloc = list->nalloc ? list->nalloc * 2 : 16;
        list->all = leadctl_alloc(list->all, list->nalloc,
                                  sizeof(leadctl_endpoint_t));
    }

    list->all[list->n++].info = *info;

    return 0;
}


const char *
leadctl_state_text(lead_endpoint_state_t state)
{
    switch (state) {

    case LEAD_ENDPOINT_ENABLED:
        return "enabled";

    case LEAD_ENDPOINT_DISABLED:
        return "disabled";

    case LEAD_ENDPOINT_GONE:
        return "gone";

    case LEAD_ENDPOINT_FAILING:
        return "failing";
    }

    return "?";
}


void
leadctl_log_init(leadctl_log_t *log, leadctl_t *ctl, uint32_t endpoint)
{
    memset(log, 0, sizeof(leadctl_log_t));

    log->store = ctl->store;
    log->endpoint = endpoint;
    log->from = LEAD_NEVER;
    log->since = INT64_MIN;
}


int
leadctl_log_peek(leadctl_log_t *log, const lead_attempt_t **attempt)
{
    int  code;

    while (log->next == log->n && !log->end) {
        code = leadctl_log_fill(log);

        if (code != LEADCTL_OK) {
            *attempt = NULL;
            return code;
        }
    }

    *attempt = log->next < log->n ? &log->rows[log->next] : NULL;

    return LEADCTL_OK;
}


void
leadctl_log_take(leadctl_log_t *log, lead_attempt_t *attempt)
{
    *attempt = log->rows[log->next++];
}


void
leadctl_attempt_free(lead_attempt_t *attempt)
{
    free((void *) attempt->type.data);
    free((void *) attempt->error.data);
    free((void *) attempt->answer.data);
}


void
leadctl_log_free(leadctl_log_t *log)
{
    while (log->next < log->n) {
        leadctl_attempt_free(&log->rows[log->next++]);
    }
}


static int
leadctl_log_fill(leadctl_log_t *log)
{
    lead_error_t  e;

    log->n = 0;
    log->next = 0;
    log->looked = 0;
    log->end = 1;

    e.rc = lead_store_attempts(log->store, log->endpoint, log->from,
                               leadctl_log_row, log, &e);

    return e.rc == LEAD_OK ? LEADCTL_OK
                           : leadctl_failed(&e, "reading the deliveries");
}


static int
leadctl_log_row(void *ctx, const lead_attempt_t *attempt)
{
    lead_attempt_t  *row;
    leadctl_log_t   *log = ctx;

    if (attempt->time < log->since) {
        return 1;
    }

    log->from = attempt->time;

    if ((log->event == 0 || log->event == attempt->row.event)
        && (log->id == NULL
            || memcmp(log->id->b, attempt->id.b, sizeof(log->id->b)) == 0))
    {
        row = &log->rows[log->n++];

        *row = *attempt;
        row->type = leadctl_copy(attempt->type);
        row->error = leadctl_copy(attempt->error);
        row->answer = leadctl_copy(attempt->answer);
    }

    if (++log->looked < LEADCTL_LOG_SLICE && log->n < LEADCTL_LOG) {
        return 0;
    }

    log->end = 0;

    return 1;
}


const char *
leadctl_outcome_text(lead_attempt_outcome_t outcome)
{
    switch (outcome) {

    case LEAD_DELIVERED:
        return "delivered";

    case LEAD_RETRY:
        return "retry";

    case LEAD_GIVE_UP:
        return "given_up";
    }

    return "?";
}


void
leadctl_attempt_members(leadctl_json_t *json, const lead_attempt_t *a)
{
    leadctl_json_key(json, "attempt");
    leadctl_json_plain(json, "%" PRIu32, a->row.attempts + 1);
    leadctl_json_key(json, "outcome");
    leadctl_json_text(json, leadctl_outcome_text(a->outcome));

    leadctl_json_key(json, "status");

    if (a->status) {
        leadctl_json_plain(json, "%" PRIu32, a->status);

    } else {
        leadctl_json_plain(json, "null");
    }

    leadctl_json_key(json, "ms");
    leadctl_json_plain(json, "%" PRIu32, a->msec);
    leadctl_json_key(json, "error");

    if (a->error.len) {
        leadctl_json_bytes(json, a->error);

    } else {
        leadctl_json_plain(json, "null");
    }
}


int
leadctl_id_none(const lead_id_t *id)
{
    static const lead_id_t  none;

    return memcmp(id->b, none.b, sizeof(none.b)) == 0;
}


void
leadctl_json_id(leadctl_json_t *json, const lead_id_t *id)
{
    char  text[LEAD_ID_TEXT_LEN + 1];

    if (leadctl_id_none(id)) {
        leadctl_json_plain(json, "null");
        return;
    }

    lead_store_id_text(id, text);
    leadctl_json_text(json, text);
}
