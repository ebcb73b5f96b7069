# Copyright (C) the ngx_lead authors
#
# Somebody else's client: a process that asks for one page of the same nginx
# again and again, now and then on a new connection, and writes down when it
# asked and how long it took.
#
#     my $probe = Probe->start(port => $port, path => '/other', file => $file);
#     $probe->phase('load');
#     $probe->stop;
#     my %figures = $probe->figures;

package Probe;

use strict;
use warnings;

use IO::Handle ();
use IO::Select ();
use POSIX ();
use Time::HiRes qw(time);

use Test::Lead::Http ();
use Test::Lead::Process qw(read_file slow wait_until);

use constant { PAUSE => 0.004, NEW => 20, PATIENCE => 60 };


# options: port, path, body (what is right), file

sub start {
    my ($class, %opt) = @_;

    my $self = bless { phases => [], %opt }, $class;

    pipe my $its, my $mine or die "pipe: $!\n";

    $self->{pid} = fork() // die "fork: $!\n";
    $self->{control} = $mine;

    return $self if $self->{pid};

    close $mine;
    $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
    eval { $self->run(IO::Select->new($its)) };
    print STDERR $@ if $@;
    POSIX::_exit($@ ? 1 : 0);
}


# until the other end of the pipe is closed

sub run {
    my ($self, $control) = @_;

    open my $file, '>', $self->{file} or die "$self->{file}: $!\n";
    $file->autoflush(1);

    my ($c, $n) = (undef, 0);

    until ($control->can_read(PAUSE)) {
        $c = undef if $n++ % NEW == 0;

        my $at = time();
        my $res = ask($self, $c //= Test::Lead::Http->new(
            port => $self->{port}, timeout => PATIENCE * slow()));

        $c = undef if !$res;
        printf {$file} "%.6f %.6f %s\n", $at, time() - $at,
            $res && $res->{body} eq $self->{body} ? 'ok' : 'failed';
    }
}


sub ask {
    my ($self, $c) = @_;

    return $c && $c->request('GET', $self->{path}, [], undef, keepalive => 1)
        ? $c->response : undef;
}


sub count {
    my ($self) = @_;

    return ($self->{text} = read_file($self->{file}) // '') =~ tr/\n//;
}


# what is asked from now on belongs to it; it has a few requests at least

sub phase {
    my ($self, $name, $least) = @_;

    my $have = $self->count;

    push @{ $self->{phases} }, [$name, time()];

    wait_until(sub { $self->count >= $have + ($least // 20) },
        PATIENCE * slow()) or die "nobody answers $self->{path}\n";
}


sub stop {
    my ($self) = @_;

    my $pid = delete $self->{pid} or return;

    local $?;
    close delete $self->{control};
    waitpid $pid, 0;
}


sub DESTROY {
    my ($self) = @_;

    $self->stop if $self->{control};
}


# name => {asked, failed, p50, p99, max}, seconds

sub figures {
    my ($self) = @_;

    $self->count;

    my (%of, %figures);

    for (split /\n/, $self->{text}) {
        my ($at, $took, $how) = split ' ';
        my ($phase) = grep { $_->[1] <= $at } reverse @{ $self->{phases} };

        push @{ $of{ $phase->[0] } }, $took if $phase;
        $figures{ $phase->[0] }{failed} += $how eq 'ok' ? 0 : 1 if $phase;
    }

    for my $name (keys %of) {
        my @took = sort { $a <=> $b } @{ $of{$name} };

        @{ $figures{$name} }{qw(asked p50 p99 max)} = (scalar @took,
            $took[@took * 0.5], $took[@took * 0.99], $took[-1]);
    }

    return %figures;
}


1;
