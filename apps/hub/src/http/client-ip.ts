/**
 * The address of a client: the last hop that the hub's own proxy saw.
 *
 * Earlier entries of the header are the client's own words.
 */
export function clientIp(request: Request): string | undefined {
  return request.headers.get('x-forwarded-for')?.split(',').at(-1)?.trim()
}
