
/*
 * Copyright (C) the ngx_lead authors
 *
 * leadctl lead list and export: what is kept of leads, for people and for
 * programs.
 *
 * They only read.  Leads are copied out of the store in batches of a bounded
 * size and printed when the read transaction is over: a pager left open, or a
 * slow pipe, must not hold a snapshot of a live store.
 *
 * A batch owns its copies until it is emptied.
 */


#include "leadctl.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>


#define LEADCTL_SLICE         256
#define LEADCTL_BATCH_BYTES   (4 << 20)
#define LEADCTL_LIMIT         50
#define LEADCTL_LIMIT_MAX     1000000


typedef struct {
    lead_t                leads[LEADCTL_SLICE];
    size_t                n;
    size_t                most;
    size_t                bytes;
    unsigned              enough:1;
} leadctl_batch_t;


/* what a list or an export does with a batch */

typedef struct {
    leadctl_t            *ctl;
    leadctl_table_t      *table;         /* NULL: lines of JSON */
    const char           *account;
    uint64_t              left;          /* leads to be printed */
    unsigned              bad:1;         /* a document was no JSON */
} leadctl_print_t;


static int leadctl_lead_batch(void *ctx, const lead_t *lead);
static void leadctl_lead_empty(leadctl_batch_t *batch);
static int leadctl_lead_walk(leadctl_print_t *print, lead_list_t *list,
    lead_id_t *last);
static void leadctl_lead_line(leadctl_print_t *print, const lead_t *lead);
static void leadctl_lead_row(leadctl_table_t *table, const lead_t *lead,
    const leadctl_doc_t *doc);
static void leadctl_lead_cell(leadctl_table_t *table,
    const leadctl_doc_t *doc, leadctl_field_t field, leadctl_field_t other);


static const leadctl_col_t  leadctl_lead_cols[] = {
    { "ID", 0 },
    { "NUMBER", 0 },
    { "CREATED", 0 },
    { "NAME", 28 },
    { "EMAIL", 36 },
    { "PHONE", 20 },
    { "STAGE", 16 },
    { "SOURCE", 16 }
};


int
leadctl_lead_list(leadctl_t *ctl)
{
    int              code;
    char             id[LEAD_ID_TEXT_LEN + 1];
    uint64_t         limit;
    lead_id_t        last;
    lead_list_t      list;
    lead_bytes_t     text;
    leadctl_print_t  print;
    leadctl_table_t  table;

    memset(&list, 0, sizeof(lead_list_t));
    memset(&print, 0, sizeof(leadctl_print_t));

    limit = LEADCTL_LIMIT;
    list.oldest = ctl->opts[LEADCTL_OLDEST_OPT] != NULL;

    if (ctl->opts[LEADCTL_ACCOUNT_OPT] == NULL) {
        return leadctl_usage(ctl, "lead list needs --account NAME");
    }

    if (ctl->opts[LEADCTL_LIMIT_OPT]
        && (leadctl_number(ctl->opts[LEADCTL_LIMIT_OPT], LEADCTL_LIMIT_MAX,
                           &limit) != 0
            || limit == 0))
    {
        return leadctl_usage(ctl, "--limit takes a number from 1 to %d",
                             LEADCTL_LIMIT_MAX);
    }

    if (ctl->opts[LEADCTL_FROM_OPT]) {
        text.data = (const uint8_t *) ctl->opts[LEADCTL_FROM_OPT];
        text.len = strlen(ctl->opts[LEADCTL_FROM_OPT]);
        list.has_from = 1;

        if (lead_store_id_parse(text, &list.from) != 0) {
            return leadctl_usage(ctl, "--from takes a lead's id (a UUID)");
        }
    }

    code = leadctl_open(ctl, LEADCTL_READ);

    if (code == LEADCTL_OK) {
        code = leadctl_account(ctl, 0, &list.account);
    }

    if (code != LEADCTL_OK) {
        return code;
    }

    leadctl_table_init(&table, leadctl_lead_cols, 8);

    print.ctl = ctl;
    print.account = ctl->opts[LEADCTL_ACCOUNT_OPT];
    print.table = ctl->opts[LEADCTL_JSON_OPT] ? NULL : &table;
    print.left = limit;

    code = leadctl_lead_walk(&print, &list, &last);

    if (print.table) {
        leadctl_table_print(&table);
    }

    if (code == LEADCTL_NO) {
        fflush(stdout);
        lead_store_id_text(&last, id);
        leadctl_hint("there are more: --from %s", id);
        code = LEADCTL_OK;
    }

    return print.bad ? LEADCTL_FAILED : code;
}


int
leadctl_lead_export(leadctl_t *ctl)
{
    int              code;
    char             account[LEAD_NAME_MAX + 1];
    uint32_t         n;
    lead_id_t        last;
    lead_list_t      list;
    lead_error_t     e;
    leadctl_print_t  print;

    code = leadctl_open(ctl, LEADCTL_READ);
    n = 1;

    if (code == LEADCTL_OK && ctl->opts[LEADCTL_ACCOUNT_OPT]) {
        code = leadctl_account(ctl, 0, &n);
    }

    if (code != LEADCTL_OK) {
        return code;
    }

    memset(&print, 0, sizeof(leadctl_print_t));

    print.ctl = ctl;
    print.account = account;
    print.left = UINT64_MAX;

    do {
        e.rc = lead_store_account_name(ctl->store, n, account, &e);

        if (e.rc == LEAD_NOTFOUND) {
            break;
        }

        if (e.rc != LEAD_OK) {
            return leadctl_failed(&e, "listing the accounts");
        }

        memset(&list, 0, sizeof(lead_list_t));
        list.account = n;
        list.oldest = 1;

        code = leadctl_lead_walk(&print, &list, &last);

    } while (code == LEADCTL_OK && ctl->opts[LEADCTL_ACCOUNT_OPT] == NULL
             && ++n != 0);

    return print.bad ? LEADCTL_FAILED : code;
}


/* LEADCTL_NO: print->left leads were printed, *last is the last of them, and
 * there are more */

static int
leadctl_lead_walk(leadctl_print_t *print, lead_list_t *list, lead_id_t *last)
{
    int               code;
    size_t            i;
    lead_id_t         next;
    lead_error_t      e;
    leadctl_batch_t  *batch;

    batch = leadctl_alloc(NULL, 1, sizeof(leadctl_batch_t));
    memset(batch, 0, sizeof(leadctl_batch_t));

    list->slice = LEADCTL_SLICE;
    list->sink = leadctl_lead_batch;
    list->ctx = batch;

    code = LEADCTL_OK;

    do {
        batch->most = LEADCTL_SLICE;

        if (print->left < LEADCTL_SLICE) {
            batch->most = (size_t) print->left + 1;
        }

        e.rc = lead_store_list(print->ctl->store, list, &next, &e);

        if (e.rc != LEAD_OK && e.rc != LEAD_AGAIN) {
            code = leadctl_failed(&e, "listing leads");
            break;
        }

        for (i = 0; i < batch->n; i++) {

            if (print->left == 0) {
                code = LEADCTL_NO;
                break;
            }

            leadctl_lead_line(print, &batch->leads[i]);
            *last = batch->leads[i].id;
            print->left--;
        }

        if (batch->enough) {
            list->from = batch->leads[batch->n - 1].id;
            list->has_from = 1;

        } else if (e.rc == LEAD_AGAIN) {
            list->from = next;
            list->has_from = 1;

        } else {
            break;
        }

        leadctl_lead_empty(batch);

    } while (code == LEADCTL_OK && !ferror(stdout));

    leadctl_lead_empty(batch);
    free(batch);

    return code;
}


static int
leadctl_lead_batch(void *ctx, const lead_t *lead)
{
    lead_t           *copy;
    leadctl_batch_t  *batch = ctx;

    copy = &batch->leads[batch->n++];

    *copy = *lead;
    copy->doc = leadctl_copy(lead->doc);

    batch->bytes += lead->doc.len;
    batch->enough = batch->n >= batch->most
                    || batch->bytes >= LEADCTL_BATCH_BYTES;

    return batch->enough;
}


static void
leadctl_lead_empty(leadctl_batch_t *batch)
{
    size_t  i;

    for (i = 0; i < batch->n; i++) {
        free((void *) batch->leads[i].doc.data);
    }

    batch->n = 0;
    batch->bytes = 0;
    batch->enough = 0;
}


static void
leadctl_lead_line(leadctl_print_t *print, const lead_t *lead)
{
    int             bad;
    leadctl_doc_t   doc;
    leadctl_json_t  json;

    bad = leadctl_lead_document(lead, &doc);

    if (bad) {
        print->bad = 1;
    }

    if (print->table) {
        leadctl_lead_row(print->table, lead, &doc);

        if (print->table->ncells >= LEADCTL_SLICE * print->table->ncols) {
            leadctl_table_print(print->table);
        }

        return;
    }

    leadctl_json_init(&json, 0);
    leadctl_json_open(&json, '{');
    leadctl_lead_members(&json, lead, print->account, bad);
    leadctl_json_close(&json, '}');
    leadctl_json_end(&json);
}


/* non-zero: it is no JSON and cannot be printed; said here */

int
leadctl_lead_document(const lead_t *lead, leadctl_doc_t *doc)
{
    char         id[LEAD_ID_TEXT_LEN + 1];
    const char  *why;

    why = leadctl_doc_read(doc, lead->doc, 0, 0);

    if (why == NULL) {
        return 0;
    }

    lead_store_id_text(&lead->id, id);
    leadctl_hint("the document of lead %s cannot be shown: %s", id, why);

    return 1;
}


static void
leadctl_lead_row(leadctl_table_t *table, const lead_t *lead,
    const leadctl_doc_t *doc)
{
    char                   id[LEAD_ID_TEXT_LEN + 1], number[24];
    char                   name[2 * sizeof(doc->fields[0].data) + 1];
    char                   created[LEADCTL_TIME_LEN];
    size_t                 len;
    const leadctl_cell_t  *first, *second;

    lead_store_id_text(&lead->id, id);
    snprintf(number, sizeof(number), "%" PRIu64, lead->number);
    leadctl_time(lead->created, created);

    first = &doc->fields[LEADCTL_FIRST_NAME];
    second = &doc->fields[LEADCTL_LAST_NAME];

    memcpy(name, first->data, first->len);
    len = first->len;

    if (first->len && second->len) {
        name[len++] = ' ';
    }

    memcpy(&name[len], second->data, second->len);
    len += second->len;

    leadctl_table_text(table, id);
    leadctl_table_text(table, number);
    leadctl_table_text(table, created);
    leadctl_table_add(table, name, len);
    leadctl_lead_cell(table, doc, LEADCTL_EMAIL, LEADCTL_EMAIL);
    leadctl_lead_cell(table, doc, LEADCTL_PHONE, LEADCTL_PHONE);
    leadctl_lead_cell(table, doc, LEADCTL_STAGE, LEADCTL_STAGE_KEY);
    leadctl_lead_cell(table, doc, LEADCTL_SOURCE, LEADCTL_SOURCE_KEY);
}


static void
leadctl_lead_cell(leadctl_table_t *table, const leadctl_doc_t *doc,
    leadctl_field_t field, leadctl_field_t other)
{
    if (doc->fields[field].len == 0) {
        field = other;
    }

    leadctl_table_add(table, doc->fields[field].data,
                      doc->fields[field].len);
}


void
leadctl_lead_members(leadctl_json_t *json, const lead_t *lead,
    const char *account, int bad)
{
    char  id[LEAD_ID_TEXT_LEN + 1];

    lead_store_id_text(&lead->id, id);

    leadctl_json_key(json, "id");
    leadctl_json_text(json, id);
    leadctl_json_key(json, "number");
    leadctl_json_plain(json, "%" PRIu64, lead->number);
    leadctl_json_key(json, "account");
    leadctl_json_text(json, account);
    leadctl_json_key(json, "created_at");
    leadctl_json_time(json, lead->created);
    leadctl_json_key(json, "updated_at");
    leadctl_json_time(json, lead->updated);
    leadctl_json_key(json, "last_activity_at");
    leadctl_json_time(json, lead->activity);
    leadctl_json_key(json, "archived");
    leadctl_json_plain(json, lead->flags & LEAD_FLAG_ARCHIVED ? "true"
                                                              : "false");
    leadctl_json_key(json, "document");

    if (bad) {
        leadctl_json_plain(json, "null");

    } else {
        leadctl_json_value(json, lead->doc);
    }
}
