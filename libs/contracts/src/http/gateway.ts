import { z } from 'zod';
import { Role, Uuid } from '../primitives.js';

export const Session = z.object({
  actorId: Uuid,
  tenantId: Uuid,
  tenantName: z.string(),
  label: z.string(),
  roles: z.array(Role),
  expiresAt: z.string(),
});
export type Session = z.infer<typeof Session>;
