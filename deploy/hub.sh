#!/bin/sh
# The hub's commands, inside its container: docker compose exec hub hub --help
exec node /app/dist/main.js "$@" --config /etc/hub/hub.yaml
