export const usage = `swan-probe -c FILE [options]          run the probes of a file
swan-probe run PROBE [--KEY VALUE]    run one probe, such as storage.write --fileSize 1M --filePath /eos/user/u/
swan-probe watch -c FILE              run them on a schedule; status page, /healthz, /metrics
swan-probe health SET -c FILE         run the probes of startup, liveness or readiness once
swan-probe list                       all probes in one line each
swan-probe explain PROBE              what a probe does, what passes, its keys
swan-probe validate FILE              check a file without running it
swan-probe init [FILE]                write a commented file to start from

  -c, --configfile FILE       YAML file, of the original framework or of this one
  -t, --test GROUP...         only these groups, or probes such as storage.write
  -u, --user_mode             run inside the user's container; needs --session
  -s, --session NAME          name of that session: container jupyter-NAME
  -p, --path FOLDER           the user's folder, for storage probes without a filePath
  -f, --format FORMAT         table, log, json, junit, nagios, prometheus or html; FORMAT=FILE writes a file.
                              May be repeated. Default: table on a terminal, log and table elsewhere
      --deadline SECONDS      end the run after this time
  -h, --help                  this text

Exit codes: 0 all passed, 1 some did not, 2 the command or the file cannot be used.
--format nagios on its own exits as a monitoring plugin: 0 ok, 1 warning, 2 critical, 3 unknown.
`
