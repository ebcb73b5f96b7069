# Copyright (C) the ngx_lead authors
#
# leadctl backup beside a live nginx: what was acknowledged is in the copy, the
# copy serves, and nothing of it disturbs the store it is made of.  A gate
# (tools/copy_gate.c) holds a backup while it is made.  No wait here is for a
# time: each is for something to be seen.

use strict;
use warnings;

use Cwd qw(abs_path);
use Fcntl qw(S_IMODE);
use File::Temp ();
use FindBin ();
use JSON::PP ();
use POSIX ();
use Test::More;

use lib "$FindBin::Bin/lib";
use Test::Lead qw(wait_until);
use Test::Lead::Process qw(alive find_program read_file run_program slow spawn
    write_file);

my $Json = JSON::PP->new->utf8->canonical;
my $Tmp = File::Temp->newdir('lead-backup-XXXXXX', TMPDIR => 1);
my $Gate = "$Tmp/gate";
my $Leadctl = find_program($ENV{LEADCTL} || 'build/leadctl')
    // die "no leadctl: set LEADCTL\n";
my $User = $> == 0 ? 'www-data' : undef;
my ($Key, @Mounted);

chmod 0755, "$Tmp";
mkdir $Gate or die "cannot make $Gate: $!\n";

for (['plant', '-llmdb'], ['copy_gate', qw(-shared -fPIC -ldl)]) {
    my ($tool, @flags) = @$_;

    system($ENV{CC} || 'gcc', qw(-O1 -g -Wall -Wextra -Werror -o),
        "$Tmp/$tool", "$FindBin::Bin/tools/$tool.c", @flags) == 0
        or die "cannot build $tool\n";
}

# a sanitizer has to be the first library
my $Preload = join ' ', grep { defined && length }
    $ENV{TEST_NGINX_PRELOAD}, "$Tmp/copy_gate";


sub close_gate {
    unlink "$Gate/copy.held";
    write_file("$Gate/copy", '');
}


sub open_gate {
    unlink glob "$Gate/*";
}


sub held {
    return wait_until(sub { -e "$Gate/copy.held" }, 20 * slow());
}


# options: store (a path), size, hook (a webhook that cannot be delivered)

sub server {
    my (%opt) = @_;

    my $store = $opt{store} // '%%DIR%%/store';
    my $size = $opt{size} // '64m';
    my $hook = !$opt{hook} ? '' : 'webhook crm https://192.0.2.1/'
        . ' secret=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw;';

    my $t = Test::Lead->new(workers => 2, user => $User // (getpwuid $>)[0],
        conf => <<"_EOC_");
http {
    lead_store  $store size=$size;

    lead_account acme {
        pipeline stage {
            stage new name=New default;
        }
        $hook
    }

    server {
        listen 127.0.0.1:%%PORT%%;

        location /api/ { lead_api lawfficient; }
        location = /status { lead_status json; }
    }
}
_EOC_

    $t->start;

    return $t;
}


sub store {
    my ($t) = @_;

    return $t->dir . '/store';
}


sub add_key {
    my ($t) = @_;

    my ($code, $out, $err) = $t->leadctl('--store', store($t),
        qw(key add --account acme));
    die "no key: $err\n" if $code != 0;

    chomp($Key = $out);
}


# as parallel() takes it

sub creation {
    my ($name) = @_;

    return ['POST', '/api/leads', ['Authorization', "Bearer $Key",
        'Idempotency-Key', $name], $Json->encode({ first_name => 'Ada',
        last_name => $name, source => 'backup', email => 'ada@example.com' })];
}


sub create {
    my ($t, $name) = @_;

    return $t->http(@{ creation($name) });
}


sub id {
    my ($res) = @_;

    return eval { $Json->decode($res->{body})->{id} } // '';
}


sub patch {
    my ($t, $id, $name) = @_;

    return $t->http('PATCH', "/api/leads/$id",
        ['Authorization', "Bearer $Key"],
        $Json->encode({ first_name => $name }));
}


# a process that creates leads until it is told to stop, and notes what was
# answered: "status name id"

sub load {
    my ($t, $file) = @_;

    my $pid = fork() // die "fork: $!\n";
    return $pid if $pid;

    open my $out, '>>', $file or POSIX::_exit(1);
    $out->autoflush(1);

    for (my $n = 1; !-e "$file.stop"; $n++) {
        my @names = map { "load-$n-$_" } 1 .. 10;
        my @res = $t->parallel([map { creation($_) } @names],
            concurrency => 10, timeout => 20 * slow());

        for my $i (0 .. $#res) {
            my $id = id($res[$i]);
            printf $out "%s %s %s\n", $res[$i]{status} // 'none', $names[$i],
                length $id ? $id : '-';
        }
    }

    POSIX::_exit(0);
}


sub noted {
    my ($file) = @_;

    return map { [split / /] }
        (read_file($file) // '') =~ /^(.*)\n/mg;
}


sub waits_for_load {
    my ($file, $n) = @_;

    return wait_until(sub { noted($file) >= $n }, 30 * slow());
}


# a backup on its way, held at the gate if that is closed

sub backup {
    my ($store, $dir) = @_;

    unlink "$Tmp/backup.out", "$Tmp/backup.err";

    return spawn([$Leadctl, '--store', $store, 'backup', $dir],
        stdout => "$Tmp/backup.out", stderr => "$Tmp/backup.err",
        env => { LD_PRELOAD => $Preload, LEAD_GATE => $Gate });
}


# (exit code or -signal, what it said)

sub ended {
    my ($pid) = @_;

    my $status;
    my $done = wait_until(sub {
        my $got = waitpid $pid, POSIX::WNOHANG();
        $status = $? if $got == $pid;
        return $got == $pid;
    }, 60 * slow());

    return ('it did not end', '') if !$done;

    return ($status & 127 ? -($status & 127) : $status >> 8,
        (read_file("$Tmp/backup.out") // '')
        . (read_file("$Tmp/backup.err") // ''));
}


# the same, with nothing in its way

sub leadctl {
    my (@args) = @_;

    return program($Leadctl, @args);
}


sub program {
    my (@cmd) = @_;

    unlink "$Tmp/out", "$Tmp/err";
    my $status = run_program(\@cmd, stdout => "$Tmp/out",
        stderr => "$Tmp/err", timeout => 60 * slow());

    return ($status & 127 ? -($status & 127) : $status >> 8,
        (read_file("$Tmp/out") // '') . (read_file("$Tmp/err") // ''));
}


sub figures {
    my ($store) = @_;

    my ($code, $out) = leadctl('--store', $store, '--json', 'stat');
    is($code, 0, 'stat') or diag($out);

    return $Json->decode($out);
}


sub sound {
    my ($store, $name) = @_;

    my ($code, $out) = leadctl('--store', $store, 'check');

    is($code, 0, "$name: the store is sound") or diag($out);
}


sub leads {
    my ($store) = @_;

    my ($code, $out) = leadctl('--store', $store,
        qw(lead export --account acme));
    is($code, 0, 'export') or diag($out);

    return map { $Json->decode($_) } split /\n/, $out;
}


sub files {
    my ($dir) = @_;

    return join ' ', map { s{.*/}{}r } sort glob "$dir/*";
}


# ---- a copy of a store that is written to

{
    my $t = server(hook => 1);
    my $acked = $t->dir . '/acked';
    my $copy = $t->dir . '/copy';

    add_key($t);
    my $load = load($t, $acked);

    ok(waits_for_load($acked, 200), 'load: leads are coming in');

    my @before = noted($acked);
    close_gate();
    my $pid = backup(store($t), $copy);

    ok(held(), 'load: the copy is being written');
    is(files($copy), 'backup.part', 'load: under a name of its own');

    my $later = create($t, 'later');
    is($later->{status}, 201, 'load: a lead meanwhile');
    ok(waits_for_load($acked, @before + 200), 'load: and others');
    ok(alive($pid), 'load: the backup is still under way');
    is((leadctl('--store', $copy, 'stat'))[0], 3,
        'load: what is there is no store yet');

    open_gate();
    my ($code, $said) = ended($pid);

    is($code, 0, 'load: done');
    is($said, "the store is copied to $copy\n", 'load: says so');
    is(read_file("$Gate/synced"), join('', map { "$_\n" }
        abs_path($copy) . '/backup.part', abs_path($copy), abs_path($t->dir)),
        'load: and it is on disk, with its name and its directory');

    write_file("$acked.stop", '');
    ok(wait_until(sub { waitpid($load, POSIX::WNOHANG()) == $load },
        30 * slow()), 'load: it ends');
    is_deeply([grep { $_->[0] ne '201' } noted($acked)], [],
        'load: no request failed for it');

    is(files($copy), 'lead.mdb', 'copy: one file');
    is(S_IMODE((stat $copy)[2]), 0700, 'copy: mode of the directory');
    is(S_IMODE((stat "$copy/lead.mdb")[2]), 0600, 'copy: mode of the file');

    my @owner = (stat store($t))[4, 5];
    is($owner[0], $User ? (getpwnam $User)[2] : $>,
        'copy: the store is its nginx\' own');
    is_deeply([(stat $copy)[4, 5]], \@owner, 'copy: owner of the directory');
    is_deeply([(stat "$copy/lead.mdb")[4, 5]], \@owner,
        'copy: owner of the file');

    sound($copy, 'copy');

    my %there = map { $_->{id} => $_->{number} } leads($copy);
    my ($last) = sort { $b <=> $a } values %there;

    cmp_ok(scalar @before, '>=', 200, 'copy: so many were acknowledged');
    is_deeply([grep { !$there{ $_->[2] } } @before], [],
        'copy: every lead acknowledged before is there');
    ok(!exists $there{ id($later) }, 'copy: it is of one moment');

    # all that belongs to a lead is of the same moment

    my $said_of = figures($copy);
    is($said_of->{leads}, scalar(keys %there), 'copy: its leads are counted');
    is_deeply([@$said_of{qw(outbox idempotency)}],
        [($said_of->{leads}) x 2],
        'copy: each has a row in the outbox, and its Idempotency-Key');
    is($said_of->{keys}, 1, 'copy: the key');
    is($said_of->{endpoints}, 1, 'copy: the endpoint');
    is($said_of->{last_number}, $last, 'copy: the last number');

    # a second nginx on it

    my $t2 = server(store => $copy, hook => 1);
    my $get = $t2->http('GET', "/api/leads/$before[0][2]",
        ['Authorization', "Bearer $Key"]);
    is($get->{status}, 200, 'served: a lead, by a key of the store');

    my @again = $t2->parallel([map { creation($_->[1]) } @before[0 .. 49]],
        concurrency => 10);
    is_deeply([map { [$_->{status}, id($_)] } @again],
        [map { [201, $_->[2]] } @before[0 .. 49]],
        'served: repeats are answered with the leads they made');
    is(leads($copy), scalar(keys %there), 'served: and make no others');

    my $new = create($t2, 'new');
    is($new->{status}, 201, 'served: a new lead');
    my ($found) = grep { $_->{id} eq id($new) } leads($copy);
    cmp_ok($found->{number}, '>', $last,
        'served: with a number that was not used before');

    sound($copy, 'served');
    is(figures($copy)->{outbox}, $said_of->{leads} + 1,
        'served: what is to be delivered waits, as before');
    $t2->check_end('served: a clean end');

    # the first one, from a backup copied back

    sound(store($t), 'load');
    ok($t->quit, 'restored: nginx is stopped');
    rename store($t), store($t) . '.old' or die "rename: $!\n";
    is(system('cp', '-a', $copy, store($t)), 0, 'restored: copied back');
    $t->start;

    is($t->http('GET', "/api/leads/$before[-1][2]",
        ['Authorization', "Bearer $Key"])->{status}, 200,
        'restored: a lead of before');
    is(create($t, 'after')->{status}, 201, 'restored: and a new one');
    sound(store($t), 'restored');
    $t->check_end('restored: a clean end');
}


# ---- writers must not find the store full for it

{
    my $t = server(size => '8m');
    my $copy = $t->dir . '/copy';
    my $docs = $t->write_file('docs', join '', map {
        $Json->encode({ first_name => "Big $_", x => 'y' x 900_000 }) . "\n"
    } 1 .. 5);

    add_key($t);
    is((leadctl('--store', store($t), qw(lead import --account acme),
        $docs))[0], 0, 'narrow: a store that is more than half full');

    my $id = id(create($t, 'one'));
    my $before = figures(store($t));
    my $room = $before->{size} - $before->{used} + $before->{free};

    cmp_ok($room, '<', $before->{size} / 2, 'narrow: it is');

    close_gate();
    my $pid = backup(store($t), $copy);
    ok(held(), 'narrow: the copy is being written');

    # every change frees as many pages as it takes, and none can be used again

    my (%n, $now);

    for (1 .. 1000) {
        $n{ patch($t, $id, "No $_")->{status} }++;
        next if $_ % 10;

        my ($code, $out) = leadctl('--store', store($t), '--json', 'stat');
        $now = $Json->decode($out);
        last if $now->{size} - $now->{used} < $room / 2;
    }

    cmp_ok($now->{size} - $now->{used}, '<', $room / 2,
        'narrow: half of the room is used up');
    is_deeply([keys %n], [200], 'narrow: no change was refused');

    # of the two descriptors one is taken away from the thread that is held

    ok(wait_until(sub {
        1 == grep { (readlink($_) // '') =~ m{/backup\.part$} }
            glob "/proc/$pid/fd/*";
    }, 20 * slow()), 'narrow: leadctl sees it');

    open_gate();
    my ($code, $said) = ended($pid);

    is($code, 3, 'narrow: given up');
    like($said, qr/\Aleadctl: the backup was given up: .*\n\z/,
        'narrow: says why');
    ok(!-e $copy, 'narrow: nothing is left');

    %n = ();
    $n{ patch($t, $id, "Still $_")->{status} }++ for 1 .. 300;
    is_deeply(\%n, { 200 => 300 }, 'narrow: its pages are used again');

    ($code, $said) = leadctl('--store', store($t), 'backup', $copy);
    is($code, 0, 'narrow: with less to do it is done') or diag($said);
    sound($copy, 'narrow');
    sound(store($t), 'narrow');
    $t->check_end('narrow: a clean end');
}


# ---- what is refused; a store of its own, with no nginx

my $Store = "$Tmp/store";
mkdir $Store, 0700 or die "cannot make $Store: $!\n";

{
    my $docs = "$Tmp/docs";

    write_file($docs, join '', map {
        $Json->encode({ first_name => "Bea $_", x => 'z' x 400 }) . "\n"
    } 1 .. 3000);

    my ($code, $said) = leadctl('--store', $Store,
        qw(lead import --account acme), $docs);
    is($code, 0, 'refused: a store') or diag($said);
}


sub refused {
    my ($name, $dir, $code, $why) = @_;

    my ($got, $said) = leadctl('--store', $Store, 'backup', $dir);

    is($got, $code, "refused: $name");
    like($said, qr/\Aleadctl: .*$why.*\n\z/, "refused: $name: says why");
}


{
    my $before = read_file("$Store/lead.mdb");

    mkdir "$Tmp/full" or die;
    write_file("$Tmp/full/lead.mdb", 'precious');
    refused('something is there', "$Tmp/full", 1, 'is not empty: nothing');
    is(read_file("$Tmp/full/lead.mdb"), 'precious', '... and stays');
    is(files("$Tmp/full"), 'lead.mdb', '... alone');

    mkdir "$Tmp/hidden" or die;
    write_file("$Tmp/hidden/.keep", '');
    refused('something hidden', "$Tmp/hidden", 1, 'is not empty');

    refused('the store', $Store, 1, 'is the store itself');
    refused('the store, by another name', "$Store/../store/.", 1,
        'is the store itself');
    symlink $Store, "$Tmp/link" or die;
    refused('the store, by a link', "$Tmp/link", 1, 'is the store itself');

    refused('a file', "$Tmp/docs", 1, 'Not a directory');
    refused('nowhere', "$Tmp/none/copy", 3, 'No such file or directory');
    ok(!-e "$Tmp/none", '... and none is made');
    refused('too long a name', "$Tmp/" . 'x' x 300, 1, 'File name too long');

    is(read_file("$Store/lead.mdb"), $before,
        'refused: the store is as it was');

    my ($code, $said) = leadctl('--store', "$Tmp/hidden", 'backup',
        "$Tmp/copy");
    is($code, 3, 'refused: a backup of no store');
    ok(!-e "$Tmp/copy", '... makes nothing');

    ($code, $said) = leadctl('--store', $Store, 'backup');
    is($code, 2, 'refused: no directory');
    ($code, $said) = leadctl('--store', $Store, 'backup', '');
    is($code, 2, 'refused: an empty one');

    SKIP: {
        skip 'root may write anywhere', 4 if $> == 0;
        mkdir "$Tmp/closed", 0500;
        refused('a directory one may not write to', "$Tmp/closed/copy", 3,
            'Permission denied');
        refused('... itself', "$Tmp/closed", 3, 'Permission denied');
    }
}


# ---- modes, names

{
    my ($code, $said) = program('/bin/sh', '-c', "umask 777; exec '$Leadctl'"
        . " --store '$Store' --json backup '$Tmp/masked'");

    is($code, 0, 'umask: done') or diag($said);
    is_deeply($Json->decode($said), { backup => "$Tmp/masked" },
        '--json: where it is');
    is(S_IMODE((stat "$Tmp/masked")[2]), 0700, 'umask: the directory');
    is(S_IMODE((stat "$Tmp/masked/lead.mdb")[2]), 0600, 'umask: the file');

    # the directory is made where somebody else may rename it: root follows no
    # link that is there at once

    SKIP: {
        skip('not root', 3) if $> != 0;

        mkdir "$Tmp/roots" or die;
        chmod 0755, "$Tmp/roots";
        write_file("$Tmp/swap.c", <<"_EOC_");
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
int mkdir(const char *path, mode_t mode) {
    char away[4096];
    if (syscall(SYS_mkdir, path, mode) == -1) {
        return -1;
    }
    (void) snprintf(away, sizeof(away), "%s.away", path);
    return rename(path, away) == -1 || symlink("$Tmp/roots", path) == -1;
}
_EOC_

        system($ENV{CC} || 'gcc', qw(-shared -fPIC -o), "$Tmp/swap.so",
            "$Tmp/swap.c") == 0 or die "cannot build swap\n";

        my $libs = join ' ', grep { defined && length }
            $ENV{TEST_NGINX_PRELOAD}, "$Tmp/swap.so";

        ($code, $said) = program('/usr/bin/env', "LD_PRELOAD=$libs", $Leadctl,
            '--store', $Store, 'backup', "$Tmp/swapped");
        isnt($code, 0, 'a link in its place: refused') or diag($said);
        is(S_IMODE((stat "$Tmp/roots")[2]), 0755, '... the mode is as it was');
        is_deeply([glob "$Tmp/roots/*"], [], '... and nothing is written');
    }

    mkdir "$Tmp/empty" or die;
    chmod 0751, "$Tmp/empty";
    ($code, $said) = leadctl('--store', $Store, 'backup', "$Tmp/empty/");
    is($code, 0, 'empty: a directory that is there') or diag($said);
    is(S_IMODE((stat "$Tmp/empty")[2]), 0751, 'empty: keeps its mode');
    is(S_IMODE((stat "$Tmp/empty/lead.mdb")[2]), 0600, 'empty: the file');
    sound("$Tmp/empty", 'empty');

    ($code, $said) = leadctl('--store', "$Tmp/empty", 'backup', "$Tmp/third");
    is($code, 0, 'a copy of a copy') or diag($said);
    is(read_file("$Tmp/third/lead.mdb"), read_file("$Tmp/empty/lead.mdb"),
        'is the same');
}


# ---- a file that has lost a page, as LMDB's own history knows them

{
    mkdir "$Tmp/leaky" or die;
    system('cp', "$Tmp/empty/lead.mdb", "$Tmp/leaky/") == 0 or die;
    is((program("$Tmp/plant", 'leak', "$Tmp/leaky/lead.mdb"))[0], 0,
        'leak: planted');

    my ($code, $said) = leadctl('--store', "$Tmp/leaky", 'backup',
        "$Tmp/unleaked");
    is($code, 0, 'leak: copied all the same') or diag($said);
    sound("$Tmp/unleaked", 'leak');
    is(leads("$Tmp/unleaked"), 3000, 'leak: with all leads');
}


# ---- ended by a signal

for my $signal (qw(TERM INT HUP)) {
    my $there = $signal eq 'INT';
    my $copy = "$Tmp/stopped-$signal";

    mkdir $copy or die if $there;

    close_gate();
    my $pid = backup($Store, $copy);
    ok(held(), "$signal: the copy is being written");
    is(files($copy), 'backup.part', "$signal: it is there");

    kill $signal, $pid;
    my ($code) = ended($pid);
    open_gate();

    is($code, { TERM => -15, INT => -2, HUP => -1 }->{$signal},
        "$signal: ended by it");

    if ($there) {
        is(files($copy), '', "$signal: nothing is left in the directory");

    } else {
        ok(!-e $copy, "$signal: nothing is left");
    }
}

{
    my $copy = "$Tmp/killed";

    close_gate();
    my $pid = backup($Store, $copy);
    ok(held(), 'KILL: the copy is being written');

    refused('a directory of a backup under way', $copy, 1,
        'backup\.part in it');
    ok(alive($pid), '... which goes on');

    kill 'KILL', $pid;
    is((ended($pid))[0], -9, 'KILL: ended by it');
    open_gate();

    is(files($copy), 'backup.part', 'KILL: it could not clear away');
    is((leadctl('--store', $copy, 'stat'))[0], 3, 'KILL: that is no store');
    refused('what a kill left', $copy, 1, 'backup\.part in it');

    unlink "$copy/backup.part";
    my ($code, $said) = leadctl('--store', $Store, 'backup', $copy);
    is($code, 0, 'KILL: once it is gone') or diag($said);
    sound($copy, 'KILL');
}


# ---- no room for it

{
    my $copy = "$Tmp/limited";
    my ($code, $said) = program('/bin/sh', '-c', 'ulimit -f 200; '
        . "exec '$Leadctl' --store '$Store' backup '$copy'");

    is($code, 3, 'limit: a copy that cannot be written to its end');
    like($said, qr/\Aleadctl: "\Q$copy\E" cannot be written: File too large: .*\n\z/,
        'limit: says why');
    ok(!-e $copy, 'limit: nothing is left');
}

SKIP: {
    my $disk = "$Tmp/disk";
    mkdir $disk or die;

    skip 'a small disk cannot be had', 16 if $> != 0
        || system('mount -t tmpfs -o size=4m none '
            . "'$disk' 2>/dev/null") != 0;
    push @Mounted, $disk;

    my $size = -s "$Store/lead.mdb";
    cmp_ok($size, '<', 3 << 20, 'disk: the store is smaller than the disk');

    # full before it begins

    write_file("$disk/ballast", 'x' x ((4 << 20) - $size / 2));
    my ($code, $said) = leadctl('--store', $Store, 'backup', "$disk/copy");
    is($code, 3, 'disk: too little room');
    like($said, qr/\Aleadctl: "\Q$disk\E\/copy" needs \d+ bytes, there are \d+: .*\n\z/,
        'disk: says how much is needed');
    is(files($disk), 'ballast', 'disk: nothing is left');

    # full while it is made

    unlink "$disk/ballast";
    close_gate();
    my $pid = backup($Store, "$disk/copy");
    ok(held(), 'disk: the copy is being written');
    write_file("$disk/ballast", 'x' x ((4 << 20) - $size / 2));
    open_gate();

    ($code, $said) = ended($pid);
    is($code, 3, 'disk: filled meanwhile');
    like($said, qr/cannot be written: No space left on device: nothing is left/,
        'disk: says so');
    is(files($disk), 'ballast', 'disk: nothing is left');

    # an empty directory that was there stays

    mkdir "$disk/there" or die;
    close_gate();
    unlink "$disk/ballast";
    $pid = backup($Store, "$disk/there");
    ok(held(), 'disk: once more');
    write_file("$disk/ballast", 'x' x ((4 << 20) - $size / 2));
    open_gate();

    ($code, $said) = ended($pid);
    is($code, 3, 'disk: filled again');
    ok(-d "$disk/there", 'disk: the directory stays');
    is(files("$disk/there"), '', 'disk: and is empty');

    unlink "$disk/ballast";
    ($code, $said) = leadctl('--store', $Store, 'backup', "$disk/there");
    is($code, 0, 'disk: with room it is done') or diag($said);
    sound("$disk/there", 'disk');
    is(leads("$disk/there"), 3000, 'disk: with all leads');
}


END {
    local $?;
    system('umount', $_) for @Mounted;
}


done_testing();
