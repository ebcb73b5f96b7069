# Copyright (C) the ngx_lead authors
#
# Reflekt's API from a client's side: what of a form is stored and how it
# looks, campaigns, idempotency, workers at the same time, and the clients that
# people have: curl as the vendor's page shows it, and Node.

use strict;
use warnings;
use utf8;

use FindBin ();
use JSON::PP ();
use Test::More;

use lib "$FindBin::Bin/lib";
use Test::Lead ();
use Test::Lead::Process qw(find_program run_program);
use Test::LeadFixtures qw(reflekt_conf leadctl);

my $Json = JSON::PP->new->utf8->canonical;
my $Uuid = qr/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/;
my $Path = '/api/v1/lead';
my $Form = 'application/x-www-form-urlencoded';

my $t = Test::Lead->new(workers => 4, conf => <<'_EOC_' =~ s/%%CONF%%/reflekt_conf()/er);
http {
%%CONF%%
    server {
        listen 127.0.0.1:%%PORT%%;
        listen [::1]:%%PORT%%;

        location = /api/v1/lead { lead_api reflekt; }
        location = /few/lead { lead_api reflekt base=/few; lead_rate 2r/m; }
        location /v2/ { lead_api kickofflabs; }
    }
}
_EOC_

$t->start;


sub form {
    my @pairs = @_;
    my @texts;

    while (my ($name, $value) = splice @pairs, 0, 2) {
        utf8::encode($value);
        $value =~ s/([^A-Za-z0-9._~-])/sprintf '%%%02X', ord $1/ge;
        push @texts, "$name=$value";
    }

    return join '&', @texts;
}


# a request, as parallel() takes it; headers come in a list

sub request {
    my ($key, $fields, @headers) = @_;

    return ['POST', $Path, ['Content-Type', $Form, @headers],
        form(api_key => $key, @$fields)];
}


# (status, decoded body)

sub answer {
    my ($res) = @_;

    return ($res->{status}, eval { $Json->decode($res->{body}) } // {});
}


sub call {
    return answer($t->http(@{ request(@_) }));
}


# the id of a new lead

sub create {
    my ($key, @fields) = @_;

    my ($status, $body) = call($key, \@fields);
    die "no lead: $status $body->{error}\n" if $status != 200;

    return $body->{lead_id};
}


# what is kept of a lead; {document} is its own

sub stored {
    my ($id, @more) = @_;

    return $Json->decode(leadctl('--json', qw(lead get), $id, @more));
}


sub doc {
    return stored(@_)->{document};
}


sub leads {
    my ($account) = @_;

    return scalar grep { length } split /\n/,
        leadctl('--json', qw(lead export --account), $account);
}


# The leads of campaign pi_intake so far, by KickoffLabs' API, which counts its
# own and these alike.  Asking adds one.

my $asked = 0;

sub enrolled {
    my ($status, $body) = answer($t->http('POST', '/v2/4101',
        { Authorization => 'Bearer lap_live_P1',
          'Content-Type' => 'application/json' },
        $Json->encode({ email => 'asked' . $asked++ . '@b.co' })));

    return $status == 200 ? $body->{lead_count} - $asked : "status $status";
}


# ---- what is stored

my $id = create('lap_live_P1', first_name => ' jean-luc  o’neil ',
    last_name => "mcDonald\tyıldız", email => ' Jane.Doe@Bücher.example ',
    phone_number => '(206) 555-0100',
    company_name => " Acme <b>& Söhne</b>\x01\n LLC ",
    campaign_name => ' pi_intake ', notes => "  First line\r\n\tsecond <b> \n",
    address => ' 1 Main St ', birthday => ' 1990-02-28 ',
    friendly_name => ' the captain ', unknown => 'x');

like($id, qr/^$Uuid$/, 'a UUID');

is_deeply(doc($id), { dialect => 'reflekt', first_name => 'Jean-Luc O’Neil',
    last_name => 'McDonald Yıldız', display_name => 'the captain',
    email => 'Jane.Doe@Bücher.example',
    email_key => 'jane.doe@xn--bcher-kva.example',
    phone => '(206) 555-0100', phone_e164 => '+12065550100',
    company => 'Acme & Söhne LLC', address => '1 Main St',
    birthday => '1990-02-28', campaign => { name => 'pi_intake',
    number => 4101, label => 'PI Intake 2026' },
    notes => [{ text => "First line\r\n\tsecond <b>" }] },
    'all fields: normal forms beside what was sent');

is(stored($id)->{account}, 'P1', 'in the project of the key');
unlike(leadctl('--json', qw(lead get), $id, '--events'), qr/lap_live|x01/,
    'not with the key');
is_deeply([map { $_->{type} } @{ stored($id, '--events')->{events} }],
    ['lead.created'], 'one event');

is_deeply(doc(create('lap_live_P1', email => 'a@b.co', first_name => '',
    company_name => '<b></b>', campaign_name => ' ', notes => "\n",
    phone_number => '')), { dialect => 'reflekt', email => 'a@b.co',
    email_key => 'a@b.co' }, 'what is empty is not there');

for (
    ['P1', '+15551234567', '+15551234567'],
    ['P1', ' 15551234567', '+15551234567'],
    ['P1', '555.123.4567', '+15551234567'],
    ['P1', '1 (555) 123-4567', '+15551234567'],
    ['P1', '011 44 20 7946 0958', '+442079460958'],
    ['P1', '+1 (555) 123-4567 ext. 89', '+15551234567'],
    ['P2', '020 7946 0958', '+442079460958'],
    ['P2', '+1 206 555 0100', '+12065550100'],
) {
    my ($project, $sent, $want) = @$_;

    my $doc = doc(create("lap_live_$project", phone_number => $sent));
    is_deeply([@$doc{qw(phone phone_e164)}], [$sent =~ s/^ //r, $want],
        "$project: $sent");
}

is_deeply([call('lap_live_P2', [phone_number => '206 555'])],
    [400, { success => JSON::PP::false, error => 'Invalid phone number',
    field => 'phone_number' }], 'P2: a number of no region');

# ---- campaigns

for (
    ['P1', 'pi_intake', { name => 'pi_intake', number => 4101,
        label => 'PI Intake 2026' }],
    ['P1', 'family', { name => 'family' }],
    ['P1', 'over', { name => 'over' }],
    ['P2', 'theirs', { name => 'theirs', number => 4102 }],
    ['P1', 'theirs', undef],
    ['P2', 'pi_intake', undef],
    ['P1', 'PI Intake 2026', undef],
    ['P1', 'PI_INTAKE', undef],
    ['P1', 'pi_intake2', undef],
    ['P1', 'pi_intak', undef],
    ['P1', '4101', undef],
    ['P1', 'does_not_exist', undef],
) {
    my ($project, $name, $want) = @$_;

    is_deeply(doc(create("lap_live_$project", email => 'a@b.co',
        campaign_name => $name))->{campaign}, $want, "$project: $name");
}

is(enrolled(), 2, 'two are in pi_intake');

# ---- refused: nothing is stored

my $before = leads('P1');

for (['email', 'x'], ['phone_number', 'banana'], ['birthday', '2023-02-30'],
    ['notes', 'x' x 10001], ['first_name', "\0"])
{
    my ($field, $value) = @$_;

    my ($status, $body) = call('lap_live_P1', [email => 'a@b.co',
        phone_number => '2065550100', $field => $value]);
    is_deeply([$status, $body->{success}, $body->{field}],
        [400, JSON::PP::false, $field], "$field: refused");
}

is(leads('P1'), $before, 'none of these is stored');

# ---- no dedupe; idempotency

isnt(create('lap_live_P1', email => 'a@b.co'), create('lap_live_P1',
    email => 'a@b.co'), 'TR20: twice the same is two leads');

my @B = (email => 'once@b.co', campaign_name => 'pi_intake');
my @once = ('Idempotency-Key', 'flow-1');
my ($status, $first) = call('lap_live_P1', \@B, @once);

is($status, 200, 'with an Idempotency-Key');
is_deeply([call('lap_live_P1', [email => 'other@b.co'], 'Idempotency-Key',
    '"flow-1"')], [200, $first], 'again, quoted, of another form');
is_deeply([answer($t->http('POST', "$Path?api_key=lap_live_P1",
    { 'Content-Type' => $Form, 'Idempotency-Key' => 'flow-1' },
    form(email => 'x@b.co')))], [200, $first],
    'the key in another place is the same client');
is_deeply(stored($first->{lead_id})->{document}{email}, 'once@b.co',
    'the lead is the first one');
is(scalar @{ stored($first->{lead_id}, '--events')->{events} }, 1,
    'no second event');
is((call('lap_live_P1', [email => 'x'], @once))[0], 400,
    'a repeat is checked first');
is((call('nope', \@B, @once))[0], 401, '... its key as well');
isnt((call('lap_live_P1b', \@B, @once))[1]{lead_id}, $first->{lead_id},
    'another key of the project: another lead');
isnt((call('lap_live_P2', \@B, @once))[1]{lead_id}, $first->{lead_id},
    'another project: another lead');

is((call('lap_live_P1', [email => 'x'], 'Idempotency-Key', 'flow-2'))[0], 400,
    'a create that fails');
is((call('lap_live_P1', \@B, 'Idempotency-Key', 'flow-2'))[0], 200,
    '... leaves its key free');

is(enrolled(), 5, 'three were new, the repeats are not counted');

# ---- four workers

$before = leads('P1');

my @res = map { [answer($_)] } $t->parallel([map { request('lap_live_P1',
    [email => "p$_\@b.co"], 'Idempotency-Key', 'race') } 1 .. 40],
    concurrency => 20);
my %ids = map { ($_->[1]{lead_id} // '?') => 1 } @res;

is(scalar(grep { $_->[0] == 200 } @res), 40, '40 at once with one key');
is(scalar keys %ids, 1, '... have one id');
is(leads('P1'), $before + 1, '... and made one lead');

@res = map { [answer($_)] } $t->parallel([map { request('lap_live_P1',
    [email => 'same@b.co', campaign_name => 'pi_intake']) } 1 .. 60],
    concurrency => 20);
%ids = map { ($_->[1]{lead_id} // '?') => 1 } @res;

is(scalar keys %ids, 60, '60 at once without: 60 ids');
is(leads('P1'), $before + 61, '... and 60 leads');
is(enrolled(), 65, '... each of them counted');

# ---- a body in pieces

for my $size (1, 7, 100) {
    is($t->http('POST', $Path, { 'Content-Type' => $Form },
        form(api_key => 'lap_live_P1', email => 'a@b.co'),
        chunks => [$size])->{status}, 200, "chunks of $size bytes");
}

# ---- curl, as the vendor's page has it

# (exit status, what was printed)

sub run {
    my (@command) = @_;

    my $dir = $t->dir;

    unlink "$dir/out", "$dir/err";
    my $status = run_program(\@command, stdout => "$dir/out",
        stderr => "$dir/err");
    diag($t->read_file('err')) if $status;

    return ($status, $t->read_file('out'));
}


sub curl {
    my ($status, $out) = run('curl', '-sS', @_);

    return $status ? {} : $Json->decode($out);
}


SKIP: {
    skip 'no curl', 3 if !find_program('curl');

    my $url = 'http://127.0.0.1:' . $t->port . $Path;
    my $got = curl('-X', 'POST', $url,
        '-F', 'api_key=lap_live_P1',
        '-F', 'first_name=Jane',
        '-F', 'last_name=Doe',
        '-F', 'email=jane@example.com',
        '-F', 'phone_number=+15551234567',
        '-F', 'company_name=Acme LLC',
        '-F', 'campaign_name=pi_intake',
        '-F', 'notes=Came in from the website contact form');

    is_deeply([@$got{qw(success message)}], [JSON::PP::true, 'Lead created'],
        'TR2: curl -F');
    is_deeply(doc($got->{lead_id}), { dialect => 'reflekt',
        first_name => 'Jane', last_name => 'Doe',
        email => 'jane@example.com', email_key => 'jane@example.com',
        phone => '+15551234567', phone_e164 => '+15551234567',
        company => 'Acme LLC', campaign => { name => 'pi_intake',
        number => 4101, label => 'PI Intake 2026' },
        notes => [{ text => 'Came in from the website contact form' }] },
        '... stored');

    $t->write_file('big.txt', 'x' x 300000);
    $got = curl($url, '-F', 'api_key=lap_live_P1', '-F', 'email=a@b.co',
        '-F', 'cv=@' . $t->path('big.txt'),
        '-F', 'notes=<' . $t->path('big.txt'));
    is_deeply($got, { success => JSON::PP::false, field => 'notes',
        error => 'notes is too long' },
        'a file, which is ignored, and notes, which are not');
}

# ---- Node

SKIP: {
    skip 'no node', 5 if !find_program('node');

    my $script = $t->write_file('client.mjs', <<'_EOC_');
const url = `http://127.0.0.1:${process.argv[2]}/api/v1/lead`;
const post = async (body, args = '') => {
    const r = await fetch(url + args, { method: 'POST', body });
    console.log(JSON.stringify([r.status, await r.json()]));
};

const fields = { ApiKey: 'lap_live_P1', email: 'node@b.co',
    first_name: 'zo\u00eb "z" m\u00fcller', notes: 'a\nb\r\nc & d=e+f%20' };

const data = new FormData();
for (const [k, v] of Object.entries(fields)) data.append(k, v);
data.append('cv', new Blob(['x'.repeat(5000)]), 'cv".pdf');

await post(data);
await post(new URLSearchParams(fields));
await post(JSON.stringify(fields), '?api_key=lap_live_P1');
_EOC_

    my ($exit, $out) = run('node', $script, $t->port);
    is($exit, 0, 'node');

    my @got = map { $Json->decode($_) } split /\n/, $out;
    is_deeply([map { $_->[0] } @got], [200, 200, 400],
        'FormData, URLSearchParams, JSON');
    is_deeply($got[2][1], { success => JSON::PP::false, error =>
        'At least one of email or phone_number is required' },
        'TR21: JSON is an empty form');

    # a form has CRLF for each end of a line when it is sent in parts
    my %want = (dialect => 'reflekt', email => 'node@b.co',
        email_key => 'node@b.co', first_name => 'Zoë "z" Müller');

    is_deeply(doc($got[0][1]{lead_id}), { %want, notes =>
        [{ text => "a\r\nb\r\nc & d=e+f%20" }] }, 'FormData');
    is_deeply(doc($got[1][1]{lead_id}), { %want, notes =>
        [{ text => "a\nb\r\nc & d=e+f%20" }] }, 'URLSearchParams');
}

# ---- rate, reload, the store

my @rate = map { answer($t->http('POST', '/few/lead', { 'Content-Type' =>
    $Form }, form(api_key => 'lap_live_P1', email => 'a@b.co'))) } 1 .. 3;
is_deeply([@rate[0, 2, 4]], [200, 200, 429], 'lead_rate');
is_deeply($rate[5], { success => JSON::PP::false,
    error => 'Too many requests' }, '... in the vendor\'s words');
is((answer($t->http('POST', '/few/lead', { 'Content-Type' => $Form },
    form(api_key => 'lap_live_P2', email => 'a@b.co'))))[0], 200,
    '... of each key');

ok($t->reload, 'reload');
is_deeply([call('lap_live_P1', \@B, @once)], [200, $first],
    'the Idempotency-Key is still known');
is($Json->decode(leadctl('--json', 'check'))->{findings}, 0,
    'the store agrees with itself');
unlike($t->read_file('error.log'), qr/lap_live|b\.co/,
    'neither keys nor people in the error log');

$t->check_end;
done_testing();
