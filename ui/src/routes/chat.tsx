import { createFileRoute, Outlet, useParams } from '@tanstack/react-router';
import { modelsQuery } from '~/api/models';
import { ChatPage } from '~/chat/ChatPage';
import { signedIn } from '~/shell/gate';

export const Route = createFileRoute('/chat')({
  beforeLoad: signedIn,
  // With them the page is made once, not first without. Where they cannot be had it says so itself.
  loader: ({ context }) => context.client.ensureQueryData(modelsQuery).then(undefined, () => undefined),
  component: Chat,
});

function Chat() {
  const { id } = useParams({ strict: false });
  return (
    <>
      <ChatPage id={id} />
      <Outlet />
    </>
  );
}
