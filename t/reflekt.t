# Copyright (C) the ngx_lead authors
#
# Reflekt's API, request by request: where the key may be, what a field may
# hold, how a form may be written, and the vendor's words for all else.  (What
# is stored, and what takes several requests, is in reflekt_flow.t.)

use strict;
use warnings;

use FindBin ();
use Test::Nginx::Socket 'no_plan';

use lib "$FindBin::Bin/lib";
use Test::LeadFixtures qw(reflekt_conf);

no_root_location();
no_long_string();
repeat_each(1);

my $Conf = reflekt_conf();
my $Path = '/api/v1/lead';
my $Key = 'lap_live_P1';

my %Text = (
    email => 'Invalid email address',
    phone => 'Invalid phone number',
    birthday => 'birthday must be a valid date in YYYY-MM-DD format',
    none => 'At least one of email or phone_number is required',
    key => 'Invalid or missing API key',
);


sub escape {
    my ($text) = @_;

    utf8::encode($text);
    $text =~ s/([^A-Za-z0-9._~ -])/sprintf '%%%02X', ord $1/ge;
    $text =~ tr/ /+/;

    return $text;
}


# a form with a good key, of names and values

sub f {
    my @pairs = ('api_key', $Key, @_);
    my @texts;

    while (my ($name, $value) = splice @pairs, 0, 2) {
        push @texts, escape($name) . '=' . escape($value);
    }

    return post(join '&', @texts);
}


# ... and a good address

sub e {
    return f(email => 'a@b.co', @_);
}


sub post {
    return "POST $Path\n" . join '', @_;
}


# the same to a path with this behind it

sub at {
    my ($args, @body) = @_;

    return "POST $Path$args\n" . join '', @body;
}


# a multipart form: name and value; a value may be [headers, bytes]

sub m {
    my @pairs = @_;
    my $text = '';

    while (my ($name, $value) = splice @pairs, 0, 2) {
        my ($more, $data) = ref $value ? @$value : ('', $value);

        $text .= "--XX\r\nContent-Disposition: form-data; name=\"$name\"$more"
            . "\r\n\r\n$data\r\n";
    }

    return post($text . "--XX--\r\n");
}


# a form of so many bytes

sub sized {
    my ($size) = @_;

    my $text = "api_key=$Key&email=a\@b.co&x=";

    return post($text, 'y' x ($size - length $text));
}


# n characters, of four bytes each if not said otherwise

sub n {
    my ($n, $char) = @_;

    $char //= "\x{1f600}";

    return $char x $n;
}


# Sections of our own: type, the Content-Type (a form's else); good, which has
# nothing in it; refused, "status field text" with "-" for no field.

add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value('http_config', $Conf);
    $block->set_value('config', <<'_EOC_') if !defined $block->config;
        location = /api/v1/lead { lead_api reflekt; }
_EOC_

    my $type = $block->type // 'application/x-www-form-urlencoded';
    chomp $type;

    my $headers = $block->more_headers // '';
    $headers = "Content-Type: $type\n$headers" if $type ne 'none';
    $block->set_value('more_headers', $headers) if length $headers;

    if (defined $block->good) {
        $block->set_value('error_code', 200);
        $block->set_value('response_body_like',
            '^\{"success":true,"message":"Lead created",'
            . '"lead_id":"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"\}$');
        $block->set_value('response_headers',
            "Content-Type: application/json");

    } elsif (defined $block->refused) {
        my ($status, $field, $text) = $block->refused
            =~ /^(\d+) (\S+) (.+?)\s*$/ or die "bad section: refused\n";

        $text = $Text{$text} // $text;
        $field = $field eq '-' ? '' : qq(,"field":"$field");

        $block->set_value('error_code', $status);
        $block->set_value('response_body',
            qq({"success":false,"error":"$text"$field}));
        $block->set_value('response_headers',
            "Content-Type: application/json");
    }

    $block->set_value('no_error_log', "[error]\n[crit]\n[alert]\n[emerg]")
        if !defined $block->error_log;
});

run_tests();

__DATA__

=== TR1: an address alone
--- request
POST /api/v1/lead
api_key=lap_live_P1&email=jane@example.com
--- good



=== TR2: the vendor's own example
--- type: multipart/form-data; boundary=XX
--- request eval
main::m(api_key => 'lap_live_P1', first_name => 'Jane', last_name => 'Doe',
    email => 'jane@example.com', phone_number => '+15551234567',
    company_name => 'Acme LLC', campaign_name => 'pi_intake',
    notes => 'Came in from the website contact form')
--- good



=== TR3: a phone number alone; its plus became a space
--- request
POST /api/v1/lead
api_key=lap_live_P1&phone_number=+15551234567
--- good



=== TR5: the second place of the key, in parts
--- type: multipart/form-data; boundary=XX
--- request eval: main::m(ApiKey => 'lap_live_P1', email => 'a@b.co')
--- good



=== TR6: the third place of the key
--- request
POST /api/v1/lead?api_key=lap_live_P1
email=a@b.co
--- good



=== TR7: no key
--- request
POST /api/v1/lead
email=a@b.co
--- refused: 401 - key



=== TR8: an unknown key
--- request
POST /api/v1/lead
api_key=nope&email=a@b.co
--- refused: 401 - key



=== a key comes before all that is wrong with fields
--- request
POST /api/v1/lead
api_key=nope&email=x&phone_number=x&birthday=x
--- refused: 401 - key



=== a disabled key
--- request
POST /api/v1/lead
api_key=lap_live_off&email=a@b.co
--- refused: 401 - key



=== a key that may only read
--- request
POST /api/v1/lead
api_key=lap_live_ro&email=a@b.co
--- refused: 401 - key



=== a key for this API alone
--- request
POST /api/v1/lead
api_key=lap_live_api&email=a@b.co
--- good



=== a key for another API
--- request
POST /api/v1/lead
api_key=lap_live_other&email=a@b.co
--- refused: 401 - key



=== an ingestion key
--- request
POST /api/v1/lead
api_key=lap_live_source&email=a@b.co
--- refused: 401 - key



=== a key of a project that is not configured
--- request
POST /api/v1/lead
api_key=lap_live_gone&email=a@b.co
--- refused: 401 - key



=== a key of ours with a wrong checksum
--- request
POST /api/v1/lead
api_key=lead_abcdefgh_abcdefghijklmnopqrstuvwxyzabcdef000000&email=a@b.co
--- refused: 401 - key



=== a key of many bytes
--- request eval: main::post('email=a@b.co&api_key=', 'x' x 100000)
--- refused: 401 - key



=== spaces around a key
--- request
POST /api/v1/lead
api_key=+lap_live_P1%0D%0A&email=a@b.co
--- good



=== a key in another case
--- request
POST /api/v1/lead
api_key=LAP_LIVE_P1&email=a@b.co
--- refused: 401 - key



=== the first place counts, right
--- request
POST /api/v1/lead?api_key=nope
ApiKey=nope&api_key=lap_live_P1&email=a@b.co
--- good



=== ... or wrong
--- request
POST /api/v1/lead?api_key=lap_live_P1
ApiKey=lap_live_P1&api_key=nope&email=a@b.co
--- refused: 401 - key



=== the second place before the third, right
--- request
POST /api/v1/lead?api_key=nope
ApiKey=lap_live_P1&email=a@b.co
--- good



=== ... or wrong
--- request
POST /api/v1/lead?api_key=lap_live_P1
ApiKey=nope&email=a@b.co
--- refused: 401 - key



=== an empty place is none
--- request
POST /api/v1/lead?api_key=lap_live_P1
ApiKey=&api_key=+%09&email=a@b.co
--- good



=== empty places everywhere
--- request
POST /api/v1/lead?api_key=
ApiKey=&api_key=&email=a@b.co
--- refused: 401 - key



=== of two keys in one place the last one
--- request
POST /api/v1/lead
api_key=nope&email=a@b.co&api_key=lap_live_P1
--- good



=== ... in the query
--- request
POST /api/v1/lead?api_key=lap_live_P1&api_key=nope
email=a@b.co
--- refused: 401 - key



=== an escaped name in the query
--- request
POST /api/v1/lead?a%70i_key=lap%5Flive_P1
email=a@b.co
--- good



=== no fourth place
--- request
POST /api/v1/lead?ApiKey=lap_live_P1
email=a@b.co
--- refused: 401 - key



=== names of places have a case
--- request
POST /api/v1/lead?API_KEY=lap_live_P1
apikey=lap_live_P1&Api_Key=lap_live_P1&email=a@b.co
--- refused: 401 - key



=== no header is a place
--- request
POST /api/v1/lead
email=a@b.co
--- more_headers
Authorization: Bearer lap_live_P1
X-Api-Key: lap_live_P1
Api_Key: lap_live_P1
--- refused: 401 - key



=== a file is no key
--- type: multipart/form-data; boundary=XX
--- request eval
main::m(api_key => ['; filename="key.txt"', 'lap_live_P1'], email => 'a@b.co')
--- refused: 401 - key



=== fields are not read from the query
--- request
POST /api/v1/lead?email=a@b.co
api_key=lap_live_P1
--- refused: 400 - none



=== TR11: neither address nor number
--- request
POST /api/v1/lead
api_key=lap_live_P1
--- refused: 400 - none



=== TR11: both empty
--- request
POST /api/v1/lead
api_key=lap_live_P1&email=&phone_number=
--- refused: 400 - none



=== both blank
--- request eval: main::f(email => " \t\r\n", phone_number => "\x{a0}\x{3000}")
--- refused: 400 - none



=== ... before a birthday that is wrong
--- request eval: main::f(birthday => 'x', first_name => main::n(256))
--- refused: 400 - none



=== names with brackets are other names
--- request
POST /api/v1/lead
api_key=lap_live_P1&email[]=a@b.co&phone_number[0]=%2B15551234567
--- refused: 400 - none



=== names have a case
--- request eval: main::f(Email => 'a@b.co', 'email ' => 'a@b.co')
--- refused: 400 - none



=== TR12: no address
--- request eval: main::f(email => 'not-an-email')
--- refused: 400 email email



=== ... with a good number
--- request eval: main::f(email => 'x@y', phone_number => '2065550100')
--- refused: 400 email email



=== an address in another script
--- request eval: main::f(email => "Jane\@B\x{fc}cher.example")
--- good



=== ... of the local part
--- request eval: main::f(email => "jos\x{e9}\@example.com")
--- refused: 400 email email



=== spaces around an address
--- request eval: main::f(email => " a\@b.co\r\n")
--- good



=== a header in an address
--- request eval: main::f(email => "a\@b.co\r\nBcc: c\@d.co")
--- refused: 400 email email



=== a zero in an address
--- request eval: main::f(email => "a\@b.co\0")
--- refused: 400 email email



=== a zero as address is an address that is wrong, not none
--- request eval: main::f(email => "\0", phone_number => '2065550100')
--- refused: 400 email email



=== ... with nothing else
--- request eval: main::f(email => "\0")
--- refused: 400 email email



=== no UTF-8 in an address
--- request
POST /api/v1/lead
api_key=lap_live_P1&email=a@b%FF.co
--- refused: 400 email email



=== an address of 254 characters
--- request eval
main::f(email => 'x' x 64 . '@' . CORE::join '.', 'y' x 63, 'y' x 63, 'y' x 61)
--- good



=== ... of 255
--- request eval
main::f(email => 'x' x 64 . '@' . CORE::join '.', 'y' x 63, 'y' x 63, 'y' x 62)
--- refused: 400 email email is too long



=== of two addresses the last one
--- request eval: main::f(email => 'a@b.co', email => 'x')
--- refused: 400 email email



=== ... in parts
--- type: multipart/form-data; boundary=XX
--- request eval
main::m(api_key => 'lap_live_P1', email => 'x', email => 'a@b.co')
--- good



=== TR13: no number, with a good address
--- request eval: main::e(phone_number => 'banana')
--- refused: 400 phone_number phone



=== the address before the number
--- request eval: main::f(phone_number => 'banana', email => 'x')
--- refused: 400 email email



=== a number without its area
--- request eval: main::f(phone_number => '555-0100')
--- refused: 400 phone_number phone



=== numbers as people write them
--- request eval: main::f(phone_number => '(206) 555-0100 ext. 12')
--- good



=== ... with dots, and spaces of all kinds
--- request eval: main::f(phone_number => "\x{a0}206.555\x{2007}0100 ")
--- good



=== a number of many digits
--- request eval: main::f(phone_number => '1' x 100000)
--- refused: 400 phone_number phone



=== a zero in a number
--- request eval: main::f(phone_number => "206555\x{0}0100")
--- refused: 400 phone_number phone



=== a birthday
--- request eval: main::e(birthday => ' 2000-02-29 ')
--- good



=== no birthday
--- request eval: main::e(birthday => '')
--- good



=== TR15: a birthday as Americans write it
--- request eval: main::e(birthday => '02/28/2023')
--- refused: 400 birthday birthday



=== TR15: ... without its zeros
--- request eval: main::e(birthday => '2023-2-8')
--- refused: 400 birthday birthday



=== ... on no day of the calendar
--- request eval: main::e(birthday => '2023-02-29')
--- refused: 400 birthday birthday



=== ... with a time
--- request eval: main::e(birthday => '2023-02-28T00:00:00Z')
--- refused: 400 birthday birthday



=== the number before the birthday, the birthday before a length
--- request eval: main::e(birthday => '0', phone_number => 'x')
--- refused: 400 phone_number phone



=== the birthday before a length
--- request eval: main::e(birthday => '0', notes => 'x' x 10001)
--- refused: 400 birthday birthday



=== TR16: a campaign that is not there
--- request eval: main::e(campaign_name => 'does_not_exist')
--- good



=== TR17: a campaign's display name
--- request eval: main::e(campaign_name => 'PI Intake 2026')
--- good



=== TR17: ... its name in another case
--- request eval: main::e(campaign_name => 'PI_INTAKE')
--- good



=== ... of another project
--- request eval: main::e(campaign_name => 'theirs')
--- good



=== texts at their longest
--- request eval
main::e(first_name => main::n(255), last_name => main::n(255, "\x{df}"),
    company_name => main::n(255), campaign_name => main::n(255, "\x{e9}"),
    friendly_name => main::n(255), address => main::n(1000),
    notes => main::n(10000))
--- good



=== a character more: first_name
--- request eval: main::e(first_name => main::n(256))
--- refused: 400 first_name first_name is too long



=== a character more: last_name
--- request eval: main::e(last_name => main::n(256, "\x{df}"))
--- refused: 400 last_name last_name is too long



=== a character more: company_name
--- request eval: main::e(company_name => main::n(256, 'x'))
--- refused: 400 company_name company_name is too long



=== a character more: campaign_name
--- request eval: main::e(campaign_name => main::n(256))
--- refused: 400 campaign_name campaign_name is too long



=== a character more: friendly_name
--- request eval: main::e(friendly_name => main::n(256))
--- refused: 400 friendly_name friendly_name is too long



=== a character more: address
--- request eval: main::e(address => main::n(1001, "\x{e9}"))
--- refused: 400 address address is too long



=== a character more: notes
--- request eval: main::e(notes => main::n(10001))
--- refused: 400 notes notes is too long



=== spaces at the ends do not count
--- request eval: main::e(first_name => ' ' x 500 . main::n(255) . ' ' x 500)
--- good



=== a zero in a name
--- request eval: main::e(first_name => "a\0b")
--- refused: 400 first_name first_name is invalid



=== ... in notes
--- request eval: main::e(notes => "a\0b")
--- refused: 400 notes notes is invalid



=== ... in a field that nobody knows
--- request eval: main::e(unknown => "a\0b")
--- good



=== no UTF-8 in a name
--- request
POST /api/v1/lead
api_key=lap_live_P1&email=a@b.co&first_name=%FF%C3&notes=%ED%A0%80
--- good



=== names of nothing but tags
--- request eval: main::e(company_name => '<b></b>', first_name => " \t ")
--- good



=== unknown fields
--- request eval: main::e(map { ("x$_" => $_) } 1 .. 100)
--- good



=== as many fields as there may be
--- request eval: main::e(map { ("x$_" => $_) } 1 .. 126)
--- good



=== one more
--- request eval: main::e(map { ("x$_" => $_) } 1 .. 127)
--- refused: 400 - Malformed form data



=== files are ignored
--- type: multipart/form-data; boundary=XX
--- request eval
main::m(api_key => 'lap_live_P1', email => 'a@b.co',
    email => ['; filename="a.txt"', 'x'],
    cv => ["; filename=\"cv.pdf\"\r\nContent-Type: application/pdf",
           CORE::join '', map { chr } 0 .. 255])
--- good



=== a file is no address
--- type: multipart/form-data; boundary=XX
--- request eval
main::m(api_key => 'lap_live_P1', email => ['; filename=""', 'a@b.co'])
--- refused: 400 - none



=== Content-Type in another case, with a charset
--- type: Application/X-WWW-Form-UrlEncoded; charset=UTF-8
--- request eval: main::e()
--- good



=== parts of a quoted boundary
--- type: Multipart/Form-Data; charset=utf-8; boundary="XX"
--- request eval: main::m(api_key => 'lap_live_P1', email => 'a@b.co')
--- good



=== parts without an end
--- type: multipart/form-data; boundary=XX
--- request eval
substr main::m(api_key => 'lap_live_P1', email => 'a@b.co'), 0, -6
--- refused: 400 - Malformed form data



=== parts without a boundary
--- type: multipart/form-data
--- request eval: main::m(api_key => 'lap_live_P1', email => 'a@b.co')
--- refused: 400 - Malformed form data



=== TR21: JSON is an empty form
--- type: application/json
--- request
POST /api/v1/lead?api_key=lap_live_P1
{"email":"a@b.co"}
--- refused: 400 - none



=== ... and has no key
--- type: application/json
--- request
POST /api/v1/lead
{"api_key":"lap_live_P1","email":"a@b.co"}
--- refused: 401 - key



=== so is a text
--- type: text/plain
--- request
POST /api/v1/lead?api_key=lap_live_P1
email=a@b.co
--- refused: 400 - none



=== ... and what has no type
--- type: none
--- request
POST /api/v1/lead?api_key=lap_live_P1
email=a@b.co
--- refused: 400 - none



=== no body
--- request
POST /api/v1/lead?api_key=lap_live_P1
--- refused: 400 - none



=== TR22: GET
--- type: none
--- request
GET /api/v1/lead?api_key=lap_live_P1
--- error_code: 405
--- response_headers_like
Content-Type: application/json
Allow: POST
--- response_body chomp
{"success":false,"error":"Method not allowed"}



=== PUT
--- request
PUT /api/v1/lead
api_key=lap_live_P1&email=a@b.co
--- error_code: 405
--- response_headers_like
Allow: POST
--- response_body chomp
{"success":false,"error":"Method not allowed"}



=== DELETE
--- type: none
--- request
DELETE /api/v1/lead?api_key=lap_live_P1
--- error_code: 405
--- response_headers_like
Allow: POST
--- response_body chomp
{"success":false,"error":"Method not allowed"}



=== HEAD
--- type: none
--- request
HEAD /api/v1/lead?api_key=lap_live_P1
--- error_code: 405
--- response_body:



=== another path
--- config
    location / { lead_api reflekt; }
--- request
POST /api/v1/leads
api_key=lap_live_P1&email=a@b.co
--- refused: 404 - Not found



=== moved
--- config
    location /crm/ { lead_api reflekt base=/crm/in; }
--- request
POST /crm/in/lead
api_key=lap_live_P1&email=a@b.co
--- good



=== a body of 1 MiB
--- request eval: main::sized(1048576)
--- good



=== a byte more: nginx' own answer, in the vendor's words
--- config
    location = /api/v1/lead { lead_api reflekt; client_max_body_size 1m; }
--- request eval: main::post('x' x 1048577)
--- refused: 413 - Payload too large
--- error_log: client intended to send too large body



=== ... and ours
--- config
    location = /api/v1/lead { lead_api reflekt; client_max_body_size 2m; }
--- request eval: main::sized(1048577)
--- refused: 413 - Payload too large



=== ... in chunks
--- config
    location = /api/v1/lead { lead_api reflekt; client_max_body_size 2m; }
--- raw_request eval
"POST /api/v1/lead HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
. "Content-Type: application/x-www-form-urlencoded\r\n"
. "Transfer-Encoding: chunked\r\n\r\n"
. (sprintf("%x\r\n%s\r\n", 65536, 'x' x 65536) x 16) . "1\r\ny\r\n0\r\n\r\n"
--- refused: 413 - Payload too large



=== a form in chunks of a byte
--- raw_request eval
"POST /api/v1/lead HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
. "Content-Type: application/x-www-form-urlencoded\r\n"
. "Transfer-Encoding: chunked\r\n\r\n"
. CORE::join('', map { "1\r\n$_\r\n" } split //,
       'api_key=lap_live_P1&email=a%40b.co') . "0\r\n\r\n"
--- good



=== an Idempotency-Key of 255 characters
--- request eval: main::e()
--- more_headers eval: 'Idempotency-Key: ' . 'k' x 255
--- good



=== ... of 256
--- request eval: main::e()
--- more_headers eval: 'Idempotency-Key: ' . 'k' x 256
--- refused: 400 Idempotency-Key Idempotency-Key is too long



=== ... with a wrong key
--- request
POST /api/v1/lead
api_key=nope&email=a@b.co
--- more_headers eval: 'Idempotency-Key: ' . 'k' x 256
--- refused: 401 - key
