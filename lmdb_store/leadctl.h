
/*
 * Copyright (C) the ngx_lead authors
 *
 * What the files of leadctl, the operator's tool, share.
 *
 * leadctl is a program of its own on lead_store.h: it knows neither nginx nor
 * the engine below the seam.  It prints no key but a new one, once, and no
 * byte of a lead that a terminal would obey.
 *
 * Memory is the program's: what a command allocates it frees, and the store
 * is closed by main() after any command.
 */


#ifndef LEADCTL_H_INCLUDED
#define LEADCTL_H_INCLUDED


#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <stdio.h>
#include "lead_store.h"


#ifndef LEADCTL_VERSION
#define LEADCTL_VERSION       "0.1.0"
#endif

#define LEADCTL_STORE         "/var/lib/nginx/lead"

/* exit codes */

#define LEADCTL_OK            0
#define LEADCTL_NO            1      /* not found, findings, refused input */
#define LEADCTL_USAGE         2
#define LEADCTL_FAILED        3      /* the store, or our own output */

#define LEADCTL_DAMAGED       "stop nginx, keep a copy of the file, and put "  \
                              "a backup in its place"

/* what an import accepts, as the server does */

#define LEADCTL_DEPTH_MAX     32
#define LEADCTL_MEMBERS_MAX   1000

#define LEADCTL_TIME_LEN      80


typedef enum {
    LEADCTL_STORE_OPT = 0,
    LEADCTL_SIZE_OPT,
    LEADCTL_JSON_OPT,
    LEADCTL_HELP_OPT,
    LEADCTL_VERSION_OPT,
    LEADCTL_ACCOUNT_OPT,
    LEADCTL_SCOPE_OPT,
    LEADCTL_API_OPT,
    LEADCTL_SOURCE_OPT,
    LEADCTL_EXPIRES_OPT,
    LEADCTL_NAME_OPT,
    LEADCTL_KEY_FILE_OPT,
    LEADCTL_EVENTS_OPT,
    LEADCTL_LIMIT_OPT,
    LEADCTL_FROM_OPT,
    LEADCTL_OLDEST_OPT,
    LEADCTL_ENDPOINT_OPT,
    LEADCTL_FAILED_OPT,
    LEADCTL_PENDING_OPT,
    LEADCTL_SINCE_OPT,
    LEADCTL_UNTIL_OPT,
    LEADCTL_WAIT_OPT,
    LEADCTL_OPTS
} leadctl_opt_t;


typedef enum {
    LEADCTL_READ = 0,
    LEADCTL_WRITE,
    LEADCTL_CREATE       /* write, and make the store if it is not there */
} leadctl_mode_t;


typedef struct leadctl_cmd_s  leadctl_cmd_t;

typedef struct {
    const char           *opts[LEADCTL_OPTS];   /* NULL: not given */
    const char           *args[2];
    size_t                nargs;
    const leadctl_cmd_t  *cmd;
    const char           *path;
    lead_store_t         *store;
} leadctl_t;

struct leadctl_cmd_s {
    const char           *words[2];
    int                 (*run)(leadctl_t *ctl);
    uint32_t              opts;                 /* 1 << leadctl_opt_t */
    size_t                nargs;
    const char           *usage;
    const char           *summary;
};


/* leadctl.c */

const char *leadctl_opt_name(leadctl_opt_t opt);


/* leadctl_common.c */

int leadctl_error(int code, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
int leadctl_usage(leadctl_t *ctl, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void leadctl_hint(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));
int leadctl_failed(const lead_error_t *e, const char *what);
void *leadctl_alloc(void *p, size_t n, size_t size);

int leadctl_open(leadctl_t *ctl, leadctl_mode_t mode);
int leadctl_name(leadctl_t *ctl, leadctl_opt_t opt);
int leadctl_account(leadctl_t *ctl, int make, uint32_t *account);
int leadctl_number(const char *text, uint64_t max, uint64_t *n);
int leadctl_size(leadctl_t *ctl, uint64_t *size);
lead_bytes_t leadctl_copy(lead_bytes_t bytes);


/* leadctl_time.c */

/* --since and --until: INT64_MIN and LEAD_NEVER if they are not given */
int leadctl_period(leadctl_t *ctl, int64_t *since, int64_t *until);
/* *span stays as it is if the option is not given */
int leadctl_wait_option(leadctl_t *ctl, leadctl_opt_t opt, int64_t *span);
/* to the microsecond; text has room for LEADCTL_TIME_LEN */
void leadctl_time_exact(int64_t time, char *text);


/* leadctl_keyopt.c */

int leadctl_key_options(leadctl_t *ctl, lead_key_t *key);
/* the first line of a file; text has room for LEAD_KEY_TEXT_MAX + 1 */
int leadctl_key_file(const char *file, char *text, size_t *len);


/* the commands, one function each */

int leadctl_key_add(leadctl_t *ctl);
int leadctl_key_list(leadctl_t *ctl);
int leadctl_key_disable(leadctl_t *ctl);
int leadctl_key_enable(leadctl_t *ctl);
int leadctl_key_remove(leadctl_t *ctl);
int leadctl_lead_get(leadctl_t *ctl);
int leadctl_lead_list(leadctl_t *ctl);
int leadctl_lead_export(leadctl_t *ctl);
int leadctl_lead_import(leadctl_t *ctl);
int leadctl_delivery_list(leadctl_t *ctl);
int leadctl_delivery_show(leadctl_t *ctl);
int leadctl_delivery_retry(leadctl_t *ctl);
int leadctl_delivery_replay(leadctl_t *ctl);
int leadctl_webhook_list(leadctl_t *ctl);
int leadctl_webhook_test(leadctl_t *ctl);
int leadctl_webhook_disable(leadctl_t *ctl);
int leadctl_webhook_enable(leadctl_t *ctl);
int leadctl_stat(leadctl_t *ctl);
int leadctl_check(leadctl_t *ctl);
int leadctl_backup(leadctl_t *ctl);

/* what is there of a copy under way; for handlers of signals */
void leadctl_backup_clear(void);


/* leadctl_out.c: everything that is printed goes through here */

/* a code point's length, or 0 where the bytes are no UTF-8 */
size_t leadctl_utf8(const uint8_t *p, const uint8_t *last, uint32_t *cp);
/* a code point a terminal may obey, or that hides or reorders text */
int leadctl_unsafe(uint32_t cp);
/* the text as it is safe to show, cut to max columns (0: not cut); free() */
char *leadctl_show(const void *data, size_t len, size_t max);
void leadctl_time(int64_t time, char *text);
int64_t leadctl_now(void);

typedef struct {
    FILE                 *out;
    size_t                depth;
    unsigned              pretty:1;
    unsigned              comma:1;       /* before the next member or item */
    unsigned              member:1;      /* a member's value comes next */
} leadctl_json_t;

void leadctl_json_init(leadctl_json_t *json, int pretty);
void leadctl_json_open(leadctl_json_t *json, int c);
void leadctl_json_close(leadctl_json_t *json, int c);
void leadctl_json_key(leadctl_json_t *json, const char *name);
void leadctl_json_bytes(leadctl_json_t *json, lead_bytes_t text);
void leadctl_json_text(leadctl_json_t *json, const char *text);
void leadctl_json_plain(leadctl_json_t *json, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void leadctl_json_time(leadctl_json_t *json, int64_t time);
void leadctl_json_value(leadctl_json_t *json, lead_bytes_t value);
void leadctl_json_end(leadctl_json_t *json);


#define LEADCTL_COLS_MAX      10

typedef struct {
    const char           *title;
    size_t                max;           /* columns a cell is cut to */
} leadctl_col_t;

typedef struct {
    const leadctl_col_t  *cols;
    size_t                ncols;
    size_t                widths[LEADCTL_COLS_MAX];
    char                **cells;
    size_t                ncells;
    size_t                nalloc;
    unsigned              titled:1;
} leadctl_table_t;

void leadctl_table_init(leadctl_table_t *table, const leadctl_col_t *cols,
    size_t ncols);
void leadctl_table_add(leadctl_table_t *table, const void *data, size_t len);
void leadctl_table_text(leadctl_table_t *table, const char *text);
void leadctl_table_print(leadctl_table_t *table);
void leadctl_table_free(leadctl_table_t *table);


/* leadctl_json.c: what is read of a lead's document */

typedef struct {
    size_t                len;
    char                  data[160];     /* its beginning */
} leadctl_cell_t;

typedef enum {
    LEADCTL_NO_FIELD = 0,
    LEADCTL_FIRST_NAME,
    LEADCTL_LAST_NAME,
    LEADCTL_EMAIL,
    LEADCTL_PHONE,
    LEADCTL_STAGE,
    LEADCTL_STAGE_KEY,
    LEADCTL_SOURCE,
    LEADCTL_SOURCE_KEY,
    LEADCTL_FIELDS
} leadctl_field_t;

typedef struct {
    leadctl_cell_t        fields[LEADCTL_FIELDS];

    /* of a line as export prints it */
    lead_bytes_t          inner;         /* "document", if an object */
    unsigned              numbered:1;
    unsigned              archived:1;
} leadctl_doc_t;

/* a blank between tokens */
int leadctl_blank(uint8_t c);
/* NULL, or why the text is no document: one JSON object, in UTF-8, at most
 * depth deep, with so many members in one object (0: any number) */
const char *leadctl_doc_read(leadctl_doc_t *doc, lead_bytes_t text,
    size_t depth, size_t members);
/* NULL, or why an escape in its strings stands for no character */
const char *leadctl_doc_escapes(lead_bytes_t text);
/* drops the blanks between tokens, in place; the new length */
size_t leadctl_doc_pack(uint8_t *data, size_t len);


/* leadctl_log.c: webhooks' endpoints, and what was tried for them */

typedef struct {
    lead_endpoint_t       info;
    char                  account[LEAD_NAME_MAX + 1];
    char                  name[2 * LEAD_NAME_MAX + 2];  /* account/name */
} leadctl_endpoint_t;

typedef struct {
    leadctl_endpoint_t   *all;
    size_t                n;
    size_t                nalloc;
} leadctl_endpoints_t;

/* those of --account, of this name (NULL: of any), into *list, to be freed;
 * LEADCTL_NO, and said, if a name is given and there is none */
int leadctl_endpoints(leadctl_t *ctl, const char *name,
    leadctl_endpoints_t *list);
const char *leadctl_state_text(lead_endpoint_state_t state);


#define LEADCTL_LOG           32

/* attempts of an endpoint, the newest first, some at a time */

typedef struct {
    lead_store_t         *store;
    uint32_t              endpoint;
    uint64_t              event;         /* 0: any */
    const lead_id_t      *id;            /* of the event; NULL: any */
    int64_t               from;          /* exclusive */
    int64_t               since;         /* inclusive */
    lead_attempt_t        rows[LEADCTL_LOG];
    size_t                n;
    size_t                next;          /* the first not yet taken */
    size_t                looked;
    unsigned              end:1;
} leadctl_log_t;

void leadctl_log_init(leadctl_log_t *log, leadctl_t *ctl, uint32_t endpoint);
/* *attempt: the first not yet taken, with memory of the log's; or NULL */
int leadctl_log_peek(leadctl_log_t *log, const lead_attempt_t **attempt);
/* the one that was peeked at, which is the caller's then */
void leadctl_log_take(leadctl_log_t *log, lead_attempt_t *attempt);
void leadctl_attempt_free(lead_attempt_t *attempt);
void leadctl_log_free(leadctl_log_t *log);

const char *leadctl_outcome_text(lead_attempt_outcome_t outcome);
/* members of an object: those of an attempt */
void leadctl_attempt_members(leadctl_json_t *json, const lead_attempt_t *a);
void leadctl_json_id(leadctl_json_t *json, const lead_id_t *id);
int leadctl_id_none(const lead_id_t *id);


/* leadctl_event.c */

/* an event on the command line: its number, or its id for the world */

typedef struct {
    uint64_t              number;        /* 0: not known yet */
    lead_id_t             id;
    const char           *text;
} leadctl_event_name_t;

int leadctl_event_parse(leadctl_t *ctl, leadctl_event_name_t *name);
/* its number, if only the id is known; LEADCTL_NO, and said, if nothing was
 * tried for it */
int leadctl_event_number(leadctl_t *ctl, const leadctl_endpoints_t *list,
    leadctl_event_name_t *name);

typedef struct {
    int64_t               time;          /* 0: not known */
    char                  type[LEAD_EVENT_TYPE_MAX + 1];
} leadctl_row_event_t;

/* of a row of the outbox, as far as the store knows it */
int leadctl_event_of(leadctl_t *ctl, const lead_outbox_row_t *row,
    leadctl_row_event_t *event);
/* when an id was made, to the millisecond */
int64_t leadctl_id_time(const lead_id_t *id);
/* no attempt for the event of this id is older */
int64_t leadctl_event_since(const lead_id_t *id);


/* leadctl_lead.c */

/* non-zero: the document is no JSON and cannot be printed; said there */
int leadctl_lead_document(const lead_t *lead, leadctl_doc_t *doc);
void leadctl_lead_members(leadctl_json_t *json, const lead_t *lead,
    const char *account, int bad);


#endif /* LEADCTL_H_INCLUDED */
