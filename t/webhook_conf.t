# Copyright (C) the ngx_lead authors
#
# Webhooks as they are configured: what is right, each mistake that is known,
# with the words that say what to do, and each bound from both sides.
#
#   --- hook       is a webhook's URL and parameters, in lead_account acme{} of
#                  an http{} with a store and a resolver; SECRET is one to sign
#                  with, OTHER another
#   --- account    is put into that lead_account instead
#   --- emerg      nginx must refuse the configuration and say this
#   --- warn       it must take it, and say this
#
# Where neither is said, it must take it without a warning.

use Test::Nginx::Socket 'no_plan';

no_long_string();
no_root_location();
no_shuffle();

my $Secret = 'secret=whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3';
my $Other = 'secret=whsec_NzY1NDMyMTBmZWRjYmE5ODc2NTQzMjEw';

add_block_preprocessor(sub {
    my ($block) = @_;

    my $hook = $block->hook;
    my $account = $block->account;

    $account = "    webhook w $hook;\n" if defined $hook;

    if (defined $account) {
        $account =~ s/\bSECRET\b/$Secret/g;
        $account =~ s/\bOTHER\b/$Other/g;
        $block->set_value('http_config',
            "lead_store logs/lead;\nlead_account acme {\n$account}\n"
            . ($block->http_config // "resolver 127.0.0.1;\n"));
    }

    if (defined $block->emerg) {
        $block->set_value('must_die', '');
        $block->set_value('error_log', $block->emerg);
        $block->set_value('no_error_log', "[crit]\n[alert]")
            if !defined $block->no_error_log;

    } elsif (defined $block->warn) {
        $block->set_value('error_log', $block->warn);
        $block->set_value('no_error_log', "[emerg]\n[alert]\n[crit]");

    } elsif (!defined $block->no_error_log) {
        $block->set_value('no_error_log', "[warn]\n[emerg]\n[alert]\n[crit]");
    }

    $block->set_value('request', 'GET /t') if !defined $block->emerg;
    $block->set_value('config', 'location = /t { return 200; }');
});

run_tests();

__DATA__

=== all defaults
--- hook: https://a.test/ SECRET

=== everything, at its least
--- hook
https://192.0.2.1:8443/a?b SECRET header=X-A:b
events=lead.created concurrency=1 timeout=1s connect_timeout=1ms
send_timeout=1ms read_timeout=1ms keepalive=0 format=standard
--- http_config
lead_webhook_allow 192.0.2.1;
lead_webhook_schedule 0;
lead_webhook_keep 1m failed=1m;
lead_webhook_disable 1s;

=== everything, at its most
--- hook
https://[2001:db8::1]/ SECRET OTHER events=* concurrency=256
timeout=60s connect_timeout=60s send_timeout=60s read_timeout=60s
keepalive=256 header=X-1:1 header=X-2:1 header=X-3:1 header=X-4:1 header=X-5:1
header=X-6:1 header=X-7:1 header=X-8:1 header=X-9:1 header=X-10:1
header=X-11:1 header=X-12:1 header=X-13:1 header=X-14:1 header=X-15:1
header=X-16:1
--- http_config
lead_webhook_allow 2001:db8::/32;
lead_webhook_schedule 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 30d;
lead_webhook_keep 10y failed=10y;
lead_webhook_disable 1y;

=== never disabled
--- http_config
lead_webhook_disable off;

=== every event by its name
--- hook
https://a.test/ SECRET events=lead.created,lead.updated,lead.status_changed,lead.assigned,lead.archived,lead.scored,lead.referral,lead.note_added

=== stages and campaigns of the account
--- account
    pipeline stage { stage new; }
    pipeline other { stage won; }
    campaign spring;
    campaign autumn;
    webhook w https://a.test/ SECRET status=new,won campaign=spring,autumn;

=== endpoints of two accounts have names of their own
--- http_config
resolver 127.0.0.1;
lead_account one {
    webhook w https://a.test/ secret=whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3;
}
lead_account two {
    webhook w https://a.test/ secret=whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3;
}

=== no URL
--- account
    webhook w ;
--- emerg
invalid number of arguments in "webhook" directive in

=== a bad name
--- account
    webhook a/b https://a.test/ SECRET;
--- emerg
invalid name "a/b": use letters, digits, "_", "-" and "." only in

=== two of one name
--- account
    webhook w https://a.test/ SECRET;
    webhook v https://a.test/ SECRET;
    webhook w https://b.test/ SECRET;
--- emerg
"webhook" directive has the name of another one of its account, which is its identity in the store in

=== outside of an account
--- http_config
webhook w https://a.test/ format=kickofflabs;
--- emerg
"webhook" directive is not allowed here in

=== no scheme
--- hook: a.test SECRET
--- emerg
invalid URL: it must begin with "https://" or "http://" in

=== a password
--- hook: https://hunter2:hunter3@a.test/ SECRET
--- emerg
invalid URL: credentials do not belong in a URL in
--- no_error_log
hunter
[crit]

=== a fragment
--- hook: https://a.test/#b SECRET
--- emerg
invalid URL: it must have no fragment in

=== no host
--- hook: https:///b SECRET
--- emerg
invalid URL: it must have a host in

=== a bad port
--- hook: https://a.test:65536/ SECRET
--- emerg
invalid URL: its port must be a number from 1 to 65535 in

=== a token in a URL with a blank is not shown
--- hook: "https://a.test/?token=hunter2 b" SECRET
--- emerg
invalid URL: it must have no blanks and no control characters in
--- no_error_log
hunter2
[crit]

=== a long URL
--- hook eval
'https://a.test/' . 'a' x 2034 . ' SECRET'
--- emerg
invalid URL: it must not be longer than 2048 bytes in

=== no secret
--- hook: https://a.test/
--- emerg
"webhook" directive needs "secret=" or "secret_file=" to sign with in

=== no secret of the vendor's format
--- hook: https://a.test/ format=lawfficient
--- emerg
"webhook" directive needs "secret=" or "secret_file=" to sign with in

=== an empty secret
--- hook: https://a.test/ secret=
--- emerg
invalid value of "secret=": it must not be empty in

=== a short secret
--- hook: https://a.test/ secret=whsec_c2hvcnQ=
--- emerg
"webhook" directive needs a secret that is "whsec_" and 24 to 64 random bytes in base64, as "openssl rand -base64 32" makes them in

=== 23 bytes
--- hook eval
'https://a.test/ secret=whsec_' . 'QUFB' x 7 . 'QUE='
--- emerg
"webhook" directive needs a secret that is "whsec_" and 24 to 64 random bytes

=== 24 bytes
--- hook eval
'https://a.test/ secret=whsec_' . 'QUFB' x 8

=== 64 bytes
--- hook eval
'https://a.test/ secret=whsec_' . 'QUFB' x 21 . 'QQ=='

=== 64 bytes without padding
--- hook eval
'https://a.test/ secret=whsec_' . 'QUFB' x 21 . 'QQ'

=== 65 bytes
--- hook eval
'https://a.test/ secret=whsec_' . 'QUFB' x 21 . 'QUE='
--- emerg
"webhook" directive needs a secret that is "whsec_" and 24 to 64 random bytes

=== a secret without its prefix
--- hook: https://a.test/ secret=MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3
--- emerg
"webhook" directive needs a secret that is "whsec_"
--- no_error_log
MDEyMz
[crit]

=== a secret that is no base64
--- hook: https://a.test/ secret=whsec_!!EyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3
--- emerg
"webhook" directive needs a secret that is "whsec_"

=== a secret in the alphabet of URLs
--- hook: https://a.test/ secret=whsec_MDEyMzQ1Njc4OWFiY2Rl-jAxMjM0NTY3
--- emerg
"webhook" directive needs a secret that is "whsec_"

=== a secret with more behind its end
--- hook: https://a.test/ secret=whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3QQ==QUFB
--- emerg
"webhook" directive needs a secret that is "whsec_"

=== a secret with padding that is none
--- hook: https://a.test/ secret=whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3Q=
--- emerg
"webhook" directive needs a secret that is "whsec_"

=== a second secret that is weak
--- hook: https://a.test/ SECRET secret=whsec_c2hvcnQ=
--- emerg
"webhook" directive needs a secret that is "whsec_"

=== one secret twice
--- hook: https://a.test/ SECRET SECRET
--- emerg
invalid value of "secret=": the same is given twice in

=== three secrets
--- hook: https://a.test/ SECRET OTHER secret=hunter2
--- emerg
invalid value of "secret=": two are given already, the most there may be: the new one first, then the old one in
--- no_error_log
hunter2
[crit]

=== three of both kinds
--- hook: https://a.test/ SECRET secret_file=../html/secret OTHER
--- user_files
>>> secret
whsec_QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB
--- emerg
invalid value of "secret=": two are given already, the most there may be

=== three, the last one a file
--- hook: https://a.test/ SECRET OTHER secret_file=../html/secret
--- user_files
>>> secret
whsec_QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFB
--- emerg
invalid value of "secret_file=": two are given already, the most there may be

=== any text is a secret of the vendor's format
--- hook: https://a.test/ secret=x "secret=a b" format=lawfficient

=== what is not signed has no secret
--- hook: https://a.test/ format=kickofflabs secret=x
--- emerg
"webhook" directive of "format=kickofflabs" is not signed and takes no secret in

=== a long secret is not shown
--- hook eval
'https://a.test/ secret=' . 'hunter2' x 19
--- emerg
invalid value of "secret=": it must not be longer than 127 bytes in
--- no_error_log
hunter2
[crit]

=== nor is one with a slip in its name
--- hook: https://a.test/ secert=hunter2
--- emerg
unknown parameter "secert=" in "webhook", which takes "secret=", "secret_file=", "events=", "status=", "campaign=", "format=", "header=", "header_file=", "concurrency=", "timeout=", "connect_timeout=", "send_timeout=", "read_timeout=", "keepalive=", "ssl_trusted=", "ssl_verify=", "ssl_certificate=", "ssl_certificate_key=" in
--- no_error_log
hunter2
[crit]

=== nor one without a name
--- hook: https://a.test/ whsec_hunter2
--- emerg
argument 3 of "webhook", not shown as it may be part of a secret, is none of "secret=", "secret_file="
quotes go around the whole parameter, "name=value" in
--- no_error_log
hunter2
[crit]

=== nor the rest of a header without quotes
--- hook: https://a.test/ SECRET header=Authorization:Bearer hunter2
--- emerg
argument 5 of "webhook", not shown as it may be part of a secret
--- no_error_log
hunter2
[crit]

=== also not when it looks like a parameter
--- hook: https://a.test/ SECRET header=Authorization:Basic hunter=
--- emerg
argument 5 of "webhook", not shown as it may be part of a secret
--- no_error_log
hunter
[crit]

=== nor one with a quote inside
--- hook: https://a.test/ SECRET header="X:hunter2"
--- emerg
invalid value of "header=": quotes go around the whole parameter, "name=value" in
--- no_error_log
hunter2
[crit]

=== a secret file that is not there
--- hook: https://a.test/ secret_file=../html/secret
--- emerg eval
qr/open\(\) ".*\/html\/secret" failed \(2: No such file or directory\) in .*nginx\.conf:\d+/

=== a secret file without a path
--- hook: https://a.test/ secret_file=
--- emerg
invalid value of "secret_file=": a file's path is missing in

=== a secret that is given as a file's path
--- hook: https://a.test/ secret_file=whsec_hunter2
--- emerg
invalid value of "secret_file=": it must be the path of a file; the secret itself is given with "secret=" in
--- no_error_log
hunter2
[crit]

=== an empty secret file
--- hook: https://a.test/ secret_file=../html/secret
--- user_files
>>> secret
--- emerg
invalid value of "secret_file=": the file is empty in

=== a secret file of an end of line
--- hook: https://a.test/ secret_file=../html/secret
--- user_files eval
">>> secret\n\n"
--- emerg
invalid value of "secret_file=": the file is empty in

=== a secret file of two lines
--- hook: https://a.test/ secret_file=../html/secret format=lawfficient
--- user_files
>>> secret
hunter2
hunter3
--- emerg
invalid value of "secret_file=": it must have no control characters in
--- no_error_log
hunter
[crit]

=== a secret file of too much
--- hook: https://a.test/ secret_file=../html/secret
--- user_files eval
">>> secret\n" . 'hunter2' x 100
--- emerg
invalid value of "secret_file=": the file must not have more than 127 bytes in one line in
--- no_error_log
hunter
[crit]

=== a secret file of as much as may be
--- hook: https://a.test/ secret_file=../html/secret format=lawfficient
--- user_files eval
">>> secret\n" . 'x' x 127 . "\r\n"
--- warn
secret" holds a secret that everybody can read, make it "chmod 600" in

=== a secret file that is a directory
--- hook: https://a.test/ secret_file=../html
--- emerg
html" is no file that could hold a secret in

=== an unknown event
--- hook: https://a.test/ SECRET events=lead.created,lead.deleted
--- emerg
invalid value "lead.created,lead.deleted" in "events=lead.created,lead.deleted": use "*", or with "," between them "lead.created", "lead.updated", "lead.status_changed", "lead.assigned", "lead.archived", "lead.scored", "lead.referral", "lead.note_added" in

=== one event twice
--- hook: https://a.test/ SECRET events=lead.created,lead.created
--- emerg
the same is given twice in

=== no event
--- hook: https://a.test/ SECRET events=
--- emerg
invalid value "" in "events=": use "*"

=== two lists of events
--- hook: https://a.test/ SECRET events=* events=lead.created
--- emerg
duplicate parameter "events" in "webhook" in

=== an unknown stage
--- hook: https://a.test/ SECRET status=new
--- emerg
invalid value "new" in "status=new": use keys of "stage" above it, with "," between them in

=== an unknown campaign
--- hook: https://a.test/ SECRET campaign=a
--- emerg
invalid value "a" in "campaign=a": use names of "campaign" above it, with "," between them in

=== an unknown format
--- hook: https://a.test/ SECRET format=xml
--- emerg
invalid value "xml" in "format=xml": it must be "standard", "lawfficient" or "kickofflabs" in

=== headers as they may be
--- hook
https://a.test/ SECRET header=Authorization:Basic=
"header=X-Blank: a	b " header=!#$%&'*+-.^_`|~:1 header=webhook:1
header=X-Größe:ä header=Webhookx-id:1
--- emerg
invalid value of "header=": it must be a header's name of at most 127 letters, digits and "-", ":", and what belongs to it in

=== headers as they are
--- hook
https://a.test/ SECRET header=Authorization:Basic=
"header=X-Blank: a	b " header=!#$%&'*+-.^_`|~:1 header=webhook:1
header=X-Size:größe header=Webhookx-id:1 header=X-Url:http://a.test/

=== a header without a colon
--- hook: https://a.test/ SECRET header=hunter2
--- emerg
invalid value of "header=": it must be a header's name of at most 127 letters, digits and "-", ":", and what belongs to it in
--- no_error_log
hunter2
[crit]

=== a header without a name
--- hook: https://a.test/ SECRET header=:hunter2
--- emerg
invalid value of "header=": it must be a header's name
--- no_error_log
hunter2
[crit]

=== a header with a blank in its name
--- hook: https://a.test/ SECRET "header=X :hunter2"
--- emerg
invalid value of "header=": it must be a header's name
--- no_error_log
hunter2
[crit]

=== a header with a long name
--- hook eval
'https://a.test/ SECRET header=' . 'a' x 128 . ':1'
--- emerg
invalid value of "header=": it must be a header's name

=== a header with the longest name
--- hook eval
'https://a.test/ SECRET header=' . 'a' x 127 . ':1'

=== a header without a value
--- hook: https://a.test/ SECRET "header=X-A: 	"
--- emerg
invalid value of "header=": the header must have a value in

=== a header with an end of line
--- hook eval
qq{https://a.test/ SECRET "header=X-A:hunter2\r\nX-B:1"}
--- emerg
invalid value of "header=": the header's value must have no control characters in
--- no_error_log
hunter2
[crit]

=== a header with an escaped end of line
--- hook
https://a.test/ SECRET "header=X-A:hunter2\n"
--- emerg
invalid value of "header=": the header's value must have no control characters in
--- no_error_log
hunter2
[crit]

=== one header twice
--- hook: https://a.test/ SECRET header=X-A:1 header=x-a:hunter2
--- emerg
header "x-a" is given twice, remove one in
--- no_error_log
hunter2
[crit]

=== 17 headers
--- hook eval
'https://a.test/ SECRET ' . join ' ', map { "header=X-$_:1" } 1 .. 17
--- emerg
invalid value of "header=": 16 headers are given already, the most there may be in

=== headers of the client's own
--- hook: https://a.test/ SECRET header=Host:b.test
--- emerg
header "Host" is set for each delivery and cannot be configured, remove it in

=== ... in any case of letters
--- hook: https://a.test/ SECRET header=content-length:1
--- emerg
header "content-length" is set for each delivery

=== ... of the connection
--- hook: https://a.test/ SECRET header=Connection:close
--- emerg
header "Connection" is set for each delivery

=== ... of how a body is sent
--- hook: https://a.test/ SECRET header=Transfer-Encoding:chunked
--- emerg
header "Transfer-Encoding" is set for each delivery

=== ... of what a body is
--- hook: https://a.test/ SECRET header=Content-Type:text/xml
--- emerg
header "Content-Type" is set for each delivery

=== ... of who sends
--- hook: https://a.test/ SECRET header=User-Agent:me
--- emerg
header "User-Agent" is set for each delivery

=== ... of waiting for an answer
--- hook: https://a.test/ SECRET header=Expect:100-continue
--- emerg
header "Expect" is set for each delivery

=== ... of a signature
--- hook: https://a.test/ SECRET header=Webhook-Signature:v1,x
--- emerg
header "Webhook-Signature" is set for each delivery

=== ... of the vendor's signature
--- hook: https://a.test/ SECRET header_file=Lawfficient-Signature:x
--- emerg
header "Lawfficient-Signature" is set for each delivery

=== a header from a file
--- hook: https://a.test/ SECRET header_file=Authorization:../html/header
--- user_files eval
">>> header\n" . 'x' x 4096 . "\n"
--- warn
header" holds a secret that everybody can read, make it "chmod 600" in

=== a header from a file that is not there
--- hook: https://a.test/ SECRET header_file=Authorization:../html/header
--- emerg eval
qr/open\(\) ".*\/html\/header" failed \(2: No such file or directory\) in .*nginx\.conf:\d+/

=== a header from an empty file
--- hook: https://a.test/ SECRET header_file=Authorization:../html/header
--- user_files
>>> header
--- emerg
invalid value of "header_file=": the file is empty in

=== a header from a file of blanks
--- hook: https://a.test/ SECRET header_file=Authorization:../html/header
--- user_files eval
">>> header\n  \t\n"
--- emerg
invalid value of "header_file=": the header must have a value in

=== a header from a file of two lines
--- hook: https://a.test/ SECRET header_file=Authorization:../html/header
--- user_files
>>> header
hunter2
hunter3
--- emerg
invalid value of "header_file=": the header's value must have no control characters in
--- no_error_log
hunter
[crit]

=== a header from a file of too much
--- hook: https://a.test/ SECRET header_file=Authorization:../html/header
--- user_files eval
">>> header\n" . 'x' x 4097
--- emerg
invalid value of "header_file=": the file must not have more than 4096 bytes in one line in

=== a header from no file
--- hook: https://a.test/ SECRET header_file=Authorization:
--- emerg
invalid value of "header_file=": a file's path is missing in

=== no delivery at a time
--- hook: https://a.test/ SECRET concurrency=0
--- emerg
invalid value "0" in "concurrency=0": it must be a number from 1 to 256 in

=== too many deliveries at a time
--- hook: https://a.test/ SECRET concurrency=257
--- emerg
invalid value "257" in "concurrency=257": it must be a number from 1 to 256 in

=== too many connections kept
--- hook: https://a.test/ SECRET keepalive=257
--- emerg
invalid value "257" in "keepalive=257": it must be a number from 0 to 256 in

=== connections kept are no number
--- hook: https://a.test/ SECRET keepalive=-1
--- emerg
invalid value "-1" in "keepalive=-1": it must be a number from 0 to 256 in

=== too little time
--- hook: https://a.test/ SECRET timeout=999ms
--- emerg
invalid value "999ms" in "timeout=999ms": it must be a time from 1s to 60s in

=== too much time
--- hook: https://a.test/ SECRET timeout=60001ms
--- emerg
invalid value "60001ms" in "timeout=60001ms": it must be a time from 1s to 60s in

=== no time
--- hook: https://a.test/ SECRET timeout=soon
--- emerg
invalid value "soon" in "timeout=soon": it must be a time from 1s to 60s in

=== no time to connect
--- hook: https://a.test/ SECRET connect_timeout=0
--- emerg
invalid value "0" in "connect_timeout=0": it must be a time from 1ms to 60s in

=== too much time to read
--- hook: https://a.test/ SECRET read_timeout=61s timeout=60s
--- emerg
invalid value "61s" in "read_timeout=61s": it must be a time from 1ms to 60s in

=== a part of the time that is longer than all of it
--- hook: https://a.test/ SECRET read_timeout=15001ms
--- emerg
"read_timeout=" must not be longer than "timeout=", the time for all of a delivery, which is 15000ms in

=== ... to connect
--- hook: https://a.test/ SECRET connect_timeout=6s timeout=5s
--- emerg
"connect_timeout=" must not be longer than "timeout=", the time for all of a delivery, which is 5000ms in

=== ... to send
--- hook: https://a.test/ SECRET timeout=5s send_timeout=5001ms
--- emerg
"send_timeout=" must not be longer than "timeout=", the time for all of a delivery, which is 5000ms in

=== defaults give way to a short time for all
--- hook: https://a.test/ SECRET timeout=1s

=== TLS parameters and no TLS
--- hook: http://127.0.0.1/ SECRET ssl_verify=off
--- emerg
"webhook" directive takes "ssl_..." parameters with a URL of https only in

=== ... a CA
--- hook: http://127.0.0.1/ SECRET ssl_trusted=x
--- emerg
"webhook" directive takes "ssl_..." parameters with a URL of https only in

=== ... a certificate
--- hook: http://127.0.0.1/ SECRET ssl_certificate=x ssl_certificate_key=x
--- emerg
"webhook" directive takes "ssl_..." parameters with a URL of https only in

=== verifying is not switched on
--- hook: https://a.test/ SECRET ssl_verify=on
--- emerg
invalid value "on" in "ssl_verify=on": it takes "off" only; without it certificates are verified in

=== verifying is switched off with a warning
--- hook: https://a.test/ SECRET ssl_verify=off
--- warn
the peer of webhook "w" is not verified: whoever is on the way can read and change leads in

=== verifying is switched off and on
--- hook: https://a.test/ SECRET ssl_verify=off ssl_trusted=x
--- emerg
"webhook" directive has "ssl_trusted=" to verify with and "ssl_verify=off", remove one of them in

=== a certificate without its key
--- hook: https://a.test/ SECRET ssl_certificate=x
--- emerg
"webhook" directive needs "ssl_certificate=" and "ssl_certificate_key=" together in

=== a key without its certificate
--- hook: https://a.test/ SECRET ssl_certificate_key=x
--- emerg
"webhook" directive needs "ssl_certificate=" and "ssl_certificate_key=" together in

=== no file of CAs
--- hook: https://a.test/ SECRET ssl_trusted=
--- emerg
invalid value "" in "ssl_trusted=": it must be the path of a file in

=== a file of CAs that is not there
--- hook: https://a.test/ SECRET ssl_trusted=nothing.pem
--- emerg eval
qr/nothing\.pem"/

=== a certificate that is not there
--- hook: https://a.test/ SECRET ssl_certificate=nothing.pem ssl_certificate_key=nothing.key
--- emerg
cannot load certificate

=== a name needs a resolver
--- hook: https://a.test/ SECRET
--- http_config
--- emerg eval
qr/webhook "w" needs the address of "a\.test": add "resolver" with a name server to http\{\}, as "resolver 127\.0\.0\.1;" in .*nginx\.conf:\d+/

=== also localhost
--- hook: http://localhost:8080/ SECRET
--- http_config
--- emerg
webhook "w" needs the address of "localhost": add "resolver"

=== a resolver of another account's server does not count
--- hook: https://a.test/ SECRET
--- http_config
server { listen 127.0.0.1:1; resolver 127.0.0.1; }
--- emerg
webhook "w" needs the address of "a.test": add "resolver"

=== an address needs none
--- hook: https://1.1.1.1/ SECRET
--- http_config

=== nor does one of IPv6
--- hook: https://[2606:4700:4700::1111]:8443/ SECRET
--- http_config

=== an address that is not allowed
--- hook: http://127.0.0.1:8080/ SECRET
--- warn eval
qr/webhook "w" goes to 127\.0\.0\.1, which is not public: deliveries are refused unless "lead_webhook_allow" has its network in .*nginx\.conf:\d+/

=== an address of IPv6 that is not allowed
--- hook: https://[fc00::1]/ SECRET
--- warn
webhook "w" goes to fc00::1, which is not public: deliveries are refused unless "lead_webhook_allow" has its network in

=== an address of IPv4 in one of IPv6 that is not allowed
--- hook: https://[::ffff:10.0.0.1]/ SECRET
--- warn
webhook "w" goes to ::ffff:10.0.0.1, which is not public

=== an address that another network does not allow
--- hook: https://169.254.169.254/ SECRET
--- http_config
lead_webhook_allow 10.0.0.0/8;
--- warn
webhook "w" goes to 169.254.169.254, which is not public

=== an address that is allowed below
--- hook: http://10.1.2.3/ SECRET
--- http_config
lead_webhook_allow fc00::/7 10.0.0.0/8;

=== ... in one of IPv6
--- hook: http://[::ffff:10.0.0.1]/ SECRET
--- http_config
lead_webhook_allow 10.0.0.0/8;

=== a public address without TLS
--- hook: http://1.1.1.1/ SECRET
--- warn eval
qr/webhook "w" sends leads unencrypted to 1\.1\.1\.1, use a URL of https in .*nginx\.conf:\d+/

=== a name without TLS
--- hook: http://a.test/?hunter2 SECRET
--- warn
webhook "w" sends leads unencrypted to a.test, use a URL of https in

=== a name without TLS may be of an allowed network
--- hook: http://a.test/ SECRET
--- http_config
resolver 127.0.0.1;
lead_webhook_allow 10.0.0.0/8;

=== the machine's own name without TLS
--- account
    webhook w http://localhost/ SECRET;
    webhook v http://a.localhost:8080/ SECRET;

=== a name that only looks like it
--- hook: http://alocalhost/ SECRET
--- warn
webhook "w" sends leads unencrypted to alocalhost, use a URL of https in

=== lead_webhook_allow of no network
--- http_config
lead_webhook_allow 10.0.0.0/8 lan;
--- emerg
invalid network "lan": it must be an address or a network, as 10.0.0.0/8 or fc00::/7 in

=== lead_webhook_allow with too many bits
--- http_config
lead_webhook_allow 10.0.0.1/8;
--- warn
low address bits of 10.0.0.1/8 are meaningless in

=== lead_webhook_schedule of no time
--- http_config
lead_webhook_schedule 0 5x;
--- emerg
invalid time "5x": it must be a time from 0 to 30d, as 30s, 5m or 2h in

=== lead_webhook_schedule of too long a time
--- http_config
lead_webhook_schedule 0 2592000001ms;
--- emerg
invalid time "2592000001ms": it must be a time from 0 to 30d

=== lead_webhook_schedule that does not begin at once
--- http_config
lead_webhook_schedule 5s 5m;
--- emerg
"lead_webhook_schedule" directive begins with the first attempt, which is made at once: use "0", and behind it when the others are in

=== lead_webhook_schedule twice
--- http_config
lead_webhook_schedule 0;
lead_webhook_schedule 0;
--- emerg
"lead_webhook_schedule" directive is duplicate in

=== lead_webhook_schedule with too many times
--- http_config
lead_webhook_schedule 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0;
--- emerg
"lead_webhook_schedule" directive has more than 32 times in

=== lead_webhook_keep of too short a time
--- http_config
lead_webhook_keep 59s;
--- emerg
invalid time "59s": it must be a time from 1m to 10y, as 7d in

=== lead_webhook_keep of too long a time
--- http_config
lead_webhook_keep 10y1s;
--- emerg
invalid time "10y1s": it must be a time from 1m to 10y, as 7d in

=== lead_webhook_keep of failed for no time
--- http_config
lead_webhook_keep 1d failed=0;
--- emerg
invalid value "0" in "failed=0": it must be a time from 1m to 10y, as 7d in

=== lead_webhook_keep of something else
--- http_config
lead_webhook_keep 1d delivered=1d;
--- emerg
unknown parameter "delivered=" in "lead_webhook_keep", which takes "failed=" in

=== lead_webhook_keep twice
--- http_config
lead_webhook_keep 1d;
lead_webhook_keep 1d;
--- emerg
"lead_webhook_keep" directive is duplicate in

=== lead_webhook_disable of no time
--- http_config
lead_webhook_disable 0;
--- emerg
invalid time "0": it must be a time from 1s to 1y, as 5d, or "off" in

=== lead_webhook_disable of too long a time
--- http_config
lead_webhook_disable 366d;
--- emerg
invalid time "366d": it must be a time from 1s to 1y, as 5d, or "off" in

=== lead_webhook_disable twice
--- http_config
lead_webhook_disable off;
lead_webhook_disable 5d;
--- emerg
"lead_webhook_disable" directive is duplicate in

=== lead_webhook_disable in a server
--- http_config
server { listen 127.0.0.1:1; lead_webhook_disable off; }
--- emerg
"lead_webhook_disable" directive is not allowed here in
