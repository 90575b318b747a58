// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// One subject per *_bench.cpp; each registers its benchmarks, in the order of the table.

namespace penstock::perf {

void register_crc32c();
void register_classify();
void register_sctp_udp();
void register_ip_udp();
void register_lookup();
void register_neighbor();
void register_reassembly();
void register_io();
void register_handoff();
void register_kernel();
void register_stages();
void register_engine();
void register_spread();

}  // namespace penstock::perf
