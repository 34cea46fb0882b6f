#!/usr/bin/env bash
# See that the browser tests will find a Chromium; install one where that is possible.
set -euo pipefail
cd "$(dirname "$0")/../.."

if [ -n "${SKIP_BROWSER:-}" ]; then
    echo "SKIP_BROWSER is set: the browser tests will be skipped."
    exit 0
fi
found() { .venv/bin/python tests/site/browser.py; }
if found >/dev/null 2>&1; then exit 0; fi

echo "Installing a headless Chromium for the browser tests"
if [ "$(id -u)" = 0 ] && [ -e /etc/debian_version ] && ! grep -qs '^ID=ubuntu' /etc/os-release; then
    { apt-get update -qq && apt-get install -y -qq chromium >/dev/null; } || true
else
    .venv/bin/python -m playwright install chromium || true
fi
found
