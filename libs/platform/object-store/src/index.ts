export type { ObjectStore, StoredObject } from './port.js';
export { FolderStore } from './folder.js';
export { objectStoreEnv, objectStoreOptions, type ObjectStoreOptions, type ObjectStorePrefix } from './settings.js';
export { openObjectStore } from './open.js';
