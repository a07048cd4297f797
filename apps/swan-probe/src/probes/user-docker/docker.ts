import { name, seconds } from '../../config/params.ts'
import { Engine } from '../../docker/engine.ts'
import { ProbeError } from '../../errors.ts'
import { defineProbe } from '../probe.ts'
import { containerName } from '../jupyterhub-api/container-name.ts'

export const docker = defineProbe({
  group: 'user_docker',
  name: 'docker',
  logName: 'container',
  summary: 'Tells whether a container is healthy: it runs, its own health check is content, and it runs a command.',
  passes: 'The container with exactly this name runs, is not paused, is not `unhealthy`, and `ls -A` in it exits 0.',
  params: {
    container_name: name('Name of the container.', { aliases: ['name'] }),
    timeout: seconds('Limit of the probe.'),
  },
  measures: ['exec_seconds'],
  timeLimit: ({ timeout }) => timeout,
  order: ({ container_name: container }, others) => {
    const create = 'jupyterhub_api.create_session'
    const users = (others.values(create)?.['users'] ?? []) as readonly string[]
    if (!users.some((user) => containerName(user) === container)) return undefined
    return { chain: 'hub', after: [create, 'jupyterhub_api.check_session'], needs: [create] }
  },
  async run(context, { container_name: container }) {
    const engine = new Engine()
    const state = await engine.inspect(container, context.signal)
    if (!state.running || state.paused) {
      throw new ProbeError('PROBE_CONTAINER_STATE', `The container \`${container}\` is ${state.status}`)
    }
    if (state.health === 'unhealthy') {
      throw new ProbeError('PROBE_CONTAINER_STATE', `The health check of \`${container}\` says unhealthy`)
    }
    const started = performance.now()
    const { exitCode, stderr } = await engine.exec(container, { command: ['ls', '-A'], signal: context.signal })
    context.measure({ name: 'exec_seconds', value: (performance.now() - started) / 1000, unit: 's' })
    context.log('INFO', `exit code :${exitCode}`)
    if (exitCode !== 0) {
      const words = stderr.toString('utf8').trim()
      throw new ProbeError(
        'PROBE_CONTAINER_EXEC',
        `\`ls -A\` in \`${container}\` exits ${exitCode}${words === '' ? '' : ` (${words})`}`,
      )
    }
  },
})
