
/*
 * Copyright (C) the ngx_lead authors
 *
 * Cuts the power: makes a store's file as it may be then, in many ways, has
 * each looked at once, and judges what is seen there.
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "power_replay.h"


#define REPLAY_RUBBISH    8           /* each so manieth lock file is */


static uint64_t replay_random(replay_t *r);
static int replay_look(replay_t *r, int64_t size);
static int replay_state_of(replay_t *r, const power_look_t *look);
static void replay_singly(replay_t *r, power_cut_t *cut);
static void replay_torn(replay_t *r, power_cut_t *cut);
static void replay_chance(replay_t *r, power_cut_t *cut);
static void replay_all(power_cut_t *cut, power_keep_t keep);
static void replay_case(replay_t *r, const power_cut_t *cut);
static void replay_judge(replay_t *r, int state, const power_cut_t *cut);
static int replay_allowed(replay_t *r, int state);
static int replay_older(replay_t *r, replay_state_t *s);
static size_t replay_lacks(replay_t *r, replay_state_t *s);
static void replay_say(replay_t *r, const char *what, int state,
    const power_cut_t *cut);


static uint64_t
replay_random(replay_t *r)
{
    r->random ^= r->random << 13;
    r->random ^= r->random >> 7;
    r->random ^= r->random << 17;

    return r->random >> 8;
}


/* each image is looked at once */

static int
replay_look(replay_t *r, int64_t size)
{
    size_t          slot;
    int64_t         i, n;
    uint64_t        h[2], word;
    replay_seen_t  *seen;

    h[0] = 0x9e3779b97f4a7c15u + (uint64_t) size;
    h[1] = 0xc2b2ae3d27d4eb4fu ^ (uint64_t) size;
    n = size / 8;

    for (i = 0; i < n; i++) {
        memcpy(&word, r->image + 8 * i, 8);
        h[0] = (h[0] ^ word) * 0x100000001b3u;
        h[0] ^= h[0] >> 29;
        h[1] = (h[1] + word) * 0xff51afd7ed558ccdu;
        h[1] ^= h[1] >> 32;
    }

    for (i = 8 * n; i < size; i++) {
        h[0] = (h[0] ^ r->image[i]) * 0x100000001b3u;
        h[1] = (h[1] + r->image[i]) * 0xff51afd7ed558ccdu;
    }

    for (slot = h[0] % REPLAY_SEEN; /* void */ ; slot++) {
        seen = &r->seen[slot % REPLAY_SEEN];

        if (seen->state == 0) {
            break;
        }

        if (memcmp(seen->hash, h, sizeof(h)) == 0) {
            return seen->state - 1;
        }
    }

    if (++r->images == REPLAY_SEEN / 2) {
        fprintf(stderr, "power_replay: too many images\n");
        exit(2);
    }

    memcpy(seen->hash, h, sizeof(h));
    seen->state = replay_state_of(r, power_look(r->image, size,
                      r->images % REPLAY_RUBBISH ? 0 : 0x5a)) + 1;

    return seen->state - 1;
}


static int
replay_state_of(replay_t *r, const power_look_t *look)
{
    int              i;
    replay_state_t  *s;

    for (i = 0; i < r->nstates; i++) {
        s = &r->states[i];

        if (s->found == look->found
            && (look->found == POWER_OPENED
                ? memcmp(&s->hash, &look->hash, sizeof(power_hash_t)) == 0
                : strcmp(s->text, look->text) == 0))
        {
            return i;
        }
    }

    if (r->nstates == REPLAY_STATES || look->n > POWER_IDS) {
        fprintf(stderr, "power_replay: too much to be remembered\n");
        exit(2);
    }

    s = &r->states[r->nstates];

    s->found = look->found;
    s->hash = look->hash;
    s->text = strdup(look->found == POWER_OPENED ? "" : look->text);
    s->n = look->found == POWER_OPENED ? look->n : 0;
    s->ids = malloc((s->n + 1) * sizeof(lead_id_t));

    if (s->text == NULL || s->ids == NULL) {
        abort();
    }

    memcpy(s->ids, look->ids, s->n * sizeof(lead_id_t));

    return r->nstates++;
}


int
replay_whole(replay_t *r)
{
    memcpy(r->image, r->disk->cache, r->disk->cache_size);

    return replay_look(r, (int64_t) r->disk->cache_size);
}


static void
replay_all(power_cut_t *cut, power_keep_t keep)
{
    memset(cut->keep, keep, sizeof(cut->keep));
}


void
replay_cut(replay_t *r)
{
    static power_cut_t  cut;

    r->cuts++;

    if (r->made == 1) {
        replay_judge(r, replay_look(r, -1), NULL);
    }

    if (r->made == 0) {
        return;
    }

    for (cut.grow = POWER_SHORT; cut.grow <= POWER_RUBBISH; cut.grow++) {
        replay_all(&cut, POWER_DROP);
        replay_case(r, &cut);
    }

    cut.grow = POWER_SHORT;
    replay_all(&cut, POWER_KEEP);
    replay_case(r, &cut);

    if (r->disk->npending != 0) {
        replay_singly(r, &cut);
        replay_torn(r, &cut);
        replay_chance(r, &cut);
    }
}


static void
replay_singly(replay_t *r, power_cut_t *cut)
{
    size_t  i;

    for (i = 0; i < r->disk->npending; i++) {
        replay_all(cut, POWER_KEEP);
        cut->keep[i] = POWER_DROP;
        cut->grow = (power_grow_t) (i % 3);
        replay_case(r, cut);

        replay_all(cut, POWER_DROP);
        cut->keep[i] = POWER_KEEP;
        replay_case(r, cut);
    }
}


/* at the boundary of a page, and at that of a sector */

static void
replay_torn(replay_t *r, power_cut_t *cut)
{
    size_t          i, k;
    unsigned        t;
    power_write_t  *w;

    for (i = 0; i < r->disk->npending; i++) {
        w = r->disk->pending[i];

        if (w->n < 2) {
            continue;
        }

        for (t = 0; t < 2 * r->tears; t++) {
            k = 1 + replay_random(r) % (w->n - 1);

            if (t % 2 == 0 && w->n > POWER_PAGE / POWER_SECTOR) {
                k = (k + POWER_PAGE / POWER_SECTOR - 1)
                    / (POWER_PAGE / POWER_SECTOR)
                    * (POWER_PAGE / POWER_SECTOR);
            }

            cut->sectors[i] = k;

            replay_all(cut, t & 1 ? POWER_KEEP : POWER_DROP);
            cut->keep[i] = replay_random(r) & 1 ? POWER_HEAD : POWER_TAIL;
            cut->grow = (power_grow_t) (replay_random(r) % 3);
            replay_case(r, cut);
        }
    }
}


static void
replay_chance(replay_t *r, power_cut_t *cut)
{
    size_t    i;
    unsigned  n;

    for (n = 0; n < 2 * r->chances; n++) {

        for (i = 0; i < r->disk->npending; i++) {
            cut->keep[i] = n & 1 ? POWER_SOME
                           : replay_random(r) & 1 ? POWER_KEEP : POWER_DROP;
        }

        cut->chance = replay_random(r) | 1;
        cut->grow = (power_grow_t) (replay_random(r) % 3);
        replay_case(r, cut);
    }
}


static void
replay_case(replay_t *r, const power_cut_t *cut)
{
    r->cases++;

    replay_judge(r, replay_look(r, (int64_t) power_disk_cut(r->disk, cut,
                                                            r->image)),
                 cut);
}


static void
replay_judge(replay_t *r, int state, const power_cut_t *cut)
{
    int              allowed;
    size_t           lacks;
    replay_state_t  *s;

    s = &r->states[state];
    lacks = replay_lacks(r, s);
    allowed = replay_allowed(r, state);

    if (lacks != 0 || (!allowed && replay_older(r, s))) {
        r->missing += lacks != 0 ? lacks : 1;
        replay_say(r, "missing", state, cut);

    } else if (!allowed) {
        r->contradictions++;
        replay_say(r, "contradiction", state, cut);

    } else if (s->found == POWER_REFUSED) {
        r->refused++;
    }

    if (r->missing + r->contradictions >= r->stop) {
        replay_end(r);
    }
}


/* the last transaction on disk, or one whose page may have come there */

static int
replay_allowed(replay_t *r, int state)
{
    size_t           i;
    replay_state_t  *s;

    s = &r->states[state];

    if (s->found == POWER_BROKEN) {
        return 0;
    }

    if (s->found != POWER_OPENED) {
        return !r->stored
               || (r->acked == 0 && (r->made == 1 || r->limbo));
    }

    if (state == r->disk->state) {
        return 1;
    }

    for (i = 0; i < r->disk->npending; i++) {
        if (r->disk->pending[i]->state == state) {
            return 1;
        }
    }

    return 0;
}


/* it was on disk once, or there was none */

static int
replay_older(replay_t *r, replay_state_t *s)
{
    return s->found == POWER_OPENED ? s->stored
           : s->found != POWER_BROKEN && r->stored;
}


/* how many leads that somebody was told of it has not */

static size_t
replay_lacks(replay_t *r, replay_state_t *s)
{
    size_t  i, lacks;

    lacks = 0;

    for ( /* void */ ; s->facts < r->nfacts; s->facts++) {

        for (i = s->n; i != 0; i--) {
            if (memcmp(&s->ids[i - 1], &r->facts[s->facts],
                       sizeof(lead_id_t)) == 0)
            {
                break;
            }
        }

        if (i == 0) {
            lacks = r->nfacts - s->facts;
            break;
        }
    }

    return s->found == POWER_BROKEN ? 0 : lacks;
}


static void
replay_say(replay_t *r, const char *what, int state, const power_cut_t *cut)
{
    size_t           i;
    replay_state_t  *s;

    s = &r->states[state];

    printf("%s at line %zu: %s%s; file %s,", what, r->line,
           s->found == POWER_NOTHING ? "there is no store"
           : s->found == POWER_REFUSED ? "it is refused"
           : s->found == POWER_OPENED ? "another state" : "", s->text,
           cut == NULL ? "not there" : cut->grow == POWER_SHORT ? "short"
           : cut->grow == POWER_ZEROS ? "of zeros" : "of rubbish");

    for (i = 0; cut != NULL && i < r->disk->npending; i++) {
        printf(" %zu+%zu:%s", r->disk->pending[i]->first,
               r->disk->pending[i]->n,
               cut->keep[i] == POWER_DROP ? "dropped"
               : cut->keep[i] == POWER_KEEP ? "kept" : "torn");
    }

    printf("\n");
}
