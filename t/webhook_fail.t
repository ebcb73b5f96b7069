# Copyright (C) the ngx_lead authors
#
# Webhooks that fail: what receivers can do wrong, what becomes of the row, what
# the log of attempts says, and what an operator can do about it.

use strict;
use warnings;

use FindBin ();
use IO::Socket::INET ();
use JSON::PP ();
use POSIX qw(strftime);
use Socket qw(INADDR_LOOPBACK IPPROTO_TCP SOCK_STREAM SOL_SOCKET SO_RCVBUF
    TCP_MAXSEG sockaddr_in);
use Test::More;

use lib "$FindBin::Bin/lib";
use Test::Lead::Process qw(free_port);
use Test::Lead::Webhook ();

my $Hour = 3600 * 1000000;
my $False = JSON::PP::false();


# A port where nobody accepts: once the queue is full, the kernel answers no
# more.  The sockets have to live as long as the test.

sub deaf {
    my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1)
        or die "listen: $!\n";
    my @queue;

    for (1 .. 16) {
        my $c = IO::Socket::INET->new(PeerAddr => '127.0.0.1', Blocking => 0,
            PeerPort => $listen->sockport) or last;
        push @queue, $c;
    }

    return ($listen->sockport, $listen, @queue);
}


# ---- what a receiver can do, one endpoint for each, after one attempt

# endpoint => [rule of the receiver, status, error, how the answer begins,
# parameters]; without an error it is delivered

my $Gate = { hold => 'never' };

my %case = (
    ok_204 => [{ status => 204 }, 204],
    ok_299 => [{ status => 299, body => 'fine' }, 299, undef, 'fine'],
    ok_10 => [{ version => '1.0', body => 'old' }, 200, undef, 'old'],
    ok_chunked => [{ chunked => [1, 2, 100], body => 'x' x 500 }, 200, undef,
        'x' x 256],
    ok_slow => [{ slow => 1, body => 'slowly' }, 200, undef, 'slowly'],
    ok_slow_chunked => [{ slow => 1, chunked => [2], body => 'slowly' }, 200,
        undef, 'slowly'],
    ok_info => [{ info => [100, 102, 103, 103] }, 200],
    ok_until_close => [{ length => $False, then => 'close', body => 'end' },
        200, undef, 'end'],
    ok_large => [{ size => 200000 }, 200, undef, 'x' x 256],
    ok_large_chunked => [{ size => 200000, chunked => [5000] }, 200, undef,
        'x' x 256],
    ok_then_reset => [{ then => 'reset', body => 'done', hold => 'reset',
        at => 'answer' }, 200, undef, 'done'],
    ok_headers => [{ headers => [map { ["X-$_", 'v' x 100] } 1 .. 100] }, 200],
    ok_bare_lf => [{ raw => "HTTP/1.1 200 OK\nContent-Length: 0\n\n" }, 200],

    s_301 => [{ status => 301, headers => [['Location', '/elsewhere']] }, 301],
    s_302 => [{ status => 302, headers => [['Location', '/elsewhere']] }, 302],
    s_304 => [{ status => 304 }, 304],
    s_400 => [{ status => 400, body => "no\0\x1b\xff\n" }, 400, undef,
        "no\0\x1b\x{fffd}\n"],
    s_404 => [{ status => 404, body => 'y' x 300 }, 404, undef, 'y' x 256],
    s_500 => [{ status => 500, body => '{"error":"x"}' }, 500, undef,
        '{"error":"x"}'],
    s_503 => [{ status => 503, then => 'close' }, 503],
    s_999 => [{ status => 999 }, 999],

    hang => [$Gate, undef, qr/time/, undef, 'read_timeout=300ms'],
    hang_total => [$Gate, undef, qr/time/, undef, 'timeout=1s'],
    hang_header => [{ %$Gate, at => 'header', body => 'z' }, undef, qr/time/,
        undef, 'read_timeout=300ms'],
    hang_body => [{ %$Gate, at => 'body', body => 'zz' }, undef, qr/time/,
        undef, 'read_timeout=300ms'],
    hang_line => [{ cut => 9, then => 'keep' }, undef, qr/time/, undef,
        'read_timeout=300ms'],
    only_info => [{ info => [100], cut => 25, then => 'keep' }, undef,
        qr/time/, undef, 'read_timeout=300ms'],

    close => [{ cut => 0, then => 'close' }, undef, qr/close/],
    close_line => [{ cut => 12, then => 'close' }, undef, qr/close/],
    close_header => [{ cut => 30, then => 'close' }, undef, qr/close/],
    close_body => [{ body => 'q' x 100, cut => 60, then => 'close' }, undef,
        qr/close/],
    close_chunk => [{ body => 'q' x 100, chunked => [10], cut => 80,
        then => 'close' }, undef, qr/close/],
    close_info => [{ info => [100], cut => 25, then => 'close' }, undef,
        qr/close/],
    reset => [{ cut => 0, then => 'reset' }, undef, qr/close|reset/],
    reset_body => [{ body => 'q' x 100, cut => 60, then => 'reset' }, undef,
        qr/close|reset/],

    junk => [{ raw => "\x16\x03\x01\0\xa5\1\0junk\r\n\r\n" }, undef, qr/HTTP/],
    junk_version => [{ raw => "HTTP/2.0 200 OK\r\n\r\n" }, undef, qr/HTTP/],
    junk_status => [{ raw => "HTTP/1.1 2OO OK\r\n\r\n" }, undef, qr/HTTP/],
    junk_short => [{ raw => "HTTP/1.1 20 OK\r\n\r\n" }, undef, qr/HTTP/],
    junk_length => [{ raw => "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n" },
        undef, qr/HTTP/],
    junk_lengths => [{ raw => "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
        . "Content-Length: 6\r\n\r\nabcdef" }, undef, qr/HTTP/],
    junk_chunk => [{ raw => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"
        . "\r\n\r\nzz\r\n" }, undef, qr/HTTP/],
    junk_chunk_size => [{ raw => "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
        . "chunked\r\n\r\nfffffffffffffffff\r\n" }, undef, qr/HTTP/],
    large_header => [{ headers => [['X-Large', 'v' x 70000]] }, undef,
        qr/HTTP|large/],
    many_info => [{ info => [(100) x 4000] }, undef, qr/HTTP|large/],
);

{
    my $t = Test::Lead::Webhook->new;
    my $r = $t->receiver;
    my ($deaf, @sockets) = deaf();
    my $silent = $t->receiver(name => 'silent');
    my $hasty = $t->receiver(name => 'hasty');
    my $early = $t->receiver(name => 'early');

    $silent->plan({ on => 'connect' });
    $hasty->plan({ on => 'connect', then => 'reset' });
    $early->plan({ on => 'connect', cut => 99, then => 'close',
        raw => "HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n" });

    $t->configure(schedule => '0 1h 1h', hooks => join '',
        (map { $t->hook($_ => $r->url("/$_"), $case{$_}[4] // ()) }
            sort keys %case),
        $t->hook(nobody => 'http://127.0.0.1:' . free_port() . '/'),
        $t->hook(deaf => "http://127.0.0.1:$deaf/", 'connect_timeout=300ms'),
        $t->hook(silent => $silent->url('/'), 'read_timeout=300ms'),
        $t->hook(silent_tls => $silent->url('/') =~ s/^http:/https:/r,
            'connect_timeout=300ms'),
        $t->hook(hasty => $hasty->url('/')),
        $t->hook(early => $early->url('/')));
    $r->plan(map { { match => { url => "^/$_\$" }, %{ $case{$_}[0] } } }
        sort keys %case);
    $t->start;

    my $began = time;
    my $id = $t->create;
    $r->release('reset') if $r->wait_held('reset');

    my %unmade = (
        nobody => qr/connect/,
        deaf => qr/connect|time/,
        silent => qr/time/,
        silent_tls => qr/time|TLS/,
        hasty => qr/close|connect|reset/,
    );

    $case{$_} = [{}, undef, $unmade{$_}] for keys %unmade;
    $t->wait_attempts($_, 1) for keys %case;

    # answered before it was asked: either is right
    my ($early_one) = $t->wait_attempts('early', 1);
    is($early_one->{outcome}, 'retry', 'early: a failure');
    ok(($early_one->{status} // 413) == 413, 'early: the status, or none');

    # all of one event
    my ($event) = map { $_->{event} } $t->attempts('hang');
    my ($shown) = $t->json(qw(delivery show), $event);
    my %shown = map { $_->{endpoint} => $_->{attempts}[0] }
        @{ $shown->{endpoints} };
    is($shown->{lead}, $id, 'delivery show: the lead');
    is(keys %shown, 1 + keys %case, 'delivery show: all endpoints');

    for my $name (sort keys %case) {
        my (undef, $status, $error, $answer) = @{ $case{$name} };
        my $fine = $name =~ /^ok_/;
        my @log = $t->wait_attempts($name, 1);
        my $last = $log[0] // {};

        is(scalar @log, 1, "$name: one attempt") or next;
        is($last->{status}, $status, "$name: the status");
        $error ? like($last->{error}, $error, "$name: the error")
               : is($last->{error}, undef, "$name: no error");
        is($shown{$name}{answer}, $answer // '',
            "$name: how the answer begins");
        is($last->{outcome}, $fine ? 'delivered' : 'retry',
            "$name: the outcome");

        my @rows = $t->rows($name);
        is(scalar @rows, $fine ? 0 : 1, "$name: the row") or next;
        next if $fine;

        my $delay = $rows[0]{due} - $last->{time};
        is($rows[0]{attempts}, 1, "$name: the row counts it");
        cmp_ok($delay, '>=', $Hour, "$name: it waits for the next step");
        cmp_ok($delay, '<=', $Hour * 1.1 + (time - $began + 1) * 1000000,
            "$name: and at most a tenth more");
    }

    is(scalar(my @none = $r->requests(url => '/elsewhere')), 0,
        'redirects are not followed');
    is_deeply([grep { $_->{lead} ne $id } $r->requests],
        [], 'each was about the lead');
    is(scalar(@none = $r->requests), scalar(grep { !$unmade{$_} } keys %case),
        'and each came once');

    my $n = $t->status->{webhooks};
    my $fine = grep { /^ok_/ } keys %case;
    is($n->{attempts}, 1 + keys %case, 'status: attempts');
    is($n->{delivered}, $fine, 'status: delivered');
    is($n->{retried}, 1 + keys(%case) - $fine, 'status: to be tried again');
    is($n->{given_up}, 0, 'status: none is given up');

    # everything is mended
    $r->plan;
    $_->plan for $silent, $hasty;
    my @mended = grep { !/^ok_/ && !/^(?:nobody|deaf|silent_tls)/ } keys %case;
    $t->ctl(qw(delivery retry), $event, '--endpoint', $_) for @mended;
    ok($t->wait_settled(@mended), 'mended: all arrive after a retry');
    is((grep { ($t->attempts($_))[0]{outcome} ne 'delivered' } @mended), 0,
        'mended: at the second attempt');

    unlike($t->log, qr/whsec_|example\.com|$id/,
        'nothing of a lead is logged');
    $t->sound('faults');
    $t->check_end('faults: a clean end');
}


# ---- a receiver that accepts, and reads nothing

{
    my $t = Test::Lead::Webhook->new;
    my $listen = IO::Socket::INET->new(Proto => 'tcp', Type => SOCK_STREAM);

    # the kernel answers for it but takes little, and as its segments are small
    # the sender's keeps little, too
    setsockopt $listen, SOL_SOCKET, SO_RCVBUF, pack 'i', 1;
    setsockopt $listen, IPPROTO_TCP, TCP_MAXSEG, pack 'i', 536;
    bind $listen, sockaddr_in(0, INADDR_LOOPBACK) or die "bind: $!\n";
    listen $listen, 16 or die "listen: $!\n";

    $t->configure(schedule => '0 1h', hooks => $t->hook(full =>
        'http://127.0.0.1:' . $listen->sockport . '/', 'send_timeout=500ms'));
    $t->start;
    $t->sign_up(100, email => 'full@example.com', text => 'x' x 250000);

    my ($last) = $t->wait_attempts('full', 1);
    is($last->{status}, undef, 'full: no answer');
    like($last->{error}, qr/sent in time/, 'full: the log says why');
    $t->check_end('full: a clean end');
}


# ---- the schedule, and its end

{
    my $t = Test::Lead::Webhook->new;
    my $r = $t->receiver;
    my @steps = (0, 100, 200, 300);

    $t->configure(hooks => $t->hook(crm => $r->url('/crm'))
        . $t->hook(well => $r->url('/well')),
        schedule => join ' ', map { $_ . 'ms' } @steps);
    $r->plan({ match => { url => '^/crm' }, status => 500 });
    $t->start;
    $t->create;

    my @log = reverse $t->wait_attempts('crm', 4);
    is(scalar @log, 4, 'schedule: four attempts');
    is_deeply([map { $_->{outcome} } @log], [qw(retry retry retry given_up)],
        'schedule: the last one gives up');

    for my $n (1 .. 3) {
        cmp_ok($log[$n]{time} - $log[$n - 1]{time}, '>=', $steps[$n] * 1000,
            "schedule: attempt $n not before its time");
    }

    my @rows = $t->rows('crm');
    is(scalar @rows, 1, 'schedule: the row is kept');
    is($rows[0]{due}, undef, 'schedule: and due no more');
    is($rows[0]{attempts}, 4, 'schedule: with its attempts');
    is($t->endpoint('crm')->{failed}, 1, 'schedule: and counted as failed');
    is($t->endpoint('crm')->{pending}, 0, 'schedule: not as pending');
    is($t->status->{webhooks}{given_up}, 1, 'schedule: the page shows it');
    ok($t->wait_for_log(qr/event \d+ is given up after 4 attempts/),
        'schedule: the log says so');
    is(scalar(my @well = $r->requests(url => '/well')), 1,
        'schedule: another endpoint had it at once');

    # the operator's turn
    my $mark = $r->mark;
    $r->plan;
    $t->ctl(qw(delivery replay --failed --account acme --endpoint crm));
    my ($again) = $r->wait_for(1, url => '/crm', from => $mark);
    ok($again, 'replay: what was given up is sent');
    is($again->{header}{'webhook-id'},
        ($r->requests(url => '/crm'))[0]{header}{'webhook-id'},
        'replay: with its id');
    ok($t->wait_settled('crm'), 'replay: and delivered');
    ok($t->wait_ctl(sub { !$t->endpoint('crm')->{failed} }),
        'replay: it has not failed any more');
    is(scalar(@rows = $t->rows('crm')), 0, 'replay: the row is gone');

    # what was delivered, once more
    $mark = $r->mark;
    $t->create for 1 .. 2;
    $t->wait_settled;
    $t->ctl(qw(delivery replay --account acme --endpoint well --since 1h));
    my @more = $r->wait_for(5, url => '/well', from => $mark);
    ok($t->wait_settled, 'replay: all of an hour');
    @more = $r->requests(url => '/well', from => $mark);
    is(scalar @more, 5, 'replay: is three, and two had come');
    my %ids = map { $_->{header}{'webhook-id'} => 1 } @more;
    is(keys %ids, 3, 'replay: with the ids they had');

    $mark = $r->mark;
    $t->ctl(qw(delivery replay --account acme --endpoint well),
        qw(--since 2001-01-01 --until 2001-01-02));
    ok($t->wait_settled, 'replay: of another day');
    is(scalar(@more = $r->requests(url => '/well', from => $mark)), 0,
        'replay: is nothing');

    $t->sound('schedule');
    $t->check_end('schedule: a clean end');
}


# ---- Retry-After

{
    my $t = Test::Lead::Webhook->new;
    my $r = $t->receiver;
    my $date = strftime('%a, %d %b %Y %H:%M:%S GMT', gmtime(time + 7200));

    # status, Retry-After, least and most seconds from now
    my %after = (
        seconds => [429, '1000', 1000, 1000],
        date => [429, $date, 7000, 7200],
        unavailable => [503, '2000', 2000, 2000],
        past => [429, 'Sun, 06 Nov 1994 08:49:37 GMT', 60, 66],
        zero => [429, '0', 60, 66],
        less => [429, '30', 60, 66],
        nonsense => [429, 'soon', 60, 66],
        huge => [429, '99999999999999999999', 60, 86400],
        days => [429, '864000', 86400, 86400],
        negative => [429, '-1000', 60, 66],
    );

    $t->configure(schedule => '0 1m', hooks => join '',
        map { $t->hook($_ => $r->url("/$_")) } sort keys %after);
    $r->plan(map { { match => { url => "^/$_\$" }, status => $after{$_}[0],
        headers => [['Retry-After', $after{$_}[1]]] } } sort keys %after);
    $t->start;

    my $began = time;
    $t->create;

    for my $name (sort keys %after) {
        my ($status, undef, $least, $most) = @{ $after{$name} };
        my ($last) = $t->wait_attempts($name, 1);
        my ($row) = $t->rows($name);
        my $delay = ($row->{due} - $last->{time}) / 1000000;

        is($last->{status}, $status, "Retry-After, $name: the status");
        cmp_ok($delay, '>=', $least, "Retry-After, $name: not before");
        cmp_ok($delay, '<=', $most + (time - $began + 1),
            "Retry-After, $name: not for ever");
    }

    $t->check_end('Retry-After: a clean end');
}


# ---- an endpoint is disabled: by 410, for failing too long, by the operator

{
    my $t = Test::Lead::Webhook->new;
    my $r = $t->receiver;

    $t->configure(schedule => '0' . ' 200ms' x 30,
        http => 'lead_webhook_disable 1s;', hooks => join '',
        map { $t->hook($_ => $r->url("/$_")) } qw(gone failing off well));
    $r->plan({ match => { url => '^/gone' }, status => 410 },
        { match => { url => '^/failing' }, status => 500 });
    $t->start;
    $t->ctl(qw(webhook disable --account acme off));
    $t->create;

    ok($t->wait_ctl(sub { $t->endpoint('gone')->{state} eq 'gone' }),
        '410: the endpoint is gone');
    ok($t->wait_for_log(qr/\[error\].* is disabled: it answered 410.*"gone"/),
        '410: the log says so');
    is(scalar(my @got = $r->requests(url => '/gone')), 1, '410: at once');

    ok($t->wait_ctl(sub { $t->endpoint('failing')->{state} eq 'failing' }),
        'failing: the endpoint is disabled');
    ok($t->wait_for_log(qr/\[error\].* is disabled: .*too long.*"failing"/),
        'failing: the log says so');

    my @log = reverse $t->attempts('failing');
    cmp_ok($log[-1]{time} - $log[0]{time}, '>=', 1000000,
        'failing: not before its time');
    is($t->status->{webhooks}{disabled}, 2, 'disabled: the page counts both');

    # nothing goes to them, and nothing is lost
    my $mark = $r->mark;
    $r->plan;
    $t->create;
    ok($t->wait_settled('well'), 'disabled: another one has it');
    $t->create;
    ok($t->wait_settled('well'), 'disabled: and the next');

    for my $name (qw(gone failing off)) {
        is(scalar(@got = $r->requests(url => "/$name", from => $mark)), 0,
            "disabled: nothing is sent to $name");
        is($t->endpoint($name)->{pending}, 3, "disabled: $name has it waiting");
        is($t->endpoint($name)->{failed}, 0, "disabled: $name gave up none");
    }

    $t->ctl(qw(webhook enable --account acme), $_) for qw(gone failing off);
    ok($t->wait_settled, 'enabled: everything is delivered');

    for my $name (qw(gone failing off)) {
        @got = $r->requests(url => "/$name", from => $mark);
        my %leads = map { $_->{lead} => 1 } @got;

        is(scalar @got, 3, "enabled: $name gets all");
        is(keys %leads, 3, "enabled: each once");
        is($t->endpoint($name)->{state}, 'enabled', "enabled: $name is again");
    }

    # a test of an endpoint
    $mark = $r->mark;
    $t->ctl(qw(webhook test --account acme well));
    my ($test) = $r->wait_for(1, url => '/well', from => $mark);
    is(Test::Lead::Webhook::body($test)->{type}, 'webhook.test',
        'test: an event arrives');
    ok(Test::Lead::Webhook::signed($test), 'test: signed');
    ok($t->wait_settled, 'test: nothing is left');
    is(scalar(@got = $r->requests(url => '/gone', from => $mark)), 0,
        'test: others do not get it');

    $t->sound('disabled');
    $t->check_end('disabled: a clean end');
}


done_testing();
