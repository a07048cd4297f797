import { SoftDeleteError, type SoftDeleteErrorCode } from '../errors.ts'

/** What a request asks for beyond the live rows. */
export type TrashedFeature = 'with' | 'only' | 'permanent'

/** The answer of a permission callback; `unauthenticated` when signing in might change it. */
export type TrashedDecision = 'allow' | 'forbid' | 'unauthenticated'

/** What the query parameters of a request say about trashed rows. */
export interface TrashedParameters {
  /** Rows to show: the live ones, all, or the trashed ones. */
  readonly trashed: 'without' | 'with' | 'only'
  /** Whether a DELETE is for good. */
  readonly permanent: boolean
}

/** Options of {@link parseTrashedParameters}. */
export interface TrashedParametersOptions {
  /** What this endpoint understands; a parameter that asks for anything else is refused. */
  readonly accept: readonly TrashedFeature[]
}

/** A refused request: `status` and `parameter` are what an error document needs. */
export class TrashedRequestError extends SoftDeleteError {
  /** HTTP status to answer with. */
  readonly status: 400 | 401 | 403
  /** The query parameter that is to blame, as JSON:API's `source.parameter`. */
  readonly parameter: string

  constructor(code: SoftDeleteErrorCode, status: 400 | 401 | 403, parameter: string, message: string) {
    super(code, message)
    this.status = status
    this.parameter = parameter
  }
}

/** Parameter names, the only values they take, and what these ask for. */
const PARAMETERS: Readonly<Record<string, Readonly<Record<string, TrashedFeature>>>> = {
  with_trashed: { true: 'with' },
  only_trashed: { true: 'only' },
  permanent: { true: 'permanent' },
  'filter[trashed]': { with: 'with', only: 'only' },
}

/**
 * Reads `with_trashed=true`, `only_trashed=true`, `permanent=true` and JSON:API's `filter[trashed]=with|only`.
 *
 * Strict: any other value, a repeated parameter, and two parameters that choose the rows are refused rather than
 * guessed. Other parameters are not looked at. Asks nobody for permission; {@link authorizeTrashed} does.
 *
 * @param parameters - The decoded query of the URL.
 * @throws {@link TrashedRequestError} `SOFT_DELETE_BAD_PARAMETER`, status 400.
 * @see https://jsonapi.org/format/1.1/#query-parameters-families
 * @example
 * parseTrashedParameters(new URL(request.url).searchParams, { accept: ['with', 'only'] })
 */
export function parseTrashedParameters(
  parameters: URLSearchParams,
  options: TrashedParametersOptions,
): TrashedParameters {
  let chosen: string | undefined
  let trashed: TrashedParameters['trashed'] = 'without'
  let permanent = false
  for (const [name, values] of Object.entries(PARAMETERS)) {
    const given = parameters.getAll(name)
    if (given.length === 0) continue
    if (given.length > 1) throw bad(name, `Expected \`${name}\` once, got it ${given.length} times`)
    const feature = Object.hasOwn(values, given[0]!) ? values[given[0]!] : undefined
    if (feature === undefined) throw bad(name, `Expected \`${name}\` to be ${Object.keys(values).join(' or ')}`)
    if (!options.accept.includes(feature)) throw bad(name, `\`${name}\` has no meaning here`)
    if (feature === 'permanent') permanent = true
    else if (chosen !== undefined) throw bad(name, `Expected \`${chosen}\` or \`${name}\`, got both`)
    else [chosen, trashed] = [name, feature]
  }
  return { trashed, permanent }
}

/**
 * Asks whether the caller may have what the parameters ask for; asks nothing about a plain request.
 *
 * @param decide - Called once per feature asked for.
 * @throws {@link TrashedRequestError} `SOFT_DELETE_UNAUTHENTICATED` with status 401, `SOFT_DELETE_FORBIDDEN` with 403.
 */
export async function authorizeTrashed(
  { trashed, permanent }: TrashedParameters,
  decide: (feature: TrashedFeature) => TrashedDecision | Promise<TrashedDecision>,
): Promise<void> {
  if (trashed !== 'without') refuse(await decide(trashed), trashed === 'with' ? 'with_trashed' : 'only_trashed')
  if (permanent) refuse(await decide('permanent'), 'permanent')
}

function refuse(decision: TrashedDecision, parameter: string): void {
  if (decision === 'allow') return
  if (decision === 'unauthenticated') {
    throw new TrashedRequestError(
      'SOFT_DELETE_UNAUTHENTICATED',
      401,
      parameter,
      `\`${parameter}\` needs a signed-in user`,
    )
  }
  throw new TrashedRequestError('SOFT_DELETE_FORBIDDEN', 403, parameter, `\`${parameter}\` is not allowed here`)
}

function bad(parameter: string, message: string): TrashedRequestError {
  return new TrashedRequestError('SOFT_DELETE_BAD_PARAMETER', 400, parameter, message)
}
