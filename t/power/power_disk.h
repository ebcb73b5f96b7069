
/*
 * Copyright (C) the ngx_lead authors
 *
 * A disk under a file, as far as a power cut can tell: what is on it, what the
 * system has in memory, and the writes in between, which may be there, may
 * not, or may be there in part.
 *
 * The system writes pages; a disk writes sectors of 512 bytes, each whole, in
 * any order.  A sync that has returned says that all writes before it are
 * there.  A write that was not synced may be lost whatever comes after it; the
 * file may have grown for it all the same.  After a sync that failed nobody
 * knows, and a later one says nothing about what was written before it.
 */


#ifndef POWER_DISK_H_INCLUDED
#define POWER_DISK_H_INCLUDED


#include <stddef.h>
#include <stdint.h>


#define POWER_SECTOR     512
#define POWER_PAGE       4096
#define POWER_DISK_MAX   (16 << 20)     /* bytes of a file */
#define POWER_PENDING    1024           /* writes not synced */


typedef struct {
    uint64_t           serial;
    uint64_t           sync;      /* the sync that will have had it, or 0 */
    int                dsync;
    int                limbo;     /* a sync of it has failed */
    int                truncate;
    int                state;     /* what the file says with it; -1: as before
                                     it */
    uint64_t           end;       /* of the file, at least, with it */
    size_t             first;     /* sectors */
    size_t             n;
    uint8_t           *data;      /* whole sectors, as in memory then */
    uint8_t           *over;      /* of each: another one is on disk */
} power_write_t;


typedef struct {
    uint8_t           *base;      /* on disk */
    uint64_t           size;
    uint8_t           *cache;     /* as a program reads it */
    uint64_t           cache_size;
    power_write_t     *pending[POWER_PENDING];
    size_t             npending;
    int                state;     /* what the file on disk says, -1: nothing */
} power_disk_t;


/* which of the pending writes are kept: all sectors, none, or some */

typedef enum {
    POWER_DROP = 0,
    POWER_KEEP,
    POWER_HEAD,                   /* the first so many sectors */
    POWER_TAIL,                   /* all but these */
    POWER_SOME                    /* each or not, by chance */
} power_keep_t;

typedef enum {
    POWER_SHORT = 0,              /* the file ends where what is kept does */
    POWER_ZEROS,                  /* it has grown, what is not there is 0 */
    POWER_RUBBISH                 /* ... or what was on the disk before */
} power_grow_t;

typedef struct {
    uint8_t            keep[POWER_PENDING];
    size_t             sectors[POWER_PENDING];
    uint64_t           chance;
    power_grow_t       grow;
} power_cut_t;


power_disk_t *power_disk(void);
void power_disk_free(power_disk_t *disk);

/* a write, or a truncation, is about to be made */
power_write_t *power_disk_write(power_disk_t *disk, uint64_t serial,
    uint64_t offset, const uint8_t *data, size_t len);
power_write_t *power_disk_truncate(power_disk_t *disk, uint64_t serial,
    uint64_t size);

/* the write of this serial is on disk; 0: it is not pending */
int power_disk_durable(power_disk_t *disk, uint64_t serial);

/* it was to be synced by itself, and that has failed */
void power_disk_failed(power_disk_t *disk, uint64_t serial);

/* a sync begins, and has ended, well or not */
void power_disk_sync(power_disk_t *disk, uint64_t serial);
int power_disk_synced(power_disk_t *disk, uint64_t serial, int ok);

/* the file after a power cut, into image: its size */
uint64_t power_disk_cut(const power_disk_t *disk, const power_cut_t *cut,
    uint8_t *image);


#endif /* POWER_DISK_H_INCLUDED */
