# Copyright (C) the ngx_lead authors
#
# Webhooks over TLS: who is not proved to be the receiver gets no byte of a
# lead, and who asks for a certificate of ours gets that.

use strict;
use warnings;

use FindBin ();
use Test::More;

use lib "$FindBin::Bin/lib";
use Test::Lead::Certificate ();
use Test::Lead::Dns ();
use Test::Lead::Process qw(find_program);
use Test::Lead::Webhook ();

plan skip_all => 'no openssl here' if !find_program('openssl');

my $Names = 'DNS:crm.test,DNS:*.wild.test,IP:127.0.0.1,IP:::1';

my $t = Test::Lead::Webhook->new;
my $dns = Test::Lead::Dns->new(dir => $t->dir);
my $ca = Test::Lead::Certificate->new(dir => $t->dir);
my $other = Test::Lead::Certificate->new(dir => $t->dir, name => 'other');

my %local = (a => ['127.0.0.1']);
$dns->table(map { $_ => \%local } qw(crm.test else.test a.wild.test
    a.b.wild.test));


sub tls {
    my ($from, $name, %more) = @_;

    my %issue = map { $_ => delete $more{$_} } grep { exists $more{$_} }
        qw(names from to self cn);
    my ($cert, $key) = $from->issue($name, names => $Names, %issue);

    return $t->receiver(name => $name, tls => { cert => $cert, key => $key,
        %more });
}


my ($client_cert, $client_key) = $ca->issue('our-client');
my ($stranger_cert, $stranger_key) = $other->issue('stranger');

my %r = (
    good => tls($ca, 'good'),
    expired => tls($ca, 'expired', from => '200101000000Z',
        to => '210101000000Z'),
    early => tls($ca, 'early', from => '480101000000Z'),
    self => tls($ca, 'self', self => 1),
    foreign => tls($other, 'foreign'),
    named => tls($ca, 'named', names => 'DNS:crm.test', cn => '127.0.0.1'),
    cn => tls($ca, 'cn', names => undef, cn => 'crm.test'),
    old => tls($ca, 'old', max => 'TLSv1.1'),
    mutual => tls($ca, 'mutual', ca => $ca->file, client => 'required'),
);

my $plain = $t->receiver(name => 'plain');
my @ca = ('ssl_trusted=' . $ca->file);
my @ours = ("ssl_certificate=$client_cert", "ssl_certificate_key=$client_key");
my @strange = ("ssl_certificate=$stranger_cert",
    "ssl_certificate_key=$stranger_key");

# endpoint => [receiver, host in the URL, parameters]; what is refused has an
# error as well

my %good = (
    ip => ['good', '127.0.0.1', @ca],
    name => ['good', 'crm.test', @ca],
    wild => ['good', 'a.wild.test', @ca],
    system => ['good', '127.0.0.1'],
    off_self => ['self', 'crm.test', 'ssl_verify=off'],
    off_name => ['good', 'else.test', 'ssl_verify=off'],
    off_expired => ['expired', '127.0.0.1', 'ssl_verify=off'],
    mutual => ['mutual', 'crm.test', @ca, @ours],
    unasked => ['good', 'crm.test', @ca, @ours],
);

my %bad = (
    wrong_name => ['good', 'else.test', @ca],
    wrong_depth => ['good', 'a.b.wild.test', @ca],
    wrong_ip => ['named', '127.0.0.1', @ca],
    no_names => ['cn', 'else.test', @ca],
    expired => ['expired', 'crm.test', @ca],
    early => ['early', 'crm.test', @ca],
    self => ['self', 'crm.test', @ca],
    foreign => ['foreign', 'crm.test', @ca],
    untrusted => ['foreign', 'crm.test'],
    old => ['old', 'crm.test', @ca],
    old_off => ['old', 'crm.test', 'ssl_verify=off'],
    bare => ['mutual', 'crm.test', @ca],
    stranger => ['mutual', 'crm.test', @ca, @strange],
);

my %endpoint = (%good, %bad);

$t->configure(http => 'resolver 127.0.0.1:' . $dns->port . ' ipv6=off;',
    schedule => '0 1h', hooks => join '',
    $t->hook(no_tls => $plain->url('/no_tls') =~ s/^http:/https:/r, @ca),
    map {
        my ($receiver, $host, @more) = @{ $endpoint{$_} };
        $t->hook($_ => $r{$receiver}->url("/$_", $host), @more);
    } sort keys %endpoint);

{
    # where OpenSSL looks for the authorities of the system
    local $ENV{SSL_CERT_FILE} = $ca->file;
    $t->start;
}

my $id = $t->create;

ok($t->wait_settled(keys %good), 'all that is to arrive does');

for my $name (sort keys %good) {
    my ($receiver, $host) = @{ $good{$name} };
    my @got = $r{$receiver}->requests(url => "/$name");

    is(scalar @got, 1, "$name: delivered") or next;
    is($got[0]{lead}, $id, "$name: the lead");
    ok(Test::Lead::Webhook::signed($got[0]), "$name: signed");
    is($got[0]{servername}, $host =~ /^[\d.]+\z/ ? undef : $host,
        "$name: the name it asks for");
    like($got[0]{protocol}, qr/^TLSv1\.[23]\z/, "$name: a good TLS");
    is($got[0]{client}, $name eq 'mutual' ? 'our-client' : undef,
        "$name: the client's certificate");
}

for my $name (sort keys %bad, 'no_tls') {
    my ($last) = $t->wait_attempts($name, 1);
    my $receiver = $name eq 'no_tls' ? $plain : $r{ $bad{$name}[0] };

    is($last->{status}, undef, "$name: no answer");
    like($last->{error}, qr/TLS|certificate|closed/,
        "$name: the log says why");
    is(scalar(my @none = $receiver->requests(url => "/$name")), 0,
        "$name: nothing of the lead is sent");
}

# not a part of a request came where none came as a whole
is_deeply([map { $_->rows('bad') } values %r], [], 'nor a part of it');

# on the plain one the handshake is found to be none
is(scalar(my @none = $plain->requests), 0, 'no request without TLS');

is_deeply([map { scalar @{[ $t->attempts($_) ]} } sort keys %good],
    [map { 1 } keys %good], 'what was delivered was so at once');


# ---- what was refused arrives when it is made good

{
    my $port = $r{expired}->port;

    $r{expired}->stop;

    my ($cert, $key) = $ca->issue('renewed', names => $Names);
    my $new = $r{renewed} = $t->receiver(name => 'renewed', port => $port,
        tls => { cert => $cert, key => $key });

    $t->again('expired');
    ok($t->wait_settled('expired'), 'renewed: delivered');
    is(scalar(my @got = $new->requests(url => '/expired')), 1,
        'renewed: once');
}


# ---- connections are kept, sessions too

{
    $t->create for 1 .. 3;
    ok($t->wait_settled(keys %good), 'more: all arrive');

    my %conns = map { $_->{conn} => 1 } $r{good}->requests(url => '/name');
    cmp_ok(scalar keys %conns, '<=', 2, 'more: over connections that are kept');
}

unlike($t->log, qr/whsec_|example\.com/, 'nothing of a lead is logged');
$t->sound('TLS');
$t->check_end('TLS: a clean end');

done_testing();
