#!/usr/bin/perl

# Copyright (C) the ngx_lead authors
#
# Phone numbers against libphonenumber itself (Debian's python3-phonenumbers):
# all its example numbers in all forms, numbers dialled from abroad, random
# ones, and any text at all.  What is meant to differ stands, line by line, in
# t/tools/phone_exceptions.
#
# LEAD_PHONE_CASES and LEAD_PHONE_SEED: how many random numbers, and which.

use strict;
use warnings;

use File::Basename qw(dirname);
use File::Temp ();
use FindBin ();
use Test::More;

my $Cases = $ENV{LEAD_PHONE_CASES} || 100_000;
my $Seed = $ENV{LEAD_PHONE_SEED} || 8_12_57;
my $Python = '/usr/bin/python3';
my $Top = dirname($FindBin::Bin);
my $Table = "$Top/ngx_lead_module/ngx_lead_phone_table.h";
my $Build = dirname($ENV{TEST_NGINX_LOAD_MODULES} || "$Top/build/x");
my $Tmp = File::Temp->newdir('lead-phone-XXXXXX', TMPDIR => 1);

my $installed = qx($Python -c 'import phonenumbers as p
print(p.__version__)' 2>/dev/null);

plan skip_all => 'python3-phonenumbers is not installed' if $? != 0;

chomp $installed;
my ($made_of) = read_file($Table) =~ /PHONE_METADATA\s+"([\d.]+)"/;

plan skip_all => "this is libphonenumber $installed, the table was made of"
    . " $made_of: run tools/phone-table" if $installed ne $made_of;

build();

my %exceptions = exceptions();
my %used;

ok(qx($Top/tools/phone-table) eq read_file($Table),
    'the table is what tools/phone-table makes');

for (cases()) {
    my ($kind, $cases) = @$_;

    my @ours = ours(map { "$_->[0]\t$_->[1]" } @$cases);
    my @wrong = grep { !agrees($kind, @{ $cases->[$_] }, $ours[$_]) }
        0 .. $#$cases;

    is(scalar @ours, scalar @$cases, "$kind: an answer to each");
    is(scalar @wrong, 0, "$kind: as libphonenumber, " . @$cases . ' numbers');

    for my $i (splice @wrong, 0, 20) {
        diag("$cases->[$i][0] \"$cases->[$i][1]\": $ours[$i],"
            . " expected $cases->[$i][2]");
    }

    my $good = grep { $_ ne '-' } @ours;
    cmp_ok($good, '>', @$cases / 5, "$kind: a fifth is a number at least")
        or diag("$good of " . @$cases);
}

is_deeply([sort keys %used], [sort keys %exceptions],
    scalar(keys %exceptions) . ' exceptions, each needed');

bytes();

done_testing();


# The driver is always built with sanitizers: each text is a block of its own.

sub build {
    my $source = "$Top/ngx_lead_module/ngx_lead_phone";
    my @nginx = map { "-I$Build/nginx/$_" }
        qw(src/core src/event src/event/modules src/os/unix objs);

    system($ENV{CC} || 'gcc', qw(-O1 -g -Wall -Wextra -Wno-unused-parameter
        -Werror -fno-sanitize-recover=all), '-fsanitize=address,undefined',
        @nginx, "-I$Top/ngx_lead_module", '-o', "$Tmp/phone",
        "$FindBin::Bin/tools/phone.c", "$source.c", "${source}_text.c") == 0
        or die "cannot build t/tools/phone.c\n";
}


sub ours {
    open my $in, '>', "$Tmp/in" or die "$Tmp/in: $!\n";
    print $in map { "$_\n" } @_;
    close $in or die "$Tmp/in: $!\n";

    my @out = qx($Tmp/phone < $Tmp/in);
    is($?, 0, 'the driver ends well');
    chomp @out;

    return @out;
}


# [kind, [[region, text, expected], ...]], ...

sub cases {
    my (%cases, @kinds);

    open my $fh, '-|', "$FindBin::Bin/tools/phone_cases.py", $Cases, $Seed
        or die "phone_cases.py: $!\n";

    while (my $line = <$fh>) {
        next if $line =~ /^#/;
        chomp $line;

        my ($kind, @case) = split /\t/, $line;
        push @kinds, $kind unless $cases{$kind};
        push @{ $cases{$kind} }, \@case;
    }

    close $fh or die "phone_cases.py failed\n";

    is("@kinds", 'example idd random text', 'all kinds of cases');
    cmp_ok(scalar @{ $cases{example} }, '>', 5000, 'all examples');
    is(scalar @{ $cases{random} }, $Cases, "random ones of seed $Seed");

    return map { [$_, $cases{$_}] } @kinds;
}


sub agrees {
    my ($kind, $region, $text, $expected, $ours) = @_;

    # letters and the like are a number to the library, and not to us; two
    # answers: of the text without and with its space in front
    if ($kind eq 'text') {
        return $ours eq '-' || grep { $_ eq $ours } split /\?/, $expected;
    }

    return 1 if $ours eq $expected;

    my $exception = $exceptions{"$region\t$text"};

    return 0 unless $kind eq 'example' && $exception
        && $exception eq $ours;

    $used{"$region\t$text"} = 1;
    return 1;
}


sub exceptions {
    my %found;

    for (split /\n/, read_file("$FindBin::Bin/tools/phone_exceptions")) {
        next if /^#/ || $_ eq '';

        my ($region, $text, $ours, $reason) = split /\t/;
        die "phone_exceptions: no reason: $_\n" unless $reason;

        $found{"$region\t$text"} = $ours;
    }

    return %found;
}


# Any bytes: the answer is a number of E.164 or none.

sub bytes {
    my @some = (map({ sprintf '\x%02x', $_ } 0 .. 31, 92, 127 .. 255),
        map({ chr } 32 .. 91, 93 .. 126), 0 .. 9, 0 .. 9, 0 .. 9, 0 .. 9,
        '+', '+', ' ', 'tel:', ';ext=', ';isub=', ';phone-context=+',
        'ext', '\xef\xbc\x9', '\xe2\x80', '\xf0\x9d\x9f');

    srand $Seed;

    my @texts = map {
        my $pool = rand() < .5 ? @some : 40;
        join '', map { $some[-rand $pool] } 0 .. rand 40;
    } 1 .. 20_000;

    my @regions = (qw(US GB AR BR JP RU ZZ us), '\x', '[A');
    my @ours = ours(map { $regions[rand @regions] . "\t$_" } @texts);

    is(scalar @ours, scalar @texts, 'bytes: an answer to each');
    is(scalar(grep { !/^(?:-|\+[1-9]\d{4,14})\z/ } @ours), 0,
        'bytes: numbers of E.164 or none');
}


sub read_file {
    my ($file) = @_;

    open my $fh, '<', $file or die "$file: $!\n";
    local $/;

    return scalar <$fh>;
}
