#!/usr/bin/env bash
# Makes what the production example needs to keep secret: a certificate authority of its own, a certificate for each
# server, and passwords. Usage: deploy/make-secrets.sh [FOLDER]; without FOLDER, deploy/secrets.
# What exists is kept, so that running it again only adds what is missing. Needs openssl.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/secrets}
days=${DAYS:-825}
brokers="kafka-1 kafka-2 kafka-3"
umask 077
mkdir -p "$out"
cd "$out"

password() { # NAME: 32 characters that need no quoting anywhere
  [ -s "$1" ] || openssl rand -hex 16 >"$1"
}

authority() {
  [ -s ca.pem ] || openssl req -x509 -newkey rsa:3072 -nodes -sha256 -days "$days" -subj "/CN=Hustings deployment CA" \
    -keyout ca.key -out ca.pem 2>/dev/null
}

certificate() { # NAME: NAME.key and NAME.pem, valid for that host name and for loopback (health checks, tunnels)
  [ -s "$1.pem" ] && return
  openssl req -newkey rsa:3072 -nodes -sha256 -subj "/CN=$1" -keyout "$1.key" -out "$1.csr" 2>/dev/null
  openssl x509 -req -sha256 -days "$days" -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -out "$1.pem" \
    -extfile <(printf 'subjectAltName=DNS:%s,DNS:localhost,IP:127.0.0.1\n' "$1") 2>/dev/null
  rm -f "$1.csr"
}

broker() { # NAME ID: the broker's keystore and its properties, which hold the clients' password
  certificate "$1"
  openssl pkcs8 -topk8 -nocrypt -in "$1.key" -out "$1.keystore" # Kafka reads keys in PKCS #8 only
  cat "$1.pem" >>"$1.keystore"
  sed -e "s|@NAME@|$1|g" -e "s|@ID@|$2|g" -e "s|@PASSWORD@|$(cat kafka-password)|g" \
    "$here/kafka/broker.properties" >"$1.properties"
}

authority
for name in kafka-password elasticsearch-password postgres-password; do password "$name"; done
for name in elasticsearch postgres; do certificate "$name"; done
number=0
for name in $brokers; do
  number=$((number + 1))
  broker "$name" "$number"
done
# The servers' accounts inside the containers must read these; the authority's key stays for its owner alone.
chmod 755 .
chmod 644 ca.pem ./*.keystore ./*.properties elasticsearch.key elasticsearch.pem postgres.pem ./*-password
echo "made in $out: an authority, certificates of $brokers elasticsearch postgres, passwords."
echo "Keep ca.key off the servers; give the folder itself to nobody else: chmod 700 its parent."
