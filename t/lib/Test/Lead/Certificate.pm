# Copyright (C) the ngx_lead authors
#
# Certificates made for a test, with openssl: authorities, what they sign, and
# what a client must not believe.
#
#     my $ca = Test::Lead::Certificate->new(dir => $t->dir);
#     my ($cert, $key) = $ca->issue('server', names => 'DNS:localhost');
#
# Everything is a file below the directory; $ca->file is the authority's own.

package Test::Lead::Certificate;

use strict;
use warnings;

use File::Path qw(make_path);

use Test::Lead::Process qw(find_program read_file run_program slow write_file);


# an authority; options: dir, name

sub new {
    my ($class, %opt) = @_;

    my $name = $opt{name} // 'ca';
    my $self = bless { dir => "$opt{dir}/$name", name => $name }, $class;

    make_path("$self->{dir}/new");
    write_file("$self->{dir}/index", '');
    write_file("$self->{dir}/serial", "01\n");
    write_file("$self->{dir}/conf", <<"_EOC_");
[ca]
default_ca = own
[own]
new_certs_dir = $self->{dir}/new
database = $self->{dir}/index
serial = $self->{dir}/serial
default_md = sha256
policy = any
unique_subject = no
copy_extensions = none
[any]
commonName = supplied
[req]
distinguished_name = any
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
_EOC_

    $self->key($name);
    $self->openssl(qw(req -x509 -new -days 3650 -subj), "/CN=test $name",
        '-key', $self->path("$name.key"), '-extensions', 'authority',
        '-out', $self->file);

    return $self;
}


sub path {
    my ($self, $name) = @_;

    return "$self->{dir}/$name";
}


sub file {
    my ($self) = @_;

    return $self->path("$self->{name}.crt");
}


sub openssl {
    my ($self, $command, @args) = @_;

    my $out = $self->path('openssl.out');
    my $openssl = find_program('openssl') // die "no openssl here\n";

    unlink $out;
    my $status = run_program([$openssl, $command,
        $command =~ /^(?:req|ca)\z/ ? ('-config', $self->path('conf')) : (),
        @args], stdout => $out, stderr => $out, timeout => 60 * slow());

    die "openssl $command: " . (read_file($out) // '') . "\n" if $status != 0;
}


sub key {
    my ($self, $name) = @_;

    $self->openssl(qw(genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256),
        '-out', $self->path("$name.key"));
}


# A certificate and its key, two files.  Options: cn; names (subjectAltName as
# openssl has it; none for a client's); from and to, YYMMDDHHMMSSZ; self: it
# signs itself.

sub issue {
    my ($self, $name, %opt) = @_;

    my ($cert, $key, $request, $more)
        = map { $self->path("$name.$_") } qw(crt key csr ext);
    my $subject = '/CN=' . ($opt{cn} // $name);

    write_file($more, "basicConstraints = critical,CA:FALSE\n"
        . ($opt{names} ? "subjectAltName = $opt{names}\n" : ''));
    $self->key($name);
    $self->openssl(qw(req -new -key), $key, '-subj', $subject, '-out',
        $request);

    if ($opt{self}) {
        $self->openssl(qw(x509 -req -days 3650 -in), $request, '-signkey',
            $key, '-extfile', $more, '-out', $cert);

    } else {
        $self->openssl(qw(ca -batch -notext -in), $request, '-out', $cert,
            '-extfile', $more, '-cert', $self->file, '-keyfile',
            $self->path("$self->{name}.key"), '-startdate',
            $opt{from} // '200101000000Z', '-enddate',
            $opt{to} // '491231235959Z');
    }

    return ($cert, $key);
}


1;
