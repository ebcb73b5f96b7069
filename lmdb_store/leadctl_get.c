
/*
 * Copyright (C) the ngx_lead authors
 *
 * leadctl lead get: one lead, and its history.
 *
 * It only reads, and prints when the read transactions are over.  What it
 * copied out of the store it frees.
 */


#include "leadctl.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>


typedef struct {
    uint64_t              id;
    int64_t               time;
    lead_bytes_t          type;
    lead_bytes_t          actor;
    lead_bytes_t          data;
} leadctl_event_t;

typedef struct {
    leadctl_event_t      *events;
    size_t                n;
    size_t                nalloc;
} leadctl_events_t;


static int leadctl_lead_argument(leadctl_t *ctl, lead_find_t *find);
static int leadctl_lead_find(leadctl_t *ctl, const lead_find_t *find,
    lead_t *lead, char *account);
static int leadctl_lead_one(void *ctx, const lead_t *lead);
static int leadctl_lead_show(leadctl_t *ctl, const lead_t *lead,
    const char *account);
static int leadctl_events(leadctl_t *ctl, leadctl_json_t *json,
    const lead_t *lead);
static int leadctl_event_collect(void *ctx, const lead_event_row_t *row);
static void leadctl_event_print(leadctl_json_t *json,
    const leadctl_event_t *event);


int
leadctl_lead_get(leadctl_t *ctl)
{
    int          code;
    char         account[LEAD_NAME_MAX + 1];
    lead_t       lead;
    lead_find_t  find;

    code = leadctl_lead_argument(ctl, &find);
    if (code != LEADCTL_OK) {
        return code;
    }

    code = leadctl_open(ctl, LEADCTL_READ);
    if (code != LEADCTL_OK) {
        return code;
    }

    memset(&lead, 0, sizeof(lead_t));

    code = leadctl_lead_find(ctl, &find, &lead, account);

    if (code == LEADCTL_OK) {
        code = leadctl_lead_show(ctl, &lead, account);
        free((void *) lead.doc.data);
    }

    return code;
}


static int
leadctl_lead_argument(leadctl_t *ctl, lead_find_t *find)
{
    lead_bytes_t  text;

    memset(find, 0, sizeof(lead_find_t));

    text.data = (const uint8_t *) ctl->args[0];
    text.len = strlen(ctl->args[0]);

    if (lead_store_id_parse(text, &find->id) == 0) {
        find->by = LEAD_BY_ID;
        return LEADCTL_OK;
    }

    if (leadctl_number(ctl->args[0], UINT64_MAX, &find->number) == 0) {
        find->by = LEAD_BY_NUMBER;
        return LEADCTL_OK;
    }

    return leadctl_usage(ctl, "\"%.40s\" is neither a lead's id (a UUID) nor "
                         "its number", ctl->args[0]);
}


/* lead gets a copy, its document to be freed; account has room for
 * LEAD_NAME_MAX + 1 */

static int
leadctl_lead_find(leadctl_t *ctl, const lead_find_t *find,
    lead_t *lead, char *account)
{
    int           code;
    uint32_t      n;
    lead_error_t  e;

    n = 1;

    if (ctl->opts[LEADCTL_ACCOUNT_OPT]) {
        code = leadctl_account(ctl, 0, &n);

        if (code != LEADCTL_OK) {
            return code;
        }
    }

    do {
        e.rc = lead_store_account_name(ctl->store, n, account, &e);

        if (e.rc == LEAD_NOTFOUND) {
            break;
        }

        if (e.rc == LEAD_OK) {
            e.rc = lead_store_get(ctl->store, n, find, leadctl_lead_one,
                                  lead, &e);
        }

        if (e.rc == LEAD_OK) {
            return LEADCTL_OK;
        }

        if (e.rc != LEAD_NOTFOUND) {
            return leadctl_failed(&e, "reading the lead");
        }

    } while (ctl->opts[LEADCTL_ACCOUNT_OPT] == NULL && ++n != 0);

    return leadctl_error(LEADCTL_NO, "there is no lead %s in this %s",
                         ctl->args[0], ctl->opts[LEADCTL_ACCOUNT_OPT]
                                       ? "account" : "store");
}


static int
leadctl_lead_one(void *ctx, const lead_t *lead)
{
    lead_t  *copy = ctx;

    *copy = *lead;
    copy->doc = leadctl_copy(lead->doc);

    return 1;
}


static int
leadctl_lead_show(leadctl_t *ctl, const lead_t *lead, const char *account)
{
    int             code, bad;
    leadctl_doc_t   doc;
    leadctl_json_t  json;

    bad = leadctl_lead_document(lead, &doc);

    leadctl_json_init(&json, ctl->opts[LEADCTL_JSON_OPT] == NULL);
    leadctl_json_open(&json, '{');
    leadctl_lead_members(&json, lead, account, bad);

    code = LEADCTL_OK;

    if (ctl->opts[LEADCTL_EVENTS_OPT]) {
        code = leadctl_events(ctl, &json, lead);
    }

    leadctl_json_close(&json, '}');
    leadctl_json_end(&json);

    return bad ? LEADCTL_FAILED : code;
}


static int
leadctl_events(leadctl_t *ctl, leadctl_json_t *json, const lead_t *lead)
{
    size_t            i;
    lead_error_t      e;
    leadctl_events_t  all;

    memset(&all, 0, sizeof(leadctl_events_t));

    e.rc = lead_store_events(ctl->store, lead->account, &lead->id,
                             leadctl_event_collect, &all, &e);

    leadctl_json_key(json, "events");
    leadctl_json_open(json, '[');

    for (i = 0; i < all.n; i++) {
        leadctl_event_print(json, &all.events[i]);

        free((void *) all.events[i].type.data);
        free((void *) all.events[i].actor.data);
        free((void *) all.events[i].data.data);
    }

    leadctl_json_close(json, ']');

    free(all.events);

    return e.rc == LEAD_OK ? LEADCTL_OK
                           : leadctl_failed(&e, "reading the events");
}


static int
leadctl_event_collect(void *ctx, const lead_event_row_t *row)
{
    leadctl_event_t   *event;
    leadctl_events_t  *all = ctx;

    if (all->n == all->nalloc) {
        all->nalloc = all->nalloc ? all->nalloc * 2 : 16;
        all->events = leadctl_alloc(all->events, all->nalloc,
                                    sizeof(leadctl_event_t));
    }

    event = &all->events[all->n++];

    event->id = row->id;
    event->time = row->time;
    event->type = leadctl_copy(row->type);
    event->actor = leadctl_copy(row->actor);
    event->data = leadctl_copy(row->data);

    return 0;
}


/* the data of an event may be any JSON value, or nothing */

static void
leadctl_event_print(leadctl_json_t *json, const leadctl_event_t *event)
{
    leadctl_doc_t  doc;

    leadctl_json_open(json, '{');
    leadctl_json_key(json, "id");
    leadctl_json_plain(json, "%" PRIu64, event->id);
    leadctl_json_key(json, "time");
    leadctl_json_time(json, event->time);
    leadctl_json_key(json, "type");
    leadctl_json_bytes(json, event->type);
    leadctl_json_key(json, "actor");
    leadctl_json_bytes(json, event->actor);
    leadctl_json_key(json, "data");

    if (event->data.len == 0) {
        leadctl_json_plain(json, "null");

    } else if (leadctl_doc_read(&doc, event->data, 0, 0) == NULL) {
        leadctl_json_value(json, event->data);

    } else {
        leadctl_json_bytes(json, event->data);
    }

    leadctl_json_close(json, '}');
}
