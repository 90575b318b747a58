// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "cli/render.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace penstock::cli {
namespace {

const Json kNothing;

const Json& at(const Json& object, std::string_view key) {
  if (!object.is_object()) return kNothing;
  const auto it = object.find(std::string(key));
  return it == object.end() ? kNothing : *it;
}

std::string string_at(const Json& object, std::string_view key) {
  const Json& value = at(object, key);
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::string json_text(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// Characters, which is columns for all that we print.
size_t width(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

std::string grouped(std::string digits) {
  const size_t first = !digits.empty() && digits[0] == '-' ? 1 : 0;
  for (size_t i = digits.size(); i > first + 3; i -= 3) digits.insert(i - 3, 1, ' ');
  return digits;
}

std::string age(double ms) {
  if (ms < 0) return "-";
  if (ms >= 9e18) return "?";
  const auto s = static_cast<uint64_t>(ms / 1000);
  if (s < 60) return fmt::format("{}s", s);
  if (s < 3600) return fmt::format("{}m {}s", s / 60, s % 60);
  if (s < 86400) return fmt::format("{}h {}m", s / 3600, s / 60 % 60);
  return fmt::format("{}d {}h", s / 86400, s / 3600 % 24);
}

std::string rate(double v) {
  if (v == 0) return "0";
  if (v < 10 && v != std::floor(v)) return fmt::format("{:.1f}/s", v);
  return grouped(fmt::format("{:.0f}", v)) + "/s";
}

std::string speed(double mbps) {
  return mbps >= 1000 ? fmt::format("{:g}G", mbps / 1000) : fmt::format("{:g}M", mbps);
}

std::string text(const Json& value) {
  if (value.is_string()) return clean(value.get_ref<const std::string&>());
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (!value.is_array()) return clean(json_text(value));
  std::string joined;
  for (const Json& item : value) {
    if (!joined.empty()) joined += ", ";
    joined += item.is_string() ? clean(item.get_ref<const std::string&>()) : clean(json_text(item));
  }
  return joined;
}

struct Column {
  std::vector<std::string> keys;
  std::string title, format, none;
  bool right = false;
};

std::vector<Column> columns_of(const Json& view) {
  std::vector<Column> columns;
  const Json& list = at(view, "columns");
  if (!list.is_array()) return columns;
  for (const Json& item : list) {
    Column column{.keys = {},
                  .title = clean(string_at(item, "title")),
                  .format = string_at(item, "format"),
                  .none = clean(string_at(item, "none")),
                  .right = string_at(item, "align") == "right"};
    if (at(item, "keys").is_array())
      for (const Json& key : at(item, "keys"))
        if (key.is_string()) column.keys.push_back(key.get<std::string>());
    columns.push_back(std::move(column));
  }
  return columns;
}

std::string field(const Json& row, const Column& column) {
  std::string joined;
  for (const std::string& key : column.keys) {
    const std::string part = cell(at(row, key), column.format);
    if (part.empty()) continue;
    if (!joined.empty()) joined += ' ';
    joined += part;
  }
  return joined.empty() ? column.none : joined;
}

void append_padded(std::string& line, const std::string& value, size_t columns, bool right) {
  const std::string padding(columns - std::min(columns, width(value)), ' ');
  line += right ? padding + value : value + padding;
}

std::string end_of_line(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line + '\n';
}

std::string table(const std::vector<const Json*>& rows, const std::vector<Column>& columns) {
  std::vector<std::vector<std::string>> cells(1);
  for (const Column& column : columns) cells[0].push_back(column.title);
  for (const Json* row : rows) {
    cells.emplace_back();
    for (const Column& column : columns) cells.back().push_back(field(*row, column));
  }
  std::vector<size_t> widths(columns.size());
  for (const auto& line : cells)
    for (size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], width(line[i]));
  std::string out;
  for (const auto& fields : cells) {
    std::string line;
    for (size_t i = 0; i < fields.size(); ++i) {
      if (i != 0) line += "  ";
      append_padded(line, fields[i], widths[i], columns[i].right);
    }
    out += end_of_line(std::move(line));
  }
  return out;
}

std::string records(const std::vector<const Json*>& rows, const std::vector<Column>& columns) {
  size_t title_width = 0;
  for (const Column& column : columns) title_width = std::max(title_width, width(column.title));
  std::string out;
  for (const Json* row : rows) {
    if (!out.empty()) out += '\n';
    for (const Column& column : columns) {
      std::string line;
      append_padded(line, column.title, title_width, false);
      out += end_of_line(line + "  " + field(*row, column));
    }
  }
  return out;
}

}  // namespace

std::string clean(std::string_view text, bool keep_lines) {
  std::string out(text);
  for (size_t i = 0; i < out.size(); ++i) {
    const auto c = static_cast<unsigned char>(out[i]);
    if ((c < 0x20 || c == 0x7f) && !(keep_lines && c == '\n')) out[i] = '?';
    // U+0080 to U+009F: terminals take them for escape sequences too.
    if (c == 0xc2 && i + 1 < out.size() && static_cast<unsigned char>(out[i + 1]) < 0xa0)
      out.replace(i, 2, "?");
  }
  return out;
}

std::string cell(const Json& value, std::string_view format) {
  if (value.is_null()) return {};
  if (!value.is_number() || format == "text") return text(value);
  const auto number = value.get<double>();
  if (format == "count") return grouped(json_text(value));
  if (format == "rate") return rate(number);
  if (format == "share") return fmt::format("{:.0f}%", number * 100);
  if (format == "age") return age(number);
  if (format == "speed") return speed(number);
  if (format == "decimal") return fmt::format("{:.1f}", number);
  return text(value);
}

std::string render(const Json& data, const Json& view) {
  const std::string kind = string_at(view, "kind");
  const std::string key = string_at(view, "rows");
  const Json& found = key.empty() ? data : at(data, key);
  std::vector<const Json*> rows;
  if (found.is_array())
    for (const Json& row : found) rows.push_back(&row);
  else if (found.is_object())
    rows.push_back(&found);

  if (kind != "table" && kind != "records" && kind != "lines")
    return data.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
  if (rows.empty()) return clean(string_at(view, "empty")) + '\n';
  if (kind == "table") return table(rows, columns_of(view));
  if (kind == "records") return records(rows, columns_of(view));
  std::string out;
  for (const Json* row : rows) out += text(*row) + '\n';
  return out;
}

}  // namespace penstock::cli
