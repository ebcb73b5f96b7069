# Copyright (C) the ngx_lead authors
#
# Limits that are reached: the store's size, open files of a worker, memory.
# Who is in the middle of it is told to come again, and nginx lives on.

use strict;
use warnings;

use Errno qw(EIO);
use FindBin ();
use Test::More;

use lib "$FindBin::Bin/lib";
use Test::Lead qw(wait_until);
use Test::Lead::Process qw(slow);
use Test::Lead::Fault ();

my @Dialects = @Test::Lead::Fault::Dialects;


# ---- the store is full

{
    my $t = Test::Lead::Fault->new(size => '1m', workers => 2)->start;

    $t->create($_) for @Dialects;
    my $lead = $t->create('lawfficient')->{headers}{'x-lead'};
    my $auth = ['Authorization', "Bearer $t->{key}"];

    $t->exhausted($_, 'size') for @Dialects;
    is($t->http('GET', "/law/leads/$lead", $auth)->{status}, 200,
        'size: leads are shown');
    is($t->http('GET', '/law/leads', $auth)->{status}, 200,
        'size: and listed');
    is($t->http('GET', '/status')->{status}, 200, 'size: the status page, too');
    like($t->log, qr/\[crit\].*the store is full: size=1048576/,
        'size: the log says what to change');
    $t->whole('size');

    # what the operator does about it
    $t->write_conf($t->{conf} =~ s/size=1m/size=16m/r =~ s/^\s+access_log.*\n//mr
        =~ s/^\s+\w+_temp_path.*\n//mgr);
    ok($t->reload, 'size: a larger one, and a reload');
    $t->recovers($_, 'size') for @Dialects;
    $t->finish('size', restarted => 1);
}


# ---- the system has no room to map the store

SKIP: {
    skip('a sanitizer maps what it likes', 1)
        if Test::Lead::Fault::sanitized() || $ENV{TEST_NGINX_USE_VALGRIND};

    my $t = Test::Lead::Fault->new(workers => 2)->start;
    my $conf = $t->{conf} =~ s/^\s+access_log.*\n//mr
        =~ s/^\s+\w+_temp_path.*\n//mgr;

    $t->create($_) for @Dialects;
    $t->write_conf($conf =~ s/size=64m/size=200000g/r);
    ok($t->reload, 'map: a reload with a size there is not');
    $t->refused($_, 'map') for @Dialects;
    ok($t->wait_for_log(qr/\[crit\].*size=\d+ may be more than this system/,
        5 * slow()), 'map: the log says what to change');

    $t->write_conf($conf);
    ok($t->reload, 'map: and a reload with another');
    $t->recovers($_, 'map') for @Dialects;
    $t->finish('map', restarted => 1);
}


# ---- a worker has no file to open left

{
    my $t = Test::Lead::Fault->new(fault => 1,
        globals => "worker_rlimit_nofile 48;\n")->start;
    my $c = $t->connect(timeout => 20 * slow());

    my $on = sub {
        my ($dialect, %opt) = @_;
        $c->request(@{ $t->creation($dialect, keepalive => 1, %opt) });
        my $res = $c->response // { status => 0, error => $c->{error} };
        $t->answered($res);
        return $res;
    };

    ok(Test::Lead::Fault::made($on->($_)), "files: a lead ($_)") for @Dialects;

    my @idle = map { $t->connect } 1 .. 80;
    ok($t->wait_for_log(qr/accept4?\(\) failed \(24:/, 10 * slow()),
        'files: there are no more');

    # whom it has let in it serves
    for my $dialect (@Dialects) {
        ok(Test::Lead::Fault::made($on->($dialect)),
            "files: $dialect takes leads without");
        $c->request('GET', '/other', [], undef, keepalive => 1);
        is(($c->response // {})->{body}, 'other',
            'files: the rest of nginx answers');
    }

    # the store is opened again after a failure
    for my $dialect (@Dialects) {
        $t->fail_disk(from => 1, err => EIO);
        is(Test::Lead::Fault::wrong($on->($dialect), $dialect), '',
            "files: $dialect is told that the disk failed");
        $t->calm;

        my $res;
        ok(wait_until(sub {
            $res = $on->($dialect);
            return Test::Lead::Fault::made($res)
                || Test::Lead::Fault::wrong($res, $dialect) ne '';
        }, 10 * slow()) && Test::Lead::Fault::made($res),
            "files: $dialect takes leads after it");
    }

    $_->abort for @idle;
    $c->close;
    ok(wait_until(sub { $t->answers }, 10 * slow()),
        'files: it lets others in again');
    $t->recovers($_, 'files') for @Dialects;
    $t->finish('files');
}


# ---- memory: each allocation of a commit is refused, one after the other

SKIP: {
    skip('a sanitizer has an allocator of its own', 1)
        if Test::Lead::Fault::sanitized() || $ENV{TEST_NGINX_USE_VALGRIND};

    my $t = Test::Lead::Fault->new(fault => 1,
        globals => "thread_pool default threads=1;\n")->start;

    # a thread keeps some of what it has needed for its first commit
    for my $which ('the first commit', 'a later one') {
        my $n = 0;

        while ($n++ < 100) {
            my $dialect = $Dialects[$n % 5];
            my $name = "memory, $which, $n";
            my @same = (email => $name =~ s/\W//gr . '@example.com',
                key => $name);

            $t->reload or die "no reload\n" if $which =~ /first/;

            $t->fail_memory(from => $n);
            my $res = $t->create($dialect, @same);
            my $hit = $t->memory_hits;
            $t->calm;

            last if !$hit;

            # what is kept for speed alone may be missing
            is(Test::Lead::Fault::made($res) ? ''
                : Test::Lead::Fault::wrong($res, $dialect), '',
                "$name: $dialect is told that it failed");
            $t->unaffected($name) if $n % 5 == 0;
            $t->recovers($dialect, $name, @same);
        }

        cmp_ok($n, '>', 5, "memory, $which: it has several allocations ($n)");
    }

    # and none is to be had for a while
    $t->fail_memory(from => 1, to => 0);
    $t->refused($_, 'no memory') for @Dialects, @Dialects;
    $t->calm;
    $t->recovers($_, 'memory again') for @Dialects;

    # nginx itself says that much
    $t->allow(qr/\[emerg\].*malloc\(\d+\) failed \(12: /,
        qr/\[emerg\].*posix_memalign\(\d+, \d+\) failed \(12: /);
    $t->finish('memory', restarted => 1);
}


done_testing();
