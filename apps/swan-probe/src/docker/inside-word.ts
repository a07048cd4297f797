/** Word on the command line that makes this program run what comes on its input. */
export const insideWord = '--inside-container'
