import { type Issue, NativeAuthError } from '../../errors.ts'

type Body = Readonly<Record<string, unknown>>

const SECRET = /pass|secret|token|code|otp|challenge/i

/** Reads text fields from a JSON object and collects what is wrong with all of them. */
export class Fields {
  readonly body: Body
  readonly #issues: Issue[] = []

  constructor(body: Body) {
    this.body = body
  }

  /** A text that must be there; empty when it is not, {@link Fields.check} then refuses. */
  text(name: string): string {
    const value = this.body[name]
    if (typeof value === 'string') return value
    this.#issues.push(
      Object.hasOwn(this.body, name)
        ? issue(name, 'string_type', 'Input should be a valid string', value)
        : { loc: ['body', name], type: 'missing', msg: 'Field required' },
    )
    return ''
  }

  optionalText(name: string): string | undefined {
    const value = this.body[name]
    return value === undefined || value === null ? undefined : this.text(name)
  }

  optionalNumber(name: string): number | undefined {
    const value = this.body[name]
    if (value === undefined || value === null) return undefined
    if (typeof value === 'number' && Number.isFinite(value)) return value
    this.#issues.push(issue(name, 'number_type', 'Input should be a valid number', value))
    return undefined
  }

  flag(name: string): boolean {
    const value = this.body[name]
    if (typeof value === 'boolean') return value
    if (value !== undefined && value !== null) {
      this.#issues.push(issue(name, 'bool_type', 'Input should be a valid boolean', value))
    }
    return false
  }

  /** @throws {@link NativeAuthError} `NATIVE_AUTH_INVALID_INPUT` with everything that was wrong. */
  check(): void {
    const [first] = this.#issues
    if (first === undefined) return
    throw new NativeAuthError('NATIVE_AUTH_INVALID_INPUT', first.msg, { issues: this.#issues })
  }
}

/** What a profile is read from: the body without what is for the account itself, or a lenient schema would keep it. */
export function profileOf(body: Body, captchaField: string | undefined): Body {
  const own = new Set([...ACCOUNT_FIELDS, captchaField ?? 'captcha'])
  return Object.fromEntries(Object.entries(body).filter(([name]) => !own.has(name)))
}

const ACCOUNT_FIELDS = [
  'username',
  'password',
  'password_confirmation',
  'signup_password',
  'signup_password_confirmation',
  'admin_token',
  'accept_terms',
  'is_admin',
]

function issue(name: string, type: string, msg: string, value: unknown): Issue {
  const isPlain = ['number', 'boolean'].includes(typeof value)
  return { loc: ['body', name], type, msg, ...(isPlain && !SECRET.test(name) ? { input: value } : {}) }
}
