
/*
 * Copyright (C) the ngx_lead authors
 *
 * leadctl key: the API keys of accounts and the ingestion keys of sources.
 *
 * A key's text is printed once, when it is made, and by nothing else.  It is
 * never taken from the command line, never repeated in a message, and wiped
 * from memory before the command ends.
 */


#include "leadctl.h"
#include <errno.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>


/* an imported key shorter than this shows none of its characters */
#define LEADCTL_LAST4_MIN     16


typedef struct {
    lead_key_t           *keys;
    size_t                n;
    size_t                nalloc;
} leadctl_keys_t;


static int leadctl_key_store(leadctl_t *ctl, lead_key_t *key, char *text,
    size_t len, int import);
static int leadctl_key_unseen(leadctl_t *ctl, const lead_key_t *key,
    int import, int err);
static void leadctl_key_print(leadctl_t *ctl, const lead_key_t *key,
    const char *account, const char *text);
static void leadctl_key_row(leadctl_table_t *table, const lead_key_t *key,
    const char *account);
static const char *leadctl_key_state(const lead_key_t *key);
static const char *leadctl_key_scope_text(const lead_key_t *key);
static int leadctl_key_collect(void *ctx, const lead_key_t *key);
static int leadctl_key_change(leadctl_t *ctl, const char *done);


static const leadctl_col_t  leadctl_key_cols[] = {
    { "ID", 0 },
    { "ACCOUNT", 24 },
    { "SCOPES", 0 },
    { "API", 0 },
    { "SOURCE", 24 },
    { "NAME", 24 },
    { "CREATED", 0 },
    { "EXPIRES", 0 },
    { "STATE", 0 },
    { "LAST4", 0 }
};


int
leadctl_key_add(leadctl_t *ctl)
{
    int          code, import;
    char         text[LEAD_KEY_TEXT_MAX + 1];
    size_t       len;
    lead_key_t   key;
    const char  *file;

    memset(&key, 0, sizeof(lead_key_t));

    code = leadctl_key_options(ctl, &key);
    if (code != LEADCTL_OK) {
        return code;
    }

    file = ctl->opts[LEADCTL_KEY_FILE_OPT];
    import = file != NULL;
    len = 0;

    if (import) {
        code = leadctl_key_file(file, text, &len);

        if (code == LEADCTL_OK && len >= LEADCTL_LAST4_MIN) {
            memcpy(key.last4, &text[len - 4], 4);
        }

    } else if (lead_store_key_make(&key, text) == LEAD_OK) {
        len = strlen(text);

    } else {
        code = leadctl_error(LEADCTL_FAILED, "the system gives no random "
                             "bytes: no key was made");
    }

    if (code == LEADCTL_OK) {
        code = leadctl_key_store(ctl, &key, text, len, import);
    }

    explicit_bzero(text, sizeof(text));

    return code;
}


static int
leadctl_key_store(leadctl_t *ctl, lead_key_t *key, char *text, size_t len,
    int import)
{
    int           code;
    lead_bytes_t  bytes;
    lead_error_t  e;

    code = leadctl_open(ctl, LEADCTL_CREATE);

    if (code == LEADCTL_OK) {
        code = leadctl_account(ctl, 1, &key->account);
    }

    if (code != LEADCTL_OK) {
        return code;
    }

    bytes.data = (const uint8_t *) text;
    bytes.len = len;

    e.rc = lead_store_key_add(ctl->store, key, bytes, &e);

    if (e.rc == LEAD_EXISTS) {
        return leadctl_error(LEADCTL_NO, "this key is in the store already, "
                             "for this or another account: no key was "
                             "added");
    }

    if (e.rc != LEAD_OK) {
        return leadctl_failed(&e, "adding the key");
    }

    leadctl_key_print(ctl, key, ctl->opts[LEADCTL_ACCOUNT_OPT],
                      import ? NULL : text);

    errno = 0;

    if (fflush(stdout) != 0) {
        return leadctl_key_unseen(ctl, key, import, errno);
    }

    if (!import) {
        leadctl_hint("key %s of account \"%s\" works at once; it is not "
                     "shown again", key->id,
                     ctl->opts[LEADCTL_ACCOUNT_OPT]);
    }

    return LEADCTL_OK;
}


/* a new key nobody has seen nobody could ever use; what is said here need
 * not be said again when stdout is closed */

static int
leadctl_key_unseen(leadctl_t *ctl, const lead_key_t *key, int import, int err)
{
    lead_error_t  e;

    __fpurge(stdout);
    clearerr(stdout);

    if (import) {
        return leadctl_error(LEADCTL_FAILED, "key %s was added, but its id "
                             "could not be printed: %s", key->id,
                             strerror(err));
    }

    e.rc = lead_store_key_remove(ctl->store, key->id, &e);

    if (e.rc != LEAD_OK) {
        return leadctl_error(LEADCTL_FAILED, "key %s could not be printed "
                             "(%s) and not be removed: leadctl key remove "
                             "%s", key->id, strerror(err), key->id);
    }

    return leadctl_error(LEADCTL_FAILED, "the key could not be printed (%s) "
                         "and was removed again", strerror(err));
}


/* text: the key itself, or NULL */

static void
leadctl_key_print(leadctl_t *ctl, const lead_key_t *key, const char *account,
    const char *text)
{
    leadctl_json_t  json;

    if (!ctl->opts[LEADCTL_JSON_OPT]) {
        puts(text ? text : key->id);
        return;
    }

    leadctl_json_init(&json, 0);
    leadctl_json_open(&json, '{');

    leadctl_json_key(&json, "id");
    leadctl_json_text(&json, key->id);

    if (text) {
        leadctl_json_key(&json, "key");
        leadctl_json_text(&json, text);
    }

    leadctl_json_key(&json, "account");
    leadctl_json_text(&json, account);

    leadctl_json_key(&json, "scopes");
    leadctl_json_open(&json, '[');

    if (key->scopes & LEAD_SCOPE_READ) {
        leadctl_json_text(&json, "leads:read");
    }

    if (key->scopes & LEAD_SCOPE_WRITE) {
        leadctl_json_text(&json, "leads:write");
    }

    if (key->scopes & LEAD_SCOPE_INGEST) {
        leadctl_json_text(&json, "ingest");
    }

    leadctl_json_close(&json, ']');

    leadctl_json_key(&json, "api");
    leadctl_json_text(&json, key->api);
    leadctl_json_key(&json, "source");
    leadctl_json_text(&json, key->source);
    leadctl_json_key(&json, "name");
    leadctl_json_text(&json, key->name);
    leadctl_json_key(&json, "created_at");
    leadctl_json_time(&json, key->created);
    leadctl_json_key(&json, "expires_at");
    leadctl_json_time(&json, key->expires);
    leadctl_json_key(&json, "state");
    leadctl_json_text(&json, leadctl_key_state(key));
    leadctl_json_key(&json, "last4");
    leadctl_json_text(&json, key->last4);

    leadctl_json_close(&json, '}');
    leadctl_json_end(&json);
}


static const char *
leadctl_key_state(const lead_key_t *key)
{
    if (key->disabled) {
        return "disabled";
    }

    return key->expires && key->expires <= leadctl_now() ? "expired"
                                                         : "active";
}


static const char *
leadctl_key_scope_text(const lead_key_t *key)
{
    switch (key->scopes & (LEAD_SCOPE_READ|LEAD_SCOPE_WRITE)) {

    case LEAD_SCOPE_READ|LEAD_SCOPE_WRITE:
        return "leads:read,leads:write";

    case LEAD_SCOPE_READ:
        return "leads:read";

    case LEAD_SCOPE_WRITE:
        return "leads:write";
    }

    return key->scopes & LEAD_SCOPE_INGEST ? "ingest" : "";
}


int
leadctl_key_list(leadctl_t *ctl)
{
    int              code;
    char             name[LEAD_NAME_MAX + 1];
    size_t           i;
    uint32_t         account;
    lead_error_t     e;
    leadctl_keys_t   all;
    leadctl_table_t  table;

    account = 0;

    code = leadctl_open(ctl, LEADCTL_READ);

    if (code == LEADCTL_OK && ctl->opts[LEADCTL_ACCOUNT_OPT]) {
        code = leadctl_account(ctl, 0, &account);
    }

    if (code != LEADCTL_OK) {
        return code;
    }

    memset(&all, 0, sizeof(leadctl_keys_t));
    leadctl_table_init(&table, leadctl_key_cols, 10);

    e.rc = lead_store_key_list(ctl->store, leadctl_key_collect, &all, &e);

    if (e.rc != LEAD_OK) {
        free(all.keys);
        return leadctl_failed(&e, "listing the keys");
    }

    for (i = 0; i < all.n; i++) {

        if (account && all.keys[i].account != account) {
            continue;
        }

        e.rc = lead_store_account_name(ctl->store, all.keys[i].account, name,
                                       &e);

        if (e.rc != LEAD_OK) {
            snprintf(name, sizeof(name), "?%u",
                     (unsigned) all.keys[i].account);
        }

        if (ctl->opts[LEADCTL_JSON_OPT]) {
            leadctl_key_print(ctl, &all.keys[i], name, NULL);

        } else {
            leadctl_key_row(&table, &all.keys[i], name);
        }
    }

    if (!ctl->opts[LEADCTL_JSON_OPT]) {
        leadctl_table_print(&table);
    }

    free(all.keys);

    return LEADCTL_OK;
}


static int
leadctl_key_collect(void *ctx, const lead_key_t *key)
{
    leadctl_keys_t  *all = ctx;

    if (all->n == all->nalloc) {
        all->nalloc = all->nalloc ? all->nalloc * 2 : 64;
        all->keys = leadctl_alloc(all->keys, all->nalloc,
                                  sizeof(lead_key_t));
    }

    all->keys[all->n++] = *key;

    return 0;
}


static void
leadctl_key_row(leadctl_table_t *table, const lead_key_t *key,
    const char *account)
{
    char  created[LEADCTL_TIME_LEN], expires[LEADCTL_TIME_LEN];

    leadctl_time(key->created, created);
    strcpy(expires, "never");

    if (key->expires) {
        leadctl_time(key->expires, expires);
    }

    leadctl_table_text(table, key->id);
    leadctl_table_text(table, account);
    leadctl_table_text(table, leadctl_key_scope_text(key));
    leadctl_table_text(table, key->api);
    leadctl_table_text(table, key->source);
    leadctl_table_text(table, key->name);
    leadctl_table_text(table, created);
    leadctl_table_text(table, expires);
    leadctl_table_text(table, leadctl_key_state(key));
    leadctl_table_text(table, key->last4);
}


int
leadctl_key_disable(leadctl_t *ctl)
{
    return leadctl_key_change(ctl, "disabled");
}


int
leadctl_key_enable(leadctl_t *ctl)
{
    return leadctl_key_change(ctl, "enabled");
}


int
leadctl_key_remove(leadctl_t *ctl)
{
    return leadctl_key_change(ctl, "removed");
}


/* the argument is not repeated where it may be a whole key */

static int
leadctl_key_change(leadctl_t *ctl, const char *done)
{
    int           code;
    size_t        i;
    const char   *id;
    lead_error_t  e;

    id = ctl->args[0];

    for (i = 0; (id[i] >= '0' && id[i] <= '9') || (id[i] >= 'A'
         && id[i] <= 'Z') || (id[i] >= 'a' && id[i] <= 'z'); i++)
    {
        /* void */
    }

    if (i != LEAD_KEY_ID_LEN || id[i] != '\0') {
        return leadctl_usage(ctl, "the argument is no key's id, which has %d "
                             "letters and digits: leadctl key list shows it",
                             LEAD_KEY_ID_LEN);
    }

    code = leadctl_open(ctl, LEADCTL_WRITE);
    if (code != LEADCTL_OK) {
        return code;
    }

    e.rc = ctl->cmd->run == leadctl_key_remove
           ? lead_store_key_remove(ctl->store, id, &e)
           : lead_store_key_disable(ctl->store, id,
                                    ctl->cmd->run == leadctl_key_disable,
                                    &e);

    if (e.rc == LEAD_NOTFOUND) {
        return leadctl_error(LEADCTL_NO, "there is no key %s in this store; "
                             "leadctl key list shows all", id);
    }

    if (e.rc != LEAD_OK) {
        return leadctl_failed(&e, "changing the key");
    }

    printf(ctl->opts[LEADCTL_JSON_OPT] ? "{\"id\":\"%s\",\"result\":\"%s\"}\n"
                                       : "key %s %s\n", id, done);

    return LEADCTL_OK;
}
