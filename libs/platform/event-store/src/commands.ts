import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { isPlatformError, PlatformError } from '@centralita/contracts';
import canonicalize from 'canonicalize';
import type { Database } from './database.js';
import { prepared } from './prepared.js';
import type { Tx } from './types.js';

export type CommandOptions<T> = {
  readonly tenantId: string;
  /** The client's Idempotency-Key: 1 to 255 characters. */
  readonly commandId: string;
  /** The request: what makes it another request. Anything that JSON can hold, bigints too. */
  readonly digest: unknown;
  /** Runs in the transaction that also keeps its result: ids and versions, no personal data. */
  readonly work: (tx: Tx) => Promise<T>;
  /** The client named the version (If-Match), so a conflict is its answer. @default false: load again, at most three times */
  readonly clientVersion?: boolean;
};

const MAX_CONFLICT_RETRIES = 3;
const TAG = '$bigint';

const encode = (value: unknown): string =>
  JSON.stringify(value ?? null, (_, item: unknown) => (typeof item === 'bigint' ? { [TAG]: item.toString() } : item));

const decode = (json: string): unknown =>
  JSON.parse(json, (_, item: unknown) =>
    typeof item === 'object' && item !== null && TAG in item && typeof item[TAG] === 'string' ? BigInt(item[TAG]) : item,
  );

const digestOf = (request: unknown): Buffer =>
  createHash('sha256')
    .update(canonicalOf(JSON.parse(encode(request))))
    .digest();

/** Throws VALIDATION_FAILED for text that no encoding can hold: a character outside the first plane that was cut in half. */
const canonicalOf = (request: unknown): string => {
  try {
    return canonicalize(request) ?? 'null';
  } catch (error) {
    const errors = [{ path: 'body', message: 'has a text that ends or begins within a character' }];
    throw new PlatformError('VALIDATION_FAILED', 'a text was cut within a character', { errors }, { cause: error });
  }
};

/** Commands that a client may send again: the first result is given back, and nothing happens twice. */
export class Commands {
  constructor(private readonly db: Database) {}

  /**
   * Runs `work` once per (tenant, command id). The row of the command is inserted first, so a second request with the same id waits
   * for the first one and then gets its result. A failure keeps nothing: the client may try again with the same id.
   *
   * Throws IDEMPOTENCY_MISMATCH when the id was used for another request, VERSION_CONFLICT as `clientVersion` says.
   */
  async run<T>(options: CommandOptions<T>): Promise<{ result: T; replayed: boolean }> {
    const { tenantId, commandId, clientVersion = false } = options;
    if (commandId.length < 1 || commandId.length > 255)
      throw new PlatformError('VALIDATION_FAILED', 'Idempotency-Key has 1 to 255 characters');
    const digest = digestOf(options.digest);
    for (let conflicts = 0; ; conflicts += 1) {
      try {
        return await this.db.withTenant(tenantId, (tx) => once(tx, digest, options), { commandId });
      } catch (error) {
        if (clientVersion || conflicts >= MAX_CONFLICT_RETRIES || !isPlatformError(error, 'VERSION_CONFLICT')) throw error;
        await pause(10 * 1.5 ** conflicts * (0.5 + Math.random()));
      }
    }
  }
}

const REMEMBER = prepared(`insert into command (tenant_id, command_id, digest) values ($1, $2, $3) on conflict do nothing`);
const KEEP_RESULT = prepared(`update command set result = $3 where tenant_id = $1 and command_id = $2`);

const once = async <T>(
  tx: Tx,
  digest: Buffer,
  { commandId, work }: CommandOptions<T>,
): Promise<{ result: T; replayed: boolean }> => {
  const inserted = await tx.execute(REMEMBER, [tx.tenantId, commandId, digest]);
  if (inserted === 0) {
    const [row] = await tx.query<{ digest: Buffer; result: string }>(
      `select digest, result::text from command where tenant_id = $1 and command_id = $2`,
      [tx.tenantId, commandId],
    );
    if (!row?.digest.equals(digest))
      throw new PlatformError('IDEMPOTENCY_MISMATCH', 'this Idempotency-Key was used for another request');
    return { result: decode(row.result) as T, replayed: true };
  }
  const result = await work(tx);
  tx.post(KEEP_RESULT, [tx.tenantId, commandId, encode(result)]);
  return { result, replayed: false };
};
