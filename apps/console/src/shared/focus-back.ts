import { useEffect, useState } from 'react';

/** For dialogs that are there only while they are open: when they go, the focus goes back to where it was. */
export const useFocusBack = (): void => {
  const [before] = useState(() => document.activeElement);
  useEffect(
    () => () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    },
    [before],
  );
};
