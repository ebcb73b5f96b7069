
/*
 * Copyright (C) the ngx_lead authors
 *
 * Events as deliveries know them: by their number in the store, and by the id
 * receivers see.
 *
 * The id is nowhere an index: it is looked for in the log of attempts, from
 * the newest down to the time the id itself tells, and among what is due.
 */


#include "leadctl.h"
#include <string.h>


/* an attempt is not made before its event, but for a clock that was set */
#define LEADCTL_CLOCK         (3600 * 1000000LL)


typedef struct {
    uint64_t              number;
    const lead_id_t      *id;
    leadctl_row_event_t  *event;
    unsigned              found:1;
} leadctl_seek_t;


static int leadctl_event_due(void *ctx, const lead_due_t *due);
static int leadctl_event_row(void *ctx, const lead_event_row_t *row);


int
leadctl_event_parse(leadctl_t *ctl, leadctl_event_name_t *name)
{
    const char    *prefix;
    lead_bytes_t   text;

    memset(name, 0, sizeof(leadctl_event_name_t));

    name->text = ctl->args[0];

    if (leadctl_number(name->text, UINT64_MAX, &name->number) == 0
        && name->number)
    {
        return LEADCTL_OK;
    }

    name->number = 0;

    prefix = strchr(name->text, '_');

    text.data = (const uint8_t *) (prefix ? prefix + 1 : name->text);
    text.len = strlen((const char *) text.data);

    if (lead_store_id_parse(text, &name->id) == 0
        && !leadctl_id_none(&name->id))
    {
        return LEADCTL_OK;
    }

    return leadctl_usage(ctl, "\"%.60s\" is neither an event's number nor the "
                         "webhook-id a receiver has seen", name->text);
}


int
leadctl_event_number(leadctl_t *ctl, const leadctl_endpoints_t *list,
    leadctl_event_name_t *name)
{
    int                    code;
    size_t                 i;
    int64_t                next;
    lead_error_t           e;
    leadctl_log_t          log;
    leadctl_seek_t         seek;
    const lead_attempt_t  *a;

    memset(&seek, 0, sizeof(leadctl_seek_t));

    seek.id = &name->id;

    for (i = 0; i < list->n && name->number == 0; i++) {
        leadctl_log_init(&log, ctl, list->all[i].info.endpoint);

        log.id = &name->id;
        log.since = leadctl_event_since(&name->id);

        code = leadctl_log_peek(&log, &a);

        if (a) {
            name->number = a->row.event;
        }

        leadctl_log_free(&log);

        if (code != LEADCTL_OK) {
            return code;
        }

        if (name->number) {
            return LEADCTL_OK;
        }

        e.rc = lead_store_due(ctl->store, list->all[i].info.endpoint, NULL, 0,
                              leadctl_event_due, &seek, &next, &e);

        if (e.rc != LEAD_OK) {
            return leadctl_failed(&e, "reading the outbox");
        }

        name->number = seek.number;
    }

    if (name->number == 0) {
        return leadctl_error(LEADCTL_NO, "no delivery of event %s is known: "
                             "it is none of this store, or its log has "
                             "expired", name->text);
    }

    return LEADCTL_OK;
}


static int
leadctl_event_due(void *ctx, const lead_due_t *due)
{
    leadctl_seek_t  *seek = ctx;

    if (memcmp(seek->id->b, due->id.b, sizeof(due->id.b)) != 0) {
        return 0;
    }

    seek->number = due->row.event;

    return 1;
}


int
leadctl_event_of(leadctl_t *ctl, const lead_outbox_row_t *row,
    leadctl_row_event_t *event)
{
    lead_error_t    e;
    leadctl_seek_t  seek;

    memset(&seek, 0, sizeof(leadctl_seek_t));
    memset(event, 0, sizeof(leadctl_row_event_t));

    seek.number = row->event;
    seek.event = event;

    e.rc = lead_store_events(ctl->store, row->account, &row->lead,
                             leadctl_event_row, &seek, &e);

    if (e.rc != LEAD_OK && e.rc != LEAD_NOTFOUND) {
        return leadctl_failed(&e, "reading an event");
    }

    if (!seek.found && leadctl_id_none(&row->lead)) {
        strcpy(event->type, "webhook.test");
    }

    return LEADCTL_OK;
}


static int
leadctl_event_row(void *ctx, const lead_event_row_t *row)
{
    leadctl_seek_t  *seek = ctx;

    if (row->id != seek->number) {
        return row->id < seek->number;
    }

    seek->found = 1;
    seek->event->time = row->time;

    if (row->type.len < sizeof(seek->event->type)) {
        memcpy(seek->event->type, row->type.data, row->type.len);
    }

    return 1;
}


int64_t
leadctl_event_since(const lead_id_t *id)
{
    return leadctl_id_none(id) ? INT64_MIN
                               : leadctl_id_time(id) - LEADCTL_CLOCK;
}


int64_t
leadctl_id_time(const lead_id_t *id)
{
    size_t   i;
    int64_t  ms;

    for (i = 0, ms = 0; i < 6; i++) {
        ms = ms << 8 | id->b[i];
    }

    return ms * 1000;
}
