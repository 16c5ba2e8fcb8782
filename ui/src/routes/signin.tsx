import { createFileRoute, redirect } from '@tanstack/react-router';
import { sessionQuery } from '~/api/session';
import { SignInPage } from '~/shell/SignInPage';

export const Route = createFileRoute('/signin')({
  validateSearch: (search: Record<string, unknown>): { next?: string } =>
    typeof search.next === 'string' && /^\/(?!\/)/.test(search.next) ? { next: search.next } : {},
  beforeLoad: async ({ context }) => {
    const session = await context.client.ensureQueryData(sessionQuery);
    if (session.signed_in) throw redirect({ to: '/chat', replace: true });
  },
  component: () => <SignInPage next={Route.useSearch().next} />,
});
