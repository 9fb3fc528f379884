export { decide, type Decision } from './decide.js';
export { nextDeadline } from './deadlines.js';
export { evolve } from './evolve.js';
export type { RoutingEvent, RoutingEventOf, RoutingEventType } from './events.js';
export type { AgentDefinition, RoutingFact, RoutingInput, RoutingInputOf } from './inputs.js';
export { toInstant, toInstantOrNull, toMillis, toMillisOrNull, type Millis } from './instants.js';
export type { DeriveId, Refusal } from './recorder.js';
export { replayDecisions, type Contradiction } from './replay.js';
export { FOLD_VERSION, stateFromJson, stateToJson, taskFromJson, taskToJson, type StateJson, type TaskJson } from './snapshot.js';
export {
  defaultPolicy,
  initialState,
  loadOf,
  type Agent,
  type Phase,
  type Policy,
  type Presence,
  type Queue,
  type RoutingState,
  type Task,
} from './state.js';
export { closesSoon, isUnserved, whyWaiting, type WhyWaiting } from './waiting.js';
