export { loginThroughOidc } from './login.js';
export type { OidcLogin, SignedIn } from './login.js';
export { startIdentity } from './provider.js';
export type { IdentityOptions, RunningIdentity } from './provider.js';
export { userSchema, usersSchema } from './users.js';
export type { IdentityUser } from './users.js';
