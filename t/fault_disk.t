# Copyright (C) the ngx_lead authors
#
# The disk fails, or is full: at each write and sync of a commit, for once and
# for good, in ways a library makes up, and in the way of a real file system
# without room.  Who is in the middle of it gets 503, nothing that was
# acknowledged is lost, and nginx goes on by itself when the disk does.

use strict;
use warnings;

use Errno qw(EDQUOT EIO ENOSPC);
use FindBin ();
use Test::More;

use lib "$FindBin::Bin/lib";
use Test::Lead qw(wait_until);
use Test::Lead::Process qw(slow);
use Test::Lead::Fault ();
use Test::Lead::Holder ();
use Test::Lead::Mount ();

Test::Lead::Mount::private();

my @Dialects = @Test::Lead::Fault::Dialects;


# how many leads have an e-mail address

sub leads_of {
    my ($t, $email) = @_;

    my %leads = $t->leads;

    return scalar grep { ($_->{document}{email} // '') eq $email }
        values %leads;
}


# ---- each step of a commit, one after the other, fails once

for my $way (['i/o error', EIO], ['no space', ENOSPC], ['short', 0]) {
    my ($name, $err) = @$way;
    my $t = Test::Lead::Fault->new(fault => 1)->start;
    my (@emails, $n);

    $t->create($_) for @Dialects;

    for ($n = 1; $n < 50; $n++) {
        my $dialect = $Dialects[$n % @Dialects];
        my @same = (email => "n$n\@example.com", key => "n$n");

        $t->fail_disk(from => $n, err => $err);
        my $res = $t->create($dialect, @same);
        my $hit = $t->disk_hits;
        $t->calm;

        last if !$hit;

        is(Test::Lead::Fault::wrong($res, $dialect), '',
            "$name: $dialect is told that step $n failed");
        $t->unaffected("$name, step $n");
        $t->recovers($dialect, "$name, step $n", @same);
        push @emails, $same[1];
    }

    cmp_ok(--$n, '>=', 4, "$name: a create has several steps ($n)");
    is_deeply([map { leads_of($t, $_) } @emails], [(1) x @emails],
        "$name: each has one lead");
    $t->finish($name);
}


# ---- it fails until further notice, and is read meanwhile

for my $way (['dead', EIO], ['over quota', EDQUOT]) {
    my ($name, $err) = @$way;
    my $t = Test::Lead::Fault->new(fault => 1, workers => 2)->start;
    my $lead = $t->create('lawfficient')->{headers}{'x-lead'};

    $t->fail_disk(from => 1, to => 0, err => $err);
    $t->refused($_, $name) for @Dialects, @Dialects;

    my $res;
    ok(wait_until(sub {
        $res = $t->http('GET', "/law/leads/$lead",
            ['Authorization', "Bearer $t->{key}"]);
        return $res->{status} == 200;
    }, 10 * slow()), "$name: leads are shown all the same")
        or diag($res->{status});

    my ($failed) = map { $_->{commits}{failed} } $t->status;
    cmp_ok($failed, '>=', 10, "$name: the status page counts them");

    $t->calm;
    $t->recovers($_, $name) for @Dialects;
    $t->finish($name);
}


# ---- requests of all dialects at once, while it comes and goes

{
    my $t = Test::Lead::Fault->new(fault => 1, workers => 2)->start;
    my ($good, $bad, $other) = (0, 0, 0);

    for my $round (1 .. 6) {
        $t->fail_disk(from => 5 * $round, to => 5 * $round + 2, err => EIO);

        my @how = map { $Dialects[$_ % @Dialects] } 1 .. 60;
        my @answers = $t->parallel([map { $t->creation($_) } @how],
            concurrency => 8);
        $t->answered(@answers);

        for (0 .. $#how) {
            if (Test::Lead::Fault::made($answers[$_])) {
                $good++;
            } elsif (Test::Lead::Fault::wrong($answers[$_], $how[$_]) eq '') {
                $bad++;
            } else {
                $other++;
            }
        }
    }

    $t->calm;
    cmp_ok($good, '>', 0, "many: some have their leads ($good)");
    cmp_ok($bad, '>', 0, "many: some are told to come again ($bad)");
    is($other, 0, 'many: nobody is told anything else');
    $t->recovers('flextell', 'many');
    $t->finish('many');
}


# ---- a file system without room

SKIP: {
    my $mount = Test::Lead::Mount->new(size => '6m')
        or skip('mounts are not allowed here', 1);
    my $t = Test::Lead::Fault->new(store => $mount->dir . '/store',
        workers => 2)->start;

    $t->create($_) for @Dialects;
    $mount->fill;

    # pages of the store that are free are used first
    $t->exhausted($_, 'full') for @Dialects;
    like($t->log, qr/\[crit\].*the disk is full/, 'full: the log says why');

    # with reader slots nobody has had yet: a slot without room is a SIGBUS
    my $holder = Test::Lead::Holder->new($t->store, 80);
    is($holder->got, 80, 'full: many readers');
    my @lists = map { ['GET', '/law/leads', ['Authorization',
        "Bearer $t->{key}"]] } 1 .. 40;
    is(scalar(grep { ($_->{status} // 0) == 200 }
        $t->parallel(\@lists, concurrency => 20)), 40, 'full: and more');
    $holder->end;

    # new workers need nothing of the disk
    ok($t->reload, 'full: a reload');
    $t->exhausted('reflekt', 'full, reloaded');

    $mount->free;
    $t->recovers($_, 'full') for @Dialects;
    $t->finish('full', restarted => 1);
}


# ---- a file system that cannot be written to

SKIP: {
    my $mount = Test::Lead::Mount->new(size => '6m')
        or skip('mounts are not allowed here', 1);
    my $store = $mount->dir . '/store';
    my $t = Test::Lead::Fault->new(store => $store)->start;

    $t->create($_) for @Dialects;
    $t->quit;

    $mount->remount('ro');
    $t->start;
    $t->refused($_, 'read-only') for @Dialects;
    ok($t->wait_for_log(qr/\[crit\].*(?:Read-only|read-only)/, 5 * slow()),
        'read-only: the log says why');
    like(($t->leadctl('--store', $store, qw(key add --account acme)))[2],
        qr/: Read-only file system\n\z/,
        'read-only: so does leadctl, and nothing else');

    $mount->remount('rw');
    $t->recovers($_, 'read-only') for @Dialects;
    $t->finish('read-only');
}


done_testing();
