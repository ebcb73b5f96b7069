
/*
 * Copyright (C) the ngx_lead authors
 *
 * Cuts the power at each line of a recorder's log (t/tools/record.c), makes
 * the store's file as it may be then, and has it looked at.  What was not
 * synced is dropped, kept, dropped or kept singly, by chance, and torn; the
 * file has grown for it or not.
 *
 *     power_replay [options] <log>
 *
 *     -d <directory>   for files; fast memory is best
 *     -f <file>        the store's file in the end: the log must give the same
 *     -r <n>           cuts by chance, of each kind, at each line   (2)
 *     -t <n>           tears of each write by chance                (1)
 *     -s <seed>        of chance                                    (1)
 *     -l               the disk lies: it says a sync is done and does none
 *     -k <n>           stop after so many contradictions            (10)
 *
 * A file must say what its last transaction on disk says, or the one whose
 * page is being written; never less than what was acknowledged, and never
 * something else.  Marks of the log say what was acknowledged: "ack <step>
 * <hash>" what the store as a whole said, "lead <account> <id>" that this
 * lead is there.  Before the store has been made there may be none, or a file
 * that is refused.
 *
 * One line says what was found; the exit code is 1 if anything is missing or
 * contradictory.
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "power_log.h"
#include "power_replay.h"


#define REPLAY_META  (2 * POWER_PAGE)


static void replay_mark(replay_t *r, const char *text);
static void replay_stored(replay_t *r);
static int replay_done(replay_t *r, const power_head_t *head);
static void replay_lines(replay_t *r, FILE *log);
static int replay_line(replay_t *r, const power_head_t *head,
    const uint8_t *data);
static int replay_same(replay_t *r, const char *path);
static const char *replay_options(replay_t *r, int argc, char **argv,
    const char **tmp);


static void
replay_mark(replay_t *r, const char *text)
{
    char             word[16], rest[128], hash[2 * sizeof(power_hash_t) + 1];
    unsigned         n;
    replay_state_t  *s;

    if (sscanf(text, "%15s %u %127s", word, &n, rest) < 2) {
        fprintf(stderr, "power_replay: a mark \"%s\"\n", text);
        exit(2);
    }

    if (strcmp(word, "failed") == 0) {
        r->failed++;
        return;
    }

    r->acked++;

    if (strcmp(word, "lead") == 0) {

        if (r->nfacts == REPLAY_FACTS
            || lead_store_id_parse(power_bytes(rest), &r->facts[r->nfacts])
               != 0)
        {
            fprintf(stderr, "power_replay: a mark \"%s\"\n", text);
            exit(2);
        }

        r->nfacts++;
        return;
    }

    s = &r->states[r->disk->state == -1 ? 0 : r->disk->state];
    power_hash_text(&s->hash, hash);

    if (r->disk->state == -1 || strcmp(hash, rest) != 0) {
        r->contradictions++;
        printf("contradiction at line %zu: step %u was acknowledged, and was"
               " not on disk\n", r->line, n);
    }
}


static void
replay_stored(replay_t *r)
{
    replay_state_t  *s;

    if (r->disk->state == -1) {
        return;
    }

    s = &r->states[r->disk->state];

    if (s->found == POWER_OPENED) {
        s->stored = 1;
        r->stored = 1;
    }
}


/* non-zero: something has changed */

static int
replay_done(replay_t *r, const power_head_t *head)
{
    int  changed;

    changed = 0;

    if (head->serial == r->made_serial && r->made == 1 && !r->lies) {
        r->made = 2;
        return 0;
    }

    if (head->serial == r->sync) {

        if (!r->lies) {
            changed = power_disk_synced(r->disk, head->serial,
                                        head->result == 0);
            r->limbo |= head->result != 0;
        }

    } else if (head->flags & POWER_DSYNC && head->result > 0) {
        changed = power_disk_durable(r->disk, head->serial);
        r->transactions += (size_t) changed;

    } else if (head->flags & POWER_DSYNC) {
        power_disk_failed(r->disk, head->serial);
    }

    replay_stored(r);

    return changed;
}


/* non-zero: there is something new to be cut */

static int
replay_line(replay_t *r, const power_head_t *head, const uint8_t *data)
{
    power_write_t  *w;

    switch (head->kind) {

    case POWER_MAKE:
        r->made = 1;
        return 1;

    case POWER_WRITE:
        w = power_disk_write(r->disk, head->serial, (uint64_t) head->offset,
                             data, head->size);

        if (head->offset < REPLAY_META) {
            w->state = replay_whole(r);
        }

        return 1;

    case POWER_TRUNCATE:
        (void) power_disk_truncate(r->disk, head->serial,
                                   (uint64_t) head->offset);
        return 1;

    case POWER_SYNC:
        r->sync = head->serial;
        power_disk_sync(r->disk, head->serial);
        return 0;

    case POWER_SYNC_DIR:
        r->made_serial = head->serial;
        return 0;

    case POWER_DONE:
        return replay_done(r, head);

    case POWER_MARK:
        replay_mark(r, (const char *) data);
        return 1;

    default:
        fprintf(stderr, "power_replay: line %zu is of no kind\n", r->line);
        exit(2);
    }
}


static void
replay_lines(replay_t *r, FILE *log)
{
    size_t         size;
    uint8_t       *data;
    power_head_t   head;

    data = NULL;
    size = 0;

    while (fread(&head, sizeof(head), 1, log) == 1) {
        r->line++;

        if (head.magic != POWER_MAGIC || head.size > POWER_DISK_MAX) {
            fprintf(stderr, "power_replay: line %zu is none\n", r->line);
            exit(2);
        }

        if (head.size + 1 > size) {
            size = head.size + 1;
            free(data);
            data = malloc(size);
        }

        if (data == NULL || fread(data, 1, head.size, log) != head.size) {
            fprintf(stderr, "power_replay: line %zu is cut off\n", r->line);
            exit(2);
        }

        data[head.size] = '\0';

        if (replay_line(r, &head, data)) {
            replay_cut(r);
        }
    }

    free(data);
}


static int
replay_same(replay_t *r, const char *path)
{
    FILE    *file;
    size_t   n;

    file = fopen(path, "rb");

    if (file == NULL) {
        return 0;
    }

    n = fread(r->image, 1, POWER_DISK_MAX, file);
    (void) fclose(file);

    return n == r->disk->cache_size
           && memcmp(r->image, r->disk->cache, n) == 0;
}


void
replay_end(replay_t *r)
{
    power_look_end();

    printf("cuts %zu, cases %zu, images %zu, transactions %zu,"
           " acknowledged %zu, failed %zu, refused %zu, missing %zu,"
           " contradictions %zu\n", r->cuts, r->cases, r->images,
           r->transactions, r->acked, r->failed, r->refused, r->missing,
           r->contradictions);

    exit(r->missing + r->contradictions != 0);
}


static const char *
replay_options(replay_t *r, int argc, char **argv, const char **tmp)
{
    int          c;
    const char  *file;

    file = NULL;
    *tmp = "/tmp";

    while ((c = getopt(argc, argv, "d:f:r:t:s:k:l")) != -1) {

        switch (c) {

        case 'd':
            *tmp = optarg;
            break;

        case 'f':
            file = optarg;
            break;

        case 'r':
            r->chances = (unsigned) atoi(optarg);
            break;

        case 't':
            r->tears = (unsigned) atoi(optarg);
            break;

        case 's':
            r->random = strtoull(optarg, NULL, 10) * 2654435761u + 1;
            break;

        case 'k':
            r->stop = (unsigned) atoi(optarg);
            break;

        case 'l':
            r->lies = 1;
            break;

        default:
            exit(2);
        }
    }

    return file;
}


int
main(int argc, char **argv)
{
    FILE        *log;
    replay_t    *r;
    const char  *tmp, *file;

    r = calloc(1, sizeof(replay_t));

    if (r == NULL) {
        return 2;
    }

    r->chances = 2;
    r->tears = 1;
    r->random = 1;
    r->stop = 10;

    file = replay_options(r, argc, argv, &tmp);
    log = optind + 1 == argc ? fopen(argv[optind], "rb") : NULL;

    if (log == NULL) {
        fprintf(stderr, "usage: power_replay [options] <log>\n");
        return 2;
    }

    r->disk = power_disk();
    r->image = calloc(1, POWER_DISK_MAX);
    r->seen = calloc(REPLAY_SEEN, sizeof(replay_seen_t));

    if (r->image == NULL || r->seen == NULL) {
        return 2;
    }

    power_look_begin(tmp);
    replay_lines(r, log);
    (void) fclose(log);

    if (file != NULL && !replay_same(r, file)) {
        r->contradictions++;
        printf("contradiction: the log does not give \"%s\"\n", file);
    }

    replay_end(r);
}
