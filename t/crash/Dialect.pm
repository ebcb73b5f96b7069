# Copyright (C) the ngx_lead authors
#
# What clients ask, in the words of each vendor.  A request is a hash:
#
#   id       of the client and its own
#   op       the name of a function here, and of its rules in Rules.pm
#   account, key     whose, and which of its keys
#   idem     Idempotency-Key, or ''
#   subject  the lead it is about, as the checker names it
#   args     what it is to change
#   method, path, headers, body
#   acked    called with the client and the answer's body
#
# Subjects: m:<mark> is made by the one request that has this mark in it,
# b:<mark> are the rows of a bulk; i:, k: and q: are found again by external
# id, by address in a campaign, by address in an entity.  Those of "shared"
# are used by all clients at once, the others by one.
#
# Texts are made of letters and digits: they need no quoting anywhere.

package Dialect;

use strict;
use warnings;

use Time::HiRes qw(time);

use Server ();

my @Stages = qw(new open won);
my @Accounts = sort keys %Server::Accounts;

# how often each is asked, together 100
my @Weights = (
    law_create => 8, law_patch => 9, law_shelve => 4, law_get => 1,
    ingest => 8, ingest_shared => 4,
    kol_sign => 11, kol_shared => 6, kol_points => 5, kol_get => 1,
    flex_create => 6, flex_get => 1, ref_create => 6,
    flip_intake => 6, flip_patch => 6, flip_move => 4, flip_get => 1,
    quote => 4, quote_shared => 3, bulk => 4, bulk_bad => 2,
);


# a request for this client, or nothing where it has no lead for it yet

sub next_request {
    my ($c) = @_;

    my $at = rand 100;
    my $op;

    for (my $i = 0; $i < @Weights && $at >= 0; $i += 2) {
        $op = $Weights[$i];
        $at -= $Weights[$i + 1];
    }

    return __PACKAGE__->can($op)->($c);
}


sub any {
    return $_[rand @_];
}


# names that all clients use for a while, and then others

sub shared_name {
    my ($kinds) = @_;

    return 's' . int(time()) . 'x' . int rand $kinds;
}


# what every request of an account has; options replace it

sub request {
    my ($c, $op, %more) = @_;

    my $account = $more{account} // any(@Accounts);
    my $key = $more{key} // any(qw(k1 k2));
    my $type = $more{type} // 'application/json';

    return { id => $c->next_id, op => $op, idem => '', args => {},
        method => 'POST', %more, account => $account, key => $key,
        headers => ['Content-Type', $type, 'X-Tenant',
            $Server::Accounts{$account}{tenant},
            $type eq 'application/json' ? ('Authorization',
                "Bearer $c->{keys}{$account}{$key}") : ()] };
}


# half of all creates have a key; a few use one that others use, too

sub with_key {
    my ($c, $r, $shared) = @_;

    return $r if rand() < 0.5;

    $r->{idem} = $shared && rand() < 0.25 ? shared_name(3) : "x$r->{id}";
    push @{ $r->{headers} }, 'Idempotency-Key',
        rand() < 0.3 ? "\"$r->{idem}\"" : $r->{idem};

    return $r;
}


# those leads of a kind that this client works on

sub keep {
    my ($c, $kind, $lead) = @_;

    my $own = $c->{own}{$kind} //= [];

    push @$own, $lead;
    splice @$own, rand @$own, 1 if @$own > 40;
}


sub own {
    my ($c, $kind) = @_;

    my $own = $c->{own}{$kind} // [];

    return $own->[rand @$own];
}


# about a lead there is

sub about {
    my ($c, $op, $lead, %more) = @_;

    return request($c, $op, account => $lead->{account},
        subject => $lead->{subject}, %more);
}


# ---- reflekt

sub ref_create {
    my ($c) = @_;

    my $r = request($c, 'ref_create',
        type => 'application/x-www-form-urlencoded');
    my $campaign = $Server::Accounts{ $r->{account} }{campaigns}[1];

    $r->{path} = '/api/v1/lead';
    $r->{subject} = "m:$r->{id}";
    $r->{args} = { campaign => $campaign };
    $r->{body} = join '&', "api_key=$c->{keys}{ $r->{account} }{ $r->{key} }",
        "last_name=$r->{id}", 'email=r' . lc($r->{id}) . '%40x.co',
        "campaign_name=c$campaign";

    return with_key($c, $r, 1);
}


# ---- lawfficient

sub law_create {
    my ($c) = @_;

    my $r = request($c, 'law_create', path => '/law/leads');

    $r->{subject} = "m:$r->{id}";
    $r->{args} = { first => "F$r->{id}" };
    $r->{body} = qq({"first_name":"F$r->{id}","last_name":"$r->{id}",)
        . qq("source":"crash","email":"l$r->{id}\@x.co"});
    with_key($c, $r, 1);

    # with a shared key it may be the lead of another request
    $r->{acked} = sub {
        my ($c, $body) = @_;

        keep($c, law => { id => $1, account => $r->{account},
            subject => $r->{subject}, first => $r->{args}{first} })
            if $r->{idem} !~ /^s/ && $body =~ /^\{"id":"([^"]+)"/;
    };

    return $r;
}


# some change nothing, which is no event

sub law_patch {
    my ($c) = @_;

    my $lead = own($c, 'law') or return;
    my $r = about($c, 'law_patch', $lead, method => 'PATCH',
        path => "/law/leads/$lead->{id}");
    my $what = rand();
    my @body;

    if ($what < 0.8) {
        $lead->{first} = "F$r->{id}" if $what < 0.6;
        $r->{args}{first} = $lead->{first};
        push @body, qq("first_name":"$lead->{first}");
    }

    if ($what > 0.5) {
        $r->{args}{stage} = any(@Stages);
        push @body, qq("status":"$r->{args}{stage}");
    }

    $r->{body} = '{' . join(',', @body) . '}';

    return $r;
}


sub law_shelve {
    my ($c) = @_;

    my $lead = own($c, 'law') or return;
    my $archived = rand() < 0.6 ? 1 : 0;

    return about($c, 'law_shelve', $lead, args => { archived => $archived },
        body => '', path => "/law/leads/$lead->{id}/"
            . ($archived ? 'archive' : 'unarchive'));
}


sub law_get {
    my ($c, $lead) = @_;

    $lead //= own($c, 'law') or return;

    return about($c, 'law_get', $lead, method => 'GET',
        path => "/law/leads/$lead->{id}");
}


sub ingest {
    my ($c) = @_;

    my $lead = rand() < 0.7 ? own($c, 'ingest') : undef;
    my $r = request($c, 'ingest', key => 'in', path => '/law/leads',
        $lead ? (account => $lead->{account}) : ());

    if (!$lead) {
        $lead = { account => $r->{account}, external => "E$r->{id}" };
        $lead->{subject} = "i:$lead->{account}:$lead->{external}";
        keep($c, ingest => $lead);
    }

    $r->{subject} = $lead->{subject};
    $r->{args} = { first => "F$r->{id}" };
    $r->{body} = qq({"firstName":"F$r->{id}","lastName":"L",)
        . qq("email":"i\@x.co","externalId":"$lead->{external}"});

    return with_key($c, $r);
}


# each delivery leaves its mark among what is kept verbatim

sub ingest_shared {
    my ($c) = @_;

    my $external = shared_name(4);
    my $r = request($c, 'ingest_shared', key => 'in', path => '/law/leads');

    $r->{subject} = "i:$r->{account}:$external";
    $r->{body} = qq({"firstName":"F","lastName":"L","email":"i\@x.co",)
        . qq("externalId":"$external","d$r->{id}":"1"});

    return with_key($c, $r);
}


# ---- kickofflabs

# some are referred by one who was there before

sub kol_sign {
    my ($c) = @_;

    my $lead = rand() < 0.6 ? own($c, 'kol') : undef;
    my $r = request($c, 'kol_sign',
        $lead ? (account => $lead->{account}) : ());
    my $kid = '';

    if (!$lead) {
        my $campaign = any(@{ $Server::Accounts{ $r->{account} }{campaigns} });
        my $parent = own($c, 'kol');

        $lead = { account => $r->{account}, campaign => $campaign,
            email => 'k' . lc($r->{id}) . '@x.co' };
        $lead->{subject} = "k:$campaign:$lead->{email}";

        if ($parent && $parent->{social} && $parent->{campaign} == $campaign) {
            $kid = qq(,"kid":"$parent->{social}");
            $r->{args}{kid} = $parent->{social};
        }

        keep($c, kol => $lead);
    }

    $r->{subject} = $lead->{subject};
    $r->{path} = "/v2/$lead->{campaign}";
    $r->{args}{first} = "F$r->{id}";
    $r->{body} = qq({"email":"$lead->{email}","first_name":"F$r->{id}"$kid});
    $r->{acked} = sub {
        my ($c, $body) = @_;

        $lead->{social} = $1 if $body =~ /"social_id":"(\w+)"/;
    };

    return with_key($c, $r);
}


# each sign-up leaves its mark among the custom fields

sub kol_shared {
    my ($c) = @_;

    my $r = request($c, 'kol_shared');
    my $campaign = $Server::Accounts{ $r->{account} }{campaigns}[0];
    my $email = shared_name(4) . '@x.co';

    $r->{subject} = "k:$campaign:$email";
    $r->{path} = "/v2/$campaign/";
    $r->{body} = qq({"email":"$email","d$r->{id}":"1"});

    return with_key($c, $r);
}


# of leads that are known to be there

sub kol_points {
    my ($c) = @_;

    my $lead = own($c, 'kol');
    return if !$lead || !$lead->{social};

    my $points = 1 + int rand 9;

    return with_key($c, about($c, 'kol_points', $lead,
        args => { points => $points }, path => "/v2/$lead->{campaign}/points",
        body => qq({"email":"$lead->{email}","points":$points})));
}


sub kol_get {
    my ($c, $lead) = @_;

    $lead //= own($c, 'kol');
    return if !$lead || !$lead->{social};

    return about($c, 'kol_get', $lead, method => 'GET', path =>
        "/v2/$lead->{campaign}?email=" . $lead->{email} =~ s/\@/%40/r);
}


# ---- flextell

sub flex_create {
    my ($c) = @_;

    my $r = request($c, 'flex_create', path => '/api/v1/leads');

    $r->{subject} = "m:$r->{id}";
    $r->{body} = qq({"last_name":"$r->{id}","first_name":"Flex"});
    with_key($c, $r, 1);
    $r->{acked} = sub {
        my ($c, $body) = @_;

        keep($c, flex => { id => $1, account => $r->{account},
            subject => $r->{subject} })
            if $r->{idem} !~ /^s/ && $body =~ /"data":\{"id":(\d+)/;
    };

    return $r;
}


sub flex_get {
    my ($c, $lead) = @_;

    $lead //= own($c, 'flex') or return;

    return about($c, 'flex_get', $lead, method => 'GET',
        path => "/api/v1/leads/$lead->{id}");
}


# ---- leadflip

sub flip_intake {
    my ($c) = @_;

    my $r = request($c, 'flip_intake', path => '/flip/intake');

    $r->{subject} = "m:$r->{id}";
    $r->{args} = { company => "C$r->{id}" };
    $r->{body} = qq({"entity":"deals","lead_name":"$r->{id}",)
        . qq("company":"C$r->{id}"});
    with_key($c, $r, 1);
    $r->{acked} = sub {
        my ($c, $body) = @_;

        keep($c, flip => { id => $1, account => $r->{account},
            subject => $r->{subject}, company => $r->{args}{company} })
            if $r->{idem} !~ /^s/ && $body =~ /"lead_id":"([^"]+)"/;
    };

    return $r;
}


sub flip_patch {
    my ($c) = @_;

    my $lead = own($c, 'flip') or return;
    my $r = about($c, 'flip_patch', $lead, method => 'PATCH',
        path => "/flip/leads/$lead->{id}");
    my $what = rand();
    my @body;

    if ($what < 0.8) {
        $lead->{company} = "C$r->{id}" if $what < 0.6;
        $r->{args}{company} = $lead->{company};
        push @body, qq("fields":{"company":"$lead->{company}"});
    }

    if ($what > 0.6) {
        $r->{args}{note} = "N$r->{id}";
        push @body, qq("note":"N$r->{id}");
    }

    $r->{body} = '{' . join(',', @body) . '}';

    return $r;
}


sub flip_move {
    my ($c) = @_;

    my $lead = own($c, 'flip') or return;
    my $stage = any(@Stages);

    return about($c, 'flip_move', $lead, method => 'PATCH',
        args => { stage => $stage }, path => "/flip/leads/$lead->{id}/status",
        body => qq({"status_step":"$stage"}));
}


sub flip_get {
    my ($c, $lead) = @_;

    $lead //= own($c, 'flip') or return;

    return about($c, 'flip_get', $lead, method => 'GET',
        path => "/flip/leads/$lead->{id}");
}


# a duplicate is left as it is, or takes the new name

sub quote {
    my ($c) = @_;

    my $lead = rand() < 0.6 ? own($c, 'quote') : undef;
    my $r = request($c, 'quote', path => '/flip/intake',
        $lead ? (account => $lead->{account}) : ());
    my $mode = any(qw(skip update));

    if (!$lead) {
        $lead = { account => $r->{account},
            email => 'q' . lc($r->{id}) . '@x.co' };
        $lead->{subject} = "q:$lead->{account}:$lead->{email}";
        keep($c, quote => $lead);
    }

    $r->{subject} = $lead->{subject};
    $r->{args} = { name => "Q$r->{id}", mode => $mode };
    $r->{body} = qq({"entity":"quotes","email":"$lead->{email}",)
        . qq("name":"Q$r->{id}","dedup_mode":"$mode"});

    return with_key($c, $r);
}


sub quote_shared {
    my ($c) = @_;

    my $r = request($c, 'quote_shared', path => '/flip/intake');
    my $email = shared_name(4) . '@x.co';

    $r->{subject} = "q:$r->{account}:$email";
    $r->{body} = qq({"entity":"quotes","email":"$email","name":"Q$r->{id}"});

    return with_key($c, $r);
}


# all or none

sub bulk {
    my ($c) = @_;

    my $r = request($c, 'bulk', path => '/flip/leads/bulk');
    my $rows = 2 + int rand 12;

    $r->{subject} = "b:$r->{id}";
    $r->{args} = { rows => $rows };
    $r->{body} = '{"entity":"deals","batch":[' . join(',', map {
        qq({"lead_name":"$r->{id}r$_"}) } 0 .. $rows - 1) . ']}';

    return with_key($c, $r, 1);
}


sub bulk_bad {
    my ($c) = @_;

    my $r = request($c, 'bulk_bad', path => '/flip/leads/bulk');

    $r->{subject} = "b:$r->{id}";
    $r->{body} = qq({"entity":"deals","batch":[{"lead_name":"$r->{id}r0"},)
        . qq({"lead_name":"$r->{id}r1"},{"company":"nobody"}]});

    return with_key($c, $r);
}


1;
