
/*
 * Copyright (C) the ngx_lead authors
 *
 * The table of all dialects.  No dialect is named anywhere else in the core.
 */


#include "ngx_lead_dialect.h"


static ngx_lead_dialect_t  *ngx_lead_dialects[] = {
    &ngx_lead_dialect_reflekt,
    &ngx_lead_dialect_lawfficient,
    &ngx_lead_dialect_kickofflabs,
    &ngx_lead_dialect_flextell,
    &ngx_lead_dialect_leadflip,
    NULL
};


static ngx_str_t  ngx_lead_names =
    ngx_string("reflekt, lawfficient, kickofflabs, flextell, leadflip");


ngx_lead_dialect_t *
ngx_lead_dialect_find(ngx_str_t *name)
{
    ngx_lead_dialect_t  **d;

    for (d = ngx_lead_dialects; *d; d++) {
        if ((*d)->name.len == name->len
            && ngx_strncmp((*d)->name.data, name->data, name->len) == 0)
        {
            return *d;
        }
    }

    return NULL;
}


ngx_str_t *
ngx_lead_dialect_names(void)
{
    return &ngx_lead_names;
}
