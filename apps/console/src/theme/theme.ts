import { createTheme, type CSSVariablesResolver } from '@mantine/core';
import { black, colors, white } from './colors.js';
import { roles } from './roles.js';

export const theme = createTheme({
  colors,
  white,
  black,
  primaryColor: 'petrol',
  primaryShade: { light: 7, dark: 6 },
  autoContrast: false,
  respectReducedMotion: true,
  activeClassName: '',
  defaultRadius: 'sm',
  fontFamily: "'Atkinson Hyperlegible Next Variable', system-ui, sans-serif",
  fontFamilyMonospace: "'Atkinson Hyperlegible Mono Variable', ui-monospace, monospace",
  fontSizes: { xs: '12px', sm: '14px', md: '15px', lg: '20px', xl: '28px' },
  lineHeights: { xs: '16px', sm: '20px', md: '22px', lg: '28px', xl: '34px' },
  spacing: { xs: '4px', sm: '8px', md: '12px', lg: '16px', xl: '24px' },
  radius: { xs: '2px', sm: '4px', md: '6px', lg: '10px', xl: '16px' },
  headings: { fontWeight: '600' },
  components: {
    Modal: { defaultProps: { overlayProps: { backgroundOpacity: 0.3 }, padding: 'xl' } },
    Drawer: { defaultProps: { overlayProps: { backgroundOpacity: 0.3 }, padding: 'xl' } },
  },
});

const scheme = (index: 0 | 1): Record<string, string> => ({
  ...Object.fromEntries(Object.entries(roles).map(([name, pair]) => [`--ct-${name}`, pair[index] ?? ''])),
  '--mantine-color-body': 'var(--ct-page)',
  '--mantine-color-text': 'var(--ct-ink)',
  '--mantine-color-dimmed': 'var(--ct-dim)',
  '--mantine-color-placeholder': 'var(--ct-dim)',
  '--mantine-color-default-border': 'var(--ct-edge)',
  '--mantine-color-error': 'var(--ct-error)',
  '--mantine-color-anchor': 'var(--ct-link)',
});

/** Adds the roles, and resets what the kit would choose itself: body, placeholder, default border, error. */
export const cssVariablesResolver: CSSVariablesResolver = () => ({ variables: {}, light: scheme(0), dark: scheme(1) });
