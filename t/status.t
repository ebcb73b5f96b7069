# Copyright (C) the ngx_lead authors
#
# What an operator sees of the leads that come in: the status page, the
# variables in a log, and no key anywhere.

use strict;
use warnings;

use FindBin ();
use JSON::PP ();
use Test::More;

use lib "$FindBin::Bin/lib";
use Test::Lead qw(wait_until);
use Test::Lead::Process qw(slow);

my $Json = JSON::PP->new->utf8->canonical;
my $UUID = qr/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/;

my $T = Test::Lead->new(workers => 2, conf => <<'_EOC_');
http {
    lead_store  %%DIR%%/store size=64m;

    log_format leads '$http_x_mark $request_method $status '
                     'dialect=$lead_dialect account=$lead_account '
                     'key=$lead_key_id id=$lead_id '
                     'result=$lead_result time=$lead_store_time';
    access_log %%DIR%%/leads.log leads;

    lead_account acme {
        pipeline stage {
            stage new name=New default;
            stage won name=Won;
        }
        source web name=Web;
    }

    server {
        listen 127.0.0.1:%%PORT%%;

        location /api/ { lead_api lawfficient; }
        location = /status { lead_status json; }
        location = /closed { lead_status json; deny all; }
        location = /other { return 200 other; }
    }
}
_EOC_

$T->start;

my $Store = $T->dir . '/store';


sub add_key {
    my (@options) = @_;

    my ($code, $out, $err) = $T->leadctl('--store', $Store, qw(key add),
        qw(--account acme), @options);
    die "no key: $err\n" if $code != 0;

    return $out =~ s/\n\z//r;
}


sub key_id {
    my ($key) = @_;

    return $key =~ /^lead_(\w{8})_/ ? $1 : die "not a key of ours\n";
}


my $Key = add_key();
my $Ingest = add_key(qw(--source web));
my $Off = add_key();
my $Stranger = $Key =~ s/.\z//r;

$T->leadctl('--store', $Store, qw(key disable), key_id($Off));


sub lead {
    my (%more) = @_;

    return $Json->encode({ first_name => 'Ada', last_name => 'Lovelace',
        source => 'status', email => 'ada@example.com', %more });
}


# of the request that was asked last: what is logged may come after the answer
# it tells of, and one worker's before another's

my $Mark = 0;

sub ask {
    my ($key, $method, $path, $body, @headers) = @_;

    return $T->http($method, $path, ['X-Mark', ++$Mark,
        defined $key ? ('Authorization', "Bearer $key") : (), @headers],
        $body);
}


sub status {
    return $Json->decode(ask(undef, 'GET', '/status')->{body});
}


# the line of the request that was answered last

sub logged {
    my ($pattern, $name) = @_;

    my $line;

    wait_until(sub {
        ($line) = ($T->read_file('leads.log') // '') =~ /^$Mark (.*\n)/m;
    }, 5 * slow());

    like($line // 'no line', $pattern, $name);
}


# ---- the page

{
    my $page = ask(undef, 'GET', '/status');

    is($page->{status}, 200, 'page: 200');
    is($page->{headers}{'content-type'}, 'application/json', 'page: JSON');

    my $status = $Json->decode($page->{body});
    is_deeply($status->{requests}, { map { $_ => 0 } qw(total created updated
            replayed rejected unavailable) }, 'page: nothing has been asked');
    is_deeply($status->{commits}, { map { $_ => 0 } qw(total failed
            microseconds) }, 'page: nothing was committed');
    is($status->{store}{open}, JSON::PP::true, 'page: the store is open');
    is($status->{store}{size}, 64 << 20, 'page: and so large');
    is($status->{store}{leads}, 0, 'page: and empty');

    my $head = ask(undef, 'HEAD', '/status');
    is($head->{status}, 200, 'page: HEAD');
    cmp_ok($head->{headers}{'content-length'}, '>', 100, 'page: has a length');
    is(ask(undef, 'POST', '/status', '{}')->{status}, 405, 'page: no POST');
    is(ask(undef, 'GET', '/closed')->{status}, 403,
        'page: access is a matter of nginx');
}


# ---- the variables, a line for each request

{
    my ($id, $ingest, $off) = map { key_id($_) } $Key, $Ingest, $Off;
    my $acme = qr/dialect=lawfficient account=acme/;
    my $nobody = qr/dialect=lawfficient account=- key=- id=-/;
    my $who = qr/$acme key=$id/;
    my $time = qr/time=\d+\.\d{6}/;

    my $res = ask($Key, 'POST', '/api/leads', lead(), 'Idempotency-Key', 'k');
    my $lead = $Json->decode($res->{body})->{id};
    logged(qr/^POST 201 $who id=$lead result=created $time$/, 'log: created');

    ask($Key, 'POST', '/api/leads', lead(), 'Idempotency-Key', 'k');
    logged(qr/^POST 201 $who id=$lead result=replayed $time$/,
        'log: replayed');

    ask($Key, 'PATCH', "/api/leads/$lead", '{"status":"won"}');
    logged(qr/^PATCH 200 $who id=$lead result=updated $time$/,
        'log: updated');

    ask($Key, 'PATCH', "/api/leads/$lead", '{"status":"won"}');
    logged(qr/^PATCH 200 $who id=$lead result=unchanged $time$/,
        'log: unchanged');

    ask($Key, 'GET', "/api/leads/$lead");
    logged(qr/^GET 200 $who id=$lead result=read time=-$/, 'log: read');

    ask($Key, 'GET', '/api/leads');
    logged(qr/^GET 200 $who id=(?:-|$lead) result=read time=-$/,
        'log: listed');

    ask($Ingest, 'POST', '/api/leads', '{"firstName":"Bob","lastName":"B",'
        . '"email":"bob@example.com"}');
    logged(qr/^POST 201 $acme key=$ingest id=$UUID result=created $time$/,
        'log: ingested');

    ask($Key, 'POST', '/api/leads', '{');
    logged(qr/^POST 400 $who id=- result=rejected time=-$/, 'log: no JSON');

    ask($Key, 'POST', '/api/leads', lead(last_name => ''));
    logged(qr/^POST 422 $who id=- result=rejected time=-$/, 'log: invalid');

    ask($Key, 'GET', '/api/leads/1');
    logged(qr/^GET 404 $who id=- result=rejected time=-$/, 'log: no lead');

    ask($Off, 'POST', '/api/leads', lead());
    logged(qr/^POST 403 $acme key=$off id=- result=rejected time=-$/,
        'log: a disabled key');

    ask($Stranger, 'POST', '/api/leads', lead());
    logged(qr/^POST 401 $nobody result=rejected time=-$/,
        'log: an unknown key');

    ask(undef, 'POST', '/api/leads', lead());
    logged(qr/^POST 401 $nobody result=rejected time=-$/, 'log: no key');

    ask(undef, 'GET', '/other');
    logged(qr/^GET 200 dialect=- account=- key=- id=- result=- time=-$/,
        'log: nothing of ours');
}


# ---- the page after that: the same from every worker

{
    my $status = status();

    is_deeply($status->{requests}, { total => 13, created => 2, updated => 1,
            replayed => 1, rejected => 6, unavailable => 0 },
        'page: what was asked');
    is($status->{commits}{total}, 5, 'page: what was committed');
    is($status->{commits}{failed}, 0, 'page: without a failure');
    cmp_ok($status->{commits}{microseconds}, '>', 0, 'page: in some time');
    is($status->{store}{leads}, 2, 'page: leads');
    is($status->{store}{idempotency}, 1, 'page: idempotency records');
    cmp_ok($status->{store}{used}, '>', 0, 'page: bytes in use');

    is_deeply([map { $_->{requests}{total} } map { status() } 1 .. 20],
        [(13) x 20], 'page: all workers count together');

    ok($T->reload, 'page: a reload');
    is(status()->{requests}{total}, 13, 'page: forgets nothing');
}


# ---- the store is away

{
    $T->quit;
    rename $Store, "$Store.away" or die "cannot rename the store: $!\n";
    mkdir $Store;
    Test::Lead::Process::write_file("$Store/lead.mdb", "no store\n");

    $T->start;
    is_deeply(status()->{store}, { open => JSON::PP::false },
        'away: the page says so');
    logged(qr/^GET 200 /, 'away: and is logged');
    is(ask($Key, 'POST', '/api/leads', lead())->{status}, 503, 'away: 503');
    logged(qr/^POST 503 dialect=lawfficient account=- .* result=failed time/,
        'away: failed');
    is(status()->{requests}{unavailable}, 1, 'away: it is counted');
}


# ---- keys are nowhere but with their clients

for my $key ($Key, $Ingest, $Off, $Stranger) {
    my $secret = substr $key, length('lead_12345678_');

    for my $file (qw(error.log access.log leads.log stderr)) {
        unlike($T->read_file($file) // '', qr/\Q$secret\E/,
            "no key in $file");
    }
}

unlike($T->log, qr/Lovelace|ada\@example/, 'nor a person');
$T->check_end('a clean end');


done_testing();
