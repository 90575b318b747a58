// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
// The program: what was asked for, and its exit status.
//
//   0  done    1  it ran and failed, or a check did    2  it could not start: the reason is on
//   stderr

#include <CLI/CLI.hpp>
#include <cstdio>

#include "engine/demo/demo.hpp"
#include "engine/doctor/doctor.hpp"
#include "engine/run.hpp"

int main(int argc, char** argv) {
  using namespace penstock::engine;

  CLI::App app{"Carries SCTP across networks that let only UDP through."};
  app.set_version_flag("--version", "penstock " PENSTOCK_VERSION);
  app.require_subcommand(1);

  RunOptions run;
  CLI::App* run_command = app.add_subcommand("run", "forward packets as a configuration says");
  run_command->add_option("-c,--config,file", run.config_file, "configuration file")
      ->capture_default_str();
  run_command->add_option("--log", run.log_file,
                          "file for DPDK's own messages (default: dpdk.log beside the socket)");

  std::string check_file = run.config_file;
  CLI::App* check_command = app.add_subcommand("check", "find every mistake in a configuration");
  check_command->add_option("file", check_file, "configuration file")->capture_default_str();

  DoctorOptions doctor;
  CLI::App* doctor_command =
      app.add_subcommand("doctor", "is this machine fit to run it, and what mends it?");
  doctor_command->add_option("file", doctor.config_file,
                             "configuration file; without one only what holds for any");
  doctor_command->add_flag("-j,--json", doctor.json, "print one JSON object");

  DemoOptions demo;
  CLI::App* demo_command = app.add_subcommand(
      "demo", "two gateways and real SCTP endpoints in this process, joined by rings");
  demo_command->add_flag("--json", demo.json, "print one JSON object");
  demo_command->add_option("--messages", demo.messages, "messages on each leg")
      ->capture_default_str()
      ->check(CLI::Range(1, 10'000'000));
  demo_command->add_option("--capture", demo.capture_file, "capture of the tunnel side (pcapng)")
      ->capture_default_str();

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  if (run_command->parsed()) return run_engine(run);
  if (check_command->parsed()) return check_config(check_file);
  if (doctor_command->parsed()) return run_doctor(doctor);
  return run_demo(demo);
}
