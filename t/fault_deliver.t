# Copyright (C) the ngx_lead authors
#
# Webhooks while something is refused: each allocation of a delivery, over HTTP
# and TLS, then each write and sync of the store while deliveries are settled.
# No event is lost, and the worker lives on.

use strict;
use warnings;

use Errno qw(EIO ENOSPC);
use FindBin ();
use JSON::PP ();
use Test::More;

use lib "$FindBin::Bin/lib";
use Test::Lead qw(wait_until);
use Test::Lead::Certificate ();
use Test::Lead::Process qw(find_program slow);
use Test::Lead::Fault ();
use Test::Lead::Receiver ();
use Test::Lead::Webhook ();

plan skip_all => 'no openssl here' if !find_program('openssl');

my $Json = JSON::PP->new->utf8;
my @Dialects = @Test::Lead::Fault::Dialects;

my $T = Test::Lead::Fault->new(fault => 1, http => 'lead_webhook_allow '
    . "127.0.0.0/8;\n lead_webhook_schedule 0@{[ ' 1s' x 31 ]};",
    account => '%%HOOKS%%');
my $Ca = Test::Lead::Certificate->new(dir => $T->dir);
my ($Cert, $Pem) = $Ca->issue('receiver', names => 'IP:127.0.0.1');

my %receiver = (
    plain => Test::Lead::Receiver->new(dir => $T->dir),
    tls => Test::Lead::Receiver->new(dir => $T->dir, tls => { cert => $Cert,
        key => $Pem }),
);

my $hooks = join '', map {
    "webhook $_ " . $receiver{$_}->url("/$_") . ($_ eq 'tls' ? ' ssl_trusted='
        . $Ca->file : '') . " concurrency=1 keepalive=0 events=lead.created "
        . "secret=$Test::Lead::Webhook::Secret;\n"
} sort keys %receiver;

$T->write_conf($T->{conf} =~ s/%%HOOKS%%/$hooks/r
    =~ s/^\s+access_log.*\n//mr =~ s/^\s+\w+_temp_path.*\n//mgr);
$T->start;


# the worker need not wait for the next attempt: time passes, and it is asked

my $Seconds = 0;

sub later {
    $T->pass_time($Seconds += 2);
    $T->http('GET', '/other');
}


sub arrived {
    my ($name, $lead) = @_;

    return scalar grep { ($_->{lead} // '') eq $lead }
        $receiver{$name}->requests;
}


# all that was acknowledged is at both of them, sooner or later

sub delivered {
    my ($name) = @_;

    my %missing;

    my $done = wait_until(sub {
        later();
        %missing = ();

        for my $at (sort keys %receiver) {
            my %there = map { ($_->{lead} // '') => 1 }
                $receiver{$at}->requests;
            my @not = grep { !$there{$_} } keys %{ $T->{acked} };
            $missing{$at} = @not if @not;
        }

        return !%missing;
    }, 60 * slow());

    ok($done, "$name: each lead has arrived at each endpoint ("
        . keys(%{ $T->{acked} }) . ')') or diag(explain(\%missing));
}


# Each allocation of a create and of its deliveries (or each so many), until five
# in a row, one of each dialect, have had all they want.

sub each_refused {
    my ($name, $step, $fail, $refused) = @_;

    my ($hits, $enough) = (0, 0);

    for (my $n = 20; $enough < @Dialects && $n < 1000; $n += $step) {
        $fail->($n);
        my $res = $T->create($Dialects[$n % @Dialects]);
        my $lead = $res->{headers}{'x-lead'} // '';

        # it has hit somebody, or there was nothing left to hit
        wait_until(sub {
            $refused->() || arrived('plain', $lead) && arrived('tls', $lead);
        }, 10 * slow()) if Test::Lead::Fault::made($res);

        my $hit = $refused->();
        $T->calm;
        later();

        $hits += $hit && Test::Lead::Fault::made($res);
        $enough = $hit ? 0 : $enough + 1;
    }

    cmp_ok($hits, '>', 30, "$name: deliveries went without ($hits)");
    delivered($name);
}


each_refused("the module's memory", 1, sub { $T->fail_pool(from => $_[0]) },
    sub { $T->pool_hits });

SKIP: {
    skip('a sanitizer has an allocator of its own', 2)
        if Test::Lead::Fault::sanitized() || $ENV{TEST_NGINX_USE_VALGRIND};

    each_refused('all memory', 3, sub {
        $T->fail_memory(from => $_[0], first => 1)
    }, sub { $T->memory_hits });
}


# ---- the disk, while deliveries are claimed and settled

for my $way (['i/o error', EIO], ['no space', ENOSPC], ['short', 0]) {
    my ($name, $err) = @$way;

    for my $n (1 .. 12) {
        my $dialect = $Dialects[$n % @Dialects];

        # those of the create, and then those of its delivery
        $T->fail_disk(from => $n, to => $n, err => $err);
        my $res = $T->create($dialect);
        my $lead = $res->{headers}{'x-lead'} // '';

        wait_until(sub {
            $T->disk_hits || arrived('plain', $lead) && arrived('tls', $lead);
        }, 10 * slow()) if Test::Lead::Fault::made($res);

        $T->calm;
        later();
        $T->recovers($dialect, "$name, step $n");
    }

    delivered($name);
}

# nothing is left to be sent

my @rows;

ok(wait_until(sub {
    later();
    @rows = map { $Json->decode($_) } split /\n/,
        $T->ctl(qw(--json webhook list));
    return @rows == 2 && !grep { $_->{pending} || $_->{failed} } @rows;
}, 30 * slow()), 'in the end nothing waits, and nothing is given up')
    or diag(explain(\@rows));

# nginx and OpenSSL say that much of it
$T->allow(qr/\[alert\].* \(SSL: error:.* while (?:in the TLS|sending a)/,
    qr/\[emerg\].*malloc\(\d+\) failed \(12: /,
    qr/\[emerg\].*posix_memalign\(\d+, \d+\) failed \(12: /);
$T->finish('deliveries', silent => 'maybe');

done_testing();
