export { record } from './record.ts'
export { type Peer, peer } from './peer.ts'
export type { Goal, Row } from './row.ts'
