# Copyright (C) the ngx_lead authors
#
# Compares a store with the model, while nobody asks anything: every lead, all
# counters, events, rows of the outbox and what was delivered by number, and
# some leads by their history and through the vendors' APIs.
#
# A lead that nobody has touched since the last time must be the same to the
# byte, and is not read again.

package Check;

use strict;
use warnings;

use Digest::MD5 qw(md5);
use List::Util qw(shuffle);

use Json ();
use Model ();
use Rules ();
use Server ();

use constant {
    HISTORIES => 25,                 # leads whose events are read each time
    READS => 20,                     # leads read through an API
    SUSPECTS => 2000,                # looked through when numbers disagree
    PAGE => 200,                     # leads of a page of a list
};


sub new {
    my ($class, %opt) = @_;

    return bless { digests => {}, numbers => {}, unique => {}, children => {},
        enrolled => {}, sum => {}, %opt }, $class;
}


sub found {
    my ($self, @what) = @_;

    $self->{model}->found(@what);
}


sub check {
    my ($self) = @_;

    my $model = $self->{model};

    $self->{count} = {};
    $self->{newest} = {};

    $self->{server}->settle;
    $self->read_store;
    $self->lead($_) for grep { !$_->{shared} } $self->touched;
    $self->shared($_) for grep { $_->{shared} } $self->touched;
    $self->scopes;
    $self->histories;
    $self->totals;
    $self->apis;
    $self->{server}->sound;
    $self->found(wrong => $_) for $self->{server}->complaints;

    $model->{touched} = {};
}


sub touched {
    my ($self) = @_;

    my $model = $self->{model};

    return map { $model->{subjects}{$_} } sort keys %{ $model->{touched} };
}


# one line of leadctl's for each lead

sub leadctl {
    my ($self, @args) = @_;

    my ($code, $out, $err) = $self->{server}->leadctl('--json', @args);

    die "leadctl @args: $err\n" if $code != 0;

    return $out;
}


# ---- the store, as leadctl exports it

sub read_store {
    my ($self) = @_;

    my $model = $self->{model};
    my $digests = $self->{digests};
    my %gone = %$digests;

    for my $line (split /\n/, $self->leadctl(qw(lead export))) {
        my ($id, $account) = $line =~
            /^\{"id":"([^"]+)","number":\d+,"account":"(\w+)"/
            or die "leadctl lead export: $line\n";
        my $lead = $self->{ids}{$id};
        my $digest = md5($line);

        push @{ $self->{newest}{$account} }, $id;
        $self->{count}{$account}++;
        delete $gone{$id};

        if (!$lead) {
            $lead = $self->newcomer($line, $id) or next;

        } elsif ($model->{touched}{ $lead->{subject} }) {
            $self->again($line, $lead, $id);

        } elsif ($digest ne $digests->{$id}) {
            $self->found(wrong => "changed by nobody: $line");
        }

        $digests->{$id} = $digest;
    }

    for my $id (sort keys %gone) {
        $self->found(missing => "it was there: $id "
            . $self->{ids}{$id}{subject});
        delete $digests->{$id};
        delete $model->{touched}{ $self->{ids}{$id}{subject} };
    }
}


# the lead's number, place in its campaign and social id are its own

sub newcomer {
    my ($self, $line, $id) = @_;

    my $json = Json::decode($line);
    my $doc = $json->{document};
    my ($subject, $seen) = Rules::seen($json);
    my $lead = $self->{model}{subjects}{$subject};
    my $campaign = $doc->{campaign}{number};

    if (!$lead || !$self->{model}{touched}{$subject}) {
        $self->found(wrong => 'nobody has asked for this now: ' . $line);
        $lead //= { subject => $subject, account => $json->{account},
            states => [undef] };
    }

    $self->{ids}{$id} = $lead;

    for ("number $json->{number}",
        map { defined $doc->{$_} ? "$_ " . ($campaign // '') . " $doc->{$_}"
            : () } qw(social_id subscription_number))
    {
        $self->found(duplicated => "$_: $line") if $self->{unique}{$_}++;
    }

    if ($doc->{parent}) {
        $self->{children}{ $doc->{parent}{number} }++;
        $self->add($json->{account},
            Rules::totals($json->{account}, { 'lead.referral' => 1 }));
    }

    $self->{enrolled}{$campaign}++ if defined $campaign;

    if ($lead->{rows}) {
        my ($row) = ($doc->{fields}{lead_name} // '') =~ /r(\d+)\z/;
        $self->found(duplicated => $line) if exists $lead->{row}{$row // ''};
        $lead->{row}{ $row // '' } = $id;

    } elsif (defined $lead->{id}) {
        $self->found(duplicated => "beside $lead->{id}: $line");
        return $lead;
    }

    @$lead{qw(id number)} = ($id, $json->{number});
    $lead->{sees} = $seen;
    $lead->{marks} = [Rules::marks($json)] if $lead->{shared};

    return $lead;
}


sub again {
    my ($self, $line, $lead, $id) = @_;

    my $json = Json::decode($line);

    $lead->{sees} = (Rules::seen($json))[1] if $lead->{id} eq $id;
    $lead->{marks} = [Rules::marks($json)] if $lead->{shared};
}


# events and rows of the outbox, of an account

sub add {
    my ($self, $account, $n, $times) = @_;

    $self->{sum}{$account}{$_} += $n->{$_} * ($times // 1) for keys %$n;
}


# ---- leads of one client

sub lead {
    my ($self, $lead) = @_;

    my $states = $lead->{states};
    my $seen = $lead->{sees};

    if (!$seen) {
        $self->found(missing => "$lead->{subject}: "
            . join ' or ', map { Model::text($_) } @$states)
            if !grep { !$_ } @$states;
        $lead->{states} = [undef];
        return;
    }

    my @right = grep { $_ && Model::agree($seen, $_) } @$states;

    if (!@right) {
        $self->found(wrong => "$lead->{subject} $lead->{id} is "
            . Model::text($seen) . '; allowed: '
            . join ' or ', map { Model::text($_) } @$states);
        $lead->{states} = [{ %$seen }];
        return;
    }

    @right = $self->by_history($lead, @right)
        if 1 < keys %{ { map { Model::text($_) => 1 } @right } };

    my $state = $right[0];
    my $unheard = delete $state->{lost} // 0;

    $self->{model}{n}{committed} += $unheard + $self->made_unheard($lead);
    $lead->{states} = [$state];
    $self->count($lead, $state);
    $self->answered($lead);
}


# An id has the time it was given in it: of a request that was repeated until
# it was answered, was it made before the last time it was asked?

sub made_unheard {
    my ($self, $lead) = @_;

    my $until = delete $lead->{lost_until} // return 0;
    my ($high, $low) = $lead->{id} =~ /^(.{8})-(.{4})-/;
    my $made = hex($high) * 65536 + hex $low;

    return $made < $until ? 1 : 0;
}


# its events and rows, in place of those it had when it was last looked at

sub count {
    my ($self, $lead, $state) = @_;

    my $n = Rules::totals($lead->{account}, $state);

    if ($lead->{rows}) {
        $_ *= $lead->{rows} for values %$n;
    }

    $self->add($lead->{account}, $lead->{n}, -1) if $lead->{n};
    $self->add($lead->{account}, $n);
    $lead->{n} = $n;
    $lead->{silent} = $state->{silent} // 0;
}


# what answers have said of it

sub answered {
    my ($self, $lead) = @_;

    my $said = $lead->{answer_id} // '';

    if ($lead->{rows}) {
        my @rows = map { $lead->{row}{$_} // 'nothing' }
            0 .. $lead->{rows} - 1;

        $self->found(wrong => "$lead->{subject}: rows are @rows")
            if grep({ $_ eq 'nothing' } @rows)
                || keys %{ $lead->{row} } != @rows;
        $self->found(wrong => "$lead->{subject}: rows are @rows, not $said")
            if $said ne '' && $said ne "@rows";
        return;
    }

    $self->found(wrong => "$lead->{subject} is $lead->{id}, not $said")
        if $said ne '' && $said ne ($said =~ /-/ ? $lead->{id}
            : $lead->{number});
}


# ---- leads of all clients

sub shared {
    my ($self, $lead) = @_;

    my $name = $lead->{subject};
    my %acked = %{ $lead->{acked} // {} };

    if (!$lead->{sees}) {
        $self->found(missing => $name) if %acked;
        return;
    }

    $self->answered($lead);

    return $self->shared_quote($lead) if $name =~ /^q:/;

    my @marks = @{ $lead->{marks} };
    my $new = grep { !$acked{$_} } @marks;
    my $counter = $lead->{sees}{counter} // @marks;

    delete @acked{@marks};
    $self->found(missing => "$name: $_") for sort keys %acked;
    $self->found(wrong => "$name: $_ was not asked")
        for grep { !$lead->{asked}{$_} } @marks;
    $self->found($counter > @marks ? 'duplicated' : 'missing',
        "$name: its counter is $counter, it has " . @marks . ' marks')
        if $counter != @marks;

    $self->{model}{n}{committed} += $new - ($lead->{unheard} // 0);
    $lead->{unheard} = $new;
    $self->count($lead, { 'lead.created' => 1, 'lead.updated' => @marks - 1 });
}


# of duplicates one has made the lead, and the others have changed nothing

sub shared_quote {
    my ($self, $lead) = @_;

    my $maker = $lead->{sees}{name} =~ s/^Q//r;
    my %keyed = %{ $lead->{keyed} // {} };

    $self->found(wrong => "$lead->{subject} was made by $maker")
        if !$lead->{asked}{$maker};
    delete $keyed{$maker};
    $self->count($lead, { 'lead.created' => 1, silent => scalar keys %keyed });
}


# of requests that share a key one has made a lead

sub scopes {
    my ($self) = @_;

    my $scopes = $self->{model}{scopes};

    for my $name (sort keys %$scopes) {
        my $scope = $scopes->{$name};
        my @made = grep { $_->{sees} } values %{ $scope->{subjects} };

        $self->found(duplicated => "$name: " . join ' ',
            map { $_->{subject} } @made) if @made > 1;
        $self->found(duplicated => "$name was answered: $_")
            for keys %{ $scope->{ids} } > 1 ? join ', ',
                keys %{ $scope->{ids} } : ();

        if ($scope->{acked} && !@made) {
            $self->found(missing => $name);
            next;
        }

        for my $id (keys %{ $scope->{ids} }) {
            local $made[0]{answer_id} = $id;
            $self->answered($made[0]);
        }

        # keys of this moment may still be asked
        delete $scopes->{$name} if !delete $scope->{touched};
    }
}


# ---- histories

sub events {
    my ($self, $lead) = @_;

    my %n;
    my $json = Json::decode($self->leadctl(qw(lead get), $lead->{id},
        '--account', $lead->{account}, '--events'));

    $n{ $_->{type} }++ for @{ $json->{events} };

    return \%n;
}


# the events there should be, of a state

sub history {
    my ($self, $lead, $state) = @_;

    my %n = map { $_ => $state->{$_} } grep { /^lead\./ } keys %$state;
    my $children = $self->{children}{ $lead->{number} };

    $n{'lead.referral'} = $children if $children;

    return join ' ', map { "$_=$n{$_}" } sort keys %n;
}


# states that look alike but have come to it in other ways

sub by_history {
    my ($self, $lead, @states) = @_;

    my $n = $self->events($lead);
    my $is = join ' ', map { "$_=$n->{$_}" } sort keys %$n;
    my @right = grep { $self->history($lead, $_) eq $is } @states;

    return @right if @right;

    $self->found(wrong => "$lead->{subject} $lead->{id} has events $is, not "
        . join ' or ', map { $self->history($lead, $_) } @states);

    return @states;
}


sub histories {
    my ($self) = @_;

    my @some = (shuffle(grep { $_->{states}[0] && $_->{sees} && !$_->{shared} }
        $self->touched))[0 .. HISTORIES - 1];

    $self->by_history($_, $_->{states}[0]) for grep { defined } @some;
}


# ---- numbers of the whole store

sub totals {
    my ($self) = @_;

    # deliveries go on, and rows go with them
    my $most = 0;
    $most += $self->pending($_, 'told') for keys %{ $self->{sum} };

    my $stat = Json::decode($self->leadctl('stat'));
    my $leads = keys %{ $self->{digests} };

    $self->{leads} = $leads;

    $self->found(wrong => "$stat->{leads} leads by leadctl stat, not $leads")
        if $stat->{leads} != $leads;

    for (@{ $stat->{leads_per_account} }) {
        my $n = $self->{count}{ $_->{account} } // 0;

        $self->found(wrong => "$_->{leads} leads of $_->{account}, not $n")
            if $_->{leads} != $n;
    }

    my ($events, $outbox, $least) = (0, 0, 0);

    for my $account (sort keys %{ $self->{sum} }) {
        my $sum = $self->{sum}{$account};

        $events += $sum->{events};
        $outbox += $sum->{all} + $sum->{some};
        $self->endpoint($account, $_, $sum->{$_}) for qw(all some);
        $least += $self->told($account, $sum->{all});
    }

    my $told = $stat->{outbox} - $outbox;

    $self->found(wrong => "$stat->{outbox} rows by leadctl stat, not $outbox"
        . " and $least to $most") if $told < $least || $told > $most;

    return if $stat->{events} == $events;

    $self->found(wrong => "$stat->{events} events by leadctl stat, not "
        . $events);
    $self->suspects;
}


# one row for each event that the endpoint wants: it waits, for nothing can be
# delivered

sub endpoint {
    my ($self, $account, $name, $n) = @_;

    return if $name eq 'some' && !$Server::Accounts{$account}{some};

    my $rows = $self->pending($account, $name);

    $self->found($rows < $n ? 'missing' : 'wrong',
        "$rows rows of $account/$name, not $n") if $rows != $n;
}


# each event has been delivered, or is going to be, or both: it is not known yet
# that it was; returns the rows that wait

sub told {
    my ($self, $account, $n) = @_;

    my $rows = $self->pending($account, 'told');
    my $got = %{ $self->{server}->received($account) };

    $self->found(missing => "$got events of $account were and $rows are to be"
        . " delivered, not $n") if $got + $rows < $n;
    $self->found(wrong => "$got events of $account were delivered, not $n")
        if $got > $n;

    return $rows;
}


# Nobody kills any more: all of it is delivered.  Returns how many deliveries
# there were, and how many of them were one too many.

sub delivered {
    my ($self) = @_;

    my $server = $self->{server};
    my ($sent, $again) = (0, 0);

    for my $account (sort keys %{ $self->{sum} }) {
        my $n = $self->{sum}{$account}{all};

        $server->await("deliver the events of $account", sub {
            !$self->pending($account, 'told')
        });

        my $got = $server->received($account);

        my $events = %$got;

        $sent += $_ for values %$got;
        $again += $_ - 1 for values %$got;
        $self->found($events < $n ? 'missing' : 'wrong',
            "$events events of $account were delivered, not $n")
            if $events != $n;
    }

    return ($sent, $again);
}


sub pending {
    my ($self, $account, $name) = @_;

    my ($rows, %seen) = (0);

    for (split /\n/, $self->leadctl(qw(delivery list --pending --account),
        $account, '--endpoint', $name, qw(--limit 1000000)))
    {
        my ($event) = /"event":(\d+),/ or die "leadctl delivery list: $_\n";

        $rows++;
        $self->found(duplicated => "a row of $account/$name: $_")
            if $seen{$event}++;
    }

    return $rows;
}


# whose events are they?

sub suspects {
    my ($self) = @_;

    my @all = grep { $_->{sees} } $self->touched;
    @all = (shuffle @all)[0 .. SUSPECTS - 1] if @all > SUSPECTS;

    for my $lead (@all) {
        my $n = $self->events($lead);
        my $sum = $lead->{silent} // 0;

        $sum += $_ for values %$n;
        $sum *= $lead->{rows} if $lead->{rows};
        $sum -= $self->{children}{ $lead->{number} } // 0;

        $self->found(wrong => "$lead->{subject} $lead->{id} has $sum events,"
            . " not $lead->{n}{events}") if $sum != $lead->{n}{events};
    }
}


# ---- the vendors' APIs

sub apis {
    my ($self) = @_;

    my %path = (
        law => sub { (law_get => "/law/leads/$_[0]{id}") },
        flip => sub { (flip_get => "/flip/leads/$_[0]{id}") },
        flex => sub { (flex_get => "/api/v1/leads/$_[0]{number}") },
        kol => sub {
            my (undef, $campaign, $email) = split /:/, $_[0]{subject};
            return (kol_get => "/v2/$campaign?email="
                . $email =~ s/\@/%40/r);
        },
    );

    my @leads = grep { $_->{sees} && $path{ $_->{sees}{kind} } }
        $self->touched;

    for my $lead (grep { defined } (shuffle @leads)[0 .. READS - 1]) {
        my ($op, $path) = $path{ $lead->{sees}{kind} }->($lead);
        my $body = $self->get($lead->{account}, $path) // next;
        my $shown = $Rules::Shown{$op}->($body);
        my $right = $shown && Model::agree({ %$shown, id => '' },
            { %{ $lead->{sees} }, id => '' })
            && $shown->{id} eq ($shown->{id} =~ /-/ ? $lead->{id}
                : $lead->{number});

        if ($right && $op eq 'kol_get') {
            my ($campaign) = $path =~ m{/(\d+)\?};

            $right = $shown->{lead_count} == $self->{enrolled}{$campaign}
                && $shown->{referrals}
                    == ($self->{children}{ $lead->{number} } // 0);
        }

        $self->found(wrong => "$lead->{subject}: $path shows $body, not "
            . Model::text($lead->{sees})) if !$right;
    }

    $self->page($_) for sort keys %{ $self->{newest} };
}


# the newest leads of an account, newest first

sub page {
    my ($self, $account) = @_;

    my $body = $self->get($account, '/law/leads?limit=' . PAGE) // return;
    my @ids = map { $_->{id} } @{ Json::decode($body)->{data} };
    my @newest = reverse @{ $self->{newest}{$account} };

    splice @newest, PAGE if @newest > PAGE;

    $self->found(wrong => "the list of $account shows @ids, not @newest")
        if "@ids" ne "@newest";
}


sub get {
    my ($self, $account, $path) = @_;

    my $server = $self->{server};
    my $res = $server->{t}->http('GET', $path, { Authorization =>
        "Bearer $server->{keys}{$account}{k1}",
        'X-Tenant' => $Server::Accounts{$account}{tenant} });

    return $res->{body} if $res->{status} == 200;

    $self->found(missing => "GET $path: $res->{status} "
        . ($res->{error} // $res->{body}));

    return undef;
}


1;
