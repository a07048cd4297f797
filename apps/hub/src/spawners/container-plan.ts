import type Docker from 'dockerode'

import { safeName } from './names.ts'
import type { SpawnRequest } from './spawner.ts'

/** Label that marks every container and volume of one hub. */
export const HUB_LABEL = 'org.hub'
/** Port that servers listen on inside their containers. */
export const INNER_PORT = 8888
/** Where the token waits for the server, inside the container. */
export const TOKEN_FILE = '/.hub-token'
/** Reads the token and goes on as the server; in the environment of the container `docker inspect` would show it. */
const TAKE_TOKEN = `JUPYTERHUB_API_TOKEN=$(cat ${TOKEN_FILE}); JPY_API_TOKEN=$JUPYTERHUB_API_TOKEN; export JUPYTERHUB_API_TOKEN JPY_API_TOKEN; exec "$@"`

/** Options of the Docker spawner. */
export interface DockerSpawnerOptions {
  readonly socket: string
  readonly image: string
  /** `host`, or a network whose containers publish a port on this machine. */
  readonly network: string
  readonly command: readonly string[]
  /** Where the user's volume is mounted. */
  readonly homeTarget: string
  readonly user?: string | undefined
  readonly readOnlyMounts: Readonly<Record<string, string>>
  readonly memLimitBytes?: number | undefined
  readonly cpuLimit?: number | undefined
  readonly pidsLimit: number
  readonly logs: string
  readonly hubId: string
  readonly stopSeconds: number
  /** Longest wait for one answer of the engine, in milliseconds. @default 30_000 */
  readonly callTimeoutMs?: number | undefined
}

/** What the engine is told about the container of one server. */
export function containerPlan(
  options: DockerSpawnerOptions,
  request: SpawnRequest,
  file: string,
  port: number,
  entry: readonly string[],
): Docker.ContainerCreateOptions {
  const { JUPYTERHUB_API_TOKEN: _token, JPY_API_TOKEN: _same, ...env } = request.env
  const labels = { [HUB_LABEL]: options.hubId, 'org.hub.user': request.user, 'org.hub.server': request.server }
  const outer = options.network === 'host'
  const all = {
    ...env,
    HOME: options.homeTarget,
    USER: request.user,
    SHELL: '/bin/sh',
    JUPYTERHUB_SERVICE_URL: `http://${outer ? '127.0.0.1' : '0.0.0.0'}:${port}${request.prefix}`,
  }
  return {
    name: `jupyter-${file}`,
    Image: options.image,
    Labels: labels,
    ...(options.user === undefined ? {} : { User: options.user }),
    WorkingDir: options.homeTarget,
    Env: Object.entries(all).map(([name, value]) => `${name}=${value}`),
    Entrypoint: ['/bin/sh', '-c', TAKE_TOKEN, 'sh', ...entry],
    Cmd: [...options.command],
    ExposedPorts: { [`${INNER_PORT}/tcp`]: {} },
    HostConfig: {
      NetworkMode: options.network,
      ...(outer ? {} : { PortBindings: { [`${INNER_PORT}/tcp`]: [{ HostIp: '127.0.0.1', HostPort: '' }] } }),
      Mounts: [
        {
          Type: 'volume',
          Source: `jupyter-${safeName(request.user)}`,
          Target: options.homeTarget,
          VolumeOptions: { NoCopy: false, Labels: labels, DriverConfig: { Name: '', Options: {} } },
        },
        ...Object.entries(options.readOnlyMounts).map(([Source, Target]) => ({
          Type: 'bind' as const,
          Source,
          Target,
          ReadOnly: true,
        })),
      ],
      SecurityOpt: ['no-new-privileges'],
      CapDrop: ['ALL'],
      PidsLimit: options.pidsLimit,
      ...(options.memLimitBytes === undefined
        ? {}
        : { Memory: options.memLimitBytes, MemorySwap: options.memLimitBytes }),
      ...(options.cpuLimit === undefined ? {} : { NanoCpus: Math.round(options.cpuLimit * 1e9) }),
      LogConfig: { Type: 'json-file', Config: { 'max-size': '5m', 'max-file': '2' } },
      RestartPolicy: { Name: 'no' },
    },
  }
}
