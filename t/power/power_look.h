
/*
 * Copyright (C) the ngx_lead authors
 *
 * Looks at a store's file as a power cut has left it: opens it with the
 * library, checks it, reads all of it, and goes on with it.  This is done in a
 * process of its own, for a broken file may kill who looks at it; that it does
 * is a result, too.
 */


#ifndef POWER_LOOK_H_INCLUDED
#define POWER_LOOK_H_INCLUDED


#include <stddef.h>
#include <stdint.h>

#include "power_state.h"


#define POWER_IDS   16384


typedef enum {
    POWER_OPENED = 0,             /* and all is well: hash */
    POWER_NOTHING,                /* there is no store; one can be made */
    POWER_REFUSED,                /* it is no store, and was left as it is */
    POWER_BROKEN                  /* see text */
} power_found_t;


typedef struct {
    power_found_t      found;
    power_hash_t       hash;
    lead_id_t          ids[POWER_IDS];
    size_t             n;
    char               text[512];
} power_look_t;


/* in a directory of their own below this one, which is made, and taken away
 * by power_look_end(); what is returned stays until the next look */
void power_look_begin(const char *tmp);
void power_look_end(void);

/* size -1: there is no file.  rubbish: as much of a lock file there is */
const power_look_t *power_look(const uint8_t *image, int64_t size,
    int rubbish);


#endif /* POWER_LOOK_H_INCLUDED */
