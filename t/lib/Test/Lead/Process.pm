# Copyright (C) the ngx_lead authors
#
# Processes and what they leave behind: start, watch and stop nginx, and find
# the lines of a log that must fail a test.  Used by the declarative runner and
# by the life tests.  It signals only pids handed to it, never a name, and
# reports nothing by itself: callers turn what it returns into tests.

package Test::Lead::Process;

use strict;
use warnings;

use Exporter 'import';
use File::Basename ();
use File::Spec ();
use IO::Socket::INET ();
use POSIX ();
use Time::HiRes qw(sleep time);

our @EXPORT_OK = qw(alive children cmdline find_program free_port nginx_env
    spawn run_program stop_pid wait_until bad_lines slow valgrind
    valgrind_reports sanitizer_reports read_file socket_owner write_file);

# t/, seen from here
my $Suppress = File::Basename::dirname(File::Spec->rel2abs(__FILE__))
    . '/../../..';

# what no test may leave in a log, whatever it is about
my $BadLine = qr{
      ^ (?: \d{4}/\d\d/\d\d\ [\d:]{8} | nginx: ) \ \[(?:alert|emerg)\]
    | \bAssertion\b .* \bfailed\b
    | \bruntime\ error: | (?:Address|Leak|Thread|Memory)Sanitizer
    | UndefinedBehaviorSanitizer
    | \bexited\ on\ signal\b
}x;


sub read_file {
    my ($path) = @_;

    open my $in, '<:raw', $path or return undef;
    local $/;
    my $text = <$in>;
    close $in;

    return $text // '';
}


sub write_file {
    my ($path, $text) = @_;

    open my $out, '>:raw', $path or die "cannot write $path: $!\n";
    print {$out} $text;
    close $out or die "cannot write $path: $!\n";
}


# sanitizers and valgrind stretch every wait of a test by this factor

sub slow {
    return $ENV{TEST_NGINX_USE_VALGRIND} ? 10
        : nginx_env()->{LD_PRELOAD} ? 3 : 1;
}


sub wait_until {
    my ($condition, $timeout) = @_;

    my $end = time() + ($timeout // 5);
    my $pause = 0.001;

    while (1) {
        my $got = $condition->();

        return $got if $got;
        return undef if time() >= $end;

        sleep $pause;
        $pause *= 1.5 if $pause < 0.03;
    }
}


sub stat_of {
    my ($pid) = @_;

    my $text = read_file("/proc/$pid/stat");

    # the name in parentheses may hold anything, so look behind the last one
    return defined $text && $text =~ /.*\)\s+(\S)\s+(\d+)/s ? ($1, $2) : ();
}


# a zombie whom nobody has reaped yet is as dead as a test needs it

sub alive {
    my ($pid) = @_;

    return 0 if !$pid;

    local ($?, $!);
    waitpid($pid, POSIX::WNOHANG());
    my ($state) = stat_of($pid);

    # its threads may outlive it for a moment, and with them its sockets
    return 1 if ($state // '') eq 'Z' && (() = glob "/proc/$pid/task/*") > 1;

    return defined $state && $state !~ /[ZX]/ ? 1 : 0;
}


sub children {
    my ($parent) = @_;

    opendir my $proc, '/proc' or die "cannot read /proc: $!\n";
    my @pids = grep { /^\d+\z/ } readdir $proc;
    closedir $proc;

    return sort { $a <=> $b } grep {
        my ($state, $ppid) = stat_of($_);
        defined $ppid && $ppid == $parent && $state !~ /[ZX]/
    } @pids;
}


sub cmdline {
    my ($pid) = @_;

    my $text = read_file("/proc/$pid/cmdline") // '';
    $text =~ tr/\0/ /;

    return $text;
}


# which of these processes has a connection, by its port at that end, which
# others may have left behind that have no inode any more

sub socket_owner {
    my ($port, @pids) = @_;

    # more than one, where they go to different places
    my %is = map { ('socket:[' . (split)[9] . ']') => 1 } grep {
        (split ' ', $_)[1] =~ /:\Q@{[ sprintf '%04X', $port ]}\E\z/
    } split /\n/, read_file('/proc/net/tcp');

    for my $pid (@pids) {
        return $pid if grep { $is{ readlink // '' } } glob "/proc/$pid/fd/*";
    }

    return undef;
}


sub find_program {
    my ($name) = @_;

    return -f $name && -x _ ? File::Spec->rel2abs($name) : undef
        if $name =~ m{/};

    for my $dir (split(/:/, $ENV{PATH} // ''), '/usr/sbin', '/sbin') {
        my $path = "$dir/$name";
        return $path if length $dir && -f $path && -x _;
    }

    return undef;
}


# below the ephemeral range, so that no outgoing connection takes it meanwhile

sub free_port {
    my ($used) = @_;

    for (1 .. 1000) {
        my $port = 10000 + int rand 22000;

        next if $used && $used->{$port};

        my $sock = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
            LocalPort => $port, Proto => 'tcp', Listen => 1);
        next if !$sock;

        close $sock;
        $used->{$port} = 1 if $used;
        return $port;
    }

    die "no free port in 1000 tries\n";
}


# what only nginx gets: a preloaded sanitizer in perl itself would report perl

sub nginx_env {
    my $preload = $ENV{TEST_NGINX_PRELOAD} // $ENV{TEST_NGINX_LD_PRELOAD};

    return {} if !defined $preload || $preload !~ /\S/;

    return {
        LD_PRELOAD => join(' ', $preload, $ENV{LD_PRELOAD} // ()),
        ASAN_OPTIONS => $ENV{ASAN_OPTIONS} // 'detect_leaks=0',
        UBSAN_OPTIONS => $ENV{UBSAN_OPTIONS} // 'print_stacktrace=1',
    };
}


sub valgrind {
    my ($log_dir) = @_;

    my $use = $ENV{TEST_NGINX_USE_VALGRIND} or return;
    my @cmd = ('valgrind', '-q', "--log-file=$log_dir/valgrind.%p");

    if ($use !~ /^\d+\z/) {
        return (@cmd, split ' ', $use);
    }

    push @cmd, qw(--tool=memcheck --leak-check=full --num-callers=100
        --keep-debuginfo=yes --show-possibly-lost=no --gen-suppressions=all);
    push @cmd, '--exit-on-first-error=yes', '--error-exitcode=1'
        if $ENV{TEST_NGINX_VALGRIND_EXIT_ON_FIRST_ERR};
    push @cmd, map { '--suppressions=' . File::Spec->rel2abs($_) }
        grep { -f } 'valgrind.suppress', "$Suppress/valgrind.suppress";

    return @cmd;
}


sub valgrind_reports {
    my ($log_dir) = @_;

    my @reports;

    for my $file (sort glob "$log_dir/valgrind.*") {
        my $text = join '', grep { /\S/ && !/set address range perms/ }
            split /^/, read_file($file) // '';

        unlink $file if length $text;
        push @reports, $text if $text =~ /^(?!==\d+==\s*$).*\S/m;
    }

    return @reports;
}


# a log_path sends reports to files, where no error.log shows them

sub sanitizer_reports {
    my ($seen) = @_;

    my @reports;

    for my $name (qw(ASAN_OPTIONS UBSAN_OPTIONS LSAN_OPTIONS)) {
        next if ($ENV{$name} // '') !~ /\blog_path=([^:,\s]+)/;
        my $prefix = $1;
        next if $prefix =~ /^std(?:out|err)\z/;

        for my $file (glob "$prefix.*") {
            next if $seen->{$file}++;
            push @reports, read_file($file) // '';
        }
    }

    return @reports;
}


# options: stdout and stderr (files), env (added), dir

sub spawn {
    my ($cmd, %opt) = @_;

    my $pid = fork();
    die "fork failed: $!\n" if !defined $pid;
    return $pid if $pid;

    # never run perl's END blocks here: they belong to the parent
    eval {
        local $SIG{__DIE__};
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP PIPE CHLD);
        setpgrp(0, 0);
        %ENV = (%ENV, %{ $opt{env} // {} });
        chdir $opt{dir} if defined $opt{dir};
        open STDIN, '<', '/dev/null';
        open STDOUT, '>>', $opt{stdout} // '/dev/null';
        open STDERR, '>>', $opt{stderr} if defined $opt{stderr};
        no warnings 'exec';
        exec { $cmd->[0] } @$cmd;
        print STDERR "cannot run $cmd->[0]: $!\n";
    };

    POSIX::_exit(127);
}


# Returns the wait status; a program out of time is stopped, status -1.  TERM
# first: a program may have children of its own to stop.

sub run_program {
    my ($cmd, %opt) = @_;

    my $pid = spawn($cmd, %opt);
    my $status;

    local $?;
    my $done = wait_until(sub {
        my $got = waitpid($pid, POSIX::WNOHANG());
        $status = $? if $got == $pid;
        return $got != 0;
    }, $opt{timeout} // 30);

    return $status // -1 if $done;

    stop_pid($pid, TERM => 5 * slow(), KILL => 5);
    return -1;
}


# Steps are pairs of signal and seconds.  The children are collected before
# each step, for a killed master leaves its workers.  Returns the signal that
# did it.

sub stop_pid {
    my ($pid, @steps) = @_;

    my (%kids, $by);
    @steps = (QUIT => 3 * slow(), TERM => 3 * slow(), KILL => 5) if !@steps;

    while (alive($pid) && @steps) {
        my ($signal, $seconds) = splice @steps, 0, 2;

        $kids{$_} = 1 for children($pid);
        kill $signal => $pid;
        $by = $signal;
        wait_until(sub { !alive($pid) }, $seconds);
    }

    my @left = grep { alive($_) } keys %kids;
    return $by if !@left;

    kill KILL => @left;
    wait_until(sub { !grep { alive($_) } @left }, 5);

    return 'KILL';
}


# Options: allow, a list of strings and regexps; emerg, true where nginx was
# meant to refuse its configuration.  A sanitizer's report comes with the lines
# that follow it.

sub bad_lines {
    my ($text, %opt) = @_;

    my @lines = split /^/, $text;
    my @bad;

    for (my $i = 0; $i < @lines; $i++) {
        my $line = $lines[$i];

        next if $line !~ $BadLine;
        next if $opt{emerg} && $line =~ /\[emerg\]/;
        next if grep { ref ? $line =~ $_ : index($line, $_) >= 0 }
            @{ $opt{allow} // [] };

        if ($line =~ /Sanitizer|runtime error:/) {
            my $last = $i + 25 < $#lines ? $i + 25 : $#lines;
            $line = join '', @lines[$i .. $last];
            $i = $last;
        }

        chomp $line;
        push @bad, $line;
    }

    return @bad;
}


1;
