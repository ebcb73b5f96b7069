# Copyright (C) the ngx_lead authors
#
# Webhooks that wait: for a receiver that is dead, one that is slow, and one
# that the configuration has no longer.  Nothing is lost, nobody else waits,
# and memory stays as it is.

use strict;
use warnings;

use FindBin ();
use Test::More;

use lib "$FindBin::Bin/lib";
use Test::Lead qw(wait_until);
use Test::Lead::Process qw(read_file slow);
use Test::Lead::Webhook qw(all_arrived once);

# of what is held by a test for as long as that takes
my @Patient = qw(timeout=60s read_timeout=60s);


# ---- an endpoint that the configuration has no longer

{
    my $t = Test::Lead::Webhook->new;
    my $r = $t->receiver;
    my $hook = $t->hook(crm => $r->url('/crm'));
    my $other = $t->hook(other => $r->url('/other'));

    $t->configure(schedule => '0 1h', hooks => $hook . $other);
    $r->stop;
    $t->start;
    my @leads = map { $t->create } 1 .. 3;
    is(scalar(my @tried = $t->wait_attempts('crm', 3)), 3,
        'removed: three have failed');

    $t->configure(schedule => '0 1h', hooks => $other);
    ok($t->reload, 'removed: from the configuration');
    $r->start;
    is($t->endpoint('crm')->{pending}, 3, 'removed: its rows are counted');
    is(scalar(my @rows = $t->rows('crm')), 3, 'removed: and shown');
    $t->again(qw(crm other));
    my $new = $t->create;
    ok($t->wait_settled('other'), 'removed: others go on');
    once('removed, elsewhere', [@leads, $new], $r->requests(url => '/other'));
    is(scalar(my @none = $r->requests(url => '/crm')), 0,
        'removed: nothing is sent to it');

    $t->configure(schedule => '0 1h', hooks => $other . $hook);
    ok($t->reload, 'removed: it is back');
    ok($t->wait_settled('crm'), 'removed: and its rows are delivered');
    once('removed', \@leads, $r->requests(url => '/crm'));
    $t->sound('removed');
    $t->check_end('removed: a clean end');
}


# ---- a receiver is dead for long; another one is slow

# kilobytes of a process' own, without the store's map

sub memory {
    my ($pid) = @_;

    return (read_file("/proc/$pid/status") // '') =~ /^RssAnon:\s+(\d+)/m
        ? $1 : die "no memory of $pid\n";
}


{
    my $t = Test::Lead::Webhook->new;
    my $r = $t->receiver(brief => 1);
    my $dead = $t->receiver(brief => 1);

    $dead->stop;
    $t->configure(schedule => '0 1h', hooks => join '',
        $t->hook(dead => $dead->url('/dead')),
        $t->hook(slow => $r->url('/slow'), @Patient),
        $t->hook(fast => $r->url('/fast')));
    $r->plan({ match => { url => '^/slow' }, hold => 'gate' });
    $t->start;

    my ($pid) = $t->workers;
    my %large = (data => { note => 'n' x 4000 });
    my @leads = $t->create_many(200, %large);
    my $before = memory($pid);

    push @leads, $t->create_many(600, %large) for 1 .. 3;
    is(scalar @leads, 2000, 'backlog: two thousand leads are answered');
    ok($t->wait_settled('fast'), 'backlog: a fast endpoint has them all');
    once('backlog, fast', \@leads, $r->requests(url => '/fast'));

    ok(wait_until(sub { $t->status->{webhooks}{retried} >= 2000 },
        60 * slow()), 'backlog: so many attempts have failed');
    ok($t->wait_ctl(sub {
        my @rows = $t->rows('dead');
        return @rows == 2000 && !grep { !$_->{attempts} } @rows;
    }), 'backlog: each row of the dead one has been tried');
    is($t->endpoint('slow')->{pending}, 2000,
        'backlog: the slow one has yet to answer');

    # memory of sanitizers is their own
    cmp_ok(memory($pid) - $before, '<', 8000, 'backlog: without much memory')
        if slow() == 1;

    $dead->start;
    $r->plan;
    $r->release('gate');
    $t->again(qw(dead slow));
    ok($t->wait_settled, 'backlog: alive again, all is delivered');
    once('backlog, dead', \@leads, $dead->requests(url => '/dead'));
    all_arrived('backlog, slow', \@leads, $r->requests(url => '/slow'));

    cmp_ok(memory($pid) - $before, '<', 8000, 'backlog: nor later')
        if slow() == 1;
    is_deeply([$t->workers], [$pid], 'backlog: by the one worker');
    is($t->status->{store}{outbox}, 0, 'backlog: the outbox is empty');
    $t->sound('backlog');
    $t->check_end('backlog: a clean end');
}


done_testing();
