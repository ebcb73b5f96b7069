# Copyright (C) the ngx_lead authors
#
# Flextell's API from a client's side, over several requests: create, read,
# list page by page, repeat, many at once, and the same after a reload with
# another configuration.

use strict;
use warnings;

use FindBin ();
use JSON::PP ();
use Test::More;

use lib "$FindBin::Bin/lib";
use Test::Lead ();
use Test::Lead::Process qw(find_program run_program read_file);
use Test::LeadFixtures qw(flextell_conf leadctl);

my $Json = JSON::PP->new->utf8->canonical;
my $Conf = <<'_EOC_';
http {
%%CONF%%
    server {
        listen 127.0.0.1:%%PORT%%;

        location / { lead_api flextell; }
        location /law/ { lead_api lawfficient base=/law; }
        location /few/ { lead_api flextell base=/few; lead_rate 3r/m; }
    }
}
_EOC_

my $t = Test::Lead->new(workers => 4,
    conf => $Conf =~ s/%%CONF%%/flextell_conf()/er);

$t->start;


# (status, decoded body, response); body: a hash, or bytes

sub call {
    my ($key, $method, $path, $body, %headers) = @_;

    $body = $Json->encode($body) if ref $body;
    my $res = $t->http($method, $path, { Authorization => "Bearer $key",
        'X-Tenant' => 7, 'Content-Type' => 'application/json', %headers },
        $body);

    return ($res->{status}, scalar eval { $Json->decode($res->{body}) },
        $res);
}


sub create {
    my (%more) = @_;

    my ($status, $made) = call('ft_ok', 'POST', '/api/v1/leads',
        { last_name => 'S', %more });
    die "no lead: $status\n" if $status != 201;

    return $made->{data};
}


sub page {
    my ($query, $key, %headers) = @_;

    my ($status, $page) = call($key // 'ft_ro', 'GET',
        "/api/v1/leads?$query", undef, %headers);
    die "no page: $status\n" if $status != 200;

    return $page;
}


sub ids {
    return [map { $_->{id} } @{ $_[0]{data} }];
}


# ---- the vendor's own example, but for the place and what is in brackets

my $port = $t->port;
my $curl = <<"_EOC_";
curl --request POST \\
  --url http://127.0.0.1:$port/api/v1/leads \\
  --header 'Authorization: Bearer ft_ok' \\
  --header 'Content-Type: application/json' \\
  --header 'X-Tenant: 7' \\
  --data '
{
  "last_name": "<string>",
  "first_name": "<string>",
  "phone_number": "<string>",
  "email": "jsmith\@example.com",
  "description": "<string>",
  "message": "<string>",
  "preferred_contact": "<string>",
  "source_page_url": "%s",
  "lead_status_id": %d,
  "lead_reference_source_id": %d,
  "assigned_user_id": %d,
  "country_id": %d,
  "marketing_attribution": [
    "<string>"
  ]
}
'
_EOC_

SKIP: {
    skip 'no curl', 4 if !find_program('curl');

    my $out = $t->dir . '/curl.out';
    my $run = sub {
        unlink $out;
        run_program(['sh', '-c', sprintf $curl, @_], stdout => $out,
            stderr => '/dev/null');
        return $Json->decode(read_file($out));
    };

    my $made = $run->('https://e.com/', 2, 5, 11, 215);

    ok(!ref $made->{success} && length $made->{success}, 'success is a text');
    is(scalar(keys %{ $made->{data} }), 27, 'all members of a lead');
    is_deeply([@{ $made->{data} }{qw(full_name phone_number email
        marketing_attribution country_name is_converted)}],
        ['<string> <string>', '<string>', 'jsmith@example.com', ['<string>'],
        "T\x{fc}rkiye", 'false'], '... as sent');
    is_deeply([sort keys %{ $run->('<string>', 123, 123, 123, 123)->{errors} }],
        [qw(assigned_user_id country_id lead_reference_source_id
        lead_status_id source_page_url)], 'its placeholders are no values');
}

# ---- create, read

my ($status, $made, $res) = call('ft_ok', 'POST', '/api/v1/leads',
    { last_name => 'Smith', first_name => 'Jo', assigned_user_id => 11,
      phone_number => '(206) 555-0100', email => 'Jo@Example.com',
      lead_reference_source_id => 5, country_id => 215 });

is($status, 201, 'created');
is($made->{data}{created_at}, $made->{data}{updated_at}, 'times are equal');

my $id = $made->{data}{id};

for my $path ("/api/v1/leads/$id", "/v1/leads/$id", "/few/leads/$id") {
    my ($got, $body) = call('ft_ro', 'GET', $path);

    is($got, 200, $path);
    is_deeply($body->{data}, $made->{data}, '... is the same lead');
    ok(!ref $body->{success}, '... with a text');
}

is((call('ft_ro', 'HEAD', "/v1/leads/$id"))[2]{headers}{'content-length'},
    length +(call('ft_ro', 'GET', "/v1/leads/$id"))[2]{body}, 'HEAD');

is_deeply([(call('ft_t8', 'GET', "/v1/leads/$id", undef, 'X-Tenant' => 8))
    [0, 1]], [404, { error => 'not_found',
    message => 'The requested lead was not found.' }],
    'TF22: another tenant does not see it');
is((call('ft_t8', 'GET', "/v1/leads/$id"))[0], 403, '... nor under this one');

my ($doc) = map { $_->{document} } grep { $_->{number} == $id }
    map { $Json->decode($_) } split /\n/,
    leadctl(qw(lead export --account T7));

is_deeply([@$doc{qw(dialect phone phone_e164 email email_key)}],
    ['flextell', '(206) 555-0100', '+12065550100', 'Jo@Example.com',
    'jo@example.com'], 'what is kept beside what was sent');
is_deeply([$doc->{stage}{key}, $doc->{source}{key}, $doc->{assignee}{name},
    $doc->{country}{code}], [qw(new web Ann TR)], '... by key');

# ---- Idempotency-Key

my %key = ('Idempotency-Key' => 'TF21');
my ($first, $again) = map { [call('ft_ok', 'POST', '/v1/leads',
    { last_name => 'Once' }, %key)] } 1, 2;

is_deeply([$first->[0], $again->[0]], [201, 201], 'TF21: created twice');
is_deeply($again->[1], $first->[1], '... one lead');
is((call('ft_ok', 'POST', '/v1/leads', { }, %key))[0], 422,
    'a repeat is judged');
is((call('ft_ok', 'POST', '/v1/leads', { last_name => 'Once' },
    'Idempotency-Key' => '"TF21"'))[1]{data}{id}, $first->[1]{data}{id},
    'the key in quotes');
is((call('ft_ok', 'POST', '/api/v1/leads', { last_name => 'Once' },
    %key))[1]{data}{id}, $first->[1]{data}{id}, 'the other path');
isnt((call('ft_ok2', 'POST', '/v1/leads', { last_name => 'Once' }, %key))[1]
    {data}{id}, $first->[1]{data}{id}, 'of another token it is another');

call('ft_ok', 'POST', '/v1/leads', { }, 'Idempotency-Key' => 'bad');
is((call('ft_ok', 'POST', '/v1/leads', { last_name => 'T' },
    'Idempotency-Key' => 'bad'))[0], 201, 'a failed create leaves no record');

# ---- lists

is_deeply([@{ page('', 'ft_t8', 'X-Tenant' => 8)->{meta} }
    {qw(from to total last_page)}], [undef, undef, 0, 1], 'an empty list');

my @made = map { create(first_name => "List$_", last_name => 'Er')->{id} }
    1 .. 47;
my $list = page('');
my $total = $list->{meta}{total};

is_deeply(ids($list), [reverse @made[32 .. 46]], 'the newest 15');
is_deeply($list->{data}[0], (call('ft_ro', 'GET', "/v1/leads/$made[46]"))[1]
    {data}, '... as they show');

my @all;
for my $n (1 .. 100) {
    my $page = page("per_page=7&page=$n");

    push @all, @{ ids($page) };
    is($page->{meta}{current_page}, $n, "page $n");
    last if !defined $page->{links}{next};
    like($page->{links}{next}, qr{/api/v1/leads\?per_page=7&page=@{[$n + 1]}$},
        '... and the next');
}

is(scalar @all, $total, 'all of them, on all pages');
is_deeply(\@all, [sort { $b <=> $a } @all], '... newest first');
is_deeply(ids(page('per_page=100&sort_by=id&sort_order=asc')), [reverse @all],
    'oldest first');
is_deeply(ids(page('per_page=5&page=2&sort_order=asc')),
    [(reverse @all)[5 .. 9]], '... page 2');

$list = page('page=999&per_page=10');
is_deeply([@{ $list->{meta} }{qw(from to total current_page)},
    scalar @{ $list->{data} }], [undef, undef, $total, 999, 0],
    'beyond the last page');
is_deeply([@{ page('page=1000000000&per_page=100')->{data} }], [],
    'far beyond it');
is(page("page=$_")->{meta}{current_page}, 1, "page=$_")
    for qw(0 -1 x 1.5 99999999999999999999), '';

$list = page('search=LIST4&per_page=3&page=2');
is_deeply(ids($list), [reverse @made[41 .. 43]], 'sought: page 2');
is_deeply([@{ $list->{meta} }{qw(from to total last_page)}], [4, 6, 9, 3],
    '... of 9') or diag($Json->encode($list->{meta}));
is_deeply(ids(page("search=$_")), [$id], "search=$_")
    for qw(jo@example.COM 206%29%20555 %2B12065550100 Jo%20Sm);
is_deeply(ids(page('search=nobody')), [], 'nobody');

is_deeply([map { $_->{label} } @{ page('per_page=1&page=1')->{meta}{links} }],
    ['&laquo; Previous', 1 .. 10, '...', $total - 1, $total, 'Next &raquo;'],
    'links of many pages');
is_deeply([map { $_->{label} } @{ page('per_page=1&page=20')->{meta}{links} }],
    ['&laquo; Previous', 1, 2, '...', 17 .. 23, '...', $total - 1, $total,
    'Next &raquo;'], '... in the middle');
is_deeply([map { $_->{label} } @{ page("per_page=1&page=$total")->{meta}
    {links} }], ['&laquo; Previous', 1, 2, '...', $total - 9 .. $total,
    'Next &raquo;'], '... at the end');

# ---- a lead of another dialect; its stage has no number

is((call('ft_law', 'POST', '/law/leads', { first_name => 'Ada',
    last_name => 'Lovelace', email => 'ADA@example.com', source => 'fair' }))
    [0], 201, 'created by Lawfficient\'s API');

my $theirs = page('per_page=1')->{data}[0];

is(scalar(keys %$theirs), 27, '... has all members');
is_deeply([@$theirs{qw(full_name email status reference_source)}],
    ['Ada Lovelace', 'ADA@example.com', undef, undef], '... as known here');
is((call('ft_law', 'GET', "/v1/leads/$theirs->{id}"))[0], 401,
    '... but not by its token');
$total++;

# ---- many at once

my $n = 60;
my @res = $t->parallel([map { ['POST', '/api/v1/leads', {
    Authorization => 'Bearer ft_ok', 'X-Tenant' => 7,
    'Idempotency-Key' => 'race' . $_ % 3 }, '{"last_name":"Race"}'] }
    1 .. $n]);

is(scalar(grep { $_->{status} == 201 } @res), $n, "$n at once");

my %ids = map { $Json->decode($_->{body})->{data}{id} => 1 } @res;
is(scalar(keys %ids), 3, '... with three keys: three leads');
is(page('')->{meta}{total}, $total + 3, '... and no more');

# ---- lead_rate

($status, undef, $res) = call('ft_wo', 'POST', '/few/leads',
    { last_name => 'R' });
is_deeply([$status, @{ $res->{headers} }{qw(x-ratelimit-limit
    x-ratelimit-remaining)}], [201, 3, 2], 'of 3 one is gone');
cmp_ok(abs($res->{headers}{'x-ratelimit-reset'} - time - 30), '<=', 32,
    'reset is a time within the minute');

($status, undef, $res) = call('ft_wo', 'POST', '/few/leads', {});
is_deeply([$status, $res->{headers}{'x-ratelimit-remaining'}], [422, 1],
    'of a refused one too');
call('ft_wo', 'POST', '/few/leads', { last_name => 'R' });

($status, $made, $res) = call('ft_wo', 'POST', '/few/leads',
    { last_name => 'R' });
is_deeply([$status, $made, $res->{headers}{'x-ratelimit-remaining'}], [429,
    { error => 'rate_limit_exceeded', message => 'Too many requests.' }, 0],
    'too many');
like($res->{headers}{'retry-after'}, qr/^[1-9]\d?$/, '... come again');
cmp_ok(abs($res->{headers}{'x-ratelimit-reset'} - time
    - $res->{headers}{'retry-after'}), '<=', 2, '... when reset says');

# ---- node's fetch

SKIP: {
    my $node = find_program('node') or skip 'no node', 2;

    $t->write_file('client.js', <<'_EOC_');
const at = 'http://127.0.0.1:%%PORT%%/v1/leads';
const headers = { Authorization: 'Bearer ft_ok', 'X-Tenant': '7' };
const send = async body => {
    const res = await fetch(at, { method: 'POST', headers, body });
    const { data } = await res.json();
    console.log(res.status, data.full_name, JSON.stringify(
        data.marketing_attribution));
};
const fill = form => {
    form.append('first_name', 'Zo\u00eb');
    form.append('last_name', 'N\u{1f98a}de');
    form.append('marketing_attribution[]', 'a=1&b');
    form.append('marketing_attribution[]', '+');
    return form;
};

(async () => {
    await send(fill(new URLSearchParams()));
    await send(fill(new FormData()));
})();
_EOC_

    my $out = $t->dir . '/node.out';
    is(run_program([$node, $t->dir . '/client.js'], stdout => $out,
        stderr => "$out.err"), 0, 'node ran') or diag(read_file("$out.err"));
    is(read_file($out), "201 Zo\xc3\xab N\xf0\x9f\xa6\x8ade [\"a=1&b\",\"+\"]\n"
        x 2, 'its forms');
}

# ---- another configuration: what it no longer has still shows

my ($old) = (call('ft_ro', 'GET', "/v1/leads/$id"))[1]{data};
my $new = flextell_conf();

$new =~ s/^.*stage new name=New.*\n//m or die;
$new =~ s/^.*source web number=5 .*\n//m or die;
$new =~ s/name=Ann;/name=Anna;/ or die;
$new =~ s/country 215 TR;// or die;

$t->write_conf($Conf =~ s/%%CONF%%/$new/r);
ok($t->reload, 'reload');

is_deeply((call('ft_ro', 'GET', "/v1/leads/$id"))[1]{data}, { %$old,
    status => { %{ $old->{status} }, color => undef },
    assigned_user => { id => 11, name => 'Anna' } }, 'the lead');
is((call('ft_ok', 'POST', '/v1/leads', { last_name => 'L' }))[1]{data}{status},
    undef, 'no default status');
is((call('ft_ok', 'POST', '/v1/leads', { last_name => 'Once' }, %key))[1]
    {data}{id}, $first->[1]{data}{id}, 'keys are remembered');

is($Json->decode(leadctl('--json', 'check'))->{findings}, 0,
    'the store agrees with itself');

$t->check_end;
done_testing();
