import { useEffect, useRef } from 'react';
import { preferences } from '../shared/preferences.js';

/** Two short notes, made here: no file to load, and nothing that could be mistaken for a telephone. */
const sound = (): void => {
  const context = new AudioContext();
  const notes = [
    [660, 0],
    [880, 0.12],
  ] as const;
  for (const [frequency, from] of notes) {
    const start = context.currentTime + from;
    const gain = new GainNode(context, { gain: 0 });
    gain.gain.setTargetAtTime(0.15, start, 0.01);
    gain.gain.setTargetAtTime(0, start + 0.1, 0.03);
    const note = new OscillatorNode(context, { frequency });
    note.connect(gain).connect(context.destination);
    note.start(start);
    note.stop(start + 0.3);
    note.onended = () => (from > 0 ? void context.close() : undefined);
  }
};

/** One sound at a new offer, and a notice of the system to whoever looks elsewhere. Names a queue, never a customer. */
export const useOfferSignal = (offer: string | null, title: string, queue: string): void => {
  const told = useRef<string | null>(null);
  useEffect(() => {
    if (offer === null || told.current === offer) return;
    told.current = offer;
    // A page that nobody has touched yet may make no sound; the browser then says so, and the offer is still there to see.
    if (preferences.get('offerSound') !== 'off' && navigator.userActivation.hasBeenActive) sound();
    if (preferences.get('offerNotice') !== 'on' || !document.hidden || Notification.permission !== 'granted') return;
    const notice = new Notification(title, { body: queue, tag: 'offer' });
    notice.onclick = () => window.focus();
  }, [offer, title, queue]);
};
