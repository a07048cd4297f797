/** Reads an id as it stands in paths and documents. `undefined` for whatever no row can have: that is a 404, not a 400. */
export function parseId(text: string): number | undefined {
  if (!/^[1-9][0-9]{0,9}$/.test(text)) return undefined
  const id = Number(text)
  return id <= 2_147_483_647 ? id : undefined
}
