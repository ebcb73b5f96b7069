# Copyright (C) the ngx_lead authors
#
# A short run of the crash harness: nginx is killed, reloaded, upgraded and
# started again under load, and no lead that was acknowledged is missing, none
# is there twice.  `make crash KILLS=<n>` runs it for longer.

use strict;
use warnings;

use FindBin ();
use Test::More;

use lib "$FindBin::Bin/lib";
use Test::Lead::Process qw(slow);

plan(skip_all => 'valgrind follows no nginx that becomes a daemon')
    if $ENV{TEST_NGINX_USE_VALGRIND};

my $kills = int 120 / slow();
my %is;

open my $run, '-|', $^X, "$FindBin::Bin/crash/run", "--kills=$kills",
    '--check=' . int $kills / 2 or die "run: $!\n";

while (my $line = <$run>) {
    note($line);
    $is{$1} = $2 if $line =~ /^(\w+) +(\d+)/;
}

ok(close $run, 'it ends well');
cmp_ok($is{kills}, '>=', $kills, 'so many kills');
cmp_ok($is{acknowledged}, '>', 0, 'writes were acknowledged');
is($is{$_}, 0, "none is $_") for qw(missing duplicated wrong);

done_testing();
