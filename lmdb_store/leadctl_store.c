
/*
 * Copyright (C) the ngx_lead authors
 *
 * leadctl stat and check: what is in the store and whether it is sound.
 *
 * Both only read.  check keeps its findings until the store's snapshot is
 * gone, so that a pager left open cannot hold the snapshot, and with it the
 * pages a live server would use again.
 */


#include "leadctl.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>


#define LEADCTL_FINDINGS_MAX  10000


typedef struct {
    char                 *texts[LEADCTL_FINDINGS_MAX];
    size_t                n;
} leadctl_findings_t;


static double leadctl_fill(const lead_stat_t *stat);
static void leadctl_stat_text(leadctl_t *ctl, const lead_stat_t *stat);
static void leadctl_stat_json(leadctl_t *ctl, leadctl_json_t *json,
    const lead_stat_t *stat);
static int leadctl_stat_accounts(leadctl_t *ctl, leadctl_json_t *json,
    leadctl_table_t *table);
static void leadctl_finding(void *ctx, const char *finding);
static void leadctl_check_print(leadctl_t *ctl,
    const leadctl_findings_t *found, uint64_t n);


static const leadctl_col_t  leadctl_stat_cols[] = {
    { "STORE", 0 }, { "", 0 }
};

static const leadctl_col_t  leadctl_account_cols[] = {
    { "ACCOUNT", 40 }, { "LEADS", 0 }
};


int
leadctl_stat(leadctl_t *ctl)
{
    int              code;
    lead_stat_t      stat;
    lead_error_t     e;
    leadctl_json_t   json;
    leadctl_table_t  table;

    code = leadctl_open(ctl, LEADCTL_READ);
    if (code != LEADCTL_OK) {
        return code;
    }

    e.rc = lead_store_stat(ctl->store, &stat, &e);

    if (e.rc != LEAD_OK) {
        return leadctl_failed(&e, "stat");
    }

    if (ctl->opts[LEADCTL_JSON_OPT]) {
        leadctl_json_init(&json, 0);
        leadctl_json_open(&json, '{');
        leadctl_stat_json(ctl, &json, &stat);
        leadctl_json_key(&json, "leads_per_account");
        leadctl_json_open(&json, '[');

        code = leadctl_stat_accounts(ctl, &json, NULL);

        leadctl_json_close(&json, ']');
        leadctl_json_close(&json, '}');
        leadctl_json_end(&json);

        return code;
    }

    leadctl_stat_text(ctl, &stat);

    leadctl_table_init(&table, leadctl_account_cols, 2);
    code = leadctl_stat_accounts(ctl, NULL, &table);

    if (table.ncells) {
        putchar('\n');
        leadctl_table_print(&table);
    }

    return code;
}


/* pages that are free again will be used before the file grows */

static double
leadctl_fill(const lead_stat_t *stat)
{
    if (stat->size == 0 || stat->used < stat->free) {
        return 0;
    }

    return 100.0 * (double) (stat->used - stat->free) / (double) stat->size;
}


static void
leadctl_stat_text(leadctl_t *ctl, const lead_stat_t *stat)
{
    char             id[LEAD_ID_TEXT_LEN + 1], text[64];
    size_t           i;
    lead_id_t        store;
    leadctl_table_t  table;

    const struct {
        const char  *name;
        uint64_t     value;
    } rows[] = {
        { "format",       stat->version },
        { "leads",        stat->leads },
        { "events",       stat->events },
        { "outbox",       stat->outbox },
        { "given up",     stat->failed },
        { "attempts",     stat->attempts },
        { "look-ups",     stat->lookups },
        { "idempotency",  stat->idempotency },
        { "keys",         stat->keys },
        { "accounts",     stat->accounts },
        { "endpoints",    stat->endpoints },
        { "last number",  stat->last_number },
        { "size",         stat->size },
        { "used",         stat->used },
        { "free again",   stat->free },
        { "readers",      stat->readers },
        { "readers max",  stat->readers_max }
    };

    memcpy(store.b, stat->store, sizeof(store.b));
    lead_store_id_text(&store, id);

    leadctl_table_init(&table, leadctl_stat_cols, 2);
    table.titled = 1;

    leadctl_table_text(&table, "store");
    leadctl_table_text(&table, ctl->path);
    leadctl_table_text(&table, "id");
    leadctl_table_text(&table, id);

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        snprintf(text, sizeof(text), "%" PRIu64, rows[i].value);
        leadctl_table_text(&table, rows[i].name);
        leadctl_table_text(&table, text);
    }

    snprintf(text, sizeof(text), "%.1f%%", leadctl_fill(stat));
    leadctl_table_text(&table, "full");
    leadctl_table_text(&table, text);

    leadctl_table_print(&table);
}


static void
leadctl_stat_json(leadctl_t *ctl, leadctl_json_t *json,
    const lead_stat_t *stat)
{
    char       id[LEAD_ID_TEXT_LEN + 1];
    size_t     i;
    lead_id_t  store;

    const struct {
        const char  *name;
        uint64_t     value;
    } members[] = {
        { "format",       stat->version },
        { "leads",        stat->leads },
        { "events",       stat->events },
        { "outbox",       stat->outbox },
        { "failed",       stat->failed },
        { "attempts",     stat->attempts },
        { "lookups",      stat->lookups },
        { "idempotency",  stat->idempotency },
        { "keys",         stat->keys },
        { "accounts",     stat->accounts },
        { "endpoints",    stat->endpoints },
        { "last_number",  stat->last_number },
        { "size",         stat->size },
        { "used",         stat->used },
        { "free",         stat->free },
        { "readers",      stat->readers },
        { "readers_max",  stat->readers_max }
    };

    memcpy(store.b, stat->store, sizeof(store.b));
    lead_store_id_text(&store, id);

    leadctl_json_key(json, "store");
    leadctl_json_text(json, ctl->path);
    leadctl_json_key(json, "id");
    leadctl_json_text(json, id);

    for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        leadctl_json_key(json, members[i].name);
        leadctl_json_plain(json, "%" PRIu64, members[i].value);
    }

    leadctl_json_key(json, "full_percent");
    leadctl_json_plain(json, "%.1f", leadctl_fill(stat));
}


static int
leadctl_stat_accounts(leadctl_t *ctl, leadctl_json_t *json,
    leadctl_table_t *table)
{
    char          name[LEAD_NAME_MAX + 1], number[24];
    uint32_t      account;
    uint64_t      leads;
    lead_error_t  e;

    for (account = 1; account != 0; account++) {
        e.rc = lead_store_account_name(ctl->store, account, name, &e);

        if (e.rc == LEAD_NOTFOUND) {
            break;
        }

        if (e.rc == LEAD_OK) {
            e.rc = lead_store_count(ctl->store, account, &leads, &e);
        }

        if (e.rc != LEAD_OK) {
            return leadctl_failed(&e, "counting an account's leads");
        }

        if (json) {
            leadctl_json_open(json, '{');
            leadctl_json_key(json, "account");
            leadctl_json_text(json, name);
            leadctl_json_key(json, "leads");
            leadctl_json_plain(json, "%" PRIu64, leads);
            leadctl_json_close(json, '}');
            continue;
        }

        snprintf(number, sizeof(number), "%" PRIu64, leads);
        leadctl_table_text(table, name);
        leadctl_table_text(table, number);
    }

    return LEADCTL_OK;
}


int
leadctl_check(leadctl_t *ctl)
{
    int                  code;
    size_t               i;
    uint64_t             n;
    lead_error_t         e;
    leadctl_findings_t  *found;

    code = leadctl_open(ctl, LEADCTL_READ);
    if (code != LEADCTL_OK) {
        return code;
    }

    found = leadctl_alloc(NULL, 1, sizeof(leadctl_findings_t));
    found->n = 0;
    n = 0;

    e.rc = lead_store_check(ctl->store, leadctl_finding, found, &n, &e);

    leadctl_check_print(ctl, found, n);

    if (e.rc != LEAD_OK) {
        code = leadctl_failed(&e, "check");

    } else {
        if (ctl->opts[LEADCTL_JSON_OPT]) {
            printf("{\"ok\":%s,\"findings\":%" PRIu64 "}\n",
                   n ? "false" : "true", n);

        } else if (n == 0) {
            puts("ok");

        } else {
            printf("%" PRIu64 " finding%s\n", n, n == 1 ? "" : "s");
        }

        if (n) {
            leadctl_hint("this is damage, and nothing was changed; "
                         LEADCTL_DAMAGED);
        }

        code = n ? LEADCTL_NO : LEADCTL_OK;
    }

    for (i = 0; i < found->n; i++) {
        free(found->texts[i]);
    }

    free(found);

    return code;
}


static void
leadctl_finding(void *ctx, const char *finding)
{
    leadctl_findings_t  *found = ctx;

    if (found->n < LEADCTL_FINDINGS_MAX) {
        found->texts[found->n++] = leadctl_show(finding, strlen(finding), 0);
    }
}


static void
leadctl_check_print(leadctl_t *ctl, const leadctl_findings_t *found,
    uint64_t n)
{
    size_t          i;
    leadctl_json_t  json;

    for (i = 0; i < found->n; i++) {

        if (!ctl->opts[LEADCTL_JSON_OPT]) {
            puts(found->texts[i]);
            continue;
        }

        leadctl_json_init(&json, 0);
        leadctl_json_open(&json, '{');
        leadctl_json_key(&json, "finding");
        leadctl_json_text(&json, found->texts[i]);
        leadctl_json_close(&json, '}');
        leadctl_json_end(&json);
    }

    if (n > found->n) {
        leadctl_hint("%" PRIu64 " more findings are not shown", n - found->n);
    }
}
