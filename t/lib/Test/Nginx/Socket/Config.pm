# Copyright (C) the ngx_lead authors
#
# What nginx finds on disk for a block: the server root, the block's files and
# the configuration around its sections.  Starts nothing and checks nothing; it
# writes below the server root, and elsewhere only where user_files says so.

package Test::Nginx::Socket::Config;

use strict;
use warnings;

use Exporter 'import';
use File::Find ();
use File::Path qw(make_path remove_tree);
use File::Spec ();

use Test::Lead::Process qw(write_file);
use Test::Nginx::Socket::Block ();
use Test::Nginx::Util qw(bail_out expand_env @EnvToNginx $AccLogFile $CacheDir
    $ConfDir $ConfFile $ConfigPreamble $ErrLogFile $EventType $HtmlDir
    $LoadModules $LogDir $LogLevel $MasterProcessEnabled $NginxVersion
    $NoRootLocation $PidFile $PostponeOutput $ServRoot $ServerAddr $ServerName
    $ServerPort $UseHttp2 $UseHup $UseValgrind $WorkerConnections $WorkerUser
    $Workers);

our @EXPORT_OK = qw(setup_root prepare use_http2);


# The rules of Test::Nginx, so that a test cannot rely on anything else: what is
# left in the root besides conf, logs, html, cache, *_temp and *_cache is a bug
# of the test.  Under HUP all files but the live ones go, directories stay.

sub setup_root {
    my ($hup) = @_;

    my $root = $ServRoot;

    if (-d $root) {
        remove_tree($ConfDir, glob("$root/*_cache"),
            glob("$root/*_temp"));

        if ($hup) {
            empty_root($root);

        } else {
            remove_tree($CacheDir, $HtmlDir, $LogDir);
            rmdir $root
                or bail_out("Can't remove $root (not empty?): $!; keep files"
                    . ' of a test in html/, logs/ or *_temp/');
        }
    }

    make_path($root, $LogDir, $HtmlDir, $ConfDir);
    write_file($HtmlDir . '/index.html', '<html><head><title>It works!'
        . '</title></head><body>It works!</body></html>');
}


sub empty_root {
    my ($root) = @_;

    File::Find::find({ no_chdir => 1, bydepth => 1, wanted => sub {
        return if -d $_ || /(?:\bnginx\.pid|\.sock|\.crt|\.key)\z/;
        unlink $_ or warn "cannot remove $_: $!\n";
    } }, $root);
}


sub user_files {
    my ($block) = @_;

    my $section = $block->get('user_files') or return ();
    return @$section if ref $section eq 'ARRAY';

    bail_out($block->name, ' - user_files: text or an array is needed')
        if ref $section;

    my @files;

    for my $line (split /^/, $section) {
        if ($line =~ /^>>> (\S+)(?:\s+(.+))?/) {
            push @files, [$1, '', $2];
        } elsif (@files) {
            $files[-1][1] .= $line;
        }
    }

    return @files;
}


sub write_user_files {
    my ($block) = @_;

    for my $file (user_files($block)) {
        my ($name, $body, $date) = @$file;
        my $path = $name =~ m{^/} ? $name : $HtmlDir . "/$name";

        make_path($path =~ m{(.*)/});
        write_file($path, expand_env($body // '', $block->name));

        if ($date) {
            local $ENV{TZ} = 'GMT';
            system('touch', '-t', $date =~ s/\s+\z//r, $path) == 0
                or bail_out($block->name, " - cannot set the date of $name");
        }
    }
}


sub http_part {
    my ($block, $config, $version) = @_;

    my $root = $ServRoot;
    my $http = expand_env($block->get('http_config'), $block->name) // '';
    my $port = $ServerAddr . ':' . $ServerPort;
    my $name = $block->get('server_name') // $ServerName;
    my $new = $NginxVersion >= 1.025001;
    my $http2 = !use_http2($block) ? '' : $new ? '; http2 on' : ' http2';

    $name =~ s/([\\'])/\\$1/g;

    my $paths = join '', map { "    ${_}_temp_path $root/${_}_temp;\n" }
        grep { $http !~ /\b${_}_temp_path\b/ }
        qw(client_body proxy fastcgi scgi uwsgi);

    my $postpone = $PostponeOutput;
    $paths .= "    postpone_output $postpone;\n"
        if defined $postpone && $http !~ /\bpostpone_output\b/;

    my $location = $NoRootLocation ? '' : <<_EOC_;

        location / {
            root  $HtmlDir;
            index index.html index.htm;
        }
_EOC_

    my $server = !$UseHup ? '' : <<_EOC_;

    server {
        listen      $port$http2;
        server_name 'Test-Nginx';

        location = /ver {
            return 200 '$version';
        }
    }
_EOC_

    return <<_EOC_;
http {
    access_log        $AccLogFile;
    default_type      text/plain;
    keepalive_timeout 68000ms;
$paths
$http

    server {
        listen               $port$http2;
        server_name          '$name';
        client_max_body_size 30M;

$ConfigPreamble

$config
$location    }
$server}
_EOC_
}


sub main_part {
    my ($block) = @_;

    my $file = expand_env($block->get('error_log_file') // $ErrLogFile,
        $block->name);
    my $level = $block->get('log_level') || $LogLevel;
    my $user = $WorkerUser // ($> == 0 ? 'root' : undef);
    my $master = $UseHup ? 'on' : $MasterProcessEnabled;
    my $daemon = $UseValgrind ? 'off' : 'on';

    my @env = map { /\s/ ? "'$_'" : $_ } @EnvToNginx;
    my @modules = map { -f $_ ? File::Spec->rel2abs($_) : $_ }
        split ' ', $LoadModules // '';

    $level =~ s/\s+//g;

    return join '', map { "$_\n" } "worker_processes $Workers;",
        "daemon $daemon;", "master_process $master;",
        "error_log $file $level;", "pid $PidFile;",
        (defined $user ? "user $user;" : ()),
        (map { "env $_;" } qw(LD_PRELOAD LD_LIBRARY_PATH ASAN_OPTIONS
            UBSAN_OPTIONS TSAN_OPTIONS), @env),
        (map { "load_module $_;" } @modules),
        expand_env($block->get('main_config'), $block->name) // '';
}


sub write_config {
    my ($block, $config, $version) = @_;

    my $post = expand_env($block->get('post_main_config'), $block->name) // '';
    my $use = $EventType ? "\n    use $EventType;" : '';

    write_file($ConfFile, join "\n", main_part($block),
        http_part($block, $config, $version), $post, <<_EOC_);
events {
    accept_mutex       off;
    worker_connections $WorkerConnections;$use
}
_EOC_
}


# HTTP/2 over clear text takes the whole port, so it is a matter of the block.

sub use_http2 {
    my ($block) = @_;

    return 0 if defined $block->get('no_http2');

    my $asked = defined $block->get('http2');
    return 0 if !$asked && !$UseHttp2;

    for my $section (qw(raw_request pipelined_requests)) {
        next if !defined $block->get($section);
        return 0 if !$asked;
        bail_out($block->name, " - cannot use http2 with $section");
    }

    return 1 if $asked;

    my $request = $block->get('request');
    return defined $request && (ref $request || $request !~ m{HTTP/1\.0})
        ? 1 : 0;
}


# all that nginx finds when it starts

sub prepare {
    my ($block, $config, $version) = @_;

    my $code = $block->get('post_setup_server_root');

    if ($code) {
        Test::Nginx::Socket::Block::eval_isolated($code);
        bail_out($block->name, " - post_setup_server_root failed: $@") if $@;
    }

    write_user_files($block);
    write_config($block, $config, $version);
}


1;
