import { createFileRoute } from '@tanstack/react-router';
import { ReceiptPage } from '~/usage/ReceiptPage';

export const Route = createFileRoute('/usage/$receipt')({
  component: () => <ReceiptPage id={Route.useParams().receipt} />,
});
