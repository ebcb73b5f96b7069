
/*
 * Copyright (C) the ngx_lead authors
 *
 * leadctl delivery show: what became of one event, at each endpoint.
 *
 * It only reads, and prints when the read transactions are over.  An answer's
 * beginning is a stranger's text: it is shown as a lead's is.  What is
 * collected is freed here.
 */


#include "leadctl.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>


/* an endpoint the event was written for */

typedef struct {
    const leadctl_endpoint_t  *endpoint;
    lead_outbox_row_t          row;
    lead_attempt_t            *attempts;
    size_t                     n;
    size_t                     nalloc;
    unsigned                   has_row:1;
} leadctl_sent_t;

typedef struct {
    uint64_t                   number;
    lead_id_t                  id;           /* none: not known */
    lead_id_t                  lead;
    const char                *account;
    leadctl_row_event_t        event;
    leadctl_sent_t            *sent;
    size_t                     n;
} leadctl_shown_t;


static int leadctl_show_collect(leadctl_t *ctl,
    const leadctl_endpoints_t *list, leadctl_shown_t *shown);
static int leadctl_show_row(void *ctx, const lead_outbox_row_t *row);
static int leadctl_show_attempts(leadctl_t *ctl, leadctl_shown_t *shown,
    leadctl_sent_t *sent);
static int leadctl_show_about(leadctl_t *ctl, leadctl_shown_t *shown);
static int leadctl_show_due(void *ctx, const lead_due_t *due);
static const char *leadctl_show_state(const leadctl_sent_t *sent);
static void leadctl_show_json(leadctl_t *ctl, const leadctl_shown_t *shown);
static void leadctl_show_text(const leadctl_shown_t *shown);
static void leadctl_show_sent(const leadctl_sent_t *sent);


static const leadctl_col_t  leadctl_about_cols[] = {
    { "EVENT", 0 }, { "", 0 }
};

static const leadctl_col_t  leadctl_attempt_cols[] = {
    { "TIME", 0 },
    { "ATTEMPT", 0 },
    { "OUTCOME", 0 },
    { "STATUS", 0 },
    { "MS", 0 },
    { "ERROR", 0 },
    { "ANSWER", 0 }
};


int
leadctl_delivery_show(leadctl_t *ctl)
{
    int                   code;
    size_t                i, k;
    leadctl_shown_t       shown;
    leadctl_endpoints_t   list;
    leadctl_event_name_t  name;

    code = leadctl_event_parse(ctl, &name);

    if (code == LEADCTL_OK) {
        code = leadctl_open(ctl, LEADCTL_READ);
    }

    if (code == LEADCTL_OK) {
        code = leadctl_endpoints(ctl, NULL, &list);
    }

    if (code != LEADCTL_OK) {
        return code;
    }

    memset(&shown, 0, sizeof(leadctl_shown_t));

    shown.sent = leadctl_alloc(NULL, list.n, sizeof(leadctl_sent_t));
    memset(shown.sent, 0, list.n * sizeof(leadctl_sent_t));

    code = leadctl_event_number(ctl, &list, &name);

    if (code == LEADCTL_OK) {
        shown.number = name.number;
        shown.id = name.id;

        code = leadctl_show_collect(ctl, &list, &shown);
    }

    if (code == LEADCTL_OK) {
        if (ctl->opts[LEADCTL_JSON_OPT]) {
            leadctl_show_json(ctl, &shown);

        } else {
            leadctl_show_text(&shown);
        }
    }

    for (i = 0; i < list.n; i++) {
        for (k = 0; k < shown.sent[i].n; k++) {
            leadctl_attempt_free(&shown.sent[i].attempts[k]);
        }

        free(shown.sent[i].attempts);
    }

    free(shown.sent);
    free(list.all);

    return code;
}


static int
leadctl_show_collect(leadctl_t *ctl, const leadctl_endpoints_t *list,
    leadctl_shown_t *shown)
{
    int           code;
    size_t        i;
    lead_error_t  e;

    for (i = 0; i < list->n; i++) {
        shown->sent[i].endpoint = &list->all[i];
    }

    shown->n = list->n;

    e.rc = lead_store_outbox(ctl->store, 0, leadctl_show_row, shown, &e);

    if (e.rc != LEAD_OK) {
        return leadctl_failed(&e, "reading the outbox");
    }

    for (i = 0; i < shown->n; i++) {
        code = leadctl_show_attempts(ctl, shown, &shown->sent[i]);

        if (code != LEADCTL_OK) {
            return code;
        }
    }

    return leadctl_show_about(ctl, shown);
}


static int
leadctl_show_row(void *ctx, const lead_outbox_row_t *row)
{
    size_t            i;
    leadctl_shown_t  *shown = ctx;

    if (row->event != shown->number) {
        return 0;
    }

    for (i = 0; i < shown->n; i++) {
        if (shown->sent[i].endpoint->info.endpoint == row->endpoint) {
            shown->sent[i].row = *row;
            shown->sent[i].has_row = 1;
        }
    }

    return 0;
}


static int
leadctl_show_attempts(leadctl_t *ctl, leadctl_shown_t *shown,
    leadctl_sent_t *sent)
{
    int                    code;
    leadctl_log_t          log;
    const lead_attempt_t  *a;

    leadctl_log_init(&log, ctl, sent->endpoint->info.endpoint);

    log.event = shown->number;

    for ( ;; ) {
        log.since = leadctl_event_since(&shown->id);

        code = leadctl_log_peek(&log, &a);

        if (a == NULL) {
            leadctl_log_free(&log);
            return code;
        }

        shown->id = a->id;

        if (sent->n == sent->nalloc) {
            sent->nalloc = sent->nalloc ? sent->nalloc * 2 : 16;
            sent->attempts = leadctl_alloc(sent->attempts, sent->nalloc,
                                           sizeof(lead_attempt_t));
        }

        leadctl_log_take(&log, &sent->attempts[sent->n++]);
    }
}


/* what all endpoints share, as far as one of them knows it */

static int
leadctl_show_about(leadctl_t *ctl, leadctl_shown_t *shown)
{
    int                       code;
    size_t                    i;
    int64_t                   next;
    lead_error_t              e;
    const leadctl_sent_t     *sent;
    const lead_attempt_t     *a;
    const lead_outbox_row_t  *row;

    a = NULL;
    row = NULL;

    for (i = 0; i < shown->n; i++) {
        sent = &shown->sent[i];

        if (a == NULL && sent->n) {
            a = &sent->attempts[0];
        }

        if (row == NULL && (sent->n || sent->has_row)) {
            row = sent->n ? &sent->attempts[0].row : &sent->row;
            shown->account = sent->endpoint->account;
        }
    }

    if (row == NULL) {
        return leadctl_error(LEADCTL_NO, "no delivery of event %" PRIu64 " is "
                             "known: no webhook wanted it, or its log has "
                             "expired", shown->number);
    }

    shown->lead = row->lead;

    code = leadctl_event_of(ctl, row, &shown->event);

    if (code != LEADCTL_OK) {
        return code;
    }

    if (a && a->type.len < sizeof(shown->event.type)) {
        memcpy(shown->event.type, a->type.data, a->type.len);
        shown->event.type[a->type.len] = '\0';
    }

    if (leadctl_id_none(&shown->id)) {
        e.rc = lead_store_due(ctl->store, row->endpoint, NULL, 0,
                              leadctl_show_due, shown, &next, &e);

        if (e.rc != LEAD_OK) {
            return leadctl_failed(&e, "reading the outbox");
        }
    }

    if (shown->event.time == 0 && !leadctl_id_none(&shown->id)) {
        shown->event.time = leadctl_id_time(&shown->id);
    }

    return LEADCTL_OK;
}


static int
leadctl_show_due(void *ctx, const lead_due_t *due)
{
    leadctl_shown_t  *shown = ctx;

    if (due->row.event != shown->number) {
        return 0;
    }

    shown->id = due->id;

    return 1;
}


static const char *
leadctl_show_state(const leadctl_sent_t *sent)
{
    size_t  i;

    if (sent->has_row) {
        return sent->row.due == LEAD_NEVER ? "given_up" : "waiting";
    }

    for (i = 0; i < sent->n; i++) {
        if (sent->attempts[i].outcome == LEAD_DELIVERED) {
            return "delivered";
        }
    }

    return "expired";
}


static void
leadctl_show_json(leadctl_t *ctl, const leadctl_shown_t *shown)
{
    size_t                 i, k;
    leadctl_json_t         json;
    const lead_attempt_t  *a;
    const leadctl_sent_t  *sent;

    leadctl_json_init(&json, 0);
    leadctl_json_open(&json, '{');
    leadctl_json_key(&json, "event");
    leadctl_json_plain(&json, "%" PRIu64, shown->number);
    leadctl_json_key(&json, "webhook_id");
    leadctl_json_id(&json, &shown->id);
    leadctl_json_key(&json, "type");
    leadctl_json_text(&json, shown->event.type);
    leadctl_json_key(&json, "time");
    leadctl_json_time(&json, shown->event.time);
    leadctl_json_key(&json, "account");
    leadctl_json_text(&json, shown->account);
    leadctl_json_key(&json, "lead");
    leadctl_json_id(&json, &shown->lead);
    leadctl_json_key(&json, "endpoints");
    leadctl_json_open(&json, '[');

    for (i = 0; i < shown->n; i++) {
        sent = &shown->sent[i];

        if (!sent->has_row && sent->n == 0) {
            continue;
        }

        leadctl_json_open(&json, '{');
        leadctl_json_key(&json, "endpoint");
        leadctl_json_text(&json, sent->endpoint->info.name);
        leadctl_json_key(&json, "state");
        leadctl_json_text(&json, leadctl_show_state(sent));
        leadctl_json_key(&json, "due");
        leadctl_json_time(&json, sent->has_row && sent->row.due != LEAD_NEVER
                                 ? sent->row.due : 0);
        leadctl_json_key(&json, "webhook_state");
        leadctl_json_text(&json,
                          leadctl_state_text(sent->endpoint->info.state));
        leadctl_json_key(&json, "attempts");
        leadctl_json_open(&json, '[');

        for (k = 0; k < sent->n; k++) {
            a = &sent->attempts[k];

            leadctl_json_open(&json, '{');
            leadctl_json_key(&json, "time");
            leadctl_json_time(&json, a->time);
            leadctl_attempt_members(&json, a);
            leadctl_json_key(&json, "answer");
            leadctl_json_bytes(&json, a->answer);
            leadctl_json_close(&json, '}');
        }

        leadctl_json_close(&json, ']');
        leadctl_json_close(&json, '}');
    }

    leadctl_json_close(&json, ']');
    leadctl_json_close(&json, '}');
    leadctl_json_end(&json);
}


static void
leadctl_show_text(const leadctl_shown_t *shown)
{
    char             number[24], time[LEADCTL_TIME_LEN];
    char             id[LEAD_ID_TEXT_LEN + 1], lead[LEAD_ID_TEXT_LEN + 1];
    size_t           i;
    leadctl_table_t  table;

    snprintf(number, sizeof(number), "%" PRIu64, shown->number);
    lead_store_id_text(&shown->id, id);
    lead_store_id_text(&shown->lead, lead);
    strcpy(time, "-");

    if (shown->event.time) {
        leadctl_time(shown->event.time, time);
    }

    leadctl_table_init(&table, leadctl_about_cols, 2);
    table.titled = 1;

    leadctl_table_text(&table, "event");
    leadctl_table_text(&table, number);
    leadctl_table_text(&table, "webhook-id");
    leadctl_table_text(&table, leadctl_id_none(&shown->id) ? "-" : id);
    leadctl_table_text(&table, "type");
    leadctl_table_text(&table, shown->event.type);
    leadctl_table_text(&table, "time");
    leadctl_table_text(&table, time);
    leadctl_table_text(&table, "account");
    leadctl_table_text(&table, shown->account);
    leadctl_table_text(&table, "lead");
    leadctl_table_text(&table, leadctl_id_none(&shown->lead) ? "-" : lead);

    leadctl_table_print(&table);

    for (i = 0; i < shown->n; i++) {
        if (shown->sent[i].has_row || shown->sent[i].n) {
            leadctl_show_sent(&shown->sent[i]);
        }
    }
}


static void
leadctl_show_sent(const leadctl_sent_t *sent)
{
    char                   text[LEADCTL_TIME_LEN], *name;
    size_t                 i;
    leadctl_table_t        table;
    const lead_attempt_t  *a;

    name = leadctl_show(sent->endpoint->info.name,
                        strlen(sent->endpoint->info.name), 0);
    printf("\n%s: %s", name, leadctl_show_state(sent));
    free(name);

    if (sent->has_row && sent->row.due != LEAD_NEVER) {
        leadctl_time(sent->row.due, text);
        printf(", due %s", text);
    }

    if (sent->endpoint->info.state != LEAD_ENDPOINT_ENABLED) {
        printf(", the webhook is %s",
               leadctl_state_text(sent->endpoint->info.state));
    }

    putchar('\n');

    leadctl_table_init(&table, leadctl_attempt_cols, 7);

    for (i = 0; i < sent->n; i++) {
        a = &sent->attempts[i];

        leadctl_time(a->time, text);
        leadctl_table_text(&table, text);
        snprintf(text, sizeof(text), "%" PRIu64,
                 (uint64_t) a->row.attempts + 1);
        leadctl_table_text(&table, text);
        leadctl_table_text(&table, leadctl_outcome_text(a->outcome));
        snprintf(text, sizeof(text), "%" PRIu32, a->status);
        leadctl_table_text(&table, a->status ? text : "-");
        snprintf(text, sizeof(text), "%" PRIu32, a->msec);
        leadctl_table_text(&table, text);
        leadctl_table_add(&table, a->error.data, a->error.len);
        leadctl_table_add(&table, a->answer.data, a->answer.len);
    }

    if (sent->n) {
        leadctl_table_print(&table);
    }
}
