# Copyright (C) the ngx_lead authors
#
# KickoffLabs' API from a client's side, over several requests: sign-ups and
# their repeats, referrals, points, lookups, races, and other clients than ours.

use strict;
use warnings;
use feature 'state';

use FindBin ();
use JSON::PP ();
use Test::More;

use lib "$FindBin::Bin/lib";
use Test::Lead ();
use Test::LeadFixtures qw(kickofflabs_conf leadctl);

my $Json = JSON::PP->new->utf8->canonical;
my ($On, $Off) = (JSON::PP::true, JSON::PP::false);

# what goes there is refused, and stays in the outbox
my $Hook = 'webhook kol https://192.0.2.1/ format=kickofflabs campaign=spring;';

my $t = Test::Lead->new(workers => 4,
    conf => <<'_EOC_' =~ s/%%CONF%%/kickofflabs_conf($Hook)/er);
http {
%%CONF%%
    server {
        listen 127.0.0.1:%%PORT%%;

        location /v2/ { lead_api kickofflabs; }
        location /kol/ { lead_api kickofflabs base=/kol; }
        location /api/ { lead_api lawfficient; }
    }
}
_EOC_

$t->start;


# (status, decoded body, response); body: a hash, or bytes

sub call {
    my ($method, $path, $body, %headers) = @_;

    %headers = (Authorization => 'Bearer kol_A1', %headers);
    delete $headers{Authorization} if !defined $headers{Authorization};

    if (ref $body) {
        $body = $Json->encode($body);
        $headers{'Content-Type'} //= 'application/json';
    }

    my $res = $t->http($method, $path, \%headers, $body);

    return ($res->{status}, eval { $Json->decode($res->{body}) }, $res);
}


sub sign_up {
    my ($body, @headers) = @_;

    my ($status, $lead) = call('POST', '/v2/135544', $body, @headers);
    die "no lead: $status\n" if $status != 200;

    return $lead;
}


sub find {
    my ($args, $campaign) = @_;

    return (call('GET', '/v2/' . ($campaign // 135544) . "?$args"))[1];
}


sub refused {
    my ($name, $status, $text, @call) = @_;

    my ($got, $body) = call(@call);

    is_deeply([$got, $body->{message}], [$status, $text], $name);
}


# the document, the flags and the types of the events, oldest first

sub kept {
    my ($lead) = @_;

    my $out = $Json->decode(leadctl('--json', qw(lead get), $lead->{id},
        '--events'));

    return ($out, [map { $_->{type} } reverse @{ $out->{events} }]);
}


# ---- the seed's own example, byte by byte, by curl

my $port = $t->port;
my $seed = <<'_EOC_' =~ s{https://api\.kickofflabs\.com}{http://127.0.0.1:$port}r =~ s/CAMPAIGN_ID/135544/r =~ s/KEY/kol_A1/r;
curl -X POST "https://api.kickofflabs.com/v2/CAMPAIGN_ID/" \
  -H "Content-Type: application/json" \
  -H "Authorization: Bearer KEY" \
  -d '{
    "email": "ada@example.com",
    "phone_number": "+12065550100",
    "first_name": "Ada",
    "company": "Example Co"
  }'
_EOC_

SKIP: {
    skip 'no curl', 1 if !grep { -x "$_/curl" } split /:/, $ENV{PATH};

    chomp $seed;
    my $lead = $Json->decode(scalar qx($seed 2>/dev/null));
    is_deeply([@$lead{qw(email counter)}], ['ada@example.com', 1],
        'the seed\'s curl');
}

# ---- sign-up and repeat (TK1, TK2, TK3)

my %Ada = (email => 'ada@example.com', phone_number => '+12065550100',
    first_name => 'Ada', company => 'Example Co');

my $ada = sign_up(\%Ada);
my $count = $ada->{counter};

is($ada->{phone_number}, '+12065550100', 'phone');
is($ada->{custom_fields}{company}, 'Example Co', 'custom field');
is($ada->{campaign_id}, 135544, 'campaign');
is($ada->{list_id}, 135544, 'list');
is($ada->{opted_out}, $Off, 'not opted out');
like($ada->{social_id}, qr/^[0-9A-Z]{6}$/, 'social id');
like($ada->{when}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$/, 'time');
is($ada->{social_url}, "https://www.example.com/?kid=$ada->{social_id}",
    'social url');
is($ada->{thankyou_url},
    "https://example.com/thanks?a=1&kolid=$ada->{social_id}#top",
    'thank you url');
my $again = sign_up(\%Ada);
is_deeply($again, { %$ada, counter => $count + 1 }, 'the same again');

$again = sign_up({ email => ' ADA@Example.COM ' });
is_deeply([@$again{qw(id counter email)}],
    [$ada->{id}, $count + 2, 'ada@example.com'], 'in upper case');
is($again->{custom_fields}{company}, 'Example Co', 'what is unsent stays');

is_deeply(find('email=ADA@example.com'), $again, 'looked up by e-mail');
is_deeply(find('phone_number=%2B12065550100'), $again, '... by phone');
is_deeply(find('phone_number=+12065550100'), $again,
    '... with a plus that is a space');
is_deeply(find("kid=$ada->{social_id}"), $again, '... by kid');
is_deeply(find('social_id=' . lc $ada->{social_id}), $again,
    '... by social id, in lower case');
is_deeply((call('GET', "/kol/135544/?email=ada\@example.com&api_key=kol_A1",
    undef, Authorization => undef))[1], $again, '... where it was moved to');
refused('nobody', 404, 'No leads found', 'GET',
    '/v2/135544?email=nobody@x.co');
refused('no address', 404, 'No leads found', 'GET', '/v2/135544?email=ada@');
refused('nothing to look for', 409, 'Please include a lead id or email',
    'GET', '/v2/135544');
refused('of another campaign', 404, 'No leads found', 'GET',
    '/v2/135546?email=ada@example.com');
refused('by another account', 409, 'Invalid API access', 'GET',
    '/v2/135544?email=ada@example.com&api_key=kol_A2');
refused('without a key', 409, 'Invalid API access', 'GET',
    '/v2/135546?email=ada@example.com', undef, Authorization => undef);
refused('without leads:read', 409, 'Invalid API access', 'GET',
    '/v2/135544?email=ada@example.com&api_key=kol_wo');
is((call('GET', '/v2/135544?email=ada@example.com&api_key=kol_ro'))[0], 200,
    'with leads:read alone');

my ($doc, $events) = kept($ada);
is_deeply($events, ['lead.created', ('lead.updated') x ($again->{counter} - 1)],
    'events');

# ---- the same person elsewhere (TK22)

my $other = (call('POST', '/v2/135546/', { email => 'ada@example.com' }))[1];
isnt($other->{id}, $ada->{id}, 'a lead of another campaign');
is_deeply([@$other{qw(counter lead_count subscription_number rank
    rank_relative_position campaign_id)}], [1, 1, 1, 1, 0, 135546],
    '... is its first');
is($other->{social_url}, undef, '... which has no url');
is_deeply($other->{unsubscribe_url}, { default => undef, safe => undef },
    '... nor one to opt out by');

# ---- contact: what is missing is added, what is there stays

my $phone = sign_up({ phone_number => '(206) 555-0111' });
is_deeply([@$phone{qw(email phone_number display_name)}],
    [undef, '+12065550111', '+12065550111'], 'a phone number alone');

my $got = sign_up({ email => 'p@x.co', phone_number => '+1 206 555 0111' });
is_deeply([@$got{qw(id email counter display_name)}],
    [$phone->{id}, 'p@x.co', 2, 'p'], 'an e-mail address is added');
is(find('email=p@x.co')->{id}, $phone->{id}, '... and found');

$got = sign_up({ email => 'p3@x.co', phone_number => '2065550111' });
is_deeply([@$got{qw(id email counter)}], [$phone->{id}, 'p@x.co', 3],
    'another one does not replace it');
is((call('GET', '/v2/135544?email=p3@x.co'))[0], 404, '... nor finds it');

my $mail = sign_up({ email => 'm@x.co' });
$got = sign_up({ email => 'm@x.co', phone_number => '2065550111' });
is_deeply([@$got{qw(id phone_number counter)}], [$mail->{id}, undef, 2],
    'the number of another lead is not taken');
is(find('phone_number=2065550111')->{id}, $phone->{id}, '... stays there');

$got = sign_up({ email => 'm@x.co', phone_number => '2065550122' });
is_deeply([@$got{qw(id phone_number)}], [$mail->{id}, '+12065550122'],
    'a number of nobody is added');
$got = sign_up({ email => 'm@x.co', phone_number => '2065550133' });
is($got->{phone_number}, '+12065550122', '... and stays');
is(sign_up({ phone_number => '2065550122' })->{id}, $mail->{id},
    '... and is found');

$got = sign_up({ phone_number => '7911123456', country_code => '44' });
is($got->{phone_number}, '+447911123456', 'a country code');
$got = sign_up({ phone_number => '2065550144', country_code => '+1' });
is($got->{phone_number}, '+12065550144', 'a country code with a plus');

# TK24
my $must = sign_up({ phone_number => '2065550155' });
$got = sign_up({ email => 'p2@x.co', social_id => $must->{social_id},
    must_exist => $On });
is_deeply([@$got{qw(id email counter)}], [$must->{id}, 'p2@x.co', 2],
    'by social id, as it must exist');

# TK12
refused('nobody must exist', 404, 'No leads found', 'POST', '/v2/135544',
    { email => 'nobody@x.co', must_exist => $_ }) for $On, 'true', 1, '1';
is((call('GET', '/v2/135544?email=nobody@x.co'))[0], 404, '... nor does now');
is(sign_up({ email => 'p2@x.co', must_exist => $On })->{counter}, 3,
    'somebody does');

# ---- custom fields

$got = sign_up({ email => 'c@x.co', Plan => 'a', n => 1.50, list => [1, {}],
    nothing => undef, yes => $On, controller => 'x', _private => 1,
    utm_source => 'News', last_name => 'L', empty => '' });
is_deeply($got->{custom_fields}, { plan => 'a', n => 1.5, list => [1, {}],
    nothing => undef, yes => $On, last_name => 'L', empty => '' },
    'custom fields');
is_deeply($got->{utm}, { utm_source => 'News' }, 'utm');
is($got->{family_name}, 'L', 'last name');

$got = sign_up({ email => 'c@x.co', plan => 'b', more => 1, list => [],
    utm_term => 't' });
is_deeply($got->{custom_fields}, { plan => 'b', n => 1.5, list => [],
    nothing => undef, yes => $On, last_name => 'L', empty => '', more => 1 },
    '... merge');
is_deeply($got->{utm}, { utm_source => 'News', utm_term => 't' },
    '... as does utm');

# ---- referrals

my $parent = sign_up({ email => 'parent@x.co' });

for ([{ kid => $parent->{social_id} }], [{ social_id => $parent->{social_id} }],
    [{ __url => "https://x.co/?kid=$parent->{social_id}#x" }],
    [{ __url => "https://x.co/?kolid=" . lc $parent->{social_id} }])
{
    state $n = 0;
    my ($more) = @$_;

    $got = sign_up({ email => 'child' . ++$n . '@x.co', %$more });
    is($got->{parent_id}, $parent->{id}, "referred by $_") for keys %$more;
    is(find('email=parent@x.co')->{referrals}, $n, '... counts');
}

is(sign_up({ email => 'child1@x.co', kid => $parent->{social_id} })->{counter},
    2, 'a repeat');
is(find("kid=$parent->{social_id}")->{referrals}, 4, '... does not count');
is(sign_up({ email => 'stray@x.co', kid => 'ZZZZZZ' })->{parent_id}, undef,
    'an unknown referrer is nobody');
is(sign_up({ email => 'parent@x.co' })->{referrals}, 4,
    'the referrer\'s own repeat shows them');
is_deeply(sign_up({ email => 'parent@x.co' })->{unverified_leads},
    { direct => 4, indirect => undef }, '... direct ones');

$got = sign_up({ email => 'parent@x.co', phone_number => '2065550166' });
is($got->{referrals}, 4, 'who gets a number keeps them');
is(find('phone_number=2065550166')->{referrals}, 4, '... by number, too');
sign_up({ email => 'child5@x.co', kid => $parent->{social_id} });
is_deeply([map { find($_)->{referrals} } 'email=parent@x.co',
    'phone_number=2065550166', "kid=$parent->{social_id}"], [5, 5, 5],
    'all of its identifiers agree');

($doc, $events) = kept($parent);
is(scalar(grep { $_ eq 'lead.referral' } @$events), 5, 'its events');

is((call('POST', '/v2/135546', { email => 'far@x.co',
    kid => $parent->{social_id} }))[1]{parent_id}, undef,
    'a referrer of another campaign is nobody');

# ---- points

$got = sign_up({ email => 's@x.co', points => 50 });
is($got->{contest_score}, 50, 'points with a sign-up');
is(sign_up({ email => 's@x.co', points => '70' })->{contest_score}, 70,
    '... are set, not added');
is(sign_up({ email => 's@x.co', points => 'many' })->{contest_score}, 70,
    '... if they are a number');
is(sign_up({ email => 's@x.co' })->{contest_score}, 70, '... or stay');
refused('too many', 409, 'Max Points Exceeded', 'POST', '/v2/135544',
    { email => 's@x.co', points => 100000 });

for ([5, 75], [-70, 5], [-70, 0], [99999, 99999]) {
    my ($points, $want) = @$_;

    is_deeply((call('POST', '/v2/135544/points', { email => 's@x.co',
        points => $points, message => 'm' }))[1],
        { message => 'Custom Points added' }, "points $points");
    is(find('email=s@x.co')->{contest_score}, $want, '... are added');
}

($doc, $events) = kept($got);
is_deeply($events, [qw(lead.created lead.updated lead.scored lead.updated
    lead.updated), ('lead.scored') x 4], 'events of points');

is((call('POST', '/v2/135544/points', { points => 3,
    emails => ['parent@x.co', 'm@x.co', 'M@x.co'] }))[0], 200, 'of several');
is(find("email=$_")->{contest_score}, 3, "... $_") for 'parent@x.co', 'm@x.co';
refused('one of them unknown', 404, 'No leads found', 'POST',
    '/v2/135544/points', { points => 3, emails => ['m@x.co', 'nobody@x.co'] });
is(find('email=m@x.co')->{contest_score}, 3, '... none gets any');
is((call('POST', '/v2/135544/points', { points => 1,
    kid => $parent->{social_id} }, 'Idempotency-Key' => 'pts'))[0], 200,
    'by kid') for 1, 2;
is(find('email=parent@x.co')->{contest_score}, 4, '... once with its key');
refused('no points', 409, 'No points value found', 'POST',
    '/v2/135544/points', { email => 's@x.co' });
refused('too many points', 409, 'Max Points Exceeded', 'POST',
    '/v2/135544/points', { email => 's@x.co', points => 100000 });
refused('of nobody', 409, 'Please include a lead id or email', 'POST',
    '/v2/135544/points', { points => 1 });
refused('of a stranger', 404, 'No leads found', 'POST', '/v2/135544/points',
    { points => 1, email => 'nobody@x.co' });
refused('without a key', 409, 'Invalid API access', 'POST',
    '/v2/135546/points', { points => 1, email => 'ada@example.com' },
    Authorization => undef);

# TK10
is((call('POST', '/v2/135546', { email => 'n@x.co', points => 50 },
    Authorization => undef))[1]{contest_score}, 0, 'no key, no points');
is((call('POST', '/v2/135546', { email => 'n@x.co', points => 50 }))[1]
    {contest_score}, 50, 'with a key');

# ---- an ended campaign

refused('an ended campaign', 423,
    'This campaign has ended and is no longer accepting new leads', 'POST',
    "/v2/$_", { email => 'late@x.co' }) for 135545, 135547;
refused('must exist comes first', 404, 'No leads found', 'POST',
    '/v2/135545', { email => 'late@x.co', must_exist => $On });

# ---- what is queued for webhooks

sub queued {
    return $Json->decode(leadctl('--json', 'stat'))->{outbox};
}

for (
    [1, 'a sign-up', '/v2/135544', { email => 'hook@x.co' }],
    [1, 'a repeat', '/v2/135544', { email => 'hook@x.co' }],
    [2, 'a repeat with points', '/v2/135544',
        { email => 'hook@x.co', points => 3 }],
    [1, 'points', '/v2/135544/points', { email => 'hook@x.co', points => 3 }],
    [0, 'no points', '/v2/135544/points',
        { email => 'hook@x.co', points => 0 }],
    [2, 'a referred sign-up', '/v2/135544',
        { email => 'hook2@x.co', kid => $parent->{social_id} }],
    [0, 'what is refused', '/v2/135544',
        { email => 'hook3@x.co', must_exist => $On }],
    [0, 'another campaign', '/v2/135546', { email => 'hook@x.co' }],
) {
    my ($want, $name, $path, $body) = @$_;
    my $before = queued();

    call('POST', $path, $body);
    is(queued() - $before, $want, "queued by $name");
}

# ---- campaigns

is_deeply((call('GET', '/v2/campaigns'))[1], [
    { id => 135544, list_id => 135544, name => 'Spring 2026',
      url => 'https://www.example.com/', ended => $Off,
      thankyou_url => 'https://example.com/thanks?a=1#top' },
    { id => 135545, list_id => 135545, name => 'winter', url => undef,
      thankyou_url => undef, ended => $On },
    { id => 135546, list_id => 135546, name => 'embed', url => undef,
      thankyou_url => undef, ended => $Off },
    { id => 135547, list_id => 135547, name => 'autumn', url => undef,
      thankyou_url => undef, ended => $On },
], 'campaigns');

# ---- idempotency

my @key = ('Idempotency-Key' => 'k-1');
my $first = sign_up({ email => 'i@x.co', a => 1 }, @key);
is_deeply(sign_up({ email => 'i2@x.co' }, 'Idempotency-Key' => '"k-1"'),
    { %$first, lead_count => $first->{lead_count} },
    'the same key, quoted, of another body: the same lead');
refused('a repeat is checked first', 422, 'Email is invalid', 'POST',
    '/v2/135544', { email => 'i@' }, @key);
is((call('POST', '/v2/135546', { email => 'i@x.co' }, @key))[1]{counter}, 1,
    'another campaign: another lead');
is(sign_up({ email => 'i3@x.co' }, @key,
    Authorization => 'Bearer kol_A1b')->{counter}, 1, 'another key: as well');
is(sign_up({ email => 'i@x.co' })->{counter}, 2, 'counted once');
is((call('POST', '/v2/135546', { email => 'anon@x.co' },
    Authorization => undef, @key))[1]{counter}, $_, 'nobody\'s key is none')
    for 1, 2;

# ---- races on four workers

my @head = (Authorization => 'Bearer kol_A1',
    'Content-Type' => 'application/json');
my $before = find('email=ada@example.com')->{lead_count};
my @res = $t->parallel([(['POST', '/v2/135544', [@head],
    $Json->encode({ email => 'race@x.co', phone_number => '2065550199' })])
    x 50], concurrency => 50);

is(scalar(grep { $_->{status} == 200 } @res), 50, 'fifty at once');
my @bodies = map { $Json->decode($_->{body}) } @res;
my %ids = map { $_->{id} => 1 } @bodies;
is(scalar(keys %ids), 1, '... are one lead');
is_deeply([sort { $a <=> $b } map { $_->{counter} } @bodies], [1 .. 50],
    '... counted one by one');
is(find('email=race@x.co')->{counter}, 50, '... to fifty');
is(find('email=race@x.co')->{lead_count}, $before + 1, '... one more lead');

@res = $t->parallel([(['POST', '/v2/135544',
    [@head, 'Idempotency-Key' => 'race'],
    $Json->encode({ email => 'once@x.co' })]) x 100], concurrency => 100);
@bodies = map { $Json->decode($_->{body}) } @res;
%ids = map { $_->{id} => 1 } @bodies;
is_deeply([scalar(keys %ids), find('email=once@x.co')->{counter}], [1, 1],
    'a hundred of one Idempotency-Key are one lead, once');

@res = $t->parallel([map { ['POST', '/v2/135544', [@head],
    $Json->encode({ email => "many$_\@x.co",
        kid => $parent->{social_id} })] } 1 .. 60], concurrency => 30);
@bodies = map { $Json->decode($_->{body}) } @res;
is(scalar(keys %{ { map { $_->{social_id} => 1 } @bodies } }), 60,
    'sixty sign-ups have social ids of their own');
is_deeply([sort { $a <=> $b } map { $_->{subscription_number} } @bodies],
    [$before + 3 .. $before + 62], '... and numbers without a gap');
is(find("kid=$parent->{social_id}")->{referrals}, 66,
    '... and one who referred them all');

# ---- a browser's and Node's forms

my $node = <<'_EOC_';
const [port, kid] = process.argv.slice(1);
const url = `http://127.0.0.1:${port}/v2/135544`;
const send = async (body, headers) => {
    const res = await fetch(url, { method: 'POST', body, headers });
    const lead = await res.json();
    return [res.status, lead.email, lead.custom_fields, lead.message];
};
(async () => {
    const form = new FormData();
    form.append('email', 'form@x.co');
    form.append('api_key', 'kol_A1');
    form.append('plan', 'Zoë "x"');
    form.append('file', new Blob(['x']), 'x.txt');
    const search = new URLSearchParams({ email: 'search@x.co',
        api_key: 'kol_A1', 'tags[]': 'a' });
    search.append('tags[]', 'b');
    const out = [await send(form), await send(search),
        await send(new URLSearchParams({ email: 'f@x.co' }),
            { Authorization: 'Bearer kol_A1' }),
        await send(JSON.stringify({ email: 'json@x.co' }),
            { Authentication: 'Token token=x kol_A1' })];
    console.log(JSON.stringify(out));
})();
_EOC_

SKIP: {
    skip 'no node', 1 if !grep { -x "$_/node" } split /:/, $ENV{PATH};

    open my $out, '-|', 'node', '-e', $node, $port or die "node: $!\n";
    my $said = $Json->decode(join '', <$out>);

    is_deeply($said, [
        [200, 'form@x.co', { plan => "Zo\x{eb} \"x\"" }, undef],
        [200, 'search@x.co', { tags => ['a', 'b'] }, undef],
        [409, undef, undef, 'Invalid API access'],
        [200, 'json@x.co', {}, undef],
    ], 'FormData, URLSearchParams, a key where it does not count, JSON');
}

# ---- a reload

ok($t->reload, 'reload');
is(find('email=race@x.co')->{counter}, 50, 'all is there');
is($Json->decode(leadctl('--json', 'check'))->{findings}, 0,
    'the store agrees with itself');

$t->check_end;
done_testing();
