# Copyright (C) the ngx_lead authors
#
# An nginx with one account and webhooks, for the suites of delivering: it is
# configured, gets leads, and its outbox is looked at with leadctl.
#
#     my $t = Test::Lead::Webhook->new;
#     my $r = $t->receiver;
#     $t->configure(hooks => $t->hook(crm => $r->url('/hook')));
#     $t->start;
#     my $id = $t->create;
#     $t->wait_settled;
#
# All that Test::Lead can do, it can. Names of endpoints are unique in a test.

package Test::Lead::Webhook;

use strict;
use warnings;

use parent 'Test::Lead';

use Exporter qw(import);
use Digest::SHA qw(hmac_sha256);
use JSON::PP ();
use MIME::Base64 qw(decode_base64 encode_base64);
use Test::More ();
use Time::HiRes qw(sleep);
use Time::Local qw(timegm);

use Test::Lead qw(wait_until);
use Test::Lead::Process qw(slow);
use Test::Lead::Receiver ();

our @EXPORT_OK = qw(all_arrived once);
our $Secret = 'whsec_' . encode_base64('0123456789abcdef' x 2, '');

my $Json = JSON::PP->new->utf8->canonical;
my $Number = 0;


sub receiver {
    my ($self, %opt) = @_;

    return Test::Lead::Receiver->new(dir => $self->dir, %opt);
}


# a line of configuration; more words may follow, and "secret=" among them

sub hook {
    my ($self, $name, $url, @more) = @_;

    unshift @more, "secret=$Secret"
        if !grep { /^(?:secret|secret_file|format)=/ } @more;

    return "webhook $name $url @more;\n";
}


# Writes the configuration.  Options: hooks, lines of the account; http, lines
# of http{}; events, those of events{}; allow, networks; schedule, words.

sub configure {
    my ($self, %opt) = @_;

    my $allow = $opt{allow} // '127.0.0.0/8 ::1/128';

    $allow = "lead_webhook_allow $allow;" if length $allow;

    $self->write_conf(($opt{events} ? "events { $opt{events} }\n" : '')
        . <<"_EOC_");
http {
    lead_store  %%DIR%%/store size=256m;
    $allow
    lead_webhook_schedule @{[ $opt{schedule} // '0 5s 5m 30m' ]};
    @{[ $opt{http} // '' ]}

    lead_account acme {
        user      a1b2c3d4-0000-4000-8000-000000000000 "name=Ann Lee";
        campaign  spring number=100 key=optional url=https://example.com/;
        campaign  autumn number=200 key=optional url=https://example.com/;

        pipeline stage {
            stage new  name=New  default;
            stage won  name=Won;
            stage lost name=Lost terminal;
        }

        source zapier name=Zapier;
        data note;

        @{[ $opt{hooks} // '' ]}
    }

    server {
        listen 127.0.0.1:%%PORT%%;

        location /api/     { lead_api lawfficient; }
        location /v2/      { lead_api kickofflabs; }
        location = /status { lead_status json; }
    }
}
_EOC_

    return $self;
}


sub start {
    my ($self) = @_;

    $self->SUPER::start;
    $self->{key} //= $self->add_key;

    return $self;
}


# ---- leadctl

# what it said; the test ends if it fails

sub ctl {
    my ($self, @args) = @_;

    my ($code, $out, $err) = $self->leadctl('--store', $self->dir . '/store',
        @args);

    die "leadctl @args: $code: $err\n" if $code != 0;

    return $out;
}


# what it said with --json, as a list: a document for each line, or an array

sub json {
    my ($self, @args) = @_;

    my $text = $self->ctl('--json', @args);
    my @rows = map { $Json->decode($_) } grep { /\S/ } split /\n/, $text;

    return map { ref $_ eq 'ARRAY' ? @$_ : $_ } @rows;
}


sub add_key {
    my ($self) = @_;

    return $self->ctl(qw(key add --account acme)) =~ s/\n\z//r;
}


# an endpoint of the account, by its name; undef: the store has none

sub endpoint {
    my ($self, $name) = @_;

    my ($row) = grep { $_->{name} eq $name } $self->json(qw(webhook list));

    return $row;
}


# Waits until nothing is to be delivered any more; of some endpoints, or of all.
# True if that is so.

sub wait_settled {
    my ($self, @names) = @_;

    my %want = map { $_ => 1 } @names;

    return $self->wait_ctl(sub {
        my @rows = grep { !%want || $want{ $_->{name} } }
            $self->json(qw(webhook list));
        return @rows >= (@names || 1) && !grep { $_->{pending} } @rows;
    }, 60 * slow());
}


# as wait_until, for what asks leadctl: a process each time, which takes more
# from what is waited for

sub wait_ctl {
    my ($self, $condition, $timeout) = @_;

    my $pause = 0.01;

    return wait_until(sub {
        my $got = $condition->();

        sleep $pause if !$got;
        $pause *= 1.5 if $pause < 0.2;

        return $got;
    }, $timeout // 20 * slow());
}


# rows of the outbox: those that wait, then those given up; times are
# microseconds

sub rows {
    my ($self, $name) = @_;

    return map { timed($_) } map {
        $self->json(qw(delivery list --limit 1000000 --account acme),
            '--endpoint', $name, $_)
    } qw(--pending --failed);
}


# attempts of an endpoint, the newest first

sub attempts {
    my ($self, $name) = @_;

    return map { timed($_) } $self->json(
        qw(delivery list --limit 1000000 --account acme --endpoint), $name);
}


sub wait_attempts {
    my ($self, $name, $n) = @_;

    my @got;

    $self->wait_ctl(sub {
        @got = $self->attempts($name);
        return @got >= $n;
    });

    return @got;
}


# makes due what waits for a later attempt

sub again {
    my ($self, @names) = @_;

    $self->ctl(qw(webhook enable --account acme), $_) for @names;
}


sub timed {
    my ($row) = @_;

    for my $time (grep { defined } @{$row}{qw(time due)}) {
        my ($y, $m, $d, $H, $M, $S, $ms) = $time
            =~ /^(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)\.(\d{3})Z\z/
            or die "what time is $time?\n";
        $time = (timegm($S, $M, $H, $d, $m - 1, $y) * 1000 + $ms) * 1000;
    }

    return $row;
}


sub status {
    my ($self) = @_;

    return $Json->decode($self->http('GET', '/status')->{body});
}


sub sound {
    my ($self, $name) = @_;

    my ($code, $out, $err) = $self->leadctl('--store', $self->dir . '/store',
        'check');

    Test::More::is($code, 0, "$name: the store is sound")
        or Test::More::diag($out, $err);
}


# ---- leads

sub auth {
    my ($self, @more) = @_;

    return ['Authorization', "Bearer $self->{key}", @more];
}


# as parallel() takes it

sub creation {
    my ($self, %fields) = @_;

    $Number++;

    return ['POST', '/api/leads', $self->auth, $Json->encode({
        first_name => 'Ada', last_name => "No $Number", source => 'test',
        email => "ada$Number\@example.com", %fields })];
}


# a lead's id

sub create {
    my ($self, %fields) = @_;

    return $self->created($self->http(@{ $self->creation(%fields) }));
}


sub created {
    my ($self, $res) = @_;

    die 'no lead: ' . ($res->{error} // "$res->{status} $res->{body}") . "\n"
        if ($res->{status} // 0) != 201;

    return $Json->decode($res->{body})->{id};
}


# many leads at a time; their ids

sub create_many {
    my ($self, $n, %fields) = @_;

    return map { $self->created($_) } $self->parallel(
        [map { $self->creation(%fields) } 1 .. $n], concurrency => 50);
}


sub patch {
    my ($self, $id, %fields) = @_;

    my $res = $self->http('PATCH', "/api/leads/$id", $self->auth,
        $Json->encode(\%fields));

    die "no patch: $res->{status} $res->{body}\n" if $res->{status} != 200;
}


# in a campaign, by its number

sub sign_up {
    my ($self, $campaign, %fields) = @_;

    my $res = $self->http('POST', "/v2/$campaign",
        ['Content-Type', 'application/json'], $Json->encode(\%fields));

    die "no sign-up: $res->{status} $res->{body}\n" if $res->{status} != 200;

    return $Json->decode($res->{body});
}


# ---- deliveries, as receivers saw them

# Tests: every lead has arrived; what came again was the same event.

sub all_arrived {
    my ($name, $leads, @requests) = @_;

    my (%n, %ids);
    local $Test::Builder::Level = $Test::Builder::Level + 1;

    for my $request (@requests) {
        my $lead = $request->{lead} // 'none';

        $n{$lead}++;
        $ids{$lead}{ $request->{id} // 'none' } = 1;
    }

    my @lost = grep { !$n{$_} } @$leads;
    my @twice = grep { keys %$_ > 1 } values %ids;

    Test::More::ok(!@lost, "$name: no lead is lost")
        or Test::More::diag(@lost . ' of ' . @$leads . " are, as $lost[0]");
    Test::More::ok(!@twice, "$name: what comes again has the same id")
        or Test::More::diag(scalar @twice);
}


# ... and each of them once

sub once {
    my ($name, $leads, @requests) = @_;

    my %n;
    local $Test::Builder::Level = $Test::Builder::Level + 1;

    all_arrived($name, $leads, @requests);
    $n{ $_->{lead} // 'none' }++ for @requests;

    Test::More::is(scalar @requests, scalar @$leads, "$name: each came once")
        or Test::More::diag(map { "$_: $n{$_}\n" }
            grep { $n{$_} > 1 } sort keys %n);
}


sub body {
    my ($request) = @_;

    return eval { $Json->decode($request->{body}) } // {};
}


# is a delivery signed, by the letter of Standard Webhooks 1.0.0, with this?

sub signed {
    my ($request, $secret) = @_;

    my $key = decode_base64(($secret // $Secret) =~ s/^whsec_//r);
    my ($id, $time, $list) = map { $request->{header}{"webhook-$_"} // '' }
        qw(id timestamp signature);
    my $right = 'v1,'
        . encode_base64(hmac_sha256("$id.$time.$request->{body}", $key), '');

    return scalar grep { $_ eq $right } split / /, $list;
}


1;
