# Copyright (C) the ngx_lead authors
#
# leadctl on a damaged store.  Rows that are lost, by LMDB's own means; pages
# that are zero, noise, or another's; a file that is cut off, or of another
# format.  Each is found, said in words that say what to do, and ends with an
# exit code: leadctl neither dies of it nor hangs, and changes nothing.  Damage
# of every kind to every row is in unit/store_check_test.c.

use strict;
use warnings;

use File::Temp ();
use FindBin ();
use JSON::PP ();
use Test::More;

use lib "$FindBin::Bin/lib";
use Test::Lead::Process qw(find_program read_file run_program slow write_file);

my $Json = JSON::PP->new->utf8->canonical;
my $Tmp = File::Temp->newdir('lead-check-XXXXXX', TMPDIR => 1);
my $Store = "$Tmp/store";
my $File = "$Store/lead.mdb";
my $Leadctl = find_program($ENV{LEADCTL} || 'build/leadctl')
    // die "no leadctl: set LEADCTL\n";
my $Page = 4096;
my $Todo = qr/stop nginx, keep a copy of the file, and put a backup in its place\n\z/;

mkdir $Store, 0700 or die "cannot make $Store: $!\n";

system($ENV{CC} || 'gcc', qw(-O1 -g -Wall -Wextra -Werror -o), "$Tmp/plant",
    "$FindBin::Bin/tools/plant.c", '-llmdb') == 0
    or die "cannot build plant\n";


# exit code, or minus a signal; standard output and error output

sub leadctl {
    my (@args) = @_;

    unlink "$Tmp/out", "$Tmp/err";
    my $status = run_program([$Leadctl, '--store', $Store, @args],
        stdout => "$Tmp/out", stderr => "$Tmp/err", timeout => 60 * slow());

    return ($status & 127 ? -($status & 127) : $status >> 8,
        read_file("$Tmp/out") // '', read_file("$Tmp/err") // '');
}


sub plant {
    my ($what, @args) = @_;

    is(run_program(["$Tmp/plant", $what, $File, @args]), 0,
        "$what @args: planted");
}


# ---- a sound store, with pages that are free and documents of many pages

write_file("$Tmp/docs", join '', map {
    $Json->encode({ first_name => "Bea $_",
        x => 'z' x ($_ % 50 ? 200 : 9000) }) . "\n"
} 1 .. 300);

is((leadctl(qw(--size 8m lead import --account acme), "$Tmp/docs"))[0], 0,
    'a store');
is((leadctl(qw(key add --account acme)))[0], 0, 'with a key');
is((leadctl(qw(key add --account other)))[0], 0, 'and two accounts');
is((leadctl('check'))[0], 0, 'it is sound');

my $Good = read_file($File);
my $Pages = length($Good) / $Page;
cmp_ok($Pages, '>', 50, 'of many pages');


# ---- rows

for (
    ['leads', qr/^event \d+ is of a lead that is not there$/m],
    ['numbers', qr/^lead [0-9a-f-]{36} is not found by its number 1$/m],
    ['events', qr/^lead [0-9a-f-]{36} lacks the event of its creation$/m],
    ['counters', qr/^there is no valid state$/m],
    ['keys', qr/^id \w{8} is no key's$/m],
    ['key_ids', qr/^key \w{8} is not found by its id$/m],
    ['accounts', qr/^account 1 is not there, but account 2 is$/m],
    ['account_names', qr/^an account has no counterpart$/m],
) {
    my ($tree, $finding) = @$_;

    write_file($File, $Good);
    plant('row', $tree);
    my $bad = read_file($File);

    my ($code, $out, $err) = leadctl('check');
    is($code, 1, "$tree: a finding");
    like($out, $finding, "$tree: which is it");
    like($err, qr/\Aleadctl: this is damage, and nothing was changed; $Todo/,
        "$tree: and what to do");
    ok(read_file($File) eq $bad, "$tree: nothing was changed");

    my ($c, $json, $e) = leadctl('--json', 'check');
    is($c, 1, "$tree: the same as JSON");
    is(scalar(split /\n/, $json), scalar(split /\n/, $out),
        "$tree: all of it");
}


# ---- the list of free pages, which writers believe

write_file($File, $Good);
plant('free');

{
    my ($code, $out) = leadctl('check');
    is($code, 1, 'free: a finding');
    like($out, qr/^the list of free pages cannot be read$/m, 'free: of this');
}


# ---- whose format it is

for (
    ['version', qr/has format 2, this is for 1: use the version that wrote it, or a backup; use the leadctl that came with the newer module\n\z/],
    ['format', qr/has format 0, which never was: put a backup in its place;/],
    ['garbage', qr/is no lead store; name the right one with --store, or, if it was one, it is damaged: $Todo/],
) {
    my ($what, $why) = @$_;

    write_file($File, $Good);
    plant($what);
    my $bad = read_file($File);

    for my $cmd (['check'], ['stat'], ['backup', "$Tmp/copy"],
        [qw(key add --account acme)], [qw(lead list --account acme)])
    {
        my ($code, $out, $err) = leadctl(@$cmd);
        is($code, 3, "$what: $cmd->[0] is refused");
        is($out, '', "$what: $cmd->[0] says nothing else");
        like($err, $why, "$what: $cmd->[0] says why, and what to do");
    }

    ok(read_file($File) eq $bad, "$what: nothing was changed");
    ok(!-e "$Tmp/copy", "$what: nothing was copied");
}


# ---- a file cut off

for my $pages (0, 1, 2, int($Pages / 2), $Pages - 1) {
    my $bad = substr $Good, 0, $Page * $pages + 100;

    write_file($File, $bad);

    my ($code, $out, $err) = leadctl('check');
    is($code, 3, "cut after $pages: refused");
    like($err, $pages < 2 ? qr/is no lead store; name .* $Todo/
        : qr/the store is cut short: $pages of $Pages pages; .* $Todo/,
        "cut after $pages: says so");
    ok(read_file($File) eq $bad, "cut after $pages: nothing was changed");
}


# ---- both pages LMDB begins with, or one of them

for my $pages ([0], [1], [0, 1]) {
    my $bad = $Good;

    substr($bad, $Page * $_, $Page) = noise($_) for @$pages;
    write_file($File, $bad);

    my ($code, $out, $err) = leadctl('check');
    is($code, 3, "page @$pages: refused");
    like($err, qr/is no lead store; name .* if it was one, it is damaged: $Todo/,
        "page @$pages: says so");
    ok(read_file($File) eq $bad, "page @$pages: nothing was changed");
}


# ---- each page in between

sub noise {
    my ($seed) = @_;

    srand $seed;

    return join '', map { chr int rand 256 } 1 .. $Page;
}


{
    my (%n, %silent, @died, @unsaid);

    for my $page (2 .. $Pages - 1) {
        my $old = substr $Good, $Page * $page, $Page;
        my $noise = noise($page);

        my %with = (zero => "\0" x $Page, noise => $noise,
            'of noise' => substr($old, 0, 16) . substr($noise, 16));

        for my $how (sort keys %with) {
            my $bad = $Good;

            substr($bad, $Page * $page, $Page) = $with{$how};
            write_file($File, $bad);

            my ($code, $out, $err) = leadctl('check');

            $n{$code}++;
            $n{none}++ if $err =~ /ended by a page that is none: .* $Todo/;
            $silent{$page}++ if $code == 0;
            push @died, "$how $page: $code" if $code !~ /\A[013]\z/;
            push @unsaid, "$how $page: $err" if $code && $err !~ $Todo;
            die "$how $page: it was changed\n" if read_file($File) ne $bad;
        }
    }

    is_deeply(\@died, [], 'pages: leadctl does not die of any');
    is_deeply(\@unsaid, [], 'pages: and says what to do');
    cmp_ok($n{1}, '>', 20, 'pages: findings');
    cmp_ok($n{3}, '>', 20, 'pages: what cannot be read');
    cmp_ok($n{none}, '>', 3, 'pages: and what would have killed it');

    # in a page that is free there is nothing to be damaged

    my %free = map { $_ => 1 } free_pages();
    is_deeply([grep { !$free{$_} } sort keys %silent], [],
        'pages: nothing is overlooked');
    is_deeply([grep { !$silent{$_} } sort keys %free], [],
        'pages: but what is free');
    cmp_ok(scalar(keys %free), '<', $Pages / 4, 'pages: which is little');
}


# of LMDB 0.9: a row of its tree of free pages is how many, and which

sub free_pages {
    my ($meta) = sort { $b->[1] <=> $a->[1] } map {
        [unpack('x80 Q', substr $Good, $Page * $_, $Page),
            unpack 'x144 Q', substr $Good, $Page * $_, $Page]
    } 0, 1;

    my $page = substr $Good, $Page * $meta->[0], $Page;
    my ($flags, $lower) = unpack 'x10 S S', $page;
    die "the tree of free pages has more than one\n" if !($flags & 2);

    return map {
        unpack 'x16 Q/Q', substr $page,
            unpack 'S', substr $page, 16 + 2 * $_, 2;
    } 0 .. ($lower - 16) / 2 - 1;
}


done_testing();
