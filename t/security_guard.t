# Copyright (C) the ngx_lead authors
#
# lead_key_failures: who tries keys from an address is stopped, in all dialects
# and by all workers at once; who is at work there goes on.

use strict;
use warnings;

use FindBin ();
use IO::Socket::UNIX ();
use JSON::PP ();
use Test::More;

use lib "$FindBin::Bin/lib";
use Test::Lead qw(wait_until);
use Test::Lead::Dialects qw(dialects creation read_of form);
use Test::Lead::Http ();
use Test::Lead::Process qw(slow);

my $Json = JSON::PP->new->utf8->canonical;
my $Number = 0;

my %Voice = (
    reflekt => { success => JSON::PP::false, error => 'Too many requests' },
    lawfficient => { error => { code => 'rate_limited',
            message => 'Rate limit exceeded.' } },
    kickofflabs => { message => 'Rate limit exceeded' },
    flextell => { error => 'rate_limit_exceeded',
        message => 'Too many requests.' },
    leadflip => { status => 'error', message => 'Too Many Attempts.' },
);


# who asks: 127.0.0.1 is believed the address it gives

sub server {
    my (%opt) = @_;

    my $limit = delete $opt{limit} // 'lead_key_failures 5r/m;';

    $opt{http} = ($opt{http} // '') . <<"_EOC_";
    set_real_ip_from 127.0.0.1;
    real_ip_header X-Real-IP;
    $limit
_EOC_

    my $t = Test::Lead::Dialects->new(workers => 2, %opt);

    $t->start;

    return $t;
}


sub ask {
    my ($t, $dialect, $key, $address, @more) = @_;

    my ($method, $path, $headers, $body) = creation($dialect);

    return $t->call($dialect, $key, $method, $path, [@$headers,
        $address ? ('X-Real-IP', $address) : (), @more], $body);
}


sub guess {
    my ($t, $dialect, $address) = @_;

    return ask($t, $dialect, 'no_key_' . $Number++, $address);
}


sub statuses {
    my (@res) = @_;

    my %seen;
    $seen{ $_->{status} }++ for @res;

    return \%seen;
}


# ---- what there is where nothing is configured

{
    my $t = server(limit => '');
    my $key = $t->add_key('one');

    is_deeply(statuses(map { guess($t, 'lawfficient') } 1 .. 65),
        { 401 => 60, 429 => 5 }, 'default: sixty in a minute');
    is(ask($t, 'lawfficient', $key)->{status}, 429, 'default: that is all');
    is(ask($t, 'lawfficient', undef)->{status}, 401, 'default: no key is none');
    is(ask($t, 'lawfficient', $key, '192.0.2.1')->{status}, 201,
        'default: another address');
    $t->check_end('default: a clean end');
}


# ---- each dialect, and all of them together

my $T = server(server => 'listen unix:%%DIR%%/leads.sock;');
my %Key = (
    good => $T->add_key('one'),
    fresh => $T->add_key('one'),
    imported => $T->add_key('one', text => 'imported_key'),
    off => $T->add_key('one', off => 1),
    read => $T->add_key('one', scope => 'leads:read'),
    api => $T->add_key('one', api => 'reflekt'),
    two => $T->add_key('two'),
    source => $T->add_key('one', source => 'web'),
    gone => $T->add_key('one'),
);

my $n = 0;

for my $dialect (dialects()) {
    my $address = '192.0.2.' . ++$n;

    like(ask($T, $dialect, $Key{good}, $address)->{status}, qr/^20[01]$/,
        "$dialect: a good key");

    my $statuses = statuses(map { guess($T, $dialect, $address) } 1 .. 5);
    my ($status) = keys %$statuses;

    is_deeply($statuses, { $status => 5 }, "$dialect: five tries");
    isnt($status, 429, '... are answered as always');

    my $leads = $T->ctl('--json', qw(lead export));

    for my $key ('no_key_' . $Number++, $Key{fresh}, 'imported_key') {
        my $res = ask($T, $dialect, $key, $address);

        is($res->{status}, 429, "$dialect: the sixth");
        is_deeply($res->{json}, $Voice{$dialect}, '... in its words');
        like($res->{headers}{'retry-after'}, qr/^[1-9]\d?$/,
            '... with Retry-After');
        cmp_ok($res->{headers}{'retry-after'}, '<=', 60,
            '... of a minute at most');
        is($res->{headers}{'x-ratelimit-limit'}, undef,
            '... and nothing of lead_rate');
    }

    is($T->ctl('--json', qw(lead export)), $leads, "$dialect: no lead of them");
    like(ask($T, $dialect, $Key{good}, $address)->{status}, qr/^20[01]$/,
        "$dialect: who was at work goes on");

    # the other dialects know it, and only of this address

    for my $other (dialects()) {
        is(guess($T, $other, $address)->{status}, 429, "$dialect: $other, too");
        isnt(ask($T, $other, $Key{fresh}, "198.51.100.$n")->{status}, 429,
            "$dialect: $other of another address");
    }
}

my $Line = 'lead: client sent more than 5 unknown keys in a minute, '
    . 'client: 192.0.2.1,';

ok($T->log =~ /\[info\] .* \Q$Line\E/, 'the log says it');
ok($T->log !~ /no_key_|imported_key/, '... and no key');


# ---- a reload

ok($T->reload, 'a reload');
is(guess($T, 'reflekt', '192.0.2.1')->{status}, 429, '... forgets nothing');
is(ask($T, 'lawfficient', $Key{good}, '192.0.2.2')->{status}, 201,
    '... of good keys neither');


# ---- what counts, and what does not

for my $case (
    [203, 'unknown', 'lawfficient', 'no_key', 1],
    [204, 'mistyped', 'lawfficient',
        $Key{good} =~ s/(.)\z/$1 eq 'a' ? 'b' : 'a'/er, 1],
    [205, 'of another dialect', 'lawfficient', $Key{api}, 1],
    [206, 'of a source', 'leadflip', $Key{source}, 1],
    [207, 'of another account', 'kickofflabs', $Key{two}, 1],
    [208, 'very long', 'lawfficient', 'k' x 3000, 1],
    [209, 'empty', 'lawfficient', '', 0],
    [210, 'none', 'lawfficient', undef, 0],
    [211, 'disabled', 'lawfficient', $Key{off}, 0],
    [212, 'without the scope', 'lawfficient', $Key{read}, 0],
    [213, 'good', 'lawfficient', $Key{good}, 0],
) {
    my ($last, $name, $dialect, $key, $counts) = @$case;

    my $statuses = statuses(map { ask($T, $dialect, $key, "192.0.2.$last") }
        1 .. 7);

    is($statuses->{429} // 0, $counts ? 2 : 0, "a key that is $name");
}

# of another tenant: it is somebody's who is at work, elsewhere

is_deeply(statuses(map { ask($T, 'flextell', $Key{good}, '192.0.2.214',
    'X-Tenant', 2) } 1 .. 7), { 403 => 7 }, "a tenant that is another's");


# ---- a key that was good, and is taken away

{
    my $address = '192.0.2.220';

    is(ask($T, 'lawfficient', $Key{gone}, $address)->{status}, 201,
        'gone: a good key');
    is_deeply(statuses(map { guess($T, 'lawfficient', $address) } 1 .. 6),
        { 401 => 5, 429 => 1 }, 'gone: tries');
    is(ask($T, 'lawfficient', $Key{gone}, $address)->{status}, 201,
        'gone: it is still good');

    my ($id) = $Key{gone} =~ /^lead_(\w{8})_/;
    $T->ctl(qw(key remove), $id);

    is_deeply(statuses(map { ask($T, 'lawfficient', $Key{gone}, $address) }
        1 .. 3), { 429 => 3 }, 'gone: it is one that is tried');
    is(ask($T, 'lawfficient', $Key{gone}, '192.0.2.221')->{status}, 401,
        'gone: unknown elsewhere');
}


# ---- addresses

is_deeply(statuses(map { guess($T, 'lawfficient', "2001:db8:0:0:$_:$_:$_:$_") } 1 .. 7),
    { 401 => 5, 429 => 2 }, 'IPv6: a network of 64 bits is one client');
is(guess($T, 'lawfficient', '2001:db8:0:1::1')->{status}, 401,
    'IPv6: the next one is another');
is_deeply(statuses(map { guess($T, 'lawfficient', '192.0.2.230') } 1 .. 5),
    { 401 => 5 }, 'IPv4: tries');
is(guess($T, 'lawfficient', '::ffff:192.0.2.230')->{status}, 429,
    'IPv4: also inside of IPv6');

for (1 .. 7) {
    my $s = IO::Socket::UNIX->new(Peer => $T->dir . '/leads.sock')
        or die "cannot connect: $!\n";

    print {$s} Test::Lead::Http::format_request('GET', '/lawfficient/leads',
        { Authorization => "Bearer none_$_" });
    like(scalar(<$s>), qr/^HTTP\/1\.1 401 /,
        'a Unix socket: everybody may be behind it');
}


# ---- many at once, over both workers

{
    my @res = $T->parallel([map { [Test::Lead::Dialects::with_key(
        'lawfficient', "no_key_$_", 'one', 'POST', '/lawfficient/leads',
        ['X-Real-IP', '192.0.2.240'], '{}')] } 1 .. 60]);

    is_deeply(statuses(@res), { 401 => 5, 429 => 55 }, '60 at once');
}


# ---- more addresses than are remembered

{
    my $c = $T->connect;
    my %seen;

    for my $i (1 .. 5000) {
        my $address = sprintf '10.%d.%d.%d', $i % 7, $i / 250, $i % 250;

        $c->request('POST', '/lawfficient/leads', ['X-Real-IP', $address,
            'Authorization', "Bearer none_$i"], '{}', keepalive => 1);

        my $res = $c->response // { status => "none: $c->{error}" };

        $seen{ $res->{status} }++;
        $c = $T->connect if ($res->{headers}{connection} // '') ne 'keep-alive';
    }

    is_deeply(\%seen, { 401 => 5000 }, 'thousands of addresses');
    is(ask($T, 'lawfficient', $Key{fresh}, '192.0.2.250')->{status}, 201,
        '... and one more');
    is_deeply(statuses(map { guess($T, 'lawfficient', '192.0.2.251') } 1 .. 6),
        { 401 => 5, 429 => 1 }, '... that is counted');
}


$T->check_end('a clean end');


# ---- where it is configured

{
    my $t = server(limit => 'lead_key_failures off;',
        server => 'lead_key_failures 1r/s;
            location /few/ { lead_api lawfficient base=/few;
                lead_key_failures 2r/m; }
            location /off/ { lead_api lawfficient base=/off;
                lead_key_failures off; }
            location /if/ { lead_api lawfficient base=/if;
                lead_key_failures 3r/m; if ($arg_a) { set $b 1; } }');

    my $key = $t->add_key('one');

    for my $case (['/off/leads', 70, 70], ['/few/leads', 4, 2],
        ['/if/leads?a=1', 5, 3, '192.0.2.3'],
        ['/lawfficient/leads', 70, 60, '192.0.2.2'])
    {
        my ($path, $tries, $let, $address) = @$case;
        my @res = map { $t->http('GET', $path, ['Authorization', "Bearer no$_",
            $address ? ('X-Real-IP', $address) : ()]) } 1 .. $tries;

        is_deeply(statuses(@res), { 401 => $let,
            $tries > $let ? (429 => $tries - $let) : () }, "where: $path");
    }

    is($t->http('GET', '/off/leads', { Authorization => "Bearer $key" })
        ->{status}, 200, 'where: off is off');
    $t->check_end('where: a clean end');
}

for my $case (
    ['', qr/invalid number of arguments/],
    ['fast', qr/it must be a rate, as 60r\/m or 1r\/s, or off/],
    ['0r/m', qr/it must be a rate/],
    ['5', qr/it must be a rate/],
    ['5r/h', qr/it must be a rate/],
    ['5r/m 6r/m', qr/"6r\/m"/],
    ['5r/m burst=2', qr/unknown parameter "burst="/],
    ['5r/m; lead_key_failures off', qr/"lead_key_failures" .*is duplicate/],
) {
    my ($value, $said) = @$case;
    my $t = Test::Lead::Dialects->new(http => "lead_key_failures $value;");
    my ($ok, $text) = $t->test_conf;

    ok(!$ok, "conf: $value");
    like($text, qr/\[emerg\].*$said.*nginx\.conf:\d+/, '... is told');
}

done_testing();
