import { createFileRoute, Outlet, useParams } from '@tanstack/react-router';
import { ChatPage } from '~/chat/ChatPage';
import { signedIn } from '~/shell/gate';

export const Route = createFileRoute('/chat')({ beforeLoad: signedIn, component: Chat });

function Chat() {
  const { id } = useParams({ strict: false });
  return (
    <>
      <ChatPage id={id} />
      <Outlet />
    </>
  );
}
