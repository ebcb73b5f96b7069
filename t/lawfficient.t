# Copyright (C) the ngx_lead authors
#
# Lawfficient's API, request by request: the vendor's answers, in its words, to
# what is right and to all that can be wrong.  (What needs the id of a lead is
# in lawfficient_flow.t, what a body may be made of in limits.t.)

use strict;
use warnings;

use FindBin ();
use Test::Nginx::Socket 'no_plan';

use lib "$FindBin::Bin/lib";
use Test::LeadFixtures qw(lead_conf);

no_root_location();
no_long_string();
repeat_each(1);

my $Conf = lead_conf();


# the contract's base body, members replaced, added or (undef) left out; values
# are JSON
sub b {
    my %more = @_;
    my @names = qw(first_name last_name source email);
    my %member = (first_name => '"Ada"', last_name => '"Lovelace"',
        source => '"partner_referral"', email => '"ada@example.com"', %more);

    delete @more{@names};

    return '{' . join(',', map { qq("$_":$member{$_}) }
        grep { defined $member{$_} } @names, sort keys %more) . '}';
}


sub post {
    return "POST /api/leads\n" . join '', @_;
}


# a body of so many bytes
sub sized {
    my ($size) = @_;

    my $pad = $size - length b(x => '""');

    return b(x => '"' . 'a' x $pad . '"');
}


# a delivery of an ingestion key
sub d {
    my %member = (firstName => '"Grace"', lastName => '"Hopper"',
        phone => '"206"', @_);

    return post('{' . join(',', map { qq("$_":$member{$_}) }
        grep { defined $member{$_} } sort keys %member) . '}');
}


# what is said of a new lead of this external id
sub made {
    my ($id) = @_;

    return qr/^\{"externalId":$id,"status":"created",
        "leadId":"[0-9a-f-]{36}"\}$/x;
}


# Sections of our own: key, the credential (else lak_rw1); refused ("status code
# text") and flat ("status text"), answers that must be exactly so.

add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value('http_config', $Conf);
    $block->set_value('config', <<'_EOC_') if !defined $block->config;
        location /api/ { lead_api lawfficient; }
_EOC_

    my $key = $block->key // 'Bearer lak_rw1';
    chomp $key;

    my $headers = $block->more_headers // '';
    $headers = "Authorization: $key\n$headers" if $key ne 'none';
    $block->set_value('more_headers', $headers) if length $headers;

    if (defined $block->refused) {
        my ($status, $code, $text) = $block->refused
            =~ /^(\d+) (\w+) (.+?)\s*$/ or die "bad section: refused\n";

        $block->set_value('error_code', $status);
        $block->set_value('response_body',
            qq({"error":{"code":"$code","message":"$text"}}));
        $block->set_value('response_headers',
            "Content-Type: application/json\n"
            . "Lawfficient-Version: 2026-07-01");

    } elsif (defined $block->flat) {
        my ($status, $text) = $block->flat =~ /^(\d+) (.+?)\s*$/
            or die "bad section: flat\n";

        $block->set_value('error_code', $status);
        $block->set_value('response_body', qq({"error":"$text"}));
        $block->set_value('response_headers',
            "Content-Type: application/json\n!Lawfficient-Version");
    }

    $block->set_value('no_error_log', "[error]\n[crit]\n[alert]\n[emerg]");
});

run_tests();

__DATA__

=== a lead
--- request eval: main::post(main::b(data => '{"caseType":"Family"}'))
--- error_code: 201
--- response_headers
Content-Type: application/json
Lawfficient-Version: 2026-07-01
!Retry-After
--- response_body_like: ^\{"id":"[0-9a-f-]{36}","first_name":"Ada",



=== all of its members
--- request eval: main::post(main::b(data => '{"caseType":"Family"}'))
--- error_code: 201
--- response_body_like eval
qr/^\{"id":"[0-9a-f-]{36}","first_name":"Ada","last_name":"Lovelace",
   "email":"ada\@example\.com","phone":"","source":"partner_referral",
   "status":\{"key":"new","name":"New"\},"assignee_id":null,"archived":false,
   "created_at":"([0-9T:.-]{23}Z)","last_activity_at":"\1",
   "data":\{"caseType":"Family"\}\}$/x



=== an e-mail address in lower case
--- request eval: main::post(main::b(email => '" ADA@Example.COM "'))
--- error_code: 201
--- response_body_like: "email":"ada@example.com"



=== a phone number alone, in the account's region (TW3)
--- request eval: main::post(main::b(email => undef, phone => '"(206) 555-0100"'))
--- error_code: 201
--- response_body_like: "email":"","phone":"\+12065550100"



=== a phone number that is none is kept as it is
--- request eval: main::post(main::b(email => undef, phone => '" 5550100 "'))
--- error_code: 201
--- response_body_like: "email":"","phone":"5550100"



=== texts are trimmed
--- request eval: main::post(main::b(first_name => '"\\u00a0 Ada\\t"'))
--- error_code: 201
--- response_body_like: "first_name":"Ada",



=== any script
--- request eval
main::post(main::b(
    first_name => "\"Zo\xc3\xab \xe6\x9d\x8e \xf0\x9f\xa6\x8a\""))
--- error_code: 201
--- response_body_like eval: qr/"Zo\xc3\xab \xe6\x9d\x8e \xf0\x9f\xa6\x8a"/



=== of a member twice the last one
--- request eval: main::post('{"source":"a",', substr main::b(), 1)
--- error_code: 201
--- response_body_like: "source":"partner_referral"



=== what only the server sets is ignored
--- request eval
main::post(main::b(id => 5, status => '"lost"', archived => 'true'))
--- error_code: 201
--- response_body_like: "status":\{"key":"new","name":"New"\}.*"archived":false



=== Content-Type does not matter
--- request eval: main::post(main::b())
--- more_headers
Content-Type: text/plain
--- error_code: 201
--- response_body_like: "first_name":"Ada"



=== a trailing slash
--- request eval: "POST /api/leads/\n" . main::b()
--- error_code: 201
--- response_body_like: "first_name":"Ada"



=== another version
--- request eval: main::post(main::b())
--- more_headers
Lawfficient-Version: 2025-01-01
--- error_code: 201
--- response_headers
Lawfficient-Version: 2025-01-01
--- response_body_like: "id"



=== a version too long to be one
--- request eval: main::post(main::b())
--- more_headers eval: 'Lawfficient-Version: ' . 'x' x 65
--- error_code: 201
--- response_headers
Lawfficient-Version: 2026-07-01
--- response_body_like: "id"



=== moved elsewhere
--- config
        location /crm/ { lead_api lawfficient base=/crm; }
--- request eval: "POST /crm/leads\n" . main::b()
--- error_code: 201
--- response_body_like: "id"



=== no contact
--- request eval: main::post(main::b(email => undef))
--- refused: 422 invalid_request Add a phone number or an email.



=== a blank contact
--- request eval: main::post(main::b(email => '""', phone => '" "'))
--- refused: 422 invalid_request Add a phone number or an email.



=== a null contact
--- request eval: main::post(main::b(email => 'null'))
--- refused: 422 invalid_request Add a phone number or an email.



=== an e-mail address without a domain
--- request eval: main::post(main::b(email => '"ada@"'))
--- refused: 422 invalid_request Enter a valid email address.



=== an e-mail address without a dot
--- request eval: main::post(main::b(email => '"ada@x"'))
--- refused: 422 invalid_request Enter a valid email address.



=== an e-mail address with a space
--- request eval: main::post(main::b(email => '"a da@x.co"'))
--- refused: 422 invalid_request Enter a valid email address.



=== an e-mail address twice @
--- request eval: main::post(main::b(email => '"a@b@c.de"'))
--- refused: 422 invalid_request Enter a valid email address.



=== phone: 12065550100
--- request eval: main::post(main::b(phone => '12065550100'))
--- refused: 422 invalid_request phone must be a string.



=== phone: {}
--- request eval: main::post(main::b(phone => '{}'))
--- refused: 422 invalid_request phone must be a string.



=== phone: "a\u0000"
--- request eval: main::post(main::b(phone => '"a\\u0000"'))
--- refused: 422 invalid_request phone must be a string.



=== email: 5
--- request eval: main::post(main::b(email => '5'))
--- refused: 422 invalid_request email must be a string.



=== email: true
--- request eval: main::post(main::b(email => 'true'))
--- refused: 422 invalid_request email must be a string.



=== assignee_id: 5
--- request eval: main::post(main::b(assignee_id => '5'))
--- refused: 422 invalid_request assignee_id must be a string or null.



=== assignee_id: []
--- request eval: main::post(main::b(assignee_id => '[]'))
--- refused: 422 invalid_request assignee_id must be a string or null.



=== assignee_id: false
--- request eval: main::post(main::b(assignee_id => 'false'))
--- refused: 422 invalid_request assignee_id must be a string or null.



=== first_name: "   "
--- request eval: main::post(main::b(first_name => '"   "'))
--- refused: 422 invalid_request First and last name are required.



=== last_name: null
--- request eval: main::post(main::b(last_name => 'null'))
--- refused: 422 invalid_request First and last name are required.



=== first_name: 5
--- request eval: main::post(main::b(first_name => '5'))
--- refused: 422 invalid_request First and last name are required.



=== last_name: absent
--- request eval: main::post(main::b(last_name => undef))
--- refused: 422 invalid_request First and last name are required.



=== source: absent
--- request eval: main::post(main::b(source => undef))
--- refused: 422 invalid_request Choose a source.



=== source: " "
--- request eval: main::post(main::b(source => '" "'))
--- refused: 422 invalid_request Choose a source.



=== source: 7
--- request eval: main::post(main::b(source => '7'))
--- refused: 422 invalid_request Choose a source.



=== source: null
--- request eval: main::post(main::b(source => 'null'))
--- refused: 422 invalid_request Choose a source.



=== data: null
--- request eval: main::post(main::b(data => 'null'))
--- refused: 422 invalid_request data must be an object.



=== data: []
--- request eval: main::post(main::b(data => '[]'))
--- refused: 422 invalid_request data must be an object.



=== data: "x"
--- request eval: main::post(main::b(data => '"x"'))
--- refused: 422 invalid_request data must be an object.



=== data: 1
--- request eval: main::post(main::b(data => '1'))
--- refused: 422 invalid_request data must be an object.



=== caseType: "Maritime"
--- request eval: main::post(main::b(data => '{"caseType":"Maritime"}'))
--- refused: 422 invalid_request Invalid case type.



=== caseType: "family"
--- request eval: main::post(main::b(data => '{"caseType":"family"}'))
--- refused: 422 invalid_request Invalid case type.



=== data: what is none of the firm's
--- request eval
main::post(main::b(data => '{"caseType":5,"city":" Rome ","colour":"red"}'))
--- error_code: 201
--- response_body_like: "data":\{"city":"Rome"\}\}$



=== data: in the firm's order
--- request eval
main::post(main::b(data => '{"zip":"1","city":"R","caseType":"Family"}'))
--- error_code: 201
--- response_body_like: "data":\{"caseType":"Family","city":"R","zip":"1"\}\}$



=== assignee_id: no UUID
--- request eval: main::post(main::b(assignee_id => '"nope"'))
--- refused: 422 invalid_request assignee_id must be a UUID.



=== assignee_id: of another firm
--- request eval
main::post(main::b(assignee_id =>
    '"b1b2c3d4-0000-4000-8000-000000000000"'))
--- refused: 422 invalid_request assignee_id is not a member of this firm.



=== assignee_id: of the firm
--- request eval
main::post(main::b(assignee_id =>
    '"a1b2c3d4-0000-4000-8000-000000000000"'))
--- error_code: 201
--- response_body_like: "assignee_id":"a1b2c3d4-0000-4000-8000-000000000000"



=== assignee_id: in upper case
--- request eval
main::post(main::b(assignee_id =>
    '"A1B2C3D4-0000-4000-8000-000000000000"'))
--- error_code: 201
--- response_body_like: "assignee_id":"a1b2c3d4-0000-4000-8000-000000000000"



=== assignee_id: null
--- request eval
main::post(main::b(assignee_id =>
    'null'))
--- error_code: 201
--- response_body_like: "assignee_id":null



=== assignee_id: blank
--- request eval
main::post(main::b(assignee_id =>
    '""'))
--- error_code: 201
--- response_body_like: "assignee_id":null



=== no open stage
--- request eval: main::post(main::b())
--- key: Bearer lak_rw0
--- refused: 409 no_open_stage No open pipeline stage is configured.



=== no open stage, and an address that is none
--- request eval: main::post(main::b(email => '"x"'))
--- key: Bearer lak_rw0
--- refused: 422 invalid_request Enter a valid email address.



=== no credential
--- request eval: main::post(main::b())
--- key: none
--- refused: 401 missing_key Missing API key.



=== Basic
--- request eval: main::post(main::b())
--- key: Basic x
--- refused: 401 missing_key Missing API key.



=== Bearer alone
--- request eval: main::post(main::b())
--- key: Bearer
--- refused: 401 missing_key Missing API key.



=== Bearer and blanks
--- request eval: main::post(main::b())
--- key: Bearer   
--- refused: 401 missing_key Missing API key.



=== the key alone
--- request eval: main::post(main::b())
--- key: lak_rw1
--- refused: 401 missing_key Missing API key.



=== an unknown key
--- request eval: main::post(main::b())
--- key: Bearer nope
--- refused: 401 invalid_key Invalid API key.



=== a key of another dialect
--- request eval: main::post(main::b())
--- key: Bearer lak_other1
--- refused: 401 invalid_key Invalid API key.



=== a key of an account not configured
--- request eval: main::post(main::b())
--- key: Bearer lak_gone
--- refused: 401 invalid_key Invalid API key.



=== two keys
--- request eval: main::post(main::b())
--- key: Bearer lak_rw1 lak_rw1
--- refused: 401 invalid_key Invalid API key.



=== bearer in lower case
--- request eval: main::post(main::b())
--- key: bearer lak_rw1
--- error_code: 201
--- response_body_like: "id"



=== blanks around the key
--- request eval: main::post(main::b())
--- key: BEARER    lak_rw1  
--- error_code: 201
--- response_body_like: "id"



=== a key in the query is none
--- request eval: "POST /api/leads?api_key=lak_rw1\n" . main::b()
--- key: none
--- refused: 401 missing_key Missing API key.



=== a disabled key
--- request eval: main::post(main::b())
--- key: Bearer lak_off1
--- refused: 403 key_disabled This API key is disabled.



=== a reading key that writes
--- request eval: main::post(main::b())
--- key: Bearer lak_ro1
--- refused
403 insufficient_scope This API key is missing the required scope: leads:write.



=== a writing key that reads
--- request
GET /api/leads
--- key: Bearer lak_wo1
--- refused
403 insufficient_scope This API key is missing the required scope: leads:read.



=== the key is judged before the body
--- request eval: main::post('{')
--- key: Bearer nope
--- refused: 401 invalid_key Invalid API key.



=== an Idempotency-Key of 255 characters
--- request eval: main::post(main::b())
--- more_headers eval: 'Idempotency-Key: ' . 'k' x 255
--- error_code: 201
--- response_body_like: "id"



=== an Idempotency-Key of 255 characters of two bytes
--- request eval: main::post(main::b())
--- more_headers eval: "Idempotency-Key: " . "\xc3\xab" x 255
--- error_code: 201
--- response_body_like: "id"



=== an Idempotency-Key of 256 characters
--- request eval: main::post(main::b())
--- more_headers eval: 'Idempotency-Key: ' . 'k' x 256
--- refused: 400 invalid_request Idempotency-Key is too long.



=== a long Idempotency-Key comes before the body
--- request eval: main::post('{')
--- more_headers eval: 'Idempotency-Key: ' . 'k' x 256
--- refused: 400 invalid_request Idempotency-Key is too long.



=== cut short
--- request eval: main::post('{"first_name":')
--- refused: 400 invalid_json Invalid JSON body.



=== an array
--- request eval: main::post('[', main::b(), ']')
--- refused: 400 invalid_json The request body must be a JSON object.



=== a scalar
--- request eval: main::post('null')
--- refused: 400 invalid_json The request body must be a JSON object.



=== invalid UTF-8
--- request eval: main::post(main::b(source => "\"\xff\""))
--- refused: 400 invalid_json Invalid JSON body.



=== 65536 bytes
--- request eval: main::post(main::sized(65536))
--- error_code: 201
--- response_body_like: "first_name":"Ada"



=== 65537 bytes
--- request eval: main::post(main::sized(65537))
--- refused: 413 payload_too_large Payload too large.



=== a megabyte
--- request eval: main::post('[' . '1,' x 500000 . '1]')
--- refused: 413 payload_too_large Payload too large.



=== another path
--- request
GET /api/lead
--- refused: 404 not_found Not found.



=== a path below
--- request
GET /api/leads/x/y
--- refused: 404 not_found Not found.



=== a path before
--- request
GET /api/
--- refused: 404 not_found Not found.



=== the list: not by PUT
--- request
PUT /api/leads
--- key: none
--- error_code: 405
--- response_headers
Allow: GET, HEAD, POST, OPTIONS
Lawfficient-Version: 2026-07-01
--- response_body eval: ''



=== the list: not by DELETE
--- request
DELETE /api/leads
--- key: none
--- error_code: 405
--- response_headers
Allow: GET, HEAD, POST, OPTIONS
Lawfficient-Version: 2026-07-01
--- response_body eval: ''



=== the list: not by PATCH
--- request
PATCH /api/leads
--- key: none
--- error_code: 405
--- response_headers
Allow: GET, HEAD, POST, OPTIONS
Lawfficient-Version: 2026-07-01
--- response_body eval: ''



=== the list: OPTIONS
--- request
OPTIONS /api/leads
--- key: none
--- error_code: 204
--- response_headers
Allow: GET, HEAD, POST, OPTIONS
Lawfficient-Version: 2026-07-01
--- response_body eval: ''



=== a lead: not by POST
--- request
POST /api/leads/x
--- key: none
--- error_code: 405
--- response_headers
Allow: GET, HEAD, PATCH, OPTIONS
Lawfficient-Version: 2026-07-01
--- response_body eval: ''



=== a lead: not by DELETE
--- request
DELETE /api/leads/x
--- key: none
--- error_code: 405
--- response_headers
Allow: GET, HEAD, PATCH, OPTIONS
Lawfficient-Version: 2026-07-01
--- response_body eval: ''



=== a lead: not by PUT
--- request
PUT /api/leads/x
--- key: none
--- error_code: 405
--- response_headers
Allow: GET, HEAD, PATCH, OPTIONS
Lawfficient-Version: 2026-07-01
--- response_body eval: ''



=== a lead: OPTIONS
--- request
OPTIONS /api/leads/x
--- key: none
--- error_code: 204
--- response_headers
Allow: GET, HEAD, PATCH, OPTIONS
Lawfficient-Version: 2026-07-01
--- response_body eval: ''



=== archive: not by GET
--- request
GET /api/leads/x/archive
--- key: none
--- error_code: 405
--- response_headers
Allow: POST, OPTIONS
Lawfficient-Version: 2026-07-01
--- response_body eval: ''



=== archive: not by HEAD
--- request
HEAD /api/leads/x/archive
--- key: none
--- error_code: 405
--- response_headers
Allow: POST, OPTIONS
Lawfficient-Version: 2026-07-01
--- response_body eval: ''



=== archive: not by PATCH
--- request
PATCH /api/leads/x/archive
--- key: none
--- error_code: 405
--- response_headers
Allow: POST, OPTIONS
Lawfficient-Version: 2026-07-01
--- response_body eval: ''



=== archive: OPTIONS
--- request
OPTIONS /api/leads/x/archive
--- key: none
--- error_code: 204
--- response_headers
Allow: POST, OPTIONS
Lawfficient-Version: 2026-07-01
--- response_body eval: ''



=== unarchive: not by DELETE
--- request
DELETE /api/leads/x/unarchive
--- key: none
--- error_code: 405
--- response_headers
Allow: POST, OPTIONS
Lawfficient-Version: 2026-07-01
--- response_body eval: ''



=== unarchive: OPTIONS
--- request
OPTIONS /api/leads/x/unarchive
--- key: none
--- error_code: 204
--- response_headers
Allow: POST, OPTIONS
Lawfficient-Version: 2026-07-01
--- response_body eval: ''



=== the description: not by POST
--- request
POST /api/openapi.json
--- key: none
--- error_code: 405
--- response_headers
Allow: GET, HEAD, OPTIONS
Lawfficient-Version: 2026-07-01
--- response_body eval: ''



=== the description: OPTIONS
--- request
OPTIONS /api/openapi.json
--- key: none
--- error_code: 204
--- response_headers
Allow: GET, HEAD, OPTIONS
Lawfficient-Version: 2026-07-01
--- response_body eval: ''



=== an id of nobody
--- request
GET /api/leads/01890a5d-ac96-774b-bcce-b302099a8057
--- refused: 404 not_found Lead not found.



=== an id that is none
--- request
GET /api/leads/123
--- refused: 404 not_found Lead not found.



=== an id with more behind
--- request
GET /api/leads/01890a5d-ac96-774b-bcce-b302099a8057x
--- refused: 404 not_found Lead not found.



=== to change an id that is none
--- request eval: "PATCH /api/leads/123\n{}"
--- refused: 404 not_found Lead not found.



=== to archive nobody
--- request
POST /api/leads/01890a5d-ac96-774b-bcce-b302099a8057/archive
--- refused: 404 not_found Lead not found.



=== a list of nothing
--- request
GET /api/leads?q=%00nobody
--- key: Bearer lak_rw2
--- error_code: 200
--- response_headers
Content-Type: application/json
Lawfficient-Version: 2026-07-01
--- response_body eval: '{"data":[],"next_cursor":null}'



=== a cursor that is none: x
--- request
GET /api/leads?cursor=x
--- refused: 400 invalid_cursor The cursor is invalid.



=== a cursor that is none: MjAyNg
--- request
GET /api/leads?cursor=MjAyNg
--- refused: 400 invalid_cursor The cursor is invalid.



=== a cursor that is none: %00
--- request
GET /api/leads?cursor=%00
--- refused: 400 invalid_cursor The cursor is invalid.



=== a cursor that is none: eyJpZCI6MX0=
--- request
GET /api/leads?cursor=eyJpZCI6MX0=
--- refused: 400 invalid_cursor The cursor is invalid.



=== a cursor that is none: MjAyNi0wNi0yNFQxMDowMDowMC4wMDBafG5vcGU
--- request
GET /api/leads?cursor=MjAyNi0wNi0yNFQxMDowMDowMC4wMDBafG5vcGU
--- refused: 400 invalid_cursor The cursor is invalid.



=== ?limit=x is no mistake
--- request
GET /api/leads?limit=x
--- error_code: 200
--- response_body_like: ^\{"data":\[.*\],"next_cursor":(null|"[\w-]{82}")\}$



=== ?limit=0 is no mistake
--- request
GET /api/leads?limit=0
--- error_code: 200
--- response_body_like: ^\{"data":\[.*\],"next_cursor":(null|"[\w-]{82}")\}$



=== ?limit=-5 is no mistake
--- request
GET /api/leads?limit=-5
--- error_code: 200
--- response_body_like: ^\{"data":\[.*\],"next_cursor":(null|"[\w-]{82}")\}$



=== ?limit= is no mistake
--- request
GET /api/leads?limit=
--- error_code: 200
--- response_body_like: ^\{"data":\[.*\],"next_cursor":(null|"[\w-]{82}")\}$



=== ?limit=1000 is no mistake
--- request
GET /api/leads?limit=1000
--- error_code: 200
--- response_body_like: ^\{"data":\[.*\],"next_cursor":(null|"[\w-]{82}")\}$



=== ?cursor= is no mistake
--- request
GET /api/leads?cursor=
--- error_code: 200
--- response_body_like: ^\{"data":\[.*\],"next_cursor":(null|"[\w-]{82}")\}$



=== ?status= is no mistake
--- request
GET /api/leads?status=
--- error_code: 200
--- response_body_like: ^\{"data":\[.*\],"next_cursor":(null|"[\w-]{82}")\}$



=== ?assignee=&source=&q= is no mistake
--- request
GET /api/leads?assignee=&source=&q=
--- error_code: 200
--- response_body_like: ^\{"data":\[.*\],"next_cursor":(null|"[\w-]{82}")\}$



=== ?status=nope finds nothing
--- request
GET /api/leads?status=nope
--- error_code: 200
--- response_body eval: '{"data":[],"next_cursor":null}'



=== ?assignee=nope finds nothing
--- request
GET /api/leads?assignee=nope
--- error_code: 200
--- response_body eval: '{"data":[],"next_cursor":null}'



=== HEAD of the list
--- request
HEAD /api/leads
--- error_code: 200
--- response_headers
Content-Type: application/json
Lawfficient-Version: 2026-07-01
--- response_body eval: ''



=== the description
--- request
GET /api/openapi.json
--- key: none
--- error_code: 200
--- response_headers
Content-Type: application/json
Lawfficient-Version: 2026-07-01
--- response_body_like: ^\{"openapi":"3\.1\.0",.*\}$



=== the description, whoever asks
--- request
GET /api/openapi.json
--- key: Bearer nope
--- error_code: 200
--- response_body_like: "/api/leads/\{id\}/archive"



=== a delivery
--- request eval: main::d()
--- key: Bearer lfk_zap1
--- error_code: 201
--- response_headers
Content-Type: application/json
!Lawfficient-Version
--- response_body_like eval: main::made('null')



=== a delivery twice
--- request eval: [(main::d(externalId => '"t"')) x 2]
--- key: Bearer lfk_zap1
--- error_code eval: [201, 200]
--- response_body_like eval
['^\{"externalId":"t","status":"created",',
 '^\{"externalId":"t","status":"updated",']



=== a create twice with an Idempotency-Key
--- request eval: [(main::post(main::b())) x 2]
--- more_headers
Idempotency-Key: k1
--- error_code eval: [201, 201]
--- response_body_like eval: ['"first_name":"Ada"', '"first_name":"Ada"']



=== a blank Idempotency-Key is none
--- request eval: [(main::post(main::b())) x 2]
--- more_headers eval: "Idempotency-Key:    "
--- error_code eval: [201, 201]
--- response_body_like eval: ['"first_name":"Ada"', '"first_name":"Ada"']



=== a delivery of numbers
--- request eval
main::d(lastName => '5', phone => '2.50', externalId => '7e2')
--- key: Bearer lfk_zap1
--- error_code: 201
--- response_body_like eval: main::made('"700"')



=== an external id that has lost digits
--- request eval: main::d(externalId => '9007199254740992')
--- key: Bearer lfk_zap1
--- error_code: 201
--- response_body_like eval: main::made('null')



=== the source's own names
--- request eval
main::post(
    '{"contact":{"name":{"first":"G","last":"H"}},"id":1,"phone":2}')
--- key: Bearer lfk_crm1
--- error_code: 201
--- response_body_like eval: main::made('"1"')



=== not the source's own names
--- request eval: main::d()
--- key: Bearer lfk_crm1
--- flat: 400 First and last name are required.



=== a label in any case
--- request eval: main::d(caseType => '"FAMILY"')
--- key: Bearer lfk_zap1
--- error_code: 201
--- response_body_like eval: main::made('null')



=== a delivery with no contact
--- request eval: main::d(phone => undef)
--- key: Bearer lfk_zap1
--- flat: 400 Add a phone number or an email.



=== a delivery with no name
--- request eval: main::d(firstName => undef)
--- key: Bearer lfk_zap1
--- flat: 400 First and last name are required.



=== a delivery with an address that is none
--- request eval: main::d(email => '"x"')
--- key: Bearer lfk_zap1
--- flat: 400 Enter a valid email address.



=== a delivery with no label of ours
--- request eval: main::d(caseType => '"Maritime"')
--- key: Bearer lfk_zap1
--- flat: 400 Invalid case type.



=== a delivery of an array
--- request eval: main::post('[{}]')
--- key: Bearer lfk_zap1
--- flat: 400 Invalid JSON body.



=== a delivery of a scalar
--- request eval: main::post('1')
--- key: Bearer lfk_zap1
--- flat: 400 Invalid JSON body.



=== a delivery of no JSON
--- request eval: main::post('{')
--- key: Bearer lfk_zap1
--- flat: 400 Invalid JSON body.



=== a delivery of 65537 bytes
--- request eval: main::post('["' . 'a' x 65533 . '"]')
--- key: Bearer lfk_zap1
--- flat: 413 Payload too large.



=== a delivery with a long Idempotency-Key
--- request eval: main::d()
--- key: Bearer lfk_zap1
--- more_headers eval: 'Idempotency-Key: ' . 'k' x 256
--- flat: 400 Idempotency-Key is too long.



=== a delivery of a disabled source
--- request eval: main::d()
--- key: Bearer lfk_old1
--- flat: 403 This source is disabled.



=== a delivery to a firm without an open stage
--- request eval: main::d()
--- key: Bearer lfk_zap0
--- flat: 500 Could not ingest the lead.



=== an ingestion key that reads
--- request
GET /api/leads
--- key: Bearer lfk_zap1
--- refused: 401 invalid_key Invalid API key.



=== an ingestion key that changes
--- request eval: "PATCH /api/leads/123\n{}"
--- key: Bearer lfk_zap1
--- refused: 401 invalid_key Invalid API key.
