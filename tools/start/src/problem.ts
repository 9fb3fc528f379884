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
