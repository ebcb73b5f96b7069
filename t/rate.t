
# Copyright (C) the ngx_lead authors
#
# lead_rate: requests of a key in the trailing minute, over all workers and
# generations, and apart for each key and location.

use strict;
use warnings;

use FindBin ();
use JSON::PP ();
use Test::More;

use lib "$FindBin::Bin/lib";
use Test::Lead ();
use Test::LeadFixtures qw(lead_conf);

my $t = Test::Lead->new(workers => 2, conf => <<'_EOC_' =~ s/%%CONF%%/lead_conf()/er);
http {
%%CONF%%
    server {
        listen 127.0.0.1:%%PORT%%;

        location /api/ { lead_api lawfficient; lead_rate 120r/m; }
        location /few/ { lead_api lawfficient base=/few; lead_rate 3r/m; }
        location /burst/ {
            lead_api lawfficient base=/burst;
            lead_rate 3r/m burst=2;
        }
        location /free/ { lead_api lawfficient base=/free; }
    }

    server {
        listen 127.0.0.1:%%PORT%%;
        server_name other.test;

        location /few/ { lead_api lawfficient base=/few; lead_rate 3r/m; }
    }
}
_EOC_

$t->start;


sub get {
    my ($key, $path, $method, $body) = @_;

    return $t->http($method // 'GET', $path,
        $key ? { Authorization => "Bearer $key" } : {}, $body);
}


sub statuses {
    my ($key, $path, $n) = @_;

    my %seen;
    $seen{ get($key, $path)->{status} }++ for 1 .. $n;

    return \%seen;
}


# the contract's own case

is_deeply(statuses('lak_rw1', '/api/leads', 120), { 200 => 120 },
    '120 requests of a minute');

my $res = get('lak_rw1', '/api/leads');

is($res->{status}, 429, 'the 121st');
is_deeply(JSON::PP::decode_json($res->{body}), { error => {
    code => 'rate_limited', message => 'Rate limit exceeded.' } },
    '... in the words of the dialect');
like($res->{headers}{'retry-after'}, qr/^[1-9]\d?$/, '... with Retry-After');
cmp_ok($res->{headers}{'retry-after'}, '<=', 60, '... of a minute at most');
is($res->{headers}{'lawfficient-version'}, '2026-07-01', '... and a version');

is(get('lak_rw1', '/api/leads', 'POST', '{"first_name"')->{status}, 429,
    'before the body is looked at');
is(get('lak_rw1b', '/api/leads')->{status}, 200, 'another key');
is(get('lak_rw1', '/free/leads')->{status}, 200, 'another location');

# what does not count

is_deeply(statuses('lak_off1', '/few/leads', 5), { 403 => 5 }, 'disabled');
is_deeply(statuses('lak_wo1', '/few/leads', 5), { 403 => 5 }, 'no scope');
is_deeply(statuses('nope', '/few/leads', 5), { 401 => 5 }, 'unknown');
is_deeply(statuses('', '/few/leads', 5), { 401 => 5 }, 'none');
is_deeply(statuses('lak_rw1', '/few/leads', 6), { 200 => 3, 429 => 3 },
    'what was turned away takes no place');
is_deeply(statuses('lak_rw1', '/burst/leads', 6), { 200 => 5, 429 => 1 },
    'a burst');

is($t->http('GET', '/few/leads', { Host => 'other.test',
    Authorization => 'Bearer lak_rw1' })->{status}, 200,
    'a location of the same name of another server');

# a minute that other workers go on with

ok($t->reload, 'reload');
is_deeply(statuses('lak_rw1', '/few/leads', 3), { 429 => 3 },
    'a reload forgets nothing');

# many at once

my @res = $t->parallel([(['GET', '/few/leads',
    { Authorization => 'Bearer lak_rw2' }]) x 40]);

is(scalar(grep { $_->{status} == 200 } @res), 3, 'three of 40 at once');
is(scalar(grep { $_->{status} == 429 } @res), 37, '... and 37 not');

$t->quit;
$t->check_end;

done_testing();
