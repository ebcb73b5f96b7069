
/*
 * Copyright (C) the ngx_lead authors
 *
 * What is added to a line of the error log about a request of ours: server,
 * request line and host, as nginx itself adds them.
 *
 * Must not tell what stands behind "?", nor the referrer: there are keys and
 * addresses of people in them, and the error log is for neither.  It writes to
 * the log's buffer and keeps nothing.
 */


#include "ngx_lead.h"


u_char *
ngx_lead_log_handler(ngx_http_request_t *r, ngx_http_request_t *sr,
    u_char *buf, size_t len)
{
    u_char                    *p, *last, *args;
    ngx_str_t                  line;
    ngx_http_core_srv_conf_t  *cscf;

    last = buf + len;

    cscf = ngx_http_get_module_srv_conf(r, ngx_http_core_module);
    p = ngx_slprintf(buf, last, ", server: %V", &cscf->server_name);

    line = r->request_line;

    if (line.len) {
        args = ngx_strlchr(line.data, line.data + line.len, '?');

        if (args) {
            line.len = args - line.data;
        }

        p = ngx_slprintf(p, last, ", request: \"%V%s\"", &line,
                         args ? "?..." : "");
    }

    if (r->headers_in.host) {
        p = ngx_slprintf(p, last, ", host: \"%V\"",
                         &r->headers_in.host->value);
    }

    return p;
}
