# Copyright (C) the ngx_lead authors
#
# A name server for tests: a process that answers A and AAAA over UDP on
# 127.0.0.1 out of a table, which the test may change at any time.
#
#     my $dns = Test::Lead::Dns->new(dir => $t->dir);
#     $dns->table('crm.test' => { a => ['127.0.0.1'], aaaa => ['::1'] },
#                 'no.test' => { code => 3 },       # NXDOMAIN
#                 'mute.test' => { mute => 1 },     # no answer at all
#                 'moved.test' => [{ a => ['127.0.0.2'] },
#                                  { a => ['127.0.0.1'] }]);
#     # resolver 127.0.0.1:<$dns->port>;
#
# A list is of one entry for each question after the other of a type, the last
# one repeated.  What is in no table is NXDOMAIN.  ttl is 0 if not given.

package Test::Lead::Dns;

use strict;
use warnings;

use IO::Select ();
use IO::Socket::INET ();
use JSON::PP ();
use POSIX ();
use Scalar::Util ();
use Socket qw(AF_INET6 inet_aton inet_pton);

use Test::Lead::Process qw(alive read_file stop_pid write_file);

use constant { A => 1, AAAA => 28, NXDOMAIN => 3, NOTIMP => 4 };

my $Json = JSON::PP->new->utf8->canonical;
my $MainPid = $$;
my (%Live, $Number);


sub new {
    my ($class, %opt) = @_;

    my $self = bless { owner => $$, %opt }, $class;
    my $sock = IO::Socket::INET->new(Proto => 'udp',
        LocalAddr => '127.0.0.1', LocalPort => 0) or die "no socket: $!\n";

    $Number++;
    $self->{port} = $sock->sockport;
    $self->{file} = "$self->{dir}/dns$Number.json";
    $self->{log} = "$self->{dir}/dns$Number.log";
    $self->table;

    my $parent = $$;
    $self->{pid} = fork() // die "fork: $!\n";

    if (!$self->{pid}) {
        # END blocks belong to the parent
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
        eval { $self->serve($sock, $parent) };
        print STDERR "name server: $@" if $@;
        POSIX::_exit(0);
    }

    $Live{ Scalar::Util::refaddr($self) } = $self;
    Scalar::Util::weaken($Live{ Scalar::Util::refaddr($self) });

    return $self;
}


sub port {
    my ($self) = @_;

    return $self->{port};
}


# what it knows from now on

sub table {
    my ($self, %names) = @_;

    # a whole file at every moment
    write_file("$self->{file}.new", $Json->encode(\%names));
    rename "$self->{file}.new", $self->{file} or die "rename: $!\n";
}


# the questions so far, as "A crm.test"

sub asked {
    my ($self) = @_;

    return split /\n/, read_file($self->{log}) // '';
}


# ---- the process

sub serve {
    my ($self, $sock, $parent) = @_;

    my $select = IO::Select->new($sock);

    open my $log, '>>', $self->{log} or die "$self->{log}: $!\n";
    $log->autoflush(1);

    while (getppid() == $parent) {
        next if !$select->can_read(0.5);

        my $from = recv $sock, my $packet, 4096, 0;
        next if !defined $from || length $packet < 17;

        my ($name, $type, $question) = question($packet) or next;
        print {$log} +($type == A ? 'A' : $type == AAAA ? 'AAAA' : $type),
            " $name\n";

        my $answer = $self->answer($packet, $name, $type, $question);
        send $sock, $answer, 0, $from if defined $answer;
    }
}


sub question {
    my ($packet) = @_;

    my ($at, @labels) = (12);

    while (1) {
        my $size = unpack 'C', substr $packet, $at, 1;
        return if !defined $size || $size > 63;
        last if $size == 0;
        push @labels, substr $packet, $at + 1, $size;
        $at += 1 + $size;
    }

    my $type = unpack 'n', substr $packet, $at + 1, 2;

    return (lc join('.', @labels), $type // return,
        substr $packet, 12, $at + 5 - 12);
}


sub answer {
    my ($self, $packet, $name, $type, $question) = @_;

    my $entry = $Json->decode(read_file($self->{file}))->{$name};

    if (ref $entry eq 'ARRAY') {
        my $n = $self->{count}{"$type $name"}++;
        $entry = $entry->[$n] // $entry->[-1];
    }

    return undef if $entry && $entry->{mute};

    my $code = !$entry ? NXDOMAIN : $entry->{code} // 0;
    my @data = $code ? ()
        : $type == A ? map { inet_aton($_) } @{ $entry->{a} // [] }
        : $type == AAAA ? map { inet_pton(AF_INET6, $_) }
            @{ $entry->{aaaa} // [] }
        : ();

    # of the name in the question, at offset 12
    my $records = join '', map {
        pack 'nnnNna*', 0xc00c, $type, 1, $entry->{ttl} // 0, length $_, $_
    } @data;

    return pack('a2nnnnn', substr($packet, 0, 2), 0x8180 | $code, 1,
        scalar @data, 0, 0) . $question . $records;
}


# ---- the end

sub stop {
    my ($self) = @_;

    stop_pid($self->{pid}, TERM => 5, KILL => 5) if alive($self->{pid});
}


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
