
/*
 * Copyright (C) the ngx_lead authors
 *
 * Looks things up in accounts, and gives what has no id in the configuration
 * one that never changes.  The look-ups run in the event loop and in threads:
 * they only read, and keep nothing.
 */


#include "ngx_lead_conf.h"
#include <ngx_sha1.h>


/* of name-based ids (RFC 9562, version 5); to change it is to change them
 * all */

static u_char  ngx_lead_namespace[16] = {
    0xff, 0xe7, 0x07, 0x07, 0x4e, 0x73, 0x4f, 0x5f,
    0x8b, 0x82, 0xc6, 0x32, 0x4e, 0x43, 0x5c, 0xfe
};


void *
ngx_lead_account_item(ngx_array_t *array, size_t offset, u_char *key,
    size_t len)
{
    u_char      *item;
    ngx_str_t   *s;
    ngx_uint_t   i;

    item = array->elts;

    for (i = 0; i < array->nelts; i++, item += array->size) {
        s = (ngx_str_t *) (item + offset);

        if (len && s->len == len && ngx_memcmp(s->data, key, len) == 0) {
            return item;
        }
    }

    return NULL;
}


ngx_lead_account_t *
ngx_lead_account_find(ngx_lead_main_conf_t *lmcf, u_char *name, size_t len)
{
    return ngx_lead_account_item(&lmcf->accounts,
                                 offsetof(ngx_lead_account_t, name),
                                 name, len);
}


ngx_lead_user_t *
ngx_lead_account_user(ngx_lead_account_t *account, ngx_str_t *id)
{
    ngx_uint_t        i;
    ngx_lead_user_t  *user;

    user = account->users.elts;

    for (i = 0; i < account->users.nelts; i++) {
        if (user[i].id.len == id->len
            && ngx_strncasecmp(user[i].id.data, id->data, id->len) == 0)
        {
            return &user[i];
        }
    }

    return NULL;
}


ngx_lead_source_t *
ngx_lead_account_source(ngx_lead_account_t *account, u_char *key, size_t len)
{
    return ngx_lead_account_item(&account->sources,
                                 offsetof(ngx_lead_source_t, key), key, len);
}


ngx_lead_data_t *
ngx_lead_account_data(ngx_lead_account_t *account, u_char *key, size_t len)
{
    return ngx_lead_account_item(&account->data,
                                 offsetof(ngx_lead_data_t, key), key, len);
}


ngx_lead_stage_t *
ngx_lead_account_stage(ngx_lead_account_t *account, ngx_str_t *key)
{
    ngx_lead_pipeline_t  *pipeline;

    if (account->pipelines.nelts == 0) {
        return NULL;
    }

    pipeline = account->pipelines.elts;

    return ngx_lead_account_item(&pipeline->stages,
                                 offsetof(ngx_lead_stage_t, key),
                                 key->data, key->len);
}


ngx_lead_stage_t *
ngx_lead_account_open_stage(ngx_lead_account_t *account)
{
    ngx_uint_t            i;
    ngx_lead_stage_t     *stage;
    ngx_lead_pipeline_t  *pipeline;

    if (account->pipelines.nelts == 0) {
        return NULL;
    }

    pipeline = account->pipelines.elts;
    stage = pipeline->stages.elts;

    for (i = 0; i < pipeline->stages.nelts; i++) {
        if (!stage[i].terminal) {
            return &stage[i];
        }
    }

    return NULL;
}


ngx_int_t
ngx_lead_account_id(ngx_conf_t *cf, ngx_str_t *id, const char *kind,
    ngx_lead_account_t *account, ngx_str_t *path)
{
    u_char      *p, hash[20];
    ngx_uint_t   i;
    ngx_sha1_t   sha1;

    if (id->len) {
        return NGX_OK;
    }

    ngx_sha1_init(&sha1);
    ngx_sha1_update(&sha1, ngx_lead_namespace, sizeof(ngx_lead_namespace));
    ngx_sha1_update(&sha1, kind, ngx_strlen(kind));
    ngx_sha1_update(&sha1, ":", 1);
    ngx_sha1_update(&sha1, account->name.data, account->name.len);
    ngx_sha1_update(&sha1, ":", 1);
    ngx_sha1_update(&sha1, path->data, path->len);
    ngx_sha1_final(hash, &sha1);

    hash[6] = 0x50 | (hash[6] & 0x0f);
    hash[8] = 0x80 | (hash[8] & 0x3f);

    id->len = 36;
    id->data = ngx_pnalloc(cf->pool, id->len);
    if (id->data == NULL) {
        return NGX_ERROR;
    }

    p = id->data;

    for (i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            *p++ = '-';
        }

        p = ngx_hex_dump(p, &hash[i], 1);
    }

    return NGX_OK;
}
