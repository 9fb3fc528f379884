import type { Role } from '@centralita/contracts';

/** Who acts: the person behind the session, as the gateway's token says. */
export type Actor = {
  readonly id: string;
  /** The role under which this route lets the actor in: the first of the route's roles that the actor has. */
  readonly role: Role;
  readonly roles: readonly Role[];
  /** Opaque reference of the login session; goes into access records. */
  readonly session: string;
  readonly tenantId: string;
};
