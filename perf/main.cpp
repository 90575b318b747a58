// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// Runs every benchmark, prints one table, and writes all that was measured to bench.json in the
// build directory. Takes Google Benchmark's own options, such as --benchmark_filter=crc32c.

#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdio>
#include <string>
#include <vector>

#include "perf/core_clock.hpp"
#include "perf/environment.hpp"
#include "perf/subjects.hpp"
#include "perf/table.hpp"

namespace {

/// <build>/bench.json, this program being <build>/perf/penstock_bench.
std::string result_file() {
  std::array<char, PATH_MAX> path{};
  const ssize_t n = ::readlink("/proc/self/exe", path.data(), path.size() - 1);
  std::string file(path.data(), n > 0 ? static_cast<size_t>(n) : 0);
  for (int i = 0; i < 2; ++i) file.resize(std::min(file.size(), file.rfind('/')));
  return file + "/bench.json";
}

}  // namespace

int main(int argc, char** argv) {
  using namespace penstock::perf;
  // Repetitions of one case lie apart in time, so that no case has all the bad moments. What comes
  // last wins: the caller's options go behind these.
  std::vector<std::string> arguments = {
      argv[0], "--benchmark_repetitions=3", "--benchmark_enable_random_interleaving=true",
      "--benchmark_out_format=json", "--benchmark_out=" + result_file()};
  arguments.insert(arguments.end(), argv + 1, argv + argc);
  std::vector<char*> pointers;
  for (std::string& a : arguments) pointers.push_back(a.data());
  int count = static_cast<int>(pointers.size());
  pointers.push_back(nullptr);
  benchmark::Initialize(&count, pointers.data());
  if (benchmark::ReportUnrecognizedArguments(count, pointers.data())) return 2;

  register_crc32c();
  register_classify();
  register_sctp_udp();
  register_ip_udp();
  register_lookup();
  register_neighbor();
  register_reassembly();
  register_io();
  register_handoff();
  register_kernel();
  register_stages();
  register_engine();
  register_spread();

  const double clock = core_cycles_per_tick();
  benchmark::AddCustomContext("core_cycles_per_tsc_tick", std::to_string(clock));
  std::printf("the core runs %.2f cycles a tick of its time stamp counter\n", clock);
  Table table;
  const size_t ran = benchmark::RunSpecifiedBenchmarks(&table);
  stop_environment();
  if (ran == 0) std::fprintf(stderr, "no benchmark matches\n");
  return ran == 0 || table.failed() ? 1 : 0;
}
