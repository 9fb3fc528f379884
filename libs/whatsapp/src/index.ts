export * from './cloud-api.js';
export * from './identifiers.js';
export * from './items.js';
export { mediaPartOf } from './item-parsers.js';
export * from './market.js';
export * from './provider-errors.js';
export * from './signature.js';
export * from './wamid.js';
export { parseWebhook, type ParsedWebhook } from './webhook.js';
