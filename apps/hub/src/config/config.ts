import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'

import { LineCounter, type Node, parseDocument } from 'yaml'

import { HubError, reasonOf } from '../errors.ts'
import { isScope } from '../permissions/definitions.ts'
import { isUserName } from '../spawners/names.ts'
import type { ServiceSpec } from '../store/services.ts'
import type { Complaint } from './fields.ts'
import { type Settings, settingsField } from './settings.ts'

/** A checked configuration: every setting present, tokens read, paths absolute. */
export interface Config extends Omit<Settings, 'services'> {
  readonly services: readonly ServiceSpec[]
  /** Remarks that do not stop the hub. */
  readonly warnings: readonly string[]
}

/** Whether browsers reach the hub by https. */
export function isHttps({ public_url: url, proxy }: Pick<Config, 'public_url' | 'proxy'>): boolean {
  return url === undefined ? proxy.ssl_key !== undefined : url.startsWith('https:')
}

/** Where a configuration comes from. */
export interface ConfigSource {
  /** YAML file; without one all settings have their defaults. */
  readonly file?: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
}

/**
 * Reads and checks a configuration.
 *
 * @throws {@link HubError} `HUB_BAD_CONFIG` with one line per complaint: file, line, setting, what was expected.
 */
export function loadConfig({ file, env }: ConfigSource): Config {
  const name = file ?? 'environment'
  const complaints: Complaint[] = []
  const lines = new LineCounter()
  const document = parseDocument(file === undefined ? '' : readText(file), { lineCounter: lines })
  const complain = (node: Node | null, setting: string, message: string) => {
    const line =
      node === null || node.range === undefined || node.range === null ? 0 : lines.linePos(node.range[0]).line
    complaints.push({ line, setting, message })
  }
  for (const error of document.errors) {
    complaints.push({
      line: error.linePos?.[0].line ?? 0,
      setting: 'YAML',
      message: error.message.split('\n')[0] ?? '',
    })
  }
  // A text that is no YAML was read only in part: whatever it lacks would be complained about too.
  if (complaints.length > 0) refuse(name, complaints)
  const settings = settingsField.read(document.contents, '', { lines, env, complain })
  const warnings: string[] = []
  const nodeAt = (...keys: (string | number)[]) => (document.getIn(keys, true) as Node | null | undefined) ?? null

  const services = settings.services.map((service, index) => {
    const at = `services[${index}]`
    const say = (message: string) => complain(nodeAt('services', index), at, message)
    if (service.name === '') say('Expected a name')
    const token = readToken(service, env, say)
    if (token.length < 8) say('Expected a token of at least 8 characters in api_token, api_token_file or api_token_env')
    else if (token.length < 24)
      warnings.push(`The token of the service ${service.name} is short; use \`hub token\` to make one`)
    for (const scope of service.scopes) if (!isScope(scope)) say(`Unknown scope ${scope}`)
    return { name: service.name, token, admin: service.admin, roles: service.roles, scopes: service.scopes }
  })
  const roleNames = new Set(['user', 'admin', 'server', 'token', ...settings.roles.map((role) => role.name)])
  for (const [index, service] of services.entries()) {
    for (const role of service.roles) {
      if (!roleNames.has(role)) complain(nodeAt('services', index), `services[${index}]`, `Unknown role ${role}`)
    }
  }
  for (const [index, role] of settings.roles.entries()) {
    const say = (message: string) => complain(nodeAt('roles', index), `roles[${index}]`, message)
    if (role.name === '') say('Expected a name')
    for (const scope of role.scopes) if (!isScope(scope)) say(`Unknown scope ${scope}`)
    for (const user of role.users) if (!isUserName(user)) say(`Invalid username ${user}`)
  }
  if ((settings.proxy.ssl_key === undefined) !== (settings.proxy.ssl_cert === undefined)) {
    complain(nodeAt('proxy'), 'proxy', 'Expected ssl_key and ssl_cert together, got one of them')
  }
  if (settings.spawner.kind === 'docker' && settings.docker.image === undefined) {
    complain(nodeAt('docker') ?? nodeAt('spawner'), 'docker.image', 'Expected an image, since spawner.kind is docker')
  }
  const ownNetwork = settings.spawner.kind === 'docker' && settings.docker.network !== 'host'
  if (ownNetwork && settings.hub.connect_host === undefined) {
    const hint = "the machine's address on the containers' network, and hub.ip one that is reached there"
    complain(nodeAt('hub') ?? nodeAt('spawner'), 'hub.connect_host', `Expected ${hint}, since spawner.kind is docker`)
  }
  const ports = [settings.port, settings.hub.port, settings.proxy.api_port]
  if (new Set(ports).size < 3)
    complain(nodeAt('port'), 'port', 'Expected three different ports in port, hub.port, proxy.api_port')
  if (complaints.length > 0) refuse(name, complaints)
  const base = file === undefined ? process.cwd() : path.dirname(path.resolve(file))
  return {
    ...settings,
    base_url: settings.base_url.endsWith('/') ? settings.base_url : `${settings.base_url}/`,
    data_dir: path.resolve(base, settings.data_dir),
    services,
    warnings,
  }
}

function refuse(name: string, complaints: readonly Complaint[]): never {
  const text = complaints.map(({ line, setting, message }) => {
    const where = line === 0 ? name : `${name}:${line}`
    return `${where}: ${setting}: ${message}`
  })
  throw new HubError('HUB_BAD_CONFIG', text.join('\n'))
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new HubError('HUB_BAD_CONFIG', `${file}: cannot be read: ${reasonOf(error)}`, { cause: error })
  }
}

function readToken(
  service: Settings['services'][number],
  env: ConfigSource['env'],
  say: (message: string) => void,
): string {
  const given = [service.api_token, service.api_token_file, service.api_token_env].filter((each) => each !== undefined)
  if (given.length > 1) say('Expected one of api_token, api_token_file, api_token_env, got several')
  if (service.api_token !== undefined) return service.api_token
  if (service.api_token_env !== undefined) {
    const token = env[service.api_token_env]
    if (token === undefined) say(`The environment variable ${service.api_token_env} is not set`)
    return token ?? ''
  }
  if (service.api_token_file === undefined) return ''
  try {
    return readFileSync(service.api_token_file, 'utf8').trim()
  } catch (error) {
    say(`api_token_file cannot be read: ${reasonOf(error)}`)
    return randomBytes(16).toString('hex')
  }
}
