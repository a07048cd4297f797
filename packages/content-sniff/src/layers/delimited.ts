/** A table found in a text. */
export interface Table {
  readonly delimiter: ',' | ';' | '\t' | '|'
  /** A cell starts so that a spreadsheet would run it. */
  readonly formula: boolean
}

interface Shape {
  readonly rows: number
  readonly columns: number
  readonly formula: boolean
  /** Share of filled cells, after the first of each row, that start with a space: prose does, tables rarely. */
  readonly spaced: number
  readonly quoted: boolean
  /** Mean length of a cell in characters. */
  readonly cellLength: number
}

const MOST_ROWS = 400

/** Lines of program text; a few of them often happen to hold the same number of commas. */
const CODE =
  /[{}]|=>|;\s*$|^\s*(?:\/\/|\/\*|\*|#include|import |export |const |let |var |function |def |class |return |@)/m

/**
 * Recognises CSV and TSV: every row has the same number of cells, quotes pair up, and it reads unlike prose or code.
 *
 * @param text - Start of a text.
 * @param whole - False when the last row may be cut.
 * @see https://www.rfc-editor.org/rfc/rfc4180
 */
export function detectTable(text: string, whole: boolean): Table | undefined {
  const start = text.slice(0, 8192)
  if (!/[,;\t|]/.test(start) || !start.includes('\n')) return undefined
  for (const delimiter of ['\t', ',', ';', '|'] as const) {
    const shape = measure(text, delimiter, whole)
    if (shape !== undefined && convinces(shape, delimiter, text)) return { delimiter, formula: shape.formula }
  }
  return undefined
}

/** Tells whether any cell of a table with a known delimiter would be run; for tables known by their name. */
export function hasFormula(text: string, delimiter: Table['delimiter']): boolean {
  return text.split(/\r?\n/).some((row) => row.split(delimiter).some((cell) => isFormula(cell.replace(/^"/, ''))))
}

function convinces(shape: Shape, delimiter: Table['delimiter'], text: string): boolean {
  if (shape.columns < 2 || shape.rows < 2) return false
  if (delimiter === '\t') return !/^\t/m.test(text.slice(0, 4096)) && shape.cellLength < 120
  if (shape.columns === 2 && shape.rows < 3) return false
  if (delimiter === '|' && shape.columns < 3) return false
  if (shape.spaced > 0.5 || shape.cellLength > 80) return false
  return shape.quoted || !CODE.test(text.slice(0, 4096))
}

/** Measures a text as a table, `undefined` as soon as a row has another number of cells. */
function measure(text: string, delimiter: string, whole: boolean): Shape | undefined {
  let rows = 0
  let columns = 0
  let cells = 1
  let spaced = 0
  let later = 0
  let allCells = 0
  let length = 0
  let formula = false
  let quoted = false
  let cellStart = true
  let at = 0

  const endRow = (): boolean => {
    if (rows === 0) columns = cells
    if (cells !== columns) return false
    rows += 1
    allCells += cells
    cells = 1
    cellStart = true
    return true
  }

  while (at < text.length && rows < MOST_ROWS) {
    const char = text[at] ?? ''
    if (cellStart) {
      if (isFormula(text.slice(char === '"' ? at + 1 : at, at + 32))) formula = true
      if (char === ' ' && cells > 1) spaced += 1
      if (cells > 1 && char !== delimiter && char !== '\r' && char !== '\n') later += 1
      cellStart = false
      if (char === '"') {
        const end = quoteEnd(text, at)
        if (end < 0) {
          if (whole) return undefined
          break
        }
        const next = text[end]
        if (next !== undefined && next !== delimiter && next !== '\n' && next !== '\r') return undefined
        quoted = true
        length += end - at
        at = end
        continue
      }
    }
    at += 1
    if (char === delimiter) {
      cells += 1
      cellStart = true
    } else if (char === '\n') {
      if (!endRow()) return undefined
      // A blank line ends a table only at its end.
      if (/^[\r\n]+$/.test(text.slice(at, at + 8))) break
    } else {
      length += 1
    }
  }
  if (at >= text.length && whole && text.at(-1) !== '\n' && !endRow()) return undefined
  if (rows === 0) return undefined
  return {
    rows,
    columns,
    formula,
    quoted,
    spaced: spaced / Math.max(1, later),
    cellLength: length / allCells,
  }
}

/** Position behind a quoted cell that opens at `at`, -1 when it does not end. */
function quoteEnd(text: string, at: number): number {
  for (let index = text.indexOf('"', at + 1); index >= 0; index = text.indexOf('"', index + 2)) {
    if (text[index + 1] !== '"') return index + 1
  }
  return -1
}

/** Starts like something a spreadsheet runs; plain signed numbers do not count. */
function isFormula(cell: string): boolean {
  return /^(?:[=@]|[+-](?![\d.,\s]*(?:[eE][+-]?\d+)?[%€$]?(?:[",;\t|\r\n]|$)))/.test(cell)
}
