#!/bin/sh
# Makes the secrets of the stack, once: what is there stays. Usage: deploy/secrets.sh [FOLDER]
#
# Only the owner of the folder gets into it. The files themselves can be read by all, because the engine shows each to
# the containers that need it as it is, and their users are not users of this machine.
set -eu
folder=${1:-$(dirname "$0")/secrets}

random() {
  od -An -N32 -tx1 /dev/urandom | tr -d ' \n'
}

# put NAME VALUE: appears whole or not at all.
put() {
  [ -e "$folder/$1" ] && return
  printf '%s\n' "$2" >"$folder/$1.new"
  chmod 0444 "$folder/$1.new"
  mv "$folder/$1.new" "$folder/$1"
}

umask 077
mkdir -p "$folder"
chmod 0700 "$folder"
put postgres_password "$(random)"
put redis_conf "requirepass $(random)"
put events_database_url "postgres://events:$(cat "$folder/postgres_password")@postgres:5432/events"
put events_redis_url "redis://:$(sed 's/^requirepass //' "$folder/redis_conf")@redis:6379"
put events_secret "$(random)"
put events_admin_password "$(random)"
put events_organiser_password "$(random)"
put hub_admin_password "$(random)"
put hub_probe_token "$(random)"
