# Copyright (C) the ngx_lead authors
#
# What may be in the store, by the clients' journals.  A lead that one client
# works on has the set of states it may be in: an acknowledged request moves
# each of them and drops those its answer denies, one whose answer was lost
# leaves both what was and what would be.  A lead that all clients work on is
# known by the marks that requests leave in it.  Nothing here looks at the
# store; Check.pm does, and tells the model what it has found.
#
# Only the complete 2xx is an acknowledgement.  503 says that nothing was done.

package Model;

use strict;
use warnings;

use Client ();
use Rules ();

use constant SAID => 20;              # findings of a kind that are printed

my @Fields = qw(id op account key idem subject args method path body);
my %Shared = map { $_ => 1 } qw(ingest_shared kol_shared quote_shared);


sub new {
    my ($class) = @_;

    return bless {
        subjects => {}, touched => {}, scopes => {}, answered => {},
        at => {}, open => {},
        n => { map { $_ => 0 } qw(acknowledged repeated unknown unavailable
            committed missing duplicated wrong) },
        op => {},
    }, $class;
}


# a finding: missing, duplicated or wrong

sub found {
    my ($self, $what, $text) = @_;

    print STDERR "# $what: $text\n" if $self->{n}{$what}++ < SAID;
}


# ---- journals

# What was written since the last time.  Clients have paused: every request has
# come to its end.

sub read_journal {
    my ($self, $file) = @_;

    open my $in, '<:raw', $file or die "$file: $!\n";
    seek $in, $self->{at}{$file} // 0, 0;

    while (my $line = <$in>) {
        chomp $line;
        $self->line($file, map { s/\\x(..)/chr hex $1/ger }
            split /\t/, $line, -1);
    }

    $self->{at}{$file} = tell $in;
    $self->finish(delete $self->{open}{$file});
}


sub line {
    my ($self, $file, $what, @fields) = @_;

    if ($what eq 'A') {
        my %r = (lost => 0);

        $self->finish($self->{open}{$file});
        @r{@Fields} = @fields;
        $r{args} = { map { split /=/, $_, 2 } split /;/, $r{args} };
        $self->{open}{$file} = \%r;
        return;
    }

    my $r = $self->{open}{$file};
    die "$file: an answer to nothing\n" if !$r || $r->{id} ne $fields[0];

    if ($what eq 'L') {
        $r->{lost}++;
        delete $r->{status};
        $self->found(wrong => "$r->{id} $r->{op}: no answer in a minute")
            if $fields[1] eq 'timeout';

    } else {
        $self->{n}{unavailable}++ if $fields[1] == 503;
        @$r{qw(status time answer)} = @fields[1 .. 3];
    }
}


sub finish {
    my ($self, $r) = @_;

    return if !$r;

    my $n = $self->{n};
    my $status = $r->{status};
    my $reads = Client::reads($r->{op});

    $n->{unknown} += $r->{lost} if !$reads;
    $self->{op}{ $r->{op} }++ if defined $status && $status =~ /^2/;

    if ($r->{op} eq 'bulk_bad') {
        $self->lead($r)->{states} = [undef];
        $self->{touched}{ $r->{subject} } = 1;
        $self->found(wrong => said($r)) if defined $status && $status != 422;
        return;
    }

    if (defined $status && $status == 404) {
        $self->found(missing => said($r));
        return;
    }

    # a repeat that was not acknowledged still came from a client that tried
    if (defined $status && $status !~ /^(?:2|503)/) {
        $self->found(wrong => said($r));
        return;
    }

    my $acked = defined $status && $status != 503;

    return $self->again($r, $acked) if $r->{op} eq 'again';

    $n->{acknowledged}++ if $acked && !$reads;
    return if !$acked && ($reads || !$r->{lost});

    my $lead = $self->lead($r);
    my $shown = $acked ? $self->answer($r, $lead) : undef;

    return if $acked && !$shown;

    $self->{touched}{ $r->{subject} } = 1 if !$reads;
    $self->{answered}{ $r->{id} } = [$r->{op}, $shown->{id} // '']
        if $acked && $r->{idem} =~ /^x/;

    return $Shared{ $r->{op} } ? $self->of_all($r, $lead, $shown)
        : $self->of_one($r, $lead, $shown);
}


sub said {
    my ($r) = @_;

    return "$r->{id} $r->{op} $r->{method} $r->{path} $r->{body}: "
        . ($r->{status} // 'no status') . ' ' . ($r->{answer} // '');
}


sub lead {
    my ($self, $r) = @_;

    return $self->{subjects}{ $r->{subject} } //= {
        subject => $r->{subject}, account => $r->{account},
        states => [undef], shared => $Shared{ $r->{op} } // 0,
        rows => $r->{args}{rows} // 0 };
}


# what the answer shows; a lead has one id for ever

sub answer {
    my ($self, $r, $lead) = @_;

    my $shown = $Rules::Shown{ $r->{op} }->($r->{answer});

    if (!$shown) {
        $self->found(wrong => said($r));
        return undef;
    }

    # a key of many gives the lead of the first
    if ($r->{idem} =~ /^s/) {
        $self->{scopes}{"$r->{account} $r->{key} $r->{op} $r->{idem}"}
            {ids}{ $shown->{id} }++;
        return $shown;
    }

    for (qw(id social subscription)) {
        next if !defined $shown->{$_};
        $lead->{"answer_$_"} //= $shown->{$_};
        $self->found(duplicated => "$_ was " . $lead->{"answer_$_"} . ': '
            . said($r)) if $lead->{"answer_$_"} ne $shown->{$_};
    }

    return $shown;
}


# the same again, under the same key: the same lead

sub again {
    my ($self, $r, $acked) = @_;

    return if !$acked;
    $self->{n}{repeated}++;

    my ($op, $id) = @{ $self->{answered}{ $r->{args}{of} } // return };
    my $shown = $Rules::Shown{$op}->($r->{answer});

    return $self->found(wrong => said($r)) if !$shown;

    $self->found(duplicated => "it was $id: " . said($r))
        if ($shown->{id} // '') ne $id;
}


# ---- leads of one client

sub of_one {
    my ($self, $r, $lead, $shown) = @_;

    my $before = $lead->{states};
    my $apply = $Rules::Apply{ $r->{op} };
    my @after = map { $apply->($_, $r->{args}) } @$before;

    # nothing is changed, but the key is remembered
    for (grep { $r->{idem} ne '' && $after[$_] } 0 .. $#after) {
        $after[$_] = { %{ $after[$_] }, silent => ($after[$_]{silent} // 0)
            + 1 } if $before->[$_] && $after[$_] == $before->[$_];
    }

    if ($r->{idem} =~ /^s/) {
        $self->scope($r, $lead, $shown);
        $lead->{states} = states(undef, @after);
        return;
    }

    if (!$shown) {
        $lead->{states} = states(@$before,
            map { $_ && { %$_, lost => ($_->{lost} // 0) + 1 } } @after);
        return;
    }

    # was it made by the attempt that was answered?
    $lead->{lost_until} = $r->{time}
        if $r->{lost} && !grep { defined } @$before;

    my @right = grep { agree($shown, $_) } @after;

    $self->found(wrong => said($r) . '; allowed: ' . join ' or ',
        map { text($_) } @after) if !@right;

    # what a reader does not see may still come, see Server::settle()
    if (@right && Client::reads($r->{op})) {
        my ($least) = sort { $a <=> $b } map { $_->{lost} // 0 } @right;

        push @right, grep { $_ && ($_->{lost} // 0) > $least } @after;
    }

    $lead->{states} = states(@right ? @right : grep { defined } @after);
}


# what is shown and known must be the same

sub agree {
    my ($shown, $state) = @_;

    return 0 if !$state;

    for (keys %$shown) {
        return 0 if exists $state->{$_} && $state->{$_} ne $shown->{$_};
    }

    return 1;
}


sub states {
    my %seen;

    return [grep { !$seen{ text($_) }++ } @_];
}


sub text {
    my ($state) = @_;

    return 'nothing' if !$state;

    return join ' ', map { "$_=$state->{$_}" } grep { $_ ne 'lost' }
        sort keys %$state;
}


# requests that share a key

sub scope {
    my ($self, $r, $lead, $shown) = @_;

    my $scope = $self->{scopes}{
        "$r->{account} $r->{key} $r->{op} $r->{idem}"} //= {};

    $scope->{subjects}{ $r->{subject} } = $lead;
    $scope->{acked}++ if $shown;
    $scope->{touched} = 1;
}


# ---- leads of all clients

# what counts how often it was asked has another number for each answer that
# is no repeat

sub of_all {
    my ($self, $r, $lead, $shown) = @_;

    $lead->{asked}{ $r->{id} } = 1;
    $lead->{keyed}{ $r->{id} } = 1 if $r->{idem} ne '';
    return if !$shown;

    $lead->{acked}{ $r->{id} } = 1;

    return if !defined $shown->{counter} || $r->{lost};

    $self->found(wrong => "counter $shown->{counter} was given twice: "
        . said($r)) if $lead->{counters}{ $shown->{counter} }++;
}


1;
