
/*
 * Copyright (C) the ngx_lead authors
 *
 * A libFuzzer entry: texts of API keys, with their checksum, and of ids.  The
 * input is the text of either; and its bytes make a key and an id whose texts
 * must be known again, and no more so with one character changed.
 */


#include "fuzz.h"
#include "lead_store.h"


#define SECRET  (sizeof("lead_") - 1 + LEAD_KEY_ID_LEN + 1)

static const char  digits[] =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";


static lead_bytes_t
bytes(ngx_str_t *s)
{
    lead_bytes_t  b;

    b.data = s->data;
    b.len = s->len;

    return b;
}


/* of IEEE 802.3, by a table of halves of a byte */

static uint32_t
crc32_of(const u_char *p, size_t len)
{
    size_t    i;
    uint32_t  crc;

    static const uint32_t  table[] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
        0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
        0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
        0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c
    };

    crc = 0xffffffff;

    for (i = 0; i < len; i++) {
        crc = table[(crc ^ p[i]) & 0x0f] ^ crc >> 4;
        crc = table[(crc ^ p[i] >> 4) & 0x0f] ^ crc >> 4;
    }

    return ~crc;
}


static ngx_uint_t
ours(ngx_str_t *text)
{
    size_t  i;

    if (text->len != LEAD_KEY_TEXT_LEN
        || memcmp(text->data, "lead_", 5) != 0
        || text->data[SECRET - 1] != '_')
    {
        return 0;
    }

    for (i = 5; i < text->len; i++) {
        if (i != SECRET - 1
            && (text->data[i] == '\0' || !strchr(digits, text->data[i])))
        {
            return 0;
        }
    }

    return 1;
}


static void
checksum(u_char *text, u_char *crc)
{
    size_t    i;
    uint32_t  v;

    v = crc32_of(text, LEAD_KEY_TEXT_LEN - LEAD_KEY_CRC_LEN);

    for (i = LEAD_KEY_CRC_LEN; i-- > 0; v /= 62) {
        crc[i] = (u_char) digits[v % 62];
    }
}


static void
check_key(ngx_str_t *text)
{
    u_char      crc[LEAD_KEY_CRC_LEN];
    ngx_uint_t  want;

    want = 1;

    if (ours(text)) {
        checksum(text->data, crc);
        want = (memcmp(text->data + text->len - LEAD_KEY_CRC_LEN, crc,
                       LEAD_KEY_CRC_LEN) == 0);
    }

    must((lead_store_key_plausible(bytes(text)) != 0) == want);
}


static void
make_key(ngx_pool_t *pool, const uint8_t *data, size_t size)
{
    u_char     *p;
    size_t      i;
    ngx_str_t   key;

    p = ngx_pnalloc(pool, LEAD_KEY_TEXT_LEN);
    must(p);

    key.data = p;
    key.len = LEAD_KEY_TEXT_LEN;

    ngx_memcpy(p, "lead_", 5);

    for (i = 5; i < LEAD_KEY_TEXT_LEN - LEAD_KEY_CRC_LEN; i++) {
        p[i] = (u_char) digits[data[i % size] % 62];
    }

    p[SECRET - 1] = '_';
    checksum(p, p + LEAD_KEY_TEXT_LEN - LEAD_KEY_CRC_LEN);

    must(ours(&key));
    must(lead_store_key_plausible(bytes(&key)) != 0);

    /* no other character at one place has the same checksum */

    i = 5 + data[0] % (LEAD_KEY_TEXT_LEN - 5);

    if (i != SECRET - 1) {
        p[i] = (u_char) digits[(strchr(digits, p[i]) - digits
                                + 1 + data[size - 1] % 61) % 62];

        must(lead_store_key_plausible(bytes(&key)) == 0);
    }
}


static void
check_id(ngx_str_t *text)
{
    size_t        i;
    ngx_uint_t    want;
    lead_id_t     id;
    char          back[LEAD_ID_TEXT_LEN + 1];

    want = (text->len == LEAD_ID_TEXT_LEN);

    for (i = 0; want && i < LEAD_ID_TEXT_LEN; i++) {
        want = (i == 8 || i == 13 || i == 18 || i == 23)
               ? text->data[i] == '-' : isxdigit(text->data[i]) != 0;
    }

    must((lead_store_id_parse(bytes(text), &id) == 0) == want);

    if (want) {
        lead_store_id_text(&id, back);
        must(strlen(back) == LEAD_ID_TEXT_LEN);
        must(strncasecmp(back, (char *) text->data, LEAD_ID_TEXT_LEN) == 0);
    }
}


static void
make_id(const uint8_t *data)
{
    lead_id_t     id, again;
    lead_bytes_t  b;
    char          text[LEAD_ID_TEXT_LEN + 1];

    memcpy(id.b, data, sizeof(id.b));
    lead_store_id_text(&id, text);

    b.data = (uint8_t *) text;
    b.len = strlen(text);

    must(lead_store_id_parse(b, &again) == 0);
    must(memcmp(id.b, again.b, sizeof(id.b)) == 0);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ngx_str_t    text;
    ngx_pool_t  *pool;

    pool = ngx_create_pool(4096, NULL);
    must(pool);

    text = block(pool, data, size);

    check_key(&text);
    check_id(&text);

    if (size >= sizeof(lead_id_t)) {
        make_key(pool, data, size);
        make_id(data);
    }

    ngx_destroy_pool(pool);

    return 0;
}
