# Copyright (C) the ngx_lead authors
#
# Webhooks while processes come and go: every lead that was answered 201 reaches
# its endpoint at least once, and in peace once, whoever is reloaded, told to
# leave or killed; what comes twice carries the same id.

use strict;
use warnings;

use FindBin ();
use IO::Handle ();
use JSON::PP ();
use POSIX ();
use Test::More;

use lib "$FindBin::Bin/lib";
use Test::Lead qw(wait_until);
use Test::Lead::Process qw(alive nginx_env run_program slow socket_owner);
use Test::Lead::Webhook qw(all_arrived once);

my $Json = JSON::PP->new->utf8;

# of what is held by a test for as long as that takes
my @Patient = qw(timeout=60s read_timeout=60s);


sub server {
    my (%opt) = @_;

    my $t = Test::Lead::Webhook->new(workers => $opt{workers} // 1);
    my $r = $t->receiver;

    $t->configure(schedule => $opt{schedule} // '0' . ' 200ms' x 31,
        hooks => $t->hook(crm => $r->url('/crm'), @Patient,
            @{ $opt{more} // [] })
            . $t->hook(other => $r->url('/other')));
    $opt{start} ? $opt{start}->($t) : $t->start;

    return ($t, $r);
}


my $Held = { match => { url => '^/crm' }, hold => 'gate' };


# ---- a reload with deliveries under way

{
    my ($t, $r) = server(more => ['concurrency=4']);
    my ($old) = $t->workers;

    $r->plan($Held);
    my @leads = map { $t->create } 1 .. 6;
    ok($r->wait_held('gate', 4), 'reload: four are under way');

    ok($t->reload, 'reload: done');
    is_deeply([$t->leaving], [$old], 'reload: the old worker stays for them');

    my $new = $t->create;
    ok(wait_until(sub { $r->requests(url => '/other') == 7 }, 20 * slow()),
        'reload: the new one delivers elsewhere meanwhile');

    $r->release('gate');
    ok(wait_until(sub { !alive($old) }, 20 * slow()),
        'reload: the old one leaves');
    ok($t->wait_settled, 'reload: all is delivered');
    once('reload', [@leads, $new], $r->requests(url => '/crm'));
    once('reload, elsewhere', [@leads, $new], $r->requests(url => '/other'));

    # the same, with reloads as they come
    @leads = ();
    my $mark = $r->mark;

    for my $n (1 .. 5) {
        push @leads, $t->create_many(20);
        $t->reload or fail("reload $n");
    }

    ok($t->wait_settled, 'reloads: all is delivered');
    once('reloads', \@leads, $r->requests(url => '/crm', from => $mark));
    once('reloads, elsewhere', \@leads,
        $r->requests(url => '/other', from => $mark));
    $t->sound('reloads');
    $t->check_end('reloads: a clean end');
}


# ---- leaving: QUIT waits for what is under way, TERM for nothing

{
    my ($t, $r) = server();

    $r->plan($Held);
    my @leads = map { $t->create } 1 .. 3;
    ok($r->wait_held('gate'), 'QUIT: a delivery is under way');

    kill QUIT => $t->master;
    ok($t->wait_for_log(qr/gracefully shutting down/), 'QUIT: on its way out');
    $r->release('gate');
    ok(wait_until(sub { !alive($t->master) }, 20 * slow()), 'QUIT: gone');

    $t->start;
    ok($t->wait_settled, 'QUIT: the next one delivers the rest');
    once('QUIT', \@leads, $r->requests(url => '/crm'));

    my $mark = $r->mark;
    $r->hold('gate');
    @leads = map { $t->create } 1 .. 3;
    ok($r->wait_held('gate'), 'TERM: a delivery is under way');
    $t->stop;
    $r->plan;
    $r->release('gate');
    $t->start;
    ok($t->wait_settled, 'TERM: the next one delivers');
    all_arrived('TERM', \@leads, $r->requests(url => '/crm', from => $mark));
    $t->sound('leaving');
    $t->check_end('leaving: a clean end');
}


# ---- two workers: each lead once; one that dies is followed by the other

{
    my ($t, $r) = server(workers => 2);
    my @leads = $t->create_many(100);

    ok($t->wait_settled, 'two workers: all is delivered');
    once('two workers', \@leads, $r->requests(url => '/crm'));
    once('two workers, elsewhere', \@leads, $r->requests(url => '/other'));

    for my $round (1 .. 2) {
        my $mark = $r->mark;

        $r->plan($Held);
        $r->hold('gate');
        @leads = map { $t->create } 1 .. 5;
        ok($r->wait_held('gate'), "killed $round: a delivery is under way");

        my ($held) = $r->requests(url => '/crm', from => $mark);
        my $pid = socket_owner($held->{remote}, $t->workers);
        ok($pid, "killed $round: it is a worker's") or next;

        is($t->kill_worker('KILL', $pid), $pid, "killed $round: that one");
        $r->plan;
        $r->release('gate');
        ok($t->wait_settled, "killed $round: another one goes on");
        all_arrived("killed $round", \@leads,
            $r->requests(url => '/crm', from => $mark));
    }

    $t->sound('two workers');
    $t->check_end('two workers: a clean end');
}


# ---- without a master workers go on

{
    my ($t, $r) = server(workers => 2);

    my @leads = $t->create_many(20);
    is(scalar(my @workers = $t->kill_master('KILL')), 2,
        'orphans: two workers without a master');
    push @leads, $t->create_many(20);
    ok($t->wait_settled, 'orphans: all is delivered');
    once('orphans', \@leads, $r->requests(url => '/crm'));

    $r->plan($Held);
    push @leads, $t->create_many(20);
    ok($r->wait_held('gate'), 'orphans: a delivery is under way');
    $t->stop_orphans('KILL');
    $r->plan;
    $r->release('gate');
    $t->start;
    ok($t->wait_settled, 'orphans: those after them deliver the rest');
    all_arrived('orphans, then others', \@leads, $r->requests(url => '/crm'));
    $t->sound('orphans');
    $t->check_end('orphans: a clean end');
}


# ---- everything is killed, again and again, while leads come in

# a process that creates leads until it is told to stop, and notes each that
# was acknowledged

sub load {
    my ($t, $file, $stop) = @_;

    my $pid = fork() // die "fork: $!\n";
    return $pid if $pid;

    open my $out, '>>', $file or POSIX::_exit(1);
    $out->autoflush(1);

    while (!-e $stop) {
        my @res = $t->parallel([map { $t->creation } 1 .. 10],
            concurrency => 10, timeout => 10);
        print {$out} map { $Json->decode($_->{body})->{id} . "\n" }
            grep { ($_->{status} // 0) == 201 } @res;
    }

    POSIX::_exit(0);
}


sub acknowledged {
    my ($t) = @_;

    return split /\n/, $t->read_file('acknowledged') // '';
}


{
    my ($t, $r) = server(workers => 2);
    my $stop = $t->path('stop');
    my $pid = load($t, $t->path('acknowledged'), $stop);

    for my $round (1 .. 4) {
        my $had = acknowledged($t);
        ok(wait_until(sub { acknowledged($t) >= $had + 50 }, 30 * slow()),
            "crash $round: leads come in");

        if ($round % 2) {
            $t->kill_worker('KILL', ($t->workers)[$round > 2 ? 0 : -1])
                or fail("crash $round: a worker is replaced");

        } else {
            $t->kill_master('KILL');
            $t->stop_orphans('KILL');
            $t->start;
        }
    }

    my $had = acknowledged($t);
    ok(wait_until(sub { acknowledged($t) >= $had + 50 }, 30 * slow()),
        'crash: life goes on');
    $t->write_file($stop, '');
    ok(wait_until(sub { waitpid($pid, POSIX::WNOHANG()) == $pid },
        30 * slow()), 'crash: enough');
    ok($t->wait_settled, 'crash: nothing waits any more');

    my @leads = acknowledged($t);
    cmp_ok(scalar @leads, '>=', 250, 'crash: so many were acknowledged');
    all_arrived('crash', \@leads, $r->requests(url => '/crm'));
    all_arrived('crash, elsewhere', \@leads, $r->requests(url => '/other'));
    is($t->endpoint('crm')->{failed}, 0, 'crash: none was given up');
    $t->sound('crash');
    $t->check_end('crash: a clean end');
}


# ---- another binary takes over

# of what nginx starts in the foreground it takes no upgrade

sub daemon {
    my ($t) = @_;

    my $conf = $t->read_file('nginx.conf');

    $conf =~ s/^daemon off;/daemon on;/m or die;
    $t->write_file('nginx.conf', $conf);

    is(run_program([$t->command], stderr => $t->path('stderr'),
        env => nginx_env(), dir => $t->dir), 0, 'upgrade: a daemon');
    ok(wait_until(sub {
        $t->{master} //= ($t->read_file('nginx.pid') // '') =~ /^(\d+)$/m
            ? $1 : undef;
        return $t->{master} && $t->workers && $t->answers;
    }, 20 * slow()), 'upgrade: it answers');

    $t->{key} = $t->add_key;
}


SKIP: {
    skip 'valgrind hides the processes', 1 if $ENV{TEST_NGINX_USE_VALGRIND};

    my ($t, $r) = server(start => \&daemon);
    my $master = $t->master;
    my ($old) = $t->workers;

    $r->plan($Held);
    my @leads = map { $t->create } 1 .. 3;
    ok($r->wait_held('gate'), 'upgrade: a delivery is under way');

    kill USR2 => $master;
    ok(wait_until(sub {
        my $pid = ($t->read_file('nginx.pid') // '') =~ /^(\d+)$/m ? $1 : 0;
        return $pid && $pid != $master && -s $t->path('nginx.pid.oldbin')
            && ($t->{master} = $pid) && $t->workers;
    }, 20 * slow()), 'upgrade: a new master');

    kill QUIT => $master;
    push @leads, map { $t->create } 1 .. 3;
    ok(wait_until(sub { $r->requests(url => '/other') == 6 }, 20 * slow()),
        'upgrade: deliveries go on');
    $r->release('gate');
    ok(wait_until(sub { !alive($master) && !alive($old) }, 20 * slow()),
        'upgrade: the old ones leave');
    ok($t->wait_settled, 'upgrade: all is delivered');
    once('upgrade', \@leads, $r->requests(url => '/crm'));
    once('upgrade, elsewhere', \@leads, $r->requests(url => '/other'));
    $t->sound('upgrade');
    $t->check_end('upgrade: a clean end');
}


done_testing();
