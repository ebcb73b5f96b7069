#!/usr/bin/perl

# Copyright (C) the ngx_lead authors
#
# The verifier of webhooks under test (t/tools/verify.js): requests signed here
# that it must take, and the same with one thing wrong, of which it must say
# what.

use strict;
use warnings;

use Digest::SHA qw(hmac_sha256 hmac_sha256_hex);
use FindBin ();
use MIME::Base64 qw(encode_base64);
use Test::More;

use lib "$FindBin::Bin/lib";
use Test::Lead::Verify qw(verify);

my $Id = '0190c9a0-1111-7222-8333-444455556666';
my $Time = '2026-06-24T10:00:04.005Z';
my $Now = time;
my ($Key, $OldKey) = ("\x{ff}\x{fe}" x 16, 'k' x 24);

# in bytes; no Latin-1 text makes these
my $Name = "Zo\xc3\xab \xf0\x9f\xa6\x8a";


sub secret {
    my ($key) = @_;

    return 'whsec_' . encode_base64($key, '');
}


# a good request with what is said here in its place; the signature is made
# with it, if it is not given

sub standard {
    my (%r) = (id => $Id, time => $Now, keys => [$Key], %{ shift() });

    $r{body} //= qq({"type":"lead.created","timestamp":"$Time","data":)
        . qq({"first_name":"$Name"}});
    $r{signature} //= join ' ', map { 'v1,' . encode_base64(
        hmac_sha256("$r{id}.$r{time}.$r{body}", $_), '') } @{ $r{keys} };

    return { format => 'standard', body => $r{sent} // $r{body},
        headers => $r{headers} // [
            ['Content-Type', $r{type} // 'application/json'],
            ['webhook-id', $r{id}], ['Webhook-Timestamp', "$r{time}"],
            ['webhook-signature', $r{signature}]],
        $r{secrets} ? (secrets => $r{secrets})
                    : (secret => $r{secret} // secret($Key)),
        defined $r{now} ? (now => $r{now}) : () };
}


sub lawfficient {
    my (%r) = (time => $Now, keys => ['whsec_new'], %{ shift() });

    $r{body} //= qq({"id":"$Id","type":"lead.created","created_at":"$Time",)
        . qq("data":{"first_name":"$Name"}});
    $r{signature} //= "t=$r{time}" . join '', map {
        ',v1=' . hmac_sha256_hex("$r{time}.$r{body}", $_) } @{ $r{keys} };

    return { format => 'lawfficient', body => $r{sent} // $r{body},
        headers => { 'content-type' => 'application/json',
            'Lawfficient-Signature' => $r{signature} },
        $r{secrets} ? (secrets => $r{secrets})
                    : (secret => $r{secret} // 'whsec_new'),
        defined $r{now} ? (now => $r{now}) : () };
}


sub kickofflabs {
    my (%r) = @_;

    return { format => 'kickofflabs',
        headers => [['Content-Type', 'application/json'],
            @{ $r{headers} // [] }],
        body => $r{body} // qq({"id":5,"__event":"new_signup"}) };
}


my $both = [secret($Key), secret($OldKey)];
my $twice = { keys => [$Key, $OldKey] };
my $vendors = { keys => ['whsec_new', 'whsec_old'] };
my $body = qq("timestamp":"$Time","data":{}});

my @cases = (
    ['standard', standard({}), 'ok'],
    ['another body', standard({ sent => '{}' }), 'No matching signature'],
    ['a blank more', standard({ sent => standard({})->{body} . ' ' }),
        'No matching signature'],
    ['another secret', standard({ secret => secret($OldKey) }),
        'No matching signature'],
    ['the text of a secret as key', standard({ keys => [secret($Key)] }),
        'No matching signature'],
    ['in hex', standard({ signature => 'v1,' . 'a' x 64 }),
        'No matching signature'],
    ['unsigned', standard({ signature => '' }), 'Missing required headers'],
    ['without an id', standard({ id => '' }), 'Missing required headers'],
    ['a dot in its id', standard({ id => 'a.b' }), 'a dot in webhook-id'],
    ['five minutes old', standard({ now => $Now + 300 }), 'ok'],
    ['older', standard({ now => $Now + 301 }), 'too old'],
    ['from the future', standard({ now => $Now - 301 }), 'too new'],
    ['in milliseconds', standard({ time => $Now . '000' }), 'too new'],
    ['a second second', standard({ time => "$Now.0" }),
        'No matching signature'],
    ['who has the new secret', standard($twice), 'ok'],
    ['who has the old one', standard({ %$twice, secret => secret($OldKey) }),
        'ok'],
    ['who tries both', standard({ %$twice, secrets => $both }), 'ok'],
    ['the old one first', standard({ keys => [$OldKey, $Key],
        secrets => $both }), 'signature 1 is of another secret'],
    ['one is missing', standard({ secrets => $both }),
        'No matching signature'],
    ['one too many', standard({ %$twice, secrets => [secret($Key)] }),
        '2 signatures'],
    ['no type', standard({ body => "{$body" }), 'members timestamp,data'],
    ['a type with a blank', standard({ body => qq({"type":"a b",$body) }),
        'type a b'],
    ['no milliseconds', standard({
        body => qq({"type":"a","timestamp":"2026-06-24T10:00:04Z",)
            . '"data":{}}' }), 'timestamp 2026'],
    ['no object', standard({
        body => qq({"type":"a","timestamp":"$Time","data":[]}) }),
        'data is no object'],
    ['no UTF-8', standard({ body => qq({"type":"a","timestamp":"$Time",)
        . qq("data":{"a":"\xff"}}) }), 'No matching|not valid'],
    ['another type of content', standard({ type => 'text/plain' }),
        'Content-Type text/plain'],
    ['without any header', standard({ headers => [] }), 'Content-Type'],

    ['lawfficient', lawfficient({}), 'ok'],
    ['another body', lawfficient({ sent => '{}' }), 'another signature'],
    ['another secret', lawfficient({ secret => 'whsec_old' }),
        'another signature'],
    ['decoded', lawfficient({ keys => ['new'] }), 'another signature'],
    ['capitals', lawfficient({ signature => uc lawfficient({})->{headers}
        {'Lawfficient-Signature'} }), 'no time'],
    ['unsigned', lawfficient({ signature => '' }),
        'no Lawfficient-Signature'],
    ['no value', lawfficient({ keys => [] }), 'another signature'],
    ['no time', lawfficient({ signature => 'v1=' . 'a' x 64 }), 'no time'],
    ['five minutes old', lawfficient({ now => $Now + 300 }), 'ok'],
    ['older', lawfficient({ now => $Now + 301 }), 'too old'],
    ['from the future', lawfficient({ now => $Now - 301 }), 'too new'],
    ['two: the vendor takes the last', lawfficient({ %$vendors,
        secret => 'whsec_old' }), 'ok'],
    ['... and not the first', lawfficient($vendors), 'another signature'],
    ['who tries both', lawfficient({ %$vendors,
        secrets => ['whsec_new', 'whsec_old'] }), 'ok'],
    ['the old one first', lawfficient({ %$vendors,
        secrets => ['whsec_old', 'whsec_new'] }), 'other signatures'],
    ['one is missing', lawfficient({ secrets => ['whsec_new', 'whsec_old'] }),
        'other signatures'],
    ['no id', lawfficient({ body => '{"type":"a"}' }), 'members type'],
    ['no such id', lawfficient({ body => qq({"id":"1","type":"a",)
        . qq("created_at":"$Time","data":{}}) }), 'id 1'],

    ['kickofflabs', kickofflabs(), 'ok'],
    ['no event', kickofflabs(body => '{"id":5}'), 'no __event'],
    ['no lead', kickofflabs(body => '{"__event":"referral"}'), 'id undefined'],
    ['no JSON', kickofflabs(body => '{"id":'), 'JSON'],
    ['signed', kickofflabs(headers => [['X-Signature', 'x']]), 'a signature'],

    ['no format', { headers => [], body => '{}' }, 'no format'],
    ['an unknown one', { format => 'toString', headers => [], body => '{}' },
        'no format toString'],
    ['no secret', { %{ standard({}) }, secret => '' }, 'no secret'],
    ['no secrets', { %{ standard({}) }, secrets => [] }, 'no secret'],
    ['more than bytes', { %{ kickofflabs() }, body => "\x{100}" },
        'not in bytes'],
);

my @said = verify(map { $_->[1] } @cases);

is(scalar @said, scalar @cases, 'a verdict for each');

for my $i (0 .. $#cases) {
    my ($name, $request, $want) = @{ $cases[$i] };
    my $format = $request->{format} // '';

    like($said[$i] // 'nothing', $want eq 'ok' ? qr/^ok$/
        : qr/^error: .*(?:$want)/, "$format: $name");
}

done_testing();
