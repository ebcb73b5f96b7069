# Copyright (C) the ngx_lead authors
#
# The test runner under test, with nothing but a stock nginx: suites that must
# pass, with their exact number of tests, and suites that must fail, each for
# one reason.  Every suite is a process of its own; none may leave an nginx.

use strict;
use warnings;

use File::Temp ();
use FindBin ();
use Test::More;

use lib "$FindBin::Bin/lib";
use Test::Lead::Process qw(alive cmdline read_file run_program write_file
    find_program);

my $Tmp = File::Temp->newdir('runner-XXXXXX', TMPDIR => 1);
my $Lib = "$FindBin::Bin/lib";

# this is about the runner: no module, no mode of the outer run
delete @ENV{ grep { /^(?:TEST_NGINX_(?!BINARY)|HARNESS_|PERL_TEST_)/ }
    keys %ENV };

my $Head = <<'_EOC_';
use Test::Nginx::Socket 'no_plan';
no_shuffle();
no_root_location();
_EOC_


# Runs a suite; returns its exit code and all it said.

my $Suite = 0;

sub run_suite {
    my ($head, $blocks, %env) = @_;

    my $root = "$Tmp/" . ++$Suite;
    mkdir $root or die "cannot make $root: $!\n";
    mkdir "$root/t" or die "cannot make $root/t: $!\n";
    write_file("$root/t/suite.t", "$head\n__DATA__\n\n$blocks");

    my $status = run_program([$^X, "-I$Lib", 't/suite.t'], dir => $root,
        env => { TEST_NGINX_RANDOMIZE => 1, %env },
        stdout => "$root/out", stderr => "$root/out", timeout => 30);

    return ($status == -1 ? -1 : $status >> 8, read_file("$root/out"), $root);
}


sub nginx_left {
    my ($root) = @_;

    opendir my $proc, '/proc' or die "cannot read /proc: $!\n";

    return grep { index(cmdline($_), $root) >= 0 && alive($_) }
        grep { /^\d+\z/ } readdir $proc;
}


sub passes {
    my ($name, $count, @suite) = @_;

    my ($code, $out, $root) = run_suite(@suite);
    my @ok = $out =~ /^ok \d+/mg;

    ok($code == 0 && @ok == $count && $out =~ /^1\.\.$count$/m
        && $out !~ /^not ok/m, "$name: passes with $count tests")
        or diag("exit code $code, " . @ok . " passed\n",
            $out =~ s/^ok .*\n//mgr);
    is(scalar nginx_left($root), 0, "$name: no nginx left");
}


sub fails {
    my ($name, $why, @suite) = @_;

    my ($code, $out, $root) = run_suite(@suite);

    ok($code != 0 && $out =~ $why, "$name: fails")
        or diag("exit code $code, wanted $why\n$out");
    is(scalar nginx_left($root), 0, "$name: no nginx left");
}


my $Sane = do { local $/; <DATA> };

my $Count = 0;
$Count += $_ for $Sane =~ /^=== \S+ (\d+)/mg;

passes('plain', $Count, "$Head run_tests();", $Sane);
passes('shuffled, twice', 2 * $Count,
    "use Test::Nginx::Socket; repeat_each(2); no_long_string();
    no_root_location();
    plan tests => repeat_each() * $Count; run_tests();", $Sane);
passes('reloaded', $Count, "$Head run_tests();", $Sane,
    TEST_NGINX_USE_HUP => 1);
passes('with a master', $Count, "$Head master_on(); workers(2);
    run_tests();", $Sane);

passes('settings', 6, $Head . <<'_EOC_', <<'_EOT_');
env_to_nginx('COLOUR=green');
log_level('info');
worker_connections(32);
config_preamble('location /pre { return 200 "pre\n"; }');
add_block_preprocessor(sub {
    my ($block) = @_;
    $block->set_value('request', 'GET /pre') if !defined $block->request;
});
add_response_body_check(sub {
    my ($block, $body) = @_;
    is(length $body, $block->body_length, 'own check') if $block->body_length;
});
run_tests();
_EOC_
=== one
--- config
--- response_body
pre
--- body_length: 4

=== two
--- config
    location / { return 200 "two\n"; }
--- request
GET /two
--- response_body
two
--- no_error_log
[debug]
_EOT_

passes('shutdown log', 3, "$Head run_tests();", <<'_EOT_');
=== one
--- config
--- request
GET /
--- shutdown_error_log
exit
--- no_shutdown_error_log
http request line
_EOT_

passes('ONLY', 1, "$Head run_tests();", <<'_EOT_');
=== one
--- config
--- request
GET /none

=== two
--- config
--- request
GET /
--- ONLY
_EOT_

passes('LAST and SKIP', 1, "$Head run_tests();", <<'_EOT_');
=== one
--- SKIP
--- config
--- request
GET /none

=== two
--- config
--- request
GET /
--- LAST

=== three
--- config
--- request
GET /none
_EOT_

SKIP: {
    skip 'no curl', 2 if !find_program('curl');

    passes('HTTP/2', 3, "$Head run_tests();", <<'_EOT_');
=== one
--- http2
--- config
    location / { return 200 "$server_protocol $request_method $http_x_a\n"; }
--- request
GET /
--- more_headers
X-A: 1
--- response_body
HTTP/2.0 GET 1
--- no_error_log
[error]
_EOT_
}


# ---- suites that must fail

my %Failing = (
    'wrong status' => [qr/^not ok .* status code ok/m, <<'_EOT_'],
--- request
GET /none
_EOT_

    'wrong body' => [qr/^not ok .* response_body/m, <<'_EOT_'],
--- response_body
something else
_EOT_

    'body not like' => [qr/^not ok .* response_body_like/m, <<'_EOT_'],
--- response_body_like: nope
_EOT_

    'body like the unlike' => [qr/^not ok .* response_body_unlike/m, <<'_EOT_'],
--- response_body_unlike: works
_EOT_

    'wrong header' => [qr/^not ok .* header Server ok/m, <<'_EOT_'],
--- response_headers
Server: other
_EOT_

    'header there' => [qr/^not ok .* header Server not present/m, <<'_EOT_'],
--- response_headers
!Server
_EOT_

    'header not like' => [qr/^not ok .* header Server like ok/m, <<'_EOT_'],
--- response_headers_like
Server: ngin
_EOT_

    'raw header' => [qr/^not ok .* raw resp headers like/m, <<'_EOT_'],
--- raw_response_headers_like: X-None
_EOT_

    'log line missing' => [qr/^not ok .* "never logged" should/m, <<'_EOT_'],
--- error_log
never logged
_EOT_

    'log line there' => [qr/^not ok .* "http request line" should not/m,
        <<'_EOT_'],
--- no_error_log
http request line
_EOT_

    'grep_error_log' => [qr/^not ok .* grep_error_log_out/m, <<'_EOT_'],
--- grep_error_log eval: qr/http request line/
--- grep_error_log_out
_EOT_

    'lives on' => [qr/^not ok .* die as expected/m, "--- must_die\n"],

    'wrong exit code' => [qr/^not ok .* die with the expected exit code/m,
        "--- must_die: 3\n--- config\n    nonsense;\n"],

    'timeout' => [qr/^not ok .* client socket timed out/m, <<'_EOT_'],
--- timeout: 0.2
--- raw_request eval
"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
_EOT_

    'alert' => [qr/^not ok .* unexpected in error\.log/m, <<'_EOT_'],
--- init
open my $log, '>>', "$ENV{TEST_NGINX_SERVER_ROOT}/logs/error.log" or die;
print $log "2026/01/01 00:00:00 [alert] 1#1: open socket #3 left\n";
close $log;
_EOT_

    'assertion' => [qr/^not ok .* unexpected in error\.log/m, <<'_EOT_'],
--- init
open my $log, '>>', "$ENV{TEST_NGINX_SERVER_ROOT}/logs/error.log" or die;
print $log "nginx: a.c:1: f: Assertion `x' failed.\n";
close $log;
_EOT_

    'sanitizer' => [qr/^not ok .* unexpected in error\.log/m, <<'_EOT_'],
--- init
open my $log, '>>', "$ENV{TEST_NGINX_SERVER_ROOT}/logs/error.log" or die;
print $log "==1==ERROR: AddressSanitizer: heap-use-after-free\n    #0 f\n";
close $log;
_EOT_

    'process gone' => [qr/^not ok .* nginx \d+ is gone/m, <<'_EOT_'],
--- request
GET /
--- ignore_response
--- init
open my $in, '<', "$ENV{TEST_NGINX_SERVER_ROOT}/logs/nginx.pid" or die;
kill KILL => <$in> + 0;
--- abort
_EOT_

    'does not start' => [qr/^Bail out!.*Cannot start nginx/m,
        "--- config\n    nonsense;\n"],

    'given twice' => [qr/"error_log": given twice/,
        "--- error_log\na\n--- error_log\nb\n"],

    'bad eval' => [qr/section "response_body": eval: /,
        "--- response_body eval\n\"abc\n"],

    'unknown filter' => [qr/unknown filter "evil"/,
        "--- response_body evil\nabc\n"],

    'unsupported section' => [qr/^Bail out!.*section tcp_listen/m,
        "--- tcp_listen: 1\n"],

    'no environment' => [qr/^Bail out!.*TEST_NGINX_NOT_SET/m,
        "--- http_config\n    # \$TEST_NGINX_NOT_SET\n"],
);

for my $name (sort keys %Failing) {
    my ($why, $sections) = @{ $Failing{$name} };

    $sections .= "--- config\n" if $sections !~ /^--- config/m;
    $sections .= "--- request\nGET /\n"
        if $sections !~ /^--- (?:raw_)?request/m;
    fails($name, $why, "$Head run_tests();", "=== x\n$sections");
}

fails('plan too long', qr/planned 2 tests but ran 1/,
    'use Test::Nginx::Socket tests => 2; run_tests();',
    "=== x\n--- config\n--- request\nGET /\n");

fails('dies in the middle', qr/on purpose/, $Head
    . 'add_test_cleanup_handler(sub { die "on purpose\n" }); run_tests();',
    "=== x\n--- config\n--- request\nGET /\n");

fails('killed worker', qr/^not ok .* unexpected in error\.log/m, $Head
    . 'master_on(); run_tests();', <<'_EOT_');
=== x
--- config
--- init
use Test::Lead::Process;
open my $in, '<', "$ENV{TEST_NGINX_SERVER_ROOT}/logs/nginx.pid" or die;
my $pid = <$in> + 0;
# the pid file is there before the worker is
my @kids;
Test::Lead::Process::wait_until(sub {
    @kids = Test::Lead::Process::children($pid);
}) or die "no worker\n";
kill KILL => @kids;
Test::Lead::Process::wait_until(sub {
    open my $log, '<', "$ENV{TEST_NGINX_SERVER_ROOT}/logs/error.log";
    grep { /exited on signal 9/ } <$log>;
}) or die "no worker was killed\n";
--- request
GET /
_EOT_

passes('alert that is expected', 2, "$Head run_tests();", <<'_EOT_');
=== x
--- config
--- init
open my $log, '>>', "$ENV{TEST_NGINX_SERVER_ROOT}/logs/error.log" or die;
print $log "2026/01/01 00:00:00 [alert] 1#1: open socket #3 left\n";
close $log;
--- request
GET /
--- error_log
[alert] 1#1: open socket
_EOT_

fails('reload without effect', qr/^not ok .* the reload had no effect/m,
    $Head . 'run_tests();', <<'_EOT_', TEST_NGINX_USE_HUP => 1);
=== x
--- config
--- request
GET /

=== y
--- config
    location / { return 200; }
    location / { return 200; }
--- reload_fails
--- request
GET /
--- error_log
duplicate location

=== z
--- config
    nonsense;
--- request
GET /
_EOT_

done_testing();

# the number behind a block's name is the number of its tests

__DATA__
=== body 3
--- config
    location = /t { return 200 "a\nb\n"; }
--- request
GET /t
--- response_body
a
b
--- no_error_log
[error]

=== filters 2
--- config
    location = /t { return 200 "a"; }
--- request eval
"GET /t?" . "x" x 3000
--- response_body chomp
a

=== inline 2
--- config
    location = /t { return 404 "a"; }
--- request: GET /t
--- error_code: 404
--- response_body_like: ^a$

=== code_like 2
--- config
    location = /t { return 402 "a"; }
--- request
GET /t
--- error_code_like: ^40\d$
--- response_body_unlike eval
qr/^b/

=== headers 5
--- config
    add_header X-A 1 always;
    add_header X-A 2 always;
    add_header X-Port $server_port;
    location = /t { return 204; }
--- request
GET /t
--- error_code: 204
--- response_headers
X-A: 1, 2
! X-B
X-Port: $ServerPort
--- raw_response_headers_like: X-A: 1\r\nX-A: 2\r\n

=== headers_like 3
--- config
--- request
HEAD /index.html
--- response_headers_like
Server: nginx.*
Content-Length: \d+

=== post 2
--- config
    location = /t { return 200 "$http_x_a $content_length $http_host\n"; }
--- request
# a comment
POST /t
abc def
--- more_headers
X-A: yes
Host: example.test
--- response_body
yes 7 example.test

=== array 6
--- config
    location / { return 200 "$uri $http_x_a\n"; }
--- request eval
["GET /a", "GET /b", "POST /c HTTP/1.1\nbody"]
--- more_headers eval
["X-A: 1", "X-A: 2", "X-A: 3"]
--- response_body eval
["/a 1\n", qr/^.b 2$/m, "/c 3\n"]
--- error_code eval
[200, 200, 200]

=== packets 2
--- config
    location / { return 200 "$request_method $uri $content_length\n"; }
--- request eval
[["PO", {value => "ST /ab", delay_before => 0.03}, "cd HTTP/1.1\n",
  {value => "body", delay_before => 0.03}]]
--- response_body
POST /abcd 4

=== raw 2
--- config
    location / { return 200 "$server_protocol\n"; }
--- raw_request eval
["GET / HT", "TP/1.0\r\n", "\r\n"]
--- raw_request_middle_delay: 0.03
--- response_body
HTTP/1.0

=== chunked 2
--- config
    location = /t { proxy_pass http://127.0.0.1:$TEST_NGINX_SERVER_PORT/b; }
    location = /b { return 200 "$content_length\n"; }
--- more_headers
Transfer-Encoding: chunked
--- request eval
"POST /t\n3\r\nabc\r\n0\r\n\r\n"
--- response_body
3

=== pipelined 9
--- config
    location / { return 200 "$uri $http_connection\n"; }
--- pipelined_requests eval
["GET /a", "GET /b", "GET /c"]
--- response_body eval
["/a keep-alive\n", "/b keep-alive\n", "/c close\n"]
--- no_error_log
[error]

=== chunked_answers 4
--- config
    location = /t { sub_filter x y; sub_filter_types *; root html; }
--- user_files
>>> t
axa
--- pipelined_requests eval
["GET /t", "GET /t"]
--- response_body eval
["aya\n", "aya\n"]

=== files 4
--- config
--- user_files eval
[["sub/x.bin", "\0\1\r\n"], ["y.txt", "y", "201001010000.00"]]
--- request eval
["GET /sub/x.bin", "GET /y.txt"]
--- response_body eval
["\0\1\r\n", "y"]

=== must_die 2
--- config
    nonsense;
--- must_die: 1
--- error_log
unknown directive "nonsense"

=== grep_error_log 3
--- config
    rewrite_log on;
    rewrite ^/a /b;
    rewrite ^/b /index.html;
--- request
GET /a
--- log_level: notice
--- grep_error_log eval: qr/rewritten data: "[^"]*"/
--- grep_error_log_out
rewritten data: "/b"
rewritten data: "/index.html"
--- error_log eval
["\"^/a\" matches", qr/"\^\/b" matches/]
--- ignore_response

=== rand_port 2
--- main_config
    env A=1;
--- http_config
    server { listen 127.0.0.1:$TEST_NGINX_RAND_PORT_1; return 200 "r\n"; }
--- config
    location = /t { proxy_pass http://127.0.0.1:$TEST_NGINX_RAND_PORT_1; }
--- post_main_config
    env B=1;
--- request
GET /t
--- response_body
r

=== skip_nginx 2
--- config
    nonsense;
--- request
GET /
--- skip_nginx: 2: > 1.0.0

=== skip_eval 1
--- config
    nonsense;
--- request
GET /
--- skip_eval: 1: 1 == 1

=== abort 1
--- config
    location / { limit_rate 1; }
--- request
GET /index.html
--- timeout: 0.1
--- abort
--- ignore_response
--- no_error_log
[crit]

=== logs 4
--- config
--- request
GET /index.html?seen
--- error_log
http request line: "GET /index.html?seen
--- access_log
/index.html?seen
--- no_access_log
/index.html?unseen
