import type { Bench } from '../bench.js';
import { p4 } from './p4.js';

export const benches: readonly Bench[] = [p4];
