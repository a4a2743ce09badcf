#!/bin/bash
# Health check of the database: 0 when it takes writes. The first one that reaches it makes the replica set.
# It goes in by the name that clients use, so the private server of the image's first start is not taken for it.
set -euo pipefail
password=$(</run/secrets/mongo-root-password)
ask() {
  mongosh --quiet --host mongo --port 27017 -u root -p "$password" --authenticationDatabase admin --eval "$1"
}
writable() { [ "$(ask 'db.hello().isWritablePrimary')" = true ]; }

writable && exit 0
ask "try { rs.status().ok } catch (e) { rs.initiate({_id: 'rs0', members: [{_id: 0, host: 'mongo:27017'}]}).ok }"
for _ in 1 2 3 4 5 6 7 8; do
  writable && exit 0
  sleep 0.5 # an election among one takes less than a second
done
exit 1
