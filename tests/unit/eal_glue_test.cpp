// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// Starting EAL, well and badly. Each try is a child process of its own, since EAL starts once.

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include "pmd_glue/eal.hpp"
#include "pmd_glue/pool.hpp"
#include "pmd_glue/port.hpp"
#include "pmd_glue/ring_wire.hpp"

namespace penstock::pmd_glue {
namespace {

EalOptions small() {
  EalOptions options;
  options.memory_kind = EalOptions::Memory::none;
  options.memory_mb = 64;
  options.file_prefix = "penstock-eal-test-" + std::to_string(::getpid());
  return options;
}

/// What `body` returned in a child process, and behind it what the child printed.
std::string in_child(const std::function<std::string()>& body) {
  std::array<int, 2> result{}, printed{};
  if (::pipe(result.data()) != 0 || ::pipe(printed.data()) != 0) return "no pipe";
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(printed[1], STDOUT_FILENO);
    ::dup2(printed[1], STDERR_FILENO);
    const std::string text = body();
    if (::write(result[1], text.data(), text.size()) < 0) ::_exit(1);
    std::fflush(nullptr);
    ::_exit(0);
  }
  ::close(result[1]);
  ::close(printed[1]);
  std::string all;
  for (const int fd : {result[0], printed[0]}) {
    std::array<char, 4096> buffer{};
    while (const ssize_t n = ::read(fd, buffer.data(), buffer.size())) {
      if (n < 0) break;
      all.append(buffer.data(), static_cast<size_t>(n));
    }
    ::close(fd);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (!WIFEXITED(status)) all += " [killed by signal " + std::to_string(WTERMSIG(status)) + "]";
  return all;
}

std::string start(const EalOptions& options) {
  auto eal = Eal::start(options);
  return eal ? "started" : eal.error().message;
}

uint32_t first_cpu() {
  cpu_set_t set;
  CPU_ZERO(&set);
  ::sched_getaffinity(0, sizeof set, &set);
  uint32_t cpu = 0;
  while (!CPU_ISSET(cpu, &set)) ++cpu;
  return cpu;
}

/// A port on rings, a packet through it by a worker, and the end in the right order.
std::string carry_a_packet(const EalOptions& options) {
  auto eal = Eal::start(options);
  if (!eal) return eal.error().message;
  auto pool = PacketPool::create("pool", 255, data_room_for_mtu(1500), -1);
  if (!pool) return pool.error().message;
  auto end = RingEnd::create("w", 1);
  if (!end) return end.error().message;
  PortSpec spec;
  spec.name = spec.device = "w";
  auto port = Port::open(spec, *pool);
  if (!port) return port.error().message;
  if (auto ok = port->start(); !ok) return ok.error().message;
  Packet packet = pool->allocate();
  packet.set_length(60);
  if (!end->send(packet)) return "not sent";
  const auto work = [](void* arg) -> int {
    Packet got;
    return static_cast<Port*>(arg)->receive(0, &got, 1) == 1
               ? static_cast<Port*>(arg)->transmit(0, &got, 1)
               : 0;
  };
  if (options.worker_cores.empty()) {
    if (work(&*port) != 1) return "not carried";
  } else {
    if (auto ok = Eal::launch(eal->worker_lcore(0), work, &*port); !ok) return ok.error().message;
    if (Eal::join(eal->worker_lcore(0)) != 1) return "not carried";
  }
  if (end->receive(&packet, 1) != 1) return "not come back";
  free_packet(packet);
  return pool->in_use() == 0 ? "carried" : "lost a buffer";
}

TEST(EalStart, PrintsNothing) {
  EXPECT_EQ(in_child([] { return start(small()); }), "started");
}

TEST(EalStart, OneCoreDoes) {
  EXPECT_EQ(in_child([] {
              const uint32_t cpu = first_cpu();
              cpu_set_t set;
              CPU_ZERO(&set);
              CPU_SET(cpu, &set);
              ::sched_setaffinity(0, sizeof set, &set);
              EalOptions options = small();
              options.main_core = cpu;
              options.worker_cores = {cpu};
              return carry_a_packet(options);
            }),
            "carried");
}

TEST(EalStart, SeveralWorkersMayShareACore) {
  EXPECT_EQ(in_child([] {
              EalOptions options = small();
              options.worker_cores = {first_cpu(), first_cpu(), first_cpu()};
              return carry_a_packet(options);
            }),
            "carried");
}

TEST(EalStart, NeedsNoPrivilegeAndNoRuntimeDirectory) {
  if (::geteuid() != 0) GTEST_SKIP() << "has none anyway, and is tested by the other tests";
  EXPECT_EQ(in_child([] {
              ::unsetenv("XDG_RUNTIME_DIR");
              ::unsetenv("HOME");
              if (::setgid(65534) != 0 || ::setuid(65534) != 0) return std::string("no setuid");
              EalOptions options = small();
              options.worker_cores = {first_cpu()};
              return carry_a_packet(options);
            }),
            "carried");
}

TEST(EalStart, LeavesNothingBehind) {
  const EalOptions options = small();
  EXPECT_EQ(in_child([&] { return carry_a_packet(options); }), "carried");
  std::error_code ignored;
  for (const char* root : {"/var/run/dpdk", "/run/dpdk", "/tmp", "/tmp/dpdk", "/dev/hugepages"})
    for (std::filesystem::directory_iterator it(root, ignored), end; !ignored && it != end;
         it.increment(ignored))
      EXPECT_EQ(it->path().string().find(options.file_prefix), std::string::npos) << it->path();
}

TEST(EalStart, MistakesReadAsOneLine) {
  struct Case {
    std::function<void(EalOptions&)> make;
    const char* says;
  };
  const Case cases[] = {
      {[](EalOptions& o) { o.main_core = 1000; }, "main core 1000 may not be used"},
      {[](EalOptions& o) { o.worker_cores = {4000}; }, "worker core 4000 may not be used"},
      {[](EalOptions& o) { o.worker_cores.assign(128, first_cpu()); }, "at most 127"},
      {[](EalOptions& o) { o.file_prefix = "a/b"; }, "file prefix"},
      {[](EalOptions& o) { o.log_file = "/nowhere/at/all.log"; }, "/nowhere/at/all.log"},
      {[](EalOptions& o) {
         o.memory_kind = EalOptions::Memory::hugepages;
         o.memory_mb = 4'000'000;
       },
       "hugepages"},
      {[](EalOptions& o) { o.pci_devices = {"not a device"}; }, "DPDK did not start: "},
  };
  for (const Case& c : cases) {
    EalOptions options = small();
    c.make(options);
    const std::string got = in_child([&] { return start(options); });
    EXPECT_NE(got.find(c.says), std::string::npos) << got;
    EXPECT_EQ(got.find('\n'), std::string::npos) << got;
  }
}

TEST(EalStart, AMistakeOfOursDoesNotSpoilTheNextTry) {
  EXPECT_EQ(in_child([] {
              EalOptions wrong = small();
              wrong.main_core = 1000;
              if (start(wrong) == "started") return std::string("the wrong one started");
              return start(small());
            }),
            "started");
}

TEST(EalStart, ChatterGoesToTheLog) {
  const std::string log =
      (std::filesystem::temp_directory_path() / ("penstock-log-" + std::to_string(::getpid())))
          .string();
  EXPECT_EQ(in_child([&] {
              EalOptions options = small();
              options.log_file = log;
              return start(options);
            }),
            "started");
  std::ifstream in(log);
  std::stringstream text;
  text << in.rdbuf();
  EXPECT_NE(text.str().find("EAL:"), std::string::npos) << text.str();
  std::filesystem::remove(log);
}

}  // namespace
}  // namespace penstock::pmd_glue
