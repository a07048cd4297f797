import { flag, group, listOf, number, oneOf, text, textMap, texts, type ValueOf } from './fields.ts'

const secondsMeaning = 'in seconds'

/** Every setting of the hub, with its default and its meaning; `hub --help` and the README print this table. */
export const settingsField = group({
  ip: text({ default: '127.0.0.1', env: 'HUB_IP', meaning: 'public address that the proxy listens on' }),
  port: number({ default: 8000, min: 1, max: 65535, env: 'HUB_PORT', meaning: 'public port of the proxy' }),
  base_url: text({
    default: '/',
    env: 'HUB_BASE_URL',
    pattern: /^\/([\w.~-]+\/)*([\w.~-]+)?$/,
    takes: 'a path that starts with /',
    meaning: 'path below which everything is served',
  }),
  public_url: text({
    default: undefined,
    env: 'HUB_PUBLIC_URL',
    pattern: /^https?:\/\/[^/]+$/,
    takes: 'an origin such as https://hub.example.org',
    meaning: 'origin that browsers see, when another proxy stands in front',
  }),
  data_dir: text({ default: 'hub-data', env: 'HUB_DATA_DIR', meaning: 'folder of database, logs, secrets and homes' }),
  database_url: text({
    default: undefined,
    env: 'DATABASE_URL',
    pattern: /^postgres(ql)?:\/\//,
    takes: 'a postgres:// address',
    meaning: 'Postgres instead of the SQLite file in data_dir',
  }),
  log_level: oneOf(['debug', 'info', 'warn', 'error'], {
    default: 'info',
    env: 'HUB_LOG_LEVEL',
    meaning: 'least urgent lines that are written',
  }),
  hub: group({
    ip: text({ default: '127.0.0.1', meaning: 'address the hub itself listens on, behind the proxy' }),
    port: number({ default: 8081, min: 1, max: 65535, env: 'HUB_INTERNAL_PORT', meaning: 'port of the hub itself' }),
    connect_host: text({ default: undefined, meaning: 'name or address under which servers reach the hub' }),
    keep_servers: flag({
      default: false,
      env: 'HUB_KEEP_SERVERS',
      meaning: 'on SIGTERM leave proxy and servers running, for the next start to take over',
    }),
  }),
  proxy: group({
    api_port: number({
      default: 8001,
      min: 1,
      max: 65535,
      env: 'HUB_PROXY_API_PORT',
      meaning: "port of the proxy's own API",
    }),
    ssl_key: text({ default: undefined, meaning: 'file of the TLS key; with ssl_cert the public port speaks https' }),
    ssl_cert: text({ default: undefined, meaning: 'file of the TLS certificate chain' }),
    max_rss_mb: number({ default: 512, min: 64, meaning: 'memory above which the proxy is replaced, in MiB' }),
  }),
  accounts: group({
    open_signup: flag({
      default: false,
      meaning: 'new accounts may log in without an admin, except under the names of users and of admins',
    }),
    enable_signup: flag({ default: true, meaning: 'people may sign up' }),
    min_password_length: number({ default: 8, min: 1, max: 128, meaning: 'shortest password, in characters' }),
    allowed_failed_logins: number({ default: 10, min: 1, meaning: 'failures after which a login has to wait' }),
    require_2fa: oneOf(['no', 'admins', 'all'], { default: 'no', meaning: 'who must use a second factor' }),
    admins: texts({ meaning: 'accounts that become admins once an admin authorises them' }),
  }),
  services: listOf(
    group({
      name: text({ default: '', pattern: /^[\w.-]+$/, takes: 'a name', meaning: 'name of the service' }),
      api_token: text({ default: undefined, meaning: 'its token, at least 8 characters' }),
      api_token_file: text({ default: undefined, meaning: 'or a file that holds the token' }),
      api_token_env: text({ default: undefined, meaning: 'or the environment variable that holds it' }),
      admin: flag({ default: false, meaning: 'gives it the role admin' }),
      roles: texts({ meaning: 'roles it has' }),
      scopes: texts({ meaning: 'scopes it has directly' }),
    }),
    { meaning: 'programs with a token of their own' },
  ),
  roles: listOf(
    group({
      name: text({
        default: '',
        pattern: /^[a-z][a-z0-9~_.-]*$/,
        takes: 'a lower-case name',
        meaning: 'name of the role',
      }),
      description: text({ default: '', meaning: 'what it is for' }),
      scopes: texts({ meaning: 'what it may do' }),
      users: texts({ meaning: 'users who have it; missing ones are made' }),
      groups: texts({ meaning: 'groups whose members have it' }),
    }),
    { meaning: 'roles beside user, admin, server and token' },
  ),
  spawner: group({
    kind: oneOf(['process', 'docker'], { default: 'process', env: 'HUB_SPAWNER', meaning: 'how servers run' }),
    command: texts({
      default: ['auto'],
      meaning: "the single-user server; auto: jupyterhub-singleuser where installed, else the hub's own",
    }),
    args: texts({ meaning: 'arguments behind the command' }),
    env: textMap({ meaning: 'further environment of each server' }),
    default_url: text({ default: undefined, meaning: 'page below the prefix that a server opens with' }),
    ip: text({ default: '127.0.0.1', meaning: 'address that servers listen on' }),
    home: text({ default: undefined, meaning: 'folder of the home folders; default: homes in data_dir' }),
    run_as: oneOf(['hub', 'account'], {
      default: 'hub',
      meaning: "whose rights a process has: the hub's, or those of the system account of the same name (as root)",
    }),
    mem_limit_mb: number({ default: undefined, min: 16, meaning: 'memory of one server, in MiB' }),
    cpu_limit: number({ default: undefined, min: 0.01, integer: false, meaning: 'processors of one server' }),
    start_timeout: number({ default: 60, min: 1, integer: false, meaning: `longest start, ${secondsMeaning}` }),
    slow_spawn_timeout: number({
      default: 10,
      min: 0,
      integer: false,
      meaning: `a start or stop that takes longer answers 202, ${secondsMeaning}`,
    }),
    poll_interval: number({
      default: 2,
      min: 0.05,
      integer: false,
      meaning: `how often running servers are looked at, ${secondsMeaning}`,
    }),
    interrupt_timeout: number({ default: 10, min: 0, integer: false, meaning: `wait after SIGINT, ${secondsMeaning}` }),
    term_timeout: number({ default: 5, min: 0, integer: false, meaning: `wait after SIGTERM, ${secondsMeaning}` }),
  }),
  docker: group({
    image: text({ default: undefined, meaning: 'image of the servers' }),
    network: text({ default: 'bridge', meaning: 'network of the containers' }),
    home_target: text({ default: '/home/jovyan', meaning: "where the user's volume is mounted" }),
    user: text({ default: undefined, meaning: 'user inside the container, such as 1000:1000' }),
    socket: text({ default: '/var/run/docker.sock', env: 'HUB_DOCKER_SOCKET', meaning: 'socket of the engine' }),
    read_only_mounts: textMap({ meaning: 'host folders mounted read-only: host path to container path' }),
    pids_limit: number({ default: 512, min: 16, meaning: 'processes in one container' }),
  }),
  limits: group({
    concurrent_spawns: number({ default: 100, min: 0, meaning: 'starts at once, 0: no limit; more answer 429' }),
    active_servers: number({ default: 0, min: 0, meaning: 'running servers, 0: no limit; more answer 429' }),
    named_servers: number({ default: 0, min: 0, meaning: 'named servers of one user, 0: none are allowed' }),
    page_size: number({ default: 50, min: 1, max: 200, meaning: 'rows of one page of a list' }),
  }),
  cull: group({
    idle_timeout: number({
      default: 0,
      min: 0,
      meaning: `idle servers are stopped after this, 0: never, ${secondsMeaning}`,
    }),
    every: number({
      default: 60,
      min: 0.1,
      integer: false,
      meaning: `how often idle servers are looked for, ${secondsMeaning}`,
    }),
  }),
  databases: group({
    enabled: flag({ default: true, meaning: 'the page "My databases"' }),
    image: text({ default: 'postgres:17', meaning: 'image of personal databases' }),
    per_user: number({ default: 3, min: 0, meaning: 'databases of one user' }),
    memory_mb: number({ default: 256, min: 64, meaning: 'memory of one database, in MiB' }),
  }),
})

/** The settings as read, names as in the file. */
export type Settings = ValueOf<typeof settingsField>
