
/*
 * Copyright (C) the ngx_lead authors
 *
 * Countries by number and code, and an account's own ids for them.
 *
 * Needs cmocka, no nginx.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include "ngx_lead_country.h"
#include "ngx_lead_country_table.h"


#define ROWS  (sizeof(ngx_lead_country_rows) / sizeof(ngx_lead_country_rows[0]))


static ngx_lead_country_t  own[] = {
    { 215, { 'T', 'R' } },
    { 4, { 'D', 'E' } },         /* ISO's number of AF */
    { 900, { 'X', 'K' } },       /* not in ISO */
    { 301, { 'T', 'R' } }        /* a second id of the same country */
};

static ngx_lead_account_t  none;
static ngx_lead_account_t  some;


static int
setup(void **state)
{
    memset(&none, 0, sizeof(none));
    memset(&some, 0, sizeof(some));

    some.countries.elts = own;
    some.countries.nelts = sizeof(own) / sizeof(own[0]);

    return 0;
}


static void
check(ngx_int_t rc, ngx_lead_country_found_t *found, ngx_uint_t id,
    const char *code, const char *name)
{
    if (name == NULL) {
        assert_int_equal(rc, NGX_DECLINED);
        return;
    }

    assert_int_equal(rc, NGX_OK);
    assert_int_equal(found->id, id);
    assert_int_equal(found->code.len, 2);
    assert_memory_equal(found->code.data, code, 2);
    assert_int_equal(found->name.len, strlen(name));
    assert_memory_equal(found->name.data, name, strlen(name));
}


static void
by_id(ngx_lead_account_t *account, ngx_uint_t asked, ngx_uint_t id,
    const char *code, const char *name)
{
    ngx_int_t                 rc;
    ngx_lead_country_found_t  found;

    rc = ngx_lead_country_by_id(account, asked, &found);
    check(rc, &found, id, code, name);
}


static void
by_code(ngx_lead_account_t *account, const char *asked, ngx_uint_t id,
    const char *code, const char *name)
{
    ngx_int_t                 rc;
    ngx_str_t                 text;
    ngx_lead_country_found_t  found;

    text.data = (u_char *) asked;
    text.len = strlen(asked);

    rc = ngx_lead_country_by_code(account, &text, &found);
    check(rc, &found, id, code, name);
}


static void
numbers(void **state)
{
    by_id(&none, 792, 792, "TR", "T\303\274rkiye");
    by_id(&none, 840, 840, "US", "United States");
    by_id(&none, 384, 384, "CI", "C\303\264te d'Ivoire");
    by_id(&none, 4, 4, "AF", "Afghanistan");
    by_id(&none, 894, 894, "ZM", "Zambia");

    by_id(&none, 0, 0, NULL, NULL);
    by_id(&none, 1, 0, NULL, NULL);
    by_id(&none, 215, 0, NULL, NULL);
    by_id(&none, 895, 0, NULL, NULL);
    by_id(&none, (ngx_uint_t) -1, 0, NULL, NULL);
}


/* a country is called what people call it, where ISO has a word for that */

static void
names(void **state)
{
    by_id(&none, 410, 410, "KR", "South Korea");
    by_id(&none, 408, 408, "KP", "North Korea");
    by_id(&none, 68, 68, "BO", "Bolivia");
    by_id(&none, 704, 704, "VN", "Vietnam");
    by_id(&none, 158, 158, "TW", "Taiwan");
}


static void
codes(void **state)
{
    by_code(&none, "TR", 792, "TR", "T\303\274rkiye");
    by_code(&none, "us", 840, "US", "United States");

    by_code(&none, "", 0, NULL, NULL);
    by_code(&none, "T", 0, NULL, NULL);
    by_code(&none, "TUR", 0, NULL, NULL);
    by_code(&none, "XK", 0, NULL, NULL);
    by_code(&none, "\303\274", 0, NULL, NULL);
}


static void
own_ids(void **state)
{
    by_id(&some, 215, 215, "TR", "T\303\274rkiye");
    by_id(&some, 792, 215, "TR", "T\303\274rkiye");
    by_id(&some, 301, 301, "TR", "T\303\274rkiye");
    by_code(&some, "tr", 215, "TR", "T\303\274rkiye");

    /* the account's id goes before ISO's number */

    by_id(&some, 4, 4, "DE", "Germany");
    by_id(&some, 276, 4, "DE", "Germany");

    by_id(&some, 900, 900, "XK", "XK");
    by_code(&some, "XK", 900, "XK", "XK");

    by_id(&some, 840, 840, "US", "United States");
    by_id(&some, 1, 0, NULL, NULL);
}


/* every row is found by both of its keys: the table is in order */

static void
whole_table(void **state)
{
    char                     code[3];
    char                     name[128];
    ngx_uint_t               i;
    ngx_lead_country_row_t  *row;

    assert_in_range(ROWS, 240, 300);

    for (i = 0; i < ROWS; i++) {
        row = &ngx_lead_country_rows[i];

        assert_in_range(row->name.len, 3, sizeof(name) - 1);
        memcpy(name, row->name.data, row->name.len);
        name[row->name.len] = '\0';

        memcpy(code, row->code, 2);
        code[2] = '\0';

        by_id(&none, row->number, row->number, code, name);
        by_code(&none, code, row->number, code, name);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(names),
        cmocka_unit_test(codes),
        cmocka_unit_test(own_ids),
        cmocka_unit_test(whole_table)
    };

    return cmocka_run_group_tests(tests, setup, NULL);
}
