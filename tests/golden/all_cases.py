# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors
"""Every case there is, those of one configuration together."""

import cases_ethernet
import cases_fragment
import cases_icmp
import cases_ip_udp
import cases_ipv4
import cases_ipv6
import cases_neighbor
import cases_route
import cases_sctp
import cases_translate
import cases_tunnel
import cases_udp
import cases_vlan
import cases_wire

CASES = [case for module in (cases_ethernet, cases_neighbor, cases_ipv4, cases_ipv6, cases_icmp,
                             cases_udp, cases_sctp, cases_tunnel, cases_vlan, cases_wire,
                             cases_route, cases_ip_udp, cases_translate, cases_fragment)
         for case in module.CASES]
CASES.sort(key=lambda case: (case.config.name, case.fresh))  # stable: else in the order written
