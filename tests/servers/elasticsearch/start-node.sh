#!/usr/bin/env bash
# start-node.sh PORT TRANSPORT_PORT FOLDER : one single-node Elasticsearch on 127.0.0.1, in the foreground.
#   ES_HOME    unpacked server (required)
#   ES_HEAP    heap (default 512m)
#   ES_USER    account to run as when called by root (default nobody): the server refuses root
#   ES_SECURE  1: logins are asked for; FOLDER/config/users and users_roles hold them
# FOLDER gets config/ data/ logs/ tmp/; both it and ES_HOME must be reachable by that account.
set -euo pipefail
[ $# -eq 3 ] || { echo "usage: $0 PORT TRANSPORT_PORT FOLDER" >&2; exit 2; }
PORT=$1; TRANSPORT_PORT=$2; FOLDER=$3
HEAP=${ES_HEAP:-512m}
SECURE=$([ "${ES_SECURE:-0}" = 1 ] && echo true || echo false)
export JAVA_HOME=${JAVA_HOME:-$(dirname "$(dirname "$(readlink -f "$(command -v java)")")")}
mkdir -p "$FOLDER"/{config/jvm.options.d,data,logs,tmp}
cp "$ES_HOME/config/log4j2.properties" "$FOLDER/config/"
# A node of the tests lives for seconds or minutes: what makes a long-lived one fast (the second compiler, the collector
# with threads of its own, a log of its work) costs more of the processor than it brings.
grep -v -e UseG1GC -e '^-Xlog:gc' "$ES_HOME/config/jvm.options" > "$FOLDER/config/jvm.options"
printf -- '%s\n' "-Xms$HEAP" "-Xmx$HEAP" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 > "$FOLDER/config/jvm.options.d/tests.options"
cat > "$FOLDER/config/elasticsearch.yml" <<Y
cluster.name: hustings-tests
node.name: one
path.data: $FOLDER/data
path.logs: $FOLDER/logs
http.host: 127.0.0.1
http.port: $PORT
transport.host: 127.0.0.1
transport.port: $TRANSPORT_PORT
discovery.type: single-node
xpack.security.enabled: $SECURE
xpack.security.enrollment.enabled: false
cluster.routing.allocation.disk.threshold_enabled: ${ES_DISK_THRESHOLD:-false}
cluster.max_shards_per_node: 5000
Y
RUN=()
if [ "$(id -u)" = 0 ]; then
  ACCOUNT=${ES_USER:-nobody}
  chown -R "$ACCOUNT" "$FOLDER"
  RUN=(setpriv "--reuid=$ACCOUNT" "--regid=$(id -g "$ACCOUNT")" --clear-groups)
fi
cd "$ES_HOME"
export ES_HOME ES_PATH_CONF="$FOLDER/config" ES_TMPDIR="$FOLDER/tmp" LIBFFI_TMPDIR="$FOLDER/tmp" HOME="$FOLDER/tmp"
# The command line that bin/elasticsearch ends in; SonarQube leaves that script out.
exec "${RUN[@]}" "$JAVA_HOME/bin/java" -Xms4m -Xmx64m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
  -Dcli.name=server -Dcli.script="$ES_HOME/bin/elasticsearch" -Dcli.libs=lib/tools/server-cli \
  -Des.path.home="$ES_HOME" -Des.path.conf="$FOLDER/config" -Des.distribution.type=tar -Des.java.type=JAVA_HOME \
  -cp "$ES_HOME/lib/*:$ES_HOME/lib/cli-launcher/*" org.elasticsearch.launcher.CliToolLauncher
