# Copyright (C) the ngx_lead authors
#
# Test blocks: the text after __DATA__ becomes a list of blocks, each with its
# sections, passed through filters (norm and trim first, then those named on
# the section's line).  Reads nothing but that text and runs only the Perl code
# of sections marked eval.  What would make a check vanish without a word (a
# section given twice, an unknown filter, code that dies) is an error here.

package Test::Nginx::Socket::Block;

use strict;
use warnings;

use Scalar::Util ();


# before any lexical of this file, so that the code sees none of them

sub eval_isolated {
    package Test::Nginx::Socket::Code;
    return eval $_[0];
}


our $AUTOLOAD;

my %Filters = (
    norm  => sub { my $t = $_[0] // ''; $t =~ s/\r\n?/\n/g; $t },
    trim  => \&filter_trim,
    chomp => sub { map { my $t = $_; chomp $t; $t } @_ },
    chop  => sub { map { my $t = $_; chop $t; $t } @_ },
    eval  => \&filter_eval,
);

my (@Blocks, $Parsed, $Filtered, %SectionFilters);


sub filter_trim {
    return map {
        my $text = $_;
        $text =~ s/\A(?:[ \t]*\n)+//;
        $text =~ s/(?<=\n)\s*\z//;
        $text
    } @_;
}


# section code sees an empty strict package, as under Test::Base: names of the
# test file need main:: in front

sub filter_eval {
    my ($code) = @_;

    my @value = eval_isolated($code);
    die $@ if $@;

    return @value;
}


sub new {
    my ($class) = @_;

    return bless {}, $class;
}


sub DESTROY { }


sub AUTOLOAD {
    my ($self, @set) = @_;

    my $name = $AUTOLOAD =~ s/.*:://r;
    die "Not allowed to set values for '$name'\n" if @set;

    my @value = @{ $self->{$name} // [] };

    return wantarray ? @value : $value[0];
}


sub set_value {
    my ($self, $name, @value) = @_;

    $self->{$name} = [@value];
}


# a section's value with no surprise in list context

sub get {
    my ($self, $name) = @_;

    return scalar $self->$name;
}


sub filters {
    my ($map) = @_;

    die "filters: a hash of section => filters is needed\n"
        if ref $map ne 'HASH';
    %SectionFilters = %$map;
}


sub run_filters {
    my ($self) = @_;

    for my $section (@{ $self->{_order} }) {
        my $extra = $SectionFilters{$section} // [];
        my @names = (qw(norm trim), ref $extra ? @$extra : $extra,
            split ' ', $self->{_filters}{$section});

        for my $off (map { /^-(.+)/ ? $1 : () } @names) {
            @names = grep { $_ ne $off && $_ ne "-$off" } @names;
        }

        my @value = @{ $self->{$section} };

        for my $name (@names) {
            my $filter = $Filters{$name} // main->can($name)
                or $self->fail("unknown filter \"$name\"", $section);

            @value = eval { local $_ = $value[0]; $filter->(@value) };
            $self->fail("$name: $@", $section) if $@;
        }

        $self->{$section} = \@value;
    }
}


sub fail {
    my ($self, $message, $section) = @_;

    chomp $message;
    die "$0: block \"$self->{name}[0]\", section \"$section\": $message\n";
}


sub parse {
    my ($text) = @_;

    my $self = __PACKAGE__->new;

    $text =~ s/\A===[ \t]*(.*)\s+// or die "$0: bad block: $text\n";
    $self->set_value(name => $1);

    my ($description, @parts)
        = split /^--- +\(?(\w+)\)? *(.*)?\n/m, $text;
    $self->set_value(description => $description // '');

    @{$self}{qw(_order _filters)} = ([], {});

    while (@parts) {
        my ($section, $filters, $value) = splice @parts, 0, 3;

        $self->fail('given twice', $section)
            if exists $self->{_filters}{$section};
        $self->fail('a reserved name', $section)
            if $section =~ /^(?:_|name\z|description\z)/
               || $self->can($section);

        $value //= '';
        $filters //= '';

        if ($filters =~ /:(?:\s|\z)/) {
            $self->fail('text after an inline value', $section)
                if $value =~ /\S/;
            ($filters, $value) = split /\s*:(?:\s+|\z)/, $filters, 2;
            $value = ($value // '') =~ s/^\s+|\s+$//gr;
        }

        push @{ $self->{_order} }, $section;
        $self->{_filters}{$section} = $filters;
        $self->set_value($section, $value);
    }

    return $self;
}


sub load {
    no warnings 'once';
    my $handle = Scalar::Util::openhandle(\*main::DATA);
    my $text = $handle ? do { local $/; <$handle> } : '';

    $Parsed = 1;

    for my $part ($text =~ /^(===.*?(?=^===|\z))/msg) {
        my $block = parse($part);

        if (exists $block->{ONLY}) {
            Test::More::diag("I found ONLY: maybe you're debugging?");
            @Blocks = ($block);
            return;
        }

        next if exists $block->{SKIP};
        push @Blocks, $block;
        return if exists $block->{LAST};
    }
}


# In scalar context the count, which a plan needs before anything is evaluated.

sub blocks {
    my ($section) = @_;

    load() if !$Parsed;

    my @list = defined $section ? grep { exists $_->{$section} } @Blocks
        : @Blocks;
    return scalar @list if !wantarray;

    if (!$Filtered++) {
        $_->run_filters for @Blocks;
    }

    return @list;
}


1;
