import { useEffect, useRef } from 'react';

/**
 * Calls back on Alt and a physical key, wherever the focus is. AltGraph types signs on many layouts, so it is never a shortcut; nor is
 * a key that an input method is composing with.
 */
export const useShortcut = (code: string, action: () => void): void => {
  const latest = useRef(action);
  useEffect(() => {
    latest.current = action;
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const plainAlt = event.altKey && !event.ctrlKey && !event.metaKey && !event.getModifierState('AltGraph');
      if (!plainAlt || event.code !== code || event.isComposing || document.querySelector('[aria-modal="true"]')) return;
      event.preventDefault();
      latest.current();
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [code]);
};
