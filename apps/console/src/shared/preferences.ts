type Preferences = {
  language: 'es' | 'en' | 'pt';
  density: 'comfortable' | 'compact';
  sendWith: 'enter' | 'mod-enter';
  offerSound: 'on' | 'off';
  offerNotice: 'on' | 'off';
};

const PREFIX = 'centralita.';

/** What a person has chosen for this browser. Never anything about a customer. */
export const preferences = {
  get: <Name extends keyof Preferences>(name: Name): Preferences[Name] | null =>
    localStorage.getItem(PREFIX + name) as Preferences[Name] | null,
  set: <Name extends keyof Preferences>(name: Name, value: Preferences[Name]): void => localStorage.setItem(PREFIX + name, value),
};
