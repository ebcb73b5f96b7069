# Copyright (C) the ngx_lead authors
#
# What a request does to a lead, by the contracts: the checker's own idea of
# it.  A state is a hash of the lead's fields, as seen() reads them out of its
# document, and of its events by type; undef is no lead.  A request that
# changes nothing writes no event.  If it has a key, the key is remembered by a
# silent one, which no history shows.
#
#   apply    (state, args) -> state     it must not change the one given
#   shown    (body) -> fields that the answer shows; id is the lead's id or
#            number

package Rules;

use strict;
use warnings;

use Server ();

# leads of requests that may be repeated under another's key are made of this
my $Law = { kind => 'law', stage => 'new', archived => 0,
    'lead.created' => 1 };

our %Apply = (
    law_create => sub {
        my ($s, $args) = @_;
        return { %$Law, first => $args->{first} };
    },

    law_patch => sub {
        my ($s, $args) = @_;
        return changed($s, [first => 'lead.updated'],
            [stage => 'lead.status_changed'], $args);
    },

    law_shelve => sub {
        my ($s, $args) = @_;
        return changed($s, [archived => $args->{archived} ? 'lead.archived'
            : 'lead.updated'], $args);
    },

    # a delivery of what is there is an event, changed or not
    ingest => sub {
        my ($s, $args) = @_;
        return { %$Law, kind => 'ingest', first => $args->{first} } if !$s;
        return more({ %$s, first => $args->{first} }, 'lead.updated');
    },

    kol_sign => sub {
        my ($s, $args) = @_;
        return { kind => 'kol', first => $args->{first}, counter => 1,
            points => 0, parent => $args->{kid} // '', 'lead.created' => 1 }
            if !$s;
        return more({ %$s, first => $args->{first},
            counter => $s->{counter} + 1 }, 'lead.updated');
    },

    kol_points => sub {
        my ($s, $args) = @_;
        return undef if !$s;
        return more({ %$s, points => $s->{points} + $args->{points} },
            'lead.scored');
    },

    flex_create => sub {
        return { kind => 'flex', stage => 'new', 'lead.created' => 1 };
    },

    ref_create => sub {
        my ($s, $args) = @_;
        return { kind => 'ref', campaign => $args->{campaign},
            'lead.created' => 1 };
    },

    flip_intake => sub {
        my ($s, $args) = @_;
        return { kind => 'flip', company => $args->{company}, stage => 'new',
            notes => '', 'lead.created' => 1 };
    },

    flip_patch => sub {
        my ($s, $args) = @_;
        my $n = changed($s, [company => 'lead.updated'], $args);

        return $n if !$n || !exists $args->{note};
        return more({ %$n, notes => "$n->{notes}$args->{note}," },
            'lead.note_added');
    },

    flip_move => sub {
        my ($s, $args) = @_;
        return changed($s, [stage => 'lead.status_changed'], $args);
    },

    quote => sub {
        my ($s, $args) = @_;
        return { kind => 'quote', name => $args->{name}, stage => 'new',
            'lead.created' => 1 } if !$s;
        return $s if $args->{mode} eq 'skip';
        return changed($s, [name => 'lead.updated'], $args);
    },

    bulk => sub {
        return { kind => 'row', stage => 'new', company => '', notes => '',
            'lead.created' => 1 };
    },

    map { $_ => sub { return $_[0] } } qw(law_get kol_get flex_get flip_get),
);


our %Shown = (
    law_create => \&shown_law,
    law_patch => \&shown_law,
    law_shelve => \&shown_law,
    law_get => \&shown_law,

    ingest => \&shown_ingested,
    ingest_shared => \&shown_ingested,

    kol_sign => \&shown_kol,
    kol_shared => \&shown_kol,
    kol_get => \&shown_kol,
    kol_points => sub {
        return $_[0] =~ /^\{"message":"Custom Points added"\}\z/ ? {} : undef;
    },

    flex_create => \&shown_flex,
    flex_get => \&shown_flex,

    ref_create => sub {
        return $_[0] =~ /^\{"success":true,.*"lead_id":"([^"]+)"\}\z/
            ? { id => $1 } : undef;
    },

    flip_intake => \&shown_made,
    quote => \&shown_made,
    quote_shared => \&shown_made,
    flip_patch => sub {
        return $_[0] =~ /"lead_id":"([^"]+)","updated_fields":\[/
            ? { id => $1 } : undef;
    },
    flip_move => sub {
        return $_[0] =~ /"lead_id":"([^"]+)","new_status":"(\w+)"/
            ? { id => $1, stage => lc $2 } : undef;
    },
    flip_get => \&shown_flip,

    bulk => sub {
        my @ids = $_[0] =~ /"lead_id":"([^"]+)"/g;
        return @ids ? { id => join ' ', @ids } : undef;
    },
);


# the state with fields of args that differ, and an event for each

sub changed {
    my ($s, @rules) = @_;

    my $args = pop @rules;
    return undef if !$s;

    my $n = { %$s };

    for (@rules) {
        my ($field, $event) = @$_;

        next if !exists $args->{$field} || $n->{$field} eq $args->{$field};
        $n->{$field} = $args->{$field};
        $n->{$event}++;
    }

    return $n;
}


sub more {
    my ($s, $event) = @_;

    $s->{$event}++;

    return $s;
}


# ---- answers

sub shown_law {
    my ($body) = @_;

    return $body =~ /^\{"id":"([^"]+)","first_name":"(\w+)".*
        "status":\{"key":"(\w+)".*"archived":(true|false),/x
        ? { id => $1, first => $2, stage => $3,
            archived => $4 eq 'true' ? 1 : 0 } : undef;
}


sub shown_ingested {
    my ($body) = @_;

    return $body =~ /"status":"(?:created|updated)","leadId":"([^"]+)"\}\z/
        ? { id => $1 } : undef;
}


sub shown_kol {
    my ($body) = @_;

    return $body =~ /^\{"id":(\d+),"social_id":"(\w+)".*"counter":(\d+),
        "lead_count":(\d+),"contest_score":(\d+),.*"first_name":
        (?:null|"(\w+)"),.*"referrals":(\d+),.*"subscription_number":(\d+)/x
        ? { id => $1, social => $2, counter => $3, lead_count => $4,
            points => $5, first => $6 // '', referrals => $7,
            subscription => $8 } : undef;
}


sub shown_flex {
    my ($body) = @_;

    return $body =~ /"data":\{"id":(\d+),.*"status":\{"id":\d+,
        "name":"(\w+)"/x ? { id => $1, stage => lc $2 } : undef;
}


sub shown_made {
    my ($body) = @_;

    return $body =~ /^\{"status":"success","lead_id":"([^"]+)"/
        ? { id => $1 } : undef;
}


sub shown_flip {
    my ($body) = @_;

    return $body =~ /^\{"lead_id":"([^"]+)",.*"status_step":"(\w+)",
        "fields":\{"lead_name":"\w+","company":"(\w+)"\}/x
        ? { id => $1, stage => lc $2, company => $3 } : undef;
}


# ---- leads, as leadctl exports them

# the subject, and the fields of a state

sub seen {
    my ($lead) = @_;

    my $doc = $lead->{document};
    my $dialect = $doc->{dialect} // '';
    my $stage = $doc->{stage}{key} // '';
    my %s = (first => $doc->{first_name} // '', stage => $stage);

    if ($dialect eq 'lawfficient') {
        $s{archived} = $lead->{archived};
        return defined $doc->{external_id}
            ? ("i:$lead->{account}:$doc->{external_id}",
                { %s, kind => 'ingest' })
            : ("m:$doc->{last_name}", { %s, kind => 'law' });
    }

    return ("k:$doc->{campaign}{number}:$doc->{email_key}", { kind => 'kol',
            first => $s{first}, counter => $doc->{counter},
            points => $doc->{points} // 0,
            parent => ($doc->{parent} // {})->{social_id} // '' })
        if $dialect eq 'kickofflabs';

    return ("m:$doc->{last_name}", { kind => 'ref',
            campaign => $doc->{campaign}{number} // '' })
        if $dialect eq 'reflekt';

    return ("m:$doc->{last_name}", { kind => 'flex', stage => $stage })
        if $dialect eq 'flextell';

    my $fields = $doc->{fields} // {};

    return ("q:$lead->{account}:$fields->{email}", { kind => 'quote',
            name => $fields->{name} // '', stage => $stage })
        if ($doc->{entity}{slug} // '') eq 'quotes';

    my $name = $fields->{lead_name} // '';

    return ($name =~ /^(.+)r\d+\z/ ? "b:$1" : "m:$name",
        { kind => $name =~ /r\d+\z/ ? 'row' : 'flip',
            company => $fields->{company} // '', stage => $stage,
            notes => join '', map { "$_->{text}," }
                @{ $doc->{notes} // [] } });
}


# requests of all clients that have left their marks in a lead; names of custom
# fields are in lower case

sub marks {
    my ($lead) = @_;

    my $doc = $lead->{document};

    return map { /^dc(\d+n\d+)\z/i ? "C$1" : () }
        keys %{ $doc->{extra} // {} }, keys %{ $doc->{custom_fields} // {} };
}


# how many events, and how many of them go to each of the account's endpoints

sub totals {
    my ($account, $state) = @_;

    my %n = (events => $state->{silent} // 0, all => 0, some => 0);

    for (grep { /^lead\./ } keys %$state) {
        $n{events} += $state->{$_};
        $n{all} += $state->{$_};
        $n{some} += $state->{$_}
            if $Server::Accounts{$account}{some} && $Server::Some{$_};
    }

    return \%n;
}


1;
