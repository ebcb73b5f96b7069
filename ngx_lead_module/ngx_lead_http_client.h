
/*
 * Copyright (C) the ngx_lead authors
 *
 * A client for one HTTP/1.1 POST at a time over nginx' events: resolves,
 * refuses addresses that are not public, connects, verifies the peer's
 * certificate, sends, reads the answer's status and how its body begins.
 * It follows no redirects and knows nothing of leads.
 *
 * A target is what the configuration says of a URL, read-only afterwards; its
 * connections that are kept alive are its peer's, one for each worker.  A
 * request is the caller's: it lies in a pool that stays until done() has been
 * called, which happens once for each request started, never from within
 * ngx_lead_http_send(), and always within target->timeout.
 */


#ifndef _NGX_LEAD_HTTP_CLIENT_H_INCLUDED_
#define _NGX_LEAD_HTTP_CLIENT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_event_connect.h>


#define NGX_LEAD_HTTP_ANSWER_KEPT  256        /* bytes of an answer's body */
#define NGX_LEAD_HTTP_ANSWER_MAX   65536      /* bytes of an answer that are
                                                 read, of its header and of
                                                 its body each */
#define NGX_LEAD_HTTP_URL_MAX      2048


typedef struct ngx_lead_http_target_s   ngx_lead_http_target_t;
typedef struct ngx_lead_http_peer_s     ngx_lead_http_peer_t;
typedef struct ngx_lead_http_request_s  ngx_lead_http_request_t;
typedef struct ngx_lead_http_try_s      ngx_lead_http_try_t;


struct ngx_lead_http_target_s {
    ngx_str_t              url;
    ngx_str_t              host;             /* of the URL, without brackets:
                                                for SNI and the certificate */
    ngx_str_t              authority;        /* of Host: with the port, if it
                                                is not the scheme's own */
    ngx_str_t              uri;              /* path and query, from "/" */
    in_port_t              port;
    ngx_addr_t            *addr;             /* of an address literal; NULL:
                                                host is to be resolved */
    unsigned               ssl:1;
    unsigned               ssl_verify:1;
    ngx_ssl_t             *ctx;              /* of ssl */
    ngx_array_t           *allow;            /* of ngx_cidr_t: not public but
                                                allowed; or NULL */
    ngx_resolver_t        *resolver;
    ngx_msec_t             resolver_timeout;
    ngx_msec_t             connect_timeout;  /* with the TLS handshake */
    ngx_msec_t             send_timeout;     /* between two writes */
    ngx_msec_t             read_timeout;     /* between two reads */
    ngx_msec_t             timeout;          /* of it all */
    ngx_uint_t             keepalive;        /* idle connections, per worker */
    ngx_msec_t             keepalive_timeout;
};


/* what came of a request; all but NGX_LEAD_HTTP_ANSWERED without a status */

typedef enum {
    NGX_LEAD_HTTP_ANSWERED = 0,              /* status is set */
    NGX_LEAD_HTTP_RESOLVE,                   /* the name has no address */
    NGX_LEAD_HTTP_REFUSED,                   /* its addresses are not allowed */
    NGX_LEAD_HTTP_CONNECT,                   /* no connection was made */
    NGX_LEAD_HTTP_TLS,                       /* handshake or certificate */
    NGX_LEAD_HTTP_TIMEOUT,
    NGX_LEAD_HTTP_CLOSED,                    /* before a whole answer */
    NGX_LEAD_HTTP_INVALID,                   /* the answer is no HTTP, or its
                                                header too large */
    NGX_LEAD_HTTP_INTERNAL                   /* no memory, no connections */
} ngx_lead_http_outcome_e;


typedef void (*ngx_lead_http_done_pt)(ngx_lead_http_request_t *rq);


struct ngx_lead_http_request_s {

    /* the caller's */

    ngx_pool_t              *pool;
    ngx_log_t               *log;            /* as long as the pool */
    ngx_uint_t               level;          /* of what fails at the peer's:
                                                NGX_LOG_ERR or NGX_LOG_INFO */
    ngx_lead_http_peer_t    *peer;
    ngx_str_t                headers;        /* whole lines, each with CRLF;
                                                Host, Content-Length and
                                                Connection are the client's */
    ngx_str_t                body;
    ngx_lead_http_done_pt    done;
    void                    *data;

    /* when done() is called */

    ngx_lead_http_outcome_e  outcome;
    ngx_uint_t               status;         /* 100 to 999; 0: none */
    time_t                   retry_after;    /* seconds from now; -1: the
                                                answer does not say */
    ngx_msec_t               msec;           /* from ngx_lead_http_send() on */
    const char              *error;          /* for people, static; NULL if
                                                answered */
    u_char                   answer[NGX_LEAD_HTTP_ANSWER_KEPT];
    size_t                   nanswer;

    /* the client's */

    ngx_event_t              event;
    ngx_lead_http_try_t     *current;
};


/* ngx_lead_http_client_target.c */

/* reads a URL of http or https into *target, whose other fields it leaves;
 * NULL, or what a right one is, or NGX_CONF_ERROR (logged) */
char *ngx_lead_http_target_url(ngx_conf_t *cf, ngx_lead_http_target_t *target,
    ngx_str_t *url);

/* target->ctx: TLS 1.2 and up; trusted: a file of CA certificates, or empty:
 * the system's; certificate and key: the client's own, or empty.  Files are
 * relative to the configuration.  NGX_ERROR: logged. */
ngx_int_t ngx_lead_http_target_ssl(ngx_conf_t *cf,
    ngx_lead_http_target_t *target, ngx_str_t *trusted,
    ngx_str_t *certificate, ngx_str_t *key);


/* ngx_lead_http_client_address.c */

/* 0: loopback, private, link-local, multicast, documentation, benchmark or
 * reserved networks, also where they are wrapped into IPv6 (mapped, NAT64,
 * 6to4); and no socket of another family */
ngx_uint_t ngx_lead_http_address_public(struct sockaddr *sa);


/* ngx_lead_http_client_parse.c: an answer, fed as it comes */

typedef struct {
    ngx_uint_t             state;            /* the parser's */
    ngx_uint_t             status;
    ngx_uint_t             version;          /* 10 or 11 */
    size_t                 header_size;      /* with 1xx before it, and what
                                                frames chunks */
    off_t                  length;           /* -1: not said */
    off_t                  rest;             /* of a body or chunk */
    size_t                 body_size;
    time_t                 retry_after;      /* -1: not said */
    u_char                 line[1024];       /* how a header's line begins */
    size_t                 nline;
    unsigned               cut:1;            /* the line is longer */
    unsigned               coded:1;          /* has a Transfer-Encoding */
    unsigned               chunked:1;
    unsigned               keep:1;           /* said so */
    unsigned               close:1;          /* the connection is not kept */
    u_char                 answer[NGX_LEAD_HTTP_ANSWER_KEPT];
    size_t                 nanswer;
} ngx_lead_http_parse_t;

void ngx_lead_http_parse_init(ngx_lead_http_parse_t *p);

/* takes bytes from *pos up to last.  NGX_OK: the answer is whole, *pos behind
 * it, or its body goes on beyond NGX_LEAD_HTTP_ANSWER_MAX, which ends it, as
 * its status has been said; NGX_AGAIN: all bytes taken; NGX_ERROR: no
 * HTTP/1.x, or a header beyond the limit */
ngx_int_t ngx_lead_http_parse(ngx_lead_http_parse_t *p, u_char **pos,
    u_char *last);

/* the peer has closed: NGX_OK if that ends the answer, else NGX_ERROR */
ngx_int_t ngx_lead_http_parse_eof(ngx_lead_http_parse_t *p);


/* ngx_lead_http_client.c */

void ngx_lead_http_send(ngx_lead_http_request_t *rq);


/* ngx_lead_http_client_peer.c */

/* in memory of the pool, which is the worker's; NULL: no memory.  Idle
 * connections are closed when the worker exits gracefully. */
ngx_lead_http_peer_t *ngx_lead_http_peer(ngx_pool_t *pool,
    ngx_lead_http_target_t *target);

/* closes what is idle */
void ngx_lead_http_peer_close(ngx_lead_http_peer_t *peer);


/*
 * From here on: what the client's files know of each other, and nobody else.
 *
 * A try is a request under way, in its pool.  A connection has a pool of its
 * own, as it may outlive the request; its data is the try, or, while nobody
 * uses it, what it lies in the peer's queue with.
 */

typedef enum {
    NGX_LEAD_HTTP_RESOLVING = 0,
    NGX_LEAD_HTTP_CONNECTING,
    NGX_LEAD_HTTP_HANDSHAKING,
    NGX_LEAD_HTTP_SENDING,
    NGX_LEAD_HTTP_READING
} ngx_lead_http_stage_e;


typedef struct {
    ngx_queue_t              queue;
    ngx_connection_t        *connection;
    ngx_lead_http_peer_t    *peer;
} ngx_lead_http_idle_t;


struct ngx_lead_http_peer_s {
    ngx_lead_http_target_t  *target;
    ngx_queue_t              idle;           /* of ngx_lead_http_idle_t, the
                                                last used first */
    ngx_uint_t               nidle;
    ngx_log_t               *log;
};


struct ngx_lead_http_try_s {
    void                    *ident[4];       /* the debug log takes what owns a
                                                timer for a connection */
    ngx_lead_http_request_t *request;
    ngx_lead_http_target_t  *target;
    ngx_event_t              timer;          /* of it all */
    ngx_log_t                log;

    ngx_lead_http_stage_e    stage;
    ngx_resolver_ctx_t      *resolve;
    ngx_addr_t              *addrs;
    ngx_uint_t               naddrs;
    ngx_uint_t               naddr;          /* the next one */
    ngx_lead_http_outcome_e  outcome;        /* of the last one tried */
    const char              *error;

    ngx_peer_connection_t    peer;
    ngx_lead_http_idle_t    *idle;           /* of the connection */
    ngx_chain_t             *out;            /* what is left to be sent */
    ngx_chain_t              links[2];
    ngx_buf_t                bufs[2];        /* header and body */
    ngx_lead_http_parse_t    parse;

    unsigned                 reused:1;
    unsigned                 received:1;     /* a byte of the answer */
    unsigned                 broken:1;       /* no more can be sent */
};


/* ends the request: calls done(), after which its memory may be gone */
void ngx_lead_http_finish(ngx_lead_http_try_t *t,
    ngx_lead_http_outcome_e outcome, const char *error);

/* all of the request is to be sent */
void ngx_lead_http_rewind(ngx_lead_http_try_t *t);

/* ngx_lead_http_client_connect.c: makes a connection for it */
void ngx_lead_http_fresh(ngx_lead_http_try_t *t);

/* none is made to this address: goes on with the next one */
void ngx_lead_http_not_connected(ngx_lead_http_try_t *t,
    ngx_lead_http_outcome_e outcome, const char *error);

/* ngx_lead_http_client_exchange.c: there is one, with TLS if that is wanted */
void ngx_lead_http_connected(ngx_lead_http_try_t *t);

/* there is one that was idle */
void ngx_lead_http_reuse(ngx_lead_http_try_t *t, ngx_connection_t *c);

/* ngx_lead_http_client_ssl.c */
void ngx_lead_http_handshake(ngx_lead_http_try_t *t);

/* ngx_lead_http_client_peer.c: a connection that is idle, or NULL */
ngx_connection_t *ngx_lead_http_peer_get(ngx_lead_http_peer_t *peer);

/* keeps a connection whose answer has been read to its end, or closes it */
void ngx_lead_http_peer_put(ngx_lead_http_idle_t *idle);

/* polite: says so in TLS */
void ngx_lead_http_close(ngx_connection_t *c, ngx_uint_t polite);

/* ngx_lead_http_client_header.c: a line has come to its end */
ngx_int_t ngx_lead_http_parse_line(ngx_lead_http_parse_t *p);


#endif /* _NGX_LEAD_HTTP_CLIENT_H_INCLUDED_ */
