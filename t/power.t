# Copyright (C) the ngx_lead authors
#
# Power cuts.  All that is written to a store's file is recorded, while a
# program works on the store and while nginx serves; then, for each moment, the
# file is made as it may be after the power has failed: with what was synced,
# and any of what was not.  Each is opened, checked, compared with what was
# acknowledged, and gone on with.  t/power/ has the programs and the rules.
#
# POWER_STEPS=<n> makes it longer (30), POWER_SEEDS=<n> has it do several other
# things (1); POWER_FIRST=<n> is the first seed (1).

use strict;
use warnings;

use Cwd qw(realpath);
use File::Basename qw(dirname);
use File::Temp ();
use FindBin ();
use Test::More;

use lib "$FindBin::Bin/lib";
use Test::Lead::Process qw(find_program nginx_env run_program slow);
use Test::Lead::Fault ();

my $Steps = $ENV{POWER_STEPS}
    || (Test::Lead::Fault::sanitized() ? 12 : 30);
my $Seeds = $ENV{POWER_SEEDS} || 1;
my $First = $ENV{POWER_FIRST} || 1;
my $Leadctl = find_program($ENV{LEADCTL} || 'build/leadctl')
    // die "no leadctl: set LEADCTL\n";
my $Tmp = File::Temp->newdir('lead-power-XXXXXX', TMPDIR => 1);
my $Dir = realpath("$Tmp");
my @Sane = map { $_ ? "-fsanitize=$_" : () } Test::Lead::Fault::sanitized();

# files that are opened by the thousand: there no sync takes time
my ($Fast) = grep { -d && -w } '/dev/shm', $Dir;


sub build {
    my ($name, @files) = @_;

    system($ENV{CC} || 'gcc', qw(-O1 -g -Wall -Wextra -Wno-unused-parameter
        -Werror), @Sane, '-I', "$FindBin::Bin/../lmdb_store", '-o',
        "$Dir/$name", (map { "$FindBin::Bin/power/$_.c" } @files),
        dirname($Leadctl) . '/liblead_store.a',
        qw(-llmdb -lcrypto -ldl -lpthread)) == 0
        or die "cannot build $name\n";
}


# what goes into the environment of whom is recorded

sub recorded {
    my ($log, $file, $fail) = @_;

    return (%{ nginx_env() }, LEAD_RECORD => $log, LEAD_RECORD_FILE => $file,
        LEAD_RECORD_FAIL => $fail // '');
}


# Tests of what a replay says; returns it, by name.

sub replay {
    my ($name, $log, @args) = @_;

    my $out = "$Dir/replay.out";
    unlink $out;

    my $status = run_program(["$Dir/replay", '-d', $Fast, @args, $log],
        stdout => $out, stderr => $out, timeout => 7200);
    my $said = Test::Lead::Process::read_file($out);
    my %found = $said =~ /^cuts .*/m ? $& =~ /(\w+) (\d+)/g : ();

    note("$name: ", $said =~ /^(cuts .*)/m);

    return ($status, $said, %found);
}


sub survives {
    my ($name, $log, @args) = @_;

    my ($status, $said, %found) = replay($name, $log, @args);

    is($status, 0, "$name: every file is as it has to be") or diag($said);
    is($found{missing}, 0, "$name: nothing that was acknowledged is missing");
    is($found{contradictions}, 0, "$name: nothing is there in part");
    cmp_ok($found{images} // 0, '>', 200, "$name: of many files");

    return %found;
}


sub drive {
    my ($name, $seed, $steps, $fail, @how) = @_;

    my $dir = "$Dir/$name";
    mkdir $dir or die "$dir: $!\n";
    mkdir "$dir/store" or die "$dir/store: $!\n";

    is(run_program(["$Dir/drive", "$dir/store", $seed, $steps, @how],
        stderr => "$dir/err", timeout => 600,
        env => { recorded("$dir/log", "$dir/store/lead.mdb", $fail) }), 0,
        "$name: the work is done")
        or diag(Test::Lead::Process::read_file("$dir/err"));

    return $dir;
}


build('drive', qw(power_drive power_state));
build('replay', qw(power_replay power_cut power_disk power_look power_state));
Test::Lead::Fault::preload('record');


# ---- a program, alone, on a good disk

for my $seed ($First .. $First + $Seeds - 1) {
    my $name = "seed $seed";
    my $dir = drive($name, $seed, $Steps);
    my %found = survives($name, "$dir/log", '-s', $seed, '-f',
        "$dir/store/lead.mdb");

    is($found{acknowledged}, $Steps + 1, "$name: of all steps");

    # the same from a disk that says it has synced and has not: it is seen
    if ($seed == $First) {
        my ($status, $said, %lies) = replay('a lie', "$dir/log", qw(-l -k 1));
        is($status >> 8, 1, 'a disk that lies is found out') or diag($said);
        cmp_ok($lies{missing} + $lies{contradictions}, '>', 0,
            'by what is missing, or there in part');
    }
}


# ---- the same on a disk that fails once: what it was told last may be there

for my $fail (qw(sync:1 sync:2 meta:1), map { ("sync:$_", "meta:$_") }
    map { 6 + 3 * $_ } 1 .. 1 + $Steps / 30)
{
    my $dir = drive($fail, $First, 6 + int($Steps / 5), $fail);
    my %found = survives($fail, "$dir/log", qw(-r 1 -f),
        "$dir/store/lead.mdb");

    cmp_ok($found{failed}, '==', 1, "$fail: one step has failed")
        if $fail !~ /:[12]$/;
}


# ---- the same with a second process, which goes on where the first has failed,
# before that one has seen to it; on a disk that fails once more then; and with
# a file of another owner's, whose mode says nothing of it

{
    my $steps = 12;
    my $dir = drive('two', $First, $steps, undef, 'two');
    my %found = survives('two', "$dir/log", qw(-r 1 -f),
        "$dir/store/lead.mdb");

    is($found{acknowledged}, $steps + 1, 'two: of all steps');

    my @fail = $Steps < 60 ? qw(meta:9 meta:10+1 meta:12+2 sync:14 write:20
            meta:9! meta:10+1!)
        : map { ("meta:$_", "meta:$_+1", "meta:$_+2", "sync:$_", "sync:$_+1",
            "write:$_", "meta:$_!", "meta:$_+1!") } 1 .. $found{transactions};

    for my $fail (@fail) {
        my $dir = drive("two, $fail", $First, $steps, $fail, 'two');
        my %found = survives("two, $fail", "$dir/log", qw(-r 1 -f),
            "$dir/store/lead.mdb");

        cmp_ok($found{failed} + $found{acknowledged}, '==', $steps + 1,
            "two, $fail: a step has failed or was acknowledged");

        # of a failure in the end nobody has seen to it yet
        is((stat "$dir/store/lead.mdb")[2] & 07777, 0600,
            "two, $fail: no mark is left")
            if $fail =~ /:(\d+)/ && $1 <= $found{transactions} / 2;
    }
}


# ---- nginx, two workers and a reload, all dialects, a webhook that fails

{
    my $store = "$Dir/nginx";
    my $log = "$Dir/nginx.log";

    %ENV = (%ENV, recorded($log, "$store/lead.mdb"));
    delete $ENV{LD_PRELOAD};

    mkdir $store or die "$store: $!\n";
    is(run_program([$Leadctl, '--store', $store, qw(key add --account acme
        --scope), 'leads:read,leads:write'], stdout => "$Dir/key",
        stderr => "$Dir/key.err", env => nginx_env()), 0, 'nginx: a key');

    my $key = Test::Lead::Process::read_file("$Dir/key") =~ s/\n\z//r;
    my $t = Test::Lead::Fault->new(store => $store, size => '16m',
        workers => 2, account => 'webhook crm https://192.0.2.1/'
            . ' secret=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw;')
        ->start(key => $key);

    for my $round (1 .. $Steps / 3) {
        my @how = map { $Test::Lead::Fault::Dialects[($round + $_) % 5] } 1 .. 4;
        my @clients = map { $t->send_request(@{ $t->creation($_) },
            timeout => 30 * slow()) } @how;

        for (@clients) {
            my $res = $_->response // { status => 0 };
            $t->answered($res);
            mark($log, "lead 1 $res->{headers}{'x-lead'}")
                if Test::Lead::Fault::made($res);
            $_->close;
        }

        $t->reload if $round == 3;
    }

    my $acked = keys %{ $t->{acked} };
    is($acked, 4 * int($Steps / 3), 'nginx: leads are acknowledged');
    $t->finish('nginx', silent => 1, restarted => 1);

    my %found = survives('nginx', $log, qw(-r 1 -f), "$store/lead.mdb");
    is($found{acknowledged}, $acked, 'nginx: of all leads');

    # were one acknowledged before it is on disk, it would be seen
    my ($last) = sort { $b cmp $a } keys %{ $t->{acked} };
    mark("$log.early", "lead 1 $last");
    Test::Lead::Process::write_file("$log.early", join '', map {
        Test::Lead::Process::read_file($_) } "$log.early", $log);

    my ($status, $said, %early) = replay('early', "$log.early", qw(-k 1));
    is($status >> 8, 1, 'an early answer is found out') or diag($said);
    cmp_ok($early{missing}, '>', 0, 'by what is missing');
}


# as t/power/power_log.h has it

sub mark {
    my ($file, $text) = @_;

    open my $out, '>>:raw', $file or die "$file: $!\n";
    syswrite $out, pack 'LSSQqqQ/a*', 0x7761656c, 7, 0, 0, 0, 0, $text;
}


done_testing();
