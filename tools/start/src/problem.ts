/** Something the user can do something about: printed as it is, without a stack. */
export class StartProblem extends Error {
  override readonly name = 'StartProblem';

  constructor(
    message: string,
    readonly exitCode = 1,
  ) {
    super(message);
  }
}

/** For `catch`: something that the environment names does not answer. The address is what may be printed of it, without a password. */
export const unreachable =
  (variable: string, address: string) =>
  (error: unknown): never => {
    if (error instanceof StartProblem) throw error;
    const { code, message, cause } = error as { code?: unknown; message?: string; cause?: { code?: unknown } };
    throw new StartProblem(`${variable}: nothing usable answers at ${address} (${String(cause?.code ?? (message || code))})`);
  };
