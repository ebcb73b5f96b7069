
/*
 * Copyright (C) the ngx_lead authors
 *
 * Phone numbers to E.164: what the contracts say, how people write, numbering
 * plans that are no mere prefix, what is refused, limits, all cuts.
 *
 * Texts are blocks of their exact size, and so is the room for the answer.
 * That all of it agrees with libphonenumber is t/phone.t's to show.
 */


#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_lead_phone.h"


#define takes(region, in, out)                                                \
    check(region, in, sizeof(in) - 1, out, __LINE__)

#define refuses(region, in)                                                   \
    check(region, in, sizeof(in) - 1, NULL, __LINE__)


static ngx_int_t
e164(const char *region, const void *in, size_t len, char *out)
{
    size_t      n;
    u_char     *room, *code;
    ngx_int_t   rc;
    ngx_str_t   text;

    text.len = len;
    text.data = malloc(len ? len : 1);
    room = malloc(NGX_LEAD_PHONE_MAX);
    code = malloc(2);

    assert_true(text.data && room && code);

    memcpy(text.data, in, len);
    memcpy(code, region, 2);

    rc = ngx_lead_phone_e164(&text, code, room, &n);

    if (rc == NGX_OK) {
        assert_in_range(n, 5, NGX_LEAD_PHONE_MAX);
        memcpy(out, room, n);
        out[n] = '\0';
    }

    assert_memory_equal(text.data, in, len);

    free(text.data);
    free(room);
    free(code);

    return rc;
}


static void
check(const char *region, const char *in, size_t len, const char *out,
    int line)
{
    char       text[NGX_LEAD_PHONE_MAX + 1];
    ngx_int_t  rc;

    rc = e164(region, in, len, text);

    if (rc != NGX_OK && rc != NGX_DECLINED) {
        fail_msg("line %d: %s \"%s\": %d", line, region, in, (int) rc);
    }

    if (rc != NGX_OK && out) {
        fail_msg("line %d: %s \"%s\" was refused", line, region, in);
    }

    if (rc == NGX_OK && (out == NULL || strcmp(text, out) != 0)) {
        fail_msg("line %d: %s \"%s\" is %s, not %s", line, region, in, text,
                 out ? out : "refused");
    }
}


static void
contract(void **state)
{
    takes("US", "+15551234567", "+15551234567");
    takes("US", " 15551234567", "+15551234567");
    takes("US", "+1 555 222 3333", "+15552223333");
    takes("US", "+12065550100", "+12065550100");
    takes("US", "(206) 555-0100", "+12065550100");
    takes("US", "206.555.0100", "+12065550100");
    takes("US", "206/555/0100", "+12065550100");
    takes("US", "  2065550100\r\n", "+12065550100");
    takes("US", "12065550100", "+12065550100");
    takes("US", "1-206-555-0100", "+12065550100");
    takes("US", "+1 (206) 555-0100", "+12065550100");
    takes("US", "206\xc2\xa0" "555\xc2\xa0" "0100", "+12065550100");
    takes("US", "206\xe2\x80\x87" "555\xe2\x80\xaf" "0100", "+12065550100");
    takes("US", "206\xe2\x80\x93" "555\xe2\x80\x94" "0100", "+12065550100");
    takes("US", "206-555-0100 x12", "+12065550100");
    takes("US", "206-555-0100 ext. 12", "+12065550100");
    takes("US", "206-555-0100;ext=12", "+12065550100");
    takes("US", "206-555-0100 #12", "+12065550100");
    takes("US", "0044 20 7946 0958", "+442079460958");
    takes("US", "011 44 20 7946 0958", "+442079460958");
    takes("US", "+442079460958", "+442079460958");

    refuses("US", "555-0100");
    refuses("US", "+1 555-0100");
    refuses("US", "+1 206 555 01000");
    refuses("US", "22065550100");
    refuses("US", "+0123456789");
    refuses("US", "1-800-FLOWERS");
    refuses("US", "hello");
    refuses("US", "");
    refuses("US", "   ");
    refuses("US", "+");
    refuses("US", "ext. 12");
}


static void
written(void **state)
{
    /* digits of other scripts, and of East Asian width */
    takes("US", "\xef\xbc\x8b\xef\xbc\x91 206 555 0100", "+12065550100");
    takes("EG", "\xd9\xa0\xd9\xa1\xd9\xa0\xd9\xa0 123 4567", "+201001234567");
    takes("IR", "\xdb\xb0\xdb\xb9\xdb\xb1\xdb\xb2 345 6789", "+989123456789");
    takes("IN", "\xe0\xa5\xae\xe0\xa5\xa7 2345 6789", "+918123456789");
    takes("US", "\xf0\x9d\x9f\x90" "065550100", "+12065550100");
    takes("JP", "\xef\xbc\x88\xef\xbc\x90\xef\xbc\x93\xef\xbc\x89"
                "\xe3\x80\x80" "1234\xe3\x83\xbc" "5678", "+81312345678");

    /* marks of direction, as address books copy them */
    takes("US", "\xe2\x80\xaa+1 206-555-0100\xe2\x80\xac", "+12065550100");
    takes("US", "\xef\xbb\xbf" "2065550100", "+12065550100");

    takes("US", "[206] 555\t0100.", "+12065550100");
    takes("GB", "+44 (0)20 7946 0958", "+442079460958");
    takes("GB", "(+44) 20 7946 0958", "+442079460958");
    takes("GB", "44 20 7946 0958", "+442079460958");
    takes("GB", "+0044 20 7946 0958", "+442079460958");
    takes("gb", "020 7946 0958", "+442079460958");

    refuses("US", "2065550100,");
    refuses("US", "206555 0100 or 2065550101");
    refuses("US", "Tel 2065550100");
    refuses("US", "206+5550100");
    refuses("US", "++12065550100");
    refuses("US", "*2065550100");
    refuses("US", "206555\n0100");
    refuses("US", "206555\xc2\xb2" "0100");
}


static void
extensions(void **state)
{
    takes("US", "2065550100x12", "+12065550100");
    takes("US", "2065550100 X 12", "+12065550100");
    takes("US", "2065550100 ext12", "+12065550100");
    takes("US", "2065550100, ext: 12", "+12065550100");
    takes("US", "2065550100 (ext 12)", "+12065550100");
    takes("US", "2065550100 Extn. 12", "+12065550100");
    takes("US", "2065550100 extension 12", "+12065550100");
    takes("ES", "912 345 678 extensi\xc3\xb3n 12", "+34912345678");
    takes("ES", "912 345 678 EXTENSI\xc3\x93N 12", "+34912345678");
    takes("ES", "912 345 678 extensio\xcc\x81n 12", "+34912345678");
    takes("PE", "01 2345678 anexo 12", "+5112345678");
    takes("RU", "8 (495) 123-45-67 \xd0\xb4\xd0\xbe\xd0\xb1. 12",
          "+74951234567");
    takes("US", "2065550100 int 12", "+12065550100");
    takes("US", "2065550100,,12#", "+12065550100");
    takes("US", "2065550100;12", "+12065550100");
    takes("US", "2065550100 #12345", "+12065550100");
    takes("US", "2065550100 xt\xef\xbc\x91", "+12065550100");
    takes("US", "2065550100 x123456789", "+12065550100");
    takes("US", "2065550100 ext 12345678901234567890", "+12065550100");

    refuses("US", "2065550100 x");
    refuses("US", "2065550100 ext");
    refuses("US", "2065550100 ext. twelve");
    refuses("US", "2065550100 x1234567890");
    refuses("US", "2065550100 ext 123456789012345678901");
    refuses("US", "2065550100 x12/x13");
    refuses("US", "2065550100 ex12");
    refuses("US", "2065550100,ex12");
    refuses("US", "2065550100 extra 12");
    refuses("US", "2065550100 \xd0\xb4\xd0\xbe 12");
    refuses("US", "2065550100#");
    refuses("US", "x12");
}


static void
uris(void **state)
{
    takes("US", "tel:+1-206-555-0100", "+12065550100");
    takes("US", "TEL:2065550100", "+12065550100");
    takes("GB", "tel:206-555-0100;phone-context=+1", "+12065550100");
    takes("GB", "tel:555-0100;phone-context=+1-206", "+12065550100");
    takes("GB", "tel:555-0100;phone-context=+1-206;x=y", "+12065550100");
    takes("GB", "tel:020-7946-0958;phone-context=example.com",
          "+442079460958");
    takes("US", "tel:+12065550100;ext=12", "+12065550100");
    takes("US", "tel:2065550100;ext=12;phone-context=+1", "+12065550100");
    takes("US", "tel:+12065550100;isub=1411", "+12065550100");
    takes("US", "tel:2065550100;isub=a;phone-context=+1", "+12065550100");

    refuses("US", "tel:");
    refuses("US", "tel:+12065550100;ext=");
    refuses("US", "tel:+12065550100;ext=1a");
    refuses("US", "tel:+12065550100;isub=");
    refuses("US", "tel:+12065550100;isub");
    refuses("US", "tel:+12065550100;what=1");
    refuses("US", "tel:+12065550100;phone-context=+1");
    refuses("US", "tel:5550100;phone-context=+1a206");
    refuses("US", "tel:5550100;isub=\xff;phone-context=+1");
    refuses("US", "tel:2065550100;phone-contex");
}


/* 00 and a lost "+" are taken for what they mean, but not against a number
 * that the region has */

static void
international(void **state)
{
    takes("RU", "8~10 44 20 7946 0958", "+442079460958");
    takes("RU", "810 44 20 7946 0958", "+442079460958");
    takes("RU", "00 44 20 7946 0958", "+442079460958");
    takes("UA", "0~0 44 20 7946 0958", "+442079460958");
    takes("AU", "0011 44 20 7946 0958", "+442079460958");
    takes("AU", "00 44 20 7946 0958", "+442079460958");
    takes("JP", "010 1 206 555 0100", "+12065550100");
    takes("BR", "00 15 1 206 555 0100", "+12065550100");
    takes("FI", "990 1 206 555 0100", "+12065550100");
    takes("NG", "00 44 20 7946 0958", "+442079460958");
    takes("US", " 33142345678", "+33142345678");
    takes("GB", " 15551234567", "+15551234567");
    takes("US", " 2065550100", "+12065550100");
    takes("JP", "0077 712345", "+810077712345");

    takes("ZZ", "+442079460958", "+442079460958");
    takes("ZZ", "0044 20 7946 0958", "+442079460958");
    takes("ZZ", "+800 1234 5678", "+80012345678");
    takes("US", "+290 5123", "+2905123");

    refuses("RU", "8~20 44 20 7946 0958");
    refuses("ZZ", "020 7946 0958");
    refuses("ZZ", "2065550100");
    refuses("\x00\x00", "2065550100");
    refuses("\xc0\x55", "2065550100");
    refuses("US", "+999 123456789");
    refuses("US", "+44");
    refuses("US", "011");
}


/* where a number is not just a prefix and the rest */

static void
plans(void **state)
{
    takes("AR", "011 15-2345-6789", "+5491123456789");
    takes("AR", "011 2345-6789", "+541123456789");
    takes("AR", "+54 9 11 2345 6789", "+5491123456789");
    takes("AR", "+54 11 15 2345 6789", "+5491123456789");
    takes("AR", "02966 15-123456", "+5492966123456");
    takes("BR", "(11) 96123-4567", "+5511961234567");
    takes("BR", "0 15 11 96123-4567", "+5511961234567");
    takes("BR", "90 15 11 2345-6789", "+551123456789");
    takes("MX", "01 222 123 4567", "+522221234567");
    takes("MX", "+52 1 222 123 4567", "+522221234567");
    takes("MX", "044 222 123 4567", "+522221234567");
    takes("IT", "06 1234 5678", "+390612345678");
    takes("IT", "+39 06 1234 5678", "+390612345678");
    takes("IT", "312 345 6789", "+393123456789");
    takes("VA", "06 698 12345", "+390669812345");
    takes("SM", "886377", "+3780549886377");
    takes("RU", "8 (495) 123-45-67", "+74951234567");
    takes("KZ", "8 (710) 000 9998", "+77100009998");
    takes("BY", "8 0152 450911", "+375152450911");
    takes("HU", "06 1 234 5678", "+3612345678");
    takes("LT", "8 612 34567", "+37061234567");
    takes("KR", "082 2 212 3456", "+8222123456");
    takes("CN", "010 1234 5678", "+861012345678");
    takes("CO", "0 456 601 234 5678", "+576012345678");
    takes("DE", "030 123456", "+4930123456");
    takes("FR", "01 23 45 67 89", "+33123456789");

    /* one code, several regions */
    takes("CA", "506 234 5678", "+15062345678");
    takes("AG", "460 1234", "+12684601234");
    refuses("US", "460 1234");
    takes("BM", "1 441 370 1234", "+14413701234");
    takes("GG", "256 789", "+441481256789");
    takes("IM", "01624 756 789", "+441624756789");
    takes("JE", "01534 456 789", "+441534456789");
}


static void
regions(void **state)
{
    assert_true(ngx_lead_phone_region((u_char *) "US"));
    assert_true(ngx_lead_phone_region((u_char *) "us"));
    assert_true(ngx_lead_phone_region((u_char *) "AC"));
    assert_true(ngx_lead_phone_region((u_char *) "ZW"));
    assert_true(ngx_lead_phone_region((u_char *) "XK"));

    assert_false(ngx_lead_phone_region((u_char *) "ZZ"));
    assert_false(ngx_lead_phone_region((u_char *) "AA"));
    assert_false(ngx_lead_phone_region((u_char *) "UK"));
    assert_false(ngx_lead_phone_region((u_char *) "00"));
    assert_false(ngx_lead_phone_region((u_char *) "\0\0"));
    assert_false(ngx_lead_phone_region((u_char *) "\xff\xff"));
    assert_false(ngx_lead_phone_region((u_char *) "{["));
}


static void
limits(void **state)
{
    char    text[300];
    u_char  digits[NGX_LEAD_PHONE_DIGITS + 1];

    /* fifteen digits are a number, sixteen are not, whatever the plan says */
    takes("DE", "+49 1234567890123", "+491234567890123");
    refuses("DE", "+49 12345678901234");
    refuses("JP", "0012345678901234");

    /* 250 characters, of which white space around does not count */
    memset(text, ' ', sizeof(text));
    memcpy(text, "2065550100", 10);
    check("US", text, 300, "+12065550100", __LINE__);

    text[249] = '.';
    check("US", text, 300, "+12065550100", __LINE__);

    text[250] = '.';
    check("US", text, 300, NULL, __LINE__);

    memset(digits, '1', sizeof(digits));
    check("US", (char *) digits, NGX_LEAD_PHONE_DIGITS, NULL, __LINE__);
    check("US", (char *) digits, NGX_LEAD_PHONE_DIGITS + 1, NULL, __LINE__);

    memcpy(text, "tel:", 4);
    memset(text + 4, '2', NGX_LEAD_PHONE_DIGITS);
    memcpy(text + 4 + NGX_LEAD_PHONE_DIGITS, ";phone-context=+1", 17);
    check("US", text, NGX_LEAD_PHONE_DIGITS + 21, NULL, __LINE__);
    check("AG", text + 5, NGX_LEAD_PHONE_DIGITS + 20, NULL, __LINE__);
}


/* all starts of texts, and each of their bytes as every other */

static void
cuts(void **state)
{
    char         out[NGX_LEAD_PHONE_MAX + 1];
    size_t       i, n, len;
    ngx_uint_t   b, taken;
    u_char       text[128];
    const char **s;

    static const char *texts[] = {
        "tel:206-555-0100;ext=12;isub=3;phone-context=+1-206;x",
        "\xef\xbc\x8b\xef\xbc\x91 (206)\xc2\xa0" "555\xe2\x80\x93" "0100"
            ", extensi\xc3\xb3n 12#",
        "011 15\xf0\x9d\x9f\x90" "3456789 \xd0\xb4\xd0\xbe\xd0\xb1. 7",
        "8~10 44 20 7946 0958,,1",
        NULL
    };

    taken = 0;

    for (s = texts; *s; s++) {
        len = strlen(*s);

        for (n = 0; n <= len; n++) {
            taken += (e164("AR", *s, n, out) == NGX_OK);
        }

        for (i = 0; i < len; i++) {

            for (b = 0; b < 256; b++) {
                memcpy(text, *s, len);
                text[i] = (u_char) b;
                taken += (e164("RU", text, len, out) == NGX_OK);
            }
        }
    }

    assert_true(taken > 500);
}


/* what is no UTF-8, at the end and inside */

static void
not_utf8(void **state)
{
    size_t  i;

    static const char *bad[] = {
        "\x80", "\xbf", "\xc0\xb1", "\xc1\xb1", "\xc2", "\xe0\x80\xb1",
        "\xe2\x80", "\xed\xa0\x80", "\xef\xbc", "\xf0\x80\x80\xb1",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf0\x9d\x9f", "\xff", NULL
    };

    char  text[32];

    for (i = 0; bad[i]; i++) {
        snprintf(text, sizeof(text), "2065550100%s", bad[i]);
        check("US", text, strlen(text), NULL, __LINE__);

        snprintf(text, sizeof(text), "206%s5550100", bad[i]);
        check("US", text, strlen(text), NULL, __LINE__);

        snprintf(text, sizeof(text), "2065550100 x%s1", bad[i]);
        check("US", text, strlen(text), NULL, __LINE__);
    }

    refuses("US", "2065550100\0");
    refuses("US", "\0" "2065550100");
    refuses("US", "206\0" "5550100");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(contract),
        cmocka_unit_test(written),
        cmocka_unit_test(extensions),
        cmocka_unit_test(uris),
        cmocka_unit_test(international),
        cmocka_unit_test(plans),
        cmocka_unit_test(regions),
        cmocka_unit_test(limits),
        cmocka_unit_test(cuts),
        cmocka_unit_test(not_utf8),
    };

    return cmocka_run_group_tests_name("phone", tests, NULL, NULL);
}
