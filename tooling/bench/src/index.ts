export { record } from './record.ts'
export { type Peer, peer } from './peer.ts'
export { bar, type Goal, isMet, type Row, times } from './row.ts'
