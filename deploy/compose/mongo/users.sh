#!/bin/bash
# Runs once, on the first start with an empty volume: a user for each service, who may touch its own database alone.
# The image sources this file, so nothing in it may change the caller's shell.
(
  set -euo pipefail
  for file in /run/secrets/mongo-url-*; do
    login=$(sed -E 's#^mongodb://([^:@/]+):([^:@/]+)@[^/]+/([A-Za-z0-9_]+)\?.*$#\1 \2 \3#' "$file")
    read -r user password database rest <<<"$login"
    if [ -z "$database" ] || [ -n "${rest:-}" ] || [[ ! $user$password =~ ^[A-Za-z0-9_-]+$ ]]; then
      echo >&2 "$file must hold mongodb://USER:PASSWORD@mongo:27017/DATABASE?…, of letters, digits, '_' and '-'"
      exit 1
    fi
    echo "making the user $user of the database $database"
    mongosh --quiet --eval "db.adminCommand({createUser: '$user', pwd: '$password', roles: [{role: 'readWrite', db: '$database'}]}).ok"
  done
)
