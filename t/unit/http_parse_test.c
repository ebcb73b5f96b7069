
/*
 * Copyright (C) the ngx_lead authors
 *
 * The parser of a receiver's answer: status lines, headers, what ends a body,
 * chunks, limits, Retry-After, and that it is the same however the bytes come.
 *
 * Each piece that is fed lies in a block of its exact size.
 */


#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "ngx_lead_http_client.h"


#define NOW  1700000000                      /* of t/unit/ngx_time.c */

#define KEEP  0
#define CLOSE 1

/* an answer: its status, what is made of the connection, its body */
#define answers(text, status, close, body)                                    \
    check_answer(text, sizeof(text) - 1, 0, status, close, body, __LINE__)

/* one that the peer's end ends */
#define answers_eof(text, status, body)                                       \
    check_answer(text, sizeof(text) - 1, 1, status, CLOSE, body, __LINE__)

/* what is no answer; and what is not one yet, and none if it ends here */
#define invalid(text)     check_invalid(text, sizeof(text) - 1, __LINE__)
#define incomplete(text)  check_incomplete(text, sizeof(text) - 1, __LINE__)

#define retries(value, seconds)                                               \
    check_retry("HTTP/1.1 503\r\nRetry-After:" value "\r\n"                   \
                "Content-Length: 0\r\n\r\n", seconds, __LINE__)

#define OK      "HTTP/1.1 200 OK\r\n"
#define LENGTH  "Content-Length: "
#define CODING  "Transfer-Encoding: "
#define CHUNKED OK CODING "chunked\r\n\r\n"


typedef struct {
    ngx_lead_http_parse_t  p;
    ngx_int_t              rc;
    size_t                 taken;
} result_t;


/* fed in pieces of so many bytes, the first one of another size */

static void
feed(result_t *r, const char *text, size_t len, size_t first, size_t step)
{
    size_t   i, n;
    u_char  *block, *pos;

    memset(&r->p, 0xa5, sizeof(r->p));
    ngx_lead_http_parse_init(&r->p);

    r->rc = NGX_AGAIN;
    r->taken = 0;

    for (i = 0; i < len && r->rc == NGX_AGAIN; i += n) {
        n = i ? step : first;
        n = ngx_min(n, len - i);

        block = malloc(n);
        assert_non_null(block);
        memcpy(block, text + i, n);

        pos = block;
        r->rc = ngx_lead_http_parse(&r->p, &pos, block + n);

        assert_true(pos >= block && pos <= block + n);
        assert_true(r->rc != NGX_AGAIN || pos == block + n);
        assert_memory_equal(block, text + i, n);

        r->taken += pos - block;

        free(block);
    }
}


static void
check_same(result_t *a, result_t *b, int line)
{
    if (a->rc != b->rc) {
        fail_msg("line %d: %d in pieces, %d as a whole", line, (int) b->rc,
                 (int) a->rc);
    }

    assert_int_equal(a->taken, b->taken);
    assert_int_equal(a->p.state, b->p.state);

    if (a->rc == NGX_ERROR) {
        return;
    }

    assert_int_equal(a->p.status, b->p.status);
    assert_int_equal(a->p.version, b->p.version);
    assert_int_equal(a->p.header_size, b->p.header_size);
    assert_int_equal(a->p.length, b->p.length);
    assert_int_equal(a->p.rest, b->p.rest);
    assert_int_equal(a->p.body_size, b->p.body_size);
    assert_int_equal(a->p.retry_after, b->p.retry_after);
    assert_int_equal(a->p.close, b->p.close);
    assert_int_equal(a->p.nanswer, b->p.nanswer);
    assert_memory_equal(a->p.answer, b->p.answer, a->p.nanswer);
}


/* as a whole; the same comes of all cuts in two, and of small pieces */

static result_t
parse(const char *text, size_t len, int line)
{
    size_t    i, step;
    result_t  whole, r;

    feed(&whole, text, len, len, len);

    for (step = 1; step <= 7; step++) {
        feed(&r, text, len, step, step);
        check_same(&whole, &r, line);
    }

    step = 1 + len / 300;

    for (i = 1; i < len; i += step) {
        feed(&r, text, len, i, len);
        check_same(&whole, &r, line);
    }

    return whole;
}


static void
check_answer(const char *text, size_t len, int eof, ngx_uint_t status,
    unsigned close, const char *body, int line)
{
    u_char    *pos, byte;
    result_t   r;

    r = parse(text, len, line);

    if (eof) {
        assert_int_equal(r.rc, NGX_AGAIN);
        r.rc = ngx_lead_http_parse_eof(&r.p);
    }

    if (r.rc != NGX_OK) {
        fail_msg("line %d: %d", line, (int) r.rc);
    }

    if (r.p.status != status || r.p.close != close) {
        fail_msg("line %d: status %d, close %d", line, (int) r.p.status,
                 r.p.close);
    }

    if (r.p.nanswer != strlen(body)
        || memcmp(r.p.answer, body, r.p.nanswer) != 0)
    {
        fail_msg("line %d: the body is \"%.*s\"", line, (int) r.p.nanswer,
                 r.p.answer);
    }

    assert_int_equal(r.taken, len);

    /* and so it stays */

    pos = &byte;
    byte = 'x';

    assert_int_equal(ngx_lead_http_parse(&r.p, &pos, &byte + 1), NGX_OK);
    assert_ptr_equal(pos, &byte);
    assert_int_equal(ngx_lead_http_parse_eof(&r.p), NGX_OK);
}


static void
check_invalid(const char *text, size_t len, int line)
{
    u_char    *pos, byte;
    result_t   r;

    r = parse(text, len, line);

    if (r.rc != NGX_ERROR) {
        fail_msg("line %d: %d", line, (int) r.rc);
    }

    pos = &byte;
    byte = 'x';

    assert_int_equal(ngx_lead_http_parse(&r.p, &pos, &byte + 1), NGX_ERROR);
    assert_int_equal(ngx_lead_http_parse_eof(&r.p), NGX_ERROR);
}


static void
check_incomplete(const char *text, size_t len, int line)
{
    result_t  r;

    r = parse(text, len, line);

    if (r.rc != NGX_AGAIN) {
        fail_msg("line %d: %d", line, (int) r.rc);
    }

    /* of a status line that is not whole, or another one's, nothing is kept */

    if (memchr(text, '\n', len) == NULL || r.p.status < 200) {
        assert_int_equal(r.p.status, 0);
        assert_int_equal(r.p.version, 0);
    }

    assert_int_equal(ngx_lead_http_parse_eof(&r.p), NGX_ERROR);
}


static void
check_retry(const char *text, time_t seconds, int line)
{
    result_t  r;

    r = parse(text, strlen(text), line);

    assert_int_equal(r.rc, NGX_OK);

    if (r.p.retry_after != seconds) {
        fail_msg("line %d: %ld", line, (long) r.p.retry_after);
    }
}


static void
status_line(void **state)
{
    answers(OK LENGTH "0\r\n\r\n", 200, KEEP, "");
    answers("HTTP/1.1 200\r\n" LENGTH "0\r\n\r\n", 200, KEEP, "");
    answers("HTTP/1.1 200 \r\n" LENGTH "0\r\n\r\n", 200, KEEP, "");
    answers("HTTP/1.1 404 Not  Found, \xe9\t!\r\n" LENGTH "0\r\n\r\n", 404,
            KEEP, "");
    answers("HTTP/1.1 999 x\r\n" LENGTH "0\r\n\r\n", 999, KEEP, "");
    answers("HTTP/1.9 500 x\r\n" LENGTH "0\r\n\r\n", 500, KEEP, "");

    invalid("HTTP/2.0 200 OK\r\n\r\n");
    invalid("HTTP/2 200\r\n\r\n");
    invalid("HTTP/0.9 200 OK\r\n\r\n");
    invalid("HTTP/1.10 200 OK\r\n\r\n");
    invalid("HTTP/1. 200 OK\r\n\r\n");
    invalid("HTTP/1.x 200 OK\r\n\r\n");
    invalid("http/1.1 200 OK\r\n\r\n");
    invalid(" HTTP/1.1 200 OK\r\n\r\n");
    invalid("\r\nHTTP/1.1 200 OK\r\n\r\n");
    invalid("HTTP/1.1  200 OK\r\n\r\n");
    invalid("HTTP/1.1\t200 OK\r\n\r\n");
    invalid("HTTP/1.1 099 OK\r\n\r\n");
    invalid("HTTP/1.1 000 OK\r\n\r\n");
    invalid("HTTP/1.1 20 OK\r\n\r\n");
    invalid("HTTP/1.1 2000 OK\r\n\r\n");
    invalid("HTTP/1.1 200OK\r\n\r\n");
    invalid("HTTP/1.1 -20 OK\r\n\r\n");
    invalid("HTTP/1.1 2x0 OK\r\n\r\n");
    invalid("HTTP/1.1 2/0 OK\r\n\r\n");
    invalid("HTTP/1.1 2:0 OK\r\n\r\n");
    invalid("HTTP/1.1 20/ OK\r\n\r\n");
    invalid("HTTP/1.1 20: OK\r\n\r\n");
    invalid("HTTP/1./ 200 OK\r\n\r\n");
    invalid("HTTP/1.: 200 OK\r\n\r\n");
    invalid("HTTP/1.1 200\tOK\r\n\r\n");
    invalid("HTTP/1.1 \r\n\r\n");
    invalid("HTTP/1.1\r\n\r\n");
    invalid("HTTP/1.1 20\n");

    incomplete("");
    incomplete("H");
    incomplete("HTTP/1.");
    incomplete("HTTP/1.1 200 OK");
    incomplete("HTTP/1.1 200 OK\r");
    incomplete("HTTP/1.1 200 OK\r\n");
    incomplete("HTTP/1.1 200 OK\r\n" LENGTH "0");
    incomplete("HTTP/1.1 200 OK\r\n" LENGTH "0\r\n");
    incomplete("HTTP/1.1 200 OK\r\n" LENGTH "0\r\n\r");
}


static void
junk(void **state)
{
    invalid("x");
    invalid("<html>hello</html>");
    invalid("220 mail.example.com ESMTP\r\n");
    invalid("SSH-2.0-OpenSSH_9.2\r\n");
    invalid("ICY 200 OK\r\n\r\n");
    invalid("\x15\x03\x01\x00\x02\x02\x46");
    invalid("\0\0\0\0");
    invalid("HTTQ");
    invalid("POST / HTTP/1.1\r\n\r\n");
}


static void
bare_lf(void **state)
{
    answers("HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", 200, KEEP, "hi");
    answers("HTTP/1.1 200 OK\nContent-Length: 2\r\n\nhi", 200, KEEP, "hi");
    answers("HTTP/1.1 200 OK\r\nContent-Length: 2\n\r\nhi", 200, KEEP, "hi");
    answers("HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n2\nhi\n0\n\n", 200,
            KEEP, "hi");

    invalid("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\rx");
    invalid(OK "X: a\rb\r\n\r\n");
    invalid(OK "X: a\r\r\n\r\n");
}


static void
headers(void **state)
{
    answers(OK "X: 1\r\nY:\r\ncontent-LENGTH:2\r\n\r\nhi", 200, KEEP, "hi");
    answers(OK LENGTH "  \t2 \t\r\n\r\nhi", 200, KEEP, "hi");
    answers(OK "!#$%&'*+-.^_`|~09aZ: \xff\x80\x01\r\n" LENGTH "0\r\n\r\n", 200,
            KEEP, "");
    answers(OK "Content-Length-X: 7\r\nX-Content-Length: 8\r\n"
            "Content-Lengt: 9\r\n" LENGTH "1\r\n\r\nx", 200, KEEP, "x");

    answers(OK "Kontent-Length: 7\r\nContent-Lengti: 8\r\n"
            "Transfer-Ekcoding: chunked\r\nConnektion: close\r\n"
            LENGTH "1\r\n\r\nx", 200, KEEP, "x");

    invalid(OK "no colon\r\n\r\n");
    invalid(OK ": no name\r\n\r\n");
    invalid(OK "Content-Length : 2\r\n\r\nhi");
    invalid(OK "Content Length: 2\r\n\r\nhi");
    invalid(OK "X\0: 2\r\n\r\n");
    invalid(OK "X: a\0b\r\n\r\n");
    invalid(OK "X\xe9: 2\r\n\r\n");
    invalid(OK "(X: 2\r\n\r\n");
    invalid(OK "X): 2\r\n\r\n");
    invalid(OK "X:\0\r\n\r\n");
    invalid(OK "X:\ra\r\n\r\n");
}


static void
folding(void **state)
{
    answers(OK "X: a\r\n b\r\n\tc\r\n" LENGTH "1\r\n\r\nx", 200, KEEP, "x");
    answers(OK LENGTH "\r\n 2\r\n\r\nhi", 200, KEEP, "hi");
    answers(OK "Connection: x,\r\n close\r\n" LENGTH "0\r\n\r\n", 200, CLOSE,
            "");
    answers(OK "X: a\r\n \r\n" LENGTH "0\r\n\r\n", 200, KEEP, "");
    answers(OK "X: a\n b\n" LENGTH "0\n\n", 200, KEEP, "");
    answers(OK "X: a\r\n " LENGTH "5\r\n" LENGTH "1\r\n\r\nx", 200, KEEP, "x");

    invalid(OK LENGTH "1\r\n 2\r\n\r\nhi");
    invalid(OK " X: a\r\n\r\n");
    invalid(OK "\tX: a\r\n\r\n");
    invalid(OK " \r\n\r\n");
}


static void
lengths(void **state)
{
    answers(OK LENGTH "5\r\n\r\nhello", 200, KEEP, "hello");
    answers(OK LENGTH "00005\r\n\r\nhello", 200, KEEP, "hello");
    answers("HTTP/1.1 500 x\r\n" LENGTH "1\r\n\r\n\n", 500, KEEP, "\n");

    answers(OK LENGTH "2\r\n" LENGTH "2\r\n\r\nhi", 200, KEEP, "hi");
    answers(OK LENGTH "2, 2\r\n\r\nhi", 200, KEEP, "hi");
    answers(OK LENGTH "2,02\r\n\r\nhi", 200, KEEP, "hi");

    invalid(OK LENGTH "2\r\n" LENGTH "3\r\n\r\nhi");
    invalid(OK LENGTH "2, 3\r\n\r\nhi");
    invalid(OK LENGTH "-1\r\n\r\n");
    invalid(OK LENGTH "+1\r\n\r\nx");
    invalid(OK LENGTH "\r\n\r\n");
    invalid(OK LENGTH ",\r\n\r\n");
    invalid(OK LENGTH "1,\r\n\r\nx");
    invalid(OK LENGTH "1 2\r\n\r\nx");
    invalid(OK LENGTH "0x1\r\n\r\nx");
    invalid(OK LENGTH "1.0\r\n\r\nx");
    invalid(OK LENGTH "one\r\n\r\nx");
    invalid(OK LENGTH "9223372036854775808\r\n\r\nx");
    invalid(OK LENGTH "18446744073709551616\r\n\r\nx");
    invalid(OK LENGTH "99999999999999999999999999\r\n\r\nx");

    incomplete(OK LENGTH "999999999999999999\r\n\r\nx");
    incomplete(OK LENGTH "2\r\n\r\n");
    incomplete(OK LENGTH "2\r\n\r\nh");
}


/* what comes behind an answer is left alone */

static void
behind(void **state)
{
    static const char  *texts[] = {
        OK LENGTH "2\r\n\r\nhi",
        "HTTP/1.1 204 x\r\n\r\n",
        "HTTP/1.1 304 x\r\n" LENGTH "2\r\n\r\n",
        CHUNKED "2\r\nhi\r\n0\r\n\r\n",
        CHUNKED "0\r\nX: 1\r\n\r\n"
    };

    char      text[256];
    size_t    i, len;
    result_t  r;

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        len = strlen(texts[i]);
        memcpy(text, texts[i], len);
        memcpy(text + len, "HTTP/1.1 500 x\r\n\r\n", 18);

        r = parse(text, len + 18, __LINE__);

        assert_int_equal(r.rc, NGX_OK);
        assert_int_equal(r.taken, len);
        assert_int_not_equal(r.p.status, 500);
    }
}


static void
no_length(void **state)
{
    answers_eof(OK "\r\n", 200, "");
    answers_eof(OK "\r\nhello", 200, "hello");
    answers_eof("HTTP/1.1 410 Gone\r\nConnection: keep-alive\r\n\r\nx", 410,
                "x");
    answers_eof("HTTP/1.0 200 OK\r\n\r\nhello", 200, "hello");
    answers_eof("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nhello", 200,
                "hello");
}


static void
no_body(void **state)
{
    answers("HTTP/1.1 204 No Content\r\n\r\n", 204, KEEP, "");
    answers("HTTP/1.1 304 Not Modified\r\n\r\n", 304, KEEP, "");
    answers("HTTP/1.1 204 x\r\n" LENGTH "5\r\n\r\n", 204, KEEP, "");
    answers("HTTP/1.1 204 x\r\n" CODING "chunked\r\n\r\n", 204, KEEP, "");
    answers("HTTP/1.1 304 x\r\n" LENGTH "5\r\n\r\n", 304, KEEP, "");
    answers("HTTP/1.1 204 x\r\nConnection: close\r\n\r\n", 204, CLOSE, "");
    answers("HTTP/1.0 204 x\r\n\r\n", 204, CLOSE, "");
    answers("HTTP/1.1 205 x\r\n" LENGTH "0\r\n\r\n", 205, KEEP, "");
}


static void
informational(void **state)
{
    answers("HTTP/1.1 100 Continue\r\n\r\n" OK LENGTH "2\r\n\r\nhi", 200, KEEP,
            "hi");
    answers("HTTP/1.1 100\n\nHTTP/1.1 200\n" LENGTH "0\n\n", 200, KEEP, "");
    answers("HTTP/1.1 102 x\r\nX: y\r\n\r\nHTTP/1.1 103 x\r\n"
            "Link: </a>\r\n\r\nHTTP/1.1 503 x\r\n" LENGTH "0\r\n\r\n", 503,
            KEEP, "");

    /* theirs is not the answer's */

    answers("HTTP/1.1 103 x\r\n" LENGTH "7\r\nConnection: close\r\n"
            CODING "chunked\r\nRetry-After: 9\r\n\r\n"
            OK LENGTH "2\r\n\r\nhi", 200, KEEP, "hi");
    check_retry("HTTP/1.1 103 x\r\nRetry-After: 9\r\n\r\n"
                OK LENGTH "0\r\n\r\n", -1, __LINE__);
    answers("HTTP/1.0 100 x\r\n\r\n" OK LENGTH "0\r\n\r\n", 200, KEEP, "");

    invalid("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n");
    invalid("HTTP/1.1 100 x\r\n\r\nhello");
    incomplete("HTTP/1.1 100 Continue\r\n\r\n");
    incomplete("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n");
}


static void
connection(void **state)
{
    answers(OK "Connection: close\r\n" LENGTH "0\r\n\r\n", 200, CLOSE, "");
    answers(OK "connection:CLOSE\r\n" LENGTH "0\r\n\r\n", 200, CLOSE, "");
    answers(OK "Connection: keep-alive\r\n" LENGTH "0\r\n\r\n", 200, KEEP, "");
    answers(OK "Connection: upgrade , Close\r\n" LENGTH "0\r\n\r\n", 200, CLOSE,
            "");
    answers(OK "Connection: keep-alive, close\r\n" LENGTH "0\r\n\r\n", 200,
            CLOSE, "");
    answers(OK "Connection: closed, x-close, clos, klose\r\n"
            LENGTH "0\r\n\r\n", 200, KEEP, "");
    answers(OK "Connection:\r\nConnection: x\r\nConnection: close\r\n"
            LENGTH "0\r\n\r\n", 200, CLOSE, "");
    answers(OK "Proxy-Connection: close\r\n" LENGTH "0\r\n\r\n", 200, KEEP, "");

    answers("HTTP/1.0 200 OK\r\n" LENGTH "2\r\n\r\nhi", 200, CLOSE, "hi");
    answers("HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n"
            LENGTH "2\r\n\r\nhi", 200, KEEP, "hi");
    answers("HTTP/1.0 200 OK\r\nConnection: keep-alive, close\r\n"
            LENGTH "2\r\n\r\nhi", 200, CLOSE, "hi");
}


static void
chunks(void **state)
{
    answers(CHUNKED "5\r\nhello\r\n0\r\n\r\n", 200, KEEP, "hello");
    answers(CHUNKED "2\r\nhe\r\n1\r\nl\r\n2\r\nlo\r\n0\r\n\r\n", 200, KEEP,
            "hello");
    answers(CHUNKED "A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", 200,
            KEEP, "01234567890123456789");
    answers(CHUNKED "000000000005\r\nhello\r\n000000000000\r\n\r\n", 200, KEEP,
            "hello");
    answers(CHUNKED "9\r\n123456789\r\n0\r\n\r\n", 200, KEEP, "123456789");
    answers(CHUNKED "F\r\n123456789abcdef\r\n0\r\n\r\n", 200, KEEP,
            "123456789abcdef");
    answers(CHUNKED "0\r\n\r\n", 200, KEEP, "");
    answers(CHUNKED "4\r\n\r\n\r\n\r\n0\r\n\r\n", 200, KEEP, "\r\n\r\n");

    /* extensions, blanks, trailers */

    answers(CHUNKED "5;a=b;c=\"d;\r5\"\r\nhello\r\n0;x\r\n\r\n", 200, KEEP,
            "hello");
    answers(CHUNKED "5;\nhello\r\n0;\n\n", 200, KEEP, "hello");
    answers(CHUNKED "5 \r\nhello\r\n0\t \r\n\r\n", 200, KEEP, "hello");
    answers(CHUNKED "5 ;a\r\nhello\r\n0\r\n\r\n", 200, KEEP, "hello");
    answers(CHUNKED "5\r\nhello\r\n0\r\nX: 1\r\nRetry-After: 7\r\n\r\n", 200,
            KEEP, "hello");
    answers(CHUNKED "0\r\n" LENGTH "5\r\nConnection: close\r\n\r\n", 200, KEEP,
            "");
    check_retry(CHUNKED "0\r\nRetry-After: 7\r\n\r\n", -1, __LINE__);

    invalid(CHUNKED "\r\n");
    invalid(CHUNKED ";a\r\n");
    invalid(CHUNKED " 5\r\nhello");
    invalid(CHUNKED "-5\r\nhello");
    invalid(CHUNKED "0x5\r\nhello");
    invalid(CHUNKED "g\r\n");
    invalid(CHUNKED "5 5\r\nhello");
    invalid(CHUNKED "5\rhello");
    invalid(CHUNKED "5\r\nhello0\r\n\r\n");
    invalid(CHUNKED "5\r\nhello!\r\n0\r\n\r\n");
    invalid(CHUNKED "5\r\nhello\r0\r\n\r\n");
    invalid(CHUNKED "0\r\n\rx");
    invalid(CHUNKED "0000000000005\r\nhello");
    invalid(CHUNKED "ffffffffffffffff\r\nx");
    invalid(CHUNKED "10000000000000005\r\nhello");

    incomplete(CHUNKED);
    incomplete(CHUNKED "5");
    incomplete(CHUNKED "5\r\nhello");
    incomplete(CHUNKED "5\r\nhello\r\n");
    incomplete(CHUNKED "5\r\nhello\r\n0\r\n");
    incomplete(CHUNKED "5\r\nhello\r\n0\r\n\r");
    incomplete(CHUNKED "ffffffffffff\r\nx");
    incomplete(CHUNKED "0\r\nX: 1\r\n");
}


static void
codings(void **state)
{
    answers(OK CODING "Chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", 200, KEEP, "x");
    answers(OK CODING "gzip, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", 200, KEEP,
            "x");
    answers(OK CODING "gzip\r\n" CODING "chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
            200, KEEP, "x");
    answers(OK CODING ", chunked ,\r\n\r\n1\r\nx\r\n0\r\n\r\n", 200, KEEP, "x");
    answers(OK CODING "identity\r\n" LENGTH "1\r\n\r\nx", 200, KEEP, "x");

    answers_eof(OK CODING "gzip\r\n\r\nx", 200, "x");
    answers_eof(OK CODING "chunkedx\r\n\r\nx", 200, "x");
    answers_eof(OK CODING "gzip\r\n" LENGTH "1\r\n\r\nxyz", 200, "xyz");

    /* a length beside it says nothing, but the connection is not trusted */

    answers(OK CODING "chunked\r\n" LENGTH "3\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            200, CLOSE, "hello");
    answers(OK LENGTH "3\r\n" CODING "chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            200, CLOSE, "hello");
    answers("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n"
            CODING "chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", 200, CLOSE, "x");

    invalid(OK CODING "chunked, chunked\r\n\r\n");
    invalid(OK CODING "chunked\r\n" CODING "chunked\r\n\r\n");
    invalid(OK CODING "chunked, gzip\r\n\r\n");
    invalid(OK LENGTH "x\r\n" CODING "chunked\r\n\r\n");
}


static void
retry_after(void **state)
{
    retries(" 0", 0);
    retries("120", 120);
    retries("\t86400 ", 86400);
    retries(" 007", 7);
    retries(" 2147483647", 2147483647);
    retries(" 99999999999", 2147483647);
    retries(" 99999999999999999999999999999999999999999", 2147483647);

    retries("", -1);
    retries(" -1", -1);
    retries(" +1", -1);
    retries(" 1.5", -1);
    retries(" 1 2", -1);
    retries(" 120, 240", -1);
    retries(" soon", -1);
    retries(" 10s", -1);

    /* 2023-11-14T22:13:20Z is now */

    retries(" Tue, 14 Nov 2023 22:13:20 GMT", 0);
    retries(" Tue, 14 Nov 2023 22:13:21 GMT", 1);
    retries(" Wed, 15 Nov 2023 22:13:20 GMT", 86400);
    retries(" Tuesday, 14-Nov-23 22:14:20 GMT", 60);
    retries(" Tue Nov 14 22:15:20 2023", 120);
    retries(" Tue, 14 Nov 2023 22:13:19 GMT", 0);
    retries(" Thu, 01 Jan 1970 00:00:00 GMT", 0);
    retries(" Tue, 14 Foo 2023 22:13:21 GMT", -1);
    retries(" 2023-11-14T22:13:21Z", -1);

    /* the first one that can be read */

    check_retry("HTTP/1.1 503\r\nRetry-After: soon\r\nretry-after: 5\r\n"
                "Retry-After: 7\r\n" LENGTH "0\r\n\r\n", 5, __LINE__);
    check_retry("HTTP/1.1 429\r\nX-Retry-After: 5\r\n" LENGTH "0\r\n\r\n", -1,
                __LINE__);

    assert_int_equal(ngx_time(), NOW);
}


/* how a body begins is kept */

static void
kept(void **state)
{
    char        text[8192], *p;
    size_t      i, n;
    result_t    r;

    static const size_t  sizes[] = { 0, 1, 255, 256, 257, 4000 };

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {

        p = text + sprintf(text, OK LENGTH "%zu\r\n\r\n", sizes[i]);

        for (n = 0; n < sizes[i]; n++) {
            *p++ = (char) n;
        }

        r = parse(text, p - text, __LINE__);

        assert_int_equal(r.rc, NGX_OK);
        assert_int_equal(r.p.body_size, sizes[i]);
        assert_int_equal(r.p.nanswer, ngx_min(sizes[i],
                                              NGX_LEAD_HTTP_ANSWER_KEPT));
        assert_memory_equal(r.p.answer, p - sizes[i], r.p.nanswer);
    }

    /* also across chunks */

    p = text + sprintf(text, CHUNKED);

    for (n = 0; n < 300; n++) {
        p += sprintf(p, "1\r\n%c\r\n", 'a' + (int) n % 26);
    }

    p += sprintf(p, "0\r\n\r\n");

    r = parse(text, p - text, __LINE__);

    assert_int_equal(r.rc, NGX_OK);
    assert_int_equal(r.p.body_size, 300);
    assert_int_equal(r.p.nanswer, 256);
    assert_int_equal(r.p.answer[255], 'a' + 255 % 26);
}


/* text, then so many of a byte, then more of it */

static result_t
longer(const char *text, int byte, size_t n, const char *rest)
{
    char      *all;
    size_t     len;
    result_t   r;

    len = strlen(text);

    all = malloc(len + n + strlen(rest) + 1);
    assert_non_null(all);

    memcpy(all, text, len);
    memset(all + len, byte, n);
    strcpy(all + len + n, rest);

    r = parse(all, len + n + strlen(rest), __LINE__);

    free(all);

    return r;
}


static result_t
long_one(const char *text, size_t n, const char *rest)
{
    return longer(text, 'x', n, rest);
}


static void
body_limit(void **state)
{
    result_t  r;

    r = long_one(OK LENGTH "65536\r\n\r\n", 65536, "");

    assert_int_equal(r.rc, NGX_OK);
    assert_false(r.p.close);

    /* the status counts, the rest of the body does not */

    r = long_one(OK LENGTH "65537\r\n\r\n", 65537, "");

    assert_int_equal(r.rc, NGX_OK);
    assert_int_equal(r.p.status, 200);
    assert_int_equal(r.p.body_size, 65536);
    assert_int_equal(r.p.nanswer, 256);
    assert_true(r.p.close);

    r = long_one(OK LENGTH "65537\r\n\r\n", 65536, "");

    assert_int_equal(r.rc, NGX_AGAIN);
    assert_int_equal(ngx_lead_http_parse_eof(&r.p), NGX_ERROR);

    r = long_one(OK LENGTH "999999999999999999\r\n\r\n", 65537, "");

    assert_int_equal(r.rc, NGX_OK);
    assert_true(r.p.close);

    r = long_one(OK "\r\n", 65536, "");

    assert_int_equal(r.rc, NGX_AGAIN);
    assert_int_equal(ngx_lead_http_parse_eof(&r.p), NGX_OK);

    r = long_one(OK "\r\n", 65537, "");

    assert_int_equal(r.rc, NGX_OK);
    assert_int_equal(r.p.body_size, 65536);

    r = long_one(CHUNKED "10000\r\n", 65536, "\r\n0\r\n\r\n");

    assert_int_equal(r.rc, NGX_OK);
    assert_false(r.p.close);

    r = long_one(CHUNKED "10000\r\n", 65536, "\r\n1\r\nx\r\n0\r\n\r\n");

    assert_int_equal(r.rc, NGX_OK);
    assert_int_equal(r.p.body_size, 65536);
    assert_true(r.p.close);

    r = long_one(CHUNKED "ffffffffffff\r\n", 65537, "");

    assert_int_equal(r.rc, NGX_OK);
    assert_true(r.p.close);
}


static void
header_limit(void **state)
{
    char      *all;
    size_t     i, n;
    result_t   r;

    /* up to the limit; a long line is read over */

    n = 65536 - strlen(OK "X: \r\n" LENGTH "1\r\n\r\n");

    r = long_one(OK "X: ", n, "\r\n" LENGTH "1\r\n\r\ny");

    assert_int_equal(r.rc, NGX_OK);
    assert_int_equal(r.p.header_size, 65536);
    assert_int_equal(r.p.answer[0], 'y');

    r = long_one(OK "X: ", n + 1, "\r\n" LENGTH "1\r\n\r\ny");

    assert_int_equal(r.rc, NGX_ERROR);

    assert_int_equal(long_one(OK "X: ", 66000, "").rc, NGX_ERROR);
    assert_int_equal(long_one("HTTP/1.1 200 ", 66000, "").rc, NGX_ERROR);
    assert_int_equal(long_one(OK, 66000, "").rc, NGX_ERROR);
    assert_int_equal(long_one(OK, 1024, ": 1\r\n\r\n").rc, NGX_ERROR);

    r = long_one("HTTP/1.1 200 ", 2000, "\r\n" LENGTH "0\r\n\r\n");

    assert_int_equal(r.rc, NGX_OK);
    assert_int_equal(r.p.status, 200);

    /* also what frames chunks */

    assert_int_equal(long_one(CHUNKED "1;", 66000, "").rc, NGX_ERROR);
    assert_int_equal(long_one(CHUNKED "0\r\n", 66000, "").rc, NGX_ERROR);
    assert_int_equal(longer(CHUNKED "1", ' ', 66000, "").rc, NGX_ERROR);

    n = 65536 - strlen(CHUNKED "\r\n\r\n");

    r = long_one(CHUNKED "1;", n, "\r\nx\r\n0\r\n\r\n");

    assert_int_equal(r.rc, NGX_OK);
    assert_int_equal(r.p.header_size, 65536);

    r = long_one(CHUNKED "1;", n + 1, "\r\nx\r\n0\r\n\r\n");

    assert_int_equal(r.rc, NGX_ERROR);

    r = long_one(CHUNKED "0\r\n", n, "\r\n\r\n");

    assert_int_equal(r.rc, NGX_OK);
    assert_int_equal(r.p.header_size, 65536);

    r = long_one(CHUNKED "0\r\n", n + 1, "\r\n\r\n");

    assert_int_equal(r.rc, NGX_ERROR);

    n = 65536 - strlen(CHUNKED "\r\n");

    r = longer(CHUNKED "1", '\t', n, "\r\nx\r\n0\r\n\r\n");

    assert_int_equal(r.rc, NGX_OK);
    assert_int_equal(r.p.header_size, 65536);

    r = longer(CHUNKED "1", '\t', n + 1, "\r\nx\r\n0\r\n\r\n");

    assert_int_equal(r.rc, NGX_ERROR);

    /* and answers before the answer, of 16 bytes each */

    all = malloc(4097 * 16);
    assert_non_null(all);

    for (i = 0; i < 4097; i++) {
        memcpy(all + i * 16, "HTTP/1.1 100\r\n\r\n", 16);
    }

    feed(&r, all, 4096 * 16, 4096 * 16, 1);
    assert_int_equal(r.rc, NGX_AGAIN);

    feed(&r, all, 4096 * 16 + 1, 4096 * 16 + 1, 1);
    assert_int_equal(r.rc, NGX_ERROR);

    free(all);
}


/* a value that is cut off is not believed */

static void
cut(void **state)
{
    result_t  r;

    r = long_one(OK LENGTH "1\r\nConnection: ", 1100, ", keep-alive\r\n\r\ny");

    assert_int_equal(r.rc, NGX_OK);
    assert_true(r.p.close);

    r = long_one(OK LENGTH "1\r\nRetry-After: 1", 1100, "\r\n\r\ny");

    assert_int_equal(r.rc, NGX_OK);
    assert_int_equal(r.p.retry_after, -1);

    assert_int_equal(long_one(OK CODING, 1100, ", chunked\r\n\r\n").rc,
                     NGX_ERROR);
    assert_int_equal(long_one(OK LENGTH "1,", 1100, "\r\n\r\n").rc,
                     NGX_ERROR);

    /* one line's length is not the next one's */

    r = long_one(OK "X: ", 1100, "\r\nConnection: x\r\n" LENGTH "1\r\n\r\ny");

    assert_int_equal(r.rc, NGX_OK);
    assert_false(r.p.close);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(status_line),
        cmocka_unit_test(junk),
        cmocka_unit_test(bare_lf),
        cmocka_unit_test(headers),
        cmocka_unit_test(folding),
        cmocka_unit_test(lengths),
        cmocka_unit_test(behind),
        cmocka_unit_test(no_length),
        cmocka_unit_test(no_body),
        cmocka_unit_test(informational),
        cmocka_unit_test(connection),
        cmocka_unit_test(chunks),
        cmocka_unit_test(codings),
        cmocka_unit_test(retry_after),
        cmocka_unit_test(kept),
        cmocka_unit_test(body_limit),
        cmocka_unit_test(header_limit),
        cmocka_unit_test(cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
