/** Who is signed in. The session itself is a cookie no script can read; this knows what the server says of it. */
import { queryOptions, useQueryClient, useSuspenseQuery } from '@tanstack/react-query';
import { json, setCsrf } from './http';

export type Session = {
  signed_in: boolean;
  workspace?: string | null;
  user?: string | null;
  role?: 'owner' | 'admin' | 'member' | null;
  house?: boolean;
  by_key?: boolean;
  key?: string | null;
  storefront?: string | null;
  expires_at?: number | null;
  conversations?: boolean; // does the gateway keep them?
  csrf?: string | null;
};
export type Credentials = { key: string } | { workspace: string; user: string; password: string };

const PATH = 'admin/api/v1/session';

function taken(session: Session): Session {
  setCsrf(session.csrf ?? null);
  return session;
}

export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: async () => taken(await json<Session>(PATH)),
  staleTime: 60_000,
});

export function useSession(): Session {
  return useSuspenseQuery(sessionQuery).data;
}

export function useSigning() {
  const client = useQueryClient();
  const replace = (session: Session) => {
    // What another person was shown goes; the session's own entry stays, as the page is looking at it.
    client.removeQueries({ predicate: (query) => query.queryKey[0] !== 'session' });
    client.setQueryData(sessionQuery.queryKey, taken(session));
  };
  return {
    signIn: async (body: Credentials) => replace(await json<Session>(PATH, { body })),
    signOut: async () => {
      await json<void>(PATH, { method: 'DELETE' });
      replace({ signed_in: false });
    },
  };
}

/** May see the console of their workspace. */
export function administers(session: Session): boolean {
  return Boolean(session.house) || session.role === 'owner' || session.role === 'admin';
}
