import type { Service } from '@centralita/contracts';
import { v5 as uuidv5 } from 'uuid';

/** Tenant of what belongs to none: records that nobody could read, and the platform's own operations. */
export const PLATFORM_TENANT = '00000000-0000-0000-0000-000000000000';

const LANES = 16;

/** Key and stream of access and operations records: 16 lanes per tenant and service, so that writers do not wait for one head row. */
export const laneId = (tenantId: string, service: Service, lane: number): string =>
  uuidv5(`${service}:lane:${lane % LANES}`, tenantId);
