# Copyright (C) the ngx_lead authors
#
# A client: a process with a connection of its own, which asks one thing after
# the other, writes down what it asked and what it was answered, and goes on
# whatever becomes of nginx.  What has an Idempotency-Key is repeated until it
# is answered; what has none is asked once, unless nginx said 503.
#
# The journal, a line each, fields between tabs:
#
#   A id op account key idem subject args method path body    asked
#   R id status time body         answered, all of it read; when it was asked
#   L id why                      no answer, or not all of it
#
# The parent tells it to pause, to go on and to quit by a byte; "p" is answered
# when the last request has come to its end.

package Client;

use strict;
use warnings;

use IO::Handle ();
use IO::Select ();
use POSIX ();
use Socket qw(AF_UNIX PF_UNSPEC SOCK_STREAM);
use Time::HiRes qw(sleep time);

use Dialect ();
use Test::Lead::Http ();
use Test::Lead::Process qw(slow);

use constant PATIENCE => 60;         # seconds for an answer, or for nginx

my %Reads = map { $_ => 1 } qw(law_get kol_get flex_get flip_get);


# Options: n, port, keys, file, seed, pace (the longest pause between two
# requests, in seconds).  Returns the parent's end.

sub start {
    my ($class, %opt) = @_;

    socketpair my $mine, my $its, AF_UNIX, SOCK_STREAM, PF_UNSPEC
        or die "socketpair: $!\n";

    my $pid = fork() // die "fork: $!\n";

    if ($pid) {
        close $its;
        return bless { pid => $pid, sock => $mine, file => $opt{file} },
            $class;
    }

    close $mine;
    $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
    $SIG{PIPE} = 'IGNORE';
    srand $opt{seed};

    my $self = bless { seq => 0, own => {}, keyed => [], control => $its,
        select => IO::Select->new($its), %opt }, $class;

    eval { $self->run };
    print STDERR "client $opt{n}: $@" if $@;
    POSIX::_exit($@ ? 1 : 0);
}


# ---- the parent's end

sub tell {
    my ($self, $what) = @_;

    syswrite $self->{sock}, $what;
}


# true once it has paused

sub paused {
    my ($self, $timeout) = @_;

    return IO::Select->new($self->{sock})->can_read($timeout)
        && sysread($self->{sock}, my $byte, 1);
}


sub stop {
    my ($self) = @_;

    kill KILL => $self->{pid};
    waitpid $self->{pid}, 0;
}


# ---- the process

sub run {
    my ($self) = @_;

    open $self->{journal}, '>>:raw', $self->{file}
        or die "$self->{file}: $!\n";
    $self->{journal}->autoflush(1);

    while ($self->told) {
        my $r = rand() < 0.04 ? $self->again : Dialect::next_request($self);

        next if !$r;

        $self->perform($r);
        delete $r->{acked};

        # bursts and pauses: some requests meet others, some do not
        sleep rand $self->{pace} if rand() < 0.5;
    }
}


# false when it is to quit, or nobody is there to tell it so

sub told {
    my ($self) = @_;

    my $wait = 0;

    while ($self->{select}->can_read($wait)) {
        return 0 if !sysread $self->{control}, my $byte, 1;
        return 0 if $byte eq 'q';

        if ($byte eq 'p') {
            syswrite $self->{control}, 'p';
            $wait = undef;

        } else {
            $wait = 0;
        }
    }

    return 1;
}


sub next_id {
    my ($self) = @_;

    return "C$self->{n}n" . ++$self->{seq};
}


sub note {
    my ($self, @fields) = @_;

    print { $self->{journal} } join("\t", map {
        s/([\\\t\r\n])/sprintf '\\x%02x', ord $1/ger } @fields) . "\n"
        or die "cannot write a journal: $!\n";
}


# one request, however often it has to be sent

sub perform {
    my ($self, $r) = @_;

    my $args = $r->{args};

    $self->note('A', @$r{qw(id op account key idem subject)},
        join(';', map { "$_=$args->{$_}" } sort keys %$args),
        $r->{method}, $r->{path}, $r->{body} // '');

    while (1) {
        my $c = $self->connection;
        my $at = int(time() * 1000);
        my ($status, $body) = $self->exchange($c, $r);

        if (!defined $status) {
            $self->note('L', $r->{id}, $body);
            delete $self->{c};
            sleep rand 0.01;

            return $self->unanswered($r) if $r->{idem} eq '';
            next;
        }

        $self->note('R', $r->{id}, $status, $at, $body);

        # a worker without its store has done nothing
        if ($status == 503) {
            sleep 0.005 + rand 0.02;
            next;
        }

        return $self->answered($r, $status, $body);
    }
}


sub answered {
    my ($self, $r, $status, $body) = @_;

    return if $status !~ /^2/;

    $r->{acked}->($self, $body) if $r->{acked};

    if ($r->{idem} =~ /^x/ && $r->{op} ne 'again') {
        my $keyed = $self->{keyed};

        push @$keyed, { %$r, acked => undef };
        splice @$keyed, rand @$keyed, 1 if @$keyed > 100;
    }
}


# A change may have been made or not.  Some clients look, some ask again, some
# go on.  A quote that may be there or not is left alone: of what follows it
# nobody could say whether it made a lead or found one.

sub unanswered {
    my ($self, $r) = @_;

    if ($r->{op} eq 'quote') {
        my $own = $self->{own}{quote};
        @$own = grep { $_->{subject} ne $r->{subject} } @$own;
        return;
    }

    my ($kind) = $r->{op} =~ /^(law|flip|kol)_(?:patch|shelve|move|points)\z/
        or return;
    my ($lead) = grep { $_->{subject} eq $r->{subject} }
        @{ $self->{own}{$kind} };
    my $what = rand();

    if ($what < 0.4 && $lead) {
        $self->perform(Dialect->can("${kind}_get")->($self, $lead));

    } elsif ($what < 0.7) {
        $self->perform({ %$r, id => $self->next_id });
    }
}


# a request that was answered, once more: nothing happens

sub again {
    my ($self) = @_;

    my $keyed = $self->{keyed};
    my $r = $keyed->[rand @$keyed] or return;

    return { %$r, id => $self->next_id, op => 'again', acked => undef,
        args => { of => $r->{id} } };
}


# ---- the connection

sub connection {
    my ($self) = @_;

    my $c = $self->{c};

    # nginx may have closed it meanwhile
    return $c if $c && $c->fill && !length $c->{in};

    delete $self->{c};

    my $end = time() + PATIENCE * slow();

    while (1) {
        $c = Test::Lead::Http->new(port => $self->{port},
            timeout => PATIENCE * slow());
        return $self->{c} = $c if $c;

        die "nginx does not come back\n" if time() > $end;
        sleep 0.002 + rand 0.01;
    }
}


# the status and the body, or nothing and why

sub exchange {
    my ($self, $c, $r) = @_;

    $c->{began} = time();
    $c->request($r->{method}, $r->{path}, $r->{headers}, $r->{body},
        keepalive => 1) or return (undef, 'not sent');

    my $res = $c->response or return (undef, $c->{error});

    return (undef, 'cut off') if !$res->{complete};

    delete $self->{c}
        if ($res->{headers}{connection} // '') =~ /close/i;

    return ($res->{status}, $res->{body});
}


sub reads {
    my ($op) = @_;

    return $Reads{$op};
}


1;
