
/*
 * Copyright (C) the ngx_lead authors
 *
 * What a webhook's delivery says: an event as the bytes of its format, and
 * the headers that sign them.  Pure functions on a pool; no I/O.
 */


#ifndef _NGX_LEAD_PAYLOAD_H_INCLUDED_
#define _NGX_LEAD_PAYLOAD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "lead_store.h"
#include "ngx_lead_account.h"
#include "ngx_lead_json.h"


/* an event to be delivered; all of it the caller's */

typedef struct {
    ngx_pool_t            *pool;
    ngx_lead_account_t    *account;
    ngx_lead_webhook_t    *webhook;
    lead_id_t              id;           /* of the event, for the world */
    int64_t                time;         /* of the event, microseconds */
    ngx_str_t              type;         /* "lead.created" */
    ngx_str_t              data;         /* JSON of the event, or empty */
    const lead_t          *lead;         /* as it was after the event */
} ngx_lead_notice_t;


/* the body; standard: Standard Webhooks 1.0.0, lawfficient: contract 2.4,
 * kickofflabs: contract 3.4.  NGX_ERROR: no memory, or no document */
ngx_int_t ngx_lead_payload(ngx_lead_notice_t *notice, ngx_str_t *body);

/* the lines of the request's header, each with CRLF, for a body sent at now
 * (seconds): the format's own, Content-Type, User-Agent and those configured.
 * Signed with each of the webhook's secrets.  NGX_ERROR: no memory */
ngx_int_t ngx_lead_payload_headers(ngx_lead_notice_t *notice, time_t now,
    ngx_str_t *body, ngx_str_t *headers);


#endif /* _NGX_LEAD_PAYLOAD_H_INCLUDED_ */
