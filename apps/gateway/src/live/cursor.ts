import { PlatformError } from '@centralita/contracts';
import { z } from 'zod';
import { liveServices, type LiveService } from '../proxy/services.js';

/** How far a client has seen each service's feed; null: from now on. */
export type LiveCursor = Record<LiveService, string | null>;

const Content = z.strictObject({ conversation: z.string().max(2000).nullable(), routing: z.string().max(2000).nullable() });

export const fromNow = (): LiveCursor => ({ conversation: null, routing: null });

/** Opaque to clients: it comes back as Last-Event-ID or `cursor`. */
export const encodeCursor = (cursor: LiveCursor): string =>
  Buffer.from(JSON.stringify(Object.fromEntries(liveServices.map((service) => [service, cursor[service]])))).toString(
    'base64url',
  );

/** Throws VALIDATION_FAILED for what this gateway did not give. */
export const decodeCursor = (text: string): LiveCursor => {
  try {
    return Content.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
  } catch (error) {
    throw new PlatformError(
      'VALIDATION_FAILED',
      'this is not a cursor of the live stream',
      { errors: [{ path: 'query.cursor', message: 'is not a cursor' }] },
      { cause: error },
    );
  }
};
