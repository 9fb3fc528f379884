import { v5 } from 'uuid';

// Fixed: the same seed gives the same ids on every machine, so two runs can be compared.
const namespace = '6f1d0c52-6c1c-5d0e-9a51-0d6a3f6f2b11';

/** Id of something in the seed, from its name (`hotel/agent/3`). */
export const seedId = (name: string): string => v5(name, namespace);
