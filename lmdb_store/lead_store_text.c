
/*
 * Copyright (C) the ngx_lead authors
 *
 * Texts no engine needs to know: of API keys, with their randomness and
 * checksum, and of ids.  Nothing here touches a store or keeps memory; a
 * secret is left only where the caller asked for it.
 */


#include <string.h>

#include <openssl/rand.h>

#include "lead_engine.h"


#define LEAD_STORE_KEY_PREFIX      "lead_"
#define LEAD_STORE_KEY_PREFIX_LEN  (sizeof(LEAD_STORE_KEY_PREFIX) - 1)


static void lead_store_key_crc(const char *text, char *crc);
static uint32_t lead_store_crc32(const uint8_t *p, size_t len);


static const char  lead_store_digits[] =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";


lead_rc_t
lead_store_key_make(lead_key_t *key, char *text)
{
    char       *p;
    lead_rc_t   rc;

    rc = lead_store_random_text(key->id, LEAD_KEY_ID_LEN);

    if (rc != LEAD_OK) {
        return rc;
    }

    key->id[LEAD_KEY_ID_LEN] = '\0';

    p = text;

    memcpy(p, LEAD_STORE_KEY_PREFIX, LEAD_STORE_KEY_PREFIX_LEN);
    p += LEAD_STORE_KEY_PREFIX_LEN;

    memcpy(p, key->id, LEAD_KEY_ID_LEN);
    p += LEAD_KEY_ID_LEN;

    *p++ = '_';

    rc = lead_store_random_text(p, LEAD_KEY_SECRET_LEN);

    if (rc != LEAD_OK) {
        return rc;
    }

    p += LEAD_KEY_SECRET_LEN;

    lead_store_key_crc(text, p);
    p += LEAD_KEY_CRC_LEN;
    *p = '\0';

    memcpy(key->last4, p - 4, 5);

    return LEAD_OK;
}


/* a byte of 248 or more would favour the first digits */

lead_rc_t
lead_store_random_text(char *text, size_t n)
{
    size_t   i, used;
    uint8_t  random[64];

    used = sizeof(random);

    for (i = 0; i < n; /* void */ ) {

        if (used == sizeof(random)) {
            if (RAND_bytes(random, sizeof(random)) != 1) {
                return LEAD_IO;
            }

            used = 0;
        }

        if (random[used] < 248) {
            text[i++] = lead_store_digits[random[used] % 62];
        }

        used++;
    }

    return LEAD_OK;
}


int
lead_store_key_plausible(lead_bytes_t text)
{
    char         crc[LEAD_KEY_CRC_LEN];
    size_t       i;
    const char  *p;

    p = (const char *) text.data;

    if (text.len != LEAD_KEY_TEXT_LEN
        || memcmp(p, LEAD_STORE_KEY_PREFIX, LEAD_STORE_KEY_PREFIX_LEN) != 0
        || p[LEAD_STORE_KEY_PREFIX_LEN + LEAD_KEY_ID_LEN] != '_')
    {
        return 1;
    }

    for (i = LEAD_STORE_KEY_PREFIX_LEN; i < text.len; i++) {

        if (i != LEAD_STORE_KEY_PREFIX_LEN + LEAD_KEY_ID_LEN
            && !lead_store_base62(p[i]))
        {
            return 1;
        }
    }

    lead_store_key_crc(p, crc);

    return memcmp(crc, p + text.len - LEAD_KEY_CRC_LEN, LEAD_KEY_CRC_LEN) == 0;
}


int
lead_store_base62(char c)
{
    return (c >= '0' && c <= '9')
           || (c >= 'A' && c <= 'Z')
           || (c >= 'a' && c <= 'z');
}


static void
lead_store_key_crc(const char *text, char *crc)
{
    size_t    i;
    uint32_t  v;

    v = lead_store_crc32((const uint8_t *) text,
                         LEAD_KEY_TEXT_LEN - LEAD_KEY_CRC_LEN);

    for (i = LEAD_KEY_CRC_LEN; i != 0; i--) {
        crc[i - 1] = lead_store_digits[v % 62];
        v /= 62;
    }
}


static uint32_t
lead_store_crc32(const uint8_t *p, size_t len)
{
    int       bit;
    uint32_t  crc;

    crc = 0xffffffff;

    while (len--) {
        crc ^= *p++;

        for (bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
        }
    }

    return ~crc;
}


void
lead_store_id_text(const lead_id_t *id, char *text)
{
    size_t             i;
    static const char  hex[] = "0123456789abcdef";

    for (i = 0; i < sizeof(id->b); i++) {

        if (i == 4 || i == 6 || i == 8 || i == 10) {
            *text++ = '-';
        }

        *text++ = hex[id->b[i] >> 4];
        *text++ = hex[id->b[i] & 0x0f];
    }

    *text = '\0';
}


int
lead_store_id_parse(lead_bytes_t text, lead_id_t *id)
{
    size_t    i, digits;
    uint8_t   c, v;

    if (text.len != LEAD_ID_TEXT_LEN) {
        return -1;
    }

    for (i = 0, digits = 0; i < text.len; i++) {
        c = text.data[i];

        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (c != '-') {
                return -1;
            }

            continue;
        }

        if (c >= '0' && c <= '9') {
            v = (uint8_t) (c - '0');

        } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
            v = (uint8_t) ((c | 0x20) - 'a' + 10);

        } else {
            return -1;
        }

        id->b[digits / 2] = (uint8_t) (digits % 2 ? id->b[digits / 2] << 4 | v
                                                  : v);
        digits++;
    }

    return 0;
}
