import '@mantine/core/styles.css';
import '@mantine/notifications/styles.css';
import '@fontsource-variable/inter/wght.css';
import '@fontsource-variable/jetbrains-mono/wght.css';
import './app.css';
import { Button, MantineProvider } from '@mantine/core';
import { Notifications, notifications } from '@mantine/notifications';
import { notifyManager, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { createRouter, RouterProvider } from '@tanstack/react-router';
import { ApiError, json, onSessionEnd } from './api/http';
import { type Session, sessionQuery } from './api/session';
import { basepath } from './base';
import { Failed, Loading, NotThere } from './parts/states';
import { createRoot } from './react';
import { routeTree } from './routeTree.gen';
import { theme, variables } from './theme';

// What is under way is known to the page before the next click, so that a double click does nothing twice.
notifyManager.setScheduler(queueMicrotask);

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      refetchOnWindowFocus: false,
      retry: (count, error) => count < 1 && error instanceof ApiError && (error.offline || error.status >= 500),
    },
  },
});

const router = createRouter({
  routeTree,
  basepath,
  context: { client },
  defaultPreload: 'intent',
  scrollRestoration: true,
  defaultPendingComponent: () => <Loading />,
  defaultErrorComponent: ({ error, reset }) => <Failed error={error} retry={reset} />,
  defaultNotFoundComponent: () => <NotThere />,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}

// The page's own code comes while the session is asked for, not after it.
for (const { routeId } of router.matchRoutes(router.latestLocation)) {
  void router.loadRouteChunk(router.routesById[routeId as keyof typeof router.routesById]);
}

const ENDED = 'session-ended';

/** What is on the page stays there, to be copied or finished, until somebody signs in again and comes back to it. */
onSessionEnd(async () => {
  // In another tab somebody may have signed in since, and this page is of before.
  const other = (await json<Session>('admin/api/v1/session').catch(() => null))?.signed_in;
  const again = () => {
    notifications.hide(ENDED);
    if (other) return window.location.reload();
    client.setQueryData(sessionQuery.queryKey, { signed_in: false });
    void router.navigate({ to: '/signin', search: { next: router.state.location.href } });
  };
  notifications.show({
    id: ENDED,
    color: 'yellow',
    autoClose: false,
    title: other ? 'Somebody signed in in another tab' : 'You were signed out',
    message: (
      <Button size="xs" variant="default" mt={6} onClick={again}>
        {other ? 'Load this page anew' : 'Sign in again'}
      </Button>
    ),
    closeButtonProps: { 'aria-label': 'Close' },
  });
});

const place = document.getElementById('root');
if (place)
  createRoot(place).render(
    <MantineProvider theme={theme} cssVariablesResolver={variables} defaultColorScheme="auto">
      <QueryClientProvider client={client}>
        <Notifications position="bottom-right" />
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>,
  );
