# Copyright (C) the ngx_lead authors
#
# An nginx that serves all dialects over one store with two accounts alike, for
# suites about what must hold in each of them.
#
#     my $t = Test::Lead::Dialects->new(http => 'lead_key_failures 5r/m;');
#     $t->start;
#     my $key = $t->add_key('one');
#     for my $dialect (dialects()) {
#         my $id = $t->create($dialect, $key, email => 'ada@example.com');
#         is($t->call($dialect, $key, read_of($dialect, $id))->{status}, 200);
#     }
#
# All that Test::Lead can do, it can.  Each dialect stands below /<name>/.

package Test::Lead::Dialects;

use strict;
use warnings;

use parent 'Test::Lead';

use Exporter qw(import);
use JSON::PP ();

our @EXPORT_OK = qw(dialects creation read_of form);

my $Json = JSON::PP->new->utf8->canonical;
my $Form = 'application/x-www-form-urlencoded';

# campaigns and tenants of the accounts
my %Campaign = (one => 1001, two => 1002);
my %Tenant = (one => 1, two => 2);


sub dialects {
    return qw(reflekt lawfficient kickofflabs flextell leadflip);
}


# Options of Test::Lead, and more lines: http, server, location (of each
# dialect), account (of the first one), store (size=64m if not given).

sub new {
    my ($class, %opt) = @_;

    my %line = map { $_ => delete $opt{$_} // '' }
        qw(http server location account);
    my $store = delete $opt{store} // 'size=64m';

    return $class->SUPER::new(%opt, conf => <<"_EOC_");
http {
    lead_store %%DIR%%/store $store;
    $line{http}
    @{[ account('one', $line{account}) ]}
    @{[ account('two', '') ]}
    server {
        listen 127.0.0.1:%%PORT%%;
        $line{server}
@{[ map { <<"_EOL_" } dialects() ]}
        location /$_/ {
            lead_api $_ base=/$_;
            $line{location}
        }
_EOL_
        location = /status { lead_status json; }
        location = /other { return 200 other; }
    }
}
_EOC_
}


sub account {
    my ($name, $more) = @_;

    my $n = $Tenant{$name};

    return <<"_EOC_";
    lead_account $name {
        tenant $n;
        user a${n}000000-0000-4000-8000-000000000000 number=1$n
             email=staff\@$name.test name=Staff;
        campaign spring number=$Campaign{$name} "label=Spring";
        pipeline stage {
            stage new name=New number=1 default;
            stage won name=Won number=2 terminal;
        }
        source web number=5 name=Website;
        data city;
        entity deals {
            field lead_name text;
            field email     email;
            field phone     phone;
            match email;
        }
        $more
    }
_EOC_
}


# made with leadctl; of "text" it is an imported one

sub add_key {
    my ($self, $account, %opt) = @_;

    my $text = delete $opt{text};
    my $off = delete $opt{off};

    $opt{scope} //= 'leads:read,leads:write' if !$opt{source};

    my @more = map { ("--$_", $opt{$_}) } sort keys %opt;

    push @more, '--key-file', $self->write_file('key', "$text\n")
        if defined $text;

    my $out = $self->ctl('--json', qw(key add --account), $account, @more);
    my $key = $Json->decode($out);

    $self->ctl(qw(key disable), $key->{id}) if $off;

    return $text // $key->{key};
}


sub ctl {
    my ($self, @args) = @_;

    my ($code, $out, $err) = $self->leadctl('--store', $self->dir . '/store',
        @args);
    die "leadctl @args: $err\n" if $code != 0;

    return $out;
}


# ---- requests, as (method, path, headers, body) of no key

sub form {
    my @pairs = @_;
    my @texts;

    while (my ($name, $value) = splice @pairs, 0, 2) {
        $value =~ s/([^A-Za-z0-9._~-])/sprintf '%%%02X', ord $1/ge;
        push @texts, "$name=$value";
    }

    return join '&', @texts;
}


# fields: first, last, email, phone, account

sub creation {
    my ($dialect, %f) = @_;

    $f{first} //= 'Ada';
    $f{last} //= 'Lovelace';
    $f{email} //= 'ada@example.com';
    $f{phone} //= '+12065550100';
    $f{account} //= 'one';

    return ('POST', '/reflekt/lead', ['Content-Type', $Form],
        form(first_name => $f{first}, last_name => $f{last},
            email => $f{email}, phone_number => $f{phone}))
        if $dialect eq 'reflekt';

    my ($path, $body) = $dialect eq 'lawfficient'
        ? ('leads', { source => 'test', first_name => $f{first},
            last_name => $f{last}, email => $f{email}, phone => $f{phone} })
        : $dialect eq 'kickofflabs'
        ? ($Campaign{ $f{account} }, { first_name => $f{first},
            last_name => $f{last}, email => $f{email},
            phone_number => $f{phone} })
        : $dialect eq 'flextell'
        ? ('leads', { first_name => $f{first}, last_name => $f{last},
            email => $f{email}, phone_number => $f{phone} })
        : ('intake', { entity => 'deals', lead_name => "$f{first} $f{last}",
            email => $f{email}, phone => $f{phone} });

    return ('POST', "/$dialect/$path", ['Content-Type', 'application/json'],
        $Json->encode($body));
}


# what shows a lead, by the id that its creation gave; Reflekt has no such

sub read_of {
    my ($dialect, $id, $account) = @_;

    return ('GET', "/kickofflabs/$Campaign{ $account // 'one' }?social_id=$id")
        if $dialect eq 'kickofflabs';

    return ('GET', "/$dialect/leads/$id");
}


# the same with a key where the dialect has it; a tenant of the account goes
# with those of Flextell

sub with_key {
    my ($dialect, $key, $account, $method, $path, $headers, $body) = @_;

    my @headers = @{ $headers // [] };

    if ($dialect =~ /^(?:reflekt|kickofflabs)$/) {
        $path .= ($path =~ /\?/ ? '&' : '?') . form(api_key => $key)
            if defined $key;

    } else {
        push @headers, 'Authorization', "Bearer $key" if defined $key;
        push @headers, 'X-Tenant', $Tenant{ $account // 'one' }
            if $dialect eq 'flextell'
            && !grep { /^X-Tenant$/i } @headers;
    }

    return ($method, $path, \@headers, $body);
}


# the answer, with {json}

sub call {
    my ($self, $dialect, $key, @request) = @_;

    return $self->call_as($dialect, $key, 'one', @request);
}


sub call_as {
    my ($self, $dialect, $key, $account, @request) = @_;

    my $res = $self->http(with_key($dialect, $key, $account, @request));
    $res->{json} = eval { $Json->decode($res->{body}) };

    return $res;
}


# the id by which the dialect shows a new lead

sub create {
    my ($self, $dialect, $key, %fields) = @_;

    my $res = $self->call_as($dialect, $key, $fields{account},
        creation($dialect, %fields));
    my $lead = $res->{json} // {};

    $lead = $lead->{data} if ref $lead->{data} && $dialect eq 'flextell';

    my $id = $lead->{ $dialect eq 'kickofflabs' ? 'social_id'
        : $dialect =~ /^(?:reflekt|leadflip)$/ ? 'lead_id' : 'id' };

    die "no lead of $dialect: $res->{status} $res->{body}\n"
        if !defined $id || $res->{status} !~ /^20[01]$/;

    return $id;
}


1;
