# Copyright (C) the ngx_lead authors
#
# One nginx with one store, which is killed, reloaded, upgraded and started
# again while clients ask it.  It signals only masters that it started and
# their children, and keeps count of what it did to them.
#
# nginx is a daemon here: without it, USR2 is ignored where the parent that
# started nginx is still there.

package Server;

use strict;
use warnings;

use Time::HiRes qw(sleep);

use Test::Lead ();
use Test::Lead::Receiver ();
use Test::Lead::Process qw(alive bad_lines children nginx_env run_program slow
    wait_until);

use constant PATIENCE => 60;         # seconds, until nginx has done it

# who may be told to end before a new one is started, and how
my @Ends = qw(KILL KILL TERM QUIT);

my $Secret = 'secret=whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

# accounts, their campaigns, and the endpoints that want every event and those
# that want some of them
our %Accounts = (
    alpha => { tenant => 1, campaigns => [1001, 1002], some => 1 },
    beta => { tenant => 2, campaigns => [2001, 2002], some => 0 },
);

our %Some = map { $_ => 1 } qw(lead.created lead.status_changed);


# options: workers

sub new {
    my ($class, %opt) = @_;

    my $t = Test::Lead->new(workers => $opt{workers}, log_level => 'notice',
        ping => '/ping');
    my $receiver = Test::Lead::Receiver->new(dir => $t->dir, brief => 1);
    my $self = bless { t => $t, receiver => $receiver, killed => {}, at => 0,
        count => {}, got => {}, mark => 0 }, $class;

    $t->write_conf(conf($receiver));

    $self->configure($opt{workers});
    $self->start;
    $self->add_keys;

    return $self;
}


sub conf {
    my ($receiver) = @_;

    my $accounts = join '', map { account_conf($_, $receiver->url("/$_")) }
        sort keys %Accounts;

    # what cannot be delivered waits longer than any run
    return <<"_EOC_";
http {
    lead_store %%DIR%%/store size=4g;
    lead_webhook_schedule 0 30d 30d;
    lead_webhook_allow 127.0.0.1/32;
    access_log off;

$accounts
    server {
        listen 127.0.0.1:%%PORT%% backlog=1024;
        client_body_buffer_size 64k;

        location = /ping { return 204; }
        location /law/ { lead_api lawfficient base=/law; }
        location /v2/ { lead_api kickofflabs; }
        location /flip/ { lead_api leadflip base=/flip; }
        location = /api/v1/lead { lead_api reflekt; }
        location /api/v1/leads { lead_api flextell; }
    }
}
_EOC_
}


# Two endpoints have an address that is not allowed: a delivery is refused, its
# row stays.  The third one has a receiver, which answers.

sub account_conf {
    my ($name, $url) = @_;

    my $account = $Accounts{$name};
    my $campaigns = join '', map { "        campaign c$_ number=$_;\n" }
        @{ $account->{campaigns} };
    my $some = $account->{some} ? "        webhook some"
        . " https://192.0.2.1/some $Secret events="
        . join(',', sort keys %Some) . ";\n" : '';

    return <<"_EOC_";
    lead_account $name {
        tenant $account->{tenant};

        pipeline stage {
            stage new  name=New  number=$account->{tenant}1 default;
            stage open name=Open number=$account->{tenant}2;
            stage won  name=Won  number=$account->{tenant}3 terminal;
        }

        source feed;

$campaigns
        entity deals {
            field lead_name text required;
            field company   text;
        }

        entity quotes {
            field email email;
            field name  text;
            match email;
        }

        webhook all https://192.0.2.1/all $Secret;
        webhook told $url $Secret timeout=1s connect_timeout=1s send_timeout=1s
            read_timeout=1s;
$some    }

_EOC_
}


# {account}{name}: two API keys and one of the source; and one for nobody

sub add_keys {
    my ($self) = @_;

    for my $account (sort keys %Accounts) {
        for my $name (qw(k1 k2 in)) {
            my ($code, $out, $err) = $self->leadctl(qw(key add --account),
                $account, $name eq 'in' ? qw(--source feed) : ());
            die "no key: $err\n" if $code != 0;

            chomp $out;
            $self->{keys}{$account}{$name} = $out;
        }
    }

    my ($code, $out, $err) = $self->leadctl(qw(key add --account alpha));
    die "no key: $err\n" if $code != 0;

    ($self->{spare}) = $out =~ /^lead_(\w{8})_/;
}


# LMDB's readers do not see what a writer has committed that was killed before
# it could say so, until the next one writes.

sub settle {
    my ($self) = @_;

    for my $what (qw(disable enable)) {
        my ($code, $out, $err) = $self->leadctl('key', $what, $self->{spare});
        die "no key: $err\n" if $code != 0;
    }
}


sub configure {
    my ($self, $workers) = @_;

    my $t = $self->{t};
    my $conf = $t->read_file('nginx.conf');

    $conf =~ s/^daemon off;/daemon on;/m;
    $conf =~ s/^worker_processes \d+;/worker_processes $workers;/m;

    $t->{workers} = $workers;
    $t->write_file('nginx.conf', $conf);
}


sub leadctl {
    my ($self, @args) = @_;

    return $self->{t}->leadctl('--store', $self->{t}->dir . '/store', @args);
}


# a condition that nginx must come to meet

sub await {
    my ($self, $what, $condition) = @_;

    return wait_until($condition, PATIENCE * slow())
        // die "nginx does not $what:\n" . substr($self->{t}->said, -4000);
}


# ---- processes

sub start {
    my ($self) = @_;

    my $t = $self->{t};

    unlink "$t->{dir}/nginx.pid";

    my $status = run_program([$t->command], stderr => "$t->{dir}/stderr",
        env => nginx_env(), dir => $t->{dir}, timeout => PATIENCE * slow());
    die "nginx does not start: " . $t->said . "\n" if $status != 0;

    $self->adopt(0);
}


# the master of the process file, other than the one given

sub adopt {
    my ($self, $old) = @_;

    my $t = $self->{t};

    $t->{master} = $self->await('write its process file', sub {
        my $text = $t->read_file('nginx.pid') // '';
        return $text =~ /^(\d+)\n/ && $1 != $old ? $1 : 0;
    });
    $self->remember($t->{master});
    $self->await('answer', sub {
        die 'nginx is gone: ' . $t->said . "\n" if !alive($t->{master});
        return $t->workers >= $t->{workers} && $t->answers;
    });
}


# whom Test::Lead stops at the end, whatever becomes of this run

sub remember {
    my ($self, @pids) = @_;

    my $orphans = $self->{t}{orphans} //= [];

    @$orphans = (grep({ alive($_) } @$orphans), @pids);
}


# also those that have not yet said what they are

sub kids {
    return grep { alive($_) } all_kids(@_);
}


# ... and the dead ones, see gone()

sub all_kids {
    my ($self, $master) = @_;

    $master //= $self->{t}{master};

    my $text = Test::Lead::Process::read_file(
        "/proc/$master/task/$master/children");

    return defined $text ? split(' ', $text) : children($master);
}


sub kill_pids {
    my ($self, @pids) = @_;

    my $n = 0;

    for my $pid (@pids) {
        $self->{killed}{$pid} = 1;
        $n += kill KILL => $pid;
    }

    return $n;
}


# A dead process may have threads that are still with the disk, and keep its
# sockets open.

sub gone {
    my ($self, @pids) = @_;

    $self->await('end', sub {
        !grep { alive($_) || 1 < (() = glob "/proc/$_/task/*") } @pids
    });
}


# The children of a master, which is held so that it makes no more; it is
# killed, and they are left to themselves.

sub behead {
    my ($self) = @_;

    my $master = $self->{t}{master};

    kill STOP => $master;
    $self->await('stop', sub {
        return (Test::Lead::Process::stat_of($master))[0] =~ /[TZX]/;
    });

    my @kids = $self->all_kids;
    $self->remember(@kids);
    $self->kill_pids($master);
    $self->gone($master);

    return @kids;
}


# ---- what may happen; each returns how often somebody was killed

sub do_worker {
    my ($self) = @_;

    my @kids = $self->kids or return 0;

    return $self->kill_pids($kids[rand @kids]) ? 1 : 0;
}


sub do_workers {
    my ($self) = @_;

    return $self->kill_pids($self->kids) ? 1 : 0;
}


# master and workers; the store has to be sound as it was left

sub do_all {
    my ($self) = @_;

    my @kids = $self->behead;

    $self->kill_pids(@kids);
    $self->gone(@kids);
    $self->sound if rand() < 0.3;
    $self->start;

    return 1;
}


# the workers of a dead master go on until they are told to end

sub do_master {
    my ($self) = @_;

    my @kids = $self->behead;
    my $how = $Ends[rand @Ends];

    sleep rand 0.1;

    my @alive = grep { alive($_) } @kids;
    $how eq 'KILL' ? $self->kill_pids(@alive) : kill $how => @alive;
    $self->gone(@kids);
    $self->start;

    return 1;
}


# often with a kill among two generations

sub do_hup {
    my ($self) = @_;

    my $t = $self->{t};
    my %old = map { $_ => 1 } $self->kids;
    my $n = 0;

    $self->configure(2 + int rand 3) if rand() < 0.5;
    kill HUP => $t->{master};

    if (rand() < 0.5) {
        sleep rand 0.03;
        $n = $self->do_worker;
    }

    # old workers leave when they have answered
    $self->await('reload', sub {
        $t->workers >= $t->{workers} && !grep { alive($_) } keys %old;
    });

    return $n;
}


sub do_upgrade {
    my ($self) = @_;

    my $t = $self->{t};
    my $old = $t->{master};
    my $n = 0;

    kill USR2 => $old;
    $self->adopt($old);

    if (rand() < 0.5) {
        my @kids = (grep({ $_ != $t->{master} } $self->kids($old)),
            $self->kids);
        $n = $self->kill_pids($kids[rand @kids]) ? 1 : 0 if @kids;
        sleep rand 0.03;
    }

    kill QUIT => $old;
    $self->gone($old);

    return $n;
}


sub do_quit {
    return end_and_start(@_, 'QUIT');
}


sub do_term {
    return end_and_start(@_, 'TERM');
}


sub end_and_start {
    my ($self, $how) = @_;

    my @all = ($self->{t}{master}, $self->kids);

    kill $how => $all[0];
    $self->gone(@all);
    $self->start;

    return 0;
}


# counted by what it was

sub happen {
    my ($self, $what) = @_;

    my $n = $self->can("do_$what")->($self);

    $self->{count}{$what}++ if $n || $what !~ /^(?:workers?|all|master)$/;

    return $n;
}


# ---- what must be so at any time

sub sound {
    my ($self) = @_;

    my ($code, $out, $err) = $self->leadctl('check');

    push @{ $self->{bad} }, "leadctl check: $out$err" if $code != 0;
}


# What there is to complain of in the log since the last time.  A worker's end
# by a signal is an alert of nginx' own: of whom we killed it is right.

sub complaints {
    my ($self) = @_;

    my $t = $self->{t};
    my $text = '';

    if (open my $in, '<:raw', "$t->{dir}/error.log") {
        seek $in, $self->{at}, 0;
        local $/;
        $text = <$in> // '';
        $text =~ s/[^\n]*\z//;
        $self->{at} += length $text;
    }

    my @bad = (@{ delete $self->{bad} // [] },
        map { "core dump $_" } glob "$t->{dir}/core*");

    # errors are said once for each text
    while ($text =~ /^\S+ \S+ \[error\] \S+ (?:\*\d+ )?(.{0,200})/mg) {
        my $what = $1 =~ s/\d+/N/gr;
        $self->{errors}{$what}++;
    }

    $text =~ s{^\S+\ \S+\ \[alert\]\ \d+\#\d+:\ worker\ process\ (\d+)
               \ exited\ on\ signal\ 9\n}{
        $self->{killed}{$1} ? '' : $& }xmge;

    return (@bad, bad_lines($text),
        $text =~ /^(\S+ \S+ \[crit\] .{0,300})/mg);
}


# {webhook-id}: how often the receiver has seen it, of an account

sub received {
    my ($self, $account) = @_;

    my @rows = $self->{receiver}->rows;

    $self->{got}{ substr $_->{url}, 1 }{ $_->{id} // '' }++
        for grep { $_->{kind} eq 'request' } @rows[$self->{mark} .. $#rows];
    $self->{mark} = @rows;

    return $self->{got}{$account} //= {};
}


sub stop {
    my ($self) = @_;

    my @all = ($self->{t}{master}, $self->kids);

    kill QUIT => $all[0];
    $self->gone(@all);
}


sub keep_files {
    my ($self) = @_;

    my $t = $self->{t};

    $t->{temp}->unlink_on_destroy(0) if $t->{temp};

    return $t->dir;
}


1;
