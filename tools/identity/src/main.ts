import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { startIdentity } from './provider.js';
import { usersSchema } from './users.js';

const list = z.string().transform((text) =>
  text
    .split(',')
    .map((one) => one.trim())
    .filter(Boolean),
);
const environment = z.object({
  OIDC_PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  USERS_FILE: z.string().min(1),
  OIDC_CLIENT_REDIRECT_URIS: list.pipe(z.array(z.url()).min(1)),
  OIDC_POST_LOGOUT_REDIRECT_URIS: list.pipe(z.array(z.url())).optional(),
  OIDC_CLIENT_ID: z.string().min(1).default('centralita'),
  OIDC_CLIENT_SECRET: z.string().min(1).optional(),
});

const parsed = environment.safeParse(process.env);
if (!parsed.success) {
  console.error(`The development identity provider's configuration is wrong:\n${z.prettifyError(parsed.error)}`);
  process.exit(78);
}
const settings = parsed.data;
const users = usersSchema.safeParse(JSON.parse(await readFile(settings.USERS_FILE, 'utf8')));
if (!users.success) {
  console.error(`USERS_FILE is wrong:\n${z.prettifyError(users.error)}`);
  process.exit(78);
}
try {
  const identity = await startIdentity({
    port: settings.OIDC_PORT,
    users: users.data,
    redirectUris: settings.OIDC_CLIENT_REDIRECT_URIS,
    clientId: settings.OIDC_CLIENT_ID,
    ...(settings.OIDC_CLIENT_SECRET === undefined ? {} : { clientSecret: settings.OIDC_CLIENT_SECRET }),
    ...(settings.OIDC_POST_LOGOUT_REDIRECT_URIS === undefined
      ? {}
      : { postLogoutRedirectUris: settings.OIDC_POST_LOGOUT_REDIRECT_URIS }),
  });
  console.log(JSON.stringify({ msg: 'listening', port: identity.port, issuer: identity.issuer }));
  const stop = (): void => void identity.stop().then(() => process.exit(0));
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
} catch (error) {
  console.error((error as Error).message);
  process.exit(1);
}
