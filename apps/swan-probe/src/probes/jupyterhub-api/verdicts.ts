import { ProbeError } from '../../errors.ts'
import type { Answer, HubClient } from './client.ts'

/**
 * A JupyterHub that cannot read its database within five seconds takes a good token for a bad one; an answer that
 * took longer than this is not believed.
 */
const doubtfulSeconds = 4

/** Takes the hub's own words out of an answer, for a message. */
export function wordsOf(answer: Answer): string {
  const { message } = (answer.json ?? {}) as { message?: unknown }
  if (typeof message === 'string') return message
  const plain = answer.text
    .replaceAll(/<(style|script)[\s\S]*?<\/\1>|<[^>]*>|\s+/g, ' ')
    .replaceAll(/ +/g, ' ')
    .trim()
  return plain.length > 120 ? `${plain.slice(0, 117)}...` : plain
}

/** Says what an unexpected answer means. `doing` completes "The hub answered ... to". */
export async function verdictOf(
  client: HubClient,
  answer: Answer,
  doing: string,
  signal: AbortSignal,
): Promise<ProbeError> {
  const words = wordsOf(answer)
  const said = `The hub answered ${answer.status}${words === '' ? '' : ` (${words})`} to ${doing}`
  if (answer.status === 401 || answer.status === 403) return refusal(client, answer, said, signal)
  if (answer.status === 429) return new ProbeError('PROBE_HUB_BUSY', said)
  if (answer.status === 503 && answer.json === undefined) {
    return new ProbeError('PROBE_HUB_UNREACHABLE', `${said}: the proxy is up and the hub behind it is not`)
  }
  if (answer.status >= 500 && /database/i.test(words)) return new ProbeError('PROBE_HUB_DATABASE', said)
  return new ProbeError('PROBE_HUB_ANSWER', said)
}

/** Tells a bad token, a token without the right, and a hub that cannot look tokens up apart. */
async function refusal(client: HubClient, answer: Answer, said: string, signal: AbortSignal): Promise<ProbeError> {
  const slow = (seconds: number) =>
    new ProbeError('PROBE_HUB_DATABASE', `${said}, after ${seconds.toFixed(1)} s: its database seems not to answer`)
  if (answer.seconds > doubtfulSeconds) return slow(answer.seconds)
  const self = await client.api('user', { signal, timeoutMs: 15_000 })
  if (self.status === 200) {
    return new ProbeError('PROBE_TOKEN_REJECTED', `${said}: the token is valid and has no right to it`)
  }
  if (self.seconds > doubtfulSeconds) return slow(self.seconds)
  if (self.status >= 500) return verdictOf(client, self, 'whose token this is', signal)
  return new ProbeError('PROBE_TOKEN_REJECTED', `${said}: the token is not valid`)
}
