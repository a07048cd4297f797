/** Tells whether a request comes from somebody who looks at pages. */
export const wantsPage = (request: Request): boolean => (request.headers.get('accept') ?? '').includes('text/html')
