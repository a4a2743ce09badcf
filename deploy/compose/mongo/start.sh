#!/bin/bash
# Entry point of the database: makes the replica set's key file once, on its own volume, and goes on as the image does.
# Members know each other by this key, and with it every client has to log in.
set -euo pipefail
key=/data/configdb/replica-set.key
if [ ! -s "$key" ]; then
  (umask 077 && head -c 756 /dev/urandom | base64 -w 0 >"$key.new")
  mv "$key.new" "$key"
fi
chown mongodb:mongodb "$key"
chmod 400 "$key"
exec docker-entrypoint.sh "$@"
