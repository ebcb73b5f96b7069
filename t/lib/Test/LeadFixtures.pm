# Copyright (C) the ngx_lead authors
#
# The accounts and keys that suites of Lawfficient's API share: two firms and
# one without an open stage, in a store of its own for each process.
#
#     use Test::LeadFixtures qw(lead_conf);
#     our $HttpConfig = lead_conf();     # lead_store and lead_account blocks
#
# The store is made, with leadctl, when it is first asked for, and goes with
# the process.

package Test::LeadFixtures;

use strict;
use warnings;

use Exporter 'import';
use File::Temp ();
use JSON::PP ();

use Test::Lead::Process qw(find_program run_program read_file write_file);

our @EXPORT_OK = qw(lead_conf lead_store leadctl $Staff $OtherStaff);

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

my $Dir;


sub lead_store {
    return "$Dir/store" if $Dir;

    $Dir = File::Temp->newdir('lead-fixtures-XXXXXX', TMPDIR => 1);

    # a worker of another user has to get in
    chmod 0755, "$Dir";
    mkdir "$Dir/store" or die "cannot make $Dir/store: $!\n";

    for (@Keys) {
        my ($text, $account, @more) = @$_;
        my $scope = "@more" =~ /--s(?:cope|ource)/ ? []
            : ['--scope', 'leads:read,leads:write'];

        write_file("$Dir/key", "$text\n");
        my $out = leadctl('--json', qw(key add --account), $account, @$scope,
            @more, '--key-file', "$Dir/key");

        leadctl(qw(key disable), JSON::PP::decode_json($out)->{id})
            if $text =~ /_off/;
    }

    return "$Dir/store";
}


# what it printed

sub leadctl {
    my (@args) = @_;

    my $tool = find_program($ENV{LEADCTL} || 'build/leadctl')
        // die "no leadctl: set LEADCTL\n";
    my $store = lead_store();

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


1;
