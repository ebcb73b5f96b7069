# Copyright (C) the ngx_lead authors
#
# Leadflip's API, request by request: the vendor's answers, in its words, to
# what is right and to all that can be wrong.  (What needs the id of a lead is
# in leadflip_flow.t, what a body may be made of in limits.t.)

use strict;
use warnings;

use FindBin ();
use Test::Nginx::Socket 'no_plan';

use lib "$FindBin::Bin/lib";
use Test::LeadFixtures qw(leadflip_conf $FlipE1 $FlipE2 $FlipU1 $FlipU2
    $FlipU3);

no_root_location();
no_long_string();
repeat_each(1);

my $Conf = leadflip_conf();


sub intake {
    return "POST /api/intake\n" . join '', @_;
}


# of solar_leads, with a name; members are JSON
sub solar {
    my %member = (entity => '"solar_leads"', lead_name => '"Jane"', @_);

    return intake('{' . join(',', map { qq("$_":$member{$_}) }
        grep { defined $member{$_} } sort keys %member) . '}');
}


# of the entity with a field of each type
sub typed {
    return solar(entity => '"typed"', lead_name => undef,
        fullName => '"Jane"', @_);
}


sub bulk {
    return "POST /api/leads/bulk\n" . join '', @_;
}


sub rows {
    return bulk('{"entity":"solar_leads","batch":[' . join(',', @_) . ']}');
}


# Sections of our own: key, the credential (else Bearer lf_1, "none": no such
# header); refused ("401 text"), wrong ("path text" lines, a 422), exactly so;
# fine: a lead, new.

add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value('http_config', $Conf);
    $block->set_value('config', <<'_EOC_') if !defined $block->config;
        location /api/ {
            lead_api leadflip;
            client_max_body_size 8m;
            client_body_buffer_size 8m;
        }

        location /crm/ { lead_api leadflip base=/crm; }
_EOC_

    my $key = $block->key // 'Bearer lf_1';
    chomp $key;

    my $headers = $block->more_headers // '';
    $headers = "Authorization: $key\n$headers" if $key ne 'none';
    $block->set_value('more_headers', $headers) if length $headers;

    if (defined $block->refused) {
        my ($status, $text) = $block->refused =~ /^(\d+) (.+?)\s*$/
            or die "bad section: refused\n";

        $block->set_value('error_code', $status);
        $block->set_value('response_body',
            qq({"status":"error","message":"$text"}));

    } elsif (defined $block->wrong) {
        my @errors = map { /^(\S+) (.+?)\s*$/ ? qq("$1":["$2"])
            : die "bad section: wrong\n" } split /\n/, $block->wrong;

        $block->set_value('error_code', 422);
        $block->set_value('response_body', '{"status":"error",'
            . '"message":"Validation error","errors":{'
            . join(',', @errors) . '}}');

    } elsif (defined $block->fine) {
        $block->set_value('response_body_like',
            '^\{"status":"success","lead_id":"[0-9a-f]{8}-[0-9a-f]{4}-7'
            . '[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}","created_at":'
            . '"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00"\}$');
    }

    $block->set_value('response_headers', 'Content-Type: application/json')
        if !defined $block->response_headers;
    $block->set_value('no_error_log', "[error]\n[crit]\n[alert]\n[emerg]");
});

run_tests();

__DATA__

=== TL1: the seed's JSON
--- request
POST /api/intake
{
"entity": "solar_leads",
"lead_name": "Jane Doe",
"email": "jane@example.com",
"status:stage": "New"
}
--- fine



=== where it was moved to
--- request
POST /crm/intake
{"entity":"solar_leads","lead_name":"J"}
--- fine



=== TL2: a form, with names as people write them
--- request
POST /api/intake
entity=solar_leads&Lead-Name=Jane&E_MAIL=j@x.co
--- more_headers
Content-Type: application/x-www-form-urlencoded
--- fine



=== multipart
--- request eval
"POST /api/intake\n" . join('', map { "--b\r\nContent-Disposition: form-data; "
    . "name=\"$_->[0]\"\r\n\r\n$_->[1]\r\n" } ['Entity', 'solar_leads'],
    ['Lead Name', 'Jane'], ['viewers[]', 'bob@l1.test'],
    ['notes[0][text]', 'n']) . "--b--\r\n"
--- more_headers
Content-Type: multipart/form-data; boundary=b
--- fine



=== TL4: no entity
--- request eval: main::intake('{"lead_name":"J"}')
--- wrong
entity The entity field is required.



=== TL4: no such entity
--- request eval: main::solar(entity => '"nope"')
--- refused: 404 Entity not found



=== TL4: an entity by its id
--- request eval: main::solar(entity => qq("\U$main::FlipE1"))
--- fine



=== the old name of entity
--- request eval: main::solar(entity => undef, lead_object => '"SOLAR_leads"')
--- fine



=== ... if the new one is empty
--- request eval: main::solar(entity => 'null', 'LEAD-OBJECT' => '"solar_leads"')
--- fine



=== entity, in another spelling
--- request eval: main::solar(entity => undef, 'En tity' => '"solar_leads"')
--- fine



=== an entity of another account
--- request eval: main::solar(entity => '"theirs"')
--- refused: 404 Entity not found



=== an account without that entity
--- key: lf_2
--- request eval: main::solar()
--- refused: 404 Entity not found



=== an entity that is no text
--- request eval: main::solar(entity => '["solar_leads"]')
--- wrong
entity The entity field must be a string.



=== an empty entity
--- request eval: main::solar(entity => '" "')
--- wrong
entity The entity field is required.



=== TL5: nothing in a required field
--- request eval: main::solar(lead_name => undef, email => '"j@x.co"')
--- wrong
lead_name The lead name field is required.



=== TL5: an empty text
--- request eval: main::solar(lead_name => '""')
--- wrong
lead_name The lead name field is required.



=== space
--- request eval: main::solar(lead_name => '" \u00a0\t"')
--- wrong
lead_name The lead name field is required.



=== null
--- request eval: main::solar(lead_name => 'null')
--- wrong
lead_name The lead name field is required.



=== TL6: no address
--- request eval: main::solar(email => '"bad"')
--- wrong
email The email field must be a valid email address.



=== TL7: no key
--- key: none
--- request eval: main::solar()
--- refused: 401 Unauthorized



=== TL7: an unknown key
--- key: Bearer nope
--- request eval: main::solar()
--- refused: 401 Unauthorized



=== TL7: a key in the query is none
--- key: none
--- request
POST /api/intake?api_key=lf_1&key=lf_1
{"entity":"solar_leads","lead_name":"J","api_key":"lf_1"}
--- refused: 401 Unauthorized



=== TL7: a bare key
--- key: lf_1
--- request eval: main::solar()
--- fine



=== another case of the scheme
--- key: bEARER   lf_1
--- request eval: main::solar()
--- fine



=== another scheme
--- key: Basic lf_1
--- request eval: main::solar()
--- refused: 401 Unauthorized



=== a key that is empty
--- key: Bearer
--- request eval: main::solar()
--- refused: 401 Unauthorized



=== a disabled key
--- key: lf_off
--- request eval: main::solar()
--- refused: 401 Unauthorized



=== a key of another dialect
--- key: lf_other
--- request eval: main::solar()
--- refused: 401 Unauthorized



=== a key of this dialect alone
--- key: lf_api
--- request eval: main::solar()
--- fine



=== a source's key
--- key: lf_source
--- request eval: main::solar()
--- refused: 401 Unauthorized



=== a key of an account that is gone
--- key: lf_gone
--- request eval: main::solar()
--- refused: 401 Unauthorized



=== a key that may not write
--- key: lf_ro
--- request eval: main::solar()
--- refused: 401 Unauthorized



=== ... nor in bulk
--- key: lf_ro
--- request eval: main::rows('{"lead_name":"J"}')
--- refused: 401 Unauthorized



=== a key that may not read
--- key: lf_wo
--- request
GET /api/entities
--- refused: 401 Unauthorized



=== TL9: people and notes
--- request eval
main::solar(assignee => '"ANN@l1.test"',
    viewers => '["bob@l1.test","bob@l1.test"]', note => '"a"',
    notes => '["b",{"text":"c","tag":"t"}]')
--- fine



=== people by id, viewers in one text
--- request eval
main::solar(assignee => qq("\U$main::FlipU1"),
    viewers => qq(" $main::FlipU2 , ann\@l1.test,, "))
--- fine



=== nobody
--- request eval
main::solar(assignee => '""', viewers => '[null,""]', note => 'null',
    notes => '[null,""]', 'status:stage' => '""', dedup_mode => 'null')
--- fine



=== PHP's empty arrays
--- request eval: main::solar(viewers => '{}', notes => '{}')
--- fine



=== TL10: an assignee who is not there
--- request eval: main::solar(assignee => '"ghost@x.co"')
--- wrong
assignee The selected assignee is invalid.



=== TL10: an assignee of another account
--- request eval: main::solar(assignee => '"carl@l2.test"')
--- wrong
assignee The selected assignee is invalid.



=== ... by id
--- request eval: main::solar(assignee => qq("$main::FlipU3"))
--- wrong
assignee The selected assignee is invalid.



=== an assignee that is no text
--- request eval: main::solar(assignee => '{"id":1}')
--- wrong
assignee The selected assignee is invalid.



=== viewers who are not there
--- request eval: main::solar(viewers => '["bob@l1.test","carl@l2.test"]')
--- wrong
viewers The selected viewers is invalid.



=== viewers that are no texts
--- request eval: main::solar(viewers => '[1]')
--- wrong
viewers The selected viewers is invalid.



=== viewers that are no list
--- request eval: main::solar(viewers => '{"a":"bob@l1.test"}')
--- wrong
viewers The selected viewers is invalid.



=== TL10: notes that are no list
--- request eval: main::solar(notes => '"x"')
--- wrong
notes The notes field must be an array.



=== TL10: a note without text
--- request eval: main::solar(notes => '["a",{"tag":"t"}]')
--- wrong
notes The notes.1.text field is required.



=== notes that are no texts, each in its words
--- request eval: main::solar(notes => '[true,{"text":[1]},{"text":"a","tag":{}}]')
--- error_code: 422
--- response_body eval
'{"status":"error","message":"Validation error","errors":{"notes":['
. '"The notes.0 field must be a string.",'
. '"The notes.1.text field must be a string.",'
. '"The notes.2.tag field must be a string."]}}'



=== 100 notes
--- request eval: main::solar(notes => '[' . join(',', ('"n"') x 100) . ']')
--- fine



=== 101 notes
--- request eval: main::solar(notes => '[' . join(',', ('"n"') x 101) . ']')
--- wrong
notes The notes field must not have more than 100 items.



=== a note that is no text
--- request eval: main::solar(note => '["x"]')
--- wrong
note The note field must be a string.



=== TL11: a key that means nothing
--- request eval: main::solar(favourite_colour => '"red"', '' => '1', '_- ' => '2')
--- fine



=== what cannot be set
--- request eval: main::solar(created_at => '"x"', 'Updated At' => '[]', source => '{}')
--- fine



=== a stage by its name in another case, in another spelling of the pipeline
--- request eval: main::solar('STATUS: st_age' => '"qualified"')
--- fine



=== a stage that is not there
--- request eval: main::solar('Status:Stage' => '"Nope"')
--- wrong
status:stage The selected status:stage is invalid.



=== a stage of another pipeline
--- request eval: main::solar('status:stage' => '"Called"')
--- wrong
status:stage The selected status:stage is invalid.



=== a pipeline that the entity has not
--- request eval: main::solar('status:follow_up' => '"Called"')
--- wrong
status:follow_up The selected status:follow up is invalid.



=== a stage that is no text
--- request eval: main::solar('status:stage' => '["New"]')
--- wrong
status:stage The selected status:stage is invalid.



=== stages of two pipelines
--- request eval: main::typed('status:stage' => '"Won"', 'status:Follow Up' => '"called"')
--- fine



=== an unknown way with duplicates
--- request eval: main::solar(dedup_mode => '"merge"')
--- wrong
dedup_mode The selected dedup mode is invalid.



=== TL23: a text of many scripts, quotes and a backslash
--- request eval: main::solar(lead_name => '"Łukasz 李 \" \\\\ \u0141 \ud83d\ude00"')
--- fine



=== a text of 256 characters of four bytes
--- request eval: main::solar(lead_name => '"' . "\xf0\x9f\x98\x80" x 256 . '"')
--- fine



=== a text of 70,000
--- request eval: main::solar(lead_name => '"' . 'x' x 70000 . '"')
--- fine



=== U+0000
--- request eval: main::solar(lead_name => '"a\u0000b"')
--- wrong
lead_name The lead name field must be a string.



=== ... in an e-mail address, a note, a person, an entity
--- request eval
main::solar(email => '"a\u0000@x.co"', note => '"\u0000"',
    assignee => '"ann@l1.test\u0000"')
--- wrong
email The email field must be a string.
assignee The selected assignee is invalid.
note The note field must be a string.



=== an entity with U+0000
--- request eval: main::solar(entity => '"solar_leads\u0000"')
--- wrong
entity The entity field must be a string.



=== bytes that are no UTF-8
--- request eval: main::solar(lead_name => qq("\xff\xfe"))
--- wrong
body The request body must be valid JSON.



=== ... in a form become U+FFFD
--- request
POST /api/intake
entity=solar_leads&lead_name=%ff%fe
--- more_headers
Content-Type: application/x-www-form-urlencoded
--- fine



=== CR and LF in values
--- request eval: main::solar(lead_name => '"a\r\nSet-Cookie: x"', company => '"\n"')
--- fine
--- response_headers
Content-Type: application/json
!Set-Cookie



=== no JSON
--- request eval: main::intake('{"entity":')
--- wrong
body The request body must be valid JSON.



=== a byte order mark
--- request eval: main::intake("\xef\xbb\xbf" . '{"entity":"solar_leads","lead_name":"J"}')
--- wrong
body The request body must be valid JSON.



=== no form
--- request
POST /api/intake
--x
--- more_headers
Content-Type: multipart/form-data; boundary=b
--- wrong
body The request body must be a valid form.



=== JSON that is no object
--- request eval: main::intake('["solar_leads"]')
--- wrong
entity The entity field is required.



=== JSON that is a text
--- request eval: main::intake('"solar_leads"')
--- wrong
entity The entity field is required.



=== nothing
--- request
POST /api/intake
--- wrong
entity The entity field is required.



=== the last of equal names
--- request eval: main::intake('{"entity":"nope","lead_name":"","entity":"solar_leads","lead_name":"J"}')
--- fine



=== the exact name of a field is stronger than a later one
--- request eval: main::intake('{"entity":"solar_leads","lead_name":"J","Lead Name":""}')
--- fine



=== ... or an earlier one
--- request eval: main::intake('{"entity":"solar_leads","Lead Name":"J","lead_name":""}')
--- wrong
lead_name The lead name field is required.



=== of inexact ones, the later
--- request eval: main::intake('{"entity":"solar_leads","LeadName":"","Lead Name":"J"}')
--- fine



=== by label
--- request eval: main::typed(fullName => undef, 'the-name' => '"J"')
--- fine



=== a name in camel case
--- request eval: main::typed(fullName => '""')
--- wrong
fullName The full name field is required.



=== no letters of other scripts before the "@"
--- request eval
main::typed(mail => '"José@bücher.example"', mobile => '"(206) 555-0100 x1"',
    age => '18', budget => '"007.50"', born => '"2000-02-29"',
    optIn => '"YES"', roof => '"Pitched roof"',
    site => '"https://x.co/a?b#c"', home => '{"street":"1 Main","geo":[1,2]}')
--- error_code: 422
--- response_body_like: "mail":\["The mail field must be a valid email address\."\]



=== every type
--- request eval
main::typed(mail => '"jose@bücher.example"', mobile => '"(206) 555-0199 x1"',
    age => '18', budget => '"007.50"', born => '"2000-02-29"',
    optIn => '"YES"', roof => '"Pitched roof"',
    site => '"https://x.co/a?b#c"', home => '{"street":"1 Main","geo":[1,2]}')
--- fine



=== no type
--- request eval
main::typed(fullName => 'true', mail => '5', mobile => '{}', age => '"x"',
    budget => '[1]', born => '"2001-02-29"', optIn => '"maybe"',
    roof => '"Flat"', site => '"x.co"', home => '"1 Main"', kind => '"c"')
--- wrong
fullName The full name field must be a string.
mail The mail field must be a valid email address.
mobile The mobile field must be a string.
age The age field must be a number.
budget The budget field must be a number.
born The born field must be a valid date.
optIn The opt in field must be true or false.
roof The selected roof is invalid.
site The site field must be a valid URL.
home The home field must be an array.
kind The selected kind is invalid.



=== below the least
--- request eval: main::typed(age => '17.9', born => '"1969-12-31"')
--- wrong
age The age field must be at least 18.
born The born field must be a date after or equal to 1970-01-01.



=== above the most
--- request eval: main::typed(age => '"65.51"', born => '"2021-01-01"')
--- wrong
age The age field must not be greater than 65.5.
born The born field must be a date before or equal to 2020-12-31.



=== numbers that are none
--- request eval: main::typed(budget => '"0x10"', age => '"1e"')
--- wrong
age The age field must be a number.
budget The budget field must be a number.



=== a number beyond all
--- request eval: main::typed(budget => '1e999')
--- wrong
budget The budget field must be a number.



=== numbers as PHP reads them
--- request eval: main::typed(budget => '"+.5e1"', age => '" 20. "')
--- fine



=== a number for a text, an option and a switch
--- request eval: main::typed(fullName => '5', roof => '1', optIn => '0')
--- fine



=== an address with U+0000
--- request eval: main::typed(home => '{"a":[{"b":"\u0000"}]}')
--- wrong
home The home field must be an array.



=== an address that is a list
--- request eval: main::typed(home => '["a"]')
--- wrong
home The home field must be an array.



=== empty values of every type
--- request eval
main::typed(mail => '""', mobile => 'null', age => '""', budget => 'null',
    born => '" "', optIn => '""', roof => 'null', site => '""', home => '{}')
--- fine



=== 262,144 bytes
--- request eval
my $b = main::solar(company => '"@"');
$b =~ s/\@/'x' x (262144 + length("POST \/api\/intake\n") + 1 - length $b)/er
--- fine



=== a byte more
--- request eval
my $b = main::solar(company => '"@"');
$b =~ s/\@/'x' x (262145 + length("POST \/api\/intake\n") + 1 - length $b)/er
--- refused: 413 The POST data is too large.



=== Idempotency-Key of 255 characters
--- request eval: main::solar()
--- more_headers eval: "Idempotency-Key: " . "\xc3\xa9" x 255 . "\n"
--- fine



=== ... and of one more
--- request eval: main::solar()
--- more_headers eval: "Idempotency-Key: " . "\xc3\xa9" x 256 . "\n"
--- wrong
idempotency_key The idempotency key field must not be greater than 255 characters.



=== TL13: the seed's bulk
--- request
POST /api/leads/bulk
{
"entity": "solar_leads",
"batch": [
{ "lead_name": "A", "email": "a@example.com" },
{ "lead_name": "B", "email": "b@example.com" }
],
"source": "csv_import",
"note": "Batch import"
}
--- response_body_like: ^\{"status":"success","created":\[\{"lead_id":"[0-9a-f-]{36}","email":"a@example\.com"\},\{"lead_id":"[0-9a-f-]{36}","email":"b@example\.com"\}\]\}$



=== a bulk as a form
--- request
POST /api/leads/bulk
entity=solar_leads&batch[0][Lead+Name]=A&batch[0][email]=a@x.co&batch[1][lead_name]=B
--- more_headers
Content-Type: application/x-www-form-urlencoded
--- response_body_like: ^\{"status":"success","created":\[\{"lead_id":"[0-9a-f-]{36}","email":"a@x\.co"\},\{"lead_id":"[0-9a-f-]{36}","email":null\}\]\}$



=== the first field of type e-mail, where none has the name
--- request eval: main::bulk('{"entity":"typed","batch":[{"fullName":"A","mail":"bulk@x.co"}]}')
--- response_body_like: "email":"bulk@x\.co"\}\]\}$



=== no field of that type
--- key: lf_3
--- request eval: main::bulk('{"entity":"bare","batch":[{}]}')
--- response_body_like: ^\{"status":"success","created":\[\{"lead_id":"[0-9a-f-]{36}","email":null\}\]\}$



=== TL15: no rows
--- request eval: main::rows()
--- wrong
batch The batch field is required.



=== TL15: an empty object
--- request eval: main::bulk('{"entity":"solar_leads","batch":{}}')
--- wrong
batch The batch field is required.



=== TL15: no batch, no entity
--- request eval: main::bulk('{}')
--- wrong
entity The entity field is required.
batch The batch field is required.



=== a batch that is an object
--- request eval: main::bulk('{"entity":"solar_leads","batch":{"a":{"lead_name":"A"}}}')
--- wrong
batch The batch field must be an array.



=== a batch that is a text
--- request eval: main::bulk('{"entity":"solar_leads","batch":"x"}')
--- wrong
batch The batch field must be an array.



=== TL15: rows that are none
--- request eval: main::rows('"x"', '{"lead_name":"A"}', '[]', 'null')
--- wrong
batch.0 The batch.0 field must be an array.
batch.2 The batch.2 field must be an array.
batch.3 The batch.3 field must be an array.



=== bad rows
--- request eval
main::rows('{"lead_name":"A"}', '{"lead_name":" "}',
    '{"lead_name":"C","email":"c","assignee":"x","notes":[{}],"status:stage":"x"}')
--- wrong
batch.1.lead_name The batch.1.lead_name field is required.
batch.2.email The batch.2.email field must be a valid email address.
batch.2.assignee The selected batch.2.assignee is invalid.
batch.2.status:stage The selected batch.2.status:stage is invalid.
batch.2.notes The batch.2.notes.0.text field is required.



=== an unknown entity, whatever the rows are
--- request eval: main::bulk('{"entity":"nope","batch":["x"]}')
--- refused: 404 Entity not found



=== an entity of another account in bulk
--- key: lf_2
--- request eval: main::rows('{"lead_name":"A"}')
--- refused: 404 Entity not found



=== what a bulk says of all is wrong
--- request eval: main::bulk('{"entity":"solar_leads","batch":[{"lead_name":"A"}],"source":[1],"note":{"a":1}}')
--- wrong
note The note field must be a string.
source The source field must be a string.



=== a source of 255 characters
--- request eval: main::bulk('{"entity":"solar_leads","batch":[{"lead_name":"A"}],"source":"' . "\xf0\x9f\x98\x80" x 255 . '"}')
--- response_body_like: ^\{"status":"success"



=== ... of 256
--- request eval: main::bulk('{"entity":"solar_leads","batch":[{"lead_name":"A"}],"source":"' . "\xc3\xa9" x 256 . '"}')
--- wrong
source The source field must not be greater than 255 characters.



=== 1,001 rows
--- request eval: main::rows(('{"lead_name":"A"}') x 1001)
--- wrong
batch The batch field must not have more than 1000 items.



=== 1,001 rows that are none
--- request eval: main::rows((0) x 1001)
--- wrong
batch The batch field must not have more than 1000 items.



=== 4 MiB
--- request eval: main::rows('{"lead_name":"A","x":"' . 'x' x (4194304 - 64) . '"}')
--- response_body_like: ^\{"status":"success"



=== more than that
--- request eval: main::rows('{"lead_name":"A","x":"' . 'x' x 4194304 . '"}')
--- refused: 413 The POST data is too large.



=== a row whose lead would be too large
--- request eval: main::rows('{"lead_name":"A"}', '{"lead_name":"' . 'x' x 1100000 . '"}')
--- refused: 413 The POST data is too large.



=== TL17: no lead
--- request
GET /api/leads/0190a2c4-7d1e-7b2a-9c3d-1e2f3a4b5c6d
--- refused: 404 Lead not found



=== TL17: no id
--- request
GET /api/leads/abc
--- refused: 404 Lead not found



=== a number is no id
--- request
GET /api/leads/1
--- refused: 404 Lead not found



=== "bulk" is one
--- request
GET /api/leads/bulk
--- refused: 404 Lead not found



=== PATCH of nobody
--- request
PATCH /api/leads/0190a2c4-7d1e-7b2a-9c3d-1e2f3a4b5c6d
{"fields":{"company":"x"}}
--- refused: 404 Lead not found



=== ... and of no id, before what is wrong
--- request
PATCH /api/leads/abc
{}
--- refused: 404 Lead not found



=== status of nobody
--- request
PATCH /api/leads/0190a2c4-7d1e-7b2a-9c3d-1e2f3a4b5c6d/status
{"status_step":"New"}
--- refused: 404 Lead not found



=== status of no id
--- request
PATCH /api/leads/abc/status
{"status_step":"New"}
--- refused: 404 Lead not found



=== TL22: entities
--- request
GET /api/entities
--- response_body eval
qq([{"id":"$main::FlipE1","label":"Solar Leads","fields":[)
. '{"key":"lead_name","type":"text","required":true},'
. '{"key":"email","type":"email","required":false},'
. '{"key":"phone","type":"phone","required":false},'
. '{"key":"company","type":"text","required":false}]},'
. qq({"id":"$main::FlipE2","label":"Quotes","fields":[)
. '{"key":"email","type":"email","required":false},'
. '{"key":"name","type":"text","required":false}]},'
. '{"id":"e3000000-0000-4000-8000-000000000003","label":"Typed","fields":['
. join(',', map { '{"key":"' . $_->[0] . '","type":"' . $_->[1]
    . '","required":' . ($_->[0] eq 'fullName' ? 'true' : 'false') . '}' }
    [fullName => 'text'], [mail => 'email'], [mobile => 'phone'],
    [age => 'number'], [budget => 'number'], [born => 'date'],
    [optIn => 'checkbox'], [roof => 'select'], [site => 'url'],
    [home => 'address'], [country => 'text'], [kind => 'select'])
. ']}]'



=== entities by their old name, of another account
--- key: lf_3
--- request
GET /api/lead-objects
--- response_body_like: ^\[\{"id":"[0-9a-f-]{36}","label":"Bare","fields":\[\{"key":"lead_name","type":"text","required":false\}\]\}\]$



=== entities without a key
--- key: none
--- request
GET /api/lead-objects
--- refused: 401 Unauthorized



=== TL24: another method
--- request
GET /api/intake
--- refused: 405 The GET method is not supported for route api/intake. Supported methods: POST.
--- response_headers
Allow: POST
Content-Type: application/json



=== another method of a lead
--- request
DELETE /api/leads/abc
--- refused: 405 The DELETE method is not supported for route api/leads/abc. Supported methods: GET, HEAD, PATCH.
--- response_headers
Allow: GET, HEAD, PATCH



=== a method that browsers ask with first
--- key: none
--- request
OPTIONS /api/intake
--- refused: 405 The OPTIONS method is not supported for route api/intake. Supported methods: POST.
--- response_headers
Allow: POST



=== another path
--- request
GET /api/lead
--- refused: 404 Not found
