import { PlatformError, Role, Uuid } from '@centralita/contracts';
import { v5 as uuidV5 } from 'uuid';
import type { GatewayConfig } from '../config.js';
import type { SessionRecord } from '../session/sessions.js';

type ClaimNames = Pick<
  GatewayConfig,
  'OIDC_TENANT_CLAIM' | 'OIDC_ROLES_CLAIM' | 'OIDC_LABEL_CLAIM' | 'OIDC_ISSUER' | 'TENANTS_FILE'
>;

/** Reads `a.b` and, as some providers write it, a claim whose name holds dots. */
const claim = (claims: Readonly<Record<string, unknown>>, name: string): unknown =>
  name in claims
    ? claims[name]
    : name
        .split('.')
        .reduce<unknown>(
          (value, part) => (typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[part] : undefined),
          claims,
        );

/** The person that an ID token describes. Throws FORBIDDEN for a tenant that is not ours and for people without a role. */
export const personOf = (
  claims: Readonly<Record<string, unknown>> & { sub: string },
  names: ClaimNames,
): Omit<SessionRecord, 'reference' | 'expiresAt'> => {
  const tenant = Uuid.safeParse(claim(claims, names.OIDC_TENANT_CLAIM));
  if (!tenant.success || !names.TENANTS_FILE.some(({ tenantId }) => tenantId === tenant.data))
    throw new PlatformError('FORBIDDEN', 'your account belongs to no tenant of this installation');
  const given = claim(claims, names.OIDC_ROLES_CLAIM);
  const roles = Array.isArray(given) ? Role.options.filter((role) => given.includes(role)) : [];
  if (roles.length === 0) throw new PlatformError('FORBIDDEN', 'your account has no role here');
  const label = claim(claims, names.OIDC_LABEL_CLAIM);
  const actorId = Uuid.safeParse(claims.sub).success
    ? claims.sub.toLowerCase()
    : uuidV5(`${names.OIDC_ISSUER}#${claims.sub}`, tenant.data);
  return {
    tenantId: tenant.data,
    actorId,
    roles,
    label: typeof label === 'string' && label !== '' ? label.slice(0, 120) : actorId,
  };
};
