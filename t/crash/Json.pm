# Copyright (C) the ngx_lead authors
#
# Reads the JSON that nginx and leadctl print, some twenty times as fast as
# JSON::PP does: a crash run reads a store of many leads again and again.
# Anything but JSON is an exception.

package Json;

use strict;
use warnings;

my %Escape = (b => "\b", f => "\f", n => "\n", r => "\r", t => "\t");


# strings and numbers as they are, true and false as 1 and 0, null as undef

sub decode {
    my ($text) = @_;

    local $_ = $text;
    pos() = 0;

    my $value = value();
    /\G\s*\z/gc or wrong();

    return $value;
}


sub value {
    return $1 if /\G\s*"([^"\\]*)"/gc;

    if (/\G\s*\{/gc) {
        my %object;
        return \%object if /\G\s*\}/gc;

        do {
            /\G\s*"((?:[^"\\]|\\.)*)"\s*:/gcs or wrong();
            my $name = unescaped($1);
            $object{$name} = value();
        } while (/\G\s*,/gc);

        /\G\s*\}/gc or wrong();
        return \%object;
    }

    if (/\G\s*\[/gc) {
        my @array;
        return \@array if /\G\s*\]/gc;

        do {
            push @array, value();
        } while (/\G\s*,/gc);

        /\G\s*\]/gc or wrong();
        return \@array;
    }

    return unescaped($1) if /\G\s*"((?:[^"\\]|\\.)*)"/gcs;
    return $1 if /\G\s*(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)/gc;
    return 1 if /\G\s*true\b/gc;
    return 0 if /\G\s*false\b/gc;
    return undef if /\G\s*null\b/gc;

    wrong();
}


sub unescaped {
    my ($text) = @_;

    $text =~ s{\\(?:u([0-9a-fA-F]{4})|(.))}{
        defined $1 ? chr hex $1 : $Escape{$2} // $2 }gse;

    return $text;
}


sub wrong {
    my $at = pos() // 0;

    die "no JSON at $at: " . substr($_, $at, 40) . "\n";
}


1;
