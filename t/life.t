# Copyright (C) the ngx_lead authors
#
# The processes of an nginx and the leads they share: several workers, several
# generations, helpers, one process alone, and the end of all of them at once.

use strict;
use warnings;

use FindBin ();
use IO::Handle ();
use JSON::PP ();
use POSIX ();
use Test::More;

use lib "$FindBin::Bin/lib";
use Test::Lead qw(wait_until);
use Test::Lead::Process qw(alive bad_lines children cmdline nginx_env
    run_program slow spawn stop_pid);

my $Json = JSON::PP->new->utf8->canonical;
my $Key;


# options: workers, http (lines of http{}), conf_only

sub server {
    my (%opt) = @_;

    my $http = $opt{http} // '';

    my $t = Test::Lead->new(workers => $opt{workers} // 1,
        conf => <<"_EOC_");
http {
    lead_store  %%DIR%%/store size=64m;

    lead_account acme {
        pipeline stage {
            stage new name=New default;
        }
    }

$http

    server {
        listen 127.0.0.1:%%PORT%%;

        add_header X-Pid \$pid always;

        location /api/ { lead_api lawfficient; }
        location = /status { lead_status json; }
    }
}
_EOC_

    return $t if $opt{conf_only};

    $t->start;
    $Key = add_key($t);

    return $t;
}


sub store {
    my ($t, @args) = @_;

    return $t->leadctl('--store', $t->dir . '/store', @args);
}


sub add_key {
    my ($t) = @_;

    my ($code, $out, $err) = store($t, qw(key add --account acme));
    die "no key: $err\n" if $code != 0;

    return $out =~ s/\n\z//r;
}


sub auth {
    return ['Authorization', "Bearer $Key", @_];
}


sub lead {
    my ($n) = @_;

    return $Json->encode({ first_name => 'Ada', last_name => "No $n",
        source => 'life', email => 'ada@example.com' });
}


sub create {
    my ($t, $n, @headers) = @_;

    return $t->http('POST', '/api/leads', auth(@headers), lead($n));
}


# as parallel() takes it

sub creation {
    my ($n, @headers) = @_;

    return ['POST', '/api/leads', auth(@headers), lead($n)];
}


sub decoded {
    my ($res) = @_;

    return eval { $Json->decode($res->{body}) } // {};
}


sub answer {
    my ($c) = @_;

    my $res = $c->response // { error => $c->{error} };

    # nginx waits some seconds for clients to close: not a test's concern
    $c->close;

    return $res;
}


sub statuses {
    my %n;

    $n{ $_->{status} // "none: $_->{error}" }++ for @_;

    return \%n;
}


sub leads {
    my ($t) = @_;

    my ($code, $out, $err) = store($t, qw(lead export --account acme));

    is($code, 0, 'leads are exported') or diag($err);

    return map { $Json->decode($_) } split /\n/, $out;
}


sub sound {
    my ($t, $name) = @_;

    my ($code, $out, $err) = store($t, 'check');

    is($code, 0, "$name: the store is sound") or diag($out, $err);
}


# asks on new connections until every worker has answered; the answers of each

sub of_all {
    my ($t, @request) = @_;

    my (%by, %want);

    $want{$_} = 1 for $t->workers;

    wait_until(sub {
        for my $res ($t->parallel([(\@request) x 8], concurrency => 8)) {
            my $pid = $res->{headers}{'x-pid'} // next;
            push @{ $by{$pid} }, $res;
            delete $want{$pid};
        }
        return !%want;
    }, 20 * slow());

    is(keys %want, 0, 'every worker has answered');

    return map { @$_ } values %by;
}


# ---- keys count at once in all workers

{
    my $t = server(workers => 3);
    my @list = ('GET', '/api/leads', auth());

    is_deeply([keys %{ statuses(of_all($t, @list)) }], [200],
        'key: a key added beside a running nginx opens');

    my ($id) = $Key =~ /^lead_(\w{8})_/;

    is((store($t, qw(key disable), $id))[0], 0, 'key: disabled');
    my @res = of_all($t, @list);
    is_deeply([keys %{ statuses(@res) }], [403], 'key: at once for all');
    is(decoded($res[0])->{error}{code}, 'key_disabled', 'key: as that');

    is((store($t, qw(key enable), $id))[0], 0, 'key: enabled');
    is_deeply([keys %{ statuses(of_all($t, @list)) }], [200],
        'key: at once for all');

    is((store($t, qw(key remove), $id))[0], 0, 'key: removed');
    @res = of_all($t, @list);
    is_deeply([keys %{ statuses(@res) }], [401], 'key: at once for all');
    is(decoded($res[0])->{error}{code}, 'invalid_key', 'key: as unknown');

    unlike($t->log, qr/\Q$Key\E/, 'key: it is not in the log');
    $t->check_end('key: a clean end');
}


# ---- one request, sent a hundred times to four workers

{
    my $t = server(workers => 4);

    my @res = $t->parallel([map { creation($_, 'Idempotency-Key', 'once') }
        1 .. 100], concurrency => 50);
    my %ids = map { decoded($_)->{id} // '' => 1 } @res;
    my @leads = leads($t);

    is_deeply(statuses(@res), { 201 => 100 }, 'repeat: all are answered 201');
    is_deeply([keys %ids], [map { $_->{id} } @leads],
        'repeat: with the one lead there is');

    my $status = decoded($t->http('GET', '/status'));
    is($status->{requests}{created}, 1, 'repeat: one is counted as created');
    is($status->{requests}{replayed}, 99, 'repeat: the others as replayed');
    sound($t, 'repeat');
    $t->check_end('repeat: a clean end');
}


# ---- two generations write at once

{
    my $t = server(workers => 2);
    my %old = map { $_ => 1 } $t->workers;
    my (@slow, %seen);

    # requests begun under the old generation: workers wait for their ends
    for my $n (1 .. 20) {
        my $c = $t->connect(timeout => 20 * slow());
        my $body = lead("old $n");
        my $text = Test::Lead::Http::format_request('POST', '/api/leads',
            auth(), $body);
        my $half = length($text) - length($body) + 10;

        $c->write(substr $text, 0, $half);
        push @slow, [$c, substr $text, $half];
    }

    # accepted and read, or the new workers would take them
    ok(wait_until(sub {
        decoded($t->http('GET', '/status'))->{requests}{total} == 20;
    }, 10 * slow()), 'generations: twenty requests have begun');

    ok($t->reload, 'generations: a reload');
    ok(scalar($t->leaving), 'generations: old workers stay for them');

    my @answers;

    for my $n (0 .. $#slow) {
        my ($c, $rest) = @{ $slow[$n] };

        my @new = map { $t->send_request(@{ creation("new $n $_") }) } 1 .. 2;
        $c->write($rest);

        push @answers, map { answer($_) } $c, @new;
    }

    is_deeply(statuses(@answers), { 201 => 60 },
        'generations: both create leads');
    $seen{ $old{ $_->{headers}{'x-pid'} } ? 'old' : 'new' }++ for @answers;
    is_deeply(\%seen, { old => 20, new => 40 }, 'generations: each its own');

    my @leads = leads($t);
    my %numbers = map { $_->{number} => 1 } @leads;
    my %ids = map { $_->{id} => 1 } @leads;

    is(keys %numbers, 60, 'generations: with different numbers');
    is_deeply([sort keys %ids],
        [sort map { decoded($_)->{id} } @answers], 'generations: all stored');
    ok(wait_until(sub { !grep { alive($_) } keys %old }, 10 * slow()),
        'generations: the old one leaves');
    sound($t, 'generations');
    $t->check_end('generations: a clean end');
}


# ---- everything is killed, again and again, while leads come in

# a process that creates leads until nobody answers, and notes each that was
# acknowledged

sub load {
    my ($t, $file) = @_;

    my $pid = fork() // die "fork: $!\n";
    return $pid if $pid;

    open my $out, '>>', $file or POSIX::_exit(1);
    $out->autoflush(1);

    for my $n (1 .. 1000) {
        my @res = $t->parallel([map { creation("$$ $n $_") } 1 .. 20],
            concurrency => 20, timeout => 20);
        my @ok = grep { ($_->{status} // 0) == 201 } @res;

        print {$out} map { decoded($_)->{id} . "\n" } @ok;
        last if @ok < @res;
    }

    POSIX::_exit(0);
}


{
    my $t = server(workers => 2);
    my $file = $t->dir . '/acknowledged';
    my %there;

    for my $round (1 .. 4) {
        my $pid = load($t, $file);

        ok(wait_until(sub {
            100 * $round <= (() = ($t->read_file($file) // '') =~ /\n/g);
        }, 30 * slow()), "crash $round: leads are coming in");

        $t->kill_master('KILL');
        $t->stop_orphans('KILL');
        ok(wait_until(sub { waitpid($pid, POSIX::WNOHANG()) == $pid },
            30 * slow()), "crash $round: nobody answers any more");

        sound($t, "crash $round");
        $t->start;

        %there = map { $_->{id} => 1 } leads($t);
        my @known = split /\n/, $t->read_file($file);
        my @lost = grep { !$there{$_} } @known;
        cmp_ok(scalar @known, '>=', 100 * $round,
            "crash $round: so many were acknowledged");
        is_deeply(\@lost, [], "crash $round: every one is there");
    }

    is(create($t, 'after')->{status}, 201, 'crash: life goes on');
    sound($t, 'crash');
    $t->check_end('crash: a clean end');
}


# ---- long lists, read while leads are written

{
    my $t = server();
    my $file = $t->write_file('leads.json', join '', map {
        $Json->encode({ first_name => 'Bob', last_name => "Old $_",
            email_key => "bob$_\@example.com",
            source => { name => 'import' },
            stage => { pipeline => 'stage', key => 'new', name => 'New' } })
        . "\n" } 1 .. 4500);

    my ($code, $out, $err) = store($t, qw(lead import --account acme), $file);
    is($code, 0, 'list: there are 4500 leads') or diag($err);

    # nothing found in all of them: three slices
    my $none = $t->http('GET', '/api/leads?q=nobody', auth());
    is($none->{status}, 200, 'list: a search that finds nothing');
    is_deeply(decoded($none)->{data}, [], 'list: is an empty page');

    my ($url, $n, %seen, @slow) = ('/api/leads?limit=200&source=import', 0);

    while ($n < 40) {
        my @writers = map { $t->send_request(@{ creation("list $n $_") }) }
            1 .. 3;
        my $search = $t->send_request('GET', '/api/leads?q=nobody', auth());
        my $page = $t->http('GET', $url, auth());

        push @slow, map { answer($_) } @writers, $search;

        $n++;
        $seen{ $_->{id} }++ for @{ decoded($page)->{data} // [] };

        my $cursor = decoded($page)->{next_cursor} // last;
        $url = "/api/leads?limit=200&source=import&cursor=$cursor";
    }

    is($n, 23, 'list: 23 pages');
    is(keys %seen, 4500, 'list: have every lead');
    is((grep { $_ > 1 } values %seen), 0, 'list: once');
    is_deeply(statuses(@slow), { 201 => 69, 200 => 23 },
        'list: while others write and search');

    for my $path ('/api/leads?limit=3', '/api/leads/' . (keys %seen)[0],
        '/api/leads/nobody', '/api/openapi.json')
    {
        my $get = $t->http('GET', $path, auth());
        my $head = $t->http('HEAD', $path, auth());

        is($head->{status}, $get->{status}, "HEAD $path: the status of GET");
        is($head->{headers}{'content-length'}, length $get->{body},
            "HEAD $path: the length of GET");
        is($head->{headers}{'content-type'}, $get->{headers}{'content-type'},
            "HEAD $path: the type of GET");
    }

    # they leave while a search is under way, or before, or after
    for (1 .. 20) {
        my $c = $t->send_request('GET', '/api/leads?q=nobody', auth());
        $_ % 2 ? $c->abort : $c->close;
    }

    is($t->http('GET', '/api/leads?limit=1', auth())->{status}, 200,
        'list: clients that leave do no harm');
    ok(wait_until(sub {
        44 == grep { m{q=nobody HTTP/1\.1" (?:200|499) } } split /^/,
            $t->read_file('access.log');
    }, 10 * slow()), 'list: and each of their searches ends')
        or diag(grep { m{q=nobody} } split /^/, $t->read_file('access.log'));

    sound($t, 'list');
    $t->check_end('list: a clean end');
}


# ---- helpers of nginx do not touch the store

sub has_store {
    my ($pid) = @_;

    my $maps = Test::Lead::Process::read_file("/proc/$pid/maps") // '';
    my @fds = grep { defined } map { readlink } glob "/proc/$pid/fd/*";

    return scalar grep { m{/lead\.mdb} } $maps, @fds;
}


{
    my $t = server(http => "    proxy_cache_path %%DIR%%/cache"
        . ' keys_zone=cache:1m;');
    my @kids = children($t->master);
    my @helpers = grep { cmdline($_) =~ /cache (?:manager|loader) process/ }
        @kids;

    is(scalar @helpers, 2, 'helpers: there are two');
    is((grep { has_store($_) } @helpers), 0, 'helpers: without the store');
    is((grep { has_store($_) } $t->master), 0, 'helpers: as is the master');
    ok(has_store(($t->workers)[0]), 'helpers: the worker has it');
    is(create($t, 1)->{status}, 201, 'helpers: a lead');
    $t->check_end('helpers: a clean end');
}


# ---- many reloads leave nothing behind

sub footprint {
    my ($pid) = @_;

    my $maps = Test::Lead::Process::read_file("/proc/$pid/maps");
    my ($rss) = Test::Lead::Process::read_file("/proc/$pid/status")
        =~ /^VmRSS:\s+(\d+)/m;

    return { fds => scalar(() = glob "/proc/$pid/fd/*"), rss => $rss,
        stores => scalar(() = $maps =~ m{/lead\.mdb$}mg) };
}


{
    my $t = server();
    my (%old, @at);

    for my $n (0 .. 21) {
        if ($n) {
            $old{$_} = 1 for $t->workers;
            $t->reload or fail("reload $n");
        }

        create($t, $n)->{status} == 201 or fail("a lead after reload $n");
        push @at, footprint(($t->workers)[0]);
    }

    ok(wait_until(sub { !$t->leaving && !grep { alive($_) } keys %old },
        10 * slow()), 'reloads: no old worker is left');

    my ($first, $last) = @at[1, -1];
    # a connection of a test may be among the files for a moment
    ok(wait_until(sub {
        footprint(($t->workers)[0])->{fds} <= $first->{fds};
    }, 5 * slow()), 'reloads: no more files are open');
    is($last->{stores}, $first->{stores}, 'reloads: the store is mapped once');
    cmp_ok($last->{rss} - $first->{rss}, '<', 3000 * slow(),
        'reloads: no more memory is used');

    my ($code, $out) = store($t, qw(stat --json));
    cmp_ok($Json->decode($out)->{leads}, '==', 22, 'reloads: all leads');
    sound($t, 'reloads');
    $t->check_end('reloads: a clean end');
}


# ---- one process alone

{
    my $t = server(conf_only => 1);
    my $conf = $t->read_file('nginx.conf');

    $conf =~ s/^master_process on;/master_process off;/m or die;
    $t->write_file('nginx.conf', $conf);

    my $pid = spawn([$t->command], stderr => $t->dir . '/stderr',
        env => nginx_env(), dir => $t->dir);

    ok(wait_until(sub { -s $t->dir . '/nginx.pid' && $t->answers },
        20 * slow()), 'alone: it starts');
    is_deeply([children($pid)], [], 'alone: without workers');

    $Key = add_key($t);
    my $res = create($t, 1);
    is($res->{status}, 201, 'alone: a lead');
    is($t->http('GET', '/api/leads/' . decoded($res)->{id}, auth())->{status},
        200, 'alone: is there');
    is(@{ decoded($t->http('GET', '/api/leads', auth()))->{data} // [] }, 1,
        'alone: and in the list');

    is(stop_pid($pid, QUIT => 10 * slow(), KILL => 5), 'QUIT',
        'alone: it leaves when it is told');
    is_deeply([bad_lines($t->said)], [], 'alone: a clean end');
    sound($t, 'alone');
}


done_testing();
