
/*
 * Copyright (C) the ngx_lead authors
 *
 * What a replay of a recorder's log knows, shared by the one who reads the log
 * (power_replay.c) and the one who cuts the power and judges what is left
 * (power_cut.c).
 */


#ifndef POWER_REPLAY_H_INCLUDED
#define POWER_REPLAY_H_INCLUDED


#include "power_disk.h"
#include "power_look.h"


#define REPLAY_STATES     8192
#define REPLAY_SEEN       (1 << 20)
#define REPLAY_FACTS      16384


/* what a store may say; nothing: there is none */

typedef struct {
    power_found_t       found;
    power_hash_t        hash;
    char               *text;
    lead_id_t          *ids;
    size_t              n;
    size_t              facts;        /* of these it is known to have */
    int                 stored;       /* it was on disk once */
} replay_state_t;


typedef struct {
    uint64_t            hash[2];
    int                 state;
} replay_seen_t;


typedef struct {
    power_disk_t       *disk;
    uint8_t            *image;
    uint64_t            random;
    unsigned            chances;
    unsigned            tears;
    unsigned            stop;
    int                 lies;

    int                 made;         /* the file's entry: 1 in memory, 2 on
                                         disk */
    uint64_t            made_serial;

    replay_state_t      states[REPLAY_STATES];
    int                 nstates;
    replay_seen_t      *seen;
    lead_id_t           facts[REPLAY_FACTS];
    size_t              nfacts;
    int                 stored;       /* there was a store on disk */
    int                 limbo;        /* a sync has failed */
    uint64_t            sync;         /* under way */

    size_t              line;
    size_t              cuts;
    size_t              cases;
    size_t              images;
    size_t              acked;
    size_t              failed;
    size_t              transactions;
    size_t              refused;
    size_t              missing;
    size_t              contradictions;
} replay_t;


/* what the file says to who reads it now */
int replay_whole(replay_t *r);

/* all that may be left of the file, judged */
void replay_cut(replay_t *r);

/* says what was found, and ends */
void replay_end(replay_t *r) __attribute__((noreturn));


#endif /* POWER_REPLAY_H_INCLUDED */
