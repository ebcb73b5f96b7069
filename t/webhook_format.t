# Copyright (C) the ngx_lead authors
#
# What webhooks say, in each format, to receivers that are not ours: all
# deliveries of a real nginx are judged by t/tools/verify.js, and what the
# vendors' formats say of a lead is what the vendors' APIs say of it, byte by
# byte.

use strict;
use warnings;

use FindBin ();
use MIME::Base64 qw(encode_base64);
use Test::More;

use lib "$FindBin::Bin/lib";
use Test::Lead::Verify qw(verify);
use Test::Lead::Webhook ();

my $New = $Test::Lead::Webhook::Secret;
my $Old = 'whsec_' . encode_base64('fedcba9876543210' x 2, '');
my $Fox = "\x{1f98a}";                    # four bytes of UTF-8

my $t = Test::Lead::Webhook->new;
my $r = $t->receiver;

$t->configure(hooks => join '',
    $t->hook(std => $r->url('/std'), "secret=$New", 'concurrency=1'),
    $t->hook(turn => $r->url('/turn'), "secret=$New", "secret=$Old"),
    $t->hook(law => $r->url('/law'), 'format=lawfficient',
        'secret=whsec_new', 'concurrency=1'),
    $t->hook(lawturn => $r->url('/lawturn'), 'format=lawfficient',
        'secret=whsec_new', 'secret=whsec_old'),
    $t->hook(kol => $r->url('/kol'), 'format=kickofflabs',
        'concurrency=1'));
$t->start;


# a receiver's log has a character for each byte; so is an answer's body here

sub shown {
    my ($method, $path, $headers, $body) = @_;

    my $res = $t->http($method, $path, $headers, $body);

    like($res->{status}, qr/^20/, "$method $path");
    return $res->{body};
}


sub received {
    my ($path, $part) = @_;

    return grep { index($_->{body}, $part) >= 0 } $r->requests(url => $path);
}


# ---- leads of two dialects, events of all kinds, and a test

my $id = $t->create(first_name => "Zo\x{eb} $Fox", last_name => "\"\\\n\x{1}");
my $lead = "/api/leads/$id";

ok($t->wait_settled, 'created: delivered');
my $created = shown('GET', $lead, $t->auth);

$t->patch($id, first_name => 'Bea');
$t->patch($id, status => 'won');
ok($t->wait_settled, 'moved: delivered');
my $moved = shown('GET', $lead, $t->auth);

shown('POST', "$lead/archive", $t->auth);
shown('POST', "$lead/unarchive", $t->auth);

my $json = ['Content-Type', 'application/json'];
my $first = shown('POST', '/v2/100', $json,
    '{"email":"Kim@Example.com","first_name":"K","size":[1,{"a":null}]}');
my ($kid) = $first =~ /"social_id":"(\w+)"/;
my $second = shown('POST', '/v2/100', $json,
    qq({"email":"lou\@example.com","kid":"$kid"}));
shown('POST', '/v2/100', $json, '{"email":"kim@example.com"}');
shown('POST', '/v2/100/points', [@{ $t->auth }, @$json],
    '{"email":"kim@example.com","points":7}');

my @hooks = qw(std turn law lawturn kol);

$t->ctl(qw(webhook test --account acme), $_) for @hooks;
ok($t->wait_settled, 'all is delivered');


# ---- judged by receivers

# created, updated, moved, archived, unarchived; signed up twice, referred,
# updated, scored; tested
my $events = 11;

my %receivers = (
    std => { format => 'standard', secret => $New },
    turn => { format => 'standard', secrets => [$New, $Old] },
    law => { format => 'lawfficient', secret => 'whsec_new' },
    lawturn => { format => 'lawfficient',
        secrets => ['whsec_new', 'whsec_old'] },
    kol => { format => 'kickofflabs' },
);

for my $hook (@hooks) {
    my @got = $r->requests(url => "/$hook");
    my @said = verify(map { { %{ $receivers{$hook} }, body => $_->{body},
        headers => $_->{headers} } } @got);

    is(scalar @got, $events, "$hook: each event once");
    is_deeply(\@said, [('ok') x $events], "$hook: verified");
}

my ($one) = $r->requests(url => '/turn');
my ($vendors) = $r->requests(url => '/lawturn');

is_deeply([verify(
    { format => 'standard', secret => $New, %$one },
    { format => 'standard', secret => $Old, %$one },
    { format => 'lawfficient', secret => 'whsec_old', %$vendors })],
    [('ok') x 3], 'rotation: who has but one secret');

is_deeply([map { /^(\w+)/ } verify(
    { format => 'standard', secret => $New, %$one, body => "$one->{body} " },
    { format => 'lawfficient', secret => 'whsec_old', %$vendors,
        body => "$vendors->{body} " })],
    [('error') x 2], 'what was changed on its way is not verified');


# ---- the lead is the one the vendor's API shows

my ($was) = received('/law', '"type":"lead.created"');
my ($is) = received('/law', '"type":"lead.status_changed"');

like($was->{body}, qr/"data":\Q$created\E\}\z/,
    'lawfficient: a new lead is the one that is shown');
like($is->{body}, qr/"data":\Q$moved\E\}\z/,
    'lawfficient: so is one that has moved');
like($created, qr/"first_name":"Zo\xc3\xab \xf0\x9f\xa6\x8a"/,
    'lawfficient: with its letters');

my @sign_ups = grep { $_->{body} =~ /example/ && $_->{body} !~ /ada/ }
    received('/kol', '"__event":"new_signup"');

is_deeply([sort map { $_->{body} } @sign_ups],
    [sort map { s/\}\z/,"__event":"new_signup"}/r } $first, $second],
    'kickofflabs: a sign-up is the answer to it');

my ($referral) = received('/kol', '"__event":"referral"');
my ($score) = received('/kol', '"__event":"score_change"');

like($referral->{body}, qr/"social_id":"$kid".*"__referral":
    \{"email":"lou\@example\.com","social_id":"\w{6}","phone_number":null\}
    \}\z/x, 'kickofflabs: the referrer hears of a referral');
like($score->{body}, qr/"contest_score":7,.*"__score_change":
    \{"current_contest_score":7,"previous_contest_score":0\}\}\z/x,
    'kickofflabs: a score, and what it was');

my ($repeat) = received('/kol', '"__event":"repeat_signup"');
ok($repeat, 'kickofflabs: a repeated sign-up');


# ---- standard is the lead as it is stored

my ($std) = received('/std', '"type":"lead.status_changed"');

like($std->{body}, qr/^\{"type":"lead\.status_changed","timestamp":"[^"]+",
    "data":\{"id":"$id","number":\d+,"account":"acme",
    "created_at":"[^"]+","updated_at":"[^"]+","last_activity_at":"[^"]+",
    "archived":false,"opted_out":false,"dialect":"lawfficient",
    .*,"stage":\{"pipeline":"stage","key":"won","name":"Won"\}
    .*,"event":\{"from":"new","to":"won"\}\}\}\z/x,
    'standard: a lead and what became of it');

my ($test) = received('/std', '"type":"webhook.test"');
like($test->{body}, qr/"data":\{"id":"0{8}-0{4}-0{4}-0{4}-0{12}","number":0,/,
    'standard: a test is about no lead');

my %ids = map { { map { lc $_->[0] => $_->[1] } @{ $_->{headers} } }
    ->{'webhook-id'} => 1 } $r->requests(url => '/std');
my %same = map { $_->{body} =~ /^\{"id":"([^"]+)"/ ? ($1 => 1) : () }
    $r->requests(url => '/law');

is(keys %ids, $events, 'ids: one for each event');
is((grep { !$same{$_} } keys %ids), 1, 'ids: the same in another format,'
    . ' but for the test, which is one endpoint\'s');

is_deeply([$r->rows('bad')], [], 'nothing came that was no HTTP');
$t->sound('formats');
$t->check_end('a clean end');

done_testing();
