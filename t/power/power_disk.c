
/*
 * Copyright (C) the ngx_lead authors
 *
 * The disk of power_disk.h.  All of it is allocated with the disk, writes
 * while they are pending.
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "power_disk.h"


#define POWER_RUBBISH_BYTE  0xa5


static power_write_t *power_disk_add(power_disk_t *disk, uint64_t serial);
static void power_disk_settle(power_disk_t *disk, size_t i);
static int power_disk_over(power_write_t *w, size_t first, size_t n);
static void power_disk_forget(power_disk_t *disk, size_t i);
static int power_disk_keeps(const power_cut_t *cut, size_t i, size_t k,
    uint64_t *chance);


power_disk_t *
power_disk(void)
{
    power_disk_t  *disk;

    disk = calloc(1, sizeof(power_disk_t));

    if (disk != NULL) {
        disk->base = calloc(1, POWER_DISK_MAX);
        disk->cache = calloc(1, POWER_DISK_MAX);
        disk->state = -1;
    }

    if (disk == NULL || disk->base == NULL || disk->cache == NULL) {
        abort();
    }

    return disk;
}


void
power_disk_free(power_disk_t *disk)
{
    size_t  i;

    for (i = 0; i < disk->npending; i++) {
        free(disk->pending[i]->data);
        free(disk->pending[i]->over);
        free(disk->pending[i]);
    }

    free(disk->base);
    free(disk->cache);
    free(disk);
}


static power_write_t *
power_disk_add(power_disk_t *disk, uint64_t serial)
{
    power_write_t  *w;

    w = calloc(1, sizeof(power_write_t));

    if (w == NULL || disk->npending == POWER_PENDING) {
        fprintf(stderr, "power_disk: too much is not synced\n");
        exit(2);
    }

    w->serial = serial;
    w->state = -1;

    disk->pending[disk->npending++] = w;

    return w;
}


power_write_t *
power_disk_write(power_disk_t *disk, uint64_t serial, uint64_t offset,
    const uint8_t *data, size_t len)
{
    power_write_t  *w;

    if (offset + len > POWER_DISK_MAX) {
        fprintf(stderr, "power_disk: the file is too large\n");
        exit(2);
    }

    memcpy(disk->cache + offset, data, len);

    if (offset + len > disk->cache_size) {
        disk->cache_size = offset + len;
    }

    w = power_disk_add(disk, serial);

    /* the system writes pages */

    w->end = offset + len;
    w->first = offset / POWER_PAGE * (POWER_PAGE / POWER_SECTOR);
    w->n = (offset + len + POWER_PAGE - 1) / POWER_PAGE
           * (POWER_PAGE / POWER_SECTOR) - w->first;
    w->data = malloc(w->n * POWER_SECTOR);
    w->over = calloc(1, w->n);

    if (w->data == NULL || w->over == NULL) {
        abort();
    }

    memcpy(w->data, disk->cache + w->first * POWER_SECTOR,
           w->n * POWER_SECTOR);

    return w;
}


power_write_t *
power_disk_truncate(power_disk_t *disk, uint64_t serial, uint64_t size)
{
    power_write_t  *w;

    if (size < disk->cache_size) {
        memset(disk->cache + size, 0, disk->cache_size - size);
    }

    disk->cache_size = size;

    w = power_disk_add(disk, serial);

    w->truncate = 1;
    w->end = size;

    return w;
}


int
power_disk_durable(power_disk_t *disk, uint64_t serial)
{
    size_t  i;

    for (i = 0; i < disk->npending; i++) {
        if (disk->pending[i]->serial == serial) {
            power_disk_settle(disk, i);
            return 1;
        }
    }

    return 0;
}


void
power_disk_failed(power_disk_t *disk, uint64_t serial)
{
    size_t  i;

    for (i = 0; i < disk->npending; i++) {
        if (disk->pending[i]->serial == serial) {
            disk->pending[i]->limbo = 1;
        }
    }
}


void
power_disk_sync(power_disk_t *disk, uint64_t serial)
{
    size_t  i;

    for (i = 0; i < disk->npending; i++) {
        if (!disk->pending[i]->limbo) {
            disk->pending[i]->sync = serial;
        }
    }
}


int
power_disk_synced(power_disk_t *disk, uint64_t serial, int ok)
{
    int     n;
    size_t  i;

    n = 0;

    for (i = 0; i < disk->npending; /* void */ ) {

        if (disk->pending[i]->sync != serial) {
            i++;
            continue;
        }

        n++;

        if (ok) {
            power_disk_settle(disk, i);
            i = 0;

        } else {
            disk->pending[i]->sync = 0;
            disk->pending[i]->limbo = 1;
            i++;
        }
    }

    return n;
}


static void
power_disk_settle(power_disk_t *disk, size_t i)
{
    size_t          k, first, n;
    power_write_t  *w;

    w = disk->pending[i];

    if (w->truncate) {

        if (w->end < disk->size) {
            memset(disk->base + w->end, 0, disk->size - w->end);
        }

        disk->size = w->end;

    } else {
        for (k = 0; k < w->n; k++) {
            if (!w->over[k]) {
                memcpy(disk->base + (w->first + k) * POWER_SECTOR,
                       w->data + k * POWER_SECTOR, POWER_SECTOR);
            }
        }

        if (w->end > disk->size) {
            disk->size = w->end;
        }
    }

    if (w->state != -1) {
        disk->state = w->state;
    }

    /* what was pending before it is no longer to be had here */

    first = w->first;
    n = w->n;

    power_disk_forget(disk, i);

    while (i-- != 0) {
        if (n != 0 && power_disk_over(disk->pending[i], first, n)) {
            power_disk_forget(disk, i);
        }
    }
}


/* non-zero: nothing is left of it */

static int
power_disk_over(power_write_t *w, size_t first, size_t n)
{
    int     left;
    size_t  k;

    left = w->truncate;

    for (k = 0; k < w->n; k++) {

        if (w->first + k >= first && w->first + k < first + n) {
            w->over[k] = 1;
        }

        left |= !w->over[k];
    }

    return !left;
}


static void
power_disk_forget(power_disk_t *disk, size_t i)
{
    power_write_t  *w;

    w = disk->pending[i];

    disk->npending--;
    memmove(&disk->pending[i], &disk->pending[i + 1],
            (disk->npending - i) * sizeof(power_write_t *));

    free(w->data);
    free(w->over);
    free(w);
}


uint64_t
power_disk_cut(const power_disk_t *disk, const power_cut_t *cut,
    uint8_t *image)
{
    size_t                i, k;
    uint64_t              size, end, chance;
    const power_write_t  *w;

    size = disk->size;
    end = disk->size > disk->cache_size ? disk->size : disk->cache_size;
    chance = cut->chance;

    memcpy(image, disk->base, size);
    memset(image + size, cut->grow == POWER_RUBBISH ? POWER_RUBBISH_BYTE : 0,
           end - size);

    for (i = 0; i < disk->npending; i++) {
        w = disk->pending[i];

        if (w->truncate) {
            if (cut->keep[i] == POWER_KEEP) {

                if (w->end < size) {
                    memset(image + w->end, 0, size - w->end);
                }

                size = w->end;
            }

            continue;
        }

        for (k = 0; k < w->n; k++) {

            if (!power_disk_keeps(cut, i, k, &chance) || w->over[k]) {
                continue;
            }

            memcpy(image + (w->first + k) * POWER_SECTOR,
                   w->data + k * POWER_SECTOR, POWER_SECTOR);

            if ((w->first + k + 1) * POWER_SECTOR > size) {
                size = (w->first + k + 1) * POWER_SECTOR;

                if (size > w->end && k + 1 == w->n) {
                    size = w->end;
                }
            }
        }
    }

    return cut->grow == POWER_SHORT || size > end ? size : end;
}


static int
power_disk_keeps(const power_cut_t *cut, size_t i, size_t k, uint64_t *chance)
{
    switch (cut->keep[i]) {

    case POWER_DROP:
        return 0;

    case POWER_HEAD:
        return k < cut->sectors[i];

    case POWER_TAIL:
        return k >= cut->sectors[i];

    case POWER_SOME:
        *chance ^= *chance << 13;
        *chance ^= *chance >> 7;
        *chance ^= *chance << 17;
        return (*chance >> 20) & 1;

    default: /* POWER_KEEP */
        return 1;
    }
}
