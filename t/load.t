# Copyright (C) the ngx_lead authors
#
# A short run of the load harness: hundreds of connections with slow, stuck,
# deaf and rude clients, floods of streams, a full queue.  `make load` runs it
# with 10,000.

use strict;
use warnings;

use FindBin ();
use Test::More;

plan(skip_all => 'node is too fast for valgrind')
    if $ENV{TEST_NGINX_USE_VALGRIND};

exec $^X, "$FindBin::Bin/load/run", qw(--connections=400 --pace=10 --timeout=3
    --queue=100 --http2=10 --rounds=2 --rest=0) or die "run: $!\n";
