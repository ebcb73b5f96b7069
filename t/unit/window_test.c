
/*
 * Copyright (C) the ngx_lead authors
 *
 * Windows of a minute: what is counted leaves after sixty seconds and no
 * sooner, whatever the steps of the clock, and a table that is full gives up
 * the window that was idle longest.
 */


#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ngx_lead_window.h"


#define TABLE  32


uint32_t ngx_murmur_hash2(u_char *data, size_t len);

static void make_key(u_char *key, uint32_t hash, uint32_t more);
static ngx_lead_window_t *window(uint32_t hash, uint32_t more);
static ngx_lead_window_t *find(uint32_t hash, uint32_t more, uint32_t place);
static void at(ngx_msec_t second);
static int setup(void **state);


volatile ngx_msec_t  ngx_current_msec;

static ngx_lead_window_t  table[TABLE];


/* the place in the table is the test's to say */

uint32_t
ngx_murmur_hash2(u_char *data, size_t len)
{
    uint32_t  hash;

    assert_int_equal(len, NGX_LEAD_WINDOW_KEY);
    memcpy(&hash, data, sizeof(uint32_t));

    return hash;
}


static void
make_key(u_char *key, uint32_t hash, uint32_t more)
{
    memset(key, 0, NGX_LEAD_WINDOW_KEY);
    memcpy(key, &hash, sizeof(uint32_t));
    memcpy(key + 8, &more, sizeof(uint32_t));
}


static ngx_lead_window_t *
window(uint32_t hash, uint32_t more)
{
    u_char  key[NGX_LEAD_WINDOW_KEY];

    make_key(key, hash, more);

    return ngx_lead_window_get(table, TABLE, key, 0);
}


static ngx_lead_window_t *
find(uint32_t hash, uint32_t more, uint32_t place)
{
    u_char  key[NGX_LEAD_WINDOW_KEY];

    make_key(key, hash, more);

    return ngx_lead_window_find(table, TABLE, key, place);
}


static void
at(ngx_msec_t second)
{
    ngx_current_msec = second * 1000 + second % 1000;
}


static int
setup(void **state)
{
    (void) state;

    memset(table, 0, sizeof(table));
    at(1000);

    return 0;
}


static void
test_minute(void **state)
{
    ngx_uint_t          i, n;
    ngx_lead_window_t  *w;

    (void) state;

    w = window(5, 1);
    assert_int_equal(w->total, 0);
    assert_int_equal(ngx_lead_window_reset(w), 60);

    for (n = 0; n < 3; n++) {
        ngx_lead_window_add(w);
    }

    assert_int_equal(ngx_lead_window_reset(w), 60);

    at(1010);
    assert_ptr_equal(window(5, 1), w);
    ngx_lead_window_add(w);

    assert_int_equal(w->total, 4);
    assert_int_equal(ngx_lead_window_reset(w), 50);

    for (i = 1011; i < 1060; i++) {
        at(i);
        assert_int_equal(window(5, 1)->total, 4);
        assert_int_equal(ngx_lead_window_reset(w), 1060 - i);
    }

    at(1060);
    assert_int_equal(find(5, 1, 0)->total, 1);
    assert_int_equal(ngx_lead_window_reset(w), 10);

    at(1069);
    assert_int_equal(find(5, 1, 0)->total, 1);

    at(1070);
    assert_int_equal(find(5, 1, 0)->total, 0);
}


static void
test_steps(void **state)
{
    ngx_msec_t          step;
    ngx_lead_window_t  *w;

    (void) state;

    /* whatever the step, at a minute or more nothing is left, and below it
     * all of it */

    for (step = 0; step < 200; step++) {
        setup(NULL);

        w = window(7, 1);
        ngx_lead_window_add(w);
        ngx_lead_window_add(w);

        at(1000 + step);
        assert_int_equal(find(7, 1, 0)->total, step < 60 ? 2 : 0);
    }

    setup(NULL);
    w = window(7, 1);
    ngx_lead_window_add(w);

    at(100000);
    assert_int_equal(window(7, 1)->total, 0);
    ngx_lead_window_add(w);

    /* a worker whose clock is behind counts in the newest second */

    at(99990);
    assert_int_equal(window(7, 1)->total, 1);
    ngx_lead_window_add(w);
    assert_int_equal(w->total, 2);

    at(100059);
    assert_int_equal(find(7, 1, 0)->total, 2);
    at(100060);
    assert_int_equal(find(7, 1, 0)->total, 0);
}


static void
test_apart(void **state)
{
    uint32_t            i;
    ngx_lead_window_t  *w[8];

    (void) state;

    assert_null(find(3, 1, 0));

    for (i = 0; i < 8; i++) {
        at(1000 + i);
        w[i] = window(3, i);
        ngx_lead_window_add(w[i]);
    }

    for (i = 0; i < 8; i++) {
        assert_ptr_equal(find(3, i, 0), w[i]);
        assert_int_equal(w[i]->total, 1);
    }

    /* neither a key nor a place is another */

    assert_null(find(3, 8, 0));
    assert_null(find(3, 1, 1));
    assert_null(find(4, 1, 0));
}


static void
test_idle(void **state)
{
    uint32_t            i;
    ngx_lead_window_t  *w;

    (void) state;

    /* at the end of the table, so that it goes on at its beginning */

    for (i = 0; i < 8; i++) {
        at(1000 + i);
        ngx_lead_window_add(window(TABLE - 3, i));
    }

    /* the oldest is looked at, and so the second oldest goes */

    at(1020);
    assert_non_null(find(TABLE - 3, 0, 0));

    w = window(TABLE - 3, 8);
    assert_int_equal(w->total, 0);
    ngx_lead_window_add(w);

    assert_null(find(TABLE - 3, 1, 0));
    assert_int_equal(find(TABLE - 3, 0, 0)->total, 1);

    for (i = 2; i < 9; i++) {
        assert_non_null(find(TABLE - 3, i, 0));
    }

    /* all eight are of one second: one of them goes, whoever it is */

    (void) window(TABLE - 3, 9);
    assert_non_null(find(TABLE - 3, 9, 0));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup(test_minute, setup),
        cmocka_unit_test_setup(test_steps, setup),
        cmocka_unit_test_setup(test_apart, setup),
        cmocka_unit_test_setup(test_idle, setup)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
