#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
#
# The init of a User Mode Linux guest (uml.py starts it, with pst_share in its environment):
# loads SCTP, runs the set-up that the host wrote, then obeys lines from the serial console:
#   run ID    runs ID.sh of the share in a group of its own; answers "done ID STATUS"
#   stop ID   ends that group (the script wrote its id to ID.pid)
#   halt      switches the guest off
# The root is the host's, read only; scratch is /run, and /run/share the host sees.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sysfs /sys
/bin/busybox mount -t tmpfs tmpfs /run
/bin/busybox mkdir /run/share
/bin/busybox mount -t hostfs -o "$pst_share" none /run/share

serial=/dev/ttyS0
/bin/busybox stty -F $serial raw -echo

for module in lib/crc-ccitt net/ipv6/ipv6 net/ipv4/udp_tunnel net/ipv6/ip6_udp_tunnel \
              net/sctp/sctp; do
  /bin/busybox insmod /usr/lib/uml/modules/*/kernel/$module.ko || echo "no module $module"
done

job() {
  cd /run/share
  /bin/busybox setsid /bin/sh -e "$1.sh" >"$1.out" 2>"$1.err" </dev/null
  echo "done $1 $?" >$serial
}

if sh -e /run/share/setup.sh; then echo ready; else echo failed; fi >$serial
while read -r verb id; do
  case $verb in
    run) job "$id" & ;;
    stop) kill -TERM -- "-$(cat "/run/share/$id.pid")" ;;
    halt) exec /bin/busybox poweroff -f ;;
  esac
done <$serial
