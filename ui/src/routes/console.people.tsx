import { createFileRoute } from '@tanstack/react-router';
import { PeoplePage } from '~/console/PeoplePage';

export const Route = createFileRoute('/console/people')({ component: PeoplePage });
