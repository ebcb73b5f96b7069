# Copyright (C) the ngx_lead authors
#
# A small file system of one's own, for tests of disks that are full or cannot
# be written to: a tmpfs, seen by this process and its children alone, which
# goes with them.
#
#     Test::Lead::Mount::private();                # first of all
#     my $mount = Test::Lead::Mount->new(size => '4m') or skip(...);
#
# Mounting needs root, and a container may not allow it even so: new() then
# gives nothing.

package Test::Lead::Mount;

use strict;
use warnings;

use Errno qw(ENOSPC);
use File::Temp ();
use Fcntl qw(O_CREAT O_WRONLY);

use Test::Lead::Process qw(find_program run_program);

my $Private = 'LEAD_TEST_MOUNTS_ARE_PRIVATE';


# Starts the test anew among mounts of its own, where that can be done.

sub private {
    my $unshare = find_program('unshare');

    return if $ENV{$Private} || $> != 0 || !$unshare
        || run_program([$unshare, qw(-m true)]) != 0;

    $ENV{$Private} = 1;
    exec $unshare, '-m', $^X, (map { "-I$_" } grep { !ref } @INC), $0, @ARGV
        or die "unshare: $!\n";
}


sub new {
    my ($class, %opt) = @_;

    return undef if !$ENV{$Private};

    my $self = bless { temp => File::Temp->newdir('lead-mount-XXXXXX',
        TMPDIR => 1) }, $class;

    $self->{dir} = $self->{temp}->dirname;

    return undef if run_program([find_program('mount'), qw(-t tmpfs -o),
        "size=$opt{size},mode=0755", 'tmpfs', $self->{dir}]) != 0;

    $self->{mounted} = 1;

    return $self;
}


sub dir {
    my ($self) = @_;

    return $self->{dir};
}


sub remount {
    my ($self, $how) = @_;

    run_program([find_program('mount'), '-o', "remount,$how", $self->{dir}])
        == 0 or die "cannot remount $self->{dir} $how\n";
}


# to the last byte

sub fill {
    my ($self) = @_;

    my $size = 65536;

    sysopen my $file, "$self->{dir}/filler", O_CREAT | O_WRONLY
        or die "filler: $!\n";

    while ($size) {
        my $n = syswrite $file, "\0" x $size;

        die "filler: $!\n" if !defined $n && $! != ENOSPC;
        $size = $size > 1 ? $size / 2 : 0 if !defined $n;
    }
}


sub free {
    my ($self) = @_;

    unlink "$self->{dir}/filler" or die "filler: $!\n";
}


sub DESTROY {
    my ($self) = @_;

    local $?;

    run_program([find_program('umount'), '-l', $self->{dir}])
        if $self->{mounted};
}


1;
