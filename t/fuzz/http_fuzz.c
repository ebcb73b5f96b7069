
/*
 * Copyright (C) the ngx_lead authors
 *
 * A libFuzzer entry: the answer of a receiver of webhooks.  The first byte
 * says how the rest is cut; the same comes of all cuts, within the limits, and
 * what is kept of the body is in the input.
 */


#include "fuzz.h"
#include "ngx_lead_http_client.h"


typedef struct {
    ngx_lead_http_parse_t  p;
    ngx_int_t              rc;
    size_t                 taken;
} result_t;


static void
check_state(result_t *r, size_t fed)
{
    ngx_lead_http_parse_t  *p;

    p = &r->p;

    must(r->rc == NGX_OK || r->rc == NGX_AGAIN || r->rc == NGX_ERROR);
    must(r->taken <= fed);
    must(r->rc != NGX_AGAIN || r->taken == fed);
    must(p->nanswer <= NGX_LEAD_HTTP_ANSWER_KEPT);
    must(p->nanswer == ngx_min(p->body_size, NGX_LEAD_HTTP_ANSWER_KEPT));
    must(p->body_size <= NGX_LEAD_HTTP_ANSWER_MAX);
    must(p->header_size <= NGX_LEAD_HTTP_ANSWER_MAX + (r->rc == NGX_ERROR));
    must(p->nline <= sizeof(p->line));
    must(p->retry_after >= -1);

    if (r->rc != NGX_OK) {
        return;
    }

    must(p->status >= 200 && p->status <= 999);
    must(p->version == 10 || p->version == 11);
    must(p->version == 11 || p->close || p->keep);
    must((p->status != 204 && p->status != 304) || p->body_size == 0);

    /* a whole body is as long as it was said to be */

    must(p->close || p->chunked || p->status == 204 || p->status == 304
         || p->length == (off_t) p->body_size);
}


static void
feed(ngx_pool_t *pool, result_t *r, const uint8_t *data, size_t size,
    size_t step)
{
    size_t      i, n;
    u_char     *pos, *last;
    ngx_str_t   piece;

    memset(&r->p, 0xa5, sizeof(r->p));
    ngx_lead_http_parse_init(&r->p);

    r->rc = NGX_AGAIN;
    r->taken = 0;

    for (i = 0; i < size && r->rc == NGX_AGAIN; i += n) {
        n = ngx_min(step, size - i);

        piece = block(pool, data + i, n);
        pos = piece.data;
        last = pos + n;

        r->rc = ngx_lead_http_parse(&r->p, &pos, last);

        must(pos >= piece.data && pos <= last);
        must(memcmp(piece.data, data + i, n) == 0);

        r->taken += pos - piece.data;

        check_state(r, i + n);

        (void) ngx_pfree(pool, piece.data);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char      *pos, byte;
    result_t     whole, cut;
    ngx_int_t    rc;
    ngx_pool_t  *pool;

    if (size == 0) {
        return 0;
    }

    pool = ngx_create_pool(4096, NULL);
    must(pool);

    feed(pool, &whole, data + 1, size - 1, size);
    feed(pool, &cut, data + 1, size - 1, 1 + data[0] % 32);

    must(whole.rc == cut.rc);
    must(whole.taken == cut.taken);
    must(whole.p.state == cut.p.state);
    must(whole.p.status == cut.p.status);
    must(whole.p.header_size == cut.p.header_size);
    must(whole.p.body_size == cut.p.body_size);
    must(whole.p.rest == cut.p.rest);
    must(whole.p.retry_after == cut.p.retry_after);
    must(whole.p.close == cut.p.close);
    must(whole.p.nanswer == cut.p.nanswer);
    must(memcmp(whole.p.answer, cut.p.answer, cut.p.nanswer) == 0);

    /* an end is the end */

    rc = ngx_lead_http_parse_eof(&whole.p);

    must(rc == NGX_OK || rc == NGX_ERROR);
    must(cut.rc == NGX_AGAIN || rc == cut.rc);
    must(rc != NGX_OK || whole.p.status >= 200);
    must(rc != NGX_OK || cut.rc == NGX_OK || whole.p.close);

    pos = &byte;
    byte = LF;

    must(ngx_lead_http_parse(&whole.p, &pos, &byte + 1) == rc);
    must(pos == &byte);

    ngx_destroy_pool(pool);

    return 0;
}
