
/*
 * Copyright (C) the ngx_lead authors
 *
 * The Lawfficient dialect without an nginx and without a store: this plays
 * both, in memory, and shows a call's answer as one text, "201 {...}".
 *
 * Leads live as long as the test; what a call leaves behind goes with the
 * test's pool.
 */


#ifndef _LAWFFICIENT_TEST_H_INCLUDED_
#define _LAWFFICIENT_TEST_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include "ngx_lead_dialect.h"
#include "ngx_pool.h"


#define LEADS_MAX   16
#define USER        "a1b2c3d4-0000-4000-8000-000000000000"
#define CREATED     1782295200000000LL       /* 2026-06-24T10:00:00Z */

#define count(array)  (sizeof(array) / sizeof(array[0]))


static ngx_pool_t          *pool;
static ngx_lead_account_t   account;
static lead_t               leads[LEADS_MAX];
static lead_match_t         matches[LEADS_MAX];
static ngx_uint_t           nleads;
static int64_t              now;

static ngx_lead_call_t     *call;            /* the last one */
static char                 events[1024];    /* its, "type:endpoints data;" */

static ngx_lead_stage_t     stages[4];
static ngx_lead_pipeline_t  pipeline;
static ngx_lead_user_t      users[2];
static ngx_lead_data_t      fields[3];
static ngx_lead_source_t    sources[2];
static ngx_lead_webhook_t   hooks[2];
static ngx_str_t            labels[3];


/* look-ups of ngx_lead_account.c, which also needs the configuration's */

ngx_lead_user_t *
ngx_lead_account_user(ngx_lead_account_t *a, ngx_str_t *id)
{
    ngx_uint_t  i;

    for (i = 0; i < count(users); i++) {
        if (users[i].id.len == id->len
            && strncasecmp((char *) users[i].id.data, (char *) id->data,
                           id->len) == 0)
        {
            return &users[i];
        }
    }

    return NULL;
}


ngx_lead_data_t *
ngx_lead_account_data(ngx_lead_account_t *a, u_char *key, size_t len)
{
    ngx_uint_t  i;

    for (i = 0; i < a->data.nelts; i++) {
        if (fields[i].key.len == len
            && memcmp(fields[i].key.data, key, len) == 0)
        {
            return &fields[i];
        }
    }

    return NULL;
}


ngx_lead_stage_t *
ngx_lead_account_stage(ngx_lead_account_t *a, ngx_str_t *key)
{
    ngx_uint_t  i;

    for (i = 0; i < pipeline.stages.nelts; i++) {
        if (stages[i].key.len == key->len
            && memcmp(stages[i].key.data, key->data, key->len) == 0)
        {
            return &stages[i];
        }
    }

    return NULL;
}


ngx_lead_stage_t *
ngx_lead_account_open_stage(ngx_lead_account_t *a)
{
    ngx_uint_t  i;

    for (i = 0; i < pipeline.stages.nelts; i++) {
        if (!stages[i].terminal) {
            return &stages[i];
        }
    }

    return NULL;
}


static void
array(ngx_array_t *a, void *elts, ngx_uint_t n, size_t size)
{
    a->elts = elts;
    a->nelts = n;
    a->size = size;
}


static ngx_str_t
bytes(const char *text, size_t len)
{
    ngx_str_t  s;

    s.len = len;
    s.data = malloc(len ? len : 1);
    assert_non_null(s.data);
    memcpy(s.data, text, len);

    return s;
}


#define str(s, text)                                                          \
    (s)->data = (u_char *) text;                                              \
    (s)->len = strlen(text)


static int
setup(void **state)
{
    static ngx_str_t  silent = ngx_string("lead.assigned");

    ngx_pool_fail_at = 0;
    pool = ngx_create_pool(4096, NULL);

    nleads = 0;
    now = CREATED;

    memset(&account, 0, sizeof(account));
    memset(stages, 0, sizeof(stages));
    memset(fields, 0, sizeof(fields));
    memset(sources, 0, sizeof(sources));
    memset(users, 0, sizeof(users));
    memset(hooks, 0, sizeof(hooks));
    memset(matches, 0, sizeof(matches));

    str(&stages[0].key, "lost");
    str(&stages[0].name, "Lost");
    stages[0].terminal = 1;
    str(&stages[1].key, "new");
    str(&stages[1].name, "New");
    str(&stages[2].key, "contacted");
    str(&stages[2].name, "Contacted");
    str(&stages[3].key, "retained");
    str(&stages[3].name, "Retained");
    stages[3].terminal = 1;

    str(&pipeline.key, "main");
    array(&pipeline.stages, stages, 4, sizeof(stages[0]));
    array(&account.pipelines, &pipeline, 1, sizeof(pipeline));

    str(&users[0].id, USER);
    str(&users[0].name, "Ann Lee");
    str(&users[1].id, "a1b2c3d4-0000-4000-8000-000000000001");
    array(&account.users, users, 2, sizeof(users[0]));

    str(&labels[0], "Family");
    str(&labels[1], "Business");
    str(&fields[0].key, "caseType");
    array(&fields[0].values, labels, 2, sizeof(labels[0]));
    str(&fields[1].key, "city");
    str(&fields[2].key, "zip");
    array(&account.data, fields, 3, sizeof(fields[0]));

    str(&sources[0].key, "zapier");
    sources[0].assignee = &users[0];
    array(&sources[0].fields, NULL, 0, sizeof(ngx_lead_source_field_t));
    str(&sources[1].key, "crm");
    array(&account.sources, sources, 2, sizeof(sources[0]));

    /* one that takes all, and the vendor's, which takes but one type */

    hooks[0].index = 0;
    hooks[1].index = 1;
    hooks[1].format = NGX_LEAD_WEBHOOK_LAWFFICIENT;
    array(&hooks[1].events, &silent, 0, sizeof(silent));
    array(&account.webhooks, hooks, 2, sizeof(hooks[0]));

    return pool ? 0 : -1;
}


static int
teardown(void **state)
{
    ngx_destroy_pool(pool);

    while (nleads) {
        free((void *) leads[--nleads].doc.data);
        free((void *) matches[nleads].value.data);
    }

    return 0;
}


static lead_bytes_t
copy(lead_bytes_t b)
{
    lead_bytes_t  c;
    ngx_str_t     s;

    s = bytes((const char *) b.data, b.len);
    c.data = s.data;
    c.len = s.len;

    return c;
}


static lead_t *
find(lead_find_t *f)
{
    ngx_uint_t  i;

    for (i = 0; i < nleads; i++) {

        if (f->by == LEAD_BY_ID
            && memcmp(f->id.b, leads[i].id.b, sizeof(f->id.b)) == 0)
        {
            return &leads[i];
        }

        if (f->by == LEAD_BY_MATCH
            && matches[i].kind == f->matches[0].kind
            && matches[i].value.len == f->matches[0].value.len
            && memcmp(matches[i].value.data, f->matches[0].value.data,
                      matches[i].value.len) == 0)
        {
            return &leads[i];
        }
    }

    return NULL;
}


static void
note(lead_decision_t *d)
{
    char    *p;
    size_t   i, j;

    p = events;

    for (i = 0; i < d->nevents; i++) {
        assert_true(d->events[i].data.len <= LEAD_EVENT_DATA_MAX);

        p += sprintf(p, "%.*s:", (int) d->events[i].type.len,
                     d->events[i].type.data);

        for (j = 0; j < d->events[i].nendpoints; j++) {
            p += sprintf(p, "%u", d->events[i].endpoints[j]);
        }

        p += sprintf(p, " %.*s;", ngx_min((int) d->events[i].data.len, 120),
                     d->events[i].data.data);
    }

    *p = '\0';
}


/* decides twice, as a store may: the second time counts */

static lead_t *
commit(lead_op_t *op)
{
    lead_t           *lead, target, *t;
    ngx_uint_t        i;
    lead_match_t     *match;
    lead_decision_t   d;

    lead = find(&op->target);
    t = NULL;

    for (i = 0; i < 2; i++) {

        if (lead) {
            target = *lead;
            target.doc = copy(lead->doc);
            t = &target;
        }

        memset(&d, 0, sizeof(d));
        op->decide(op, t, NULL, now, NULL, &d);

        if (lead) {
            free((void *) target.doc.data);
        }
    }

    note(&d);

    if (d.verdict == LEAD_REFUSE) {
        assert_int_equal(d.nevents, 0);
        op->outcome = LEAD_WAS_REFUSED;
        return NULL;
    }

    if (d.verdict == LEAD_KEEP) {
        assert_int_equal(d.nevents, 0);
        assert_non_null(lead);
        op->outcome = LEAD_KEPT;
        return lead;
    }

    assert_true(d.nevents > 0);

    if (d.verdict == LEAD_INSERT) {
        assert_true(nleads < LEADS_MAX);

        lead = &leads[nleads];
        memset(lead, 0, sizeof(lead_t));
        memset(lead->id.b, 0xa0, sizeof(lead->id.b));
        lead->id.b[15] = (uint8_t) nleads++;
        lead->created = now;
        lead->activity = now;
        op->outcome = LEAD_INSERTED;

    } else {
        assert_non_null(lead);
        free((void *) lead->doc.data);

        if (d.touch) {
            lead->activity = now;
        }

        op->outcome = LEAD_UPDATED;
    }

    lead->doc = copy(d.doc);
    lead->flags = d.flags;

    match = &matches[lead - leads];

    assert_true(d.nmatches <= 1);
    assert_int_equal(d.keep_matches, d.verdict == LEAD_UPDATE);

    if (d.nmatches) {
        match->kind = d.matches[0].kind;
        match->value = copy(d.matches[0].value);
    }

    return lead;
}


static ngx_lead_route_t *
route(ngx_uint_t method, const char *path)
{
    const char        *p;
    ngx_str_t         *param;
    ngx_lead_route_t  *r;

    for (r = call->dialect->routes; r->path.len; r++) {

        param = &call->params[0];
        p = strstr((char *) r->path.data, "{}");

        if (p == NULL) {
            if (strcmp((char *) r->path.data, path) != 0) {
                continue;
            }

        } else {
            p -= (uintptr_t) r->path.data;

            if (strncmp((char *) r->path.data, path, (size_t) p) != 0) {
                continue;
            }

            param->data = (u_char *) path + (size_t) p;
            param->len = strcspn((char *) param->data, "/");

            if (strcmp((char *) param->data + param->len,
                       (char *) r->path.data + (size_t) p + 2) != 0)
            {
                continue;
            }
        }

        if (r->methods & method) {
            return r;
        }
    }

    return NULL;
}


static ngx_int_t
page(lead_t *found, ngx_uint_t *n)
{
    ngx_uint_t  i;

    for (i = nleads; i-- > 0; ) {

        if (call->list.has_from
            && memcmp(leads[i].id.b, call->list.from.b, 16) >= 0)
        {
            continue;
        }

        if (call->list.filter && !call->list.filter(call, &leads[i])) {
            continue;
        }

        if (*n == call->list.limit) {
            call->list.more = 1;
            break;
        }

        found[(*n)++] = leads[i];
    }

    return NGX_OK;
}


static ngx_int_t
run(ngx_str_t *body)
{
    ngx_int_t    rc;
    ngx_uint_t   n;
    lead_t      *lead, found[LEADS_MAX];
    const char  *why;

    call->body = *body;

    if (call->route->body == NGX_LEAD_BODY_JSON) {
        rc = ngx_lead_json_parse(pool, &call->body, &call->json, &why);

        if (rc == NGX_DECLINED) {
            call->fault.kind = NGX_LEAD_FAULT_BAD_JSON;
        }

        if (rc != NGX_OK) {
            return rc;
        }
    }

    rc = call->route->decode(call);

    if (rc != NGX_OK || call->route->act == NGX_LEAD_DO_ANSWER) {
        return rc;
    }

    if (call->route->act == NGX_LEAD_DO_LIST) {
        n = 0;

        if (!call->list.empty) {
            (void) page(found, &n);
        }

        return call->route->encode(call, found, n);
    }

    if (call->route->act == NGX_LEAD_DO_FIND) {
        lead = find(&call->find);

        if (lead == NULL) {
            call->fault.kind = NGX_LEAD_FAULT_NOT_FOUND;
            return NGX_DECLINED;
        }

    } else {
        lead = commit(&call->op);
    }

    return call->route->encode(call, lead, lead != NULL);
}


static const char *
answer(void)
{
    char       *p;
    ngx_str_t   out;

    out = call->text;

    if (call->root) {
        assert_int_equal(ngx_lead_json_print(pool, call->root, &out), NGX_OK);
    }

    p = ngx_pcalloc(pool, out.len + 8);
    sprintf(p, "%d %.*s", (int) call->status, (int) out.len, out.data);

    return p;
}


static ngx_lead_call_t *
begin(ngx_uint_t method, const char *path, ngx_lead_source_t *source)
{
    char             *args;
    static uint32_t   numbers[2] = { 7, 8 };

    call = ngx_pcalloc(pool, sizeof(ngx_lead_call_t));
    assert_non_null(call);

    call->pool = pool;
    call->dialect = &ngx_lead_dialect_lawfficient;
    call->account = &account;
    call->source = source;
    call->endpoints = numbers;
    call->method = method;

    path = strcpy(ngx_pcalloc(pool, strlen(path) + 1), path);
    args = strchr(path, '?');

    if (args) {
        *args++ = '\0';
        str(&call->args, args);
    }

    events[0] = '\0';

    call->route = route(method, path);

    if (call->route == NULL) {
        fail_msg("no route for %s", path);
    }

    return call;
}


/* with ngx_pool_fail_at, from the body's parsing on */

static const char *
api_bytes(ngx_uint_t method, const char *path, ngx_lead_source_t *source,
    const char *body, size_t len, ngx_uint_t fail_at)
{
    ngx_int_t  rc;
    ngx_str_t  s;

    call = begin(method, path, source);
    s = bytes(body, len);

    ngx_pool_fail_at = fail_at;

    rc = run(&s);

    if (rc == NGX_ERROR) {
        call->fault.kind = NGX_LEAD_FAULT_INTERNAL;
    }

    fail_at = ngx_pool_fail_at;
    ngx_pool_fail_at = 0;

    if (rc != NGX_OK) {
        call->root = NULL;
        assert_int_not_equal(call->fault.kind, NGX_LEAD_FAULT_NONE);
        assert_int_equal(call->dialect->fault(call), NGX_OK);
    }

    body = answer();

    free(s.data);

    if (call->arena) {
        ngx_destroy_pool(call->arena);
        call->arena = NULL;
    }

    ngx_pool_fail_at = fail_at;

    return body;
}


static const char *
api(ngx_uint_t method, const char *path, const char *body)
{
    return api_bytes(method, path, NULL, body, strlen(body), 0);
}


static const char *
deliver(ngx_lead_source_t *source, const char *body)
{
    return api_bytes(NGX_LEAD_POST, "/api/leads", source, body, strlen(body),
                     0);
}


static const char *
ingest(const char *body)
{
    return deliver(&sources[0], body);
}


#endif /* _LAWFFICIENT_TEST_H_INCLUDED_ */
