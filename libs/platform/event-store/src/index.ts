export * from './types.js';
export * from './signatures.js';
