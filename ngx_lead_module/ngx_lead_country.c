
/*
 * Copyright (C) the ngx_lead authors
 *
 * Countries by number and by code.  The table is generated, see
 * tools/country-table; the account's own ids go before it.
 *
 * Must not log, allocate or keep state.
 */


#include "ngx_lead_country.h"
#include "ngx_lead_country_table.h"


#define NGX_LEAD_COUNTRIES  (sizeof(ngx_lead_country_rows)                    \
                             / sizeof(ngx_lead_country_rows[0]))


static ngx_lead_country_row_t *ngx_lead_country_number(ngx_uint_t number);
static ngx_lead_country_row_t *ngx_lead_country_code(u_char *code);
static ngx_lead_country_t *ngx_lead_country_own(ngx_lead_account_t *account,
    ngx_uint_t id, u_char *code);
static void ngx_lead_country_set(ngx_lead_country_found_t *found,
    ngx_lead_country_t *own, ngx_lead_country_row_t *row);


ngx_int_t
ngx_lead_country_by_id(ngx_lead_account_t *account, ngx_uint_t id,
    ngx_lead_country_found_t *found)
{
    ngx_lead_country_t      *own;
    ngx_lead_country_row_t  *row;

    own = ngx_lead_country_own(account, id, NULL);

    if (own) {
        ngx_lead_country_set(found, own, ngx_lead_country_code(own->code));
        return NGX_OK;
    }

    row = ngx_lead_country_number(id);

    if (row == NULL) {
        return NGX_DECLINED;
    }

    ngx_lead_country_set(found, ngx_lead_country_own(account, 0, row->code),
                         row);

    return NGX_OK;
}


ngx_int_t
ngx_lead_country_by_code(ngx_lead_account_t *account, ngx_str_t *code,
    ngx_lead_country_found_t *found)
{
    u_char                   upper[2];
    ngx_lead_country_t      *own;
    ngx_lead_country_row_t  *row;

    if (code->len != sizeof(upper)) {
        return NGX_DECLINED;
    }

    upper[0] = ngx_toupper(code->data[0]);
    upper[1] = ngx_toupper(code->data[1]);

    own = ngx_lead_country_own(account, 0, upper);
    row = ngx_lead_country_code(upper);

    if (own == NULL && row == NULL) {
        return NGX_DECLINED;
    }

    ngx_lead_country_set(found, own, row);

    return NGX_OK;
}


static ngx_lead_country_row_t *
ngx_lead_country_number(ngx_uint_t number)
{
    ngx_uint_t               low, high, middle;
    ngx_lead_country_row_t  *row;

    low = 0;
    high = NGX_LEAD_COUNTRIES;

    while (low < high) {
        middle = low + (high - low) / 2;
        row = &ngx_lead_country_rows[middle];

        if (row->number == number) {
            return row;
        }

        if (row->number < number) {
            low = middle + 1;

        } else {
            high = middle;
        }
    }

    return NULL;
}


static ngx_lead_country_row_t *
ngx_lead_country_code(u_char *code)
{
    ngx_uint_t               i;
    ngx_lead_country_row_t  *row;

    row = ngx_lead_country_rows;

    for (i = 0; i < NGX_LEAD_COUNTRIES; i++) {
        if (row[i].code[0] == code[0] && row[i].code[1] == code[1]) {
            return &row[i];
        }
    }

    return NULL;
}


/* what the account says of an id, or of a code; the first line counts */

static ngx_lead_country_t *
ngx_lead_country_own(ngx_lead_account_t *account, ngx_uint_t id, u_char *code)
{
    ngx_uint_t           i;
    ngx_lead_country_t  *own;

    own = account->countries.elts;

    for (i = 0; i < account->countries.nelts; i++) {
        if (code ? (own[i].code[0] == code[0] && own[i].code[1] == code[1])
                 : own[i].number == id)
        {
            return &own[i];
        }
    }

    return NULL;
}


/* at least one of the two is there */

static void
ngx_lead_country_set(ngx_lead_country_found_t *found, ngx_lead_country_t *own,
    ngx_lead_country_row_t *row)
{
    found->id = own ? own->number : row->number;
    found->code.data = own ? own->code : row->code;
    found->code.len = sizeof(own->code);
    found->name = row ? row->name : found->code;
}
