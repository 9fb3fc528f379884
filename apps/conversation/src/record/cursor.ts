import { PlatformError } from '@centralita/contracts';
import type { z } from 'zod';

/** Keyset cursors: opaque to clients, without personal data, checked when they come back. */
export const encodeCursor = (place: unknown): string => Buffer.from(JSON.stringify(place)).toString('base64url');

export const decodeCursor = <Schema extends z.ZodType>(schema: Schema, cursor: string): z.output<Schema> => {
  try {
    return schema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
  } catch {
    throw new PlatformError('VALIDATION_FAILED', 'the cursor is not one of ours', {
      errors: [{ path: 'query.cursor', message: 'was not given by this list' }],
    });
  }
};
