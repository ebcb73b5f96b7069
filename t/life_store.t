# Copyright (C) the ngx_lead authors
#
# The store as it is found when a worker starts: not there, somebody else's,
# not to be entered, made by root, written by a newer version, damaged.  nginx serves
# all along, answers 503 where it has no store, spoils nothing, and takes the
# store as soon as it can be had.

use strict;
use warnings;

use Fcntl qw(S_IMODE);
use File::Temp ();
use FindBin ();
use JSON::PP ();
use Test::More;

use lib "$FindBin::Bin/lib";
use Test::Lead qw(wait_until);
use Test::Lead::Fault ();
use Test::Lead::Process qw(slow run_program);

plan(skip_all => 'these tests take turns with users: they need root')
    if $> != 0;

my $Json = JSON::PP->new->utf8->canonical;
my $User = 'www-data';
my ($Uid, $Gid) = (getpwnam $User)[2, 3];
my $Tmp = File::Temp->newdir('lead-plant-XXXXXX', TMPDIR => 1);
my $Unavailable = { error => { code => 'unavailable',
        message => 'Temporarily unavailable.' } };

plan(skip_all => "there is no user $User") if !defined $Uid;

system($ENV{CC} || 'gcc', qw(-O1 -g -Wall -Wextra -Werror -o), "$Tmp/plant",
    "$FindBin::Bin/tools/plant.c", '-llmdb') == 0
    or die "cannot build plant\n";


# options: store (below the directory), workers

sub server {
    my (%opt) = @_;

    my $store = $opt{store} // 'store';

    return Test::Lead->new(user => $User, workers => $opt{workers} // 1,
        conf => <<"_EOC_");
http {
    lead_store  %%DIR%%/$store size=64m;

    lead_account acme {
        pipeline stage {
            stage new name=New default;
        }
    }

    server {
        listen 127.0.0.1:%%PORT%%;

        location /api/ { lead_api lawfficient; }
        location = /status { lead_status json; }
        location = /other { return 200 other; }
    }
}
_EOC_
}


sub add_key {
    my ($t, $store) = @_;

    my ($code, $out, $err) = $t->leadctl('--store', $store,
        qw(key add --account acme));
    die "no key: $err\n" if $code != 0;

    return $out =~ s/\n\z//r;
}


sub create {
    my ($t, $key) = @_;

    return $t->http('POST', '/api/leads', ['Authorization', "Bearer $key"],
        $Json->encode({ first_name => 'Ada', last_name => 'Lovelace',
            source => 'store', email => 'ada@example.com' }));
}


sub decoded {
    my ($res) = @_;

    return eval { $Json->decode($res->{body}) } // {};
}


sub unavailable {
    my ($t, $name) = @_;

    my $res = create($t, 'any');

    is($res->{status}, 503, "$name: 503");
    is($res->{headers}{'retry-after'}, 1, "$name: Retry-After");
    is_deeply(decoded($res), $Unavailable, "$name: in the dialect's words");
    is($t->http('GET', '/api/openapi.json')->{status}, 200,
        "$name: what needs no store is served");
    is($t->http('GET', '/other')->{body}, 'other',
        "$name: so is the rest of nginx");
    is(decoded($t->http('GET', '/status'))->{store}{open}, JSON::PP::false,
        "$name: the status page says it");
}


# the first complaint is CRIT, those of the same minute are less

sub complains {
    my ($t, $name, $pattern) = @_;

    ok(wait_until(sub {
        2 <= (() = $t->log =~ /lead: opening the store/g);
    }, 15 * slow()), "$name: it tries again and again");

    my @crit = grep { /\[crit\]/ } split /^/, $t->log;
    is(scalar @crit, 1, "$name: it complains loudly once");
    like($crit[0], $pattern, "$name: of this");
}


sub recovers {
    my ($t, $name, $key) = @_;

    ok(wait_until(sub {
        decoded($t->http('GET', '/status'))->{store}{open};
    }, 10 * slow()), "$name: it has the store by itself");

    # each worker has a timer of its own to try again by

    ok(wait_until(sub { create($t, $key)->{status} == 201 }, 10 * slow()),
        "$name: and takes leads") if $key;
}


sub owner {
    my ($path) = @_;

    my @stat = stat $path or return "no $path";

    return sprintf '%s %o', scalar(getpwuid $stat[4]), S_IMODE($stat[2]);
}


# all that lies beside a store, but what LMDB has for locks alone

sub content {
    my ($dir) = @_;

    return { map { $_ => Test::Lead::Process::read_file($_) }
        grep { !/-lock\z/ } glob "$dir/*" };
}


# ---- nothing there: nginx -t by root, then workers of another user

{
    my $t = server(workers => 2);
    my $store = $t->dir . '/store';

    my ($ok, $said) = $t->test_conf;
    ok($ok, 'new: the configuration is right') or diag($said);
    is(owner($store), "$User 700", 'new: the directory is made');
    is_deeply([glob "$store/*"], [], 'new: nothing is in it');

    $t->start;
    is(owner("$store/lead.mdb"), "$User 600", 'new: workers make the store');

    my $key = add_key($t, $store);
    is(create($t, $key)->{status}, 201, 'new: and take leads');

    ($ok, $said) = $t->test_conf;
    ok($ok, 'new: nginx -t beside a running nginx') or diag($said);
    is(create($t, $key)->{status}, 201, 'new: does it no harm');

    is_deeply([map { owner($_) } sort glob "$store/*"],
        ["$User 600", "$User 600"], 'new: no file is of another owner');
    $t->check_end('new: a clean end');

    # leadctl by root came first: what it makes is of the directory's owner
    $t = server(store => 'second');
    $store = $t->dir . '/second';
    $t->test_conf;
    $key = add_key($t, $store);
    is(owner("$store/lead.mdb"), "$User 600", 'second: leadctl by root');
    $t->start;
    is(create($t, $key)->{status}, 201, 'second: then nginx');
    $t->check_end('second: a clean end');
}


# ---- whoever starts nginx, with whatever umask: nobody else may look

for my $umask (0000, 0077, 0777) {
    my $name = sprintf 'umask %03o', $umask;
    my $t = server(workers => 2);
    my $store = $t->dir . '/store';
    my $before = umask;

    # what nginx writes beside it is not of interest
    Test::Lead::Process::write_file($t->path("$_.log"), '')
        for qw(error access);

    umask $umask;
    my ($ok, $said) = $t->test_conf;
    umask $before;
    ok($ok, "$name: nginx -t") or diag($said);
    is(owner($store), "$User 700", "$name: the directory is made");
    is_deeply([glob "$store/*"], [], "$name: nothing is in it");

    umask $umask;
    $t->start;
    umask $before;

    is_deeply([map { owner($_) } sort glob "$store/*"],
        ["$User 600", "$User 600"], "$name: files are for their owner");

    umask $umask;
    my $key = add_key($t, $store);
    umask $before;

    is(create($t, $key)->{status}, 201, "$name: leads are taken");
    is_deeply([map { owner($_) } $store, sort glob "$store/*"],
        ["$User 700", "$User 600", "$User 600"], "$name: and so it stays");
    $t->check_end("$name: a clean end");
}


# ---- a directory that the workers' user cannot come to

{
    my $t = server(store => 'locked/store', workers => 2);
    my $locked = $t->dir . '/locked';

    mkdir $locked or die "cannot make $locked: $!\n";
    chmod 0700, $locked;

    $t->start;
    unavailable($t, 'locked');

    ok(wait_until(sub { 4 <= (() = $t->log =~ /opening the store/g) },
        15 * slow()), 'locked: it tries again and again');
    is(scalar(grep { /\[crit\]/ } split /^/, $t->log), 2,
        'locked: each worker complains loudly once');
    like($t->log, qr{\[crit\].*"$locked/store".*Permission denied},
        'locked: and says what is wrong');

    chmod 0755, $locked;
    my $key = add_key($t, "$locked/store");
    recovers($t, 'locked', $key);
    $t->check_end('locked: a clean end');
}


# ---- a store of root's, as a careless restore leaves it

{
    my $t = server();
    my $store = $t->dir . '/store';

    $t->start;
    my $key = add_key($t, $store);
    is(create($t, $key)->{status}, 201, 'owner: a lead');
    $t->quit;

    chown 0, 0, glob "$store/*";
    $t->start;
    unavailable($t, 'owner');
    complains($t, 'owner', qr/Permission denied/);

    chown $Uid, $Gid, glob "$store/*";
    recovers($t, 'owner', $key);

    my ($code, $out) = $t->leadctl('--store', $store, qw(stat --json));
    is($Json->decode($out)->{leads}, 2, 'owner: the old lead and the new');
    $t->check_end('owner: a clean end');
}


# ---- a directory in which nothing can be made

{
    my $t = server();
    my $store = $t->dir . '/store';

    # while nginx starts it gives the directory to the user, so it is taken
    # away from a running one
    mkdir $store or die "cannot make $store: $!\n";
    Test::Lead::Process::write_file("$store/lead.mdb", 'wait');
    $t->start;
    chown 0, 0, $store;
    chmod 0755, $store;
    unlink glob "$store/*";

    unavailable($t, 'unwritable');
    ok($t->wait_for_log(qr/Permission denied/, 10 * slow()),
        'unwritable: the log says so');
    is_deeply([glob "$store/*"], [], 'unwritable: nothing is made');

    chown $Uid, $Gid, $store;
    recovers($t, 'unwritable');
    is(create($t, add_key($t, $store))->{status}, 201,
        'unwritable: and takes leads');
    $t->check_end('unwritable: a clean end');
}


# ---- files that are no store of ours

sub planted {
    my ($name, $plant, $pattern) = @_;

    my $t = server();
    my $store = $t->dir . '/store';

    mkdir $store or die "cannot make $store: $!\n";
    $plant->($t, "$store/lead.mdb");
    chown $Uid, $Gid, glob "$store/*";

    my $before = content($store);
    ok(length $before->{"$store/lead.mdb"}, "$name: there is a file");

    is(($t->test_conf)[0], 1, "$name: nginx -t does not open it");
    $t->start;
    unavailable($t, $name);
    complains($t, $name, $pattern);

    # nor does a reload, or leadctl, touch it
    ok($t->reload, "$name: a reload");
    isnt(($t->leadctl('--store', $store, qw(key add --account acme)))[0], 0,
        "$name: leadctl refuses it too");
    unavailable($t, "$name, reloaded");
    is_deeply(content($store), $before, "$name: it is as it was");

    unlink glob "$store/*";
    recovers($t, $name);
    is(create($t, add_key($t, $store))->{status}, 201,
        "$name: taken away, nginx makes a store");
    $t->check_end("$name: a clean end");
}


sub plant {
    my ($what, $file) = @_;

    is(run_program(["$Tmp/plant", $what, $file]), 0, "$what: planted");
}


planted('text', sub {
    Test::Lead::Process::write_file($_[1], "Dear diary,\n" x 2000);
}, qr/is no lead store/);

planted('short', sub {
    Test::Lead::Process::write_file($_[1], "Dear diary,\n");
}, qr/is no lead store/);

planted('foreign', sub {
    plant('foreign', $_[1]);
}, qr/is no lead store/);

planted('newer', sub {
    my ($t, $file) = @_;

    add_key($t, $t->dir . '/store');
    plant('version', $file);
}, qr/the store has format 2, this is for 1: use the version that wrote it/);

planted('older', sub {
    my ($t, $file) = @_;

    add_key($t, $t->dir . '/store');
    plant('format', $file);
}, qr/the store has format 0, which never was: put a backup in its place/);

planted('marker', sub {
    my ($t, $file) = @_;

    add_key($t, $t->dir . '/store');
    plant('garbage', $file);
}, qr/is no lead store/);

planted('cut', sub {
    my ($t, $file) = @_;

    add_key($t, $t->dir . '/store');
    truncate $file, 5 * 4096 or die "truncate: $!\n";
}, qr/the store is cut short: 5 of \d+ pages/);


# ---- a page that kills whoever follows it: nginx is not to be one worker after
# the other that dies

SKIP: {
    skip 'a sanitizer or valgrind has its say of it', 1
        if Test::Lead::Fault::sanitized() || $ENV{TEST_NGINX_USE_VALGRIND};

    my $t = server();
    my $store = $t->dir . '/store';

    mkdir $store, 0700 or die "cannot make $store: $!\n";
    chown $Uid, $Gid, $store;

    my $key = add_key($t, $store);
    my $good = Test::Lead::Process::read_file("$store/lead.mdb");

    # the page all trees hang on: its first rows are beyond the end of the file

    my ($meta) = sort { $b->[1] <=> $a->[1] } map {
        [unpack 'x128 Q x8 Q', substr $good, 4096 * $_, 4096]
    } 0, 1;
    my $bad = $good;
    substr($bad, 4096 * $meta->[0] + 16, 4080) = "\xff" x 4080;
    overwrite("$store/lead.mdb", $bad);

    $t->allow(qr/exited on signal/);
    $t->start;

    ok(wait_until(sub { $t->log =~ /\[crit\].* 5 workers have died of opening/ },
        20 * slow()), 'deadly: after five deaths it says so');
    unavailable($t, 'deadly');
    is(() = $t->log =~ /exited on signal/g, 5, 'deadly: and no more die');
    like($t->log, qr/see what "leadctl check" says of it; not opened for 60 s/,
        'deadly: it says what to do');

    my ($code, $out, $err) = $t->leadctl('--store', $store, 'check');
    is($code, 3, 'deadly: leadctl does not die of it');
    like($err, qr/\Aleadctl: ended by a page that is none: .* put a backup in its place\n\z/,
        'deadly: and says what to do');

    overwrite("$store/lead.mdb", $good);
    ok($t->reload, 'deadly: mended, and a reload');
    recovers($t, 'deadly', $key);
    is(create($t, $key)->{status}, 201, 'deadly: it is as it was');
    $t->check_end('deadly: a clean end');
}


# into the file that is there: owner and mode stay

sub overwrite {
    my ($file, $data) = @_;

    open my $out, '+<:raw', $file or die "$file: $!\n";
    print $out $data;
    close $out or die "$file: $!\n";
}


done_testing();
