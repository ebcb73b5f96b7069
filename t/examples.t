
# Copyright (C) the ngx_lead authors
#
# Every file of examples/ is a configuration that nginx accepts: nginx.conf
# whole, the others as they are included at http level.  No log that they lead
# to has a key, wherever a client may have sent it.

use strict;
use warnings;

use File::Basename qw(basename);
use FindBin ();
use MIME::Base64 qw(encode_base64);
use Test::More;

use lib "$FindBin::Bin/lib";
use Test::Lead ();
use Test::Lead::Process qw(read_file);

my $dir = "$FindBin::Bin/../examples";
my @files = map { basename($_) } sort glob "$dir/*.conf";

is(scalar(grep { $_ eq 'nginx.conf' } @files), 1, 'there is an nginx.conf');

for my $dialect (map { basename($_) } sort glob "$dir/../tools/samples/*") {
    like(read_file("$dir/$dialect.conf") // '', qr/lead_api\s+$dialect;/,
        "there is one of $dialect");
}


# without what belongs to the place where it is installed

sub here {
    my ($text) = @_;

    $text =~ s/^(?:load_module|user|worker_processes|pid|error_log) .*;\n//mg;
    $text =~ s{/var/lib/nginx/lead\b}{%%DIR%%/store}g;
    $text =~ s{/var/log/nginx/}{%%DIR%%/}g;
    $text =~ s{/etc/nginx/}{%%DIR%%/}g;
    $text =~ s/listen\s+8080\b/listen 127.0.0.1:%%PORT%%/g;
    $text =~ s{http://127\.0\.0\.1:8090/}{http://127.0.0.1:%%PORT2%%/}g;

    return $text;
}


sub accepted {
    my ($name, $conf) = @_;

    my $t = Test::Lead->new(conf => $conf, files => {
        'lead_webhook.secret' => 'whsec_' . encode_base64('s' x 32) });
    chmod 0600, $t->path('lead_webhook.secret');
    my ($ok, $said) = $t->test_conf;

    ok($ok, $name) or diag($said);
    unlike($said, qr/\[(?:emerg|alert|crit)\]/, "$name: nothing is wrong");
    unlike($said, qr/\[warn\]/, "$name: no warning");

    return $t;
}


# at the places of all vendors, beside them, and where there is nothing

sub silent {
    my ($name, $t) = @_;

    $t->start;

    my $args = 'api_key=planted&%61pi_key=planted&email=planted%40a.test'
        . '&q=planted;api_key=planted';
    my $n = 0;

    for my $place (qw(/api/v1/lead /api/v1/leads /api/v1 /v1/leads /v1/lead
        /api/leads /v2/135544 /v2 /v2/campaigns /crm/intake /api/intake
        /api/openapi.json /lead_status / /nowhere /index.html))
    {
        for my $path ($place, "$place/") {
            for my $method (qw(GET POST PUT)) {
                my $res = $t->http($method, "$path?$args", ['Authorization',
                    'Bearer planted', 'X-Tenant', 'planted', 'Referer',
                    "http://a.test/?$args", 'Content-Type',
                    'application/x-www-form-urlencoded'],
                    $method eq 'GET' ? undef : "$args&planted=planted");

                $n++ if $res->{status};
            }
        }
    }

    is($n, 96, "$name: each is answered");
    $t->quit;

    for my $log (glob $t->path('*.log')) {
        is(join('', grep { /planted/ } split /^/, read_file($log)), '',
            "$name: no key in " . basename($log));
    }

    is(-s $t->path('access.log'), 0, "$name: each server has a log of its own");
    $t->check_end("$name: a clean end");
}


for my $file (@files) {
    my $text = here(read_file("$dir/$file"));

    $text = "http {\n$text\n}\n" if $file ne 'nginx.conf';

    silent($file, accepted($file, $text));
}

done_testing();
