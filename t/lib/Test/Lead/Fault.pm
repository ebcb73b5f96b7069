# Copyright (C) the ngx_lead authors
#
# An nginx with one account and all dialects, to which things happen: for the
# suites of faults and of power cuts.  It makes leads in the voice of any
# dialect, remembers each that was answered with success, and sees at the end
# whether they are all there.
#
#     my $t = Test::Lead::Fault->new(size => '16m');
#     $t->start;
#     $t->fail_disk(from => 3, err => EIO);
#     $t->refused('leadflip', 'the third write fails');
#     $t->calm;
#     $t->recovers('leadflip', 'afterwards');
#     $t->finish('disk');
#
# Disk, memory, network and clock fail by tools/fault.c, which is preloaded with
# fault => 1.  All that Test::Lead can do, it can.

package Test::Lead::Fault;

use strict;
use warnings;

use parent 'Test::Lead';

use File::Temp ();
use JSON::PP ();
use Test::More ();
use Time::Local qw(timegm);

use Test::Lead qw(wait_until);
use Test::Lead::Process qw(alive find_program run_program slow);

our @Dialects = qw(lawfficient reflekt kickofflabs flextell leadflip);

my $Json = JSON::PP->new->utf8->canonical;
my $Number = 0;
my $Forever = 0xffffffff;
my $Tmp;

# the status page and this location need no store
my %Unavailable = (
    lawfficient => { error => { code => 'unavailable',
            message => 'Temporarily unavailable.' } },
    reflekt => { success => JSON::PP::false(),
        error => 'Temporarily unavailable' },
    kickofflabs => { message => 'Temporarily unavailable' },
    flextell => { error => 'service_unavailable',
        message => 'The service is temporarily unavailable.' },
    leadflip => { status => 'error', message => 'Service unavailable' },
);


sub tmp {
    if (!$Tmp) {
        $Tmp = File::Temp->newdir('lead-fault-XXXXXX', TMPDIR => 1);
        chmod 0755, "$Tmp";
    }

    return "$Tmp";
}


sub sanitized {
    my $preload = $ENV{TEST_NGINX_PRELOAD} // '';

    return $preload =~ /libtsan/ ? 'thread'
        : $preload =~ /libasan/ ? 'address,undefined' : '';
}


# a program of t/tools; @options go to the compiler

sub build {
    my ($name, @options) = @_;

    my $source = __FILE__ =~ s{lib/Test/Lead/Fault\.pm\z}{}r . "tools/$name.c";
    my $out = tmp() . "/$name";

    system($ENV{CC} || 'gcc', qw(-O1 -g -Wall -Wextra -Werror -o), $out,
        $source, @options) == 0 or die "cannot build $name\n" if !-e $out;

    return $out;
}


# a library that is loaded into nginx before others; a sanitizer is the first

# a gate for what nginx writes (tools/gate.c): the directory it is told by

sub gate {
    $ENV{LEAD_GATE} = tmp() . '/held';

    mkdir $ENV{LEAD_GATE} or die "cannot make $ENV{LEAD_GATE}: $!\n"
        if !-d $ENV{LEAD_GATE};
    preload('gate');

    return $ENV{LEAD_GATE};
}


sub preload {
    my ($name, @options) = @_;

    my $lib = build($name, qw(-shared -fPIC), @options, '-ldl');

    $ENV{TEST_NGINX_PRELOAD} = join ' ',
        (grep { defined && length } $ENV{TEST_NGINX_PRELOAD}), $lib
        if index($ENV{TEST_NGINX_PRELOAD} // '', $lib) < 0;
}


# what is started from now on can be made to fail

sub prepare {
    preload('fault', sanitized() || $ENV{TEST_NGINX_USE_VALGRIND}
        ? '-DFAULT_NO_MEMORY' : ());

    $ENV{LEAD_FAULT} = tmp() . '/control';
    Test::Lead::Process::write_file($ENV{LEAD_FAULT}, "\0" x 88);
}


# Options: those of Test::Lead, and store (its directory, below this one's if
# it does not begin with "/"), size, http, account and server (more lines of
# them), fault.

sub new {
    my ($class, %opt) = @_;

    my $store = $opt{store} // 'store';
    $store = "%%DIR%%/$store" if $store !~ m{^/};

    prepare() if $opt{fault};

    my $self = $class->SUPER::new(ping => '/other', %opt, conf => <<"_EOC_");
http {
    lead_store  $store size=@{[ $opt{size} // '64m' ]};
    @{[ $opt{http} // '' ]}

    lead_account acme {
        tenant    7;
        user      a1b2c3d4-0000-4000-8000-000000000000 "name=Ann Lee";
        campaign  spring number=100 url=https://example.com/;

        pipeline stage {
            stage new  name=New number=1 default;
            stage won  name=Won number=2;
        }

        source web name=Web;

        entity solar {
            field lead_name text required;
            field email     email;
        }

        @{[ $opt{account} // '' ]}
    }

    server {
        listen 127.0.0.1:%%PORT%%;

        add_header X-Lead \$lead_id always;

        location /law/  { lead_api lawfficient base=/law; }
        location /ref/  { lead_api reflekt base=/ref; }
        location /kol/  { lead_api kickofflabs base=/kol; }
        location /flex/ { lead_api flextell base=/flex; }
        location /flip/ { lead_api leadflip base=/flip; }

        location = /status { lead_status json; }
        location = /other  { return 200 other; }

        @{[ $opt{server} // '' ]}
    }
}
_EOC_

    $self->{store} = $self->expand($store);
    $self->{acked} = {};

    return $self;
}


sub store {
    my ($self) = @_;

    return $self->{store};
}


# options: key, which may be another's whose store it is

sub start {
    my ($self, %opt) = @_;

    $self->SUPER::start;
    $self->{key} //= $opt{key} // $self->add_key;
    $self->{first} = join ' ', $self->workers;

    return $self;
}


sub ctl {
    my ($self, @args) = @_;

    my ($code, $out, $err) = $self->leadctl('--store', $self->{store}, @args);

    die "leadctl @args: $code: $err\n" if $code != 0;

    return $out;
}


sub add_key {
    my ($self) = @_;

    return $self->ctl(qw(key add --account acme --scope),
        'leads:read,leads:write') =~ s/\n\z//r;
}


sub status {
    my ($self) = @_;

    my $res = $self->http('GET', '/status');

    return eval { $Json->decode($res->{body}) } // {};
}


# ---- what is to fail

sub control {
    my ($self, $at, $format, @values) = @_;

    open my $file, '+<:raw', $ENV{LEAD_FAULT} or die "$ENV{LEAD_FAULT}: $!\n";
    sysseek $file, $at, 0;
    syswrite $file, pack $format, @values;
}


sub counter {
    my ($self, $at) = @_;

    return unpack 'L',
        substr Test::Lead::Process::read_file($ENV{LEAD_FAULT}), $at, 4;
}


# options: from, to (the same, if it is not given; 0: for ever), err (0: short
# writes)

sub fail_disk {
    my ($self, %opt) = @_;

    my $to = $opt{to} // $opt{from};

    $self->control(4, 'LlLL', $to || $Forever, $opt{err}, 0, 0);
    $self->control(0, 'L', $opt{from});
}


sub disk_hits {
    my ($self) = @_;

    return $self->counter(16);
}


# options: from, to, first (of the event loop and not of other threads)

sub fail_memory {
    my ($self, %opt) = @_;

    my $to = $opt{to} // $opt{from};

    $self->control(24, 'LLLL', $to || $Forever, 0, 0, $opt{first} ? 1 : 0);
    $self->control(20, 'L', $opt{from});
}


sub memory_hits {
    my ($self) = @_;

    return $self->counter(32);
}


# what the module allocates for requests, mostly of memory that is there

sub fail_pool {
    my ($self, %opt) = @_;

    my $to = $opt{to} // $opt{from};

    $self->control(52, 'LLL', $to || $Forever, 0, 0);
    $self->control(48, 'L', $opt{from});
}


sub pool_hits {
    my ($self) = @_;

    return $self->counter(60);
}


# seconds

sub step_clock {
    my ($self, $seconds) = @_;

    $self->control(40, 'q', $seconds * 1_000_000);
}


# ... which really pass

sub pass_time {
    my ($self, $seconds) = @_;

    $self->step_clock($seconds);
    $self->control(64, 'q', $seconds * 1_000_000);
}


# sockets of this family (0: of any that are connected) give this error

sub fail_network {
    my ($self, $family, $err) = @_;

    $self->control(72, 'lll', $family, $family ? ($err, 0) : (0, $err));
}


sub calm {
    my ($self) = @_;

    $self->control($_, 'L', 0) for 0, 20, 48;
    $self->control(72, 'lll', 0, 0, 0);
}


# ---- leads

# a create as parallel() takes it; options: key, headers, email, timeout

sub creation {
    my ($self, $dialect, %opt) = @_;

    $Number++;

    my $email = $opt{email} // "ada$Number\@example.com";
    my @headers = ('Authorization', "Bearer $self->{key}",
        'Content-Type', $dialect eq 'reflekt'
            ? 'application/x-www-form-urlencoded' : 'application/json',
        (defined $opt{key} ? ('Idempotency-Key', $opt{key}) : ()),
        @{ $opt{headers} // [] });
    my @more = map { exists $opt{$_} ? ($_ => $opt{$_}) : () }
        qw(keepalive timeout);

    if ($dialect eq 'lawfficient') {
        return ['POST', '/law/leads', \@headers, $Json->encode({
            first_name => 'Ada', last_name => "No $Number", source => 'web',
            email => $email }), @more];
    }

    if ($dialect eq 'reflekt') {
        return ['POST', '/ref/lead', \@headers, "api_key=$self->{key}"
            . "&first_name=Ada&last_name=No+$Number&campaign_name=spring"
            . '&email=' . $email =~ s/\@/%40/r, @more];
    }

    if ($dialect eq 'kickofflabs') {
        return ['POST', '/kol/100', \@headers, $Json->encode({
            email => $email, first_name => 'Ada' }), @more];
    }

    if ($dialect eq 'flextell') {
        return ['POST', '/flex/leads', [@headers, 'X-Tenant', 7],
            $Json->encode({ first_name => 'Ada', last_name => "No $Number",
                email => $email }), @more];
    }

    return ['POST', '/flip/intake', \@headers, $Json->encode({
        entity => 'solar', lead_name => "No $Number", email => $email }),
        @more];
}


# the id by which a dialect shows the lead it has made

sub shown {
    my ($res) = @_;

    my $lead = eval { $Json->decode($res->{body}) } // {};

    return $lead->{social_id} // $lead->{lead_id} // $lead->{id}
        // $lead->{data}{id};
}


# What else a dialect does with a lead it has shown: [what, request].  "find"
# is answered from what is mapped, "list" by a thread, "write" after a commit.

sub others {
    my ($self, $dialect, $id) = @_;

    my %others = (
        lawfficient => [
            [find => GET => "/law/leads/$id"],
            [list => GET => '/law/leads?limit=5&q=ada'],
            [write => PATCH => "/law/leads/$id", { first_name => 'Eve',
                data => {}, notes => 'x' x 300 }],
            [write => POST => "/law/leads/$id/archive"],
            [write => POST => "/law/leads/$id/unarchive"],
        ],
        kickofflabs => [
            [find => GET => "/kol/100?social_id=$id"],
            [write => POST => '/kol/100/points', { social_id => $id,
                points => 5 }],
        ],
        flextell => [
            [find => GET => "/flex/leads/$id"],
            [list => GET => '/flex/leads?per_page=5'],
        ],
        leadflip => [
            [find => GET => "/flip/leads/$id"],
            [write => POST => '/flip/leads/bulk', { entity => 'solar',
                batch => [map { { lead_name => "Row $_" } } 1 .. 3] }],
            [write => PATCH => "/flip/leads/$id", { fields => {
                lead_name => 'Eve' } }],
            [write => PATCH => "/flip/leads/$id/status", {
                status_step => 'Won' }],
        ],
    );

    return map {
        my ($what, $method, $path, $body) = @$_;
        [$what, [$method, $path, ['Authorization', "Bearer $self->{key}",
            $dialect eq 'kickofflabs' ? ('Authentication', $self->{key}) : (),
            'X-Tenant', 7, 'Content-Type', 'application/json'],
            $body && $Json->encode($body)]];
    } @{ $others{$dialect} // [] };
}


# the answer; a success is remembered

sub create {
    my ($self, $dialect, %opt) = @_;

    my $res = $self->http(@{ $self->creation($dialect, %opt) });
    $self->answered($res);

    return $res;
}


sub answered {
    my ($self, @answers) = @_;

    for my $res (@answers) {
        $self->{acked}{ $res->{headers}{'x-lead'} // 'nothing' } = 1
            if ($res->{status} // 0) =~ /^2/;
    }
}


sub made {
    my ($res) = @_;

    return ($res->{status} // 0) =~ /^2/;
}


# what is wrong with an answer that should say "not now", in its dialect

sub wrong {
    my ($res, $dialect) = @_;

    my $body = eval { $Json->decode($res->{body}) };

    return 'status ' . ($res->{status} || "none: $res->{error}")
        if $res->{status} != 503;
    return 'no Retry-After'
        if ($res->{headers}{'retry-after'} // '') !~ /^[1-9]\d*\z/;
    return "body $res->{body}"
        if $Json->encode($body // 0) ne $Json->encode($Unavailable{$dialect});

    return '';
}


# Tests: a create is refused, and the rest of nginx is as it was.

sub refused {
    my ($self, $dialect, $name, %opt) = @_;

    my $res = $self->create($dialect, %opt);

    Test::More::is(wrong($res, $dialect), '',
        "$name: $dialect says so, and when to come again");
    $self->unaffected($name);

    return $res;
}


sub unaffected {
    my ($self, $name) = @_;

    my $res = $self->http('GET', '/other');

    Test::More::is($res->{body} || $res->{error}, 'other',
        "$name: the rest of nginx answers");
}


# one test: creates succeed until there is no more room

sub exhausted {
    my ($self, $dialect, $name) = @_;

    my ($n, $res) = (0);

    do {
        $res = $self->create($dialect);
    } while (made($res) && ++$n < 20000);

    Test::More::is(wrong($res, $dialect), '',
        "$name: $dialect says so after $n leads");
    $self->unaffected($name);
}


# one test: a create succeeds, soon

sub recovers {
    my ($self, $dialect, $name, %opt) = @_;

    my $res;

    Test::More::ok(wait_until(sub {
        $res = $self->create($dialect, %opt);
        return made($res);
    }, 15 * slow()), "$name: $dialect takes leads again")
        or Test::More::diag($res->{status}, ' ', $res->{body} // '');

    return $res;
}


# ---- what is to hold in the end

# the leads of the store, by id

sub leads {
    my ($self) = @_;

    return map { $_->{id} => $_ } map { $Json->decode($_) }
        split /\n/, $self->ctl(qw(lead export --account acme));
}


sub sound {
    my ($self, $name) = @_;

    my ($code, $out, $err) = $self->leadctl('--store', $self->{store},
        'check');

    Test::More::is($code, 0, "$name: the store is sound")
        or Test::More::diag($out, $err);
}


sub whole {
    my ($self, $name) = @_;

    my %leads = $self->leads;
    my @missing = grep { !$leads{$_} } sort keys %{ $self->{acked} };

    Test::More::is("@missing", '', "$name: every lead that was acknowledged"
        . ' is there (' . keys(%{ $self->{acked} }) . ')');
    $self->sound($name);
}


# Complaints of the store are loud once a minute in each worker: what is wrong
# with the log, or nothing.

sub noise {
    my ($self) = @_;

    my %last;

    for (split /^/, $self->log) {
        my ($y, $mon, $d, $h, $m, $s, $pid) = m{^(\d+)/(\d+)/(\d+)
            \ (\d+):(\d+):(\d+)\ \[crit\]\ (\d+)\#.*\ lead:}x or next;
        my $time = timegm($s, $m, $h, $d, $mon - 1, $y);

        return "again after " . ($time - $last{$pid}) . " s: $_"
            if defined $last{$pid} && $time - $last{$pid} < 59;

        $last{$pid} = $time;
    }

    return %last ? '' : 'nothing was said';
}


# Options: restarted, workers are not those of the start; silent, there was
# nothing to complain of ("maybe": or there was).

sub finish {
    my ($self, $name, %opt) = @_;

    $self->unaffected("$name, the end");
    $self->whole($name);

    Test::More::is(join(' ', $self->workers), $self->{first},
        "$name: no worker has died") if !$opt{restarted};
    my $noise = $self->noise;
    $noise = '' if ($opt{silent} // '') eq 'maybe'
        && $noise eq 'nothing was said';

    Test::More::is($noise, ($opt{silent} // '') eq '1' ? 'nothing was said'
        : '', "$name: the log is loud once a minute");

    $self->check_end("$name: a clean end");
}


1;
