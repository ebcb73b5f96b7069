
/*
 * Copyright (C) the ngx_lead authors
 *
 * leadctl lead import: lines of JSON become new leads.
 *
 * A line is a document, or a line of leadctl lead export, of which the
 * document and whether it is archived are taken.  Lines are stored in groups,
 * each group whole or not at all, and a line that is refused ends the import:
 * nothing of its group is stored.  Ids, numbers and times are new, and there
 * are no match keys: which members make one is configuration, which this
 * program does not know.
 *
 * A group owns its lines and its operations' memory until it is stored.
 */


#include "leadctl.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>


#define LEADCTL_GROUP         1000
#define LEADCTL_GROUP_BYTES   (16 << 20)

/* room for a document and for what an export puts around it and escapes */
#define LEADCTL_LINE_MAX      (4 << 20)


typedef struct {
    uint8_t              *data;          /* of the line */
    lead_bytes_t          doc;           /* in it */
    uint32_t              flags;
    uint64_t              line;
} leadctl_line_t;

typedef struct leadctl_mem_s  leadctl_mem_t;

struct leadctl_mem_s {
    leadctl_mem_t        *next;
    union {
        void             *pointer;
        int64_t           number;
        long double       real;
    } data[1];
};

typedef struct {
    leadctl_t            *ctl;
    FILE                 *in;
    uint32_t              account;
    uint64_t              line;          /* read */
    uint64_t              stored;
    uint64_t              stored_line;   /* the last line that is stored */
    leadctl_line_t        lines[LEADCTL_GROUP];
    lead_op_t             ops[LEADCTL_GROUP];
    lead_op_t            *pops[LEADCTL_GROUP];
    size_t                n;
    size_t                bytes;
    leadctl_mem_t        *mem;
} leadctl_import_t;


static int leadctl_import_run(leadctl_import_t *im);
static int leadctl_import_read(leadctl_import_t *im, uint8_t **data,
    size_t *len);
static int leadctl_import_line(leadctl_import_t *im, uint8_t *data,
    size_t len);
static const char *leadctl_import_document(leadctl_line_t *line,
    lead_bytes_t text);
static int leadctl_import_store(leadctl_import_t *im);
static void leadctl_import_decide(lead_op_t *op, const lead_t *target,
    const lead_t *second, int64_t now, uint64_t *counters,
    lead_decision_t *d);
static void *leadctl_import_alloc(void *arena, size_t size);
static void leadctl_import_empty(leadctl_import_t *im);
static int leadctl_import_refused(leadctl_import_t *im, uint64_t line,
    const char *why);
static void leadctl_import_so_far(leadctl_import_t *im, char *text,
    size_t size);


int
leadctl_lead_import(leadctl_t *ctl)
{
    int                code;
    leadctl_import_t  *im;

    if (ctl->opts[LEADCTL_ACCOUNT_OPT] == NULL) {
        return leadctl_usage(ctl, "lead import needs --account NAME");
    }

    im = leadctl_alloc(NULL, 1, sizeof(leadctl_import_t));
    memset(im, 0, sizeof(leadctl_import_t));

    im->ctl = ctl;
    im->in = strcmp(ctl->args[0], "-") == 0 ? stdin
                                            : fopen(ctl->args[0], "r");

    if (im->in == NULL) {
        code = leadctl_error(LEADCTL_USAGE, "%s cannot be opened: %s",
                             ctl->args[0], strerror(errno));
        free(im);
        return code;
    }

    code = leadctl_open(ctl, LEADCTL_CREATE);

    if (code == LEADCTL_OK) {
        code = leadctl_import_run(im);
    }

    if (code == LEADCTL_OK) {
        printf(ctl->opts[LEADCTL_JSON_OPT] ? "{\"imported\":%" PRIu64 "}\n"
                                           : "imported %" PRIu64 " leads\n",
               im->stored);
    }

    leadctl_import_empty(im);
    fclose(im->in);
    free(im);

    return code;
}


static int
leadctl_import_run(leadctl_import_t *im)
{
    int       code;
    size_t    len;
    uint8_t  *data;

    for ( ;; ) {
        code = leadctl_import_read(im, &data, &len);

        if (code != LEADCTL_OK) {
            return code;
        }

        if (data == NULL) {
            return leadctl_import_store(im);
        }

        code = leadctl_import_line(im, data, len);

        if (code == LEADCTL_OK
            && (im->n == LEADCTL_GROUP || im->bytes >= LEADCTL_GROUP_BYTES))
        {
            code = leadctl_import_store(im);
        }

        if (code != LEADCTL_OK) {
            return code;
        }
    }
}


/* *data NULL: the end */

static int
leadctl_import_read(leadctl_import_t *im, uint8_t **data, size_t *len)
{
    int       c;
    char      so_far[128];
    size_t    n, size;
    uint8_t  *p;

    *data = NULL;
    *len = 0;

    n = 0;
    size = 0;
    p = NULL;
    errno = 0;

    while ((c = getc_unlocked(im->in)) != EOF && c != '\n') {

        if (n == LEADCTL_LINE_MAX) {
            free(p);
            return leadctl_import_refused(im, im->line + 1, "longer than any "
                                          "document may be");
        }

        if (n == size) {
            size = size ? size * 2 : 1024;
            p = leadctl_alloc(p, size, 1);
        }

        p[n++] = (uint8_t) c;
    }

    if (c == EOF && ferror(im->in)) {
        free(p);
        leadctl_import_so_far(im, so_far, sizeof(so_far));
        return leadctl_error(LEADCTL_USAGE, "%s cannot be read: %s; %s",
                             im->ctl->args[0], strerror(errno), so_far);
    }

    if (c == EOF && n == 0) {
        return LEADCTL_OK;
    }

    im->line++;
    *len = n;
    *data = p ? p : leadctl_alloc(NULL, 1, 1);

    return LEADCTL_OK;
}


static int
leadctl_import_line(leadctl_import_t *im, uint8_t *data, size_t len)
{
    size_t           i;
    lead_bytes_t     text;
    const char      *why;
    leadctl_line_t  *line;

    for (i = 0; i < len && leadctl_blank(data[i]); i++) {
        /* void */
    }

    if (i == len) {
        free(data);
        return LEADCTL_OK;
    }

    line = &im->lines[im->n];

    line->data = data;
    line->line = im->line;
    line->flags = 0;

    text.data = data;
    text.len = len;

    why = leadctl_import_document(line, text);

    if (why) {
        free(data);
        return leadctl_import_refused(im, im->line, why);
    }

    im->n++;
    im->bytes += len;

    return LEADCTL_OK;
}


static const char *
leadctl_import_document(leadctl_line_t *line, lead_bytes_t text)
{
    size_t          start;
    const char     *why;
    leadctl_doc_t   doc;

    why = leadctl_doc_read(&doc, text, LEADCTL_DEPTH_MAX + 1,
                           LEADCTL_MEMBERS_MAX);
    if (why) {
        return why;
    }

    if (doc.inner.len && doc.numbered) {
        line->flags = doc.archived ? LEAD_FLAG_ARCHIVED : 0;
        text = doc.inner;
    }

    why = leadctl_doc_read(&doc, text, LEADCTL_DEPTH_MAX,
                           LEADCTL_MEMBERS_MAX);

    if (why == NULL) {
        why = leadctl_doc_escapes(text);
    }

    if (why) {
        return why;
    }

    start = (size_t) (text.data - line->data);

    line->doc.data = text.data;
    line->doc.len = leadctl_doc_pack(&line->data[start], text.len);

    return line->doc.len > LEAD_DOC_MAX ? "a document larger than 1 MiB"
                                        : NULL;
}


static int
leadctl_import_store(leadctl_import_t *im)
{
    int            code;
    char           so_far[128];
    size_t         i;
    lead_op_t     *op;
    lead_error_t   e;

    static const char  actor[] = "leadctl";

    if (im->n == 0) {
        return LEADCTL_OK;
    }

    if (im->account == 0) {
        code = leadctl_account(im->ctl, 1, &im->account);

        if (code != LEADCTL_OK) {
            return code;
        }
    }

    memset(im->ops, 0, sizeof(im->ops));

    for (i = 0; i < im->n; i++) {
        op = &im->ops[i];
        im->pops[i] = op;

        op->account = im->account;
        op->actor.data = (const uint8_t *) actor;
        op->actor.len = sizeof(actor) - 1;
        op->decide = leadctl_import_decide;
        op->data = &im->lines[i];
        op->alloc = leadctl_import_alloc;
        op->arena = &im->mem;
    }

    e.rc = lead_store_commit_group(im->ctl->store, im->pops, im->n, &e);

    if (e.rc == LEAD_REFUSED) {
        for (i = 0; i < im->n - 1 && im->ops[i].rc == LEAD_OK; i++) {
            /* void */
        }

        return leadctl_import_refused(im, im->lines[i].line,
                                      lead_store_rc_text(im->ops[i].rc));
    }

    if (e.rc != LEAD_OK) {
        code = leadctl_failed(&e, "storing leads");
        leadctl_import_so_far(im, so_far, sizeof(so_far));
        leadctl_hint("%s", so_far);
        return code;
    }

    im->stored += im->n;
    im->stored_line = im->line;

    leadctl_import_empty(im);

    return LEADCTL_OK;
}


static void
leadctl_import_decide(lead_op_t *op, const lead_t *target,
    const lead_t *second, int64_t now, uint64_t *counters,
    lead_decision_t *d)
{
    leadctl_line_t  *line = op->data;

    static const lead_event_t  created = {
        { sizeof("lead.created") - 1, (const uint8_t *) "lead.created" },
        { 0, NULL }, NULL, 0
    };

    (void) target;
    (void) second;
    (void) now;
    (void) counters;

    d->verdict = LEAD_INSERT;
    d->doc = line->doc;
    d->flags = line->flags;
    d->events = &created;
    d->nevents = 1;
}


static void *
leadctl_import_alloc(void *arena, size_t size)
{
    leadctl_mem_t  *mem, **head = arena;

    mem = malloc(sizeof(leadctl_mem_t) + size);

    if (mem == NULL) {
        return NULL;
    }

    mem->next = *head;
    *head = mem;

    return mem->data;
}


static void
leadctl_import_empty(leadctl_import_t *im)
{
    size_t          i;
    leadctl_mem_t  *mem;

    for (i = 0; i < im->n; i++) {
        free(im->lines[i].data);
    }

    while (im->mem) {
        mem = im->mem;
        im->mem = mem->next;
        free(mem);
    }

    im->n = 0;
    im->bytes = 0;
}


static int
leadctl_import_refused(leadctl_import_t *im, uint64_t line, const char *why)
{
    char  so_far[128];

    leadctl_import_so_far(im, so_far, sizeof(so_far));

    return leadctl_error(LEADCTL_NO, "line %" PRIu64 " is refused: %s; %s",
                         line, why, so_far);
}


static void
leadctl_import_so_far(leadctl_import_t *im, char *text, size_t size)
{
    if (im->stored == 0) {
        snprintf(text, size, "nothing was stored");
        return;
    }

    snprintf(text, size, "lines 1 to %" PRIu64 " (%" PRIu64 " leads) are "
             "stored, go on behind them", im->stored_line, im->stored);
}
