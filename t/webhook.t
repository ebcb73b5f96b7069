# Copyright (C) the ngx_lead authors
#
# Webhooks in peace: every event reaches every endpoint that wants it, once,
# signed, as its format has it.

use strict;
use warnings;

use FindBin ();
use IO::Socket::IP ();
use MIME::Base64 qw(encode_base64);
use Test::More;

use lib "$FindBin::Bin/lib";
use Test::Lead qw(wait_until);
use Test::Lead::Process qw(alive nginx_env read_file run_program slow spawn
    stop_pid);
use Test::Lead::Verify qw(verify);
use Test::Lead::Webhook ();

my $UUID = qr/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/;
my $Old = 'whsec_' . encode_base64('fedcba9876543210' x 2, '');


sub header {
    my ($request, $name) = @_;

    return $request->{header}{$name};
}


sub data {
    return Test::Lead::Webhook::body(@_);
}


sub signed {
    return Test::Lead::Webhook::signed(@_);
}


# what receivers' own libraries say of deliveries; %how: format, and secret or
# secrets

sub verified {
    my ($name, $requests, %how) = @_;

    my @said = verify(map { { headers => $_->{headers}, body => $_->{body},
        now => int $_->{time}, %how } } @$requests);

    is_deeply(\@said, [map { 'ok' } @$requests], "$name: verified")
        or diag(map { "$_->{body}\n" } @$requests);
}


sub types {
    return join ' ', map { data($_)->{type} // '-' } @_;
}


# ---- the events of a lead, over three formats, filters and headers

{
    my $t = Test::Lead::Webhook->new;
    my $r = $t->receiver;

    $t->write_file('token', "Bearer of-a-file\n");
    $t->write_file('old.secret', "$Old\n");
    $t->configure(hooks => join '',
        $t->hook(crm => $r->url('/crm?a=1&b=%20z'), 'concurrency=1'),
        $t->hook(law => $r->url('/law'), 'secret=whsec_law',
            'format=lawfficient'),
        $t->hook(kol => $r->url('/kol'), 'format=kickofflabs'),
        $t->hook(edits => $r->url('/edits'),
            'events=lead.updated,lead.status_changed', 'concurrency=1'),
        $t->hook(winners => $r->url('/winners'), 'status=won',
            'concurrency=1'),
        $t->hook(spring => $r->url('/spring'), 'campaign=spring'),
        $t->hook(more => $r->url('/more'), '"header=X-Team: leads, mostly"',
            'header_file=Authorization:token'),
        $t->hook(turn => $r->url('/turn'),
            "secret=$Test::Lead::Webhook::Secret", "secret=$Old"),
        $t->hook(filed => $r->url(''), 'secret_file=old.secret'));
    $t->start;

    my $id = $t->create;
    $t->patch($id, first_name => 'Bea');
    $t->patch($id, status => 'won');
    $t->patch($id, assignee_id => 'a1b2c3d4-0000-4000-8000-000000000000');

    ok($t->wait_settled, 'events: all is delivered');

    my @got = $r->requests(url => '/crm?a=1&b=%20z');
    is(types(@got), 'lead.created lead.updated lead.status_changed '
        . 'lead.assigned', 'events: each once, in order');

    for my $request (@got) {
        my $name = data($request)->{type};
        my $body = data($request);

        is($request->{method}, 'POST', "$name: a POST");
        is(header($request, 'content-type'), 'application/json',
            "$name: JSON");
        like(header($request, 'user-agent'), qr/^ngx_lead/,
            "$name: says who sends it");
        is(header($request, 'host'), '127.0.0.1:' . $r->port,
            "$name: the host with its port");
        like(header($request, 'webhook-id'), qr/^[^.\s]+\z/,
            "$name: an id without a dot");
        like(header($request, 'webhook-timestamp'), qr/^\d{10}\z/,
            "$name: seconds");
        ok(signed($request), "$name: signed");
        is_deeply([sort keys %$body], [qw(data timestamp type)],
            "$name: the members of a payload");
        like($body->{timestamp},
            qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z\z/,
            "$name: the event's time");
        is($body->{data}{id}, $id, "$name: the lead");

        my @names = map { lc $_->[0] } @{ $request->{headers} };
        my %n;
        $n{$_}++ for @names;
        is((grep { $_ > 1 } values %n), 0, "$name: no header twice");
    }

    my %ids = map { header($_, 'webhook-id') => 1 } @got;
    is(keys %ids, 4, 'events: each has an id of its own');
    is(data($got[0])->{data}{first_name}, 'Ada',
        'events: the lead as it was then');
    is(data($got[1])->{data}{first_name}, 'Bea', '... and as it became');

    verified('standard', \@got, format => 'standard',
        secret => $Test::Lead::Webhook::Secret);

    my @same = $r->requests(url => '/more');
    is_deeply([sort map { header($_, 'webhook-id') } @same],
        [sort map { header($_, 'webhook-id') } @got],
        'events: another endpoint sees the same ids');
    is(header($same[0], 'x-team'), 'leads, mostly', 'headers: of one\'s own');
    is(header($same[0], 'authorization'), 'Bearer of-a-file',
        'headers: out of a file');

    is(types($r->requests(url => '/edits')),
        'lead.updated lead.status_changed', 'filter: events');
    is(types($r->requests(url => '/winners')),
        'lead.status_changed lead.assigned', 'filter: status');
    is(scalar(my @none = $r->requests(url => '/spring')), 0,
        'filter: a lead of no campaign');

    my ($turn) = $r->requests(url => '/turn');
    my @list = split / /, header($turn, 'webhook-signature');
    is(scalar @list, 2, 'rotation: two signatures');
    ok(signed($turn), 'rotation: with the new secret');
    ok(signed($turn, $Old), 'rotation: and with the old one');
    verified('rotation', [$r->requests(url => '/turn')],
        format => 'standard', secrets => [$Test::Lead::Webhook::Secret, $Old]);
    verified('rotation, the old one', [$r->requests(url => '/turn')],
        format => 'standard', secret => $Old);

    my ($filed) = $r->requests(url => '/');
    ok($filed && signed($filed, $Old), 'a secret from a file; "/" for no path');
    ok($filed && !signed($filed), '... and no other');

    # the vendors' own

    my ($law) = $r->requests(url => '/law');
    like(header($law, 'lawfficient-signature'), qr/^t=\d{10},v1=[0-9a-f]{64}\z/,
        'lawfficient: its signature');
    is(header($law, 'webhook-signature'), undef, 'lawfficient: no other');
    is(data($law)->{type}, 'lead.created', 'lawfficient: the type');
    like(data($law)->{id}, qr/^$UUID\z/, 'lawfficient: an id');
    my @law = $r->requests(url => '/law');
    is(scalar @law, 4, 'lawfficient: all events');
    verified('lawfficient', \@law, format => 'lawfficient',
        secret => 'whsec_law');

    # campaigns

    $t->sign_up(100, email => 'kim@example.com');
    $t->sign_up(200, email => 'lou@example.com');

    ok($t->wait_settled, 'campaigns: all is delivered');

    @got = $r->requests(url => '/spring');
    is(types(@got), 'lead.created', 'filter: campaign');
    is(data($got[0])->{data}{email}, 'kim@example.com',
        'filter: its lead alone');

    my @kol = $r->requests(url => '/kol');
    my @sign_ups = grep { (data($_)->{__event} // '') eq 'new_signup'
        && (data($_)->{email} // '') =~ /^(?:kim|lou)/ } @kol;
    is(scalar @sign_ups, 2, 'kickofflabs: two sign-ups');
    verified('kickofflabs', \@kol, format => 'kickofflabs');

    is($t->status->{store}{outbox}, 0, 'status: nothing waits');
    is_deeply([$r->rows('bad')], [], 'nothing came that was no HTTP');
    unlike($t->log, qr/whsec_|\Q$Old\E|example\.com|of-a-file/,
        'nothing of a lead or a secret is logged');
    $t->sound('events');
    $t->check_end('events: a clean end');
}


# ---- connections

{
    my $t = Test::Lead::Webhook->new;
    my $r = $t->receiver;

    $t->configure(hooks => join '',
        $t->hook(one => $r->url('/one'), 'concurrency=1'),
        $t->hook(three => $r->url('/three'), 'concurrency=3', 'keepalive=1',
            'timeout=60s', 'read_timeout=60s'),
        $t->hook(none => $r->url('/none'), 'keepalive=0'));
    $t->start;

    $t->create, $t->wait_settled('one') for 1 .. 5;
    my @got = $r->requests(url => '/one');
    my %conns = map { $_->{conn} => 1 } @got;
    is(scalar @got, 5, 'keep-alive: five deliveries');
    is(keys %conns, 1, 'keep-alive: on one connection');
    is(header($got[0], 'connection'), 'keep-alive', 'keep-alive: it says so');

    @got = $t->wait_settled('none') ? $r->requests(url => '/none') : ();
    %conns = map { $_->{conn} => 1 } @got;
    is(scalar @got, 5, 'keepalive=0: five deliveries');
    is(keys %conns, 5, 'keepalive=0: on five connections');
    is(header($got[0], 'connection'), 'close', 'keepalive=0: it says so');

    # closed by the receiver while nobody uses it
    my $mark = $r->mark;
    $r->drop;
    ok($r->wait_rows(1, 'close', $mark), 'keep-alive: closed');
    $t->create;
    ok($t->wait_settled, 'keep-alive: and the next one arrives');
    is(scalar(my @six = $r->requests(url => '/one')), 6,
        'keep-alive: once');
    is((grep { ($_->{outcome} // '') ne 'delivered' } $t->attempts('one')), 0,
        'keep-alive: no attempt has failed for that');

    # answered, then closed at once: the answer counts
    $r->plan({ then => 'close' });
    $t->create for 1 .. 5;
    ok($t->wait_settled, 'closing: all arrive');
    is((grep { ($_->{outcome} // '') ne 'delivered' } $t->attempts('one')), 0,
        'closing: at the first attempt');
    $r->plan;

    # as many at a time as are allowed, and no more
    $r->plan({ match => { url => '^/three' }, hold => 'gate' });
    $mark = $r->mark;
    $t->create_many(10);
    ok($r->wait_held('gate', 3), 'concurrency: three are under way');
    ok($t->wait_settled('one'), 'concurrency: another endpoint goes on');
    is($r->state->{held}{gate}, 3, 'concurrency: still three');
    $r->release('gate');
    ok($t->wait_settled, 'concurrency: then all');
    is(scalar(my @ten = $r->requests(url => '/three', from => $mark)), 10,
        'concurrency: each once');
    ok(wait_until(sub { $r->state->{open} <= 2 }, 10 * slow()),
        'concurrency: one idle connection is kept');

    # a long body
    my $note = join "\n", map { "line $_ \x{e9}\x{20ac}\x{1f600}" } 1 .. 2500;
    my $long = $t->create(data => { note => $note });
    ok($t->wait_settled, 'long: delivered');
    my ($whole) = grep { $_->{lead} eq $long }
        $r->requests(url => '/one');
    ok(data($whole)->{data}{data}{note} eq $note, 'long: as it was sent');
    ok(signed($whole), 'long: signed');

    # idle connections go with the worker
    my ($pid) = $t->workers;
    ok($t->reload, 'exit: a reload');
    ok(wait_until(sub { !alive($pid) }, 10 * slow()),
        'exit: idle connections do not keep a worker');
    $t->create;
    ok($t->wait_settled, 'exit: the new one delivers');
    $t->check_end('connections: a clean end');
}


# ---- a retry is the same event at another time

{
    my $t = Test::Lead::Webhook->new;
    my $r = $t->receiver;

    $t->configure(hooks => $t->hook(crm => $r->url('/crm')),
        schedule => '0 1100ms 1100ms');
    $t->start;
    $r->plan({ status => 500, times => 1 }, { status => 503, times => 1 });
    $t->create;
    ok($t->wait_settled, 'retry: delivered at last');

    my @got = $r->requests;
    is(scalar @got, 3, 'retry: three attempts');
    my %ids = map { header($_, 'webhook-id') => 1 } @got;
    is(keys %ids, 1, 'retry: one id');
    my %bodies = map { $_->{body} => 1 } @got;
    is(keys %bodies, 1, 'retry: one body');
    my @times = map { header($_, 'webhook-timestamp') } @got;
    ok($times[0] < $times[1] && $times[1] < $times[2],
        'retry: each with its own time') or diag("@times");
    is((grep { !signed($_) } @got), 0, 'retry: each signed for it');
    is_deeply([map { $_->{status} } $t->attempts('crm')], [200, 503, 500],
        'retry: the log has them all');
    $t->check_end('retry: a clean end');
}


# ---- IPv6

SKIP: {
    my $six = IO::Socket::IP->new(LocalHost => '::1', Listen => 1)
        or skip 'no IPv6 here', 4;
    close $six;

    my $t = Test::Lead::Webhook->new;
    my $r = $t->receiver(host => '::1');

    $t->configure(hooks => $t->hook(six => $r->url('/six')));
    $t->start;
    $t->create;
    ok($t->wait_settled, 'IPv6: delivered');

    my ($request) = $r->requests(url => '/six');
    is(header($request, 'host'), '[::1]:' . $r->port, 'IPv6: the host');
    ok(signed($request), 'IPv6: signed');
    $t->check_end('IPv6: a clean end');
}


# ---- what nginx -T shows

{
    my $t = Test::Lead::Webhook->new;
    my $file = $t->write_file('secret', "$Old\n");
    my $out = $t->path('dump');

    $t->write_file('token', 'of-a-file');
    $t->configure(hooks => $t->hook(crm => 'http://127.0.0.1:9/',
        "secret_file=$file", 'header_file=X-Token:token'));
    is(run_program([$t->command, '-T'], stdout => $out, stderr => $out,
        env => nginx_env()), 0, 'dump: nginx -T');
    like(read_file($out), qr/webhook crm/, 'dump: shows the webhook');
    unlike(read_file($out), qr/\Q$Old\E|of-a-file/,
        'dump: but not what is in files');
}


# ---- the receiver of make run

{
    my $t = Test::Lead::Webhook->new;
    my $file = $t->write_file('secret', "$Old\n");
    my $out = $t->path('receiver.out');
    my $port = $t->port(2);

    $t->configure(hooks => $t->hook(good => "http://127.0.0.1:$port/hook",
        "secret_file=$file") . $t->hook(bad => "http://127.0.0.1:$port/bad"));

    my $pid = spawn(["$FindBin::Bin/../tools/receiver", $port, $file],
        stdout => $out, stderr => "$out.err");
    ok(wait_until(sub { IO::Socket::IP->new(PeerHost => '127.0.0.1',
        PeerPort => $port) }, 20 * slow()), 'demo: it listens');

    $t->start;
    my $id = $t->create;

    ok($t->wait_settled('good'), 'demo: delivered');
    ok(wait_until(sub {
        my $text = read_file($out) // '';
        return $text =~ /signature ok/ && $text =~ /signature is wrong/;
    }, 20 * slow()), 'demo: it prints both')
        or diag(read_file($out), read_file("$out.err"));
    like(read_file($out),
        qr/lead\.created  webhook-id \S+  signature ok\n.*"id" : "$id"/s,
        'demo: the event and the lead');
    is(($t->wait_attempts('bad', 1))[0]{status}, 401,
        'demo: what is signed otherwise is refused');
    stop_pid($pid, TERM => 5, KILL => 5);
    $t->check_end('demo: a clean end');
}


done_testing();
