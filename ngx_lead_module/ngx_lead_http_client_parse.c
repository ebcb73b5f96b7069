
/*
 * Copyright (C) the ngx_lead authors
 *
 * Parses an answer of HTTP/1.x as its bytes come, however they are cut: the
 * status, where the body ends, how it begins.
 *
 * Must not take an answer whose end is in doubt for a whole one, nor need
 * more memory than its structure, which is the caller's.
 */


#include "ngx_lead_http_client.h"


#define NGX_LEAD_HTTP_DIGITS_MAX  12         /* of a chunk's size */


enum {
    sw_status = 0,
    sw_line,                                 /* of the header */
    sw_line_start,
    sw_header_lf,                            /* the one that ends the header */
    sw_body,
    sw_body_eof,                             /* up to the peer's end */
    sw_chunk_size,
    sw_chunk_blank,
    sw_chunk_extension,
    sw_chunk_size_lf,
    sw_chunk_data,
    sw_chunk_end,
    sw_chunk_end_lf,
    sw_trailer_start,
    sw_trailer,
    sw_trailer_lf,
    sw_done,
    sw_error
};


static void ngx_lead_http_parse_reset(ngx_lead_http_parse_t *p);
static ngx_int_t ngx_lead_http_parse_byte(ngx_lead_http_parse_t *p, u_char ch);
static ngx_int_t ngx_lead_http_parse_head(ngx_lead_http_parse_t *p, u_char ch);
static ngx_int_t ngx_lead_http_parse_chunk(ngx_lead_http_parse_t *p,
    u_char ch);
static ngx_int_t ngx_lead_http_parse_size(ngx_lead_http_parse_t *p, u_char ch);
static ngx_int_t ngx_lead_http_parse_trailer(ngx_lead_http_parse_t *p,
    u_char ch);
static ngx_int_t ngx_lead_http_parse_data(ngx_lead_http_parse_t *p,
    u_char **pos, u_char *last);
static ngx_int_t ngx_lead_http_parse_put(ngx_lead_http_parse_t *p, u_char ch);
static ngx_int_t ngx_lead_http_parse_status(ngx_lead_http_parse_t *p);
static ngx_int_t ngx_lead_http_parse_header_end(ngx_lead_http_parse_t *p);


void
ngx_lead_http_parse_init(ngx_lead_http_parse_t *p)
{
    p->header_size = 0;
    p->body_size = 0;
    p->nanswer = 0;

    ngx_lead_http_parse_reset(p);
}


static void
ngx_lead_http_parse_reset(ngx_lead_http_parse_t *p)
{
    p->state = sw_status;
    p->status = 0;
    p->version = 0;
    p->length = -1;
    p->rest = 0;
    p->retry_after = -1;
    p->nline = 0;
    p->cut = 0;
    p->coded = 0;
    p->chunked = 0;
    p->keep = 0;
    p->close = 0;
}


ngx_int_t
ngx_lead_http_parse(ngx_lead_http_parse_t *p, u_char **pos, u_char *last)
{
    ngx_int_t  rc;

    if (p->state == sw_done) {
        return NGX_OK;
    }

    if (p->state == sw_error) {
        return NGX_ERROR;
    }

    while (*pos < last) {

        if (p->state == sw_body || p->state == sw_body_eof
            || p->state == sw_chunk_data)
        {
            rc = ngx_lead_http_parse_data(p, pos, last);

        } else {
            rc = ngx_lead_http_parse_byte(p, *(*pos)++);
        }

        if (rc != NGX_AGAIN) {
            p->state = (rc == NGX_OK) ? sw_done : sw_error;
            return rc;
        }
    }

    return NGX_AGAIN;
}


ngx_int_t
ngx_lead_http_parse_eof(ngx_lead_http_parse_t *p)
{
    if (p->state == sw_body_eof) {
        p->state = sw_done;
    }

    if (p->state != sw_done) {
        p->state = sw_error;
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_lead_http_parse_byte(ngx_lead_http_parse_t *p, u_char ch)
{
    switch (p->state) {

    case sw_status:
    case sw_line:
    case sw_line_start:
    case sw_header_lf:
        return ngx_lead_http_parse_head(p, ch);

    case sw_trailer_start:
    case sw_trailer:
    case sw_trailer_lf:
        return ngx_lead_http_parse_trailer(p, ch);

    default:
        return ngx_lead_http_parse_chunk(p, ch);
    }
}


/*
 * A line is looked at when the next one begins, as that may go on with it
 * (folding, which RFC 9112 lets a client take as a space).
 */

static ngx_int_t
ngx_lead_http_parse_head(ngx_lead_http_parse_t *p, u_char ch)
{
    static const u_char  http[] = { 'H', 'T', 'T', 'P', '/', '1', '.' };

    if (++p->header_size > NGX_LEAD_HTTP_ANSWER_MAX) {
        return NGX_ERROR;
    }

    switch (p->state) {

    case sw_status:

        if (p->nline < sizeof(http) && ch != http[p->nline]) {
            return NGX_ERROR;
        }

        if (ch != LF) {
            return ngx_lead_http_parse_put(p, ch);
        }

        return ngx_lead_http_parse_status(p);

    case sw_line:

        if (ch != LF) {
            return ngx_lead_http_parse_put(p, ch);
        }

        if (!p->cut && p->nline && p->line[p->nline - 1] == CR) {
            p->nline--;
        }

        p->state = sw_line_start;

        return NGX_AGAIN;

    case sw_line_start:

        if (ch == ' ' || ch == '\t') {

            if (p->nline == 0) {
                return NGX_ERROR;
            }

            p->state = sw_line;

            return ngx_lead_http_parse_put(p, ' ');
        }

        if (p->nline && ngx_lead_http_parse_line(p) != NGX_OK) {
            return NGX_ERROR;
        }

        p->nline = 0;
        p->cut = 0;

        if (ch == LF) {
            return ngx_lead_http_parse_header_end(p);
        }

        if (ch == CR) {
            p->state = sw_header_lf;
            return NGX_AGAIN;
        }

        p->state = sw_line;

        return ngx_lead_http_parse_put(p, ch);

    default: /* sw_header_lf */

        if (ch != LF) {
            return NGX_ERROR;
        }

        return ngx_lead_http_parse_header_end(p);
    }
}


static ngx_int_t
ngx_lead_http_parse_chunk(ngx_lead_http_parse_t *p, u_char ch)
{
    switch (p->state) {

    case sw_chunk_size:
    case sw_chunk_blank:
        return ngx_lead_http_parse_size(p, ch);

    case sw_chunk_extension:

        if (++p->header_size > NGX_LEAD_HTTP_ANSWER_MAX) {
            return NGX_ERROR;
        }

        if (ch == LF) {
            p->state = p->rest ? sw_chunk_data : sw_trailer_start;
        }

        return NGX_AGAIN;

    case sw_chunk_size_lf:

        if (ch != LF) {
            return NGX_ERROR;
        }

        p->state = p->rest ? sw_chunk_data : sw_trailer_start;

        return NGX_AGAIN;

    case sw_chunk_end:

        if (ch == CR) {
            p->state = sw_chunk_end_lf;
            return NGX_AGAIN;
        }

        /* fall through */

    default: /* sw_chunk_end_lf */

        if (ch != LF) {
            return NGX_ERROR;
        }

        p->state = sw_chunk_size;
        p->nline = 0;

        return NGX_AGAIN;
    }
}


/* nline counts the digits */

static ngx_int_t
ngx_lead_http_parse_size(ngx_lead_http_parse_t *p, u_char ch)
{
    u_char  c;

    c = ngx_tolower(ch);

    if (p->state == sw_chunk_size
        && ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
    {
        if (++p->nline > NGX_LEAD_HTTP_DIGITS_MAX) {
            return NGX_ERROR;
        }

        p->rest = p->rest * 16 + (c <= '9' ? c - '0' : c - 'a' + 10);

        return NGX_AGAIN;
    }

    if (p->nline == 0) {
        return NGX_ERROR;
    }

    switch (ch) {

    case ' ':
    case '\t':

        if (++p->header_size > NGX_LEAD_HTTP_ANSWER_MAX) {
            return NGX_ERROR;
        }

        p->state = sw_chunk_blank;
        break;

    case ';':
        p->state = sw_chunk_extension;
        break;

    case CR:
        p->state = sw_chunk_size_lf;
        break;

    case LF:
        p->state = p->rest ? sw_chunk_data : sw_trailer_start;
        break;

    default:
        return NGX_ERROR;
    }

    return NGX_AGAIN;
}


static ngx_int_t
ngx_lead_http_parse_trailer(ngx_lead_http_parse_t *p, u_char ch)
{
    if (++p->header_size > NGX_LEAD_HTTP_ANSWER_MAX) {
        return NGX_ERROR;
    }

    switch (p->state) {

    case sw_trailer_start:

        if (ch == LF) {
            return NGX_OK;
        }

        p->state = (ch == CR) ? sw_trailer_lf : sw_trailer;

        return NGX_AGAIN;

    case sw_trailer:

        if (ch == LF) {
            p->state = sw_trailer_start;
        }

        return NGX_AGAIN;

    default: /* sw_trailer_lf */

        return (ch == LF) ? NGX_OK : NGX_ERROR;
    }
}


static ngx_int_t
ngx_lead_http_parse_data(ngx_lead_http_parse_t *p, u_char **pos, u_char *last)
{
    size_t  n, kept;

    if (p->body_size == NGX_LEAD_HTTP_ANSWER_MAX) {
        p->close = 1;
        return NGX_OK;
    }

    n = ngx_min((size_t) (last - *pos),
                NGX_LEAD_HTTP_ANSWER_MAX - p->body_size);

    if (p->state != sw_body_eof && (off_t) n > p->rest) {
        n = (size_t) p->rest;
    }

    kept = ngx_min(n, NGX_LEAD_HTTP_ANSWER_KEPT - p->nanswer);

    ngx_memcpy(p->answer + p->nanswer, *pos, kept);

    p->nanswer += kept;
    p->body_size += n;
    *pos += n;

    if (p->state == sw_body_eof) {
        return NGX_AGAIN;
    }

    p->rest -= n;

    if (p->rest) {
        return NGX_AGAIN;
    }

    if (p->state == sw_body) {
        return NGX_OK;
    }

    p->state = sw_chunk_end;

    return NGX_AGAIN;
}


static ngx_int_t
ngx_lead_http_parse_put(ngx_lead_http_parse_t *p, u_char ch)
{
    if (p->nline < sizeof(p->line)) {
        p->line[p->nline++] = ch;

    } else {
        p->cut = 1;
    }

    return NGX_AGAIN;
}


static ngx_int_t
ngx_lead_http_parse_status(ngx_lead_http_parse_t *p)
{
    u_char  *s;

    if (!p->cut && p->line[p->nline - 1] == CR) {
        p->nline--;
    }

    /* HTTP/1.1 200[ reason] */

    s = p->line;

    if (p->nline < 12 || (p->nline > 12 && s[12] != ' ')
        || s[7] < '0' || s[7] > '9' || s[8] != ' '
        || s[9] < '1' || s[9] > '9'
        || s[10] < '0' || s[10] > '9'
        || s[11] < '0' || s[11] > '9')
    {
        return NGX_ERROR;
    }

    p->version = (s[7] == '0') ? 10 : 11;
    p->status = (s[9] - '0') * 100 + (s[10] - '0') * 10 + s[11] - '0';

    p->state = sw_line_start;
    p->nline = 0;
    p->cut = 0;

    return NGX_AGAIN;
}


static ngx_int_t
ngx_lead_http_parse_header_end(ngx_lead_http_parse_t *p)
{
    /* 101 would be another protocol, which was not asked for */

    if (p->status == 101) {
        return NGX_ERROR;
    }

    if (p->status < 200) {
        ngx_lead_http_parse_reset(p);
        return NGX_AGAIN;
    }

    if (p->version == 10 && (!p->keep || p->coded)) {
        p->close = 1;
    }

    if (p->status == 204 || p->status == 304) {
        return NGX_OK;
    }

    if (p->coded) {

        if (p->length != -1) {
            p->close = 1;
            p->length = -1;
        }

        if (p->chunked) {
            p->state = sw_chunk_size;
            return NGX_AGAIN;
        }

    } else if (p->length != -1) {

        p->rest = p->length;
        p->state = sw_body;

        return p->rest ? NGX_AGAIN : NGX_OK;
    }

    p->close = 1;
    p->state = sw_body_eof;

    return NGX_AGAIN;
}
