import type Docker from 'dockerode'

import type { ContainerEvent, ContainerFacts, ContainerPlan, ImageFacts } from './engine.ts'

/** Label that names the attempt which made a container. */
export const ATTEMPT = 'container-pg.attempt'

/** What Docker is told to make. */
export function createOptions(plan: ContainerPlan): Docker.ContainerCreateOptions {
  return {
    name: plan.name,
    Image: plan.image,
    Entrypoint: [...plan.entrypoint],
    Cmd: [...plan.command],
    Env: Object.entries(plan.env).map(([name, value]) => `${name}=${value}`),
    Labels: { ...plan.labels, [ATTEMPT]: plan.attempt },
    User: `${plan.uid}:${plan.gid}`,
    ExposedPorts: { '5432/tcp': {} },
    // Fast shutdown; the default SIGTERM would wait for clients to leave.
    StopSignal: 'SIGINT',
    HostConfig: {
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      ReadonlyRootfs: true,
      Tmpfs: {
        '/tmp': 'rw,nosuid,nodev,noexec,size=64m,mode=1777',
        '/var/run/postgresql': `rw,nosuid,nodev,noexec,size=1m,mode=0700,uid=${plan.uid},gid=${plan.gid}`,
      },
      Mounts: plan.mounts.map(({ source, target, readOnly }) => ({
        Type: 'bind',
        Source: source,
        Target: target,
        ReadOnly: readOnly,
        BindOptions: { Propagation: 'rprivate' },
      })),
      // Docker opens a port that has no address to the network, past a host's ufw rules.
      PortBindings: { '5432/tcp': [{ HostIp: '127.0.0.1', HostPort: String(plan.port) }] },
      // A first start that fails must not be repeated by the engine: the image would take the half-made folder for a whole one.
      RestartPolicy: { Name: 'no' },
      Memory: plan.memoryBytes,
      MemorySwap: plan.memoryBytes,
      PidsLimit: plan.pids,
      ShmSize: Math.floor(plan.memoryBytes / 4),
      ...(plan.cpus === undefined ? {} : { NanoCpus: Math.round(plan.cpus * 1e9) }),
      LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } },
    },
  }
}

/** What an image says of itself. */
export function imageFacts({ Config }: Docker.ImageInspectInfo): ImageFacts {
  const env = new Map(
    (Config.Env ?? []).map((line) => [line.split('=', 1)[0] ?? '', line.slice(line.indexOf('=') + 1)]),
  )
  const entrypoint = Config.Entrypoint ?? []
  // From 18 on the image declares the parent folder; a mount elsewhere would leave an unnamed volume behind per container.
  const volume = Object.keys(Config.Volumes ?? {})[0] ?? '/var/lib/postgresql/data'
  const major = Number(env.get('PG_MAJOR'))
  return {
    entrypoint: typeof entrypoint === 'string' ? [entrypoint] : entrypoint,
    volume,
    pgdata: env.get('PGDATA') ?? volume,
    major: Number.isInteger(major) && major > 0 ? major : undefined,
  }
}

/** A container as one look at it shows. */
export function inspected(info: Docker.ContainerInspectInfo): ContainerFacts {
  const { State } = info
  const ended = !State.Running && State.Status !== 'created'
  return {
    id: info.Id,
    name: info.Name.replace(/^\//, ''),
    labels: info.Config.Labels,
    running: State.Running,
    restarting: State.Restarting,
    exitCode: ended ? State.ExitCode : undefined,
    outOfMemory: State.OOMKilled,
    startedAt: State.StartedAt,
    pid: State.Pid === 0 ? undefined : State.Pid,
    mounts: info.Mounts.map((mount) => ({ source: mount.Source, target: mount.Destination, readOnly: !mount.RW })),
    ports: Object.values(info.HostConfig.PortBindings ?? {}).flatMap((list) =>
      ((list ?? []) as { HostPort: string }[]).map((binding) => Number(binding.HostPort)),
    ),
  }
}

/** A container as a list shows it. */
export function listed(info: Docker.ContainerInfo): ContainerFacts {
  return {
    id: info.Id,
    name: (info.Names[0] ?? '').replace(/^\//, ''),
    labels: info.Labels,
    running: info.State === 'running' || info.State === 'restarting' || info.State === 'paused',
    restarting: info.State === 'restarting',
    exitCode: info.State === 'exited' ? Number(/\((\d+)\)/.exec(info.Status)?.[1] ?? 0) : undefined,
    outOfMemory: false,
    startedAt: undefined,
    pid: undefined,
    mounts: info.Mounts.map((mount) => ({ source: mount.Source, target: mount.Destination, readOnly: !mount.RW })),
    ports: info.Ports.flatMap((port) => (port.PublicPort === undefined ? [] : [port.PublicPort])),
  }
}

/** One line of the stream of events. */
export function happened(line: string): ContainerEvent {
  const event = JSON.parse(line) as { Action: string; Actor: { Attributes: Record<string, string> }; timeNano: number }
  return { action: event.Action, labels: event.Actor.Attributes, timeMs: Math.floor(event.timeNano / 1e6) }
}
