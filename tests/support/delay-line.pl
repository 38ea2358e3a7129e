#!/usr/bin/perl
# A line between two network interfaces, which it makes: delay-line.pl INTERFACE INTERFACE MILLISECONDS LOST_PERCENT
# What goes in at one end comes out at the other so much later, in both directions, or is lost. It is for kernels that
# have no netem. "ready" says that the interfaces are there; they go when this process ends.
use strict;
use warnings;
use Time::HiRes qw(clock_gettime CLOCK_MONOTONIC);

my ($left_name, $right_name, $milliseconds, $lost_percent) = @ARGV;

# Of linux/if_tun.h.
use constant { TUNSETIFF => 0x400454ca, IFF_TAP => 0x0002, IFF_NO_PI => 0x1000 };
use constant LARGEST_FRAME => 65_536;

sub end_named {
    my ($name) = @_;
    open(my $end, '+<', '/dev/net/tun') or die "/dev/net/tun: $!\n";
    ioctl($end, TUNSETIFF, pack('Z16 s x14', $name, IFF_TAP | IFF_NO_PI)) or die "$name: $!\n";
    return $end;
}

my ($left, $right) = (end_named($left_name), end_named($right_name));
# Frames under way, by the end that they go to: each as the moment at which it arrives, and its bytes.
my @ways = ({ from => $left, to => $right, frames => [] }, { from => $right, to => $left, frames => [] });
$| = 1;
print "ready\n";

while (1) {
    my ($first) = sort { $a <=> $b } map { @{ $_->{frames} } ? $_->{frames}[0][0] : () } @ways;
    my $pause = defined $first ? $first - clock_gettime(CLOCK_MONOTONIC) : undef;
    my $readable = '';
    vec($readable, fileno($_->{from}), 1) = 1 for @ways;
    select($readable, undef, undef, defined $pause && $pause < 0 ? 0 : $pause);
    my $now = clock_gettime(CLOCK_MONOTONIC);
    for my $way (@ways) {
        if (vec($readable, fileno($way->{from}), 1) && sysread($way->{from}, my $frame, LARGEST_FRAME)) {
            push @{ $way->{frames} }, [$now + $milliseconds / 1000, $frame] if rand(100) >= $lost_percent;
        }
        # An interface that is not up yet takes nothing: what goes there is lost, as on any line.
        syswrite($way->{to}, shift(@{ $way->{frames} })->[1]) while @{ $way->{frames} } && $way->{frames}[0][0] <= $now;
    }
}
