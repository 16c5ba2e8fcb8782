import { createFileRoute } from '@tanstack/react-router';
import { Empty } from '~/parts/states';

export const Route = createFileRoute('/catalogue')({ component: () => <Empty title="Not there yet" /> });
