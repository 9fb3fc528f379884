/** Whether all is here that was decided when a record came in, or is still waited for, or has been waited for long enough. */
export type Completeness = 'complete' | 'awaited' | 'missing';

/** A reason that nothing confirms is unverifiable after so long without complete facts: nobody waits for a consumer that stands still. */
const LONGEST_WAIT_MS = 60_000;

export type Awaited = {
  /** Milliseconds since the epoch. */
  readonly factsCompleteUntil: number;
  /** When the record came in, in the same, and how long ago that is by the clock that noted it. */
  readonly receivedAt: number;
  readonly ageMs: number;
  /** How long this process has been there to read the facts: what it finds waiting is old, and its facts are on their way all the same. */
  readonly uptimeMs: number;
  /** Room for what has been committed and is not published yet. */
  readonly patienceMs: number;
};

export const completenessOf = ({ factsCompleteUntil, receivedAt, ageMs, uptimeMs, patienceMs }: Awaited): Completeness => {
  if (factsCompleteUntil >= receivedAt + patienceMs) return 'complete';
  return Math.min(ageMs, uptimeMs) < LONGEST_WAIT_MS ? 'awaited' : 'missing';
};
