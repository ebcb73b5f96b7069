# Copyright (C) the ngx_lead authors
#
# Lawfficient's API from a client's side, over several requests: create, read,
# change, archive, list, deliver, and the same again after a reload.

use strict;
use warnings;

use FindBin ();
use JSON::PP ();
use Test::More;

use lib "$FindBin::Bin/lib";
use Test::Lead ();
use Test::LeadFixtures qw(lead_conf leadctl $Staff $OtherStaff);

my $Json = JSON::PP->new->utf8->canonical;
my $Uuid = qr/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/;
my $Time = qr/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/;
my %B = (first_name => 'Ada', last_name => 'Lovelace',
    source => 'partner_referral', email => 'ada@example.com');

my $t = Test::Lead->new(workers => 2, conf => <<'_EOC_' =~ s/%%CONF%%/lead_conf()/er);
http {
%%CONF%%
    server {
        listen 127.0.0.1:%%PORT%%;

        location /api/ { lead_api lawfficient; }
        location /moved/ { lead_api lawfficient base=/moved; }
    }
}
_EOC_

$t->start;


# (status, decoded body, response); body: a hash, or bytes

sub call {
    my ($key, $method, $path, $body, %headers) = @_;

    $body = $Json->encode($body) if ref $body;
    my $res = $t->http($method, $path, { Authorization => "Bearer $key",
        %headers }, $body);

    return ($res->{status}, eval { $Json->decode($res->{body}) }, $res);
}


sub create {
    my (%more) = @_;

    my ($status, $lead) = call('lak_rw1', 'POST', '/api/leads',
        { %B, %more });
    die "no lead: $status\n" if $status != 201;

    return $lead;
}


# types of the events of a lead, oldest first

sub events {
    my ($id) = @_;

    my $out = leadctl('--json', qw(lead get), $id, '--events');

    return [reverse map { $_->{type} } @{ $Json->decode($out)->{events} }];
}


sub refused {
    my ($name, $status, $code, $text, @call) = @_;

    my ($got, $body) = call(@call);

    is_deeply([$got, $body], [$status, { error => { code => $code,
        message => $text } }], $name);
}


# ---- create, read

my ($status, $lead, $res) = call('lak_rw1', 'POST', '/api/leads',
    { %B, data => { caseType => 'Family', colour => 'red' } });

is($status, 201, 'created');
like($res->{body}, qr/^\{"id":"$Uuid","first_name":"Ada",
    "last_name":"Lovelace","email":"ada\@example\.com","phone":"",
    "source":"partner_referral","status":\{"key":"new","name":"New"\},
    "assignee_id":null,"archived":false,"created_at":"$Time",
    "last_activity_at":"$Time","data":\{"caseType":"Family"\}\}$/x,
    'the vendor\'s twelve members, in their order');
is($lead->{created_at}, $lead->{last_activity_at}, 'times are equal');
is($res->{headers}{'lawfficient-version'}, '2026-07-01', 'version');
is($res->{headers}{'content-type'}, 'application/json', 'type');

my $path = "/api/leads/$lead->{id}";

is_deeply([(call('lak_ro1', 'GET', $path))[0, 1]], [200, $lead], 'read');
is_deeply([(call('lak_ro1', 'GET', "$path/"))[0, 1]], [200, $lead],
    'read with a trailing slash');
is_deeply([(call('lak_ro1', 'GET', "/moved/leads/$lead->{id}"))[0, 1]],
    [200, $lead], 'read where it was moved to');
is_deeply([(call('lak_ro1', 'GET', '/api/leads/' . uc $lead->{id}))[0, 1]],
    [200, $lead], 'read by an id in upper case');
refused('read by another firm', 404, 'not_found', 'Lead not found.',
    'lak_rw2', 'GET', $path);
refused('read by part of an id', 404, 'not_found', 'Lead not found.',
    'lak_rw1', 'GET', substr $path, 0, -1);
is((call('lfk_zap1', 'GET', $path))[0], 401, 'not read by an ingestion key');

my $head = $t->http('HEAD', $path, { Authorization => 'Bearer lak_ro1' });
is($head->{status}, 200, 'HEAD');
is($head->{headers}{'content-length'}, length
    +(call('lak_ro1', 'GET', $path))[2]{body}, 'HEAD has the length of GET');

# ---- change

for ([PATCH => $path, {}], [POST => "$path/archive"],
    [POST => "$path/unarchive"])
{
    my ($method, $where, $body) = @$_;

    is((call('lak_ro1', $method, $where, $body))[0], 403,
        "$method $where needs leads:write");
    is((call('lak_rw2', $method, $where, $body))[0], 404,
        "$method $where by another firm");
    is((call('lfk_zap1', $method, $where, $body))[0], 401,
        "$method $where by an ingestion key");
}

is_deeply(events($lead->{id}), ['lead.created'], 'nothing has happened');

($status, my $same) = call('lak_rw1', 'PATCH', $path,
    { %B, status => 'new', data => { caseType => 'Family' } });
is_deeply([$status, $same], [200, $lead], 'a PATCH of what is there');
is_deeply(events($lead->{id}), ['lead.created'], '... is none');

($status, my $new) = call('lak_rw1', 'PATCH', $path,
    { last_name => 'King', status => 'contacted', assignee_id => uc $Staff,
      data => { city => ' London ' }, id => 'x', archived => JSON::PP::true });
is($status, 200, 'PATCH');
is_deeply($new, { %$lead, last_name => 'King', assignee_id => $Staff,
    status => { key => 'contacted', name => 'Contacted' },
    data => { caseType => 'Family', city => 'London' },
    last_activity_at => $new->{last_activity_at} }, '... of four fields');
cmp_ok($new->{last_activity_at}, 'ge', $lead->{last_activity_at},
    '... is activity');
is_deeply(events($lead->{id}), [qw(lead.created lead.updated
    lead.status_changed lead.assigned)], '... and three events');
is_deeply((call('lak_ro1', 'GET', $path))[1], $new, '... kept');

for (
    ['first_name', ' ', "First name can't be empty."],
    ['last_name', undef, "Last name can't be empty."],
    ['source', '', "Source can't be empty."],
    ['email', '', 'Add a phone number or an email.'],
    ['email', 'ada@', 'Enter a valid email address.'],
    ['email', 5, 'email must be a string.'],
    ['phone', 5, 'phone must be a string.'],
    ['status', 'nope', 'Unknown status.'],
    ['status', undef, "status can't be empty."],
    ['assignee_id', 'nope', 'assignee_id must be a UUID.'],
    ['assignee_id', 5, 'assignee_id must be a string or null.'],
    ['assignee_id', $OtherStaff, 'assignee_id is not a member of this firm.'],
    ['data', undef, 'data must be an object.'],
    ['data', { caseType => 'family' }, 'Invalid case type.'],
) {
    my ($field, $value, $text) = @$_;

    refused("PATCH $field", 422, 'invalid_request', $text, 'lak_rw1',
        'PATCH', $path, { $field => $value });
}

refused('PATCH by an array', 400, 'invalid_json',
    'The request body must be a JSON object.', 'lak_rw1', 'PATCH', $path,
    '[]');
refused('PATCH by no JSON', 400, 'invalid_json', 'Invalid JSON body.',
    'lak_rw1', 'PATCH', $path, '{');
refused('PATCH of nobody', 404, 'not_found', 'Lead not found.', 'lak_rw1',
    'PATCH', '/api/leads/123', { first_name => 'x' });
is_deeply((call('lak_ro1', 'GET', $path))[1], $new, 'what is refused is not');

# ---- archive

my ($on, $off) = (JSON::PP::true, JSON::PP::false);

for ([archive => $on], [archive => $on], [unarchive => $off],
    [unarchive => $off], [archive => $on])
{
    ($status, my $got) = call('lak_rw1', 'POST', "$path/$_->[0]");
    is_deeply([$status, $got], [200, { %$new, archived => $_->[1] }],
        $_->[0]);
}

is_deeply([@{ events($lead->{id}) }[4 .. 6], scalar @{ events($lead->{id}) }],
    [qw(lead.archived lead.updated lead.archived), 7],
    'only what changes is an event');

# ---- idempotency

my @key = ('Idempotency-Key' => 'flow-1');

($status, my $first) = call('lak_rw1', 'POST', '/api/leads', \%B, @key);
is($status, 201, 'with a key');
($status, my $again) = call('lak_rw1', 'POST', '/api/leads',
    { %B, first_name => 'Other' }, 'Idempotency-Key' => '"flow-1"');
is_deeply([$status, $again], [201, $first],
    'the same key, quoted, of another body: the same lead');
call('lak_rw1', 'PATCH', "/api/leads/$first->{id}", { first_name => 'Later' });
is((call('lak_rw1', 'POST', '/api/leads', \%B, @key))[1]{first_name}, 'Later',
    '... as it now is');
refused('a repeat is checked first', 422, 'invalid_request',
    'Choose a source.', 'lak_rw1', 'POST', '/api/leads',
    { %B, source => '' }, @key);
isnt((call('lak_rw1b', 'POST', '/api/leads', \%B, @key))[1]{id}, $first->{id},
    'another key of the firm: another lead');
isnt((call('lak_rw2', 'POST', '/api/leads', \%B, @key))[1]{id}, $first->{id},
    'another firm: another lead');
is_deeply(events($first->{id}), [qw(lead.created lead.updated)],
    'created once');

refused('a create that fails', 422, 'invalid_request', 'Choose a source.',
    'lak_rw1', 'POST', '/api/leads', { %B, source => '' },
    'Idempotency-Key' => 'flow-2');
is((call('lak_rw1', 'POST', '/api/leads', \%B,
    'Idempotency-Key' => 'flow-2'))[0], 201, '... leaves its key free');
isnt(create()->{id}, create()->{id}, 'no key, no dedupe');

# ---- a body in pieces

sub pieces {
    my ($size, @chunks) = @_;

    my $body = $Json->encode({ %B, x => '' });
    substr($body, -2, 0) = 'x' x ($size - length $body);

    return $t->http('POST', '/api/leads', { Authorization => 'Bearer lak_rw1' },
        $body, chunks => \@chunks)->{status};
}

is(pieces(200, 1), 201, 'chunks of a byte');
is(pieces(65536, 30000, 1, 10), 201, 'chunks of 65536 bytes');
is(pieces(65537, 30000), 413, 'chunks of a byte more');
is(pieces(200000, 8192), 413, 'chunks of much more');

# ---- ingestion

sub deliver {
    my ($key, $body, @headers) = @_;

    return (call($key, 'POST', '/api/leads', $body, @headers))[0, 1, 2];
}

my %D = (firstName => 'Grace', lastName => 'Hopper', phone => 5550100,
    externalId => 'x-1', caseType => 'FAMILY', utm => { a => [1] });

($status, my $got, $res) = deliver('lfk_zap1', \%D);
my $id = $got->{leadId};
is_deeply([$status, $got], [201, { externalId => 'x-1', status => 'created',
    leadId => $id }], 'delivered');
like($res->{body}, qr/^\{"externalId":"x-1","status":"created","leadId":/,
    'in that order');
is($res->{headers}{'lawfficient-version'}, undef, 'no version here');

my $seen = (call('lak_ro1', 'GET', "/api/leads/$id"))[1];
is_deeply({ %$seen, created_at => 0, last_activity_at => 0 },
    { id => $id, first_name => 'Grace', last_name => 'Hopper', email => '',
      phone => '5550100', source => 'zapier', assignee_id => $Staff,
      status => { key => 'new', name => 'New' }, archived => $off,
      data => { caseType => 'Family' }, created_at => 0,
      last_activity_at => 0 }, 'as the firm sees it');
like(leadctl('--json', qw(lead get), $id), qr/"utm":\{"a":\[1\]\}/,
    'what is none of our fields is kept');

call('lak_rw1', 'PATCH', "/api/leads/$id", { status => 'contacted',
    assignee_id => undef, source => 'by hand' });

($status, $got) = deliver('lfk_zap1', { %D, firstName => 'G', email => 'G@x.co',
    phone => '', zip => 98101, caseType => undef });
is_deeply([$status, $got], [200, { externalId => 'x-1', status => 'updated',
    leadId => $id }], 'delivered again');
$seen = (call('lak_ro1', 'GET', "/api/leads/$id"))[1];
is_deeply({ %$seen, created_at => 0, last_activity_at => 0 },
    { id => $id, first_name => 'G', last_name => 'Hopper', email => 'g@x.co',
      phone => '5550100', source => 'by hand', assignee_id => undef,
      status => { key => 'contacted', name => 'Contacted' },
      archived => $off, data => { caseType => 'Family', zip => '98101' },
      created_at => 0, last_activity_at => 0 },
    'what has a value counts; status and assignee stay');
is_deeply(events($id), [qw(lead.created lead.updated lead.status_changed
    lead.assigned lead.updated)], 'its events');

isnt((deliver('lfk_crm1', { contact => { name => { first => 'G',
    last => 'H' } }, id => 'x-1', phone => '1' }))[1]{leadId}, $id,
    'another source: another lead, by its own field names');
isnt((deliver('lfk_zap1', { %D, externalId => undef }))[1]{leadId},
    (deliver('lfk_zap1', { %D, externalId => undef }))[1]{leadId},
    'no external id: always another lead');

($status, my $once) = deliver('lfk_zap1', { %D, externalId => 'x-2' },
    'Idempotency-Key' => 'd-1');
is_deeply([(deliver('lfk_zap1', { %D, externalId => 'x-2' },
    'Idempotency-Key' => 'd-1'))[0, 1]], [201, $once],
    'a repeat has the create\'s answer');

# ---- list

my @made = map { create(first_name => "N$_", source => 'list')->{id} } 1 .. 5;
my ($cursor, @pages) = ('');

for (1 .. 3) {
    ($status, my $page) = call('lak_ro1', 'GET',
        "/api/leads?source=list&limit=2$cursor");
    push @pages, [map { $_->{id} } @{ $page->{data} }];
    $cursor = defined $page->{next_cursor} ? "&cursor=$page->{next_cursor}"
        : 'end';
}

is_deeply(\@pages, [[@made[4, 3]], [@made[2, 1]], [$made[0]]],
    'three pages, newest first');
is($cursor, 'end', '... and no more');

my $page = (call('lak_ro1', 'GET', '/api/leads?source=list&limit=2'))[1];

create(first_name => 'N6', source => 'list');
is_deeply([map { $_->{id} } @{ (call('lak_ro1', 'GET',
    "/api/leads?source=list&limit=2&cursor=$page->{next_cursor}"))[1]{data} }],
    [@made[2, 1]], 'what comes meanwhile moves no page');

($status, my $exact) = call('lak_ro1', 'GET', '/api/leads?q=n6&limit=1');
is_deeply([scalar @{ $exact->{data} }, $exact->{next_cursor}], [1, undef],
    'a page that is just full is the last');

call('lak_rw1', 'PATCH', "/api/leads/$made[0]",
    { status => 'retained', assignee_id => $Staff, phone => '+1 206 555',
      email => 'List@Example.org' });
call('lak_rw1', 'POST', "/api/leads/$made[0]/archive");

for ('status=retained', "assignee=$Staff&source=list", 'q=list@example',
    'q=206%20555&status=retained', 'q=N1&source=list')
{
    is_deeply([map { $_->{id} } @{ (call('lak_ro1', 'GET',
        "/api/leads?$_"))[1]{data} }], [$made[0]], "?$_");
}

is_deeply((call('lak_ro1', 'GET', "/api/leads?$_"))[1],
    { data => [], next_cursor => undef }, "?$_: nothing")
    for qw(status=nope assignee=nope source=List q=nobody),
        "assignee=$OtherStaff", 'source=list&status=lost';

my ($theirs) = (call('lak_rw2', 'GET', '/api/leads'))[1]{data};
is(scalar(grep { my $l = $_; grep { $_ eq $l->{id} } @made } @$theirs), 0,
    'another firm sees none of these');
is((call('lak_rw2', 'GET', "/api/leads?cursor=$page->{next_cursor}"))[0], 200,
    'nor with a cursor of this one');

my $broken = $page->{next_cursor};
substr($broken, 5, 1) =~ tr/A-Za-z/a-zA-Z/;
refused('a cursor tampered with', 400, 'invalid_cursor',
    'The cursor is invalid.', 'lak_ro1', 'GET', "/api/leads?cursor=$broken");

# ---- a key removed, and a reload

ok($t->reload, 'reload');
is_deeply((call('lak_ro1', 'GET', $path))[1], { %$new, archived => $on },
    'all is there');
is((call('lak_rw1', 'POST', '/api/leads', \%B, @key))[1]{id}, $first->{id},
    'so are idempotency keys');
is((deliver('lfk_zap1', \%D))[1]{leadId}, $id, 'and external ids');

is($Json->decode(leadctl('--json', 'check'))->{findings}, 0,
    'the store agrees with itself');

$t->check_end;
done_testing();
