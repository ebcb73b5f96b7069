
/*
 * Copyright (C) the ngx_lead authors
 *
 * Lawfficient: changes of stored leads, by PATCH and by archive/unarchive.
 *
 * What can be judged without the stored lead is judged by decode; the rest,
 * with it, by decide(), in a thread and in the call's arena.  A change that
 * changes nothing writes nothing and is no event.
 */


#include "ngx_lead_dialect_lawfficient.h"


static ngx_int_t ngx_lead_law_target(ngx_lead_call_t *call);
static ngx_int_t ngx_lead_law_patch_check(ngx_lead_law_op_t *op);
static void ngx_lead_law_patch_decide(lead_op_t *lop, const lead_t *target,
    const lead_t *second, int64_t now, uint64_t *counters,
    lead_decision_t *d);
static ngx_int_t ngx_lead_law_patch_apply(ngx_lead_law_edit_t *e,
    ngx_str_t *assigned, ngx_str_t *moved);
static ngx_int_t ngx_lead_law_change_contact(ngx_lead_law_edit_t *e);
static ngx_int_t ngx_lead_law_change_assignee(ngx_lead_law_edit_t *e,
    ngx_str_t *event);
static ngx_int_t ngx_lead_law_change_status(ngx_lead_law_edit_t *e,
    ngx_str_t *event);
static ngx_int_t ngx_lead_law_change_data(ngx_lead_law_edit_t *e);
static void ngx_lead_law_set(ngx_lead_law_edit_t *e, ngx_lead_json_t *obj,
    ngx_str_t *name, ngx_str_t *value);
static ngx_int_t ngx_lead_law_from_to(ngx_lead_law_edit_t *e, ngx_str_t *from,
    ngx_str_t *to, ngx_str_t *event);
static ngx_int_t ngx_lead_law_fields(ngx_lead_law_edit_t *e,
    ngx_str_t *event);

static ngx_int_t ngx_lead_law_shelve(ngx_lead_call_t *call,
    lead_decide_pt decide);
static void ngx_lead_law_archive_decide(lead_op_t *lop, const lead_t *target,
    const lead_t *second, int64_t now, uint64_t *counters,
    lead_decision_t *d);
static void ngx_lead_law_unarchive_decide(lead_op_t *lop,
    const lead_t *target, const lead_t *second, int64_t now,
    uint64_t *counters, lead_decision_t *d);
static void ngx_lead_law_shelve_decide(lead_op_t *lop, const lead_t *target,
    uint32_t archived, lead_decision_t *d);


/* by the id of the path; what is no UUID is no lead */

static ngx_int_t
ngx_lead_law_target(ngx_lead_call_t *call)
{
    lead_bytes_t  id;

    id.data = call->params[0].data;
    id.len = call->params[0].len;

    if (lead_store_id_parse(id, &call->op.target.id) != 0) {
        call->fault.kind = NGX_LEAD_FAULT_NOT_FOUND;
        return NGX_DECLINED;
    }

    call->op.target.by = LEAD_BY_ID;

    return NGX_OK;
}


ngx_int_t
ngx_lead_law_patch(ngx_lead_call_t *call)
{
    ngx_int_t           rc;
    ngx_lead_law_op_t  *op;

    op = ngx_lead_law_op(call);
    if (op == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_lead_law_target(call);

    if (rc == NGX_OK) {
        rc = ngx_lead_law_types(call);
    }

    if (rc == NGX_OK) {
        rc = ngx_lead_law_patch_check(op);
    }

    call->op.decide = ngx_lead_law_patch_decide;

    return rc;
}


static ngx_int_t
ngx_lead_law_patch_check(ngx_lead_law_op_t *op)
{
    ngx_int_t          rc;
    lead_id_t          id;
    lead_bytes_t       text;
    ngx_lead_json_t   *sent;
    ngx_lead_fault_t  *fault;

    sent = op->call->json;
    fault = &op->call->fault;

    if (ngx_lead_law_member(sent, "first_name", &op->first_name)
        && op->first_name.len == 0)
    {
        return ngx_lead_law_invalid(fault, "First name can't be empty.");
    }

    if (ngx_lead_law_member(sent, "last_name", &op->last_name)
        && op->last_name.len == 0)
    {
        return ngx_lead_law_invalid(fault, "Last name can't be empty.");
    }

    (void) ngx_lead_law_member(sent, "phone", &op->phone);
    (void) ngx_lead_law_member(sent, "email", &op->email);

    rc = ngx_lead_law_check_contact(op);
    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_lead_law_member(sent, "source", &op->source)
        && op->source.len == 0)
    {
        return ngx_lead_law_invalid(fault, "Source can't be empty.");
    }

    (void) ngx_lead_law_member(sent, "assignee_id", &op->assignee_id);

    text.data = op->assignee_id.data;
    text.len = op->assignee_id.len;

    if (text.len && lead_store_id_parse(text, &id) != 0) {
        return ngx_lead_law_invalid(fault, NGX_LEAD_LAW_NOT_UUID);
    }

    if (ngx_lead_law_member(sent, "status", &op->status)
        && op->status.len == 0)
    {
        return ngx_lead_law_invalid(fault, "status can't be empty.");
    }

    op->data = ngx_lead_json_get(sent, "data");

    return NGX_OK;
}


static void
ngx_lead_law_patch_decide(lead_op_t *lop, const lead_t *target,
    const lead_t *second, int64_t now, uint64_t *counters, lead_decision_t *d)
{
    ngx_str_t             fields, assigned, moved, *stage;
    ngx_lead_law_op_t    *op = lop->data;
    ngx_lead_law_edit_t   e;

    ngx_str_null(&assigned);
    ngx_str_null(&moved);
    ngx_str_null(&fields);

    if (ngx_lead_law_open(op, target, &e) != NGX_OK
        || ngx_lead_law_patch_apply(&e, &assigned, &moved) != NGX_OK
        || e.gen.failed)
    {
        return;
    }

    stage = ngx_lead_law_str(ngx_lead_json_get(e.doc, "stage"), "key");

    if (e.fields->n) {
        if (ngx_lead_law_fields(&e, &fields) != NGX_OK) {
            return;
        }

        ngx_lead_law_event(op, NGX_LEAD_LAW_UPDATED, stage, &fields);
    }

    if (moved.len) {
        ngx_lead_law_event(op, NGX_LEAD_LAW_STATUS_CHANGED, stage, &moved);
    }

    if (assigned.len) {
        ngx_lead_law_event(op, NGX_LEAD_LAW_ASSIGNED, stage, &assigned);
    }

    if (op->nevents == 0) {
        d->verdict = LEAD_KEEP;
        return;
    }

    (void) ngx_lead_law_save(&e, target, d);
}


static ngx_int_t
ngx_lead_law_patch_apply(ngx_lead_law_edit_t *e, ngx_str_t *assigned,
    ngx_str_t *moved)
{
    ngx_int_t           rc;
    ngx_lead_law_op_t  *op;

    static ngx_str_t  first_name = ngx_string("first_name");
    static ngx_str_t  last_name = ngx_string("last_name");
    static ngx_str_t  source = ngx_string("source");
    static ngx_str_t  name = ngx_string("name");

    op = e->op;

    rc = ngx_lead_law_change_contact(e);

    if (rc == NGX_OK) {
        ngx_lead_law_change(e, NULL, &first_name, &op->first_name);
        ngx_lead_law_change(e, NULL, &last_name, &op->last_name);
        ngx_lead_law_change(e, &source, &name, &op->source);

        rc = ngx_lead_law_change_assignee(e, assigned);
    }

    if (rc == NGX_OK) {
        rc = ngx_lead_law_change_status(e, moved);
    }

    if (rc == NGX_OK) {
        rc = ngx_lead_law_change_data(e);
    }

    return rc;
}


ngx_int_t
ngx_lead_law_open(ngx_lead_law_op_t *op, const lead_t *target,
    ngx_lead_law_edit_t *e)
{
    ngx_str_t    text;
    const char  *why;

    op->nevents = 0;
    op->fault.kind = NGX_LEAD_FAULT_UNAVAILABLE;

    if (target == NULL) {
        op->fault.kind = NGX_LEAD_FAULT_NOT_FOUND;
        return NGX_DECLINED;
    }

    text.data = (u_char *) target->doc.data;
    text.len = target->doc.len;

    e->op = op;
    e->gen.pool = ngx_lead_call_arena(op->call);
    e->gen.failed = 0;

    if (e->gen.pool == NULL
        || ngx_lead_json_parse_doc(e->gen.pool, &text, &e->doc, &why) != NGX_OK
        || e->doc->type != NGX_LEAD_JSON_OBJECT)
    {
        return NGX_ERROR;
    }

    e->fields = ngx_lead_json_add(&e->gen, NULL, NULL, NGX_LEAD_JSON_ARRAY);

    return e->fields ? NGX_OK : NGX_ERROR;
}


/* the last way to reach a lead stays */

static ngx_int_t
ngx_lead_law_change_contact(ngx_lead_law_edit_t *e)
{
    size_t              email, phone;
    ngx_lead_law_op_t  *op;

    op = e->op;

    if (op->email.data == NULL && op->phone.data == NULL) {
        return NGX_OK;
    }

    email = op->email.data ? op->email.len
                           : ngx_lead_law_str(e->doc, "email_key")->len;
    phone = op->phone.data ? op->phone.len
                           : ngx_lead_law_phone(e->doc)->len;

    if (email == 0 && phone == 0) {
        return ngx_lead_law_invalid(&op->fault, NGX_LEAD_LAW_NO_CONTACT);
    }

    ngx_lead_law_change_email(e);
    ngx_lead_law_change_phone(e);

    return NGX_OK;
}


void
ngx_lead_law_change_email(ngx_lead_law_edit_t *e)
{
    ngx_lead_law_op_t  *op;

    static ngx_str_t  email = ngx_string("email");
    static ngx_str_t  email_key = ngx_string("email_key");

    op = e->op;

    /* another spelling of the same address is no change */

    if (op->email.data == NULL
        || ngx_lead_field_equal(ngx_lead_law_str(e->doc, "email_key"),
                                &op->email_key))
    {
        return;
    }

    ngx_lead_law_set(e, e->doc, &email_key, &op->email_key);
    ngx_lead_law_change(e, NULL, &email, &op->email);
}


void
ngx_lead_law_change_phone(ngx_lead_law_edit_t *e)
{
    ngx_lead_json_t    *node;
    ngx_lead_law_op_t  *op;

    static ngx_str_t  phone = ngx_string("phone");
    static ngx_str_t  phone_e164 = ngx_string("phone_e164");

    op = e->op;

    /* what is shown and sent back is no change */

    if (op->phone.data == NULL
        || ngx_lead_field_equal(ngx_lead_law_phone(e->doc), &op->phone)
        || ngx_lead_field_equal(ngx_lead_law_str(e->doc, "phone"),
                                &op->phone))
    {
        return;
    }

    node = op->phone_e164.len
           ? ngx_lead_json_add_str(&e->gen, NULL, NULL, &op->phone_e164)
           : NULL;

    ngx_lead_json_set_node(&e->gen, e->doc, &phone_e164, node);
    ngx_lead_law_change(e, NULL, &phone, &op->phone);
}


void
ngx_lead_law_change(ngx_lead_law_edit_t *e, ngx_str_t *group, ngx_str_t *name,
    ngx_str_t *value)
{
    ngx_str_t        *field;
    ngx_lead_json_t  *obj, *node;

    obj = group ? ngx_lead_json_find(e->doc, group->data, group->len) : e->doc;
    node = ngx_lead_json_find(obj, name->data, name->len);

    if (value->data == NULL
        || ngx_lead_field_equal(ngx_lead_law_text(node), value))
    {
        return;
    }

    if (group && (obj == NULL || obj->type != NGX_LEAD_JSON_OBJECT)) {
        node = ngx_lead_json_add(&e->gen, NULL, NULL, NGX_LEAD_JSON_OBJECT);
        ngx_lead_json_set_node(&e->gen, e->doc, group, node);
        obj = ngx_lead_json_find(e->doc, group->data, group->len);
    }

    ngx_lead_law_set(e, obj, name, value);

    field = group ? group : name;
    node = e->fields->last;

    if (node == NULL || !ngx_lead_field_equal(&node->text, field)) {
        (void) ngx_lead_json_add_str(&e->gen, e->fields, NULL, field);
    }
}


/* an empty value takes the member away */

static void
ngx_lead_law_set(ngx_lead_law_edit_t *e, ngx_lead_json_t *obj,
    ngx_str_t *name, ngx_str_t *value)
{
    ngx_lead_json_t  *node;

    node = NULL;

    if (value->len) {
        node = ngx_lead_json_add_str(&e->gen, NULL, NULL, value);
        if (node == NULL) {
            return;
        }
    }

    ngx_lead_json_set_node(&e->gen, obj, name, node);
}


/* whom or what a lead has already it keeps, also when the configuration has
 * forgotten them */

static ngx_int_t
ngx_lead_law_change_assignee(ngx_lead_law_edit_t *e, ngx_str_t *event)
{
    ngx_str_t           *old;
    ngx_lead_json_t      tree, *node;
    ngx_lead_user_t     *user;
    ngx_lead_law_op_t   *op;

    static ngx_str_t  assignee = ngx_string("assignee");

    op = e->op;
    old = ngx_lead_law_str(ngx_lead_json_get(e->doc, "assignee"), "id");

    if (op->assignee_id.data == NULL
        || ngx_lead_field_equal_fold(old, &op->assignee_id))
    {
        return NGX_OK;
    }

    if (op->assignee_id.len == 0) {
        ngx_lead_json_set_node(&e->gen, e->doc, &assignee, NULL);
        return ngx_lead_law_from_to(e, old, &op->assignee_id, event);
    }

    user = ngx_lead_account_user(op->call->account, &op->assignee_id);

    if (user == NULL) {
        return ngx_lead_law_invalid(&op->fault, NGX_LEAD_LAW_NOT_MEMBER);
    }

    ngx_memzero(&tree, sizeof(ngx_lead_json_t));
    tree.type = NGX_LEAD_JSON_OBJECT;

    ngx_lead_law_add_user(&e->gen, &tree, user);
    node = tree.first;

    if (node) {
        ngx_lead_json_set_node(&e->gen, e->doc, &assignee, node);
    }

    return ngx_lead_law_from_to(e, old, &user->id, event);
}


static ngx_int_t
ngx_lead_law_change_status(ngx_lead_law_edit_t *e, ngx_str_t *event)
{
    ngx_str_t           *old;
    ngx_lead_json_t      tree, *node;
    ngx_lead_stage_t    *stage;
    ngx_lead_law_op_t   *op;

    static ngx_str_t  name = ngx_string("stage");

    op = e->op;
    old = ngx_lead_law_str(ngx_lead_json_get(e->doc, "stage"), "key");

    if (op->status.data == NULL || ngx_lead_field_equal(old, &op->status)) {
        return NGX_OK;
    }

    stage = ngx_lead_account_stage(op->call->account, &op->status);

    if (stage == NULL) {
        return ngx_lead_law_invalid(&op->fault, "Unknown status.");
    }

    ngx_memzero(&tree, sizeof(ngx_lead_json_t));
    tree.type = NGX_LEAD_JSON_OBJECT;

    ngx_lead_law_add_stage(&e->gen, &tree, op->call->account, stage);
    node = tree.first;

    if (node) {
        ngx_lead_json_set_node(&e->gen, e->doc, &name, node);
    }

    return ngx_lead_law_from_to(e, old, &stage->key, event);
}


static ngx_int_t
ngx_lead_law_change_data(ngx_lead_law_edit_t *e)
{
    ngx_str_t           value, *old;
    ngx_uint_t          i, n;
    ngx_lead_data_t    *field;
    ngx_lead_json_t    *stored;
    ngx_lead_law_op_t  *op;

    static ngx_str_t  data = ngx_string("data");

    op = e->op;
    n = op->call->account->data.nelts;
    field = op->call->account->data.elts;

    for (i = 0; op->data && i < n; i++) {

        value = *ngx_lead_law_text(ngx_lead_json_find(op->data,
                                                      field[i].key.data,
                                                      field[i].key.len));
        ngx_lead_field_trim(&value);

        stored = ngx_lead_json_get(e->doc, "data");
        old = ngx_lead_law_text(ngx_lead_json_find(stored, field[i].key.data,
                                                   field[i].key.len));

        if (value.len == 0 || ngx_lead_field_equal(old, &value)) {
            continue;
        }

        if (ngx_lead_law_label(&field[i], &value, 0) == NULL) {
            return ngx_lead_law_invalid_data(&op->fault, e->gen.pool,
                                             &field[i].key);
        }

        ngx_lead_law_change(e, &data, &field[i].key, &value);
    }

    return NGX_OK;
}


/* what an event says of a change; an empty text: nobody */

static ngx_int_t
ngx_lead_law_from_to(ngx_lead_law_edit_t *e, ngx_str_t *from, ngx_str_t *to,
    ngx_str_t *event)
{
    ngx_uint_t        i;
    ngx_lead_json_t  *root;

    struct {
        const char  *name;
        ngx_str_t   *value;
    } ends[] = {
        { "from", from },
        { "to", to }
    };

    root = ngx_lead_json_add(&e->gen, NULL, NULL, NGX_LEAD_JSON_OBJECT);

    for (i = 0; i < 2; i++) {
        if (ends[i].value->len) {
            (void) ngx_lead_json_add_str(&e->gen, root, ends[i].name,
                                         ends[i].value);
        } else {
            (void) ngx_lead_json_add(&e->gen, root, ends[i].name,
                                     NGX_LEAD_JSON_NULL);
        }
    }

    return e->gen.failed ? NGX_ERROR
                         : ngx_lead_json_print(e->gen.pool, root, event);
}


static ngx_int_t
ngx_lead_law_fields(ngx_lead_law_edit_t *e, ngx_str_t *event)
{
    ngx_lead_json_t  *root;

    static ngx_str_t  fields = ngx_string("fields");

    root = ngx_lead_json_add(&e->gen, NULL, NULL, NGX_LEAD_JSON_OBJECT);
    (void) ngx_lead_json_add_node(&e->gen, root, &fields, e->fields);

    return e->gen.failed ? NGX_ERROR
                         : ngx_lead_json_print(e->gen.pool, root, event);
}


ngx_int_t
ngx_lead_law_save(ngx_lead_law_edit_t *e, const lead_t *target,
    lead_decision_t *d)
{
    ngx_str_t  doc;

    if (e->gen.failed
        || ngx_lead_json_print(e->gen.pool, e->doc, &doc) != NGX_OK)
    {
        return NGX_ERROR;
    }

    d->touch = 1;
    ngx_lead_law_write(e->op, d, LEAD_UPDATE, &doc, target->flags);

    return NGX_OK;
}


ngx_int_t
ngx_lead_law_archive(ngx_lead_call_t *call)
{
    return ngx_lead_law_shelve(call, ngx_lead_law_archive_decide);
}


ngx_int_t
ngx_lead_law_unarchive(ngx_lead_call_t *call)
{
    return ngx_lead_law_shelve(call, ngx_lead_law_unarchive_decide);
}


static ngx_int_t
ngx_lead_law_shelve(ngx_lead_call_t *call, lead_decide_pt decide)
{
    if (ngx_lead_law_op(call) == NULL) {
        return NGX_ERROR;
    }

    call->op.decide = decide;

    return ngx_lead_law_target(call);
}


static void
ngx_lead_law_archive_decide(lead_op_t *lop, const lead_t *target,
    const lead_t *second, int64_t now, uint64_t *counters, lead_decision_t *d)
{
    ngx_lead_law_shelve_decide(lop, target, LEAD_FLAG_ARCHIVED, d);
}


static void
ngx_lead_law_unarchive_decide(lead_op_t *lop, const lead_t *target,
    const lead_t *second, int64_t now, uint64_t *counters, lead_decision_t *d)
{
    ngx_lead_law_shelve_decide(lop, target, 0, d);
}


static void
ngx_lead_law_shelve_decide(lead_op_t *lop, const lead_t *target,
    uint32_t archived, lead_decision_t *d)
{
    ngx_str_t            *stage;
    ngx_lead_law_op_t    *op = lop->data;
    ngx_lead_law_edit_t   e;

    if (ngx_lead_law_open(op, target, &e) != NGX_OK) {
        return;
    }

    if ((target->flags & LEAD_FLAG_ARCHIVED) == archived) {
        d->verdict = LEAD_KEEP;
        return;
    }

    stage = ngx_lead_law_str(ngx_lead_json_get(e.doc, "stage"), "key");

    ngx_lead_law_event(op, archived ? NGX_LEAD_LAW_ARCHIVED
                                    : NGX_LEAD_LAW_UPDATED,
                       stage, NULL);

    if (ngx_lead_law_save(&e, target, d) == NGX_OK) {
        d->flags = (target->flags & ~LEAD_FLAG_ARCHIVED) | archived;
        d->touch = 0;
    }
}
