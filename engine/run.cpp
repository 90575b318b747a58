// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/run.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <thread>

#include "engine/control/commands.hpp"
#include "engine/control/server.hpp"
#include "engine/engine.hpp"
#include "engine/signals.hpp"
#include "engine/telemetry/summary.hpp"
#include "engine/worker_cores.hpp"
#include "pmd_glue/bond_args.hpp"
#include "pmd_glue/clock.hpp"
#include "pmd_glue/cpu_topology.hpp"
#include "pmd_glue/eal.hpp"

namespace penstock::engine {
namespace {

using flows::Error;
using flows::Result;

constexpr int kCannotStart = 2;
constexpr int kStuck = 1;
constexpr int kTendMs = 100;
constexpr auto kStopPatience = std::chrono::milliseconds(500);

// A reader that went away, or a terminal that hung up, is no reason to stop forwarding: what cannot
// be written is lost.
void write_all(int fd, const std::string& text) {
  for (size_t at = 0; at < text.size();) {
    const ssize_t n = write(fd, text.data() + at, text.size() - at);
    if (n <= 0) return;
    at += static_cast<size_t>(n);
  }
}

void say_plain(const std::string& line) {
  write_all(STDERR_FILENO, line + "\n");
}
void say(const std::string& line) {
  say_plain("penstock: " + line);
}

std::optional<Config> load_or_say(const std::string& file) {
  auto loaded = load_config(file);
  if (const auto* errors = std::get_if<ConfigErrors>(&loaded)) {
    for (const std::string& line : errors->lines) say_plain(line);
    return std::nullopt;
  }
  auto config = std::get<Config>(std::move(loaded));
  for (const std::string& line : config.warnings) say_plain(line);
  return config;
}

// Two instances on one machine differ by their sockets; so do their DPDK runtime files.
std::string file_prefix(const std::string& socket) {
  if (socket == ControlConfig{}.socket) return "penstock";
  std::string prefix = "penstock";
  for (const char c : socket) prefix += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return prefix;
}

pmd_glue::EalOptions eal_options(const Config& config, const std::vector<uint32_t>& cores,
                                 const RunOptions& run) {
  pmd_glue::EalOptions options;
  options.main_core = config.engine.main_core;
  options.worker_cores = cores;
  using Memory = pmd_glue::EalOptions::Memory;
  switch (config.engine.hugepages) {
    case Hugepages::automatic:
      options.memory_kind = Memory::automatic;
      break;
    case Hugepages::require:
      options.memory_kind = Memory::hugepages;
      break;
    case Hugepages::none:
      options.memory_kind = Memory::none;
      break;
  }
  options.memory_mb = config.engine.memory_mb;
  options.file_prefix = file_prefix(config.control.socket);
  for (const PortConfig& p : config.ports)
    for (std::string& device : pmd_glue::pci_devices_of(p.device))
      options.pci_devices.push_back(std::move(device));
  options.log_file =
      run.log_file.empty()
          ? (std::filesystem::path(config.control.socket).parent_path() / "dpdk.log").string()
          : run.log_file;
  return options;
}

/// The worker cores while they run; joined when this goes.
class WorkerCores {
 public:
  struct Task {
    Engine* engine;
    size_t index;
    const std::atomic<bool>* stop;
  };

  static int body(void* argument) {
    const Task* task = static_cast<const Task*>(argument);
    task->engine->run_worker(task->index, *task->stop);
    return 0;
  }

  Result<void> launch(Engine& engine, const pmd_glue::Eal& eal) {
    tasks_.reserve(engine.workers());
    for (size_t i = 0; i < engine.workers(); ++i) {
      tasks_.push_back({&engine, i, &stop_});
      const uint32_t lcore = eal.worker_lcore(i);
      if (auto r = pmd_glue::Eal::launch(lcore, body, &tasks_.back()); !r) return r;
      lcores_.push_back(lcore);
    }
    // From here on counters are asked for, not read: every worker has to be there.
    for (size_t i = 0; i < engine.workers(); ++i)
      while (!engine.runs_worker(i)) std::this_thread::sleep_for(std::chrono::microseconds(50));
    return {};
  }
  /// False when a worker did not come back in time: it is stuck, and nothing of it may be freed.
  bool stop() {
    stop_.store(true, std::memory_order_relaxed);
    const auto until = std::chrono::steady_clock::now() + kStopPatience;
    for (const Task& task : tasks_)
      while (task.engine->runs_worker(task.index)) {
        if (std::chrono::steady_clock::now() > until) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    for (const uint32_t lcore : lcores_) pmd_glue::Eal::join(lcore);
    lcores_.clear();
    return true;
  }
  ~WorkerCores() { stop(); }

 private:
  std::atomic<bool> stop_{false};
  std::vector<Task> tasks_;
  std::vector<uint32_t> lcores_;
};

Result<std::vector<std::string>> reload(Engine& engine, const std::string& file) {
  auto loaded = load_config(file);
  if (const auto* errors = std::get_if<ConfigErrors>(&loaded))
    return Error{fmt::format("nothing changed:\n{}", fmt::join(errors->lines, "\n"))};
  const Config& config = std::get<Config>(loaded);
  Result<std::vector<std::string>> done = engine.reload(config);
  if (done) done->insert(done->end(), config.warnings.begin(), config.warnings.end());
  return done;
}

void say_reload(const Result<std::vector<std::string>>& result) {
  if (!result) return say("reload: " + result.error().message);
  for (const std::string& line : *result) say("reload: " + line);
}

void control_loop(Engine& engine, ControlServer& server, const Signals& signals,
                  const std::string& file) {
  for (;;) {
    std::array<pollfd, 2> fds{{{signals.fd(), POLLIN, 0}, {server.fd(), POLLIN, 0}}};
    poll(fds.data(), fds.size(), kTendMs);
    server.serve(0);
    engine.tend(pmd_glue::now_ns());
    while (const int signal = signals.next()) {
      if (signal != SIGHUP) return;
      say_reload(reload(engine, file));
    }
  }
}

int end_early() {
  say("told to end before it started; no packet was handled");
  write_all(STDOUT_FILENO, summary(Report{}));
  return 0;
}

int fail(const Error& error) {
  say(error.message);
  return kCannotStart;
}

/// What spread = "software" comes to.
std::string about_spread(const Config& config) {
  const EngineConfig& e = config.engine;
  const size_t workers = e.worker_cores.empty() ? e.worker_count : e.worker_cores.size();
  if (workers == 1) return "spread = \"software\": one worker has nobody to share with";
  std::vector<std::string> ports;
  for (const PortConfig& p : config.ports) ports.push_back(p.name);
  return fmt::format("spread = \"software\": workers share out what comes by {}",
                     fmt::join(ports, ", "));
}

}  // namespace

int run_engine(const RunOptions& options) {
  const auto begin = std::chrono::steady_clock::now();
  const Signals signals;
  const std::optional<Config> config = load_or_say(options.config_file);
  if (!config) return kCannotStart;
  const auto topology = pmd_glue::read_cpu_topology();
  if (!topology) return fail(topology.error());
  std::vector<int> numas;
  for (const PortConfig& p : config->ports)
    for (const std::string& device : pmd_glue::pci_devices_of(p.device))
      numas.push_back(pmd_glue::numa_node_of_pci(device));
  const auto cores = choose_cores(*config, *topology, numas);
  if (!cores) return fail(cores.error());
  if (crowds_control_thread(*config, *topology, *cores))
    say("workers poll every core, the control thread's too: it will be slow; "
        "use one worker fewer, or idle = \"adaptive\"");

  // In the order in which they are to go: EAL last, and the engine before it. The socket is opened
  // first, so that a second instance never touches the first one's ports.
  std::optional<pmd_glue::Eal> eal;
  std::unique_ptr<Engine> engine;
  ControlTarget target;
  target.report = [&] { return engine->report(pmd_glue::now_ns()); };
  target.clear_counters = [&] {
    engine->clear_counters();
    say("counters cleared");
  };
  target.reload = [&] {
    auto result = reload(*engine, options.config_file);
    say_reload(result);
    return result;
  };
  target.start_ping = [&](const PingRequest& r) {
    return engine->start_ping(r, pmd_glue::now_ns());
  };
  target.look_at_ping = [&](uint64_t id) { return engine->look_at_ping(id, pmd_glue::now_ns()); };
  target.stop_ping = [&](uint64_t id) { return engine->stop_ping(id, pmd_glue::now_ns()); };
  auto server = ControlServer::open(config->control.socket, engine_commands(target));
  if (!server) return fail(server.error());

  auto started = pmd_glue::Eal::start(eal_options(*config, *cores, options));
  if (!started) return fail(started.error());
  eal = std::move(*started);
  // A start takes a while; nobody should have to wait for its end to end it.
  if (signals.asked_to_end()) return end_early();
  EngineOptions engine_options;
  engine_options.workers = cores->size();
  engine_options.worker_cpus = *cores;
  engine_options.now_ns = pmd_glue::now_ns();
  engine_options.log = say;
  auto created = Engine::create(*config, engine_options);
  if (!created) {
    say_plain(created.error().message);
    return kCannotStart;
  }
  engine = std::move(*created);

  WorkerCores workers;
  if (auto r = workers.launch(*engine, *eal); !r) return fail(r.error());
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
  say(fmt::format("{} port{}, {} worker{} on cpu {}, {}; control socket {}; ready in {:.0f} ms",
                  config->ports.size(), config->ports.size() == 1 ? "" : "s", cores->size(),
                  cores->size() == 1 ? "" : "s", fmt::join(*cores, ","),
                  eal->uses_hugepages() ? "hugepages" : "no hugepages", config->control.socket,
                  took.count()));
  control_loop(*engine, *server, signals, options.config_file);
  const bool stopped = workers.stop();
  write_all(STDOUT_FILENO, summary(engine->report(pmd_glue::now_ns())));
  if (!stopped) {
    say("a worker does not end; leaving it to the system");
    unlink(config->control.socket.c_str());
    _exit(kStuck);
  }
  return 0;
}

int check_config(const std::string& file) {
  const std::optional<Config> config = load_or_say(file);
  if (!config) return kCannotStart;
  write_all(STDOUT_FILENO, fmt::format("{}: good: {} ports, {} tunnels, {} rules, {} routes\n",
                                       file, config->ports.size(), config->tunnels.size(),
                                       config->rules.size(), config->routes.size()));
  if (config->engine.spread == SpreadBy::software)
    write_all(STDOUT_FILENO, fmt::format("{}: {}\n", file, about_spread(*config)));
  return 0;
}

}  // namespace penstock::engine
