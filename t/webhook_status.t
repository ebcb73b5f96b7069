# Copyright (C) the ngx_lead authors
#
# What the status page says of webhooks: totals of all workers, and each
# endpoint the store knows, whether the configuration has it or not.

use strict;
use warnings;

use FindBin ();
use JSON::PP ();
use Test::More;

use lib "$FindBin::Bin/lib";
use Test::Lead qw(wait_until);
use Test::Lead::Process qw(slow);
use Test::Lead::Webhook ();

my ($True, $False) = (JSON::PP::true, JSON::PP::false);
my $Time = qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\z/;
my $Second = 'lead_account second { webhook crm http://192.0.2.2/ '
    . 'format=kickofflabs; }';


sub webhooks {
    my ($t) = @_;

    return $t->status->{webhooks};
}


# what has stopped changing

sub settled {
    my ($t, %want) = @_;

    my $got;

    wait_until(sub {
        $got = webhooks($t);
        return !grep { $got->{$_} != $want{$_} } keys %want;
    }, 20 * slow());

    return $got;
}


sub row {
    my ($webhooks, $account, $name) = @_;

    my ($row) = grep { $_->{account} eq $account && $_->{name} eq $name }
        @{ $webhooks->{endpoints} };

    return $row;
}


sub totals {
    my ($webhooks) = @_;

    return { map { $_ => $webhooks->{$_} }
        grep { $_ ne 'endpoints' } keys %$webhooks };
}


# ---- one that answers, one that is refused and is asked once more in a
# month, one that nothing is sent to

my $t = Test::Lead::Webhook->new(workers => 2);
my $r = $t->receiver;

sub hooks {
    my ($crm) = @_;

    return join '', $t->hook($crm => $r->url('/crm'), 'events=lead.created'),
        $t->hook(far => 'http://192.0.2.1/', 'events=lead.created'),
        $t->hook(idle => $r->url('/idle'), 'events=lead.assigned');
}

$t->configure(schedule => '0 30d', hooks => hooks('crm'), http => $Second);
$t->start;

{
    my $got = webhooks($t);

    is_deeply(totals($got), { map { $_ => 0 } qw(attempts delivered
        failed_attempts retried given_up disabled) }, 'at first: nothing');
    is_deeply([sort { "$a->{account}/$a->{name}" cmp "$b->{account}/$b->{name}"
        } @{ $got->{endpoints} }], [map {
        { account => $_->[0], name => $_->[1], configured => $True,
          state => 'enabled', pending => 0, failed => 0, delivered => 0,
          failing_since => undef, lag => 0 }
    } [qw(acme crm)], [qw(acme far)], [qw(acme idle)], [qw(second crm)]],
        'at first: all endpoints, and nothing of each');
}

$t->create for 1 .. 3;

{
    my $got = settled($t, attempts => 6, delivered => 3, retried => 3);

    is_deeply(totals($got), { attempts => 6, delivered => 3, retried => 3,
        failed_attempts => 3, given_up => 0, disabled => 0 }, 'then: totals');

    wait_until(sub {
        $got = webhooks($t);
        return row($got, qw(acme crm))->{delivered} == 3
            && row($got, qw(acme far))->{failing_since};
    }, 20 * slow());

    is_deeply(row($got, qw(acme crm)), { account => 'acme', name => 'crm',
        configured => $True, state => 'enabled', pending => 0, failed => 0,
        delivered => 3, failing_since => undef, lag => 0 }, 'then: delivered');

    my $far = row($got, qw(acme far));
    like(delete $far->{failing_since}, $Time, 'then: failing since');
    is_deeply($far, { account => 'acme', name => 'far', configured => $True,
        state => 'enabled', pending => 3, failed => 0, delivered => 0,
        lag => 0 }, 'then: waiting, and not late');

    is(row($got, qw(acme idle))->{delivered}, 0, 'then: nothing sent');
}


# ---- disabled, and so late; lag begins with the first full second

$t->ctl(qw(webhook disable idle --account acme));
$t->ctl(qw(webhook disable crm --account acme));
ok($t->reload, 'disabled: who sends knows of it');
$t->create;

{
    my $got;

    ok(wait_until(sub {
        $got = webhooks($t);
        return row($got, qw(acme crm))->{lag} > 0;
    }, 20 * slow()), 'disabled: it is late');

    is(row($got, qw(acme crm))->{state}, 'disabled', 'disabled: it says so');
    is(row($got, qw(acme crm))->{pending}, 1, 'disabled: it waits');
    is(row($got, qw(acme idle))->{lag}, 0, 'disabled: nothing is late there');
}


# ---- what the configuration no longer has: a webhook, an account

$t->configure(schedule => '0 30d', hooks => hooks('renamed'));
ok($t->reload, 'gone: a reload');

{
    my $got = settled($t, attempts => 7);

    is($got->{delivered}, 3, 'gone: totals are those since the start');
    is(row($got, qw(acme crm))->{configured}, $False, 'gone: a webhook');
    is(row($got, qw(acme crm))->{pending}, 1, 'gone: keeps what it has');
    is(row($got, qw(second crm))->{configured}, $False, 'gone: an account');
    is(row($got, qw(acme renamed))->{configured}, $True, 'gone: a new one');
    is(scalar @{ $got->{endpoints} }, 5, 'gone: five in all');
}


# ---- at the end of the schedule, and at once

$t->configure(schedule => '0', hooks => hooks('crm')
    . $t->hook(bye => $r->url('/bye'), 'events=lead.created'));
ok($t->reload, 'the end: a reload');
$r->plan({ match => { url => '^/bye' }, status => 410 });
$t->create;

{
    my $got = settled($t, given_up => 1, disabled => 1);

    is($got->{given_up}, 1, 'the end: one is given up');
    is($got->{disabled}, 1, 'the end: an endpoint is disabled');

    wait_until(sub {
        $got = webhooks($t);
        return row($got, qw(acme far))->{failed}
            && row($got, qw(acme bye))->{state} ne 'enabled';
    }, 20 * slow());

    is(row($got, qw(acme far))->{failed}, 1, 'the end: it is kept');
    is(row($got, qw(acme bye))->{state}, 'gone', 'the end: it answered 410');
    is($got->{failed_attempts}, $got->{retried} + $got->{given_up},
        'the end: what failed is tried again or given up');
}


# ---- nothing personal, no URL, no secret

{
    my $text = $t->http('GET', '/status')->{body};

    unlike($text, qr/Ada|example|whsec|192\.0\.2|127\.0\.0\.1/,
        'the page shows no lead, no URL and no secret');
}

$t->check_end('a clean end');


# ---- the store cannot be opened

{
    my $away = Test::Lead::Webhook->new;

    $away->configure(hooks => $away->hook(crm => 'http://127.0.0.1:1/'));
    $away->write_file('store/lead.mdb', "no store\n");
    $away->Test::Lead::start;

    my $got = webhooks($away);

    is($got->{attempts}, 0, 'no store: totals');
    is($got->{endpoints}, undef, 'no store: and no endpoints');
    $away->check_end('no store: a clean end');
}


done_testing();
