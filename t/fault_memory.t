# Copyright (C) the ngx_lead authors
#
# Memory: of each request of each dialect each allocation is refused, one after
# the other; first those that the module makes, also where a pool would have had
# it, then those of the libraries in threads, and of nginx and libraries in the
# event loop.  (The first commit of a thread is in fault_limit.t.)

use strict;
use warnings;

use FindBin ();
use Test::More;

use lib "$FindBin::Bin/lib";
use Test::Lead::Process qw(slow);
use Test::Lead::Fault ();

my @Dialects = @Test::Lead::Fault::Dialects;

my $T = Test::Lead::Fault->new(fault => 1,
    globals => "thread_pool default threads=1;\n",
    http => 'request_pool_size 512; lead_key_failures 100r/m;')->start;
my $C;


sub connected {
    $C = $T->connect(timeout => 20 * slow());
    $C->request('GET', '/other', [], undef, keepalive => 1);
    $C->response // die "no answer: $C->{error}\n";
}


# on a connection that is there already: to make one is nginx' affair

sub ask {
    my ($what, $method, $path, $headers, $body) = @_;

    $C->request($method, $path, $headers, $body, keepalive => 1);

    my $res = $C->response // { status => 0, error => $C->{error} };

    undef $C if ($res->{headers}{connection} // '') ne 'keep-alive';
    $T->answered($res) if $what eq 'create';

    return $res;
}


# Each allocation that "again", a request made anew each time, needs: what is
# wrong with how it ends.

sub each_refused {
    my ($dialect, $name, $fail, $hits, $again, $right, $few) = @_;

    my (@wrong, $n);

    for ($n = 1; $n < 1000; $n++) {
        connected() if !$C;
        $fail->($n);
        my $res = ask($again->());
        my $hit = $hits->();
        $T->calm;

        # what is kept for speed alone may be missing
        my $why = Test::Lead::Fault::made($res) ? ''
            : $right->($res) // Test::Lead::Fault::wrong($res, $dialect);

        push @wrong, "$n: $why" if $why ne '';
        last if @wrong > 9;

        if (!$hit) {
            push @wrong, "$n: $res->{status} when there is memory"
                if !Test::Lead::Fault::made($res);
            last;
        }
    }

    is("@wrong", '', "$name: it is told each time ($n)");
    ok($n > ($few // 4) && $n < 1000, "$name: there is something to allocate");
    $T->unaffected($name);
}


# [name, a request made anew]

sub requests {
    my ($dialect) = @_;

    my $res = $T->create($dialect);
    my $number = 0;

    return (
        ["$dialect, create", sub {
            (create => @{ $T->creation($dialect) })
        }],
        ["$dialect, create with a key", sub {
            (create => @{ $T->creation($dialect,
                key => "key $dialect " . ++$number) })
        }],
        ["$dialect, the same create", sub {
            (create => @{ $T->creation($dialect, key => "same $dialect",
                email => "same-$dialect\@example.com") })
        }],
        map {
            my ($what, $request) = @$_;
            ["$dialect, $request->[0] $request->[1]", sub {
                ($what, @$request)
            }];
        } $T->others($dialect, Test::Lead::Fault::shown($res)),
    );
}


for my $dialect (@Dialects) {
    for (requests($dialect)) {
        my ($name, $again) = @$_;

        each_refused($dialect, $name, sub { $T->fail_pool(from => $_[0]) },
            sub { $T->pool_hits }, $again, sub { undef });
    }

    $T->recovers($dialect, $dialect);
}



# what was told to come again, and did so with its key, is there once

{
    my %leads = $T->leads;

    for my $dialect (@Dialects) {
        is(scalar(grep { ($_->{document}{email}
            // $_->{document}{fields}{email} // '')
            eq "same-$dialect\@example.com" } values %leads), 1,
            "$dialect: of the same create there is one lead");
    }
}


SKIP: {
    skip('a sanitizer has an allocator of its own', 1)
        if Test::Lead::Fault::sanitized() || $ENV{TEST_NGINX_USE_VALGRIND};

    for my $dialect (@Dialects) {
        for (requests($dialect)) {
            my ($name, $again) = @$_;

            each_refused($dialect, "$name, threads",
                sub { $T->fail_memory(from => $_[0]) },
                sub { $T->memory_hits }, $again, sub { undef }, 0);
        }
    }

    # nginx closes a connection, or has an error of its own

    for my $dialect (@Dialects) {
        for (requests($dialect)) {
            my ($name, $again) = @$_;

            each_refused($dialect, "$name, nginx",
                sub { $T->fail_memory(from => $_[0], first => 1) },
                sub { $T->memory_hits }, $again,
                sub { $_[0]{status} =~ /^(?:0|500)$/ ? '' : undef });
        }

        $T->recovers($dialect, $dialect);
    }
}

$T->allow(qr/\[emerg\].*malloc\(\d+\) failed \(12: /,
    qr/\[emerg\].*posix_memalign\(\d+, \d+\) failed \(12: /);
$T->finish('memory', silent => 'maybe');

done_testing();
