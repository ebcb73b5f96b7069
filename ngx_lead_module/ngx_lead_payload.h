
/*
 * Copyright (C) the ngx_lead authors
 *
 * What a webhook's delivery says: an event as the bytes of its format, and
 * the headers that sign them.
 *
 * Pure functions on the notice's pool; no I/O, no log, and they may run in
 * threads.  The notice and all it points to stay the caller's; what is made
 * points to none of it.
 */


#ifndef _NGX_LEAD_PAYLOAD_H_INCLUDED_
#define _NGX_LEAD_PAYLOAD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include "lead_store.h"
#include "ngx_lead_account.h"
#include "ngx_lead_dialect.h"
#include "ngx_lead_json.h"


/*
 * The body of notice->webhook's format, on notice->pool.  standard: Standard
 * Webhooks 1.0.0, the lead in data; any other: as the dialect of that name
 * says it.  What a document lacks for a format makes no error: it is shown as
 * what the format shows for nothing.
 *
 * NGX_OK
 * NGX_DECLINED  there is no lead, or its document is no JSON object: it will
 *               be no better later
 * NGX_ERROR     no memory
 */
ngx_int_t ngx_lead_payload(ngx_lead_notice_t *notice, ngx_str_t *body);

/*
 * The lines of the request's header, each with CRLF, for a body sent at now
 * (seconds): Content-Type, User-Agent, the format's own, signed with each of
 * the webhook's secrets, and those configured.  A configured header that is
 * no single line is left out.  NGX_ERROR: no memory.
 */
ngx_int_t ngx_lead_payload_headers(ngx_lead_notice_t *notice, time_t now,
    ngx_str_t *body, ngx_str_t *headers);

/* the value of Standard Webhooks' webhook-signature, by each of the secrets,
 * in their order; NGX_ERROR: no memory */
ngx_int_t ngx_lead_payload_sign(ngx_pool_t *pool, ngx_array_t *secrets,
    ngx_str_t *id, time_t now, ngx_str_t *body, ngx_str_t *signature);


#endif /* _NGX_LEAD_PAYLOAD_H_INCLUDED_ */
