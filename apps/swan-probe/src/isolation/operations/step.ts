/** Tells the runner what the helper is about to do, so that a hang has a name. */
export type Step = (name: string) => void
