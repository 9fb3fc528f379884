export { createSimulator, type SimulatorOptions } from './server.js';
export { Random } from './random.js';
export { MessageTypes, type MessageType } from './items.js';
export { Customer, Group, type StatusPlan } from './world.js';
export type { CallEntry, Charge, Delivery, InboundEntry, RefusedCall } from './journal.js';
