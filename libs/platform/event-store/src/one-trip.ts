import type { Tx } from './types.js';

/** A statement that changes rows, to be made with others in one round trip. `$1` is the tenant, its own values begin at `$2`. */
export type Part = {
  readonly sql: string;
  readonly values: readonly unknown[];
  /** The name by which later parts read what this one returns; different from all others. */
  readonly as?: string;
};

/**
 * Posts all parts as one statement, the last one last. Where many short transactions are made, what they cost is mostly the way to the
 * database and back. Parts see the rows as they were before, not what the others do: no two of them may touch the same row.
 */
export const inOneTrip = (tx: Tx, parts: readonly Part[]): void => {
  const values: unknown[] = [tx.tenantId];
  const statements = parts.map((part) => {
    const before = values.length - 1;
    values.push(...part.values);
    return part.sql.replace(/\$(\d+)/g, (whole, index: string) => (index === '1' ? whole : `$${String(Number(index) + before)}`));
  });
  const last = statements.pop();
  if (last === undefined) return;
  const others = statements.map((sql, index) => `${parts[index]?.as ?? `part${String(index)}`} as (${sql})`);
  tx.post(`${others.length > 0 ? `with ${others.join(', ')} ` : ''}${last}`, values);
};
