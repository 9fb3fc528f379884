import type { Bench } from '../bench.js';
import { p4 } from './p4.js';
import { p4b } from './p4b.js';

export const benches: readonly Bench[] = [p4, p4b];
