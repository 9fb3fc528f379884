export * from './audit.js';
export * from './billing.js';
export * from './conversation.js';
export * from './gateway.js';
export * from './operations.js';
export * from './platform.js';
export * from './routing.js';
export * from './shared.js';
