export * from './calendar.js';
export * from './explain.js';
export * from './fact.js';
export * from './ledger.js';
export * from './money.js';
export * from './rate-card.js';
export * from './statement.js';
export * from './usage.js';
