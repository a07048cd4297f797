import type { Param } from '../config/params.ts'
import type { Probe } from '../probes/probe.ts'
import { probes } from '../probes/registry.ts'

/** Values that a first file shows for keys without a default. */
const samples: Readonly<Record<string, string>> = {
  mountpoints: '[user/u/user2/]',
  timeout: '8',
  mode: 'active',
  fileSize: '1M',
  fileNumber: '10',
  repoName: 'sft.cern.ch',
  repoPath: 'cvmfs/sft.cern.ch/',
  num: '2',
  users: '[user2]',
  user: 'user2',
  path: '/srv/jupyterhub/jupyterhub.sqlite',
  container_name: 'jupyter-user2',
}

/** Where a key means something else for one probe. */
const ownSamples: Readonly<Record<string, string>> = {
  'storage.mount mode': 'host',
  'storage.write filePath': 'eos/user/u/user2/0.txt',
  'storage.exists filePath': 'eos/user/u/user2/0.txt',
  'storage.delete filePath': 'eos/user/u/user2/0.txt',
  'storage.throughput filePath': 'eos/user/u/user2/',
  'storage.checksum filePath': 'eos/user/u/user2/',
  'cvmfs.ttfb filePath': 'cvmfs/sft.cern.ch/lcg/lastUpdate',
  'cvmfs.throughput filePath': 'cvmfs/sft.cern.ch/lcg/releases/',
}

/** Builds the file of `swan-probe init` from what the probes say of themselves. */
export function starterFile(): string {
  const groups = [...new Set(probes.map((probe) => probe.group))]
  const tests = groups.map((group) =>
    [`  ${group}:`, ...probes.filter((probe) => probe.group === group).map(probeText)].join('\n'),
  )
  return `# Probes to run. Delete what does not apply; \`swan-probe explain PROBE\` tells about each.
tests:
${tests.join('\n')}

output:
  logfile:
    logging: false # one log file a probe, in the folder logs
    filepath: logs

# What swan-probe watch does with them.
watch:
  host: 127.0.0.1
  port: 9470
  every: 60 # seconds; a probe's own key \`every\` goes first

# Health sets with the fields of Kubernetes, for swan-probe health and watch.
health:
  liveness:
    probes: [jupyterhub_api.check_api]
    periodSeconds: 10
    timeoutSeconds: 5
    failureThreshold: 3
`
}

function probeText(probe: Probe): string {
  const lines = Object.entries(probe.params).map(([name, param]) => `      ${line(probe, name, param)}`)
  return [`    ${probe.name}: # ${probe.summary}`, ...lines].join('\n')
}

function line(probe: Probe, name: string, param: Param<unknown>): string {
  if (param.secret) return `# ${name}: {env: HUB_TOKEN} # ${param.doc}`
  if (!param.required) return `# ${name}: ${JSON.stringify(param.fallback)} # ${param.doc}`
  const value = ownSamples[`${probe.id} ${name}`] ?? samples[name]
  return `${name}: ${value} # ${param.doc}`
}
