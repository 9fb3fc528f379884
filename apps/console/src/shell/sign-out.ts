import { endSession } from '../api/client.js';
import { queryClient } from '../api/queries.js';

/** Ends the session here and at the provider, and forgets everything that was shown. */
export const signOut = async (): Promise<void> => {
  const redirect = await endSession();
  queryClient.clear();
  window.location.assign(redirect ?? '/');
};
