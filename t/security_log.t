# Copyright (C) the ngx_lead authors
#
# What the logs tell of keys and people: nothing.  Names, an address, a phone
# number and keys that can be recognised are sent in every place of a request,
# in all dialects and into every error there is, and are looked for in the
# error log at info.  The lines are as nginx has them in all else, and those of
# other locations are left alone.

use strict;
use warnings;

use FindBin ();
use JSON::PP ();
use Test::More;

use lib "$FindBin::Bin/lib";
use Test::Lead qw(wait_until);
use Test::Lead::Dialects qw(dialects creation read_of form);
use Test::Lead::Fault ();
use Test::Lead::Process qw(slow);

my $Json = JSON::PP->new->utf8->canonical;

# every one has the mark, but for the number
my $Mark = qr/p(?:l|%6c|\\u006c)anted/i;
my $Phone = qr/2\D{0,3}0\D{0,3}6\D{0,3}5\D{0,3}5\D{0,3}5\D{0,3}0\D{0,3}1\D{0,3}7\D{0,3}7/;
my %Person = (first => 'Plantedfirst', last => 'Plantedlast',
    email => 'planted@private.example', phone => '+1 206 555-0177');
my $BadKey = 'planted_key_of_nobody';

my $Gate = Test::Lead::Fault::gate();


sub server {
    my (%opt) = @_;

    $opt{http} = ($opt{http} // '') . <<'_EOC_';
    log_format lead '$status <$lead_request>';
    lead_key_failures 100000r/m;
    limit_req_zone $server_port zone=requests:1m rate=1r/m;
    client_max_body_size 2m;
_EOC_

    $opt{server} = <<'_EOC_';
        server_name leads.test;
        access_log %%DIR%%/lead.log lead;
        location /missing { }
        location = /page { internal; alias %%DIR%%/no/page; }
        location /limited/ {
            lead_api kickofflabs base=/limited;
            limit_req zone=requests;
            limit_req_status 429;
        }
        location /denied/ { lead_api kickofflabs base=/denied; deny all; }
        location /small/ {
            lead_api kickofflabs base=/small;
            client_max_body_size 10;
        }
        location /paged/ {
            lead_api kickofflabs base=/paged;
            client_max_body_size 10;
            error_page 413 /page;
        }
_EOC_

    return Test::Lead::Dialects->new(%opt);
}


# Lines of the log that tell something.  An answer says nothing of the log's
# last line; so a location of nginx' own is asked for what is not there.

my $Asked = 0;

sub told {
    my ($t) = @_;

    $Asked++;
    $t->http('GET', "/missing/$Asked");
    $t->wait_for_log(qr{/missing/$Asked" failed})
        // die "the log does not come on\n";

    return grep { $_ =~ $Mark || $_ =~ $Phone } split /^/, $t->log;
}


sub silent {
    my ($t, $name) = @_;

    my @told = told($t);

    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is("@told", '', "$name: nothing is told");
}


# every place that is not the body

sub headers {
    return ('Referer', "https://$Person{first}.example/?e=$Person{email}",
        'User-Agent', $Person{last}, 'Cookie', "who=$Person{email}",
        'X-Forwarded-For', $Person{last}, 'From', $Person{email},
        'Lawfficient-Version', $Person{last},
        'Accept', $Person{email}, 'X-Planted', $Person{phone});
}


my $Args = form(email => $Person{email}, phone_number => $Person{phone}, q =>
    "$Person{first} $Person{last}", search => $Person{email})
    . "&\%70lanted=1&planted&planted\@private.example=2";


# (status, {json}) of a request with all of it

sub send_all {
    my ($t, $dialect, $key, $method, $path, $body, @headers) = @_;

    return $t->call($dialect, $key, $method,
        $path . ($path =~ /\?/ ? '&' : '?') . $Args, [headers(), @headers],
        $body);
}


# ---- the check itself, and locations of others

{
    my $t = server();

    $t->start;
    silent($t, 'start');

    $t->http('GET', "/missing/x?$Args", ['Referer', $Person{email}]);

    my @told = told($t);

    is(scalar(@told), 1, 'other: a line of another location is told');
    like($told[0], qr/ "[^"]+" \s failed\ .*,\ client:\ 127\.0\.0\.1,
        \ server:\ leads\.test,\ request:\ "GET\ \/missing\/x\?\Q$Args\E
        \ HTTP\/1\.1",\ host:\ "localhost",
        \ referrer:\ "\Q$Person{email}\E"$/x, '... as nginx writes it');

    $t->check_end('other: a clean end');
}


# ---- what comes of a request, in each dialect

my $T = server();

$T->start;

my %Key = (
    good => $T->add_key('one', text => 'planted_key_that_is_good'),
    read => $T->add_key('one', text => 'planted_key_read', scope => 'leads:read'),
    write => $T->add_key('one', text => 'planted_key_w', scope => 'leads:write'),
    off => $T->add_key('one', text => 'planted_key_off', off => 1),
    other => $T->add_key('one', text => 'planted_key_api', api => 'leadflip'),
    two => $T->add_key('two', text => 'planted_key_two'),
    source => $T->add_key('one', text => 'planted_key_web', source => 'web'),
    two_own => $T->add_key('two'),
);

my $Large = 'x' x 1_100_000 . "$Person{email} $Person{phone}";

for my $dialect (dialects()) {
    my ($method, $path, $headers, $body) = creation($dialect, %Person);
    my @how = @$headers;
    my @json = ('Content-Type', 'application/json');
    my $reflekt = $dialect eq 'reflekt';

    my $res = send_all($T, $dialect, $Key{good}, $method, $path, $body, @how);
    like($res->{status}, qr/^20[01]$/, "$dialect: a lead");

    my $has = $T->create($dialect, $Key{good}, %Person);

    for my $key (undef, $BadKey, @Key{qw(read off other two source)}) {
        $res = send_all($T, $dialect, $key, $method, $path, $body, @how);

        # two may write what is not for an account in particular, and a source
        # is one
        like($res->{status}, qr/^(?:20[01]|4\d\d)$/,
            "$dialect: key " . ($key // 'none'));
    }

    for my $key ($BadKey, $Key{write}, $Key{good}) {
        send_all($T, $dialect, $key, read_of($dialect, $has)) if !$reflekt;
    }

    # the key in other places, and what is no key

    for my $value ("Bearer $BadKey", $BadKey, "Basic $BadKey",
        "Bearer\t$BadKey $BadKey", "Bearer " . $BadKey x 50)
    {
        $T->http($method, $path, [@how, headers(), 'Authorization', $value,
            'Authentication', $value, 'X-Tenant', $value], $body);
    }

    my @form = ('Content-Type', 'application/x-www-form-urlencoded');
    my $fields = form(api_key => $BadKey, ApiKey => $BadKey,
        email => $Person{email}, entity => 'deals', last_name => $Person{last});

    send_all($T, $dialect, undef, $method, $path, $fields, @form);
    send_all($T, $dialect, undef, $method, $path,
        $Json->encode({ api_key => $BadKey, email => $Person{email} }), @json);

    # bodies that are none

    for my $bad ("{\"email\":\"$Person{email}\"", "[\"$Person{email}\"]",
        "{\"email\":\"$Person{email}\",\"$Person{first}\":" . '[' x 40,
        "\xff$Person{email}", $Person{email})
    {
        $res = send_all($T, $dialect, $Key{good}, $method, $path, $bad, @json);
        like($res->{status}, qr/^[24]\d\d$/, "$dialect: no JSON")
            if !$reflekt;
    }

    my @bad_form = (join('&', map { "planted$_=$Person{email}" } 1 .. 200),
        "planted[[=$Person{email}", "%zz$Person{email}=%", '[' x 20 . '=1');

    for my $bad (@bad_form) {
        send_all($T, $dialect, $Key{good}, $method, $path, $bad, @form);
    }

    for my $bad ("--x\r\n\r\n$Person{email}\r\n--x--\r\n",
        "--x\r\nContent-Disposition: form-data; name=\"$Person{email}\"\r\n"
        . "Planted $Person{phone}\r\n\r\n1\r\n--x--", $Person{email})
    {
        send_all($T, $dialect, $Key{good}, $method, $path, $bad,
            'Content-Type', 'multipart/form-data; boundary=x');
    }

    send_all($T, $dialect, $Key{good}, $method, $path, $Person{email},
        'Content-Type', "planted/$Person{email}; boundary=$Person{last}");

    # fields that are none

    my %wrong = map { $_ => { planted => $Person{email} } } qw(email phone
        phone_number first_name last_name source entity assignee status);

    $res = send_all($T, $dialect, $Key{good}, $method, $path,
        $Json->encode({ %wrong, data => { planted => $Person{email} } }), @json);

    # of KickoffLabs the arguments are above the body

    is($res->{status} =~ /^4/ ? 4 : 2, $dialect eq 'kickofflabs' ? 2 : 4,
        "$dialect: no such fields");

    send_all($T, $dialect, $Key{good}, $method, $path,
        $Json->encode({ map { $_ => "$Person{email} $Person{phone}\@@" }
            keys %wrong }), @json);

    # too large for the dialect, for nginx, and for a header

    for my $size (0, 1) {
        $res = send_all($T, $dialect, $Key{good}, $method, $path,
            $Large . ' ' x ($size * 1_000_000), @json);
        is($res->{status}, 413, "$dialect: too large");
    }

    send_all($T, $dialect, $Key{good}, $method, $path, $body, @how,
        'Idempotency-Key', "$Person{email} " x 20);
    send_all($T, $dialect, $Key{good}, $method, $path, $body, @how,
        'Idempotency-Key', $Person{email}) for 1 .. 2;

    # paths and methods

    for my $more ($Person{email}, "$Person{first}/$Person{last}",
        'p%6canted', 'p%6Canted@private.example', "leads/$Person{email}",
        "leads/$Person{first}/archive", $Person{phone} =~ tr/ /-/r,
        '12065550177', 'leads/12065550177', "$has/planted", "#$Person{email}")
    {
        for my $verb (qw(GET POST PATCH DELETE PLANT)) {
            send_all($T, $dialect, $Key{good}, $verb, "/$dialect/$more",
                $verb eq 'GET' ? undef : $body, @how);
        }
    }

    # those who leave

    for my $part ('', substr($body, 0, 20)) {
        my $c = $T->send_request($method, "$path?$Args", ['Content-Length',
            length $body, @how, headers(), 'Authorization',
            "Bearer $Key{good}"], $part);

        $c->shutdown_write;
        $c->close;
    }

    silent($T, $dialect);
}

ok(scalar(grep { /: \*\d+ lead: client sent an unknown key, client: 127\.0\.0\.1, /
    && /, server: leads\.test, request: "POST \/kickofflabs\/1001\?/
    && /\?(?:\w+=-&){4}-&-&-&api_key=- HTTP\/1\.1", host: "localhost"$/ }
    split /^/, $T->log), 'a line says which request it is about');


# ---- what nginx itself refuses where there is a dialect

{
    my ($method, $path, $headers, $body) = creation('kickofflabs', %Person);

    my %status = (denied => 403, small => 413, paged => 404);

    for my $place (sort keys %status) {
        my $res = $T->http($method, "/$place/1001?$Args&api_key=$Key{good}",
            [@$headers, headers()], $body);

        is($res->{status}, $status{$place}, "$place: $status{$place}");
    }

    for my $expected (qr/^200$/, qr/^429$/) {
        like($T->http($method, "/limited/1001?$Args&api_key=$Key{good}",
            [@$headers, headers()], $body)->{status}, $expected,
            'limited: an answer');
    }

    silent($T, 'nginx');

    my $log = $T->log;
    my $line = qr/.*request: "POST \/\w+\/1001\?[^ "]+&api_key=- HTTP\/1\.1"/;

    like($log, qr/\[error\].* access forbidden by rule$line/, 'denied: told');
    like($log, qr/\[error\].* intended to send too large body: $line/,
        'small: told');
    like($log, qr/\[error\].* limiting requests, excess: $line/,
        'limited: told');
    like($log, qr/\[error\].* open\(\) "[^"]+page" failed $line/,
        'paged: told, as error_page leaves the location');
}


# ---- $lead_request

{
    my $n = 0;

    for my $case (
        ['/lawfficient/leads', '/lawfficient/leads'],
        ['/lawfficient/leads?', '/lawfficient/leads?'],
        ['/lawfficient/leads?limit=1&cursor=', '/lawfficient/leads?limit=-&cursor='],
        ['/reflekt/lead?api_key=a', '/reflekt/lead?api_key=-'],
        ['/reflekt/lead?ApiKey=a&API_KEY=b', '/reflekt/lead?ApiKey=-&API_KEY=-'],
        ['/reflekt/lead?api%5Fkey=a', '/reflekt/lead?-'],
        ['/reflekt/lead?%61pi_key=a&x[a]=1', '/reflekt/lead?-&x[a]=-'],
        ['/reflekt/lead?a==b=c&=d&&e', '/reflekt/lead?a=-&=-&&-'],
        ['/reflekt/lead?a=b?api_key=c', '/reflekt/lead?a=-'],
        ['/reflekt/lead?a?api_key=c', '/reflekt/lead?-'],
        ['/reflekt/lead?1=2&' . 'n' x 32 . '=3&' . 'n' x 33 . '=4',
            '/reflekt/lead?-&' . 'n' x 32 . '=-&-'],
        ["/reflekt/lead?$Key{two_own}=1&a=1;api_key=2&api%5Bkey=3",
            '/reflekt/lead?-&a=-&-'],
        ['/reflekt/lead;api_key=1/api_key=2/lead%3Fapi_key=3?api_key',
            '/reflekt/-/-/-?-'],
        ['/reflekt/lead/ada', '/reflekt/lead/-'],
        ['//reflekt/./lead', '//reflekt/-/lead'],
        ['/flextell/leads/123456789', '/flextell/leads/123456789'],
        ['/flextell/leads/1234567890', '/flextell/leads/-'],
        ['/leadflip/leads/01a1febb-ca86-7f2b-93d9-74b3330c5f98/status',
            '/leadflip/leads/01a1febb-ca86-7f2b-93d9-74b3330c5f98/status'],
        ['/leadflip/leads/01a1febb-ca86-7f2b-93d9-74b3330c5f9x/status',
            '/leadflip/leads/-/status'],
        ['/kickofflabs/1001#ada', '/kickofflabs/-'],
        ['/status?a=b', '/status?a=-'],
        ['/other/ada?a=b&c', '/other/ada?a=-&-'],
        ['http://leads.test/lawfficient/leads/x?q=y',
            '/lawfficient/leads/-?q=-'],
    ) {
        $T->http('GET', $case->[0]);
        $n++;

        my $line = qr/^\d+ <GET \Q$case->[1]\E HTTP\/1\.1>$/m;

        ok(wait_until(sub { $T->read_file('lead.log') =~ $line }, 5 * slow()),
            "a request line: $case->[0]");
    }

    # a request without a URI, and one without a version

    my $c = $T->connect;
    $c->write("GET\r\n\r\n");
    $c->shutdown_write;

    ok(wait_until(sub { $T->read_file('lead.log') =~ /^400 <->$/m },
        5 * slow()), 'a request line: none');

    unlike($T->read_file('lead.log'), $Mark, '$lead_request tells nothing');
    unlike($T->read_file('lead.log'), $Phone, '... and no number');
    silent($T, 'request lines');
}

$T->check_end('a clean end');


# ---- a queue that is full, and a store that is away

{
    my $t = server(http => 'lead_queue 1;');

    $t->start;

    my $key = $t->add_key('one', text => 'planted_key_that_is_good');

    Test::Lead::Process::write_file("$Gate/sync", '');

    my @c;

    for (1 .. 2) {
        push @c, $t->send_request(Test::Lead::Dialects::with_key('kickofflabs',
            $key, 'one', creation('kickofflabs', %Person, email =>
            "planted$_\@private.example")));

        ok(wait_until(sub { -e "$Gate/sync.held" }, 10 * slow()),
            'queue: the disk is waited for');
        ok(wait_until(sub {
            $Json->decode($t->http('GET', '/status')->{body})
                ->{requests}{total} >= $_
        }, 10 * slow()), 'queue: it is taken');
    }

    for my $dialect (dialects()) {
        my ($method, $path, $headers, $body) = creation($dialect, %Person);

        is(send_all($t, $dialect, $key, $method, $path, $body, @$headers)
            ->{status}, 503, "queue: $dialect is refused");
    }

    unlink "$Gate/sync";

    for my $c (@c) {
        is($c->response(10 * slow())->{status}, 200, 'queue: served');
        $c->close;
    }

    like($t->log, qr/the queue is full/, 'queue: told');
    silent($t, 'queue');

    # the store is another file now

    $t->quit;

    my $store = $t->dir . '/store';

    rename $store, "$store.away" or die "cannot rename the store: $!\n";
    mkdir $store;
    Test::Lead::Process::write_file("$store/lead.mdb", 'planted no store');
    $t->start;

    for my $dialect (dialects()) {
        my ($method, $path, $headers, $body) = creation($dialect, %Person);

        is(send_all($t, $dialect, $key, $method, $path, $body, @$headers)
            ->{status}, 503, "away: $dialect");
    }

    like($t->log, qr/\[crit\].* lead: opening the store/, 'away: told');
    silent($t, 'away');
    $t->check_end('away: a clean end');
}


# ---- webhooks that fail

{
    my $t = server(http => <<'_EOC_', account => <<'_EOH_');
    lead_webhook_allow 127.0.0.0/8;
    lead_webhook_schedule 0 0;
_EOC_
        webhook dead http://127.0.0.1:%%PORT2%%/planted?planted=1
                secret=whsec_cGxhbnRlZHBsYW50ZWRwbGFudGVkcGxhbnRlZA==
                "header=X-Token: planted";
        webhook same http://127.0.0.1:%%PORT%%/missing/planted?planted=1
                format=lawfficient secret=planted_secret;
        webhook kept https://10.1.2.3/planted format=kickofflabs;
_EOH_

    $t->start;

    my $key = $t->add_key('one', text => 'planted_key_that_is_good');

    $t->create($_, $key, %Person) for dialects();

    ok(wait_until(sub { 15 <= (() = $t->log =~ / is given up /g) },
        20 * slow()), 'webhooks: all of them are given up')
        or diag($t->log);

    # nginx' own location, which one is sent to, tells of its request

    my @told = grep { !/ open\(\) "[^"]+" failed / } told($t);

    is("@told", '', 'webhooks: nothing is told');
    unlike($t->log, qr/whsec_|cGxhbnRl/, '... and no secret');
    $t->check_end('webhooks: a clean end');
}


done_testing();
