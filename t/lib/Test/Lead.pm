# Copyright (C) the ngx_lead authors
#
# Life tests: an nginx with a master and workers in a directory of its own, to
# be reloaded, killed, asked and looked at step by step.
#
#     my $t = Test::Lead->new(workers => 2, conf => <<'_EOC_');
#     http { server { listen 127.0.0.1:%%PORT%%; return 200 ok; } }
#     _EOC_
#     $t->start;
#     is($t->http('GET', '/')->{status}, 200);
#     $t->quit;
#     $t->check_end;
#
# %%PORT%%, %%PORT2%% ... are free ports, %%DIR%% is the directory.  The object
# owns the master it starts, as its child, and signals only that and its
# children.

package Test::Lead;

use strict;
use warnings;

use Exporter 'import';
use File::Path qw(make_path);
use File::Spec ();
use File::Temp ();
use Scalar::Util ();
use Test::More ();

use Test::Lead::Http ();
use Test::Lead::Process qw(alive children cmdline find_program free_port
    nginx_env spawn run_program stop_pid bad_lines slow valgrind
    valgrind_reports sanitizer_reports);

our @EXPORT_OK = qw(wait_until);

my ($MainPid, %Live, %Ports) = ($$);

$SIG{$_} //= sub { exit 130 } for qw(INT TERM HUP PIPE);


# Options: conf, workers, log_level, user, files {name => text}, dir (an
# existing directory, left in place), globals (more lines at the top), ping (the
# path asked to see whether nginx answers), connections (of a worker).

sub new {
    my ($class, %opt) = @_;

    my $self = bless { workers => 1, log_level => 'info', ports => {},
        ping => '/', connections => 512, allow => [], seen => {}, owner => $$, %opt }, $class;

    if (!defined $self->{dir}) {
        $self->{temp} = File::Temp->newdir('lead-test-XXXXXX', TMPDIR => 1,
            CLEANUP => !$ENV{TEST_NGINX_NO_CLEAN});
        $self->{dir} = $self->{temp}->dirname;
    }

    # a worker of another user has to get in
    chmod 0755, $self->{dir} if !defined $opt{dir};
    make_path("$self->{dir}/valgrind");
    sanitizer_reports($self->{seen});

    $self->write_file($_, $self->{files}{$_}) for sort keys %{ $opt{files} };
    $self->write_conf($self->{conf}) if defined $self->{conf};

    $Live{ Scalar::Util::refaddr($self) } = $self;
    Scalar::Util::weaken($Live{ Scalar::Util::refaddr($self) });

    return $self;
}


sub dir {
    my ($self) = @_;

    return $self->{dir};
}


sub port {
    my ($self, $n) = @_;

    return $self->{ports}{ $n // 1 } //= free_port(\%Ports);
}


# ---- files and configuration

sub expand {
    my ($self, $text) = @_;

    $text =~ s/%%DIR%%/$self->{dir}/g;
    $text =~ s/%%PORT(\d*)%%/$self->port($1 || 1)/ge;

    return $text;
}


sub path {
    my ($self, $name) = @_;

    return $name =~ m{^/} ? $name : "$self->{dir}/$name";
}


sub write_file {
    my ($self, $name, $text) = @_;

    my $path = $self->path($name);

    make_path($path =~ m{(.*)/});
    Test::Lead::Process::write_file($path, $self->expand($text));

    return $path;
}


sub read_file {
    my ($self, $name) = @_;

    return Test::Lead::Process::read_file($self->path($name));
}


# What nginx needs to stay inside the directory is added where the text does
# not say it itself.

sub write_conf {
    my ($self, $conf) = @_;

    my $dir = $self->{dir};
    my $user = $self->{user} // ($> == 0 ? 'root' : undef);
    my @modules = split ' ', $ENV{TEST_NGINX_LOAD_MODULES} // '';

    my $globals = join '', map { "$_\n" }
        (map { 'load_module ' . File::Spec->rel2abs($_) . ';' } @modules),
        'daemon off;', 'master_process on;', "pid $dir/nginx.pid;",
        "worker_processes $self->{workers};",
        "error_log $dir/error.log $self->{log_level};",
        ($user ? "user $user;" : ()),
        (map { "env $_;" } qw(LD_PRELOAD ASAN_OPTIONS UBSAN_OPTIONS
            TSAN_OPTIONS)),
        $self->{globals} // ();

    my $http = join '', "    access_log $dir/access.log;\n", map {
        "    ${_}_temp_path $dir/${_}_temp;\n"
    } grep { $conf !~ /\b${_}_temp_path\b/ }
        qw(client_body proxy fastcgi uwsgi scgi);

    $conf =~ s/^(\s*http\s*\{)/$1\n$http/m;
    $conf .= "\nevents { worker_connections $self->{connections}; }\n"
        if $conf !~ /^\s*events\b/m;

    $self->{conf} = $conf;
    return $self->write_file('nginx.conf', $globals . $conf);
}


# ---- processes

sub binary {
    my $name = $ENV{TEST_NGINX_BINARY} || 'nginx';

    return find_program($name) // die "cannot find $name\n";
}


sub command {
    my ($self) = @_;

    return (binary(), '-p', "$self->{dir}/", '-e', "$self->{dir}/error.log",
        '-c', "$self->{dir}/nginx.conf");
}


# nginx -t: (true if it passed, what it said); options of spawn may follow

sub test_conf {
    my ($self, %opt) = @_;

    my $file = "$self->{dir}/test_conf.out";
    unlink $file;

    my $status = run_program([$self->command, '-t'], stderr => $file,
        env => nginx_env(), dir => $self->{dir}, %opt);

    return ($status == 0, Test::Lead::Process::read_file($file) // '');
}


sub start {
    my ($self) = @_;

    return $self if $self->try_start;
    die "nginx does not start: " . $self->said . "\n";
}


# false where nginx ends by itself; said() then tells why

sub try_start {
    my ($self) = @_;

    die "nginx runs already\n" if alive($self->{master});

    my @valgrind = valgrind("$self->{dir}/valgrind");
    $valgrind[0] = find_program('valgrind') // die "no valgrind here\n"
        if @valgrind;

    unlink "$self->{dir}/nginx.pid";
    $self->{master} = spawn([@valgrind, $self->command],
        stderr => "$self->{dir}/stderr", env => nginx_env(),
        dir => $self->{dir});

    my $up = wait_until(sub {
        return -1 if !alive($self->{master});
        return -s "$self->{dir}/nginx.pid" && $self->workers
            >= $self->{workers} && $self->answers;
    }, 20 * slow());

    return 1 if $up && $up > 0;

    $self->stop if alive($self->{master});
    $self->{master} = 0;
    return 0;
}


sub said {
    my ($self) = @_;

    return ($self->read_file('stderr') // '') . $self->log;
}


# A worker answers on the first port; to connect would prove nothing, the kernel
# accepts for a dead one.  Where the conf has no port nobody is asked.

sub answers {
    my ($self) = @_;

    my $port = $self->{ports}{1} or return 1;
    my $c = Test::Lead::Http->new(port => $port, timeout => 1) or return 0;

    $c->request('GET', $self->{ping}) or return 0;

    return $c->response(slow()) ? 1 : 0;
}


sub master {
    my ($self) = @_;

    return $self->{master};
}


# What a child of the master is: 'worker', 'leaving', or ''.  Valgrind hides the
# titles nginx gives its processes, so there the log is asked, from "notice" on.

sub role {
    my ($self, $pid) = @_;

    if ($ENV{TEST_NGINX_USE_VALGRIND}) {
        my $log = $self->log;
        return $log !~ /: start worker process $pid$/m ? ''
            : $log =~ / $pid#\d+: gracefully shutting down$/m ? 'leaving'
            : 'worker';
    }

    my $title = cmdline($pid);

    return $title =~ /worker process\s*$/ ? 'worker'
        : $title =~ /worker process is shutting down/ ? 'leaving' : '';
}


# workers that take requests; those of an old generation are leaving()

sub workers {
    my ($self) = @_;

    my @pids = alive($self->{master}) ? children($self->{master}) : ();

    return grep { $self->role($_) eq 'worker' } @pids;
}


sub leaving {
    my ($self) = @_;

    my @pids = alive($self->{master}) ? children($self->{master}) : ();

    return grep { $self->role($_) eq 'leaving' } @pids;
}


# True when a full new generation answers and no old worker takes connections;
# false when nginx has refused the new configuration, or out of time.

sub reload {
    my ($self, $timeout) = @_;

    my %old = map { $_ => 1 } $self->workers;
    my $from = length $self->log;

    kill HUP => $self->{master};

    my $done = wait_until(sub {
        return -1 if substr($self->log, $from) =~ /\[emerg\]/;
        my @now = $self->workers;
        return @now >= $self->{workers} && !grep({ $old{$_} } @now)
            && $self->answers;
    }, $timeout // 15 * slow());

    return $done && $done > 0 ? 1 : 0;
}


# Kills one worker (the first, or the pid given) and waits until it is gone and
# replaced.  The alert that this causes is allowed, for this pid only.

sub kill_worker {
    my ($self, $signal, $pid) = @_;

    my %workers = map { $_ => 1 } $self->workers, $self->leaving;
    $pid //= ($self->workers)[0];
    die "not a worker of ours\n" if !$pid || !$workers{$pid};
    my $want = $self->workers;

    $self->allow(qr/\bworker process $pid exited on signal/);
    kill $signal // 'KILL', $pid;

    wait_until(sub { !alive($pid) }, 10 * slow()) or return 0;
    wait_until(sub { $self->workers >= $want && $self->answers },
        10 * slow()) or return 0;

    return $pid;
}


# Kills the master.  After KILL the workers live on, orphaned: they are
# returned, and remembered to be stopped at the end.

sub kill_master {
    my ($self, $signal) = @_;

    my @workers = children($self->{master});
    my $pid = $self->{master};

    kill $signal // 'KILL', $pid;
    wait_until(sub { !alive($pid) }, 10 * slow());
    $self->{orphans} = [@{ $self->{orphans} // [] }, @workers];

    return grep { alive($_) } @workers;
}


# Only pids that still are nginx workers of nobody: a pid may be used again.  One
# that is dying has no command line any more, but may have its sockets.

sub orphans {
    my ($self) = @_;

    return grep { alive($_) && cmdline($_) =~ /^(?:nginx: |\z)|valgrind/ }
        @{ $self->{orphans} // [] };
}


sub stop_orphans {
    my ($self, $signal) = @_;

    my @left = $self->orphans or return;

    kill $signal // 'TERM', @left;
    wait_until(sub { !$self->orphans }, 5 * slow());
    kill KILL => $self->orphans;
    wait_until(sub { !$self->orphans }, 5);
    $self->{orphans} = [];
}


# graceful; true if nginx left by itself in time

sub quit {
    my ($self, $timeout) = @_;

    return 1 if !alive($self->{master});

    my $by = stop_pid($self->{master}, QUIT => $timeout // 10 * slow(),
        TERM => 5 * slow(), KILL => 5);

    return ($by // '') eq 'QUIT' ? 1 : 0;
}


sub stop {
    my ($self) = @_;

    stop_pid($self->{master}, TERM => 5 * slow(), KILL => 5)
        if alive($self->{master});
    $self->stop_orphans;
}


# ---- logs

sub log {
    my ($self) = @_;

    return $self->read_file('error.log') // '';
}


# a position to pass to wait_for_log

sub log_mark {
    my ($self) = @_;

    return length $self->log;
}


# the match's text, or undef after the timeout

sub wait_for_log {
    my ($self, $pattern, $timeout, $mark) = @_;

    my $found;
    wait_until(sub {
        my $log = $self->log;
        return 0 if substr($log, $mark // 0) !~ /$pattern/;
        $found = $&;
        return 1;
    }, $timeout // 5 * slow());

    return $found;
}


sub wait_until {
    my @args = grep { !Scalar::Util::blessed($_) } @_;

    return Test::Lead::Process::wait_until(@args);
}


# strings or regexps of lines that this test causes on purpose

sub allow {
    my ($self, @patterns) = @_;

    push @{ $self->{allow} }, @patterns;
}


# One test: nothing in the logs that must not be there, no core, no report.
# Stops nginx first, for leaving is part of life.

sub check_end {
    my ($self, $name) = @_;

    $self->quit or push @{ $self->{bad} }, 'nginx did not leave on QUIT';
    $self->stop_orphans;
    $self->{ended} = 1;

    my @bad = (@{ $self->{bad} // [] },
        bad_lines($self->said, allow => $self->{allow}),
        map({ "core dump $_" } glob "$self->{dir}/core*"),
        valgrind_reports("$self->{dir}/valgrind"),
        sanitizer_reports($self->{seen}));

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    return Test::More::ok(!@bad, $name // 'no alerts, no reports, no core')
        || Test::More::diag(join "\n", @bad) && 0;
}


# ---- requests

sub connect {
    my ($self, %opt) = @_;

    return Test::Lead::Http->new(port => $self->port,
        timeout => 5 * slow(), %opt);
}


# One request on a connection of its own; always a hash, {error} if there was no
# answer.  Options: those of format_request, and port, timeout.

sub http {
    my ($self, $method, $path, $headers, $body, %opt) = @_;

    my $c = $self->connect(%opt) or return { status => 0,
        error => "connect: $!", headers => {}, body => '' };

    $c->request($method, $path, $headers, $body, %opt);

    return $c->response // { status => 0, error => $c->{error},
        headers => {}, body => '' };
}


# a request on its way, its answer unread: call response or abort on what comes

sub send_request {
    my ($self, $method, $path, $headers, $body, %opt) = @_;

    my $c = $self->connect(%opt) or return undef;
    $c->request($method, $path, $headers, $body, %opt) or return undef;

    return $c;
}


sub parallel {
    my ($self, $requests, %opt) = @_;

    return Test::Lead::Http::parallel($requests, port => $self->port,
        timeout => 30 * slow(), %opt);
}


# (exit code, stdout, stderr); -1 where it did not end by itself

sub leadctl {
    my ($self, @args) = @_;

    my $tool = find_program($ENV{LEADCTL} || 'build/leadctl')
        // die "no leadctl: set LEADCTL\n";
    my $file = "$self->{dir}/leadctl";

    unlink "$file.out", "$file.err";
    my $status = run_program([$tool, @args], stdout => "$file.out",
        stderr => "$file.err", timeout => 60 * slow());

    return ($status == -1 || $status & 127 ? -1 : $status >> 8,
        map { Test::Lead::Process::read_file("$file.$_") // '' }
            qw(out err));
}


# ---- the end

sub DESTROY {
    my ($self) = @_;

    return if $self->{owner} != $$;

    local ($?, $@, $!);
    delete $Live{ Scalar::Util::refaddr($self) };
    $self->stop;
}


# also reached when a test dies; objects in globals would be destroyed too late

END {
    if ($$ == $MainPid) {
        local ($?, $@, $!);
        local $SIG{PIPE} = 'IGNORE';
        $_->stop for grep { defined } values %Live;
    }
}


1;
