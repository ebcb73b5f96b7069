
/*
 * Copyright (C) the ngx_lead authors
 *
 * What the files of a worker's outbox share: ngx_lead_outbox.c, which decides
 * who delivers what and when, ngx_lead_outbox_signal.c, by which workers wake
 * each other, ngx_lead_outbox_fetch.c and _settle.c, which move rows out of the
 * store and outcomes back, and ngx_lead_deliver.c, which makes one attempt of
 * one delivery.
 */


#ifndef _NGX_LEAD_OUTBOX_H_INCLUDED_
#define _NGX_LEAD_OUTBOX_H_INCLUDED_


#include "ngx_lead.h"
#include "ngx_lead_http_client.h"


#define NGX_LEAD_TICK           1000      /* ms, at most between two looks */
#define NGX_LEAD_READY          128       /* rows read ahead for a sender, */
#define NGX_LEAD_READY_BYTES    1048576   /* of these bytes, and one more row */
#define NGX_LEAD_UNSETTLED      4096      /* beyond it nothing is started */


typedef struct ngx_lead_outbox_s    ngx_lead_outbox_t;
typedef struct ngx_lead_sender_s    ngx_lead_sender_t;
typedef struct ngx_lead_delivery_s  ngx_lead_delivery_t;
typedef struct ngx_lead_fetch_s     ngx_lead_fetch_t;
typedef struct ngx_lead_settle_s    ngx_lead_settle_t;


/* an endpoint, as this worker delivers to it */

struct ngx_lead_sender_s {
    ngx_lead_outbox_t        *outbox;
    ngx_lead_account_t       *account;
    ngx_lead_webhook_t       *webhook;
    ngx_lead_http_peer_t     *peer;
    uint32_t                  endpoint;      /* in the store */

    int64_t                   lease;         /* ours until then; 0: not ours */
    int64_t                   due;           /* when there is more to read */

    ngx_queue_t               held;          /* all deliveries in memory, */
    ngx_uint_t                nheld;
    ngx_uint_t                nstuck;        /* of these never to be settled */
    ngx_queue_t               ready;         /* of these to be started */
    ngx_uint_t                nready;
    size_t                    bytes;         /* of those ready */
    ngx_uint_t                nbusy;         /* under way */

    unsigned                  wanted:1;      /* to be read for */
    unsigned                  paused:1;      /* until the next tick */
    unsigned                  failing:1;     /* said in the log, */
    unsigned                  disabled:1;    /* ... too, until it is enabled */
};


/* a row of the outbox on its way, freed once its attempt is settled; what is
 * sent is a block of its own, freed when the attempt has ended */

struct ngx_lead_delivery_s {
    ngx_queue_t               held;
    ngx_queue_t               queue;         /* ready, or done */
    ngx_lead_sender_t        *sender;
    lead_outbox_row_t         row;
    lead_id_t                 id;
    int64_t                   time;          /* of the event */
    ngx_str_t                 type;
    ngx_str_t                 data;
    lead_t                    lead;
    u_char                   *text;          /* of data and lead; or NULL */
    size_t                    size;          /* of what came with the row */
    unsigned                  expired:1;     /* there is no lead */
    unsigned                  returned:1;    /* the attempt did not begin */

    ngx_event_t               finish;
    ngx_log_t                 log;

    /* what came of it; the answer it points to */

    lead_attempt_t            attempt;
    u_char                    answer[NGX_LEAD_HTTP_ANSWER_KEPT];
    u_char                    kind[LEAD_EVENT_TYPE_MAX];
};


struct ngx_lead_outbox_s {
    void                     *ident[4];      /* of events, to the debug log:
                                                ident[3] is an fd */
    ngx_lead_worker_t        *worker;
    ngx_lead_sender_t        *senders;       /* by ngx_lead_webhook_t.index */
    ngx_uint_t                nsenders;
    u_char                   *woken;         /* by ngx_lead_account_t.index */
    ngx_uint_t                nbusy;         /* deliveries under way */
    ngx_uint_t                busy_max;
    ngx_uint_t                turn;          /* whose it was, of senders */
    ngx_event_t               tick;
    ngx_event_t               wake;          /* posted: rows are wanted */
    ngx_connection_t         *signal;        /* the eventfd; or NULL */

    ngx_lead_fetch_t         *fetch;         /* ngx_lead_outbox_fetch.c's */
    ngx_lead_settle_t        *settle;        /* ngx_lead_outbox_settle.c's */

    ngx_queue_t               done;          /* deliveries to be settled */
    ngx_uint_t                ndone;

    unsigned                  fetching:1;
};


/* ngx_lead_deliver.c: starts an attempt; ngx_lead_outbox_done() is called
 * when it has ended, or ngx_lead_outbox_return() if it could not begin, but
 * neither from within */
void ngx_lead_deliver(ngx_lead_delivery_t *d);


/* ngx_lead_outbox_signal.c: listens to other workers, tells them that one of
 * them may have something to deliver, and ceases to listen */
void ngx_lead_outbox_listen(ngx_lead_outbox_t *o, ngx_cycle_t *cycle);
void ngx_lead_outbox_signal(ngx_lead_outbox_t *o);
void ngx_lead_outbox_deaf(ngx_lead_outbox_t *o);


/* ngx_lead_outbox_fetch.c */

ngx_int_t ngx_lead_outbox_fetch_init(ngx_lead_outbox_t *o, ngx_cycle_t *cycle);

/* reads for all senders that want it, unless a reading is under way: then it
 * is done behind that one */
void ngx_lead_outbox_fetch(ngx_lead_outbox_t *o);


/* what a reading has brought whose completion never came is held, too */
void ngx_lead_outbox_fetch_exit(ngx_lead_outbox_t *o);


/* ngx_lead_outbox_settle.c */

ngx_int_t ngx_lead_outbox_settle_init(ngx_lead_outbox_t *o,
    ngx_cycle_t *cycle);

/* the queue of what is done has grown, or leases are to be given back */
void ngx_lead_outbox_settle(ngx_lead_outbox_t *o);

/* gives back the lease of a sender that holds nothing.  NGX_AGAIN: a task is
 * under way, try again */
ngx_int_t ngx_lead_outbox_release(ngx_lead_sender_t *s);

/* all that is done and all leases, at once, when no thread is left */
void ngx_lead_outbox_settle_exit(ngx_lead_outbox_t *o);


/* ngx_lead_outbox.c */

void ngx_lead_outbox_done(ngx_lead_delivery_t *d);
void ngx_lead_outbox_return(ngx_lead_delivery_t *d);

/* the sender is to be read for */
void ngx_lead_outbox_want(ngx_lead_sender_t *s);

/* starts what is ready; of all senders in turn, when there is room again */
void ngx_lead_outbox_start(ngx_lead_sender_t *s);
void ngx_lead_outbox_turn(ngx_lead_outbox_t *o);

/* puts a delivery behind, or before, those that are ready */
void ngx_lead_outbox_ready(ngx_lead_delivery_t *d, ngx_uint_t first);

/* forgets what has not been started */
void ngx_lead_outbox_drop(ngx_lead_sender_t *s);

/* there is something to be done for the sender then, at the latest */
void ngx_lead_outbox_at(ngx_lead_sender_t *s, int64_t due);

/* how long a lease is taken for, and whether it has to be */
int64_t ngx_lead_outbox_span(ngx_lead_sender_t *s);
ngx_uint_t ngx_lead_outbox_leased(ngx_lead_sender_t *s, int64_t least);

void ngx_lead_outbox_free(ngx_lead_delivery_t *d);

/* microseconds since 1970, by nginx' cached clock */
int64_t ngx_lead_outbox_now(void);


#endif /* _NGX_LEAD_OUTBOX_H_INCLUDED_ */
