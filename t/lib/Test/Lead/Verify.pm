# Copyright (C) the ngx_lead authors
#
# Webhooks as receivers see them: t/tools/verify.js says of each request "ok" or
# what is wrong with it.
#
#     my @said = verify({ format => 'standard', secret => $secret,
#         headers => $got->{headers}, body => $got->{body} }, ...);
#
# What a request may have is told in t/tools/verify.js.  The npm package it
# needs is on NODE_PATH, as tools/test has it, or in the build directory.

package Test::Lead::Verify;

use strict;
use warnings;

use Exporter 'import';
use File::Basename ();
use File::Spec ();
use File::Temp ();
use JSON::PP ();

use Test::Lead::Process qw(find_program);

our @EXPORT_OK = qw(verify);

my $Top = File::Basename::dirname(File::Spec->rel2abs(__FILE__))
    . '/../../../..';


# a verdict for each request, in their order

sub verify {
    my (@requests) = @_;

    my $json = JSON::PP->new->ascii;
    my $node = find_program('node') // die "no node here\n";
    my $in = File::Temp->new(TEMPLATE => 'lead-verify-XXXXXX', TMPDIR => 1);

    print {$in} map { $json->encode($_) . "\n" } @requests;
    close $in or die "cannot write $in: $!\n";

    local $ENV{NODE_PATH} = node_path();

    open my $out, '-|', 'sh', '-c', 'exec "$0" "$1" <"$2"', $node,
        "$Top/t/tools/verify.js", "$in" or die "cannot run $node: $!\n";
    my @said = <$out>;
    close $out or die "verify.js failed: $?\n";

    chomp @said;
    return @said;
}


sub node_path {
    my $build = File::Basename::dirname($ENV{TEST_NGINX_LOAD_MODULES}
        || "$Top/build/x");
    my @dirs = grep { defined && -d "$_/standardwebhooks" }
        $ENV{NODE_PATH}, map { "$build/$_/npm/node_modules" } '.', '..';

    return $dirs[0] // '';
}


1;
