/** What the hub tells a single-user server through the environment. */
export interface Contract {
  readonly token: string
  readonly apiUrl: string
  readonly clientId: string
  readonly prefix: string
  readonly callbackPath: string
  readonly hubPath: string
  readonly user: string
  readonly accessScopes: readonly string[]
  readonly activityUrl: string
  readonly listen: { readonly host: string; readonly port: number }
  readonly home: string
}

/** Reads the contract; throws naming the variable that is missing. */
export function readContract(env: NodeJS.ProcessEnv): Contract {
  const need = (name: string) => {
    const value = env[name]
    if (value === undefined || value === '') throw new Error(`Expected the environment variable ${name}`)
    return value
  }
  const service = new URL(need('JUPYTERHUB_SERVICE_URL'))
  const apiUrl = need('JUPYTERHUB_API_URL')
  return {
    token: need('JUPYTERHUB_API_TOKEN'),
    apiUrl,
    clientId: need('JUPYTERHUB_CLIENT_ID'),
    prefix: need('JUPYTERHUB_SERVICE_PREFIX'),
    callbackPath: need('JUPYTERHUB_OAUTH_CALLBACK_URL'),
    hubPath: `${env['JUPYTERHUB_BASE_URL'] ?? '/'}hub/`,
    user: need('JUPYTERHUB_USER'),
    accessScopes: JSON.parse(need('JUPYTERHUB_OAUTH_ACCESS_SCOPES')) as string[],
    activityUrl: need('JUPYTERHUB_ACTIVITY_URL'),
    listen: { host: service.hostname, port: Number(service.port) },
    home: env['JUPYTERHUB_ROOT_DIR'] ?? env['HOME'] ?? process.cwd(),
  }
}
