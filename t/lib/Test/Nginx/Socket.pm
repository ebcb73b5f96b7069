# Copyright (C) the ngx_lead authors
#
# A stand-in for Test::Nginx::Socket, used where the real one is not installed:
# the same test files, functions, sections and counts for the subset this
# project uses, with core Perl alone.  A section of the real one that is missing
# here stops the run; it is never passed over.  Beyond the real one, whatever no
# block may leave behind (see Test::Lead::Process) fails it.
#
# The parts: Block (text to blocks), Config (files), Server (processes and
# logs), Request (the client), Check (the counted tests).

package Test::Nginx::Socket;

use strict;
use warnings;

use Carp ();
use List::Util ();
use Test::More ();
use Time::HiRes qw(sleep);

use Test::Nginx::Socket::Block ();
use Test::Nginx::Socket::Check ();
use Test::Nginx::Socket::Request ();
use Test::Nginx::Socket::Server ();
use Test::Nginx::Util qw(bail_out expand_env canon_version $RepeatEach
    $NoShuffle $NoLongString $NoRootLocation $Verbose $UseHup $UseValgrind
    $Randomize $CheckAccumErrLog $Workers $WorkerConnections $LogLevel
    $MasterProcessEnabled $Timeout $ForceRestartOnTest $ServerAddr $ServerName
    $ServerPort $ServerPortForClient $ConfigPreamble $NginxVersion
    $OpenSSLVersion $RandPorts @EnvToNginx @BlockPreprocessors
    @CleanupHandlers @TestCleanupHandlers @ResponseBodyChecks $ServRoot
    $HtmlDir);

my @FromMore = qw(ok is isnt like unlike is_deeply cmp_ok skip todo_skip pass
    fail eq_array eq_hash eq_set plan can_ok isa_ok diag use_ok);

my @FromCarp = qw(croak carp cluck confess);

my @Own = qw(add_block_preprocessor add_cleanup_handler
    add_response_body_check add_test_cleanup_handler bail_out blocks
    check_accum_error_log config_preamble env_to_nginx filters html_dir is_str
    log_level master_off master_on master_process_enabled no_diff
    no_long_string no_root_location no_shuffle repeat_each run_tests
    server_addr server_name server_port server_port_for_client server_root
    timeout use_hup worker_connections workers);

# known to Test::Nginx, checked by nobody here
my @Unsupported = qw(http3 http09 response_body_eval request_eval
    response_body_filters response_body_json_sort charset stap stap_out
    stap_out_like stap_out_unlike tcp_listen tcp_query tcp_reply udp_listen
    udp_query udp_reply no_mockeagain);

my ($PrevBlock, $PrevConfig, $CleanedUp);
my $MainPid = $$;


sub import {
    my ($class, @plan) = @_;

    my $to = caller;

    no strict 'refs';
    *{"${to}::$_"} = \&$_ for @Own;
    *{"${to}::$_"} = \&{"Test::More::$_"}
        for grep { defined &{"Test::More::$_"} } @FromMore;
    *{"${to}::$_"} = \&{"Carp::$_"} for @FromCarp;
    *{"${to}::TODO"} = \${"${to}::TODO"};

    strict->import;
    warnings->import;

    # a test that is told to go still stops its nginx
    $SIG{$_} //= sub { exit 130 } for qw(INT TERM HUP PIPE);

    Test::More->builder->exported_to($to);
    Test::More::plan(@plan) if @plan;
}


# ---- settings

sub no_shuffle       { $NoShuffle = 1 }
sub no_long_string   { $NoLongString = 1 }
sub no_diff          { }
sub no_root_location { $NoRootLocation = 1 }
sub use_hup          { $UseHup = 1 }
sub master_on        { $MasterProcessEnabled = 'on' }
sub master_off       { $MasterProcessEnabled = 'off' }
sub check_accum_error_log { $CheckAccumErrLog = 1 }
sub config_preamble  { $ConfigPreamble = $_[0] }
sub html_dir         { return $HtmlDir }
sub server_root      { return $ServRoot }

sub repeat_each        { return @_ ? $RepeatEach = $_[0] : $RepeatEach }
sub workers            { return @_ ? $Workers = $_[0] : $Workers }
sub worker_connections { return @_ ? $WorkerConnections = $_[0]
                                : $WorkerConnections }
sub log_level          { return @_ ? $LogLevel = $_[0] : $LogLevel }
sub timeout            { return @_ ? $Timeout = $_[0] : $Timeout }
sub server_addr        { return @_ ? $ServerAddr = $_[0] : $ServerAddr }
sub server_name        { return @_ ? $ServerName = $_[0] : $ServerName }
sub server_port        { return @_ ? $ServerPort = $_[0] : $ServerPort }
sub server_port_for_client {
    return @_ ? $ServerPortForClient = $_[0] : $ServerPortForClient;
}

sub add_block_preprocessor(&) { unshift @BlockPreprocessors, $_[0] }
sub add_cleanup_handler       { unshift @CleanupHandlers, $_[0] }
sub add_test_cleanup_handler  { unshift @TestCleanupHandlers, $_[0] }
sub add_response_body_check   { push @ResponseBodyChecks, $_[0] }


sub master_process_enabled {
    $MasterProcessEnabled = $_[0] ? 'on' : 'off' if @_;

    return $MasterProcessEnabled;
}


sub env_to_nginx {
    Carp::croak('env_to_nginx: no arguments specified') if !@_;

    for my $entry (@_) {
        Carp::croak("env_to_nginx: bad argument value: $entry")
            if $entry !~ /^[A-Za-z_]/ || $entry =~ /\n/;
        push @EnvToNginx, $entry;
    }
}


sub blocks {
    my @args = grep { !ref && $_ ne __PACKAGE__ } @_;

    return Test::Nginx::Socket::Block::blocks(@args);
}


sub filters {
    return Test::Nginx::Socket::Block::filters(@_);
}


sub is_str {
    local $Test::Builder::Level = $Test::Builder::Level + 1;

    return Test::Nginx::Socket::Check::is_str(@_);
}


# ---- the run

sub run_tests {
    srand;
    Test::Nginx::Socket::Server::find_version();
    $ENV{TEST_NGINX_SERVER_PORT} = $ServerPort
        if $Randomize || !defined $ENV{TEST_NGINX_SERVER_PORT};

    my @blocks = blocks();
    Test::Nginx::Socket::Server::take_over();

    for my $block ($NoShuffle ? @blocks : List::Util::shuffle(@blocks)) {
        $_->($block) for @BlockPreprocessors;
        $block->set_value('name', "$0 " . $block->name);

        run_block($block);

        $_->($block) for @TestCleanupHandlers;
    }

    finish();
}


sub run_block {
    my ($block) = @_;

    my $name = $block->name;

    for my $section (@Unsupported) {
        bail_out("$name - section $section is not known to this runner")
            if defined $block->get($section);
    }

    return if defined $block->get('SKIP');

    $RandPorts = {};
    my $config = expand_env($block->get('config'), $name);
    my ($skip, $skip_reason) = should_skip($block);
    my ($todo, $todo_reason) = should_todo($block);

    if (defined $skip) {
        for (1 .. $RepeatEach) {
            SKIP: { Test::More::skip("$name - $skip_reason", $skip) }
        }
        return;
    }

    return run_must_die($block, $config)
        if defined $block->get('must_die') && needs_start($block, $config);

    provide($block, $config) if needs_start($block, $config);
    run_init($block);

    Test::Nginx::Socket::Server::log_pos(0);

    for my $repeated (0 .. $RepeatEach - 1) {
        Test::Nginx::Socket::Config::write_user_files($block)
            if $repeated;

        if (defined $todo) {
            TODO: { Test::More::todo_skip("$name - $todo_reason", $todo) }
        } else {
            run_requests($block, $repeated);
        }
    }

    Test::Nginx::Socket::Server::check_alive($name);
    Test::Nginx::Socket::Server::error_log_copy("$0 $name");
    stop() if $UseValgrind && !$UseHup;
    Test::Nginx::Socket::Server::sweep();
}


# Without a config section the server of the block before is asked again.

sub needs_start {
    my ($block, $config) = @_;

    if (!defined $config) {
        bail_out($block->name, " - No '--- config' section specified and could"
            . ' not get previous one') if !defined $PrevConfig;
        return 0;
    }

    return $ForceRestartOnTest || !defined $PrevConfig
        || $config ne $PrevConfig;
}


sub provide {
    my ($block, $config) = @_;

    stop() if !$UseHup;
    Test::Nginx::Socket::Server::provide($block, $config);
    Test::Nginx::Socket::Check::shutdown_log($PrevBlock, 1)
        if $PrevBlock && $UseHup;

    ($PrevBlock, $PrevConfig) = ($block, $config);
}


sub run_must_die {
    my ($block, $config) = @_;

    stop();
    Test::Nginx::Socket::Server::log_pos(0);
    Test::Nginx::Socket::Server::expect_death($block, $config, sub {
        Test::Nginx::Socket::Check::error_log($block, $_[0]);
    });
    Test::Nginx::Socket::Server::error_log_copy("$0 " . $block->name);

    $PrevConfig = $config;
}


sub run_init {
    my ($block) = @_;

    my $code = $block->get('init') or return;

    Test::Nginx::Socket::Block::eval_isolated($code);
    bail_out($block->name, " - init failed: $@") if $@;
}


sub run_requests {
    my ($block, $repeated) = @_;

    my @requests = Test::Nginx::Socket::Request::requests($block);
    my $pipelined = $block->get('pipelined_requests');
    my $ignore = defined $block->get('ignore_response');
    my $count = $pipelined ? @$pipelined : @requests;

    my %at = (repeated => $repeated, many => $pipelined || @requests > 1);
    my ($text, $head) = ('', 0);

    for my $i (0 .. $count - 1) {
        $at{request} = $i;

        if ($i < @requests) {
            ($text, $head) = Test::Nginx::Socket::Request::send_request(
                $block, $requests[$i]);
            warn "!!! resp: [$text]\n" if $Verbose;
        }

        if (!$ignore) {
            $text = check_answer($block, $text, $head, \%at);
        }

        sleep $block->get('wait') if $block->get('wait');
        Test::Nginx::Socket::Check::error_log($block, $repeated);
        Test::Nginx::Socket::Check::access_log($block, $repeated)
            if !$ignore;
    }

    warn 'WARNING: ', $block->name, " - unexpected extra bytes: $text\n"
        if !$ignore && length $text;
}


# Returns what follows the answer: the next one, when they are pipelined.

sub check_answer {
    my ($block, $text, $head, $at) = @_;

    my ($res, $left) = Test::Nginx::Socket::Request::parse_response(
        $block->name, $text, $head);

    Test::Nginx::Socket::Check::error_code($block, $res, $at);
    Test::Nginx::Socket::Check::raw_headers($block, $res, $at);
    Test::Nginx::Socket::Check::headers($block, $res, $at);
    Test::Nginx::Socket::Check::body($block, $res, $at);

    return $left;
}


# ---- skip and todo

sub compare_version {
    my ($op, @version) = @_;

    my $order = $NginxVersion <=> canon_version(@version);

    return $op eq '<' ? $order < 0 : $op eq '<=' ? $order <= 0
        : $op eq '>' ? $order > 0 : $order >= 0;
}


# Returns the number of tests to skip and the reason, or nothing.

sub should_skip {
    my ($block) = @_;

    my $code = $block->get('skip_eval');

    if (defined $code && $code =~ /^\s*(\d+)\s*:\s*(.*)/s) {
        my $count = $1;
        my $skip = Test::Nginx::Socket::Block::eval_isolated($2);
        bail_out($block->name, " - skip_eval failed: $@") if $@;
        return ($count, 'skip_eval') if $skip;
    }

    my $spec = $block->get('skip_nginx') // return;

    $spec =~ /^\s*(\d+)\s*:\s*([<>]=?)\s*(\d+)\.(\d+)\.(\d+)
              (?:\s*:\s*(.*?))?\s*$/x
        or bail_out($block->name, " - Invalid --- skip_nginx spec: $spec");

    return compare_version($2, $3, $4, $5)
        ? ($1, $6 || "nginx version $2 $3.$4.$5") : ();
}


sub should_todo {
    my ($block) = @_;

    my $spec = $block->get('todo') // return;

    $spec =~ /^\s*(\d+)\s*:\s*(.*?)\s*$/s
        or bail_out($block->name, " - Invalid --- todo spec: $spec");

    return ($1, $2 || 'various reasons');
}


# ---- the end

sub stop {
    Test::Nginx::Socket::Server::stop();

    Test::Nginx::Socket::Check::shutdown_log($PrevBlock) if $PrevBlock;
    $PrevBlock = undef;
}


sub finish {
    return if $CleanedUp++;

    $_->() for @CleanupHandlers;

    if ($ENV{TEST_NGINX_NO_CLEAN} && !$UseValgrind) {
        Test::Nginx::Socket::Server::sweep();
        return;
    }

    if ($UseHup && $PrevBlock) {
        Test::Nginx::Socket::Check::shutdown_log($PrevBlock, 1);
        $PrevBlock = undef;
    }

    stop();
}


# also reached when a test file dies halfway

END {
    if ($$ == $MainPid) {
        local ($?, $@, $!);
        local $SIG{PIPE} = 'IGNORE';

        finish();
        Test::Nginx::Socket::Server::remove_root() if $Randomize;
    }
}


1;
