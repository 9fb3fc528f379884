import './styles.js';
import { MantineProvider } from '@mantine/core';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { queryClient } from './api/queries.js';
import { startLanguages } from './i18n/index.js';
import { router } from './router.js';
import { ClockProvider } from './shared/clock.js';
import { cssVariablesResolver, theme } from './theme/theme.js';

const root = document.getElementById('root');
if (!root) throw new Error('the page has no root element');
await startLanguages();
createRoot(root).render(
  <StrictMode>
    <MantineProvider theme={theme} cssVariablesResolver={cssVariablesResolver} defaultColorScheme="auto">
      <QueryClientProvider client={queryClient}>
        <ClockProvider>
          <RouterProvider router={router} />
        </ClockProvider>
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
