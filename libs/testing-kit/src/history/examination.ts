/** The rules that hold for every history, by their number in the catalogue of the platform's invariants. */
export const invariants = {
  1: 'what was acknowledged is on the log, and what is on the log was sent',
  2: 'one id has one key and one content',
  3: 'an identity keeps its subject until erasure',
  4: 'stored events of a key are numbered without a gap, and causes precede effects',
  5: 'a version of a stream is one event',
  6: 'offsets are applied without a gap, and nothing is effective from a stale epoch',
  7: 'each event takes effect once per service',
  8: 'nothing of a parked key is applied after it',
  9: 'a reply is called at most once, after its attempt and before its deadline',
  10: 'a reply goes to the address that it answers',
  11: 'a status belongs to one send, or is itemised',
  12: 'capacity is never exceeded, and a task has at most one assignment',
  13: 'routing decided again is routing as recorded',
  14: 'all evidence is rated, free, in suspense or parked',
  15: 'the bytes of an invoice do not change',
  16: 'a closed period does not change, and late is what its closing does not include',
  17: 'disclosures, access records and leaves are one to one',
  18: 'checkpoints are consistent, also after a rebuild',
  19: 'numbers of a source and of a subject have no gap',
  20: 'after erasure nothing can be read, found or recorded',
  21: 'what was acknowledged can be decrypted',
  22: 'nothing crosses a tenant',
  23: 'the same manifest gives the same digest, and a changed byte is named',
  24: 'a read after a causal token sees its effect',
} as const;

export type Invariant = keyof typeof invariants;

export type Violation = { readonly invariant: Invariant; readonly message: string };

/** Collects what contradicts an invariant, and how much was looked at: a rule that looked at nothing has not passed. */
export class Examination {
  readonly #violations: Violation[] = [];
  readonly #examined = new Map<Invariant, number>();

  /** Looks at one thing. `message` says what was found instead; it is made only when it is needed. */
  expect(invariant: Invariant, holds: boolean, message: () => string): void {
    this.#examined.set(invariant, (this.#examined.get(invariant) ?? 0) + 1);
    if (!holds) this.#violations.push({ invariant, message: `invariant ${invariant} (${invariants[invariant]}): ${message()}` });
  }

  /** Expects two collections to hold the same things, each once. */
  expectSame(invariant: Invariant, left: readonly string[], leftName: string, right: readonly string[], rightName: string): void {
    const [ofLeft, ofRight] = [new Set(left), new Set(right)];
    for (const one of ofLeft) this.expect(invariant, ofRight.has(one), () => `${one} is in ${leftName}, not in ${rightName}`);
    for (const one of ofRight) this.expect(invariant, ofLeft.has(one), () => `${one} is in ${rightName}, not in ${leftName}`);
    for (const [list, name] of [
      [left, leftName],
      [right, rightName],
    ] as const)
      for (const one of repeated(list)) this.expect(invariant, false, () => `${one} is in ${name} more than once`);
  }

  get violations(): readonly Violation[] {
    return this.#violations;
  }

  get examined(): ReadonlyMap<Invariant, number> {
    return this.#examined;
  }
}

const repeated = (list: readonly string[]): Set<string> => {
  const seen = new Set<string>();
  return new Set(list.filter((one) => seen.has(one) || !seen.add(one)));
};
