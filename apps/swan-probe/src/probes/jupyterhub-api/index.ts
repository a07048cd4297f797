import type { Probe } from '../probe.ts'
import { checkApi } from './check-api.ts'
import { checkSession } from './check-session.ts'
import { createSession } from './create-session.ts'
import { stopSession } from './stop-session.ts'
import { token } from './token.ts'

export const hubProbes: readonly Probe[] = [checkApi, token, createSession, checkSession, stopSession]
