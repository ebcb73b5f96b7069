
/*
 * Copyright (C) the ngx_lead authors
 *
 * leadctl, the operator's tool: options, the table of commands, the dispatch
 * and the exit code.  leadctl.1 is its manual.
 *
 * It checks a whole command line before it opens anything, so that a mistake
 * writes nothing.  It repeats no argument that may be a key.
 *
 * The command line belongs to the system; the store is closed here.
 */


#include "leadctl.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>


#define bit(opt)  (1U << LEADCTL_##opt##_OPT)

#define LEADCTL_ANY  (bit(STORE) | bit(SIZE) | bit(JSON) | bit(HELP)          \
                      | bit(VERSION))


static void leadctl_std_fds(void);
static void leadctl_damage(int signo);
static int leadctl_parse(leadctl_t *ctl, int argc, char **argv);
static int leadctl_option(leadctl_t *ctl, char **argv, int *i);
static int leadctl_find(leadctl_t *ctl, const char **words, size_t n);
static int leadctl_command(leadctl_t *ctl);
static void leadctl_help(void);
static int leadctl_finish(int code);


static const struct {
    const char  *name;
    const char  *value;     /* NULL: a flag */
    const char  *help;      /* for the options of every command */
} leadctl_opts[] = {
    { "--store",    "PATH", "the store's directory, or lmdb:PATH; default: "
                            "$LEAD_STORE,\n                      or "
                            LEADCTL_STORE },
    { "--size",     "SIZE", "most bytes it may grow to, as size= of "
                            "lead_store;\n                      default: as it "
                            "is, 16g for a new one" },
    { "--json",     NULL,   "one JSON object a line instead of tables" },
    { "--help",     NULL,   "this text" },
    { "--version",  NULL,   "the version" },
    { "--account",  "NAME", NULL },
    { "--scope",    "LIST", NULL },
    { "--api",      "NAME", NULL },
    { "--source",   "NAME", NULL },
    { "--expires",  "WHEN", NULL },
    { "--name",     "TEXT", NULL },
    { "--key-file", "FILE", NULL },
    { "--events",   NULL,   NULL },
    { "--limit",    "N",    NULL },
    { "--from",     "ID",   NULL },
    { "--oldest",   NULL,   NULL },
    { "--endpoint", "NAME", NULL },
    { "--failed",   NULL,   NULL },
    { "--pending",  NULL,   NULL },
    { "--since",    "TIME", NULL },
    { "--until",    "TIME", NULL },
    { "--wait",     "TIME", NULL }
};


static const leadctl_cmd_t  leadctl_cmds[] = {

    { { "key", "add" }, leadctl_key_add,
      bit(ACCOUNT) | bit(SCOPE) | bit(API) | bit(SOURCE) | bit(EXPIRES)
      | bit(NAME) | bit(KEY_FILE), 0,
      "key add --account NAME [--scope LIST] [--api DIALECT]\n"
      "        [--source NAME] [--expires WHEN] [--name TEXT]\n"
      "        [--key-file FILE|-]",
      "make a key and print it, once; or import one from a file" },

    { { "key", "list" }, leadctl_key_list, bit(ACCOUNT), 0,
      "key list [--account NAME]",
      "show the keys, never their secrets" },

    { { "key", "disable" }, leadctl_key_disable, 0, 1,
      "key disable ID",
      "refuse a key from now on" },

    { { "key", "enable" }, leadctl_key_enable, 0, 1,
      "key enable ID",
      "accept a disabled key again" },

    { { "key", "remove" }, leadctl_key_remove, 0, 1,
      "key remove ID",
      "forget a key for ever" },

    { { "lead", "get" }, leadctl_lead_get, bit(ACCOUNT) | bit(EVENTS), 1,
      "lead get ID|NUMBER [--account NAME] [--events]",
      "print one lead, with its history if asked for" },

    { { "lead", "list" }, leadctl_lead_list,
      bit(ACCOUNT) | bit(LIMIT) | bit(FROM) | bit(OLDEST), 0,
      "lead list --account NAME [--limit N] [--from ID] [--oldest]",
      "show an account's leads, newest first" },

    { { "lead", "export" }, leadctl_lead_export, bit(ACCOUNT), 0,
      "lead export [--account NAME]",
      "print every lead as a line of JSON, oldest first" },

    { { "lead", "import" }, leadctl_lead_import, bit(ACCOUNT), 1,
      "lead import --account NAME FILE|-",
      "store lines of JSON as new leads" },

    { { "delivery", "list" }, leadctl_delivery_list,
      bit(ACCOUNT) | bit(ENDPOINT) | bit(FAILED) | bit(PENDING) | bit(SINCE)
      | bit(UNTIL) | bit(LIMIT), 0,
      "delivery list [--account NAME] [--endpoint NAME]\n"
      "        [--failed | --pending] [--since TIME] [--until TIME]\n"
      "        [--limit N]",
      "show what was sent to webhooks; or what was given up, or waits" },

    { { "delivery", "show" }, leadctl_delivery_show, 0, 1,
      "delivery show EVENT",
      "show what became of an event, at each webhook" },

    { { "delivery", "retry" }, leadctl_delivery_retry,
      bit(ACCOUNT) | bit(ENDPOINT), 1,
      "delivery retry EVENT [--account NAME] [--endpoint NAME]",
      "send an event now that waits or was given up" },

    { { "delivery", "replay" }, leadctl_delivery_replay,
      bit(ACCOUNT) | bit(ENDPOINT) | bit(FAILED) | bit(SINCE) | bit(UNTIL),
      0,
      "delivery replay --account NAME --endpoint NAME [--failed]\n"
      "        [--since TIME] [--until TIME]",
      "send once more what was given up or delivered" },

    { { "webhook", "list" }, leadctl_webhook_list, bit(ACCOUNT), 0,
      "webhook list [--account NAME]",
      "show the webhooks, what waits for them and how they fare" },

    { { "webhook", "test" }, leadctl_webhook_test, bit(ACCOUNT) | bit(WAIT),
      1,
      "webhook test NAME --account NAME [--wait TIME]",
      "send a test event and show what came of it" },

    { { "webhook", "disable" }, leadctl_webhook_disable, bit(ACCOUNT), 1,
      "webhook disable NAME --account NAME",
      "send nothing any more; what is to be sent waits" },

    { { "webhook", "enable" }, leadctl_webhook_enable, bit(ACCOUNT), 1,
      "webhook enable NAME --account NAME",
      "send again, beginning with what waits" },

    { { "stat", NULL }, leadctl_stat, 0, 0,
      "stat",
      "show what is in the store, and how full it is" },

    { { "check", NULL }, leadctl_check, 0, 0,
      "check",
      "read everything and report what contradicts itself" },

    { { "backup", NULL }, leadctl_backup, 0, 1,
      "backup DIR",
      "copy the store into a new or empty directory, beside a live nginx" }
};

#define LEADCTL_CMDS  (sizeof(leadctl_cmds) / sizeof(leadctl_cmds[0]))


int
main(int argc, char **argv)
{
    int        code;
    leadctl_t  ctl;

    leadctl_std_fds();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGSEGV, leadctl_damage);
    signal(SIGBUS, leadctl_damage);
    signal(SIGABRT, leadctl_damage);

    memset(&ctl, 0, sizeof(leadctl_t));

    code = leadctl_parse(&ctl, argc, argv);

    if (code == LEADCTL_OK) {

        if (ctl.opts[LEADCTL_HELP_OPT]) {
            leadctl_help();

        } else if (ctl.opts[LEADCTL_VERSION_OPT]) {
            printf("leadctl %s\n", LEADCTL_VERSION);

        } else {
            code = leadctl_command(&ctl);
        }
    }

    if (ctl.store) {
        lead_store_close(ctl.store);
    }

    return leadctl_finish(code);
}


/* LMDB believes the pages of its file, which is mapped: whoever follows one
 * that is damaged may end anywhere */

static void
leadctl_damage(int signo)
{
    static const char  text[] = "leadctl: ended by a page that is none: the "
                                "file of the store may be damaged; "
                                LEADCTL_DAMAGED "\n";

    (void) signo;

    /* NOLINTNEXTLINE(bugprone-signal-handler): unlink() and rmdir() are safe */
    leadctl_backup_clear();

    if (write(STDERR_FILENO, text, sizeof(text) - 1) == -1) {
        /* void */
    }

    _exit(LEADCTL_FAILED);
}


/* a store's file must not become descriptor 1 and be printed into */

static void
leadctl_std_fds(void)
{
    int  fd;

    do {
        fd = open("/dev/null", O_RDONLY);

        if (fd == -1) {
            exit(LEADCTL_FAILED);
        }

    } while (fd <= STDERR_FILENO);

    close(fd);
}


static int
leadctl_parse(leadctl_t *ctl, int argc, char **argv)
{
    int          i, only_words;
    size_t       n;
    const char  *words[4];

    n = 0;
    only_words = 0;

    for (i = 1; i < argc; i++) {

        if (!only_words && argv[i][0] == '-' && argv[i][1] != '\0') {

            if (strcmp(argv[i], "--") == 0) {
                only_words = 1;
                continue;
            }

            if (leadctl_option(ctl, argv, &i) != LEADCTL_OK) {
                return LEADCTL_USAGE;
            }

            continue;
        }

        if (n == sizeof(words) / sizeof(words[0])) {
            return leadctl_usage(ctl, "too many arguments");
        }

        words[n++] = argv[i];
    }

    if (ctl->opts[LEADCTL_HELP_OPT] || ctl->opts[LEADCTL_VERSION_OPT]) {
        return LEADCTL_OK;
    }

    return leadctl_find(ctl, words, n);
}


static int
leadctl_option(leadctl_t *ctl, char **argv, int *i)
{
    size_t       opt, len;
    const char  *name, *value;

    name = argv[*i];
    len = strcspn(name, "=");
    value = name[len] ? &name[len + 1] : NULL;

    for (opt = 0; opt < LEADCTL_OPTS; opt++) {
        if (strlen(leadctl_opts[opt].name) == len
            && strncmp(leadctl_opts[opt].name, name, len) == 0)
        {
            break;
        }
    }

    if (opt == LEADCTL_OPTS) {
        return leadctl_usage(ctl, "unknown option \"%.*s\"",
                             len > 32 ? 32 : (int) len, name);
    }

    name = leadctl_opts[opt].name;

    if (ctl->opts[opt]) {
        return leadctl_usage(ctl, "%s is given twice", name);
    }

    if (leadctl_opts[opt].value == NULL) {

        if (value) {
            return leadctl_usage(ctl, "%s takes no value", name);
        }

        ctl->opts[opt] = "";
        return LEADCTL_OK;
    }

    if (value == NULL) {
        value = argv[*i + 1];

        if (value == NULL) {
            return leadctl_usage(ctl, "%s needs a value: %s", name,
                                 leadctl_opts[opt].value);
        }

        (*i)++;
    }

    if (*value == '\0') {
        return leadctl_usage(ctl, "%s needs a value that is not empty", name);
    }

    ctl->opts[opt] = value;

    return LEADCTL_OK;
}


static int
leadctl_find(leadctl_t *ctl, const char **words, size_t n)
{
    size_t                i, used;
    const leadctl_cmd_t  *cmd;

    if (n == 0) {
        return leadctl_usage(ctl, "no command");
    }

    for (i = 0; i < LEADCTL_CMDS; i++) {
        cmd = &leadctl_cmds[i];

        if (strcmp(cmd->words[0], words[0]) != 0) {
            continue;
        }

        if (cmd->words[1] == NULL
            || (n > 1 && strcmp(cmd->words[1], words[1]) == 0))
        {
            ctl->cmd = cmd;
            break;
        }
    }

    if (ctl->cmd == NULL) {
        if (strcmp(words[0], "key") == 0) {
            return leadctl_usage(ctl, "key needs one of add, list, disable, "
                                 "enable, remove");
        }

        if (strcmp(words[0], "lead") == 0) {
            return leadctl_usage(ctl, "lead needs one of get, list, export, "
                                 "import");
        }

        if (strcmp(words[0], "delivery") == 0) {
            return leadctl_usage(ctl, "delivery needs one of list, show, "
                                 "retry, replay");
        }

        if (strcmp(words[0], "webhook") == 0) {
            return leadctl_usage(ctl, "webhook needs one of list, test, "
                                 "disable, enable");
        }

        return leadctl_usage(ctl, "unknown command");
    }

    used = ctl->cmd->words[1] ? 2 : 1;

    if (n - used != ctl->cmd->nargs) {
        return leadctl_usage(ctl, n - used < ctl->cmd->nargs
                                  ? "an argument is missing"
                                  : "too many arguments");
    }

    for (i = used; i < n; i++) {
        ctl->args[ctl->nargs++] = words[i];
    }

    for (i = 0; i < LEADCTL_OPTS; i++) {
        if (ctl->opts[i] && !((ctl->cmd->opts | LEADCTL_ANY) & (1U << i))) {
            return leadctl_usage(ctl, "%s does not go with this command",
                                 leadctl_opts[i].name);
        }
    }

    return LEADCTL_OK;
}


static int
leadctl_command(leadctl_t *ctl)
{
    uint64_t     size;
    const char  *env;

    env = getenv("LEAD_STORE");

    ctl->path = ctl->opts[LEADCTL_STORE_OPT];

    if (ctl->path == NULL) {
        ctl->path = env && *env ? env : LEADCTL_STORE;
    }

    if (leadctl_size(ctl, &size) != LEADCTL_OK
        || leadctl_name(ctl, LEADCTL_ACCOUNT_OPT) != LEADCTL_OK)
    {
        return LEADCTL_USAGE;
    }

    return ctl->cmd->run(ctl);
}


static void
leadctl_help(void)
{
    char    option[32];
    size_t  i;

    printf("leadctl, the operator's tool of ngx_lead\n\n"
           "usage: leadctl [--store PATH] [--json] COMMAND\n\n"
           "Commands:\n");

    for (i = 0; i < LEADCTL_CMDS; i++) {
        printf("  %s\n      %s\n", leadctl_cmds[i].usage,
               leadctl_cmds[i].summary);
    }

    printf("\nOptions of every command:\n");

    for (i = 0; i < LEADCTL_OPTS; i++) {
        if (leadctl_opts[i].help) {
            snprintf(option, sizeof(option), "%s %s", leadctl_opts[i].name,
                     leadctl_opts[i].value ? leadctl_opts[i].value : "");
            printf("  %-18s  %s\n", option, leadctl_opts[i].help);
        }
    }

    printf("\n"
           "LIST is leads:read, leads:write or both with a comma between; "
           "DIALECT is\n"
           "reflekt, lawfficient, kickofflabs, flextell or leadflip; WHEN is "
           "90d,\n"
           "2027-01-01 or never; TIME is a time ago (2h, 7d), 2026-11-21 or\n"
           "2026-11-21T14:30:00Z, of --wait how long (20s); EVENT is a number "
           "or a\n"
           "webhook-id.  Options may stand before or after the command.\n\n"
           "Exit codes: 0 done, 1 the answer is no (not found, findings, "
           "input\n"
           "refused), 2 usage, 3 the store or the output failed.  See "
           "leadctl(1).\n");
}


/* a full disk shows only when the last of the output is flushed */

static int
leadctl_finish(int code)
{
    int  err;

    errno = 0;

    if (fflush(stdout) == 0 && !ferror(stdout) && fclose(stdout) == 0) {
        return code;
    }

    err = errno;

    if (err == EPIPE) {
        signal(SIGPIPE, SIG_DFL);
        raise(SIGPIPE);
    }

    return leadctl_error(LEADCTL_FAILED,
                         "the output could not be written: %s; it is "
                         "incomplete", err ? strerror(err) : "write error");
}


const char *
leadctl_opt_name(leadctl_opt_t opt)
{
    return leadctl_opts[opt].name;
}
