#!/usr/bin/perl
# Stands in for one of NGINX Instance Manager's services: once a second appends a line to a file that it holds open
# on /var/lib/nms and forces it to the disk. Two nodes that do so at the same time damage each other's data, as the
# real ones would; this one notices, and says so in the journal (priority err) and in the file "conflicts" beside. Each
# line that is on the share for good is noted on the node's own disk, too: one that is missing there later is lost. What
# a stand-alone node writes is not noted: the data of one of the two stays where it is when they become a pair.
#
#   usage: stand-in.pl SERVICE [once]
#   line:  SEQ HOST BOOT_ID STARTED MONOTONIC_SECONDS, SEQ going on over restarts and takeovers; STARTED, in seconds of
#          the same clock, tells one run of the service from the next
#
# Perl, for every Debian has it, and a shell would need a program for each write that it forces to the disk: four of them
# kept a third of an emulated machine busy.
use strict;
use warnings;
use Errno;
use IO::Handle;
use POSIX ();

my ($service, $once) = @ARGV;
die "usage: stand-in.pl SERVICE [once]\n" unless defined $service && (!defined $once || $once eq 'once');
my $base = $ENV{NMS_STATE_DIR} // '/var/lib/nms';
my $notes = ($ENV{NMS_LOG_DIR} // '/var/log/nms') . "/$service";
my $beat = $ENV{NMS_BEAT_SECONDS} // 1;
my $host = (POSIX::uname())[1];
my $boot_id = first_line('/proc/sys/kernel/random/boot_id');
my $started = uptime();
my $data;
# So that what a crash or another writer has torn is recognised.
my $format = qr/^(\d+) [^ ]+ [0-9a-f-]{36} \d+\.\d+ \d+\.\d+$/;

sub first_line {
  my ($file) = @_;
  open(my $in, '<', $file) or die "$file: $!\n";
  chomp(my $line = <$in>);
  return $line;
}

sub uptime {
  return (split / /, first_line('/proc/uptime'))[0];
}

# Opening the file anew asks the server what it has.
sub last_line {
  open(my $in, '<', 'data') or die "data: $!\n";
  seek($in, -4096, 2);
  local $/;
  my $text = <$in>;
  die "data: $!\n" unless defined $text;
  return $text =~ /([^\n]*)\n?\z/ ? $1 : '';
}

# What was taken only in part is tried again, and so it is told why.
sub write_all {
  my ($rest) = @_;
  while (length $rest) {
    my $taken = syswrite($data, $rest) // return;
    substr($rest, 0, $taken, '');
  }
  return 1;
}

sub append {
  my ($file, $line) = @_;
  open(my $out, '>>', $file) or return;
  print $out "$line\n";
}

sub complain {
  my ($what) = @_;
  print "<3>conflict in $service: $what\n";
  append('conflicts', time . " $host $what");
}

STDOUT->autoflush(1);
mkdir "$base/$service";
chdir "$base/$service" or die "$base/$service: $!\n";
open($data, '>>', 'data') or die "data: $!\n";
chomp(my $type = qx(stat -f -c %T .));
my $on_share = $type eq ($ENV{NMS_SHARE_TYPE} // 'nfs');

my $seq = 0;
my $last = last_line();
if ($last =~ $format) {
  $seq = $1;
} elsif ($last ne '') {
  complain("the last line is damaged: '$last'");
}
print "<5>$service starts after line $seq\n";

for (my $count = 0; ; $count++) {
  my $line = join ' ', ++$seq, $host, $boot_id, $started, uptime();
  my $size = -s $data;
  unless (write_all("$line\n") && $data->sync) {
    my $why = "data: cannot be written: $!\n";
    # A full share takes the beginning of a line: it was not written, and is no other writer's doing. After any other
    # error the file may be another node's by now, and nothing here touches it.
    if ($!{ENOSPC} || $!{EDQUOT} || $!{EFBIG}) {
      # First what an NFS client still has of it: written after the cut, it would come back as zeros, as it did 36 times of 40.
      $data->sync;
      truncate($data, $size);
    }
    die $why;
  }
  # A full disk of the node's own is no trouble of the service's.
  append($notes, $line) if $on_share;
  if ($count % 3 == 0) {
    $last = last_line();
    if ($last ne $line) {
      complain("wrote '$line', but the file ends with '$last'");
      $seq = $1 if $last =~ $format && $1 > $seq;
    }
  }
  last if $once;
  select(undef, undef, undef, $beat);
}
