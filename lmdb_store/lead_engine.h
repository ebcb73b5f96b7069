
/*
 * Copyright (C) the ngx_lead authors
 *
 * What lead_store.c asks of the engine that keeps the leads, and what it
 * offers in turn.  Private to lmdb_store/, and free of the engine's types: a
 * second engine would make a table of these.
 *
 * An engine is called with arguments that keep the rules of lead_store.h, and
 * with an error to fill in; it has the final say on the process a call comes
 * from.
 */


#ifndef LEAD_ENGINE_H_INCLUDED
#define LEAD_ENGINE_H_INCLUDED


#include "lead_store.h"


/* offered: fills in e, returns rc */
lead_rc_t lead_store_fail(lead_error_t *e, lead_rc_t rc, int err,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* offered: LEAD_OK, or why a decision cannot be carried out */
lead_rc_t lead_store_decision_check(const lead_decision_t *d,
    const lead_t *target, const lead_t *second);

/* offered: non-zero for bytes that are said to be there and are not */
int lead_store_bytes_bad(lead_bytes_t bytes);

/* offered: LEAD_OK, or LEAD_INVALID with a text */
lead_rc_t lead_store_name_check(lead_bytes_t name, lead_error_t *e);

/* offered: n characters of base62; LEAD_IO: no randomness */
lead_rc_t lead_store_random_text(char *text, size_t n);

/* offered: non-zero for a letter or digit */
int lead_store_base62(char c);


/* opts are complete: no default is left to choose */
lead_rc_t lead_lmdb_open(const char *dir, const lead_store_opts_t *opts,
    lead_store_t **store, lead_error_t *e);
void lead_lmdb_close(lead_store_t *store);

lead_rc_t lead_lmdb_account(lead_store_t *store, lead_bytes_t name,
    int create, uint32_t *account, lead_error_t *e);
lead_rc_t lead_lmdb_account_name(lead_store_t *store, uint32_t account,
    char *name, lead_error_t *e);
lead_rc_t lead_lmdb_endpoint(lead_store_t *store, uint32_t account,
    lead_bytes_t name, int create, uint32_t *endpoint, lead_error_t *e);

/* the rc of each op is its own: what is not LEAD_OK already is left out */
lead_rc_t lead_lmdb_commit(lead_store_t *store, lead_op_t **ops, size_t n,
    lead_error_t *e);
lead_rc_t lead_lmdb_commit_group(lead_store_t *store, lead_op_t **ops,
    size_t n, lead_error_t *e);

lead_rc_t lead_lmdb_get(lead_store_t *store, uint32_t account,
    const lead_find_t *find, lead_sink_pt sink, void *ctx, lead_error_t *e);
lead_rc_t lead_lmdb_list(lead_store_t *store, const lead_list_t *list,
    lead_id_t *next, lead_error_t *e);
lead_rc_t lead_lmdb_events(lead_store_t *store, uint32_t account,
    const lead_id_t *id, lead_event_sink_pt sink, void *ctx, lead_error_t *e);

lead_rc_t lead_lmdb_endpoint_get(lead_store_t *store, uint32_t endpoint,
    lead_endpoint_t *info, lead_error_t *e);
lead_rc_t lead_lmdb_endpoints(lead_store_t *store, uint32_t account,
    lead_endpoint_sink_pt sink, void *ctx, lead_error_t *e);
lead_rc_t lead_lmdb_endpoint_set(lead_store_t *store, uint32_t endpoint,
    lead_endpoint_state_t state, lead_error_t *e);
lead_rc_t lead_lmdb_endpoint_test(lead_store_t *store, uint32_t endpoint,
    lead_bytes_t doc, uint64_t *event, lead_error_t *e);
lead_rc_t lead_lmdb_lease(lead_store_t *store, const uint32_t *endpoints,
    size_t n, int64_t span, int64_t *until, lead_error_t *e);
lead_rc_t lead_lmdb_release(lead_store_t *store, const uint32_t *endpoints,
    size_t n, lead_error_t *e);
lead_rc_t lead_lmdb_due(lead_store_t *store, uint32_t endpoint,
    const uint64_t *skip, size_t nskip, lead_due_sink_pt sink, void *ctx,
    int64_t *next, lead_error_t *e);
lead_rc_t lead_lmdb_settle(lead_store_t *store,
    const lead_attempt_t *attempts, size_t n, lead_error_t *e);
lead_rc_t lead_lmdb_outbox(lead_store_t *store, uint32_t endpoint,
    lead_outbox_sink_pt sink, void *ctx, lead_error_t *e);
lead_rc_t lead_lmdb_attempts(lead_store_t *store, uint32_t endpoint,
    int64_t from, lead_attempt_sink_pt sink, void *ctx, lead_error_t *e);
lead_rc_t lead_lmdb_replay(lead_store_t *store, lead_replay_t *replay,
    uint64_t *n, lead_error_t *e);

lead_rc_t lead_lmdb_key_add(lead_store_t *store, lead_key_t *key,
    lead_bytes_t text, lead_error_t *e);
lead_rc_t lead_lmdb_key_find(lead_store_t *store, lead_bytes_t text,
    lead_key_t *key, lead_error_t *e);
lead_rc_t lead_lmdb_key_disable(lead_store_t *store, const char *id,
    int disabled, lead_error_t *e);
lead_rc_t lead_lmdb_key_remove(lead_store_t *store, const char *id,
    lead_error_t *e);
lead_rc_t lead_lmdb_key_list(lead_store_t *store, lead_key_sink_pt sink,
    void *ctx, lead_error_t *e);

lead_rc_t lead_lmdb_stat(lead_store_t *store, lead_stat_t *stat,
    lead_error_t *e);
lead_rc_t lead_lmdb_counter(lead_store_t *store, uint32_t account,
    lead_bytes_t name, uint64_t *value, lead_error_t *e);
lead_rc_t lead_lmdb_count(lead_store_t *store, uint32_t account,
    uint64_t *leads, lead_error_t *e);
lead_rc_t lead_lmdb_sweep(lead_store_t *store, lead_error_t *e);
lead_rc_t lead_lmdb_backup(lead_store_t *store, const char *dir,
    lead_error_t *e);
lead_rc_t lead_lmdb_check(lead_store_t *store, lead_check_pt report,
    void *ctx, uint64_t *findings, lead_error_t *e);


#endif /* LEAD_ENGINE_H_INCLUDED */
