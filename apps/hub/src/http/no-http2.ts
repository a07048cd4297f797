// Stands for `node:http2` in what is built: behind its proxy the hub speaks HTTP/1, and the real one takes 2.5 MiB to say
// of each request that it is another.

/** No request is one of these. */
export class Http2ServerRequest {}

/** Asked for such requests only. */
export const constants: Readonly<Record<string, number>> = {}
