# Copyright (C) the ngx_lead authors
#
# HTTP/2: streams of one connection whose leads are on their way to the disk,
# some of them cancelled, and bodies of all sizes.  The client is made of frames
# here, for others hide what they are told.

use strict;
use warnings;

use FindBin ();
use IO::Socket::INET ();
use JSON::PP ();
use Test::More;

use lib "$FindBin::Bin/lib";
use Test::Lead qw(wait_until);
use Test::Lead::Fault ();
use Test::Lead::Process qw(slow);

use constant { DATA => 0, HEADERS => 1, RST_STREAM => 3, SETTINGS => 4,
    GOAWAY => 7, WINDOW_UPDATE => 8, END_STREAM => 1, END_HEADERS => 4,
    CANCEL => 8, FRAME => 16384 };

my $Json = JSON::PP->new->utf8->canonical;
my $Gate = Test::Lead::Fault::gate();
my $Max = 65536;
my $Key;


# ---- a client

sub frame {
    my ($type, $flags, $stream, $payload) = @_;

    return substr(pack('N', length $payload), 1)
        . pack('CCN', $type, $flags, $stream) . $payload;
}


# a header of HPACK, neither indexed nor compressed

sub literal {
    my ($name, $value) = @_;

    die "a long header\n" if length $name > 126 || length $value > 126;

    return pack('C/a C/a', $name, $value) =~ s/^/\0/r;
}


sub connect_h2 {
    my ($t) = @_;

    my $sock = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => $t->port(2), Proto => 'tcp')
        or die "cannot connect: $!\n";
    my $h = { sock => $sock, in => '', next => 1, window => 65535,
        initial => 65535, streams => {} };

    $sock->syswrite("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        . frame(SETTINGS, 0, 0, ''));

    # the size of windows is known from here on
    receive($h, sub { $h->{settings} }) or die "no HTTP/2\n";

    return $h;
}


# Sends a request and returns its stream.  Options: length (what is announced,
# or undef), open (the stream is not ended).

sub request {
    my ($h, $method, $path, $body, %opt) = @_;

    my $id = $h->{next};
    my $bare = !length($body // '');

    $h->{next} += 2;
    $h->{streams}{$id} = { body => '', window => $h->{initial} };

    my $length = exists $opt{length} ? $opt{length}
        : defined $body ? length $body : undef;
    my $headers = join '', literal(':method', $method),
        literal(':scheme', 'http'), literal(':path', $path),
        literal(':authority', 'localhost'),
        literal('authorization', "Bearer $Key"),
        defined $length ? literal('content-length', $length) : ();

    $h->{sock}->syswrite(frame(HEADERS, END_HEADERS
        | ($bare && !$opt{open} ? END_STREAM : 0), $id, $headers));
    send_body($h, $id, $body, $opt{open}) if !$bare;

    return $id;
}


# as much as windows let through, until the server has had enough of it

sub send_body {
    my ($h, $id, $body, $open) = @_;

    my $s = $h->{streams}{$id};

    while (length $body) {
        my ($room) = sort { $a <=> $b } FRAME, $h->{window}, $s->{window};

        if ($room <= 0) {
            receive($h, sub { $s->{closed} || $s->{ended}
                || $h->{window} > 0 && $s->{window} > 0 }) or return;
            return if $s->{closed} || $s->{ended};
            next;
        }

        my $part = substr $body, 0, $room, '';
        $_ -= length $part for $h->{window}, $s->{window};
        $h->{sock}->syswrite(frame(DATA,
            length $body || $open ? 0 : END_STREAM, $id, $part));
    }
}


sub cancel {
    my ($h, $id) = @_;

    $h->{sock}->syswrite(frame(RST_STREAM, 0, $id, pack 'N', CANCEL));
}


# reads frames until the condition holds

sub receive {
    my ($h, $condition) = @_;

    my $select = IO::Select->new($h->{sock});

    until ($condition->()) {
        my ($length) = length $h->{in} >= 9
            ? unpack 'N', "\0" . substr $h->{in}, 0, 3 : -1;

        if ($length >= 0 && length $h->{in} >= 9 + $length) {
            my ($type, $flags, $id) = unpack 'x3 CCN', $h->{in};
            my $payload = substr substr($h->{in}, 0, 9 + $length, ''), 9;
            take($h, $type, $flags, $id & 0x7fffffff, $payload);
            next;
        }

        return 0 if !$select->can_read(10 * slow());
        return 0 if !sysread $h->{sock}, $h->{in}, 65536, length $h->{in};
    }

    return 1;
}


sub take {
    my ($h, $type, $flags, $id, $payload) = @_;

    my $s = $h->{streams}{$id};

    if ($type == SETTINGS && !($flags & 1)) {
        my %set = unpack '(nN)*', $payload;
        $h->{initial} = $set{4} // $h->{initial};
        $h->{settings} = 1;
        $h->{sock}->syswrite(frame(SETTINGS, 1, 0, ''));

    } elsif ($type == WINDOW_UPDATE) {
        ($id ? $s->{window} : $h->{window}) += unpack 'N', $payload;

    } elsif ($type == HEADERS) {
        # a size update may come first; then the status, from the table or in
        # three digits
        my %table = ("\x88" => 200, "\x8c" => 400, "\x8d" => 404);
        my $p = $payload =~ s/^[\x20-\x3f]+//r;
        $s->{status} = $table{ substr $p, 0, 1 }
            // ($p =~ /^\x48\x03(\d{3})/ ? $1 : 0);

    } elsif ($type == DATA) {
        $s->{body} .= $payload;
        $h->{sock}->syswrite(frame(WINDOW_UPDATE, 0, $_,
            pack 'N', length $payload)) for length $payload ? (0, $id) : ();

    } elsif ($type == RST_STREAM) {
        $s->{closed} = 1;
    }

    $s->{ended} = 1 if $id && $flags & END_STREAM
        && ($type == DATA || $type == HEADERS);
    $h->{goaway} = 1 if $type == GOAWAY;
}


sub answer {
    my ($h, $id) = @_;

    my $s = $h->{streams}{$id};

    receive($h, sub { $s->{ended} || $s->{closed} });

    return $s;
}


# ---- the server

sub server {
    my ($level) = @_;

    unlink glob "$Gate/*";

    my $t = Test::Lead->new(log_level => $level, conf => <<'_EOC_');
http {
    lead_store  %%DIR%%/store size=64m;

    lead_account acme {
        pipeline stage {
            stage new name=New default;
        }
        data message;
    }

    server {
        listen 127.0.0.1:%%PORT%%;
        listen 127.0.0.1:%%PORT2%% http2;

        location /api/ { lead_api lawfficient; }
        location = /status { lead_status json; }
    }
}
_EOC_

    $t->start;

    my ($code, $out, $err) = $t->leadctl('--store', $t->dir . '/store',
        qw(key add --account acme));
    die "no key: $err\n" if $code != 0;

    chomp($Key = $out);

    return $t;
}


sub lead {
    my ($size) = @_;

    my $text = '{"first_name":"Ada","last_name":"Lovelace","source":"h2",'
        . '"email":"ada@example.com","data":{"message":"';

    return $text . 'x' x (($size // 200) - length($text) - 3) . '"}}';
}


sub status {
    my ($t) = @_;

    return $Json->decode($t->http('GET', '/status')->{body});
}


sub statuses {
    my ($h, @ids) = @_;

    my %n;

    $n{ answer($h, $_)->{status} // 'none' }++ for @ids;

    return \%n;
}


sub finish {
    my ($t, $leads, $name) = @_;

    my ($code, $out) = $t->leadctl('--store', $t->dir . '/store',
        qw(stat --json));

    is($Json->decode($out)->{leads}, $leads, "$name: so many leads");
    is(($t->leadctl('--store', $t->dir . '/store', 'check'))[0], 0,
        "$name: the store is sound");
    $t->check_end("$name: a clean end");
}


# ---- twenty leads of one connection in one batch, half of them cancelled

for my $level (qw(info debug)) {
    my $name = "cancel ($level)";
    my $t = server($level);
    my $h = connect_h2($t);

    Test::Lead::Process::write_file("$Gate/sync", '');
    my @ids = request($h, 'POST', '/api/leads', lead());
    ok(wait_until(sub { -e "$Gate/sync.held" }, 10 * slow()),
        "$name: a commit is held");

    push @ids, map { request($h, 'POST', '/api/leads', lead()) } 1 .. 19;
    ok(wait_until(sub { status($t)->{requests}{total} == 20 }, 10 * slow()),
        "$name: the others wait");

    # the one that is being committed is among them
    my @gone = grep { $_ % 4 == 1 } @ids;
    my @stay = grep { $_ % 4 == 3 } @ids;

    cancel($h, $_) for @gone;
    ok(wait_until(sub {
        @gone <= (() = $t->log =~ /client canceled stream/g);
    }, 10 * slow()), "$name: ten are cancelled");

    unlink "$Gate/sync";
    is_deeply(statuses($h, @stay), { 201 => 10 },
        "$name: ten are answered 201");
    ok(wait_until(sub {
        10 == (() = $t->read_file('access.log') =~ /" 499 /g);
    }, 5 * slow()), "$name: ten ended as 499");

    is(answer($h, request($h, 'POST', '/api/leads', lead()))->{status}, 201,
        "$name: the connection is as good as before");
    close $h->{sock};
    finish($t, 21, $name);
}


# ---- the whole connection is gone, and another's leads are in the batch

{
    my $t = server('info');
    my ($h, $other) = (connect_h2($t), connect_h2($t));

    Test::Lead::Process::write_file("$Gate/sync", '');
    my @lost = map { request($h, 'POST', '/api/leads', lead()) } 1 .. 10;
    my @kept = map { request($other, 'POST', '/api/leads', lead()) } 1 .. 10;
    ok(wait_until(sub { status($t)->{requests}{total} == 20 }, 10 * slow()),
        'gone: twenty wait');

    close $h->{sock};
    ok(wait_until(sub {
        10 <= (() = $t->log =~ /client prematurely closed/g);
    }, 10 * slow()), 'gone: nginx sees that one connection is closed')
        or diag($t->log);

    unlink "$Gate/sync";
    is_deeply(statuses($other, @kept), { 201 => 10 },
        'gone: the other is answered');
    ok(wait_until(sub {
        10 == (() = $t->read_file('access.log') =~ /" 499 /g);
    }, 5 * slow()), 'gone: ten ended as 499');

    close $other->{sock};
    finish($t, 20, 'gone');
}


# ---- the size of a body

{
    my $t = server('info');
    my $h = connect_h2($t);
    my $leads = 0;

    for my $size (150, 20000, $Max) {
        for my $length ($size, undef) {
            my $how = defined $length ? 'announced' : 'not announced';
            my $s = answer($h, request($h, 'POST', '/api/leads', lead($size),
                length => $length));

            is($s->{status}, 201, "$size bytes, $how: 201");
            is(length($Json->decode($s->{body})->{data}{message}),
                length($Json->decode(lead($size))->{data}{message}),
                "$size bytes, $how: nothing is lost");
            $leads++;
        }
    }

    my @large = ([$Max + 1, $Max + 1], [$Max + 1, undef], [500_000, undef],
        [2_000_000, undef], [2_000_000, 2_000_000]);

    for my $case (@large) {
        my ($size, $length) = @$case;
        my $how = defined $length ? 'announced' : 'not announced';
        my $s = answer($h, request($h, 'POST', '/api/leads', lead($size),
            length => $length));

        is($s->{status}, 413, "$size bytes, $how: 413");
        is($s->{body}, '{"error":{"code":"payload_too_large",'
            . '"message":"Payload too large."}}', "$size bytes, $how: JSON");
    }

    # announced, and never sent
    my $s = answer($h, request($h, 'POST', '/api/leads', undef,
        length => $Max + 1, open => 1));
    is($s->{status}, 413, 'announced and not sent: 413');

    # less and more than announced
    for my $length (100, 1000) {
        $s = answer($h, request($h, 'POST', '/api/leads', lead(200),
            length => $length));
        like($s->{status} // 'none', qr/^(?:400|none)\z/,
            "$length announced, 200 sent: refused");
    }

    # one byte a frame
    my $id = request($h, 'POST', '/api/leads', undef, open => 1);
    my $body = lead(300);

    $h->{sock}->syswrite(frame(DATA, 0, $id, $_)) for split //, $body;
    $h->{sock}->syswrite(frame(DATA, END_STREAM, $id, ''));
    is(answer($h, $id)->{status}, 201, 'a byte a frame: 201');

    for my $case (['PUT', '/api/leads', '{}', 405],
        ['POST', '/api/leads', '{', 400], ['POST', '/api/leads', '', 400],
        ['POST', '/api/leads', '{}', 422], ['POST', '/api/none', '{}', 404],
        ['GET', '/api/leads/1', undef, 404], ['GET', '/api/leads', undef, 200],
        ['GET', '/api/leads', '{}', 200], ['HEAD', '/api/leads', undef, 200])
    {
        my ($method, $path, $body, $status) = @$case;
        my $name = "$method $path" . (defined $body ? " '$body'" : '');
        my $s = answer($h, request($h, $method, $path, $body));

        is($s->{status}, $status, "$name: $status");
        is($s->{body}, '', "$name: no body") if $status == 405
            || $method eq 'HEAD';
    }

    ok(!$h->{goaway}, 'all on one connection');
    close $h->{sock};
    finish($t, $leads + 1, 'sizes');
}


done_testing();
