/** Builds the name that dockerspawner gives a container: every unsafe byte becomes `-` and two hex digits. */
export function containerName(user: string, server = ''): string {
  const escape = (text: string) =>
    [...Buffer.from(text)]
      .map((byte) => {
        const letter = String.fromCharCode(byte)
        return /[a-z0-9]/.test(letter) ? letter : `-${byte.toString(16).padStart(2, '0')}`
      })
      .join('')
  return `jupyter-${escape(user)}${server === '' ? '' : `--${escape(server)}`}`
}
