import type { QueryClient } from '@tanstack/react-query';
import { createRootRouteWithContext, Outlet } from '@tanstack/react-router';
import { sessionQuery } from '~/api/session';
import { Header } from '~/shell/Header';
import shell from '~/shell/shell.module.css';

export const Route = createRootRouteWithContext<{ client: QueryClient }>()({
  beforeLoad: ({ context }) => context.client.ensureQueryData(sessionQuery),
  component: () => (
    <div className={shell.app}>
      <a href="#main" className="skip">
        Skip to the page
      </a>
      <Header />
      <main id="main" className={shell.main}>
        <Outlet />
      </main>
    </div>
  ),
});
