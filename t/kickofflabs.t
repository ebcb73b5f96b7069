# Copyright (C) the ngx_lead authors
#
# KickoffLabs' API, request by request: the vendor's answers, in its words, to
# what is right and to all that can be wrong.  (What needs several requests is
# in kickofflabs_flow.t.)

use strict;
use warnings;

use FindBin ();
use Test::Nginx::Socket 'no_plan';

use lib "$FindBin::Bin/lib";
use Test::LeadFixtures qw(kickofflabs_conf);

no_root_location();
no_long_string();
repeat_each(1);

my $Conf = kickofflabs_conf();


sub post {
    my ($path, @body) = @_;

    return "POST $path\n" . join '', @body;
}


# Sections of our own: key, the value of Authorization (else Bearer kol_A1);
# type, the Content-Type; refused ("status text") and invalid ("field text:
# message"), answers that must be exactly so.

add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value('http_config', $Conf);
    $block->set_value('config', <<'_EOC_') if !defined $block->config;
        location /v2/ { lead_api kickofflabs; }
_EOC_

    my $key = $block->key // 'Bearer kol_A1';
    my $type = $block->type // 'application/json';
    chomp($key, $type);

    my $headers = $block->more_headers // '';
    $headers = "Authorization: $key\n$headers" if $key ne 'none';
    $headers = "Content-Type: $type\n$headers" if $type ne 'none';
    $block->set_value('more_headers', $headers) if length $headers;

    if (defined $block->refused) {
        my ($status, $text) = $block->refused =~ /^(\d+) (.+?)\s*$/
            or die "bad section: refused\n";

        $block->set_value('error_code', $status);
        $block->set_value('response_body', qq({"message":"$text"}));
        $block->set_value('response_headers',
            'Content-Type: application/json');

    } elsif (defined $block->invalid) {
        my ($field, $text, $message) = $block->invalid
            =~ /^(\w+) (.+?): (.+?)\s*$/ or die "bad section: invalid\n";

        $block->set_value('error_code', 422);
        $block->set_value('response_body', qq({"message":"$message",)
            . qq("errors":{"$field":["$text"]}}));
    }

    $block->set_value('no_error_log', "[error]\n[crit]\n[alert]\n[emerg]");
});

run_tests();

__DATA__

=== TK1: the seed's example, all of its members
--- request eval: main::post('/v2/135544/', '{"email":"ada@example.com","phone_number":"+12065550100","first_name":"Ada","company":"Example Co"}')
--- error_code: 200
--- response_headers
Content-Type: application/json
--- response_body_like eval
qr{^\{"id":(\d+),"social_id":"([0-9A-Z]{6})","rank":(\d+),"counter":\d+,
   "lead_count":\d+,"contest_score":0,"contest_score_rank":null,
   "contest_score_rank_relative_position":null,
   "rank_relative_position":\d+,"campaign_id":135544,"list_id":135544,
   "given_name":"Ada","first_name":"Ada",
   "avatar":"https://www\.gravatar\.com/avatar/[0-9a-f]{32}
       \?r=g&d=identicon&s=600",
   "when":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00","enhanced":false,
   "anonymous":false,"verified":false,"verified_email":false,
   "verified_phone_number":false,"waitlisted":false,"display_name":"Ada",
   "completed_actions":\[\],
   "social_url":"https://www\.example\.com/\?kid=\2",
   "redirect_url":"https://example\.com/thanks\?a=1&kolid=\2\#top",
   "thankyou_url":"https://example\.com/thanks\?a=1&kolid=\2\#top",
   "status_url":"https://example\.com/thanks\?a=1&kolid=\2\#top",
   "email":"ada\@example\.com","phone_number":"\+12065550100",
   "family_name":null,
   "custom_fields":\{"first_name":"Ada","company":"Example\x20Co"\},
   "unsubscribe_url":\{
       "default":"https://www\.example\.com/\?unsubscribe=\2",
       "safe":"https://www\.example\.com/\?unsubscribe=\2&confirm=1"\},
   "uid":null,"parent_id":null,"opted_out":false,"utm":\{\},"tags":\[\],
   "referrals":0,"unverified_leads":\{"indirect":0,"direct":0\},
   "verified_leads":\{"indirect":null,"direct":null\},
   "influence":\{"indirect":0,"direct":0\},"subscription_number":\3,
   "ip":"127\.0\.0\.1","referrer":null,"fraudulent":false\}$}x



=== the avatar is the address's
--- request eval: main::post('/v2/135544', '{"email":"ME@example.com"}')
--- response_body_like: /avatar/2e0d5407ce8609047b8255c50405d7b1\?



=== TK20: no trailing slash
--- request eval: main::post('/v2/135544', '{"email":"ada@example.com"}')
--- error_code: 200
--- response_body_like: "email":"ada@example.com"



=== TK4: no contact
--- request eval: main::post('/v2/135544', '{"first_name":"x"}')
--- invalid: base Email or phone number is required: Email or phone number is required



=== TK4: an empty contact
--- request eval: main::post('/v2/135544', '{"email":"","phone_number":null}')
--- invalid: base Email or phone number is required: Email or phone number is required



=== a blank contact
--- request eval: main::post('/v2/135544', '{"email":"  ","phone_number":"\\u00a0"}')
--- invalid: base Email or phone number is required: Email or phone number is required



=== no body
--- request
POST /v2/135544
--- invalid: base Email or phone number is required: Email or phone number is required



=== an empty form
--- request
POST /v2/135544?api_key=kol_A1
--- type: application/x-www-form-urlencoded
--- invalid: base Email or phone number is required: Email or phone number is required



=== TK5: a bad address
--- request eval: main::post('/v2/135544', '{"email":"ada@"}')
--- invalid: email is invalid: Email is invalid



=== a bad address before a bad number
--- request eval: main::post('/v2/135544', '{"email":"a b@x.co","phone_number":"12"}')
--- invalid: email is invalid: Email is invalid



=== TK5: a bad number
--- request eval: main::post('/v2/135544', '{"email":"b@x.co","phone_number":"12"}')
--- invalid: phone_number is invalid: Phone number is invalid



=== two plus signs
--- request eval: main::post('/v2/135544', '{"phone_number":"+12065550100","country_code":"+1"}')
--- invalid: phone_number is invalid: Phone number is invalid



=== an address that is an array
--- request eval: main::post('/v2/135544', '{"email":["a@x.co"]}')
--- invalid: email is invalid: Email is invalid



=== an address that is an object
--- request eval: main::post('/v2/135544', '{"email":{"a":"a@x.co"}}')
--- invalid: email is invalid: Email is invalid



=== an address that is true
--- request eval: main::post('/v2/135544', '{"email":true,"phone_number":"2065550100"}')
--- invalid: email is invalid: Email is invalid



=== an address that is a number
--- request eval: main::post('/v2/135544', '{"email":5}')
--- invalid: email is invalid: Email is invalid



=== an address with U+0000
--- request eval: main::post('/v2/135544', '{"email":"a\\u0000@x.co"}')
--- invalid: email is invalid: Email is invalid



=== an address with a line feed
--- request eval: main::post('/v2/135544', '{"email":"a@x.co\\r\\nX: y"}')
--- invalid: email is invalid: Email is invalid



=== a number with U+0000
--- request eval: main::post('/v2/135544', '{"phone_number":"2065550100\\u0000"}')
--- invalid: phone_number is invalid: Phone number is invalid



=== a country code that is an object
--- request eval: main::post('/v2/135544', '{"phone_number":"2065550100","country_code":{}}')
--- invalid: phone_number is invalid: Phone number is invalid



=== a number that is a number
--- request eval: main::post('/v2/135544', '{"phone_number":12065550177,"country_code":null}')
--- response_body_like: "email":null,"phone_number":"\+12065550177"



=== a phone number alone has an avatar, too
--- request eval: main::post('/v2/135544', '{"phone_number":"2065550178"}')
--- response_body_like: /avatar/[0-9a-f]{32}\?.*"display_name":"\+12065550178"



=== an address of 254 bytes
--- request eval: main::post('/v2/135544', '{"email":"' . 'a' x 64 . '@' . CORE::join('.', map { 'b' x $_ } 62, 62, 60) . '.co"}')
--- error_code: 200
--- response_body_like: "email":"a{64}@



=== an address of 255 bytes
--- request eval: main::post('/v2/135544', '{"email":"' . 'a' x 64 . '@' . CORE::join('.', map { 'b' x $_ } 62, 62, 61) . '.co"}')
--- invalid: email is invalid: Email is invalid



=== an address of 64 bytes and one before the "@"
--- request eval: main::post('/v2/135544', '{"email":"' . 'a' x 65 . '@x.co"}')
--- invalid: email is invalid: Email is invalid



=== TK6: an unknown campaign
--- request eval: main::post('/v2/999999/', '{"email":"a@x.co"}')
--- refused: 404 Campaign not found



=== TK6: a campaign that is no number
--- request eval: main::post('/v2/abc/', '{"email":"a@x.co"}')
--- refused: 404 Campaign not found



=== TK6: ... even with a bad key
--- key: Bearer wrong
--- request eval: main::post('/v2/abc/', '{"email":"a@x.co"}')
--- refused: 404 Campaign not found



=== a campaign by its name
--- request eval: main::post('/v2/spring', '{"email":"a@x.co"}')
--- refused: 404 Campaign not found



=== a campaign of no number is not campaign 0
--- request eval: main::post('/v2/0', '{"email":"a@x.co"}')
--- refused: 404 Campaign not found



=== a campaign's number written otherwise
--- request eval: main::post('/v2/0135544', '{"email":"a@x.co"}')
--- refused: 404 Campaign not found



=== a campaign's number that overflows
--- request eval: main::post('/v2/18446744073709687160', '{"email":"a@x.co"}')
--- refused: 404 Campaign not found



=== a campaign called campaigns
--- request eval: main::post('/v2/campaigns', '{"email":"a@x.co"}')
--- refused: 404 Campaign not found



=== TK7: no key
--- key: none
--- request eval: main::post('/v2/135544', '{"email":"a@x.co"}')
--- refused: 409 Invalid API access



=== TK7: a wrong key
--- key: Bearer wrong
--- request eval: main::post('/v2/135544', '{"email":"a@x.co"}')
--- refused: 409 Invalid API access



=== TK7: a key of another account
--- key: Bearer kol_A2
--- request eval: main::post('/v2/135544', '{"email":"a@x.co"}')
--- refused: 409 Invalid API access



=== a key of an account not configured
--- key: Bearer kol_gone
--- request eval: main::post('/v2/135544', '{"email":"a@x.co"}')
--- refused: 409 Invalid API access



=== a disabled key
--- key: Bearer kol_off
--- request eval: main::post('/v2/135544', '{"email":"a@x.co"}')
--- refused: 409 Invalid API access



=== a key without leads:write
--- key: Bearer kol_ro
--- request eval: main::post('/v2/135544', '{"email":"a@x.co"}')
--- refused: 409 Invalid API access



=== a key of another dialect
--- key: Bearer kol_other
--- request eval: main::post('/v2/135544', '{"email":"a@x.co"}')
--- refused: 409 Invalid API access



=== a key of this dialect
--- key: Bearer kol_api
--- request eval: main::post('/v2/135544', '{"email":"api@x.co"}')
--- error_code: 200
--- response_body_like: "email":"api@x.co"



=== a source's key
--- key: Bearer kol_source
--- request eval: main::post('/v2/135544', '{"email":"a@x.co"}')
--- refused: 409 Invalid API access



=== a bare key
--- key: kol_A1
--- request eval: main::post('/v2/135544', '{"email":"bare@x.co"}')
--- error_code: 200
--- response_body_like: "email":"bare@x.co"



=== the last word is the key
--- key: Token token kol_A1
--- request eval: main::post('/v2/135544', '{"email":"last@x.co"}')
--- error_code: 200
--- response_body_like: "email":"last@x.co"



=== Authentication
--- key: none
--- more_headers
Authentication: Bearer kol_A1
--- request eval: main::post('/v2/135544', '{"email":"auth@x.co"}')
--- error_code: 200
--- response_body_like: "email":"auth@x.co"



=== Authorization before Authentication
--- key: Bearer wrong
--- more_headers
Authentication: Bearer kol_A1
--- request eval: main::post('/v2/135544', '{"email":"a@x.co"}')
--- refused: 409 Invalid API access



=== a key in the body, before one in a header
--- key: Bearer wrong
--- request eval: main::post('/v2/135544', '{"email":"body@x.co","api_key":"kol_A1"}')
--- error_code: 200
--- response_body_like: "custom_fields":\{\}



=== a wrong key in the body is it
--- request eval: main::post('/v2/135544', '{"email":"body@x.co","api_key":"wrong"}')
--- refused: 409 Invalid API access



=== a key in the query, before one in the body
--- key: none
--- request eval: main::post('/v2/135544?api_key=kol_A1', '{"email":"query@x.co","api_key":"wrong"}')
--- error_code: 200
--- response_body_like: "custom_fields":\{\}



=== TK9: a form's key is not in a header
--- type: application/x-www-form-urlencoded
--- request eval: main::post('/v2/135544', 'email=f@x.co')
--- refused: 409 Invalid API access



=== TK9: a form's key
--- key: none
--- type: application/x-www-form-urlencoded; charset=UTF-8
--- request eval: main::post('/v2/135544', 'email=f@x.co&api_key=kol_A1&Plan=Pro+1&plan=&a[]=1&a[]=2&phone_number=+12065550179')
--- error_code: 200
--- response_body_like: "phone_number":"\+12065550179",.*"custom_fields":\{"plan":"","a":\["1","2"\]\}



=== TK10: no key is needed
--- key: none
--- request eval: main::post('/v2/135546', '{"email":"n10@x.co","points":50}')
--- error_code: 200
--- response_body_like: "contest_score":0



=== TK10: points need one
--- request eval: main::post('/v2/135546', '{"email":"n11@x.co","points":50}')
--- error_code: 200
--- response_body_like: "contest_score":50



=== a wrong key where none is needed
--- key: Bearer wrong
--- request eval: main::post('/v2/135546', '{"email":"n@x.co"}')
--- refused: 409 Invalid API access



=== too many points of nobody's are ignored
--- key: none
--- request eval: main::post('/v2/135546', '{"email":"n12@x.co","points":100000}')
--- response_body_like: "contest_score":0



=== too many points
--- request eval: main::post('/v2/135544', '{"email":"n@x.co","points":100000}')
--- refused: 409 Max Points Exceeded



=== very many points
--- request eval: main::post('/v2/135544', '{"email":"n@x.co","points":1e300}')
--- refused: 409 Max Points Exceeded



=== points of the greatest number
--- request eval: main::post('/v2/135544', '{"email":"most@x.co","points":"99999"}')
--- response_body_like: "contest_score":99999



=== points below zero are none
--- request eval: main::post('/v2/135544', '{"email":"least@x.co","points":-5}')
--- response_body_like: "contest_score":0



=== points that are no integer
--- request eval: main::post('/v2/135544', '{"email":"odd@x.co","points":1.5}')
--- response_body_like: "contest_score":0



=== points that are an array
--- request eval: main::post('/v2/135544', '{"email":"odd@x.co","points":[1]}')
--- response_body_like: "contest_score":0



=== TK12: must exist
--- request eval: main::post('/v2/135544', '{"email":"nobody@x.co","must_exist":true}')
--- refused: 404 No leads found



=== must_exist that is not true
--- request eval: main::post('/v2/135544', '{"email":"somebody@x.co","must_exist":"no"}')
--- error_code: 200
--- response_body_like: "custom_fields":\{\}



=== an ended campaign
--- request eval: main::post('/v2/135545', '{"email":"a@x.co"}')
--- refused: 423 This campaign has ended and is no longer accepting new leads



=== validation comes before the end
--- request eval: main::post('/v2/135545', '{"email":"a@"}')
--- invalid: email is invalid: Email is invalid



=== TK17: arguments of __url
--- request eval: main::post('/v2/135544', '{"email":"u@x.co","b":"body","__url":"https://s.io/?utm_medium=m&plan=pro&b=url&email=evil@x.co&points=9&_x=1&api_key=k#f?g=1"}')
--- response_body_like eval
qr/"contest_score":0,.*"email":"u\@x\.co",.*
    "custom_fields":\{"plan":"pro","b":"body"\},.*
    "utm":\{"utm_medium":"m"\}/x



=== a __url without sense
--- request eval: main::post('/v2/135544', '{"email":"u2@x.co","__url":"?%zz&=&&[[]=1"}')
--- error_code: 200
--- response_body_like: "email":"u2@x.co"



=== TK18: skips, in the query
--- request eval: main::post('/v2/135544?__skip_urls=1&__skip_actions=1', '{"email":"skip@x.co"}')
--- error_code: 200
--- response_body_unlike: social_url|redirect_url|thankyou_url|status_url|unsubscribe_url|completed_actions



=== no skips
--- request eval: main::post('/v2/135544?__skip_urls=0&__skip_actions=', '{"email":"skip@x.co"}')
--- response_body_like: completed_actions.*social_url.*unsubscribe_url



=== the query wins over the body
--- request eval: main::post('/v2/135544?email=q@x.co&plan=query&plan=last', '{"email":"b@x.co","plan":"body","Plan":"BODY"}')
--- response_body_like: "email":"q\@x.co",.*"custom_fields":\{"plan":"last"\}



=== TK19: no JSON
--- request eval: main::post('/v2/135544', '{"email":')
--- refused: 400 There was a problem parsing your request. Please verify your JSON payload.



=== TK19: an array
--- request eval: main::post('/v2/135544', '[]')
--- refused: 400 There was a problem parsing your request. Please verify your JSON payload.



=== a string, and a bad key
--- key: Bearer wrong
--- request eval: main::post('/v2/135544', '"x"')
--- refused: 400 There was a problem parsing your request. Please verify your JSON payload.



=== invalid UTF-8 in JSON
--- request eval: main::post('/v2/135544', "{\"email\":\"a\@x.co\",\"n\":\"\xff\"}")
--- refused: 400 There was a problem parsing your request. Please verify your JSON payload.



=== a byte order mark
--- request eval: main::post('/v2/135544', "\xef\xbb\xbf{\"email\":\"a\@x.co\"}")
--- refused: 400 There was a problem parsing your request. Please verify your JSON payload.



=== JSON by another name
--- type: text/plain
--- request eval: main::post('/v2/135544', '{"email":"plain@x.co"}')
--- error_code: 200
--- response_body_like: "email":"plain@x.co"



=== invalid UTF-8 in a form
--- type: application/x-www-form-urlencoded
--- request eval: main::post('/v2/135544?api_key=kol_A1', 'email=utf@x.co&n=%ff')
--- response_body_like eval: qr/"n":"\xef\xbf\xbd"/



=== a form beyond its limits
--- type: application/x-www-form-urlencoded
--- request eval: main::post('/v2/135544?api_key=kol_A1', CORE::join('&', map { "a$_=1" } 1 .. 200))
--- refused: 400 There was a problem parsing your request.



=== a query beyond its limits
--- request eval: main::post('/v2/135544?' . CORE::join('&', map { "a$_=1" } 1 .. 200), '{"email":"a@x.co"}')
--- refused: 400 There was a problem parsing your request.



=== the last of equal names
--- request eval: main::post('/v2/135544', '{"email":"a@","email":"dup@x.co","A":1,"a":2,"A":3}')
--- response_body_like: "email":"dup\@x.co",.*"custom_fields":\{"a":2\}



=== any script in custom fields
--- request eval: main::post('/v2/135544', "{\"email\":\"uni\@x.co\",\"first_name\":\"\xe6\x9d\x8e\",\"x\":\"\\ud83e\\udd8a\\u0000\",\"\xc3\x89\":[null]}")
--- response_body_like eval: qr/"first_name":"\xe6\x9d\x8e",.*"x":"\xf0\x9f\xa6\x8a\\u0000","\xc3\x89":\[null\]\}/



=== reserved names
--- request eval: main::post('/v2/135544', '{"email":"r@x.co","list_id":1,"campaignId":2,"landing_page_id":3,"ip_address":4,"controller":5,"ACTION":6,"format":7,"id":8,"kolid":"x","__lid":9,"country_code":1,"redirect_url":"https://r.io/","referrer":"https://f.io/","":1}')
--- response_body_like: "redirect_url":"https://r.io/",.*"custom_fields":\{\},.*"referrer":"https://f.io/"



=== ip, uid, referrer, source
--- request eval: main::post('/v2/135544', '{"email":"ip@x.co","ip":"2001:db8::1","__uid":77,"__referrer":"https://a.io","referrer":"https://b.io","__source":"modal.123"}')
--- response_body_like: "uid":"77",.*"ip":"2001:db8::1","referrer":"https://a.io"



=== an ip that is none
--- request eval: main::post('/v2/135544', '{"email":"ip2@x.co","ip":"1.2.3.256"}')
--- response_body_like: "ip":"127.0.0.1"



=== a lead of a thousand fields
--- request eval: main::post('/v2/135544', '{"email":"big@x.co",' . CORE::join(',', map { "\"f$_\":1" } 1 .. 990) . '}')
--- error_code: 200
--- response_body_like: "f990":1



=== a body that is too large
--- request eval: main::post('/v2/135544', '{"email":"big@x.co","x":"' . 'a' x 262144 . '"}')
--- refused: 413 Payload too large



=== an Idempotency-Key of 255 characters
--- more_headers eval: 'Idempotency-Key: ' . 'k' x 255
--- request eval: main::post('/v2/135544', '{"email":"k@x.co"}')
--- error_code: 200
--- response_body_like: "email":"k@x.co"



=== an Idempotency-Key of 256 characters
--- more_headers eval: 'Idempotency-Key: ' . 'k' x 256
--- request eval: main::post('/v2/135544', '{"email":"k@x.co"}')
--- refused: 422 Idempotency-Key is too long



=== webhooks are configuration
--- request eval: main::post('/v2/135544/outbound-webhook', '{"url":"https://x.co/"}')
--- refused: 403 Webhooks are configured in nginx.conf and cannot be changed by this API



=== ... by a key in the body
--- key: none
--- request eval: main::post('/v2/135544/inbound-webhook/', '{"api_key":"kol_A1"}')
--- refused: 403 Webhooks are configured in nginx.conf and cannot be changed by this API



=== ... and cannot be deleted
--- request
DELETE /v2/135544/outbound-webhook
--- refused: 403 Webhooks are configured in nginx.conf and cannot be changed by this API



=== ... nor seen without a key
--- key: none
--- request eval: main::post('/v2/135544/inbound-webhook', '{}')
--- refused: 409 Invalid API access



=== ... nor of a campaign that is not there
--- request eval: main::post('/v2/1/inbound-webhook', '{}')
--- refused: 404 Campaign not found



=== campaigns, without a key
--- key: none
--- request
GET /v2/campaigns
--- refused: 409 Invalid API access



=== campaigns of the other account
--- key: none
--- request
GET /v2/campaigns?api_key=kol_A2
--- response_body: [{"id":235544,"list_id":235544,"name":"theirs","url":null,"thankyou_url":null,"ended":false}]



=== another method
--- request
PATCH /v2/135544
--- error_code: 405
--- response_headers
Allow: GET, HEAD, POST
--- response_body: {"message":"Method not allowed"}



=== another path
--- request eval: main::post('/v2/135544/tags', '{}')
--- refused: 404 Not found



=== a path with an escape
--- request eval: main::post('/v2/13554%34', '{"email":"esc@x.co"}')
--- error_code: 200
--- response_body_like: "email":"esc@x.co"
