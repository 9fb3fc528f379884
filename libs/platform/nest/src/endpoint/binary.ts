import type { Readable } from 'node:stream';
import { z } from 'zod';

/** A response that is bytes, not JSON. A stream is read only after the access record is committed. */
export type Binary = {
  readonly bytes: Buffer | Readable;
  readonly contentType: string;
  /** Length in bytes; taken from a Buffer by itself. */
  readonly length?: number;
  /** `inline` lets a browser render it in the page; the default is `attachment`. */
  readonly disposition?: 'inline' | 'attachment';
};

const binaries = z.registry<{ binary: true }>();

/** Response schema of a route that answers with bytes; the handler returns (or discloses) a {@link Binary}. */
export const binary = (): z.ZodType<Binary> => {
  const schema = z.custom<Binary>(
    (value) => typeof value === 'object' && value !== null && 'bytes' in value && 'contentType' in value,
  );
  binaries.add(schema, { binary: true });
  return schema;
};

export const isBinarySchema = (schema: z.ZodType): boolean => binaries.get(schema)?.binary === true;
