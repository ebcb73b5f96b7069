
/*
 * Copyright (C) the ngx_lead authors
 *
 * leadctl delivery list: what was sent to webhooks, what waits and what was
 * given up.
 *
 * It only reads, and shows ids of leads and nothing else of them, nor what a
 * receiver answered: that is for leadctl delivery show.  The rows it collects
 * are freed here.
 */


#include "leadctl.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>


#define LEADCTL_LIMIT         50
#define LEADCTL_LIMIT_MAX     1000000
#define LEADCTL_PAGE          256

/* how many rows are kept beyond those that will be shown */
#define LEADCTL_SPARE         1024


/* the rows a list shows: the best so far by order, and some more */

typedef struct {
    lead_outbox_row_t    *rows;
    size_t                n;
    size_t                nalloc;
    size_t                most;
    unsigned              failed:1;
    unsigned              more:1;        /* some were dropped */
} leadctl_rows_t;

typedef struct {
    leadctl_t            *ctl;
    leadctl_endpoints_t   list;
    leadctl_table_t       table;
    uint64_t              limit;
    int64_t               since;
    int64_t               until;
} leadctl_dlist_t;


static int leadctl_delivery_options(leadctl_dlist_t *d);
static int leadctl_delivery_attempts(leadctl_dlist_t *d);
static int leadctl_delivery_newest(leadctl_log_t *logs, size_t n,
    size_t *newest, const lead_attempt_t **attempt);
static void leadctl_attempt_line(leadctl_dlist_t *d,
    const leadctl_endpoint_t *endpoint, const lead_attempt_t *a);
static int leadctl_delivery_rows(leadctl_dlist_t *d);
static int leadctl_row_collect(void *ctx, const lead_outbox_row_t *row);
static void leadctl_row_sort(leadctl_rows_t *rows);
static int leadctl_row_by_due(const void *one, const void *two);
static int leadctl_row_by_event(const void *one, const void *two);
static int leadctl_row_show(leadctl_dlist_t *d, const lead_outbox_row_t *row);
static void leadctl_row_line(leadctl_dlist_t *d, const lead_outbox_row_t *row,
    const leadctl_row_event_t *event);
static void leadctl_delivery_page(leadctl_dlist_t *d);


static const leadctl_col_t  leadctl_attempt_cols[] = {
    { "TIME", 0 },
    { "ENDPOINT", 40 },
    { "EVENT", 0 },
    { "TYPE", 24 },
    { "LEAD", 0 },
    { "ATTEMPT", 0 },
    { "OUTCOME", 0 },
    { "STATUS", 0 },
    { "MS", 0 },
    { "ERROR", 60 }
};

static const leadctl_col_t  leadctl_row_cols[] = {
    { "DUE", 0 },
    { "ENDPOINT", 40 },
    { "EVENT", 0 },
    { "TYPE", 24 },
    { "LEAD", 0 },
    { "ATTEMPTS", 0 },
    { "TIME", 0 }
};


int
leadctl_delivery_list(leadctl_t *ctl)
{
    int              code, rows;
    leadctl_dlist_t  d;

    memset(&d, 0, sizeof(leadctl_dlist_t));

    d.ctl = ctl;
    d.limit = LEADCTL_LIMIT;

    code = leadctl_delivery_options(&d);

    if (code == LEADCTL_OK) {
        code = leadctl_open(ctl, LEADCTL_READ);
    }

    if (code == LEADCTL_OK) {
        code = leadctl_endpoints(ctl, ctl->opts[LEADCTL_ENDPOINT_OPT],
                                 &d.list);
    }

    if (code != LEADCTL_OK) {
        return code;
    }

    rows = ctl->opts[LEADCTL_FAILED_OPT] || ctl->opts[LEADCTL_PENDING_OPT];

    leadctl_table_init(&d.table, rows ? leadctl_row_cols
                                      : leadctl_attempt_cols, rows ? 7 : 10);

    code = rows ? leadctl_delivery_rows(&d) : leadctl_delivery_attempts(&d);

    free(d.list.all);

    return code;
}


static int
leadctl_delivery_options(leadctl_dlist_t *d)
{
    leadctl_t  *ctl = d->ctl;

    if (leadctl_name(ctl, LEADCTL_ENDPOINT_OPT) != LEADCTL_OK
        || leadctl_period(ctl, &d->since, &d->until) != LEADCTL_OK)
    {
        return LEADCTL_USAGE;
    }

    if (ctl->opts[LEADCTL_FAILED_OPT] && ctl->opts[LEADCTL_PENDING_OPT]) {
        return leadctl_usage(ctl, "give one of --failed and --pending");
    }

    if (ctl->opts[LEADCTL_LIMIT_OPT]
        && (leadctl_number(ctl->opts[LEADCTL_LIMIT_OPT], LEADCTL_LIMIT_MAX,
                           &d->limit) != 0
            || d->limit == 0))
    {
        return leadctl_usage(ctl, "--limit takes a number from 1 to %d",
                             LEADCTL_LIMIT_MAX);
    }

    return LEADCTL_OK;
}


/* the logs of all endpoints as one, the newest attempt first */

static int
leadctl_delivery_attempts(leadctl_dlist_t *d)
{
    int                    code;
    char                   until[LEADCTL_TIME_LEN];
    size_t                 i, newest;
    leadctl_log_t         *logs;
    lead_attempt_t         taken;
    const lead_attempt_t  *a;

    logs = leadctl_alloc(NULL, d->list.n, sizeof(leadctl_log_t));

    for (i = 0; i < d->list.n; i++) {
        leadctl_log_init(&logs[i], d->ctl, d->list.all[i].info.endpoint);

        logs[i].from = d->until;
        logs[i].since = d->since;
    }

    for ( ;; ) {
        code = leadctl_delivery_newest(logs, d->list.n, &newest, &a);

        if (a == NULL || d->limit == 0 || ferror(stdout)) {
            break;
        }

        leadctl_log_take(&logs[newest], &taken);
        leadctl_attempt_line(d, &d->list.all[newest], &taken);
        leadctl_attempt_free(&taken);

        d->limit--;
    }

    leadctl_delivery_page(d);

    if (a && d->limit == 0) {
        fflush(stdout);
        leadctl_time_exact(a->time + 1, until);
        leadctl_hint("there are more: --until %s", until);
    }

    for (i = 0; i < d->list.n; i++) {
        leadctl_log_free(&logs[i]);
    }

    free(logs);

    return code;
}


/* *attempt: of logs[*newest], or NULL */

static int
leadctl_delivery_newest(leadctl_log_t *logs, size_t n, size_t *newest,
    const lead_attempt_t **attempt)
{
    int                    code;
    size_t                 i;
    const lead_attempt_t  *a;

    *newest = 0;
    *attempt = NULL;

    for (i = 0; i < n; i++) {
        code = leadctl_log_peek(&logs[i], &a);

        if (code != LEADCTL_OK) {
            *attempt = NULL;
            return code;
        }

        if (a && (*attempt == NULL || a->time > (*attempt)->time)) {
            *newest = i;
            *attempt = a;
        }
    }

    return LEADCTL_OK;
}


static void
leadctl_attempt_line(leadctl_dlist_t *d, const leadctl_endpoint_t *endpoint,
    const lead_attempt_t *a)
{
    char             text[LEADCTL_TIME_LEN], lead[LEAD_ID_TEXT_LEN + 1];
    leadctl_json_t   json;

    if (d->ctl->opts[LEADCTL_JSON_OPT]) {
        leadctl_json_init(&json, 0);
        leadctl_json_open(&json, '{');
        leadctl_json_key(&json, "time");
        leadctl_json_time(&json, a->time);
        leadctl_json_key(&json, "account");
        leadctl_json_text(&json, endpoint->account);
        leadctl_json_key(&json, "endpoint");
        leadctl_json_text(&json, endpoint->info.name);
        leadctl_json_key(&json, "event");
        leadctl_json_plain(&json, "%" PRIu64, a->row.event);
        leadctl_json_key(&json, "webhook_id");
        leadctl_json_id(&json, &a->id);
        leadctl_json_key(&json, "type");
        leadctl_json_bytes(&json, a->type);
        leadctl_json_key(&json, "lead");
        leadctl_json_id(&json, &a->row.lead);
        leadctl_attempt_members(&json, a);
        leadctl_json_close(&json, '}');
        leadctl_json_end(&json);
        return;
    }

    lead_store_id_text(&a->row.lead, lead);

    leadctl_time(a->time, text);
    leadctl_table_text(&d->table, text);
    leadctl_table_text(&d->table, endpoint->name);
    snprintf(text, sizeof(text), "%" PRIu64, a->row.event);
    leadctl_table_text(&d->table, text);
    leadctl_table_add(&d->table, a->type.data, a->type.len);
    leadctl_table_text(&d->table, leadctl_id_none(&a->row.lead) ? "-" : lead);
    snprintf(text, sizeof(text), "%" PRIu32, a->row.attempts + 1);
    leadctl_table_text(&d->table, text);
    leadctl_table_text(&d->table, leadctl_outcome_text(a->outcome));
    snprintf(text, sizeof(text), "%" PRIu32, a->status);
    leadctl_table_text(&d->table, a->status ? text : "-");
    snprintf(text, sizeof(text), "%" PRIu32, a->msec);
    leadctl_table_text(&d->table, text);
    leadctl_table_add(&d->table, a->error.data, a->error.len);

    if (d->table.ncells >= LEADCTL_PAGE * d->table.ncols) {
        leadctl_table_print(&d->table);
    }
}


static void
leadctl_delivery_page(leadctl_dlist_t *d)
{
    if (d->ctl->opts[LEADCTL_JSON_OPT] == NULL) {
        leadctl_table_print(&d->table);
    }
}


/* rows that wait, the first that is due first; or that were given up, the
 * newest first */

static int
leadctl_delivery_rows(leadctl_dlist_t *d)
{
    int             code;
    size_t          i;
    lead_error_t    e;
    leadctl_rows_t  rows;

    memset(&rows, 0, sizeof(leadctl_rows_t));

    rows.failed = d->ctl->opts[LEADCTL_FAILED_OPT] != NULL;

    /* whether a row's event is of the time wanted is not known yet */

    rows.most = d->since == INT64_MIN && d->until == LEAD_NEVER
                ? (size_t) d->limit + 1 : SIZE_MAX;

    e.rc = LEAD_OK;

    for (i = 0; i < d->list.n && e.rc == LEAD_OK; i++) {
        e.rc = lead_store_outbox(d->ctl->store, d->list.all[i].info.endpoint,
                                 leadctl_row_collect, &rows, &e);
    }

    code = LEADCTL_OK;

    if (e.rc != LEAD_OK) {
        code = leadctl_failed(&e, "reading the outbox");
        rows.n = 0;
    }

    leadctl_row_sort(&rows);

    for (i = 0; i < rows.n && code == LEADCTL_OK && !ferror(stdout); i++) {
        code = leadctl_row_show(d, &rows.rows[i]);
    }

    leadctl_delivery_page(d);

    if (code == LEADCTL_NO) {
        fflush(stdout);
        leadctl_hint("there are more: raise --limit");
        code = LEADCTL_OK;
    }

    free(rows.rows);

    return code;
}


static int
leadctl_row_collect(void *ctx, const lead_outbox_row_t *row)
{
    leadctl_rows_t  *rows = ctx;

    if ((row->due == LEAD_NEVER) != rows->failed) {

        /* they come by due time: those given up are the last */

        return row->due == LEAD_NEVER;
    }

    if (rows->n >= rows->most && rows->n - rows->most == LEADCTL_SPARE) {
        leadctl_row_sort(rows);
        rows->n = rows->most;
    }

    if (rows->n == rows->nalloc) {
        rows->nalloc = rows->nalloc ? rows->nalloc * 2 : 256;
        rows->rows = leadctl_alloc(rows->rows, rows->nalloc,
                                   sizeof(lead_outbox_row_t));
    }

    rows->rows[rows->n++] = *row;

    return 0;
}


static void
leadctl_row_sort(leadctl_rows_t *rows)
{
    if (rows->n) {
        qsort(rows->rows, rows->n, sizeof(lead_outbox_row_t),
              rows->failed ? leadctl_row_by_event : leadctl_row_by_due);
    }
}


static int
leadctl_row_by_due(const void *one, const void *two)
{
    const lead_outbox_row_t  *a = one, *b = two;

    if (a->due != b->due) {
        return a->due < b->due ? -1 : 1;
    }

    return -leadctl_row_by_event(one, two);
}


static int
leadctl_row_by_event(const void *one, const void *two)
{
    const lead_outbox_row_t  *a = one, *b = two;

    if (a->event != b->event) {
        return a->event > b->event ? -1 : 1;
    }

    return a->endpoint < b->endpoint ? -1 : a->endpoint > b->endpoint;
}


/* LEADCTL_NO: as many are shown as may be */

static int
leadctl_row_show(leadctl_dlist_t *d, const lead_outbox_row_t *row)
{
    int                  code;
    leadctl_row_event_t  event;

    code = leadctl_event_of(d->ctl, row, &event);

    if (code != LEADCTL_OK) {
        return code;
    }

    if (event.time < d->since || event.time >= d->until) {
        return LEADCTL_OK;
    }

    if (d->limit == 0) {
        return LEADCTL_NO;
    }

    d->limit--;
    leadctl_row_line(d, row, &event);

    return LEADCTL_OK;
}


static void
leadctl_row_line(leadctl_dlist_t *d, const lead_outbox_row_t *row,
    const leadctl_row_event_t *event)
{
    char                       text[LEADCTL_TIME_LEN];
    char                       lead[LEAD_ID_TEXT_LEN + 1];
    size_t                     i;
    leadctl_json_t             json;
    const leadctl_endpoint_t  *endpoint;

    for (i = 0; d->list.all[i].info.endpoint != row->endpoint; i++) {
        /* void */
    }

    endpoint = &d->list.all[i];

    if (d->ctl->opts[LEADCTL_JSON_OPT]) {
        leadctl_json_init(&json, 0);
        leadctl_json_open(&json, '{');
        leadctl_json_key(&json, "account");
        leadctl_json_text(&json, endpoint->account);
        leadctl_json_key(&json, "endpoint");
        leadctl_json_text(&json, endpoint->info.name);
        leadctl_json_key(&json, "event");
        leadctl_json_plain(&json, "%" PRIu64, row->event);
        leadctl_json_key(&json, "type");
        leadctl_json_text(&json, event->type);
        leadctl_json_key(&json, "lead");
        leadctl_json_id(&json, &row->lead);
        leadctl_json_key(&json, "time");
        leadctl_json_time(&json, event->time);
        leadctl_json_key(&json, "attempts");
        leadctl_json_plain(&json, "%" PRIu32, row->attempts);
        leadctl_json_key(&json, "state");
        leadctl_json_text(&json, row->due == LEAD_NEVER ? "given_up"
                                                        : "waiting");
        leadctl_json_key(&json, "due");
        leadctl_json_time(&json, row->due == LEAD_NEVER ? 0 : row->due);
        leadctl_json_close(&json, '}');
        leadctl_json_end(&json);
        return;
    }

    lead_store_id_text(&row->lead, lead);
    strcpy(text, "never");

    if (row->due != LEAD_NEVER) {
        leadctl_time(row->due, text);
    }

    leadctl_table_text(&d->table, text);
    leadctl_table_text(&d->table, endpoint->name);
    snprintf(text, sizeof(text), "%" PRIu64, row->event);
    leadctl_table_text(&d->table, text);
    leadctl_table_text(&d->table, event->type);
    leadctl_table_text(&d->table, leadctl_id_none(&row->lead) ? "-" : lead);
    snprintf(text, sizeof(text), "%" PRIu32, row->attempts);
    leadctl_table_text(&d->table, text);
    strcpy(text, "-");

    if (event->time) {
        leadctl_time(event->time, text);
    }

    leadctl_table_text(&d->table, text);

    if (d->table.ncells >= LEADCTL_PAGE * d->table.ncols) {
        leadctl_table_print(&d->table);
    }
}
