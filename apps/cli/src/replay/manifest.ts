import { rootOf, toHex } from '@centralita/domain-ledger';
import { leafHashes, type PartitionLeaves } from '@centralita/event-log';
import { hash } from 'node:crypto';
import { z } from 'zod';

const Hex = z.string().regex(/^[0-9a-f]{64}$/);

/** What a replay read and what it reached. Two runs over the same log have the same manifest, on any machine. */
export const Manifest = z.strictObject({
  version: z.literal(1),
  foldVersion: z.string(),
  partitions: z.array(
    z.strictObject({
      topic: z.string(),
      partition: z.number().int(),
      from: z.string(),
      to: z.string(),
      root: Hex,
      /** Leaf hashes, so that a difference names the record; 64 characters a record, without separators. */
      leaves: z.string().regex(/^([0-9a-f]{64})*$/),
    }),
  ),
  tenants: z.record(z.string(), z.strictObject({ stateDigest: Hex, rows: z.number().int() })),
});
export type Manifest = z.infer<typeof Manifest>;

const sha256 = (bytes: Uint8Array): Uint8Array => hash('sha256', bytes, 'buffer');

export const partitionsOf = (leaves: readonly PartitionLeaves[]): Manifest['partitions'] =>
  leaves.map(({ topic, partition, from, to, hashes }) => ({
    topic,
    partition,
    from: from.toString(),
    to: to.toString(),
    root: toHex(rootOf(sha256, leafHashes({ hashes }))),
    leaves: hashes.toString('hex'),
  }));

export type Difference = { readonly where: string; readonly what: string };

/** Where two manifests differ first, partition by partition: a record by name, then a range, then the result of the fold. */
export const firstDifference = (expected: Manifest, found: Manifest): Difference | null => {
  const names = new Set([...expected.partitions, ...found.partitions].map(({ topic, partition }) => `${topic}/${partition}`));
  for (const name of [...names].sort()) {
    const [one, other] = [expected, found].map(({ partitions }) =>
      partitions.find(({ topic, partition }) => `${topic}/${partition}` === name),
    );
    if (!one || !other) return { where: name, what: `is only in the ${one ? 'expected' : 'given'} log` };
    for (let at = 0; at < Math.max(one.leaves.length, other.leaves.length); at += 64) {
      const offset = BigInt(one.from) + BigInt(at / 64);
      const [left, right] = [one.leaves.slice(at, at + 64), other.leaves.slice(at, at + 64)];
      if (left !== right)
        return {
          where: `${name}/${offset}`,
          what: left === '' ? 'was added' : right === '' ? 'is missing' : "hash value doesn't match",
        };
    }
    if (one.root !== other.root || one.from !== other.from || one.to !== other.to)
      return { where: name, what: 'covers another range' };
  }
  if (expected.foldVersion !== found.foldVersion)
    return { where: 'fold', what: `is ${found.foldVersion}, expected ${expected.foldVersion}` };
  for (const tenant of new Set([...Object.keys(expected.tenants), ...Object.keys(found.tenants)])) {
    const [one, other] = [expected.tenants[tenant], found.tenants[tenant]];
    if (one?.stateDigest !== other?.stateDigest)
      return { where: `tenant ${tenant}`, what: `has ${other?.rows ?? 0} rows, expected ${one?.rows ?? 0}, or other contents` };
  }
  return null;
};
