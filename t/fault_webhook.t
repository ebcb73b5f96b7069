# Copyright (C) the ngx_lead authors
#
# Deliveries while the disk or the network fails: what was sent and cannot be
# settled is sent again later at worst, takes little memory, keeps no worker
# busy and none from leaving; what cannot be sent waits for its next attempt.

use strict;
use warnings;

use Errno qw(EADDRNOTAVAIL EAFNOSUPPORT ECONNRESET EHOSTUNREACH EMFILE
    ENETUNREACH ENOSPC ETIMEDOUT);
use FindBin ();
use Socket qw(AF_INET AF_INET6);
use Test::More;
use Time::HiRes qw(time);

use lib "$FindBin::Bin/lib";
use Test::Lead qw(wait_until);
use Test::Lead::Dns ();
use Test::Lead::Fault ();
use Test::Lead::Holder ();
use Test::Lead::Process qw(alive read_file slow);
use Test::Lead::Webhook qw(all_arrived once);

@Faulty::ISA = qw(Test::Lead::Webhook Test::Lead::Fault);

my @Patient = qw(timeout=60s read_timeout=60s);

Test::Lead::Fault::prepare();


# kilobytes of a process' own, without the store's map

sub memory {
    my ($pid) = @_;

    return (read_file("/proc/$pid/status") // '') =~ /^RssAnon:\s+(\d+)/m
        ? $1 : die "no memory of $pid\n";
}


sub sign_ups {
    my ($t, $n) = @_;

    for (1 .. $n) {
        my $res = $t->http('POST', '/v2/100',
            ['Content-Type', 'application/json'],
            qq({"email":"large$_\@example.com","text":") . 'x' x 250000 . '"}');

        die "no sign-up: $res->{status}\n" if $res->{status} != 200;
    }
}


# times its event loop has waited, or was made to

sub switches {
    my ($pid) = @_;
    my ($one, $two) = (read_file("/proc/$pid/status") // '')
        =~ /ctxt_switches:\s+(\d+)/g;

    return $one + $two;
}


# times something of the outbox has failed

sub failures {
    my ($t, $what) = @_;

    return scalar(() = $t->log =~ /lead: $what/g);
}


# ---- large leads, one at a time; the disk fails, a lease cannot be renewed

{
    my $t = Faulty->new;
    my $r = $t->receiver(brief => 1);
    my %crm = (match => { url => '^/crm' });

    $t->configure(hooks => $t->hook(crm => $r->url('/crm'), 'concurrency=1',
        @Patient));
    $r->plan({ %crm, hold => 'gate' });
    $t->start;

    my ($pid) = $t->workers;
    $t->create;
    ok($r->wait_held('gate'), 'disk: a delivery is under way');

    # 30 MB
    sign_ups($t, 120);
    is($t->endpoint('crm')->{pending}, 121, 'disk: others wait');

    my $before = memory($pid);
    $t->fail_disk(from => 1, to => 0, err => ENOSPC);
    $r->plan({ %crm, times => 110 }, { %crm, hold => 'later' });
    $r->release('gate');
    ok($r->wait_held('later'), 'disk: it is full, and most are sent');
    is(scalar(my @none = grep { $_->{state} ne 'enabled' }
        $t->json(qw(webhook list))), 0, 'disk: the store can be read');
    is($t->endpoint('crm')->{pending}, 121, 'disk: none of them is settled');
    cmp_ok(memory($pid) - $before, '<', 12000,
        'disk: what was sent is not kept');

    # the lease has an end in sight
    $t->step_clock(100);
    $r->release('later');
    ok($t->wait_for_log(qr/reading the outbox/, 20 * slow()),
        'disk: the lease cannot be renewed');

    my ($began, $had) = (time, failures($t, 'reading the outbox'));
    ok(wait_until(sub { failures($t, 'reading the outbox') >= $had + 4 }, 20 * slow()),
        'disk: which is tried again');
    cmp_ok(time - $began, '>=', 2, 'disk: now and then');
    cmp_ok(failures($t, 'reading the outbox'), '<=', $had + 4 + 2 * (time - $began),
        'disk: and no more often');

    # it leaves all the same
    kill QUIT => $t->master;
    ok(wait_until(sub { !alive($t->master) }, 20 * slow()),
        'disk: a worker leaves in time');

    $t->calm;
    $t->step_clock(0);
    $r->plan;
    $t->start;
    ok($t->wait_settled, 'disk: there is room, and all is delivered');
    my %leads = map { $_->{lead} => 1 } $r->requests;
    is(keys %leads, 121, 'disk: all of them');
    $t->sound('disk');
    $t->check_end('disk: a clean end');
}


# ---- a lease that cannot be renewed as its endpoint can be read no more

{
    my $t = Faulty->new;
    my $r = $t->receiver;
    my $plant = Test::Lead::Fault::build('plant', '-llmdb');

    $t->configure(hooks => $t->hook(crm => $r->url('/crm'), 'concurrency=1',
        @Patient));
    $r->plan({ hold => 'gate' });
    $t->start;

    my ($pid) = $t->workers;
    $t->create for 1 .. 5;
    ok($r->wait_held('gate'), 'damage: a delivery is under way');
    ok(system($plant, 'states', $t->dir . '/store/lead.mdb') == 0,
        'damage: the endpoint is damaged');
    $t->allow(qr/lead: (?:settling|reading|looking).* corrupt|cannot be settled/);

    # the lease has an end in sight
    $t->step_clock(100);
    $r->release('gate');
    ok($t->wait_for_log(qr/reading the outbox in .* corrupt/, 20 * slow()),
        'damage: the lease cannot be renewed');

    my ($had, $looks) = (switches($pid), failures($t, 'looking for'));
    ok(wait_until(sub { failures($t, 'looking for') >= $looks + 3 }, 20 * slow()),
        'damage: it is looked at now and then');
    cmp_ok(switches($pid) - $had, '<', 300,
        'damage: which keeps no worker busy');

    $t->step_clock(0);
    $t->check_end('damage: a clean end');
}


# ---- one of several can never be settled, and the others not yet

{
    my $t = Faulty->new;
    my $r = $t->receiver;
    my $plant = Test::Lead::Fault::build('plant', '-llmdb');

    $t->configure(hooks => $t->hook(crm => $r->url('/crm'), 'concurrency=4',
        @Patient));
    $r->plan({ hold => 'gate' });
    $t->start;

    my @leads = map { $t->create } 1 .. 4;
    ok($r->wait_held('gate', 4), 'one: deliveries are under way');
    ok(system($plant, 'outbox', $t->dir . '/store/lead.mdb') == 0,
        'one: a row is damaged');
    $t->allow(qr/settling deliveries.* corrupt|cannot be settled/);
    $t->fail_disk(from => 1, to => 0, err => ENOSPC);
    $r->release('gate');
    ok($t->wait_for_log(qr/settling deliveries in .* corrupt/, 20 * slow()),
        'one: it cannot be settled');

    my $had = failures($t, 'settling');
    my $began = time;
    ok(wait_until(sub { failures($t, 'settling') >= $had + 6 }, 20 * slow()),
        'one: the others are tried again');
    cmp_ok(time - $began, '>=', 2, 'one: now and then');

    $t->calm;
    ok($t->wait_ctl(sub { $t->endpoint('crm')->{delivered} == 3 }),
        'one: and settled, when they can be');
    once('one', \@leads, $r->requests);
    $t->check_end('one: a clean end');
}


# ---- a reload while what was delivered cannot be settled

{
    my $t = Faulty->new(workers => 2);
    my $r = $t->receiver;

    $t->configure(hooks => $t->hook(crm => $r->url('/crm'), @Patient));
    $r->plan({ hold => 'gate' });
    $t->start;

    my @old = $t->workers;
    my @leads = map { $t->create } 1 .. 5;
    ok($r->wait_held('gate', 5), 'reload: deliveries are under way');

    $t->fail_disk(from => 1, to => 0, err => ENOSPC);
    $r->plan;
    $r->release('gate');
    ok($t->wait_for_log(qr/settling deliveries/, 20 * slow()),
        'reload: they cannot be settled');
    ok($t->reload, 'reload: done');
    ok(wait_until(sub { !grep { alive($_) } @old }, 20 * slow()),
        'reload: the old workers leave in time');

    $t->calm;
    ok($t->wait_settled, 'reload: all is settled in the end');
    all_arrived('reload', \@leads, $r->requests);
    $t->sound('reload');
    $t->check_end('reload: a clean end');
}


# ---- the last batch of a worker that leaves fails, and is settled once more

{
    my $t = Faulty->new;
    my $r = $t->receiver;

    $t->configure(hooks => $t->hook(crm => $r->url('/crm'), @Patient));
    $r->plan({ hold => 'gate' });
    $t->start;

    my @leads = map { $t->create } 1 .. 3;
    ok($r->wait_held('gate', 3), 'the last: deliveries are under way');

    my $holder = Test::Lead::Holder->new($t->dir . '/store', 'write');
    kill QUIT => $t->master;
    ok($t->wait_for_log(qr/gracefully shutting down/),
        'the last: told to leave');
    $r->release('gate');
    ok($t->wait_for_log(qr/\d: exiting$/m, 20 * slow()),
        'the last: it waits for a thread, and that for the store');

    $t->fail_disk(from => 1, err => ENOSPC);
    $holder->end;
    ok(wait_until(sub { !alive($t->master) }, 20 * slow()), 'the last: gone');
    is($t->disk_hits, 1, 'the last: the disk has failed once');
    $t->calm;
    is_deeply([@{ $t->endpoint('crm') }{qw(pending delivered)}], [0, 3],
        'the last: all is settled');
    $t->sound('the last');
    $t->check_end('the last: a clean end');
}


# ---- a disk that fails for a moment doubles nothing

{
    my $t = Faulty->new;
    my $r = $t->receiver;

    $t->configure(hooks => $t->hook(crm => $r->url('/crm'), @Patient));
    $r->plan({ hold => 'gate' });
    $t->start;

    my @leads = map { $t->create } 1 .. 5;
    ok($r->wait_held('gate', 5), 'a moment: deliveries are under way');
    $t->fail_disk(from => 1, to => 0, err => ENOSPC);
    $r->plan;
    $r->release('gate');
    ok($t->wait_for_log(qr/settling deliveries/, 20 * slow()),
        'a moment: they cannot be settled');
    $t->calm;
    ok($t->wait_settled, 'a moment: now they are');
    once('a moment', \@leads, $r->requests);
    is(scalar(my @log = $t->attempts('crm')), 5,
        'a moment: each is logged once');
    $t->sound('a moment');
    $t->check_end('a moment: a clean end');
}


# ---- no connection, in all the ways connect() has; and no socket

{
    my $t = Faulty->new;
    my $r = $t->receiver(host => '127.0.0.2');
    my $dns = Test::Lead::Dns->new(dir => $t->dir);

    my @way = (
        [0, ENETUNREACH, qr/^the host cannot be reached\z/],
        [0, EHOSTUNREACH, qr/^the host cannot be reached\z/],
        [0, ECONNRESET, qr/^the connection was reset\z/],
        [0, ETIMEDOUT, qr/^no connection in time\z/],
        [0, EADDRNOTAVAIL, qr/^no connection could be made\z/],
        [AF_INET, EAFNOSUPPORT, qr/^the host cannot be reached\z/],
    );

    $dns->table('two.test' => { a => ['127.0.0.2'], aaaa => ['::1'] });

    $t->configure(schedule => '0 1h', http => 'resolver 127.0.0.1:'
        . $dns->port . ' ipv6=on;', hooks => join '',
        $t->hook(crm => $r->url('/crm'), 'keepalive=0',
            'events=lead.created'),
        $t->hook(six => 'http://[::1]:' . $r->port . '/six',
            'events=lead.assigned'),
        $t->hook(two => 'http://two.test:' . $r->port . '/two', 'keepalive=0',
            'events=lead.status_changed'));
    $t->start;
    $t->allow(qr/\[alert\].*socket\(\) failed/);

    my (@leads, $n);

    for my $way (@way) {
        my ($family, $err, $what) = @$way;

        $t->fail_network($family, $err);
        push @leads, $t->create;
        my ($last) = $t->wait_attempts('crm', ++$n);

        like($last->{error}, $what, "connect: $what");
        is($last->{outcome}, 'retry', "connect: $what, it is tried again");
    }

    # no file: that is our fault, and no attempt
    $t->fail_network(AF_INET, EMFILE);
    push @leads, $t->create;
    ok($t->wait_for_log(qr/event \d+ waits: no connection could be opened/),
        'socket: it waits for a file');
    is(scalar(my @log = $t->attempts('crm')), $n, 'socket: uncounted');
    $t->calm;
    $r->wait_for(1);
    $t->again('crm');
    ok($t->wait_settled('crm'), 'connect: it can be reached, all is sent');
    once('connect', \@leads, $r->requests(url => '/crm'));

    # a system without IPv6: a literal fails, a name has another address
    $t->fail_network(AF_INET6, EAFNOSUPPORT);
    $t->patch($leads[$_], status => 'won') for 0 .. 5;
    ok($t->wait_settled('two'), 'no IPv6: a name is reached by its IPv4');
    is(scalar(my @two = $r->requests(url => '/two')), 6, 'no IPv6: each time');

    $t->patch($leads[0],
        assignee_id => 'a1b2c3d4-0000-4000-8000-000000000000');
    my ($last) = $t->wait_attempts('six', 1);
    like($last->{error}, qr/^the host cannot be reached\z/,
        'no IPv6: an address cannot be reached');
    is($last->{outcome}, 'retry', 'no IPv6: it is tried again');

    $t->sound('connect');
    $t->check_end('connect: a clean end');
}


done_testing();
