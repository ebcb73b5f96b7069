
/*
 * Copyright (C) the ngx_lead authors
 *
 * Reflekt Legal's Lead Sync API: one form, one lead.
 *
 * Does no I/O and sees no request.  Everything is judged and written down in
 * the event loop, in call->pool; decide() runs in a thread and has only to say
 * so.  Nothing here outlives the call.
 */


#include "ngx_lead_dialect.h"
#include "ngx_lead_doc.h"
#include "ngx_lead_email.h"
#include "ngx_lead_field.h"
#include "ngx_lead_phone.h"
#include "ngx_lead_text.h"


/*
 * The vendor names no limit.  This is nginx' own client_max_body_size, and
 * about five times what all fields at their longest are when every byte of
 * them is escaped: the rest is for files, which are ignored.
 */

#define NGX_LEAD_REFLEKT_BODY_MAX  (1024 * 1024)


typedef enum {
    NGX_LEAD_REFLEKT_EMAIL = 0,
    NGX_LEAD_REFLEKT_PHONE,
    NGX_LEAD_REFLEKT_BIRTHDAY,
    NGX_LEAD_REFLEKT_FIRST_NAME,
    NGX_LEAD_REFLEKT_LAST_NAME,
    NGX_LEAD_REFLEKT_COMPANY,
    NGX_LEAD_REFLEKT_CAMPAIGN,
    NGX_LEAD_REFLEKT_NOTES,
    NGX_LEAD_REFLEKT_ADDRESS,
    NGX_LEAD_REFLEKT_FRIENDLY,
    NGX_LEAD_REFLEKT_FIELDS
} ngx_lead_reflekt_field_e;


typedef struct {
    ngx_lead_call_t       *call;

    /* trimmed; what was empty or not sent has no length */
    ngx_str_t              sent[NGX_LEAD_REFLEKT_FIELDS];

    /* of what is kept in another form as well, or only so */
    ngx_str_t              email_key;
    ngx_str_t              phone_e164;
    ngx_str_t              first_name;
    ngx_str_t              last_name;
    ngx_str_t              company;

    ngx_lead_campaign_t   *campaign;     /* NULL: none of that name */
    lead_bytes_t           counter;

    ngx_str_t              doc;
    lead_event_t           event;
} ngx_lead_reflekt_lead_t;


typedef struct {
    ngx_str_t              name;
    size_t                 max;          /* code points; 0: it has no limit */
    const char            *too_long;
    const char            *invalid;

    /* a value that is there: NGX_OK, NGX_DECLINED (invalid), NGX_ERROR */
    ngx_int_t            (*check)(ngx_lead_reflekt_lead_t *lead);
} ngx_lead_reflekt_field_t;


typedef struct {
    ngx_uint_t             status;
    ngx_str_t              text;
} ngx_lead_reflekt_fault_t;


static ngx_int_t ngx_lead_reflekt_create(ngx_lead_call_t *call);
static ngx_int_t ngx_lead_reflekt_check(ngx_lead_reflekt_lead_t *lead);
static ngx_int_t ngx_lead_reflekt_email(ngx_lead_reflekt_lead_t *lead);
static ngx_int_t ngx_lead_reflekt_phone(ngx_lead_reflekt_lead_t *lead);
static ngx_int_t ngx_lead_reflekt_birthday(ngx_lead_reflekt_lead_t *lead);
static ngx_int_t ngx_lead_reflekt_first_name(ngx_lead_reflekt_lead_t *lead);
static ngx_int_t ngx_lead_reflekt_last_name(ngx_lead_reflekt_lead_t *lead);
static ngx_int_t ngx_lead_reflekt_company(ngx_lead_reflekt_lead_t *lead);
static ngx_int_t ngx_lead_reflekt_campaign(ngx_lead_reflekt_lead_t *lead);
static ngx_int_t ngx_lead_reflekt_document(ngx_lead_reflekt_lead_t *lead);
static ngx_int_t ngx_lead_reflekt_event(ngx_lead_reflekt_lead_t *lead);
static void ngx_lead_reflekt_decide(lead_op_t *op, const lead_t *target,
    const lead_t *second, int64_t now, uint64_t *counters,
    lead_decision_t *d);
static ngx_int_t ngx_lead_reflekt_created(ngx_lead_call_t *call,
    lead_t *leads, ngx_uint_t n);
static ngx_int_t ngx_lead_reflekt_fault(ngx_lead_call_t *call);


static ngx_lead_route_t  ngx_lead_reflekt_routes[] = {

    { .methods = NGX_LEAD_POST,
      .path = ngx_string("/api/v1/lead"),
      .scope = LEAD_SCOPE_WRITE,
      .idempotent = 1,
      .body = NGX_LEAD_BODY_FORM,
      .act = NGX_LEAD_DO_COMMIT,
      .decode = ngx_lead_reflekt_create,
      .encode = ngx_lead_reflekt_created },

    { .path = ngx_null_string }
};


ngx_lead_dialect_t  ngx_lead_dialect_reflekt = {
    .name = ngx_string("reflekt"),
    .base = ngx_string("/api/v1"),
    .body_max = NGX_LEAD_REFLEKT_BODY_MAX,
    .in = { ngx_null_string },
    .places = { { NGX_LEAD_KEY_FIELD, ngx_string("api_key") },
                { NGX_LEAD_KEY_FIELD, ngx_string("ApiKey") },
                { NGX_LEAD_KEY_QUERY, ngx_string("api_key") } },
    .routes = ngx_lead_reflekt_routes,
    .fault = ngx_lead_reflekt_fault
};


#define ngx_lead_reflekt_text(name, max, check)                               \
    { ngx_string(name), max, name " is too long", name " is invalid", check }


/* in the order in which they are judged: the first mistake is the answer */

static const ngx_lead_reflekt_field_t  ngx_lead_reflekt_fields[] = {

    [NGX_LEAD_REFLEKT_EMAIL] =
    { ngx_string("email"), 254, "email is too long", "Invalid email address",
      ngx_lead_reflekt_email },

    [NGX_LEAD_REFLEKT_PHONE] =
    { ngx_string("phone_number"), 0, NULL, "Invalid phone number",
      ngx_lead_reflekt_phone },

    [NGX_LEAD_REFLEKT_BIRTHDAY] =
    { ngx_string("birthday"), 0, NULL,
      "birthday must be a valid date in YYYY-MM-DD format",
      ngx_lead_reflekt_birthday },

    [NGX_LEAD_REFLEKT_FIRST_NAME] =
    ngx_lead_reflekt_text("first_name", 255, ngx_lead_reflekt_first_name),

    [NGX_LEAD_REFLEKT_LAST_NAME] =
    ngx_lead_reflekt_text("last_name", 255, ngx_lead_reflekt_last_name),

    [NGX_LEAD_REFLEKT_COMPANY] =
    ngx_lead_reflekt_text("company_name", 255, ngx_lead_reflekt_company),

    [NGX_LEAD_REFLEKT_CAMPAIGN] =
    ngx_lead_reflekt_text("campaign_name", 255, ngx_lead_reflekt_campaign),

    [NGX_LEAD_REFLEKT_NOTES] =
    ngx_lead_reflekt_text("notes", 10000, NULL),

    [NGX_LEAD_REFLEKT_ADDRESS] =
    ngx_lead_reflekt_text("address", 1000, NULL),

    [NGX_LEAD_REFLEKT_FRIENDLY] =
    ngx_lead_reflekt_text("friendly_name", 255, NULL)
};


/*
 * The vendor knows keys that are good and others, and says the same of all
 * others.  An Idempotency-Key that is too long is shown as a field that is.
 */

#define NGX_LEAD_REFLEKT_DENIED  ngx_string("Invalid or missing API key")
#define NGX_LEAD_REFLEKT_KEY     "Idempotency-Key"

static const ngx_lead_reflekt_fault_t  ngx_lead_reflekt_faults[] = {

    [NGX_LEAD_FAULT_NO_ROUTE] = { 404, ngx_string("Not found") },
    [NGX_LEAD_FAULT_METHOD] = { 405, ngx_string("Method not allowed") },
    [NGX_LEAD_FAULT_NO_KEY] = { 401, NGX_LEAD_REFLEKT_DENIED },
    [NGX_LEAD_FAULT_BAD_KEY] = { 401, NGX_LEAD_REFLEKT_DENIED },
    [NGX_LEAD_FAULT_KEY_DISABLED] = { 401, NGX_LEAD_REFLEKT_DENIED },
    [NGX_LEAD_FAULT_SOURCE_DISABLED] = { 401, NGX_LEAD_REFLEKT_DENIED },
    [NGX_LEAD_FAULT_SCOPE] = { 401, NGX_LEAD_REFLEKT_DENIED },
    [NGX_LEAD_FAULT_RATE] = { 429, ngx_string("Too many requests") },
    [NGX_LEAD_FAULT_IDEMPOTENCY] =
    { 400, ngx_string(NGX_LEAD_REFLEKT_KEY " is too long") },
    [NGX_LEAD_FAULT_TOO_LARGE] = { 413, ngx_string("Payload too large") },
    [NGX_LEAD_FAULT_BAD_REQUEST] = { 400, ngx_string("Bad request") },
    [NGX_LEAD_FAULT_BAD_JSON] = { 400, ngx_string("Bad request") },
    [NGX_LEAD_FAULT_BAD_FORM] = { 400, ngx_string("Malformed form data") },
    [NGX_LEAD_FAULT_NOT_FOUND] = { 404, ngx_string("Not found") },
    [NGX_LEAD_FAULT_UNAVAILABLE] =
    { 503, ngx_string("Temporarily unavailable") },
    [NGX_LEAD_FAULT_INTERNAL] = { 500, ngx_string("Internal server error") }
};


static ngx_int_t
ngx_lead_reflekt_create(ngx_lead_call_t *call)
{
    ngx_int_t                 rc;
    ngx_lead_reflekt_lead_t  *lead;

    lead = ngx_pcalloc(call->pool, sizeof(ngx_lead_reflekt_lead_t));
    if (lead == NULL) {
        return NGX_ERROR;
    }

    lead->call = call;

    rc = ngx_lead_reflekt_check(lead);

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_lead_reflekt_document(lead) != NGX_OK
        || ngx_lead_reflekt_event(lead) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (lead->campaign) {
        if (ngx_lead_call_campaign_counter(call->pool, lead->campaign,
                                           &lead->counter)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        call->op.counters = &lead->counter;
        call->op.ncounters = 1;
    }

    call->op.decide = ngx_lead_reflekt_decide;
    call->op.data = lead;

    return NGX_OK;
}


static ngx_int_t
ngx_lead_reflekt_check(ngx_lead_reflekt_lead_t *lead)
{
    ngx_int_t                        rc;
    ngx_str_t                       *text;
    ngx_uint_t                       i;
    ngx_lead_json_t                 *node[NGX_LEAD_REFLEKT_FIELDS];
    const ngx_lead_reflekt_field_t  *field;

    field = ngx_lead_reflekt_fields;

    for (i = 0; i < NGX_LEAD_REFLEKT_FIELDS; i++) {
        node[i] = ngx_lead_json_find(lead->call->json, field[i].name.data,
                                     field[i].name.len);

        lead->sent[i] = *ngx_lead_doc_text(node[i]);
        ngx_lead_field_trim(&lead->sent[i]);

        /* of several strings in one field nothing is left but this */

        if (node[i] && node[i]->type == NGX_LEAD_JSON_STRING) {
            node[i] = NULL;
        }
    }

    text = lead->sent;

    if (text[NGX_LEAD_REFLEKT_EMAIL].len == 0
        && text[NGX_LEAD_REFLEKT_PHONE].len == 0
        && node[NGX_LEAD_REFLEKT_EMAIL] == NULL
        && node[NGX_LEAD_REFLEKT_PHONE] == NULL)
    {
        return ngx_lead_call_fault(lead->call, 400, "",
                              "At least one of email or phone_number is "
                              "required");
    }

    for (i = 0; i < NGX_LEAD_REFLEKT_FIELDS; i++, field++, text++) {

        if (node[i] == NULL) {

            if (text->len == 0) {
                continue;
            }

            if (field->max && ngx_lead_field_points(text) > field->max) {
                return ngx_lead_call_fault(lead->call, 400,
                                           (char *) field->name.data,
                                           field->too_long);
            }

            rc = field->check ? field->check(lead) : NGX_OK;

            if (rc == NGX_OK) {
                continue;
            }

            if (rc == NGX_ERROR) {
                return NGX_ERROR;
            }
        }

        return ngx_lead_call_fault(lead->call, 400, (char *) field->name.data,
                                   field->invalid);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_lead_reflekt_email(ngx_lead_reflekt_lead_t *lead)
{
    return ngx_lead_email_check(lead->call->pool,
                                &lead->sent[NGX_LEAD_REFLEKT_EMAIL], 0,
                                &lead->email_key);
}


static ngx_int_t
ngx_lead_reflekt_phone(ngx_lead_reflekt_lead_t *lead)
{
    u_char  *p;

    p = ngx_pnalloc(lead->call->pool, NGX_LEAD_PHONE_MAX);
    if (p == NULL) {
        return NGX_ERROR;
    }

    lead->phone_e164.data = p;

    return ngx_lead_phone_e164(&lead->sent[NGX_LEAD_REFLEKT_PHONE],
                               lead->call->account->region, p,
                               &lead->phone_e164.len);
}


static ngx_int_t
ngx_lead_reflekt_birthday(ngx_lead_reflekt_lead_t *lead)
{
    return ngx_lead_text_date(&lead->sent[NGX_LEAD_REFLEKT_BIRTHDAY])
           ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_lead_reflekt_first_name(ngx_lead_reflekt_lead_t *lead)
{
    return ngx_lead_text_capitals(lead->call->pool,
                                  &lead->sent[NGX_LEAD_REFLEKT_FIRST_NAME],
                                  &lead->first_name);
}


static ngx_int_t
ngx_lead_reflekt_last_name(ngx_lead_reflekt_lead_t *lead)
{
    return ngx_lead_text_capitals(lead->call->pool,
                                  &lead->sent[NGX_LEAD_REFLEKT_LAST_NAME],
                                  &lead->last_name);
}


static ngx_int_t
ngx_lead_reflekt_company(ngx_lead_reflekt_lead_t *lead)
{
    return ngx_lead_text_company(lead->call->pool,
                                 &lead->sent[NGX_LEAD_REFLEKT_COMPANY],
                                 &lead->company);
}


/* by the internal name, exactly; a name that no campaign has is no mistake */

static ngx_int_t
ngx_lead_reflekt_campaign(ngx_lead_reflekt_lead_t *lead)
{
    ngx_uint_t            i;
    ngx_array_t          *campaigns;
    ngx_lead_campaign_t  *campaign;

    campaigns = &lead->call->account->campaigns;
    campaign = campaigns->elts;

    for (i = 0; i < campaigns->nelts; i++) {
        if (ngx_lead_field_equal(&campaign[i].name,
                                 &lead->sent[NGX_LEAD_REFLEKT_CAMPAIGN]))
        {
            lead->campaign = &campaign[i];
            break;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_lead_reflekt_document(ngx_lead_reflekt_lead_t *lead)
{
    ngx_str_t            *sent;
    ngx_uint_t            i;
    ngx_lead_json_t      *doc, *notes;
    ngx_lead_json_gen_t   gen;

    sent = lead->sent;

    struct {
        const char  *name;
        ngx_str_t   *value;
    } texts[] = {
        { "first_name", &lead->first_name },
        { "last_name", &lead->last_name },
        { "display_name", &sent[NGX_LEAD_REFLEKT_FRIENDLY] },
        { "email", &sent[NGX_LEAD_REFLEKT_EMAIL] },
        { "email_key", &lead->email_key },
        { "phone", &sent[NGX_LEAD_REFLEKT_PHONE] },
        { "phone_e164", &lead->phone_e164 },
        { "company", &lead->company },
        { "address", &sent[NGX_LEAD_REFLEKT_ADDRESS] },
        { "birthday", &sent[NGX_LEAD_REFLEKT_BIRTHDAY] }
    };

    gen.pool = lead->call->pool;
    gen.failed = 0;

    doc = ngx_lead_json_add(&gen, NULL, NULL, NGX_LEAD_JSON_OBJECT);

    (void) ngx_lead_json_add_str(&gen, doc, "dialect",
                                 &lead->call->dialect->name);

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (texts[i].value->len) {
            (void) ngx_lead_json_add_str(&gen, doc, texts[i].name,
                                         texts[i].value);
        }
    }

    if (lead->campaign) {
        (void) ngx_lead_doc_campaign(&gen, doc, "campaign", lead->campaign);
    }

    if (sent[NGX_LEAD_REFLEKT_NOTES].len) {
        notes = ngx_lead_json_add(&gen, doc, "notes", NGX_LEAD_JSON_ARRAY);

        (void) ngx_lead_doc_note(&gen, notes, &sent[NGX_LEAD_REFLEKT_NOTES],
                                 NULL, NULL);
    }

    return gen.failed ? NGX_ERROR
                      : ngx_lead_json_print(gen.pool, doc, &lead->doc);
}


static ngx_int_t
ngx_lead_reflekt_event(ngx_lead_reflekt_lead_t *lead)
{
    uint32_t         *endpoints;
    ngx_uint_t        n;
    ngx_lead_call_t  *call;

    static ngx_str_t  type = ngx_string("lead.created");

    call = lead->call;
    n = call->account->webhooks.nelts;

    endpoints = ngx_palloc(call->pool, (n ? n : 1) * sizeof(uint32_t));
    if (endpoints == NULL) {
        return NGX_ERROR;
    }

    lead->event.type.data = type.data;
    lead->event.type.len = type.len;
    lead->event.endpoints = endpoints;
    lead->event.nendpoints = ngx_lead_call_endpoints(call, &type, NULL,
                               lead->campaign ? &lead->campaign->name : NULL,
                               endpoints);

    return NGX_OK;
}


static void
ngx_lead_reflekt_decide(lead_op_t *op, const lead_t *target,
    const lead_t *second, int64_t now, uint64_t *counters, lead_decision_t *d)
{
    ngx_lead_reflekt_lead_t  *lead = op->data;

    d->verdict = LEAD_INSERT;
    d->doc.data = lead->doc.data;
    d->doc.len = lead->doc.len;
    d->events = &lead->event;
    d->nevents = 1;

    if (lead->campaign) {
        counters[0]++;
    }
}


static ngx_int_t
ngx_lead_reflekt_created(ngx_lead_call_t *call, lead_t *leads, ngx_uint_t n)
{
    ngx_str_t             id;
    ngx_lead_json_gen_t   gen;

    static ngx_str_t  text = ngx_string("Lead created");

    id.len = LEAD_ID_TEXT_LEN;
    id.data = ngx_pnalloc(call->pool, LEAD_ID_TEXT_LEN + 1);

    if (id.data == NULL) {
        return NGX_ERROR;
    }

    lead_store_id_text(&leads[0].id, (char *) id.data);

    gen.pool = call->pool;
    gen.failed = 0;

    call->status = 200;
    call->root = ngx_lead_json_add(&gen, NULL, NULL, NGX_LEAD_JSON_OBJECT);

    (void) ngx_lead_json_add_bool(&gen, call->root, "success", 1);
    (void) ngx_lead_json_add_str(&gen, call->root, "message", &text);
    (void) ngx_lead_json_add_str(&gen, call->root, "lead_id", &id);

    return gen.failed ? NGX_ERROR : NGX_OK;
}


/* of a fault of our own, the code is the name of the field, or empty */

static ngx_int_t
ngx_lead_reflekt_fault(ngx_lead_call_t *call)
{
    ngx_str_t                        text, field;
    ngx_lead_json_gen_t              gen;
    const ngx_lead_reflekt_fault_t  *fault;

    if (call->fault.kind == NGX_LEAD_FAULT_OWN) {
        call->status = call->fault.status;
        text = call->fault.text;
        field = call->fault.code;

    } else {
        fault = &ngx_lead_reflekt_faults[call->fault.kind];

        call->status = fault->status;
        text = fault->text;
        ngx_str_null(&field);

        if (call->fault.kind == NGX_LEAD_FAULT_IDEMPOTENCY) {
            ngx_str_set(&field, NGX_LEAD_REFLEKT_KEY);
        }
    }

    gen.pool = call->pool;
    gen.failed = 0;

    call->root = ngx_lead_json_add(&gen, NULL, NULL, NGX_LEAD_JSON_OBJECT);

    (void) ngx_lead_json_add_bool(&gen, call->root, "success", 0);
    (void) ngx_lead_json_add_str(&gen, call->root, "error", &text);

    if (field.len) {
        (void) ngx_lead_json_add_str(&gen, call->root, "field", &field);
    }

    return gen.failed ? NGX_ERROR : NGX_OK;
}
