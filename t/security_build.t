# Copyright (C) the ngx_lead authors
#
# How the module and leadctl are built: what the linker resolves is read-only
# before anything runs, no stack and nothing writable is executed, stacks and
# the C library's calls are checked, and no library is looked for in another
# place than the system's.  And no code that has a key in hand compares it: one
# is found by its hash.  The checks themselves are tried on what is wrong.

use strict;
use warnings;

use File::Temp ();
use FindBin ();
use Test::More;

use lib "$FindBin::Bin/lib";
use Test::Lead::Process qw(find_program);

my $Tmp = File::Temp->newdir('lead-build-XXXXXX', TMPDIR => 1);
my $Module = (split ' ', $ENV{TEST_NGINX_LOAD_MODULES} // '')[0]
    // 'build/ngx_lead_module.so';
my $Leadctl = find_program($ENV{LEADCTL} || 'build/leadctl')
    // die "no leadctl: set LEADCTL\n";

my $Top = "$FindBin::Bin/..";

plan(skip_all => 'no readelf here') if !find_program('readelf');


sub readelf {
    my ($file) = @_;

    open my $in, '-|', 'readelf', '-hldW', '--dyn-syms', $file
        or die "readelf: $!\n";
    local $/;

    return scalar <$in>;
}


# what is wrong with it, in words

sub flaws {
    my ($file) = @_;

    my $text = readelf($file);
    my @load = $text =~ /^\s+LOAD\s.*$/mg;

    die "$file is no ELF file\n" if !@load;

    return grep { defined } (
        $text =~ /^\s+Type:\s+DYN\b/m ? undef : 'at a fixed address',
        $text =~ /^\s+GNU_RELRO\s/m ? undef : 'no RELRO',
        $text =~ /\(FLAGS(?:_1)?\).*\bNOW\b|\bBIND_NOW\b/ ? undef
            : 'bound lazily',
        $text =~ /^\s+GNU_STACK\s.*\sRW\s+0x/m ? undef : 'an executable stack',
        (grep { /\sRWE\s/ } @load) ? 'writable and executable' : undef,
        $text =~ /\(TEXTREL\)/ ? 'relocated text' : undef,
        $text =~ /\((?:RPATH|RUNPATH)\)/ ? 'a path of its own' : undef,
        $text =~ /\bUND __stack_chk_fail\b/ ? undef : 'no stack protector',
        $text =~ /\bUND __\w+_chk\b/ ? undef : 'not fortified',
    );
}


sub built {
    my ($name, $code, @flags) = @_;

    my $file = "$Tmp/$name";

    open my $out, '>', "$file.c" or die "$file.c: $!\n";
    print {$out} $code;
    close $out;

    system($ENV{CC} || 'gcc', @flags, '-o', $file, "$file.c") == 0
        or die "cannot build $name\n";

    return $file;
}


my $Code = <<'_EOC_';
#include <stdio.h>
#include <string.h>
int main(int n, char **args) {
    char text[64];
    strcpy(text, args[n - 1]);
    return puts(text) < 0;
}
_EOC_

my @Plain = qw(-O2 -U_FORTIFY_SOURCE -fno-stack-protector);
my @Hard = qw(-O2 -fPIE -pie -D_FORTIFY_SOURCE=2 -fstack-protector-strong
    -Wl,-z,relro -Wl,-z,now);

is_deeply([flaws(built('hard', $Code, @Hard))], [], 'the check: nothing');
is_deeply([flaws(built('plain', $Code, @Plain, qw(-no-pie -Wl,-z,norelro
    -Wl,-z,lazy -Wl,-z,execstack)))], ['at a fixed address', 'no RELRO',
    'bound lazily', 'an executable stack', 'no stack protector',
    'not fortified'], 'the check: all that can be wrong');
is_deeply([flaws(built('path', $Code, @Hard, '-Wl,-rpath,/tmp'))],
    ['a path of its own'], 'the check: a path');

for my $file ($Module, $Leadctl) {
    SKIP: {
        skip('built with a sanitizer', 1)
            if readelf($file) =~ /\b__(?:asan|ubsan|msan|tsan)_/;

        is_deeply([flaws($file)], [], ($file =~ m{([^/]+)\z})[0]);
    }
}



# ---- comparisons, in constant time or not, where there are keys

sub comparisons {
    my ($text) = @_;

    $text =~ s{/\*.*?\*/}{}gs;

    return map { s/\s+/ /gr } $text =~ /\b(?:\w+_)?(?:mem|str|rstr)\w*n?2?cmp
        \s*(\((?:[^()]|(?1))*\))/gx, $text =~ /\b(CRYPTO_memcmp)\b/g;
}


sub source {
    my ($name) = @_;

    open my $in, '<', "$Top/$name" or die "$name: $!\n";
    local $/;

    return scalar <$in>;
}


is_deeply([comparisons("/* memcmp(a) */\n x = ngx_strncmp(a, f(b),\n   c);")],
    ['(a, f(b), c)'], 'the check: what is compared');

# what is said around a key, the dialect it is for, and a checksum that whoever
# sends a key can reckon himself

my %known = (
    'ngx_lead_module/ngx_lead_auth.c' => ['(p, (u_char *) "Bearer", len)',
        '(call->key.api, call->dialect->name.data, call->dialect->name.len)'],
    'ngx_lead_module/ngx_lead_guard.c' => [],
    'lmdb_store/lmdb_key.c' => [],
    'lmdb_store/lead_store_text.c' => [
        '(p, LEAD_STORE_KEY_PREFIX, LEAD_STORE_KEY_PREFIX_LEN)',
        '(crc, p + text.len - LEAD_KEY_CRC_LEN, LEAD_KEY_CRC_LEN)'],
);

for my $file (sort keys %known) {
    is_deeply([comparisons(source($file))], $known{$file},
        "$file: compares no secret");
}

done_testing();
