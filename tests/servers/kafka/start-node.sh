#!/usr/bin/env bash
# start-node.sh PORT CONTROLLER_PORT DATADIR : one KRaft node (broker and controller) on 127.0.0.1, in the foreground.
#   KAFKA_LIBS        folder of jars (required)
#   KAFKA_HEAP        largest heap (default 256m)
#   KAFKA_NODE_ID     this node (default 1)
#   KAFKA_VOTERS      controller.quorum.voters (default: this node alone)
#   KAFKA_COPIES      default replication factor (default 1)
#   KAFKA_MIN_INSYNC  min.insync.replicas (default 1)
#   KAFKA_LOGIN       NAME:PASSWORD: clients must log in so (SCRAM-SHA-512, without TLS); for one node alone
#   KAFKA_INTERNAL    with KAFKA_LOGIN, the port at which the node speaks to itself
set -euo pipefail
[ $# -eq 3 ] || { echo "usage: $0 PORT CONTROLLER_PORT DATADIR" >&2; exit 2; }
PORT=$1; CONTROLLER_PORT=$2; DATA=$3
HERE=$(cd "$(dirname "$0")" && pwd)
ID=${KAFKA_NODE_ID:-1}
COPIES=${KAFKA_COPIES:-1}; MIN_INSYNC=${KAFKA_MIN_INSYNC:-1}
CLIENT=PLAINTEXT; INTERNAL=; BETWEEN=PLAINTEXT; SCRAM=()
if [ -n "${KAFKA_LOGIN:-}" ]; then
  CLIENT=SASL_PLAINTEXT; BETWEEN=INTERNAL; INTERNAL=",INTERNAL://127.0.0.1:$KAFKA_INTERNAL"
  SCRAM=(--add-scram "SCRAM-SHA-512=[name=${KAFKA_LOGIN%%:*},password=${KAFKA_LOGIN#*:}]")
fi
JAVA=${JAVA_HOME:+$JAVA_HOME/bin/}java
LOGGING=-Dlog4j2.configurationFile=$HERE/log4j2.properties
export CLASSPATH="$KAFKA_LIBS/*"
mkdir -p "$DATA"
cat > "$DATA/server.properties" <<P
process.roles=broker,controller
node.id=$ID
controller.quorum.voters=${KAFKA_VOTERS:-$ID@127.0.0.1:$CONTROLLER_PORT}
listeners=$CLIENT://127.0.0.1:$PORT,CONTROLLER://127.0.0.1:$CONTROLLER_PORT$INTERNAL
advertised.listeners=$CLIENT://127.0.0.1:$PORT$INTERNAL
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.sasl_plaintext.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
controller.listener.names=CONTROLLER
inter.broker.listener.name=$BETWEEN
log.dirs=$DATA/log
num.network.threads=2
num.io.threads=4
num.recovery.threads.per.data.dir=1
default.replication.factor=$COPIES
min.insync.replicas=$MIN_INSYNC
offsets.topic.num.partitions=4
offsets.topic.replication.factor=$COPIES
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=$COPIES
transaction.state.log.min.isr=$MIN_INSYNC
share.coordinator.state.topic.replication.factor=$COPIES
share.coordinator.state.topic.min.isr=$MIN_INSYNC
share.coordinator.state.topic.num.partitions=4
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
# On a busy machine three nodes need longer than Kafka's minute to find each other, and the last one gave up.
initial.broker.registration.timeout.ms=170000
auto.create.topics.enable=false
# Virtual clocks of the tests may run ahead of the machine's.
log.message.timestamp.after.max.ms=9223372036854775807
log.cleaner.dedupe.buffer.size=8388608
P
# A crash leaves this folder behind for the next start: it is formatted only once.
if [ ! -f "$DATA/log/meta.properties" ]; then
  "$JAVA" -Xmx128m -XX:TieredStopAtLevel=1 "$LOGGING" kafka.tools.StorageTool format \
    -t MkU3OEVBNTcwNTJENDM2Qk -c "$DATA/server.properties" "${SCRAM[@]}" > "$DATA/format.log" 2>&1 \
    || { cat "$DATA/format.log" >&2; exit 1; }
fi
# Where the system can, the node dies with the test run that started it.
WITH_PARENT=()
if command -v setpriv > /dev/null; then WITH_PARENT=(setpriv --pdeathsig KILL); fi
exec "${WITH_PARENT[@]}" "$JAVA" -Xms64m -Xmx"${KAFKA_HEAP:-256m}" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
  -Djava.awt.headless=true "$LOGGING" kafka.Kafka "$DATA/server.properties"
