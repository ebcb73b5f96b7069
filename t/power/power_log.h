
/*
 * Copyright (C) the ngx_lead authors
 *
 * The log of what was done to a store's file, as t/tools/record.c writes it
 * and power_replay.c reads it.  A write or a sync has a line when it is about
 * to be made and one when it has been, for a power cut may come in between.
 * All of it is in the order in which it happened, whichever process it was.
 *
 * A line is a head and head.size bytes behind it: what was written, or what a
 * mark says.
 */


#ifndef POWER_LOG_H_INCLUDED
#define POWER_LOG_H_INCLUDED


#include <stdint.h>


#define POWER_MAGIC   0x7761656cu

#define POWER_DSYNC   0x1       /* of a write: it is synced when it is done */
#define POWER_LIE     0x2       /* done, and reported as failed */


typedef enum {
    POWER_MAKE = 1,             /* the file has been made in its directory */
    POWER_WRITE,
    POWER_TRUNCATE,             /* to offset bytes */
    POWER_SYNC,
    POWER_SYNC_DIR,
    POWER_DONE,                 /* the call of this serial: result */
    POWER_MARK                  /* somebody was told this */
} power_kind_t;


typedef struct {
    uint32_t   magic;
    uint16_t   kind;
    uint16_t   flags;
    uint64_t   serial;
    int64_t    offset;
    int64_t    result;          /* -1: it failed */
    uint64_t   size;
} power_head_t;


/* writes a mark into the log, if the recorder is there */
typedef void (*power_mark_pt)(const char *text);


#endif /* POWER_LOG_H_INCLUDED */
