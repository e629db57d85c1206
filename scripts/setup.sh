#!/usr/bin/env bash
# Sets up everything: .venv with the locked packages, and the system packages that the tests need.
# Needs Python 3.11+ with venv. Under CI=true nothing may be left out; elsewhere what is missing is said.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
ci=${CI:-false}

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  echo "setup: needs Python 3.11 or newer; '$python' is $("$python" --version 2>&1 || echo missing). Set PYTHON=…" >&2
  exit 1
fi

if [ ! -x .venv/bin/python ]; then
  "$python" -m venv .venv
fi
uv=$(command -v uv || true)
if [ -z "$uv" ]; then
  [ -x .venv/bin/uv ] || .venv/bin/python -m pip install --quiet --disable-pip-version-check "uv>=0.9,<1"
  uv=.venv/bin/uv
fi
# The system's certificates, as pip uses them: a network with a certificate authority of its own needs that.
export UV_SYSTEM_CERTS=${UV_SYSTEM_CERTS:-true} UV_NATIVE_TLS=${UV_NATIVE_TLS:-true}
# --inexact keeps uv itself when it lives in the same environment.
UV_PROJECT_ENVIRONMENT=.venv "$uv" sync --frozen --inexact --quiet --python .venv/bin/python

# System packages, only for the tests: a browser, with fonts for the scripts that the tests write; Java and Maven, which
# bring the real servers.
missing=()
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || missing+=(chromium fonts-noto-core)
command -v java >/dev/null || missing+=(openjdk-17-jre-headless)
command -v mvn >/dev/null || missing+=(maven)
if [ ${#missing[@]} -gt 0 ]; then
  if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
    echo "setup: installing ${missing[*]} (for the tests)"
    export DEBIAN_FRONTEND=noninteractive
    if ! { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null; }; then
      echo "setup: could not install ${missing[*]}" >&2
      [ "$ci" = true ] && exit 1
      echo "setup: left out: the tests that need them" >&2
    fi
  else
    echo "setup: missing ${missing[*]}; install with: sudo apt-get install ${missing[*]}" >&2
    [ "$ci" = true ] && exit 1
    echo "setup: left out: the tests that need them" >&2
  fi
fi
touch .venv/.ready
