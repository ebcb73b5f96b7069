# Copyright (C) the ngx_lead authors
#
# Every directive as it is meant, and every mistake that is known, with the
# words that say what to do.  Webhooks have a file of their own.
#
#   --- account    is put into lead_account acme{}, with a store
#   --- api        is put into a location, with a store and an account
#   --- emerg      nginx must refuse the configuration and say this

use Test::Nginx::Socket 'no_plan';

no_long_string();
no_root_location();
no_shuffle();

add_block_preprocessor(sub {
    my ($block) = @_;

    my $account = $block->account;
    my $api = $block->api;

    if (defined $account) {
        $block->set_value('http_config',
            "lead_store logs/lead;\nlead_account acme {\n$account}\n"
            . ($block->http_config // ''));
    }

    if (defined $api) {
        $block->set_value('http_config', "lead_store logs/lead;\n"
            . "lead_account acme { }\n" . ($block->http_config // ''));
        $block->set_value('config',
            "location = /t { return 200; }\nlocation /api/ {\n$api}\n");
    }

    if (defined $block->emerg) {
        $block->set_value('must_die', '');
        $block->set_value('error_log', $block->emerg);
        $block->set_value('no_error_log', "[crit]\n[alert]")
            if !defined $block->no_error_log;

    } else {
        $block->set_value('request', 'GET /t') if !defined $block->request
            && !defined $block->raw_request;
        $block->set_value('no_error_log', "[emerg]\n[alert]\n[crit]")
            if !defined $block->no_error_log;
    }

    if (!defined $block->config) {
        $block->set_value('config', 'location = /t { return 200; }');
    }
});

run_tests();

__DATA__

=== TEST 1: nothing of it
--- http_config


=== TEST 2: everything as it is meant
--- http_config
lead_store logs/lead size=64m pool=default;
lead_queue 500;
lead_idempotency_ttl 2d;
lead_retention 2y;
lead_webhook_allow 10.0.0.0/8 fc00::/7;
lead_webhook_allow 192.168.0.1;
lead_webhook_schedule 0 5s 5m 30m 2h 5h 10h 14h 20h 24h;
lead_webhook_keep 14d failed=1y;
lead_webhook_disable 1w;

lead_account acme {
    tenant 7;
    region GB;
    user a1b2c3d4-0000-4000-8000-000000000000 number=11 email=Ann@Acme.test
         "name=Ann Lee";
    user B1B2C3D4-0000-4000-8000-000000000000;
    campaign pi_intake number=135544 "label=PI Intake 2026" key=optional
             url=https://acme.test/a?b=c#d thanks_url=http://[::1]:8080/;
    campaign old ended;
    campaign dated ends=2028-02-29T23:59:59+02:00;
    campaign day ends=2026-12-31;
    campaign utc ends=2026-12-31T23:59Z;
    pipeline stage {
        stage new        name=New number=1 default color=#94a3b8;
        stage qualified  number=3 id=c1b2c3d4-0000-4000-8000-000000000000;
        stage won        number=2 terminal;
    }
    pipeline other id=d1b2c3d4-0000-4000-8000-000000000000 {
        stage new;
    }
    data caseType Family Business "Größe L";
    data city;
    source zapier number=5 name=Website external_id=web assignee=ann@acme.TEST;
    source form assignee=A1B2C3D4-0000-4000-8000-000000000000;
    source off id=e1b2c3d4-0000-4000-8000-000000000000 disabled;
    source_field zapier firstName contact.first;
    source_field zapier caseType case.type;
    source_field form firstName first;
    country 215 TR;
    country 216 TR;
    entity solar_leads "label=Solar Leads" {
        field lead_name text "label=Lead Name" required;
        field email email default=none@acme.test;
        field size number min=-1.5 max=10 default=3;
        field due date min=2026-01-01 max=2026-12-31;
        field roof select "options=flat|pitched|none" default=flat;
        field owner boolean default=true;
        field site url default=https://acme.test/;
        field phone phone;
        field home address;
        match email phone;
        match lead_name;
        pipeline stage;
        pipeline other;
    }
    webhook crm https://crm.example.com/hook?a=b secret=whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3
            events=lead.created,lead.archived status=new,won
            campaign=pi_intake,old;
    webhook all http://127.0.0.1:8080/ events=* format=lawfficient
            secret=anything;
    webhook plain http://crm.example.com format=kickofflabs
            "header=Authorization: Bearer 12 34" header=X-Tenant:7
            concurrency=1 timeout=60s connect_timeout=500ms send_timeout=60s
            read_timeout=1m keepalive=0;
    webhook tls https://crm.example.com/ ssl_verify=off concurrency=256
            secret=whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3 keepalive=256
            secret=whsec_NzY1NDMyMTBmZWRjYmE5ODc2NTQzMjEw timeout=1s;
}

lead_account other {
    tenant 8;
    campaign pi_intake number=135545;
    pipeline stage { stage new number=1; }
}

resolver 127.0.0.1;
resolver_timeout 5s;
--- config
    location = /t { return 200; }
    location /api/ { lead_api lawfficient; lead_rate 120r/m burst=10; }
    location /crm/api/ { lead_api lawfficient base=/crm; }
    location /leads { lead_api lawfficient base=/; lead_rate 2r/s; }
    location ~ ^/x/(?<rest>.*)$ { lead_api lawfficient; }
    location @named { lead_api lawfficient; }
--- error_log
the peer of webhook "tls" is not verified
"lead_retention" is not enforced in this version

=== TEST 3: no warnings without what is missing
--- api
    lead_api lawfficient;
--- http_config
lead_retention 0;
--- no_error_log
[warn]
[emerg]
[alert]

=== TEST 4: an account in files of its own
--- main_config

--- http_config
lead_store logs/lead;
include ../html/account.conf;
--- user_files
>>> account.conf
lead_account acme {
    tenant 7;
    include ../html/people.conf;
    pipeline stage { include ../html/stages.conf; }
    entity e { include ../html/fields.conf; }
}
>>> people.conf
user a1b2c3d4-0000-4000-8000-000000000000 name=Ann;
>>> stages.conf
stage new;
stage won terminal;
>>> fields.conf
field email email;
match email;

=== TEST 5: a mistake in an included file
--- http_config
lead_store logs/lead;
lead_account acme { include ../html/people.conf; }
--- user_files
>>> people.conf
user a1b2c3d4-0000-4000-8000-000000000000
     nmae=Ann;
--- emerg
unknown parameter "nmae=" in "user", which takes "number=", "email=", "name=" in

=== TEST 6: lead_store twice
--- http_config
lead_store a;
lead_store b;
--- emerg
"lead_store" directive is duplicate in

=== TEST 7: lead_store with an empty path
--- http_config
lead_store "";
--- emerg
invalid path "": it must be a directory, and not the root directory in

=== TEST 8: lead_store is the root
--- http_config
lead_store /;
--- emerg
it must be a directory, and not the root directory in

=== TEST 9: lead_store without a path
--- http_config
lead_store;
--- emerg
invalid number of arguments in "lead_store" directive in

=== TEST 10: lead_store with a bad size
--- http_config
lead_store a size=12q;
--- emerg
invalid value "12q" in "size=12q": it must be a size of at least 1m, as 16g in

=== TEST 11: lead_store too small
--- http_config
lead_store a size=1023k;
--- emerg
invalid value "1023k" in "size=1023k": it must be a size of at least 1m

=== TEST 12: lead_store with a size twice
--- http_config
lead_store a size=1m size=1m;
--- emerg
duplicate parameter "size" in "lead_store" in

=== TEST 13: lead_store with an unknown parameter
--- http_config
lead_store a sise=1m;
--- emerg
unknown parameter "sise=" in "lead_store", which takes "size=", "pool=" in

=== TEST 14: lead_store with two paths
--- http_config
lead_store a b;
--- emerg
unknown parameter "b" in "lead_store", which takes "size=", "pool=" in

=== TEST 15: lead_store with an unknown pool
--- http_config
lead_store a pool=disk;
--- emerg
unknown thread pool "disk" in

=== TEST 16: lead_store with an empty pool
--- http_config
lead_store a pool=;
--- emerg
invalid value "" in "pool=": it must be the name of a "thread_pool" in

=== TEST 17: lead_store where nginx keeps files
--- http_config
lead_store a;
proxy_temp_path a;
--- emerg
the same path name

=== TEST 18: lead_store in a server
--- config
    lead_store a;
--- emerg
"lead_store" directive is not allowed here in

=== TEST 19: lead_queue is no number
--- http_config
lead_queue ten;
--- emerg
"lead_queue" directive invalid number in

=== TEST 20: lead_queue of nothing
--- http_config
lead_queue 0;
--- emerg
value must be between 1 and 1000000 in

=== TEST 21: lead_queue twice
--- http_config
lead_queue 1;
lead_queue 1;
--- emerg
"lead_queue" directive is duplicate in

=== TEST 22: lead_idempotency_ttl too short
--- http_config
lead_idempotency_ttl 59s;
--- emerg
value must be between 60 and 315360000 in

=== TEST 23: lead_idempotency_ttl is no time
--- http_config
lead_idempotency_ttl soon;
--- emerg
"lead_idempotency_ttl" directive invalid value in

=== TEST 24: lead_retention is no time
--- http_config
lead_retention always;
--- emerg
"lead_retention" directive invalid value in

=== TEST 25: lead_api of no vendor
--- api
    lead_api salesforce;
--- emerg
unknown dialect "salesforce", use one of: reflekt, lawfficient, kickofflabs, flextell, leadflip in

=== TEST 26: lead_api twice
--- api
    lead_api lawfficient;
    lead_api lawfficient;
--- emerg
"lead_api" directive is duplicate, a location takes one dialect in

=== TEST 27: lead_api with a base that is no path
--- api
    lead_api lawfficient base=crm;
--- emerg
invalid value "crm" in "base=crm": it must start with "/" in

=== TEST 28: lead_api with an empty base
--- api
    lead_api lawfficient base=;
--- emerg
invalid value "" in "base=": it must start with "/" in

=== TEST 29: lead_api with a base that ends with a slash
--- api
    lead_api lawfficient base=/crm/;
--- emerg
invalid value "/crm/" in "base=/crm/": it must not end with "/" in

=== TEST 30: lead_api with a base that has arguments
--- api
    lead_api lawfficient base=/crm?a;
--- emerg
it must be a path as locations have it in

=== TEST 31: lead_api with an unknown parameter
--- api
    lead_api lawfficient acme;
--- emerg
unknown parameter "acme" in "lead_api", which takes "base=" in

=== TEST 32: lead_api beside another handler
--- api
    lead_api lawfficient;
    proxy_pass http://127.0.0.1:1;
--- emerg
"lead_api" shares its location with another directive that answers requests, remove one of them in

=== TEST 33: lead_api inside if
--- api
    if ($arg_a) { lead_api lawfficient; }
--- emerg
"lead_api" directive is not allowed here in

=== TEST 34: lead_api in a server
--- config
    lead_api lawfficient;
--- emerg
"lead_api" directive is not allowed here in

=== TEST 35: lead_api without lead_store
--- config
    location / { lead_api lawfficient; }
--- http_config
lead_account acme { }
--- emerg
"lead_api" needs "lead_store /var/lib/nginx/lead;" in http{} in

=== TEST 36: lead_api without lead_account
--- config
    location / { lead_api lawfficient; }
--- http_config
lead_store logs/lead;
--- emerg
"lead_api" needs "lead_account acme { ... }" in http{} in

=== TEST 37: lead_rate of no rate
--- api
    lead_rate 120;
--- emerg
invalid rate "120": it must be a rate, as 120r/m or 2r/s in

=== TEST 38: lead_rate of nothing
--- api
    lead_rate 0r/s;
--- emerg
invalid rate "0r/s": it must be a rate, as 120r/m or 2r/s in

=== TEST 39: lead_rate twice
--- api
    lead_rate 1r/s;
    lead_rate 1r/s;
--- emerg
"lead_rate" directive is duplicate in

=== TEST 40: lead_rate with a burst of nothing
--- api
    lead_rate 1r/s burst=0;
--- emerg
invalid value "0" in "burst=0": it must be a positive integer in

=== TEST 41: lead_account without a name
--- http_config
lead_account { }
--- emerg
invalid number of arguments in "lead_account" directive in

=== TEST 42: lead_account with a bad name
--- http_config
lead_account "Acme Inc" { }
--- emerg
invalid name "Acme Inc": use letters, digits, "_", "-" and "." only in

=== TEST 43: lead_account with a long name
--- http_config
lead_account aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa { }
--- emerg
it must have 1 to 127 characters in

=== TEST 44: lead_account twice
--- http_config
lead_account acme { }
lead_account acme { }
--- emerg
duplicate name in "lead_account acme": another "lead_account" has it already in

=== TEST 45: lead_account without a block
--- http_config
lead_account acme;
--- emerg
directive "lead_account" has no opening "{" in

=== TEST 46: a directive outside of its account
--- http_config
tenant 7;
--- emerg
"tenant" directive is not allowed here in

=== TEST 47: an account in an account
--- account
    lead_account b { }
--- emerg
"lead_account" directive is not allowed here in

=== TEST 48: nginx' own directive in an account
--- account
    server { }
--- emerg
"server" directive is not allowed here in

=== TEST 49: an unknown directive
--- account
    tenent 7;
--- emerg
unknown directive "tenent" in

=== TEST 50: quotes around the value only
--- account
    user a1b2c3d4-0000-4000-8000-000000000000 name="Ann Lee";
--- emerg
quotes go around the whole parameter, "name=value" in

=== TEST 51: tenant is no number
--- account
    tenant seven;
--- emerg
invalid number "seven": it must be a positive integer in

=== TEST 52: tenant is zero
--- account
    tenant 0;
--- emerg
invalid number "0": it must be a positive integer in

=== TEST 53: tenant is too large
--- account
    tenant 9007199254740992;
--- emerg
invalid number "9007199254740992": it must be a positive integer in

=== TEST 54: tenant twice
--- account
tenant 7;
    tenant 8;
--- emerg
"tenant" directive is duplicate in

=== TEST 55: tenant with two numbers
--- account
    tenant 7 8;
--- emerg
unknown parameter "8" in "tenant", which takes no other parameters in

=== TEST 56: tenant of another account
--- http_config
lead_account a { tenant 7; }
lead_account b { tenant 7; }
--- emerg
duplicate number in "tenant 7": another "tenant" has it already in

=== TEST 57: region is no code
--- account
    region usa;
--- emerg
invalid country "usa": it must be a country code of two letters, as US in

=== TEST 58: region in lower case
--- account
    region us;
--- emerg
invalid country "us": it must be a country code of two letters, as US in

=== TEST 59: region twice
--- account
region US;
    region US;
--- emerg
"region" directive is duplicate in

=== TEST 60: user without an id
--- account
    user name=Ann;
--- emerg
invalid id "name=Ann": it must be a UUID, as a1b2c3d4-0000-4000-8000-000000000000 in

=== TEST 61: user with a bad id
--- account
    user a1b2c3d4-0000-4000-8000-00000000000g;
--- emerg
invalid id "a1b2c3d4-0000-4000-8000-00000000000g": it must be a UUID

=== TEST 62: users with one id
--- account
user a1b2c3d4-0000-4000-8000-000000000000;
    user A1B2C3D4-0000-4000-8000-000000000000;
--- emerg
duplicate id in "user a1b2c3d4-0000-4000-8000-000000000000": another "user" has it already in

=== TEST 63: users with one number
--- account
user a1b2c3d4-0000-4000-8000-000000000000 number=1;
    user b1b2c3d4-0000-4000-8000-000000000000 number=1;
--- emerg
duplicate number in "user b1b2c3d4-0000-4000-8000-000000000000": another "user" has it already in

=== TEST 64: users with one e-mail address
--- account
user a1b2c3d4-0000-4000-8000-000000000000 email=a@b.c;
    user b1b2c3d4-0000-4000-8000-000000000000 email=A@B.C;
--- emerg
duplicate email in "user b1b2c3d4-0000-4000-8000-000000000000": another "user" has it already in

=== TEST 65: user with a bad e-mail address
--- account
    user a1b2c3d4-0000-4000-8000-000000000000 email=ann;
--- emerg
invalid value "ann" in "email=ann": it must be an e-mail address, as ann@example.com in

=== TEST 66: user with two names
--- account
    user a1b2c3d4-0000-4000-8000-000000000000 name=a name=b;
--- emerg
duplicate parameter "name" in "user" in

=== TEST 67: user with an empty name
--- account
    user a1b2c3d4-0000-4000-8000-000000000000 name=;
--- emerg
invalid value "" in "name=": it must not be empty in

=== TEST 68: user with a long name
--- account
    user a1b2c3d4-0000-4000-8000-000000000000 name=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa;
--- emerg
it must not be longer than 127 bytes in

=== TEST 69: a name that is no UTF-8
--- account eval
"    user a1b2c3d4-0000-4000-8000-000000000000 name=\xffx;\n"
--- emerg
it must be valid UTF-8 in

=== TEST 70: a name with a surrogate
--- account eval
"    user a1b2c3d4-0000-4000-8000-000000000000 name=\xed\xa0\x80;\n"
--- emerg
it must be valid UTF-8 in

=== TEST 71: a name with a control character
--- account eval
"    user a1b2c3d4-0000-4000-8000-000000000000 name=a\x01b;\n"
--- emerg
it must have no control characters in

=== TEST 72: campaign with a bad name
--- account
    campaign a/b;
--- emerg
invalid name "a/b": use letters, digits, "_", "-" and "." only in

=== TEST 73: campaigns with one name
--- account
campaign a;
    campaign a;
--- emerg
duplicate name in "campaign a": another "campaign" has it already in

=== TEST 74: campaigns with one number
--- account
campaign a number=1;
    campaign b number=1;
--- emerg
duplicate number in "campaign b": another "campaign" has it already in

=== TEST 75: campaigns of two accounts with one number
--- http_config
lead_account a { campaign a number=1; }
lead_account b { campaign b number=1; }
--- emerg
duplicate number in "campaign b": "campaign a" of "lead_account a" has it already in

=== TEST 76: campaign with a negative number
--- account
    campaign a number=-1;
--- emerg
invalid value "-1" in "number=-1": it must be a positive integer in

=== TEST 77: campaign that ended and ends
--- account
    campaign a ended ends=2026-12-31;
--- emerg
"campaign" directive has both "ended" and "ends=", give one of them in

=== TEST 78: campaign that ends tomorrow
--- account
    campaign a ends=tomorrow;
--- emerg
invalid value "tomorrow" in "ends=tomorrow": it must be a time, as 2026-12-31T23:59:59Z, or a day, as 2026-12-31 in

=== TEST 79: campaign that ends 2026-02-29
--- account
    campaign a ends=2026-02-29;
--- emerg
invalid value "2026-02-29" in "ends=2026-02-29": it must be a time, as 2026-12-31T23:59:59Z, or a day, as 2026-12-31 in

=== TEST 80: campaign that ends 2026-13-01
--- account
    campaign a ends=2026-13-01;
--- emerg
invalid value "2026-13-01" in "ends=2026-13-01": it must be a time, as 2026-12-31T23:59:59Z, or a day, as 2026-12-31 in

=== TEST 81: campaign that ends 2026-12-31T24:00Z
--- account
    campaign a ends=2026-12-31T24:00Z;
--- emerg
invalid value "2026-12-31T24:00Z" in "ends=2026-12-31T24:00Z": it must be a time, as 2026-12-31T23:59:59Z, or a day, as 2026-12-31 in

=== TEST 82: campaign that ends 2026-12-31T23:59:59
--- account
    campaign a ends=2026-12-31T23:59:59;
--- emerg
invalid value "2026-12-31T23:59:59" in "ends=2026-12-31T23:59:59": it must be a time, as 2026-12-31T23:59:59Z, or a day, as 2026-12-31 in

=== TEST 83: campaign that ends 2026-12-31T23:59:59Zx
--- account
    campaign a ends=2026-12-31T23:59:59Zx;
--- emerg
invalid value "2026-12-31T23:59:59Zx" in "ends=2026-12-31T23:59:59Zx": it must be a time, as 2026-12-31T23:59:59Z, or a day, as 2026-12-31 in

=== TEST 84: campaign that ends 2026-12-31T23:59+2
--- account
    campaign a ends=2026-12-31T23:59+2;
--- emerg
invalid value "2026-12-31T23:59+2" in "ends=2026-12-31T23:59+2": it must be a time, as 2026-12-31T23:59:59Z, or a day, as 2026-12-31 in

=== TEST 85: campaign that ends 26-12-31
--- account
    campaign a ends=26-12-31;
--- emerg
invalid value "26-12-31" in "ends=26-12-31": it must be a time, as 2026-12-31T23:59:59Z, or a day, as 2026-12-31 in

=== TEST 86: campaign with a key that is not optional
--- account
    campaign a key=no;
--- emerg
invalid value "no" in "key=no": it can only be "optional" in

=== TEST 87: campaign with a bad URL
--- account
    campaign a url=acme.test;
--- emerg
invalid value "acme.test" in "url=acme.test": it must start with "http://" or "https://" in

=== TEST 88: campaign with a bad thanks_url
--- account
    campaign a thanks_url=http://;
--- emerg
it must have a valid host, and port if any in

=== TEST 89: pipeline without stages
--- account
    pipeline p { }
--- emerg
"pipeline" directive has no "stage" in

=== TEST 90: pipelines with one key
--- account
    pipeline p { stage a; }
    pipeline p { stage b; }
--- emerg
duplicate key in "pipeline p": another "pipeline" has it already in

=== TEST 91: pipelines with one id
--- account
    pipeline p id=a1b2c3d4-0000-4000-8000-000000000000 { stage a; }
    pipeline q id=a1b2c3d4-0000-4000-8000-000000000000 { stage b; }
--- emerg
duplicate id in "pipeline q": another "pipeline" has it already in

=== TEST 92: a stage outside of a pipeline
--- account
    stage new;
--- emerg
"stage" directive is not allowed here in

=== TEST 93: a user inside of a pipeline
--- account
    pipeline p { user a1b2c3d4-0000-4000-8000-000000000000; }
--- emerg
"user" directive is not allowed here in

=== TEST 94: stages with one key
--- account
    pipeline p { stage a; stage a; }
--- emerg
duplicate key in "stage a": another "stage" has it already in

=== TEST 95: stages with one number
--- account
    pipeline p { stage a number=1; stage b number=1; }
--- emerg
duplicate number in "stage b": another "stage" has it already in

=== TEST 96: stages of two pipelines with one number
--- account
    pipeline p { stage a number=1; }
    pipeline q { stage b number=1; }
--- emerg
duplicate number in "stage b": another "stage" has it already in

=== TEST 97: stages of two pipelines with one id
--- account
    pipeline p { stage a id=a1b2c3d4-0000-4000-8000-000000000000; }
    pipeline q { stage b id=a1b2c3d4-0000-4000-8000-000000000000; }
--- emerg
duplicate id in "stage b": another "stage" has it already in

=== TEST 98: two default stages
--- account
    pipeline p { stage a default; stage b; stage c default; }
--- emerg
duplicate "default" in "stage c": "stage a" has it already in

=== TEST 99: a stage that is default twice
--- account
    pipeline p { stage a default default; }
--- emerg
duplicate parameter "default" in "stage" in

=== TEST 100: a stage with a bad color
--- account
    pipeline p { stage a color=red; }
--- emerg
invalid value "red" in "color=red": it must be a color, as #94a3b8 in

=== TEST 101: a stage with a bad id
--- account
    pipeline p { stage a id=1; }
--- emerg
invalid value "1" in "id=1": it must be a UUID

=== TEST 102: a stage with an unknown flag
--- account
    pipeline p { stage a final; }
--- emerg
unknown parameter "final" in "stage", which takes "id=", "number=", "name=", "color=", "default", "terminal" in

=== TEST 103: sources with one key
--- account
source a;
    source a;
--- emerg
duplicate key in "source a": another "source" has it already in

=== TEST 104: sources with one external id
--- account
source a external_id=x;
    source b external_id=x;
--- emerg
duplicate external_id in "source b": another "source" has it already in

=== TEST 105: source with an unknown assignee
--- account
    source a assignee=ann@acme.test;
--- emerg
invalid value "ann@acme.test" in "assignee=ann@acme.test": no "user" above it has this id or e-mail address in

=== TEST 106: source with an empty assignee
--- account
    user a1b2c3d4-0000-4000-8000-000000000000;
    source a assignee=;
--- emerg
invalid value "" in "assignee=": no "user" above it has this id or e-mail address in

=== TEST 107: source_field of an unknown source
--- account
    source_field a email e;
--- emerg
invalid source "a": no "source" above it has this key in

=== TEST 108: source_field of an unknown field
--- account
source a;
    source_field a town city;
--- emerg
invalid field "town": it must be "firstName", "lastName", "email", "phone", "externalId" or the key of a "data" above it in

=== TEST 109: source_field given twice
--- account
source a;
    source_field a email x;
    source_field a email y;
--- emerg
duplicate field in "source_field a": another "source_field" has it already in

=== TEST 110: source_field with a bad path
--- account
source a;
    source_field a email x..y;
--- emerg
invalid path "x..y": it must be 1 to 32 names with "." between them, as contact.first in

=== TEST 111: source_field with a deep path
--- account
source a;
    source_field a email a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a;
--- emerg
it must be 1 to 32 names with "." between them, as contact.first in

=== TEST 112: source_field without a path
--- account
source a;
    source_field a email;
--- emerg
invalid number of arguments in "source_field" directive in

=== TEST 113: data with one key
--- account
data a;
    data a;
--- emerg
duplicate key in "data a": another "data" has it already in

=== TEST 114: data of a lead's own field
--- account
    data email;
--- emerg
invalid key "email": it is a field every lead has in

=== TEST 115: data with one value twice
--- account
    data a x y x;
--- emerg
invalid value "x": the same is given twice in

=== TEST 116: data with an empty value
--- account
    data a "";
--- emerg
invalid value "": it must not be empty in

=== TEST 117: country with a bad code
--- account
    country 1 USA;
--- emerg
invalid country "USA": it must be a country code of two letters, as US in

=== TEST 118: countries with one number
--- account
country 1 US;
    country 1 TR;
--- emerg
duplicate number in "country 1": another "country" has it already in

=== TEST 119: entity without fields
--- account
    entity e { }
--- emerg
"entity" directive has no "field" in

=== TEST 120: entities with one slug
--- account
entity e { field a text; }
    entity e { field a text; }
--- emerg
duplicate slug in "entity e": another "entity" has it already in

=== TEST 121: fields with one key
--- account
    entity e { field a text; field a email; }
--- emerg
duplicate key in "field a": another "field" has it already in

=== TEST 122: a field without a type
--- account
    entity e { field a; }
--- emerg
invalid number of arguments in "field" directive in

=== TEST 123: a field of an unknown type
--- account
    entity e { field a string; }
--- emerg
invalid type "string": it must be "text", "email", "phone", "number", "date", "boolean", "select", "url" or "address" in

=== TEST 124: a choice without options
--- account
    entity e { field a select; }
--- emerg
"field" directive of type "select" needs "options=a|b|c" in

=== TEST 125: options without a choice
--- account
    entity e { field a text options=a|b; }
--- emerg
"field" directive has "options=", which only type "select" takes in

=== TEST 126: an option twice
--- account
    entity e { field a select options=a|b|a; }
--- emerg
invalid value "a|b|a" in "options=a|b|a": the same is given twice in

=== TEST 127: an empty option
--- account
    entity e { field a select options=a||b; }
--- emerg
invalid value "a||b" in "options=a||b": it must not be empty in

=== TEST 128: a default that is no option
--- account
    entity e { field a select options=a|b default=c; }
--- emerg
invalid value "c" in "default=" of "field a": it must be one of "options=" in

=== TEST 129: a default that is no number
--- account
    entity e { field a number default=1.; }
--- emerg
invalid value "1." in "default=" of "field a": it must be a number, as 10 or -2.5 in

=== TEST 130: a default that is no flag
--- account
    entity e { field a boolean default=yes; }
--- emerg
invalid value "yes" in "default=" of "field a": it must be "true" or "false" in

=== TEST 131: a limit that is no day
--- account
    entity e { field a date min=2026-02-30; }
--- emerg
invalid value "2026-02-30" in "min=" of "field a": it must be a day, as 2026-12-31 in

=== TEST 132: a limit that is a time
--- account
    entity e { field a date max=2026-02-01T00:00Z; }
--- emerg
it must be a day, as 2026-12-31 in

=== TEST 133: limits in the wrong order
--- account
    entity e { field a number min=10 max=9; }
--- emerg
"field" directive has "min=" above "max=" in

=== TEST 134: days in the wrong order
--- account
    entity e { field a date min=2026-12-31 max=2026-01-01; }
--- emerg
"field" directive has "min=" above "max=" in

=== TEST 135: limits of a text
--- account
    entity e { field a text max=9; }
--- emerg
"field" directive has "min=" or "max=", which only types "number" and "date" take in

=== TEST 136: match of an unknown field
--- account
    entity e { field a text; match b; }
--- emerg
invalid field "b": no "field" above it has this key in

=== TEST 137: match given twice
--- account
    entity e { field a text; match a; match a; }
--- emerg
invalid field "a": the same is given twice in

=== TEST 138: match of a flag
--- account
    entity e { field a boolean; match a; }
--- emerg
invalid field "a": a field of this type finds no lead again in

=== TEST 139: more match keys than a lead may have
--- account
    entity e { field f0 text; field f1 text; field f2 text; field f3 text; field f4 text; field f5 text; field f6 text; field f7 text; field f8 text; field f9 text; field f10 text; field f11 text; field f12 text; field f13 text; field f14 text; field f15 text; field f16 text; match f0 f1 f2 f3 f4 f5 f6 f7 f8 f9 f10 f11 f12 f13 f14 f15 f16; }
--- emerg
invalid field "f16": there are more than 16 of them in

=== TEST 140: an unknown pipeline
--- account
    entity e { field a text; pipeline p; }
--- emerg
invalid pipeline "p": no "pipeline" of the account above it has this key in

=== TEST 141: an entity's pipeline twice
--- account
    pipeline p { stage a; }
    entity e { field a text; pipeline p; pipeline p; }
--- emerg
invalid pipeline "p": the same is given twice in

=== TEST 142: a pipeline's block in an entity
--- account
    entity e { field a text; pipeline p { stage a; } }
--- emerg
directive "pipeline" is not terminated by ";" in

=== TEST 143: an error of nginx' own has the vendor's shape
--- api
    lead_api lawfficient;
    client_max_body_size 10;
--- request
POST /api/leads?a=b
{"first_name":"Ada"}
--- error_code: 413
--- response_body_like: "code":"payload_too_large"

=== TEST 144: also when it is another module's
--- api
    lead_api lawfficient;
    limit_req zone=conf_t;
--- http_config
limit_req_zone $uri zone=conf_t:64k rate=1r/m;
--- request eval
["GET /api/leads", "GET /api/leads"]
--- error_code eval
[401, 503]
--- response_body_like eval
['"code":"missing_key"', '"code":"unavailable"']

=== TEST 145: also inside if and limit_except
--- api
    lead_api lawfficient;
    client_max_body_size 10;
    if ($arg_a) { set $b c; }
    limit_except GET { allow all; }
--- request
POST /api/leads?a=b
{"first_name":"Ada"}
--- error_code: 413
--- response_body_like: "code":"payload_too_large"

=== TEST 146: an error_page of the location's own stays
--- api
    lead_api lawfficient;
    client_max_body_size 10;
    error_page 413 = /t;
--- request
POST /api/leads
{"first_name":"Ada"}
--- error_code: 200

=== TEST 147: so does an inherited one, in all locations
--- api
    lead_api lawfficient;
    client_max_body_size 10;
--- http_config
error_page 413 = /t;
--- request
POST /api/leads
{"first_name":"Ada"}
--- error_code: 200

=== TEST 148: and a location without lead_api has none of ours
--- api
    client_max_body_size 10;
    location /api/leads { lead_api lawfficient; }
    location /api/plain { return 413; }
--- request
GET /api/plain
--- error_code: 413
--- response_body_like: <html>

=== TEST 149: an error leads to no location the client may not see
--- api
    lead_api lawfficient;
    client_max_body_size 10;
    location = /api/secret { internal; return 200 secret; }
--- request
POST /api/secret%3Fa
{"first_name":"Ada"}
--- error_code: 413
--- response_body_like: "code":"payload_too_large"
