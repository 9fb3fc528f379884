import type { Session } from '@centralita/contracts';
import { createContext, useContext } from 'react';

export const SessionContext = createContext<Session | null>(null);

/** Who is signed in. Only below the shell, which shows the sign-in page to everybody else. */
export const useActor = (): Session => {
  const session = useContext(SessionContext);
  if (!session) throw new Error('no session above this component');
  return session;
};
