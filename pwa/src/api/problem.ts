// The one error that leaves this code: a stable `code` that the catalogue translates as `error_<code>`.

export class Problem extends Error {
  constructor(
    readonly code: string,
    message: string = code,
    readonly more: { status?: number; field?: string; details?: Record<string, unknown>; retryAfter?: number } = {},
  ) {
    super(message)
    this.name = 'Problem'
  }

  get status(): number | undefined {
    return this.more.status
  }

  get field(): string | undefined {
    return this.more.field
  }

  get details(): Record<string, unknown> | undefined {
    return this.more.details
  }
}

/** Names what a database, a network or a browser threw. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  const name = (error as { name?: string } | null)?.name ?? ''
  const message = error instanceof Error ? error.message : String(error)
  if (name === 'QuotaExceededError') return new Problem('storage_full', message)
  if (name === 'TimeoutError' || name === 'AbortError') return new Problem('timeout', message)
  if (/^(InvalidStateError|UnknownError|VersionError|TransactionInactiveError)$/.test(name)) {
    return new Problem('storage_failed', message)
  }
  return new Problem('unexpected', message)
}
