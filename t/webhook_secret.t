# Copyright (C) the ngx_lead authors
#
# What webhooks are configured with stays secret: neither nginx -t nor -T nor
# a log at debug level shows what was read from a file, and no log what
# stands in the configuration.  Beside that, what is only said at that level:
# all that is filled in where nothing is configured.

use strict;
use warnings;

use FindBin ();
use MIME::Base64 qw(decode_base64 encode_base64);
use Test::More;

use lib "$FindBin::Bin/lib";
use Test::Lead ();
use Test::Lead::Process qw(nginx_env read_file run_program);

# each is looked for by its own

my %Secret = (
    given => 'whsec_' . encode_base64('in the configuration itself', ''),
    filed => 'whsec_' . encode_base64('in a file of its own, secret', ''),
    older => 'whsec_' . encode_base64('the one before that, an old one', ''),
    vendor => 'text-of-the-vendor',
    header => 'Bearer token-in-the-configuration',
    token => 'Bearer token-in-a-file',
    query => 'token-in-a-url',
);

my @Filed = qw(filed older token);


sub conf {
    my ($hooks, $http) = @_;

    $http //= '';

    return <<"_EOC_";
http {
    lead_store %%DIR%%/store size=64m;
    lead_account acme {
        $hooks
    }
    $http
    server { listen 127.0.0.1:%%PORT%%; location / { return 200; } }
}
_EOC_
}


sub everything {
    return conf(<<"_EOC_", 'lead_webhook_allow 127.0.0.0/8;');
        webhook plain  http://127.0.0.1:8080/?$Secret{query}
                secret=$Secret{given};
        webhook filed  http://127.0.0.1:8080/ secret_file=filed.secret
                secret_file=older.secret header_file=Authorization:token
                "header=X-Token: $Secret{header}";
        webhook vendor http://127.0.0.1:8080/ format=lawfficient
                secret=$Secret{vendor} concurrency=3 timeout=4s
                connect_timeout=1s send_timeout=2s read_timeout=3s keepalive=0;
        webhook short  http://127.0.0.1:8080/ format=kickofflabs timeout=1s;
_EOC_
}


sub files {
    return (
        'filed.secret' => "$Secret{filed}\n",
        'older.secret' => "$Secret{older}\r\n",
        token => "$Secret{token}\n",
    );
}


# what -t, or another option, says: (true if all is well, all of it)

sub nginx {
    my ($t, $option) = @_;

    unlink map { $t->path($_) } qw(out err);

    my $status = run_program([$t->command, $option], env => nginx_env(),
        stdout => $t->path('out'), stderr => $t->path('err'),
        dir => $t->dir);

    return ($status == 0, read_file($t->path('out')) // '',
        read_file($t->path('err')) // '');
}


# a line of what it says

sub said {
    my ($level, $text, $place) = @_;

    return qr/\[$level\] \Q$text\E in \S+$place$/m;
}


# a secret as it is written, and the bytes it stands for

sub shown {
    my ($text, @names) = @_;

    return join ' ', grep {
        my $secret = $Secret{$_} =~ s/^(?:Bearer |whsec_)//r;
        index($text, $secret) >= 0
            || index($text, decode_base64($secret)) >= 0;
    } sort @names;
}


# ---- files that only their owner reads

my $T = Test::Lead->new(conf => everything(), log_level => 'debug',
    files => { files() });

chmod 0600, map { $T->path($_) } qw(filed.secret older.secret token);

{
    my ($ok, $out, $err) = nginx($T, '-t');
    ok($ok, '-t: all is well') or diag($err);
    unlike($err, qr/\[(?:warn|error|crit|alert|emerg)\]/, '-t: no warning');
    is(shown($out . $err, keys %Secret), '', '-t: shows no secret');

    ($ok, $out, $err) = nginx($T, '-T');
    ok($ok, '-T: all is well');
    like($out, qr/secret_file=filed\.secret/, '-T: shows the configuration');
    is(shown($out . $err, @Filed), '', '-T: and nothing of a file');
    is(shown($out, keys %Secret), 'given header query vendor',
        '-T: this finds what is there');

    chmod 0640, $T->path('filed.secret');
    unlike((nginx($T, '-t'))[2], qr/\[warn\]/, 'the group may read');

    for my $file (qw(filed.secret older.secret token)) {
        chmod 0644, $T->path($file);
        ($ok, $out, $err) = nginx($T, '-t');
        ok($ok, "$file: a file that everybody reads is taken");
        like($err, said('warn', "\"" . $T->path($file) . '" holds a secret '
            . 'that everybody can read, make it "chmod 600"',
            'nginx.conf:\d+'), "$file: with a warning");
        chmod 0600, $T->path($file);
    }
}


# ---- a life at debug level: started, reloaded, refused

$T->start;
ok($T->reload, 'life: a reload');

my $said = $T->log;

$T->write_conf(conf("webhook w http://127.0.0.1/ secret=$Secret{given} "
    . "secret=$Secret{filed} secret=$Secret{older};"));
ok(!$T->reload, 'life: a mistake');
$T->wait_for_log(qr/two are given already/);

$T->write_conf(conf("webhook w http://127.0.0.1/ secret=$Secret{given} "
    . "header=Authorization:$Secret{header};"));
ok(!$T->reload, 'life: another');
$T->wait_for_log(qr/argument 5 of "webhook", not shown/);
$T->allow(qr/\[emerg\]/);


# ---- what is filled in, as a reload says it

SKIP: {
    skip 'this nginx has no debug log', 5
        if (nginx($T, '-V'))[2] !~ /--with-debug/;

    for (
        ['a webhook', 'lead webhook "plain": format:0 secrets:1 headers:0 '
            . 'concurrency:8'],
        ['its connections', 'lead webhook "plain": timeout:15000 connect:5000 '
            . 'send:5000 read:10000 resolver:30000 keepalive:8 idle:60000'],
        ['what is not longer than all of it', 'lead webhook "short": '
            . 'timeout:1000 connect:1000 send:1000 read:1000 resolver:30000 '
            . 'keepalive:8 idle:60000'],
        ['what is configured', 'lead webhook "vendor": timeout:4000 '
            . 'connect:1000 send:2000 read:3000 resolver:30000 keepalive:0 '
            . 'idle:60000'],
        ['http{}', 'lead webhooks: 4, schedule:' . join(',', map { $_ * 1000 }
            0, 5, 300, 1800, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600,
            20 * 3600, 24 * 3600) . ' keep:604800 failed:2592000 '
            . 'disable:432000'],
    ) {
        my ($name, $line) = @$_;

        ok($said =~ /\[debug\].*: \Q$line\E$/m, "defaults: of $name");
    }
}


# ---- nothing of it is anywhere

$T->check_end('a clean end');

for my $file (qw(error.log access.log stderr test_conf.out)) {
    is(shown($T->read_file($file) // '', keys %Secret), '',
        "$file: shows no secret");
}

cmp_ok(length $T->log, '>', 1000, 'and there is something to look at');


# ---- where a mistake is said to be: the webhook's own line, in its own file

{
    my $t = Test::Lead->new(conf => conf('include hooks.conf;'),
        files => { 'hooks.conf' => <<'_EOC_' });

webhook addr https://192.0.2.1/ format=kickofflabs;

webhook name https://crm.example.com/
        format=kickofflabs;
_EOC_

    my ($ok, $out, $err) = nginx($t, '-t');

    ok(!$ok, 'place: a name, and nobody to ask');
    like($err, said('emerg', 'webhook "name" needs the address of '
        . '"crm.example.com": add "resolver" with a name server to http{}, as '
        . '"resolver 127.0.0.1;"', 'hooks.conf:5'), 'place: an error');
    like($err, said('warn', 'webhook "addr" goes to 192.0.2.1, which is not '
        . 'public: deliveries are refused unless "lead_webhook_allow" has its '
        . 'network', 'hooks.conf:2'), 'place: a warning');

    $t->write_file('nginx.conf', read_file($t->path('nginx.conf'))
        =~ s/lead_account acme/resolver 127.0.0.1 ipv6=off;\n$&/r);
    ($ok, $out, $err) = nginx($t, '-t');
    ok($ok, 'place: with somebody to ask') or diag($err);

    # below, and in the server alone
    $t->write_conf(conf('include hooks.conf;', 'resolver 127.0.0.1;'));
    ok((nginx($t, '-t'))[0], 'place: also below');

    $t->write_conf(conf('include hooks.conf;')
        =~ s/server \{/server { resolver 127.0.0.1;/r);
    ($ok, $out, $err) = nginx($t, '-t');
    ok(!$ok, 'place: not in a server');
    like($err, qr/add "resolver" with a name server to http\{\}/,
        'place: which is said');
}


done_testing();
