
/*
 * Copyright (C) the ngx_lead authors
 *
 * A libFuzzer entry: arguments of Lawfficient's list, above all its cursor.
 * The input is what stands behind "?", and is a cursor, too.  A cursor that is
 * taken is the one that a page ending with its lead shows, and a page's cursor
 * is taken.
 */


#include "fuzz.h"
#include "ngx_lead_dialect.h"
#include "ngx_lead_field.h"


#define LIMIT_MAX  200
#define LAST_TIME  253402300799999999LL          /* of the year 9999 */


/* look-ups of ngx_lead_account.c, which also needs the configuration's */

ngx_lead_user_t *
ngx_lead_account_user(ngx_lead_account_t *account, ngx_str_t *id)
{
    return NULL;
}


ngx_lead_data_t *
ngx_lead_account_data(ngx_lead_account_t *account, u_char *key, size_t len)
{
    return NULL;
}


ngx_lead_stage_t *
ngx_lead_account_open_stage(ngx_lead_account_t *account)
{
    return NULL;
}


ngx_lead_stage_t *
ngx_lead_account_stage(ngx_lead_account_t *account, ngx_str_t *key)
{
    static ngx_lead_stage_t  stage = { .key = ngx_string("new") };

    return same(key, &stage.key) ? &stage : NULL;
}


static ngx_lead_route_t *
list_route(void)
{
    ngx_lead_route_t  *r;

    for (r = ngx_lead_dialect_lawfficient.routes; r->path.len; r++) {
        if (r->act == NGX_LEAD_DO_LIST) {
            return r;
        }
    }

    return NULL;
}


static ngx_int_t
ask(ngx_pool_t *pool, ngx_lead_call_t *call, ngx_str_t *args)
{
    ngx_int_t  rc;

    static ngx_lead_account_t  account;

    ngx_memzero(call, sizeof(ngx_lead_call_t));

    call->pool = pool;
    call->account = &account;
    call->dialect = &ngx_lead_dialect_lawfficient;
    call->route = list_route();
    call->method = NGX_LEAD_GET;
    call->args = *args;

    must(call->route);

    rc = call->route->decode(call);

    must(rc == NGX_OK || rc == NGX_DECLINED);

    if (rc == NGX_DECLINED) {
        must(call->fault.kind == NGX_LEAD_FAULT_OWN);
        must(call->fault.status == 400);
        return rc;
    }

    must(call->list.limit >= 1 && call->list.limit <= LIMIT_MAX);

    return rc;
}


/* the cursor of a page that ends with this lead */

static ngx_str_t
page_cursor(ngx_lead_call_t *call, lead_id_t *id, int64_t created)
{
    lead_t            lead;
    ngx_lead_json_t  *next;

    static const char  doc[] = "{\"first_name\":\"Ada\",\"stage\":"
        "{\"pipeline\":\"main\",\"key\":\"new\",\"name\":\"New\"}}";

    memset(&lead, 0, sizeof(lead_t));

    lead.id = *id;
    lead.created = created;
    lead.updated = created;
    lead.activity = created;
    lead.doc.data = (const uint8_t *) doc;
    lead.doc.len = sizeof(doc) - 1;

    call->list.more = 1;

    must(call->route->encode(call, &lead, 1) == NGX_OK);
    must(call->status == 200);

    next = ngx_lead_json_get(call->root, "next_cursor");
    must(next && next->type == NGX_LEAD_JSON_STRING);

    return next->text;
}


static void
check_cursor(ngx_lead_call_t *call, ngx_str_t *cursor)
{
    u_char     *bar;
    int64_t     created;
    ngx_str_t   plain, time, shown;

    plain.data = ngx_pnalloc(call->pool, cursor->len);
    must(plain.data);
    must(ngx_decode_base64url(&plain, cursor) == NGX_OK);

    bar = memchr(plain.data, '|', plain.len);
    must(bar);

    time.data = plain.data;
    time.len = bar - plain.data;

    must(ngx_lead_field_time_parse(&time, &created) == NGX_OK);

    shown = page_cursor(call, &call->list.from, created);

    /* the case of the id's digits is the client's */

    plain.data = ngx_pnalloc(call->pool, shown.len);
    must(plain.data);
    must(ngx_decode_base64url(&plain, &shown) == NGX_OK);
    must(shown.len == cursor->len);
    must(plain.len == time.len + 1 + LEAD_ID_TEXT_LEN);
    must(strncasecmp((char *) plain.data, (char *) time.data, plain.len)
         == 0);
}


static void
check_arguments(ngx_pool_t *pool, ngx_str_t *args)
{
    ngx_str_t        cursor;
    ngx_lead_call_t  call;

    if (ask(pool, &call, args) == NGX_OK && call.list.has_from) {
        must(ngx_lead_call_arg(&call, "cursor", &cursor) == NGX_OK);
        check_cursor(&call, &cursor);
    }
}


static void
check_as_cursor(ngx_pool_t *pool, ngx_str_t *text)
{
    u_char           *p;
    size_t            i;
    ngx_str_t         args;
    ngx_lead_call_t   call;

    p = ngx_pnalloc(pool, 3 * text->len + sizeof("q=&cursor=%00"));
    must(p);

    args.data = p;
    p += sprintf((char *) p, "q=&cursor=");

    for (i = 0; i < text->len; i++) {
        p += sprintf((char *) p, "%%%02X", text->data[i]);
    }

    args.len = p - args.data;
    args = block(pool, args.data, args.len);

    if (ask(pool, &call, &args) == NGX_OK && call.list.has_from) {
        check_cursor(&call, text);
    }
}


static void
check_page(ngx_pool_t *pool, const uint8_t *data)
{
    u_char           *p;
    int64_t           created;
    lead_id_t         id;
    ngx_str_t         args, cursor;
    ngx_lead_call_t   call;

    memcpy(&created, data, sizeof(created));
    memcpy(id.b, data + sizeof(created), sizeof(id.b));

    created = (int64_t) ((uint64_t) created % (LAST_TIME + 1));

    ngx_str_set(&args, "limit=1");
    must(ask(pool, &call, &args) == NGX_OK);
    must(call.list.limit == 1 && !call.list.has_from);

    cursor = page_cursor(&call, &id, created);

    args.len = sizeof("cursor=") - 1 + cursor.len;
    p = ngx_pnalloc(pool, args.len);
    must(p);

    args.data = p;
    p = ngx_cpymem(p, "cursor=", sizeof("cursor=") - 1);
    ngx_memcpy(p, cursor.data, cursor.len);

    must(ask(pool, &call, &args) == NGX_OK);
    must(call.list.has_from);
    must(memcmp(call.list.from.b, id.b, sizeof(id.b)) == 0);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ngx_str_t    text;
    ngx_pool_t  *pool;

    pool = ngx_create_pool(4096, NULL);
    must(pool);

    text = block(pool, data, size);

    check_arguments(pool, &text);
    check_as_cursor(pool, &text);

    if (size >= sizeof(int64_t) + sizeof(lead_id_t)) {
        check_page(pool, data);
    }

    must(size == 0 || memcmp(text.data, data, size) == 0);

    ngx_destroy_pool(pool);

    return 0;
}
