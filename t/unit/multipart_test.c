
/*
 * Copyright (C) the ngx_lead authors
 *
 * multipart/form-data to trees: what is taken, and as what; what clients
 * send; what is refused; the limits and one beyond each; all cuts.
 *
 * Needs cmocka, yajl and ngx_pool.c, no nginx, and must not time anything.
 * All memory is the pool's of the test.
 */


#include "json_test.h"
#include "ngx_lead_form.h"


#define TYPE  "multipart/form-data; boundary=X"

/* a part, its name and its other headers, and the last boundary */

#define PART(name, headers, value)                                            \
    "--X\r\nContent-Disposition: form-data; name=\"" name "\"\r\n" headers    \
    "\r\n" value "\r\n"

#define HEAD(disposition)                                                     \
    "--X\r\nContent-Disposition: " disposition "\r\n\r\n1\r\n"

#define END  "--X--\r\n"

#define takes(in, out)                                                        \
    check_takes(TYPE, (u_char *) in, sizeof(in) - 1, out, __LINE__)

#define takes_as(type, in, out)                                               \
    check_takes(type, (u_char *) in, sizeof(in) - 1, out, __LINE__)

#define refuses(in, why)                                                      \
    check_refuses(TYPE, (u_char *) in, sizeof(in) - 1, why, __LINE__)

#define refuses_as(type, in, why)                                             \
    check_refuses(type, (u_char *) in, sizeof(in) - 1, why, __LINE__)

#define BOUNDARY     "no valid boundary in Content-Type"
#define ABSENT       "no boundary in a multipart body"
#define BEHIND       "no line end behind a boundary"
#define ENDLESS      "part without an end"
#define CUT          "headers of a part cut off"
#define CONTROL      "control character in a part's headers"
#define HEADER       "malformed header of a part"
#define REPEATED     "repeated header of a part"
#define DISPOSITION  "malformed Content-Disposition"
#define OTHER        "part that is no form-data"
#define NAMELESS     "part without a name"
#define CONTENT      "malformed Content-Type of a part"
#define NESTED       "multipart in a part"
#define ENCODED      "encoded part"
#define CHARSET      "part in another charset"
#define MANY         "too many headers of a part"
#define LONG         "headers of a part too long"


static ngx_lead_json_t *
form(const char *type, u_char *in, size_t len, int line)
{
    ngx_str_t         s, t;
    const char       *why;
    ngx_lead_json_t  *root;

    why = "";
    root = NULL;
    s = bytes(in, len);
    t = bytes(type, ngx_strlen(type));

    if (ngx_lead_form_multipart(pool, &t, &s, 1, &root, &why) != NGX_OK) {
        fail_msg("line %d: refused: %s: %.*s", line, why, (int) len, in);
    }

    if (ngx_memcmp(s.data, in, len) != 0) {
        fail_msg("line %d: the input was changed", line);
    }

    assert_int_equal(root->type, NGX_LEAD_JSON_OBJECT);

    return root;
}


static void
check_takes(const char *type, u_char *in, size_t len, const char *out,
    int line)
{
    const char  *got;

    got = text(form(type, in, len, line));

    if (ngx_strcmp(got, out) != 0) {
        fail_msg("line %d: got %s", line, got);
    }
}


static void
check_refuses(const char *type, u_char *in, size_t len, const char *reason,
    int line)
{
    ngx_int_t         rc;
    ngx_str_t         s, t;
    const char       *why;
    ngx_lead_json_t  *root;

    why = "";
    root = NULL;
    s = bytes(in, len);
    t = bytes(type, ngx_strlen(type));

    rc = ngx_lead_form_multipart(pool, &t, &s, 1, &root, &why);

    if (rc != NGX_DECLINED || root
        || (reason && ngx_strcmp(why, reason) != 0))
    {
        fail_msg("line %d: %d %s: %.*s", line, (int) rc, why, (int) len, in);
    }
}


static void
test_parts(void **state)
{
    takes(END, "{}");
    takes("--X--", "{}");
    takes(PART("a", "", "1") END, "{\"a\":\"1\"}");
    takes(PART("a", "", "") END, "{\"a\":\"\"}");
    takes(PART("a", "", "1") PART("b", "", "2") "--X--",
          "{\"a\":\"1\",\"b\":\"2\"}");
    takes(PART("a", "", "1") PART("b", "", "2") PART("a", "", "3") END,
          "{\"a\":\"3\",\"b\":\"2\"}");
    takes(PART("a[]", "", "1") PART("a[]", "", "2") PART("b[c]", "", "3") END,
          "{\"a\":[\"1\",\"2\"],\"b\":{\"c\":\"3\"}}");
    takes(PART("", "", "1") PART("b", "", "2") END, "{\"b\":\"2\"}");
    takes(PART("_charset_", "", "utf-8") END, "{\"_charset_\":\"utf-8\"}");

    /* nothing of a value is decoded, nor cut off */

    takes(PART("a", "", " 1+2=%33&\\\"x\t ") END,
          "{\"a\":\" 1+2=%33&\\\\\\\"x\\t \"}");
    takes(PART("a", "", "1\r\n") END, "{\"a\":\"1\\r\\n\"}");
    takes(PART("a", "", "\r\n1") END, "{\"a\":\"\\r\\n1\"}");
    takes(PART("a", "", "\r\n\r\n") END, "{\"a\":\"\\r\\n\\r\\n\"}");
    takes(PART("a", "", "1\n2\r3\r\r") END, "{\"a\":\"1\\n2\\r3\\r\\r\"}");
    takes(PART("a", "", "x: y\r\n\r\nz") END,
          "{\"a\":\"x: y\\r\\n\\r\\nz\"}");
    takes(PART("a", "", "\xef\xbb\xbfx") END, "{\"a\":\"\xef\xbb\xbfx\"}");
    takes(PART("a", "", "\xff\xe4\xbd") END,
          "{\"a\":\"\xef\xbf\xbd\xef\xbf\xbd\"}");
    takes(PART("\xc3\xa9\xc3", "", "1") END,
          "{\"\xc3\xa9\xef\xbf\xbd\":\"1\"}");

    /* all that stands between the headers and the next boundary */

    takes("--X\r\nContent-Disposition: form-data; name=a\r\n\r\n--X--",
          "{\"a\":\"\"}");
    takes("--X\r\nContent-Disposition: form-data; name=a\r\n\r\n" END,
          "{\"a\":\"\"}");
    takes("--X\r\nContent-Disposition: form-data; name=a\r\n\r\n"
          PART("b", "", "2") END, "{\"a\":\"\",\"b\":\"2\"}");
}


static void
test_nul(void **state)
{
    ngx_lead_json_t  *root;

    static u_char  doc[] = PART("a", "", "x\0y") PART("b", "", "xy") END;

    root = form(TYPE, doc, sizeof(doc) - 1, __LINE__);

    assert_int_equal(root->first->type, NGX_LEAD_JSON_NUL_STRING);
    assert_int_equal(root->first->text.len, 3);
    assert_int_equal(root->last->type, NGX_LEAD_JSON_STRING);
}


static void
test_around(void **state)
{
    takes("\r\n" PART("a", "", "1") END, "{\"a\":\"1\"}");
    takes("This is a message\r\n in MIME format.\r\n\r\n"
          PART("a", "", "1") END, "{\"a\":\"1\"}");
    takes("x--X\r\n\r\r\n" PART("a", "", "1") END, "{\"a\":\"1\"}");
    takes("-\r\n--\r\n" PART("a", "", "1") END, "{\"a\":\"1\"}");
    takes(PART("a", "", "1") END "\r\n", "{\"a\":\"1\"}");
    takes(PART("a", "", "1") END "x\n\0\r\n" PART("b", "", "2"),
          "{\"a\":\"1\"}");
    takes(PART("a", "", "1") END END "--X", "{\"a\":\"1\"}");

    /* spaces and tabs behind a boundary */

    takes("--X \t \r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n"
          "--X\t\r\nContent-Disposition: form-data; name=b\r\n\r\n2\r\n"
          "--X-- \t", "{\"a\":\"1\",\"b\":\"2\"}");
    takes("--X-- \r\n", "{}");

    refuses("", ABSENT);
    refuses("-", ABSENT);
    refuses("--", ABSENT);
    refuses("\r\n", ABSENT);
    refuses("a=1&b=2", ABSENT);
    refuses("{\"a\":1}", ABSENT);
    refuses(" --X--\r\n", ABSENT);
    refuses("\n--X--\r\n", ABSENT);
    refuses("\r--X--\r\n", ABSENT);
    refuses("--x--\r\n", ABSENT);
    refuses("--Y\r\n", ABSENT);
    refuses("X--\r\n", ABSENT);

    refuses("--X", BEHIND);
    refuses("--X-", BEHIND);
    refuses("--X \r", BEHIND);
    refuses("--X\n", BEHIND);
    refuses("--Xx\n", BEHIND);
    refuses("--X\rx", BEHIND);
    refuses(PART("a", "", "1") "--X", BEHIND);
    refuses("--X--\n", BEHIND);
    refuses("--X--\r", BEHIND);
    refuses("--X--x", BEHIND);
    refuses("--X-- x\r\n", BEHIND);
    refuses("--X---", BEHIND);
    refuses("--X- \r\n", BEHIND);
    refuses("--X - \r\n", BEHIND);
    refuses("--XY--\r\n", BEHIND);
    refuses("x\r\n--XY\r\n" PART("a", "", "1") END, BEHIND);
    refuses(PART("a", "", "1\r\n--Xtra\r\n") END, BEHIND);
    refuses(PART("a", "", "1") "--X -- \r\n", BEHIND);

    refuses("--X\r\n", CUT);
    refuses("--X\r\n\r\n", OTHER);
    refuses("--X\r\n\r\n--X--\r\n", OTHER);
    refuses("--X\r\n--X--\r\n", HEADER);
    refuses("--X\r\nContent-Disposition: form-data; name=a\r\n--X--\r\n",
            HEADER);
    refuses(PART("a", "", "1"), ENDLESS);
    refuses(PART("a", "", "1") "--Y--\r\n", ENDLESS);
    refuses(PART("a", "", "1") "-X--\r\n", ENDLESS);
    refuses("--X\r\nContent-Disposition: form-data; name=a\r\n\r\n1\n" END,
            ENDLESS);
    refuses("--X\r\nContent-Disposition: form-data; name=a\r\n\r\n1" END,
            ENDLESS);
}


/* what is like a boundary, but is none */

static void
test_inside(void **state)
{
    static const char  type[] = "multipart/form-data; boundary=--abab";

    takes(PART("a", "", "x--X--\r\n") END, "{\"a\":\"x--X--\\r\\n\"}");
    takes(PART("a", "", "\n--X--\n") END, "{\"a\":\"\\n--X--\\n\"}");
    takes(PART("a", "", "\r--X--\r") END, "{\"a\":\"\\r--X--\\r\"}");
    takes(PART("a", "", "\r\n --X\r\n-X--\r\n--x--") END,
          "{\"a\":\"\\r\\n --X\\r\\n-X--\\r\\n--x--\"}");
    takes(PART("a", "", "\r\r\n\r\n-\r\n-") END,
          "{\"a\":\"\\r\\r\\n\\r\\n-\\r\\n-\"}");

    takes_as(type, "----abab\r\nContent-Disposition: form-data; name=a\r\n\r\n"
             "--ab\r\n----ab\r\n----aba\r\n---abab\r\r\n----abab--",
             "{\"a\":\"--ab\\r\\n----ab\\r\\n----aba\\r\\n---abab\\r\"}");

    /* the last boundary may begin as the one before ends */

    takes_as("multipart/form-data; boundary=--", "----\r\n"
             "Content-Disposition: form-data; name=a\r\n\r\n--\r\n------",
             "{\"a\":\"--\"}");

    /* the line end before it may be that of the headers */

    takes(PART("a", "", "--X--"), "{\"a\":\"\"}");
    refuses(PART("a", "", "--X") END, HEADER);

    /* with a colon it could be a header */

    refuses_as("multipart/form-data; boundary=\"a: b\"", "--a: b\r\n"
               "Content-Disposition: form-data; name=a\r\n"
               "--a: b\r\n\r\n1\r\n--a: b--\r\n", HEADER);
    takes_as("multipart/form-data; boundary=\"a: b\"", "--a: b\r\n"
             "Content-Disposition: form-data; name=a\r\n"
             "--a: c\r\n\r\n1\r\n--a: b--\r\n", "{\"a\":\"1\"}");
}


static void
test_names(void **state)
{
    takes(HEAD("form-data; name=a") END, "{\"a\":\"1\"}");
    takes(HEAD("form-data;name=a;") END, "{\"a\":\"1\"}");
    takes(HEAD("form-data ;; name=a; ;") END, "{\"a\":\"1\"}");
    takes(HEAD("FORM-Data; NAME=a") END, "{\"a\":\"1\"}");
    takes(HEAD("form-data; name=\"a\" \t") END, "{\"a\":\"1\"}");
    takes(HEAD("form-data; x=y; name=\"a\"; z=\"\\\";name=b\"") END,
          "{\"a\":\"1\"}");
    takes(HEAD("form-data; name*=UTF-8''x; name=a") END, "{\"a\":\"1\"}");
    takes(HEAD("form-data; name=a[]") END, "{\"a\":[\"1\"]}");
    takes(HEAD("form-data; name=\"a b;c=d\"") END, "{\"a b;c=d\":\"1\"}");
    takes("--X\r\ncontent-DISPOSITION:form-data; name=a\r\n\r\n1\r\n" END,
          "{\"a\":\"1\"}");
    takes("--X\r\nContent-Disposition:\t form-data; name=a\r\n\r\n1\r\n" END,
          "{\"a\":\"1\"}");

    /* what is undone, and what is not */

    takes(PART("a\\\"b", "", "1") END, "{\"a\\\"b\":\"1\"}");
    takes(PART("\\\\\\\"", "", "1") END, "{\"\\\\\\\"\":\"1\"}");
    refuses(PART("a\\b\\", "", "1") END, DISPOSITION);
    takes(PART("C:\\dir", "", "1") END, "{\"C:\\\\dir\":\"1\"}");
    takes(PART("%22%0D%0A", "", "1") END, "{\"\\\"\\r\\n\":\"1\"}");
    takes(PART("%0d%0a%41%%2", "", "1") END, "{\"%0d%0a%41%%2\":\"1\"}");
    takes(PART("%2522", "", "1") END, "{\"%2522\":\"1\"}");
    takes(PART("%%22%", "", "1") END, "{\"%\\\"%\":\"1\"}");
    takes(PART("a+b", "", "1") END, "{\"a+b\":\"1\"}");
    takes(PART("%22[%22]", "", "1") END, "{\"\\\"\":{\"\\\"\":\"1\"}}");

    refuses(HEAD("form-data") END, NAMELESS);
    refuses(HEAD("form-data;") END, NAMELESS);
    refuses(HEAD("form-data; filename=\"a\"") END, NAMELESS);
    refuses(HEAD("form-data; name*=UTF-8''x") END, NAMELESS);
    refuses(HEAD("form-data; name=a; name=b") END, "part with two names");
    refuses(HEAD("form-data; name=\"\"; Name=b") END, "part with two names");

    refuses(HEAD("form-data; name") END, DISPOSITION);
    refuses(HEAD("form-data; name=") END, DISPOSITION);
    refuses(HEAD("form-data; name=;") END, DISPOSITION);
    refuses(HEAD("form-data; name =a") END, DISPOSITION);
    refuses(HEAD("form-data; name= a") END, DISPOSITION);
    refuses(HEAD("form-data; =a") END, DISPOSITION);
    refuses(HEAD("form-data; name=a b") END, DISPOSITION);
    refuses(HEAD("form-data; name=a\\") END, DISPOSITION);
    refuses(HEAD("form-data; name=\xc3\xa9") END, DISPOSITION);
    refuses(HEAD("form-data; name=\"a") END, DISPOSITION);
    refuses(HEAD("form-data; name=\"a\\\"") END, DISPOSITION);
    refuses(HEAD("form-data; name=\"a\"b") END, DISPOSITION);
    refuses(HEAD("form-data; name=\"a\" x=y") END, DISPOSITION);
    refuses(HEAD("form-data; name=\"a\"\"b\"") END, DISPOSITION);
    refuses(HEAD("form-data; name='a b'") END, DISPOSITION);
    refuses(HEAD("form-data name=a") END, DISPOSITION);
    refuses(HEAD("form-data, name=a") END, DISPOSITION);
    refuses(HEAD("form-data: name=a") END, DISPOSITION);
    refuses(HEAD("form-data\"x\"; name=a") END, DISPOSITION);

    refuses(HEAD("") END, OTHER);
    refuses(HEAD("; name=a") END, OTHER);
    refuses(HEAD("attachment; name=a") END, OTHER);
    refuses(HEAD("form-datax; name=a") END, OTHER);
    refuses(HEAD("form; name=a") END, OTHER);
    refuses(HEAD("name=a") END, OTHER);
    refuses("--X\r\nContent-Type: text/plain\r\n\r\n1\r\n" END, OTHER);
}


static void
test_files(void **state)
{
    takes(PART("a", "", "1") PART("f\"; filename=\"x.pdf",
          "Content-Type: application/pdf\r\n", "\x25\0\xff\r\n--x\r\n")
          PART("b", "", "2") END, "{\"a\":\"1\",\"b\":\"2\"}");
    takes(HEAD("form-data; name=f; filename=x") END, "{}");
    takes(HEAD("form-data; filename=\"\"; name=f") END, "{}");
    takes(HEAD("form-data; name=f; FileName=x") END, "{}");
    takes(HEAD("form-data; name=f; filename*=UTF-8''x%20y") END, "{}");
    takes(HEAD("form-data; name=f; filename=\"a\\\"; x=\\\\\"") END, "{}");
    takes(HEAD("form-data; name=f; filename=\"C:\\a.txt\"") END, "{}");
    takes(HEAD("form-data; name=f; xfilename=x") END, "{\"f\":\"1\"}");

    /* a value of the same name stays; a file is not looked into */

    takes(PART("f", "", "1") HEAD("form-data; name=f; filename=x") END,
          "{\"f\":\"1\"}");
    takes(PART("f\"; filename=\"x", "Content-Transfer-Encoding: base64\r\n"
               "Content-Type: text/plain; charset=utf-16\r\n", "AAAA") END,
          "{}");
    takes(PART("f\"; filename=\"x", "Content-Type: text/plain; =\r\n", "") END,
          "{}");
    refuses(PART("f\"; filename=\"x", "Content-Type: multipart/mixed\r\n", "")
            END, NESTED);
}


static void
test_headers(void **state)
{
    takes(PART("a", "Content-Length: 1\r\nX09azAZ:\r\nX:\r\nX:\r\n", "1") END,
          "{\"a\":\"1\"}");
    takes(PART("a", "X-Y_z.1!#$%&'*+^`|~: \t\"\\ \xc3\xa9\xff;=\r\n", "1") END,
          "{\"a\":\"1\"}");
    takes("--X\r\nA: b\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n"
          END, "{\"a\":\"1\"}");

    refuses(PART("a", "X\r\n", "1") END, HEADER);
    refuses(PART("a", ": 1\r\n", "1") END, HEADER);
    refuses(PART("a", "X : 1\r\n", "1") END, HEADER);
    refuses(PART("a", "X y: 1\r\n", "1") END, HEADER);
    refuses(PART("a", "X/y: 1\r\n", "1") END, HEADER);
    refuses(PART("a", "\xc3\xa9: 1\r\n", "1") END, HEADER);
    refuses(PART("a", " folded: 1\r\n", "1") END, HEADER);
    refuses(PART("a", "\tfolded\r\n", "1") END, HEADER);
    refuses("--X\r\nContent-Disposition: form-data;\r\n name=a\r\n\r\n1\r\n"
            END, HEADER);

    refuses(PART("a", "Content-Disposition: form-data; name=b\r\n", "1") END,
            REPEATED);
    refuses(PART("a", "Content-Disposition:\r\n", "1") END, REPEATED);
    refuses(PART("a", "Content-Type:\r\ncontent-type: a/b\r\n", "1") END,
            REPEATED);
    refuses(PART("a", "Content-Transfer-Encoding: 8bit\r\n"
                 "Content-transfer-encoding: 8bit\r\n", "1") END, REPEATED);

    refuses("--X\r\nContent-Disposition: form-data; name=a\n\n1\r\n" END,
            CONTROL);
    refuses("--X\r\nContent-Disposition: form-data; name=a\r\r\n1\r\n" END,
            CONTROL);
    refuses("--X\r\nContent-Disposition: form-data; name=a\r\n\n1\r\n" END,
            CONTROL);
    refuses("--X\r\nContent-Disposition: form-data; name=a\r\n\r1\r\n" END,
            CONTROL);
    refuses(PART("a\nb", "", "1") END, CONTROL);
    refuses(PART("a\rb", "", "1") END, CONTROL);
    refuses(PART("a\0b", "", "1") END, CONTROL);
    refuses(PART("a\x7f", "", "1") END, CONTROL);
    refuses(PART("a", "X: \x01\r\n", "1") END, CONTROL);
    refuses(PART("a", "X\x1f: 1\r\n", "1") END, CONTROL);
    takes(PART("a\tb", "", "1") END, "{\"a\\tb\":\"1\"}");
}


static void
test_content(void **state)
{
    takes(PART("a", "Content-Type: text/plain\r\n", "1") END, "{\"a\":\"1\"}");
    takes(PART("a", "Content-Type: application/json\r\n", "{}") END,
          "{\"a\":\"{}\"}");
    takes(PART("a", "Content-Type:\r\n", "1") END, "{\"a\":\"1\"}");
    takes(PART("a", "Content-Type: text/plain; x=\"y;charset=utf-16\"\r\n",
               "1") END, "{\"a\":\"1\"}");
    takes(PART("a", "Content-Type: text/plain;charset=UTF-8\r\n", "\xc3\xa9")
          END, "{\"a\":\"\xc3\xa9\"}");
    takes(PART("a", "Content-Type: text/plain; Charset=\"utf8\"\r\n",
               "\xc3\xa9") END, "{\"a\":\"\xc3\xa9\"}");
    takes(PART("a", "Content-Type: text/plain; charset=US-ASCII\r\n", "\xe9")
          END, "{\"a\":\"\xef\xbf\xbd\"}");
    takes(PART("a", "Content-Type: text/plain; charset=ISO-8859-1\r\n",
               "x\x7f") END, "{\"a\":\"x\x7f\"}");
    takes(PART("a", "Content-Type: text/plain; charset=windows-1252\r\n", "x")
          END, "{\"a\":\"x\"}");

    refuses(PART("a", "Content-Type: text/plain; charset=ISO-8859-1\r\n",
                 "\xe9") END, CHARSET);
    refuses(PART("a", "Content-Type: text/plain; charset=windows-1252\r\n",
                 "x\x80") END, CHARSET);
    refuses(PART("a", "Content-Type: text/plain; charset=utf-16\r\n", "x") END,
            CHARSET);
    refuses(PART("a", "Content-Type: text/plain; charset=utf-7\r\n", "") END,
            CHARSET);
    refuses(PART("a", "Content-Type: text/plain; charset=\"\"\r\n", "x") END,
            CHARSET);
    refuses(PART("a", "Content-Type: text/plain; charset=utf-80\r\n", "x") END,
            CHARSET);
    refuses(PART("a", "Content-Type: text/plain; charset=utf-8;"
                 " charset=utf-8\r\n", "x") END, "part with two charsets");
    refuses(PART("a", "Content-Type: text/plain; charset=\r\n", "x") END,
            CONTENT);
    refuses(PART("a", "Content-Type: text/plain charset=x\r\n", "x") END,
            CONTENT);
    refuses(PART("a", "Content-Type: text/plain; x\r\n", "x") END, CONTENT);

    refuses(PART("a", "Content-Type: multipart/mixed; boundary=Y\r\n",
                 "--Y--") END, NESTED);
    refuses(PART("a", "Content-Type: MULTIPART/form-data\r\n", "") END,
            NESTED);

    takes(PART("a", "Content-Transfer-Encoding: 7bit\r\n", "1") END,
          "{\"a\":\"1\"}");
    takes(PART("a", "Content-Transfer-Encoding:8BIT \r\n", "\xc3\xa9") END,
          "{\"a\":\"\xc3\xa9\"}");
    takes(PART("a", "Content-Transfer-Encoding: Binary\r\n", "1") END,
          "{\"a\":\"1\"}");
    refuses(PART("a", "Content-Transfer-Encoding: base64\r\n", "MQ==") END,
            ENCODED);
    refuses(PART("a", "Content-Transfer-Encoding: quoted-printable\r\n", "1")
            END, ENCODED);
    refuses(PART("a", "Content-Transfer-Encoding:\r\n", "1") END, ENCODED);
    refuses(PART("a", "Content-Transfer-Encoding: 8bit, base64\r\n", "1") END,
            ENCODED);
    refuses(PART("a", "Content-Transfer-Encoding: 8bitx\r\n", "1") END,
            ENCODED);
    refuses(PART("a", "Content-Transfer-Encoding: x-uuencode\r\n", "1") END,
            ENCODED);
}


static void
check_boundary(const char *in, const char *out, int line)
{
    ngx_int_t  rc;
    ngx_str_t  s, boundary;

    ngx_str_null(&boundary);
    s = bytes(in, ngx_strlen(in));
    rc = ngx_lead_form_boundary(&s, &boundary);

    if (out == NULL) {
        if (rc != NGX_DECLINED || boundary.data) {
            fail_msg("line %d: took %s", line, in);
        }

        return;
    }

    if (rc != NGX_OK || boundary.len != ngx_strlen(out)
        || ngx_memcmp(boundary.data, out, boundary.len) != 0)
    {
        fail_msg("line %d: %d %s", line, (int) rc, in);
    }

    /* a part of what was given */

    assert_true(boundary.data > s.data
                && boundary.data + boundary.len <= s.data + s.len);
}


static void
test_boundary(void **state)
{
    u_char      in[128], out[72], body[256];
    ngx_uint_t  n;

#define boundary(in, out)                                                     \
    check_boundary("multipart/form-data" in, out, __LINE__)

    boundary("; boundary=X", "X");
    boundary(";boundary=X", "X");
    boundary(" ;\t Boundary=X ;", "X");
    boundary("; charset=utf-8; boundary=X", "X");
    boundary("; boundary=X; charset=utf-8", "X");
    boundary("; x=\"boundary=Y; \\\" boundary=Z\"; boundary=X", "X");
    boundary("; boundary=\"X\"", "X");
    boundary("; boundary=\"a b'()+_,-./:=?\"", "a b'()+_,-./:=?");
    boundary("; boundary=a'()+_,-./:=?", "a'()+_,-./:=?");
    boundary("; boundary=*****", "*****");
    boundary("; boundary=!~", "!~");
    boundary("; boundary=\"!~\"", "!~");
    boundary("; boundary=----=_Part_1", "----=_Part_1");
    boundary("; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW",
             "----WebKitFormBoundary7MA4YWxkTrZu0gW");
    boundary("; boundary=\" X\"", " X");

    boundary("", NULL);
    boundary(";", NULL);
    boundary("; boundary", NULL);
    boundary("; boundary=", NULL);
    boundary("; boundary=\"\"", NULL);
    boundary("; boundary=\"X", NULL);
    boundary("; boundary=\"X\\", NULL);
    boundary("; boundary=\"X \"", NULL);
    boundary("; boundary=\" \"", NULL);
    boundary("; boundary=X Y", NULL);
    boundary("; boundary=\"X\"Y", NULL);
    boundary("; boundary=X\"Y\"", NULL);
    boundary("; boundary=\"X\\\"Y\"", NULL);
    boundary("; boundary=\"X\\Y\"", NULL);
    boundary("; boundary=\"X;Y\"", NULL);
    boundary("; boundary=\"X\tY\"", NULL);
    boundary("; boundary=\"X\xc3\xa9\"", NULL);
    boundary("; boundary=\"X\x7f\"", NULL);
    boundary("; boundary=\xc3\xa9", NULL);
    boundary("; boundary=X\x01", NULL);
    boundary("; boundary=X; boundary=X", NULL);
    boundary("; boundary=X; Boundary=\"Y\"", NULL);
    boundary("; boundary = X", NULL);
    boundary("; xboundary=X", NULL);
    boundary("; boundary=X; y", NULL);
    boundary(" boundary=X", NULL);
    boundary(", boundary=X", NULL);
    check_boundary("multipart/mixed; boundary=X", NULL, __LINE__);
    check_boundary("boundary=X", NULL, __LINE__);
    check_boundary("", NULL, __LINE__);

    refuses_as("multipart/form-data", END, BOUNDARY);
    refuses_as("text/plain; boundary=X", END, BOUNDARY);
    takes_as("multipart/form-data; boundary=\"a b\"", "--a b\r\n"
             "Content-Disposition: form-data; name=a\r\n\r\n1\r\n--a b--",
             "{\"a\":\"1\"}");

    /* the longest, and one beyond */

    assert_int_equal(NGX_LEAD_FORM_MAX_BOUNDARY, 70);

    for (n = 69; n <= 71; n++) {
        ngx_memset(out, 'b', n);
        out[n] = '\0';

        sprintf((char *) in, "multipart/form-data; boundary=%s", out);
        check_boundary((char *) in, (n > 70) ? NULL : (char *) out, __LINE__);

        sprintf((char *) in, "multipart/form-data; boundary=\"%s\"", out);
        check_boundary((char *) in, (n > 70) ? NULL : (char *) out, __LINE__);
    }

    ngx_memset(out, 'b', 70);
    out[70] = '\0';
    sprintf((char *) in, "multipart/form-data; boundary=%s", out);
    n = sprintf((char *) body, "--%s\r\nContent-Disposition: form-data; "
                "name=a\r\n\r\n1\r\n--%s--", out, out);
    check_takes((char *) in, body, n, "{\"a\":\"1\"}", __LINE__);
}


/* a form of n parts, each with m further headers of size bytes */

static size_t
build(u_char *dst, ngx_uint_t n, const char *name, ngx_uint_t m, size_t size)
{
    u_char      *p;
    ngx_uint_t   i, k;

    p = dst;

    for (i = 0; i < n; i++) {
        p += sprintf((char *) p, "--X\r\nContent-Disposition: form-data; "
                     "name=\"%s\"\r\n", name);

        for (k = 0; k < m; k++) {
            *p++ = 'Y';
            *p++ = ':';
            ngx_memset(p, 'z', size - 4);
            p += size - 4;
            *p++ = '\r';
            *p++ = '\n';
        }

        p += sprintf((char *) p, "\r\n%d\r\n", (int) i);
    }

    return ngx_cpymem(p, END, sizeof(END) - 1) - dst;
}


static void
check_limit(u_char *in, size_t len, const char *why, int line)
{
    if (why) {
        check_refuses(TYPE, in, len, why, line);

    } else {
        (void) form(TYPE, in, len, line);
    }
}


static void
test_limits(void **state)
{
    u_char   *in, name[300];
    size_t    head;

    in = ngx_palloc(pool, 65536);

    /* parts, files too */

    check_limit(in, build(in, 128, "a", 0, 0), NULL, __LINE__);
    check_limit(in, build(in, 129, "a", 0, 0), "too many fields in a form",
                __LINE__);
    check_limit(in, build(in, 128, "a[]", 0, 0), NULL, __LINE__);
    check_limit(in, build(in, 128, "a\"; filename=\"", 0, 0), NULL, __LINE__);
    check_limit(in, build(in, 129, "a\"; filename=\"", 0, 0),
                "too many fields in a form", __LINE__);

    /* bytes of a name, undone */

    ngx_memset(name, 'n', 256);
    name[255] = '\0';
    check_limit(in, build(in, 1, (char *) name, 0, 0), NULL, __LINE__);
    name[255] = 'n';
    name[256] = '\0';
    check_limit(in, build(in, 1, (char *) name, 0, 0),
                "name of a form's field too long", __LINE__);
    ngx_memcpy(name, "\\\"", 2);
    check_limit(in, build(in, 1, (char *) name, 0, 0), NULL, __LINE__);
    check_limit(in, build(in, 1, "a[][][][][][][][]", 0, 0), NULL, __LINE__);
    check_limit(in, build(in, 1, "a[][][][][][][][][]", 0, 0),
                "too many brackets in the name of a form's field", __LINE__);

    /* headers, of each part, the one with the name too */

    assert_int_equal(NGX_LEAD_FORM_MAX_HEADERS, 32);
    check_limit(in, build(in, 3, "a", 31, 4), NULL, __LINE__);
    check_limit(in, build(in, 1, "a", 32, 4), MANY, __LINE__);

    /* their bytes */

    assert_int_equal(NGX_LEAD_FORM_MAX_HEAD, 16384);
    head = sizeof("Content-Disposition: form-data; name=\"a\"\r\n") - 1;
    check_limit(in, build(in, 3, "a", 1, 16384 - head), NULL, __LINE__);
    check_limit(in, build(in, 1, "a", 1, 16384 - head + 1), LONG, __LINE__);
    check_limit(in, build(in, 1, "a", 31, 16384 / 31), LONG, __LINE__);
    check_limit(in, build(in, 1, "a", 31, (16384 - head) / 31), NULL,
                __LINE__);
}


/* as the clients write them */

static void
test_clients(void **state)
{
    static const char  all[] =
        "multipart/form-data; boundary=----WebKitFormBoundaryA1b2C3d4E5f6G7h8";
    static const char  curl[] =
        "multipart/form-data; "
        "boundary=------------------------d74496d66958873e";
    static const char  net[] =
        "multipart/form-data; boundary=\"b2cb-11\"";
    static const char  java[] =
        "multipart/form-data; charset=UTF-8; boundary=-=_Part/1";

    /* a browser: an empty file, a text with lines, a name with a quote */

    takes_as(all,
             "------WebKitFormBoundaryA1b2C3d4E5f6G7h8\r\n"
             "Content-Disposition: form-data; name=\"say %22hi%22\"\r\n\r\n"
             "one\r\ntwo\r\n"
             "------WebKitFormBoundaryA1b2C3d4E5f6G7h8\r\n"
             "Content-Disposition: form-data; name=\"cv\"; filename=\"\"\r\n"
             "Content-Type: application/octet-stream\r\n\r\n\r\n"
             "------WebKitFormBoundaryA1b2C3d4E5f6G7h8\r\n"
             "Content-Disposition: form-data; name=\"last\"\r\n\r\n\r\n"
             "------WebKitFormBoundaryA1b2C3d4E5f6G7h8--\r\n",
             "{\"say \\\"hi\\\"\":\"one\\r\\ntwo\",\"last\":\"\"}");

    takes_as(curl,
             "--------------------------d74496d66958873e\r\n"
             "Content-Disposition: form-data; name=\"api_key\"\r\n\r\n"
             "lap_live_P1\r\n"
             "--------------------------d74496d66958873e\r\n"
             "Content-Disposition: form-data; name=\"f\"; filename=\"x.txt\""
             "\r\nContent-Type: text/plain\r\n\r\nfile\n\r\n"
             "--------------------------d74496d66958873e--\r\n",
             "{\"api_key\":\"lap_live_P1\"}");

    /* .NET: a quoted boundary, names without quotes, the type first */

    takes_as(net,
             "--b2cb-11\r\nContent-Type: text/plain; charset=utf-8\r\n"
             "Content-Disposition: form-data; name=email\r\n\r\na@b.co\r\n"
             "--b2cb-11\r\nContent-Type: text/plain; charset=utf-8\r\n"
             "Content-Disposition: form-data; name=\"a[]\"\r\n\r\n1\r\n"
             "--b2cb-11--\r\n", "{\"email\":\"a@b.co\",\"a\":[\"1\"]}");

    /* Java's older clients: a Latin charset, an encoding that is none */

    takes_as(java,
             "---=_Part/1\r\nContent-Disposition: form-data; name=\"email\""
             "\r\nContent-Type: text/plain; charset=ISO-8859-1\r\n"
             "Content-Transfer-Encoding: 8bit\r\n\r\na@b.co\r\n"
             "---=_Part/1--\r\n", "{\"email\":\"a@b.co\"}");
}


/* no part of a form is one, but for the line end behind the last boundary */

static void
test_cut(void **state)
{
    size_t             i, whole;
    static u_char      doc[] =
        "preamble\r\n" PART("a\\\"%22", "", "1\r\n--\r\n--Y") "--X \r\n"
        "Content-Type: text/plain; charset=iso-8859-1\r\n"
        "Content-Disposition: form-data; name=b[]\r\n"
        "Content-Transfer-Encoding: 8bit\r\n\r\n\r\n"
        PART("f\"; filename=\"x", "X-Y: z\r\n", "\0\xff\r\n--") "--X-- \r\n"
        "epilogue";

    whole = sizeof(doc) - 1 - (sizeof(" \r\nepilogue") - 1);

    for (i = 0; i < sizeof(doc); i++) {

        if (i < whole || (i == whole + 2)) {
            check_refuses(TYPE, doc, i, NULL, __LINE__);

        } else {
            check_takes(TYPE, doc, i, "{\"a\\\"\\\"\":\"1\\r\\n--\\r\\n--Y\","
                        "\"b\":[\"\"]}", __LINE__);
        }
    }

    /* nor is any other rest of it, but from the line end on */

    for (i = sizeof("preamble\r\n"); i < sizeof(doc); i++) {
        ngx_str_t         s, t;
        const char       *why;
        ngx_lead_json_t  *root;

        root = NULL;
        s = bytes(doc + i, sizeof(doc) - 1 - i);
        t = bytes(TYPE, sizeof(TYPE) - 1);

        if (ngx_lead_form_multipart(pool, &t, &s, 1, &root, &why) == NGX_OK) {
            assert_true(root->n <= 1);
        }
    }
}


static void
test_zero_copy(void **state)
{
    ngx_str_t          in, type;
    const char        *why;
    ngx_lead_json_t   *root, *node;
    static const char  doc[] = PART("a[bc]", "", "\xc3\xa9") PART("d", "", "")
                               PART("%22", "", "x") END;

    in = bytes(doc, sizeof(doc) - 1);
    type = bytes(TYPE, sizeof(TYPE) - 1);
    assert_int_equal(ngx_lead_form_multipart(pool, &type, &in, 1, &root,
                                             &why), NGX_OK);

    node = root->first;
    assert_ptr_equal(node->name.data, ngx_strstr(in.data, "a[bc]"));
    assert_ptr_equal(node->first->name.data, node->name.data + 2);
    assert_ptr_equal(node->first->text.data, ngx_strstr(in.data, "\xc3\xa9"));

    node = node->next;
    assert_int_equal(node->text.len, 0);

    node = node->next;
    assert_ptr_equal(node, root->last);
    assert_string_equal(text(node), "\"x\"");
    assert_true(node->name.data < in.data
                || node->name.data >= in.data + in.len);
    assert_ptr_equal(node->text.data, in.data + in.len - 10);
}


static void
test_no_memory(void **state)
{
    ngx_int_t         rc;
    ngx_str_t         in, type;
    ngx_uint_t        n;
    const char       *why;
    ngx_lead_json_t  *root;

    static u_char  doc[] = PART("a[]", "", "1") PART("%22", "", "\xff")
                           PART("\xff", "", "2") END;

    in = bytes(doc, sizeof(doc) - 1);
    type = bytes(TYPE, sizeof(TYPE) - 1);

    for (n = 1; n < 100; n++) {
        root = NULL;
        why = NULL;
        ngx_pool_fail_at = n;

        rc = ngx_lead_form_multipart(pool, &type, &in, 1, &root, &why);

        if (ngx_pool_fail_at) {
            break;
        }

        assert_int_equal(rc, NGX_ERROR);
        assert_null(root);
        assert_null(why);
    }

    /* nodes: the root, a, its element, %22, \xff; texts: a number, %22, and
     * two of U+FFFD */

    assert_int_equal(n, 5 + 4 + 1);

    ngx_pool_fail_at = 0;
    assert_int_equal(rc, NGX_OK);
    assert_string_equal(text(root), "{\"a\":[\"1\"],\"\\\"\":"
                        "\"\xef\xbf\xbd\",\"\xef\xbf\xbd\":\"2\"}");
}


/* values of any bytes that look like boundaries, between boundaries of any
 * length */

static void
test_random(void **state)
{
    u_char                in[8192], boundary[80], type[160];
    u_char                values[10][64], *p;
    size_t                i, k, count, len, vlen[10];
    ngx_uint_t            n;
    ngx_lead_json_t      *root, *node;

    static const u_char   chars[] = "\r\n-Xx";

    for (n = 0; n < 3000; n++) {
        len = 1 + pick(NGX_LEAD_FORM_MAX_BOUNDARY);
        ngx_memset(boundary, 'X', len);

        for (k = 0; k < len; k++) {
            boundary[k] = chars[2 + pick(3)];
        }

        boundary[len] = '\0';
        sprintf((char *) type, "multipart/form-data; boundary=%s", boundary);

        count = pick(10);
        p = in;

        for (i = 0; i < count; i++) {
            vlen[i] = pick(64);

            for (k = 0; k < vlen[i]; k++) {
                values[i][k] = chars[pick(5)];
            }

            /* "\n--" would make some a real one */

            for (k = 0; k + 3 <= vlen[i]; k++) {
                if (ngx_memcmp(values[i] + k, "\n--", 3) == 0) {
                    values[i][k + 1] = '=';
                }
            }

            if (vlen[i] >= 2 && values[i][0] == '-' && values[i][1] == '-') {
                values[i][0] = '=';
            }

            p += sprintf((char *) p, "--%s\r\nContent-Disposition: form-data;"
                         " name=%d\r\n\r\n", boundary, (int) i);
            p = ngx_cpymem(p, values[i], vlen[i]);
            *p++ = '\r';
            *p++ = '\n';
        }

        p += sprintf((char *) p, "--%s--", boundary);

        root = form((char *) type, in, p - in, __LINE__);
        assert_int_equal(root->n, count);

        node = root->first;

        for (i = 0; i < count; i++) {
            assert_int_equal(node->text.len, vlen[i]);
            assert_memory_equal(node->text.data, values[i], vlen[i]);
            node = node->next;
        }

        if (n % 64 == 0) {
            ngx_reset_pool(pool);
        }
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test_setup_teardown(test_parts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nul, setup, teardown),
        cmocka_unit_test_setup_teardown(test_around, setup, teardown),
        cmocka_unit_test_setup_teardown(test_inside, setup, teardown),
        cmocka_unit_test_setup_teardown(test_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_files, setup, teardown),
        cmocka_unit_test_setup_teardown(test_headers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_content, setup, teardown),
        cmocka_unit_test_setup_teardown(test_boundary, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_clients, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(test_zero_copy, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_random, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
