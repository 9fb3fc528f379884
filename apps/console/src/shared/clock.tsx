import { createContext, useContext, useEffect, useState, type ReactNode } from 'react';

/** Difference between the server's clock and this one; every deadline is the server's. */
let offset = 0;
export const noteServerTime = (instant: string): void => {
  offset = Date.parse(instant) - Date.now();
};
export const serverNow = (): number => Date.now() + offset;

const Clock = createContext(0);

/** One clock for the whole page, once a second. */
export const ClockProvider = ({ children }: { readonly children: ReactNode }): ReactNode => {
  const [now, setNow] = useState(serverNow);
  useEffect(() => {
    const timer = setInterval(() => setNow(serverNow()), 1000);
    return () => clearInterval(timer);
  }, []);
  return <Clock.Provider value={now}>{children}</Clock.Provider>;
};

export const useNow = (): number => useContext(Clock);
