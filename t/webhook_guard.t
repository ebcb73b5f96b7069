# Copyright (C) the ngx_lead authors
#
# Where webhooks may go: addresses that are not public are refused unless they
# are allowed, whatever they are written as and whatever a name turns into.

use strict;
use warnings;

use FindBin ();
use IO::Socket::IP ();
use Test::More;

use lib "$FindBin::Bin/lib";
use Test::Lead::Dns ();
use Test::Lead::Process qw(slow);
use Test::Lead::Webhook ();

my $Six = !!IO::Socket::IP->new(LocalHost => '::1', Listen => 1);

# one that may be reached and, on the same port, one that must never be
my $t = Test::Lead::Webhook->new;
my $dns = Test::Lead::Dns->new(dir => $t->dir);
my $r = $t->receiver(name => 'allowed', host => '127.0.0.2');
my $port = $r->port;
my $inner = $t->receiver(name => 'inner', port => $port);
my $inner6 = $Six ? $t->receiver(name => 'inner6', port => $port,
    host => '::1') : undef;

# refused: addresses in the URL
my %literal = (
    loopback => '127.0.0.1',
    any => '0.0.0.0',
    private => '10.0.0.1',
    middle => '172.16.0.1',
    home => '192.168.1.1',
    shared => '100.64.0.1',
    metadata => '169.254.169.254',
    multicast => '224.0.0.1',
    reserved => '240.0.0.1',
    six => '[::1]',
    unspecified => '[::]',
    mapped => '[::ffff:127.0.0.1]',
    compatible => '[::127.0.0.1]',
    nat64 => '[64:ff9b::7f00:1]',
    six_to_four => '[2002:7f00:1::1]',
    unique => '[fd00::1]',
    link => '[fe80::1]',
);

# refused: what a name is found to be
my %named = (
    'loop.test' => { a => ['127.0.0.1'] },
    'meta.test' => { a => ['169.254.169.254'] },
    'both.test' => { a => ['127.0.0.1', '10.1.2.3'], aaaa => ['::1'] },

    # without IPv6 nobody asks for these
    $Six ? (
        'loop6.test' => { aaaa => ['::1'] },
        'mapped.test' => { aaaa => ['::ffff:127.0.0.1'] },
        'nat64.test' => { aaaa => ['64:ff9b::7f00:1'] },
        '6to4.test' => { aaaa => ['2002:7f00:1::1'] },
    ) : (),
);

# reached, by the one address that may be
my %reached = (
    'good.test' => { a => ['127.0.0.2'] },
    'mixed.test' => { a => ['127.0.0.1', '127.0.0.2'], aaaa => ['::1'] },
    'dead.test' => { a => ['127.0.0.3', '127.0.0.2'] },
);

my %absent = (
    'none.test' => { code => 3 },
    'broken.test' => { code => 2 },
    'empty.test' => {},
    'mute.test' => { mute => 1 },
);

my %table = (%named, %reached, %absent,
    'moved.test' => [{ a => ['127.0.0.2'] }, { a => ['127.0.0.1'] }]);


sub label {
    return 'name_' . $_[0] =~ s/\W/_/gr;
}


$dns->table(%table);

$t->configure(allow => '127.0.0.2/31', schedule => '0 1h',
    http => 'resolver 127.0.0.1:' . $dns->port . ' valid=1s ipv6='
        . ($Six ? 'on' : 'off') . '; resolver_timeout 1s;',
    hooks => join '',
    $t->hook(literal => "http://127.0.0.2:$port/literal"),
    $t->hook(moved => "http://moved.test:$port/moved",
        'keepalive=0'),
    $t->hook(away => "http://127.0.0.2:$port/away"),
    (map { $t->hook($_ => "http://$literal{$_}:$port/$_") } sort keys %literal),
    (map { $t->hook(label($_) => "http://$_:$port/" . label($_)) }
        sort keys %named, keys %reached, keys %absent));

$r->plan({ match => { url => '^/away' }, status => 301,
    headers => [['Location', "http://127.0.0.1:$port/inside"]] });
$t->start;

my $id = $t->create;
my @reached = (qw(literal), map { label($_) } sort keys %reached);

ok($t->wait_settled(@reached, 'moved'), 'what is allowed is reached');

for my $name (@reached) {
    my @got = $r->requests(url => "/$name");

    is(scalar @got, 1, "$name: delivered") or next;
    is($got[0]{lead}, $id, "$name: the lead");
}

is(($r->requests(url => '/name_good_test'))[0]{header}{host}, "good.test:$port",
    'the name stays the host');

for my $name (sort keys %literal, map { label($_) } keys %named) {
    my ($last) = $t->wait_attempts($name, 1);

    is($last->{status}, undef, "$name: no answer");
    like($last->{error}, qr/neither public nor allowed/,
        "$name: refused");
}

for my $name (map { label($_) } sort keys %absent) {
    my ($last) = $t->wait_attempts($name, 1);

    is($last->{status}, undef, "$name: no answer");
    like($last->{error}, qr/the host's name/, "$name: has no address");
}


# ---- redirects

{
    my ($last) = $t->wait_attempts('away', 1);

    is($last->{status}, 301, 'redirect: a failure');
    is(scalar(my @none = $inner->rows), 0, 'redirect: not followed');
}


# ---- a name that moves once it has been looked at

{
    is(scalar(my @first = $r->requests(url => '/moved')), 1,
        'rebinding: the first one arrives');

    # another question is asked when the answer has run out
    my $mark = () = grep { $_ eq 'A moved.test' } $dns->asked;
    my $tries = 0;

    do {
        $t->create;
        $tries++;
        $t->wait_attempts('moved', 1 + $tries);
    } while ($tries < 200
        && $mark == (() = grep { $_ eq 'A moved.test' } $dns->asked));

    my ($last) = $t->attempts('moved');
    is($last->{status}, undef, 'rebinding: then there is no answer');
    like($last->{error}, qr/neither public nor allowed/,
        'rebinding: the new address is refused');
}

is(scalar(my @rows = $inner->rows), 0, 'the inner one was never connected to');
is(scalar(@rows = $inner6 ? $inner6->rows : ()), 0, 'nor over IPv6');


# ---- what had no address gets one

{
    $dns->table(%table, 'none.test' => { a => ['127.0.0.2'] });
    $t->again('name_none_test');
    ok($t->wait_settled('name_none_test'), 'found: delivered');
}

unlike($t->log, qr/whsec_|example\.com/, 'nothing of a lead is logged');
$t->sound('guard');
$t->check_end('guard: a clean end');


# ---- a name without a resolver is a mistake of the configuration

{
    my $c = Test::Lead::Webhook->new;

    $c->configure(hooks => $c->hook(crm => 'https://crm.test/'));
    my ($ok, $said) = $c->test_conf;
    ok(!$ok, 'no resolver: refused by nginx -t');
    like($said, qr/resolver/, 'no resolver: and it says so');

    # other ways to write an address, which some libraries take
    for my $host (qw(2130706433 0x7f000001 017700000001 127.1 0177.0.0.1
        0x7f.0.0.1 127.0.0.1. 127.0.0.01 255.255.255.255 [::ffff:127.0.0.1%lo]))
    {
        $c->configure(hooks => $c->hook(crm => "http://$host/"),
            http => 'resolver 127.0.0.1;');
        ($ok, $said) = $c->test_conf;
        ok(!$ok, "$host: no host");
        like($said, qr/invalid URL/, "$host: and it says so");
    }
}

done_testing();
