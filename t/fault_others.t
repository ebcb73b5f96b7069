# Copyright (C) the ngx_lead authors
#
# Others who have the store open and do it no good: one that takes all reader
# slots, one that reads for ever, one that has the writer's lock and hangs; and
# one that is as good as we are, a second nginx on the same store.

use strict;
use warnings;

use FindBin ();
use JSON::PP ();
use Test::More;

use lib "$FindBin::Bin/lib";
use Test::Lead qw(wait_until);
use Test::Lead::Process qw(slow);
use Test::Lead::Fault ();
use Test::Lead::Holder ();

my @Dialects = @Test::Lead::Fault::Dialects;
my $Json = JSON::PP->new->utf8;


sub auth {
    my ($t) = @_;

    return ['Authorization', "Bearer $t->{key}"];
}


# the number of leads of the account, as a list says

sub listed {
    my ($t) = @_;

    my $res = $t->http('GET', '/law/leads', auth($t));

    return $res->{status} == 200
        ? scalar @{ $Json->decode($res->{body})->{data} } : -1;
}


# ---- all reader slots are taken

{
    my $t = Test::Lead::Fault->new->start;

    $t->create($_) for @Dialects;

    my $holder = Test::Lead::Holder->new($t->store, 2000);
    cmp_ok($holder->got, '>', 900, 'slots: somebody has all that are left');

    # those the worker has it keeps, and a commit needs none
    $t->recovers($_, 'slots') for @Dialects;
    $t->unaffected('slots');

    my @lists = map { ['GET', '/law/leads', auth($t)] } 1 .. 100;
    my @bad = grep { ($_->{status} // 0) != 200 && ($_->{status} != 503
        || !$_->{headers}{'retry-after'}) }
        $t->parallel(\@lists, concurrency => 40);
    is(scalar @bad, 0, 'slots: a list is given, or when to ask again');

    # a worker that is new has none, and cannot open the store
    ok($t->reload, 'slots: a reload');
    $t->refused($_, 'slots, reloaded') for @Dialects;
    like($t->log, qr/\[crit\].*MDB_READERS_FULL/, 'slots: the log says why');

    # he dies and gives nothing back
    $holder->end('KILL');
    $t->recovers($_, 'slots') for @Dialects;
    $t->finish('slots', restarted => 1);
}


# ---- somebody reads for ever: no page that he may see is used again

for my $signal (undef, 'KILL') {
    my $name = $signal ? 'reader killed' : 'reader';
    my $t = Test::Lead::Fault->new(size => '3m')->start;

    $t->create($_) for @Dialects;

    my $holder = Test::Lead::Holder->new($t->store, 1);
    is($holder->got, 1, "$name: somebody reads");

    my $before = -s $t->store . '/lead.mdb';
    $t->exhausted($_, $name) for @Dialects;
    cmp_ok(-s $t->store . '/lead.mdb', '>', 2 * $before,
        "$name: the file has grown for it");
    like($t->log, qr/\[crit\].*the store is full: size=3145728/,
        "$name: the log says what is full");

    $holder->end($signal);

    my $n = grep { Test::Lead::Fault::made($t->recovers($Dialects[$_ % 5],
        "$name, gone")) } 1 .. 25;
    is($n, 25, "$name: there is room when he is gone");
    $t->finish($name);
}


# ---- somebody has the lock that a writer needs, and does not write

{
    my $t = Test::Lead::Fault->new(http => 'lead_queue 5;')->start;

    $t->create($_) for @Dialects;

    my $holder = Test::Lead::Holder->new($t->store, 'write');
    is($holder->got, 1, 'writer: somebody has the lock');

    # one is with the disk, as many as may wait behind it
    my @waiting;
    my $total = $t->status->{requests}{total};

    for my $i (0 .. 5) {
        my @create = @{ $t->creation($Dialects[$i % 5]) };
        push @waiting, $t->send_request(@create, timeout => 60 * slow());
        ok(wait_until(sub {
            $t->status->{requests}{total} > $total + $i
        }, 10 * slow()), "writer: request $i waits");
    }

    $t->refused($_, 'writer') for @Dialects;
    is(listed($t), 5, 'writer: leads are shown meanwhile');

    $holder->end('KILL');

    my @answers = map { $_->response // { status => "none: $_->{error}" } }
        @waiting;
    is(scalar(grep { Test::Lead::Fault::made($_) } @answers), 6,
        'writer: who waited has his lead')
        or diag(join ' ', map { $_->{status} } @answers);
    $t->answered(@answers);
    $_->close for @waiting;

    $t->recovers($_, 'writer') for @Dialects;
    $t->finish('writer', silent => 1);
}


# ---- two nginx on one store, each with two workers

{
    my $one = Test::Lead::Fault->new(workers => 2)->start;
    my $two = Test::Lead::Fault->new(workers => 2, store => $one->store)
        ->start(key => $one->{key});
    my @both = ($one, $two);

    for my $i (0 .. 9) {
        my ($here, $there) = @both[$i & 1, 1 - $i & 1];
        my @same = (email => "two$i\@example.com", key => "two$i");
        my $res = $here->create($Dialects[$i % 5], @same);
        my $again = $there->create($Dialects[$i % 5], @same);

        is($again->{headers}{'x-lead'}, $res->{headers}{'x-lead'},
            "two: what one has made the other knows ($Dialects[$i % 5])");
        is($there->http('GET', '/law/leads/' . $res->{headers}{'x-lead'},
            auth($there))->{status}, 200, 'two: and shows at once');
    }

    # both at once
    my @clients = map {
        my $t = $_;
        map { [$t, $t->send_request(@{ $t->creation($Dialects[$_ % 5]) },
            timeout => 30 * slow())] } 1 .. 40;
    } @both;

    my @answers = map { $_->[1]->response // { status => 0 } } @clients;
    $one->answered(@answers);
    is(scalar(grep { Test::Lead::Fault::made($_) } @answers), 80,
        'two: eighty leads at once');

    my %leads = $one->leads;
    my %numbers = map { $_->{number} => 1 } values %leads;
    is(keys %leads, 90, 'two: each has its own');
    is(keys %numbers, 90, 'two: with a number of its own');

    # one is killed, the other goes on; and comes again
    my @orphans = $two->kill_master('KILL');
    kill KILL => @orphans;
    ok(wait_until(sub { !$two->orphans }, 10 * slow()), 'two: one is killed');
    $one->recovers($_, 'two, one of them dead') for @Dialects;
    $two->start(key => $one->{key});
    $two->recovers($_, 'two, again') for @Dialects;

    $two->finish('two, the second', silent => 1);
    $one->finish('two, the first', silent => 1);
}


done_testing();
