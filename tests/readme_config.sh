#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Copyright (c) 2026 The Penstock authors

# The configuration in README.md is one that can be copied.   tests/readme_config.sh PENSTOCK

set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)
folder=$(mktemp -d -t penstock-readme-XXXXXX)
trap 'rm -rf "$folder"' EXIT
sed -n '/^```toml$/,/^```$/{/^```/!p}' "$root/README.md" >"$folder/penstock.toml"
[[ -s $folder/penstock.toml ]] || { echo "README.md has no \`\`\`toml block"; exit 1; }
"$1" check "$folder/penstock.toml"
