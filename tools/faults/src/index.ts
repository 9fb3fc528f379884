export { collectHistory } from './collect/collect.js';
export { instrument } from './collect/instruments.js';
export { replaysOf } from './collect/replays.js';
export { countEvents } from './harness/watch.js';
export { report, type Counted } from './verdict.js';
