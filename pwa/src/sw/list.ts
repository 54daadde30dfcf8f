// What the worker keeps: the shell's files as the build lists them, and which addresses are pictures.

export const FILES: { url: string; revision: string }[] = __FILES__
export const SHELL_PREFIX = 'kilele-shell-'
export const SHELL_CACHE = `${SHELL_PREFIX}${__SHELL__}`

/** Under /assets/ a name holds its content's hash: the same name is the same file for ever. */
export const isHashed = (path: string): boolean => path.startsWith('/assets/')
export const isPicture = (path: string): boolean => /^\/api\/media\/[^/]+\/(thumb|card)$/.test(path)
