# Copyright (C) the ngx_lead authors
#
# What must hold in each dialect and on each of its routes: who may not come in
# learns and changes nothing, by whatever he names a lead; headers sent twice
# have one meaning; nothing that is echoed can be a header of its own; and no
# answer is to be taken for another type.

use strict;
use warnings;

use FindBin ();
use JSON::PP ();
use Test::More;

use lib "$FindBin::Bin/lib";
use Test::Lead qw(wait_until);
use Test::Lead::Dialects qw(dialects creation read_of form);
use Test::Lead::Process qw(slow);
use Test::LeadFixtures ();

my $Json = JSON::PP->new->utf8->canonical;
my @Type = ('Content-Type', 'application/json');

# status of: no key, an unknown one, a disabled one, one without the scope
my %Denied = (
    reflekt => [401, 401, 401, 401],
    lawfficient => [401, 401, 403, 403],
    kickofflabs => [409, 409, 409, 409],
    flextell => [401, 401, 401, 403],
    leadflip => [401, 401, 401, 401],
);


# ---- routes: scope, method, path below /<dialect>/, body; <id> is a lead's

my %Routes = (
    reflekt => [
        [write => POST => 'lead', { email => 'a@b.co' }],
    ],
    lawfficient => [
        [write => POST => 'leads', { first_name => 'A', last_name => 'B',
            source => 'x', email => 'a@b.co' }],
        [read => GET => 'leads'],
        [read => GET => 'leads/<id>'],
        [write => PATCH => 'leads/<id>', { first_name => 'Eve' }],
        [write => POST => 'leads/<id>/archive'],
        [write => POST => 'leads/<id>/unarchive'],
    ],
    kickofflabs => [
        [write => POST => '1001', { email => 'a@b.co' }],
        [read => GET => '1001?social_id=<id>'],
        [read => GET => 'campaigns'],
        [write => POST => '1001/points', { email => 'ada@example.com',
            points => 5 }],
        [write => POST => '1001/outbound-webhook', {}],
        [write => DELETE => '1001/outbound-webhook', {}],
        [write => POST => '1001/inbound-webhook', {}],
    ],
    flextell => [
        [write => POST => 'leads', { last_name => 'B', email => 'a@b.co' }],
        [read => GET => 'leads'],
        [read => GET => 'leads/<id>'],
        [read => GET => 'leads/statuses'],
        [read => GET => 'leads/reference-sources'],
        [write => PUT => 'leads/statuses/1', {}],
        [write => POST => 'leads/reference-sources', {}],
        [write => POST => 'leads/<id>/convert', {}],
    ],
    leadflip => [
        [write => POST => 'intake', { entity => 'deals', email => 'a@b.co' }],
        [write => POST => 'leads/bulk', { entity => 'deals', batch => [
            { email => 'a@b.co' }] }],
        [read => GET => 'leads/<id>'],
        [write => PATCH => 'leads/<id>', { fields => { lead_name => 'Eve' } }],
        [write => PATCH => 'leads/<id>/status', { status_step => 'Won' }],
        [read => GET => 'entities'],
        [read => GET => 'lead-objects'],
    ],
);


sub request {
    my ($dialect, $route, $id) = @_;

    my (undef, $method, $path, $body) = @$route;

    $path =~ s/<id>/$id/;

    return ($method, "/$dialect/$path", [@Type], $body && $Json->encode($body))
        if $dialect ne 'reflekt';

    return ($method, "/$dialect/$path", ['Content-Type',
        'application/x-www-form-urlencoded'], form(%{ $body // {} }));
}


# every lead of the store, with its history

sub everything {
    my ($t) = @_;

    return $t->ctl('--json', qw(lead export));
}


# ---- the server

my $T = Test::Lead::Dialects->new(workers => 2, http => <<'_EOC_',
    lead_key_failures off;
    limit_req_zone $server_port zone=requests:1m rate=1r/m;
_EOC_
    server => <<'_EOC_');
        listen 127.0.0.1:%%PORT2%% http2;
        server_name leads.test;
        location /denied/ { lead_api flextell base=/denied; deny all; }
        location /small/ {
            lead_api lawfficient base=/small;
            client_max_body_size 10;
        }
        location /once/ {
            lead_api leadflip base=/once;
            limit_req zone=requests;
        }
        location /rate/ { lead_api leadflip base=/rate; lead_rate 1r/m; }
        location /page/ {
            lead_api reflekt base=/page;
            client_max_body_size 10;
            error_page 413 /plain;
        }
        location /if/ {
            lead_api reflekt base=/if;
            if ($arg_a) { return 418; }
        }
        location = /plain { return 200 plain; }
        location = /status/denied { lead_status json; deny all; }
        location = /status/small {
            lead_status json;
            client_max_body_size 10;
            if ($arg_a) { return 418; }
        }
        location /né/ { lead_api flextell base=/né; }
        location /named/ {
            lead_api flextell base=/named;
            server_name_in_redirect on;
        }
_EOC_

# nginx -t makes the directory; a key that expires is made before nginx runs

$T->test_conf;

my %Key = (
    one => $T->add_key('one'),
    two => $T->add_key('two'),
    read => $T->add_key('one', scope => 'leads:read'),
    write => $T->add_key('one', scope => 'leads:write'),
    off => $T->add_key('one', off => 1),
    expired => $T->add_key('one', expires => '2999-12-31'),
    source => $T->add_key('one', source => 'web'),
    gone => $T->add_key('gone'),
    map { ("api_$_" => $T->add_key('one', api => $_)) } dialects(),
);

Test::LeadFixtures::expire_keys($T->dir . '/store/lead.mdb');
$T->start;


# ---- scope, expiry and whatever else a key may be, on every route

for my $dialect (dialects()) {
    my $id = $T->create($dialect, $Key{one});
    my ($none, $bad, $off, $scope) = @{ $Denied{$dialect} };
    my @of_others = map { "api_$_" } grep { $_ ne $dialect } dialects();
    my $before = everything($T);
    my %open;

    for my $route (@{ $Routes{$dialect} }) {
        my ($right, $method, $path) = @$route;
        my $other = $right eq 'read' ? 'write' : 'read';

        my %status = (none => $none, no_such_key => $bad, off => $off,
            expired => $bad, gone => $bad, $other => $scope,
            map { $_ => $bad } @of_others);

        # of Lawfficient a source may create
        $status{source} = $bad
            if $dialect ne 'lawfficient' || "$method $path" ne 'POST leads';

        for my $name (sort keys %status) {
            my $key = $name eq 'none' ? undef : $Key{$name} // $name;

            is($T->call($dialect, $key, request($dialect, $route, $id))
                ->{status}, $status{$name}, "$dialect: $method $path: $name");

            # nor by what is served as the same, or might be

            my (undef, $same, @rest) = request($dialect, $route, $id);

            for my $way (['HEAD', $same], ['OPTIONS', $same],
                [$method, $same =~ s{(?=\?|\z)}{/}r],
                [$method, $same =~ s{/}{//}gr],
                [$method, $same =~ s{e}{%65}gr],
                [$method, $same =~ s{\A/\w+}{$& . '/.' . $&}er],
                ['GET', $same, ['X-HTTP-Method-Override', $method]])
            {
                my ($verb, $there, $more) = @$way;
                my $res = $T->call($dialect, $key, $verb, $there,
                    [@{ $rest[0] }, @{ $more // [] }],
                    $verb eq $method ? $rest[1] : undef);

                # a method is allowed, or not, to anybody; and one may read
                # who may not write

                $open{"$verb $there: $name"} = $res->{status}
                    if $res->{status} < 400 && $verb ne 'OPTIONS'
                    && !($verb ne $method && $name eq 'read');
            }
        }
    }

    is_deeply(\%open, {}, "$dialect: there is no other way in");

    is(everything($T), $before, "$dialect: nothing has changed");

    for my $route (@{ $Routes{$dialect} }) {
        my ($right, $method, $path) = @$route;

        for my $name ($right, 'one', "api_$dialect") {
            my $res = $T->call($dialect, $Key{$name}, request($dialect, $route,
                $id));

            # what is configured here is refused to those who may come in
            like($res->{status}, qr/^(?:20[01]|403)$/,
                "$dialect: $method $path: $name may")
                or diag($res->{body});
        }
    }
}


# ---- another account's leads, by every id, in every dialect

{
    my (%lead, @numbers);

    for my $dialect (dialects()) {
        my $shown = $T->create($dialect, $Key{one},
            email => "$dialect\@one.test", phone => '+12065550111');
        my ($doc) = grep { ($_->{document}{email} // $_->{document}{fields}{email}
            // '') eq "$dialect\@one.test" }
            map { $Json->decode($_) } split /\n/, everything($T);

        $lead{$dialect} = { shown => $shown, id => $doc->{id},
            number => $doc->{number},
            social_id => $doc->{document}{social_id} };
        like($doc->{id}, qr/^[0-9a-f-]{36}$/, "$dialect: a lead of account one");
    }

    # account two has some of its own, which is what it may find

    $T->create($_, $Key{two}, account => 'two', email => 'eve@two.test')
        for dialects();

    my $before = everything($T);
    my %n = (found => 0, tried => 0);

    for my $from (dialects()) {
        for my $dialect (dialects()) {
            for my $route (@{ $Routes{$dialect} }) {
                next if $route->[2] !~ /<id>/;

                for my $id (grep { defined } @{ $lead{$from} }
                    {qw(shown id number social_id)})
                {
                    my ($method, $path, @rest) = request($dialect, $route, $id);

                    $path =~ s{/1001\b}{/1002};

                    my $res = $T->call_as($dialect, $Key{two}, 'two', $method,
                        $path, @rest);

                    $n{tried}++;
                    $n{found}++ if $res->{status} < 400;

                    like($res->{status}, qr/^(?:404|403)$/,
                        "$from\'s lead as $dialect: $method $path");
                    unlike($res->{body}, qr/one\.test|lovelace/i,
                        '... and nothing of it');
                }
            }
        }
    }

    is($n{found}, 0, 'no lead of another account is found');
    cmp_ok($n{tried}, '>', 100, '... in many tries');
    is(everything($T), $before, '... nor changed');

    # the same ids in the hands of their account

    for my $dialect (grep { $_ ne 'reflekt' } dialects()) {
        is($T->call($dialect, $Key{one}, read_of($dialect,
            $lead{$dialect}{shown}))->{status}, 200,
            "$dialect: its own account finds it");
    }

    # by what KickoffLabs finds a lead beside an id, and in a campaign of the
    # other account

    for my $by ("email=kickofflabs\@one.test", 'phone_number=%2B12065550111',
        "kid=$lead{kickofflabs}{shown}", "social_id=$lead{kickofflabs}{shown}")
    {
        is($T->call_as('kickofflabs', $Key{two}, 'two', 'GET',
            "/kickofflabs/1002?$by")->{status}, 404, "kickofflabs: $by");
        is($T->call_as('kickofflabs', $Key{two}, 'two', 'GET',
            "/kickofflabs/1001?$by")->{status}, 409,
            "kickofflabs: $by of the campaign");
    }

    # a referrer, an assignee, a duplicate of another account

    my $made = $T->create('kickofflabs', $Key{two}, account => 'two',
        email => 'kickofflabs@one.test', phone => '+12065550111');
    isnt($made, $lead{kickofflabs}{shown}, 'kickofflabs: a lead of its own');

    $T->call_as('kickofflabs', $Key{two}, 'two', 'POST',
        "/kickofflabs/1002?kid=$lead{kickofflabs}{shown}", [@Type],
        '{"email":"referred@two.test"}');

    my $flip = $T->create('leadflip', $Key{two}, account => 'two',
        email => 'leadflip@one.test');
    isnt($flip, $lead{leadflip}{shown}, 'leadflip: a match is no match');

    my ($staff) = 'a1000000-0000-4000-8000-000000000000';

    is($T->call_as('leadflip', $Key{two}, 'two', 'PATCH',
        "/leadflip/leads/$flip", [@Type], $Json->encode({ assignee => $staff }))
        ->{status}, 422, 'leadflip: a user of another account');

    for my $line (split /\n/, $before) {
        my $doc = $Json->decode($line);

        next if $doc->{account} ne 'one';
        ok(index(everything($T), $line) >= 0,
            "account one's lead $doc->{number} is as it was");
    }
}


# ---- pages: a cursor of another account

{
    $T->create('lawfficient', $Key{one}, email => "page$_\@one.test")
        for 1 .. 3;

    my $page = $T->call('lawfficient', $Key{one}, 'GET',
        '/lawfficient/leads?limit=2');
    my $cursor = $page->{json}{next_cursor};

    ok($cursor, 'a page has a cursor');

    my $res = $T->call('lawfficient', $Key{two}, 'GET',
        "/lawfficient/leads?cursor=$cursor&limit=200");

    is($res->{status}, 200, 'of another account it is a place in time');

    my %own = map { $Json->decode($_)->{id} => 1 } split /\n/,
        $T->ctl('--json', qw(lead export --account two));

    is_deeply([grep { !$own{$_} } map { $_->{id} } @{ $res->{json}{data} }],
        [], '... of its own leads');

    for my $dialect (qw(lawfficient flextell)) {
        $res = $T->call_as($dialect, $Key{two}, 'two', 'GET',
            "/$dialect/leads?" . ($dialect eq 'flextell' ? 'per_page=100'
                : 'limit=200'));

        is($res->{status}, 200, "$dialect: a list");
        like($res->{body}, qr/two\.test/, '... has its leads');
        unlike($res->{body}, qr/page\d\@one|Website.*one\.test/,
            '... and not those of others');

        for my $by (form(q => 'page', search => 'page')) {
            unlike($T->call_as($dialect, $Key{two}, 'two', 'GET',
                "/$dialect/leads?$by")->{body}, qr/page\d\@one/,
                '... nor is one found');
        }
    }
}


# ---- an Idempotency-Key of another account, and of another key of this one

for my $dialect (dialects()) {
    my %made;

    for my $name (qw(one two write)) {
        my $account = $name eq 'two' ? 'two' : 'one';
        my ($method, $path, $headers, $body) = creation($dialect,
            account => $account, email => "$name-idem\@$account.test",
            phone => '+1206555012' . length $name);
        my $key = $Key{ $name eq 'write' ? 'write' : $name };
        my @ids = map {
            my $res = $T->call_as($dialect, $key, $account, $method, $path,
                [@$headers, 'Idempotency-Key', 'the-same'], $body);

            $res->{body} =~ /"(?:lead_)?id":"?([0-9a-f-]+)/ ? $1
                : "none: $res->{status}";
        } 1 .. 2;

        is($ids[0], $ids[1], "$dialect: $name: a repeat");
        $made{ $ids[0] } = 1;
    }

    is(scalar(keys %made), 3, "$dialect: an Idempotency-Key is its client's");
}


# ---- X-Tenant

for my $case (
    [one => 1, 200], [one => 2, 403], [two => 2, 200], [two => 1, 403],
    [one => 3, 403], [one => '01', 200], [one => '1 2', 400], [one => '1,2', 400],
    [one => '-1', 400], [one => '4294967297', 403], [one => "1\t", 200],
    [one => '18446744073709551617', 403], [one => '', 400],
) {
    my ($key, $tenant, $status) = @$case;

    is($T->http('GET', '/flextell/leads', ['Authorization',
        "Bearer $Key{$key}", 'X-Tenant', $tenant])->{status}, $status,
        "X-Tenant: $tenant of account $key");
}


# ---- headers sent twice: the first counts, of Authorization none does

{
    my $get = sub {
        my ($dialect, @headers) = @_;

        return $T->http('GET', "/$dialect/leads", [@headers])->{status};
    };

    my @one = ('Authorization', "Bearer $Key{one}");
    my @bad = ('Authorization', 'Bearer nobody');

    is($get->('lawfficient', @one, @bad), 400, 'Authorization twice');
    is($get->('lawfficient', @bad, @one), 400, '... in the other order');
    is($get->('lawfficient', @one, @one), 400, '... and the same');

    is($get->('flextell', @one, 'X-Tenant', 1, 'X-Tenant', 2), 200,
        'X-Tenant twice: the first');
    is($get->('flextell', @one, 'X-Tenant', 2, 'x-tenant', 1), 403,
        '... and not the second');

    my ($method, $path, $headers, $body) = creation('kickofflabs');
    my @key = ('Authentication', $Key{one});

    is($T->http($method, $path, [@$headers, @key, 'Authentication', 'nobody'],
        $body)->{status}, 200, 'Authentication twice: the first');
    is($T->http($method, $path, [@$headers, 'Authentication', 'nobody', @key],
        $body)->{status}, 409, '... and not the second');

    ($method, $path, $headers, $body) = creation('lawfficient');

    my @ids = map { $T->call('lawfficient', $Key{one}, $method, $path,
        [@$headers, map { ('Idempotency-Key', $_) } @$_], $body)->{json}{id} }
        [qw(first second)], [qw(first third)], [qw(second first)], ['second'];

    is($ids[1], $ids[0], 'Idempotency-Key twice: the first');
    isnt($ids[2], $ids[0], '... and not the second');
    is($ids[3], $ids[2], '... which is remembered');

    my $res = $T->call('lawfficient', $Key{one}, 'GET', '/lawfficient/leads',
        ['Lawfficient-Version', 'a', 'Lawfficient-Version', 'b']);

    is($res->{headers}{'lawfficient-version'}, 'a',
        'Lawfficient-Version twice: the first');

    # an argument and a field: the order of the contracts, t/reflekt.t and
    # t/kickofflabs.t have it; here it is one key that decides, never two

    ($method, $path, $headers, $body) = creation('reflekt');

    is($T->http($method, "$path?api_key=$Key{one}", [@$headers],
        "api_key=nobody&$body")->{status}, 401, 'reflekt: the field decides');
}


# ---- where a request ends

{
    my $before = everything($T);
    my $body = '{"source":"x","first_name":"A","last_name":"B",'
        . '"email":"smuggled@example.com"}';
    my $inner = join "\r\n", 'POST /lawfficient/leads HTTP/1.1',
        'Host: localhost', "Authorization: Bearer $Key{one}",
        'Content-Length: ' . length $body, '', $body;

    for my $case (
        ['both lengths', 400, ['Content-Length', 4, 'Transfer-Encoding',
            'chunked'], "0\r\n\r\n$inner"],
        ['both, the other way', 400, ['Transfer-Encoding', 'chunked',
            'Content-Length', 4], "0\r\n\r\n$inner"],
        ['two lengths', 400, ['Content-Length', 0, 'Content-Length',
            length $inner], $inner],
        ['a list of lengths', 400, ['Content-Length', '0, 0'], $inner],
        ['a signed length', 400, ['Content-Length', '+0'], $inner],
        ['two codings', 400, ['Transfer-Encoding', 'chunked',
            'Transfer-Encoding', 'identity'], "0\r\n\r\n$inner"],
        ['another coding', 501, ['Transfer-Encoding', 'xchunked'],
            "0\r\n\r\n$inner"],
        ['a list of codings', 501, ['Transfer-Encoding', 'chunked, identity'],
            "0\r\n\r\n$inner"],
        ['a chunk that is none', 400, ['Transfer-Encoding', 'chunked'],
            "0x0\r\n\r\n$inner"],
    ) {
        my ($name, $status, $headers, $rest) = @$case;
        my $c = $T->connect;

        $c->write(Test::Lead::Http::format_request('POST', '/lawfficient/leads',
            ['Authorization', "Bearer $Key{one}", @$headers], undef,
            keepalive => 1, no_length => 1) . $rest);
        $c->shutdown_write;

        my $res = $c->response // { status => "none: $c->{error}" };

        is($res->{status}, $status, "$name: refused");
        ok(!$c->response, '... and nothing behind it is a request')
            or diag($c->{in});
    }

    unlike(everything($T), qr/smuggled/, 'no lead came in');
    is(everything($T), $before, '... and nothing else');
}


# ---- what is echoed

{
    # CR alone, NUL and LF cannot be in a header's value; the others are no
    # end of one

    for my $value ("a\rX-Evil: 1", "a\0b") {
        my $res = $T->http('GET', '/lawfficient/openapi.json',
            ['Lawfficient-Version', $value]);

        is($res->{status}, 400, 'Lawfficient-Version: no header at all');
        is($res->{headers}{'x-evil'}, undef, '... nor is it in the answer');
    }

    for my $value ("a\tb", "a\x01\x7fb", "\xff\xc2\x85", 'x' x 200,
        '"a":<b>, c', "a\n X-Evil: 1")
    {
        my $res = $T->http('GET', '/lawfficient/openapi.json',
            ['Lawfficient-Version', $value]);

        unlike($res->{raw_headers}, qr/^X-Evil/mi, 'a value is a value');
        is(scalar(() = $res->{raw_headers} =~ /^\S+: /mg),
            scalar(split /\r\n/, $res->{raw_headers}) - 1,
            '... and each line a header');
    }

    # over HTTP/2 they could be; there nginx looks for them

    for my $value ('plain', "a\r\nX-Evil: 1", "a\nb", "a\0b") {
        my $answer = http2($T->port(2), '/lawfficient/openapi.json',
            'lawfficient-version', $value);

        is($answer, $value eq 'plain' ? 'headers' : 'refused',
            'HTTP/2: a value ' . ($value =~ /\w+/ ? $& : ''));
    }

    # names and paths in JSON

    my $evil = "\"},\"x\":{\"<\/script>\x{0}\x{1}\r\n\x{7f}";
    my $res = $T->call('lawfficient', $Key{one}, 'POST', '/lawfficient/leads',
        [@Type], $Json->encode({ source => 'x', first_name => $evil =~ tr/\0//dr,
            last_name => 'B', email => 'e@example.com' }));

    is($res->{status}, 201, 'JSON: a name of all kinds');
    ok($res->{json}{id} && !exists $res->{json}{x}, '... is a text');
    unlike($res->{body}, qr/[\x00-\x1f]/, '... without control characters');

    $res = $T->http('PATCH', '/leadflip/intake/%22%7D%0d%0aX-Evil:1');
    is($res->{status}, 404, 'JSON: a path that is none');

    $res = $T->http("X\"\\", '/leadflip/intake');
    is($res->{status}, 400, 'JSON: nginx takes no such method');

    $res = $T->http('PUT', '/leadflip/intake');
    is($res->{status}, 405, 'JSON: a method there is not');
    is($res->{headers}{allow}, 'POST', '... with Allow of what there is');
}


# ---- links, and the host they go to

{
    my $links = sub {
        my ($path, $host, @more) = @_;

        my $c = $T->connect;

        $c->write("GET $path HTTP/1.1\r\nHost: $host\r\nConnection: close\r\n"
            . "Authorization: Bearer $Key{one}\r\nX-Tenant: 1\r\n"
            . join('', map { "$_\r\n" } @more) . "\r\n");

        my $res = $c->response // return "none: $c->{error}";
        my $json = eval { $Json->decode($res->{body}) };

        return $json && $json->{links} ? $json->{links}{first} : $res->{status};
    };

    my $path = '/flextell/leads';

    for my $host (qw(leads.test LEADS.test:8080 192.0.2.1 [::1]:80 a_b.test)) {
        is($links->($path, $host), "http://$host$path?page=1",
            "links: host $host");
    }

    for my $host ('a.test"><script>', 'user@evil.test', "a.test';x", 'a.test?b',
        'a.test#b', "a.test\xe2\x80\xae", 'a.test%0d%0a', 'a\\b', 'javascript:x()')
    {
        # a newer nginx refuses some of them
        like($links->($path, $host), qr/^(?:\Q$path\E\?page=1|400)\z/,
            "links: no host of a link: $host");
    }

    for my $host ('a.test/b', "a.test\x01b", 'a b.test', "a.test\r\nHost: b.test",
        'a..b')
    {
        is($links->($path, $host), 400, 'links: no host at all');
    }

    is($links->('/named/leads', 'evil.test'),
        'http://leads.test/named/leads?page=1',
        'links: server_name_in_redirect');
    is($links->("http://evil.test$path", 'leads.test'),
        "http://leads.test$path?page=1", 'links: a URI with a host');
    is($links->('//flextell//leads', 'leads.test'),
        "http://leads.test$path?page=1", 'links: slashes are one');
    is($links->('/flextell/%6ceads?%22=1', 'leads.test') =~ s/\?.*//r,
        "http://leads.test$path", 'links: a path is written plainly');
    is($links->("/n\xc3\xa9/leads", 'leads.test'),
        'http://leads.test/n%C3%A9/leads?page=1', 'links: and escaped');
    is($links->('/n%c3%a9/leads', 'leads.test'),
        'http://leads.test/n%C3%A9/leads?page=1', '... however it was');
    is($links->($path, 'leads.test', 'X-Forwarded-Host: evil.test',
        'X-Forwarded-Proto: evil', 'Forwarded: host=evil.test'),
        "http://leads.test$path?page=1", 'links: of Host alone');
}


# ---- no answer is to be taken for another type

{
    my $n = 0;

    my $marked = sub {
        my ($name, $status, @request) = @_;

        my $res = $T->http(@request);

        is($res->{status}, $status, "nosniff: $name");
        is($res->{headers}{'x-content-type-options'}, 'nosniff', '... once');
        $n++;
    };

    for my $dialect (dialects()) {
        my ($method, $path, $headers, $body) = creation($dialect);
        my @good = Test::Lead::Dialects::with_key($dialect, $Key{one}, 'one',
            $method, $path, $headers, $body);

        $marked->("$dialect, made", $dialect =~ /^(?:lawf|flex)/ ? 201 : 200,
            @good);
        $marked->("$dialect, no key", $Denied{$dialect}[0], $method, $path,
            $headers, $body);
        $marked->("$dialect, no path", 404, 'GET', "/$dialect/nowhere/x");
        $marked->("$dialect, no method", 405, 'PUT', $path);
        $marked->("$dialect, too large", 413, $method, $path, [@$headers,
            'Content-Length', 300_000_000]);
        $marked->("$dialect, OPTIONS", $dialect eq 'lawfficient' ? 204 : 405,
            'OPTIONS', $path);

        next if $dialect eq 'reflekt';

        my $id = $T->create($dialect, $Key{one}, email => 'n@example.com');

        $marked->("$dialect, $_", 200, Test::Lead::Dialects::with_key($dialect,
            $Key{one}, 'one', $_, (read_of($dialect, $id))[1]))
            for qw(GET HEAD);
    }

    my @key = ('Authorization', "Bearer $Key{one}");

    $marked->('403 of nginx', 403, 'GET', '/denied/leads');
    $marked->('413 of nginx', 413, 'POST', '/small/leads', [], 'x' x 100);
    $marked->('once', 200, 'GET', '/once/entities', [@key]);
    $marked->('503 of nginx', 503, 'GET', '/once/entities', [@key]);
    $marked->('rate', 200, 'GET', '/rate/entities', [@key]);
    $marked->('429', 429, 'GET', '/rate/entities', [@key]);
    $marked->('if', 418, 'POST', '/if/lead?a=1');
    $marked->('status', 200, 'GET', '/status');
    $marked->('status, 405', 405, 'POST', '/status', [], '');
    $marked->('status, 403', 403, 'GET', '/status/denied');
    $marked->('status, 413', 413, 'POST', '/status/small', [], 'x' x 100);
    $marked->('status, if', 418, 'GET', '/status/small?a=1');

    for my $case (['GET', '/other', 200], ['GET', '/nowhere', 404],
        ['POST', '/page/lead', 413, [], 'x' x 100])
    {
        my ($method, $path, $status, @more) = @$case;
        my $res = $T->http($method, $path, @more);

        is($res->{status}, $status, "nosniff: $path");
        is($res->{headers}{'x-content-type-options'}, undef,
            '... is not ours');
    }

    cmp_ok($n, '>', 40, 'nosniff: of many answers');
}


# ---- the status page knows nobody

{
    my $page = $T->http('GET', '/status')->{body};

    ok($Json->decode($page)->{store}{leads} > 10, 'status: there are leads');
    unlike($page, qr/ada|lovelace|example|\.test|1206555|leads:/i,
        'status: it shows nothing of them');

    my ($ids) = $T->ctl('--json', qw(key list));

    ok(!grep({ index($page, $_) >= 0 } $ids =~ /"id":\s*"(\w{8})"/g),
        'status: nor of a key');
}

$T->check_end('a clean end');


# ---- HTTP/2 by hand: one request with one more header, which no client would
# send.  What came of it: headers, or a reset of the stream.

sub frame {
    my ($type, $flags, $stream, $payload) = @_;

    return substr(pack('N', length $payload), 1)
        . pack('CCN', $type, $flags, $stream) . $payload;
}


# a literal without Huffman coding, not indexed; shorter than 127 bytes

sub literal {
    my ($name, $value) = @_;

    return "\0" . chr(length $name) . $name . chr(length $value) . $value;
}


sub http2 {
    my ($port, $path, $name, $value) = @_;

    my $c = $T->connect(port => $port) or return "connect: $!";

    $c->write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" . frame(4, 0, 0, '')
        . frame(1, 5, 1, literal(':method', 'GET') . literal(':scheme', 'http')
            . literal(':path', $path) . literal(':authority', 'localhost')
            . literal($name, $value)));

    my $got = wait_until(sub {
        $c->fill;

        my $in = $c->{in};

        while (length $in >= 9) {
            my ($high, $low, $type, undef, $stream) = unpack 'CnCCN', $in;
            my $length = $high << 16 | $low;

            last if length $in < 9 + $length;

            # 400 by a newer nginx, a reset by an older one
            return substr($in, 9, $length) =~ /^\x20?\x8c/ ? 'refused'
                : 'headers' if $type == 1 && $stream == 1;
            return 'refused' if $type == 3 || $type == 7;
            substr($in, 0, 9 + $length) = '';
        }

        return $c->{eof} ? 'closed' : '';
    }, 10 * slow());

    $c->close;

    return $got // 'nothing';
}


done_testing();
