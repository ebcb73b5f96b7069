
/*
 * Copyright (C) the ngx_lead authors
 *
 * The values of what webhooks are configured with: secrets and headers, given
 * or read from files, times and numbers with their bounds.
 *
 * No secret and no header's value may appear in a message.  Values stay where
 * the argument is, those of files are copied into the configuration's pool;
 * nothing of a file is left behind anywhere else.
 */


#include "ngx_lead_conf.h"


#define NGX_LEAD_SECRET_PREFIX     "whsec_"
#define NGX_LEAD_SECRET_MIN        24        /* bytes */
#define NGX_LEAD_SECRET_MAX        64
#define NGX_LEAD_SECRETS_MAX       2

#define NGX_LEAD_HEADERS_MAX       16
#define NGX_LEAD_HEADER_VALUE_MAX  4096

#define NGX_LEAD_CONCURRENCY_MAX   256
#define NGX_LEAD_KEEPALIVE_MAX     256

#define NGX_LEAD_TOTAL_MIN         1000      /* ms */
#define NGX_LEAD_TOTAL_MAX         60000
#define NGX_LEAD_DELAY_MAX         (30 * 86400 * (ngx_int_t) 1000)

#define NGX_LEAD_KEEP_MIN          60        /* s */
#define NGX_LEAD_KEEP_MAX          (10 * 365 * 86400)
#define NGX_LEAD_DISABLE_MAX       (365 * 86400)


static ngx_uint_t ngx_lead_secret_whole(ngx_str_t *text);
static char *ngx_lead_header_name(ngx_conf_t *cf, ngx_str_t *value,
    ngx_array_t *headers, ngx_str_t *name);
static ngx_uint_t ngx_lead_header_token(ngx_str_t *name);
static ngx_uint_t ngx_lead_header_own(ngx_str_t *name);
static char *ngx_lead_header_add(ngx_conf_t *cf, ngx_array_t *headers,
    ngx_str_t *name, ngx_str_t *value);
static char *ngx_lead_file_read(ngx_conf_t *cf, ngx_str_t *name, size_t max,
    ngx_str_t *value);
static ngx_int_t ngx_lead_file_look(ngx_conf_t *cf, ngx_fd_t fd,
    ngx_str_t *name);
static ssize_t ngx_lead_file_bytes(ngx_conf_t *cf, ngx_fd_t fd,
    ngx_str_t *name, u_char *buf, size_t size);


/* headers that are made here for each request, and those of a connection */

static ngx_str_t  ngx_lead_own_headers[] = {
    ngx_string("Host"),
    ngx_string("Content-Length"),
    ngx_string("Content-Type"),
    ngx_string("User-Agent"),
    ngx_string("Lawfficient-Signature"),
    ngx_string("Connection"),
    ngx_string("Transfer-Encoding"),
    ngx_string("Expect"),
    ngx_string("Keep-Alive"),
    ngx_string("Proxy-Connection"),
    ngx_string("TE"),
    ngx_string("Trailer"),
    ngx_string("Upgrade"),
    ngx_null_string
};


char *
ngx_lead_set_secret(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    ngx_array_t  *secrets = field;

    if (secrets->nelts == NGX_LEAD_SECRETS_MAX) {
        return "two are given already, the most there may be: the new one "
               "first, then the old one";
    }

    return ngx_lead_set_value(cf, value, field);
}


char *
ngx_lead_set_secret_file(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    char       *why;
    ngx_str_t   secret;

    if (ngx_strncmp(value->data, NGX_LEAD_SECRET_PREFIX,
                    sizeof(NGX_LEAD_SECRET_PREFIX) - 1)
        == 0)
    {
        return "it must be the path of a file; the secret itself is given "
               "with \"secret=\"";
    }

    why = ngx_lead_file_read(cf, value, LEAD_NAME_MAX, &secret);
    if (why) {
        return why;
    }

    return ngx_lead_set_secret(cf, &secret, field);
}


ngx_int_t
ngx_lead_webhook_secret(ngx_conf_t *cf, ngx_str_t *secret)
{
    size_t     prefix;
    ngx_str_t  in, out;

    prefix = sizeof(NGX_LEAD_SECRET_PREFIX) - 1;

    if (secret->len <= prefix
        || ngx_strncmp(secret->data, NGX_LEAD_SECRET_PREFIX, prefix) != 0)
    {
        return NGX_DECLINED;
    }

    in.data = secret->data + prefix;
    in.len = secret->len - prefix;

    if (!ngx_lead_secret_whole(&in)) {
        return NGX_DECLINED;
    }

    out.data = ngx_pnalloc(cf->pool, ngx_base64_decoded_length(in.len));
    if (out.data == NULL) {
        return NGX_ERROR;
    }

    if (ngx_decode_base64(&out, &in) != NGX_OK
        || out.len < NGX_LEAD_SECRET_MIN || out.len > NGX_LEAD_SECRET_MAX)
    {
        return NGX_DECLINED;
    }

    *secret = out;

    return NGX_OK;
}


/* nginx reads base64 up to the first "=", and a receiver's library does not */

static ngx_uint_t
ngx_lead_secret_whole(ngx_str_t *text)
{
    u_char  *p, *last;

    last = text->data + text->len;
    p = ngx_strlchr(text->data, last, '=');

    if (p == NULL) {
        return 1;
    }

    if (text->len % 4) {
        return 0;
    }

    return last - p == 1 || (last - p == 2 && p[1] == '=');
}


char *
ngx_lead_set_header(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    char       *why;
    ngx_str_t   name, rest;

    why = ngx_lead_header_name(cf, value, field, &name);
    if (why) {
        return why;
    }

    rest.data = name.data + name.len + 1;
    rest.len = value->len - name.len - 1;

    return ngx_lead_header_add(cf, field, &name, &rest);
}


char *
ngx_lead_set_header_file(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    char       *why;
    ngx_str_t   name, path, content;

    why = ngx_lead_header_name(cf, value, field, &name);
    if (why) {
        return why;
    }

    path.data = name.data + name.len + 1;
    path.len = value->len - name.len - 1;

    why = ngx_lead_file_read(cf, &path, NGX_LEAD_HEADER_VALUE_MAX, &content);
    if (why) {
        return why;
    }

    return ngx_lead_header_add(cf, field, &name, &content);
}


static char *
ngx_lead_header_name(ngx_conf_t *cf, ngx_str_t *value, ngx_array_t *headers,
    ngx_str_t *name)
{
    u_char        *p;
    ngx_uint_t     i;
    ngx_keyval_t  *header;

    p = ngx_strlchr(value->data, value->data + value->len, ':');

    name->data = value->data;
    name->len = p ? (size_t) (p - value->data) : 0;

    if (!ngx_lead_header_token(name)) {
        return "it must be a header's name of at most 127 letters, digits and "
               "\"-\", \":\", and what belongs to it";
    }

    if (ngx_lead_header_own(name)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "header \"%V\" is set for each delivery and cannot "
                           "be configured, remove it", name);
        return NGX_CONF_ERROR;
    }

    header = headers->elts;

    for (i = 0; i < headers->nelts; i++) {
        if (header[i].key.len == name->len
            && ngx_strncasecmp(header[i].key.data, name->data, name->len) == 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "header \"%V\" is given twice, remove one",
                               name);
            return NGX_CONF_ERROR;
        }
    }

    return NULL;
}


static ngx_uint_t
ngx_lead_header_token(ngx_str_t *name)
{
    size_t  i;
    u_char  c;

    if (name->len == 0 || name->len > LEAD_NAME_MAX) {
        return 0;
    }

    for (i = 0; i < name->len; i++) {
        c = name->data[i];

        if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')
            || (c >= 'a' && c <= 'z')
            || (c && ngx_strchr("!#$%&'*+-.^_`|~", c)))
        {
            continue;
        }

        return 0;
    }

    return 1;
}


static ngx_uint_t
ngx_lead_header_own(ngx_str_t *name)
{
    ngx_uint_t  i;

    if (name->len >= sizeof("webhook-") - 1
        && ngx_strncasecmp(name->data, (u_char *) "webhook-",
                           sizeof("webhook-") - 1)
           == 0)
    {
        return 1;
    }

    for (i = 0; ngx_lead_own_headers[i].len; i++) {
        if (ngx_lead_own_headers[i].len == name->len
            && ngx_strncasecmp(ngx_lead_own_headers[i].data, name->data,
                               name->len)
               == 0)
        {
            return 1;
        }
    }

    return 0;
}


static char *
ngx_lead_header_add(ngx_conf_t *cf, ngx_array_t *headers, ngx_str_t *name,
    ngx_str_t *value)
{
    u_char        *p, *last;
    ngx_keyval_t  *header;

    p = value->data;
    last = p + value->len;

    while (p < last && (*p == ' ' || *p == '\t')) {
        p++;
    }

    while (p < last && (last[-1] == ' ' || last[-1] == '\t')) {
        last--;
    }

    value->data = p;
    value->len = last - p;

    if (value->len == 0) {
        return "the header must have a value";
    }

    if (value->len > NGX_LEAD_HEADER_VALUE_MAX) {
        return "the header's value must not be longer than 4096 bytes";
    }

    for ( /* void */ ; p < last; p++) {
        if ((*p < ' ' && *p != '\t') || *p == 0x7f) {
            return "the header's value must have no control characters";
        }
    }

    if (headers->nelts == NGX_LEAD_HEADERS_MAX) {
        return "16 headers are given already, the most there may be";
    }

    if (headers->elts == NULL
        && ngx_array_init(headers, cf->pool, 4, sizeof(ngx_keyval_t))
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    header = ngx_array_push(headers);
    if (header == NULL) {
        return NGX_CONF_ERROR;
    }

    header->key = *name;
    header->value = *value;

    return NULL;
}


/* a file's one line, as a value that is NUL-terminated */

static char *
ngx_lead_file_read(ngx_conf_t *cf, ngx_str_t *name, size_t max,
    ngx_str_t *value)
{
    u_char     *buf;
    ssize_t     n;
    ngx_fd_t    fd;
    ngx_str_t   full;

    if (name->len == 0) {
        return "a file's path is missing";
    }

    full = *name;

    if (ngx_conf_full_name(cf->cycle, &full, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    /* with room for a line's end, and to see that there is more */

    buf = ngx_pnalloc(cf->pool, max + 4);
    if (buf == NULL) {
        return NGX_CONF_ERROR;
    }

    fd = ngx_open_file(full.data, NGX_FILE_RDONLY|NGX_FILE_NONBLOCK,
                       NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", &full);
        return NGX_CONF_ERROR;
    }

    n = ngx_lead_file_bytes(cf, fd, &full, buf, max + 3);

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_ALERT, cf, ngx_errno,
                           ngx_close_file_n " \"%V\" failed", &full);
    }

    if (n == NGX_ERROR) {
        return NGX_CONF_ERROR;
    }

    if (n && buf[n - 1] == LF) {
        n--;

        if (n && buf[n - 1] == CR) {
            n--;
        }
    }

    if (n == 0) {
        return "the file is empty";
    }

    if ((size_t) n > max) {
        return (max == LEAD_NAME_MAX)
               ? "the file must not have more than 127 bytes in one line"
               : "the file must not have more than 4096 bytes in one line";
    }

    buf[n] = '\0';
    value->data = buf;
    value->len = n;

    return NULL;
}


static ssize_t
ngx_lead_file_bytes(ngx_conf_t *cf, ngx_fd_t fd, ngx_str_t *name, u_char *buf,
    size_t size)
{
    size_t   len;
    ssize_t  n;

    if (ngx_lead_file_look(cf, fd, name) != NGX_OK) {
        return NGX_ERROR;
    }

    for (len = 0; len < size; len += n) {

        n = ngx_read_fd(fd, buf + len, size - len);

        if (n == -1) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                               ngx_read_fd_n " \"%V\" failed", name);
            return NGX_ERROR;
        }

        if (n == 0) {
            break;
        }
    }

    return len;
}


static ngx_int_t
ngx_lead_file_look(ngx_conf_t *cf, ngx_fd_t fd, ngx_str_t *name)
{
    ngx_file_info_t  fi;

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_fd_info_n " \"%V\" failed", name);
        return NGX_ERROR;
    }

    if (!ngx_is_file(&fi)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is no file that could hold a secret", name);
        return NGX_ERROR;
    }

    if (ngx_file_access(&fi) & S_IROTH) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "\"%V\" holds a secret that everybody can read, "
                           "make it \"chmod 600\"", name);
    }

    return NGX_OK;
}


/* of certificates, which are read elsewhere */

char *
ngx_lead_set_file(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    ngx_str_t  *file = field;

    if (value->len == 0) {
        return "it must be the path of a file";
    }

    *file = *value;

    return NULL;
}


char *
ngx_lead_set_off(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    ngx_flag_t  *off = field;

    if (ngx_strcmp(value->data, "off") != 0) {
        return "it takes \"off\" only; without it certificates are verified";
    }

    *off = 1;

    return NULL;
}


char *
ngx_lead_set_total(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    ngx_msec_t  *msec = field;

    ngx_int_t    n;

    n = ngx_parse_time(value, 0);

    if (n < NGX_LEAD_TOTAL_MIN || n > NGX_LEAD_TOTAL_MAX) {
        return "it must be a time from 1s to 60s";
    }

    *msec = n;

    return NULL;
}


char *
ngx_lead_set_wait(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    ngx_msec_t  *msec = field;

    ngx_int_t    n;

    n = ngx_parse_time(value, 0);

    if (n < 1 || n > NGX_LEAD_TOTAL_MAX) {
        return "it must be a time from 1ms to 60s";
    }

    *msec = n;

    return NULL;
}


char *
ngx_lead_set_concurrency(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    ngx_uint_t  *number = field;

    ngx_int_t    n;

    n = ngx_atoi(value->data, value->len);

    if (n < 1 || n > NGX_LEAD_CONCURRENCY_MAX) {
        return "it must be a number from 1 to 256";
    }

    *number = n;

    return NULL;
}


char *
ngx_lead_set_keepalive(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    ngx_uint_t  *number = field;

    ngx_int_t    n;

    n = ngx_atoi(value->data, value->len);

    if (n < 0 || n > NGX_LEAD_KEEPALIVE_MAX) {
        return "it must be a number from 0 to 256";
    }

    *number = n;

    return NULL;
}


char *
ngx_lead_set_delay(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    ngx_msec_t  *delay = field;

    ngx_int_t    n;

    n = ngx_parse_time(value, 0);

    if (n < 0 || n > NGX_LEAD_DELAY_MAX) {
        return "it must be a time from 0 to 30d, as 30s, 5m or 2h";
    }

    *delay = n;

    return NULL;
}


char *
ngx_lead_set_keep(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    time_t     *keep = field;

    ngx_int_t   n;

    n = ngx_parse_time(value, 1);

    if (n < NGX_LEAD_KEEP_MIN || n > NGX_LEAD_KEEP_MAX) {
        return "it must be a time from 1m to 10y, as 7d";
    }

    *keep = n;

    return NULL;
}


char *
ngx_lead_set_disable(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    time_t     *disable = field;

    ngx_int_t   n;

    if (ngx_strcmp(value->data, "off") == 0) {
        *disable = 0;
        return NULL;
    }

    n = ngx_parse_time(value, 1);

    if (n < 1 || n > NGX_LEAD_DISABLE_MAX) {
        return "it must be a time from 1s to 1y, as 5d, or \"off\"";
    }

    *disable = n;

    return NULL;
}


char *
ngx_lead_set_cidr(ngx_conf_t *cf, ngx_str_t *value, void *field)
{
    ngx_cidr_t  *cidr = field;

    ngx_int_t    rc;

    rc = ngx_ptocidr(value, cidr);

    if (rc == NGX_ERROR) {
        return "it must be an address or a network, as 10.0.0.0/8 or fc00::/7";
    }

    if (rc == NGX_DONE) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "low address bits of %V are meaningless", value);
    }

    return NULL;
}
