#!/bin/sh
# Makes the secrets that compose.yaml mounts, below ./secrets: once; what is there stays.
set -eu
cd "$(dirname "$0")"
umask 077
mkdir -p secrets
cd secrets

# Containers read them as another user: the folder keeps others out, not the files.
key() { openssl rand 32 | base64 | tr '+/' '-_' | tr -d '=\n'; }
[ -e sealing.key ] || key > sealing.key
if [ ! -e redis.conf ]; then
  password=$(key)
  printf 'requirepass %s\n' "$password" > redis.conf
  printf 'redis://:%s@redis:6379' "$password" > redis.url
fi
# For this machine only. In production: the certificate of your authority, and no AuthorityCaFile.
[ -e fullchain.pem ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 \
  -subj /CN=app.localhost -addext subjectAltName=DNS:app.localhost,DNS:auth.localhost \
  -keyout privkey.pem -out fullchain.pem 2> /dev/null
chmod 644 ./*
