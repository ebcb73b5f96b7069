# Copyright (C) the ngx_lead authors
#
# A receiver of webhooks as a process of its own, t/tools/receiver.js, which
# does what it is told and writes down what it sees.
#
#     my $r = Test::Lead::Receiver->new(dir => $t->dir);
#     $r->plan({ match => { url => '^/slow' }, hold => 'gate' },
#              { status => 500, times => 2 });
#     my @got = $r->wait_for(3, url => '/hook');
#     $r->release('gate');
#
# A request is a hash: method, url, headers (pairs, as they came), header (the
# values by name), body, id, lead, conn, remote, n, time.  What the plan may say
# is told in t/tools/receiver.js.  The object owns the process.

package Test::Lead::Receiver;

use strict;
use warnings;

use File::Basename ();
use File::Spec ();
use JSON::PP ();
use Scalar::Util ();

use Test::Lead::Http ();
use Test::Lead::Process qw(alive find_program free_port read_file slow spawn
    stop_pid wait_until);

my $Script = File::Basename::dirname(File::Spec->rel2abs(__FILE__))
    . '/../../../tools/receiver.js';

my $Json = JSON::PP->new->utf8->canonical;
my $MainPid = $$;
my (%Live, %Ports, $Number);


# options: dir, for its files; name; host; port; tls and brief, as the script
# has them; down: it is not started yet

sub new {
    my ($class, %opt) = @_;

    my $self = bless { host => '127.0.0.1', owner => $$, rows => [], at => 0,
        name => 'receiver' . ++$Number, %opt }, $class;

    $self->{log} = "$self->{dir}/$self->{name}.log";
    $self->{port} //= free_port(\%Ports);

    $Live{ Scalar::Util::refaddr($self) } = $self;
    Scalar::Util::weaken($Live{ Scalar::Util::refaddr($self) });

    return $opt{down} ? $self : $self->start;
}


# Starts it, on the port it has had before.

sub start {
    my ($self) = @_;

    my $node = find_program('node') // die "no node here\n";
    my $out = "$self->{dir}/$self->{name}.out";

    unlink $out;
    $self->{pid} = spawn([$node, $Script, $Json->encode({
        map { defined $self->{$_} ? ($_ => $self->{$_}) : () }
            qw(log host port tls brief) })],
        stdout => $out, stderr => "$out.err");

    my $said = wait_until(sub {
        my $text = read_file($out) // '';
        return $text if $text =~ /\n/;
        return alive($self->{pid}) ? undef : 'dead';
    }, 30 * slow()) // 'nothing';

    my $ports = eval { $Json->decode($said) } // {};
    die "the receiver says $said: " . (read_file("$out.err") // '') . "\n"
        if !$ports->{port};

    @{$self}{qw(port control)} = @{$ports}{qw(port control)};
    return $self;
}


sub stop {
    my ($self) = @_;

    stop_pid($self->{pid}, TERM => 5, KILL => 5) if alive($self->{pid});
    delete $self->{control};
}


sub port {
    my ($self) = @_;

    return $self->{port};
}


# of a path; host as the URL shall have it

sub url {
    my ($self, $path, $host) = @_;

    $host //= $self->{host} =~ /:/ ? "[$self->{host}]" : $self->{host};

    return ($self->{tls} ? 'https' : 'http') . "://$host:$self->{port}"
        . ($path // '/');
}


# ---- what it is told

sub order {
    my ($self, $method, $path, $body) = @_;

    my $c = Test::Lead::Http->new(port => $self->{control},
        timeout => 10 * slow()) or die "no receiver: $!\n";

    $c->request($method, $path, {}, $body);
    my $res = $c->response // die "the receiver: $c->{error}\n";
    $c->close;

    return $Json->decode($res->{body});
}


# the rules from now on, the first that fits counts; none: 200

sub plan {
    my ($self, @rules) = @_;

    $self->order('PUT', '/plan', $Json->encode(\@rules));
}


sub release {
    my ($self, $gate) = @_;

    return $self->order('POST', "/release/$gate", '')->{released};
}


# closes a gate again

sub hold {
    my ($self, $gate) = @_;

    $self->order('POST', "/hold/$gate", '');
}


# closes all connections

sub drop {
    my ($self) = @_;

    $self->order('POST', '/drop', '');
}


sub state {
    my ($self) = @_;

    return $self->order('GET', '/state');
}


# waits until so many requests are held at a gate

sub wait_held {
    my ($self, $gate, $n, $timeout) = @_;

    return wait_until(sub {
        ($self->state->{held}{$gate} // 0) >= ($n // 1);
    }, $timeout // 20 * slow());
}


# ---- what it has seen

# the lines of its log, of a kind if one is given

sub rows {
    my ($self, $kind) = @_;

    my $size = -s $self->{log} // 0;

    if ($size > $self->{at} && open my $in, '<:raw', $self->{log}) {
        seek $in, $self->{at}, 0;

        while (my $line = <$in>) {
            last if $line !~ /\n\z/;
            $self->{at} += length $line;

            my $row = $Json->decode($line);
            $row->{header} = { map { lc $_->[0] => $_->[1] }
                @{ $row->{headers} } } if $row->{headers};
            push @{ $self->{rows} }, $row;
        }
    }

    return grep { !defined $kind || $_->{kind} eq $kind } @{ $self->{rows} };
}


# requests, by what they have to be: url => '/path' or qr//, body => qr//,
# from => row of rows() to begin at

sub requests {
    my ($self, %want) = @_;

    my @rows = $self->rows;
    splice @rows, 0, delete $want{from} // 0;

    return grep {
        my $row = $_;
        $row->{kind} eq 'request' && !grep {
            ref $want{$_} ? $row->{$_} !~ $want{$_} : $row->{$_} ne $want{$_}
        } keys %want;
    } @rows;
}


# a place in the log, for "from"

sub mark {
    my ($self) = @_;

    return scalar(my @rows = $self->rows);
}


# waits until there are so many such requests, and returns what is there

sub wait_for {
    my ($self, $n, %want) = @_;

    my $timeout = delete $want{timeout} // 20 * slow();
    my @got;

    wait_until(sub {
        @got = $self->requests(%want);
        return @got >= $n;
    }, $timeout);

    return @got;
}


# as wait_for, of other lines: those of a kind

sub wait_rows {
    my ($self, $n, $kind, $from) = @_;

    my @got;

    wait_until(sub {
        my @rows = $self->rows;
        @got = grep { $_->{kind} eq $kind } @rows[($from // 0) .. $#rows];
        return @got >= $n;
    }, 20 * slow());

    return @got;
}


# ---- the end

sub DESTROY {
    my ($self) = @_;

    return if $self->{owner} != $$;

    local ($?, $@, $!);
    delete $Live{ Scalar::Util::refaddr($self) };
    $self->stop;
}


END {
    if ($$ == $MainPid) {
        local ($?, $@, $!);
        $_->stop for grep { defined } values %Live;
    }
}


1;
