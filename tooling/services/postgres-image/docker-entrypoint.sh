#!/usr/bin/env bash
# Entry of the local test image. Honours the documented contract of the official `postgres` image, so that tests which pass
# here say something about that one: the same variables, init files, users and signals.
set -Eeo pipefail
shopt -s nullglob

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# setting NAME DEFAULT: takes NAME, or the content of the file that NAME_FILE names.
setting() {
  local name=$1 by_file=$1_FILE value
  if [ "${!name:-}" ] && [ "${!by_file:-}" ]; then fail "both $name and $by_file are set (but are exclusive)"; fi
  value=${!name:-$2}
  if [ "${!by_file:-}" ]; then value=$(<"${!by_file}"); fi
  export "$name=$value"
  unset "$by_file"
}

informs_only() {
  local word
  for word; do
    case $word in -'?' | --help | --describe-config | -V | --version | -C) return 0 ;; esac
  done
  return 1
}

# Hands every file to the server's user. Happens only in a container that was started as root.
own_folders() {
  mkdir -p "$PGDATA" /var/run/postgresql
  chmod 700 "$PGDATA" || :
  chmod 3775 /var/run/postgresql || :
  if [ "${POSTGRES_INITDB_WALDIR:-}" ]; then
    mkdir -p "$POSTGRES_INITDB_WALDIR"
    find "$POSTGRES_INITDB_WALDIR" ! -user postgres -exec chown postgres '{}' +
    chmod 700 "$POSTGRES_INITDB_WALDIR"
  fi
  find "$PGDATA" ! -user postgres -exec chown postgres '{}' +
  find /var/run/postgresql ! -user postgres -exec chown postgres '{}' +
}

run_initdb() {
  local preload=()
  if ! id -un >/dev/null 2>&1; then
    # initdb wants a name for its user; one that was chosen by number has none.
    export NSS_WRAPPER_PASSWD=/tmp/passwd.$$ NSS_WRAPPER_GROUP=/tmp/group.$$
    printf 'postgres:x:%s:%s:PostgreSQL:%s:/bin/false\n' "$(id -u)" "$(id -g)" "$PGDATA" >"$NSS_WRAPPER_PASSWD"
    printf 'postgres:x:%s:\n' "$(id -g)" >"$NSS_WRAPPER_GROUP"
    preload=(env LD_PRELOAD=/usr/lib/libnss_wrapper.so)
  fi
  if [ "${POSTGRES_INITDB_WALDIR:-}" ]; then set -- --waldir "$POSTGRES_INITDB_WALDIR"; fi
  # The arguments are words of a shell by contract, hence eval.
  eval '"${preload[@]}" initdb --username="$POSTGRES_USER" --pwfile=<(printf "%s\n" "$POSTGRES_PASSWORD") '"${POSTGRES_INITDB_ARGS:-}"' "$@"'
  if [ ${#preload[@]} -gt 0 ]; then
    rm -f "$NSS_WRAPPER_PASSWD" "$NSS_WRAPPER_GROUP"
    unset NSS_WRAPPER_PASSWD NSS_WRAPPER_GROUP
  fi
}

sql() {
  PGHOST='' PGHOSTADDR='' psql -v ON_ERROR_STOP=1 --no-psqlrc --username "$POSTGRES_USER" --no-password "$@"
}

create_database() {
  local found
  found=$(sql --dbname postgres --tuples-only --set db="$POSTGRES_DB" <<<"SELECT 1 FROM pg_database WHERE datname = :'db'")
  if [ -z "$found" ]; then sql --dbname postgres --set db="$POSTGRES_DB" <<<'CREATE DATABASE :"db"'; fi
}

run_init_files() {
  local file
  for file in /docker-entrypoint-initdb.d/*; do
    printf '%s: %s\n' "$0" "$file"
    case $file in
      # shellcheck source=/dev/null
      *.sh) if [ -x "$file" ]; then "$file"; else . "$file"; fi ;;
      *.sql) sql --dbname "$POSTGRES_DB" -f "$file" ;;
      *.sql.gz) gunzip -c "$file" | sql --dbname "$POSTGRES_DB" ;;
      *.sql.xz) xz -dc "$file" | sql --dbname "$POSTGRES_DB" ;;
      *.sql.zst) zstd -dc "$file" | sql --dbname "$POSTGRES_DB" ;;
      *) printf '%s: ignoring %s\n' "$0" "$file" ;;
    esac
  done
}

initialise() {
  if [ -z "$POSTGRES_PASSWORD" ] && [ "${POSTGRES_HOST_AUTH_METHOD:-}" != trust ]; then
    fail 'Database is uninitialized and superuser password is not specified: set POSTGRES_PASSWORD to a non-empty value'
  fi
  run_initdb
  shift
  local method=${POSTGRES_HOST_AUTH_METHOD:-$(postgres -C password_encryption "$@")}
  printf '\nhost all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"

  # Nobody outside may log in before everything is there, so this server has no port.
  pg_ctl -D "$PGDATA" -o "$(printf '%q ' "$@" -c listen_addresses=)" -w start
  create_database
  run_init_files
  pg_ctl -D "$PGDATA" -m fast -w stop
  printf '\nPostgreSQL init process complete; ready for start up.\n\n'
}

if [ "${1:0:1}" = - ]; then set -- postgres "$@"; fi
if [ "$1" != postgres ] || informs_only "${@:2}"; then exec "$@"; fi

setting POSTGRES_PASSWORD ''
setting POSTGRES_USER postgres
setting POSTGRES_DB "$POSTGRES_USER"
setting POSTGRES_INITDB_ARGS ''

if [ "$(id -u)" = 0 ]; then
  own_folders
  exec setpriv --reuid=postgres --regid=postgres --init-groups -- "$0" "$@"
fi

mkdir -p "$PGDATA"
chmod 700 "$PGDATA" || :
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  initialise "$@"
else
  printf '\nPostgreSQL Database directory appears to contain a database; Skipping initialization\n\n'
fi
exec "$@"
