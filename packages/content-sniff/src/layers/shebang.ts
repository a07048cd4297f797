/** Types by interpreter, version digits left out. */
const INTERPRETERS: Readonly<Record<string, string>> = {
  sh: 'application/x-sh',
  bash: 'application/x-sh',
  dash: 'application/x-sh',
  ash: 'application/x-sh',
  zsh: 'application/x-sh',
  ksh: 'application/x-sh',
  fish: 'application/x-sh',
  csh: 'application/x-sh',
  tcsh: 'application/x-sh',
  node: 'text/javascript',
  nodejs: 'text/javascript',
  bun: 'text/javascript',
  deno: 'text/javascript',
  python: 'text/x-python',
  pypy: 'text/x-python',
  perl: 'text/x-perl',
  ruby: 'text/x-ruby',
  php: 'text/x-php',
  lua: 'text/x-lua',
  luajit: 'text/x-lua',
  tclsh: 'text/x-tcl',
  wish: 'text/x-tcl',
  expect: 'text/x-tcl',
  awk: 'text/x-awk',
  gawk: 'text/x-awk',
  mawk: 'text/x-awk',
  pwsh: 'text/x-powershell',
}

/** The script type that a first line `#!…` names, `undefined` without one. */
export function typeOfShebang(text: string): string | undefined {
  const line = /^\ufeff?#![ \t]*(\S[^\r\n]{0,255})/.exec(text)?.[1]
  if (line === undefined) return undefined
  const words = line.split(/[ \t]+/)
  const program = (word: string): string => word.slice(word.lastIndexOf('/') + 1)
  let name = program(words[0] ?? '')
  // `env` may carry flags and assignments before the program.
  if (name === 'env') name = program(words.slice(1).find((word) => !/^-|=/.test(word)) ?? '')
  if (!/^[\w.+-]+$/.test(name)) return undefined
  const base = name
    .toLowerCase()
    .replace(/[\d.]+$/, '')
    .replace(/-$/, '')
  return Object.hasOwn(INTERPRETERS, base) ? INTERPRETERS[base] : 'text/x-script'
}
