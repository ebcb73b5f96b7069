# Copyright (C) the ngx_lead authors
#
# The accounts and keys that suites of the vendors' APIs share: of Lawfficient
# two firms and one without an open stage, of Reflekt two projects; in a store
# of its own for each process.
#
#     use Test::LeadFixtures qw(lead_conf);
#     our $HttpConfig = lead_conf();     # lead_store and lead_account blocks
#
# The store is made, with leadctl, when it is first asked for, and goes with
# the process; so are a vendor's keys when his accounts are.

package Test::LeadFixtures;

use strict;
use warnings;

use Exporter 'import';
use File::Temp ();
use JSON::PP ();

use Test::Lead::Process qw(find_program run_program read_file write_file);

our @EXPORT_OK = qw(lead_conf reflekt_conf flextell_conf lead_store leadctl $Staff
    $OtherStaff kickofflabs_conf
    leadflip_conf $FlipE1 $FlipE2 $FlipU1 $FlipU2 $FlipU3);

our $FlipE1 = 'e1000000-0000-4000-8000-000000000001';
our $FlipE2 = 'e2000000-0000-4000-8000-000000000002';
our $FlipU1 = 'f1000000-0000-4000-8000-000000000001';
our $FlipU2 = 'f1000000-0000-4000-8000-000000000002';
our $FlipU3 = 'f2000000-0000-4000-8000-000000000003';

our $Staff = 'a1b2c3d4-0000-4000-8000-000000000000';
our $OtherStaff = 'b1b2c3d4-0000-4000-8000-000000000000';

# text, account, and what leadctl is told beside these
my @Keys = (
    [qw(lak_rw1 F1)],
    [qw(lak_rw1b F1)],
    [qw(lak_ro1 F1 --scope leads:read)],
    [qw(lak_wo1 F1 --scope leads:write)],
    [qw(lak_off1 F1)],
    [qw(lak_other1 F1 --api kickofflabs)],
    [qw(lfk_zap1 F1 --source zapier)],
    [qw(lfk_crm1 F1 --source crm)],
    [qw(lfk_old1 F1 --source old)],
    [qw(lak_rw2 F2)],
    [qw(lak_rw0 F0)],
    [qw(lfk_zap0 F0 --source zapier)],
    [qw(lak_gone GONE)],
);

my @ReflektKeys = (
    [qw(lap_live_P1 P1)],
    [qw(lap_live_P1b P1)],
    [qw(lap_live_P2 P2)],
    [qw(lap_live_ro P1 --scope leads:read)],
    [qw(lap_live_off P1)],
    [qw(lap_live_api P1 --api reflekt)],
    [qw(lap_live_other P1 --api kickofflabs)],
    [qw(lap_live_source P1 --source web)],
    [qw(lap_live_gone GONE)],
);

my @KickoffLabsKeys = (
    [qw(kol_A1 A1)],
    [qw(kol_A1b A1)],
    [qw(kol_ro A1 --scope leads:read)],
    [qw(kol_wo A1 --scope leads:write)],
    [qw(kol_off A1)],
    [qw(kol_api A1 --api kickofflabs)],
    [qw(kol_other A1 --api lawfficient)],
    [qw(kol_source A1 --source web)],
    [qw(kol_gone GONE)],
    [qw(kol_A2 A2)],
);

my @LeadflipKeys = (
    [qw(lf_1 L1)],
    [qw(lf_1b L1)],
    [qw(lf_ro L1 --scope leads:read)],
    [qw(lf_wo L1 --scope leads:write)],
    [qw(lf_off L1)],
    [qw(lf_api L1 --api leadflip)],
    [qw(lf_other L1 --api lawfficient)],
    [qw(lf_source L1 --source web)],
    [qw(lf_gone GONE)],
    [qw(lf_2 L2)],
    [qw(lf_3 L3)],
);

my @FlextellKeys = (
    [qw(ft_exp T7 --expires 2999-12-31)],
    [qw(ft_ok T7)],
    [qw(ft_ok2 T7)],
    [qw(ft_ro T7 --scope leads:read)],
    [qw(ft_wo T7 --scope leads:write)],
    [qw(ft_off T7)],
    [qw(ft_api T7 --api flextell)],
    [qw(ft_other T7 --api leadflip)],
    [qw(ft_source T7 --source web)],
    [qw(ft_law T7 --api lawfficient)],
    [qw(ft_gone GONE)],
    [qw(ft_t8 T8)],
    [qw(ft_none T0)],
);

my ($Dir, %Made);


sub lead_store {
    my $store = store();

    make_keys(\@Keys);

    return $store;
}


sub store {
    return "$Dir/store" if $Dir;

    $Dir = File::Temp->newdir('lead-fixtures-XXXXXX', TMPDIR => 1);

    # a worker of another user has to get in
    chmod 0755, "$Dir";
    mkdir "$Dir/store" or die "cannot make $Dir/store: $!\n";

    return "$Dir/store";
}


# once for each list

sub make_keys {
    my ($keys) = @_;

    return if $Made{$keys}++;

    for (@$keys) {
        my ($text, $account, @more) = @$_;
        my $scope = "@more" =~ /--s(?:cope|ource)/ ? []
            : ['--scope', 'leads:read,leads:write'];

        write_file("$Dir/key", "$text\n");
        my $out = leadctl('--json', qw(key add --account), $account, @$scope,
            @more, '--key-file', "$Dir/key");

        leadctl(qw(key disable), JSON::PP::decode_json($out)->{id})
            if $text =~ /_off/;
    }
}


# what it printed

sub leadctl {
    my (@args) = @_;

    my $tool = find_program($ENV{LEADCTL} || 'build/leadctl')
        // die "no leadctl: set LEADCTL\n";
    my $store = store();

    unlink "$Dir/out", "$Dir/err";
    run_program([$tool, '--store', $store, @args], stdout => "$Dir/out",
        stderr => "$Dir/err") == 0
        or die "leadctl @args: " . read_file("$Dir/err");

    return read_file("$Dir/out");
}


sub lead_conf {
    my $store = lead_store();

    return <<"_EOC_";
    lead_store $store size=64m;

    lead_account F1 {
        user $Staff number=1 email=ann\@f1.test "name=Ann Lee";

        pipeline main {
            stage lost       name=Lost terminal;
            stage new        name=New;
            stage contacted  name=Contacted;
            stage retained   name=Retained terminal;
        }

        data caseType Family Business;
        data city;
        data zip;

        source zapier assignee=$Staff;
        source crm;
        source_field crm firstName  contact.name.first;
        source_field crm lastName   contact.name.last;
        source_field crm externalId id;
        source_field crm caseType   type;
        source old disabled;
    }

    lead_account F2 {
        user $OtherStaff number=2 email=bob\@f2.test name=Bob;

        pipeline main {
            stage new name=New;
        }
    }

    lead_account F0 {
        pipeline main {
            stage retained name=Retained terminal;
            stage lost     name=Lost terminal;
        }

        source zapier;
    }
_EOC_
}


# two projects; a campaign of each has the name the other one has not

sub reflekt_conf {
    my $store = store();

    make_keys(\@ReflektKeys);

    return <<"_EOC_";
    lead_store $store size=64m;

    lead_account P1 {
        campaign pi_intake number=4101 "label=PI Intake 2026";
        campaign family;
        campaign over ended;
        source   web;
    }

    lead_account P2 {
        region GB;
        campaign theirs number=4102;
    }
_EOC_
}


# two accounts; of the first one's campaigns one is open, two have ended, one
# needs no key; more is added to that account

sub kickofflabs_conf {
    my ($more) = @_;

    my $store = store();

    $more //= '';

    make_keys(\@KickoffLabsKeys);

    return <<"_EOC_";
    lead_store $store size=64m;

    lead_account A1 {
        region US;

        campaign spring number=135544 "label=Spring 2026"
                 url=https://www.example.com/
                 "thanks_url=https://example.com/thanks?a=1#top";
        campaign winter number=135545 ended;
        campaign embed  number=135546 key=optional;
        campaign autumn number=135547 ends=2020-01-01T00:00:00Z;
        campaign internal;

        source web;

        $more
    }

    lead_account A2 {
        campaign theirs number=235544;
    }
_EOC_
}


# two accounts and one without entities; more than the contract's fields are
# in an entity of their own, with two pipelines and three match keys

sub leadflip_conf {
    my $store = store();

    make_keys(\@LeadflipKeys);

    return <<"_EOC_";
    lead_store $store size=128m;

    lead_account L1 {
        region US;

        user $FlipU1 email=ann\@l1.test "name=Ann Lee" number=31;
        user $FlipU2 email=bob\@l1.test;

        pipeline stage {
            stage new       name=New default;
            stage qualified name=Qualified;
            stage won       name=Won terminal;
        }

        pipeline follow_up {
            stage none;
            stage called name=Called;
        }

        source web;

        entity solar_leads id=$FlipE1 "label=Solar Leads" {
            field lead_name text "label=Lead Name" required;
            field email     email;
            field phone     phone;
            field company   text;
        }

        entity quotes id=$FlipE2 label=Quotes {
            field email  email;
            field name   text;
            match email;
        }

        entity typed id=e3000000-0000-4000-8000-000000000003 label=Typed {
            field fullName text "label=The Name" required;
            field mail     email;
            field mobile   phone;
            field age      number min=18 max=65.5;
            field budget   number;
            field born     date min=1970-01-01 max=2020-12-31;
            field optIn    boolean;
            field roof     select "options=flat|Pitched roof|1";
            field site     url;
            field home     address;
            field country  text default=US;
            field kind     select options=a|b default=b;
            match mobile mail;
            match budget;
            pipeline follow_up;
            pipeline stage;
        }
    }

    lead_account L2 {
        user $FlipU3 email=carl\@l2.test;

        pipeline stage {
            stage new name=New;
        }

        entity theirs {
            field lead_name text;
        }
    }

    lead_account L3 {
        entity bare label=Bare {
            field lead_name text;
        }
    }
_EOC_
}


# leadctl makes no key that has expired: of those that expire in 2999 the time
# is moved, in the file

sub expire_keys {
    my ($file) = @_ ? @_ : glob "$Dir/store/*.mdb";

    open my $fh, '+<:raw', $file or die "$file: $!\n";
    my $bytes = do { local $/; <$fh> };
    my $time = 32503593600 * 1_000_000;     # 2999-12-31

    my $n = 0;

    for my $format ('q>', 'q<') {
        my $old = pack $format, $time;

        while ($bytes =~ /\Q$old\E/g) {
            seek $fh, $-[0], 0 or die "$file: $!\n";
            print $fh pack $format, 1_600_000_000_000_000;
            $n++;
        }
    }

    close $fh or die "$file: $!\n";
    die "no key that expires in $file\n" if !$n;
}


# two tenants and one account that is none; of the first one's statuses,
# sources and users one each has no number

sub flextell_conf {
    my $store = store();

    if (!$Made{\@FlextellKeys}) {
        make_keys(\@FlextellKeys);
        expire_keys();
    }

    return <<"_EOC_";
    lead_store $store size=128m;

    lead_account T7 {
        tenant 7;
        region US;

        user c1000000-0000-4000-8000-000000000011 number=11
             email=ann\@t7.test name=Ann;
        user c1000000-0000-4000-8000-000000000012 email=bob\@t7.test name=Bob;

        pipeline main {
            stage hidden name=Hidden;
            stage won name=Won number=2 terminal;
            stage new name=New number=1 default color=#94a3b8;
        }

        source web number=5 name=Website;
        source partner number=6 name=Partner external_id=p-6;
        source silent name=Silent;

        country 215 TR;
    }

    lead_account T8 {
        tenant 8;

        user c1000000-0000-4000-8000-000000000099 number=99
             email=eve\@t8.test name=Eve;

        pipeline main {
            stage first name=First number=91;
        }

        source web number=95 name=Theirs;
    }

    lead_account T0 {
        source web number=5 name=Website;
    }
_EOC_
}


1;
