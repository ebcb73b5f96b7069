
/*
 * Copyright (C) the ngx_lead authors
 *
 * Says of an address whether it is one of the public Internet, so that a URL
 * cannot make this server talk to what only it can reach: itself, its own
 * network, the metadata service of a cloud.
 *
 * Must not trust how an address is written: those of IPv4 that are wrapped
 * into IPv6 are judged by what is inside.  A pure function without memory.
 */


#include "ngx_lead_http_client.h"


typedef struct {
    uint32_t  addr;
    uint32_t  mask;
} ngx_lead_http_network_t;


static ngx_uint_t ngx_lead_http_public_inet(uint32_t addr);
#if (NGX_HAVE_INET6)
static ngx_uint_t ngx_lead_http_public_inet6(u_char *p);
static uint32_t ngx_lead_http_word(u_char *p);
#endif


static const ngx_lead_http_network_t  ngx_lead_http_not_public[] = {
    { 0x00000000, 0xff000000 },              /* 0.0.0.0/8, this network */
    { 0x0a000000, 0xff000000 },              /* 10.0.0.0/8, private */
    { 0x64400000, 0xffc00000 },              /* 100.64.0.0/10, carriers' NAT */
    { 0x7f000000, 0xff000000 },              /* 127.0.0.0/8, loopback */
    { 0xa83f8110, 0xffffffff },              /* 168.63.129.16, Azure's own */
    { 0xa9fe0000, 0xffff0000 },              /* 169.254.0.0/16, link-local */
    { 0xac100000, 0xfff00000 },              /* 172.16.0.0/12, private */
    { 0xc0000000, 0xffffff00 },              /* 192.0.0.0/24, protocols */
    { 0xc0000200, 0xffffff00 },              /* 192.0.2.0/24, documentation */
    { 0xc0586300, 0xffffff00 },              /* 192.88.99.0/24, 6to4 relays */
    { 0xc0a80000, 0xffff0000 },              /* 192.168.0.0/16, private */
    { 0xc6120000, 0xfffe0000 },              /* 198.18.0.0/15, benchmarks */
    { 0xc6336400, 0xffffff00 },              /* 198.51.100.0/24, document. */
    { 0xcb007100, 0xffffff00 },              /* 203.0.113.0/24, document. */
    { 0xe0000000, 0xf0000000 },              /* 224.0.0.0/4, multicast */
    { 0xf0000000, 0xf0000000 }               /* 240.0.0.0/4, reserved */
};


ngx_uint_t
ngx_lead_http_address_public(struct sockaddr *sa)
{
    switch (sa->sa_family) {

    case AF_INET:
        return ngx_lead_http_public_inet(
                      ntohl(((struct sockaddr_in *) sa)->sin_addr.s_addr));

#if (NGX_HAVE_INET6)
    case AF_INET6:
        return ngx_lead_http_public_inet6(
                             ((struct sockaddr_in6 *) sa)->sin6_addr.s6_addr);
#endif

    default:
        return 0;
    }
}


static ngx_uint_t
ngx_lead_http_public_inet(uint32_t addr)
{
    ngx_uint_t  i, n;

    n = sizeof(ngx_lead_http_not_public) / sizeof(ngx_lead_http_network_t);

    for (i = 0; i < n; i++) {
        if ((addr & ngx_lead_http_not_public[i].mask)
            == ngx_lead_http_not_public[i].addr)
        {
            return 0;
        }
    }

    return 1;
}


#if (NGX_HAVE_INET6)

/*
 * What is not known to be public is not: of all of IPv6 only 2000::/3 has
 * been given out, so that loopback, ::/96 with IPv4 in it, local NAT64
 * (64:ff9b:1::/48), unique local, link-local, site-local, multicast and
 * whatever is still reserved need no lines of their own.
 */

static ngx_uint_t
ngx_lead_http_public_inet6(u_char *p)
{
    static const u_char  mapped[12] =
                                    { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255 };
    static const u_char  nat64[12] =
                          { 0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0 };

    uint32_t  word;

    if (ngx_memcmp(p, mapped, 12) == 0 || ngx_memcmp(p, nat64, 12) == 0) {
        return ngx_lead_http_public_inet(ngx_lead_http_word(p + 12));
    }

    word = ngx_lead_http_word(p);

    if ((word & 0xe0000000) != 0x20000000
        || (word & 0xfffffe00) == 0x20010000      /* 2001::/23, protocols,
                                                     Teredo among them */
        || word == 0x20010db8                     /* 2001:db8::/32, */
        || (word & 0xfffff000) == 0x3fff0000)     /* 3fff::/20, documentat. */
    {
        return 0;
    }

    if ((word & 0xffff0000) == 0x20020000         /* 2002::/16, 6to4 */
        && !ngx_lead_http_public_inet(ngx_lead_http_word(p + 2)))
    {
        return 0;
    }

    /* ISATAP: the IPv4 address behind a router of this network */

    if ((ngx_lead_http_word(p + 8) & ~0x02000000) == 0x00005efe) {
        return ngx_lead_http_public_inet(ngx_lead_http_word(p + 12));
    }

    return 1;
}


static uint32_t
ngx_lead_http_word(u_char *p)
{
    return (uint32_t) p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

#endif
