import type { Entry } from '../config/config.ts'
import { ProbeError } from '../errors.ts'
import type { Group } from '../probes/probe.ts'
import { containerName } from '../probes/jupyterhub-api/container-name.ts'
import { failedResult } from '../runner/failed-result.ts'
import type { Report } from '../runner/result.ts'
import { type RunOptions, runProbes } from '../runner/run.ts'
import { Engine } from './engine.ts'
import { Visit } from './visit.ts'

/** Where the original runs each group in user mode. The engine's socket is on the host, so user_docker stays there. */
const placeOf: Readonly<Record<Group, 'session' | 'hub' | 'host'>> = {
  storage: 'session',
  cvmfs: 'session',
  jupyterhub_api: 'hub',
  database: 'hub',
  user_docker: 'host',
}

/** Name that the original knows the hub's container by. */
const HUB_CONTAINER = 'jupyterhub'

/** Options of {@link runInContainer}. */
export interface UserModeOptions extends RunOptions {
  readonly engine?: Engine
  /** The whole program as one file. */
  readonly bundle?: string
  /** Container of the hub. @default 'jupyterhub' */
  readonly hubContainer?: string
}

/** Runs probes where their users are: in the session's container, and in the hub's. */
export async function runInContainer(
  entries: readonly Entry[],
  session: string,
  options: UserModeOptions = {},
): Promise<Report> {
  const engine = options.engine ?? new Engine()
  const { bundle, listener } = options
  using ending = endOf(options)
  const { signal } = ending
  const at = (place: 'session' | 'hub' | 'host') => entries.filter((entry) => placeOf[entry.probe.group] === place)
  const inside = async (place: 'session' | 'hub', container: () => Promise<string>, user: string | undefined) => {
    const chosen = at(place)
    if (chosen.length === 0) return undefined
    try {
      return await new Visit(engine, await container(), user, { signal, listener, bundle }).run(chosen)
    } catch (error) {
      if (error instanceof ProbeError && error.code === 'PROBE_USAGE') throw error
      return failedReport(chosen, error)
    }
  }
  const reports = await Promise.all([
    inside('session', () => sessionContainer(engine, session, signal), session),
    inside('hub', () => Promise.resolve(options.hubContainer ?? HUB_CONTAINER), undefined),
    at('host').length === 0 ? undefined : runProbes(at('host'), options),
  ])
  return merge(
    entries,
    reports.filter((report) => report !== undefined),
  )
}

/** The original writes the name as it is, dockerspawner escapes it; both are looked for. */
async function sessionContainer(engine: Engine, session: string, signal: AbortSignal): Promise<string> {
  const names = [`jupyter-${session}`, containerName(session)]
  for (const name of names) {
    try {
      await engine.inspect(name, signal)
      return name
    } catch (error) {
      const last = name === names.at(-1)
      if (last || !(error instanceof ProbeError) || error.code !== 'PROBE_CONTAINER_MISSING') throw error
    }
  }
  return containerName(session)
}

/** A signal at the interrupt or the deadline of the run, that says so as every probe would. */
function endOf(options: RunOptions): Disposable & { readonly signal: AbortSignal } {
  const ending = new AbortController()
  const end = () => ending.abort(new ProbeError('PROBE_CANCELLED', 'The run was ended while this probe ran'))
  if (options.signal?.aborted === true) end()
  options.signal?.addEventListener('abort', end)
  const { deadlineSeconds } = options
  const timer = deadlineSeconds === undefined ? undefined : setTimeout(end, deadlineSeconds * 1000)
  return {
    signal: ending.signal,
    [Symbol.dispose]() {
      clearTimeout(timer)
      options.signal?.removeEventListener('abort', end)
    },
  }
}

/** Every probe of a container that could not be visited fails for the same reason. */
function failedReport(entries: readonly Entry[], error: unknown): Report {
  const startedAt = Date.now()
  const failed = error instanceof ProbeError && error.code !== 'PROBE_CANCELLED'
  const results = entries.map((entry) => failedResult(entry, error, failed ? 'fail' : 'error'))
  return { runId: '', host: '', startedAt, seconds: 0, cut: false, results }
}

/** Puts the reports of all places together, in the order of the file. */
function merge(entries: readonly Entry[], reports: readonly Report[]): Report {
  const byId = new Map(reports.flatMap((report) => report.results).map((result) => [result.id, result]))
  return {
    runId: reports.find((report) => report.runId !== '')?.runId ?? '',
    host: [...new Set(reports.map((report) => report.host).filter((host) => host !== ''))].join(', '),
    startedAt: Math.min(...reports.map((report) => report.startedAt)),
    seconds: Math.max(...reports.map((report) => report.seconds)),
    cut: reports.some((report) => report.cut),
    results: entries.flatMap((entry) => byId.get(entry.probe.id) ?? []),
  }
}
