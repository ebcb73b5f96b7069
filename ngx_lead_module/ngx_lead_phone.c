
/*
 * Copyright (C) the ngx_lead authors
 *
 * Digits to E.164: a calling code and a national number, by the numbering
 * plans of ngx_lead_phone_table.h and the steps that libphonenumber takes, in
 * their order, so that both come to the same number.
 *
 * Must not ask for more than a possible length: "+1 555 123 4567" is nobody's
 * number and a good one here.  No memory but the stack and the caller's.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include "ngx_lead_phone.h"
#include "ngx_lead_phone_table.h"


typedef struct {
    const ngx_lead_phone_plan_t  *plan;
    ngx_lead_phone_digits_t       national;
    ngx_uint_t                    abroad;    /* with its calling code */

    /* where a national number is put together anew: of two steps, each may
     * need the result of the one before */
    u_char                        room[2][NGX_LEAD_PHONE_DIGITS + 8];
} ngx_lead_phone_number_t;


static void ngx_lead_phone_write(ngx_lead_phone_number_t *number,
    u_char *dst, size_t *len);
static ngx_uint_t ngx_lead_phone_index(u_char code[2]);
static ngx_int_t ngx_lead_phone_resolve(const ngx_lead_phone_plan_t *own,
    ngx_lead_phone_digits_t sent, ngx_uint_t plus,
    ngx_lead_phone_number_t *number);
static ngx_int_t ngx_lead_phone_abroad(ngx_lead_phone_digits_t sent,
    ngx_lead_phone_number_t *number);
static ngx_int_t ngx_lead_phone_home(const ngx_lead_phone_plan_t *own,
    ngx_lead_phone_digits_t sent, ngx_lead_phone_number_t *number);
static size_t ngx_lead_phone_idd(const ngx_lead_phone_plan_t *own,
    ngx_lead_phone_digits_t *sent);
static ngx_lead_phone_digits_t ngx_lead_phone_strip(
    const ngx_lead_phone_plan_t *plan, ngx_lead_phone_digits_t sent,
    u_char *room);
static const ngx_lead_phone_action_t *ngx_lead_phone_run(ngx_uint_t state,
    ngx_lead_phone_digits_t *digits, size_t *end);
static ngx_uint_t ngx_lead_phone_matches(const ngx_lead_phone_plan_t *plan,
    ngx_lead_phone_digits_t *digits);


ngx_uint_t
ngx_lead_phone_region(u_char code[2])
{
    return ngx_lead_phone_index(code) != 0;
}


ngx_int_t
ngx_lead_phone_e164(ngx_str_t *text, u_char region[2], u_char *dst,
    size_t *len)
{
    u_char                        digits[NGX_LEAD_PHONE_DIGITS];
    ngx_int_t                     rc;
    ngx_uint_t                    plus, skip;
    const ngx_lead_phone_plan_t  *own;
    ngx_lead_phone_digits_t       sent;
    ngx_lead_phone_number_t       number, other, *n;

    sent.digits = digits;

    if (ngx_lead_phone_text(text, &sent, &plus) != NGX_OK || sent.n < 3) {
        return NGX_DECLINED;
    }

    own = &ngx_lead_phone_plans[ngx_lead_phone_index(region)];
    n = &number;

    rc = ngx_lead_phone_resolve(own, sent, plus, n);

    /*
     * Two habits that no plan knows of: 00 where another prefix is dialled,
     * and a "+" that came as a space, because a form was not encoded.
     */

    skip = (digits[0] == 0 && digits[1] == 0) ? 2 : 0;

    if (!plus
        && (skip || (text->data[0] == ' ' && text->data[1] >= '1'
                     && text->data[1] <= '9'))
        && (rc != NGX_OK
            || (!n->abroad
                && !ngx_lead_phone_matches(n->plan, &n->national))))
    {
        sent.digits += skip;
        sent.n -= skip;

        if (ngx_lead_phone_resolve(&ngx_lead_phone_plans[0], sent, 1, &other)
            == NGX_OK)
        {
            rc = NGX_OK;
            n = &other;
        }
    }

    if (rc != NGX_OK) {
        return NGX_DECLINED;
    }

    ngx_lead_phone_write(n, dst, len);

    return NGX_OK;
}


static void
ngx_lead_phone_write(ngx_lead_phone_number_t *number, u_char *dst, size_t *len)
{
    u_char      *p;
    size_t       i;
    ngx_uint_t   code;

    p = dst;
    code = number->plan->code;

    *p++ = '+';

    if (code >= 100) {
        *p++ = (u_char) ('0' + code / 100);
    }

    if (code >= 10) {
        *p++ = (u_char) ('0' + code / 10 % 10);
    }

    *p++ = (u_char) ('0' + code % 10);

    for (i = 0; i < number->national.n; i++) {
        *p++ = (u_char) ('0' + number->national.digits[i]);
    }

    *len = p - dst;
}


static ngx_uint_t
ngx_lead_phone_index(u_char code[2])
{
    ngx_uint_t  first, second;

    first = (ngx_uint_t) (code[0] | 0x20) - 'a';
    second = (ngx_uint_t) (code[1] | 0x20) - 'a';

    if (first > 25 || second > 25) {
        return 0;
    }

    return ngx_lead_phone_regions[first * 26 + second];
}


/* sent digits as a number of a possible length; own may be the empty plan */

static ngx_int_t
ngx_lead_phone_resolve(const ngx_lead_phone_plan_t *own,
    ngx_lead_phone_digits_t sent, ngx_uint_t plus,
    ngx_lead_phone_number_t *number)
{
    size_t                   n, skip;
    ngx_uint_t               code;
    ngx_lead_phone_digits_t  stripped;

    if (plus && ngx_lead_phone_abroad(sent, number) == NGX_OK) {
        goto found;
    }

    skip = ngx_lead_phone_idd(own, &sent);

    if (skip) {
        sent.digits += skip;
        sent.n -= skip;

        if (ngx_lead_phone_abroad(sent, number) != NGX_OK) {
            return NGX_DECLINED;
        }

    } else if (ngx_lead_phone_home(own, sent, number) != NGX_OK) {

        if (plus || own->code == 0) {
            return NGX_DECLINED;
        }

        number->plan = own;
        number->national = sent;
        number->abroad = 0;
    }

found:

    stripped = ngx_lead_phone_strip(number->plan, number->national,
                                    number->room[1]);

    /* too long will stay too long: libphonenumber takes off the prefix */

    if (stripped.n > 31
        || (number->plan->lengths >> stripped.n & 1)
        || number->plan->lengths >> stripped.n == 0)
    {
        number->national = stripped;
    }

    code = number->plan->code;

    /* what is possible is said by the first of the regions of a code, and
     * some plans have numbers that are too long for E.164 */

    number->plan = &ngx_lead_phone_plans[ngx_lead_phone_codes[code]];

    n = number->national.n;

    if (n > 31 || (number->plan->lengths >> n & 1) == 0
        || 2 + (code > 9) + (code > 99) + n > NGX_LEAD_PHONE_MAX)
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* a calling code and what follows it */

static ngx_int_t
ngx_lead_phone_abroad(ngx_lead_phone_digits_t sent,
    ngx_lead_phone_number_t *number)
{
    size_t      i;
    ngx_uint_t  code, plan;

    if (sent.n < 3 || sent.digits[0] == 0) {
        return NGX_DECLINED;
    }

    code = 0;

    for (i = 0; i < 3; i++) {
        code = code * 10 + sent.digits[i];
        plan = ngx_lead_phone_codes[code];

        if (plan) {
            number->plan = &ngx_lead_phone_plans[plan];
            number->national.digits = sent.digits + i + 1;
            number->national.n = sent.n - i - 1;
            number->abroad = 1;
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


/* a number that begins with the calling code of its own region, without "+":
 * if it looks like a number there without the code only, or is too long */

static ngx_int_t
ngx_lead_phone_home(const ngx_lead_phone_plan_t *own,
    ngx_lead_phone_digits_t sent, ngx_lead_phone_number_t *number)
{
    ngx_lead_phone_digits_t  rest;

    if (ngx_lead_phone_abroad(sent, number) != NGX_OK
        || number->plan->code != own->code)
    {
        return NGX_DECLINED;
    }

    rest = ngx_lead_phone_strip(own, number->national, number->room[0]);

    if ((!ngx_lead_phone_matches(own, &sent)
         && ngx_lead_phone_matches(own, &rest))
        || sent.n > 31 || own->lengths >> sent.n == 0)
    {
        number->national = rest;
        return NGX_OK;
    }

    return NGX_DECLINED;
}


/* the length of an international prefix; a calling code never begins with 0 */

static size_t
ngx_lead_phone_idd(const ngx_lead_phone_plan_t *own,
    ngx_lead_phone_digits_t *sent)
{
    size_t  end;

    if (own->idd == 0
        || ngx_lead_phone_run(own->idd, sent, &end) == NULL
        || (end < sent->n && sent->digits[end] == 0))
    {
        return 0;
    }

    return end;
}


/* takes off a national prefix or a carrier's code, or puts an area code in
 * front; in room if the digits do not stand so in what was sent */

static ngx_lead_phone_digits_t
ngx_lead_phone_strip(const ngx_lead_phone_plan_t *plan,
    ngx_lead_phone_digits_t sent, u_char *room)
{
    u_char                         *p;
    size_t                          i, end;
    ngx_lead_phone_digits_t         found;
    const ngx_lead_phone_action_t  *action;

    if (plan->national == 0) {
        return sent;
    }

    action = ngx_lead_phone_run(plan->national, &sent, &end);

    if (action == NULL) {
        return sent;
    }

    found.digits = sent.digits + action->skip;
    found.n = sent.n - action->skip;

    if (action->len || action->cut) {
        p = room;

        for (i = 0; i < action->len; i++) {
            *p++ = (u_char) (action->text[i] - '0');
        }

        p = ngx_cpymem(p, found.digits, end - action->cut - action->skip);
        p = ngx_cpymem(p, sent.digits + end, sent.n - end);

        found.digits = room;
        found.n = p - room;
    }

    /* not from a number to something that is none */

    if (!ngx_lead_phone_matches(plan, &found)
        && ngx_lead_phone_matches(plan, &sent))
    {
        return sent;
    }

    return found;
}


/* the last action that the digits, from the first on, come to: of several
 * ways to match, those which are ranked lower end there */

static const ngx_lead_phone_action_t *
ngx_lead_phone_run(ngx_uint_t state, ngx_lead_phone_digits_t *digits,
    size_t *end)
{
    size_t                          i;
    const ngx_lead_phone_action_t  *action, *found;

    found = NULL;
    *end = 0;

    for (i = 0; i < digits->n; /* void */ ) {

        state = ngx_lead_phone_next_state[state][digits->digits[i++]];

        if (state == 0) {
            break;
        }

        if (state >= NGX_LEAD_PHONE_FINAL) {
            action = &ngx_lead_phone_actions[
                         ngx_lead_phone_final[state - NGX_LEAD_PHONE_FINAL]];

            if (!action->at_end || i == digits->n) {
                found = action;
                *end = i;
            }
        }
    }

    return found;
}


/* whether they look like a national number */

static ngx_uint_t
ngx_lead_phone_matches(const ngx_lead_phone_plan_t *plan,
    ngx_lead_phone_digits_t *digits)
{
    size_t      i;
    ngx_uint_t  state;

    state = plan->number;

    for (i = 0; i < digits->n; i++) {

        state = ngx_lead_phone_next_state[state][digits->digits[i]];

        if (state == 0) {
            return 0;
        }
    }

    return state >= NGX_LEAD_PHONE_FINAL;
}
