/** Placeholder */
export const isCommon = (_password: string): Promise<boolean> => Promise.resolve(false)
