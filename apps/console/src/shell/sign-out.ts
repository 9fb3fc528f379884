import { queryClient } from '../api/queries.js';

/** Ends the session here and at the provider, and forgets everything that was shown. */
export const signOut = async (): Promise<void> => {
  const response = await fetch('/auth/logout', { method: 'POST', headers: { 'x-centralita': '1' } });
  const { redirect } = (await response.json()) as { redirect: string | null };
  queryClient.clear();
  window.location.assign(redirect ?? '/');
};
