import { type ServerNames } from './names.ts'

/** Who a single-user server is for, and how it reaches the hub. */
export interface EnvironmentInput {
  readonly user: string
  readonly server: string
  readonly names: ServerNames
  readonly baseUrl: string
  /** Hub API as the server sees it, without a slash at the end. */
  readonly apiUrl: string
  readonly token: string
  readonly accessScopes: readonly string[]
  readonly clientScopes: readonly string[]
  readonly publicUrl?: string | undefined
  readonly defaultUrl?: string | undefined
  readonly memLimitBytes?: number | undefined
  readonly cpuLimit?: number | undefined
  readonly further: Readonly<Record<string, string>>
}

/** The environment that `jupyterhub-singleuser` 2 to 6 reads, apart from its address. */
export function singleUserEnvironment(input: EnvironmentInput): Record<string, string> {
  const { names, user, server, token, apiUrl } = input
  const scopes = JSON.stringify(input.accessScopes)
  return {
    LANG: process.env['LANG'] ?? 'C.UTF-8',
    ...input.further,
    JUPYTERHUB_API_TOKEN: token,
    JPY_API_TOKEN: token,
    JUPYTERHUB_API_URL: apiUrl,
    JUPYTERHUB_CLIENT_ID: names.clientId,
    JUPYTERHUB_SERVICE_PREFIX: names.prefix,
    JUPYTERHUB_BASE_URL: input.baseUrl,
    JUPYTERHUB_USER: user,
    JUPYTERHUB_SERVER_NAME: server,
    JUPYTERHUB_HOST: '',
    JUPYTERHUB_OAUTH_CALLBACK_URL: `${names.prefix}oauth_callback`,
    JUPYTERHUB_OAUTH_ACCESS_SCOPES: scopes,
    JUPYTERHUB_OAUTH_SCOPES: scopes,
    JUPYTERHUB_OAUTH_CLIENT_ALLOWED_SCOPES: JSON.stringify(input.clientScopes),
    JUPYTERHUB_ACTIVITY_URL: `${apiUrl}/users/${encodeURIComponent(user)}/activity`,
    ...(input.publicUrl === undefined
      ? {}
      : {
          JUPYTERHUB_PUBLIC_URL: `${input.publicUrl}${names.prefix}`,
          JUPYTERHUB_PUBLIC_HUB_URL: `${input.publicUrl}${input.baseUrl}hub/`,
        }),
    ...(input.defaultUrl === undefined ? {} : { JUPYTERHUB_DEFAULT_URL: input.defaultUrl }),
    ...(input.memLimitBytes === undefined ? {} : { MEM_LIMIT: String(input.memLimitBytes) }),
    ...(input.cpuLimit === undefined ? {} : { CPU_LIMIT: String(input.cpuLimit) }),
  }
}
