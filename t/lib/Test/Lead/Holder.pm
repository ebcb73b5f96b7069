# Copyright (C) the ngx_lead authors
#
# Somebody else who has a store open, tools/hold.c: he holds reader slots, or
# the writer's lock, until he is told to end or is killed.
#
#     my $holder = Test::Lead::Holder->new($store, 1000);
#     is($holder->got, 1000);
#     $holder->end;

package Test::Lead::Holder;

use strict;
use warnings;

use IPC::Open2 qw(open2);

use Test::Lead::Fault ();


# the store's directory, and a number of slots, or 'write'

sub new {
    my ($class, $store, $what) = @_;

    my $self = bless { owner => $$ }, $class;

    $self->{pid} = open2($self->{out}, $self->{in},
        Test::Lead::Fault::build('hold', '-llmdb'), "$store/lead.mdb", $what);

    my $line = readline $self->{out};
    ($self->{got}) = ($line // '') =~ /^(\d+)\n/;

    return $self;
}


sub got {
    my ($self) = @_;

    return $self->{got} // 'nothing';
}


# he dies, by a signal if one is given, and gives nothing back

sub end {
    my ($self, $signal) = @_;

    my $pid = delete $self->{pid} or return;

    local $?;
    kill $signal => $pid if $signal;
    close $self->{in};
    waitpid $pid, 0;
}


sub DESTROY {
    my ($self) = @_;

    $self->end('KILL') if $self->{owner} == $$;
}


1;
