/** Pages that need someone: who is not signed in is taken to the door, and back afterwards. */
import type { QueryClient } from '@tanstack/react-query';
import { redirect } from '@tanstack/react-router';
import { sessionQuery } from '~/api/session';

type Going = { context: { client: QueryClient }; location: { href: string } };

export async function signedIn({ context, location }: Going): Promise<void> {
  const session = await context.client.ensureQueryData(sessionQuery);
  if (!session.signed_in) throw redirect({ to: '/signin', search: { next: location.href }, replace: true });
}
