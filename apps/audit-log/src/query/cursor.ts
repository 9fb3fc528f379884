import { PlatformError } from '@centralita/contracts';

/** Cursors are opaque to clients: they name the last item that was shown, so that pages never shift. */
export const encodeCursor = (place: string): string => Buffer.from(place).toString('base64url');

/** The parts of the place that a cursor names. Throws VALIDATION_FAILED for one of another list. */
export const decodeCursor = (cursor: string, place: RegExp): RegExpExecArray => {
  const match = place.exec(Buffer.from(cursor, 'base64url').toString());
  if (match) return match;
  throw new PlatformError('VALIDATION_FAILED', 'one field is not valid', {
    errors: [{ path: 'query.cursor', message: 'is not a cursor of this list' }],
  });
};
