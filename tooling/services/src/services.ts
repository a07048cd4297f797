import { execFile } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import { request } from 'node:http'
import path from 'node:path'
import { promisify } from 'node:util'

/** A real peer that some tests need and that not every machine has. */
export type Service =
  | 'docker'
  | 'compose'
  | 'mmdebstrap'
  | 'systemd'
  | 'redis'
  | 'chromium'
  | 'jupyterhub'
  | 'file'
  | 'fuse'
  | 'promtool'
  | 'swift'

interface Detector {
  readonly remedy: string
  readonly found: () => boolean | Promise<boolean>
}

/** How each service is recognised, and what a person does when it is missing. */
export const services: Readonly<Record<Service, Detector>> = {
  docker: { remedy: 'apt-get install docker.io, then start dockerd', found: dockerAnswers },
  compose: { remedy: 'apt-get install docker-compose', found: hasCompose },
  mmdebstrap: { remedy: 'apt-get install mmdebstrap', found: () => onPath('mmdebstrap') },
  systemd: { remedy: 'apt-get install systemd', found: () => onPath('systemd-analyze') },
  redis: { remedy: 'apt-get install redis-server', found: () => onPath('redis-server') },
  chromium: { remedy: 'apt-get install chromium', found: () => onPath('chromium') },
  jupyterhub: {
    remedy: 'apt-get install jupyterhub jupyter-server jupyter-notebook',
    found: () => onPath('jupyterhub') && onPath('jupyterhub-singleuser'),
  },
  promtool: { remedy: 'apt-get install prometheus', found: () => onPath('promtool') },
  file: { remedy: 'apt-get install file', found: () => onPath('file') },
  swift: {
    remedy: 'apt-get install swift-proxy swift-account swift-container swift-object memcached',
    found: () => onPath('swift-proxy-server') && onPath('swift-object-server') && onPath('memcached'),
  },
  fuse: {
    remedy: 'run as root on a machine with /dev/fuse',
    found: () => process.getuid?.() === 0 && existsSync('/dev/fuse'),
  },
}

function onPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(path.delimiter).some((folder) => {
    try {
      accessSync(path.join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** As a program of its own, or as a plugin of Docker's. */
async function hasCompose(): Promise<boolean> {
  if (onPath('docker-compose')) return true
  return promisify(execFile)('docker', ['compose', 'version']).then(
    () => true,
    () => false,
  )
}

function dockerAnswers(): Promise<boolean> {
  const socketPath = process.env['DOCKER_HOST']?.replace(/^unix:\/\//, '') ?? '/var/run/docker.sock'
  const { promise, resolve } = Promise.withResolvers<boolean>()
  request({ socketPath, path: '/_ping', timeout: 2000 }, (response) => {
    response.resume()
    resolve(response.statusCode === 200)
  })
    .on('timeout', () => resolve(false))
    .on('error', () => resolve(false))
    .end()
  return promise
}

const answers = new Map<Service, Promise<boolean>>()

/** Tells whether a service can be used here. Asked once a process. */
export function hasService(service: Service): Promise<boolean> {
  let answer = answers.get(service)
  if (answer === undefined) {
    answer = Promise.resolve(services[service].found())
    answers.set(service, answer)
  }
  return answer
}

/** Marks the suites that need a service, so that the reporter can count what was left out. */
export const needs = (service: Service): string => `[needs ${service}]`
