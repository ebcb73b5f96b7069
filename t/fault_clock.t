# Copyright (C) the ngx_lead authors
#
# The clock is set, forth and back, by days, while nginx runs and across its
# starts.  Ids and numbers of leads rise all the same, no Idempotency-Key is
# forgotten too early, webhooks are delivered, and no worker waits for a time
# that does not come.

use strict;
use warnings;

use Errno qw(EIO);
use FindBin ();
use JSON::PP ();
use Test::More;

use lib "$FindBin::Bin/lib";
use Test::Lead qw(wait_until);
use Test::Lead::Process qw(slow);
use Test::Lead::Fault ();
use Test::Lead::Receiver ();
use Test::Lead::Webhook ();

my @Dialects = @Test::Lead::Fault::Dialects;
my $Json = JSON::PP->new->utf8;
my $Day = 86400;

my $t = Test::Lead::Fault->new(fault => 1, workers => 2,
    http => 'lead_webhook_allow 127.0.0.0/8; %%HOOKS%%');
my $receiver = Test::Lead::Receiver->new(dir => $t->dir);

$t->write_conf($t->{conf} =~ s/%%HOOKS%%/lead_webhook_schedule 0@{[ ' 2s' x 30 ]};/r
    =~ s/^\s+access_log.*\n//mr =~ s/^\s+\w+_temp_path.*\n//mgr
    =~ s/(entity solar)/webhook crm @{[ $receiver->url('\/hook') ]}
        concurrency=1
        secret=$Test::Lead::Webhook::Secret;\n\n        $1/r);
$t->start;

my (%of, @order);


# a person's own, at a time

sub same {
    my ($when, $dialect) = @_;

    return (key => "$when-$dialect",
        email => "$when$dialect" =~ s/\W/-/gr . '@example.com');
}


# a lead by each dialect, each with a key of its own

sub create_all {
    my ($when) = @_;

    for my $dialect (@Dialects) {
        my $res = $t->create($dialect, same($when, $dialect));

        ok(Test::Lead::Fault::made($res), "$when: $dialect takes a lead")
            or diag("$res->{status} $res->{body}");
        $of{$when}{$dialect} = $res->{headers}{'x-lead'};
        push @order, $res->{headers}{'x-lead'};
    }
}


sub repeat_all {
    my ($when, $then) = @_;

    for my $dialect (@Dialects) {
        my $res = $t->create($dialect, same($then, $dialect));

        is($res->{headers}{'x-lead'}, $of{$then}{$dialect},
            "$when: $dialect knows the key of $then");
    }
}


sub delivered {
    my ($when, @from) = @_;

    my %want = map { $_ => 1 } values %{ $of{$when} };

    my $done = wait_until(sub {
        delete $want{ $_->{lead} // ''}
            for $receiver->requests(url => '/hook', @from);
        return !%want;
    }, 20 * slow());

    ok($done, "$when: its leads are delivered")
        or diag(scalar(keys %want), ' are not');
}


# ---- forth, and back beyond the beginning, and to the truth

create_all('before');
delivered('before');

for my $step (['+3 days', 3], ['-2 days', -2], ['+1 day', 1], ['now', 0]) {
    my ($when, $days) = @$step;
    my @earlier = sort keys %of;

    $t->step_clock($days * $Day);
    create_all($when);
    repeat_all($when, $when);
    delivered($when);

    # but what is older than a day may be forgotten where time goes forth
    repeat_all($when, $_) for $days < 0 ? @earlier : ();

    $t->unaffected($when);
}

is_deeply(\@order, [sort @order], 'ids rise whatever the clock says');

my %leads = $t->leads;
my @numbers = map { $leads{$_}{number} } @order;
is_deeply(\@numbers, [sort { $a <=> $b } @numbers], 'and so do numbers');


# ---- a key ends when its time has come, for workers that have known it, too

{
    my $key = $t->ctl(qw(key add --account acme --scope),
        'leads:read,leads:write', qw(--expires 2d)) =~ s/\n\z//r;
    my %refused = (kickofflabs => 409);

    for my $step ([0, 1], [1, 1], [3, 0], [-2, 1], [3, 0], [0, 1]) {
        my ($days, $good) = @$step;

        $t->step_clock($days * $Day);
        local $t->{key} = $key;

        for my $dialect (@Dialects) {
            my $res = $t->create($dialect);

            is(Test::Lead::Fault::made($res) ? 1 : $res->{status},
                $good ? 1 : $refused{$dialect} // 401,
                "$days days: a key of two days, $dialect");
        }
    }
}


# ---- what was not delivered when the clock was ahead waits until then, or for
# leadctl

for my $what ('not tried', 'failed') {
    my $when = "ahead, $what";

    $t->step_clock(3 * $Day);
    $receiver->plan($what eq 'failed' ? { status => 500 }
        : { hold => 'gate', times => 1 });
    create_all($when);
    ok($what eq 'failed' ? $receiver->wait_for(5, from => $receiver->mark)
        : $receiver->wait_held('gate'), "$when: deliveries wait");

    $t->step_clock(0);
    my $mark = $receiver->mark;
    $receiver->plan;
    $receiver->release('gate');
    $t->ctl(qw(webhook enable --account acme crm));
    delivered($when, $what eq 'failed' ? (from => $mark) : ());
}


# ---- nginx comes again when it is earlier

$t->step_clock(-5 * $Day);
$t->quit;
$t->start;
create_all('-5 days');
repeat_all('-5 days', 'now');
delivered('-5 days');
is_deeply(\@order, [sort @order], 'restarted: ids rise');


# ---- the log is loud when a minute is over, and not when the clock says so

$t->fail_disk(from => 1, to => 0, err => EIO);
$t->refused('flextell', 'failing');
$t->step_clock(5 * $Day);
$t->refused('flextell', 'failing in ten days');
$t->step_clock(-5 * $Day);
$t->refused('flextell', 'failing ten days ago');
$t->calm;
$t->recovers($_, 'failed') for @Dialects;

my %crit;
$crit{$_}++ for $t->log =~ /\[crit\] (\d+)#.* lead:/g;
ok(!grep({ $_ > 1 } values %crit), 'failing: each worker is loud once')
    or diag(grep { /\[crit\]/ } split /^/, $t->log);

$t->step_clock(0);
$t->recovers($_, 'in the end') for @Dialects;
$t->finish('clock', restarted => 1, silent => 'maybe');

done_testing();
