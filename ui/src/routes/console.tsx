import { createFileRoute } from '@tanstack/react-router';
import { Empty } from '~/parts/states';
import { signedIn } from '~/shell/gate';

export const Route = createFileRoute('/console')({
  beforeLoad: signedIn,
  component: () => <Empty title="Not there yet" />,
});
