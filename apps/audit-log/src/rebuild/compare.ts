import { leafHash, toHex, utf8 } from '@centralita/domain-ledger';
import type { Database } from '@centralita/event-store';
import { readLeaves } from '../query/rows.js';
import { sha256 } from '../signing/signer.js';
import type { Difference, RebuiltLog } from './rebuild.js';

const AT_ONCE = 1_000n;

/**
 * Compares the stored leaves of a tenant, bytes and hashes, with the log. The database may hold leaves that are not published yet;
 * it may not hold others, or fewer.
 */
export const compareStored = async (db: Database, tenantId: string, rebuilt: RebuiltLog): Promise<Difference[]> => {
  const differences: Difference[] = [];
  for (let from = 0n; from < rebuilt.size; from += AT_ONCE) {
    const to = from + AT_ONCE < rebuilt.size ? from + AT_ONCE : rebuilt.size;
    const rows = new Map((await db.withTenant(tenantId, (tx) => readLeaves(tx, from, to))).map((row) => [row.leaf_index, row]));
    for (let index = from; index < to; index += 1n) {
      const row = rows.get(index.toString());
      const expected = rebuilt.leafHashes[Number(index)];
      const about = { origin: rebuilt.origin, leafIndex: index.toString(), recordId: null };
      if (!row) differences.push({ ...about, text: `leaf ${index}: not in the database` });
      else if (toHex(leafHash(sha256, utf8(row.leaf_text))) !== expected || toHex(row.leaf_hash) !== expected)
        differences.push({ ...about, text: `leaf ${index}: the database holds another leaf than the log` });
    }
  }
  return differences;
};
