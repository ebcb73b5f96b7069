# Copyright (C) the ngx_lead authors
#
# The checks of a block, in Test::Nginx's order, each one counted test, so that
# plans hold under both runners.  Reads logs, starts and stops nothing.

package Test::Nginx::Socket::Check;

use strict;
use warnings;

use Test::More ();
use Time::HiRes qw(sleep time);

use Test::Lead::Process qw(wait_until slow read_file write_file);
use Test::Nginx::Socket::Request ();
use Test::Nginx::Socket::Server ();
use Test::Nginx::Util qw(bail_out expand_env fmt_str pattern_list
    quiet_seconds trim $AccLogFile $CheckAccumErrLog $NoLongString $ServerPort
    $ServerPortForClient @ResponseBodyChecks);


sub is_str {
    my ($got, $expected, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    return Test::More::like($got, $expected, $name)
        if ref $expected eq 'Regexp';

    my $short = !defined $got || !defined $expected
        || length $got < 120 && length $expected < 120;
    return Test::More::is($got, $expected, $name) if $NoLongString || $short;

    my $same = Test::More::ok($got eq $expected, $name);
    Test::More::diag(difference($got, $expected)) if !$same;

    return $same;
}


# two long strings around the first byte that differs

sub difference {
    my ($got, $expected) = @_;

    ("$got\0" ^ "$expected\0") =~ /^\0*/;
    my $at = $+[0];
    my $from = $at > 30 ? $at - 30 : 0;

    my ($have, $want) = map {
        my $part = $from < length $_ ? substr $_, $from, 100 : '';
        $part =~ s/([^\x20-\x7e])/sprintf '\\x{%02x}', ord $1/ge;
        sprintf '"%s" (%d bytes)', $part, length $_
    } $got, $expected;

    return "differ at byte $at, from byte $from on:\n"
        . "         got: $have\n    expected: $want";
}


# With several requests every expectation is an array of as many.

sub indexed {
    my ($block, $section, $at) = @_;

    my $value = $block->get($section);

    if (ref $value eq 'ARRAY') {
        return $value->[$at->{many} ? $at->{request} : 0];
    }

    bail_out($block->name, ' - You asked for many requests, the expected',
        " results should be arrays as well ($section).") if $at->{many};

    return $value;
}


sub ports {
    my ($text) = @_;

    return $text if !defined $text || ref $text;

    $text =~ s/\$ServerPortForClient\b/$ServerPortForClient/g;
    $text =~ s/\$ServerPort\b/$ServerPort/g;

    return $text;
}


sub error_code {
    my ($block, $res, $at) = @_;

    my $name = $block->name . ' - status code ok';
    my $code = $res && $res->{code} || '';

    if (defined $block->get('error_code_like')) {
        my $pattern = indexed($block, 'error_code_like', $at);
        Test::More::like($code, qr/$pattern/sm, $name);

    } elsif (defined $block->get('error_code')) {
        Test::More::is($code, indexed($block, 'error_code', $at), $name);

    } else {
        Test::More::is($code, 200, $name);
    }
}


sub raw_headers {
    my ($block, $res, $at) = @_;

    my $raw = $res ? $res->{raw} : undef;

    if (defined $block->get('raw_response_headers_like')) {
        my $pattern = indexed($block, 'raw_response_headers_like', $at);
        Test::More::like($raw, qr/$pattern/s,
            $block->name . ' - raw resp headers like');
    }

    if (defined $block->get('raw_response_headers_unlike')) {
        my $pattern = indexed($block, 'raw_response_headers_unlike', $at);
        Test::More::unlike($raw, qr/$pattern/s,
            $block->name . ' - raw resp headers unlike');
    }
}


# One test a name, however often the section repeats it.

sub header_lines {
    my ($text) = @_;

    my (%value, @order);

    for my $line (split /\n/, $text // '') {
        $line =~ s/^\s+|\s+$//g;
        my $absent = $line =~ s/^!\s*//;
        my ($name, $value) = $absent ? ($line)
            : split /\s*:\s*/, $line, 2;

        next if !defined $name;
        push @order, $name if !exists $value{$name};
        $value{$name} = $value;
    }

    return map { [$_, $value{$_}] } @order;
}


sub headers {
    my ($block, $res, $at) = @_;

    my $exact = defined $block->get('response_headers');
    my $section = $exact ? 'response_headers' : 'response_headers_like';

    return if !defined $block->get($section);

    for my $line (header_lines(indexed($block, $section, $at))) {
        my ($name, $value) = @$line;
        my $title = $block->name . " - header $name";
        my $got = $res
            ? Test::Nginx::Socket::Request::header($res, $name) // '' : '';

        if ($exact && !defined $value) {
            Test::More::unlike($res ? $res->{raw} : undef,
                qr/^\s*\Q$name\E\s*:/ms,
                "$title not present in the raw headers");

        } elsif ($exact) {
            Test::More::is($got, ports($value), "$title ok");

        } else {
            my $pattern = $value // '';
            Test::More::like($got, qr/^$pattern$/, "$title like ok");
        }
    }
}


sub body {
    my ($block, $res, $at) = @_;

    my $content = $res ? $res->{content} : undef;
    my $which = "(repeated req $at->{repeated}, req $at->{request})";
    my $title = $block->name . ' - response_body';

    my $file = $block->get('write_resp_body_file');
    write_file($file, $content // '') if defined $file;

    if (defined $block->get('response_body')) {
        my $expected = indexed($block, 'response_body', $at);
        $expected = expand_env(ports($expected), $block->name);
        my $how = ref $expected ? 'like' : 'response is expected';
        is_str($content, $expected, "$title - $how $which");

    } elsif (defined $block->get('response_body_like')) {
        my $pattern = ports(indexed($block, 'response_body_like', $at));
        Test::More::like($content, qr/$pattern/s, "${title}_like - response"
            . ' is expected (' . (trim($content) // '') . ')');

    } elsif (defined $block->get('response_body_unlike')) {
        my $pattern = ports(indexed($block, 'response_body_unlike', $at));
        Test::More::unlike($content, qr/$pattern/s, "${title}_unlike -"
            . ' response is expected (' . (trim($content) // '') . ')');
    }

    $_->($block, $content, $at->{request}, $at->{repeated}, 0)
        for @ResponseBodyChecks;
}


# ---- logs

sub matches {
    my ($line, $pattern) = @_;

    return ref $pattern ? $line =~ $pattern || index($line, "$pattern") >= 0
        : index($line, $pattern) >= 0;
}


# The error log from where the last look ended.  Some of a request is logged
# after its client has seen the end, so the log has to stand still first; and a
# pattern that is awaited gets half a second more.

sub error_log_lines {
    my (@awaited) = @_;

    my $from = $CheckAccumErrLog ? 0
        : Test::Nginx::Socket::Server::log_pos();
    my $end = time() + 0.5 * slow();
    my (@lines, $text);

    while (1) {
        settle();
        $text = Test::Nginx::Socket::Server::new_log_text($from);
        @lines = split /^/, $text;

        last if time() >= $end;
        last if !grep { my $p = $_; !grep { matches($_, $p) } @lines }
            @awaited;
    }

    Test::Nginx::Socket::Server::log_pos($from + length $text);

    return \@lines;
}


sub settle {
    my $size = -1;
    my $end = time() + 2 * slow();

    while (time() < $end) {
        my $now = Test::Nginx::Socket::Server::log_size();
        return if $now == $size;
        $size = $now;
        sleep quiet_seconds();
    }
}


sub expect_lines {
    my ($name, $log, $lines, $which, @patterns) = @_;

    for my $pattern (grep { defined } @patterns) {
        my $found = grep { matches($_, $pattern) } @$lines;
        Test::More::ok($found, "$name - pattern \"$pattern\" "
            . ($found ? 'matches' : 'should match') . " a line in $log$which");
    }
}


sub refuse_lines {
    my ($name, $log, $lines, $which, @patterns) = @_;

    for my $pattern (grep { defined } @patterns) {
        my @found = grep { matches($_, $pattern) } @$lines;
        my $title = "$name - pattern \"" . fmt_str("$pattern") . '" ';

        if (!@found) {
            Test::More::pass("${title}does not match a line in $log$which");
            next;
        }

        splice @found, 9 if @found > 9;
        Test::More::fail("${title}should not match any line in $log$which");
        Test::More::diag(@found);
    }
}


sub grep_log {
    my ($block, $lines, $repeated) = @_;

    my $pattern = grep_pattern($block, $repeated);
    my $expected = $block->get('grep_error_log_out');

    return if !defined $pattern;
    bail_out($block->name, ' - grep_error_log without grep_error_log_out')
        if !defined $expected;

    $expected = $expected->[$repeated] if ref $expected eq 'ARRAY';
    $expected = expand_env($expected, $block->name);

    my $regexp = ref $pattern ? $pattern : qr/\Q$pattern\E/;
    my $got = join '', map { "$_\n" } grep { !/\n/ }
        map { /$regexp/ ? $& : () } @$lines;

    is_str($got, $expected,
        $block->name . " - grep_error_log_out (req $repeated)");
}


sub grep_pattern {
    my ($block, $repeated) = @_;

    my $pattern = $block->get('grep_error_log');

    bail_out($block->name, ' - grep_error_log_out without grep_error_log')
        if !defined $pattern && defined $block->get('grep_error_log_out');

    return ref $pattern eq 'ARRAY' ? $pattern->[$repeated] : $pattern;
}


sub error_log {
    my ($block, $repeated) = @_;

    my @sections = map { $block->get($_) } qw(error_log no_error_log
        grep_error_log grep_error_log_out shutdown_error_log
        no_shutdown_error_log);
    my $which = " (req $repeated)";

    return if !grep { defined } @sections;

    my @expected = grep { defined } pattern_list($sections[0]);
    my $lines = error_log_lines(@expected);

    grep_log($block, $lines, $repeated);
    expect_lines($block->name, 'error.log', $lines, $which, @expected);
    refuse_lines($block->name, 'error.log', $lines, $which,
        pattern_list($sections[1]));
}


sub access_log {
    my ($block, $repeated) = @_;

    my @expected = pattern_list($block->get('access_log'));
    my @refused = pattern_list($block->get('no_access_log'));
    my $which = " (req $repeated)";

    return if !@expected && !@refused;

    settle();
    my $lines = [split /^/, read_file($AccLogFile) // ''];

    expect_lines($block->name, 'access.log', $lines, $which, @expected);
    refuse_lines($block->name, 'access.log', $lines, $which, @refused);
}


# Counted when the server of the block has stopped; under HUP and NO_CLEAN it
# does not stop, and the tests are skipped.

sub shutdown_log {
    my ($block, $hup) = @_;

    my @expected = pattern_list($block->get('shutdown_error_log'));
    my @refused = pattern_list($block->get('no_shutdown_error_log'));

    return if !@expected && !@refused;

    if ($hup || $ENV{TEST_NGINX_NO_CLEAN}) {
        SKIP: {
            Test::More::skip($block->name . ' - shutdown_error_log',
                @expected + @refused);
        }
        return;
    }

    my $lines = [split /^/,
        Test::Nginx::Socket::Server::new_log_text(
            $CheckAccumErrLog ? 0 : undef)];

    expect_lines($block->name, 'error.log', $lines, '', @expected);
    refuse_lines($block->name, 'error.log', $lines, '', @refused);
}


1;
