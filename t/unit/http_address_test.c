
/*
 * Copyright (C) the ngx_lead authors
 *
 * Which addresses are public: each network that is not at both of its ends,
 * and what lies beside it, also inside of IPv6.
 */


#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "ngx_lead_http_client.h"


/* a network that is refused, and what is public before and behind it, if
 * anything is */

typedef struct {
    const char  *before;
    const char  *first;
    const char  *last;
    const char  *behind;
} network_t;


static const network_t  inet[] = {
    { NULL, "0.0.0.0", "0.255.255.255", "1.0.0.0" },
    { "9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0" },
    { "100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0" },
    { "126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0" },
    { "168.63.129.15", "168.63.129.16", "168.63.129.16", "168.63.129.17" },
    { "169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0" },
    { "172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0" },
    { "191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0" },
    { "192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0" },
    { "192.88.98.255", "192.88.99.0", "192.88.99.255", "192.88.100.0" },
    { "192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0" },
    { "198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0" },
    { "198.51.99.255", "198.51.100.0", "198.51.100.255", "198.51.101.0" },
    { "203.0.112.255", "203.0.113.0", "203.0.113.255", "203.0.114.0" },
    { "223.255.255.255", "224.0.0.0", "239.255.255.255", NULL },
    { NULL, "240.0.0.0", "255.255.255.255", NULL },
    { NULL, "127.0.0.1", "169.254.169.254", "8.8.8.8" }
};


static const network_t  inet6[] = {
    { NULL, "::", "::1", NULL },
    { NULL, "::2", "::ffff:ffff", NULL },
    { NULL, "::127.0.0.1", "::8.8.8.8", NULL },
    { NULL, "::1:0:0", "::fffe:ffff:ffff", NULL },
    { NULL, "::1:0:0:0", "64:ff9a:ffff:ffff:ffff:ffff:ffff:ffff", NULL },
    { NULL, "64:ff9b:0:0:0:1::", "64:ff9b:0:ffff:ffff:ffff:ffff:ffff", NULL },
    { NULL, "64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", NULL },
    { NULL, "64:ff9b:1::808:808", "64:ff9b:1:808:8:800::", NULL },
    { NULL, "64:ff9b:2::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
      "2000::" },
    { NULL, "100::", "100::ffff:ffff:ffff:ffff", NULL },
    { "2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2001::",
      "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:200::" },
    { "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8::",
      "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::" },
    { "2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2002::",
      "2002:ff:ffff:ffff:ffff:ffff:ffff:ffff", "2003::" },
    { "3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff::",
      "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff:1000::" },
    { "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "4000::",
      "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL },
    { NULL, "fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL },
    { NULL, "fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL },
    { NULL, "fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL },
    { NULL, "ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL },
    { NULL, "fd00:ec2::254", "fe80::a9fe:a9fe", "2606:4700:4700::1111" }
};


/* what is before, in front of, and behind an IPv4 address in hexadecimal */

static const char  *wrapped[][2] = {
    { "::ffff:", "" },
    { "64:ff9b::", "" },
    { "2002:", "::1" },
    { "2002:", ":ffff:ffff:ffff:ffff:ffff" },
    { "2a00:1450::5efe:", "" },
    { "2a00:1450::200:5efe:", "" }
};


static ngx_uint_t
public(const char *text)
{
    void                 *sa;
    ngx_uint_t            rc;
    struct sockaddr_in   *sin;
    struct sockaddr_in6  *sin6;

    if (strchr(text, ':')) {
        sa = sin6 = calloc(1, sizeof(struct sockaddr_in6));
        assert_non_null(sa);

        sin6->sin6_family = AF_INET6;
        sin6->sin6_port = htons(443);
        assert_int_equal(inet_pton(AF_INET6, text, &sin6->sin6_addr), 1);

    } else {
        sa = sin = calloc(1, sizeof(struct sockaddr_in));
        assert_non_null(sa);

        sin->sin_family = AF_INET;
        sin->sin_port = htons(443);
        assert_int_equal(inet_pton(AF_INET, text, &sin->sin_addr), 1);
    }

    rc = ngx_lead_http_address_public(sa);

    free(sa);

    return rc;
}


static void
check(const char *text, ngx_uint_t want)
{
    if (text && public(text) != want) {
        fail_msg("%s is%s public", text, want ? " not" : "");
    }
}


static void
check_network(const network_t *n)
{
    check(n->before, 1);
    check(n->first, 0);
    check(n->last, 0);
    check(n->behind, 1);
}


static void
networks(void **state)
{
    size_t  i;

    for (i = 0; i < sizeof(inet) / sizeof(inet[0]); i++) {
        check_network(&inet[i]);
    }
}


static void
networks6(void **state)
{
    size_t  i;

    for (i = 0; i < sizeof(inet6) / sizeof(inet6[0]); i++) {
        check_network(&inet6[i]);
    }
}


static void
check_wrapped(const char *text, ngx_uint_t want)
{
    char            address[128];
    size_t          i;
    unsigned        w[2];
    struct in_addr  in;

    if (text == NULL) {
        return;
    }

    assert_int_equal(inet_pton(AF_INET, text, &in), 1);

    w[0] = ntohl(in.s_addr) >> 16;
    w[1] = ntohl(in.s_addr) & 0xffff;

    for (i = 0; i < sizeof(wrapped) / sizeof(wrapped[0]); i++) {
        snprintf(address, sizeof(address), "%s%x:%x%s", wrapped[i][0], w[0],
                 w[1], wrapped[i][1]);
        check(address, want);
    }
}


/* IPv4 inside of IPv6 is judged as IPv4 */

static void
wraps(void **state)
{
    size_t  i;

    for (i = 0; i < sizeof(inet) / sizeof(inet[0]); i++) {
        check_wrapped(inet[i].before, 1);
        check_wrapped(inet[i].first, 0);
        check_wrapped(inet[i].last, 0);
        check_wrapped(inet[i].behind, 1);
    }

    check("::ffff:127.0.0.1", 0);
    check("::ffff:8.8.8.8", 1);
    check("64:ff9b::169.254.169.254", 0);
    check("64:ff9b::8.8.8.8", 1);

    /* no ISATAP */

    check("2a00:1450::100:5efe:7f00:1", 1);
    check("2a00:1450::5eff:7f00:1", 1);
}


/* an IPv6 address says the same whatever its port, flow and scope */

static void
others(void **state)
{
    struct sockaddr      *sa;
    struct sockaddr_in6  *sin6;

    static const int  families[] = { AF_UNSPEC, AF_UNIX, AF_NETLINK,
                                     AF_PACKET };

    size_t  i;

    for (i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
        sa = calloc(1, sizeof(struct sockaddr));
        assert_non_null(sa);

        sa->sa_family = families[i];
        assert_false(ngx_lead_http_address_public(sa));

        free(sa);
    }

    sin6 = calloc(1, sizeof(struct sockaddr_in6));
    assert_non_null(sin6);

    sin6->sin6_family = AF_INET6;
    sin6->sin6_flowinfo = 0xffffffff;
    sin6->sin6_scope_id = 2;
    inet_pton(AF_INET6, "fe80::1", &sin6->sin6_addr);

    assert_false(ngx_lead_http_address_public((struct sockaddr *) sin6));

    inet_pton(AF_INET6, "2a00:1450::1", &sin6->sin6_addr);

    assert_true(ngx_lead_http_address_public((struct sockaddr *) sin6));

    free(sin6);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(networks),
        cmocka_unit_test(networks6),
        cmocka_unit_test(wraps),
        cmocka_unit_test(others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
