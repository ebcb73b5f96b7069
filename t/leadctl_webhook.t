#!/usr/bin/perl

# Copyright (C) the ngx_lead authors
#
# leadctl delivery and webhook, as the operator meets them: the real binary on
# real stores.  What nginx would have done to a store (events, leases, attempts
# that are settled) is done by tools/outbox.c, through the store's seam, when
# the test says so.  LEADCTL names the binary (default: build/leadctl).

use strict;
use warnings;

use File::Basename qw(dirname);
use File::Temp ();
use FindBin ();
use IPC::Open2 qw(open2);
use JSON::PP ();
use POSIX ();
use Test::More;
use Time::HiRes ();

use lib "$FindBin::Bin/lib";
use Test::Lead::Fault ();
use Test::Lead::Process qw(alive find_program read_file run_program slow spawn
    wait_until);

use constant { DELIVERED => 0, RETRY => 1, GIVE_UP => 2,
    ENABLED => 0, DISABLED => 1, GONE => 2, FAILING => 3 };

my $Json = JSON::PP->new->utf8;
my $Tmp = File::Temp->newdir('lead-hooks-XXXXXX', TMPDIR => 1);
my $Leadctl = find_program($ENV{LEADCTL} || 'build/leadctl')
    // die "no leadctl: set LEADCTL\n";
my $UUID = qr/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/;
my $TIME = qr/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/;
my $Now = int(Time::HiRes::time() * 1e6);
my ($Stores, $Runs) = (0, 0);

# the store's library has to be built as leadctl is

system($ENV{CC} || 'gcc', qw(-O1 -g -Wall -Wextra -Werror -D_DEFAULT_SOURCE),
    map({ $_ ? "-fsanitize=$_" : () } Test::Lead::Fault::sanitized()),
    '-I', "$FindBin::Bin/../lmdb_store", '-o', "$Tmp/outbox",
    "$FindBin::Bin/tools/outbox.c", dirname($Leadctl) . '/liblead_store.a',
    qw(-llmdb -lcrypto -lpthread)) == 0 or die "cannot build outbox\n";


###############################################################################

# a store, and a process that has it open as nginx would

sub plant {
    my $self = { dir => "$Tmp/store" . $Stores++ };

    mkdir $self->{dir}, 0700 or die "$self->{dir}: $!\n";
    $self->{pid} = open2($self->{out}, $self->{in}, "$Tmp/outbox",
        $self->{dir});
    readline $self->{out} // die "outbox does not start\n";

    return bless $self, 'Plant';
}


{
    package Plant;

    sub say {
        my ($self, @fields) = @_;

        print { $self->{in} } join("\t", @fields), "\n";
        $self->{in}->flush;

        my $answer = readline $self->{out} // die "outbox has ended\n";
        chomp $answer;
        return split /\t/, $answer;
    }

    sub endpoint {
        my ($self, $account, $name) = @_;
        return ($self->say('endpoint', $account, $name))[0];
    }

    # number of the event, id of its lead
    sub event {
        my ($self, $account, $time, @endpoints) = @_;
        return $self->say('event', $account, 'lead.created', $time,
            @endpoints);
    }

    sub settle {
        my ($self, $endpoint, $event, $outcome, %opt) = @_;

        $self->say('settle', $endpoint, $event, $outcome,
            $opt{time} // die, $opt{ms} // 12, $opt{status} // 0,
            $opt{retry} // 0, $opt{state} // 0,
            map { unpack 'H*', $_ // '' } @opt{qw(error answer)});
    }

    # the first event and the last
    sub fill {
        my ($self, $endpoint, $account, $n, $time, $outcome, $began, $retry)
            = @_;

        return $self->say('fill', $endpoint, $account, $n, $time, $outcome,
            $began, $retry // 0);
    }

    sub end {
        my ($self) = @_;

        close $self->{in};
        waitpid $self->{pid}, 0;
        return $? >> 8;
    }
}


# (exit code, stdout, stderr)

sub leadctl {
    my ($plant, @args) = @_;

    my $run = "$Tmp/run" . $Runs++;
    my $status = run_program([$Leadctl, '--store', $plant->{dir}, @args],
        stdout => "$run.out", stderr => "$run.err", timeout => 60 * slow());

    return collected($run, $status);
}


sub collected {
    my ($run, $status) = @_;

    my ($out, $err) = map { read_file("$run.$_") // '' } qw(out err);

    fail('no sanitizer report'), diag($err)
        if $err =~ /Sanitizer|runtime error:/;
    unlink "$run.out", "$run.err";

    return ($status & 127 ? -($status & 127) : $status >> 8, $out, $err);
}


# $out and $err are strings or patterns

sub answers {
    my ($name, $plant, $args, $code, $out, $err) = @_;
    my ($c, $o, $e) = leadctl($plant, @$args);

    subtest $name => sub {
        is($c, $code, 'exit code') or diag("stdout: $o\nstderr: $e");
        ref $out ? like($o, $out, 'stdout') : is($o, $out, 'stdout');
        ref $err ? like($e, $err, 'stderr') : is($e, $err, 'stderr');
    };

    return $o;
}


sub usage {
    my ($plant, $args, $err) = @_;

    answers("usage: @$args", $plant, $args, 2, '',
        qr/\Aleadctl: .*$err.*\nusage: leadctl /);
}


sub json {
    my ($plant, @args) = @_;

    my ($code, $out, $err) = leadctl($plant, '--json', @args);
    is($code, 0, "@args") or diag($err);

    return map { $Json->decode($_) } split /\n/, $out;
}


sub iso {
    my ($us) = @_;

    return POSIX::strftime('%Y-%m-%dT%H:%M:%S', gmtime int($us / 1e6))
        . sprintf '.%03dZ', $us / 1000 % 1000;
}


sub events { return join ' ', map { $_->{event} } @_ }

sub hook {
    my ($plant, $account, $name) = @_;

    my ($row) = grep { $_->{account} eq $account && $_->{name} eq $name }
        json($plant, qw(webhook list));

    return $row;
}

use constant { SECOND => 1_000_000, HOUR => 3_600_000_000,
    DAY => 86_400_000_000 };


###############################################################################
# a store that knows no webhook

{
    my $p = plant();
    $p->endpoint('acme', 'crm');          # of another account than those below
    my $none = plant();

    answers('no webhooks', $none, [qw(webhook list)], 0,
        qr/\AACCOUNT +NAME +STATE +PENDING +FAILED +DELIVERED +FAILING SINCE +LAST SUCCESS +LEASE\n\z/,
        '');
    answers('none with --json', $none, [qw(--json webhook list)], 0, '', '');
    answers('no deliveries', $none, [qw(delivery list)], 0,
        qr/\ATIME +ENDPOINT +EVENT +TYPE +LEAD +ATTEMPT +OUTCOME +STATUS +MS +ERROR\n\z/,
        '');
    answers('nothing given up', $none, [qw(delivery list --failed)], 0,
        qr/\ADUE +ENDPOINT +EVENT +TYPE +LEAD +ATTEMPTS +TIME\n\z/, '');
    answers('no such event', $none, [qw(delivery show 1)], 1, '',
        qr/\Aleadctl: no delivery of event 1 is known: /);
    answers('no such account', $none, [qw(webhook list --account acme)], 1, '',
        qr/\Aleadctl: there is no account "acme"/);

    answers("no such webhook: @$_", $p, [@$_, qw(--account acme)], 1, '',
        qr/\Aleadctl: there is no webhook "mail" in this account; leadctl webhook list shows all\n\z/)
        for [qw(webhook test mail)], [qw(webhook enable mail)],
            [qw(webhook disable mail)], [qw(delivery list --endpoint mail)],
            [qw(delivery replay --endpoint mail)],
            [qw(delivery retry 1 --endpoint mail)];
    answers('in any account', $p, [qw(delivery list --endpoint mail)], 1, '',
        qr/no webhook "mail" in this store/);

    is($p->end, 0, 'a clean end');
    is($none->end, 0, 'a clean end');
}


###############################################################################
# usage

{
    my $p = plant();

    usage($p, [qw(webhook test crm)], 'webhook test needs --account NAME');
    usage($p, [qw(webhook enable crm)], 'webhook enable needs --account');
    usage($p, [qw(webhook disable crm)], 'webhook disable needs --account');
    usage($p, [qw(webhook test)], 'an argument is missing');
    usage($p, [qw(webhook frob)], 'webhook needs one of');
    usage($p, [qw(delivery frob)], 'delivery needs one of');
    usage($p, [qw(delivery show)], 'an argument is missing');
    usage($p, [qw(delivery show), $_], 'neither an event\'s number nor')
        for qw(0 x 12x 1.5 msg_ 0197c2a4-5e1f-7c3a-8d2b-3f4e5a6b7c8
               00000000-0000-0000-0000-000000000000 18446744073709551616);
    usage($p, [qw(delivery replay --account acme)], 'needs --account NAME and');
    usage($p, [qw(delivery replay --endpoint crm)], 'needs --account NAME and');
    usage($p, [qw(delivery list --failed --pending)], 'one of --failed and');
    usage($p, [qw(delivery list --limit), $_], '--limit takes')
        for qw(0 x 1000001);
    usage($p, [qw(delivery list --since 1h --until 2h)],
        '--since must lie before');
    usage($p, [qw(delivery list --since), $_], '--since takes')
        for '1', 'h', '1y', '-1h', '1h2', '2h ', '40000d', 'now',
            '2026-13-01', '2026-02-29', '2026-00-10', '2026-1-1',
            '2026-01-01T', '2026-01-01T10', '2026-01-01T24:00',
            '2026-01-01T10:60', '2026-01-01T10:00:60', '2026-01-01T10:00:00.',
            '2026-01-01T10:00Zx', '2026-01-01T10:00+1', '2026-01-01T10:00+24:00',
            '2026-01-01T10:00+01:60', '2026-01-01X10:00', '1969-12-31',
            '99999999999999999999d';
    usage($p, [qw(webhook test crm --account acme --wait), $_], '--wait takes')
        for qw(0s 20 x 2h 3601s 1d);
    usage($p, [qw(delivery list --endpoint), "a\xff"], 'must be UTF-8');
    usage($p, [qw(delivery list --wait 1s)], 'does not go with');
    usage($p, [qw(delivery show 1 --failed)], 'does not go with');

    is($p->end, 0, 'a clean end');
}


###############################################################################
# webhook list

{
    my $p = plant();
    my $crm = $p->endpoint('acme', 'crm');
    my $mail = $p->endpoint('acme', 'mail');
    my $other = $p->endpoint('zenith', 'crm');

    my ($one) = $p->event('acme', $Now - HOUR, $crm, $mail);
    my ($two) = $p->event('acme', $Now - HOUR, $crm, $mail);
    my ($three) = $p->event('zenith', $Now - HOUR, $other);

    $p->settle($crm, $one, DELIVERED, time => $Now - 60 * SECOND, ms => 500,
        status => 200);
    $p->settle($mail, $one, GIVE_UP, time => $Now - 50 * SECOND,
        status => 500, error => 'status 500');
    $p->settle($mail, $two, RETRY, time => $Now - 40 * SECOND,
        retry => $Now + HOUR, error => 'no route', state => FAILING);
    $p->settle($other, $three, GIVE_UP, time => $Now - 30 * SECOND,
        status => 410, state => GONE);

    my @all = json($p, qw(webhook list));
    is_deeply([map { "$_->{account}/$_->{name}" } @all],
        [qw(acme/crm acme/mail zenith/crm)], 'all webhooks');
    is_deeply([sort keys %{ $all[0] }], [sort qw(account name state changed_at
        pending failed delivered failing_since last_success due lease)],
        'members of a webhook');
    is_deeply([map { $_->{state} } @all], [qw(enabled failing gone)],
        'states');
    is_deeply([map { @$_{qw(pending failed delivered)} } @all],
        [1, 0, 1, 1, 1, 0, 0, 1, 0], 'counts');
    is_deeply([map { $_->{last_success} } @all],
        [iso($Now - 60 * SECOND + 500_000), undef, undef], 'last success');
    is_deeply([map { $_->{failing_since} } @all],
        [undef, iso($Now - 50 * SECOND), iso($Now - 30 * SECOND)],
        'failing since');
    is_deeply([map { $_->{due} } @all],
        [iso($Now - HOUR), iso($Now + HOUR), undef], 'due');
    like($all[1]{changed_at}, qr/\A$TIME\z/, 'when it was disabled');
    is_deeply([map { $_->{lease} } @all], [(JSON::PP::false) x 3],
        'nobody sends');

    cmp_ok(($p->say('lease', $crm, 600 * SECOND))[0], '>', $Now, 'a lease');
    is(hook($p, 'acme', 'crm')->{lease}, JSON::PP::true, 'somebody sends');

    answers('the table', $p, [qw(webhook list --account acme)], 0,
        qr/\AACCOUNT .*\nacme +crm +enabled +1 +0 +1 +- +$TIME +yes\nacme +mail +failing +1 +1 +0 +$TIME +- +no\n\z/,
        '');
    is_deeply([map { $_->{account} } json($p, qw(webhook list --account zenith))],
        ['zenith'], '--account');

    # a copy has the outbox, the log, and leases that are nobody's of its own

    my $copy = { dir => "$p->{dir}.copy" };
    answers('backup', $p, ['backup', $copy->{dir}], 0,
        "the store is copied to $copy->{dir}\n", '');
    is_deeply([json($copy, qw(webhook list))], [json($p, qw(webhook list))],
        'a copy has the webhooks as they are');
    is_deeply([json($copy, qw(delivery list))],
        [json($p, qw(delivery list))], '... and what was sent');
    is_deeply([json($copy, qw(delivery list --pending))],
        [json($p, qw(delivery list --pending))], '... and what waits');
    is((leadctl($copy, 'check'))[0], 0, '... and is sound');

    is($p->end, 0, 'a clean end');
    is(hook($p, 'acme', 'crm')->{lease}, JSON::PP::false,
        'a lease ends with its process');
    is(hook($copy, 'acme', 'crm')->{lease}, JSON::PP::false,
        '... in a copy, too');

    # off and on

    answers('disable', $p, [qw(webhook disable crm --account acme)], 0,
        "webhook acme/crm disabled\n", '');
    is(hook($p, 'acme', 'crm')->{state}, 'disabled', '... it is');
    is(hook($p, 'zenith', 'crm')->{state}, 'gone',
        '... and its namesake as it was');
    answers('enable', $p, [qw(webhook enable crm --account zenith)], 0,
        "webhook zenith/crm enabled\n", '');
    is(hook($p, 'zenith', 'crm')->{failing_since}, undef,
        '... and what was is forgotten');

    my ($set) = json($p, qw(webhook enable mail --account acme));
    is($set->{state}, 'enabled', 'enable --json');
    is($set->{failing_since}, undef, '... shows it as it has become');
    cmp_ok($set->{due}, 'le', iso(Time::HiRes::time() * 1e6),
        '... with what waited due now');
    is($set->{failed}, 1, '... and what was given up as it was');
    answers('test of a disabled one', $p, [qw(webhook test crm --account acme)],
        1, '', qr/\Aleadctl: webhook acme\/crm is disabled: nothing was sent; leadctl webhook enable crm --account acme\n\z/);
    is(hook($p, 'acme', 'crm')->{pending}, 1, '... wrote nothing');
}


###############################################################################
# delivery list: attempts

{
    my $p = plant();
    my $crm = $p->endpoint('acme', 'crm');
    my $mail = $p->endpoint('acme', 'mail');
    my $other = $p->endpoint('zenith', 'crm');
    my (@events, @leads, @times);

    # an attempt each 100 s from an hour ago on, in turns

    for my $i (0 .. 29) {
        my $endpoint = ($crm, $mail, $other)[$i % 3];
        ($events[$i], $leads[$i]) = $p->event(
            $endpoint == $other ? 'zenith' : 'acme', $Now - 2 * HOUR + $i,
            $endpoint);
        $times[$i] = $Now - HOUR + $i * 100 * SECOND;

        my %how = (time => $times[$i], ms => 100 + $i);
        my $outcome = ($i / 3) % 3;
        $p->settle($endpoint, $events[$i], $outcome, %how,
            $outcome == DELIVERED ? (status => 204)
            : $outcome == RETRY ? (error => 'timed out',
                retry => $Now + HOUR + $i * SECOND)
            : (status => 500, error => "bad \e[31m", answer => 'secret'));
    }

    my @all = json($p, qw(delivery list));
    is(events(@all), "@{[reverse @events]}", 'of all, newest first');
    is_deeply([sort keys %{ $all[0] }], [sort qw(time account endpoint event
        webhook_id type lead attempt outcome status ms error)],
        'members of an attempt');
    is_deeply([map { $_->{time} } @all], [map { iso($_) } reverse @times],
        'times');
    is_deeply([map { $_->{lead} } @all], [reverse @leads], 'leads');
    like($_->{webhook_id}, qr/\A$UUID\z/, 'webhook-id') for @all[0 .. 2];
    is_deeply([@{ $all[29] }{qw(account endpoint type attempt outcome status
        ms error)}], ['acme', 'crm', 'lead.created', 1, 'delivered', 204, 100,
        undef], 'one that was delivered');
    is_deeply([@{ $all[26] }{qw(outcome status error)}],
        ['retry', undef, 'timed out'], 'one that is tried again');
    is_deeply([@{ $all[23] }{qw(outcome status error)}],
        ['given_up', 500, "bad \e[31m"], 'one given up');

    is(events(json($p, qw(delivery list --account acme))),
        join(' ', map { $events[$_] } grep { $_ % 3 != 2 } reverse 0 .. 29),
        '--account');
    is(events(json($p, qw(delivery list --endpoint crm))),
        join(' ', map { $events[$_] } grep { $_ % 3 != 1 } reverse 0 .. 29),
        '--endpoint, in all accounts');
    is(events(json($p, qw(delivery list --endpoint crm --account zenith))),
        join(' ', map { $events[$_] } grep { $_ % 3 == 2 } reverse 0 .. 29),
        'both');

    # times

    is(events(json($p, qw(delivery list --since), iso($times[25]))),
        "@{[reverse @events[25 .. 29]]}", '--since: from this on');
    is(events(json($p, qw(delivery list --until), iso($times[2] + 1000))),
        "@{[reverse @events[0 .. 2]]}", '--until: before this');
    is(events(json($p, qw(delivery list --since), iso($times[10]), '--until',
        iso($times[12]))), "@{[reverse @events[10 .. 11]]}", 'between');

    my $zone = POSIX::strftime('%Y-%m-%d %H:%M:%S',
        gmtime($times[20] / 1e6 + 5400));
    is(events(json($p, qw(delivery list --since), "$zone+01:30")),
        "@{[reverse @events[20 .. 29]]}", 'another zone');
    is(events(json($p, qw(delivery list --since), "$zone+0130")),
        "@{[reverse @events[20 .. 29]]}", '... in short');
    is(events(json($p, qw(delivery list --since 2020-01-01 --until 2020-01-02))),
        '', 'days');
    is(events(json($p, qw(delivery list --since 2020-01-01T10:30z))),
        events(@all), 'no seconds');

    # ago: a test that takes an hour has other worries

    is(events(json($p, 'delivery', 'list', '--since', $_)), events(@all),
        "--since $_") for qw(3h 180m 10800s 1d 1w);
    is(events(json($p, 'delivery', 'list', '--until', $_)), '', "--until $_")
        for qw(2h 120m 7200s 1d 1w);

    # pages

    my (@paged, @until);

    for my $page (1 .. 5) {
        my ($code, $out, $err) = leadctl($p, qw(--json delivery list --limit 7),
            @until);
        is($code, 0, "page $page");
        push @paged, map { $Json->decode($_) } split /\n/, $out;

        if ($page == 5) {
            is($err, '', 'the last page');
            last;
        }

        like($err, qr/\Aleadctl: there are more: --until (\S+)\n\z/,
            'there are more');
        @until = ('--until', $err =~ /--until (\S+)/);
    }

    is_deeply(\@paged, \@all, 'pages make the whole');

    # the table

    my ($code, $out, $err) = leadctl($p, qw(delivery list --limit 7));
    is($code, 0, 'the table');
    my @rows = split /\n/, $out;
    is(@rows, 8, 'a row an attempt');
    like($rows[1], qr/\A$TIME  zenith\/crm +$events[29] +lead\.created +$UUID +1 +delivered +204 +129\z/,
        'one that was delivered');
    like($rows[4], qr/ +given_up +500 +126 +bad \\x1b\[31m\z/,
        'one given up, with nothing a terminal obeys');
    like($rows[7], qr/ +retry +- +123 +timed out\z/, 'one without an answer');

    for (['list'], ['list', '--failed'], ['list', '--pending']) {
        for my $json ([], ['--json']) {
            (undef, $out) = leadctl($p, @$json, 'delivery', @$_);
            unlike($out, qr/personal|x\.test|secret/i,
                "@$_ @$json: nothing of a lead but its id, no answer");
        }
    }


    # ---- rows: given up

    my @failed = map { $events[$_] } grep { int($_ / 3) % 3 == GIVE_UP }
        reverse 0 .. 29;
    my @waiting = map { $events[$_] } grep { int($_ / 3) % 3 == RETRY }
        0 .. 29;

    @all = json($p, qw(delivery list --failed));
    is(events(@all), "@failed", '--failed: newest first');
    is_deeply([sort keys %{ $all[0] }], [sort qw(account endpoint event type
        lead time attempts state due)], 'members of a row');
    is_deeply([@{ $all[0] }{qw(account endpoint type lead time attempts state
        due)}], ['zenith', 'crm', 'lead.created', $leads[26],
        iso($Now - 2 * HOUR + 26), 1, 'given_up', undef], 'a row');
    is(events(json($p, qw(delivery list --failed --account acme --endpoint
        mail))), join(' ', map { $events[$_] } grep { $_ % 3 == 1
        && int($_ / 3) % 3 == GIVE_UP } reverse 0 .. 29),
        '--failed: of one endpoint');

    ($code, $out, $err) = leadctl($p, qw(--json delivery list --failed --limit
        4));
    is(events(map { $Json->decode($_) } split /\n/, $out),
        "@failed[0 .. 3]", '--failed: the newest of them');
    like($err, qr/there are more: raise --limit\n\z/, '... there are more');
    answers('as many as there are', $p, [qw(delivery list --failed --limit),
        scalar @failed], 0, qr/\A(?:.*\n){10}\z/, '');

    # of events of a time, which is not that of their attempts

    is(events(json($p, qw(delivery list --failed --since 90m))), '',
        '--failed --since: of the event');
    is(events(json($p, qw(delivery list --failed --since 3h --limit 3))),
        "@failed[0 .. 2]", '... there are some');
    is(events(json($p, qw(delivery list --failed --until 90m))),
        "@failed", '--failed --until');

    # ---- rows: waiting

    @all = json($p, qw(delivery list --pending));
    is(events(@all), "@waiting", '--pending: the first due first');
    is_deeply([@{ $all[0] }{qw(state attempts due)}],
        ['waiting', 1, iso($Now + HOUR + 3 * SECOND)], 'a row that waits');
    answers('--pending, a table', $p, [qw(delivery list --pending --limit 1)],
        0, qr/\ADUE .*\n$TIME  acme\/crm +$waiting[0] +lead\.created +$UUID +1 +$TIME\n\z/,
        qr/there are more/);
    answers('--failed, a table', $p, [qw(delivery list --failed --limit 1)],
        0, qr/\ADUE .*\nnever +zenith\/crm +$failed[0] /, qr/there are more/);

    is($p->end, 0, 'a clean end');
}


###############################################################################
# delivery show and retry

{
    my $p = plant();
    my $crm = $p->endpoint('acme', 'crm');
    my $mail = $p->endpoint('acme', 'mail');
    my $sms = $p->endpoint('acme', 'sms');
    my $idle = $p->endpoint('acme', 'idle');
    my ($other) = $p->event('acme', $Now - HOUR, $crm, $idle);
    my ($event, $lead) = $p->event('acme', $Now - HOUR, $crm, $mail, $sms);

    $p->settle($crm, $event, RETRY, time => $Now - 50 * SECOND, status => 503,
        error => 'status 503', answer => "busy\r\n\e[2J\xff",
        retry => $Now - 45 * SECOND);
    $p->settle($crm, $event, DELIVERED, time => $Now - 45 * SECOND, ms => 7,
        status => 200, answer => '{"ok":true}');
    $p->settle($mail, $event, RETRY, time => $Now - 40 * SECOND,
        error => 'refused', retry => $Now + HOUR);
    $p->settle($sms, $event, GIVE_UP, time => $Now - 30 * SECOND,
        status => 410, error => 'gone', state => GONE);
    $p->settle($crm, $other, DELIVERED, time => $Now - 44 * SECOND,
        status => 200);

    my ($shown) = json($p, qw(delivery show), $event);
    my $id = $shown->{webhook_id};
    like($id, qr/\A$UUID\z/, 'show: its webhook-id');
    is_deeply([@$shown{qw(event type time account lead)}],
        [$event + 0, 'lead.created', iso($Now - HOUR), 'acme', $lead],
        'show: the event');
    is_deeply([map { @$_{qw(endpoint state due webhook_state)} }
        @{ $shown->{endpoints} }],
        ['crm', 'delivered', undef, 'enabled',
         'mail', 'waiting', iso($Now + HOUR), 'enabled',
         'sms', 'given_up', undef, 'gone'],
        'show: each endpoint it was written for');
    is_deeply($shown->{endpoints}[0]{attempts}, [
        { time => iso($Now - 45 * SECOND), attempt => 2, status => 200,
          outcome => 'delivered', ms => 7, error => undef,
          answer => '{"ok":true}' },
        { time => iso($Now - 50 * SECOND), attempt => 1, status => 503,
          outcome => 'retry', ms => 12, error => 'status 503',
          answer => "busy\r\n\e[2J\x{fffd}" } ],
        'show: all attempts, newest first, with answers');
    is_deeply([map { $_->{outcome} } @{ $shown->{endpoints}[2]{attempts} }],
        ['given_up'], 'show: of each endpoint its own');

    my $text = answers('show', $p, [qw(delivery show), $event], 0,
        qr/\Aevent +$event\nwebhook-id +$id\ntype +lead\.created\ntime +$TIME\naccount +acme\nlead +$lead\n\ncrm: delivered\nTIME +ATTEMPT +OUTCOME +STATUS +MS +ERROR +ANSWER\n$TIME +2 +delivered +200 +7 +\{"ok":true\}\n$TIME +1 +retry +503 +12 +status 503 +busy\\x0d\\x0a\\x1b\[2J\\xff\n\nmail: waiting, due $TIME\nTIME .*\n.*refused\n\nsms: given_up, the webhook is gone\nTIME .*\n.*gone\n\z/,
        '');

    for ($id, uc $id, "msg_$id", "evt_$id") {
        is((json($p, qw(delivery show), $_))[0]{event}, $event,
            "show: by webhook-id $_");
    }

    my ($unsent) = json($p, qw(delivery show), $other);
    is_deeply([map { @$_{qw(endpoint state)} } @{ $unsent->{endpoints} }],
        [qw(crm delivered idle waiting)], 'show: one without an attempt');
    is_deeply($unsent->{endpoints}[1]{attempts}, [], '... has none');

    my ($new, $new_lead) = $p->event('acme', $Now - SECOND, $idle);
    ($unsent) = json($p, qw(delivery show), $new);
    like($unsent->{webhook_id}, qr/\A$UUID\z/,
        'show: the id of what was never tried');
    is_deeply([@$unsent{qw(type time lead)}],
        ['lead.created', iso($Now - SECOND), $new_lead], '... and the event');
    is((json($p, qw(delivery show), $unsent->{webhook_id}))[0]{event}, $new,
        '... which is found by it');

    (my $near = $id) =~ s/(.)\z/$1 eq '0' ? '1' : '0'/e;
    answers("show $_", $p, [qw(delivery show), $_], 1, '',
        qr/\Aleadctl: no delivery of event $_ is known: .*\n\z/)
        for $near, 999999, '018c0000-0000-7000-8000-000000000000';

    # once more

    answers('retry: what waits and what was given up', $p,
        [qw(delivery retry), $event], 0, "event $event: 2 due now\n",
        qr/\Aleadctl: webhook acme\/sms is gone: what is due to it waits until leadctl webhook enable sms --account acme\n\z/);
    ($shown) = json($p, qw(delivery show), $event);
    is_deeply([map { $_->{state} } @{ $shown->{endpoints} }],
        [qw(delivered waiting waiting)], '... waits');
    my @pending = grep { $_->{event} == $event }
        json($p, qw(delivery list --pending));
    is(@pending, 2, '... both');
    is_deeply([map { $_->{attempts} } @pending], [0, 0],
        '... and counts its attempts anew');
    cmp_ok($_->{due}, 'le', iso(Time::HiRes::time() * 1e6), '... due now')
        for @pending;

    $p->settle($mail, $event, RETRY, time => $Now - 10 * SECOND,
        error => 'refused', retry => $Now + HOUR);
    answers('retry: at one endpoint, by the id', $p,
        [qw(--json delivery retry), $id, qw(--endpoint mail --account acme)],
        0, qq({"event":$event,"due":1}\n), '');
    answers('retry: nothing left', $p, [qw(delivery retry), $event,
        qw(--endpoint crm)], 1, '',
        qr/\Aleadctl: nothing of event $event waits for a later attempt or was given up\n\z/);
    answers('retry: no such event', $p, [qw(delivery retry 999999)], 1, '',
        qr/\Aleadctl: nothing of event 999999 waits for/);
    answers('retry: no such id', $p, [qw(delivery retry), $near], 1, '',
        qr/\Aleadctl: no delivery of event $near is known/);

    # what has expired is shown as such

    my ($old) = $p->event('acme', $Now - 40 * DAY, $crm);
    $p->settle($crm, $old, GIVE_UP, time => $Now - HOUR, error => 'old');
    is((json($p, qw(delivery show), $old))[0]{endpoints}[0]{state}, 'given_up',
        'show: given up, not yet expired');
    $p->say('sweep', $Now);
    is((json($p, qw(delivery show), $old))[0]{endpoints}[0]{state}, 'expired',
        'show: expired, and its log still there');

    is($p->end, 0, 'a clean end');
}


###############################################################################
# delivery replay

{
    my $p = plant();
    my $crm = $p->endpoint('acme', 'crm');
    my $mail = $p->endpoint('acme', 'mail');
    my ($code, $out, $err);

    # more than are made due in one transaction, or read in one

    $p->fill($p->endpoint('acme', 'sms'), 'acme', 1000, $Now - 4 * DAY,
        GIVE_UP, $Now - 4 * DAY);
    my @failed = $p->fill($crm, 'acme', 1000, $Now - 3 * DAY, GIVE_UP,
        $Now - 3 * DAY + HOUR);
    my @failed2 = $p->fill($crm, 'acme', 200, $Now - 3 * DAY + SECOND, GIVE_UP,
        $Now - 3 * DAY + HOUR);
    my @delivered = $p->fill($crm, 'acme', 800, $Now - 3 * DAY + 2 * SECOND,
        DELIVERED, $Now - 3 * DAY + HOUR);
    my @waiting = $p->fill($crm, 'acme', 1000, $Now - 3 * DAY + 3 * SECOND,
        RETRY, $Now - 3 * DAY + HOUR, $Now + HOUR);

    # ... of which some are of two days ago, one a second

    for my $i (0 .. 9) {
        my ($event) = $p->event('acme', $Now - 2 * DAY + $i * SECOND, $crm,
            $i < 3 ? $mail : ());
        $p->settle($crm, $event, $i % 2 ? GIVE_UP : DELIVERED,
            time => $Now - DAY + $i * SECOND, status => 200);
    }

    # the whole of them, as leadctl lists them

    my @log = map { $_->{event} } json($p, qw(delivery list --limit 1000000
        --endpoint crm));
    is(@log, 3010, 'list: a long log');
    my %once = map { $_ => 1 } @log;
    is(keys %once, 3010, '... each attempt once');
    is_deeply([@log[10 .. 3009]],
        [reverse $failed[0] .. $waiting[1]], '... newest first');
    ($code, $out, $err) = leadctl($p, qw(delivery list --limit 600));
    is(scalar(() = $out =~ /^TIME /mg), 1, 'list: one line of titles');
    is(scalar(() = $out =~ /\n/g), 601, '... a row an attempt');

    my @list = json($p, qw(delivery list --failed --limit 8));
    is_deeply([map { $_->{event} } @list[5 .. 7]],
        [reverse $failed2[1] - 2 .. $failed2[1]],
        'list: the newest of what was given up');
    is(scalar(@list = json($p, qw(delivery list --failed --limit 2000
        --endpoint crm))), 1205, '... all of it');
    is(events(json($p, qw(delivery list --pending --limit 3 --endpoint crm))),
        join(' ', $waiting[0] .. $waiting[0] + 2), 'list: the first that wait');

    my $old = $log[-1];
    is((json($p, qw(delivery show), $old))[0]{endpoints}[0]{state}, 'given_up',
        'show: the oldest of a long log');
    my $id = (json($p, qw(delivery show), $old))[0]{webhook_id};
    is((json($p, qw(delivery show), $id))[0]{event}, $old, '... by its id');

    # replay

    my @of = qw(--account acme --endpoint crm);
    my $waits = hook($p, 'acme', 'crm')->{pending};

    is($waits, 1000, 'replay: so many wait');
    answers('replay: of no time', $p, [qw(delivery replay), @of,
        qw(--since 1d)], 0, "0 due now\n", '');
    answers('replay: given up, of a time', $p, [qw(--json delivery replay), @of,
        '--failed', '--since', iso($Now - 2 * DAY), '--until',
        iso($Now - 2 * DAY + 8 * SECOND)], 0, qq({"due":4}\n), '');

    my %due;
    $due{ $_->{due} }++
        for json($p, qw(delivery list --pending --limit 2000), @of);
    is($due{ iso($Now + HOUR) }, 1000, 'replay: what waits is not touched');

    answers('replay: all given up', $p, [qw(delivery replay), @of,
        '--failed'], 0, "1201 due now\n", '');
    is(hook($p, 'acme', 'crm')->{failed}, 0, '... none is left');
    is(hook($p, 'acme', 'crm')->{pending}, $waits + 1205, '... all wait');

    answers('replay: what was delivered, too', $p, [qw(delivery replay), @of],
        0, "805 due now\n", '');
    is(hook($p, 'acme', 'crm')->{pending}, $waits + 2010, '... waits');
    answers('replay: nothing twice', $p, [qw(delivery replay), @of], 0,
        "0 due now\n", '');
    is(hook($p, 'acme', 'mail')->{pending}, 3,
        'replay: other webhooks are left alone');

    answers('replay: of a disabled one', $p, [qw(webhook disable mail --account
        acme)], 0, qr/disabled/, '');
    my ($event) = map { $_->{event} }
        json($p, qw(delivery list --pending --endpoint mail --limit 1));
    $p->settle($mail, $event, GIVE_UP, time => $Now);
    answers('... is said', $p, [qw(delivery replay --account acme --endpoint
        mail --failed)], 0, "1 due now\n",
        qr/\Aleadctl: webhook acme\/mail is disabled: .*\n\z/);

    is((leadctl($p, 'check'))[0], 0, 'replay: the store is sound');
    is($p->end, 0, 'a clean end');
}


###############################################################################
# webhook test

{
    my $p = plant();
    my $crm = $p->endpoint('acme', 'crm');

    # leadctl waits, while the test does a worker's part

    my $tested = sub {
        my ($outcome, $args, %how) = @_;

        my $run = "$Tmp/run" . $Runs++;
        my $pid = spawn([$Leadctl, '--store', $p->{dir}, @$args,
            qw(webhook test crm --account acme --wait 10m)],
            stdout => "$run.out", stderr => "$run.err");
        my ($row, $status);

        ok(wait_until(sub {
            ($row) = map { $Json->decode($_) } split /\n/,
                (leadctl($p, qw(--json delivery list --pending)))[1];
            return $row;
        }, 20 * slow()), 'test: it is in the outbox');

        ok(alive($pid), 'test: and leadctl waits');
        is_deeply([@$row{qw(type lead attempts)}], ['webhook.test', undef, 0],
            'test: of no lead');

        $p->settle($crm, $row->{event}, $outcome,
            time => int(Time::HiRes::time() * 1e6), %how);

        ok(wait_until(sub {
            my $got = waitpid $pid, POSIX::WNOHANG();
            $status = $? if $got == $pid;
            return $got == $pid;
        }, 20 * slow()), 'test: then it ends');

        return ($row->{event}, collected($run, $status));
    };

    my ($event, $code, $out, $err) = $tested->(DELIVERED, [], status => 200,
        ms => 31, answer => "thank\e[1m you");
    is($code, 0, 'test: delivered');
    is($out, "event $event: delivered, status 200, 31 ms\nanswer: thank\\x1b[1m you\n",
        'test: says so, and shows the answer safely');
    is($err, '', 'test: and nothing else');

    ($event, $code, $out, $err) = $tested->(GIVE_UP, ['--json'], status => 410,
        error => 'status 410', answer => 'gone');
    is($code, 1, 'test: not delivered');
    my $said = $Json->decode($out);
    like(delete $said->{webhook_id}, qr/\A$UUID\z/, 'test --json: webhook-id');
    is_deeply($said, { event => $event, delivered => JSON::PP::false,
        attempt => 1, outcome => 'given_up', status => 410, ms => 12,
        error => 'status 410', answer => 'gone' }, 'test --json: the rest');

    ($event, $code, $out, $err) = $tested->(RETRY, [],
        error => 'connection refused', retry => $Now + DAY);
    is($code, 1, 'test: tried again later');
    is($out, "event $event: retry, 12 ms\nerror: connection refused\n",
        'test: why');

    my ($shown) = json($p, qw(delivery show), $event);
    is_deeply([@$shown{qw(type lead)}], ['webhook.test', undef],
        'test: it is shown as such');

    answers('test: nobody is there', $p,
        [qw(webhook test crm --account acme --wait 1s)], 1, '',
        qr/\Aleadctl: no worker has sent it: is nginx running with this endpoint configured\? .*\n\z/);
    answers('test --json: nobody is there', $p,
        [qw(--json webhook test crm --account acme --wait 1s)], 1,
        qr/\A\{"event":\d+,"delivered":false\}\n\z/, qr/no worker has sent it/);

    is((leadctl($p, 'check'))[0], 0, 'test: the store is sound');
    is($p->end, 0, 'a clean end');
}


done_testing();
