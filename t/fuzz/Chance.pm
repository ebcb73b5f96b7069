# Copyright (C) the ngx_lead authors
#
# The dice of http.pl, and what they are thrown for: bytes and numbers that are
# worth a try.  All is perl's own rand(), which a seed starts anew.

package Chance;

use strict;
use warnings;

use Exporter 'import';

our @EXPORT_OK = qw(chance pick js @Bytes @Numbers $Mark $Phone);

# in every text that must not come to a log
our $Mark = 'zq7leak';
our $Phone = '2067193713';

our @Bytes = ("\0", "\x01", "\x7f", "\xff", "\xc3", "\xc3\xa9", "\xed\xa0\x80",
    "\xf0\x9f\x98\x80", "\xef\xbb\xbf", "\xe2\x80\xa8", "\xe0\x80\xaf", '"',
    "'", '\\', '%', '%00', '%ff', '%2e', '&', '=', '+', ';', ':', '/', '[',
    ']', '[]', '{', '}', '<', '>', "\r", "\n", "\r\n", "\t", ' ', '-', '0',
    'e', '@', '.', ',', '\u0000', '\ud800');

our @Numbers = ('0', '-0', '-1', '1.5', '1e308', '1e400', '-1e400', '1e-400',
    '99999', '100000', '2147483648', '4294967296', '9007199254740993',
    '9223372036854775807', '9223372036854775808', '18446744073709551616',
    '9' x 400, '0.' . '1' x 400, '01', '1.', '.5', '+1', '0x10', 'NaN');


sub chance { return rand() < $_[0] }
sub pick   { return $_[int rand @_] }


# a string of JSON

sub js {
    my ($text) = @_;

    $text =~ s/(["\\])/\\$1/g;
    $text =~ s/([\x00-\x1f])/sprintf '\u%04x', ord $1/ge;

    return qq("$text");
}


1;
