# Copyright (C) the ngx_lead authors
#
# What each route of each dialect says while the disk fails, at each step of
# what it writes and until further notice, or while there is no store; and that
# the log is loud about it once a minute: not less, and not more.

use strict;
use warnings;

use Errno qw(EIO ENOSPC);
use FindBin ();
use Test::More;

use lib "$FindBin::Bin/lib";
use Test::Lead qw(wait_until);
use Test::Lead::Process qw(slow write_file);
use Test::Lead::Fault ();

my @Dialects = @Test::Lead::Fault::Dialects;


sub crit {
    my ($t) = @_;

    return scalar(() = $t->log =~ /\[crit\] \d+#.* lead: /g);
}


# lines of any level

sub complaints {
    my ($t) = @_;

    return scalar(() = $t->log =~ /\[(?:crit|error)\] \d+#.* lead: /g);
}


# [dialect, what, request] of all that need the store

sub requests {
    my ($t) = @_;

    return map {
        my $dialect = $_;
        my $id = Test::Lead::Fault::shown($t->create($dialect));

        map { [$dialect, @$_] } ['write', $t->creation($dialect)],
            $t->others($dialect, $id);
    } @Dialects;
}


# what takes back a change that is one only once

sub undone {
    my ($t, $method, $path, $headers, $body) = @_;

    my $more = ($path =~ s{/unarchive\z}{/archive}
            || $path =~ s{/archive\z}{/unarchive})
        + (defined $body && $body =~ s/"Won"/"New"/) or return;

    my $res = $t->http($method, $path, $headers, $body);

    die "$path: $res->{status}\n" if !Test::Lead::Fault::made($res);
}


# ---- each step of each change fails once; it is all there or nothing of it

for my $way (['i/o error', EIO], ['no space', ENOSPC]) {
    my ($name, $err) = @$way;
    my $t = Test::Lead::Fault->new(fault => 1)->start;

    for (grep { $_->[1] eq 'write' } requests($t)) {
        my ($dialect, undef, $request) = @$_;
        my $what = "$name: $dialect, $request->[0] $request->[1]";
        my ($n, @wrong);

        for ($n = 1; $n < 50; $n++) {
            my @request = (@$request);

            # a change there is already writes nothing
            $request[3] =~ s/"Eve"/"Eve$n"/ if defined $request[3];
            undone($t, @request);

            my $before = $t->ctl(qw(lead export --account acme));

            $t->fail_disk(from => $n, err => $err);
            my $res = $t->http(@request);
            my $hit = $t->disk_hits;
            $t->calm;

            if (!$hit) {
                push @wrong, "$n: $res->{status} when the disk works"
                    if !Test::Lead::Fault::made($res);
                last;
            }

            my $why = Test::Lead::Fault::wrong($res, $dialect);
            push @wrong, "$n: $why" if $why ne '';
            push @wrong, "$n: something has changed"
                if $t->ctl(qw(lead export --account acme)) ne $before;

            ok(wait_until(sub {
                Test::Lead::Fault::made($t->http(@request));
            }, 10 * slow()), "$what: step $n failed, and then it did not");
        }

        is("@wrong", '', "$what: it is told each time ($n)");
        cmp_ok($n, '>', 4, "$what: it has several steps");
    }

    $t->finish($name, silent => 'maybe');
}


# ---- the disk fails

{
    my $t = Test::Lead::Fault->new(fault => 1)->start;
    my @requests = requests($t);

    for (@requests) {
        my ($dialect, $what, $request) = @$_;

        ok(Test::Lead::Fault::made($t->http(@$request)),
            "before: $dialect, $what, $request->[0] $request->[1]");
    }

    my $before = join "\n", sort map { "$_->{id} $_->{updated_at}" }
        values %{{ $t->leads }};

    $t->fail_disk(from => 1, to => 0, err => EIO);
    my $total = 0;

    # it is the first minute, the second one, the same, and the third
    for my $time ([0, 1], [61, 2], [90, 2], [122, 3]) {
        my ($seconds, $loud) = @$time;

        $t->pass_time($seconds);

        for (@requests) {
            my ($dialect, $what, $request) = @$_;
            my $name = "disk, $seconds s: $dialect, $what, "
                . "$request->[0] $request->[1]";

            if ($what eq 'write') {
                is(Test::Lead::Fault::wrong($t->http(@$request), $dialect), '',
                    $name);
                next;
            }

            # while the store is opened again there is none
            my $res;
            ok(wait_until(sub {
                $res = $t->http(@$request);
                return Test::Lead::Fault::made($res)
                    || Test::Lead::Fault::wrong($res, $dialect) ne '';
            }, 10 * slow()) && Test::Lead::Fault::made($res), $name)
                or diag($res->{status});
        }

        is(crit($t), $loud, "disk, $seconds s: loud $loud times");
        cmp_ok(complaints($t), '>', $total + 5,
            "disk, $seconds s: the others are told as well");
        $total = complaints($t);
    }

    $t->calm;
    $t->recovers($_, 'disk') for @Dialects;

    my %now = map { ("$_->{id} $_->{updated_at}" => 1) }
        values %{{ $t->leads }};
    is(join("\n", grep { !$now{$_} } split /\n/, $before), '',
        'disk: nothing was changed for those who were told to come again');

    $t->finish('disk');
}


# ---- there is no store

{
    my $t = Test::Lead::Fault->new(fault => 1)->start;
    my @requests = requests($t);
    my $file = $t->store . '/lead.mdb';

    $t->quit;
    rename $file, "$file.away" or die "$file: $!\n";
    write_file($file, "Dear diary,\n" x 2000);
    $t->start;

    for my $time ([0, 1], [61, 2], [122, 3]) {
        my ($seconds, $loud) = @$time;

        $t->pass_time($seconds);

        for (@requests) {
            my ($dialect, $what, $request) = @$_;

            is(Test::Lead::Fault::wrong($t->http(@$request), $dialect), '',
                "away, $seconds s: $dialect, $what, "
                . "$request->[0] $request->[1]");
        }

        my $tries = complaints($t);
        ok(wait_until(sub { crit($t) >= $loud && complaints($t) > $tries },
            10 * slow()), "away, $seconds s: the log says so");
        is(crit($t), $loud, "away, $seconds s: loud $loud times");
    }

    unlink $file;
    rename "$file.away", $file or die "$file: $!\n";
    $t->recovers($_, 'away') for @Dialects;
    $t->finish('away', restarted => 1);
}


done_testing();
