// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// A configuration as named fields of text, in which two of them are compared. One place says what
// each field is called, how it is shown and whether it can change while the engine runs.

#include <string>
#include <vector>

#include "engine/config.hpp"

namespace penstock::engine {

struct Field {
  std::string key;
  std::vector<std::string> values;
  std::string when_empty;  ///< what no value means: "any", "auto"
  bool hot = true;
  bool ordered = false;  ///< the order of the values means something
};

/// One table of the file.
struct Object {
  std::string path;  ///< "engine", "tunnel.gw-b"
  std::vector<Field> fields;
};

/// All tables of one kind. `hot`: one may come, go or (if `ordered`) move while the engine runs.
struct Group {
  std::vector<Object> objects;
  bool hot = true;
  bool ordered = false;
};

/// Groups always come in the same order.
std::vector<Group> describe(const Config& config);

}  // namespace penstock::engine
