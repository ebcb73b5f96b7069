# Copyright (C) the ngx_lead authors
#
# Damage in the outbox of a live store: what cannot be read, or settled, is
# said, and stops nothing but itself.

use strict;
use warnings;

use FindBin ();
use Test::More;

use lib "$FindBin::Bin/lib";
use Test::Lead qw(wait_until);
use Test::Lead::Fault ();
use Test::Lead::Process qw(alive slow);
use Test::Lead::Webhook qw(all_arrived once);

my $Plant = Test::Lead::Fault::build('plant', '-llmdb');


sub damage {
    my ($t, $what) = @_;

    return system($Plant, $what, $t->dir . '/store/lead.mdb') == 0;
}


sub counts {
    my ($t, $name) = @_;

    my $row = $t->endpoint($name);

    return join ' ', @{$row}{qw(pending failed delivered)};
}


# ---- a row is damaged while its delivery is under way: of those that end at
# the same time, only it cannot be settled

{
    my $t = Test::Lead::Webhook->new;
    my $r = $t->receiver;

    $t->configure(hooks => $t->hook(crm => $r->url('/crm'), 'concurrency=4',
            qw(timeout=60s read_timeout=60s))
        . $t->hook(other => $r->url('/other')));
    $r->plan({ match => { url => '^/crm' }, hold => 'gate' });
    $t->start;

    my @leads = map { $t->create } 1 .. 10;
    ok($r->wait_held('gate', 4), 'row: four are under way');
    ok($t->wait_settled('other'), 'row: another endpoint has all');
    ok(damage($t, 'outbox'), 'row: the first is damaged');
    $t->allow(qr/an attempt of event \d+ cannot be settled/);

    $r->release('gate');
    ok($t->wait_ctl(sub { counts($t, 'crm') eq '1 0 9' }),
        'row: all others are settled') or diag(counts($t, 'crm'));
    ok($t->wait_for_log(qr/\[alert\].*attempt of event \d+ cannot be settled/),
        'row: the log tells which');
    once('row', \@leads, $r->requests(url => '/crm'));

    # behind it, the same worker goes on; and the next one
    my $mark = $r->mark;
    my @more = map { $t->create } 1 .. 5;
    ok($t->wait_ctl(sub { counts($t, 'crm') eq '1 0 14' }),
        'row: those behind it are delivered');

    my ($old) = $t->workers;
    ok($t->reload, 'row: a reload');
    ok(wait_until(sub { !alive($old) }, 20 * slow()),
        'row: the old worker leaves');
    push @more, map { $t->create } 1 .. 5;
    ok($t->wait_ctl(sub { counts($t, 'crm') eq '1 0 19' }),
        'row: by the next worker, too');
    ok($t->wait_for_log(qr/reading the outbox in .* corrupt/),
        'row: which says what it cannot read');
    once('row, then', \@more, $r->requests(url => '/crm', from => $mark));
    ok($t->wait_settled('other'), 'row: the other endpoint has all');
    once('row, other', [@leads, @more], $r->requests(url => '/other'));

    # a worker that leaves with such an attempt settles the others
    $mark = $r->mark;
    $r->plan({ match => { url => '^/crm' }, hold => 'gate2' });
    @more = map { $t->create } 1 .. 4;
    ok($r->wait_held('gate2', 4), 'leaving: four are under way');
    kill QUIT => $t->master;
    ok($t->wait_for_log(qr/gracefully shutting down/), 'leaving: on the way');
    $r->plan;
    $r->release('gate2');
    ok(wait_until(sub { !alive($t->master) }, 20 * slow()), 'leaving: gone');
    is(counts($t, 'crm'), '1 0 23', 'leaving: with all settled');

    my ($code, $out) = $t->leadctl('--store', $t->dir . '/store', 'check');
    isnt($code, 0, 'row: leadctl check finds it');
    like($out, qr/outbox row/, 'row: and says what it is');
    $t->check_end('row: a clean end');
}


# ---- an event is no more: its row is given up, and the endpoint has not failed

{
    my $t = Test::Lead::Webhook->new;
    my $r = $t->receiver;

    $t->configure(hooks => $t->hook(crm => $r->url('/crm')));
    $t->start;
    $t->ctl(qw(webhook disable crm --account acme));
    ok($t->reload, 'event: who sends knows that it is disabled');

    $t->create;
    ok(damage($t, 'events'), 'event: it is gone');
    $t->ctl(qw(webhook enable crm --account acme));

    ok($t->wait_ctl(sub { counts($t, 'crm') eq '0 1 0' }),
        'event: its row is given up');
    is($t->endpoint('crm')->{failing_since}, undef,
        'event: the endpoint has not failed');
    is(($t->attempts('crm'))[0]{outcome}, 'given_up', 'event: the log has it');

    my $lead = $t->create;
    ok($t->wait_settled, 'event: the next one is delivered');
    once('event', [$lead], $r->requests);
    $t->check_end('event: a clean end');
}


# ---- a bound of what is read ahead, in bytes: of large rows few are in memory
# when all events go, which those can do without

{
    my $t = Test::Lead::Webhook->new;
    my $r = $t->receiver(brief => 1);

    $t->configure(hooks => $t->hook(crm => $r->url('/crm'), 'concurrency=1',
        qw(timeout=60s read_timeout=60s)));
    $r->plan({ hold => 'gate' });
    $t->start;
    $t->ctl(qw(webhook disable crm --account acme));
    ok($t->reload, 'large: who sends knows that it is disabled');

    for (1 .. 30) {
        my $res = $t->http('POST', '/v2/100',
            ['Content-Type', 'application/json'],
            qq({"email":"large$_\@example.com","text":") . 'x' x 250000 . '"}');
        is($res->{status}, 200, 'large: a lead') if $res->{status} != 200;
    }

    $t->ctl(qw(webhook enable crm --account acme));
    ok($r->wait_held('gate'), 'large: a delivery is under way');
    ok(damage($t, 'events'), 'large: all events are gone');
    $r->release('gate');
    ok($t->wait_settled, 'large: nothing waits any more');

    my $row = $t->endpoint('crm');
    is($row->{delivered} + $row->{failed}, 30, 'large: none is missing');
    cmp_ok($row->{delivered}, '>=', 2, 'large: some were read ahead');
    cmp_ok($row->{delivered}, '<=', 6, 'large: of a megabyte or so');
    $t->check_end('large: a clean end');
}


done_testing();
