# Copyright (C) the ngx_lead authors
#
# Requests to bytes, for http.pl: body, framing, request line and headers, and
# what is wrong with these on purpose.  Whether a request is whole, so that it
# must be answered, is found here, where it is known what was done to it.

package Wire;

use strict;
use warnings;

use Chance qw(chance pick js @Bytes @Numbers $Mark);


sub serialize {
    my ($r) = @_;

    my ($type, $body) = body_of($r);
    my $target = $r->{path};
    my $args = $r->{raw_args} // join '&', map {
        my ($n, $v) = @$_;
        s/([^\w.~-])/chance(0.97) || ord $1 <= 32 ? sprintf '%%%02X', ord $1
                                                  : $1/ge for $n, $v;
        "$n=$v";
    } @{ $r->{args} // [] };

    $target .= "?$args" if length $args;

    push @{ $r->{headers} }, ['Content-Type', $r->{type} // $type]
        if defined $type || defined $r->{type};

    my ($head, $framed) = framed($r, $body);
    my $text = "$r->{method} $target HTTP/$r->{version}\r\n"
        . join('', map { "$_->[0]: $_->[1]\r\n" } @{ $r->{headers} })
        . "$head\r\n$framed";

    $r->{whole} = 0 if dubious($r, $target, $framed);
    $text = raw($r, $text) if $r->{raw};

    # HEAD's answer has no body, whatever the length it tells
    my ($method) = $text =~ /\A[\r\n]*(\S+) /;

    return { n => $r->{n}, text => $text, method => $method // '',
             whole => $r->{whole}, at => cuts($r, length $text) };
}


# what nginx may take for something else than it was meant to be

sub dubious {
    my ($r, $target, $body) = @_;

    return 1 if $target !~ /\A[^\s\0]+\z/;
    return 1 if $r->{version} !~ /\A1\.[01]\z/;
    return 1 if grep { "@$_" =~ /[\r\n\0]/ || $_->[0] !~ /\A[\w-]+\z/ }
        @{ $r->{headers} };

    # a body that nobody announced is the next request
    return length $body && ($r->{framing} // '') eq 'none';
}


sub body_of {
    my ($r) = @_;

    my ($type, $body);

    if ($r->{json}) {
        $type = 'application/json';
        $body = '{' . join(',', map { js($_->[0]) . ":$_->[1]" }
                                    @{ $r->{json} }) . '}';

    } elsif ($r->{form} && $r->{multipart}) {
        ($type, $body) = multipart($r->{form});

    } elsif ($r->{form}) {
        $type = 'application/x-www-form-urlencoded';
        $body = join '&', map {
            my ($n, $v) = @$_;
            s/([^\w.~ \[\]-])/sprintf '%%%02x', ord $1/ge, tr/ /+/ for $n, $v;
            "$n=$v";
        } @{ $r->{form} };
    }

    for my $change (@{ $r->{after} // [] }) {
        $body = $change->($body // '');
        $type //= 'application/json';
    }

    return ($type, $body);
}


sub multipart {
    my ($fields) = @_;

    my $boundary = pick('B', '----WebKitFormBoundary' . int rand 1e9,
                        "'()+_,-./:=?");
    my $body = join '', map {
        my ($name, $value) = @$_;
        $name =~ s/(["\r\n])/sprintf '%%%02X', ord $1/ge if chance(0.9);

        my $head = qq(Content-Disposition: form-data; name="$name")
            . (chance(0.05) ? qq(; filename="x") : '')
            . (chance(0.03) ? "\r\nContent-Type: text/plain; charset="
                             . pick('utf-8', 'latin1', 'iso-8859-1') : '')
            . (chance(0.003) ? "\r\nContent-Transfer-Encoding: base64" : '');

        "--$boundary\r\n$head\r\n\r\n$value\r\n"
    } @$fields;

    $body .= "--$boundary--\r\n" if chance(0.97);
    $body =~ s/\r\n/\n/g if chance(0.02);

    return (qq(multipart/form-data; boundary="$boundary"), $body);
}


# (lines of the head, the body as it is sent)

sub framed {
    my ($r, $body) = @_;

    my $how = $r->{framing} // 'length';
    my $length = length($body // '');

    if (!defined $body && $how =~ /^(?:length|none|short)\z/) {
        return ('', '');
    }

    $body //= '';

    # HTTP/1.0 has no chunks
    $r->{whole} = 0 if $r->{version} ne '1.1' && $how ne 'length';

    return ("Content-Length: $length\r\n", $body) if $how eq 'length';
    return ("Transfer-Encoding: chunked\r\n", chunks($body, $how))
        if $how =~ /^(?:chunked|trailer|extension)\z/;

    $r->{whole} = 0 if $how ne 'none';

    return ('', $body) if $how eq 'none';
    return ("Content-Length: $length\r\n" x 2, $body) if $how eq 'twice';
    return ("Content-Length: $length\r\nTransfer-Encoding: chunked\r\n",
            chunks($body, $how)) if $how eq 'both';
    return ('Content-Length: ' . pick(@Numbers, $length + 1, '', " $length ")
            . "\r\n", $body) if $how eq 'length_odd';
    return ('Transfer-Encoding: ' . pick('gzip', 'chunked, chunked',
            'identity', 'Chunked', '', 'x' x 100) . "\r\n",
            chunks($body, 'chunked')) if $how eq 'te_odd';
    return ("Content-Length: $length\r\n",
            substr $body, 0, int rand($length + 1)) if $how eq 'short';

    # chunk_odd
    my $chunks = chunks($body, 'chunked');
    substr $chunks, int rand(length($chunks) + 1), pick(0, 1, 2),
        pick(@Bytes, 'ffffffffffffffff', '-1', '0x1', "0\r\n\r\n");
    return ("Transfer-Encoding: chunked\r\n", $chunks);
}


sub chunks {
    my ($body, $how) = @_;

    my ($out, $at) = ('', 0);

    # a body of 1 MiB in chunks of one byte would be all that is done
    my $most = length($body) / 300;

    while ($at < length $body) {
        my $part = substr $body, $at, $most + pick(1, 2, 16, 300, 5000, 70000);
        my $ext = $how eq 'extension' ? pick(';a', ';a=b', '; x="y"') : '';

        $out .= sprintf(pick('%x', '%X', '%05x'), length $part) . "$ext\r\n"
            . "$part\r\n";
        $at += length $part;
    }

    return $out . "0\r\n" . ($how eq 'trailer' ? "X-T: $Mark\r\n" : '')
        . "\r\n";
}


sub raw {
    my ($r, $text) = @_;

    $r->{whole} = 0;

    for (1 .. $r->{raw}) {
        my $at = int rand(length($text) + 1);

        # most of what is interesting is in front
        $at = int rand(400) if $at > 400 && chance(0.7);
        next if $at > length $text;

        pick(sub { substr $text, $at, 0, pick(@Bytes) },
             sub { substr $text, $at, 1, chr int rand 256
                       if $at < length $text },
             sub { substr $text, $at, int rand 9, '' },
             sub { substr $text, $at, 0, substr $text, int rand $at + 1,
                       int rand 60 },
             sub { $text = substr $text, 0, $at if chance(0.3) })->();
    }

    return $text;
}


# where the writing pauses, in order

sub cuts {
    my ($r, $length) = @_;

    return [] if !$r->{cuts};
    return [sort { $a <=> $b } map { int rand $length } 1 .. $r->{cuts}];
}


1;
