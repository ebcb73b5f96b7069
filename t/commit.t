# Copyright (C) the ngx_lead authors
#
# What happens while leads are on their way to the disk: a gate (tools/gate.c)
# holds the commit at one of its steps, and then clients leave, nginx is
# reloaded, told to leave, or killed.  No wait here is for a time: each is for
# something to be seen.

use strict;
use warnings;

use FindBin ();
use IO::Select ();
use JSON::PP ();
use Test::More;

use lib "$FindBin::Bin/lib";
use Test::Lead qw(wait_until);
use Test::Lead::Fault ();
use Test::Lead::Process qw(alive bad_lines slow);

my $Json = JSON::PP->new->utf8->canonical;
my $Gate = Test::Lead::Fault::gate();
my $Key;


sub close_gate {
    my ($step) = @_;

    unlink "$Gate/$step.held";
    Test::Lead::Process::write_file("$Gate/$step", '');
}


# whom it held may be dead, and its mark still there

sub open_gate {
    unlink glob "$Gate/*";
}


# the worker that is held

sub held {
    my ($step) = @_;

    my $pid = wait_until(sub {
        (Test::Lead::Process::read_file("$Gate/$step.held") // '')
            =~ /^(\d+)\n/ ? $1 : 0;
    }, 10 * slow());

    return $pid // 0;
}


# options: workers, queue, main (lines at the top), pool, log_level

sub server {
    my (%opt) = @_;

    open_gate();

    my $pool = $opt{pool} ? "pool=$opt{pool}" : '';
    my $queue = $opt{queue} // 10000;

    my $t = Test::Lead->new(workers => $opt{workers} // 1,
        log_level => $opt{log_level} // 'info', globals => $opt{main},
        conf => <<"_EOC_");
http {
    lead_store  %%DIR%%/store size=64m $pool;
    lead_queue  $queue;

    lead_account acme {
        pipeline stage {
            stage new name=New default;
        }
    }

    server {
        listen 127.0.0.1:%%PORT%%;

        location /api/ { lead_api lawfficient; }
        location = /status { lead_status json; }
    }
}
_EOC_

    $t->start;

    my ($code, $out, $err) = $t->leadctl('--store', $t->dir . '/store',
        qw(key add --account acme));
    die "no key: $err\n" if $code != 0;

    chomp($Key = $out);

    return $t;
}


sub lead {
    my ($n) = @_;

    return $Json->encode({ first_name => 'Ada', last_name => "No $n",
        source => 'gate', email => 'ada@example.com' });
}


sub auth {
    return ['Authorization', "Bearer $Key", @_];
}


# a request on its way

sub create {
    my ($t, $n, @headers) = @_;

    return $t->send_request('POST', '/api/leads', auth(@headers), lead($n),
        timeout => 20 * slow()) // die "cannot connect: $!\n";
}


sub answer {
    my ($c) = @_;

    my $res = $c->response // { status => "none: $c->{error}", body => '{}' };

    # nginx waits some seconds for clients to close: not a test's concern
    $c->close;

    return $res;
}


sub id {
    my ($res) = @_;

    return eval { $Json->decode($res->{body})->{id} } // '';
}


sub statuses {
    my %n;

    $n{ $_->{status} }++ for @_;

    return \%n;
}


# GETs of it are not counted in it

sub status {
    my ($t) = @_;

    return $Json->decode($t->http('GET', '/status')->{body});
}


# a worker answers one request after the other, so that requests which are
# counted have been taken into the queue

sub taken {
    my ($t, $n) = @_;

    return wait_until(sub { status($t)->{requests}{total} >= $n },
        10 * slow());
}


sub silent {
    my ($t, $c) = @_;

    # an answer given too early is there once the worker has answered this
    status($t);

    return !IO::Select->new($c->{sock})->can_read(0);
}


# the leads of the store, as leadctl finds them

sub leads {
    my ($t) = @_;

    my ($code, $out, $err) = $t->leadctl('--store', $t->dir . '/store',
        qw(lead export --account acme));

    is($code, 0, 'leads are exported') or diag($err);

    return map { $Json->decode($_) } split /\n/, $out;
}


sub sound {
    my ($t, $name) = @_;

    my ($code, $out, $err) = $t->leadctl('--store', $t->dir . '/store',
        'check');

    is($code, 0, "$name: the store is sound") or diag($out, $err);
}


sub gone {
    my ($t, $status) = @_;

    return scalar grep { / $status \d+ "/ } split /^/,
        $t->read_file('access.log') // '';
}


# ---- no answer before the disk has it

{
    my $t = server();
    my $before = status($t)->{requests}{total};
    my @ids;

    for my $step (qw(pages sync meta done)) {
        close_gate($step);

        my $c = create($t, $step);

        ok(held($step), "$step: the commit comes to this step");
        ok(silent($t, $c), "$step: nothing is answered before it");

        is(scalar(leads($t)), scalar(@ids), "$step: nor shown to a reader");

        open_gate();

        my $res = answer($c);
        is($res->{status}, 201, "$step: then it is answered");
        push @ids, id($res);
    }

    is(status($t)->{requests}{total} - $before, 4, 'four requests');
    is_deeply([sort map { $_->{id} } leads($t)], [sort @ids],
        'the store has what was answered');
    sound($t, 'steps');
    $t->check_end('steps: a clean end');
}


# ---- those who wait go together

{
    my $t = server();

    close_gate('sync');
    my @c = create($t, 0);
    held('sync');

    push @c, map { create($t, $_) } 1 .. 50;
    ok(taken($t, 51), 'batch: 51 requests are taken in while one commits');
    is(status($t)->{commits}{total}, 0, 'batch: none is committed');

    open_gate();
    my @res = map { answer($_) } @c;

    is_deeply(statuses(@res), { 201 => 51 }, 'batch: all are answered 201');
    is(status($t)->{commits}{total}, 2, 'batch: in two commits');
    is(status($t)->{commits}{failed}, 0, 'batch: of which none failed');

    my %ids = map { id($_) => 1 } @res;
    my @leads = leads($t);
    my %numbers = map { $_->{number} => 1 } @leads;

    is(keys %ids, 51, 'batch: with different ids');
    is_deeply([sort keys %ids], [sort map { $_->{id} } @leads],
        'batch: the store has these leads');
    is(keys %numbers, 51, 'batch: with different numbers');
    sound($t, 'batch');
    $t->check_end('batch: a clean end');
}


# ---- a full queue says so at once

{
    my $t = server(queue => 5);

    close_gate('sync');
    my @c = create($t, 0);
    held('sync');

    push @c, map { create($t, $_) } 1 .. 5;
    ok(taken($t, 6), 'queue: as many wait as may');

    for (1 .. 3) {
        my $res = answer(create($t, 'beyond'));

        is($res->{status}, 503, 'queue: one more is refused while they wait');
        is($res->{headers}{'retry-after'}, 1, 'queue: with Retry-After');
        is_deeply(eval { $Json->decode($res->{body}) }, { error => {
                code => 'unavailable', message => 'Temporarily unavailable.'
            } }, 'queue: in the words of the dialect');
    }

    open_gate();
    is_deeply(statuses(map { answer($_) } @c), { 201 => 6 },
        'queue: those who wait are served');
    is(answer(create($t, 'after'))->{status}, 201, 'queue: and the next');
    is(scalar(leads($t)), 7, 'queue: no lead of a refused request');
    like($t->log, qr/\[error\].*the queue is full/, 'queue: the log says it');
    $t->check_end('queue: a clean end');
}


# ---- clients that do not wait

for my $level (qw(info debug)) {
    my $name = "gone ($level)";
    my $t = server(log_level => $level);

    close_gate('sync');
    my @held = create($t, 0);
    held('sync');

    my @c = map { create($t, $_) } 1 .. 20;
    taken($t, 21);

    # the one whose lead is being committed, and every other of the next batch
    $held[0]->abort;
    $_ % 4 ? $c[$_]->close : $c[$_]->abort for grep { $_ % 2 } 0 .. $#c;

    ok(wait_until(sub {
        11 <= (() = $t->log =~ /client prematurely closed connection/g);
    }, 10 * slow()), "$name: nginx sees 11 of 21 clients leave");

    is(gone($t, 499), 0, "$name: their requests live");
    open_gate();

    is_deeply(statuses(map { answer($c[$_]) } grep { $_ % 2 == 0 } 0 .. $#c),
        { 201 => 10 }, "$name: the others are answered");
    ok(wait_until(sub { gone($t, 499) == 11 }, 5 * slow()),
        "$name: eleven ended as 499") or diag($t->read_file('access.log'));
    is(scalar(leads($t)), 21, "$name: all leads are stored");
    is(answer(create($t, 'next'))->{status}, 201, "$name: life goes on");
    sound($t, $name);
    $t->check_end("$name: a clean end");
}


# ---- a list that waits for a thread, and a client that does not

{
    my $t = server(main => "thread_pool one threads=1;\n", pool => 'one');

    close_gate('sync');
    my $c = create($t, 1);
    held('sync');

    my @lists = map { $t->send_request('GET', '/api/leads', auth(), undef,
        timeout => 20 * slow()) } 1 .. 6;
    ok(taken($t, 7), 'list: lists wait behind a commit');

    $lists[$_]->abort for 0, 2, 4;
    ok(wait_until(sub {
        3 <= (() = $t->log =~ /client prematurely closed connection/g);
    }, 10 * slow()), 'list: clients leave meanwhile');

    open_gate();
    is(answer($c)->{status}, 201, 'list: the commit is answered');

    for my $res (map { answer($_) } @lists[1, 3, 5]) {
        is($res->{status}, 200, 'list: a client that waited has its list');
        is(eval { @{ $Json->decode($res->{body})->{data} } }, 1,
            'list: with the lead that was committed before');
    }

    ok(wait_until(sub { gone($t, 499) == 3 }, 5 * slow()),
        'list: three ended as 499');
    $t->check_end('list: a clean end');
}


# ---- reload

{
    my $t = server(workers => 2);
    my $first = answer(create($t, 0));

    close_gate('sync');
    my $c = create($t, 1);
    held('sync');

    my %old = map { $_ => 1 } $t->workers;
    ok($t->reload, 'reload: new workers come while a commit is held');

    ok(wait_until(sub { $t->leaving == 1 }, 5 * slow()),
        'reload: of the old ones the one that commits stays');
    is($t->http('GET', '/api/leads/' . id($first), auth())->{status}, 200,
        'reload: the new ones answer');

    my @new = map { create($t, "new $_") } 1 .. 10;
    taken($t, 12);
    ok(silent($t, $c), 'reload: nobody has committed');

    open_gate();
    is(answer($c)->{status}, 201, 'reload: the old worker answers 201');
    is_deeply(statuses(map { answer($_) } @new), { 201 => 10 },
        'reload: so do the new ones');
    ok(wait_until(sub { !$t->leaving }, 10 * slow()),
        'reload: the old worker leaves');
    ok(wait_until(sub { !grep { alive($_) } keys %old }, 10 * slow()),
        'reload: and all of them');
    is(scalar(leads($t)), 12, 'reload: all leads are there');
    sound($t, 'reload');
    $t->check_end('reload: a clean end');
}


# ---- a graceful end, with one batch on the disk and one behind it

{
    my $t = server();

    close_gate('sync');
    my @c = create($t, 0);
    held('sync');
    push @c, map { create($t, $_) } 1 .. 5;
    taken($t, 6);

    kill QUIT => $t->master;
    ok($t->wait_for_log(qr/gracefully shutting down/, 10 * slow()),
        'quit: nginx is told to leave');
    ok(alive($t->master), 'quit: it stays for the commit');

    open_gate();
    is_deeply(statuses(map { answer($_) } @c), { 201 => 6 },
        'quit: who waited is answered');
    ok(wait_until(sub { !alive($t->master) }, 10 * slow()),
        'quit: then it leaves');

    is(scalar(leads($t)), 6, 'quit: all leads are there');
    sound($t, 'quit');
    $t->check_end('quit: a clean end');
}


# ---- a fast end: a lead may be stored and nobody told

for my $who (qw(worker master)) {
    my $t = server();
    my @key = ('Idempotency-Key', "term-$who");

    close_gate('sync');
    my @c = create($t, 1, @key);
    held('sync');
    push @c, create($t, 2);
    taken($t, 2);

    # a master kills workers that take over a second; one worker alone may
    # wait for the gate as long as it likes
    kill TERM => $who eq 'worker' ? ($t->workers)[0] : $t->master;
    ok($t->wait_for_log(qr/\bexiting$/m, 10 * slow()), "term $who: it ends");
    open_gate();

    my @res = map { answer($_) } @c;
    like($res[0]{status}, qr/^(?:201|none)/, "term $who: an answer or none");
    like($res[1]{status}, qr/^(?:201|none)/, "term $who: for each");

    if ($who eq 'worker') {
        ok(wait_until(sub { $t->log =~ /exited with code 0/ }, 10 * slow()),
            "term $who: the worker ends in order");
        ok(wait_until(sub { $t->workers && $t->answers }, 10 * slow()),
            "term $who: another comes");

    } else {
        ok(wait_until(sub { !alive($t->master) }, 10 * slow()),
            "term $who: nginx ends");
        $t->start;
    }

    my @leads = grep { $_->{document}{last_name} eq 'No 1' } leads($t);
    cmp_ok(scalar @leads, '<=', 1, "term $who: the lead is stored or not");

    my $res = answer(create($t, 1, @key));
    is($res->{status}, 201, "term $who: the repeat is answered");
    is(id($res), $leads[0]{id}, "term $who: with the lead that was stored")
        if @leads;

    is(scalar(grep { $_->{document}{last_name} eq 'No 1' } leads($t)), 1,
        "term $who: there is one lead");
    sound($t, "term $who");
    $t->check_end("term $who: a clean end");
}


# ---- kill -9 at each step

{
    my $t = server(workers => 2);
    my ($n, $expected) = (0, 0);

    $t->allow(qr/\[alert\] .* worker process \d+ exited on signal 9\b/);

    for my $step (qw(pages sync meta done pages sync meta done)) {
        my $name = "kill $step";
        my @key = ('Idempotency-Key', 'kill-' . ++$n);

        my $early = answer(create($t, "early $n"));
        is($early->{status}, 201, "$name: one lead before");

        close_gate($step);
        my $c = create($t, $n, @key);
        my $pid = held($step);
        ok($pid, "$name: the commit is there");
        ok($pid && $t->kill_worker(KILL => $pid), "$name: its worker dies");
        open_gate();

        like(answer($c)->{status}, qr/^none/, "$name: no answer");

        # LMDB tells readers what is on disk when somebody writes again
        is(answer(create($t, "next $n"))->{status}, 201, "$name: life goes on");

        my @there = grep { $_->{document}{last_name} eq "No $n" } leads($t);
        is(scalar @there, $step eq 'done' ? 1 : 0,
            "$name: the lead is " . ($step eq 'done' ? 'whole' : 'absent'));

        my $res = answer(create($t, $n, @key));
        is($res->{status}, 201, "$name: the repeat is answered");
        is(id($res), $there[0]{id}, "$name: with the lead of before")
            if @there;

        $expected += 3;
        my %ids = map { $_->{id} => 1 } leads($t);
        is(keys %ids, $expected, "$name: each request has one lead");
        ok($ids{ id($early) }, "$name: and what was answered is there");
        sound($t, $name);
    }

    # the other end: killed as soon as the answer is read
    for (1 .. 5) {
        my $res = answer(create($t, "late $_"));
        $t->kill_worker('KILL');
        is($t->http('GET', '/api/leads/' . id($res), auth())->{status}, 200,
            'kill: a lead that was answered is there');
    }

    sound($t, 'kill');
    $t->check_end('kill: nothing else in the log');
}

done_testing();
