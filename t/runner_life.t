# Copyright (C) the ngx_lead authors
#
# The helpers of the life tests under test, with nothing but a stock nginx: what
# they say of processes, answers and logs has to be so, and check_end has to
# fail where it must.

use strict;
use warnings;

use FindBin ();
use Test::More;

use lib "$FindBin::Bin/lib";
use Test::Lead;
use Test::Lead::Process qw(alive free_port);

# this is about the helpers, not about a module
delete $ENV{TEST_NGINX_LOAD_MODULES};

my $Conf = <<'_EOC_';
http {
    server {
        listen 127.0.0.1:%%PORT%%;
        root %%DIR%%/html;

        location = /pid {
            return 200 $pid;
        }

        location = /slow {
            limit_rate 1;
        }

        location = /len {
            client_body_buffer_size 1m;
            proxy_pass http://127.0.0.1:%%PORT2%%;
        }
    }

    server {
        listen 127.0.0.1:%%PORT2%%;
        return 200 "$request_method $content_length $http_x_a";
    }
}
_EOC_


# the verdict of check_end on its own, kept out of our own count

sub verdict {
    my ($t) = @_;

    my ($said, $ok) = ('');

    no warnings 'redefine';
    local *Test::More::ok = sub { $ok = $_[0]; return $ok };
    local *Test::More::diag = sub { $said .= join '', @_; return 1 };
    $t->check_end;

    return ($ok ? 1 : 0, $said);
}


my $t = Test::Lead->new(workers => 2, conf => $Conf, files => {
    'html/index.html' => "index\n",
    'html/slow' => 'x' x 1000,
    'html/a.txt' => "port %%PORT%%\n",
});

my ($valid, $said) = $t->test_conf;
ok($valid, 'nginx -t') or diag($said);
is($t->start, $t, 'started');
is(scalar(my @first = $t->workers), 2, 'two workers');
ok(alive($t->master), 'a master');

# ---- requests

is($t->http('GET', '/a.txt')->{body}, 'port ' . $t->port . "\n",
    'placeholders, and an answer with a length');
is($t->http('GET', '/none')->{status}, 404, 'a status');
is($t->http('HEAD', '/a.txt')->{headers}{'content-type'}, 'text/plain',
    'HEAD and a header');
is($t->http('POST', '/len', { 'X-A' => 'b' }, 'abc')->{body}, 'POST 3 b',
    'a body');
is($t->http('POST', '/len', [], 'x' x 30000, chunks => [1, 7, 4096])->{body},
    'POST 30000 ', 'a body in chunks');

my $c = $t->connect;
my %pids;

for (1 .. 3) {
    $c->request('GET', '/pid', {}, undef, keepalive => 1);
    $pids{ $c->response->{body} }++;
}

is_deeply([values %pids], [3], 'one connection stays with one worker');
$c->close;

my @answers = $t->parallel([map { ['POST', '/len', ['X-A', $_], 'z' x $_] }
    1 .. 200], concurrency => 40);
is_deeply([map { $_->{body} } @answers], [map { "POST $_ $_" } 1 .. 200],
    'many at once, in their order');

ok(!$t->http('GET', '/slow', {}, undef, timeout => 0.2)->{status},
    'no answer in time is no status');
ok($t->send_request('GET', '/slow'), 'a request left alone');
$t->send_request('GET', '/slow')->abort;

my ($dead) = $t->parallel([['GET', '/']], port => free_port());
like($dead->{error}, qr/connect/, 'nobody there');

# ---- life

ok($t->reload, 'reload');
my %first = map { $_ => 1 } @first;
is(scalar(grep { $first{$_} } $t->workers), 0, 'all workers are new');
is($t->http('GET', '/')->{body}, "index\n", 'and answer');

my $mark = $t->log_mark;
my $killed = $t->kill_worker('KILL');
ok($killed, 'worker killed and replaced');
ok(!alive($killed), 'it is gone');
is(scalar($t->workers), 2, 'two workers again');
ok($t->wait_for_log(qr/$killed exited on signal 9/, 5, $mark), 'logged');
is($t->wait_for_log(qr/never logged/, 0.1), undef, 'not logged');

my $good = $t->{conf};
$t->write_conf("http { nonsense; }\n");
ok(!$t->reload, 'a wrong configuration is refused');
is($t->http('GET', '/')->{body}, "index\n", 'the old one still answers');
$t->write_conf($good);
$t->allow('unknown directive "nonsense"');

is(scalar($t->kill_master('KILL')), 2, 'orphans of a killed master');
ok($t->orphans, 'are known');
$t->stop_orphans;
is(scalar($t->orphans), 0, 'and can be stopped');
ok($t->start, 'started again');
ok($t->quit, 'quit');
ok(!alive($t->master), 'gone');
$t->check_end('nothing but what was allowed');

# ---- what has to fail

my $broken = Test::Lead->new(conf => 'http { nonsense; }');
ok(!$broken->try_start, 'a wrong configuration does not start');
like($broken->said, qr/unknown directive "nonsense"/, 'and says why');
is((verdict($broken))[0], 0, 'check_end fails on an emerg');

my $other = Test::Lead->new(conf => $Conf)->start;
kill KILL => ($other->workers)[0];
$other->wait_for_log(qr/exited on signal/);
my ($ok, $why) = verdict($other);
is($ok, 0, 'check_end fails on a killed worker');
like($why, qr/\[alert\].*exited on signal 9/, 'and shows the line');

my $clean = Test::Lead->new(conf => $Conf)->start;
is((verdict($clean))[0], 1, 'check_end passes without any');

my $dropped = Test::Lead->new(conf => $Conf)->start;
my $master = $dropped->master;
my $dir = $dropped->dir;
undef $dropped;
ok(!alive($master), 'an object that goes takes its nginx along');
ok(!-e $dir, 'and its directory');

done_testing();
