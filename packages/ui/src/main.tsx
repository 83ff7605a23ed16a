/** Entry of the web console. */
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { createQueryClient } from './api/queries.ts';
import { router } from './app/router.tsx';
import { startTheme } from './app/theme.ts';
import { startLive } from './live/start.ts';
import './styles/tokens.css';
import './styles/base.css';
import './styles/shell.css';
import './styles/components.css';
import './styles/tables.css';
import './styles/fields.css';
import './styles/overlays.css';
import './styles/pages.css';
import './styles/services.css';
import './styles/editor.css';

const host = document.querySelector('#root');
if (host === null) throw new Error('The page has no root element');

startTheme();
const client = createQueryClient();
startLive(client);
createRoot(host).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
