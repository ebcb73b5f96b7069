# Copyright (C) the ngx_lead authors
#
# A short run of the fuzzer over HTTP, always the same requests.  `make fuzz`
# runs it for longer, with others.

use strict;
use warnings;

use File::Basename qw(dirname);
use File::Temp ();
use FindBin ();
use Test::More;

use lib "$FindBin::Bin/lib";
use Test::Lead::Fault ();

plan(skip_all => 'the fuzzer wants the module with AddressSanitizer')
    if Test::Lead::Fault::sanitized() !~ /address/;

my $out = File::Temp->newdir('fuzz-XXXXXX', TMPDIR => 1);
my $said = '';

open my $run, '-|', $^X, "$FindBin::Bin/fuzz/http.pl", '--build',
    dirname($ENV{TEST_NGINX_LOAD_MODULES}), qw(--time 8 --seed 1 --out), "$out"
    or die "run: $!\n";
$said .= $_ while <$run>;
note($said);

ok(close $run, 'nothing is found');
like($said, qr/^http\.pl: \d{3,} connections, .* check: ok$/m,
    'requests were sent, and the store is sound');

done_testing();
