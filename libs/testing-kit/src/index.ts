export { deciderSpec, type Decider, type Expect, type Outcome } from './decider-spec.js';
export { interleave, type Choose } from './interleavings.js';
