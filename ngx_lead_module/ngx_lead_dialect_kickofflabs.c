
/*
 * Copyright (C) the ngx_lead authors
 *
 * KickoffLabs' API, version 2: its routes, its words for what went wrong, its
 * parameters, and the campaigns of a key.
 *
 * A parameter may be in the query or in the body, be that JSON or a form; the
 * query wins.  The key is the account's, and must own the campaign of the
 * path; a campaign with key=optional takes leads without one.  Campaigns and
 * webhooks are nginx' configuration, so that calls which would change them
 * are refused (403).
 *
 * lead.referral is an event of the referrer's.  What the vendor calls events
 * is in ngx_lead_dialect_kickofflabs_notice.c.
 *
 * Does no I/O and sees no request; all of this runs in the event loop, on
 * call->pool.
 */


#include "ngx_lead_dialect_kickofflabs.h"


#define NGX_LEAD_KOL_BODY_MAX      262144

/* not known for certain of the vendor: 409 and 400 are other candidates */
#define NGX_LEAD_KOL_INVALID       422


static ngx_int_t ngx_lead_kol_campaign(ngx_lead_call_t *call);
static ngx_int_t ngx_lead_kol_sign_up(ngx_lead_call_t *call);
static ngx_int_t ngx_lead_kol_request(ngx_lead_call_t *call);
static ngx_int_t ngx_lead_kol_campaigns(ngx_lead_call_t *call);
static void ngx_lead_kol_add_text(ngx_lead_json_gen_t *gen,
    ngx_lead_json_t *obj, const char *name, ngx_str_t *text);
static ngx_int_t ngx_lead_kol_webhook(ngx_lead_call_t *call);
static ngx_int_t ngx_lead_kol_fault(ngx_lead_call_t *call);


static ngx_lead_route_t  ngx_lead_kol_routes[] = {

    { .methods = NGX_LEAD_GET,
      .path = ngx_string("/v2/campaigns"),
      .scope = LEAD_SCOPE_READ,
      .act = NGX_LEAD_DO_ANSWER,
      .resource = ngx_lead_kol_request,
      .decode = ngx_lead_kol_campaigns },

    { .methods = NGX_LEAD_POST,
      .path = ngx_string("/v2/{}/points"),
      .scope = LEAD_SCOPE_WRITE,
      .idempotent = 1,
      .body = NGX_LEAD_BODY_ANY,
      .act = NGX_LEAD_DO_GROUP,
      .resource = ngx_lead_kol_campaign,
      .decode = ngx_lead_kol_points,
      .encode = ngx_lead_kol_pointed },

    { .methods = NGX_LEAD_POST|NGX_LEAD_DELETE,
      .path = ngx_string("/v2/{}/outbound-webhook"),
      .scope = LEAD_SCOPE_WRITE,
      .body = NGX_LEAD_BODY_ANY,
      .act = NGX_LEAD_DO_ANSWER,
      .resource = ngx_lead_kol_campaign,
      .decode = ngx_lead_kol_webhook },

    { .methods = NGX_LEAD_POST,
      .path = ngx_string("/v2/{}/inbound-webhook"),
      .scope = LEAD_SCOPE_WRITE,
      .body = NGX_LEAD_BODY_ANY,
      .act = NGX_LEAD_DO_ANSWER,
      .resource = ngx_lead_kol_campaign,
      .decode = ngx_lead_kol_webhook },

    { .methods = NGX_LEAD_GET,
      .path = ngx_string("/v2/{}"),
      .scope = LEAD_SCOPE_READ,
      .act = NGX_LEAD_DO_FIND,
      .resource = ngx_lead_kol_campaign,
      .decode = ngx_lead_kol_lookup,
      .encode = ngx_lead_kol_show },

    { .methods = NGX_LEAD_POST,
      .path = ngx_string("/v2/{}"),
      .scope = LEAD_SCOPE_WRITE,
      .idempotent = 1,
      .anonymous = 1,
      .body = NGX_LEAD_BODY_ANY,
      .act = NGX_LEAD_DO_COMMIT,
      .resource = ngx_lead_kol_sign_up,
      .decode = ngx_lead_kol_create,
      .encode = ngx_lead_kol_show },

    { .path = ngx_null_string }
};


ngx_lead_dialect_t  ngx_lead_dialect_kickofflabs = {
    .name = ngx_string("kickofflabs"),
    .base = ngx_string("/v2"),
    .body_max = NGX_LEAD_KOL_BODY_MAX,
    .places = {
        { NGX_LEAD_KEY_QUERY, ngx_string("api_key") },
        { NGX_LEAD_KEY_FIELD, ngx_string("api_key") },
        { NGX_LEAD_KEY_LAST, ngx_string("Authorization") },
        { NGX_LEAD_KEY_LAST, ngx_string("Authentication") }
    },
    .brackets = 1,
    .routes = ngx_lead_kol_routes,
    .fault = ngx_lead_kol_fault,
    .notice = ngx_lead_kol_notice
};


static const struct {
    ngx_uint_t  status;
    ngx_str_t   text;
} ngx_lead_kol_faults[] = {

    [NGX_LEAD_FAULT_NO_ROUTE] = { 404, ngx_string("Not found") },
    [NGX_LEAD_FAULT_METHOD] = { 405, ngx_string("Method not allowed") },
    [NGX_LEAD_FAULT_NO_KEY] = { 409, ngx_string("Invalid API access") },
    [NGX_LEAD_FAULT_BAD_KEY] = { 409, ngx_string("Invalid API access") },
    [NGX_LEAD_FAULT_KEY_DISABLED] = { 409, ngx_string("Invalid API access") },
    [NGX_LEAD_FAULT_SOURCE_DISABLED] =
    { 409, ngx_string("Invalid API access") },
    [NGX_LEAD_FAULT_SCOPE] = { 409, ngx_string("Invalid API access") },
    [NGX_LEAD_FAULT_RATE] = { 429, ngx_string("Rate limit exceeded") },
    [NGX_LEAD_FAULT_IDEMPOTENCY] =
    { NGX_LEAD_KOL_INVALID, ngx_string("Idempotency-Key is too long") },
    [NGX_LEAD_FAULT_TOO_LARGE] = { 413, ngx_string("Payload too large") },
    [NGX_LEAD_FAULT_BAD_REQUEST] = { 400, ngx_string("Bad request") },
    [NGX_LEAD_FAULT_BAD_JSON] =
    { 400, ngx_string("There was a problem parsing your request. "
                      "Please verify your JSON payload.") },
    [NGX_LEAD_FAULT_BAD_FORM] =
    { 400, ngx_string("There was a problem parsing your request.") },
    [NGX_LEAD_FAULT_NOT_FOUND] = { 404, ngx_string(NGX_LEAD_KOL_NO_LEADS) },
    [NGX_LEAD_FAULT_UNAVAILABLE] =
    { 503, ngx_string("Temporarily unavailable") },
    [NGX_LEAD_FAULT_INTERNAL] =
    { 500, ngx_string("An unexpected error occurred") }
};


/* what is no number is no campaign either */

static ngx_int_t
ngx_lead_kol_campaign(ngx_lead_call_t *call)
{
    size_t                i;
    ngx_int_t             rc;
    ngx_str_t            *id;
    ngx_uint_t            number;
    ngx_lead_campaign_t  *campaign;

    rc = ngx_lead_kol_request(call);

    if (rc != NGX_OK) {
        return rc;
    }

    id = &call->params[0];
    number = 0;

    if (id->len <= NGX_INT32_LEN - 1 && id->data[0] != '0') {

        for (i = 0; i < id->len; i++) {
            if (id->data[i] < '0' || id->data[i] > '9') {
                break;
            }

            number = number * 10 + (id->data[i] - '0');
        }

        if (i != id->len) {
            number = 0;
        }
    }

    campaign = ngx_lead_call_campaign(call, number);

    if (campaign == NULL) {
        return ngx_lead_call_fault(call, 404, "", "Campaign not found");
    }

    call->data = campaign;

    return NGX_OK;
}


static ngx_int_t
ngx_lead_kol_sign_up(ngx_lead_call_t *call)
{
    ngx_int_t             rc;
    ngx_lead_campaign_t  *campaign;

    rc = ngx_lead_kol_campaign(call);

    if (rc == NGX_OK) {
        campaign = call->data;
        call->anonymous = campaign->key_optional ? 1 : 0;
    }

    return rc;
}


/* parameters that can be looked at: an object, and arguments */

static ngx_int_t
ngx_lead_kol_request(ngx_lead_call_t *call)
{
    ngx_int_t         rc;
    ngx_lead_json_t  *query;

    if (call->json && call->json->type != NGX_LEAD_JSON_OBJECT) {
        call->fault.kind = NGX_LEAD_FAULT_BAD_JSON;
        return NGX_DECLINED;
    }

    rc = ngx_lead_call_query(call, &query);

    if (rc == NGX_DECLINED) {
        call->fault.kind = NGX_LEAD_FAULT_BAD_FORM;
    }

    return rc;
}


/* those that have a number; what the vendor shows of them is not known */

static ngx_int_t
ngx_lead_kol_campaigns(ngx_lead_call_t *call)
{
    time_t                now;
    ngx_str_t            *name;
    ngx_uint_t            i;
    ngx_lead_json_t      *obj;
    ngx_lead_campaign_t  *campaign;
    ngx_lead_json_gen_t   gen;

    gen.pool = call->pool;
    gen.failed = 0;

    now = time(NULL);

    call->status = 200;
    call->root = ngx_lead_json_add(&gen, NULL, NULL, NGX_LEAD_JSON_ARRAY);

    campaign = call->account->campaigns.elts;

    for (i = 0; i < call->account->campaigns.nelts; i++) {

        if (campaign[i].number == 0) {
            continue;
        }

        name = campaign[i].label.len ? &campaign[i].label : &campaign[i].name;

        obj = ngx_lead_json_add(&gen, call->root, NULL, NGX_LEAD_JSON_OBJECT);

        (void) ngx_lead_json_add_int(&gen, obj, "id", campaign[i].number);
        (void) ngx_lead_json_add_int(&gen, obj, "list_id",
                                     campaign[i].number);
        (void) ngx_lead_json_add_str(&gen, obj, "name", name);
        ngx_lead_kol_add_text(&gen, obj, "url", &campaign[i].url);
        ngx_lead_kol_add_text(&gen, obj, "thankyou_url",
                              &campaign[i].thanks_url);
        (void) ngx_lead_json_add_bool(&gen, obj, "ended",
                                      campaign[i].ended
                                      || (campaign[i].ends
                                          && campaign[i].ends <= now));
    }

    return gen.failed ? NGX_ERROR : NGX_OK;
}


static void
ngx_lead_kol_add_text(ngx_lead_json_gen_t *gen, ngx_lead_json_t *obj,
    const char *name, ngx_str_t *text)
{
    if (text->len) {
        (void) ngx_lead_json_add_str(gen, obj, name, text);

    } else {
        (void) ngx_lead_json_add(gen, obj, name, NGX_LEAD_JSON_NULL);
    }
}


static ngx_int_t
ngx_lead_kol_webhook(ngx_lead_call_t *call)
{
    return ngx_lead_call_fault(call, 403, "",
                               "Webhooks are configured in nginx.conf "
                               "and cannot be changed by this API");
}


ngx_lead_kol_op_t *
ngx_lead_kol_op(ngx_lead_call_t *call)
{
    uint32_t           *endpoints;
    ngx_uint_t          i, n;
    lead_event_t       *event;
    ngx_lead_kol_op_t  *op;

    static ngx_str_t  types[] = {
        ngx_string("lead.created"),
        ngx_string("lead.updated"),
        ngx_string("lead.scored"),
        ngx_string("lead.referral")
    };

    n = call->account->webhooks.nelts;

    op = ngx_pcalloc(call->pool, sizeof(ngx_lead_kol_op_t));
    endpoints = ngx_palloc(call->pool, (NGX_LEAD_KOL_EVENTS * n + 1)
                                       * sizeof(uint32_t));

    if (op == NULL || endpoints == NULL) {
        return NULL;
    }

    op->call = call;
    op->campaign = call->data;

    for (i = 0; i < NGX_LEAD_KOL_EVENTS; i++) {
        event = &op->event[i];

        event->type.data = types[i].data;
        event->type.len = types[i].len;
        event->endpoints = endpoints;
        event->nendpoints = ngx_lead_call_endpoints(call, &types[i], NULL,
                                                    &op->campaign->name,
                                                    endpoints);
        endpoints += n;
    }

    call->data = op;

    return op;
}


ngx_lead_json_t *
ngx_lead_kol_param(ngx_lead_call_t *call, const char *name)
{
    size_t            len;
    ngx_lead_json_t  *node;

    len = ngx_strlen(name);
    node = ngx_lead_json_find(call->query, (u_char *) name, len);

    return node ? node : ngx_lead_json_find(call->json, (u_char *) name, len);
}


ngx_int_t
ngx_lead_kol_text(ngx_lead_json_t *node, ngx_str_t *text)
{
    ngx_str_set(text, "");

    if (node == NULL || node->type == NGX_LEAD_JSON_NULL) {
        return NGX_OK;
    }

    if (node->type != NGX_LEAD_JSON_STRING
        && node->type != NGX_LEAD_JSON_NUMBER)
    {
        return NGX_DECLINED;
    }

    if (node->text.len) {
        *text = node->text;
        ngx_lead_field_trim(text);
    }

    return NGX_OK;
}


ngx_uint_t
ngx_lead_kol_true(ngx_lead_json_t *node)
{
    ngx_str_t  text;

    static ngx_str_t  yes = ngx_string("true");

    if (node && node->type == NGX_LEAD_JSON_TRUE) {
        return 1;
    }

    return ngx_lead_kol_text(node, &text) == NGX_OK
           && (ngx_lead_field_equal(&text, &yes)
               || (text.len == 1 && text.data[0] == '1'));
}


int64_t
ngx_lead_kol_int(ngx_lead_json_t *obj, const char *name)
{
    size_t            i;
    int64_t           value;
    ngx_str_t        *text;
    ngx_uint_t        minus;
    ngx_lead_json_t  *node;

    node = ngx_lead_json_find(obj, (u_char *) name, ngx_strlen(name));

    if (node == NULL
        || node->type != NGX_LEAD_JSON_NUMBER
        || node->text.len >= NGX_INT64_LEN - 1)
    {
        return 0;
    }

    text = &node->text;
    minus = text->data[0] == '-';
    value = 0;

    for (i = minus; i < text->len; i++) {

        if (text->data[i] < '0' || text->data[i] > '9') {
            return 0;
        }

        value = value * 10 + (text->data[i] - '0');
    }

    return minus ? -value : value;
}


ngx_int_t
ngx_lead_kol_integer(ngx_pool_t *pool, ngx_lead_json_t *node, int64_t *value)
{
    size_t      i;
    ngx_int_t   rc;
    ngx_str_t   text;
    ngx_uint_t  minus;

    rc = ngx_lead_kol_text(node, &text);

    if (rc != NGX_OK || text.len == 0) {
        return NGX_DECLINED;
    }

    if (node->type == NGX_LEAD_JSON_NUMBER) {
        minus = text.data[0] == '-';

        rc = ngx_lead_field_number(pool, &node->text, &text);

        if (rc == NGX_DECLINED) {
            *value = minus ? -1000000000 : 1000000000;
            return NGX_OK;
        }

        if (rc != NGX_OK) {
            return rc;
        }
    }

    minus = text.data[0] == '-';
    i = (minus || text.data[0] == '+') ? 1 : 0;

    if (i == text.len) {
        return NGX_DECLINED;
    }

    for (*value = 0; i < text.len; i++) {

        if (text.data[i] < '0' || text.data[i] > '9') {
            return NGX_DECLINED;
        }

        *value = *value * 10 + (text.data[i] - '0');
        *value = ngx_min(*value, 1000000000);
    }

    if (minus) {
        *value = -*value;
    }

    return NGX_OK;
}


ngx_int_t
ngx_lead_kol_invalid(ngx_lead_call_t *call, const char *field,
    const char *text, const char *message)
{
    ngx_str_t  path, what;

    path.data = (u_char *) field;
    path.len = ngx_strlen(field);

    what.data = (u_char *) text;
    what.len = ngx_strlen(text);

    if (ngx_lead_call_error(call, &path, &what) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_lead_call_fault(call, NGX_LEAD_KOL_INVALID, "", message);
}


static ngx_int_t
ngx_lead_kol_fault(ngx_lead_call_t *call)
{
    ngx_str_t                text;
    ngx_lead_json_t         *node, *list;
    ngx_lead_json_gen_t      gen;
    ngx_lead_field_error_t  *error;

    gen.pool = call->pool;
    gen.failed = 0;

    if (call->fault.kind == NGX_LEAD_FAULT_OWN) {
        call->status = call->fault.status;
        text = call->fault.text;

    } else {
        call->status = ngx_lead_kol_faults[call->fault.kind].status;
        text = ngx_lead_kol_faults[call->fault.kind].text;
    }

    call->root = ngx_lead_json_add(&gen, NULL, NULL, NGX_LEAD_JSON_OBJECT);

    (void) ngx_lead_json_add_str(&gen, call->root, "message", &text);

    if (call->errors && call->fault.kind == NGX_LEAD_FAULT_OWN) {

        /* the first finding is the only one */

        error = call->errors->elts;

        node = ngx_lead_json_add(&gen, call->root, "errors",
                                 NGX_LEAD_JSON_OBJECT);
        list = ngx_lead_json_add(&gen, node, NULL, NGX_LEAD_JSON_ARRAY);

        if (list) {
            list->name = error->path;
        }

        (void) ngx_lead_json_add_str(&gen, list, NULL, &error->text);
    }

    return gen.failed ? NGX_ERROR : NGX_OK;
}
