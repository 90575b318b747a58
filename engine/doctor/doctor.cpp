// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/doctor/doctor.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "engine/config.hpp"
#include "engine/doctor/checks.hpp"
#include "engine/doctor/read.hpp"
#include "engine/doctor/report.hpp"

namespace penstock::engine {

namespace doctor {

Findings check_machine(const MachineFacts& machine, const Wanted* wanted) {
  Findings found;
  if (machine.running)
    found.push_back({Level::warn, "running", "",
                     fmt::format("a Penstock answers on {}", wanted->config.control.socket),
                     "memory and devices that it holds count as taken", ""});
  append(found, check_cpu(machine, wanted));
  append(found, check_cores(machine, wanted));
  append(found, check_memory(machine, wanted));
  append(found, check_vfio(machine, wanted));
  if (wanted == nullptr) return found;
  append(found, check_devices(machine, *wanted));
  append(found, check_interfaces(machine, *wanted));
  append(found, check_offloads(machine, *wanted));
  return found;
}

}  // namespace doctor

namespace {

constexpr int kFailed = 1;
constexpr int kNoConfiguration = 2;

int refuse(const ConfigErrors& errors, bool json) {
  const std::string text = fmt::format("{}", fmt::join(errors.lines, "\n"));
  if (json)
    fmt::print("{}\n", nlohmann::json{{"error", text}}.dump(
                           -1, ' ', false, nlohmann::json::error_handler_t::replace));
  else
    fmt::print(stderr, "{}\n", text);
  return kNoConfiguration;
}

}  // namespace

int run_doctor(const DoctorOptions& options) {
  std::optional<Config> config;
  if (!options.config_file.empty()) {
    auto loaded = load_config(options.config_file);
    if (const auto* errors = std::get_if<ConfigErrors>(&loaded))
      return refuse(*errors, options.json);
    config = std::get<Config>(std::move(loaded));
  }
  const doctor::MachineFacts machine =
      doctor::read_machine(doctor::ask_kernel(), config ? &*config : nullptr);
  std::optional<doctor::Wanted> wanted;
  if (config) wanted = doctor::make_wanted(*config, machine);
  const doctor::Findings found = doctor::check_machine(machine, wanted ? &*wanted : nullptr);
  fmt::print("{}",
             options.json ? doctor::to_json(found, options.config_file) : doctor::to_text(found));
  return doctor::worst(found) == doctor::Level::fail ? kFailed : 0;
}

}  // namespace penstock::engine
