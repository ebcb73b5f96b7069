# Copyright (C) the ngx_lead authors
#
# What is another account's is what is nobody's: who names a lead, a person, a
# campaign or whatever else another account has is told the very same, to the
# byte, as if there were no such thing anywhere; and what he makes is the same.

use strict;
use warnings;

use FindBin ();
use JSON::PP ();
use Test::More;

use lib "$FindBin::Bin/lib";
use Test::Lead::Dialects qw(dialects creation read_of form);

my $Json = JSON::PP->new->utf8->canonical;

my $T = Test::Lead::Dialects->new(http => 'lead_key_failures off;',
    account => <<'_EOC_');
        user b1000000-0000-4000-8000-000000000000 number=77
             email=ann@one.test name=Ann;
        campaign hidden number=2001 label=Hidden;
        pipeline private {
            stage sealed name=Sealed number=78 default;
        }
        source closet number=79 name=Closet external_id=ext79;
        data vault gold silver;
        country 80 TR;
        entity safes {
            field lead_name text;
            field email     email;
            field vault     text;
            match email;
        }
_EOC_
$T->start;

my %Key = map { $_ => $T->add_key($_) } qw(one two);
my $Nobody = '018f0000-0000-7000-8000-00000000';


# the account's lead of an id, in each form there is one; by dialect

my (%lead, %own);

for my $dialect (dialects()) {
    my $shown = $T->create($dialect, $Key{one},
        email => "$dialect\@one.test", phone => '+12065550111');
    my ($doc) = grep { ($_->{document}{email} // $_->{document}{fields}{email}
        // '') eq "$dialect\@one.test" } leads('one');

    $lead{$dialect} = { shown => $shown, id => $doc->{id},
        number => $doc->{number} };
    $own{$dialect} = $T->create($dialect, $Key{two}, account => 'two',
        email => "$dialect\@two.test", phone => '+12065550222');
}

my $Cursor = $T->call('lawfficient', $Key{one}, 'GET',
    '/lawfficient/leads?limit=1')->{json}{next_cursor};


sub leads {
    my ($account) = @_;

    return map { $Json->decode($_) } split /\n/,
        $T->ctl('--json', qw(lead export --account), $account);
}


# the answer, without what differs from one request to the next anyway

sub plain {
    my ($res, $name) = @_;

    my $text = join "\n", $res->{status}, (map { "$_: $res->{headers}{$_}" }
        grep { !/^(?:date|content-length)$/ } sort keys %{ $res->{headers} }),
        $res->{body};

    my $escaped = form('' => $name) =~ s/^=//r;

    $text =~ s/(?<![\w.-])\Q$_\E(?![\w.-])/<name>/g for $name, $escaped;
    $text =~ s/somebody\d+/<somebody>/g;
    $text =~ s/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}/<id>/g;
    $text =~ s/\d{4}-\d\d-\d\d[T ][\d:.]+/<time>/g;
    $text =~ s/"(?:lead_id|id|number)":\K\d+/<number>/g;
    $text =~ s/"(?:kid|social_id|lead_number|subscription_number|lead_count|counter)":\K"?\w+"?/<own>/g;
    $text =~ s/(?:social_id|kid)=\K\w+/<own>/g;

    return $text;
}


# [dialect, what, another's, nobody's, request made of a name]

my @cases;

for my $dialect (qw(lawfficient flextell leadflip)) {
    my %more = (
        lawfficient => [[GET => ''], [PATCH => '', { first_name => 'Eve' }],
            [PATCH => '', { status => 'won' }], [POST => '/archive'],
            [POST => '/unarchive']],
        flextell => [[GET => ''], [POST => '/convert', {}]],
        leadflip => [[GET => ''], [PATCH => '', { fields => {
            lead_name => 'Eve' } }], [PATCH => '/status',
            { status_step => 'Won' }]],
    );

    for my $from (dialects()) {
        my @ids = map { [$lead{$from}{$_}, /number/ ? 999999
            : "${Nobody}0001"] } qw(id number);

        push @ids, [uc $lead{$from}{id}, uc "${Nobody}000a"],
            [$lead{$from}{id} =~ tr/-//dr, "${Nobody}0001" =~ tr/-//dr];

        for my $ids (@ids) {
            for (@{ $more{$dialect} }) {
                my ($method, $path, $body) = @$_;

                push @cases, [$dialect, "$method $path of ${from}'s lead",
                    @$ids, sub { ($method, "/$dialect/leads/$_[0]$path",
                        $body) }];
            }
        }
    }
}

# of Leadflip each is somebody else, as it finds duplicates

my $Somebody = 0;

sub creating {
    my ($dialect, %more) = @_;

    my ($method, $path, undef, $body) = creation($dialect, account => 'two',
        email => 'somebody' . ++$Somebody . '@two.test');

    return ($method, $path, { %{ $Json->decode($body) }, %more });
}

my @law = ('lawfficient');
my $at = '/lawfficient/leads';

push @cases,
    [@law, 'a source, listed', qw(closet nowhere),
        sub { (GET => "$at?source=$_[0]") }],
    [@law, 'a stage, listed', qw(sealed nowhere),
        sub { (GET => "$at?status=$_[0]") }],
    [@law, 'an assignee, listed', 'b1000000-0000-4000-8000-000000000000',
        "${Nobody}0002", sub { (GET => "$at?assignee=$_[0]") }],
    [@law, 'a person, searched', 'lawfficient@one.test', 'nobody@one.test',
        sub { (GET => "$at?" . form(q => $_[0])) }],
    [@law, 'a phone number, searched', '2065550111', '2065550333',
        sub { (GET => "$at?q=$_[0]") }],
    [@law, 'an assignee', 'b1000000-0000-4000-8000-000000000000',
        "${Nobody}0002", sub { creating('lawfficient', assignee_id => $_[0]) }],
    [@law, 'a field of data', qw(vault elsewhere),
        sub { creating('lawfficient', data => { $_[0] => 'gold' }) }],
    [@law, 'a vocabulary', qw(gold nickel),
        sub { creating('lawfficient', data => { vault => $_[0] }) }],
    [@law, 'a stage of a change', qw(sealed nowhere),
        sub { (PATCH => "$at/$own{lawfficient}", { status => $_[0] }) }],
    [@law, 'an assignee of a change', 'b1000000-0000-4000-8000-000000000000',
        "${Nobody}0002",
        sub { (PATCH => "$at/$own{lawfficient}", { assignee_id => $_[0] }) }],
    [@law, 'a source of a new lead', qw(closet nowhere),
        sub { creating('lawfficient', source => $_[0]) }];

push @cases,
    [kickofflabs => 'an e-mail address', 'kickofflabs@one.test',
        'nobody@one.test', sub { (GET => '/kickofflabs/1002?' . form(
            email => $_[0])) }],
    [kickofflabs => 'a phone number', '+12065550111', '+12065550333',
        sub { (GET => '/kickofflabs/1002?' . form(phone_number => $_[0])) }],
    (map {
        my $by = $_;
        [kickofflabs => "a $by", $lead{kickofflabs}{shown}, 'ZZZZZZ',
            sub { (GET => "/kickofflabs/1002?$by=$_[0]") }]
    } qw(kid social_id)),
    [kickofflabs => 'points for somebody', 'kickofflabs@one.test',
        'nobody@one.test', sub { (POST => '/kickofflabs/1002/points', {
            email => $_[0], points => 5 }) }],
    [kickofflabs => 'points for an id', $lead{kickofflabs}{shown}, 'ZZZZZZ',
        sub { (POST => '/kickofflabs/1002/points', { social_id => $_[0],
            points => 5 }) }],
    [kickofflabs => 'who must exist', $lead{kickofflabs}{shown}, 'ZZZZZZ',
        sub { (POST => '/kickofflabs/1002', { social_id => $_[0],
            must_exist => 'true', first_name => 'Eve' }) }],
    [kickofflabs => 'a referrer', $lead{kickofflabs}{shown}, 'ZZZZZZ',
        sub { (POST => "/kickofflabs/1002?kid=$_[0]", { email =>
            'referred@two.test' }) }];

push @cases,
    (map {
        my ($name, $theirs) = @$_;
        [flextell => $name, $theirs, $theirs + 100,
            sub { creating('flextell', $name => $_[0]) }]
    } [lead_status_id => 78], [lead_reference_source_id => 79],
        [assigned_user_id => 77]),
    [flextell => 'a person, searched', 'flextell@one.test', 'nobody@one.test',
        sub { (GET => '/flextell/leads?' . form(search => $_[0])) }],
    (map {
        my $list = $_;
        [flextell => "$list, searched", qw(Closet Nowhere),
            sub { (GET => "/flextell/leads/$list?search=$_[0]") }]
    } qw(statuses reference-sources)),
    [flextell => 'a status, changed', 78, 178,
        sub { (PUT => "/flextell/leads/statuses/$_[0]", {}) }];

push @cases,
    [leadflip => 'an entity', qw(safes nowhere),
        sub { creating('leadflip', entity => $_[0]) }],
    [leadflip => 'an entity of a bulk', qw(safes nowhere),
        sub { (POST => '/leadflip/leads/bulk', { entity => $_[0],
            batch => [{ email => 'a@b.co' }] }) }],
    (map {
        my ($name, $theirs, $none) = @$_;
        [leadflip => "$name $theirs", $theirs, $none,
            sub { creating('leadflip', $name => $_[0]) }],
    } [assignee => 'b1000000-0000-4000-8000-000000000000', "${Nobody}0002"],
        [assignee => 'ann@one.test', 'nobody@one.test'],
        [viewers => 'ann@one.test', 'nobody@one.test'],
        ['status:private' => 'Sealed', 'Nowhere'],
        ['status:stage' => 'Sealed', 'Nowhere'],
        [vault => 'gold', 'nickel'],
        [city => 'ann@one.test', 'nobody@one.test']),
    [leadflip => 'a duplicate', 'leadflip@one.test', 'nobody@one.test',
        sub { creating('leadflip', email => $_[0]) }],
    [leadflip => 'a status', qw(Sealed Nowhere),
        sub { (PATCH => "/leadflip/leads/$own{leadflip}/status",
            { status_step => $_[0] }) }],
    [leadflip => 'a field of a change', qw(vault elsewhere),
        sub { (PATCH => "/leadflip/leads/$own{leadflip}", { fields => {
            $_[0] => 'gold' } }) }];

push @cases, map {
    my ($name, $theirs, $none) = @$_;
    [reflekt => "a $name", $theirs, $none, sub { (POST => '/reflekt/lead',
        form(first_name => 'Ada', last_name => 'Lovelace',
            email => 'ada@example.com', phone_number => '+12065550100',
            $name => $_[0])) }];
} [campaign_name => 'hidden', 'nowhere'], [campaign_name => 'Hidden', 'None'];

my $before = $T->ctl('--json', qw(lead export --account one));

for my $case (@cases) {
    my ($dialect, $what, $theirs, $none, $request) = @$case;

    my @plain = map {
        my ($method, $path, $body) = $request->($_);
        my @type = ('Content-Type', ref $body ? 'application/json'
            : 'application/x-www-form-urlencoded');

        plain($T->call_as($dialect, $Key{two}, 'two', $method, $path,
            [@type], ref $body ? $Json->encode($body) : $body), $_);
    } $theirs, $none;

    is($plain[0], $plain[1], "$dialect: $what");
    unlike($plain[0], qr/one\.test|\bAnn\b|Closet|Sealed|Hidden/,
        '... and nothing of it') if $theirs !~ /one\.test|Sealed|Hidden|Closet/;
}

is($T->ctl('--json', qw(lead export --account one)), $before,
    'nothing of it has changed');


# what was made by a name of another's is as what was made by none

for my $doc (leads('two')) {
    unlike($Json->encode($doc), qr/b1000000|"Ann"|Closet|Sealed|Hidden|one\.test"/,
        'a lead of account two knows nothing of account one')
        if ($doc->{document}{email} // $doc->{document}{fields}{email} // '')
        !~ /one\.test/;
}


# A campaign of another account: by contract a key of account two is there
# what no key at all is, and that the number is given is no secret.

for my $route ([GET => '?email=kickofflabs@one.test'], [POST => '', { email =>
    'kickofflabs@one.test' }], [POST => '/points', { email =>
    'kickofflabs@one.test', points => 5 }], [POST => '/inbound-webhook', {}],
    [POST => '/outbound-webhook', {}], [DELETE => '/outbound-webhook', {}])
{
    my ($method, $path, $body) = @$route;
    my @plain = map { plain($T->call('kickofflabs', $_, $method,
        "/kickofflabs/2001$path", ['Content-Type', 'application/json'],
        $body && $Json->encode($body)), 2001) } $Key{two}, 'nobody';

    is($plain[0], $plain[1], "kickofflabs: $method of a campaign$path");
    like($plain[0], qr/^409$/m, '... is refused');
}


# what there is of one's own is all there is

for my $list (['kickofflabs', '/kickofflabs/campaigns'], ['flextell',
    '/flextell/leads/statuses'], ['flextell',
    '/flextell/leads/reference-sources'], ['leadflip', '/leadflip/entities'],
    ['leadflip', '/leadflip/lead-objects'], ['lawfficient',
    "$at?limit=200"], ['lawfficient', "$at?limit=200&cursor=$Cursor"],
    ['flextell', '/flextell/leads?per_page=100'],
    ['flextell', '/flextell/leads?per_page=100&page=2'])
{
    my ($dialect, $path) = @$list;
    my %body = map { $_ => $T->call_as($dialect, $Key{$_}, $_, 'GET', $path)
        ->{body} } qw(one two);

    unlike($body{two}, qr/Hidden|Sealed|Closet|safes|vault|"\w+\@one\.test"/i,
        "$dialect: $path: nothing of account one") if $path !~ /leads\?/;
    ok(index($body{two}, $lead{$_}{id}) < 0, "... nor the lead of $_")
        for dialects();
    like($body{one}, qr/Hidden|Closet|safes/i, '... which has it')
        if $path !~ /\?|statuses/;
}

$T->check_end('a clean end');
done_testing();
