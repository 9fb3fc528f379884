import type { Bench } from '../bench.js';
import { p1 } from './p1.js';
import { p2 } from './p2.js';
import { p3 } from './p3.js';
import { p4 } from './p4.js';
import { p4b } from './p4b.js';
import { p4c } from './p4c.js';
import { p5 } from './p5.js';

export const benches: readonly Bench[] = [p1, p2, p3, p4, p4b, p4c, p5];
