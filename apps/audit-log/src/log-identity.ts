import { v5 as uuidv5 } from 'uuid';

/** One log per tenant. Its id is the record key and stream of the leaves' order. */
export const logIdOf = (tenantId: string): string => uuidv5('access-log', tenantId);

/** Stream of the checkpoints of a log; a stream has one topic. */
export const checkpointStreamOf = (logId: string): string => uuidv5('checkpoints', logId);
