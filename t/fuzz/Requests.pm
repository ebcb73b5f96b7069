# Copyright (C) the ngx_lead authors
#
# Requests for http.pl: right ones of each dialect, and what is done to them.
# Everything comes from one source of random numbers, so that a seed makes the
# same requests again, but for the ids and cursors learned from answers.
#
# A request is { n, text, method, whole, at }: n is its dialect's number; whole
# says that its framing is right, so that it must be answered; at, where its
# writing is cut.  Nothing here knows a server.

package Requests;

use strict;
use warnings;

use Chance qw(chance pick js @Bytes @Numbers $Mark $Phone);
use Wire ();

my %Key = map { $_ => "${Mark}_key_$_" }
    qw(reflekt lawfficient source kickofflabs flextell leadflip);

# what was learned of each dialect, and what there is before
my (%Seen, $Dialect);
my %First = (uuid => '3f8c1e2a-1b2c-7d5e-8f90-abcdef012345', number => 1,
             cursor => '', kid => 'A1B2C3');


# account, key's text, and what leadctl is told beside these

sub keys_of {
    my @both = ('--scope', 'leads:read,leads:write');

    return (['injury', $Key{reflekt}, @both, '--api', 'reflekt'],
            ['firm', $Key{lawfficient}, @both, '--api', 'lawfficient'],
            ['firm', $Key{source}, '--source', 'zapier'],
            ['launch', $Key{kickofflabs}, @both, '--api', 'kickofflabs'],
            ['smith', $Key{flextell}, @both, '--api', 'flextell'],
            ['solar', $Key{leadflip}, @both, '--api', 'leadflip']);
}


sub learn {
    my ($dialect, $body) = @_;

    my $seen = $Seen{$dialect} //= {};

    # a list of entities has ids, too
    remember($seen, 'uuid', $1)
        if $body =~ /\A\{.*?"(?:id|lead_id)":"([0-9a-f-]{36})"/;
    remember($seen, 'number', $1) if $body =~ /"data":\[?\{"id":(\d+)/;
    remember($seen, 'cursor', $1) if $body =~ /"next_cursor":"([\w-]+)"/;
    remember($seen, 'kid', $1) if $body =~ /"(?:kid|social_id)":"(\w+)"/;
}


sub remember {
    my ($seen, $kind, $value) = @_;

    my $list = $seen->{$kind} //= [];

    push @$list, $value;
    shift @$list if @$list > 40;
}


# now and then another dialect's

sub seen {
    my ($kind) = @_;

    my $from = chance(0.1) ? pick(dialects()) : $Dialect;

    return pick(@{ $Seen{$from}{$kind} // [] }, $First{$kind});
}


# ---- right requests

my @Dialects = (
    [reflekt     => \&reflekt],
    [lawfficient => \&lawfficient],
    [kickofflabs => \&kickofflabs],
    [flextell    => \&flextell],
    [leadflip    => \&leadflip],
);

sub dialects { return map { $_->[0] } @Dialects }


# One request of one dialect, changed at random.

sub make {
    my $n = int rand @Dialects;

    $Dialect = $Dialects[$n][0];

    my $r = $Dialects[$n][1]->();

    $r->{n} = $n + 1;
    $r->{version} = '1.1';
    $r->{whole} = 1;
    unshift @{ $r->{headers} }, ['Host', 'localhost'];

    if (chance(0.75)) {
        mutate($r) for 1 .. pick(1, 1, 1, 2, 2, 3, 5);
    }

    return Wire::serialize($r);
}


sub email { return "$Mark." . int(rand 400) . '@planted.example' }

sub phone { return pick("+1$Phone", $Phone, '(206) 719-3713', "tel:$Phone;ext=1",
                        '+44 20 7946 00' . int(10 + rand 90)) }

sub name  { return pick('Ada', "O'Neil", "\xc3\xa9mile", '<b>x</b>', $Mark,
                        "jean-luc \xe6\x9d\x8e", ' a  b ') }

sub reflekt {
    my @fields = ([first_name => name()], [last_name => name()],
        [email => email()], [phone_number => phone()],
        [company_name => "Acme <i>$Mark</i>"], [campaign_name => 'pi_intake'],
        [notes => "$Mark\r\nsecond"], [birthday => '1990-02-28'],
        [address => name()], [friendly_name => name()]);

    my $r = { method => 'POST', path => '/api/v1/lead', args => [],
              headers => [idempotency()], form => \@fields,
              multipart => chance(0.6) };

    if (chance(0.3)) {
        push @{ $r->{args} }, [api_key => $Key{reflekt}];
    } else {
        unshift @fields, [pick('api_key', 'ApiKey') => $Key{reflekt}];
    }

    return $r;
}


sub idempotency {
    return if chance(0.6);
    return ['Idempotency-Key', pick('k' . int rand 50, '"q' . int(rand 9) . '"',
                                    'x' x 255)];
}


sub bearer { return ['Authorization', "Bearer $_[0]"] }


sub lawfficient {
    my @auth = (bearer($Key{lawfficient}), idempotency());
    my $id = seen('uuid');
    my @lead = ([first_name => js(name())], [last_name => js(name())],
        [email => js(email())], [phone => js(phone())],
        [source => js('partner')], [status => js('new')],
        [data => '{"caseType":"Family","city":' . js(name()) . '}']);

    return pick(
        { method => 'POST', path => '/api/leads', headers => \@auth,
          json => \@lead },
        { method => 'POST', path => '/api/leads', json => \@lead,
          headers => [bearer($Key{lawfficient})] },
        { method => 'POST', path => '/api/leads',
          headers => [bearer($Key{source}), idempotency()],
          json => [[firstName => js(name())], [lastName => js(name())],
                   [email => js(email())], [phone => js(phone())],
                   [externalId => js('x' . int rand 60)],
                   [caseType => js('Business')]] },
        { method => 'GET', path => '/api/leads', headers => \@auth,
          args => [[limit => pick(1, 2, 50, 200)], [cursor => seen('cursor')],
                   [status => 'new'], [q => pick('ada', $Mark, '')]] },
        { method => 'GET', path => "/api/leads/$id", headers => \@auth },
        { method => 'PATCH', path => "/api/leads/$id", headers => \@auth,
          json => [[status => js(pick('contacted', 'lost', 'new'))],
                   [first_name => js(name())], [email => js(email())],
                   [assignee_id => js(pick($id, 'a1b2c3d4-0000-4000-8000-'
                                                . '000000000000'))],
                   [data => '{"city":null}']] },
        { method => 'POST', headers => \@auth,
          path => "/api/leads/$id/" . pick('archive', 'unarchive') },
        { method => 'GET', path => '/api/openapi.json', headers => [] },
    );
}


sub kickofflabs {
    my @auth = chance(0.7) ? bearer($Key{kickofflabs}) : ();
    my @args = @auth ? () : ([api_key => $Key{kickofflabs}]);
    my @lead = ([email => js(email())], [phone_number => js(phone())],
        [first_name => js(name())], [company => js($Mark)],
        [kid => js(seen('kid'))], [points => 50],
        [__url => js('https://s.example/?plan=pro&utm_source=' . $Mark)],
        [pick('tags', '__source', '__uid', 'must_exist', 'custom field')
         => pick('["a","b"]', js('modal.123'), 'true')]);
    my $campaign = pick(135544, 135544, 135544, 135546, 135545);

    return pick(
        { method => 'POST', path => "/v2/$campaign" . pick('', '/'),
          headers => [@auth, idempotency()], args => \@args, json => \@lead },
        { method => 'POST', path => "/v2/$campaign", args => \@args,
          headers => [@auth], multipart => chance(0.3),
          form => [[email => email()], ['tags[]' => 'a'], [points => 7],
                   ['custom[x][y]' => $Mark], [phone_number => phone()]] },
        { method => 'GET', path => "/v2/$campaign", headers => [@auth],
          args => [@args, pick([email => email()], [phone_number => $Phone],
                               [kid => seen('kid')])] },
        { method => 'GET', path => '/v2/campaigns', headers => [@auth],
          args => \@args },
        { method => 'POST', path => "/v2/$campaign/points", args => \@args,
          headers => [@auth, idempotency()],
          json => [[email => js(email())], [points => int rand 100]] },
        { method => pick('POST', 'DELETE'), headers => [@auth],
          path => "/v2/$campaign/outbound-webhook", args => \@args,
          json => [[url => js('https://x.example/')]] },
    );
}


sub flextell {
    my @auth = (bearer($Key{flextell}), ['X-Tenant', '70'], idempotency());
    my $base = pick('/api/v1', '/v1');

    return pick(
        ({ method => 'POST', path => "$base/leads", headers => \@auth,
          json => [[last_name => js(name())], [first_name => js(name())],
                   [email => js(email())], [phone_number => js(phone())],
                   [country_id => pick(840, 215)], [lead_status_id => 1],
                   [lead_reference_source_id => 5], [assigned_user_id => 11],
                   [source_page_url => js("https://x.example/?q=$Mark")],
                   [marketing_attribution => '["utm_source=google"]'],
                   [message => js($Mark)]] }) x 2,
        { method => 'GET', path => "$base/leads", headers => \@auth,
          args => [[page => pick(1, 2, 9)], [per_page => pick(1, 15, 100)],
                   [search => pick($Mark, 'ada')],
                   [sort_by => pick('id', 'created_at')],
                   [sort_order => pick('asc', 'desc')]] },
        { method => 'GET', path => "$base/leads/" . seen('number'),
          headers => \@auth },
        { method => 'GET', headers => \@auth,
          path => "$base/leads/" . pick('statuses', 'reference-sources') },
        { method => 'PUT', path => "$base/leads/statuses/1",
          headers => \@auth, json => [[name => js('x')]] },
    );
}


sub leadflip {
    my @auth = (pick(bearer($Key{leadflip}),
                     ['Authorization', $Key{leadflip}]), idempotency());
    my $id = seen('uuid');
    my @lead = (['Lead Name' => js(name())], [email => js(email())],
        [phone => js(phone())], [company => js($Mark)], [Panels => 12.5],
        [roof => js('flat')], [visit => js('2026-01-02')],
        [battery => js('on')], [site => js('https://x.example/')],
        [address => '{"city":"x","lines":[1,2]}'],
        ['status:stage' => js('Qualified')], [dedup_mode => js(pick(
            'skip', 'update', 'create'))], [notes => '["a",{"text":"b"}]'],
        [viewers => js('ann@solar.test, bob@solar.test')]);
    my $row = sub { '{' . join(',', map { js($_->[0]) . ":$_->[1]" }
                                        @lead[0 .. 3]) . '}' };

    return pick(
        { method => 'POST', path => '/api/intake', headers => \@auth,
          json => [[entity => js('solar_leads')], @lead] },
        { method => 'POST', path => '/api/intake', headers => \@auth,
          multipart => chance(0.5),
          form => [[entity => 'solar_leads'], [lead_name => name()],
                   [email => email()], ['address[city]' => $Mark],
                   ['viewers[]' => 'ann@solar.test']] },
        { method => 'POST', path => '/api/leads/bulk', headers => \@auth,
          json => [[entity => js('solar_leads')], [source => js('csv')],
                   [batch => '[' . join(',', map { $row->() }
                                                 1 .. pick(1, 3, 40)) . ']'],
                   [note => js($Mark)]] },
        { method => 'GET', path => "/api/leads/$id", headers => \@auth },
        { method => 'PATCH', path => "/api/leads/$id", headers => \@auth,
          json => [[fields => '{"Company":' . js(name()) . ',"phone":null}'],
                   [note => js($Mark)]] },
        { method => 'PATCH', path => "/api/leads/$id/status",
          headers => \@auth,
          json => [[status_step => js(pick('Qualified', 'won', 'x'))]] },
        { method => 'GET', headers => \@auth,
          path => '/api/' . pick('entities', 'lead-objects') },
    );
}


# ---- what is done to them

# more than one line of the same: more often

my @Changes = (
    \&change_value, \&change_value, \&change_value, \&change_value,
    \&change_field, \&change_field, \&change_body, \&change_type,
    \&change_path, \&change_path, \&change_args, \&change_args,
    \&change_method, \&change_header, \&change_header, \&change_version,
    \&change_framing, \&change_framing, \&change_writing, \&change_bytes,
);

sub mutate {
    my ($r) = @_;

    return pick(@Changes)->($r);
}


sub odd_text {
    my $text = pick('', ' ', 'x', name(), email(), phone(), seen('uuid'),
        pick(@Numbers), pick(@Bytes) x pick(1, 2, 7), 'null', 'true',
        'a' x pick(127, 128, 254, 255, 256, 1000, 1001, 10001),
        "\xc3\xa9" x pick(127, 255, 256), "x\@" . 'a.' x 120 . 'co',
        "a\@b\xc3\xbccher.de", '2024-02-30', '0000-00-00',
        'javascript://x', 'https://[::1]:99999/?[]#', '+' . '1' x 60);

    $text .= pick(@Bytes) if chance(0.2);

    return $text;
}


# a value of JSON, right or not

sub odd_json {
    return pick('null', 'true', 'false', '[]', '{}', '""', 'nul', 'undefined',
        pick(@Numbers), pick(@Numbers), js(odd_text()), js(odd_text()),
        js(odd_text()), qq("\\u0000$Mark"), '"\ud800"', '"\udc00\ud800x"',
        '"\ud83d\ude00"', '"' . odd_text() . '"', '[' x 31 . ']' x 31,
        '[' x 40 . ']' x 40, '[' x pick(500, 30000),
        '{"a":' x 33 . '1' . '}' x 33, '[' . '0,' x 3000 . '0]',
        '{' . join(',', map { qq("k$_":$_) } 1 .. pick(30, 999, 1001)) . '}',
        '{"a":1,"a":2}', '{"":""}', '[null,"x",{"text":"y"}]',
        js('x' x pick(70000, 300000)));
}


sub change_value {
    my ($r) = @_;

    my $list = $r->{json} // $r->{form} // return change_args($r);
    return if !@$list;

    my $field = pick(@$list);
    $field->[1] = $r->{json} ? odd_json() : odd_text();
}


sub change_field {
    my ($r) = @_;

    my $list = $r->{json} // $r->{form} // return change_header($r);
    my $at = int rand(@$list || 1);
    my $names = pick(map { $_->[0] } @$list, ['x']);

    my $names_odd = pick($names . '[]', "$names\[a\][b]", uc $names,
        "$names ", '', odd_text(), 'a' . '[b]' x 9, 'x[1000]', '__proto__');

    pick(sub { splice @$list, $at, 1 if @$list },
         sub { push @$list, [@{ $list->[$at] // ['a', 1] }] },
         sub { $list->[$at] = [$names_odd, $list->[$at][1] // '1'] },
         sub { push @$list, [odd_text(), $r->{json} ? odd_json()
                                                    : odd_text()] },
         sub { push @$list, map { ["f$_", $_] } 1 .. pick(100, 130, 1100) },
         sub { @$list = () })->();
}


sub change_body {
    my ($r) = @_;

    push @{ $r->{after} }, pick(
        sub { '' },
        sub { $_[0] . pick(@Bytes) },
        sub { pick(@Bytes) . $_[0] },
        sub { substr $_[0], 0, int rand length($_[0]) + 1 },
        sub { substr $_[0], int rand length($_[0]) + 1 },
        sub { $_[0] x 2 },
        sub { my $s = $_[0];
              substr $s, int rand(length($s) + 1), pick(0, 1, 4),
                  pick(@Bytes) for 1 .. pick(1, 3);
              $s },
        sub { join '', map { chr int rand 256 } 1 .. pick(1, 40, 2000) },
        sub { $_[0] . ' ' x pick(65536, 262144, 1048577) },
        sub { odd_json() });
}


sub change_type {
    my ($r) = @_;

    $r->{type} = pick('application/json', 'application/JSON; charset=latin1',
        'application/vnd.api+json', 'text/plain', '', 'x', '/', ';',
        'application/x-www-form-urlencoded', 'multipart/form-data',
        'multipart/form-data; boundary=', 'multipart/form-data; boundary=B',
        'multipart/form-data; boundary="' . 'B' x pick(70, 71) . '"',
        'multipart/form-data; boundary=B; boundary=C', "multipart/\xff",
        'application/json, text/html', 'a' x 3000);
}


sub change_path {
    my ($r) = @_;

    for ($r->{path}) {
        my $at = int rand(length($_) + 1);
        my $odd = pick(@Bytes, '%', '%2', '%zz', '%2f', '%C0%AF', '..', '/',
            '//', '/.', '/../', '?', '#', '%00', "\xff/..", '%ff%fe',
            'a' x 9000);

        $odd =~ s/[\r\n ]/sprintf '%%%02x', ord $&/ge;
        pick(sub { substr $_, $at, 0, $odd },
             sub { substr $_, $at, 1, $odd if $at < length },
             sub { $_ = substr $_, 0, $at },
             sub { $_ .= pick('/', '//', '/x', '/.', '?', '%2F') },
             sub { s{/}{pick('//', '/./', "/\xe9/../", '/%2e%2e/a/')}e },
             sub { s{(\w)}{chance(0.3) ? sprintf '%%%02X', ord $1 : $1}ge },
             sub { s{[^/]+\z}{pick('%ff', '0', '-1', '9' x 30, odd_path(),
                                   seen('uuid'), seen('number'))}e },
             sub { $_ = pick('/', '*', 'http://localhost' . $_, '/lead',
                             "http://x.example$_", '/api', '/v2/0') })->();
    }
}


sub odd_path {
    my $text = odd_text();

    $text =~ s/([^\w.~-])/sprintf '%%%02x', ord $1/ge;

    return length $text ? $text : '%20';
}


sub change_args {
    my ($r) = @_;

    my $list = $r->{args} //= [];
    my @names = (map({ $_->[0] } @$list), qw(limit cursor q page per_page
        search sort_by api_key email phone_number points assignee status),
        'tags[]', 'a[b][c]', '', '__skip_urls', 'social_id');

    pick(sub { push @$list, [pick(@names), odd_text()] },
         sub { push @$list, [pick(@names), pick(@Numbers)] },
         sub { pick(@$list)->[1] = odd_text() if @$list },
         sub { pick(@$list)->[1] = pick(@Numbers) if @$list },
         sub { splice @$list, int rand @$list, 1 if @$list },
         sub { push @$list, map { ["a$_", ''] } 1 .. 130 },
         sub { $r->{raw_args} = pick('&&&', '=', '%', '%%%', 'a=%ff&%00=%00',
                                     'page', '[', "\xff=\xfe", 'x' x 7000,
                                     'a' . '[b]' x 20 . '=1', '?', '#a=b') },
         )->();
}


sub change_method {
    my ($r) = @_;

    $r->{method} = pick(qw(GET HEAD POST PUT PATCH DELETE OPTIONS TRACE
        PROPFIND MKCOL COPY LOCK CONNECT X-Y A_B get), 'A' x 200);
}


sub change_header {
    my ($r) = @_;

    my $list = $r->{headers};
    my $at = int rand(@$list || 1);
    my $odd = odd_text() =~ s/[\r\n\0]/./gr;

    pick(sub { splice @$list, $at, 1 if @$list },
         sub { push @$list, [@{ $list->[$at] }] if @$list },
         sub { $list->[$at][1] = $odd if @$list },
         sub { $list->[$at][0] = uc $list->[$at][0] if @$list },
         sub { $list->[$at][1] .= pick(' ', ',x', "\t", $odd) if @$list },
         sub { $list->[$at][1] =~ s/^Bearer /pick('bearer ', 'Bearer  ',
                   'Basic ', '', 'Bearer', 'Token token=')/e if @$list },
         sub { push @$list, ['Idempotency-Key', pick('', '"', '""', 'k1',
                   '"k1"', 'x' x 256, '"' . 'x' x 255 . '"', $odd)] },
         sub { push @$list, ['X-Tenant', pick(@Numbers, '70', '71', $odd)] },
         sub { push @$list, ['Lawfficient-Version', $odd] },
         sub { push @$list, ['Authorization', "Bearer $odd"] },
         sub { push @$list, ['Authentication', $odd] },
         sub { push @$list, ['Expect', '100-continue'] },
         sub { push @$list, ['Connection', pick('close', 'keep-alive',
                   'upgrade', 'close, TE', '')] },
         sub { push @$list, ['Host', pick('localhost', 'x.example:1', '[::1]',
                   'a' x 300, "b\xff", 'a/b', '..', '')] },
         sub { push @$list, [pick('X-Forwarded-For', 'Range', 'Cookie',
                   'Accept-Encoding', 'If-None-Match', 'If-Modified-Since',
                   'Referer', 'Content-Encoding', 'X_Y', 'TE', 'Upgrade'),
                   pick($odd, 'bytes=0-', 'gzip', 'h2c', 'x' x 4000)] },
         sub { push @$list, map { ["X-H$_", 'y'] } 1 .. pick(20, 120) },
         )->();
}


sub change_version {
    my ($r) = @_;

    $r->{version} = pick('1.0', '1.0', '1.0', '1.1', '1.2', '2.0', '0.9',
                         '1.10', '9.9');
}


# how the body is sent; what is wrong then need not be answered

sub change_framing {
    my ($r) = @_;

    $r->{framing} = pick(qw(chunked chunked chunked trailer extension none
        twice both length_odd chunk_odd te_odd short short));
}


sub change_writing {
    my ($r) = @_;

    $r->{cuts} = pick(1, 2, 3, 8, 40);
}


sub change_bytes {
    my ($r) = @_;

    $r->{raw} = pick(1, 1, 2, 5, 20);
}


1;
