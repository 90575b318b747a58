// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// What the benchmarks found, as one table for people. Of the repetitions of a case, which lie
// minutes apart on a machine that others use too, the fastest is shown.

#include <benchmark/benchmark.h>

#include <map>
#include <string>
#include <vector>

namespace penstock::perf {

class Table : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override;
  void Finalize() override;

  bool failed() const { return failed_; }

 private:
  struct Row {
    int64_t place;  ///< in the order of registration; runs come in any
    std::string name;
    std::map<std::string, double> values;
    std::string error;
  };

  Row& row(int64_t place, const std::string& name);
  void print_group(const std::string& group) const;

  std::vector<Row> rows_;
  bool failed_ = false;
};

}  // namespace penstock::perf
