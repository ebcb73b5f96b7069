#!/usr/bin/perl

# Copyright (C) the ngx_lead authors
#
# leadctl, the operator's tool, as the operator meets it: the real binary on
# real stores in temporary directories.  LEADCTL names the binary (default:
# build/leadctl), LEADCTL_ARGS options for every call that opens a store.

use strict;
use warnings;
no warnings 'qw';
use utf8;

use Fcntl qw(S_IMODE);
use File::Temp qw(tempdir);
use IPC::Open3 ();
use JSON::PP ();
use POSIX ();
use Symbol qw(gensym);
use Test::More;

binmode(Test::More->builder->$_(), ':encoding(UTF-8)')
    for qw(output failure_output todo_output);

my $LEADCTL = $ENV{LEADCTL} || 'build/leadctl';

die "there is no $LEADCTL here: run make first\n" if !-x $LEADCTL;

my @ARGS = split ' ', $ENV{LEADCTL_ARGS} || '';
my $TMP = tempdir(CLEANUP => 1);
my $JSON = JSON::PP->new->utf8;
my $UUID = qr/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/;
my $TIME = qr/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/;
my $KEY = qr/lead_([0-9A-Za-z]{8})_[0-9A-Za-z]{38}/;
my @SECRETS;
my $DIRS = 0;

delete $ENV{LEAD_STORE};
chmod 0755, $TMP;


###############################################################################

sub slurp {
    my ($file) = @_;

    open my $fh, '<:raw', $file or die "$file: $!\n";
    local $/;
    return scalar <$fh>;
}

sub spew {
    my ($file, $text) = @_;

    open my $fh, '>:raw', $file or die "$file: $!\n";
    print $fh $text;
    close $fh or die "$file: $!\n";
    return $file;
}

sub store_dir {
    my $dir = "$TMP/store" . $DIRS++;

    mkdir $dir, 0700 or die "$dir: $!\n";
    return $dir;
}

# exit code, stdout, stderr; 'SIGPIPE' and so on as 128 + n
sub run_input {
    my ($input, @cmd) = @_;
    my $in = spew("$TMP/in", $input);
    my $pid = fork() // die "fork: $!\n";

    if ($pid == 0) {
        open STDIN, '<', $in or POSIX::_exit(126);
        open STDOUT, '>', "$TMP/out" or POSIX::_exit(126);
        open STDERR, '>', "$TMP/err" or POSIX::_exit(126);
        exec { $cmd[0] } @cmd or POSIX::_exit(126);
    }

    waitpid $pid, 0;
    my $code = $? & 127 ? 128 + ($? & 127) : $? >> 8;

    my $err = slurp("$TMP/err");
    fail("no sanitizer report: @cmd"), diag($err)
        if $err =~ /Sanitizer|runtime error:|==\d+==/;

    return ($code, slurp("$TMP/out"), $err);
}

sub leadctl { return run_input('', $LEADCTL, @ARGS, @_) }
sub shell { return run_input('', '/bin/sh', '-c', @_) }

sub leadctl_in {
    my ($input, @args) = @_;
    return run_input($input, $LEADCTL, @ARGS, @args);
}

# $out and $err are strings or patterns
sub answers {
    my ($name, $args, $code, $out, $err, $input) = @_;
    my ($c, $o, $e) = leadctl_in($input // '', @$args);

    subtest $name => sub {
        is($c, $code, 'exit code') or diag("stdout: $o\nstderr: $e");
        ref $out ? like($o, $out, 'stdout') : is($o, $out, 'stdout');
        ref $err ? like($e, $err, 'stderr') : is($e, $err, 'stderr');
        unlike($o . $e, qr/[^\n[:print:]]/a, 'nothing but ASCII text')
            if $code;
    };

    return $o;
}

sub usage {
    my ($name, $args, $err) = @_;
    answers("usage: $name", $args, 2, '', qr/\Aleadctl: .*$err.*\nusage: leadctl /);
}

sub lines { return map { $JSON->decode($_) } split /\n/, $_[0] }

sub keys_of {
    my ($store, @more) = @_;
    my ($c, $o) = leadctl('--store', $store, '--json', 'key', 'list', @more);

    is($c, 0, 'key list --json');
    return lines($o);
}

sub new_key {
    my ($store, @more) = @_;
    my ($c, $o, $e) = leadctl('--store', $store, qw(key add), @more);

    is($c, 0, "key add @more") or diag($e);
    chomp $o;
    push @SECRETS, $o;
    return $o;
}

sub import_leads {
    my ($store, $account, @docs) = @_;
    my $input = join '', map { (ref $_ ? $JSON->encode($_) : $_) . "\n" } @docs;

    my ($c, $o, $e) = leadctl_in($input, '--store', $store, qw(lead import
                                 --account), $account, '-');
    is($c, 0, 'lead import') or diag($e);
    is($o, 'imported ' . @docs . " leads\n", 'imported all');
}

sub leads {
    my ($store, @more) = @_;
    my ($c, $o, $e) = leadctl('--store', $store, '--json', 'lead', @more);

    is($c, 0, "lead @more") or diag($e);
    return lines($o);
}


###############################################################################
# help, version, usage

my $help = answers('--help', ['--help'], 0, qr/\Aleadctl, /, '');
answers('--help wins', [qw(key add --help)], 0, $help, '');
answers('--version', ['--version'], 0, qr/\Aleadctl \d+\.\d+\.\d+\n\z/, '');

(my $man = $0) =~ s{[^/]+\z}{../lmdb_store/leadctl.1};
$man = slurp($man);
(my $plain = $man) =~ s/\\//g;

for my $option ($help =~ /(--[a-z][-a-z]*)/g) {
    (my $name = $option) =~ s/^-//;
    like($plain, qr/Fl \Q$name\E\b/, "the manual has $option");
}

for my $command ($help =~ /^  ((?:(?:key|lead|delivery|webhook) )?[a-z]+)\b(?= |$)/mg) {
    next if $command =~ /^(?:key|lead|delivery|webhook)$/;
    like($plain, qr/Cm \Q$command\E\b/, "the manual has $command");
    like($help, qr/^  \Q$command\E/m, "the help has $command");
}

is(scalar(() = $help =~ /^  (?:key|lead|delivery|webhook) \w+|^  (?:stat|check|backup DIR)$/mg),
   20, 'the help has every command');

for my $option ($plain =~ /Fl -([a-z][-a-z]*)/g) {
    next if $option eq 'option';
    like($help, qr/--\Q$option\E\b/, "the help has --$option");
}

for my $exit (0 .. 3) {
    like($man, qr/^\.It $exit$/m, "the manual has exit code $exit");
}

SKIP: {
    skip 'no man here', 1 if system('command -v man >/dev/null 2>&1');
    (my $file = $0) =~ s{[^/]+\z}{../lmdb_store/leadctl.1};
    my $said = `LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -l $file 2>&1 >/dev/null`;
    is($said, '', 'man has no warnings');
}

usage('no command', [], 'no command');
usage('unknown command', ['frob'], 'unknown command');
usage('half a command', ['key'], 'key needs one of add, list');
usage('half a command', ['lead'], 'lead needs one of get, list');
usage('half a command', ['delivery'],
      'delivery needs one of list, show, retry, replay');
usage('half a command', ['webhook'],
      'webhook needs one of list, test, disable, enable');
usage('wrong second word', [qw(key frob)], 'key needs one of');
usage('unknown option', [qw(stat --frob)], 'unknown option "--frob"');
usage('short option', [qw(-x stat)], 'unknown option "-x"');
usage('option of another command', [qw(stat --account acme)],
      '--account does not go with this command');
usage('option twice', [qw(--json stat --json)], '--json is given twice');
usage('option without value', [qw(stat --store)], '--store needs a value');
usage('option with empty value', ['stat', '--store='], 'not empty');
usage('flag with value', ['stat', '--json=yes'], '--json takes no value');
usage('argument missing', [qw(key disable)], 'an argument is missing');
usage('too many arguments', [qw(stat now)], 'too many arguments');
usage('far too many arguments', [qw(key list a b c d e)],
      'too many arguments');
usage('key add without account', [qw(key add)], 'needs --account');
usage('lead list without account', [qw(lead list)], 'needs --account');
usage('lead import without account', [qw(lead import -)], 'needs --account');
if (!grep { /--size/ } @ARGS) {
    usage("bad size $_", [qw(stat --size), $_], '--size must be')
        for '0', '12', '16x', '1023k', '-1', '99999999999999999999g', 'g';
}

usage('account too long', [qw(key add --account), 'a' x 128],
      '--account may have 127 bytes');
usage('account with a control', [qw(key add --account), "a\x1b[31m"],
      'without control characters');
usage('account not UTF-8', [qw(key add --account), "a\xff"], 'must be UTF-8');
usage("bad scope $_", [qw(key add --account a --scope), $_],
      '--scope takes leads:read')
    for 'leads', 'leads:read,', ',', 'leads:read leads:write', 'ingest';
usage('scope with source', [qw(key add --account a --source z --scope
      leads:read)], 'leave --scope out');
usage('bad api', [qw(key add --account a --api salesforce)], '--api takes');
usage("bad expiry $_", [qw(key add --account a --expires), $_],
      '--expires takes')
    for '0d', 'd', '36501d', '90', '-1d', '2027-02-30', '2027-13-01',
        '2027-1-1', '2027-01-01x', 'tomorrow', '99999999999999999999d';
usage('expiry in the past', [qw(key add --account a --expires 2001-01-01)],
      'in the future');
usage("bad limit $_", [qw(lead list --account a --limit), $_],
      '--limit takes')
    for '0', '-1', 'x', '1000001', '18446744073709551617';
usage('bad from', [qw(lead list --account a --from 12)], '--from takes');
usage('bad lead id', [qw(lead get), "abc\n\x1b[2J"], 'neither a lead');

{
    my $text = 'lead_abcdefgh_' . 'S' x 38;
    my ($c, $o, $e) = leadctl(qw(key disable), $text);
    is($c, 2, 'a whole key for an id is refused');
    unlike($o . $e, qr/SSSS|abcdefgh/, '... and not repeated');
}


###############################################################################
# no store, no access

my $nowhere = "$TMP/nowhere";

for my $command ([qw(key list)], [qw(key add --account a)], ['stat'],
                 ['check'], [qw(lead export)], [qw(key remove abcdefgh)])
{
    answers("no directory: @$command", ['--store', $nowhere, @$command], 3,
            '', qr/\Aleadctl: there is no directory \Q$nowhere\E; .*install -d -o \S+ -m 0700 \Q$nowhere\E.*\n\z/);
}

ok(!-e $nowhere, 'nothing was made');

my $empty = store_dir();

for my $command ([qw(key list)], [qw(key remove abcdefgh)], ['stat'],
                 ['check'], [qw(lead get 1)])
{
    answers("no store: @$command", ['--store', $empty, @$command], 3, '',
            qr/\Aleadctl: there is no lead store in \Q$empty\E; .*\n\z/);
}

is(join(' ', glob "$empty/*"), '', 'reading made nothing');

answers('unknown engine', ['--store', 'mysql:x', 'stat'], 3, '',
        qr/\Aleadctl: opening the store failed .*no such engine.*\n\z/);

answers('not ours', [qw(--store /proc/self/mounts stat)], 3, '',
        qr/\Aleadctl: opening the store failed .*\n\z/);

{
    my $dir = store_dir();
    spew("$dir/lead.mdb", 'no store at all ' x 1024);
    my $before = slurp("$dir/lead.mdb");

    answers("a foreign file: @$_", ['--store', $dir, @$_], 3, '',
            qr/\Aleadctl: opening the store failed .*\n\z/)
        for ['stat'], [qw(key add --account a)];
    is(slurp("$dir/lead.mdb"), $before, 'a foreign file is left alone');
}


###############################################################################
# keys

my $store = store_dir();
my @store = ('--store', $store);
my ($code, $out, $err);

($code, $out, $err) = leadctl(@store, qw(key add --account acme --scope
                              leads:read,leads:write --name demo));
is($code, 0, 'key add');
like($out, qr/\A$KEY\n\z/, 'the key alone is on stdout');
like($err, qr/account "acme" is new in this store/, 'a new account is said');
like($err, qr/is not shown again/, 'hints are on stderr');
chomp(my $first = $out);
push @SECRETS, $first;
my ($first_id) = $first =~ /^$KEY$/;
unlike($err, qr/\Q@{[substr $first, 14]}\E/, 'the secret is not on stderr');

($code, $out, $err) = leadctl('key', 'add', '--name=x', '--account=acme',
                              "--store=$store");
is($code, 0, 'options after the command, with =');
unlike($err, qr/is new/, 'a known account is not new');
chomp $out;
push @SECRETS, $out;

like(new_key("lmdb:$store", qw(--account acme --scope leads:read --api
     lawfficient --expires 90d)), qr/^$KEY$/, 'lmdb:PATH');
new_key($store, qw(--account acme --scope leads:write --expires 2999-12-31));
new_key($store, qw(--account zenith --source zapier --api lawfficient
                   --expires never --name), $JSON->encode("Zoë \x{1F600}"));

($code, $out, $err) = leadctl(@store, qw(--json key add --account acme));
is($code, 0, 'key add --json');
my ($made) = lines($out);
like($made->{key}, qr/^$KEY$/, 'the object has the key');
push @SECRETS, $made->{key};
is($made->{last4}, substr($made->{key}, -4), 'last4');
is_deeply($made->{scopes}, ['leads:read', 'leads:write'], 'default scopes');

my %seen;
$seen{$_}++ for @SECRETS;
is(scalar(keys %seen), @SECRETS, 'no key is made twice');

my @list = keys_of($store);
is(@list, 6, 'all keys are listed');
is_deeply([sort keys %{$list[0]}],
          [sort qw(id account scopes api source name created_at expires_at
                   state last4)], 'members of a key');

my %by = map { $_->{id} => $_ } @list;
is($by{$first_id}{account}, 'acme', 'account');
is($by{$first_id}{name}, 'demo', 'name');
is($by{$first_id}{state}, 'active', 'state');
is($by{$first_id}{expires_at}, undef, 'never expires');
like($by{$first_id}{created_at}, qr/\A$TIME\z/, 'created_at');
is($by{$first_id}{last4}, substr($first, -4), 'last4');

my ($dated) = grep { ($_->{expires_at} // '') =~ /^2999/ } @list;
is($dated->{expires_at}, '2999-12-31T00:00:00.000Z', 'a date of expiry');
is_deeply($dated->{scopes}, ['leads:write'], 'one scope');

my ($law) = grep { $_->{api} eq 'lawfficient' && !$_->{source} } @list;
my $in90 = POSIX::strftime('%Y-%m-%d', gmtime(time + 90 * 86400));
cmp_ok(abs(_days($law->{expires_at}) - _days($in90)), '<=', 1, '90d');
is_deeply($law->{scopes}, ['leads:read'], 'one scope');

my ($ingest) = grep { $_->{source} } @list;
is($ingest->{source}, 'zapier', 'source');
is($ingest->{name}, qq("Zoë \x{1F600}"), 'a name beyond ASCII');
is($ingest->{account}, 'zenith', 'account of the source');
is_deeply($ingest->{scopes}, ['ingest'], 'scope of a source');

sub _days {
    my ($y, $m, $d) = $_[0] =~ /^(\d+)-(\d+)-(\d+)/;
    return POSIX::mktime(0, 0, 12, $d, $m - 1, $y - 1900) / 86400;
}

is(scalar(keys_of($store, '--account', 'zenith')), 1, 'of one account');
answers('of an unknown account', [@store, qw(key list --account nobody)], 1,
        '', qr/\Aleadctl: there is no account "nobody" in this store.*\n\z/);

($code, $out) = leadctl(@store, qw(key list));
is($code, 0, 'key list');
like($out, qr/\AID +ACCOUNT +SCOPES +API +SOURCE +NAME +CREATED +EXPIRES +STATE +LAST4\n/,
     'titles');
like($out, qr/^$first_id  acme +leads:read,leads:write +demo +$TIME  never +active  \Q@{[substr $first, -4]}\E$/m,
     'a row');
is(scalar(() = $out =~ /\n/g), 7, 'a row a key');

answers('disable', [@store, qw(key disable), $first_id], 0,
        "key $first_id disabled\n", '');
is((grep { $_->{id} eq $first_id } keys_of($store))[0]{state}, 'disabled',
   'it is');
answers('disable again', [@store, '--json', qw(key disable), $first_id], 0,
        qq({"id":"$first_id","result":"disabled"}\n), '');
answers('enable', [@store, qw(key enable), $first_id], 0,
        "key $first_id enabled\n", '');
is((grep { $_->{id} eq $first_id } keys_of($store))[0]{state}, 'active',
   'it is');

answers("$_ an unknown key", [@store, 'key', $_, '00000000'], 1, '',
        qr/\Aleadctl: there is no key 00000000 .*\n\z/)
    for qw(disable enable remove);

answers('remove', [@store, qw(key remove), $made->{id}], 0,
        "key $made->{id} removed\n", '');
answers('it is gone', [@store, qw(key enable), $made->{id}], 1, '',
        qr/no key/);
is(scalar(keys_of($store)), 5, 'one key less');


###############################################################################
# imported keys

my $vendor = 'lak_vendor-made.key/9876543210';
push @SECRETS, $vendor;

my $file = spew("$TMP/vendor", "$vendor\r\nsecond line\n");
$out = answers('--key-file', [@store, qw(key add --account acme --api
               lawfficient --name vendor --key-file), $file], 0,
               qr/\A[0-9A-Za-z]{8}\n\z/, '');
chomp $out;
my ($imported) = grep { $_->{name} eq 'vendor' } keys_of($store);
is($imported->{id}, $out, 'the id is printed');
is($imported->{last4}, '3210', 'last4 of an imported key');

answers('the same key again', [@store, qw(key add --account zenith
        --key-file), $file], 1, '', qr/\Aleadctl: this key is in the store already.*\n\z/);

($code, $out) = leadctl_in("kol_A1", @store, '--json', qw(key add --account
                           acme --key-file -));
is($code, 0, '--key-file -, no end of line');
my ($short) = lines($out);
is($short->{last4}, '', 'a short key shows nothing of itself');
ok(!exists $short->{key}, 'an imported key is not printed');

$code = (leadctl_in('k' x 512 . "\n", @store, qw(key add --account acme
                    --key-file -)))[0];
is($code, 0, '512 bytes are a key');

my @bad = (
    [ 'empty',             '',                 qr/is empty/ ],
    [ 'an empty line',     "\nkey\n",          qr/is empty/ ],
    [ 'a line end only',   "\r\n",             qr/is empty/ ],
    [ '513 bytes',         'S' x 513 . "\n",   qr/longer than 512/ ],
    [ '100000 bytes',      'S' x 100000,       qr/longer than 512/ ],
    [ 'a blank',           "SECRET SECRET\n",  qr/a blank/ ],
    [ 'a blank at an end', "SECRET \n",        qr/a blank/ ],
    [ 'a tab',             "\tSECRET\n",       qr/a blank/ ],
    [ 'a control',         "SEC\x01RET\n",     qr/a blank, a control/ ],
    [ 'a zero',            "SEC\0RET\n",       qr/a blank, a control/ ],
    [ 'not ASCII',         "SEC\xc2\xa0RET\n", qr/non-ASCII/ ],
    [ 'ours, damaged',     substr($first, 0, -1)
                           . (substr($first, -1) eq 'x' ? 'y' : 'x') . "\n",
                           qr/wrong checksum/ ],
);

for (@bad) {
    my ($name, $input, $what) = @$_;
    ($code, $out, $err) = leadctl_in($input, @store, qw(key add --account
                                     newcomer --key-file -));
    is($code, 1, "a key file with $name is refused");
    is($out, '', '... prints nothing');
    like($err, qr/\Aleadctl: .*$what.*: no key was added\n\z/, '... says why');
    unlike($err, qr/SSS|SEC|\Q@{[substr $first, 14, 20]}\E/,
           '... not the key');
}

answers('no key file', [@store, qw(key add --account newcomer --key-file),
        "$TMP/none"], 2, '', qr/\Aleadctl: --key-file .*cannot be opened.*\n\z/);
answers('a directory', [@store, qw(key add --account newcomer --key-file),
        $TMP], 2, '', qr/\Aleadctl: --key-file .*cannot be read.*\n\z/);
answers('none made the account', [@store, qw(key list --account newcomer)],
        1, '', qr/no account "newcomer"/);


###############################################################################
# what nobody must find

($code, $out) = leadctl(@store, qw(key list));
my $shown = $out;
($code, $out) = leadctl(@store, qw(--json key list));
$shown .= $out;
my $files = join '', map { slurp($_) } glob "$store/*";
cmp_ok(length $files, '>', 10000, 'the files of the store were read');

for my $secret (@SECRETS) {
    my $part = $secret =~ /^lead_/ ? substr($secret, 14, 32) : $secret;
    is(index($shown, $part), -1, 'no list shows a secret');
    is(index($files, $part), -1, 'no file has a secret');
}

isnt(index($files, $first_id), -1, 'the files do have the id');

for my $path (glob "$store/*") {
    is(S_IMODE((stat $path)[2]), 0600, "$path is of mode 0600");
}

SKIP: {
    skip 'not root', 19 if $> != 0;

    my ($name, undef, $uid, $gid) = getpwnam 'nobody';
    my $dir = store_dir();
    chown $uid, $gid, $dir;

    new_key($dir, qw(--account acme));
    my @files = glob "$dir/*";
    cmp_ok(scalar @files, '>=', 1, 'root made a store');
    is((stat $_)[4], $uid, "$_ belongs to the directory's owner") for @files;

    my $as = sub {
        my ($who, @cmd) = @_;
        my ($n, undef, $u, $g) = getpwnam $who;
        my $pid = fork() // die;
        if ($pid == 0) {
            open STDOUT, '>', "$TMP/out" or POSIX::_exit(126);
            open STDERR, '>', "$TMP/err" or POSIX::_exit(126);
            $) = "$g $g";
            POSIX::setgid($g);
            POSIX::setuid($u);
            exec { $cmd[0] } @cmd or POSIX::_exit(126);
        }
        waitpid $pid, 0;
        return ($? >> 8, slurp("$TMP/out"), slurp("$TMP/err"));
    };

    my $copy = "$TMP/leadctl";
    system('cp', $LEADCTL, $copy) == 0 or die;
    chmod 0755, $copy;

    ($code, $out, $err) = $as->('nobody', $copy, @ARGS, '--store', $dir,
                                qw(key add --account acme));
    is($code, 0, 'the owner may write') or diag($err);

    chmod 0755, $dir;
    ($code, $out, $err) = $as->('daemon', $copy, @ARGS, '--store', $dir,
                                qw(key list));
    is($code, 3, 'another user may not read');
    like($err, qr/\Aleadctl: .*run leadctl as the store's owner or as root\n\z/,
         '... and is told');
    is(join(' ', map { (stat $_)[4] } glob "$dir/*"),
       join(' ', map { $uid } glob "$dir/*"), 'the owners are as before');

    # root is nobody's tool: what the owner puts in the place of a file is
    # opened with the owner's own rights

    my $secret = "$TMP/roots";

    spew($secret, "root's own\n");
    chmod 0600, $secret;

    for my $name (qw(lead.mdb lead.mdb-lock)) {
        for my $target ($secret, "$TMP/not_there") {
            my $what = "$name, a link to " . (-e $target ? 'a file' : 'none');

            rename "$dir/$name", "$dir/away" or die "rename: $!\n";
            symlink $target, "$dir/$name" or die "symlink: $!\n";

            ($code, $out, $err) = leadctl('--store', $dir, qw(key add --account
                                      acme));
            is($code, 3, "$what: root is refused") or diag($out, $err);
            ok(slurp($secret) eq "root's own\n" && !-e "$TMP/not_there",
               "$what: nothing is written");

            unlink "$dir/$name";
            rename "$dir/away", "$dir/$name";
        }
    }

    chown 0, 0, "$dir/lead.mdb";
    ($code, $out, $err) = leadctl('--store', $dir, 'stat');
    is($code, 3, "a file of root's own: refused");
    like($err, qr/\Aleadctl: .*: give them to him with chown\n\z/,
         '... with what to do');
    chown $uid, $gid, "$dir/lead.mdb";
    is((leadctl('--store', $dir, 'stat'))[0], 0, 'the store is as it was');
}


###############################################################################
# leads

my $L = store_dir();
my @L = ('--store', $L);

answers('no accounts yet: import makes the store', [@L, qw(--json lead import
        --account acme -)], 0, qq({"imported":1}\n), qr/"acme" is new/,
        qq({"first_name":"Ann","last_name":"Lee","email":"ann\@x.test",)
        . qq("phone":"+15551234567","stage":{"pipeline":"stage","key":"new",)
        . qq("name":"New"},"source":{"key":"zap","name":"Website"},)
        . qq("data":{"n":12345678901234567890,"f":1.50,"e":{},"a":[],)
        . qq("t":[1,[2,{"x":null}],true]}}\n));

import_leads($L, 'acme',
    { first_name => 'Bob', stage => { pipeline => 's', key => 'won' },
      source => 'typed' },
    { last_name => 'Zoë', data => { source => 'x', email => 'not@me' } },
    { stage => [ { name => 'In an array' } ], email => undef,
      source => { deep => { name => 'no' }, key => 'kkk' }, phone => 5550100 },
    '  { "email" : "blanks kept in\tstrings  " , "x" : [ 1 , 2 ] }  '
        =~ s/\t/\\t/r,
    {});
import_leads($L, 'other', { first_name => 'Otto' });

my @all = leads($L, qw(list --account acme));
is(@all, 6, 'the leads of the account');
is_deeply([sort keys %{$all[0]}],
          [sort qw(id number account created_at updated_at last_activity_at
                   archived document)], 'members of a lead');
like($_->{id}, qr/\A$UUID\z/, 'id') for @all;
is_deeply([map { $_->{number} } @all],
          [sort { $b <=> $a } map { $_->{number} } @all], 'newest first');
is($all[0]{account}, 'acme', 'account');
is($all[0]{archived}, JSON::PP::false, 'not archived');
like($all[0]{$_}, qr/\A$TIME\z/, $_)
    for qw(created_at updated_at last_activity_at);

my @old = leads($L, qw(list --account acme --oldest));
is_deeply(\@old, [reverse @all], '--oldest');
is($old[0]{document}{first_name}, 'Ann', 'the document');
is_deeply($old[4]{document}, { email => "blanks kept in\tstrings  ",
          x => [1, 2] }, 'blanks in strings are kept');

($code, $out) = leadctl(@L, qw(--json lead get), $old[0]{id});
is($code, 0, 'lead get');
like($out, qr/\A\{[^\n]*\}\n\z/, 'on one line with --json');
like($out, qr/"n":12345678901234567890,"f":1\.50,"e":\{\},"a":\[\],"t":\[1,\[2,\{"x":null\}\],true\]/,
     'numbers keep their text');
is_deeply(lines($out), $old[0], 'as the list has it');

my $pretty = answers('by number', [@L, qw(lead get), $old[0]{number}], 0,
                     qr/\A\{\n  "id": "$UUID",\n  "number": $old[0]{number},\n/,
                     '');
is_deeply($JSON->decode($pretty), $old[0], 'pretty is the same');
like($pretty, qr/^    "data": \{\n      "n": 12345678901234567890,$/m,
     'indented');
like($pretty, qr/^      "e": \{\},\n      "a": \[\],\n      "t": \[\n        1,\n        \[\n/m,
     'empty ones are on one line');

answers('upper case id', [@L, qw(lead get), uc $old[0]{id}], 0,
        qr/"Ann"/, '');
answers('in its account', [@L, qw(lead get --account acme), $old[0]{id}], 0,
        qr/"Ann"/, '');

my ($otto) = leads($L, qw(list --account other));
answers('of any account', [@L, qw(lead get), $otto->{id}], 0, qr/"Otto"/, '');
answers('by number, any account', [@L, qw(lead get), $otto->{number}], 0,
        qr/"Otto"/, '');

for ($otto->{id}, $otto->{number}) {
    answers('of another account', [@L, qw(lead get --account acme), $_], 1,
            '', qr/\Aleadctl: there is no lead $_ in this account\n\z/);
}

answers("no lead $_", [@L, qw(lead get), $_], 1, '',
        qr/\Aleadctl: there is no lead $_ in this store\n\z/)
    for 0, 99999999, '18446744073709551615',
        '0197c2a4-5e1f-7c3a-8d2b-3f4e5a6b7c8d';
answers("no account for $_", [@L, 'lead', @$_, qw(--account nobody)], 1, '',
        qr/no account "nobody"/)
    for [qw(get 1)], ['list'], ['export'];

my ($with) = leads($L, qw(get --events), $old[0]{id});
is(@{$with->{events}}, 1, 'an event');
is($with->{events}[0]{type}, 'lead.created', 'type');
is($with->{events}[0]{actor}, 'leadctl', 'actor');
like($with->{events}[0]{time}, qr/\A$TIME\z/, 'time');
is_deeply([sort keys %{$with->{events}[0]}],
          [qw(actor data id time type)], 'members of an event');


# pages

my @paged;
my @from;

for (1 .. 3) {
    ($code, $out, $err) = leadctl(@L, qw(--json lead list --account acme
                                  --limit 2), @from);
    is($code, 0, "page $_");
    my @page = lines($out);
    is(@page, 2, 'two leads');
    push @paged, @page;

    if ($_ < 3) {
        is($err, "leadctl: there are more: --from $page[1]{id}\n", 'more');
    } else {
        is($err, '', 'no more');
    }

    @from = ('--from', $page[1]{id});
}

is_deeply(\@paged, \@all, 'pages make the whole');
is_deeply([leads($L, qw(list --account acme --oldest --from), $old[3]{id})],
          [@old[4, 5]], '--oldest --from');
is_deeply([leads($L, qw(list --account acme --from), $old[0]{id})], [],
          'behind the last');


# the table

($code, $out, $err) = leadctl(@L, qw(lead list --account acme --oldest));
is($code, 0, 'lead list');
my @rows = split /\n/, $out;
is(@rows, 7, 'a row a lead');
like($rows[0], qr/\AID +NUMBER +CREATED +NAME +EMAIL +PHONE +STAGE +SOURCE\z/,
     'titles');
like($rows[1], qr/\A$UUID +\d+ +$TIME  Ann Lee +ann\@x\.test +\+15551234567  New +Website\z/,
     'a row');
like($rows[2], qr/Z  Bob +won +typed\z/, 'keys where names are missing');
like($rows[3], qr/Z  Zo\xc3\xab\z/, 'only members of the document itself');
like($rows[4], qr/Z +5550100 +kkk\z/, 'a number; a key behind an object');
like($rows[6], qr/Z\z/, 'an empty document');


# nothing a terminal obeys

my $evil = store_dir();
my @nasty = ("\e]0;owned\a", "\e[2J", "\x7f", "\x{9b}31m", "\x{202e}txt",
             "a\nb\tc\r", "\x{2066}\x{feff}", "\x{e0041}", "\0" =~ s/\0//r,
             '"quoted\\"');
import_leads($evil, 'acme',
             (map { { first_name => $_, email => "$_\@x", $_ => $_ } } @nasty),
             { first_name => 'x' x 500, email => "\x{1F600}" x 200,
               source => "\e" x 50 });

my $OBEYED = qr/[\x00-\x09\x0b-\x1f\x7f-\x9f\x{61c}\x{200e}\x{200f}\x{2028}-\x{202e}\x{2066}-\x{2069}\x{feff}\x{e0000}-\x{e007f}]/;

for (['list', '--account', 'acme'], ['--json', 'list', '--account', 'acme'],
     ['export'], ['--json', 'get', '--events', 1], ['get', '--events', 3])
{
    my @args = grep { $_ ne '--json' } @$_;
    ($code, $out) = leadctl('--store', $evil,
                            @args == @$_ ? () : '--json', 'lead', @args);
    is($code, 0, "lead @$_");
    utf8::decode($out) or fail('the output is UTF-8');
    unlike($out, $OBEYED, '... shows nothing a terminal obeys');
}

($code, $out) = leadctl('--store', $evil, qw(lead list --account acme));
utf8::decode($out);
like($out, qr/  \\x1b\]0;owned\\x07 /, 'a control is shown escaped');
like($out, qr/  \\u009b31m /, 'a C1 control too');
like($out, qr/  \\u202etxt /, 'so is a change of direction');
like($out, qr/  x{25}\.\.\.  /, 'long names are cut');
like($out, qr/  \x{1F600}{33}\.\.\.  /, 'at code points');
like($out, qr/  (?:\\x1b){3}\.\.\.$/m, 'not within an escape');

my ($round) = grep { ($_->{document}{first_name} // '') eq "\e[2J" }
              leads($evil, 'export');
ok($round, 'JSON says what it was');
my ($bidi) = grep { ($_->{document}{first_name} // '') eq "\x{e0041}" }
             leads($evil, 'export');
ok($bidi, 'beyond the BMP too');


# export and import again

my @exported = leads($L, 'export');
is(@exported, 7, 'export has all accounts');
is_deeply([@exported[0 .. 5]], \@old, 'account by account, oldest first');
is_deeply([leads($L, qw(export --account other))], [$otto], 'of one account');

my $lines = join '', map { $JSON->encode($_) . "\n" }
            map { { %$_, archived => JSON::PP::true } } @exported;
my $R = store_dir();
($code, $out, $err) = leadctl_in("\n \r\n$lines\n", '--store', $R, qw(lead
                                 import --account moved -));
is($code, 0, 'an export can be imported') or diag($err);
my @moved = leads($R, 'export');
is_deeply([map { $_->{document} } @moved],
          [map { $_->{document} } @exported], 'documents are the same');
is_deeply([grep { !$_->{archived} } @moved], [], 'archived is kept');
is_deeply([grep { my $id = $_->{id}; grep { $_->{id} eq $id } @exported }
           @moved], [], 'ids are new');

import_leads($R, 'plain', '{"document":{"a":1},"archived":true}');
is_deeply((leads($R, qw(export --account plain)))[0]{document},
          { document => { a => 1 }, archived => JSON::PP::true },
          'without a number it is a document of its own');

$file = spew("$TMP/leads.json", qq({"email":"f\@x"}));
answers('from a file, no end of line', [@L, qw(lead import --account files),
        $file], 0, "imported 1 leads\n", qr/is new/);
answers('no file', [@L, qw(lead import --account files), "$TMP/none"], 2, '',
        qr/\Aleadctl: .*cannot be opened.*\n\z/);
answers('nothing', [@L, qw(lead import --account none -)], 0,
        "imported 0 leads\n", '');
answers('nothing made no account', [@L, qw(lead list --account none)], 1, '',
        qr/no account/);


# lines that are refused

sub nested { return '{"a":' x ($_[0] - 1) . '{}' . '}' x ($_[0] - 1) }

sub members { return '{' . join(',', map { qq("m$_":0) } 1 .. $_[0]) . '}' }

my @refused = (
    [ 'no JSON',           'hello',                 qr/not valid JSON/ ],
    [ 'an array',          '[{"a":1}]',             qr/not a JSON object/ ],
    [ 'a string',          '"a"',                   qr/not a JSON object/ ],
    [ 'a number',          '12',                    qr/not a JSON object/ ],
    [ 'two objects',       '{} {}',                 qr/not valid JSON/ ],
    [ 'an open string behind', '{} "b',         qr/not valid JSON/ ],
    [ 'a zero behind',     "{}\0",              qr/not valid JSON/ ],
    [ 'half an object',    '{"a":',                 qr/not valid JSON/ ],
    [ 'a comment',         '{"a":1 /* b */}',       qr/not valid JSON/ ],
    [ 'a BOM',             "\xef\xbb\xbf{}",        qr/not valid JSON/ ],
    [ 'overlong UTF-8',    "{\"a\":\"\xc0\xaf\"}",  qr/not valid UTF-8/ ],
    [ 'a surrogate',       "{\"a\":\"\xed\xa0\x80\"}", qr/not valid UTF-8/ ],
    [ 'half a pair',       '{"a":"\ud83d"}',        qr/half a surrogate/ ],
    [ 'the other half',    '{"a":"\ude00\ud83d"}',  qr/half a surrogate/ ],
    [ 'half a key',        '{"\ud83dx":1}',         qr/half a surrogate/ ],
    [ 'a zero',            '{"a":"\u0000"}',        qr/\\u0000 in a string/ ],
    [ 'a raw zero',        "{\"a\":\"\0\"}",        qr/not valid JSON/ ],
    [ '33 levels',         nested(33),              qr/nested too deep/ ],
    [ '34 levels, exported', '{"number":1,"document":' . nested(33) . '}',
                           qr/nested too deep/ ],
    [ '100000 levels',     '{"a":' x 100000,        qr/nested too deep/ ],
    [ '100000 arrays',     '{"a":' . '[' x 100000,  qr/nested too deep/ ],
    [ '1001 members',      members(1001),           qr/too many members/ ],
    [ 'too large',         '{"a":"' . 'x' x (1 << 20) . '"}',
                           qr/a document larger than 1 MiB/ ],
    [ 'far too large',     '{"a":"' . 'x' x (5 << 20) . '"}',
                           qr/longer than any document/ ],
);

my $before = leads($L, qw(export));

for (@refused) {
    my ($name, $line, $what) = @$_;
    ($code, $out, $err) = leadctl_in(qq({"ok":1}\n\n$line\n{"ok":2}\n), @L,
                                     qw(lead import --account acme -));
    is($code, 1, "$name is refused");
    is($out, '', '... prints nothing');
    like($err, qr/\Aleadctl: line 3 is refused: $what.*; nothing was stored\n\z/,
         '... says which line and why');
}

is(scalar(leads($L, qw(export))), $before, 'nothing of their groups is stored');

import_leads($L, 'limits', nested(32), members(1000),
             '{"number":1,"document":' . nested(32) . '}',
             '{"a":"' . 'x' x ((1 << 20) - 8) . '"}',
             '{"a":"\ud83d\ude00 \\\\ud83d \u00e9"}');
is((leads($L, qw(list --account limits --limit 1)))[0]{document}{a},
   "\x{1F600} \\ud83d é", 'a whole pair and what only looks like one');


# groups

my $G = store_dir();
($code, $out, $err) = leadctl_in(
    join('', map { qq({"n":$_}\n) } 1 .. 2500) . "[]\n", '--store', $G,
    qw(lead import --account big -));
is($code, 1, 'a refused line far behind');
like($err, qr/line 2501 is refused: .*; lines 1 to 2000 \(2000 leads\) are stored, go on behind them\n\z/,
     'says how far it came');
my @big = leads($G, 'export');
is_deeply([map { $_->{document}{n} } @big], [1 .. 2000],
          'whole groups, in order, across slices');
is_deeply([map { $_->{document}{n} } leads($G, qw(list --account big --limit
          700))], [reverse 1301 .. 2000], 'a long list');
($code, $out) = leadctl('--store', $G, qw(lead list --account big --limit
                        1500));
is(scalar(() = $out =~ /^ID/mg), 1, 'one line of titles');
is(scalar(() = $out =~ /\n/g), 1501, 'a row a lead');


# large documents come in batches of bytes

my $B = store_dir();
import_leads($B, 'acme', map { { n => $_, x => 'y' x 900_000 } } 1 .. 12);
is_deeply([map { $_->{document}{n} } leads($B, 'export')], [1 .. 12],
          'large documents, all');


###############################################################################
# stat and check

($code, $out) = leadctl('--store', $L, '--json', 'stat');
is($code, 0, 'stat --json');
my ($stat) = lines($out);
is($stat->{leads}, scalar(leads($L, 'export')), 'leads');
is($stat->{events}, $stat->{leads}, 'an event each');
is($stat->{store}, $L, 'store');
is($stat->{format}, 1, 'format');
is($stat->{keys}, 0, 'keys');
is($stat->{accounts}, scalar(@{$stat->{leads_per_account}}), 'accounts');
my ($acme) = grep { $_->{account} eq 'acme' } @{$stat->{leads_per_account}};
is($acme->{leads}, 6, 'leads of an account');
cmp_ok($stat->{full_percent}, '<', 50, 'full');
cmp_ok($stat->{used}, '>', 1 << 20, 'used');
like($stat->{id}, qr/\A[0-9a-f]{8}-[0-9a-f-]{27}\z/, 'id');

($code, $out) = leadctl('--store', $L, 'stat');
is($code, 0, 'stat');
like($out, qr/^leads +$stat->{leads}$/m, 'leads');
like($out, qr/^full +\d+\.\d%$/m, 'full');
like($out, qr/^ACCOUNT +LEADS$/m, 'accounts');
like($out, qr/^acme +6$/m, 'leads of an account');

($code, $out) = leadctl('--store', $store, '--json', 'stat');
is((lines($out))[0]{keys}, scalar(keys_of($store)), 'keys');

for ($store, $L, $G, $evil) {
    answers('check', ['--store', $_, 'check'], 0, "ok\n", '');
}

answers('check --json', ['--store', $L, '--json', 'check'], 0,
        qq({"ok":true,"findings":0}\n), '');


# findings: the row of a key gets another id than the one it is found by

{
    my $D = store_dir();
    my ($id) = new_key($D, qw(--account acme)) =~ /^$KEY/;
    my $data = slurp("$D/lead.mdb");
    (my $other = $id) =~ s/(.)\z/$1 eq 'x' ? 'y' : 'x'/e;
    ok($data =~ s/\Q$id\E(?=\x00\x00\x00\x01)/$other/g, 'damaged');
    spew("$D/lead.mdb", $data);

    $out = answers('check with findings', ['--store', $D, 'check'], 1,
                   qr/\A(?:[^\n]+\n)+\d+ findings?\n\z/,
                   qr/\Aleadctl: this is damage, and nothing was changed; /);
    my @found = split /\n/, $out;
    my ($n) = $found[-1] =~ /^(\d+)/;
    is($n, @found - 1, 'each has a line');

    ($code, $out) = leadctl('--store', $D, '--json', 'check');
    is($code, 1, 'check --json with findings');
    my @json = lines($out);
    is_deeply(pop @json, { ok => JSON::PP::false, findings => $n + 0 },
              'the last line');
    is_deeply([map { $_->{finding} } @json], [@found[0 .. $n - 1]],
              'the findings');
    is(slurp("$D/lead.mdb"), $data, 'check changes nothing');
}


# a lead's document damaged in the file: found or shown, never hidden

{
    my $D = store_dir();
    import_leads($D, 'acme', { marker => 'MARK' . 'x' x 40 }, { ok => 1 });
    my $data = slurp("$D/lead.mdb");
    ok($data =~ s/\{"marker":"MARK/{"marker":\xff\xffARK/g, 'damaged');
    spew("$D/lead.mdb", $data);
    unlink "$D/lead.mdb-lock";

    ($code, $out, $err) = leadctl('--store', $D, 'lead', 'export');
    is($code, 3, 'export of a damaged document fails');
    like($err, qr/\Aleadctl: .*\n\z/, '... and says so');
    my @rest = lines($out);
    ok(!(grep { defined $_->{document} && exists $_->{document}{marker} }
         @rest), '... prints no invalid JSON');
}


###############################################################################
# output that cannot be written

my $q = join ' ', map { "'$_'" } $LEADCTL, @ARGS, '--store', $store;

SKIP: {
    skip 'no /dev/full', 12 if !-c '/dev/full';

    my $keys = scalar(keys_of($store));

    ($code, $out, $err) = shell("$q key list >/dev/full");
    is($code, 3, 'a full disk');
    like($err, qr/\Aleadctl: the output could not be written: .*\n\z/,
         '... is said');

    ($code, $out, $err) = shell("$q key add --account acme >/dev/full");
    is($code, 3, 'a key that cannot be printed');
    like($err, qr/\Aleadctl: the key could not be printed .* and was removed again\n\z/,
         '... is removed');
    is(scalar(keys_of($store)), $keys, '... is');

    $file = spew("$TMP/vendor", "another-vendors-key\n");
    ($code, $out, $err) = shell("$q key add --account acme --key-file "
                                . "'$file' >/dev/full");
    is($code, 3, 'the id of an imported key that cannot be printed');
    like($err, qr/\Aleadctl: key \w{8} was added, but its id .*\n\z/,
         '... is said');
    is(scalar(keys_of($store)), $keys + 1, '... the key is there');
}

{
    my $keys = scalar(keys_of($store));

    ($code, $out, $err) = shell("{ sleep 1; $q key add --account acme; "
                                . "echo \$? >'$TMP/rc'; } | true; sleep 2");
    like(slurp("$TMP/rc"), qr/\A3\n/, 'a key for a reader that is gone');
    like($err, qr/\Aleadctl: the key could not be printed .* and was removed again\n\z/,
         '... is removed');
    is(scalar(keys_of($store)), $keys, '... is');
}

my $before_closed = slurp("$store/lead.mdb");
($code, $out, $err) = shell("$q key list >&-");
is($code, 3, 'a closed stdout');
($code, $out, $err) = shell("$q stat <&- >&- 2>&-");
is($code, 3, 'everything closed');
is(slurp("$store/lead.mdb"), $before_closed,
   'nothing was printed into the store');

my $g = join ' ', map { "'$_'" } $LEADCTL, @ARGS, '--store', $G;
($code, $out, $err) = shell("{ $g lead export; echo \$? >'$TMP/rc'; }"
                            . ' | head -n 1');
is(scalar(() = $out =~ /\n/g), 1, 'a reader that leaves');
like(slurp("$TMP/rc"), qr/\A141\n/, '... ends leadctl by SIGPIPE');
is($err, '', '... silently');


###############################################################################
# the default store

{
    local $ENV{LEAD_STORE} = $store;
    answers('LEAD_STORE', [qw(key list)], 0, qr/^$first_id /m, '');
    answers('--store wins', ['--store', $empty, qw(key list)], 3, '',
            qr/\Q$empty\E/);
}

SKIP: {
    skip 'there is a store', 1 if -e '/var/lib/nginx/lead';
    local $ENV{LEAD_STORE} = '';
    answers('the default', ['stat'], 3, '', qr{/var/lib/nginx/lead});
}

answers('words behind --', [@store, '--', 'stat'], 0, qr/^leads/m, '');
answers('an option behind --', [@store, '--', 'stat', '--json'], 2, '',
        qr/too many arguments/);


###############################################################################
# beside each other

{
    my $dir = store_dir();
    my @pids;

    for my $n (1 .. 4) {
        my $pid = fork() // die;
        if ($pid == 0) {
            open STDOUT, '>', "$TMP/out$n" or POSIX::_exit(126);
            open STDERR, '>', '/dev/null' or POSIX::_exit(126);
            exec { $LEADCTL } $LEADCTL, @ARGS, '--store', $dir,
                 qw(key add --account acme) or POSIX::_exit(126);
        }
        push @pids, $pid;
    }

    for (@pids) {
        waitpid $_, 0;
        is($?, 0, 'four at once, on a store that was not there');
    }

    is(scalar(keys_of($dir)), 4, 'four keys');
    is_deeply([map { $_->{account} } keys_of($dir)], [('acme') x 4],
              'of one account');
}

done_testing();
