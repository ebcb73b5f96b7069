# Copyright (C) the ngx_lead authors
#
# The settings of a test file and the small functions every part of the runner
# needs.  Names and defaults are those of Test::Nginx, for test files refer to
# them.  Nothing here starts a process or counts a test.

package Test::Nginx::Util;

use strict;
use warnings;

use Exporter 'import';
use File::Spec ();
use Test::More ();
use Test::Lead::Process qw(free_port slow);

our @EXPORT_OK = qw(bail_out expand_env fmt_str parse_time trim
    canon_version pattern_list quiet_seconds
    $RepeatEach $NoShuffle $NoLongString $NoRootLocation $Verbose $UseHup
    $UseHttp2 $UseValgrind $Randomize $LoadModules $EventType $PostponeOutput
    $CheckAccumErrLog $NginxBinary $Workers $WorkerConnections $WorkerUser
    $LogLevel $MasterProcessEnabled $Timeout $TestNginxSleep
    $ForceRestartOnTest $ServerAddr $ServerName $ServerPort
    $ServerPortForClient $ConfigPreamble $NginxVersion $NginxRawVersion
    $OpenSSLVersion $RandPorts @EnvToNginx @BlockPreprocessors
    @CleanupHandlers @TestCleanupHandlers @ResponseBodyChecks $ServRoot
    $LogDir $ErrLogFile $AccLogFile $PidFile $HtmlDir $ConfDir $ConfFile
    $CacheDir);

our $RepeatEach           = 1;
our $NoShuffle            = $ENV{TEST_NGINX_NO_SHUFFLE} || 0;
our $NoLongString;
our $NoRootLocation       = 0;
our $Verbose              = $ENV{TEST_NGINX_VERBOSE};
our $UseHup               = $ENV{TEST_NGINX_USE_HUP};
our $UseHttp2             = $ENV{TEST_NGINX_USE_HTTP2};
our $UseValgrind          = $ENV{TEST_NGINX_USE_VALGRIND};
our $Randomize            = $ENV{TEST_NGINX_RANDOMIZE};
our $LoadModules          = $ENV{TEST_NGINX_LOAD_MODULES};
our $EventType            = $ENV{TEST_NGINX_EVENT_TYPE};
our $PostponeOutput       = $ENV{TEST_NGINX_POSTPONE_OUTPUT};
our $CheckAccumErrLog     = $ENV{TEST_NGINX_CHECK_ACCUM_ERR_LOG};
our $NginxBinary          = $ENV{TEST_NGINX_BINARY} || 'nginx';
our $Workers              = 1;
our $WorkerConnections    = 64;
our $WorkerUser           = $ENV{TEST_NGINX_WORKER_USER};
our $LogLevel             = $ENV{TEST_NGINX_LOG_LEVEL} || 'debug';
our $MasterProcessEnabled = $ENV{TEST_NGINX_MASTER_PROCESS} || 'off';
our $Timeout              = $ENV{TEST_NGINX_TIMEOUT} || 3;
our $TestNginxSleep       = $ENV{TEST_NGINX_SLEEP} || 0.015;
our $ForceRestartOnTest   = $ENV{TEST_NGINX_FORCE_RESTART_ON_TEST} // 1;
our $ServerAddr           = '127.0.0.1';
our $ServerName           = 'localhost';
our $ConfigPreamble       = '';
our ($NginxVersion, $NginxRawVersion, $OpenSSLVersion);
our ($RandPorts, @EnvToNginx);
our (@BlockPreprocessors, @CleanupHandlers, @TestCleanupHandlers);
our @ResponseBodyChecks;

our $ServerPort = $ENV{TEST_NGINX_SERVER_PORT} || $ENV{TEST_NGINX_PORT}
                  || 1984;
our $ServerPortForClient = $ENV{TEST_NGINX_CLIENT_PORT} || $ServerPort;

our $ServRoot = $ENV{TEST_NGINX_SERVROOT} || 't/servroot';

if ($Randomize) {
    $ServerPort = $ServerPortForClient = free_port();
    $ServRoot = "t/servroot_$ServerPort";
}

$ServRoot = File::Spec->rel2abs($ServRoot);
$ENV{TEST_NGINX_SERVER_ROOT} = $ServRoot;

our $LogDir     = "$ServRoot/logs";
our $ErrLogFile = "$LogDir/error.log";
our $AccLogFile = "$LogDir/access.log";
our $PidFile    = "$LogDir/nginx.pid";
our $HtmlDir    = "$ServRoot/html";
our $ConfDir    = "$ServRoot/conf";
our $ConfFile   = "$ConfDir/nginx.conf";
our $CacheDir   = "$ServRoot/cache";

die "Bad value in the env TEST_NGINX_WORKER_USER: $WorkerUser\n"
    if defined $WorkerUser && $WorkerUser !~ /^\w[-\w]+(?:\s+\w[-\w]+)?\z/;


# nginx is stopped by the END block that the exit runs into

sub bail_out {
    Test::More::BAIL_OUT(join '', @_);
}


sub parse_time {
    my ($time) = @_;

    return undef if !defined $time;
    return $1 / 1000 if $time =~ /^\s*([\d.]+)ms\s*$/;
    return $1 if $time =~ /^\s*([\d.]+)s?\s*$/;

    bail_out("bad time: \"$time\"");
}


sub trim {
    my ($text) = @_;

    return undef if !defined $text;

    $text =~ s/^\s+|\s+$//g;
    $text =~ s/\s+/ /g;

    return $text;
}


sub fmt_str {
    my ($text) = @_;

    chomp $text;
    $text =~ s/\r/\\r/g;
    $text =~ s/\n/\\n/g;

    return $text;
}


sub canon_version {
    return sprintf '%d.%03d%03d', @_[0 .. 2];
}


# how long error.log has to stand still before it is taken as written: nginx
# logs some things of a request after the client has seen the end of it

sub quiet_seconds {
    return $TestNginxSleep * slow();
}


# $TEST_NGINX_NAME from the environment, $TEST_NGINX_RAND_PORT_n for the block

sub expand_env {
    my ($text, $name) = @_;

    return $text if !defined $text || ref $text;

    $text =~ s{\$(TEST_NGINX_[_A-Z0-9]+)}{
        my $key = $1;
        my $value;

        if ($key =~ /^TEST_NGINX_RAND_PORT_\d+\z/) {
            my %used = map { $_ => 1 } $ServerPort, values %$RandPorts;
            $value = $RandPorts->{$key} //= free_port(\%used);

        } else {
            $value = $ENV{$key};
        }

        bail_out("$name - No environment $key defined.")
            if !defined $value;
        $value
    }eg;

    return $text;
}


# a section of log patterns: lines, one regexp, or a list of both

sub pattern_list {
    my ($section) = @_;

    return () if !defined $section;
    return @$section if ref $section eq 'ARRAY';
    return ($section) if ref $section;

    return grep { length } split /\n+/, $section;
}


1;
