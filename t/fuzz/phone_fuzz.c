
/*
 * Copyright (C) the ngx_lead authors
 *
 * A libFuzzer entry: phone numbers.  The first two bytes are the region, what
 * follows is the text.  A number that is taken is E.164, and is the same number
 * with space behind it.  Read again it is the same wherever that is; or, where
 * a national prefix was written more than once, a shorter one, as with
 * libphonenumber, until none is left.
 */


#include "fuzz.h"
#include "ngx_lead_phone.h"


static ngx_int_t
e164(ngx_pool_t *pool, ngx_str_t *text, u_char region[2], ngx_str_t *number)
{
    ngx_int_t  rc;

    *number = block(pool, "################", NGX_LEAD_PHONE_MAX);

    rc = ngx_lead_phone_e164(text, region, number->data, &number->len);

    must(rc == NGX_OK || rc == NGX_DECLINED);
    must(rc != NGX_OK || number->len <= NGX_LEAD_PHONE_MAX);

    return rc;
}


static void
check_number(ngx_pool_t *pool, u_char region[2], ngx_str_t *number)
{
    size_t     i;
    ngx_str_t  text, home;

    must(number->len >= 4);
    must(number->data[0] == '+');
    must(number->data[1] >= '1' && number->data[1] <= '9');

    for (i = 1; i < number->len; i++) {
        must(number->data[i] >= '0' && number->data[i] <= '9');
    }

    for ( ;; ) {
        text = block(pool, number->data, number->len);

        must(e164(pool, &text, region, &home) == NGX_OK);
        must(e164(pool, &text, (u_char *) "ZZ", number) == NGX_OK);
        must(same(&home, number));

        if (same(&text, number)) {
            return;
        }

        must(number->len < text.len);
        must(number->data[1] == text.data[1]);
    }
}


static void
check_digits(ngx_pool_t *pool, ngx_str_t *text, ngx_int_t taken)
{
    size_t                   i;
    ngx_int_t                rc;
    ngx_str_t                room;
    ngx_uint_t               plus;
    ngx_lead_phone_digits_t  digits;

    room.data = ngx_pnalloc(pool, NGX_LEAD_PHONE_DIGITS);
    must(room.data);

    digits.digits = room.data;

    rc = ngx_lead_phone_text(text, &digits, &plus);

    must(rc == NGX_OK || (rc == NGX_DECLINED && taken == NGX_DECLINED));

    if (rc != NGX_OK) {
        return;
    }

    must(plus <= 1);
    must(digits.n <= NGX_LEAD_PHONE_DIGITS);
    must(digits.n >= 3 || taken == NGX_DECLINED);

    for (i = 0; i < digits.n; i++) {
        must(digits.digits[i] <= 9);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char       region[2];
    ngx_int_t    rc;
    ngx_str_t    text, wide, number, again;
    ngx_pool_t  *pool;

    if (size < 2) {
        return 0;
    }

    pool = ngx_create_pool(4096, NULL);
    must(pool);

    memcpy(region, data, 2);
    text = block(pool, data + 2, size - 2);

    rc = e164(pool, &text, region, &number);

    must(size == 2 || memcmp(text.data, data + 2, size - 2) == 0);

    check_digits(pool, &text, rc);

    /* the space before a number may have been a "+" */

    wide.len = text.len + 2;
    wide.data = ngx_pnalloc(pool, wide.len);
    must(wide.data);

    ngx_memcpy(wide.data, text.data, text.len);
    ngx_memcpy(wide.data + text.len, " \n", 2);

    must(e164(pool, &wide, region, &again) == rc);
    must(rc != NGX_OK || same(&number, &again));

    if (rc == NGX_OK) {
        check_number(pool, region, &number);
    }

    ngx_destroy_pool(pool);

    return 0;
}
