# Copyright (C) the ngx_lead authors
#
# Leadflip's API from a client's side, over several requests: create, read,
# change, move, duplicates, bulk creates, races, and life under a kill.

use strict;
use warnings;

use FindBin ();
use JSON::PP ();
use Test::More;

use lib "$FindBin::Bin/lib";
use Test::Lead ();
use Test::Lead::Process qw(find_program run_program);
use Test::LeadFixtures qw(leadflip_conf leadctl $FlipE1 $FlipE2 $FlipU1
    $FlipU2);

my $Json = JSON::PP->new->utf8->canonical;
my $Uuid = qr/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/;
my $Time = qr/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00/;
my $NotFound = { status => 'error', message => 'Lead not found' };

my $t = Test::Lead->new(workers => 4, conf => <<'_EOC_' =~ s/%%CONF%%/leadflip_conf()/er);
http {
%%CONF%%
    lead_account HOOKS {
        pipeline stage {
            stage new  name=New;
            stage won  name=Won;
            stage lost name=Lost;
        }

        entity deals {
            field name text;
        }

        webhook won https://192.0.2.1/won
                status=won events=lead.status_changed
                secret=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw;
    }

    server {
        listen 127.0.0.1:%%PORT%%;
        client_max_body_size 8m;
        client_body_buffer_size 64k;

        location /api/ { lead_api leadflip; }
        location /law/ { lead_api lawfficient base=/law; }
    }
}
_EOC_

$t->start;


# (status, decoded body, response); body: a hash, or bytes

sub call {
    my ($key, $method, $path, $body, %headers) = @_;

    $body = $Json->encode($body) if ref $body;
    my $res = $t->http($method, $path, { Authorization => "Bearer $key",
        %headers }, $body, timeout => 30);

    return ($res->{status}, eval { $Json->decode($res->{body}) }, $res);
}


sub intake {
    my ($body, %headers) = @_;

    return (call('lf_1', 'POST', '/api/intake', $body, %headers))[0, 1];
}


sub made {
    my ($entity, %fields) = @_;

    my ($status, $got) = intake({ entity => $entity, %fields });
    die "no lead: $status " . $Json->encode($got // {}) . "\n"
        if $status != 200;

    return $got->{lead_id};
}


sub lead {
    my ($id, $key) = @_;

    return (call($key // 'lf_1', 'GET', "/api/leads/$id"))[1];
}


# what the store has

sub doc {
    my $lead = $Json->decode(leadctl('--json', qw(lead get), $_[0]));

    return $lead->{document};
}


# types of a lead's events, oldest first

sub events {
    return [reverse map { $_->{type} } @{ lead($_[0])->{events} }];
}


sub leads {
    return $Json->decode(leadctl('--json', 'stat'))->{leads};
}


sub outbox {
    return $Json->decode(leadctl('--json', 'stat'))->{outbox};
}


sub invalid {
    my ($field, $text) = @_;

    return { status => 'error', message => 'Validation error',
        errors => { $field => [$text] } };
}

# ---- create, read

my ($status, $got) = intake({ entity => 'solar_leads', lead_name => 'Jane Doe',
    email => 'Jane@Example.com', 'status:stage' => 'New' });
my $id = $got->{lead_id};
my $path = "/api/leads/$id";

is($status, 200, 'TL1: 200');
like($id, qr/^$Uuid$/, '... a UUID');

($status, my $seen, my $res) = call('lf_ro', 'GET', $path);
like($res->{body}, qr/^\{"lead_id":"$id","entity":"$FlipE1",
    "status_step":"New","fields":\{"lead_name":"Jane\ Doe",
    "email":"Jane\@Example\.com"\},"events":\[\{"type":"lead_created_event",
    "message":"Lead\ created","created_at":"\Q$got->{created_at}\E"\}\]\}$/x,
    '... and seen, in the vendor\'s order');
is((call('lf_1', 'GET', '/api/leads/' . uc "$id/"))[0], 200,
    'an id in upper case, a slash behind it');

my $doc = doc($id);
is_deeply([@$doc{qw(dialect email email_key display_name)}],
    ['leadflip', 'Jane@Example.com', 'jane@example.com', 'Jane Doe'],
    'what other dialects know it by');
is_deeply($doc->{stage}, { pipeline => 'stage', key => 'new', name => 'New' },
    'its stage');
is_deeply([$doc->{source}, $doc->{entity}], [{ name => 'api' },
    { id => $FlipE1, slug => 'solar_leads', label => 'Solar Leads' }],
    'its source, its entity');

($status, $got) = intake('entity=solar_leads&Lead-Name=Jane&E_MAIL=j@x.co',
    'Content-Type' => 'application/x-www-form-urlencoded');
is_deeply(lead($got->{lead_id})->{fields}, { lead_name => 'Jane',
    email => 'j@x.co' }, 'TL2: fields of a form');

is_deeply(lead(made(solar_leads => (lead_name => 'J',
    favourite_colour => 'red')))->{fields}, { lead_name => 'J' },
    'TL11: only what the entity has');

my $text = "\x{141}ukasz \x{674e} \"\\\x{1f600}";
is(lead(made(solar_leads => (lead_name => "\t$text\x{a0}")))
    ->{fields}{lead_name}, $text, 'TL23: round trip, trimmed');

for ([GET => $path], [PATCH => $path, { note => 'x' }],
    [PATCH => "$path/status", { status_step => 'Won' }])
{
    my ($method, $where, $body) = @$_;

    is_deeply([(call('lf_2', $method, $where, $body))[0, 1]],
        [404, $NotFound], "TL17: $method of another account's lead");
}

# ---- people, notes, every type

my $before = leads();

for ({ assignee => 'ghost@x.co' }, { notes => 'x' }, { notes => [{ tag => 't' }] },
    { viewers => 'carl@l2.test' }, { 'status:stage' => 'Nope' })
{
    is((intake({ entity => 'solar_leads', lead_name => 'J', %$_ }))[0], 422,
        'TL10: ' . $Json->encode($_));
}

is(leads(), $before, '... nothing is written');

$id = made(solar_leads => (lead_name => 'J', assignee => 'ANN@l1.test',
    viewers => ['bob@l1.test', 'bob@l1.test'], note => 'a',
    notes => ['b', { text => 'c', tag => 't' }]));
$doc = doc($id);

is_deeply($doc->{notes}, [{ text => 'a' }, { text => 'b' },
    { text => 'c', tag => 't' }], 'TL9: notes in order');
is_deeply($doc->{viewers}, [{ id => $FlipU2 }], '... one viewer');
is_deeply($doc->{assignee}, { id => $FlipU1, name => 'Ann Lee', number => 31 },
    '... assignee');
is_deeply(events($id), [qw(lead_created_event lead_note_event
    lead_assigned_event)], '... events');

$id = made(typed => (fullName => 5, mail => 'A@x.co', mobile => ' (206) 555-0123 ',
    age => 18, budget => '007.50', born => '2000-02-29', optIn => 'on',
    roof => 'flat', site => 'https://x.co', home => { street => '1 Main' },
    'status:stage' => 'Won', 'status:followup' => 'CALLED'));
$res = (call('lf_1', 'GET', "/api/leads/$id"))[2];
like($res->{body}, qr/"status_step":"Called","fields":\Q{"fullName":"5",\E
    \Q"mail":"A\E\@\Qx.co","mobile":"(206) 555-0123","age":18,"budget":7.5,\E
    \Q"born":"2000-02-29","optIn":true,"roof":"flat",\E
    \Q"site":"https:\E\/\/\Qx.co","home":{"street":"1 Main"},\E
    \Q"country":"US","kind":"b"}\E/x, 'every type, defaults');
$doc = doc($id);
is_deeply([@$doc{qw(email_key phone phone_e164 address)}], ['a@x.co',
    '(206) 555-0123', '+12065550123', { street => '1 Main' }],
    'other dialects know these too');
is_deeply($doc->{stages}, [
    { pipeline => 'follow_up', key => 'called', name => 'Called' },
    { pipeline => 'stage', key => 'won', name => 'Won' }], 'both stages');

is((call('lf_3', 'GET', '/api/leads/' . (call('lf_3', 'POST', '/api/intake',
    { entity => 'bare' }))[1]{lead_id}))[1]{status_step}, undef,
    'no pipeline, no status');

# ---- PATCH

$id = made(solar_leads => (lead_name => 'J', email => 'j@x.co'));
$path = "/api/leads/$id";

($status, $got, $res) = call('lf_1', 'PATCH', $path, '{"fields":{"Company":'
    . '"Acme Inc.","phone":"+1 555 222 3333","nope":1},"note":'
    . '"Customer called back"}');
is($res->{body}, '{"status":"success","lead_id":"' . $id
    . '","updated_fields":["company","phone"]}', 'TL18: PATCH');
is_deeply(lead($id)->{fields}, { lead_name => 'J', email => 'j@x.co',
    company => 'Acme Inc.', phone => '+1 555 222 3333' }, '... verbatim');
is_deeply(events($id), [qw(lead_created_event lead_update_event
    lead_note_event)], '... and events');
like(doc($id)->{notes}[0]{at}, qr/^\d{4}-.*Z$/, '... the note has its time');
is_deeply([@{ doc($id) }{qw(company phone phone_e164)}], ['Acme Inc.',
    '+1 555 222 3333', '+15552223333'], '... known to other dialects');

($status, $got) = call('lf_1', 'PATCH', $path, '{"fields":{"phone":'
    . '"+1 555 222 3333","E-Mail":"j@x.co","status:stage":"Won",'
    . '"assignee":"x","source":"y"}}');
is_deeply($got->{updated_fields}, ['phone', 'email'],
    'a PATCH of what is there names it');
is(scalar @{ events($id) }, 3, '... and is no event');

is_deeply((call('lf_1', 'PATCH', $path, { note => 'n' }))[1]{updated_fields},
    [], 'a note only');
is_deeply((call('lf_1', 'PATCH', $path,
    'fields[company]=&fields[email]=b%40x.co&note=', 'Content-Type' =>
    'application/x-www-form-urlencoded'))[1]{updated_fields},
    ['company', 'email'], 'as a form');
is_deeply(lead($id)->{fields}, { lead_name => 'J', email => 'b@x.co',
    phone => '+1 555 222 3333' }, '... empty clears');
is(doc($id)->{company}, undef, '... everywhere');

for (
    [{}, 'fields', 'The fields field is required when note is not present.'],
    [{ fields => {}, note => ' ' }, 'fields',
        'The fields field is required when note is not present.'],
    [{ fields => [1] }, 'fields', 'The fields field must be an array.'],
    [{ fields => 'x', note => 'n' }, 'fields',
        'The fields field must be an array.'],
    [{ note => [1] }, 'note', 'The note field must be a string.'],
    [{ fields => { lead_name => '' }, note => 'n' }, 'lead_name',
        'The lead name field is required.'],
    [{ fields => { lead_name => undef } }, 'lead_name',
        'The lead name field is required.'],
    [{ fields => { Company => 'x', email => 'bad' } }, 'email',
        'The email field must be a valid email address.'],
    [{ fields => { phone => [] } }, 'phone',
        'The phone field must be a string.'],
) {
    my ($body, @wrong) = @$_;

    $before = leadctl('--json', qw(lead get), $id, '--events');
    is_deeply([(call('lf_1', 'PATCH', $path, $body))[0, 1]],
        [422, invalid(@wrong)], 'PATCH ' . $Json->encode($body));
    is(leadctl('--json', qw(lead get), $id, '--events'), $before,
        '... changes nothing');
}

is((call($_, 'PATCH', $path, { note => 'x' }))[0], 401, "PATCH by $_")
    for qw(lf_ro lf_off nope);

# ---- status

for (['qualified', 'Qualified', 1], ['QUALIFIED', 'Qualified', 0],
    ['Won', 'Won', 1], ['New', 'New', 1])
{
    my ($sent, $name, $events) = @$_;

    $before = @{ events($id) };
    is_deeply((call('lf_1', 'PATCH', "$path/status", { status_step => $sent }))
        [1], { status => 'success', lead_id => $id, new_status => $name },
        "status $sent");
    is(lead($id)->{status_step}, $name, '... seen');
    is(@{ events($id) } - $before, $events, "... events: $events");
}

is_deeply(lead($id)->{events}[0]{message}, 'Lead moved to new status',
    '... in its words');

for (
    [{}, 'The status step field is required.'],
    [{ status_step => ' ' }, 'The status step field is required.'],
    [{ status_step => 'Nope' }, 'The selected status step is invalid.'],
    [{ status_step => ['New'] }, 'The selected status step is invalid.'],
    [{ status_step => 'Called' }, 'The selected status step is invalid.'],
) {
    my ($body, $why) = @$_;

    is_deeply([(call('lf_1', 'PATCH', "$path/status", $body))[0, 1]],
        [422, invalid(status_step => $why)], 'TL21: ' . $Json->encode($body));
}

my $typed = made(typed => (fullName => 'T'));

is((call('lf_1', 'PATCH', "/api/leads/$typed/status",
    { status_step => 'qualified' }))[1]{new_status}, 'Qualified',
    'a stage of the second pipeline');
is(lead($typed)->{status_step}, 'none', '... the first one stays');
is((call('lf_1', 'PATCH', "/api/leads/$typed/status",
    { 'Status-Step' => 'called' }))[1]{new_status}, 'Called', 'of the first');
is_deeply([doc($typed)->{stage}{key}, [sort map { $_->{key} }
    @{ doc($typed)->{stages} }]], ['called', ['called', 'qualified']],
    '... both are kept');

# ---- automations: only for the stage that is wanted

leadctl('key', 'add', '--account', 'HOOKS', '--scope',
    'leads:read,leads:write', '--key-file', $t->write_file('key', "lf_hooks\n"));

my $deal = (call('lf_hooks', 'POST', '/api/intake', { entity => 'deals',
    'status:stage' => 'Won' }))[1]{lead_id};
is(outbox(), 0, 'a status at intake is no change of it');

for ([Lost => 0], [Won => 1], [Won => 1], [New => 1], [Won => 2]) {
    call('lf_hooks', 'PATCH', "/api/leads/$deal/status",
        { status_step => $_->[0] });
    is(outbox(), $_->[1], "to $_->[0]: $_->[1] due");
}

# ---- duplicates

my @first = intake({ entity => 'quotes', email => 'Dup@x.co', name => 'One' });
my $dup = $first[1]{lead_id};

is_deeply([intake({ entity => 'Quotes', email => 'dup@X.CO', name => 'Two',
    note => 'n' })], [200, { %{ $first[1] }, duplicate => JSON::PP::true }],
    'skip: the lead that is there');
is_deeply(lead($dup)->{fields}, { email => 'Dup@x.co', name => 'One' },
    '... untouched');
is_deeply(events($dup), ['lead_created_event'], '... no event');

is_deeply([intake({ entity => 'quotes', email => 'dup@x.co', name => 'Two',
    dedup_mode => 'UPDATE', assignee => $FlipU1, 'status:stage' => 'Won' })],
    [200, { %{ $first[1] }, duplicate => JSON::PP::true }], 'update');
is_deeply(lead($dup)->{fields}, { email => 'dup@x.co', name => 'Two' },
    '... of what was sent');
is_deeply([lead($dup)->{status_step}, doc($dup)->{assignee}], ['New', undef],
    '... not of status and assignee');
is_deeply(events($dup), [qw(lead_created_event lead_update_event)],
    '... an event');
like(leadctl('--json', qw(lead get), $dup, '--events'),
    qr/"fields":\["email","name"\]/, '... that names what has changed');

intake({ entity => 'quotes', email => 'dup@x.co', name => '',
    dedup_mode => 'update' });
is(lead($dup)->{fields}{name}, 'Two', '... an empty text is no field');

my @other = intake({ entity => 'quotes', email => 'dup@x.co',
    dedup_mode => 'create' });
isnt($other[1]{lead_id}, $dup, 'create: another lead');
ok(!exists $other[1]{duplicate}, '... that is new');
like(leadctl('--json', qw(lead get), $other[1]{lead_id}, '--events'),
    qr/"duplicate_of":"$dup"/, '... and knows the first');
is((intake({ entity => 'quotes', email => 'DUP@x.co' }))[1]{lead_id}, $dup,
    'the oldest one is found');

is_deeply([map { exists $_->{duplicate} } map { (intake($_))[1] }
    ({ entity => 'quotes' }) x 2, ({ entity => 'solar_leads',
    lead_name => 'J', email => 'dup@x.co' }) x 2], ['', '', '', ''],
    'no value, no keys: no duplicates');

call('lf_1', 'PATCH', "/api/leads/$dup", { fields => { email => 'new@x.co' } });
is((intake({ entity => 'quotes', email => 'new@x.co' }))[1]{lead_id}, $dup,
    'found by what it has now');
isnt((intake({ entity => 'quotes', email => 'dup@x.co' }))[1]{lead_id}, $dup,
    '... not by what it had');

call('lf_1', 'PATCH', "/law/leads/$dup", { first_name => 'Law' });
is((intake({ entity => 'quotes', email => 'NEW@x.co' }))[1]{lead_id}, $dup,
    'found after another dialect has changed it');
call('lf_1', 'PATCH', "/api/leads/$dup/status", { status_step => 'Won' });
is((intake({ entity => 'quotes', email => 'NEW@x.co' }))[1]{lead_id}, $dup,
    '... and after a move');

my $mobile = made(typed => (fullName => 'M', mobile => '206 555 0777'));
my $mail = made(typed => (fullName => 'M', mail => 'rank@x.co'));
my $budget = made(typed => (fullName => 'B', budget => '1e3'));

is((intake({ entity => 'typed', fullName => 'x', mail => 'RANK@x.co',
    mobile => '+1 (206) 555-0777' }))[1]{lead_id}, $mobile,
    'the first key in rank order; a phone however written');
is((intake({ entity => 'typed', fullName => 'x', mail => 'RANK@x.co',
    mobile => 'none' }))[1]{lead_id}, $mail, '... or the next');
is((intake({ entity => 'typed', fullName => 'x', budget => '1000.0' }))[1]
    {lead_id}, $budget, 'a number however written');

# ---- Idempotency-Key

my @key = ('Idempotency-Key' => 'flip-1');

$before = leads();
($status, my $once) = intake({ entity => 'solar_leads', lead_name => 'I' },
    @key);
is_deeply([intake({ entity => 'solar_leads', lead_name => 'Other' },
    'Idempotency-Key' => '"flip-1"')], [200, $once], 'the same lead');
is((intake({ entity => 'solar_leads' }, @key))[0], 422,
    '... but checked first');
is(leads(), $before + 1, '... once');
isnt((call('lf_1b', 'POST', '/api/intake', { entity => 'solar_leads',
    lead_name => 'I' }, @key))[1]{lead_id}, $once->{lead_id},
    'of another key: another lead');
isnt((call('lf_1', 'POST', '/api/leads/bulk', { entity => 'solar_leads',
    batch => [{ lead_name => 'I' }] }, @key))[1]{created}[0]{lead_id},
    $once->{lead_id}, 'of another route: another lead');

# ---- bulk

($status, $got) = call('lf_1', 'POST', '/api/leads/bulk', { entity =>
    'solar_leads', batch => [{ lead_name => 'A', email => 'a@example.com' },
    { lead_name => 'B', email => 'b@example.com', note => 'mine' }],
    source => 'csv_import', note => 'Batch import' });
is_deeply([$status, [map { $_->{email} } @{ $got->{created} }]],
    [200, ['a@example.com', 'b@example.com']], 'TL13: in order');
is_deeply([map { [@{ doc($_->{lead_id}) }{qw(display_name source notes)}] }
    @{ $got->{created} }], [['A', { name => 'csv_import' },
    [{ text => 'Batch import' }]], ['B', { name => 'csv_import' },
    [{ text => 'Batch import' }, { text => 'mine' }]]],
    '... each with note and source');

sub bulk {
    my ($entity, $rows, %headers) = @_;

    my $more = delete $headers{mode};

    return (call('lf_1', 'POST', '/api/leads/bulk', { entity => $entity,
        batch => $rows, defined $more ? (dedup_mode => $more) : () },
        %headers))[0, 1];
}

($status, $got) = bulk(quotes => [{ email => 'row@x.co', name => '1' },
    { email => 'ROW@x.co', name => '2' }, { name => '3' },
    { email => 'row@x.co', name => '4', dedup_mode => 'update' }]);
my @ids = map { $_->{lead_id} } @{ $got->{created} };
is_deeply([@ids[1, 3]], [@ids[0, 0]], 'rows 2 and 4 duplicate row 1');
isnt($ids[2], $ids[0], '... row 3 does not');
is(lead($ids[0])->{fields}{name}, '4', '... row 4 has updated it');
is($got->{created}[2]{email}, undef, '... no e-mail is null');

($status, $got) = bulk(quotes => [({ email => 'row@x.co' }) x 2],
    mode => 'create');
is(scalar(grep { $_->{lead_id} eq $ids[0] } @{ $got->{created} }), 0,
    'a bulk may say what to do with all duplicates');

$before = leads();
($status, $got) = bulk(solar_leads => [({ lead_name => 'x' }) x 999, {}]);
is_deeply([$status, $got], [422, invalid('batch.999.lead_name',
    'The batch.999.lead_name field is required.')], 'one bad row');
is(leads(), $before, '... and nothing is written');

is((bulk(solar_leads => [{ lead_name => 'x' }, { lead_name => 'x' x 1100000 }]))
    [0], 413, 'a lead beyond all limits');
is(leads(), $before, '... and nothing is written');

@key = ('Idempotency-Key' => 'flip-2');
my @rows = map { +{ lead_name => "N$_", email => "n$_\@x.co" } } 1 .. 1000;

($status, my $all) = bulk(solar_leads => \@rows, @key);
is($status, 200, '1,000 rows');
is_deeply([map { $_->{email} } @{ $all->{created} }],
    [map { $_->{email} } @rows], '... in order');
is(leads(), $before + 1000, '... are 1,000 leads');
is_deeply([bulk(solar_leads => \@rows, @key)], [200, $all],
    'again with the same key: the same list');
is(leads(), $before + 1000, '... and no other lead');
is(lead($all->{created}[499]{lead_id})->{fields}{lead_name}, 'N500',
    'one of them');

# ---- other dialects

is_deeply([@{ (call('lf_1', 'GET', "/law/leads/$all->{created}[0]{lead_id}"))
    [1] }{qw(email source)}], ['n1@x.co', 'api'], 'seen by another dialect');

my $law = (call('lf_1', 'POST', '/law/leads', { first_name => 'A',
    last_name => 'B', source => 's', email => 'a@x.co' }))[1]{id};
is_deeply([(call('lf_1', @$_))[0, 1]], [404, $NotFound],
    "a lead without entity is none here: $_->[0]")
    for [GET => "/api/leads/$law"], [PATCH => "/api/leads/$law",
    { note => 'x' }], [PATCH => "/api/leads/$law/status",
    { status_step => 'New' }];
call('lf_1', 'POST', "/law/leads/$id/archive");
is_deeply([@{ lead($id)->{events}[0] }{qw(type message)}],
    ['lead_archived_event', 'Lead archived'], 'an event of another dialect');

for (1 .. 25) {
    call('lf_1', 'PATCH', "/api/leads/$id", { note => "n$_" });
}

is(scalar @{ lead($id)->{events} }, 20, 'the newest 20 events');

# ---- races: 4 workers, one lead

my @requests = map { ['POST', '/api/intake', { Authorization => 'lf_1' },
    $Json->encode({ entity => 'quotes', email => 'race@x.co', name => "r$_",
    dedup_mode => $_ % 2 ? 'update' : 'skip' })] } 1 .. 40;

$before = leads();
my @answers = map { $Json->decode($_->{body}) } $t->parallel(\@requests);
my %ids = map { $_->{lead_id} => 1 } @answers;

is(scalar @answers, 40, 'a race');
is_deeply([scalar keys %ids, leads() - $before,
    scalar grep { !$_->{duplicate} } @answers], [1, 1, 1],
    '... has one winner');

# ---- a worker is killed on the way

$before = leads();
@key = ('Idempotency-Key' => 'flip-3');
my $c = $t->send_request('POST', '/api/leads/bulk', { Authorization => 'lf_1',
    @key }, $Json->encode({ entity => 'solar_leads', batch => \@rows }));
$t->kill_worker('KILL');
$c->response;
my $left = leads() - $before;
ok($left == 0 || $left == 1000, "all or none of a bulk: $left");

is((bulk(solar_leads => \@rows, @key))[0], 200, '... and again');
is(leads() - $before, 1000, '... all, once');

# ---- real clients

my $url = 'http://127.0.0.1:' . $t->port;

SKIP: {
    my $curl = find_program('curl') or skip 'no curl here', 2;

    is(run_program(['sh', '-c', <<"_EOC_"], stdout => $t->path('curl.out')), 0,
$curl -s -X POST "$url/api/intake" \\
-H "Authorization: Bearer lf_1" \\
-H "Content-Type: application/json" \\
-d '{
"entity": "solar_leads",
"lead_name": "Jane Doe",
"email": "jane\@example.com",
"status:stage": "New"
}'
_EOC_
        'the seed\'s curl');
    like($t->read_file('curl.out'), qr/^\{"status":"success","lead_id":"$Uuid",
        "created_at":"$Time"\}$/x, '... has the seed\'s answer');
}

SKIP: {
    my $node = find_program('node') or skip 'no node here', 2;

    my $script = $t->write_file('client.mjs', <<'_EOC_');
const headers = { Authorization: 'Bearer lf_1' };
const url = process.argv[2] + '/api/intake';
const pairs = [['entity', 'solar_leads'], ['Lead Name', 'N\u{f6}de & co'],
    ['viewers[]', 'ann@l1.test'], ['viewers[]', 'bob@l1.test'],
    ['notes[0][text]', 'line\r\nline'], ['notes[0][tag]', 't']];
const form = new FormData();
const query = new URLSearchParams();
for (const [name, value] of pairs) {
    form.append(name, value);
    query.append(name, value);
}
for (const body of [form, query]) {
    const res = await fetch(url, { method: 'POST', headers, body });
    const { lead_id } = await res.json();
    console.log(lead_id);
}
_EOC_

    is(run_program([$node, $script, $url], stdout => $t->path('node.out')), 0,
        'node');

    my @got = map { doc($_) } split ' ', $t->read_file('node.out');
    is_deeply([map { [$_->{fields}{lead_name}, scalar @{ $_->{viewers} },
        $_->{notes}] } @got], [(["N\x{f6}de & co", 2, [{ text => "line\r\nline",
        tag => 't' }]]) x 2], '... FormData and URLSearchParams');
}

# ---- after a reload

ok($t->reload, 'reload');
is((bulk(solar_leads => \@rows, @key))[0], 200, 'a repeat');
is(leads() - $before, 1000 + (find_program('curl') ? 1 : 0)
    + (find_program('node') ? 2 : 0), '... is one');
is((intake({ entity => 'quotes', email => 'race@x.co' }))[1]{lead_id},
    (keys %ids)[0], 'duplicates are found');

is($Json->decode(leadctl('--json', 'check'))->{findings}, 0,
    'the store agrees with itself');

$t->check_end;
done_testing();
