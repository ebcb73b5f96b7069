# Copyright (C) the ngx_lead authors
#
# Flextell's API, request by request: the vendor's answers, in its words, to
# what is right and to all that can be wrong.  (What needs the id of a lead is
# in flextell_flow.t.)

use strict;
use warnings;

use FindBin ();
use Test::Nginx::Socket 'no_plan';

use lib "$FindBin::Bin/lib";
use Test::LeadFixtures qw(flextell_conf);

no_root_location();
no_long_string();
repeat_each(1);

my $Conf = flextell_conf();


sub post {
    return "POST /api/v1/leads\n" . join '', @_;
}


# members in order, values are JSON; the last name is S unless it is given
sub b {
    my @pairs = @_;
    my %has = @pairs;
    unshift @pairs, last_name => '"S"' if !exists $has{last_name};
    my @members;

    while (my ($name, $value) = splice @pairs, 0, 2) {
        push @members, qq("$name":$value);
    }

    return '{' . join(',', @members) . '}';
}


# one member beside the last name
sub one {
    return post(b(@_));
}


# a whole answer: the lead as the vendor shows it, but for what is given
sub lead {
    my %is = (last_name => '"Smith"', full_name => '"Smith"',
        is_converted => '"false"', id => '\d+',
        created_at => '"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"',
        status => '{"id":1,"name":"New","slug":"new","color":"#94a3b8",'
            . '"is_terminal":false}', @_);

    $is{updated_at} = $is{created_at};
    $is{$_} =~ s/([{}\[\]+?.()|])/\\$1/g for grep { !/^(?:id|.*_at)$/ } keys %is;

    my $data = join ',', map { qq("$_":) . ($is{$_} // 'null') } qw(id
        first_name last_name full_name phone_number email description message
        preferred_contact source_page_url country_id is_converted converted_at
        customer_id marketing_attribution external_id external_branch_id
        external_created_at last_synced_at import_source_id created_at
        updated_at deleted_at status reference_source assigned_user
        country_name);

    return qr/^\{"success":"Lead\ created\ successfully\.","data":\{$data\}\}$/;
}


# Sections of our own: key, the credential (else Bearer ft_ok); tenant (else 7);
# refused ("status code text"), an answer that must be exactly so; invalid, lines
# of "field: text", all that is wrong, and first, what is said on top

add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value('http_config', $Conf);
    $block->set_value('config', <<'_EOC_') if !defined $block->config;
        location / { lead_api flextell; }
_EOC_

    my $key = $block->key // 'Bearer ft_ok';
    my $tenant = $block->tenant // '7';
    chomp($key, $tenant);

    my $headers = $block->more_headers // '';
    $headers = "Authorization: $key\n$headers" if $key ne 'none';
    $headers = "X-Tenant: $tenant\n$headers" if $tenant ne 'none';
    $block->set_value('more_headers', $headers) if length $headers;

    my $answer = $block->response_headers // '';
    $answer .= "\n" if length $answer && $answer !~ /\n\z/;
    $block->set_value('response_headers',
        "${answer}Content-Type: application/json") if !ref $block->request;

    if (defined $block->refused) {
        my ($status, $code, $text) = $block->refused
            =~ /^(\d+) (\w+) (.+?)\s*$/ or die "bad section: refused\n";

        $block->set_value('error_code', $status);
        $block->set_value('response_body',
            qq({"error":"$code","message":"$text"}));

    } elsif (defined $block->invalid) {
        my (@fields, %texts);

        for (split /\n/, $block->invalid) {
            my ($field, $text) = /^(\S+): (.+?)\s*$/
                or die "bad section: invalid\n";
            push @fields, $field if !$texts{$field};
            push @{ $texts{$field} }, qq("$text");
        }

        my $first = $texts{ $fields[0] }[0];
        my $words = $fields[0] =~ /\./ ? $fields[0] : $fields[0] =~ tr/_/ /r;
        $first =~ s/\Q$words\E/'$fields[0]'/;

        $block->set_value('error_code', 422);
        $block->set_value('response_body',
            qq({"error":"validation_error","message":$first,"errors":{)
            . join(',', map { qq("$_":[) . join(',', @{ $texts{$_} }) . ']' }
                @fields) . '}}');
    }

    $block->set_value('no_error_log', "[error]\n[crit]\n[alert]\n[emerg]");
});

run_tests();

__DATA__

=== TF1: a last name is enough
--- request eval: main::post('{"last_name":"Smith"}')
--- error_code: 201
--- response_headers
!WWW-Authenticate
!X-RateLimit-Limit
--- response_body_like eval: main::lead()



=== TF2: all fields
--- request eval
main::post(main::b(last_name => '"Smith"', first_name => '"Jo"',
    phone_number => '"+12065550100"', email => '"jsmith@example.com"',
    description => '"D"', message => '"M"', preferred_contact => '"phone"',
    source_page_url => '"https://e.com/a?b=1"', lead_status_id => '2',
    lead_reference_source_id => '6', assigned_user_id => '11',
    country_id => '215', marketing_attribution => '["utm_source=google","x"]'))
--- error_code: 201
--- response_body_like eval
main::lead(last_name => '"Smith"', first_name => '"Jo"',
    full_name => '"Jo Smith"', phone_number => '"+12065550100"',
    email => '"jsmith@example.com"', description => '"D"', message => '"M"',
    preferred_contact => '"phone"', source_page_url => '"https://e.com/a?b=1"',
    country_id => 215, country_name => "\"T\xc3\xbcrkiye\"",
    marketing_attribution => '["utm_source=google","x"]',
    status => '{"id":2,"name":"Won","slug":"won","color":null,'
        . '"is_terminal":true}',
    reference_source => '{"id":6,"name":"Partner","external_id":"p-6"}',
    assigned_user => '{"id":11,"name":"Ann"}')



=== all null but the last name
--- request eval
main::post(main::b(last_name => '"Smith"', map { $_ => 'null' }
    qw(first_name phone_number email description message preferred_contact
    source_page_url lead_status_id lead_reference_source_id assigned_user_id
    country_id marketing_attribution)))
--- error_code: 201
--- response_body_like eval: main::lead()



=== all empty but the last name
--- request eval
main::post(main::b(last_name => '"Smith"', map { $_ => '"  "' }
    qw(first_name phone_number email description message preferred_contact
    source_page_url lead_status_id lead_reference_source_id assigned_user_id
    country_id marketing_attribution)))
--- error_code: 201
--- response_body_like eval: main::lead()



=== TF3: nothing
--- request eval: main::post('{}')
--- invalid
last_name: The last name field is required.



=== TF3: null
--- request eval: main::post('{"last_name":null}')
--- invalid
last_name: The last name field is required.



=== TF3: blank
--- request eval: main::post('{"last_name":"   "}')
--- invalid
last_name: The last name field is required.



=== what is blank to Laravel
--- request eval
main::post('{"last_name":"\u00a0\u200b\ufeff\u2028\u00ad\u3000\u2800\t\r\n"}')
--- invalid
last_name: The last name field is required.



=== an empty array is nothing
--- request eval: main::post('{"last_name":[]}')
--- invalid
last_name: The last name field is required.



=== an empty body
--- request
POST /api/v1/leads
--- invalid
last_name: The last name field is required.



=== TF4: 255 characters of two bytes
--- request eval: main::one(last_name => '"' . "\xc3\xa9" x 255 . '"')
--- error_code: 201
--- response_body_like eval: '"last_name":"' . "\xc3\xa9" x 255 . '"'



=== TF4: 256 characters of two bytes
--- request eval: main::one(last_name => '"' . "\xc3\xa9" x 256 . '"')
--- invalid
last_name: The last name field must not be greater than 255 characters.



=== TF4: 255 characters of four bytes, and space around
--- request eval
main::one(last_name => '" ' . "\xf0\x9f\xa6\x8a" x 255 . ' "')
--- error_code: 201
--- response_body_like eval: '"last_name":"' . "\xf0\x9f\xa6\x8a" x 255 . '"'



=== TF4: 256 characters, escaped as surrogates
--- request eval: main::one(last_name => '"' . '\ud83e\udd8a' x 256 . '"')
--- invalid
last_name: The last name field must not be greater than 255 characters.



=== TF5: a number
--- request eval: main::post('{"last_name":5}')
--- invalid
last_name: The last name field must be a string.



=== TF5: an array
--- request eval: main::post('{"last_name":["a"]}')
--- invalid
last_name: The last name field must be a string.



=== false, an object, U+0000
--- request eval
main::one(last_name => 'false', first_name => '{"a":1}', message => '"a\u0000b"')
--- invalid
last_name: The last name field must be a string.
first_name: The first name field must be a string.
message: The message field must be a string.



=== TF6: an empty first name
--- request eval: main::one(first_name => '""')
--- error_code: 201
--- response_body_like: "first_name":null,"last_name":"S","full_name":"S"



=== texts are trimmed
--- request eval: main::one(first_name => '"\u00a0 Jo\u200b "')
--- error_code: 201
--- response_body_like: "first_name":"Jo","last_name":"S","full_name":"Jo S"



=== TF7: no e-mail address
--- request eval: main::one(email => '"nope"')
--- invalid
email: The email field must be a valid email address.



=== TF8: an e-mail address stays as it is
--- request eval: main::one(email => '" John@EXAMPLE.com "')
--- error_code: 201
--- response_body_like: "email":"John@EXAMPLE.com"



=== an e-mail address without a dot
--- request eval: main::one(email => '"john@localhost"')
--- error_code: 201
--- response_body_like: "email":"john@localhost"



=== an e-mail address that is a number
--- request eval: main::one(email => '5')
--- invalid
email: The email field must be a valid email address.



=== an e-mail address too long
--- request eval: main::one(email => '"' . 'a' x 250 . '@e.com"')
--- invalid
email: The email field must be a valid email address.
email: The email field must not be greater than 255 characters.



=== an e-mail address with a line end
--- request eval: main::one(email => '"a@e.com\r\nBcc: b@e.com"')
--- invalid
email: The email field must be a valid email address.



=== TF9: a phone number of 50 characters
--- request eval: main::one(phone_number => '"' . '1' x 50 . '"')
--- error_code: 201
--- response_body_like: "phone_number":"1{50}"



=== TF9: of 51
--- request eval: main::one(phone_number => '"' . '1' x 51 . '"')
--- invalid
phone_number: The phone number field must not be greater than 50 characters.



=== TF9: in any form
--- request eval: main::one(phone_number => '"(206) 555-0100"')
--- error_code: 201
--- response_body_like: "phone_number":"\(206\) 555-0100"



=== a phone number that is a number
--- request eval: main::one(phone_number => '12065550100')
--- invalid
phone_number: The phone number field must be a string.



=== TF10: no URL
--- request eval: main::one(source_page_url => '"example.com"')
--- invalid
source_page_url: The source page url field must be a valid URL.



=== TF10: a URL
--- request eval: main::one(source_page_url => '"https://e.com/a?b=1"')
--- error_code: 201
--- response_body_like: "source_page_url":"https://e\.com/a\?b=1"



=== TF10: 2,048 characters
--- request eval
main::one(source_page_url => '"https://e.com/' . 'a' x 2034 . '"')
--- error_code: 201
--- response_body_like: "source_page_url":"https://e\.com/a{2034}"



=== TF10: 2,049 characters
--- request eval
main::one(source_page_url => '"https://e.com/' . 'a' x 2035 . '"')
--- invalid
source_page_url: The source page url field must not be greater than 2048 characters.



=== TF11: a way of contact of 50 and 51 characters
--- request eval
["POST /v1/leads\n" . main::b(preferred_contact => '"' . "\xc3\xa9" x 50 . '"'),
 "POST /v1/leads\n" . main::b(preferred_contact => '"' . "\xc3\xa9" x 51 . '"')]
--- error_code eval: [201, 422]
--- response_body_like eval
['"preferred_contact":', 'The preferred contact field must not be greater than 50 characters\.']



=== texts without a limit
--- request eval
main::one(description => '"' . 'd' x 100000 . '"', message => '"a\nb\"<b>"')
--- error_code: 201
--- response_body_like: "description":"d{1000,}","message":"a\\nb\\"<b>"



=== TF12: a status by a text
--- request eval: main::one(lead_status_id => '"2"')
--- error_code: 201
--- response_body_like: "status":\{"id":2,"name":"Won","slug":"won","color":null,"is_terminal":true\}



=== integers as PHP knows them
--- request eval
main::one(lead_status_id => '2.0', lead_reference_source_id => '" +5 "',
    assigned_user_id => '1.1e1', country_id => '840')
--- error_code: 201
--- response_body_like: "country_id":840,.*"status":\{"id":2,.*"reference_source":\{"id":5,.*"assigned_user":\{"id":11,.*"country_name":"United States"



=== true is one
--- request eval: main::one(lead_status_id => 'true')
--- error_code: 201
--- response_body_like: "status":\{"id":1,



=== no integers
--- request eval
main::one(lead_status_id => '"two"', lead_reference_source_id => '5.5',
    assigned_user_id => '"011"', country_id => 'false')
--- invalid
lead_status_id: The lead status id field must be an integer.
lead_reference_source_id: The lead reference source id field must be an integer.
assigned_user_id: The assigned user id field must be an integer.
country_id: The country id field must be an integer.



=== no integers either
--- request eval
main::one(lead_status_id => '[2]', lead_reference_source_id => '{}',
    assigned_user_id => '"9223372036854775808"', country_id => '"- 5"')
--- invalid
lead_status_id: The lead status id field must be an integer.
lead_reference_source_id: The lead reference source id field must be an integer.
assigned_user_id: The assigned user id field must be an integer.
country_id: The country id field must be an integer.



=== integers of nothing
--- request eval
main::one(lead_status_id => '0', lead_reference_source_id => '-5',
    assigned_user_id => '9223372036854775807', country_id => '1')
--- invalid
lead_status_id: The selected lead status id is invalid.
lead_reference_source_id: The selected lead reference source id is invalid.
assigned_user_id: The selected assigned user id is invalid.
country_id: The selected country id is invalid.



=== TF13: a user of another tenant
--- request eval: main::one(assigned_user_id => '99')
--- invalid
assigned_user_id: The selected assigned user id is invalid.



=== TF14: a status and a source of another tenant
--- request eval
main::one(lead_status_id => '91', lead_reference_source_id => '95')
--- invalid
lead_status_id: The selected lead status id is invalid.
lead_reference_source_id: The selected lead reference source id is invalid.



=== a country by ISO's number shows by the account's
--- request eval: main::one(country_id => '792')
--- error_code: 201
--- response_body_like eval: qr/"country_id":215,.*"country_name":"T\xc3\xbcrkiye"/



=== another account's id of a country
--- key: Bearer ft_t8
--- tenant: 8
--- request eval: main::one(country_id => '215')
--- invalid
country_id: The selected country id is invalid.



=== without a default status there is none
--- key: Bearer ft_t8
--- tenant: 8
--- request eval: main::one()
--- error_code: 201
--- response_body_like: "status":null,"reference_source":null,"assigned_user":null



=== TF15: attribution that is no array
--- request eval: main::one(marketing_attribution => '"x"')
--- invalid
marketing_attribution: The marketing attribution field must be an array.



=== TF15: elements that are no strings
--- request eval
main::one(marketing_attribution => '["a",1,null,"b",""," ",["c"],"\u0000"]')
--- invalid
marketing_attribution.1: The marketing_attribution.1 field must be a string.
marketing_attribution.2: The marketing_attribution.2 field must be a string.
marketing_attribution.4: The marketing_attribution.4 field must be a string.
marketing_attribution.5: The marketing_attribution.5 field must be a string.
marketing_attribution.6: The marketing_attribution.6 field must be a string.
marketing_attribution.7: The marketing_attribution.7 field must be a string.



=== elements are trimmed
--- request eval: main::one(marketing_attribution => '[" a ","b"]')
--- error_code: 201
--- response_body_like: "marketing_attribution":\["a","b"\]



=== no elements
--- request eval: main::one(marketing_attribution => '[]')
--- error_code: 201
--- response_body_like: "marketing_attribution":\[\]



=== an object is an array
--- request eval
["POST /v1/leads\n" . main::b(marketing_attribution => '{"utm":"x","t":" y "}'),
 "POST /v1/leads\n" . main::b(marketing_attribution => '{"0":"x","1":"y"}'),
 "POST /v1/leads\n" . main::b(marketing_attribution => '{}'),
 "POST /v1/leads\n" . main::b(marketing_attribution => '{"utm":5}')]
--- error_code eval: [201, 201, 201, 422]
--- response_body_like eval
['"marketing_attribution":\{"utm":"x","t":"y"\}',
 '"marketing_attribution":\["x","y"\]',
 '"marketing_attribution":\[\]',
 '"marketing_attribution.utm":\["The marketing_attribution.utm field must be a string."\]']



=== many elements that are no strings: some are named
--- request eval
main::one(marketing_attribution => '[' . join(',', (1) x 5000) . ']')
--- error_code: 422
--- response_body_like: "marketing_attribution.255":\["The marketing_attribution.255 field must be a string."\]\}\}$



=== all that is wrong at once, in the order of the fields
--- request eval
main::post('{"country_id":1,"email":"x","last_name":""}')
--- invalid
last_name: The last name field is required.
email: The email field must be a valid email address.
country_id: The selected country id is invalid.



=== of a member twice the last one
--- request eval: main::post('{"last_name":5,"last_name":"T"}')
--- error_code: 201
--- response_body_like: "last_name":"T"



=== what only the server sets is ignored
--- request eval
main::one(id => 1, tenant_id => 8, external_id => '"x"',
    is_converted => 'true', deleted_at => '"2023-11-07T05:31:56Z"',
    status => '{"id":2}')
--- error_code: 201
--- response_body_like: "is_converted":"false",.*"external_id":null,.*"deleted_at":null,"status":\{"id":1,



=== TF19: the other path, a trailing slash
--- request eval
["POST /v1/leads\n" . main::b(), "POST /api/v1/leads/\n" . main::b()]
--- error_code eval: [201, 201]
--- response_body_like eval: ['"success":', '"success":']



=== moved elsewhere
--- config
        location /crm/ { lead_api flextell base=/crm; }
--- request eval: "POST /crm/leads\n" . main::b()
--- error_code: 201
--- response_body_like: "success"



=== a form
--- request eval
main::post('last_name=Zo%C3%AB+S&lead_status_id=2&country_id='
    . '&marketing_attribution[]=a&marketing_attribution[]=b%26')
--- more_headers
Content-Type: application/x-www-form-urlencoded
--- error_code: 201
--- response_body_like eval
qr/"last_name":"Zo\xc3\xab S".*"country_id":null,.*"marketing_attribution":\["a","b&"\].*"status":\{"id":2,/



=== a form that is none
--- request eval: main::post('a' x 300 . '=1')
--- more_headers
Content-Type: application/x-www-form-urlencoded
--- refused: 400 invalid_request The request body is not a valid form.



=== TF16: no Authorization
--- key: none
--- request eval: main::one()
--- response_headers
WWW-Authenticate: Bearer realm="flextell"
--- refused: 401 invalid_token The bearer token is expired or malformed.



=== TF16: an expired token
--- key: Bearer ft_exp
--- request eval: main::one()
--- response_headers
WWW-Authenticate: Bearer realm="flextell", error="invalid_token", error_description="The bearer token is expired or malformed."
--- refused: 401 invalid_token The bearer token is expired or malformed.



=== TF16: another scheme
--- key: Basic x
--- request eval: main::one()
--- response_headers
WWW-Authenticate: Bearer realm="flextell"
--- refused: 401 invalid_token The bearer token is expired or malformed.



=== a token without its scheme
--- key: ft_ok
--- request eval: main::one()
--- refused: 401 invalid_token The bearer token is expired or malformed.



=== a token in the query
--- key: none
--- request eval: "POST /v1/leads?access_token=ft_ok\n" . main::b()
--- refused: 401 invalid_token The bearer token is expired or malformed.



=== an unknown token
--- key: Bearer ft_nobody
--- request eval: main::one()
--- refused: 401 invalid_token The bearer token is expired or malformed.



=== a disabled token
--- key: Bearer ft_off
--- request eval: main::one()
--- refused: 401 invalid_token The bearer token is expired or malformed.



=== a token of another dialect
--- key: Bearer ft_other
--- request eval: main::one()
--- refused: 401 invalid_token The bearer token is expired or malformed.



=== a token of this dialect
--- key: Bearer ft_api
--- request eval: main::one()
--- error_code: 201
--- response_body_like: "success"



=== an ingestion key
--- key: Bearer ft_source
--- request eval: main::one()
--- refused: 401 invalid_token The bearer token is expired or malformed.



=== a token of an account that is gone
--- key: Bearer ft_gone
--- request eval: main::one()
--- refused: 401 invalid_token The bearer token is expired or malformed.



=== the token comes before the tenant
--- key: none
--- tenant: none
--- request eval: main::one()
--- refused: 401 invalid_token The bearer token is expired or malformed.



=== TF17: a token that may only read
--- key: Bearer ft_ro
--- request eval: main::one()
--- response_headers
WWW-Authenticate: Bearer realm="flextell", error="insufficient_scope", error_description="The access token does not have the required scope.", scope="write:leads"
--- refused: 403 insufficient_scope The access token does not have the required scope.



=== a token that may only write
--- key: Bearer ft_wo
--- request
GET /v1/leads
--- response_headers
WWW-Authenticate: Bearer realm="flextell", error="insufficient_scope", error_description="The access token does not have the required scope.", scope="read:leads"
--- refused: 403 insufficient_scope The access token does not have the required scope.



=== TF18: no tenant
--- tenant: none
--- request eval: main::one()
--- refused: 400 invalid_request The 'X-Tenant' header is required.



=== an empty tenant
--- tenant eval: ''
--- request eval: main::one()
--- refused: 400 invalid_request The 'X-Tenant' header is required.



=== TF18: no number
--- tenant: abc
--- request eval: main::one()
--- refused: 400 invalid_request The 'X-Tenant' header must be a number.



=== no positive number
--- tenant: 0
--- request eval: main::one()
--- refused: 400 invalid_request The 'X-Tenant' header must be a number.



=== a negative number
--- tenant: -7
--- request eval: main::one()
--- refused: 400 invalid_request The 'X-Tenant' header must be a number.



=== part of it a number
--- tenant: 7x
--- request eval: main::one()
--- refused: 400 invalid_request The 'X-Tenant' header must be a number.



=== another tenant
--- tenant: 8
--- request eval: main::one()
--- refused: 403 forbidden You do not have access to this tenant.



=== a tenant that there is not
--- tenant: 99999999999999999999
--- request eval: main::one()
--- refused: 403 forbidden You do not have access to this tenant.



=== an account that is no tenant
--- key: Bearer ft_none
--- tenant: 7
--- request eval: main::one()
--- refused: 403 forbidden You do not have access to this tenant.



=== the tenant comes before the scope
--- key: Bearer ft_ro
--- tenant: none
--- request eval: main::one()
--- refused: 400 invalid_request The 'X-Tenant' header is required.



=== a tenant in the body counts for nothing
--- tenant: none
--- request eval: main::one('X-Tenant' => '7', tenant_id => '7')
--- refused: 400 invalid_request The 'X-Tenant' header is required.



=== TF20: half a JSON text
--- request eval: main::post('{"last_name":')
--- refused: 400 invalid_request The request body is not valid JSON.



=== an array
--- request eval: main::post('[{"last_name":"S"}]')
--- refused: 400 invalid_request The request body must be a JSON object.



=== a text
--- request eval: main::post('"last_name"')
--- refused: 400 invalid_request The request body must be a JSON object.



=== invalid UTF-8
--- request eval: main::post("{\"last_name\":\"\xff\"}")
--- refused: 400 invalid_request The request body is not valid JSON.



=== a byte order mark
--- request eval: main::post("\xef\xbb\xbf{\"last_name\":\"S\"}")
--- refused: 400 invalid_request The request body is not valid JSON.



=== a lead too large
--- config
        location / { lead_api flextell; client_max_body_size 3m; }
--- request eval: main::one(message => '"' . 'm' x 1048600 . '"')
--- refused: 413 payload_too_large The request body is too large.



=== Idempotency-Key too long
--- request eval: main::one()
--- more_headers eval: 'Idempotency-Key: ' . 'k' x 256
--- error_code: 422
--- response_body: {"error":"validation_error","message":"The 'Idempotency-Key' header must not be greater than 255 characters.","errors":{"Idempotency-Key":["The 'Idempotency-Key' header must not be greater than 255 characters."]}}



=== another path
--- request
GET /v1/lead
--- refused: 404 not_found The requested resource was not found.



=== a path beyond
--- request
GET /v1/leads/1/notes
--- refused: 404 not_found The requested resource was not found.



=== another method
--- request
DELETE /v1/leads
--- response_headers
Allow: GET, HEAD, POST
--- refused: 405 method_not_allowed The method is not supported for this resource.



=== a lead there is not
--- request
GET /v1/leads/99999999
--- refused: 404 not_found The requested lead was not found.



=== an id that is none
--- request eval
["GET /v1/leads/abc", "GET /v1/leads/0", "GET /v1/leads/-1",
 "GET /v1/leads/99999999999999999999"]
--- error_code eval: [404, 404, 404, 404]
--- response_body_like eval
[('^\{"error":"not_found","message":"The requested lead was not found\."\}$') x 4]



=== a status is changed in nginx.conf
--- request eval: "PUT /api/v1/leads/statuses/1\n" . '{"name":"X"}'
--- response_headers
!WWW-Authenticate
--- refused: 403 forbidden Lead statuses are configured in nginx.conf and cannot be changed through the API.



=== a source is made in nginx.conf
--- request eval: "POST /v1/leads/reference-sources\n" . '{"name":"X"}'
--- refused: 403 forbidden Lead reference sources are configured in nginx.conf and cannot be created through the API.



=== a lead cannot be converted
--- request eval: "POST /v1/leads/1/convert\n" . '{"existing_customer_id":1}'
--- refused: 403 forbidden Leads cannot be converted through the API: nginx.conf configures the intake of leads and no customers.



=== nor by those who may only read
--- key: Bearer ft_ro
--- request eval: "POST /v1/leads/1/convert\n" . '{}'
--- refused: 403 insufficient_scope The access token does not have the required scope.



=== statuses
--- request
GET /api/v1/leads/statuses
--- response_body_like eval
qr/^\{"data":\[
   \{"id":2,"name":"Won","slug":"won","color":null,"is_terminal":true,
     "is_default":false\},
   \{"id":1,"name":"New","slug":"new","color":"\x{23}94a3b8",
     "is_terminal":false,"is_default":true\}\],
   "links":\{"first":"[^"]*\/api\/v1\/leads\/statuses\?page=1",
     "last":"[^"]*\/api\/v1\/leads\/statuses\?page=1","prev":null,"next":null\},
   "meta":\{"current_page":1,"from":1,"last_page":1,
     "links":\[\{"url":null,"label":"&laquo;\ Previous","active":false\},
       \{"url":"[^"]*\/api\/v1\/leads\/statuses\?page=1","label":"1",
         "active":true\},
       \{"url":null,"label":"Next\ &raquo;","active":false\}\],
     "path":"[^"]*\/api\/v1\/leads\/statuses","per_page":15,"to":2,
     "total":2\}\}$/x



=== sources, sorted, a page of them
--- request
GET /v1/leads/reference-sources?sort_by=name&sort_order=desc&per_page=1&page=2
--- response_body_like eval
qr/^\{"data":\[\{"id":6,"name":"Partner","external_id":"p-6"\}\],
   "links":\{"first":"[^"]*\/v1\/leads\/reference-sources
     \?sort_by=name&sort_order=desc&per_page=1&page=1",
   .*"prev":"[^"]*&page=1","next":null\},"meta":\{"current_page":2,"from":2,
   "last_page":2,.*"per_page":1,"to":2,"total":2\}\}$/x



=== sources sought
--- request
GET /v1/leads/reference-sources?search=WEB
--- response_body_like: ^\{"data":\[\{"id":5,"name":"Website","external_id":null\}\],.*"total":1\}\}$



=== none of them, and none on the page
--- request eval
["GET /v1/leads/statuses?search=nothing", "GET /v1/leads/statuses?page=9"]
--- response_body_like eval
['^\{"data":\[\],.*"from":null,"last_page":1,.*"to":null,"total":0\}\}$',
 '^\{"data":\[\],.*"prev":"[^"]*page=8",.*"from":null,"last_page":1,.*"to":null,"total":2\}\}$']



=== arguments that are wrong
--- request
GET /v1/leads?per_page=101&sort_by=secret&sort_order=up&trashed=maybe&page=x
--- invalid
trashed: The selected trashed is invalid.
sort_by: The selected sort by is invalid.
sort_order: The selected sort order is invalid.
per_page: The per page field must not be greater than 100.



=== a page of nothing, of less, of no number
--- request eval
["GET /v1/leads?per_page=0", "GET /v1/leads?per_page=-5",
 "GET /v1/leads?per_page=x", "GET /v1/leads?per_page[]=5"]
--- error_code eval: [(422) x 4]
--- response_body_like eval
[('"per_page":\["The per page field must be at least 1\."\]') x 2,
 ('"per_page":\["The per page field must be an integer\."\]') x 2]



=== a search too long
--- request eval: 'GET /v1/leads?search=' . '%C3%A9' x 256
--- invalid
search: The search field must not be greater than 255 characters.



=== a query in no encoding, with what a text may not hold
--- request eval: "GET /v1/leads?search=nobody%FF&x=\"\xff<&&page=2&page"
--- response_body_like: ^\{"data":\[\],"links":\{"first":"[^"]*\?search=nobody%FF&x=\\"%FF<&page=1",

