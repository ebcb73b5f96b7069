# Copyright (C) the ngx_lead authors
#
# The store's directory, or a file in it, is moved away, deleted or replaced
# beneath a running nginx.  No lead is acknowledged that nobody would find
# again: who creates gets 503 until the file is back, or nginx is told to open
# the one that is there.  (What cannot be entered or written to from the start
# is in life_store.t.)

use strict;
use warnings;

use File::Path qw(remove_tree);
use FindBin ();
use JSON::PP ();
use Test::More;

use lib "$FindBin::Bin/lib";
use Test::Lead qw(wait_until);
use Test::Lead::Process qw(slow read_file run_program write_file);
use Test::Lead::Fault ();

my @Dialects = @Test::Lead::Fault::Dialects;
my $Json = JSON::PP->new->utf8;


sub move {
    my ($from, $to) = @_;

    rename $from, $to or die "$from, $to: $!\n";
}


sub shows {
    my ($t, $lead, $name) = @_;

    is($t->http('GET', "/law/leads/$lead",
        ['Authorization', "Bearer $t->{key}"])->{status}, 200,
        "$name: a lead is shown");
}


sub sound {
    my ($t, $dir, $name) = @_;

    is(($t->leadctl('--store', $dir, 'check'))[0], 0, "$name: it is sound");

    return $Json->decode(($t->leadctl('--json', '--store', $dir,
        'stat'))[1])->{leads};
}


# ---- the directory has another name for a while

{
    my $t = Test::Lead::Fault->new(workers => 2)->start;
    my $store = $t->store;
    my $lead = $t->create('leadflip')->{headers}{'x-lead'};

    $t->create($_) for @Dialects;
    move($store, "$store.away");

    $t->refused($_, 'renamed') for @Dialects;
    shows($t, $lead, 'renamed');
    like($t->log, qr{\[crit\].*"$store/lead\.mdb", which is open, is not there},
        'renamed: the log says what is gone');

    move("$store.away", $store);
    $t->recovers($_, 'renamed back') for @Dialects;
    $t->finish('renamed');
}


# ---- for good: nginx is reloaded, and makes another store

{
    my $t = Test::Lead::Fault->new->start;
    my $store = $t->store;

    $t->create($_) for @Dialects;
    move($store, "$store.old");
    $t->refused('reflekt', 'moved');

    ok($t->reload, 'moved: a reload');
    is(sound($t, "$store.old", 'moved, the old one'), 5,
        'moved: the old store has its leads');

    $t->{acked} = {};
    $t->{key} = $t->add_key;
    $t->recovers($_, 'moved, a new one') for @Dialects;
    is(sound($t, "$store.old", 'moved, the old one again'), 5,
        'moved: and keeps them as they are');
    $t->finish('moved', restarted => 1);
}


# ---- deleted; what is open can be saved

{
    my $t = Test::Lead::Fault->new->start;
    my $store = $t->store;
    my $lead = $t->create('leadflip')->{headers}{'x-lead'};

    $t->create($_) for @Dialects;
    remove_tree($store);

    $t->refused($_, 'deleted') for @Dialects;
    shows($t, $lead, 'deleted');

    my ($worker) = $t->workers;
    my ($fd) = grep { (readlink $_ // '') =~ m{^\Q$store\E/lead\.mdb \(deleted}
        } glob "/proc/$worker/fd/*";
    ok($fd, 'deleted: the worker has the file open');

    mkdir $store, 0700 or die "$store: $!\n";
    write_file("$store/lead.mdb", read_file($fd));
    $t->refused('kickofflabs', 'deleted, another file there');
    like($t->log, qr/is another file than the one that is open/,
        'deleted: the log says so');

    ok($t->reload, 'deleted: a reload');
    $t->recovers($_, 'deleted, saved') for @Dialects;
    shows($t, $lead, 'deleted, saved');
    $t->finish('deleted', restarted => 1);
}


# ---- a backup takes its place

{
    my $t = Test::Lead::Fault->new(workers => 2)->start;
    my $store = $t->store;

    $t->create($_) for @Dialects;
    my $backup = $t->dir . '/backup';
    $t->ctl('backup', $backup);

    # this one is not in the backup
    my $res = $t->create('lawfficient');
    delete $t->{acked}{ $res->{headers}{'x-lead'} };

    move($store, "$store.bad");
    move($backup, $store);
    $t->refused($_, 'backup') for @Dialects;

    ok($t->reload, 'backup: a reload');
    $t->recovers($_, 'backup') for @Dialects;
    $t->finish('backup', restarted => 1);
}


# ---- somebody tidies up: the lock file is deleted, and who opens the store now
# makes another

{
    my $t = Test::Lead::Fault->new(workers => 2)->start;

    for my $round (1 .. 5) {
        unlink $t->store . '/lead.mdb-lock' or die "no lock file: $!\n";
        $t->ctl(qw(key add --account acme)) if $round % 2;

        # while a worker opens the store again others of it are told to wait
        my @how = map { $Dialects[$_ % 5] } 1 .. 40;
        my @answers = $t->parallel([map { $t->creation($_) } @how],
            concurrency => 10);
        $t->answered(@answers);

        is(scalar(grep { Test::Lead::Fault::made($answers[$_])
            || !Test::Lead::Fault::wrong($answers[$_], $how[$_]) } 0 .. 39),
            40, "lock file, $round: leads are taken, or to come again");
        $t->recovers($_, "lock file, $round") for @Dialects;
        ok(-e $t->store . '/lead.mdb-lock', "lock file, $round: it is back");
        $t->sound("lock file, $round");
    }

    my %leads = $t->leads;
    my %numbers = map { $_->{number} => 1 } values %leads;
    is(keys %leads, keys %{ $t->{acked} },
        'lock file: the store has what was acknowledged, and no more');
    is(keys %numbers, keys %leads, 'lock file: each with a number of its own');
    $t->finish('lock file', silent => 'maybe');
}


done_testing();
