export { createSimulator, type SimulatorOptions } from './server.js';
export { Random } from './random.js';
export { MessageTypes, type MessageType } from './items.js';
export { AppsFile, Customer, Group, type StatusPlan } from './world.js';
export { factOf, sign } from './webhooks.js';
export type { CallEntry, Charge, Delivery, InboundEntry, RefusedCall } from './journal.js';
