import { PlatformError } from '@centralita/contracts';
import { FolderStore } from './folder.js';
import type { ObjectStore } from './port.js';
import type { ObjectStoreOptions } from './settings.js';

/** Opens the store that {@link objectStoreOptions} found. The client of S3 is loaded only when it is the one: it costs memory and time. */
export const openObjectStore = async (options: ObjectStoreOptions | null): Promise<ObjectStore> => {
  if (options === null) throw new PlatformError('CONFIGURATION_INVALID', 'the object store is not configured');
  if ('folder' in options) return new FolderStore(options.folder);
  const { S3Store } = await import('./s3.js');
  return new S3Store(options.s3);
};
