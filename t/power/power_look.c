
/*
 * Copyright (C) the ngx_lead authors
 *
 * The one who looks, see power_look.h: a child that is told by a byte through
 * a pipe that there is a file, leaves its result in shared memory and says so
 * by another byte.  When it dies its parent notes that and makes another.
 */


#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "power_look.h"


#define LOOK_SIZE      (16 << 20)
#define LOOK_LOCK      65664
#define LOOK_NOW       (POWER_START + 365 * 24 * 3600000000LL)


static int64_t look_clock(void);
static void look_fork(void);
static void look_reap(void);
static void look_write(const char *path, const uint8_t *data, size_t size);
static int look_same(const uint8_t *image, size_t size);
static void look_child(int in, int out);
static void look_open(power_look_t *look);
static lead_rc_t look_store(int create, lead_store_t **store,
    lead_error_t *e);
static void look_into(power_look_t *look, lead_store_t *store);
static void look_finding(void *ctx, const char *finding);
static void look_broken(power_look_t *look, const char *what, lead_rc_t rc,
    const lead_error_t *e);


static char           look_dir[256];
static char           look_file[300];
static char           look_lock[320];
static power_look_t  *look_result;
static pid_t          look_pid;
static int            look_to = -1;
static int            look_from = -1;


/* later than all that happened, so that no lease is anybody's */

static int64_t
look_clock(void)
{
    return LOOK_NOW;
}


void
power_look_begin(const char *tmp)
{
    (void) snprintf(look_dir, sizeof(look_dir), "%s/lead-power-XXXXXX", tmp);

    look_result = mmap(NULL, sizeof(power_look_t), PROT_READ|PROT_WRITE,
                       MAP_SHARED|MAP_ANONYMOUS, -1, 0);

    if (look_result == MAP_FAILED || mkdtemp(look_dir) == NULL) {
        perror(look_dir);
        exit(2);
    }

    (void) snprintf(look_file, sizeof(look_file), "%s/lead.mdb", look_dir);
    (void) snprintf(look_lock, sizeof(look_lock), "%s-lock", look_file);
    (void) signal(SIGPIPE, SIG_IGN);

    look_fork();
}


void
power_look_end(void)
{
    look_reap();

    (void) unlink(look_file);
    (void) unlink(look_lock);
    (void) rmdir(look_dir);
}


static void
look_fork(void)
{
    int  to[2], from[2];

    if (pipe2(to, O_CLOEXEC) == -1 || pipe2(from, O_CLOEXEC) == -1) {
        perror("pipe2");
        exit(2);
    }

    (void) fflush(NULL);

    look_pid = fork();

    if (look_pid == -1) {
        perror("fork");
        exit(2);
    }

    if (look_pid == 0) {
        (void) close(to[1]);
        (void) close(from[0]);
        look_child(to[0], from[1]);
    }

    (void) close(to[0]);
    (void) close(from[1]);

    look_to = to[1];
    look_from = from[0];
}


static void
look_reap(void)
{
    int  status;

    (void) close(look_to);
    (void) close(look_from);

    if (waitpid(look_pid, &status, 0) == look_pid && status != 0) {
        look_result->found = POWER_BROKEN;
        (void) snprintf(look_result->text, sizeof(look_result->text),
                        "who opened it died of signal %d, or left with %d",
                        WTERMSIG(status), WEXITSTATUS(status));
    }
}


const power_look_t *
power_look(const uint8_t *image, int64_t size, int rubbish)
{
    char             byte;
    ssize_t          n;
    static uint8_t   lock[LOOK_LOCK];

    (void) unlink(look_file);
    (void) unlink(look_lock);

    if (size >= 0) {
        look_write(look_file, image, (size_t) size);
    }

    if (rubbish) {
        memset(lock, rubbish, sizeof(lock));
        look_write(look_lock, lock, sizeof(lock));
    }

    byte = 'l';

    if (write(look_to, &byte, 1) != 1) {
        perror("write");
        exit(2);
    }

    do {
        n = read(look_from, &byte, 1);
    } while (n == -1 && errno == EINTR);

    if (n != 1) {
        look_reap();
        look_fork();
    }

    if (look_result->found == POWER_REFUSED && size >= 0
        && !look_same(image, (size_t) size))
    {
        look_result->found = POWER_BROKEN;
        strcpy(look_result->text, "it was refused, and changed");
    }

    return look_result;
}


static void
look_write(const char *path, const uint8_t *data, size_t size)
{
    int  fd;

    fd = open(path, O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC, 0600);

    if (fd == -1 || write(fd, data, size) != (ssize_t) size) {
        perror(path);
        exit(2);
    }

    (void) close(fd);
}


static int
look_same(const uint8_t *image, size_t size)
{
    int           fd, same;
    void         *p;
    struct stat   st;

    fd = open(look_file, O_RDONLY|O_CLOEXEC);

    if (fd == -1 || fstat(fd, &st) == -1 || (size_t) st.st_size != size) {
        return 0;
    }

    p = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    same = p != MAP_FAILED && memcmp(p, image, size) == 0;

    (void) munmap(p, size);
    (void) close(fd);

    return same;
}


static void
look_child(int in, int out)
{
    char  byte;

    while (read(in, &byte, 1) == 1) {
        look_open(look_result);

        if (write(out, &byte, 1) != 1) {
            break;
        }
    }

    _exit(0);
}


static void
look_broken(power_look_t *look, const char *what, lead_rc_t rc,
    const lead_error_t *e)
{
    look->found = POWER_BROKEN;

    (void) snprintf(look->text, sizeof(look->text), "%s: %s: %s", what,
                    lead_store_rc_text(rc), e->text);
}


/* as leadctl opens it, and as nginx does */

static void
look_open(power_look_t *look)
{
    lead_rc_t      rc;
    lead_error_t   e;
    lead_store_t  *store;

    look->n = 0;
    look->text[0] = '\0';
    memset(&look->hash, 0, sizeof(look->hash));

    rc = look_store(0, &store, &e);

    switch (rc) {

    case LEAD_OK:
        look->found = POWER_OPENED;
        break;

    case LEAD_NOTFOUND:
        look->found = POWER_NOTHING;
        rc = look_store(1, &store, &e);
        break;

    case LEAD_FOREIGN:
        look->found = POWER_REFUSED;
        rc = look_store(1, &store, &e);

        if (rc == LEAD_FOREIGN) {
            return;
        }

        break;

    default:
        break;
    }

    if (rc != LEAD_OK) {
        look_broken(look, "open", rc, &e);
        return;
    }

    look_into(look, store);
    lead_store_close(store);
}


static lead_rc_t
look_store(int create, lead_store_t **store, lead_error_t *e)
{
    lead_store_opts_t  opts;

    memset(&opts, 0, sizeof(opts));
    opts.size = LOOK_SIZE;
    opts.clock = look_clock;
    opts.create = create ? 1 : 0;

    return lead_store_open(look_dir, &opts, store, e);
}


static void
look_into(power_look_t *look, lead_store_t *store)
{
    int           i;
    uint64_t      findings;
    lead_rc_t     rc;
    lead_error_t  e;

    for (i = 0; i < 2; i++) {
        rc = lead_store_check(store, look_finding, look, &findings, &e);

        if (rc != LEAD_OK) {
            look_broken(look, i ? "check, later" : "check", rc, &e);
            return;
        }

        if (findings != 0) {
            look->found = POWER_BROKEN;
            return;
        }

        if (i == 0) {
            rc = power_state(store, &look->hash, look->ids, POWER_IDS,
                             &look->n, &e);

            if (rc != LEAD_OK) {
                look_broken(look, "read", rc, &e);
                return;
            }

            rc = power_go_on(store, &e);

            if (rc != LEAD_OK) {
                look_broken(look, "go on", rc, &e);
                return;
            }
        }
    }
}


static void
look_finding(void *ctx, const char *finding)
{
    power_look_t  *look;

    look = ctx;

    if (look->text[0] == '\0') {
        (void) snprintf(look->text, sizeof(look->text), "check: %s", finding);
    }
}
