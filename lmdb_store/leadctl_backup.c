
/*
 * Copyright (C) the ngx_lead authors
 *
 * leadctl backup: a copy of the store in another directory.
 *
 * The store makes it and removes what is left of one that fails; here what is
 * left is removed when a signal ends the program.  Nothing that was there
 * before is touched.
 */


#include "leadctl.h"
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>


static void leadctl_backup_signals(void (*handler)(int));
static void leadctl_backup_stop(int signo);
static int leadctl_backup_failed(const lead_error_t *e);
static void leadctl_backup_print(leadctl_t *ctl);


/* for the handler of signals alone */

static char                   leadctl_backup_part[PATH_MAX];
static const char            *leadctl_backup_made;
static volatile sig_atomic_t  leadctl_backup_busy;


int
leadctl_backup(leadctl_t *ctl)
{
    int           code, len;
    struct stat   st;
    const char   *dir;
    lead_error_t  e;

    dir = ctl->args[0];

    len = snprintf(leadctl_backup_part, sizeof(leadctl_backup_part), "%s/%s",
                   dir, LEAD_BACKUP_PART);

    if (*dir == '\0' || len < 0
        || (size_t) len >= sizeof(leadctl_backup_part))
    {
        return leadctl_usage(ctl, "backup needs a directory's path");
    }

    /* a file that is short, and sound, is not opened for reading only */

    code = leadctl_open(ctl, LEADCTL_WRITE);

    if (code != LEADCTL_OK) {
        return code;
    }

    leadctl_backup_made = stat(dir, &st) == -1 && errno == ENOENT ? dir
                                                                  : NULL;
    leadctl_backup_busy = 1;
    leadctl_backup_signals(leadctl_backup_stop);

    /* a limit of the size of files is an error like a full disk */

    signal(SIGXFSZ, SIG_IGN);

    e.rc = lead_store_backup(ctl->store, dir, &e);

    leadctl_backup_signals(SIG_DFL);
    leadctl_backup_busy = 0;

    if (e.rc != LEAD_OK) {
        return leadctl_backup_failed(&e);
    }

    leadctl_backup_print(ctl);

    return LEADCTL_OK;
}


static void
leadctl_backup_signals(void (*handler)(int))
{
    size_t            i;
    struct sigaction  sa, old;

    static const int  signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };

    for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {

        /* nohup's, and such as a shell's background is started with */

        if (sigaction(signals[i], NULL, &old) == -1
            || old.sa_handler == SIG_IGN)
        {
            continue;
        }

        memset(&sa, 0, sizeof(struct sigaction));

        sa.sa_handler = handler;
        sa.sa_flags = (int) SA_RESETHAND;
        sigfillset(&sa.sa_mask);

        (void) sigaction(signals[i], &sa, NULL);
    }
}


/* the signal is taken again, and by default, when this returns */

static void
leadctl_backup_stop(int signo)
{
    leadctl_backup_clear();

    (void) raise(signo);
}


void
leadctl_backup_clear(void)
{
    if (!leadctl_backup_busy) {
        return;
    }

    (void) unlink(leadctl_backup_part);

    if (leadctl_backup_made) {
        (void) rmdir(leadctl_backup_made);
    }
}


static int
leadctl_backup_failed(const lead_error_t *e)
{
    const char  *err, *colon;

    err = e->err > 0 ? strerror(e->err) : "";
    colon = e->err > 0 ? ": " : "";

    switch (e->rc) {

    case LEAD_EXISTS:
        return leadctl_error(LEADCTL_NO, "%s: nothing was copied; name a "
                             "directory that is empty or not there%s",
                             e->text, access(leadctl_backup_part, F_OK) == 0
                             ? " (" LEAD_BACKUP_PART " in it is of a backup "
                               "that was killed, or is under way)" : "");

    case LEAD_INVALID:
        return leadctl_error(LEADCTL_NO, "%s%s%s: nothing was copied; name "
                             "another directory", e->text, colon, err);

    case LEAD_NOTFOUND:
        return leadctl_error(LEADCTL_FAILED, "%s%s%s: nothing was copied; "
                             "make the directory it is to be in", e->text,
                             colon, err);

    case LEAD_FULL:
        return leadctl_error(LEADCTL_FAILED, "%s%s%s: nothing is left there; "
                             "free disk space, or name a directory on another "
                             "disk", e->text, colon, err);

    case LEAD_ACCESS:
        return leadctl_error(LEADCTL_FAILED, "%s%s%s: nothing is left there; "
                             "name a directory you may write to, or run "
                             "leadctl as root", e->text, colon, err);

    case LEAD_BUSY:
        return leadctl_error(LEADCTL_FAILED, "the backup was given up: %s; "
                             "try again when less is written, onto a faster "
                             "disk, or raise the store's size", e->text);

    default:
        return leadctl_failed(e, "backup");
    }
}


static void
leadctl_backup_print(leadctl_t *ctl)
{
    char            *dir;
    leadctl_json_t   json;

    if (ctl->opts[LEADCTL_JSON_OPT]) {
        leadctl_json_init(&json, 0);
        leadctl_json_open(&json, '{');
        leadctl_json_key(&json, "backup");
        leadctl_json_text(&json, ctl->args[0]);
        leadctl_json_close(&json, '}');
        leadctl_json_end(&json);
        return;
    }

    dir = leadctl_show(ctl->args[0], strlen(ctl->args[0]), 0);
    printf("the store is copied to %s\n", dir);
    free(dir);
}
