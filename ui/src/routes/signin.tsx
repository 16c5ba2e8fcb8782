import { createFileRoute } from '@tanstack/react-router';
import { SignInPage } from '~/shell/SignInPage';

export const Route = createFileRoute('/signin')({
  validateSearch: (search: Record<string, unknown>): { next?: string } =>
    typeof search.next === 'string' && /^\/(?!\/)/.test(search.next) ? { next: search.next } : {},
  component: () => <SignInPage next={Route.useSearch().next} />,
});
