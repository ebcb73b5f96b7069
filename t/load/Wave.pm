# Copyright (C) the ngx_lead authors
#
# A wave of connections against one nginx: http1.js or http2.js makes them, and
# what the worker has of memory and files is looked at before, at the height
# and when all are gone.
#
#     my $wave = Wave->start($t, 'http1', { connections => 1000, ... });
#     $wave->height;
#     my $result = $wave->finish;

package Wave;

use strict;
use warnings;

use File::Basename ();
use File::Spec ();
use IPC::Open2 qw(open2);
use JSON::PP ();

use Test::Lead::Process qw(find_program read_file slow wait_until
    write_file);

use constant PATIENCE => 60;

my $Here = File::Basename::dirname(File::Spec->rel2abs(__FILE__));
my $Json = JSON::PP->new->utf8->canonical;


sub start {
    my ($class, $t, $script, $options) = @_;

    my $node = find_program('node') // die "no node here\n";
    my $file = $t->dir . '/wave.json';
    my $self = bless { file => $file, owner => $$ }, $class;

    unlink "$file.result";

    write_file($file, $Json->encode($options));
    $self->{pid} = open2($self->{out}, $self->{in}, $node,
        "$Here/$script.js", $file);

    return $self;
}


# true when all connections are open and go no further by themselves

sub height {
    my ($self) = @_;

    return (readline($self->{out}) // '') =~ /height/;
}


# lets them go on, and waits for the end of them

sub finish {
    my ($self) = @_;

    local $SIG{PIPE} = 'IGNORE';
    syswrite $self->{in}, "go\n";
    readline $self->{out};
    $self->stop;

    return $Json->decode(read_file("$self->{file}.result")
        // die "a wave ends before its time\n");
}


sub stop {
    my ($self, $signal) = @_;

    my $pid = delete $self->{pid} or return;

    local $?;
    kill $signal => $pid if $signal;
    close $self->{in};
    waitpid $pid, 0;
}


sub DESTROY {
    my ($self) = @_;

    $self->stop('KILL') if $self->{owner} == $$;
}


# ---- what a worker has

# bytes of memory that is its own

sub memory {
    my ($pid) = @_;

    return (read_file("/proc/$pid/smaps_rollup") // '')
        =~ /^Anonymous:\s+(\d+) kB/m ? $1 * 1024 : die "no smaps_rollup\n";
}


# open files: sockets, others

sub files {
    my ($pid) = @_;

    my ($sockets, $others) = (0, 0);

    for my $link (map { readlink } glob "/proc/$pid/fd/*") {
        defined $link && $link =~ /^socket:/ ? $sockets++ : $others++;
    }

    return ($sockets, $others);
}


# files of bodies that did not fit into their buffers

sub bodies {
    my ($pid) = @_;

    return scalar grep { defined && m{/client_body_temp/} }
        map { readlink } glob "/proc/$pid/fd/*";
}


# true once it has no more files open than before

sub calm {
    my ($pid, @before) = @_;

    my @now;

    wait_until(sub {
        @now = files($pid);
        return "@now" eq "@before";
    }, PATIENCE * slow());

    return "@now";
}


1;
