# Copyright (C) the ngx_lead authors
#
# The nginx of a test file: its server root, configuration, start, reload, stop,
# and the sweep over everything it wrote.  The sweep adds a failing test for
# each line no block may cause, and none when all is well, so counts stay those
# of Test::Nginx.  It stops only the process whose pid file and command line
# name this server root.

package Test::Nginx::Socket::Server;

use strict;
use warnings;

use Fcntl qw(:flock);
use File::Path qw(remove_tree);
use File::Spec ();
use File::Temp ();
use IO::Socket::INET ();
use Scalar::Util qw(looks_like_number);
use Test::More ();
use Time::HiRes qw(sleep time);

use Test::Lead::Process qw(alive children cmdline find_program nginx_env
    spawn run_program stop_pid wait_until bad_lines slow valgrind
    valgrind_reports sanitizer_reports read_file);
use Test::Nginx::Socket::Config qw(setup_root prepare use_http2);
use Test::Nginx::Util qw(bail_out pattern_list canon_version $ConfFile
    $ErrLogFile $NginxBinary $NginxRawVersion $NginxVersion $OpenSSLVersion
    $PidFile $Randomize $RepeatEach $ServRoot $ServerAddr $ServerPort $Timeout
    $UseHup $UseValgrind);

# the process that runs now, and the block its output is charged to
my %Server = (pid => 0, name => '', allow => [], must_die => 0);

my ($Scratch, $ConfigVersion, $Started, $Lock, %SeenReports);
my (%LogHandle, $ErrLogPos);


# ---- versions

sub find_version {
    my $binary = find_program($NginxBinary)
        or bail_out('Cannot find the nginx executable "',
            $NginxBinary, '"');
    my $file = scratch() . '/version';

    run_program([$binary, '-V'], stderr => $file, env => nginx_env());
    my $text = read_file($file) // '';

    $text =~ m{\w+/(\d+)\.(\d+)\.(\d+)}
        or bail_out("Failed to parse the output of \"nginx -V\": $text");

    $NginxRawVersion = "$1.$2.$3";
    $NginxVersion = canon_version($1, $2, $3);
    $OpenSSLVersion = canon_version($1, $2, $3)
        if $text =~ /built with OpenSSL (\d+)\.(\d+)\.(\d+)/;
}


# outside the server root, which is emptied under a running nginx

sub scratch {
    $Scratch //= File::Temp->newdir('test-nginx-XXXXXX', TMPDIR => 1);
    return "$Scratch";
}


# ---- processes

# Only a process that this server root's configuration was given to is ours: a
# stale pid file may name anybody.

sub running_pid {
    my $pid = read_file($PidFile) // '';

    return 0 if $pid !~ /^(\d+)\s*\z/ || !alive($1);
    $pid = $1;

    return $pid == $Server{pid} || index(cmdline($pid), $ConfFile) >= 0
        ? $pid : 0;
}


sub nginx_command {
    my $binary = find_program($NginxBinary);

    return [$binary, '-e', $ErrLogFile, '-p', $ServRoot . '/',
        '-c', $ConfFile];
}


sub stop {
    my $pid = running_pid() || $Server{pid};
    my $name = $Server{name};

    if ($pid && alive($pid)) {
        my $by = stop_pid($pid, QUIT => $Timeout * slow(),
            TERM => 3 * slow(), KILL => 5) // 'QUIT';
        Test::More::diag("$name - nginx $pid did not leave on QUIT, $by did")
            if $by ne 'QUIT';

    } elsif ($Server{pid}) {
        Test::More::fail("$name - nginx $pid is gone before it was stopped");
    }

    sweep();
    unlink $PidFile;
    $Server{pid} = 0;
}


sub adopt {
    my ($name) = @_;

    $Server{pid} = wait_until(sub { running_pid() }, 5 * slow());
    bail_out("$name - no pid file after the start of nginx: ", last_words())
        if !$Server{pid};
}


sub last_words {
    my @lines = grep { /\[(?:emerg|alert|crit|error|warn)\]/ }
        split /^/, read_file($ErrLogFile) // '';
    splice @lines, 0, @lines - 20 if @lines > 20;

    return join '', read_file(scratch() . '/stderr') // '', @lines;
}


# Runs nginx until it has gone to the background or given up.  An address in use
# gets some time: the port may be in another's hands for a moment.

sub run_nginx {
    my ($patient) = @_;

    my $err = scratch() . '/stderr';
    my $end = time() + 10;
    my $status;

    while (1) {
        unlink $err;
        $status = run_program(nginx_command(), stderr => $err,
            env => nginx_env(), timeout => 30 * slow());

        last if !$patient || $status == 0 || time() > $end
                || (read_file($err) // '') !~ /Address already in use/;
        sleep 0.2;
    }

    return $status;
}


sub start {
    my ($block) = @_;

    my $name = $block->name;
    my @valgrind = $UseValgrind ? valgrind(scratch()) : ();

    $ErrLogPos = 0;
    charge($block);

    if (@valgrind) {
        find_program('valgrind') or bail_out("$name - no valgrind here");
        $Server{pid} = spawn([find_program($valgrind[0]),
                @valgrind[1 .. $#valgrind], @{ nginx_command() }],
            stderr => scratch() . '/stderr', env => nginx_env());

    } else {
        my $status = run_nginx(1);
        bail_out("$name - Cannot start nginx (status $status): ",
            last_words()) if $status != 0;
        adopt($name);
    }

    wait_port($name) if @valgrind;
}


# from here on the block answers for what nginx writes

sub charge {
    my ($block) = @_;

    $Server{name} = $block->name;
    $Server{must_die} = defined $block->get('must_die');
    $Server{allow} = [map { grep { defined && length } pattern_list($_) }
        map { scalar $block->get($_) } qw(error_log grep_error_log
            shutdown_error_log)];
}


sub wait_port {
    my ($name) = @_;

    my $up = wait_until(sub {
        return -1 if !alive($Server{pid});
        return IO::Socket::INET->new(PeerAddr => $ServerAddr,
            PeerPort => $ServerPort, Timeout => 1) ? 1 : 0;
    }, 10 * slow());

    return if $up && $up == 1;
    bail_out("$name - nginx does not accept connections: ", last_words());
}


# ---- reload

sub reload {
    my ($block, $config) = @_;

    my $pid = $Server{pid};
    my %old = map { $_ => 1 } children($pid);
    my $fails = defined $block->get('reload_fails');

    # the old log stays open, so that nothing written to it escapes the sweep
    log_handle();
    $LogHandle{old} = delete $LogHandle{now};
    setup_root(1);
    prepare($block, $config, $ConfigVersion);

    kill USR1 => $pid;
    wait_until(sub { -e $ErrLogFile }, 5 * slow())
        or bail_out($block->name, ' - nginx does not reopen its log');
    kill HUP => $pid;

    my $done = wait_until(sub {
        return $fails ? 1 : -1
            if (read_file($ErrLogFile) // '') =~ /^\S+ \S+ \[emerg\]/m;
        return !$fails && version_served($block) && all_leaving(\%old);
    }, 15 * slow());

    sweep_file($LogHandle{old}, 'error.log') if $LogHandle{old};
    delete $LogHandle{old};
    $ErrLogPos = 0;
    charge($block);

    return if $done && $done > 0;
    Test::More::fail($block->name . ' - the reload had no effect');
    Test::More::diag(last_words());
}


sub all_leaving {
    my ($old) = @_;

    return !grep { $old->{$_} && cmdline($_) !~ /is shutting down/ }
        children($Server{pid});
}


# 20 in a row, for an old worker may still take every other connection

sub version_served {
    my ($block) = @_;

    for (1 .. 20) {
        return 0 if get_version($block) ne $ConfigVersion;
    }

    return 1;
}


sub get_version {
    my ($block) = @_;

    my $target = $ServerAddr . ':' . $ServerPort;

    if (use_http2($block)) {
        open my $out, '-|', 'curl', '--http2-prior-knowledge', '-s',
            '--max-time', 2, '-H', 'Host: Test-Nginx', "http://$target/ver"
            or return '';
        local $/;
        return <$out> // '';
    }

    my $sock = IO::Socket::INET->new(PeerAddr => $target, Timeout => 2)
        or return '';
    local $SIG{PIPE} = 'IGNORE';
    print {$sock} "GET /ver HTTP/1.0\r\nHost: Test-Nginx\r\n\r\n";
    my $text = do { local $/; <$sock> } // '';

    return $text =~ /\r\n\r\n(.*)/s ? $1 : '';
}


# ---- the story of a block's server

sub provide {
    my ($block, $config) = @_;

    lock_port();
    $ConfigVersion = join '', map { ('a' .. 'z')[rand 26] } 1 .. 12;

    if ($UseHup && $Server{pid} && running_pid()) {
        return reload($block, $config);
    }

    stop();
    setup_root(0);
    prepare($block, $config, $ConfigVersion);
    start($block);
}


# The configuration has to be refused.  Counts one test, as Test::Nginx does.

sub expect_death {
    my ($block, $config, $check_log) = @_;

    my $name = $block->name;
    my $expected = $block->get('must_die');

    lock_port();
    my @modes = ($UseHup, $UseValgrind);

    stop();
    ($UseHup, $UseValgrind) = ();
    setup_root(0);
    prepare($block, $config, $ConfigVersion);
    charge($block);
    $ErrLogPos = 0;

    for my $i (0 .. $RepeatEach - 1) {
        my $status = run_nginx(0);

        if ($status == -1 || $status & 127) {
            Test::More::fail("$name - nginx did not end by itself");
        } elsif (looks_like_number($expected)) {
            Test::More::is($status >> 8, $expected,
                "$name - die with the expected exit code");
        } else {
            Test::More::isnt($status, 0, "$name - die as expected");
        }

        adopt($name) if $status == 0;
        $check_log->($i);
        stop() if $status == 0;
    }

    sweep();
    ($UseHup, $UseValgrind) = @modes;
}


# two runs on one port would stop each other's nginx

sub lock_port {
    return if $Lock || $Randomize;

    my $path = File::Spec->tmpdir . "/test-nginx-$>-" . $ServerPort
        . '.lock';
    open $Lock, '>>', $path or bail_out("cannot open $path: $!");

    my $got = wait_until(sub { flock $Lock, LOCK_EX | LOCK_NB }, 60);
    bail_out('port ', $ServerPort, ' is used by another test run;',
        ' set TEST_NGINX_RANDOMIZE=1') if !$got;
}


# ---- logs

sub log_handle {
    my $path = $ErrLogFile;

    return $LogHandle{now} if $LogHandle{now};
    open $LogHandle{now}, '<:raw', $path or delete $LogHandle{now};

    return $LogHandle{now};
}


sub log_size {
    return -s $ErrLogFile // 0;
}


# the lines since the last look of this block

sub new_log_text {
    my ($from) = @_;

    open my $in, '<:raw', $ErrLogFile or return '';
    seek $in, $from // $ErrLogPos, 0;
    local $/;

    return <$in> // '';
}


sub log_pos {
    my ($pos) = @_;

    $ErrLogPos = $pos if defined $pos;
    return $ErrLogPos;
}


sub sweep_file {
    my ($handle, $what) = @_;

    my $text = do { local $/; <$handle> } // '';

    for my $line (bad_lines($text, allow => $Server{allow},
            emerg => $Server{must_die}))
    {
        Test::More::fail("$Server{name} - unexpected in $what");
        Test::More::diag($line);
    }
}


# Called between blocks and after every stop.

sub sweep {
    my $handle = log_handle();

    sweep_file($handle, 'error.log') if $handle;
    delete $LogHandle{now} if !alive($Server{pid});

    if (open my $in, '<:raw', scratch() . '/stderr') {
        sweep_file($in, 'stderr');
        close $in;
        truncate scratch() . '/stderr', 0;
    }

    for my $report (valgrind_reports(scratch()),
            sanitizer_reports(\%SeenReports))
    {
        Test::More::fail("$Server{name} - valgrind or sanitizer report");
        Test::More::diag($report);
    }
}


sub check_alive {
    my ($name) = @_;

    return if !$Server{pid} || alive($Server{pid});

    Test::More::fail("$name - nginx $Server{pid} is gone");
    $Server{pid} = 0;
    sweep();
}


# an nginx left by an earlier run that was killed, or by TEST_NGINX_NO_CLEAN

sub take_over {
    return if $Started++;

    # reports of an earlier run are not ours
    sanitizer_reports(\%SeenReports);

    lock_port();
    stop() if running_pid();
    $Server{name} = '';
    unlink $PidFile, $ErrLogFile;
    %LogHandle = ();
}


sub error_log_copy {
    my ($title) = @_;

    my $target = $ENV{TEST_NGINX_ERROR_LOG} or return;

    open my $out, '>>:raw', $target
        or bail_out("cannot append to $target: $!");
    print {$out} "\n=== $title\n", read_file($ErrLogFile) // '';
    close $out;
}


sub remove_root {
    remove_tree($ServRoot) if $ServRoot =~ m{/t/servroot_\d+\z};
}


1;
