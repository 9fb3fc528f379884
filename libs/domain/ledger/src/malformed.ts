import { PlatformError } from '@centralita/contracts';

/**
 * Refuses a file, note or leaf that does not have the shape its format demands. Code `RECORD_INVALID`; `details.what` names the
 * part. A file that is refused is neither right nor wrong about the log: nothing in it may be believed.
 */
export const malformed = (what: string, detail: string): never => {
  throw new PlatformError('RECORD_INVALID', `${what}: ${detail}`, { what });
};
