import { PlatformError } from '@centralita/contracts';

const KEY = /^[A-Za-z0-9_-]+(\/[A-Za-z0-9_-]+)*$/;

/** Plain path segments, so that a key means the same in a folder and in a bucket. Throws VALIDATION_FAILED. */
export const requireKey = (key: string): string => {
  if (!KEY.test(key)) throw new PlatformError('VALIDATION_FAILED', 'an object key is made of plain path segments');
  return key;
};
