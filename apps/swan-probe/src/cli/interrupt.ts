/** A signal that aborts on SIGINT, SIGTERM and SIGHUP. The second one ends the process at once. */
export function untilInterrupt(): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController()
  const kinds = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  const onSignal = (kind: NodeJS.Signals) => {
    if (controller.signal.aborted) process.exit(kind === 'SIGINT' ? 130 : 143)
    controller.abort()
  }
  for (const kind of kinds) process.on(kind, onSignal)
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      for (const kind of kinds) process.off(kind, onSignal)
    },
  }
}
