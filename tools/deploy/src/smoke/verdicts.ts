/** One line for each thing that was looked at, and the sum of them. */
export class Verdicts {
  passed = 0;
  failed = 0;

  constructor(private readonly print: (line: string) => void) {}

  check(what: string, held: boolean, detail = ''): void {
    if (held) this.passed += 1;
    else this.failed += 1;
    this.print(`${held ? 'PASS' : 'FAIL'} ${what}${detail === '' ? '' : `: ${detail}`}`);
  }

  /** Something that must not throw; what it resolves to is the detail. */
  async attempt(what: string, work: () => Promise<string | void>): Promise<void> {
    try {
      this.check(what, true, (await work()) ?? '');
    } catch (error) {
      this.check(what, false, error instanceof Error ? error.message : String(error));
    }
  }

  add(counted: { readonly passed: number; readonly failed: number }): void {
    this.passed += counted.passed;
    this.failed += counted.failed;
  }
}
