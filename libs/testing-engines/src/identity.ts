// Apart from the package's index: loading the provider costs a spec time that only those who sign in should pay.
export { loginThroughOidc, startIdentity } from '@centralita/tool-identity';
export type { IdentityOptions, IdentityUser, OidcLogin, RunningIdentity, SignedIn } from '@centralita/tool-identity';
