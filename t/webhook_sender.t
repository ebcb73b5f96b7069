# Copyright (C) the ngx_lead authors
#
# How the senders of workers share: a receiver that hangs takes no other's
# places, a commit in one worker wakes the sender of another, also across a
# reload, and what is old is swept as fast as it comes.

use strict;
use warnings;

use File::Basename qw(dirname);
use FindBin ();
use IO::Select ();
use IPC::Open2 qw(open2);
use Test::More;
use Time::HiRes qw(time);

use lib "$FindBin::Bin/lib";
use Test::Lead qw(wait_until);
use Test::Lead::Fault ();
use Test::Lead::Http ();
use Test::Lead::Process qw(find_program slow socket_owner);
use Test::Lead::Webhook qw(once);

my @Patient = qw(timeout=60s read_timeout=60s);


# ---- few connections, and one receiver hangs: it gets a quarter of them, and
# the others are served beyond that

{
    my $t = Test::Lead::Webhook->new;
    my $r = $t->receiver;

    $t->configure(events => 'worker_connections 32;', hooks => join '',
        $t->hook(slow => $r->url('/slow'), 'concurrency=256', @Patient),
        $t->hook(fast => $r->url('/fast')),
        $t->hook(other => $r->url('/other')));
    $r->plan({ match => { url => '^/slow' }, hold => 'gate' });
    $t->start;

    my @leads = map { $t->create } 1 .. 40;

    ok($t->wait_settled(qw(fast other)), 'fair: the others have all');
    once('fair, fast', \@leads, $r->requests(url => '/fast'));
    once('fair, other', \@leads, $r->requests(url => '/other'));
    is($r->state->{held}{gate}, 8, 'fair: while one hangs, in its places');
    is(scalar(my @slow = $r->requests(url => '/slow')), 8,
        'fair: and has no more');

    $r->release('gate');
    ok($t->wait_settled, 'fair: it answers at last');
    once('fair, slow', \@leads, $r->requests(url => '/slow'));
    unlike($t->log, qr/connections are not enough/,
        'fair: there were connections left');
    $t->sound('fair');
    $t->check_end('fair: a clean end');
}


# ---- whom a worker wakes.  Where nobody is woken a sender looks once a second,
# so that of leads made one after the other, each when the last one has come,
# two never go at one look: n of them take n - 1 seconds.

sub woken {
    my ($workers) = @_;

    my $t = Test::Lead::Webhook->new(workers => $workers);
    my $r = $t->receiver;

    # of many connections each worker gets some
    $t->configure(hooks => $t->hook(crm => $r->url('/crm')), http => <<'_EOC_');
    server {
        listen 127.0.0.1:%%PORT2%% reuseport;
        location = /pid { return 200 $pid; }
        location /api/  { lead_api lawfficient; }
    }
_EOC_
    $t->start;

    return ($t, $r);
}


sub wait_one {
    my ($r, $n) = @_;

    my @got = $r->wait_for($n);

    return @got == $n ? $got[-1] : undef;
}


sub rest_open {
    my ($t) = @_;

    return Test::Lead::Http->new(port => $t->port(2), timeout => 30 * slow());
}


sub worker_of {
    my ($c) = @_;

    $c->request('GET', '/pid', {}, undef, keepalive => 1);

    return ($c->response // {})->{body} // 0;
}


sub post {
    my ($t) = @_;

    my ($method, $path, $headers, $body) = @{ $t->creation };

    return Test::Lead::Http::format_request($method, $path,
        [@$headers, Expect => '100-continue'], $body, keepalive => 1);
}


{
    my ($t, $r) = woken(2);
    my ($n, $each) = (0, 20);

    $t->create;
    my $first = wait_one($r, ++$n);
    my $sends = socket_owner($first->{remote}, $t->workers);
    ok($sends, 'woken: one worker delivers');

    my (@connections, $c);

    for (1 .. 100) {
        push @connections, $c = rest_open($t);
        last if worker_of($c) ne $sends;
    }

    isnt(worker_of($c), $sends, 'woken: and another one takes leads');

    my $began = time;

    for (1 .. $each) {
        $c->write(post($t)) && ($c->response // {})->{status} == 201
            or fail('woken: a lead');
        wait_one($r, ++$n) or fail('woken: a delivery');
    }

    cmp_ok(time - $began, '<', $each / 2, 'woken: nobody has waited');
    is(socket_owner(($r->requests)[-1]{remote}, $t->workers), $sends,
        'woken: by the same one');
    $t->sound('woken');
    $t->check_end('woken: a clean end');
}


# ... by one that leaves: requests that began before a reload

{
    my ($t, $r) = woken(1);
    my ($old) = $t->workers;
    my (@connections, @left);
    my $n = 0;

    for (1 .. 12) {
        my $request = post($t);
        my $c = rest_open($t);

        push @left, substr $request, -20, 20, '';
        $c->write($request);

        # it has been read when nginx asks for the body
        wait_until(sub {
            $c->fill if IO::Select->new($c->{sock})->can_read(0);
            return $c->{in} =~ /100 Continue/;
        }, 10 * slow());
        push @connections, $c;
    }

    ok($t->reload, 'woken by the old: a reload');
    is_deeply([$t->leaving], [$old], 'woken by the old: it has requests');

    $t->create;
    my $first = wait_one($r, ++$n);
    is(socket_owner($first->{remote}, $t->workers, $old), ($t->workers)[0],
        'woken by the old: the new one delivers');

    my $began = time;

    for my $c (@connections) {
        $c->write(shift @left) && ($c->response // {})->{status} == 201
            or fail('woken by the old: a lead');
        wait_one($r, ++$n) or fail('woken by the old: a delivery');
    }

    cmp_ok(time - $began, '<', @connections / 2,
        'woken by the old: nobody has waited');
    ok($t->wait_settled, 'woken by the old: all is delivered');
    $t->sound('woken by the old');
    $t->check_end('woken by the old: a clean end');
}


# ---- more that has expired than one sweep takes

{
    my $t = Test::Lead::Webhook->new;
    my $leadctl = find_program($ENV{LEADCTL} || 'build/leadctl')
        // die "no leadctl: set LEADCTL\n";
    my $tool = Test::Lead::Fault::build('outbox', '-D_DEFAULT_SOURCE',
        map({ $_ ? "-fsanitize=$_" : () } Test::Lead::Fault::sanitized()),
        '-I', "$FindBin::Bin/../lmdb_store",
        dirname($leadctl) . '/liblead_store.a', qw(-llmdb -lcrypto -lpthread));
    my $store = $t->dir . '/store';
    my $old = int(time - 8 * 86400) * 1000000;

    mkdir $store, 0700 or die "$store: $!\n";
    my $pid = open2(my $out, my $in, $tool, $store);
    readline $out // die "outbox does not start\n";

    my $say = sub {
        print {$in} join("\t", @_), "\n";
        $in->flush;
        my $answer = readline $out // die "outbox has ended\n";
        chomp $answer;
        return $answer;
    };

    my $crm = $say->('endpoint', 'acme', 'crm');
    $say->('fill', $crm, 'acme', 1024, $old + $_, 0, $old + $_ * 10000, 0)
        for 1 .. 34;
    close $in;
    waitpid $pid, 0;

    my ($before) = $t->json('stat');
    is($before->{attempts}, 34 * 1024, 'swept: so many are old');

    $t->configure(hooks => $t->hook(crm => 'http://127.0.0.1:1/'));
    $t->start;
    ok($t->wait_ctl(sub { ($t->json('stat'))[0]{attempts} == 0 }, 30 * slow()),
        'swept: and gone, soon');
    $t->sound('swept');
    $t->check_end('swept: a clean end');
}


done_testing();
