# Copyright (C) the ngx_lead authors
#
# What a body and a header may be: JSON's depth, members, bytes and oddities,
# and the length of an Idempotency-Key.  Each mistake has the error of the
# contract, and none is a 500.  (What depends on packets is in limits_raw.t.)

use strict;
use warnings;

use File::Temp ();
use FindBin ();
use Test::Nginx::Socket 'no_plan';

use lib "$FindBin::Bin/lib";
use Test::Lead::Process qw(find_program run_program write_file);

no_root_location();
no_long_string();
repeat_each(1);

my $Dir = File::Temp->newdir('lead-limits-XXXXXX', TMPDIR => 1);
my $Leadctl = find_program($ENV{LEADCTL} || 'build/leadctl')
    // die "no leadctl: set LEADCTL\n";

# a worker of another user has to get in
chmod 0755, "$Dir";
mkdir "$Dir/store" or die "cannot make $Dir/store: $!\n";
write_file("$Dir/key", "lak_limits\n");

run_program([$Leadctl, '--store', "$Dir/store", qw(key add --account acme),
    '--key-file', "$Dir/key"], stderr => "$Dir/err") == 0
    or die "no key\n";

$ENV{TEST_NGINX_LEAD_STORE} = "$Dir/store";


# a lead, or what is made of one: our members, and then more
sub lead {
    my (@more) = @_;

    return '{' . join(',', '"first_name":"Ada"', '"last_name":"Lovelace"',
        '"source":"limits"', '"email":"ada@example.com"', @more) . '}';
}


sub post {
    return "POST /api/leads\n" . join '', @_;
}


# arrays in arrays: the object around them counts as well
sub nested {
    my ($depth) = @_;

    return lead('"x":' . '[' x ($depth - 1) . ']' x ($depth - 1));
}


# the names of lead() count
sub members {
    my ($n) = @_;

    return lead(map { "\"m$_\":$_" } 5 .. $n);
}


sub in_data {
    my (@members) = @_;

    return lead('"data":{' . join(',', @members) . '}');
}


add_block_preprocessor(sub {
    my ($block) = @_;

    $block->set_value('http_config', <<'_EOC_');
    lead_store $TEST_NGINX_LEAD_STORE size=64m;

    lead_account acme {
        pipeline stage {
            stage new name=New default;
        }

        data message;
        data caseType Family Business;
    }
_EOC_

    $block->set_value('config', <<'_EOC_') if !defined $block->config;
        location /api/ { lead_api lawfficient; }
_EOC_

    my $headers = $block->more_headers // '';
    chomp $headers;
    $block->set_value('more_headers', "Authorization: Bearer lak_limits\n"
        . $headers);

    my $name = $block->name;
    my ($code, $why) = ($name =~ /not JSON$/ ? ('invalid_json',
            'Invalid JSON body.')
        : $name =~ /no object$/ ? ('invalid_json',
            'The request body must be a JSON object.')
        : $name =~ /key too long$/ ? ('invalid_request',
            'Idempotency-Key is too long.') : ());

    if (defined $code) {
        $block->set_value('error_code', 400);
        $block->set_value('response_body',
            qq({"error":{"code":"$code","message":"$why"}}));
        $block->set_value('response_headers', "Content-Type: application/json"
            . "\nLawfficient-Version: 2026-07-01\n!Retry-After");

    } elsif ($name =~ /: a lead$/) {
        $block->set_value('error_code', 201);
        $block->set_value('response_body_like',
            $block->response_body_like // '"first_name":"Ada"');
    }

    $block->set_value('no_error_log', "[error]\n[crit]\n[alert]\n[emerg]");
});

run_tests();

__DATA__

=== depth of 32: a lead
--- request eval: main::post(main::nested(32))



=== depth of 33: not JSON
--- request eval: main::post(main::nested(33))



=== depth of thousands: not JSON
--- request eval: main::post('[' x 60000)



=== objects 33 deep: not JSON
--- request eval: main::post(main::lead('"x":' . '{"a":' x 32 . '1' . '}' x 32))



=== 1000 members: a lead
--- request eval: main::post(main::members(1000))



=== 1001 members: not JSON
--- request eval: main::post(main::members(1001))



=== 1001 members further down: not JSON
--- request eval: main::post(main::in_data(map { "\"m$_\":1" } 1 .. 1001))



=== an array of thousands, which has no members: a lead
--- request eval: main::post(main::lead('"x":[' . join(',', 1 .. 10000) . ']'))



=== no body: not JSON
--- request
POST /api/leads
--- more_headers
Content-Length: 0



=== white space: not JSON
--- request eval
"POST /api/leads\n \t\r\n "
--- more_headers
Content-Length: 5



=== white space around: a lead
--- request eval: main::post(" \t\r\n", main::lead(), " \t\r\n")
--- more_headers eval
'Content-Length: ' . (8 + length main::lead())



=== a byte order mark: not JSON
--- request eval: main::post("\xef\xbb\xbf", main::lead())



=== cut short: not JSON
--- request eval: main::post('{"first_name":')



=== something behind: not JSON
--- request eval: main::post(main::lead(), 'x')



=== a second one behind: not JSON
--- request eval: main::post(main::lead(), main::lead())



=== a zero byte behind: not JSON
--- request eval: main::post(main::lead(), "\0")



=== a zero byte in front: not JSON
--- request eval: main::post("\0", main::lead())



=== a bare zero byte in a string: not JSON
--- request eval: main::post(main::lead("\"x\":\"a\0b\""))



=== a bare control in a string: not JSON
--- request eval: main::post(main::lead("\"x\":\"a\x01b\""))



=== a bare line end in a string: not JSON
--- request eval: main::post(main::lead("\"x\":\"a\nb\""))



=== comments: not JSON
--- request eval: main::post('/* a lead */', main::lead())



=== single quotes: not JSON
--- request eval: main::post("{'first_name':'Ada'}")



=== a comma too many: not JSON
--- request eval: main::post('{"first_name":"Ada",}')



=== a name of no string: not JSON
--- request eval: main::post('{first_name:"Ada"}')



=== NaN: not JSON
--- request eval: main::post(main::lead('"x":NaN'))



=== a number with zeros in front: not JSON
--- request eval: main::post(main::lead('"x":007'))



=== a number like no other: a lead
--- request eval: main::post(main::lead('"x":-1234567890123456789012345678901234567890.5e+4000'))



=== an array of a lead: no object
--- request eval: main::post('[', main::lead(), ']')



=== a string: no object
--- request eval: main::post('"lead"')



=== a number: no object
--- request eval: main::post('5')



=== null: no object
--- request eval: main::post('null')



=== a form: not JSON
--- request
POST /api/leads
first_name=Ada&last_name=Lovelace&email=ada%40example.com&source=limits
--- more_headers
Content-Type: application/x-www-form-urlencoded



=== JSON of another type: a lead
--- request eval: main::post(main::lead())
--- more_headers
Content-Type: text/plain



=== overlong UTF-8: not JSON
--- request eval: main::post(main::lead("\"x\":\"\xc0\xaf\""))



=== UTF-8 of a surrogate: not JSON
--- request eval: main::post(main::lead("\"x\":\"\xed\xa0\x80\""))



=== UTF-8 beyond Unicode: not JSON
--- request eval: main::post(main::lead("\"x\":\"\xf4\x90\x80\x80\""))



=== UTF-8 cut short: not JSON
--- request eval: main::post(main::lead("\"x\":\"\xe2\x82\""))



=== Latin-1: not JSON
--- request eval: main::post(main::lead("\"x\":\"Zo\xeb\""))



=== invalid UTF-8 in a name: not JSON
--- request eval: main::post(main::lead("\"\xff\":1"))



=== UTF-8 of all lengths: a lead
--- request eval: main::post(main::in_data("\"message\":\"a\xc3\xab\xe6\x9d\x8e\xf0\x9f\xa6\x8a\""))
--- response_body_like eval: qr/"message":"a\xc3\xab\xe6\x9d\x8e\xf0\x9f\xa6\x8a"/



=== the same, escaped: a lead
--- request eval: main::post(main::in_data('"message":"a\u00eb\u674e\ud83e\udd8a"'))
--- response_body_like eval: qr/"message":"a\xc3\xab\xe6\x9d\x8e\xf0\x9f\xa6\x8a"/



=== half a surrogate pair, escaped: a lead
--- request eval: main::post(main::in_data('"message":"a\ud83eb"'))
--- response_body_like eval: qr/"message":"a\xef\xbf\xbdb"/



=== U+0000 in a name
--- request eval: main::post(main::lead('"first_name":"A\u0000da"'))
--- error_code: 422
--- response_body chomp
{"error":{"code":"invalid_request","message":"First and last name are required."}}



=== U+0000 in an e-mail address
--- request eval: main::post(main::lead('"email":"ada\u0000@example.com"'))
--- error_code: 422
--- response_body chomp
{"error":{"code":"invalid_request","message":"email must be a string."}}



=== of equal names the last counts: a lead
--- request eval: main::post('{"first_name":5,"first_name":"","data":null,"data":{"caseType":"none"},', substr(main::lead('"data":{"caseType":"Family"}'), 1))
--- response_body_like: "data":\{"caseType":"Family"\}



=== of equal names the last counts, if it is wrong
--- request eval: main::post(main::lead('"email":"ada@"'))
--- error_code: 422
--- response_body chomp
{"error":{"code":"invalid_request","message":"Enter a valid email address."}}



=== names are equal when they are escaped: a lead
--- request eval: main::post('{"first\u005fname":5,', substr(main::lead(), 1))



=== 255 characters: a lead
--- request eval: main::post(main::lead())
--- more_headers eval
'Idempotency-Key: ' . 'k' x 255



=== 256 characters: key too long
--- request eval: main::post(main::lead())
--- more_headers eval
'Idempotency-Key: ' . 'k' x 256



=== 255 characters of four bytes: a lead
--- request eval: main::post(main::lead())
--- more_headers eval
'Idempotency-Key: ' . "\xf0\x9f\xa6\x8a" x 255



=== 256 characters of two bytes: key too long
--- request eval: main::post(main::lead())
--- more_headers eval
'Idempotency-Key: ' . "\xc3\xab" x 256



=== 255 characters in quotes: a lead
--- request eval: main::post(main::lead())
--- more_headers eval
'Idempotency-Key: "' . 'q' x 255 . '"'



=== too long a key and too bad a body: key too long
--- request eval: main::post('{')
--- more_headers eval
'Idempotency-Key: ' . 'k' x 1000



=== an empty key: a lead
--- request eval: main::post(main::lead())
--- more_headers
Idempotency-Key: ""



=== a key of bytes that are no UTF-8: a lead
--- request eval: main::post(main::lead())
--- more_headers eval
"Idempotency-Key: \xff\xfe\x80"
