# Copyright (C) the ngx_lead authors
#
# Headers of requests that nginx would act upon, and headers of answers that
# somebody would like to make.  A create is answered as what it was, whatever a
# client made a condition; nothing that is echoed ends a line; and answers that
# nginx itself makes in locations of ours are marked as all the others.

use strict;
use warnings;

use FindBin ();
use JSON::PP ();
use Test::More;

use lib "$FindBin::Bin/lib";
use Test::Lead::Dialects qw(dialects creation read_of form);
use Test::Lead::Process qw(slow);

my $Json = JSON::PP->new->utf8->canonical;
my @Type = ('Content-Type', 'application/json');

my $T = Test::Lead::Dialects->new(http => 'lead_key_failures off;',
    server => <<'_EOC_');
        location /except/ {
            lead_api leadflip base=/except;
            limit_except GET { deny all; }
        }
        location /return/ {
            lead_api leadflip base=/return;
            if ($arg_n = 204) { return 204; }
            if ($arg_n = 301) { return 301 /elsewhere; }
            if ($arg_n = 404) { return 404; }
            if ($arg_n = 500) { return 500; }
            if ($arg_n = 502) { return 502; }
            if ($arg_n = 503) { return 503; }
            if ($arg_n = 504) { return 504; }
        }
        location /basic/ {
            lead_api leadflip base=/basic;
            auth_basic realm;
            auth_basic_user_file %%DIR%%/nobody;
        }
_EOC_

$T->write_file('nobody', "nobody:x\n");
$T->start;

my $Key = $T->add_key('one');


# ---- conditions: nginx knows no version of what is answered

for my $dialect (dialects()) {
    my $id = $T->create($dialect, $Key, email => 'first@example.com');
    my $n = 0;

    for my $header (['If-None-Match', '*'], ['If-None-Match', '"a", W/"b"'],
        ['If-Match', '*'], ['If-Match', '"a"'],
        ['If-Unmodified-Since', 'Sat, 21 Nov 1992 17:25:30 GMT'],
        ['If-Modified-Since', 'Sat, 21 Nov 2037 17:25:30 GMT'],
        ['Range', 'bytes=0-1'], ['If-Range', '"a"'])
    {
        my ($method, $path, $headers, $body) = creation($dialect,
            email => 'if' . ++$n . '@example.com');
        my $res = $T->call($dialect, $Key, $method, $path, [@$headers,
            @$header], $body);

        like($res->{status}, qr/^20[01]$/,
            "$dialect: a lead, whatever @$header");
        ok($res->{json}, '... which is told');

        next if $dialect eq 'reflekt';

        $res = $T->call($dialect, $Key, read_of($dialect, $id), [@$header]);

        is($res->{status}, 200, '... and is shown');
        ok($res->{json}, '... as a whole');
    }
}


# ---- what is echoed: of each request all that can be

{
    my $evil = "a\r\nX-Evil: 1\r\n\r\n<b>\0\t\"'\\";
    my $tried = 0;

    for my $dialect (dialects()) {
        my ($method, $path, $headers, $body) = creation($dialect);
        my $escaped = form('' => $evil) =~ s/^=//r;
        my %all = map { $_ => $evil } qw(first_name last_name email phone
            phone_number source entity lead_name assignee assignee_id status
            campaign_name sort_by per_page search q cursor limit page kid
            social_id points note notes viewers referrer url);
        my @requests = (
            [$method, "$path?" . form(%all), [@$headers], $body],
            [$method, $path, [@Type], $Json->encode({ %all })],
            [$method, $path, ['Content-Type',
                'application/x-www-form-urlencoded'], form(%all)],
            [GET => "$path?" . form(%all), []],
            [GET => "$path/$escaped", []],
            [PATCH => "$path/$escaped", [@Type], $Json->encode({ %all })],
            [GET => "/$dialect/$escaped?$escaped=$escaped", []],
            [$escaped => $path, []],
            (map { [$method, $path, [@$headers, $_ => $escaped], $body] }
                qw(Idempotency-Key Lawfficient-Version X-Tenant X-Request-Id
                Origin Accept X-Forwarded-Host Access-Control-Request-Method)),
        );

        for my $request (@requests) {
            my $res = $T->call($dialect, $Key, @$request);

            next if $res->{status} == 400 && $res->{raw_headers}
                !~ /^X-Content-Type-Options/mi;    # nginx took no such method

            my $name = "$dialect: $request->[0] " . substr $request->[1], 0, 30;

            like($res->{status}, qr/^[24]\d\d$/, $name);
            unlike($res->{raw_headers}, qr/^X-Evil|[^\r]\n|\r[^\n]|\0|<b>/mi,
                '... a header is a header') or diag($res->{raw_headers});
            unlike($res->{body}, qr/[\x00-\x1f]/, '... a text is a text');
            is($res->{headers}{'content-type'} // 'application/json',
                'application/json', '... of the type it says');
            $tried++;
        }
    }

    cmp_ok($tried, '>', 50, 'many were tried');
    unlike($T->log, qr/^X-Evil|^[^2]/m, 'a line of the log is a line');
    unlike($T->read_file('access.log'), qr/^(?!127\.)/m,
        '... of the access log, too');
}


# ---- answers of nginx' own in locations with lead_api

{
    my @key = ('Authorization', "Bearer $Key");

    for my $case (
        ['/except/intake', 403, 'POST', '{}'],
        (map { ["/return/entities?n=$_", $_] }
            qw(204 301 404 500 502 503 504)),
        ['/basic/entities', 401],
    ) {
        my ($path, $status, $method, $body) = @$case;

        for my $verb ($method // ('GET', 'HEAD')) {
            my $res = $T->http($verb, $path, $status == 401 ? [] : [@key],
                $body);

            is($res->{status}, $status, "$verb $path");
            is($res->{headers}{'x-content-type-options'}, 'nosniff',
                '... is marked');
        }
    }

    for my $dialect (dialects()) {
        my ($method, $path) = creation($dialect);
        my $c = $T->connect(timeout => 10 * slow());

        $c->write("$method $path HTTP/1.1\r\nHost: localhost\r\nAuthorization:"
            . " Bearer $Key\r\nX-Tenant: 1\r\nTransfer-Encoding: chunked\r\n"
            . "\r\nno chunk\r\n");

        my $res = $c->response // { status => "none: $c->{error}" };

        is($res->{status}, 400, "$dialect: a chunk that is none");
        is($res->{headers}{'x-content-type-options'}, 'nosniff',
            '... is marked');
        ok(eval { $Json->decode($res->{body}) }, "... in the dialect's shape");
    }
}

$T->check_end('a clean end');
done_testing();
