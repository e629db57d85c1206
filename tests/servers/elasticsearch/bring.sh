#!/usr/bin/env bash
# bring.sh DEST : unpack an Elasticsearch server into DEST, which must not exist. Needs mvn; 0.9 GB come once, and only
# the server's own 120 MB are kept: what a plain test server has no use for is left out.
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: $0 DEST" >&2; exit 2; }
HERE=$(cd "$(dirname "$0")" && pwd)
WORK=$(mktemp -d "$(dirname "$1")/bring-XXXXXX"); trap 'rm -rf "$WORK"' EXIT
cp "$HERE/pom.xml" "$WORK/"
# A repository of its own: the archive is not kept.
(cd "$WORK" && mvn -q -B -Dmaven.repo.local="$WORK/repository" validate)
HOME_OF_SERVER=$(echo "$WORK"/target/server/*/elasticsearch)
mkdir -p "$HOME_OF_SERVER/plugins"
for module in x-pack-inference x-pack-apm-data x-pack-otel-data x-pack-geoip-enterprise-downloader ingest-otel \
  x-pack-redact x-pack-kql streams rank-vectors; do
  rm -rf "$HOME_OF_SERVER/modules/$module"
done
chmod -R a+rX "$HOME_OF_SERVER"
mv "$HOME_OF_SERVER" "$1"
