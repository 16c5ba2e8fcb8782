import { createFileRoute, redirect } from '@tanstack/react-router';
import { sessionQuery } from '~/api/session';

export const Route = createFileRoute('/')({
  beforeLoad: async ({ context }) => {
    const session = await context.client.ensureQueryData(sessionQuery);
    throw redirect({ to: session.signed_in ? '/chat' : '/signin', replace: true });
  },
});
