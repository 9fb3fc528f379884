export { deciderSpec, type Decider, type Expect, type Outcome } from './decider-spec.js';
export { interleave, type Choose } from './interleavings.js';
export { invariants, type Invariant, type Violation } from './history/examination.js';
export { History, type LogRecord, type Operation } from './history/history.js';
export { judge, type Verdict } from './history/judge.js';
