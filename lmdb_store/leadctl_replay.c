
/*
 * Copyright (C) the ngx_lead authors
 *
 * leadctl delivery retry and replay: once more, please.
 *
 * Nothing is sent here: rows become due, in transactions of a bounded size,
 * and nginx sends them.  What is due to a webhook that is not enabled is due
 * in vain, and that is said.
 */


#include "leadctl.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>


#define LEADCTL_REPLAY        512


static int leadctl_replay(leadctl_t *ctl, const leadctl_endpoint_t *endpoint,
    lead_replay_t *replay, uint64_t *n);


/* of one event, all that was not delivered */

int
leadctl_delivery_retry(leadctl_t *ctl)
{
    int                   code;
    size_t                i;
    uint64_t              n;
    lead_replay_t         replay;
    leadctl_endpoints_t   list;
    leadctl_event_name_t  name;

    code = leadctl_event_parse(ctl, &name);

    if (code == LEADCTL_OK) {
        code = leadctl_name(ctl, LEADCTL_ENDPOINT_OPT);
    }

    if (code == LEADCTL_OK) {
        code = leadctl_open(ctl, LEADCTL_WRITE);
    }

    if (code == LEADCTL_OK) {
        code = leadctl_endpoints(ctl, ctl->opts[LEADCTL_ENDPOINT_OPT], &list);
    }

    if (code != LEADCTL_OK) {
        return code;
    }

    code = leadctl_event_number(ctl, &list, &name);
    n = 0;

    for (i = 0; i < list.n && code == LEADCTL_OK; i++) {
        memset(&replay, 0, sizeof(lead_replay_t));

        replay.event = name.number;
        replay.since = INT64_MIN;
        replay.until = LEAD_NEVER;
        replay.failed = 1;
        replay.pending = 1;

        code = leadctl_replay(ctl, &list.all[i], &replay, &n);
    }

    if (code == LEADCTL_OK && n == 0) {
        code = leadctl_error(LEADCTL_NO, "nothing of event %s waits for a "
                             "later attempt or was given up", name.text);
    }

    if (n) {
        printf(ctl->opts[LEADCTL_JSON_OPT]
               ? "{\"event\":%" PRIu64 ",\"due\":%" PRIu64 "}\n"
               : "event %" PRIu64 ": %" PRIu64 " due now\n", name.number, n);
    }

    free(list.all);

    return code;
}


int
leadctl_delivery_replay(leadctl_t *ctl)
{
    int                  code;
    uint64_t             n;
    lead_replay_t        replay;
    leadctl_endpoints_t  list;

    if (ctl->opts[LEADCTL_ENDPOINT_OPT] == NULL
        || ctl->opts[LEADCTL_ACCOUNT_OPT] == NULL)
    {
        return leadctl_usage(ctl, "delivery replay needs --account NAME and "
                             "--endpoint NAME");
    }

    memset(&replay, 0, sizeof(lead_replay_t));

    replay.failed = 1;
    replay.delivered = ctl->opts[LEADCTL_FAILED_OPT] == NULL;

    if (leadctl_name(ctl, LEADCTL_ENDPOINT_OPT) != LEADCTL_OK
        || leadctl_period(ctl, &replay.since, &replay.until) != LEADCTL_OK)
    {
        return LEADCTL_USAGE;
    }

    code = leadctl_open(ctl, LEADCTL_WRITE);

    if (code == LEADCTL_OK) {
        code = leadctl_endpoints(ctl, ctl->opts[LEADCTL_ENDPOINT_OPT], &list);
    }

    if (code != LEADCTL_OK) {
        return code;
    }

    n = 0;

    code = leadctl_replay(ctl, &list.all[0], &replay, &n);

    printf(ctl->opts[LEADCTL_JSON_OPT] ? "{\"due\":%" PRIu64 "}\n"
                                       : "%" PRIu64 " due now\n", n);

    free(list.all);

    return code;
}


static int
leadctl_replay(leadctl_t *ctl, const leadctl_endpoint_t *endpoint,
    lead_replay_t *replay, uint64_t *n)
{
    uint64_t      before;
    lead_error_t  e;

    before = *n;

    replay->endpoint = endpoint->info.endpoint;
    replay->slice = LEADCTL_REPLAY;

    do {
        e.rc = lead_store_replay(ctl->store, replay, n, &e);
    } while (e.rc == LEAD_AGAIN);

    if (*n != before && endpoint->info.state != LEAD_ENDPOINT_ENABLED) {
        leadctl_hint("webhook %s is %s: what is due to it waits until leadctl "
                     "webhook enable %s --account %s", endpoint->name,
                     leadctl_state_text(endpoint->info.state),
                     endpoint->info.name, endpoint->account);
    }

    return e.rc == LEAD_OK ? LEADCTL_OK
                           : leadctl_failed(&e, "making deliveries due");
}
