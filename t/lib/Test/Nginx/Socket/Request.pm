# Copyright (C) the ngx_lead authors
#
# A block's requests: built from its sections, sent packet by packet over a
# plain socket (or by curl for HTTP/2), and the answers taken apart.  Keeps what
# a client writes byte for byte; judges no answer.

package Test::Nginx::Socket::Request;

use strict;
use warnings;

use Errno qw(EAGAIN EWOULDBLOCK EINTR);
use IO::Select ();
use IO::Socket::INET ();
use Test::More ();
use Time::HiRes qw(sleep time);

use Test::Lead::Process qw(run_program read_file write_file slow);
use Test::Nginx::Socket::Config qw(use_http2);
use Test::Nginx::Socket::Server ();
use Test::Nginx::Util qw(bail_out expand_env parse_time $HtmlDir $ServerAddr
    $ServerName $ServerPortForClient $Timeout $Verbose);


# ---- building

# Returns a list of requests, each a list of packets {value, delay_before}.

sub requests {
    my ($block) = @_;

    my $raw = $block->get('raw_request');

    if (defined $raw) {
        return [map { { value => $_ } } ref $raw ? @$raw : $raw];
    }

    my $pipelined = $block->get('pipelined_requests');
    return pipelined($block, $pipelined) if $pipelined;

    my $request = $block->get('request');

    bail_out($block->name, ' - no request section') if !defined $request;

    if (!ref $request) {
        # comments above the request line
        1 while $request =~ s/\A\s*#[^\n]+\s+|\A\s+//;
        $request = [$request];
    }

    bail_out($block->name, ' - request: a string or an array is needed')
        if ref $request ne 'ARRAY';

    my $i = 0;
    return map { build($block, $_, 'close', $i++) } @$request;
}


sub pipelined {
    my ($block, $list) = @_;

    bail_out($block->name, ' - invalid entries in --- pipelined_requests')
        if ref $list ne 'ARRAY';

    my $text = '';

    for my $i (0 .. $#$list) {
        my $request = expand_env($list->[$i], $block->name);
        my $packets = build($block, $request,
            $i == $#$list ? 'close' : 'keep-alive', $i);
        $text .= join '', map { $_->{value} } @$packets;
    }

    return [{ value => $text }];
}


sub more_headers {
    my ($block, $i) = @_;

    my $section = $block->get('more_headers') // '';

    if (ref $section eq 'ARRAY') {
        $section = $section->[$i]
            // bail_out($block->name, " - more_headers lacks request $i");
    }

    my ($text, $chunked) = ('', 0);

    for my $line (split /\n+/, $section) {
        next if $line =~ /^\s*#/;
        my ($name, $value) = split /:\s*/, $line, 2;
        $value //= '';
        $chunked = 1
            if lc $name eq 'transfer-encoding' && $value eq 'chunked';
        $text .= "$name: $value\r\n";
    }

    return ($text =~ s/(?<!\r)\n/\r\n/gr, $chunked);
}


# The packets are joined, the request line and the headers completed, and the
# result is cut at the same places again.

sub build {
    my ($block, $request, $connection, $i) = @_;

    my @packets = ref $request ? @$request : ($request);
    my @texts = map { ref ? $_->{value} : $_ } @packets;

    bail_out($block->name, " - request $i has an undefined part")
        if grep { !defined } @texts;

    my @pieces = pieces($block, join('', @texts), $connection, $i);
    my ($old, $new, @out) = (0, 0);
    my $whole = join '', map { $_->[1] } @pieces;

    for my $n (0 .. $#packets) {
        $old += length $texts[$n];
        my $to = $n == $#packets ? length $whole : new_place($old, @pieces);

        my %packet = ref $packets[$n] ? %{ $packets[$n] } : ();
        $packet{value} = substr $whole, $new, $to - $new;
        push @out, \%packet;
        $new = $to;
    }

    return \@out;
}


sub new_place {
    my ($place, @pieces) = @_;

    my ($old, $new) = (0, 0);

    for my $piece (@pieces) {
        my ($length, $text) = @$piece;

        if ($old + $length > $place) {
            my $part = $place - $old;
            $part = length $text if $part > length $text;
            return $new + $part;
        }

        $old += $length;
        $new += length $text;
    }

    return $new;
}


# pairs of a length in the given text and what stands there in the sent one

sub pieces {
    my ($block, $text, $connection, $i) = @_;

    my ($more, $chunked) = more_headers($block, $i);
    my ($line, $body) = $text =~ /\A([^\n]*\n?)(.*)\z/s;

    $line =~ /^(\s*)(\S+)( *)(?:(\S+)( *))?(?:(\S+)( *))?(\s*)$/
        or bail_out($block->name, ' - Request line is not valid. Should be',
            " 'meth [url [version]]' but got \"$line\"");
    my @got = map { $_ // '' } $1, $2, $3, $4, $5, $6;
    push @got, ($7 // '') . $8;

    my $sent = $body;
    my $length = '';

    if (!$chunked && length $body && $more !~ /(?:^|\n)Content-Length:/) {
        $sent =~ s/^\s+|\s+$//g;
        $length = 'Content-Length: ' . length($sent) . "\r\n";
    }

    my $headers = $more . $length . "\r\n";
    $headers = "Connection: $connection\r\n$headers"
        if $more !~ /(?:^|\n)Connection/i;
    $headers = "Host: $ServerName\r\n$headers" if $more !~ /(?:^|\n)Host:/i;

    return ([length $got[0], ''], [length $got[1], "$got[1] "],
        [length $got[2], ''],
        [length $got[3], (length $got[3] ? $got[3] : '/') . ' '],
        [length $got[4], ''],
        [length $got[5], ($got[5] || 'HTTP/1.1') . "\r\n"],
        [length $got[6], ''], [0, $headers], [length $body, $sent]);
}


# ---- sending

# Returns the raw answer, and whether the request was a HEAD.

sub send_request {
    my ($block, $packets) = @_;

    my $text = join '', map { $_->{value} } @$packets;
    my $head = $text =~ /^\s*HEAD\s/ ? 1 : 0;
    my $timeout = (parse_time($block->get('timeout')) // $Timeout) * slow();

    if (defined $block->get('curl')) {
        Test::More::diag(join ' ', map { /^[-\w.:\/=@]+\z/ ? $_ : "'$_'" }
            curl_command($block, $text, $timeout));
    }

    return (send_by_curl($block, $text, $timeout), $head)
        if use_http2($block);

    my $address = $block->get('server_addr_for_client') // $ServerAddr;
    my $sock = IO::Socket::INET->new(PeerAddr => $address,
        PeerPort => $ServerPortForClient, Proto => 'tcp',
        Timeout => $timeout);

    if (!$sock) {
        Test::More::fail($block->name . " - Can't connect to $address:"
            . "$ServerPortForClient: $!");
        return ('', $head);
    }

    $sock->blocking(0);
    local $SIG{PIPE} = 'IGNORE';

    return (converse($block, $sock, $packets, $timeout), $head);
}


# Writes and reads at once until the server closes.  The timeout is that of a
# silence, as in Test::Nginx.

sub converse {
    my ($block, $sock, $packets, $timeout) = @_;

    my @queue = @$packets;
    my $middle = $block->get('raw_request_middle_delay');
    my $select = IO::Select->new($sock);
    my ($out, $answer, $sent) = (shift(@queue)->{value}, '', 0);

    while (1) {
        my ($readable, $writable) = IO::Select->select($select,
            $sent ? undef : $select, undef, $timeout);

        if (!$readable) {
            give_up($block, $sock);
            return $answer;
        }

        if (@$readable) {
            my $got = sysread $sock, $answer, 65536, length $answer;
            return $answer if defined $got && $got == 0;

            if (!defined $got && !$!{EAGAIN} && !$!{EINTR}) {
                warn 'WARNING: ', $block->name,
                    " - HTTP response read failure: $!\n";
                return $answer;
            }
        }

        next if !@$writable || $sent;

        my $done = write_some($sock, \$out);

        if (!defined $done) {
            warn 'WARNING: ', $block->name, " - write failed: $!\n";
            return length $answer ? $answer : "write failed: $!";
        }

        next if !$done;

        if (!@queue) {
            $sent = 1;
            half_close($block, $sock);
            next;
        }

        my $next = shift @queue;
        my $delay = $next->{delay_before} // $middle;
        sleep $delay if $delay;
        $out = $next->{value};
    }
}


sub write_some {
    my ($sock, $out) = @_;

    return 1 if !length $$out;

    my $wrote = syswrite $sock, $$out;

    if (!defined $wrote) {
        return $!{EAGAIN} || $!{EINTR} ? 0 : undef;
    }

    substr($$out, 0, $wrote) = '';

    return !length $$out;
}


sub half_close {
    my ($block, $sock) = @_;

    my $how = $block->get('shutdown');

    shutdown $sock, $how =~ /\d/ ? $how : 1 if defined $how;
}


sub give_up {
    my ($block, $sock) = @_;

    close $sock;
    return if defined $block->get('abort');

    Test::More::fail('ERROR: client socket timed out - ' . $block->name);
}


# ---- curl

sub curl_command {
    my ($block, $text, $timeout) = @_;

    my ($head, $body) = split /\r?\n\r?\n/, $text, 2;
    my ($line, @headers) = split /\r?\n/, $head;
    my ($method, $uri, $version) = $line =~ m{^\s*(\S+)\s+(\S+)\s+HTTP/(\S+)}
        or bail_out($block->name, " - no request line in: $text");

    # what curl would add and a plain request does not have
    my @cmd = ('curl', '-i', '-sS', map { ('-H', "$_:") }
        qw(User-Agent Accept Host));

    push @cmd, '--http2-prior-knowledge' if use_http2($block);
    push @cmd, '-0' if $version ne '1.1';
    push @cmd, $method eq 'HEAD' ? '-I'
        : $method eq 'GET' ? () : ('-X', $method);
    push @cmd, map { ('-H', $_) } grep { !/^Connection\s*:/i } @headers;

    if (length($body // '')) {
        push @cmd, '-H', 'Content-Type: '
            if !grep { /^\s*Content-Type\s*:/i } @headers;
        write_file("$HtmlDir/curl.data.bin", $body);
        push @cmd, '--data-binary', "\@$HtmlDir/curl.data.bin";
    }

    push @cmd, '--connect-timeout', $timeout, '--max-time', $timeout;
    push @cmd, $block->get('curl_options') // ();
    my $address = $block->get('server_addr_for_client') // $ServerAddr;
    my $scheme = $block->get('curl_protocol') // 'http';

    return (@cmd, "$scheme://$address:$ServerPortForClient$uri");
}


sub send_by_curl {
    my ($block, $text, $timeout) = @_;

    my $file = Test::Nginx::Socket::Server::scratch() . '/curl';
    my @cmd = curl_command($block, $text, $timeout);

    unlink "$file.out", "$file.err";
    run_program(\@cmd, stdout => "$file.out", stderr => "$file.err",
        timeout => $timeout + 5);
    my $out = read_file("$file.out") // '';
    my $err = read_file("$file.err") // '';

    if (!length $out) {
        my $expected = $block->get('curl_error');
        my $ok = defined $expected && (ref $expected ? $err =~ $expected
            : index($err, $expected) >= 0);
        Test::More::fail($block->name . " - command \"@cmd\" generates no"
            . " stdout output: $err") if !$ok;

    } elsif (length $err) {
        warn 'WARNING: ', $block->name, " - curl: $err\n";
    }

    return $out;
}


# ---- answers

# {code, raw (headers as sent), headers, content}, and what follows the answer

sub parse_response {
    my ($name, $text, $head) = @_;

    my %res = (raw => $text =~ /\A(.*?\r\n)\r\n/s ? $1 : '', headers => []);

    my ($line, $rest) = $text =~ /\A([^\n]*)\n(.*)\z/s ? ($1, $2)
        : ($text, '');
    $res{code} = $1 if $line =~ m{^\S+ +(\d+)(?: |\r|\z)};

    while ($rest =~ s/\A([^\s:]+)[ \t]*: ?([^\n]*)(?:\n|\z)//) {
        my ($key, $value) = ($1, $2);
        $value =~ s/\s+\z//;
        push @{ $res{headers} }, [lc $key, $value];
    }

    $rest =~ s/\A\r?\n//;
    $res{content} = $rest;

    return (\%res, '') if ($res{code} // 0) =~ /^(?:304|101)\z/;

    my $encoding = header(\%res, 'Transfer-Encoding');
    return dechunk($name, \%res)
        if defined $encoding && $encoding eq 'chunked';

    my $length = header(\%res, 'Content-Length');
    return (\%res, '') if !defined $length || $length !~ /^\d+\z/;

    if (length $rest < $length) {
        warn "WARNING: $name - response body truncated: $length expected, ",
            'but got ', length $rest, "\n" if !$head;
        return (\%res, '');
    }

    $res{content} = substr $rest, 0, $length;

    return (\%res, substr $rest, $length);
}


sub header {
    my ($res, $name) = @_;

    my @values = map { $_->[1] } grep { $_->[0] eq lc $name }
        @{ $res->{headers} };

    return @values ? join(', ', @values) : undef;
}


sub dechunk {
    my ($name, $res) = @_;

    my $raw = $res->{content};
    my $body = '';

    while ($raw =~ /\G[ \t]*([0-9A-Fa-f]+)[ \t]*\r\n/gc) {
        my $size = hex $1;

        if ($size == 0) {
            # trailers are passed over
            last if $raw !~ /\G(?:[^\r\n]+\r\n)*\r\n/gc;
            $res->{content} = $body;
            return ($res, substr $raw, pos $raw);
        }

        my $at = pos $raw;
        last if length $raw < $at + $size + 2
                || substr($raw, $at + $size, 2) ne "\r\n";
        $body .= substr $raw, $at, $size;
        pos($raw) = $at + $size + 2;
    }

    Test::More::fail("$name - invalid chunked data received at byte "
        . (pos($raw) // 0));

    return (undef, '');
}


1;
