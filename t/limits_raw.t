# Copyright (C) the ngx_lead authors
#
# Bodies and headers as they come over the wire: their size by both ways of
# telling it, in pieces of any kind, cut short or too long, several requests on
# one connection.  Whatever comes, the answer is the contract's, and the
# connection is as good as before where the client kept its word.

use strict;
use warnings;

use FindBin ();
use IO::Socket::INET ();
use JSON::PP ();
use Socket qw(IPPROTO_TCP TCP_NODELAY);
use Test::More;

use lib "$FindBin::Bin/lib";
use Test::Lead qw(wait_until);
use Test::Lead::Process qw(slow);

my $Json = JSON::PP->new->utf8->canonical;
my $Max = 65536;

my $T = Test::Lead->new(conf => <<'_EOC_');
http {
    lead_store  %%DIR%%/store size=64m;

    lead_account acme {
        pipeline stage {
            stage new name=New default;
        }
        data message;
    }

    keepalive_requests 10000;

    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT3%% sndbuf=4k;

        location /api/ { lead_api lawfficient; }

        location /small/ {
            lead_api lawfficient base=/small;
            client_max_body_size 1k;
        }

        location /file/ {
            lead_api lawfficient base=/file;
            client_body_buffer_size 1k;
            client_body_in_file_only clean;
        }

        location /buffer/ {
            lead_api lawfficient base=/buffer;
            client_body_buffer_size 1k;
        }
    }

    server {
        listen 127.0.0.1:%%PORT2%%;

        ignore_invalid_headers off;
        client_header_buffer_size 1k;
        large_client_header_buffers 2 2k;
        client_header_timeout 1s;
        client_body_timeout 1s;

        error_page 400 405 414 494 /bad_request;

        location = /bad_request {
            internal;
            default_type application/json;
            return 400 '{"error":"Bad request."}';
        }

        location /api/ { lead_api lawfficient; }
    }
}
_EOC_

$T->start;

my ($code, $Key, $err) = $T->leadctl('--store', $T->dir . '/store',
    qw(key add --account acme));
die "no key: $err\n" if $code != 0;
chomp $Key;

my $Leads = 0;


sub auth {
    return ['Authorization', "Bearer $Key", @_];
}


# a lead of exactly so many bytes
sub lead {
    my ($size) = @_;

    my $text = '{"first_name":"Ada","last_name":"Lovelace","source":"limits",'
        . '"email":"ada@example.com","data":{"message":"';

    return $text . 'x' x (($size // 200) - length($text) - 3) . '"}}';
}


sub decoded {
    my ($res) = @_;

    return eval { $Json->decode($res->{body}) } // $res->{body};
}


sub error_is {
    my ($res, $status, $code, $name) = @_;

    is($res->{status}, $status, "$name: $status")
        or diag($res->{error} // $res->{body});
    is(eval { decoded($res)->{error}{code} }, $code, "$name: $code")
        or diag($res->{body});
    is($res->{headers}{'content-type'}, 'application/json', "$name: JSON");
    is($res->{headers}{'lawfficient-version'}, '2026-07-01',
        "$name: with the version");
}


sub created {
    my ($res, $name, $size) = @_;

    is($res->{status}, 201, "$name: 201")
        or diag($res->{error} // $res->{body});
    is(length(eval { decoded($res)->{data}{message} } // ''),
        $size - length(lead(150)) + length(eval {
            $Json->decode(lead(150))->{data}{message} }),
        "$name: nothing is lost") if $size;

    $Leads++;
}


sub post {
    my ($path, $body, %opt) = @_;

    return $T->http('POST', $path, auth(@{ $opt{headers} // [] }), $body,
        timeout => 10 * slow(), %opt);
}


# ---- the size of a body

for my $how ([], [chunks => [1000]], [chunks => [$Max]], [chunks => [7]]) {
    my $name = @$how ? "chunks of $how->[1][0]" : 'Content-Length';

    created(post('/api/leads', lead($Max), @$how), "65,536 bytes, $name",
        $Max);
    error_is(post('/api/leads', lead($Max + 1), @$how), 413,
        'payload_too_large', "65,537 bytes, $name");
    error_is(post('/api/leads', lead(500_000), @$how), 413,
        'payload_too_large', "500,000 bytes, $name");
}

# told by Content-Length, the answer does not wait for the body
{
    my $c = $T->connect(timeout => 10 * slow());
    $c->request('POST', '/api/leads', auth('Content-Length', $Max + 1));
    error_is($c->response // { error => $c->{error} }, 413,
        'payload_too_large', '65,537 bytes announced');
}

# nginx's own limit, met before the module's
for my $how ([], [chunks => [100]]) {
    my $name = @$how ? 'chunks' : 'Content-Length';

    created(post('/small/leads', lead(1024), @$how), "1k of 1k, $name", 1024);
    error_is(post('/small/leads', lead(1025), @$how), 413,
        'payload_too_large', "1k and a byte, $name");
    error_is(post('/api/leads', lead(2_000_000), @$how), 413,
        'payload_too_large', "over nginx's own default, $name");
}


# ---- in files and buffers

for my $base ('/file', '/buffer') {
    for my $size (150, 1023, 1024, 1025, 5000, $Max) {
        created(post("$base/leads", lead($size)), "$base $size", $size);
        created(post("$base/leads", lead($size), chunks => [999]),
            "$base $size in chunks", $size);
    }

    error_is(post("$base/leads", lead($Max + 1), chunks => [999]), 413,
        'payload_too_large', "$base too large");
    error_is(post("$base/leads", '{"first_name":'), 400, 'invalid_json',
        "$base no JSON");
}

is_deeply([grep { -f } glob $T->dir . '/client_body_temp/*'], [],
    'no temporary file is left');


# ---- in small pieces

{
    my $body = lead(300);
    my $text = Test::Lead::Http::format_request('POST', '/api/leads', auth(),
        $body, chunks => [1]);

    created(post('/api/leads', $body, chunks => [1]), 'a byte a chunk', 300);

    for my $all ($text, Test::Lead::Http::format_request('POST',
            '/api/leads', auth(), $body))
    {
        my $c = $T->connect(timeout => 20 * slow());
        setsockopt $c->{sock}, IPPROTO_TCP, TCP_NODELAY, 1;
        $c->write($_) for split //, $all;
        created($c->response // { error => $c->{error} }, 'a byte a packet',
            300);
    }
}


# ---- words that are not kept

sub raw {
    my ($text, %opt) = @_;

    my $c = $T->connect(timeout => 10 * slow(), %opt);
    $c->write($text);
    $c->shutdown_write if $opt{half};

    return $c;
}


sub head {
    my (@lines) = @_;

    return join "\r\n", 'POST /api/leads HTTP/1.1', 'Host: localhost',
        "Authorization: Bearer $Key", @lines, '', '';
}


{
    my $body = lead(200);

    # the rest is taken for a request
    my $c = raw(head('Content-Length: 100') . $body);
    error_is($c->response // { error => $c->{error} }, 400, 'invalid_json',
        'more than announced');
    is(($c->response // {})->{status}, 400,
        'more than announced: the rest is no request');

    # less: nobody is there to be answered
    $c = raw(head('Content-Length: 300') . $body, half => 1);
    is($c->response, undef, 'less than announced, then closed: no answer');
    is($c->{error}, 'closed without an answer', 'less than announced: closed');

    $c = raw(head('Transfer-Encoding: chunked') . "c8\r\n$body\r\n",
        half => 1);
    is($c->response, undef, 'no last chunk, then closed: no answer');

    for my $bad ("zz\r\n$body\r\n0\r\n\r\n", "c8\r\n${body}x\r\n0\r\n\r\n",
        "-1\r\n$body\r\n0\r\n\r\n", "ffffffffffffffffff\r\n$body\r\n")
    {
        $c = raw(head('Transfer-Encoding: chunked') . $bad);
        error_is($c->response // { error => $c->{error} }, 400,
            'invalid_request', 'a bad chunk: ' . substr($bad, 0, 2));
    }

    $c = raw(head() . '');
    error_is($c->response // { error => $c->{error} }, 400, 'invalid_json',
        'no length, no body');

    # trailers are passed over
    $c = raw(head('Transfer-Encoding: chunked', 'Connection: close')
        . "c8;a=b\r\n$body\r\n0\r\nX-Trailer: 1\r\n\r\n");
    created($c->response // { error => $c->{error} }, 'a chunk extension');

    # slower than nginx waits: closed without an answer
    $c = raw(head('Content-Length: 300') . $body, port => $T->port(2));
    is($c->response, undef, 'a body that does not come: closed');
    is($c->{error}, 'closed without an answer', 'a body that does not come');
}


# ---- Expect: 100-continue

{
    my $c = raw(head('Content-Length: 200', 'Expect: 100-continue'));
    ok(wait_until(sub { $c->fill; $c->{in} =~ m{^HTTP/1\.1 100 } },
        10 * slow()), 'expect: the client is told to go on');
    $c->write(lead(200));
    created($c->response // { error => $c->{error} }, 'expect');

    # nobody is told to send what nobody will read
    $c = raw(head('Content-Length: 70000', 'Expect: 100-continue'));
    ok(wait_until(sub { $c->fill; $c->{in} =~ /\r\n\r\n/ }, 10 * slow())
        && $c->{in} =~ m{^HTTP/1\.1 413 }, 'expect, too large: at once');
    error_is($c->response // { error => $c->{error} }, 413,
        'payload_too_large', 'expect, too large');

    $c = raw(head('Content-Length: 200', 'Expect: 100-continue')
        =~ s/Bearer \S+/Bearer none/r);
    error_is($c->response // { error => $c->{error} }, 401, 'invalid_key',
        'expect, unknown key');
}


# ---- one connection for all, the client keeping its word

{
    my $c = $T->connect(timeout => 10 * slow());
    my @small = (
        ['no key', 401, 'missing_key', 'POST', '/api/leads', [], lead()],
        ['bad key', 401, 'invalid_key', 'POST', '/api/leads',
            ['Authorization', 'Bearer nope'], lead()],
        ['no JSON', 400, 'invalid_json', 'POST', '/api/leads', auth(), '{'],
        ['array', 400, 'invalid_json', 'POST', '/api/leads', auth(), '[]'],
        ['no name', 422, 'invalid_request', 'POST', '/api/leads', auth(),
            '{}'],
        ['long key', 400, 'invalid_request', 'POST', '/api/leads',
            auth('Idempotency-Key', 'x' x 256), lead()],
        ['no lead', 404, 'not_found', 'GET', '/api/leads/1', auth(), undef],
        ['no path', 404, 'not_found', 'GET', '/api/nothing', auth(), undef],
        ['no path, a body', 404, 'not_found', 'POST', '/api/nothing', auth(),
            lead()],
        ['bad cursor', 400, 'invalid_cursor', 'GET', '/api/leads?cursor=!',
            auth(), undef],
    );

    for my $how ([], [chunks => [50]]) {
        for my $case (@small) {
            my ($name, $status, $error, @request) = @$case;

            $c->request(@request, keepalive => 1, defined $request[3] ? @$how
                : ());
            error_is($c->response // { error => $c->{error} }, $status,
                $error, "kept alive, $name");
        }

        $c->request('PUT', '/api/leads', auth(), lead(), keepalive => 1,
            @$how);
        my $res = $c->response // { error => $c->{error} };
        is($res->{status}, 405, 'kept alive: 405');
        is($res->{body}, '', 'kept alive: 405 has no body');
        is($res->{headers}{allow}, 'GET, HEAD, POST, OPTIONS',
            'kept alive: 405 says what is allowed');

        $c->request('GET', '/api/leads?limit=1', auth(), lead(),
            keepalive => 1, @$how);
        is(($c->response // {})->{status}, 200, 'kept alive: GET with a body');

        $c->request('POST', '/api/leads', auth(), lead(), keepalive => 1,
            @$how);
        created($c->response // { error => $c->{error} },
            'kept alive: a lead after all');
    }
}


# ---- several requests before the first answer

{
    my $body = lead();
    my $lead = Test::Lead::Http::format_request('POST', '/api/leads', auth(),
        $body, keepalive => 1);
    my $list = Test::Lead::Http::format_request('GET',
        '/api/leads?limit=200', auth(), undef, keepalive => 1);
    my $wrong = Test::Lead::Http::format_request('POST', '/api/leads', auth(),
        '{}', keepalive => 1);

    my $c = raw(join '', ($lead . $wrong . $list) x 20);
    my (@ids, @lists);

    for my $n (1 .. 20) {
        my ($made, $no, $all) = map { $c->response // { status => 0,
                error => $c->{error}, body => '{}' } } 1 .. 3;

        is("$made->{status} $no->{status} $all->{status}", '201 422 200',
            "pipelined $n: answers in order");
        push @ids, decoded($made)->{id};
        is(eval { decoded($all)->{data}[0]{id} }, $ids[-1],
            "pipelined $n: a list has the lead made before");
        $Leads++;
    }
}


# ---- answers that are larger than what a socket takes

{
    my $res = post('/api/leads', lead($Max));
    created($res, 'late reader', $Max);

    my $path = '/api/leads/' . decoded($res)->{id};
    my @asked = (
        [200, ('GET', $path, auth())],
        [404, ('GET', '/api/leads/1', auth())],
        [200, ('GET', '/api/leads?limit=1&source=none', auth())],
        [200, ('GET', '/api/openapi.json')],
        [422, ('POST', '/api/leads', auth(), '{}')],
        [201, ('POST', '/api/leads', auth(), lead())],
    );

    my $text = join '', map {
        my ($status, @request) = @$_;
        Test::Lead::Http::format_request(@request[0 .. 3], keepalive => 1)
    } (@asked) x 5;

    # nginx cannot send any of the large ones at once
    my $c = $T->connect(port => $T->port(3), timeout => 10 * slow());
    ok($c->write($text), 'late reader: all is asked');

    my @got;

    while (@got < @asked * 5) {
        my $res = $c->response // last;
        push @got, $res->{status};
    }

    is_deeply(\@got, [map { $_->[0] } (@asked) x 5],
        'late reader: every answer comes, in order')
        or diag("@got, then $c->{error}");
    $Leads += 5;
}


# ---- what nginx finds wrong before it knows where to

for my $case (
    ['no Host', 400, "GET /api/leads HTTP/1.1\r\n\r\n"],
    ['a bad header', 400, "GET /api/leads HTTP/1.1\r\nHost: a\r\nX\0Y: 1\r\n\r\n"],
    ['large headers', 400, "GET /api/leads HTTP/1.1\r\nHost: a\r\nX: "
        . 'x' x 5000 . "\r\n\r\n"],
    ['both lengths', 400, "POST /api/leads HTTP/1.1\r\nHost: a\r\n"
        . "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
        . "2\r\n{}\r\n0\r\n\r\n"],
    ['a long line', 414, 'GET /' . 'x' x 5000 . " HTTP/1.1\r\n\r\n"],
    ['TRACE', 405, "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n"],
) {
    my ($name, $status, $text) = @$case;
    my $c = raw($text, port => $T->port(2));
    my $res = $c->response // { error => $c->{error} };

    is($res->{status}, $status, "$name: $status");
    is($res->{body}, '{"error":"Bad request."}',
        "$name: the page of the server");
}

# where there is no path, nginx looks for no page
{
    my $c = raw("\x16\x03\x01\r\n\r\n", port => $T->port(2));

    is(($c->response // {})->{status}, 400, 'no request line: 400');
}


# ---- after all that

{
    my ($code, $out) = $T->leadctl('--store', $T->dir . '/store',
        qw(stat --json));

    is($Json->decode($out)->{leads}, $Leads,
        'there are as many leads as were acknowledged');
    is(($T->leadctl('--store', $T->dir . '/store', 'check'))[0], 0,
        'the store is sound');
    unlike($T->read_file('access.log'), qr/" 500 /, 'no answer was a 500');
    unlike($T->log, qr/\[(?:error|crit)\].*lead:/,
        'no error of ours in the log');
    unlike($T->log, qr/\Q$Key\E/, 'nor the key');
    $T->check_end('limits: a clean end');
}


done_testing();
