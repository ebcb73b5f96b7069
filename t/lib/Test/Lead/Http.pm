# Copyright (C) the ngx_lead authors
#
# A small HTTP/1.1 client for life tests: one object is one connection, which
# can send half a request, send in chunks, read nothing, or be torn down.  It
# hides nothing from the test: no redirects, no retries, no reconnecting.

package Test::Lead::Http;

use strict;
use warnings;

use Errno qw(EAGAIN EINTR);
use IO::Select ();
use IO::Socket::INET ();
use Socket qw(SOL_SOCKET SO_LINGER);
use Time::HiRes qw(time);


# options: port (or host and port), timeout

sub new {
    my ($class, %opt) = @_;

    my $sock = IO::Socket::INET->new(PeerAddr => $opt{host} // '127.0.0.1',
        PeerPort => $opt{port}, Proto => 'tcp', Timeout => $opt{timeout} // 5)
        or return undef;

    $sock->blocking(0);

    return bless { sock => $sock, in => '', head => 0, eof => 0,
        timeout => $opt{timeout} // 5, began => time() }, $class;
}


# Headers are a hash or a list of pairs.  Options: keepalive; chunks, a list of
# sizes the body is cut into, the last one repeated; no_length.

sub format_request {
    my ($method, $path, $headers, $body, %opt) = @_;

    my @pairs = ref $headers eq 'HASH'
        ? map { [$_, $headers->{$_}] } sort keys %$headers
        : pairs(@{ $headers // [] });
    my %given = map { lc $_->[0] => 1 } @pairs;

    unshift @pairs, ['Host', 'localhost'] if !$given{host};
    push @pairs, ['Connection', $opt{keepalive} ? 'keep-alive' : 'close']
        if !$given{connection};

    if ($opt{chunks}) {
        push @pairs, ['Transfer-Encoding', 'chunked'];
        $body = chunked($body // '', @{ $opt{chunks} });

    } elsif (defined $body && !$given{'content-length'} && !$opt{no_length}) {
        push @pairs, ['Content-Length', length $body];
    }

    return join('', "$method $path HTTP/1.1\r\n",
        map { "$_->[0]: $_->[1]\r\n" } @pairs) . "\r\n" . ($body // '');
}


sub pairs {
    my @list = @_;
    my @pairs;

    push @pairs, [splice @list, 0, 2] while @list;

    return @pairs;
}


sub chunked {
    my ($body, @sizes) = @_;

    my $out = '';
    my $at = 0;

    while ($at < length $body) {
        my $size = @sizes > 1 ? shift @sizes : $sizes[0];
        die "a chunk of no size\n" if !$size;
        my $part = substr $body, $at, $size;
        $out .= sprintf("%x\r\n", length $part) . "$part\r\n";
        $at += length $part;
    }

    return "${out}0\r\n\r\n";
}


# Returns true once everything is written; what the server sends meanwhile is
# kept, so that neither side waits for the other.

sub write {
    my ($self, $bytes) = @_;

    local $SIG{PIPE} = 'IGNORE';
    my $select = IO::Select->new($self->{sock});
    my $end = time() + $self->{timeout};

    while (length $bytes) {
        my $left = $end - time();
        my ($readable, $writable) = IO::Select->select($select, $select,
            undef, $left > 0 ? $left : 0);

        return 0 if !$readable;
        return 0 if @$readable && !$self->fill && !@$writable;
        next if !@$writable;

        my $wrote = syswrite $self->{sock}, $bytes, 65536;
        next if !defined $wrote && ($!{EAGAIN} || $!{EINTR});
        return 0 if !defined $wrote;
        substr($bytes, 0, $wrote) = '';
    }

    return 1;
}


sub request {
    my ($self, $method, $path, $headers, $body, %opt) = @_;

    $self->{head} = $method eq 'HEAD';

    return $self->write(format_request($method, $path, $headers, $body, %opt));
}


# one read of what is there; false at the end of the stream

sub fill {
    my ($self) = @_;

    my $got = sysread $self->{sock}, $self->{in}, 65536, length $self->{in};

    return 1 if $got || !defined $got && ($!{EAGAIN} || $!{EINTR});

    $self->{reset} = "$!" if !defined $got;
    $self->{eof} = 1;

    return 0;
}


# The next answer as {status, headers, raw_headers, body, complete, elapsed},
# with names of headers in lower case; or undef with {error} set.

sub response {
    my ($self, $timeout) = @_;

    my $end = time() + ($timeout // $self->{timeout});
    my $select = IO::Select->new($self->{sock});

    while (1) {
        my $res = $self->parsed;
        return $res if $res;

        if ($self->{eof}) {
            $self->{error} = $self->{reset} // 'closed without an answer';
            return undef;
        }

        my $left = $end - time();

        if ($left <= 0 || !$select->can_read($left)) {
            $self->{error} = 'timeout';
            return undef;
        }

        $self->fill;
    }
}


sub parsed {
    my ($self) = @_;

    while (1) {
        my $at = index $self->{in}, "\r\n\r\n";
        return undef if $at < 0;

        my $raw = substr $self->{in}, 0, $at + 2;
        my ($line, @lines) = split /\r\n/, $raw;
        my ($status) = ($line // '') =~ m{^HTTP/1\.\d (\d{3})};

        if (!$status) {
            $self->{error} = 'not HTTP';
            $self->{eof} = 1;
            return undef;
        }

        # 100 Continue and its like come before the answer
        if ($status < 200 && $status != 101) {
            substr($self->{in}, 0, $at + 4) = '';
            next;
        }

        my %res = (status => $status, raw_headers => $raw, headers => {});

        for (@lines) {
            my ($name, $value) = split /:\s*/, $_, 2;
            my $have = \$res{headers}{lc $name};
            $$have = defined $$have ? "$$have, $value" : $value;
        }

        my ($body, $used) = $self->body(\%res, $at + 4) or return undef;
        substr($self->{in}, 0, $used) = '';

        @res{qw(body elapsed)} = ($body, time() - $self->{began});
        return \%res;
    }
}


# the body from an offset, and where it ends; nothing while it is not all there

sub body {
    my ($self, $res, $at) = @_;

    my $headers = $res->{headers};
    my $have = length($self->{in}) - $at;

    $res->{complete} = 1;

    return ('', $at) if $self->{head} || $res->{status} =~ /^(?:204|304)/;

    if (($headers->{'transfer-encoding'} // '') =~ /chunked/i) {
        my @body = dechunked($self->{in}, $at);
        return @body if @body;

    } elsif (defined $headers->{'content-length'}) {
        my $length = $headers->{'content-length'};
        return (substr($self->{in}, $at, $length), $at + $length)
            if $have >= $length;

    } elsif ($self->{eof}) {
        return (substr($self->{in}, $at), length $self->{in});
    }

    return if !$self->{eof};

    $res->{complete} = 0;
    return (substr($self->{in}, $at), length $self->{in});
}


sub dechunked {
    my ($text, $at) = @_;

    my $body = '';

    while (1) {
        my $eol = index $text, "\r\n", $at;
        return if $eol < 0;

        my $size = substr($text, $at, $eol - $at) =~ /^([0-9a-f]+)/i
            ? hex $1 : return;
        $at = $eol + 2;
        return if length $text < $at + $size + 2;

        return ($body, $at + 2) if $size == 0;
        $body .= substr $text, $at, $size;
        $at += $size + 2;
    }
}


sub shutdown_write {
    my ($self) = @_;

    shutdown $self->{sock}, 1;
}


# reset, as of a client that lost its network stack

sub abort {
    my ($self) = @_;

    setsockopt $self->{sock}, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0);
    CORE::close $self->{sock};
}


sub close {
    my ($self) = @_;

    CORE::close $self->{sock};
}


# Runs requests, each [method, path, headers, body, options], at most
# `concurrency` connections at a time.  Answers come in the order asked; one
# that failed is {error}.

sub parallel {
    my ($requests, %opt) = @_;

    my $limit = $opt{concurrency} // 50;
    my $end = time() + ($opt{timeout} // 30);
    my (@answers, %live);
    my ($next, $select, $wselect) = (0, IO::Select->new, IO::Select->new);

    local $SIG{PIPE} = 'IGNORE';

    while (($next < @$requests || %live) && time() < $end) {
        while ($next < @$requests && keys %live < $limit) {
            my $i = $next++;
            my $c = __PACKAGE__->new(%opt);

            if (!$c) {
                $answers[$i] = { error => "connect: $!" };
                next;
            }

            my ($method, $path, $headers, $body, %how) = @{ $requests->[$i] };
            @{$c}{qw(n head out)} = ($i, $method eq 'HEAD',
                format_request($method, $path, $headers, $body, %how));
            $live{ fileno $c->{sock} } = $c;
            $select->add($c->{sock});
            $wselect->add($c->{sock});
        }

        my ($readable, $writable) = IO::Select->select($select, $wselect,
            undef, 0.5);

        for my $sock (@{ $writable // [] }) {
            my $c = $live{ fileno $sock };
            my $wrote = syswrite $sock, $c->{out}, 65536;
            substr($c->{out}, 0, $wrote // 0) = '';
            $wselect->remove($sock) if !length $c->{out}
                || !defined $wrote && !$!{EAGAIN} && !$!{EINTR};
        }

        for my $sock (@{ $readable // [] }) {
            my $c = $live{ fileno $sock };
            $c->fill;
            my $res = $c->parsed;
            next if !$res && !$c->{eof};

            $answers[ $c->{n} ] = $res // { error => $c->{reset}
                // $c->{error} // 'closed without an answer' };
            $select->remove($sock);
            $wselect->remove($sock);
            delete $live{ fileno $sock };
            CORE::close $sock;
        }
    }

    return map { $_ // { error => 'timeout' } } @answers[0 .. $#$requests];
}


1;
