#!/usr/bin/perl

# Copyright (C) the ngx_lead authors
#
# Starts nginx with the module built with ASAN and UBSAN, and the five
# dialects' examples as its configuration, and sends it requests, right ones
# and changed ones, on 127.0.0.1 only, for some time.  What must not be:
#
#   a sanitizer's report, a worker that ends on a signal, a line of level
#   crit, alert or emerg, or of the module's of level error, a status from 500
#   on, an answer of a dialect that is no JSON, none to a request that was
#   whole, a key or somebody's name in the error log at level info, an event
#   that is not delivered, anything found by `leadctl check` at the end.
#
# usage: t/fuzz/http.pl [--build <directory>] [--time <seconds>]
#            [--seed <number>] [--out <directory>] [--replay <file>]
#
# The build is one with SANITIZE=address,undefined.  A failure leaves, in the
# directory of --out, the log and a file of what was sent last, which --replay
# sends again: the same bytes, cut and mixed in the same way.

use strict;
use warnings;

use Cwd qw(abs_path);
use Encode ();
use File::Copy qw(copy);
use File::Path qw(make_path);
use FindBin ();
use Getopt::Long qw(GetOptions);
use JSON::PP ();
use Time::HiRes qw(sleep time);

use lib "$FindBin::Bin/../lib", $FindBin::Bin;

use Chance ();
use Requests ();
use Test::Lead qw(wait_until);
use Test::Lead::Process qw(bad_lines read_file slow);

use constant {
    WORKERS  => 2,
    TOGETHER => 6,        # connections at a time
    KEPT     => 120,      # connections in the file for --replay
    ENOUGH   => 500,      # connections, for each dialect to have had some
    ANSWERS  => 30,       # seconds until a missing answer is missing
};

# what nginx's core says with the client's own bytes in it, of a request that
# it does not understand
my $Echo = qr/^client sent (?:invalid|duplicate|unknown|too long|plain)/;

my %opt = (build => 'build/asan', time => 60, out => 'build/fuzz/http',
           seed => int(time() * 1000) % 2**31);

GetOptions(\%opt, 'build=s', 'time=i', 'seed=i', 'out=s', 'replay=s')
    && !@ARGV or die "usage: see the head of $0\n";

my $Top = abs_path("$FindBin::Bin/../..");
my $Json = JSON::PP->new->allow_nonref;
my (@Kept, %Count, %Status, $Log, $T, @Port, $Now);

make_path($opt{out});
$| = 1;

sanitize();
start();

my $well = eval { $opt{replay} ? replay() : fuzz(); finish(); 1 };

report($@) if !$well;
summary();
exit($well ? 0 : 1);


# the module alone is built with sanitizers: see tools/test

sub sanitize {
    my $build = abs_path($opt{build}) // die "http.pl: no $opt{build}\n";
    my @libs = map { my $lib = `gcc -print-file-name=$_`; chomp $lib; $lib }
        qw(libasan.so libubsan.so);

    -f "$build/ngx_lead_module.so" && -x "$build/leadctl"
        or die "http.pl: no module in $build: make all BUILD=$opt{build}"
            . " SANITIZE=address,undefined\n";

    $ENV{TEST_NGINX_LOAD_MODULES} = "$build/ngx_lead_module.so";
    $ENV{LEADCTL} = "$build/leadctl";

    # one without is of use, too: it is faster
    return if `nm -D '$build/ngx_lead_module.so'` !~ /__asan_/;

    $ENV{TEST_NGINX_PRELOAD} = "@libs";
    $ENV{ASAN_OPTIONS} = 'detect_leaks=0:abort_on_error=1'
        . ':detect_stack_use_after_return=1';
    $ENV{UBSAN_OPTIONS} = 'print_stacktrace=1';
}


# ---- the server

sub start {
    print "http.pl: seed $opt{seed}\n" if !$opt{replay};
    srand $opt{seed};

    $T = Test::Lead->new(workers => WORKERS, log_level => 'info',
        conf => conf(), ping => '/lead_status');
    @Port = map { $T->port($_) } 1 .. 5;

    make_path($T->path('store'));
    add_keys();
    $T->start;
    $Log = $T->log_mark;
}


# The examples of the five dialects, each on a port of its own, with rates that
# nobody reaches and an endpoint that takes what it gets.

sub conf {
    my $text = '';
    my $n = 0;

    for my $name (Requests::dialects()) {
        my $example = read_file("$Top/examples/$name.conf")
            // die "http.pl: no example of $name\n";

        $n++;
        $example =~ s/^lead_store .*\n//m;
        $example =~ s{/var/log/nginx/}{%%DIR%%/}g;
        $example =~ s/\blisten\s+8080\b/listen 127.0.0.1:%%PORT$n%%/;
        $example =~ s/(\blead_rate\s+)\d+/${1}1000000/g;
        $example =~ s/^lead_account .*\{\n/$&@{[webhook($n, $name)]}/m;
        $example =~ s/^\s*listen.*\n/$&@{[others()]}/m;
        $text .= $example;
    }

    return <<"_EOC_";
http {
    lead_store %%DIR%%/store size=4g;
    lead_webhook_allow 127.0.0.0/8;
    lead_key_failures 1000000r/m;

    add_header X-Dialect \$lead_dialect always;

    client_header_timeout 10s;
    client_body_timeout 10s;
    keepalive_timeout 10s;

$text
    server {
        listen 127.0.0.1:%%PORT6%%;
        client_max_body_size 8m;
        return 204;
    }
}
_EOC_
}


sub webhook {
    my ($n, $name) = @_;

    my $format = $name eq 'kickofflabs' ? 'format=kickofflabs'
        : $name eq 'lawfficient' ? 'secret=fuzz format=lawfficient'
        : 'secret=whsec_' . 'MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3';

    return "    webhook fuzz http://127.0.0.1:%%PORT6%%/$n $format;\n";
}


# what the examples have not

sub others {
    return "    location = /lead_status { lead_status json; }\n";
}


sub add_keys {
    for (Requests::keys_of()) {
        my ($account, $text, @more) = @$_;

        $T->write_file('key', "$text\n");
        my ($code, $out, $err) = $T->leadctl('--store', $T->path('store'),
            qw(key add --account), $account, @more, '--key-file',
            $T->path('key'));

        die "http.pl: leadctl key add: $err\n" if $code != 0;
    }
}


# ---- what is sent

sub fuzz {
    my $end = time() + $opt{time};

    while (time() < $end) {
        run_batch(map { connection() } 1 .. 1 + int rand TOGETHER);
    }

    delivered();

    # else it has found nothing because it has tried nothing
    my @none = grep { !$Status{"$_ 200"} } Requests::dialects();

    die "no request of @none was answered 200\n"
        if @none && $Count{connections} > ENOUGH;
}


# The endpoints take everything, so that nothing stays in the outbox.

sub delivered {
    my $page;

    wait_until(sub {
        $page = $Json->decode($T->http('GET', '/lead_status')->{body});
        return $page->{store}{outbox} == 0;
    }, 20 * slow());

    my $left = $page->{store}{outbox};

    die "$left rows of the outbox were not delivered\n" if $left;
    die "deliveries were given up\n" if $page->{webhooks}{given_up};

    $Count{delivered} = $page->{webhooks}{delivered};
}


# One connection: one request or more, and how it ends for what need not be
# answered: it waits, it says that no more comes, or it is gone.

sub connection {
    my $first = Requests::make();
    my @requests = ($first);

    while ($requests[-1]{whole} && @requests < 6 && rand() < 0.15) {
        my $next = Requests::make();
        push @requests, $next if $next->{n} == $first->{n};
    }

    my ($text, @cuts) = ('');

    for my $r (@requests) {
        push @cuts, map { $_ + length $text } @{ $r->{at} };
        $text .= $r->{text};
    }

    return { n => $first->{n}, text => $text, cuts => \@cuts,
             whole => scalar(grep { $_->{whole} } @requests),
             methods => [map { $_->{method} } @requests],
             end => (qw(shutdown wait abort))[int rand 3] };
}


sub run_batch {
    my (@batch) = @_;

    for my $c (@batch) {
        push @Kept, $c;
        shift @Kept if @Kept > KEPT;

        $c->{http} = $T->connect(port => $Port[$c->{n} - 1],
            timeout => ANSWERS) or die "cannot connect: $!\n";
        $c->{sent} = 0;
        $Count{connections}++;
    }

    # in turns, each up to its next cut
    while (my @busy = grep { $_->{sent} < length $_->{text} } @batch) {
        write_some($_) for @busy;
        sleep 0.0005 if grep { @{ $_->{cuts} } } @batch;
    }

    for my $c (@batch) {
        $Now = $c;
        answers($c);
    }

    undef $Now;
    $_->{http}->close for @batch;
    delete $_->{http} for @batch;
    check_log();
}


sub write_some {
    my ($c) = @_;

    my ($to) = grep { $_ > $c->{sent} } @{ $c->{cuts} };
    $to //= length $c->{text};

    # who was answered already may not be read any more
    my $ok = $c->{http}->write(substr $c->{text}, $c->{sent},
                               $to - $c->{sent});

    $c->{sent} = $ok ? $to : length $c->{text};
}


sub answers {
    my ($c) = @_;

    my $http = $c->{http};
    my $n = 0;

    for my $method (@{ $c->{methods} }) {
        my $whole = $n++ < $c->{whole};

        $http->{head} = $method eq 'HEAD';

        if (!$whole) {
            $http->shutdown_write if $c->{end} eq 'shutdown';
            last if $c->{end} eq 'abort';
        }

        my $r = $http->response($whole ? ANSWERS : 0.03);

        if (!$r) {
            last if !$whole;
            die "a request was not answered: $http->{error}\n";
        }

        check_answer($c, $r, $method) if $whole || $r->{complete};
        last if ($r->{headers}{connection} // '') =~ /\bclose\b/i;
    }

    $http->abort if $c->{end} eq 'abort';
}


# ---- what is looked at

sub check_answer {
    my ($c, $r, $method) = @_;

    my $dialect = $r->{headers}{'x-dialect'} // '';
    my $type = $r->{headers}{'content-type'} // '';

    $Count{answers}++;
    $Status{"$dialect $r->{status}"}++;

    # nginx's own answers to a transfer coding or version it does not know
    die "status $r->{status}\n" if $r->{status} >= 500
        && ($dialect || $r->{status} !~ /^50[15]\z/);

    die "an answer was cut off\n" if !$r->{complete};
    die "a line of the head is none\n" if grep {
        !/\A[!-9;-~]+: ?[^\x00-\x08\x0a-\x1f\x7f]*\z/
    } (split /\r\n/, $r->{raw_headers})[1 .. 3];

    return if !$dialect || !length $r->{body};

    die "an answer of $dialect is \"$type\"\n" if $type ne 'application/json';

    my $copy = $r->{body};
    eval { $Json->decode(Encode::decode('UTF-8', $copy, Encode::FB_CROAK)); 1 }
        or die "an answer of $dialect is no JSON: $@";

    Requests::learn($dialect, $r->{body}) if $r->{status} < 300;
}


# what came to the log since the last time

sub check_log {
    my $path = $T->path('error.log');
    return if (-s $path // 0) == $Log;

    open my $in, '<:raw', $path or die "$path: $!\n";
    seek $in, $Log, 0;
    my $text = do { local $/; <$in> };

    # a line may be on its way
    $text =~ s/[^\n]*\z//;
    $Log += length $text;

    my @bad = (bad_lines($text),
               grep { /\[crit\] \d|\[error\] \d+#\d+: (?:\*\d+ )?lead: / }
                   split /\n/, $text);
    die "the log says: $bad[0]\n" if @bad;

    for my $line (split /\n/, $text) {
        die "the log tells: $line\n" if tells($line);
    }
}


# Whether a line has what is nobody's business.  Ours are ours as a whole, but
# for a host that bytes which were changed may have come to; what nginx adds to
# its own, of requests it does not know yet, is nginx's.

sub tells {
    my ($line) = @_;

    my $secret = qr/\Q$Chance::Mark\E|$Chance::Phone/i;

    return 0 if $line !~ $secret;
    return 1 if $line !~ /\[\w+\] \d+#\d+: (?:\*\d+ )?(.*)/;

    my $message = $1;

    if ($message =~ /^lead: /) {
        $message =~ s/, host: ".*//;

    } elsif ($message =~ $Echo) {
        return 0;

    } else {
        $message =~ s/, client: .*//;
    }

    return $message =~ $secret;
}


sub finish {
    my $left = $T->quit;

    check_log();
    die "nginx did not leave on QUIT\n" if !$left;
    die "a core was dumped\n" if glob $T->path('core*');

    my ($code, $out, $err) = $T->leadctl('--store', $T->path('store'),
                                         'check');

    die "leadctl check: $out$err\n" if $code != 0;
    $Count{check} = (split /\n/, $out)[-1];

    my ($status, $stat) = $T->leadctl('--store', $T->path('store'), '--json',
                                      'stat');

    $Count{leads} = $1 if $stat =~ /"leads":\s*(\d+)/;
}


# ---- the end

sub report {
    my ($why) = @_;

    my $log = "$opt{out}/error-$opt{seed}.log";

    # who is not answered may have to do with somebody who is about to die
    my @bad;
    wait_until(sub { @bad = bad_lines($T->said) }, 2 * slow())
        if $why =~ /not answered|cut off|cannot connect/;

    copy($T->path('error.log'), $log);

    my $said = $T->said;
    my @last = split /\n/, substr $said, length($said) > 2000 ? -2000 : 0;

    print STDERR "http.pl: FAILED: $why",
        (map { "    $_\n" } map { split /\n/ } @bad),
        $Now ? "  it was sent:\n    " . shown($Now->{text}) . "\n" : (),
        @bad ? () : ("  the end of the log:\n", map { "    $_\n" } @last),
        "  seed $opt{seed}, after $Count{connections} connections;",
        " the log: $log\n", $opt{replay} ? () : keep();
}


sub keep {
    my $file = "$opt{out}/replay-$opt{seed}.json";

    open my $fh, '>:raw', $file or die "$file: $!\n";
    print {$fh} $Json->canonical->encode({ seed => $opt{seed},
        connections => [map { plain($_) } @Kept] }), "\n";
    close $fh or die "$file: $!\n";

    return "  again: t/fuzz/http.pl --build $opt{build} --replay $file\n";
}


sub shown {
    my ($text) = @_;

    my $cut = length($text) > 1500 ? '...' : '';

    $text = substr $text, 0, 1500;
    $text =~ s/\r\n/\\r\\n\n    /g;
    $text =~ s/([^\x20-\x7e\n])/sprintf '\x%02x', ord $1/ge;

    return $text . $cut;
}


# bytes as hexadecimal digits

sub plain {
    my ($c) = @_;

    my %copy = map { $_ => $c->{$_} } qw(n cuts whole methods end);

    return { %copy, text => unpack 'H*', $c->{text} };
}


sub replay {
    my $saved = $Json->decode(read_file($opt{replay})
                              // die "no $opt{replay}\n");
    my @all = map { { %$_, text => pack 'H*', $_->{text} } }
        @{ $saved->{connections} };

    $opt{seed} = $saved->{seed};

    # one by one shows which it is; then as many at a time as before
    run_batch($_) for @all;
    run_batch(splice @all, 0, TOGETHER) while @all;
}


sub summary {
    printf "http.pl: %d connections, %d answers, %d leads, %d deliveries;"
        . " check: %s\n",
        map({ $_ // 0 } @Count{qw(connections answers leads delivered)}),
        $Count{check} // 'none';

    for my $of ('', Requests::dialects()) {
        my @found = map { /^\Q$of\E (\d+)\z/ ? $1 : () } sort keys %Status;

        printf "    %-12s %s\n", $of || 'nginx',
            join '  ', map { "$_: $Status{\"$of $_\"}" } @found if @found;
    }
}
