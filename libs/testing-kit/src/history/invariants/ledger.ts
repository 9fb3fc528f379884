import { createHash } from 'node:crypto';
import type { Examination } from '../examination.js';
import type { History } from '../history.js';

/** 17. */
export const oneToOne = (history: History, examination: Examination): void => {
  const records = history.accessRecords.map(({ id }) => id);
  const leavesOf = (kind: 'record' | 'entry'): string[] =>
    history.leaves.filter((leaf) => leaf.kind === kind).map(({ record }) => record);
  examination.expectSame(17, history.disclosures, 'the disclosures', records, 'the access records');
  examination.expectSame(17, records, 'the access records', leavesOf('record'), 'the leaves');
  const entries = new Map<string, number>();
  for (const record of leavesOf('entry')) entries.set(record, (entries.get(record) ?? 0) + 1);
  for (const { id, entries: expected } of history.accessRecords)
    examination.expect(
      17,
      (entries.get(id) ?? 0) === expected,
      () => `record ${id} has ${entries.get(id) ?? 0} entries in the ledger, its manifest ${expected}`,
    );
};

/** 18: each checkpoint, of whatever build, is the root of a prefix of the one recorded order. */
export const consistentCheckpoints = (history: History, examination: Examination): void => {
  const ledgers = new Map(history.ledgers.map(({ ledger, leaves }) => [ledger, leaves]));
  for (const { ledger, size, root, rebuilt } of history.checkpoints) {
    const leaves = ledgers.get(ledger) ?? [];
    examination.expect(
      18,
      size <= leaves.length && rootOf(leaves.slice(0, size)) === root,
      () =>
        `ledger ${ledger}: the ${rebuilt ? 'rebuilt' : 'published'} checkpoint of ${size} leaves is not the root of the recorded order (${leaves.length} leaves)`,
    );
  }
};

/** RFC 6962 section 2.1 over leaf hashes. Written here once more, so that the judge does not share the defects of the judged. */
const rootOf = (hashes: readonly string[]): string => {
  if (hashes.length === 0) return createHash('sha256').digest('hex');
  let level = hashes.map((hash) => Buffer.from(hash, 'hex'));
  // Joining neighbours level by level, an odd one carried up, is the split at the largest power of two.
  while (level.length > 1)
    level = Array.from({ length: Math.ceil(level.length / 2) }, (_, index) => {
      const [left, right] = [level[2 * index], level[2 * index + 1]];
      if (!left) throw new RangeError('a level has no such node');
      return right
        ? createHash('sha256')
            .update(Buffer.from([1]))
            .update(left)
            .update(right)
            .digest()
        : left;
    });
  return level[0]?.toString('hex') ?? '';
};

/** 19. */
export const gapless = (history: History, examination: Examination): void => {
  for (const [scope, numbered] of Map.groupBy(history.numbers, (one) => one.scope)) {
    const numbers = numbered.map(({ number }) => number).sort((left, right) => left - right);
    numbers.forEach((number, index) =>
      examination.expect(19, number === index + 1, () => `${scope}: number ${number} stands where ${index + 1} is due`),
    );
  }
};
